//! What becomes of a mail that was handed in.

use super::door::{outbox, ports, reply, tell};
use crate::world::{Setup, World};

const OPEN: &str = "login_without_tls = true";

fn setup() -> Setup {
    Setup::keywords().with("sending = { hold_seconds = 3600, name = \"{agent.name} at Example\" }")
}

fn opened(world: &mut World) -> String {
    let id = world.customer_writes("Broken kettle");
    world.eventually("the thread is there", |world| !world.baton.threads().is_empty());
    id
}

#[test]
fn an_answer_is_kept_under_the_shared_address_and_claims_the_thread() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        let said = door.hands_in(&reply(&parent, "We send you another one."));
        assert!(said.starts_with("250 2.0.0 #1: kept as 1, leaves in 3600 seconds."), "{said}");
        let sending = &outbox(world)[0];
        assert_eq!(sending["state"], "held");
        assert_eq!(sending["thread"], 1);
        assert_eq!(sending["answered"], parent.as_str());
        let text = world.baton.says(&["outbox", "show", "1"]).done();
        assert!(text.contains("From: Ana Ruiz at Example <support@example.test>"), "{text}");
        assert!(text.contains(&format!("In-Reply-To: <{parent}>")), "{text}");
        for gone in ["User-Agent", "boss@example.test", "own.", "ana@example.test"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        let thread = world.baton.show(1).unwrap();
        assert_eq!(thread.owner.as_deref(), Some("ana"));
        assert_eq!(thread.events_like("answer-kept").len(), 1);

        // Handed in again, it is the same one: the client may not have heard us.
        let again = door.hands_in(&reply(&parent, "We send you another one."));
        assert!(again.starts_with("250") && again.contains("kept as 1"), "{again}");
        assert_eq!(outbox(world).len(), 1);

        let dropped = world.baton.says(&["outbox", "drop", "1"]).done();
        assert!(dropped.contains("never leaves"), "{dropped}");
        world.baton.says(&["outbox", "release", "1"]).refused();
        assert_eq!(outbox(world)[0]["state"], "dropped");
    });
}

#[test]
fn what_was_answered_with_250_survives_a_crash() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        assert!(door.hands_in(&reply(&parent, "One.")).starts_with("250"));
        world.baton.kill();
        assert_eq!(outbox(world)[0]["state"], "held");
        world.start();
        let said = world.baton.says(&["outbox", "release", "1"]).done();
        assert!(said.contains("leaves as soon as it can"), "{said}");
        world.eventually("it has left", |world| outbox(world)[0]["state"] == "accepted");
        assert_eq!(world.provider_smtp().sent().len(), 1);
        assert_eq!(ports(world).len(), 2);
    });
}

#[test]
fn an_answer_to_somebody_elses_thread_is_held_or_refused() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        world.baton.says(&["claim", "1", "--as", "ben"]).done();
        let said = door.hands_in(&reply(&parent, "Mine."));
        assert!(said.starts_with("250 2.0.0 Not sent, but kept as 1: #1 is Ben's since"), "{said}");
        assert_eq!(outbox(world)[0]["state"], "held");
        assert_eq!(outbox(world)[0]["due_at"], serde_json::Value::Null);

        let refusing = std::fs::read_to_string(door.dir.join("baton.toml")).unwrap();
        let refusing =
            refusing.replace("hold_seconds = 3600", "hold_seconds = 3600, enforce = \"refuse\"");
        world.baton.configure(&refusing);
        world.baton.reload();
        world.eventually("the answer is refused", |_| {
            let said = door.hands_in(&reply(&parent, "Mine, and refused."));
            said.starts_with("554 5.7.1 #1 is Ben's since")
        });
        let thread = world.baton.show(1).unwrap();
        assert_eq!(thread.owner.as_deref(), Some("ben"));
        assert!(!thread.events_like("answer-refused").is_empty());

        let said = door.hands_in(&reply(&parent, "#claim\n\nMine from now on."));
        assert!(said.starts_with("250 2.0.0 #1: kept as "), "{said}");
        let id = outbox(world).last().unwrap()["id"].to_string();
        let text = world.baton.says(&["outbox", "show", &id]).done();
        assert!(text.contains("Mine from now on.") && !text.contains("#claim"), "{text}");
        assert_eq!(world.baton.show(1).unwrap().owner.as_deref(), Some("ana"));
    });
}

#[test]
fn an_answer_to_an_old_mail_is_held() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        world.customer_answers("Broken kettle", "And the lid is broken too.");
        world.eventually("the second mail is there", |world| {
            world.baton.show(1).is_some_and(|thread| thread.messages().len() == 2)
        });
        let said = door.hands_in(&reply(&parent, "To the first one."));
        assert!(said.contains("The customer of #1 has written again"), "{said}");
    });
}

#[test]
fn what_answers_nothing_or_begins_with_a_command_waits_for_a_person() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        let said = door.hands_in(&reply("nobody@knows.test", "Hello."));
        assert!(said.contains("It answers no thread that Baton knows."), "{said}");
        let said = door.hands_in(&reply(&parent, "#nosuchverb\nHello."));
        assert!(said.contains("looks like a command"), "{said}");
        assert!(outbox(world).iter().all(|sending| sending["state"] == "held"));
    });
}

#[test]
fn mail_goes_only_where_the_admin_allows_it() {
    let setup = Setup::keywords().with(
        "sending = { hold_seconds = 3600, name = \"{agent.name} at Example\", recipients = [\"partner.test\"] }",
    );
    tell(setup, OPEN, |world, door| {
        let parent = opened(world);
        let said = door.hands_in(&reply(&parent, "To the customer of the thread."));
        assert!(said.starts_with("250 2.0.0 #1: kept as 1"), "{said}");
        let said = door
            .hands_in("From: ana@example.test\nSubject: New\n\nTo somebody whom no thread knows.");
        assert!(
            said.starts_with("554 5.7.1 Mail may not be sent to carla@customer.test"),
            "{said}"
        );
        assert_eq!(outbox(world).len(), 1);
    });
}

#[test]
fn a_thread_that_never_began_is_put_aside() {
    tell(setup(), OPEN, |world, door| {
        opened(world);
        let said = door.hands_in("From: ana@example.test\nSubject: New\n\nHello.");
        assert!(said.starts_with("250 2.0.0 #2: kept as 1"), "{said}");
        world.baton.says(&["outbox", "drop", "1"]).done();
        assert_eq!(world.baton.show(2).unwrap().state, "ignored");
    });
}

#[test]
fn first_lines_are_commands_and_never_leave() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        let told = |text: &str| door.hands_in(&reply(&parent, text));
        let said = told("#claim\n#block parts are late\n\n> #resolve\n> old");
        assert!(
            said.starts_with("250 2.0.0 #1 claimed") && said.ends_with("Nothing was sent."),
            "{said}"
        );
        let shown = world.baton.show(1).unwrap();
        assert_eq!((shown.state.as_str(), shown.owner.as_deref()), ("blocked", Some("ana")));
        assert!(told("#undo").starts_with("250 2.0.0 #1 undone"), "undo");
        assert!(told("#undo").starts_with("250 2.0.0 That was undone already."), "the same mail");
        assert_eq!(world.baton.show(1).unwrap().state, "assigned");
        assert!(told("#assign eve").starts_with("554 5.7.1 There is no agent `eve`"), "eve");
        assert!(told("#start\n#note hello").starts_with("554 5.7.1 Baton keeps no notes yet"));
        assert_eq!(world.baton.show(1).unwrap().state, "assigned");
        assert!(outbox(world).is_empty());
        let said = told("#resolve\n\nIt is done.");
        assert!(said.starts_with("250 2.0.0 #1: kept as 1"), "{said}");
        let text = world.baton.says(&["outbox", "show", "1"]).done();
        assert!(text.contains("It is done.") && !text.contains("#resolve"), "{text}");
        assert!(told("#stop").contains("1 is stopped and never leaves."));
        assert_eq!(outbox(world)[0]["state"], "dropped");
    });
}

#[test]
fn refusals_are_sentences_and_tell_no_stranger_who_exists() {
    tell(setup(), OPEN, |world, door| {
        let as_boss = door.hands_in_as(&door.auth(), "boss@example.test", "x");
        let words = "550 5.7.1 Ana Ruiz may send as support@example.test. Choose it as the sender.";
        assert_eq!(as_boss, words);
        // ana and nobody, both with a wrong password.
        let wrong = |word: &str| door.hands_in_as(&format!("AUTH PLAIN {word}\r\n"), "x@y", "x");
        let (known, unknown) = (wrong("AGFuYQB3cm9uZw=="), wrong("AG5vYm9keQB3cm9uZw=="));
        assert!(known.starts_with("535 5.7.8 The user name or the password is wrong."), "{known}");
        assert_eq!(known, unknown);
        world.baton.says(&["password", "ana", "--revoke", "mail"]).done();
        assert!(door.hands_in("x").starts_with("535 5.7.8"));
        world.baton.says(&["password", "ana", "--revoke", "mail"]).refused();
    });
}

#[test]
fn passwords_have_names_and_tell_when_they_were_used() {
    tell(setup(), OPEN, |world, door| {
        let parent = opened(world);
        world.baton.says(&["password", "ana", "--app", "phone"]).done();
        door.hands_in(&reply(&parent, "x"));
        let listed: Vec<serde_json::Value> = world.baton.json(&["password", "--list"]).unwrap();
        let names: Vec<&str> = listed.iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["mail", "phone"]);
        assert!(listed[0]["last_used_at"].is_string() && listed[1]["last_used_at"].is_null());
        assert!(!listed.iter().any(|one| one.to_string().contains(&door.password)));
    });
}
