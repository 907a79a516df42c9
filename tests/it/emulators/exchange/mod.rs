//! The emulator of Exchange Online, in transcripts: what Baton is tested against must be right itself.
//!
//! "7.n" are the points of the list of what such an emulator must do, M-numbers the facts behind them.

mod baton;
mod categories;
mod clients;
mod faults;
mod flags;
mod folders;
mod graph;
mod limits;
mod login;
mod people;
mod polling_cost;
mod session;
mod smtp;
mod waits;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::world::exchange::{SHARED, Tenant};
use crate::world::imapd::client::Talk;

/// The SASL answer of X1.
fn xoauth2(user: &str, token: &str) -> String {
    BASE64_STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"))
}

/// A connection that has read the greeting.
fn greeted(tenant: &Tenant) -> Talk {
    let mut talk = Talk::with(tenant.imap.port);
    assert!(talk.line().starts_with("* OK The Microsoft Exchange"));
    talk
}

/// The app in the shared mailbox.
fn connected(tenant: &Tenant) -> Talk {
    let mut talk = greeted(tenant);
    talk.fine(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(SHARED, &tenant.token_of_app())));
    talk
}

/// The same, with INBOX selected.
fn inside(tenant: &Tenant) -> Talk {
    let mut talk = connected(tenant);
    talk.fine("SELECT INBOX");
    talk
}

/// A mail with this number in subject and Message-ID.
fn mail(number: u32) -> String {
    format!(
        "Received: from mx by shared\r\nSubject: Kettle {number}\r\nFrom: Bob <bob@example.test>\r\n\
         To: shared@contoso.com\r\nX-Other: 1\r\nMessage-ID: <{number}@example.test>\r\n\r\nIt leaks.\r\n"
    )
}

/// A tenant with so many mails in the shared Inbox.
fn with_mails(count: u32) -> Tenant {
    let tenant = Tenant::start();
    (1..=count).for_each(|number| tenant.delivers(&mail(number)));
    tenant
}
