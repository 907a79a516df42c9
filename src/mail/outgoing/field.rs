//! The fields of a header as the bytes they were written with.

/// One field, with its folded lines and its end.
pub(in crate::mail) struct Field<'a> {
    /// In lower case.
    pub(in crate::mail) name: String,
    pub(in crate::mail) raw: &'a [u8],
}

impl Field<'_> {
    /// Whether it has this name, given in lower case.
    pub(in crate::mail) fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether its value holds the text, whatever the case.
    pub(in crate::mail) fn holds(&self, text: &str) -> bool {
        let value = String::from_utf8_lossy(self.raw).to_lowercase();
        !text.is_empty() && value.contains(&text.to_lowercase())
    }
}

/// The fields of a mail whose lines end with CR and LF, and what follows the empty line behind them. Lines in between that
/// are no field are left out.
pub(in crate::mail) fn split(raw: &[u8]) -> (Vec<Field<'_>>, &[u8]) {
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let length = end_of_field(rest);
        let (line, after) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        rest = after;
        if line == b"\r\n" {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let name = line.get(..colon).unwrap_or_default().trim_ascii_end();
        // RFC 5322, section 3.6.8: no blank and no control character.
        if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) && line.ends_with(b"\r\n") {
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            fields.push(Field { name, raw: line });
        }
    }
    (fields, rest)
}

/// Where the first field ends, with all lines that are folded into it.
fn end_of_field(raw: &[u8]) -> usize {
    let mut end = 0;
    loop {
        let rest = raw.get(end..).unwrap_or_default();
        let line = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        end += line;
        let is_folded =
            matches!(raw.get(end), Some(b' ' | b'\t')) && rest.get(..line) != Some(b"\r\n");
        if line == 0 || !is_folded {
            return end;
        }
    }
}
