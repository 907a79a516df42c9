//! The emulated Gmail takes Google's tokens.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{SUPPORT, token};
use crate::world::gmail::Gmail;
use crate::world::imapd::client::Talk;
use crate::world::tokens::Google;
use crate::world::tokens::google::{IMAP_ADMIN, MAIL};

#[test]
fn a_token_opens_gmail_until_it_is_over() {
    let google = Google::start();
    let gmail = Gmail::start(&[SUPPORT, "other@example.test"]);
    gmail.asks_about_tokens(google.hook());
    let log_in = |user: &str, token: &str| {
        let mut talk = Talk::with(gmail.port());
        talk.line();
        let blob = STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        talk.ask(&format!("AUTHENTICATE XOAUTH2 {blob}")).pop().unwrap()
    };
    let fine = "a1 OK support@example.test authenticated (Success)";
    let mail = token(&google, MAIL);
    assert_eq!(log_in(SUPPORT, &mail), fine);
    assert_eq!(log_in(SUPPORT, &token(&google, IMAP_ADMIN)), fine);
    // X4: the challenge comes first.
    assert!(log_in("other@example.test", &mail).starts_with("+ "));
    assert!(log_in(SUPPORT, Gmail::TOKEN).starts_with("+ "));
    google.ledger.forward(3600);
    assert!(log_in(SUPPORT, &mail).starts_with("+ "));
}
