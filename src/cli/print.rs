//! Where commands print: standard output that may be closed early, and colours only for a terminal.
//!
//! A reader that has seen enough (`baton threads | head`) is no failure: what follows is dropped, and the command goes on
//! to its end. Text that came by mail passes [`plain`] first, so that no mail can steer the terminal.

use std::fmt::Arguments;
use std::io::{self, BufWriter, IsTerminal, Write};

use anyhow::Context;
use serde::Serialize;

/// How wide a line for people may be, in columns.
pub(super) const WIDTH: usize = 100;

/// A colour with a meaning of its own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Ink {
    /// As the terminal writes.
    #[default]
    Plain,
    /// What the eye should find first.
    Strong,
    /// What may be passed over.
    Faint,
    /// What needs somebody.
    Alarm,
    /// What is well.
    Good,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Ink::Plain => "",
            Ink::Strong => "\x1b[1m",
            Ink::Faint => "\x1b[2m",
            Ink::Alarm => "\x1b[1;31m",
            Ink::Good => "\x1b[32m",
        }
    }
}

/// Whether colours are wanted on this stream (<https://no-color.org>).
pub(super) fn wants_colours(stream: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !refused
}

/// A command's output.
pub(super) struct Out {
    sink: BufWriter<Box<dyn Write>>,
    colours: bool,
    gone: bool,
}

impl Out {
    /// Standard output.
    pub(super) fn to_stdout() -> Out {
        let stdout = io::stdout();
        let colours = wants_colours(&stdout);
        Out { sink: BufWriter::new(Box::new(stdout)), colours, gone: false }
    }

    /// Whether nobody reads any more.
    pub(super) fn reader_gone(&self) -> bool {
        self.gone
    }

    /// `text` in a colour, where colours are wanted.
    pub(super) fn painted(&self, ink: Ink, text: &str) -> String {
        if !self.colours || ink == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("{}{text}\x1b[0m", ink.code())
    }

    /// Prints a line.
    pub(super) fn line(&mut self, words: Arguments<'_>) -> anyhow::Result<()> {
        writeln!(self, "{words}").context("cannot write the answer")
    }

    /// Prints lines that are indented by `indent` columns and broken at spaces to fit.
    pub(super) fn paragraph(&mut self, indent: usize, words: &str) -> anyhow::Result<()> {
        for line in wrapped(words, WIDTH.saturating_sub(indent)) {
            self.line(format_args!("{:indent$}{line}", ""))?;
        }
        Ok(())
    }

    /// Prints one JSON document.
    pub(super) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut *self, value).context("cannot write the answer")?;
        self.line(format_args!(""))
    }

    /// Says something on standard error, after what was printed so far.
    pub(super) fn aside(&mut self, words: &str) {
        // Whoever closed standard output or standard error does not want to be told about it.
        drop(self.flush());
        drop(writeln!(io::stderr(), "{words}"));
    }

    /// Hands everything over; the disk behind a redirection may be full.
    pub(super) fn finish(&mut self) -> anyhow::Result<()> {
        self.flush().context("cannot write the answer")
    }

    fn noted<T>(&mut self, done: io::Result<T>, otherwise: T) -> io::Result<T> {
        match done {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                Ok(otherwise)
            }
            done => done,
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.gone {
            return Ok(bytes.len());
        }
        let done = self.sink.write(bytes);
        self.noted(done, bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.gone {
            return Ok(());
        }
        let done = self.sink.flush();
        self.noted(done, ())
    }
}

/// Text on one line, without anything that could steer a terminal or turn the direction of writing.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| match letter {
            '\t' | '\n' | '\r' => ' ',
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
            letter if letter.is_control() => '\u{fffd}',
            letter => letter,
        })
        .collect()
}

/// How many columns a letter takes: two for East Asian scripts and emoji, none for marks that join the letter before.
fn columns_of(letter: char) -> usize {
    match letter {
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// How many columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// The text, shortened to `width` columns, with `…` where something was left out.
pub(super) fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let (mut short, mut used) = (String::new(), 0);
    for letter in text.chars() {
        used += columns_of(letter);
        if used + 1 > width {
            break;
        }
        short.push(letter);
    }
    format!("{}…", short.trim_end())
}

/// The text on lines of at most `width` columns, broken at spaces; a longer word has a line of its own, shortened.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    broken(text.split_whitespace().map(|word| shortened(word, width)), width)
}

/// The same, with longer words as they are: what is to be typed or opened must be whole.
pub(super) fn wrapped_whole(text: &str, width: usize) -> Vec<String> {
    broken(text.split_whitespace().map(str::to_owned), width)
}

fn broken(words: impl Iterator<Item = String>, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in words {
        if !line.is_empty() && columns(&line) + 1 + columns(&word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What a command printed.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        pub(crate) fn out(&self) -> Out {
            Out { sink: BufWriter::new(Box::new(self.clone())), colours: false, gone: false }
        }

        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let mut out = Out { sink: BufWriter::new(Box::new(Closed)), colours: false, gone: false };
        for _ in 0..10_000 {
            out.line(format_args!("a line that nobody reads")).unwrap();
        }
        out.finish().unwrap();
        assert!(out.reader_gone());
    }

    #[test]
    fn no_mail_can_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb c\u{fffd}d");
    }

    #[test]
    fn a_shortened_text_fits_whatever_its_script() {
        for text in [
            "Broken kettle since Monday",
            "水壶坏了，请帮忙，谢谢",
            "e\u{301}e\u{301}e\u{301}e\u{301}",
        ] {
            for width in 1..30 {
                let short = shortened(text, width);
                assert!(columns(&short) <= width, "{short} in {width}");
                assert_eq!(short == text, columns(text) <= width, "{short} in {width}");
            }
        }
    }

    #[test]
    fn a_paragraph_breaks_at_spaces() {
        assert_eq!(wrapped("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrapped("incomprehensibilities a", 8), ["incompr…", "a"]);
        assert!(wrapped(" ", 8).is_empty());
    }
}
