//! The lines with which mail programs introduce an older mail: "On … wrote:", Outlook's header block,
//! "---- Forwarded message ----", in the languages in which programs write them.
//!
//! Only recognises; `newtext` and `forward` decide what follows from it. Works on lines without quote marks, see
//! [`unquote`]. Careful by design: what a person could have written is not a heading.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regex::Regex;

use super::phrases::{FORWARDED, LABELS, ORIGINAL, VERBS};

/// The most lines over which an attribution is wrapped.
const ATTRIBUTION_LINES: usize = 4;
/// How many lines that end like an attribution are looked at in one text.
const ATTRIBUTIONS_MAX: usize = 2_000;
/// The longest attribution, in bytes.
const ATTRIBUTION_MAX: usize = 500;
/// The most lines of a header block, long lists of recipients included.
const BLOCK_LINES: usize = 200;
/// The most labelled lines of one.
const BLOCK_LABELS: usize = 14;

/// What a line of a header block says.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub(super) enum Label {
    From,
    Date,
    To,
    Subject,
    /// Cc, Reply-To, attachments and the like.
    Other,
}

/// A line without its quote marks: how many there were, and the rest.
pub(super) fn unquote(line: &str) -> (usize, &str) {
    let (mut depth, mut rest) = (0, line);
    loop {
        let start = rest.trim_start_matches([' ', '\t', '\u{a0}', '\u{feff}']);
        match start.strip_prefix('>') {
            // Gmail breaks an attribution before its last bracket, and old mailboxes put `>` before `From `.
            Some(after) if depth == 0 && (after == ":" || after.starts_with("From ")) => break,
            Some(after) => (depth, rest) = (depth + 1, after),
            None => break,
        }
    }
    if depth > 0 {
        rest = rest.strip_prefix(' ').unwrap_or(rest);
    }
    (depth, rest)
}

/// A header block inside a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Block {
    /// The first line after it.
    pub(super) end: usize,
    /// What its From line says.
    pub(super) from: Option<String>,
    /// Whether no person would write so many of these lines by chance.
    pub(super) certain: bool,
    /// Whether it is Finnish, where `VS:` means an answer.
    pub(super) finnish: bool,
}

/// Reads the header block that begins at line `at`.
pub(super) fn block(lines: &[&str], at: usize) -> Option<Block> {
    if label(lines.get(at)?)?.0 == Label::Other {
        return None;
    }
    let mut seen: Vec<Label> = Vec::with_capacity(BLOCK_LABELS);
    let (mut from, mut finnish): (Option<String>, bool) = (None, false);
    let mut end = at;
    while let Some(line) = lines.get(end).filter(|_| end - at < BLOCK_LINES) {
        if let Some((this, value)) = label(line) {
            if this != Label::Other && seen.contains(&this) {
                break;
            }
            if this == Label::From {
                finnish = line.to_lowercase().contains("lähettäjä");
                from = Some(value.to_owned());
            }
            seen.push(this);
            if seen.len() > BLOCK_LABELS {
                return None;
            }
        } else if line.trim().is_empty() {
            // HTML paragraphs put an empty line between the lines of the block.
            let next = lines.get(end + 1).and_then(|next| label(next));
            if next.is_none_or(|(next, _)| seen.contains(&next)) {
                break;
            }
        } else if continues(lines.get(end.wrapping_sub(1)), line, seen.last()) {
            if let (Some(Label::From), Some(value)) = (seen.last(), from.as_mut()) {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else {
            break;
        }
        end += 1;
    }
    let from = from?;
    let others =
        [Label::Date, Label::To, Label::Subject].iter().filter(|label| seen.contains(label));
    // Three lines, one of them a subject or an address: "From: Berlin, To: Rome, Date: 5 May" is a journey.
    let certain = others.count() >= 2 && (seen.contains(&Label::Subject) || from.contains('@'));
    Some(Block { end, from: who(&from), certain, finnish })
}

/// Whether a line goes on with the recipients of the line before.
fn continues(before: Option<&&str>, line: &str, last: Option<&Label>) -> bool {
    let open = before.is_some_and(|before| before.trim_end().ends_with([',', ';', '<', '[']));
    matches!(last, Some(Label::To | Label::Other | Label::From))
        && (open || line.contains('@') && line.trim_end().ends_with(['>', ';', ',', ']']))
}

/// The label of a header line, and its value. Bold as in `*From:* x` is tolerated.
fn label(line: &str) -> Option<(Label, &str)> {
    static TABLE: LazyLock<HashMap<&'static str, Label>> = LazyLock::new(|| {
        LABELS
            .iter()
            .flat_map(|(label, names)| names.split('|').map(|name| (name, *label)))
            .collect()
    });
    let line =
        line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '|' | '\u{feff}'));
    let (colon, letter) = line.char_indices().take(32).find(|(_, c)| matches!(c, ':' | '：'))?;
    let (name, rest) = line.split_at_checked(colon)?;
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '*').to_lowercase();
    let label = TABLE.get(name.as_str())?;
    let value = rest.strip_prefix(letter)?.trim_matches(|c: char| c.is_whitespace() || c == '*');
    Some((*label, value))
}

/// The address in the value of a From line, else the name.
pub(super) fn who(value: &str) -> Option<String> {
    let value = value.replace("mailto:", " ");
    match find(&EMAIL, &value) {
        Some(found) => Some(found.as_str().trim_matches(['.', '-']).to_owned()),
        None => Some(
            value
                .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>'))
                .to_owned(),
        )
        .filter(|name| !name.is_empty()),
    }
}

/// Whether a line is "-----Original Message-----".
pub(super) fn original(line: &str) -> bool {
    static TABLE: Initials = LazyLock::new(|| by_initial(ORIGINAL));
    separator(line, &TABLE).is_some()
}

/// What follows "---- Forwarded message ----" on its line; Yahoo puts the header there.
pub(super) fn forwarded(line: &str) -> Option<&str> {
    static TABLE: Initials = LazyLock::new(|| by_initial(FORWARDED));
    separator(line, &TABLE)
}

/// Phrases by their first letter, sorted: most lines are then told apart at a glance.
type Initials = LazyLock<Vec<(char, Vec<&'static str>)>>;

fn by_initial(phrases: &'static str) -> Vec<(char, Vec<&'static str>)> {
    let mut table: BTreeMap<char, Vec<&'static str>> = BTreeMap::new();
    for phrase in phrases.split('|') {
        if let Some(first) = phrase.chars().next() {
            table.entry(first).or_default().push(phrase);
        }
    }
    table.into_iter().collect()
}

fn separator<'a>(line: &'a str, table: &Initials) -> Option<&'a str> {
    const DASHES: [char; 8] = ['-', '_', '=', '–', '—', '*', '─', '~'];
    let blank = |c: char| c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200e}' | '\u{200f}');
    let start = line.trim_start_matches(blank);
    let bare = start.trim_start_matches(|c| blank(c) || DASHES.contains(&c));
    let dashed = start.len() - bare.len() >= 2;
    let first = bare.chars().next()?.to_lowercase().next()?;
    let at = table.binary_search_by_key(&first, |(initial, _)| *initial).ok()?;
    let (_, phrases) = table.get(at)?;
    let phrase = phrases
        .iter()
        .filter(|phrase| begins_with(bare, phrase))
        .max_by_key(|phrase| phrase.len())?;
    let used: usize =
        bare.char_indices().nth(phrase.chars().count()).map_or(bare.len(), |(at, _)| at);
    let rest = bare.get(used..)?;
    let rest = rest
        .trim_start_matches(|c| blank(c) || DASHES.contains(&c) || matches!(c, ':' | '：'))
        .trim_end();
    (dashed || rest.is_empty()).then_some(rest)
}

/// Whether a text begins with a phrase of lower-case letters, whatever the case of its own. The dot that is left over of
/// a Turkish İ does not count.
fn begins_with(text: &str, phrase: &str) -> bool {
    let mut letters = text.chars().flat_map(char::to_lowercase).filter(|c| *c != '\u{307}');
    phrase.chars().all(|expected| letters.next() == Some(expected))
}

/// A line of underscores or dashes, as Outlook draws above its header block.
pub(super) fn rule(line: &str) -> bool {
    let line = line.trim();
    line.chars().count() >= 10
        && line.chars().all(|c| matches!(c, '_' | '-' | '=' | '*' | '—' | '─'))
}

/// How sure it is that a line introduces a quotation.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub(super) enum Attribution {
    /// Only if a quotation follows.
    Maybe,
    /// Even if what follows is not marked as quoted.
    Surely,
}

/// A constant pattern. One that does not compile matches nothing; a test compiles them all.
type Pattern = LazyLock<Option<Regex>>;

static EMAIL: Pattern =
    LazyLock::new(|| Regex::new(r#"[^\s<>()\[\]"',;:«»]+@[^\s<>()\[\]"',;:«»]+"#).ok());
static VERB: Pattern = LazyLock::new(|| Regex::new(&format!("(?i)(?:{VERBS})")).ok());
static DATE: Pattern = LazyLock::new(|| {
    Regex::new(
        r"\b(?:19|20)\d\d\b|\d{4}[年년]|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\b\d{1,2}[:.h]\d\d\b",
    )
    .ok()
});
static STARTER: Pattern = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^(?:on|am|le|el|il|op|em|den|w dniu|dnia|dne|dňa|na|på|pe|u|dana|în|in data|a|στις|в|во|у|vào|",
        r"pada|ma|在|於|于)\s",
    ))
    .ok()
});

fn find<'a>(pattern: &Pattern, text: &'a str) -> Option<regex::Match<'a>> {
    pattern.as_ref().and_then(|pattern| pattern.find(text))
}

/// For each line, the end of the attribution that begins there, and how sure it is.
pub(super) fn attributions(lines: &[&str]) -> HashMap<usize, (usize, Attribution)> {
    let mut found = HashMap::new();
    let closing = lines.iter().enumerate().filter(|(_, line)| closes(line)).map(|(at, _)| at);
    for end in closing.take(ATTRIBUTIONS_MAX) {
        if let Some((start, sure)) = attribution(lines, end) {
            found.entry(start).or_insert((end + 1, sure));
        }
    }
    found
}

/// The first line of the attribution that ends at line `end`, if one does.
fn attribution(lines: &[&str], end: usize) -> Option<(usize, Attribution)> {
    if !closes(lines.get(end)?) {
        return None;
    }
    let mut fallback = None;
    for start in (end.saturating_sub(ATTRIBUTION_LINES - 1)..=end).rev() {
        let part = lines.get(start..=end)?;
        if lines.get(start)?.trim().is_empty()
            || part.iter().map(|line| line.len()).sum::<usize>() > ATTRIBUTION_MAX
        {
            break;
        }
        let joined = part.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        match weigh(&joined) {
            Some((sure, true)) => return Some((start, sure)),
            Some((sure, false)) if fallback.is_none() => fallback = Some((start, sure)),
            _ => {}
        }
    }
    fallback
}

fn closes(line: &str) -> bool {
    let line = line.trim_end_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    line.ends_with([':', '：'])
        || line.trim_end_matches('-').trim_end().ends_with("wrote") && line.ends_with("--")
}

/// Judges a joined line; the flag says that it begins with a word like "On", so that no line above belongs to it.
fn weigh(joined: &str) -> Option<(Attribution, bool)> {
    let bare = joined.trim_start_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '-' | '*' | '\u{feff}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            )
    });
    let verb = find(&VERB, bare).is_some();
    let email = find(&EMAIL, bare);
    let date = find(&DATE, bare);
    let early = bare.chars().take(14).any(|c| c.is_ascii_digit());
    let starter =
        find(&STARTER, bare).is_some() && bare.chars().take(36).any(|c| c.is_ascii_digit());
    let starts = early || starter;
    let before = email.map_or(bare, |found| bare.get(..found.start()).unwrap_or(bare));
    if before.contains(['!', '?']) {
        return None;
    }
    match (verb, date.is_some(), email.is_some()) {
        (true, true, _) if starts => Some((Attribution::Surely, starter)),
        (true, true, true) => Some((Attribution::Surely, false)),
        (true, false, true) if before.chars().count() <= 60 && !before.contains(". ") => {
            Some((Attribution::Surely, false))
        }
        (true, true, false) => Some((Attribution::Maybe, false)),
        (true, false, false) if bare.split_whitespace().count() <= 6 => {
            Some((Attribution::Maybe, false))
        }
        (false, true, true) if starts && bracketed(bare) => Some((Attribution::Surely, starter)),
        (false, true, true) if starts => Some((Attribution::Maybe, starter)),
        _ => None,
    }
}

/// Whether it ends in `<address>:`.
fn bracketed(line: &str) -> bool {
    let end = line.trim_end_matches(|c: char| !matches!(c, '>' | ')'));
    !end.is_empty() && line.len() - end.len() <= 12
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributed(text: &str) -> Option<(usize, Attribution)> {
        let lines: Vec<&str> = text.lines().collect();
        attribution(&lines, lines.len() - 1)
    }

    #[test]
    fn every_pattern_compiles() {
        for pattern in [&EMAIL, &VERB, &DATE, &STARTER] {
            assert!(pattern.is_some());
        }
    }

    #[test]
    fn attributions_are_known_in_many_languages() {
        let cases = [
            "On Tue, 3 Nov 2026 at 10:15, Ana Roe <ana@x.example> wrote:",
            "On 3 Nov 2026, at 10:15, Ana Roe <ana@x.example>\nwrote:",
            "On Tue, 3 Nov 2026\nat 10:15,\nAna Roe <ana@x.example> wrote:",
            "Am Di., 3. Nov. 2026 um 10:15 Uhr schrieb Ana Roe <\nana@x.example>:",
            "Am 03.11.26 um 10:15 schrieb Ana Roe:",
            "Le mar. 3 nov. 2026 à 10:15, Ana Roe <ana@x.example> a écrit :",
            "El mar, 3 nov 2026 a las 10:15, Ana Roe (<ana@x.example>) escribió:",
            "Il giorno mar 3 nov 2026 alle ore 10:15 Ana Roe <ana@x.example> ha scritto:",
            "Op di 3 nov. 2026 om 10:15 schreef Ana Roe <ana@x.example>:",
            "Em ter., 3 de nov. de 2026 às 10:15, Ana Roe <ana@x.example> escreveu:",
            "Den tis 3 nov. 2026 kl 10:15 skrev Ana Roe <ana@x.example>:",
            "ti 3. marrask. 2026 klo 10.15 Ana Roe (ana@x.example) kirjoitti:",
            "wt., 3 lis 2026 o 10:15 Ana Roe <ana@x.example> napisał(a):",
            "út 3. 11. 2026 v 10:15 odesílatel Ana Roe <ana@x.example> napsal:",
            "Ana Roe <ana@x.example> ezt írta (időpont: 2026. nov. 3., K, 10:15):",
            "Pe mar., 3 nov. 2026 la 10:15, Ana Roe <ana@x.example> a scris:",
            "Ana Roe <ana@x.example>, 3 Kas 2026 Sal, 10:15 tarihinde şunu yazdı:",
            "вт, 3 нояб. 2026 г. в 10:15, Ana Roe <ana@x.example>:",
            "3 ноября 2026 г., 10:15 пользователь Ana Roe <ana@x.example> написал:",
            "Στις Τρί 3 Νοε 2026 στις 10:15 π.μ., ο/η Ana Roe <ana@x.example> έγραψε:",
            "2026年11月3日(火) 10:15 Ana Roe <ana@x.example>:",
            "Ana Roe <ana@x.example> 于2026年11月3日周二 10:15写道：",
            "2026년 11월 3일 (화) 오전 10:15, Ana Roe <ana@x.example>님이 작성:",
            "Ana Roe <ana@x.example> wrote:",
            "---- On Tue, 03 Nov 2026 10:15:00 +0100 Ana Roe <ana@x.example> wrote ----",
        ];
        for text in cases {
            assert_eq!(attributed(text), Some((0, Attribution::Surely)), "{text}");
        }
    }

    #[test]
    fn what_a_person_could_have_written_is_no_attribution() {
        for text in [
            "On your remote host you can run:",
            "Here is what I did on 3 November:",
            "Thanks! On 3 Nov 2026 Ana <ana@x.example> wrote:",
            "Please answer to ana@x.example:",
            "On Thursday.",
        ] {
            assert_eq!(attributed(text), None, "{text}");
        }
        assert_eq!(attributed("My colleague wrote:"), Some((0, Attribution::Maybe)));
        assert_eq!(
            attributed("a line of mine\nOn 3 Nov 2026 at 10:15 Ana wrote:"),
            Some((1, Attribution::Surely))
        );
    }

    #[test]
    fn header_blocks_are_known_and_journeys_are_not() {
        let read = |text: &str| block(&text.lines().collect::<Vec<_>>(), 0);
        let found =
            read("From: Ana <ana@x.example>\nSent: Tuesday\nTo: b@x.example\nSubject: x\n\nhi")
                .unwrap();
        assert_eq!(
            (found.end, found.certain, found.from.as_deref()),
            (4, true, Some("ana@x.example"))
        );
        let found = read("*Von:* Ana [mailto:ana@x.example]\n*Gesendet:* Dienstag\n*An:* b;\n c@x.example;\n*Betreff:* x").unwrap();
        assert_eq!(
            (found.end, found.certain, found.from.as_deref()),
            (5, true, Some("ana@x.example"))
        );
        assert!(!read("From: Berlin\nTo: Rome\nDate: 5 May").unwrap().certain);
        assert_eq!(read("Name: Ana\nFrom: Berlin"), None);
        assert!(!read("From: Ana").unwrap().certain);
    }

    #[test]
    fn separators_are_known_with_and_without_dashes() {
        for line in [
            "-----Original Message-----",
            "-----Ursprüngliche Nachricht-----",
            "Original Message",
            "________ 原始邮件 ________",
        ] {
            assert!(original(line), "{line}");
        }
        assert!(!original("Original message was nicer"));
        assert_eq!(forwarded("---------- Forwarded message ---------"), Some(""));
        assert_eq!(forwarded("Begin forwarded message:"), Some(""));
        assert_eq!(forwarded("----- Forwarded Message ----- From: Ana"), Some("From: Ana"));
        assert_eq!(forwarded("Forwarded message from Ana tells us"), None);
    }

    #[test]
    fn quote_marks_are_counted() {
        for (line, expected) in [
            ("> a", (1, "a")),
            (">>> a", (3, "a")),
            ("> > a", (2, "a")),
            (" > a", (1, "a")),
            ("a > b", (0, "a > b")),
            (">From here", (0, ">From here")),
            (">:", (0, ">:")),
        ] {
            assert_eq!(unquote(line), expected, "{line}");
        }
    }
}
