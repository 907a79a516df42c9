//! Mail that comes back: the thread returns to its owner with the cause, and machines are silent towards the address.

use super::{comes, gets, id_of, sent_to, setup};
use crate::world::Setup;

const ANA: &str = "ana@example.test";
const SUBJECT: &str = "Broken kettle";

/// A report that a mail did not reach this address.
pub(crate) fn report(nth: usize, about: &str, to: &str, status: &str) -> String {
    let lines = [
        "Return-Path: <>",
        "From: Mail Delivery System <MAILER-DAEMON@mx.test>",
        "To: support@example.test",
        "Subject: Undelivered Mail Returned to Sender",
        &format!("Message-ID: <report.{nth}@mx.test>"),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"",
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "Your mail could not be delivered.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.test",
        "",
        &format!("Final-Recipient: rfc822; {to}"),
        "Action: failed",
        &format!("Status: {status}"),
        "Diagnostic-Code: smtp; 550 no",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        &format!("Message-ID: <{about}>"),
        "--b--",
        "",
    ];
    lines.join("\r\n")
}

#[test]
fn an_answer_that_came_back_returns_its_thread_to_its_owner_who_is_told_once() {
    Setup::keywords().tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        world.agent("ana").claims(SUBJECT);
        world.becomes(SUBJECT, "assigned, ana");
        let answer = world.agent("ana").replies(SUBJECT);
        world.becomes(SUBJECT, "waiting, ana");
        comes(world, report(1, &answer, "carla@customer.test", "5.1.1").as_bytes());
        world.becomes(SUBJECT, "in-progress, ana");
        let words = "The answer did not reach carla@customer.test: there is no such address any more (5.1.1)";
        let notice = gets(world, ANA, 1).text();
        assert!(notice.contains(words), "{notice}");
        let thread = world.thread(SUBJECT);
        let events = thread.events_like("came-back");
        assert_eq!(events.len(), 1);
        let why = world.baton.says(&["why", &thread.id.to_string()]).done();
        let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(why.contains(words), "{why}");

        // The report on the notice is a report on a mail of a machine: nothing follows from it.
        comes(world, report(2, &id_of(&notice), ANA, "5.1.1").as_bytes());
        world.holds(SUBJECT, 4);
        world.becomes(SUBJECT, "in-progress, ana");
        // And towards Ana's address, which does not exist as it seems, machines are silent.
        let again = world.agent("ana").replies(SUBJECT);
        world.becomes(SUBJECT, "waiting, ana");
        comes(world, report(3, &again, "carla@customer.test", "5.2.2").as_bytes());
        world.becomes(SUBJECT, "in-progress, ana");
        assert_eq!(sent_to(world, ANA).len(), 1);

        let seq = world.thread(SUBJECT).events_like("came-back")[2].seq.to_string();
        world.baton.says(&["undo", &seq, "--as", "ana"]).done();
        world.becomes(SUBJECT, "waiting, ana");
    });
}

#[test]
fn a_report_on_what_is_not_ours_changes_nothing() {
    Setup::keywords().tell(|world| {
        let parent = world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        world.agent("ana").replies(SUBJECT);
        world.becomes(SUBJECT, "waiting, ana");
        // Whoever knows the customer's id can write a report on it.
        comes(world, report(1, &parent, "carla@customer.test", "5.1.1").as_bytes());
        world.holds(SUBJECT, 3);
        assert!(world.thread(SUBJECT).events_like("came-back").is_empty());
        world.becomes(SUBJECT, "waiting, ana");
    });
}

#[test]
fn an_acknowledgement_that_came_back_silences_machines_and_its_report_gets_none() {
    setup().tell(|world| {
        let carla = "carla@customer.test";
        world.customer_writes(SUBJECT);
        let told = gets(world, carla, 1).text();
        comes(world, report(1, &id_of(&told), carla, "5.1.1").as_bytes());
        world.holds(SUBJECT, 2);
        let thread = world.thread(SUBJECT);
        assert_eq!((thread.state.as_str(), thread.events_like("came-back").len()), ("new", 1));
        // A report on that report, and on one that nobody knows.
        comes(world, report(2, "report.1@mx.test", "mailer-daemon@mx.test", "5.1.1").as_bytes());
        comes(world, report(3, "nobody@knows.test", "mailer-daemon@mx.test", "5.1.1").as_bytes());
        world.eventually("all reports are read", |world| {
            let threads = world.baton.threads();
            let shown = threads.iter().filter_map(|one| world.baton.show(one.id));
            shown.map(|one| one.messages().len()).sum::<usize>() == 4
        });
        assert_eq!(world.provider_smtp().sent().len(), 1);
    });
}
