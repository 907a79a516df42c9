//! Threads, messages and events as JSON shows them. Scripts depend on every name here.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::desk::event::{Event, What};
use crate::desk::thread::{Block, Change, MessageKey, Thread, ThreadId};
use crate::store::{MessageRow, ThreadRow, Tx};

/// Every thread has it until rules give another.
const PRIORITY: &str = "normal";

/// A thread's own facts.
#[derive(Debug, Serialize)]
pub(super) struct Head<'a> {
    id: i64,
    mailbox: &'a str,
    subject: &'a str,
    customer: &'a str,
    state: &'static str,
    owner: Option<&'a str>,
    escalated: bool,
    priority: &'static str,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> Head<'a> {
    pub(super) fn of(thread: &'a Thread) -> Head<'a> {
        Head {
            id: thread.id.0,
            mailbox: &thread.mailbox,
            subject: &thread.now.subject,
            customer: &thread.now.customer,
            state: thread.now.state.name(),
            owner: thread.now.owner.as_ref().map(|owner| owner.0.as_str()),
            escalated: thread.now.escalated,
            priority: PRIORITY,
            created_at: thread.created_at,
            updated_at: thread.updated_at,
        }
    }
}

/// One element of `threads --json`.
#[derive(Debug, Serialize)]
pub(super) struct Listed<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    messages: i64,
}

impl<'a> Listed<'a> {
    pub(super) fn of(row: &'a ThreadRow) -> Listed<'a> {
        Listed { head: Head::of(&row.thread), messages: row.messages }
    }
}

/// A mail of a thread.
#[derive(Debug, Serialize)]
pub(super) struct Mail {
    #[serde(skip)]
    pub(super) key: MessageKey,
    pub(super) message_id: String,
    pub(super) direction: String,
    pub(super) kind: String,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) subject: String,
    pub(super) date: Timestamp,
    pub(super) folder: Option<String>,
    pub(super) uid: Option<u32>,
    pub(super) joined_by: String,
    pub(super) excerpt: String,
}

impl Mail {
    fn of(tx: &Tx<'_>, row: MessageRow) -> anyhow::Result<Mail> {
        // Of several copies, the one that lies where the mail was seen last.
        let copies = tx.locations_of(row.key)?;
        let place = copies.into_iter().min_by_key(|copy| copy.place != row.place);
        let (folder, uid) = place.map(|place| (place.folder, place.uid)).unzip();
        Ok(Mail {
            key: row.key,
            message_id: row.message_id,
            direction: row.direction,
            kind: row.kind,
            from: row.sender,
            to: row.recipients,
            subject: row.subject,
            date: row.sent_at.unwrap_or(row.arrived_at),
            folder,
            uid,
            joined_by: row.joined_by,
            excerpt: row.excerpt,
        })
    }
}

/// An event, with its facts beside the rest, and what it changed in the thread that is looked at.
#[derive(Debug, Serialize)]
pub(super) struct Fact<'a> {
    seq: i64,
    at: Timestamp,
    actor: String,
    #[serde(flatten)]
    what: &'a What,
    cause: &'static str,
    detail: &'a str,
    changes: &'a Change,
    /// The Message-IDs of the mails that changed threads by it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    message_ids: Vec<String>,
    thread: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_thread: Option<i64>,
}

impl<'a> Fact<'a> {
    pub(super) fn of(
        tx: &Tx<'_>,
        event: &'a Event,
        seen_from: ThreadId,
    ) -> anyhow::Result<Fact<'a>> {
        let mut message_ids = Vec::new();
        for (message, _) in event.joins() {
            message_ids.extend(tx.message(message)?.map(|row| row.message_id));
        }
        Ok(Fact {
            seq: event.seq,
            at: event.at,
            actor: event.actor.to_string(),
            what: &event.what,
            cause: event.cause.by.name(),
            detail: &event.cause.detail,
            changes: change_in(event, seen_from),
            message_ids,
            thread: event.thread.0,
            other_thread: event.other.map(|other| other.0),
        })
    }
}

/// What an event changed in one of the threads that it touched.
pub(super) fn change_in(event: &Event, thread: ThreadId) -> &Change {
    if event.thread == thread { &event.change } else { &event.other_change }
}

/// Everything that is known of one thread.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) thread: Thread,
    pub(super) mails: Vec<Mail>,
    pub(super) events: Vec<Event>,
}

impl Whole {
    /// The thread of this number.
    pub(super) fn read(tx: &Tx<'_>, id: ThreadId) -> anyhow::Result<Option<Whole>> {
        let Some(thread) = tx.thread(id)? else { return Ok(None) };
        let mut mails = Vec::new();
        for row in tx.messages_of(id)? {
            mails.push(Mail::of(tx, row)?);
        }
        Ok(Some(Whole { thread, mails, events: tx.events_of(id)? }))
    }

    /// Its JSON form.
    pub(super) fn shown<'a>(&'a self, tx: &Tx<'_>) -> anyhow::Result<Shown<'a>> {
        let thread = &self.thread;
        let events = self.events.iter().map(|event| Fact::of(tx, event, thread.id));
        let now = &thread.now;
        Ok(Shown {
            head: Head::of(thread),
            blocked: now.block.as_ref(),
            first_response_at: now.first_response_at,
            reopens: now.reopens,
            linked_to: now.linked_to,
            merged_into: now.merged_into,
            messages: &self.mails,
            events: events.collect::<anyhow::Result<_>>()?,
        })
    }
}

/// What `show --json` prints.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    blocked: Option<&'a Block>,
    first_response_at: Option<Timestamp>,
    reopens: u32,
    linked_to: Option<ThreadId>,
    merged_into: Option<ThreadId>,
    messages: &'a [Mail],
    events: Vec<Fact<'a>>,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::desk::event::{Actor, Cause, CauseKind};
    use crate::desk::roster::AgentId;
    use crate::desk::thread::{Position, State};
    use crate::store::{Reader, Store};

    #[tokio::test]
    async fn an_event_shows_its_facts_beside_what_is_common_to_all() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = store
            .write(|tx| {
                let mailbox = tx.mailbox("support")?;
                let id = tx.add_thread(mailbox, Timestamp(0))?;
                let mut thread = tx.thread(id)?.unwrap();
                let ana = AgentId("ana".into());
                let after = Position {
                    owner: Some(ana.clone()),
                    state: State::Assigned,
                    ..Position::default()
                };
                let event = crate::desk::event::NewEvent::new(
                    Actor::Someone,
                    Cause::new(CauseKind::Gesture, "+baton-ana on a mail in INBOX"),
                    What::Claimed { agent: ana },
                    Change::between(&thread.now, &after),
                );
                thread.apply(&tx.append(mailbox, id, event, Timestamp(60))?);
                tx.save_thread(&thread)?;
                Ok(id)
            })
            .await
            .unwrap();
        let shown: Value = Reader::open(folder.path())
            .unwrap()
            .read(|tx| {
                let whole = Whole::read(tx, id)?.unwrap();
                Ok(serde_json::to_value(whole.shown(tx)?)?)
            })
            .unwrap();
        let expected = json!({
            "id": 1, "mailbox": "support", "subject": "", "customer": "", "state": "assigned",
            "owner": "ana", "escalated": false, "priority": "normal",
            "created_at": "1970-01-01T00:00:00Z", "updated_at": "1970-01-01T00:01:00Z",
            "blocked": null, "first_response_at": null, "reopens": 0,
            "linked_to": null, "merged_into": null, "messages": [],
            "events": [{
                "seq": 1, "at": "1970-01-01T00:01:00Z", "actor": "someone", "kind": "claimed",
                "agent": "ana", "cause": "gesture", "detail": "+baton-ana on a mail in INBOX",
                "changes": {"state": "assigned", "owner": "ana"}, "thread": 1,
            }],
        });
        assert_eq!(shown, expected);
    }
}
