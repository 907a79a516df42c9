//! What the server says: lines of at most 512 bytes, with an enhanced status code (RFC 3463) that mail clients show along
//! with the sentence.

/// The longest reply line (RFC 5321, section 4.5.3.1.5), without code, status, blanks, CR and LF.
const TEXT_MAX: usize = 480;

/// A sentence with its codes. Whatever could end the line early, or is not ASCII, becomes something harmless.
pub(super) fn reply(code: u16, status: &str, words: &str) -> Vec<u8> {
    let mut text = String::new();
    for letter in words.chars().take(TEXT_MAX) {
        text.push(match letter {
            ' '..='~' => letter,
            '‘' | '’' => '\'',
            '“' | '”' => '"',
            '–' | '—' => '-',
            letter if letter.is_control() => ' ',
            _ => '?',
        });
    }
    format!("{code} {status} {text}\r\n").into_bytes()
}

/// A line that carries no status code: greeting, EHLO, questions.
pub(super) fn plain(code: u16, words: &str) -> Vec<u8> {
    format!("{code} {words}\r\n").into_bytes()
}

/// Several lines of one reply.
pub(super) fn lines(code: u16, lines: &[&str]) -> Vec<u8> {
    let last = lines.len().saturating_sub(1);
    let line = |(at, words): (usize, &&str)| {
        format!("{code}{}{words}\r\n", if at == last { ' ' } else { '-' })
    };
    lines.iter().enumerate().map(line).collect::<String>().into_bytes()
}
