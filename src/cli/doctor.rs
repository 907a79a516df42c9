//! `baton doctor`: looks at a mailbox from all sides, and says what is wrong and what to do about it.

use serde::Serialize;

use super::print::{Ink, Out, plain, wrapped_whole};
use super::{Exit, block_on};
use crate::config::{Config, Mailbox};
use crate::doctor::{Check, Depth, Outcome, examine};

/// How wide its lines may be: it is read in mails and tickets, too.
const WIDTH: usize = 80;
/// Where what was found begins.
const INDENT: usize = 8;

/// Look at a mailbox from all sides, and say what is wrong and what to do about it
///
/// DNS, TLS, login, what the token may do, folders, limits, the server that sends, and this machine: each check says what
/// was found, and where it is not well, what to do. It may run beside the daemon, and it changes nothing, unless --probe is
/// given. Without MAILBOX it looks at all of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton doctor
  baton doctor support --probe
  baton doctor --json | jq '.mailboxes[].checks[] | select(.outcome == \"fail\")'

Exit codes: 0 no check fails; 1 one does; 2 bad configuration.")]
pub(super) struct Args {
    /// The mailbox
    #[arg(value_name = "MAILBOX")]
    mailbox: Option<String>,
    /// Try it out: put a message of Baton's own into one of Baton's folders, mark, move and remove it; and at Gmail and
    /// Microsoft 365 send one mail from the shared address to itself, and remove it
    #[arg(long)]
    probe: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct All {
    mailboxes: Vec<Examined>,
    summary: Summary,
}

#[derive(Debug, Serialize)]
struct Examined {
    name: String,
    address: String,
    checks: Vec<Check>,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Summary {
    pass: usize,
    warn: usize,
    fail: usize,
    skipped: usize,
}

impl Summary {
    fn count(&mut self, checks: &[Check]) {
        for check in checks {
            match check.outcome {
                Outcome::Pass => self.pass += 1,
                Outcome::Warn => self.warn += 1,
                Outcome::Fail => self.fail += 1,
                Outcome::Skipped => self.skipped += 1,
            }
        }
    }
}

/// Examines, and prints what was found.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    if let Some(name) = &args.mailbox {
        super::threads::must_exist(name, config)?;
    }
    let depth = if args.probe { Depth::Probe } else { Depth::Look };
    let wanted =
        |mailbox: &&Mailbox| args.mailbox.as_ref().is_none_or(|name| *name == mailbox.name);
    let mut all = All { mailboxes: Vec::new(), summary: Summary::default() };
    for mailbox in config.mailboxes.iter().filter(wanted) {
        let checks = block_on(async { Ok(examine(mailbox, config, depth).await) })?;
        all.summary.count(&checks);
        let (name, address) = (mailbox.name.clone(), mailbox.address.clone());
        let examined = Examined { name, address, checks };
        if !args.json {
            for_people(&examined, out)?;
            // Each takes a while.
            out.finish()?;
        }
        all.mailboxes.push(examined);
    }
    match args.json {
        true => out.json(&all)?,
        false => sum_up(&all.summary, out)?,
    }
    Ok(if all.summary.fail == 0 { Exit::Done } else { Exit::Refused })
}

fn for_people(examined: &Examined, out: &mut Out) -> anyhow::Result<()> {
    let name = out.painted(Ink::Strong, &examined.name);
    out.line(format_args!("{name}: {}", examined.address))?;
    for theme in examined.checks.chunk_by(|one, next| one.theme == next.theme) {
        let Some(first) = theme.first() else { continue };
        let heading = out.painted(Ink::Strong, first.theme.heading());
        out.line(format_args!("\n{heading}"))?;
        for alike in theme.chunk_by(are_told_together) {
            let Some(check) = alike.first() else { continue };
            let names: Vec<&str> = alike.iter().map(|check| check.name).collect();
            match 1 < names.len() && names.len() == theme.len() {
                true => one("not looked at", check, out)?,
                false => one(&names.join(", "), check, out)?,
            }
        }
    }
    out.line(format_args!(""))
}

/// What was skipped for the same reason is told once.
fn are_told_together(one: &Check, next: &Check) -> bool {
    let skipped = |check: &Check| check.outcome == Outcome::Skipped && check.remedy.is_none();
    skipped(one) && skipped(next) && one.what == next.what
}

fn one(names: &str, check: &Check, out: &mut Out) -> anyhow::Result<()> {
    let (word, ink) = match check.outcome {
        Outcome::Pass => ("  ok  ", Ink::Good),
        Outcome::Warn => ("  warn", Ink::Strong),
        Outcome::Fail => ("  FAIL", Ink::Alarm),
        Outcome::Skipped => ("  -   ", Ink::Faint),
    };
    let words = format!("{names}: {}", plain(&check.what));
    for (nth, line) in wrapped_whole(&words, WIDTH - INDENT).iter().enumerate() {
        let mark = if nth == 0 { out.painted(ink, word) } else { " ".repeat(INDENT - 2) };
        out.line(format_args!("{mark}  {line}"))?;
    }
    if let Some(remedy) = &check.remedy {
        for (nth, line) in wrapped_whole(&plain(remedy), WIDTH - INDENT - 3).iter().enumerate() {
            let arrow = if nth == 0 { "-> " } else { "   " };
            out.line(format_args!("{:INDENT$}{arrow}{line}", ""))?;
        }
    }
    Ok(())
}

fn sum_up(summary: &Summary, out: &mut Out) -> anyhow::Result<()> {
    let Summary { pass, warn, fail, skipped } = summary;
    let words = format!("{pass} ok, {warn} to look at, {fail} failed, {skipped} skipped");
    let ink = if *fail == 0 { Ink::Good } else { Ink::Alarm };
    let words = out.painted(ink, &words);
    out.line(format_args!("{words}"))
}
