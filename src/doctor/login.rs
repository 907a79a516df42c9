//! What is said of the login: the token, what it allows, whether the mailbox opens, and what ends when.

use super::check::{Check, Sheet, Theme};
use crate::clock::Timestamp;
use crate::config::{ClientProof, Mailbox, OAuth2, Provider};
use crate::daemon::Key;
use crate::imap::Error;
use crate::imap::checkup::Halt;
use crate::login::{self, Ending, Failure, What, way_of};

/// How the login went.
#[derive(Clone, Debug)]
pub(super) struct Entered {
    /// `None` where a password is the proof; else whether there is a token.
    pub(super) token: Option<Result<(), Trouble>>,
    /// What the token allows, as far as it says.
    pub(super) rights: Vec<String>,
    pub(super) endings: Vec<Ending>,
    pub(super) door: Door,
}

/// How far it came.
#[derive(Clone, Debug)]
pub(super) enum Door {
    /// Not tried, since there was nothing to try it with or on.
    NotTried(&'static str),
    /// Not let in.
    Closed(Trouble),
    /// Let in, but the mailbox is closed (M12).
    Empty(Trouble),
    /// All the way.
    Open,
}

/// What went wrong, and what to do.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub(super) failure: Option<Failure>,
    pub(super) what: String,
    pub(super) remedy: String,
}

/// Asks for a token, where there are any.
pub(super) async fn enter(key: &Key, mailbox: &Mailbox) -> Entered {
    let mut entered = Entered {
        token: None,
        rights: Vec::new(),
        endings: Vec::new(),
        door: Door::NotTried("it was not reached"),
    };
    let Some(tokens) = key.tokens() else { return entered };
    let asked = tokens.access().await;
    let trouble = |error| of_token(&error, key, mailbox);
    entered.token = Some(asked.map(drop).map_err(trouble));
    if let Ok(report) = tokens.report() {
        entered.endings = report.endings;
        entered.rights = report.facts.map(|facts| facts.scopes).unwrap_or_default();
    }
    entered
}

fn of_token(error: &login::Error, key: &Key, mailbox: &Mailbox) -> Trouble {
    let failure = Some(error.failure());
    if let login::Error::Refused { failure: known, host, said, .. } = error {
        let (sentence, remedy) = key.case().told(*known, mailbox.provider, key.way());
        return Trouble { failure, what: format!("{sentence} ({host} says: {said})"), remedy };
    }
    let words = error.to_string();
    let (what, remedy) = words.rsplit_once("; ").unwrap_or((&words, "the words above may tell"));
    Trouble { failure, what: what.to_owned(), remedy: remedy.to_owned() }
}

/// What stands in place of a login with a secret that is not there.
pub(super) const NOTHING_TO_SHOW: &str = "there is nothing to log in with";

/// What the end of a visit means.
pub(super) fn of_halt(halt: Halt, key: &Key) -> Door {
    let is_in = matches!(halt, Halt::AtTheMailbox(_));
    let error = halt.into_error();
    if matches!(error, Error::NoProof { .. }) {
        return Door::NotTried(NOTHING_TO_SHOW);
    }
    let said = error.to_string();
    let trouble = match key.diagnosed(&error) {
        Some((failure, what, remedy)) => {
            let answer = answer_of(&error).map(|answer| format!(" (the server says: {answer})"));
            let what = format!("{what}{}", answer.unwrap_or_default());
            Trouble { failure: Some(failure), what, remedy }
        }
        None => {
            let (what, remedy) =
                said.rsplit_once("; ").unwrap_or((&said, "the server's own words may tell"));
            Trouble { failure: None, what: what.to_owned(), remedy: remedy.to_owned() }
        }
    };
    if is_in { Door::Empty(trouble) } else { Door::Closed(trouble) }
}

/// The server's own words.
fn answer_of(error: &Error) -> Option<&str> {
    match error {
        Error::LoginRefused { answer, .. }
        | Error::TokenRefused { answer, .. }
        | Error::NotNow { answer, .. }
        | Error::NotPermitted { answer, .. }
        | Error::Limited { answer, .. }
        | Error::Refused { answer, .. } => Some(answer.trim()),
        Error::Unreachable { .. }
        | Error::Tls { .. }
        | Error::NoProof { .. }
        | Error::Spent { .. }
        | Error::Ended { .. }
        | Error::Lost { .. }
        | Error::Memory(_) => None,
    }
}

/// What is to be said.
pub(super) fn checks(entered: &Entered, mailbox: &Mailbox, now: Timestamp) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Login);
    let oauth = match &mailbox.imap.login {
        crate::config::Login::OAuth2(oauth) => Some(oauth.as_ref()),
        crate::config::Login::Password(_) => None,
    };
    token(entered, &mut sheet);
    rights(entered, oauth, &mut sheet);
    door(&entered.door, &mailbox.address, &mut sheet);
    endings(entered, oauth, &mailbox.name, now, &mut sheet);
    sheet.done()
}

fn token(entered: &Entered, sheet: &mut Sheet) {
    match &entered.token {
        None => sheet.skip("token", "this login is with a password"),
        Some(Ok(())) => sheet.pass("token", "the provider gives one"),
        Some(Err(trouble)) => sheet.fail("token", &trouble.what, &trouble.remedy),
    }
}

/// What a token has to allow, in one of these spellings, to open mail by IMAP: G25, G81, M69, M75.
const OPENS_IMAP: [&str; 4] =
    ["imap.accessasapp", "imap.accessasuser.all", "https://mail.google.com/", "gmail.imap_admin"];
/// And to send: G81, M69, M75.
const OPENS_SMTP: [&str; 3] = ["smtp.sendasapp", "smtp.send", "https://mail.google.com/"];
/// What an application asks for, and which says nothing of what it got (M71).
const WHATEVER_IS_GRANTED: &str = "/.default";

fn rights(entered: &Entered, oauth: Option<&OAuth2>, sheet: &mut Sheet) {
    let names = ["scope-imap", "scope-smtp"];
    let Some(oauth) = oauth else {
        return sheet.skip_all(&names, "this login is with a password");
    };
    if !matches!(entered.token, Some(Ok(()))) {
        return sheet.skip_all(&names, "there is no token");
    }
    let told: Vec<&str> = entered.rights.iter().map(String::as_str).collect();
    let told: Vec<&str> =
        told.into_iter().filter(|right| !right.ends_with(WHATEVER_IS_GRANTED)).collect();
    if oauth.provider == Provider::Imap || told.is_empty() {
        return sheet.skip_all(&names, "the token does not say what it allows");
    }
    let allowing = |wanted: &[&str]| {
        let is_one = |right: &&&str| {
            let right = right.to_ascii_lowercase();
            wanted.iter().any(|one| right.contains(one))
        };
        told.iter().find(is_one)
    };
    let held = told.join(" ");
    let (imap, smtp) = wanted(oauth);
    for (name, spellings, wanted, fatal) in
        [("scope-imap", &OPENS_IMAP[..], imap, true), ("scope-smtp", &OPENS_SMTP[..], smtp, false)]
    {
        let what = format!("the token allows {held}, not {wanted}");
        let remedy = grant(oauth, wanted);
        match (allowing(spellings), fatal) {
            (Some(right), _) => sheet.pass(name, format!("the token allows {right}")),
            (None, true) => sheet.fail(name, what, remedy),
            (None, false) => sheet.warn(name, what, remedy),
        }
    }
}

/// What the provider calls the rights to read and to send.
fn wanted(oauth: &OAuth2) -> (&'static str, &'static str) {
    match (oauth.provider, oauth.is_delegated()) {
        (Provider::Microsoft365, false) => ("IMAP.AccessAsApp", "SMTP.SendAsApp"),
        (Provider::Microsoft365, true) => ("IMAP.AccessAsUser.All", "SMTP.Send"),
        _ => ("https://mail.google.com/", "https://mail.google.com/"),
    }
}

fn grant(oauth: &OAuth2, wanted: &str) -> String {
    let kind = match way_of(oauth) {
        login::Way::Application => "Application",
        login::Way::Person | login::Way::Password => "Delegated",
    };
    match oauth.provider {
        Provider::Microsoft365 => format!(
            "in Microsoft Entra under App registrations > API permissions, add Office 365 Exchange Online > {kind} > {wanted}, and grant admin consent"
        ),
        _ => format!("add {wanted} to what the provider lets the application do, and to `scopes`"),
    }
}

fn door(door: &Door, address: &str, sheet: &mut Sheet) {
    let (login, opens, connections) = ("login", "mailbox-opens", "connections");
    match door {
        Door::NotTried(why) => sheet.skip_all(&[login, opens, connections], why),
        Door::Closed(trouble) => {
            if trouble.failure == Some(Failure::TooManyConnections) {
                sheet.skip_all(&[login, opens], "too many connections are open");
                return sheet.fail(connections, &trouble.what, &trouble.remedy);
            }
            sheet.fail(login, &trouble.what, &trouble.remedy);
            sheet.skip_all(&[opens, connections], "the login failed");
        }
        Door::Empty(trouble) => {
            sheet.pass(login, "accepted");
            sheet.fail(opens, &trouble.what, &trouble.remedy);
            sheet.skip(connections, "not seen before the mailbox opens");
        }
        Door::Open => {
            sheet.pass(login, "accepted");
            sheet.pass(opens, format!("{address} can be opened"));
            sheet.pass(connections, "there is room for one more");
        }
    }
}

fn endings(
    entered: &Entered,
    oauth: Option<&OAuth2>,
    mailbox: &str,
    now: Timestamp,
    sheet: &mut Sheet,
) {
    let kinds = [
        (What::ClientSecret, "secret-ends", "the client secret"),
        (What::Certificate, "certificate-ends", "the certificate"),
        (What::Consent, "consent-ends", "the consent"),
    ];
    for (what, name, words) in kinds {
        let ending = entered.endings.iter().find(|ending| ending.what == what);
        if what == What::ClientSecret && is_expired(entered) {
            sheet.skip(name, "the provider says that it has ended, whatever secret_expires says");
            continue;
        }
        match ending {
            Some(ending) if ending.at <= now => {
                sheet.fail_in_words(name, &ending.words(mailbox, now));
            }
            Some(ending) if ending.is_near(now) => {
                let told = ending.words(mailbox, now);
                let (what, remedy) = told.rsplit_once("; ").unwrap_or((&told, ""));
                sheet.warn(name, what, remedy);
            }
            Some(ending) => {
                let day: String = ending.at.to_string().chars().take(10).collect();
                sheet.pass(name, format!("{words} is good until {day}"));
            }
            None if what == What::ClientSecret && has_secret(oauth) => sheet.warn(
                name,
                "the client secret has an end that Baton does not know (M77: two years at most)",
                "write secret_expires = \"2027-11-01\" in [mailbox.login], and Baton warns before",
            ),
            None => sheet.skip(name, "this login has none, or none that ends"),
        }
    }
}

/// Whether the provider says that the client secret has ended.
fn is_expired(entered: &Entered) -> bool {
    let trouble = entered.token.as_ref().and_then(|token| token.as_ref().err());
    trouble.is_some_and(|trouble| trouble.failure == Some(Failure::ExpiredSecret))
}

/// Whether there is a client secret that ends: Google's do not.
fn has_secret(oauth: Option<&OAuth2>) -> bool {
    oauth.is_some_and(|oauth| {
        let proof = oauth.client().map(|client| &client.proof);
        oauth.provider == Provider::Microsoft365 && matches!(proof, Some(ClientProof::Secret(_)))
    })
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;
    use crate::config::{Client, Flow};

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn application() -> OAuth2 {
        let client = Client { id: "c".into(), proof: ClientProof::None };
        OAuth2 {
            provider: Provider::Microsoft365,
            user: "support@example.com".into(),
            flow: Flow::ClientCredentials { client },
            scopes: vec!["https://outlook.office365.com/.default".into()],
            token_url: String::new(),
            tenant: None,
            secret_expires: None,
            graph_url: String::new(),
        }
    }

    fn entered(held: &[&str]) -> Entered {
        Entered {
            token: Some(Ok(())),
            rights: held.iter().map(|right| (*right).to_owned()).collect(),
            endings: Vec::new(),
            door: Door::Open,
        }
    }

    fn scopes(held: &[&str]) -> [Outcome; 2] {
        let mut sheet = Sheet::new(Theme::Login);
        rights(&entered(held), Some(&application()), &mut sheet);
        let outcomes: Vec<Outcome> = sheet.done().iter().map(|check| check.outcome).collect();
        outcomes.try_into().unwrap()
    }

    #[test]
    fn a_token_is_held_to_what_it_says_and_to_nothing_else() {
        use Outcome::{Fail, Pass, Skipped, Warn};
        assert_eq!(scopes(&["IMAP.AccessAsApp", "SMTP.SendAsApp"]), [Pass, Pass]);
        assert_eq!(scopes(&["IMAP.AccessAsApp"]), [Pass, Warn]);
        assert_eq!(scopes(&["Mail.Read"]), [Fail, Warn]);
        assert_eq!(scopes(&["https://outlook.office365.com/.default"]), [Skipped, Skipped]);
    }

    #[test]
    fn an_end_is_judged_by_its_days() {
        let of = |days: i64| {
            let at = Timestamp(NOW.0 + days * 86_400);
            let endings = vec![Ending { what: What::Certificate, at }];
            let mut sheet = Sheet::new(Theme::Login);
            let entered = Entered { endings, ..entered(&[]) };
            super::endings(&entered, Some(&application()), "support", NOW, &mut sheet);
            sheet.done().iter().find(|one| one.name == "certificate-ends").unwrap().outcome
        };
        assert_eq!([of(300), of(20), of(-1)], [Outcome::Pass, Outcome::Warn, Outcome::Fail]);
    }
}
