//! The seam between the engine and a provider: everything in which one IMAP server differs from another.

use std::time::Duration;

use super::parse::{Change, Command};
use super::plain::{self, Incoming, Pairs, Placed};
use super::store::{Entry, Folder, FolderId, Mail, Store};

/// A refusal or failure, as the client reads it after its tag: `NO [ALREADYEXISTS] …`.
pub(crate) type Refused = String;

/// What the engine knows of a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Counts the connections of this server from one.
    pub(crate) number: usize,
    /// Whose mailbox is open, once somebody has logged in: what [`Verdict::Welcome`] said.
    pub(crate) account: Option<String>,
    pub(crate) selected: Option<FolderId>,
    pub(crate) idling: bool,
    /// `ENABLE UTF8=ACCEPT` was said: names travel as they are.
    pub(crate) utf8: bool,
    /// The client has shown that it knows MODSEQ.
    pub(crate) condstore: bool,
}

/// How somebody proves who they are.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Credentials {
    /// LOGIN, or SASL PLAIN.
    Password { user: String, password: String },
    /// SASL XOAUTH2 or OAUTHBEARER.
    Bearer { user: String, token: String },
    /// A SASL answer that is none.
    Nonsense,
}

/// What comes of a login.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// The session belongs to this account from now on.
    Welcome { account: String, untagged: Vec<String>, tagged: String },
    /// With a `challenge` (base64), the client has to answer it before it gets its refusal (X4).
    Refused { challenge: Option<String>, untagged: Vec<String>, tagged: Refused },
}

/// What is to happen to a command.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Before {
    #[default]
    Go,
    /// It is not carried out; these lines are the answer. `{tag}` in them becomes the command's tag.
    Answer(Vec<String>),
    /// The same, and the connection ends.
    Close(Vec<String>),
    /// It is carried out after a while.
    Slow(Duration),
}

/// What the lines of a client must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The longest command line in bytes, literals not counted.
    pub(crate) line: usize,
    /// The longest literal in bytes; a longer one is refused before it is sent, if the client asks.
    pub(crate) literal: usize,
    /// The longest literal that may be sent without asking: 0 without LITERAL+ and LITERAL-, 4096 with LITERAL-.
    pub(crate) non_sync_literal: usize,
}

/// What the parser understands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Grammar {
    /// FETCH and STORE items of this dialect only, in capitals.
    pub(crate) extra_items: &'static [&'static str],
    /// SEARCH keys of this dialect only, each with one argument, in capitals.
    pub(crate) extra_keys: &'static [&'static str],
    /// FETCH ALL, FULL, FAST.
    pub(crate) fetch_macros: bool,
    pub(crate) condstore: bool,
    pub(crate) esearch: bool,
    /// LIST-EXTENDED and LIST-STATUS.
    pub(crate) list_extended: bool,
    /// COMPRESS DEFLATE.
    pub(crate) compress: bool,
    /// Set by the engine for each session.
    pub(crate) utf8: bool,
}

/// A moment at which servers find words of their own.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment<'a> {
    /// The command is done; its name in capitals, `UID FETCH`.
    Done(&'a str),
    Selected {
        name: &'a str,
        read_only: bool,
    },
    Appended(Placed),
    /// Some of the messages asked for are gone.
    SomeAreGone,
    /// STORE UNCHANGEDSINCE left these alone.
    Modified(&'a str),
    NoSuchFolder(&'a str),
    /// Of SELECT and EXAMINE, which leave no folder open then.
    CannotSelect(&'a str),
    /// Of COPY, MOVE and APPEND: the client may create it and try again.
    NoSuchTarget(&'a str),
    /// The folder is open for reading only.
    ReadOnly,
    /// Not now: before login, or without a folder.
    WrongState(&'a str),
    Unparsable {
        verb: &'a str,
    },
    /// There is no tag that the answer could begin with; it begins with `*`.
    BadTag,
    /// A literal was sent without asking that is too long for it.
    LiteralNotAsked,
    LiteralTooLong,
    LineTooLong,
    /// SASL mechanism, ENABLE or quota that is not there.
    Unsupported(&'a str),
}

/// What the answer to COPY and MOVE looks like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Copied {
    /// Whole lines, before any EXPUNGE.
    pub(crate) untagged: Vec<String>,
    pub(crate) tagged: String,
}

/// One folder in LIST.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) folder: FolderId,
    /// `\HasNoChildren \Sent`.
    pub(crate) attributes: Vec<String>,
}

/// A provider. It owns the mailboxes; the engine asks it under one lock, so it is as sequential as a test.
///
/// Everything with a body is what an ordinary server does.
pub(crate) trait Dialect: Send + 'static {
    fn limits(&self) -> Limits;
    fn grammar(&self) -> Grammar;
    /// The first line, or what is said instead before the connection is closed.
    fn greeting(&mut self, session: &Session) -> Result<String, String>;
    /// What follows `* CAPABILITY `.
    fn capabilities(&self, session: &Session) -> String;
    fn login(&mut self, session: &Session, credentials: &Credentials) -> Verdict;
    /// The SASL mechanisms, in capitals.
    fn mechanisms(&self) -> &'static [&'static str];
    /// What follows the tag.
    fn words(&self, session: &Session, moment: Moment<'_>) -> String;
    /// The untagged lines of SELECT and EXAMINE.
    fn opened(&self, session: &Session, folder: &Folder, read_only: bool) -> Vec<String>;
    /// The line that answers ID, NAMESPACE or GETQUOTAROOT, if there is one: `* ID (…)`.
    fn about(&self, session: &Session, command: &Command) -> Vec<String>;
    /// `* BYE …`
    fn farewell(&self) -> String;
    /// What a client reads that waits to send a literal.
    fn go_ahead(&self) -> &'static str {
        "+ go ahead"
    }
    /// `+ …`
    fn idling(&self) -> String;
    /// The answer to COPY and MOVE; `pairs` is empty if nothing was there to copy.
    fn copied(&self, verb: &str, uid_validity: u32, pairs: &Pairs) -> Copied;

    /// The mailbox of an account that has logged in.
    fn store(&self, account: &str) -> &Store;
    fn store_mut(&mut self, account: &str) -> &mut Store;

    /// Asked before every command that could be parsed, with its size in bytes: the place for faults.
    fn before(&mut self, _session: &Session, _verb: &str, _bytes: usize) -> Before {
        Before::Go
    }
    /// Asked after that, for refusals that depend on what the command says.
    fn refuses(&mut self, _session: &Session, _command: &Command) -> Option<Refused> {
        None
    }
    /// Sees every tagged answer (what follows the tag) with the size of all that is answered, and may change it.
    fn after(&mut self, _session: &Session, tagged: String, _bytes: usize) -> String {
        tagged
    }
    /// Asked after every change and command of anybody, and once in a while: lines to end this session with.
    fn interrupts(&mut self, _session: &Session) -> Option<Vec<String>> {
        None
    }
    /// The connection has ended.
    fn left(&mut self, _session: &Session) {}
    /// Whether changes are told while the client idles.
    fn pushes(&self, _session: &Session) -> bool {
        true
    }
    /// Whether news come before the line that says that the server idles (M52); right behind it otherwise.
    fn tells_before_idling(&self) -> bool {
        false
    }
    /// Whether FETCH leaves this mail out, as if it were gone (M48).
    fn withholds(&self, _mail: &Mail) -> bool {
        false
    }
    /// What ENABLE can enable: of `UTF8=ACCEPT` and `CONDSTORE`.
    fn enables(&self) -> &'static [&'static str] {
        &[]
    }
    /// RFC822.SIZE, which some servers guess (M39).
    fn size(&self, mail: &Mail) -> usize {
        mail.bytes.len()
    }

    /// The folders as LIST shows them.
    fn listed(&self, session: &Session) -> Vec<Listed>;
    /// The attributes of a folder in XLIST.
    fn xlist_attributes(&self, _name: &str, attributes: Vec<String>) -> Vec<String> {
        attributes
    }
    /// Folder names are quoted unless the dialect knows better; `wire` is encoded.
    fn quoted_name(&self, wire: &str) -> String {
        super::render::quoted(wire)
    }
    /// The folder of this name.
    fn find(&self, session: &Session, name: &str) -> Option<FolderId> {
        let account = session.account.as_deref()?;
        self.store(account).find(name).filter(|folder| folder.selectable).map(|folder| folder.id)
    }
    /// The entries that this session may see, if not all.
    fn visible<'a>(&self, _session: &Session, folder: &'a Folder) -> &'a [Entry] {
        &folder.entries
    }

    /// A FETCH item of [`Grammar::extra_items`].
    fn fetch_extra(
        &self,
        _session: &Session,
        _folder: &Folder,
        _mail: &Mail,
        _item: &str,
    ) -> Option<String> {
        None
    }
    /// A SEARCH key of [`Grammar::extra_keys`].
    fn matches_extra(&self, _session: &Session, _mail: &Mail, _key: &str, _argument: &str) -> bool {
        false
    }

    fn create(&mut self, session: &Session, name: &str) -> Result<(), Refused>;
    fn delete(&mut self, session: &Session, name: &str) -> Result<(), Refused>;
    fn rename(&mut self, session: &Session, from: &str, to: &str) -> Result<(), Refused>;
    fn subscribe(
        &mut self,
        session: &Session,
        name: &str,
        subscribed: bool,
    ) -> Result<(), Refused> {
        let gone = self.words(session, Moment::NoSuchFolder(name));
        let folder = self.find(session, name).ok_or(gone)?;
        let account = session.account.clone().unwrap_or_default();
        if let Some(folder) = self.store_mut(&account).folder_mut(folder) {
            folder.subscribed = subscribed;
        }
        Ok(())
    }

    fn append(
        &mut self,
        account: &str,
        folder: FolderId,
        incoming: Incoming,
    ) -> Result<Placed, Refused> {
        Ok(plain::append(self.store_mut(account), folder, incoming))
    }
    fn copy(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        Ok(plain::copy(self.store_mut(account), from, uids, to))
    }
    fn relocate(
        &mut self,
        account: &str,
        from: FolderId,
        uids: &[u32],
        to: FolderId,
    ) -> Result<Pairs, Refused> {
        Ok(plain::relocate(self.store_mut(account), from, uids, to))
    }
    /// A STORE for one message: of flags, or of one of [`Grammar::extra_items`]. `Ok` without the UID being there is fine.
    fn change(
        &mut self,
        account: &str,
        folder: FolderId,
        uid: u32,
        change: &Change,
    ) -> Result<(), Refused> {
        plain::change_flags(self.store_mut(account), folder, uid, change);
        Ok(())
    }
    /// Removes what is marked `\Deleted`, of these UIDs only if some are given.
    fn expunge(&mut self, account: &str, folder: FolderId, only: Option<&[u32]>) {
        plain::expunge(self.store_mut(account), folder, only);
    }
    /// Whether a STORE may answer with EXPUNGE (Gmail's auto-expunge does, against RFC 3501; G57).
    fn expunges_in_store(&self) -> bool {
        false
    }
}
