//! What a server's words say of its limits, whichever server it is: how long to leave it alone. Pure.
//!
//! Providers refuse whoever asks too much, in words of their own and in answer to any command. Such a no says nothing
//! about a message, a folder or a password, so nothing may be concluded from it but a wait. Where to start: `limit`.

use std::time::Duration;

use crate::desk::retry::Retry;

/// What keeps a server from serving us just now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Limit {
    /// It was asked too much, and says for how long it wants to be left alone (M57).
    Backoff(Duration),
    /// The account has used up what it may read in a day; it is locked for up to a day (G71).
    Quota,
    /// The account has as many connections as it may have, whoever holds them (G69, M59).
    Connections,
    /// It is out of order (M17).
    OutOfOrder,
}

/// How long a server is left alone that throttles and names no time.
const BACKOFF: Duration = Duration::from_secs(60);
/// A locked account is tried rarely, and ever more rarely: the tries count, too.
const QUOTA_FIRST: Duration = Duration::from_secs(15 * 60);
const QUOTA_MOST: Duration = Duration::from_secs(4 * 3600);
/// A connection gets free when another client lets go of one.
const CONNECTIONS_FIRST: Duration = Duration::from_secs(30);
const CONNECTIONS_MOST: Duration = Duration::from_secs(300);

impl Limit {
    /// When trying again can help.
    pub fn retry(self) -> Retry {
        match self {
            Limit::Backoff(wait) => Retry::After(wait),
            Limit::Quota => Retry::Rarely { first: QUOTA_FIRST, most: QUOTA_MOST },
            Limit::Connections => {
                Retry::Rarely { first: CONNECTIONS_FIRST, most: CONNECTIONS_MOST }
            }
            Limit::OutOfOrder => Retry::Later,
        }
    }
}

/// What servers say in NO, BAD or BYE, in lower case.
const WORDS: &[(&str, Limit)] = &[
    ("request is throttled", Limit::Backoff(BACKOFF)),
    ("[throttled]", Limit::Backoff(BACKOFF)),
    ("exceeded command or bandwidth limits", Limit::Quota),
    ("too many simultaneous connections", Limit::Connections),
    // Dovecot, for each user and address.
    ("maximum number of connections", Limit::Connections),
    ("server unavailable", Limit::OutOfOrder),
];

/// The limit that the words of a NO, BAD or BYE tell of, with the code in brackets if there is one.
pub(super) fn limit(said: &str) -> Option<Limit> {
    let said = said.to_ascii_lowercase();
    if let Some(wait) = backoff(&said) {
        return Some(Limit::Backoff(wait));
    }
    WORDS.iter().find(|(words, _)| said.contains(words)).map(|(_, limit)| *limit)
}

/// The same for a greeting: Exchange says at the door, too, that the connection is closed, and by the number why (M18).
/// Later in a session the same number says that there were too many errors.
pub(super) fn limit_of_greeting(said: &str) -> Option<Limit> {
    let full = said.to_ascii_lowercase().contains("connection is closed. 10");
    if full { Some(Limit::Connections) } else { limit(said) }
}

/// The same where the command and the response code are known: a mailbox that is merely full (RFC 9208, section 4.3.1)
/// refuses what would add to it, and never a command that reads.
pub(super) fn limit_of(command: &str, code: Option<&str>, said: &str) -> Option<Limit> {
    let reads = ["SELECT", "EXAMINE", "UID FETCH", "UID SEARCH", "STATUS", "LIST", "NOOP", "IDLE"];
    let reads = reads.iter().any(|verb| command.starts_with(verb));
    match code {
        Some("OVERQUOTA") if reads => Some(Limit::Quota),
        Some("THROTTLED") => Some(limit(said).unwrap_or(Limit::Backoff(BACKOFF))),
        _ => limit(said),
    }
}

/// In lower case: `suggested backoff time: 92415 milliseconds`.
fn backoff(said: &str) -> Option<Duration> {
    let (_, after) = said.split_once("backoff time:")?;
    let digits: String = after.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_known_by_their_words() {
        let quota = "Account exceeded command or bandwidth limits. (Failure)";
        for (said, found) in [
            (
                "Request is throttled. Suggested Backoff Time: 299961 milliseconds",
                Some(Limit::Backoff(Duration::from_millis(299_961))),
            ),
            ("Request is throttled.", Some(Limit::Backoff(BACKOFF))),
            ("Suggested Backoff Time: soon; Request is throttled", Some(Limit::Backoff(BACKOFF))),
            (quota, Some(Limit::Quota)),
            ("[ALERT] Too many simultaneous connections. (Failure)", Some(Limit::Connections)),
            (
                "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)",
                Some(Limit::Connections),
            ),
            ("Server Unavailable. 15", Some(Limit::OutOfOrder)),
            ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", None),
            ("Please log in via your web browser: https://support.google.com/", None),
            ("Quota exceeded (mailbox for user is full)", None),
        ] {
            assert_eq!(limit(said), found, "{said}");
        }
    }

    #[test]
    fn a_full_house_says_so_at_the_door() {
        let closed = "* BYE Connection is closed. 10";
        assert_eq!((limit_of_greeting(closed), limit(closed)), (Some(Limit::Connections), None));
        let many = "* BYE Too many simultaneous connections.";
        assert_eq!(limit_of_greeting(many), Some(Limit::Connections));
        assert_eq!(limit_of_greeting("* BYE Service is closed"), None);
    }

    #[test]
    fn a_full_mailbox_is_not_a_locked_one() {
        let over = Some("OVERQUOTA");
        assert_eq!(limit_of("UID FETCH 1 (UID)", over, "over"), Some(Limit::Quota));
        assert_eq!(limit_of("APPEND x", over, "Quota exceeded"), None);
        assert_eq!(limit_of("UID COPY 1 x", over, "Quota exceeded"), None);
        let said = "Account exceeded command or bandwidth limits.";
        assert_eq!(limit_of("UID STORE 1 +FLAGS (x)", over, said), Some(Limit::Quota));
    }

    #[test]
    fn a_locked_account_is_tried_rarely() {
        use crate::desk::retry::pause;
        let waits = |limit: Limit| -> Vec<u64> {
            (1..=6).map(|failures| pause(limit.retry(), failures, 0.0).as_secs()).collect()
        };
        assert_eq!(waits(Limit::Quota), [900, 1800, 3600, 7200, 14_400, 14_400]);
        assert_eq!(waits(Limit::Connections), [30, 60, 120, 240, 300, 300]);
        assert_eq!(waits(Limit::Backoff(Duration::from_secs(9))), [9; 6]);
    }
}
