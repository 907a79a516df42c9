//! Cards: an event that gives a thread to somebody, or a customer who writes again, puts one into the outbox.
//!
//! In the transaction of the event itself, and once for each event. The answer to one is taken in `card_reply.rs`.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::desk::card::{Card, Occasion, Shown, Token, occasion};
use crate::desk::event::Event;
use crate::desk::policy::KeepText;
use crate::desk::roster::Agent;
use crate::desk::sending::State;
use crate::desk::thread::{MessageKey, Thread};
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::arrive::EXCERPT_MAX;
use crate::engine::automatic::may_write;
use crate::mail::message::{Address, Message};
use crate::mail::outgoing::{Letter, letter};
use crate::store::{CardRow, MessageRow, NewSending, Particulars, SendingRow, SentTo};

/// The route of cards, and of the answers to them.
pub(super) const CARD: &str = "card";
/// How many mails a card shows.
const SHOWN_MAX: usize = 3;
/// How many other recipients of a mail, and how many attachments are named.
const NAMED_MAX: usize = 20;
/// A mail that came longer ago than this before its thread was known came before Baton looked: what was decided then, nobody
/// needs to be told.
const SLACK: Duration = Duration::from_secs(3600);

/// Keeps of a customer's mail what a card will need.
pub(super) fn keep(desk: &Desk<'_>, key: MessageKey, message: &Message) -> anyhow::Result<()> {
    if !desk.policy.sending.cards.on {
        return Ok(());
    }
    let writer = if message.reply_to.is_empty() { &message.from } else { &message.reply_to };
    let mut particulars = Particulars {
        writer: writer.iter().map(|one| (one.name.clone(), one.address.clone())).collect(),
        cut: message.new_text.chars().nth(EXCERPT_MAX).is_some(),
        ..Particulars::default()
    };
    if desk.policy.keep_text == KeepText::Excerpt {
        let attachments = message.attachments.iter().take(NAMED_MAX);
        particulars.attachments =
            attachments.map(|one| (one.name.clone(), one.size as u64)).collect();
    }
    Ok(desk.tx.set_particulars(key, &particulars)?)
}

/// Sends a card about the event, which `thread` holds already, if it is worth one.
pub(super) fn send(desk: &Desk<'_>, thread: &Thread, event: &Event) -> anyhow::Result<()> {
    let sending = &desk.policy.sending;
    if !sending.cards.on || !sending.can {
        return Ok(());
    }
    let Some((agent, why)) = occasion(thread, event) else { return Ok(()) };
    let Some(agent) = desk.policy.agent(&agent).filter(|agent| agent.cards) else { return Ok(()) };
    let Some(own) = desk.policy.own_addresses.first() else { return Ok(()) };
    if is_answering(desk, thread, agent)? {
        return Ok(());
    }
    let unanswered = unanswered(desk, thread)?;
    let Some(newest) = unanswered.last() else { return Ok(()) };
    if is_long_known(desk, thread, event, newest.arrived_at)? {
        return Ok(());
    }
    if !may_write(desk, &agent.address, CARD)? {
        return Ok(());
    }
    let about = &newest.message_id;
    let Some(token) = Token::new(&desk.policy.key, event.seq, &agent.id, about) else {
        return Ok(());
    };
    let card = card(desk, thread, &why, agent, &unanswered)?;
    let domain = own.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let message_id = token.message_id(&desk.policy.key, domain);
    let raw = letter(&written(desk, &card, agent, &token, &message_id));
    let new = NewSending {
        thread: Some(thread.id),
        agent: None,
        route: CARD,
        state: State::Due { at: desk.now },
        envelope_from: own.clone(),
        recipients: vec![SentTo { address: agent.address.clone(), notify: None, orcpt: None }],
        fingerprint: message_id.clone(),
        message_id,
        answered: Some(newest.message_id.clone()),
        created_at: desk.now,
        raw,
    };
    let sending = desk.tx.add_sending(desk.mailbox, &new)?;
    let answered = newest.message_id.clone();
    let (event, thread, agent) = (event.seq, thread.id, agent.id.clone());
    Ok(desk.tx.add_card(&CardRow { event, sending, thread, agent, answered })?)
}

/// The mail that carries a card.
fn written(desk: &Desk<'_>, card: &Card, agent: &Agent, token: &Token, id: &str) -> Letter {
    let domain = id.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let shared = &card.shared;
    let reply_to = desk.policy.sending.cards.address_of(token);
    let reply_to = reply_to.map(|address| Address { name: shared.name.clone(), address });
    let subject = match card.subject.is_empty() {
        true => card.thread.to_string(),
        false => format!("{} {}", card.thread, card.subject),
    };
    // The first id is the thread's, as on notices, so that clients show all of them together.
    let references =
        vec![format!("thread-{}.baton@{domain}", card.thread.0), token.reference(domain)];
    Letter {
        from: Address {
            name: wording::card::sender_name(&card.customer, &desk.policy.mailbox),
            address: shared.address.clone(),
        },
        to: Address { name: agent.name.clone(), address: agent.address.clone() },
        reply_to,
        message_id: id.to_owned(),
        references,
        subject,
        text: wording::card::text(card, &agent.id, desk.policy),
        at: desk.now,
        sort: CARD,
    }
}

fn card(
    desk: &Desk<'_>,
    thread: &Thread,
    why: &Occasion,
    agent: &Agent,
    unanswered: &[MessageRow],
) -> anyhow::Result<Card> {
    let left_out = unanswered.len().saturating_sub(SHOWN_MAX);
    let mut mails = Vec::new();
    let mut customer = Address::default();
    for row in unanswered.iter().skip(left_out) {
        let particulars = desk.tx.particulars(row.key)?.unwrap_or_default();
        customer = writer(row, &particulars);
        mails.push(shown(desk, row, particulars));
    }
    let name = desk.policy.sending.name_of(agent);
    let address = desk.policy.own_addresses.first().cloned().unwrap_or_default();
    Ok(Card {
        thread: thread.id,
        subject: thread.now.subject.clone(),
        state: thread.now.state,
        occasion: why.clone(),
        customer,
        shared: Address { name, address },
        mails,
        left_out,
        escalated: thread.now.escalated,
        reopens: thread.now.reopens,
        linked_to: thread.now.linked_to,
    })
}

fn shown(desk: &Desk<'_>, row: &MessageRow, particulars: Particulars) -> Shown {
    let from = writer(row, &particulars);
    let is_other = |address: &&String| {
        !desk.policy.is_own(address) && !address.eq_ignore_ascii_case(&from.address)
    };
    let others = row.recipients.iter().filter(is_other).take(NAMED_MAX).cloned().collect();
    let Particulars { attachments, cut, .. } = particulars;
    Shown { from, at: row.arrived_at, others, text: row.excerpt.clone(), cut, attachments }
}

/// Who is answered: Reply-To, else From.
pub(super) fn writer(row: &MessageRow, particulars: &Particulars) -> Address {
    let (name, address) = particulars.writer.first().cloned().unwrap_or_default();
    match address.is_empty() {
        true => Address { name: String::new(), address: row.sender.clone() },
        false => Address { name, address },
    }
}

/// The customer's mails since our last answer, oldest first; where all are answered, the newest.
fn unanswered(desk: &Desk<'_>, thread: &Thread) -> anyhow::Result<Vec<MessageRow>> {
    let mut mails = desk.tx.messages_of(thread.id)?;
    mails.retain(is_customers);
    let last_reply = thread.now.last_reply_at;
    let answered = mails.iter().filter(|row| last_reply.is_some_and(|at| row.arrived_at <= at));
    let answered = answered.count().min(mails.len().saturating_sub(1));
    Ok(mails.split_off(answered))
}

/// Whether a customer wrote it, and not a machine of theirs.
pub(super) fn is_customers(row: &MessageRow) -> bool {
    let by_machine = ["auto-reply", "bounce", "complaint", "receipt", "own"];
    row.direction == "customer" && !by_machine.contains(&row.kind.as_str())
}

/// Whether it happens by an answer of the agent's, which is being kept in the same transaction: who answers has read it.
fn is_answering(desk: &Desk<'_>, thread: &Thread, agent: &Agent) -> anyhow::Result<bool> {
    let sendings = desk.tx.sendings_of(thread.id)?;
    let is_now =
        |one: &SendingRow| one.agent.as_ref() == Some(&agent.id) && one.created_at == desk.now;
    Ok(sendings.last().is_some_and(is_now))
}

/// Whether this comes to light only because Baton meets a mailbox for the first time, or once more after its database was
/// lost: people have known it for long.
fn is_long_known(
    desk: &Desk<'_>,
    thread: &Thread,
    event: &Event,
    came_at: Timestamp,
) -> anyhow::Result<bool> {
    let events = desk.tx.events_of(thread.id)?;
    let Some(opened_at) = events.first().map(|first| first.at) else { return Ok(false) };
    // Somebody gives it away now, whenever it came.
    let given_now = event.change.owner.is_some() && event.at != opened_at;
    Ok(!given_now && came_at + SLACK < opened_at)
}
