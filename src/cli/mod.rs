//! The command line: one file per command, and what they share.
//!
//! A command reads the store, or asks the daemon, or visits a server; it decides nothing itself. What it answers goes
//! through `print::Out`, for scripts (`--json`) or for people. [`run`] turns failures into sentences and exit codes: 0 done,
//! 1 refused or a gap found, 2 bad configuration or usage.

mod act;
mod audit;
mod check;
mod deadline;
mod doctor;
mod documents;
mod explain;
mod export;
mod form;
mod inspect;
mod logging;
mod login;
mod online;
mod outbox;
mod password;
mod print;
mod rebuild;
mod service;
mod show;
mod status;
mod table;
mod threads;
mod time;
mod why;

use std::ffi::OsString;
use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{CommandFactory, Parser, Subcommand};

use crate::config::{self, Config, Problems, SecretError};
use crate::desk::roster::AgentId;
use crate::desk::thread::ThreadId;
use crate::store::Reader;
use print::Out;

/// The exit code of a command that was refused, found a gap, or failed.
const REFUSED: u8 = 1;
/// The exit code of a bad configuration, or of arguments that make no sense.
const MISUSED: u8 = 2;

const EXAMPLES: &str = "\
Examples:
  baton check --online              is the configuration right, and what can the server do?
  baton doctor support --probe      what is wrong with this mailbox, and what to do about it?
  baton login support               agree that Baton may read a mailbox of Gmail or Microsoft 365
  baton threads                     every open thread
  baton show 12                     one thread: its mails and everything that happened
  baton why 12                      who decided what, and by what
  baton claim 12 --as ana           ana takes thread 12
  baton undo 345 --as ana           takes event 345 back

Exit codes: 0 done; 1 refused, a gap found, or a failure; 2 bad configuration or usage.";

/// One owner and one state for every thread of a shared mailbox, shown in the mailbox itself
#[derive(Debug, Parser)]
#[command(name = "baton", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// The configuration file
    #[arg(
        long,
        global = true,
        env = "BATON_CONFIG",
        hide_env_values = true,
        default_value = "/etc/baton/baton.toml",
        value_name = "FILE",
        value_hint = clap::ValueHint::FilePath
    )]
    config: PathBuf,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(service::Args),
    Check(check::Args),
    Doctor(doctor::Args),
    Login(login::Args),
    Password(password::Args),
    Outbox(outbox::Args),
    Status(status::Args),
    Threads(threads::Args),
    Show(show::Args),
    Why(why::Args),
    #[command(flatten)]
    Act(act::Act),
    Audit(audit::Args),
    Rebuild(rebuild::Args),
    Export(export::Args),
    Inspect(inspect::Args),
    Completions(documents::Completions),
    Man(documents::Man),
}

/// How a command ended that did not fail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Exit {
    /// It is done.
    Done,
    /// It was refused, or what was looked for is missing; the words are out already.
    Refused,
    /// The configuration is bad; the words are out already.
    Misconfigured,
}

/// The whole command line, for its documents.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the command that `arguments` name, the program's name first, and answers the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(usage) => {
            // Help and version come this way too. Where nobody can read it, there is nobody to tell.
            drop(usage.print());
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(MISUSED));
        }
    };
    let mut out = Out::to_stdout();
    let ended = dispatch(arguments, &mut out).and_then(|exit| {
        out.finish()?;
        Ok(exit)
    });
    match ended {
        Ok(Exit::Done) => ExitCode::SUCCESS,
        Ok(Exit::Refused) => ExitCode::from(REFUSED),
        Ok(Exit::Misconfigured) => ExitCode::from(MISUSED),
        Err(error) => {
            out.aside(&explain::failure(&error));
            ExitCode::from(code_of(&error))
        }
    }
}

fn dispatch(arguments: Arguments, out: &mut Out) -> anyhow::Result<Exit> {
    let Arguments { config: file, command } = arguments;
    if !matches!(command, Command::Run(_)) {
        logging::start_quiet()?;
    }
    let config = || -> anyhow::Result<Config> { Ok(config::load(&file)?) };
    match command {
        Command::Inspect(args) => inspect::run(&args, out),
        Command::Completions(args) => documents::completions(&args, out),
        Command::Man(args) => documents::man(&args, out),
        Command::Run(args) => service::run(&args, config()?),
        Command::Check(args) => check::run(&args, &config()?, out),
        Command::Doctor(args) => doctor::run(&args, &config()?, out),
        Command::Login(args) => login::run(&args, &config()?, out),
        Command::Outbox(args) => outbox::run(&args, &config()?, out),
        Command::Password(args) => password::run(&args, &config()?, out),
        Command::Status(args) => status::run(&args, &config()?, out),
        Command::Threads(args) => threads::run(&args, &config()?, out),
        Command::Show(args) => show::run(&args, &config()?, out),
        Command::Why(args) => why::run(&args, &config()?, out),
        Command::Act(act) => act::run(&act, &config()?, out),
        Command::Audit(args) => audit::run(&args, &config()?, out),
        Command::Rebuild(_) => rebuild::run(&config()?, out),
        Command::Export(_) => export::run(&config()?, out),
    }
}

fn code_of(error: &anyhow::Error) -> u8 {
    let is_config = error.chain().any(|cause| cause.is::<Problems>() || cause.is::<SecretError>());
    if is_config { MISUSED } else { REFUSED }
}

/// Runs a command's conversation to its end, on this thread.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the network's event loop")?
        .block_on(work)
}

fn reader(config: &Config) -> anyhow::Result<Reader> {
    Ok(Reader::open(&config.state_dir)?)
}

/// Reads a thread's number, with or without its `#`.
fn thread_id(text: &str) -> Result<ThreadId, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    match digits.parse::<i64>() {
        Ok(number) if number > 0 => Ok(ThreadId(number)),
        _ => Err("write a thread's number, as in 12 or #12".into()),
    }
}

/// Reads an agent's id; ids are lower case.
fn agent_id(text: &str) -> Result<AgentId, String> {
    let id = text.trim().to_lowercase();
    if id.is_empty() {
        return Err("write an agent's id, as in `ana`".into());
    }
    Ok(AgentId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(line.split(' '))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn the_configuration_may_be_named_before_and_after_the_command() {
        for line in ["baton --config a.toml threads --json", "baton threads --json --config a.toml"]
        {
            assert_eq!(parsed(line).unwrap().config, PathBuf::from("a.toml"), "{line}");
        }
    }

    #[test]
    fn a_thread_is_named_with_or_without_its_sign() {
        assert_eq!(thread_id("12"), Ok(ThreadId(12)));
        assert_eq!(thread_id("#12"), Ok(ThreadId(12)));
        for wrong in ["", "#", "0", "-3", "12x", "##1"] {
            assert!(thread_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn wrong_usage_is_told_from_help() {
        assert_eq!(parsed("baton claim 12 --as").unwrap_err().exit_code(), 2);
        assert_eq!(parsed("baton claim 12x --as ana").unwrap_err().exit_code(), 2);
        assert_eq!(parsed("baton threads --state asleep").unwrap_err().exit_code(), 2);
        assert_eq!(parsed("baton --help").unwrap_err().exit_code(), 0);
    }

    #[test]
    fn what_scripts_write_is_understood() {
        for line in [
            "baton run --shadow",
            "baton login support --paste",
            "baton login --status --json",
            "baton password ana --app phone",
            "baton outbox --json",
            "baton outbox drop 12",
            "baton outbox show 12",
            "baton password ana --revoke phone",
            "baton password --list --json",
            "baton login support --status",
            "baton threads --state new,waiting --state blocked --owner ana --since 2026-11-01",
            "baton claim 1 #2 3 --as ana",
            "baton assign 12 ben --as ana",
            "baton block 12 waits for parts --as ana --until 2h",
            "baton block 12 --as ana --until 2026-12-01 waits for parts",
            "baton ignore 4 5 --as ana --reason spam",
            "baton escalate 4 legal threat --as ana",
            "baton undo 345 --as ana",
            "baton split <a@b> --as ana",
            "baton merge 1 2 --as ana",
            "baton export --json",
            "baton completions bash",
            "baton man",
        ] {
            parsed(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
    }
}
