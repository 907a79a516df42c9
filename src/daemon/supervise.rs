//! The lanes that run, and with which settings each was begun.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::{self, Config};
use crate::daemon::{Shared, lane, outlook, sender};

#[derive(Debug)]
struct Lane {
    mailbox: config::Mailbox,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    /// Shows the mailbox's threads as Outlook's categories; ends at once where they are off.
    outlook: JoinHandle<()>,
    /// Hands the mailbox's mail to the server that sends.
    sender: JoinHandle<()>,
}

/// The running lanes, by mailbox.
#[derive(Debug, Default)]
pub(crate) struct Lanes(BTreeMap<String, Lane>);

/// Whether a change from one to the other needs a new connection. Everything else is taken over while it runs.
fn same_connection(one: &config::Mailbox, other: &config::Mailbox) -> bool {
    let opened_with =
        |mailbox: &config::Mailbox| (mailbox.policy.names.root.clone(), mailbox.policy.since);
    one.imap == other.imap
        && one.smtp == other.smtp
        && one.pace == other.pace
        && one.folders == other.folders
        && one.poll == other.poll
        && one.patience == other.patience
        && one.daily_bytes == other.daily_bytes
        && one.layout == other.layout
        && one.categories == other.categories
        && opened_with(one) == opened_with(other)
}

impl Lanes {
    /// Begins a lane for every mailbox.
    pub(crate) fn start(shared: &Arc<Shared>, config: &Config) -> Lanes {
        let mut lanes = Lanes::default();
        for mailbox in &config.mailboxes {
            lanes.begin(shared, mailbox);
        }
        lanes
    }

    fn begin(&mut self, shared: &Arc<Shared>, mailbox: &config::Mailbox) {
        let (stop, stopped) = watch::channel(false);
        let beside = outlook::run(Arc::clone(shared), mailbox.clone(), stopped.clone());
        let outlook = tokio::spawn(beside);
        let sends = sender::run(Arc::clone(shared), mailbox.clone(), stopped.clone());
        let sender = tokio::spawn(sends);
        let task = tokio::spawn(lane::run(Arc::clone(shared), mailbox.clone(), stopped));
        let mailbox = mailbox.clone();
        self.0.insert(mailbox.name.clone(), Lane { mailbox, stop, task, outlook, sender });
    }

    /// Ends lanes that are not configured any more, begins new ones, and begins those anew whose connection changed.
    pub(crate) async fn adopt(&mut self, shared: &Arc<Shared>, config: &Config) {
        let keep = |name: &String, lane: &Lane| {
            let now = config.mailboxes.iter().find(|mailbox| mailbox.name == *name);
            now.is_some_and(|mailbox| same_connection(mailbox, &lane.mailbox))
        };
        let ended: Vec<String> = self
            .0
            .iter()
            .filter(|(name, lane)| !keep(name, lane))
            .map(|(name, _)| name.clone())
            .collect();
        for name in ended {
            if let Some(lane) = self.0.remove(&name) {
                end(lane, crate::daemon::STOP_WAIT).await;
            }
        }
        for mailbox in &config.mailboxes {
            if !self.0.contains_key(&mailbox.name) {
                self.begin(shared, mailbox);
            }
        }
    }

    /// Stops all lanes; each may finish what it is writing.
    pub(crate) async fn stop(&mut self, wait: Duration) {
        for lane in self.0.values() {
            lane.stop.send_replace(true);
        }
        let all = std::mem::take(&mut self.0);
        let ends = async {
            for lane in all.into_values() {
                end(lane, wait).await;
            }
        };
        if tokio::time::timeout(wait, ends).await.is_err() {
            tracing::warn!(
                "Some mailboxes did not end in time; what they were writing is seen again at the next start"
            );
        }
    }
}

async fn end(mut lane: Lane, wait: Duration) {
    lane.stop.send_replace(true);
    if tokio::time::timeout(wait, &mut lane.task).await.is_err() {
        lane.task.abort();
    }
    // A mail that is cut short counts as one that may have left.
    if tokio::time::timeout(wait, &mut lane.sender).await.is_err() {
        lane.sender.abort();
    }
    // It ends at once, and is not to go on beside the next one.
    lane.outlook.abort();
    let _ended = lane.outlook.await;
}
