//! The subject without the marks that clients put in front of it when answering and forwarding.
//!
//! RFC 5256, section 2.1 knows `Re:` and `Fwd:`; clients write their own in some thirty languages. A tag such as
//! `[Ticket #1]` is part of the subject: two tickets of one customer differ in nothing else.

/// What clients write before the subject of an answer.
const REPLY: &str = "\
    re|r|aw|antw|antwort|sv|vs|rif|res|odp|od|ynt|yanıt|cevap|atb|ats|vá|va|ang|bls|ha|на\
    |отв|ответ|відп|відповідь|rép|rep|réf|απ|σχετ|תגובה|השב|رد|回复|回覆|答复|答覆|返信|回信|답장|回\
    |trả lời";
/// What clients write before the subject of a forwarded mail.
const FORWARD: &str = "\
    fwd|fw|wg|tr|rv|enc|i|vb|vl|pd|doorst|vrst|fs|ilt|tov|továbbítás|továbbítva\
    |weitergeleitet|přep|πρθ|προωθ|пересл|нп|redir|videresend|proslijeđeno|preposlané\
    |переслано|転送|转发|轉寄|轉發|전달|הועבר|إعادة توجيه|إعادة|rd|edasi|edastus";
/// The longest mark, in letters; the search for a colon stops there.
const MARK_MAX: usize = 24;

/// What the client said of a subject.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Mark {
    Reply,
    Forward,
    /// `VS:` answers in Finnish and forwards in Norwegian and Danish.
    Either,
}

/// The subject without `Re:`, `AW:`, `Fwd:`, `RE[2]:`, `(fwd)` and their like, as often as they occur.
pub fn base_subject(subject: &str) -> String {
    let mut rest = subject.trim();
    loop {
        let before = rest;
        if let Some((_, after)) = first_mark(rest) {
            rest = after;
        }
        // `[Fwd: subject]`, as old Mozilla wrote it.
        if let Some(inner) = rest.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'))
            && let Some((_, after)) = first_mark(inner)
        {
            rest = after;
        }
        if let Some(start) = strip_suffix_ignoring_case(rest, "(fwd)") {
            rest = start.trim_end();
        }
        if rest == before {
            return rest.split_whitespace().collect::<Vec<_>>().join(" ");
        }
    }
}

/// The outermost mark and what follows it. A tag in front of the mark, `[List] Re: x`, stays with the subject.
pub(super) fn first_mark(subject: &str) -> Option<(Mark, &str)> {
    let subject = subject.trim_start();
    let colon = subject.char_indices().take(MARK_MAX).find(|(_, c)| matches!(c, ':' | '：'))?;
    let (word, after) = subject.split_at_checked(colon.0)?;
    let after = after.strip_prefix(colon.1)?.trim_start();
    // `İLT` in small letters has a dot of its own.
    let word = bare(word)?.to_lowercase().replace('\u{307}', "");
    let mark = if word == "vs" {
        Mark::Either
    } else if REPLY.split('|').any(|mark| mark == word) {
        Mark::Reply
    } else if FORWARD.split('|').any(|mark| mark == word) {
        Mark::Forward
    } else {
        return None;
    };
    Some((mark, after))
}

/// The word of a mark without its counter: `RE[2]`, `Re (3)`, `Re*2`, `Re^2`.
fn bare(word: &str) -> Option<&str> {
    let word = word.trim_end();
    let end = word.find(['[', '(', '*', '^', '（']).unwrap_or(word.len());
    let (start, counter) = word.split_at_checked(end)?;
    let counted = counter.chars().all(|c| {
        c.is_ascii_digit() || matches!(c, '[' | ']' | '(' | ')' | '*' | '^' | '（' | '）')
    });
    counted.then(|| start.trim_end_matches(['.', ' ']))
}

fn strip_suffix_ignoring_case<'a>(text: &'a str, suffix: &str) -> Option<&'a str> {
    let at = text.len().checked_sub(suffix.len())?;
    let (start, end) = text.split_at_checked(at)?;
    end.eq_ignore_ascii_case(suffix).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_answers_and_forwards_go_and_the_subject_stays() {
        let cases = [
            ("Broken kettle", "Broken kettle"),
            ("Re: Broken kettle", "Broken kettle"),
            ("RE: AW: Fwd: Broken  kettle", "Broken kettle"),
            ("RE[2]: Broken kettle", "Broken kettle"),
            ("Re (3): Broken kettle", "Broken kettle"),
            ("Re : Broken kettle", "Broken kettle"),
            ("回复：转发：水壶", "水壶"),
            ("Ответ: чайник", "чайник"),
            ("Antwort: WG: Kessel", "Kessel"),
            ("SV: VS: VB: kanna", "kanna"),
            ("Odp: czajnik", "czajnik"),
            ("YNT: İLT: su", "su"),
            ("Broken kettle (fwd)", "Broken kettle"),
            ("[Fwd: Broken kettle]", "Broken kettle"),
            ("[Ticket #1] Broken kettle", "[Ticket #1] Broken kettle"),
            ("Re: [Ticket #1] Broken kettle", "[Ticket #1] Broken kettle"),
            ("Invoice: 12", "Invoice: 12"),
            ("Regarding: 12", "Regarding: 12"),
            ("Re:", ""),
            ("", ""),
            ("É", "É"),
        ];
        for (subject, expected) in cases {
            assert_eq!(base_subject(subject), expected, "{subject}");
        }
    }

    #[test]
    fn the_outermost_mark_decides_between_answer_and_forward() {
        let mark = |subject| first_mark(subject).map(|(mark, _)| mark);
        assert_eq!(mark("Fwd: Re: x"), Some(Mark::Forward));
        assert_eq!(mark("Re: Fwd: x"), Some(Mark::Reply));
        assert_eq!(mark("VS: x"), Some(Mark::Either));
        assert_eq!(mark("x: y"), None);
    }
}
