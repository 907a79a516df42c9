//! Mail as it comes to a support address: plain, with HTML, with attachments; some of it answers to earlier mail.

use std::fmt::Write as _;

const WORDS: &[&str] = &[
    "kettle", "order", "invoice", "since", "Tuesday", "the", "a", "broken", "please", "could",
    "you", "send", "we", "our", "delivery", "address", "changed", "refund", "account", "cannot",
    "log", "in", "anymore", "thank", "for", "your", "help", "with", "this", "matter", "regards",
    "number", "still", "waiting", "answer", "before", "week", "team", "product", "warranty",
];

/// A sequence that looks random and is the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end.max(1)
    }
}

fn prose(dice: &mut Dice, words: u64) -> String {
    let mut text = String::new();
    for count in 0..words {
        text.push_str(WORDS[dice.below(WORDS.len() as u64) as usize]);
        text.push_str(if count % 11 == 10 { ".\r\n" } else { " " });
    }
    text
}

/// The Message-ID of a letter.
pub(crate) fn id(number: u64) -> String {
    format!("letter-{number}.{}@customer{}.example", number * 7919, number % 997)
}

fn header(dice: &mut Dice, number: u64, answers: Option<u64>) -> String {
    let customer = answers.unwrap_or(number);
    let mut text = String::new();
    for hop in 0..4 {
        let _ = write!(
            text,
            "Received: from mx{hop}.customer{0}.example (mx{hop}.customer{0}.example [192.0.2.{hop}])\r\n\
             \tby mail.example.test with ESMTPS id {1:016x}\r\n\
             \t(version=TLS1_3 cipher=TLS_AES_256_GCM_SHA384);\r\n\tMon, 02 Nov 2026 10:00:0{hop} +0000\r\n",
            customer % 997,
            dice.below(u64::MAX),
        );
    }
    let _ = write!(
        text,
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer{}.example; s=k1;\r\n\
         \th=from:to:subject:date:message-id; bh={:043x}=;\r\n\tb={:0300x}\r\n",
        customer % 997,
        dice.below(u64::MAX),
        dice.below(u64::MAX),
    );
    let subject = if answers.is_some() { "Re: My order" } else { "My order" };
    let _ = write!(
        text,
        "From: Customer {customer} <person{customer}@customer{}.example>\r\nTo: Support <support@example.test>\r\n\
         Subject: {subject} {customer}: {}\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{}>\r\n",
        customer % 997,
        WORDS[(customer % WORDS.len() as u64) as usize],
        id(number),
    );
    if let Some(earlier) = answers {
        let _ = write!(text, "In-Reply-To: <{0}>\r\nReferences: <{0}>\r\n", id(earlier));
    }
    text.push_str("MIME-Version: 1.0\r\n");
    text
}

/// A letter; every fourth answers an earlier one.
pub(crate) fn letter(number: u64) -> Vec<u8> {
    let answers = (number % 4 == 3).then(|| number - number % 4);
    letter_answering(number, answers)
}

/// A letter of one line.
pub(crate) fn short(number: u64) -> Vec<u8> {
    let mut text = header(&mut Dice::new(number + 1), number, None);
    text.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\nWhere is my order?\r\n");
    text.into_bytes()
}

/// A letter that answers the other one.
pub(crate) fn letter_answering(number: u64, answers: Option<u64>) -> Vec<u8> {
    let mut dice = Dice::new(number + 1);
    let mut text = header(&mut dice, number, answers);
    let prose = |dice: &mut Dice, words| prose(dice, words);
    let size = 60 + dice.below(200);
    match number % 20 {
        0..=11 => {
            text.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\n");
            text.push_str(&prose(&mut dice, size));
        }
        12..=18 => {
            text.push_str("Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\n");
            text.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\n");
            let plain = prose(&mut dice, size);
            let html = plain.replace("\r\n", "</p>\r\n<p style=\"margin:0;font-family:Calibri\">");
            let _ = write!(
                text,
                "{plain}\r\n--b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
                 <html><head><style>p {{ margin: 0 }}</style></head><body><p>{html}</p></body></html>\r\n--b1--\r\n"
            );
        }
        _ => {
            text.push_str("Content-Type: multipart/mixed; boundary=\"b2\"\r\n\r\n--b2\r\n");
            text.push_str("Content-Type: text/plain; charset=utf-8\r\n\r\n");
            text.push_str(&prose(&mut dice, size));
            text.push_str("\r\n--b2\r\nContent-Type: image/jpeg; name=\"photo.jpg\"\r\n");
            text.push_str("Content-Disposition: attachment; filename=\"photo.jpg\"\r\n");
            text.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
            for _ in 0..(200 + dice.below(800)) {
                let _ = write!(text, "{:016x}", dice.below(u64::MAX));
                text.push_str("AAAAABBBBBCCCCCDDDDDEEEEEFFFFFGGGGGHHHHHIIIIIJJJJJ\r\n");
            }
            text.push_str("--b2--\r\n");
        }
    }
    text.into_bytes()
}
