//! Where the parts of a message lie in its bytes. Forgiving, as servers are: what is no MIME is one part of text.

use std::ops::Range;

/// How deep messages may nest until the rest is taken as it is.
const DEPTH: usize = 30;

/// A part; its ranges are of the whole message's bytes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Part {
    /// With the empty line at its end.
    pub(crate) header: Range<usize>,
    pub(crate) body: Range<usize>,
    /// In small letters: `text`.
    pub(crate) kind: String,
    /// In small letters: `plain`.
    pub(crate) subkind: String,
    /// Of Content-Type, in order, names in small letters.
    pub(crate) params: Vec<(String, String)>,
    /// The parts of a multipart; of a message/rfc822, the one message in it.
    pub(crate) children: Vec<Part>,
}

impl Part {
    pub(crate) fn is_multipart(&self) -> bool {
        self.kind == "multipart" && !self.children.is_empty()
    }

    /// The message in a message/rfc822.
    pub(crate) fn inner(&self) -> Option<&Part> {
        if self.kind == "message" { self.children.first() } else { None }
    }

    /// The part that a section number such as `1.2` names (RFC 3501, section 6.4.5).
    pub(crate) fn at(&self, path: &[usize]) -> Option<&Part> {
        let Some((number, rest)) = path.split_first() else { return Some(self) };
        let part = match self.is_multipart() {
            true => self.children.get(number.checked_sub(1)?)?,
            false if *number == 1 => self,
            false => return None,
        };
        match (rest, part.inner()) {
            ([], _) => Some(part),
            (_, Some(message)) => message.at(rest),
            (_, None) if part.is_multipart() => part.at(rest),
            (_, None) => None,
        }
    }
}

pub(crate) fn parse(message: &[u8]) -> Part {
    part(message, 0..message.len(), ("text", "plain"), 0)
}

fn part(message: &[u8], range: Range<usize>, default: (&str, &str), depth: usize) -> Part {
    let bytes = &message[range.clone()];
    let header_length = header_length(bytes);
    let header = range.start..range.start + header_length;
    let body = header.end..range.end;
    let (kind, subkind, params) = match header_value(&message[header.clone()], "content-type") {
        Some(value) => content_type(&value),
        None => (default.0.to_owned(), default.1.to_owned(), Vec::new()),
    };
    let mut part = Part { header, body: body.clone(), kind, subkind, params, children: Vec::new() };
    if depth >= DEPTH {
        return part;
    }
    if part.kind == "multipart" {
        let inner =
            if part.subkind == "digest" { ("message", "rfc822") } else { ("text", "plain") };
        let boundary = part.params.iter().find(|(name, _)| name == "boundary");
        let ranges =
            boundary.map(|(_, boundary)| pieces(message, body, boundary)).unwrap_or_default();
        part.children =
            ranges.into_iter().map(|piece| self::part(message, piece, inner, depth + 1)).collect();
    } else if part.kind == "message" && matches!(part.subkind.as_str(), "rfc822" | "global") {
        part.children = vec![self::part(message, body, ("text", "plain"), depth + 1)];
    }
    part
}

/// How long the header is, with the empty line; everything if there is none.
pub(crate) fn header_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        if line == b"\r\n" || line == b"\n" {
            return at;
        }
    }
    bytes.len()
}

/// The fields of a header as they stand, folded lines and line ends included, with their names.
pub(crate) fn fields(header: &[u8]) -> Vec<(String, &[u8])> {
    let mut starts: Vec<usize> = Vec::new();
    let mut at = 0;
    for line in header.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        if starts.is_empty() || !matches!(line[0], b' ' | b'\t') {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([at]);
    let field = |(start, end): (&usize, usize)| {
        let bytes = &header[*start..end];
        let name = bytes.split(|byte| *byte == b':').next().unwrap_or_default();
        (String::from_utf8_lossy(name).trim().to_owned(), bytes)
    };
    starts.iter().zip(ends).map(field).collect()
}

/// The value of the first field of this name, unfolded.
pub(crate) fn header_value(header: &[u8], name: &str) -> Option<String> {
    let (_, field) = fields(header).into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    let text = String::from_utf8_lossy(field).replace(['\r', '\n'], "").replace('\t', " ");
    text.split_once(':').map(|(_, value)| value.trim().to_owned())
}

/// `text/plain; charset=utf-8`, taken apart.
fn content_type(value: &str) -> (String, String, Vec<(String, String)>) {
    let (full, params) = with_params(value);
    let (kind, subkind) = full.split_once('/').unwrap_or(("text", "plain"));
    (kind.trim().to_lowercase(), subkind.trim().to_lowercase(), params)
}

/// A value and its parameters: `attachment; filename="a; b.pdf"`.
pub(crate) fn with_params(value: &str) -> (String, Vec<(String, String)>) {
    let mut pieces = vec![String::new()];
    let mut in_quotes = false;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => in_quotes = !in_quotes,
            ';' if !in_quotes => pieces.push(String::new()),
            '\\' if in_quotes => pieces.last_mut().unwrap().extend(characters.next()),
            other => pieces.last_mut().unwrap().push(other),
        }
    }
    let params = pieces.iter().skip(1).filter_map(|piece| piece.split_once('='));
    let params = params.map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()));
    (pieces[0].trim().to_owned(), params.collect())
}

/// The ranges between the boundary lines.
fn pieces(message: &[u8], body: Range<usize>, boundary: &str) -> Vec<Range<usize>> {
    let mark = format!("--{boundary}").into_bytes();
    let mut found = Vec::new();
    let mut open: Option<usize> = None;
    let mut at = body.start;
    for line in message[body.clone()].split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(mark.as_slice()) else { continue };
        let last = rest.starts_with(b"--");
        if !last && !rest.trim_ascii().is_empty() {
            continue;
        }
        if let Some(begun) = open.take() {
            found.push(begun..without_line_end(message, begun, start));
        }
        if last {
            return found;
        }
        open = Some(at);
    }
    found.extend(open.map(|begun| begun..body.end));
    found
}

/// The line end before a boundary belongs to the boundary.
fn without_line_end(message: &[u8], start: usize, end: usize) -> usize {
    let piece = &message[start..end];
    let piece = piece.strip_suffix(b"\n").unwrap_or(piece);
    start + piece.strip_suffix(b"\r").unwrap_or(piece).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"Subject: a\r\n b\r\nContent-Type: multipart/mixed; boundary=\"x;y\"\r\n\r\npreamble\r\n\
        --x;y\r\n\r\nfirst\r\n--x;y\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninside\r\n--x;y--\r\n";

    #[test]
    fn parts_are_found_by_number() {
        let mail = parse(MAIL);
        let text = |path: &[usize]| mail.at(path).map(|part| &MAIL[part.body.clone()]);
        assert_eq!(text(&[1]), Some(&b"first"[..]));
        assert_eq!(text(&[2]), Some(&b"Subject: inner\r\n\r\ninside"[..]));
        assert_eq!(text(&[2, 1]), Some(&b"inside"[..]));
        assert_eq!(text(&[3]), None);
        assert_eq!(header_value(&MAIL[mail.header.clone()], "subject").as_deref(), Some("a b"));
    }
}
