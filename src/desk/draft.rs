//! Drafts that are to be sent, and the copies that show what is about to leave: what is to be done about each. Pure.
//!
//! A draft that a person put into Baton/Send is read, and lies in Baton/Outbox until it has left; then it goes to the Trash,
//! or back to Drafts if it does not leave. Of a mail that came another way Baton puts a copy into Baton/Outbox, and takes it
//! away again. Whatever a person takes out of Baton/Outbox stops the mail. Start with [`next`].

use crate::desk::sending::State;

/// Who put it there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum By {
    /// A person: it is theirs, and is never removed.
    Person,
    /// Baton, as a copy.
    Baton,
}

/// Where it lies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lies {
    /// Nowhere yet.
    NotYet,
    /// Not where it was last; it may have been moved, or its folder numbered anew.
    Lost,
    /// In Baton/Send.
    Send,
    /// In Baton/Outbox.
    Outbox,
    /// In neither, and it is known to be there.
    Aside,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Nothing, until something happens.
    Rest,
    /// Read it, and hand it in.
    Read,
    /// Move it to Baton/Outbox.
    ToOutbox,
    /// Move it to the Trash: it has left.
    ToTrash,
    /// Move it to Drafts: it does not leave.
    ToDrafts,
    /// Put the copy there.
    Append,
    /// Look for it in Baton/Outbox before anybody says that it was taken away.
    Find,
    /// Take the copy away.
    Remove,
    /// A person took it out: stop the mail.
    Stop,
    /// Nothing, ever again.
    Forget,
}

/// What is to be done about a draft or a copy; `sending` says how the mail stands that it is of, once there is one. `refused`
/// is whether it was read and must not leave.
pub fn next(by: By, lies: Lies, sending: Option<&State>, refused: bool) -> Next {
    match (by, sending) {
        (By::Person, None) => match lies {
            Lies::Send if refused => Next::ToDrafts,
            Lies::Send => Next::Read,
            Lies::NotYet | Lies::Lost | Lies::Outbox | Lies::Aside => Next::Forget,
        },
        (By::Baton, None) => Next::Forget,
        (_, Some(State::Accepted { .. })) => over(by, lies, Next::ToTrash),
        (_, Some(State::Dropped)) => over(by, lies, Next::ToDrafts),
        (_, Some(state)) => match (lies, state) {
            (Lies::NotYet, State::Held { .. }) if by == By::Baton => Next::Append,
            (Lies::NotYet, _) => Next::Forget,
            (Lies::Send, _) => Next::ToOutbox,
            (Lies::Outbox, _) => Next::Rest,
            (Lies::Lost, _) => Next::Find,
            (Lies::Aside, _) => Next::Stop,
        },
    }
}

/// It has left, or never does.
fn over(by: By, lies: Lies, goes: Next) -> Next {
    match (lies, by) {
        (Lies::Send | Lies::Outbox, By::Person) => goes,
        (Lies::Send | Lies::Outbox, By::Baton) => Next::Remove,
        (Lies::NotYet | Lies::Lost | Lies::Aside, _) => Next::Forget,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::sending::{Hold, Refusal};

    const ALL: [Lies; 5] = [Lies::NotYet, Lies::Lost, Lies::Send, Lies::Outbox, Lies::Aside];

    fn held() -> State {
        State::Held { until: Some(Timestamp(9)), why: Hold::Time }
    }

    fn on_its_way() -> [State; 5] {
        let at = Timestamp(9);
        [
            held(),
            State::Due { at },
            State::Attempting { since: at },
            State::Unknown { since: at },
            State::Refused { why: Refusal::Size },
        ]
    }

    #[test]
    fn a_draft_goes_from_send_by_the_outbox_to_the_trash_or_back() {
        let person = |lies, state: Option<&State>| next(By::Person, lies, state, false);
        assert_eq!(person(Lies::Send, None), Next::Read);
        assert_eq!(next(By::Person, Lies::Send, None, true), Next::ToDrafts);
        assert_eq!(person(Lies::Send, Some(&held())), Next::ToOutbox);
        assert_eq!(person(Lies::Outbox, Some(&held())), Next::Rest);
        let left = State::Accepted { at: Timestamp(9) };
        for lies in [Lies::Send, Lies::Outbox] {
            assert_eq!(person(lies, Some(&left)), Next::ToTrash);
            assert_eq!(person(lies, Some(&State::Dropped)), Next::ToDrafts);
        }
        // Deleted before it was read.
        assert_eq!(person(Lies::Lost, None), Next::Forget);
    }

    #[test]
    fn a_copy_comes_while_there_is_time_and_goes_when_that_is_over() {
        let copy = |lies, state: &State| next(By::Baton, lies, Some(state), false);
        assert_eq!(copy(Lies::NotYet, &held()), Next::Append);
        assert_eq!(copy(Lies::NotYet, &State::Due { at: Timestamp(9) }), Next::Forget);
        for over in [State::Accepted { at: Timestamp(9) }, State::Dropped] {
            assert_eq!(copy(Lies::Outbox, &over), Next::Remove);
            assert_eq!(copy(Lies::Lost, &over), Next::Forget);
        }
    }

    #[test]
    fn a_persons_draft_is_never_removed() {
        let over = [State::Accepted { at: Timestamp(9) }, State::Dropped];
        for state in on_its_way().iter().chain(&over).map(Some).chain([None]) {
            for lies in ALL {
                for refused in [false, true] {
                    assert_ne!(next(By::Person, lies, state, refused), Next::Remove);
                }
            }
        }
    }

    #[test]
    fn what_is_missing_is_looked_for_before_the_mail_is_stopped() {
        for by in [By::Person, By::Baton] {
            for state in on_its_way() {
                assert_eq!(next(by, Lies::Lost, Some(&state), false), Next::Find);
                assert_eq!(next(by, Lies::Aside, Some(&state), false), Next::Stop);
                assert_eq!(next(by, Lies::Outbox, Some(&state), false), Next::Rest);
            }
        }
    }
}
