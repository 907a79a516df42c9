//! Tries with a message of its own what Baton will do with others': append, hear of it in IDLE, mark, move, remove.
//!
//! Only `baton doctor --probe` comes here. The message carries a word that no other has, and nothing is ever expunged that
//! this word does not name (`remains.rs`), nor without UIDPLUS, which removes exactly one message. INBOX is not written to. Where
//! to start: [`rehearse`].

use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, Response};
use tokio::time::{Instant, timeout};

use super::answer::tagged;
use super::connect::{Access, Settings, connect};
use super::error::Error;
use super::remains;
use super::session::{Selected, Session};
use super::show::{self, create, show};
use super::{Action, Change, Outcome, fetch, turn, utf7};
use crate::clock::{Clock, Timestamp};
use crate::desk::label;

/// How long the push of a new message is waited for.
const PUSH_WAIT: Duration = Duration::from_secs(10);

/// What is tried, and where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The folder that the message is put into; made if need be.
    pub folder: String,
    /// The folder that it is moved to; made if need be.
    pub target: String,
    /// Whether folders that had to be made are removed again.
    pub temporary: bool,
    /// The mark that is put on it: a flag, a keyword, or the word of a label.
    pub mark: String,
    /// The message.
    pub message: Vec<u8>,
    /// What only its header holds.
    pub word: String,
    /// Where a message must be thrown away before it can be removed: the Trash of Gmail (G56).
    pub trash: Option<String>,
}

/// What came of it; `None` for what was not reached.
#[derive(Clone, Debug, Default)]
pub struct Rehearsal {
    /// The folders that had to be made, or why they could not be.
    pub made: Option<Result<Vec<String>, String>>,
    /// Whether those were removed again.
    pub unmade: bool,
    /// Whether the server told the new UID (APPENDUID).
    pub appended: Option<Result<bool, String>>,
    /// What IDLE said.
    pub push: Option<Push>,
    /// When the message was sent to the server, by our clock.
    pub sent_at: Option<Timestamp>,
    /// When it arrived, by the server's.
    pub arrived_at: Option<Timestamp>,
    /// Whether the mark is still there when it is asked for.
    pub marked: Option<Result<bool, String>>,
    /// Whether the server told the new UID of the moved message (COPYUID).
    pub moved: Option<Result<bool, String>>,
    /// Whether nothing is left of it.
    pub removed: Option<Result<(), String>>,
}

/// Whether IDLE told of a new message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Push {
    /// It did, so many milliseconds after the message was there.
    Heard(u128),
    /// It did not within this time.
    Deaf(Duration),
    /// The server would not idle.
    Refused(String),
}

/// Tries everything, with two connections for a moment, and removes the message again.
///
/// # Errors
/// When the connection is lost. What had been put there is removed with another one, if there is one.
pub async fn rehearse(settings: &Settings, plan: &Plan) -> Result<Rehearsal, Error> {
    let _turn = turn::take(settings).await?;
    let mut session = connect(settings).await?;
    let mut told = Rehearsal::default();
    let made = match make(&mut session, plan).await {
        Ok(made) => made,
        Err(error) => {
            told.made = Some(Err(refusal(error)?));
            return Ok(told);
        }
    };
    told.made = Some(Ok(made.clone()));
    let target = remains::open(&mut session, &plan.target, Access::ReadWrite).await?;
    let folder = remains::open(&mut session, &plan.folder, Access::ReadWrite).await?;
    let before = [folder, target];
    if let Err(error) = perform(&mut session, settings, plan, &before, &mut told).await {
        drop(session);
        session = connect(settings).await?;
        remove(&mut session, plan, &before).await?;
        return Err(error);
    }
    let removed = remove(&mut session, plan, &before).await;
    told.removed = Some(match removed {
        Ok(()) => Ok(()),
        Err(error) => Err(refusal(error)?),
    });
    if plan.temporary && told.removed == Some(Ok(())) {
        told.unmade = true;
        for folder in made.iter().rev() {
            told.unmade &= remains::remove_folder(&mut session, folder).await?;
        }
    }
    session.logout().await;
    Ok(told)
}

async fn perform(
    session: &mut Session,
    settings: &Settings,
    plan: &Plan,
    before: &[Selected; 2],
    told: &mut Rehearsal,
) -> Result<(), Error> {
    let [folder, _] = before;
    listen(session, settings, plan, told).await?;
    match remains::find(session, folder, &plan.word).await? {
        Some(uid) => try_out(session, plan, folder, uid, told).await,
        None => Ok(()),
    }
}

/// A refusal in the server's words; anything else ends the visit.
fn refusal(error: Error) -> Result<String, Error> {
    match error {
        Error::Refused { answer, .. } => Ok(answer),
        Error::NotPermitted { answer, .. } => Ok(answer),
        other => Err(other),
    }
}

/// Makes the folders. Answers those that were not there.
async fn make(session: &mut Session, plan: &Plan) -> Result<Vec<String>, Error> {
    let mut made = Vec::new();
    for folder in [&plan.folder, &plan.target] {
        match session.run(&format!("STATUS {} (MESSAGES)", utf7::quoted(folder))).await {
            Ok(_) => {}
            Err(Error::Refused { .. }) => {
                create(session, folder).await?;
                made.push(folder.clone());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// Idles, while a second connection appends.
async fn listen(
    session: &mut Session,
    settings: &Settings,
    plan: &Plan,
    told: &mut Rehearsal,
) -> Result<(), Error> {
    let idle = if session.can("IDLE") { begin_idle(session).await? } else { None };
    let sent_at = Clock::system().now();
    let appended = show::append(settings, &plan.folder, &[], &plan.message).await;
    let since = Instant::now();
    let there = appended.is_ok();
    told.appended = Some(match appended {
        Ok(place) => Ok(place.is_some()),
        Err(error) => Err(refusal(error)?),
    });
    told.sent_at = there.then_some(sent_at);
    match idle {
        Some(Ok(tag)) => {
            let heard = there && timeout(PUSH_WAIT, exists(session)).await.unwrap_or(Ok(false))?;
            told.push = there.then(|| match heard {
                true => Push::Heard(since.elapsed().as_millis()),
                false => Push::Deaf(PUSH_WAIT),
            });
            end_idle(session, &tag).await
        }
        Some(Err(words)) => {
            told.push = Some(Push::Refused(words));
            Ok(())
        }
        None => Ok(()),
    }
}

type Tag = async_imap::imap_proto::RequestId;

/// IDLE, until its `+`; or the words of its refusal.
async fn begin_idle(session: &mut Session) -> Result<Option<Result<Tag, String>>, Error> {
    let tag = session.send("IDLE").await?;
    loop {
        let said = |response: &Response<'_>| {
            (matches!(response, Response::Continue(_)), tagged(response, &tag))
        };
        match session.read(session.patience, said).await? {
            (true, _) => return Ok(Some(Ok(tag))),
            (false, Some(answer)) => {
                let refused = session.settle("IDLE", answer).err();
                let words = refused.map_or(Ok("it ended IDLE at once".to_owned()), refusal)?;
                return Ok(Some(Err(words)));
            }
            (false, None) => {}
        }
    }
}

async fn exists(session: &mut Session) -> Result<bool, Error> {
    loop {
        let said = |response: &Response<'_>| {
            matches!(response, Response::MailboxData(MailboxDatum::Exists(_)))
        };
        if session.read(session.patience, said).await? {
            return Ok(true);
        }
    }
}

async fn end_idle(session: &mut Session, tag: &Tag) -> Result<(), Error> {
    session.send_line("DONE").await?;
    loop {
        if let Some(answer) = session.read(session.patience, |said| tagged(said, tag)).await? {
            return session.settle("IDLE", answer).map(drop);
        }
    }
}

/// Marks and moves the message.
async fn try_out(
    session: &mut Session,
    plan: &Plan,
    before: &Selected,
    uid: u32,
    told: &mut Rehearsal,
) -> Result<(), Error> {
    let change = |action| Change {
        folder: plan.folder.clone(),
        uidvalidity: before.uidvalidity,
        uids: vec![uid],
        action,
    };
    let mark = Action::Flags { add: vec![plan.mark.clone()], remove: Vec::new() };
    let stored = show(session, &change(mark)).await?;
    let (arrived_at, kept) = look(session, uid, &plan.mark).await?;
    told.arrived_at = arrived_at;
    told.marked = Some(match stored {
        Outcome::Refused(words) => Err(words),
        Outcome::Done(_) | Outcome::Stale | Outcome::Read(_) | Outcome::Lies(_) => Ok(kept),
    });
    told.moved = Some(match show(session, &change(Action::MoveTo(plan.target.clone()))).await? {
        Outcome::Refused(words) => Err(words),
        Outcome::Stale => Err("the folder was numbered anew meanwhile".to_owned()),
        Outcome::Read(_) | Outcome::Lies(_) => Ok(false),
        Outcome::Done(copied) => Ok(copied.is_some_and(|(_, pairs)| !pairs.is_empty())),
    });
    Ok(())
}

/// When the message arrived, and whether it carries the mark.
async fn look(
    session: &mut Session,
    uid: u32,
    mark: &str,
) -> Result<(Option<Timestamp>, bool), Error> {
    let (mut arrived_at, mut kept) = (None, false);
    let items = if label::label(mark).is_some() { " X-GM-LABELS" } else { "" };
    session
        .exec(&format!("UID FETCH {uid} (UID FLAGS INTERNALDATE{items})"), |response| {
            let Some(row) = fetch::row(response).filter(|row| row.uid == Some(uid)) else { return };
            arrived_at = row.arrived_at.or(arrived_at);
            let words = row.flags.into_iter().chain(row.labels).flatten();
            kept |= words.into_iter().any(|word| word.eq_ignore_ascii_case(mark));
        })
        .await?;
    Ok((arrived_at, kept))
}

/// Removes the message from wherever it lies by now.
async fn remove(session: &mut Session, plan: &Plan, before: &[Selected; 2]) -> Result<(), Error> {
    for known in before {
        remains::remove_all(session, known, &plan.word, plan.trash.as_deref()).await?;
    }
    Ok(())
}
