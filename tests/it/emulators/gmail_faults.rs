//! What goes wrong at Gmail (points 14 to 16).

use std::time::Duration;

use super::gmail::{USER, XOAUTH2, gmail, inside, mail};
use crate::world::imapd::client::Talk;

/// Point 14.
#[test]
fn sessions_expire() {
    let gmail = gmail();
    let mail = gmail.person(USER, |account| account.deliver(&mail(1)));
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    assert_eq!(talk.ask("IDLE"), ["+ idling"]);
    // G67: a label elsewhere is no news here; a flag is.
    gmail.person(USER, |account| account.label(&[mail], "elsewhere"));
    gmail.person(USER, |account| account.star(&[mail], true));
    assert_eq!(talk.line(), "* 1 FETCH (FLAGS (\\Flagged))");
    gmail.drop_sessions(USER);
    assert_eq!(talk.line(), "* BYE Session expired, please login again.");
    assert_eq!(talk.line(), "");
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    talk.ask("IDLE");
    gmail
        .person(USER, |account| account.settings.session_lifetime = Some(Duration::from_millis(1)));
    assert_eq!(talk.line(), "* BYE Session expired, please login again.");
    gmail.person(USER, |account| account.settings.session_lifetime = None);
    let mut talk = inside(&gmail);
    gmail.cut_connections();
    assert_eq!(talk.line(), "");
}

/// Point 15.
#[test]
fn fifteen_sessions_and_no_more() {
    let gmail = gmail();
    let open: Vec<Talk> = (0..15).map(|_| inside(&gmail)).collect();
    let mut talk = Talk::with(gmail.port());
    talk.line();
    assert_eq!(
        talk.ask(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}")),
        ["a1 NO [ALERT] Too many simultaneous connections. (Failure)"]
    );
    assert_eq!((open.len(), gmail.connections()), (15, 16));
}

/// Point 16, knob 1.
#[test]
fn throttling() {
    let gmail = gmail();
    let mut talk = inside(&gmail);
    gmail.person(USER, |account| account.faults.throttled = Some(Duration::from_millis(1)));
    assert_eq!(talk.ask("NOOP"), ["a2 OK Success [THROTTLED]"]);
}

/// Point 16, knob 2.
#[test]
fn bandwidth() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        account.deliver(&mail(1));
        account.faults.download_limit = Some(1000);
    });
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    talk.fine("FETCH 1 BODY.PEEK[]");
    let over = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)";
    let refused = (0..10)
        .find_map(|_| talk.ask("FETCH 1 BODY.PEEK[]").pop().filter(|line| line.contains("NO")));
    assert!(refused.is_some_and(|line| line.ends_with(over)));
    assert!(talk.ask("SELECT INBOX")[0].ends_with(over));
    gmail.person(USER, |account| account.faults.lift_limits());
    talk.fine("SELECT INBOX");
}

/// Point 16, knob 3; and G75.
#[test]
fn logins_that_need_a_person() {
    let gmail = gmail();
    gmail.person(USER, |account| account.faults.web_login_required = true);
    let mut talk = Talk::with(gmail.port());
    talk.line();
    let answer = talk.ask(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}"));
    assert!(
        answer[0].starts_with("* NO [WEBALERT https://accounts.google.com/signin/continue?"),
        "{answer:?}"
    );
    assert_eq!(
        answer[1],
        "a1 NO [ALERT] Please log in via your web browser: \
         https://support.google.com/mail/accounts/answer/78754 (Failure)"
    );
    gmail.person(USER, |account| {
        account.faults.web_login_required = false;
        account.settings.imap = false;
    });
    assert!(
        talk.ask("LOGIN user@example.com abcdefghijklmnop")[0]
            .contains("[ALERT] Your account is not enabled")
    );
}

/// Point 16 and G61: what is gone meanwhile is not fetched, and the rest is.
#[test]
fn a_fetch_can_be_partial() {
    let gmail = gmail();
    let first = gmail.person(USER, |account| {
        account.deliver(&mail(2));
        account.deliver(&mail(1))
    });
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    gmail.person(USER, |account| account.archive(&[first]));
    assert_eq!(
        talk.ask("FETCH 1:2 UID"),
        ["* 1 FETCH (UID 1)", "a3 NO Some messages could not be FETCHed (Failure)"]
    );
}
