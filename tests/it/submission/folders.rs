//! Sending by moving: drafts that people put into Baton/Send, and the copies in Baton/Outbox by which mails are stopped.

use super::door::{Door, notices, outbox, reply, tell};
use crate::world::{Crashes, Host, Layout, Moment, Provider, Setup, World};

const OPEN: &str = "login_without_tls = true";
const SUBJECT: &str = "Broken kettle";
const TEXT: &str = "We send you another one.";
const SEND: &str = "Baton/Send";
const OUTBOX: &str = "Baton/Outbox";

/// Where stories are told: one world for each layout.
const WORLDS: [(Layout, Provider); 3] = [
    (Layout::Keywords, Provider::Dovecot),
    (Layout::Labels, Provider::Gmail),
    (Layout::Folders, Provider::Exchange),
];

/// In this world, with these lines of `[mailbox.sending]` beside a short patience.
fn setup(world: (Layout, Provider), hold: u32, more: &str) -> Setup {
    let settings = format!(
        "sending = {{ hold_seconds = {hold}, copy_seconds = 2, confirm_seconds = 1{more} }}"
    );
    Setup::new(world.0).at(world.1).with(&settings)
}

/// A thread is there that the customer opened.
fn opened(world: &mut World) -> String {
    let parent = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    parent
}

/// Somebody writes a draft that answers the customer; `who` is a line of the header that tells who, or nothing.
fn draft(world: &mut World, who: &str, text: &str) -> String {
    let mut letter = world.answer(SUBJECT, text);
    letter.from = "Support <support@example.test>".to_owned();
    letter.to = "carla@customer.test".to_owned();
    letter.headers = format!("{who}Bcc: boss@elsewhere.test\r\nUser-Agent: A Client\r\n");
    world.puts(&letter, "Drafts", "\\Draft \\Seen")
}

fn anas(world: &mut World, text: &str) -> String {
    draft(world, "Sender: Ana Ruiz <ana@example.test>\r\n", text)
}

/// What has left for customers: to whom, and the text.
fn left(world: &World) -> Vec<(Vec<String>, String)> {
    let own = |to: &String| to.ends_with("@example.test");
    all_left(world).into_iter().filter(|(to, _)| !to.iter().all(own)).collect()
}

fn all_left(world: &World) -> Vec<(Vec<String>, String)> {
    match &world.host {
        Host::Exchange(tenant) => {
            tenant.sent().into_iter().map(|one| (one.to, one.message)).collect()
        }
        _ => {
            let sent = world.provider_smtp().sent();
            sent.into_iter().map(|one| (one.to.clone(), one.text())).collect()
        }
    }
}

/// The name of a folder in this world's host.
fn name(world: &World, folder: &str) -> String {
    match (&world.host, folder) {
        (Host::Exchange(_), "Trash") => "Deleted Items".into(),
        (Host::Exchange(_), "Sent") => "Sent Items".into(),
        (Host::Gmail(_), "Trash" | "Drafts") => format!("[Gmail]/{folder}"),
        (Host::Gmail(_), "Sent") => "[Gmail]/Sent Mail".into(),
        _ => folder.into(),
    }
}

fn lies(world: &mut World, id: &str, folder: &str) -> bool {
    let folder = name(world, folder);
    world.eyes().find(id).iter().any(|place| place.folder == folder)
}

/// The Message-IDs of everything in a folder.
fn in_folder(world: &mut World, folder: &str) -> Vec<String> {
    let folder = name(world, folder);
    let all = world.eyes().look().unwrap_or_default();
    let there = all.into_iter().filter(|(_, places)| places.iter().any(|one| one.folder == folder));
    there.map(|(id, _)| id).collect()
}

#[track_caller]
fn comes_to(world: &mut World, id: &str, folder: &str) {
    world.eventually(&format!("it lies in {folder}"), |world| lies(world, id, folder));
}

#[track_caller]
fn stands(world: &mut World, states: &[&str]) {
    world.eventually(&format!("the outbox is {states:?}"), |world| {
        let all = outbox(world);
        all.iter().map(|one| one["state"].as_str().unwrap()).collect::<Vec<_>>() == states
    });
}

/// It left once, the draft lies in the Trash, and one copy of what left in Sent.
#[track_caller]
fn has_left_once(world: &mut World, draft: &str) {
    comes_to(world, draft, "Trash");
    let sent = left(world);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let (to, text) = &sent[0];
    assert_eq!(to, &["carla@customer.test", "boss@elsewhere.test"]);
    assert!(text.contains(TEXT) && text.contains("<support@example.test>"), "{text}");
    for gone in ["boss@", "A Client", "ana@example.test", draft] {
        assert!(!text.contains(gone), "{gone}: {text}");
    }
    let told: Vec<String> =
        notices(world).iter().map(|one| one["message_id"].as_str().unwrap().to_owned()).collect();
    world.eventually("one copy lies in Sent", |world| {
        let mut sent = in_folder(world, "Sent");
        sent.retain(|id| !told.contains(id));
        sent.len() == 1
    });
    world.eventually("nothing lies where mails leave", |world| {
        in_folder(world, SEND).is_empty() && in_folder(world, OUTBOX).is_empty()
    });
}

fn a_draft_leaves(world: &mut World) {
    let parent = opened(world);
    let id = anas(world, TEXT);
    world.becomes(SUBJECT, "in-progress, ana");
    world.eyes().moves(&id, SEND);
    has_left_once(world, &id);
    world.becomes(SUBJECT, "waiting, ana");
    let (_, text) = &left(world)[0];
    assert!(text.contains(&format!("In-Reply-To: <{parent}>")), "{text}");
    assert!(text.contains("Ana Ruiz"), "{text}");
    let sending = &outbox(world)[0];
    assert_eq!(sending["route"], "send-folder");
    let thread = world.thread(SUBJECT);
    let replies = world.baton.show(thread.id).unwrap();
    let replies = replies.events_like("replied");
    assert_eq!((replies.len(), replies[0].actor.as_str()), (1, Some("ana")));

    // Moved there once more, it is the same mail.
    world.eyes().moves(&id, SEND);
    comes_to(world, &id, "Trash");
    assert_eq!((left(world).len(), outbox(world).len()), (1, 1));
}

/// Moves a draft out of Baton/Outbox, to where its writer goes on writing: at Gmail by taking the label off.
fn takes_out(world: &mut World, id: &str) {
    match world.layout() {
        Layout::Labels => world.eyes().stores(id, "-", "baton-outbox"),
        Layout::Keywords | Layout::Folders => world.eyes().moves(id, "Drafts"),
    }
}

fn what_is_taken_out_is_stopped(world: &mut World) {
    opened(world);
    let id = anas(world, TEXT);
    world.eyes().moves(&id, SEND);
    comes_to(world, &id, OUTBOX);
    stands(world, &["held"]);
    takes_out(world, &id);
    stands(world, &["dropped"]);
    let thread = world.thread(SUBJECT).id;
    let stopped = world.baton.show(thread).unwrap();
    let stopped = stopped.events_like("answer-dropped");
    assert_eq!(stopped.len(), 1);
    assert!(stopped[0].cause.to_string().contains("gesture"), "{}", stopped[0].cause);
    comes_to(world, &id, "Drafts");

    // The draft is there for editing, and to be sent after all.
    world.eyes().moves(&id, SEND);
    comes_to(world, &id, OUTBOX);
    stands(world, &["dropped", "held"]);
    // Its folder numbered anew is no decision of anybody's.
    let address = world.mailbox().address.clone();
    world.host.loses_uids(&address, OUTBOX);
    world.stays("the mail is held", |world| outbox(world)[1]["state"] == "held");
    world.eyes().expunges(&id);
    stands(world, &["dropped", "dropped"]);
    assert!(left(world).is_empty());
    assert_eq!(notices(world).len(), 2, "Ana is told each time");
}

/// A person decides about one of the mails in the outbox.
#[track_caller]
fn says(world: &World, verb: &str, at: usize) {
    let id = outbox(world)[at]["id"].to_string();
    world.baton.says(&["outbox", verb, &id]).done();
}

fn the_copy_stops_the_mail(world: &mut World, door: &Door) {
    let parent = opened(world);
    let hands_in = |text: &str| {
        let said = door.hands_in(&reply(&parent, text));
        assert!(said.starts_with("250"), "{said}");
    };
    let copy = |world: &mut World| {
        world.eventually("a copy lies in the outbox", |world| !in_folder(world, OUTBOX).is_empty());
        let copies = in_folder(world, OUTBOX);
        assert_eq!(copies.len(), 1);
        let places = world.eyes().find(&copies[0]);
        assert!(places.iter().all(|place| !place.flags.contains("\\seen")), "{places:?}");
        copies[0].clone()
    };
    hands_in("One.");
    let one = copy(world);
    world.eyes().expunges(&one);
    stands(world, &["dropped"]);

    hands_in(TEXT);
    let two = copy(world);
    let address = world.mailbox().address.clone();
    world.host.loses_uids(&address, OUTBOX);
    world.stays("the mail is held", |world| outbox(world)[1]["state"] == "held");
    says(world, "release", 1);
    stands(world, &["dropped", "accepted"]);
    world.eventually("Baton has taken its copy away", |world| world.eyes().find(&two).is_empty());
    assert_eq!(left(world).len(), 1);

    hands_in("Three.");
    let three = copy(world);
    says(world, "drop", 2);
    world.eventually("Baton has taken its copy away", |world| world.eyes().find(&three).is_empty());
}

/// Ben's thread, and the mailbox refuses what is not the owner's.
fn a_refused_draft_goes_back(world: &mut World) {
    opened(world);
    world.agent("ben").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ben");
    let id = anas(world, TEXT);
    world.eyes().moves(&id, SEND);
    world.eventually("Ana is told why", |world| {
        told(world).iter().any(|text| text.contains("is Ben's since"))
    });
    comes_to(world, &id, "Drafts");
    world.eventually("it has left the folder", |world| in_folder(world, SEND).is_empty());
    // It says itself that the thread is hers from now on.
    let id = anas(world, &format!("#claim\n{TEXT}"));
    world.eyes().moves(&id, SEND);
    has_left_once(world, &id);
    world.becomes(SUBJECT, "waiting, ana");

    let mut nobody = world.answer(SUBJECT, TEXT);
    nobody.from = "Support <support@example.test>".to_owned();
    nobody.to = String::new();
    let id = world.puts(&nobody, "Drafts", "\\Draft \\Seen");
    world.eyes().moves(&id, SEND);
    world.eventually("the owner is told", |world| {
        told(world).iter().any(|text| text.contains("names nobody"))
    });
    comes_to(world, &id, "Drafts");
}

/// What the team was told, or is about to be: each as it leaves.
fn told(world: &World) -> Vec<String> {
    let waiting = notices(world).into_iter().filter(|one| one["state"] != "accepted");
    let waiting = waiting.map(|one| {
        let id = one["id"].to_string();
        world.baton.says(&["outbox", "show", &id]).done()
    });
    let to_the_team = |to: &[String]| to.iter().all(|to| to.ends_with("@example.test"));
    let left = all_left(world).into_iter().filter(|(to, _)| to_the_team(to)).map(|(_, text)| text);
    waiting.chain(left).collect()
}

/// One writes, and the client says nothing of it; another moves it. The thread's owner counts as its writer.
fn a_shared_draft_leaves_as_the_owners(world: &mut World) {
    opened(world);
    let id = draft(world, "", TEXT);
    world.eyes().moves(&id, SEND);
    has_left_once(world, &id);
    // Nobody has taken a thread that nobody is known to have answered.
    world.becomes(SUBJECT, "waiting");
    world.customer_answers(SUBJECT, "It is the wrong one.");
    world.becomes(SUBJECT, "new");
    world.agent("ben").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ben");
    let id = draft(world, "", "And another.");
    world.eyes().moves(&id, SEND);
    comes_to(world, &id, "Trash");
    world.becomes(SUBJECT, "waiting, ben");
    assert!(left(world)[1].1.contains("Ben Okafor"), "{:?}", left(world));
}

fn what_is_no_draft_is_put_back(world: &mut World) {
    let id = opened(world);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let place = if world.layout() == Layout::Folders { "Baton/Ana" } else { "INBOX" };
    world.eyes().moves(&id, SEND);
    comes_to(world, &id, place);
    world.eventually("it has left the folder", |world| in_folder(world, SEND).is_empty());
    world.becomes(SUBJECT, "assigned, ana");
    let thread = world.thread(SUBJECT).id;
    let put_back = world.baton.show(thread).unwrap().events_like("put-back").len();
    assert_eq!(put_back, usize::from(world.layout() != Layout::Labels));
    assert!(outbox(world).is_empty() && left(world).is_empty());
}

fn two_who_write_are_told_of_each_other(world: &mut World) {
    opened(world);
    let first = anas(world, "Let me see");
    world.becomes(SUBJECT, "in-progress, ana");
    world.eyes().expunges(&first);
    anas(world, "Let me see what we can do");
    for text in ["Dear Carla", "Dear Carla, here"] {
        let id = draft(world, "Sender: Ben Okafor <ben@example.test>\r\n", text);
        world.eventually("both are told", |world| notices(world).len() == 2);
        world.eyes().expunges(&id);
    }
    world.settle();
    let texts = told(world);
    assert_eq!(texts.len(), 2, "once per occasion: {texts:?}");
    let tells = |who: &str, what: &str| {
        texts
            .iter()
            .any(|text| text.contains(&format!("<{who}@example.test>")) && text.contains(what))
    };
    assert!(tells("ben", "which is Ana's") && tells("ana", "Ben is writing"), "{texts:?}");
    // Nobody is told before the writer had time to throw it away.
    assert!(notices(world).iter().all(|one| one["state"] == "due"));
}

/// Tells each story in every layout.
macro_rules! in_every_world {
    ($($story:ident($hold:literal, $more:literal)),* $(,)?) => {
        mod keywords { $(#[test] fn $story() {
            super::setup(super::WORLDS[0], $hold, $more).tell(super::$story);
        })* }
        mod labels { $(#[test] fn $story() {
            super::setup(super::WORLDS[1], $hold, $more).tell(super::$story);
        })* }
        mod exchange { $(#[test] fn $story() {
            super::setup(super::WORLDS[2], $hold, $more).tell(super::$story);
        })* }
    };
}

in_every_world! {
    a_draft_leaves(0, ""),
    what_is_taken_out_is_stopped(3600, ""),
    what_is_no_draft_is_put_back(3600, ""),
}

#[test]
fn a_copy_of_what_is_held_can_be_deleted_to_stop_it() {
    for world in WORLDS {
        tell(setup(world, 3600, ""), OPEN, the_copy_stops_the_mail);
    }
}

#[test]
fn a_draft_that_may_not_leave_goes_back_to_drafts_with_the_reason() {
    setup(WORLDS[0], 0, ", enforce = \"refuse\"").tell(a_refused_draft_goes_back);
}

#[test]
fn a_draft_that_one_writes_and_another_moves_leaves_as_the_owners() {
    setup(WORLDS[2], 0, "").tell(a_shared_draft_leaves_as_the_owners);
}

#[test]
fn drafts_of_two_agents_in_one_thread_are_told_to_both() {
    setup(WORLDS[0], 0, "").tell(two_who_write_are_told_of_each_other);
}

#[test]
fn what_the_provider_refuses_goes_back_to_drafts() {
    setup(WORLDS[2], 0, "").tell(|world| {
        let denied = "554 5.2.252 SendAsDenied; not allowed to send as support@example.test";
        world.tenant().set_smtp(|knobs| knobs.answers = Some(denied.into()));
        opened(world);
        let id = anas(world, TEXT);
        world.eyes().moves(&id, SEND);
        stands(world, &["dropped"]);
        comes_to(world, &id, "Drafts");
        world.eventually("Ana is told why", |world| {
            told(world).iter().any(|text| text.contains("SendAsDenied"))
        });
        world.tenant().set_smtp(|knobs| knobs.answers = None);
        world.eyes().moves(&id, SEND);
        has_left_once(world, &id);
    });
}

/// The daemon dies at a commit between the draft in Baton/Send and its end.
fn with_a_crash(moment: Moment, at: usize) {
    setup(WORLDS[2], 0, "").tell(|world| {
        opened(world);
        let id = anas(world, TEXT);
        world.becomes(SUBJECT, "in-progress, ana");
        world.baton.kill();
        world.eyes().moves(&id, SEND);
        world.crashes = Crashes::once(moment, at);
        world.start_unattended();
        world.eventually("it has left, or a person is asked", |world| {
            let known = outbox(world);
            known.len() == 1 && (known[0]["state"] == "accepted" || known[0]["state"] == "held")
        });
        world.ends_crashes();
        if outbox(world)[0]["state"] == "held" {
            assert!(left(world).is_empty(), "it left, and a person is asked");
            says(world, "release", 0);
        }
        has_left_once(world, &id);
    });
}

#[test]
fn a_crash_at_any_commit_sends_no_draft_twice() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (from, to, step) = if crate::faults::is_long() { (1, 40, 1) } else { (9, 22, 4) };
    for at in (from..to).step_by(step) {
        for moment in [Moment::AfterCommit, Moment::BeforeCommit] {
            with_a_crash(moment, at);
        }
    }
}

#[test]
fn a_draft_that_is_gone_before_it_was_read_is_none() {
    setup(WORLDS[0], 0, "").tell(|world| {
        opened(world);
        let (gone, kept) = (anas(world, "Never mind."), anas(world, TEXT));
        world.becomes(SUBJECT, "in-progress, ana");
        world.baton.kill();
        world.eyes().moves(&gone, SEND);
        world.eyes().moves(&kept, SEND);
        world.eyes().expunges(&gone);
        world.host.loses_uids("support@example.test", SEND);
        world.start();
        has_left_once(world, &kept);
        assert_eq!(outbox(world).len(), 1);
    });
}
