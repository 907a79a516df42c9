//! Character references of HTML, as mail uses them.
//!
//! The named ones are those of HTML 4 for Latin letters and punctuation; a name that is not known stays as written.

use std::borrow::Cow;

/// The longest reference, in bytes.
const NAME_MAX: usize = 12;

/// Text with `&amp;`, `&#8364;` and their like replaced.
pub(super) fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split('&');
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        match reference(part) {
            Some((letter, rest)) => {
                out.push(letter);
                out.push_str(rest);
            }
            None => {
                out.push('&');
                out.push_str(part);
            }
        }
    }
    Cow::Owned(out)
}

/// The letter that `part` names, and what follows the name. The semicolon may be missing.
fn reference(part: &str) -> Option<(char, &str)> {
    let length = part
        .bytes()
        .take(NAME_MAX)
        .enumerate()
        .find(|(at, byte)| !(byte.is_ascii_alphanumeric() || *at == 0 && *byte == b'#'))
        .map_or(part.len().min(NAME_MAX), |(at, _)| at);
    let (name, rest) = part.split_at_checked(length)?;
    let rest_after = rest.strip_prefix(';');
    let letter = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        None => match named(name) {
            Some(letter) => letter,
            // Without semicolon only the oldest names, and as a prefix: `&nbspx`.
            None => {
                let (short, letter) =
                    [("nbsp", '\u{a0}'), ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"')]
                        .into_iter()
                        .find(|(short, _)| name.starts_with(short) && rest_after.is_none())?;
                return Some((letter, part.get(short.len()..)?));
            }
        },
    };
    Some((letter, rest_after.unwrap_or(rest)))
}

fn numbered(number: &str) -> Option<char> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => number.parse().ok()?,
    };
    match code {
        // Windows-1252 numbers, which browsers accept.
        0x80..=0x9f => super::words::guess(&[u8::try_from(code).ok()?]).chars().next(),
        0 => None,
        _ => char::from_u32(code),
    }
}

fn named(name: &str) -> Option<char> {
    NAMES.iter().find(|(key, _)| *key == name).map(|(_, letter)| *letter)
}

const NAMES: &[(&str, char)] = &[
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("AMP", '&'),
    ("LT", '<'),
    ("GT", '>'),
    ("QUOT", '"'),
    ("auml", 'ä'),
    ("ouml", 'ö'),
    ("uuml", 'ü'),
    ("Auml", 'Ä'),
    ("Ouml", 'Ö'),
    ("Uuml", 'Ü'),
    ("szlig", 'ß'),
    ("euro", '€'),
    ("eacute", 'é'),
    ("egrave", 'è'),
    ("ecirc", 'ê'),
    ("euml", 'ë'),
    ("Eacute", 'É'),
    ("Egrave", 'È'),
    ("Ecirc", 'Ê'),
    ("Euml", 'Ë'),
    ("agrave", 'à'),
    ("aacute", 'á'),
    ("acirc", 'â'),
    ("atilde", 'ã'),
    ("aring", 'å'),
    ("aelig", 'æ'),
    ("Agrave", 'À'),
    ("Aacute", 'Á'),
    ("Acirc", 'Â'),
    ("Atilde", 'Ã'),
    ("Aring", 'Å'),
    ("AElig", 'Æ'),
    ("ccedil", 'ç'),
    ("Ccedil", 'Ç'),
    ("igrave", 'ì'),
    ("iacute", 'í'),
    ("icirc", 'î'),
    ("iuml", 'ï'),
    ("Igrave", 'Ì'),
    ("Iacute", 'Í'),
    ("Icirc", 'Î'),
    ("Iuml", 'Ï'),
    ("ntilde", 'ñ'),
    ("Ntilde", 'Ñ'),
    ("ograve", 'ò'),
    ("oacute", 'ó'),
    ("ocirc", 'ô'),
    ("otilde", 'õ'),
    ("oslash", 'ø'),
    ("Ograve", 'Ò'),
    ("Oacute", 'Ó'),
    ("Ocirc", 'Ô'),
    ("Otilde", 'Õ'),
    ("Oslash", 'Ø'),
    ("ugrave", 'ù'),
    ("uacute", 'ú'),
    ("ucirc", 'û'),
    ("Ugrave", 'Ù'),
    ("Uacute", 'Ú'),
    ("Ucirc", 'Û'),
    ("yacute", 'ý'),
    ("Yacute", 'Ý'),
    ("yuml", 'ÿ'),
    ("oelig", 'œ'),
    ("OElig", 'Œ'),
    ("scaron", 'š'),
    ("Scaron", 'Š'),
    ("eth", 'ð'),
    ("ETH", 'Ð'),
    ("thorn", 'þ'),
    ("THORN", 'Þ'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("lsaquo", '‹'),
    ("rsaquo", '›'),
    ("bull", '•'),
    ("middot", '·'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("plusmn", '±'),
    ("times", '×'),
    ("divide", '÷'),
    ("frac12", '½'),
    ("frac14", '¼'),
    ("frac34", '¾'),
    ("sup1", '¹'),
    ("sup2", '²'),
    ("sup3", '³'),
    ("micro", 'µ'),
    ("para", '¶'),
    ("sect", '§'),
    ("pound", '£'),
    ("yen", '¥'),
    ("cent", '¢'),
    ("iexcl", '¡'),
    ("iquest", '¿'),
    ("ordf", 'ª'),
    ("ordm", 'º'),
    ("not", '¬'),
    ("shy", '\u{ad}'),
    ("ensp", ' '),
    ("emsp", ' '),
    ("thinsp", ' '),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
    ("rarr", '→'),
    ("larr", '←'),
    ("uarr", '↑'),
    ("darr", '↓'),
    ("check", '✓'),
    ("hearts", '♥'),
    ("permil", '‰'),
    ("brvbar", '¦'),
    ("curren", '¤'),
    ("acute", '´'),
    ("cedil", '¸'),
    ("uml", '¨'),
    ("macr", '¯'),
    ("circ", 'ˆ'),
    ("tilde", '˜'),
    ("dagger", '†'),
    ("infin", '∞'),
    ("ne", '≠'),
    ("le", '≤'),
    ("ge", '≥'),
    ("minus", '−'),
    ("alpha", 'α'),
    ("beta", 'β'),
    ("gamma", 'γ'),
    ("delta", 'δ'),
    ("mu", 'μ'),
    ("pi", 'π'),
    ("sigma", 'σ'),
    ("omega", 'ω'),
    ("Omega", 'Ω'),
    ("ccaron", 'č'),
    ("zcaron", 'ž'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_letters_and_the_rest_stays() {
        let cases = [
            ("a &amp; b", "a & b"),
            ("&#8364;&#x20ac;&euro;", "€€€"),
            ("&#128;", "€"),
            ("Gr&uuml;&szlig;e", "Grüße"),
            ("AT&T", "AT&T"),
            ("a&b;c", "a&b;c"),
            ("&nbspx", "\u{a0}x"),
            ("&ampere", "&ere"),
            ("&#0;&#xffffffff;", "&#0;&#xffffffff;"),
            ("&é;", "&é;"),
            ("&", "&"),
        ];
        for (text, expected) in cases {
            assert_eq!(decode(text), expected, "{text}");
        }
    }
}
