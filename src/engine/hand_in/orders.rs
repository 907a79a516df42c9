//! What stands for Baton in the first line of an agent's mail.

/// The longest first line that is repeated in a sentence, letters.
const LINE_SHOWN: usize = 40;

/// The first line of the text, where it looks like a command: those are for Baton and must never leave.
pub(super) fn command_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let word = line.strip_prefix('#')?;
    let is_command = word.starts_with(|first: char| first.is_ascii_alphabetic());
    is_command.then(|| line.chars().take(LINE_SHOWN).collect())
}

#[cfg(test)]
mod tests;
