//! What is wrong with a configuration file: every problem, each with its line, its key and a remedy.
//!
//! Checking never stops at the first problem, and never shows the value of a key that may hold a secret.
//! [`nearest`] finds what a misspelt word was meant to be.

use std::fmt;
use std::path::{Path, PathBuf};

/// Where a value stands in the file, or where it should stand.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Place {
    /// The line of the key; of the table's header when the key is missing.
    pub(super) line: usize,
    /// The path to the key, as in `mailbox[0].imap.port`.
    pub(super) key: String,
}

/// Why a value is refused, and what to write instead.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Wrong {
        Wrong { what: what.into(), remedy: remedy.into() }
    }
}

/// One thing that the admin has to change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The line in the file; `None` when the file as a whole is meant.
    pub line: Option<usize>,
    /// The path to the key; empty when the file as a whole is meant.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write, or to do.
    pub remedy: String,
}

/// Everything that is wrong with one file, in the order of its lines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problems {
    file: PathBuf,
    list: Vec<Problem>,
}

impl Problems {
    pub(super) fn none_in(file: &Path) -> Problems {
        Problems { file: file.to_path_buf(), list: Vec::new() }
    }

    /// A problem with the whole file, at `line` when it has one.
    pub(super) fn with_file(file: &Path, line: Option<usize>, wrong: Wrong) -> Problems {
        let Wrong { what, remedy } = wrong;
        let only = Problem { line, key: String::new(), what, remedy };
        Problems { file: file.to_path_buf(), list: vec![only] }
    }

    pub(super) fn add(&mut self, at: &Place, what: impl Into<String>, remedy: impl Into<String>) {
        self.list.push(Problem {
            line: Some(at.line),
            key: at.key.clone(),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    pub(super) fn refuse(&mut self, at: &Place, wrong: Wrong) {
        self.add(at, wrong.what, wrong.remedy);
    }

    /// Puts the problems in the order of the file.
    pub(super) fn in_order(mut self) -> Problems {
        self.list.sort_by_key(|problem| problem.line);
        self
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Each problem, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.list.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, problem) in self.list.iter().enumerate() {
            if nth > 0 {
                out.write_str("\n")?;
            }
            write!(out, "{}:", self.file.display())?;
            if let Some(line) = problem.line {
                write!(out, "{line}:")?;
            }
            if !problem.key.is_empty() {
                write!(out, " {}:", problem.key)?;
            }
            write!(out, " {}; {}", problem.what, problem.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// How much of a value a message repeats.
const SHOWN_MAX: usize = 60;

/// A value as a message may repeat it: bounded, and without anything that could steer a terminal.
pub(super) fn shown(value: &str) -> String {
    let mut told = String::from("`");
    for letter in value.chars().take(SHOWN_MAX) {
        if letter.is_control() {
            told.extend(letter.escape_default());
        } else {
            told.push(letter);
        }
    }
    if value.chars().nth(SHOWN_MAX).is_some() {
        told.push('…');
    }
    told.push('`');
    told
}

/// What `word` was probably meant to be: the nearest of `known`, if any is near enough.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    if length > SHOWN_MAX {
        return None;
    }
    let near_enough = (length / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(far, candidate)| {
            *far <= near_enough || continues(word, candidate) || is_shuffled(word, candidate)
        })
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Whether one word is the other with more at its end, as `username` is of `user`.
fn continues(one: &str, other: &str) -> bool {
    one.len().min(other.len()) >= 3 && (one.starts_with(other) || other.starts_with(one))
}

/// Whether both have the same letters in another order, as `prot` and `port`.
fn is_shuffled(one: &str, other: &str) -> bool {
    let sorted = |word: &str| {
        let mut letters: Vec<char> = word.chars().collect();
        letters.sort_unstable();
        letters
    };
    sorted(one) == sorted(other)
}

/// How many letters must be changed, added or left out to make one word of the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (nth, from) in one.chars().enumerate() {
        let mut left = nth + 1;
        let mut next = vec![left];
        for (to, pair) in other.chars().zip(row.windows(2)) {
            let [corner, above] = pair else { continue };
            left = (left + 1).min(above + 1).min(corner + usize::from(from != to));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour() {
        let known = ["host", "port", "tls", "user", "password"];
        assert_eq!(nearest("prot", known), Some("port"));
        assert_eq!(nearest("hosst", known), Some("host"));
        assert_eq!(nearest("username", known), Some("user"));
        assert_eq!(nearest("pass", known), Some("password"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest("sieve", ["since"]), None);
        assert_eq!(nearest(&"x".repeat(100_000), known), None);
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        assert_eq!(shown("a\u{1b}[2Jb"), "`a\\u{1b}[2Jb`");
        assert_eq!(shown(&"ä".repeat(100)), format!("`{}…`", "ä".repeat(60)));
    }
}
