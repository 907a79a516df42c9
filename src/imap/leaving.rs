//! What is done to the messages that are about to leave: a draft is read whole, Baton's own copies come and go.
//!
//! Only [`remove`] and [`remove_by_way_of`] take anything away, and only a message whose Message-ID, looked at just before, is
//! the one that Baton gave it; UIDPLUS expunges that one and no other (RFC 4315, section 2.1). Nothing is marked as read.

use super::error::Error;
use super::sent_copy::{ids, look};
use super::session::{Access, Session};
use super::show::transfer;
use super::{Action, Change, Outcome, fetch, utf7};

/// As much as is read of a draft, bytes; whoever gets that much must take it for too large.
const DRAFT_BYTES_MAX: u32 = 32 * 1024 * 1024;
const NO_UIDPLUS: &str = "the server has no UIDPLUS, so nothing can be removed safely";

/// Does what needs no UID of the folder; `None` where the change is of another kind.
pub(super) async fn wherever(
    session: &mut Session,
    change: &Change,
) -> Result<Option<Outcome>, Error> {
    let folder = &change.folder;
    Ok(match &change.action {
        Action::Find { message_id } => Some(find(session, folder, message_id).await?),
        Action::Append { unless_there, message } => {
            Some(append(session, folder, unless_there.as_deref(), message).await?)
        }
        Action::Remove { message_id, trash: Some(trash) } => {
            Some(remove_by_way_of(session, folder, message_id, trash).await?)
        }
        Action::Flags { .. } | Action::MoveTo(_) | Action::Read | Action::Remove { .. } => None,
    })
}

/// Reads a message of the open folder.
pub(super) async fn read(session: &mut Session, uids: &[u32]) -> Result<Outcome, Error> {
    let Some(uid) = uids.first() else { return Ok(Outcome::Read(None)) };
    let mut raw = None;
    let command = format!("UID FETCH {uid} (UID BODY.PEEK[]<0.{DRAFT_BYTES_MAX}>)");
    session
        .exec(&command, |response| {
            if let Some(row) = fetch::row(response).filter(|row| row.uid == Some(*uid)) {
                raw = row.raw.filter(|raw| !raw.is_empty()).or(raw.take());
            }
        })
        .await?;
    Ok(Outcome::Read(raw))
}

async fn find(session: &mut Session, folder: &str, message_id: &str) -> Result<Outcome, Error> {
    let found = look(session, folder, message_id).await?;
    // It was opened for reading only, and whoever writes there next has to open it anew.
    let uidvalidity = session.selected.take().map_or(0, |selected| selected.uidvalidity);
    Ok(Outcome::Lies(found.map(|(uid, _)| (uidvalidity, uid))))
}

async fn append(
    session: &mut Session,
    folder: &str,
    unless_there: Option<&str>,
    message: &[u8],
) -> Result<Outcome, Error> {
    if !session.can("UIDPLUS") {
        return Ok(Outcome::Refused(NO_UIDPLUS.to_owned()));
    }
    if let Some(message_id) = unless_there
        && let Outcome::Lies(Some(there)) = find(session, folder, message_id).await?
    {
        return Ok(Outcome::Lies(Some(there)));
    }
    // A draft, so that whoever moves it to Drafts can go on writing.
    let command = format!("APPEND {} (\\Draft)", utf7::quoted(folder));
    let done = session.exec_literal(&command, message).await?;
    Ok(Outcome::Lies(done.appended))
}

/// Removes a message from the open folder.
pub(super) async fn remove(
    session: &mut Session,
    uids: &[u32],
    message_id: &str,
) -> Result<Outcome, Error> {
    if !session.can("UIDPLUS") {
        return Ok(Outcome::Refused(NO_UIDPLUS.to_owned()));
    }
    for uid in uids {
        if is_named(session, *uid, message_id).await? {
            expunge(session, *uid).await?;
        }
    }
    Ok(Outcome::Done(None))
}

/// G56, G58: below a label only the label would be removed.
async fn remove_by_way_of(
    session: &mut Session,
    folder: &str,
    message_id: &str,
    trash: &str,
) -> Result<Outcome, Error> {
    if let Some((uid, _)) = look(session, folder, message_id).await? {
        session.select(folder, Access::ReadWrite).await?;
        transfer(session, "UID MOVE", &uid.to_string(), trash).await?;
    }
    if let Some((uid, _)) = look(session, trash, message_id).await? {
        session.select(trash, Access::ReadWrite).await?;
        expunge(session, uid).await?;
    }
    Ok(Outcome::Done(None))
}

/// Whether the message of the open folder is the one that is meant.
async fn is_named(session: &mut Session, uid: u32, message_id: &str) -> Result<bool, Error> {
    let mut named = false;
    let command = format!("UID FETCH {uid} (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
    session
        .exec(&command, |response| {
            let Some(row) = fetch::row(response).filter(|row| row.uid == Some(uid)) else { return };
            named |= row.raw.is_some_and(|raw| ids(&raw).iter().any(|id| id == message_id));
        })
        .await?;
    Ok(named)
}

async fn expunge(session: &mut Session, uid: u32) -> Result<(), Error> {
    session.run(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")).await?;
    session.run(&format!("UID EXPUNGE {uid}")).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::show::show;
    use super::*;
    use crate::imap::connect::tests::session;

    fn change(action: Action) -> Change {
        Change { folder: "Baton/Outbox".to_owned(), uidvalidity: 9, uids: vec![3], action }
    }

    fn removal() -> Change {
        change(Action::Remove { message_id: "1@baton".into(), trash: None })
    }

    #[tokio::test]
    async fn only_what_baton_put_there_is_removed() {
        let (mut session, script) = session(
            "UIDPLUS",
            "C: A0003 SELECT \"Baton/Outbox\"\nS: * OK [UIDVALIDITY 9] ok\nS: A0003 OK\n\
             C: A0004 UID FETCH 3 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n\
             S: * 1 FETCH (UID 3 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <2@client>\")\nS: A0004 OK\n\
             C: A0005 UID FETCH 3 (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])\n\
             S: * 1 FETCH (UID 3 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <1@baton>\")\nS: A0005 OK\n\
             C: A0006 UID STORE 3 +FLAGS.SILENT (\\Deleted)\nS: A0006 OK\n\
             C: A0007 UID EXPUNGE 3\nS: A0007 OK",
        )
        .await;
        for _ in 0..2 {
            assert_eq!(show(&mut session, &removal()).await.unwrap(), Outcome::Done(None));
        }
        script.played().await;
    }

    #[tokio::test]
    async fn without_uidplus_nothing_is_put_there_that_could_not_be_taken_away() {
        let (mut session, script) = session("", "").await;
        let append = Action::Append { unless_there: None, message: b"x".to_vec() };
        let refused = show(&mut session, &change(append)).await.unwrap();
        assert_eq!(refused, Outcome::Refused(NO_UIDPLUS.to_owned()));
        script.played().await;
    }

    #[tokio::test]
    async fn a_copy_that_is_there_is_not_added_again() {
        let (mut session, script) = session(
            "UIDPLUS",
            "C: A0003 EXAMINE \"Baton/Outbox\"\nS: * OK [UIDVALIDITY 9] ok\nS: * OK [UIDNEXT 4] ok\nS: A0003 OK\n\
             C: A0004 UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID X-MICROSOFT-ORIGINAL-MESSAGE-ID X-GOOGLE-ORIGINAL-MESSAGE-ID)])\n\
             S: * 1 FETCH (UID 3 BODY[HEADER.FIELDS (MESSAGE-ID)] \"Message-ID: <1@baton>\")\nS: A0004 OK",
        )
        .await;
        let unless_there = Some("1@baton".into());
        let append = Action::Append { unless_there, message: b"x".to_vec() };
        let there = show(&mut session, &change(append)).await.unwrap();
        assert_eq!(there, Outcome::Lies(Some((9, 3))));
        script.played().await;
    }
}
