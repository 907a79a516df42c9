//! What people do in Outlook, as IMAP sees it (7.16).

use super::{inside, mail, with_mails};
use crate::world::exchange::knobs::{CachedMode, SentCopy};
use crate::world::exchange::{ANA, Shown, Tenant};

/// Where the messages lie, as `FOLDER/UID`.
fn places(tenant: &Tenant) -> Vec<String> {
    let place = |one: Shown| format!("{}:{}", one.folder, one.uid);
    tenant.shown().into_iter().map(place).collect()
}

#[test]
fn a_person_works() {
    let tenant = with_mails(3);
    let mut talk = inside(&tenant);
    tenant.outlook(|outlook| {
        outlook.makes_folder("Baton/Ana");
        outlook.moves("<1@example.test>", "Baton/Ana");
        outlook.reads("<2@example.test>", true);
        outlook.flags("<2@example.test>", true);
        outlook.deletes("<3@example.test>");
        outlook.copies("<2@example.test>", "Archive");
    });
    assert_eq!(places(&tenant), ["INBOX:2", "Archive:1", "Deleted Items:1", "Baton/Ana:1"]);
    assert_eq!(
        talk.ask("NOOP"),
        [
            "* 1 EXPUNGE",
            "* 2 EXPUNGE",
            "* 1 EXISTS",
            r"* 1 FETCH (FLAGS (\Flagged \Seen))",
            "a3 OK NOOP completed."
        ]
    );
    tenant.outlook(|outlook| {
        outlook.renames_folder("Baton", "Team");
        outlook.removes_folder("Team");
        outlook.reads("<2@example.test>", false);
        outlook.drafts(&mail(9));
    });
    assert_eq!(places(&tenant), ["INBOX:2", "Archive:1", "Deleted Items:1", "Drafts:1"]);
    tenant.outlook(|outlook| outlook.discards("<9@example.test>"));
    assert_eq!(places(&tenant), ["INBOX:2", "Archive:1", "Deleted Items:1"]);
}

/// M95, M96, M98.
#[test]
fn the_copy_of_a_reply_lies_where_the_tenant_says() {
    let tenant = Tenant::start();
    let mut number = 0;
    let mut copies = |copy: SentCopy| {
        number += 1;
        tenant.set(|knobs| knobs.sent_copy = copy);
        tenant.outlook(|outlook| outlook.replies(ANA, &mail(number)));
        let id = format!("<{number}@example.test>");
        let in_sent = |shown: Vec<Shown>| {
            shown.iter().any(|one| one.folder == "Sent Items" && one.message_id == id)
        };
        (in_sent(tenant.mailbox(ANA, |mailbox| mailbox.shown())), in_sent(tenant.shown()))
    };
    assert_eq!(copies(SentCopy::Member), (true, false));
    assert_eq!(copies(SentCopy::Shared), (false, true));
    assert_eq!(copies(SentCopy::Both), (true, true));
    assert_eq!(copies(SentCopy::None), (false, false));
}

/// M33: an Outlook in cached mode puts back what a robot touches too early.
#[test]
fn a_cached_outlook_fights_a_robot() {
    let tenant = with_mails(2);
    tenant.set(|knobs| knobs.cached_mode = Some(CachedMode { seconds: 120, copies: 2 }));
    tenant.outlook(|outlook| outlook.makes_folder("Ana"));
    tenant.outlook(|outlook| outlook.moves("<1@example.test>", "Ana"));
    let mut talk = inside(&tenant);
    talk.fine("SELECT Ana");
    talk.fine("UID MOVE 1 Archive");
    assert_eq!(places(&tenant), ["INBOX:2", "Archive:1", "Ana:2", "Ana:3"]);
    let ids: Vec<String> = tenant.shown().into_iter().map(|one| one.message_id).collect();
    assert_eq!(
        ids,
        ["<2@example.test>", "<1@example.test>", "<1@example.test>", "<1@example.test>"]
    );

    // A flag does it, too; the copies go to where the person took it from.
    tenant.outlook(|outlook| outlook.moves("<2@example.test>", "Ana"));
    talk.fine("NOOP");
    talk.fine("UID STORE 4 +FLAGS (\\Flagged)");
    assert_eq!(places(&tenant), ["INBOX:3", "INBOX:4", "Archive:1", "Ana:2", "Ana:3", "Ana:4"]);
}

/// M33: waiting stops it.
#[test]
fn a_cached_outlook_is_calm_after_two_minutes() {
    let tenant = with_mails(1);
    tenant.set(|knobs| knobs.cached_mode = Some(CachedMode { seconds: 120, copies: 1 }));
    tenant.outlook(|outlook| outlook.moves("<1@example.test>", "Archive"));
    tenant.forward(120);
    let mut talk = inside(&tenant);
    talk.fine("SELECT Archive");
    talk.fine("UID STORE 1 +FLAGS (\\Flagged)");
    talk.fine("UID MOVE 1 INBOX");
    assert_eq!(places(&tenant), ["INBOX:2"]);
}
