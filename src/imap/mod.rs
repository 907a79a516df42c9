//! The door to one mailbox: connect, catch up, watch, show.
//!
//! [`watch::watch`] keeps one connection and tells a [`Memory`] what it sees; `show.rs` is the only writer. It reads with
//! PEEK, never sets `\Seen`, and expunges nothing but the originals of messages that it has just copied where the server
//! has no MOVE. It knows nothing of threads: folders, UIDs, flags and bytes go out, [`Change`]s come in.
//!
//! In reading order: `watch` (one connection's life), `connect`, `log_in` with `credential` (what proves who we are) and
//! `sasl`, `session` (runs a command) with `answer` and `tolerant`
//! (what the server says, and what it should have said), `limit` (what it says of too much), `folders`, `catch_up`,
//! `arrivals` and `ahead` (one folder) with `marks`, `survey` (all the others), `rounds`, `compare` and `missing` (where the
//! server cannot tell what changed), `idle`, `show` with `leaving` (what lies where mails are that leave); `fetch`, `uid_set` and `utf7` spell; `probe`, `checkup`, `rehearsal` and
//! `remains` are for the command line, in `turn`.

mod ahead;
mod answer;
mod arrivals;
mod before_login;
mod catch_up;
pub mod checkup;
mod compare;
pub mod connect;
mod credential;
pub mod error;
mod fetch;
mod folders;
mod idle;
mod leaving;
pub mod limit;
mod log_in;
mod marks;
mod meter;
mod missing;
mod pace;
pub mod probe;
pub mod rehearsal;
pub mod remains;
mod rounds;
mod sasl;
#[cfg(test)]
mod script;
mod sent_copy;
mod session;
pub mod show;
mod survey;
mod tolerant;
#[cfg(test)]
mod trial;
mod turn;
mod uid_set;
mod usual_names;
mod utf7;
pub mod watch;

use std::future::Future;

use crate::clock::Timestamp;
use crate::desk::budget::Reading;
use crate::desk::label::GmailIds;
pub use error::Error;
pub use rounds::Rounds;
pub use sent_copy::{add_copy, find_copy};

/// What a folder is for: a special-use attribute (RFC 6154), a usual name, or the configuration says so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash)]
pub enum Role {
    /// INBOX.
    Inbox,
    /// Every message but spam and what was thrown away (RFC 6154, section 2, `\All`): Gmail's All Mail.
    All,
    /// What was sent.
    Sent,
    /// What is being written.
    Drafts,
    /// Spam.
    Junk,
    /// What was put away.
    Archive,
    /// What was deleted.
    Trash,
    /// A folder of Baton's own: the root itself, or below it.
    Baton,
    /// Any other folder; not watched.
    Other,
}

/// A folder as LIST shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Listed {
    /// The name, decoded from modified UTF-7, with the server's own hierarchy delimiter.
    pub name: String,
    /// What separates levels; `None` on a flat server.
    pub delimiter: Option<char>,
    /// What it is for.
    pub role: Role,
    /// Whether it can be selected.
    pub selectable: bool,
}

/// How far a folder has been read: the durable cursor.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cursor {
    /// RFC 9051, section 2.3.1.1; 0 before the first look.
    pub uidvalidity: u32,
    /// The lowest UID that has not been read; at least 1 after the first look.
    pub next_uid: u32,
    /// The HIGHESTMODSEQ up to which flags are known (RFC 7162); 0 where the server has none.
    pub modseq: u64,
}

/// How much to fetch of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Only the header.
    Header,
    /// The header and the body, up to [`BODY_BYTES_MAX`] bytes.
    Body,
}

/// The most bytes that are fetched of one message; what lies behind is not needed to understand it.
pub const BODY_BYTES_MAX: u32 = 512 * 1024;

/// One message seen in a folder for the first time since the cursor.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Its UID.
    pub uid: u32,
    /// Its flags and keywords as sent, `\Recent` left out; and its labels, as words, where they are asked for.
    pub flags: Vec<String>,
    /// Where labels are asked for.
    pub gmail: Option<GmailIds>,
    /// INTERNALDATE.
    pub arrived_at: Timestamp,
    /// RFC822.SIZE in bytes; an estimate on some servers.
    pub size: u32,
    /// How much of it was fetched.
    pub depth: Depth,
    /// Header, or header and beginning of the body. Empty when the server would not give it.
    pub raw: Vec<u8>,
}

/// New messages of one folder, in the order of their UIDs.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The folder's name.
    pub folder: String,
    /// The folder's UIDVALIDITY when it was selected.
    pub uidvalidity: u32,
    /// The messages.
    pub sightings: Vec<Sighting>,
    /// The cursor's `next_uid` once this batch is kept.
    pub next_uid: u32,
}

/// What changed in a folder among messages already seen.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The folder's name.
    pub folder: String,
    /// The folder's UIDVALIDITY when it was selected.
    pub uidvalidity: u32,
    /// Flags and keywords as they are now, for messages whose flags may have changed.
    pub flags: Vec<(u32, Vec<String>)>,
    /// UIDs that are gone.
    pub vanished: Vec<u32>,
    /// The cursor's new `modseq` once this is kept.
    pub modseq: u64,
}

/// What this connection found out about the server.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Server {
    /// The capabilities after login, upper case.
    pub capabilities: Vec<String>,
    /// Whether INBOX takes new keywords: `\*` in PERMANENTFLAGS. Servers do not tell it to a read-only visit (EXAMINE),
    /// so a shadow sees `false`.
    pub keywords: bool,
}

/// One write that Baton wants, for messages of one folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Change {
    /// The folder that the messages are in.
    pub folder: String,
    /// Its UIDVALIDITY when the messages were seen; if it is another now, nothing is written.
    pub uidvalidity: u32,
    /// The messages.
    pub uids: Vec<u32>,
    /// What to do with them.
    pub action: Action,
}

/// What a [`Change`] does.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Action {
    /// Add and take off flags or keywords.
    Flags {
        /// To add.
        add: Vec<String>,
        /// To take off.
        remove: Vec<String>,
    },
    /// Move to another folder, which exists.
    MoveTo(String),
    /// Read the message whole, because it is to be sent.
    Read,
    /// Find a message in the folder, wherever it was.
    Find {
        /// Its Message-ID, without angle brackets.
        message_id: String,
    },
    /// Put a message of Baton's own into the folder.
    Append {
        /// Its Message-ID, without angle brackets, where that may have been done before: then it is looked for first.
        unless_there: Option<String>,
        /// The message.
        message: Vec<u8>,
    },
    /// Remove a message for good that Baton put into the folder. It is looked at first.
    Remove {
        /// Its Message-ID, without angle brackets.
        message_id: String,
        /// By way of this folder, where the server removes for good only what lies there (G56).
        trash: Option<String>,
    },
}

/// What became of a [`Change`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Done. For a move, what the server told of the new UIDs (COPYUID, RFC 4315): UIDVALIDITY of the target and pairs of
    /// old and new UID. `None` when it told nothing: the messages will be seen in their new place.
    Done(Option<(u32, Vec<(u32, u32)>)>),
    /// The folder is gone or another one now (UIDVALIDITY); the next look will tell.
    Stale,
    /// The server refused, in its own words.
    Refused(String),
    /// What was to be read; `None` when it is gone.
    Read(Option<Vec<u8>>),
    /// Where the message is that was to be found or put there: UIDVALIDITY and UID, as far as the server tells. `None` when it
    /// is not there.
    Lies(Option<(u32, u32)>),
}

/// What the memory wants done about the folders.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Wanted {
    /// Folders to create, parents first.
    pub create: Vec<String>,
    /// Folders of no known use to watch all the same: Baton's mails may have strayed into them.
    pub watch: Vec<String>,
    /// Whether Gmail's labels are the marks: then All Mail is watched, of which the other folders are views.
    pub labels: bool,
}

/// How the line to the server is doing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Line {
    /// The bytes that came since this was last told.
    pub received: u64,
    /// The server says that it slows us down.
    pub slowed: bool,
    /// Mail from before the cut-over waits to be read, because the memory wanted only new mail.
    pub history_waits: bool,
}

/// What the watch asks of the memory, and tells it. The daemon implements it with the engine.
///
/// Every method that records something returns only after it is durable; an error ends the connection, and the watch
/// begins again from the cursors.
pub trait Memory: Send {
    /// The connection stands.
    fn connected(&mut self, server: Server) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// The folders as they are now, at the start and whenever they may have changed. Answers what is to be done about
    /// them before anything is read.
    fn listed(
        &mut self,
        folders: Vec<Listed>,
    ) -> impl Future<Output = anyhow::Result<Wanted>> + Send;

    /// How far `folder` has been read.
    fn cursor(&mut self, folder: &str) -> impl Future<Output = anyhow::Result<Cursor>> + Send;

    /// The folder has another UIDVALIDITY than the cursor says: every UID known of it is worthless, and it is read anew
    /// from UID 1.
    fn renumbered(
        &mut self,
        folder: &str,
        uidvalidity: u32,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Keeps new messages.
    fn sighted(&mut self, batch: Batch) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// How many messages are known to lie in `folder`.
    fn count(&mut self, folder: &str) -> impl Future<Output = anyhow::Result<usize>> + Send;

    /// The UIDs and flags that are known of `folder` from the UID `from` on, at most `most` of them, ordered by UID: for
    /// servers that cannot tell what changed.
    fn known(
        &mut self,
        folder: &str,
        from: u32,
        most: usize,
    ) -> impl Future<Output = anyhow::Result<Vec<(u32, Vec<String>)>>> + Send;

    /// The UIDs and flags of the `newest` messages known of `folder`, and of the newest `open` that belong to open
    /// threads, each once, ordered by UID.
    fn lively(
        &mut self,
        folder: &str,
        newest: usize,
        open: usize,
    ) -> impl Future<Output = anyhow::Result<Vec<(u32, Vec<String>)>>> + Send;

    /// Every UID known of `folder`, sorted.
    fn uids(&mut self, folder: &str) -> impl Future<Output = anyhow::Result<Vec<u32>>> + Send;

    /// What has been compared, where the server cannot tell what changed: the same for every connection to a mailbox.
    fn rounds(&self) -> Rounds;

    /// Keeps what changed among messages already seen. Also called with nothing changed when `modseq` moved.
    fn changed(&mut self, changes: Changes) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Every watched folder with news has been read to its end: now it can be told what was moved and what is gone.
    /// Answers whether another look is wanted soon.
    fn pass_done(&mut self) -> impl Future<Output = anyhow::Result<bool>> + Send;

    /// The writes to make now; empty when nothing is due.
    fn wanted(&mut self) -> impl Future<Output = anyhow::Result<Vec<Change>>> + Send;

    /// What became of the writes of the last [`Memory::wanted`], one outcome for each, in order.
    fn settled(
        &mut self,
        outcomes: Vec<Outcome>,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// How the line is doing; told before anything large is read. Answers what may be read on.
    fn line(&mut self, line: Line) -> impl Future<Output = anyhow::Result<Reading>> + Send;

    /// The server answered just now; nothing else happened.
    fn seen(&mut self) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Waits until [`Memory::wanted`] may have something to say. Must be safe to cancel.
    fn nudged(&mut self) -> impl Future<Output = ()> + Send;
}
