//! `baton run`: the daemon, in the foreground.

use anyhow::Context;

use super::{Exit, logging};
use crate::config::Config;
use crate::daemon;

/// Run the daemon in the foreground, until SIGTERM or Ctrl-C
///
/// It watches the configured mailboxes and shows in them who owns each thread and where it stands. Under systemd it reports
/// when it is ready; SIGHUP makes it read its configuration again, and a bad one is refused and the old one kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  baton run --shadow        the first days: look, and say what would be done
  RUST_LOG=debug baton run  with more words than the configuration asks for")]
pub(super) struct Args {
    /// Write nothing anywhere but to Baton's own database, and report what would have been done
    #[arg(long)]
    shadow: bool,
}

/// Runs until a signal.
pub(super) fn run(args: &Args, config: Config) -> anyhow::Result<Exit> {
    logging::start(&config.log)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?
        .block_on(daemon::run(config, args.shadow))?;
    Ok(Exit::Done)
}
