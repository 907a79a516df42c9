//! A private, real Postfix as the provider: own folder, own loopback port, gone when it is dropped.
//!
//! Whoever logs in does so by the world's Dovecot, and may send as the own address only. What it takes for `customer.test` and
//! for the team it delivers into one folder, which [`Postfix::delivered`] reads byte for byte. Slow to start, and only for
//! root: a handful of stories use it, the others [`super::smtpd`].

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::dovecot::{free_port, signal};
use super::poll;

/// The folders of the queue; `postfix check` would make them, slowly.
const QUEUE: [&str; 13] = [
    "pid", "incoming", "active", "deferred", "bounce", "defer", "flush", "trace", "private",
    "public", "maildrop", "hold", "corrupt",
];
/// The user whose mail it is.
const NOBODY: u32 = 65534;

/// A running Postfix.
pub(crate) struct Postfix {
    dir: TempDir,
    pub(crate) port: u16,
    master: Option<Child>,
}

/// A mail as it lies in the customer's mailbox.
#[derive(Clone, Debug)]
pub(crate) struct Delivered {
    /// To whom.
    pub(crate) to: String,
    /// As it was sent: with CRLF, and without what Postfix wrote above it.
    pub(crate) message: Vec<u8>,
}

impl Postfix {
    /// Starts one whose users are known at this socket of Dovecot's.
    pub(crate) fn start(auth: &Path) -> Postfix {
        let dir = tempfile::Builder::new().prefix("baton-postfix-").tempdir().expect("a folder");
        let mut postfix = Postfix { dir, port: 0, master: None };
        for _ in 0..3 {
            postfix.port = free_port();
            postfix.write_configuration(auth).expect("cannot write Postfix's configuration");
            if postfix.launch() {
                return postfix;
            }
        }
        panic!("Postfix does not start (Debian package postfix, as root):\n{}", postfix.log());
    }

    fn write_configuration(&self, auth: &Path) -> std::io::Result<()> {
        let at = self.dir.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755))?;
        for folder in QUEUE {
            fs::create_dir_all(at.join("queue").join(folder))?;
        }
        for folder in ["data", "mail"] {
            fs::create_dir_all(at.join(folder))?;
        }
        let both = [at.join("queue"), at.join("data")];
        let owned = Command::new("chown").args(["-R", "postfix"]).args(both).status()?;
        assert!(owned.success(), "there is no user postfix (Debian package postfix)");
        for root in ["queue", "queue/pid"] {
            chown(at.join(root), Some(0), None)?;
        }
        chown(at.join("mail"), Some(NOBODY), Some(NOBODY))?;
        let text = MAIN.replace("DIR", &at.display().to_string());
        fs::write(at.join("main.cf"), text.replace("AUTH", &auth.display().to_string()))?;
        fs::write(at.join("master.cf"), MASTER.replace("PORT", &self.port.to_string()))
    }

    fn launch(&mut self) -> bool {
        // Nothing stays behind even when the tests are killed; see the world's Dovecot.
        let mut master = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "/usr/lib/postfix/sbin/master", "-d", "-c"])
            .arg(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("cannot start postfix (Debian package postfix)");
        let up = poll(Duration::from_secs(30), || match master.try_wait() {
            Ok(None) => TcpStream::connect(("127.0.0.1", self.port)).ok().map(|_| true),
            _ => Some(false),
        });
        self.master = Some(master);
        if up != Some(true) {
            self.stop();
        }
        up == Some(true)
    }

    /// Takes it away, with everything that it started.
    pub(crate) fn stop(&mut self) {
        let Some(mut master) = self.master.take() else { return };
        signal(&format!("-{}", master.id()), "TERM");
        let gone = poll(Duration::from_secs(5), || master.try_wait().ok().flatten());
        signal(&format!("-{}", master.id()), "KILL");
        if gone.is_none() {
            let _ = master.wait();
        }
    }

    /// What Postfix logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Everything that was delivered.
    pub(crate) fn delivered(&self) -> Vec<Delivered> {
        let Ok(folder) = fs::read_dir(self.dir.path().join("mail/inbox/new")) else {
            return Vec::new();
        };
        let mut paths: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths.iter().filter_map(|path| fs::read(path).ok()).map(|raw| as_sent(&raw)).collect()
    }
}

/// Without the fields above the first that Baton wrote, which is From.
fn as_sent(raw: &[u8]) -> Delivered {
    let mut message = Vec::with_capacity(raw.len() + raw.len() / 32);
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        message.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        message.extend_from_slice(b"\r\n");
    }
    let starts =
        message.windows(7).position(|window| window == b"\r\nFrom:").map_or(0, |at| at + 2);
    let above = String::from_utf8_lossy(&message[..starts]).into_owned();
    let to = above.lines().find_map(|line| line.strip_prefix("Delivered-To: "));
    Delivered { to: to.unwrap_or_default().to_owned(), message: message.split_off(starts) }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.stop();
    }
}

const MAIN: &str = "compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = DIR/log
maillog_file_prefixes = DIR
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.test
mydestination =
mynetworks =
alias_maps =
local_recipient_maps =
message_size_limit = 40000000
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = AUTH
smtpd_sender_login_maps = inline:{support@example.test=support@example.test}
smtpd_sender_restrictions = reject_sender_login_mismatch
smtpd_recipient_restrictions = permit_sasl_authenticated, reject
virtual_mailbox_domains = customer.test, example.test
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = static:inbox/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
";

const MASTER: &str = "127.0.0.1:PORT inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
";
