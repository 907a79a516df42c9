//! The doctor beside the daemon: it opens no thread, leaves nothing behind, and holds few connections.

use std::sync::Arc;

use super::Patient;
use super::healthy::{at, smtp_of};
use super::submission::{Manners, Submission};
use crate::world::gmail::Gmail;
use crate::world::{Dovecot, PASSWORD, Server};

/// The daemon has seen what there was, and thinks nothing of it.
#[track_caller]
fn is_no_thread(patient: &Patient) {
    assert!(patient.baton.threads().is_empty(), "{:#?}", patient.baton.threads());
    let audited = crate::world::poll(crate::world::PATIENCE, || {
        (patient.baton.says(&["audit"]).code == 0).then_some(())
    });
    assert!(audited.is_some(), "{:?}", patient.baton.says(&["audit"]));
}

#[test]
fn a_probe_is_no_mail_for_the_desk() {
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    for layout in ["keywords", "folders"] {
        let dovecot = Dovecot::start(Server::default());
        let mut patient = at(dovecot.port, smtp.port, &format!("layout = \"{layout}\""), PASSWORD);
        patient.starts();
        for _ in 0..3 {
            let (code, said) = patient.asks(&["--probe"]);
            assert_eq!(code, 0, "{said}");
        }
        is_no_thread(&patient);
    }
}

#[test]
fn a_mail_to_ourselves_is_no_mail_for_the_desk() {
    let gmail = Arc::new(Gmail::start(&[super::SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    let mut patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.starts();
    let (code, said) = patient.asks(&["--probe"]);
    assert_eq!(code, 0, "{said}");
    is_no_thread(&patient);
}

#[test]
fn nothing_is_changed_without_a_probe() {
    let gmail = Arc::new(Gmail::start(&[super::SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    let patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    let (code, said) = patient.asks(&[]);
    assert_eq!(code, 0, "{said}");
    let changes = ["APPEND", "STORE", "MOVE", "COPY", "EXPUNGE", "CREATE", "DELETE", "SUBSCRIBE"];
    let heard = gmail.heard();
    let wrote = heard.iter().find(|heard| {
        let line = heard.line.to_ascii_uppercase();
        line.split(' ').any(|word| changes.contains(&word))
    });
    assert!(wrote.is_none(), "{wrote:?}");
    assert!(!patient.dir.path().join("state").exists(), "not even a state directory is made");
}

#[test]
fn what_it_says_in_json_is_what_scripts_depend_on() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let patient = at(dovecot.port, smtp.port, "", PASSWORD);
    let checks = patient.checks(&["support"]);
    let names: Vec<&str> = checks.iter().map(|check| check["name"].as_str().unwrap()).collect();
    let kept = std::fs::read_to_string(super::data("doctor/names.list")).unwrap_or_default();
    if std::env::var_os("BATON_WRITE_DOCTOR").is_some() {
        std::fs::write(super::data("doctor/names.list"), names.join("\n") + "\n").unwrap();
    } else {
        assert_eq!(names, kept.lines().collect::<Vec<_>>(), "names are the same in every version");
    }
    assert!(30 <= names.len());
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len(), "each name once");
    let outcomes = ["pass", "warn", "fail", "skipped"];
    for check in &checks {
        assert!(outcomes.iter().any(|one| check["outcome"] == *one), "{check}");
        let needs_remedy = check["outcome"] == "warn" || check["outcome"] == "fail";
        assert!(!needs_remedy || check["remedy"].is_string(), "{check}");
    }
    let (code, said) = patient.asks(&["nobody"]);
    assert_eq!(code, 1);
    assert!(said.contains("there is no mailbox `nobody`"), "{said}");
}
