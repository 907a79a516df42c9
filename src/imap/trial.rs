//! The whole door against a real Dovecot, where one is installed; skipped where not.
//!
//! [`Dovecot`] runs a private server in a temporary directory, [`Notebook`] is a memory that keeps everything in maps, and
//! the tests act as people with [`Dovecot::client`].

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::connect::{Access, FolderNames, Login, Proof, Settings, Tls, connect};
use super::session::Session;
use super::{
    Action, Batch, Change, Changes, Cursor, Depth, Line, Listed, Memory, Outcome, Role, Rounds,
    Server, Wanted, checkup, probe, show, utf7,
};
use crate::clock::Timestamp;
use crate::desk::budget::Reading;

/// A private server.
pub(super) struct Dovecot {
    dir: tempfile::TempDir,
    child: Child,
    port: u16,
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Unlike `doveadm stop`, this does not pause for seconds.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

fn config(dir: &Path, port: u16, capability: &str) -> String {
    let dir = dir.display();
    // Dovecot gives no mail to root.
    let own = Command::new("id").arg("-un").output().unwrap();
    let own = String::from_utf8_lossy(&own.stdout).trim().to_owned();
    let (login, mail) = match own.as_str() {
        "root" => ("nobody", "uid=nobody gid=nogroup".to_owned()),
        own => (own, format!("uid={own} gid={own}")),
    };
    format!(
        "protocols = imap\nlisten = 127.0.0.1\nbase_dir = {dir}/run\nstate_dir = {dir}/state\n\
         log_path = {dir}/log\nssl = no\ndisable_plaintext_auth = no\n\
         default_internal_user = {login}\ndefault_login_user = {login}\n\
         first_valid_uid = 0\nfirst_valid_gid = 0\n\
         mail_location = maildir:{dir}/mail/%u\nmail_home = {dir}/home/%u\n\
         service anvil {{\n chroot =\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n  port = {port}\n }}\n\
          inet_listener imaps {{\n  port = 0\n }}\n}}\n\
         service stats {{\n chroot =\n}}\n\
         passdb {{\n driver = static\n args = password=pass\n}}\n\
         userdb {{\n driver = static\n args = {mail}\n}}\n\
         namespace inbox {{\n inbox = yes\n separator = /\n\
          mailbox Drafts {{\n  special_use = \\Drafts\n  auto = create\n }}\n\
          mailbox Junk {{\n  special_use = \\Junk\n  auto = create\n }}\n\
          mailbox Trash {{\n  special_use = \\Trash\n  auto = create\n }}\n\
          mailbox Archive {{\n  special_use = \\Archive\n  auto = create\n }}\n\
          mailbox Sent {{\n  special_use = \\Sent\n  auto = create\n }}\n}}\n\
         protocol imap {{\n {capability}\n}}\n"
    )
}

impl Dovecot {
    /// Starts one; `None` where Dovecot is not installed. `capability` is a line like `imap_capability = …`.
    pub(super) async fn start(capability: &str) -> Option<Dovecot> {
        let dir = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        for folder in ["run", "state", "mail", "home"] {
            let made = dir.path().join(folder);
            std::fs::create_dir(&made).unwrap();
            std::fs::set_permissions(&made, PermissionsExt::from_mode(0o777)).unwrap();
        }
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let file = dir.path().join("dovecot.conf");
        std::fs::write(&file, config(dir.path(), port, capability)).unwrap();
        let spawned = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn();
        let Ok(child) = spawned else {
            eprintln!("Dovecot is not installed; skipped");
            return None;
        };
        let dovecot = Dovecot { dir, child, port };
        for _ in 0..100 {
            if let Ok(mut tcp) = tokio::net::TcpStream::connect(("127.0.0.1", port)).await
                && tokio::io::AsyncReadExt::read_u8(&mut tcp).await.is_ok()
            {
                return Some(dovecot);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(dovecot.dir.path().join("log")).unwrap_or_default();
        panic!("Dovecot does not answer: {log}");
    }

    pub(super) fn settings(&self) -> Settings {
        settings(self.port)
    }

    /// A person's mail program.
    pub(super) async fn client(&self) -> Session {
        connect(&self.settings()).await.unwrap()
    }

    /// Puts a mail into a folder, as a mail server does.
    pub(super) fn deliver(&self, folder: &str, mail: &str) {
        let mut save = Command::new("doveadm")
            .arg("-c")
            .arg(self.dir.path().join("dovecot.conf"))
            .args(["save", "-u", "support@example.org", "-m", folder])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut save.stdin.take().unwrap(), mail.as_bytes()).unwrap();
        assert!(save.wait().unwrap().success());
    }
}

/// Settings for a server on this machine.
pub(super) fn settings(port: u16) -> Settings {
    Settings {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        login: Login::with("support@example.org", Proof::Password("pass".to_owned())),
        access: Access::ReadWrite,
        since: Timestamp(0),
        poll: Duration::from_secs(300),
        patience: Duration::from_secs(60),
        folders: FolderNames::default(),
        turn: None,
        root: "Baton".to_owned(),
    }
}

fn mail(subject: &str) -> String {
    format!(
        "From: kunde@example.com\r\nTo: support@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@example.com>\r\n\r\nHello, this is {subject}.\r\n"
    )
}

/// What is known of one folder.
#[derive(Clone, Debug, Default)]
struct Page {
    cursor: Cursor,
    messages: BTreeMap<u32, Vec<String>>,
    raws: BTreeMap<u32, (Depth, Vec<u8>)>,
    batches: u32,
    /// Those of open threads.
    open: BTreeSet<u32>,
}

#[derive(Debug, Default)]
struct Pages {
    server: Server,
    listed: Vec<Listed>,
    folders: BTreeMap<String, Page>,
    create: Vec<String>,
    wanted: Vec<Change>,
    outcomes: Vec<Outcome>,
    passes: u32,
    received: u64,
    /// What may be read; everything where nothing stands here.
    reading: Option<Reading>,
    /// How often known messages were asked for.
    loaded: u32,
    changes: Vec<Changes>,
    rounds: Rounds,
}

/// A memory in maps, shared with the test.
#[derive(Clone, Debug, Default)]
pub(super) struct Notebook {
    pages: Arc<Mutex<Pages>>,
    pub(super) nudge: Arc<Notify>,
}

impl Notebook {
    fn read<T>(&self, of: impl FnOnce(&mut Pages) -> T) -> T {
        of(&mut self.pages.lock().unwrap())
    }

    /// Waits until something holds.
    async fn until(&self, what: &str, holds: impl Fn(&Pages) -> bool) {
        for _ in 0..200 {
            if self.read(|pages| holds(pages)) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{what}: {:#?}", self.pages.lock().unwrap());
    }

    fn want(&self, change: Change) {
        self.read(|pages| pages.wanted.push(change));
        self.nudge.notify_one();
    }
}

impl Memory for Notebook {
    async fn line(&mut self, line: Line) -> anyhow::Result<Reading> {
        Ok(self.read(|pages| {
            pages.received += line.received;
            pages.reading.unwrap_or(Reading::Everything)
        }))
    }
    async fn connected(&mut self, server: Server) -> anyhow::Result<()> {
        self.read(|pages| pages.server = server);
        Ok(())
    }
    async fn listed(&mut self, folders: Vec<Listed>) -> anyhow::Result<Wanted> {
        Ok(self.read(|pages| {
            let there = |name: &String| folders.iter().any(|folder| folder.name == *name);
            let create = pages.create.iter().filter(|name| !there(name)).cloned().collect();
            pages.listed = folders.clone();
            Wanted { create, ..Wanted::default() }
        }))
    }
    async fn cursor(&mut self, folder: &str) -> anyhow::Result<Cursor> {
        Ok(self.read(|pages| pages.folders.entry(folder.to_owned()).or_default().cursor))
    }
    async fn renumbered(&mut self, folder: &str, uidvalidity: u32) -> anyhow::Result<()> {
        let cursor = Cursor { uidvalidity, next_uid: 1, modseq: 0 };
        let page = Page { cursor, ..Page::default() };
        self.read(|pages| pages.folders.insert(folder.to_owned(), page));
        Ok(())
    }
    async fn sighted(&mut self, batch: Batch) -> anyhow::Result<()> {
        self.read(|pages| {
            let page = pages.folders.entry(batch.folder).or_default();
            page.cursor.uidvalidity = batch.uidvalidity;
            page.cursor.next_uid = batch.next_uid;
            page.batches += 1;
            for sighting in batch.sightings {
                assert!(page.messages.insert(sighting.uid, sighting.flags).is_none());
                page.raws.insert(sighting.uid, (sighting.depth, sighting.raw));
            }
        });
        Ok(())
    }
    async fn count(&mut self, folder: &str) -> anyhow::Result<usize> {
        Ok(self.read(|pages| pages.folders.get(folder).map_or(0, |page| page.messages.len())))
    }
    async fn known(
        &mut self,
        folder: &str,
        from: u32,
        most: usize,
    ) -> anyhow::Result<Vec<(u32, Vec<String>)>> {
        Ok(self.read(|pages| {
            pages.loaded += 1;
            let page = pages.folders.entry(folder.to_owned()).or_default();
            let known = page.messages.range(from..).take(most);
            known.map(|(uid, flags)| (*uid, flags.clone())).collect()
        }))
    }
    async fn lively(
        &mut self,
        folder: &str,
        newest: usize,
        open: usize,
    ) -> anyhow::Result<Vec<(u32, Vec<String>)>> {
        Ok(self.read(|pages| {
            let page = pages.folders.entry(folder.to_owned()).or_default();
            let is_open = |uid: &u32| 0 < open && page.open.contains(uid);
            let behind = page.messages.len().saturating_sub(newest);
            let of = page.messages.iter().enumerate();
            let of = of.filter(|(nth, (uid, _))| behind <= *nth || is_open(uid));
            of.map(|(_, (uid, flags))| (*uid, flags.clone())).collect()
        }))
    }
    async fn uids(&mut self, folder: &str) -> anyhow::Result<Vec<u32>> {
        let uids = |page: &Page| page.messages.keys().copied().collect();
        Ok(self.read(|pages| pages.folders.get(folder).map(uids).unwrap_or_default()))
    }
    fn rounds(&self) -> Rounds {
        self.read(|pages| pages.rounds.clone())
    }
    async fn changed(&mut self, changes: Changes) -> anyhow::Result<()> {
        self.read(|pages| {
            let page = pages.folders.entry(changes.folder.clone()).or_default();
            assert_eq!(page.cursor.uidvalidity, changes.uidvalidity);
            page.cursor.modseq = changes.modseq;
            for uid in &changes.vanished {
                page.messages.remove(uid);
            }
            for (uid, flags) in &changes.flags {
                page.messages.insert(*uid, flags.clone());
            }
            pages.changes.push(changes);
        });
        Ok(())
    }
    async fn pass_done(&mut self) -> anyhow::Result<bool> {
        self.read(|pages| pages.passes += 1);
        Ok(false)
    }
    async fn wanted(&mut self) -> anyhow::Result<Vec<Change>> {
        Ok(self.read(|pages| std::mem::take(&mut pages.wanted)))
    }
    async fn settled(&mut self, outcomes: Vec<Outcome>) -> anyhow::Result<()> {
        self.read(|pages| pages.outcomes.extend(outcomes));
        Ok(())
    }
    async fn seen(&mut self) -> anyhow::Result<()> {
        Ok(())
    }
    async fn nudged(&mut self) {
        self.nudge.notified().await;
    }
}

/// A watch that runs.
struct Running {
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<Result<(), super::Error>>,
}

fn run(settings: Settings, notebook: &Notebook) -> Running {
    let (stop, stopped) = watch::channel(false);
    let mut memory = notebook.clone();
    let task =
        tokio::spawn(async move { super::watch::watch(&settings, &mut memory, &stopped).await });
    Running { stop, task }
}

impl Running {
    async fn stop(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(5), self.task).await.unwrap().unwrap().unwrap();
    }
}

fn has(pages: &Pages, folder: &str, count: usize) -> bool {
    pages.folders.get(folder).is_some_and(|page| page.messages.len() == count)
}

/// The story that every kind of server must tell.
async fn story(dovecot: &Dovecot, settings: Settings) -> Notebook {
    let notebook = Notebook::default();
    notebook.read(|pages| pages.create = vec!["Baton".to_owned(), "Baton/Jürgen".to_owned()]);
    dovecot.deliver("INBOX", &mail("one"));
    dovecot.deliver("Sent", &mail("sent"));
    let running = run(settings.clone(), &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    notebook
        .until("Jürgen's folder", |pages| {
            pages.listed.iter().any(|f| f.name == "Baton/Jürgen" && f.role == Role::Baton)
        })
        .await;
    assert!(notebook.read(|pages| pages.server.keywords));
    assert!(notebook.read(|pages| has(pages, "INBOX", 1) && has(pages, "Sent", 1)));
    let raw = notebook.read(|pages| pages.folders["INBOX"].raws[&1].1.clone());
    assert!(String::from_utf8_lossy(&raw).ends_with("Hello, this is one.\r\n"));
    tokio::time::sleep(Duration::from_millis(300)).await;

    // News arrives while the watch rests.
    dovecot.deliver("INBOX", &mail("two"));
    notebook.until("two", |pages| has(pages, "INBOX", 2)).await;

    // A person flags one and moves the other.
    let mut person = dovecot.client().await;
    person.select("INBOX", Access::ReadWrite).await.unwrap();
    person.run("UID STORE 2 +FLAGS (baton-ana)").await.unwrap();
    notebook
        .until("the tag", |pages| {
            pages.folders["INBOX"].messages[&2].contains(&"baton-ana".to_owned())
        })
        .await;
    let target = utf7::quoted("Baton/Jürgen");
    person.run(&format!("UID MOVE 1 {target}")).await.unwrap();
    notebook
        .until("the move", |pages| has(pages, "INBOX", 1) && has(pages, "Baton/Jürgen", 1))
        .await;

    // Something happens in a folder that is not open.
    person.select("Baton/Jürgen", Access::ReadWrite).await.unwrap();
    person.run("UID STORE 1 +FLAGS (\\Flagged)").await.unwrap();
    if settings.poll < Duration::from_secs(5)
        || notebook.read(|p| p.server.capabilities.contains(&"NOTIFY".to_owned()))
    {
        notebook
            .until("the flag", |pages| {
                pages.folders["Baton/Jürgen"].messages[&1].contains(&"\\Flagged".to_owned())
            })
            .await;
    }

    // Baton writes.
    let uidvalidity = notebook.read(|pages| pages.folders["INBOX"].cursor.uidvalidity);
    let change = |action| Change { folder: "INBOX".to_owned(), uidvalidity, uids: vec![2], action };
    notebook.want(change(Action::Flags {
        add: vec!["baton-waiting".to_owned()],
        remove: vec!["baton-ana".to_owned()],
    }));
    notebook.want(change(Action::MoveTo("Baton/Jürgen".to_owned())));
    notebook.until("the outcomes", |pages| pages.outcomes.len() == 2).await;
    let outcomes = notebook.read(|pages| pages.outcomes.clone());
    assert_eq!(outcomes[0], Outcome::Done(None));
    assert!(matches!(&outcomes[1], Outcome::Done(Some((_, pairs))) if *pairs == [(2, 2)]));
    notebook
        .until("the echo", |pages| {
            has(pages, "INBOX", 0)
                && pages.folders["Baton/Jürgen"].messages.get(&2)
                    == Some(&vec!["baton-waiting".to_owned()])
        })
        .await;

    person.logout().await;
    running.stop().await;
    notebook
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_everything_that_dovecot_has() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    let notebook = story(&dovecot, dovecot.settings()).await;
    // The daemon was away: one mail came, one went, one was tagged.
    let mut person = dovecot.client().await;
    person.select("Baton/Jürgen", Access::ReadWrite).await.unwrap();
    person.run("UID STORE 2 +FLAGS (baton-ben)").await.unwrap();
    person.run("UID STORE 1 +FLAGS (\\Deleted)").await.unwrap();
    person.run("UID EXPUNGE 1").await.unwrap();
    dovecot.deliver("INBOX", &mail("three"));
    let passes = notebook.read(|pages| pages.passes);
    let running = run(dovecot.settings(), &notebook);
    notebook.until("the next pass", |pages| passes < pages.passes).await;
    notebook.read(|pages| {
        assert!(has(pages, "INBOX", 1));
        let page = &pages.folders["Baton/Jürgen"];
        assert_eq!(page.messages.keys().copied().collect::<Vec<_>>(), [2]);
        assert!(page.messages[&2].contains(&"baton-ben".to_owned()));
    });
    running.stop().await;
}

const BASE: &str = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID UIDPLUS IDLE LITERAL+ AUTH=PLAIN";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_condstore_and_without_notify() {
    let capability = format!(
        "imap_capability = {BASE} ENABLE CONDSTORE MOVE SPECIAL-USE LIST-EXTENDED LIST-STATUS"
    );
    let Some(dovecot) = Dovecot::start(&capability).await else { return };
    let settings = Settings { poll: Duration::from_secs(1), ..dovecot.settings() };
    story(&dovecot, settings).await;
}

/// Flags are told by the server, and as long as the numbers agree nothing is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_condstore_what_is_known_is_loaded_only_when_something_is_gone() {
    let capability = format!("imap_capability = {BASE} ENABLE CONDSTORE MOVE");
    let Some(dovecot) = Dovecot::start(&capability).await else { return };
    for subject in ["one", "two", "three"] {
        dovecot.deliver("INBOX", &mail(subject));
    }
    let notebook = Notebook::default();
    let settings = Settings { poll: Duration::from_secs(1), ..dovecot.settings() };
    let running = run(settings, &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    let mut person = dovecot.client().await;
    person.select("INBOX", Access::ReadWrite).await.unwrap();
    person.run("UID STORE 2 +FLAGS (baton-ana)").await.unwrap();
    let tagged =
        |pages: &Pages| pages.folders["INBOX"].messages[&2].contains(&"baton-ana".to_owned());
    notebook.until("the tag", tagged).await;
    dovecot.deliver("INBOX", &mail("four"));
    notebook.until("four", |pages| has(pages, "INBOX", 4)).await;
    notebook.read(|pages| assert_eq!(pages.loaded, 0));
    person.run("UID STORE 1 +FLAGS (\\Deleted)").await.unwrap();
    person.run("UID EXPUNGE 1").await.unwrap();
    notebook.until("the first is gone", |pages| has(pages, "INBOX", 3)).await;
    notebook.read(|pages| assert!(0 < pages.loaded));
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_hardly_anything() {
    let capability = "imap_capability = IMAP4rev1 UIDPLUS";
    let Some(dovecot) = Dovecot::start(capability).await else { return };
    let settings = Settings { poll: Duration::from_secs(1), ..dovecot.settings() };
    story(&dovecot, settings).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_reads_and_writes_nothing() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    dovecot.deliver("INBOX", &mail("one"));
    let notebook = Notebook::default();
    notebook.read(|pages| pages.create = vec!["Baton".to_owned()]);
    notebook.want(Change {
        folder: "INBOX".to_owned(),
        uidvalidity: 1,
        uids: vec![1],
        action: Action::MoveTo("Baton".to_owned()),
    });
    let settings = Settings { access: Access::ReadOnly, ..dovecot.settings() };
    let running = run(settings, &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    dovecot.deliver("INBOX", &mail("two"));
    notebook.until("two", |pages| has(pages, "INBOX", 2)).await;
    running.stop().await;
    let found = checkup::visit(&dovecot.settings()).await.unwrap();
    assert!(found.folders.iter().all(|folder| folder.role != Role::Baton));
    assert_eq!(found.inbox_count, 2);
    assert!(found.server.keywords);
    let uids = probe::uids(&dovecot.settings(), false).await.unwrap();
    let inbox = uids.iter().find(|(folder, ..)| folder.name == "INBOX").unwrap();
    assert_eq!(inbox.2, [1, 2]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_refused() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    let login = Login::with("x", Proof::Password("wr\"ong\\ü".to_owned()));
    let error = connect(&Settings { login, ..dovecot.settings() }).await.unwrap_err();
    assert!(matches!(error, super::Error::LoginRefused { .. }), "{error}");
    assert!(!error.to_string().contains("ong"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_is_sent_where_encryption_was_asked_for_and_is_not_offered() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    for tls in [Tls::Starttls, Tls::Implicit] {
        let error = connect(&Settings { tls, ..dovecot.settings() }).await.unwrap_err();
        assert!(matches!(error, super::Error::Tls { .. }), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_our_own_is_added() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    let big = mail("note").replace("Hello", &"line of text\r\n".repeat(20_000));
    let settings = dovecot.settings();
    let (_, uid) =
        show::append(&settings, "Sent", &["\\Seen"], big.as_bytes()).await.unwrap().unwrap();
    assert_eq!(uid, 1);
    let notebook = Notebook::default();
    let running = run(settings, &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    notebook.read(|pages| {
        let page = &pages.folders["Sent"];
        assert_eq!(page.messages[&1], ["\\Seen"]);
        assert_eq!(page.raws[&1].1, big.as_bytes());
    });
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_gives_headers_and_a_folder_made_anew_is_read_anew() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    dovecot.deliver("INBOX", &mail("old"));
    let mut person = dovecot.client().await;
    show::create(&mut person, "Baton/Ana").await.unwrap();
    dovecot.deliver("Baton/Ana", &mail("a"));
    let notebook = Notebook::default();
    let future = Timestamp::parse("2100-01-01T00:00:00Z").unwrap();
    let settings = Settings { since: future, ..dovecot.settings() };
    let running = run(settings.clone(), &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    notebook.read(|pages| {
        let (depth, raw) = pages.folders["INBOX"].raws[&1].clone();
        assert_eq!(depth, Depth::Header);
        assert!(raw.ends_with(b"\r\n\r\n") && raw.starts_with(b"From: kunde"));
    });
    person.run("DELETE Baton/Ana").await.unwrap();
    tokio::time::sleep(Duration::from_millis(1100)).await;
    person.run("CREATE Baton/Ana").await.unwrap();
    dovecot.deliver("Baton/Ana", &mail("b"));
    dovecot.deliver("Baton/Ana", &mail("c"));
    running.stop().await;
    let running = run(settings, &notebook);
    notebook.until("the new folder", |pages| has(pages, "Baton/Ana", 2)).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_that_had_to_wait_is_read_when_it_may_be_although_nothing_happens_there() {
    let Some(dovecot) = Dovecot::start("").await else { return };
    dovecot.deliver("Archive", &mail("old"));
    let notebook = Notebook::default();
    let since = Timestamp::parse("2100-01-01T00:00:00Z").unwrap();
    let settings = Settings { since, poll: Duration::from_secs(1), ..dovecot.settings() };
    let running = run(settings, &notebook);
    notebook.until("the first pass", |pages| has(pages, "Archive", 1)).await;
    notebook.read(|pages| pages.reading = Some(Reading::NewMail));
    dovecot.deliver("Archive", &mail("also old"));
    let passes = notebook.read(|pages| pages.passes);
    notebook.until("a few passes", |pages| passes + 3 <= pages.passes).await;
    assert!(notebook.read(|pages| has(pages, "Archive", 1)));
    notebook.read(|pages| pages.reading = None);
    notebook.until("the rest", |pages| has(pages, "Archive", 2)).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_are_read_in_batches_and_none_is_left_out() {
    const MESSAGES: usize = 3_000;
    let Some(dovecot) = Dovecot::start("").await else { return };
    dovecot.deliver("INBOX", &mail("first"));
    let new = dovecot.dir.path().join("mail/support@example.org/new");
    for n in 1..MESSAGES {
        std::fs::write(new.join(format!("{n}.M{n}P1.host")), mail(&format!("mail-{n}"))).unwrap();
    }
    let notebook = Notebook::default();
    let running = run(dovecot.settings(), &notebook);
    notebook.until("the first pass", |pages| 1 <= pages.passes).await;
    notebook.read(|pages| {
        assert!(has(pages, "INBOX", MESSAGES));
        let page = &pages.folders["INBOX"];
        assert!(page.raws.values().all(|(_, raw)| raw.ends_with(b".\r\n")));
        assert_eq!(page.batches as usize, MESSAGES / 200);
    });
    // A thousand of them go at once.
    let mut person = dovecot.client().await;
    person.select("INBOX", Access::ReadWrite).await.unwrap();
    person.run("UID STORE 501:1500 +FLAGS.SILENT (\\Deleted)").await.unwrap();
    person.run("UID EXPUNGE 501:1500").await.unwrap();
    notebook.until("the purge", |pages| has(pages, "INBOX", MESSAGES - 1_000)).await;
    running.stop().await;
}
