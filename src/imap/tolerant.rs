//! What stands between the server and the parser: lines that the parser would die of are mended, or left out.
//!
//! async-imap ends a session at the first line that imap-proto cannot read, and imap-proto panics on two kinds. Real servers
//! send such lines: Exchange a bare `[COPYUID …]` in the middle of a MOVE, others a capability list with double spaces.
//! A FETCH line is never left out, because a message would be left out with it. Bodies (literals) pass untouched.
//! Where to start: [`mend`].

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use async_imap::imap_proto::Response;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::session::Wire;

/// The longest line, without its literals.
const LINE_BYTES_MAX: usize = 1024 * 1024;
/// The longest literal. We ask for less; a header alone may be large.
const LITERAL_BYTES_MAX: u64 = 32 * 1024 * 1024;
const CHUNK_BYTES: usize = 16 * 1024;

/// A connection whose lines can all be read.
#[derive(Debug)]
pub(super) struct Tolerant {
    inner: Box<dyn Wire>,
    /// The line that is being received.
    line: Vec<u8>,
    /// Bytes of a literal that are still to come.
    literal: u64,
    /// The line goes on after a literal.
    continued: bool,
    /// Mended, not yet taken.
    ready: Vec<u8>,
    taken: usize,
}

impl Tolerant {
    pub(super) fn new(inner: Box<dyn Wire>) -> Tolerant {
        let (line, ready) = (Vec::new(), Vec::new());
        Tolerant { inner, line, literal: 0, continued: false, ready, taken: 0 }
    }

    fn take_in(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let rest = if 0 < self.literal {
                let count = usize::try_from(self.literal).unwrap_or(usize::MAX).min(bytes.len());
                let (literal, rest) = bytes.split_at(count);
                self.ready.extend_from_slice(literal);
                self.literal -= count as u64;
                rest
            } else {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let (line, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
                self.line.extend_from_slice(line);
                if LINE_BYTES_MAX < self.line.len() {
                    return Err(io::Error::other("the server sent a line without end"));
                }
                if end.is_some() {
                    self.finish_line()?;
                }
                rest
            };
            bytes = rest;
        }
        Ok(())
    }

    fn finish_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        match announced(&line, self.continued) {
            Some(count) if LITERAL_BYTES_MAX < count => {
                return Err(io::Error::other(format!("the server sends {count} bytes at once")));
            }
            Some(count) => {
                self.literal = count;
                self.ready.extend_from_slice(&if self.continued { line } else { tame(line) });
                self.continued = true;
            }
            None if self.continued => {
                self.continued = false;
                self.ready.extend_from_slice(&line);
            }
            None => self.ready.extend_from_slice(&mend(line)),
        }
        Ok(())
    }
}

/// The size of the literal that follows a line. Free text of a status line may end in braces too.
fn announced(line: &[u8], continued: bool) -> Option<u64> {
    let line = line.strip_suffix(b"\r\n")?;
    if is_free_text(line) && !continued {
        return None;
    }
    let open = line.iter().rposition(|byte| *byte == b'{')?;
    let digits = line.get(open + 1..)?.strip_suffix(b"}")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a line ends in words for people: every status line, and whatever is not untagged.
fn is_free_text(line: &[u8]) -> bool {
    let status = [&b"* OK"[..], b"* NO", b"* BAD", b"* BYE", b"* PREAUTH"];
    !line.starts_with(b"* ") || status.iter().any(|word| line.starts_with(word))
}

/// Makes one line, without literals, readable; nothing is left of a line that has to be left out.
fn mend(line: Vec<u8>) -> Vec<u8> {
    let line = tame(line);
    if readable(&line) {
        return line;
    }
    let text = String::from_utf8_lossy(&line);
    let text = text.trim_end_matches(['\r', '\n']);
    tracing::debug!(line = text, "mending a line that the parser does not know");
    if matches!(text.trim(), "" | "*") {
        return Vec::new();
    }
    let mended = match text.strip_prefix("* ") {
        Some(rest) => mend_untagged(rest),
        // Exchange, in the middle of a MOVE.
        None if text.starts_with("[COPYUID") => Some(format!("* OK {text}")),
        // Exchange's `Server Unavailable. 15`: nothing after it can be relied on.
        None => Some(format!("* BYE {text}")),
    };
    let mended = mended.map(|text| format!("{text}\r\n").into_bytes());
    match mended {
        Some(mended) if readable(&mended) => mended,
        // Better a connection lost, which is seen, than a message left out, which is not. What names no UID is no answer
        // to us, because we always ask for it.
        _ if text.to_ascii_uppercase().contains(" FETCH ") && names_a_uid(text) => line,
        _ => Vec::new(),
    }
}

fn names_a_uid(text: &str) -> bool {
    text.to_ascii_uppercase().split([' ', '(', ')']).any(|word| word == "UID")
}

fn readable(line: &[u8]) -> bool {
    matches!(Response::parse(line), Ok((rest, _)) if rest.is_empty())
}

/// Takes away what imap-proto panics on, and gives a bare LF its CR.
fn tame(mut line: Vec<u8>) -> Vec<u8> {
    if !line.ends_with(b"\r\n") {
        line.pop();
        line.extend_from_slice(b"\r\n");
    }
    const NO_DATE: &[u8] = b"INTERNALDATE NIL";
    let no_date = line.windows(NO_DATE.len()).position(|at| at.eq_ignore_ascii_case(NO_DATE));
    if let Some(at) = no_date {
        let nil = at + NO_DATE.len() - 3;
        line.splice(nil..nil + 3, *b"\"\"");
    }
    let mut line = quote_labels(line);
    // `[CODE]é`: the parser cuts one byte off the text after a code.
    let tight = line.windows(2).position(|pair| matches!(pair, [b']', 0x80..=0xff]));
    if let Some(at) = tight.filter(|_| is_free_text(&line)) {
        line.insert(at + 1, b' ');
    }
    line
}

/// Gmail's labels, each in quotes and none as NIL (G36): the parser knows neither NIL nor all atoms that are sent (G32).
fn quote_labels(line: Vec<u8>) -> Vec<u8> {
    const ITEM: &[u8] = b"X-GM-LABELS ";
    let Some(at) = line.windows(ITEM.len()).position(|at| at == ITEM) else { return line };
    let (before, after) = line.split_at(at + ITEM.len());
    let mut out = before.to_vec();
    let rest = match after {
        [b'N', b'I', b'L', rest @ ..] => {
            out.extend_from_slice(b"()");
            rest
        }
        [b'(', rest @ ..] => {
            out.push(b'(');
            quote_words(rest, &mut out)
        }
        rest => rest,
    };
    out.extend_from_slice(rest);
    out
}

/// Copies words up to the bracket that ends their list; answers what is left.
fn quote_words<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    loop {
        match rest {
            [] | [b')', ..] => return rest,
            [blank @ b' ', after @ ..] => {
                out.push(*blank);
                rest = after;
            }
            [b'"', inside @ ..] => {
                let escaped = |at: usize| {
                    let slashes = inside.get(..at).unwrap_or_default();
                    slashes.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
                };
                let end =
                    (0..inside.len()).find(|at| inside.get(*at) == Some(&b'"') && !escaped(*at));
                let length = end.map_or(rest.len(), |end| end + 2);
                let (word, after) = rest.split_at(length);
                out.extend_from_slice(word);
                rest = after;
            }
            _ => {
                let end = rest.iter().position(|byte| matches!(byte, b' ' | b')' | b'\r'));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                if word.is_empty() {
                    return rest;
                }
                out.push(b'"');
                for byte in word {
                    if matches!(byte, b'\\' | b'"') {
                        out.push(b'\\');
                    }
                    out.push(*byte);
                }
                out.push(b'"');
                rest = after;
            }
        }
    }
}

fn mend_untagged(rest: &str) -> Option<String> {
    let (first, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
    match first.to_ascii_uppercase().as_str() {
        "CAPABILITY" => {
            let words: Vec<&str> = arguments.split_whitespace().collect();
            // imap-proto insists on it, also of a server that only knows its successor.
            Some(format!("* CAPABILITY IMAP4rev1 {}", words.join(" ")))
        }
        "STATUS" => mend_status(arguments),
        "LIST" => mend_list(arguments),
        number if number.bytes().all(|byte| byte.is_ascii_digit()) => mend_fetch(number, arguments),
        _ => None,
    }
}

/// Exchange: `STATUS Sent Items (…)` without quotes; others add items that were not asked for.
fn mend_status(arguments: &str) -> Option<String> {
    const KNOWN: [&str; 5] = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ"];
    let (name, items) = arguments.rsplit_once(" (")?;
    let items: Vec<&str> = items.trim_end().strip_suffix(')')?.split_whitespace().collect();
    let (pairs, _) = items.as_chunks::<2>();
    let known =
        pairs.iter().filter(|[item, _]| KNOWN.contains(&item.to_ascii_uppercase().as_str()));
    let known: Vec<String> = known.map(|[item, value]| format!("{item} {value}")).collect();
    Some(format!("* STATUS {} ({})", quoted(name), known.join(" ")))
}

/// Exchange: names with spaces or tabs without quotes; others add extended data after the name.
fn mend_list(arguments: &str) -> Option<String> {
    let (attributes, rest) = arguments.strip_prefix('(')?.split_once(") ")?;
    let (delimiter, name) = rest.split_once(' ')?;
    let name = match name.strip_prefix('"') {
        Some(inside) => format!("\"{}\"", inside.split_once('"')?.0),
        None => quoted(name),
    };
    Some(format!("* LIST ({attributes}) {delimiter} {name}"))
}

/// Keeps the UID and the flags: the message is not forgotten, and its content is asked for in any case.
fn mend_fetch(number: &str, arguments: &str) -> Option<String> {
    let upper = arguments.to_ascii_uppercase();
    if !upper.starts_with("FETCH (") {
        return None;
    }
    let after = |word: &str| {
        let at = upper.find(&format!("({word} ")).or_else(|| upper.find(&format!(" {word} ")))?;
        arguments.get(at + word.len() + 2..)
    };
    let uid: String = after("UID")?.chars().take_while(char::is_ascii_digit).collect();
    let flags = after("FLAGS").and_then(|rest| rest.strip_prefix('(')?.split_once(')'));
    let flags = flags.map(|(flags, _)| format!(" FLAGS ({flags})")).unwrap_or_default();
    Some(format!("* {number} FETCH (UID {uid}{flags})"))
}

fn quoted(name: &str) -> String {
    if name.starts_with('"') { name.to_owned() } else { format!("\"{name}\"") }
}

impl AsyncRead for Tolerant {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let waiting = this.ready.get(this.taken..).unwrap_or_default();
            if !waiting.is_empty() {
                let count = waiting.len().min(out.remaining());
                out.put_slice(waiting.get(..count).unwrap_or_default());
                this.taken += count;
                if this.taken == this.ready.len() {
                    this.ready.clear();
                    this.taken = 0;
                }
                return Poll::Ready(Ok(()));
            }
            let mut chunk = [0; CHUNK_BYTES];
            let mut chunk = ReadBuf::new(&mut chunk);
            ready!(Pin::new(&mut this.inner).poll_read(context, &mut chunk))?;
            if chunk.filled().is_empty() {
                // What remains of a line is told as it is, so that the loss is seen.
                this.ready = std::mem::take(&mut this.line);
                if this.ready.is_empty() {
                    return Poll::Ready(Ok(()));
                }
            }
            this.take_in(chunk.filled())?;
        }
    }
}

impl AsyncWrite for Tolerant {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().inner).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[track_caller]
    fn check(sent: &str, told: &str) {
        let mended = mend(format!("{sent}\r\n").into_bytes());
        let told = if told.is_empty() { String::new() } else { format!("{told}\r\n") };
        assert_eq!(String::from_utf8_lossy(&mended), told);
    }

    #[test]
    fn what_can_be_read_is_not_touched() {
        for line in ["* 3 EXISTS", "A0003 OK done", "+ idling", "* VANISHED (EARLIER) 1:3"] {
            check(line, line);
        }
    }

    #[test]
    fn what_servers_really_send_is_mended() {
        check("[COPYUID 55 31 6]", "* OK [COPYUID 55 31 6]");
        check("Server Unavailable. 15", "* BYE Server Unavailable. 15");
        check("* CAPABILITY IMAP4rev2  IDLE", "* CAPABILITY IMAP4rev1 IMAP4rev2 IDLE");
        check("* STATUS Sent Items (MESSAGES 3 SIZE 99)", "* STATUS \"Sent Items\" (MESSAGES 3)");
        check("* LIST (\\Marked) \"/\" A\tB", "* LIST (\\Marked) \"/\" \"A\tB\"");
        check(
            "* LIST () \"/\" \"Baton\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
            "* LIST () \"/\" \"Baton\"",
        );
        check("* NAMESPACE ((\"\" \"/\")) NIL NIL", "");
        check("", "");
    }

    #[test]
    fn what_the_parser_panics_on_never_reaches_it() {
        check(
            "* 1 FETCH (UID 7 INTERNALDATE NIL FLAGS ())",
            "* 1 FETCH (UID 7 INTERNALDATE \"\" FLAGS ())",
        );
        check("A1 OK [READ-WRITE]é", "A1 OK [READ-WRITE] é");
    }

    #[test]
    fn a_message_is_never_left_out() {
        check("* 1 FETCH (FLAGS (\\Seen) UID 7 X (a (b)))", "* 1 FETCH (UID 7 FLAGS (\\Seen))");
        let hopeless = "* 1 FETCH (X (a (b)) UID x)";
        check(hopeless, hopeless);
        check("* 1 FETCH (X (a (b)))", "");
    }

    #[tokio::test]
    async fn bodies_pass_untouched_however_they_are_cut() {
        let sent = "* 1 FETCH (UID 7 BODY[] {22}\r\n[COPYUID 1 2 3]\r\n* X\r\n)\r\n\
                    [COPYUID 1 2 3]\r\n* OK not a literal {9}\r\nA1 OK\r\n";
        let told = sent.replace("\n[COPYUID 1 2 3]\r\n* OK", "\n* OK [COPYUID 1 2 3]\r\n* OK");
        for size in [1, 2, 7, 1000] {
            let (mut server, client) = tokio::io::duplex(1 << 16);
            let mut client = Tolerant::new(Box::new(client));
            for piece in sent.as_bytes().chunks(size) {
                server.write_all(piece).await.unwrap();
            }
            drop(server);
            let mut read = String::new();
            client.read_to_string(&mut read).await.unwrap();
            assert_eq!(read, told);
        }
    }

    /// What a server may say, in pieces; most of what comes of them is nonsense.
    const PIECES: [&str; 44] = [
        "* ",
        "+ ",
        "A1 ",
        "OK",
        "NO ",
        "BAD",
        "BYE",
        "1 ",
        "4294967296 ",
        "FETCH (",
        "UID 7 ",
        "FLAGS (",
        "\\Seen ",
        "$x",
        ")",
        "(",
        "INTERNALDATE NIL",
        "INTERNALDATE \"17-Jul-1996 02:44:25 -0700\"",
        "BODY[] ",
        "{3}\r\nabc",
        "{3}",
        "{99999999999999999999}",
        "\"",
        "\\",
        "[",
        "]",
        "é",
        "\u{0}",
        "\r",
        "\r\n",
        "\n",
        "LIST ",
        "STATUS ",
        "CAPABILITY ",
        "VANISHED (EARLIER) ",
        "1:",
        "4294967295",
        ",",
        "COPYUID 1 2:3 4:5",
        "NIL",
        "ENVELOPE (",
        "MODSEQ (9)",
        "EXISTS",
        "BODYSTRUCTURE (",
    ];

    fn said() -> impl Strategy<Value = String> {
        let piece = (0..PIECES.len()).prop_map(|index| PIECES[index]);
        proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
    }

    /// As much as `BATON_LONG` asks for.
    fn cases() -> ProptestConfig {
        let cases = if std::env::var("BATON_LONG").is_ok() { 2_000_000 } else { 2_000 };
        ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(cases())]

        #[test]
        fn no_line_makes_the_parser_panic(line in "(\\* |A1 |)(OK|[0-9] FETCH|LIST|STATUS|) ?[\\[\\](){}A-Z0-9é \"\\\\]*") {
            readable(&mend(format!("{line}\r\n").into_bytes()));
        }

        #[test]
        fn whatever_a_server_says_is_taken_in_and_can_be_parsed(said in said(), cut in 1..40_usize) {
            let mut tolerant = Tolerant::new(Box::new(tokio::io::duplex(1).0));
            for piece in format!("{said}\r\n").as_bytes().chunks(cut) {
                if tolerant.take_in(piece).is_err() {
                    return Ok(());
                }
            }
            let mut rest = tolerant.ready.as_slice();
            while let Ok((next, _)) = Response::parse(rest) {
                prop_assert!(next.len() < rest.len());
                rest = next;
            }
        }
    }
}
