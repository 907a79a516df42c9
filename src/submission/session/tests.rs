//! Transcripts of whole conversations, and what must never come of any bytes.

use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

fn limits() -> Limits {
    Limits {
        message_bytes: 2_000_000,
        recipients: 3,
        idle_commands: 20,
        errors: 10,
        login: 2 * MINUTE,
        command: MINUTE,
        chunk: 3 * MINUTE,
        session: 60 * MINUTE,
    }
}

/// A session, and what a desk of Ana's would answer it.
pub(super) struct Played {
    pub(super) session: Session,
    now: Duration,
    pub(super) said: String,
    pub(super) kept: Vec<(Envelope, String)>,
    answer: Answer,
    closed: bool,
    pub(super) peak: usize,
}

pub(super) fn played(wire: Wire) -> Played {
    Played {
        session: Session::new("mail.example.test", limits(), wire),
        now: Duration::ZERO,
        said: String::new(),
        kept: Vec::new(),
        answer: Answer::Kept { text: "#7 leaves in 60 seconds".into() },
        closed: false,
        peak: 0,
    }
}

/// Logged in, and told who writes to whom.
fn writing() -> Played {
    let mut played = played(Wire::Tls);
    played.say(b"EHLO pc\r\nAUTH PLAIN AGFuYQBwdw==\r\n");
    played.say(b"MAIL FROM:<support@example.test>\r\nRCPT TO:<c@c.example>\r\n");
    assert!(played.said.ends_with("250 2.1.5 Well.\r\n"), "{}", played.said);
    played.said.clear();
    played
}

impl Played {
    pub(super) fn say(&mut self, bytes: &[u8]) {
        if !self.closed {
            self.session.input(bytes);
        }
        self.run();
    }

    fn run(&mut self) {
        while !self.closed {
            let held = self.session.mail.as_ref().and_then(|mail| mail.chunks.as_ref());
            let held = held.map_or(0, |text| text.kept());
            let reading = match &self.session.phase {
                Phase::Data(text) => text.kept(),
                _ => 0,
            };
            self.peak = self.peak.max(self.session.buffer.len() + held + reading);
            match self.session.next(self.now) {
                Action::Read => return,
                Action::Say(bytes) => self.said.push_str(&String::from_utf8(bytes).unwrap()),
                Action::StartTls => self.session.encrypted(self.now),
                Action::Check { user, password } => {
                    let checked = match (user.as_str(), password.expose()) {
                        ("ana", "pw") => Checked::Agent(AgentId("ana".into())),
                        ("slow", _) => Checked::Slower,
                        _ => Checked::Wrong,
                    };
                    self.session.checked(checked, self.now);
                }
                Action::JudgeSender { address, .. } | Action::JudgeRecipient { address, .. } => {
                    let judged = match address.as_str() {
                        "boss@example.test" => {
                            Judged::Refused("Ana may not write as the boss.".into())
                        }
                        _ => Judged::Allowed,
                    };
                    self.session.judged(&judged, self.now);
                }
                Action::Keep { envelope, raw, .. } => {
                    self.kept.push((envelope, String::from_utf8_lossy(&raw).into_owned()));
                    self.session.kept(&self.answer.clone(), self.now);
                }
                Action::Close => self.closed = true,
            }
        }
    }
}

/// Plays a transcript: `C:` lines go in, `S:` lines are what must come out.
#[track_caller]
fn check(wire: Wire, transcript: &str) -> Played {
    let mut played = played(wire);
    played.run();
    for line in transcript.lines() {
        match line.split_at(3) {
            ("C: ", said) => {
                assert_eq!(played.said, "", "not expected, before `{said}`");
                played.say(format!("{said}\r\n").as_bytes());
            }
            ("S: ", want) => {
                let (got, rest) = played.said.split_once("\r\n").unwrap_or_default();
                assert_eq!(got, want);
                played.said = rest.to_owned();
            }
            _ => panic!("not a transcript line: `{line}`"),
        }
    }
    assert_eq!(played.said, "");
    played
}

#[test]
fn a_mail_is_handed_in_after_starttls() {
    let played = check(
        Wire::BeforeTls,
        "S: 220 mail.example.test ESMTP Baton
C: EHLO pc
S: 250-mail.example.test
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-SIZE 2000000
S: 250-CHUNKING
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250 STARTTLS
C: AUTH PLAIN AGFuYQBwdw==
S: 530 5.7.0 Encryption is needed: set the client to STARTTLS.
C: STARTTLS
S: 220 2.0.0 Begin.
C: MAIL FROM:<support@example.test>
S: 503 5.5.1 Say EHLO first.
C: EHLO pc
S: 250-mail.example.test
S: 250-PIPELINING
S: 250-8BITMIME
S: 250-SMTPUTF8
S: 250-SIZE 2000000
S: 250-CHUNKING
S: 250-ENHANCEDSTATUSCODES
S: 250-DSN
S: 250 AUTH PLAIN LOGIN
C: MAIL FROM:<support@example.test>
S: 530 5.7.0 Log in first: set the client to use a user name and password.
C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: YW5h
S: 334 UGFzc3dvcmQ6
C: cHc=
S: 235 2.7.0 Welcome.
C: MAIL FROM:<support@example.test> BODY=8BITMIME RET=HDRS ENVID=x
S: 250 2.1.0 Well.
C: RCPT TO:<c@c.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@c.example
S: 250 2.1.5 Well.
C: DATA
S: 354 Go on; end with a dot.
C: Subject: x
C: 
C: ..dotted
C: .
S: 250 2.0.0 #7 leaves in 60 seconds
C: QUIT
S: 221 2.0.0 Goodbye.",
    );
    assert!(played.closed);
    let (envelope, raw) = &played.kept[0];
    assert_eq!(raw, "Subject: x\r\n\r\n.dotted\r\n");
    assert_eq!(envelope.from, "support@example.test");
    assert_eq!(envelope.to[0].notify.as_deref(), Some("FAILURE,DELAY"));
    assert_eq!(envelope.to[0].orcpt.as_deref(), Some("rfc822;c@c.example"));
    assert_eq!(envelope.ret.as_deref(), Some("HDRS"));
    assert!(envelope.eight_bit && !envelope.utf8);
}

#[test]
fn refusals_are_sentences() {
    let mut played = writing();
    played.say(b"RSET\r\nMAIL FROM:<boss@example.test>\r\n");
    assert!(played.said.ends_with("550 5.7.1 Ana may not write as the boss.\r\n"));
    for (answer, said) in [
        (Answer::Held { text: "#7 waits".into() }, "250 2.0.0 #7 waits"),
        (
            Answer::Refused { text: "#7 is Jürgen’s\r\n250 ok".into() },
            "554 5.7.1 #7 is J?rgen's  250 ok",
        ),
        (Answer::TryLater { text: "Later".into() }, "451 4.3.0 Later"),
    ] {
        let mut played = writing();
        played.answer = answer;
        played.say(b"DATA\r\n");
        played.say(b"Subject: x\r\n\r\nx\r\n.\r\n");
        assert_eq!(played.said, format!("354 Go on; end with a dot.\r\n{said}\r\n"));
        assert!(!played.closed);
    }
}

#[test]
fn a_login_is_cancelled_malformed_wrong_or_too_often_wrong() {
    let logged = |line: &str| {
        let mut played = played(Wire::Plain);
        played.say(b"EHLO pc\r\n");
        played.said.clear();
        played.say(line.as_bytes());
        played
    };
    assert_eq!(logged("AUTH PLAIN\r\n*\r\n").said, "334 \r\n501 5.7.0 Cancelled.\r\n");
    assert!(logged("AUTH PLAIN !!\r\n").said.starts_with("501"));
    assert!(logged("AUTH PLAIN YmVuAGFuYQBwdw==\r\n").said.starts_with("501"), "ben as ana");
    assert!(logged("AUTH CRAM-MD5\r\n").said.starts_with("504"));
    assert!(logged("AUTH PLAIN AGFuYQBwdw\r\n").said.starts_with("235"), "without padding");
    assert!(logged("AUTH LOGIN YW5h\r\ncHc=\r\n").said.ends_with("235 2.7.0 Welcome.\r\n"));
    assert!(logged("AUTH LOGIN c2xvdw==\r\nAA==\r\n").said.contains("454 4.7.0 Too many"));
    let long = format!("AUTH PLAIN\r\n{}\r\n", "A".repeat(AUTH_BYTES_MAX + 1));
    assert!(logged(&long).closed);
    let longest = format!("AUTH PLAIN\r\n{}\r\n", "A".repeat(AUTH_BYTES_MAX));
    assert!(!logged(&longest).closed);
    let three = logged(&"AUTH PLAIN AGFuYQBubw==\r\n".repeat(3));
    assert!(three.said.starts_with("535 5.7.8") && three.closed);
}

#[test]
fn what_stands_in_the_clear_behind_starttls_is_thrown_away() {
    let mut played = played(Wire::BeforeTls);
    played.say(b"EHLO pc\r\nSTARTTLS\r\nEHLO evil\r\nAUTH PLAIN AGFuYQBwdw==\r\n");
    assert!(played.said.ends_with("220 2.0.0 Begin.\r\n"), "{}", played.said);
    assert!(played.session.agent().is_none() && !played.session.greeted);
}

#[test]
fn chunks_make_a_mail_too() {
    let mut played = writing();
    played.say(b"BDAT 14\r\nSubject: x\r\n\r\nBDAT 4\r\n.\r\nyBDAT 0 LAST\r\nNOOP\r\n");
    assert_eq!(played.kept[0].1, "Subject: x\r\n\r\n.\r\ny\r\n");
    assert!(played.said.ends_with("seconds\r\n250 2.0.0 Well.\r\n"), "{}", played.said);
}

#[test]
fn commands_after_the_dot_are_obeyed_in_turn() {
    let mut played = writing();
    played.say(b"DATA\r\n");
    played.say(b"Subject: x\r\n\r\nx\r\n.\r\nMAIL FROM:<support@example.test>\r\nNOOP\r\n");
    assert!(played.said.ends_with("seconds\r\n250 2.1.0 Well.\r\n250 2.0.0 Well.\r\n"));
}

/// What ends a conversation, and with which answer. Nothing of it may be kept but what came before.
const SMUGGLED: &[(&[u8], &str)] = &[
    (b"x\n.\n", "554"),
    (b"x\n.\r\n", "554"),
    (b"x\r.\r\n", "554"),
    (b"x\r.\r", "554"),
    (b"x\r\n.\n", "554"),
    (b"x\r\n.\r", "wait"),
    (b"x\r\n.\rMAIL FROM:<a@b>\r\n", "554"),
    (b"x\r\n.\r\r\n", "554"),
    (b"x\r\r\n.\r\r\n", "554"),
    (b"x\r\r\n.\r\n", "554"),
    (b"x\n\n.\r\n", "554"),
    (b"x\r\n\n.\r\n", "554"),
    (b"x\n\r.\r\n", "554"),
    (b"x\n\r\n.\r\n", "554"),
    (b"x\0\r\n.\r\n", "554"),
    (b"x\r\n\0.\r\n", "554"),
    (b"x\r\n.\0\r\n", "554"),
    (b"x\r\0\n.\r\n", "554"),
    (b"\n.\r\n", "554"),
    (b"\r.\r\n", "554"),
    (b".\n", "554"),
    (b".\rx", "554"),
    (b"x\r\n..\n.\r\n", "554"),
    (b"Subject: x\nMAIL FROM:<a@b>\n", "554"),
];

/// Commands behind a recipient that end the conversation.
const SMUGGLED_COMMANDS: &[(&[u8], &str)] = &[
    (b"NOOP\n", "500"),
    (b"NOOP\r", "wait"),
    (b"NOOP\rNOOP\r\n", "500"),
    (b"NOOP\r\r\n", "500"),
    (b"NOOP\0\r\n", "500"),
    (b"\nNOOP\r\n", "500"),
    (b"\rNOOP\r\n", "500"),
    (b"RCPT TO:<c@c.example>\nDATA\r\n", "500"),
    (b"RCPT TO:<c@c.example\nDATA>\r\n", "500"),
    (b"DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n", "503"),
    (b"DATA\n", "500"),
    (b"DATA\r\n.\r\n", "503"),
    (b"BDAT 4\n", "500"),
    (b"BDAT -4\r\nNOOP\r\n", "501"),
    (b"BDAT 4x\r\nNOOP\r\n", "501"),
    (b"BDAT 4 LAST \x0b\r\n", "500"),
    (b"BDAT 18446744073709551617\r\nNOOP\r\n", "501"),
    (b"BDAT 18446744073709551615 LAST\r\nNOOP\r\n", "552"),
    (b"BDAT 4 LAST\r\nx\n.\n", "554"),
    (b"BDAT 3 LAST\r\nx\r\rNOOP\r\n", "554"),
    (b"BDAT 2 LAST\r\nx\r", "554"),
    (b"BDAT 2\r\nx\rBDAT 2 LAST\r\nx\n", "554"),
    (b"BDAT 2\r\n\0\0", "554"),
    (b"RSET\r\nBDAT 6\r\nNOOP\r\n", "503"),
];

#[test]
fn smuggled_mails_and_commands_end_the_conversation() {
    for (bytes, code) in SMUGGLED {
        let mut played = writing();
        played.say(b"DATA\r\n");
        played.said.clear();
        smuggle(played, bytes, code);
    }
    for (bytes, code) in SMUGGLED_COMMANDS {
        smuggle(writing(), bytes, code);
    }
}

#[track_caller]
fn smuggle(mut played: Played, bytes: &[u8], code: &str) {
    // In one piece, and byte by byte; but what pipelining forbids has to come at once.
    let shown = bytes.escape_ascii().to_string();
    played.say(bytes);
    assert_eq!(played.kept.len(), 0, "{shown}");
    match code {
        "wait" => assert!(!played.closed && played.said.is_empty(), "{shown}: {}", played.said),
        code => {
            let last = played.said.lines().last().unwrap_or_default();
            assert!(played.closed && last.starts_with(code), "{shown}: {}", played.said);
        }
    }
}

#[test]
fn everything_has_a_limit() {
    let mut large = writing();
    large.say(b"DATA\r\n");
    for _ in 0..40 {
        large.say(&[b'x'; 100_000]);
    }
    large.say(b"\r\n.\r\n");
    assert!(large.said.contains("552 5.3.4 The mail is too large: 2 MB"), "{}", large.said);
    assert!(!large.closed && large.kept.is_empty() && large.peak < 2_200_000, "{}", large.peak);

    let mut announced = writing();
    announced.say(b"RSET\r\nMAIL FROM:<a@b> SIZE=2000001\r\n");
    assert!(announced.said.contains("552"), "{}", announced.said);

    let mut many = writing();
    many.say(&b"RCPT TO:<d@c.example>\r\n".repeat(3));
    assert!(many.said.contains("452 4.5.3"), "{}", many.said);

    let mut idle = writing();
    idle.say(&b"NOOP\r\n".repeat(21));
    assert!(idle.said.contains("421 4.7.0 Too many commands") && idle.closed);

    let mut wrong = writing();
    wrong.say(&b"XYZZY\r\n".repeat(11));
    assert!(wrong.said.contains("421 4.7.0 Too many errors") && wrong.closed);

    let mut long = writing();
    long.say(&[b'x'; LINE_BYTES_MAX + 1]);
    assert!(long.said.starts_with("500 5.5.6") && long.closed);
}

#[test]
fn a_slow_client_is_not_waited_for() {
    let mut played = played(Wire::Tls);
    played.run();
    assert_eq!(played.session.patience_ends(), MINUTE);
    played.now = MINUTE / 2;
    played.say(b"EH");
    assert_eq!(played.session.patience_ends(), MINUTE, "half a command is none");
    played.say(b"LO pc\r\n");
    assert_eq!(played.session.patience_ends(), played.now + MINUTE);
    played.now = MINUTE + MINUTE / 2;
    played.say(b"NOOP\r\n");
    assert_eq!(played.session.patience_ends(), 2 * MINUTE, "the login has its own time");

    let mut writing = writing();
    writing.say(b"DATA\r\n");
    let first = writing.session.patience_ends();
    writing.now = MINUTE;
    writing.say(b"x");
    assert_eq!(writing.session.patience_ends(), first, "a byte is no progress");
    writing.say(&[b'x'; 70_000]);
    assert_eq!(writing.session.patience_ends(), 4 * MINUTE);
    writing.session.late();
    writing.run();
    assert!(writing.said.ends_with("421 4.4.2 You took too long. Goodbye.\r\n") && writing.closed);
}

/// Words that lead deep into a conversation, and what could upset it there.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let words: Vec<&[u8]> = vec![
        b"EHLO pc\r\n",
        b"AUTH PLAIN AGFuYQBwdw==\r\n",
        b"AUTH LOGIN\r\n",
        b"MAIL FROM:<a@b>\r\n",
        b"RCPT TO:<c@d>\r\n",
        b"DATA\r\n",
        b"BDAT 5\r\n",
        b"BDAT 3 LAST\r\n",
        b"STARTTLS\r\n",
        b"RSET\r\n",
        b"\r\n.\r\n",
        b"\r",
        b"\n",
        b".",
        b"\0",
        b" SIZE=9 RET=HDRS <> \xff",
    ];
    prop_oneof![
        4 => proptest::sample::select(words).prop_map(<[u8]>::to_vec),
        1 => proptest::collection::vec(any::<u8>(), 0..50),
    ]
}

/// An hour with `BATON_LONG=1`, a moment else.
fn cases() -> ProptestConfig {
    let cases = if std::env::var_os("BATON_LONG").is_some() { 20_000_000 } else { 2_000 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_bytes_upset_the_session(
        wire in proptest::sample::select(vec![Wire::Tls, Wire::BeforeTls, Wire::PlainOrTls]),
        ready in any::<bool>(),
        pieces in proptest::collection::vec(piece(), 0..40),
    ) {
        let mut played = if ready { writing() } else { played(wire) };
        for piece in &pieces {
            played.now += Duration::from_secs(1);
            played.say(piece);
        }
        prop_assert!(played.peak <= limits().message_bytes + LINE_BYTES_MAX);
        for (_, raw) in &played.kept {
            prop_assert!(!raw.replace("\r\n", "").contains(['\r', '\n', '\0']));
        }
        prop_assert!(played.said.ends_with("\r\n") || played.said.is_empty());
    }
}
