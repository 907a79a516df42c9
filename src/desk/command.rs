//! What may be asked of a thread, and the only place with opinions about it.
//!
//! A command line, a gesture in the mailbox and later a mail all become a [`Command`]; [`decide`] answers what happened,
//! or a refusal in words. It is a function of the thread as it stands, so whoever is decided first has won.

use crate::clock::Timestamp;
use crate::desk::event::{Actor, Cause, NewEvent, What};
use crate::desk::policy::Policy;
use crate::desk::roster::AgentId;
use crate::desk::thread::{Block, Change, Position, State, Thread};
use crate::desk::wording;

/// What somebody wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Command {
    /// To have it, unless another was first.
    Claim {
        /// For whom.
        agent: AgentId,
    },
    /// To give it to someone, whoever has it.
    Assign {
        /// To whom.
        agent: AgentId,
    },
    /// To put it back into the queue.
    Release,
    /// To begin, or go on, working on it.
    Start,
    /// To wait for the customer.
    Wait,
    /// To wait for someone else, or a time.
    Block {
        /// For what.
        reason: String,
        /// Until when.
        until: Option<Timestamp>,
    },
    /// To go on where it was blocked.
    Unblock,
    /// To be done with it.
    Resolve,
    /// Not to be done with it after all.
    Reopen,
    /// To need no answer.
    Ignore {
        /// Why.
        reason: String,
    },
    /// The mails were deleted.
    Delete,
    /// The mails came back.
    Return,
    /// To have the inbox owner look.
    Escalate {
        /// Why.
        reason: String,
    },
    /// To end that.
    Deescalate,
}

/// A command with who asks and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Asked {
    /// What.
    pub command: Command,
    /// Who.
    pub actor: Actor,
    /// How.
    pub cause: Cause,
}

/// The answer to a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Decision {
    /// It happened.
    Done(Box<NewEvent>),
    /// It is so already; in words.
    Already(String),
    /// It may not be; in words that say what to do next. A lost claim is also an event.
    Refused(String, Option<Box<NewEvent>>),
}

/// Decides about `asked` for `thread` as it stands at `now`.
pub fn decide(policy: &Policy, thread: &Thread, asked: &Asked, now: Timestamp) -> Decision {
    if let Some(target) = thread.now.merged_into {
        return refused(format!("{} was merged into {target}; ask that of {target}.", thread.id));
    }
    if let Some(words) = stranger(policy, thread, asked) {
        return refused(words);
    }
    match &asked.command {
        Command::Claim { agent } => claim(policy, thread, asked, agent),
        Command::Assign { agent } => assign(thread, asked, agent),
        Command::Release => release(thread, asked),
        Command::Start => start(policy, thread, asked),
        Command::Wait => wait(thread, asked),
        Command::Block { reason, until } => block(thread, asked, reason, *until),
        Command::Unblock => unblock(thread, asked),
        Command::Resolve => resolve(thread, asked, now),
        Command::Reopen => reopen(thread, asked),
        Command::Ignore { reason } => {
            let what = What::Ignored { reason: reason.clone() };
            leave(thread, asked, what, "needs no answer already")
        }
        Command::Delete => leave(thread, asked, What::Deleted, "needs no answer already"),
        Command::Return => come_back(thread, asked),
        Command::Escalate { reason } => {
            let what = What::Escalated { reason: reason.clone() };
            escalate(thread, asked, what, true)
        }
        Command::Deescalate => escalate(thread, asked, What::Deescalated, false),
    }
}

/// Nobody acts, and nobody is given a thread, in a mailbox that they do not work in.
fn stranger(policy: &Policy, thread: &Thread, asked: &Asked) -> Option<String> {
    let asked_for = match &asked.command {
        Command::Claim { agent } | Command::Assign { agent } => Some(agent),
        _ => None,
    };
    let actor = match &asked.actor {
        Actor::Agent(agent) => Some(agent),
        _ => None,
    };
    actor.into_iter().chain(asked_for).find_map(|id| match policy.agent(id) {
        None => Some(wording::unknown_agent(id, policy)),
        Some(agent) if !agent.works_in(&thread.mailbox) => Some(format!(
            "{} does not work in the mailbox {}; add it to the agent's `mailboxes`, or ask someone else.",
            agent.name, thread.mailbox
        )),
        Some(_) => None,
    })
}

fn refused(words: impl Into<String>) -> Decision {
    Decision::Refused(words.into(), None)
}

fn already(thread: &Thread, words: &str) -> Decision {
    Decision::Already(format!("{} {words}.", thread.id))
}

/// The event of `thread` going to `after`.
fn event(thread: &Thread, asked: &Asked, what: What, after: &Position) -> NewEvent {
    let change = Change::between(&thread.now, after);
    NewEvent::new(asked.actor.clone(), asked.cause.clone(), what, change)
}

fn done(thread: &Thread, asked: &Asked, what: What, after: &Position) -> Decision {
    Decision::Done(Box::new(event(thread, asked, what, after)))
}

/// The state of a thread that gets an owner: what it was, if somebody is at work on it.
fn state_with_owner(now: &Position, same_owner: bool) -> State {
    match now.state {
        State::New | State::Ignored | State::Resolved => State::Assigned,
        State::InProgress if now.owner.is_some() && !same_owner => State::Assigned,
        state => state,
    }
}

fn give_to(thread: &Thread, agent: &AgentId) -> Position {
    let same = thread.now.owner.as_ref() == Some(agent);
    let state = state_with_owner(&thread.now, same);
    let mut after = Position { owner: Some(agent.clone()), state, ..thread.now.clone() };
    if state != State::Blocked {
        after.before = None;
        after.block = None;
    }
    after
}

fn claim(policy: &Policy, thread: &Thread, asked: &Asked, agent: &AgentId) -> Decision {
    match &thread.now.owner {
        Some(owner) if owner == agent && thread.now.state.is_open() => {
            Decision::Already(wording::already_owned(thread, agent, policy))
        }
        Some(owner) if owner != agent && thread.now.state.is_open() => {
            let what = What::ClaimLost { agent: agent.clone(), owner: owner.clone() };
            let lost = event(thread, asked, what, &thread.now);
            Decision::Refused(
                wording::claim_lost(thread, owner, agent, policy),
                Some(Box::new(lost)),
            )
        }
        _ => {
            let what = What::Claimed { agent: agent.clone() };
            done(thread, asked, what, &give_to(thread, agent))
        }
    }
}

fn assign(thread: &Thread, asked: &Asked, agent: &AgentId) -> Decision {
    if thread.now.owner.as_ref() == Some(agent) && thread.now.state.is_open() {
        return already(thread, &format!("is {agent}'s already"));
    }
    done(thread, asked, What::Assigned { agent: agent.clone() }, &give_to(thread, agent))
}

fn release(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.owner.is_none() && now.state == State::New {
        return already(thread, "is in the queue already");
    }
    let by_command = asked.cause.by == crate::desk::event::CauseKind::Command;
    if !now.state.is_open() && by_command {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    let after =
        Position { owner: None, state: State::New, before: None, block: None, ..now.clone() };
    done(thread, asked, What::Released, &after)
}

fn start(policy: &Policy, thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if !now.state.is_open() {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    if let (Actor::Agent(agent), Some(owner)) = (&asked.actor, &now.owner)
        && agent != owner
    {
        return refused(wording::not_yours(thread, owner, agent, policy));
    }
    let owner = match (&now.owner, &asked.actor) {
        (None, Actor::Agent(agent)) => Some(agent.clone()),
        (owner, _) => owner.clone(),
    };
    if now.state == State::InProgress && now.owner == owner {
        return already(thread, "is in progress already");
    }
    let after =
        Position { owner, state: State::InProgress, before: None, block: None, ..now.clone() };
    done(thread, asked, What::Started, &after)
}

fn wait(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    match now.state {
        State::Waiting => already(thread, "is waiting for the customer already"),
        state if !state.is_open() => refused(format!("{} is {state}; reopen it first.", thread.id)),
        _ => {
            let after =
                Position { state: State::Waiting, before: None, block: None, ..now.clone() };
            done(thread, asked, What::Waited, &after)
        }
    }
}

fn block(thread: &Thread, asked: &Asked, reason: &str, until: Option<Timestamp>) -> Decision {
    let now = &thread.now;
    if !now.state.is_open() {
        return refused(format!("{} is {}; reopen it first.", thread.id, now.state));
    }
    let block = Some(Block { reason: reason.to_string(), until });
    if now.block == block {
        return already(thread, "is blocked for that reason already");
    }
    let before = if now.state == State::Blocked { now.before } else { Some(now.state) };
    let after = Position { state: State::Blocked, before, block, ..now.clone() };
    done(thread, asked, What::Blocked { reason: reason.to_string(), until }, &after)
}

fn unblock(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state != State::Blocked {
        return already(thread, &format!("is not blocked, it is {}", now.state));
    }
    done(thread, asked, What::Unblocked, &unblocked(now))
}

/// A position put together from two: the owner of one and the state of another may not fit each other, and the state gives
/// way. Happens where an earlier act is taken back and a later one stays.
pub fn coherent(position: Position) -> Position {
    let state = match (position.state, &position.owner) {
        (State::New, Some(_)) => State::Assigned,
        (State::Assigned, None) => State::New,
        (State::Blocked, _) if position.block.is_none() => unblocked(&position).state,
        (state, _) => state,
    };
    Position { state, ..position }
}

/// Where a blocked thread goes on.
pub(super) fn unblocked(now: &Position) -> Position {
    // Of a position put together from two, the state before may be one that is no way on.
    let before = now.before.filter(|state| state.is_open() && *state != State::Blocked);
    let state = match before {
        Some(State::New) if now.owner.is_some() => State::Assigned,
        Some(State::Assigned | State::InProgress) | None if now.owner.is_none() => State::New,
        Some(state) => state,
        None => State::InProgress,
    };
    Position { state, before: None, block: None, ..now.clone() }
}

fn resolve(thread: &Thread, asked: &Asked, at: Timestamp) -> Decision {
    let now = &thread.now;
    match now.state {
        State::Resolved => already(thread, "is resolved already"),
        State::Ignored => refused(format!("{} is ignored; reopen it first.", thread.id)),
        _ => {
            let after = Position {
                state: State::Resolved,
                before: None,
                block: None,
                resolved_at: Some(at),
                ..now.clone()
            };
            done(thread, asked, What::Resolved, &after)
        }
    }
}

fn reopen(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state.is_open() {
        return already(thread, &format!("is open already, it is {}", now.state));
    }
    let state = if now.owner.is_some() { State::InProgress } else { State::New };
    let reopens = now.reopens + u32::from(now.state == State::Resolved);
    let after = Position { state, before: None, block: None, reopens, ..now.clone() };
    done(thread, asked, What::Reopened, &after)
}

fn leave(thread: &Thread, asked: &Asked, what: What, words: &str) -> Decision {
    let now = &thread.now;
    if now.state == State::Ignored {
        return already(thread, words);
    }
    let after = Position { state: State::Ignored, before: Some(now.state), ..now.clone() };
    done(thread, asked, what, &after)
}

fn come_back(thread: &Thread, asked: &Asked) -> Decision {
    let now = &thread.now;
    if now.state != State::Ignored {
        return already(thread, &format!("is {}", now.state));
    }
    let state = match now.before {
        Some(State::Ignored) | None => State::New,
        Some(state) => state,
    };
    let after = coherent(Position { state, before: None, ..now.clone() });
    done(thread, asked, What::Returned, &after)
}

fn escalate(thread: &Thread, asked: &Asked, what: What, escalated: bool) -> Decision {
    if thread.now.escalated == escalated {
        let words = if escalated { "is escalated already" } else { "is not escalated" };
        return already(thread, words);
    }
    done(thread, asked, what, &Position { escalated, ..thread.now.clone() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::desk::event::CauseKind;
    use crate::desk::sample::{policy, spell, thread};
    use crate::desk::thread::ThreadId;

    fn ask(by: &str, command: Command) -> Asked {
        let actor = Actor::Agent(AgentId(by.into()));
        Asked { command, actor, cause: Cause::new(CauseKind::Command, "") }
    }

    /// What becomes of a thread: its spelling, `=` when it is so already, or `no` when it is refused.
    fn outcome(before: &str, asked: &Asked) -> String {
        let mut thread = thread(before);
        match decide(&policy(), &thread, asked, Timestamp(50)) {
            Decision::Done(event) => {
                thread.now.apply(&event.change);
                spell(&thread)
            }
            Decision::Already(_) => "=".into(),
            Decision::Refused(..) => "no".into(),
        }
    }

    #[test]
    fn every_command_in_every_state() {
        let ana = || AgentId("ana".into());
        let block = || Command::Block { reason: "a plumber".into(), until: None };
        let ignore = || Command::Ignore { reason: "spam".into() };
        let commands = [
            Command::Claim { agent: ana() },
            Command::Assign { agent: ana() },
            Command::Release,
            Command::Start,
            Command::Wait,
            block(),
            Command::Unblock,
            Command::Resolve,
            Command::Reopen,
            ignore(),
        ];
        #[rustfmt::skip]
        let table = [
            // before            claim              assign             release    start              wait           block          unblock            resolve         reopen             ignore
            ("new -",           ["assigned ana",    "assigned ana",    "=",       "in-progress ana", "waiting -",   "blocked -",   "=",               "resolved -",   "=",               "ignored -"]),
            ("assigned ana",    ["=",               "=",               "new -",   "in-progress ana", "waiting ana", "blocked ana", "=",               "resolved ana", "=",               "ignored ana"]),
            ("assigned ben",    ["no",              "assigned ana",    "new -",   "no",              "waiting ben", "blocked ben", "=",               "resolved ben", "=",               "ignored ben"]),
            ("in-progress ana", ["=",               "=",               "new -",   "=",               "waiting ana", "blocked ana", "=",               "resolved ana", "=",               "ignored ana"]),
            ("in-progress ben", ["no",              "assigned ana",    "new -",   "no",              "waiting ben", "blocked ben", "=",               "resolved ben", "=",               "ignored ben"]),
            ("waiting ana",     ["=",               "=",               "new -",   "in-progress ana", "=",           "blocked ana", "=",               "resolved ana", "=",               "ignored ana"]),
            ("waiting -",       ["waiting ana",     "waiting ana",     "new -",   "in-progress ana", "=",           "blocked -",   "=",               "resolved -",   "=",               "ignored -"]),
            ("blocked ana",     ["=",               "=",               "new -",   "in-progress ana", "waiting ana", "blocked ana", "in-progress ana", "resolved ana", "=",               "ignored ana"]),
            ("resolved ben",    ["assigned ana",    "assigned ana",    "no",      "no",              "no",          "no",          "=",               "=",            "in-progress ben", "ignored ben"]),
            ("resolved -",      ["assigned ana",    "assigned ana",    "no",      "no",              "no",          "no",          "=",               "=",            "new -",           "ignored -"]),
            ("ignored -",       ["assigned ana",    "assigned ana",    "no",      "no",              "no",          "no",          "=",               "no",           "new -",           "="]),
        ];
        for (before, wanted) in table {
            for (command, wanted) in commands.iter().zip(wanted) {
                let got = outcome(before, &ask("ana", command.clone()));
                assert_eq!(got, wanted, "{before} + {command:?}");
            }
        }
    }

    #[test]
    fn deleted_mails_that_come_back_bring_the_thread_back() {
        assert_eq!(outcome("ignored ana", &ask("ana", Command::Return)), "in-progress ana");
        assert_eq!(outcome("assigned ana", &ask("ana", Command::Delete)), "ignored ana");
    }

    #[test]
    fn a_lost_claim_is_recorded_and_says_who_was_first() {
        let asked = ask("ana", Command::Claim { agent: AgentId("ana".into()) });
        let decision = decide(&policy(), &thread("assigned ben"), &asked, Timestamp(0));
        let Decision::Refused(words, Some(event)) = decision else { panic!("{decision:?}") };
        assert!(words.starts_with("#1 is Ben's."), "{words}");
        assert_eq!(event.what.kind(), "claim-lost");
        assert!(event.change.is_empty());
    }

    #[test]
    fn nobody_acts_in_a_mailbox_that_they_do_not_work_in() {
        assert_eq!(outcome("new -", &ask("zoe", Command::Resolve)), "no");
        assert_eq!(outcome("new -", &ask("mallory", Command::Resolve)), "no");
        let to_zoe = Command::Assign { agent: AgentId("zoe".into()) };
        assert_eq!(outcome("new -", &ask("ana", to_zoe)), "no");
    }

    #[test]
    fn a_merged_thread_names_the_other() {
        let mut merged = thread("ignored -");
        merged.now.merged_into = Some(ThreadId(9));
        let decision = decide(&policy(), &merged, &ask("ana", Command::Reopen), Timestamp(0));
        let Decision::Refused(words, None) = decision else { panic!("{decision:?}") };
        assert!(words.contains("#9"), "{words}");
    }

    /// Any position that fits together.
    fn positions() -> impl Strategy<Value = Position> {
        let agents = ["ana", "ben", "zoe", "gone"];
        let owner = proptest::option::of(0..agents.len());
        let before = proptest::option::of(0..5_usize);
        let block = proptest::option::of((0..3_u8, proptest::option::of(0..99_i64)));
        let numbers = (0..7_usize, any::<bool>(), proptest::option::of(0..99_i64), 0..3_u32);
        (owner, before, block, numbers, proptest::option::weighted(0.1, 1..9_i64)).prop_map(
            move |(owner, before, block, (state, escalated, resolved_at, reopens), merged)| {
                let block = block.map(|(reason, until)| Block {
                    reason: reason.to_string(),
                    until: until.map(Timestamp),
                });
                let state = State::ALL[state];
                coherent(Position {
                    owner: owner.map(|index| AgentId(agents[index].into())),
                    before: before.map(|index| State::ALL[index]),
                    block: block.filter(|_| matches!(state, State::Blocked | State::Ignored)),
                    state,
                    escalated,
                    resolved_at: resolved_at.map(Timestamp),
                    reopens,
                    merged_into: merged.map(ThreadId),
                    ..Position::default()
                })
            },
        )
    }

    fn commands() -> impl Strategy<Value = Command> {
        let agent = || {
            prop_oneof![Just("ana"), Just("ben"), Just("zoe"), Just("nobody")]
                .prop_map(|id| AgentId(id.into()))
        };
        let until = proptest::option::of((0..99_i64).prop_map(Timestamp));
        let reason = || "[a-c]?";
        prop_oneof![
            agent().prop_map(|agent| Command::Claim { agent }),
            agent().prop_map(|agent| Command::Assign { agent }),
            Just(Command::Release),
            Just(Command::Start),
            Just(Command::Wait),
            (reason(), until).prop_map(|(reason, until)| Command::Block { reason, until }),
            Just(Command::Unblock),
            Just(Command::Resolve),
            Just(Command::Reopen),
            reason().prop_map(|reason| Command::Ignore { reason }),
            Just(Command::Delete),
            Just(Command::Return),
            reason().prop_map(|reason| Command::Escalate { reason }),
            Just(Command::Deescalate),
        ]
    }

    proptest! {
        #[test]
        fn whatever_is_asked_something_happens_or_nothing_changes(
            position in positions(),
            command in commands(),
            actor in 0..5_usize,
            by_gesture in any::<bool>(),
        ) {
            let mut thread = Thread::unborn(ThreadId(1), "support", Timestamp(0));
            thread.now = position.clone();
            let actor = match ["ana", "ben", "zoe", "nobody"].get(actor) {
                Some(id) => Actor::Agent(AgentId((*id).into())),
                None => Actor::Someone,
            };
            let by = if by_gesture { CauseKind::Gesture } else { CauseKind::Command };
            let asked = Asked { command, actor, cause: Cause::new(by, "") };
            match decide(&policy(), &thread, &asked, Timestamp(50)) {
                Decision::Done(event) => {
                    prop_assert!(!event.change.is_empty(), "nothing changed: {event:?}");
                    thread.now.apply(&event.change);
                    prop_assert_eq!(coherent(thread.now.clone()), thread.now.clone());
                    let again = decide(&policy(), &thread, &asked, Timestamp(50));
                    prop_assert!(!matches!(again, Decision::Done(_)), "twice: {again:?}");
                }
                Decision::Refused(words, event) => {
                    prop_assert!(!words.is_empty());
                    // A lost claim is told, and changes nothing.
                    prop_assert!(event.is_none_or(|event| event.change.is_empty()));
                }
                Decision::Already(words) => prop_assert!(!words.is_empty()),
            }
        }

        #[test]
        fn what_was_made_to_fit_fits(position in positions(), owned in any::<bool>()) {
            let owner = owned.then(|| AgentId("ana".into()));
            let fitting = coherent(Position { owner, block: None, ..position });
            prop_assert_eq!(coherent(fitting.clone()), fitting);
        }
    }
}
