//! What was written for the team stays inside, however it gets into an answer.

use super::door::{outbox, reply, tell};
use crate::world::{Setup, World};

const OPEN: &str = "login_without_tls = true";
const SUBJECT: &str = "Broken kettle";
const NOTE: &str = "He pays late every time, so do not offer him a discount before March.";

fn setup() -> Setup {
    Setup::keywords().with("sending = { hold_seconds = 3600 }")
}

/// The customer has written, and Ben has told the team what he thinks; answers the customer's Message-ID.
fn ben_writes(world: &mut World, body: &str) -> String {
    let parent = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let mut letter = world.answer(SUBJECT, body);
    letter.from = "Ben Okafor <ben@example.test>".into();
    world.arrives(&letter);
    world.holds(SUBJECT, 2);
    parent
}

#[test]
fn what_a_colleague_wrote_inside_is_held_in_new_and_in_quoted_text_and_a_person_may_let_it_go() {
    tell(setup(), OPEN, |world, door| {
        let parent = ben_writes(world, NOTE);
        let quoted = format!("Not possible.\n\nOn Monday Ben wrote:\n> {NOTE}");
        for (kept, text) in [format!("Dear Carla, {NOTE}"), quoted].iter().enumerate() {
            let said = door.hands_in(&reply(&parent, text));
            assert!(said.starts_with("250 2.0.0 Not sent, but kept as"), "{said}");
            assert!(said.contains("It holds words that were written for the team only"), "{said}");
            assert!(said.contains("He pays late every time, so do not"), "{said}");
            assert_eq!(outbox(world)[kept]["state"], "held");
        }
        let said = world.baton.says(&["outbox", "release", "1"]).done();
        assert!(said.contains("leaves as soon as it can"), "{said}");
        let said = door.hands_in(&reply(&parent, "We cannot do that before March."));
        assert!(said.starts_with("250 2.0.0 #1: kept as"), "{said}");
    });
}

#[test]
fn the_customers_own_words_are_no_leak_though_a_colleague_repeats_them() {
    tell(setup(), OPEN, |world, door| {
        let words = "Good morning, there is a problem, and I need your help with it.";
        let parent = ben_writes(world, &format!("Can you look at this please? {words}"));
        let said = door.hands_in(&reply(&parent, &format!("Hello.\n\n> {words}\n\nWhich one?")));
        assert!(said.starts_with("250 2.0.0 #1: kept as 1"), "{said}");
    });
}

#[test]
fn a_key_that_got_lost_is_told_of() {
    tell(setup(), OPEN, |world, _| {
        ben_writes(world, NOTE);
        world.stop();
        assert!(!world.baton.log().contains("mail.key was not"));
        std::fs::remove_file(world.state_dir().join("mail.key")).unwrap();
        world.start();
        assert!(world.baton.log().contains("mail.key was not in the state directory"));
    });
}

#[test]
fn where_no_text_is_kept_the_guard_still_knows_and_repeats_nothing() {
    tell(setup().with("keep_text = \"none\""), OPEN, |world, door| {
        let parent = ben_writes(world, NOTE);
        let said = door.hands_in(&reply(&parent, NOTE));
        assert!(
            said.contains("kept as 1: It holds words that were written for the team only. Send"),
            "{said}"
        );
    });
}
