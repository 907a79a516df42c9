//! The floor of what relays mail: a private Postfix as it comes, which hands everything on to one server.

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
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
/// A running Postfix; gone when it is dropped.
pub(crate) struct Postfix {
    pub(crate) port: u16,
    master: Child,
    // Dropped after the process that writes into it.
    dir: TempDir,
}

impl Postfix {
    /// Starts one that relays to this port of the machine.
    pub(crate) fn relaying_to(sink: u16) -> Postfix {
        let dir = tempfile::Builder::new().prefix("baton-postfix-").tempdir().expect("a folder");
        let at = dir.path();
        fs::set_permissions(at, fs::Permissions::from_mode(0o755)).unwrap();
        for folder in QUEUE {
            fs::create_dir_all(at.join("queue").join(folder)).unwrap();
        }
        fs::create_dir_all(at.join("data")).unwrap();
        let both = [at.join("queue"), at.join("data")];
        let owned = Command::new("chown").args(["-R", "postfix"]).args(both).status().unwrap();
        assert!(owned.success(), "there is no user postfix (Debian package postfix, as root)");
        for root in ["queue", "queue/pid"] {
            chown(at.join(root), Some(0), None).unwrap();
        }
        let port = free_port();
        let main = MAIN.replace("DIR", &at.display().to_string());
        fs::write(at.join("main.cf"), main.replace("SINK", &sink.to_string())).unwrap();
        fs::write(at.join("master.cf"), MASTER.replace("PORT", &port.to_string())).unwrap();
        let master = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "/usr/lib/postfix/sbin/master", "-d", "-c"])
            .arg(at)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("cannot start postfix (Debian package postfix)");
        let postfix = Postfix { port, master, dir };
        let up = || TcpStream::connect(("127.0.0.1", port)).ok();
        assert!(poll(Duration::from_secs(30), up).is_some(), "Postfix does not start");
        postfix
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        signal(&format!("-{}", self.master.id()), "TERM");
        let gone = poll(Duration::from_secs(5), || self.master.try_wait().ok().flatten());
        signal(&format!("-{}", self.master.id()), "KILL");
        if gone.is_none() {
            let _ = self.master.wait();
        }
        let _ = fs::read_dir(self.dir.path());
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
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
message_size_limit = 40000000
relayhost = [127.0.0.1]:SINK
disable_dns_lookups = yes
";

/// Debian's, without what is not asked here.
const MASTER: &str = "127.0.0.1:PORT inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";
