//! From bytes to a [`Command`]. Strict: what is not in the grammar is [`Unparsable`].

mod cursor;
mod items;
mod mailbox;
mod search;
mod set;

pub(crate) use self::cursor::{Cursor, Parsed, Unparsable, is_atom_char};
pub(crate) use self::items::{Item, Piece, Section};
pub(crate) use self::mailbox::{ListVerb, Listing};
pub(crate) use self::search::{Key, When};
pub(crate) use self::set::{Set, compact};
use super::dialect::Grammar;

/// A command, read and understood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    Capability,
    Noop,
    Logout,
    Id,
    Namespace,
    Enable(Vec<String>),
    Idle,
    Close,
    Unselect,
    Check,
    /// Of these UIDs only, with UIDPLUS.
    Expunge(Option<Set>),
    Login {
        user: String,
        password: String,
    },
    Authenticate {
        mechanism: String,
        initial: Option<String>,
    },
    Select {
        name: String,
        read_only: bool,
        condstore: bool,
    },
    Create(String),
    Delete(String),
    Rename(String, String),
    Subscribe(String, bool),
    List(Listing),
    Status {
        name: String,
        items: Vec<String>,
    },
    Append {
        name: String,
        flags: Vec<String>,
        date: Option<String>,
        message: Vec<u8>,
    },
    Fetch {
        set: Set,
        uid: bool,
        items: Vec<Item>,
        changed_since: Option<u64>,
    },
    Store {
        set: Set,
        uid: bool,
        change: Change,
        silent: bool,
        unchanged_since: Option<u64>,
    },
    Copy {
        set: Set,
        uid: bool,
        to: String,
        remove: bool,
    },
    Search {
        uid: bool,
        returns: Option<Vec<String>>,
        key: Key,
    },
    Compress,
    Quota {
        root: Option<String>,
    },
}

/// What a STORE does to each message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) how: How,
    /// `FLAGS`, or one of the dialect's own, in capitals.
    pub(crate) what: String,
    pub(crate) values: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum How {
    Add,
    Remove,
    Replace,
}

/// Parses what follows the tag and its space. `verb` is the command's name in capitals, `UID FETCH` included.
pub(crate) fn command(bytes: &[u8], grammar: &Grammar) -> (String, Parsed<Command>) {
    let mut cursor = Cursor::new(bytes);
    let Ok(mut verb) = cursor.atom().map(|verb| verb.to_ascii_uppercase()) else {
        return (String::new(), Err(Unparsable));
    };
    let uid = verb == "UID";
    if uid {
        let Ok(second) = cursor.space().and_then(|()| cursor.atom()) else {
            return (verb, Err(Unparsable));
        };
        verb = second.to_ascii_uppercase();
    }
    let parsed = arguments(&verb, uid, &mut cursor, grammar).and_then(|command| {
        cursor.end()?;
        Ok(command)
    });
    let verb = if uid { format!("UID {verb}") } else { verb };
    (verb, parsed)
}

fn arguments(verb: &str, uid: bool, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    if uid && !matches!(verb, "FETCH" | "STORE" | "COPY" | "MOVE" | "SEARCH" | "EXPUNGE") {
        return Err(Unparsable);
    }
    let bare = match verb {
        "CAPABILITY" => Some(Command::Capability),
        "NOOP" => Some(Command::Noop),
        "LOGOUT" => Some(Command::Logout),
        "NAMESPACE" => Some(Command::Namespace),
        "IDLE" => Some(Command::Idle),
        "CLOSE" => Some(Command::Close),
        "UNSELECT" => Some(Command::Unselect),
        "CHECK" => Some(Command::Check),
        "EXPUNGE" if !uid => Some(Command::Expunge(None)),
        _ => None,
    };
    if let Some(command) = bare {
        return Ok(command);
    }
    cursor.space()?;
    match verb {
        "EXPUNGE" => Ok(Command::Expunge(Some(Set::parse(cursor)?))),
        "FETCH" => fetch(uid, cursor, grammar),
        "STORE" => store(uid, cursor, grammar),
        "SEARCH" => search(uid, cursor, grammar),
        "COPY" | "MOVE" => {
            let set = Set::parse(cursor)?;
            cursor.space()?;
            Ok(Command::Copy {
                set,
                uid,
                to: mailbox::name(cursor, grammar)?,
                remove: verb == "MOVE",
            })
        }
        _ => unselected(verb, cursor, grammar),
    }
}

/// The commands that need no selected folder.
fn unselected(verb: &str, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    match verb {
        "ID" => id(cursor),
        "ENABLE" => Ok(Command::Enable(cursor.words(Cursor::atom)?)),
        "LOGIN" => {
            let user = cursor.text()?;
            cursor.space()?;
            Ok(Command::Login { user, password: cursor.text()? })
        }
        "AUTHENTICATE" => {
            let mechanism = cursor.atom()?.to_ascii_uppercase();
            let initial = match cursor.at_end() {
                true => None,
                false => cursor.space().and_then(|()| cursor.word(|byte| byte > b' ')).map(Some)?,
            };
            Ok(Command::Authenticate { mechanism, initial })
        }
        "COMPRESS" if grammar.compress => cursor.expect("DEFLATE").map(|()| Command::Compress),
        _ => mailbox::command(verb, cursor, grammar),
    }
}

/// RFC 2971: NIL, or pairs of strings.
fn id(cursor: &mut Cursor<'_>) -> Parsed<Command> {
    if !cursor.eat("NIL") {
        cursor.list(|cursor| match cursor.eat("NIL") {
            true => Ok(()),
            false => cursor.string().map(drop),
        })?;
    }
    Ok(Command::Id)
}

fn fetch(uid: bool, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    let set = Set::parse(cursor)?;
    cursor.space()?;
    let mut items = items::items(cursor, grammar.extra_items, grammar.fetch_macros)?;
    let mut changed_since = None;
    if !cursor.at_end() && grammar.condstore {
        cursor.expect(" (CHANGEDSINCE ")?;
        changed_since = Some(cursor.number()?);
        cursor.expect(")")?;
    }
    if !grammar.condstore && items.contains(&Item::ModSeq) {
        return Err(Unparsable);
    }
    if uid && !items.contains(&Item::Uid) {
        items.push(Item::Uid);
    }
    Ok(Command::Fetch { set, uid, items, changed_since })
}

fn store(uid: bool, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    let set = Set::parse(cursor)?;
    cursor.space()?;
    let mut unchanged_since = None;
    if grammar.condstore && cursor.eat("(UNCHANGEDSINCE ") {
        unchanged_since = Some(cursor.number()?);
        cursor.expect(") ")?;
    }
    let how = match (cursor.eat("+"), cursor.eat("-")) {
        (true, false) => How::Add,
        (false, true) => How::Remove,
        (false, false) => How::Replace,
        (true, true) => return Err(Unparsable),
    };
    let item = cursor.atom()?.to_ascii_uppercase();
    let (what, silent) = match item.strip_suffix(".SILENT") {
        Some(what) => (what.to_owned(), true),
        None => (item, false),
    };
    cursor.space()?;
    let values = match what.as_str() {
        "FLAGS" if cursor.peek() == Some(b'(') => cursor.list(Cursor::flag)?,
        "FLAGS" => cursor.words(Cursor::flag)?,
        other if grammar.extra_items.contains(&other) => labels(cursor, grammar)?,
        _ => return Err(Unparsable),
    };
    let change = Change { how, what, values };
    Ok(Command::Store { set, uid, change, silent, unchanged_since })
}

/// `(\Inbox foo "a b")`, or one alone; in modified UTF-7 as folder names are (G31).
fn labels(cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Vec<String>> {
    let label = |cursor: &mut Cursor<'_>| match cursor.peek() {
        Some(b'\\') => cursor.flag(),
        _ => mailbox::name(cursor, grammar),
    };
    if cursor.peek() == Some(b'(') { cursor.list(label) } else { cursor.words(label) }
}

fn search(uid: bool, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    let mut returns = None;
    if grammar.esearch && cursor.eat("RETURN ") {
        returns = Some(cursor.list(|cursor| cursor.atom().map(|word| word.to_ascii_uppercase()))?);
        cursor.space()?;
    }
    if cursor.eat("CHARSET ") {
        cursor.text()?;
        cursor.space()?;
    }
    let key = search::keys(cursor, grammar.extra_keys)?;
    Ok(Command::Search { uid, returns, key })
}
