//! What a FETCH may ask for.

use super::cursor::{Cursor, Parsed, Unparsable, is_atom_char};

/// One thing asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Item {
    Flags,
    Uid,
    InternalDate,
    Size,
    Envelope,
    /// `BODY` without brackets, or `BODYSTRUCTURE`.
    Structure {
        extended: bool,
    },
    ModSeq,
    Section(Section),
    /// Only this dialect knows it, in capitals: `X-GM-LABELS`.
    Extra(String),
}

/// A piece of the message's bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Section {
    /// How the answer calls it, `BODY[TEXT]<0>`.
    pub(crate) label: String,
    /// `1.2` of `BODY[1.2.MIME]`.
    pub(crate) path: Vec<usize>,
    pub(crate) piece: Piece,
    /// First byte and how many.
    pub(crate) partial: Option<(usize, usize)>,
    /// Whether the message stays unread.
    pub(crate) peek: bool,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Piece {
    All,
    Header,
    Fields { names: Vec<String>, except: bool },
    Text,
    Mime,
}

/// Parses `item` or `(item item)`. `extra` are the dialect's own items; macros stand alone, where the dialect has them.
pub(crate) fn items(cursor: &mut Cursor<'_>, extra: &[&str], macros: bool) -> Parsed<Vec<Item>> {
    if cursor.peek() == Some(b'(') {
        let items = cursor.list(|cursor| item(cursor, extra))?;
        return if items.is_empty() { Err(Unparsable) } else { Ok(items) };
    }
    let basic = [Item::Flags, Item::InternalDate, Item::Size];
    let with = |more: &[Item]| Ok(basic.iter().chain(more).cloned().collect());
    match cursor.rest().to_ascii_uppercase().as_slice() {
        b"FAST" if macros => cursor.expect("FAST").and_then(|()| with(&[])),
        b"ALL" if macros => cursor.expect("ALL").and_then(|()| with(&[Item::Envelope])),
        b"FULL" if macros => {
            cursor.expect("FULL")?;
            with(&[Item::Envelope, Item::Structure { extended: false }])
        }
        _ => Ok(vec![item(cursor, extra)?]),
    }
}

fn item(cursor: &mut Cursor<'_>, extra: &[&str]) -> Parsed<Item> {
    let name = cursor.word(|byte| is_atom_char(byte) && byte != b'[')?.to_ascii_uppercase();
    Ok(match name.as_str() {
        "FLAGS" => Item::Flags,
        "UID" => Item::Uid,
        "INTERNALDATE" => Item::InternalDate,
        "RFC822.SIZE" => Item::Size,
        "ENVELOPE" => Item::Envelope,
        "BODYSTRUCTURE" => Item::Structure { extended: true },
        "MODSEQ" => Item::ModSeq,
        "RFC822" => whole("RFC822", Piece::All, false),
        "RFC822.HEADER" => whole("RFC822.HEADER", Piece::Header, true),
        "RFC822.TEXT" => whole("RFC822.TEXT", Piece::Text, false),
        "BODY" if cursor.peek() == Some(b'[') => Item::Section(section(cursor, false)?),
        "BODY" => Item::Structure { extended: false },
        "BODY.PEEK" => Item::Section(section(cursor, true)?),
        other if extra.contains(&other) => Item::Extra(name),
        _ => return Err(Unparsable),
    })
}

fn whole(label: &str, piece: Piece, peek: bool) -> Item {
    Item::Section(Section { label: label.into(), path: Vec::new(), piece, partial: None, peek })
}

fn section(cursor: &mut Cursor<'_>, peek: bool) -> Parsed<Section> {
    cursor.expect("[")?;
    let mut label = String::from("BODY[");
    let mut path = Vec::new();
    let mut piece = Piece::All;
    while cursor.peek() != Some(b']') {
        if !path.is_empty() {
            cursor.expect(".")?;
            label.push('.');
        }
        if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            let number = usize::try_from(cursor.number()?).map_err(|_| Unparsable)?;
            label.push_str(&number.to_string());
            path.push(number);
            continue;
        }
        piece = named_piece(cursor, !path.is_empty(), &mut label)?;
        break;
    }
    cursor.expect("]")?;
    label.push(']');
    let partial = partial(cursor)?;
    if let Some((from, _)) = partial {
        label.push_str(&format!("<{from}>"));
    }
    Ok(Section { label, path, piece, partial, peek })
}

fn named_piece(cursor: &mut Cursor<'_>, of_a_part: bool, label: &mut String) -> Parsed<Piece> {
    let except = cursor.eat("HEADER.FIELDS.NOT");
    if except || cursor.eat("HEADER.FIELDS") {
        cursor.space()?;
        let names = cursor.list(Cursor::text)?;
        let not = if except { ".NOT" } else { "" };
        label.push_str(&format!("HEADER.FIELDS{not} ({})", names.join(" ")));
        return Ok(Piece::Fields { names, except });
    }
    for (name, piece) in [("HEADER", Piece::Header), ("TEXT", Piece::Text), ("MIME", Piece::Mime)] {
        if (piece != Piece::Mime || of_a_part) && cursor.eat(name) {
            label.push_str(name);
            return Ok(piece);
        }
    }
    Err(Unparsable)
}

fn partial(cursor: &mut Cursor<'_>) -> Parsed<Option<(usize, usize)>> {
    if !cursor.eat("<") {
        return Ok(None);
    }
    let from = cursor.number()?;
    cursor.expect(".")?;
    let count = cursor.number()?;
    cursor.expect(">")?;
    let size = |number: u64| usize::try_from(number).map_err(|_| Unparsable);
    if count == 0 { Err(Unparsable) } else { Ok(Some((size(from)?, size(count)?))) }
}
