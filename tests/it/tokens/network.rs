//! What can be wrong between a client and a twin.

use std::thread;
use std::time::Duration;

use crate::world::tokens::browser::{post, send};
use crate::world::tokens::http::Answer;
use crate::world::tokens::{Google, Trouble};

#[test]
fn troubles_come_once_or_stay() {
    let google = Google::start();
    let ask = || post(&google.token_url(), &[]).map(|reply| reply.status);
    google.server.trouble_once(Trouble::status(429, Some(7)));
    google.server.trouble_once(Trouble::Cut);
    google.server.trouble_once(Trouble::Slow(Duration::from_millis(1)));
    let reply = post(&google.token_url(), &[]).unwrap();
    assert_eq!((reply.status, reply.header("retry-after")), (429, Some("7")));
    assert_eq!(ask(), None);
    assert_eq!(ask(), Some(400));
    google.server.set_trouble(Trouble::Down);
    assert_eq!((ask(), ask()), (None, None));
    google.server.set_trouble(Trouble::Says(Answer::page(503, "later")));
    assert_eq!(ask(), Some(503));
    google.server.set_trouble(Trouble::None);
    assert_eq!(ask(), Some(400));
    assert_eq!(google.server.requests().len(), 7);
}

#[test]
fn what_hangs_is_answered_when_the_trouble_is_over() {
    let google = Google::start();
    google.server.set_trouble(Trouble::Hangs);
    let url = google.token_url();
    let asking = thread::spawn(move || post(&url, &[]).map(|reply| reply.status));
    let asked = || (!google.server.requests().is_empty()).then_some(());
    crate::world::poll(crate::world::PATIENCE, asked).unwrap();
    assert!(!asking.is_finished());
    google.server.set_trouble(Trouble::None);
    assert_eq!(asking.join().unwrap(), Some(400));
}

#[test]
fn nobody_knows_a_token_that_was_not_given_out() {
    let google = Google::start();
    let headers = [("Authorization", "Bearer ya29.made-up")];
    let reply = send("GET", &google.introspection_url(), &headers, "").unwrap();
    assert_eq!(reply.json(), serde_json::json!({ "active": false }));
}
