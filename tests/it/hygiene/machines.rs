//! Acknowledgements, and what answers them: robots, vacation programs, forwards, another Baton.

use super::{comes, gets, id_of, sent_to, setup};
use crate::world::{Setup, World};

const CARLA: &str = "carla@customer.test";
const ANA: &str = "ana@example.test";
const SUBJECT: &str = "Broken kettle";

/// Nothing that a machine wrote was taken for an answer, and nobody's turn has changed.
#[track_caller]
fn still_new(world: &mut World) {
    let thread = world.thread(SUBJECT);
    assert_eq!(thread.state, "new");
    assert!(thread.events_like("replied").is_empty());
}

#[test]
fn a_customer_is_told_once_a_day_and_that_is_no_answer() {
    setup().tell(|world| {
        let parent = world.customer_writes(SUBJECT);
        let told = gets(world, CARLA, 1);
        assert_eq!(told.from, "", "the null return path");
        let text = told.text();
        for line in [
            "From: support@example.test",
            "Subject: Auto: Broken kettle",
            "Auto-Submitted: auto-replied",
            "X-Auto-Response-Suppress: All",
            "Precedence: bulk",
            "X-Loop: support@example.test",
            &format!("In-Reply-To: <{parent}>"),
            "This is an automatic answer.",
        ] {
            assert!(text.contains(&format!("{line}\r\n")), "{line}: {text}");
        }
        assert_eq!(world.thread(SUBJECT).events_like("acknowledged").len(), 1);
        still_new(world);
        // She answers it: that belongs to the thread, although no copy of it lies in Sent.
        let mut letter = world.letter("Auto: Broken kettle", "It is the green one.");
        letter.references = vec![id_of(&text)];
        world.arrives(&letter);
        world.holds(SUBJECT, 2);
        world.customer_writes("Another matter");
        world.opens("Another matter");
        let robot = |from: &str, headers: &str| (from.to_owned(), headers.to_owned());
        for (nth, (from, headers)) in [
            robot("Shop <no-reply@shop.test>", ""),
            robot("Dan <dan@shop.test>", "Precedence: bulk\r\n"),
            robot("Dan <dan@shop.test>", "Auto-Submitted: auto-generated\r\n"),
            robot("Dan <dan@shop.test>", "List-Id: <x.shop.test>\r\n"),
            robot("Ben <ben@example.test>", ""),
        ]
        .into_iter()
        .enumerate()
        {
            let subject = format!("Nobody waits for an answer {nth}");
            let mut letter = world.letter(&subject, "Hello.");
            (letter.from, letter.headers) = (from, headers);
            world.arrives(&letter);
            world.opens(&subject);
        }
        assert_eq!(world.provider_smtp().sent().len(), 1);
    });
}

#[test]
fn a_server_that_takes_no_null_return_path_is_asked_once() {
    setup().tell(|world| {
        world.provider_smtp().set(|knobs| {
            knobs.answers.push_back("550 5.7.1 Sender address rejected: not owned by user".into());
        });
        world.customer_writes(SUBJECT);
        assert_eq!(gets(world, CARLA, 1).from, "support@example.test");
        let mut letter = world.letter("Lid", "Where is the lid of my kettle?");
        letter.from = "Dan <dan@customer.test>".into();
        world.arrives(&letter);
        // By now the server would take it; it is not asked again.
        assert_eq!(gets(world, "dan@customer.test", 1).from, "support@example.test");
    });
}

#[test]
fn a_vacation_program_that_answers_everything_comes_to_rest() {
    setup().tell(|world| {
        world.customer_writes(SUBJECT);
        let told = gets(world, CARLA, 1);
        // One that says what it is, and answers.
        let away = "I am on holiday until Monday and shall read your mail then.";
        let mut letter = world.letter("Auto: Broken kettle", away);
        letter.references = vec![id_of(&told.text())];
        letter.headers = "Auto-Submitted: auto-replied (vacation)\r\nReturn-Path: <>\r\n".into();
        world.arrives(&letter);
        world.holds(SUBJECT, 2);
        // One that says nothing, and answers nothing: each is taken for a new mail.
        for nth in 1..=4 {
            let mut letter = world.letter(&format!("Away {nth}"), &format!("{away} ({nth})"));
            letter.headers = "X-Mailer: an old program\r\n".into();
            world.arrives(&letter);
            world.opens(&format!("Away {nth}"));
        }
        let notice = gets(world, ANA, 1).text();
        assert!(notice.contains("has sent the same words several times"), "{notice}");
        assert_eq!(sent_to(world, CARLA).len(), 1);
        still_new(world);
        let silent = world.baton.threads().into_iter().filter_map(|one| world.baton.show(one.id));
        assert_eq!(silent.map(|one| one.events_like("silent").len()).sum::<usize>(), 1);
    });
}

#[test]
fn our_own_mail_that_is_forwarded_back_comes_to_rest() {
    setup().tell(|world| {
        world.customer_writes(SUBJECT);
        let told = gets(world, CARLA, 1).text();
        // As it was; and in the name of who forwards it.
        comes(world, format!("Received: by customer.test\r\n{told}").as_bytes());
        world.holds(SUBJECT, 2);
        let theirs = told
            .replace("From: support@example.test", "From: Carla <carla@customer.test>")
            .replace("Message-ID: <", "Message-ID: <again.");
        comes(world, theirs.as_bytes());
        world.holds(SUBJECT, 3);
        let notice = gets(world, ANA, 1).text();
        assert!(notice.contains("came back from carla@customer.test"), "{notice}");
        assert_eq!(world.provider_smtp().sent().len(), 2);
        still_new(world);
    });
}

#[test]
fn whoever_copies_the_form_of_our_ids_is_heard_as_a_customer() {
    setup().tell(|world| {
        world.customer_writes(SUBJECT);
        let id = id_of(&gets(world, CARLA, 1).text());
        let (unique, rest) = id.split_once('-').unwrap();
        let forged = format!("{unique}-{}{}", "0".repeat(20), rest.get(20..).unwrap());
        assert_ne!(forged, id);
        let mail = format!(
            "Message-ID: <{forged}>\r\nFrom: Dan <dan@customer.test>\r\nTo: support@example.test\r\n\
             Subject: Not yours\r\nX-Baton-Letter: notice\r\n\r\nMy kettle is broken as well.\r\n"
        );
        comes(world, mail.as_bytes());
        world.opens("Not yours");
        // In our own name, which anybody can write.
        let ours = mail.replace("Dan <dan@customer.test>", "support@example.test");
        let ours = ours.replace("Not yours", "Not ours").replace(&forged, &format!("x{forged}"));
        comes(world, ours.replace("notice", &format!("notice\r\nX-Baton-Loop: <{forged}>")).as_bytes());
        world.opens("Not ours");
    });
}

/// What each of two offices has written to the other so far, carried to it; `as` says what the way makes of a mail.
fn carries(from: &World, to: &mut World, carried: &mut usize, way: fn(String) -> String) -> usize {
    let address = to.mailbox().address.clone();
    let sent = sent_to(from, &address);
    let new = &sent[*carried..];
    for one in new {
        let text = way(one.text());
        comes(to, format!("Return-Path: <{}>\r\n{text}", one.from).as_bytes());
    }
    let count = new.len();
    *carried = sent.len();
    count
}

/// Somebody at support writes to billing, and both have a Baton that acknowledges; answers how many mails there were.
fn two_offices(way: fn(String) -> String, story: impl FnOnce(&mut World, &mut World, usize)) {
    setup().tell(|support| {
        setup().of("billing").tell(|billing| {
            let mut letter = billing.letter(SUBJECT, "Who pays for this kettle, you or we?");
            letter.from = "Support <support@example.test>".into();
            billing.arrives(&letter);
            let mut mails = 1;
            billing.opens(SUBJECT);
            let (mut there, mut back) = (0, 0);
            billing.eventually("the mail is acknowledged", |billing| {
                !sent_to(billing, "support@example.test").is_empty()
            });
            loop {
                let before = mails;
                mails += carries(billing, support, &mut back, way);
                rests(support, back);
                mails += carries(support, billing, &mut there, way);
                rests(billing, 1 + there);
                if mails == before {
                    break;
                }
                assert!(mails <= 8, "they go on and on");
            }
            story(support, billing, mails);
        });
    });
}

/// Waits until so many mails have come in and nothing is on its way any more.
#[track_caller]
fn rests(world: &mut World, came: usize) {
    world.eventually("all has been read and sent", |world| {
        let threads = world.baton.threads();
        let all = threads.iter().filter_map(|one| world.baton.show(one.id));
        let read: usize = all.map(|one| one.messages().len()).sum();
        let open: Vec<serde_json::Value> = world.baton.json(&["outbox"]).unwrap();
        came <= read && open.is_empty()
    });
}

#[test]
fn two_batons_at_each_other_come_to_rest_and_a_person_is_told() {
    two_offices(
        |mail| mail,
        |support, billing, mails| {
            assert_eq!(mails, 2, "the mail, and one acknowledgement");
            let notice = gets(support, ANA, 1).text();
            assert!(
                notice.contains("Another Baton writes by itself from billing@example.test"),
                "{notice}"
            );
            assert!(sent_to(billing, ANA).is_empty());
        },
    );
}

#[test]
fn two_batons_rest_although_the_way_takes_every_mark_off_their_mail() {
    two_offices(
        |mail| {
            let marks = ["X-", "Auto-Submitted", "Precedence", "In-Reply-To", "References"];
            let lines =
                mail.lines().filter(|line| !marks.iter().any(|mark| line.starts_with(mark)));
            let mail: String = lines.map(|line| format!("{line}\r\n")).collect();
            mail.replace("Subject: Auto: ", "Subject: About the ")
                .replace("Message-ID: <", "Message-ID: <gw.")
        },
        |_, _, mails| assert!(mails <= 4, "{mails} mails"),
    );
}

#[test]
fn nothing_is_acknowledged_that_was_there_before_or_where_it_is_not_wanted() {
    setup().tell_before_baton(|world| {
        let minute_ago = jiff::Timestamp::now().as_second() - 60;
        let date = jiff::Timestamp::from_second(minute_ago).unwrap();
        let date = date.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
        let mail = "Message-ID: <before@customer.test>\r\nFrom: carla@customer.test\r\n\
                    To: support@example.test\r\nSubject: Broken kettle\r\n\r\nMy kettle is broken.\r\n";
        world.eyes().append("INBOX", "", Some(&date), mail.as_bytes());
        world.start();
        world.opens(SUBJECT);
        assert!(world.provider_smtp().sent().is_empty());
    });
    Setup::keywords().tell(|world| {
        world.customer_writes(SUBJECT);
        world.opens(SUBJECT);
        assert!(
            world.baton.json::<Vec<serde_json::Value>>(&["outbox", "--all"]).unwrap().is_empty()
        );
    });
}
