//! The life of one mail that Baton sends: from the moment it is kept until it has left once, or a person dropped it.
//!
//! ```text
//! held ─▶ due ─▶ attempting ─▶ accepted
//!   ▲      ▲        │  ├─────▶ refused ──▶ (a person: due again, or dropped)
//!   │      └────────┘  └─────▶ unknown ──▶ accepted, when its copy is found in Sent
//!   └─────────────────────────────┘        held, when it is not: a person decides
//! ```
//! What is *attempting* was written down before the server heard of it, so a crash leaves *unknown*, never *due*: whatever
//! may have left is looked for before it is sent again. Start with [`step`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Where a mail stands on its way out.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// It waits for its time, or for a person.
    Held {
        /// When it goes by itself; never where there is none.
        until: Option<Timestamp>,
        /// For what it waits.
        why: Hold,
    },
    /// It may leave.
    Due {
        /// Not before this moment.
        at: Timestamp,
    },
    /// The provider's server is being told of it, or was when the daemon died.
    Attempting {
        /// Since when.
        since: Timestamp,
    },
    /// The server may have taken it; its answer was never heard.
    Unknown {
        /// Since when it is looked for.
        since: Timestamp,
    },
    /// The provider has it.
    Accepted {
        /// Since when.
        at: Timestamp,
    },
    /// The provider does not want it.
    Refused {
        /// Why.
        why: Refusal,
    },
    /// A person took it back.
    Dropped,
}

impl State {
    /// When something is to be done about it without a person; `None` when a person decides, or all is done.
    pub fn due_at(&self) -> Option<Timestamp> {
        match self {
            State::Held { until, .. } => *until,
            State::Due { at } => Some(*at),
            State::Attempting { since } | State::Unknown { since } => Some(*since),
            State::Accepted { .. } | State::Refused { .. } | State::Dropped => None,
        }
    }
}

/// For what a mail is held.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "hold", rename_all = "kebab-case")]
pub enum Hold {
    /// For the time in which it can be stopped.
    Time,
    /// A person has to decide, for the reason given as a sentence.
    Question {
        /// What is asked.
        words: String,
    },
    /// Nobody knows whether it left, and it is not in Sent.
    Unknown,
}

/// Why a provider refused a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refusal {
    /// The account may not write as the shared address.
    NoSendAs,
    /// The provider puts another sender in the place of the shared address.
    IdentityRewritten,
    /// The account has sent as much as it may.
    Limit,
    /// The mail is too large.
    Size,
    /// A recipient does not exist, or takes no mail.
    Recipient,
    /// The content looked bad to the provider.
    Content,
    /// The account may not send at all just now.
    Blocked,
    /// The server said no for good, and no more than that.
    Other,
}

/// What happened to a mail on its way out.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Happened {
    /// Time has gone by.
    Time,
    /// A person let it go, or wants it tried again.
    Released,
    /// A person took it back.
    Dropped,
    /// Something speaks against it that was not there when it was kept, as a sentence.
    Objected {
        /// What.
        words: String,
    },
    /// The attempt is about to begin.
    Began,
    /// The server took it.
    Accepted,
    /// The server refused it for good.
    Refused(Refusal),
    /// It has certainly not left; trying again at this moment can help.
    Later(Timestamp),
    /// It is not known whether the server took it.
    Lost,
    /// Its copy was found in Sent.
    Found,
    /// Everything was looked through, since this moment and later, and it was not found.
    NotFound {
        /// When the last complete look at Sent began.
        looked_at: Timestamp,
    },
    /// The daemon begins; whatever was going on has ended.
    Restarted,
}

/// What is done about a mail of which nobody knows whether it left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnUnknown {
    /// It waits for a person.
    Hold,
    /// It is sent again.
    Resend,
}

/// The admin's choices about sending.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rules {
    /// How long a mail of which nothing is known is looked for in Sent.
    pub confirm: Duration,
    /// What is done when it was not found.
    pub on_unknown: OnUnknown,
}

/// Why something cannot be done to a mail any more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TooLate {
    /// The server is being told of it.
    #[error("it is being sent just now")]
    Attempting,
    /// It has left.
    #[error("it has been sent")]
    Accepted,
    /// It was taken back.
    #[error("it was dropped")]
    Dropped,
    /// It may have left, and is being looked for.
    #[error("nobody knows yet whether it was sent; it is being looked for in Sent")]
    Unknown,
}

/// Where a mail stands after what happened. What changes nothing answers the same state.
///
/// # Errors
/// When a person wants what cannot be any more.
pub fn step(
    state: &State,
    happened: &Happened,
    now: Timestamp,
    rules: &Rules,
) -> Result<State, TooLate> {
    let same = || Ok(state.clone());
    match (state, happened) {
        // Wherever it stood: its copy in Sent says that it left.
        (State::Accepted { .. }, Happened::Found | Happened::Accepted) => same(),
        (_, Happened::Found | Happened::Accepted) => Ok(State::Accepted { at: now }),

        (State::Held { until: Some(until), .. }, Happened::Time) if *until <= now => {
            Ok(State::Due { at: *until })
        }
        (State::Held { .. } | State::Refused { .. }, Happened::Released) => {
            Ok(State::Due { at: now })
        }
        (State::Due { .. }, Happened::Released) => Ok(State::Due { at: now }),
        (State::Held { .. } | State::Due { .. } | State::Refused { .. }, Happened::Dropped) => {
            Ok(State::Dropped)
        }
        (State::Dropped, Happened::Dropped) => same(),
        (State::Held { .. } | State::Due { .. }, Happened::Objected { words }) => {
            Ok(State::Held { until: None, why: Hold::Question { words: words.clone() } })
        }
        (_, Happened::Released | Happened::Dropped) => Err(too_late(state)),

        (State::Due { at }, Happened::Began) if *at <= now => Ok(State::Attempting { since: now }),
        (State::Attempting { .. }, Happened::Refused(why)) => Ok(State::Refused { why: *why }),
        (State::Attempting { .. }, Happened::Later(at)) => Ok(State::Due { at: *at }),
        (State::Attempting { .. }, Happened::Lost | Happened::Restarted) => {
            Ok(State::Unknown { since: now })
        }
        (State::Unknown { since }, Happened::NotFound { looked_at }) => {
            match (*since + rules.confirm <= *looked_at, rules.on_unknown) {
                (false, _) => same(),
                (true, OnUnknown::Hold) => Ok(State::Held { until: None, why: Hold::Unknown }),
                (true, OnUnknown::Resend) => Ok(State::Due { at: now }),
            }
        }
        _ => same(),
    }
}

fn too_late(state: &State) -> TooLate {
    match state {
        State::Attempting { .. } => TooLate::Attempting,
        State::Unknown { .. } => TooLate::Unknown,
        State::Dropped => TooLate::Dropped,
        State::Accepted { .. } | State::Held { .. } | State::Due { .. } | State::Refused { .. } => {
            TooLate::Accepted
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULES: Rules = Rules { confirm: Duration::from_secs(120), on_unknown: OnUnknown::Hold };
    const NOW: Timestamp = Timestamp(1_000);

    fn to(state: State, happened: Happened) -> Result<State, TooLate> {
        step(&state, &happened, NOW, &RULES)
    }

    #[test]
    fn a_mail_waits_out_its_time_and_leaves() {
        let held = |until| State::Held { until: Some(Timestamp(until)), why: Hold::Time };
        assert_eq!(to(held(1_001), Happened::Time), Ok(held(1_001)));
        assert_eq!(to(held(1_000), Happened::Time), Ok(State::Due { at: NOW }));
        assert_eq!(to(held(1_001), Happened::Released), Ok(State::Due { at: NOW }));
        let due = State::Due { at: NOW };
        assert_eq!(to(due, Happened::Began), Ok(State::Attempting { since: NOW }));
        let later = State::Due { at: Timestamp(1_001) };
        assert_eq!(to(later.clone(), Happened::Began), Ok(later));
    }

    #[test]
    fn what_may_have_left_is_never_tried_again_before_it_was_looked_for() {
        let attempting = State::Attempting { since: Timestamp(900) };
        let unknown = State::Unknown { since: NOW };
        assert_eq!(to(attempting.clone(), Happened::Restarted), Ok(unknown.clone()));
        assert_eq!(to(attempting.clone(), Happened::Lost), Ok(unknown.clone()));
        for wish in [Happened::Released, Happened::Dropped] {
            assert_eq!(to(unknown.clone(), wish.clone()), Err(TooLate::Unknown));
            assert_eq!(to(attempting.clone(), wish), Err(TooLate::Attempting));
        }
        let looked = |at| Happened::NotFound { looked_at: Timestamp(at) };
        assert_eq!(to(unknown.clone(), looked(1_119)), Ok(unknown.clone()));
        let held = State::Held { until: None, why: Hold::Unknown };
        assert_eq!(to(unknown.clone(), looked(1_120)), Ok(held.clone()));
        let resend = Rules { on_unknown: OnUnknown::Resend, ..RULES };
        assert_eq!(step(&unknown, &looked(1_120), NOW, &resend), Ok(State::Due { at: NOW }));
        assert_eq!(to(held, Happened::Found), Ok(State::Accepted { at: NOW }));
    }

    #[test]
    fn a_refused_mail_stays_until_a_person_decides() {
        let refused = State::Refused { why: Refusal::Size };
        assert_eq!(to(refused.clone(), Happened::Time), Ok(refused.clone()));
        assert_eq!(to(refused.clone(), Happened::Released), Ok(State::Due { at: NOW }));
        assert_eq!(to(refused, Happened::Dropped), Ok(State::Dropped));
        assert_eq!(to(State::Dropped, Happened::Released), Err(TooLate::Dropped));
        let accepted = State::Accepted { at: Timestamp(5) };
        assert_eq!(to(accepted.clone(), Happened::Dropped), Err(TooLate::Accepted));
        assert_eq!(to(accepted.clone(), Happened::Found), Ok(accepted));
    }

    fn anything() -> impl Strategy<Value = Happened> {
        prop_oneof![
            Just(Happened::Time),
            Just(Happened::Released),
            Just(Happened::Dropped),
            Just(Happened::Objected { words: "?".into() }),
            Just(Happened::Began),
            Just(Happened::Accepted),
            Just(Happened::Refused(Refusal::Other)),
            Just(Happened::Later(Timestamp(0))),
            Just(Happened::Lost),
            Just(Happened::Found),
            (0_i64..5_000).prop_map(|at| Happened::NotFound { looked_at: Timestamp(at) }),
            Just(Happened::Restarted),
        ]
    }

    proptest! {
        /// Whatever happens, in whatever order: the server is told of the mail again only after it said no, or after a
        /// look at Sent that began long enough after the last attempt; and never after it was accepted or dropped.
        #[test]
        fn nothing_leaves_twice(story in proptest::collection::vec((anything(), 0_i64..200), 0..60)) {
            let mut state = State::Held { until: Some(Timestamp(60)), why: Hold::Time };
            let mut now = Timestamp(0);
            let mut open: Option<Timestamp> = None;
            let mut asked = false;
            for (happened, later) in story {
                now = Timestamp(now.0 + later);
                let before = state.clone();
                let Ok(after) = step(&state, &happened, now, &RULES) else { continue };
                let begins = !matches!(before, State::Attempting { .. }) && matches!(after, State::Attempting { .. });
                if begins {
                    prop_assert!(open.is_none() || asked, "an attempt while another may have worked");
                    open = Some(now);
                    asked = false;
                }
                if matches!(before, State::Attempting { .. }) && matches!(happened, Happened::Later(_) | Happened::Refused(_)) {
                    open = None;
                }
                if matches!(before, State::Held { why: Hold::Unknown, .. }) && happened == Happened::Released {
                    asked = true;
                }
                let ended = matches!(before, State::Accepted { .. } | State::Dropped);
                if ended {
                    prop_assert!(matches!(after, State::Accepted { .. } | State::Dropped), "{before:?} {happened:?}");
                }
                state = after;
            }
        }
    }
}
