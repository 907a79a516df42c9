//! What Entra says when it refuses: `error`, a text that begins with `AADSTS` and a number, and the number again.
//!
//! The numbers and texts are from memory of Microsoft's published list; 7000222 is named by the facts.

use serde_json::json;

use super::super::http::Answer;
use super::super::ledger::Death;
use super::{CLIENT_ID, TENANT};

/// An error as Entra writes it.
pub(super) fn refuse(status: u16, error: &str, code: u32, text: &str) -> Answer {
    refuse_with(status, error, code, text, None)
}

fn refuse_with(status: u16, error: &str, code: u32, text: &str, sub: Option<&str>) -> Answer {
    let (trace, correlation) =
        ("0d9d1a65-5c6a-4a0e-8d3c-9c0f6b1f4d00", "3f1f2a5e-8a7c-4d5b-9e43-6f7a90cb51d2");
    let timestamp = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let mut body = json!({
        "error": error,
        "error_description": format!(
            "AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
        ),
        "error_codes": [code],
        "timestamp": timestamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    if let Some(sub) = sub {
        body["suberror"] = json!(sub);
    }
    Answer::json(status, &body)
}

pub(super) fn missing(field: &str) -> Answer {
    let text = format!("The request body must contain the following parameter: '{field}'.");
    refuse(400, "invalid_request", 900_144, &text)
}

pub(super) fn unsupported_grant_type(what: &str) -> Answer {
    let text = format!("The app requested an unsupported grant type '{what}'.");
    refuse(400, "unsupported_grant_type", 70_003, &text)
}

pub(super) fn no_tenant() -> Answer {
    let text = "No tenant-identifying information found in either the request or implied by any \
        provided credentials.";
    refuse(400, "invalid_request", 50_059, text)
}

pub(super) fn unknown_tenant(tenant: &str) -> Answer {
    let text = format!(
        "Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are \
         signing into the correct cloud. Check with your subscription administrator, this may \
         happen if there are no active subscriptions for the tenant."
    );
    refuse(400, "invalid_request", 90_002, &text)
}

pub(super) fn unknown_client(client: &str) -> Answer {
    let text = format!(
        "Application with identifier '{client}' was not found in the directory 'Contoso'. This can \
         happen if the application has not been installed by the administrator of the tenant or \
         consented to by any user in the tenant. You may have sent your authentication request to \
         the wrong tenant."
    );
    refuse(400, "unauthorized_client", 700_016, &text)
}

/// The secret is over (M77): every mailbox stops at once.
pub(super) fn secret_expired() -> Answer {
    let text = format!(
        "The provided client secret keys for app '{CLIENT_ID}' are expired. Visit the Azure portal \
         to create new keys for your app: https://aka.ms/NewClientSecret, or consider using \
         certificate credentials for added security: https://aka.ms/certCreds."
    );
    refuse(401, "invalid_client", 7_000_222, &text)
}

pub(super) fn secret_wrong() -> Answer {
    let text = format!(
        "Invalid client secret provided. Ensure the secret being sent in the request is the client \
         secret value, not the client secret ID, for a secret added to app '{CLIENT_ID}'."
    );
    refuse(401, "invalid_client", 7_000_215, &text)
}

pub(super) fn no_credential() -> Answer {
    let text = "The request body must contain the following parameter: 'client_assertion' or \
        'client_secret'.";
    refuse(401, "invalid_client", 7_000_218, text)
}

/// What is wrong with a client assertion (M78).
pub(super) fn assertion(code: u32, text: &str) -> Answer {
    refuse(401, "invalid_client", code, text)
}

pub(super) fn scope_is_no_default(scope: &str) -> Answer {
    let text = format!(
        "The provided value for scope {scope} is not valid. Client credential flows must have a \
         scope value with /.default suffixed to the resource identifier (application ID URI)."
    );
    refuse(400, "invalid_scope", 1_002_012, &text)
}

pub(super) fn unknown_scope(scope: &str) -> Answer {
    let text = format!(
        "The provided request must include a 'scope' input parameter. The provided value for the \
         input parameter 'scope' is not valid. The scope {scope} is not valid."
    );
    refuse(400, "invalid_scope", 70_011, &text)
}

pub(super) fn unknown_resource(resource: &str) -> Answer {
    let text = format!(
        "The resource principal named {resource} was not found in the tenant named Contoso. This \
         can happen if the application has not been installed by the administrator of the tenant \
         or consented to by any user in the tenant. You might have sent your authentication \
         request to the wrong tenant."
    );
    refuse(400, "invalid_resource", 500_011, &text)
}

/// One request cannot mix resources (M75).
pub(super) fn several_resources(scope: &str) -> Answer {
    let text = format!(
        "Provided value for the input parameter scope is not valid because it contains more than \
         one resource. Scope {scope} is not valid."
    );
    refuse(400, "invalid_request", 28_000, &text)
}

pub(super) fn no_consent() -> Answer {
    let text = format!(
        "The user or administrator has not consented to use the application with ID '{CLIENT_ID}' \
         named 'Baton'. Send an interactive authorization request for this user and resource."
    );
    refuse_with(400, "invalid_grant", 65_001, &text, Some("consent_required"))
}

pub(super) fn refresh_is_dead(death: Death) -> Answer {
    let (code, text) = match death {
        Death::Unknown => (9_002_313, "Invalid request. Request is malformed or invalid."),
        Death::Unused => (
            700_082,
            "The refresh token has expired due to inactivity. The token was issued on \
             2026-01-01T00:00:00.0000000Z and was inactive for 90.00:00:00.",
        ),
        Death::PasswordChanged => (
            50_173,
            "The provided grant has expired due to it being revoked, a fresh auth token is needed. \
             The user might have changed or reset their password. The grant was issued on \
             '2026-01-01T00:00:00.0000000Z' and the TokensValidFrom date (before which tokens are \
             not valid) for this user is '2026-01-02T00:00:00.0000000Z'.",
        ),
        Death::Revoked | Death::TooOld | Death::Rotated => {
            (70_000, "The provided value for the 'refresh_token' parameter is not valid.")
        }
    };
    let sub = (death != Death::Unknown).then_some("bad_token");
    refuse_with(400, "invalid_grant", code, text, sub)
}

pub(super) fn code_expired() -> Answer {
    let text = "The provided authorization code or refresh token has expired due to inactivity. \
        Send a new interactive authorization request for this user and resource.";
    refuse(400, "invalid_grant", 70_008, text)
}

pub(super) fn code_spent() -> Answer {
    let text = "OAuth2 Authorization code was already redeemed, please retry with a new valid code \
        or use an existing refresh token.";
    refuse(400, "invalid_grant", 54_005, text)
}

pub(super) fn redirect_differs(address: &str) -> Answer {
    let text = format!(
        "The reply URL '{address}' specified in the request does not match the redirect URI \
         '{address}' of the authorization request."
    );
    refuse(400, "invalid_grant", 50_011, &text)
}

pub(super) fn verifier_differs() -> Answer {
    let text = "The Code_Verifier does not match the code_challenge supplied in the authorization \
        request.";
    refuse(400, "invalid_grant", 501_481, text)
}

pub(super) fn pending() -> Answer {
    let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
    refuse(400, "authorization_pending", 70_016, text)
}

/// M76 names the error; its number is not known.
pub(super) fn slow_down() -> Answer {
    refuse(400, "slow_down", 70_016, "OAuth 2.0 device flow error. Polling too fast.")
}

pub(super) fn device_expired() -> Answer {
    let text = "The provided value for the input parameter 'device_code' is not valid. This device \
        code has expired.";
    refuse(400, "expired_token", 70_020, text)
}

pub(super) fn device_declined() -> Answer {
    let text = "The end-user denied the authorization request.";
    refuse(400, "authorization_declined", 70_017, text)
}

pub(super) fn device_unknown() -> Answer {
    let text = "The provided value for the input parameter 'device_code' is not valid.";
    refuse(400, "bad_verification_code", 70_018, text)
}

/// Conditional Access often blocks the device flow (M76).
pub(super) fn blocked_by_policy() -> Answer {
    let text = "Access has been blocked by Conditional Access policies. The access policy does not \
        allow token issuance.";
    refuse_with(400, "invalid_grant", 53_003, text, Some("message_only"))
}

/// The page that a browser is left with.
pub(super) fn page(code: u32, text: &str) -> Answer {
    Answer::page(
        400,
        &format!(
            "Sign in<br>Sorry, but we’re having trouble signing you in.<br>AADSTS{code}: {text}<br>{TENANT}"
        ),
    )
}
