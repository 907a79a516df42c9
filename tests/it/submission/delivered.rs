//! What lies in the customer's mailbox: byte for byte what was written, under the shared address; and one copy in Sent.
//!
//! Told with a real Postfix, and at Gmail and Exchange, whose servers do what theirs do: rewrite, rename, file late, refuse.

use std::time::Duration;

use super::door::{Door, notices, outbox, tell};
use crate::world::exchange::smtp::Disabled;
use crate::world::{Host, Setup, World};

const OPEN: &str = "login_without_tls = true";
const SENDING: &str = "sending = { hold_seconds = 0, copy_seconds = 2, confirm_seconds = 1 }";

/// An answer: what stands in its header besides the usual, and its body.
struct Answer {
    subject: &'static str,
    fields: &'static str,
    body: &'static [u8],
}

const ANSWERS: [Answer; 8] = [
    Answer {
        subject: "An inline image and a file",
        fields: "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=outer\r\n",
        body: b"--outer\r\nContent-Type: multipart/related; boundary=\"in ner\"\r\n\r\n--in ner\r\nContent-Type: text/html\r\n\r\n\
            <img src=\"cid:logo@x\">\r\n--in ner\r\nContent-Type: image/png\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline\r\n\
            Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--in ner--\r\n--outer\r\nContent-Type: application/pdf;\r\n\
            \tname*=UTF-8''R%C3%A4umung.pdf\r\nContent-Disposition: attachment;\r\n filename*0*=UTF-8''R%C3%A4u;\r\n\
            \x20filename*1=mung.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--outer--\r\n",
    },
    Answer {
        subject: "An invitation",
        fields: "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\
            Content-Class: urn:content-classes:calendarmessage\r\n",
        body: b"--b\r\nContent-Type: text/plain\r\n\r\nTuesday?\r\n--b\r\nContent-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\
            Content-Transfer-Encoding: 8bit\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Caf\xc3\xa9\r\nEND:VCALENDAR\r\n--b--\r\n",
    },
    Answer {
        subject: "Flowed text",
        fields: "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n",
        body: b"A long line that flows \r\non.\r\n From the left.\r\n> quoted \r\n> too\r\n-- \r\nAna\r\n\r\n\r\n",
    },
    Answer {
        subject: "Another charset",
        fields: "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=iso-8859-2\r\nContent-Transfer-Encoding: 8bit\r\n",
        body: b"D\xeckuji, p\xf8\xedli\xb9 \xbelu\xbb\r\nou\xe8k\xfd k\xf9\xf2.\r\n",
    },
    Answer {
        subject: "Eight bits",
        fields: "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
        body: b"\xe3\x81\x93\xe3\x82\x93\xe3\x81\xab\xe3\x81\xa1\xe3\x81\xaf\r\n\xf0\x9f\xab\x96\r\n",
    },
    Answer {
        subject: "Dots and other lines",
        fields: "",
        body: b".\r\n..\r\n.a\r\nFrom here on\r\n>From there\r\n\ttabs \t\r\n \r\n.\r\n",
    },
    Answer {
        subject: "Signed",
        fields: "MIME-Version: 1.0\r\n\
            Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; boundary=s\r\n",
        body: b"This is an S/MIME signed message\r\n\r\n--s\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
            Z=C3=BCrich =20\r\n=\r\n\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n\
            MIIGogYJKoZIhvcNAQcCoIIGkzCCBo8CAQExDzANBglghkgBZQMEAgEFADALBgkqhkiG9w0BBwGg\r\n--s--\r\n",
    },
    Answer {
        subject: "Outlook's thread",
        fields: "Thread-Topic: Outlook's thread\r\nThread-Index: AQHZ3mTGmQ5jXk2lE0C8m5F1b1J9fQAAFq2w\r\nContent-Language: de-CH\r\n",
        body: b"Hello.\r\n",
    },
];

impl Answer {
    /// As the client hands it in, with what has to go.
    fn written(&self, parent: &str) -> Vec<u8> {
        let head = format!(
            "Received: from [10.0.0.7] by client.test; Mon, 2 Nov 2026 10:00:00 +0100\r\nX-Originating-IP: [10.0.0.7]\r\n\
             From: Ana Ruiz <ana@example.test>\r\n{}User-Agent: A Client\r\nBcc: boss@customer.test\r\nX-Baton-Thread: 7\r\n\
             Message-ID: <{}@client.test>\r\nIn-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n{}\r\n",
            self.kept(),
            self.subject.len(),
            self.fields
        );
        [head.as_bytes(), self.body].concat()
    }

    fn kept(&self) -> String {
        format!(
            "To: Carla Customer <carla@customer.test>\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\nSubject: Re: {}\r\n",
            self.subject
        )
    }

    /// As it lies in the customer's mailbox.
    fn expected(&self, parent: &str, message_id: &str) -> Vec<u8> {
        let head = format!(
            "From: Ana Ruiz <support@example.test>\r\n{}{}Message-ID: <{message_id}>\r\nIn-Reply-To: <{parent}>\r\n\
             References: <{parent}>\r\n\r\n",
            self.kept(),
            self.fields
        );
        [head.as_bytes(), self.body].concat()
    }
}

/// What lies in the mailboxes of customers: to whom, and the bytes.
fn in_mailboxes(world: &World) -> Vec<(String, Vec<u8>)> {
    let each = |to: Vec<String>, message: Vec<u8>| {
        to.into_iter().map(|to| (to, message.clone())).collect::<Vec<_>>()
    };
    let mut all: Vec<(String, Vec<u8>)> = match &world.host {
        Host::Dovecot(_) => {
            world.postfix().delivered().into_iter().map(|one| (one.to, one.message)).collect()
        }
        Host::Gmail(_) => {
            let sent = world.provider_smtp().sent();
            sent.into_iter().flat_map(|one| each(one.to, one.message)).collect()
        }
        Host::Exchange(tenant) => {
            tenant.sent().into_iter().flat_map(|one| each(one.to, one.raw)).collect()
        }
    };
    all.retain(|(to, _)| to.ends_with("@customer.test"));
    all
}

/// How many copies of this mail lie in Sent.
fn copies(world: &mut World, message_id: &str) -> usize {
    let sent = match world.host {
        Host::Dovecot(_) => "Sent",
        Host::Gmail(_) => "[Gmail]/Sent Mail",
        Host::Exchange(_) => "Sent Items",
    };
    let looked = world.eyes().look().unwrap_or_default();
    let places = looked.get(message_id).map_or(&[][..], Vec::as_slice);
    places.iter().filter(|place| place.folder == sent).count()
}

fn every_answer_arrives_as_it_was_written(world: &mut World, door: &Door) {
    let mut parents = Vec::new();
    for answer in &ANSWERS {
        parents.push(world.customer_writes(answer.subject));
        world.opens(answer.subject);
    }
    for (answer, parent) in ANSWERS.iter().zip(&parents) {
        let to = ["carla@customer.test", "boss@customer.test"];
        let said = door.hands_in_bytes(&to, &answer.written(parent));
        assert!(said.starts_with("250 2.0.0 #"), "{}: {said}", answer.subject);
    }
    world.eventually("all have left", |world| {
        outbox(world).iter().all(|one| one["state"] == "accepted")
    });
    world.eventually("each lies in two mailboxes", |world| {
        in_mailboxes(world).len() == 2 * ANSWERS.len()
    });
    let (known, arrived) = (outbox(world), in_mailboxes(world));
    for (answer, parent) in ANSWERS.iter().zip(&parents) {
        let of = |one: &&serde_json::Value| one["answered"] == parent.as_str();
        let id = known.iter().find(of).unwrap()["message_id"].as_str().unwrap().to_owned();
        let expected = answer.expected(parent, &id);
        for who in ["carla@customer.test", "boss@customer.test"] {
            let there = arrived.iter().any(|(to, message)| to == who && *message == expected);
            assert!(
                there,
                "{} for {who}, expected\n{}\nthere are\n{}",
                answer.subject,
                String::from_utf8_lossy(&expected),
                arrived
                    .iter()
                    .map(|(_, one)| String::from_utf8_lossy(one))
                    .collect::<Vec<_>>()
                    .join("\n⸻\n")
            );
        }
        world.eventually("one copy lies in Sent", |world| copies(world, &id) == 1);
        world.becomes(answer.subject, "waiting, ana");
        let thread = world.thread(answer.subject);
        let replies = thread.events_like("replied");
        assert_eq!(replies.len(), 1, "{}", answer.subject);
        assert_eq!(replies[0].actor, "ana");
    }
}

#[test]
fn through_postfix_every_answer_arrives_as_it_was_written() {
    let setup = Setup::keywords().with(SENDING).through_postfix();
    tell(setup, OPEN, every_answer_arrives_as_it_was_written);
}

#[test]
fn through_gmail_every_answer_arrives_as_it_was_written() {
    tell(Setup::labels().with(SENDING), OPEN, |world, door| {
        every_answer_arrives_as_it_was_written(world, door);
        // T3: Gmail shows each with the mail that it answers.
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        let all = gmail.dump("support@example.test");
        let of = |id: &str| all.iter().find(|mail| mail.message_id == id).map(|mail| mail.thrid);
        for one in outbox(world) {
            let (own, answered) = (&one["message_id"], &one["answered"]);
            let (own, answered) = (own.as_str().unwrap(), answered.as_str().unwrap());
            assert!(of(own).is_some() && of(own) == of(answered), "{one:#}");
        }
    });
}

#[test]
fn through_exchange_every_answer_arrives_as_it_was_written() {
    tell(Setup::exchange().with(SENDING), OPEN, every_answer_arrives_as_it_was_written);
}

const SUBJECT: &str = "Broken kettle";

#[track_caller]
fn answers(world: &mut World, door: &Door) {
    let parent = world.customer_writes(SUBJECT);
    world.opens(SUBJECT);
    let said = door.hands_in(&super::door::reply(&parent, "We send you another one."));
    assert!(said.starts_with("250"), "{said}");
}

#[track_caller]
fn becomes(world: &mut World, state: &str) {
    world.eventually(state, |world| outbox(world).iter().all(|one| one["state"] == state));
}

/// Postfix says no to whoever does not own the address.
#[test]
fn what_postfix_refuses_is_told_and_stays() {
    let setup = Setup::keywords().with(SENDING).through_postfix();
    tell(setup, OPEN, |world, door| {
        let right = std::fs::read_to_string(door.dir.join("baton.toml")).unwrap();
        let wrong =
            right.replace("[mailbox.smtp]\n", "[mailbox.smtp]\nuser = \"ana@example.test\"\n");
        world.baton.configure(&wrong);
        world.stop();
        world.start();
        let mut door = door.clone();
        door.starttls = super::door::ports(world)[1];
        answers(world, &door);
        becomes(world, "refused");
        let told = world.baton.says(&["outbox"]).done().replace('\n', " ");
        assert!(told.contains("not owned by user ana@example.test"), "{told}");
        assert!(in_mailboxes(world).is_empty());
        world.baton.configure(&right);
        world.stop();
        world.start();
        world.baton.says(&["outbox", "retry", "1"]).done();
        becomes(world, "accepted");
        world.eventually("it is there", |world| in_mailboxes(world).len() == 1);
    });
}

#[test]
fn gmails_copy_that_comes_late_is_the_only_one() {
    let setup = Setup::labels()
        .with("sending = { hold_seconds = 0, copy_seconds = 5, confirm_seconds = 1 }");
    tell(setup, OPEN, |world, door| {
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        gmail.set_smtp(|knobs| knobs.copy_lag = Duration::from_millis(1500));
        answers(world, door);
        becomes(world, "accepted");
        world.becomes(SUBJECT, "waiting, ana");
        let id = outbox(world)[0]["message_id"].as_str().unwrap().to_owned();
        assert_eq!(copies(world, &id), 1);
    });
}

/// G100.
#[test]
fn where_gmails_relay_keeps_no_copy_baton_adds_one() {
    tell(Setup::labels().with(SENDING), OPEN, |world, door| {
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        gmail.set_smtp(|knobs| knobs.keeps_copy = false);
        answers(world, door);
        world.becomes(SUBJECT, "waiting, ana");
        let id = outbox(world)[0]["message_id"].as_str().unwrap().to_owned();
        assert_eq!(copies(world, &id), 1);
    });
}

/// G93: whoever logs in as another account than the one that may send as the address.
#[test]
fn a_sender_that_gmail_rewrites_is_noticed_and_told_once() {
    tell(Setup::labels().with(SENDING), OPEN, |world, door| {
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        gmail.set_smtp(|knobs| knobs.rewrites_to = Some("boss@example.test".into()));
        answers(world, door);
        becomes(world, "accepted");
        world.eventually("the status tells it", |world| {
            let told = world.baton.says(&["status"]).out;
            told.replace('\n', " ").contains("It left as boss@example.test")
        });
        let known = outbox(world);
        assert!(known[0]["why"].as_str().unwrap().contains("boss@example.test"), "{known:#?}");
        // The second one is no news.
        let parent = world.customer_writes("Broken lid");
        world.opens("Broken lid");
        door.hands_in(&super::door::reply(&parent, "We send you a lid."));
        world.eventually("both are known", |world| {
            let known = outbox(world);
            known.iter().all(|one| one["why"].as_str().unwrap().contains("It left as"))
        });
        assert_eq!(notices(world).len(), 1);
    });
}

/// G98.
#[test]
fn gmails_limit_is_told_with_what_to_do() {
    tell(Setup::labels().with(SENDING), OPEN, |world, door| {
        let Host::Gmail(gmail) = &world.host else { panic!("not at Gmail") };
        gmail.set_smtp(|knobs| knobs.messages_a_day = 0);
        answers(world, door);
        becomes(world, "refused");
        let told = world.baton.says(&["outbox"]).done().replace('\n', " ");
        assert!(told.contains("5.4.5"), "{told}");
        assert!(in_mailboxes(world).is_empty());
    });
}

/// M87: it is the login that is refused, not the mail.
#[test]
fn where_exchange_lets_nobody_log_in_to_send_the_answer_waits() {
    tell(Setup::exchange().with(SENDING), OPEN, |world, door| {
        world.tenant().set_smtp(|knobs| knobs.disabled = Disabled::Tenant);
        answers(world, door);
        world.eventually("it waits, and says why", |world| {
            let known = outbox(world);
            known[0]["state"] == "due" && known[0]["why"].as_str().unwrap().contains("5.7.139")
        });
        world.tenant().set_smtp(|knobs| knobs.disabled = Disabled::Nobody);
        world.baton.says(&["outbox", "retry", "1"]).done();
        becomes(world, "accepted");
    });
}

/// M93.
#[test]
fn exchanges_limit_is_told_and_the_answer_stays() {
    tell(Setup::exchange().with(SENDING), OPEN, |world, door| {
        world.tenant().set_smtp(|knobs| knobs.recipients_a_day = 0);
        answers(world, door);
        becomes(world, "refused");
        let told = world.baton.says(&["outbox"]).done().replace('\n', " ");
        assert!(told.contains("SubmissionQuotaExceeded"), "{told}");
    });
}

/// M95: it comes, but late.
#[test]
fn exchanges_copy_that_comes_late_is_the_only_one() {
    let setup = Setup::exchange()
        .with("sending = { hold_seconds = 0, copy_seconds = 6, confirm_seconds = 1 }");
    tell(setup, OPEN, |world, door| {
        world.tenant().set_smtp(|knobs| knobs.copy_seconds = 2);
        answers(world, door);
        world.becomes(SUBJECT, "waiting, ana");
        let id = outbox(world)[0]["message_id"].as_str().unwrap().to_owned();
        assert_eq!(copies(world, &id), 1);
    });
}
