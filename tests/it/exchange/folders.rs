//! Folders and their names.

use super::{connected, inside, with_mails};
use crate::world::exchange::knobs::SpecialUse;
use crate::world::exchange::{Language, Tenant};

/// 7.6, M20, M21, M23.
#[test]
fn the_list_holds_more_than_mail() {
    let tenant = Tenant::start();
    tenant.outlook(|outlook| outlook.makes_folder("Baton/Ana"));
    tenant.outlook(|outlook| outlook.makes_folder("A\tB"));
    let mut talk = connected(&tenant);
    let lines = talk.fine("LIST \"\" \"*\"");
    assert_eq!(
        lines,
        [
            r#"* LIST (\HasNoChildren) "/" INBOX"#,
            r#"* LIST (\HasNoChildren) "/" Archive"#,
            r#"* LIST (\HasNoChildren) "/" Calendar"#,
            r#"* LIST (\HasNoChildren) "/" Contacts"#,
            r#"* LIST (\HasNoChildren) "/" "Conversation History""#,
            r#"* LIST (\HasNoChildren) "/" "Deleted Items""#,
            r#"* LIST (\HasNoChildren) "/" Drafts"#,
            r#"* LIST (\HasNoChildren) "/" Journal"#,
            r#"* LIST (\HasNoChildren) "/" "Junk Email""#,
            r#"* LIST (\HasNoChildren) "/" Notes"#,
            r#"* LIST (\HasNoChildren) "/" Outbox"#,
            r#"* LIST (\HasNoChildren) "/" "Sent Items""#,
            r#"* LIST (\HasNoChildren) "/" Tasks"#,
            r#"* LIST (\HasChildren) "/" Baton"#,
            r#"* LIST (\HasNoChildren) "/" Baton/Ana"#,
            "* LIST (\\HasNoChildren) \"/\" A\tB",
        ]
    );
    tenant.set(|knobs| knobs.special_use = SpecialUse::Told);
    let lines = talk.fine("LIST \"\" \"*\"");
    for line in [
        r#"* LIST (\Marked \HasNoChildren) "/" INBOX"#,
        r#"* LIST (\HasNoChildren \Trash) "/" "Deleted Items""#,
        r#"* LIST (\HasNoChildren \Sent) "/" "Sent Items""#,
        r#"* LIST (\HasNoChildren \Junk) "/" "Junk Email""#,
        r#"* LIST (\HasNoChildren \Drafts) "/" Drafts"#,
    ] {
        assert!(lines.iter().any(|one| one == line), "{line} is not in {lines:#?}");
    }
}

/// M22.
#[test]
fn names_are_in_the_language_of_the_mailbox() {
    let tenant = Tenant::start_in(Language::German);
    let lines = connected(&tenant).fine("LIST \"\" \"*\"");
    for name in [
        "\"Gesendete Elemente\"",
        "\"Gel&APY-schte Elemente\"",
        "\"Entw&APw-rfe\"",
        "Junk-E-Mail",
        "Archiv",
    ] {
        assert!(lines.iter().any(|line| line.ends_with(&format!(" {name}"))), "{name}: {lines:#?}");
    }
}

/// M24, 7.6.
#[test]
fn folders_are_made_renamed_and_deleted() {
    let tenant = with_mails(1);
    let mut talk = connected(&tenant);
    talk.fine("CREATE Baton/Ana");
    assert_eq!(talk.ask("CREATE baton/ANA"), ["a3 NO Mailbox already exists."]);
    assert_eq!(talk.ask("CREATE Files"), ["a4 NO Folder name is reserved"]);
    talk.fine("SELECT BATON/ana");
    talk.fine("RENAME Baton Stab");
    talk.fine("SELECT Stab/Ana");
    assert_eq!(talk.ask("RENAME Stab drafts"), ["a8 NO Mailbox already exists."]);
    assert_eq!(talk.ask("DELETE \"Sent Items\""), ["a9 NO Mailbox cannot be changed."]);
    talk.fine("DELETE Stab");
    assert_eq!(talk.ask("SELECT Stab/Ana"), ["a11 NO Mailbox does not exist."]);
    assert_eq!(talk.ask("UID COPY 1 Nowhere"), ["a12 BAD Command received in Invalid state."]);
    talk.fine("SELECT INBOX");
    assert_eq!(talk.ask("UID COPY 1 Nowhere"), ["a14 NO [TRYCREATE] Mailbox does not exist."]);
    talk.fine("SUBSCRIBE Archive");
}

/// 7.17, M49: the numbers that were others' before are used again.
#[test]
fn a_folder_is_numbered_anew() {
    let tenant = with_mails(3);
    let mut talk = inside(&tenant);
    tenant.outlook(|outlook| outlook.deletes("<1@example.test>"));
    tenant.renumbers("INBOX");
    assert_eq!(talk.line(), "* BYE Connection is closed. 14");
    let mut talk = connected(&tenant);
    let lines = talk.fine("SELECT INBOX");
    assert!(lines.contains(&"* OK [UIDVALIDITY 15] UIDVALIDITY value".to_owned()), "{lines:#?}");
    let lines = talk.fine("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
    assert!(lines[0].contains("UID 2") && lines[0].contains("<2@example.test>"), "{lines:#?}");
    assert!(lines[1].contains("UID 3") && lines[1].contains("<3@example.test>"), "{lines:#?}");
    let lines = talk.fine("SELECT Archive");
    assert!(lines.contains(&"* OK [UIDVALIDITY 14] UIDVALIDITY value".to_owned()), "{lines:#?}");
}

/// M26.
#[test]
fn a_folder_may_not_open() {
    let tenant = Tenant::start();
    tenant.set(|knobs| knobs.broken_folders.push("Archive".to_owned()));
    let mut talk = connected(&tenant);
    assert_eq!(talk.ask("SELECT Archive"), ["a2 NO Mailbox does not exist."]);
    talk.fine("SELECT INBOX");
}
