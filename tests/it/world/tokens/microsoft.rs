//! Microsoft's authority, Entra: `/{tenant}/oauth2/v2.0/` with `token`, `devicecode` and `authorize`.
//!
//! Facts are named where they are obeyed. Error codes and texts ([`aadsts`]) without a fact are from memory of the published list.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::Consent;
use super::form::{self, Form};
use super::http::{Answer, Request, Server};
use super::ledger::{Grant, Ledger, Lives, Who, random};

mod aadsts;
mod app;
mod client;
mod code;
mod device;
mod refresh;
pub(crate) mod scope;

/// The tenant, by its id. `contoso.com` names it, too; `organizations` and `common` do for persons only.
pub(crate) const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";
/// The app's client id.
pub(crate) const CLIENT_ID: &str = "9f59901a-62e0-5306-ae3a-0e30624464d9";
/// Its client secret.
pub(crate) const SECRET: &str = "vGR8Q~baton-test-secret";

/// How the app's client secret is doing; certificates are another matter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Secret {
    Good,
    /// At most two years old it may become (M77).
    Expired,
}

/// How `expires_in` is written (M79).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ExpiresIn {
    Number,
    Text,
    Missing,
}

/// What a refresh answers besides the access token (M79).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Rotation {
    /// No refresh token: the old one stays.
    Keep,
    /// A new one; the old one works on. What Entra does.
    New,
    /// A new one, and the old one is dead.
    NewAndOldDies,
}

/// What admins and persons have set up; change it with [`Microsoft::set`].
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) secret: Secret,
    /// Whether the app's certificate is uploaded.
    pub(crate) certificate: bool,
    /// The application permissions that an admin has consented to, by resource (M69, M107).
    pub(crate) app_roles: Vec<&'static str>,
    /// Whether the app allows public client flows: without secret, and by device code.
    pub(crate) public_client: bool,
    /// Delegated permissions that an admin has consented to for everybody: `.default` asks for them.
    pub(crate) admin_consent: Vec<&'static str>,
    /// Delegated permissions that nobody may give away without an admin.
    pub(crate) admin_only: Vec<&'static str>,
    /// Conditional Access refuses the device-code flow (M76).
    pub(crate) device_flow_blocked: bool,
    /// Who sits at the browser, and what they click.
    pub(crate) person: String,
    pub(crate) consent: Consent,
    /// How long access tokens live: 60 to 90 minutes (M55).
    pub(crate) access_seconds: i64,
    pub(crate) expires_in: ExpiresIn,
    pub(crate) rotation: Rotation,
    /// How often a device may ask (M76), 0 for as often as it likes.
    pub(crate) interval_seconds: i64,
    /// That many polls more are told to slow down, however slow they are.
    pub(crate) slow_downs: u32,
    /// By how many seconds Microsoft's clock is ahead of this machine's.
    pub(crate) clock_ahead_seconds: i64,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            secret: Secret::Good,
            certificate: true,
            app_roles: vec![
                "https://outlook.office365.com/IMAP.AccessAsApp",
                "https://outlook.office365.com/SMTP.SendAsApp",
                "https://graph.microsoft.com/Mail.ReadWrite",
                "https://graph.microsoft.com/MailboxSettings.ReadWrite",
            ],
            public_client: true,
            admin_consent: Vec::new(),
            admin_only: Vec::new(),
            device_flow_blocked: false,
            person: "ana@contoso.com".to_owned(),
            consent: Consent::Yes,
            access_seconds: 4799,
            expires_in: ExpiresIn::Number,
            rotation: Rotation::New,
            interval_seconds: 5,
            slow_downs: 0,
            clock_ahead_seconds: 0,
        }
    }
}

struct Office {
    url: String,
    ledger: Arc<Ledger>,
    setup: Mutex<Setup>,
    /// By device code.
    devices: Mutex<BTreeMap<String, device::Device>>,
}

/// A running twin.
pub(crate) struct Microsoft {
    pub(crate) server: Server,
    pub(crate) ledger: Arc<Ledger>,
    office: Arc<Office>,
}

impl Microsoft {
    pub(crate) fn start() -> Microsoft {
        let ledger = Arc::new(Ledger::new());
        let mut started = None;
        let server = Server::start(|url| {
            let office = Arc::new(Office {
                url: url.to_owned(),
                ledger: Arc::clone(&ledger),
                setup: Mutex::default(),
                devices: Mutex::default(),
            });
            started = Some(Arc::clone(&office));
            move |request: &Request| office.answer(request)
        });
        Microsoft { server, ledger, office: started.expect("a started server") }
    }

    /// What stands for `https://login.microsoftonline.com`.
    pub(crate) fn authority(&self) -> String {
        self.server.url()
    }

    /// Where tokens are asked for.
    pub(crate) fn token_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/token", self.server.url())
    }

    /// Where a device asks for a code.
    pub(crate) fn device_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/devicecode", self.server.url())
    }

    /// Where a person's browser begins.
    pub(crate) fn authorize_url(&self, tenant: &str) -> String {
        format!("{}/{tenant}/oauth2/v2.0/authorize", self.server.url())
    }

    /// Where a mail server may ask about tokens (RFC 7662).
    pub(crate) fn introspection_url(&self) -> String {
        format!("{}/introspect", self.server.url())
    }

    /// Changes what is set up.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Setup)) {
        change(&mut self.office.setup.lock().unwrap());
    }

    /// A person goes to the verification address, enters the code and clicks what [`Setup`] says. Whether there was
    /// such a code.
    pub(crate) fn enters(&self, user_code: &str, person: &str) -> bool {
        self.office.person_enters(user_code, person)
    }
}

impl Office {
    fn answer(&self, request: &Request) -> Answer {
        if request.path == "/introspect" {
            return super::introspection::answer(&self.ledger, request);
        }
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let [tenant, "oauth2", "v2.0", what] = parts[..] else {
            return Answer::page(404, "The page cannot be found.");
        };
        match (request.method.as_str(), what) {
            ("GET", "authorize") => self.sign_in_page(tenant, request),
            ("POST", "token") => self.token(tenant, &request.form()),
            ("POST", "devicecode") => self.device_code(tenant, &request.form()),
            _ => Answer::page(404, "The page cannot be found."),
        }
    }

    fn setup(&self) -> Setup {
        self.setup.lock().unwrap().clone()
    }

    fn token(&self, tenant: &str, form: &Form) -> Answer {
        let answered = match form.get("grant_type") {
            Some("client_credentials") => self.as_app(tenant, form),
            Some("refresh_token") => self.redeem_refresh_token(tenant, form),
            Some("authorization_code") => self.redeem_code(tenant, form),
            Some("urn:ietf:params:oauth:grant-type:device_code") => {
                self.redeem_device_code(tenant, form)
            }
            Some(other) => Err(aadsts::unsupported_grant_type(other)),
            None => Err(aadsts::missing("grant_type")),
        };
        answered.unwrap_or_else(|refusal| refusal)
    }

    /// Whether this is our tenant, or one of its names; persons may also say what everybody says.
    fn check_tenant(tenant: &str, for_person: bool) -> Result<(), Answer> {
        match tenant {
            TENANT | "contoso.com" | "contoso.onmicrosoft.com" => Ok(()),
            "common" | "organizations" if for_person => Ok(()),
            "common" | "organizations" => Err(aadsts::no_tenant()),
            other => Err(aadsts::unknown_tenant(other)),
        }
    }

    /// The answer that gives out an access token, and a refresh token where there is one.
    fn give(&self, grant: Grant, refresh: Option<String>) -> Answer {
        let setup = self.setup();
        let token = access_token(&grant);
        let mut body = json!({
            "token_type": "Bearer",
            "ext_expires_in": setup.access_seconds,
            "access_token": token,
        });
        match setup.expires_in {
            ExpiresIn::Number => body["expires_in"] = json!(setup.access_seconds),
            ExpiresIn::Text => body["expires_in"] = json!(setup.access_seconds.to_string()),
            ExpiresIn::Missing => {}
        }
        if let Who::Person(_) = grant.who {
            body["scope"] = json!(grant.scopes.join(" "));
        }
        if let Some(refresh) = refresh {
            body["refresh_token"] = json!(refresh);
        }
        self.ledger.give_access(&token, grant, setup.access_seconds);
        Answer::json(200, &body)
    }

    /// A refresh token for everything that the person has consented to.
    fn give_refresh(&self, consented: Grant) -> String {
        let text = format!("1.AVwAv4j5cvGGr0GRqy{}", random(600));
        self.ledger.give_refresh(&text, consented);
        text
    }
}

/// Ninety days without use (M77).
const LIVES: Lives = Lives { unused_seconds: 90 * 86_400, at_all_seconds: None };

/// An access token of the size that real ones have, about 2 KB, which is what makes command lines long (X3). It looks
/// like a JWT and is none that a client should read.
fn access_token(grant: &Grant) -> String {
    let header = json!({ "typ": "JWT", "nonce": random(24), "alg": "RS256", "kid": random(20) });
    let claims =
        json!({ "tid": TENANT, "appid": grant.client, "scp": grant.scopes, "wids": random(700) });
    let part = |value: &Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string())
    };
    format!("{}.{}.{}", part(&header), part(&claims), random(256))
}

fn person(address: &str, scopes: Vec<String>) -> Grant {
    Grant { who: Who::Person(address.to_owned()), client: CLIENT_ID.to_owned(), scopes }
}
