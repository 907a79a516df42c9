//! A message is seen in a folder: it is one we know, or it joins a thread, or it opens one, or it is accounted for otherwise.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::desk::label::GmailIds;
use crate::desk::marks::Place;
use crate::desk::policy::KeepText;
use crate::desk::thread::MessageKey;
use crate::engine::join::{arrived, arrived_away, ids_kept, own_copy};
use crate::engine::look::Flags;
use crate::engine::sent::sent;
use crate::engine::{Desk, card, card_reply, drafts, look};
use crate::mail::message::{Kind, Message};
use crate::mail::parse::parse;
use crate::store::{Folder, Located, MessageRow, NewMessage, Status};

/// The longest excerpt of a message's new text, characters.
pub(super) const EXCERPT_MAX: usize = 1000;
/// How many participants of one mail are kept.
pub(super) const PARTICIPANTS_MAX: usize = 200;

/// A message as a door saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its UID.
    pub uid: u32,
    /// Its flags and keywords.
    pub flags: Vec<String>,
    /// INTERNALDATE.
    pub arrived_at: Timestamp,
    /// RFC822.SIZE in bytes.
    pub size: u32,
    /// X-GM-MSGID and X-GM-THRID, where the server is Gmail.
    pub gmail: Option<GmailIds>,
    /// What it says; `None` when the server would not give it.
    pub message: Option<Message>,
    /// Its bytes, where it answers a card ([`crate::desk::card::mentioned`]).
    pub raw: Option<Vec<u8>>,
}

/// Takes note of the messages that lie in `folder` from its cursor on, below `next_uid`, and moves the cursor there. What
/// the answer to a MOVE promised there and is not among them is gone again.
pub fn arrivals(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &[Seen],
    next_uid: u32,
) -> anyhow::Result<()> {
    let there: BTreeSet<u32> = seen.iter().map(|one| one.uid).collect();
    let promised = desk.tx.uids_between(folder.id, folder.next_uid, next_uid)?;
    let vanished = promised.into_iter().filter(|uid| !there.contains(uid)).collect();
    look::change(desk, folder, &Flags { flags: Vec::new(), vanished })?;
    for one in seen {
        see(desk, folder, &holding(folder, &one.flags), one)?;
    }
    Ok(desk.tx.set_cursor(folder.id, folder.uidvalidity, next_uid)?)
}

/// The folder with the meaning that it has for a message with these flags.
pub(super) fn holding<'a>(folder: &'a Folder, flags: &[String]) -> Cow<'a, Folder> {
    match folder.place {
        Place::ByLabels => {
            Cow::Owned(Folder { place: folder.place.of_message(flags), ..folder.clone() })
        }
        _ => Cow::Borrowed(folder),
    }
}

/// Takes note of a message that was seen in `folder`, which is `whole` with the meaning that it has for this message.
fn see(desk: &Desk<'_>, whole: &Folder, folder: &Folder, seen: &Seen) -> anyhow::Result<()> {
    if let Some(located) = desk.tx.location(folder.id, seen.uid)? {
        // Baton moved it there itself, or it was seen before a crash.
        return look::flags_seen(desk, &located, &seen.flags);
    }
    let message = read(seen);
    if let Some(place) = drafts::leaving(desk, &whole.place, &seen.flags) {
        return see_leaving(desk, folder, &place, seen, &message);
    }
    if folder.place == Place::Drafts {
        return see_draft(desk, folder, seen, &message);
    }
    see_mail(desk, folder, seen, &message)
}

/// A mail lies where those are that are about to leave: a draft, or one that was moved there by mistake.
fn see_leaving(
    desk: &Desk<'_>,
    folder: &Folder,
    place: &Place,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<()> {
    let row = known(desk, folder, seen, message)?.ok();
    let ours = desk.tx.draft_without_place(desk.mailbox, &message.message_id)?.is_some();
    let direction = direction(desk, folder, message);
    if ours || drafts::is_draft(&seen.flags, row.as_ref(), direction) {
        return drafts::seen_leaving(desk, folder, place, seen, message);
    }
    see_mail(desk, folder, seen, message)?;
    let row = known(desk, folder, seen, message)?.ok();
    drafts::misplaced(desk, row.as_ref(), &folder.name)
}

fn see_mail(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<()> {
    match known(desk, folder, seen, message)? {
        Ok(row) => meet_again(desk, folder, seen, &row, message),
        Err(identity) => meet(desk, folder, seen, message, identity),
    }
}

fn read(seen: &Seen) -> Cow<'_, Message> {
    seen.message.as_ref().map_or_else(|| Cow::Owned(parse(&[])), Cow::Borrowed)
}

/// The message's row, or the identity under which it is to be kept.
fn known(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<Result<MessageRow, String>> {
    if seen.message.is_none() {
        // The server gave nothing to tell it by.
        let identity = format!("uid {} {} {}", folder.name, folder.uidvalidity, seen.uid);
        let row = desk.tx.message_by_identity(desk.mailbox, &identity)?;
        return Ok(row.ok_or(identity));
    }
    let plain = message.message_id.clone();
    if let Some(gmail) = seen.gmail {
        let identity = format!("gmail {}", gmail.message);
        if let Some(row) = desk.tx.message_by_identity(desk.mailbox, &identity)? {
            return Ok(Ok(row));
        }
        // It may be known from before labels were the marks.
        let row = desk.tx.message_by_identity(desk.mailbox, &plain)?;
        let same = row.filter(|row| row.fingerprint == message.fingerprint);
        return Ok(same.ok_or(identity));
    }
    let full = format!("{} {}", message.message_id, message.fingerprint);
    let row = desk.tx.message_by_identity(desk.mailbox, &plain)?;
    Ok(match row {
        None => Err(plain),
        Some(row) if row.fingerprint == message.fingerprint => Ok(row),
        Some(_) => desk.tx.message_by_identity(desk.mailbox, &full)?.ok_or(full),
    })
}

/// Drafts come and go under one Message-ID or another; each is accounted for by its UID, and only what it answers counts.
fn see_draft(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<()> {
    let key = drafts::row_of(desk, folder, seen, message)?;
    desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?;
    if seen.arrived_at < desk.policy.since {
        return Ok(());
    }
    drafts::drafted(desk, &folder.name, seen, message, key)
}

pub(super) fn new_message(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    identity: String,
) -> NewMessage {
    let excerpt = match desk.policy.keep_text {
        KeepText::Excerpt => message.new_text.chars().take(EXCERPT_MAX).collect(),
        KeepText::None => String::new(),
    };
    let written = |address: &crate::mail::message::Address| address.address.clone();
    NewMessage {
        identity,
        message_id: message.message_id.clone(),
        fingerprint: message.fingerprint.clone(),
        status: Status::Own,
        reason: String::new(),
        unreadable: message.unreadable,
        direction: direction(desk, folder, message).to_string(),
        kind: kind_name(message.kind),
        sender: message.from.first().map(written).unwrap_or_default(),
        recipients: message
            .to
            .iter()
            .chain(&message.cc)
            .map(written)
            .take(PARTICIPANTS_MAX)
            .collect(),
        subject: subject(message),
        arrived_at: seen.arrived_at,
        sent_at: message.date,
        size: seen.size,
        excerpt,
        place: folder.place.clone(),
    }
}

pub(super) fn kind_name(kind: Kind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|name| name.as_str().map(str::to_string))
        .unwrap_or_default()
}

/// The subject; of what cannot be read, a sentence that says so.
pub(super) fn subject(message: &Message) -> String {
    if message.unreadable { "(this mail cannot be read)".into() } else { message.subject.clone() }
}

pub(super) fn lower(addresses: &[crate::mail::message::Address]) -> impl Iterator<Item = String> {
    addresses.iter().map(|one| one.address.to_lowercase()).filter(|one| !one.is_empty())
}

/// Who wrote it: From, or for mail in our own name that asks for answers elsewhere (web forms), Reply-To.
pub(super) fn writer_address(desk: &Desk<'_>, folder: &Folder, message: &Message) -> String {
    let from = lower(&message.from).next().unwrap_or_default();
    if folder.place != Place::Sent && desk.policy.is_own(&from) {
        let elsewhere = lower(&message.reply_to).find(|address| !desk.policy.is_own(address));
        return elsewhere.unwrap_or(from);
    }
    from
}

/// `customer`, `own` or `internal`.
pub(super) fn direction(desk: &Desk<'_>, folder: &Folder, message: &Message) -> &'static str {
    let writer = writer_address(desk, folder, message);
    if folder.place == Place::Sent || desk.policy.is_own(&writer) {
        "own"
    } else if desk.policy.agent_at(&writer).is_some() {
        "internal"
    } else {
        "customer"
    }
}

/// A mail that was never seen before.
fn meet(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    identity: String,
) -> anyhow::Result<()> {
    let mut new = new_message(desk, folder, seen, message, identity);
    if seen.arrived_at < desk.policy.since {
        new.status = Status::History;
        new.excerpt = String::new();
        let key = desk.tx.add_message(desk.mailbox, &new)?;
        return Ok(desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?);
    }
    let key = desk.tx.add_message(desk.mailbox, &new)?;
    if new.direction == "customer" {
        card::keep(desk, key, message)?;
    }
    desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?;
    let mut ids = ids_kept(message);
    ids.extend(seen.gmail.map(GmailIds::reference));
    desk.tx.add_references(desk.mailbox, key, &ids)?;
    place_new(desk, folder, seen, message, key, &new)?;
    done_before_seen(desk, folder, seen, key)
}

/// What a person did to a mail before it counted counts as done now.
fn done_before_seen(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    key: MessageKey,
) -> anyhow::Result<()> {
    let from = match folder.place {
        Place::Sent | Place::Junk | Place::Trash => folder.place.clone(),
        _ => Place::Inbox,
    };
    if from == folder.place && look::shows_no_marks(desk, &seen.flags) {
        return Ok(());
    }
    let Some(row) = desk.tx.message(key)? else { return Ok(()) };
    look::look(desk, &MessageRow { place: from, ..row }, folder, &seen.flags, &[])
}

fn place_new(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
    new: &NewMessage,
) -> anyhow::Result<()> {
    if folder.place != Place::Sent && card_reply::take(desk, folder, seen, message, key)? {
        return Ok(());
    }
    match (&folder.place, new.direction.as_str()) {
        (Place::Sent, _) => sent(desk, folder, seen, message, key),
        (Place::Junk | Place::Trash, "customer" | "internal") => {
            arrived_away(desk, folder, seen, message, key)
        }
        // A draft that was thrown away.
        (Place::Junk | Place::Trash, _) => Ok(()),
        (_, "own") => own_copy(desk, folder, seen, message, key),
        _ => arrived(desk, folder, seen, message, key),
    }
}

/// A known mail shows up somewhere: it was moved or copied, or its folder was numbered anew.
fn meet_again(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    row: &MessageRow,
    message: &Message,
) -> anyhow::Result<()> {
    let lost_folder = desk.tx.was_lost_with_its_folder(row.key)?;
    let lost_flags = desk.tx.take_lost(folder.id, row.key)?;
    desk.tx.set_location(folder.id, seen.uid, row.key, &seen.flags)?;
    match row.status {
        Status::Ignored if !folder.place.is_away() => {
            // It came back from Junk or Trash: only now does it count.
            desk.tx.set_look(row.key, &folder.place, &[])?;
            let new = new_message(desk, folder, seen, message, String::new());
            place_new(desk, folder, seen, message, row.key, &new)?;
            done_before_seen(desk, folder, seen, row.key)
        }
        Status::Own | Status::Threaded
            if folder.place == Place::Sent && !row.replied && row.direction == "own" =>
        {
            sent(desk, folder, seen, message, row.key)?;
            let last = lost_flags.unwrap_or_else(|| row.marks.clone());
            match desk.tx.message(row.key)? {
                Some(row) if row.thread.is_some() => {
                    look::met_again(desk, &row, &row.place, folder, &seen.flags, &last)
                }
                _ => Ok(desk.tx.set_look(row.key, &folder.place, &[])?),
            }
        }
        Status::Threaded => {
            if lost_folder && folder.place == Place::Elsewhere {
                return look::put_back(desk, row, folder);
            }
            if lost_flags.is_none() && look::is_doubtful(desk, row, folder, seen.uid)? {
                return Ok(desk.tx.doubt(folder.id, seen.uid)?);
            }
            if lost_flags.is_none() && came_once_more(desk, folder, seen, row)? {
                return look::show_again(desk, row);
            }
            let last = lost_flags.as_ref().unwrap_or(&row.marks);
            let from = if lost_flags.is_some() { &folder.place } else { &row.place };
            look::met_again(desk, row, from, folder, &seen.flags, last)
        }
        Status::History | Status::Own | Status::Ignored | Status::Draft => {
            Ok(desk.tx.set_look(row.key, &folder.place, &[])?)
        }
    }
}

/// Whether the mail was delivered a second time, as through an alias: a person's move or copy keeps INTERNALDATE (RFC 3501,
/// section 6.4.7), and here another copy lies where the team works. It is no gesture.
fn came_once_more(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    row: &MessageRow,
) -> anyhow::Result<bool> {
    if folder.place != Place::Inbox || seen.arrived_at == row.arrived_at {
        return Ok(false);
    }
    let copies = desk.tx.locations_of(row.key)?;
    let other = |copy: &Located| (copy.folder_id, copy.uid) != (folder.id, seen.uid);
    Ok(copies.iter().any(|copy| other(copy) && !copy.place.is_away()))
}
