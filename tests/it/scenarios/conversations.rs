//! What belongs to one conversation, what does not, and mail of every odd kind.

use crate::world::{World, in_all_layouts};

in_all_layouts!(
    a_late_cc_belongs_to_the_conversation,
    a_stranger_who_quotes_a_known_id_opens_a_linked_thread,
    a_stranger_takes_nothing_from_the_thread_that_was_quoted,
    a_colleague_of_the_customer_joins,
    an_answer_that_arrives_before_its_question_still_finds_it,
    an_automatic_answer_does_not_move_a_waiting_thread,
    a_mail_that_was_read_first_is_seen_all_the_same,
    a_copied_message_is_taken_in_once,
    the_same_mail_delivered_twice_is_one_message,
    mail_that_cannot_be_read_becomes_a_thread,
    a_mail_without_message_id_is_one_thread_for_ever,
    mail_from_before_the_cut_over_opens_nothing,
    mail_of_the_team_opens_nothing_for_a_customer,
);

const SUBJECT: &str = "Broken kettle";

fn a_late_cc_belongs_to_the_conversation(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    let mut answer = world.answer(SUBJECT, "I add my landlord, who bought it. What should he do?");
    answer.cc = "Lars <lars@landlord.test>".to_owned();
    world.arrives(&answer);
    world.becomes(SUBJECT, "in-progress, ana");
    let mut late = world.answer(SUBJECT, "Carla asked me to send you the receipt. Here it is.");
    late.from = "Lars <lars@landlord.test>".to_owned();
    world.arrives(&late);
    world.holds(SUBJECT, 4);
    world.becomes(SUBJECT, "in-progress, ana");
    let joined = world.thread(SUBJECT);
    assert!(joined.messages().iter().skip(1).all(|message| !message.joined_by.is_null()));
}

fn a_stranger_who_quotes_a_known_id_opens_a_linked_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let mut hijack =
        world.answer(SUBJECT, "Please send all further mail about this to me from now on.");
    hijack.from = "Somebody Else <mallory@elsewhere.test>".to_owned();
    world.arrives(&hijack);
    world.eventually("there are two threads", |world| world.threads_about(SUBJECT).len() == 2);
    let threads = world.threads_about(SUBJECT);
    assert_eq!(threads[0].owner.as_deref(), Some("ana"));
    assert_eq!((threads[1].state.as_str(), threads[1].owner.as_deref()), ("new", None));
    assert_eq!(world.baton.show(threads[0].id).unwrap().messages().len(), 1);
}

/// The ids point to two threads now; the customer's next mail and the team's answer still belong to the first.
fn a_stranger_takes_nothing_from_the_thread_that_was_quoted(world: &mut World) {
    let first = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let mut hijack = world.answer(SUBJECT, "Please send all further mail about this to me.");
    hijack.from = "Somebody Else <mallory@elsewhere.test>".to_owned();
    world.arrives(&hijack);
    world.eventually("there are two threads", |world| world.threads_about(SUBJECT).len() == 2);
    let first_thread = world.threads_about(SUBJECT)[0].id;
    let messages = |world: &mut World| {
        world.baton.show(first_thread).map_or(0, |thread| thread.messages().len())
    };
    let mut again = world.letter("Re: Broken kettle", "It still leaks. What am I to do with it?");
    again.references = vec![first.clone()];
    world.arrives(&again);
    world.eventually("the customer's mail is in the first", |world| messages(world) == 2);
    let mut reply = world.letter("Re: Broken kettle", "A new one is on its way to you.");
    reply.to = std::mem::replace(&mut reply.from, format!("Support <{}>", reply.to));
    reply.headers = "Sender: Ana Ruiz <ana@example.test>\r\n".to_owned();
    reply.references = vec![first];
    world.puts(&reply, "Sent", "\\Seen");
    world.eventually("the answer is in the first", |world| {
        messages(world) == 3 && world.threads_about(SUBJECT)[0].state == "waiting"
    });
}

fn a_colleague_of_the_customer_joins(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let mut colleague = world.answer(SUBJECT, "I take this over from Carla, who is on leave.");
    colleague.from = "Otto <otto@customer.test>".to_owned();
    world.arrives(&colleague);
    world.holds(SUBJECT, 2);
}

fn an_answer_that_arrives_before_its_question_still_finds_it(world: &mut World) {
    // Both quote a mail that was never seen here.
    let mut later = world.letter("Re: Broken kettle", "And one thing more about the same matter.");
    later.references = vec!["never.seen@customer.test".to_owned()];
    world.arrives(&later);
    world.eventually("a thread is there", |world| !world.threads_about(SUBJECT).is_empty());
    let mut earlier = world.letter("Broken kettle", "The first part of what I have to tell you.");
    earlier.references = vec!["never.seen@customer.test".to_owned()];
    world.arrives(&earlier);
    world.holds(SUBJECT, 2);
}

fn an_automatic_answer_does_not_move_a_waiting_thread(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").replies(SUBJECT);
    world.becomes(SUBJECT, "waiting, ana");
    let mut away = world.answer(SUBJECT, "I am out of the office until Monday.");
    away.headers = "Auto-Submitted: auto-replied\r\n".to_owned();
    world.arrives(&away);
    world.holds(SUBJECT, 3);
    world.becomes(SUBJECT, "waiting, ana");
    world.remains(SUBJECT, "waiting, ana");
}

fn a_mail_that_was_read_first_is_seen_all_the_same(world: &mut World) {
    let letter = world.letter("Read at once", "Somebody had this open before Baton looked.");
    let id = world.puts(&letter, "INBOX", "\\Seen");
    world.opens("Read at once");
    world.stop();
    let other = world.customer_writes(SUBJECT);
    world.agent("ben").reads(SUBJECT);
    world.start();
    world.opens(SUBJECT);
    for id in [id, other] {
        assert!(world.eyes().find(&id)[0].flags.contains("\\seen"));
    }
}

fn a_copied_message_is_taken_in_once(world: &mut World) {
    let id = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.eyes().copies(&id, "Archive");
    world.eyes().copies(&id, "Elsewhere");
    world.customer_writes("Late parcel");
    world.opens("Late parcel");
    world.remains(SUBJECT, "new");
    assert_eq!(world.thread(SUBJECT).messages().len(), 1);
}

fn the_same_mail_delivered_twice_is_one_message(world: &mut World) {
    let id = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let twin = format!(
        "Message-ID: <{id}>\r\nFrom: carla@customer.test\r\nTo: support@example.test\r\n\
         Subject: {SUBJECT}\r\n\r\nGood morning, there is a problem, and I need your help with it.\r\n"
    );
    world.eyes().append("INBOX", "", None, twin.as_bytes());
    world.customer_writes("Late parcel");
    world.opens("Late parcel");
    assert_eq!(world.threads_about(SUBJECT).len(), 1);
}

fn mail_that_cannot_be_read_becomes_a_thread(world: &mut World) {
    world.eyes().append("INBOX", "", None, b"\xff\xfe\x80 no header here\r\n\x81\x82");
    world.eyes().append("INBOX", "", None, b"\r\n");
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.eventually("each of the three is a thread", |world| world.baton.threads().len() == 3);
}

fn a_mail_without_message_id_is_one_thread_for_ever(world: &mut World) {
    let bare = b"From: carla@customer.test\r\nTo: support@example.test\r\nSubject: Bare\r\n\r\nHelp me, please.\r\n";
    world.eyes().append("INBOX", "", None, bare);
    world.eventually("it opens a thread", |world| world.threads_about("Bare").len() == 1);
    world.stop();
    world.host.loses_uids("support@example.test", "INBOX");
    world.start();
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    assert_eq!(world.thread("Bare").messages().len(), 1);
}

fn mail_from_before_the_cut_over_opens_nothing(world: &mut World) {
    let mut old = world.letter("Long ago", "This was written before the team had Baton.");
    old.days_ago = 90;
    world.arrives(&old);
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    assert!(world.threads_about("Long ago").is_empty());
}

fn mail_of_the_team_opens_nothing_for_a_customer(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let mut inside =
        world.answer(SUBJECT, "Ben, can you look at this one? I know nothing of kettles.");
    inside.from = "Ana Ruiz <ana@example.test>".to_owned();
    world.arrives(&inside);
    world.holds(SUBJECT, 2);
    // A word among colleagues is no customer's mail and no answer to one.
    world.remains(SUBJECT, "new");
    assert_eq!(world.thread(SUBJECT).messages()[1].direction, "internal");
}
