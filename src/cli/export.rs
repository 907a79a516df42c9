//! `baton export`: every thread with its mails and events, as one JSON document.

use std::io::Write;

use anyhow::Context;

use super::form::Whole;
use super::print::Out;
use super::{Exit, reader};
use crate::config::Config;
use crate::desk::thread::State;
use crate::store::ThreadFilter;

/// Print every thread with its mails and events, as one JSON document
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The document is {\"threads\": [...]}, each thread as `baton show ID --json` prints it, on a line of its own.

Example:
  baton export --json > threads.json")]
pub(super) struct Args {
    /// Print JSON, which is the only form and need not be asked for
    #[arg(long)]
    json: bool,
}

/// Writes thread after thread, so that a large desk needs little memory. All of it is one look at the database.
pub(super) fn run(config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    reader(config)?.read(|tx| {
        let every = ThreadFilter { states: State::ALL.to_vec(), ..ThreadFilter::default() };
        let ids: Vec<_> = tx.threads(&every)?.into_iter().map(|row| row.thread.id).collect();
        out.write_all(b"{\"threads\": [").context("cannot write the export")?;
        let mut between = "\n";
        for id in ids {
            if out.reader_gone() {
                break;
            }
            let Some(whole) = Whole::read(tx, id)? else { continue };
            out.write_all(between.as_bytes()).context("cannot write the export")?;
            serde_json::to_writer(&mut *out, &whole.shown(tx)?)
                .context("cannot write the export")?;
            between = ",\n";
        }
        out.line(format_args!("\n]}}"))
    })?;
    Ok(Exit::Done)
}
