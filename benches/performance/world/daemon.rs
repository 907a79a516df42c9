//! The daemon under measurement: its configuration, its process, its database.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use baton::store::{Reader, Tx};
use tempfile::TempDir;

use super::{PASSWORD, poll};

/// A running daemon with a state directory of its own; stopped when it is dropped.
pub(crate) struct Daemon {
    dir: TempDir,
    process: Option<Child>,
    pub(crate) started: Instant,
}

/// What `/proc` says of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) resident_kb: u64,
    pub(crate) peak_kb: u64,
    pub(crate) cpu: Duration,
}

/// A mailbox of the configuration.
pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(crate) since: String,
    pub(crate) settings: &'static str,
}

/// The day that many days before today, as the configuration wants it.
pub(crate) fn days_ago(days: i64) -> String {
    let at = jiff::Timestamp::now().as_second() - days * 86_400;
    jiff::Timestamp::from_second(at).unwrap().strftime("%Y-%m-%d").to_string()
}

impl Daemon {
    /// Writes the configuration; starts nothing.
    pub(crate) fn new(mailboxes: &[Shared]) -> Daemon {
        let dir = tempfile::Builder::new().prefix("baton-bench-").tempdir().expect("a folder");
        let at = dir.path().display();
        let mut text = format!("state_dir = \"{at}/state\"\n\n");
        for Shared { name, port, since, settings } in mailboxes {
            let _ = write!(
                text,
                "[[mailbox]]\nname = \"{name}\"\naddress = \"{name}@example.test\"\nsince = \"{since}\"\n{settings}\n\
                 [mailbox.imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nuser = \"{name}@example.test\"\n\
                 password = {{ file = \"{at}/password\" }}\n\n"
            );
        }
        text.push_str(
            "[[agent]]\nid = \"ana\"\nname = \"Ana Ruiz\"\naddress = \"ana@example.test\"\n",
        );
        fs::write(dir.path().join("baton.toml"), text).unwrap();
        fs::write(dir.path().join("password"), PASSWORD).unwrap();
        Daemon { dir, process: None, started: Instant::now() }
    }

    /// Starts it.
    pub(crate) fn start(&mut self) {
        let log = File::create(self.dir.path().join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(env!("CARGO_BIN_EXE_baton"));
        command.arg("--config").arg(self.dir.path().join("baton.toml")).arg("run");
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.started = Instant::now();
        self.process = Some(command.spawn().expect("cannot start baton"));
    }

    /// Runs a command, and answers what it printed and how long it took.
    pub(crate) fn command(&self, arguments: &[&str]) -> (String, Duration) {
        command(&self.dir.path().join("baton.toml"), arguments)
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("baton.toml")
    }

    /// Waits until the database says so.
    #[track_caller]
    pub(crate) fn until(
        &self,
        patience: Duration,
        holds: impl Fn(&Tx<'_>) -> anyhow::Result<bool>,
    ) {
        let state_dir = self.state_dir();
        let reader = poll(Duration::from_secs(20), || Reader::open(&state_dir).ok());
        let reader = reader.unwrap_or_else(|| panic!("no database:\n{}", self.log()));
        let held = poll(patience, || reader.read(&holds).unwrap_or(false).then_some(()));
        assert!(held.is_some(), "it does not come about:\n{}", self.log());
    }

    /// Waits until everything is read of the mailbox's INBOX up to this UID, and answers how long it took since the start.
    #[track_caller]
    pub(crate) fn until_read(&self, mailbox: &str, uid: usize) -> Duration {
        self.until(Duration::from_secs(3_000), |tx| {
            let Some(mailbox) = tx.mailbox_id(mailbox)? else { return Ok(false) };
            Ok(tx.folder(mailbox, "INBOX")?.is_some_and(|inbox| uid < inbox.next_uid as usize))
        });
        self.started.elapsed()
    }

    /// Waits until every mailbox is connected, and answers how long it took since the start.
    #[track_caller]
    pub(crate) fn until_connected(&self) -> Duration {
        let since = jiff::Timestamp::now().as_second() - self.started.elapsed().as_secs() as i64;
        self.until(Duration::from_secs(300), |tx| {
            let new = |at: baton::clock::Timestamp| since <= at.0;
            Ok(tx.status()?.iter().all(|status| status.connected_since.is_some_and(new)))
        });
        self.started.elapsed()
    }

    /// Ends it in the middle of whatever it does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = (process.kill(), process.wait());
        }
    }

    pub(crate) fn usage(&self) -> Usage {
        self.process.as_ref().map_or(Usage::default(), |process| usage(process.id()))
    }

    pub(crate) fn log(&self) -> String {
        let log = fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        log.lines().rev().take(30).collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            super::dovecot::signal(&process.id().to_string(), "TERM");
            let _ = process.wait();
        }
    }
}

/// Runs a command of the command line, which must succeed.
pub(crate) fn command(config: &Path, arguments: &[&str]) -> (String, Duration) {
    let begun = Instant::now();
    let done = Command::new(env!("CARGO_BIN_EXE_baton"))
        .arg("--config")
        .arg(config)
        .args(arguments)
        .output()
        .expect("cannot run baton");
    let took = begun.elapsed();
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    (String::from_utf8_lossy(&done.stdout).into_owned(), took)
}

fn usage(process: u32) -> Usage {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let kb = |key: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|rest| rest.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
    };
    // The first number is nanoseconds on a processor; one file for each thread.
    let threads = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    let nanos = threads.filter_map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<u64>().ok()
    });
    // Exact, but without threads that have ended; those are in the other, in hundredths of a second.
    let cpu = Duration::from_nanos(nanos.sum()).max(ticks(process));
    Usage { resident_kb: kb("VmRSS:"), peak_kb: kb("VmHWM:"), cpu }
}

fn ticks(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times = after_name.split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>())
}
