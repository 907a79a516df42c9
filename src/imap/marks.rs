//! How the messages of a set are marked: asked for, asked for again where an answer left something out, and compared.
//!
//! Where to start: [`told`]. Who decides which messages to ask about is in `catch_up.rs` and `compare.rs`.

use std::collections::{BTreeSet, HashMap};

use async_imap::imap_proto::Response;

use super::error::Error;
use super::session::Session;
use super::{Changes, fetch, uid_set};

/// The messages that a FETCH named, and how each is marked, where it told.
pub(super) type There = HashMap<u32, Option<Vec<String>>>;

/// How the messages of a set are marked, and what is gone, as far as the server tells that (RFC 7162).
pub(super) async fn told(
    session: &mut Session,
    set: &str,
    since: &str,
) -> Result<(There, Vec<(u32, u32)>), Error> {
    let (items, labels) = (session.marks(), session.labels);
    let mut there = There::new();
    let mut gone: Vec<(u32, u32)> = Vec::new();
    let command = format!("UID FETCH {set} (UID {items}){since}");
    session
        .exec(&command, |response| match response {
            Response::Vanished { uids, .. } => {
                gone.extend(uids.iter().map(|range| (*range.start(), *range.end())));
            }
            response => keep(&mut there, response, labels),
        })
        .await?;
    if labels {
        let silent = there.iter().filter(|(_, marks)| marks.is_none()).map(|(uid, _)| *uid);
        let silent: BTreeSet<u32> = silent.collect();
        let again = |uid, row: fetch::Row| drop(there.insert(uid, row.marks(true)));
        ask_again(session, silent, &format!("UID {items}"), again).await?;
    }
    Ok((there, gone))
}

/// Asks once more for the labels of messages of which a response left them out (G43). What still tells none is lost for
/// this look: better a connection begun anew than a message taken for one without labels.
pub(super) async fn ask_again(
    session: &mut Session,
    mut left: BTreeSet<u32>,
    items: &str,
    mut on: impl FnMut(u32, fetch::Row) + Send,
) -> Result<(), Error> {
    let uids: Vec<u32> = left.iter().copied().collect();
    for (set, _) in uid_set::sets(&uids) {
        let take = |response: &Response<'_>| {
            let Some(row) = fetch::row(response) else { return };
            if let Some(uid) = row.uid
                && row.clone().marks(true).is_some()
                && left.remove(&uid)
            {
                on(uid, row);
            }
        };
        session.exec(&format!("UID FETCH {set} ({items})"), take).await?;
    }
    match left.first() {
        None => Ok(()),
        Some(uid) => {
            Err(session.who.lost(format!("it told no labels of the message with UID {uid}")))
        }
    }
}

/// A message is there even where the response does not say how it is marked.
fn keep(there: &mut There, response: &Response<'_>, labels: bool) {
    let Some(row) = fetch::row(response) else { return };
    if let Some(uid) = row.uid {
        let known = there.entry(uid).or_default();
        *known = row.marks(labels).or(known.take());
    }
}

/// What is known and what is there, of the same messages: whoever calls this has asked for every one that is known.
pub(super) fn difference(known: &[(u32, Vec<String>)], mut there: There, out: &mut Changes) {
    for (uid, then) in known {
        match there.remove(uid) {
            None => out.vanished.push(*uid),
            Some(Some(now)) if !same(then, &now) => out.flags.push((*uid, now)),
            Some(_) => {}
        }
    }
}

/// Flags are a set, and case does not matter (RFC 3501, section 2.3.2).
fn same(then: &[String], now: &[String]) -> bool {
    let within = |a: &[String], b: &[String]| {
        a.iter().all(|flag| b.iter().any(|other| other.eq_ignore_ascii_case(flag)))
    };
    within(then, now) && within(now, then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_what_changed_and_what_is_gone() {
        let flags = |list: &[&str]| list.iter().map(|flag| flag.to_string()).collect::<Vec<_>>();
        let known =
            [(1, flags(&["\\Seen", "a"])), (2, flags(&[])), (3, flags(&["b"])), (4, flags(&["b"]))];
        let there = HashMap::from([
            (1, Some(flags(&["A", "\\Seen"]))),
            (2, Some(flags(&["\\Flagged"]))),
            (4, Some(flags(&[]))),
            (5, None),
        ]);
        let mut changes = Changes::default();
        difference(&known, there, &mut changes);
        assert_eq!(changes.flags, [(2, flags(&["\\Flagged"])), (4, flags(&[]))]);
        assert_eq!(changes.vanished, [3]);
    }
}
