//! Other people's clients at Gmail: imapclient, imapflow and mbsync.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::clients::{mbsync, node, python, run};
use super::gmail::{USER, gmail, mail};
use crate::world::gmail::{Gmail, Language};

const PHOTO: &str = "From: Bob <bob@example.test>\nSubject: Photo\nMessage-ID: <m2@example.test>\nMIME-Version: 1.0\n\
     Content-Type: multipart/mixed; boundary=\"part\"\n\n--part\nContent-Type: text/plain\n\nSee below.\n--part\n\
     Content-Type: image/png; name=\"kettle.png\"\nContent-Transfer-Encoding: base64\n\
     Content-Disposition: attachment; filename=\"kettle.png\"\n\niVBORw0KGgo=\n--part--\n";

/// A German account with two mails.
fn german() -> Gmail {
    let gmail = gmail();
    gmail.person(USER, |account| {
        account.speaks(Language::German);
        account.deliver(&mail(1));
        account.deliver(PHOTO);
    });
    gmail
}

/// Runs a script that takes port, user, password and token, and does at the web what it asks for.
#[track_caller]
fn run_at(gmail: &Gmail, command: &mut Command) {
    command.args([&gmail.port().to_string(), USER, Gmail::PASSWORD, Gmail::TOKEN]);
    run(command, |wish| {
        gmail.person(USER, |account| match (wish, account.find("m3@example.test")) {
            ("deliver", _) => drop(account.deliver(&mail(3)).to_string()),
            ("star", Some(mail)) => account.star(&[mail], true),
            ("archive", Some(mail)) => account.archive(&[mail]),
            other => panic!("nobody can do this: {other:?}"),
        });
    });
}

#[test]
fn imapclient() {
    run_at(&german(), &mut python("gmail_imapclient.py"));
}

#[test]
fn imapflow() {
    let gmail = german();
    run_at(&gmail, &mut node("gmail_imapflow.mjs"));
    // G10: without being asked to.
    assert!(gmail.heard().iter().any(|heard| heard.line.ends_with("COMPRESS DEFLATE")));
}

/// Files of a Maildir folder.
fn files(folder: &Path) -> Vec<String> {
    let both = ["cur", "new"].map(|part| fs::read_dir(folder.join(part)));
    let entries = both.into_iter().flatten().flatten().flatten();
    entries.map(|entry| fs::read_to_string(entry.path()).unwrap()).collect()
}

#[test]
fn mbsync_both_ways() {
    let gmail = german();
    gmail.person(USER, |account| {
        let first = account.find("m1@example.test").unwrap();
        account.label(&[first], "Work");
    });
    let dir = tempfile::Builder::new().prefix("baton-mbsync-").tempdir().unwrap();
    let text = include_str!("clients/mbsync.rc")
        .replace("{port}", &gmail.port().to_string())
        .replace("{user}", USER)
        .replace("{password}", Gmail::PASSWORD)
        .replace("{folder}", &dir.path().display().to_string());
    let configuration = dir.path().join("mbsync.rc");
    fs::write(&configuration, text).unwrap();
    let sync = || run(&mut mbsync(&configuration), |_| {});

    sync();
    let (inbox, work) = (dir.path().join("INBOX"), dir.path().join("Work"));
    assert_eq!((files(&inbox).len(), files(&work).len()), (2, 1));
    assert!(files(&work)[0].contains("My kettle number 1 is broken."));

    // A note in the one folder, and a mail that leaves the other at the web.
    fs::write(
        work.join("new/1.note.here"),
        "Subject: Note\nMessage-ID: <note@example.test>\n\nHers.\n",
    )
    .unwrap();
    gmail.person(USER, |account| account.archive(&[account.find("m2@example.test").unwrap()]));
    sync();
    assert_eq!((files(&inbox).len(), files(&work).len()), (1, 2));
    let dump = gmail.dump(USER);
    let note = dump.iter().find(|one| one.message_id == "note@example.test").expect("no note");
    assert_eq!(note.labels, ["Work".to_owned()].into());
}
