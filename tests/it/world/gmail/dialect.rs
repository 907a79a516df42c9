//! Gmail as a dialect of the engine: its words, its folders, its items and keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use super::super::imapd::{
    Before, Change, Command, Copied, Credentials, Dialect, Entry, Folder, FolderId, Grammar,
    Incoming, Limits, Listed, Mail, Moment, Pairs, Placed, Refused, Session, Store, Verdict,
    compact, render,
};
use super::account::{Account, Nil, View};
use super::login::Scope;
use super::names::{BELOW_GMAIL, INBOX};
use super::{Token, raw_search};

/// G3.
pub(super) const BEFORE_LOGIN: &str = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 XYZZY \
     SASL-IR AUTH=XOAUTH2 AUTH=PLAIN AUTH=PLAIN-CLIENTTOKEN AUTH=OAUTHBEARER AUTH=XOAUTH";
/// G4.
pub(super) const AFTER_LOGIN: &str = "IMAP4rev1 UNSELECT IDLE NAMESPACE QUOTA ID XLIST CHILDREN X-GM-EXT-1 UIDPLUS \
     COMPRESS=DEFLATE ENABLE MOVE CONDSTORE ESEARCH UTF8=ACCEPT LIST-EXTENDED LIST-STATUS LITERAL- SPECIAL-USE \
     APPENDLIMIT=35651584";
/// G60.
const APPEND_LIMIT: usize = 35_651_584;

/// Says what a token is good for: user, token.
pub(crate) type TokenHook = Arc<dyn Fn(&str, &str) -> Token + Send + Sync>;

/// Every account there is, and who is logged in.
#[derive(Default)]
pub(crate) struct Google {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(super) token_hook: Option<TokenHook>,
    /// By the session's number.
    sessions: BTreeMap<usize, Open>,
    /// Sessions that are told to log in again.
    pub(super) expired: BTreeSet<usize>,
    /// The most sessions that one account has had at a time.
    pub(super) most_sessions: usize,
    nothing: Store,
}

/// A session that has logged in.
struct Open {
    account: String,
    scope: Scope,
    since: Instant,
}

impl Google {
    pub(super) fn sessions_of(&self, account: &str) -> usize {
        self.sessions.values().filter(|open| open.account == account).count()
    }

    /// Every session of the account is over.
    pub(super) fn expire_sessions(&mut self, account: &str) {
        let open = self.sessions.iter().filter(|(_, open)| open.account == account);
        let numbers: Vec<usize> = open.map(|(number, _)| *number).collect();
        self.expired.extend(numbers);
    }

    pub(super) fn enter(&mut self, session: &Session, account: &str, scope: Scope) -> Verdict {
        let open = Open { account: account.to_owned(), scope, since: Instant::now() };
        self.sessions.insert(session.number, open);
        self.most_sessions = self.most_sessions.max(self.sessions_of(account));
        Verdict::Welcome {
            account: account.to_owned(),
            // Point 1: pushed, nobody has to ask.
            untagged: vec![format!("* CAPABILITY {AFTER_LOGIN}")],
            tagged: format!("OK {account} authenticated (Success)"),
        }
    }

    fn account(&self, session: &Session) -> Option<&Account> {
        self.accounts.get(session.account.as_deref()?)
    }

    fn account_mut(&mut self, session: &Session) -> Result<&mut Account, Refused> {
        let account = session.account.as_deref().and_then(|account| self.accounts.get_mut(account));
        account.ok_or_else(|| "NO Temporary System Error (Failure)".into())
    }

    fn sees_everything(&self, session: &Session) -> bool {
        self.sessions.get(&session.number).is_some_and(|open| open.scope == Scope::Everything)
    }

    fn is_shown(&self, session: &Session, folder: FolderId) -> bool {
        let hidden = self.account(session).is_some_and(|account| account.hidden.contains(&folder));
        !hidden || self.sees_everything(session)
    }
}

/// The opaque id of a session, which greeting and other texts carry (G2).
fn id(session: &Session) -> String {
    format!("k{}if6111336rvb", session.number)
}

impl Dialect for Google {
    fn limits(&self) -> Limits {
        // G15, G8 (point 18), G60 (point 13).
        Limits { line: 64 * 1024, literal: APPEND_LIMIT, non_sync_literal: 4096 }
    }

    fn grammar(&self) -> Grammar {
        Grammar {
            extra_items: &["X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"],
            extra_keys: &["X-GM-RAW", "X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"],
            // G16, point 17.
            fetch_macros: false,
            condstore: true,
            esearch: true,
            list_extended: true,
            // G10.
            compress: true,
            utf8: false,
        }
    }

    fn greeting(&mut self, session: &Session) -> Result<String, String> {
        Ok(format!("* OK Gimap ready for requests from 127.0.0.1 {}.0", id(session)))
    }

    fn capabilities(&self, session: &Session) -> String {
        if session.account.is_some() { AFTER_LOGIN } else { BEFORE_LOGIN }.into()
    }

    fn login(&mut self, session: &Session, credentials: &Credentials) -> Verdict {
        self.judges(session, credentials)
    }

    fn mechanisms(&self) -> &'static [&'static str] {
        &["XOAUTH2", "PLAIN", "OAUTHBEARER"]
    }

    fn enables(&self) -> &'static [&'static str] {
        &["UTF8=ACCEPT", "CONDSTORE"]
    }

    fn words(&self, session: &Session, moment: Moment<'_>) -> String {
        super::words::words(&id(session), moment)
    }

    fn opened(&self, session: &Session, folder: &Folder, read_only: bool) -> Vec<String> {
        let Some(account) = self.account(session) else { return Vec::new() };
        super::words::opened(account, folder, self.visible(session, folder).len(), read_only)
    }

    fn about(&self, _: &Session, command: &Command) -> Vec<String> {
        super::words::about(command)
    }

    fn farewell(&self) -> String {
        "* BYE LOGOUT Requested".into()
    }

    fn idling(&self) -> String {
        "+ idling".into()
    }

    fn copied(&self, _: &str, uid_validity: u32, pairs: &Pairs) -> Copied {
        let (from, to): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
        // G55: in the tagged answer, of MOVE as well.
        let tagged = match pairs.is_empty() {
            true => "OK Success".into(),
            false => {
                format!("OK [COPYUID {uid_validity} {} {}] (Success)", compact(&from), compact(&to))
            }
        };
        Copied { untagged: Vec::new(), tagged }
    }

    fn store(&self, account: &str) -> &Store {
        self.accounts.get(account).map_or(&self.nothing, |account| &account.store)
    }

    fn store_mut(&mut self, account: &str) -> &mut Store {
        self.accounts.get_mut(account).map_or(&mut self.nothing, |account| &mut account.store)
    }

    fn before(&mut self, session: &Session, verb: &str, bytes: usize) -> Before {
        self.account_mut(session).map_or(Before::Go, |account| account.faults.before(verb, bytes))
    }

    fn after(&mut self, session: &Session, tagged: String, bytes: usize) -> String {
        match self.account_mut(session) {
            Ok(account) => account.faults.after(tagged, bytes),
            Err(_) => tagged,
        }
    }

    fn interrupts(&mut self, session: &Session) -> Option<Vec<String>> {
        let lifetime = self.account(session).and_then(|account| account.settings.session_lifetime);
        let since = self.sessions.get(&session.number).map(|open| open.since);
        let is_old =
            since.zip(lifetime).is_some_and(|(since, lifetime)| since.elapsed() > lifetime);
        // Point 14.
        let over = is_old || self.expired.remove(&session.number);
        over.then(|| vec!["* BYE Session expired, please login again.".into()])
    }

    fn left(&mut self, session: &Session) {
        self.sessions.remove(&session.number);
    }

    fn listed(&self, session: &Session) -> Vec<Listed> {
        let folders = self.account(session).map(|account| &account.store.folders);
        let mut folders: Vec<&Folder> = folders.into_iter().flatten().collect();
        folders.retain(|folder| self.is_shown(session, folder.id));
        let attributes = |folder: &Folder| {
            let below = format!("{}/", folder.name);
            let parent = folders.iter().any(|other| other.name.starts_with(&below));
            let children = if parent { "\\HasChildren" } else { "\\HasNoChildren" };
            let mut attributes = folder.attributes.clone();
            attributes.push(children.into());
            attributes.extend((!folder.selectable).then(|| "\\Noselect".to_owned()));
            attributes.sort();
            attributes
        };
        folders.iter().map(|one| Listed { folder: one.id, attributes: attributes(one) }).collect()
    }

    fn xlist_attributes(&self, name: &str, mut attributes: Vec<String>) -> Vec<String> {
        for system in BELOW_GMAIL {
            for own in attributes.iter_mut().filter(|own| Some(own.as_str()) == system.attribute) {
                system.xlist.clone_into(own);
            }
        }
        attributes.extend((name == "INBOX").then(|| INBOX.xlist.to_owned()));
        attributes
    }

    fn find(&self, session: &Session, name: &str) -> Option<FolderId> {
        let folder = self.account(session)?.store.find(name)?;
        (folder.selectable && self.is_shown(session, folder.id)).then_some(folder.id)
    }

    /// G24: with a limit only the newest are there.
    fn visible<'a>(&self, session: &Session, folder: &'a Folder) -> &'a [Entry] {
        let limit = self.account(session).and_then(|account| account.settings.folder_limit);
        let skipped = match limit {
            Some(limit) if !self.sees_everything(session) => {
                folder.entries.len().saturating_sub(limit)
            }
            _ => 0,
        };
        &folder.entries[skipped..]
    }

    fn fetch_extra(
        &self,
        session: &Session,
        folder: &Folder,
        mail: &Mail,
        item: &str,
    ) -> Option<String> {
        let account = self.account(session)?;
        Some(match item {
            "X-GM-MSGID" => Account::msgid(mail.id).to_string(),
            "X-GM-THRID" => account.letters.get(&mail.id)?.thread.to_string(),
            _ => labels(account, session, folder, mail),
        })
    }

    fn matches_extra(&self, session: &Session, mail: &Mail, key: &str, argument: &str) -> bool {
        let Some(account) = self.account(session) else { return false };
        let thread = account.letters.get(&mail.id).map(|letter| letter.thread.to_string());
        match key {
            "X-GM-RAW" => raw_search::matches(account, mail.id, argument),
            "X-GM-MSGID" => Account::msgid(mail.id).to_string() == argument,
            "X-GM-THRID" => thread.as_deref() == Some(argument),
            _ => {
                let decoded = render::plain_name(argument, session);
                let wanted = super::names::system_label(&decoded).unwrap_or(&decoded);
                account
                    .labels(mail.id)
                    .iter()
                    .any(|own| own.to_lowercase() == wanted.to_lowercase())
            }
        }
    }

    fn create(&mut self, session: &Session, name: &str) -> Result<(), Refused> {
        self.account_mut(session)?.create_label(name)
    }

    fn delete(&mut self, session: &Session, name: &str) -> Result<(), Refused> {
        self.account_mut(session)?.delete_label(name)
    }

    fn rename(&mut self, session: &Session, from: &str, to: &str) -> Result<(), Refused> {
        self.account_mut(session)?.rename_label(from, to)
    }

    fn append(
        &mut self,
        account: &str,
        folder: FolderId,
        incoming: Incoming,
    ) -> Result<Placed, Refused> {
        let account =
            self.accounts.get_mut(account).ok_or("NO Temporary System Error (Failure)")?;
        Ok(account.append(folder, incoming))
    }

    fn copy(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        let account =
            self.accounts.get_mut(account).ok_or("NO Temporary System Error (Failure)")?;
        Ok(account.copy(from, uids, to, false))
    }

    fn relocate(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        let account =
            self.accounts.get_mut(account).ok_or("NO Temporary System Error (Failure)")?;
        Ok(account.copy(from, uids, to, true))
    }

    fn change(
        &mut self,
        account: &str,
        folder: FolderId,
        uid: u32,
        change: &Change,
    ) -> Result<(), Refused> {
        let account =
            self.accounts.get_mut(account).ok_or("NO Temporary System Error (Failure)")?;
        account.change(folder, uid, change)
    }

    fn expunge(&mut self, account: &str, folder: FolderId, only: Option<&[u32]>) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.expunge(folder, only);
        }
    }

    fn expunges_in_store(&self) -> bool {
        true
    }
}

/// X-GM-LABELS as it really comes (point 8): system labels as strings with an escaped backslash (G35), user labels as
/// atoms where they can be, and without the label of the folder itself (G37).
fn labels(account: &Account, session: &Session, folder: &Folder, mail: &Mail) -> String {
    let own = match Account::view(folder) {
        View::System(system) => system.label,
        View::Label(name) => Some(name),
    };
    let labels = account.labels(mail.id).into_iter().filter(|label| Some(label.as_str()) != own);
    let mut words: Vec<String> = labels.map(|label| label_word(&label, session)).collect();
    match account.settings.nil_labels {
        Nil::AsTheList if words.is_empty() => return "NIL".into(),
        // G36.
        Nil::AsALabel => words.insert(0, "NIL".into()),
        _ => {}
    }
    render::parenthesised(&words)
}

fn label_word(label: &str, session: &Session) -> String {
    let wire = render::wire_name(label, session);
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.+~[]&,$!#@:;'?=<>|".contains(&byte);
    if wire.bytes().all(atom) && !wire.eq_ignore_ascii_case("NIL") {
        wire
    } else {
        render::quoted(&wire)
    }
}
