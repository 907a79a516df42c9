//! The choices of the admin that the rules of the desk depend on, as one value.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::answer::Enforce;
use crate::desk::automatic::Caps;
use crate::desk::card::Cards;
use crate::desk::clocks::Deadlines;
use crate::desk::layout::MarkNames;
use crate::desk::roster::{Agent, AgentId};
use crate::desk::sending::{OnUnknown, Rules};
use crate::desk::thread::ThreadId;
use crate::mail::proof::Key;

/// What the desk must know of one mailbox's configuration to decide anything.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The mailbox's name.
    pub mailbox: String,
    /// The shared address and its aliases, lower case.
    pub own_addresses: Vec<String>,
    /// Everyone of the team, whether or not they work in this mailbox.
    pub agents: Vec<Agent>,
    /// The cut-over, compared with INTERNALDATE: older mail opens nothing.
    pub since: Timestamp,
    /// For how long after it was resolved a customer's mail reopens a thread.
    pub reopen_within: Duration,
    /// How far back a mail without references may join by subject and participants.
    pub join_within: Duration,
    /// More moves than this within a minute are automation, not gestures.
    pub burst_moves_per_minute: u32,
    /// For how long after a person moved a mail Baton leaves that mail where it is.
    pub leave_moved: Duration,
    /// Whether `\Flagged` means escalation, and is shown for it; `None` lets the layout decide.
    pub flag_escalates: Option<bool>,
    /// Whether the database may hold an excerpt of the new text.
    pub keep_text: KeepText,
    /// What the marks are called.
    pub names: MarkNames,
    /// How the team's answers leave.
    pub sending: Sending,
    /// By which Baton knows its own mail; the daemon has it from beside the database.
    pub key: Key,
    /// Until when what is owed; nothing is where there are none.
    pub deadlines: Option<Deadlines>,
}

/// The admin's choices about mail that leaves under the shared address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Sending {
    /// Whether mail can leave at all: a server for it is configured.
    pub can: bool,
    /// The name that customers see; `{agent.name}` and `{agent.mark}` stand for the writer's.
    pub name: String,
    /// How long it can be stopped.
    pub hold: Duration,
    /// What is done about an answer that somebody should not send.
    pub enforce: Enforce,
    /// To whom mail may be sent, beside those who take part in the thread.
    pub recipients: Recipients,
    /// What is done about a mail of which nobody knows whether it left.
    pub rules: Rules,
    /// How long the provider may take to put a copy into Sent; Baton adds one when that is over.
    pub copy_wait: Duration,
    /// What a customer is told when the first mail of a thread has come; nothing where there is none.
    pub acknowledgement: Option<Acknowledgement>,
    /// How much a machine may write to one address.
    pub caps: Caps,
    /// Whether agents get cards, and by what their answers are known.
    pub cards: Cards,
    /// The shared addresses of all mailboxes, which are never answered by a machine.
    pub shared: Vec<String>,
}

/// What a customer is told when the first mail of a thread has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Acknowledgement {
    /// The name beside the shared address; may be empty.
    pub name: String,
    /// The text; `{number}` and `{subject}` stand for the thread's.
    pub text: String,
    /// The same in other languages, by the code that mail programs give: `de`.
    pub languages: BTreeMap<String, String>,
}

impl Default for Acknowledgement {
    fn default() -> Acknowledgement {
        let text = "Thank you for writing to us. We have your mail and will answer it as soon as we can.\n\n\
                    This is an automatic answer.";
        Acknowledgement { name: String::new(), text: text.into(), languages: BTreeMap::new() }
    }
}

impl Acknowledgement {
    /// The text in the language that the customer's mail names, as in `de-DE`, if there is one.
    pub fn text_for(&self, language: Option<&str>, thread: ThreadId, subject: &str) -> String {
        let code = language.and_then(|language| language.split(['-', '_']).next());
        let code = code.unwrap_or_default().to_lowercase();
        let text = self.languages.get(&code).unwrap_or(&self.text);
        text.replace("{number}", &thread.to_string()).replace("{subject}", subject)
    }
}

/// To whom mail may be sent, beside those who take part in the thread and the team itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Recipients {
    /// Anybody.
    Any,
    /// Whoever has an address at one of these domains, lower case; nobody else where there is none.
    At(Vec<String>),
}

impl Default for Sending {
    fn default() -> Sending {
        Sending {
            can: false,
            name: "{agent.name}".into(),
            hold: Duration::from_secs(60),
            enforce: Enforce::Hold,
            recipients: Recipients::Any,
            rules: Rules { confirm: Duration::from_secs(120), on_unknown: OnUnknown::Hold },
            copy_wait: Duration::from_secs(30),
            acknowledgement: None,
            caps: Caps::default(),
            shared: Vec::new(),
            cards: Cards::default(),
        }
    }
}

impl Sending {
    /// The name under which customers see this agent's answers.
    pub fn name_of(&self, agent: &Agent) -> String {
        self.name.replace("{agent.name}", &agent.name).replace("{agent.mark}", &agent.mark)
    }
}

/// How much of a message's text the database holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeepText {
    /// The beginning of the new text.
    Excerpt,
    /// Nothing.
    None,
}

impl Policy {
    /// The agent with this id.
    pub fn agent(&self, id: &AgentId) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.id == *id)
    }

    /// The agent with this address, whatever its case.
    pub fn agent_at(&self, address: &str) -> Option<&Agent> {
        self.agents.iter().find(|agent| agent.address.eq_ignore_ascii_case(address))
    }

    /// Whether mail may be sent to the address, whoever takes part in the thread.
    pub fn may_write_to(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase());
        match (&self.sending.recipients, domain) {
            (Recipients::Any, _) => true,
            (Recipients::At(domains), Some(domain)) if domains.contains(&domain) => true,
            _ => self.agent_at(address).is_some(),
        }
    }

    /// Whether the address is the mailbox's own, an alias of it, or one that a card was given.
    pub fn is_own(&self, address: &str) -> bool {
        self.own_addresses.iter().any(|own| own.eq_ignore_ascii_case(address))
            || self.sending.cards.gave(address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_is_told_in_the_language_that_the_mail_names() {
        let german = ("de".to_owned(), "Danke ({number}): {subject}".to_owned());
        let told = Acknowledgement { languages: [german].into(), ..Acknowledgement::default() };
        let text = |language| told.text_for(language, ThreadId(4), "Kocher");
        assert_eq!(text(Some("de-AT")), "Danke (#4): Kocher");
        assert_eq!(text(Some("DE")), "Danke (#4): Kocher");
        for other in [None, Some("fr"), Some("")] {
            assert!(text(other).starts_with("Thank you"), "{other:?}");
        }
    }
}
