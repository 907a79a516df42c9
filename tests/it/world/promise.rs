//! Promise 3 of the test world: what Baton may never say to a server, held against the whole recording.
//!
//! It never reads without PEEK, never marks as read, never removes a message that it has not just copied to
//! its new place, never asks for UNSEEN, and in shadow mode never writes at all.

use std::collections::{BTreeMap, BTreeSet};

use super::proxy::{Line, Side, first_string};

/// Whether Baton was allowed to write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Run,
    Shadow,
}

/// Commands that read only, whatever follows them. FETCH and EXAMINE are looked at on their own.
const READING: [&str; 21] = [
    "CAPABILITY",
    "LOGIN",
    "AUTHENTICATE",
    "ID",
    "ENABLE",
    "LIST",
    "LSUB",
    "EXAMINE",
    "STATUS",
    "SEARCH",
    "FETCH",
    "IDLE",
    "DONE",
    "NOTIFY",
    "NOOP",
    "UNSELECT",
    "CLOSE",
    "LOGOUT",
    "NAMESPACE",
    "CHECK",
    "‹ANSWER›",
];

/// Every broken promise in the recording, in words.
pub(crate) fn broken(recording: &[Line], mode: Mode) -> Vec<String> {
    let mut connections: BTreeMap<usize, Connection> = BTreeMap::new();
    let mut made = BTreeSet::new();
    let mut broken = Vec::new();
    for line in recording {
        let connection = connections.entry(line.connection).or_default();
        let complaint = match line.side {
            Side::Server => {
                connection.hears(&line.text, &mut made);
                None
            }
            Side::Client => connection.says(line, mode, &made),
        };
        if let Some(why) = complaint {
            let folder = line.folder.as_deref().unwrap_or("no folder");
            broken.push(format!(
                "{why}: `{}` in {folder} (connection {})",
                line.text, line.connection
            ));
        }
    }
    broken
}

/// What matters of one connection's past.
#[derive(Default)]
struct Connection {
    /// Opened for writing.
    writable: bool,
    /// Tag, folder and target of the commands whose answer may name new UIDs.
    pending: BTreeMap<String, Pending>,
    /// The messages just copied away from a folder.
    copied: BTreeSet<(String, u32)>,
    /// From which folder to which messages are being moved.
    moving: Option<(String, String)>,
}

struct Pending {
    folder: String,
    kind: Creates,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Creates {
    ByCopy,
    ByAppend,
}

/// A message that Baton made itself: folder and UID.
type Made = BTreeSet<(String, u32)>;

impl Connection {
    /// Learns from a tagged OK which messages are Baton's own and which have a copy elsewhere.
    fn hears(&mut self, text: &str, made: &mut Made) {
        self.moves(text, made);
        let Some((tag, rest)) = text.split_once(' ') else { return };
        let Some(pending) = self.pending.remove(tag) else { return };
        let Some((_, code)) = rest.strip_prefix("OK ").and_then(|rest| rest.split_once('[')) else {
            return;
        };
        let code = code.split(']').next().unwrap_or_default();
        let words: Vec<&str> = code.split(' ').collect();
        match (pending.kind, words.as_slice()) {
            (Creates::ByAppend, ["APPENDUID", _, uids]) => {
                made.extend(uids_of(uids).into_iter().map(|uid| (pending.folder.clone(), uid)));
            }
            (Creates::ByCopy, ["COPYUID", _, from, _]) => {
                let from = uids_of(from).into_iter();
                self.copied.extend(from.map(|uid| (pending.folder.clone(), uid)));
            }
            _ => {}
        }
    }

    /// What Baton made stays its own where it moves it, if the server tells where that is; in an untagged OK or in the tagged
    /// one (RFC 6851, section 4.3).
    fn moves(&mut self, text: &str, made: &mut Made) {
        let Some((from, to)) = &self.moving else { return };
        let code = text.split_once("[COPYUID ").and_then(|(_, rest)| rest.split_once(']'));
        let Some((code, _)) = code else { return };
        if let [_, old, new] = code.split(' ').collect::<Vec<_>>()[..] {
            for (old, new) in uids_of(old).into_iter().zip(uids_of(new)) {
                if made.remove(&(from.clone(), old)) {
                    made.insert((to.clone(), new));
                }
            }
        }
    }

    /// Judges a command.
    fn says(&mut self, line: &Line, mode: Mode, made: &Made) -> Option<&'static str> {
        let words: Vec<&str> = line.text.split(' ').collect();
        let by_uid = words.get(1).is_some_and(|word| word.eq_ignore_ascii_case("UID"));
        let at = if words.len() == 1 { 0 } else { 1 + usize::from(by_uid) };
        let verb = words.get(at).unwrap_or(&"").to_ascii_uppercase();
        let arguments = words.get(at + 1..).unwrap_or_default();
        let rest = arguments.join(" ");
        let upper = rest.to_ascii_uppercase();
        self.remembers(&words, &verb, &rest, line);
        if mode == Mode::Shadow && !READING.contains(&verb.as_str()) {
            return Some("shadow mode writes");
        }
        match verb.as_str() {
            "FETCH" if reads_aloud(&upper) => Some("a FETCH that marks as read"),
            "SEARCH" if asks_for_unread(&upper) => Some("UNSEEN is searched"),
            "STATUS" | "LIST" if upper.contains("UNSEEN") => Some("UNSEEN is asked for"),
            // A copy of our own mail in Sent is read already, as with every mail client.
            "APPEND" if is_sent(&first_string(&rest)) => None,
            "STORE" | "APPEND" if upper.contains("\\SEEN") => Some("\\Seen is set"),
            "STORE" if replaces_flags(arguments) => Some("all flags are replaced"),
            "STORE" if upper.contains("\\DELETED") && !upper.contains("-FLAGS") => self
                .must_be_ours(
                    by_uid,
                    line,
                    arguments,
                    made,
                    "\\Deleted on a message not just copied",
                ),
            "EXPUNGE" if !by_uid => Some("an EXPUNGE of whatever is deleted"),
            "EXPUNGE" => self.must_be_ours(
                by_uid,
                line,
                arguments,
                made,
                "EXPUNGE of a message not just copied",
            ),
            "CLOSE" if self.writable => Some("a CLOSE that expunges"),
            "DELETE" | "RENAME" => Some("a folder is taken away"),
            _ => None,
        }
    }

    fn remembers(&mut self, words: &[&str], verb: &str, rest: &str, line: &Line) {
        let tag = (*words.first().unwrap_or(&"")).to_owned();
        match verb {
            "SELECT" => self.writable = true,
            "EXAMINE" => self.writable = false,
            "COPY" => {
                let folder = line.folder.clone().unwrap_or_default();
                self.pending.insert(tag, Pending { folder, kind: Creates::ByCopy });
            }
            "MOVE" => {
                let target = rest.split_once(' ').map_or("", |(_, target)| target);
                let folder = line.folder.clone().unwrap_or_default();
                self.moving = Some((folder, first_string(target)));
            }
            "APPEND" => {
                let pending = Pending { folder: first_string(rest), kind: Creates::ByAppend };
                self.pending.insert(tag, pending);
            }
            _ => {}
        }
        // "Just" ends when the connection turns to another folder.
        if matches!(verb, "SELECT" | "EXAMINE" | "UNSELECT" | "CLOSE") {
            self.copied.clear();
        }
    }

    fn must_be_ours(
        &self,
        by_uid: bool,
        line: &Line,
        arguments: &[&str],
        made: &Made,
        why: &'static str,
    ) -> Option<&'static str> {
        let folder = line.folder.clone().unwrap_or_default();
        let uids = uids_of(arguments.first().unwrap_or(&""));
        let ours = |uid: &u32| {
            let message = (folder.clone(), *uid);
            self.copied.contains(&message) || made.contains(&message)
        };
        (!by_uid || uids.is_empty() || !uids.iter().all(ours)).then_some(why)
    }
}

/// Whether a folder is the one for sent mail, as the worlds call it.
fn is_sent(folder: &str) -> bool {
    ["Sent", "Sent Items", "[Gmail]/Sent Mail"].contains(&folder)
}

fn reads_aloud(items: &str) -> bool {
    items.split([' ', '(', ')']).any(|item| {
        item.starts_with("BODY[")
            || item.starts_with("BINARY[")
            || item == "RFC822"
            || item == "RFC822.TEXT"
    })
}

fn asks_for_unread(keys: &str) -> bool {
    keys.split([' ', '(', ')']).any(|key| matches!(key, "UNSEEN" | "NEW" | "RECENT"))
}

fn replaces_flags(arguments: &[&str]) -> bool {
    arguments.iter().any(|word| {
        let word = word.to_ascii_uppercase();
        matches!(word.as_str(), "FLAGS" | "FLAGS.SILENT" | "X-GM-LABELS" | "X-GM-LABELS.SILENT")
    })
}

/// The UIDs of a set such as `3,7:9`; empty when it has no end (`5:*`) or is none.
pub(crate) fn uids_of(set: &str) -> Vec<u32> {
    let mut uids = Vec::new();
    for part in set.split(',') {
        let (first, last) = part.split_once(':').unwrap_or((part, part));
        match (first.parse::<u32>(), last.parse::<u32>()) {
            (Ok(first), Ok(last)) if last.abs_diff(first) < 1_000_000 => {
                uids.extend(first.min(last)..=first.max(last));
            }
            _ => return Vec::new(),
        }
    }
    uids
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn said(lines: &[&str], mode: Mode) -> Vec<String> {
        let lines: Vec<Line> = lines
            .iter()
            .map(|text| {
                let (side, text) = match text.strip_prefix("S ") {
                    Some(text) => (Side::Server, text),
                    None => (Side::Client, *text),
                };
                let folder = Some("INBOX".to_owned());
                Line { connection: 1, side, text: text.to_owned(), folder, at: Instant::now() }
            })
            .collect();
        broken(&lines, mode)
    }

    #[test]
    fn what_keeps_the_promise_passes() {
        let good = [
            "a1 SELECT INBOX",
            "a2 UID FETCH 1:* (UID FLAGS RFC822.SIZE BODY.PEEK[])",
            "a3 UID SEARCH HEADER Message-ID \"x\"",
            "a4 UID STORE 5 +FLAGS.SILENT (baton-ana)",
            "a5 UID COPY 4:5 \"Baton/Ana\"",
            "S a5 OK [COPYUID 17 4:5 1:2] Copied.",
            "a6 UID STORE 4,5 +FLAGS.SILENT (\\Deleted)",
            "a7 UID EXPUNGE 4:5",
            "a8 IDLE",
            "DONE",
        ];
        assert_eq!(said(&good, Mode::Run), Vec::<String>::new());
    }

    #[test]
    fn what_breaks_it_is_named() {
        for line in [
            "a UID FETCH 1 (BODY[])",
            "a UID FETCH 1 RFC822",
            "a FETCH 1 BODY[TEXT]<0.100>",
            "a UID SEARCH UNSEEN",
            "a UID SEARCH NOT (UID 4 NEW)",
            "a STATUS INBOX (MESSAGES UNSEEN)",
            "a UID STORE 1 +FLAGS (\\Seen)",
            "a UID STORE 1 FLAGS (baton-ana)",
            "a UID STORE 1 X-GM-LABELS (Baton/Ana)",
            "a UID STORE 1 +FLAGS.SILENT (\\Deleted)",
            "a EXPUNGE",
            "a UID EXPUNGE 1",
            "a UID EXPUNGE 1:*",
            "a RENAME Baton Tonba",
        ] {
            assert_eq!(said(&[line], Mode::Run).len(), 1, "{line}");
        }
        assert_eq!(said(&["a SELECT INBOX", "b CLOSE"], Mode::Run).len(), 1);
    }

    #[test]
    fn only_the_messages_that_were_copied_may_go() {
        let copied = ["a SELECT INBOX", "b UID COPY 5 X", "S b OK [COPYUID 1 5 1] ok"];
        let with = |last: &'static str| said(&[&copied[..], &[last]].concat(), Mode::Run).len();
        assert_eq!(with("c UID EXPUNGE 5"), 0);
        assert_eq!(with("c UID EXPUNGE 5:6"), 1);
        assert_eq!(with("c UID STORE 6 +FLAGS (\\Deleted)"), 1);
    }

    #[test]
    fn what_baton_made_stays_its_own_where_it_moves_it() {
        let made = [
            "a APPEND \"Baton/Outbox\" (\\Draft) {3}",
            "S a OK [APPENDUID 7 4] done",
            "b UID MOVE 4 \"INBOX\"",
            "S b OK [COPYUID 9 4 12] done",
        ];
        // Every line is said in INBOX, as it were; so is the move.
        let elsewhere = made.map(|line| line.replace("\"Baton/Outbox\"", "\"INBOX\""));
        let elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).collect();
        let with = |last: &'static str| said(&[&elsewhere[..], &[last]].concat(), Mode::Run).len();
        assert_eq!(with("c UID EXPUNGE 12"), 0);
        assert_eq!(with("c UID EXPUNGE 4"), 1);
        assert_eq!(said(&[&made[..], &["c UID EXPUNGE 12"]].concat(), Mode::Run).len(), 1);
    }

    #[test]
    fn a_shadow_does_not_even_select() {
        for line in ["a SELECT INBOX", "a CREATE Baton", "a UID MOVE 1 X", "a SUBSCRIBE Baton"] {
            assert_eq!(said(&[line], Mode::Shadow).len(), 1, "{line}");
        }
        assert_eq!(said(&["a EXAMINE INBOX", "b UNSELECT"], Mode::Shadow).len(), 0);
    }
}
