//! `baton why`: for the owner, the state, an escalation and each mail of a thread, the event that decided it, the facts,
//! and the rule or gesture it came about by.

use anyhow::bail;
use serde::Serialize;

use super::form::{Fact, Mail, Whole, change_in};
use super::print::{Ink, Out, plain};
use super::time::short;
use super::{Exit, reader, show, thread_id};
use crate::config::Config;
use crate::desk::event::{CauseKind, Event, What};
use crate::desk::roster::AgentId;
use crate::desk::thread::{Change, Position, State, Thread, ThreadId};
use crate::desk::wording;
use crate::store::Tx;

/// Tell who decided what about a thread, by which gesture, command or rule, and on which facts
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  baton why 12")]
pub(super) struct Args {
    /// The thread, as in 12 or #12
    #[arg(value_name = "ID", value_parser = thread_id)]
    thread: ThreadId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the explanation.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    reader(config)?.read(|tx| {
        let Some(whole) = Whole::read(tx, args.thread)? else {
            bail!(show::no_thread(args.thread))
        };
        let reasons = Reasons::of(&whole);
        if args.json { out.json(&reasons.shown(tx)?) } else { reasons.print(out) }
    })?;
    Ok(Exit::Done)
}

/// The event that decided about one thing, and where the thread stood before it.
struct Decision<'a> {
    event: &'a Event,
    before: Position,
}

/// What decided about a thread as it stands.
struct Reasons<'a> {
    thread: &'a Thread,
    /// The last event that changed the owner.
    owner: Option<Decision<'a>>,
    /// Claims that came too late for this owner.
    lost_claims: Vec<&'a Event>,
    /// The last event that changed the state, or else the one that opened the thread.
    state: Option<Decision<'a>>,
    /// The last event that escalated it or ended that.
    escalated: Option<Decision<'a>>,
    /// The last event that moved it into another thread, or back.
    merged: Option<Decision<'a>>,
    /// Each mail, with the event that put it here.
    mails: Vec<(&'a Mail, Option<&'a Event>)>,
}

impl<'a> Reasons<'a> {
    fn of(whole: &'a Whole) -> Reasons<'a> {
        let Whole { thread, mails, events } = whole;
        let id = thread.id;
        let decision = |event: &'a Event| Decision { event, before: before(whole, event.seq) };
        let last = |changed: fn(&Change) -> bool| {
            events.iter().rev().find(|event| changed(change_in(event, id)))
        };
        let owner = last(|change| change.owner.is_some());
        let since = owner.map_or(0, |event| event.seq);
        let lost =
            |event: &&Event| event.seq > since && matches!(event.what, What::ClaimLost { .. });
        let joined =
            |mail: &Mail| events.iter().rev().find(|event| event.joins().contains(&(mail.key, id)));
        Reasons {
            thread,
            owner: owner.map(decision),
            lost_claims: events.iter().filter(lost).collect(),
            state: last(|change| change.state.is_some()).or(events.first()).map(decision),
            escalated: last(|change| change.escalated.is_some()).map(decision),
            merged: last(|change| change.merged_into.is_some()).map(decision),
            mails: mails.iter().map(|mail| (mail, joined(mail))).collect(),
        }
    }

    fn print(&self, out: &mut Out) -> anyhow::Result<()> {
        let now = &self.thread.now;
        show::title(self.thread, out)?;
        self.print_owner(out)?;
        heading(&format!("State: {}", now.state), out)?;
        if let Some(decision) = &self.state {
            decided(decision.event, out)?;
            if decision.before.state != now.state {
                out.paragraph(4, &format!("It was {} before.", decision.before.state))?;
            }
        }
        if let Some(decision) = &self.escalated {
            heading(if now.escalated { "Escalated: yes" } else { "Escalated: no" }, out)?;
            decided(decision.event, out)?;
        }
        if let Some(decision) = &self.merged {
            let target = now.merged_into.map_or("no other thread".into(), |id| id.to_string());
            heading(&format!("Merged into: {target}"), out)?;
            decided(decision.event, out)?;
        }
        if let Some(other) = now.linked_to {
            heading(&format!("Linked to: {other}"), out)?;
            out.paragraph(2, "It began from that thread.")?;
        }
        heading(&format!("Mails: {}", self.mails.len()), out)?;
        for (mail, event) in &self.mails {
            print_join(mail, *event, out)?;
        }
        Ok(())
    }

    fn print_owner(&self, out: &mut Out) -> anyhow::Result<()> {
        let named = |position: &Position| {
            position.owner.as_ref().map_or("nobody".to_owned(), |owner| owner.0.clone())
        };
        let now = named(&self.thread.now);
        heading(&format!("Owner: {now}"), out)?;
        let Some(decision) = &self.owner else {
            return out.paragraph(2, "Nobody has taken it, and nobody was given it.");
        };
        decided(decision.event, out)?;
        let before = named(&decision.before);
        if before != now {
            out.paragraph(4, &format!("The owner before was {before}."))?;
        }
        self.lost_claims.iter().try_for_each(|event| decided(event, out))
    }

    fn shown(&self, tx: &Tx<'_>) -> anyhow::Result<Shown<'a>> {
        let id = self.thread.id;
        let fact =
            |event: Option<&'a Event>| event.map(|event| Fact::of(tx, event, id)).transpose();
        let event = |decision: &Option<Decision<'a>>| fact(decision.as_ref().map(|one| one.event));
        let now = &self.thread.now;
        let mut messages = Vec::new();
        for (mail, event) in &self.mails {
            messages.push(Joined {
                message_id: &mail.message_id,
                joined_by: &mail.joined_by,
                event: fact(*event)?,
            });
        }
        let lost = self.lost_claims.iter().map(|event| Fact::of(tx, event, id));
        Ok(Shown {
            id: id.0,
            owner: Decided {
                value: now.owner.clone(),
                before: self.owner.as_ref().and_then(|one| one.before.owner.clone()),
                event: event(&self.owner)?,
            },
            lost_claims: lost.collect::<anyhow::Result<_>>()?,
            state: Decided {
                value: now.state,
                before: self.state.as_ref().map_or(now.state, |one| one.before.state),
                event: event(&self.state)?,
            },
            escalated: Decided {
                value: now.escalated,
                before: self.escalated.as_ref().is_some_and(|one| one.before.escalated),
                event: event(&self.escalated)?,
            },
            merged_into: Decided {
                value: now.merged_into,
                before: self.merged.as_ref().and_then(|one| one.before.merged_into),
                event: event(&self.merged)?,
            },
            linked_to: now.linked_to,
            messages,
        })
    }
}

/// Where the thread stood before an event.
fn before(whole: &Whole, seq: i64) -> Position {
    let mut folded =
        Thread::unborn(whole.thread.id, &whole.thread.mailbox, whole.thread.created_at);
    for event in whole.events.iter().take_while(|event| event.seq < seq) {
        folded.apply(event);
    }
    folded.now
}

/// What `why --json` prints.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: i64,
    owner: Decided<'a, Option<AgentId>>,
    lost_claims: Vec<Fact<'a>>,
    state: Decided<'a, State>,
    escalated: Decided<'a, bool>,
    merged_into: Decided<'a, Option<ThreadId>>,
    linked_to: Option<ThreadId>,
    messages: Vec<Joined<'a>>,
}

#[derive(Debug, Serialize)]
struct Decided<'a, T> {
    value: T,
    before: T,
    event: Option<Fact<'a>>,
}

#[derive(Debug, Serialize)]
struct Joined<'a> {
    message_id: &'a str,
    joined_by: &'a str,
    event: Option<Fact<'a>>,
}

fn heading(words: &str, out: &mut Out) -> anyhow::Result<()> {
    let words = out.painted(Ink::Strong, words);
    out.line(format_args!("{words}"))
}

/// Who did what and when, and by what it came about.
fn decided(event: &Event, out: &mut Out) -> anyhow::Result<()> {
    let (at, seq) = (short(event.at), event.seq);
    let (what, by) = (wording::happened(event), cause(event));
    out.paragraph(2, &plain(&format!("{at} UTC: {what}, by {by} (event {seq}).")))?;
    for fact in facts(&event.what) {
        out.paragraph(4, &plain(&fact))?;
    }
    Ok(())
}

fn cause(event: &Event) -> String {
    let by = match event.cause.by {
        CauseKind::Gesture => "a gesture in the mailbox",
        CauseKind::Command => "a command",
        CauseKind::Mail => "a mail",
        CauseKind::Rule => "a rule",
        CauseKind::Time => "a time that was reached",
        CauseKind::Server => "the server",
    };
    match event.cause.detail.as_str() {
        "" => by.to_owned(),
        detail => format!("{by}: {detail}"),
    }
}

/// What the decision rested on, beyond what the event says itself.
fn facts(what: &What) -> Vec<String> {
    let (joined_by, remark) = match what {
        What::CustomerWrote { joined_by, remark, .. }
        | What::MachineWrote { joined_by, remark, .. }
        | What::Replied { joined_by, remark, .. } => (joined_by.as_str(), remark.as_str()),
        What::Opened { joined_by, .. }
        | What::InternalWrote { joined_by, .. }
        | What::OwnWrote { joined_by, .. } => (joined_by.as_str(), ""),
        _ => ("", ""),
    };
    let mut facts = Vec::new();
    if !joined_by.is_empty() {
        facts.push(format!("The mail is in this thread because: {joined_by}."));
    }
    if !remark.is_empty() {
        facts.push(format!("Also: {remark}."));
    }
    facts
}

fn print_join(mail: &Mail, event: Option<&Event>, out: &mut Out) -> anyhow::Result<()> {
    let head = format!("{} UTC, {} <{}>", short(mail.date), mail.from, mail.message_id);
    out.paragraph(2, &plain(&head))?;
    let by = match event {
        Some(event) if mail.joined_by.ends_with(&format!("(event {})", event.seq)) => cause(event),
        Some(event) => format!("event {}, {}", event.seq, cause(event)),
        None => "no event says so; `baton rebuild` tells more".into(),
    };
    out.paragraph(4, &plain(&format!("{} ({by})", mail.joined_by)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::event::{Actor, Cause};

    fn event(seq: i64, what: What, change: Change) -> Event {
        Event {
            seq,
            at: Timestamp(seq * 60),
            thread: ThreadId(1),
            other: None,
            actor: Actor::Someone,
            cause: Cause::new(CauseKind::Gesture, "moved to Baton/Ana"),
            what,
            change,
            other_change: Change::default(),
        }
    }

    #[test]
    fn the_last_event_that_changed_a_thing_decided_it() {
        let ana = AgentId("ana".into());
        let owned =
            Position { owner: Some(ana.clone()), state: State::Assigned, ..Position::default() };
        let begun = Position { state: State::InProgress, ..owned.clone() };
        let claimed = What::Claimed { agent: ana.clone() };
        let lost = What::ClaimLost { agent: AgentId("ben".into()), owner: ana };
        let mut thread = Thread::unborn(ThreadId(1), "support", Timestamp(0));
        let events = vec![
            event(1, claimed, Change::between(&thread.now, &owned)),
            event(2, lost, Change::default()),
            event(3, What::Started, Change::between(&owned, &begun)),
        ];
        for event in &events {
            thread.apply(event);
        }
        let whole = Whole { thread, mails: Vec::new(), events };
        let reasons = Reasons::of(&whole);
        let seq = |decision: &Option<Decision<'_>>| decision.as_ref().map(|one| one.event.seq);
        assert_eq!((seq(&reasons.owner), seq(&reasons.state)), (Some(1), Some(3)));
        assert_eq!(reasons.lost_claims.len(), 1);
        assert!(reasons.escalated.is_none());

        let paper = crate::cli::print::tests::Paper::default();
        let mut out = paper.out();
        reasons.print(&mut out).unwrap();
        out.finish().unwrap();
        let told = paper.text();
        for words in [
            "Owner: ana\n  1970-01-01 00:01 UTC: ana took the thread, by a gesture in the mailbox: moved to \
             Baton/Ana (event\n  1).\n    The owner before was nobody.",
            "ben wanted the thread, but it is ana's, by a gesture",
            "State: in-progress\n  1970-01-01 00:03 UTC: someone started working",
            "It was assigned before.",
        ] {
            assert!(told.contains(words), "lacks {words}:\n{told}");
        }
    }
}
