//! A mail lies in Sent: it answers a thread, whoever sent it, or it is mail of our own.

use crate::desk::arrival;
use crate::desk::command::{Asked, Decision, decide};
use crate::desk::event::{Actor, Cause, CauseKind, What};
use crate::desk::joining;
use crate::desk::roster::AgentId;
use crate::desk::thread::{MessageKey, State, Thread};
use crate::desk::verb::Afterwards;
use crate::engine::amend::merging;
use crate::engine::arrive::{Seen, lower};
use crate::engine::came_back::came_back_before;
use crate::engine::join::{as_mail, candidates, machine_wrote, simple, take_part, to_customer};
use crate::engine::record::record;
use crate::engine::send;
use crate::engine::{Desk, leak, twice};
use crate::mail::message::{Kind, Message};
use crate::store::{Folder, SendingRow};

/// How many recipients of a mail in Sent are tried as the customer that it answers.
const RECIPIENTS_TRIED: usize = 10;

/// A mail lies in Sent: an answer to a thread, or mail of our own.
pub(super) fn sent(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<()> {
    let sending = own_sending(desk, message)?;
    let found = match joined_before(desk, key)? {
        None => match begun_by(desk, sending.as_ref())? {
            None => answered_thread(desk, seen, message)?,
            begun => begun,
        },
        joined => joined,
    };
    if let Some(sending) = &sending {
        send::there(desk, sending)?;
        if let Some(id) = another_id(sending, message) {
            desk.tx.set_given_id(sending.id, id)?;
        }
        if let Some(from) = message.from.first() {
            send::seen_as(desk, sending, &from.address)?;
        }
    }
    let sent_as = sending.as_ref().map(|sending| sending.message_id.clone());
    let Some((mut thread, why)) = found else { return Ok(()) };
    let mut mail = as_mail(folder, seen, key, why);
    // A client that stores the copy also says when it arrived, by its own clock.
    mail.arrived_at = mail.arrived_at.min(desk.now);
    let machine = matches!(message.kind, Kind::AutoReply | Kind::Own);
    if machine && desk.tx.message(key)?.is_some_and(|row| row.thread.is_some()) {
        // The log has it from the copy in INBOX, or from before the folder was numbered anew.
        return Ok(());
    }
    let event = if machine {
        machine_wrote(mail, message)
    } else if to_customer(desk, &thread, message)? {
        desk.tx.set_replied(key)?;
        let outrun = thread.now.last_customer_at == Some(seen.arrived_at)
            && desk.tx.is_referred_to(thread.id, &message.message_id, "customer")?;
        let writer = sending.as_ref().and_then(|sending| sending.agent.clone());
        let writer = writer.or_else(|| written_by(desk, message));
        arrival::replied(&thread, mail, writer, outrun)
    } else {
        desk.tx.set_replied(key)?;
        simple(Actor::Someone, &mail, |message, joined_by| What::InternalWrote {
            message,
            joined_by,
        })
    };
    leak::keep(desk, key, std::slice::from_ref(&event), message)?;
    let event = record(desk, &mut thread, event)?;
    if let What::Replied { remark, .. } = &event.what {
        if let Some(sending) = &sending {
            follow(desk, &mut thread, sending, remark.is_empty())?;
        }
        twice::look(desk, &mut thread, key, message)?;
    }
    take_part(desk, folder, thread.id, message)?;
    let ours = sent_as.as_deref().unwrap_or(&message.message_id);
    came_back_before(desk, &mut thread, &[ours, &message.message_id])?;
    gather_answers(desk, &mut thread, &message.message_id)
}

/// The thread that was begun by the mail of which this is the copy; it has no other message yet, so no id points there.
fn begun_by(
    desk: &Desk<'_>,
    sending: Option<&SendingRow>,
) -> anyhow::Result<Option<(Thread, String)>> {
    let Some(id) = sending.and_then(|sending| sending.thread) else { return Ok(None) };
    if desk.tx.count_messages(id)? > 0 {
        return Ok(None);
    }
    let thread = desk.thread(id)?;
    let is_open = thread.now.merged_into.is_none();
    Ok(is_open.then(|| (thread, "it began the thread".to_owned())))
}

/// Does what the answer's writer asked for once it has left, unless the customer has written since.
fn follow(
    desk: &Desk<'_>,
    thread: &mut Thread,
    sending: &SendingRow,
    is_last_word: bool,
) -> anyhow::Result<()> {
    let afterwards = desk.tx.take_afterwards(sending.id)?;
    for command in afterwards.into_iter().filter(|_| is_last_word).map(Afterwards::command) {
        let cause = Cause::new(CauseKind::Command, "the first line of an answer that has left");
        let actor = sending.agent.clone().map_or(Actor::Someone, Actor::Agent);
        let asked = Asked { command, actor, cause };
        if let Decision::Done(event) = decide(desk.policy, thread, &asked, desk.now) {
            record(desk, thread, *event)?;
        }
    }
    Ok(())
}

/// Folders are read one after the other, so an answer to a mail in Sent may have been met before that mail, and have opened
/// a thread of its own. As long as nobody has touched that thread, it is taken over.
fn gather_answers(desk: &Desk<'_>, thread: &mut Thread, sent_id: &str) -> anyhow::Result<()> {
    for answer in desk.tx.messages_referring(desk.mailbox, sent_id)? {
        let Some(other) = answer.thread.filter(|other| *other != thread.id) else { continue };
        let other = desk.thread(other)?;
        let untouched = other.now.state == State::New
            && other.now.owner.is_none()
            && other.now.merged_into.is_none()
            && desk.tx.count_messages(other.id)? == 1;
        let machine = matches!(answer.kind.as_str(), "bounce" | "auto-reply" | "receipt");
        let sender = answer.sender.to_lowercase();
        if !untouched || !(machine || desk.tx.participants(thread.id)?.contains(&sender)) {
            continue;
        }
        let cause = Cause::new(CauseKind::Mail, format!("it answers our mail <{sent_id}>"));
        let mut event = merging(thread, &other, vec![answer.key], Actor::Server, cause);
        if !machine {
            arrival::takes_up(desk.policy, &thread.now, answer.arrived_at, &mut event.change);
        }
        record(desk, thread, event)?;
    }
    Ok(())
}

/// The thread that the mail belongs to already, because its copy in INBOX was met first. Only people move it out of there.
fn joined_before(desk: &Desk<'_>, key: MessageKey) -> anyhow::Result<Option<(Thread, String)>> {
    let Some(row) = desk.tx.message(key)? else { return Ok(None) };
    let Some(thread) = row.thread else { return Ok(None) };
    Ok(Some((desk.thread(thread)?, row.joined_by)))
}

/// The Message-ID that the provider has given our mail, unless it is ours.
fn another_id<'a>(sending: &SendingRow, message: &'a Message) -> Option<&'a str> {
    let own = [Some(sending.message_id.as_str()), sending.given_id.as_deref()];
    let id = message.message_id.as_str();
    (!own.contains(&Some(id))).then_some(id)
}

/// The mail of the outbox of which this is the copy.
fn own_sending(desk: &Desk<'_>, message: &Message) -> anyhow::Result<Option<SendingRow>> {
    for id in std::iter::once(&message.message_id).chain(&message.written_ids) {
        let known = desk.tx.sending_known_as(desk.mailbox, id)?;
        if known.is_some() {
            return Ok(known);
        }
    }
    Ok(None)
}

/// Who of the team wrote it, where the headers say so.
pub(super) fn written_by(desk: &Desk<'_>, message: &Message) -> Option<AgentId> {
    let named = message.sender.iter().chain(&message.from).chain(&message.written_by);
    let named = named.chain(&message.reply_to);
    named
        .into_iter()
        .map(|one| one.address.as_str())
        .chain(message.submitted_by.iter().map(String::as_str))
        .find_map(|name| {
            let by_id = || desk.policy.agent(&AgentId(name.to_lowercase()));
            desk.policy.agent_at(name).or_else(by_id)
        })
        .map(|agent| agent.id.clone())
}

/// The thread that a mail in Sent answers: by its references, else an open thread of that subject with a recipient.
fn answered_thread(
    desk: &Desk<'_>,
    seen: &Seen,
    message: &Message,
) -> anyhow::Result<Option<(Thread, String)>> {
    let mut first = None;
    for candidate in candidates(desk, seen, message, true, |_| false)? {
        let thread = desk.thread(candidate.thread)?;
        // A stranger who quoted the same ids has a thread too; the one that the mail goes to is the one it answers.
        if to_customer(desk, &thread, message)? {
            return Ok(Some((thread, candidate.evidence)));
        }
        first.get_or_insert((thread, candidate.evidence));
    }
    if first.is_some() {
        return Ok(first);
    }
    if !joining::may_join_by_subject(&message.subject, &message.base_subject) {
        return Ok(None);
    }
    for to in lower(&message.to).take(RECIPIENTS_TRIED) {
        let found = desk.tx.open_thread_by_subject(desk.mailbox, &message.base_subject, &to)?;
        if let Some(thread) = found {
            return Ok(Some((thread, format!("answers {to} under the thread's subject"))));
        }
    }
    Ok(None)
}
