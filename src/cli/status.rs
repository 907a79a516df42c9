//! `baton status`: how each configured mailbox is doing.

use serde::Serialize;

use super::print::{Ink, Out};
use super::table::{Cell, Fit, Table};
use super::time::{age, short};
use super::{Exit, block_on};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::daemon;
use crate::store::{self, MailboxStatus, OutlookStatus, Reader};

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
    /// How Outlook's categories are doing, where they are shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Categories>,
    /// What of the login ends soon.
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
    let (known, outlook) = match Reader::open(&config.state_dir) {
        Ok(reader) => reader.read(|tx| Ok((tx.status()?, tx.outlook_status()?)))?,
        Err(store::Error::Absent { .. }) => (Vec::new(), Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mailboxes = config.mailboxes.iter().map(|mailbox| Mailbox {
        warnings: super::login::warnings(mailbox, config),
        categories: categories(&mailbox.name, &outlook),
        ..one(&mailbox.name, &known, running)
    });
    // A daemon of which nothing is heard here is not well either, but `running` is what is known of it.
    let trouble = block_on(daemon::trouble(&config.state_dir)).ok().flatten();
    let database_error = trouble.filter(|_| running);
    let status = Status { running, database_error, mailboxes: mailboxes.collect() };
    if args.json {
        out.json(&status)?;
    } else {
        for_people(&status, Clock::system().now(), out)?;
    }
    Ok(Exit::Done)
}

fn one(name: &str, known: &[MailboxStatus], running: bool) -> Mailbox {
    let row = known.iter().find(|row| row.name == name);
    Mailbox {
        name: name.to_owned(),
        // A daemon that was killed could not write down that it is gone.
        connected_since: row.and_then(|row| row.connected_since).filter(|_| running),
        last_seen_at: row.and_then(|row| row.last_seen_at),
        queue: row.map_or(0, |row| row.queue),
        last_error: row.and_then(|row| row.last_error.clone()),
        categories: None,
        warnings: Vec::new(),
    }
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
        if let Some(words) = mailbox.categories.as_ref().and_then(words) {
            out.paragraph(0, &format!("{}: {words}", mailbox.name))?;
        }
        for warning in &mailbox.warnings {
            out.paragraph(0, &format!("{}: {warning}", mailbox.name))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> MailboxStatus {
        MailboxStatus {
            name: "support".into(),
            connected_since: Some(Timestamp(60)),
            last_seen_at: Some(Timestamp(90)),
            queue: 2,
            last_error: None,
            layout: None,
        }
    }

    #[test]
    fn nothing_is_connected_without_a_daemon() {
        assert_eq!(one("support", &[row()], true).connected_since, Some(Timestamp(60)));
        let stopped = one("support", &[row()], false);
        assert_eq!((stopped.connected_since, stopped.last_seen_at), (None, Some(Timestamp(90))));
    }

    #[test]
    fn a_mailbox_that_was_never_seen_is_in_the_list() {
        let database_error = None;
        let status = Status {
            running: true,
            database_error,
            mailboxes: vec![one("billing", &[row()], true)],
        };
        assert_eq!(
            serde_json::to_string(&status).unwrap(),
            r#"{"running":true,"database_error":null,"mailboxes":[{"name":"billing","connected_since":null,"last_seen_at":null,"queue":0,"last_error":null}]}"#
        );
    }
}
