//! A room with one customer's thread in it: the mailbox is two lists of mails, and the server that sends does as it is told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use baton::clock::Timestamp;
use baton::desk::answer::Enforce;
use baton::desk::event::Event;
use baton::desk::layout::{Dialect, Layout, MarkNames};
use baton::desk::policy::{KeepText, Policy, Sending};
use baton::desk::roster::{Agent, AgentId};
use baton::desk::thread::{Thread, ThreadId};
use baton::engine::{self, Answer, Desk, Errand, HandedIn, ListedFolder, Policies, Seen, Taken};
use baton::mail::parse::parse;
use baton::store::{Reader, SendingRow, SentTo, Store, Tx};

const MAILBOX: &str = "support";
pub(super) const SHARED: &str = "support@example.test";
pub(super) const CUSTOMER: &str = "carla@customer.test";
pub(super) const NAMES: [&str; 8] = ["ana", "ben", "cyd", "dan", "eli", "fay", "gus", "hal"];

/// A mail of the thread, as people see it.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) id: String,
    /// The ids that it names, oldest first.
    pub(super) references: Vec<String>,
    /// Whether the customer wrote it.
    pub(super) customers: bool,
}

pub(super) struct Room {
    runtime: tokio::runtime::Runtime,
    store: Store,
    reader: Reader,
    policies: Arc<Policies>,
    pub(super) now: Timestamp,
    next_uid: BTreeMap<&'static str, u32>,
    written: u32,
    /// What lies in INBOX and in Sent, oldest first.
    pub(super) letters: Vec<Letter>,
    /// What the customer got from Baton: the number in the outbox, and the mail.
    pub(super) delivered: Vec<(i64, Letter)>,
    _dir: tempfile::TempDir,
}

fn policy(people: usize, enforce: Enforce, hold: u64) -> Policy {
    let agent = |id: &&str| Agent {
        id: AgentId((*id).into()),
        name: format!("{} Agent", id.to_uppercase()),
        address: format!("{id}@example.test"),
        mark: id.to_uppercase(),
        mailboxes: Vec::new(),
        cards: true,
    };
    let sending =
        Sending { can: true, enforce, hold: Duration::from_secs(hold), ..Sending::default() };
    Policy {
        mailbox: MAILBOX.into(),
        own_addresses: vec![SHARED.into()],
        agents: NAMES.iter().take(people).map(agent).collect(),
        since: Timestamp(0),
        reopen_within: Duration::from_secs(10 * 86_400),
        join_within: Duration::from_secs(10 * 86_400),
        burst_moves_per_minute: 30,
        leave_moved: Duration::ZERO,
        flag_escalates: None,
        keep_text: KeepText::Excerpt,
        names: MarkNames::default(),
        sending,
        key: Default::default(),
        deadlines: Default::default(),
    }
}

impl Room {
    pub(super) fn open(people: usize, enforce: Enforce, hold: u64) -> Room {
        let memory = std::path::Path::new("/dev/shm");
        let dir = match memory.is_dir() {
            true => tempfile::tempdir_in(memory).unwrap(),
            false => tempfile::tempdir().unwrap(),
        };
        let policies = BTreeMap::from([(MAILBOX.to_owned(), policy(people, enforce, hold))]);
        let store = Store::open(dir.path()).unwrap();
        let reader = Reader::open(dir.path()).unwrap();
        let room = Room {
            runtime: tokio::runtime::Builder::new_current_thread().build().unwrap(),
            store,
            reader,
            policies: Arc::new(policies),
            now: Timestamp(1_800_000_000),
            next_uid: BTreeMap::new(),
            written: 0,
            letters: Vec::new(),
            delivered: Vec::new(),
            _dir: dir,
        };
        let policies = Arc::clone(&room.policies);
        room.write(move |tx| {
            let dialect = Dialect::new(&policies[MAILBOX], Layout::Keywords, "", '/');
            let mailbox = tx.mailbox(MAILBOX)?;
            tx.set_dialect(mailbox, dialect.layout, &dialect.prefix, dialect.delimiter)?;
            let listed = [("INBOX", "inbox"), ("Sent", "sent")].map(|(name, role)| ListedFolder {
                name: name.into(),
                role: role.into(),
                selectable: true,
            });
            engine::list(tx, &policies[MAILBOX], &dialect, mailbox, &listed)
        });
        room
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.store.write(work)).unwrap()
    }

    fn at_desk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Desk<'_>) -> anyhow::Result<T> + Send + 'static,
    ) -> T {
        let (policies, now) = (Arc::clone(&self.policies), self.now);
        self.write(move |tx| {
            let policy = &policies[MAILBOX];
            let (mailbox, dialect) = engine::dialect(tx, policy)?;
            work(&Desk { tx, policy, dialect: &dialect, mailbox, now, away: Duration::ZERO })
        })
    }

    pub(super) fn later(&mut self, seconds: i64) {
        self.now = Timestamp(self.now.0 + seconds);
    }

    /// Baton sees these bytes in a folder.
    fn sees(&mut self, name: &'static str, raw: &[u8]) {
        let next = self.next_uid.entry(name).or_insert(1);
        let uid = *next;
        *next += 1;
        let message = parse(raw);
        self.letters.push(Letter {
            id: message.message_id.clone(),
            references: message.references.clone(),
            customers: name == "INBOX",
        });
        let seen = Seen {
            uid,
            flags: Vec::new(),
            arrived_at: self.now,
            size: 1000,
            gmail: None,
            message: Some(message),
            raw: None,
        };
        self.at_desk(move |desk| {
            let mut folder = desk.tx.folder(desk.mailbox, name)?.unwrap();
            folder.uidvalidity = 1;
            engine::arrivals(desk, &folder, &[seen], uid + 1)
        });
    }

    fn text(&mut self, from: &str, to: &str, references: &[String], more: &str) -> String {
        self.written += 1;
        let ids: Vec<String> = references.iter().map(|id| format!("<{id}>")).collect();
        let mut head = format!(
            "Message-ID: <{}@mail.test>\r\nFrom: {from}\r\nTo: {to}\r\nSubject: Re: Broken kettle\r\n",
            self.written
        );
        if let Some(last) = ids.last() {
            head.push_str(&format!("In-Reply-To: {last}\r\nReferences: {}\r\n", ids.join("\r\n ")));
        }
        format!("{head}{more}\r\n")
    }

    /// The customer writes, or writes again.
    pub(super) fn customer_writes(&mut self) -> Letter {
        let known = self.letters.last().map(|last| self.path_to(last)).unwrap_or_default();
        let text = self.text(CUSTOMER, SHARED, &known, "\r\nIt does not work.");
        self.sees("INBOX", text.as_bytes());
        self.letters.last().unwrap().clone()
    }

    /// The ids that an answer to this mail names.
    pub(super) fn path_to(&self, tip: &Letter) -> Vec<String> {
        tip.references.iter().chain([&tip.id]).cloned().collect()
    }

    /// Somebody answers this mail past Baton, which sees it in Sent. The client may say who.
    pub(super) fn answers_natively(&mut self, who: Option<&str>, tip: &Letter) -> Letter {
        let sender = who.map(|who| format!("Sender: {who}@example.test\r\n")).unwrap_or_default();
        let path = self.path_to(tip);
        let text = self.text(SHARED, CUSTOMER, &path, &format!("{sender}\r\nTry this."));
        self.sees("Sent", text.as_bytes());
        self.letters.last().unwrap().clone()
    }

    /// Hands in an answer to this mail.
    pub(super) fn answers(
        &mut self,
        who: &str,
        route: &'static str,
        tip: &Letter,
        first_line: &str,
    ) -> Taken {
        let path = self.path_to(tip);
        let text = self.text(SHARED, CUSTOMER, &path, "");
        let raw =
            format!("{text}{first_line}Try this, says {who} {}.\r\n", self.written).into_bytes();
        let mail = HandedIn {
            agent: Some(AgentId(who.into())),
            route,
            from: SHARED.into(),
            to: vec![SentTo { address: CUSTOMER.into(), notify: None, orcpt: None }],
            message: parse(&raw),
            raw,
            unique: format!("u{}", self.written),
            doubt: None,
        };
        let (policies, now) = (Arc::clone(&self.policies), self.now);
        self.write(move |tx| engine::hand_in(tx, &policies, &mail, now))
    }

    pub(super) fn decides(&self, errand: Errand) -> Answer {
        let (policies, now) = (Arc::clone(&self.policies), self.now);
        self.write(move |tx| engine::errand(tx, &policies, &errand, now))
    }

    /// Whatever is due is sent; `outcome` says what the server does with each answer. What it took lies in Sent at once.
    pub(super) fn sends(&mut self, mut outcome: impl FnMut() -> engine::SendOutcome) {
        for _ in 0..2_000 {
            let task = match self.at_desk(|desk| engine::next(desk, &[])) {
                engine::Task::Rest(_) => self.at_desk(engine::next_in_sent),
                task => task,
            };
            match task {
                engine::Task::Rest(_) => return,
                engine::Task::Send { sending, raw } if sending.route == "notice" => {
                    let _gone = raw;
                    self.settle(sending.id, engine::SendOutcome::Accepted { words: String::new() });
                }
                engine::Task::Send { sending, raw } => {
                    let outcome = outcome();
                    // Lost after the dot: the server has it.
                    let taken = matches!(
                        outcome,
                        engine::SendOutcome::Accepted { .. } | engine::SendOutcome::Lost { .. }
                    );
                    self.settle(sending.id, outcome);
                    if taken {
                        self.sees("Sent", &raw);
                        self.delivered.push((sending.id, self.letters.last().unwrap().clone()));
                    }
                }
                engine::Task::Look { sending } | engine::Task::Copy { sending, .. } => {
                    let id = sending.id;
                    self.at_desk(move |desk| engine::copied(desk, id));
                }
            }
        }
        panic!("there is no end to what is due");
    }

    fn settle(&self, id: i64, outcome: engine::SendOutcome) {
        self.at_desk(move |desk| engine::settle_sending(desk, id, &outcome));
    }

    pub(super) fn thread(&self) -> Thread {
        self.reader.read(|tx| Ok(tx.thread(ThreadId(1))?.unwrap())).unwrap()
    }

    pub(super) fn events(&self) -> Vec<Event> {
        self.reader.read(|tx| Ok(tx.events_of(ThreadId(1))?)).unwrap()
    }

    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.events().iter().map(|event| event.what.kind()).collect()
    }

    /// The answers in the outbox, oldest first.
    pub(super) fn outbox(&self) -> Vec<SendingRow> {
        let mut all = self.reader.read(|tx| Ok(tx.sendings(10_000)?)).unwrap();
        all.retain(|one| one.route != "notice");
        all.reverse();
        all
    }

    /// Who was told what, oldest first: the agent, and the first line of the text.
    pub(super) fn told(&self) -> Vec<(String, String)> {
        let read = |tx: &Tx<'_>| {
            let mut all = tx.sendings(10_000)?;
            all.retain(|one| one.route == "notice");
            all.reverse();
            let text = |one: SendingRow| {
                let raw = tx.sending_mail(one.id).unwrap().unwrap_or_default();
                let message = parse(&raw);
                let to = one.recipients[0].address.split('@').next().unwrap_or_default().to_owned();
                (to, message.text.lines().next().unwrap_or_default().to_owned())
            };
            Ok(all.into_iter().map(text).collect())
        };
        self.reader.read(read).unwrap()
    }

    /// To whom, when and what: the same person is not told the same twice in a breath.
    pub(super) fn notices(&self) -> Vec<String> {
        let mut all = self.reader.read(|tx| Ok(tx.sendings(10_000)?)).unwrap();
        all.retain(|one| one.route == "notice");
        all.iter().map(|one| one.message_id.clone()).collect()
    }

    /// The log and the tables say the same.
    pub(super) fn agrees(&self) {
        let (differences, _, _) = self.reader.read(engine::rebuild).unwrap();
        assert!(differences.is_empty(), "{differences:?}");
    }
}
