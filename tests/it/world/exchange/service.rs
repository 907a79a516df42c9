//! The dialect: Exchange Online's IMAP on the shared engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::imapd::{
    Before, Change, Command, Copied, Credentials, Dialect, Folder, FolderId, Grammar, How,
    Incoming, Key, Limits, Listed, Mail, MailId, Moment, Pairs, Placed, Refused, Session, Store,
    Verdict, plain,
};
use super::super::tokens::Ledger;
use super::faults::Guest;
use super::knobs::{Keywords, Knobs, SpecialUse};
use super::mailbox::Mailbox;
use super::rendering::rendered;
use super::smtp::Desk;
use super::words::{self, ARGUMENT_ERROR, COMMAND_ERROR, FLAGS, TOO_LARGE};

/// All the mailboxes of the tenant, and who is connected.
pub(crate) struct Exchange {
    pub(crate) knobs: Knobs,
    /// By address, in small letters.
    pub(crate) mailboxes: BTreeMap<String, Mailbox>,
    pub(super) ledger: Arc<Ledger>,
    /// By the number of the session.
    pub(super) guests: BTreeMap<usize, Guest>,
    /// How many have logged in.
    pub(super) logins: usize,
    /// What SMTP keeps.
    pub(crate) smtp: Desk,
    /// What there is for those who are not connected.
    nowhere: Mailbox,
    /// Messages that cannot be fetched (M48).
    pub(super) unrenderable: Vec<MailId>,
}

impl Exchange {
    pub(super) fn new(ledger: Arc<Ledger>) -> Exchange {
        Exchange {
            knobs: Knobs::default(),
            mailboxes: BTreeMap::new(),
            ledger,
            guests: BTreeMap::new(),
            logins: 0,
            smtp: Desk::default(),
            nowhere: Mailbox::nowhere(),
            unrenderable: Vec::new(),
        }
    }

    /// The mailbox; a test that names another is wrong.
    #[track_caller]
    pub(crate) fn mailbox(&mut self, address: &str) -> &mut Mailbox {
        let found = self.mailboxes.get_mut(&address.to_lowercase());
        found.unwrap_or_else(|| panic!("the tenant has no mailbox {address}"))
    }

    fn of(&mut self, account: &str) -> &mut Mailbox {
        self.mailboxes.get_mut(account).unwrap_or(&mut self.nowhere)
    }

    /// A folder's name is taken, in whatever case, or reserved (M24).
    fn refuse_name(&self, session: &Session, name: &str) -> Result<(), Refused> {
        let account = session.account.as_deref().unwrap_or_default();
        if name.eq_ignore_ascii_case("Files") {
            return Err("NO Folder name is reserved".into());
        }
        match self.store(account).find(name) {
            Some(_) => Err("NO Mailbox already exists.".into()),
            None => Ok(()),
        }
    }

    /// The folder, if anybody may delete or rename it.
    fn own_folder(&mut self, session: &Session, name: &str) -> Result<FolderId, Refused> {
        let id = self.find(session, name).ok_or("NO Mailbox does not exist.")?;
        let account = session.account.clone().unwrap_or_default();
        match self.of(&account).fixed.contains(&id) {
            true => Err("NO Mailbox cannot be changed.".into()),
            false => Ok(id),
        }
    }

    /// Whether every flag is one that Exchange keeps (M28).
    fn knows(flags: &[String]) -> bool {
        flags.iter().all(|flag| FLAGS.iter().any(|known| known.eq_ignore_ascii_case(flag)))
    }

    /// Drops the flags that Exchange does not keep, or refuses them all (M29).
    fn kept_flags(&self, mut flags: Vec<String>) -> Result<Vec<String>, Refused> {
        if Exchange::knows(&flags) {
            return Ok(flags);
        }
        if self.knobs.keywords == Keywords::Refused {
            return Err(ARGUMENT_ERROR.into());
        }
        flags.retain(|flag| FLAGS.iter().any(|known| known.eq_ignore_ascii_case(flag)));
        Ok(flags)
    }
}

impl Dialect for Exchange {
    /// M45: 10240 bytes. LITERAL+ for any length.
    fn limits(&self) -> Limits {
        let literal = self.knobs.append_bytes;
        Limits { line: 10_240, literal, non_sync_literal: literal }
    }

    /// M6: no CONDSTORE, ESEARCH, LIST-EXTENDED, X-GM-EXT-1.
    fn grammar(&self) -> Grammar {
        Grammar { fetch_macros: true, ..Grammar::default() }
    }

    fn greeting(&mut self, session: &Session) -> Result<String, String> {
        // M18, M59.
        if self.guests.len() >= self.knobs.connections {
            return Err("* BYE Connection is closed. 10".into());
        }
        self.guests.insert(session.number, Guest::default());
        Ok(words::greeting())
    }

    fn capabilities(&self, session: &Session) -> String {
        words::capabilities(session, &self.knobs)
    }

    fn mechanisms(&self) -> &'static [&'static str] {
        if self.knobs.login_disabled { &["XOAUTH2"] } else { &["PLAIN", "XOAUTH2"] }
    }

    fn login(&mut self, session: &Session, credentials: &Credentials) -> Verdict {
        self.log_in(session, credentials)
    }

    fn words(&self, _: &Session, moment: Moment<'_>) -> String {
        words::words(moment)
    }

    fn opened(&self, session: &Session, folder: &Folder, read_only: bool) -> Vec<String> {
        let account = session.account.as_deref().unwrap_or_default();
        words::opened(self.store(account), folder, read_only)
    }

    fn about(&self, _: &Session, command: &Command) -> Vec<String> {
        match command {
            // M9.
            Command::Id => {
                vec![
                    r#"* ID ("name" "Microsoft.Exchange.Imap4.Imap4Server" "version" "15.20")"#
                        .into(),
                ]
            }
            // M8.
            Command::Namespace => vec![r#"* NAMESPACE (("" "/")) NIL NIL"#.into()],
            _ => Vec::new(),
        }
    }

    /// M10.
    fn farewell(&self) -> String {
        "* BYE Microsoft Exchange Server IMAP4 server signing off.".into()
    }

    /// M51.
    fn idling(&self) -> String {
        "+ IDLE accepted, awaiting DONE command.".into()
    }

    fn copied(&self, verb: &str, uid_validity: u32, pairs: &Pairs) -> Copied {
        words::copied(self.knobs.move_answer, verb, uid_validity, pairs)
    }

    fn store(&self, account: &str) -> &Store {
        &self.mailboxes.get(account).unwrap_or(&self.nowhere).store
    }

    fn store_mut(&mut self, account: &str) -> &mut Store {
        &mut self.of(account).store
    }

    fn before(&mut self, session: &Session, verb: &str, _: usize) -> Before {
        self.delivers_copies();
        self.fault(session, verb)
    }

    fn refuses(&mut self, _: &Session, command: &Command) -> Option<Refused> {
        match command {
            // M6: neither ENABLE nor QUOTA is known, nor XLIST.
            Command::Enable(_) | Command::Quota { .. } => Some(COMMAND_ERROR.into()),
            Command::List(listing) if listing.verb.name() == "XLIST" => Some(COMMAND_ERROR.into()),
            // M29: every message is refused, whether it is there or not.
            Command::Store { change, .. } => self.kept_flags(change.values.clone()).err(),
            // M29: searching for a keyword raised an error.
            Command::Search { key, .. } => asks_for_keyword(key).then(|| ARGUMENT_ERROR.into()),
            _ => None,
        }
    }

    fn after(&mut self, session: &Session, tagged: String, _: usize) -> String {
        self.count_error(session, &tagged);
        tagged
    }

    fn interrupts(&mut self, session: &Session) -> Option<Vec<String>> {
        self.delivers_copies();
        self.end_of(session)
    }

    fn left(&mut self, session: &Session) {
        self.guests.remove(&session.number);
    }

    fn pushes(&self, _: &Session) -> bool {
        !self.knobs.deaf
    }

    fn tells_before_idling(&self) -> bool {
        self.knobs.news_before_plus
    }

    fn withholds(&self, mail: &Mail) -> bool {
        self.unrenderable.contains(&mail.id)
    }

    /// M39: an estimate, sometimes too small and sometimes too large.
    fn size(&self, mail: &Mail) -> usize {
        let exact = mail.bytes.len();
        match self.knobs.guesses_size {
            false => exact,
            true if mail.id.is_multiple_of(2) => exact + exact / 40 + 13,
            true => exact - exact / 50,
        }
    }

    fn listed(&self, session: &Session) -> Vec<Listed> {
        let store = self.store(session.account.as_deref().unwrap_or_default());
        let listed = store.folders.iter().map(|folder| {
            let below = format!("{}/", folder.name);
            let children = store.folders.iter().any(|other| other.name.starts_with(&below));
            let mut attributes = Vec::new();
            if self.knobs.special_use == SpecialUse::Told && folder.name == "INBOX" {
                attributes.push("\\Marked".to_owned());
            }
            attributes.push(if children { "\\HasChildren" } else { "\\HasNoChildren" }.to_owned());
            // M21: the archive was not among those that were seen with a flag.
            if self.knobs.special_use == SpecialUse::Told {
                attributes
                    .extend(folder.attributes.iter().filter(|one| *one != "\\Archive").cloned());
            }
            Listed { folder: folder.id, attributes }
        });
        listed.collect()
    }

    fn quoted_name(&self, wire: &str) -> String {
        words::quoted_name(wire)
    }

    fn find(&self, session: &Session, name: &str) -> Option<FolderId> {
        let broken =
            self.knobs.broken_folders.iter().any(|broken| broken.eq_ignore_ascii_case(name));
        let store = self.store(session.account.as_deref()?);
        store.find(name).filter(|_| !broken).map(|folder| folder.id)
    }

    fn create(&mut self, session: &Session, name: &str) -> Result<(), Refused> {
        let name = name.trim_end_matches('/');
        self.refuse_name(session, name)?;
        let account = session.account.clone().unwrap_or_default();
        self.of(&account).add_folder(name);
        Ok(())
    }

    fn delete(&mut self, session: &Session, name: &str) -> Result<(), Refused> {
        let id = self.own_folder(session, name)?;
        let account = session.account.clone().unwrap_or_default();
        self.of(&account).remove_folder(id);
        Ok(())
    }

    fn rename(&mut self, session: &Session, from: &str, to: &str) -> Result<(), Refused> {
        let id = self.own_folder(session, from)?;
        self.refuse_name(session, to)?;
        let account = session.account.clone().unwrap_or_default();
        self.of(&account).rename_folder(id, to);
        Ok(())
    }

    fn append(
        &mut self,
        account: &str,
        folder: FolderId,
        incoming: Incoming,
    ) -> Result<Placed, Refused> {
        // M46.
        if incoming.bytes.len() > self.knobs.append_bytes {
            return Err(TOO_LARGE.into());
        }
        let longest = incoming.bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        if longest.is_some_and(|bytes| bytes > self.knobs.append_line_bytes) {
            return Err(ARGUMENT_ERROR.into());
        }
        let flags = self.kept_flags(incoming.flags)?;
        let renders = self.knobs.renders;
        let mailbox = self.of(account);
        let number = mailbox.store.modseq;
        let bytes = if renders { rendered(&incoming.bytes, number) } else { incoming.bytes };
        // M31: the keyword comes back as a category.
        let as_category = flags.iter().any(|flag| flag == "$MDNSent");
        let placed =
            plain::append(&mut mailbox.store, folder, Incoming { bytes, flags, ..incoming });
        if as_category && let Some(mail) = plain::mail_of(&mailbox.store, folder, placed.uid) {
            mailbox.item(mail).categories.push("$MDNSent".into());
        }
        Ok(placed)
    }

    fn copy(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        Ok(self.of(account).copies(from, uids, to))
    }

    fn relocate(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        let (now, cached) = (self.ledger.now(), self.knobs.cached_mode);
        let mailbox = self.of(account);
        let mails: Vec<MailId> =
            uids.iter().filter_map(|uid| plain::mail_of(&mailbox.store, from, *uid)).collect();
        let pairs = plain::relocate(&mut mailbox.store, from, uids, to);
        mailbox.recoverable_items += pairs.len();
        if let Some(cached) = cached {
            mails.into_iter().for_each(|mail| mailbox.bounce(mail, Some(from), now, cached));
        }
        Ok(pairs)
    }

    fn change(
        &mut self,
        account: &str,
        folder: FolderId,
        uid: u32,
        change: &Change,
    ) -> Result<(), Refused> {
        let values = self.kept_flags(change.values.clone())?;
        let (now, cached) = (self.ledger.now(), self.knobs.cached_mode);
        let mailbox = self.of(account);
        let Some(mail) = plain::mail_of(&mailbox.store, folder, uid) else { return Ok(()) };
        let flags = values.iter().any(|value| value.eq_ignore_ascii_case("\\Flagged"));
        let change = Change { values, ..change.clone() };
        plain::change_flags(&mut mailbox.store, folder, uid, &change);
        match change.how {
            How::Add if flags => mailbox.item(mail).followed_up = true,
            How::Remove if flags => mailbox.item(mail).followed_up = false,
            How::Replace => mailbox.item(mail).followed_up = flags,
            _ => {}
        }
        if let Some(cached) = cached.filter(|_| flags && change.how != How::Remove) {
            mailbox.bounce(mail, None, now, cached);
        }
        Ok(())
    }
}

/// Whether a search asks for a keyword.
fn asks_for_keyword(key: &Key) -> bool {
    match key {
        Key::Flag(flag) => !flag.starts_with('\\') && !flag.eq_ignore_ascii_case("$MDNSent"),
        Key::And(keys) => keys.iter().any(asks_for_keyword),
        Key::Or(one, other) => asks_for_keyword(one) || asks_for_keyword(other),
        Key::Not(key) => asks_for_keyword(key),
        _ => false,
    }
}
