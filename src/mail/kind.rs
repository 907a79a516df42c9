//! What sort of message it is, why, and whether it may be answered by a machine.
//!
//! Start with [`of`]. The order matters: a report is told by its structure before anything else, since
//! bounces and read receipts are also auto-submitted, and an out-of-office note may also be bulk.
//! Doubt goes one way: a mail that may be a person's is human, but then gets no automatic answer.

use std::sync::LazyLock;

use mail_parser::{Message, MimeHeaders};
use regex::Regex;

use super::message::{Bounce, Kind};
use super::signs::{Sender, Signs, parts, pattern, report_type};
use super::{bounce, bounce_words};

/// What [`of`] found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// What sort of message it is.
    pub kind: Kind,
    /// Why, naming the header or the part.
    pub reason: String,
    /// The delivery report, when it is one.
    pub bounce: Option<Bounce>,
    /// Whether an automatic answer may be sent, RFC 3834, section 2.
    pub may_answer_automatically: bool,
}

/// How many bytes of a broken body are looked at.
const RESCUE_MAX: usize = 64 * 1024;

/// Header names with which vacation programs mark their answers; Exchange's X-Auto-Response-Suppress is
/// not among them: it asks for silence, and stands on ordinary mail too.
static AUTO_REPLY_FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^x-([a-z]+-)?auto-?(reply|replied|respond|responder|response|answer)(-(from|by|id|type|sender))?$|^x-vacation$|^vacation-",
    )
});
/// Subjects that only a vacation program writes, in the languages of Exchange, Gmail and others.
static ABSENCE_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^\W*(auto(matic|mated)?[- ]?(reply|response|answer|responder)|out[- ]of[- ](the )?office|ooo|oof|away from (the |my )?(office|mail|desk)|on (vacation|holiday|leave)|vacation (reply|response|notice)|auto)\b",
        r"|out of office auto-?reply|auto-?(reply|response):|^\W*(automatische (antwort|abwesenheit\w*)|abwesenheits\w*|abwesend|nicht im b(ü|ue)ro|autoantwort)",
        r"|^\W*(réponse automatique|absence du bureau|absent du bureau|message d.absence|notification d.absence)|^\W*(respuesta autom(á|a)tica|fuera de (la )?oficina|contestación automática)|^\W*(risposta automatica|fuori (sede|ufficio))|^\W*(automatisch antwoord|afwezigheids\w*|niet aanwezig|automatische? (antwoord|reactie))",
        r"|^\W*(resposta autom(á|a)tica|fora do escrit(ó|o)rio|ausência temporária)|^\W*(automatyczna odpowied(ź|z)|odpowied(ź|z) automatyczna|nieobecno(ść|sc)|poza biurem)|^\W*(autosvar|automatiskt? svar|frånvaro|fravær\w*|ikke på kontoret|automaattinen vastaus|poissa)",
        r"|^\W*(automatick(á|a) odpov(ě|e|ď|d)\w*|odpověď v nepřítomnosti|automatikus válasz|răspuns automat|otomatik (yanıt|cevap)|αυτόματη απάντηση|автоматический ответ|автоответ\w*|автоматична відповідь|отсутствую)|自動(応答|返信|回覆|答覆)|不在(通知|のお知らせ)|自动(回复|答复)|外出|부재중|자동 회신",
    ))
});
/// First-person words of absence, for subjects that say too little.
static ABSENCE_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"out of (the |my )?office|(back|return(ing)?) (in|to|at) (the |my )?(office|work|desk)|(i am|i.m|i will be|i.ll be) (currently |presently )?(away|on (vacation|holiday|leave|annual leave|parental leave)|out until|travell?ing)|limited access to (my )?e-?mail|no longer (works? (for|at|here)|employed|with)|we (have )?received your (e-?mail|message|request|enquiry|inquiry)|automatic(ally)? (generated )?(reply|response|generated)|this is an automat",
        r"|nicht im (büro|haus|dienst)|(bin|befinde mich) .{0,60}(urlaub|abwesend|nicht erreichbar|wieder (da|im|erreichbar|zurück))|im urlaub|wieder erreichbar|elternzeit|absent\(?e?\)? (du|de|jusqu)|je suis .{0,20}(absent|en congé|en déplacement)|de retour (le|au)|en vacances|fuera de (la |mi )?oficina|estaré? (fuera|ausente|de vacaciones)|sono (assente|fuori|in ferie)|sarò (assente|fuori|in ferie)|in ferie",
        r"|afwezig|met vakantie|op vakantie|niet op kantoor|fora do escritório|(estou|estarei) (ausente|de férias|fora)|de férias|na urlopie|nieobecn|poza biurem|semester|på ferie|lomalla|в отпуске|отсутств|не на работе|dovolen|szabadság|休暇|不在|休假|不在办公室",
    ))
});
static COMPLAINT_SUBJECT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^complaint about message from|^email feedback report for"));

/// Judges a message. `text` is its plain text; `raw` are the bytes it was parsed from.
pub fn of(message: &Message<'_>, raw: &[u8], text: &str) -> Finding {
    let signs = Signs::of(message);
    let rescued = if text.trim().is_empty() { body_of(message, raw) } else { String::new() };
    let text = if rescued.is_empty() { text } else { &rescued };
    let (kind, reason, bounce) = judge(message, &signs, text);
    let silent = silence(&signs, text);
    let may_answer_automatically = kind == Kind::Human && silent.is_none();
    let reason = match silent {
        Some(why) if kind == Kind::Human => format!("{reason}; no automatic answer: {why}"),
        _ => reason,
    };
    Finding { kind, reason, bounce, may_answer_automatically }
}

/// The undecoded body, for mail whose MIME structure is too broken to yield a text.
fn body_of(message: &Message<'_>, raw: &[u8]) -> String {
    let start = message.parts.first().map_or(0, |root| root.offset_body as usize);
    let body = raw.get(start..raw.len().min(start.saturating_add(RESCUE_MAX)));
    String::from_utf8_lossy(body.unwrap_or_default()).into_owned()
}

type Judgement = (Kind, String, Option<Bounce>);

fn judge(message: &Message<'_>, signs: &Signs, text: &str) -> Judgement {
    if let Some((name, _)) = signs.fields().find(|(name, _)| name.starts_with("x-baton-")) {
        return (Kind::Own, format!("{name} is written by Baton only"), None);
    }
    let by_structure = report(message, signs, text);
    if let Some(found) = by_structure {
        return found;
    }
    if let Some(reason) = calendar(message) {
        return (Kind::Calendar, reason, None);
    }
    if let Some(reason) = bounce_words::looks_like_one(message, signs, text) {
        let bounce = bounce_words::read(message, signs, text);
        return (Kind::Bounce, reason, Some(bounce));
    }
    let (kind, reason) = auto_reply(signs, text)
        .map(|reason| (Kind::AutoReply, reason))
        .or_else(|| list(signs).map(|reason| (Kind::List, reason)))
        .or_else(|| notification(message, signs).map(|reason| (Kind::Notification, reason)))
        .unwrap_or_else(|| (Kind::Human, "nothing says that a machine wrote it".into()));
    (kind, reason, None)
}

/// The kinds that have a machine-readable part.
fn report(message: &Message<'_>, signs: &Signs, text: &str) -> Option<Judgement> {
    let root = report_type(message);
    let has = |kind: &str| parts(message, kind).next().is_some();
    let is = |kind: &str| root.as_deref() == Some(kind);
    if is("feedback-report") || has("message/feedback-report") {
        return Some((Kind::Complaint, "a feedback report (RFC 5965)".into(), None));
    }
    if COMPLAINT_SUBJECT.is_match(&signs.subject) && has("message/rfc822") {
        return Some((
            Kind::Complaint,
            "the subject and the attached mail of a complaint".into(),
            None,
        ));
    }
    if is("disposition-notification")
        || root.is_some() && has("message/disposition-notification")
        || has("message/disposition-notification") && !signs.replies_or_forwards()
    {
        return Some((Kind::Receipt, "a disposition notification (RFC 8098)".into(), None));
    }
    let status = has("message/delivery-status") || has("message/global-delivery-status");
    // A person who passes a bounce on may flatten it into the new mail's parts.
    let passed_on = root.is_none()
        && signs.sender() == Sender::Ordinary
        && !signs.null_return_path()
        && !bounce_words::subject_reports(signs);
    if is("delivery-status") || status && !passed_on {
        let from_words = || bounce_words::read(message, signs, text);
        let bounce = bounce::report(message)
            .map(|mut bounce| {
                if bounce.recipients.iter().all(|r| r.address.is_empty()) {
                    bounce.recipients = from_words().recipients;
                }
                if bounce.original_message_id.is_none() {
                    bounce.original_message_id = bounce::original_message_id(message, text);
                }
                bounce
            })
            .unwrap_or_else(from_words);
        return Some((Kind::Bounce, "a delivery report (RFC 3464)".into(), Some(bounce)));
    }
    None
}

/// RFC 6047: a calendar part with a method is a request or an answer; a file that merely hangs on is not.
fn calendar(message: &Message<'_>) -> Option<String> {
    parts(message, "text/calendar").find_map(|part| {
        let kind = part.content_type()?;
        let method = kind.attribute("method").map(str::to_ascii_uppercase);
        let method = method.or_else(|| {
            let inline = !part.content_disposition().is_some_and(|d| d.is_attachment());
            let text = String::from_utf8_lossy(part.contents()).to_ascii_uppercase();
            let line = text
                .lines()
                .find_map(|line| line.trim().strip_prefix("METHOD:").map(str::to_string));
            line.filter(|_| inline)
        })?;
        let asks = ["REQUEST", "REPLY", "CANCEL", "COUNTER", "DECLINECOUNTER", "ADD", "REFRESH"]
            .contains(&method.trim());
        asks.then(|| format!("a calendar part with the method {}", method.trim()))
    })
}

fn auto_reply(signs: &Signs, text: &str) -> Option<String> {
    let submitted = signs.auto_submitted();
    if submitted.as_deref().is_some_and(|value| value.starts_with("auto-repl")) {
        return Some("Auto-Submitted: auto-replied (RFC 3834)".into());
    }
    if let Some(reason) = auto_reply_field(signs) {
        return Some(reason);
    }
    let subject = ABSENCE_SUBJECT.is_match(&signs.subject);
    let marked = submitted.is_some()
        || signs.null_return_path()
        || signs.has("x-auto-response-suppress")
        || signs.has("x-ms-exchange-inbox-rules-loop")
        || signs.precedence().is_some_and(|p| p != "list")
        || signs.has("x-autogenerated");
    // The text of an ordinary mail need not be searched: its words alone say nothing.
    let absent = (subject || marked) && ABSENCE_WORDS.is_match(&own_words(text));
    let answers = signs.has("in-reply-to") || signs.replies_or_forwards();
    match () {
        () if subject && (marked || absent || answers && !signs.replies_or_forwards()) => {
            Some("the subject of an automatic answer, and the marks or words of one".into())
        }
        () if absent && marked && answers && !listed(signs) => {
            Some("words of absence in an answer that a machine marked".into())
        }
        () if absent && signs.null_return_path() => {
            Some("words of absence and the null return path".into())
        }
        () if signs.null_return_path() && answers && !listed(signs) => {
            Some("an answer with the null return path".into())
        }
        () => None,
    }
}

fn auto_reply_field(signs: &Signs) -> Option<String> {
    let says_no =
        |value: &str| matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "none" | "0");
    if let Some((name, _)) =
        signs.fields().find(|(name, value)| AUTO_REPLY_FIELD.is_match(name) && !says_no(value))
    {
        return Some(format!("{name} marks an automatic answer"));
    }
    for name in ["precedence", "x-precedence"] {
        let value = signs.keyword(name).unwrap_or_default();
        if ["auto_reply", "auto-reply", "autoreply"].contains(&value.as_str()) {
            return Some(format!("{name}: {value}"));
        }
    }
    signs.fields().find_map(|(name, value)| {
        let value = value.to_ascii_lowercase();
        let marks = match name {
            "x-autogenerated" => value.starts_with("reply"),
            "x-post-messageclass" => value.contains("autoresponder"),
            "delivered-to" => value == "autoresponder",
            "x-apple-action" => value.contains("vacation"),
            "x-mailer" | "user-agent" => {
                value.contains("vacation") || value.contains("autorespond")
            }
            _ => false,
        };
        marks.then(|| format!("{name}: {value}"))
    })
}

/// What was written now, roughly: the lines before the first quotation.
fn own_words(text: &str) -> String {
    let own = text.lines().take_while(|line| !line.trim_start().starts_with('>')).take(40);
    own.collect::<Vec<_>>().join(" ").chars().take(4000).collect()
}

fn listed(signs: &Signs) -> bool {
    ["list-id", "list-post", "list-unsubscribe"].into_iter().any(|name| signs.has(name))
}

fn list(signs: &Signs) -> Option<String> {
    let named = ["list-id", "list-post", "mailing-list", "x-mailing-list"];
    if let Some(name) = named.into_iter().find(|name| signs.has(name)) {
        return Some(format!("{name} names a mailing list"));
    }
    let transaction = signs.auto_submitted().is_some();
    if signs.has("list-unsubscribe") && !transaction {
        return Some("list-unsubscribe: sent to many".into());
    }
    let precedence = signs.precedence().unwrap_or_default();
    let bulk = ["bulk", "list", "junk"].contains(&precedence.as_str()) && !transaction;
    if bulk && signs.sender() != Sender::NoReply {
        return Some(format!("precedence: {precedence}"));
    }
    None
}

fn notification(message: &Message<'_>, signs: &Signs) -> Option<String> {
    if let Some(value) = signs.auto_submitted() {
        return Some(format!("auto-submitted: {value}"));
    }
    if signs.field("x-fc-machinegenerated").is_some_and(|v| v.eq_ignore_ascii_case("true")) {
        return Some("x-fc-machinegenerated".into());
    }
    if signs.null_return_path() {
        return Some("the null return path".into());
    }
    match signs.sender() {
        Sender::Mailer => Some(format!("sent by a mail system ({})", signs.from)),
        Sender::ListMachine => Some(format!("sent by the machinery of a list ({})", signs.from)),
        // Contact forms send a person's words from an address that nobody reads.
        Sender::NoReply if signs.person_in_reply_to(message).is_none() => {
            Some(format!("sent by an address that nobody reads ({})", signs.from))
        }
        Sender::NoReply | Sender::Postmaster | Sender::Ordinary => None,
    }
}

/// Why a message must not get an automatic answer, RFC 3834, section 2, and what Exchange adds to it.
fn silence(signs: &Signs, text: &str) -> Option<String> {
    if signs.null_return_path() {
        return Some("null return path".into());
    }
    if !signs.from.contains('@') {
        return Some("no sender".into());
    }
    if let Some(value) = signs.auto_submitted() {
        return Some(format!("auto-submitted: {value}"));
    }
    if let Some((name, _)) = signs.fields().find(|(name, _)| forbids(name)) {
        return Some(format!("{name} is there"));
    }
    if signs.field("x-auto-response-suppress").is_some_and(|v| !v.eq_ignore_ascii_case("none")) {
        return Some("x-auto-response-suppress".into());
    }
    if let Some(value) = signs.precedence().filter(|p| !p.is_empty() && p != "first-class") {
        return Some(format!("precedence: {value}"));
    }
    if signs.sender() != Sender::Ordinary {
        return Some(format!("the sender {} is a machine", signs.from));
    }
    let suspect = ABSENCE_SUBJECT.is_match(&signs.subject)
        && (!signs.replies_or_forwards() || ABSENCE_WORDS.is_match(&own_words(text)));
    suspect.then(|| "the subject of an automatic answer".into())
}

fn forbids(name: &str) -> bool {
    name.starts_with("list-")
        || name.starts_with("x-list")
        || AUTO_REPLY_FIELD.is_match(name)
        || matches!(
            name,
            "x-loop"
                | "x-no-loop"
                | "x-otrs-loop"
                | "x-otobo-loop"
                | "x-rt-loop-prevention"
                | "x-fc-machinegenerated"
                | "x-autogenerated"
                | "mailing-list"
                | "x-mailing-list"
                | "x-failed-recipients"
                | "feedback-id"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for found in [&AUTO_REPLY_FIELD, &ABSENCE_SUBJECT, &ABSENCE_WORDS, &COMPLAINT_SUBJECT] {
            assert_ne!(found.as_str(), "[^\\s\\S]");
        }
    }
}
