//! What a FETCH response says, as values.
//!
//! Servers put what they like into one response, in any order, and send more responses than were asked for; a [`Row`]
//! has what was there, and its reader decides whether that is enough.

use async_imap::imap_proto::{AttributeValue, Response};

use super::utf7;
use crate::clock::Timestamp;
use crate::desk::label::{self, GmailIds};

/// One FETCH response.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    /// The message's place in the folder, from one.
    pub(super) number: u32,
    pub(super) uid: Option<u32>,
    /// Without `\Recent`, which says something about the connection and not about the message.
    pub(super) flags: Option<Vec<String>>,
    pub(super) arrived_at: Option<Timestamp>,
    pub(super) size: Option<u32>,
    /// X-GM-LABELS as words among the flags ([`crate::desk::label`]); `None` where they were not told, or cannot be read.
    pub(super) labels: Option<Vec<String>>,
    /// X-GM-MSGID and X-GM-THRID.
    pub(super) gmail: (Option<u64>, Option<u64>),
    /// The header or the beginning of the message; `Some` of nothing where the server said NIL.
    pub(super) raw: Option<Vec<u8>>,
}

impl Row {
    /// What the message is marked with. Where labels count, flags alone are not all of it: unsolicited responses leave
    /// them out (G43), and are asked for again.
    pub(super) fn marks(self, labels: bool) -> Option<Vec<String>> {
        match (self.flags, self.labels) {
            (Some(mut flags), Some(words)) if labels => {
                flags.extend(words);
                Some(flags)
            }
            (flags, _) if !labels => flags,
            _ => None,
        }
    }

    /// How Gmail names the message and its conversation.
    pub(super) fn gmail_ids(&self) -> Option<GmailIds> {
        let (message, thread) = self.gmail;
        Some(GmailIds { message: message?, thread: thread? })
    }
}

/// The word of a label as it was sent: an atom, or a quoted string with its backslashes doubled (G35), in modified UTF-7.
fn label_word(sent: &str) -> String {
    // An atom keeps the one backslash of a system label.
    let atom = sent.starts_with('\\') && !sent.starts_with(r"\\");
    let text = if atom { sent.to_owned() } else { utf7::unquote(sent) };
    label::word(&utf7::decode(&text).unwrap_or(text))
}

/// Reads a FETCH response; `None` when it is another kind of response.
pub(super) fn row(response: &Response<'_>) -> Option<Row> {
    let Response::Fetch(number, attributes) = response else { return None };
    let mut row = Row { number: *number, ..Row::default() };
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = Some(*uid),
            AttributeValue::Flags(flags) => {
                let kept = flags.iter().filter(|flag| !flag.eq_ignore_ascii_case("\\Recent"));
                row.flags = Some(kept.map(|flag| flag.to_string()).collect());
            }
            AttributeValue::GmailLabels(labels) => {
                row.labels = Some(labels.iter().map(|sent| label_word(sent)).collect());
            }
            AttributeValue::GmailMsgId(id) => row.gmail.0 = Some(*id),
            AttributeValue::GmailThrId(id) => row.gmail.1 = Some(*id),
            AttributeValue::InternalDate(date) => row.arrived_at = internal_date(date),
            AttributeValue::Rfc822Size(size) => row.size = Some(*size),
            AttributeValue::BodySection { data, .. } => {
                row.raw = Some(data.as_deref().unwrap_or_default().to_vec());
            }
            _ => {}
        }
    }
    Some(row)
}

/// RFC 3501, section 9, `date-time`: ` 1-Nov-2026 10:00:00 +0100`, the day padded with a space or a zero.
fn internal_date(text: &str) -> Option<Timestamp> {
    let at = jiff::fmt::strtime::parse("%d-%b-%Y %H:%M:%S %z", text.trim()).ok()?;
    at.to_timestamp().ok().map(|at| Timestamp(at.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn read(line: &[u8]) -> Option<Row> {
        let (rest, response) = Response::parse(line).unwrap();
        assert!(rest.is_empty());
        row(&response)
    }

    #[test]
    fn a_response_is_read_in_any_order() {
        let row = read(
            b"* 3 FETCH (FLAGS (\\Recent \\Seen baton-ana) UID 7 RFC822.SIZE 44 \
              INTERNALDATE \" 1-Nov-2026 10:00:00 +0100\" MODSEQ (9))\r\n",
        )
        .unwrap();
        assert_eq!(row.uid, Some(7));
        assert_eq!(row.flags, Some(vec!["\\Seen".to_owned(), "baton-ana".to_owned()]));
        assert_eq!(row.size, Some(44));
        assert_eq!(row.arrived_at, Timestamp::parse("2026-11-01T09:00:00Z"));
        assert_eq!(row.raw, None);
    }

    #[test]
    fn labels_are_read_in_every_form() {
        let labels = |sent: &str| {
            let line = format!("* 3 FETCH (UID 7 FLAGS (\\Seen) X-GM-LABELS {sent})\r\n");
            read(line.as_bytes()).unwrap().marks(true)
        };
        let words = |list: &[&str]| {
            let words = list.iter().map(|name| label::word(name));
            Some(std::iter::once("\\Seen".to_owned()).chain(words).collect::<Vec<_>>())
        };
        assert_eq!(labels(r"(\Inbox Important)"), words(&[r"\Inbox", "Important"]));
        let quoted = r#"("\\Inbox" "Webserver (RW.net)" GInbox)"#;
        assert_eq!(labels(quoted), words(&[r"\Inbox", "Webserver (RW.net)", "GInbox"]));
        let odd = r#"("Baton/J&APw-rgen" ~a +b [c])"#;
        assert_eq!(labels(odd), words(&["Baton/Jürgen", "~a", "+b", "[c]"]));
        assert_eq!(labels("()"), words(&[]));
        let told = read(b"* 3 FETCH (UID 7 FLAGS (\\Seen))\r\n").unwrap();
        assert_eq!(told.clone().marks(true), None);
        assert_eq!(told.marks(false), Some(vec!["\\Seen".to_owned()]));
    }

    #[test]
    fn a_body_is_the_bytes_and_nil_is_nothing() {
        let row = read(b"* 3 FETCH (UID 7 BODY[]<0> {5}\r\na\r\n\xffb)\r\n").unwrap();
        assert_eq!(row.raw.as_deref(), Some(&b"a\r\n\xffb"[..]));
        let row = read(b"* 3 FETCH (UID 7 BODY[HEADER] NIL)\r\n").unwrap();
        assert_eq!(row.raw.as_deref(), Some(&b""[..]));
        assert_eq!(read(b"* 3 EXPUNGE\r\n"), None);
    }

    #[test]
    fn dates_are_read_as_servers_write_them() {
        let at = Timestamp::parse("2026-11-01T09:00:00Z");
        assert_eq!(internal_date("01-Nov-2026 09:00:00 +0000"), at);
        assert_eq!(internal_date(" 1-Nov-2026 04:00:00 -0500"), at);
        assert_eq!(internal_date("1-Nov-2026 09:00:00 +0000"), at);
        assert_eq!(internal_date("yesterday"), None);
    }
}
