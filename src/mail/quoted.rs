//! Which lines of a text are marked as quoted, beyond the plain `>`.
//!
//! The Bat! and its kin quote with the initials of the older writer, `KS> …`; consoles prompt with `>>> `, which
//! is no quotation at all. Both are told by what stands around them; in doubt a line is the writer's own.

use std::collections::HashMap;

use super::headings::{Attribution, attributions, unquote};

/// The lines of a text without their quote marks.
pub(super) struct Quoted<'a> {
    /// How many quote marks each line has.
    pub(super) depth: Vec<usize>,
    /// Each line without them.
    pub(super) lines: Vec<&'a str>,
    /// For each line, the attribution that begins there.
    pub(super) attributions: HashMap<usize, (usize, Attribution)>,
}

/// Reads the quote marks of a text's lines.
pub(super) fn read<'a>(raw: &[&'a str]) -> Quoted<'a> {
    let mut unquoted: Vec<(usize, &str)> = raw.iter().map(|line| unquote(line)).collect();
    // Three levels without two are not a conversation.
    if !unquoted.iter().any(|(depth, _)| *depth == 2) {
        for (line, raw) in unquoted.iter_mut().zip(raw) {
            if line.0 == 3 && raw.starts_with(">>> ") {
                *line = (0, raw);
            }
        }
    }
    let lines: Vec<&str> = unquoted.iter().map(|(_, line)| *line).collect();
    let attributions = attributions(&lines);
    if let Some(mark) = initials(&unquoted, &attributions) {
        for line in &mut unquoted {
            if line.0 == 0
                && let Some(rest) = line.1.trim_start().strip_prefix(mark)
            {
                *line = (1, rest);
            }
        }
    }
    let (depth, lines) = unquoted.into_iter().unzip();
    Quoted { depth, lines, attributions }
}

/// The initials that mark the first line below an attribution, as in `KS>`.
fn initials<'a>(
    lines: &[(usize, &'a str)],
    attributions: &HashMap<usize, (usize, Attribution)>,
) -> Option<&'a str> {
    let ends = attributions.values().map(|(end, _)| *end);
    let below = ends.filter_map(|end| {
        let rest = lines.get(end..)?.iter().take(4).enumerate();
        let (at, (_, line)) = { rest }.find(|(_, (_, line))| !line.trim().is_empty())?;
        Some((end + at, line.trim_start()))
    });
    let marked = below.filter_map(|(at, line)| {
        let letters = line.chars().take_while(|c| c.is_alphabetic() && c.is_uppercase());
        let length: usize = letters.take(5).map(char::len_utf8).sum();
        let mark = line.get(..length + 1).filter(|mark| length > 0 && mark.ends_with('>'))?;
        (mark.chars().count() <= 5).then_some((at, mark))
    });
    marked.min_by_key(|(at, _)| *at).map(|(_, mark)| mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depths(text: &str) -> Vec<usize> {
        read(&text.lines().collect::<Vec<_>>()).depth
    }

    #[test]
    fn initials_quote_only_below_an_attribution() {
        let attributed = "Monday, 2 November 2026, 9:14, you wrote:\n\nKS> old\nKS>> older\n\nnew";
        assert_eq!(depths(attributed), [0, 0, 1, 1, 0, 0]);
        assert_eq!(depths("This is what I typed\n\nSQL> select 1"), [0, 0, 0]);
    }

    #[test]
    fn a_prompt_is_no_quotation() {
        assert_eq!(depths(">>> boot\n\n> old"), [0, 0, 1]);
        assert_eq!(depths("> a\n>> b\n>>> c"), [1, 2, 3]);
    }
}
