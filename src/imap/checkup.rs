//! A thorough look at a mailbox for the command line: what it can do and how full it is (`baton check --online`,
//! `baton doctor`). Reads only.
//!
//! What writes is in `rehearsal.rs`. Where to start: [`visit`].

use std::collections::BTreeSet;

use async_imap::imap_proto::Response;
use async_imap::imap_proto::rfc2087::QuotaResourceName;

use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::session::Session;
use super::{Listed, Role, Server, folders, turn};

/// What a mailbox can do.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Capabilities, and whether INBOX keeps new keywords.
    pub server: Server,
    /// The folders and what each is for.
    pub folders: Vec<Listed>,
    /// Those of which the server itself says what they are for (RFC 6154).
    pub marked: BTreeSet<String>,
    /// How many messages INBOX holds.
    pub inbox_count: u32,
    /// How many messages All Mail shows, where there is such a folder.
    pub all_count: Option<u32>,
    /// What the server says of quotas, where it does.
    pub quotas: Vec<Quota>,
}

/// How much of something is used (RFC 9208, section 3.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quota {
    /// `STORAGE`, in units of 1024 bytes, or `MESSAGE`.
    pub resource: String,
    /// How much there is.
    pub used: u64,
    /// How much there may be.
    pub limit: u64,
}

/// How far a visit came that did not come to its end.
#[derive(Debug)]
pub enum Halt {
    /// Not logged in.
    AtTheDoor(Error),
    /// Logged in, but the mailbox is not open: authenticated, and not connected (M12).
    AtTheMailbox(Error),
}

impl Halt {
    /// Why.
    pub fn into_error(self) -> Error {
        match self {
            Halt::AtTheDoor(error) | Halt::AtTheMailbox(error) => error,
        }
    }
}

/// Logs in, opens INBOX, lists the folders, asks for the quota.
///
/// # Errors
/// When it cannot look at all of it; how far it came.
pub async fn visit(settings: &Settings) -> Result<Visit, Halt> {
    let _turn = turn::take(settings).await.map_err(Halt::AtTheDoor)?;
    let mut session = connect(settings).await.map_err(Halt::AtTheDoor)?;
    let seen = look(&mut session, settings).await;
    if seen.is_ok() {
        session.logout().await;
    }
    seen.map_err(Halt::AtTheMailbox)
}

async fn look(session: &mut Session, settings: &Settings) -> Result<Visit, Error> {
    if session.can("NAMESPACE") {
        // M14: the first harmless command about the mailbox tells whether there is one. What it answers is not needed.
        match session.run("NAMESPACE").await {
            Ok(_) | Err(Error::Refused { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    // EXAMINE does not tell which keywords could be kept; SELECT takes nothing away but `\Recent`.
    let inbox = session.inbox(Access::ReadWrite).await?;
    let (folders, marked) = folders::told(session, settings).await?;
    let all = folders.iter().find(|folder| folder.role == Role::All && folder.selectable);
    let all_count = match all {
        Some(all) => Some(session.select(&all.name, Access::ReadOnly).await?.exists),
        None => None,
    };
    let quotas = quotas(session).await?;
    let server = Server { capabilities: session.capabilities.clone(), keywords: inbox.keywords };
    Ok(Visit { server, folders, marked, inbox_count: inbox.exists, all_count, quotas })
}

async fn quotas(session: &mut Session) -> Result<Vec<Quota>, Error> {
    let mut told = Vec::new();
    if !session.can("QUOTA") {
        return Ok(told);
    }
    let keep = |response: &Response<'_>| {
        let Response::Quota(quota) = response else { return };
        told.extend(quota.resources.iter().map(|one| Quota {
            resource: match &one.name {
                QuotaResourceName::Storage => "STORAGE".to_owned(),
                QuotaResourceName::Message => "MESSAGE".to_owned(),
                QuotaResourceName::Atom(name) => name.to_ascii_uppercase(),
            },
            used: one.usage,
            limit: one.limit,
        }));
    };
    match session.exec("GETQUOTAROOT \"INBOX\"", keep).await {
        Ok(_) | Err(Error::Refused { .. }) => Ok(told),
        Err(error) => Err(error),
    }
}
