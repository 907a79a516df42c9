//! Tokens without a person at hand: from a service account's assertion, and from a refresh token.

use serde_json::json;

use super::super::http::Answer;
use super::super::jwt::{Jwt, SERVICE_ACCOUNT_KEY};
use super::super::ledger::Death;
use super::{CLIENT_ID, Form, Office, SERVICE_ACCOUNT, Setup, is_a_scope, person, refuse};

/// The longest that an assertion may be good for (G80).
const ASSERTION_SECONDS: i64 = 3600;
/// How far clocks may differ.
const SKEW_SECONDS: i64 = 300;

impl Office {
    /// `grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer` (G80, G83).
    pub(super) fn redeem_assertion(&self, form: &Form) -> Answer {
        let setup = self.setup();
        let Some(assertion) = form.get("assertion") else {
            return refuse(400, "invalid_request", "Missing required parameter: assertion");
        };
        let Some(jwt) = Jwt::read(assertion) else {
            return refuse(400, "invalid_grant", "Bad Request");
        };
        if let Err(why) = self.check_assertion(&jwt, &setup) {
            return refuse(400, "invalid_grant", &why);
        }
        let scopes: Vec<String> =
            jwt.claim("scope").split_whitespace().map(str::to_owned).collect();
        if scopes.is_empty() {
            return refuse(400, "invalid_scope", "Empty or missing scope not allowed.");
        }
        if !scopes.iter().all(|scope| is_a_scope(scope)) {
            let text = "Invalid OAuth scope or ID token audience provided.";
            return refuse(400, "invalid_scope", text);
        }
        let subject = match jwt.claim("sub") {
            "" => SERVICE_ACCOUNT,
            subject => subject,
        };
        if let Some(refusal) = refuse_delegation(&setup, subject, &scopes) {
            return refusal;
        }
        let body = self.give(&setup, person(subject, scopes, SERVICE_ACCOUNT));
        Answer::json(200, &body)
    }

    fn check_assertion(&self, jwt: &Jwt, setup: &Setup) -> Result<(), String> {
        if jwt.claim("iss") != SERVICE_ACCOUNT {
            return Err("Invalid grant: account not found".into());
        }
        if !setup.key_exists || !jwt.is_signed_by(SERVICE_ACCOUNT_KEY) {
            return Err("Invalid JWT Signature.".into());
        }
        let here = format!("{}/token", self.url);
        if ![here.as_str(), "https://oauth2.googleapis.com/token"].contains(&jwt.claim("aud")) {
            return Err("Invalid JWT: Failed audience check".into());
        }
        let now = super::super::now() + setup.clock_ahead_seconds;
        let time = |name: &str| jwt.claims[name].as_i64().unwrap_or(0);
        let (issued, expires) = (time("iat"), time("exp"));
        let is_short = issued < expires && expires <= issued + ASSERTION_SECONDS;
        if !is_short || issued > now + SKEW_SECONDS || expires < now - SKEW_SECONDS {
            return Err("Invalid JWT: Token must be a short-lived token (60 minutes) and in a \
                reasonable timeframe. Check your iat and exp values in the JWT claim."
                .into());
        }
        Ok(())
    }

    /// `grant_type=refresh_token` (G86).
    pub(super) fn redeem_refresh_token(&self, form: &Form) -> Answer {
        if let Err(refusal) = Office::client(form) {
            return refusal;
        }
        let Some(token) = form.get("refresh_token") else {
            return refuse(400, "invalid_request", "Missing required parameter: refresh_token");
        };
        let setup = self.setup();
        let mut grant = match self.ledger.use_refresh(token, CLIENT_ID, Office::lives(&setup)) {
            Ok(grant) => grant,
            Err(Death::Unknown) => return refuse(400, "invalid_grant", "Bad Request"),
            Err(_) => {
                return refuse(400, "invalid_grant", "Token has been expired or revoked.");
            }
        };
        let wanted = form.words("scope");
        if !wanted.iter().all(|scope| grant.has(scope)) {
            return refuse(400, "invalid_scope", "Bad Request");
        }
        if !wanted.is_empty() {
            grant.scopes = wanted;
        }
        let scope = grant.scopes.join(" ");
        let mut body = self.give(&setup, grant);
        body["scope"] = json!(scope);
        Answer::json(200, &body)
    }
}

/// Whether the admin lets the service account stand in for this account with these scopes.
fn refuse_delegation(setup: &Setup, subject: &str, scopes: &[String]) -> Option<Answer> {
    if subject == SERVICE_ACCOUNT {
        return None;
    }
    if !scopes.iter().all(|scope| setup.delegated.contains(scope)) {
        // G83: "full text from memory".
        let text = "Client is unauthorized to retrieve access tokens using this method, or client \
            not authorized for any of the scopes requested.";
        return Some(refuse(401, "unauthorized_client", text));
    }
    let exists = setup.accounts.iter().any(|account| account.eq_ignore_ascii_case(subject));
    (!exists).then(|| refuse(400, "invalid_grant", "Invalid email or User ID"))
}
