//! What a provider means by its no to a mail. Pure: the step, the code and the server's words decide.
//!
//! Enhanced codes (RFC 3463) are used where providers agree about them, and words where they do not. What is new to us is
//! [`Refusal::Other`], and its words are shown as they are.

use crate::desk::sending::Refusal;

/// What the words mean, the first that fits, in lower case. What is said of the sender comes before what is said of limits,
/// since Exchange says both in one line.
const WORDS: &[(&str, Refusal)] = &[
    // M91: after too many refusals the whole mailbox is locked, and each try makes it longer.
    ("throttled due to continuous send as denied", Refusal::Blocked),
    ("5.1.8", Refusal::Blocked),
    ("5.7.708", Refusal::Blocked),
    ("account has been disabled", Refusal::Blocked),
    ("account has been suspended", Refusal::Blocked),
    // M90
    ("sendasdenied", Refusal::NoSendAs),
    ("not allowed to send as", Refusal::NoSendAs),
    ("permissions to send as", Refusal::NoSendAs),
    ("5.7.60", Refusal::NoSendAs),
    // Postfix, with reject_sender_login_mismatch.
    ("sender address rejected: not owned by user", Refusal::NoSendAs),
    // M93, G97 and their like.
    ("submissionquotaexceeded", Refusal::Limit),
    ("sending limit", Refusal::Limit),
    ("sending quota", Refusal::Limit),
    ("too many recipients", Refusal::Limit),
    ("quotaexceededexception", Refusal::Limit),
    ("5.4.5", Refusal::Limit),
    ("5.2.2 ", Refusal::Limit),
    ("5.3.4", Refusal::Size),
    ("5.2.3", Refusal::Size),
    ("exceeds fixed maximum message size", Refusal::Size),
    ("exceeded google's message size", Refusal::Size),
    ("message too large", Refusal::Size),
    ("5.7.0 this message was blocked", Refusal::Content),
    ("content presents a potential security issue", Refusal::Content),
    ("spam", Refusal::Content),
    ("virus", Refusal::Content),
    ("5.6.0", Refusal::Content),
    ("content rejected", Refusal::Content),
];

/// What is meant by a no to a step of a mail.
pub fn refusal(step: &str, code: u16, text: &str) -> Refusal {
    let said = format!("{} ", text.to_lowercase());
    match WORDS.iter().find(|(words, _)| said.contains(words)) {
        Some((_, refusal)) => *refusal,
        None if code == 552 => Refusal::Size,
        None if step == "RCPT TO" => Refusal::Recipient,
        None => Refusal::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_no_is_known_by_its_words() {
        let cases = [
            (
                "the mail",
                554,
                "5.2.252 SendAsDenied; ana@contoso.com not allowed to send as shared@contoso.com; STOREDRV.Submission.Exception:SendAsDeniedException",
                Refusal::NoSendAs,
            ),
            (
                "the mail",
                550,
                "5.2.252 Sender throttled due to continuous send as denied errors.",
                Refusal::Blocked,
            ),
            (
                "the mail",
                550,
                "5.7.60 SMTP; Client does not have permissions to send as this sender",
                Refusal::NoSendAs,
            ),
            (
                "MAIL FROM",
                553,
                "5.7.1 <support@example.org>: Sender address rejected: not owned by user ana",
                Refusal::NoSendAs,
            ),
            (
                "the mail",
                554,
                "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
                Refusal::Limit,
            ),
            ("the mail", 554, "5.2.2 mailbox full; STOREDRV", Refusal::Limit),
            ("the mail", 550, "5.4.5 Daily user sending limit exceeded.", Refusal::Limit),
            ("MAIL FROM", 552, "5.3.4 Message size exceeds fixed limit", Refusal::Size),
            ("the mail", 552, "too big", Refusal::Size),
            ("RCPT TO", 550, "5.1.1 <x@y>: Recipient address rejected", Refusal::Recipient),
            (
                "the mail",
                552,
                "5.7.0 This message was blocked because its content presents a potential security issue.",
                Refusal::Content,
            ),
            ("the mail", 550, "5.1.8 Access denied, bad outbound sender", Refusal::Blocked),
            ("the mail", 554, "5.0.0 no", Refusal::Other),
        ];
        for (step, code, text, expected) in cases {
            assert_eq!(refusal(step, code, text), expected, "{text}");
        }
    }
}
