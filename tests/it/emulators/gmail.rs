//! Gmail's protocol in transcripts: logging in, folders, SELECT, and how strict it is.

use crate::world::gmail::{Account, Gmail, Language, Settings};
use crate::world::imapd::client::Talk;

pub(super) const USER: &str = "user@example.com";
/// X2: the user and the token `token`.
pub(super) const XOAUTH2: &str = "dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIHRva2VuAQE=";

pub(super) fn gmail() -> Gmail {
    Gmail::start(&[USER])
}

/// A session that has logged in; its next tag is `a2`.
pub(super) fn inside(gmail: &Gmail) -> Talk {
    let mut talk = Talk::with(gmail.port());
    talk.line();
    talk.fine(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}"));
    talk
}

pub(super) fn mail(number: usize) -> String {
    format!(
        "From: Bob <bob@example.test>\nTo: user@example.com\nSubject: Kettle {number}\n\
         Message-ID: <m{number}@example.test>\n\nMy kettle number {number} is broken.\n"
    )
}

/// An answer to a mail of [`mail`].
pub(super) fn answer(number: usize, to: usize, subject: &str) -> String {
    format!(
        "From: user@example.com\nTo: Bob <bob@example.test>\nSubject: {subject}\n\
         Message-ID: <m{number}@example.test>\nIn-Reply-To: <m{to}@example.test>\n\nSorry.\n"
    )
}

/// Point 1 to 3, 7 to 9 and 11: the example session that the facts end with, in the emulator's own numbers.
#[test]
fn the_example_session() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        let first = account.deliver(&mail(1));
        account.label(&[first], "Other");
        account.label(&[first], "Owner/Ben");
    });
    let mut talk = Talk::with(gmail.port());
    assert_eq!(talk.line(), "* OK Gimap ready for requests from 127.0.0.1 k1if6111336rvb.0");
    assert_eq!(
        talk.ask("CAPABILITY"),
        [
            "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY SASL-IR \
             AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER AUTH=XOAUTH",
            "a1 OK Thats all she wrote! k1if6111336rvb",
        ]
    );
    assert_eq!(
        talk.ask(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}")),
        [
            "* CAPABILITY IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS \
             COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- \
             SPECIAL-USE APPENDLIMIT=35651584",
            "a2 OK user@example.com authenticated (Success)",
        ]
    );
    let modseq = gmail.person(USER, |account| account.store.modseq);
    assert_eq!(
        talk.ask("SELECT \"[Gmail]/All Mail\" (CONDSTORE)"),
        [
            "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing)",
            "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing \\*)] \
             Flags permitted.",
            "* OK [UIDVALIDITY 3] UIDs valid.",
            "* 1 EXISTS",
            "* 0 RECENT",
            "* OK [UIDNEXT 2] Predicted next UID.",
            &format!("* OK [HIGHESTMODSEQ {modseq}]"),
            "a3 OK [READ-WRITE] [Gmail]/All Mail selected. (Success)",
        ]
    );
    assert_eq!(
        talk.ask("UID STORE 1 +X-GM-LABELS (\"Owner/Ana\")"),
        [
            "* 1 FETCH (X-GM-LABELS (Other \"Owner/Ana\" \"Owner/Ben\" \"\\\\Inbox\") UID 1)",
            "a4 OK Success",
        ]
    );
    assert_eq!(talk.ask("LOGOUT"), ["* BYE LOGOUT Requested", "a5 OK 73 good day (Success)"]);
    let heard = gmail.heard();
    assert_eq!(heard[0].line, "a1 CAPABILITY");
    assert_eq!((heard[0].bytes, heard[3].account.as_deref()), (15, Some(USER)));
}

/// Point 2.
#[test]
fn a_bad_token_is_refused_after_the_client_has_answered() {
    let gmail = gmail();
    gmail.expire_tokens(USER);
    let mut talk = Talk::with(gmail.port());
    talk.line();
    let challenge = "+ eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZ29vZ2xlLmNvbS8ifQ==";
    assert_eq!(talk.ask(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}")), [challenge]);
    talk.send("");
    assert_eq!(talk.answer(), ["a1 NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"]);
    assert_eq!(talk.ask("AUTHENTICATE XOAUTH2"), ["+ "]);
    talk.send(XOAUTH2);
    assert_eq!(talk.answer(), [challenge]);
    talk.send("");
    assert_eq!(talk.answer().len(), 1);
    // The account's own password has had its day (G89); the app password has not (G88).
    assert!(
        talk.ask("LOGIN user@example.com web-password")[0]
            .contains("Application-specific password required")
    );
    assert!(talk.ask("LOGIN user@example.com wrong")[0].contains("[AUTHENTICATIONFAILED]"));
    assert_eq!(talk.fine("LOGIN user@example.com \"abcd efgh ijkl mnop\"").len(), 1);
}

#[test]
fn a_hook_may_judge_tokens() {
    let gmail = gmail();
    let verdict = |user: &str, token: &str| match (user, token) {
        (USER, "minted") => crate::world::gmail::Token::GoodForEverything,
        _ => crate::world::gmail::Token::Bad,
    };
    gmail.asks_about_tokens(std::sync::Arc::new(verdict));
    gmail.person(USER, |account| account.show_in_imap("[Gmail]/All Mail", false)).unwrap();
    let mut talk = Talk::with(gmail.port());
    talk.line();
    assert!(talk.ask(&format!("AUTHENTICATE XOAUTH2 {XOAUTH2}"))[0].starts_with('+'));
    talk.send("");
    talk.answer();
    // `user=user@example.com^Aauth=Bearer minted^A^A`
    talk.fine("AUTHENTICATE XOAUTH2 dXNlcj11c2VyQGV4YW1wbGUuY29tAWF1dGg9QmVhcmVyIG1pbnRlZAEB");
    // G25: with that scope hidden folders are there.
    assert_eq!(talk.fine("LIST (SPECIAL-USE) \"\" \"*All Mail\"").len(), 1);
}

/// Point 5 and 6.
#[test]
fn folders() {
    let gmail = gmail();
    let mut talk = inside(&gmail);
    talk.fine("CREATE Zebra/Foal");
    assert_eq!(
        talk.fine("LIST \"\" \"*\""),
        [
            "* LIST (\\HasNoChildren) \"/\" \"INBOX\"",
            "* LIST (\\HasChildren \\Noselect) \"/\" \"[Gmail]\"",
            "* LIST (\\All \\HasNoChildren) \"/\" \"[Gmail]/All Mail\"",
            "* LIST (\\Drafts \\HasNoChildren) \"/\" \"[Gmail]/Drafts\"",
            "* LIST (\\HasNoChildren \\Important) \"/\" \"[Gmail]/Important\"",
            "* LIST (\\HasNoChildren \\Sent) \"/\" \"[Gmail]/Sent Mail\"",
            "* LIST (\\HasNoChildren \\Junk) \"/\" \"[Gmail]/Spam\"",
            "* LIST (\\Flagged \\HasNoChildren) \"/\" \"[Gmail]/Starred\"",
            "* LIST (\\HasNoChildren \\Trash) \"/\" \"[Gmail]/Trash\"",
            "* LIST (\\HasNoChildren) \"/\" \"Zebra/Foal\"",
        ]
    );
    talk.fine("SELECT INBOX");
    assert_eq!(
        talk.ask("SELECT \"[Gmail]\""),
        ["a5 NO [NONEXISTENT] Unknown Mailbox: [Gmail] (now in authenticated state) (Failure)"]
    );
    assert_eq!(talk.ask("FETCH 1 UID"), ["a6 BAD Unknown command k1if6111336rvb"]);
    assert_eq!(
        talk.fine("XLIST \"\" \"[Gmail]/S%\"")[1],
        "* XLIST (\\HasNoChildren \\Spam) \"/\" \"[Gmail]/Spam\""
    );
    let refused = |talk: &mut Talk, command: &str| {
        talk.ask(command).pop().unwrap().split_once(' ').unwrap().1.to_owned()
    };
    assert!(
        refused(&mut talk, "CREATE zebra/foal").starts_with("NO [ALREADYEXISTS] Duplicate folder")
    );
    assert_eq!(
        refused(&mut talk, "CREATE \"a  b\""),
        "NO [CANNOT] Folder contains excess whitespace (Failure)"
    );
    assert!(refused(&mut talk, "CREATE muted").starts_with("NO [CANNOT]"));
    assert!(refused(&mut talk, "DELETE \"[Gmail]/Trash\"").contains("NO [CANNOT]"));
}

/// Point 5: the account's language, "Show in IMAP", and the limit.
#[test]
fn the_owner_decides_what_imap_shows() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        account.speaks(Language::German);
        for number in 1..=3 {
            account.deliver(&mail(number));
        }
        account.settings.folder_limit = Some(2);
        account.show_in_imap("[Google Mail]/Markiert", false).unwrap();
    });
    let mut talk = inside(&gmail);
    let listed = talk.fine("LIST \"\" \"[G%/%\"");
    assert_eq!(
        listed[0],
        "* LIST (\\All \\HasNoChildren) \"/\" \"[Google Mail]/Alle Nachrichten\""
    );
    assert_eq!(listed[1], "* LIST (\\Drafts \\HasNoChildren) \"/\" \"[Google Mail]/Entw&APw-rfe\"");
    assert!(!listed.iter().any(|line| line.contains("Flagged")));
    assert!(
        talk.ask("STATUS \"[Google Mail]/Markiert\" (MESSAGES)")[0].contains("NO [NONEXISTENT]")
    );
    // G24: the oldest is not there, and nothing says so.
    assert!(talk.fine("SELECT INBOX").contains(&"* 2 EXISTS".to_owned()));
    assert_eq!(talk.fine("UID FETCH 1:* UID"), ["* 1 FETCH (UID 2)", "* 2 FETCH (UID 3)"]);
    // G11: names as they are.
    assert_eq!(talk.fine("ENABLE UTF8=ACCEPT"), ["* ENABLED UTF8=ACCEPT"]);
    assert_eq!(talk.fine("LIST (SPECIAL-USE) \"\" \"*würfe\"").len(), 1);
    assert_eq!(Settings::default().language, Language::English);
    assert_eq!(Account::new(USER).store.folders[2].name, "[Gmail]/All Mail");
}

/// Point 7.
#[test]
fn keywords_stay_and_are_listed() {
    let gmail = gmail();
    gmail.person(USER, |account| account.deliver(&mail(1)));
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    talk.fine("STORE 1 +FLAGS ($label1 \\Seen)");
    let opened = talk.fine("EXAMINE \"[Gmail]/All Mail\"");
    assert_eq!(
        opened[0],
        "* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen $NotPhishing $Phishing $label1)"
    );
    assert_eq!(opened[1], "* OK [PERMANENTFLAGS ()] Flags permitted.");
    // G49: flags are the message's, in whatever folder.
    assert_eq!(talk.fine("FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS ($label1 \\Seen))"]);
}

/// Point 17 and 18.
#[test]
fn strictness() {
    let gmail = gmail();
    gmail.person(USER, |account| account.deliver(&mail(1)));
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    let wrong = [
        "FETCH  1 UID",
        "FETCH 1 (UID) ",
        "FETCH 1 ALL",
        "FETCH 1 FULL",
        "FETCH 1 FAST",
        "SELECT INBOX (QRESYNC (1 2))",
    ];
    for command in wrong {
        let answer = talk.ask(command);
        assert!(answer[0].ends_with(" BAD Could not parse command"), "{command}: {answer:?}");
    }
    talk.raw(format!("x APPEND INBOX {{4097+}}\r\n{}\r\n", "a".repeat(4097)).as_bytes());
    assert_eq!(talk.line(), "x BAD Could not parse command");
    talk.raw(b"x APPEND INBOX {4+}\r\na: b\r\n");
    assert_eq!([talk.line(), talk.line()], ["* 2 EXISTS", "x OK [APPENDUID 1 2] (Success)"]);
    // Point 13: a message that is too large is refused before it is sent.
    assert!(talk.ask("APPEND INBOX {35651585}")[0].contains("NO [TOOBIG]"));
    talk.send("+");
    assert_eq!(talk.line(), "* BAD [CLIENTBUG] Invalid tag");
}
