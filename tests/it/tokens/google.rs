//! Google's twin.

use serde_json::{Value, json};

use crate::world::tokens::browser::{self, Reply, post};
use crate::world::tokens::google::{CLIENT_ID, CLIENT_SECRET, IMAP_ADMIN, MAIL, SERVICE_ACCOUNT};
use crate::world::tokens::{Consent, Death, Google, Refused, Who, jwt};

const SUPPORT: &str = "support@example.test";
const REDIRECT: &str = "http://127.0.0.1:1/";

fn claims(google: &Google) -> Value {
    let now = jiff::Timestamp::now().as_second();
    json!({
        "iss": SERVICE_ACCOUNT, "sub": SUPPORT, "scope": MAIL, "aud": google.token_url(),
        "iat": now, "exp": now + 3600,
    })
}

fn assert_with(google: &Google, claims: &Value, key: &str) -> Reply {
    let assertion = jwt::sign(&json!({ "alg": "RS256", "typ": "JWT" }), claims, key);
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    post(&google.token_url(), &[("grant_type", grant), ("assertion", &assertion)]).unwrap()
}

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str, description: &str) {
    let expected = json!({ "error": error, "error_description": description });
    assert_eq!((reply.status, reply.json()), (status, expected));
}

#[test]
fn a_service_account_stands_in_for_a_mailbox() {
    let google = Google::start();
    let reply = assert_with(&google, &claims(&google), jwt::SERVICE_ACCOUNT_KEY);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let body = reply.json();
    assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(3599), &json!("Bearer")));
    assert!(body["refresh_token"].is_null());
    let grant = google.ledger.look_up(&reply.text("access_token")).unwrap();
    assert_eq!(grant.who, Who::Person(SUPPORT.to_owned()));
    assert_eq!(grant.scopes, [MAIL]);

    // G81: a token for each protocol.
    let mut imap_only = claims(&google);
    imap_only["scope"] = json!(IMAP_ADMIN);
    let reply = assert_with(&google, &imap_only, jwt::SERVICE_ACCOUNT_KEY);
    let grant = google.ledger.look_up(&reply.text("access_token")).unwrap();
    assert!(grant.has(IMAP_ADMIN) && !grant.has(MAIL));
    assert_eq!(google.ledger.access_tokens(), 2);
}

#[test]
fn the_key_file_holds_what_an_assertion_needs() {
    let google = Google::start();
    let file: Value = serde_json::from_str(&google.service_account_json()).unwrap();
    let mut claims = claims(&google);
    claims["iss"] = file["client_email"].clone();
    claims["aud"] = file["token_uri"].clone();
    let reply = assert_with(&google, &claims, file["private_key"].as_str().unwrap());
    assert_eq!(reply.status, 200, "{}", reply.body);
}

#[test]
fn an_assertion_is_really_checked() {
    let google = Google::start();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&google);
        claims[name] = value;
        assert_with(&google, &claims, jwt::SERVICE_ACCOUNT_KEY)
    };
    let now = jiff::Timestamp::now().as_second();
    let timeframe = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. \
        Check your iat and exp values in the JWT claim.";
    let reply = assert_with(&google, &claims(&google), jwt::STRANGERS_KEY);
    refused(&reply, 400, "invalid_grant", "Invalid JWT Signature.");
    let reply = with("iss", json!("other@elsewhere.iam.gserviceaccount.com"));
    refused(&reply, 400, "invalid_grant", "Invalid grant: account not found");
    refused(&with("exp", json!(now + 3700)), 400, "invalid_grant", timeframe);
    refused(&with("iat", json!(now - 7200)), 400, "invalid_grant", timeframe);
    let reply = with("aud", json!("https://example.test/token"));
    refused(&reply, 400, "invalid_grant", "Invalid JWT: Failed audience check");
    let reply = with("scope", json!(""));
    refused(&reply, 400, "invalid_scope", "Empty or missing scope not allowed.");
    let reply = with("scope", json!("mail"));
    refused(&reply, 400, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
    let reply = with("sub", json!("nobody@example.test"));
    refused(&reply, 400, "invalid_grant", "Invalid email or User ID");

    google.set(|setup| setup.clock_ahead_seconds = 7200);
    refused(&with("sub", json!(SUPPORT)), 400, "invalid_grant", timeframe);
    google.set(|setup| setup.clock_ahead_seconds = 0);
    google.set(|setup| setup.key_exists = false);
    let reply = with("sub", json!(SUPPORT));
    refused(&reply, 400, "invalid_grant", "Invalid JWT Signature.");
}

/// G83: 401, and these words.
#[test]
fn delegation_that_the_admin_did_not_allow_is_an_unauthorized_client() {
    let google = Google::start();
    google.set(|setup| setup.delegated = vec![IMAP_ADMIN.to_owned()]);
    let reply = assert_with(&google, &claims(&google), jwt::SERVICE_ACCOUNT_KEY);
    refused(
        &reply,
        401,
        "unauthorized_client",
        "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of \
         the scopes requested.",
    );
    google.set(|setup| setup.accounts.push("sales@example.test".to_owned()));
    let mut sales = claims(&google);
    (sales["sub"], sales["scope"]) = (json!("sales@example.test"), json!(IMAP_ADMIN));
    assert_eq!(assert_with(&google, &sales, jwt::SERVICE_ACCOUNT_KEY).status, 200);
}

fn consent_url(google: &Google, challenge: &str) -> String {
    format!(
        "{}?client_id={CLIENT_ID}&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2F&response_type=code&scope={}&state=s%201\
         &access_type=offline&prompt=consent&code_challenge={challenge}&code_challenge_method=S256",
        google.auth_url(),
        "https%3A%2F%2Fmail.google.com%2F+email",
    )
}

/// Opens the consent screen as a browser would, and answers where it sends the person.
fn location(url: &str) -> String {
    let reply = browser::send("GET", url, &[], "").unwrap();
    assert_eq!(reply.status, 302, "{}", reply.body);
    reply.header("location").unwrap().to_owned()
}

fn code_of(location: &str) -> String {
    let code = location.split("code=").nth(1).unwrap().split('&').next().unwrap();
    code.replace("%2F", "/")
}

fn redeem(google: &Google, code: &str, verifier: &str) -> Reply {
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("redirect_uri", REDIRECT),
        ("code", code),
        ("code_verifier", verifier),
    ];
    post(&google.token_url(), &fields).unwrap()
}

fn refresh(google: &Google, token: &str) -> Reply {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("client_secret", CLIENT_SECRET),
        ("refresh_token", token),
    ];
    post(&google.token_url(), &fields).unwrap()
}

fn refresh_token(google: &Google) -> String {
    let code = code_of(&location(&consent_url(google, &jwt::challenge("v"))));
    redeem(google, &code, "v").text("refresh_token")
}

#[test]
fn a_person_consents_and_the_code_is_redeemed_once() {
    let google = Google::start();
    let sent = location(&consent_url(&google, &jwt::challenge("verifier")));
    assert!(sent.starts_with("http://127.0.0.1:1/?state=s%201&code=4%2F0A"), "{sent}");
    assert!(sent.ends_with("&scope=https%3A%2F%2Fmail.google.com%2F%20email"), "{sent}");
    let code = code_of(&sent);
    let reply = redeem(&google, &code, "verifier");
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.text("scope"), "https://mail.google.com/ email");
    refused(&redeem(&google, &code, "verifier"), 400, "invalid_grant", "Bad Request");

    let again = refresh(&google, &reply.text("refresh_token"));
    assert_eq!((again.status, again.text("refresh_token")), (200, String::new()));
    assert_ne!(again.text("access_token"), reply.text("access_token"));
    assert!(google.ledger.look_up(&again.text("access_token")).unwrap().is_for(SUPPORT));
}

#[test]
fn a_wrong_verifier_a_late_code_and_a_refusal_give_nothing() {
    let google = Google::start();
    let url = consent_url(&google, &jwt::challenge("verifier"));
    let code = code_of(&location(&url));
    refused(&redeem(&google, &code, "other"), 400, "invalid_grant", "Invalid code verifier.");
    let code = code_of(&location(&url));
    google.ledger.forward(601);
    refused(&redeem(&google, &code, "verifier"), 400, "invalid_grant", "Bad Request");
    google.set(|setup| setup.consent = Consent::No);
    assert_eq!(location(&url), "http://127.0.0.1:1/?error=access_denied&state=s%201");
    google.set(|setup| setup.consent = Consent::Without(MAIL));
    assert!(location(&url).ends_with("&scope=email"));
    let elsewhere = url.replace("127.0.0.1%3A1", "example.test");
    let reply = browser::send("GET", &elsewhere, &[], "").unwrap();
    assert!(reply.status == 400 && reply.body.contains("redirect_uri_mismatch"), "{}", reply.body);
}

#[test]
fn a_refresh_token_dies_of_many_causes() {
    let gone = "Token has been expired or revoked.";
    let google = Google::start();
    let token = refresh_token(&google);
    google.ledger.end_refresh_of(SUPPORT, Death::PasswordChanged);
    refused(&refresh(&google, &token), 400, "invalid_grant", gone);

    let token = refresh_token(&google);
    google.ledger.forward(184 * 86_400);
    refused(&refresh(&google, &token), 400, "invalid_grant", gone);

    google.set(|setup| setup.testing = true);
    let token = refresh_token(&google);
    google.ledger.forward(6 * 86_400);
    assert_eq!(refresh(&google, &token).status, 200);
    google.ledger.forward(86_400);
    refused(&refresh(&google, &token), 400, "invalid_grant", gone);

    google.set(|setup| setup.testing = false);
    let token = refresh_token(&google);
    let access = refresh(&google, &token).text("access_token");
    let revoke = format!("{}/revoke", google.server.url());
    assert_eq!(post(&revoke, &[("token", &token)]).unwrap().status, 200);
    refused(&refresh(&google, &token), 400, "invalid_grant", gone);
    assert_eq!(google.ledger.look_up(&access), Err(Refused::Revoked));
    refused(&refresh(&google, "1//0never"), 400, "invalid_grant", "Bad Request");
}

#[test]
fn the_hundred_and_first_refresh_token_ends_the_first() {
    let google = Google::start();
    let first = refresh_token(&google);
    for _ in 0..99 {
        refresh_token(&google);
    }
    assert_eq!(refresh(&google, &first).status, 200);
    refresh_token(&google);
    assert_eq!(refresh(&google, &first).status, 400);
}

#[test]
fn the_client_must_be_known() {
    let google = Google::start();
    let ask = |id: &str, secret: &str| {
        let fields =
            [("grant_type", "refresh_token"), ("client_id", id), ("client_secret", secret)];
        post(&google.token_url(), &fields).unwrap()
    };
    let words = "The OAuth client was not found.";
    refused(&ask("other", CLIENT_SECRET), 401, "invalid_client", words);
    let words = "The provided client secret is invalid.";
    refused(&ask(CLIENT_ID, "wrong"), 401, "invalid_client", words);
    let reply = post(&google.token_url(), &[("grant_type", "password")]).unwrap();
    refused(&reply, 400, "unsupported_grant_type", "Invalid grant_type: password");
}

/// G87.
#[test]
fn there_is_no_device_flow_for_mail() {
    let google = Google::start();
    let url = format!("{}/device/code", google.server.url());
    let reply = post(&url, &[("client_id", CLIENT_ID), ("scope", MAIL)]).unwrap();
    refused(&reply, 400, "invalid_scope", "Invalid device flow scope: https://mail.google.com/");
}

#[test]
fn tokens_expire() {
    let google = Google::start();
    let token = refresh_token(&google);
    let access = refresh(&google, &token).text("access_token");
    assert_eq!(google.ledger.seconds_left(&access), Some(3599));
    google.ledger.forward(3598);
    assert!(google.ledger.look_up(&access).is_ok());
    google.ledger.forward(1);
    assert_eq!(google.ledger.look_up(&access), Err(Refused::Expired));
    assert_eq!(google.ledger.look_up("ya29.other"), Err(Refused::Unknown));
    let access = refresh(&google, &token).text("access_token");
    google.ledger.expire_access();
    assert_eq!(google.ledger.look_up(&access), Err(Refused::Expired));
    google.set(|setup| setup.access_seconds = 5);
    let reply = refresh(&google, &token);
    assert_eq!(reply.json()["expires_in"], 5);
}
