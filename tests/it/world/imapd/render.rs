//! How values look on the wire.

use super::dialect::Session;
use super::utf7;

/// A quoted string; the text must hold no line end.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A string: quoted if it can be, otherwise a literal.
pub(crate) fn string(bytes: &[u8], out: &mut Vec<u8>) {
    let plain = |byte: &u8| (b' '..=b'~').contains(byte);
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(plain) && bytes.len() < 1000 => {
            out.extend_from_slice(quoted(text).as_bytes());
        }
        _ => literal(bytes, out),
    }
}

pub(crate) fn literal(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{{}}}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
}

/// A string, or NIL.
pub(crate) fn nstring(bytes: Option<&[u8]>, out: &mut Vec<u8>) {
    match bytes {
        Some(bytes) => string(bytes, out),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// A name as it travels: in modified UTF-7, or as it is once the client has enabled UTF-8.
pub(crate) fn wire_name(name: &str, session: &Session) -> String {
    if session.utf8 { name.to_owned() } else { utf7::encode(name) }
}

/// The name that a client has sent; as it is if it is no modified UTF-7.
pub(crate) fn plain_name(wire: &str, session: &Session) -> String {
    let decoded = if session.utf8 { None } else { utf7::decode(wire) };
    decoded.unwrap_or_else(|| wire.to_owned())
}

/// `(\Seen work)`
pub(crate) fn parenthesised<T: AsRef<str>>(words: &[T]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    format!("({})", words.join(" "))
}

/// RFC 3501 date-time, always in UTC.
pub(crate) fn date_time(moment: jiff::Timestamp) -> String {
    moment.strftime("%d-%b-%Y %H:%M:%S +0000").to_string()
}

/// Reads a date-time; a one-figure day may have a blank before it.
pub(crate) fn parse_date_time(text: &str) -> Option<jiff::Timestamp> {
    jiff::Timestamp::strptime("%d-%b-%Y %H:%M:%S %z", text.trim_start()).ok()
}
