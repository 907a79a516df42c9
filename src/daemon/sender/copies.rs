//! Sees to what lies in Sent, one mail at a time: looks for those that may have left, and adds copies where none came.

use std::sync::Arc;

use tokio::sync::watch;

use super::Sender;
use crate::daemon::lane;
use crate::engine::{self, Task};
use crate::imap::connect::Access;
use crate::imap::{add_copy, find_copy};
use crate::store::SendingRow;

/// Goes on until `stopped` says true; what was begun is finished.
pub(super) async fn see_to_all(sender: &Arc<Sender>, mut stopped: watch::Receiver<bool>) {
    let mut changes = sender.shared.store.outbox_changes();
    while !*stopped.borrow() {
        changes.mark_unchanged();
        let rest = match sender.see_to_next().await {
            Ok(None) => continue,
            Ok(Some(rest)) => rest,
            Err(error) => sender.cannot_ask(&error),
        };
        tokio::select! {
            () = tokio::time::sleep(rest) => (),
            _ = changes.changed() => (),
            _ = stopped.changed() => (),
        }
    }
}

impl Sender {
    /// Sees to the next mail. Answers for how long there is none.
    async fn see_to_next(&self) -> anyhow::Result<Option<std::time::Duration>> {
        match self.at_desk(engine::next_in_sent).await? {
            Task::Look { sending } => self.look(sending).await?,
            Task::Copy { sending, raw } => self.copy(sending, raw).await?,
            Task::Rest(until) => return Ok(Some(self.rest(until))),
            // That is for the other task.
            Task::Send { .. } => return Ok(Some(super::PAUSE)),
        }
        Ok(None)
    }

    /// Looks for a mail that may have left.
    async fn look(&self, sending: SendingRow) -> anyhow::Result<()> {
        let looked_at = self.shared.clock.now();
        let id = sending.id;
        let found = match self.sent_folder().await? {
            Some(folder) => find_copy(&self.imap(), &folder, &sending.message_id).await,
            // Nowhere to look: time alone decides.
            None => Ok(None),
        };
        match found {
            Ok(found) => {
                self.at_desk(move |desk| engine::looked(desk, id, looked_at, found.as_deref()))
                    .await
            }
            Err(error) => self.not_looked(id, &error).await,
        }
    }

    /// Sees to the copy of a mail that has left.
    async fn copy(&self, sending: SendingRow, raw: Vec<u8>) -> anyhow::Result<()> {
        let id = sending.id;
        if let Some(folder) = self.sent_folder().await? {
            let added = add_copy(&self.imap(), &folder, &sending.message_id, &raw).await;
            if let Err(error) = added {
                return self.not_looked(id, &error).await;
            }
        }
        self.at_desk(move |desk| engine::copied(desk, id)).await
    }

    async fn not_looked(&self, id: i64, error: &crate::imap::Error) -> anyhow::Result<()> {
        let mailbox = &self.mailbox.name;
        tracing::warn!(
            mailbox,
            sending = id,
            "{mailbox}: cannot look for mail {id} in Sent: {error}"
        );
        self.at_desk(move |desk| engine::not_looked(desk, id)).await
    }

    fn imap(&self) -> crate::imap::connect::Settings {
        lane::settings(&self.mailbox, &self.key, Access::ReadWrite)
    }

    async fn sent_folder(&self) -> anyhow::Result<Option<String>> {
        self.at_desk(|desk| {
            let folders = desk.tx.folders(desk.mailbox)?;
            let sent = folders.into_iter().find(|folder| folder.role == "sent" && folder.listed);
            Ok(sent.map(|folder| folder.name))
        })
        .await
    }
}
