//! What goes wrong on a bad day.

use std::time::Duration;

use super::{inside, with_mails};
use crate::world::exchange::knobs::{Expiry, Throttle, Unavailable, Word};

/// 7.13, M55.
#[test]
fn a_token_ends_between_commands() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    tenant.forward(2 * 3600);
    // Nothing is said while the client is silent.
    assert_eq!(talk.ask("NOOP"), ["* BYE Session invalidated - AccessTokenExpired"]);
    assert_eq!(talk.line(), "");
    tenant.set(|knobs| knobs.expiry = Expiry::Tagged);
    let mut talk = inside(&tenant);
    tenant.forward(2 * 3600);
    assert_eq!(talk.ask("NOOP"), ["a3 BAD Session invalidated - AccessTokenExpired"]);
    assert_eq!(talk.line(), "");
}

/// 7.13: with real time, and while the client idles.
#[test]
fn a_token_ends_by_itself() {
    let tenant = with_mails(1);
    tenant.microsoft.set(|setup| setup.access_seconds = 1);
    let mut talk = inside(&tenant);
    talk.ask("IDLE");
    assert_eq!(talk.line(), "* BYE Session invalidated - AccessTokenExpired");
}

/// 7.14, M57.
#[test]
fn requests_are_throttled() {
    let tenant = with_mails(1);
    let throttle = Throttle {
        verb: Some("UID FETCH"),
        times: 1,
        backoff: Duration::from_secs(5),
        word: Word::Bad,
        closes: false,
    };
    tenant.set(|knobs| knobs.throttle = Some(throttle.clone()));
    let mut talk = inside(&tenant);
    let words = "Request is throttled. Suggested Backoff Time: 5000 milliseconds";
    assert_eq!(talk.ask("UID FETCH 1 UID"), [format!("a3 BAD {words}")]);
    assert_eq!(talk.fine("UID FETCH 1 UID"), ["* 1 FETCH (UID 1)"]);
    let throttle = Throttle { verb: None, word: Word::No, closes: true, ..throttle };
    tenant.set(|knobs| knobs.throttle = Some(throttle));
    assert_eq!(talk.ask("NOOP"), [format!("a5 NO {words}")]);
    assert_eq!(talk.line(), "");
}

/// 7.15, M17.
#[test]
fn the_server_is_unavailable() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    tenant.set(|knobs| knobs.unavailable = vec![Unavailable::Bare, Unavailable::Tagged]);
    assert_eq!(talk.ask("NOOP"), ["a3 NO Server Unavailable. 15"]);
    talk.send("a4 NOOP");
    assert_eq!(talk.line(), "Server Unavailable. 15");
    assert_eq!(talk.ask("NOOP"), ["a4 OK NOOP completed."]);
}

/// M48.
#[test]
fn a_message_is_left_out() {
    let tenant = with_mails(2);
    tenant.cannot_render("<1@example.test>");
    let mut talk = inside(&tenant);
    assert_eq!(talk.ask("UID FETCH 1:* UID"), ["* 2 FETCH (UID 2)", "a3 OK FETCH completed."]);
}

/// M18, M54.
#[test]
fn a_long_silence_ends_a_session() {
    let tenant = with_mails(0);
    let mut talk = inside(&tenant);
    tenant.closes_connections();
    assert_eq!(
        (talk.line(), talk.line()),
        ("* BYE Connection is closed. 13".into(), String::new())
    );
}
