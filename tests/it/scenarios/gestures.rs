//! Every gesture of product.md's table, as people make them in their own mail clients.

use crate::world::{Layout, Place, Setup, World, in_all_layouts, in_folder_layouts};

in_all_layouts!(
    a_day_of_a_thread_by_gestures_alone,
    another_agents_mark_in_the_place_of_the_first_reassigns,
    a_mark_counts_whoever_put_it_on_and_on_whichever_mail,
    marks_travel_to_copies_in_sent_and_to_later_mail,
    archiving_an_owned_thread_resolves_it,
    archiving_a_thread_of_nobody_means_nothing,
    a_resolved_thread_is_reopened_by_taking_the_mark_away,
    a_draft_begins_the_work_and_a_discarded_one_changes_nothing,
    deleting_ignores_and_can_be_undone,
    the_trash_is_a_deletion_and_coming_back_undoes_it,
    spam_is_ignored_and_comes_back,
    an_ignored_thread_comes_back,
    baton_writes_once_for_each_human_change,
);

in_folder_layouts!(
    a_flag_escalates_and_taking_it_off_ends_that with "flag_escalates = true",
    a_flag_is_a_private_matter,
    moving_to_the_inbox_reopens,
    moving_to_anothers_folder_keeps_the_reassigned_thread_in_one_place,
    a_burst_of_moves_is_automation_and_resolves_nothing with "burst_moves_per_minute = 5",
    two_moves_at_once_have_one_winner,
);

const SUBJECT: &str = "Broken kettle";

fn claimed(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
}

fn a_day_of_a_thread_by_gestures_alone(world: &mut World) {
    claimed(world);
    world.agent("ana").waits(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    world.customer_answers(SUBJECT, "It still leaks. What shall I do with it now?");
    world.becomes(SUBJECT, "in-progress, ana");
    world.agent("ana").blocks(SUBJECT);
    world.becomes(SUBJECT, "blocked, ana");
    world.agent("ana").unblocks(SUBJECT);
    world.becomes(SUBJECT, "in-progress, ana");
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    // One act of a person is one event of its kind.
    let thread = world.thread(SUBJECT);
    assert_eq!(thread.events_like("resolve").len(), 1, "{:?}", thread.events);
    assert_eq!(thread.events_like("unblock").len(), 1, "{:?}", thread.events);
}

fn another_agents_mark_in_the_place_of_the_first_reassigns(world: &mut World) {
    claimed(world);
    world.agent("ben").takes_over(SUBJECT, "ana");
    world.becomes(SUBJECT, "assigned, ben");
}

fn a_mark_counts_whoever_put_it_on_and_on_whichever_mail(world: &mut World) {
    let first = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
    world.holds(SUBJECT, 2);
    match world.layout() {
        Layout::Keywords | Layout::Labels => world.eyes().stores(&first, "+", "baton-cleo"),
        Layout::Folders => world.eyes().moves(&first, "Baton/Cleo"),
    }
    world.becomes(SUBJECT, "assigned, cleo");
}

fn marks_travel_to_copies_in_sent_and_to_later_mail(world: &mut World) {
    claimed(world);
    let reply = world.agent("ana").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    let places = world.eyes().find(&reply);
    match world.layout() {
        Layout::Keywords => {
            assert!(places[0].flags.contains("baton-ana"), "{places:?}");
            assert!(places[0].flags.contains("baton-waiting"), "{places:?}");
        }
        Layout::Folders => assert_eq!(places.len(), 1, "{places:?}"),
        Layout::Labels => {
            assert!(labelled(&places, "Baton/Ana") && labelled(&places, "Baton/Waiting"));
        }
    }
    assert!(places.iter().any(|place| place.folder.contains("Sent")), "{places:?}");
    let later =
        world.customer_answers(SUBJECT, "I did as you said. Which part should I send back?");
    world.becomes(SUBJECT, "in-progress, ana");
    let places = world.eyes().find(&later);
    match world.layout() {
        Layout::Keywords => assert!(places[0].flags.contains("baton-ana"), "{places:?}"),
        Layout::Folders => assert_eq!(places[0].folder, "Baton/Ana"),
        Layout::Labels => assert!(labelled(&places, "Baton/Ana"), "{places:?}"),
    }
}

fn labelled(places: &[Place], label: &str) -> bool {
    places.iter().any(|place| place.labels.as_ref().is_some_and(|labels| labels.contains(label)))
}

fn archiving_an_owned_thread_resolves_it(world: &mut World) {
    claimed(world);
    world.agent("ana").archives(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
}

fn archiving_a_thread_of_nobody_means_nothing(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").archives(SUBJECT);
    world.remains(SUBJECT, "new");
    assert_eq!(world.thread(SUBJECT).messages().len(), 1);
}

fn a_resolved_thread_is_reopened_by_taking_the_mark_away(world: &mut World) {
    claimed(world);
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.agent("ana").reopens(SUBJECT);
    world.becomes(SUBJECT, "assigned|in-progress, ana");
}

fn a_draft_begins_the_work_and_a_discarded_one_changes_nothing(world: &mut World) {
    claimed(world);
    let draft = world.agent("ana").drafts(SUBJECT);
    world.becomes(SUBJECT, "in-progress, ana");
    world.eyes().expunges(&draft);
    world.remains(SUBJECT, "in-progress, ana");
}

fn deleting_ignores_and_can_be_undone(world: &mut World) {
    claimed(world);
    world.agent("ana").deletes(SUBJECT);
    world.decides(SUBJECT, "ignored, any");
    let thread = world.thread(SUBJECT);
    let event = thread.events_like("deleted").last().expect("an event says why").seq.to_string();
    world.agent("ben").types(&["undo", &event]).done();
    world.decides(SUBJECT, "assigned, ana");
}

fn the_trash_is_a_deletion_and_coming_back_undoes_it(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").moves_to(SUBJECT, "Trash");
    world.decides(SUBJECT, "ignored, any");
    world.agent("ana").moves_to(SUBJECT, "INBOX");
    world.becomes(SUBJECT, "new");
    assert_eq!(world.thread(SUBJECT).messages().len(), 1);
}

fn spam_is_ignored_and_comes_back(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").moves_to(SUBJECT, "Junk");
    world.decides(SUBJECT, "ignored, any");
    world.agent("ana").moves_to(SUBJECT, "INBOX");
    world.becomes(SUBJECT, "new");
}

fn an_ignored_thread_comes_back(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").ignores(SUBJECT);
    world.becomes(SUBJECT, "ignored, any");
    match world.layout() {
        Layout::Keywords | Layout::Labels => {
            world.agent("ana").untags(SUBJECT, "baton-ignored");
        }
        Layout::Folders => world.agent("ana").moves_to(SUBJECT, "INBOX"),
    }
    world.becomes(SUBJECT, "new");
}

fn baton_writes_once_for_each_human_change(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
    world.holds(SUBJECT, 2);
    world.settle();
    let before = world.writes();
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.settle();
    // The other mail is brought in line with the one that the person touched, and that is all.
    let after = world.writes();
    assert!(after <= before + 1, "{} writes for one claim\n{}", after - before, world.picture());
    world.stays("nothing more is written", |world| world.writes() == after);
}

fn a_flag_escalates_and_taking_it_off_ends_that(world: &mut World) {
    claimed(world);
    world.agent("ben").flags(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana, escalated");
    world.customer_answers(SUBJECT, "My lawyer will write to you if nothing happens this week.");
    world.holds(SUBJECT, 2);
    world.becomes(SUBJECT, "assigned, ana, escalated");
}

#[test]
fn with_keywords_a_flag_escalates() {
    Setup::keywords().tell(a_flag_escalates_and_taking_it_off_ends_that);
}

fn a_flag_is_a_private_matter(world: &mut World) {
    claimed(world);
    world.agent("ben").flags(SUBJECT);
    world.remains(SUBJECT, "assigned, ana");
    let mail = world.last_mail(SUBJECT).message_id;
    assert!(
        world.eyes().find(&mail)[0].flags.contains("\\flagged"),
        "a person's flag was taken off"
    );
}

fn moving_to_the_inbox_reopens(world: &mut World) {
    claimed(world);
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.agent("ana").moves_to(SUBJECT, "INBOX");
    world.becomes(SUBJECT, "new|assigned|in-progress, any");
}

fn moving_to_anothers_folder_keeps_the_reassigned_thread_in_one_place(world: &mut World) {
    claimed(world);
    world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
    world.holds(SUBJECT, 2);
    world.becomes(SUBJECT, "assigned|in-progress, ana");
    world.agent("ben").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned|in-progress, ben");
}

/// More moves in a minute than people make: a clean-up or a mail rule, and no twelve resolves.
fn a_burst_of_moves_is_automation_and_resolves_nothing(world: &mut World) {
    let subjects: Vec<String> = (1..=12).map(|number| format!("Order {number}")).collect();
    for subject in &subjects {
        world.customer_writes(subject);
    }
    for subject in &subjects {
        world.opens(subject);
    }
    world.eyes().moves_all("INBOX", "Baton/Resolved");
    world.stays("no thread is resolved", |world| {
        world.baton.threads().iter().all(|thread| thread.state == "new")
    });
}

/// Two people claim in the same moment: one of them has it, and the mailbox says so everywhere.
#[test]
fn with_keywords_two_claims_at_once_have_one_winner() {
    Setup::keywords().tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        world.agent("ana").tags(SUBJECT, "baton-ben baton-ana");
        world.eventually("one of them owns it, and it shows", |world| {
            (world.is(SUBJECT, "assigned, ana") || world.is(SUBJECT, "assigned, ben"))
                && world.shows(SUBJECT)
        });
        let thread = world.thread(SUBJECT);
        assert_eq!(thread.events_like("lost").len(), 1, "who came too late is not recorded");
    });
}

fn two_moves_at_once_have_one_winner(world: &mut World) {
    let first = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let second =
        world.customer_answers(SUBJECT, "One more thing that I forgot: it is the blue one.");
    world.holds(SUBJECT, 2);
    world.eyes().moves(&first, "Baton/Ana");
    world.eyes().moves(&second, "Baton/Ben");
    world.eventually("one of them owns it, and it shows", |world| {
        (world.is(SUBJECT, "assigned, ana") || world.is(SUBJECT, "assigned, ben"))
            && world.shows(SUBJECT)
    });
}
