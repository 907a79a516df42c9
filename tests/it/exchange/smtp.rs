//! Submission, as point 18 of the list wants it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::xoauth2;
use crate::world::exchange::knobs::SentCopy;
use crate::world::exchange::smtp::{Cut, Disabled, MessageIds};
use crate::world::exchange::{ANA, SHARED, Tenant};

/// A connection that shows every answer, its lines in one.
struct Smtp(BufReader<TcpStream>);

impl Smtp {
    fn connect(tenant: &Tenant) -> Smtp {
        let stream = TcpStream::connect(("127.0.0.1", tenant.smtp.port)).unwrap();
        stream.set_read_timeout(Some(crate::world::PATIENCE)).unwrap();
        let mut smtp = Smtp(BufReader::new(stream));
        assert!(smtp.answer().contains("Microsoft ESMTP MAIL Service ready at "));
        smtp.ask("EHLO client");
        smtp
    }

    /// Logged in as this user, with this token.
    fn login(tenant: &Tenant, user: &str, token: &str) -> Smtp {
        let mut smtp = Smtp::connect(tenant);
        let answer = smtp.ask(&format!("AUTH XOAUTH2 {}", xoauth2(user, token)));
        assert_eq!(answer, "235 2.7.0 Authentication successful");
        smtp
    }

    fn ask(&mut self, line: &str) -> String {
        self.0.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.answer()
    }

    /// Empty at the end.
    fn answer(&mut self) -> String {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.trim_end_matches(['\r', '\n']).to_owned();
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                return lines.join("\n");
            }
        }
    }

    fn sends(&mut self, from: &str, to: &str, message: &str) -> String {
        self.ask(&format!("MAIL FROM:<{from}>"));
        self.ask(&format!("RCPT TO:<{to}>"));
        self.ask("DATA");
        self.ask(&format!("{message}\r\n."))
    }
}

fn reply(number: u32, from: &str) -> String {
    format!(
        "From: <{from}>\r\nTo: bob@example.test\r\nMessage-ID: <r{number}@baton>\r\nSubject: Re\r\n\r\nHello\r\n..dot"
    )
}

fn in_sent(tenant: &Tenant, mailbox: &str) -> Vec<String> {
    let shown = tenant.mailbox(mailbox, |mailbox| mailbox.shown());
    shown.into_iter().filter(|one| one.folder == "Sent Items").map(|one| one.message_id).collect()
}

/// M81, M82, M89.
#[test]
fn the_ordinary_course() {
    let tenant = Tenant::start();
    let mut smtp = Smtp::connect(&tenant);
    let hello = smtp.ask("EHLO client");
    for word in ["250-SIZE 157286400", "250-AUTH LOGIN XOAUTH2", "250-CHUNKING", "250 SMTPUTF8"] {
        assert!(hello.lines().any(|line| line == word), "{word}: {hello}");
    }
    assert!(
        smtp.ask("MAIL FROM:<a@b>")
            .starts_with("530 5.7.57 Client not authenticated to send mail.")
    );
    assert_eq!(smtp.ask("AUTH XOAUTH2"), "334 ");
    let token = tenant.token_of_app();
    assert_eq!(smtp.ask(&xoauth2(SHARED, &token)), "235 2.7.0 Authentication successful");
    assert_eq!(smtp.ask("DATA"), "503 5.5.2 Need rcpt command");
    assert_eq!(smtp.ask(&format!("MAIL FROM:<{SHARED}> SIZE=300")), "250 2.1.0 Sender OK");
    assert_eq!(smtp.ask("RCPT TO:<bob@example.test>"), "250 2.1.5 Recipient OK");
    assert_eq!(smtp.ask("DATA"), "354 Start mail input; end with <CRLF>.<CRLF>");
    let answer = smtp.ask(&format!("{}\r\n.", reply(1, SHARED)));
    assert_eq!(
        answer,
        "250 2.0.0 OK <r1@baton> [Hostname=PN3PR01MB9597.INDPRD01.PROD.OUTLOOK.COM]"
    );
    let sent = tenant.sent().remove(0);
    assert_eq!(
        (sent.login.as_str(), sent.from.as_str(), sent.to),
        (SHARED, SHARED, vec!["bob@example.test".into()])
    );
    assert!(sent.message.ends_with("Hello\r\n.dot\r\n"), "{}", sent.message);

    // BDAT, to a mailbox of the tenant.
    smtp.ask(&format!("MAIL FROM:<{SHARED}>"));
    smtp.ask(&format!("RCPT TO:<{ANA}>"));
    smtp.0.get_mut().write_all(b"BDAT 4\r\nFrom").unwrap();
    assert_eq!(smtp.answer(), "250 2.0.0 4 octets received");
    smtp.0.get_mut().write_all(b"BDAT 31 LAST\r\n: <shared@contoso.com>\r\n\r\nHi!\r\n").unwrap();
    assert!(smtp.answer().starts_with("250 2.0.0 OK <PN3PR01MB9597"));
    assert_eq!(tenant.mailbox(ANA, |mailbox| mailbox.folder("INBOX").entries.len()), 1);
    assert_eq!(smtp.ask("RSET"), "250 2.0.0 Resetting");
    assert_eq!(smtp.ask("NOOP"), "250 2.0.0 OK");
    assert_eq!(smtp.ask("QUIT"), "221 2.0.0 Service closing transmission channel");
    assert_eq!(smtp.answer(), "");
}

/// M82, M83, M84, M85, M86, M87.
#[test]
fn who_may_log_in() {
    let tenant = Tenant::start();
    let (ana, app) = (tenant.token_of(ANA), tenant.token_of_app());
    let auth = |user: &str, token: &str| {
        let mut smtp = Smtp::connect(&tenant);
        smtp.ask(&format!("AUTH XOAUTH2 {}", xoauth2(user, token)))
    };
    let fails = |answer: String| {
        assert!(
            answer.starts_with("535 5.7.3 Authentication unsuccessful [PN3PR01MB9597"),
            "{answer}"
        );
    };
    let fine = "235 2.7.0 Authentication successful";
    fails(auth(SHARED, &ana));
    assert_eq!(auth(ANA, &ana), fine);
    assert_eq!(auth(SHARED, &app), fine);
    fails(auth(ANA, &app));
    fails(auth(SHARED, "eyJ.made.up"));
    tenant.set_smtp(|knobs| knobs.unlicensed = true);
    assert!(auth(SHARED, &app).starts_with("430 4.2.0 STOREDRV; mailbox logon failure; "));
    tenant.set_smtp(|knobs| knobs.disabled = Disabled::Tenant);
    assert!(auth(ANA, &ana).starts_with(
        "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit \
         https://aka.ms/smtp_auth_disabled"
    ));
    tenant.set_smtp(|knobs| knobs.disabled = Disabled::Mailbox);
    assert!(auth(ANA, &ana).contains(" for the Mailbox. "));
    let mut smtp = Smtp::connect(&tenant);
    smtp.ask("AUTH XOAUTH2");
    fails(smtp.ask("*"));
    // M105.
    let mut password = || {
        assert_eq!(smtp.ask("AUTH LOGIN"), "334 VXNlcm5hbWU6");
        assert_eq!(smtp.ask("YW5hQGNvbnRvc28uY29t"), "334 UGFzc3dvcmQ6");
        smtp.ask("c2VjcmV0")
    };
    let over = "550 5.7.30 Basic authentication is not supported for Client Submission.";
    assert_eq!(password(), over);
    tenant.set(|knobs| knobs.basic_password = Some("other"));
    fails(password());
    tenant.set(|knobs| knobs.basic_password = Some("secret"));
    assert_eq!(password(), fine);
}

/// M65, M90, M91.
#[test]
fn sending_as_another_needs_a_right() {
    let tenant = Tenant::start();
    let ana = tenant.token_of(ANA);
    let mut smtp = Smtp::login(&tenant, ANA, &ana);
    assert!(smtp.sends(SHARED, "bob@example.test", &reply(1, SHARED)).starts_with("250 "));
    tenant.mailbox(SHARED, |mailbox| mailbox.send_as.clear());
    for number in 2..=4 {
        let answer = smtp.sends(ANA, "bob@example.test", &reply(number, SHARED));
        let words = "554 5.2.252 SendAsDenied; ana@contoso.com not allowed to send as shared@contoso.com; \
            STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; ";
        assert!(answer.starts_with(words), "{answer}");
    }
    // 550 now, and for the own address, too.
    let locked = "550 5.2.252 Sender throttled due to continuous send as denied errors.";
    assert!(smtp.sends(ANA, "bob@example.test", &reply(5, ANA)).starts_with(locked));
    tenant.forward(3600);
    let mut smtp = Smtp::login(&tenant, ANA, &tenant.token_of(ANA));
    assert!(smtp.sends(ANA, "bob@example.test", &reply(6, ANA)).starts_with("250 "));
}

/// M92, M93, M94.
#[test]
fn there_are_limits() {
    let tenant = Tenant::start();
    let token = tenant.token_of_app();
    let open = || Smtp::login(&tenant, SHARED, &token);
    let mut all = [open(), open(), open(), open()];
    let send =
        |smtp: &mut Smtp, number| smtp.sends(SHARED, "bob@example.test", &reply(number, SHARED));
    assert!(
        send(&mut all[0], 1).starts_with("432 4.3.2 Concurrent connections limit exceeded. Visit ")
    );
    all[3].ask("QUIT");
    let free = || send(&mut all[0], 2).starts_with("250 ").then_some(());
    crate::world::poll(crate::world::PATIENCE, free).unwrap();

    tenant.set_smtp(|knobs| knobs.refuses_duplicates = true);
    assert!(send(&mut all[0], 2).contains("MapiExceptionDuplicateDelivery"));
    tenant.set_smtp(|knobs| knobs.recipients_a_day = 1);
    assert!(send(&mut all[0], 3).contains("SubmissionQuotaExceededException"));
    tenant.set_smtp(|knobs| knobs.mailbox_full = true);
    assert!(send(&mut all[0], 4).starts_with("554 5.2.2 mailbox full; "));
    tenant.set_smtp(|knobs| (knobs.mailbox_full, knobs.recipients_a_day) = (false, 100));
    tenant.set_smtp(|knobs| knobs.answers = Some("451 4.7.0 Temporary server error".into()));
    assert_eq!(send(&mut all[0], 5), "451 4.7.0 Temporary server error");
    // Too much is slow, and not refused.
    tenant.set_smtp(|knobs| (knobs.per_minute, knobs.delay) = (1, Duration::from_millis(1)));
    assert!(send(&mut all[0], 6).starts_with("250 "));
    assert_eq!(tenant.sent().len(), 2);
}

/// M95, M96, M98.
#[test]
fn copies_lie_where_the_tenant_says() {
    let tenant = Tenant::start();
    let mut number = 0;
    let mut copies = |user: &str, copy: SentCopy| {
        number += 1;
        tenant.set(|knobs| knobs.sent_copy = copy);
        let token = if user == ANA { tenant.token_of(ANA) } else { tenant.token_of_app() };
        Smtp::login(&tenant, user, &token).sends(
            SHARED,
            "bob@example.test",
            &reply(number, SHARED),
        );
        let id = format!("<r{number}@baton>");
        (in_sent(&tenant, ANA).contains(&id), in_sent(&tenant, SHARED).contains(&id))
    };
    assert_eq!(copies(ANA, SentCopy::Member), (true, false));
    assert_eq!(copies(ANA, SentCopy::Shared), (false, true));
    assert_eq!(copies(ANA, SentCopy::Both), (true, true));
    assert_eq!(copies(ANA, SentCopy::None), (false, false));
    assert_eq!(copies(SHARED, SentCopy::Member), (false, true));
    tenant.set_smtp(|knobs| knobs.keeps_copy = false);
    assert_eq!(copies(SHARED, SentCopy::Both), (false, false));
    tenant.set_smtp(|knobs| (knobs.keeps_copy, knobs.copy_seconds) = (true, 30));
    assert_eq!(copies(SHARED, SentCopy::Both), (false, false));
    tenant.forward(30);
    assert_eq!(in_sent(&tenant, SHARED).last().unwrap(), "<r7@baton>");
}

/// M100: the new Message-ID is told in the answer, the old one kept in a header.
#[test]
fn the_message_id_may_be_replaced() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.message_ids = MessageIds::Replaced);
    let mut smtp = Smtp::login(&tenant, SHARED, &tenant.token_of_app());
    let answer = smtp.sends(SHARED, "bob@example.test", &reply(1, SHARED));
    let id = answer.strip_prefix("250 2.0.0 OK ").unwrap().split(' ').next().unwrap();
    assert!(id.ends_with("@PN3PR01MB9597.INDPRD01.PROD.OUTLOOK.COM>"), "{answer}");
    let message = tenant.sent().remove(0).message;
    assert!(message.contains(&format!("\r\nMessage-ID: {id}\r\n")), "{message}");
    assert!(message.contains("\r\nX-Microsoft-Original-Message-ID: <r1@baton>\r\n"), "{message}");
    assert_eq!(in_sent(&tenant, SHARED), [id]);
}

/// A lost 250: the client cannot know.
#[test]
fn the_line_breaks_at_the_worst_moment() {
    let tenant = Tenant::start();
    let token = tenant.token_of_app();
    let send = |number| {
        let mut smtp = Smtp::login(&tenant, SHARED, &token);
        smtp.sends(SHARED, "bob@example.test", &reply(number, SHARED))
    };
    tenant.set_smtp(|knobs| knobs.cut = Some(Cut::BeforeTaking));
    assert_eq!(send(1), "");
    assert!(tenant.sent().is_empty());
    tenant.set_smtp(|knobs| knobs.cut = Some(Cut::AfterTaking));
    assert_eq!(send(2), "");
    assert_eq!(tenant.sent().len(), 1);
    assert!(send(3).starts_with("250 "));
}

/// M1, M81: before TLS there is no AUTH.
#[test]
fn tls_comes_first_if_it_is_offered() {
    let tenant = Tenant::start();
    tenant.set_smtp(|knobs| knobs.starttls = true);
    let mut smtp = Smtp::connect(&tenant);
    let hello = smtp.ask("EHLO client");
    assert!(hello.contains("250-STARTTLS") && !hello.contains("AUTH"), "{hello}");
    assert_eq!(smtp.ask("AUTH XOAUTH2 x"), "530 5.7.0 Must issue a STARTTLS command first.");
    assert_eq!(smtp.ask("STARTTLS"), "220 2.0.0 SMTP server ready");
}
