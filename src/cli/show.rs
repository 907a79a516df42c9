//! `baton show`: one thread, its mails, and everything that happened.

use anyhow::bail;
use serde::Serialize;

use super::deadline::{self, Due};
use super::form::{Mail, Shown, Whole};
use super::print::{Ink, Out, WIDTH, plain, shortened, wrapped};
use super::table::{Cell, Fit, Table};
use super::time::short;
use super::{Exit, reader, thread_id};
use crate::clock::Clock;
use crate::config::Config;
use crate::desk::event::Event;
use crate::desk::thread::{Thread, ThreadId};
use crate::desk::wording;

/// How many lines of a mail's text are shown.
const EXCERPT_LINES: usize = 4;

/// Show one thread: its mails, and everything that happened
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  baton show 12

The number of an event is what `baton undo` takes.")]
pub(super) struct Args {
    /// The thread, as in 12 or #12
    #[arg(value_name = "ID", value_parser = thread_id)]
    thread: ThreadId,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the thread.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    reader(config)?.read(|tx| {
        let Some(whole) = Whole::read(tx, args.thread)? else { bail!(no_thread(args.thread)) };
        let now = Clock::system().now();
        let clocks = deadline::of(&whole, config, now);
        if args.json {
            let deadlines = clocks.iter().map(Due::of).collect();
            return out.json(&WithDeadlines { shown: whole.shown(tx)?, deadlines });
        }
        head(&whole.thread, out)?;
        deadline::print(&clocks, now, out)?;
        for mail in &whole.mails {
            print_mail(mail, out)?;
        }
        out.line(format_args!(""))?;
        events(&whole.events).print(out)
    })?;
    Ok(Exit::Done)
}

/// A thread, and what is owed in it.
#[derive(Serialize)]
struct WithDeadlines<'a> {
    #[serde(flatten)]
    shown: Shown<'a>,
    deadlines: Vec<Due>,
}

/// What to say of a number that no thread has.
pub(super) fn no_thread(id: ThreadId) -> String {
    format!("there is no thread {id}; `baton threads --state all` lists them")
}

/// The thread's number and subject.
pub(super) fn title(thread: &Thread, out: &mut Out) -> anyhow::Result<()> {
    let words = shortened(&format!("{} {}", thread.id, plain(&thread.now.subject)), WIDTH);
    let words = out.painted(Ink::Strong, &words);
    out.line(format_args!("{words}"))
}

fn head(thread: &Thread, out: &mut Out) -> anyhow::Result<()> {
    let now = &thread.now;
    title(thread, out)?;
    let owner = now.owner.as_ref().map_or("nobody", |owner| owner.0.as_str());
    let escalated = if now.escalated { ", escalated" } else { "" };
    out.paragraph(2, &format!("{}{escalated}; owner: {owner}", now.state))?;
    let customer = plain(&now.customer);
    out.paragraph(2, &format!("mailbox {}, customer {customer}", thread.mailbox))?;
    let (created, updated) = (short(thread.created_at), short(thread.updated_at));
    out.paragraph(2, &format!("opened {created}, last news {updated} (all times in UTC)"))?;
    if let Some(block) = &now.block {
        let until = block.until.map(|until| format!(" until {}", short(until)));
        let words = format!("blocked{}: {}", until.unwrap_or_default(), plain(&block.reason));
        out.paragraph(2, &words)?;
    }
    if let Some(at) = now.first_response_at {
        out.paragraph(2, &format!("first answered {}", short(at)))?;
    }
    match now.reopens {
        0 => {}
        1 => out.paragraph(2, "reopened once")?,
        times => out.paragraph(2, &format!("reopened {times} times"))?,
    }
    if let Some(other) = now.linked_to {
        out.paragraph(2, &format!("began from {other}; see `baton show {}`", other.0))?;
    }
    if let Some(target) = now.merged_into {
        out.paragraph(2, &format!("merged into {target}; see `baton show {}`", target.0))?;
    }
    Ok(())
}

fn print_mail(mail: &Mail, out: &mut Out) -> anyhow::Result<()> {
    let place = match (&mail.folder, mail.uid) {
        (Some(folder), Some(uid)) => format!("{folder}, UID {uid}"),
        _ => "in no watched folder".into(),
    };
    let kind = if mail.kind == "human" { "" } else { mail.kind.as_str() };
    let words = [
        short(mail.date),
        mail.direction.clone(),
        kind.to_owned(),
        plain(&mail.from),
        plain(&place),
    ];
    let words =
        words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join("  ");
    out.line(format_args!(""))?;
    let words = out.painted(Ink::Strong, &shortened(&words, WIDTH));
    out.line(format_args!("{words}"))?;
    let subject = shortened(&plain(&mail.subject), WIDTH - 2);
    out.line(format_args!("  {subject}"))?;
    let id = out.painted(Ink::Faint, &shortened(&plain(&mail.message_id), WIDTH - 4));
    out.line(format_args!("  <{id}>"))?;
    let lines: Vec<String> = mail
        .excerpt
        .lines()
        .filter(|line| !line.trim().is_empty())
        .flat_map(|line| wrapped(&plain(line), WIDTH - 4))
        .take(EXCERPT_LINES + 1)
        .collect();
    for line in lines.iter().take(EXCERPT_LINES) {
        out.line(format_args!("  | {line}"))?;
    }
    if lines.len() > EXCERPT_LINES {
        out.line(format_args!("  | …"))?;
    }
    Ok(())
}

fn events(events: &[Event]) -> Table {
    let mut table = Table::new(&[
        ("event", Fit::KeepsRight),
        ("at (UTC)", Fit::Keeps),
        ("what", Fit::GivesWay),
        ("by", Fit::Keeps),
        ("how", Fit::GivesWay),
    ]);
    for event in events {
        table.add(vec![
            Cell::new(Ink::Strong, event.seq.to_string()),
            short(event.at).into(),
            wording::happened(event).into(),
            event.cause.by.name().into(),
            event.cause.detail.as_str().into(),
        ]);
    }
    table
}
