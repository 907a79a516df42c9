//! An answer to a card comes in: the agent's own words go to the customer, if it is proven that the agent wrote them.
//!
//! The mail itself is the team's and stays in the thread. What leaves is made of it, and handed in like anything that an agent
//! wrote ([`crate::engine::hand_in()`]), so that it is judged, held and sent in the same way. Start with [`take`].

use std::collections::BTreeSet;

use crate::desk::arrival::{self, Mail};
use crate::desk::card::{Token, mentioned};
use crate::desk::event::{Actor, Cause, CauseKind, NewEvent, What};
use crate::desk::notice;
use crate::desk::proof::proven;
use crate::desk::roster::Agent;
use crate::desk::thread::{Change, MessageKey, Thread, ThreadId};
use crate::desk::wording::card as words;
use crate::engine::arrive::{Seen, writer_address};
use crate::engine::card::{CARD, is_customers, writer};
use crate::engine::hand_in::{HandedIn, Taken, hand_in, hashed};
use crate::engine::join::{as_mail, machine_wrote, set_aside, simple, to_customer};
use crate::engine::notice::tell;
use crate::engine::record::record;
use crate::engine::{Desk, Policies};
use crate::mail::authentication::evidence;
use crate::mail::message::{Address, Kind, Message};
use crate::mail::outgoing::{Answer, answer};
use crate::mail::parse::parse;
use crate::mail::subject::base_subject;
use crate::mail::written::{Written, written};
use crate::store::{CardRow, Folder, MessageRow, SentTo};

/// How many mails of the conversation an answer names.
const REFERENCES_MAX: usize = 30;
/// How many people one answer goes to.
const RECIPIENTS_MAX: usize = 100;
/// How many merges are followed from a card's thread to the one that took it over.
const MERGES_MAX: usize = 20;

/// An answer to a card that has come in.
struct Reply<'a> {
    seen: &'a Seen,
    message: &'a Message,
    key: MessageKey,
}

/// Deals with a mail that answers a card; `false` where it is none, or none that says whose it is.
pub(super) fn take(
    desk: &Desk<'_>,
    folder: &Folder,
    seen: &Seen,
    message: &Message,
    key: MessageKey,
) -> anyhow::Result<bool> {
    let tokens = mentioned(message);
    if tokens.is_empty() || message.kind == Kind::Own {
        return Ok(false);
    }
    let reply = Reply { seen, message, key };
    let agent = desk.policy.agent_at(&writer_address(desk, folder, message));
    let by_machine =
        matches!(message.kind, Kind::AutoReply | Kind::Bounce | Kind::Complaint | Kind::Receipt);
    let Some(card) = card_of(desk, &tokens)? else {
        if let Some(agent) = agent.filter(|_| !by_machine && !folder.place.is_away()) {
            told(desk, None, agent, message, &words::unknown_card())?;
        }
        return Ok(false);
    };
    let mut thread = home(desk, &card)?;
    let mail = as_mail(folder, seen, key, format!("it answers a card of {}'s", card.agent));
    match agent {
        _ if by_machine => {
            record(desk, &mut thread, machine_wrote(mail, message))?;
        }
        // Somebody whom the card was passed on to: no agent, so their words must be seen as anybody's.
        None => return Ok(false),
        // Only a person says that it is no junk.
        Some(_) if folder.place.is_away() => {
            set_aside(desk, key, "an answer to a card that came into Junk or was deleted")?;
        }
        Some(agent) => by_agent(desk, &reply, &mut thread, mail, agent, &card)?,
    }
    Ok(true)
}

/// The card of which the mail is an answer, as far as its signature proves it.
fn card_of(desk: &Desk<'_>, tokens: &[Token]) -> anyhow::Result<Option<CardRow>> {
    for token in tokens {
        let Some(card) = desk.tx.card(token.event)? else { continue };
        let is_here = desk.thread(card.thread)?.mailbox == desk.policy.mailbox;
        if is_here && token.verifies(&desk.policy.key, &card.agent, &card.answered) {
            return Ok(Some(card));
        }
    }
    Ok(None)
}

/// The thread in which the answered mail is now: it may have been merged or split since.
fn home(desk: &Desk<'_>, card: &CardRow) -> anyhow::Result<Thread> {
    let answered = desk.tx.message_with_id(desk.mailbox, &card.answered)?;
    let id: ThreadId = answered.and_then(|row| row.thread).unwrap_or(card.thread);
    let mut thread = desk.thread(id)?;
    for _ in 0..MERGES_MAX {
        let Some(into) = thread.now.merged_into else { break };
        thread = desk.thread(into)?;
    }
    Ok(thread)
}

fn by_agent(
    desk: &Desk<'_>,
    reply: &Reply<'_>,
    thread: &mut Thread,
    mail: Mail,
    agent: &Agent,
    card: &CardRow,
) -> anyhow::Result<()> {
    let message = reply.message;
    if to_customer(desk, thread, message)? {
        desk.tx.set_replied(reply.key)?;
        let event = arrival::replied(thread, mail, Some(agent.id.clone()), false);
        record(desk, thread, event)?;
        return told(desk, Some(thread), agent, message, &words::has_gone_already());
    }
    let proof = proof(desk, reply, agent, card);
    let actor = match &proof {
        Ok(_) => Actor::Agent(agent.id.clone()),
        Err(_) => Actor::Someone,
    };
    let wrote =
        simple(actor, &mail, |message, joined_by| What::InternalWrote { message, joined_by });
    record(desk, thread, wrote)?;
    if !desk.tx.add_card_reply(card.event, &message.message_id)? {
        return Ok(());
    }
    let made = match proof {
        Ok(doubt) => compose(desk, reply, agent, card, doubt)?,
        Err(why) => Err(why),
    };
    match made {
        Ok(mail) => {
            let policy = desk.policy.clone();
            let policies = Policies::from([(policy.mailbox.clone(), policy)]);
            if let Taken::Refused(why) = hand_in(desk.tx, &policies, &mail, desk.now)? {
                told(desk, Some(thread), agent, message, &why)?;
            }
            *thread = desk.thread(thread.id)?;
            Ok(())
        }
        Err(why) => {
            let cause = Cause::new(CauseKind::Mail, "an answer to a card");
            let what = What::AnswerRefused { reason: why.clone() };
            record(desk, thread, NewEvent::new(Actor::Someone, cause, what, Change::default()))?;
            told(desk, Some(thread), agent, message, &why)
        }
    }
}

/// Whether the agent who got the card wrote it. `Ok` with a doubt where nobody is known who could say.
fn proof(
    desk: &Desk<'_>,
    reply: &Reply<'_>,
    agent: &Agent,
    card: &CardRow,
) -> Result<Option<String>, String> {
    let Some(raw) = reply.seen.raw.as_ref().filter(|_| agent.id == card.agent) else {
        return Err(words::unknown_card());
    };
    let Some(authority) = &desk.policy.sending.cards.authority else {
        return Ok(Some(words::nobody_to_believe()));
    };
    proven(authority, &agent.address, &evidence(raw)).map(|()| None)
}

/// What leaves, or why nothing can.
fn compose(
    desk: &Desk<'_>,
    reply: &Reply<'_>,
    agent: &Agent,
    card: &CardRow,
    doubt: Option<String>,
) -> anyhow::Result<Result<HandedIn, String>> {
    let raw = reply.seen.raw.as_deref().unwrap_or_default();
    let written = match own_words(written(raw, reply.message)) {
        Ok(written) => written,
        Err(why) => return Ok(Err(why)),
    };
    let Some(answered) = desk.tx.message_with_id(desk.mailbox, &card.answered)? else {
        return Ok(Err(words::unknown_card()));
    };
    let (to, cc) = recipients(desk, &answered)?;
    let own = desk.policy.own_addresses.first();
    let Some(own) = own.filter(|_| !to.is_empty()) else {
        return Ok(Err(words::goes_to_nobody(answered.thread.unwrap_or(card.thread))));
    };
    let everybody = to.iter().chain(&cc);
    let sent_to = everybody
        .map(|one| SentTo { address: one.address.clone(), notify: None, orcpt: None })
        .collect();
    let event = card.event.to_string();
    let unique = hashed([CARD, &desk.policy.mailbox, &event, &reply.message.message_id], b"");
    let raw = answer(&Answer {
        from: Address { name: agent.name.clone(), address: own.clone() },
        to,
        cc,
        subject: format!("Re: {}", base_subject(&answered.subject)),
        references: references(desk, &answered)?,
        text: written.text,
        parts: written.parts,
        at: reply.seen.arrived_at,
        unique: unique.clone(),
    });
    let message = parse(&raw);
    let (agent, from) = (Some(agent.id.clone()), own.clone());
    Ok(Ok(HandedIn { agent, route: CARD, from, to: sent_to, raw, message, unique, doubt }))
}

/// What is the agent's own in it, if anything, and nothing of the card.
fn own_words(written: Written) -> Result<Written, String> {
    if written.encrypted {
        return Err(words::is_encrypted());
    }
    let above = written.text.lines().take_while(|line| !line.contains(words::MARK));
    let text = above.collect::<Vec<_>>().join("\n").trim_end().to_owned();
    if words::is_of_a_card(&text) {
        return Err(words::holds_the_card());
    }
    if text.trim().is_empty() && written.parts.is_empty() {
        return Err(words::says_nothing());
    }
    Ok(Written { text: text + "\n", ..written })
}

type People = Vec<Address>;

/// Whom the answer goes to: who wrote the mail, and whoever got it beside the team.
fn recipients(desk: &Desk<'_>, answered: &MessageRow) -> anyhow::Result<(People, People)> {
    let particulars = desk.tx.particulars(answered.key)?.unwrap_or_default();
    let mut known = BTreeSet::new();
    let mut new = |address: &Address| {
        let written = &address.address;
        let is_ours = desk.policy.is_own(written) || desk.policy.agent_at(written).is_some();
        !is_ours && is_address(written) && known.insert(written.to_lowercase())
    };
    let named = |(name, address): &(String, String)| Address {
        name: name.clone(),
        address: address.clone(),
    };
    let mut to: People = particulars.writer.iter().map(named).filter(&mut new).collect();
    if to.is_empty() {
        to.extend(Some(writer(answered, &Default::default())).filter(&mut new));
    }
    to.truncate(RECIPIENTS_MAX);
    let others = answered.recipients.iter();
    let others = others.map(|one| Address { name: String::new(), address: one.clone() });
    let cc = others.filter(&mut new).take(RECIPIENTS_MAX - to.len()).collect();
    Ok((to, cc))
}

/// An address that can stand in a header and in RCPT as it is.
fn is_address(text: &str) -> bool {
    let odd = |letter: char| {
        letter.is_whitespace() || letter.is_control() || "<>,;:()[]\"\\".contains(letter)
    };
    text.contains('@') && !text.contains(odd)
}

/// The conversation up to the mail that is answered, which comes last.
fn references(desk: &Desk<'_>, answered: &MessageRow) -> anyhow::Result<Vec<String>> {
    let thread = answered.thread;
    let mails = thread.map(|thread| desk.tx.messages_of(thread)).transpose()?.unwrap_or_default();
    let before = |row: &&MessageRow| {
        (is_customers(row) || row.replied)
            && row.arrived_at <= answered.arrived_at
            && row.message_id != answered.message_id
            // Made up for a mail that has none.
            && !row.message_id.ends_with("@baton.invalid")
    };
    let mut ids: Vec<String> =
        mails.iter().filter(before).map(|row| row.message_id.clone()).collect();
    ids.drain(..ids.len().saturating_sub(REFERENCES_MAX));
    ids.push(answered.message_id.clone());
    Ok(ids)
}

/// Tells the agent once why nothing has left.
fn told(
    desk: &Desk<'_>,
    thread: Option<&Thread>,
    agent: &Agent,
    message: &Message,
    why: &str,
) -> anyhow::Result<()> {
    tell(desk, &notice::card_reply_not_sent(&agent.id, thread, &message.message_id, why))
}
