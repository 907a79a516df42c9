//! Tokens with a person at the browser: the consent screen, and the code that it sends to the client (G84).

use serde_json::json;

use super::super::Consent;
use super::super::http::{Answer, Request};
use super::super::jwt::challenge;
use super::super::ledger::{Refused, random};
use super::{CLIENT_ID, Form, Office, is_a_scope, person, refuse, with_parameters};

impl Office {
    /// Shows the consent screen, where the person of [`super::Setup`] clicks at once.
    pub(super) fn consent_screen(&self, request: &Request) -> Answer {
        let query = &request.query;
        let redirect_uri = query.get("redirect_uri").unwrap_or_default();
        let scopes = query.words("scope");
        if let Some(wrong) = blocked(query, redirect_uri, &scopes) {
            return Answer::page(400, &format!("Access blocked: Authorization Error<br>{wrong}"));
        }
        let setup = self.setup();
        let state = query.get("state").unwrap_or_default();
        let granted = match setup.consent {
            Consent::Yes => scopes,
            Consent::Without(unticked) => {
                scopes.into_iter().filter(|one| one != unticked).collect()
            }
            Consent::No => {
                let refused = [("error", "access_denied"), ("state", state)];
                return Answer::redirect(with_parameters(redirect_uri, &refused));
            }
        };
        let code = format!("4/0A{}", random(45));
        let scope = granted.join(" ");
        self.ledger.give_code(
            &code,
            person(&setup.person, granted, CLIENT_ID),
            redirect_uri,
            query.get("code_challenge"),
            query.get("access_type") == Some("offline"),
        );
        let parameters = [("state", state), ("code", code.as_str()), ("scope", scope.as_str())];
        Answer::redirect(with_parameters(redirect_uri, &parameters))
    }

    /// `grant_type=authorization_code`.
    pub(super) fn redeem_code(&self, form: &Form) -> Answer {
        if let Err(refusal) = Office::client(form) {
            return refusal;
        }
        let Some(code) = form.get("code") else {
            return refuse(400, "invalid_request", "Missing required parameter: code");
        };
        let code = match self.ledger.spend_code(code) {
            Ok(code) => code,
            Err(Refused::Unknown) => return refuse(400, "invalid_grant", "Malformed auth code."),
            Err(_) => return refuse(400, "invalid_grant", "Bad Request"),
        };
        if form.get("redirect_uri") != Some(&code.redirect_uri) {
            return refuse(400, "redirect_uri_mismatch", "Bad Request");
        }
        let verifier = form.get("code_verifier");
        match (&code.challenge, verifier) {
            (Some(_), None) => return refuse(400, "invalid_grant", "Missing code verifier."),
            (Some(wanted), Some(verifier)) if *wanted != challenge(verifier) => {
                return refuse(400, "invalid_grant", "Invalid code verifier.");
            }
            _ => {}
        }
        let setup = self.setup();
        let mut body = self.give(&setup, code.grant.clone());
        body["scope"] = json!(code.grant.scopes.join(" "));
        if code.offline {
            let token = format!("1//0{}", random(75));
            self.ledger.give_refresh(&token, code.grant);
            body["refresh_token"] = json!(token);
            if setup.testing {
                body["refresh_token_expires_in"] = json!(7 * 86_400);
            }
        }
        Answer::json(200, &body)
    }
}

/// What is wrong with a request that Google does not even send back to the client.
fn blocked(query: &Form, redirect_uri: &str, scopes: &[String]) -> Option<String> {
    if query.get("client_id") != Some(CLIENT_ID) {
        return Some("Error 401: invalid_client<br>The OAuth client was not found.".into());
    }
    // An installed app may use any port of the loopback, and nothing else.
    let is_loopback = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
        .iter()
        .any(|start| redirect_uri.starts_with(start));
    if !is_loopback {
        return Some(format!("Error 400: redirect_uri_mismatch<br>{redirect_uri}"));
    }
    if query.get("response_type") != Some("code") {
        return Some(
            "Error 400: invalid_request<br>Required parameter is missing: response_type".into(),
        );
    }
    if scopes.is_empty() || !scopes.iter().all(|scope| is_a_scope(scope)) {
        return Some(format!("Error 400: invalid_scope<br>{}", scopes.join(" ")));
    }
    match (query.get("code_challenge"), query.get("code_challenge_method")) {
        (Some(_), Some("S256")) | (None, None) => None,
        _ => Some(
            "Error 400: invalid_request<br>Invalid parameter value for code_challenge_method"
                .into(),
        ),
    }
}
