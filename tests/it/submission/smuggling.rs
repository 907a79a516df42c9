//! No mail is smuggled, either way: neither into Baton inside another mail, nor out of it.
//!
//! Servers differ in what they take for the end of a line, and so for the end of a mail; whoever writes one that ends where
//! the next server thinks it does sends a second one under a stranger's name. Baton takes CR and LF together and nothing
//! else, ends the conversation over everything that stands alone, and lets nothing of the kind leave.

use baton::relay::{self, Error, Proof, Recipient, Settings, Tls};

use super::door::{Door, outbox, reply, tell};
use crate::world::smtpd::{Plain, Smtpd};
use crate::world::{PASSWORD, Setup, World};

/// What stands where a mail ends, as some server somewhere understands it.
const FALSE_ENDS: [&[u8]; 24] = [
    b"\n.\n",
    b"\n.\r\n",
    b"\n.\r",
    b"\r.\r",
    b"\r.\n",
    b"\r.\r\n",
    b"\r\n.\n",
    b"\r\n.\r\r\n",
    b"\r\n.\n\r\n",
    b"\r\r\n.\r\n",
    b"\r\r\n.\r\r\n",
    b"\n\n.\r\n",
    b"\n\r.\n\r",
    b"\n\r\n.\r\n",
    b"\r\n\r.\r\n",
    b"\r\n\n.\n",
    b"\r\n..\n",
    b"\r\n.\r.\r\n",
    b"\r\n. \n",
    b"\r\n.\t\r\r\n",
    b"\r\n\0.\r\n",
    b"\r\n.\0\r\n",
    b"\0\r\n.\0",
    b"\n..\n.\n",
];

/// What follows it: the mail that is to be smuggled.
const SECOND: &[u8] =
    b"MAIL FROM:<support@example.test>\r\nRCPT TO:<victim@customer.test>\r\nDATA\r\n\
    Subject: Pay here\r\n\r\nSmuggled.\r\n.\r\nQUIT\r\n";

/// Commands that end, or go on, in ways of their own; a mail follows.
const FALSE_COMMANDS: [&[u8]; 10] = [
    b"DATA\n",
    b"DATA\r",
    b"DATA\r\r\n",
    b"DATA\0\r\n",
    b"NOOP\nDATA\r\n",
    b"NOOP \rDATA\r\n",
    b"RCPT TO:<x@customer.test\n>\r\n",
    b"BDAT 3\n",
    b"BDAT 3 LAST\r\nx\ny",
    b"BDAT 2\r\nx\rBDAT 1 LAST\r\ny",
];

fn begin(door: &Door) -> Vec<u8> {
    let mut said = format!("EHLO x\r\n{}", door.auth()).into_bytes();
    said.extend_from_slice(
        b"MAIL FROM:<support@example.test>\r\nRCPT TO:<carla@customer.test>\r\n",
    );
    said
}

fn setup() -> Setup {
    Setup::keywords().with("sending = { hold_seconds = 0 }")
}

#[test]
fn no_second_mail_comes_in_inside_another() {
    tell(setup(), "login_without_tls = true", |world, door| {
        for end in FALSE_ENDS {
            let said =
                [&begin(door), &b"DATA\r\nSubject: x\r\n\r\nFirst."[..], end, SECOND].concat();
            let answers = door.tells(&said);
            assert!(
                answers.contains("Goodbye."),
                "{:?}: {answers}",
                end.escape_ascii().to_string()
            );
            assert!(!answers.contains("kept"), "{:?}: {answers}", end.escape_ascii().to_string());
        }
        for command in FALSE_COMMANDS {
            let answers = door.tells(&[&begin(door), command, SECOND].concat());
            assert!(
                answers.contains("Goodbye.") && !answers.contains("kept"),
                "{:?}: {answers}",
                command.escape_ascii().to_string()
            );
        }
        assert!(outbox(world).is_empty());
    });
}

/// Lines that only look like an end are text, here and at the provider: one mail comes in, and the same one leaves.
#[test]
fn what_looks_like_an_end_and_is_none_stays_in_its_mail() {
    let harmless = "..\n. \n.\t\n.a\n\u{85}.\u{85}\n\u{2028}.\u{2028}\n\u{b}.\u{b}\n\u{c}.\u{c}\n=0A.=0A\nRSET\nDATA\nQUIT\n...";
    tell(setup(), "login_without_tls = true", |world, door| {
        let parent = world.customer_writes("Broken kettle");
        world.opens("Broken kettle");
        let text = reply(&parent, harmless).replace('\n', "\r\n");
        let said = door.hands_in_bytes(&["carla@customer.test"], format!("{text}\r\n").as_bytes());
        assert!(said.starts_with("250"), "{said}");
        world.eventually("it has left", |world: &mut World| {
            outbox(world).iter().all(|one| one["state"] == "accepted")
        });
        let sent = world.provider_smtp().sent();
        assert_eq!(sent.len(), 1);
        let body = sent[0].text().split_once("\r\n\r\n").unwrap().1.to_owned();
        assert_eq!(body, format!("{}\r\n", harmless.replace('\n', "\r\n")));
    });
}

/// Sends through a relay that has just connected.
async fn sends(smtp: &Smtpd, to: &[Recipient<'_>], mail: &[u8]) -> Result<String, Error> {
    let settings = Settings {
        host: "127.0.0.1".into(),
        port: smtp.port,
        tls: Tls::None,
        user: "support@example.test".into(),
        patience: crate::world::PATIENCE,
    };
    let mut connection = relay::connect(&settings).await?;
    connection.log_in(&Proof::Password(PASSWORD.into())).await?;
    connection.send("support@example.test", to, mail).await
}

#[tokio::test]
async fn nothing_that_another_server_could_take_for_an_end_leaves() {
    let smtp = Smtpd::start(Plain::default());
    let carla = [Recipient::at("carla@customer.test")];
    let mut refused = 0;
    // A NUL ends no line anywhere; it does not come in, and is nobody's to send.
    for end in FALSE_ENDS.iter().filter(|end| !end.contains(&0)) {
        let mail = [&b"Subject: x\r\n\r\nFirst."[..], end, SECOND].concat();
        let error = sends(&smtp, &carla, &mail).await.expect_err("it left");
        assert!(matches!(error, Error::Refused { code: 554, .. }), "{error}");
        refused += 1;
    }
    for tail in [&b"x\r"[..], b"x\n", b"\r", b"\n", b"\r\n\r"] {
        let mail = [&b"Subject: x\r\n\r\n"[..], tail].concat();
        let error = sends(&smtp, &carla, &mail).await.expect_err("it left");
        assert!(matches!(error, Error::Refused { code: 554, .. }), "{error}");
        refused += 1;
    }
    let people = [
        "a@b>\r\nRCPT TO:<c@d",
        "a@b\n",
        "a b@c",
        "a@b> NOTIFY=NEVER",
        "<a@b",
        "a@",
        "@b",
        "\0a@b",
    ];
    for address in people {
        let error = sends(&smtp, &[Recipient::at(address)], b"Subject: x\r\n\r\nx\r\n").await;
        assert!(matches!(error, Err(Error::Refused { code: 553, .. })), "{address:?}: {error:?}");
        refused += 1;
    }
    assert!(20 <= refused);
    assert!(smtp.sent().is_empty(), "{:?}", smtp.sent());

    // What was said for the report goes where reports can be had, and nothing else does.
    let asked = Recipient {
        address: "carla@customer.test",
        notify: Some("SUCCESS,DELAY"),
        orcpt: Some("rfc822;carla+2Btag@customer.test"),
    };
    let lying = Recipient { notify: Some("NEVER\r\nRSET"), orcpt: None, ..asked };
    sends(&smtp, &[asked, lying], b"Subject: x\r\n\r\nx\r\n").await.unwrap();
    smtp.set(|knobs| knobs.hides("DSN"));
    sends(&smtp, &[asked], b"Subject: x\r\n\r\nx\r\n").await.unwrap();
    let said = smtp.sent();
    let wanted =
        "RCPT TO:<carla@customer.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;carla+2Btag@customer.test";
    assert_eq!(said[0].envelope[1], wanted);
    assert_eq!(said[0].envelope[2], "RCPT TO:<carla@customer.test>");
    assert_eq!(said[1].envelope[1], "RCPT TO:<carla@customer.test>");
}

/// What a server does not offer is not asked of it, and a mail that needs it is refused in words.
#[tokio::test]
async fn what_the_server_cannot_carry_is_refused_in_words() {
    let smtp = Smtpd::start(Plain::default());
    let carla = [Recipient::at("carla@customer.test")];
    let jos = [Recipient::at("josé@customer.test")];
    let eight: &[u8] = "Subject: x\r\n\r\nZürich\r\n".as_bytes();
    let header: &[u8] = "Subject: Zürich\r\n\r\nx\r\n".as_bytes();
    let large = [b"Subject: x\r\n\r\n".as_slice(), &b"x\r\n".repeat(400)].concat();
    sends(&smtp, &carla, eight).await.unwrap();
    sends(&smtp, &jos, header).await.unwrap();
    sends(&smtp, &carla, &large).await.unwrap();
    let envelope: Vec<String> = smtp.sent().iter().map(|one| one.envelope[0].clone()).collect();
    assert!(envelope[0].ends_with(" BODY=8BITMIME"), "{envelope:?}");
    assert!(envelope[1].contains(" SMTPUTF8"), "{envelope:?}");
    assert!(envelope[2].contains(&format!(" SIZE={}", large.len())), "{envelope:?}");
    smtp.set(|knobs| {
        knobs.hides("8BITMIME");
        knobs.hides("SMTPUTF8");
        knobs.hides("SIZE");
        knobs.offers.insert(0, "SIZE 1000".into());
    });
    let told = [
        (sends(&smtp, &carla, eight).await, "8BITMIME"),
        (sends(&smtp, &jos, b"Subject: x\r\n\r\nx\r\n").await, "SMTPUTF8"),
        (sends(&smtp, &carla, header).await, "SMTPUTF8"),
        (sends(&smtp, &carla, &large).await, "it takes 1000"),
    ];
    for (outcome, words) in told {
        let error = outcome.expect_err("it was sent");
        assert!(error.to_string().contains(words), "{error}");
        assert!(matches!(error, Error::Refused { .. }), "{error}");
    }
    assert_eq!(smtp.sent().len(), 3);
}
