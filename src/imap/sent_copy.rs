//! The copy of a mail of ours in the folder for sent mail: is it there, and if not, it is put there.
//!
//! Providers file copies, or not, and later than they took the mail (M95 to M98). A copy is known by the Message-ID that
//! Baton gave the mail: in its field, or in those in which providers keep it when they give another (M100).

use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::session::Session;
use super::{Cursor, arrivals, fetch, turn, utf7};

/// How many messages of the folder are looked through: the newest.
const LOOKED_THROUGH_MAX: u32 = 500;
/// The fields that hold a Message-ID of the mail itself; those of mails that it answers are none.
const FIELDS: [&str; 3] =
    ["message-id", "x-microsoft-original-message-id", "x-google-original-message-id"];

/// The Message-ID that the copy of a mail has in the folder, which need not be the one that it is looked for by; `None` when
/// there is no copy. All without angle brackets.
///
/// # Errors
/// When there is no connection, or the folder cannot be opened.
pub async fn find_copy(
    settings: &Settings,
    folder: &str,
    message_id: &str,
) -> Result<Option<String>, Error> {
    let _turn = turn::take(settings).await?;
    let mut session = connect(settings).await?;
    let found = look(&mut session, folder, message_id).await?;
    session.logout().await;
    Ok(found.map(|(_, id)| id))
}

/// Adds a copy where none is. Safe to repeat.
///
/// # Errors
/// As [`find_copy`], and when the server does not take the message.
pub async fn add_copy(
    settings: &Settings,
    folder: &str,
    message_id: &str,
    mail: &[u8],
) -> Result<(), Error> {
    let _turn = turn::take(settings).await?;
    let mut session = connect(settings).await?;
    if look(&mut session, folder, message_id).await?.is_none() {
        // Read already: it is our own.
        let command = format!("APPEND {} (\\Seen)", utf7::quoted(folder));
        session.exec_literal(&command, mail).await?;
    }
    session.logout().await;
    Ok(())
}

/// The UID of a message with this Message-ID in the folder, among the newest, and the Message-ID that it has there. The
/// folder is open then.
pub(super) async fn look(
    session: &mut Session,
    folder: &str,
    message_id: &str,
) -> Result<Option<(u32, String)>, Error> {
    let selected = session.select(folder, Access::ReadOnly).await?;
    let next = arrivals::next_uid(session, &selected, &Cursor::default()).await?;
    let first = next.saturating_sub(LOOKED_THROUGH_MAX).max(1);
    let fields = FIELDS.map(str::to_ascii_uppercase).join(" ");
    let command = format!("UID FETCH {first}:* (UID BODY.PEEK[HEADER.FIELDS ({fields})])");
    let mut found = None;
    session
        .exec(&command, |response| {
            let Some(row) = fetch::row(response) else { return };
            let ids = ids(&row.raw.unwrap_or_default());
            if ids.iter().any(|id| id == message_id) {
                found = row.uid.zip(ids.into_iter().next());
            }
        })
        .await?;
    Ok(found)
}

/// The ids in the fields, the message's own first.
pub(super) fn ids(header: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(header).replace("\r\n ", " ").replace("\r\n\t", " ");
    let of = |name: &str| {
        let is_it = |line: &&str| {
            line.split_once(':').is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        };
        let id = |line: &str| {
            let (_, after) = line.split_once('<')?;
            Some(after.split_once('>')?.0.trim().to_owned())
        };
        text.lines().filter(is_it).filter_map(id).collect::<Vec<String>>()
    };
    FIELDS.iter().flat_map(|name| of(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_known_by_either_id() {
        let kept = b"Message-ID: <1@baton>\r\n\r\n";
        assert_eq!(ids(kept), ["1@baton"]);
        let given =
            b"X-Microsoft-Original-Message-ID:\r\n <1@baton>\r\nMessage-ID: <x@outlook>\r\n\r\n";
        assert_eq!(ids(given), ["x@outlook", "1@baton"]);
        assert!(ids(b"References: <1@baton>\r\n").is_empty());
    }
}
