//! The parts of a message: its text, its attachments, the mail attached to it.
//!
//! Plain text is preferred to HTML; what the sender's program wrapped (RFC 3676) is put together again; charsets
//! that are named wrongly are mended where that can be told. Start with [`read`].

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessagePart, MimeHeaders, PartType};

use super::html::{self, Plain};
use super::message::Attachment;
use super::{flowed, tnef, words};

/// The longest text that is kept, in bytes.
pub(super) const TEXT_MAX: usize = 1024 * 1024;
/// How many attachments are listed.
const ATTACHMENTS_MAX: usize = 1_000;

/// What the parts say.
#[derive(Default)]
pub(super) struct Body {
    pub(super) plain: Plain,
    pub(super) attachments: Vec<Attachment>,
    /// The first attached mail: who wrote it, and its text.
    pub(super) inner: Option<(Option<String>, String)>,
    pub(super) problems: Vec<String>,
}

/// Reads the parts of a parsed message.
pub(super) fn read(message: &Message<'_>) -> Body {
    let mut body = Body::default();
    let own: Vec<&MessagePart<'_>> =
        parts(message, &message.text_body).filter(|part| !named(part)).collect();
    body.plain = joined(message, own.iter().copied());
    if body.plain.text.trim().is_empty() {
        body.plain = joined(message, parts(message, &message.html_body));
    }
    if body.plain.text.trim().is_empty() {
        body.plain = joined(message, parts(message, &message.text_body));
    }
    attachments(message, &mut body);
    unbound(message, &mut body);
    if body.plain.text.len() > TEXT_MAX {
        body.problems
            .push(format!("the text is longer than {TEXT_MAX} bytes; the rest is left out"));
        cut(&mut body.plain.text, TEXT_MAX);
    }
    body
}

/// Shortens a text to at most `length` bytes, at a letter.
pub(super) fn cut(text: &mut String, length: usize) {
    let end = (0..=length.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
}

fn parts<'m, 'x>(
    message: &'m Message<'x>,
    ids: &'m [u32],
) -> impl Iterator<Item = &'m MessagePart<'x>> {
    ids.iter().filter_map(|id| message.part(*id))
}

/// A text with a file name is an attachment, even if it is shown inline.
pub(super) fn named(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(|disposition| disposition.has_attribute("filename"))
}

/// The texts of several parts, one below the other.
fn joined<'m, 'x: 'm>(
    message: &Message<'x>,
    parts: impl Iterator<Item = &'m MessagePart<'x>>,
) -> Plain {
    let mut whole = Plain::default();
    // The last line of `whole`.
    let mut line = 0;
    for part in parts {
        let piece = match &part.body {
            PartType::Text(_) => plain(message, part),
            PartType::Html(_) => html::to_text(&decoded(message, part)),
            _ => continue,
        };
        if piece.text.trim().is_empty() {
            continue;
        }
        if whole.text.len() > TEXT_MAX {
            break;
        }
        if !whole.text.is_empty() {
            whole.text.push_str("\n\n");
            line += 2;
        }
        whole.attributions.extend(piece.attributions.iter().map(|at| at + line));
        whole.history = whole.history.or(piece.history.map(|at| at + line));
        let text = piece.text.trim_end();
        line += text.matches('\n').count();
        whole.text.push_str(text);
    }
    whole
}

fn plain(message: &Message<'_>, part: &MessagePart<'_>) -> Plain {
    let mut text = decoded(message, part);
    // One letter more than is kept, so that the cut is noticed.
    cut(&mut text, TEXT_MAX + 4);
    let text = lines(&text);
    let attribute = |name: &str| {
        part.content_type()
            .and_then(|kind| kind.attribute(name))
            .map(str::to_ascii_lowercase)
            .unwrap_or_default()
    };
    let text = match attribute("format").as_str() {
        "flowed" => flowed::join(&text, attribute("delsp") == "yes"),
        _ => text,
    };
    Plain { text, ..Plain::default() }
}

/// Line ends as `\n`, no control characters.
pub(super) fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\r' => {
                letters.next_if_eq(&'\n');
                out.push('\n');
            }
            '\n' | '\t' => out.push(letter),
            '\u{c}' | '\u{b}' => out.push('\n'),
            _ if letter.is_control() => {}
            _ => out.push(letter),
        }
    }
    out
}

/// The text of a part, with a charset that was named wrongly put right.
fn decoded(message: &Message<'_>, part: &MessagePart<'_>) -> String {
    let text = part.text_contents().unwrap_or_default();
    let charset =
        part.content_type().and_then(|kind| kind.attribute("charset")).unwrap_or_default();
    let doubtful =
        text.contains('\u{fffd}') || !text.is_ascii() && !charset.eq_ignore_ascii_case("utf-8");
    if !doubtful {
        return text.to_owned();
    }
    let (from, to) = (part.offset_body as usize, part.offset_end as usize);
    let Some(bytes) = message.raw_message.get(from..to) else { return text.to_owned() };
    let bytes = match part.encoding {
        Encoding::None => Some(bytes.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(bytes),
        Encoding::Base64 => base64_decode(bytes),
    };
    match bytes {
        Some(bytes) if !bytes.is_empty() => words::decode(charset, &bytes),
        _ => text.to_owned(),
    }
}

fn attachments(message: &Message<'_>, body: &mut Body) {
    let shown = parts(message, &message.text_body).filter(|part| named(part) && part.is_text());
    for part in parts(message, &message.attachments).chain(shown) {
        if body.attachments.len() == ATTACHMENTS_MAX {
            body.problems
                .push(format!("more than {ATTACHMENTS_MAX} attachments; the rest is not listed"));
            return;
        }
        let found = attachment(message, part);
        if found.media_type == "application/ms-tnef"
            || found.name.eq_ignore_ascii_case("winmail.dat")
        {
            unpack(part.contents(), body);
        }
        body.attachments.push(found);
        if let (PartType::Message(inner), None) = (&part.body, &body.inner) {
            let sender = inner
                .from()
                .and_then(|from| from.first())
                .and_then(|from| from.address.as_deref().or(from.name.as_deref()));
            let texts = joined(inner, parts(inner, &inner.text_body));
            body.inner = Some((sender.map(str::to_owned), texts.text));
        }
    }
}

/// A multipart whose boundary cannot be found is text to the library, and an attachment; no word in it is lost.
fn unbound(message: &Message<'_>, body: &mut Body) {
    if body.plain.text.trim().is_empty() {
        let broken = parts(message, &message.attachments).filter(|part| {
            part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("multipart"))
        });
        body.plain = joined(message, broken);
        if !body.plain.text.trim().is_empty() {
            body.problems.push(
                "the bounds of its parts are not found; the text is shown as it came".to_owned(),
            );
        }
    }
    body.attachments.retain(|attachment| !attachment.media_type.starts_with("multipart/"));
}

fn attachment(message: &Message<'_>, part: &MessagePart<'_>) -> Attachment {
    let media_type = match part.content_type() {
        Some(kind) => match kind.subtype() {
            Some(subtype) => format!("{}/{}", kind.ctype(), subtype).to_ascii_lowercase(),
            None => kind.ctype().to_ascii_lowercase(),
        },
        None if part.is_message() => "message/rfc822".to_owned(),
        None if part.is_text() => "text/plain".to_owned(),
        None => "application/octet-stream".to_owned(),
    };
    let name = match part.attachment_name() {
        Some(name) if !name.is_empty() => words::text(name.as_bytes()),
        _ => folded_name(message, part).unwrap_or_default(),
    };
    let size = match &part.body {
        PartType::Message(_) => part.offset_end.saturating_sub(part.offset_body) as usize,
        _ => part.len(),
    };
    Attachment { name, media_type, size }
}

/// A file name that the library loses: written on a line of its own after `filename=`.
fn folded_name(message: &Message<'_>, part: &MessagePart<'_>) -> Option<String> {
    let header = message.raw_message.get(part.offset_header as usize..part.offset_body as usize)?;
    let header = words::guess(header);
    for key in ["filename=", "name="] {
        let lower = header.to_ascii_lowercase();
        let Some(at) = lower.find(key) else { continue };
        let value = header.get(at + key.len()..)?.trim_start();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => value.split([';', '\r', '\n', ' ']).next(),
        };
        return value.map(|value| words::text(value.as_bytes())).filter(|value| !value.is_empty());
    }
    None
}

/// Takes the text out of Outlook's `winmail.dat` if there is no other, and lists what is inside.
fn unpack(bytes: &[u8], body: &mut Body) {
    let packed = tnef::read(bytes);
    if body.plain.text.trim().is_empty() {
        body.plain.text = lines(&packed.text);
    }
    body.attachments.extend(packed.attachments.into_iter().take(ATTACHMENTS_MAX));
}
