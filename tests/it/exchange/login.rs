//! Who may come in, and what they find.

use super::{connected, greeted, inside, xoauth2};
use crate::world::exchange::{ANA, SHARED, Tenant};
use crate::world::imapd::client::Talk;

fn log_in(tenant: &Tenant, user: &str, token: &str) -> (Talk, Vec<String>) {
    let mut talk = greeted(tenant);
    let answer = talk.ask(&format!("AUTHENTICATE XOAUTH2 {}", xoauth2(user, token)));
    (talk, answer)
}

/// 7.2, M15, X7: no challenge; after a few of these the door is shut.
#[test]
fn a_bad_token_is_refused_without_a_challenge() {
    let tenant = Tenant::start();
    let mut talk = greeted(&tenant);
    let blob = xoauth2(SHARED, "eyJ.made.up");
    assert_eq!(talk.ask(&format!("AUTHENTICATE XOAUTH2 {blob}")), ["a1 NO AUTHENTICATE failed."]);
    assert_eq!(talk.ask("LOGIN shared@contoso.com secret"), ["a2 NO LOGIN failed."]);
    // Without an initial response.
    assert_eq!(talk.ask("AUTHENTICATE XOAUTH2"), ["+ "]);
    talk.send(&blob);
    assert_eq!(talk.answer(), ["a3 NO AUTHENTICATE failed."]);
    assert_eq!(talk.line(), "* BYE Connection is closed. 14");
    assert_eq!(talk.line(), "");

    // A token for Graph (M112), one without the role, one that is over: all the same.
    let (_, answer) = log_in(&tenant, SHARED, &tenant.token_for_graph());
    assert_eq!(answer, ["a1 NO AUTHENTICATE failed."]);
    let token = tenant.token_of_app();
    tenant.forward(2 * 3600);
    let (_, answer) = log_in(&tenant, SHARED, &token);
    assert_eq!(answer, ["a1 NO AUTHENTICATE failed."]);
    tenant.microsoft.set(|setup| setup.app_roles.clear());
    let (_, answer) = log_in(&tenant, SHARED, &tenant.token_of_app());
    assert_eq!(answer, ["a1 NO AUTHENTICATE failed."]);
}

/// 7.3, M12, M13: in, and yet not.
#[test]
fn authenticated_but_not_connected() {
    let tenant = Tenant::start();
    tenant.mailbox(SHARED, |mailbox| mailbox.full_access.clear());
    let (mut talk, answer) = log_in(&tenant, SHARED, &tenant.token_of_app());
    assert_eq!(answer, ["a1 OK AUTHENTICATE completed."]);
    assert!(talk.ask("CAPABILITY")[0].contains(" MOVE "));
    assert_eq!(talk.ask("NAMESPACE"), ["a3 BAD User is authenticated but not connected."]);
    assert_eq!(talk.ask("SELECT INBOX"), ["a4 BAD User is authenticated but not connected."]);
    assert_eq!(talk.ask("LIST \"\" *"), ["a5 BAD User is authenticated but not connected."]);
    assert_eq!(talk.line(), "* BYE Connection closed. 14");
    assert_eq!(talk.line(), "");
}

/// 7.4, M65, M66, M70, M73.
#[test]
fn who_opens_what() {
    let tenant = Tenant::start();
    let opens = |user: &str, token: &str| {
        let (mut talk, answer) = log_in(&tenant, user, token);
        assert_eq!(answer, ["a1 OK AUTHENTICATE completed."]);
        talk.ask("SELECT INBOX").pop().unwrap() == "a2 OK [READ-WRITE] SELECT completed."
    };
    let app = tenant.token_of_app();
    let (ana, bob) = (tenant.token_of(ANA), tenant.token_of("bob@contoso.com"));
    assert!(opens(SHARED, &app), "the service principal has Full Access");
    assert!(!opens(ANA, &app), "to this mailbox it has not");
    assert!(!opens("nobody@contoso.com", &app), "nor to one that is not there");
    assert!(opens(ANA, &ana), "her own mailbox");
    assert!(opens(SHARED, &ana) && opens("Shared@Contoso.com", &ana), "she has Full Access");
    assert!(!opens(SHARED, &bob), "he has not");
}

/// M12, M16: too many connects in a period look like a missing permission.
#[test]
fn too_many_logins_connect_nobody() {
    let tenant = Tenant::start();
    tenant.set(|knobs| knobs.logins = Some(1));
    inside(&tenant);
    let mut talk = connected(&tenant);
    assert_eq!(talk.ask("SELECT INBOX"), ["a2 BAD User is authenticated but not connected."]);
    tenant.set(|knobs| knobs.logins = None);
    inside(&tenant);
}

/// 7.1, M4, M105.
#[test]
fn passwords_are_over_unless_they_are_not() {
    let tenant = Tenant::start();
    tenant.set(|knobs| knobs.basic_password = Some("secret"));
    let mut talk = greeted(&tenant);
    assert_eq!(talk.ask("LOGIN shared@contoso.com secret"), ["a1 OK LOGIN completed."]);
    talk.fine("SELECT INBOX");
    tenant.set(|knobs| knobs.login_disabled = true);
    let mut talk = greeted(&tenant);
    assert_eq!(
        talk.ask("CAPABILITY")[0],
        "* CAPABILITY IMAP4 IMAP4rev1 AUTH=XOAUTH2 LOGINDISABLED SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE \
         LITERAL+"
    );
    assert_eq!(talk.ask("AUTHENTICATE PLAIN"), ["a2 NO AUTHENTICATE failed."]);
}

/// M18, M59.
#[test]
fn connections_are_counted() {
    let tenant = Tenant::start();
    tenant.set(|knobs| knobs.connections = 1);
    let first = greeted(&tenant);
    let mut second = Talk::with(tenant.imap.port);
    assert_eq!(
        (second.line(), second.line()),
        ("* BYE Connection is closed. 10".into(), String::new())
    );
    drop(first);
    let gone = || Talk::with(tenant.imap.port).line().starts_with("* OK").then_some(());
    crate::world::poll(crate::world::PATIENCE, gone).unwrap();
}
