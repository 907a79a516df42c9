//! Logging in with OAuth: the real `baton`, the twins of Google's and Microsoft's token endpoints, and mail servers that
//! take their tokens.

mod dovecot;
mod ending;
mod flows;
mod rotation;
mod secrets;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::world::exchange::{SHARED, Tenant};
use crate::world::tokens::microsoft::{CLIENT_ID, SECRET, TENANT};
use crate::world::tokens::{Google, google};
use crate::world::{Baton, PATIENCE, poll};

/// The account at Google.
const SUPPORT: &str = "support@example.test";

/// One mailbox of Baton's, and the folder in which everything of it lies.
struct Desk {
    baton: Baton,
    dir: TempDir,
}

impl Desk {
    /// With these lines of `[[mailbox]]` and of `[mailbox.login]`, in which `DIR` is the folder.
    fn new(mailbox: &str, login: &str, imap_port: u16) -> Desk {
        let dir = tempfile::Builder::new().prefix("baton-login-").tempdir().expect("a folder");
        let text = format!(
            "state_dir = \"DIR/state\"\n\n[[mailbox]]\nname = \"support\"\nsince = \"2026-11-01\"\npoll_seconds = 1\n\
             {mailbox}\n[mailbox.login]\nmethod = \"oauth2\"\n{login}\n\
             [mailbox.imap]\nhost = \"127.0.0.1\"\nport = {imap_port}\ntls = \"none\"\n\n\
             [[agent]]\nid = \"ana\"\nname = \"Ana Ruiz\"\naddress = \"ana@example.test\"\n"
        );
        let text = text.replace("DIR", &dir.path().display().to_string());
        Desk { baton: Baton::new(dir.path(), &text), dir }
    }

    /// At Microsoft, with these lines of `[mailbox.login]`.
    fn at_microsoft(tenant: &Tenant, login: &str) -> Desk {
        let mailbox = format!("address = \"{SHARED}\"\nprovider = \"microsoft365\"\n");
        let microsoft = &tenant.microsoft;
        let login = format!(
            "{login}\ntenant = \"{TENANT}\"\nclient_id = \"{CLIENT_ID}\"\ntoken_url = \"{}\"\n",
            microsoft.token_url(TENANT)
        );
        let desk = Desk::new(&mailbox, &login, tenant.imap.port);
        desk.writes("secret", SECRET);
        desk
    }

    /// At Google, as the account itself.
    fn at_google(google: &Google, mailbox: &str, imap_port: u16) -> Desk {
        let login = format!(
            "flow = \"authorization-code\"\nclient_id = \"{}\"\nclient_secret = {{ file = \"DIR/secret\" }}\n\
             token_url = \"{}\"\nauthorize_url = \"{}\"\n",
            google::CLIENT_ID,
            google.token_url(),
            google.auth_url()
        );
        let desk = Desk::new(&at_google(mailbox), &login, imap_port);
        desk.writes("secret", google::CLIENT_SECRET);
        desk
    }

    /// At Google, as a service account.
    fn as_service_account(google: &Google, mailbox: &str, imap_port: u16) -> Desk {
        let login = format!(
            "flow = \"service-account\"\nkey = {{ file = \"DIR/key.json\" }}\ntoken_url = \"{}\"\n",
            google.token_url()
        );
        let desk = Desk::new(&at_google(mailbox), &login, imap_port);
        desk.writes("key.json", &google.service_account_json());
        desk
    }

    fn writes(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).expect("cannot write the file");
    }

    /// Begins a command that a person talks with.
    fn begins(&self, arguments: &[&str]) -> Talk {
        let log = self.dir.path().join("command.log");
        let errors = File::options().create(true).append(true).open(&log).expect("a log");
        let mut command = self.baton.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut child = command.spawn().expect("cannot start baton");
        let out = BufReader::new(child.stdout.take().expect("its output"));
        Talk { child, out, heard: String::new(), log }
    }

    /// `baton login support`, with the person at a browser on the same machine.
    #[track_caller]
    fn logs_in_by_browser(&self) -> String {
        let mut talk = self.begins(&["login", "support"]);
        let url = talk.line_with("http://");
        crate::world::tokens::browser::visit(url.trim()).expect("no page at the end");
        talk.done()
    }

    /// Starts the daemon, and waits until it is connected and content.
    #[track_caller]
    fn starts(&mut self) {
        self.baton.start(&[], None);
        self.is_content();
    }

    /// Waits until the daemon is connected, and content.
    #[track_caller]
    fn is_content(&self) {
        let content = || {
            let status = self.baton.status();
            let one = status.first()?;
            (one.connected_since.is_some() && one.last_error.is_none()).then_some(())
        };
        let seen = poll(PATIENCE, content);
        assert!(seen.is_some(), "{:?}\n{}", self.baton.status(), self.baton.log_tail(40));
    }

    /// What is held of the login.
    fn held(&self) -> Value {
        let all: Value = self.baton.json(&["login", "--status"]).expect("no status of the login");
        all["mailboxes"][0].clone()
    }
}

fn at_google(mailbox: &str) -> String {
    format!("address = \"{SUPPORT}\"\nprovider = \"gmail\"\n{mailbox}\n")
}

/// A command that a person talks with.
struct Talk {
    child: Child,
    out: BufReader<ChildStdout>,
    heard: String,
    log: PathBuf,
}

impl Talk {
    /// Reads on to the line with this in it.
    #[track_caller]
    fn line_with(&mut self, word: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.out.read_line(&mut line).expect("no output");
            self.heard.push_str(&line);
            if line.contains(word) {
                return line;
            }
            assert!(0 < count, "it ended: {}{}", self.heard, self.complaints());
        }
    }

    /// The person types a line.
    fn types(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input");
        input.write_all(format!("{line}\n").as_bytes()).expect("it does not listen");
    }

    /// Reads to the end. Answers the exit code and everything that was said.
    fn ends(mut self) -> (Option<i32>, String) {
        drop(self.child.stdin.take());
        self.out.read_to_string(&mut self.heard).expect("no output");
        let status = self.child.wait().expect("no end");
        (status.code(), format!("{}{}", self.heard, self.complaints()))
    }

    /// The end of a command that must have been done.
    #[track_caller]
    fn done(self) -> String {
        let (code, heard) = self.ends();
        assert_eq!(code, Some(0), "{heard}");
        heard
    }

    fn complaints(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}
