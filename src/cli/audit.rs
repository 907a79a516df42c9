//! `baton audit`: proof that every message on the server is accounted for.
//!
//! The server is asked first and the store afterwards, folder by folder. The daemon may be in the middle of reading, so a
//! gap counts only when it is still there after some looks.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::explain::sentence;
use super::print::{Ink, Out, plain};
use super::table::{Cell, Fit, Table};
use super::{Exit, block_on, reader};
use crate::config::{Config, Mailbox};
use crate::daemon;
use crate::desk::layout::Layout;
use crate::engine::{self, Account, FolderAccount};
use crate::imap::connect::{Access, Settings};
use crate::imap::probe;
use crate::store::Reader;

/// How often a mailbox with a gap is looked at before it is reported.
const LOOKS: u32 = 4;
/// The pause before the next look.
const PAUSE: Duration = Duration::from_secs(1);
/// How many UIDs are named to people, ranges counting once.
const NAMED_MAX: usize = 20;

/// Prove that every message on the server is accounted for; exit code 1 if one is not
///
/// For each folder: the messages on the server are those in threads, those from before the cut-over (history), our own that
/// answer no thread, those ignored for a reason, and those that cannot be read. It reads only, and works while the daemon runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this mailbox
    #[arg(long, value_name = "NAME")]
    mailbox: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    complete: bool,
    mailboxes: Vec<MailboxReport>,
}

#[derive(Debug, Serialize)]
struct MailboxReport {
    name: String,
    complete: bool,
    error: Option<String>,
    folders: Vec<FolderReport>,
}

#[derive(Debug, Serialize)]
struct FolderReport {
    folder: String,
    complete: bool,
    on_server: usize,
    threaded: usize,
    history: usize,
    own: usize,
    ignored: usize,
    ignored_because: BTreeMap<String, usize>,
    unreadable: usize,
    unknown: Vec<u32>,
    surplus: Vec<u32>,
}

/// Compares server and store, and prints the account.
pub(super) fn run(args: &Args, config: &Config, out: &mut Out) -> anyhow::Result<Exit> {
    let reader = reader(config)?;
    if let Some(name) = &args.mailbox {
        super::threads::must_exist(name, config)?;
    }
    let wanted =
        |mailbox: &&Mailbox| args.mailbox.as_ref().is_none_or(|name| *name == mailbox.name);
    let mut mailboxes = Vec::new();
    for mailbox in config.mailboxes.iter().filter(wanted) {
        let report =
            block_on(audited(mailbox, config, &reader)).unwrap_or_else(|error| MailboxReport {
                name: mailbox.name.clone(),
                complete: false,
                error: Some(sentence(&error)),
                folders: Vec::new(),
            });
        if !args.json {
            print(&report, out)?;
        }
        mailboxes.push(report);
    }
    let complete = mailboxes.iter().all(|mailbox| mailbox.complete);
    if args.json {
        out.json(&Report { complete, mailboxes })?;
    } else if complete {
        out.line(format_args!("Every message is accounted for."))?;
    }
    Ok(if complete { Exit::Done } else { Exit::Refused })
}

async fn audited(
    mailbox: &Mailbox,
    config: &Config,
    reader: &Reader,
) -> anyhow::Result<MailboxReport> {
    let key = daemon::Key::new(mailbox, &config.state_dir);
    let settings = daemon::settings(mailbox, &key, Access::ReadOnly);
    let mut folders = look(mailbox, &settings, reader).await?;
    for _ in 1..LOOKS {
        if folders.iter().all(|folder| folder.complete) {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        folders = look(mailbox, &settings, reader).await?;
    }
    let complete = folders.iter().all(|folder| folder.complete);
    Ok(MailboxReport { name: mailbox.name.clone(), complete, error: None, folders })
}

async fn look(
    mailbox: &Mailbox,
    settings: &Settings,
    reader: &Reader,
) -> anyhow::Result<Vec<FolderReport>> {
    let layout = reader.read(|tx| match tx.mailbox_id(&mailbox.name)? {
        Some(_) => Ok(tx.mailbox_row(&mailbox.name)?.layout),
        None => Ok(mailbox.layout.fixed()),
    })?;
    let on_server = probe::uids(settings, layout == Some(Layout::Labels)).await?;
    reader.read(|tx| {
        // Nothing is known of a mailbox that was never seen, so everything in it is missing here.
        let id = tx.mailbox_id(&mailbox.name)?.unwrap_or_default();
        let mut reports = Vec::new();
        for (folder, uidvalidity, uids) in &on_server {
            let account = engine::account(tx, id, &folder.name, *uidvalidity, uids)?;
            reports.push(FolderReport::of(&folder.name, uids.len(), account));
        }
        for known in tx.folders(id)? {
            if on_server.iter().any(|(folder, ..)| folder.name == known.name) {
                continue;
            }
            let account = engine::account(tx, id, &known.name, known.uidvalidity, &[])?;
            if !account.surplus.is_empty() {
                reports.push(FolderReport::of(&known.name, 0, account));
            }
        }
        Ok(reports)
    })
}

impl FolderReport {
    fn of(folder: &str, on_server: usize, account: FolderAccount) -> FolderReport {
        let count = |sort: Account| account.counts.get(&sort).copied().unwrap_or(0);
        FolderReport {
            folder: folder.to_owned(),
            complete: account.unknown.is_empty() && account.surplus.is_empty(),
            on_server,
            threaded: count(Account::Threaded),
            history: count(Account::History),
            own: count(Account::Own),
            ignored: count(Account::Ignored),
            unreadable: count(Account::Unreadable),
            ignored_because: account.reasons,
            unknown: account.unknown,
            surplus: account.surplus,
        }
    }
}

fn print(report: &MailboxReport, out: &mut Out) -> anyhow::Result<()> {
    let name = out.painted(Ink::Strong, &report.name);
    out.line(format_args!("{name}"))?;
    if let Some(error) = &report.error {
        return out.paragraph(0, &plain(error));
    }
    let mut table = Table::new(&[
        ("folder", Fit::GivesWay),
        ("on server", Fit::KeepsRight),
        ("= threaded", Fit::KeepsRight),
        ("+ history", Fit::KeepsRight),
        ("+ own", Fit::KeepsRight),
        ("+ ignored", Fit::KeepsRight),
        ("+ unreadable", Fit::KeepsRight),
        ("", Fit::Keeps),
    ]);
    let is_empty = |folder: &&FolderReport| folder.complete && folder.on_server == 0;
    let empty = report.folders.iter().filter(is_empty).count();
    for folder in report.folders.iter().filter(|folder| !is_empty(folder)) {
        let counts = [
            folder.on_server,
            folder.threaded,
            folder.history,
            folder.own,
            folder.ignored,
            folder.unreadable,
        ];
        let mut cells: Vec<Cell> = vec![folder.folder.as_str().into()];
        cells.extend(counts.map(|count| count.to_string().into()));
        let verdict = if folder.complete { (Ink::Good, "ok") } else { (Ink::Alarm, "gap") };
        cells.push(Cell::new(verdict.0, verdict.1));
        table.add(cells);
    }
    table.print(out)?;
    if empty > 0 {
        out.paragraph(0, &format!("Folders without a message: {empty}"))?;
    }
    for folder in &report.folders {
        print_details(folder, out)?;
    }
    Ok(())
}

fn print_details(folder: &FolderReport, out: &mut Out) -> anyhow::Result<()> {
    let name = plain(&folder.folder);
    for (reason, count) in &folder.ignored_because {
        out.paragraph(2, &format!("{name}: {count} ignored: {}", plain(reason)))?;
    }
    if !folder.unknown.is_empty() {
        let (count, uids) = (folder.unknown.len(), ranges(&folder.unknown));
        let words = format!("{name}: {count} on the server are not known here: UID {uids}");
        out.paragraph(2, &words)?;
    }
    if !folder.surplus.is_empty() {
        let (count, uids) = (folder.surplus.len(), ranges(&folder.surplus));
        let words = format!("{name}: {count} known here are not on the server: UID {uids}");
        out.paragraph(2, &words)?;
    }
    Ok(())
}

/// Sorted numbers with neighbours joined, as IMAP writes them: `3:5, 9`.
fn ranges(uids: &[u32]) -> String {
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for uid in uids {
        match ranges.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(*uid) => *last = *uid,
            _ => ranges.push((*uid, *uid)),
        }
    }
    let more = ranges.len() > NAMED_MAX;
    let mut named: Vec<String> = ranges
        .into_iter()
        .take(NAMED_MAX)
        .map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}:{last}"),
        })
        .collect();
    if more {
        named.push("… (all with --json)".into());
    }
    named.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_named_together() {
        assert_eq!(ranges(&[3, 4, 5, 9, u32::MAX]), "3:5, 9, 4294967295");
        assert_eq!(ranges(&[]), "");
        let every_second: Vec<u32> = (0..100).map(|nth| nth * 2).collect();
        assert!(ranges(&every_second).ends_with("38, … (all with --json)"));
    }
}
