//! The acting commands: what a person asks, put to the daemon, or decided here when none runs.

use clap::{Args, Subcommand};

use super::print::Out;
use super::time::{Moment, moment};
use super::{Exit, agent_id, block_on, thread_id};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon;
use crate::desk::roster::AgentId;
use crate::desk::thread::ThreadId;
use crate::engine::{Request, Verb};

/// The reason in the log when none is given.
const NO_REASON: &str = "said on the command line";

/// What a person can do to a thread.
#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// Take threads: you own them from now on, unless somebody else was first
    #[command(after_help = "\
Examples:
  baton claim 12 --as ana
  BATON_AGENT=ana baton claim 12 13 14")]
    Claim(Threads),
    /// Give a thread to an agent, whoever has it now
    #[command(after_help = "Example:\n  baton assign 12 ben --as ana")]
    Assign(Assign),
    /// Put threads back into the queue, without an owner
    Release(Threads),
    /// Begin, or go on, working on threads
    Start(Threads),
    /// Set threads to waiting for the customer
    Wait(Threads),
    /// Set a thread aside until somebody else has done something, or until a time
    #[command(after_help = "\
Examples:
  baton block 12 waits for the supplier --as ana
  baton block 12 call back --until \"2026-12-01 09:00\" --as ana
  baton block 12 customer is travelling --until 3d --as ana")]
    Block(Block),
    /// Go on with blocked threads, in the state that they were in before
    Unblock(Threads),
    /// Be done with threads
    #[command(after_help = "Example:\n  baton resolve 12 13 --as ana")]
    Resolve(Threads),
    /// Open resolved or ignored threads again
    Reopen(Threads),
    /// Mark threads as needing no answer
    #[command(after_help = "Example:\n  baton ignore 12 13 --reason newsletter --as ana")]
    Ignore(Ignore),
    /// Ask the inbox owner to look at a thread
    #[command(after_help = "Example:\n  baton escalate 12 threatens to go to court --as ana")]
    Escalate(Escalate),
    /// Take an event back, as long as nothing builds on it
    ///
    /// `baton show ID` lists the events of a thread with their numbers.
    #[command(after_help = "Example:\n  baton undo 345 --as ana")]
    Undo(Undo),
    /// Make one mail of a thread a thread of its own
    ///
    /// `baton show ID` lists the Message-IDs. Quote them in a shell when they stand in angle brackets.
    #[command(after_help = "Example:\n  baton split '<abc@mail.example.com>' --as ana")]
    Split(Split),
    /// Move all mails of one thread into another, and end it
    #[command(
        after_help = "Example:\n  baton merge 12 15 --as ana    the mails of 15 are in 12 then"
    )]
    Merge(Merge),
}

/// Who asks.
#[derive(Debug, Args)]
pub(super) struct Actor {
    /// Who you are: the id of an agent
    #[arg(long = "as", env = "BATON_AGENT", hide_env_values = true, value_name = "AGENT", value_parser = agent_id)]
    agent: AgentId,
}

/// Threads, and who asks.
#[derive(Debug, Args)]
pub(super) struct Threads {
    /// The threads, as in 12 or #12
    #[arg(required = true, value_name = "ID", value_parser = thread_id)]
    threads: Vec<ThreadId>,
    #[command(flatten)]
    actor: Actor,
}

/// What `assign` needs.
#[derive(Debug, Args)]
pub(super) struct Assign {
    /// The thread, as in 12 or #12
    #[arg(value_name = "ID", value_parser = thread_id)]
    thread: ThreadId,
    /// Who gets it: the id of an agent
    #[arg(value_name = "AGENT", value_parser = agent_id)]
    to: AgentId,
    #[command(flatten)]
    actor: Actor,
}

/// What `block` needs.
#[derive(Debug, Args)]
pub(super) struct Block {
    /// The thread, as in 12 or #12
    #[arg(value_name = "ID", value_parser = thread_id)]
    thread: ThreadId,
    /// What it waits for, in your words
    #[arg(required = true, value_name = "REASON")]
    reason: Vec<String>,
    /// When it goes on by itself: 2026-12-01, "2026-12-01 09:00" (UTC), RFC 3339, or a span such as 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,
    #[command(flatten)]
    actor: Actor,
}

/// What `ignore` needs.
#[derive(Debug, Args)]
pub(super) struct Ignore {
    #[command(flatten)]
    which: Threads,
    /// Why, in your words
    #[arg(long, value_name = "REASON", default_value = NO_REASON, hide_default_value = true)]
    reason: String,
}

/// What `escalate` needs.
#[derive(Debug, Args)]
pub(super) struct Escalate {
    /// The thread, as in 12 or #12
    #[arg(value_name = "ID", value_parser = thread_id)]
    thread: ThreadId,
    /// Why, in your words
    #[arg(value_name = "REASON")]
    reason: Vec<String>,
    #[command(flatten)]
    actor: Actor,
}

/// What `undo` needs.
#[derive(Debug, Args)]
pub(super) struct Undo {
    /// The event's number
    #[arg(value_name = "SEQ", value_parser = clap::value_parser!(i64).range(1..))]
    event: i64,
    #[command(flatten)]
    actor: Actor,
}

/// What `split` needs.
#[derive(Debug, Args)]
pub(super) struct Split {
    /// The mail's Message-ID, with or without angle brackets
    #[arg(value_name = "MESSAGE-ID")]
    message_id: String,
    #[command(flatten)]
    actor: Actor,
}

/// What `merge` needs.
#[derive(Debug, Args)]
pub(super) struct Merge {
    /// The thread that stays
    #[arg(value_name = "INTO", value_parser = thread_id)]
    into: ThreadId,
    /// The thread that ends
    #[arg(value_name = "FROM", value_parser = thread_id)]
    from: ThreadId,
    #[command(flatten)]
    actor: Actor,
}

/// Asks for each thing in turn, and prints what came of it.
pub(super) fn run(act: &Act, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let requests = requests(act, Clock::system().now());
    block_on(async {
        let mut exit = Exit::Done;
        for request in &requests {
            let answer = daemon::ask(config, request).await?;
            if answer.done {
                out.line(format_args!("{}", answer.words))?;
            } else {
                out.aside(&answer.words);
                exit = Exit::Refused;
            }
        }
        Ok(exit)
    })
}

/// What the arguments ask for, one request for each thread.
fn requests(act: &Act, now: Timestamp) -> Vec<Request> {
    let one = |verb: Verb, actor: &Actor| vec![Request { verb, actor: actor.agent.clone() }];
    match act {
        Act::Claim(args) => each(args, |thread| Verb::Claim { thread }),
        Act::Release(args) => each(args, |thread| Verb::Release { thread }),
        Act::Start(args) => each(args, |thread| Verb::Start { thread }),
        Act::Wait(args) => each(args, |thread| Verb::Wait { thread }),
        Act::Unblock(args) => each(args, |thread| Verb::Unblock { thread }),
        Act::Resolve(args) => each(args, |thread| Verb::Resolve { thread }),
        Act::Reopen(args) => each(args, |thread| Verb::Reopen { thread }),
        Act::Ignore(args) => {
            each(&args.which, |thread| Verb::Ignore { thread, reason: args.reason.clone() })
        }
        Act::Assign(args) => {
            one(Verb::Assign { thread: args.thread, agent: args.to.clone() }, &args.actor)
        }
        Act::Block(args) => {
            let until = args.until.map(|until| until.after(now));
            let reason = args.reason.join(" ");
            one(Verb::Block { thread: args.thread, reason, until }, &args.actor)
        }
        Act::Escalate(args) => {
            let reason = match args.reason.is_empty() {
                true => NO_REASON.to_owned(),
                false => args.reason.join(" "),
            };
            one(Verb::Escalate { thread: args.thread, reason }, &args.actor)
        }
        Act::Undo(args) => one(Verb::Undo { event: args.event }, &args.actor),
        Act::Split(args) => one(Verb::Split { message_id: args.message_id.clone() }, &args.actor),
        Act::Merge(args) => one(Verb::Merge { into: args.into, from: args.from }, &args.actor),
    }
}

fn each(args: &Threads, verb: impl Fn(ThreadId) -> Verb) -> Vec<Request> {
    let actor = &args.actor.agent;
    let request = |thread: &ThreadId| Request { verb: verb(*thread), actor: actor.clone() };
    args.threads.iter().map(request).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        act: Act,
    }

    fn asked(line: &str) -> Vec<Verb> {
        let line = Line::try_parse_from(format!("baton {line} --as ana").split(' ')).unwrap();
        let requests = requests(&line.act, Timestamp(1_000));
        assert!(requests.iter().all(|request| request.actor == AgentId("ana".into())));
        requests.into_iter().map(|request| request.verb).collect()
    }

    #[test]
    fn several_threads_are_several_requests() {
        let claims = [1, 2].map(|number| Verb::Claim { thread: ThreadId(number) });
        assert_eq!(asked("claim 1 #2"), claims);
    }

    #[test]
    fn a_reason_is_all_the_words_and_a_span_becomes_a_time() {
        let blocked = Verb::Block {
            thread: ThreadId(3),
            reason: "waits for parts".into(),
            until: Some(Timestamp(8_200)),
        };
        assert_eq!(asked("block 3 waits for --until 2h parts"), [blocked]);
        let escalated = Verb::Escalate { thread: ThreadId(3), reason: NO_REASON.into() };
        assert_eq!(asked("escalate 3"), [escalated]);
    }

    #[test]
    fn an_agent_is_named_in_any_case() {
        let assigned = Verb::Assign { thread: ThreadId(3), agent: AgentId("ben".into()) };
        assert_eq!(asked("assign 3 Ben"), [assigned]);
    }
}
