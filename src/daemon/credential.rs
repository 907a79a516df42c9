//! What a mailbox logs in with, and what a refused login means: between the door, the configuration and the tokens.

use std::path::{Path, PathBuf};

use crate::clock::Clock;
use crate::config::{self, PasswordSource, Provider};
use crate::desk::retry::Retry;
use crate::imap::Error;
use crate::imap::connect::{Asked, Credential, Login, NoProof, Proof};
use crate::login::{Answer, Case, Failure, Tokens, Way, failure_of, way_of};
use crate::relay;

/// The way to log in to a mailbox: asked anew at each connection.
#[derive(Clone, Debug)]
pub struct Key {
    provider: Provider,
    case: Case,
    with: With,
    state_dir: PathBuf,
}

#[derive(Clone, Debug)]
enum With {
    Password(PasswordSource),
    Tokens(Tokens),
}

impl Credential for With {
    fn proof(&self) -> Asked<'_> {
        Box::pin(async move {
            match self {
                With::Password(source) => match source.read() {
                    Ok(password) => Ok(Proof::Password(password.expose().to_owned())),
                    Err(error) => Err(NoProof { why: error.into(), retry: Retry::Never }),
                },
                With::Tokens(tokens) => match tokens.access().await {
                    Ok(token) => Ok(Proof::Bearer(token.expose().to_owned())),
                    Err(error) => {
                        let retry = error.retry();
                        Err(NoProof { why: error.into(), retry })
                    }
                },
            }
        })
    }

    fn refused(&self, proof: &Proof) {
        if let (With::Tokens(tokens), Proof::Bearer(token)) = (self, proof) {
            tokens.refused(token);
        }
    }
}

impl Key {
    /// The way to log in to `mailbox`; what is kept of it lies in `state_dir`.
    pub fn new(mailbox: &config::Mailbox, state_dir: &Path) -> Key {
        let (provider, user) = (mailbox.provider, &mailbox.imap.user);
        let state_dir = state_dir.to_owned();
        match &mailbox.imap.login {
            config::Login::Password(source) => {
                let case = Case {
                    mailbox: mailbox.name.clone(),
                    address: mailbox.address.clone(),
                    user: user.clone(),
                    ..Case::default()
                };
                Key { provider, case, with: With::Password(source.clone()), state_dir }
            }
            config::Login::OAuth2(oauth) => {
                let tokens = Tokens::new(&mailbox.name, user, oauth, &state_dir, Clock::system());
                Key { provider, case: tokens.case(), with: With::Tokens(tokens), state_dir }
            }
        }
    }

    /// The file that is locked while a command visits the mailbox.
    pub(crate) fn turn_file(&self) -> PathBuf {
        self.state_dir.join(format!("{}.turn", self.case.mailbox))
    }

    /// The tokens, where the login has some.
    pub fn tokens(&self) -> Option<&Tokens> {
        match &self.with {
            With::Password(_) => None,
            With::Tokens(tokens) => Some(tokens),
        }
    }

    /// The server ended a session whose time was over; the next one begins with a token of its own.
    pub(crate) fn session_ended(&self) {
        if let With::Tokens(tokens) = &self.with {
            tokens.forget();
        }
    }

    /// What the door logs in with.
    pub(crate) fn login(&self, user: &str) -> Login {
        Login { user: user.to_owned(), credential: std::sync::Arc::new(self.with.clone()) }
    }

    /// With what it logs in.
    pub fn way(&self) -> Way {
        match &self.with {
            With::Password(_) => Way::Password,
            With::Tokens(tokens) => way_of(tokens.oauth()),
        }
    }

    /// The error of a connection with, where it is about the login, what it means and what to do; and whether trying again can help.
    pub fn explained(&self, error: Error) -> (anyhow::Error, Retry) {
        let retry = error.retry();
        let Some(failure) = self.failure(&error) else { return (error.into(), retry) };
        let words = self.case().words(failure, self.provider, self.way());
        let retry = match retry {
            // What the door already knows of waiting counts for more.
            Retry::Later | Retry::After(_) | Retry::Rarely { .. } => retry,
            Retry::Never => failure.retry(),
        };
        (anyhow::Error::new(error).context(words), retry)
    }

    /// What is to be said of a connection's error where it is about the login: what it means, what is wrong, what to do.
    pub fn diagnosed(&self, error: &Error) -> Option<(Failure, String, String)> {
        let failure = match error {
            Error::LoginRefused { answer, .. } => failure_of(
                self.provider,
                self.way(),
                &Answer::Imap { text: answer, challenge: None },
            ),
            error => self.failure(error)?,
        };
        let (what, remedy) = self.case().told(failure, self.provider, self.way());
        Some((failure, what, remedy))
    }

    /// Whom and what the words about a failure have to name. The object id is known since the last token.
    pub fn case(&self) -> Case {
        match &self.with {
            With::Password(_) => self.case.clone(),
            With::Tokens(tokens) => tokens.case(),
        }
    }

    /// What is shown to the server that sends: a password of its own, or else what opens the mailbox.
    ///
    /// # Errors
    /// When it cannot be read, or there is no token.
    pub async fn relay_proof(&self, login: &config::Login) -> anyhow::Result<relay::Proof> {
        match (login, &self.with) {
            (config::Login::OAuth2(_), With::Tokens(tokens)) => {
                Ok(relay::Proof::Bearer(tokens.access().await?.expose().to_owned()))
            }
            (config::Login::Password(source), _) => {
                Ok(relay::Proof::Password(source.read()?.expose().to_owned()))
            }
            (config::Login::OAuth2(_), With::Password(_)) => {
                anyhow::bail!("the mailbox has no tokens; write [mailbox.login]")
            }
        }
    }

    /// What a refused login means; `None` where the error is about something else, or has said so already.
    fn failure(&self, error: &Error) -> Option<Failure> {
        let of = |text: &str, challenge: Option<&str>| {
            failure_of(self.provider, self.way(), &Answer::Imap { text, challenge })
        };
        match error {
            // Said in the door's own words, as ever.
            Error::LoginRefused { answer, .. } if self.provider == Provider::Imap => {
                let failure = of(answer, None);
                (!matches!(failure, Failure::WrongSecret | Failure::Unknown)).then_some(failure)
            }
            Error::LoginRefused { answer, .. } => Some(of(answer, None)),
            Error::TokenRefused { answer, challenge, .. } => Some(of(answer, challenge.as_deref())),
            Error::NotNow { answer, .. } => Some(of(answer, None)),
            Error::NotPermitted { answer, .. } => {
                let failure = of(answer, None);
                (failure != Failure::Unknown).then_some(failure)
            }
            Error::Limited { answer, .. } => {
                let failure = of(answer, None);
                (failure != Failure::Unknown).then_some(failure)
            }
            Error::Unreachable { .. }
            | Error::Tls { .. }
            | Error::NoProof { .. }
            | Error::Ended { .. }
            | Error::Refused { .. }
            | Error::Lost { .. }
            | Error::Spent { .. }
            | Error::Memory(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(provider: &str, login: &str) -> Key {
        let text = format!(
            "[[mailbox]]\nname = \"support\"\naddress = \"support@contoso.com\"\nsince = 2026-11-01\n\
             provider = \"{provider}\"\n[mailbox.login]\n{login}"
        );
        let config = config::from_toml(Path::new("baton.toml"), &text, &|_| None).unwrap();
        Key::new(&config.mailboxes[0], Path::new("/nowhere"))
    }

    const APPLICATION: &str = "method = \"oauth2\"\nflow = \"client-credentials\"\n\
        tenant = \"contoso.com\"\nclient_id = \"app-1\"\nclient_secret = { env = \"X\" }\n";

    fn told(key: &Key, error: Error) -> (String, Retry) {
        let (error, retry) = key.explained(error);
        (format!("{error:#}"), retry)
    }

    #[test]
    fn a_refused_login_comes_with_its_remedy_and_the_servers_words() {
        let key = key("microsoft365", APPLICATION);
        let error = Error::NotPermitted {
            host: "h:993".into(),
            account: "support@contoso.com".into(),
            folder: "INBOX".into(),
            answer: "User is authenticated but not connected.".into(),
        };
        let (words, retry) = told(&key, error);
        assert!(words.contains("no Full Access to support@contoso.com"), "{words}");
        assert!(words.contains("Add-MailboxPermission"), "{words}");
        assert!(words.contains("User is authenticated but not connected."), "{words}");
        assert_eq!(retry, Retry::Later);
    }

    #[test]
    fn a_plain_servers_no_stays_as_it_was() {
        let key = key("gmail", "password = { env = \"X\" }");
        let refused = || Error::LoginRefused {
            host: "h:993".into(),
            account: "a".into(),
            answer: "[AUTHENTICATIONFAILED] Invalid credentials (Failure)".into(),
        };
        let (words, retry) = told(&key, refused());
        assert!(words.contains("app password") && retry == Retry::Never, "{words}");
        let plain = Key { provider: Provider::Imap, ..key };
        assert_eq!(told(&plain, refused()).0, refused().to_string());
    }
}
