//! Too long, too large, too often.

use super::{connected, inside, mail, with_mails};

/// 7.8, M45.
#[test]
fn a_command_has_ten_kilobytes() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    let uids = |bytes: usize| "1,".repeat(bytes / 2) + "1";
    assert_eq!(
        talk.ask(&format!("UID FETCH {} (UID)", uids(10_200))),
        ["* 1 FETCH (UID 1)", "a3 OK FETCH completed."]
    );
    assert_eq!(
        talk.ask(&format!("UID FETCH {} (UID)", uids(10_240))),
        ["a4 BAD Command Error. 10"]
    );
    assert_eq!(talk.ask("NOOP"), ["a5 OK NOOP completed."]);
}

/// 7.8, M46.
#[test]
fn an_append_has_limits() {
    let tenant = with_mails(0);
    tenant.set(|knobs| knobs.append_bytes = 20_000);
    let mut talk = connected(&tenant);
    let long = format!("Subject: x\r\n\r\n{}\r\n", "x".repeat(10_501));
    assert_eq!(talk.append("Drafts", "", &long), "a2 BAD Command Argument Error. 11");
    assert_eq!(
        talk.ask("APPEND Drafts {20001}"),
        ["a3 NO Maximum size of appendable message has been exceeded"]
    );
    let large = format!("Subject: x\r\n\r\n{}", "x\r\n".repeat(7000));
    let literal = format!("APPEND Drafts {{{}+}}\r\n{large}", large.len());
    assert_eq!(talk.ask(&literal), ["a4 NO Maximum size of appendable message has been exceeded"]);
    assert_eq!(talk.append("Drafts", "kb-ana", &mail(1)), "a5 BAD Command Argument Error. 11");
    assert!(tenant.shown().is_empty());
    // LITERAL+.
    let literal = format!(
        "APPEND Drafts (\\Seen) \"01-Feb-2026 10:00:00 +0000\" {{{}+}}\r\n{}",
        mail(1).len(),
        mail(1)
    );
    assert_eq!(talk.ask(&literal), ["a6 OK [APPENDUID 14 1] APPEND completed."]);
    talk.fine("SELECT Drafts");
    // M50.
    assert!(talk.fine("FETCH 1 INTERNALDATE")[0].contains("01-Feb-2026 10:00:00 +0000"));
}

/// 7.8, M46: ten errors, and the line is dead.
#[test]
fn the_tenth_error_is_the_last() {
    let tenant = with_mails(0);
    let mut talk = connected(&tenant);
    for number in 2..=11 {
        assert_eq!(talk.ask("XYZZY 1"), [format!("a{number} BAD Command Error. 10")]);
    }
    assert_eq!(talk.line(), "* BYE Connection is closed. 10");
    assert_eq!(talk.line(), "");
}
