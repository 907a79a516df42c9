//! Each way of answering, whoever's the thread is, under each choice of the admin's.

use baton::desk::answer::Enforce;
use baton::engine::{SendOutcome, Taken};

use super::room::{Letter, Room};

const ROUTES: [&str; 3] = ["submission", "send-folder", "card"];
const CHOICES: [Enforce; 3] = [Enforce::Hold, Enforce::Refuse, Enforce::Record];

fn accepted() -> SendOutcome {
    SendOutcome::Accepted { words: String::new() }
}

/// A thread in which the customer has written once, and that is Ana's if she `owns` it.
fn room(enforce: Enforce, owned: bool) -> (Room, Letter) {
    let mut room = Room::open(3, enforce, 60);
    let asked = room.customer_writes();
    if owned {
        let taken = room.answers("ana", "submission", &asked, "#claim\r\n#start\r\n\r\n> ");
        assert!(matches!(taken, Taken::Done(_)), "{taken:?}");
    }
    room.later(60);
    (room, asked)
}

/// What becomes of an answer that something speaks against, and that nobody gets two under hold and refuse.
#[track_caller]
fn objected(room: &mut Room, enforce: Enforce, taken: &Taken, words: &str) {
    let (said, state) = match (enforce, taken) {
        (Enforce::Hold, Taken::Held(said)) => (said.clone(), "answer-kept"),
        (Enforce::Refuse, Taken::Refused(said)) => (said.clone(), "answer-refused"),
        (Enforce::Record, Taken::Leaves(_)) => {
            let events = room.events();
            let last = &events.last().unwrap().what;
            (format!("{last:?}"), "answer-kept")
        }
        other => panic!("{other:?}"),
    };
    assert!(said.contains(words), "{said}");
    assert_eq!(room.kinds().last(), Some(&state));
    room.later(61);
    let before = room.delivered.len();
    room.sends(accepted);
    let left = room.delivered.len() - before;
    assert_eq!(left, usize::from(enforce == Enforce::Record));
    room.agrees();
}

fn each(mut story: impl FnMut(Enforce, &'static str)) {
    for enforce in CHOICES {
        for route in ROUTES {
            story(enforce, route);
        }
    }
}

#[test]
fn the_owner_answers() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, true);
        assert!(matches!(room.answers("ana", route, &asked, ""), Taken::Leaves(_)));
        room.later(61);
        room.sends(accepted);
        assert_eq!((room.delivered.len(), room.thread().now.state.name()), (1, "waiting"));
        // A further mail of hers is no second answer.
        assert!(matches!(room.answers("ana", route, &asked, ""), Taken::Leaves(_)));
        room.later(61);
        room.sends(accepted);
        assert!(!room.kinds().contains(&"answered-twice"));
        assert!(room.told().is_empty());
        room.agrees();
    });
}

#[test]
fn a_colleague_answers_the_owners_thread() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, true);
        let taken = room.answers("ben", route, &asked, "");
        let told: Vec<String> = room.told().into_iter().map(|told| told.0).collect();
        let both = ["ana", "ben"].map(str::to_owned).to_vec();
        // Who is refused is told by the answer.
        let expected = if enforce == Enforce::Refuse { both[..1].to_vec() } else { both };
        assert_eq!(told, expected);
        objected(&mut room, enforce, &taken, "#1 is ANA's since");
        assert_eq!(room.thread().now.owner.unwrap().0, "ana");
    });
}

#[test]
fn a_colleague_who_claims_takes_the_thread_over_and_the_owner_is_told_once() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, true);
        let taken = room.answers("ben", route, &asked, "#claim\r\n\r\n");
        assert!(matches!(taken, Taken::Leaves(_)), "{taken:?}");
        assert_eq!(room.thread().now.owner.as_ref().unwrap().0, "ben");
        let told = room.told();
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0.as_str(), told[0].1.starts_with("BEN has taken #1")), ("ana", true));
        room.agrees();
    });
}

#[test]
fn whoever_answers_a_thread_of_nobodys_has_claimed_it_first() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, false);
        assert!(matches!(room.answers("ben", route, &asked, ""), Taken::Leaves(_)));
        assert_eq!(room.kinds(), ["opened", "claimed", "answer-kept"]);
        // So Ana, a moment later, answers Ben's thread.
        let taken = room.answers("ana", route, &asked, "");
        match enforce {
            Enforce::Hold => assert!(matches!(taken, Taken::Held(_))),
            Enforce::Refuse => assert!(matches!(taken, Taken::Refused(_))),
            Enforce::Record => assert!(matches!(taken, Taken::Leaves(_))),
        }
        room.later(61);
        room.sends(accepted);
        let twice = usize::from(enforce == Enforce::Record);
        assert_eq!(room.delivered.len(), 1 + twice);
        let alarms = room.kinds().iter().filter(|kind| **kind == "answered-twice").count();
        assert_eq!(alarms, twice);
        room.agrees();
    });
}

#[test]
fn an_answer_to_an_old_mail_of_the_customers() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, true);
        room.customer_writes();
        let taken = room.answers("ana", route, &asked, "");
        objected(&mut room, enforce, &taken, "has written again");
    });
}

#[test]
fn an_answer_beside_a_colleagues_and_one_on_top_of_it() {
    each(|enforce, route| {
        let (mut room, asked) = room(enforce, false);
        assert!(matches!(room.answers("ben", route, &asked, ""), Taken::Leaves(_)));
        room.later(61);
        room.sends(accepted);
        let bens = room.letters.last().unwrap().clone();
        room.later(10);
        let on_top = room.answers("ana", route, &bens, "#claim\r\n\r\n");
        assert!(matches!(on_top, Taken::Leaves(_)), "{on_top:?}");
        room.later(61);
        room.sends(accepted);
        assert!(!room.kinds().contains(&"answered-twice"));
        let beside = room.answers("cyd", route, &asked, "#claim\r\n\r\n");
        objected(&mut room, enforce, &beside, "has answered #1");
    });
}

#[test]
fn what_is_sent_past_baton_is_recorded_and_seen() {
    each(|enforce, route| {
        for who in [Some("ben"), None] {
            let (mut room, asked) = room(enforce, true);
            room.answers_natively(who, &asked);
            let actor = room.events().last().unwrap().actor.to_string();
            assert_eq!(actor, who.unwrap_or("someone"));
            assert_eq!(room.thread().now.owner.as_ref().unwrap().0, "ana");
            room.later(5);
            let taken = room.answers("ana", route, &asked, "");
            objected(&mut room, enforce, &taken, "has answered #1");
        }
    });
}

#[test]
fn two_answers_past_baton_raise_the_alarm_once() {
    let (mut room, asked) = room(Enforce::Hold, true);
    room.answers_natively(Some("ben"), &asked);
    room.later(5);
    room.answers_natively(Some("ben"), &asked);
    assert!(!room.kinds().contains(&"answered-twice"), "a further mail of the same writer");
    room.later(5);
    let last = room.letters.last().unwrap().clone();
    room.answers_natively(Some("cyd"), &last);
    assert!(!room.kinds().contains(&"answered-twice"), "on top of the first");
    room.later(5);
    room.answers_natively(None, &asked);
    assert_eq!(room.kinds().iter().filter(|kind| **kind == "answered-twice").count(), 1);
    let told: Vec<String> = room.told().into_iter().map(|told| told.0).collect();
    assert_eq!(told, ["ana", "cyd"]);
    room.agrees();
}

#[test]
fn an_answer_that_waits_to_leave_is_stopped_by_one_that_was_sent_past_baton() {
    for route in ROUTES {
        let (mut room, asked) = room(Enforce::Hold, true);
        assert!(matches!(room.answers("ana", route, &asked, ""), Taken::Leaves(_)));
        room.later(5);
        room.answers_natively(Some("ben"), &asked);
        room.later(61);
        room.sends(accepted);
        assert!(room.delivered.is_empty());
        assert_eq!(room.outbox()[0].state.due_at(), None);
        let id = room.outbox()[0].id;
        assert!(room.decides(baton::engine::Errand::Release { sending: id }).done);
        room.sends(accepted);
        assert_eq!(room.delivered.len(), 1);
        room.agrees();
    }
}
