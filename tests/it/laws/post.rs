//! The mails of the schedules: few people, few subjects, so that they meet.

use baton::mail::message::Message;
use baton::mail::parse::parse;

pub(super) const CUSTOMERS: [&str; 4] =
    ["mia@shop.example", "leo@shop.example", "eve@gmail.com", "kai@mill.example"];
pub(super) const SHARED: &str = "support@example.test";
const SUBJECTS: [&str; 5] =
    ["Broken kettle", "Invoice 77", "Question", "Delivery on Friday", "Kettle again"];

/// What sort of mail it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sort {
    Customer,
    Thanks,
    Robot,
    Reply,
    Internal,
    Draft,
}

#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) id: String,
    pub(super) sort: Sort,
    pub(super) from: String,
    pub(super) subject: String,
    pub(super) references: Vec<String>,
    pub(super) message: Message,
}

/// A mail to be written.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) sort: Sort,
    pub(super) from: String,
    pub(super) to: String,
    /// The `Sender:` of a reply, where the client tells.
    pub(super) sender: Option<String>,
    pub(super) subject: String,
    /// The mail that it answers, with its references or only by its subject.
    pub(super) answers: Option<(usize, bool)>,
}

pub(super) fn subject(number: usize) -> String {
    SUBJECTS[number % SUBJECTS.len()].to_string()
}

/// Writes the letter that is number `number`.
pub(super) fn write(number: usize, letter: &Letter, earlier: &[Mail]) -> Mail {
    let id = format!("m{number}@mail.example");
    let mut head = format!(
        "Message-ID: <{id}>\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\n\
         Date: Mon, 02 Nov 2026 10:00:00 +0000\r\n",
        letter.from, letter.to, letter.subject
    );
    if let Some(sender) = &letter.sender {
        head.push_str(&format!("Sender: {sender}\r\n"));
    }
    if letter.sort == Sort::Robot {
        head.push_str("Auto-Submitted: auto-replied\r\n");
    }
    let mut references = Vec::new();
    if let Some((answered, true)) = letter.answers {
        let answered = &earlier[answered];
        references = answered.references.clone();
        references.push(answered.id.clone());
        let all: Vec<String> = references.iter().map(|id| format!("<{id}>")).collect();
        head.push_str(&format!(
            "In-Reply-To: <{}>\r\nReferences: {}\r\n",
            answered.id,
            all.join("\r\n ")
        ));
    }
    let text = match letter.sort {
        Sort::Thanks => "Thank you!",
        _ => "It does not work. Please tell me what to do about it.",
    };
    let message = parse(format!("{head}\r\n{text}\r\n").as_bytes());
    Mail {
        id,
        sort: letter.sort,
        from: letter.from.clone(),
        subject: letter.subject.clone(),
        references,
        message,
    }
}
