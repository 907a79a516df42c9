//! One mailbox's categories in Outlook: a task of its own beside the lane, so that a failure of Graph never disturbs IMAP.
//!
//! It begins again with growing pauses, or after as long as Graph says, and tells `baton status` why. Where categories are
//! switched off it takes Baton's off, and is done. The work itself is [`session`]'s.

mod session;

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::session::{Failed, Session};
use crate::config::{self, Login, OAuth2};
use crate::daemon::{Mode, Shared};
use crate::desk::retry::{Retry, pause};

/// A session that held this long was a good one: the next failure counts as the first.
const STABLE_AFTER: Duration = Duration::from_secs(120);

/// Shows threads as categories and reads people's changes until `stopped` says true.
pub(crate) async fn run(
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    mut stopped: watch::Receiver<bool>,
) {
    let oauth = match (&mailbox.imap.login, was_on(&shared, &mailbox.name).await) {
        (Login::OAuth2(oauth), was_on) if mailbox.categories || was_on => oauth.clone(),
        (Login::Password(_), true) => {
            return stay(&shared, &mailbox.name, "it takes no password").await;
        }
        _ => return,
    };
    if !mailbox.categories && shared.mode == Mode::Shadow {
        return;
    }
    let mut failures = 0_u32;
    let mut reloaded = shared.policies.subscribe();
    while !*stopped.borrow() {
        reloaded.mark_unchanged();
        let begun = shared.clock.now();
        // A task of its own: whatever happens in it, it is begun again. It ends with this one.
        let mut task = JoinSet::new();
        task.spawn(one_session(Arc::clone(&shared), mailbox.clone(), oauth.clone()));
        let ended = tokio::select! {
            ended = task.join_next() => ended,
            // What is being written now is seen again at the next start.
            _ = stopped.changed() => return,
        };
        let Failed(error, retry) = match ended {
            Some(Ok(Ok(()))) | None => return,
            Some(Ok(Err(failed))) => failed,
            Some(Err(_)) => {
                Failed(anyhow!("an answer of Graph could not be understood"), Retry::Later)
            }
        };
        if !mailbox.categories && retry == Retry::Never {
            return stay(&shared, &mailbox.name, &format!("{error:#}")).await;
        }
        if shared.clock.now().since(begun) > STABLE_AFTER {
            failures = 0;
        }
        failures = failures.saturating_add(1);
        let wait = pause(retry, failures, 0.0);
        tell(&shared, &mailbox.name, &error, retry, wait).await;
        tokio::select! {
            () = tokio::time::sleep(wait) => (),
            _ = stopped.changed() => return,
            // Whoever reloads may have just given a permission.
            _ = reloaded.changed() => failures = 0,
        }
    }
}

async fn one_session(
    shared: Arc<Shared>,
    mailbox: config::Mailbox,
    oauth: Box<OAuth2>,
) -> Result<(), Failed> {
    let is_on = mailbox.categories;
    let mut session = Session::new(shared, mailbox, &oauth)?;
    if is_on { session.watch().await } else { session.leave().await }
}

/// Whether the mailbox's mails may carry categories of Baton's.
async fn was_on(shared: &Shared, mailbox: &str) -> bool {
    let name = mailbox.to_owned();
    let known = shared.store.write(move |tx| {
        let mailbox = tx.mailbox(&name)?;
        Ok(tx.outlook(mailbox)?.is_some())
    });
    known.await.unwrap_or_else(|error| {
        tracing::error!(mailbox, "Cannot look up the categories of {mailbox}: {error:#}");
        false
    })
}

/// The categories cannot be taken off any more, and stay where they are.
async fn stay(shared: &Shared, mailbox: &str, why: &str) {
    tracing::error!(
        mailbox,
        "{mailbox}: Baton's categories stay on the mails, since Graph is closed to it: {why}"
    );
    let name = mailbox.to_owned();
    let forgotten = shared.store.write(move |tx| {
        let mailbox = tx.mailbox(&name)?;
        tx.leave_categories(mailbox)?;
        Ok(tx.forget_categories(mailbox)?)
    });
    if let Err(error) = forgotten.await {
        tracing::error!(mailbox, "Cannot forget the categories of {mailbox}: {error:#}");
    }
}

async fn tell(shared: &Shared, mailbox: &str, error: &anyhow::Error, retry: Retry, wait: Duration) {
    let seconds = wait.as_secs();
    let words = format!("{mailbox}: Outlook's categories: {error:#}; trying again in {seconds}s");
    if retry == Retry::Never {
        tracing::error!(mailbox, "{words}");
    } else {
        tracing::warn!(mailbox, "{words}");
    }
    let (name, words) = (mailbox.to_owned(), format!("{error:#}"));
    let written = shared.store.write(move |tx| {
        let mailbox = tx.mailbox(&name)?;
        Ok(tx.set_outlook_error(mailbox, &words)?)
    });
    if let Err(error) = written.await {
        tracing::error!(mailbox, "Cannot write down the state of {mailbox}: {error:#}");
    }
}
