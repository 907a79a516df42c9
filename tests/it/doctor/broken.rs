//! What is wrong at other servers and on the way there, one thing at a time.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::front::Front;
use super::healthy::{at, smtp_of};
use super::submission::{Manners, Submission};
use super::{Patient, SUPPORT};
use crate::world::gmail::Gmail;
use crate::world::tokens::Google;
use crate::world::{ALWAYS, Dovecot, Fault, PASSWORD, Proxy, Server};

/// A Dovecot behind TLS with this certificate.
fn behind(certificate: &str, key: &str, authority: &'static str) -> (Dovecot, Patient) {
    let dovecot = Dovecot::start(Server::default());
    let front = Front::start(certificate, key, dovecot.port);
    let mut patient = Patient::new(&format!(
        "address = \"{SUPPORT}\"\n[mailbox.imap]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"{SUPPORT}\"\n\
         password = {{ file = \"DIR/password\" }}\n",
        front.port
    ));
    patient.writes("password", PASSWORD);
    patient.masks(front.port, 50993);
    patient.authority = Some(authority);
    (dovecot, patient)
}

#[test]
fn a_sound_certificate_is_taken() {
    let (_dovecot, patient) = behind("tls/server.crt", "tls/server.pem", "tls/ca.crt");
    let checks = patient.checks(&[]);
    let reach: Vec<_> = checks.iter().filter(|check| check["theme"] == "reach").collect();
    let is_good =
        |check: &&&serde_json::Value| check["outcome"] == "pass" || check["name"] == "imap-ipv6";
    assert_eq!(reach.len(), reach.iter().filter(is_good).count(), "{reach:#?}");
    assert!(
        checks.iter().any(|check| check["name"] == "mailbox-opens" && check["outcome"] == "pass")
    );
}

#[test]
fn an_expired_certificate() {
    let (_dovecot, patient) = behind("tls/expired.crt", "tls/doctor.pem", "tls/doctor_ca.crt");
    patient.is_told("certificate_expired", &["--probe"], 1);
}

#[test]
fn a_certificate_for_another_name() {
    let (_dovecot, patient) = behind("tls/other.crt", "tls/doctor.pem", "tls/doctor_ca.crt");
    patient.is_told("certificate_other_name", &[], 1);
}

#[test]
fn a_certificate_that_nobody_signed() {
    let (_dovecot, patient) = behind("tls/server.crt", "tls/server.pem", "tls/doctor_ca.crt");
    patient.is_told("certificate_untrusted", &[], 1);
}

#[test]
fn a_name_without_an_address() {
    let patient = Patient::new(&format!(
        "address = \"{SUPPORT}\"\n[mailbox.imap]\nhost = \"imap.example.invalid\"\n\
         password = {{ file = \"DIR/password\" }}\n"
    ));
    patient.writes("password", PASSWORD);
    let mut patient = patient;
    // Name servers say it in their own ways.
    let (_, said) = patient.asks(&[]);
    let why = said.split_once("has no address: ").expect("no address").1;
    let why: String = why.split("\n        ->").next().unwrap().to_owned();
    patient.masks.push((why, "no such name".to_owned()));
    patient.is_told("no_such_name", &[], 1);
}

#[test]
fn a_port_that_nobody_listens_on() {
    let port = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.local_addr().unwrap().port()
    };
    at(port, port, "", PASSWORD).is_told("nobody_listens", &[], 1);
}

#[test]
fn a_wrong_password() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    at(dovecot.port, smtp.port, "", "hunter2").is_told("wrong_password", &[], 1);
}

#[test]
fn a_secret_that_is_not_there_and_a_folder_that_is_open() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let patient = at(dovecot.port, smtp.port, "", PASSWORD);
    std::fs::remove_file(patient.dir.path().join("password")).unwrap();
    std::fs::create_dir(patient.dir.path().join("state")).unwrap();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(patient.dir.path().join("state"), open).unwrap();
    patient.is_told("no_secret", &[], 1);
}

#[test]
fn imap_switched_off_at_gmail() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    gmail.person(SUPPORT, |account| account.settings.imap = false);
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("imap_disabled", &["--probe"], 1);
}

#[test]
fn too_many_connections_at_gmail() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    gmail.person(SUPPORT, |account| account.settings.connections = 0);
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("too_many_connections", &[], 1);
}

#[test]
fn all_mail_hidden() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    gmail.person(SUPPORT, |account| account.show_in_imap("[Gmail]/All Mail", false).unwrap());
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("all_mail_hidden", &[], 1);
}

#[test]
fn a_folder_that_is_cut_off() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    gmail.person(SUPPORT, |account| {
        for number in 0..1100 {
            account.deliver(&format!("Message-ID: <{number}@example.test>\nSubject: x\n\nx\n"));
        }
        account.settings.folder_limit = Some(1000);
    });
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("folder_limit", &[], 0);
}

#[test]
fn gmail_that_makes_another_sender() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let of = Arc::clone(&gmail);
    let smtp = Submission::start(Manners {
        takes: Arc::new(move |mail| {
            // G93
            let mail =
                mail.replace(&format!("From: Baton <{SUPPORT}>"), "From: <ana@example.test>");
            of.person(SUPPORT, |account| {
                let sent = account.file_as_sent(&mail);
                account.put_in_inbox(&[sent]);
            });
            "250 2.0.0 OK".to_owned()
        }),
        ..Manners::knowing(Gmail::PASSWORD)
    });
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("from_rewritten", &["--probe"], 1);
    assert!(gmail.dump(SUPPORT).is_empty(), "{:#?}", gmail.dump(SUPPORT));
}

#[test]
fn a_full_mailbox() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    let proxy = Proxy::start(gmail.port());
    let full = b"* QUOTA \"\" (STORAGE 15728640 15728640)\r\n";
    proxy.set_fault(Fault::Amid("GETQUOTAROOT", full, 1));
    let patient = at(proxy.port, smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.is_told("over_quota", &[], 1);
}

#[test]
fn a_server_without_move_and_one_without_anything() {
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let dovecot = Dovecot::start(Server::without(&["MOVE"]));
    at(dovecot.port, smtp.port, "", PASSWORD).is_told("no_move", &["--probe"], 0);
    let dovecot = Dovecot::start(Server::without(&["MOVE", "UIDPLUS", "IDLE", "SPECIAL-USE"]));
    at(dovecot.port, smtp.port, "", PASSWORD).is_told("plain_server", &["--probe"], 0);
}

#[test]
fn clocks_that_are_apart() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let proxy = Proxy::start(dovecot.port);
    let wrong = jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - 400).unwrap();
    let line = wrong.strftime("* 1 FETCH (UID 1 INTERNALDATE \"%d-%b-%Y %H:%M:%S +0000\")\r\n");
    let line: &'static [u8] = line.to_string().into_bytes().leak();
    proxy.set_fault(Fault::Amid("UID FETCH", line, ALWAYS));
    at(proxy.port, smtp.port, "", PASSWORD).is_told("clocks_apart", &["--probe"], 1);
}

/// X5: the reason comes first, and no comes after an empty line.
#[test]
fn a_token_that_smtp_does_not_take() {
    let google = Google::start();
    let gmail = Gmail::start(&[SUPPORT]);
    gmail.asks_about_tokens(google.hook());
    let smtp = Submission::start(Manners::knowing("another token"));
    let patient = Patient::new(&format!(
        "address = \"{SUPPORT}\"\nprovider = \"gmail\"\n[mailbox.login]\nmethod = \"oauth2\"\n\
         flow = \"service-account\"\nkey = {{ file = \"DIR/key.json\" }}\ntoken_url = \"{}\"\n\
         [mailbox.imap]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\
         [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n",
        google.token_url(),
        gmail.port(),
        smtp.port
    ));
    patient.writes("key.json", &google.service_account_json());
    let checks = patient.checks(&["--probe"]);
    let of = |name: &str| checks.iter().find(|check| check["name"] == name).unwrap().clone();
    assert_eq!(of("mailbox-opens")["outcome"], "pass", "{}", of("login"));
    assert_eq!(of("scope-smtp")["outcome"], "pass", "{}", of("scope-smtp"));
    assert_eq!(of("smtp-login")["outcome"], "fail");
    let what = of("smtp-login")["what"].as_str().unwrap().to_owned();
    assert!(what.contains("535 5.7.8 Username and Password not accepted"), "{what}");
}

#[test]
fn a_server_that_sends_for_others_only() {
    let dovecot = Dovecot::start(Server::default());
    let refuses = Some("550 5.7.1 Sender address rejected: not owned by user");
    let manners = Manners { refuses_sender: refuses, ..Manners::knowing(PASSWORD) };
    let smtp = Submission::start(manners);
    at(dovecot.port, smtp.port, "", PASSWORD).is_told("sender_refused", &["--probe"], 1);
}
