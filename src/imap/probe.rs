//! A short visit for the command line: which messages a mailbox holds (`baton audit`). Only reads.

use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::session::Session;
use super::{Cursor, Listed, Role, arrivals, fetch, folders, turn};

/// How many UIDs are asked for at a time; more after each window without a message.
const WINDOW: u32 = 10_000;
const WINDOW_GROWTH: u32 = 4;

/// Lists the UIDs of every watched folder, each with the folder's UIDVALIDITY. `labels`: whether Gmail's labels are the
/// marks, so that All Mail is watched.
pub async fn uids(
    settings: &Settings,
    labels: bool,
) -> Result<Vec<(Listed, u32, Vec<u32>)>, Error> {
    let _turn = turn::take(settings).await?;
    let mut session = connect(settings).await?;
    let mut found = Vec::new();
    for folder in folders::watched(&folders::list(&mut session, settings).await?, labels) {
        let selected = match session.select(&folder.name, Access::ReadOnly).await {
            Ok(selected) => selected,
            // As the watch: what cannot be opened is passed over, except INBOX.
            Err(Error::Refused { answer, .. }) if folder.role != Role::Inbox => {
                tracing::warn!(folder = folder.name, "cannot look into a folder: {answer}");
                continue;
            }
            Err(error) => return Err(error),
        };
        let end = arrivals::next_uid(&mut session, &selected, &Cursor::default()).await?;
        let uids = every_uid(&mut session, end).await?;
        found.push((folder, selected.uidvalidity, uids));
    }
    session.logout().await;
    Ok(found)
}

async fn every_uid(session: &mut Session, end: u32) -> Result<Vec<u32>, Error> {
    let mut uids = Vec::new();
    let (mut next, mut window) = (1_u32, WINDOW);
    while next < end {
        let last = next.saturating_add(window - 1).min(end - 1);
        let before = uids.len();
        session
            .exec(&format!("UID FETCH {next}:{last} (UID)"), |response| {
                uids.extend(fetch::row(response).and_then(|row| row.uid));
            })
            .await?;
        window = match uids.len() == before {
            true => window.saturating_mul(WINDOW_GROWTH),
            false => WINDOW,
        };
        next = last + 1;
    }
    uids.sort_unstable();
    uids.dedup();
    Ok(uids)
}
