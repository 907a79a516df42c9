//! One command, carried out under the lock: what it needs, and the commands that are about no folder.

use super::dialect::{Dialect, Moment, Session};
use super::parse::Command;
use super::store::Store;
use super::view::{May, Selected};

/// Everything a command works with.
pub(super) struct Turn<'a> {
    pub(super) dialect: &'a mut dyn Dialect,
    pub(super) session: &'a mut Session,
    pub(super) selected: &'a mut Option<Selected>,
    pub(super) tag: &'a str,
    /// The command's name in capitals.
    pub(super) verb: &'a str,
    pub(super) out: &'a mut Vec<u8>,
}

impl Turn<'_> {
    /// Says an untagged line.
    pub(super) fn say(&mut self, line: &str) {
        self.out.extend_from_slice(line.as_bytes());
        self.out.extend_from_slice(b"\r\n");
    }

    pub(super) fn words(&self, moment: Moment<'_>) -> String {
        self.dialect.words(self.session, moment)
    }

    pub(super) fn done(&self) -> String {
        self.words(Moment::Done(self.verb))
    }

    pub(super) fn account(&self) -> String {
        self.session.account.clone().unwrap_or_default()
    }

    pub(super) fn store(&self) -> &Store {
        self.dialect.store(self.session.account.as_deref().unwrap_or_default())
    }

    /// Says what has changed in the selected folder.
    pub(super) fn news(&mut self, may: May) {
        let Some(selected) = self.selected else { return };
        for line in selected.news(self.dialect, self.session, may) {
            self.say(&line);
        }
    }

    /// Carries the command out; the answer is what follows the tag.
    pub(super) fn carry_out(&mut self, command: Command) -> String {
        if self.session.account.is_none() && !needs_no_login(&command) {
            return self.words(Moment::WrongState(self.verb));
        }
        let may = match &command {
            Command::Store { .. } if self.dialect.expunges_in_store() => May::Expunge,
            Command::Fetch { uid: false, .. } | Command::Search { uid: false, .. } => {
                May::NotExpunge
            }
            Command::Store { uid: false, .. } => May::NotExpunge,
            _ => May::Expunge,
        };
        let answer = match command {
            Command::Capability => self.capability(),
            Command::Noop | Command::Check => self.done(),
            Command::Id | Command::Namespace | Command::Quota { .. } => self.about(&command),
            Command::Enable(words) => self.enable(&words),
            Command::Login { user, password } => return self.login(user, password),
            command @ (Command::Select { .. }
            | Command::Create(_)
            | Command::Delete(_)
            | Command::Rename(..)
            | Command::Subscribe(..)
            | Command::List(_)
            | Command::Status { .. }
            | Command::Append { .. }) => self.about_folders(command),
            command => match self.selected.take() {
                Some(selected) => self.in_folder(selected, command),
                None => self.words(Moment::WrongState(self.verb)),
            },
        };
        self.news(may);
        answer
    }

    /// The commands in the selected folder.
    fn in_folder(&mut self, mut selected: Selected, command: Command) -> String {
        if matches!(command, Command::Close | Command::Unselect) {
            if command == Command::Close && !selected.read_only {
                let account = self.account();
                self.dialect.expunge(&account, selected.folder, None);
            }
            self.session.selected = None;
            return self.done();
        }
        let answer = match command {
            Command::Fetch { set, uid, items, changed_since } => {
                self.fetch(&mut selected, &set, uid, items, changed_since)
            }
            Command::Search { uid, returns, key } => self.search(&selected, uid, returns, &key),
            _ if selected.read_only => self.words(Moment::ReadOnly),
            command => self.change(&mut selected, command),
        };
        *self.selected = Some(selected);
        answer
    }

    fn capability(&mut self) -> String {
        let capabilities = self.dialect.capabilities(self.session);
        self.say(&format!("* CAPABILITY {capabilities}"));
        self.done()
    }

    fn about(&mut self, command: &Command) -> String {
        for line in self.dialect.about(self.session, command) {
            self.say(&line);
        }
        self.done()
    }

    fn enable(&mut self, words: &[String]) -> String {
        let known = self.dialect.enables();
        let enabled: Vec<&str> = known
            .iter()
            .copied()
            .filter(|known| words.iter().any(|word| word.eq_ignore_ascii_case(known)))
            .collect();
        for word in &enabled {
            match *word {
                "UTF8=ACCEPT" => self.session.utf8 = true,
                "CONDSTORE" => self.session.condstore = true,
                _ => {}
            }
        }
        if !enabled.is_empty() {
            self.say(&format!("* ENABLED {}", enabled.join(" ")));
        }
        self.done()
    }

    fn login(&mut self, user: String, password: String) -> String {
        let credentials = super::dialect::Credentials::Password { user, password };
        if self.session.account.is_some() {
            return self.words(Moment::WrongState(self.verb));
        }
        match self.dialect.login(self.session, &credentials) {
            super::dialect::Verdict::Welcome { account, untagged, tagged } => {
                self.session.account = Some(account);
                untagged.iter().for_each(|line| self.say(line));
                tagged
            }
            super::dialect::Verdict::Refused { untagged, tagged, .. } => {
                untagged.iter().for_each(|line| self.say(line));
                tagged
            }
        }
    }
}

fn needs_no_login(command: &Command) -> bool {
    matches!(command, Command::Capability | Command::Noop | Command::Id | Command::Login { .. })
}
