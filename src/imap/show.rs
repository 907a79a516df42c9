//! The only writer: makes the mailbox show what was decided.
//!
//! A [`Change`] sets and takes off flags, or moves messages; [`append`] adds what Baton wrote itself. `\Seen` and `\Deleted` are
//! refused as marks. Where the server has no MOVE, a message is copied and then exactly its original is expunged, which
//! needs UIDPLUS. A refusal is an outcome and keeps the connection; only a lost connection is an error.

use async_imap::imap_proto::{Response, Status};

use super::answer::{self, Copied};
use super::connect::{Settings, connect};
use super::error::Error;
use super::session::{Access, Session};
use super::{Action, Change, Outcome, leaving, uid_set, utf7};
use crate::desk::label;

/// Carries out one change.
pub(super) async fn show(session: &mut Session, change: &Change) -> Result<Outcome, Error> {
    match carry_out(session, change).await {
        Ok(outcome) => Ok(outcome),
        Err(Error::Refused { answer, .. }) => Ok(Outcome::Refused(answer)),
        Err(error) => Err(error),
    }
}

async fn carry_out(session: &mut Session, change: &Change) -> Result<Outcome, Error> {
    if let Some(problem) = forbidden(&change.action) {
        return Ok(Outcome::Refused(problem));
    }
    if let Some(outcome) = leaving::wherever(session, change).await? {
        return Ok(outcome);
    }
    if !open(session, change).await? {
        return Ok(Outcome::Stale);
    }
    match &change.action {
        Action::Flags { add, remove } => {
            store(session, &change.uids, '+', add).await?;
            store(session, &change.uids, '-', remove).await?;
            Ok(Outcome::Done(None))
        }
        Action::MoveTo(target) => move_to(session, &change.uids, target).await,
        Action::Read => leaving::read(session, &change.uids).await,
        Action::Remove { message_id, .. } => {
            leaving::remove(session, &change.uids, message_id).await
        }
        // Done already: they need no UIDVALIDITY.
        Action::Find { .. } | Action::Append { .. } => Ok(Outcome::Done(None)),
    }
}

/// Opens the folder; `false` when it is gone, or another one by now.
async fn open(session: &mut Session, change: &Change) -> Result<bool, Error> {
    let open = session.selected.as_ref().filter(|selected| selected.folder == change.folder);
    let uidvalidity = match open {
        Some(selected) => selected.uidvalidity,
        None => match session.select(&change.folder, Access::ReadWrite).await {
            Ok(selected) => selected.uidvalidity,
            Err(Error::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error),
        },
    };
    Ok(uidvalidity == change.uidvalidity)
}

/// Marks that Baton never writes, and words that are no marks.
fn forbidden(action: &Action) -> Option<String> {
    let Action::Flags { add, remove } = action else { return None };
    let atom = |flag: &str| {
        let word = flag.strip_prefix('\\').unwrap_or(flag);
        let inside = |byte: u8| byte.is_ascii_graphic() && !b"(){%*\"\\]".contains(&byte);
        !word.is_empty() && word.bytes().all(inside)
    };
    let never = ["\\Seen", "\\Deleted", "\\Recent"];
    add.iter().chain(remove).find_map(|flag| {
        let never = never.iter().any(|never| never.eq_ignore_ascii_case(flag));
        // Gmail's own labels file a message: adding `\Trash` would throw it away (G40).
        let fits = label::label(flag).map_or_else(|| atom(flag), |label| !label.starts_with('\\'));
        (never || !fits).then(|| format!("`{flag}` is no mark that Baton writes"))
    })
}

async fn store(
    session: &mut Session,
    uids: &[u32],
    sign: char,
    flags: &[String],
) -> Result<(), Error> {
    let labels: Vec<String> = flags.iter().filter_map(|flag| label::label(flag)).collect();
    let labels: Vec<String> = labels.iter().map(|label| utf7::quoted(label)).collect();
    let flags: Vec<String> =
        flags.iter().filter(|flag| label::label(flag).is_none()).cloned().collect();
    // G38: only ever with a sign; without one, all labels of the message would be replaced.
    for (item, words) in [("X-GM-LABELS", labels), ("FLAGS", flags)] {
        if words.is_empty() {
            continue;
        }
        let words = words.join(" ");
        for (set, _) in uid_set::sets(uids) {
            session.run(&format!("UID STORE {set} {sign}{item}.SILENT ({words})")).await?;
        }
    }
    Ok(())
}

async fn move_to(session: &mut Session, uids: &[u32], target: &str) -> Result<Outcome, Error> {
    let by_move = session.can("MOVE");
    if !by_move && !session.can("UIDPLUS") {
        let why = "the server has neither MOVE nor UIDPLUS, so nothing can be moved safely";
        return Ok(Outcome::Refused(why.to_owned()));
    }
    let mut all: Option<Copied> = None;
    for (set, _) in uid_set::sets(uids) {
        let copied = if by_move {
            transfer(session, "UID MOVE", &set, target).await?
        } else {
            let copied = transfer(session, "UID COPY", &set, target).await?;
            // RFC 3501, section 6.4.7: COPY is all or nothing, so these originals are spare now.
            session.run(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
            session.run(&format!("UID EXPUNGE {set}")).await?;
            copied
        };
        match (&mut all, copied) {
            (Some((_, pairs)), Some((_, more))) => pairs.extend(more),
            (None, copied) => all = copied,
            (Some(_), None) => {}
        }
    }
    Ok(Outcome::Done(all))
}

/// Moves or copies a set. A target that is missing is created, once.
pub(super) async fn transfer(
    session: &mut Session,
    verb: &str,
    set: &str,
    target: &str,
) -> Result<Option<Copied>, Error> {
    match transfer_once(session, verb, set, target).await {
        Err(Error::Refused { code: Some(code), .. })
            if code == "TRYCREATE" || code == "NONEXISTENT" =>
        {
            create(session, target).await?;
            transfer_once(session, verb, set, target).await
        }
        result => result,
    }
}

async fn transfer_once(
    session: &mut Session,
    verb: &str,
    set: &str,
    target: &str,
) -> Result<Option<Copied>, Error> {
    let mut told = None;
    // RFC 6851, section 4.3: MOVE tells COPYUID in an untagged OK; RFC 4315: COPY in the tagged one.
    let keep = |response: &Response<'_>| {
        if let Response::Data { status: Status::Ok, outcome } = response
            && let Some(copied) = outcome.code.as_ref().and_then(answer::copied)
        {
            told = Some(copied);
        }
    };
    let done = session.exec(&format!("{verb} {set} {}", utf7::quoted(target)), keep).await?;
    Ok(done.copied.or(told))
}

/// Adds a message of Baton's own to a folder, with a visit of its own. Answers what the server told of its place
/// (APPENDUID, RFC 4315): UIDVALIDITY and UID.
///
/// Not safe to repeat: whoever is not sure that it was done looks for the Message-ID first.
pub async fn append(
    settings: &Settings,
    folder: &str,
    flags: &[&str],
    message: &[u8],
) -> Result<Option<(u32, u32)>, Error> {
    let mut session = connect(settings).await?;
    let command = format!("APPEND {} ({})", utf7::quoted(folder), flags.join(" "));
    let done = session.exec_literal(&command, message).await?;
    session.logout().await;
    Ok(done.appended)
}

/// Makes a folder and subscribes to it, so that mail programs show it. A folder that exists is success.
pub(super) async fn create(session: &mut Session, folder: &str) -> Result<(), Error> {
    let name = utf7::quoted(folder);
    match session.run(&format!("CREATE {name}")).await {
        Ok(_) => tracing::info!(folder, "created the folder {folder}"),
        Err(Error::Refused { code, answer, .. }) if exists(code.as_deref(), &answer) => {}
        Err(error) => return Err(error),
    }
    match session.run(&format!("SUBSCRIBE {name}")).await {
        // Only a convenience.
        Ok(_) | Err(Error::Refused { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

/// RFC 5530 has ALREADYEXISTS; Exchange only says so in words.
fn exists(code: Option<&str>, answer: &str) -> bool {
    code == Some("ALREADYEXISTS") || answer.to_ascii_lowercase().contains("already exists")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::session;

    fn change(action: Action) -> Change {
        Change { folder: "INBOX".to_owned(), uidvalidity: 9, uids: vec![3, 4], action }
    }

    fn flags(add: &[&str], remove: &[&str]) -> Action {
        let own = |list: &[&str]| list.iter().map(|flag| flag.to_string()).collect();
        Action::Flags { add: own(add), remove: own(remove) }
    }

    #[tokio::test]
    async fn a_move_answers_the_new_uids_from_the_untagged_line() {
        let (mut session, script) = session(
            "MOVE UIDPLUS",
            "C: A0003 SELECT \"INBOX\"\nS: * 2 EXISTS\nS: * OK [UIDVALIDITY 9] ok\nS: A0003 OK\n\
             C: A0004 UID MOVE 3:4 \"Baton/J&APw-rgen\"\nS: * OK [COPYUID 7 3:4 20,25] Moved\n\
             S: * 1 EXPUNGE\nS: * 1 EXPUNGE\nS: A0004 OK [HIGHESTMODSEQ 5] done",
        )
        .await;
        let outcome = show(&mut session, &change(Action::MoveTo("Baton/Jürgen".to_owned()))).await;
        assert_eq!(outcome.unwrap(), Outcome::Done(Some((7, vec![(3, 20), (4, 25)]))));
        script.played().await;
    }

    #[tokio::test]
    async fn without_move_exactly_the_originals_are_expunged() {
        let (mut session, script) = session(
            "UIDPLUS",
            "C: A0003 SELECT \"INBOX\"\nS: * OK [UIDVALIDITY 9] ok\nS: A0003 OK\n\
             C: A0004 UID COPY 3:4 \"Baton\"\nS: A0004 NO [TRYCREATE] no such folder\n\
             C: A0005 CREATE \"Baton\"\nS: A0005 OK\nC: A0006 SUBSCRIBE \"Baton\"\nS: A0006 OK\n\
             C: A0007 UID COPY 3:4 \"Baton\"\nS: A0007 OK [COPYUID 7 3:4 1:2] done\n\
             C: A0008 UID STORE 3:4 +FLAGS.SILENT (\\Deleted)\nS: A0008 OK\n\
             C: A0009 UID EXPUNGE 3:4\nS: A0009 OK",
        )
        .await;
        let outcome = show(&mut session, &change(Action::MoveTo("Baton".to_owned()))).await;
        assert_eq!(outcome.unwrap(), Outcome::Done(Some((7, vec![(3, 1), (4, 2)]))));
        script.played().await;
    }

    #[tokio::test]
    async fn a_refusal_is_an_outcome_and_the_session_lives_on() {
        let (mut session, script) = session(
            "",
            "C: A0003 SELECT \"INBOX\"\nS: * OK [UIDVALIDITY 9] ok\nS: A0003 OK\n\
             C: A0004 UID STORE 3:4 +FLAGS.SILENT (baton-ana)\nS: A0004 BAD Command Argument Error. 11\n\
             C: A0005 UID STORE 3:4 +FLAGS.SILENT (\\Flagged)\nS: A0005 OK\n\
             C: A0006 UID STORE 3:4 -FLAGS.SILENT (x)\nS: A0006 OK",
        )
        .await;
        let refused = show(&mut session, &change(flags(&["baton-ana"], &[]))).await.unwrap();
        assert_eq!(refused, Outcome::Refused("Command Argument Error. 11".to_owned()));
        let done = show(&mut session, &change(flags(&["\\Flagged"], &["x"]))).await.unwrap();
        assert_eq!(done, Outcome::Done(None));
        script.played().await;
    }

    #[tokio::test]
    async fn a_folder_with_other_uids_is_not_written_to() {
        let (mut session, script) =
            session("", "C: A0003 SELECT \"INBOX\"\nS: * OK [UIDVALIDITY 10] ok\nS: A0003 OK")
                .await;
        let stale = show(&mut session, &change(flags(&["x"], &[]))).await.unwrap();
        assert_eq!(stale, Outcome::Stale);
        script.played().await;
    }

    #[test]
    fn seen_is_never_written() {
        assert!(forbidden(&flags(&["\\seen"], &[])).is_some());
        assert!(forbidden(&flags(&[], &["\\Deleted"])).is_some());
        assert!(forbidden(&flags(&["x) (y"], &[])).is_some());
        assert!(forbidden(&flags(&["baton-ana", "\\Flagged"], &["$Junk"])).is_none());
        assert!(forbidden(&Action::MoveTo("x".to_owned())).is_none());
    }
}
