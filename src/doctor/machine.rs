//! What is said of this machine: state directory, database, daemon, secrets, people.

use std::path::{Path, PathBuf};

use super::check::{Check, Sheet, Theme};
use super::secrets;
use crate::clock::Timestamp;
use crate::config::{Config, Mailbox};
use crate::daemon;
use crate::store::{self, MailboxStatus, Reader};

/// What was found on this machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Machine {
    pub(super) state_dir: PathBuf,
    /// Its permissions; `None` where it is not there, or cannot be looked at.
    pub(super) mode: Option<u32>,
    pub(super) database: Database,
    pub(super) daemon: Daemon,
    pub(super) secrets: Vec<Secret>,
    /// How many agents work in the mailbox.
    pub(super) agents: usize,
}

/// How the database is.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Database {
    /// Not made yet.
    #[default]
    Absent,
    Good,
    /// In words.
    Bad(String),
}

/// How the daemon is.
#[derive(Clone, Debug, Default)]
pub(super) struct Daemon {
    pub(super) running: bool,
    /// Why it cannot keep what happens.
    pub(super) trouble: Option<String>,
    /// What it says of the mailbox: since when it is connected, and its last error.
    pub(super) connected_since: Option<Timestamp>,
    pub(super) last_error: Option<String>,
}

/// A secret of the mailbox.
#[derive(Clone, Debug)]
pub(super) struct Secret {
    pub(super) key: String,
    pub(super) place: String,
    /// Why it cannot be read.
    pub(super) wrong: Option<String>,
    /// The file, where anybody may read it.
    pub(super) open_to_all: Option<PathBuf>,
}

/// Looks around.
pub(super) async fn look(mailbox: &Mailbox, config: &Config) -> Machine {
    let state_dir = config.state_dir.clone();
    let running = daemon::is_running(&state_dir);
    let trouble = match running {
        true => daemon::trouble(&state_dir).await.ok().flatten(),
        false => None,
    };
    let (database, status) = database(&state_dir, &mailbox.name);
    let status = status.filter(|_| running);
    let secrets = secrets::of(mailbox).into_iter().map(|secret| Secret {
        wrong: secret.try_out().err().map(|error| error.to_string()),
        open_to_all: secret.open_to_all().map(Path::to_path_buf),
        place: secret.source.place(),
        key: secret.key,
    });
    Machine {
        mode: mode(&state_dir),
        database,
        daemon: Daemon {
            running,
            trouble,
            connected_since: status.as_ref().and_then(|status| status.connected_since),
            last_error: status.and_then(|status| status.last_error),
        },
        secrets: secrets.collect(),
        agents: agents(mailbox),
        state_dir,
    }
}

/// How many people work in the mailbox.
pub(super) fn agents(mailbox: &Mailbox) -> usize {
    mailbox.policy.agents.iter().filter(|agent| agent.works_in(&mailbox.name)).count()
}

fn mode(state_dir: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    Some(std::fs::metadata(state_dir).ok()?.permissions().mode() & 0o7777)
}

fn database(state_dir: &Path, mailbox: &str) -> (Database, Option<MailboxStatus>) {
    let statuses = Reader::open(state_dir)
        .map_err(anyhow::Error::from)
        .and_then(|reader| reader.read(|tx| Ok(tx.status()?)));
    match statuses {
        Ok(all) => (Database::Good, all.into_iter().find(|status| status.name == mailbox)),
        Err(error) => match error.downcast_ref::<store::Error>() {
            Some(store::Error::Absent { .. }) => (Database::Absent, None),
            _ => (Database::Bad(error.to_string()), None),
        },
    }
}

/// What is to be said.
pub(super) fn checks(machine: &Machine) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Machine);
    state_dir(machine, &mut sheet);
    match &machine.database {
        Database::Good => sheet.pass("database", "it can be read, and is of this version"),
        Database::Absent => sheet.skip("database", "there is none yet; the first start makes it"),
        Database::Bad(words) => sheet.fail_in_words("database", words),
    }
    daemon_checks(&machine.daemon, &mut sheet);
    secret_checks(&machine.secrets, &mut sheet);
    match machine.agents {
        0 => sheet.warn(
            "agents",
            "nobody works in this mailbox, so no thread can have an owner",
            "write an [[agent]] for each person who answers",
        ),
        1 => sheet.pass("agents", "1 person works in this mailbox"),
        count => sheet.pass("agents", format!("{count} people work in this mailbox")),
    }
    sheet.done()
}

fn state_dir(machine: &Machine, sheet: &mut Sheet) {
    let path = machine.state_dir.display();
    match machine.mode {
        None => {
            sheet.skip("state-directory", format!("{path} is not there yet, or not to be seen"))
        }
        Some(mode) if mode & 0o077 != 0 => sheet.warn(
            "state-directory",
            format!("others on this machine may look into {path} (mode {mode:04o})"),
            format!("chmod 0700 {path}"),
        ),
        Some(_) => sheet.pass("state-directory", format!("{path}, for Baton's user only")),
    }
}

fn daemon_checks(daemon: &Daemon, sheet: &mut Sheet) {
    if !daemon.running {
        sheet.warn(
            "daemon",
            "it does not run, so nothing is seen and nothing is shown",
            "systemctl start baton, or `baton run`",
        );
        sheet.skip("connected", "the daemon does not run");
        return;
    }
    match &daemon.trouble {
        None => sheet.pass("daemon", "it runs, and can keep what happens"),
        Some(trouble) => sheet.fail(
            "daemon",
            format!("it runs, but cannot write its database: {trouble}"),
            "make room on the disk of the state directory, or repair it",
        ),
    }
    match (&daemon.connected_since, &daemon.last_error) {
        (Some(_), None) => sheet.pass("connected", "the daemon is connected to this mailbox"),
        (_, Some(error)) => sheet.fail(
            "connected",
            format!("the daemon could not connect last time: {error}"),
            "what stands below says more",
        ),
        (None, None) => sheet.warn(
            "connected",
            "the daemon has not connected to this mailbox yet",
            "wait a moment; if it is new in the configuration, systemctl reload baton",
        ),
    }
}

fn secret_checks(secrets: &[Secret], sheet: &mut Sheet) {
    let mut is_well = true;
    for secret in secrets {
        if let Some(words) = &secret.wrong {
            is_well = false;
            sheet.fail_in_words("secrets", &format!("{}: {words}", secret.key));
        }
    }
    if is_well {
        let places: Vec<String> =
            secrets.iter().map(|one| format!("{} in {}", one.key, one.place)).collect();
        match places.is_empty() {
            true => sheet.skip("secrets", "this login has none"),
            false => sheet.pass("secrets", places.join(", ")),
        }
    }
    let open: Vec<String> = secrets
        .iter()
        .filter_map(|one| Some(one.open_to_all.as_ref()?.display().to_string()))
        .collect();
    match open.is_empty() {
        true => sheet.pass("secret-permissions", "not everybody on this machine may read them"),
        false => sheet.warn(
            "secret-permissions",
            format!("everybody on this machine may use {}", open.join(", ")),
            format!("chmod o= {}", open.join(" ")),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    fn outcome(machine: &Machine, name: &str) -> (Outcome, String) {
        let check = checks(machine).into_iter().find(|check| check.name == name).unwrap();
        (check.outcome, format!("{} {}", check.what, check.remedy.unwrap_or_default()))
    }

    #[test]
    fn a_daemon_that_fails_is_told_with_its_own_words() {
        let mut machine = Machine { agents: 2, ..Machine::default() };
        assert_eq!(outcome(&machine, "daemon").0, Outcome::Warn);
        assert_eq!(outcome(&machine, "connected").0, Outcome::Skipped);
        machine.daemon.running = true;
        assert_eq!(outcome(&machine, "connected").0, Outcome::Warn);
        machine.daemon.last_error = Some("no route".into());
        let (found, words) = outcome(&machine, "connected");
        assert_eq!(found, Outcome::Fail);
        assert!(words.contains("no route"), "{words}");
        machine.daemon.trouble = Some("disk full".into());
        assert_eq!(outcome(&machine, "daemon").0, Outcome::Fail);
    }

    #[test]
    fn what_others_may_read_is_told_with_the_line_that_mends_it() {
        let machine = Machine {
            state_dir: "/x".into(),
            mode: Some(0o755),
            secrets: vec![Secret {
                key: "imap.password".into(),
                place: "/y".into(),
                wrong: None,
                open_to_all: Some("/y".into()),
            }],
            ..Machine::default()
        };
        assert!(outcome(&machine, "state-directory").1.contains("chmod 0700 /x"));
        assert!(outcome(&machine, "secret-permissions").1.contains("chmod o= /y"));
        assert_eq!(outcome(&machine, "agents").0, Outcome::Warn);
    }
}
