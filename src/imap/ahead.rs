//! New mail that is read although older mail before it waits, because most of a day's budget is used up.
//!
//! The cursor stays where the older mail begins to wait. What is read ahead of it is seen once more when the cursor comes
//! by, which does no harm: it is as after a crash. Where to start: [`read`].

use async_imap::imap_proto::{MailboxDatum, Response};

use super::arrivals::{self, Asked};
use super::connect::Settings;
use super::error::Error;
use super::session::{Selected, Session};
use super::{Listed, Memory, uid_set};
use crate::clock::Timestamp;

/// How many known messages are asked for at a time.
const KNOWN_MAX: usize = 1_000;

/// SINCE looks at the day as the server writes it, whatever its zone (RFC 3501, section 6.4.4).
const DAY_SECONDS: i64 = 86_400;

/// The UID behind the last message that is known of the folder, at or beyond the cursor.
pub(super) async fn known_to<M: Memory>(
    memory: &mut M,
    folder: &str,
    cursor: u32,
) -> Result<u32, Error> {
    let mut to = cursor;
    loop {
        let known = memory.known(folder, to, KNOWN_MAX).await.map_err(Error::Memory)?;
        match known.last() {
            Some((last, _)) => to = last.saturating_add(1),
            None => return Ok(to),
        }
    }
}

/// Reads the mail that is not history, from `from` on, and leaves the cursor where it is.
pub(super) async fn read<M: Memory>(
    session: &mut Session,
    memory: &mut M,
    settings: &Settings,
    folder: &Listed,
    selected: &Selected,
    (cursor, from): (u32, u32),
) -> Result<(), Error> {
    let end = selected.uidnext.unwrap_or(from);
    if end <= from {
        return Ok(());
    }
    let uids = new_mail(session, settings.since, from, end - 1).await?;
    for (set, _) in uid_set::sets(&uids) {
        let mut outlines = arrivals::outlines(session, settings, &Asked::Set(&set, &uids)).await?;
        outlines.retain(|outline| settings.since <= outline.arrived_at);
        for batch in arrivals::batches(&outlines, settings, folder.role) {
            session.reading(memory).await?;
            let sightings = arrivals::contents(session, &batch).await?;
            let batch = arrivals::of(selected, sightings, cursor);
            arrivals::keep(memory, Some(batch)).await?;
        }
    }
    Ok(())
}

/// The UIDs of what may have arrived since the cut-over.
async fn new_mail(
    session: &mut Session,
    since: Timestamp,
    first: u32,
    last: u32,
) -> Result<Vec<u32>, Error> {
    let day = jiff::Timestamp::from_second(since.0.saturating_sub(DAY_SECONDS));
    let day = day.unwrap_or(jiff::Timestamp::UNIX_EPOCH).strftime("%d-%b-%Y").to_string();
    let mut uids = Vec::new();
    let command = format!("UID SEARCH UID {first}:{last} SINCE {day}");
    let found = session.exec(&command, |response| {
        if let Response::MailboxData(MailboxDatum::Search(found)) = response {
            uids.extend(found.iter().filter(|uid| (first..=last).contains(uid)));
        }
    });
    match found.await {
        Ok(_) => {}
        Err(Error::Refused { answer, .. }) => {
            tracing::warn!(
                "new mail waits with the older mail, the server cannot tell it: {answer}"
            );
        }
        Err(error) => return Err(error),
    }
    uids.sort_unstable();
    Ok(uids)
}
