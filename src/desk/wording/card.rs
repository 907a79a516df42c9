//! What a card says, and what an agent is told when the answer to one does not leave.

use super::{called, clock_time};
use crate::desk::card::{Card, Occasion, Shown};
use crate::desk::event::Actor;
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{State, ThreadId};
use crate::mail::message::Address;

/// The first line of every card. What stands below it never leaves, however a mail program quotes it.
pub const MARK: &str = "--- Write your answer above this line ---";
/// The longest file name that is shown, letters.
const NAME_SHOWN: usize = 60;

/// A card's text.
pub fn text(card: &Card, agent: &AgentId, policy: &Policy) -> String {
    let customer = spelled(&card.customer);
    let shared = spelled(&card.shared);
    let subject = if card.subject.is_empty() { "(no subject)" } else { &card.subject };
    let mut text = format!(
        "{MARK}\n\n{}\n{subject}\n\nReply to this mail, and your answer goes to {customer}, from {shared}.\n",
        headline(card, agent, policy)
    );
    if card.left_out > 0 {
        let mails = if card.left_out == 1 { "mail is" } else { "mails are" };
        text += &format!("\n({} earlier {mails} in the shared mailbox.)\n", card.left_out);
    }
    for mail in &card.mails {
        text += &shown(mail);
    }
    text + &facts(card) + HOW
}

/// How to answer a card.
const HOW: &str = "
The customer gets what you write, your signature, and your attachments, as plain text; nothing of this card.
A first line such as #resolve, #assign ben, #snooze mon 9:00 or #claim is for Baton, alone or above an answer.
";

/// Whether the text holds a card's own words.
pub fn is_of_a_card(text: &str) -> bool {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = squeezed(text);
    HOW.lines().filter(|line| !line.is_empty()).any(|line| text.contains(&squeezed(line)))
        || text.contains(MARK)
}

fn headline(card: &Card, agent: &AgentId, policy: &Policy) -> String {
    let thread = card.thread;
    let who =
        if card.customer.name.is_empty() { &card.customer.address } else { &card.customer.name };
    match &card.occasion {
        Occasion::WroteAgain => format!("{who} has written again in {thread}, which is yours."),
        Occasion::Given { by: Actor::Agent(by) } if by == agent => {
            format!("You have taken {thread}.")
        }
        Occasion::Given { by: Actor::Agent(by) } => {
            format!("{} has given you {thread}.", called(by, policy))
        }
        Occasion::Given { by: Actor::Rule(rule) } => {
            format!("{thread} is yours, by the rule \"{rule}\".")
        }
        Occasion::Given { .. } => format!("{thread} is yours from now on."),
    }
}

fn shown(mail: &Shown) -> String {
    let mut text = format!("\n{} wrote at {}:\n\n", spelled(&mail.from), clock_time(mail.at));
    for line in mail.text.lines() {
        text += &format!("    {line}").trim_end().replace('\t', "    ");
        text.push('\n');
    }
    match (mail.text.is_empty(), mail.cut) {
        (true, _) => text += "    (Read it in the shared mailbox; no text of it is kept here.)\n",
        (false, true) => text += "    [...] The rest is in the shared mailbox.\n",
        (false, false) => {}
    }
    if !mail.attachments.is_empty() {
        let all: Vec<String> = mail.attachments.iter().map(attachment).collect();
        text += &format!("\n    Attached, in the shared mailbox: {}\n", all.join(", "));
    }
    if !mail.others.is_empty() {
        text += &format!("\n    Also to: {}\n", mail.others.join(", "));
    }
    text
}

fn attachment((name, bytes): &(String, u64)) -> String {
    let name: String = name.chars().take(NAME_SHOWN).collect();
    let name = if name.is_empty() { "(no name)" } else { &name };
    format!("{name} ({})", size(*bytes))
}

/// As people say it: in steps of a thousand.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} KB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

fn facts(card: &Card) -> String {
    let mut text = format!("\n{}", state(card.state));
    if card.escalated {
        text += " It is escalated: the inbox owner looks at it as well.";
    }
    match card.reopens {
        0 => {}
        1 => text += " It has been reopened once.",
        times => text += &format!(" It has been reopened {times} times."),
    }
    if let Some(earlier) = card.linked_to {
        text += &format!(" It goes on where {earlier} ended.");
    }
    text + "\n"
}

fn state(state: State) -> &'static str {
    match state {
        State::New | State::Assigned => "Nobody has begun to work on it.",
        State::InProgress => "It is in progress.",
        State::Waiting => "It waits for the customer.",
        State::Blocked => "It is blocked.",
        State::Resolved => "It is resolved.",
        State::Ignored => "It needs no answer.",
    }
}

fn spelled(address: &Address) -> String {
    match address.name.is_empty() {
        true => address.address.clone(),
        false => format!("{} <{}>", address.name, address.address),
    }
}

/// The name beside the shared address from which a card comes.
pub fn sender_name(customer: &Address, mailbox: &str) -> String {
    let who = if customer.name.is_empty() { &customer.address } else { &customer.name };
    format!("{who} via {mailbox}")
}

/// Why an answer to a card is refused: somebody else wrote it.
pub fn not_from(address: &str) -> String {
    format!("The card went to {address}, and the answer is not from that address alone.")
}

/// Somebody else sent it for the agent.
pub fn sent_by_another(address: &str) -> String {
    format!("Somebody else sent it on behalf of {address}.")
}

/// The server said nothing about it.
pub fn nothing_found_out(server: &str) -> String {
    format!("{server} has not written down whether it is genuine.")
}

/// The server said no, or not enough.
pub fn not_vouched_for(address: &str, server: &str) -> String {
    format!(
        "{server} does not vouch for its sender: neither DMARC nor a signature nor SPF shows that it is from {address}."
    )
}

/// Nobody can say whether it is genuine.
pub fn nobody_to_believe() -> String {
    "Baton cannot tell whether the writer of this answer is genuine: `card_authserv_id` is not set."
        .into()
}

/// It is a card that nobody knows.
pub fn unknown_card() -> String {
    "It answers a card that Baton does not know, or that was sent to somebody else.".into()
}

/// There is nothing to send.
pub fn says_nothing() -> String {
    "There is nothing in it but the card. Write your answer above the card's text.".into()
}

/// Its parts cannot be told apart.
pub fn holds_the_card() -> String {
    "Some of the card's own text would leave with it. Write your answer above the card's text, and nothing between.".into()
}

/// It is encrypted, so that nobody can tell the answer from the card.
pub fn is_encrypted() -> String {
    "It is encrypted, and Baton cannot read it.".into()
}

/// There is nobody to whom it could go.
pub fn goes_to_nobody(thread: ThreadId) -> String {
    format!("The customer of {thread} has no address that it could go to.")
}

/// The writer went around Baton: the customer has it already.
pub fn has_gone_already() -> String {
    "You sent it to the customer yourself, from your own address. Baton has not sent it again."
        .into()
}

/// The writer of an answer to a card is told that it did not leave.
pub fn not_sent(why: &str) -> String {
    format!(
        "Your answer to the card was not sent. It lies in the thread, where only the team sees it.\n\n{why}\n\n\
         The customer can still be answered through the shared mailbox, or by answering the card anew.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::sample::policy;

    fn address(name: &str, address: &str) -> Address {
        Address { name: name.into(), address: address.into() }
    }

    #[test]
    fn a_card_says_what_came_and_how_to_answer() {
        let carla = address("Carla Doe", "carla@shop.test");
        let card = Card {
            thread: ThreadId(12),
            subject: "Broken kettle".into(),
            state: State::Assigned,
            occasion: Occasion::Given { by: Actor::Agent(AgentId("ben".into())) },
            customer: carla.clone(),
            shared: address("Ana at Example", "support@example.test"),
            mails: vec![Shown {
                from: carla,
                at: Timestamp(9 * 3600),
                others: vec!["boss@shop.test".into()],
                text: "Hello,\n\n\tthe kettle is broken.".into(),
                cut: true,
                attachments: vec![("kettle.jpg".into(), 1_234_567), (String::new(), 999)],
            }],
            left_out: 2,
            escalated: true,
            reopens: 2,
            linked_to: Some(ThreadId(4)),
        };
        let expected = "--- Write your answer above this line ---

Ben has given you #12.
Broken kettle

Reply to this mail, and your answer goes to Carla Doe <carla@shop.test>, from Ana at Example <support@example.test>.

(2 earlier mails are in the shared mailbox.)

Carla Doe <carla@shop.test> wrote at 09:00 on 1 January (UTC):

    Hello,

        the kettle is broken.
    [...] The rest is in the shared mailbox.

    Attached, in the shared mailbox: kettle.jpg (1.2 MB), (no name) (999 bytes)

    Also to: boss@shop.test

Nobody has begun to work on it. It is escalated: the inbox owner looks at it as well. It has been reopened 2 times. It goes on where #4 ended.

The customer gets what you write, your signature, and your attachments, as plain text; nothing of this card.
A first line such as #resolve, #assign ben, #snooze mon 9:00 or #claim is for Baton, alone or above an answer.
";
        let text = text(&card, &AgentId("ana".into()), &policy());
        assert_eq!(text, expected);
        assert!(is_of_a_card(&text) && !is_of_a_card("Yes.\n"));
    }
}
