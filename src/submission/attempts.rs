//! How failed logins are slowed: a function of what failed, from where, and when. Pure.
//!
//! Two counts: by the address that somebody tries from, which stops a stranger, and by the user who is tried, which slows
//! many strangers together. The second only slows: else whoever knows Ana's name could keep Ana out.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::clock::Timestamp;

/// How long a failure counts.
const REMEMBERED: Duration = Duration::from_secs(15 * 60);
/// How many failures from an address are free of charge, and how many are the most.
const FREE: u32 = 3;
const ADDRESS_FAILURES_MAX: u32 = 20;
/// The longest pauses.
const ADDRESS_PAUSE_MAX: Duration = Duration::from_secs(30);
const USER_PAUSE_MAX: Duration = Duration::from_secs(8);
/// How many users and addresses are remembered; of more, those of longest ago are forgotten.
const REMEMBERED_MAX: usize = 10_000;

#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
enum Whose {
    User(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Timestamp,
}

/// What has failed lately.
#[derive(Clone, Debug, Default)]
pub struct Attempts(BTreeMap<Whose, Failures>);

/// Whether a password may be looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It may.
    Try,
    /// Not from this address, for some minutes.
    Refuse,
}

impl Attempts {
    /// Whether somebody at this address may try a password.
    pub fn may_try(&self, address: IpAddr, now: Timestamp) -> Verdict {
        match self.count(&Whose::Address(network(address)), now) {
            ADDRESS_FAILURES_MAX.. => Verdict::Refuse,
            _ => Verdict::Try,
        }
    }

    /// It was the wrong password. Answers how long to wait before saying so.
    pub fn failed(&mut self, user: &str, address: IpAddr, now: Timestamp) -> Duration {
        let of_address = self.add(Whose::Address(network(address)), now);
        let of_user = self.add(Whose::User(user.to_lowercase()), now);
        self.forget(now);
        pause(of_address).min(ADDRESS_PAUSE_MAX).max(pause(of_user).min(USER_PAUSE_MAX))
    }

    /// It was the right password: whatever failed from there was a mistake.
    pub fn succeeded(&mut self, address: IpAddr) {
        self.0.remove(&Whose::Address(network(address)));
    }

    fn count(&self, whose: &Whose, now: Timestamp) -> u32 {
        let failures = self.0.get(whose);
        failures.filter(|failures| is_fresh(failures, now)).map_or(0, |failures| failures.count)
    }

    fn add(&mut self, whose: Whose, now: Timestamp) -> u32 {
        let count = self.count(&whose, now).saturating_add(1);
        self.0.insert(whose, Failures { count, last: now });
        count
    }

    fn forget(&mut self, now: Timestamp) {
        if self.0.len() <= REMEMBERED_MAX {
            return;
        }
        self.0.retain(|_, failures| is_fresh(failures, now));
        while self.0.len() > REMEMBERED_MAX {
            let oldest = self.0.iter().min_by_key(|(_, failures)| failures.last);
            let Some(oldest) = oldest.map(|(whose, _)| whose.clone()) else { return };
            self.0.remove(&oldest);
        }
    }
}

fn is_fresh(failures: &Failures, now: Timestamp) -> bool {
    now < failures.last + REMEMBERED
}

/// 0, 0, 0, 1, 2, 4, … seconds.
fn pause(failures: u32) -> Duration {
    match failures.checked_sub(FREE + 1) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1 << more.min(10)),
    }
}

/// Whoever has one address of IPv6 has a network of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1000);

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_stranger_waits_longer_and_longer_and_then_is_not_heard() {
        let mut attempts = Attempts::default();
        let there = at("192.0.2.1");
        let pauses: Vec<u64> = (0..ADDRESS_FAILURES_MAX)
            .map(|nth| {
                assert_eq!(attempts.may_try(there, NOW), Verdict::Try);
                attempts.failed(&format!("user{nth}"), there, NOW).as_secs()
            })
            .collect();
        assert_eq!(pauses[..10], [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(attempts.may_try(there, NOW), Verdict::Refuse);
        assert_eq!(attempts.may_try(at("192.0.2.2"), NOW), Verdict::Try);
        assert_eq!(attempts.may_try(there, NOW + REMEMBERED), Verdict::Try);
    }

    #[test]
    fn many_strangers_slow_a_user_but_do_not_keep_her_out() {
        let mut attempts = Attempts::default();
        let mut last = Duration::ZERO;
        for nth in 0..200 {
            last = attempts.failed("Ana", IpAddr::from([198, 51, 100, nth]), NOW);
        }
        assert_eq!(last, USER_PAUSE_MAX);
        assert_eq!(attempts.may_try(at("192.0.2.1"), NOW), Verdict::Try);
    }

    #[test]
    fn the_right_password_pardons_its_address() {
        let mut attempts = Attempts::default();
        let (one, neighbour) = (at("2001:db8::1"), at("2001:db8::2"));
        for _ in 0..ADDRESS_FAILURES_MAX {
            attempts.failed("ana", one, NOW);
        }
        assert_eq!(attempts.may_try(neighbour, NOW), Verdict::Refuse, "the same network");
        attempts.succeeded(neighbour);
        assert_eq!(attempts.may_try(one, NOW), Verdict::Try);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut attempts = Attempts::default();
        for nth in 0..6_000_u32 {
            attempts.failed(&nth.to_string(), IpAddr::from(nth.to_be_bytes()), NOW);
        }
        assert!(attempts.0.len() <= REMEMBERED_MAX);
    }
}
