//! What happens to mailboxes and to the daemon over the years: restores, clean-ups, crashes, restarts, holidays.

use std::collections::BTreeSet;

use std::fs;
use std::path::Path;

use crate::world::{Layout, Setup, Side, World, in_all_layouts, in_folder_layouts};

in_all_layouts!(
    new_uids_change_nothing,
    baton_was_off_for_a_month_and_catches_up,
    what_answers_our_mail_finds_its_thread_whatever_is_read_first,
    a_decision_does_not_cover_mail_that_came_after_it,
    mail_that_arrives_while_the_daemon_is_killed_is_not_lost,
    what_people_did_while_the_daemon_was_away_counts,
    a_restart_changes_nothing,
    a_quiet_mailbox_is_left_alone,
);

in_folder_layouts!(
    batons_folders_are_there_before_their_first_use,
    a_renamed_folder_is_made_again_and_its_threads_return,
    a_folder_renamed_while_the_daemon_is_away_is_made_again_too,
    an_empty_folder_that_was_deleted_is_made_again,
    a_folder_that_was_deleted_with_its_mail_leaves_ignored_threads,
);

const SUBJECT: &str = "Broken kettle";

fn new_uids_change_nothing(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.customer_writes("Late parcel");
    world.opens("Late parcel");
    let folders = world.eyes().folders();
    for folder in ["INBOX", "Baton/Ana"] {
        if folders.iter().any(|name| name == folder) {
            world.host.loses_uids("support@example.test", folder);
        }
    }
    world.customer_writes("After the restore");
    world.opens("After the restore");
    assert_eq!(world.baton.threads().len(), 3);
    world.becomes(SUBJECT, "assigned, ana");
    assert_eq!(world.thread(SUBJECT).messages().len(), 1);
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.agent("ben").claims("Late parcel");
    world.becomes("Late parcel", "assigned, ben");
}

fn baton_was_off_for_a_month_and_catches_up(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.stop();
    for number in 0..250 {
        let mut first =
            world.letter(&format!("Order {number}"), "Where is what I ordered, please?");
        first.days_ago = 30 - number / 10;
        world.arrives(&first);
        let mut second =
            world.answer(&format!("Order {number}"), "I have still not heard from you about it.");
        second.days_ago = first.days_ago - 1;
        world.arrives(&second);
    }
    world.agent("ben").claims("Order 7");
    world.start_unattended();
    world.eventually("all conversations are there", |world| world.baton.threads().len() == 251);
    world.eventually("all mail is there", |world| {
        let thread = world.threads_about("Order 249").pop().expect("it was there");
        world.baton.show(thread.id).is_some_and(|thread| thread.messages().len() == 2)
    });
    world.becomes("Order 7", "assigned, ben");
    world.becomes(SUBJECT, "new");
}

/// INBOX is read before Sent, so after a time away a bounce, or an answer, is met before the mail that it is about.
fn what_answers_our_mail_finds_its_thread_whatever_is_read_first(world: &mut World) {
    world.stop();
    let asked = "From: Mia <mia@shop.test>\r\nTo: support@example.test\r\nSubject: Broken kettle\r\n\
        Message-ID: <ask@shop.test>\r\n\r\nIt leaks.\r\n";
    let reply = |to: &str, id: &str| {
        format!(
            "From: support@example.test\r\nTo: {to}\r\nSubject: Re: Broken kettle\r\n\
             Message-ID: <{id}@example.test>\r\nIn-Reply-To: <ask@shop.test>\r\n\r\nA new one is on its way.\r\n"
        )
    };
    let bounce = "From: Mail Delivery System <MAILER-DAEMON@mx.test>\r\nTo: support@example.test\r\n\
        Subject: Undelivered Mail Returned to Sender\r\nMessage-ID: <dsn@mx.test>\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n\
        It could not be delivered.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n\
        Reporting-MTA: dns; mx.test\r\n\r\nFinal-Recipient: rfc822; mia@shop.test\r\nAction: failed\r\n\
        Status: 5.1.1\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n\
        Message-ID: <first@example.test>\r\nSubject: Re: Broken kettle\r\n\r\n--b--\r\n";
    let answer = "From: Mia <mia@shop.test>\r\nTo: support@example.test\r\nSubject: Delivery?\r\n\
        Message-ID: <when@shop.test>\r\nIn-Reply-To: <second@example.test>\r\n\r\nWhen will it come?\r\n";
    for (folder, text) in [
        ("INBOX", asked.to_owned()),
        ("Sent", reply("mia@shop.test", "first")),
        ("INBOX", bounce.to_owned()),
        ("Sent", reply("mia@shop.test", "second")),
        ("INBOX", answer.to_owned()),
    ] {
        world.eyes().append(folder, "", None, text.as_bytes());
    }
    world.start_unattended();
    world.eventually("all is one thread", |world| {
        let thread = world.threads_about(SUBJECT).pop().and_then(|one| world.baton.show(one.id));
        thread.is_some_and(|thread| thread.messages().len() == 5)
    });
    world.decides(SUBJECT, "new");
}

/// Both happened while Baton was away: first Ana resolved the thread, then the customer wrote again.
fn a_decision_does_not_cover_mail_that_came_after_it(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.stop();
    world.agent("ana").resolves(SUBJECT);
    world
        .customer_answers(SUBJECT, "It has broken again, just now. Could you have a look, please?");
    world.start_unattended();
    world.holds(SUBJECT, 2);
    world.becomes(SUBJECT, "in-progress, ana");
}

fn mail_that_arrives_while_the_daemon_is_killed_is_not_lost(world: &mut World) {
    for number in 0..5 {
        let subject = format!("Order {number}");
        world.customer_writes(&subject);
        world.baton.kill();
        world.customer_writes(&format!("Another {number}"));
        world.start_unattended();
        world.opens(&subject);
        world.agent("ana").claims(&subject);
    }
    for number in 0..5 {
        world.becomes(&format!("Order {number}"), "assigned, ana");
        world.becomes(&format!("Another {number}"), "new");
    }
    assert_eq!(world.baton.threads().len(), 10);
}

fn what_people_did_while_the_daemon_was_away_counts(world: &mut World) {
    for subject in [SUBJECT, "Late parcel", "Wrong colour"] {
        world.customer_writes(subject);
        world.opens(subject);
    }
    world.agent("ana").claims("Late parcel");
    world.becomes("Late parcel", "assigned, ana");
    world.stop();
    world.agent("ben").claims(SUBJECT);
    world.agent("ana").resolves("Late parcel");
    world.agent("cleo").replies("Wrong colour");
    world.start();
    world.becomes(SUBJECT, "assigned, ben");
    world.becomes("Late parcel", "resolved, ana");
    world.becomes("Wrong colour", "waiting, cleo");
}

fn a_restart_changes_nothing(world: &mut World) {
    for subject in [SUBJECT, "Late parcel", "Wrong colour"] {
        world.customer_writes(subject);
        world.opens(subject);
    }
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ben").replies("Late parcel");
    world.becomes("Late parcel", "waiting, ben");
    world.settle();
    let told = |world: &World| {
        let threads = world.baton.threads();
        threads
            .iter()
            .map(|thread| format!("{:?}", world.baton.show(thread.id)))
            .collect::<Vec<_>>()
    };
    let before = told(world);
    let writes = world.writes();
    world.stop();
    world.start();
    world.stays("nothing has changed", |world| told(world) == before);
    assert_eq!(world.writes(), writes, "{}", world.picture());
}

fn a_quiet_mailbox_is_left_alone(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.settle();
    let writes = world.writes();
    world.stays("nothing is written", |world| world.writes() == writes);
    let recording = world.mailbox().proxy.recording();
    let words = recording.iter().filter(|line| line.side == Side::Client).count();
    assert!(words < 500, "{words} commands for two mails\n{}", world.picture());
}

fn batons_folders_are_there_before_their_first_use(world: &mut World) {
    world.eventually("all folders are made", |world| {
        let folders = world.eyes().folders();
        ["Baton/Ana", "Baton/Ben", "Baton/Cleo", "Baton/Resolved"]
            .iter()
            .all(|name| folders.iter().any(|folder| folder == name))
    });
}

fn a_renamed_folder_is_made_again_and_its_threads_return(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.eyes().renames_folder("Baton/Ana", "Baton/Anna");
    world.eventually("the folder is there again", |world| {
        world.eyes().folders().contains(&"Baton/Ana".to_owned())
    });
    world.becomes(SUBJECT, "assigned, ana");
    assert_eq!(world.thread(SUBJECT).messages().len(), 1);
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
}

fn a_folder_renamed_while_the_daemon_is_away_is_made_again_too(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.stop();
    world.eyes().renames_folder("Baton/Ana", "Anna");
    world.start();
    world.becomes(SUBJECT, "assigned, ana");
}

fn an_empty_folder_that_was_deleted_is_made_again(world: &mut World) {
    world.eventually("the folder is made", |world| {
        world.eyes().folders().contains(&"Baton/Ben".to_owned())
    });
    world.eyes().deletes_folder("Baton/Ben");
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").commands("assign", SUBJECT, &["ben"]).done();
    world.becomes(SUBJECT, "assigned, ben");
}

/// The mail is gone with the folder; its thread is not forgotten, and says so.
fn a_folder_that_was_deleted_with_its_mail_leaves_ignored_threads(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.eyes().deletes_folder("Baton/Ana");
    world.decides(SUBJECT, "ignored, any");
    world.eventually("the folder is made again", |world| {
        world.eyes().folders().contains(&"Baton/Ana".to_owned())
    });
    world.customer_writes("Late parcel");
    world.opens("Late parcel");
    world.agent("ana").claims("Late parcel");
    world.becomes("Late parcel", "assigned, ana");
}

/// A shadow sees and decides everything and touches nothing; the world checks that it never even selects.
fn a_shadow_decides_and_writes_nothing(world: &mut World) {
    let folders = |world: &mut World| world.eyes().folders().into_iter().collect::<BTreeSet<_>>();
    let before = folders(world);
    let first = world.customer_writes(SUBJECT);
    world.decides(SUBJECT, "new");
    world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
    world.holds(SUBJECT, 2);
    if world.layout() == Layout::Keywords {
        world.agent("ana").claims(SUBJECT);
        world.decides(SUBJECT, "assigned, ana");
        assert!(!world.eyes().find(&first)[0].flags.contains("baton-ana"));
    }
    assert_eq!(world.writes(), 0);
    assert_eq!(folders(world), before);
}

#[test]
fn with_keywords_a_shadow_writes_nothing() {
    Setup::keywords().shadow().tell(a_shadow_decides_and_writes_nothing);
}

#[test]
fn with_folders_a_shadow_writes_nothing() {
    Setup::folders().shadow().tell(a_shadow_decides_and_writes_nothing);
}

#[test]
fn at_exchange_a_shadow_writes_nothing() {
    Setup::exchange().shadow().tell(a_shadow_decides_and_writes_nothing);
}

/// The daemon must end at once and in words, and everything must be there again with the database.
#[track_caller]
fn refused_for(world: &mut World, damage: impl FnOnce(&Path), words: &[&str]) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.stop();
    let database = world.database();
    let good = fs::read(&database).unwrap();
    damage(&database);
    let damaged = fs::read(&database).unwrap();
    let answer = world.baton.says(&["threads"]);
    assert_ne!(answer.code, 0, "{}", answer.out);
    let said = answer.err.to_lowercase();
    assert!(words.iter().any(|word| said.contains(word)), "says nothing of {words:?}: {said}");
    assert!(!said.contains("panicked"), "{said}");
    world.start_unattended();
    world.eventually("the daemon gives up", |world| !world.baton.is_running());
    assert_eq!(fs::read(&database).unwrap(), damaged, "the damaged database was changed");
    fs::write(&database, good).unwrap();
    world.start();
    world.becomes(SUBJECT, "new");
}

#[test]
fn a_damaged_database_is_named_and_left_alone() {
    Setup::keywords().tell(|world| {
        let damage =
            |database: &Path| fs::write(database, b"no database at all".repeat(500)).unwrap();
        refused_for(world, damage, &["damaged", "corrupt", "not a database"]);
    });
}

#[test]
fn a_database_of_a_newer_version_is_refused() {
    Setup::keywords().tell(|world| {
        let newer = |database: &Path| {
            let database = rusqlite::Connection::open(database).unwrap();
            database.pragma_update(None, "user_version", 1_000_000).unwrap();
        };
        refused_for(world, newer, &["newer"]);
    });
}
