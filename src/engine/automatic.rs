//! What Baton writes by itself, and how two machines that answer each other come to rest.
//!
//! Everything automatic passes [`may_write`], which counts it. A mail of another Baton, one of ours that came back, and the
//! same words again and again from one address make that address one that gets nothing automatic for a day; a person is
//! told of it once.

use crate::desk::automatic::{self, DAY, First, HOUR, REPEATS, Written};
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::roster::AgentId;
use crate::desk::sending::State;
use crate::desk::thread::{Change, Thread};
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::arrive::{Seen, lower};
use crate::engine::hand_in::hashed;
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::mail::message::{Address, Kind, Message};
use crate::mail::outgoing::{ACKNOWLEDGEMENT, Letter, letter};
use crate::mail::proof::{Maker, maker};
use crate::store::{NewSending, SentTo};

/// How many ids of the customer's mail an acknowledgement names.
const REFERENCES_MAX: usize = 20;

/// Whether a machine may write to this address now; if so, that is counted.
pub(super) fn may_write(desk: &Desk<'_>, peer: &str, route: &str) -> anyhow::Result<bool> {
    let may = automatic::may_write(desk.policy.sending.caps, written(desk, peer)?);
    if may {
        desk.tx.note_automatic(desk.mailbox, peer, route, desk.now)?;
    } else {
        let mailbox = &desk.policy.mailbox;
        tracing::warn!(mailbox, "{mailbox}: a {route} is not written: its reader has had enough");
    }
    Ok(may)
}

fn written(desk: &Desk<'_>, peer: &str) -> anyhow::Result<Written> {
    let (tx, mailbox, now) = (desk.tx, desk.mailbox, desk.now);
    tx.forget_automatic(now - DAY, now)?;
    Ok(Written {
        hour: tx.automatic_since(mailbox, peer, None, now - HOUR)?,
        day: tx.automatic_since(mailbox, peer, None, now - DAY)?,
        silenced: tx.silenced(mailbox, peer, now)?.is_some(),
    })
}

/// Whose the mail is, where a Baton made it.
pub(super) fn made_by(desk: &Desk<'_>, message: &Message) -> Option<Maker> {
    let ids = message.written_ids.iter().chain([&message.message_id]);
    maker(&desk.policy.key, ids, message.baton.as_ref())
}

/// Whether a mail from outside was made by a machine of Baton's kind, ours or another, so that it is nobody's word: an own
/// id that is proven, or an automatic mail that says so. A mark alone must not hide what a customer writes.
pub(super) fn is_batons(desk: &Desk<'_>, message: &Message) -> bool {
    match made_by(desk, message) {
        Some(Maker::Ours) => true,
        Some(Maker::Another) => message.baton.as_ref().is_some_and(|mark| mark.automatic),
        None => false,
    }
}

/// Writes to the customer that the mail which opened the thread has come, where that is wanted and harmless.
pub(super) fn acknowledge(
    desk: &Desk<'_>,
    seen: &Seen,
    message: &Message,
    thread: &mut Thread,
) -> anyhow::Result<()> {
    let Some(wanted) = &desk.policy.sending.acknowledgement else { return Ok(()) };
    let Some(own) = desk.policy.own_addresses.first() else { return Ok(()) };
    let answered = message.reply_to.first().or(message.from.first());
    let peer = answered.map(|one| one.address.to_lowercase()).unwrap_or_default();
    let to: Vec<String> = lower(&message.to).chain(lower(&message.cc)).collect();
    let first = First {
        peer: &peer,
        to: &to,
        allows: message.kind == Kind::Human && message.may_answer_automatically,
        maker: made_by(desk, message),
        arrived_at: seen.arrived_at,
        answers_since: desk.tx.answers_since(desk.mailbox, desk.now)?,
        acknowledged: desk.tx.automatic_since(
            desk.mailbox,
            &peer,
            Some(ACKNOWLEDGEMENT),
            desk.now - DAY,
        )?,
        written: written(desk, &peer)?,
    };
    if !automatic::acknowledges(desk.policy, &first, desk.now) {
        return Ok(());
    }
    desk.tx.note_automatic(desk.mailbox, &peer, ACKNOWLEDGEMENT, desk.now)?;
    let domain = own.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let fingerprint = hashed([ACKNOWLEDGEMENT, &desk.policy.mailbox, &message.message_id], b"");
    let message_id = desk.policy.key.id(&fingerprint, domain);
    let nearest = message.references.iter().rev().take(REFERENCES_MAX).rev();
    let raw = letter(&Letter {
        from: Address { name: wanted.name.clone(), address: own.clone() },
        to: Address { name: String::new(), address: peer.clone() },
        reply_to: None,
        message_id: message_id.clone(),
        references: nearest.chain([&message.message_id]).cloned().collect(),
        subject: wording::hygiene::acknowledgement_subject(&message.subject),
        text: wanted.text_for(message.language.as_deref(), thread.id, &thread.now.subject),
        at: desk.now,
        sort: ACKNOWLEDGEMENT,
    });
    // RFC 3834, section 3.3: nothing comes back to a null return path.
    let null_path = !desk.tx.null_path_refused(desk.mailbox)?;
    let new = NewSending {
        thread: Some(thread.id),
        agent: None,
        route: ACKNOWLEDGEMENT,
        state: State::Due { at: desk.now },
        envelope_from: if null_path { String::new() } else { own.clone() },
        recipients: vec![SentTo { address: peer, notify: None, orcpt: None }],
        message_id,
        answered: Some(message.message_id.clone()),
        fingerprint,
        created_at: desk.now,
        raw,
    };
    let sending = desk.tx.add_sending(desk.mailbox, &new)?;
    let cause = Cause::new(CauseKind::Rule, "the first mail of a thread");
    let what = What::Acknowledged { sending };
    record(desk, thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    Ok(())
}

/// Hears what came from outside into a thread, and falls silent towards whoever seems to be a machine that answers machines.
pub(super) fn hear(
    desk: &Desk<'_>,
    message: &Message,
    from: &str,
    thread: &mut Thread,
) -> anyhow::Result<()> {
    let why = match made_by(desk, message) {
        Some(Maker::Ours) => Some(wording::hygiene::came_back(from)),
        Some(Maker::Another) if is_batons(desk, message) => {
            Some(wording::hygiene::another_baton(from))
        }
        _ if repeats(desk, message, from)? => Some(wording::hygiene::says_the_same(from)),
        _ => None,
    };
    let Some(why) = why else { return Ok(()) };
    let known = desk.tx.silenced(desk.mailbox, from, desk.now)?.is_some();
    desk.tx.silence(desk.mailbox, from, desk.now + DAY, &why)?;
    if known {
        return Ok(());
    }
    let cause = Cause::new(CauseKind::Mail, "mail of a machine that may answer machines");
    let what = What::FellSilent { reason: why.clone() };
    record(desk, thread, NewEvent::new(Actor::Server, cause, what, Change::default()))?;
    if let Some(agent) = somebody(desk, thread) {
        tell(desk, &notice::fell_silent(&agent, thread, message.message_id.as_str(), &why))?;
    }
    Ok(())
}

/// Whether the same words come once too often from an address to which a machine of ours has written of late. Where none has,
/// nothing goes in a circle, whatever comes.
fn repeats(desk: &Desk<'_>, message: &Message, from: &str) -> anyhow::Result<bool> {
    let since = desk.now - DAY;
    if desk.tx.automatic_since(desk.mailbox, from, None, since)? == 0 {
        return Ok(false);
    }
    let Some(gist) = automatic::gist(&message.new_text) else { return Ok(false) };
    let digest = desk.policy.key.digest(&gist);
    Ok(REPEATS <= desk.tx.hear(desk.mailbox, from, digest, since, desk.now)?)
}

/// Whom to tell of a thread: its owner, else the first who works in the mailbox.
pub(super) fn somebody(desk: &Desk<'_>, thread: &Thread) -> Option<AgentId> {
    let works = |id: &AgentId| {
        desk.policy.agent(id).is_some_and(|agent| agent.works_in(&desk.policy.mailbox))
    };
    let owner = thread.now.owner.clone().filter(works);
    let first = || desk.policy.agents.iter().find(|one| one.works_in(&desk.policy.mailbox));
    owner.or_else(|| first().map(|agent| agent.id.clone()))
}
