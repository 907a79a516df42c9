//! Gmail's messages, labels and folders: what commands and people do to them.

use super::gmail::{USER, answer, gmail, inside, mail};
use crate::world::gmail::{Account, Gmail, LastLabel, Nil};

/// So many mails arrive.
fn deliver(gmail: &Gmail, count: usize) {
    for number in 1..=count {
        gmail.person(USER, |account| account.deliver(&mail(number)));
    }
}

/// The message's labels, joined.
#[track_caller]
fn labels(gmail: &Gmail, message_id: &str) -> String {
    let dump = gmail.dump(USER);
    let found = dump.iter().find(|one| one.message_id == message_id).expect("no such message");
    found.labels.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// The folders that show the message, joined.
#[track_caller]
fn folders(gmail: &Gmail, message_id: &str) -> String {
    let dump = gmail.dump(USER);
    let found = dump.iter().find(|one| one.message_id == message_id).expect("no such message");
    found.uids.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// Point 3 and 4.
#[test]
fn a_folder_is_a_view() {
    let gmail = gmail();
    let id = gmail.person(USER, |account| account.deliver(&mail(1)));
    let (mut inbox, mut all) = (inside(&gmail), inside(&gmail));
    inbox.fine("SELECT INBOX");
    all.fine("SELECT \"[Gmail]/All Mail\"");
    let fetched = all.fine("FETCH 1 (X-GM-MSGID X-GM-THRID X-GM-LABELS)");
    let msgid = Account::msgid(id);
    assert_eq!(
        fetched,
        [format!("* 1 FETCH (X-GM-MSGID {msgid} X-GM-THRID {msgid} X-GM-LABELS (\"\\\\Inbox\"))")]
    );
    inbox.ask("IDLE");
    gmail.person(USER, |account| account.archive(&[id]));
    assert_eq!([inbox.line(), inbox.line()], ["* 1 EXPUNGE", "* 0 EXISTS"]);
    gmail.person(USER, |account| account.put_in_inbox(&[id]));
    assert_eq!(inbox.line(), "* 1 EXISTS");
    inbox.send("DONE");
    assert_eq!(inbox.answer(), ["a3 OK IDLE terminated (Success)"]);
    // Back again it has a new UID there, and the old one in All Mail.
    assert_eq!(inbox.fine("FETCH 1 UID"), ["* 1 FETCH (UID 2)"]);
    assert_eq!(all.fine("FETCH 1 UID"), ["* 1 FETCH (UID 1)"]);
    gmail.person(USER, |account| account.label(&[id], "Owner/Ana"));
    gmail.person(USER, |account| account.trash(&[id]));
    assert_eq!(folders(&gmail, "m1@example.test"), "[Gmail]/Trash");
    assert_eq!(all.fine("NOOP"), ["* 1 EXPUNGE", "* 0 EXISTS"]);
}

/// Point 8.
#[test]
fn labels_as_they_come() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        let mail = account.deliver(&mail(1));
        for label in ["Webserver (RW.net)", "+plus~", "[odd]", "Entwürfe 2", "Über"] {
            account.label(&[mail], label);
        }
        account.star(&[mail], true);
    });
    let mut talk = inside(&gmail);
    talk.fine("SELECT \"[Gmail]/All Mail\"");
    assert_eq!(
        talk.fine("FETCH 1 X-GM-LABELS"),
        [
            "* 1 FETCH (X-GM-LABELS (+plus~ \"Entw&APw-rfe 2\" \"Webserver (RW.net)\" [odd] \"\\\\Inbox\" \
          \"\\\\Starred\" &ANw-ber))"
        ]
    );
    // G37: not the folder's own.
    talk.fine("SELECT INBOX");
    assert!(!talk.fine("FETCH 1 X-GM-LABELS")[0].contains("Inbox"));
    talk.fine("STORE 1 X-GM-LABELS.SILENT (\\Inbox)");
    assert_eq!(talk.fine("FETCH 1 X-GM-LABELS"), ["* 1 FETCH (X-GM-LABELS ())"]);
    gmail.person(USER, |account| account.settings.nil_labels = Nil::AsTheList);
    assert_eq!(talk.fine("FETCH 1 X-GM-LABELS"), ["* 1 FETCH (X-GM-LABELS NIL)"]);
    gmail.person(USER, |account| account.settings.nil_labels = Nil::AsALabel);
    assert_eq!(talk.fine("FETCH 1 X-GM-LABELS"), ["* 1 FETCH (X-GM-LABELS (NIL))"]);
}

/// Point 9.
#[test]
fn storing_labels() {
    let gmail = gmail();
    gmail.person(USER, |account| account.deliver(&mail(1)));
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    let before = gmail.person(USER, |account| account.store.modseq);
    assert_eq!(
        talk.fine("STORE 1 +X-GM-LABELS (foo \"a b\" \\Important)"),
        ["* 1 FETCH (X-GM-LABELS (\"\\\\Important\" \"a b\" foo))"]
    );
    assert_eq!(talk.fine("LIST \"\" foo").len(), 1);
    assert_eq!(talk.fine("STORE 1 -X-GM-LABELS.SILENT (foo)"), [""; 0]);
    assert_eq!(
        talk.fine("UID STORE 1 +X-GM-LABELS \"&U,BTFw-\""),
        ["* 1 FETCH (X-GM-LABELS (\"\\\\Important\" \"a b\" &U,BTFw-) UID 1)"]
    );
    assert_eq!(labels(&gmail, "m1@example.test"), "\\Important \\Inbox a b 台北");
    // Its own view's label: archived.
    assert_eq!(talk.fine("STORE 1 -X-GM-LABELS (\\Inbox)"), ["* 1 EXPUNGE", "* 0 EXISTS"]);
    talk.fine("SELECT \"[Gmail]/All Mail\"");
    // G53: All Mail has noticed.
    assert_eq!(talk.fine(&format!("FETCH 1 (X-GM-LABELS) (CHANGEDSINCE {before})")).len(), 1);
    talk.fine("STORE 1 +X-GM-LABELS.SILENT (\\Starred)");
    assert_eq!(
        talk.fine("FETCH 1 FLAGS")[0].split(" MODSEQ").next(),
        Some("* 1 FETCH (FLAGS (\\Flagged))")
    );
    assert_eq!(talk.fine("STORE 1 +X-GM-LABELS (\\Trash)"), ["* 1 EXPUNGE", "* 0 EXISTS"]);
    assert!(talk.ask("STORE 1 +X-GM-LABELS (\\Nonsense)").pop().unwrap().contains("OK"));
}

/// Point 10.
#[test]
fn searching() {
    let gmail = gmail();
    let first = gmail.person(USER, |account| {
        let first = account.deliver(&mail(1));
        account.deliver(&mail(2));
        account.deliver_spam(&mail(3));
        account.label(&[first], "Owner/Ana B");
        first
    });
    let mut talk = inside(&gmail);
    talk.fine("SELECT \"[Gmail]/All Mail\"");
    let mut found = |query: &str| {
        let line = talk.fine(&format!("UID SEARCH {query}")).remove(0);
        line.trim_start_matches("* SEARCH").trim().to_owned()
    };
    assert_eq!(found("X-GM-RAW \"label:owner-ana-b in:inbox\""), "1");
    assert_eq!(found("X-GM-RAW \"-label:owner-ana-b from:bob subject:kettle newer_than:2d\""), "2");
    assert_eq!(found("X-GM-RAW \"rfc822msgid:m2@example.test\""), "2");
    assert_eq!(found("X-GM-RAW \"\\\"number 2\\\"\""), "2");
    assert_eq!(found("X-GM-RAW in:spam"), "");
    assert_eq!(found(&format!("X-GM-MSGID {}", Account::msgid(first))), "1");
    assert_eq!(found(&format!("NOT X-GM-THRID {}", Account::msgid(first))), "2");
    assert_eq!(found("X-GM-LABELS \"Owner/Ana B\""), "1");
    assert_eq!(found("X-GM-LABELS \\Inbox UNSEEN"), "1 2");
    talk.fine("SELECT \"[Gmail]/Spam\"");
    assert_eq!(talk.fine("UID SEARCH X-GM-RAW \"in:spam kettle\""), ["* SEARCH 1"]);
}

/// Point 11: one counter for the whole account.
#[test]
fn condstore() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        account.deliver(&mail(1));
        account.deliver(&mail(2));
    });
    let (mut one, mut two) = (inside(&gmail), inside(&gmail));
    let modseq = gmail.person(USER, |account| account.store.modseq);
    let status = one.fine("LIST \"\" \"*\" RETURN (STATUS (HIGHESTMODSEQ))");
    assert_eq!(
        status.iter().filter(|line| line.contains(&format!("HIGHESTMODSEQ {modseq}"))).count(),
        8
    );
    one.fine("SELECT INBOX");
    two.fine("SELECT \"[Gmail]/All Mail\" (CONDSTORE)");
    one.fine("STORE 2 +FLAGS.SILENT (\\Answered)");
    let changed = two.fine(&format!("UID FETCH 1:* (FLAGS X-GM-LABELS) (CHANGEDSINCE {modseq})"));
    assert!(
        changed[0].starts_with(
            "* 2 FETCH (FLAGS (\\Answered) X-GM-LABELS (\"\\\\Inbox\") UID 2 MODSEQ ("
        )
    );
    let refused =
        two.ask(&format!("UID STORE 1:2 (UNCHANGEDSINCE {modseq}) +X-GM-LABELS.SILENT (foo)"));
    assert_eq!(refused.last().unwrap(), "a4 OK [MODIFIED 2] Success");
    assert_eq!(labels(&gmail, "m1@example.test"), "\\Inbox foo");
}

/// Point 12.
#[test]
fn copying_and_moving() {
    let gmail = gmail();
    deliver(&gmail, 3);
    let mut talk = inside(&gmail);
    talk.fine("CREATE lbl");
    talk.fine("SELECT INBOX");
    assert_eq!(talk.ask("COPY 1 lbl"), ["a4 OK [COPYUID 10 1 1] (Success)"]);
    assert_eq!(labels(&gmail, "m1@example.test"), "\\Inbox lbl");
    assert_eq!(
        talk.ask("UID MOVE 1:2 \"lbl\""),
        ["* 1 EXPUNGE", "* 1 EXPUNGE", "* 1 EXISTS", "a5 OK [COPYUID 10 1:2 1:2] (Success)"]
    );
    assert_eq!(folders(&gmail, "m2@example.test"), "[Gmail]/All Mail, lbl");
    // Moving to All Mail is archiving.
    assert_eq!(talk.ask("MOVE 1 \"[Gmail]/All Mail\"").len(), 3);
    assert_eq!(labels(&gmail, "m3@example.test"), "");
    assert_eq!(talk.ask("MOVE 1 nowhere"), ["a7 NO [TRYCREATE] No folder nowhere (Failure)"]);
    talk.fine("SELECT lbl");
    talk.ask("MOVE 1 \"[Gmail]/Trash\"");
    assert_eq!(folders(&gmail, "m1@example.test"), "[Gmail]/Trash");
    // And back: what has a place again is no waste.
    talk.fine("SELECT \"[Gmail]/Trash\"");
    talk.ask("COPY 1 INBOX");
    assert_eq!(folders(&gmail, "m1@example.test"), "INBOX, [Gmail]/All Mail");
    talk.fine("NOOP");
    talk.fine("SELECT INBOX");
    talk.fine("MOVE 1 \"[Gmail]/Trash\"");
    talk.fine("SELECT \"[Gmail]/Trash\"");
    // G56: only here it is gone for good.
    assert_eq!(talk.fine("STORE 1 +FLAGS.SILENT (\\Deleted)"), ["* 1 EXPUNGE", "* 0 EXISTS"]);
    assert_eq!(gmail.dump(USER).len(), 2);
}

/// Point 12: auto-expunge, and what becomes of the last label.
#[test]
fn expunging_takes_a_label_off() {
    let gmail = gmail();
    deliver(&gmail, 4);
    gmail.person(USER, |account| {
        account.label(&account.conversation(account.find("m2@example.test").unwrap()), "keep");
    });
    let mut talk = inside(&gmail);
    talk.fine("SELECT INBOX");
    assert_eq!(talk.fine("STORE 1 +FLAGS (\\Deleted)"), ["* 1 EXPUNGE", "* 3 EXISTS"]);
    assert_eq!(labels(&gmail, "m1@example.test"), "");
    gmail.person(USER, |account| {
        account.settings.auto_expunge = false;
        account.settings.last_label = LastLabel::Trash;
    });
    assert_eq!(talk.fine("STORE 1:2 +FLAGS.SILENT (\\Deleted)"), [""; 0]);
    assert_eq!(talk.fine("UID EXPUNGE 2"), ["* 1 EXPUNGE", "* 2 EXISTS"]);
    assert_eq!(labels(&gmail, "m2@example.test"), "keep");
    assert_eq!(talk.fine("EXPUNGE"), ["* 1 EXPUNGE", "* 1 EXISTS"]);
    assert_eq!(folders(&gmail, "m3@example.test"), "[Gmail]/Trash");
}

/// Point 13.
#[test]
fn a_message_is_kept_once() {
    let gmail = gmail();
    let mut talk = inside(&gmail);
    let note = mail(1).replace('\n', "\r\n");
    assert!(talk.append("INBOX", "\\Seen work", &note).ends_with("OK [APPENDUID 1 1] (Success)"));
    assert!(talk.append("[Gmail]/Sent Mail", "", &note).ends_with("OK [APPENDUID 6 1] (Success)"));
    assert!(talk.append("INBOX", "", &note).ends_with("OK [APPENDUID 1 1] (Success)"));
    let dump = gmail.dump(USER);
    assert_eq!(dump.len(), 1);
    assert_eq!(labels(&gmail, "m1@example.test"), "\\Inbox \\Sent");
    assert_eq!(dump[0].flags, ["\\Seen", "work"].map(String::from).into());
}

/// Point 19.
#[test]
fn conversations() {
    let gmail = gmail();
    gmail.person(USER, |account| {
        let first = account.deliver(&mail(1));
        account.file_as_sent(&answer(2, 1, "RE: Kettle 1"));
        account.file_as_sent(&answer(3, 1, "Another matter"));
        account.deliver(&answer(4, 2, "Fwd: Re:  kettle   1"));
        assert_eq!(account.conversation(first).len(), 3);
        for number in 5..=110 {
            account.deliver(&answer(number, 1, "Re: Kettle 1"));
        }
        assert_eq!(account.conversation(first).len(), 100);
    });
}

#[test]
fn people_write_and_tidy_up() {
    let gmail = gmail();
    let mut talk = inside(&gmail);
    talk.fine("SELECT \"[Gmail]/Drafts\"");
    let draft = gmail.person(USER, |account| account.compose_draft(&mail(1)));
    assert_eq!(talk.fine("NOOP"), ["* 1 EXISTS"]);
    assert_eq!(talk.fine("FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS (\\Draft \\Seen))"]);
    let draft = gmail.person(USER, |account| account.edit_draft(draft, &mail(2)));
    gmail.person(USER, |account| account.send_draft(draft));
    assert_eq!(folders(&gmail, "m2@example.test"), "[Gmail]/All Mail, [Gmail]/Sent Mail");
    gmail.person(USER, |account| {
        account.label(&[draft], "Owner/Ana");
        account.read(&[draft], false);
        account.rename_label("Owner/Ana", "Owner/Ben").unwrap();
    });
    assert_eq!(labels(&gmail, "m2@example.test"), "Owner/Ben \\Sent");
    gmail.person(USER, |account| account.delete_label("owner/ben")).unwrap();
    assert_eq!(labels(&gmail, "m2@example.test"), "\\Sent");
    gmail.person(USER, |account| account.spam(&[draft]));
    assert_eq!(folders(&gmail, "m2@example.test"), "[Gmail]/Spam");
    gmail.person(USER, |account| account.delete_forever(&[draft]));
    assert!(gmail.dump(USER).is_empty());
}
