//! What `baton doctor` says of healthy and of broken mailboxes, whole, as a person reads it.
//!
//! Each case is kept in `tests/data/doctor`; `BATON_WRITE_DOCTOR=1` writes them anew, and then somebody reads the
//! difference. What changes from run to run (ports, folders, times) is replaced by something as long.

mod beside;
mod broken;
mod front;
mod healthy;
mod microsoft;
mod submission;

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use crate::world::{Baton, PATIENCE, poll};

/// The address at Gmail and at a Dovecot.
const SUPPORT: &str = "support@example.test";

/// A mailbox with Baton, and a patient doctor.
struct Patient {
    baton: Baton,
    dir: TempDir,
    /// What is replaced, and by what.
    masks: Vec<(String, String)>,
    authority: Option<&'static str>,
}

impl Patient {
    /// With these lines of `[[mailbox]]` and what follows it, in which `DIR` is the folder.
    fn new(mailbox: &str) -> Patient {
        // Always as long, so that lines break where they did.
        let dir = tempfile::Builder::new().prefix("baton-doctor-").tempdir_in("/tmp");
        let dir = dir.expect("a folder");
        let text = format!(
            "state_dir = \"DIR/state\"\n\n[[mailbox]]\nname = \"support\"\nsince = \"2026-11-01\"\npoll_seconds = 1\n\
             {mailbox}\n[[agent]]\nid = \"ana\"\nname = \"Ana Ruiz\"\naddress = \"ana@example.test\"\n"
        );
        let path = dir.path().display().to_string();
        let masks = vec![(path.clone(), format!("/tmp/baton-doctor-{}", "x".repeat(6)))];
        let baton = Baton::new(dir.path(), &text.replace("DIR", &path));
        Patient { baton, dir, masks, authority: None }
    }

    fn writes(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::write(&path, text).expect("cannot write the file");
        let only_ours = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        fs::set_permissions(&path, only_ours).expect("a file");
    }

    /// A port that is another one each time.
    fn masks(&mut self, port: u16, stand_in: u16) {
        self.masks.push((format!("{port:05}"), format!("{stand_in:05}")));
    }

    /// Starts the daemon, and waits until it is connected and has made its folders.
    #[track_caller]
    fn starts(&mut self) {
        self.baton.start(&[], None);
        let content = || {
            let status = self.baton.status();
            status.first()?.connected_since.as_ref().map(|_| ())
        };
        assert!(poll(PATIENCE, content).is_some(), "{}", self.baton.log_tail(40));
        let has_folders = || {
            let checks = self.checks(&[]);
            let folders = checks.iter().find(|check| check["name"] == "baton-folders")?;
            (folders["outcome"] != "warn").then_some(())
        };
        assert!(poll(PATIENCE, has_folders).is_some(), "{}", self.baton.log_tail(40));
    }

    /// Runs the doctor. Answers the exit code and what it said.
    fn asks(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = self.baton.command(&[&["doctor"], arguments].concat());
        // As a person has it.
        command.env_remove("RUST_LOG");
        if let Some(authority) = self.authority {
            command.env("SSL_CERT_FILE", data(authority));
        }
        let out = command.output().expect("cannot run baton");
        let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (out.status.code().unwrap_or(-1), text)
    }

    /// What it says is what is kept under this name, and it ends with this code.
    #[track_caller]
    fn is_told(&self, name: &str, arguments: &[&str], code: i32) {
        let (ended, said) = self.asks(arguments);
        let said = self.masked(&said);
        let path = data(&format!("doctor/{name}.txt"));
        if std::env::var_os("BATON_WRITE_DOCTOR").is_some() {
            fs::write(&path, &said).expect("cannot write the case");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(said == kept, "{}\nis kept, but it says\n{said}", kept);
        assert_eq!(ended, code, "{said}");
        let wide: Vec<&str> = said.lines().filter(|line| 80 < line.chars().count()).collect();
        // A word that is to be typed or opened stands alone, and whole.
        let is_broken = |line: &&&str| line.trim().trim_start_matches("-> ").contains(' ');
        assert!(!wide.iter().any(|line| is_broken(&line)), "{wide:#?}");
    }

    /// The checks in JSON.
    #[track_caller]
    fn checks(&self, arguments: &[&str]) -> Vec<Value> {
        let (_, said) = self.asks(&[arguments, &["--json"]].concat());
        let all: Value =
            serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
        all["mailboxes"][0]["checks"].as_array().expect("checks").clone()
    }

    fn masked(&self, said: &str) -> String {
        let mut said = said.to_owned();
        for (real, stand_in) in &self.masks {
            said = said.replace(real, stand_in);
        }
        for (pattern, stand_in) in [
            (r"within \d+ ms", "within 3 ms"),
            (r"good for \d+ days", "good for 90 days"),
            (r"consent is good until \d{4}-\d\d-\d\d", "consent is good until 2027-02-22"),
            (r"is \d+ s (ahead of|behind)", "is 400 s $1"),
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-11-24T12:00:00.000Z"),
        ] {
            said = Regex::new(pattern).unwrap().replace_all(&said, stand_in).into_owned();
        }
        said
    }
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}
