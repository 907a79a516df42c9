//! An answer that was handed in comes back sooner than its copy is seen in Sent.

use super::door::{notices, outbox, reply, tell};
use crate::hygiene::returned::report;
use crate::world::{Host, Setup};

const SUBJECT: &str = "Broken kettle";

#[test]
fn a_report_that_is_faster_than_the_copy_in_sent_still_returns_the_thread() {
    let setup = Setup::exchange()
        .with("sending = { hold_seconds = 0, copy_seconds = 60, confirm_seconds = 1 }");
    tell(setup, "login_without_tls = true", |world, door| {
        let Host::Exchange(tenant) = &world.host else { panic!("not at Exchange") };
        tenant.set_smtp(|knobs| knobs.copy_seconds = 3);
        let parent = world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        assert!(door.hands_in(&reply(&parent, "We send you another one.")).starts_with("250"));
        world.eventually("it has left", |world| outbox(world)[0]["state"] == "accepted");
        let id = outbox(world)[0]["message_id"].as_str().unwrap().to_owned();
        let report = report(1, &id, "carla@customer.test", "5.1.1");
        world.eyes().append("INBOX", "", None, report.as_bytes());
        world.eventually("the copy is seen", |world| {
            world.baton.show(1).is_some_and(|thread| !thread.events_like("replied").is_empty())
        });
        world.becomes(SUBJECT, "in-progress, ana");
        assert_eq!(notices(world).len(), 1);
    });
}

#[test]
fn nobody_is_told_more_by_a_machine_than_the_admin_allows() {
    let setup = Setup::keywords().with("sending = { automatic_per_hour = 2 }");
    tell(setup, "login_without_tls = true", |world, door| {
        for nth in 1..=4 {
            let said = door.hands_in(&reply("nobody@knows.test", &"Hello. ".repeat(nth)));
            assert!(said.contains("It answers no thread"), "{said}");
        }
        assert_eq!((outbox(world).len(), notices(world).len()), (4, 2));
    });
}
