//! A message is seen in a folder: it is one we know, or it joins a thread, or it opens one, or it is accounted for otherwise.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::clock::Timestamp;
use crate::desk::arrival::{self, Fit, Mail, Timing};
use crate::desk::joining::{self, Candidate, Joining, Writer};
use crate::desk::marks::Place;
use crate::desk::policy::KeepText;
use crate::desk::thread::{
    Actor, Cause, CauseKind, Change, MessageKey, NewEvent, Thread, ThreadId, What,
};
use crate::engine::look::Flags;
use crate::engine::record::record;
use crate::engine::sent::sent;
use crate::engine::{Desk, look};
use crate::mail::message::{Kind, Message};
use crate::mail::parse::parse;
use crate::mail::thanks::is_bare_thanks;
use crate::store::{Folder, Located, MessageRow, NewMessage, Status};

/// The longest excerpt of a message's new text, characters.
const EXCERPT_MAX: usize = 1000;
/// How many ids of a message are kept to be found by: its own, and the nearest and the first it refers to.
const REFERENCES_KEPT: usize = 40;
/// How many ids of a message are looked up, the nearest first.
const REFERENCES_TRIED: usize = 120;
/// How many threads are weighed that a mail's ids point to.
const CANDIDATES_MAX: usize = 10;
/// How many participants of one mail are kept.
const PARTICIPANTS_MAX: usize = 200;

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
    /// What it says; `None` when the server would not give it.
    pub message: Option<Message>,
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
        see(desk, folder, one)?;
    }
    Ok(desk.tx.set_cursor(folder.id, folder.uidvalidity, next_uid)?)
}

/// Takes note of a message that was seen in `folder`.
fn see(desk: &Desk<'_>, folder: &Folder, seen: &Seen) -> anyhow::Result<()> {
    if let Some(located) = desk.tx.location(folder.id, seen.uid)? {
        // Baton moved it there itself, or it was seen before a crash.
        return look::flags_seen(desk, &located, &seen.flags);
    }
    if folder.place == Place::Drafts {
        return see_draft(desk, folder, seen);
    }
    let message = read(seen);
    match known(desk, folder, seen, &message)? {
        Ok(row) => meet_again(desk, folder, seen, &row, &message),
        Err(identity) => meet(desk, folder, seen, &message, identity),
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
    let full = format!("{} {}", message.message_id, message.fingerprint);
    let row = desk.tx.message_by_identity(desk.mailbox, &plain)?;
    Ok(match row {
        None => Err(plain),
        Some(row) if row.fingerprint == message.fingerprint => Ok(row),
        Some(_) => desk.tx.message_by_identity(desk.mailbox, &full)?.ok_or(full),
    })
}

/// Drafts come and go under one Message-ID or another; each is accounted for by its UID, and only what it answers counts.
fn see_draft(desk: &Desk<'_>, folder: &Folder, seen: &Seen) -> anyhow::Result<()> {
    let message = read(seen);
    let identity = format!("draft {} {} {}", folder.name, folder.uidvalidity, seen.uid);
    let key = match desk.tx.message_by_identity(desk.mailbox, &identity)? {
        Some(row) => row.key,
        None => {
            let mut new = new_message(desk, folder, seen, &message, identity);
            new.status = Status::Draft;
            new.excerpt = String::new();
            desk.tx.add_message(desk.mailbox, &new)?
        }
    };
    desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?;
    if seen.arrived_at < desk.policy.since {
        return Ok(());
    }
    let answered = candidates(desk, &message, false)?.into_iter().next();
    if let Some(candidate) = answered {
        let mut thread = desk.thread(candidate.thread)?;
        if let Some(event) = arrival::drafted(&thread, &folder.name) {
            record(desk, &mut thread, event)?;
        }
    }
    Ok(())
}

fn new_message(
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

fn kind_name(kind: Kind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|name| name.as_str().map(str::to_string))
        .unwrap_or_default()
}

/// The subject; of what cannot be read, a sentence that says so.
fn subject(message: &Message) -> String {
    if message.unreadable { "(this mail cannot be read)".into() } else { message.subject.clone() }
}

pub(super) fn lower(addresses: &[crate::mail::message::Address]) -> impl Iterator<Item = String> {
    addresses.iter().map(|one| one.address.to_lowercase()).filter(|one| !one.is_empty())
}

/// Who wrote it: From, or for mail in our own name that asks for answers elsewhere (web forms), Reply-To.
fn writer_address(desk: &Desk<'_>, folder: &Folder, message: &Message) -> String {
    let from = lower(&message.from).next().unwrap_or_default();
    if folder.place != Place::Sent && desk.policy.is_own(&from) {
        let elsewhere = lower(&message.reply_to).find(|address| !desk.policy.is_own(address));
        return elsewhere.unwrap_or(from);
    }
    from
}

/// `customer`, `own` or `internal`.
fn direction(desk: &Desk<'_>, folder: &Folder, message: &Message) -> &'static str {
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
    desk.tx.set_location(folder.id, seen.uid, key, &seen.flags)?;
    desk.tx.add_references(desk.mailbox, key, &ids_kept(message))?;
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

/// The ids to be found by.
fn ids_kept(message: &Message) -> Vec<String> {
    let mut ids = vec![message.message_id.clone()];
    ids.extend(message.written_ids.iter().cloned());
    ids.extend(message.in_reply_to.iter().cloned());
    ids.extend(message.bounce.iter().flat_map(|bounce| bounce.original_message_id.clone()));
    ids.extend(message.references.first().cloned());
    ids.extend(message.references.iter().rev().take(REFERENCES_KEPT).cloned());
    ids.dedup();
    ids
}

/// The threads that the mail's ids point to, the strongest evidence first.
pub(super) fn candidates(
    desk: &Desk<'_>,
    message: &Message,
    with_own_id: bool,
) -> anyhow::Result<Vec<Candidate>> {
    let mut evidence: Vec<(String, String)> = Vec::new();
    let mut add = |ids: &mut dyn Iterator<Item = &String>, words: &str| {
        evidence.extend(ids.map(|id| (id.clone(), format!("{words} <{id}>"))));
    };
    add(&mut message.in_reply_to.iter(), "In-Reply-To names");
    add(&mut message.references.iter().rev().take(REFERENCES_TRIED), "References names");
    if let Some(bounce) = &message.bounce {
        add(&mut bounce.original_message_id.iter(), "reports on");
    }
    if with_own_id {
        add(&mut message.written_ids.iter(), "an earlier mail refers to");
    }
    let mut found: Vec<Candidate> = Vec::new();
    for (id, evidence) in evidence {
        for thread in desk.tx.threads_by_reference(desk.mailbox, &id)? {
            let known = found.iter().any(|candidate| candidate.thread == thread);
            if !known && found.len() < CANDIDATES_MAX {
                let participants = desk.tx.participants(thread)?;
                found.push(Candidate { thread, evidence: evidence.clone(), participants });
            }
        }
    }
    Ok(found)
}

fn writer(desk: &Desk<'_>, folder: &Folder, message: &Message) -> Writer {
    Writer {
        from: writer_address(desk, folder, message),
        lists: message.list_id.iter().chain(&message.list_post).cloned().collect(),
        reports: matches!(message.kind, Kind::Bounce | Kind::Receipt | Kind::Complaint),
    }
}

/// Where a mail belongs, by reference or else by subject.
fn joining(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<Joining> {
    let writer = writer(desk, folder, message);
    let candidates = candidates(desk, message, true)?;
    let verdict = joining::by_reference(desk.policy, &writer, &candidates);
    if candidates.is_empty()
        && joining::may_join_by_subject(&message.subject, &message.base_subject)
    {
        let subject = &message.base_subject;
        let found = desk.tx.open_thread_by_subject(desk.mailbox, subject, &writer.from)?;
        let found = found.map(|thread| -> anyhow::Result<_> {
            let participants = desk.tx.participants(thread.id)?;
            let evidence = format!("answers under the subject of {}", thread.id);
            let last = thread.now.last_customer_at.max(thread.now.last_reply_at);
            let last = last.unwrap_or(thread.created_at);
            Ok((Candidate { thread: thread.id, evidence, participants }, last))
        });
        let by_subject =
            joining::by_subject(desk.policy, &writer, found.transpose()?, seen.arrived_at);
        return Ok(by_subject.unwrap_or(verdict));
    }
    Ok(verdict)
}

pub(super) fn as_mail(folder: &Folder, seen: &Seen, key: MessageKey, joined_by: String) -> Mail {
    Mail { message: key, joined_by, arrived_at: seen.arrived_at, folder: folder.name.clone() }
}

/// A mail in INBOX, or wherever a rule of the server put it.
fn arrived(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    match joining(desk, folder, seen, message)? {
        Joining::Joins(thread, why) => join(desk, folder, seen, message, key, thread, why),
        Joining::Opens(None, _) if message.kind == Kind::Receipt => {
            set_aside(desk, key, "a receipt for a mail that is not known here")
        }
        Joining::Opens(linked, why) => open(desk, folder, seen, message, key, linked, why),
    }
}

/// A mail that lay in Junk or Trash when it was first seen joins what it answers, but opens nothing.
fn arrived_away(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    let reason = match folder.place {
        Place::Junk => "it came into Junk",
        _ => "it was deleted before it was seen",
    };
    match joining(desk, folder, seen, message)? {
        Joining::Joins(thread, why) if folder.place == Place::Junk => {
            join(desk, folder, seen, message, key, thread, why)
        }
        _ => set_aside(desk, key, reason),
    }
}

fn set_aside(desk: &Desk<'_>, key: MessageKey, reason: &str) -> anyhow::Result<()> {
    Ok(desk.tx.set_status(key, Status::Ignored, reason)?)
}

fn join(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
    thread: ThreadId,
    why: String,
) -> anyhow::Result<()> {
    let mut thread = desk.thread(thread)?;
    let mail = as_mail(folder, seen, key, why);
    // Baton's own header proves nothing on a stranger's mail: it must not hide what a customer writes.
    let direction = direction(desk, folder, message);
    let ours = message.kind == Kind::Own && direction != "customer";
    let machine = ours
        || matches!(message.kind, Kind::AutoReply | Kind::Bounce | Kind::Complaint | Kind::Receipt);
    let events = match direction {
        _ if machine => vec![machine_wrote(mail, message)],
        "own" => vec![simple(Actor::Server, &mail, |message, joined_by| What::OwnWrote {
            message,
            joined_by,
        })],
        "internal" => vec![internal(desk, folder, &thread, mail, message)?],
        _ => {
            if arrival::fit(desk.policy, &thread.now, seen.arrived_at) == Fit::OpensAnother {
                let why = format!("{}, but {} was resolved long before", mail.joined_by, thread.id);
                return open(desk, folder, seen, message, key, Some(thread.id), why);
            }
            let answered = desk.tx.is_referred_to(thread.id, &message.message_id, "own")?
                && thread.now.last_reply_at == Some(seen.arrived_at);
            let thanks = is_bare_thanks(&message.new_text);
            let timing = if answered {
                Timing::Answered
            } else if answers_last_reply(desk, &thread, message)? {
                Timing::AnswersUs
            } else {
                Timing::ByArrival
            };
            arrival::customer_wrote(desk.policy, &thread, mail, thanks, timing)
        }
    };
    for event in events {
        record(desk, &mut thread, event)?;
    }
    take_part(desk, folder, thread.id, message)
}

/// Whether the mail answers our newest reply, whatever the clocks say.
fn answers_last_reply(desk: &Desk<'_>, thread: &Thread, message: &Message) -> anyhow::Result<bool> {
    for id in &message.in_reply_to {
        let answered = desk.tx.message_by_identity(desk.mailbox, id)?;
        let ours = answered.is_some_and(|row| {
            row.thread == Some(thread.id)
                && row.replied
                && thread.now.last_reply_at.is_none_or(|last| last <= row.arrived_at)
        });
        if ours {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn simple(
    actor: Actor,
    mail: &Mail,
    what: impl FnOnce(MessageKey, String) -> What,
) -> NewEvent {
    let cause = Cause::new(CauseKind::Mail, format!("seen in {}", mail.folder));
    NewEvent::new(actor, cause, what(mail.message, mail.joined_by.clone()), Change::default())
}

pub(super) fn machine_wrote(mail: Mail, message: &Message) -> NewEvent {
    let remark = format!("{}: {}", kind_name(message.kind), message.kind_reason);
    simple(Actor::Server, &mail, |message, joined_by| What::MachineWrote {
        message,
        joined_by,
        remark,
    })
}

/// One of the team wrote: to the customer, with the shared address in copy, is an answer; else it is for the team.
fn internal(
    desk: &Desk<'_>,
    folder: &Folder,
    thread: &Thread,
    mail: Mail,
    message: &Message,
) -> anyhow::Result<NewEvent> {
    let by =
        desk.policy.agent_at(&writer_address(desk, folder, message)).map(|agent| agent.id.clone());
    if to_customer(desk, thread, message)? {
        desk.tx.set_replied(mail.message)?;
        return Ok(arrival::replied(thread, mail, by, false));
    }
    let actor = by.map_or(Actor::Someone, Actor::Agent);
    Ok(simple(actor, &mail, |message, joined_by| What::InternalWrote { message, joined_by }))
}

/// Whether the mail goes to somebody on the customer's side of the thread.
pub(super) fn to_customer(
    desk: &Desk<'_>,
    thread: &Thread,
    message: &Message,
) -> anyhow::Result<bool> {
    let participants = desk.tx.participants(thread.id)?;
    let customer_domain =
        thread.now.customer.rsplit_once('@').map(|(_, domain)| domain.to_string());
    let external = lower(&message.to)
        .chain(lower(&message.cc))
        .filter(|address| !desk.policy.is_own(address) && desk.policy.agent_at(address).is_none());
    Ok(external.into_iter().any(|address| {
        let domain = address.rsplit_once('@').map(|(_, domain)| domain.to_string());
        participants.contains(&address) || (domain.is_some() && domain == customer_domain)
    }))
}

fn open(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
    linked: Option<ThreadId>,
    why: String,
) -> anyhow::Result<()> {
    let id = desk.tx.add_thread(desk.mailbox, seen.arrived_at)?;
    let mut thread = Thread::unborn(id, &desk.policy.mailbox, seen.arrived_at);
    let mut answered: Vec<String> = message.in_reply_to.clone();
    answered.extend(message.references.iter().rev().take(REFERENCES_TRIED).cloned());
    let adopted = if linked.is_none() {
        desk.tx.own_without_thread(desk.mailbox, &answered)?
    } else {
        Vec::new()
    };
    let subject = if message.unreadable { subject(message) } else { message.base_subject.clone() };
    let customer = writer_address(desk, folder, message);
    let mail = as_mail(folder, seen, key, why);
    record(desk, &mut thread, arrival::opened(mail, &subject, &customer, linked, adopted))?;
    take_part(desk, folder, id, message)
}

pub(super) fn take_part(
    desk: &Desk<'_>,
    folder: &Folder,
    thread: ThreadId,
    message: &Message,
) -> anyhow::Result<()> {
    let mut addresses = vec![writer_address(desk, folder, message)];
    for list in [&message.from, &message.reply_to, &message.to, &message.cc] {
        addresses.extend(lower(list));
    }
    addresses.extend(message.list_id.iter().chain(&message.list_post).cloned());
    addresses.retain(|address| !address.is_empty() && !desk.policy.is_own(address));
    addresses.truncate(PARTICIPANTS_MAX);
    Ok(desk.tx.add_participants(thread, &addresses)?)
}

/// A mail in our own name came in: a copy of what we sent, or a note to ourselves.
fn own_copy(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    if let Some(candidate) = candidates(desk, message, true)?.into_iter().next() {
        let why = format!("{}; it is our own", candidate.evidence);
        return join(desk, folder, seen, message, key, candidate.thread, why);
    }
    let leaves = lower(&message.to).chain(lower(&message.cc)).any(|to| !desk.policy.is_own(&to));
    if leaves || message.kind == Kind::Own {
        return Ok(());
    }
    open(desk, folder, seen, message, key, None, "our own mail to ourselves".into())
}
