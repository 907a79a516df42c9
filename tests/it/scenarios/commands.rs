//! What people type: every command, with the daemon running and without it.

use crate::world::{Setup, Thread, World, in_all_layouts};

in_all_layouts!(
    every_command_does_what_it_says_and_the_mailbox_shows_it,
    commands_work_while_the_daemon_is_stopped,
    a_claim_of_anothers_thread_is_refused_and_says_whose_it_is,
    claims_that_race_have_one_winner,
    a_message_can_be_split_off,
    threads_can_be_merged_and_that_can_be_undone,
    any_step_can_be_undone,
    threads_are_listed_as_asked,
);

const SUBJECT: &str = "Broken kettle";

fn every_command_does_what_it_says_and_the_mailbox_shows_it(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").commands("claim", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("cleo").commands("assign", SUBJECT, &["ben"]).done();
    world.becomes(SUBJECT, "assigned, ben");
    world.agent("ben").commands("start", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "in-progress, ben");
    world.agent("ben").commands("wait", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "waiting, ben");
    world.agent("ben").commands("block", SUBJECT, &["waiting for parts"]).done();
    world.becomes(SUBJECT, "blocked, ben");
    world.agent("ben").commands("resolve", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "resolved, ben");
    assert!(world.baton.json::<Vec<Thread>>(&["threads"]).unwrap().is_empty());
    world.agent("ben").commands("reopen", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "assigned|in-progress, ben");
    world.agent("ben").commands("release", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "new");
    world.agent("ana").commands("ignore", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "ignored, any");
    world.agent("ana").commands("reopen", SUBJECT, &[]).done();
    world.decides(SUBJECT, "new|assigned|in-progress, any");
    world.agent("ana").commands("escalate", SUBJECT, &["the customer speaks of a lawyer"]).done();
    world.decides(SUBJECT, "new|assigned|in-progress, any, escalated");
    let id = world.thread(SUBJECT).id.to_string();
    let why = world.baton.says(&["why", &id]).done();
    assert!(why.to_lowercase().contains("ana"), "{why}");
    assert!(world.baton.json::<serde_json::Value>(&["why", &id]).is_some());
    assert_eq!(world.baton.says(&["export", "--json"]).code, 0);
}

fn commands_work_while_the_daemon_is_stopped(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.stop();
    world.agent("ana").commands("claim", SUBJECT, &[]).done();
    assert!(world.is(SUBJECT, "assigned, ana"));
    assert_eq!(world.baton.says(&["rebuild"]).code, 0);
    world.start();
    world.becomes(SUBJECT, "assigned, ana");
}

fn a_claim_of_anothers_thread_is_refused_and_says_whose_it_is(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let words = world.agent("ben").commands("claim", SUBJECT, &[]).refused();
    assert!(words.contains("Ana") || words.contains("ana"), "{words}");
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ben").types(&["claim", "999999"]).refused();
    let unknown = world.agent("ben").commands("assign", SUBJECT, &["zoe"]);
    assert_ne!(unknown.code, 0, "assigned to nobody");
}

fn claims_that_race_have_one_winner(world: &mut World) {
    world.customer_writes(SUBJECT);
    let id = world.opens(SUBJECT).to_string();
    let baton = &world.baton;
    let codes: Vec<(&str, i32)> = std::thread::scope(|scope| {
        let claims: Vec<_> = ["ana", "ben", "cleo"]
            .map(|agent| {
                scope.spawn({
                    let id = &id;
                    move || (agent, baton.says(&["claim", id, "--as", agent]).code)
                })
            })
            .into();
        claims.into_iter().map(|claim| claim.join().unwrap()).collect()
    });
    let winners: Vec<&str> =
        codes.iter().filter(|(_, code)| *code == 0).map(|(agent, _)| *agent).collect();
    assert_eq!(winners.len(), 1, "{codes:?}");
    assert!(codes.iter().all(|(_, code)| [0, 1].contains(code)), "{codes:?}");
    world.becomes(SUBJECT, &format!("assigned, {}", winners[0]));
}

fn a_message_can_be_split_off(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    let second =
        world.customer_answers(SUBJECT, "By the way, where do I find my invoice of last month?");
    world.holds(SUBJECT, 2);
    world.agent("ana").types(&["split", &second]).done();
    world.eventually("there are two threads of one message", |world| {
        let threads = world.threads_about(SUBJECT);
        threads.len() == 2
            && threads
                .iter()
                .all(|thread| world.baton.show(thread.id).unwrap().messages().len() == 1)
    });
    world.settle();
    // A later answer to the split message follows it.
    world.customer_answers(SUBJECT, "I mean the invoice number 17 of October.");
    world.eventually("the answer joins the split thread", |world| {
        let split = world.threads_about(SUBJECT).pop().unwrap();
        world.baton.show(split.id).unwrap().messages().len() == 2
    });
}

fn threads_can_be_merged_and_that_can_be_undone(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.customer_writes("Kettle again");
    let into = world.opens(SUBJECT);
    let from = world.opens("Kettle again");
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").types(&["merge", &into.to_string(), &from.to_string()]).done();
    let size = |world: &World, id| world.baton.show(id).map_or(0, |thread| thread.messages().len());
    world.eventually("the first thread holds both messages", |world| size(world, into) == 2);
    world.becomes(SUBJECT, "assigned, ana");
    world.settle();
    world.customer_answers(
        "Kettle again",
        "Did you get my second mail about it, with the pictures?",
    );
    world.eventually("an answer to either joins it", |world| size(world, into) == 3);
    let merged = world.baton.show(into).unwrap();
    let event = merged.events_like("merge").last().expect("an event says so").seq.to_string();
    world.agent("ana").types(&["undo", &event]).done();
    world.eventually("they are two again", |world| size(world, from) >= 1 && size(world, into) < 3);
}

fn any_step_can_be_undone(world: &mut World) {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").resolves(SUBJECT);
    world.becomes(SUBJECT, "resolved, ana");
    let undo_last = |world: &mut World, word: &str| {
        let thread = world.thread(SUBJECT);
        let event = thread.events_like(word).last().expect("an event of this kind").seq.to_string();
        world.agent("ben").types(&["undo", &event]).done();
    };
    undo_last(world, "resolve");
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").commands("block", SUBJECT, &["waiting for parts"]).done();
    world.becomes(SUBJECT, "blocked, ana");
    undo_last(world, "block");
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").commands("ignore", SUBJECT, &[]).done();
    world.becomes(SUBJECT, "ignored, any");
    undo_last(world, "ignore");
    world.becomes(SUBJECT, "assigned, ana");
    world.agent("ana").types(&["undo", "999999"]).refused();
}

fn threads_are_listed_as_asked(world: &mut World) {
    for subject in [SUBJECT, "Late parcel", "Wrong colour"] {
        world.customer_writes(subject);
        world.opens(subject);
    }
    world.agent("ana").commands("claim", SUBJECT, &[]).done();
    world.agent("ben").commands("claim", "Late parcel", &[]).done();
    world.agent("ben").commands("resolve", "Late parcel", &[]).done();
    let listed = |filter: &[&str]| {
        let threads: Vec<Thread> = world.baton.json(&[&["threads"], filter].concat()).unwrap();
        let mut subjects: Vec<String> = threads.into_iter().map(|thread| thread.subject).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(listed(&[]), [SUBJECT, "Wrong colour"]);
    assert_eq!(listed(&["--owner", "ana"]), [SUBJECT]);
    assert_eq!(listed(&["--state", "new"]), ["Wrong colour"]);
    assert_eq!(listed(&["--state", "resolved"]), ["Late parcel"]);
    assert_eq!(listed(&["--state", "all"]), [SUBJECT, "Late parcel", "Wrong colour"]);
    assert_eq!(listed(&["--mailbox", "support"]).len(), 2);
    let table = world.baton.says(&["threads"]).done();
    assert!(table.contains(SUBJECT), "{table}");
    assert!(
        table.lines().all(|line| line.chars().count() <= 100),
        "wider than 100 columns:\n{table}"
    );
    assert!(!table.contains('\u{1b}'), "colours, and this is no terminal");
}

#[test]
fn a_good_reload_is_taken_and_a_bad_one_is_not() {
    Setup::keywords().tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        let good = world.configuration();
        let connections = world.mailbox().proxy.connections();
        world.baton.configure(&good.replace("poll_seconds", "pole_seconds"));
        world.baton.reload();
        world.stays("the daemon runs on", |world| world.baton.is_running());
        let dora =
            "[[agent]]\nid = \"dora\"\nname = \"Dora Lind\"\naddress = \"dora@example.test\"\n";
        world.baton.configure(&format!("{good}{dora}"));
        world.baton.reload();
        world.agent("ana").tags(SUBJECT, "baton-dora");
        world.becomes(SUBJECT, "assigned, dora");
        assert_eq!(world.mailbox().proxy.connections(), connections, "a connection was dropped");
    });
}

#[test]
fn usage_and_configuration_errors_have_their_own_exit_code() {
    Setup::keywords().tell(|world| {
        assert_eq!(world.baton.says(&["no-such-command"]).code, 2);
        assert_eq!(world.baton.says(&["claim"]).code, 2);
        assert_eq!(world.baton.says(&["check"]).code, 0);
        assert_eq!(world.baton.says(&["check", "--online"]).code, 0);
        let good = world.configuration();
        world.baton.configure("nonsense = 1\n");
        assert_eq!(world.baton.says(&["check"]).code, 2);
        assert_eq!(world.baton.says(&["threads"]).code, 2);
        world.baton.configure(&good);
    });
}
