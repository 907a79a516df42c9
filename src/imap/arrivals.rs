//! New messages of one folder: outlines first, then contents in batches.
//!
//! The outline (flags, date, size) decides how much of a message is fetched: history and drafts give their headers,
//! everything else its body up to a bound. A message that the server will not give is told as one without content; it
//! is never left out in silence.

use std::collections::{BTreeMap, BTreeSet};

use async_imap::imap_proto::Response;

use super::catch_up::Begun;
use super::connect::Settings;
use super::error::Error;
use super::session::{Selected, Session};
use super::{
    BODY_BYTES_MAX, Batch, Cursor, Depth, Listed, Memory, Role, Sighting, fetch, marks, uid_set,
};
use crate::desk::budget::Reading;

/// How many UIDs are asked for at a time; four times as many after each window without a message.
const WINDOW: u32 = 1_000;
const WINDOW_GROWTH: u32 = 4;
/// The most messages of one batch.
const BATCH_COUNT_MAX: usize = 200;
/// The most bytes of one batch, as the server estimates them.
const BATCH_BYTES_MAX: u64 = 8 * 1024 * 1024;
/// How many messages that arrive while we wait are fetched at once; with more of them the usual way is as quick.
const FEW: u32 = 10;
/// What a header is reckoned to be.
const HEADER_BYTES: u32 = 8 * 1024;

/// The UID that the next new message will have.
pub(super) async fn next_uid(
    session: &mut Session,
    selected: &Selected,
    cursor: &Cursor,
) -> Result<u32, Error> {
    if let Some(next) = selected.uidnext {
        return Ok(next);
    }
    let same = cursor.uidvalidity == selected.uidvalidity;
    let mut next = if same { cursor.next_uid.max(1) } else { 1 };
    if 0 < selected.exists {
        session
            .exec("UID FETCH * (UID)", |response| {
                let uid = fetch::row(response).and_then(|row| row.uid).unwrap_or(0);
                next = next.max(uid.saturating_add(1));
            })
            .await?;
    }
    Ok(next)
}

/// Reads every message from the cursor to the end the folder had when it was opened. Where history has to wait for another
/// day, answers the UID from which on it waits.
pub(super) async fn read<M: Memory>(
    session: &mut Session,
    memory: &mut M,
    settings: &Settings,
    folder: &Listed,
    selected: &Selected,
    Begun { cursor, anew }: Begun,
) -> Result<Option<u32>, Error> {
    let end = selected.uidnext.unwrap_or(cursor.next_uid);
    let (mut next, mut kept) = (cursor.next_uid, 0);
    let mut window = WINDOW;
    // While the memory keeps one batch, the server is asked for the next. No more than these two are held.
    let mut fetched: Option<Batch> = None;
    while next < end {
        let last = next.saturating_add(window - 1).min(end - 1);
        let window_asked = Asked::Window(next, last);
        let asked = outlines(session, settings, &window_asked);
        let (outlines, done) = tokio::join!(asked, keep(memory, fetched.take()));
        done?;
        let outlines = outlines?;
        window = if outlines.is_empty() { window.saturating_mul(WINDOW_GROWTH) } else { WINDOW };
        for batch in batches(&outlines, settings, folder.role) {
            let history = batch.iter().any(|(outline, _)| outline.arrived_at < settings.since);
            if history && session.reading(memory).await? == Reading::NewMail {
                keep(memory, fetched).await?;
                return Ok(Some(kept.max(cursor.next_uid)));
            }
            let asked = contents(session, &batch);
            let (sightings, done) = tokio::join!(asked, keep(memory, fetched.take()));
            done?;
            kept = batch.last().map_or(next, |(outline, _)| outline.uid.saturating_add(1));
            fetched = Some(of(selected, sightings?, kept));
        }
        next = last + 1;
    }
    keep(memory, fetched).await?;
    // Also tells of a folder that is empty, or whose last messages are gone again.
    if kept != end && (anew || cursor.next_uid < end) {
        keep(memory, Some(of(selected, Vec::new(), end.max(1)))).await?;
    }
    Ok(None)
}

pub(super) fn of(selected: &Selected, sightings: Vec<Sighting>, next_uid: u32) -> Batch {
    let (folder, uidvalidity) = (selected.folder.clone(), selected.uidvalidity);
    Batch { folder, uidvalidity, sightings, next_uid }
}

pub(super) async fn keep<M: Memory>(memory: &mut M, batch: Option<Batch>) -> Result<(), Error> {
    let Some(batch) = batch else { return Ok(()) };
    let (folder, next_uid) = (&batch.folder, batch.next_uid);
    tracing::debug!(folder, count = batch.sightings.len(), next_uid, "new messages were read");
    memory.sighted(batch).await.map_err(Error::Memory)
}

/// A few new messages of the folder that is open, whole and with one command, as soon as the server announced that there
/// are `exists` messages now. `None` where that is no good: too many, too little known of the folder, or an answer that
/// is refused or incomplete. A look at the folder then does it step by step; it comes in any case.
pub(super) async fn few(
    session: &mut Session,
    known: &Selected,
    exists: u32,
) -> Result<Option<Batch>, Error> {
    let open = session.selected.as_ref();
    let waits = session.waiting.contains(&known.folder);
    let same = !waits
        && open.is_some_and(|open| {
            open.folder == known.folder && open.uidvalidity == known.uidvalidity
        });
    let count = exists.saturating_sub(known.exists);
    let Some(next) = known.uidnext.filter(|_| same && 0 < count && count <= FEW) else {
        return Ok(None);
    };
    let labels = session.labels;
    let what = format!("({} BODY.PEEK[]<0.{BODY_BYTES_MAX}>)", outline_items(session));
    let mut found: BTreeMap<u32, Option<Sighting>> = BTreeMap::new();
    let take = |response: &Response<'_>| {
        let Some(row) = fetch::row(response) else { return };
        // `*` is the last message, also where that is an old one.
        let Some(uid) = row.uid.filter(|uid| next <= *uid) else { return };
        found.insert(uid, whole(uid, row, labels));
    };
    match session.exec(&format!("UID FETCH {next}:* {what}"), take).await {
        Ok(_) => {}
        Err(Error::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    let Some((last, _)) = found.last_key_value() else { return Ok(None) };
    let next_uid = last.saturating_add(1);
    let sightings: Option<Vec<Sighting>> = found.into_values().collect();
    Ok(sightings.map(|sightings| of(known, sightings, next_uid)))
}

/// A message of which everything was told.
fn whole(uid: u32, mut row: fetch::Row, labels: bool) -> Option<Sighting> {
    let raw = row.raw.take().filter(|raw| !raw.is_empty())?;
    let (arrived_at, size, gmail) = (row.arrived_at?, row.size?, row.gmail_ids());
    if labels && gmail.is_none() {
        return None;
    }
    let flags = row.marks(labels)?;
    Some(Sighting { uid, flags, gmail, arrived_at, size, depth: Depth::Body, raw })
}

/// What is asked of every message before its content.
fn outline_items(session: &Session) -> &'static str {
    match session.labels {
        true => "UID FLAGS X-GM-LABELS X-GM-MSGID X-GM-THRID INTERNALDATE RFC822.SIZE",
        false => "UID FLAGS INTERNALDATE RFC822.SIZE",
    }
}

/// A message without its content. `raw` is filled in later.
pub(super) type Outline = Sighting;

/// Which messages are asked for.
pub(super) enum Asked<'a> {
    /// Those from one UID to another.
    Window(u32, u32),
    /// A set, and the UIDs that are wanted, in order.
    Set(&'a str, &'a [u32]),
}

impl Asked<'_> {
    fn set(&self) -> String {
        match self {
            Asked::Window(first, last) => format!("{first}:{last}"),
            Asked::Set(set, _) => (*set).to_owned(),
        }
    }

    fn has(&self, uid: u32) -> bool {
        match self {
            Asked::Window(first, last) => (*first..=*last).contains(&uid),
            Asked::Set(_, uids) => uids.binary_search(&uid).is_ok(),
        }
    }
}

pub(super) async fn outlines(
    session: &mut Session,
    settings: &Settings,
    asked: &Asked<'_>,
) -> Result<Vec<Outline>, Error> {
    let mut found: BTreeMap<u32, Outline> = BTreeMap::new();
    let labels = session.labels;
    let command = format!("UID FETCH {} ({})", asked.set(), outline_items(session));
    let mut unlabelled: BTreeSet<u32> = BTreeSet::new();
    session
        .exec(&command, |response| {
            let Some(row) = fetch::row(response) else { return };
            let Some(uid) = row.uid.filter(|uid| asked.has(*uid)) else { return };
            // A change of flags may be told between the lines that were asked for.
            let outline = found.entry(uid).or_insert_with(|| Outline {
                uid,
                flags: Vec::new(),
                gmail: None,
                // A date that cannot be read must not make a message history.
                arrived_at: settings.since,
                size: 0,
                depth: Depth::Body,
                raw: Vec::new(),
            });
            outline.arrived_at = row.arrived_at.unwrap_or(outline.arrived_at);
            outline.size = row.size.unwrap_or(outline.size);
            outline.gmail = row.gmail_ids().or(outline.gmail);
            match row.marks(labels) {
                Some(marks) => outline.flags = marks,
                None if labels => drop(unlabelled.insert(uid)),
                None => {}
            }
        })
        .await?;
    let again = |uid: u32, row: fetch::Row| {
        if let Some(outline) = found.get_mut(&uid) {
            outline.gmail = row.gmail_ids().or(outline.gmail);
            outline.flags = row.marks(labels).unwrap_or_default();
        }
    };
    marks::ask_again(session, unlabelled, outline_items(session), again).await?;
    Ok(found.into_values().collect())
}

/// Cuts outlines, in order, into what is fetched together.
pub(super) fn batches<'a>(
    outlines: &'a [Outline],
    settings: &Settings,
    role: Role,
) -> Vec<Vec<(&'a Outline, Depth)>> {
    let mut batches: Vec<Vec<(&Outline, Depth)>> = Vec::new();
    let mut bytes = u64::MAX;
    for outline in outlines {
        let history = outline.arrived_at < settings.since;
        let (depth, cost) = match history || role == Role::Drafts {
            true => (Depth::Header, outline.size.min(HEADER_BYTES)),
            false => (Depth::Body, outline.size.min(BODY_BYTES_MAX)),
        };
        bytes = bytes.saturating_add(u64::from(cost));
        match batches.last_mut() {
            Some(batch) if bytes <= BATCH_BYTES_MAX && batch.len() < BATCH_COUNT_MAX => {
                batch.push((outline, depth));
            }
            _ => {
                bytes = u64::from(cost);
                batches.push(vec![(outline, depth)]);
            }
        }
    }
    batches
}

/// Fetches the contents of one batch. Messages that are gone by now are missing from the answer.
pub(super) async fn contents(
    session: &mut Session,
    batch: &[(&Outline, Depth)],
) -> Result<Vec<Sighting>, Error> {
    let mut raws: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
    for depth in [Depth::Header, Depth::Body] {
        let of = batch.iter().filter(|(_, wanted)| *wanted == depth);
        let uids: Vec<u32> = of.map(|(outline, _)| outline.uid).collect();
        for (set, named) in uid_set::sets(&uids) {
            match fetch_into(session, depth, &set, &mut raws).await {
                Ok(()) => {}
                Err(error) if passes(&error) => return Err(error),
                // Exchange answers NO for a whole FETCH when it cannot render one message of it.
                Err(Error::Refused { .. }) => {
                    one_by_one(session, depth, &named, &mut raws).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }
    let silent: Vec<u32> = batch.iter().map(|(outline, _)| outline.uid).collect();
    let silent: Vec<u32> = silent.into_iter().filter(|uid| !raws.contains_key(uid)).collect();
    let there = still_there(session, &silent).await?;
    let sighting = |(outline, depth): &(&Outline, Depth)| {
        let raw = match raws.remove(&outline.uid) {
            Some(raw) => raw,
            None if there.contains(&outline.uid) => Vec::new(),
            None => return None,
        };
        Some(Sighting { depth: *depth, raw, ..(*outline).clone() })
    };
    Ok(batch.iter().filter_map(sighting).collect())
}

async fn fetch_into(
    session: &mut Session,
    depth: Depth,
    set: &str,
    raws: &mut BTreeMap<u32, Vec<u8>>,
) -> Result<(), Error> {
    let what = match depth {
        Depth::Header => "BODY.PEEK[HEADER]".to_owned(),
        Depth::Body => format!("BODY.PEEK[]<0.{BODY_BYTES_MAX}>"),
    };
    session
        .exec(&format!("UID FETCH {set} (UID {what})"), |response| {
            if let Some(fetch::Row { uid: Some(uid), raw: Some(raw), .. }) = fetch::row(response) {
                raws.insert(uid, raw);
            }
        })
        .await?;
    Ok(())
}

async fn one_by_one(
    session: &mut Session,
    depth: Depth,
    uids: &[u32],
    raws: &mut BTreeMap<u32, Vec<u8>>,
) -> Result<(), Error> {
    for uid in uids {
        if raws.contains_key(uid) {
            continue;
        }
        match fetch_into(session, depth, &uid.to_string(), raws).await {
            Ok(()) => {}
            Err(error) if passes(&error) => return Err(error),
            Err(Error::Refused { answer, .. }) => {
                tracing::warn!(uid, "the server does not give a message: {answer}");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the server says that it only cannot now (RFC 5530): then nothing is taken for unreadable, and the cursor stays.
fn passes(error: &Error) -> bool {
    let Error::Refused { code: Some(code), .. } = error else { return false };
    ["UNAVAILABLE", "INUSE", "LIMIT", "OVERQUOTA"].contains(&code.as_str())
}

/// Which of these messages exist although the server gave nothing of them.
async fn still_there(session: &mut Session, uids: &[u32]) -> Result<BTreeSet<u32>, Error> {
    let mut there = BTreeSet::new();
    for (set, _) in uid_set::sets(uids) {
        session
            .exec(&format!("UID FETCH {set} (UID)"), |response| {
                there.extend(fetch::row(response).and_then(|row| row.uid));
            })
            .await?;
    }
    Ok(there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::imap::connect::tests::session;
    use crate::imap::limit::Limit;
    use crate::imap::trial::settings;

    fn outline(uid: u32, size: u32, arrived_at: Timestamp) -> Outline {
        let (flags, raw) = (Vec::new(), Vec::new());
        Outline { uid, flags, gmail: None, arrived_at, size, depth: Depth::Body, raw }
    }

    #[test]
    fn batches_are_bounded_in_number_and_in_bytes() {
        let settings = settings(0);
        let sizes = |sizes: &[u32]| -> Vec<usize> {
            let outline = |(size, uid): (&u32, u32)| outline(uid, *size, Timestamp(0));
            let outlines: Vec<Outline> = sizes.iter().zip(1..).map(outline).collect();
            batches(&outlines, &settings, Role::Inbox).iter().map(Vec::len).collect()
        };
        assert_eq!(sizes(&[]), [0; 0]);
        assert_eq!(sizes(&[1; 450]), [200, 200, 50]);
        // However big a message is, only its beginning is fetched.
        assert_eq!(sizes(&[u32::MAX; 20]), [16, 4]);
    }

    #[test]
    fn history_and_drafts_give_their_headers() {
        let settings = Settings { since: Timestamp(100), ..settings(0) };
        let depth = |at, role| {
            let outlines = [outline(1, 1, Timestamp(at))];
            batches(&outlines, &settings, role)[0][0].1
        };
        assert_eq!(depth(99, Role::Inbox), Depth::Header);
        assert_eq!(depth(100, Role::Inbox), Depth::Body);
        assert_eq!(depth(100, Role::Drafts), Depth::Header);
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_given_is_told_without_content_and_one_that_is_gone_is_not() {
        let (mut session, script) = session(
            "",
            "C: A0003 UID FETCH 1:4 (UID BODY.PEEK[]<0.524288>)\n\
             S: * 1 FETCH (UID 1 BODY[]<0> \"one\")\nS: A0003 NO Some messages could not be rendered\n\
             C: A0004 UID FETCH 2 (UID BODY.PEEK[]<0.524288>)\nS: A0004 NO not this one\n\
             C: A0005 UID FETCH 3 (UID BODY.PEEK[]<0.524288>)\n\
             S: * 3 FETCH (UID 3 BODY[]<0> NIL)\nS: A0005 OK\n\
             C: A0006 UID FETCH 4 (UID BODY.PEEK[]<0.524288>)\nS: A0006 OK\n\
             C: A0007 UID FETCH 2,4 (UID)\nS: * 2 FETCH (UID 2)\nS: A0007 OK",
        )
        .await;
        let outlines: Vec<Outline> = (1..=4).map(|uid| outline(uid, 3, Timestamp(0))).collect();
        let batch: Vec<(&Outline, Depth)> =
            outlines.iter().map(|outline| (outline, Depth::Body)).collect();
        let sightings = contents(&mut session, &batch).await.unwrap();
        let told: Vec<(u32, &[u8])> =
            sightings.iter().map(|sighting| (sighting.uid, sighting.raw.as_slice())).collect();
        assert_eq!(told, [(1, &b"one"[..]), (2, b""), (3, b"")]);
        script.played().await;
    }

    #[tokio::test]
    async fn what_cannot_be_given_now_is_not_taken_for_unreadable() {
        let (mut session, script) = session(
            "",
            "C: A0003 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\nS: A0003 NO [UNAVAILABLE] storage is away\n\
             C: A0004 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\nS: A0004 NO not rendered\n\
             C: A0005 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\nS: A0005 NO [INUSE] not now",
        )
        .await;
        let one = outline(1, 3, Timestamp(0));
        for _ in 0..2 {
            let refused = contents(&mut session, &[(&one, Depth::Body)]).await;
            assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
        }
        script.played().await;
    }

    /// M58: whoever goes on after a throttled FETCH as if nothing had come loses what did not come.
    #[tokio::test]
    async fn a_throttled_fetch_is_told_and_nothing_of_it_is_taken_for_unreadable() {
        let (mut session, script) = session(
            "",
            "C: A0003 UID FETCH 1:2 (UID BODY.PEEK[]<0.524288>)\n\
             S: * 1 FETCH (UID 1 BODY[]<0> \"one\")\n\
             S: A0003 BAD Request is throttled. Suggested Backoff Time: 9000 milliseconds\n\
             C: A0004 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\nS: A0004 NO not rendered\n\
             C: A0005 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\nS: A0005 NO Server Unavailable. 15\n\
             C: A0006 UID FETCH 1 (UID BODY.PEEK[]<0.524288>)\n\
             S: A0006 NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
        )
        .await;
        let (one, two) = (outline(1, 3, Timestamp(0)), outline(2, 3, Timestamp(0)));
        let both = [(&one, Depth::Body), (&two, Depth::Body)];
        let limits =
            [Limit::Backoff(std::time::Duration::from_secs(9)), Limit::OutOfOrder, Limit::Quota];
        for (limit, batch) in limits.into_iter().zip([&both[..], &both[..1], &both[..1]]) {
            let told = contents(&mut session, batch).await.unwrap_err();
            assert!(
                matches!(told, Error::Limited { limit: found, .. } if found == limit),
                "{told}"
            );
        }
        script.played().await;
    }

    #[tokio::test]
    async fn a_few_new_messages_come_with_one_command_or_not_at_all() {
        let (mut session, script) = session(
            "",
            "C: A0003 UID FETCH 5:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.524288>)\n\
             S: * 4 FETCH (UID 5 FLAGS () INTERNALDATE \"01-Nov-2026 09:00:00 +0000\" RFC822.SIZE 3 BODY[]<0> \"one\")\n\
             S: A0003 OK\n\
             C: A0004 UID FETCH 6:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.524288>)\n\
             S: * 4 FETCH (UID 5 FLAGS () INTERNALDATE \"01-Nov-2026 09:00:00 +0000\" RFC822.SIZE 3 BODY[]<0> \"one\")\n\
             S: * 5 FETCH (UID 6 FLAGS ())\nS: A0004 OK\n\
             C: A0005 UID FETCH 6:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.524288>)\n\
             S: A0005 NO not rendered",
        )
        .await;
        let mut known = Selected { folder: "INBOX".into(), uidvalidity: 9, ..Selected::default() };
        (known.uidnext, known.exists) = (Some(5), 3);
        assert!(few(&mut session, &known, 4).await.unwrap().is_none(), "INBOX is not open");
        session.selected = Some(known.clone());
        assert!(few(&mut session, &known, 100).await.unwrap().is_none(), "too many");
        let batch = few(&mut session, &known, 4).await.unwrap().unwrap();
        assert_eq!((batch.next_uid, batch.uidvalidity, batch.sightings.len()), (6, 9, 1));
        assert_eq!(batch.sightings[0].raw, b"one");
        (known.uidnext, known.exists) = (Some(6), 4);
        assert!(few(&mut session, &known, 5).await.unwrap().is_none(), "half a message");
        assert!(few(&mut session, &known, 5).await.unwrap().is_none(), "refused");
        script.played().await;
    }
}
