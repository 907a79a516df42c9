//! Once: whatever goes wrong at the provider, at Sent, in the daemon and on the way to the client.
//!
//! A run is one answer. Trouble comes at every step of the conversation with the provider (see [`KINDS`]), the look at Sent
//! fails or is cut short, the copy comes at once, late or never, the daemon is killed in the middle of a step or dies at a
//! commit, and clients leave before they have heard 250 and try again. In the end the provider has taken each answer once, or
//! not at all, and then `baton outbox` says so; nobody's answer is missing.
//!
//! `BATON_LONG=1 cargo test --test it submission::once -- --nocapture` tells 2,000 of them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use super::door::{Door, outbox, ports, tell};
use crate::faults::{Seed, times};
use crate::world::smtpd::{Act, Plain, STEPS, Sent, Step, Trouble, Troubles, When};
use crate::world::{Crashes, Fault, Imap, Moment, PASSWORD, Setup, World, poll, signal};

/// How many answers one world sees.
const PER_WORLD: usize = 50;
/// How many worlds there are at once; they mostly wait.
const AT_ONCE: usize = 4;
/// How often of a hundred times a step has trouble.
const TROUBLED: usize = 12;
/// How long everything may take to come to rest when all is well again.
const REST: Duration = Duration::from_secs(150);

/// What can happen at a step of the conversation.
const KINDS: [&str; 13] = [
    "cut unheard",
    "cut unanswered",
    "cut within the answer",
    "cut behind the answer",
    "421",
    "a no for now",
    "a no for good",
    "nonsense",
    "silent, unheard",
    "silent, done",
    "slow",
    "killed unheard",
    "killed unanswered",
];

/// What can happen within a mail.
const BODY_KINDS: [&str; 4] = ["cut unheard", "silent, unheard", "slow", "killed unheard"];

/// What can happen at the mailbox, where copies are looked for.
fn at_the_mailbox(seed: &mut Seed) -> Fault {
    match seed.below(9) {
        0 => Fault::Refuses("APPEND", "NO [INUSE] Mailbox is locked", 1),
        1 => Fault::Refuses("UID FETCH", "NO [UNAVAILABLE] Try again", 1),
        2 => Fault::Refuses("EXAMINE", "NO [SERVERBUG] Internal error", 1),
        3 => Fault::SilentAt("APPEND"),
        4 => Fault::CutAfter(seed.below(30)),
        5 => Fault::ByeAfter(seed.below(30)),
        6 => Fault::Closed,
        7 => Fault::Slow(Duration::from_millis(20)),
        _ => Fault::None,
    }
}

/// When the provider's copy comes to lie in Sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Copies {
    Never,
    AtOnce,
    Late,
}

/// Ends the daemon, once.
#[derive(Debug)]
struct Kill(Arc<AtomicU32>);

impl Act for Kill {
    fn act(&self) {
        let process = self.0.swap(0, Ordering::SeqCst);
        if process != 0 {
            signal(&process.to_string(), "KILL");
        }
    }
}

/// What happened, by its name.
type Fired = Arc<Mutex<BTreeMap<String, usize>>>;

fn trouble(kind: &str, seed: &mut Seed, process: &Arc<AtomicU32>) -> Trouble {
    let kill = |when| Trouble::Does(when, Arc::new(Kill(Arc::clone(process))));
    match kind {
        "cut unheard" => Trouble::CutUnheard(seed.below(400)),
        "cut unanswered" => Trouble::CutUnanswered,
        "cut within the answer" => Trouble::CutWithinAnswer,
        "cut behind the answer" => Trouble::CutAnswered,
        "421" => Trouble::SaysAndCloses("421 4.3.2 Service shutting down".into()),
        "a no for now" => Trouble::Says("451 4.3.0 Temporary failure".into()),
        "a no for good" => Trouble::Says("554 5.7.1 No".into()),
        "nonsense" => Trouble::Says("what?".into()),
        "silent, unheard" => Trouble::SilentUnheard,
        "silent, done" => Trouble::SilentUnanswered,
        "slow" => Trouble::Slow(Duration::from_millis(seed.below(700) as u64)),
        "killed unheard" => kill(When::Unheard),
        "killed unanswered" => kill([When::Unanswered, When::Answered][seed.below(2)]),
        other => panic!("no such kind: {other}"),
    }
}

/// Every kind at every step, in turn and in any order, as long as it is on.
fn troubles(
    mut seed: Seed,
    on: Arc<AtomicBool>,
    process: Arc<AtomicU32>,
    fired: Fired,
) -> Troubles {
    let mut left: BTreeMap<Step, Vec<&str>> = BTreeMap::new();
    Box::new(move |_, step| {
        if !on.load(Ordering::SeqCst) || !seed.percent(TROUBLED) {
            return Trouble::None;
        }
        let left = left.entry(step).or_default();
        if left.is_empty() {
            let all: &[&str] = if step == Step::Body { &BODY_KINDS } else { &KINDS };
            // A login that is refused for good is tried again after minutes: a person has to change the password.
            let login = |kind: &&str| step != Step::Login || *kind != "a no for good";
            let all: Vec<&str> = all.iter().copied().filter(login).collect();
            *left = seed.some_of(&all, all.len());
        }
        let kind = left.pop().unwrap_or("slow");
        *fired.lock().unwrap().entry(format!("{step:?}: {kind}")).or_default() += 1;
        trouble(kind, &mut seed, &process)
    })
}

/// How one answer fared with its client.
fn hands_in(door: &Door, number: usize, parent: &str, leaves: bool) -> bool {
    let text = format!(
        "From: Ana Ruiz <ana@example.test>\r\nTo: carla@customer.test\r\nSubject: Re: Case {number}\r\n\
         Message-ID: <case{number}@client.test>\r\nIn-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n\r\n\
         This is the answer to case {number}.\r\n{}.\r\n",
        "A line of some length, so that it can be cut.\r\n".repeat(8)
    );
    let Ok(stream) = TcpStream::connect(("127.0.0.1", door.starttls)) else { return false };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
    let Ok(reading) = stream.try_clone() else { return false };
    let (mut reader, mut stream) = (BufReader::new(reading), stream);
    let mut hears = || {
        let mut line = String::new();
        loop {
            line.clear();
            let read = reader.read_line(&mut line).unwrap_or_default();
            if read == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return line.clone();
            }
        }
    };
    let steps = [
        String::new(),
        "EHLO test\r\n".to_owned(),
        door.auth(),
        "MAIL FROM:<support@example.test>\r\n".to_owned(),
        "RCPT TO:<carla@customer.test>\r\n".to_owned(),
        "DATA\r\n".to_owned(),
    ];
    for step in steps {
        let _gone = stream.write_all(step.as_bytes());
        if !hears().starts_with(['2', '3']) {
            return false;
        }
    }
    let _gone = stream.write_all(text.as_bytes());
    // Whoever leaves now has handed it in, and does not know.
    !leaves && hears().starts_with("250")
}

/// The daemon as systemd keeps it: whenever it has died, another is started.
fn keeps_running(world: &mut World, door: &mut Door, seed: &mut Seed, process: &Arc<AtomicU32>) {
    if world.baton.is_running() {
        if let Some(newest) = ports(world).get(1) {
            door.starttls = *newest;
        }
        return;
    }
    process.store(0, Ordering::SeqCst);
    world.baton.kill();
    let side = [Moment::AfterCommit, Moment::BeforeCommit][seed.below(2)];
    let dies = cfg!(debug_assertions) && seed.percent(25);
    world.crashes = if dies { Crashes::once(side, 8 + seed.below(40)) } else { Crashes::default() };
    let begun = |world: &World| world.baton.log().matches("listened to at").count();
    let before = begun(world);
    world.start_unattended();
    // The fuse may blow before anybody is listened to.
    let _ = poll(Duration::from_secs(20), || {
        (before + 2 <= begun(world) || !world.baton.is_running()).then_some(())
    });
    process.store(world.baton.process().unwrap_or_default(), Ordering::SeqCst);
}

/// Puts copies into the Sent folder of the world's Dovecot.
fn files(port: u16, copies: Copies, mut seed: Seed) -> impl FnMut(&Sent) + Send {
    let put = move |message: &[u8]| {
        let mut imap = Imap::login(port, "support@example.test", PASSWORD).expect("a login");
        imap.run_with("APPEND \"Sent\" (\\Seen)", Some(message)).expect("a copy");
    };
    move |sent| match copies {
        Copies::Never => {}
        Copies::AtOnce => put(&sent.message),
        Copies::Late => {
            let (message, lag) = (sent.message.clone(), seed.below(1500) as u64);
            std::thread::spawn(move || {
                std::thread::park_timeout(Duration::from_millis(lag));
                put(&message);
            });
        }
    }
}

/// What the worlds saw.
#[derive(Debug, Default)]
struct Tally {
    answers: usize,
    accepted: usize,
    refused: usize,
    asked: usize,
    asked_and_taken: usize,
    /// In all worlds so far.
    kills: usize,
}

/// How often the provider took the answer to this case.
fn taken(sent: &[Sent], number: usize) -> usize {
    let words = format!("This is the answer to case {number}.");
    sent.iter().filter(|one| one.text().contains(&words)).count()
}

/// Whether nothing will become of it without a person.
fn is_at_rest(one: &Value) -> bool {
    one["due_at"].is_null()
}

#[derive(Clone, Copy)]
struct Form {
    number: u64,
    answers: usize,
    copies: Copies,
}

fn one_world(form: Form, fired: &Fired) -> Tally {
    let mut seed = Seed::of(form.number);
    let setup = Setup::keywords().with("patience_seconds = 2").with(
        "sending = { hold_seconds = 0, copy_seconds = 3, confirm_seconds = 2, answer_seconds = 1, connections = 3 }",
    );
    let mut tally = Tally::default();
    tell(setup, "login_without_tls = true", |world, door| {
        let mut door = door.clone();
        let parents: Vec<String> = (0..form.answers)
            .map(|number| world.customer_writes(&format!("Case {number}")))
            .collect();
        world.eventually("all threads are there", |world| {
            world.baton.threads().len() == form.answers
        });
        let process = Arc::new(AtomicU32::new(world.baton.process().unwrap_or_default()));
        let on = Arc::new(AtomicBool::new(true));
        let port = world.dovecot().port;
        let put = files(port, form.copies, Seed::of(form.number + 1));
        let smtp = world.provider_smtp();
        smtp.serves(Plain { files: Some(Box::new(put)), ..Plain::default() });
        let chosen = troubles(
            Seed::of(form.number + 2),
            Arc::clone(&on),
            Arc::clone(&process),
            Arc::clone(fired),
        );
        smtp.troubles(Some(chosen));
        for (number, parent) in parents.iter().enumerate() {
            if seed.percent(30) {
                let fault = at_the_mailbox(&mut seed);
                world.mailbox().proxy.set_fault(fault);
            }
            let heard = poll(REST, || {
                keeps_running(world, &mut door, &mut seed, &process);
                let leaves = seed.percent(20);
                hands_in(&door, number, parent, leaves).then_some(())
            });
            assert!(heard.is_some(), "case {number} is never taken\n{}", world.picture());
        }
        comes_to_rest(world, &mut door, &mut seed, &process, &on);
        judge(world, form, &mut tally);
    });
    let fired = fired.lock().unwrap();
    tally.kills =
        fired.iter().filter(|(name, _)| name.contains("killed")).map(|(_, count)| count).sum();
    tally
}

/// Trouble ends, and everything that can be done without a person is done.
fn comes_to_rest(
    world: &mut World,
    door: &mut Door,
    seed: &mut Seed,
    process: &Arc<AtomicU32>,
    on: &Arc<AtomicBool>,
) {
    // What is still under way has trouble for a while.
    let _ = poll(Duration::from_secs(4), || {
        keeps_running(world, door, seed, process);
        outbox(world).iter().all(is_at_rest).then_some(())
    });
    on.store(false, Ordering::SeqCst);
    world.provider_smtp().troubles(None);
    world.mailbox().proxy.set_fault(Fault::None);
    let rests = poll(REST, || {
        keeps_running(world, door, seed, process);
        let open = outbox(world).iter().any(|one| !is_at_rest(one));
        (!open && !world.crashes_are_waited_for()).then_some(()).or_else(|| {
            world.ends_crashes();
            None
        })
    });
    assert!(rests.is_some(), "it never rests: {:#?}\n{}", outbox(world), world.picture());
}

/// Each answer was taken once, or not at all and the outbox says so; one copy of it lies in Sent.
fn judge(world: &mut World, form: Form, tally: &mut Tally) {
    let sent = world.provider_smtp().sent();
    let known = outbox(world);
    assert_eq!(known.len(), form.answers, "answers are missing, or there twice: {known:#?}");
    for one in &known {
        let answered = one["thread"].as_i64().expect("an answer to a thread");
        let shown = world.baton.show(answered).expect("a thread");
        let number: usize = shown.subject.trim_start_matches("Case ").parse().unwrap();
        let (taken, state) = (taken(&sent, number), one["state"].as_str().unwrap_or_default());
        assert!(taken <= 1, "case {number} was taken {taken} times: {one:#}");
        match state {
            "accepted" => assert_eq!(taken, 1, "case {number} vanished: {one:#}"),
            "refused" => assert_eq!(taken, 0, "case {number} was refused, and taken: {one:#}"),
            "held" => {
                // Where the provider's copies come at once, what was taken is always found.
                assert!(taken == 0 || form.copies != Copies::AtOnce, "case {number}: {one:#}");
                tally.asked_and_taken += taken;
            }
            other => panic!("case {number} is {other}: {one:#}"),
        }
        tally.answers += 1;
        tally.accepted += usize::from(state == "accepted");
        tally.refused += usize::from(state == "refused");
        tally.asked += usize::from(state == "held");
    }
    let ids: Vec<String> = known
        .iter()
        .filter(|one| one["state"] == "accepted")
        .map(|one| one["message_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    world.eventually("one copy of each lies in Sent", |world| {
        let Ok(places) = world.eyes().look() else { return false };
        ids.iter().all(|id| {
            let places = places.get(id).map_or(&[][..], Vec::as_slice);
            places.iter().filter(|place| place.folder == "Sent").count() == 1
        })
    });
}

#[test]
fn each_answer_leaves_once_or_a_person_is_asked() {
    let mut seed = Seed::printed("once");
    let runs = times(10, 2_000);
    let forms: Vec<Form> = (0..runs.div_ceil(PER_WORLD))
        .map(|world| Form {
            number: seed.next(),
            answers: PER_WORLD.min(runs - world * PER_WORLD),
            copies: [Copies::AtOnce, Copies::Never, Copies::Late][world % 3],
        })
        .collect();
    let fired = Fired::default();
    let left = Mutex::new(forms);
    let total = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(form) = left.lock().unwrap().pop() else { return };
                    let told = one_world(form, &fired);
                    let mut total = total.lock().unwrap();
                    total.answers += told.answers;
                    total.accepted += told.accepted;
                    total.refused += told.refused;
                    total.asked += told.asked;
                    total.asked_and_taken += told.asked_and_taken;
                    total.kills = told.kills;
                    eprintln!("once: {total:?}");
                }
            });
        }
    });
    let fired = fired.lock().unwrap();
    let points = STEPS.len() - 2;
    eprintln!(
        "once: {} of {} points had trouble, {} times",
        fired.len(),
        points * KINDS.len(),
        fired.values().sum::<usize>()
    );
    assert_eq!(total.lock().unwrap().answers, runs);
    assert!(runs < 1_000 || 60 <= fired.len(), "{fired:#?}");
}
