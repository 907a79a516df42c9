//! Cards: the one mail that an agent gets when a thread becomes theirs, and when its customer writes again. Answering it
//! answers the customer.
//!
//! Pure. [`occasion`] says whether an event is worth a card; a [`Token`] is what the card is known by when it is answered. The
//! sentences are in `wording/card.rs`.

use crate::clock::Timestamp;
use crate::desk::event::{Actor, CauseKind, Event, What};
use crate::desk::proof::Authority;
use crate::desk::roster::AgentId;
use crate::desk::thread::{State, Thread, ThreadId};
use crate::mail::message::{Address, Message};
use crate::mail::proof::Key;

/// The admin's choices about cards.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cards {
    /// Whether there are any.
    pub on: bool,
    /// Where answers go, with `{token}` for what a card is known by, lower case; `None` where the server delivers no such
    /// address: then the ids of the answer have to do.
    pub address: Option<String>,
    /// Whose word is taken for who sent a mail; `None` where nobody's is known.
    pub authority: Option<Authority>,
}

impl Cards {
    /// Whether the address is one to which answers to a card go.
    pub fn gave(&self, address: &str) -> bool {
        let Some((before, after)) = self.address.as_ref().and_then(|all| all.split_once("{token}"))
        else {
            return false;
        };
        let address = address.to_lowercase();
        let between = address.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        between.and_then(Token::find).is_some_and(|token| between == Some(&token.written()))
    }

    /// The address to which answers to the card of this token go; `None` where they go to the shared one.
    pub fn address_of(&self, token: &Token) -> Option<String> {
        Some(self.address.as_ref()?.replace("{token}", &token.written()))
    }
}

/// For what tokens are signed.
const PURPOSE: &str = "card";
/// How many addresses, and how many ids of a mail are searched.
const MENTIONS_MAX: usize = 100;
/// How many hex digits a token's signature has.
const SIGNATURE: usize = 24;

/// Why an agent gets a card.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Occasion {
    /// The thread is theirs from now on.
    Given {
        /// By whom: themselves, a colleague, a rule.
        by: Actor,
    },
    /// The customer has written again.
    WroteAgain,
}

/// Who gets a card because of this event, which `thread` holds already, and why.
pub fn occasion(thread: &Thread, event: &Event) -> Option<(AgentId, Occasion)> {
    let owner = thread.now.owner.clone()?;
    if !thread.now.state.is_open() || thread.now.merged_into.is_some() {
        return None;
    }
    let wrote_again = match &event.what {
        What::Claimed { agent } | What::Assigned { agent } => {
            let is_given = event.change.owner.as_ref() == Some(&Some(agent.clone()));
            // Who takes a thread by answering it has read it.
            let answers = event.actor == Actor::Agent(agent.clone()) && by_mail(event);
            let occasion = Occasion::Given { by: event.actor.clone() };
            return (is_given && !answers && *agent == owner).then_some((owner, occasion));
        }
        What::CustomerWrote { remark, .. } => remark.is_empty(),
        What::Reopened => by_mail(event),
        _ => false,
    };
    wrote_again.then_some((owner, Occasion::WroteAgain))
}

fn by_mail(event: &Event) -> bool {
    event.cause.by == CauseKind::Mail
}

/// What a card is known by: the event that it is about, signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Token {
    /// The event's number.
    pub event: i64,
    signature: String,
}

impl Token {
    /// The token of a card that this agent gets for an event, about the mail of this Message-ID.
    /// `None` without a key.
    pub fn new(key: &Key, event: i64, agent: &AgentId, about: &str) -> Option<Token> {
        let signature = key.sign(PURPOSE, &[&event.to_string(), &agent.0, about])?;
        Some(Token { event, signature })
    }

    /// Whether it is the one of such a card.
    pub fn verifies(&self, key: &Key, agent: &AgentId, about: &str) -> bool {
        key.verifies(PURPOSE, &[&self.event.to_string(), &agent.0, about], &self.signature)
    }

    /// The first in an address or an id, whatever stands around it.
    pub fn find(text: &str) -> Option<Token> {
        let words: Vec<&str> = text.split(|letter: char| !letter.is_ascii_alphanumeric()).collect();
        words.windows(2).find_map(|pair| match pair {
            [event, signature] => {
                let is_signature = signature.len() == SIGNATURE
                    && signature.bytes().all(|byte| byte.is_ascii_hexdigit());
                let event = event.parse().ok().filter(|_| is_signature)?;
                Some(Token { event, signature: signature.to_ascii_lowercase() })
            }
            _ => None,
        })
    }

    /// As it is written: in an address, after the `+`.
    pub fn written(&self) -> String {
        format!("{}.{}", self.event, self.signature)
    }

    /// The card's Message-ID, without angle brackets.
    pub fn message_id(&self, key: &Key, domain: &str) -> String {
        key.id(&format!("card.{}", self.written()), domain)
    }

    /// A further id that answers to the card refer to: some providers put a Message-ID of their own in the place of ours
    /// (M100), and leave this one.
    pub fn reference(&self, domain: &str) -> String {
        format!("card-of.{}.baton@{domain}", self.written())
    }
}

/// The cards that a mail says it answers: in its recipients, its ids, or those of the mail that it reports on.
pub fn mentioned(message: &Message) -> Vec<Token> {
    let addresses = message.to.iter().chain(&message.cc).map(|one| &one.address);
    let reported = message.bounce.iter().flat_map(|bounce| &bounce.original_message_id);
    let ids = message.in_reply_to.iter().chain(message.references.iter().rev()).chain(reported);
    let mut found: Vec<Token> = Vec::new();
    for text in addresses.take(MENTIONS_MAX).chain(ids.take(MENTIONS_MAX)) {
        found.extend(Token::find(text).filter(|token| !found.contains(token)));
    }
    found
}

/// A mail of the customer's, as a card shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// Who wrote it.
    pub from: Address,
    /// When it came.
    pub at: Timestamp,
    /// Who got it beside the team.
    pub others: Vec<String>,
    /// What was new in it; empty where nothing of it is kept.
    pub text: String,
    /// Whether there is more of it in the mailbox.
    pub cut: bool,
    /// What hangs on it: name and bytes.
    pub attachments: Vec<(String, u64)>,
}

/// What a card says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Card {
    /// The thread.
    pub thread: ThreadId,
    /// Its subject.
    pub subject: String,
    /// Where it stands.
    pub state: State,
    /// Why it is sent.
    pub occasion: Occasion,
    /// Whom an answer goes to.
    pub customer: Address,
    /// Under which address and name it leaves.
    pub shared: Address,
    /// The customer's mails that nobody has answered yet, oldest first; the last one is answered by answering the card.
    pub mails: Vec<Shown>,
    /// How many of those are left out.
    pub left_out: usize,
    /// Whether the thread is escalated.
    pub escalated: bool,
    /// How often it was reopened.
    pub reopens: u32,
    /// The thread that this one began from.
    pub linked_to: Option<ThreadId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::event::Cause;
    use crate::desk::sample::thread;
    use crate::desk::thread::{Change, MessageKey};

    fn id(name: &str) -> AgentId {
        AgentId(name.into())
    }

    fn event(actor: Actor, by: CauseKind, what: What, owner: Option<&str>) -> Event {
        let change = Change { owner: owner.map(|name| Some(id(name))), ..Change::default() };
        Event {
            seq: 7,
            at: Timestamp(0),
            thread: ThreadId(1),
            other: None,
            actor,
            cause: Cause::new(by, ""),
            what,
            change,
            other_change: Change::default(),
        }
    }

    fn wrote(remark: &str) -> What {
        let (joined_by, remark) = (String::new(), remark.into());
        What::CustomerWrote { message: MessageKey(1), joined_by, remark }
    }

    #[test]
    fn who_gets_a_card() {
        use CauseKind::{Command, Gesture, Mail, Rule};
        let claimed = || What::Claimed { agent: id("ana") };
        let assigned = || What::Assigned { agent: id("ana") };
        let (ana, ben) = (|| Actor::Agent(id("ana")), || Actor::Agent(id("ben")));
        let given = |by| Some((id("ana"), Occasion::Given { by }));
        let again = || Some((id("ana"), Occasion::WroteAgain));
        let cases = [
            ("assigned ana", event(ana(), Gesture, claimed(), Some("ana")), given(ana())),
            ("assigned ana", event(ben(), Command, assigned(), Some("ana")), given(ben())),
            (
                "waiting ana",
                event(Actor::Rule("r".into()), Rule, assigned(), Some("ana")),
                given(Actor::Rule("r".into())),
            ),
            // Ben says so in the first line of a mail; Ana answers.
            ("assigned ana", event(ben(), Mail, assigned(), Some("ana")), given(ben())),
            ("assigned ana", event(ana(), Mail, claimed(), Some("ana")), None),
            ("assigned ana", event(ana(), Gesture, claimed(), None), None),
            ("resolved ana", event(ben(), Command, assigned(), Some("ana")), None),
            ("in-progress ana", event(Actor::Customer, Mail, wrote(""), None), again()),
            ("new -", event(Actor::Customer, Mail, wrote(""), None), None),
            (
                "waiting ana",
                event(Actor::Customer, Mail, wrote("older than our last reply"), None),
                None,
            ),
            // It is reopened by an event of its own, or by none.
            ("resolved ana", event(Actor::Customer, Mail, wrote(""), None), None),
            ("in-progress ana", event(Actor::Customer, Mail, What::Reopened, None), again()),
            ("in-progress ana", event(ana(), Gesture, What::Reopened, None), None),
            ("in-progress ana", event(ana(), Gesture, What::Started, None), None),
        ];
        for (after, event, expected) in cases {
            assert_eq!(occasion(&thread(after), &event), expected, "{after} {:?}", event.what);
        }
    }

    #[test]
    fn a_token_is_found_again_and_belongs_to_one_agent_and_one_mail() {
        let key = Key::new(b"a key");
        let token = Token::new(&key, 12, &id("ana"), "a@shop.test").unwrap();
        let written = token.written();
        let address = format!("support+{written}@example.com");
        for text in [
            token.message_id(&key, "example.com"),
            token.reference("example.com"),
            address.to_uppercase(),
            format!("support-card-{}@example.com", written.replace('.', "-")),
        ] {
            assert_eq!(Token::find(&text).as_ref(), Some(&token), "{text}");
        }
        assert!(token.verifies(&key, &id("ana"), "a@shop.test"));
        assert!(!token.verifies(&key, &id("ben"), "a@shop.test"));
        assert!(!token.verifies(&key, &id("ana"), "b@shop.test"));
        let other = Token { event: 13, ..token.clone() };
        assert!(!other.verifies(&key, &id("ana"), "a@shop.test"));
        let address = |template: &str| Cards { address: Some(template.into()), ..Cards::default() };
        let cards = address("support+{token}@example.com");
        assert!(cards.gave(&cards.address_of(&token).unwrap().to_uppercase()));
        assert!(!cards.gave("support+x@example.com") && !Cards::default().gave("support@x"));
        for text in ["support@example.com", "thread-12.baton@example.com", "card.12.abc@x", ""] {
            assert_eq!(Token::find(text), None, "{text}");
        }
    }
}
