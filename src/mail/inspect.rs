//! What `baton inspect` prints of one file: everything that was understood, in a fixed order.

use serde::Serialize;

use super::message::Message;
use super::parse::parse;

/// One line of `baton inspect --json`. The order of the fields is that of [`Message`], after the file's name.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// The file as it was named.
    pub file: String,
    /// What was understood.
    #[serde(flatten)]
    pub message: Message,
}

/// Understands the bytes of one file.
pub fn inspect(file: &str, raw: &[u8]) -> Inspection {
    Inspection { file: file.to_owned(), message: parse(raw) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_come_in_their_order() {
        let line = serde_json::to_string(&inspect("a.eml", b"From: a@x\n\nhi")).unwrap();
        let order = [
            "file",
            "message_id",
            "in_reply_to",
            "references",
            "from",
            "to",
            "cc",
            "reply_to",
            "subject",
            "base_subject",
            "date",
            "kind",
            "kind_reason",
            "bounce",
            "may_answer_automatically",
            "text",
            "new_text",
            "forwarded",
            "attachments",
            "unreadable",
            "problems",
        ];
        let places: Vec<usize> =
            order.iter().map(|key| line.find(&format!("\"{key}\":")).unwrap()).collect();
        assert!(places.is_sorted(), "{line}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&line).unwrap().as_object().unwrap().len(),
            order.len()
        );
    }
}
