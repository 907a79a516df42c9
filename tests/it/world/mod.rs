//! A team's office in a box: a shared mailbox on a real server, customers, agents, and Baton.
//!
//! A scenario is a function that is told in a [`World`]: `Setup::keywords().tell(|world| …)`. Customers and agents
//! act with [`eyes`] straight on the server; Baton sees it through [`proxy`]. At the end of each story the world
//! itself checks what must hold after every story: see [`World::finish`].

mod baton;
mod dovecot;
mod eyes;
mod people;
mod promise;
mod proxy;
mod shown;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) use self::baton::{Baton, Status, Thread};
pub(crate) use self::dovecot::{Dovecot, Server};
pub(crate) use self::eyes::{Eyes, Imap, Place};
pub(crate) use self::people::Mail;
pub(crate) use self::promise::Mode;
pub(crate) use self::proxy::{Fault, Line, Proxy, Side};

/// The password of every user of the world's server.
pub(crate) const PASSWORD: &str = "correct-horse";

/// How long anything may take until a story gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// How many threads are looked at one by one after a story, or printed after a failure.
const MANY: usize = 40;

/// How Baton shows marks in this world.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    Keywords,
    Folders,
}

/// What kind of world a story needs.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    layout: Layout,
    server: Server,
    mailboxes: Vec<&'static str>,
    settings: Vec<String>,
    mode: Mode,
}

impl Setup {
    pub(crate) fn new(layout: Layout) -> Setup {
        Setup {
            layout,
            server: Server::default(),
            mailboxes: vec!["support"],
            settings: Vec::new(),
            mode: Mode::Run,
        }
    }

    pub(crate) fn keywords() -> Setup {
        Setup::new(Layout::Keywords)
    }

    pub(crate) fn folders() -> Setup {
        Setup::new(Layout::Folders)
    }

    /// On a server like this.
    pub(crate) fn on(mut self, server: Server) -> Setup {
        self.server = server;
        self
    }

    /// With another mailbox, beside `support`.
    pub(crate) fn and_mailbox(mut self, name: &'static str) -> Setup {
        self.mailboxes.push(name);
        self
    }

    /// With a further line in every `[[mailbox]]`.
    pub(crate) fn with(mut self, line: &str) -> Setup {
        self.settings.push(line.to_owned());
        self
    }

    /// With the daemon as `run --shadow`.
    pub(crate) fn shadow(mut self) -> Setup {
        self.mode = Mode::Shadow;
        self
    }

    /// Tells a story: the world is made, Baton started, the story lived through, and what must hold is checked.
    pub(crate) fn tell(self, story: impl FnOnce(&mut World)) {
        self.tell_before_baton(|world| {
            world.start();
            story(world);
        });
    }

    /// Tells a story that begins before Baton does.
    pub(crate) fn tell_before_baton(self, story: impl FnOnce(&mut World)) {
        let mut world = World::new(self);
        story(&mut world);
        world.finish();
    }
}

/// Tells each story in both layouts, as `keywords::the_story` and `folders::the_story`.
macro_rules! in_both_layouts {
    ($($story:ident),* $(,)?) => {
        mod keywords {
            $(#[test] fn $story() { $crate::world::Setup::keywords().tell(super::$story); })*
        }
        mod folders {
            $(#[test] fn $story() { $crate::world::Setup::folders().tell(super::$story); })*
        }
    };
}
pub(crate) use in_both_layouts;

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
    pub(crate) dovecot: Dovecot,
    dir: TempDir,
    /// The mailbox that the story speaks of.
    here: usize,
    mails: Vec<Mail>,
}

impl World {
    fn new(setup: Setup) -> World {
        let dir = tempfile::Builder::new().prefix("baton-world-").tempdir().expect("a folder");
        fs::write(dir.path().join("password"), PASSWORD).unwrap();
        let dovecot = Dovecot::start(setup.server.clone());
        let mut mailboxes = Vec::new();
        for name in &setup.mailboxes {
            let address = format!("{name}@example.test");
            let proxy = Proxy::start(dovecot.port);
            let eyes = Eyes::new(dovecot.port, &address, PASSWORD);
            mailboxes.push(SharedMailbox { name, address, proxy, eyes });
        }
        let baton = Baton::new(dir.path(), "");
        let world = World { setup, baton, mailboxes, dovecot, dir, here: 0, mails: Vec::new() };
        world.baton.configure(&world.configuration());
        world
    }

    /// The configuration of this world, as `baton.toml`.
    pub(crate) fn configuration(&self) -> String {
        let dir = self.dir.path().display();
        let layout = match self.setup.layout {
            Layout::Keywords => "keywords",
            Layout::Folders => "folders",
        };
        let since = self.days_ago(40).strftime("%Y-%m-%d").to_string();
        let mut text = format!("state_dir = \"{dir}/state\"\n\n");
        for shared in &self.mailboxes {
            let (name, address, port) = (shared.name, &shared.address, shared.proxy.port);
            let _ = write!(
                text,
                "[[mailbox]]\nname = \"{name}\"\naddress = \"{address}\"\naliases = [\"{name}-help@example.test\"]\n\
                 since = \"{since}\"\nlayout = \"{layout}\"\npoll_seconds = 1\n{}\n\
                 [mailbox.imap]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\nuser = \"{address}\"\n\
                 password = {{ file = \"{dir}/password\" }}\n\
                 [mailbox.smtp]\nhost = \"127.0.0.1\"\nport = 31025\ntls = \"none\"\n\n",
                self.setup.settings.join("\n"),
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
        self.baton.start(arguments);
    }

    /// Stops the daemon, which must end well.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        let status = self.baton.stop();
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
        if poll(PATIENCE, || holds(self).then_some(())).is_none() {
            panic!("in vain waited for: {what}\n{}", self.picture());
        }
    }

    /// Checks that something stays true while Baton looks at the mailbox a few times more.
    #[track_caller]
    pub(crate) fn stays(&mut self, what: &str, mut holds: impl FnMut(&mut World) -> bool) {
        let broken = poll(Duration::from_millis(2500), || (!holds(self)).then_some(()));
        assert!(broken.is_none(), "did not stay so: {what}\n{}", self.picture());
    }

    /// What must hold after every story: nothing is missing, the log explains the state, the promises were kept.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        if !self.baton.is_running() {
            self.start_unattended();
        }
        self.settle();
        let mut last = String::new();
        let balanced = poll(PATIENCE, || {
            let answer = self.baton.says(&["audit"]);
            last = format!("{}{}", answer.out, answer.err);
            (answer.code == 0).then_some(())
        });
        assert!(balanced.is_some(), "the audit finds a gap:\n{last}\n{}", self.picture());
        self.settle();
        let rebuilt = self.baton.says(&["rebuild"]);
        assert_eq!(
            rebuilt.code,
            0,
            "a rebuild differs: {}{}\n{}",
            rebuilt.out,
            rebuilt.err,
            self.picture()
        );
        self.explained();
        self.eventually("every message lies where Baton says", World::everything_is_in_its_place);
        self.stop();
        let log = self.baton.log();
        assert!(!log.contains("panicked at"), "the daemon panicked:\n{}", self.baton.log_tail(60));
        self.promises_kept();
    }

    /// Fails when Baton ever said to a server what it must not say.
    #[track_caller]
    pub(crate) fn promises_kept(&self) {
        for shared in &self.mailboxes {
            let broken = promise::broken(&shared.proxy.recording(), self.setup.mode);
            assert!(
                broken.is_empty(),
                "in {}, Baton broke its promise:\n{}",
                shared.name,
                broken.join("\n")
            );
        }
    }

    /// Every event of every thread says who, when and why, and comes once.
    #[track_caller]
    fn explained(&self) {
        for thread in self.baton.threads().iter().take(MANY) {
            let shown = self.baton.show(thread.id).expect("a thread that is listed can be shown");
            let mut last = 0;
            for event in &shown.events {
                assert!(
                    event.seq > last,
                    "events out of order or doubled in #{}: {event:?}",
                    thread.id
                );
                assert!(!event.actor.is_null() && !event.cause.is_null(), "unexplained: {event:?}");
                assert!(event.at.ends_with('Z'), "not in UTC: {event:?}");
                last = event.seq;
            }
        }
    }

    /// Whether the mailboxes hold each message in the folder that Baton names.
    fn everything_is_in_its_place(&mut self) -> bool {
        let threads = self.baton.threads();
        for index in 0..self.mailboxes.len() {
            let (name, mailbox) = (self.mailboxes[index].name, self.mailboxes[index].eyes.look());
            for thread in threads.iter().filter(|thread| thread.mailbox == name).take(MANY) {
                let Some(shown) = self.baton.show(thread.id) else { return false };
                for message in shown.messages() {
                    let Some(folder) = &message.folder else { continue };
                    // A mail without Message-ID is known to Baton by another name.
                    let Some(places) = mailbox.get(message.id()) else { continue };
                    if !places.iter().any(|place| place.folder == *folder) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// How often Baton has changed messages in the mailbox that the story speaks of.
    pub(crate) fn writes(&mut self) -> usize {
        let writes = ["STORE", "MOVE", "COPY", "APPEND", "EXPUNGE"];
        let recording = self.mailbox().proxy.recording();
        let client = recording.iter().filter(|line| line.side == Side::Client);
        let wrote =
            |line: &&Line| line.text.split(' ').skip(1).take(2).any(|word| writes.contains(&word));
        client.filter(wrote).count()
    }

    /// Everything that helps after a failure: threads, events, mailbox, the ends of log and recording.
    pub(crate) fn picture(&mut self) -> String {
        let mut text = String::from("── threads ──\n");
        for thread in self.baton.threads().iter().take(MANY) {
            let Some(shown) = self.baton.show(thread.id) else { continue };
            let _ = writeln!(
                text,
                "#{} {} {:?}: {} {:?} escalated={}",
                shown.id, shown.mailbox, shown.subject, shown.state, shown.owner, shown.escalated
            );
            for message in shown.messages() {
                let _ = writeln!(text, "    {message:?}");
            }
            for event in shown.events.iter().rev().take(20).rev() {
                let (seq, kind, actor, cause) =
                    (event.seq, &event.kind, &event.actor, &event.cause);
                let _ = writeln!(text, "    {seq} {kind} by {actor} cause {cause}");
            }
        }
        for index in 0..self.mailboxes.len() {
            let shared = &mut self.mailboxes[index];
            let _ = writeln!(text, "── mailbox {} ──", shared.name);
            let places: BTreeMap<_, _> =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| shared.eyes.look()))
                    .unwrap_or_default();
            for (id, places) in places.iter().take(40) {
                for place in places {
                    let _ = writeln!(
                        text,
                        "    <{id}> {} {} {:?}",
                        place.folder, place.uid, place.flags
                    );
                }
            }
            let recording = shared.proxy.recording();
            let _ = writeln!(text, "── said to {} ──", shared.name);
            for line in &recording[recording.len().saturating_sub(40)..] {
                let arrow = if line.side == Side::Client { '>' } else { '<' };
                let _ = writeln!(text, "    {}{arrow} {}", line.connection, line.text);
            }
        }
        let status = self.baton.says(&["status"]);
        let _ = write!(text, "── status ──\n{}{}", status.out, status.err);
        let _ = write!(text, "── log ──\n{}", self.baton.log_tail(40));
        text
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
