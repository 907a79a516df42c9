//! What a FETCH response says, as values.
//!
//! Servers put what they like into one response, in any order, and send more responses than were asked for; a [`Row`]
//! has what was there, and its reader decides whether that is enough.

use async_imap::imap_proto::{AttributeValue, Response};

use crate::clock::Timestamp;

/// One FETCH response.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) uid: Option<u32>,
    /// Without `\Recent`, which says something about the connection and not about the message.
    pub(super) flags: Option<Vec<String>>,
    pub(super) arrived_at: Option<Timestamp>,
    pub(super) size: Option<u32>,
    /// The header or the beginning of the message; `Some` of nothing where the server said NIL.
    pub(super) raw: Option<Vec<u8>>,
}

/// Reads a FETCH response; `None` when it is another kind of response.
pub(super) fn row(response: &Response<'_>) -> Option<Row> {
    let Response::Fetch(_, attributes) = response else { return None };
    let mut row = Row::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => row.uid = Some(*uid),
            AttributeValue::Flags(flags) => {
                let kept = flags.iter().filter(|flag| !flag.eq_ignore_ascii_case("\\Recent"));
                row.flags = Some(kept.map(|flag| flag.to_string()).collect());
            }
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
