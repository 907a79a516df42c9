//! A mail comes: which thread it joins or opens, and what that does to the thread.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::desk::arrival::{self, Fit, Mail, Timing};
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::joining::{self, Candidate, Joining, Writer};
use crate::desk::marks::Place;
use crate::desk::thread::{Change, MessageKey, Thread, ThreadId};
use crate::engine::arrive::{
    PARTICIPANTS_MAX, Seen, direction, kind_name, lower, subject, writer_address,
};
use crate::engine::came_back::came_back;
use crate::engine::record::record;
use crate::engine::{Desk, automatic, leak, twice};
use crate::mail::message::{Kind, Message};
use crate::mail::proof::Maker;
use crate::mail::thanks::is_bare_thanks;
use crate::store::{Folder, Status};

/// How many ids of a message are kept to be found by: its own, and the nearest and the first it refers to.
const REFERENCES_KEPT: usize = 40;
/// How many ids of a message are looked up, the nearest first.
const REFERENCES_TRIED: usize = 120;
/// How long a mail may have lain and still mean something for machines.
const CONSIDERED_WITHIN: Duration = Duration::from_secs(4 * 24 * 3600);
/// How many ids of a mail are tried as mail that we sent.
const REPORTED_TRIED: usize = 4;
/// How many threads are weighed that a mail's ids point to.
const CANDIDATES_MAX: usize = 10;

/// The ids to be found by.
pub(super) fn ids_kept(message: &Message) -> Vec<String> {
    let mut ids = vec![message.message_id.clone()];
    ids.extend(message.written_ids.iter().cloned());
    ids.extend(message.in_reply_to.iter().cloned());
    ids.extend(message.bounce.iter().flat_map(|bounce| bounce.original_message_id.clone()));
    ids.extend(message.references.first().cloned());
    ids.extend(message.references.iter().rev().take(REFERENCES_KEPT).cloned());
    ids.dedup();
    ids
}

/// The threads that the mail's ids point to, the strongest evidence first, up to the first that is `enough`. Most mails
/// answer one of the thread that they belong to, and a long thread is referred to by thousands.
pub(super) fn candidates(
    desk: &Desk<'_>,
    seen: &Seen,
    message: &Message,
    with_own_id: bool,
    enough: impl Fn(&Candidate) -> bool,
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
    if let Some(gmail) = seen.gmail {
        // Gmail's conversations are kept by References and subject; ours by the same, by people and by time.
        evidence.push((
            gmail.reference(),
            "Gmail shows it in the conversation of an earlier mail".into(),
        ));
    }
    let mut found: Vec<Candidate> = Vec::new();
    // What we sent is known before its copy is seen, and where there is none.
    let reported = message.bounce.iter().flat_map(|bounce| &bounce.original_message_id);
    for id in message.in_reply_to.iter().chain(reported).take(REPORTED_TRIED) {
        let sending = desk.tx.sending_known_as(desk.mailbox, id)?;
        if let Some(thread) = sending.and_then(|sending| sending.thread) {
            let participants = desk.tx.participants(thread)?;
            found.push(Candidate {
                thread,
                evidence: format!("answers <{id}>, which we sent"),
                participants,
            });
        }
    }
    if found.iter().any(&enough) {
        return Ok(found);
    }
    let mut asked: BTreeSet<String> = BTreeSet::new();
    for (id, evidence) in evidence {
        if !asked.insert(id.clone()) {
            continue;
        }
        let mut last = ControlFlow::Continue(());
        desk.tx.threads_by_reference(desk.mailbox, &id, |thread| {
            if found.iter().all(|candidate| candidate.thread != thread) {
                let participants = desk.tx.participants(thread)?;
                let candidate = Candidate { thread, evidence: evidence.clone(), participants };
                if enough(&candidate) || found.len() + 1 == CANDIDATES_MAX {
                    last = ControlFlow::Break(());
                }
                found.push(candidate);
            }
            Ok(last)
        })?;
        if last.is_break() {
            break;
        }
    }
    if found.is_empty() {
        found.extend(begun(desk, &asked)?);
    }
    Ok(found)
}

/// The thread that was begun by a mail of these ids, of which the copy in Sent has not been met yet.
fn begun(desk: &Desk<'_>, ids: &BTreeSet<String>) -> anyhow::Result<Option<Candidate>> {
    for id in ids {
        let sending = desk.tx.sending_known_as(desk.mailbox, id)?;
        if let Some(thread) = sending.and_then(|sending| sending.thread) {
            let participants = desk.tx.participants(thread)?;
            let evidence = format!("answers the mail <{id}> that began the thread");
            return Ok(Some(Candidate { thread, evidence, participants }));
        }
    }
    Ok(None)
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
    let enters = |candidate: &Candidate| joining::may_enter(desk.policy, &writer, candidate);
    let candidates = candidates(desk, seen, message, true, enters)?;
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
pub(super) fn arrived(
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
pub(super) fn arrived_away(
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

pub(super) fn set_aside(desk: &Desk<'_>, key: MessageKey, reason: &str) -> anyhow::Result<()> {
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
    let direction = direction(desk, folder, message);
    let maker = automatic::made_by(desk, message);
    // Baton's own header proves nothing: it must not hide what a customer writes, or somebody who writes in our name.
    let ours = match direction {
        "customer" => automatic::is_batons(desk, message),
        "own" => message.kind == Kind::Own && maker == Some(Maker::Ours),
        _ => message.kind == Kind::Own,
    };
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
    leak::keep(desk, key, &events, message)?;
    for event in events {
        let event = record(desk, &mut thread, event)?;
        if matches!(event.what, What::Replied { .. }) {
            twice::look(desk, &mut thread, key, message)?;
        }
    }
    take_part(desk, folder, thread.id, message)?;
    consider(desk, folder, seen, message, &mut thread)
}

/// What a mail that has come into a thread means for machines, and what a report means for the answer that it is about. Mail
/// that has lain for long, as at the first look at a mailbox, means nothing any more.
fn consider(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    thread: &mut Thread,
) -> anyhow::Result<()> {
    if seen.arrived_at + CONSIDERED_WITHIN < desk.now
        || direction(desk, folder, message) != "customer"
    {
        return Ok(());
    }
    if message.kind == Kind::Bounce {
        return came_back(desk, folder, seen, message, thread);
    }
    automatic::hear(desk, message, &writer_address(desk, folder, message), thread)
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
    match direction(desk, folder, message) {
        "internal" => leak::keep_inside(desk, key, message)?,
        _ => leak::keep_outside(desk, key, message)?,
    }
    take_part(desk, folder, id, message)?;
    consider(desk, folder, seen, message, &mut thread)?;
    match direction(desk, folder, message) {
        "customer" => automatic::acknowledge(desk, seen, message, &mut thread),
        _ => Ok(()),
    }
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
pub(super) fn own_copy(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    if let Some(candidate) = candidates(desk, seen, message, true, |_| true)?.into_iter().next() {
        let why = format!("{}; it is our own", candidate.evidence);
        return join(desk, folder, seen, message, key, candidate.thread, why);
    }
    let leaves = lower(&message.to).chain(lower(&message.cc)).any(|to| !desk.policy.is_own(&to));
    if leaves || automatic::made_by(desk, message) == Some(Maker::Ours) {
        return Ok(());
    }
    open(desk, folder, seen, message, key, None, "our own mail to ourselves".into())
}
