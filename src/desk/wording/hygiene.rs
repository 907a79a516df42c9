//! Sentences about mail that is to stay inside, mail that came back, and mail of machines.

use crate::mail::message::BounceRecipient;

/// How many recipients are named in a sentence.
const RECIPIENTS_SHOWN: usize = 5;
/// How much of a text is repeated in a sentence, letters.
const SHOWN: usize = 80;

/// An answer holds what was written for the team. `run` is the place, where it may be repeated.
pub fn leaks(run: Option<&str>) -> String {
    let place = match run {
        Some(run) => format!(": \u{201c}{}\u{201d}", shown(run)),
        None => String::new(),
    };
    format!(
        "It holds words that were written for the team only{place}. Send it again without them, or release it if the customer may read them."
    )
}

/// The subject of an acknowledgement (RFC 3834, section 3.1.5): known for what it is even where headers get lost.
pub fn acknowledgement_subject(subject: &str) -> String {
    format!("Auto: {}", shown(subject))
}

/// A mail of ours did not reach these.
pub fn came_back_from(failed: &[&BounceRecipient], is_answer: bool) -> String {
    let what = if is_answer { "The answer" } else { "An automatic mail" };
    let each: Vec<String> = failed.iter().take(RECIPIENTS_SHOWN).map(|one| cause_of(one)).collect();
    match each.as_slice() {
        [] => format!("{what} did not arrive; the report does not say why."),
        some => format!("{what} did not reach {}.", some.join("; ")),
    }
}

/// Who was not reached and why, in plain words (RFC 3463).
pub fn cause_of(recipient: &BounceRecipient) -> String {
    let status = recipient.status.as_deref().unwrap_or_default();
    let why = match status.split_once('.').map_or("", |(_, detail)| detail) {
        "1.1" | "1.6" | "1.10" | "2.1" => "there is no such address any more",
        "1.2" | "4.4" | "1.18" => "there is no such domain, or it takes no mail",
        "1.3" => "the address is not written as addresses are",
        "1.7" | "1.8" => "our own address was not accepted",
        "2.0" => "the mailbox cannot be used",
        "2.2" => "the mailbox is full",
        "2.3" | "3.4" => "the mail is too large for the other side",
        "4.1" | "4.2" | "4.7" => "the other side could not be reached in all this time",
        "4.6" => "the other side sends it in a circle",
        "3.1" | "3.2" => "the other side has no room, or takes no mail just now",
        "6.0" | "6.1" | "6.3" => "the other side does not take this sort of content",
        detail if detail.starts_with("7.") => {
            "the other side does not want it, as spam or by a rule"
        }
        detail if detail.starts_with("4.") => "the other side could not be reached",
        _ => "the other side did not take it",
    };
    let who = if recipient.address.is_empty() { "somebody" } else { &recipient.address };
    let said = recipient.diagnostic.as_deref().map(shown).filter(|said| !said.is_empty());
    match (status, said) {
        ("", None) => format!("{who}: {why}"),
        ("", Some(said)) => format!("{who}: {why} (\u{201c}{said}\u{201d})"),
        (status, _) => format!("{who}: {why} ({status})"),
    }
}

/// The owner is told that an answer did not arrive.
pub fn notice_came_back(why: &str) -> String {
    format!(
        "{why}\n\nThe customer has not read it, so the thread is yours again. Look for another way to reach them: \
         another address in earlier mail, the telephone.\n"
    )
}

/// One of the team is told that machines write nothing any more to an address.
pub fn notice_fell_silent(why: &str) -> String {
    format!(
        "{why}\n\nThe mail is in the thread as always. What people write leaves as always; only acknowledgements and their like \
         do not go to that address for a day.\n"
    )
}

/// Mail of ours came back from somebody.
pub fn came_back(from: &str) -> String {
    format!(
        "Our own mail came back from {from}, as if it were theirs; nothing automatic goes there for a day."
    )
}

/// Another Baton answers.
pub fn another_baton(from: &str) -> String {
    format!("Another Baton writes by itself from {from}; nothing automatic goes there for a day.")
}

/// The same words come again and again.
pub fn says_the_same(from: &str) -> String {
    format!(
        "{from} has sent the same words several times within a day, as machines do; nothing automatic goes there for a day."
    )
}

/// A text in one line, not too long.
fn shown(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_mail_came_back_is_said_in_plain_words() {
        let recipient = |status: &str, diagnostic: &str| BounceRecipient {
            address: "carla@customer.test".into(),
            action: Some("failed".into()),
            status: (!status.is_empty()).then(|| status.to_owned()),
            diagnostic: (!diagnostic.is_empty()).then(|| diagnostic.to_owned()),
        };
        for (status, said, words) in [
            (
                "5.1.1",
                "550 no such user",
                "carla@customer.test: there is no such address any more (5.1.1)",
            ),
            ("5.2.2", "", "carla@customer.test: the mailbox is full (5.2.2)"),
            (
                "4.4.7",
                "",
                "carla@customer.test: the other side could not be reached in all this time (4.4.7)",
            ),
            (
                "5.7.1",
                "",
                "carla@customer.test: the other side does not want it, as spam or by a rule (5.7.1)",
            ),
            (
                "",
                "no\n mailbox here",
                "carla@customer.test: the other side did not take it (\u{201c}no mailbox here\u{201d})",
            ),
            ("5.0.0", "", "carla@customer.test: the other side did not take it (5.0.0)"),
        ] {
            assert_eq!(cause_of(&recipient(status, said)), words);
        }
        let told = came_back_from(&[&recipient("5.1.1", "")], true);
        assert!(told.starts_with("The answer did not reach carla@"), "{told}");
        assert!(came_back_from(&[], false).starts_with("An automatic mail did not arrive;"));
    }
}
