//! Asks everybody, one after the other, and has what was found judged.
//!
//! At most one connection to each server is open at a time, with a probe two: it may run beside the daemon, which has one
//! of its own.

use super::check::Check;
use super::submit::{self, Probe};
use super::{folders, letter, limits, login, machine, probe, reach, sending, server};
use crate::clock::{Clock, Timestamp};
use crate::config::{Config, Mailbox};
use crate::daemon::{self, Key};
use crate::imap::checkup::{self, Visit};
use crate::imap::connect::{Access, Settings};
use crate::imap::rehearsal::rehearse;
use crate::tls::Language;

/// How far to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Depth {
    /// Nothing is changed anywhere.
    Look,
    /// A message of our own is put into the mailbox and removed again.
    Probe,
}

/// Examines one mailbox.
pub async fn examine(mailbox: &Mailbox, config: &Config, depth: Depth) -> Vec<Check> {
    let now = Clock::system().now();
    let mut mailbox = mailbox.clone();
    mailbox.policy.key = daemon::mail_key(&config.state_dir);
    let mailbox = &mailbox;
    let machine = machine::look(mailbox, config).await;
    let mut checks = machine::checks(&machine);

    let way = reach::look(&mailbox.imap, Language::Imap).await;
    let mut sheet = super::check::Sheet::new(super::Theme::Reach);
    reach::judge(&way, &reach::IMAP, now, &mut sheet);
    checks.extend(sheet.done());

    let key = Key::new(mailbox, &config.state_dir);
    let settings = daemon::settings(mailbox, &key, Access::ReadWrite);
    let mut entered = login::enter(&key, mailbox).await;
    let visit = visit(&mut entered, way.is_open(), &settings, &key).await;
    checks.extend(login::checks(&entered, mailbox, now));
    let decided = visit.as_ref().map(|visit| folders::layout_of(mailbox, visit));
    let layout = decided.and_then(Result::ok).map(|(layout, _)| layout);
    checks.extend(server::checks(visit.as_ref().map(|visit| &visit.server), layout));
    checks.extend(folders::checks(mailbox, visit.as_ref()));
    checks.extend(limits::checks(mailbox, machine.agents, visit.as_ref()));

    let trial = rehearsed(mailbox, &settings, visit.as_ref(), depth, now).await;
    checks.extend(probe::checks(&trial));
    checks.extend(sent(mailbox, &settings, visit.as_ref(), &key, depth).await);
    checks
}

async fn visit(
    entered: &mut login::Entered,
    is_open: bool,
    settings: &Settings,
    key: &Key,
) -> Option<Visit> {
    if matches!(entered.token, Some(Err(_))) {
        entered.door = login::Door::NotTried("there is no token");
        return None;
    }
    if !is_open {
        return None;
    }
    match checkup::visit(settings).await {
        Ok(visit) => {
            entered.door = login::Door::Open;
            Some(visit)
        }
        Err(halt) => {
            entered.door = login::of_halt(halt, key);
            None
        }
    }
}

/// Why no probe is made.
const NO_PROBE: &str = "only with --probe";

async fn rehearsed(
    mailbox: &Mailbox,
    settings: &Settings,
    visit: Option<&Visit>,
    depth: Depth,
    now: Timestamp,
) -> probe::Trial {
    let skipped = |why: &str| probe::Trial::Skipped(why.to_owned());
    let visit = match (depth, visit) {
        (Depth::Look, _) => return skipped(NO_PROBE),
        (Depth::Probe, None) => return skipped("the mailbox was not opened"),
        (Depth::Probe, Some(visit)) => visit,
    };
    let Ok((layout, _)) = folders::layout_of(mailbox, visit) else {
        return skipped("there is no layout");
    };
    let letter = match letter::write(&mailbox.address, &mailbox.policy.key, now) {
        Ok(letter) => letter,
        Err(error) => return probe::Trial::Skipped(error.to_string()),
    };
    let plan = match probe::plan(mailbox, visit, layout, &letter) {
        Ok(plan) => plan,
        Err(why) => return probe::Trial::Skipped(why),
    };
    match rehearse(settings, &plan).await {
        Ok(told) => probe::Trial::Done(Box::new(told)),
        Err(error) => probe::Trial::Lost(error.to_string()),
    }
}

async fn sent(
    mailbox: &Mailbox,
    settings: &Settings,
    visit: Option<&Visit>,
    key: &Key,
    depth: Depth,
) -> Vec<Check> {
    let now = Clock::system().now();
    let Some(server) = &mailbox.smtp else { return sending::absent() };
    let letter = letter::write(&mailbox.address, &mailbox.policy.key, now);
    let probe = match (depth, visit, &letter) {
        (Depth::Look, ..) => Err(NO_PROBE.to_owned()),
        (Depth::Probe, None, _) => Err("the mailbox was not opened".to_owned()),
        (Depth::Probe, _, Err(error)) => Err(error.to_string()),
        (Depth::Probe, Some(visit), Ok(letter)) => Ok(Probe { settings, visit, letter }),
    };
    let told = submit::go(mailbox, server, key, probe).await;
    sending::checks(&told, mailbox, server, key, now)
}
