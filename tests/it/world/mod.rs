//! A team's office in a box: a shared mailbox on a real server, customers, agents, and Baton.
//!
//! A scenario is a function that is told in a [`World`]: `Setup::keywords().tell(|world| …)`. Customers and agents
//! act with [`eyes`] straight on the server; Baton sees it through [`proxy`]. At the end of each story the world
//! itself checks what must hold after every story: see [`World::finish`].

mod after;
mod at_exchange;
mod at_gmail;
mod baton;
mod client;
pub(crate) mod crashes;
mod dovecot;
pub(crate) mod exchange;
mod eyes;
mod fault;
mod garbler;
#[allow(dead_code, unused_imports, reason = "not every part of it has a use in every scenario")]
pub(crate) mod gmail;
mod host;
#[allow(dead_code, unused_imports, reason = "not every dialect uses every part of the engine")]
pub(crate) mod imapd;
mod people;
mod postfix;
mod promise;
mod proxy;
pub(crate) mod secrets;
mod setup;
mod shown;
#[allow(dead_code, unused_imports, reason = "not every story has use for every knob")]
pub(crate) mod smtpd;
pub(crate) mod tokens;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) use self::baton::{Baton, Status, Thread};
pub(crate) use self::client::Imap;
pub(crate) use self::crashes::{Crashes, Moment};
pub(crate) use self::dovecot::{Dovecot, Server, signal};
pub(crate) use self::eyes::{Eyes, Place};
pub(crate) use self::fault::{ALWAYS, Fault};
pub(crate) use self::garbler::Garbler;
pub(crate) use self::host::{Host, Provider};
pub(crate) use self::people::Mail;
use self::postfix::Postfix;
pub(crate) use self::promise::Mode;
pub(crate) use self::proxy::{Line, Proxy, Side};
pub(crate) use self::setup::{Layout, Setup, in_all_layouts, in_both_layouts, in_folder_layouts};
use self::smtpd::Smtpd;

/// The password of every user of the world's server.
pub(crate) const PASSWORD: &str = "correct-horse";

/// How long anything may take until a story gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One shared mailbox of the world.
pub(crate) struct SharedMailbox {
    pub(crate) name: &'static str,
    pub(crate) address: String,
    pub(crate) proxy: Proxy,
    pub(crate) eyes: Eyes,
}

/// The world of one story.
pub(crate) struct World {
    setup: Setup,
    // Dropped in this order: Baton before the servers it talks to.
    pub(crate) baton: Baton,
    mailboxes: Vec<SharedMailbox>,
    pub(crate) host: Host,
    /// The provider's server that sends, unless the host has one of its own.
    smtpd: Option<Smtpd>,
    postfix: Option<Postfix>,
    dir: TempDir,
    /// The mailbox that the story speaks of.
    here: usize,
    mails: Vec<Mail>,
    /// When the daemon is to die on purpose, and whether it is started again for more.
    pub(crate) crashes: Crashes,
}

impl World {
    fn new(setup: Setup) -> World {
        let dir = tempfile::Builder::new().prefix("baton-world-").tempdir().expect("a folder");
        let addresses: Vec<String> =
            setup.mailboxes.iter().map(|name| format!("{name}@example.test")).collect();
        let of: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let host = Host::start(setup.provider, &setup.server, &of);
        fs::write(dir.path().join("password"), host.password()).unwrap();
        let mut mailboxes = Vec::new();
        for (name, address) in setup.mailboxes.iter().zip(&addresses) {
            let proxy = Proxy::start(host.port());
            let eyes = Eyes::at(&host, address);
            mailboxes.push(SharedMailbox { name, address: address.clone(), proxy, eyes });
        }
        let baton = Baton::new(dir.path(), "");
        let smtpd = host.starts_smtp();
        let postfix = match &host {
            Host::Dovecot(dovecot) if setup.postfix => Some(Postfix::start(&dovecot.auth())),
            _ => None,
        };
        let world = World {
            setup,
            baton,
            mailboxes,
            host,
            smtpd,
            postfix,
            dir,
            here: 0,
            mails: Vec::new(),
            crashes: Crashes::from_environment(),
        };
        world.baton.configure(&world.configuration());
        world
    }

    /// The configuration of this world, as `baton.toml`.
    pub(crate) fn configuration(&self) -> String {
        let dir = self.dir.path().display();
        let layout = match self.setup.layout {
            Layout::Keywords => "keywords",
            Layout::Folders => "folders",
            Layout::Labels => "labels",
        };
        let since = self.days_ago(40).strftime("%Y-%m-%d").to_string();
        let mut settings = self.setup.settings.clone();
        for usual in self.host.usual_settings() {
            let key = usual.split(' ').next().unwrap_or_default();
            if !settings.iter().any(|line| line.starts_with(key)) {
                settings.push((*usual).to_owned());
            }
        }
        let mut text = format!("state_dir = \"{dir}/state\"\n\n");
        for shared in &self.mailboxes {
            let (name, address, port) = (shared.name, &shared.address, shared.proxy.port);
            let _ = write!(
                text,
                "[[mailbox]]\nname = \"{name}\"\naddress = \"{address}\"\naliases = [\"{name}-help@example.test\"]\n\
                 since = \"{since}\"\nlayout = \"{layout}\"\n{}\n{}\
                 [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n\n",
                settings.join("\n"),
                self.host.login(address, port, &dir.to_string()),
                self.smtp_port(),
            );
        }
        for (id, name) in people::AGENTS {
            let _ = write!(
                text,
                "[[agent]]\nid = \"{id}\"\nname = \"{name}\"\naddress = \"{id}@example.test\"\n\n"
            );
        }
        text
    }

    fn smtp_port(&self) -> u16 {
        let own = self.smtpd.as_ref().map(|smtpd| smtpd.port);
        self.postfix
            .as_ref()
            .map(|postfix| postfix.port)
            .or(own)
            .or(self.host.smtp_port())
            .expect("a server that sends")
    }

    /// The server that sends for this world's mailboxes; at Exchange it is the tenant's, see [`World::tenant`].
    #[track_caller]
    pub(crate) fn provider_smtp(&self) -> &Smtpd {
        self.smtpd.as_ref().expect("Exchange has a server of its own")
    }

    /// The Postfix of a story that is told with one.
    #[track_caller]
    pub(crate) fn postfix(&self) -> &Postfix {
        self.postfix.as_ref().expect("this story needs a Postfix")
    }

    /// The moment that many days before now.
    pub(crate) fn days_ago(&self, days: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() - days * 86_400).unwrap()
    }

    /// The moment that many seconds from now, as RFC 3339.
    pub(crate) fn seconds_ahead(&self, seconds: i64) -> String {
        jiff::Timestamp::from_second(jiff::Timestamp::now().as_second() + seconds)
            .unwrap()
            .to_string()
    }

    /// Where Baton keeps its memory.
    pub(crate) fn state_dir(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Throws the log away; the next daemon begins a new one.
    pub(crate) fn forgets_log(&self) {
        fs::remove_file(self.dir.path().join("baton.log")).expect("there is no log");
    }

    /// Writes a file beside the configuration.
    pub(crate) fn writes_file(&self, name: &str, text: &str) {
        fs::write(self.dir.path().join(name), text).expect("cannot write the file");
    }

    /// Baton's database, by what it begins with.
    #[track_caller]
    pub(crate) fn database(&self) -> PathBuf {
        let files = fs::read_dir(self.dir.path().join("state")).expect("no state_dir").flatten();
        let mut files = files.map(|entry| entry.path());
        let is_database = |path: &PathBuf| {
            fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))
        };
        files.find(is_database).expect("no database in state_dir")
    }

    /// The Dovecot of a story that is told at one.
    #[track_caller]
    pub(crate) fn dovecot(&mut self) -> &mut Dovecot {
        match &mut self.host {
            Host::Dovecot(dovecot) => dovecot,
            Host::Gmail(_) | Host::Exchange(_) => panic!("this story needs a Dovecot"),
        }
    }

    /// The tenant of a story that is told at Exchange.
    #[track_caller]
    pub(crate) fn tenant(&self) -> &exchange::Tenant {
        match &self.host {
            Host::Exchange(tenant) => tenant,
            Host::Dovecot(_) | Host::Gmail(_) => panic!("this story needs Exchange"),
        }
    }

    /// The admin chooses another layout.
    pub(crate) fn chooses(&mut self, layout: Layout) {
        self.setup.layout = layout;
        self.baton.configure(&self.configuration());
    }

    pub(crate) fn layout(&self) -> Layout {
        self.setup.layout
    }

    /// Starts the daemon and waits until it is at work.
    #[track_caller]
    pub(crate) fn start(&mut self) {
        self.start_unattended();
        self.settle();
    }

    /// Starts the daemon and waits for nothing.
    pub(crate) fn start_unattended(&mut self) {
        let arguments: &[&str] = match self.setup.mode {
            Mode::Run => &[],
            Mode::Shadow => &["--shadow"],
        };
        self.baton.start(arguments, self.crashes.fuse());
    }

    /// Starts a daemon that has died on purpose again, as systemd does. Answers whether it had.
    fn restart_after_a_crash(&mut self) -> bool {
        if !self.crashes.is_waited_for() || !self.baton.has_aborted() {
            return false;
        }
        self.crashes.happened();
        self.start_unattended();
        true
    }

    /// Whether the daemon died on purpose just now; its end may come a moment after that of its connections.
    fn died_meanwhile(&mut self) -> bool {
        if !self.crashes.is_waited_for() {
            return false;
        }
        let died = || self.restart_after_a_crash().then_some(());
        poll(Duration::from_millis(300), died).is_some()
    }

    /// Whether the daemon may die on purpose any moment.
    pub(crate) fn crashes_are_waited_for(&self) -> bool {
        self.crashes.is_waited_for()
    }

    /// From here on the daemon dies no more, and runs.
    pub(crate) fn ends_crashes(&mut self) {
        if self.crashes.end() {
            self.baton.kill();
        }
        if self.baton.is_running() {
            return;
        }
        // Until then the database says what the daemon before it knew.
        let begun = |world: &World| world.baton.log().matches("Baton watches").count();
        let before = begun(self);
        self.start_unattended();
        self.eventually("another daemon is at work", |world| before < begun(world));
    }

    /// Stops the daemon, which must end well, unless it dies on purpose just then.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let status = self.baton.stop();
        if self.crashes.is_waited_for() && baton::is_abort(status) {
            self.crashes.happened();
            return;
        }
        // One that has just been started again after a crash may not listen to signals yet.
        if 0 < self.crashes.died && baton::is_termination(status) {
            return;
        }
        assert!(status.success(), "the daemon ended with {status}:\n{}", self.baton.log_tail(40));
    }

    /// From here on the story speaks of this mailbox.
    pub(crate) fn turns_to(&mut self, mailbox: &str) {
        let found = self.mailboxes.iter().position(|shared| shared.name == mailbox);
        self.here = found.expect("no such mailbox in this world");
    }

    /// The mailbox that the story speaks of.
    pub(crate) fn mailbox(&mut self) -> &mut SharedMailbox {
        &mut self.mailboxes[self.here]
    }

    /// The mail client that looks at the mailbox.
    pub(crate) fn eyes(&mut self) -> &mut Eyes {
        &mut self.mailbox().eyes
    }

    /// How the mailbox that the story speaks of is doing.
    pub(crate) fn status(&mut self) -> Option<Status> {
        let name = self.mailbox().name;
        self.baton.status().into_iter().find(|status| status.name == name)
    }

    /// Waits until the daemon is connected everywhere and has nothing left to do.
    #[track_caller]
    pub(crate) fn settle(&mut self) {
        self.eventually("the daemon is connected and its queue is empty", |world| {
            let status = world.baton.status();
            status.len() == world.mailboxes.len()
                && status.iter().all(|one| one.connected_since.is_some() && one.is_idle())
        });
    }

    /// Waits until the condition holds, and gives up with everything that helps to see why it does not.
    #[track_caller]
    pub(crate) fn eventually(&mut self, what: &str, mut holds: impl FnMut(&mut World) -> bool) {
        let holds = || {
            self.restart_after_a_crash();
            holds(self).then_some(())
        };
        if poll(PATIENCE, holds).is_none() {
            panic!("in vain waited for: {what}\n{}", self.picture());
        }
    }

    /// Checks that something stays true while Baton looks at the mailbox a few times more.
    #[track_caller]
    pub(crate) fn stays(&mut self, what: &str, mut holds: impl FnMut(&mut World) -> bool) {
        let broken = poll(Duration::from_millis(2500), || {
            self.restart_after_a_crash();
            (!holds(self)).then_some(())
        });
        assert!(broken.is_none(), "did not stay so: {what}\n{}", self.picture());
    }
}

/// Asks until there is an answer, at most for `patience`. The one place in the tests that sleeps.
pub(crate) fn poll<T>(patience: Duration, mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    let mut pause = Duration::from_millis(20);
    loop {
        if let Some(answer) = answer() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(pause);
        // Many worlds share the machine; who waits long may ask less often.
        pause = (pause * 5 / 4).min(Duration::from_millis(200));
    }
}
