//! What a classic Outlook in Cached Mode does at Exchange Online, and how Baton keeps out of its way (M33).
//!
//! That Outlook puts a mail back when somebody moves it on the server shortly after its own person has. `CALM` seconds
//! later the emulated one no longer does.

use crate::world::exchange::knobs::CachedMode;
use crate::world::{Line, Setup, Side, World, in_folder_layouts};

const SUBJECT: &str = "Broken kettle";
/// For how many seconds Outlook is touchy.
const CALM: i64 = 3;
/// For how many Baton waits: more, since it may have seen the move in the second in which it was made.
const LEAVE: &str = "leave_moved_seconds = 4";

fn touchy(world: &World, copies: u32) {
    touchy_for(world, CALM, copies);
}

fn touchy_for(world: &World, seconds: i64, copies: u32) {
    let cached = CachedMode { seconds, copies };
    world.tenant().set(|knobs| knobs.cached_mode = Some(cached));
}

fn claimed(world: &mut World) -> String {
    let id = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    id
}

fn folders_of(world: &mut World, message_id: &str) -> Vec<String> {
    world.eyes().find(message_id).into_iter().map(|place| place.folder).collect()
}

/// How many commands with this word Baton has given.
fn count(world: &mut World, verb: &str) -> usize {
    let recording = world.mailbox().proxy.recording();
    let gave = |line: &&Line| line.side == Side::Client && line.text.contains(verb);
    recording.iter().filter(gave).count()
}

/// Waits until Baton has looked at the mailbox a few times more.
fn looks_again(world: &mut World) {
    world.settle();
    let before = count(world, "SELECT");
    world.eventually("Baton looks again", |world| count(world, "SELECT") > before + 5);
    world.settle();
}

#[test]
fn a_mail_that_was_just_moved_is_left_alone_and_moved_when_its_time_has_come() {
    Setup::exchange().with(LEAVE).tell(|world| {
        touchy(world, 2);
        let id = claimed(world);
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.decides(SUBJECT, "resolved, ana");
        // Decided at once, shown later; that is no error.
        let status = world.status().unwrap();
        assert!(!status.is_idle() && status.last_error.is_none(), "{status:?}");
        assert_eq!(count(world, " MOVE "), 0, "{}", world.picture());
        world.becomes(SUBJECT, "resolved, ana");
        assert_eq!(folders_of(world, &id), ["Baton/Resolved"]);
        assert_eq!(count(world, " MOVE "), 1);
    });
}

/// It is written by a timer: nobody looks in between.
#[test]
fn the_time_is_waited_for_and_not_polled_for() {
    Setup::exchange().with(LEAVE).with("poll_seconds = 3600").tell(|world| {
        touchy(world, 1);
        let id = claimed(world);
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.becomes(SUBJECT, "resolved, ana");
        assert_eq!(folders_of(world, &id), ["Baton/Resolved"]);
    });
}

#[test]
fn the_wish_survives_a_restart_and_a_kill() {
    Setup::exchange().with(LEAVE).tell(|world| {
        touchy(world, 2);
        let id = claimed(world);
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.stop();
        world.start_unattended();
        world.decides(SUBJECT, "resolved, ana");
        world.baton.kill();
        world.start_unattended();
        world.becomes(SUBJECT, "resolved, ana");
        assert_eq!(folders_of(world, &id), ["Baton/Resolved"]);
    });
}

/// Only what a person moved is left alone: the rest of the conversation follows at once, and new mail is moved at once.
#[test]
fn only_the_mail_that_was_moved_is_left_alone() {
    Setup::exchange().with("leave_moved_seconds = 600").tell(|world| {
        let first = world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        let second = world.customer_answers(SUBJECT, "One more thing: it is the blue one.");
        world.holds(SUBJECT, 2);
        world.eyes().moves(&first, "Baton/Ana");
        world.becomes(SUBJECT, "assigned, ana");
        world.agent("ana").commands("wait", SUBJECT, &[]).done();
        world.eventually("the other mail has gone on", |world| {
            folders_of(world, &second) == ["Baton/Ana/Waiting"]
        });
        assert_eq!(folders_of(world, &first), ["Baton/Ana"]);
        // A person's next move begins the time anew, and is a gesture like any other.
        world.eyes().moves(&first, "Baton/Ana/Waiting");
        world.becomes(SUBJECT, "waiting, ana");
        world.settle();
    });
}

/// Whoever shortens the time is heard without waiting for the end of the old one.
#[test]
fn another_time_is_taken_at_a_restart() {
    Setup::exchange().with("leave_moved_seconds = 600").tell(|world| {
        claimed(world);
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.decides(SUBJECT, "resolved, ana");
        let text = world.configuration();
        let text = text.replace("leave_moved_seconds = 600", "leave_moved_seconds = 0");
        world.baton.configure(&text);
        world.baton.reload();
        world.becomes(SUBJECT, "resolved, ana");
    });
}

/// Baton was too early, and Outlook puts copies back: they are nobody's gesture, and they stay.
#[test]
fn copies_that_outlook_puts_back_mean_nothing_and_stay() {
    Setup::exchange().tell(|world| {
        touchy_for(world, 120, 3);
        let id = claimed(world);
        world.agent("ana").commands("resolve", SUBJECT, &[]).done();
        world.decides(SUBJECT, "resolved, ana");
        world.eventually("the copies are there", |world| folders_of(world, &id).len() == 4);
        world.eventually("the log says so", |world| {
            world.thread(SUBJECT).events_like("copy-came-back").len() == 1
        });
        looks_again(world);
        assert!(world.is(SUBJECT, "resolved, ana"), "{}", world.picture());
        let thread = world.thread(SUBJECT);
        assert_eq!(thread.messages().len(), 1);
        assert_eq!(thread.messages()[0].folder.as_deref(), Some("Baton/Resolved"));
        assert_eq!(thread.events_like("claimed").len(), 1, "{:?}", thread.events);
        let places = folders_of(world, &id);
        assert_eq!(places, ["Baton/Ana", "Baton/Ana", "Baton/Ana", "Baton/Resolved"]);
        assert_eq!(count(world, " MOVE "), 1);
        let shown = world.baton.says(&["show", &thread.id.to_string()]).done();
        let shown: Vec<&str> = shown.split_whitespace().collect();
        assert!(shown.join(" ").contains("a copy is back in Baton/Ana"), "{shown:?}");
        a_person_clears_up(world, &id);
    });
}

/// What people do with such copies is no gesture either: they throw them away.
fn a_person_clears_up(world: &mut World, id: &str) {
    world.tenant().set(|knobs| knobs.cached_mode = None);
    world.tenant().outlook_of("support@example.test", |outlook| {
        outlook.moves_from(&format!("<{id}>"), "Baton/Ana", "\\Trash");
    });
    looks_again(world);
    assert!(world.is(SUBJECT, "resolved, ana"), "{}", world.picture());
    // And then the thread goes on as any other does.
    world.customer_answers(SUBJECT, "It broke again this morning. Could you send me a new one?");
    world.becomes(SUBJECT, "in-progress, ana");
    assert_eq!(world.thread(SUBJECT).messages().len(), 2);
}

/// A person who moves a mail back to where it was is a person all the same.
fn moving_back_is_a_gesture(world: &mut World) {
    claimed(world);
    for _ in 0..2 {
        world.agent("ana").moves_to(SUBJECT, "INBOX");
        world.becomes(SUBJECT, "new");
        world.agent("ana").claims(SUBJECT);
        world.becomes(SUBJECT, "assigned, ana");
    }
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.agent("ana").reopens(SUBJECT);
    world.becomes(SUBJECT, "assigned|in-progress, ana");
    let thread = world.thread(SUBJECT);
    assert!(thread.events_like("copy-came-back").is_empty(), "{:?}", thread.events);
    assert_eq!(thread.events_like("released").len(), 2, "{:?}", thread.events);
}

in_folder_layouts!(moving_back_is_a_gesture);

/// A flag is Outlook's own business: Baton puts none on, unless the admin wants it.
#[test]
fn no_flag_is_written_unless_the_admin_wants_it() {
    Setup::exchange().tell(|world| {
        touchy_for(world, 120, 2);
        let id = claimed(world);
        world.agent("ana").commands("escalate", SUBJECT, &["a lawyer"]).done();
        world.becomes(SUBJECT, "assigned, ana, escalated");
        looks_again(world);
        assert_eq!(count(world, " STORE "), 0);
        assert_eq!(folders_of(world, &id), ["Baton/Ana"]);
    });
}

/// And where the admin wants it, it waits, too.
#[test]
fn a_flag_that_the_admin_wants_waits_as_well() {
    Setup::exchange().with(LEAVE).with("flag_escalates = true").tell(|world| {
        touchy(world, 2);
        let id = claimed(world);
        world.agent("ana").commands("escalate", SUBJECT, &["a lawyer"]).done();
        world.decides(SUBJECT, "assigned, ana, escalated");
        assert_eq!(count(world, " STORE "), 0);
        world.eventually("the flag is there", |world| {
            world.eyes().find(&id).iter().any(|place| place.flags.contains("\\flagged"))
        });
        assert_eq!(folders_of(world, &id), ["Baton/Ana"]);
    });
}
