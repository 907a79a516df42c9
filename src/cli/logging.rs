//! Where log lines go: standard error, as the configuration says; `RUST_LOG` overrules its filter.

use std::io;

use anyhow::{Context, anyhow};
use tracing_subscriber::EnvFilter;

use super::print::wants_colours;
use crate::config::{Log, LogFormat};

/// What commands other than `run` log. What TLS says of a bad certificate is in the error that the command tells.
const QUIET: &str = "warn,rustls_platform_verifier=off";

/// Begins to log for the daemon.
pub(super) fn start(log: &Log) -> anyhow::Result<()> {
    let filter = filter(&log.filter)?;
    let colours = log.format == LogFormat::Auto && wants_colours(&io::stderr());
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        // The journal writes down the time itself.
        LogFormat::Auto if in_journal() => lines.with_ansi(false).without_time().try_init(),
        LogFormat::Auto | LogFormat::Text => lines.with_ansi(colours).try_init(),
    };
    started.map_err(|error| anyhow!("cannot begin to log: {error}"))
}

/// Begins to log for a command that answers a person: only what is worth a warning.
pub(super) fn start_quiet() -> anyhow::Result<()> {
    let lines = tracing_subscriber::fmt().with_env_filter(filter(QUIET)?).with_writer(io::stderr);
    let lines = lines.with_ansi(wants_colours(&io::stderr())).with_target(false).without_time();
    lines.try_init().map_err(|error| anyhow!("cannot begin to log: {error}"))
}

fn in_journal() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_some()
}

fn filter(usual: &str) -> anyhow::Result<EnvFilter> {
    match std::env::var("RUST_LOG") {
        Ok(levels) if !levels.is_empty() => EnvFilter::try_new(&levels).with_context(|| {
            format!(
                "cannot understand RUST_LOG=`{levels}`; write it as in `info,baton::imap=debug`"
            )
        }),
        _ => EnvFilter::try_new(usual)
            .with_context(|| format!("cannot understand the filter `{usual}`")),
    }
}
