//! What happens in folders that are not open: counters by STATUS, asked for or told by the server itself (NOTIFY).
//!
//! The answers gather in [`Session::heard`]; whoever compares them with the last look knows where something happened.
//! Only the items that the parser knows are asked for.

use super::error::Error;
use super::session::Session;
use super::{Listed, utf7};

/// The most bytes of folder names in one command.
const NAMES_BYTES_MAX: usize = 6_000;

/// Asks for the counters of `folders`. Answers `false` when one of them told nothing: it may be gone.
pub(super) async fn survey(session: &mut Session, folders: &[Listed]) -> Result<bool, Error> {
    for folder in folders {
        session.heard.remove(&folder.name);
    }
    let items = match session.can("CONDSTORE") || session.qresync {
        true => "MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ",
        false => "MESSAGES UIDNEXT UIDVALIDITY",
    };
    // RFC 5819 needs the options of RFC 5258; several patterns come with the latter.
    if session.can("LIST-STATUS") && session.can("LIST-EXTENDED") {
        match at_once(session, folders, items).await {
            Ok(()) => return Ok(all_heard(session, folders)),
            Err(Error::Refused { .. }) => session.forget("LIST-STATUS"),
            Err(error) => return Err(error),
        }
    }
    for folder in folders {
        match session.run(&format!("STATUS {} ({items})", utf7::quoted(&folder.name))).await {
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all_heard(session, folders))
}

/// Asks the server to tell of the other folders by itself (NOTIFY, RFC 5465). Answers whether it will.
///
/// Asked for `personal` and not for the watched folders by name: Dovecot 2.3 finds no folder in a list whose name is not
/// ASCII. MailboxName is left out, because the parser does not know the LIST lines that it brings.
pub(super) async fn notify(session: &mut Session) -> Result<bool, Error> {
    /// RFC 5465, section 5: the first two go together, and the third needs both.
    const EVENTS: &str = "(MessageNew MessageExpunge FlagChange)";
    if !session.can("NOTIFY") {
        return Ok(false);
    }
    match session.run(&format!("NOTIFY SET (selected {EVENTS}) (personal {EVENTS})")).await {
        Ok(_) => Ok(true),
        Err(Error::Refused { answer, .. }) => {
            tracing::info!("the server refuses NOTIFY, polling instead: {answer}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn all_heard(session: &Session, folders: &[Listed]) -> bool {
    folders.iter().all(|folder| session.heard.contains_key(&folder.name))
}

async fn at_once(session: &mut Session, folders: &[Listed], items: &str) -> Result<(), Error> {
    for names in names(folders) {
        session.run(&format!("LIST \"\" ({names}) RETURN (STATUS ({items}))")).await?;
    }
    Ok(())
}

/// The folders' names, quoted, in as many groups as needed.
fn names(folders: &[Listed]) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for folder in folders {
        let name = utf7::quoted(&folder.name);
        match groups.last_mut() {
            Some(group) if group.len() + name.len() < NAMES_BYTES_MAX => {
                group.push(' ');
                group.push_str(&name);
            }
            _ => groups.push(name),
        }
    }
    groups
}
