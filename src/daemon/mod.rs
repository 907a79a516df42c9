//! Builds the rooms and supervises their tasks: one lane per mailbox, the socket for commands, signals, systemd.

use std::path::Path;

use crate::config::Config;
use crate::engine::{Answer, Request};

/// Whether a daemon holds the state directory.
pub fn is_running(_state_dir: &Path) -> bool {
    false
}

/// Asks the running daemon, or decides here when none runs: the same decision either way.
pub async fn ask(_config: &Config, _request: &Request) -> anyhow::Result<Answer> {
    anyhow::bail!("not yet")
}

/// Runs until SIGTERM or SIGINT.
pub async fn run(_config: Config, _shadow: bool) -> anyhow::Result<()> {
    anyhow::bail!("not yet")
}
