//! What the header says about the sender being a person or a machine.
//!
//! A [`Signs`] is made once for a message; `kind` and `bounce` ask it. It reads the outer header only:
//! what stands in an attached message says nothing about the one that carries it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::LazyLock;

use mail_parser::{Message, MimeHeaders, PartType};
use regex::Regex;

/// How many bytes of one header field are looked at: the longest real ones are below this.
const FIELD_MAX: usize = 4096;

/// The outer header, ready for questions.
#[derive(Debug)]
pub(super) struct Signs {
    fields: Vec<(String, String)>,
    /// The address of From, lower case; without one, what stands there instead.
    pub(super) from: String,
    /// The display name of From, lower case.
    pub(super) from_name: String,
    /// The addresses of To, lower case.
    pub(super) to: Vec<String>,
    /// The subject, decoded.
    pub(super) subject: String,
    /// The answer of [`Signs::sender`], which is asked for several times.
    sender: OnceCell<Sender>,
}

/// Who the sender is, by address and display name alone.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sender {
    /// A mail system: `mailer-daemon`, "Mail Delivery System".
    Mailer,
    /// An address that people and machines share: `postmaster`.
    Postmaster,
    /// An address that nobody reads: `noreply`.
    NoReply,
    /// The machinery of a mailing list: `owner-x`, `x-request`, `x-bounces`.
    ListMachine,
    /// Nothing of these.
    Ordinary,
}

static MAILER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(mailer[-_.]?d[ae]*mon|mail[-_.]?daemon|mdaemon|maildaemon|mailerdaemon|mail[-_.]?delivery[-_. ]?(sub)?(system)?|mail[-_.]?system|maildelivery.*|bounce[-_.]?(daemon|handler)|mmdf|smtp[-_.]daemon)(@|$)",
    )
});
static MAILER_NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(e-?mail|internet mail|mail)\W+deliver(y|ing)?\W+((sub)?system|service|agent|daemon|notification)|mailer\W?daemon|\bndr administrator|^\W*mail system\W*$|delivery (sub)?system|microsoft exchange( recipient|\w{20})?|почтов\w+ систем|^\W*e?mail daemon",
    )
});
static POSTMASTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(post[-_.]?master|mail[-_.]?admin|sysadmin|mailadm)\b"));
static NO_REPLY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(^|[-_.+])(no[-_.]?reply|do[-_.]?not[-_.]?(reply|respond|answer)|dont[-_.]?reply|no[-_.]?response|noresponse|noanswer",
        r"|no[-_.]?responda?|no[-_.]?responder|no[-_.]?contestar|nao[-_.]?respond\w*|ne[-_.]?pas[-_.]?repondre|pas[-_.]?de[-_.]?reponse|sans[-_.]?reponse",
        r"|nicht[-_.]?antworten|keine?[-_.]?antwort(en)?|non[-_.]?rispondere|niet[-_.]?beantwoorden|geen[-_.]?antwoord|nie[-_.]?odpowiadaj|bez[-_.]?odpowiedzi|ne[-_.]?otvechat\w*|svara[-_.]?(inte|ej)|ikke[-_.]?svar)\d*([-_.+].*)?@",
    ))
});
static MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(notifications?|notify|alerts?|alarms?|nagios|zabbix|cron|root|daemon|www-data|apache|jenkins|monitoring|auto(mailer|mated|confirm|response)?|bounces?|mailings?|news-?letters?|system-notifications?)([-_.+][^@]*)?@",
    )
});
static LIST_MACHINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(owner-[^@]+|[^@]+-(owner|request|bounces?|admin|outgoing|relay)(\+[^@]*)?|listserv|majordomo|mailman|sympa|listmaster|list-?proc)@",
    )
});
static REPLY_OR_FORWARD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(re|fwd?|aw|wg|antw(ort)?|sv|vs|vb|vl|tr|rv|res|enc|rif|r|i|odp|pd|ynt|ilt|回复|答复|转发|回覆|轉寄|転送|返信)(\[\d+\])?\s?[:：]",
    )
});

/// A pattern of the house; one that does not compile matches nothing, and a test says so.
pub(super) fn pattern(source: &str) -> Regex {
    Regex::new(&format!("(?i){source}")).unwrap_or_else(|_| never())
}

fn never() -> Regex {
    #[expect(clippy::unwrap_used, reason = "a constant that compiles, and matches nothing")]
    Regex::new("[^\\s\\S]").unwrap()
}

impl Signs {
    /// Reads the outer header of `message`.
    pub(super) fn of(message: &Message<'_>) -> Self {
        let mut fields = Vec::new();
        for header in message.headers() {
            let (start, end) = (header.offset_start as usize, header.offset_end as usize);
            let bytes = message.raw_message.get(start..end).unwrap_or_default();
            let bytes = bytes.get(..bytes.len().min(FIELD_MAX)).unwrap_or_default();
            let value = words(&String::from_utf8_lossy(bytes)).into_owned();
            fields.push((header.name().to_ascii_lowercase(), value));
        }
        let first = message.from().and_then(|from| from.first());
        let name = first.and_then(|a| a.name()).unwrap_or_default().to_lowercase();
        let address = first.and_then(|a| a.address()).unwrap_or_default().to_lowercase();
        let to = message.to().map(|to| {
            to.iter().filter_map(|a| a.address()).map(str::to_lowercase).take(100).collect()
        });
        Self {
            from: if address.is_empty() { name.clone() } else { address },
            from_name: name,
            to: to.unwrap_or_default(),
            subject: words(message.subject().unwrap_or_default()).into_owned(),
            sender: OnceCell::new(),
            fields,
        }
    }

    /// The first field of this name (lower case), unfolded.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Every field, the names in lower case.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// Whether there is a field of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.field(name).is_some()
    }

    /// The first word of a field, lower case, without its comment: `auto-replied` of `auto-replied (vacation)`.
    pub(super) fn keyword(&self, name: &str) -> Option<String> {
        let value = self.field(name)?;
        let end = value.find(|c: char| c.is_whitespace() || "(;,".contains(c));
        let word = end.and_then(|end| value.get(..end)).unwrap_or(value);
        Some(word.trim_matches('"').to_lowercase())
    }

    /// RFC 5321, section 4.5.5: a mail with the null return path must not be answered.
    /// Older systems wrote their own name there.
    pub(super) fn null_return_path(&self) -> bool {
        self.fields.iter().filter(|(name, _)| name == "return-path").any(|(_, value)| {
            let path = value.trim_matches(|c: char| "<> \t\"".contains(c));
            path.is_empty() || MAILER.is_match(path)
        })
    }

    /// Who the sender is, as far as the address tells.
    pub(super) fn sender(&self) -> Sender {
        *self.sender.get_or_init(|| self.judge_sender())
    }

    fn judge_sender(&self) -> Sender {
        let postmaster = || POSTMASTER.is_match(&self.from) || POSTMASTER.is_match(&self.from_name);
        match () {
            () if MAILER.is_match(&self.from) || MAILER_NAME.is_match(&self.from_name) => {
                Sender::Mailer
            }
            () if postmaster() => Sender::Postmaster,
            () if NO_REPLY.is_match(&self.from) || MACHINE.is_match(&self.from) => Sender::NoReply,
            () if LIST_MACHINE.is_match(&self.from) => Sender::ListMachine,
            () => Sender::Ordinary,
        }
    }

    /// Whether Reply-To names somebody else than the machine that sent the mail, as contact forms do.
    pub(super) fn person_in_reply_to(&self, message: &Message<'_>) -> Option<String> {
        let address = message.reply_to()?.first()?.address()?.to_lowercase();
        let machine = NO_REPLY.is_match(&address)
            || MACHINE.is_match(&address)
            || LIST_MACHINE.is_match(&address)
            || MAILER.is_match(&address);
        (address.contains('@') && address != self.from && !machine).then_some(address)
    }

    /// Whether the subject begins with a mark of answering or passing on.
    pub(super) fn replies_or_forwards(&self) -> bool {
        REPLY_OR_FORWARD.is_match(&self.subject)
    }

    /// Auto-Submitted, RFC 3834, section 5, unless it says `no`.
    pub(super) fn auto_submitted(&self) -> Option<String> {
        self.keyword("auto-submitted").filter(|value| value != "no" && !value.is_empty())
    }

    /// Precedence or X-Precedence.
    pub(super) fn precedence(&self) -> Option<String> {
        self.keyword("precedence").or_else(|| self.keyword("x-precedence"))
    }
}

/// Blanks and line ends collapsed to one space.
pub(super) fn words(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let plain = |byte: u8| matches!(byte, b' '..=b'~');
    if text.bytes().all(plain) && !text.contains("  ") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

/// The parts of the outer message whose type begins with `kind`, as in `message/delivery-status`.
pub(super) fn parts<'a>(
    message: &'a Message<'a>,
    kind: &'a str,
) -> impl Iterator<Item = &'a mail_parser::MessagePart<'a>> {
    message.parts.iter().filter(move |part| {
        part.content_type().is_some_and(|t| {
            let (ctype, subtype) = kind.split_once('/').unwrap_or((kind, ""));
            t.ctype().eq_ignore_ascii_case(ctype)
                && t.subtype().unwrap_or_default().eq_ignore_ascii_case(subtype)
        })
    })
}

/// The report type of a multipart/report that is the whole message, RFC 6522; empty when it names none.
pub(super) fn report_type(message: &Message<'_>) -> Option<String> {
    let kind = message.content_type()?;
    let report = kind.ctype().eq_ignore_ascii_case("multipart")
        && kind.subtype().is_some_and(|s| s.eq_ignore_ascii_case("report"));
    report.then(|| kind.attribute("report-type").unwrap_or_default().trim().to_ascii_lowercase())
}

/// The text of a part, decoded as well as it can be.
pub(super) fn part_text(part: &mail_parser::MessagePart<'_>) -> String {
    match &part.body {
        PartType::Message(inner) => String::from_utf8_lossy(inner.raw_message()).into_owned(),
        _ => String::from_utf8_lossy(part.contents()).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in [
            &MAILER,
            &MAILER_NAME,
            &POSTMASTER,
            &NO_REPLY,
            &MACHINE,
            &LIST_MACHINE,
            &REPLY_OR_FORWARD,
        ] {
            assert_ne!(pattern.as_str(), never().as_str());
        }
    }

    #[test]
    fn addresses_of_machines_are_known_and_people_are_left_alone() {
        for (address, sender) in [
            ("mailer-daemon@example.org", Sender::Mailer),
            ("maildaemon@example.org", Sender::Mailer),
            ("postmaster@example.org", Sender::Postmaster),
            ("no-reply@example.org", Sender::NoReply),
            ("shop.noreply@example.org", Sender::NoReply),
            ("ne-pas-repondre@example.fr", Sender::NoReply),
            ("reply@example.org", Sender::Ordinary),
            ("noreen@example.org", Sender::Ordinary),
            ("owner-cats@example.org", Sender::ListMachine),
            ("cats-request@example.org", Sender::ListMachine),
            ("ana.request@example.org", Sender::Ordinary),
            ("alertson@example.org", Sender::Ordinary),
        ] {
            let raw = format!("From: {address}\r\n\r\nx");
            let message = mail_parser::MessageParser::default().parse(&raw).unwrap();
            assert_eq!(Signs::of(&message).sender(), sender, "{address}");
        }
    }
}
