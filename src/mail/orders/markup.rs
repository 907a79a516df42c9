//! The first lines of an HTML text. Only text and line breaks are cut; every tag stays, so what was balanced stays so.

use std::ops::Range;

use super::{Found, is_order, tidy};
use crate::mail::{entities, words};

/// How much of the beginning is looked at, in bytes: style sheets of Word are long.
const LOOKED_AT: usize = 512 * 1024;
/// Elements that begin and end a line.
const BLOCKS: [&str; 35] = [
    "address", "article", "aside", "body", "center", "dd", "div", "dl", "dt", "fieldset", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "html", "li", "main", "nav",
    "ol", "p", "pre", "section", "table", "tbody", "td", "th", "thead", "tr", "ul",
];
/// Elements of which nothing is shown.
const HIDDEN: [&str; 4] = ["style", "script", "title", "xml"];
/// Elements that show something which is no text, or somebody else's text.
const CONTENT: [&str; 11] = [
    "img",
    "hr",
    "blockquote",
    "input",
    "video",
    "audio",
    "iframe",
    "object",
    "svg",
    "canvas",
    "embed",
];

/// The lines for Baton at the top.
pub(super) fn find(html: &[u8]) -> Found {
    let html = html.get(..LOOKED_AT).unwrap_or(html);
    let mut lines = Lines::default();
    let mut at = 0;
    while let Some(rest) = html.get(at..).filter(|rest| !rest.is_empty()) {
        let length = match rest.first() {
            Some(b'<') => lines.tag(rest, at),
            _ => {
                let end = rest.iter().position(|byte| *byte == b'<').unwrap_or(rest.len());
                lines
                    .text
                    .push_str(&entities::decode(&words::guess(rest.get(..end).unwrap_or(rest))));
                lines.cuts.push(at..at + end);
                end
            }
        };
        at += length.max(1);
        if lines.over {
            return lines.found;
        }
    }
    lines.end(None);
    lines.found
}

#[derive(Debug, Default)]
struct Lines {
    found: Found,
    /// What the line says so far, and where.
    text: String,
    cuts: Vec<Range<usize>>,
    /// Whether the line shows something that is no text.
    shows: bool,
    /// Whether text began that is not for Baton.
    over: bool,
}

impl Lines {
    /// Takes a tag, or what else begins with `<`; answers its length.
    fn tag(&mut self, rest: &[u8], at: usize) -> usize {
        if rest.starts_with(b"<!--") {
            return end_of(rest, b"-->");
        }
        let name: Vec<u8> = rest
            .iter()
            .skip(1)
            .take_while(|byte| is_name(**byte))
            .map(u8::to_ascii_lowercase)
            .collect();
        let name = String::from_utf8_lossy(&name).into_owned();
        let (closes, name) = match name.strip_prefix('/') {
            Some(name) => (true, name),
            None => (false, name.as_str()),
        };
        let length = end_of_tag(rest);
        if HIDDEN.contains(&name) && !closes {
            let end = end_of(rest, format!("</{name}").as_bytes());
            return end + end_of_tag(rest.get(end..).unwrap_or_default());
        }
        if name == "br" {
            self.end(Some(at..at + length));
        } else if BLOCKS.contains(&name) {
            self.end(None);
        } else if CONTENT.contains(&name) {
            self.shows = true;
            self.end(None);
        }
        length
    }

    /// A line ends; by this `<br>`, if it is one.
    fn end(&mut self, mark: Option<Range<usize>>) {
        let line = tidy(&std::mem::take(&mut self.text));
        let mut cuts = std::mem::take(&mut self.cuts);
        if self.over || self.shows || !line.is_empty() && !is_order(&line) {
            self.over = true;
            return;
        }
        cuts.extend(mark);
        if line.is_empty() && self.found.lines.is_empty() {
            return;
        }
        // An empty line behind them goes with them.
        self.found.cuts.append(&mut cuts);
        if !line.is_empty() {
            self.found.lines.push(line);
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b':' | b'-')
}

/// Where these bytes end, whatever their case; all of it where they are not there.
fn end_of(rest: &[u8], mark: &[u8]) -> usize {
    let found = rest.windows(mark.len()).position(|window| window.eq_ignore_ascii_case(mark));
    found.map_or(rest.len(), |at| at + mark.len())
}

/// Where a tag ends; a `>` in quotes does not end it.
fn end_of_tag(rest: &[u8]) -> usize {
    let mut quote = None;
    for (at, byte) in rest.iter().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    rest.len()
}
