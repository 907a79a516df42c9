//! Cards: what an agent gets when a thread becomes theirs, and what leaves when the card is answered.

use baton::mail::message::Message;
use baton::mail::parse::parse;

use super::door::{notices, sendings};
use crate::world::exchange::smtp::MessageIds;
use crate::world::{Crashes, Host, Moment, Setup, World};

const SUBJECT: &str = "Broken kettle";
const SENDING: &str = "hold_seconds = 0, copy_seconds = 1, confirm_seconds = 1, cards = true";
/// What the receiving server found out, as it stands on top of the mail.
const PROVEN: &str =
    "Authentication-Results: mx.example.test; dmarc=pass (p=none) header.from=example.test\r\n";

fn setup() -> Setup {
    with(", card_authserv_id = \"mx.example.test\"")
}

fn with(more: &str) -> Setup {
    Setup::keywords().with(&format!("sending = {{ {SENDING}{more} }}"))
}

/// Everything that has left, with its recipients.
fn left(world: &World) -> Vec<(Vec<String>, String)> {
    match &world.host {
        Host::Exchange(tenant) => {
            tenant.sent().into_iter().map(|sent| (sent.to, sent.message)).collect()
        }
        _ => {
            let sent = world.provider_smtp().sent();
            sent.into_iter().map(|sent| (sent.to.clone(), sent.text())).collect()
        }
    }
}

/// The cards that this agent has got.
fn cards(world: &World, agent: &str) -> Vec<String> {
    let address = format!("{agent}@example.test");
    let is_card = |mail: &(Vec<String>, String)| {
        mail.0 == [address.as_str()] && mail.1.contains("X-Baton-Letter: card")
    };
    left(world).into_iter().filter(is_card).map(|mail| mail.1).collect()
}

/// What has left to customers.
fn to_customers(world: &World) -> Vec<(Vec<String>, String)> {
    let mut all = left(world);
    all.retain(|(to, _)| to.iter().all(|to| !to.ends_with("@example.test")));
    all
}

/// The customer writes, Ana takes the thread, and gets this card.
fn given(world: &mut World) -> Message {
    world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    world.agent("ana").claims(SUBJECT);
    nth_card(world, 1)
}

fn nth_card(world: &mut World, nth: usize) -> Message {
    world.eventually("Ana gets a card", |world| cards(world, "ana").len() == nth);
    parse(cards(world, "ana").pop().unwrap().as_bytes())
}

/// An answer to the card, as a mail program writes it, comes into the shared mailbox.
fn answers(world: &mut World, card: &Message, from: &str, headers: &str, text: &str) -> String {
    let quoted: String = card.text.lines().map(|line| format!("> {line}\n")).collect();
    let body =
        format!("{text}\n\nOn Mon, 24 Nov 2026 at 09:00, {} wrote:\n{quoted}", card.from[0].name);
    let mut letter = world.letter(&format!("Re: {}", card.subject), &body);
    letter.from = from.to_owned();
    letter.headers = headers.to_owned();
    letter.references = card.references.clone();
    letter.references.push(card.message_id.clone());
    world.arrives(&letter)
}

const ANA: &str = "Ana Ruiz <ana@example.test>";
const TEXT: &str = "We send you another one.\n\nBest,\nAna\n-- \nAna Ruiz, Example Ltd";

/// It left once, to the customer, as the agent wrote it, and the thread waits.
#[track_caller]
fn has_left_once(world: &mut World) {
    world.eventually("the answer has left", |world| !to_customers(world).is_empty());
    world.becomes(SUBJECT, "waiting, ana");
    let sent = to_customers(world);
    assert_eq!(sent.len(), 1, "{sent:?}");
    let (to, text) = &sent[0];
    assert_eq!(to, &["carla@customer.test"]);
    let (header, body) = text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.trim_end(), TEXT.replace('\n', "\r\n"), "{text}");
    for line in [
        "From: Ana Ruiz <support@example.test>",
        "To: Carla Customer <carla@customer.test>",
        "Subject: Re: Broken kettle",
        "In-Reply-To: <m1.support@customer.test>",
        "References: <m1.support@customer.test>",
    ] {
        assert!(header.lines().any(|one| one == line), "{line}\n{header}");
    }
    assert!(!text.contains("X-Baton") && !text.contains("ana@example.test"), "{text}");
    assert_eq!(world.baton.threads().len(), 1);
    let id = world.thread(SUBJECT).id;
    let shown = world.baton.show(id).unwrap();
    let replies = shown.events_like("replied");
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].actor, "ana");
    assert_eq!(shown.events_like("internal-wrote").len(), 1);
}

#[test]
fn answering_a_card_answers_the_customer() {
    setup().tell(|world| {
        let card = given(world);
        assert_eq!(card.subject, "#1 Broken kettle");
        assert_eq!(card.from[0].name, "Carla Customer via support");
        assert_eq!(card.from[0].address, "support@example.test");
        for words in [
            "#1 is yours",
            "Good morning, there is a problem",
            "Carla Customer <carla@customer.test>",
        ] {
            assert!(card.text.contains(words), "{words}\n{}", card.text);
        }
        let id = answers(world, &card, ANA, PROVEN, TEXT);
        has_left_once(world);

        // It is delivered once more, and the folder is numbered anew: it is the same answer.
        world.eyes().copies(&id, "INBOX");
        let address = world.mailbox().address.clone();
        world.host.loses_uids(&address, "INBOX");
        world.stays("one answer", |world| to_customers(world).len() == 1);

        world.customer_answers(SUBJECT, "And the lid?");
        let card = nth_card(world, 2);
        assert!(card.text.contains("Carla Customer has written again in #1"), "{}", card.text);
        assert!(card.text.contains("And the lid?") && !card.text.contains("Good morning"));
        assert!(notices(world).is_empty());
    });
}

#[test]
fn who_is_not_proven_answers_nobody_and_is_told_once() {
    setup().tell(|world| {
        let card = given(world);
        let forged =
            "Authentication-Results: mx.example.test; dmarc=fail header.from=example.test\r\n";
        let cases = [
            (ANA, String::new(), "has not written down whether it is genuine"),
            (ANA, format!("{forged}{PROVEN}"), "does not vouch for its sender"),
            (ANA, PROVEN.replace("mx.", "mx.evil."), "has not written down whether it is genuine"),
            ("Ben Okafor <ben@example.test>", PROVEN.to_owned(), "was sent to somebody else"),
        ];
        for (nth, (from, headers, why)) in cases.into_iter().enumerate() {
            answers(world, &card, from, &headers, TEXT);
            world.eventually(why, |world| {
                let told = notices(world);
                told.len() == nth + 1
                    && left(world).iter().any(|(_, text)| parse(text.as_bytes()).text.contains(why))
            });
        }
        assert!(
            to_customers(world).is_empty()
                && sendings(world, |route| route == "submission").is_empty()
        );
        let id = world.thread(SUBJECT).id;
        let shown = world.baton.show(id).unwrap();
        assert_eq!(shown.events_like("internal-wrote").len(), 4);
        assert_eq!(shown.events_like("answer-refused").len(), 4);
        assert_eq!(world.baton.threads().len(), 1);
        // Proven, the same words leave.
        answers(world, &card, ANA, PROVEN, TEXT);
        world.eventually("the answer has left", |world| to_customers(world).len() == 1);
    });
}

#[test]
fn an_automatic_answer_to_a_card_goes_nowhere() {
    setup().tell(|world| {
        let card = given(world);
        let headers = format!("Auto-Submitted: auto-replied\r\n{PROVEN}");
        answers(world, &card, ANA, &headers, "I am away until Monday.");
        world.holds(SUBJECT, 2);
        world.stays("nothing leaves", |world| left(world).len() == 1);
        assert_eq!(world.baton.threads().len(), 1);
    });
}

#[test]
fn commands_in_the_first_line_of_an_answer_to_a_card_are_done_and_never_leave() {
    setup().tell(|world| {
        let card = given(world);
        answers(world, &card, ANA, PROVEN, "#snooze 3d");
        world.becomes(SUBJECT, "blocked, ana");
        assert!(to_customers(world).is_empty());
        answers(world, &card, ANA, PROVEN, &format!("#resolve\n\n{TEXT}"));
        world.becomes(SUBJECT, "resolved, ana");
        let sent = to_customers(world);
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(!sent[0].1.contains('#') && sent[0].1.contains("We send you another one."));
        assert_eq!(cards(world, "ana").len(), 1);
        // Forged, a command does nothing.
        answers(world, &card, ANA, "", "#reopen");
        world.eventually("Ana is told", |world| notices(world).len() == 1);
        world.becomes(SUBJECT, "resolved, ana");
    });
}

#[test]
fn an_answer_to_an_older_card_is_held() {
    setup().tell(|world| {
        let card = given(world);
        world.customer_answers(SUBJECT, "And the lid is broken too.");
        nth_card(world, 2);
        answers(world, &card, ANA, PROVEN, TEXT);
        world.eventually("Ana is told", |world| {
            left(world)
                .iter()
                .any(|(_, text)| text.contains("The customer of #1 has written again"))
        });
        assert!(to_customers(world).is_empty());
        let held = sendings(world, |route| route == "card");
        assert!(held.iter().any(|one| one["state"] == "held" && one["agent"] == "ana"), "{held:?}");
    });
}

#[test]
fn where_nobody_vouches_a_person_lets_the_answer_go() {
    with("").tell(|world| {
        let card = given(world);
        answers(world, &card, ANA, PROVEN, TEXT);
        world.eventually("Ana is told", |world| {
            left(world).iter().any(|(_, text)| text.contains("`card_authserv_id` is not set"))
        });
        assert!(to_customers(world).is_empty());
        let card = sendings(world, |route| route == "card").pop().unwrap();
        world.baton.says(&["outbox", "release", &card["id"].to_string()]).done();
        has_left_once(world);
    });
}

#[test]
fn at_exchange_people_of_the_organisation_are_known_and_ids_are_replaced() {
    Setup::exchange()
        .with(&format!(
            "sending = {{ {SENDING}, card_address = \"support+{{token}}@example.test\" }}"
        ))
        .tell(|world| {
            let Host::Exchange(tenant) = &world.host else { panic!("not at Exchange") };
            tenant.set_smtp(|knobs| knobs.message_ids = MessageIds::Replaced);
            let card = given(world);
            assert!(card.reply_to[0].address.starts_with("support+"), "{:?}", card.reply_to);
            let internal = "X-MS-Exchange-Organization-AuthAs: Internal\r\n";
            answers(world, &card, ANA, internal, TEXT);
            has_left_once(world);
        });
}

/// The daemon dies at a commit while an answer to a card is taken and sent.
fn with_a_crash(moment: Moment, at: usize) {
    setup().tell(|world| {
        let card = given(world);
        world.baton.kill();
        world.crashes = Crashes::once(moment, at);
        world.start_unattended();
        answers(world, &card, ANA, PROVEN, TEXT);
        world.eventually("it has left, or a person is asked", |world| {
            let mut sent = sendings(world, |route| route == "card");
            sent.retain(|one| one["agent"] == "ana");
            sent.len() == 1 && (sent[0]["state"] == "accepted" || sent[0]["state"] == "held")
        });
        world.ends_crashes();
        let sent = sendings(world, |route| route == "card").pop().unwrap();
        if sent["state"] == "held" {
            assert!(to_customers(world).is_empty(), "it left, and a person is asked");
            world.baton.says(&["outbox", "release", &sent["id"].to_string()]).done();
        }
        has_left_once(world);
    });
}

#[test]
fn a_crash_at_any_commit_answers_nobody_twice() {
    if !cfg!(debug_assertions) {
        return;
    }
    let (from, to, step) = if crate::faults::is_long() { (1, 40, 1) } else { (8, 20, 4) };
    for at in (from..to).step_by(step) {
        for moment in [Moment::AfterCommit, Moment::BeforeCommit] {
            with_a_crash(moment, at);
        }
    }
}
