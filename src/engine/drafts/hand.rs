//! A draft has been read, and is handed in like a mail of submission.

use crate::clock::Timestamp;
use crate::desk::notice;
use crate::desk::roster::AgentId;
use crate::desk::sending::State;
use crate::desk::wording::drafts as wording;
use crate::engine::drafts::SEND_FOLDER;
use crate::engine::hand_in::{self, HandedIn, Taken, hashed};
use crate::engine::notice::tell;
use crate::engine::sent::written_by;
use crate::engine::{Desk, Policies};
use crate::mail::message::Message;
use crate::store::{DraftRow, SentTo};

/// The largest draft that is handed in, bytes; no more is read of one.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// To how many people a draft may go.
const RECIPIENTS_MAX: usize = 500;

/// A draft as it was read.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The bytes. Lines end with CR and LF.
    pub raw: Vec<u8>,
    /// What they say.
    pub message: Message,
}

/// Hands it in, unless that was done before: after a crash, or because the folder was numbered anew, it is read again.
pub(super) fn hand(desk: &Desk<'_>, row: &DraftRow, draft: Draft) -> anyhow::Result<()> {
    let fingerprint = fingerprint(desk, &draft.message);
    let before = desk.tx.sending_again(&fingerprint, Timestamp(0))?;
    if let Some(same) = before.filter(|same| same.state != State::Dropped) {
        return Ok(desk.tx.set_draft_sending(row.id, same.id)?);
    }
    let writer = written_by(desk, &draft.message);
    let mail = match mail_of(desk, row, draft, &fingerprint, writer.clone()) {
        Ok(mail) => mail,
        Err(words) => return refuse(desk, row, writer, &words),
    };
    let agent = writer.as_ref().and_then(|id| desk.policy.agent(id));
    let policies = Policies::from([(desk.policy.mailbox.clone(), desk.policy.clone())]);
    match hand_in::take(desk, &policies, agent, &mail, fingerprint)? {
        (_, Some(sending)) => Ok(desk.tx.set_draft_sending(row.id, sending)?),
        // Also a command, of which nothing leaves.
        (
            Taken::Refused(words) | Taken::Leaves(words) | Taken::Held(words) | Taken::Done(words),
            None,
        ) => refuse(desk, row, writer, &words),
    }
}

/// The mail that the draft is, or why it is none, as a sentence.
fn mail_of(
    desk: &Desk<'_>,
    row: &DraftRow,
    draft: Draft,
    fingerprint: &str,
    agent: Option<AgentId>,
) -> Result<HandedIn, String> {
    let Draft { raw, message } = draft;
    if raw.len() >= BYTES_MAX {
        return Err(wording::draft_too_large());
    }
    let to = recipients(desk, &message)?;
    let written = message.from.first().map(|from| from.address.to_lowercase());
    let from = written.filter(|from| desk.policy.is_own(from));
    let from = from.or_else(|| desk.policy.own_addresses.first().cloned()).unwrap_or_default();
    if let Some(agent) = agent.as_ref().and_then(|id| desk.policy.agent(id))
        && !agent.works_in(&desk.policy.mailbox)
    {
        return Err(wording::works_elsewhere(agent, &desk.policy.mailbox));
    }
    let (number, now) = (row.id.to_string(), desk.now.0.to_string());
    let unique = hashed([fingerprint, &number, &now], b"");
    Ok(HandedIn { agent, route: SEND_FOLDER, from, to, raw, message, unique, doubt: None })
}

/// To, Cc and Bcc, each once.
fn recipients(desk: &Desk<'_>, message: &Message) -> Result<Vec<SentTo>, String> {
    let mut to: Vec<SentTo> = Vec::new();
    for one in message.to.iter().chain(&message.cc).chain(&message.bcc) {
        let address = &one.address;
        if desk.policy.is_own(address) {
            return Err(wording::goes_to_the_team(address));
        }
        let is_known = to.iter().any(|known| known.address.eq_ignore_ascii_case(address));
        let is_address = address.contains('@') && !address.contains(char::is_whitespace);
        if is_address && !is_known {
            to.push(SentTo { address: address.clone(), notify: None, orcpt: None });
        }
    }
    match to.len() {
        0 => Err(wording::goes_to_nobody()),
        count if count > RECIPIENTS_MAX => Err(wording::goes_to_too_many(RECIPIENTS_MAX)),
        _ => Ok(to),
    }
}

/// The same for every reading of a draft: servers render what they hold, so that the bytes may differ.
fn fingerprint(desk: &Desk<'_>, message: &Message) -> String {
    let mut parts = vec![SEND_FOLDER, desk.policy.mailbox.as_str()];
    parts.extend([message.message_id.as_str(), message.fingerprint.as_str()]);
    let lists = [&message.to, &message.cc, &message.bcc];
    parts.extend(lists.into_iter().flatten().map(|to| to.address.as_str()));
    let attached: Vec<String> =
        message.attachments.iter().map(|one| format!("{} {}", one.name, one.size)).collect();
    parts.extend(attached.iter().map(String::as_str));
    let text: Vec<&str> = message.text.split_whitespace().collect();
    hashed(parts, text.join(" ").as_bytes())
}

/// It does not leave, and goes back to Drafts; whoever wrote it is told why, or else whoever owns the thread.
fn refuse(
    desk: &Desk<'_>,
    row: &DraftRow,
    writer: Option<AgentId>,
    words: &str,
) -> anyhow::Result<()> {
    desk.tx.set_draft_refused(row.id)?;
    let thread = row.message.map(|message| desk.tx.thread_of_draft(message)).transpose()?.flatten();
    let thread = thread.map(|id| desk.thread(id)).transpose()?;
    let owner = thread.as_ref().and_then(|thread| thread.now.owner.clone());
    let to = writer.or(owner);
    tracing::info!(
        mailbox = desk.policy.mailbox,
        draft = row.id,
        "{}: a draft was not sent, and goes back to Drafts",
        desk.policy.mailbox
    );
    match to {
        Some(to) => {
            let occasion = format!("draft {} given back", row.id);
            tell(desk, &notice::draft_given_back(&to, thread.as_ref(), occasion, words))
        }
        None => Ok(()),
    }
}
