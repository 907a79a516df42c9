//! `baton outbox`: mails on their way out, and a person's decision about them.

use clap::{Args as Arguments, Subcommand};
use serde::Serialize;

use super::print::{Ink, Out, plain};
use super::table::{Cell, Fit, Table};
use super::time::short;
use super::{Exit, block_on, reader};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon;
use crate::desk::policy::Sending;
use crate::desk::sending::{Happened, Hold, State, step};
use crate::desk::wording;
use crate::engine::Errand;
use crate::store::{self, SendingRow};

/// How many mails `--all` lists; the newest.
const LISTED_MAX: u32 = 1000;

/// List the mails on their way out, or decide about one
///
/// Without --all, those that have left or were dropped are not listed.
#[derive(Debug, Arguments)]
#[command(after_help = "\
Examples:
  baton outbox
  baton outbox show 12
  baton outbox drop 12")]
pub(super) struct Args {
    #[command(subcommand)]
    act: Option<Act>,
    /// List those that have left or were dropped, too
    #[arg(long)]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Show one mail: where it stands, and its text as it leaves
    Show(Which),
    /// Try a refused mail again
    Retry(Which),
    /// Take a mail back; it never leaves
    Drop(Which),
    /// Let a held mail go now
    Release(Which),
}

#[derive(Debug, Arguments)]
struct Which {
    /// Its number
    #[arg(value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    id: i64,
}

/// Lists, shows or decides.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    match &args.act {
        None => list(args, config, out),
        Some(Act::Show(which)) => show(which.id, args.json, config, out),
        Some(Act::Retry(which) | Act::Release(which)) => {
            ask(config, Errand::Release { sending: which.id }, out)
        }
        Some(Act::Drop(which)) => ask(config, Errand::Drop { sending: which.id }, out),
    }
}

fn ask(config: &Config, errand: Errand, out: &mut Out) -> anyhow::Result<Exit> {
    let answer = block_on(daemon::run_errand(config, errand))?;
    if answer.done {
        out.line(format_args!("{}", answer.words))?;
        return Ok(Exit::Done);
    }
    out.aside(&answer.words);
    Ok(Exit::Refused)
}

/// A mail as JSON shows it. Scripts depend on every name here.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    id: i64,
    mailbox: &'a str,
    thread: Option<i64>,
    agent: Option<&'a str>,
    route: &'a str,
    state: &'static str,
    /// When it is due by itself.
    due_at: Option<Timestamp>,
    /// What a person has to know about it.
    why: String,
    from: &'a str,
    to: Vec<&'a str>,
    message_id: &'a str,
    answered: Option<&'a str>,
    created_at: Timestamp,
    attempts: u32,
    last_error: Option<&'a str>,
    /// The Message-ID that the provider gave it, where it gave one.
    given_id: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(row: &'a SendingRow) -> Shown<'a> {
        Shown {
            id: row.id,
            mailbox: &row.mailbox,
            thread: row.thread.map(|id| id.0),
            agent: row.agent.as_ref().map(|agent| agent.0.as_str()),
            route: &row.route,
            state: name(&row.state),
            due_at: row.state.due_at(),
            why: why(row),
            from: &row.envelope_from,
            to: row.recipients.iter().map(|to| to.address.as_str()).collect(),
            message_id: &row.message_id,
            answered: row.answered.as_deref(),
            created_at: row.created_at,
            attempts: row.attempts,
            last_error: row.last_error.as_deref(),
            given_id: row.given_id.as_deref(),
        }
    }
}

fn name(state: &State) -> &'static str {
    match state {
        State::Held { .. } => "held",
        State::Due { .. } => "due",
        State::Attempting { .. } => "attempting",
        State::Unknown { .. } => "unknown",
        State::Accepted { .. } => "accepted",
        State::Refused { .. } => "refused",
        State::Dropped => "dropped",
    }
}

fn why(row: &SendingRow) -> String {
    let said = row.last_error.as_ref().map(|words| format!(" It said: {words}"));
    let said = said.unwrap_or_default();
    match &row.state {
        State::Held { why: Hold::Question { words }, .. } => words.clone(),
        State::Held { why: Hold::Unknown, .. } => {
            format!(
                "Nobody knows whether it left; it is not in Sent. Release it, or drop it.{said}"
            )
        }
        State::Held { until: Some(until), .. } => format!("It can be stopped until {until}."),
        State::Refused { why } => format!("{}{said}", wording::refused_by_provider(*why)),
        State::Due { .. } if row.last_error.is_some() => format!("It has not left yet.{said}"),
        State::Due { .. } => "It leaves as soon as it can.".into(),
        State::Unknown { .. } => {
            format!("The provider's answer was lost; the mail is looked for in Sent.{said}")
        }
        State::Accepted { .. } => row.last_error.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

fn rows(all: bool, config: &Config) -> anyhow::Result<Vec<SendingRow>> {
    // Before the first start nothing can be on its way.
    if !config.state_dir.join(store::FILE_NAME).exists() {
        return Ok(Vec::new());
    }
    reader(config)?
        .read(move |tx| Ok(if all { tx.sendings(LISTED_MAX)? } else { tx.open_sendings()? }))
}

/// Where it stands by now: the hold time may be over, and the daemon busy.
fn by_now(row: SendingRow, now: Timestamp) -> SendingRow {
    let state = step(&row.state, &Happened::Time, now, &Sending::default().rules);
    SendingRow { state: state.unwrap_or(row.state), ..row }
}

fn list(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let now = Clock::system().now();
    let rows: Vec<SendingRow> =
        rows(args.all, config)?.into_iter().map(|row| by_now(row, now)).collect();
    if args.json {
        out.json(&rows.iter().map(Shown::of).collect::<Vec<_>>())?;
        return Ok(Exit::Done);
    }
    if rows.is_empty() {
        out.line(format_args!("Nothing is on its way."))?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("id", Fit::KeepsRight),
        ("thread", Fit::KeepsRight),
        ("agent", Fit::Keeps),
        ("state", Fit::Keeps),
        ("to", Fit::GivesWay),
        ("kept", Fit::Keeps),
    ]);
    for row in &rows {
        let shown = Shown::of(row);
        let ink = if row.state.due_at().is_none() { Ink::Alarm } else { Ink::Plain };
        table.add(vec![
            shown.id.to_string().into(),
            row.thread.map_or_else(|| "-".to_owned(), |id| id.to_string()).into(),
            shown.agent.unwrap_or("-").to_owned().into(),
            Cell::new(ink, shown.state),
            plain(&shown.to.join(", ")).into(),
            short(shown.created_at).into(),
        ]);
    }
    table.print(out)?;
    for row in rows.iter().filter(|row| row.state.due_at().is_none() || row.last_error.is_some()) {
        out.paragraph(0, &format!("{}: {}", row.id, why(row)))?;
    }
    Ok(Exit::Done)
}

fn show(id: i64, json: bool, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let found = reader(config)?.read(move |tx| Ok((tx.sending(id)?, tx.sending_mail(id)?)))?;
    let (Some(row), raw) = found else {
        out.aside(&format!(
            "There is no mail {id} in the outbox; `baton outbox --all` lists them."
        ));
        return Ok(Exit::Refused);
    };
    let row = by_now(row, Clock::system().now());
    let shown = Shown::of(&row);
    if json {
        out.json(&shown)?;
        return Ok(Exit::Done);
    }
    let thread = row.thread.map_or_else(|| "no thread".to_owned(), |id| id.to_string());
    out.line(format_args!(
        "{id}: {} by {}, answers {thread}",
        shown.state,
        shown.agent.unwrap_or("Baton")
    ))?;
    out.line(format_args!("from {} to {}", plain(shown.from), plain(&shown.to.join(", "))))?;
    if !shown.why.is_empty() {
        out.paragraph(0, &shown.why)?;
    }
    out.line(format_args!(""))?;
    match &raw {
        Some(raw) => {
            for line in String::from_utf8_lossy(raw).lines() {
                out.line(format_args!("{}", plain(line)))?;
            }
        }
        None => out.line(format_args!("Its text is in Sent."))?,
    }
    Ok(Exit::Done)
}
