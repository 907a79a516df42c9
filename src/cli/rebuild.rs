//! `baton rebuild`: the log folded anew, compared with the threads as they stand.

use super::print::{Out, plain};
use super::{Exit, reader};
use crate::config::Config;
use crate::engine;

/// Fold the whole event log anew and compare it with the threads; exit code 1 if anything differs
///
/// It changes nothing, and works while the daemon runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Compares, and prints the differences.
pub(super) fn run(config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let (differences, events, threads) = reader(config)?.read(engine::rebuild)?;
    let folded = format!("{events} events folded into {threads} threads");
    if differences.is_empty() {
        out.line(format_args!("{folded}; no difference."))?;
        return Ok(Exit::Done);
    }
    for difference in &differences {
        out.line(format_args!("{}", plain(&difference.0)))?;
    }
    let count = differences.len();
    let noun = if count == 1 { "difference" } else { "differences" };
    out.line(format_args!("{folded}; {count} {noun}."))?;
    Ok(Exit::Refused)
}
