//! The leak guard: what was written for the team never leaves in an answer without a person saying so.
//!
//! Of every mail of a thread the runs of words are kept as numbers ([`crate::mail::shingles`]), whatever `keep_text` says: they
//! tell nothing to who has only them. What the team wrote inside counts against an answer, unless the customer knows it:
//! it stands in a mail of theirs or in one that was sent to them, or it is in answers of late, as a signature is.

use crate::desk::answer::Verdict;
use crate::desk::event::{NewEvent, What};
use crate::desk::policy::KeepText;
use crate::desk::thread::{MessageKey, ThreadId};
use crate::desk::wording;
use crate::engine::Desk;
use crate::engine::hand_in::HandedIn;
use crate::mail::message::Message;
use crate::mail::shingles::{Shingles, first_leak};

/// How many runs of a mail that was written inside are kept: no run of a note may be missing.
const INSIDE_MAX: usize = 50_000;
/// How many runs of another mail are kept; what is missing asks a person one time too often.
const OUTSIDE_MAX: usize = 2_000;
/// How many of the newest answers tell what is in all of them.
const ANSWERS_LATELY: u32 = 30;

/// Keeps what a mail says that has come into a thread, by what it was for the thread.
pub(super) fn keep(
    desk: &Desk<'_>,
    key: MessageKey,
    events: &[NewEvent],
    message: &Message,
) -> anyhow::Result<()> {
    let is_inside = |event: &NewEvent| matches!(event.what, What::InternalWrote { .. });
    match events.iter().any(is_inside) {
        true => keep_inside(desk, key, message),
        false => keep_outside(desk, key, message),
    }
}

/// Keeps what one of the team wrote for the team. What it quotes was written by others, and is judged with their mail.
pub(super) fn keep_inside(
    desk: &Desk<'_>,
    key: MessageKey,
    message: &Message,
) -> anyhow::Result<()> {
    let runs = Shingles::of(&message.new_text, &desk.policy.key, INSIDE_MAX);
    kept(desk, key, true, &runs)
}

/// Keeps what the customer knows.
pub(super) fn keep_outside(
    desk: &Desk<'_>,
    key: MessageKey,
    message: &Message,
) -> anyhow::Result<()> {
    let runs = Shingles::of(&message.text, &desk.policy.key, OUTSIDE_MAX);
    kept(desk, key, false, &runs)
}

fn kept(desk: &Desk<'_>, key: MessageKey, inside: bool, runs: &Shingles) -> anyhow::Result<()> {
    if !runs.is_empty() {
        desk.tx.keep_shingles(key, inside, runs)?;
    }
    Ok(())
}

/// Stops an answer that holds what was written inside, with a question, whatever else is thought of it.
pub(super) fn guard(
    desk: &Desk<'_>,
    thread: Option<ThreadId>,
    mail: &HandedIn,
    verdict: Verdict,
) -> anyhow::Result<Verdict> {
    let outside =
        |address: &str| !desk.policy.is_own(address) && desk.policy.agent_at(address).is_none();
    let leaves_the_team = mail.to.iter().any(|to| outside(&to.address));
    let (Some(thread), true) = (thread, leaves_the_team) else { return Ok(verdict) };
    if matches!(verdict, Verdict::Refused(_)) {
        return Ok(verdict);
    }
    let inside = desk.tx.shingles_of(thread, true)?;
    if inside.is_empty() {
        return Ok(verdict);
    }
    let mut known = desk.tx.shingles_of(thread, false)?;
    known.extend(desk.tx.shingles_sent_lately(desk.mailbox, ANSWERS_LATELY)?);
    let Some(run) = first_leak(&mail.message.text, &desk.policy.key, &inside, &known) else {
        return Ok(verdict);
    };
    let run = (desk.policy.keep_text == KeepText::Excerpt).then_some(run);
    let words = wording::hygiene::leaks(run);
    Ok(Verdict::Held(match verdict {
        Verdict::Held(other) => format!("{other} {words}"),
        _ => words,
    }))
}
