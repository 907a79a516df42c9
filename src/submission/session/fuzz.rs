//! The conversation with clients that say anything: transcripts of real ones, mutated from a seed.
//!
//! For a second in CI; `BATON_LONG=1 BATON_MINUTES=60 cargo test --lib session::fuzz -- --nocapture` for an hour.
//! `BATON_SEED=n` tells the same story again.

use std::time::Instant;

use super::tests::{Played, played};
use super::*;

/// What mail clients say: smtplib, msmtp, swaks with BDAT, Thunderbird, Outlook, Gmail's "send mail as", a phone.
const TRANSCRIPTS: [&[u8]; 8] = [
    b"ehlo [127.0.1.1]\r\nAUTH PLAIN AGFuYQBwdw==\r\nmail FROM:<support@example.test> size=120\r\nrcpt TO:<c@c.example>\r\ndata\r\n\
      Subject: Re: x\r\n\r\n..dot\r\n.\r\nquit\r\n",
    b"EHLO localhost\r\nAUTH PLAIN\r\nAGFuYQBwdw==\r\nMAIL FROM:<support@example.test>\r\nRCPT TO:<c@c.example>\r\nDATA\r\n\
      Subject: x\r\n\r\nx\r\n.\r\nQUIT\r\n",
    b"EHLO pc\r\nAUTH LOGIN\r\nYW5h\r\ncHc=\r\nMAIL FROM:<support@example.test> BODY=8BITMIME SMTPUTF8\r\nRCPT TO:<c@c.example>\r\n\
      BDAT 14\r\nSubject: x\r\n\r\nBDAT 3 LAST\r\nx\r\nRSET\r\nQUIT\r\n",
    b"EHLO [192.168.1.7]\r\nAUTH PLAIN AGFuYQBwdw==\r\nMAIL FROM:<support@example.test> BODY=8BITMIME SIZE=388\r\n\
      RCPT TO:<c@c.example>\r\nRCPT TO:<d@c.example>\r\nDATA\r\nFrom: support@example.test\r\nSubject: \xc3\xa4\r\n\r\n\xc3\xa4\xff\r\n.\r\nQUIT\r\n",
    b"EHLO DESKTOP-9\r\nAUTH LOGIN YW5h\r\ncHc=\r\nMAIL FROM: <support@example.test>\r\nRCPT TO: <c@c.example>\r\nDATA\r\nx: y\r\n\r\n.\r\nRSET\r\n",
    b"EHLO mail-ed1-f41.google.com\r\nSTARTTLS\r\nEHLO mail-ed1-f41.google.com\r\nAUTH PLAIN AGFuYQBwdw==\r\n\
      MAIL FROM:<support@example.test> RET=HDRS ENVID=QQ314159\r\nRCPT TO:<c@c.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;c@c.example\r\n\
      DATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n",
    b"HELO phone\r\nNOOP\r\nVRFY ana\r\nEXPN list\r\nHELP\r\nRSET\r\nMAIL FROM:<>\r\nAUTH CRAM-MD5\r\n*\r\nAUTH PLAIN =\r\nQUIT\r\n",
    b"EHLO x\r\nAUTH PLAIN AGFuYQB3cm9uZw==\r\nAUTH PLAIN\r\n*\r\nAUTH PLAIN AGFuYQBwdw==\r\nMAIL FROM:<boss@example.test>\r\n\
      MAIL FROM:<\"a b\"@example.test>\r\nRCPT TO:<@relay,@other:c@c.example>\r\nRCPT TO:<c@[127.0.0.1]>\r\nDATA\r\n.\r\nBDAT 0 LAST\r\n",
];

/// What is put where it does not belong.
const SCRAPS: [&[u8]; 28] = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n.\r\n",
    b"\n.\n",
    b"\r.\r",
    b"\r\n.\n",
    b"\n.\r\n",
    b"\0",
    b" ",
    b"<",
    b">",
    b"\"",
    b"\\",
    b"\xff\xfe",
    b"\xe2\x80\xa8",
    b"\x7f",
    b"\t",
    b"BDAT 18446744073709551615\r\n",
    b"BDAT -1\r\n",
    b"BDAT 5 LAST\r\n",
    b"DATA\r\n",
    b"RSET\r\n",
    b"STARTTLS\r\n",
    b"MAIL FROM:<support@example.test>\r\n",
    b"RCPT TO:<c@c.example>\r\n",
    b"AUTH PLAIN AGFuYQBwdw==\r\n",
    b"EHLO x\r\n",
];

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

fn mutated(dice: &mut Dice) -> Vec<u8> {
    let mut said = TRANSCRIPTS[dice.below(TRANSCRIPTS.len())].to_vec();
    for _ in 0..dice.below(6) {
        let at = dice.below(said.len() + 1);
        let to = (at + dice.below(40)).min(said.len());
        match dice.below(8) {
            0 => drop(said.splice(at..at, SCRAPS[dice.below(SCRAPS.len())].iter().copied())),
            1 => drop(said.splice(at..to, SCRAPS[dice.below(SCRAPS.len())].iter().copied())),
            2 => drop(said.drain(at..to)),
            3 => {
                let piece = said[at..to].to_vec();
                drop(said.splice(at..at, piece));
            }
            4 if at < said.len() => said[at] ^= 1 << dice.below(8),
            5 => {
                let many = vec![said.get(at).copied().unwrap_or(b'x'); dice.below(13_000)];
                drop(said.splice(at..at, many));
            }
            6 => {
                let other = TRANSCRIPTS[dice.below(TRANSCRIPTS.len())];
                said.extend_from_slice(&other[dice.below(other.len())..]);
            }
            _ => said.truncate(to),
        }
    }
    said
}

/// What holds of every conversation, whatever was said.
#[track_caller]
fn is_sound(played: &Played) {
    for line in played.said.split_terminator("\r\n") {
        let (code, rest) = line.split_at_checked(3).unwrap_or_default();
        assert!(code.bytes().all(|digit| digit.is_ascii_digit()), "{line:?}");
        assert!(rest.starts_with([' ', '-']) && !rest.contains(char::is_control), "{line:?}");
    }
    assert!(played.said.ends_with("\r\n"), "half a line was said");
    assert!(played.peak <= 2_000_000 + 4 * AUTH_BYTES_MAX, "{} bytes were held", played.peak);
    for (envelope, raw) in &played.kept {
        let lines = raw.replace("\r\n", "");
        assert!(!lines.contains(['\r', '\n', '\0']), "kept: {raw:?}");
        assert!(raw.is_empty() || raw.ends_with("\r\n"), "kept: {raw:?}");
        assert!((1..=3).contains(&envelope.to.len()), "{envelope:?}");
        let names =
            envelope.to.iter().map(|to| to.address.as_str()).chain([envelope.from.as_str()]);
        for name in names {
            assert!(!name.contains(|letter: char| letter.is_control()), "{envelope:?}");
            assert!(!name.contains(['<', '>']), "{envelope:?}");
        }
        assert!(played.said.contains("235 2.7.0"), "kept for a stranger: {raw:?}");
    }
}

fn one(dice: &mut Dice) -> usize {
    let wires = [Wire::Tls, Wire::BeforeTls, Wire::Plain, Wire::PlainOrTls];
    let mut played = played(wires[dice.below(wires.len())]);
    played.say(b"");
    let said = mutated(dice);
    let mut rest = said.as_slice();
    while !rest.is_empty() {
        let most = if dice.below(2) == 0 { 3 } else { 4096 };
        let (now, later) = rest.split_at((1 + dice.below(most)).min(rest.len()));
        played.say(now);
        rest = later;
    }
    match dice.below(8) {
        0 => played.session.late(),
        1 => played.session.stop(),
        _ => {}
    }
    played.say(b"");
    is_sound(&played);
    played.kept.len()
}

#[test]
#[allow(clippy::disallowed_methods, reason = "the long form ends after a time")]
fn whatever_is_said_nothing_breaks_and_nothing_is_smuggled() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let long = number("BATON_LONG").is_some_and(|times| 0 < times);
    let minutes = number("BATON_MINUTES").unwrap_or(60);
    let begun = Instant::now();
    let now = jiff::Timestamp::now().as_second().unsigned_abs();
    let seed = number("BATON_SEED").unwrap_or(now);
    eprintln!("session fuzz: BATON_SEED={seed}");
    let mut dice = Dice(seed);
    let (mut conversations, mut kept) = (0_u64, 0_usize);
    let goes_on = |conversations: u64| match long {
        true => begun.elapsed() < Duration::from_secs(60 * minutes),
        false => conversations < 3_000,
    };
    while goes_on(conversations) {
        kept += one(&mut dice);
        conversations += 1;
    }
    eprintln!("session fuzz: {conversations} conversations, {kept} mails kept");
    assert!(0 < kept, "nothing was ever kept, so nothing was tried");
}
