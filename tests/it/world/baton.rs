//! The real `baton` binary: its configuration, the daemon as a child process, and its command line.
//!
//! Nothing of the implementation is used here, only what product.md fixes: commands, exit codes, JSON.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::dovecot::signal;
use super::poll;

/// Baton of one world.
pub(crate) struct Baton {
    dir: PathBuf,
    daemon: Option<Child>,
    /// What it logs, where that is not the usual.
    level: Option<&'static str>,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    /// It was typed again, because the daemon died under it the first time: a refusal may mean that it had been done.
    pub(crate) again: bool,
}

impl Answer {
    /// The answer of a command that must have been done.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        let had_been_done = self.again && self.code == 1;
        assert!(self.code == 0 || had_been_done, "refused: {}{}", self.out, self.err);
        self.out
    }

    /// What a command that must have been refused (exit code 1) said about it.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.code, 1, "not refused: {}{}", self.out, self.err);
        assert!(!self.err.trim().is_empty(), "refused without a word");
        self.err
    }
}

/// A thread, as `threads --json` tells it; with `show --json` also what is in it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Thread {
    pub(crate) id: i64,
    pub(crate) mailbox: String,
    pub(crate) subject: String,
    pub(crate) state: String,
    pub(crate) owner: Option<String>,
    pub(crate) escalated: bool,
    #[serde(default)]
    messages: Value,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
}

/// A message, as `show --json` tells it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Message {
    message_id: Option<String>,
    pub(crate) direction: String,
    pub(crate) folder: Option<String>,
    pub(crate) joined_by: Value,
}

/// An event, as `show --json` tells it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) seq: i64,
    pub(crate) at: String,
    pub(crate) actor: Value,
    pub(crate) kind: String,
    pub(crate) cause: Value,
}

impl Message {
    /// The Message-ID without its brackets; empty when there is none.
    pub(crate) fn id(&self) -> &str {
        let id = self.message_id.as_deref().unwrap_or_default();
        id.trim_start_matches('<').trim_end_matches('>')
    }
}

impl Thread {
    /// What the thread holds; empty unless it came from `show`.
    pub(crate) fn messages(&self) -> Vec<Message> {
        Vec::deserialize(&self.messages).unwrap_or_default()
    }

    /// The events whose kind contains `word`, whatever their spelling.
    pub(crate) fn events_like(&self, word: &str) -> Vec<&Event> {
        self.events.iter().filter(|event| event.kind.to_lowercase().contains(word)).collect()
    }
}

/// One line of `status --json`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) name: String,
    pub(crate) connected_since: Option<String>,
    pub(crate) last_seen_at: Option<String>,
    pub(crate) queue: Value,
    pub(crate) last_error: Option<String>,
    pub(crate) waits_until: Option<String>,
    pub(crate) notice: Option<String>,
    pub(crate) received_today_bytes: u64,
}

impl Status {
    /// Whether nothing waits to be done in this mailbox.
    pub(crate) fn is_idle(&self) -> bool {
        match &self.queue {
            Value::Number(waiting) => waiting.as_u64() == Some(0),
            Value::Array(waiting) => waiting.is_empty(),
            Value::Object(waiting) => waiting.values().all(|count| count.as_u64() == Some(0)),
            _ => false,
        }
    }
}

impl Baton {
    /// Installs a configuration in `dir`; starts nothing.
    pub(crate) fn new(dir: &Path, configuration: &str) -> Baton {
        let baton = Baton { dir: dir.to_owned(), daemon: None, level: None };
        baton.configure(configuration);
        baton
    }

    /// Writes another configuration, which the daemon reads at its next start or reload.
    pub(crate) fn configure(&self, configuration: &str) {
        fs::write(self.dir.join("baton.toml"), configuration).expect("cannot write baton.toml");
    }

    /// From here on the daemon and every command log at this level.
    pub(crate) fn set_log_level(&mut self, level: &'static str) {
        self.level = Some(level);
    }

    fn levelled<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some(level) = self.level {
            command.env("RUST_LOG", level);
        }
        command
    }

    /// Starts the daemon, `run` with these further arguments, its log in the world's folder. With a fuse, a variable and
    /// a number, it dies at a commit.
    pub(crate) fn start(&mut self, arguments: &[&str], fuse: Option<(&str, usize)>) {
        let log = File::options().create(true).append(true).open(self.dir.join("baton.log"));
        let log = log.expect("cannot open the log");
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(env!("CARGO_BIN_EXE_baton"));
        command.arg("--config").arg(self.dir.join("baton.toml")).arg("run").args(arguments);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        if let Some((variable, commits)) = fuse {
            command.env(variable, commits.to_string());
        }
        self.levelled(quiet(&mut command, "trace"));
        self.daemon = Some(command.spawn().expect("cannot start baton"));
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.daemon.as_mut().is_some_and(|daemon| matches!(daemon.try_wait(), Ok(None)))
    }

    /// Whether the daemon has ended as its fuse ends it.
    pub(crate) fn has_aborted(&mut self) -> bool {
        let ended = self.daemon.as_mut().and_then(|daemon| daemon.try_wait().ok().flatten());
        ended.is_some_and(is_abort)
    }

    /// Ends the daemon as systemd does, and answers how it ended.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        let mut daemon = self.daemon.take().expect("the daemon is not running");
        signal(&daemon.id().to_string(), "TERM");
        match poll(Duration::from_secs(15), || daemon.try_wait().ok().flatten()) {
            Some(status) => status,
            None => {
                let _ = (daemon.kill(), daemon.wait());
                panic!("the daemon does not end on SIGTERM:\n{}", self.log_tail(40));
            }
        }
    }

    /// The number of the daemon's process.
    pub(crate) fn process(&self) -> Option<u32> {
        self.daemon.as_ref().map(Child::id)
    }

    /// Ends the daemon in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            let _ = (daemon.kill(), daemon.wait());
        }
    }

    /// Makes the daemon read its configuration again.
    pub(crate) fn reload(&self) {
        let daemon = self.daemon.as_ref().expect("the daemon is not running");
        signal(&daemon.id().to_string(), "HUP");
    }

    /// A command of the command line, to be run by the caller.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command.arg("--config").arg(self.dir.join("baton.toml")).args(arguments);
        self.levelled(quiet(&mut command, "info")).stdin(Stdio::null());
        command
    }

    /// Runs a command of the command line to its end.
    pub(crate) fn says(&self, arguments: &[&str]) -> Answer {
        let out = self.command(arguments).output().expect("cannot run baton");
        Answer {
            code: out.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&out.stdout).into_owned(),
            err: String::from_utf8_lossy(&out.stderr).into_owned(),
            again: false,
        }
    }

    /// What a reading command says with `--json`; nothing when it failed or said something else.
    pub(crate) fn json<T: for<'any> Deserialize<'any>>(&self, arguments: &[&str]) -> Option<T> {
        let answer = self.says(&[arguments, &["--json"]].concat());
        if answer.code != 0 {
            return None;
        }
        match serde_json::from_str(&answer.out) {
            Ok(value) => Some(value),
            Err(error) => panic!("`baton {}` said {error}:\n{}", arguments.join(" "), answer.out),
        }
    }

    /// Every thread there is, the oldest first.
    pub(crate) fn threads(&self) -> Vec<Thread> {
        let mut threads: Vec<Thread> =
            self.json(&["threads", "--state", "all"]).unwrap_or_default();
        threads.sort_by_key(|thread| thread.id);
        threads
    }

    /// One thread with its messages and events.
    pub(crate) fn show(&self, id: i64) -> Option<Thread> {
        self.json(&["show", &id.to_string()])
    }

    /// How the mailboxes are doing; empty while nobody can say.
    pub(crate) fn status(&self) -> Vec<Status> {
        #[derive(Deserialize)]
        struct All {
            mailboxes: Vec<Status>,
        }
        self.json::<All>(&["status"]).map(|all| all.mailboxes).unwrap_or_default()
    }

    /// The whole log of the daemon.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.join("baton.log")).unwrap_or_default()
    }

    /// The last lines of the log.
    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let log = self.log();
        let all: Vec<&str> = log.lines().collect();
        all[all.len().saturating_sub(lines)..].join("\n")
    }
}

impl Drop for Baton {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a process that ended so ended itself at once (SIGABRT).
pub(crate) fn is_abort(status: ExitStatus) -> bool {
    status.signal() == Some(6)
}

/// Whether a signal ended a process that did not listen to it (SIGTERM).
pub(crate) fn is_termination(status: ExitStatus) -> bool {
    status.signal() == Some(15)
}

/// No setting of the developer's shell reaches the binary, but for the level of its log.
fn quiet<'a>(command: &'a mut Command, level: &str) -> &'a mut Command {
    for name in ["BATON_CONFIG", "STATE_DIRECTORY", "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY"] {
        command.env_remove(name);
    }
    if std::env::var_os("RUST_LOG").is_none() {
        command.env("RUST_LOG", level);
    }
    command.env("NO_COLOR", "1").env("RUST_BACKTRACE", "1")
}
