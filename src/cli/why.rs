//! `baton why`: for the owner, the state, an escalation and each mail of a thread, the event that decided it, the facts,
//! and the rule or gesture it came about by.

use anyhow::bail;
use serde::Serialize;

use super::form::{Fact, Mail, Whole, change_in};
use super::print::{Ink, Out, plain};
use super::time::short;
use super::{Exit, reader, show, thread_id};
use crate::config::Config;
use crate::desk::thread::{CauseKind, Change, Event, Thread, ThreadId, What};
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

/// What decided about a thread as it stands.
struct Reasons<'a> {
    thread: &'a Thread,
    /// The last event that changed the owner.
    owner: Option<&'a Event>,
    /// Claims that came too late for this owner.
    lost_claims: Vec<&'a Event>,
    /// The last event that changed the state, or else the one that opened the thread.
    state: Option<&'a Event>,
    /// The last event that escalated it or ended that.
    escalated: Option<&'a Event>,
    /// The last event that moved it into another thread, or back.
    merged: Option<&'a Event>,
    /// Each mail, with the event that put it here.
    mails: Vec<(&'a Mail, Option<&'a Event>)>,
}

impl<'a> Reasons<'a> {
    fn of(whole: &'a Whole) -> Reasons<'a> {
        let Whole { thread, mails, events } = whole;
        let id = thread.id;
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
            owner,
            lost_claims: events.iter().filter(lost).collect(),
            state: last(|change| change.state.is_some()).or(events.first()),
            escalated: last(|change| change.escalated.is_some()),
            merged: last(|change| change.merged_into.is_some()),
            mails: mails.iter().map(|mail| (mail, joined(mail))).collect(),
        }
    }

    fn print(&self, out: &mut Out) -> anyhow::Result<()> {
        let now = &self.thread.now;
        show::title(self.thread, out)?;
        let owner = now.owner.as_ref().map_or("nobody", |owner| owner.0.as_str());
        heading(&format!("Owner: {owner}"), out)?;
        match self.owner {
            Some(event) => decided(event, out)?,
            None => out.paragraph(2, "Nobody has taken it, and nobody was given it.")?,
        }
        for event in &self.lost_claims {
            decided(event, out)?;
        }
        heading(&format!("State: {}", now.state), out)?;
        if let Some(event) = self.state {
            decided(event, out)?;
        }
        if let Some(event) = self.escalated {
            heading(if now.escalated { "Escalated: yes" } else { "Escalated: no" }, out)?;
            decided(event, out)?;
        }
        if let Some(event) = self.merged {
            let target = now.merged_into.map_or("no other thread".into(), |id| id.to_string());
            heading(&format!("Merged into: {target}"), out)?;
            decided(event, out)?;
        }
        if let Some(other) = now.linked_to {
            heading(&format!("Linked to: {other}"), out)?;
            let words = "It began from that thread; why it did not join it is told of its first mail below.";
            out.paragraph(2, words)?;
        }
        let count = self.mails.len();
        heading(&format!("Mails: {count}"), out)?;
        for (mail, event) in &self.mails {
            print_join(mail, *event, out)?;
        }
        Ok(())
    }

    fn shown(&self, tx: &Tx<'_>) -> anyhow::Result<Shown<'a>> {
        let id = self.thread.id;
        let fact =
            |event: Option<&'a Event>| event.map(|event| Fact::of(tx, event, id)).transpose();
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
                value: now.owner.as_ref().map(|owner| owner.0.as_str()),
                event: fact(self.owner)?,
            },
            lost_claims: lost.collect::<anyhow::Result<_>>()?,
            state: Decided { value: now.state.name(), event: fact(self.state)? },
            escalated: Decided { value: now.escalated, event: fact(self.escalated)? },
            merged_into: Decided { value: now.merged_into, event: fact(self.merged)? },
            linked_to: now.linked_to,
            messages,
        })
    }
}

/// What `why --json` prints.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: i64,
    owner: Decided<'a, Option<&'a str>>,
    lost_claims: Vec<Fact<'a>>,
    state: Decided<'a, &'static str>,
    escalated: Decided<'a, bool>,
    merged_into: Decided<'a, Option<ThreadId>>,
    linked_to: Option<ThreadId>,
    messages: Vec<Joined<'a>>,
}

#[derive(Debug, Serialize)]
struct Decided<'a, T> {
    value: T,
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
    let what = plain(&wording::happened(event));
    out.paragraph(2, &format!("{} UTC: {what} (event {}).", short(event.at), event.seq))?;
    out.paragraph(4, &format!("It came about by {}.", plain(&cause(event))))?;
    for fact in facts(&event.what) {
        out.paragraph(4, &plain(&fact))?;
    }
    Ok(())
}

fn cause(event: &Event) -> String {
    let detail = &event.cause.detail;
    match event.cause.by {
        CauseKind::Gesture => format!("a gesture in the mailbox: {detail}"),
        CauseKind::Command => format!("a command: {detail}"),
        CauseKind::Mail => format!("a mail: {detail}"),
        CauseKind::Rule => format!("a rule: {detail}"),
        CauseKind::Time => format!("a time that was reached: {detail}"),
        CauseKind::Server => format!("what the server did: {detail}"),
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
        Some(event) => format!("event {}, by {}", event.seq, cause(event)),
        None => "no event says so; `baton rebuild` tells more".into(),
    };
    out.paragraph(4, &plain(&format!("{} ({by})", mail.joined_by)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::roster::AgentId;
    use crate::desk::thread::{Actor, Cause, Position, State};

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
        let seq = |event: Option<&Event>| event.map(|event| event.seq);
        assert_eq!((seq(reasons.owner), seq(reasons.state)), (Some(1), Some(3)));
        assert_eq!(reasons.lost_claims.len(), 1);
        assert!(reasons.escalated.is_none());

        let paper = crate::cli::print::tests::Paper::default();
        let mut out = paper.out();
        reasons.print(&mut out).unwrap();
        out.finish().unwrap();
        let told = paper.text();
        for words in [
            "Owner: ana\n  1970-01-01 00:01 UTC: ana took the thread (event 1).",
            "It came about by a gesture in the mailbox: moved to Baton/Ana.",
            "ben wanted the thread, but it is ana's (event 2).",
            "State: in-progress\n  1970-01-01 00:03 UTC: someone started working (event 3).",
        ] {
            assert!(told.contains(words), "lacks {words}:\n{told}");
        }
    }
}
