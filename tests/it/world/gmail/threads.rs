//! Which conversation a message joins (point 19): that of a message it refers to, if the subject is still the same.
//!
//! T3. Gmail also joins by recipients within some days; nobody knows the rule well enough to copy it.

use super::super::imapd::{mime, search};
use super::account::Account;

/// How many messages a conversation may have.
pub(crate) const LONGEST: usize = 100;

/// The X-GM-THRID of the conversation that the message joins, if it joins one.
pub(crate) fn joins(account: &Account, message: &[u8]) -> Option<u64> {
    let subject = base_subject(message);
    let named = [field(message, "references"), field(message, "in-reply-to")].concat();
    // The newest reference counts most; it is the last.
    for reference in ids(&named).into_iter().rev() {
        let parents = account.store.mails.values();
        let parent =
            parents.rev().find(|mail| ids(&field(&mail.bytes, "message-id")).contains(&reference));
        let Some(parent) = parent else { continue };
        let Some(letter) = account.letters.get(&parent.id) else { continue };
        let length = account.letters.values().filter(|one| one.thread == letter.thread).count();
        if base_subject(&parent.bytes) == subject && length < LONGEST {
            return Some(letter.thread);
        }
    }
    None
}

/// A header field, unfolded; empty if there is none.
pub(crate) fn field(message: &[u8], name: &str) -> String {
    let header = &message[..mime::header_length(message)];
    mime::header_value(header, name).unwrap_or_default()
}

fn ids(value: &str) -> Vec<String> {
    let pieces = value.split('<').skip(1).filter_map(|piece| piece.split_once('>'));
    pieces.map(|(id, _)| id.to_owned()).collect()
}

/// The subject without what answering and forwarding put before it. `Sv:` and other languages are not known (T2).
fn base_subject(message: &[u8]) -> String {
    let subject = search::decoded(field(message, "subject").as_bytes()).to_lowercase();
    let mut rest = subject.trim();
    loop {
        let stripped = ["re:", "fwd:", "fw:"].iter().find_map(|prefix| rest.strip_prefix(prefix));
        match stripped {
            Some(stripped) => rest = stripped.trim_start(),
            None => return rest.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}
