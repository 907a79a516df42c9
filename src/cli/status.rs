//! `baton status`: how each configured mailbox is doing.

use serde::Serialize;

use super::print::{Ink, Out};
use super::table::{Cell, Fit, Table};
use super::time::{age, short};
use super::{Exit, block_on};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon;
use crate::desk::sending::State;
use crate::desk::{budget, wording};
use crate::store::{self, MailboxStatus, OutlookStatus, Reader, SendingRow};

/// How many of the newest mails are looked at for what the provider makes of them.
const RECENT: u32 = 200;

/// Tell whether the daemon runs, and how each mailbox is doing
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Status {
    running: bool,
    /// Why the running daemon cannot keep what happens.
    database_error: Option<String>,
    mailboxes: Vec<Mailbox>,
}

#[derive(Debug, Serialize)]
struct Mailbox {
    name: String,
    connected_since: Option<Timestamp>,
    last_seen_at: Option<Timestamp>,
    queue: i64,
    last_error: Option<String>,
    /// Until when Baton leaves the server alone; null while it does not wait.
    waits_until: Option<Timestamp>,
    /// What holds the mailbox back although it is connected.
    notice: Option<String>,
    /// What came from the server today (UTC), and how much may come, where that is bounded.
    received_today_bytes: u64,
    daily_bytes: Option<u64>,
    /// How Outlook's categories are doing, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Categories>,
    /// What of the login ends soon, and what becomes of mail that is sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Categories {
    last_seen_at: Option<Timestamp>,
    queue: i64,
    /// What works only in part.
    notice: Option<String>,
    last_error: Option<String>,
    /// Whether they are switched off and being taken off the mails.
    leaving: bool,
}

/// Prints the status.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let running = daemon::is_running(&config.state_dir);
    // Before the first start there is nothing to read, which is a status too.
    let (known, outlook, sent) = match Reader::open(&config.state_dir) {
        Ok(reader) => {
            reader.read(|tx| Ok((tx.status()?, tx.outlook_status()?, tx.sendings(RECENT)?)))?
        }
        Err(store::Error::Absent { .. }) => Default::default(),
        Err(error) => return Err(error.into()),
    };
    let now = Clock::system().now();
    let mailboxes = config.mailboxes.iter().map(|mailbox| Mailbox {
        warnings: {
            let mut warnings = super::login::warnings(mailbox, config);
            warnings.extend(of_sent(&mailbox.name, &sent));
            warnings
        },
        daily_bytes: mailbox.daily_bytes,
        categories: categories(&mailbox.name, &outlook),
        ..one(&mailbox.name, &known, running, now)
    });
    // A daemon of which nothing is heard here is not well either, but `running` is what is known of it.
    let trouble = block_on(daemon::trouble(&config.state_dir)).ok().flatten();
    let database_error = trouble.filter(|_| running);
    let status = Status { running, database_error, mailboxes: mailboxes.collect() };
    if args.json {
        out.json(&status)?;
    } else {
        for_people(&status, now, out)?;
    }
    Ok(Exit::Done)
}

fn one(name: &str, known: &[MailboxStatus], running: bool, now: Timestamp) -> Mailbox {
    let row = known.iter().find(|row| row.name == name);
    Mailbox {
        name: name.to_owned(),
        // A daemon that was killed could not write down that it is gone.
        connected_since: row.and_then(|row| row.connected_since).filter(|_| running),
        last_seen_at: row.and_then(|row| row.last_seen_at),
        queue: row.map_or(0, |row| row.queue),
        last_error: row.and_then(last_error),
        waits_until: row.and_then(|row| row.waits_until).filter(|at| running && now < *at),
        notice: row.and_then(|row| row.notice.clone()).filter(|_| running),
        received_today_bytes: row
            .filter(|row| row.received.day == budget::day(now))
            .map_or(0, |row| row.received.bytes),
        daily_bytes: None,
        categories: None,
        warnings: Vec::new(),
    }
}

/// What went wrong with the connection, else what the server would not do.
fn last_error(row: &MailboxStatus) -> Option<String> {
    let not_shown = row.not_shown.as_ref();
    let refused = || {
        not_shown.map(|(thread, words)| {
            format!("the server does not show {thread}, which is tried again: {words}")
        })
    };
    row.last_error.clone().or_else(refused)
}

/// What the provider makes of mail that is sent: what is wrong with the newest, and whose Message-ID it has.
fn of_sent(mailbox: &str, sent: &[SendingRow]) -> Vec<String> {
    let is_sent = |row: &&SendingRow| {
        row.mailbox == mailbox && row.agent.is_some() && matches!(row.state, State::Accepted { .. })
    };
    let Some(newest) = sent.iter().find(is_sent) else { return Vec::new() };
    let ids = newest.given_id.as_ref().map(|_| wording::gives_own_ids());
    newest.last_error.iter().cloned().chain(ids).collect()
}

fn categories(mailbox: &str, known: &[OutlookStatus]) -> Option<Categories> {
    let row = known.iter().find(|row| row.mailbox == mailbox)?;
    Some(Categories {
        last_seen_at: row.seen_at,
        queue: row.queue,
        notice: row.notice.clone(),
        last_error: row.last_error.clone(),
        leaving: row.leaving,
    })
}

/// What there is to say of categories.
fn words(categories: &Categories) -> Option<String> {
    let queue = categories.queue;
    let words = match (&categories.last_error, &categories.notice) {
        (Some(error), _) if categories.leaving => {
            format!("Outlook's categories cannot be taken off: {error}")
        }
        (Some(error), _) => {
            format!("Outlook's categories rest, {queue} thread(s) wait for them: {error}")
        }
        (None, _) if categories.leaving => "Outlook's categories are being taken off".to_owned(),
        (None, Some(notice)) => format!("Outlook's categories: {notice}"),
        (None, None) => return None,
    };
    Some(words)
}

fn for_people(status: &Status, now: Timestamp, out: &mut Out) -> anyhow::Result<()> {
    match status.running {
        true => out.line(format_args!("Baton is running. Times are in UTC."))?,
        false => out.line(format_args!("Baton is not running; `baton run` starts it."))?,
    }
    if let Some(error) = &status.database_error {
        let words = format!("The database cannot be written: {error}.");
        let advice = "Nothing is lost: what happens meanwhile is seen once it can.";
        out.paragraph(0, &format!("{words} {advice}"))?;
    }
    let mut table = Table::new(&[
        ("mailbox", Fit::Keeps),
        ("connected since", Fit::Keeps),
        ("heard", Fit::KeepsRight),
        ("queue", Fit::KeepsRight),
    ]);
    for mailbox in &status.mailboxes {
        let heard = mailbox.last_seen_at.map_or("never".into(), |at| age(at, now));
        table.add(vec![
            Cell::new(Ink::Strong, &mailbox.name),
            match mailbox.connected_since {
                Some(since) => Cell::new(Ink::Good, short(since)),
                None => Cell::new(Ink::Alarm, "not connected"),
            },
            heard.into(),
            mailbox.queue.to_string().into(),
        ]);
    }
    table.print(out)?;
    for mailbox in &status.mailboxes {
        if let Some(error) = &mailbox.last_error {
            out.paragraph(0, &format!("{}: {error}", mailbox.name))?;
        }
        if let Some(until) = mailbox.waits_until {
            let words = format!("{}: waits until {}", mailbox.name, short(until));
            out.paragraph(0, &words)?;
        }
        if let Some(notice) = &mailbox.notice {
            out.paragraph(0, &format!("{}: {notice}", mailbox.name))?;
        }
        if let Some(words) = download(mailbox) {
            out.paragraph(0, &words)?;
        }
        if let Some(words) = mailbox.categories.as_ref().and_then(words) {
            out.paragraph(0, &format!("{}: {words}", mailbox.name))?;
        }
        for warning in &mailbox.warnings {
            out.paragraph(0, &format!("{}: {warning}", mailbox.name))?;
        }
    }
    Ok(())
}

/// How much of a bounded day is used up, once it is worth a word.
fn download(mailbox: &Mailbox) -> Option<String> {
    const MEGABYTE: u64 = 1_000_000;
    let daily = mailbox.daily_bytes?;
    (daily / 2 <= mailbox.received_today_bytes).then(|| {
        let (used, daily) = (mailbox.received_today_bytes / MEGABYTE, daily / MEGABYTE);
        format!("{}: {used} of {daily} MB received today (daily_megabytes)", mailbox.name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Received;

    fn row() -> MailboxStatus {
        MailboxStatus {
            name: "support".into(),
            connected_since: Some(Timestamp(60)),
            last_seen_at: Some(Timestamp(90)),
            queue: 2,
            last_error: None,
            not_shown: None,
            waits_until: Some(Timestamp(200)),
            notice: None,
            received: Received { day: 0, bytes: 7_000_000 },
            layout: None,
        }
    }

    #[test]
    fn nothing_is_connected_without_a_daemon() {
        let at = Timestamp(100);
        assert_eq!(one("support", &[row()], true, at).connected_since, Some(Timestamp(60)));
        let stopped = one("support", &[row()], false, at);
        assert_eq!((stopped.connected_since, stopped.last_seen_at), (None, Some(Timestamp(90))));
    }

    #[test]
    fn a_mailbox_that_was_never_seen_is_in_the_list() {
        let database_error = None;
        let status = Status {
            running: true,
            database_error,
            mailboxes: vec![one("billing", &[row()], true, Timestamp(100))],
        };
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#"{"running":true,"database_error":null,"mailboxes":[{"name":"billing","connected_since":null,"last_seen_at":null,"queue":0,"last_error":null,"waits_until":null,"notice":null,"received_today_bytes":0,"daily_bytes":null}]}"#
        );
    }

    #[test]
    fn a_wait_is_told_while_it_lasts_and_a_day_while_it_is_today() {
        let at = |now| one("support", &[row()], true, Timestamp(now));
        assert_eq!(at(199).waits_until, Some(Timestamp(200)));
        assert_eq!(at(200).waits_until, None);
        assert_eq!((at(0).received_today_bytes, at(86_400).received_today_bytes), (7_000_000, 0));
        let budget = |daily_bytes| download(&Mailbox { daily_bytes, ..at(0) });
        assert_eq!(budget(None), None);
        assert_eq!(budget(Some(15_000_000)), None);
        let told = budget(Some(8_000_000)).unwrap();
        assert_eq!(told, "support: 7 of 8 MB received today (daily_megabytes)");
    }
}
