//! Token introspection (RFC 7662), so that a real Dovecot can ask whether a token is good.
//!
//! Google and Microsoft have no such endpoint for these tokens; it is the world's own.

use serde_json::json;

use super::http::{Answer, Request};
use super::ledger::{Ledger, Who};

/// Answers `token=…`, in the body, in the query, or as the bearer of the request.
pub(crate) fn answer(ledger: &Ledger, request: &Request) -> Answer {
    let form = request.form();
    let token = form.get("token").or_else(|| request.query.get("token")).or(request.bearer());
    let token = token.unwrap_or_default();
    let Ok(grant) = ledger.look_up(token) else {
        return Answer::json(200, &json!({ "active": false }));
    };
    let (Who::Person(name) | Who::App(name)) = &grant.who;
    let body = json!({
        "active": true,
        "token_type": "Bearer",
        "username": name,
        "email": name,
        "client_id": grant.client,
        "scope": grant.scopes.join(" "),
        "exp": super::now() + ledger.seconds_left(token).unwrap_or(0),
    });
    Answer::json(200, &body)
}
