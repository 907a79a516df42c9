//! A thread, where it stands, and the fold of its events.
//!
//! An [`Event`] carries what it changed, so that [`Thread::apply`] is total and has no opinion: replaying the log gives the
//! same threads whatever the rules are today. Opinions are in `command.rs` and `arrival.rs`. Undoing an event is applying the opposite change, which is why changes are values.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::clock::Timestamp;
use crate::desk::event::Event;
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

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;
    use crate::desk::event::{Actor, Cause, CauseKind, What};

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
