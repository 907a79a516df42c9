//! What the sender wrote now: a text without quotations, history and signature.
//!
//! The rule above all others: losing a customer's words is far worse than leaving history in. Text between or
//! below quotations always stays, and where everything would go, everything stays. Start with [`new_text`].

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

use super::headings::{self, Attribution};
use super::html::Plain;
use super::quoted::{self, Quoted};

/// The longest block under `--` that is taken for a signature, in lines with text.
const SIGNATURE_LINES: usize = 15;
/// The same under `-- ` with its blank, which only a mail program writes (RFC 3676, section 4.3).
const MARKED_SIGNATURE_LINES: usize = 60;
/// The longest "Sent from my …", in bytes.
const DEVICE_MAX: usize = 160;

/// What the header lets one expect below the new text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Context {
    /// It answers nothing: an older mail in it, unless marked line by line, was put there by the writer, who may
    /// go on below it.
    Fresh,
    /// It is an answer; programs append the older mail.
    Answer,
    /// The subject announces a forwarded mail: nothing new need be left over.
    Forward,
}

/// What the sender wrote now.
pub fn new_text(plain: &Plain, context: Context) -> String {
    let raw: Vec<&str> = plain.text.lines().collect();
    let mut walk = Walk::new(plain, context, &raw);
    walk.history();
    walk.signatures();
    walk.devices();
    walk.text(&raw, str::trim_end)
}

/// As [`new_text`], with the signature: what the sender wants to be read.
pub fn own_words(plain: &Plain, context: Context) -> String {
    let raw: Vec<&str> = plain.text.lines().collect();
    let mut walk = Walk::new(plain, context, &raw);
    walk.history();
    // The blank is the mark of a signature (RFC 3676, section 4.3).
    walk.text(&raw, |line| if line == "-- " { line } else { line.trim_end() })
}

struct Walk<'a> {
    /// How many quote marks each line has.
    depth: Vec<usize>,
    /// Each line without them.
    lines: Vec<&'a str>,
    /// Whether each line is new.
    keep: Vec<bool>,
    /// For each line, the attribution that begins there.
    attributions: HashMap<usize, (usize, Attribution)>,
    plain: &'a Plain,
    context: Context,
}

/// What begins at a line.
enum Heading {
    /// Ends before this line; a quotation may follow.
    Quotation(usize, Attribution),
    /// An older mail, whose text begins at this line.
    Mail(usize),
}

impl<'a> Walk<'a> {
    fn new(plain: &'a Plain, context: Context, raw: &[&'a str]) -> Walk<'a> {
        let Quoted { depth, lines, attributions } = quoted::read(raw);
        Walk {
            attributions,
            keep: depth.iter().map(|depth| *depth == 0).collect(),
            depth,
            lines,
            plain,
            context,
        }
    }
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
            } else if sure && self.ends(written) {
                let all = self.lines.len();
                self.drop(at, all);
                return;
            } else if sure {
                // Nothing was written above: the answer is below, or there is none. Only the heading can go.
                if self.context == Context::Answer {
                    self.drop(at, end);
                }
            }
            at = end.max(at + 1);
        }
    }

    /// Whether an older mail that is not marked line by line goes on to the end.
    fn ends(&self, written: bool) -> bool {
        match self.context {
            Context::Fresh => false,
            Context::Answer => written,
            Context::Forward => true,
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
            // Proton writes both: a separator, and below it "On … wrote:".
            if let Some(Heading::Quotation(end, _)) = self.attribution(next) {
                return Some(Heading::Quotation(end, Attribution::Surely));
            }
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
        if let Some((end, sure)) = self.attributions.get(&at)
            && (at..*end).all(|line| !self.quoted(line))
        {
            return Some(Heading::Quotation(*end, *sure));
        }
        // A heading in a language that is not known here, but marked in the HTML.
        if self.plain.attributions.binary_search(&at).is_ok() {
            let end = (at..self.lines.len())
                .take(5)
                .find(|line| !self.has_words(*line) || self.quoted(*line))?;
            return Some(Heading::Quotation(end, Attribution::Maybe));
        }
        None
    }

    /// Drops what stands below `--` up to the next quotation.
    fn signatures(&mut self) {
        // `--` more than once divides a text rather than signing it.
        let divided = (0..self.lines.len())
            .filter(|at| self.kept(*at) && self.limit(*at) == SIGNATURE_LINES)
            .count()
            > 1;
        let mut at = 0;
        while at < self.lines.len() {
            let limit = if self.kept(at) { self.limit(at) } else { 0 };
            if limit == 0 || limit == SIGNATURE_LINES && divided {
                at += 1;
                continue;
            }
            let end =
                (at..self.lines.len()).find(|line| !self.kept(*line)).unwrap_or(self.lines.len());
            if (at..end).filter(|line| self.has_words(*line)).count() <= limit {
                self.drop(at, end);
            }
            at = end;
        }
    }

    /// How many lines with text may follow if a signature begins here; zero if none does.
    fn limit(&self, at: usize) -> usize {
        match self.lines.get(at) {
            Some(&"-- " | &"--\u{a0}") => MARKED_SIGNATURE_LINES,
            Some(line) if matches!(line.trim_end(), "--" | "—" | "––") => SIGNATURE_LINES,
            Some(line) if headings::rule(line) && self.is_list_footer(at) => MARKED_SIGNATURE_LINES,
            _ => 0,
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
        let mut ending = true;
        for at in (0..self.lines.len()).rev() {
            if !self.kept(at) {
                ending = true;
            } else if self.has_words(at) {
                ending = ending && self.lines.get(at).is_some_and(|line| device(line));
                if ending {
                    self.drop(at, at + 1);
                }
            }
        }
    }

    fn text(&self, raw: &[&str], as_written: impl Fn(&str) -> &str) -> String {
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
            out.push_str(as_written(line));
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
            r"download outlook|baixar? (?:o )?outlook|obter (?:o )?outlook|ottieni outlook|télécharge[zr]|obtene?r|obtenga|scarica|hämta|hent|pobierz|yahoo mail|composed on|written on|typed on|mit (?:der )?(?:gmx|web\.de)|",
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
        new_text(&Plain { text: text.to_owned(), ..Plain::default() }, Context::Answer)
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
    fn what_the_writer_of_a_fresh_mail_pasted_does_not_end_it() {
        let text =
            "I got this:\n\nFrom: a@x.example\nDate: y\nTo: z\nSubject: x\n\npay!\n\nIs it yours?";
        let plain = Plain { text: text.to_owned(), ..Plain::default() };
        assert_eq!(new_text(&plain, Context::Fresh), text);
        assert_eq!(new_text(&plain, Context::Answer), "I got this:");
        let pure = Plain { text: text.replace("I got this:", ""), ..Plain::default() };
        assert_eq!(new_text(&pure, Context::Forward), "");
        assert_eq!(new_text(&pure, Context::Answer), "pay!\n\nIs it yours?");
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
            assert_eq!(new_text(&html::to_text(page), Context::Answer), expected, "{page}");
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
            let text = part.repeat(200_000 / part.len());
            let _ = plain(&text);
        }
    }
}
