//! `baton password`: what an agent's mail client shows Baton when it hands in mail.

use std::io::Read;

use serde::Serialize;

use super::print::Out;
use super::table::{Cell, Fit, Table};
use super::time::short;
use super::{Exit, agent_id, block_on, reader};
use crate::clock::Timestamp;
use crate::config::{Config, Secret};
use crate::daemon;
use crate::desk::roster::{Agent, AgentId};
use crate::engine::Errand;
use crate::store::PasswordRow;
use crate::submission::password::{self, BYTES_MAX, COST, LENGTH_MIN, Workspace};

/// What a password is called of which nobody says what it is for.
const USUAL_NAME: &str = "mail";
/// The longest name of a password, letters.
const NAME_MAX: usize = 40;

/// Make a password with which an agent's mail client sends through Baton
///
/// The password is shown once; only a hash of it is kept. Give each program and phone one of its own (--app), so that a lost
/// phone costs one password. One made again under the same name replaces the earlier one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton password ana
  baton password ana --app phone
  baton password ana --revoke phone
  baton password ana --list
  pass show baton/ana | baton password ana --stdin")]
pub(super) struct Args {
    /// Whose: the id of an agent
    #[arg(value_name = "AGENT", value_parser = agent_id, required_unless_present = "list")]
    agent: Option<AgentId>,
    /// What it is for: a program or a device
    #[arg(long, value_name = "NAME", value_parser = name, default_value = USUAL_NAME, hide_default_value = true)]
    app: String,
    /// Take the password from standard input, instead of making one
    #[arg(long, conflicts_with_all = ["revoke", "list"])]
    stdin: bool,
    /// Let the password of this name no longer work
    #[arg(long, value_name = "NAME", value_parser = name, conflicts_with_all = ["app", "list"])]
    revoke: Option<String>,
    /// Tell which passwords there are, and when each was used; never a password
    #[arg(long, conflicts_with = "app")]
    list: bool,
    /// Print JSON
    #[arg(long, requires = "list")]
    json: bool,
}

fn name(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME_MAX || text.chars().any(char::is_control) {
        return Err(format!("write a short name of at most {NAME_MAX} letters, as in `phone`"));
    }
    Ok(text.to_owned())
}

/// Makes, takes, revokes or lists.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let chosen: Vec<&Agent> = config
        .agents
        .iter()
        .filter(|agent| args.agent.as_ref().is_none_or(|id| *id == agent.id))
        .collect();
    if let (Some(id), true) = (&args.agent, chosen.is_empty()) {
        let known: Vec<&str> = config.agents.iter().map(|agent| agent.id.0.as_str()).collect();
        out.aside(&format!("There is no agent `{id}`; the agents are {}.", known.join(", ")));
        return Ok(Exit::Refused);
    }
    if args.list {
        return list(&chosen, args.json, config, out);
    }
    let Some(agent) = chosen.first() else { return Ok(Exit::Refused) };
    match &args.revoke {
        Some(name) => {
            let (agent, name) = (agent.id.clone(), name.clone());
            ask(config, Errand::RevokePassword { agent, name }, out)
        }
        None => make(agent, args, config, out),
    }
}

fn ask(config: &Config, errand: Errand, out: &mut Out) -> anyhow::Result<Exit> {
    let answer = block_on(daemon::run_errand(config, errand))?;
    if !answer.done {
        out.aside(&answer.words);
        return Ok(Exit::Refused);
    }
    out.line(format_args!("{}", answer.words))?;
    Ok(Exit::Done)
}

fn make(agent: &Agent, args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let password = if args.stdin { chosen_password()? } else { Ok(password::invent()?) };
    let password = match password {
        Ok(password) => password,
        Err(why) => {
            out.aside(why);
            return Ok(Exit::Refused);
        }
    };
    let id = agent.id.clone();
    let kept = reader(config)?.read(move |tx| Ok(tx.salting(&id)?))?;
    let salt = match kept.filter(|salting| salting.cost == COST) {
        Some(salting) => salting.salt,
        None => password::salt()?,
    };
    let errand = Errand::KeepPassword {
        agent: agent.id.clone(),
        name: args.app.clone(),
        hash: password::hash(&password, &salt, &mut Workspace::default())?,
        salt,
        cost: COST.to_owned(),
    };
    let exit = ask(config, errand, out)?;
    if exit == Exit::Done {
        out.line(format_args!("user name  {} (or {})", agent.id, agent.address))?;
        if !args.stdin {
            out.line(format_args!("password   {}", password.expose()))?;
            out.aside("Nobody can show this password again. Lost, it is made anew.");
        }
    }
    Ok(exit)
}

/// The password on standard input, without the end of its line; or why it is none.
fn chosen_password() -> anyhow::Result<Result<Secret, &'static str>> {
    let mut bytes = Vec::new();
    std::io::stdin().take(BYTES_MAX as u64 + 2).read_to_end(&mut bytes)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(Err("The password is not UTF-8."));
    };
    let text = text.trim_end_matches(['\r', '\n']);
    let password = Secret::new(text.to_owned());
    if text.len() > BYTES_MAX || text.chars().any(char::is_control) {
        return Ok(Err("The password is too long, or holds control characters."));
    }
    if text.chars().count() < LENGTH_MIN {
        return Ok(Err("The password is too short: at least 12 letters, or let Baton make one."));
    }
    Ok(Ok(password))
}

#[derive(Debug, Serialize)]
struct Listed {
    agent: String,
    name: String,
    made_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

fn list(agents: &[&Agent], json: bool, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let ids: Vec<AgentId> = agents.iter().map(|agent| agent.id.clone()).collect();
    let rows: Vec<PasswordRow> = reader(config)?.read(move |tx| {
        let mut rows = Vec::new();
        for id in &ids {
            rows.extend(tx.passwords(id)?);
        }
        Ok(rows)
    })?;
    if json {
        let listed: Vec<Listed> = rows
            .into_iter()
            .map(|row| Listed {
                agent: row.agent.0,
                name: row.name,
                made_at: row.made_at,
                last_used_at: row.used_at,
            })
            .collect();
        out.json(&listed)?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&[
        ("agent", Fit::Keeps),
        ("name", Fit::Keeps),
        ("made", Fit::Keeps),
        ("last used", Fit::Keeps),
    ]);
    for row in rows {
        let used = row.used_at.map_or("never".to_owned(), short);
        let cells = [row.agent.0, row.name, short(row.made_at), used];
        table.add(cells.into_iter().map(Cell::from).collect());
    }
    table.print(out)?;
    Ok(Exit::Done)
}
