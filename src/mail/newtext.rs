//! What the sender wrote now: a text without quotations, history and signature.
//!
//! The rule above all others: losing a customer's words is far worse than leaving history in. Text between or
//! below quotations always stays, and where everything would go, everything stays. Start with [`new_text`].

use std::sync::LazyLock;

use regex::Regex;

use super::headings::{self, Attribution};
use super::html::Plain;

/// The longest block under `--` that is taken for a signature, in lines with text.
const SIGNATURE_LINES: usize = 15;
/// The same under `-- ` with its blank, which only a mail program writes (RFC 3676, section 4.3).
const MARKED_SIGNATURE_LINES: usize = 60;
/// The longest "Sent from my …", in bytes.
const DEVICE_MAX: usize = 160;

/// What the sender wrote now. `forwards` says that the subject announces a forwarded mail: then nothing need be
/// left over.
pub fn new_text(plain: &Plain, forwards: bool) -> String {
    let raw: Vec<&str> = plain.text.lines().collect();
    let unquoted: Vec<(usize, &str)> = raw.iter().map(|line| headings::unquote(line)).collect();
    let mut walk = Walk {
        depth: unquoted.iter().map(|(depth, _)| *depth).collect(),
        lines: unquoted.iter().map(|(_, body)| *body).collect(),
        keep: unquoted.iter().map(|(depth, _)| *depth == 0).collect(),
        plain,
        forwards,
    };
    walk.history();
    walk.signatures();
    walk.devices();
    walk.text(&raw)
}

struct Walk<'a> {
    /// How many quote marks each line has.
    depth: Vec<usize>,
    /// Each line without them.
    lines: Vec<&'a str>,
    /// Whether each line is new.
    keep: Vec<bool>,
    plain: &'a Plain,
    forwards: bool,
}

/// What begins at a line.
enum Heading {
    /// Ends before this line; a quotation may follow.
    Quotation(usize, Attribution),
    /// An older mail, whose text begins at this line.
    Mail(usize),
}

impl Walk<'_> {
    /// Drops headings, and what follows them unless it is marked as quoted line by line.
    fn history(&mut self) {
        let mut written = false;
        let mut at = 0;
        while at < self.lines.len() {
            if self.quoted(at) {
                at += 1;
                continue;
            }
            let (end, sure) = match self.heading(at) {
                Some(Heading::Quotation(end, sure)) => (end, sure == Attribution::Surely),
                Some(Heading::Mail(end)) => (end, true),
                None => {
                    written |= self.has_words(at);
                    at += 1;
                    continue;
                }
            };
            let followed = self.next_words(end).is_some_and(|next| self.quoted(next));
            if followed {
                self.drop(at, end);
            } else if sure && (written || self.forwards) {
                let all = self.lines.len();
                self.drop(at, all);
                return;
            } else if sure {
                // Nothing was written above: the answer is below, or there is none. Only the heading can go.
                self.drop(at, end);
            }
            at = end.max(at + 1);
        }
    }

    fn heading(&self, at: usize) -> Option<Heading> {
        let line = self.lines.get(at)?;
        if line.trim().is_empty() {
            return None;
        }
        if self.plain.history.is_some_and(|history| history == at) {
            let end = headings::block(&self.lines, at).map_or(at, |block| block.end);
            return Some(Heading::Mail(end));
        }
        if let Some(block) = headings::block(&self.lines, at).filter(|block| block.certain) {
            return Some(Heading::Mail(block.end));
        }
        if headings::original(line) || headings::forwarded(line).is_some() {
            let next = self.next_words(at + 1).unwrap_or(at + 1);
            let end = headings::block(&self.lines, next).map_or(at + 1, |block| block.end);
            return Some(Heading::Mail(end));
        }
        if headings::rule(line)
            && let Some(next) = self.next_words(at + 1)
            && let Some(block) = headings::block(&self.lines, next).filter(|block| block.certain)
        {
            return Some(Heading::Mail(block.end));
        }
        self.attribution(at)
    }

    fn attribution(&self, at: usize) -> Option<Heading> {
        for end in at..(at + 4).min(self.lines.len()) {
            if self.quoted(end) || !self.has_words(end) {
                break;
            }
            if let Some((start, sure)) = headings::attribution(&self.lines, end)
                && start == at
            {
                return Some(Heading::Quotation(end + 1, sure));
            }
        }
        // A heading in a language that is not known here, but marked in the HTML.
        if self.plain.attributions.contains(&at) {
            let end = (at..self.lines.len())
                .take(5)
                .find(|line| !self.has_words(*line) || self.quoted(*line))?;
            return Some(Heading::Quotation(end, Attribution::Maybe));
        }
        None
    }

    /// Drops what stands below `--` up to the next quotation.
    fn signatures(&mut self) {
        let mut at = 0;
        while at < self.lines.len() {
            let line = self.lines.get(at).copied().unwrap_or_default();
            let limit = match line {
                "-- " | "--\u{a0}" => MARKED_SIGNATURE_LINES,
                _ if matches!(line.trim_end(), "--" | "—" | "––") => SIGNATURE_LINES,
                _ if headings::rule(line) && self.is_list_footer(at) => SIGNATURE_LINES,
                _ => 0,
            };
            if limit > 0 && self.keep.get(at) == Some(&true) {
                let end = (at..self.lines.len())
                    .find(|line| !self.kept(*line))
                    .unwrap_or(self.lines.len());
                let long = (at..end).filter(|line| self.has_words(*line)).count() > limit;
                let another = (at + 1..end)
                    .any(|line| self.lines.get(line).is_some_and(|line| line.trim_end() == "--"));
                if !long && !(another && limit == SIGNATURE_LINES) {
                    self.drop(at, end);
                    at = end;
                    continue;
                }
            }
            at += 1;
        }
    }

    /// Mailman's footer: a rule, then the name of the list.
    fn is_list_footer(&self, at: usize) -> bool {
        self.next_words(at + 1)
            .and_then(|next| self.lines.get(next))
            .is_some_and(|line| line.to_lowercase().contains("mailing list"))
    }

    /// Drops "Sent from my iPhone" where it is the last line before a quotation or the end.
    fn devices(&mut self) {
        for at in 0..self.lines.len() {
            if self.kept(at) && self.lines.get(at).is_some_and(|line| device(line)) {
                let next = self.next_words(at + 1);
                if next.is_none_or(|next| {
                    !self.kept(next) || self.lines.get(next).is_some_and(|line| device(line))
                }) {
                    self.drop(at, at + 1);
                }
            }
        }
    }

    fn text(&self, raw: &[&str]) -> String {
        let mut out = String::new();
        let mut blank = 0;
        for (line, keep) in raw.iter().zip(&self.keep) {
            if !keep || line.trim().is_empty() {
                blank += 1;
                continue;
            }
            if !out.is_empty() {
                out.push_str(if blank > 0 { "\n\n" } else { "\n" });
            }
            blank = 0;
            out.push_str(line.trim_end());
        }
        out
    }

    fn drop(&mut self, from: usize, to: usize) {
        for keep in self.keep.iter_mut().take(to).skip(from) {
            *keep = false;
        }
    }

    fn kept(&self, at: usize) -> bool {
        self.keep.get(at).copied().unwrap_or(false)
    }

    fn quoted(&self, at: usize) -> bool {
        self.depth.get(at).is_some_and(|depth| *depth > 0)
    }

    fn has_words(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|line| {
            line.chars().any(|c| !c.is_whitespace() && c != '\u{feff}' && c != '\u{200b}')
        })
    }

    /// The next line that is not empty. Few steps: an empty stretch ends the search.
    fn next_words(&self, from: usize) -> Option<usize> {
        (from..self.lines.len()).take(40).find(|at| self.has_words(*at) || self.quoted(*at))
    }
}

/// Whether a line is the signature of a phone or a mail program.
fn device(line: &str) -> bool {
    static SENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^(?:sent|gesendet|von meine[mr]|envoy[ée]|enviad[oa]|inviat[oa]|verzonden|verstuurd|skicka[td]|sendt|",
            r"lähetetty|wysłan[eoay]|odesláno|odoslan[ée]|poslan[oáé]|elküldve|trimis|saadetud|gönderildi|отправлено|",
            r"відправлено|надіслано|εστάλη|στάλθηκε|发自|發自|傳送自|diese nachricht wurde|get outlook|outlook (?:für|voor)|hol(?:en)? sie|",
            r"télécharge[zr]|obtene?r|obtenga|scarica|hämta|hent|pobierz|yahoo mail|composed on|written on|typed on|mit (?:der )?(?:gmx|web\.de)|",
            r"diese e-mail wurde)\b?.{0,90}(?:iphone|ipad|ipod|ios\b|android|blackberry|samsung|galaxy|huawei|xiaomi|",
            r"redmi|nokia|lumia|oneplus|pixel|motorola|sony|xperia|htc|\blg\b|wiko|windows|outlook|mobil|handy|",
            r"smartphone|smart phone|telefon|téléphone|teléfono|phone|tablet|mail\b|yahoo|gmx|web\.de|thunderbird|",
            r"bluemail|k-9|spark|superhuman|macbook|nexus|surface|vodafone|verizon|at&t|t-mobile|orange|watch)",
        ))
        .ok()
    });
    static FROM: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"(?i)^(?:sent from (?:a|an|my|the) [^.,;:!?]{2,60}|.{0,20}(?:iphone|ipad|android|samsung|galaxy|xiaomi|huawei)",
            r".{0,20}(?:から送信|に送信|傳送|寄出|发送|發送|보냄|gönderildi|küldve|lähetetty))[.。]?$",
        ))
        .ok()
    });
    let line = line.trim().trim_matches(['*', '_', '[', ']', '(', ')']).trim();
    if line.is_empty()
        || line.len() > DEVICE_MAX
        || line.ends_with(['?', '!'])
        || line.contains(['?', ';'])
    {
        return false;
    }
    // A sentence about a phone has a comma or goes on after a full stop; a signature does not.
    let sentence = line.contains(", ") || line.trim_end_matches('.').contains(". ");
    let matches = |pattern: &LazyLock<Option<Regex>>| {
        pattern.as_ref().is_some_and(|pattern| pattern.is_match(line))
    };
    !sentence && line.split_whitespace().count() <= 14 && (matches(&SENT) || matches(&FROM))
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    fn plain(text: &str) -> String {
        new_text(&Plain { text: text.to_owned(), ..Plain::default() }, false)
    }

    #[test]
    fn quotations_and_signatures_go() {
        let cases = [
            ("Hello\n\nOn 3 Nov 2026, Ana Roe wrote:\n> old\n> older", "Hello"),
            ("Hello\nOn 3 Nov 2026, Ana Roe\n<ana@x.example>\nwrote:\n\n> old", "Hello"),
            ("Hello\n\nOn 3 Nov 2026 Ana wrote:\n\nold without marks", "Hello"),
            ("Hello\n\n> old", "Hello"),
            ("Hello\n\n-- \nAna\n+49 30 1", "Hello"),
            ("Hello\n--\nAna", "Hello"),
            ("Hello\n\nSent from my iPhone", "Hello"),
            (
                "Hallo\n\nVon meinem iPhone gesendet\n\nAm 03.11.2026 um 10:00 schrieb Ana:\n> alt",
                "Hallo",
            ),
            (
                "Hello\n\n________________________________\nFrom: Ana <a@x.example>\nSent: x\nTo: y\nSubject: z\n\nold",
                "Hello",
            ),
            ("Hello\n\n-----Original Message-----\nFrom: Ana\nSubject: z\n\nold", "Hello"),
            ("Hello\n\nVon: Ana\nGesendet: x\nAn: y\nBetreff: z\n\nalt", "Hello"),
            (
                "Hello\n\n---------- Forwarded message ---------\nFrom: Ana <a@x.example>\nDate: x\n\nold",
                "Hello",
            ),
            ("Hello\n_____________\nusers mailing list\nusers@x.example", "Hello"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn no_word_of_the_writer_is_lost() {
        let cases = [
            ("On 3 Nov 2026 Ana wrote:\n> first?\n\nyes\n\n> second?\nno", "yes\n\nno"),
            ("> question\n\nanswer below", "answer below"),
            (
                "On 3 Nov 2026 Ana wrote:\n\nan answer below an unmarked heading",
                "an answer below an unmarked heading",
            ),
            (
                "From: Ana <a@x.example>\nSent: x\nTo: y\nSubject: z\n\nall that there is",
                "all that there is",
            ),
            (
                "I fly\nFrom: Berlin\nTo: Rome\nDate: 5 May\nwith two bags",
                "I fly\nFrom: Berlin\nTo: Rome\nDate: 5 May\nwith two bags",
            ),
            ("My chef wrote:\nbuy the kettle", "My chef wrote:\nbuy the kettle"),
            ("one\n--\ntwo\n--\nthree", "one\n--\ntwo\n--\nthree"),
            ("Sent from my desk, is much easier", "Sent from my desk, is much easier"),
            (
                "Sent from my iPhone\nbut I can also write below",
                "Sent from my iPhone\nbut I can also write below",
            ),
            (
                "Sent it on Monday by mail, did it arrive?",
                "Sent it on Monday by mail, did it arrive?",
            ),
            (">From now on I write", ">From now on I write"),
            ("a -- b", "a -- b"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn html_replies_are_cut_where_their_program_marks_them() {
        let cases = [
            (
                "<div>new</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">Na Marsie Ana:</div><blockquote>old</blockquote></div><div>below</div>",
                "new\n\nbelow",
            ),
            (
                "<p>new</p><div style='border-top:solid #E1E1E1 1.0pt'><p><b>Desde:</b> Ana<br><b>Xyz:</b> b</p></div><p>old</p>",
                "new",
            ),
            ("<blockquote style='border:none'>mine</blockquote>", "mine"),
        ];
        for (page, expected) in cases {
            assert_eq!(new_text(&html::to_text(page), false), expected, "{page}");
        }
    }

    #[test]
    fn long_texts_of_headings_take_no_long_time() {
        for part in [
            "On 3 Nov 2026 wrote:\n",
            "From: a@b\n",
            "To: a@b,\n",
            ">\n",
            "--\n",
            "\n",
            "____________\n",
            "Sent from my iPhone\n",
        ] {
            let text = part.repeat(1_000_000 / part.len());
            let _ = plain(&text);
        }
    }
}
