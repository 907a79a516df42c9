//! Mail of Baton's own to the team, put into the same outbox as everything that leaves.

use crate::clock::Timestamp;
use crate::desk::notice::Notice;
use crate::desk::sending::State;
use crate::engine::Desk;
use crate::engine::automatic::may_write;
use crate::engine::hand_in::hashed;
use crate::mail::message::Address;
use crate::mail::outgoing::{Letter, letter};
use crate::store::{NewSending, SentTo};

/// The route of what Baton tells the team.
pub(super) const NOTICE: &str = "notice";
/// The name under which the team sees Baton's own mail.
const NAME: &str = "Baton";

/// Tells one of the team, unless they were told before. Where no mail can leave, nobody is told.
pub(super) fn tell(desk: &Desk<'_>, notice: &Notice) -> anyhow::Result<()> {
    if !desk.policy.sending.can {
        return Ok(());
    }
    let Some(agent) = desk.policy.agent(&notice.to) else { return Ok(()) };
    let Some(own) = desk.policy.own_addresses.first() else { return Ok(()) };
    let about = notice.thread.map(|id| id.to_string()).unwrap_or_default();
    let fingerprint =
        hashed([NOTICE, &desk.policy.mailbox, &notice.to.0, &about, &notice.occasion], b"");
    if desk.tx.sending_again(&fingerprint, Timestamp(0))?.is_some() {
        return Ok(());
    }
    if !may_write(desk, &agent.address, NOTICE)? {
        return Ok(());
    }
    let domain = own.rsplit_once('@').map_or("baton.invalid", |(_, domain)| domain);
    let message_id = desk.policy.key.id(&fingerprint, domain);
    let thread = notice.thread.map(|id| format!("thread-{}.baton@{domain}", id.0));
    let raw = letter(&Letter {
        from: Address { name: NAME.into(), address: own.clone() },
        to: Address { name: agent.name.clone(), address: agent.address.clone() },
        reply_to: None,
        message_id: message_id.clone(),
        references: thread.into_iter().collect(),
        subject: notice.subject.clone(),
        text: notice.text.clone(),
        at: desk.now,
        sort: NOTICE,
    });
    let new = NewSending {
        thread: notice.thread,
        agent: None,
        route: NOTICE,
        state: State::Due { at: desk.now + notice.wait },
        envelope_from: own.clone(),
        recipients: vec![SentTo { address: agent.address.clone(), notify: None, orcpt: None }],
        message_id,
        answered: None,
        fingerprint,
        created_at: desk.now,
        raw,
    };
    desk.tx.add_sending(desk.mailbox, &new)?;
    Ok(())
}
