//! Gmail labels as words among a message's flags, so that whoever compares flags compares labels as well.
//!
//! A word is `%` and the label, with everything that cannot stand in a list of words written as `%XX`. No flag and no
//! keyword begins with `%` (RFC 9051, section 9, `atom-specials`), so the two are never taken for each other.

use crate::desk::marks::Place;

/// How Gmail names a message, the same in every folder, and its conversation (G33, G44).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GmailIds {
    /// X-GM-MSGID.
    pub message: u64,
    /// X-GM-THRID.
    pub thread: u64,
}

impl GmailIds {
    /// What a message is found by through its conversation.
    pub fn reference(self) -> String {
        format!("gmail-thread {}", self.thread)
    }
}

/// What every label's word begins with.
const SIGN: char = '%';

/// The word of a label; system labels keep their backslash, as in `\Inbox`.
pub fn word(label: &str) -> String {
    let mut word = String::with_capacity(label.len() + 1);
    word.push(SIGN);
    for letter in label.chars() {
        match letter {
            '%' => word.push_str("%25"),
            _ if letter.is_whitespace() || letter.is_control() => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    word.push_str(&format!("%{byte:02X}"));
                }
            }
            _ => word.push(letter),
        }
    }
    word
}

/// The label of a word; `None` of a flag or a keyword.
pub fn label(word: &str) -> Option<String> {
    let written = word.strip_prefix(SIGN)?;
    let mut pieces = written.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(code, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Where a message in All Mail is, by its labels: a mail that has lost `\Inbox` was archived.
pub fn place(words: &[String]) -> Place {
    let has = |label: &str| {
        words.iter().any(|word| {
            word.strip_prefix(SIGN).is_some_and(|written| written.eq_ignore_ascii_case(label))
        })
    };
    if has("\\Draft") || has("\\Drafts") {
        Place::Drafts
    } else if has("\\Sent") {
        Place::Sent
    } else if has("\\Inbox") {
        Place::Inbox
    } else {
        Place::Archive
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_as_it_was_written() {
        for name in ["\\Inbox", "Baton/Ana Roe", "100 %", "Grüße\u{a0}x", "~a+[b]", ""] {
            let word = word(name);
            assert!(!word.contains(char::is_whitespace), "{word}");
            assert_eq!(label(&word).as_deref(), Some(name));
        }
        assert_eq!(label("baton-ana"), None);
        assert_eq!(label("\\Seen"), None);
        assert_eq!(label("%a%2"), None);
    }

    #[test]
    fn labels_say_where_a_message_is() {
        let at = |labels: &[&str]| place(&labels.iter().map(|one| word(one)).collect::<Vec<_>>());
        assert_eq!(at(&["\\Inbox", "x"]), Place::Inbox);
        assert_eq!(at(&["\\Inbox", "\\Sent"]), Place::Sent);
        assert_eq!(at(&["\\Draft"]), Place::Drafts);
        assert_eq!(at(&["x"]), Place::Archive);
    }
}
