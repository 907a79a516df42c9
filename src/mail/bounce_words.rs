//! Delivery reports of systems that write them in words only: qmail, Exim, old Exchange, Domino and others.
//!
//! [`looks_like_one`] weighs the sender, the subject and the words; [`read`] finds the recipients and what
//! was said about each. Quoted lines and the copy of the returned mail are never taken for the report.

use std::sync::LazyLock;

use mail_parser::{Message, PartType};
use regex::Regex;

use super::bounce::{
    DIAGNOSTIC_MAX, RECIPIENTS_MAX, has_reply_code, original_message_id, permanent_words, report,
    report_in_text, status_in, verdict,
};
use super::message::{Bounce, BounceClass, BounceRecipient};
use super::signs::{Sender, Signs, parts, pattern, words};

/// How many lines of a report are read; the reports of real systems are much shorter.
const LINES_MAX: usize = 600;
/// How many bytes of it.
const SAID_MAX: usize = 64 * 1024;
/// The weight from which on a message is a bounce.
const ENOUGH: u8 = 4;

static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"undeliver(ed|able)|non[- ]?deliver(y|able|ed)|not (be )?deliver(ed|able)|delivery[ -](status )?(notification|report|failure|failed|problem|error|has failed|delayed)|delivery status",
        r"|returned (e-?)?mail|(e-?mail|message) returned|mail (delivery )?(system )?(failed|failure|error)|failure notice|delivery (to .{1,80} )?(has )?(failed|been delayed|delayed)|failed (mail|message|delivery)|could ?n[o']t be (sent|delivered)|cannot send message",
        r"|returning message to sender|message (status|undeliverable|delivery|blocked|rejected|you sent)|rejected (mail|message|email)|error sending|warning: (could not send|message)|nondeliverable|address not found|bounced? (mail|message)|mail could not|ndr\b|has been frozen|not (a )?member|postmaster notify|unknown (user|recipient)|user unknown|host unknown",
        r"|unzustellbar|nicht zugestellt|zustell(ung|fehler)|konnte nicht|non remis|échec|non distribu|no se ha podido entregar|no entregado|no se puede entregar|devuelto|mancata consegna|non recapitabil|mancato recapito|niet bezorgd|onbestelbaar|kan niet worden|não entregue|falha|não (foi )?entreg|niedostarcz|nie dostarcz|zwrot",
        r"|не доставлен|недоставлен|не может быть доставлен|невозможно доставить|エラー|配信でき|配送でき|届け|送信でき|配信不能|退信|投递失败|無法傳遞|无法投递|系统退信|배달|unlevererbar|kunne ikke leveres|kan inte levereras|teslim edilemedi|doručit|kézbesíthetetlen|ei voitu toimittaa",
    ))
});
static WORDS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"(could|can|was|were|has|have|is|are)( ?n[o']t| not| ?n.t|not) (be |been )?(able to be )?(deliver|relay|sent|reach)|(could|can)( ?n[o']t|not| not) (be )?(deliver|send|relay|reach)|undeliver(ed|able)|non[- ]?deliver|unable to (deliver|send|relay)|not able to (deliver|be delivered)|wasn.t able to deliver|wasn.t delivered|(could|can)n.t be (deliver|found)|trouble delivering|did not reach|delivery (attempt|to|of|has|was).{0,60}(fail|delay|unsuccess|abort|reject|problem)",
        r"|delivery (failed|failure|error|problem|status)|failed (to deliver|permanently|recipient|address)|permanent(ly)? (fatal )?(delivery )?(error|failure|fail)|addresses had|delivery (errors|problems)|returned to (you|sender)|(was|been) (automatically )?(rejected|blocked|returned|bounced)|rejected (by|for) |giv(ing|en) up|could not send|cannot send|address(es)? (is |are )?(rejected|unknown|invalid)",
        r"|(user|recipient|mailbox|address|account|host|domain|addressee)( name)?\W.{0,60}(unknown|not found|not exist|n.t exist|not known|invalid|disabled|unavailable|not listed|not recognized|is full|full\b|over quota|exceeded)|(unknown|invalid|no such|bad|non-?existent) (local )?(user|recipient|address|mailbox|account|host|domain|destination)|(mailbox|quota|mailfolder|inbox).{0,40}(full|exceed)|over quota|no valid recipients|doesn.t have (a|an) |no mailbox here|transcript of session|has been frozen|not (a )?member|message (delayed|has been delayed|is delayed)|still (being|trying)|not yet been delivered|undelivered after",
        r"|unzustellbar|nicht zugestellt|nicht zustell|konnte nicht .{0,80}(zugestellt|ausgeliefert|übermittelt|gesendet)|n.a pas pu être|n.ont pas pu|non remis|impossible de (remettre|livrer)|no (se )?(ha podido|pudo|puede) .{0,30}entreg|no ha podido ser entregado|non è stato possibile (consegnare|recapitare)|impossibile (consegnare|recapitare)|kon niet .{0,60}(bezorgd|afgeleverd)|não (foi|pôde) .{0,60}entreg|nie (mogła|można|udało).{0,60}dostarcz|não pôde ser",
        r"|не может быть доставлен|не доставлен|не удалось доставить|не может\s+быть отправлен|送信できません|配信できません|配送できません|届け(られ|でき)|届きません|宛先不明|失敗しました|存在しない|无法(投递|送达|发送)|退回|無法(投遞|傳遞)|kunne ikke leveres|kunde inte levereras|ei voitu toimittaa|teslim edilemedi|nelze doručit",
    ))
});
static DELAYED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"\bdelay(ed)?\b|still (being retried|trying|undelivered|attempting)|will (be retried|keep trying|continue (to try|trying)|be attempted|retry|try again)|continue to (try|attempt)|warning message only|do not need to resend|no action is required|not yet been delivered|could not send message for (the )?past|delivery attempts will continue",
        r"|verzögert|weitere(n)? (zustell)?versuch|wird (weiter|erneut) versucht|retardé|sera retentée|retrasad|demorad|ritardat|in ritardo|vertraagd|atrasad|opóźni|задерж|遅延|遅れて|延迟",
    ))
});
static GIVEN_UP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"permanent|given up|giving up|giv.n up|\bfailed\b|failure|undeliverable|returned mail|will not (continue|be retried|try)|no further|has been removed from the queue|endgültig",
    )
});
static ARRIVED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(was|were|has been|have been|been) successfully (delivered|relayed|transmitted)|successful(ly)? (mail )?deliver|delivery (was )?success|notification \(success\)|\(relay\)|erfolgreich zugestellt|has been delivered to|was delivered to the following|remis avec succès|entregado correctamente",
    )
});
static COPY_BEGINS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(concat!(
        r"^(below (this line )?is (a|the) (copy|original)|this is (a|the) copy|included (below )?is (a|the) copy|here is (a|the) copy|a copy of (the|your)|(the )?(header|text|body|content)s? of (the|your) (original|message|mail)|the original (message|mail|e-?mail) (follows|is|was attached|headers?)",
        r"|(the |your )?original (e-?mail |mail )?(message|mail|header|text|e-?mail)s?( headers?| text| body)?(( as)? follows?| below| attached| is attached)?|(returned|undelivered|unsent|non-?delivered|failed|rejected) (message|mail)( follows| headers?| text)?|message (headers?|text|contents?)( follows?)?|start of (original|returned)|header of (the|your)",
        r"|urspr(ü|ue)ngliche (nachricht|e-?mail)|originalnachricht|kopie der|message (d.origine|original)|mensaje original|messaggio originale|oorspronkelijk bericht|mensagem original|oryginalna wiadomość|исходное (сообщение|письмо)|текст исходного|元のメッセージ|原始邮件)\W*$",
    ))
});
static COPIED_FIELD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(return-path|received|dkim-signature|domainkey-signature|x-originating-ip):")
});
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r#"(?:"[^"\s]+"|[^\s<>()\[\],;:"'@|=\\]+)@[\p{L}\p{N}](?:[\p{L}\p{N}._-]*[\p{L}\p{N}])?"#,
    )
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(recipients?|rcpt to|\bto|for|unknown|users?|mailbox|addresse?e?s?|account|empfänger|an|destinat\w+|adres\w*|получател\w+|адрес\w*|宛先|收件人)\W{0,14}$",
    )
});
static OF_SENDER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(mail from|envelope-from|from|sender|reply-to|expanded from|contact|please (send|forward|write)|message-id|\bid|absender|expéditeur|remitente)\W{0,14}$",
    )
});
static TRANSCRIPT: LazyLock<Regex> = LazyLock::new(|| pattern(r"\brcpt to\s*:|\bmail from\s*:"));
/// Postfix tells the postmaster about sessions that went wrong; no mail came back.
static MTA_DIARY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^postfix smtp (server|client): errors"));
static ROLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"^(post[-_.]?master|mailer-daemon|abuse|support|helpdesk|hostmaster|noc|admin)@")
});

/// Whether the subject is that of a report.
pub(super) fn subject_reports(signs: &Signs) -> bool {
    SUBJECT.is_match(&signs.subject) && !signs.replies_or_forwards()
}

/// Whether a message without a machine-readable report is one in words.
pub(super) fn looks_like_one(message: &Message<'_>, signs: &Signs, text: &str) -> Option<String> {
    if signs.has("x-failed-recipients") {
        return Some("X-Failed-Recipients names who was not reached".into());
    }
    let sender = match signs.sender() {
        Sender::Mailer => 2,
        Sender::Postmaster | Sender::NoReply | Sender::ListMachine => 1,
        Sender::Ordinary => 0,
    };
    let from_machine = sender + u8::from(signs.null_return_path());
    // A person may quote a bounce, attach it and keep its subject; a person has none of these signs.
    if from_machine == 0 {
        return None;
    }
    let (said, copy) = split(text);
    let unquoted = unquoted(said);
    let answers = signs.replies_or_forwards();
    let by_subject = subject_reports(signs);
    let by_words = WORDS.is_match(&unquoted) || ARRIVED.is_match(&unquoted);
    let returned = !copy.is_empty() || attached(message);
    let code = has_reply_code(&unquoted) || status_in(&unquoted).is_some();
    // Parcels are "undeliverable" too; a shop's robot has no SMTP code and returns no mail.
    let shared_words = !matches!(signs.sender(), Sender::Mailer | Sender::Postmaster);
    if MTA_DIARY.is_match(&signs.subject)
        || shared_words && !returned && !code
        || signs.sender() == Sender::NoReply && !returned
    {
        return None;
    }
    let weight = from_machine
        + 2 * u8::from(by_subject)
        + 2 * u8::from(by_words)
        + u8::from(returned && !answers)
        + u8::from(code)
        + u8::from(TRANSCRIPT.is_match(&unquoted));
    (weight >= ENOUGH && (by_subject || by_words)).then(|| {
        let sign =
            if by_words { "its words report a delivery" } else { "its subject reports a delivery" };
        format!("{sign}, and it comes from a mail system ({})", signs.from)
    })
}

/// Reads a report in words; also used to fill in what a machine-readable one leaves out.
pub(super) fn read(message: &Message<'_>, signs: &Signs, text: &str) -> Bounce {
    let (said, _) = split(text);
    let class = class(signs, said);
    let mut recipients = report_in_text(said);
    if recipients.is_empty() {
        recipients = failed_header(signs, said);
    }
    if recipients.is_empty() {
        recipients = named_in(said, signs);
    }
    if recipients.is_empty() {
        recipients = inner_report(message);
    }
    if recipients.is_empty() {
        recipients = addressees(message, text);
    }
    fill_in(&mut recipients, said, class);
    let mut bounce = verdict(recipients, original_message_id(message, text));
    if bounce.recipients.is_empty() {
        bounce.class = class;
        bounce.permanent = class == BounceClass::Failed && all_permanent(said);
    }
    bounce
}

fn all_permanent(said: &str) -> bool {
    status_in(said).map_or_else(|| permanent_words(said), |status| status.starts_with('5'))
}

fn class(signs: &Signs, said: &str) -> BounceClass {
    let said = unquoted(said);
    let delayed = |text: &str| DELAYED.is_match(text) && !GIVEN_UP.is_match(text);
    match () {
        () if ARRIVED.is_match(&signs.subject) => BounceClass::Delivered,
        () if delayed(&signs.subject) => BounceClass::Delayed,
        () if ARRIVED.is_match(&said) && !WORDS.is_match(&said) => BounceClass::Delivered,
        () if delayed(&said) && !GIVEN_UP.is_match(&signs.subject) => BounceClass::Delayed,
        () => BounceClass::Failed,
    }
}

/// Cuts off the copy of the returned mail.
fn split(text: &str) -> (&str, &str) {
    let mut at = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let bare = line.trim_matches(|c: char| !c.is_alphanumeric() && c != '<');
        let begins = COPY_BEGINS.is_match(bare) || COPIED_FIELD.is_match(line);
        let something_before = text.get(..at).is_some_and(|before| !before.trim().is_empty());
        if begins && something_before || number >= LINES_MAX || at + line.len() > SAID_MAX {
            break;
        }
        at += line.len();
    }
    let at = if at == 0 { text.floor_char_boundary(SAID_MAX) } else { at };
    text.split_at_checked(at).unwrap_or((text, ""))
}

fn unquoted(text: &str) -> String {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('>') || line.trim_start().starts_with(">>>"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn attached(message: &Message<'_>) -> bool {
    message.parts.iter().any(|part| matches!(part.body, PartType::Message(_)))
        || parts(message, "text/rfc822-headers").next().is_some()
}

fn failed_header(signs: &Signs, said: &str) -> Vec<BounceRecipient> {
    let mut recipients: Vec<BounceRecipient> = Vec::new();
    for (_, value) in signs.fields().filter(|(name, _)| *name == "x-failed-recipients") {
        for found in ADDRESS.find_iter(value).take(RECIPIENTS_MAX) {
            recipients.push(recipient(found.as_str(), said));
        }
    }
    recipients
}

fn recipient(address: &str, said: &str) -> BounceRecipient {
    let diagnostic = said_about(address, said);
    BounceRecipient { address: address.to_string(), diagnostic, ..BounceRecipient::default() }
}

/// How surely an address of a report is a recipient; the surest ones of a report are taken.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Sureness {
    Mentioned,
    Named,
    BeginsLine,
}

fn named_in(said: &str, signs: &Signs) -> Vec<BounceRecipient> {
    let mut found: Vec<(Sureness, String)> = Vec::new();
    for line in unquoted(said).lines() {
        if found.len() >= RECIPIENTS_MAX {
            break;
        }
        for address in ADDRESS.find_iter(line).take(RECIPIENTS_MAX) {
            if let Some(sure) = sureness(line, address.start(), address.as_str(), signs) {
                let address = address.as_str().trim_matches(['.', '*', '-']).to_string();
                if !found.iter().any(|(s, a)| *a == address && *s >= sure) {
                    found.retain(|(_, a)| *a != address);
                    found.push((sure, address));
                }
            }
        }
    }
    let best = found.iter().map(|(sure, _)| *sure).max();
    let addresses = found.into_iter().filter(|(sure, _)| Some(*sure) == best);
    addresses.take(RECIPIENTS_MAX).map(|(_, address)| recipient(&address, said)).collect()
}

fn sureness(line: &str, start: usize, address: &str, signs: &Signs) -> Option<Sureness> {
    let before = line.get(..start).unwrap_or_default().to_lowercase();
    let address = address.to_lowercase();
    if before.contains("://") || OF_SENDER.is_match(&before) || line.trim_end().ends_with("wrote:")
    {
        return None;
    }
    let begins = !before.chars().any(char::is_alphanumeric);
    if before.trim_end().ends_with("rcpt to:<") || before.contains("rcpt to:") || begins {
        return Some(Sureness::BeginsLine);
    }
    if ROLE.is_match(&address) || signs.to.contains(&address) || address == signs.from {
        return None;
    }
    Some(if NAMED.is_match(&before) { Sureness::Named } else { Sureness::Mentioned })
}

fn inner_mail<'a>(message: &'a Message<'a>) -> Option<&'a Message<'a>> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Message(inner) => Some(inner),
        _ => None,
    })
}

/// A gateway that wraps another system's report says nothing itself.
fn inner_report(message: &Message<'_>) -> Vec<BounceRecipient> {
    inner_mail(message).and_then(report).map(|bounce| bounce.recipients).unwrap_or_default()
}

/// Without a recipient in the report, those to whom the returned mail was addressed.
fn addressees(message: &Message<'_>, text: &str) -> Vec<BounceRecipient> {
    let mut addresses: Vec<String> = inner_mail(message)
        .and_then(|inner| inner.to())
        .map(|to| to.iter().filter_map(|a| a.address()).map(str::to_string).collect())
        .unwrap_or_default();
    if addresses.is_empty() {
        let to = text.lines().find(|l| l.get(..3).is_some_and(|t| t.eq_ignore_ascii_case("to:")));
        addresses.extend(to.into_iter().flat_map(|line| {
            ADDRESS.find_iter(line).map(|m| m.as_str().to_string()).collect::<Vec<_>>()
        }));
    }
    addresses.truncate(RECIPIENTS_MAX);
    addresses
        .into_iter()
        .map(|address| BounceRecipient { address, ..BounceRecipient::default() })
        .collect()
}

/// What stands after the address, up to the end of the paragraph.
fn said_about(address: &str, said: &str) -> Option<String> {
    let lower = said.to_ascii_lowercase();
    let at = lower.find(&address.to_ascii_lowercase())? + address.len();
    let rest = said.get(at..)?;
    let rest = rest.trim_start_matches(|c: char| ">\"':),;]".contains(c) || c == ' ');
    let rest = rest.replace("\r\n", "\n");
    let end = rest.trim_start().find("\n\n").unwrap_or(rest.trim_start().len());
    let paragraph = words(rest.trim_start().get(..end)?);
    let said: String = paragraph.chars().take(DIAGNOSTIC_MAX).collect();
    (!said.is_empty()).then_some(said)
}

/// The line of a report that carries the other server's answer; without one, that which names the address.
fn answer_line(said: &str, address: &str) -> Option<String> {
    let lines = || said.lines().filter(|line| !line.trim().is_empty());
    lines()
        .find(|line| has_reply_code(line) || status_in(line).is_some())
        .or_else(|| lines().find(|line| TELLING.is_match(line)))
        .or_else(|| {
            lines().find(|line| line.contains(address) && line.trim().len() > address.len() + 4)
        })
        .map(|line| words(line).chars().take(DIAGNOSTIC_MAX).collect())
}

static TELLING: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"unknown|not exist|n.t exist|full\b|quota|exceed|invalid|refused|reject|timed? ?out|expired|not found|no such|disabled",
    )
});

fn fill_in(recipients: &mut [BounceRecipient], said: &str, class: BounceClass) {
    let action = match class {
        BounceClass::Failed => "failed",
        BounceClass::Delayed => "delayed",
        BounceClass::Delivered => "delivered",
    };
    let alone = recipients.len() == 1;
    for recipient in recipients {
        recipient.action.get_or_insert_with(|| action.to_string());
        let own = recipient.diagnostic.as_deref().unwrap_or_default();
        let telling = has_reply_code(own) || status_in(own).is_some() || TELLING.is_match(own);
        if !telling && let Some(answer) = answer_line(said, &recipient.address) {
            let silent = own.is_empty() || has_reply_code(&answer) || TELLING.is_match(&answer);
            recipient.diagnostic = recipient.diagnostic.take().filter(|_| !silent).or(Some(answer));
        }
        if recipient.status.is_none() && class != BounceClass::Delivered {
            let own = recipient.diagnostic.as_deref().and_then(status_in);
            recipient.status = own.or_else(|| status_in(said).filter(|_| alone));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        let all = [
            &SUBJECT,
            &WORDS,
            &DELAYED,
            &GIVEN_UP,
            &ARRIVED,
            &COPY_BEGINS,
            &COPIED_FIELD,
            &ADDRESS,
            &NAMED,
            &OF_SENDER,
            &ROLE,
            &TELLING,
            &TRANSCRIPT,
            &MTA_DIARY,
        ];
        for found in all {
            assert_ne!(found.as_str(), "[^\\s\\S]");
        }
    }
}
