//! Lines at the top of an agent's mail that are for Baton (`#claim`): finding them, and taking them out of every form of the
//! text before the mail leaves.
//!
//! A mail says its text once, or twice as plain text and as HTML. Only where every form begins with the same lines are
//! they taken out; else nobody could say what would leave, and the mail is [`Top::Stuck`]. Everything else in the mail
//! stays byte for byte. What the lines mean is not known here. Start with [`top`].

mod leaf;
mod markup;
mod plain;

use leaf::{Form, Leaf, leaves};

use super::message::Message;

/// The longest line that may stand directly above other text: clients break longer ones, and the rest would leave.
const LINE_MAX: usize = 60;

/// What stands at the top of a mail.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Top {
    /// Text from the first line on.
    Text,
    /// Lines for Baton.
    Orders {
        /// The lines, blanks between words made one.
        lines: Vec<String>,
        /// The mail without them.
        rest: Vec<u8>,
        /// Whether the writer says anything else, or attaches anything.
        says_more: bool,
    },
    /// Lines for Baton that cannot be taken out.
    Stuck {
        /// The lines.
        lines: Vec<String>,
        /// Why not.
        why: Stuck,
    },
}

/// Why lines cannot be taken out of a mail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stuck {
    /// The mail is signed or sealed: it would be another mail.
    Signed,
    /// Its forms do not say the same, or it is written in a form that is not known.
    Form,
    /// Where the line ends cannot be told.
    Long,
}

/// Whether a line is for Baton, or looks so: `#` and a letter. `#4812` and `# heading` are text.
pub fn is_order(line: &str) -> bool {
    let letters = line.trim_start_matches(invisible).strip_prefix('#');
    letters.is_some_and(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()))
}

fn invisible(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{feff}' | '\u{200b}' | '\u{200e}')
}

/// Blanks made one, and none at the ends.
fn tidy(line: &str) -> String {
    let words = line.split(invisible).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// What was found at the top of one form of the text.
#[derive(Debug, Default)]
struct Found {
    lines: Vec<String>,
    /// The parts of the decoded bytes that go, in order.
    cuts: Vec<std::ops::Range<usize>>,
    /// Whether other text stands on the next line.
    text_follows: bool,
}

/// What stands at the top of the mail, whose `message` was read from the same bytes.
pub fn top(raw: &[u8], message: &Message) -> Top {
    // The eyes of whoever reads mail here: they also see what no form of the text shows at its top.
    let seen = message.new_text.lines().map(tidy).find(|line| !line.is_empty());
    let seen: Vec<String> = seen.filter(|line| is_order(line)).into_iter().collect();
    let stuck = |lines: Vec<String>, why| match lines.is_empty() {
        true => Top::Text,
        false => Top::Stuck { lines, why },
    };
    let Some(mail) = leaves(raw) else { return stuck(seen, Stuck::Form) };
    let found: Vec<Found> = mail.leaves.iter().map(find).collect();
    let lines = found.iter().map(|one| &one.lines).find(|lines| !lines.is_empty());
    let Some(lines) = lines.cloned() else { return stuck(seen, Stuck::Form) };
    if mail.signed || mail.leaves.iter().any(|leaf| plain::is_signed(&leaf.text)) {
        return stuck(lines, Stuck::Signed);
    }
    let is_known = |leaf: &Leaf| leaf.form != Form::Other && leaf.is_ascii_like;
    if !mail.leaves.iter().all(is_known) || found.iter().any(|one| one.lines != lines) {
        return stuck(lines, Stuck::Form);
    }
    let is_plain_only = mail.leaves.iter().all(|leaf| leaf.form == Form::Plain);
    let is_long = lines.last().is_some_and(|line| line.len() > LINE_MAX);
    if is_plain_only && is_long && found.iter().any(|one| one.text_follows) {
        return stuck(lines, Stuck::Long);
    }
    let mut rest = raw.to_vec();
    for (leaf, one) in mail.leaves.iter().zip(&found).rev() {
        rest.splice(leaf.range.clone(), leaf.without(raw, &one.cuts));
    }
    let says_more = mail.attaches || says_more(message, &lines);
    Top::Orders { lines, rest, says_more }
}

fn find(leaf: &Leaf) -> Found {
    match leaf.form {
        Form::Html => markup::find(&leaf.text),
        Form::Plain => plain::find(&leaf.text, false),
        Form::Flowed => plain::find(&leaf.text, true),
        Form::Other => Found::default(),
    }
}

/// Whether the writer's new text says more than these lines.
fn says_more(message: &Message, lines: &[String]) -> bool {
    let said = lines.iter().map(String::as_str).flat_map(str::split_whitespace);
    let mut new = message.new_text.split(invisible).filter(|word| !word.is_empty());
    for word in said {
        if new.next() != Some(word) {
            // Not what was read above: better an answer too many in the outbox than one that is lost.
            return true;
        }
    }
    new.next().is_some()
}

#[cfg(test)]
mod tests;
