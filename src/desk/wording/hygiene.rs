//! Sentences about mail that is to stay inside, mail that came back, and mail of machines.

/// How much of a text is repeated in a sentence, letters.
const SHOWN: usize = 80;

/// An answer holds what was written for the team. `run` is the place, where it may be repeated.
pub fn leaks(run: Option<&str>) -> String {
    let place = match run {
        Some(run) => format!(": \u{201c}{}\u{201d}", shown(run)),
        None => String::new(),
    };
    format!(
        "It holds words that were written for the team only{place}. Send it again without them, or release it if the customer may read them."
    )
}

/// A text in one line, not too long.
fn shown(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
        None => text,
    }
}
