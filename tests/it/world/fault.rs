//! What can be wrong with the line between Baton and the server, and what the proxy does to each line of it.
//!
//! One fault at a time, set by the story. [`Faults`] is asked about every line before it is passed on; most faults
//! happen once and are over then, so that the story can watch Baton recover.

use std::collections::BTreeMap;
use std::time::Duration;

use super::garbler::Garbler;

/// What is wrong with the line to the server.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Connections are accepted, and nobody answers; on existing ones the server falls silent.
    Silent,
    /// The same after the server has said this many lines more: it does what it is asked, and nobody hears of it.
    SilentAfter(usize),
    /// The same from the answer to the first command of this kind on.
    SilentAt(&'static str),
    /// The same once the first command of this kind was answered.
    SilentSince(&'static str),
    /// New connections are closed at once, existing ones at the server's next line.
    Closed,
    /// The connection is cut when the server has said this many lines more, once.
    CutAfter(usize),
    /// The connection is cut after this many bytes more from the server, once.
    CutAfterBytes(usize),
    /// The connection dies when the server has said this many lines more, and neither side is told, once.
    DeadAfter(usize),
    /// The server says goodbye and closes after this many lines more, once.
    ByeAfter(usize),
    /// Each line of the server takes so long.
    Slow(Duration),
    /// Nothing is announced while Baton idles.
    Deaf,
    /// Commands of this kind are not passed on but answered so, this often: (`UID FETCH`, `NO [INUSE] busy`, 1).
    Refuses(&'static str, &'static str, usize),
    /// These bytes come before the server's answer to commands of this kind, this often.
    Says(&'static str, &'static [u8], usize),
    /// These bytes come behind an untagged line while a command of this kind is answered, this often.
    Amid(&'static str, &'static [u8], usize),
    /// One byte of about so many of the server's is damaged, as the [`Garbler`] says.
    Garbles(Garbler),
    /// A line of so many bytes comes before the answer to a command of this kind, once.
    Floods(&'static str, usize),
}

/// How often a fault that stays happens.
pub(crate) const ALWAYS: usize = usize::MAX;

/// What is to be done with a line.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Pass it on.
    Pass,
    /// Wait until the fault changes, and ask again.
    Wait,
    /// Wait so long, then pass it on.
    Delay(Duration),
    /// Leave it out.
    Drop,
    /// Say this first.
    After(Vec<u8>),
    /// Say this behind it.
    Then(Vec<u8>),
    /// Send an endless line first.
    Flood(usize),
    /// Answer this in the server's place.
    Answer(String),
    /// Say this and close.
    Cut(&'static str),
    /// From here on, nothing arrives on this connection any more, either way.
    Dead,
}

/// What one connection is in the middle of.
#[derive(Default)]
pub(super) struct Commands {
    by_tag: BTreeMap<String, String>,
    idling: bool,
}

impl Commands {
    /// The kind of a client's line, with its tag: `("a1", "UID FETCH")`.
    pub(super) fn kind(text: &str) -> Option<(String, String)> {
        let mut words = text.split(' ');
        let (tag, verb) = (words.next()?, words.next()?.to_ascii_uppercase());
        let kind = match (verb.as_str(), words.next()) {
            ("UID", Some(second)) => format!("UID {}", second.to_ascii_uppercase()),
            _ => verb,
        };
        Some((tag.to_owned(), kind))
    }

    pub(super) fn client_says(&mut self, text: &str) {
        if text.eq_ignore_ascii_case("DONE") {
            self.idling = false;
        }
        if let Some((tag, kind)) = Commands::kind(text) {
            self.by_tag.insert(tag, kind);
        }
    }

    /// The kind of the command that the server's line answers; its `+` answers an IDLE.
    fn answered(&self, text: &str) -> Option<&str> {
        let tag = text.split(' ').next().unwrap_or_default();
        if tag == "+" {
            return self.by_tag.values().find(|kind| *kind == "IDLE").map(String::as_str);
        }
        self.by_tag.get(tag).map(String::as_str)
    }

    /// Whether a command of this kind is being answered.
    fn has(&self, kind: &str) -> bool {
        self.by_tag.values().any(|open| open == kind)
    }

    pub(super) fn server_says(&mut self, text: &str) {
        let tag = text.split(' ').next().unwrap_or_default();
        self.idling |= tag == "+" && self.answered(text) == Some("IDLE");
        self.by_tag.remove(tag);
    }
}

impl Fault {
    /// What becomes of a line of the server.
    pub(super) fn on_server_line(&mut self, text: &str, commands: &Commands) -> Verdict {
        let is_answer_to = |kind: &str| commands.answered(text) == Some(kind);
        match self {
            Fault::None | Fault::CutAfterBytes(_) | Fault::Refuses(..) | Fault::Garbles(_) => {
                Verdict::Pass
            }
            Fault::Silent => Verdict::Wait,
            Fault::Closed => Verdict::Cut(""),
            Fault::SilentAt(kind) if is_answer_to(kind) => {
                self.becomes(Fault::Silent, Verdict::Wait)
            }
            Fault::SilentSince(kind) if is_answer_to(kind) => {
                self.becomes(Fault::Silent, Verdict::Pass)
            }
            Fault::SilentAfter(0) => self.becomes(Fault::Silent, Verdict::Wait),
            Fault::CutAfter(0) => self.becomes(Fault::None, Verdict::Cut("")),
            Fault::DeadAfter(0) => self.becomes(Fault::None, Verdict::Dead),
            Fault::ByeAfter(0) => {
                self.becomes(Fault::None, Verdict::Cut("* BYE the server goes down\r\n"))
            }
            Fault::SilentAfter(left)
            | Fault::CutAfter(left)
            | Fault::DeadAfter(left)
            | Fault::ByeAfter(left) => {
                *left -= 1;
                Verdict::Pass
            }
            Fault::Slow(pause) => Verdict::Delay(*pause),
            Fault::Deaf if commands.idling && text.starts_with("* ") => Verdict::Drop,
            Fault::Deaf => Verdict::Pass,
            Fault::Says(kind, bytes, _) if is_answer_to(kind) => {
                let bytes = bytes.to_vec();
                self.happened();
                Verdict::After(bytes)
            }
            Fault::Amid(kind, bytes, _) if text.starts_with("* ") && commands.has(kind) => {
                let bytes = bytes.to_vec();
                self.happened();
                Verdict::Then(bytes)
            }
            Fault::Floods(kind, bytes) if is_answer_to(kind) => {
                let bytes = *bytes;
                self.becomes(Fault::None, Verdict::Flood(bytes))
            }
            Fault::Says(..) | Fault::Amid(..) | Fault::Floods(..) => Verdict::Pass,
            Fault::SilentAt(_) | Fault::SilentSince(_) => Verdict::Pass,
        }
    }

    /// What becomes of a line of Baton's.
    pub(super) fn on_client_line(&mut self, text: &str) -> Verdict {
        let Fault::Refuses(kind, answer, _) = self else { return Verdict::Pass };
        match Commands::kind(text) {
            Some((tag, said)) if said == *kind => {
                let answer = format!("{tag} {answer}\r\n");
                self.happened();
                Verdict::Answer(answer)
            }
            _ => Verdict::Pass,
        }
    }

    /// How many of these bytes arrive before the connection is cut; all where it is not.
    pub(super) fn lets_through(&mut self, bytes: usize) -> Option<usize> {
        let Fault::CutAfterBytes(left) = self else { return None };
        if bytes <= *left {
            *left -= bytes;
            return None;
        }
        let cut = *left;
        *self = Fault::None;
        Some(cut)
    }

    /// Damages bytes on their way.
    pub(super) fn garbles(&mut self, bytes: &mut Vec<u8>) {
        if let Fault::Garbles(garbler) = self {
            garbler.garble(bytes);
        }
    }

    fn becomes(&mut self, next: Fault, verdict: Verdict) -> Verdict {
        *self = next;
        verdict
    }

    /// Counts down what happens a number of times.
    fn happened(&mut self) {
        let (Fault::Refuses(_, _, times) | Fault::Says(_, _, times) | Fault::Amid(_, _, times)) =
            self
        else {
            return;
        };
        if *times != ALWAYS {
            *times -= 1;
        }
        if *times == 0 {
            *self = Fault::None;
        }
    }
}
