//! Every arrow of the state table in product.md.

use crate::world::{Setup, World, in_all_layouts};

in_all_layouts!(
    mail_that_joins_nothing_opens_a_new_thread,
    a_claim_assigns,
    the_owners_draft_begins_the_work,
    saying_so_begins_the_work,
    a_reply_makes_a_new_thread_wait_for_the_customer_and_gives_it_to_the_replier,
    a_reply_makes_an_assigned_and_a_started_thread_wait,
    a_reply_makes_a_blocked_thread_wait,
    the_customer_writes_on_a_waiting_thread,
    a_blocked_thread_returns_to_the_state_before,
    a_blocked_thread_comes_back_when_its_time_is_reached,
    the_customer_writes_on_a_blocked_thread,
    any_open_thread_can_be_resolved,
    the_customer_reopens_a_resolved_thread,
    a_bare_thank_you_does_not_reopen,
    a_released_thread_is_new_and_keeps_its_history,
    anything_can_be_ignored,
);

const SUBJECT: &str = "Broken kettle";

fn mail_that_joins_nothing_opens_a_new_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.customer_writes("Late parcel");
    world.opens(SUBJECT);
    world.opens("Late parcel");
    let (kettle, parcel) = (world.thread(SUBJECT), world.thread("Late parcel"));
    assert_ne!(kettle.id, parcel.id);
    assert_eq!(kettle.messages().len(), 1);
    assert_eq!(kettle.messages()[0].direction, "customer");
    assert!(!kettle.events.is_empty());
}

fn a_claim_assigns(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
}

fn the_owners_draft_begins_the_work(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").drafts(SUBJECT);
    world.becomes(SUBJECT, "in-progress, ana");
}

fn saying_so_begins_the_work(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").commands("start", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "in-progress, ana");
}

fn a_reply_makes_a_new_thread_wait_for_the_customer_and_gives_it_to_the_replier(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ben").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ben");
    world.customer_writes("Late parcel");
    world.opens("Late parcel");
    world.agent("ben").replies_unnamed("Late parcel");
    // Nobody can say who it was.
    world.becomes("Late parcel", "waiting");
}

fn a_reply_makes_an_assigned_and_a_started_thread_wait(world: &mut World) {
    for subject in [SUBJECT, "Late parcel"] {
        world.customer_writes(subject);
        world.opens(subject);
        world.agent("ana").claims(subject);
        world.becomes(subject, "assigned, ana");
    }
    world.agent("ana").commands("start", "Late parcel", &[]).done();
    world.becomes("Late parcel", "in-progress, ana");
    for subject in [SUBJECT, "Late parcel"] {
        world.agent("ana").replies_unnamed(subject);
        world.becomes(subject, "waiting, ana");
        assert_eq!(world.thread(subject).messages().len(), 2);
    }
}

fn a_reply_makes_a_blocked_thread_wait(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").commands("block", SUBJECT, &["waiting for parts"]).done();
    world.becomes(SUBJECT, "blocked, ana");
    world.agent("ana").replies_unnamed(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
}

fn the_customer_writes_on_a_waiting_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    world.customer_answers(SUBJECT, "I tried that. It is still broken, what else can I do?");
    // The marks travel to the later mail too.
    world.becomes(SUBJECT, "in-progress, ana");
    world.holds(SUBJECT, 3);
}

fn a_blocked_thread_returns_to_the_state_before(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").commands("start", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "in-progress, ana");
    world.agent("ana").blocks(SUBJECT);
    world.becomes(SUBJECT, "blocked, ana");
    world.agent("ana").unblocks(SUBJECT);
    world.becomes(SUBJECT, "in-progress, ana");
}

fn a_blocked_thread_comes_back_when_its_time_is_reached(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let soon = world.seconds_ahead(4);
    world
        .agent("ana")
        .commands("block", SUBJECT, &["until the parts come", "--until", &soon])
        .done();
    world.decides(SUBJECT, "blocked, ana");
    world.becomes(SUBJECT, "assigned, ana");
}

fn the_customer_writes_on_a_blocked_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").blocks(SUBJECT);
    world.becomes(SUBJECT, "blocked, ana");
    world.customer_answers(SUBJECT, "I found the receipt, here is its number: 4711.");
    world.becomes(SUBJECT, "assigned, ana");
}

fn any_open_thread_can_be_resolved(world: &mut World) {
    for subject in ["A new one", "An owned one", "A blocked one"] {
        world.customer_writes(subject);
        world.opens(subject);
    }
    world.agent("ana").claims("An owned one");
    world.agent("ana").claims("A blocked one");
    world.becomes("A blocked one", "assigned, ana");
    world.becomes("An owned one", "assigned, ana");
    world.agent("ana").blocks("A blocked one");
    world.becomes("A blocked one", "blocked, ana");
    for subject in ["A new one", "An owned one", "A blocked one"] {
        world.agent("ana").resolves(subject);
    }
    for subject in ["An owned one", "A blocked one"] {
        world.becomes(subject, "resolved, ana");
    }
    world.becomes("A new one", "resolved, any");
}

fn the_customer_reopens_a_resolved_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.customer_answers(
        SUBJECT,
        "It broke again this morning. Could you send me a new one, please?",
    );
    world.becomes(SUBJECT, "in-progress, ana");
    world.holds(SUBJECT, 2);
    assert_eq!(world.thread(SUBJECT).events_like("reopen").len(), 1);
}

fn a_bare_thank_you_does_not_reopen(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.customer_answers(SUBJECT, "Thank you!\n\nCarla");
    world.holds(SUBJECT, 2);
    world.becomes(SUBJECT, "resolved, ana");
    world.remains(SUBJECT, "resolved, ana");
}

fn a_released_thread_is_new_and_keeps_its_history(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let before = world.thread(SUBJECT).events.len();
    world.agent("ana").releases(SUBJECT);
    world.becomes(SUBJECT, "new");
    assert!(world.thread(SUBJECT).events.len() > before);
    world.agent("ben").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ben");
}

fn anything_can_be_ignored(world: &mut World) {
    for subject in ["A new one", "An owned one"] {
        world.customer_writes(subject);
        world.opens(subject);
    }
    world.agent("ana").claims("An owned one");
    world.becomes("An owned one", "assigned, ana");
    for subject in ["A new one", "An owned one"] {
        world.agent("ana").ignores(subject);
        world.becomes(subject, "ignored, any");
    }
}

/// With `reopen_days = 0` every further mail comes too late to reopen.
fn later_mail_opens_a_linked_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    world.customer_answers(SUBJECT, "After all this time, it has broken again. Please help me.");
    world.eventually("there are two threads", |world| world.threads_about(SUBJECT).len() == 2);
    let threads = world.threads_about(SUBJECT);
    assert_eq!((threads[0].state.as_str(), threads[1].state.as_str()), ("resolved", "new"));
}

#[test]
fn with_keywords_mail_after_the_reopening_time_opens_a_linked_thread() {
    Setup::keywords().with("reopen_days = 0").tell(later_mail_opens_a_linked_thread);
}

#[test]
fn with_folders_mail_after_the_reopening_time_opens_a_linked_thread() {
    Setup::folders().with("reopen_days = 0").tell(later_mail_opens_a_linked_thread);
}

#[test]
fn at_exchange_mail_after_the_reopening_time_opens_a_linked_thread() {
    Setup::exchange().with("reopen_days = 0").tell(later_mail_opens_a_linked_thread);
}
