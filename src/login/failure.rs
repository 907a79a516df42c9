//! What a refused login means: from the provider's words to one of a closed list. Pure.
//!
//! Providers say the same thing in many ways, and few of them say it in words for people. [`failure_of`] reads what a
//! token endpoint, an IMAP server or an SMTP server answered; what to do about it is in `remedy.rs`. What is not known
//! stays [`Failure::Unknown`], and is told in the server's own words.

use std::time::Duration;

use serde::Deserialize;

use crate::config::Provider;
use crate::desk::retry::Retry;

/// Why a login failed. Each has its own sentence and its own remedy.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Failure {
    /// The password, client secret, key or certificate is not the right one.
    WrongSecret,
    /// The client secret is past its end.
    ExpiredSecret,
    /// There is no such application, tenant or account.
    WrongClient,
    /// The machine's clock and the provider's are apart, so that signed requests are out of their time.
    WrongClock,
    /// Nobody with the right to has agreed that the application may read mail.
    ConsentMissing,
    /// Agreed, but not to what is asked for.
    ScopeMissing,
    /// The refresh token is of no use any more: expired, revoked, or the password was changed.
    LoginAgain,
    /// Logged in, but without Full Access to the mailbox.
    NoFullAccess,
    /// The application is registered at Exchange under another object id.
    WrongObjectId,
    /// IMAP is switched off for the mailbox.
    ImapDisabled,
    /// SMTP AUTH is switched off for the mailbox or the tenant.
    SmtpAuthDisabled,
    /// A policy, a lock or a robot check stands before this login.
    BlockedSignIn,
    /// Too many connections at a time.
    TooManyConnections,
    /// Too much in too little time.
    Throttled,
    /// The provider cannot be reached, or is out of order.
    Network,
    /// Something else; the server's words say what.
    Unknown,
}

impl Failure {
    /// Whether trying again can help. No catch-all arm: a new failure has to decide.
    pub fn retry(self) -> Retry {
        match self {
            Failure::TooManyConnections | Failure::Network => Retry::Later,
            Failure::Throttled => Retry::After(THROTTLED_WAIT),
            Failure::WrongSecret
            | Failure::ExpiredSecret
            | Failure::WrongClient
            | Failure::WrongClock
            | Failure::ConsentMissing
            | Failure::ScopeMissing
            | Failure::LoginAgain
            | Failure::NoFullAccess
            | Failure::WrongObjectId
            | Failure::ImapDisabled
            | Failure::SmtpAuthDisabled
            | Failure::BlockedSignIn
            | Failure::Unknown => Retry::Never,
        }
    }
}

/// How long a token endpoint that throttles is left alone when it names no time.
const THROTTLED_WAIT: Duration = Duration::from_secs(60);

/// With what was logged in: the same words mean different things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// A password.
    Password,
    /// The token of a person who has agreed.
    Person,
    /// The token of an application or a service account.
    Application,
}

/// What the other side said.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// A token endpoint: the HTTP status and the body.
    Endpoint {
        /// The status.
        status: u16,
        /// The body, JSON where it is well.
        body: &'a str,
    },
    /// The text of NO, BAD or BYE, with its code in brackets; and the JSON that came before it, decoded.
    Imap {
        /// The text.
        text: &'a str,
        /// The JSON of XOAUTH2 or OAUTHBEARER.
        challenge: Option<&'a str>,
    },
    /// The SMTP code and the text, with its enhanced code.
    Smtp {
        /// The code.
        code: u16,
        /// The text.
        text: &'a str,
    },
}

/// What the answer means.
pub fn failure_of(provider: Provider, way: Way, answer: &Answer<'_>) -> Failure {
    match answer {
        Answer::Endpoint { status, body } => of_endpoint(provider, way, *status, body),
        Answer::Imap { text, challenge } => of_imap(provider, way, text, *challenge),
        Answer::Smtp { code, text } => of_smtp(*code, text),
    }
}

/// The body of a refusal (RFC 6749, section 5.2), with Microsoft's numbers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Refusal {
    pub(super) error: String,
    pub(super) error_description: String,
    error_codes: Vec<u32>,
}

impl Refusal {
    /// What of it can be read.
    pub(super) fn of(body: &str) -> Refusal {
        serde_json::from_str(body).unwrap_or_default()
    }

    /// The numbers of Entra: of the list, and of the text (`AADSTS7000222: …`), which some answers have alone.
    fn numbers(&self) -> Vec<u32> {
        let mut numbers = self.error_codes.clone();
        numbers.extend(self.error_description.split("AADSTS").skip(1).filter_map(|rest| {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<u32>().ok()
        }));
        numbers
    }
}

fn of_endpoint(provider: Provider, way: Way, status: u16, body: &str) -> Failure {
    if status == 429 {
        return Failure::Throttled;
    }
    let refusal = Refusal::of(body);
    if let Some(failure) = refusal.numbers().into_iter().find_map(of_entra) {
        return failure;
    }
    let said = refusal.error_description.to_ascii_lowercase();
    if let Some(failure) = of_words(&said, ENDPOINT_WORDS) {
        return failure;
    }
    match refusal.error.as_str() {
        "invalid_client" => Failure::WrongSecret,
        "deleted_client" | "disabled_client" => Failure::WrongClient,
        // G83: one answer for two causes, both mended on the same page.
        "unauthorized_client" | "access_denied" | "org_internal" | "consent_required" => {
            Failure::ConsentMissing
        }
        "invalid_scope" | "restricted_client" => Failure::ScopeMissing,
        "admin_policy_enforced" | "disallowed_useragent" => Failure::BlockedSignIn,
        "invalid_grant" if way == Way::Application && provider == Provider::Gmail => {
            Failure::WrongSecret
        }
        "invalid_grant" | "interaction_required" | "login_required" | "invalid_rapt" => {
            Failure::LoginAgain
        }
        "rate_limit_exceeded" | "slow_down" => Failure::Throttled,
        "temporarily_unavailable" | "server_error" => Failure::Network,
        _ if status >= 500 => Failure::Network,
        _ => Failure::Unknown,
    }
}

/// The numbers of Microsoft Entra. Those that it may answer to a login of ours; another one is unknown.
fn of_entra(number: u32) -> Option<Failure> {
    Some(match number {
        // 700027: the assertion's signature fits no certificate of the application.
        7_000_215 | 700_027 | 50_012 | 50_126 => Failure::WrongSecret,
        7_000_222 => Failure::ExpiredSecret,
        700_024 => Failure::WrongClock,
        // 7000218: a public client, which the application is not allowed to be.
        700_016 | 7_000_218 | 90_002 | 900_023 | 50_034 | 7_000_112 => Failure::WrongClient,
        65_001 | 65_004 | 90_094 | 90_008 => Failure::ConsentMissing,
        70_011 | 28_003 | 650_053 | 650_057 | 500_011 | 1_002_012 => Failure::ScopeMissing,
        // Expired after 90 days, revoked, or the password was changed (M77); 50076 and 50079 want a second factor.
        700_082 | 700_084 | 70_008 | 70_043 | 50_173 | 50_078 | 50_076 | 50_079 | 50_158
        | 50_089 | 54_005 | 65_002 => Failure::LoginAgain,
        50_053 | 50_057 | 50_105 | 53_000 | 53_001 | 53_002 | 53_003 | 53_004 | 530_031
        | 530_032 | 530_034 | 50_020 => Failure::BlockedSignIn,
        50_196 | 90_055 => Failure::Throttled,
        90_033 | 90_006 | 90_012 | 50_058 => Failure::Network,
        _ => return None,
    })
}

type Words = [(&'static str, Failure)];

fn of_words(said: &str, words: &Words) -> Option<Failure> {
    words.iter().find(|(word, _)| said.contains(word)).map(|(_, failure)| *failure)
}

/// What Google's descriptions say, in lower case.
const ENDPOINT_WORDS: &Words = &[
    ("reasonable timeframe", Failure::WrongClock),
    ("invalid jwt signature", Failure::WrongSecret),
    ("no valid verifier", Failure::WrongSecret),
    ("invalid email or user id", Failure::WrongClient),
    ("account not found", Failure::WrongClient),
    ("oauth client was not found", Failure::WrongClient),
    ("client secret is invalid", Failure::WrongSecret),
    ("expired or revoked", Failure::LoginAgain),
    ("unauthorized to retrieve access tokens", Failure::ConsentMissing),
    ("requested client not authorized", Failure::ConsentMissing),
];

fn of_imap(provider: Provider, way: Way, text: &str, challenge: Option<&str>) -> Failure {
    let said = text.to_ascii_lowercase();
    if let Some(failure) = of_words(&said, IMAP_WORDS) {
        return failure;
    }
    if let Some(failure) = challenge.and_then(of_challenge) {
        return failure;
    }
    // M70: the token is good, and Exchange does not know the application by the id that was registered.
    let exchange_knows_nobody = provider == Provider::Microsoft365
        && way == Way::Application
        && said.contains("authenticate failed");
    if exchange_knows_nobody {
        return Failure::WrongObjectId;
    }
    let refused = [
        "authenticationfailed",
        "authenticate failed",
        "login failed",
        "invalid credentials",
        "authentication failed",
    ];
    if refused.iter().any(|words| said.contains(words)) {
        return Failure::WrongSecret;
    }
    Failure::Unknown
}

/// What IMAP servers say, in lower case; the first that fits counts.
const IMAP_WORDS: &Words = &[
    // M12
    ("authenticated but not connected", Failure::NoFullAccess),
    // G75, M80
    ("not enabled for imap", Failure::ImapDisabled),
    ("imap access is disabled", Failure::ImapDisabled),
    ("imap is disabled", Failure::ImapDisabled),
    ("protocoldisabled", Failure::ImapDisabled),
    // G69, M18
    ("too many simultaneous connections", Failure::TooManyConnections),
    ("maximum number of connections", Failure::TooManyConnections),
    ("connection is closed. 10", Failure::TooManyConnections),
    ("[limit]", Failure::TooManyConnections),
    // G71, G72, M57
    ("backoff time", Failure::Throttled),
    ("throttled", Failure::Throttled),
    ("[overquota]", Failure::Throttled),
    ("exceeded command or bandwidth limits", Failure::Throttled),
    // G73
    ("[webalert", Failure::BlockedSignIn),
    ("web login required", Failure::BlockedSignIn),
    ("log in via your web browser", Failure::BlockedSignIn),
    ("logondenied", Failure::BlockedSignIn),
    // G74
    ("application-specific password", Failure::WrongSecret),
    ("[unavailable]", Failure::Network),
    ("[serverbug]", Failure::Network),
    ("server unavailable", Failure::Network),
];

/// The reason in JSON. X6: 401 is a token that is wrong as such, 400 one that does not fit the mailbox or the scope.
fn of_challenge(challenge: &str) -> Option<Failure> {
    let reason: serde_json::Value = serde_json::from_str(challenge).ok()?;
    let status = reason.get("status")?;
    let status = status.as_str().map_or_else(|| status.to_string(), str::to_owned);
    match status.as_str() {
        "400" | "403" | "insufficient_scope" => Some(Failure::ScopeMissing),
        "401" | "invalid_token" => Some(Failure::WrongSecret),
        _ => None,
    }
}

fn of_smtp(code: u16, text: &str) -> Failure {
    let said = text.to_ascii_lowercase();
    if let Some(failure) = of_words(&said, SMTP_WORDS) {
        return failure;
    }
    match code {
        421 | 450..=459 => Failure::Throttled,
        530 | 534 | 535 | 538 => Failure::WrongSecret,
        _ => Failure::Unknown,
    }
}

/// What SMTP servers say, in lower case; the first that fits counts.
const SMTP_WORDS: &Words = &[
    // M87, M105
    ("smtpclientauthentication is disabled", Failure::SmtpAuthDisabled),
    ("5.7.30", Failure::SmtpAuthDisabled),
    // M88, G73
    ("security defaults policy", Failure::BlockedSignIn),
    ("did not meet the criteria", Failure::BlockedSignIn),
    ("5.7.139", Failure::BlockedSignIn),
    ("web browser", Failure::BlockedSignIn),
    ("web login required", Failure::BlockedSignIn),
    // M92
    ("concurrent connections limit", Failure::TooManyConnections),
    ("thread limit exceeded", Failure::TooManyConnections),
    // M86
    ("mapiexceptionlogonfailed", Failure::NoFullAccess),
    ("mailbox logon failure", Failure::NoFullAccess),
    ("too many login attempts", Failure::Throttled),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: &str = include_str!("../../tests/data/login/answers.txt");

    fn word(line: &str) -> (&str, &str) {
        let (word, rest) = line.trim_start().split_once(' ').unwrap_or((line.trim(), ""));
        (word, rest.trim_start())
    }

    fn answer(line: &str) -> Answer<'_> {
        let (door, rest) = word(line);
        let (first, text) = word(rest);
        match door {
            "HTTP" => Answer::Endpoint { status: first.parse().unwrap(), body: text },
            "SMTP" => Answer::Smtp { code: first.parse().unwrap(), text },
            "IMAP" => Answer::Imap { text: rest, challenge: None },
            "IMAP+" => Answer::Imap { text, challenge: Some(first) },
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_failure_is_known_by_its_transcript() {
        let mut seen = std::collections::BTreeSet::new();
        for line in ANSWERS.lines().filter(|line| !line.starts_with('#')) {
            let (failure, rest) = word(line);
            let (provider, rest) = word(rest);
            let (way, rest) = word(rest);
            let provider = match provider {
                "gmail" => Provider::Gmail,
                "microsoft365" => Provider::Microsoft365,
                _ => Provider::Imap,
            };
            let way = match way {
                "password" => Way::Password,
                "person" => Way::Person,
                _ => Way::Application,
            };
            let found = failure_of(provider, way, &answer(rest));
            assert_eq!(format!("{found:?}"), failure, "{line}");
            seen.insert(failure);
        }
        assert_eq!(seen.len(), 16, "a failure has no transcript: {seen:?}");
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_waits_for_a_person() {
        assert_eq!(Failure::Network.retry(), Retry::Later);
        assert_eq!(Failure::TooManyConnections.retry(), Retry::Later);
        assert!(matches!(Failure::Throttled.retry(), Retry::After(_)));
        assert_eq!(Failure::ExpiredSecret.retry(), Retry::Never);
    }
}
