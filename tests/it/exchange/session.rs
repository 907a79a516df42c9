//! The example session of the list, and the ordinary course of things.

use super::{connected, greeted, inside, mail, with_mails, xoauth2};
use crate::world::exchange::{SHARED, Tenant};
use crate::world::imapd::client::Talk;

/// The whole example session, line by line; with three mails instead of 2198.
#[test]
fn the_example_session() {
    let tenant = with_mails(3);
    for number in 1..=3 {
        tenant.outlook(|outlook| outlook.reads(&format!("<{number}@example.test>"), true));
    }
    let mut talk = Talk::with(tenant.imap.port);
    assert_eq!(
        talk.line(),
        "* OK The Microsoft Exchange IMAP4 service is ready. \
         [TQBXAEgAUABSADIAMQBDAEEAMAAwADYAMAAuAG4AYQBtAHAAcgBkADIAMQAuAHAAcgBvAGQALgBvAHUAdABsAG8AbwBrAC4AYwBvAG0A]"
    );
    let before = "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE \
        NAMESPACE LITERAL+";
    assert_eq!(talk.ask("CAPABILITY"), [before, "a1 OK CAPABILITY completed."]);
    let blob = xoauth2(SHARED, &tenant.token_of_app());
    assert_eq!(
        talk.ask(&format!("AUTHENTICATE XOAUTH2 {blob}")),
        ["a2 OK AUTHENTICATE completed."]
    );
    let after = "* CAPABILITY IMAP4 IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2 SASL-IR UIDPLUS MOVE ID UNSELECT \
        CLIENTACCESSRULES CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+";
    assert_eq!(talk.ask("CAPABILITY"), [after, "a3 OK CAPABILITY completed."]);
    assert_eq!(
        talk.ask("NAMESPACE"),
        ["* NAMESPACE ((\"\" \"/\")) NIL NIL", "a4 OK NAMESPACE completed."]
    );
    assert_eq!(
        talk.ask("SELECT INBOX"),
        [
            "* 3 EXISTS",
            "* 0 RECENT",
            r"* FLAGS (\Seen \Answered \Flagged \Deleted \Draft $MDNSent)",
            r"* OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft $MDNSent)] Permanent flags",
            "* OK [UIDVALIDITY 14] UIDVALIDITY value",
            "* OK [UIDNEXT 4] The next unique identifier value",
            "a5 OK [READ-WRITE] SELECT completed.",
        ]
    );
    assert_eq!(
        talk.ask("UID STORE 3600 +FLAGS (kb-owner-ana)"),
        ["a6 BAD Command Argument Error. 11"]
    );
    assert_eq!(talk.ask("IDLE"), ["+ IDLE accepted, awaiting DONE command."]);
    tenant.microsoft.ledger.expire_access();
    // 7.13: nobody has to do anything for that.
    assert_eq!(talk.line(), "* BYE Session invalidated - AccessTokenExpired");
    assert_eq!(talk.line(), "");
}

/// M9, M10, M11, M15.
#[test]
fn small_things() {
    let tenant = Tenant::start();
    let mut talk = greeted(&tenant);
    assert_eq!(talk.ask("SELECT INBOX"), ["a1 BAD Command received in Invalid state."]);
    let mut talk = connected(&tenant);
    assert_eq!(
        talk.ask("ID NIL"),
        [
            r#"* ID ("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")"#,
            "a2 OK ID completed."
        ]
    );
    assert_eq!(talk.ask("FETCH 1 FLAGS"), ["a3 BAD Command received in Invalid state."]);
    assert_eq!(talk.ask("EXAMINE \"Sent Items\"")[3], "* OK [PERMANENTFLAGS ()] Permanent flags");
    assert_eq!(talk.ask("UNSELECT"), ["a5 OK UNSELECT completed."]);
    assert_eq!(talk.ask("NOOP"), ["a6 OK NOOP completed."]);
    assert_eq!(
        talk.ask("LOGOUT"),
        ["* BYE Microsoft Exchange Server IMAP4 server signing off.", "a7 OK LOGOUT completed."]
    );
    assert_eq!(talk.line(), "");
}

/// 7.7, M6, M47: what Exchange has not.
#[test]
fn what_is_not_there() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    let argument = "BAD Command Argument Error. 11";
    let unknown = "BAD Command Error. 10";
    for (command, answer) in [
        ("SELECT INBOX (CONDSTORE)", argument),
        ("SELECT INBOX (QRESYNC (14 1))", argument),
        ("FETCH 1 (X-GM-LABELS)", argument),
        ("FETCH 1 (FLAGS) (CHANGEDSINCE 1)", argument),
        ("STATUS INBOX (HIGHESTMODSEQ)", argument),
        ("LIST \"\" \"*\" RETURN (STATUS (MESSAGES))", argument),
        ("SEARCH RETURN (ALL) ALL", argument),
        ("ENABLE UTF8=ACCEPT", unknown),
        ("GETQUOTAROOT INBOX", unknown),
        ("XLIST \"\" \"*\"", unknown),
        ("SORT (DATE) UTF-8 ALL", unknown),
    ] {
        // A new connection for each, because ten errors end one.
        let mut talk = inside(&tenant);
        assert_eq!(talk.ask(command), [format!("a3 {answer}")], "{command}");
    }
    assert_eq!(
        talk.ask("STATUS INBOX (MESSAGES UNSEEN UIDNEXT)")[0],
        "* STATUS INBOX (MESSAGES 1 UNSEEN 1 UIDNEXT 2)"
    );
}

/// 7.12, M51, M52, M53.
#[test]
fn idling() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    assert_eq!(talk.ask("IDLE"), ["+ IDLE accepted, awaiting DONE command."]);
    tenant.delivers(&mail(2));
    assert_eq!(talk.line(), "* 2 EXISTS");
    tenant.outlook(|outlook| outlook.flags("<1@example.test>", true));
    assert_eq!(talk.line(), r"* 1 FETCH (FLAGS (\Flagged))");
    talk.send("DONE");
    assert_eq!(talk.answer(), ["a3 OK IDLE completed."]);

    // What comes at the wrong moment comes before the `+`, or right behind it.
    tenant.set(|knobs| knobs.news_before_plus = true);
    tenant.delivers(&mail(3));
    assert_eq!(talk.ask("IDLE"), ["* 3 EXISTS", "+ IDLE accepted, awaiting DONE command."]);
    talk.send("DONE");
    talk.answer();

    tenant.set(|knobs| knobs.deaf = true);
    talk.ask("IDLE");
    tenant.delivers(&mail(4));
    tenant.outlook(|outlook| outlook.deletes("<1@example.test>"));
    talk.send("DONE");
    assert_eq!(talk.answer(), ["a5 OK IDLE completed."]);
    // The poll sees it.
    assert_eq!(talk.ask("NOOP"), ["* 1 EXPUNGE", "* 3 EXISTS", "a6 OK NOOP completed."]);
}

/// 7.11, M38, M39: another order of headers, more of them, and a size that is a guess.
#[test]
fn messages_are_written_anew() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    let body = talk.fine("UID FETCH 1 BODY.PEEK[]").concat();
    let order =
        ["Received:", "From:", "To:", "Subject:", "Message-ID:", "X-Other:", "Accept-Language:"];
    let places: Vec<usize> = order.iter().map(|name| body.find(name).unwrap()).collect();
    assert!(places.is_sorted(), "{body}");
    assert!(body.contains("\r\n\r\nIt leaks.\r\n"), "{body}");
    let length = |lines: &[String], before: &str| -> usize {
        let text = lines[0].split(before).nth(1).unwrap();
        text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
    };
    let guessed = length(&talk.fine("FETCH 1 RFC822.SIZE"), "RFC822.SIZE ");
    let exact = length(&[body], "BODY[] {");
    assert_ne!(guessed, exact);
    tenant.set(|knobs| knobs.guesses_size = false);
    assert_eq!(length(&talk.fine("FETCH 1 RFC822.SIZE"), "RFC822.SIZE "), exact);

    tenant.set(|knobs| knobs.renders = false);
    tenant.delivers(&mail(2));
    talk.fine("NOOP");
    let body = talk.fine("UID FETCH 2 BODY.PEEK[]").concat();
    assert!(body.contains(&mail(2)), "{body}");
}

/// The record of what clients said.
#[test]
fn everything_is_written_down() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    talk.fine("UID FETCH 1 BODY.PEEK[]");
    let heard = tenant.imap.heard();
    let last = heard.last().unwrap();
    assert_eq!((last.line.as_str(), last.bytes), ("a3 UID FETCH 1 BODY.PEEK[]", 28));
    assert!(last.answer_bytes > mail(1).len(), "{last:?}");
    assert_eq!((last.account.as_deref(), tenant.imap.connections()), (Some(SHARED), 1));
}
