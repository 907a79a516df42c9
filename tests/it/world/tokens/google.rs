//! Google's authorisation server: `/o/oauth2/v2/auth`, `/token`, `/revoke`, `/device/code`.
//!
//! The paths lie on one host here; at Google `auth` is on `accounts.google.com` and the others are on
//! `oauth2.googleapis.com` (G84). Facts are named where they are obeyed; error texts without a fact are from memory.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::form::{self, Form};
use super::http::{Answer, Request, Server};
use super::ledger::{Grant, Ledger, Lives, Who, random};
use super::{Consent, jwt};

mod code;
mod grants;

/// The id of the installed-app client.
pub(crate) const CLIENT_ID: &str = "407408718192-baton.apps.googleusercontent.com";
/// Its secret, which Google gives to installed apps, too.
pub(crate) const CLIENT_SECRET: &str = "GOCSPX-baton-test-secret";
/// The service account with domain-wide delegation (G80).
pub(crate) const SERVICE_ACCOUNT: &str = "baton@baton-test.iam.gserviceaccount.com";
/// IMAP and SMTP (G81).
pub(crate) const MAIL: &str = "https://mail.google.com/";
/// IMAP only, and everything in it (G25, G81).
pub(crate) const IMAP_ADMIN: &str = "https://www.googleapis.com/auth/gmail.imap_admin";

/// What the admins and persons have set up at Google; change it with [`Google::set`].
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The Workspace's accounts, by address.
    pub(crate) accounts: Vec<String>,
    /// The scopes that the admin console's domain-wide delegation lists; empty is "not authorised" (G83).
    pub(crate) delegated: Vec<String>,
    /// Whether the service account still has its key.
    pub(crate) key_exists: bool,
    /// Who sits at the browser, and what they click.
    pub(crate) person: String,
    pub(crate) consent: Consent,
    /// How long access tokens live: 3599 (G84).
    pub(crate) access_seconds: i64,
    /// The consent screen is in "Testing": refresh tokens die after seven days (G86).
    pub(crate) testing: bool,
    /// By how many seconds Google's clock is ahead of this machine's.
    pub(crate) clock_ahead_seconds: i64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            accounts: vec!["support@example.test".to_owned()],
            delegated: vec![MAIL.to_owned(), IMAP_ADMIN.to_owned()],
            key_exists: true,
            person: "support@example.test".to_owned(),
            consent: Consent::Yes,
            access_seconds: 3599,
            testing: false,
            clock_ahead_seconds: 0,
        }
    }
}

struct Office {
    url: String,
    ledger: Arc<Ledger>,
    setup: Mutex<Setup>,
}

/// A running twin.
pub(crate) struct Google {
    pub(crate) server: Server,
    pub(crate) ledger: Arc<Ledger>,
    office: Arc<Office>,
}

impl Google {
    pub(crate) fn start() -> Google {
        let ledger = Arc::new(Ledger::new());
        let mut started = None;
        let server = Server::start(|url| {
            let office = Arc::new(Office {
                url: url.to_owned(),
                ledger: Arc::clone(&ledger),
                setup: Mutex::default(),
            });
            started = Some(Arc::clone(&office));
            move |request: &Request| office.answer(request)
        });
        Google { server, ledger, office: started.expect("a started server") }
    }

    /// Where a person's browser begins.
    pub(crate) fn auth_url(&self) -> String {
        format!("{}/o/oauth2/v2/auth", self.server.url())
    }

    /// Where tokens are asked for.
    pub(crate) fn token_url(&self) -> String {
        format!("{}/token", self.server.url())
    }

    /// Where a mail server may ask about tokens (RFC 7662).
    pub(crate) fn introspection_url(&self) -> String {
        format!("{}/introspect", self.server.url())
    }

    /// Changes what is set up.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Setup)) {
        change(&mut self.office.setup.lock().unwrap());
    }

    /// The key file of the service account, as the Cloud console gives it out, with this twin as `token_uri`.
    pub(crate) fn service_account_json(&self) -> String {
        let file = json!({
            "type": "service_account",
            "project_id": "baton-test",
            "private_key_id": "0123456789abcdef0123456789abcdef01234567",
            "private_key": jwt::SERVICE_ACCOUNT_KEY,
            "client_email": SERVICE_ACCOUNT,
            "client_id": "104357910123456789012",
            "auth_uri": self.auth_url(),
            "token_uri": self.token_url(),
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "universe_domain": "googleapis.com",
        });
        format!("{file:#}")
    }
}

impl Office {
    fn answer(&self, request: &Request) -> Answer {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/o/oauth2/v2/auth" | "/o/oauth2/auth") => self.consent_screen(request),
            ("POST", "/token" | "/o/oauth2/token") => self.token(&request.form()),
            ("POST", "/revoke") => self.revoke(request),
            ("POST", "/device/code") => no_device_flow(&request.form()),
            (_, "/introspect") => super::introspection::answer(&self.ledger, request),
            _ => Answer::page(404, "The requested URL was not found on this server."),
        }
    }

    fn setup(&self) -> Setup {
        self.setup.lock().unwrap().clone()
    }

    fn token(&self, form: &Form) -> Answer {
        match form.get("grant_type") {
            Some("urn:ietf:params:oauth:grant-type:jwt-bearer") => self.redeem_assertion(form),
            Some("refresh_token") => self.redeem_refresh_token(form),
            Some("authorization_code") => self.redeem_code(form),
            Some(other) => {
                refuse(400, "unsupported_grant_type", &format!("Invalid grant_type: {other}"))
            }
            None => refuse(400, "invalid_request", "Missing required parameter: grant_type"),
        }
    }

    fn revoke(&self, request: &Request) -> Answer {
        let form = request.form();
        let token = form.get("token").or_else(|| request.query.get("token"));
        match self.ledger.revoke(token.unwrap_or_default()) {
            Ok(()) => Answer::json(200, &json!({})),
            Err(_) => refuse(400, "invalid_token", "Token expired or revoked"),
        }
    }

    /// The client of a request, or why not.
    fn client(form: &Form) -> Result<(), Answer> {
        match (form.get("client_id"), form.get("client_secret")) {
            (None, _) => {
                Err(refuse(400, "invalid_request", "Could not determine client ID from request."))
            }
            (Some(CLIENT_ID), Some(CLIENT_SECRET)) => Ok(()),
            (Some(CLIENT_ID), None) => {
                Err(refuse(400, "invalid_request", "client_secret is missing."))
            }
            (Some(CLIENT_ID), Some(_)) => {
                Err(refuse(401, "invalid_client", "The provided client secret is invalid."))
            }
            (Some(_), _) => Err(refuse(401, "invalid_client", "The OAuth client was not found.")),
        }
    }

    fn lives(setup: &Setup) -> Lives {
        Lives { unused_seconds: 183 * 86_400, at_all_seconds: setup.testing.then_some(7 * 86_400) }
    }

    /// Gives out an access token, and says so without `scope` and refresh token.
    fn give(&self, setup: &Setup, grant: Grant) -> serde_json::Value {
        // Real ones have 200 to 250 characters.
        let token = format!("ya29.a0{}", random(150));
        self.ledger.give_access(&token, grant, setup.access_seconds);
        json!({ "access_token": token, "expires_in": setup.access_seconds, "token_type": "Bearer" })
    }
}

/// An error as Google's token endpoint writes it.
fn refuse(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}

/// Google's device flow does not allow the mail scope (G87).
fn no_device_flow(form: &Form) -> Answer {
    let scope = form.get("scope").unwrap_or_default();
    refuse(400, "invalid_scope", &format!("Invalid device flow scope: {scope}"))
}

/// The scopes that exist, as far as mail goes.
fn is_a_scope(scope: &str) -> bool {
    scope == MAIL || scope.starts_with("https://www.googleapis.com/auth/") || scope == "email"
}

/// Adds parameters to an address that may have some.
fn with_parameters(address: &str, parameters: &[(&str, &str)]) -> String {
    let link = if address.contains('?') { '&' } else { '?' };
    format!("{address}{link}{}", form::write(parameters))
}

fn person(address: &str, scopes: Vec<String>, client: &str) -> Grant {
    Grant { who: Who::Person(address.to_owned()), client: client.to_owned(), scopes }
}
