//! Text that was wrapped for the journey, `format=flowed` (RFC 3676), put together again.

/// Joins flowed lines. With `delsp` the blank before each break was added by the sender's program.
pub(super) fn join(text: &str, delsp: bool) -> String {
    let mut out = String::with_capacity(text.len());
    // The quote depth of a line that goes on in the next.
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let content = line.trim_start_matches('>');
        let depth = line.len() - content.len();
        let content = content.strip_prefix(' ').unwrap_or(content);
        let signature = content == "-- ";
        if open != Some(depth) || signature {
            if !out.is_empty() || open.is_some() {
                out.push('\n');
            }
            for _ in 0..depth {
                out.push('>');
            }
            if depth > 0 && !content.is_empty() {
                out.push(' ');
            }
        }
        let flows = content.ends_with(' ') && !signature;
        out.push_str(if flows && delsp {
            content.strip_suffix(' ').unwrap_or(content)
        } else {
            content
        });
        open = flows.then_some(depth);
        if !flows && out.is_empty() {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_become_paragraphs() {
        let cases = [
            ("one \ntwo\nthree", false, "one two\nthree"),
            ("one \ntwo", true, "onetwo"),
            ("> one \n> two\nthree", false, "> one two\nthree"),
            (">> one \n> two", false, ">> one \n> two"),
            (" >not quoted\n From", false, ">not quoted\nFrom"),
            ("text \n-- \nAna", false, "text \n-- \nAna"),
            ("a\n\nb", false, "a\n\nb"),
        ];
        for (text, delsp, expected) in cases {
            assert_eq!(join(text, delsp), expected, "{text}");
        }
    }
}
