//! Who may log in (points 2, 15 and 16, and G73 to G75).

use super::super::imapd::{Credentials, Session, Verdict};
use super::Token;
use super::account::Account;
use super::dialect::Google;

/// What a client reads whose token is no good, byte for byte; status 400 (X6).
pub(super) const BAD_TOKEN: &str = "eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";

const INVALID: &str = "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)";
const APP_PASSWORD: &str = "NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)";
const TOO_MANY: &str = "NO [ALERT] Too many simultaneous connections. (Failure)";
const IMAP_OFF: &str = "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page \
     and enable your account for IMAP access. (Failure)";
const WEB_ALERT: &str = "* NO [WEBALERT https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbt] Web login required.";
const WEB_LOGIN: &str = "NO [ALERT] Please log in via your web browser: \
     https://support.google.com/mail/accounts/answer/78754 (Failure)";

/// Which part of a mailbox a login opens.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    /// What the owner has chosen to show in IMAP.
    Shown,
    /// Everything (G25).
    Everything,
}

impl Google {
    pub(super) fn judges(&mut self, session: &Session, credentials: &Credentials) -> Verdict {
        let (address, proof) = match credentials {
            Credentials::Password { user, password } => {
                (user.to_lowercase(), self.password(user, password))
            }
            Credentials::Bearer { user, token } => (user.to_lowercase(), self.token(user, token)),
            Credentials::Nonsense => (String::new(), Err((Some(BAD_TOKEN), INVALID))),
        };
        let refused = |challenge: Option<&str>, tagged: &str| Verdict::Refused {
            challenge: challenge.map(str::to_owned),
            untagged: Vec::new(),
            tagged: tagged.to_owned(),
        };
        let scope = match proof {
            Ok(scope) => scope,
            Err((challenge, tagged)) => return refused(challenge, tagged),
        };
        let Some(account) = self.accounts.get(&address) else { return refused(None, INVALID) };
        if !account.settings.imap {
            return refused(None, IMAP_OFF);
        }
        if account.faults.web_login_required {
            let untagged = vec![WEB_ALERT.to_owned()];
            return Verdict::Refused { challenge: None, untagged, tagged: WEB_LOGIN.to_owned() };
        }
        if self.sessions_of(&address) >= account.settings.connections {
            return refused(None, TOO_MANY);
        }
        self.enter(session, &address, scope)
    }

    /// An app password opens IMAP; the account's own does not any more (G88, G89).
    fn password(
        &self,
        user: &str,
        password: &str,
    ) -> Result<Scope, (Option<&'static str>, &'static str)> {
        let account = self.accounts.get(&user.to_lowercase()).ok_or((None, INVALID))?;
        // Google shows app passwords in groups of four.
        if account.app_passwords.contains(&password.replace(' ', "")) {
            return Ok(Scope::Shown);
        }
        Err((None, if password == account.web_password { APP_PASSWORD } else { INVALID }))
    }

    pub(super) fn app_password_fits(&self, user: &str, password: &str) -> bool {
        self.password(user, password).is_ok()
    }

    /// What a token is good for, in IMAP and in SMTP.
    pub(super) fn judges_token(&self, user: &str, token: &str) -> Token {
        let account: Option<&Account> = self.accounts.get(&user.to_lowercase());
        match &self.token_hook {
            Some(hook) => hook(user, token),
            None => match account.and_then(|account| account.tokens.get(token)) {
                Some(true) => Token::GoodForEverything,
                Some(false) => Token::Good,
                None => Token::Bad,
            },
        }
    }

    fn token(
        &self,
        user: &str,
        token: &str,
    ) -> Result<Scope, (Option<&'static str>, &'static str)> {
        match self.judges_token(user, token) {
            Token::Good => Ok(Scope::Shown),
            Token::GoodForEverything => Ok(Scope::Everything),
            Token::Bad => Err((Some(BAD_TOKEN), INVALID)),
        }
    }
}
