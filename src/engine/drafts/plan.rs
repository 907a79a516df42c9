//! What a door is to do about drafts and copies that are about to leave, and what it did.

use std::time::Duration;

use crate::desk::draft::{By, Lies, Next, next};
use crate::desk::event::{Actor, Cause, CauseKind};
use crate::desk::label;
use crate::desk::layout::{Layout, same_folder};
use crate::desk::marks::Place;
use crate::desk::notice;
use crate::desk::retry::{Retry, pause};
use crate::engine::Desk;
use crate::engine::drafts::folder_of;
use crate::engine::drafts::hand::{Draft, hand};
use crate::engine::notice::tell;
use crate::engine::stop::stop;
use crate::mail::outgoing::under_another_id;
use crate::store::{DraftRow, Located};

/// How many drafts and copies go into one plan.
const DRAFTS_MAX: u32 = 50;
/// How long something is waited for that was put into a folder, and that the next look there will show.
const LOOK_WAIT: Duration = Duration::from_secs(2);
/// How often it is tried to show what is about to leave: it is only for people to see.
const APPENDS_MAX: u32 = 3;

/// What a door does about one of them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Deed {
    /// Read it whole.
    Read,
    /// Move it to this folder.
    MoveTo(String),
    /// Put these labels on, and take those off.
    Label {
        /// To put on, as words.
        add: Vec<String>,
        /// To take off, as words.
        remove: Vec<String>,
    },
    /// Look for it by its Message-ID.
    Find {
        /// Without angle brackets.
        message_id: String,
    },
    /// Put a copy there.
    Append {
        /// Its Message-ID, where it may be there already: nobody heard what came of an earlier attempt.
        unless_there: Option<String>,
        /// Its bytes.
        mail: Vec<u8>,
    },
    /// Take Baton's copy away.
    Remove {
        /// Its Message-ID.
        message_id: String,
        /// By way of this folder, at Gmail.
        trash: Option<String>,
    },
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum DeedOutcome {
    /// Done; for a move, the target's UIDVALIDITY and the pairs of old and new UID, if the server told.
    Done(Option<(u32, Vec<(u32, u32)>)>),
    /// Nothing was done, and why.
    Failed(String),
    /// What was read; `None` when it is gone.
    Read(Option<Box<Draft>>),
    /// UIDVALIDITY and UID of what was looked for, or put there; `None` when it is not there.
    Lies(Option<(u32, u32)>),
}

/// One deed.
#[derive(Clone, Debug)]
pub struct PlannedDeed {
    /// The folder.
    pub folder: String,
    /// Its UIDVALIDITY when the message was seen.
    pub uidvalidity: u32,
    /// The message, where it is known.
    pub uids: Vec<u32>,
    /// What to do.
    pub deed: Deed,
    draft: i64,
    next: Next,
    located: Option<Located>,
}

/// Deeds, in order.
#[derive(Clone, Debug, Default)]
pub struct PlannedDrafts {
    /// What to do.
    pub deeds: Vec<PlannedDeed>,
}

/// Where the draft lies.
pub(super) fn lies(desk: &Desk<'_>, draft: &DraftRow) -> anyhow::Result<Lies> {
    Ok(match located(desk, draft)? {
        None if draft.placed => Lies::Lost,
        None => Lies::NotYet,
        Some(located) => lies_at(desk, &located)?,
    })
}

fn located(desk: &Desk<'_>, draft: &DraftRow) -> anyhow::Result<Option<Located>> {
    let Some(message) = draft.message else { return Ok(None) };
    Ok(desk.tx.locations_of(message)?.into_iter().next())
}

fn lies_at(desk: &Desk<'_>, located: &Located) -> anyhow::Result<Lies> {
    let place = match &located.folder_place {
        Place::ByLabels => desk.dialect.leaving(desk.policy, &located.flags),
        // It was thrown away.
        place if place.is_away() => None,
        // Where the admin gives the folder another name, what lies in the old one is still where Baton put it.
        place => Some(place.clone()),
    };
    Ok(match place {
        Some(Place::Send) => Lies::Send,
        Some(_) => Lies::Outbox,
        // A label that was deleted has left all drafts at once, and nobody decided anything.
        None if !located.folder_place.is_away() && !is_listed(desk, &Place::Outbox)? => {
            Lies::Outbox
        }
        None => Lies::Aside,
    })
}

fn is_listed(desk: &Desk<'_>, place: &Place) -> anyhow::Result<bool> {
    let name = desk.dialect.folder(desk.policy, place).unwrap_or_default();
    let folders = desk.tx.folders(desk.mailbox)?;
    Ok(folders.iter().any(|folder| folder.listed && same_folder(&folder.name, &name)))
}

/// Plans what is to be done now. What needs no server is done at once.
pub fn plan_drafts(desk: &Desk<'_>) -> anyhow::Result<PlannedDrafts> {
    let mut planned = PlannedDrafts::default();
    if !desk.policy.sending.can {
        // Nothing can leave any more, and nobody stopped it.
        return Ok(planned);
    }
    for draft in desk.tx.drafts_due(desk.mailbox, desk.now, DRAFTS_MAX)? {
        let sending = draft.sending.map(|id| desk.tx.sending(id)).transpose()?.flatten();
        let by = if draft.by_baton { By::Baton } else { By::Person };
        let lies = lies(desk, &draft)?;
        let to_do = next(by, lies, sending.as_ref().map(|row| &row.state), draft.refused);
        match to_do {
            Next::Rest => {}
            Next::Forget => desk.tx.forget_draft(draft.id)?,
            Next::Stop => stopped_by_hand(desk, &draft)?,
            _ => {
                let located = located(desk, &draft)?;
                match deed(desk, &draft, to_do, located.as_ref())? {
                    Some((folder, deed)) => planned.deeds.push(PlannedDeed {
                        folder,
                        uidvalidity: located.as_ref().map_or(0, |located| located.uidvalidity),
                        uids: located.iter().map(|located| located.uid).collect(),
                        deed,
                        draft: draft.id,
                        next: to_do,
                        located,
                    }),
                    None => cannot(desk, &draft, to_do)?,
                }
            }
        }
    }
    Ok(planned)
}

/// What is to be done in which folder; `None` where there is no folder for it.
fn deed(
    desk: &Desk<'_>,
    draft: &DraftRow,
    to_do: Next,
    located: Option<&Located>,
) -> anyhow::Result<Option<(String, Deed)>> {
    let here = located.map(|located| located.folder.clone());
    let labels = desk.dialect.layout == Layout::Labels;
    let message_id = draft.message_id.clone();
    let name = |place: &Place| desk.dialect.folder(desk.policy, place);
    let outbox = name(&Place::Outbox);
    Ok(match to_do {
        Next::Read => here.map(|here| (here, Deed::Read)),
        Next::ToOutbox if labels => {
            here.map(|here| (here, label(outbox, vec![name(&Place::Send)])))
        }
        Next::ToDrafts if labels => {
            here.map(|here| (here, label(None, vec![name(&Place::Send), outbox])))
        }
        Next::ToOutbox => here.zip(outbox.map(Deed::MoveTo)),
        Next::ToDrafts => here.zip(folder_of(desk, "drafts")?.map(Deed::MoveTo)),
        Next::ToTrash => here.zip(folder_of(desk, "trash")?.map(Deed::MoveTo)),
        Next::Find => outbox.map(|outbox| (outbox, Deed::Find { message_id })),
        Next::Append => {
            let raw = draft.sending.map(|id| desk.tx.sending_mail(id)).transpose()?.flatten();
            let mail = raw.map(|raw| under_another_id(&raw, &message_id));
            let unless_there = (0 < draft.attempts).then_some(message_id);
            // Counted before the server is asked, so that a crash is known.
            desk.tx.draft_later(draft.id, desk.now)?;
            outbox.zip(mail.map(|mail| Deed::Append { unless_there, mail }))
        }
        Next::Remove if labels => {
            let trash = folder_of(desk, "trash")?;
            outbox
                .zip(trash)
                .map(|(outbox, trash)| (outbox, Deed::Remove { message_id, trash: Some(trash) }))
        }
        Next::Remove => here.map(|here| (here, Deed::Remove { message_id, trash: None })),
        Next::Rest | Next::Stop | Next::Forget => None,
    })
}

fn label(add: Option<String>, remove: Vec<Option<String>>) -> Deed {
    let word = |name: String| label::word(&name);
    Deed::Label {
        add: add.into_iter().map(word).collect(),
        remove: remove.into_iter().flatten().map(word).collect(),
    }
}

/// There is no folder for what is to be done: it stays where it is, and the log says so.
fn cannot(desk: &Desk<'_>, draft: &DraftRow, to_do: Next) -> anyhow::Result<()> {
    let mailbox = &desk.policy.mailbox;
    let what = match to_do {
        Next::ToTrash => "a draft that has left stays in Baton's Outbox: no folder is the Trash",
        Next::ToDrafts => "a draft that does not leave stays where it is: no folder is Drafts",
        _ => "nothing can be done about a draft that is to leave: a folder of Baton's is missing",
    };
    tracing::warn!(mailbox, draft = draft.id, "{mailbox}: {what}");
    desk.tx.forget_draft(draft.id)?;
    Ok(())
}

/// Writes down what the door did with the deeds of a plan, in their order.
pub fn settle_drafts(
    desk: &Desk<'_>,
    planned: PlannedDrafts,
    outcomes: Vec<DeedOutcome>,
) -> anyhow::Result<()> {
    for (deed, outcome) in planned.deeds.iter().zip(outcomes) {
        let Some(draft) = desk.tx.draft(deed.draft)? else { continue };
        match outcome {
            DeedOutcome::Failed(words) => failed(desk, &draft, deed, &words)?,
            DeedOutcome::Read(None) => desk.tx.forget_draft(draft.id)?,
            DeedOutcome::Read(Some(read)) => hand(desk, &draft, *read)?,
            DeedOutcome::Lies(there) => looked(desk, &draft, deed, there)?,
            DeedOutcome::Done(told) => done(desk, &draft, deed, told.as_ref())?,
        }
    }
    Ok(())
}

fn failed(
    desk: &Desk<'_>,
    draft: &DraftRow,
    deed: &PlannedDeed,
    words: &str,
) -> anyhow::Result<()> {
    let attempts = draft.attempts + 1;
    let mailbox = &desk.policy.mailbox;
    tracing::warn!(
        mailbox,
        draft = draft.id,
        "{mailbox}: {:?} of a draft was refused: {words}",
        deed.next
    );
    if deed.next == Next::Append && APPENDS_MAX <= attempts {
        return Ok(desk.tx.forget_draft(draft.id)?);
    }
    Ok(desk.tx.draft_later(draft.id, desk.now + pause(Retry::Later, attempts, 0.0))?)
}

/// It was looked for, or put there.
fn looked(
    desk: &Desk<'_>,
    draft: &DraftRow,
    deed: &PlannedDeed,
    there: Option<(u32, u32)>,
) -> anyhow::Result<()> {
    if deed.next == Next::Append {
        return appended(desk, draft, deed, there);
    }
    let Some((uidvalidity, uid)) = there else {
        return stopped_by_hand(desk, draft);
    };
    let folder = desk.tx.folder(desk.mailbox, &deed.folder)?;
    let folder = folder.filter(|folder| folder.uidvalidity == uidvalidity);
    let known = folder.map(|folder| desk.tx.location(folder.id, uid)).transpose()?.flatten();
    match known {
        Some(located) => Ok(desk.tx.set_draft_seen(draft.id, located.message)?),
        // The next look into the folder will meet it.
        None => Ok(desk.tx.draft_later(draft.id, desk.now + LOOK_WAIT)?),
    }
}

/// A copy was put there. Where it lies is written down, if the server tells; else the next look will meet it.
fn appended(
    desk: &Desk<'_>,
    draft: &DraftRow,
    deed: &PlannedDeed,
    there: Option<(u32, u32)>,
) -> anyhow::Result<()> {
    desk.tx.set_draft_placed(draft.id, desk.now + LOOK_WAIT)?;
    let folder = desk.tx.folder(desk.mailbox, &deed.folder)?;
    let (Some(folder), Some((uidvalidity, uid))) = (folder, there) else { return Ok(()) };
    let is_watched = desk.dialect.layout != Layout::Labels;
    if !is_watched || folder.uidvalidity != uidvalidity {
        return Ok(());
    }
    let key = super::row_of_copy(desk, &folder, uid, &draft.message_id)?;
    desk.tx.set_location(folder.id, uid, key, &["\\Draft".to_owned()])?;
    Ok(desk.tx.set_draft_seen(draft.id, key)?)
}

fn done(
    desk: &Desk<'_>,
    draft: &DraftRow,
    deed: &PlannedDeed,
    told: Option<&(u32, Vec<(u32, u32)>)>,
) -> anyhow::Result<()> {
    let is_over = matches!(deed.next, Next::ToTrash | Next::ToDrafts | Next::Remove);
    if let Some(located) = &deed.located {
        match &deed.deed {
            Deed::MoveTo(target) => moved(desk, located, target, told)?,
            Deed::Label { add, remove } => labelled(desk, located, add, remove)?,
            _ => {}
        }
    }
    match is_over {
        true => Ok(desk.tx.forget_draft(draft.id)?),
        false => Ok(desk.tx.set_draft_placed(draft.id, desk.now)?),
    }
}

/// It lies under another UID now; where nobody told which, the next look into the folder will meet it.
fn moved(
    desk: &Desk<'_>,
    located: &Located,
    target: &str,
    told: Option<&(u32, Vec<(u32, u32)>)>,
) -> anyhow::Result<()> {
    let Some(now) = desk.tx.location(located.folder_id, located.uid)? else { return Ok(()) };
    desk.tx.remove_location(located.folder_id, located.uid)?;
    let Some(folder) = desk.tx.folder(desk.mailbox, target)? else { return Ok(()) };
    let Some((uidvalidity, pairs)) = told else { return Ok(()) };
    let new = pairs.iter().find(|(old, _)| *old == located.uid);
    if let Some((_, uid)) = new.filter(|_| folder.uidvalidity == *uidvalidity) {
        desk.tx.set_location(folder.id, *uid, located.message, &now.flags)?;
    }
    Ok(())
}

fn labelled(
    desk: &Desk<'_>,
    located: &Located,
    add: &[String],
    remove: &[String],
) -> anyhow::Result<()> {
    let Some(now) = desk.tx.location(located.folder_id, located.uid)? else { return Ok(()) };
    let mut flags: Vec<String> =
        now.flags.into_iter().filter(|flag| !remove.contains(flag)).collect();
    flags.extend(add.iter().filter(|word| !flags.contains(word)).cloned().collect::<Vec<_>>());
    Ok(desk.tx.set_location(located.folder_id, located.uid, located.message, &flags)?)
}

/// A person took it out of Baton/Outbox: the mail is stopped, unless it lies there once more, or it is too late.
fn stopped_by_hand(desk: &Desk<'_>, draft: &DraftRow) -> anyhow::Result<()> {
    desk.tx.forget_draft(draft.id)?;
    let Some(sending) = draft.sending.map(|id| desk.tx.sending(id)).transpose()?.flatten() else {
        return Ok(());
    };
    for other in desk.tx.drafts_of(sending.id)? {
        if !matches!(lies(desk, &other)?, Lies::Lost | Lies::NotYet) {
            return Ok(());
        }
    }
    let cause = Cause::new(CauseKind::Gesture, "taken out of Baton's Outbox");
    let stopped = stop(desk, &sending, Actor::Someone, cause)?;
    if stopped.is_ok()
        && let Some(agent) = &sending.agent
    {
        let thread = sending.thread.map(|id| desk.thread(id)).transpose()?;
        tell(desk, &notice::answer_stopped(agent, thread.as_ref(), sending.id))?;
    }
    Ok(())
}
