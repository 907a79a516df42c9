//! Clients that others wrote, at the emulators: so that those are not only what Baton expects of them.
//!
//! `sh tests/run.sh` installs the clients (see `tests/install.sh`). One that is missing fails its test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder where `tests/install.sh` has put what Debian does not have; `library` must be in it.
#[track_caller]
fn installed(folder: &str, library: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/clients").join(folder);
    let there = folder.join(library).exists();
    assert!(there, "{library} is not in {}: `sh tests/run.sh` installs it", folder.display());
    folder
}

/// Runs a client to its end, and lets a person do what it asks for.
#[track_caller]
pub(super) fn run(command: &mut Command, mut person: impl FnMut(&str)) {
    let shown = format!("{command:?}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| {
        panic!("cannot run {shown}: {error}. `sh tests/run.sh` installs the clients that the tests need")
    });
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok) {
        match line.strip_prefix("please ") {
            Some(wish) => person(wish),
            None => said.push_str(&format!("{line}\n")),
        }
    }
    let end = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&end.stderr);
    assert!(end.status.success(), "{shown} ended with {}:\n{said}{errors}", end.status);
}

/// A script of `clients/` under Python, with imapclient.
#[track_caller]
pub(super) fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.env("PYTHONPATH", installed("python", "imapclient")).arg(here(script));
    command
}

/// A script of `clients/` under Node; its first argument is the folder with imapflow.
#[track_caller]
pub(super) fn node(script: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(here(script)).arg(installed("node", "node_modules/imapflow"));
    command
}

/// mbsync with its configuration.
pub(super) fn mbsync(configuration: &Path) -> Command {
    let mut command = Command::new("mbsync");
    command.arg("-c").arg(configuration).args(["-V", "gmail"]);
    command
}

fn here(script: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/emulators/clients").join(script)
}
