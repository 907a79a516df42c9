//! Writing down an event, with everything that must be kept together with it.

use crate::desk::event::{Event, NewEvent, What};
use crate::desk::marks::wanted_marks;
use crate::desk::thread::{State, Thread};
use crate::engine::{Desk, card};
use crate::store::Effect;

/// Appends the event, folds it into the thread (and the other one), moves messages, and wishes for what must be shown.
pub(super) fn record(desk: &Desk<'_>, thread: &mut Thread, new: NewEvent) -> anyhow::Result<Event> {
    let event = desk.tx.append(desk.mailbox, thread.id, new, desk.now)?;
    thread.apply(&event);
    desk.tx.save_thread(thread)?;
    let joins = event.joins();
    let why = joined_by(&event);
    for (message, target) in &joins {
        desk.tx.join(*message, *target, &why)?;
    }
    if let Some(other) = event.other {
        let mut other = desk.thread(other)?;
        other.apply(&event);
        desk.tx.save_thread(&other)?;
        desk.tx.wish(desk.mailbox, other.id, Effect::ShowMarks, desk.now)?;
    }
    let joined = !joins.is_empty() && (shows_anything(desk, thread) || brings_known(&event));
    if event.change.shows() || joined {
        desk.tx.wish(desk.mailbox, thread.id, Effect::ShowMarks, desk.now)?;
    }
    card::send(desk, thread, &event)?;
    tracing::debug!(thread = thread.id.0, seq = event.seq, "{}: {}", thread.id, event.what.kind());
    Ok(event)
}

/// Whether a message of the thread looks different from a mail that nobody touched, or is not where a rule of the server put
/// it: a new mail may be left in the archive, that of a thread in progress may not.
fn shows_anything(desk: &Desk<'_>, thread: &Thread) -> bool {
    !wanted_marks(&thread.now, desk.dialect.flags).is_empty() || thread.now.state != State::New
}

/// Whether mails came to the thread that were there before, so that somebody may have moved or marked them.
fn brings_known(event: &Event) -> bool {
    match &event.what {
        What::Opened { adopted, .. } => !adopted.is_empty(),
        What::Merged { .. } | What::Split { .. } | What::Undone { .. } => true,
        _ => false,
    }
}

fn joined_by(event: &Event) -> String {
    match &event.what {
        What::Opened { joined_by, .. }
        | What::CustomerWrote { joined_by, .. }
        | What::InternalWrote { joined_by, .. }
        | What::MachineWrote { joined_by, .. }
        | What::OwnWrote { joined_by, .. }
        | What::Replied { joined_by, .. } => joined_by.clone(),
        What::Merged { .. } => format!("merged by {} (event {})", event.actor, event.seq),
        What::Split { .. } => format!("split off by {} (event {})", event.actor, event.seq),
        other => format!("{} by {} (event {})", other.kind(), event.actor, event.seq),
    }
}
