//! What happens at Exchange Online only.
//!
//! Every story of `states`, `gestures`, `commands`, `conversations` and `upkeep` is told there, too, as `exchange::the_story`;
//! a new UIDVALIDITY of INBOX and of Baton's folders is among them (`upkeep`). What moves do in a classic Outlook is in
//! `outlook`. How a login goes and ends is in `login`; a `kill -9` while a refresh token is replaced in `login::rotation`.
//!
//! Not told there: what `gestures` says of a tag put on by hand, since Exchange keeps no tags (M28). What Baton does where
//! it is told to use them all the same is told here.

use crate::world::exchange::Language;
use crate::world::exchange::knobs::{Expiry, Keywords, MoveAnswer, Unavailable};
use crate::world::{Layout, Line, PATIENCE, Provider, Setup, Side, World, poll};

const SUBJECT: &str = "Broken kettle";
const ADDRESS: &str = "support@example.test";

fn claimed(world: &mut World) -> String {
    let id = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    id
}

/// What Baton has said so far.
fn said(world: &mut World) -> Vec<String> {
    let recording = world.mailbox().proxy.recording();
    let client = |line: &Line| line.side == Side::Client;
    recording.into_iter().filter(client).map(|line| line.text).collect()
}

/// Waits until a mail that arrives now is a thread.
fn sees(world: &mut World, subject: &str) {
    world.customer_writes(subject);
    world.opens(subject);
}

/// The daemon is connected, and complains of nothing.
#[track_caller]
fn is_content(world: &mut World) {
    world.eventually("status has no error", |world| {
        world.status().is_some_and(|one| one.connected_since.is_some() && one.last_error.is_none())
    });
}

/// M55: the token ends while Baton idles, or at its next command; nobody hears of it.
#[test]
fn the_end_of_a_token_is_routine() {
    for expiry in [Expiry::Bye, Expiry::Tagged] {
        Setup::exchange().tell(|world| {
            world.tenant().set(|knobs| knobs.expiry = expiry);
            claimed(world);
            world.tenant().forward(5000);
            sees(world, "Late parcel");
            is_content(world);
            let log = world.baton.log();
            assert!(log.contains("logging in again"), "{log}");
            assert!(!log.contains(" WARN ") && !log.contains(" ERROR "), "{log}");
        });
    }
}

/// M55: killed just when the token ends, Baton asks for another.
#[test]
fn a_kill_at_the_end_of_a_token_costs_nothing() {
    Setup::exchange().tell(|world| {
        claimed(world);
        world.tenant().forward(5000);
        world.baton.kill();
        world.customer_writes("Late parcel");
        world.agent("ana").resolves(SUBJECT);
        world.start();
        world.opens("Late parcel");
        world.becomes(SUBJECT, "resolved, ana");
        is_content(world);
    });
}

/// M53: what IDLE does not tell is found by looking.
#[test]
fn a_deaf_idle_hides_nothing() {
    Setup::exchange().tell(|world| {
        world.tenant().set(|knobs| knobs.deaf = true);
        claimed(world);
        world.agent("ana").replies(SUBJECT);
        world.becomes(SUBJECT, "waiting, ana");
        world.customer_answers(SUBJECT, "It still leaks. What shall I do with it now?");
        world.becomes(SUBJECT, "in-progress, ana");
    });
}

/// M52: news before the `+` of IDLE.
#[test]
fn news_before_the_plus_are_news() {
    Setup::exchange().tell(|world| {
        world.tenant().set(|knobs| knobs.news_before_plus = true);
        claimed(world);
        sees(world, "Late parcel");
    });
}

/// Between two polls, IDLE and counters are enough to see what people do with the Inbox.
#[test]
fn the_inbox_needs_no_poll() {
    Setup::exchange().with("poll_seconds = 3600").tell(|world| {
        claimed(world);
        world.agent("ana").moves_to(SUBJECT, "INBOX");
        world.becomes(SUBJECT, "new");
        world.agent("ben").claims(SUBJECT);
        world.becomes(SUBJECT, "assigned, ben");
    });
}

/// M13, M18: the server says goodbye again and again.
#[test]
fn a_session_that_is_ended_is_begun_anew() {
    Setup::exchange().tell(|world| {
        claimed(world);
        for subject in ["Late parcel", "Wrong colour"] {
            world.tenant().closes_connections();
            sees(world, subject);
        }
        world.becomes(SUBJECT, "assigned, ana");
        is_content(world);
    });
}

/// M17: an answer that is none, and one that refuses.
#[test]
fn a_server_that_is_unavailable_for_a_moment_stops_nothing() {
    for unavailable in [Unavailable::Bare, Unavailable::Tagged] {
        Setup::exchange().with("patience_seconds = 3").tell(|world| {
            claimed(world);
            world.tenant().set(|knobs| knobs.unavailable = vec![unavailable]);
            sees(world, "Late parcel");
            world.tenant().set(|knobs| knobs.unavailable = vec![unavailable]);
            world.agent("ana").commands("resolve", SUBJECT, &[]).done();
            world.becomes(SUBJECT, "resolved, ana");
        });
    }
}

/// Waits until `status` says this of the mailbox, which is not connected.
#[track_caller]
fn is_told(world: &mut World, words: &str) {
    world.eventually(&format!("status says {words:?}"), |world| {
        let told = world.baton.says(&["status"]).out.replace('\n', " ");
        let status = world.status();
        let away = status.as_ref().is_some_and(|status| status.connected_since.is_none());
        let error = status.and_then(|status| status.last_error).unwrap_or_default();
        away && told.contains(words) && error.contains(words)
    });
}

/// M12, M70: nobody has given the application Full Access, or it was taken away.
#[test]
fn an_application_without_full_access_is_told_what_to_do() {
    Setup::exchange().tell(|world| {
        claimed(world);
        let access =
            world.tenant().mailbox(ADDRESS, |mailbox| std::mem::take(&mut mailbox.full_access));
        world.tenant().closes_connections();
        is_told(world, "has no Full Access to support@example.test");
        assert!(
            world.baton.says(&["status"]).out.replace('\n', " ").contains("Add-MailboxPermission")
        );
        world.tenant().mailbox(ADDRESS, |mailbox| mailbox.full_access = access);
        world.customer_writes("Late parcel");
        world.baton.reload();
        world.opens("Late parcel");
        is_content(world);
    });
}

/// M12, M16: too many logins in a short time look the same, and pass.
#[test]
fn too_many_logins_look_like_no_access_and_pass() {
    Setup::exchange().tell(|world| {
        claimed(world);
        world.tenant().set(|knobs| knobs.logins = Some(0));
        world.tenant().closes_connections();
        is_told(world, "has no Full Access to support@example.test");
        world.tenant().set(|knobs| knobs.logins = None);
        world.customer_writes("Late parcel");
        world.baton.reload();
        world.opens("Late parcel");
        is_content(world);
    });
}

/// M13: a server that hangs up at the first command of somebody without a mailbox.
#[test]
fn no_access_is_told_even_when_the_server_hangs_up() {
    Setup::exchange().tell(|world| {
        claimed(world);
        world.tenant().set(|knobs| (knobs.logins, knobs.unconnected_commands) = (Some(0), 1));
        world.tenant().closes_connections();
        is_told(world, "has no Full Access to support@example.test");
        world.tenant().set(|knobs| knobs.logins = None);
        world.baton.reload();
        is_content(world);
    });
}

/// M20, M21, M22: a mailbox that speaks German, and does not say what its folders are for.
#[test]
fn folders_in_german_are_known_by_their_names() {
    Setup::exchange().tell_before_baton(|world| {
        world.tenant().adds_mailbox(ADDRESS, Language::German);
        world.start();
        claimed(world);
        world.agent("ana").drafts(SUBJECT);
        world.becomes(SUBJECT, "in-progress, ana");
        world.agent("ana").replies(SUBJECT);
        world.becomes(SUBJECT, "waiting, ana");
        world.agent("ana").archives(SUBJECT);
        world.becomes(SUBJECT, "resolved, ana");
        sees(world, "Late parcel");
        world.agent("ben").moves_to("Late parcel", "Trash");
        world.decides("Late parcel", "ignored, any");
        sees(world, "Win a car");
        world.agent("ben").moves_to("Win a car", "Junk");
        world.decides("Win a car", "ignored, any");
        no_other_folders(world, &["Kalender", "Kontakte", "Journal", "Notizen", "Aufgaben"]);
    });
}

/// M20: folders that hold no mail are listed, and left alone.
#[test]
fn calendars_and_contacts_are_not_looked_into() {
    Setup::exchange().tell(|world| {
        claimed(world);
        let entry = "Message-ID: <meeting@example.test>\r\nFrom: ana@example.test\r\nSubject: Meeting\r\n\r\nAt noon.\r\n";
        world.eyes().append("Calendar", "", None, entry.as_bytes());
        sees(world, "Late parcel");
        assert!(world.threads_about("Meeting").is_empty());
        no_other_folders(world, &["Calendar", "Contacts", "Journal", "Notes", "Tasks", "Outbox"]);
    });
}

#[track_caller]
fn no_other_folders(world: &mut World, names: &[&str]) {
    for line in said(world) {
        let names_one = names.iter().any(|name| line.contains(&format!("\"{name}\"")));
        assert!(!names_one, "{line}");
    }
}

/// M40, M41, M42: what Baton has moved is met again under a UID that nobody told, while the thread has gone on; it is
/// nobody's gesture.
#[test]
fn our_own_moves_are_no_gestures_whatever_move_answers() {
    for answer in [MoveAnswer::Proper, MoveAnswer::Bare, MoveAnswer::Empty, MoveAnswer::Silent] {
        Setup::exchange().tell(|world| {
            world.tenant().set(|knobs| knobs.move_answer = answer);
            world.customer_writes(SUBJECT);
            world.opens(SUBJECT);
            for verb in ["claim", "start", "wait", "start", "resolve", "reopen", "wait", "release"]
            {
                world.agent("ana").commands(verb, SUBJECT, &[]).done();
            }
            world.becomes(SUBJECT, "new");
            for verb in ["claim", "wait", "resolve"] {
                world.agent("ana").commands(verb, SUBJECT, &[]).done();
                world.settle();
            }
            world.becomes(SUBJECT, "resolved, ana");
            let thread = world.thread(SUBJECT);
            let gestures = thread.events.iter().filter(|event| event.cause["by"] == "gesture");
            assert_eq!(gestures.count(), 0, "{answer:?}: {:?}", thread.events);
            let id = world.last_mail(SUBJECT).message_id;
            assert_eq!(world.eyes().find(&id).len(), 1);
        });
    }
}

/// M28: nobody has to know that Exchange keeps no keywords.
#[test]
fn the_layout_is_found_by_itself() {
    Setup::exchange().tell_before_baton(|world| {
        let text = world.configuration();
        world.baton.configure(&text.replace("layout = \"folders\"\n", ""));
        world.start();
        claimed(world);
        world.baton.configure(&text.replace("layout = \"folders\"", "layout = \"auto\""));
        world.stop();
        world.start();
        world.agent("ana").resolves(SUBJECT);
        world.becomes(SUBJECT, "resolved, ana");
        no_keywords(world);
    });
}

/// M28, M29: whether a STORE of a keyword is refused or forgotten, Baton is not content with it, and says what to write.
#[test]
fn keywords_are_refused_in_words() {
    for keywords in [Keywords::Refused, Keywords::Dropped] {
        Setup::new(Layout::Keywords).at(Provider::Exchange).tell_before_baton(|world| {
            world.tenant().set(|knobs| knobs.keywords = keywords);
            world.start_unattended();
            is_told(world, "write `layout = \"folders\"`");
            world.stop();
            world.chooses(Layout::Folders);
            world.start();
            claimed(world);
            no_keywords(world);
        });
    }
}

#[track_caller]
fn no_keywords(world: &mut World) {
    for line in said(world) {
        assert!(!line.contains("STORE") && !line.contains("KEYWORD"), "{line}");
    }
}

/// M45: more UIDs than fit into a command of 10 KB are moved all the same.
#[test]
fn a_big_move_stays_below_the_command_limit() {
    const MAILS: usize = 900;
    Setup::exchange().tell(|world| {
        // So that each UID is ten digits long.
        world.tenant().mailbox(ADDRESS, |mailbox| {
            let inbox = mailbox.folder("INBOX").id;
            mailbox.store.folder_mut(inbox).unwrap().uid_next = 2_000_000_000;
        });
        world.stop();
        let first = world.customer_writes(SUBJECT);
        let mut more = world.answer(SUBJECT, "One more thing that I forgot: it is the blue one.");
        more.references = vec![first];
        for _ in 1..MAILS {
            // Every other mail is another thread's, or the UIDs were one range.
            world.customer_writes("Late parcel");
            world.arrives(&more);
        }
        world.start_unattended();
        let all_there = poll(10 * PATIENCE, || {
            let thread =
                world.threads_about(SUBJECT).pop().and_then(|one| world.baton.show(one.id));
            thread.is_some_and(|thread| thread.messages().len() == MAILS).then_some(())
        });
        assert!(all_there.is_some(), "not all are there");
        world.agent("ana").commands("claim", SUBJECT, &[]).done();
        world.becomes(SUBJECT, "assigned, ana");
        let moves: Vec<String> =
            said(world).into_iter().filter(|line| line.contains(" MOVE ")).collect();
        assert!((2..20).contains(&moves.len()), "{} moves", moves.len());
        let longest = said(world).iter().map(String::len).max().unwrap();
        assert!(longest < 8192, "a command of {longest} bytes");
    });
}
