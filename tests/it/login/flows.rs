//! Every way to a token, through the real `baton`, until the daemon is connected with it.

use super::{Desk, SUPPORT};
use crate::world::exchange::{ANA, Tenant};
use crate::world::gmail::Gmail;
use crate::world::tokens::microsoft::TENANT;
use crate::world::tokens::{Consent, Google, browser, jwt};

const WITH_SECRET: &str =
    "flow = \"client-credentials\"\nclient_secret = { file = \"DIR/secret\" }\n";

/// A person at Microsoft, in a browser.
pub(super) fn person_at(tenant: &Tenant) -> Desk {
    let login = format!(
        "flow = \"authorization-code\"\nuser = \"{ANA}\"\nauthorize_url = \"{}\"\n",
        tenant.microsoft.authorize_url(TENANT)
    );
    Desk::at_microsoft(tenant, &login)
}

pub(super) fn device_at(tenant: &Tenant) -> Desk {
    tenant.microsoft.set(|setup| setup.interval_seconds = 0);
    let login = format!(
        "flow = \"device-code\"\nuser = \"{ANA}\"\ndevice_url = \"{}\"\n",
        tenant.microsoft.device_url(TENANT)
    );
    Desk::at_microsoft(tenant, &login)
}

/// The code that the command shows.
pub(super) fn user_code(line: &str) -> String {
    let (_, after) = line.split_once("the code ").unwrap();
    after.split(' ').next().unwrap().to_owned()
}

pub(super) fn gmail_of(google: &Google) -> Gmail {
    let gmail = Gmail::start(&[SUPPORT]);
    gmail.asks_about_tokens(google.hook());
    gmail
}

#[test]
fn an_application_with_a_secret_opens_a_mailbox() {
    let tenant = Tenant::start();
    let mut desk = Desk::at_microsoft(&tenant, WITH_SECRET);
    let said = desk.baton.says(&["login", "support"]).done();
    assert!(said.contains("the provider gives tokens"), "{said}");
    desk.baton.says(&["check", "--online"]).done();
    desk.starts();
    let held = desk.held();
    assert_eq!(held["flow"], "client-credentials");
    assert_eq!(held["needs_login"], false);
    assert!(held["access_until"].is_string(), "{held}");
}

#[test]
fn an_application_with_a_certificate_opens_a_mailbox() {
    let tenant = Tenant::start();
    let login = "flow = \"client-credentials\"\ncertificate = \"DIR/app.crt\"\nkey = { file = \"DIR/app.key\" }\n";
    let mut desk = Desk::at_microsoft(&tenant, login);
    desk.writes("app.crt", jwt::APP_CERTIFICATE);
    desk.writes("app.key", jwt::APP_KEY);
    desk.starts();
    assert_eq!(desk.held()["ends"][0]["what"], "certificate");
}

#[test]
fn a_person_types_a_code_and_the_waiting_daemon_goes_on() {
    let tenant = Tenant::start();
    let mut desk = device_at(&tenant);
    desk.baton.start(&[], None);
    let told = || {
        let error = desk.baton.status().first()?.last_error.clone()?;
        error.contains("baton login support").then_some(())
    };
    crate::world::poll(crate::world::PATIENCE, told).expect("nobody is asked to log in");

    let mut talk = desk.begins(&["login", "support"]);
    let code = user_code(&talk.line_with("type the code"));
    assert!(tenant.microsoft.enters(&code, ANA));
    let said = talk.done();
    assert!(said.contains(&format!("logged in as {ANA}")), "{said}");
    desk.is_content();
    let held = desk.held();
    assert_eq!(held["needs_login"], false, "{held}");
    assert_eq!(held["user"], ANA);
}

#[test]
fn a_person_who_declines_is_believed() {
    let tenant = Tenant::start();
    let desk = device_at(&tenant);
    tenant.microsoft.set(|setup| setup.consent = Consent::No);
    let mut talk = desk.begins(&["login", "support"]);
    let code = user_code(&talk.line_with("type the code"));
    assert!(tenant.microsoft.enters(&code, ANA));
    let (code, said) = talk.ends();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("declined"), "{said}");
    assert_eq!(desk.held()["needs_login"], true);
}

#[test]
fn a_person_agrees_in_a_browser_at_microsoft() {
    let tenant = Tenant::start();
    let mut desk = person_at(&tenant);
    let said = desk.logs_in_by_browser();
    assert!(said.contains("support: logged in as"), "{said}");
    desk.starts();
    assert_eq!(desk.held()["flow"], "authorization-code");
}

#[test]
fn a_person_agrees_in_a_browser_at_google() {
    let google = Google::start();
    let gmail = gmail_of(&google);
    let mut desk = Desk::at_google(&google, "", gmail.port());
    desk.logs_in_by_browser();
    desk.starts();
    assert_eq!(desk.held()["flow"], "authorization-code");
}

#[test]
fn the_address_of_a_browser_elsewhere_is_pasted() {
    let tenant = Tenant::start();
    let mut desk = person_at(&tenant);
    let mut talk = desk.begins(&["login", "support", "--paste"]);
    let url = talk.line_with("http://");
    let page = browser::send("GET", url.trim(), &[], "").unwrap();
    let back = page.header("location").unwrap();
    talk.types("http://localhost:8765/?code=stolen&state=another");
    talk.types(back);
    let said = talk.done();
    assert!(said.contains("not the address of this login"), "{said}");
    desk.starts();
}

#[test]
fn a_service_account_opens_a_mailbox() {
    let google = Google::start();
    let gmail = gmail_of(&google);
    let mut desk = Desk::as_service_account(&google, "", gmail.port());
    desk.baton.says(&["login", "support"]).done();
    desk.starts();
}

#[test]
fn what_a_refused_application_must_do_is_told() {
    let tenant = Tenant::start();
    let desk = Desk::at_microsoft(&tenant, WITH_SECRET);
    desk.writes("secret", "hunter2");
    let said = desk.baton.says(&["login", "support"]).refused();
    assert!(said.contains("secret"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
