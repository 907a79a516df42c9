//! What sort of message it is. A stand-in that takes everything for human.

use super::message::{Bounce, Kind};

/// What was found out, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The sort.
    pub kind: Kind,
    /// Why, naming the header or the part.
    pub reason: String,
    /// The delivery report, when it is one.
    pub bounce: Option<Bounce>,
    /// Whether an automatic answer may be sent.
    pub may_answer_automatically: bool,
}

/// Judges a message by its header, parts and text.
pub fn of(_message: &mail_parser::Message<'_>, _raw: &[u8], _text: &str) -> Finding {
    Finding {
        kind: Kind::Human,
        reason: "nothing says otherwise".to_owned(),
        bounce: None,
        may_answer_automatically: true,
    }
}
