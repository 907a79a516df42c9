//! The mail inside a mail that somebody passed on: who wrote it, and its text.
//!
//! Knows the separators of the common programs, Outlook's bare header block under a forwarding subject, and an
//! attached `message/rfc822`. A reply that merely quotes a forwarded mail is not a forward. Start with [`find`].

use std::collections::HashMap;

use super::headings;
use super::message::Forwarded;
use super::subject::{self, Mark};

/// How many empty lines may stand between a separator and its header block.
const GAP: usize = 4;

/// The forwarded mail in a text, if there is one.
pub fn find(text: &str, subject: &str) -> Option<Forwarded> {
    let mark = subject::first_mark(subject).map(|(mark, _)| mark);
    let unquoted: Vec<(usize, &str)> = text.lines().map(headings::unquote).collect();
    let lines: Vec<&str> = unquoted.iter().map(|(_, body)| *body).collect();
    let forwards = matches!(mark, Some(Mark::Forward | Mark::Either));
    let attributions = if forwards { headings::attributions(&lines) } else { HashMap::new() };
    for (at, (depth, line)) in unquoted.iter().enumerate() {
        if let Some(rest) = headings::forwarded(line) {
            // In a reply the separator is quoted together with what it separates.
            if *depth == 0 && mark != Some(Mark::Reply) || *depth <= 1 && forwards {
                return Some(after_separator(&lines, at, rest));
            }
        }
        if forwards && *depth <= 1 {
            if let Some(block) = headings::block(&lines, at).filter(|block| block.certain) {
                let reply = mark == Some(Mark::Either) && block.finnish;
                return (!reply).then(|| forwarded(block.from, &lines, block.end));
            }
            if headings::original(line) {
                return Some(after_separator(&lines, at, ""));
            }
            // Outlook for Mac forwards under "On … wrote:".
            if let Some((end, headings::Attribution::Surely)) = attributions.get(&at) {
                let heading = lines.get(at..*end).unwrap_or_default().join(" ");
                let from = headings::who(&heading).filter(|who| who.contains('@'));
                return Some(forwarded(from, &lines, *end));
            }
        }
    }
    None
}

/// Whether a subject announces a forwarded mail.
pub(super) fn announced(subject: &str) -> bool {
    matches!(subject::first_mark(subject), Some((Mark::Forward, _)))
}

fn after_separator(lines: &[&str], at: usize, rest: &str) -> Forwarded {
    let next = (at + 1..lines.len())
        .take(GAP)
        .find(|next| lines.get(*next).is_some_and(|line| !line.trim().is_empty()));
    if let Some(block) = next.and_then(|next| headings::block(lines, next)) {
        return forwarded(block.from, lines, block.end);
    }
    // Yahoo and Lotus put the header on the line of the separator.
    let from = Some(rest)
        .filter(|rest| !rest.is_empty())
        .and_then(headings::who)
        .filter(|who| who.contains('@'));
    forwarded(from, lines, at + 1)
}

fn forwarded(from: Option<String>, lines: &[&str], start: usize) -> Forwarded {
    let text = lines.get(start..).unwrap_or_default().join("\n");
    // The text may be quoted once more below the header, as Missive does; one level belongs to the forwarding.
    let quoted =
        text.lines().filter(|line| !line.trim().is_empty()).all(|line| line.starts_with('>'));
    let text = match quoted {
        true => text.lines().map(|line| headings::unquote(line).1).collect::<Vec<_>>().join("\n"),
        false => text,
    };
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
    Forwarded { from, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(subject: &str, text: &str) -> Option<(Option<String>, String)> {
        find(text, subject).map(|inner| (inner.from, inner.text))
    }

    #[test]
    fn forwarded_mails_are_found_as_each_program_writes_them() {
        let cases = [
            (
                "Fwd: x",
                "see\n\n---------- Forwarded message ---------\nVon: Ana <ana@x.example>\nDate: y\nSubject: x\nTo: z\n\nHello",
            ),
            (
                "Fwd: x",
                "> Anfang der weitergeleiteten Nachricht:\n>\n> Von: Ana <ana@x.example>\n> Betreff: x\n> Datum: y\n>\n> Hello",
            ),
            ("WG: x", "Von: Ana <ana@x.example>\nGesendet: y\nAn: z\nBetreff: x\nHello"),
            ("TR: x", "De : Ana <ana@x.example>\nDate : y\nÀ : z\nObjet : x\n\nHello"),
            ("FW: x", "\u{feff}On 03/11/2026 12:46, \"Ana\" <ana@x.example> wrote:\n\nHello"),
            (
                "Fwd: x",
                "  ----- Forwarded Message ----- From: Ana <ana@x.example>To: z@x.exampleSubject: x\n Hello",
            ),
            (
                "Fwd: x",
                "> ------ Original Message ------\n> From: Ana <ana@x.example>\n> To: z\n> Subject: x\n>\n> Hello",
            ),
            (
                "Fwd: x",
                "-------- Message transféré --------\nSujet : \tx\nDate : \ty\nDe : \tAna <ana@x.example>\nPour : \tz\n\nHello",
            ),
            (
                "plain subject",
                "---------- Forwarded message ---------\nFrom: Ana <ana@x.example>\n\nHello",
            ),
            (
                "Fwd: x",
                "---------- Forwarded message ----------\nFrom: Ana <ana@x.example>\nDate: y\nTo: z\nSubject: x\n\n> Hello",
            ),
        ];
        for (subject, text) in cases {
            assert_eq!(
                found(subject, text),
                Some((Some("ana@x.example".into()), "Hello".into())),
                "{text}"
            );
        }
    }

    #[test]
    fn answers_are_no_forwards() {
        let cases = [
            ("Re: x", "yes\n\nOn 3 Nov 2026 at 10:00 Ana <ana@x.example> wrote:\n> old"),
            ("Re: x", "yes\n\nFrom: Ana <ana@x.example>\nSent: y\nTo: z\nSubject: x\n\nold"),
            (
                "Re: x",
                "yes\n\n> ---------- Forwarded message ---------\n> From: Ana <ana@x.example>\n> Date: y\n>\n> old",
            ),
            (
                "VS: x",
                "Kyllä\n\nLähettäjä: Ana <ana@x.example>\nLähetetty: y\nVastaanottaja: z\nAihe: x\n\nvanha",
            ),
            ("x", "hello"),
        ];
        for (subject, text) in cases {
            assert_eq!(found(subject, text), None, "{text}");
        }
    }
}
