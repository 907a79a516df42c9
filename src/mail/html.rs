//! HTML as plain text: one pass, linear in the input, whatever the nesting.
//!
//! Written for reading, not for rendering: blocks, list items and table cells are separated, scripts and styles
//! skipped, links reduced to their text. Quotations get `> ` in front, and what mail programs mark as history is
//! reported as line numbers, so that the new text can be told from the old. Start with [`to_text`].

use super::entities;

/// How deep a quotation is still shown.
const DEPTH_MAX: usize = 8;

/// The plain text of an HTML part, and where its sender's program says that older mail begins.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Plain {
    /// The text; quoted lines begin with `> `.
    pub text: String,
    /// Lines of `text` that introduce a quotation ("On … wrote:"), by the program's own mark.
    pub attributions: Vec<usize>,
    /// The line of `text` from which on everything is an older mail, as Outlook writes it.
    pub history: Option<usize>,
}

/// Turns HTML into plain text.
pub fn to_text(html: &str) -> Plain {
    let mut writer = Writer::default();
    let mut tags = Tags { rest: html, quotes_are_broken: false, unclosed: Vec::new() };
    while let Some(token) = tags.next() {
        match token {
            Token::Text(text) => writer.text(text),
            Token::Tag { name, closing, attributes } => writer.tag(&name, closing, attributes),
        }
    }
    writer.plain
}

enum Token<'a> {
    Text(&'a str),
    Tag { name: String, closing: bool, attributes: &'a str },
}

/// Splits HTML into tags and text. Comments, scripts and styles do not come out.
struct Tags<'a> {
    rest: &'a str,
    /// Once a quote was never closed, quotes no longer hide a `>`; otherwise each tag would search to the end.
    quotes_are_broken: bool,
    /// Ends that were searched for in vain, so that no search runs twice over the same input.
    unclosed: Vec<&'static str>,
}

impl<'a> Tags<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.rest.is_empty() {
                return None;
            }
            let Some(after) = self.rest.strip_prefix('<') else {
                let end = self.rest.find('<').unwrap_or(self.rest.len());
                return Some(Token::Text(self.take(end)));
            };
            if after.starts_with("!--") {
                self.skip_past("-->");
            } else if after
                .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'))
            {
                if let Some(tag) = self.tag() {
                    return Some(tag);
                }
            } else {
                return Some(Token::Text(self.take(1)));
            }
        }
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (start, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        start
    }

    /// Reads `<name attributes>`; `None` for what is skipped.
    fn tag(&mut self) -> Option<Token<'a>> {
        let Some(end) = self.end_of_tag() else {
            return Some(Token::Text(self.take(self.rest.len())));
        };
        let inner = self.take(end + 1).trim_start_matches('<').trim_end_matches('>');
        let (closing, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let length =
            inner.find(|c: char| c.is_ascii_whitespace() || c == '/').unwrap_or(inner.len());
        let (name, attributes) = inner.split_at_checked(length.min(inner.len()))?;
        let name = name.to_ascii_lowercase();
        let skipped = match name.as_str() {
            "script" => "</script",
            "style" => "</style",
            "title" => "</title",
            "template" => "</template",
            _ => {
                return (!name.starts_with(['!', '?'])).then_some(Token::Tag {
                    name,
                    closing,
                    attributes,
                });
            }
        };
        if !closing && !attributes.ends_with('/') {
            self.skip_past(skipped);
        }
        None
    }

    /// The byte at which the tag that starts here ends.
    fn end_of_tag(&mut self) -> Option<usize> {
        let bytes = self.rest.as_bytes();
        if !self.quotes_are_broken {
            let mut quote = None;
            for (at, byte) in bytes.iter().enumerate() {
                match (quote, byte) {
                    (None, b'>') => return Some(at),
                    (None, b'"' | b'\'') if bytes.get(at.wrapping_sub(1)) == Some(&b'=') => {
                        quote = Some(byte)
                    }
                    (Some(open), byte) if open == byte => quote = None,
                    _ => {}
                }
            }
            self.quotes_are_broken = true;
        }
        bytes.iter().position(|byte| *byte == b'>')
    }

    /// Goes on after `end`, in any case; where it never comes, only the present tag is skipped.
    fn skip_past(&mut self, end: &'static str) {
        if !self.unclosed.contains(&end) {
            let found = self
                .rest
                .as_bytes()
                .windows(end.len())
                .position(|window| window.eq_ignore_ascii_case(end.as_bytes()));
            if let Some(at) = found {
                self.take(at + end.len());
                if end != "-->" {
                    self.take(self.rest.find('>').map_or(0, |at| at + 1));
                }
                return;
            }
            self.unclosed.push(end);
        }
        if self.rest.starts_with('<') {
            let end = self.rest.find('>').map_or(self.rest.len(), |at| at + 1);
            self.take(end);
        }
    }
}

/// Writes text, collapsing blanks as a browser does.
#[derive(Default)]
struct Writer {
    plain: Plain,
    /// The number of the line being written.
    line: usize,
    /// Whether that line has text.
    begun: bool,
    /// Line ends that are due before the next text.
    due: usize,
    /// Whether a blank is due before the next text.
    blank: bool,
    /// For each open blockquote, whether it is a quotation rather than an indentation.
    quotes: Vec<bool>,
    depth: usize,
    preformatted: usize,
    /// A mark that holds for the next line of text.
    attribution: bool,
    history: bool,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let decoded = entities::decode(text);
        if self.preformatted > 0 {
            for (at, line) in decoded.split('\n').enumerate() {
                if at > 0 {
                    self.break_line();
                }
                if !line.trim().is_empty() {
                    self.word(line.trim_end_matches('\r'));
                }
            }
            return;
        }
        for (at, word) in
            decoded.split(|c: char| c.is_ascii_whitespace() || c == '\u{a0}').enumerate()
        {
            if at > 0 {
                self.blank = true;
            }
            // Zero-width letters only, as in preheaders, are no text.
            if word
                .chars()
                .any(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{34f}' | '\u{ad}'))
            {
                self.word(word);
            }
        }
    }

    fn word(&mut self, word: &str) {
        self.end_lines();
        if !self.begun {
            for _ in 0..self.depth.min(DEPTH_MAX) {
                self.plain.text.push_str("> ");
            }
            if std::mem::take(&mut self.attribution) {
                self.plain.attributions.push(self.line);
            }
            if std::mem::take(&mut self.history) && self.plain.history.is_none() {
                self.plain.history = Some(self.line);
            }
        } else if self.blank {
            self.plain.text.push(' ');
        }
        self.blank = false;
        self.begun = true;
        self.plain.text.push_str(word);
    }

    fn end_lines(&mut self) {
        let due = std::mem::take(&mut self.due);
        if self.plain.text.is_empty() || due == 0 {
            return;
        }
        for _ in 0..due.min(3) {
            self.plain.text.push('\n');
            self.line += 1;
        }
        self.begun = false;
    }

    fn break_line(&mut self) {
        self.due = (self.due + 1).min(3);
        self.blank = false;
    }

    fn block(&mut self, lines: usize) {
        self.due = self.due.max(lines);
        self.blank = false;
    }

    fn tag(&mut self, name: &str, closing: bool, attributes: &str) {
        match name {
            "br" => self.break_line(),
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "ul" | "ol" | "dl" => {
                self.block(if closing || name == "p" { 2 } else { 1 });
                self.mark(closing, attributes);
            }
            "div" | "tr" | "section" | "article" | "header" | "footer" | "form" | "dt" | "dd"
            | "center" | "body" | "html" | "address" | "fieldset" | "main" | "nav" | "caption"
            | "hr" | "figure" | "o:p" => {
                if name != "o:p" {
                    self.block(1);
                }
                self.mark(closing, attributes);
            }
            "td" | "th" if !closing && self.begun && self.due == 0 => {
                self.plain.text.push('\t');
                self.blank = false;
            }
            "li" => self.block(1),
            "pre" => {
                self.block(1);
                self.preformatted = if closing {
                    self.preformatted.saturating_sub(1)
                } else {
                    self.preformatted + 1
                };
            }
            "blockquote" => self.blockquote(closing, attributes),
            "span" | "a" | "font" | "b" => self.mark(closing, attributes),
            "img" if !closing => self.image(attributes),
            _ => {}
        }
    }

    fn blockquote(&mut self, closing: bool, attributes: &str) {
        self.block(2);
        if closing {
            if self.quotes.pop() == Some(true) {
                self.depth -= 1;
            }
            return;
        }
        let attributes = squeezed(attributes);
        let cited = attributes.contains("cite") || attributes.contains("quote");
        // Gmail's "indent more" is a borderless blockquote around the writer's own words.
        let indented =
            attributes.contains("border:none") || attributes.contains("border:mediumnone");
        let quotes = cited || !indented;
        self.quotes.push(quotes);
        self.depth += usize::from(quotes);
    }

    /// Notes what mail programs write to mark history.
    fn mark(&mut self, closing: bool, attributes: &str) {
        if closing || attributes.is_empty() {
            return;
        }
        let attributes = squeezed(attributes);
        let has = |marks: &[&str]| marks.iter().any(|mark| attributes.contains(mark));
        if has(&[
            "gmail_attr",
            "moz-cite-prefix",
            "moz-email-headers-table",
            "yahoo-cite",
            "attribution",
        ]) {
            self.attribution = true;
        }
        if has(&[
            "divrplyfwdmsg",
            "outlookmessageheader",
            "appendonsend",
            "border-top:solid#e1e1e1",
            "border-top:solid#b5c4df",
            "border-top:#b5c4df1ptsolid",
            "border-top:#e1e1e11ptsolid",
            "mail-editor-reference-message-container",
            "ms-outlook-mobile-reference-message",
            "olk_src_body_section",
            "__divider__",
            "stopspelling",
            "border-top-color:rgb(229,229,229)",
        ]) && self.depth == 0
        {
            self.history = true;
        }
    }

    /// Emoji come as images; the alternative text of other images is decoration.
    fn image(&mut self, attributes: &str) {
        let Some(alt) = attributes.split("alt=").nth(1) else { return };
        let alt = alt.trim_start_matches(['"', '\'']);
        let alt = alt.split(['"', '\'', '>']).next().unwrap_or_default();
        if !alt.is_empty()
            && alt.chars().count() <= 4
            && !alt.chars().any(|c| c.is_alphanumeric() || c == ' ')
        {
            self.word(alt);
        }
    }
}

/// Attributes without blanks, in lower case, as far as marks can be: a `data:` image need not be copied.
fn squeezed(attributes: &str) -> String {
    attributes
        .chars()
        .take(600)
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_ascii_lowercase())
        .collect::<String>()
        .replace("1.0pt", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_as_it_looks() {
        let cases = [
            ("<p>One</p><p>Two</p>", "One\n\nTwo"),
            ("<div>One</div><div>Two</div>", "One\nTwo"),
            ("<div>One</div><div><br></div><div>Two</div>", "One\n\nTwo"),
            ("One<br>Two<br/><br>Three", "One\nTwo\n\nThree"),
            ("a <b>bold</b>\n  word&nbsp;&amp; more", "a bold word & more"),
            ("<table><tr><td>q1</td><td>2</td></tr><tr><td>x</td></tr></table>", "q1\t2\nx"),
            ("<ul><li>one<li>two</ul>end", "one\ntwo\n\nend"),
            ("<style>p{}</style><SCRIPT>x<y</Script>shown<!-- <p>not --> too", "shown too"),
            ("<head><title>no</title></head><body>yes</body>", "yes"),
            ("<a href=\"http://x.example/?a>b\">link</a>", "link"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            (
                "<blockquote type=cite>old<blockquote>older</blockquote></blockquote>new",
                "> old\n\n> > older\n\nnew",
            ),
            (
                "<blockquote style=\"margin:0 0 0 40px; border: none; padding:0px\">mine</blockquote>",
                "mine",
            ),
            ("<pre>a\n  b</pre>", "a\n  b"),
            ("never <b closed", "never <b closed"),
            ("<p title=\"broken>text</p>", "text"),
            ("<!-- never closed <p>text", "text"),
            ("\u{200b}&zwnj;&#8203;", ""),
        ];
        for (html, expected) in cases {
            assert_eq!(to_text(html).text, expected, "{html}");
        }
    }

    #[test]
    fn the_marks_of_mail_programs_are_reported_as_lines() {
        let plain = to_text(
            "<p>new</p><div class=\"gmail_quote\"><div class=\"gmail_attr\">On … wrote:</div><blockquote>old</blockquote></div>",
        );
        assert_eq!(plain.attributions, [2]);
        let plain = to_text(
            "new<div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> x</p></div>",
        );
        assert_eq!(plain.history, Some(2));
    }

    #[test]
    fn hostile_html_takes_no_longer_than_its_length() {
        for part in [
            "<div>",
            "<blockquote>x",
            "<a href=\"",
            "<!--",
            "<style>",
            "<",
            "&",
            "&amp",
            "<img alt=",
            "<p class='a",
        ] {
            let html = part.repeat(200_000 / part.len());
            assert!(to_text(&html).text.len() <= html.len() * 20);
        }
    }
}
