//! Waiting for news: IDLE (RFC 2177), or just time where the server has none.
//!
//! Framed by hand, because async-imap's handle hangs on NO, panics on a bare BAD, restarts its timer at every keepalive and
//! reports a lost connection as an interruption. Whoever waits has opened INBOX and compared its counters first, so
//! nothing that came before is missed; what comes between `IDLE` and `+` counts as news.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use async_imap::imap_proto::{MailboxDatum, RequestId, Response};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Memory;
use super::answer::{Glimpse, Tagged, tagged};
use super::error::Error;
use super::session::{Selected, Session};

/// The folders' counters when each was last looked at.
pub(super) type Looked = BTreeMap<String, Selected>;

/// RFC 2177, section 3, advises to begin IDLE anew at least every 29 minutes. We do it sooner: routers between us and the
/// server forget a silent connection without telling either side.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(9 * 60);
/// How long the server may take to begin IDLE.
const BEGIN_WAIT: Duration = Duration::from_secs(30);
/// How long it may take to end it. A server that is silent here has been silent for long.
const END_WAIT: Duration = Duration::from_secs(10);

/// How long a change of flags or of another folder is left to settle: some clients change a tag by taking all off and
/// putting the new set on, or move by copying and deleting, in several commands.
const HAND_PAUSE: Duration = Duration::from_millis(300);

/// Why the wait ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Rest {
    /// The server told of a change.
    News {
        /// The numbers that messages of the open folder have now whose flags changed.
        marked: Vec<u32>,
    },
    /// The server told how many messages there are now, and of nothing else before that.
    Arrived(u32),
    /// The memory may want something written.
    Nudged,
    /// The time has come to look everywhere.
    Deadline,
    /// The daemon stops.
    Stopped,
}

/// Waits until there may be something to do, at most until `deadline`.
pub(super) async fn wait<M: Memory>(
    session: &mut Session,
    memory: &mut M,
    stop: &mut watch::Receiver<bool>,
    looked: &Looked,
    deadline: Instant,
) -> Result<Rest, Error> {
    if !session.can("IDLE") {
        return Ok(wait_deaf(memory, stop, deadline).await);
    }
    let tag = session.send("IDLE").await?;
    let mut marked = Marked::default();
    let Some(early) = begun(session, looked, &tag, &mut marked).await? else {
        return Ok(wait_deaf(memory, stop, deadline).await);
    };
    let until = deadline.min(Instant::now() + IDLE_MAX);
    if early {
        return news(session, &tag, marked).await;
    }
    loop {
        let said = tokio::select! {
            biased;
            () = stopped(stop) => return end(session, &tag, Rest::Stopped, &mut marked).await,
            () = memory.nudged() => return end(session, &tag, Rest::Nudged, &mut marked).await,
            () = tokio::time::sleep_until(until) => {
                return end(session, &tag, Rest::Deadline, &mut marked).await;
            }
            said = session.read(IDLE_MAX + END_WAIT, |response| said(response, &tag)) => said?,
        };
        marked.hear(&said);
        match said {
            Said::Ended(_) => {
                // If it did so at once again and again, we would run in circles; so IDLE is tried again at the next poll.
                tracing::debug!("the server ended IDLE by itself; waiting for the next poll");
                return Ok(wait_deaf(memory, stop, deadline).await);
            }
            Said::Exists(count) => {
                return end(session, &tag, Rest::Arrived(count), &mut marked).await;
            }
            said if is_news(session, looked, &said) => {
                if !matches!(said, Said::Here(_)) {
                    tokio::time::sleep(HAND_PAUSE).await;
                }
                return news(session, &tag, marked).await;
            }
            _ => {}
        }
    }
}

/// Ends the wait because of news.
async fn news(session: &mut Session, tag: &RequestId, mut marked: Marked) -> Result<Rest, Error> {
    end(session, tag, Rest::Deadline, &mut marked).await?;
    Ok(Rest::News { marked: marked.0.into_iter().collect() })
}

/// The numbers of messages whose flags changed. A number is a place, and moves when a message before it goes.
#[derive(Debug, Default)]
struct Marked(BTreeSet<u32>);

impl Marked {
    fn hear(&mut self, said: &Said) {
        match said {
            Said::Flags(number) => drop(self.0.insert(*number)),
            Said::Here(Some(gone)) => {
                let left = self.0.iter().filter(|number| *number != gone);
                self.0 = left.map(|number| number - u32::from(gone < number)).collect();
            }
            _ => {}
        }
    }
}

/// Waits where the server tells nothing: until `deadline`.
async fn wait_deaf<M: Memory>(
    memory: &mut M,
    stop: &mut watch::Receiver<bool>,
    deadline: Instant,
) -> Rest {
    tokio::select! {
        biased;
        () = stopped(stop) => Rest::Stopped,
        () = memory.nudged() => Rest::Nudged,
        () = tokio::time::sleep_until(deadline) => Rest::Deadline,
    }
}

/// Waits for the `+`. Answers whether news came before it; `None` when the server refuses to idle.
async fn begun(
    session: &mut Session,
    looked: &Looked,
    tag: &RequestId,
    marked: &mut Marked,
) -> Result<Option<bool>, Error> {
    let mut early = false;
    loop {
        let wait = session.owed_within(BEGIN_WAIT);
        let said = session.read(wait, |response| said(response, tag)).await?;
        marked.hear(&said);
        match said {
            Said::Begun => return Ok(Some(early)),
            Said::Ended(answer) => {
                match session.settle("IDLE", answer) {
                    Ok(_) | Err(Error::Refused { .. }) => {}
                    Err(error) => return Err(error),
                }
                // A server that is busy may do it next time.
                tracing::debug!("the server refuses IDLE; waiting for the next poll");
                return Ok(None);
            }
            // Exchange tells of new mail before it says `+`.
            said => early |= is_news(session, looked, &said),
        }
    }
}

async fn end(
    session: &mut Session,
    tag: &RequestId,
    rest: Rest,
    marked: &mut Marked,
) -> Result<Rest, Error> {
    session.send_line("DONE").await?;
    loop {
        let wait = session.owed_within(END_WAIT);
        let said = session.read(wait, |response| said(response, tag)).await?;
        marked.hear(&said);
        if let Said::Ended(answer) = said {
            return session.settle("IDLE", answer).map(|_| rest);
        }
    }
}

/// What a response means to one who waits.
enum Said {
    /// `+`.
    Begun,
    /// The tagged answer.
    Ended(Tagged),
    /// So many messages are in the open folder now.
    Exists(u32),
    /// A message left the open folder; which number it had, if it was told so.
    Here(Option<u32>),
    /// Flags changed of the message with this number in the open folder.
    Flags(u32),
    /// Something may have happened in another folder.
    Elsewhere,
    /// Nothing of interest.
    Nothing,
}

fn said(response: &Response<'_>, tag: &RequestId) -> Said {
    match response {
        Response::Continue(_) => Said::Begun,
        Response::Expunge(number) => Said::Here(Some(*number)),
        Response::Vanished { .. } => Said::Here(None),
        Response::Fetch(number, _) => Said::Flags(*number),
        Response::MailboxData(MailboxDatum::Exists(count)) => Said::Exists(*count),
        Response::MailboxData(MailboxDatum::Status { .. }) => Said::Elsewhere,
        response => tagged(response, tag).map_or(Said::Nothing, Said::Ended),
    }
}

fn is_news(session: &Session, looked: &Looked, said: &Said) -> bool {
    match said {
        Said::Exists(_) | Said::Here(_) | Said::Flags(_) => true,
        // NOTIFY (RFC 5465) tells of other folders by STATUS, also of what we have just done ourselves.
        Said::Elsewhere => news_heard(session, looked),
        Said::Begun | Said::Ended(_) | Said::Nothing => false,
    }
}

/// Whether STATUS lines tell of a watched folder what was not known when it was last looked at.
fn news_heard(session: &Session, looked: &Looked) -> bool {
    let differs = |(name, glimpse): (&String, &Glimpse)| {
        looked.get(name).is_some_and(|known| glimpse.differs(known))
    };
    session.heard.iter().any(differs)
}

/// Waits until the daemon stops, or is gone.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::session;
    use crate::imap::trial::Notebook;

    /// Waits as the watch does, with INBOX and `Sent` known, and answers how it ended and after how long.
    async fn rest(lines: &'static str, nudge: bool) -> (Result<Rest, Error>, Duration, Session) {
        let (mut session, script) = session("IDLE", lines).await;
        let known = Selected { uidvalidity: 1, uidnext: Some(5), exists: 3, ..Selected::default() };
        let looked = Looked::from([("Sent".to_owned(), known)]);
        let (_stop, mut stopped) = watch::channel(false);
        let mut memory = Notebook::default();
        if nudge {
            memory.nudge.notify_one();
        }
        let before = Instant::now();
        let deadline = before + Duration::from_secs(300);
        let rest = wait(&mut session, &mut memory, &mut stopped, &looked, deadline).await;
        let waited = before.elapsed();
        if rest.is_ok() {
            script.played().await;
        }
        (rest, waited, session)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_that_arrives_before_idling_ends_the_wait_at_once() {
        let lines = "C: A0003 IDLE\nS: * 7 EXISTS\nS: + idling\nC: DONE\nS: A0003 OK done";
        let (rest, waited, _) = rest(lines, false).await;
        assert_eq!(rest.unwrap(), Rest::News { marked: vec![] });
        assert_eq!(waited, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_deaf_server_is_left_at_the_deadline_in_spite_of_keepalives() {
        let lines = "C: A0003 IDLE\nS: + idling\nS: * OK Still here\nC: DONE\nS: A0003 OK done";
        let (rest, waited, _) = rest(lines, false).await;
        assert_eq!(rest.unwrap(), Rest::Deadline);
        assert_eq!(waited, Duration::from_secs(300));
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_is_new_of_another_folder_is_news() {
        let lines = "C: A0003 IDLE\nS: + idling\nS: * STATUS Sent (MESSAGES 3 UIDNEXT 5)\n\
                     S: * STATUS Other (MESSAGES 9)\nS: * 0 RECENT\n\
                     S: * STATUS Sent (MESSAGES 4 UIDNEXT 6)\nC: DONE\nS: A0003 OK done";
        let (rest, _, session) = rest(lines, false).await;
        assert_eq!(rest.unwrap(), Rest::News { marked: vec![] });
        assert!(session.heard.contains_key("Sent"));
    }

    #[tokio::test(start_paused = true)]
    async fn flags_are_told_with_the_numbers_that_messages_have_in_the_end() {
        let lines = "C: A0003 IDLE\nS: + idling\nS: * 7 FETCH (FLAGS (\\Seen))\nS: * 3 FETCH (FLAGS ())\n\
                     S: * 2 EXPUNGE\nC: DONE\nS: * 6 EXPUNGE\nS: * 9 FETCH (FLAGS ())\nS: A0003 OK done";
        let (rest, ..) = rest(lines, false).await;
        assert_eq!(rest.unwrap(), Rest::News { marked: vec![2, 9] });
    }

    #[tokio::test(start_paused = true)]
    async fn a_nudge_ends_the_wait() {
        let (rest, waited, _) =
            rest("C: A0003 IDLE\nS: + idling\nC: DONE\nS: A0003 OK done", true).await;
        assert_eq!(rest.unwrap(), Rest::Nudged);
        assert_eq!(waited, Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_refuses_to_idle_is_polled() {
        for refusal in ["C: A0003 IDLE\nS: A0003 NO", "C: A0003 IDLE\nS: A0003 BAD no"] {
            let (rest, waited, session) = rest(refusal, false).await;
            assert_eq!(rest.unwrap(), Rest::Deadline);
            assert_eq!(waited, Duration::from_secs(300));
            assert!(session.can("IDLE"), "it is asked again next time");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_goodbye_and_a_lost_connection_are_told_apart_from_news() {
        let bye = "C: A0003 IDLE\nS: + idling\nS: * BYE Session invalidated - AccessTokenExpired";
        let (gone, _, _) = rest(bye, false).await;
        assert!(gone.unwrap_err().to_string().contains("AccessTokenExpired"));
        let (gone, _, _) = rest("C: A0003 IDLE\nS: + idling", false).await;
        assert!(matches!(gone, Err(Error::Lost { .. })));
    }
}
