//! What the mailbox should show of a thread, and what a person changed in it.
//!
//! Three looks are compared: what Baton last wrote or saw, what is there now, and what should be there. What moved
//! towards *should be* was Baton, perhaps by a write that was cut short; what moved away from it was a person, and is
//! a gesture. Comparing only two looks would read Baton's own unfinished write as a person's wish.

use std::collections::BTreeSet;

use crate::desk::command::Command;
use crate::desk::label;
use crate::desk::layout::Layout;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Position, State};

/// One thing that a keyword or flag says.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Mark {
    /// Whose it is.
    Owner(AgentId),
    /// It waits for the customer.
    Waiting,
    /// It waits for someone else.
    Blocked,
    /// It is done.
    Resolved,
    /// It needs no answer.
    Ignored,
    /// It is escalated: `\Flagged`.
    Escalated,
}

/// Where a message lies, by meaning.
#[derive(Clone, Debug, Eq, PartialEq, Ord, PartialOrd)]
pub enum Place {
    /// INBOX: where new threads are.
    Inbox,
    /// An agent's folder.
    Owned(AgentId),
    /// Waiting, below an agent's folder or, for nobody's thread, below the root.
    Waiting(Option<AgentId>),
    /// Blocked, likewise.
    Blocked(Option<AgentId>),
    /// Done.
    Resolved,
    /// Needs no answer.
    Ignored,
    /// Put away by a person.
    Archive,
    /// Sent.
    Sent,
    /// Being written.
    Drafts,
    /// Written, and to be sent: drafts that people put there.
    Send,
    /// About to leave.
    Outbox,
    /// Spam.
    Junk,
    /// Deleted.
    Trash,
    /// In no watched folder any more.
    Gone,
    /// In a watched folder that means nothing.
    Elsewhere,
    /// Gmail's All Mail: a folder in which each message's labels say where it is; never the place of a message.
    ByLabels,
}

impl Place {
    /// The form in the database.
    pub fn stored(&self) -> String {
        match self {
            Place::Inbox => "inbox".into(),
            Place::Owned(agent) => format!("owned:{agent}"),
            Place::Waiting(agent) => format!("waiting:{}", stored_agent(agent)),
            Place::Blocked(agent) => format!("blocked:{}", stored_agent(agent)),
            Place::Resolved => "resolved".into(),
            Place::Ignored => "ignored".into(),
            Place::Archive => "archive".into(),
            Place::Sent => "sent".into(),
            Place::Drafts => "drafts".into(),
            Place::Send => "send".into(),
            Place::Outbox => "outbox".into(),
            Place::Junk => "junk".into(),
            Place::Trash => "trash".into(),
            Place::Gone => "gone".into(),
            Place::Elsewhere => "elsewhere".into(),
            Place::ByLabels => "by-labels".into(),
        }
    }

    /// Reads [`Place::stored`]; anything else is elsewhere.
    pub fn from_stored(text: &str) -> Place {
        let (name, agent) = text.split_once(':').unwrap_or((text, ""));
        let agent = (!agent.is_empty()).then(|| AgentId(agent.to_string()));
        match (name, agent) {
            ("inbox", _) => Place::Inbox,
            ("owned", Some(agent)) => Place::Owned(agent),
            ("waiting", agent) => Place::Waiting(agent),
            ("blocked", agent) => Place::Blocked(agent),
            ("resolved", _) => Place::Resolved,
            ("ignored", _) => Place::Ignored,
            ("archive", _) => Place::Archive,
            ("sent", _) => Place::Sent,
            ("drafts", _) => Place::Drafts,
            ("send", _) => Place::Send,
            ("outbox", _) => Place::Outbox,
            ("junk", _) => Place::Junk,
            ("trash", _) => Place::Trash,
            ("gone", _) => Place::Gone,
            ("by-labels", _) => Place::ByLabels,
            _ => Place::Elsewhere,
        }
    }

    /// Where a message in a folder of this place is, by its flags and labels.
    pub fn of_message(&self, flags: &[String]) -> Place {
        match self {
            Place::ByLabels => label::place(flags),
            place => place.clone(),
        }
    }

    /// Whose folder it is.
    pub fn owner(&self) -> Option<&AgentId> {
        match self {
            Place::Owned(agent) | Place::Waiting(Some(agent)) | Place::Blocked(Some(agent)) => {
                Some(agent)
            }
            _ => None,
        }
    }

    /// Whether a message there has been thrown away.
    pub fn is_away(&self) -> bool {
        matches!(self, Place::Junk | Place::Trash | Place::Gone)
    }

    /// Whether a thread that goes there is done with: the moves that clean-ups make.
    pub fn closes(&self) -> bool {
        matches!(self, Place::Resolved | Place::Ignored | Place::Archive) || self.is_away()
    }
}

fn stored_agent(agent: &Option<AgentId>) -> &str {
    agent.as_ref().map_or("", |agent| agent.0.as_str())
}

/// The keywords that a thread's messages should carry. `flags` says whether escalation is shown.
pub fn wanted_marks(now: &Position, flags: bool) -> BTreeSet<Mark> {
    if now.merged_into.is_some() {
        return BTreeSet::new();
    }
    let state = match now.state {
        State::Waiting => Some(Mark::Waiting),
        State::Blocked => Some(Mark::Blocked),
        State::Resolved => Some(Mark::Resolved),
        State::Ignored => Some(Mark::Ignored),
        State::New | State::Assigned | State::InProgress => None,
    };
    let owner = now.owner.clone().map(Mark::Owner);
    let escalated = (flags && now.escalated).then_some(Mark::Escalated);
    owner.into_iter().chain(state).chain(escalated).collect()
}

/// The place where a thread's messages should lie, where places are folders.
pub fn wanted_place(now: &Position) -> Place {
    match now.state {
        State::New => Place::Inbox,
        State::Assigned | State::InProgress => match &now.owner {
            Some(agent) => Place::Owned(agent.clone()),
            None => Place::Inbox,
        },
        State::Waiting => Place::Waiting(now.owner.clone()),
        State::Blocked => Place::Blocked(now.owner.clone()),
        State::Resolved => Place::Resolved,
        State::Ignored => Place::Ignored,
    }
}

/// Whether a message in `place` is to be moved to where the thread should be. What was thrown away stays there, what was
/// sent stays in Sent, and what a person archived or filed is left alone where that fits the state.
pub fn should_move(now: &Position, place: &Place) -> bool {
    let wanted = wanted_place(now);
    match place {
        _ if *place == wanted => false,
        Place::Sent | Place::Drafts | Place::Junk | Place::Trash | Place::Gone => false,
        Place::Archive => !matches!(now.state, State::Resolved | State::New | State::Ignored),
        Place::Elsewhere | Place::ByLabels => false,
        _ => true,
    }
}

/// Whether a message in `place` carries the thread's keywords.
pub fn should_carry(place: &Place) -> bool {
    !matches!(place, Place::Drafts | Place::Junk | Place::Trash | Place::Gone)
}

/// Marks to put on and to take off.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct MarkChange {
    /// To put on.
    pub add: BTreeSet<Mark>,
    /// To take off.
    pub remove: BTreeSet<Mark>,
}

impl MarkChange {
    /// Without what may have been our own writing of `attempted`, of which no answer was heard.
    pub fn unless_ours(mut self, attempted: &BTreeSet<Mark>) -> MarkChange {
        self.add.retain(|mark| !attempted.contains(mark));
        self.remove.retain(|mark| attempted.contains(mark));
        self
    }
}

/// What to write so that the server shows what is `wanted`. An empty answer means there is nothing to write, so running
/// it again after a lost connection is always safe.
pub fn to_write(wanted: &BTreeSet<Mark>, shown: &BTreeSet<Mark>) -> MarkChange {
    MarkChange {
        add: wanted.difference(shown).cloned().collect(),
        remove: shown.difference(wanted).cloned().collect(),
    }
}

/// What a person changed: `last` is what was there at the last look or write, `shown` what is there now.
pub fn by_hand(
    last: &BTreeSet<Mark>,
    wanted: &BTreeSet<Mark>,
    shown: &BTreeSet<Mark>,
) -> MarkChange {
    MarkChange {
        add: shown.difference(last).filter(|&mark| !wanted.contains(mark)).cloned().collect(),
        remove: last.difference(shown).filter(|&mark| wanted.contains(mark)).cloned().collect(),
    }
}

/// What a person's change of keywords asks for, in the order in which it is decided.
pub fn asked_by_marks(now: &Position, change: &MarkChange) -> Vec<Command> {
    let mut commands = Vec::new();
    let owner_taken_off = change.remove.iter().any(|mark| matches!(mark, Mark::Owner(_)));
    let added: Vec<&AgentId> = change
        .add
        .iter()
        .filter_map(|mark| match mark {
            Mark::Owner(agent) => Some(agent),
            _ => None,
        })
        .collect();
    match (owner_taken_off, added.split_first()) {
        // Taking one name off and putting another on is handing over; a second name beside the first is a claim that
        // comes too late.
        (true, Some((first, others))) => {
            commands.push(Command::Assign { agent: (*first).clone() });
            commands.extend(others.iter().map(|agent| claim(agent)));
        }
        (false, _) => commands.extend(added.iter().map(|agent| claim(agent))),
        (true, None) => commands.push(Command::Release),
    }
    commands.extend(change.add.iter().filter_map(state_asked));
    let state_added = change.add.iter().any(|mark| state_asked(mark).is_some());
    if !state_added {
        commands.extend(change.remove.iter().filter_map(|mark| state_ended(now, mark)));
    }
    if change.add.contains(&Mark::Escalated) {
        commands.push(Command::Escalate { reason: "flagged in the mailbox".into() });
    }
    if change.remove.contains(&Mark::Escalated) {
        commands.push(Command::Deescalate);
    }
    commands
}

fn claim(agent: &AgentId) -> Command {
    Command::Claim { agent: agent.clone() }
}

fn state_asked(mark: &Mark) -> Option<Command> {
    match mark {
        Mark::Waiting => Some(Command::Wait),
        Mark::Blocked => {
            Some(Command::Block { reason: "marked in the mailbox".into(), until: None })
        }
        Mark::Resolved => Some(Command::Resolve),
        Mark::Ignored => Some(Command::Ignore { reason: "marked in the mailbox".into() }),
        Mark::Owner(_) | Mark::Escalated => None,
    }
}

fn state_ended(now: &Position, mark: &Mark) -> Option<Command> {
    match mark {
        Mark::Waiting => Some(Command::Start),
        Mark::Blocked => Some(Command::Unblock),
        Mark::Resolved => Some(Command::Reopen),
        Mark::Ignored if now.before.is_some() => Some(Command::Return),
        Mark::Ignored => Some(Command::Reopen),
        Mark::Owner(_) | Mark::Escalated => None,
    }
}

/// What a person's move of a message from one place to another asks for.
pub fn asked_by_move(layout: Layout, now: &Position, from: &Place, to: &Place) -> Vec<Command> {
    match to {
        Place::Inbox => asked_by_inbox(layout, now, from),
        Place::Owned(agent) => {
            let mut commands = asked_by_owner(now, from, agent);
            match now.state {
                State::Waiting | State::InProgress if now.owner.as_ref() == Some(agent) => {
                    commands.push(Command::Start);
                }
                State::Blocked => commands.push(Command::Unblock),
                State::Waiting => commands.push(Command::Start),
                State::Resolved if now.owner.as_ref() == Some(agent) => {
                    commands = vec![Command::Reopen];
                }
                State::Ignored if from.is_away() => commands.insert(0, Command::Return),
                _ => (),
            }
            commands
        }
        Place::Waiting(agent) => with_owner(now, from, agent.as_ref(), Command::Wait),
        Place::Blocked(agent) => {
            let block = Command::Block { reason: "moved in the mailbox".into(), until: None };
            with_owner(now, from, agent.as_ref(), block)
        }
        Place::Resolved => vec![Command::Resolve],
        Place::Ignored => vec![Command::Ignore { reason: "moved in the mailbox".into() }],
        Place::Archive if now.owner.is_some() && now.state.is_open() => vec![Command::Resolve],
        Place::Archive
        | Place::Sent
        | Place::Drafts
        | Place::Send
        | Place::Outbox
        | Place::Junk
        | Place::Trash
        | Place::Gone
        | Place::Elsewhere
        | Place::ByLabels => Vec::new(),
    }
}

fn asked_by_inbox(layout: Layout, now: &Position, from: &Place) -> Vec<Command> {
    if from.is_away() {
        return match now.state {
            State::Ignored => vec![Command::Return],
            _ => Vec::new(),
        };
    }
    match layout {
        // INBOX is the place of what nobody has taken, so moving there is giving up, whatever the state was.
        Layout::Folders => vec![Command::Release],
        Layout::Keywords | Layout::Labels if now.state == State::Resolved => vec![Command::Reopen],
        Layout::Keywords | Layout::Labels => Vec::new(),
    }
}

/// Moving from the owner's folder to another's is handing over; moving from elsewhere is a claim, which may be too late.
fn asked_by_owner(now: &Position, from: &Place, agent: &AgentId) -> Vec<Command> {
    match &now.owner {
        Some(owner) if owner == agent && now.state.is_open() => Vec::new(),
        Some(owner) if from.owner() == Some(owner) => {
            vec![Command::Assign { agent: agent.clone() }]
        }
        _ => vec![claim(agent)],
    }
}

fn with_owner(
    now: &Position,
    from: &Place,
    agent: Option<&AgentId>,
    then: Command,
) -> Vec<Command> {
    let mut commands = agent.map(|agent| asked_by_owner(now, from, agent)).unwrap_or_default();
    commands.push(then);
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(marks: &[Mark]) -> BTreeSet<Mark> {
        marks.iter().cloned().collect()
    }

    fn ana() -> AgentId {
        AgentId("ana".into())
    }

    fn ben() -> AgentId {
        AgentId("ben".into())
    }

    fn owned(state: State) -> Position {
        Position { owner: Some(ana()), state, ..Position::default() }
    }

    #[test]
    fn the_three_looks_in_all_eight_cases() {
        let mark = || set(&[Mark::Waiting]);
        let none = BTreeSet::new;
        #[rustfmt::skip]
        let cases = [
            // last    wanted  shown   a person put on / took off   to write: put on / take off
            (none(), none(), none(), false, false, false, false),
            (none(), none(), mark(), true,  false, false, true),
            (none(), mark(), none(), false, false, true,  false),
            (none(), mark(), mark(), false, false, false, false),
            (mark(), none(), none(), false, false, false, false),
            (mark(), none(), mark(), false, false, false, true),
            (mark(), mark(), none(), false, true,  true,  false),
            (mark(), mark(), mark(), false, false, false, false),
        ];
        for (last, wanted, shown, put_on, taken_off, add, remove) in cases {
            let hand = by_hand(&last, &wanted, &shown);
            let write = to_write(&wanted, &shown);
            let got = (
                !hand.add.is_empty(),
                !hand.remove.is_empty(),
                !write.add.is_empty(),
                !write.remove.is_empty(),
            );
            assert_eq!(got, (put_on, taken_off, add, remove), "{last:?} {wanted:?} {shown:?}");
        }
    }

    #[test]
    fn what_a_change_of_keywords_asks_for() {
        let claim = |agent| Command::Claim { agent };
        #[rustfmt::skip]
        let cases = [
            (vec![Mark::Owner(ben())], vec![], vec![claim(ben())]),
            (vec![Mark::Owner(ben())], vec![Mark::Owner(ana())], vec![Command::Assign { agent: ben() }]),
            (vec![], vec![Mark::Owner(ana())], vec![Command::Release]),
            (vec![Mark::Owner(ana()), Mark::Owner(ben())], vec![], vec![claim(ana()), claim(ben())]),
            (vec![Mark::Waiting], vec![], vec![Command::Wait]),
            (vec![Mark::Resolved], vec![Mark::Waiting], vec![Command::Resolve]),
            (vec![], vec![Mark::Waiting], vec![Command::Start]),
            (vec![], vec![Mark::Blocked], vec![Command::Unblock]),
            (vec![], vec![Mark::Resolved], vec![Command::Reopen]),
            (vec![], vec![Mark::Escalated], vec![Command::Deescalate]),
        ];
        for (add, remove, wanted) in cases {
            let change = MarkChange { add: set(&add), remove: set(&remove) };
            assert_eq!(asked_by_marks(&owned(State::Assigned), &change), wanted, "{change:?}");
        }
    }

    #[test]
    fn what_a_move_asks_for() {
        use Place::{Archive, Inbox, Owned, Resolved, Trash};
        let claim = |agent| Command::Claim { agent };
        let new = Position::default();
        let assigned = owned(State::Assigned);
        #[rustfmt::skip]
        let cases = [
            (&new, Inbox, Owned(ana()), vec![claim(ana())]),
            (&assigned, Owned(ana()), Owned(ben()), vec![Command::Assign { agent: ben() }]),
            (&assigned, Inbox, Owned(ben()), vec![claim(ben())]),
            (&assigned, Owned(ana()), Inbox, vec![Command::Release]),
            (&assigned, Owned(ana()), Place::Waiting(Some(ana())), vec![Command::Wait]),
            (&assigned, Owned(ana()), Resolved, vec![Command::Resolve]),
            (&assigned, Owned(ana()), Archive, vec![Command::Resolve]),
            (&new, Inbox, Archive, vec![]),
            (&assigned, Owned(ana()), Trash, vec![]),
        ];
        for (now, from, to, wanted) in cases {
            let got = asked_by_move(Layout::Folders, now, &from, &to);
            assert_eq!(got, wanted, "{from:?} -> {to:?}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_was_stored() {
        for place in [
            Place::Inbox,
            Place::Owned(ana()),
            Place::Waiting(None),
            Place::Waiting(Some(ben())),
            Place::Blocked(Some(ana())),
            Place::Resolved,
            Place::Gone,
        ] {
            assert_eq!(Place::from_stored(&place.stored()), place);
        }
    }
}
