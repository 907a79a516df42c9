//! What leaves: once, whatever happens on the way, with one copy in Sent, and the thread waits.

use std::sync::Arc;

use super::door::{Door, notices, outbox, ports, reply, tell};
use crate::world::exchange::Tenant;
use crate::world::exchange::smtp::{Cut, Knobs, MessageIds, Sent};
use crate::world::{Crashes, Host, Moment, Setup, World};

const OPEN: &str = "login_without_tls = true";
const SUBJECT: &str = "Broken kettle";

/// With these lines of `[mailbox.sending]` beside a short patience.
fn setup(more: &str) -> Setup {
    let settings: String =
        format!("sending = {{ hold_seconds = 0, copy_seconds = 2, confirm_seconds = 1{more} }}");
    Setup::exchange().with(String::leak(settings))
}

fn tenant(world: &World) -> Arc<Tenant> {
    let Host::Exchange(tenant) = &world.host else { panic!("not at Exchange") };
    Arc::clone(tenant)
}

/// Tells a story in which the customer has written and the provider does as it is told.
fn told(setup: Setup, knobs: impl FnOnce(&mut Knobs), story: impl FnOnce(&mut World, &Door, &str)) {
    tell(setup, OPEN, |world, door| {
        tenant(world).set_smtp(knobs);
        let parent = world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        story(world, door, &parent);
    });
}

#[track_caller]
fn stands(world: &mut World, state: &str) {
    world.eventually(&format!("the mail is {state}"), |world| {
        outbox(world).iter().all(|one| one["state"] == state)
    });
}

/// It left once, the customer got what was written, one copy lies in Sent, and the thread waits as Ana's.
#[track_caller]
fn has_left_once(world: &mut World) {
    stands(world, "accepted");
    world.becomes(SUBJECT, "waiting, ana");
    let sent = to_customers(world);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert!(sent[0].message.contains("\r\n\r\nWe send you another one."), "{}", sent[0].message);
    assert!(sent[0].message.contains("<support@example.test>"), "{}", sent[0].message);
    assert_eq!(in_sent(world), 1);
    let thread = world.thread(SUBJECT);
    let shown = world.baton.show(thread.id).unwrap();
    let replies = shown.events_like("replied");
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].actor, "ana");
}

fn to_customers(world: &World) -> Vec<Sent> {
    let mut sent = tenant(world).sent();
    sent.retain(|one| one.to != ["ana@example.test"]);
    sent
}

fn in_sent(world: &mut World) -> usize {
    let address = world.mailbox().address.clone();
    let shown = tenant(world).mailbox(&address, |mailbox| mailbox.shown());
    // What Baton tells the team is kept there by the provider as well.
    let told: Vec<String> = notices(world)
        .iter()
        .map(|one| format!("<{}>", one["message_id"].as_str().unwrap()))
        .collect();
    let sent = shown.iter().filter(|one| one.folder == "Sent Items");
    sent.filter(|one| !told.contains(&one.message_id)).count()
}

/// The Message-ID that customers see, without angle brackets.
fn id_in_sent(world: &mut World) -> String {
    let address = world.mailbox().address.clone();
    let shown = tenant(world).mailbox(&address, |mailbox| mailbox.shown());
    let sent = shown.iter().find(|one| one.folder == "Sent Items").unwrap();
    sent.message_id.trim_matches(['<', '>']).to_owned()
}

#[track_caller]
fn answers(door: &Door, parent: &str) {
    let said = door.hands_in(&reply(parent, "We send you another one."));
    assert!(said.starts_with("250"), "{said}");
}

#[test]
fn an_answer_leaves_once_and_the_thread_waits() {
    told(
        setup(""),
        |_| {},
        |world, door, parent| {
            answers(door, parent);
            has_left_once(world);
        },
    );
}

#[test]
fn an_answer_that_resolves_does_so_once_it_has_left() {
    told(
        setup(""),
        |_| {},
        |world, door, parent| {
            let said = door.hands_in(&reply(parent, "#resolve\n\nWe send you another one."));
            assert!(said.starts_with("250"), "{said}");
            stands(world, "accepted");
            world.becomes(SUBJECT, "resolved, ana");
            assert!(to_customers(world)[0].message.contains("\r\n\r\nWe send you another one."));
        },
    );
}

#[test]
fn a_new_mail_begins_a_thread_that_its_answers_join() {
    for ids in [MessageIds::Kept, MessageIds::Replaced] {
        told(
            setup(""),
            |knobs| knobs.message_ids = ids,
            |world, door, _| {
                let new = "From: Ana Ruiz <ana@example.test>\nTo: carla@customer.test\nSubject: Your order\n\
                           Message-ID: <new@client.test>\n\nYour order is ready.";
                let said = door.hands_in(new);
                assert!(said.starts_with("250 2.0.0 #2: kept as 1"), "{said}");
                stands(world, "accepted");
                world.becomes("Your order", "waiting, ana");
                let shown = world.baton.show(2).unwrap();
                assert_eq!(shown.events_like("begun").len(), 1);
                assert_eq!(shown.events_like("begun")[0].actor, "ana");
                assert_eq!(shown.events_like("replied").len(), 1);
                let mut answer = world.letter("Re: Your order", "I fetch it today.");
                answer.references = vec![id_in_sent(world)];
                world.arrives(&answer);
                world.becomes("Your order", "in-progress, ana");
                assert_eq!(world.baton.show(2).unwrap().messages().len(), 2);
            },
        );
    }
}

#[test]
fn where_the_provider_keeps_no_copy_baton_adds_one() {
    told(
        setup(""),
        |knobs| knobs.keeps_copy = false,
        |world, door, parent| {
            answers(door, parent);
            has_left_once(world);
        },
    );
}

#[test]
fn a_message_id_that_the_provider_gave_is_known() {
    told(
        setup(""),
        |knobs| knobs.message_ids = MessageIds::Replaced,
        |world, door, parent| {
            answers(door, parent);
            has_left_once(world);
            world.customer_answers(SUBJECT, "Thanks, but it is the wrong one.");
            world.becomes(SUBJECT, "in-progress, ana");
        },
    );
}

#[test]
fn a_lost_answer_of_the_server_sends_nothing_twice() {
    told(
        setup(""),
        |knobs| knobs.cut = Some(Cut::AfterTaking),
        |world, door, parent| {
            answers(door, parent);
            has_left_once(world);
        },
    );
}

#[test]
fn what_is_lost_before_it_was_taken_waits_for_a_person() {
    told(
        setup(""),
        |knobs| knobs.cut = Some(Cut::BeforeTaking),
        |world, door, parent| {
            answers(door, parent);
            stands(world, "held");
            assert!(to_customers(world).is_empty());
            let told = world.baton.says(&["outbox"]).done();
            assert!(told.contains("Nobody knows whether it left"), "{told}");
            world.baton.says(&["outbox", "release", "1"]).done();
            has_left_once(world);
        },
    );
}

#[test]
fn a_refusal_is_told_and_the_mail_stays() {
    let denied =
        "554 5.2.252 SendAsDenied; ana@contoso.com not allowed to send as support@example.test";
    told(
        setup(""),
        |knobs| knobs.answers = Some(denied.into()),
        |world, door, parent| {
            answers(door, parent);
            stands(world, "refused");
            let told = world.baton.says(&["outbox"]).done();
            assert!(told.contains("not allowed to send as"), "{told}");
            world.eventually("Ana is told", |world| {
                let told = tenant(world).sent();
                told.iter().any(|mail| mail.message.contains("baton doctor --probe"))
            });
            assert_eq!(notices(world).len(), 1);
            let id = world.thread(SUBJECT).id;
            assert_eq!(world.baton.show(id).unwrap().events_like("answer-not-sent").len(), 1);
            tenant(world).set_smtp(|knobs| knobs.answers = None);
            world.baton.says(&["outbox", "retry", "1"]).done();
            has_left_once(world);
        },
    );
}

#[test]
fn a_no_for_now_is_tried_again() {
    let busy =
        "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending";
    told(
        setup(""),
        |knobs| knobs.answers = Some(busy.into()),
        |world, door, parent| {
            answers(door, parent);
            has_left_once(world);
            assert_eq!(outbox(world)[0]["attempts"], 2);
        },
    );
}

/// The daemon dies at a commit, and the client tries until it has heard 250.
fn with_a_crash(moment: Moment, at: usize) {
    told(
        setup(""),
        |_| {},
        |world, door, parent| {
            world.baton.kill();
            world.crashes = Crashes::once(moment, at);
            world.start_unattended();
            let text = reply(parent, "We send you another one.");
            world.eventually("the client has heard 250", |world| {
                let door = Door { starttls: ports(world)[1], ..door.clone() };
                door.hands_in(&text).starts_with("250")
            });
            world.eventually("it has left, or a person is asked", |world| {
                let known = outbox(world);
                // Held with a time is not asked about: it is about to leave.
                let asked = known.len() == 1
                    && known[0]["state"] == "held"
                    && known[0]["due_at"] == serde_json::Value::Null;
                asked || known.len() == 1 && known[0]["state"] == "accepted"
            });
            world.ends_crashes();
            if outbox(world)[0]["state"] == "held" {
                // Ana may have been told by mail meanwhile.
                assert!(to_customers(world).is_empty(), "it left, and a person is asked");
                world.baton.says(&["outbox", "release", "1"]).done();
            }
            has_left_once(world);
        },
    );
}

#[test]
fn a_crash_at_any_commit_sends_nothing_twice() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (from, to, step) = if crate::faults::is_long() { (1, 40, 1) } else { (7, 24, 4) };
    for at in (from..to).step_by(step) {
        for moment in [Moment::AfterCommit, Moment::BeforeCommit] {
            with_a_crash(moment, at);
        }
    }
}
