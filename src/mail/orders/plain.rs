//! The first lines of plain text.

use super::{Found, is_order, tidy};
use crate::mail::words;

/// How an OpenPGP signature over plain text begins (RFC 9580, section 7).
const ARMOUR: &str = "-----BEGIN PGP SIGNED MESSAGE-----";

/// Whether the text is signed in itself.
pub(super) fn is_signed(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(ARMOUR.as_bytes())
}

/// The lines for Baton at the top. Text that is `flowed` goes on in the next line where a line ends with a blank (RFC 3676).
pub(super) fn find(text: &[u8], flowed: bool) -> Found {
    let mut found = Found::default();
    let begin = if is_signed(text) { behind_armour(text) } else { 0 };
    let mut at = begin;
    let mut was_blank = false;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let (line, length) = line(rest, flowed);
        if length > 0 && tidy(&line).is_empty() {
            (at, was_blank) = (at + length, true);
            continue;
        }
        if length == 0 || !is_order(&line) {
            found.text_follows = length > 0 && !was_blank;
            break;
        }
        found.lines.push(tidy(&line));
        (at, was_blank) = (at + length, false);
    }
    if !found.lines.is_empty() {
        found.cuts.push(begin..at);
    }
    found
}

/// One line, and how many bytes it has with its end.
fn line(text: &[u8], flowed: bool) -> (String, usize) {
    let mut whole = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
        let line = rest.get(..length).unwrap_or_default();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        whole.extend_from_slice(line);
        at += length;
        let goes_on = flowed && line.ends_with(b" ") && line != b"-- " && length > 0;
        // Only a line for Baton needs to be whole.
        if !goes_on || !whole.trim_ascii_start().starts_with(b"#") {
            return (words::guess(&whole), at);
        }
    }
}

fn behind_armour(text: &[u8]) -> usize {
    let blank = text.windows(4).position(|four| four == b"\r\n\r\n");
    blank.map_or(0, |at| at + 4)
}
