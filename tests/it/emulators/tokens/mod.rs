//! The token endpoints of the world, spoken to in raw HTTP: what Baton is tested against must be right itself.

mod dovecot;
mod gmail;
mod google;
mod microsoft;
mod network;

use serde_json::{Value, json};

use crate::world::tokens::browser::{Reply, post};
use crate::world::tokens::google::{MAIL, SERVICE_ACCOUNT};
use crate::world::tokens::{Google, jwt};

/// The account that the service account stands in for.
const SUPPORT: &str = "support@example.test";

/// What a service account says of itself when all is right.
fn claims(google: &Google) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({
        "iss": SERVICE_ACCOUNT, "sub": SUPPORT, "scope": MAIL, "aud": google.token_url(),
        "iat": now, "exp": now + 3600,
    })
}

/// Asks for a token with these claims, signed with this key.
fn assert_with(google: &Google, claims: &Value, key: &str) -> Reply {
    let assertion = jwt::sign(&json!({ "alg": "RS256", "typ": "JWT" }), claims, key);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    post(&google.token_url(), &[("grant_type", grant), ("assertion", &assertion)]).unwrap()
}

/// A token that the service account gets for the mailbox.
#[track_caller]
fn token(google: &Google, scope: &str) -> String {
    let mut claims = claims(google);
    claims["scope"] = json!(scope);
    assert_with(google, &claims, jwt::SERVICE_ACCOUNT_KEY).text("access_token")
}
