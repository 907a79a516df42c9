//! A token ends while its session lives (M55, G64): the next session has a new one, and nobody hears of it.

use super::Desk;
use super::SUPPORT;
use super::flows::{gmail_of, person_at};
use crate::world::exchange::Tenant;
use crate::world::exchange::knobs::Expiry;
use crate::world::tokens::Google;
use crate::world::{PATIENCE, poll};

impl Desk {
    /// Waits for one connection more than there were before this happened.
    #[track_caller]
    fn reconnects_after(&self, happens: impl FnOnce()) {
        let connections = || self.baton.log().matches("support is connected").count();
        let before = connections();
        happens();
        let again = poll(PATIENCE, || (before < connections()).then_some(()));
        assert!(again.is_some(), "no other connection: {}", self.baton.log_tail(40));
        self.is_content();
    }

    /// Whether nothing that has happened so far was worth a warning.
    #[track_caller]
    fn has_not_complained(&self) {
        let log = self.baton.log();
        let complaint =
            log.lines().find(|line| line.contains(" WARN ") || line.contains(" ERROR "));
        assert!(complaint.is_none(), "{complaint:?}");
    }
}

#[test]
fn an_application_gets_another_token_whatever_exchange_says() {
    for expiry in [Expiry::Bye, Expiry::Tagged] {
        let tenant = Tenant::start();
        tenant.set(|knobs| knobs.expiry = expiry);
        let login = "flow = \"client-credentials\"\nclient_secret = { file = \"DIR/secret\" }\n";
        let mut desk = Desk::at_microsoft(&tenant, login);
        desk.starts();
        desk.reconnects_after(|| tenant.forward(5000));
        desk.has_not_complained();
    }
}

#[test]
fn a_persons_login_is_renewed() {
    let tenant = Tenant::start();
    let mut desk = person_at(&tenant);
    desk.logs_in_by_browser();
    desk.starts();
    for _ in 0..2 {
        desk.reconnects_after(|| tenant.forward(5000));
    }
    assert_eq!(desk.held()["needs_login"], false);
}

#[test]
fn a_token_that_was_taken_back_is_not_shown_twice() {
    let google = Google::start();
    let gmail = gmail_of(&google);
    let mut desk = Desk::as_service_account(&google, "", gmail.port());
    desk.starts();
    let before = google.ledger.access_tokens();
    desk.reconnects_after(|| {
        google.ledger.expire_access();
        gmail.drop_sessions(SUPPORT);
    });
    assert!(before < google.ledger.access_tokens());
}
