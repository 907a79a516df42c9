//! `baton threads`: the list.

use anyhow::bail;
use clap::builder::PossibleValuesParser;

use super::form::Listed;
use super::print::{Ink, Out};
use super::table::{Cell, Fit, Table};
use super::time::{Moment, age, moment};
use super::{Exit, agent_id, reader};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::desk::roster::AgentId;
use crate::desk::thread::State;
use crate::store::{ThreadFilter, ThreadRow};

/// The word for every state, and for nobody.
const ALL: &str = "all";
const NOBODY: &str = "none";

/// List threads: the open ones, unless --state says otherwise
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton threads --owner none                 what nobody has taken yet
  baton threads --state waiting,blocked      what waits for somebody else
  baton threads --state all --since 1d       whatever had news within a day
  baton threads --json | jq '.[].id'")]
pub(super) struct Args {
    /// Only of this mailbox
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Only in these states; `all` for every state. May be repeated, or hold several with commas
    #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = states())]
    state: Vec<String>,
    /// Only of this agent; `none` for threads without an owner
    #[arg(long, value_name = "AGENT", value_parser = agent_id)]
    owner: Option<AgentId>,
    /// Only with news since then: 2026-12-01, "2026-12-01 09:00" (UTC), RFC 3339, or a span such as 2h or 3d
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,
    /// Print a JSON array
    #[arg(long)]
    json: bool,
}

fn states() -> PossibleValuesParser {
    PossibleValuesParser::new(State::ALL.map(State::name).into_iter().chain([ALL]))
}

/// Prints the threads that the arguments ask for.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let reader = reader(config)?;
    if let Some(name) = &args.mailbox {
        must_exist(name, config)?;
    }
    let now = Clock::system().now();
    let wants_nobody = args.owner.as_ref().is_some_and(|owner| owner.0 == NOBODY);
    let filter = ThreadFilter {
        mailbox: args.mailbox.clone(),
        states: wanted_states(&args.state),
        owner: args.owner.clone().filter(|_| !wants_nobody),
        since: args.since.map(|since| since.before(now)),
    };
    let mut rows = reader.read(|tx| Ok(tx.threads(&filter)?))?;
    if wants_nobody {
        rows.retain(|row| row.thread.now.owner.is_none());
    }
    if let Some(owner) = filter.owner.as_ref().filter(|_| rows.is_empty()) {
        must_be_agent(owner, config)?;
    }
    if args.json {
        out.json(&rows.iter().map(Listed::of).collect::<Vec<_>>())?;
    } else if rows.is_empty() {
        let what = if args.state.is_empty() { "No open threads." } else { "No such threads." };
        out.line(format_args!("{what}"))?;
    } else {
        table(&rows, config, now).print(out)?;
    }
    Ok(Exit::Done)
}

fn wanted_states(names: &[String]) -> Vec<State> {
    if names.iter().any(|name| name == ALL) {
        return State::ALL.to_vec();
    }
    names.iter().filter_map(|name| State::from_name(name)).collect()
}

/// Refuses the name of a mailbox that is not configured.
pub(super) fn must_exist(name: &str, config: &Config) -> anyhow::Result<()> {
    let names: Vec<&str> = config.mailboxes.iter().map(|mailbox| mailbox.name.as_str()).collect();
    if !names.contains(&name) {
        bail!("there is no mailbox `{name}`; the mailboxes are {}", names.join(", "));
    }
    Ok(())
}

/// A person who has left may still own threads; a name that nobody ever had is a slip of the pen.
fn must_be_agent(id: &AgentId, config: &Config) -> anyhow::Result<()> {
    if !config.agents.iter().any(|agent| agent.id == *id) {
        let ids: Vec<&str> = config.agents.iter().map(|agent| agent.id.0.as_str()).collect();
        bail!("there is no agent `{id}`; the agents are {}", ids.join(", "));
    }
    Ok(())
}

fn table(rows: &[ThreadRow], config: &Config, now: Timestamp) -> Table {
    let several = config.mailboxes.len() > 1;
    let mut columns = vec![
        ("id", Fit::KeepsRight),
        ("state", Fit::Keeps),
        ("owner", Fit::Keeps),
        ("customer", Fit::GivesWay),
        ("subject", Fit::GivesWay),
        ("mails", Fit::KeepsRight),
        ("news", Fit::KeepsRight),
    ];
    if several {
        columns.insert(1, ("mailbox", Fit::Keeps));
    }
    let mut table = Table::new(&columns);
    for row in rows {
        let mut cells = cells(row, now);
        if several {
            cells.insert(1, row.thread.mailbox.as_str().into());
        }
        table.add(cells);
    }
    table
}

fn cells(row: &ThreadRow, now: Timestamp) -> Vec<Cell> {
    let at = &row.thread.now;
    let state = match at.merged_into {
        Some(target) => format!("in {target}"),
        None => at.state.to_string(),
    };
    let (sign, ink) = if at.escalated { ("! ", Ink::Alarm) } else { ("", Ink::Plain) };
    vec![
        Cell::new(Ink::Strong, row.thread.id.to_string()),
        Cell::new(if at.state.is_open() { Ink::Plain } else { Ink::Faint }, state),
        at.owner.as_ref().map_or("–", |owner| owner.0.as_str()).into(),
        at.customer.as_str().into(),
        Cell::new(ink, format!("{sign}{}", at.subject)),
        row.messages.to_string().into(),
        age(row.thread.updated_at, now).into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_means_every_state_and_nothing_means_the_open_ones() {
        let names = |names: &[&str]| {
            wanted_states(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]), []);
        assert_eq!(names(&["new", "in-progress"]), [State::New, State::InProgress]);
        assert_eq!(names(&["new", "all"]), State::ALL);
    }
}
