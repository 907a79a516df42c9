//! A real Dovecot takes the twins' tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::SUPPORT;
use crate::world::tokens::Google;
use crate::world::tokens::google::MAIL;
use crate::world::{Dovecot, Imap, PASSWORD, Server};

fn xoauth2(user: &str, token: &str) -> String {
    STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

#[test]
fn dovecot_asks_whether_a_token_is_good() {
    let google = Google::start();
    let dovecot = Dovecot::start(Server::asking(google.introspection_url()));
    let token = super::token(&google, MAIL);
    let authenticate = |mechanism: &str, blob: &str| {
        let mut imap = Imap::connect(dovecot.port).unwrap();
        imap.run(&format!("AUTHENTICATE {mechanism} {blob}")).map(|_| imap)
    };
    let mut imap = authenticate("XOAUTH2", &xoauth2(SUPPORT, &token)).unwrap();
    imap.run("SELECT INBOX").unwrap();
    let bearer = format!(
        "n,a={SUPPORT},\x01host=127.0.0.1\x01port={}\x01auth=Bearer {token}\x01\x01",
        dovecot.port
    );
    authenticate("OAUTHBEARER", &STANDARD.encode(bearer)).unwrap();
    Imap::login(dovecot.port, SUPPORT, PASSWORD).unwrap();
    assert!(Imap::login(dovecot.port, SUPPORT, &token).is_err());
}
