//! A thread, the events that happen to it, and the fold of one over the other.
//!
//! An [`Event`] is a fact in the past tense. It carries what it changed, so that [`Thread::apply`] is total and has no
//! opinion: replaying the log gives the same threads whatever the rules are today. Opinions are in `command.rs` and
//! `mail.rs`. Undoing an event is applying the opposite change, which is why changes are values.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Timestamp;
use crate::desk::roster::AgentId;

/// A thread's number, shown as `#4812`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThreadId(pub i64);

impl fmt::Display for ThreadId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "#{}", self.0)
    }
}

/// The store's number of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageKey(pub i64);

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has taken it.
    #[default]
    New,
    /// Somebody has taken it and has not begun.
    Assigned,
    /// Somebody works on it.
    InProgress,
    /// On the customer.
    Waiting,
    /// On somebody else, or until a time.
    Blocked,
    /// Done.
    Resolved,
    /// Needs no answer.
    Ignored,
}

impl State {
    /// Every state, in the order of a thread's life.
    pub const ALL: [State; 7] = [
        State::New,
        State::Assigned,
        State::InProgress,
        State::Waiting,
        State::Blocked,
        State::Resolved,
        State::Ignored,
    ];

    /// The name in commands, JSON and the database.
    pub fn name(self) -> &'static str {
        match self {
            State::New => "new",
            State::Assigned => "assigned",
            State::InProgress => "in-progress",
            State::Waiting => "waiting",
            State::Blocked => "blocked",
            State::Resolved => "resolved",
            State::Ignored => "ignored",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the thread still needs something from someone.
    pub fn is_open(self) -> bool {
        !matches!(self, State::Resolved | State::Ignored)
    }
}

impl fmt::Display for State {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// What a blocked thread waits for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// In somebody's words.
    pub reason: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
}

/// Declares [`Position`] and, field for field, the [`Change`] between two of them.
macro_rules! position {
    ($($(#[$doc:meta])* $field:ident: $type:ty,)*) => {
        /// Everything about a thread that events change.
        #[derive(Clone, Debug, Default, Eq, PartialEq)]
        pub struct Position {
            $($(#[$doc])* pub $field: $type,)*
        }

        /// The fields in which two positions differ, with their new values.
        #[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
        pub struct Change {
            $(
                $(#[$doc])*
                #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
                pub $field: Option<$type>,
            )*
        }

        impl Change {
            /// What turns `before` into `after`.
            pub fn between(before: &Position, after: &Position) -> Change {
                Change {
                    $($field: (before.$field != after.$field).then(|| after.$field.clone()),)*
                }
            }

            /// Whether `position` still is as this change left it.
            pub fn holds_in(&self, position: &Position) -> bool {
                $(self.$field.as_ref().is_none_or(|value| *value == position.$field))&&*
            }

            /// The change back to `before`, for a change that was made from there.
            pub fn opposite(&self, before: &Position) -> Change {
                Change {
                    $($field: self.$field.as_ref().map(|_| before.$field.clone()),)*
                }
            }
        }

        impl Position {
            /// Takes over every value that `change` holds.
            pub fn apply(&mut self, change: &Change) {
                $(if let Some(value) = &change.$field { self.$field = value.clone(); })*
            }
        }
    };
}

position! {
    /// The subject without `Re:` and its like.
    subject: String,
    /// The address of the customer.
    customer: String,
    /// Whose turn it is.
    state: State,
    /// Who holds it.
    owner: Option<AgentId>,
    /// Whether it needs the inbox owner's eye.
    escalated: bool,
    /// The state to return to from `blocked` and `ignored`.
    before: Option<State>,
    /// What a blocked thread waits for.
    block: Option<Block>,
    /// When the first human answer left.
    first_response_at: Option<Timestamp>,
    /// When the customer's newest mail arrived.
    last_customer_at: Option<Timestamp>,
    /// When our newest reply left.
    last_reply_at: Option<Timestamp>,
    /// When it was resolved last.
    resolved_at: Option<Timestamp>,
    /// How often it was reopened.
    reopens: u32,
    /// Whether a draft answer lies in Drafts since the last reply.
    drafted: bool,
    /// The thread that this one began from.
    linked_to: Option<ThreadId>,
    /// The thread that took over this one's messages.
    merged_into: Option<ThreadId>,
}

/// A field that is present, even as `null`, is a change to that value.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

impl Change {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        *self == Change::default()
    }

    /// The part that somebody decided: without the times of mails, which go on whatever is decided.
    pub fn decided(&self) -> Change {
        Change {
            first_response_at: None,
            last_customer_at: None,
            last_reply_at: None,
            drafted: None,
            ..self.clone()
        }
    }

    /// Whether what the mailbox shows depends on it.
    pub fn shows(&self) -> bool {
        self.state.is_some()
            || self.owner.is_some()
            || self.escalated.is_some()
            || self.merged_into.is_some()
    }
}

/// One conversation with a customer: the fold of its events.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Thread {
    /// Its number.
    pub id: ThreadId,
    /// The name of its mailbox.
    pub mailbox: String,
    /// When its first message arrived.
    pub created_at: Timestamp,
    /// When its newest event happened.
    pub updated_at: Timestamp,
    /// Where it stands.
    pub now: Position,
}

impl Thread {
    /// A thread of which nothing has happened yet.
    pub fn unborn(id: ThreadId, mailbox: &str, created_at: Timestamp) -> Thread {
        Thread {
            id,
            mailbox: mailbox.to_string(),
            created_at,
            updated_at: created_at,
            now: Position::default(),
        }
    }

    /// Folds one event, in the thread that it happened to or in the other thread that it touched.
    pub fn apply(&mut self, event: &Event) {
        if event.thread == self.id {
            self.now.apply(&event.change);
        }
        if event.other == Some(self.id) {
            self.now.apply(&event.other_change);
        }
        self.updated_at = event.at;
    }
}

/// Who did it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Actor {
    /// A named person of the team.
    Agent(AgentId),
    /// Someone with access to the mailbox: IMAP does not say who.
    Someone,
    /// Whoever wrote to the shared address.
    Customer,
    /// The mail server, or the way of the mail.
    Server,
    /// A rule of the configuration.
    Rule(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Agent(id) => write!(out, "{id}"),
            Actor::Someone => write!(out, "someone"),
            Actor::Customer => write!(out, "customer"),
            Actor::Server => write!(out, "server"),
            Actor::Rule(name) => write!(out, "rule {name}"),
        }
    }
}

/// By what it came about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CauseKind {
    /// A change that a person made in the mailbox.
    Gesture,
    /// The same said in words.
    Command,
    /// A mail that came or left.
    Mail,
    /// A rule of the configuration.
    Rule,
    /// A time that was reached.
    Time,
    /// Something the server did.
    Server,
}

impl CauseKind {
    /// The name in JSON and the database.
    pub fn name(self) -> &'static str {
        match self {
            CauseKind::Gesture => "gesture",
            CauseKind::Command => "command",
            CauseKind::Mail => "mail",
            CauseKind::Rule => "rule",
            CauseKind::Time => "time",
            CauseKind::Server => "server",
        }
    }
}

/// By what it came about, and the particulars that `why` shows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// The sort of cause.
    pub by: CauseKind,
    /// The particulars: which mark, in which folder, which words.
    pub detail: String,
}

impl Cause {
    /// A cause with its particulars.
    pub fn new(by: CauseKind, detail: impl Into<String>) -> Cause {
        Cause { by, detail: detail.into() }
    }
}

/// What happened, in the past tense, with the facts used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum What {
    /// A mail that joins no open thread began this one.
    Opened {
        /// The mail.
        message: MessageKey,
        /// Why it joined no other.
        joined_by: String,
        /// Our own earlier mails that it answers and that had no thread.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        adopted: Vec<MessageKey>,
    },
    /// The customer wrote again.
    CustomerWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What it did not do, and why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// One of the team wrote to the shared address.
    InternalWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
    },
    /// A robot wrote: an automatic answer, a bounce, a receipt.
    MachineWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What sort of mail it is, and the sign of it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// A copy of our own mail came in.
    OwnWrote {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
    },
    /// A human reply to the customer left.
    Replied {
        /// The mail.
        message: MessageKey,
        /// Why it belongs here.
        joined_by: String,
        /// What it did not do, and why.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        remark: String,
    },
    /// A draft answer appeared in Drafts.
    Drafted,
    /// An agent took it.
    Claimed {
        /// Who.
        agent: AgentId,
    },
    /// An agent wanted it, and another had been first.
    ClaimLost {
        /// Who wanted it.
        agent: AgentId,
        /// Who has it.
        owner: AgentId,
    },
    /// It was given to an agent.
    Assigned {
        /// To whom.
        agent: AgentId,
    },
    /// It went back to the queue.
    Released,
    /// Work on it began.
    Started,
    /// It waits for the customer.
    Waited,
    /// It waits for someone else.
    Blocked {
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// What it waited for came.
    Unblocked,
    /// It is done.
    Resolved,
    /// It is not done after all.
    Reopened,
    /// It needs no answer.
    Ignored {
        /// Why.
        reason: String,
    },
    /// The mails were deleted by a person.
    Deleted,
    /// Deleted mails came back.
    Returned,
    /// It needs the inbox owner's eye.
    Escalated {
        /// Why.
        reason: String,
    },
    /// It no longer does.
    Deescalated,
    /// Many mails moved at once: a rule or a clean-up, not a decision about this thread.
    Automated {
        /// Where this thread's mail went.
        place: String,
        /// How many threads moved within a minute.
        moves: u32,
    },
    /// Baton's folder was renamed or deleted; it was made again and the mails were put back.
    Restored {
        /// The folder.
        folder: String,
    },
    /// The server would not show the marks.
    NotShown {
        /// What it said.
        answer: String,
    },
    /// The other thread's messages were taken over.
    Merged {
        /// The messages.
        messages: Vec<MessageKey>,
    },
    /// A message became a thread of its own, the other one.
    Split {
        /// The message.
        message: MessageKey,
    },
    /// An earlier event was taken back.
    Undone {
        /// The event's number.
        event: i64,
        /// Its kind.
        undone: String,
        /// Messages that changed threads by it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        moved: Vec<(MessageKey, ThreadId)>,
    },
}

impl What {
    /// The kind's name in JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            What::Opened { .. } => "opened",
            What::CustomerWrote { .. } => "customer-wrote",
            What::InternalWrote { .. } => "internal-wrote",
            What::MachineWrote { .. } => "machine-wrote",
            What::OwnWrote { .. } => "own-wrote",
            What::Replied { .. } => "replied",
            What::Drafted => "drafted",
            What::Claimed { .. } => "claimed",
            What::ClaimLost { .. } => "claim-lost",
            What::Assigned { .. } => "assigned",
            What::Released => "released",
            What::Started => "started",
            What::Waited => "waited",
            What::Blocked { .. } => "blocked",
            What::Unblocked => "unblocked",
            What::Resolved => "resolved",
            What::Reopened => "reopened",
            What::Ignored { .. } => "ignored",
            What::Deleted => "deleted",
            What::Returned => "returned",
            What::Escalated { .. } => "escalated",
            What::Deescalated => "deescalated",
            What::Automated { .. } => "automated",
            What::Restored { .. } => "restored",
            What::NotShown { .. } => "not-shown",
            What::Merged { .. } => "merged",
            What::Split { .. } => "split",
            What::Undone { .. } => "undone",
        }
    }
}

/// A fact about a thread that has not been written down yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewEvent {
    /// Who did it.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// What happened.
    pub what: What,
    /// What changed in the thread.
    pub change: Change,
    /// The other thread that it touches.
    pub other: Option<ThreadId>,
    /// What changed in that one.
    pub other_change: Change,
}

impl NewEvent {
    /// An event that touches one thread only.
    pub fn new(actor: Actor, cause: Cause, what: What, change: Change) -> NewEvent {
        NewEvent { actor, cause, what, change, other: None, other_change: Change::default() }
    }
}

/// One fact about a thread, as it stands in the log for ever.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// Its number; later events have higher ones.
    pub seq: i64,
    /// When it was written down.
    pub at: Timestamp,
    /// The thread that it happened to.
    pub thread: ThreadId,
    /// The other thread that it touched.
    pub other: Option<ThreadId>,
    /// Who did it.
    pub actor: Actor,
    /// By what.
    pub cause: Cause,
    /// What happened.
    pub what: What,
    /// What changed in the thread.
    pub change: Change,
    /// What changed in the other thread.
    pub other_change: Change,
}

impl Event {
    /// The messages that belong to another thread since this event.
    pub fn joins(&self) -> Vec<(MessageKey, ThreadId)> {
        match &self.what {
            What::Opened { message, adopted, .. } => {
                adopted.iter().chain([message]).map(|message| (*message, self.thread)).collect()
            }
            What::CustomerWrote { message, .. }
            | What::InternalWrote { message, .. }
            | What::MachineWrote { message, .. }
            | What::OwnWrote { message, .. }
            | What::Replied { message, .. } => vec![(*message, self.thread)],
            What::Merged { messages } => {
                messages.iter().map(|message| (*message, self.thread)).collect()
            }
            What::Split { message } => {
                self.other.map(|other| (*message, other)).into_iter().collect()
            }
            What::Undone { moved, .. } => moved.clone(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_and_its_opposite_cancel_each_other() {
        let before = Position { subject: "Kettle".into(), ..Position::default() };
        let after = Position {
            owner: Some(AgentId("ana".into())),
            state: State::Assigned,
            ..before.clone()
        };
        let change = Change::between(&before, &after);
        let mut position = before.clone();
        position.apply(&change);
        assert_eq!(position, after);
        assert!(change.holds_in(&position));
        position.apply(&change.opposite(&before));
        assert_eq!(position, before);
        assert!(!change.holds_in(&position));
    }

    #[test]
    fn a_change_to_nothing_is_kept_in_its_stored_form() {
        let before = Position { owner: Some(AgentId("ana".into())), ..Position::default() };
        let change = Change::between(&before, &Position::default());
        let stored = serde_json::to_string(&change).unwrap();
        assert_eq!(stored, r#"{"owner":null}"#);
        assert_eq!(serde_json::from_str::<Change>(&stored).unwrap(), change);
    }

    #[test]
    fn every_state_has_its_own_name() {
        for state in State::ALL {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
    }

    fn states() -> impl Strategy<Value = State> {
        (0..State::ALL.len()).prop_map(|index| State::ALL[index])
    }

    fn times() -> impl Strategy<Value = Option<Timestamp>> {
        option::of((0..4_000_000_000_i64).prop_map(Timestamp))
    }

    fn threads() -> impl Strategy<Value = Option<ThreadId>> {
        option::of((1..9_i64).prop_map(ThreadId))
    }

    fn positions() -> impl Strategy<Value = Position> {
        let block = option::of((".{0,3}", times()))
            .prop_map(|block| block.map(|(reason, until)| Block { reason, until }));
        let words = (".{0,3}", ".{0,3}", option::of("[a-c]"));
        let states = (states(), option::of(states()), block);
        let flags = (any::<bool>(), any::<bool>(), 0..3_u32);
        (words, states, (times(), times(), times(), times()), flags, (threads(), threads()))
            .prop_map(|(words, states, times, flags, threads)| Position {
                subject: words.0,
                customer: words.1,
                owner: words.2.map(AgentId),
                state: states.0,
                before: states.1,
                block: states.2,
                first_response_at: times.0,
                last_customer_at: times.1,
                last_reply_at: times.2,
                resolved_at: times.3,
                escalated: flags.0,
                drafted: flags.1,
                reopens: flags.2,
                linked_to: threads.0,
                merged_into: threads.1,
            })
    }

    proptest! {
        #[test]
        fn what_lies_between_two_positions_leads_there_and_back(a in positions(), b in positions()) {
            let change = Change::between(&a, &b);
            let mut position = a.clone();
            position.apply(&change);
            prop_assert_eq!(&position, &b);
            prop_assert!(change.holds_in(&position));
            position.apply(&change);
            prop_assert_eq!(&position, &b, "once more changes nothing");
            position.apply(&change.opposite(&a));
            prop_assert_eq!(&position, &a);
            prop_assert_eq!(change.opposite(&a), Change::between(&b, &a));
            prop_assert_eq!(change.is_empty(), a == b);
            prop_assert!(Change::between(&a, &a).is_empty());
        }

        #[test]
        fn a_change_is_read_as_it_was_stored(a in positions(), b in positions()) {
            let change = Change::between(&a, &b);
            let stored = serde_json::to_string(&change).unwrap();
            prop_assert_eq!(serde_json::from_str::<Change>(&stored).unwrap(), change);
        }

        #[test]
        fn any_event_folds_into_any_thread(
            now in positions(),
            (a, b, c) in (positions(), positions(), positions()),
            (of, other, at) in (1..4_i64, threads(), any::<i64>()),
        ) {
            let mut thread = Thread::unborn(ThreadId(1), "support", Timestamp(0));
            thread.now = now.clone();
            let event = Event {
                seq: 1,
                at: Timestamp(at),
                thread: ThreadId(of),
                other,
                actor: Actor::Someone,
                cause: Cause::new(CauseKind::Gesture, ""),
                what: What::Released,
                change: Change::between(&a, &b),
                other_change: Change::between(&a, &c),
            };
            thread.apply(&event);
            let mut expected = now;
            if of == 1 {
                expected.apply(&event.change);
            }
            if other == Some(ThreadId(1)) {
                expected.apply(&event.other_change);
            }
            prop_assert_eq!(thread.now, expected);
            prop_assert_eq!(thread.updated_at, Timestamp(at));
        }
    }
}
