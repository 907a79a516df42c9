//! What Outlook's categories mean, at the engine: races that no server can be made to run on command.

use std::collections::BTreeMap;
use std::time::Duration;

use baton::clock::Timestamp;
use baton::desk::layout::{Dialect, Layout};
use baton::desk::policy::Policy;
use baton::desk::roster::AgentId;
use baton::desk::thread::{MessageKey, ThreadId};
use baton::engine::outlook::{self, Categorised, Glance};
use baton::engine::{self, Desk, ListedFolder, Request, Seen, Verb};
use baton::mail::parse::parse;
use baton::store::{Store, Tx};

const PATIENCE: Duration = Duration::from_secs(30);
const ANA: &str = "Baton: Ana";
const BEN: &str = "Baton: Ben";

/// One mailbox's desk, without servers.
struct Office {
    store: Store,
    policy: Policy,
    now: Timestamp,
    unlisted: Vec<String>,
    _dir: tempfile::TempDir,
}

impl Office {
    async fn open() -> Office {
        let text = "[[mailbox]]\nname = \"support\"\naddress = \"support@contoso.com\"\nsince = 2020-01-01\n\
            [mailbox.imap]\nhost = \"h\"\npassword = { env = \"X\" }\n\
            [[agent]]\nid = \"ana\"\nname = \"Ana\"\naddress = \"ana@contoso.com\"\n\
            [[agent]]\nid = \"ben\"\nname = \"Ben\"\naddress = \"ben@contoso.com\"\n";
        let file = std::path::Path::new("baton.toml");
        let config = baton::config::from_toml(file, text, &|_| None).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let office = Office {
            store: Store::open(dir.path()).unwrap(),
            policy: config.mailboxes[0].policy.clone(),
            now: Timestamp(1_800_000_000),
            unlisted: Vec::new(),
            _dir: dir,
        };
        let policy = office.policy.clone();
        let list = move |tx: &Tx<'_>| {
            let mailbox = tx.mailbox("support")?;
            tx.set_dialect(mailbox, Layout::Folders, "", '/')?;
            tx.show_categories(mailbox, "as usual", Timestamp(0))?;
            let dialect = Dialect::new(&policy, Layout::Folders, "", '/');
            let folders = [("INBOX", "inbox"), ("Baton/Ana", "baton"), ("Baton/Ben", "baton")];
            let folders = folders.map(|(name, role)| ListedFolder {
                name: name.into(),
                role: role.into(),
                selectable: true,
            });
            engine::list(tx, &policy, &dialect, mailbox, &folders).map(|_| ())
        };
        office.store.write(list).await.unwrap();
        office
    }

    async fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> T {
        let (policy, now) = (self.policy.clone(), self.now);
        let write = move |tx: &Tx<'_>| {
            let (mailbox, dialect) = engine::dialect(tx, &policy)?;
            let away = Duration::ZERO;
            work(&Desk { tx, policy: &policy, dialect: &dialect, mailbox, now, away })
        };
        self.store.write(write).await.unwrap()
    }

    /// IMAP tells of the mail in this folder.
    async fn sees(&self, folder: &'static str) {
        let text = "From: bob@example.test\r\nTo: support@contoso.com\r\nSubject: Kettle\r\n\
            Message-ID: <1@example.test>\r\n\r\nIt leaks.\r\n";
        let seen = Seen {
            uid: 1,
            flags: Vec::new(),
            arrived_at: self.now,
            size: 100,
            gmail: None,
            message: Some(parse(text.as_bytes())),
            raw: None,
        };
        self.at_desk(move |desk| {
            let mut folder = desk.tx.folder(desk.mailbox, folder)?.unwrap();
            folder.uidvalidity = 1;
            engine::arrivals(desk, &folder, &[seen], 2)
        })
        .await;
    }

    fn glance(&self) -> Glance {
        Glance { patience: PATIENCE, unlisted: self.unlisted.iter().cloned().collect() }
    }

    /// Graph tells of the mail in this folder, with these categories.
    async fn tells(&self, folder: &str, categories: &[&str]) {
        let (copy, glance) = (copy(folder, categories), self.glance());
        self.at_desk(move |desk| outlook::notice(desk, &glance, &copy)).await;
    }

    /// What is to be written on the mail, if Graph tells this of it.
    async fn compares(&self, folder: &str, categories: &[&str]) -> Option<Vec<String>> {
        let (copy, glance) = (copy(folder, categories), self.glance());
        self.at_desk(move |desk| outlook::compare(desk, &glance, MessageKey(1), &copy)).await
    }

    /// Time passes, and what was left open is looked at again.
    async fn waits(&mut self, wait: Duration) -> Option<Timestamp> {
        self.now = self.now + wait;
        let glance = self.glance();
        self.at_desk(move |desk| outlook::reconsider(desk, &glance)).await
    }

    async fn orders(&self, verb: Verb) {
        let policies = BTreeMap::from([("support".to_owned(), self.policy.clone())]);
        let request = Request { verb, actor: AgentId("ana".into()) };
        let answer =
            self.at_desk(move |desk| engine::answer(desk.tx, &policies, &request, desk.now)).await;
        assert!(answer.done, "{}", answer.words);
    }

    /// The owner, and the kinds of the events after the first.
    async fn story(&self) -> (String, Vec<&'static str>) {
        self.at_desk(|desk| {
            let thread = desk.tx.thread(ThreadId(1))?.unwrap();
            let events = desk.tx.events_of(ThreadId(1))?;
            let kinds = events.iter().skip(1).map(|event| event.what.kind()).collect();
            Ok((thread.now.owner.map_or("nobody".into(), |owner| owner.0), kinds))
        })
        .await
    }

    async fn due(&self) -> usize {
        self.at_desk(|desk| Ok(outlook::due(desk)?.len())).await
    }
}

fn copy(folder: &str, categories: &[&str]) -> Categorised {
    Categorised {
        id: "AAkALgAA1".into(),
        message_id: "1@example.test".into(),
        folder: folder.into(),
        in_inbox: folder == "inbox",
        categories: categories.iter().map(|&name| name.to_owned()).collect(),
    }
}

const CLAIM: Verb = Verb::Claim { thread: ThreadId(1) };

#[tokio::test]
async fn what_was_moved_and_coloured_waits_for_the_folder() {
    let mut office = Office::open().await;
    office.sees("INBOX").await;
    office.tells("bens", &[ANA]).await;
    assert_eq!(office.story().await, ("nobody".into(), vec![]));
    assert_eq!(office.compares("bens", &[ANA]).await, None, "nothing is written meanwhile");
    office.sees("Baton/Ben").await;
    assert_eq!(office.waits(PATIENCE).await, None);
    assert_eq!(office.story().await, ("ben".into(), vec!["claimed", "claim-lost"]));
    assert_eq!(office.due().await, 1);
    assert_eq!(office.compares("bens", &["Red", ANA]).await.unwrap(), ["Red", BEN]);
}

#[tokio::test]
async fn a_folder_that_says_nothing_is_not_waited_for_for_ever() {
    let mut office = Office::open().await;
    office.sees("INBOX").await;
    office.tells("somewhere", &[ANA]).await;
    let at = office.waits(PATIENCE / 2).await.unwrap();
    office.tells("somewhere", &[ANA]).await;
    assert_eq!(office.story().await.0, "nobody");
    office.waits(at.since(office.now)).await;
    assert_eq!(office.story().await, ("ana".into(), vec!["claimed"]));
}

#[tokio::test]
async fn what_was_taken_back_meanwhile_was_nothing() {
    let mut office = Office::open().await;
    office.sees("INBOX").await;
    office.tells("somewhere", &[ANA]).await;
    office.tells("somewhere", &["Red"]).await;
    assert_eq!(office.waits(PATIENCE).await, None);
    assert_eq!(office.story().await, ("nobody".into(), vec![]));
}

#[tokio::test]
async fn a_colour_on_a_mail_that_imap_has_not_shown_is_kept() {
    let mut office = Office::open().await;
    office.tells("inbox", &[ANA]).await;
    assert!(office.waits(PATIENCE).await.is_some());
    office.sees("INBOX").await;
    office.waits(PATIENCE).await;
    assert_eq!(office.story().await, ("ana".into(), vec!["claimed"]));
}

#[tokio::test]
async fn a_mail_that_imap_never_shows_is_forgotten() {
    let mut office = Office::open().await;
    office.tells("inbox", &[ANA]).await;
    assert!(office.waits(Duration::from_secs(80_000)).await.is_some());
    assert_eq!(office.waits(Duration::from_secs(80_000)).await, None);
    office.sees("INBOX").await;
    assert_eq!(office.story().await, ("nobody".into(), vec![]));
}

#[tokio::test]
async fn batons_own_writing_is_no_gesture_however_it_ended() {
    let office = Office::open().await;
    office.sees("INBOX").await;
    office.orders(CLAIM).await;
    assert_eq!(office.due().await, 1);
    let list = office.compares("inbox", &["Red"]).await.unwrap();
    assert_eq!(list, ["Red", ANA]);
    // The answer was lost; meanwhile the thread went on.
    office.orders(Verb::Release { thread: ThreadId(1) }).await;
    office.tells("inbox", &["Red", ANA]).await;
    assert_eq!(office.story().await, ("nobody".into(), vec!["claimed", "released"]));
    assert_eq!(office.compares("inbox", &["Red", ANA]).await.unwrap(), ["Red"]);
    let done = copy("inbox", &["Red"]);
    office.at_desk(move |desk| outlook::written(desk, MessageKey(1), &done)).await;
    office.tells("inbox", &["Red"]).await;
    assert_eq!(office.due().await, 0);
    assert_eq!(office.story().await.1, ["claimed", "released"]);
}

#[tokio::test]
async fn a_person_who_was_faster_than_batons_write_is_heard() {
    let office = Office::open().await;
    office.sees("INBOX").await;
    office.orders(CLAIM).await;
    office.compares("inbox", &[]).await.unwrap();
    // The write never arrived, and Ben was there.
    office.tells("inbox", &[BEN]).await;
    assert_eq!(office.story().await, ("ana".into(), vec!["claimed", "claim-lost"]));
    assert_eq!(office.compares("inbox", &[BEN]).await.unwrap(), [ANA]);
}

#[tokio::test]
async fn a_category_that_is_gone_from_the_list_was_taken_off_by_nobody() {
    let mut office = Office::open().await;
    office.sees("INBOX").await;
    office.tells("inbox", &[ANA]).await;
    office.unlisted = vec![ANA.to_owned()];
    office.tells("inbox", &[]).await;
    assert_eq!(office.story().await, ("ana".into(), vec!["claimed"]));
    assert_eq!(office.compares("inbox", &[]).await.unwrap(), [ANA]);
    office.unlisted.clear();
    let done = copy("inbox", &[ANA]);
    office.at_desk(move |desk| outlook::written(desk, MessageKey(1), &done)).await;
    office.tells("inbox", &[]).await;
    assert_eq!(office.story().await, ("nobody".into(), vec!["claimed", "released"]));
}

#[tokio::test]
async fn what_was_to_be_shown_while_a_change_was_undecided_is_shown_after_it() {
    let office = Office::open().await;
    office.sees("INBOX").await;
    office.tells("somewhere", &[BEN]).await;
    office.orders(CLAIM).await;
    assert_eq!(office.compares("somewhere", &[BEN]).await, None);
    office.at_desk(|desk| outlook::shown(desk, &outlook::due(desk)?[0])).await;
    office.tells("somewhere", &["Red"]).await;
    assert_eq!(office.due().await, 1);
    assert_eq!(office.compares("somewhere", &["Red"]).await.unwrap(), ["Red", ANA]);
}
