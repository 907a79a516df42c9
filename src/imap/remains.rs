//! Finds and removes what Baton itself has put into a mailbox, and nothing else.
//!
//! A message is known by a word in a line of its header that answers and bounces do not repeat. It is looked at once more just before it is expunged, by its
//! UID, and UIDPLUS expunges that one and no other (RFC 4315, section 2.1). Where to start: `remove_all` and [`Search`].

use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, Response, StatusAttribute};

use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::session::{Selected, Session};
use super::turn::{self, Turn};
use super::{Cursor, arrivals, fetch, utf7};

/// How many messages are looked through for one; the probe is among the newest.
const LOOKED_THROUGH_MAX: u32 = 200;
/// The fields that hold the word in the message itself: servers may replace the first, and leave out the second.
const OWN_FIELDS: [&str; 2] = ["Message-ID", "X-Baton-Doctor"];
/// How often it is looked for what may still come.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

/// Opens a folder, and learns how far it goes.
pub(super) async fn open(
    session: &mut Session,
    folder: &str,
    access: Access,
) -> Result<Selected, Error> {
    let mut selected = session.select(folder, access).await?;
    let next = arrivals::next_uid(session, &selected, &Cursor::default()).await?;
    selected.uidnext = Some(next);
    Ok(selected)
}

/// The UID of the message of the open folder that `word` names, among those that came after `known`.
pub(super) async fn find(
    session: &mut Session,
    known: &Selected,
    word: &str,
) -> Result<Option<u32>, Error> {
    Ok(headers(session, known, word).await?.first().map(|(uid, _)| *uid))
}

/// UIDs and headers of the messages that `word` names.
async fn headers(
    session: &mut Session,
    known: &Selected,
    word: &str,
) -> Result<Vec<(u32, Vec<u8>)>, Error> {
    let mut found = Vec::new();
    let first = known.uidnext.unwrap_or(1);
    session
        .exec(&format!("UID FETCH {first}:* (UID BODY.PEEK[HEADER])"), |response| {
            let Some(row) = fetch::row(response) else { return };
            // `*` is the last message, also where that is an older one.
            let uid = row.uid.filter(|uid| first <= *uid);
            if let (Some(uid), Some(raw)) = (uid, row.raw)
                && names(&raw, word)
            {
                found.push((uid, raw));
            }
        })
        .await?;
    Ok(found)
}

/// Whether it is the message itself. An answer to it, or the report that it could not be delivered, has the word too, in
/// References or In-Reply-To, and is none of ours.
fn names(header: &[u8], word: &str) -> bool {
    let header = String::from_utf8_lossy(header);
    let mut is_ours = false;
    for line in header.lines() {
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().trim_end();
            is_ours = OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name));
        }
        if is_ours && !word.is_empty() && line.contains(word) {
            return true;
        }
    }
    false
}

/// Removes every message with `word` that came into the folder after `known`; by way of `trash` where the server only
/// removes for good what lies there.
pub(super) async fn remove_all(
    session: &mut Session,
    known: &Selected,
    word: &str,
    trash: Option<&str>,
) -> Result<(), Error> {
    session.select(&known.folder, Access::ReadWrite).await?;
    for (uid, _) in headers(session, known, word).await? {
        match trash {
            // G56, G58: below a label only the label would be removed.
            Some(trash) => {
                session.run(&format!("UID MOVE {uid} {}", utf7::quoted(trash))).await?;
            }
            None => expunge(session, uid).await?,
        }
    }
    let Some(trash) = trash else { return Ok(()) };
    let mut there = open(session, trash, Access::ReadWrite).await?;
    there.uidnext = there.uidnext.map(|next| next.saturating_sub(LOOKED_THROUGH_MAX).max(1));
    for (uid, _) in headers(session, &there, word).await? {
        expunge(session, uid).await?;
    }
    Ok(())
}

async fn expunge(session: &mut Session, uid: u32) -> Result<(), Error> {
    session.run(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")).await?;
    session.run(&format!("UID EXPUNGE {uid}")).await?;
    Ok(())
}

/// Removes a folder that we made, if nothing lies in it. Answers whether it is gone.
pub(super) async fn remove_folder(session: &mut Session, folder: &str) -> Result<bool, Error> {
    let name = utf7::quoted(folder);
    let mut count = None;
    let keep = |response: &Response<'_>| {
        if let Response::MailboxData(MailboxDatum::Status { status, .. }) = response {
            count = status.iter().find_map(|item| match item {
                StatusAttribute::Messages(count) => Some(*count),
                _ => None,
            });
        }
    };
    // The folder must not be the open one.
    session.select("INBOX", Access::ReadOnly).await?;
    let told = session.exec(&format!("STATUS {name} (MESSAGES)"), keep).await;
    match told {
        Ok(_) if count == Some(0) => {}
        Ok(_) | Err(Error::Refused { .. }) => return Ok(false),
        Err(error) => return Err(error),
    }
    let mut gone = false;
    for verb in ["UNSUBSCRIBE", "DELETE"] {
        gone = match session.run(&format!("{verb} {name}")).await {
            Ok(_) => true,
            Err(Error::Refused { .. }) => false,
            Err(error) => return Err(error),
        };
    }
    Ok(gone)
}

/// A mail that was found.
#[derive(Clone, Debug)]
pub struct Find {
    /// The folder.
    pub folder: String,
    /// Its header, as the server gives it.
    pub header: Vec<u8>,
}

/// Watches some folders for a mail that is about to come.
#[derive(Debug)]
pub struct Search {
    session: Session,
    folders: Vec<Selected>,
    trash: Option<String>,
    _turn: Turn,
}

impl Search {
    /// Notes how far each folder goes now.
    ///
    /// # Errors
    /// When there is no connection, or a folder cannot be opened.
    pub async fn begin(
        settings: &Settings,
        folders: &[&str],
        trash: Option<String>,
    ) -> Result<Search, Error> {
        let turn = turn::take(settings).await?;
        let mut session = connect(settings).await?;
        let mut known = Vec::new();
        for folder in folders {
            known.push(open(&mut session, folder, Access::ReadOnly).await?);
        }
        Ok(Search { session, folders: known, trash, _turn: turn })
    }

    /// Waits until the mail with `word` is in every folder, at most for `wait`. Answers where it is.
    ///
    /// # Errors
    /// When the connection is lost.
    pub async fn wait(&mut self, word: &str, wait: Duration) -> Result<Vec<Find>, Error> {
        let end = tokio::time::Instant::now() + wait;
        loop {
            let mut found = Vec::new();
            for known in &self.folders {
                self.session.select(&known.folder, Access::ReadOnly).await?;
                let headers = headers(&mut self.session, known, word).await?;
                let folder = || known.folder.clone();
                found.extend(
                    headers.into_iter().map(|(_, header)| Find { folder: folder(), header }),
                );
            }
            let is_everywhere =
                self.folders.iter().all(|known| found.iter().any(|one| one.folder == known.folder));
            if is_everywhere || end <= tokio::time::Instant::now() {
                return Ok(found);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Removes the mail with `word` from every folder, and says goodbye.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn end(mut self, word: &str) -> Result<(), Error> {
        for known in &self.folders {
            remove_all(&mut self.session, known, word, self.trash.as_deref()).await?;
        }
        self.session.logout().await;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::session;

    #[test]
    fn a_message_is_named_by_its_own_fields_also_where_they_are_folded() {
        for header in [
            "Message-ID: <baton-doctor.w0rd@h>\r\n",
            "From: a\r\nMESSAGE-ID:\r\n <baton-doctor.w0rd@h>\r\nTo: b\r\n",
            "Message-ID: <other@h>\r\nX-Baton-Doctor: w0rd\r\n",
        ] {
            assert!(names(header.as_bytes(), "w0rd"), "{header}");
            assert!(!names(header.as_bytes(), ""), "{header}");
        }
    }

    #[tokio::test]
    async fn an_answer_to_our_message_is_not_expunged_with_it() {
        let header = |fields: &str| {
            let bytes = fields.replace("\\r\\n", "\r\n").len();
            format!("{{{bytes}}}\\r\\n{fields}")
        };
        let ours = header(r"Message-ID: <baton-doctor.w0rd@h>\r\n\r\n");
        let bounce =
            header(r"Message-ID: <1@mta>\r\nReferences: <a@b>\r\n <baton-doctor.w0rd@h>\r\n\r\n");
        let (mut session, script) = session(
            "UIDPLUS",
            format!(
                "C: A0003 SELECT \"INBOX\"\n\
                 S: * 2 EXISTS\nS: * OK [UIDVALIDITY 9] x\nS: * OK [UIDNEXT 9] x\nS: A0003 OK\n\
                 C: A0004 UID FETCH 7:* (UID BODY.PEEK[HEADER])\n\
                 S: * 1 FETCH (UID 7 BODY[HEADER] {ours})\nS: * 2 FETCH (UID 8 BODY[HEADER] {bounce})\n\
                 S: A0004 OK\n\
                 C: A0005 UID STORE 7 +FLAGS.SILENT (\\Deleted)\nS: A0005 OK\n\
                 C: A0006 UID EXPUNGE 7\nS: A0006 OK"
            )
            .leak(),
        )
        .await;
        let known = Selected { folder: "INBOX".into(), uidnext: Some(7), ..Selected::default() };
        remove_all(&mut session, &known, "w0rd", None).await.unwrap();
        script.played().await;
    }
}
