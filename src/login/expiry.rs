//! What will end, and when it is time to say so. Pure.
//!
//! A client secret, a certificate or a consent that ends takes every mailbox down at once (M77), on a day that was known
//! for long. Each end is told 30, 7 and 1 days before, and once it has come; each once.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::config::Provider;

/// How many days before an end it is told.
const DAYS_BEFORE: [i64; 4] = [30, 7, 1, 0];
const DAY_SECONDS: i64 = 86_400;

/// What ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum What {
    /// The application's secret, on the day that the admin wrote down.
    ClientSecret,
    /// The application's certificate.
    Certificate,
    /// A person's consent: the refresh token.
    Consent,
}

/// An end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ending {
    /// Of what.
    pub what: What,
    /// When.
    pub at: Timestamp,
}

/// How long a refresh token may lie unused: M77, G86.
pub(super) fn idle_max(provider: Provider) -> Option<Duration> {
    let days = match provider {
        Provider::Microsoft365 => 90,
        Provider::Gmail => 180,
        Provider::Imap => return None,
    };
    Some(Duration::from_secs(days * 86_400))
}

impl Ending {
    /// The day before the end that has been reached, of those on which something is said.
    fn reached(&self, now: Timestamp) -> Option<i64> {
        let left = self.at.0.saturating_sub(now.0);
        DAYS_BEFORE.into_iter().rev().find(|days| left <= days * DAY_SECONDS)
    }

    /// Whether it is near enough to be shown.
    pub fn is_near(&self, now: Timestamp) -> bool {
        self.reached(now).is_some()
    }

    /// What stands for this warning among those already given; `None` when there is nothing to say yet. The day is in it, so that a renewed secret
    /// is warned of anew.
    pub fn mark(&self, now: Timestamp) -> Option<String> {
        let what = match self.what {
            What::ClientSecret => "secret",
            What::Certificate => "certificate",
            What::Consent => "consent",
        };
        let day = self.at.0.div_euclid(DAY_SECONDS);
        self.reached(now).map(|days| format!("{what} {day} {days}"))
    }

    /// The warning.
    pub fn words(&self, mailbox: &str, now: Timestamp) -> String {
        let (what, remedy) = match self.what {
            What::ClientSecret => (
                "the client secret",
                "make a new one at the provider, put it where client_secret points, and correct secret_expires".to_owned(),
            ),
            What::Certificate => (
                "the certificate",
                "make a new one, register it at the provider, and put it where certificate and key point".to_owned(),
            ),
            What::Consent => ("the consent", format!("run `baton login {mailbox}`")),
        };
        let day: String = self.at.to_string().chars().take(10).collect();
        let left = self.at.0.saturating_sub(now.0);
        let when = match left.div_euclid(DAY_SECONDS) {
            ..0 => format!("ended on {day}"),
            0 => format!("ends within a day, on {day}"),
            1 => format!("ends in 1 day, on {day}"),
            days => format!("ends in {days} days, on {day}"),
        };
        format!("{what} of the login {when}; {remedy}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ending() -> Ending {
        Ending { what: What::ClientSecret, at: Timestamp(100 * DAY_SECONDS) }
    }

    #[test]
    fn an_end_is_told_thirty_seven_and_one_days_before_and_when_it_is_there() {
        let mut marks: Vec<String> = Vec::new();
        for hour in 0..(105 * 24) {
            let Some(mark) = ending().mark(Timestamp(hour * 3600)) else { continue };
            if marks.last() != Some(&mark) {
                marks.push(mark);
            }
        }
        assert_eq!(marks, ["secret 100 30", "secret 100 7", "secret 100 1", "secret 100 0"]);
    }

    #[test]
    fn the_words_count_the_days() {
        let words = |days: i64| ending().words("support", Timestamp((100 - days) * DAY_SECONDS));
        assert!(
            words(30)
                .starts_with("the client secret of the login ends in 30 days, on 1970-04-11; make")
        );
        assert!(words(1).contains("ends in 1 day,"));
        assert!(words(0).contains("ends within a day"));
        assert!(words(-3).contains("ended on 1970-04-11"));
        let consent = Ending { what: What::Consent, ..ending() };
        assert!(consent.words("support", Timestamp(0)).contains("`baton login support`"));
    }
}
