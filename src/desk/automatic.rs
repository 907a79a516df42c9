//! When a machine may write to somebody, and when it must be silent. Pure; what is counted is counted by the store.
//!
//! Doubt means silence: a customer who gets no acknowledgement misses little, and two machines that answer each other can
//! fill a mailbox in an hour (RFC 3834, section 2).

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::policy::Policy;
use crate::mail::proof::Maker;

/// For how long what machines wrote and heard is counted.
pub const DAY: Duration = Duration::from_secs(24 * 3600);
/// For how long is within an hour.
pub const HOUR: Duration = Duration::from_secs(3600);
/// For how long nothing automatic goes to an address that does not exist.
pub const SILENT_WHEN_GONE: Duration = Duration::from_secs(30 * 24 * 3600);
/// How often the same words may come from one address within a day until it is taken for a loop.
pub const REPEATS: u32 = 3;
/// A mail that has lain longer is not acknowledged any more.
const FRESH: Duration = DAY;
/// Fewer letters say nothing about who wrote them: thanks and greetings are all the same.
const LETTERS_MIN: usize = 20;
/// How many letters of a text are compared.
const LETTERS_MAX: usize = 4000;

/// How much a machine has written to one address.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// Within the last hour.
    pub hour: u32,
    /// Within the last day.
    pub day: u32,
    /// Whether it is to get nothing automatic for now.
    pub silenced: bool,
}

/// How much a machine may write to one address.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Caps {
    /// Within an hour.
    pub per_hour: u32,
    /// Within a day.
    pub per_day: u32,
}

impl Default for Caps {
    fn default() -> Caps {
        Caps { per_hour: 20, per_day: 100 }
    }
}

/// Whether a machine may write once more to an address.
pub fn may_write(caps: Caps, written: Written) -> bool {
    !written.silenced && written.hour < caps.per_hour && written.day < caps.per_day
}

/// What is known of the first mail of a thread, and of who wrote it.
#[derive(Clone, Debug)]
pub struct First<'a> {
    /// Who would be answered, lower case.
    pub peer: &'a str,
    /// To and Cc.
    pub to: &'a [String],
    /// Whether the mail itself allows an automatic answer.
    pub allows: bool,
    /// Whether a Baton made it.
    pub maker: Option<Maker>,
    /// When it arrived.
    pub arrived_at: Timestamp,
    /// Since when arrivals are known.
    pub answers_since: Timestamp,
    /// How many acknowledgements the peer got within the last day.
    pub acknowledged: u32,
    /// What machines wrote to the peer.
    pub written: Written,
}

/// Whether the mail that opened a thread is acknowledged.
pub fn acknowledges(policy: &Policy, first: &First<'_>, now: Timestamp) -> bool {
    let theirs = |address: &str| {
        let own = &policy.sending.shared;
        policy.is_own(address)
            || policy.agent_at(address).is_some()
            || own.iter().any(|own| own.eq_ignore_ascii_case(address))
    };
    policy.sending.can
        && policy.sending.acknowledgement.is_some()
        && first.allows
        && first.maker.is_none()
        && first.peer.contains('@')
        && !theirs(first.peer)
        // RFC 3834, section 2: what came by blind copy or through a list was not meant for an answer.
        && first.to.iter().any(|to| policy.is_own(to))
        && first.answers_since <= first.arrived_at
        && now <= first.arrived_at + FRESH
        && first.acknowledged == 0
        && may_write(policy.sending.caps, first.written)
}

/// What a text says, without what changes when a machine says it again: numbers, times, signs. `None` where it is too short
/// to say anything.
pub fn gist(text: &str) -> Option<String> {
    let letters = text.chars().filter(|letter| letter.is_alphabetic()).take(LETTERS_MAX);
    let gist: String = letters.flat_map(char::to_lowercase).collect();
    (LETTERS_MIN <= gist.chars().count()).then_some(gist)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::policy::Acknowledgement;
    use crate::desk::sample::policy as sample;

    fn policy() -> Policy {
        let mut policy = sample();
        policy.sending.can = true;
        policy.sending.acknowledgement = Some(Acknowledgement::default());
        policy.sending.shared = vec!["billing@example.test".into()];
        policy
    }

    fn first<'a>(to: &'a [String]) -> First<'a> {
        First {
            peer: "carla@customer.test",
            to,
            allows: true,
            maker: None,
            arrived_at: Timestamp(1000),
            answers_since: Timestamp(900),
            acknowledged: 0,
            written: Written::default(),
        }
    }

    #[test]
    fn only_a_new_mail_of_a_stranger_to_us_is_acknowledged() {
        let policy = policy();
        let now = Timestamp(1001);
        let (to, list) = (["Support@example.test".to_owned()], ["list@x.test".to_owned()]);
        let usual = first(&to);
        assert!(acknowledges(&policy, &usual, now));
        assert!(!acknowledges(&sample(), &usual, now), "off by default");
        let silent = [
            ("our own", First { peer: "support@example.test", ..usual.clone() }),
            ("an agent", First { peer: "ANA@example.test", ..usual.clone() }),
            ("another mailbox of ours", First { peer: "billing@example.test", ..usual.clone() }),
            ("nobody", First { peer: "", ..usual.clone() }),
            ("not to us", First { to: &list, ..usual.clone() }),
            ("a robot", First { allows: false, ..usual.clone() }),
            ("a Baton", First { maker: Some(Maker::Another), ..usual.clone() }),
            ("ours, come back", First { maker: Some(Maker::Ours), ..usual.clone() }),
            ("from before", First { answers_since: Timestamp(1001), ..usual.clone() }),
            ("once today", First { acknowledged: 1, ..usual.clone() }),
            (
                "silenced",
                First {
                    written: Written { silenced: true, ..Written::default() },
                    ..usual.clone()
                },
            ),
        ];
        for (why, first) in silent {
            assert!(!acknowledges(&policy, &first, now), "{why}");
        }
        assert!(!acknowledges(&policy, &usual, Timestamp(1001) + DAY), "long ago");
    }

    #[test]
    fn caps_are_by_hour_and_by_day() {
        let caps = Caps { per_hour: 2, per_day: 3 };
        let may = |hour, day, silenced| may_write(caps, Written { hour, day, silenced });
        assert!(may(1, 2, false));
        assert!(!may(2, 2, false) && !may(0, 3, false) && !may(0, 0, true));
    }

    #[test]
    fn what_a_machine_says_again_has_the_same_gist() {
        let one = gist("Ticket 4711: we received your mail at 10:02.\n\nThanks!");
        assert_eq!(one, gist("ticket 4712 -- We received your mail at 11:40.  THANKS"));
        assert_ne!(one, gist("We have sent you another kettle today, Carla."));
        assert_eq!(gist("Thanks, 12345!"), None);
    }
}
