//! A private, real Dovecot: own folder, own loopback port, gone when it is dropped.
//!
//! Everything it touches lies in one temporary folder, so that any number of them can run at once, as root
//! or as an ordinary user. A [`Server`] says how rich the server pretends to be. Nothing of Baton is known here.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, io};

use tempfile::TempDir;

use super::client::Imap;
use super::{PASSWORD, poll};

/// What Dovecot 2.3 says of itself after login, SPECIAL-USE included.
const CAPABILITIES: &str = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE SORT SORT=DISPLAY \
     THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT MULTIAPPEND URL-PARTIAL CATENATE UNSELECT CHILDREN \
     NAMESPACE UIDPLUS LIST-EXTENDED I18NLEVEL=1 CONDSTORE QRESYNC ESEARCH ESORT SEARCHRES WITHIN CONTEXT=SEARCH \
     LIST-STATUS BINARY MOVE SNIPPET=FUZZY PREVIEW=FUZZY PREVIEW STATUS=SIZE SAVEDATE LITERAL+ NOTIFY SPECIAL-USE";

/// The user that mail processes run as when the tests run as root; Dovecot refuses root.
const NOBODY: u32 = 65534;

/// How the server presents itself.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    /// Capabilities that it does not admit to.
    pub(crate) hidden: Vec<&'static str>,
    /// What stands between the parts of a folder's name.
    pub(crate) separator: char,
    /// What every folder but INBOX begins with, `INBOX.` on some servers.
    pub(crate) prefix: &'static str,
    /// Where it asks whether a token is good (RFC 7662); it offers logins with tokens then, besides passwords.
    pub(crate) introspection_url: Option<String>,
    /// The ways to show a token that it offers.
    pub(crate) token_mechanisms: Vec<&'static str>,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            hidden: Vec::new(),
            separator: '/',
            prefix: "",
            introspection_url: None,
            token_mechanisms: vec!["xoauth2", "oauthbearer"],
        }
    }
}

impl Server {
    /// The server without these capabilities.
    pub(crate) fn without(hidden: &[&'static str]) -> Server {
        Server { hidden: hidden.to_vec(), ..Server::default() }
    }

    /// The server that takes the tokens which are good at this introspection endpoint; see [`super::tokens`].
    pub(crate) fn asking(introspection_url: String) -> Server {
        Server { introspection_url: Some(introspection_url), ..Server::default() }
    }
}

/// A running Dovecot.
pub(crate) struct Dovecot {
    dir: TempDir,
    server: Server,
    pub(crate) port: u16,
    master: Option<Child>,
}

impl Dovecot {
    /// Starts a server and waits until it greets. A port that somebody else took meanwhile is given up for another.
    pub(crate) fn start(server: Server) -> Dovecot {
        let dir = tempfile::Builder::new().prefix("baton-dovecot-").tempdir().expect("a folder");
        let mut dovecot = Dovecot { dir, server, port: 0, master: None };
        for _ in 0..5 {
            dovecot.port = free_port();
            dovecot.write_configuration().expect("cannot write Dovecot's configuration");
            if dovecot.launch() {
                return dovecot;
            }
        }
        panic!("Dovecot does not start:\n{}", dovecot.log());
    }

    /// Stops the server, does `meanwhile` with its mail folder, and starts it again on the same port.
    pub(crate) fn restart_after(&mut self, meanwhile: impl FnOnce(&Path)) {
        self.stop();
        meanwhile(&self.dir.path().join("mail"));
        assert!(self.launch(), "Dovecot does not come back:\n{}", self.log());
    }

    /// Gives the folder a new UIDVALIDITY, as a restored backup does: index and UID list are lost.
    pub(crate) fn loses_uids(&mut self, user: &str, folder: &str) {
        let separator = self.server.separator;
        self.restart_after(|mail| {
            let below = match folder {
                "INBOX" => String::new(),
                other => format!(".{}", other.replace(separator, ".")),
            };
            let folder = mail.join(user).join(below);
            for entry in fs::read_dir(&folder).expect("no such folder").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("dovecot.index") || name == "dovecot-uidlist" {
                    fs::remove_file(entry.path()).expect("cannot remove the index");
                }
            }
        });
    }

    /// Takes the server away, with every connection.
    pub(crate) fn stop(&mut self) {
        let Some(mut master) = self.master.take() else { return };
        signal(&format!("-{}", master.id()), "TERM");
        let gone = poll(Duration::from_secs(5), || master.try_wait().ok().flatten());
        // Whatever of the group has not listened goes now.
        signal(&format!("-{}", master.id()), "KILL");
        if gone.is_none() {
            let _ = master.wait();
        }
    }

    /// Brings a stopped server back on its port.
    pub(crate) fn resume(&mut self) {
        assert!(self.launch(), "Dovecot does not come back:\n{}", self.log());
    }

    /// Where other servers ask who somebody is.
    pub(crate) fn auth(&self) -> std::path::PathBuf {
        self.dir.path().join("run/auth-client")
    }

    /// What Dovecot logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("dovecot.log")).unwrap_or_default()
    }

    fn launch(&mut self) -> bool {
        // With a death signal nothing stays behind even when the tests are killed. It comes when the thread ends that
        // started the server, so a world belongs to the thread of its story.
        let mut master = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "dovecot", "-F", "-c"])
            .arg(self.dir.path().join("dovecot.conf"))
            .env("PATH", path_with_sbin())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.stderr())
            .process_group(0)
            .spawn()
            .expect("cannot start dovecot (Debian package dovecot-imapd)");
        let up = poll(Duration::from_secs(20), || match master.try_wait() {
            Ok(None) => Imap::greeting(self.port).ok().map(|()| true),
            _ => Some(false),
        });
        self.master = Some(master);
        if up != Some(true) {
            self.stop();
        }
        up == Some(true)
    }

    fn stderr(&self) -> Stdio {
        let path = self.dir.path().join("dovecot.log");
        fs::File::options().create(true).append(true).open(path).map_or(Stdio::null(), Stdio::from)
    }

    fn write_configuration(&self) -> io::Result<()> {
        let dir = self.dir.path();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
        fs::create_dir_all(dir.join("mail"))?;
        let owner = fs::metadata(dir)?;
        let (uid, gid, internal) = if owner.uid() == 0 {
            chown(dir.join("mail"), Some(NOBODY), Some(NOBODY))?;
            (NOBODY, NOBODY, String::new())
        } else {
            let (user, group) = (id("-un"), id("-gn"));
            let internal = format!(
                "default_internal_user = {user}\ndefault_login_user = {user}\ndefault_internal_group = {group}\n"
            );
            (owner.uid(), owner.gid(), internal)
        };
        let mut text = format!(
            "base_dir = {dir}/run\nstate_dir = {dir}/state\nlog_path = {dir}/dovecot.log\n\
             protocols = imap\nlisten = 127.0.0.1\nssl = no\ndisable_plaintext_auth = no\nauth_failure_delay = 0\n\
             default_vsz_limit = 4G\n\
             mail_max_userip_connections = 200\nmail_fsync = never\nmail_location = maildir:{dir}/mail/%u\n\
             mail_uid = {uid}\nmail_gid = {gid}\nfirst_valid_uid = 1\nfirst_valid_gid = 1\n{internal}\
             passdb {{\n driver = static\n mechanisms = plain login\n args = password={PASSWORD}\n}}\n\
             userdb {{\n driver = static\n args = home={dir}/mail/%u\n}}\n\
             service imap-login {{\n chroot =\n service_count = 0\n\
             inet_listener imap {{\n port = {port}\n }}\n inet_listener imaps {{\n port = 0\n }}\n}}\n\
             service anvil {{\n chroot =\n}}\nservice stats {{\n chroot =\n}}\n\
             service auth {{\n unix_listener auth-client {{\n mode = 0666\n }}\n}}\n",
            dir = dir.display(),
            port = self.port,
        );
        if !self.server.hidden.is_empty() {
            let shown: Vec<&str> =
                CAPABILITIES.split_whitespace().filter(|word| !self.hides(word)).collect();
            let _ = writeln!(text, "imap_capability = {}", shown.join(" "));
        }
        text.push_str(&self.namespace());
        if let Some(url) = &self.server.introspection_url {
            text.push_str(&self.write_token_rules(url)?);
        }
        fs::write(dir.join("dovecot.conf"), text)
    }

    /// What makes Dovecot take tokens: a password database that asks, for these mechanisms only.
    fn write_token_rules(&self, url: &str) -> io::Result<String> {
        let path = self.dir.path().join("oauth2.conf");
        let rules = format!(
            "introspection_mode = post\nintrospection_url = {url}\nforce_introspection = yes\n\
             username_attribute = username\nactive_attribute = active\nactive_value = true\n"
        );
        fs::write(&path, rules)?;
        let mechanisms = self.server.token_mechanisms.join(" ");
        Ok(format!(
            "auth_mechanisms = plain {mechanisms}\n\
             passdb {{\n driver = oauth2\n mechanisms = {mechanisms}\n args = {}\n}}\n",
            path.display()
        ))
    }

    fn namespace(&self) -> String {
        let mut text = format!(
            "namespace inbox {{\n inbox = yes\n separator = {}\n prefix = {}\n",
            self.server.separator, self.server.prefix
        );
        for name in ["Sent", "Drafts", "Junk", "Trash", "Archive"] {
            let special = if self.hides("SPECIAL-USE") {
                String::new()
            } else {
                format!("  special_use = \\{name}\n")
            };
            let _ = write!(text, " mailbox {name} {{\n  auto = subscribe\n{special} }}\n");
        }
        text.push_str("}\n");
        text
    }

    fn hides(&self, capability: &str) -> bool {
        self.server.hidden.contains(&capability)
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A port of the loopback that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr()).unwrap().port()
}

/// Sends a signal to a process that this test started, or to its group (`-PID`).
pub(crate) fn signal(process: &str, name: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{name}"), "--", process])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}

/// Debian keeps `dovecot` where an ordinary user's PATH does not look.
fn path_with_sbin() -> String {
    format!("{}:/usr/local/sbin:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}

fn id(what: &str) -> String {
    let out = Command::new("id").arg(what).output().expect("cannot run id");
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}
