//! The token endpoints of the test world: twins of Google's and Microsoft's, on the loopback, over plain HTTP.
//!
//! How to use them:
//!
//! ```ignore
//! let google = Google::start();                       // one account, support@example.test, everything allowed
//! google.token_url(); google.auth_url();              // what a client is told instead of https://oauth2.googleapis.com/token
//! google.service_account_json();                      // a key file with `token_uri` of the twin
//! google.set(|setup| setup.delegated.clear());        // what admins and persons can do, see google::Setup
//! google.server.set_trouble(Trouble::Down);           // what the network can do, see http::Trouble
//! google.server.trouble_once(Trouble::status(429, Some(7)));
//! google.server.requests();                           // what was asked so far
//! google.ledger.look_up(token);                       // is a token good now, for whom, for what: for mail servers
//! google.ledger.expire_access();                      // every access token is over
//! google.ledger.forward(7 * 86_400);                  // time passes for tokens and codes
//! google.ledger.end_refresh_of("support@example.test", Death::PasswordChanged);
//! browser::visit(&url_that_the_client_printed);       // the person opens it; its consent is `setup.consent`
//!
//! let microsoft = Microsoft::start();                 // tenant TENANT, app CLIENT_ID with SECRET and certificate
//! microsoft.token_url(TENANT); microsoft.authority(); // the latter instead of https://login.microsoftonline.com
//! microsoft.set(|setup| setup.secret = Secret::Expired);
//! microsoft.enters(&user_code, "ana@contoso.com");    // the person goes to the verification address
//! ```
//!
//! A real Dovecot takes the tokens with [`super::Server::asking`], through `introspection_url()`. No code is shared with Baton.

pub(crate) mod browser;
pub(crate) mod form;
pub(crate) mod google;
pub(crate) mod http;
mod introspection;
pub(crate) mod jwt;
mod ledger;
pub(crate) mod microsoft;

pub(crate) use self::google::Google;
pub(crate) use self::http::Trouble;
pub(crate) use self::ledger::{Death, Grant, Ledger, Refused, Who, random};
pub(crate) use self::microsoft::Microsoft;

/// What the person at the browser does with the consent screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Consent {
    Yes,
    No,
    /// Yes, with this scope's box not ticked.
    Without(&'static str),
}

/// The real time, in seconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
