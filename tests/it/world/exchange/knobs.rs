//! What Exchange Online does on one day and not on another; every knob begins as it is on a good one.
//!
//! Turn them with [`super::Tenant::set`].

use std::time::Duration;

/// How Exchange answers a STORE or APPEND with a keyword that it does not know (M29).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keywords {
    /// `BAD Command Argument Error. 11`
    Refused,
    /// OK, and they are forgotten; SEARCH for one is an error.
    Dropped,
}

/// Whether LIST tells special uses (M21: sources disagree).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SpecialUse {
    Told,
    NotTold,
}

/// What MOVE says of the new UIDs (M40, M41, M42).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum MoveAnswer {
    /// `* OK [COPYUID 55 31 6]`
    Proper,
    /// `[COPYUID 55 31 6]`, a line without `* OK`.
    Bare,
    /// `* OK [COPYUID 55  ]`, without UIDs.
    Empty,
    /// Not a word.
    Silent,
}

/// How a session learns that its token is over (M55).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Expiry {
    /// `* BYE Session invalidated - AccessTokenExpired`, in IDLE or in place of the next answer.
    Bye,
    /// The same words as the answer to the next command, then the end.
    Tagged,
}

/// Which word begins a throttling answer (M57).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Word {
    Bad,
    No,
}

/// Commands are refused for a while (M57).
#[derive(Clone, Debug)]
pub(crate) struct Throttle {
    /// Which command, `UID FETCH`; all after login if none.
    pub(crate) verb: Option<&'static str>,
    pub(crate) times: u32,
    pub(crate) backoff: Duration,
    pub(crate) word: Word,
    /// Whether the connection is closed afterwards.
    pub(crate) closes: bool,
}

/// `Server Unavailable. 15` (M17).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unavailable {
    /// The bare words, without tag or `*`; nothing follows.
    Bare,
    /// `A NO Server Unavailable. 15`
    Tagged,
}

/// Where the copy of a reply lands that a member sends as the shared address (M95, M96, M98).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SentCopy {
    Member,
    Shared,
    Both,
    None,
}

/// What a classic Outlook in cached mode does when a robot touches what its user has just moved (M33).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct CachedMode {
    /// How long after a user's move: 120 seconds of waiting stopped it.
    pub(crate) seconds: i64,
    /// How many copies come back, one to three.
    pub(crate) copies: u32,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// `LOGINDISABLED` and no `AUTH=PLAIN` (M4).
    pub(crate) login_disabled: bool,
    /// A password that opens every mailbox, as before 2023 (M105) and on premises; none now.
    pub(crate) basic_password: Option<&'static str>,
    /// How many logins are wrong until the connection is closed.
    pub(crate) failed_logins: u32,
    /// How many commands somebody may give who is authenticated but not connected (M13).
    pub(crate) unconnected_commands: u32,
    /// After so many logins nobody is connected any more (M12, M16).
    pub(crate) logins: Option<usize>,
    /// How many connections there may be at a time (M59).
    pub(crate) connections: usize,
    pub(crate) keywords: Keywords,
    pub(crate) special_use: SpecialUse,
    pub(crate) move_answer: MoveAnswer,
    /// News come between IDLE and its `+` (M52).
    pub(crate) news_before_plus: bool,
    /// IDLE says nothing (M53).
    pub(crate) deaf: bool,
    pub(crate) expiry: Expiry,
    pub(crate) throttle: Option<Throttle>,
    /// The next commands after login that are answered so.
    pub(crate) unavailable: Vec<Unavailable>,
    /// How many errors until the server hangs up (M46).
    pub(crate) errors: u32,
    /// The largest message that may be appended, in bytes (M46).
    pub(crate) append_bytes: usize,
    /// The longest line of it, in bytes (M46).
    pub(crate) append_line_bytes: usize,
    /// RFC822.SIZE is a guess (M39).
    pub(crate) guesses_size: bool,
    /// Messages are written anew from MAPI: their headers in another order, and some more of them (M38, M103).
    pub(crate) renders: bool,
    pub(crate) sent_copy: SentCopy,
    pub(crate) cached_mode: Option<CachedMode>,
    /// Folders that cannot be opened (M26).
    pub(crate) broken_folders: Vec<String>,
    /// Graph answers filters on categories (M114).
    pub(crate) graph_filters_categories: bool,
}

impl Default for Knobs {
    fn default() -> Knobs {
        Knobs {
            login_disabled: false,
            basic_password: None,
            failed_logins: 3,
            unconnected_commands: 3,
            logins: None,
            connections: 16,
            keywords: Keywords::Refused,
            special_use: SpecialUse::NotTold,
            move_answer: MoveAnswer::Proper,
            news_before_plus: false,
            deaf: false,
            expiry: Expiry::Bye,
            throttle: None,
            unavailable: Vec::new(),
            errors: 10,
            append_bytes: 36_700_160,
            append_line_bytes: 10_500,
            guesses_size: true,
            renders: true,
            sent_copy: SentCopy::Member,
            cached_mode: None,
            broken_folders: Vec::new(),
            graph_filters_categories: true,
        }
    }
}
