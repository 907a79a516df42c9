//! NOTIFY (RFC 5465): asks the server to tell of the other folders by itself, so that one connection hears them all.
//!
//! Servers without it, and those that refuse, are polled.

use super::error::Error;
use super::session::Session;
use super::{Listed, Role, survey};

/// What to tell. RFC 5465, section 5: the first two go together, and the third needs both.
const EVENTS: &str = "(MessageNew MessageExpunge FlagChange)";

/// Asks to be told of `watched`. Answers whether the server does.
pub(super) async fn notify(session: &mut Session, watched: &[Listed]) -> Result<bool, Error> {
    let others = watched.iter().filter(|folder| folder.role != Role::Inbox);
    let groups = survey::names(&others.cloned().collect::<Vec<_>>());
    // Each NOTIFY SET takes the place of the one before, so all names have to fit into one command.
    let names = match groups.as_slice() {
        [] => return Ok(true),
        [names] => names,
        _ => return Ok(false),
    };
    let command = format!("NOTIFY SET (selected {EVENTS}) (mailboxes ({names}) {EVENTS})");
    match session.run(&command).await {
        Ok(_) => Ok(true),
        Err(Error::Refused { answer, .. }) => {
            tracing::info!("the server refuses NOTIFY, polling instead: {answer}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
