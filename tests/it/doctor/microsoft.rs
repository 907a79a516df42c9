//! Microsoft 365: healthy, and what its administrators have to do where it is not.

use super::Patient;
use crate::world::exchange::knobs::SentCopy;
use crate::world::exchange::smtp::{Disabled, MessageIds};
use crate::world::exchange::{ANA, SHARED, Tenant};
use crate::world::tokens::microsoft::{CLIENT_ID, SECRET, Secret, TENANT};

/// As an application with a secret.
fn application(tenant: &Tenant) -> Patient {
    let login = "flow = \"client-credentials\"\nclient_secret = { file = \"DIR/secret\" }\nsecret_expires = \"2099-01-01\"";
    patient(tenant, login, "")
}

/// As a person who has typed a code; `smtp` are lines of `[mailbox.smtp]`.
#[track_caller]
fn person(tenant: &Tenant, smtp: &str) -> Patient {
    tenant.microsoft.set(|setup| setup.interval_seconds = 0);
    let url = tenant.microsoft.device_url(TENANT);
    let login = format!("flow = \"device-code\"\nuser = \"{ANA}\"\ndevice_url = \"{url}\"");
    let patient = patient(tenant, &login, smtp);
    let log = patient.dir.path().join("login.log");
    let out = std::fs::File::create(&log).unwrap();
    let mut talk = patient.baton.command(&["login", "support"]).stdout(out).spawn().unwrap();
    let code = crate::world::poll(crate::world::PATIENCE, || {
        let said = std::fs::read_to_string(&log).ok()?;
        let (_, after) = said.split_once("the code ")?;
        after.split_once(' ').map(|(code, _)| code.to_owned())
    });
    assert!(tenant.microsoft.enters(&code.expect("no code"), ANA));
    assert!(talk.wait().unwrap().success());
    patient
}

fn patient(tenant: &Tenant, login: &str, smtp: &str) -> Patient {
    let smtp =
        if smtp.contains("tls") { smtp.to_owned() } else { format!("tls = \"none\"\n{smtp}") };
    let (imap_port, smtp_port) = (tenant.imap.port, tenant.smtp.port);
    let mut patient = Patient::new(&format!(
        "address = \"{SHARED}\"\nprovider = \"microsoft365\"\n\
         [mailbox.login]\nmethod = \"oauth2\"\n{login}\ntenant = \"{TENANT}\"\nclient_id = \"{CLIENT_ID}\"\n\
         token_url = \"{}\"\n[mailbox.imap]\nhost = \"127.0.0.1\"\nport = {imap_port}\ntls = \"none\"\n\
         [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = {smtp_port}\n{smtp}\n",
        tenant.microsoft.token_url(TENANT)
    ));
    patient.writes("secret", SECRET);
    patient.masks(imap_port, 50993);
    patient.masks(smtp_port, 50587);
    patient
}

/// Nothing of the doctor's is left in the shared mailbox.
#[track_caller]
fn is_clean(tenant: &Tenant) {
    let shown = tenant.shown();
    assert!(shown.is_empty(), "{shown:#?}");
}

#[test]
fn healthy() {
    let tenant = Tenant::start();
    let mut patient = application(&tenant);
    patient.starts();
    patient.is_told("healthy_microsoft", &["--probe"], 0);
    is_clean(&tenant);
    assert_eq!(tenant.sent().len(), 1, "one mail, and no more");
}

#[test]
fn a_person_sends_with_copies_in_their_own_folder() {
    let tenant = Tenant::start();
    let patient = person(&tenant, "");
    patient.is_told("copy_elsewhere", &["--probe"], 0);
    is_clean(&tenant);
}

#[test]
fn another_message_id_is_told() {
    let tenant = Tenant::start();
    tenant.set(|knobs| knobs.sent_copy = SentCopy::Both);
    tenant.set_smtp(|knobs| knobs.message_ids = MessageIds::Replaced);
    let patient = person(&tenant, "");
    let checks = patient.checks(&["--probe"]);
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap().clone();
    assert_eq!(of("message-id-kept")["outcome"], "pass", "{checks:#?}");
    assert!(of("message-id-kept")["what"].as_str().unwrap().contains("said which"));
    assert_eq!(of("sent-copy")["outcome"], "pass");
    is_clean(&tenant);
}

/// M1: STARTTLS, and every line after it under encryption.
#[test]
fn sending_by_starttls() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.starttls = true);
    let mut patient = person(&tenant, "tls = \"starttls\"");
    patient.authority = Some("tls/ca.crt");
    let checks = patient.checks(&["--probe"]);
    let is = |name: &str, outcome: &str| {
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["outcome"], outcome, "{check}");
    };
    is("smtp-tls", "pass");
    is("smtp-certificate-days", "pass");
    is("smtp-login", "pass");
    is("send-as", "pass");
    patient.authority = Some("tls/doctor_ca.crt");
    let checks = patient.checks(&["--probe"]);
    let untrusted = checks.iter().find(|check| check["name"] == "smtp-certificate").unwrap();
    assert_eq!(untrusted["outcome"], "fail", "{untrusted}");
    assert_eq!(tenant.sent().len(), 1, "nothing is sent to a stranger");
}

#[test]
fn an_expired_client_secret() {
    let tenant = Tenant::start();
    tenant.microsoft.set(|setup| setup.secret = Secret::Expired);
    application(&tenant).is_told("expired_secret", &[], 1);
}

#[test]
fn no_full_access() {
    let tenant = Tenant::start();
    tenant.mailbox(SHARED, |mailbox| mailbox.full_access.clear());
    application(&tenant).is_told("no_full_access", &["--probe"], 1);
    assert!(tenant.sent().is_empty());
}

#[test]
fn a_token_that_may_not_send() {
    let tenant = Tenant::start();
    tenant.microsoft.set(|setup| {
        setup.app_roles = vec!["https://outlook.office365.com/IMAP.AccessAsApp"];
    });
    application(&tenant).is_told("scope_missing", &[], 1);
}

#[test]
fn smtp_switched_off() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.disabled = Disabled::Tenant);
    person(&tenant, "").is_told("smtp_disabled", &["--probe"], 1);
    assert!(tenant.sent().is_empty());
}

#[test]
fn no_send_as() {
    let tenant = Tenant::start();
    tenant.mailbox(SHARED, |mailbox| mailbox.send_as.clear());
    person(&tenant, "").is_told("no_send_as", &["--probe"], 1);
    is_clean(&tenant);
}

#[test]
fn a_persons_token_with_the_shared_address() {
    let tenant = Tenant::start();
    person(&tenant, &format!("user = \"{SHARED}\"")).is_told("smtp_as_shared", &[], 1);
}

#[test]
fn a_mailbox_without_a_licence() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.unlicensed = true);
    application(&tenant).is_told("unlicensed", &[], 1);
}

#[test]
fn a_deaf_idle_and_a_silent_move() {
    let tenant = Tenant::start();
    tenant.set(|knobs| {
        knobs.deaf = true;
        knobs.move_answer = crate::world::exchange::knobs::MoveAnswer::Silent;
    });
    application(&tenant).is_told("deaf_idle", &["--probe"], 0);
    is_clean(&tenant);
}
