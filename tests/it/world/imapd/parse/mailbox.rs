//! The commands about folders.

use super::super::utf7;
use super::cursor::{Cursor, Parsed, Unparsable, is_atom_char};
use super::{Command, Grammar};

/// A LIST, LSUB or XLIST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Listing {
    pub(crate) verb: ListVerb,
    /// `SUBSCRIBED`, `SPECIAL-USE`, … of LIST-EXTENDED, in capitals.
    pub(crate) only: Vec<String>,
    /// What a folder's name must match, reference included.
    pub(crate) patterns: Vec<String>,
    /// `SUBSCRIBED`, `CHILDREN`, … of LIST-EXTENDED, in capitals.
    pub(crate) returns: Vec<String>,
    /// LIST-STATUS: the items to tell of each folder.
    pub(crate) status: Vec<String>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ListVerb {
    List,
    Lsub,
    Xlist,
}

impl ListVerb {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ListVerb::List => "LIST",
            ListVerb::Lsub => "LSUB",
            ListVerb::Xlist => "XLIST",
        }
    }
}

/// A folder's name, decoded.
pub(super) fn name(cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<String> {
    let wire = cursor.text()?;
    decoded(wire, grammar)
}

fn decoded(wire: String, grammar: &Grammar) -> Parsed<String> {
    if grammar.utf8 { Ok(wire) } else { utf7::decode(&wire).ok_or(Unparsable) }
}

pub(super) fn command(verb: &str, cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    Ok(match verb {
        "SELECT" | "EXAMINE" => select(cursor, grammar, verb == "EXAMINE")?,
        "CREATE" => Command::Create(name(cursor, grammar)?),
        "DELETE" => Command::Delete(name(cursor, grammar)?),
        "RENAME" => {
            let from = name(cursor, grammar)?;
            cursor.space()?;
            Command::Rename(from, name(cursor, grammar)?)
        }
        "SUBSCRIBE" => Command::Subscribe(name(cursor, grammar)?, true),
        "UNSUBSCRIBE" => Command::Subscribe(name(cursor, grammar)?, false),
        "LIST" => list(cursor, grammar, ListVerb::List)?,
        "LSUB" => list(cursor, grammar, ListVerb::Lsub)?,
        "XLIST" => list(cursor, grammar, ListVerb::Xlist)?,
        "STATUS" => {
            let name = name(cursor, grammar)?;
            cursor.space()?;
            Command::Status { name, items: capitals(cursor)? }
        }
        "APPEND" => append(cursor, grammar)?,
        "GETQUOTAROOT" => Command::Quota { root: Some(name(cursor, grammar)?) },
        "GETQUOTA" => cursor.text().map(|_| Command::Quota { root: None })?,
        _ => return Err(Unparsable),
    })
}

fn capitals(cursor: &mut Cursor<'_>) -> Parsed<Vec<String>> {
    cursor.list(|cursor| cursor.atom().map(|word| word.to_ascii_uppercase()))
}

fn select(cursor: &mut Cursor<'_>, grammar: &Grammar, read_only: bool) -> Parsed<Command> {
    let name = name(cursor, grammar)?;
    let mut condstore = false;
    if !cursor.at_end() {
        cursor.space()?;
        // QRESYNC and whatever else is nobody's here (G7, M6).
        condstore = capitals(cursor)? == ["CONDSTORE"] && grammar.condstore;
        if !condstore {
            return Err(Unparsable);
        }
    }
    Ok(Command::Select { name, read_only, condstore })
}

fn list(cursor: &mut Cursor<'_>, grammar: &Grammar, verb: ListVerb) -> Parsed<Command> {
    let mut listing = Listing {
        verb,
        only: Vec::new(),
        patterns: Vec::new(),
        returns: Vec::new(),
        status: Vec::new(),
    };
    let extended = grammar.list_extended && verb == ListVerb::List;
    if extended && cursor.peek() == Some(b'(') {
        listing.only = capitals(cursor)?;
        cursor.space()?;
    }
    let reference = name(cursor, grammar)?;
    cursor.space()?;
    let patterns = match extended && cursor.peek() == Some(b'(') {
        true => cursor.list(pattern)?,
        false => vec![pattern(cursor)?],
    };
    for pattern in patterns {
        listing.patterns.push(format!("{reference}{}", decoded(pattern, grammar)?));
    }
    if extended && cursor.eat(" RETURN ") {
        let options = cursor.list(|cursor| return_option(cursor, &mut Vec::new()))?;
        for (option, status) in options {
            listing.returns.push(option);
            listing.status.extend(status);
        }
    }
    Ok(Command::List(listing))
}

/// `CHILDREN`, or `STATUS (MESSAGES …)` with its items.
fn return_option(
    cursor: &mut Cursor<'_>,
    status: &mut Vec<String>,
) -> Parsed<(String, Vec<String>)> {
    let option = cursor.atom()?.to_ascii_uppercase();
    if option == "STATUS" {
        cursor.space()?;
        *status = capitals(cursor)?;
    }
    Ok((option, std::mem::take(status)))
}

fn pattern(cursor: &mut Cursor<'_>) -> Parsed<String> {
    match cursor.string() {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(Unparsable) => {
            cursor.word(|byte| is_atom_char(byte) || matches!(byte, b']' | b'%' | b'*'))
        }
    }
}

fn append(cursor: &mut Cursor<'_>, grammar: &Grammar) -> Parsed<Command> {
    let name = name(cursor, grammar)?;
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = cursor.list(Cursor::flag)?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        date = Some(cursor.text()?);
        cursor.space()?;
    }
    // RFC 6855: UTF8 (~{n}…) around the message.
    let wrapped = grammar.utf8 && cursor.eat("UTF8 (");
    let message = cursor.string()?;
    if wrapped {
        cursor.expect(")")?;
    }
    Ok(Command::Append { name, flags, date, message })
}
