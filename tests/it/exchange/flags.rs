//! Flags, keywords, moving and copying.

use super::{connected, inside, mail, with_mails};
use crate::world::exchange::knobs::{Keywords, MoveAnswer};

/// 7.5, M28, M29.
#[test]
fn keywords_are_refused_or_dropped() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    assert_eq!(
        talk.ask("UID STORE 1 +FLAGS (\\Flagged kb-ana)"),
        ["a3 BAD Command Argument Error. 11"]
    );
    assert_eq!(talk.ask("UID SEARCH UNKEYWORD kb-ana"), ["a4 BAD Command Argument Error. 11"]);
    assert_eq!(talk.fine("UID FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS () UID 1)"]);
    tenant.set(|knobs| knobs.keywords = Keywords::Dropped);
    assert_eq!(
        talk.ask("UID STORE 1 +FLAGS (\\Flagged kb-ana)"),
        [r"* 1 FETCH (FLAGS (\Flagged) UID 1)", "a6 OK STORE completed."]
    );
    assert_eq!(talk.ask("UID STORE 1 +FLAGS.SILENT ($MDNSent)"), ["a7 OK STORE completed."]);
    assert_eq!(talk.fine("UID SEARCH FLAGGED"), ["* SEARCH 1"]);
    assert_eq!(tenant.shown()[0].flags.iter().collect::<Vec<_>>(), ["$MDNSent", "\\Flagged"]);
}

/// 7.10: a UID that is not there.
#[test]
fn a_store_on_nothing_is_fine() {
    let tenant = with_mails(1);
    let mut talk = inside(&tenant);
    assert_eq!(talk.ask("UID STORE 99 +FLAGS (\\Seen)"), ["a3 OK STORE completed."]);
    assert_eq!(talk.ask("UID FETCH 99 FLAGS"), ["a4 OK FETCH completed."]);
    assert_eq!(talk.ask("UID MOVE 99 Archive"), ["a5 OK MOVE completed."]);
}

/// 7.5, M30: what Outlook's users do with colours is not to be seen here.
#[test]
fn categories_do_not_show() {
    let tenant = with_mails(1);
    tenant.outlook(|outlook| outlook.categorises("<1@example.test>", &["Ana"]));
    let mut talk = inside(&tenant);
    assert_eq!(talk.fine("UID FETCH 1 FLAGS"), ["* 1 FETCH (FLAGS () UID 1)"]);
    assert_eq!(tenant.shown()[0].categories, ["Ana"]);
}

/// 7.9, M40, M41, M42.
#[test]
fn moving_is_told_in_many_ways() {
    let tenant = with_mails(4);
    let mut talk = inside(&tenant);
    let mut moves = |uid: u32, how: MoveAnswer| {
        tenant.set(|knobs| knobs.move_answer = how);
        talk.ask(&format!("UID MOVE {uid} Archive"))
    };
    assert_eq!(
        moves(1, MoveAnswer::Proper),
        ["* OK [COPYUID 14 1 1]", "* 1 EXPUNGE", "* 3 EXISTS", "a3 OK MOVE completed."]
    );
    assert_eq!(
        moves(2, MoveAnswer::Bare),
        ["[COPYUID 14 2 2]", "* 1 EXPUNGE", "* 2 EXISTS", "a4 OK MOVE completed."]
    );
    assert_eq!(
        moves(3, MoveAnswer::Empty),
        ["* OK [COPYUID 14  ]", "* 1 EXPUNGE", "* 1 EXISTS", "a5 OK MOVE completed."]
    );
    assert_eq!(
        moves(4, MoveAnswer::Silent),
        ["* 1 EXPUNGE", "* 0 EXISTS", "a6 OK MOVE completed."]
    );
    let shown = tenant.shown();
    assert!(shown.iter().all(|one| one.folder == "Archive"), "{shown:#?}");
    // M43.
    assert_eq!(tenant.mailbox("shared@contoso.com", |mailbox| mailbox.recoverable_items), 4);
    talk.fine("SELECT Archive");
    assert_eq!(talk.ask("UID COPY 1:2 INBOX"), ["a8 OK [COPYUID 14 1:2 5:6] COPY completed."]);
    talk.fine("UID STORE 1 +FLAGS.SILENT (\\Deleted)");
    assert_eq!(
        talk.ask("UID EXPUNGE 1:2"),
        ["* 1 EXPUNGE", "* 3 EXISTS", "a10 OK EXPUNGE completed."]
    );
    // M42: where COPYUID is missing, the Message-ID finds it.
    assert_eq!(talk.fine("UID SEARCH HEADER Message-ID <3@example.test>"), ["* SEARCH 3"]);
}

/// M31, M32.
#[test]
fn flags_of_an_append_are_odd() {
    let tenant = with_mails(0);
    let mut talk = connected(&tenant);
    let appended = talk.append("Drafts", "\\Flagged $MDNSent", &mail(7));
    assert_eq!(appended, "a2 OK [APPENDUID 14 1] APPEND completed.");
    let shown = &tenant.shown()[0];
    assert!(shown.flags.contains("\\Flagged"));
    assert_eq!(shown.categories, ["$MDNSent"]);
    let followed_up = tenant.mailbox("shared@contoso.com", |mailbox| {
        mailbox.items.values().any(|item| item.followed_up)
    });
    assert!(!followed_up, "forgotten by other protocols");
    talk.fine("SELECT Drafts");
    talk.fine("UID STORE 1 FLAGS (\\Flagged)");
    let followed_up = tenant.mailbox("shared@contoso.com", |mailbox| {
        mailbox.items.values().any(|item| item.followed_up)
    });
    assert!(followed_up, "set with STORE it works everywhere");
}
