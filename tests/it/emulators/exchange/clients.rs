//! Other people's clients at Exchange Online: imapclient, imapflow, mbsync, and Python's smtplib.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::super::clients::{mbsync, node, python, run};
use super::{mail, with_mails};
use crate::world::exchange::knobs::{MoveAnswer, Throttle, Word};
use crate::world::exchange::{ANA, SHARED, Tenant};

/// Does what a script asks for, and makes a folder of that name where it cannot see that it is done.
fn does(tenant: &Tenant, wish: &str) {
    let fourth = "<4@example.test>";
    match wish {
        "deliver" => tenant.delivers(&mail(4)),
        "flag" => tenant.outlook(|outlook| outlook.flags(fourth, true)),
        "take away" => tenant.outlook(|outlook| outlook.moves(fourth, "Archive")),
        "answer nothing" => {
            tenant.set(|knobs| knobs.move_answer = MoveAnswer::Empty);
            tenant.outlook(|outlook| outlook.makes_folder(wish));
        }
        "throttle" => {
            tenant.set(|knobs| knobs.throttle = Some(throttle()));
            tenant.outlook(|outlook| outlook.makes_folder(wish));
        }
        "expire" => tenant.forward(2 * 3600),
        other => panic!("nobody can do this: {other}"),
    }
}

/// The next FETCH is refused for a moment (M57, M58).
fn throttle() -> Throttle {
    let backoff = Duration::from_millis(20);
    Throttle { verb: Some("FETCH"), times: 1, backoff, word: Word::Bad, closes: false }
}

/// Runs a script that takes port, user, token, and a mailbox that the token does not open.
#[track_caller]
fn run_at(command: &mut Command) -> Tenant {
    let tenant = with_mails(3);
    command.args([&tenant.imap.port.to_string(), SHARED, &tenant.token_of_app(), ANA]);
    run(command, |wish| does(&tenant, wish));
    tenant
}

#[test]
fn imapclient() {
    run_at(&mut python("exchange_imapclient.py"));
}

#[test]
fn imapflow() {
    let tenant = run_at(&mut node("exchange_imapflow.mjs"));
    tenant.set(|knobs| assert_eq!(knobs.throttle.as_ref().map(|throttle| throttle.times), Some(0)));
}

#[test]
fn smtplib() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.starttls = true);
    let authority = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/tls/ca.crt");
    let (port, token) = (tenant.smtp.port.to_string(), tenant.token_of_app());
    run(python("exchange_smtplib.py").args([&port, SHARED, &token, authority]), |_| {});
    let sent = tenant.sent().remove(0);
    assert_eq!(sent.to, ["bob@example.test", "eve@example.test"]);
    assert!(
        sent.message.ends_with("Subject: Grüße\r\n\r\n.\r\n..\r\nHello\r\n"),
        "{}",
        sent.message
    );
}

/// How many files a Maildir folder holds.
fn count(folder: &Path) -> usize {
    ["cur", "new"]
        .iter()
        .map(|part| fs::read_dir(folder.join(part)).map_or(0, Iterator::count))
        .sum()
}

#[test]
fn mbsync_both_ways() {
    let tenant = with_mails(3);
    tenant.set(|knobs| knobs.basic_password = Some("secret"));
    tenant.outlook(|outlook| {
        outlook.makes_folder("Baton/Ana");
        outlook.moves("<1@example.test>", "Baton/Ana");
    });
    let dir = tempfile::Builder::new().prefix("baton-mbsync-").tempdir().unwrap();
    let text = include_str!("../clients/exchange_mbsync.rc")
        .replace("{port}", &tenant.imap.port.to_string())
        .replace("{user}", SHARED)
        .replace("{password}", "secret")
        .replace("{folder}", &dir.path().display().to_string());
    let configuration = dir.path().join("mbsync.rc");
    fs::write(&configuration, text).unwrap();
    let sync = || run(&mut mbsync(&configuration), |_| {});

    sync();
    let (inbox, ana) = (dir.path().join("INBOX"), dir.path().join("Baton/Ana"));
    assert_eq!((count(&inbox), count(&ana)), (2, 1));

    // A file here becomes a message there; a message that goes there goes here.
    fs::write(
        ana.join("new/1.note.here"),
        "Subject: Note\nMessage-ID: <note@example.test>\n\nHers.\n",
    )
    .unwrap();
    tenant.outlook(|outlook| outlook.deletes("<2@example.test>"));
    sync();
    assert_eq!((count(&inbox), count(&ana)), (1, 2));
    let shown = tenant.shown();
    let note = shown.iter().find(|one| one.message_id == "<note@example.test>").expect("no note");
    assert_eq!((note.folder.as_str(), note.uid), ("Baton/Ana", 2));
}
