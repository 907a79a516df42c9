//! ENVELOPE, BODY and BODYSTRUCTURE.

use super::mime::{Part, header_value, with_params};
use super::render::{nstring, parenthesised, string};

/// RFC 3501, section 7.4.2.
pub(crate) fn envelope(message: &[u8], part: &Part, out: &mut Vec<u8>) {
    let header = &message[part.header.clone()];
    let value = |name: &str| header_value(header, name);
    let text =
        |name: &str, out: &mut Vec<u8>| nstring(value(name).as_deref().map(str::as_bytes), out);
    out.push(b'(');
    text("date", out);
    out.push(b' ');
    text("subject", out);
    let from = value("from");
    for name in ["from", "sender", "reply-to", "to", "cc", "bcc"] {
        out.push(b' ');
        let own = value(name);
        let fallback = if matches!(name, "sender" | "reply-to") { from.as_deref() } else { None };
        addresses(own.as_deref().or(fallback), out);
    }
    for name in ["in-reply-to", "message-id"] {
        out.push(b' ');
        text(name, out);
    }
    out.push(b')');
}

fn addresses(value: Option<&str>, out: &mut Vec<u8>) {
    let addresses = value.map(split_addresses).unwrap_or_default();
    if addresses.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (name, address) in addresses {
        let (local, host) = match address.rsplit_once('@') {
            Some((local, host)) => (local, Some(host)),
            None => (address.as_str(), None),
        };
        out.push(b'(');
        nstring(name.as_deref().map(str::as_bytes), out);
        out.extend_from_slice(b" NIL ");
        string(local.as_bytes(), out);
        out.push(b' ');
        nstring(host.map(str::as_bytes), out);
        out.push(b')');
    }
    out.push(b')');
}

/// `Ann <ann@example.test>, bob@example.test` as names and addresses. Groups lose their name.
pub(crate) fn split_addresses(value: &str) -> Vec<(Option<String>, String)> {
    let mut pieces = vec![String::new()];
    let (mut in_quotes, mut comment) = (false, 0);
    for character in value.chars() {
        match character {
            '"' if comment == 0 => in_quotes = !in_quotes,
            '(' if !in_quotes => comment += 1,
            ')' if !in_quotes && comment > 0 => comment -= 1,
            ',' | ';' if !in_quotes && comment == 0 => pieces.push(String::new()),
            ':' if !in_quotes && comment == 0 => *pieces.last_mut().unwrap() = String::new(),
            _ if comment > 0 => {}
            other => pieces.last_mut().unwrap().push(other),
        }
    }
    pieces.iter().map(|piece| piece.trim()).filter(|piece| !piece.is_empty()).map(address).collect()
}

fn address(piece: &str) -> (Option<String>, String) {
    let Some((name, rest)) = piece.split_once('<') else { return (None, piece.to_owned()) };
    let name = name.trim();
    let name = (!name.is_empty()).then(|| name.to_owned());
    (name, rest.trim_end_matches('>').trim().to_owned())
}

/// BODYSTRUCTURE, or BODY if it is not to be extended.
pub(crate) fn structure(message: &[u8], part: &Part, extended: bool, out: &mut Vec<u8>) {
    out.push(b'(');
    if part.is_multipart() {
        for child in &part.children {
            structure(message, child, extended, out);
        }
        out.push(b' ');
        string(part.subkind.to_uppercase().as_bytes(), out);
        if extended {
            out.push(b' ');
            parameters(&part.params, out);
            extension(message, part, out);
        }
    } else {
        single(message, part, extended, out);
    }
    out.push(b')');
}

fn single(message: &[u8], part: &Part, extended: bool, out: &mut Vec<u8>) {
    let header = &message[part.header.clone()];
    let value = |name: &str| header_value(header, name);
    // A multipart without parts is told as the text that it is.
    let kind =
        if part.kind == "multipart" { ("text", "plain") } else { (&*part.kind, &*part.subkind) };
    string(kind.0.to_uppercase().as_bytes(), out);
    out.push(b' ');
    string(kind.1.to_uppercase().as_bytes(), out);
    out.push(b' ');
    parameters(&part.params, out);
    for name in ["content-id", "content-description"] {
        out.push(b' ');
        nstring(value(name).as_deref().map(str::as_bytes), out);
    }
    out.push(b' ');
    let encoding = value("content-transfer-encoding").unwrap_or_else(|| "7bit".into());
    string(encoding.to_uppercase().as_bytes(), out);
    let body = &message[part.body.clone()];
    out.extend_from_slice(format!(" {}", body.len()).as_bytes());
    let lines = body.iter().filter(|byte| **byte == b'\n').count();
    if let Some(inner) = part.inner() {
        out.push(b' ');
        envelope(message, inner, out);
        out.push(b' ');
        structure(message, inner, extended, out);
        out.extend_from_slice(format!(" {lines}").as_bytes());
    } else if kind.0 == "text" {
        out.extend_from_slice(format!(" {lines}").as_bytes());
    }
    if extended {
        out.push(b' ');
        nstring(value("content-md5").as_deref().map(str::as_bytes), out);
        extension(message, part, out);
    }
}

/// Disposition, language and location.
fn extension(message: &[u8], part: &Part, out: &mut Vec<u8>) {
    let header = &message[part.header.clone()];
    out.push(b' ');
    match header_value(header, "content-disposition") {
        Some(value) => {
            let (disposition, params) = with_params(&value);
            out.push(b'(');
            string(disposition.to_uppercase().as_bytes(), out);
            out.push(b' ');
            parameters(&params, out);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    for name in ["content-language", "content-location"] {
        out.push(b' ');
        nstring(header_value(header, name).as_deref().map(str::as_bytes), out);
    }
}

fn parameters(params: &[(String, String)], out: &mut Vec<u8>) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    let words: Vec<String> = params
        .iter()
        .map(|(name, value)| {
            let mut word = Vec::new();
            string(name.to_uppercase().as_bytes(), &mut word);
            word.push(b' ');
            string(value.as_bytes(), &mut word);
            String::from_utf8_lossy(&word).into_owned()
        })
        .collect();
    out.extend_from_slice(parenthesised(&words).as_bytes());
}
