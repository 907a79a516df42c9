//! How folder names travel: modified UTF-7 (RFC 3501, section 5.1.3) inside quoted strings.
//!
//! Names inside Baton are ordinary text; they are encoded on the way out and decoded on the way in, here only.

use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use base64::{Engine, alphabet};

/// RFC 3501, section 5.1.3: `,` instead of `/`, and no padding.
const ENGINE: GeneralPurpose = GeneralPurpose::new(&ALPHABET, NO_PAD);
const ALPHABET: Alphabet =
    match Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,") {
        Ok(alphabet) => alphabet,
        // Cannot happen: 64 different characters. Base64's own would be wrong, but `const` allows no panic here.
        Err(_) => alphabet::STANDARD,
    };

/// The name as it is sent, without quotes.
pub(super) fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut shifted: Vec<u16> = Vec::new();
    for character in name.chars() {
        if matches!(character, ' '..='~') {
            flush(&mut out, &mut shifted);
            out.push(character);
            if character == '&' {
                out.push('-');
            }
        } else {
            shifted.extend(character.encode_utf16(&mut [0; 2]).iter());
        }
    }
    flush(&mut out, &mut shifted);
    out
}

fn flush(out: &mut String, shifted: &mut Vec<u16>) {
    if !shifted.is_empty() {
        let bytes: Vec<u8> = shifted.drain(..).flat_map(u16::to_be_bytes).collect();
        out.push('&');
        out.push_str(&ENGINE.encode(bytes));
        out.push('-');
    }
}

/// The name as people read it. `None` when it is not modified UTF-7, as on servers that send plain UTF-8 without
/// being asked; such a folder cannot be named back to its server with certainty.
pub(super) fn decode(sent: &str) -> Option<String> {
    let mut out = String::with_capacity(sent.len());
    let mut rest = sent;
    while let Some((plain, shifted)) = rest.split_once('&') {
        let (coded, after) = shifted.split_once('-')?;
        out.push_str(plain);
        if coded.is_empty() {
            out.push('&');
        } else {
            let bytes = ENGINE.decode(coded).ok()?;
            let (pairs, odd) = bytes.as_chunks::<2>();
            if !odd.is_empty() {
                return None;
            }
            let units: Vec<u16> = pairs.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            out.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    out.push_str(rest);
    // What does not come back the same would name another folder.
    (encode(&out) == sent).then_some(out)
}

/// A name as a quoted string of a command, encoded.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", encode(name).replace('\\', "\\\\").replace('"', "\\\""))
}

/// The parser leaves `\"` and `\\` of quoted strings as they were sent.
pub(super) fn unquote(sent: &str) -> String {
    let mut out = String::with_capacity(sent.len());
    let mut escaped = false;
    for character in sent.chars() {
        if !escaped && character == '\\' {
            escaped = true;
            continue;
        }
        out.push(character);
        escaped = false;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_travel_both_ways() {
        for (name, sent) in [
            ("INBOX", "INBOX"),
            ("Baton/Jürgen", "Baton/J&APw-rgen"),
            ("A & B", "A &- B"),
            // RFC 3501, section 5.1.3.
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Éléments envoyés", "&AMk-l&AOk-ments envoy&AOk-s"),
            ("📥", "&2D3c5Q-"),
            ("", ""),
        ] {
            assert_eq!(encode(name), sent);
            assert_eq!(decode(sent).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_is_not_modified_utf_7_is_not_guessed() {
        for sent in ["Entwürfe", "A&B", "&A-", "&!!-", "&AGE-"] {
            assert_eq!(decode(sent), None, "{sent}");
        }
    }

    #[test]
    fn quotes_and_backslashes_survive() {
        assert_eq!(quoted(r#"we "ird\x"#), r#""we \"ird\\x""#);
        assert_eq!(unquote(r#"we \"ird\\x"#), r#"we "ird\x"#);
    }

    proptest::proptest! {
        #[test]
        fn every_name_comes_back(name in ".*") {
            proptest::prop_assert_eq!(decode(&encode(&name)), Some(name));
        }
    }
}
