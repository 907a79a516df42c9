//! What must hold after every story, and the picture that is shown when something does not.
//!
//! Nothing is missing ([`World::finish`] asks `audit`), the log explains the state (`rebuild`), each message lies
//! where Baton says, the promises of [`super::promise`] were kept, and the daemon ended well.

use std::fmt::Write as _;

use super::secrets::hold_none;
use super::{Line, PATIENCE, Side, World, poll, promise};

/// How many threads are looked at one by one after a story, or printed after a failure.
const MANY: usize = 40;

impl World {
    /// What must hold after every story: nothing is missing, the log explains the state, the promises were kept.
    #[track_caller]
    pub(crate) fn finish(&mut self) {
        self.ends_crashes();
        self.settle();
        let mut last = String::new();
        let balanced = poll(PATIENCE, || {
            let answer = self.baton.says(&["audit"]);
            last = format!("{}{}", answer.out, answer.err);
            (answer.code == 0).then_some(())
        });
        assert!(balanced.is_some(), "the audit finds a gap:\n{last}\n{}", self.picture());
        self.settle();
        let rebuilt = self.baton.says(&["rebuild"]);
        assert_eq!(
            rebuilt.code,
            0,
            "a rebuild differs: {}{}\n{}",
            rebuilt.out,
            rebuilt.err,
            self.picture()
        );
        self.explained();
        self.eventually("every message lies where Baton says", World::everything_is_in_its_place);
        self.stop();
        let log = self.baton.log();
        assert!(!log.contains("panicked at"), "the daemon panicked:\n{}", self.baton.log_tail(60));
        let addresses: Vec<&str> =
            self.mailboxes.iter().map(|shared| shared.address.as_str()).collect();
        hold_none(&self.host.secrets(&addresses), "the log", &log);
        self.promises_kept();
    }

    /// Fails when Baton ever said to a server what it must not say.
    #[track_caller]
    pub(crate) fn promises_kept(&self) {
        for shared in &self.mailboxes {
            let broken = promise::broken(&shared.proxy.recording(), self.setup.mode);
            assert!(
                broken.is_empty(),
                "in {}, Baton broke its promise:\n{}",
                shared.name,
                broken.join("\n")
            );
        }
    }

    /// Every event of every thread says who, when and why, and comes once.
    #[track_caller]
    fn explained(&self) {
        for thread in self.baton.threads().iter().take(MANY) {
            let shown = self.baton.show(thread.id).expect("a thread that is listed can be shown");
            let mut last = 0;
            for event in &shown.events {
                assert!(
                    event.seq > last,
                    "events out of order or doubled in #{}: {event:?}",
                    thread.id
                );
                assert!(!event.actor.is_null() && !event.cause.is_null(), "unexplained: {event:?}");
                assert!(event.at.ends_with('Z'), "not in UTC: {event:?}");
                last = event.seq;
            }
        }
    }

    /// Whether the mailboxes hold each message in the folder that Baton names.
    fn everything_is_in_its_place(&mut self) -> bool {
        let threads = self.baton.threads();
        for index in 0..self.mailboxes.len() {
            let shared = &mut self.mailboxes[index];
            let (name, Ok(mailbox)) = (shared.name, shared.eyes.look()) else { return false };
            for thread in threads.iter().filter(|thread| thread.mailbox == name).take(MANY) {
                let Some(shown) = self.baton.show(thread.id) else { return false };
                for message in shown.messages() {
                    let Some(folder) = &message.folder else { continue };
                    // A mail without Message-ID is known to Baton by another name.
                    let Some(places) = mailbox.get(message.id()) else { continue };
                    if !places.iter().any(|place| place.folder == *folder) {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// How often Baton has changed messages in the mailbox that the story speaks of.
    pub(crate) fn writes(&mut self) -> usize {
        let writes = ["STORE", "MOVE", "COPY", "APPEND", "EXPUNGE"];
        let recording = self.mailbox().proxy.recording();
        let client = recording.iter().filter(|line| line.side == Side::Client);
        let wrote =
            |line: &&Line| line.text.split(' ').skip(1).take(2).any(|word| writes.contains(&word));
        client.filter(wrote).count()
    }

    /// Everything that helps after a failure: threads, events, mailbox, the ends of log and recording.
    pub(crate) fn picture(&mut self) -> String {
        let mut text = String::from("── threads ──\n");
        for thread in self.baton.threads().iter().take(MANY) {
            let Some(shown) = self.baton.show(thread.id) else { continue };
            let _ = writeln!(
                text,
                "#{} {} {:?}: {} {:?} escalated={}",
                shown.id, shown.mailbox, shown.subject, shown.state, shown.owner, shown.escalated
            );
            for message in shown.messages() {
                let _ = writeln!(text, "    {message:?}");
            }
            for event in shown.events.iter().rev().take(20).rev() {
                let (seq, kind, actor, cause) =
                    (event.seq, &event.kind, &event.actor, &event.cause);
                let _ = writeln!(text, "    {seq} {kind} by {actor} cause {cause}");
            }
        }
        for index in 0..self.mailboxes.len() {
            let shared = &mut self.mailboxes[index];
            let _ = writeln!(text, "── mailbox {} ──", shared.name);
            let places = shared.eyes.look().unwrap_or_default();
            for (id, places) in places.iter().take(40) {
                for place in places {
                    let _ = writeln!(
                        text,
                        "    <{id}> {} {} {:?}",
                        place.folder, place.uid, place.flags
                    );
                }
            }
            let recording = shared.proxy.recording();
            let _ = writeln!(text, "── said to {} ──", shared.name);
            for line in &recording[recording.len().saturating_sub(40)..] {
                let arrow = if line.side == Side::Client { '>' } else { '<' };
                let _ = writeln!(text, "    {}{arrow} {}", line.connection, line.text);
            }
        }
        let status = self.baton.says(&["status"]);
        let _ = write!(text, "── status ──\n{}{}", status.out, status.err);
        let _ = write!(text, "── log ──\n{}", self.baton.log_tail(40));
        text
    }
}
