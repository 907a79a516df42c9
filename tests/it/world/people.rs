//! Customers and agents, and what they do: write, reply, tag, move, draft, delete, and type commands.
//!
//! A thread is spoken of by the subject that its first mail had. Gestures that differ by layout are named by what
//! they mean (`claims`, `resolves`); [`Person::tags`] and [`Person::moves_to`] are the bare acts.

use super::baton::{Answer, Thread};
use super::{Layout, World};

/// The agents of every world: id and name.
pub(crate) const AGENTS: [(&str, &str); 3] =
    [("ana", "Ana Ruiz"), ("ben", "Ben Okafor"), ("cleo", "Cleo Marin")];

/// A mail that somebody wrote in this story.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// The subject of the conversation, without prefixes.
    pub(crate) subject: String,
    pub(crate) message_id: String,
    pub(crate) from: String,
    references: Vec<String>,
    mailbox: usize,
    by_customer: bool,
}

/// A mail that is about to be written.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) cc: String,
    pub(crate) subject: String,
    pub(crate) body: String,
    /// Further headers, each with its line end.
    pub(crate) headers: String,
    /// The Message-IDs above this one, the direct parent last.
    pub(crate) references: Vec<String>,
    pub(crate) days_ago: i64,
}

impl World {
    /// A letter from the customer `carla@customer.test` that is new today.
    pub(crate) fn letter(&mut self, subject: &str, body: &str) -> Letter {
        Letter {
            from: "Carla Customer <carla@customer.test>".to_owned(),
            to: self.mailbox().address.clone(),
            cc: String::new(),
            subject: subject.to_owned(),
            body: body.to_owned(),
            headers: String::new(),
            references: Vec::new(),
            days_ago: 0,
        }
    }

    /// A letter from the customer that answers the last mail of this conversation.
    pub(crate) fn answer(&mut self, subject: &str, body: &str) -> Letter {
        let parent = self.last_mail(subject);
        let mut letter = self.letter(&format!("Re: {subject}"), body);
        letter.references = [parent.references, vec![parent.message_id]].concat();
        letter
    }

    /// Puts a letter into a folder of the mailbox and answers its Message-ID.
    pub(crate) fn puts(&mut self, letter: &Letter, folder: &str, flags: &str) -> String {
        let number = self.mails.len() + 1;
        let message_id = format!("m{number}.{}@{}", self.mailbox().name, domain(&letter.from));
        let at = self.days_ago(letter.days_ago);
        let mut text = format!(
            "Message-ID: <{message_id}>\r\nDate: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\n",
            at.strftime("%a, %d %b %Y %H:%M:%S +0000"),
            letter.from,
            letter.to,
            letter.subject
        );
        if !letter.cc.is_empty() {
            text.push_str(&format!("Cc: {}\r\n", letter.cc));
        }
        if let Some(parent) = letter.references.last() {
            let all: Vec<String> = letter.references.iter().map(|id| format!("<{id}>")).collect();
            text.push_str(&format!("In-Reply-To: <{parent}>\r\nReferences: {}\r\n", all.join(" ")));
        }
        text.push_str(&letter.headers);
        text.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
        text.push_str(&letter.body.replace('\n', "\r\n"));
        text.push_str("\r\n");
        let date = at.strftime("%d-%b-%Y %H:%M:%S +0000").to_string();
        self.eyes().append(folder, flags, Some(&date), text.as_bytes());
        let (here, own) = (self.here, self.mailbox().address.clone());
        self.mails.push(Mail {
            subject: base(&letter.subject),
            message_id: message_id.clone(),
            from: letter.from.clone(),
            references: letter.references.clone(),
            mailbox: here,
            by_customer: !letter.from.contains(&own),
        });
        message_id
    }

    /// A letter arrives.
    pub(crate) fn arrives(&mut self, letter: &Letter) -> String {
        self.puts(letter, "INBOX", "")
    }

    /// A customer writes for the first time about this.
    pub(crate) fn customer_writes(&mut self, subject: &str) -> String {
        let letter =
            self.letter(subject, "Good morning, there is a problem, and I need your help with it.");
        self.arrives(&letter)
    }

    /// The customer writes again in the same conversation.
    pub(crate) fn customer_answers(&mut self, subject: &str, body: &str) -> String {
        let letter = self.answer(subject, body);
        self.arrives(&letter)
    }

    /// The last mail of a conversation, by whomever.
    pub(crate) fn last_mail(&self, subject: &str) -> Mail {
        self.mails_of(subject).pop().unwrap_or_else(|| panic!("nobody wrote about {subject:?}"))
    }

    /// The customer's last mail of a conversation: the one that people act on.
    fn mail(&self, subject: &str) -> Mail {
        let mut mails = self.mails_of(subject);
        mails.retain(|mail| mail.by_customer);
        mails.pop().unwrap_or_else(|| panic!("no customer wrote about {subject:?}"))
    }

    fn mails_of(&self, subject: &str) -> Vec<Mail> {
        let here = |mail: &&Mail| mail.subject == subject && mail.mailbox == self.here;
        self.mails.iter().filter(here).cloned().collect()
    }

    /// A mail client in the hands of this agent.
    pub(crate) fn agent(&mut self, id: &'static str) -> Person<'_> {
        let name = AGENTS.iter().find(|agent| agent.0 == id).expect("no such agent").1;
        Person { world: self, id, name }
    }

    /// The threads that have this subject, the oldest first.
    pub(crate) fn threads_about(&mut self, subject: &str) -> Vec<Thread> {
        let name = self.mailbox().name;
        let mut threads = self.baton.threads();
        threads.retain(|thread| base(&thread.subject) == subject && thread.mailbox == name);
        threads
    }

    /// The one thread with this subject, with its messages and events.
    #[track_caller]
    pub(crate) fn thread(&mut self, subject: &str) -> Thread {
        let threads = self.threads_about(subject);
        match threads.as_slice() {
            [one] => self.baton.show(one.id).expect("a thread that is listed can be shown"),
            other => panic!("{} threads about {subject:?}\n{}", other.len(), self.picture()),
        }
    }

    /// Waits until a thread with this subject is there; answers its number.
    #[track_caller]
    pub(crate) fn opens(&mut self, subject: &str) -> i64 {
        self.becomes(subject, "new");
        self.thread(subject).id
    }

    /// Waits until the thread with this subject holds so many messages.
    #[track_caller]
    pub(crate) fn holds(&mut self, subject: &str, messages: usize) {
        self.eventually(&format!("{subject:?} holds {messages} messages"), |world| {
            let threads = world.threads_about(subject);
            let [one] = threads.as_slice() else { return false };
            world.baton.show(one.id).is_some_and(|thread| thread.messages().len() == messages)
        });
    }
}

/// An agent with a mail client and a shell.
pub(crate) struct Person<'world> {
    pub(crate) world: &'world mut World,
    pub(crate) id: &'static str,
    name: &'static str,
}

impl Person<'_> {
    /// The folder of this agent's threads.
    pub(crate) fn folder(&self) -> String {
        format!("Baton/{}", self.name.split(' ').next().unwrap_or_default())
    }

    pub(crate) fn tags(&mut self, subject: &str, keyword: &str) {
        let mail = self.world.mail(subject);
        self.world.eyes().stores(&mail.message_id, "+", keyword);
    }

    pub(crate) fn untags(&mut self, subject: &str, keyword: &str) {
        let mail = self.world.mail(subject);
        self.world.eyes().stores(&mail.message_id, "-", keyword);
    }

    pub(crate) fn moves_to(&mut self, subject: &str, folder: &str) {
        let mail = self.world.mail(subject);
        self.world.eyes().moves(&mail.message_id, folder);
    }

    fn marks(&mut self, subject: &str, keyword: &str, folder: &str) {
        match self.world.layout() {
            Layout::Keywords | Layout::Labels => self.tags(subject, keyword),
            Layout::Folders => self.moves_to(subject, folder),
        }
    }

    fn unmarks(&mut self, subject: &str, keyword: &str, folder: &str) {
        match self.world.layout() {
            Layout::Keywords | Layout::Labels => self.untags(subject, keyword),
            Layout::Folders => self.moves_to(subject, folder),
        }
    }

    pub(crate) fn claims(&mut self, subject: &str) {
        let (tag, folder) = (format!("baton-{}", self.id), self.folder());
        self.marks(subject, &tag, &folder);
    }

    /// Puts the own mark in the place of another's, as somebody does who takes over.
    pub(crate) fn takes_over(&mut self, subject: &str, from: &str) {
        if self.world.layout() != Layout::Folders {
            self.untags(subject, &format!("baton-{from}"));
        }
        self.claims(subject);
    }

    pub(crate) fn waits(&mut self, subject: &str) {
        let folder = format!("{}/Waiting", self.folder());
        self.marks(subject, "baton-waiting", &folder);
    }

    pub(crate) fn blocks(&mut self, subject: &str) {
        let folder = format!("{}/Blocked", self.folder());
        self.marks(subject, "baton-blocked", &folder);
    }

    pub(crate) fn unblocks(&mut self, subject: &str) {
        let folder = self.folder();
        self.unmarks(subject, "baton-blocked", &folder);
    }

    pub(crate) fn resolves(&mut self, subject: &str) {
        self.marks(subject, "baton-resolved", "Baton/Resolved");
    }

    pub(crate) fn ignores(&mut self, subject: &str) {
        self.marks(subject, "baton-ignored", "Baton/Ignored");
    }

    pub(crate) fn reopens(&mut self, subject: &str) {
        let folder = self.folder();
        self.unmarks(subject, "baton-resolved", &folder);
    }

    pub(crate) fn releases(&mut self, subject: &str) {
        let tag = format!("baton-{}", self.id);
        self.unmarks(subject, &tag, "INBOX");
    }

    pub(crate) fn flags(&mut self, subject: &str) {
        self.tags(subject, "\\Flagged");
    }

    pub(crate) fn archives(&mut self, subject: &str) {
        self.moves_to(subject, "Archive");
    }

    pub(crate) fn reads(&mut self, subject: &str) {
        let mail = self.world.mail(subject);
        self.world.eyes().reads(&mail.message_id);
    }

    /// Deletes the message for good, no trash.
    pub(crate) fn deletes(&mut self, subject: &str) {
        let mail = self.world.mail(subject);
        self.world.eyes().expunges(&mail.message_id);
    }

    /// Begins a reply; it lies in Drafts.
    pub(crate) fn drafts(&mut self, subject: &str) -> String {
        let mut letter = self.reply(subject);
        letter.headers.push_str("X-Draft: yes\r\n");
        self.world.puts(&letter, "Drafts", "\\Draft \\Seen")
    }

    /// Replies as the shared address from the own client; the copy in Sent tells who it was, as Outlook's does.
    pub(crate) fn replies(&mut self, subject: &str) -> String {
        let mut letter = self.reply(subject);
        letter.headers.push_str(&format!("Sender: {} <{}@example.test>\r\n", self.name, self.id));
        self.world.puts(&letter, "Sent", "\\Seen")
    }

    /// The same from a client that says nothing of the person.
    pub(crate) fn replies_unnamed(&mut self, subject: &str) -> String {
        let letter = self.reply(subject);
        self.world.puts(&letter, "Sent", "\\Seen")
    }

    fn reply(&mut self, subject: &str) -> Letter {
        let customer = self.world.mail(subject).from;
        let mut letter = self
            .world
            .answer(subject, "Thank you for writing. We have looked into it, please try again.");
        letter.from = format!("Support <{}>", self.world.mailbox().address);
        letter.to = customer;
        letter
    }

    /// Types a command about this thread: `commands("block", "Broken kettle", &["waiting for parts"])`.
    pub(crate) fn commands(&mut self, verb: &str, subject: &str, more: &[&str]) -> Answer {
        let id = self.world.thread(subject).id.to_string();
        self.types(&[&[verb, &id], more].concat())
    }

    /// Types a command in the own name; once more when the daemon died on purpose under it.
    pub(crate) fn types(&mut self, arguments: &[&str]) -> Answer {
        let words = [arguments, &["--as", self.id]].concat();
        let answer = self.world.baton.says(&words);
        if answer.code == 0 || !self.world.died_meanwhile() {
            return answer;
        }
        Answer { again: true, ..self.world.baton.says(&words) }
    }
}

/// The subject without `Re:`.
fn base(subject: &str) -> String {
    subject.trim_start_matches("Re: ").to_owned()
}

fn domain(from: &str) -> String {
    from.rsplit_once('@')
        .map_or("nowhere.test", |(_, domain)| domain)
        .trim_end_matches('>')
        .to_owned()
}
