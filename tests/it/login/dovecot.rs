//! A real Dovecot takes Baton's tokens, by each mechanism, with and without SASL-IR.

use super::{Desk, SUPPORT};
use crate::world::tokens::Google;
use crate::world::{Dovecot, Proxy, Server, Side};

/// How the daemon logs in at a server with this mechanism alone: the words of its AUTHENTICATE, as far as the proxy
/// records them, and whether the server had to ask for the token.
fn login_at(mechanism: &'static str, hidden: &[&'static str]) -> (String, bool) {
    let google = Google::start();
    let server = Server {
        hidden: hidden.to_vec(),
        token_mechanisms: vec![mechanism],
        ..Server::asking(google.introspection_url())
    };
    let dovecot = Dovecot::start(server);
    let proxy = Proxy::start(dovecot.port);
    let mut desk = Desk::as_service_account(&google, "layout = \"keywords\"", proxy.port);
    desk.starts();
    let lines = proxy.recording();
    let at = lines.iter().position(|line| line.text.contains(" AUTHENTICATE ")).unwrap();
    let (_, words) = lines[at].text.split_once(' ').unwrap();
    let answer = lines[at..].iter().find(|line| line.side == Side::Server).unwrap();
    (words.to_owned(), answer.text.starts_with('+'))
}

#[test]
fn xoauth2_at_once() {
    assert_eq!(login_at("xoauth2", &[]), ("AUTHENTICATE XOAUTH2".to_owned(), false));
}

#[test]
fn xoauth2_after_being_asked() {
    assert_eq!(login_at("xoauth2", &["SASL-IR"]), ("AUTHENTICATE XOAUTH2".to_owned(), true));
}

#[test]
fn oauthbearer_at_once() {
    assert_eq!(login_at("oauthbearer", &[]), ("AUTHENTICATE OAUTHBEARER".to_owned(), false));
}

#[test]
fn oauthbearer_after_being_asked() {
    let (words, asked) = login_at("oauthbearer", &["SASL-IR"]);
    assert_eq!((words.as_str(), asked), ("AUTHENTICATE OAUTHBEARER", true));
}

#[test]
fn a_token_of_somebody_else_opens_nothing() {
    let google = Google::start();
    let dovecot = Dovecot::start(Server::asking(google.introspection_url()));
    let desk = Desk::as_service_account(&google, "layout = \"keywords\"", dovecot.port);
    google.set(|setup| setup.accounts = vec!["other@example.test".to_owned()]);
    let said = desk.baton.says(&["check", "--online"]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    assert!(format!("{}{}", said.out, said.err).contains(SUPPORT), "{}{}", said.out, said.err);
}

#[test]
fn a_persons_consent_opens_it_as_well() {
    let google = Google::start();
    let dovecot = Dovecot::start(Server::asking(google.introspection_url()));
    let mut desk = Desk::at_google(&google, "layout = \"keywords\"", dovecot.port);
    desk.logs_in_by_browser();
    desk.starts();
}
