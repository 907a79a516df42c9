//! Microsoft's twin.

use serde_json::{Value, json};

use crate::world::tokens::browser::{self, Reply, post};
use crate::world::tokens::http::{Answer, Request, Server};
use crate::world::tokens::microsoft::{
    CLIENT_ID, ExpiresIn, Rotation, SECRET, Secret, TENANT, scope,
};
use crate::world::tokens::{Consent, Death, Microsoft, Who, jwt};

const OUTLOOK: &str = "https://outlook.office365.com/.default";
const IMAP: &str = "https://outlook.office.com/IMAP.AccessAsUser.All";
const SMTP: &str = "https://outlook.office.com/SMTP.Send";
const SCOPES: &str = "https://outlook.office.com/IMAP.AccessAsUser.All https://outlook.office.com/SMTP.Send offline_access";
const REDIRECT: &str = "http://localhost:1/";

#[track_caller]
fn refused(reply: &Reply, status: u16, error: &str, code: u32) {
    let body = reply.json();
    let found = (reply.status, body["error"].as_str().unwrap(), &body["error_codes"]);
    assert_eq!(found, (status, error, &json!([code])), "{body}");
    let text = body["error_description"].as_str().unwrap();
    assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
    assert!(text.contains(" Trace ID: ") && text.contains(" Timestamp: "), "{text}");
}

fn as_app(microsoft: &Microsoft, tenant: &str, fields: &[(&str, &str)]) -> Reply {
    let mut all = vec![("grant_type", "client_credentials"), ("client_id", CLIENT_ID)];
    all.extend_from_slice(fields);
    post(&microsoft.token_url(tenant), &all).unwrap()
}

fn with_secret(microsoft: &Microsoft) -> Reply {
    as_app(microsoft, TENANT, &[("client_secret", SECRET), ("scope", OUTLOOK)])
}

/// M71, M73.
#[test]
fn an_app_gets_a_token_with_its_roles() {
    let microsoft = Microsoft::start();
    let reply = with_secret(&microsoft);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(4799)));
    assert!(body["refresh_token"].is_null() && body["scope"].is_null());
    let token = reply.text("access_token");
    assert!(token.starts_with("eyJ") && (1500..3000).contains(&token.len()), "{}", token.len());
    let grant = microsoft.ledger.look_up(&token).unwrap();
    assert_eq!(grant.who, Who::App(CLIENT_ID.to_owned()));
    assert!(scope::opens_imap(&grant) && scope::opens_smtp(&grant));

    // M112: a token for Graph opens no mailbox.
    let graph = "https://graph.microsoft.com/.default";
    let reply = as_app(&microsoft, "contoso.com", &[("client_secret", SECRET), ("scope", graph)]);
    let grant = microsoft.ledger.look_up(&reply.text("access_token")).unwrap();
    assert!(grant.has("https://graph.microsoft.com/Mail.ReadWrite") && !scope::opens_imap(&grant));

    let headers = [("Authorization", format!("Bearer {}", reply.text("access_token")))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let seen = browser::send("POST", &microsoft.introspection_url(), &headers, "").unwrap();
    assert_eq!(
        (&seen.json()["active"], &seen.json()["username"]),
        (&json!(true), &json!(CLIENT_ID))
    );

    // A consent that is missing shows at the mailbox only.
    microsoft.set(|setup| setup.app_roles.clear());
    let token = with_secret(&microsoft).text("access_token");
    assert!(!scope::opens_imap(&microsoft.ledger.look_up(&token).unwrap()));
}

#[test]
fn an_app_is_refused_in_microsofts_words() {
    let microsoft = Microsoft::start();
    let ask = |tenant: &str, fields: &[(&str, &str)]| as_app(&microsoft, tenant, fields);
    let good = [("client_secret", SECRET), ("scope", OUTLOOK)];
    refused(&ask(TENANT, &[("client_secret", "x")]), 401, "invalid_client", 7_000_215);
    refused(&ask(TENANT, &[("scope", OUTLOOK)]), 401, "invalid_client", 7_000_218);
    refused(&ask("common", &good), 400, "invalid_request", 50_059);
    refused(&ask("fabrikam.com", &good), 400, "invalid_request", 90_002);
    let scopes = [("client_secret", SECRET), ("scope", IMAP)];
    refused(&ask(TENANT, &scopes), 400, "invalid_scope", 1_002_012);
    let elsewhere = [("client_secret", SECRET), ("scope", "https://example.test/.default")];
    refused(&ask(TENANT, &elsewhere), 400, "invalid_resource", 500_011);
    let other = [("grant_type", "client_credentials"), ("client_id", "other")];
    let reply = post(&microsoft.token_url(TENANT), &other).unwrap();
    refused(&reply, 400, "unauthorized_client", 700_016);
    let reply = post(&microsoft.token_url(TENANT), &[("grant_type", "password")]).unwrap();
    refused(&reply, 400, "unsupported_grant_type", 70_003);
    refused(&post(&microsoft.token_url(TENANT), &[]).unwrap(), 400, "invalid_request", 900_144);

    // M77: all mailboxes fail at once.
    microsoft.set(|setup| setup.secret = Secret::Expired);
    let reply = with_secret(&microsoft);
    refused(&reply, 401, "invalid_client", 7_000_222);
    assert!(
        reply.text("error_description").contains(&format!("for app '{CLIENT_ID}' are expired"))
    );
}

fn assertion(
    microsoft: &Microsoft,
    change: impl FnOnce(&mut Value, &mut Value),
    key: &str,
) -> Reply {
    let now = jiff::Timestamp::now().as_second();
    let mut header = json!({
        "alg": "RS256", "typ": "JWT", "x5t#S256": jwt::thumbprint(jwt::APP_CERTIFICATE),
    });
    let mut claims = json!({
        "iss": CLIENT_ID, "sub": CLIENT_ID, "aud": microsoft.token_url(TENANT), "jti": "1",
        "nbf": now, "exp": now + 600,
    });
    change(&mut header, &mut claims);
    let jwt = jwt::sign(&header, &claims, key);
    let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let fields =
        [("client_assertion_type", kind), ("client_assertion", jwt.as_str()), ("scope", OUTLOOK)];
    as_app(microsoft, TENANT, &fields)
}

/// M78.
#[test]
fn a_certificate_does_instead_of_a_secret() {
    let microsoft = Microsoft::start();
    microsoft.set(|setup| setup.secret = Secret::Expired);
    assert_eq!(assertion(&microsoft, |_, _| {}, jwt::APP_KEY).status, 200);

    let reply = assertion(&microsoft, |_, _| {}, jwt::STRANGERS_KEY);
    refused(&reply, 401, "invalid_client", 700_027);
    let reply = assertion(&microsoft, |header, _| header["x5t#S256"] = json!("x"), jwt::APP_KEY);
    refused(&reply, 401, "invalid_client", 700_027);
    let reply = assertion(&microsoft, |_, claims| claims["sub"] = json!("other"), jwt::APP_KEY);
    refused(&reply, 401, "invalid_client", 700_021);
    let reply = assertion(&microsoft, |_, claims| claims["aud"] = json!("x"), jwt::APP_KEY);
    refused(&reply, 401, "invalid_client", 700_023);
    let reply = assertion(&microsoft, |_, claims| claims["exp"] = json!(1), jwt::APP_KEY);
    refused(&reply, 401, "invalid_client", 700_024);
    microsoft.set(|setup| setup.certificate = false);
    let reply = assertion(&microsoft, |_, _| {}, jwt::APP_KEY);
    refused(&reply, 401, "invalid_client", 700_027);
}

fn ask_device(microsoft: &Microsoft) -> Reply {
    let fields = [("client_id", CLIENT_ID), ("scope", SCOPES)];
    post(&microsoft.device_url("organizations"), &fields).unwrap()
}

fn poll(microsoft: &Microsoft, device_code: &str) -> Reply {
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let fields = [("grant_type", grant), ("client_id", CLIENT_ID), ("device_code", device_code)];
    post(&microsoft.token_url("organizations"), &fields).unwrap()
}

/// M76.
#[test]
fn a_device_asks_until_the_code_was_entered() {
    let microsoft = Microsoft::start();
    microsoft.set(|setup| setup.slow_downs = 1);
    let asked = ask_device(&microsoft);
    let (user_code, device_code) = (asked.text("user_code"), asked.text("device_code"));
    assert_eq!(asked.text("verification_uri"), "https://microsoft.com/devicelogin");
    assert_eq!((&asked.json()["interval"], &asked.json()["expires_in"]), (&json!(5), &json!(900)));
    refused(&poll(&microsoft, &device_code), 400, "slow_down", 70_016);
    refused(&poll(&microsoft, &device_code), 400, "slow_down", 70_016);
    microsoft.ledger.forward(5);
    refused(&poll(&microsoft, &device_code), 400, "authorization_pending", 70_016);
    assert!(!microsoft.enters("WRONG", "ana@contoso.com"));
    assert!(microsoft.enters(&user_code, "ana@contoso.com"));
    microsoft.ledger.forward(5);
    let reply = poll(&microsoft, &device_code);
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.text("scope"), format!("{IMAP} {SMTP}"));
    assert!(!reply.text("refresh_token").is_empty());
    microsoft.ledger.forward(5);
    refused(&poll(&microsoft, &device_code), 400, "bad_verification_code", 70_018);
}

#[test]
fn a_device_code_ends_without_a_token_too() {
    let microsoft = Microsoft::start();
    microsoft.set(|setup| setup.interval_seconds = 0);
    let device_code = ask_device(&microsoft).text("device_code");
    microsoft.ledger.forward(900);
    refused(&poll(&microsoft, &device_code), 400, "expired_token", 70_020);

    microsoft.set(|setup| setup.consent = Consent::No);
    let asked = ask_device(&microsoft);
    microsoft.enters(&asked.text("user_code"), "ana@contoso.com");
    let reply = poll(&microsoft, &asked.text("device_code"));
    refused(&reply, 400, "authorization_declined", 70_017);

    microsoft.set(|setup| setup.consent = Consent::Yes);
    microsoft.set(|setup| setup.device_flow_blocked = true);
    let asked = ask_device(&microsoft);
    microsoft.enters(&asked.text("user_code"), "ana@contoso.com");
    let reply = poll(&microsoft, &asked.text("device_code"));
    refused(&reply, 400, "invalid_grant", 53_003);

    microsoft.set(|setup| setup.public_client = false);
    refused(&ask_device(&microsoft), 401, "invalid_client", 7_000_218);
    let fields = [("client_id", CLIENT_ID), ("scope", "IMAP"), ("client_secret", SECRET)];
    let reply = post(&microsoft.device_url("common"), &fields).unwrap();
    refused(&reply, 400, "invalid_scope", 70_011);
}

fn sign_in(microsoft: &Microsoft, scopes: &str) -> String {
    let url = format!(
        "{}?client_id={CLIENT_ID}&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A1%2F&state=s1&scope={}\
         &code_challenge={}&code_challenge_method=S256",
        microsoft.authorize_url("common"),
        scopes.replace(' ', "+").replace('/', "%2F"),
        jwt::challenge("verifier"),
    );
    let reply = browser::send("GET", &url, &[], "").unwrap();
    assert_eq!(reply.status, 302, "{}", reply.body);
    reply.header("location").unwrap().to_owned()
}

fn redeem(microsoft: &Microsoft, location: &str, verifier: &str, scopes: &str) -> Reply {
    let code = location.strip_prefix("http://localhost:1/?code=").expect(location);
    let fields = [
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", REDIRECT),
        ("code", code.split('&').next().unwrap()),
        ("code_verifier", verifier),
        ("scope", scopes),
    ];
    post(&microsoft.token_url("common"), &fields).unwrap()
}

fn refresh(microsoft: &Microsoft, token: &str, scopes: &str) -> Reply {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", CLIENT_ID),
        ("refresh_token", token),
        ("scope", scopes),
    ];
    post(&microsoft.token_url("common"), &fields).unwrap()
}

#[test]
fn a_person_signs_in_and_the_code_is_redeemed_once() {
    let microsoft = Microsoft::start();
    let location = sign_in(&microsoft, SCOPES);
    assert!(location.ends_with("&state=s1&session_state=0cfa8b6d"), "{location}");
    let reply = redeem(&microsoft, &location, "verifier", SCOPES);
    assert_eq!(reply.status, 200, "{}", reply.body);
    let grant = microsoft.ledger.look_up(&reply.text("access_token")).unwrap();
    assert!(grant.is_for("ana@contoso.com") && scope::opens_imap(&grant));
    refused(&redeem(&microsoft, &location, "verifier", SCOPES), 400, "invalid_grant", 54_005);
    let location = sign_in(&microsoft, SCOPES);
    refused(&redeem(&microsoft, &location, "other", ""), 400, "invalid_grant", 501_481);
    let location = sign_in(&microsoft, SCOPES);
    microsoft.ledger.forward(601);
    refused(&redeem(&microsoft, &location, "verifier", ""), 400, "invalid_grant", 70_008);
}

/// The whole way of a browser, to a client that listens on the loopback.
#[test]
fn a_browser_ends_at_the_client() {
    let microsoft = Microsoft::start();
    let client = Server::start(|_| {
        |request: &Request| {
            Answer::page(200, &format!("Thank you, {}", request.query.get("state").unwrap()))
        }
    });
    let url = format!(
        "{}/common/oauth2/v2.0/authorize?client_id={CLIENT_ID}&response_type=code&state=s1&scope={}\
         &redirect_uri=http://localhost:{}/",
        microsoft.authority(),
        SCOPES.replace(' ', "%20"),
        client.port,
    );
    let page = browser::visit(&url).unwrap();
    assert_eq!((page.status, page.body.contains("Thank you, s1")), (200, true), "{}", page.body);
    assert!(client.requests()[0].query.get("code").is_some());
    let elsewhere = url.replace("localhost", "example.test");
    assert!(browser::visit(&elsewhere).unwrap().body.contains("AADSTS50011"));
}

#[test]
fn a_person_may_refuse_and_an_admin_must_be_asked() {
    let microsoft = Microsoft::start();
    microsoft.set(|setup| setup.admin_only = vec![IMAP]);
    let location = sign_in(&microsoft, SCOPES);
    assert!(location.contains("?error=access_denied&error_description=AADSTS90094"), "{location}");
    microsoft.set(|setup| setup.admin_only.clear());
    microsoft.set(|setup| setup.consent = Consent::No);
    let location = sign_in(&microsoft, SCOPES);
    assert!(location.contains("?error=access_denied&error_description=AADSTS65004"), "{location}");
    // M75: without `offline_access` there is no refresh token.
    microsoft.set(|setup| setup.consent = Consent::Yes);
    let reply = redeem(&microsoft, &sign_in(&microsoft, IMAP), "verifier", "");
    assert_eq!((reply.status, reply.text("refresh_token")), (200, String::new()));
}

/// M75, M79.
#[test]
fn a_refresh_may_rotate_the_token_and_is_for_one_resource() {
    let microsoft = Microsoft::start();
    let graph = "https://graph.microsoft.com/Mail.ReadWrite.Shared";
    let all = format!("{SCOPES} {graph}");
    let location = sign_in(&microsoft, &all);
    let first = redeem(&microsoft, &location, "verifier", SCOPES).text("refresh_token");

    let second = refresh(&microsoft, &first, SCOPES).text("refresh_token");
    assert!(second != first && !second.is_empty());
    assert_eq!(refresh(&microsoft, &first, SCOPES).status, 200);
    refused(&refresh(&microsoft, &first, &all), 400, "invalid_request", 28_000);
    let of_graph = refresh(&microsoft, &first, graph).text("access_token");
    assert!(!scope::opens_imap(&microsoft.ledger.look_up(&of_graph).unwrap()));
    let more = "https://graph.microsoft.com/MailboxSettings.ReadWrite";
    refused(&refresh(&microsoft, &first, more), 400, "invalid_grant", 65_001);

    microsoft.set(|setup| setup.rotation = Rotation::NewAndOldDies);
    let third = refresh(&microsoft, &second, SCOPES).text("refresh_token");
    refused(&refresh(&microsoft, &second, SCOPES), 400, "invalid_grant", 70_000);
    microsoft.set(|setup| setup.rotation = Rotation::Keep);
    assert_eq!(refresh(&microsoft, &third, SCOPES).text("refresh_token"), "");

    microsoft.set(|setup| setup.expires_in = ExpiresIn::Text);
    assert_eq!(refresh(&microsoft, &third, IMAP).json()["expires_in"], "4799");
    microsoft.set(|setup| setup.expires_in = ExpiresIn::Missing);
    assert!(refresh(&microsoft, &third, IMAP).json()["expires_in"].is_null());
}

/// M77.
#[test]
fn a_refresh_token_dies() {
    let microsoft = Microsoft::start();
    let token = || {
        let location = sign_in(&microsoft, SCOPES);
        redeem(&microsoft, &location, "verifier", SCOPES).text("refresh_token")
    };
    let (unused, password, revoked) = (token(), token(), token());
    microsoft.ledger.end_refresh(&revoked, Death::Revoked);
    refused(&refresh(&microsoft, &revoked, IMAP), 400, "invalid_grant", 70_000);
    microsoft.ledger.forward(90 * 86_400);
    refused(&refresh(&microsoft, &unused, IMAP), 400, "invalid_grant", 700_082);
    microsoft.ledger.end_refresh_of("ana@contoso.com", Death::PasswordChanged);
    refused(&refresh(&microsoft, &password, IMAP), 400, "invalid_grant", 50_173);
    refused(&refresh(&microsoft, "1.never", IMAP), 400, "invalid_grant", 9_002_313);
}
