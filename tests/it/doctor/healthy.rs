//! Mailboxes with which all is well, at each kind of server, with the daemon beside the doctor.

use std::sync::Arc;

use super::submission::{Manners, Submission};
use super::{Patient, SUPPORT};
use crate::world::gmail::Gmail;
use crate::world::{Dovecot, PASSWORD, Server};

/// A mailbox at a server without TLS on the loopback.
pub(super) fn at(imap_port: u16, smtp_port: u16, lines: &str, password: &str) -> Patient {
    let mut patient = Patient::new(&format!(
        "address = \"{SUPPORT}\"\n{lines}\n[mailbox.imap]\nhost = \"127.0.0.1\"\nport = {imap_port}\ntls = \"none\"\n\
         user = \"{SUPPORT}\"\npassword = {{ file = \"DIR/password\" }}\n\
         [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = {smtp_port}\ntls = \"none\"\n"
    ));
    patient.writes("password", password);
    patient.masks(imap_port, 50143);
    patient.masks(smtp_port, 50587);
    patient
}

/// A server that sends, as Gmail does: the mail is in Sent, and in the inbox of whom it is for (G96).
pub(super) fn smtp_of(gmail: &Arc<Gmail>) -> Manners {
    let of = Arc::clone(gmail);
    Manners {
        takes: Arc::new(move |mail| {
            of.person(SUPPORT, |account| {
                let sent = account.file_as_sent(mail);
                account.put_in_inbox(&[sent]);
            });
            "250 2.0.0 OK  1790000000 k2if6111336rvb - gsmtp".to_owned()
        }),
        ..Manners::knowing(Gmail::PASSWORD)
    }
}

#[test]
fn a_dovecot_with_keywords() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let mut patient = at(dovecot.port, smtp.port, "", PASSWORD);
    patient.starts();
    patient.is_told("healthy_dovecot", &["support", "--probe"], 0);
    patient.is_told("healthy_dovecot_look", &[], 0);
}

#[test]
fn a_dovecot_with_folders() {
    let dovecot = Dovecot::start(Server::default());
    let smtp = Submission::start(Manners::knowing(PASSWORD));
    let mut patient = at(dovecot.port, smtp.port, "layout = \"folders\"", PASSWORD);
    patient.starts();
    patient.is_told("healthy_folders", &["support", "--probe"], 0);
}

#[test]
fn a_gmail() {
    let gmail = Arc::new(Gmail::start(&[SUPPORT]));
    let smtp = Submission::start(smtp_of(&gmail));
    let mut patient = at(gmail.port(), smtp.port, "provider = \"gmail\"", Gmail::PASSWORD);
    patient.starts();
    patient.is_told("healthy_gmail", &["support", "--probe"], 0);
    assert!(gmail.dump(SUPPORT).is_empty(), "{:#?}", gmail.dump(SUPPORT));
}
