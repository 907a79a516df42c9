//! What is said of what is nearly full, and of settings that cannot be seen from here.

use super::check::{Check, Sheet, Theme};
use crate::config::{Mailbox, Provider};
use crate::imap::checkup::{Quota, Visit};

/// From so many percent on a quota is warned of.
const NEARLY_PERCENT: u64 = 90;
/// M63: how many people may use a shared mailbox at once.
const MICROSOFT_USERS: usize = 25;
/// G78: how many delegates may use a mailbox at once.
const GMAIL_USERS: usize = 40;

/// What is to be said.
pub(super) fn checks(mailbox: &Mailbox, agents: usize, visit: Option<&Visit>) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Limits);
    match visit {
        None => sheet.skip("quota", "the mailbox was not opened"),
        Some(visit) => quota(mailbox.provider, &visit.quotas, &mut sheet),
    }
    users(mailbox.provider, agents, &mut sheet);
    read_receipts(mailbox, &mut sheet);
    sheet.done()
}

fn quota(provider: Provider, quotas: &[Quota], sheet: &mut Sheet) {
    let used = |quota: &Quota| quota.used.saturating_mul(100) / quota.limit.max(1);
    let limited = quotas.iter().filter(|quota| 0 < quota.limit);
    let Some(fullest) = limited.max_by_key(|quota| used(quota)) else {
        return match provider {
            // M6, M62.
            Provider::Microsoft365 => sheet.advise(
                "quota",
                "Exchange tells no quota over IMAP; without a licence a shared mailbox has 50 GB",
                "look at Get-MailboxStatistics now and then: a full one cannot send, and then not receive",
            ),
            _ => sheet.skip("quota", "the server tells none"),
        };
    };
    let (percent, words) = (used(fullest), words(fullest));
    match percent {
        100.. => sheet.fail(
            "quota",
            format!("{words}: the mailbox is full, and mail is refused"),
            "make room: delete what is not needed, and empty the trash; or let the quota be raised",
        ),
        NEARLY_PERCENT.. => sheet.warn(
            "quota",
            format!("{words}: it is nearly full"),
            "make room, or let the quota be raised, before mail is refused",
        ),
        _ => sheet.pass("quota", words),
    }
}

fn words(quota: &Quota) -> String {
    let percent = quota.used.saturating_mul(100) / quota.limit.max(1);
    match quota.resource.as_str() {
        "STORAGE" => {
            format!("{} of {} used ({percent} %)", size(quota.used), size(quota.limit))
        }
        "MESSAGE" => format!("{} of {} messages ({percent} %)", quota.used, quota.limit),
        other => format!("{} of {} of {other} ({percent} %)", quota.used, quota.limit),
    }
}

/// A number of kibibytes, for people.
fn size(kibibytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let (mut number, mut unit) = (kibibytes, 0);
    while 10_240 <= number && unit + 1 < UNITS.len() {
        number /= 1024;
        unit += 1;
    }
    format!("{number} {}", UNITS.get(unit).copied().unwrap_or_default())
}

fn users(provider: Provider, agents: usize, sheet: &mut Sheet) {
    let (most, of_what) = match provider {
        Provider::Microsoft365 => (MICROSOFT_USERS, "a shared mailbox at Microsoft 365"),
        Provider::Gmail => (GMAIL_USERS, "a mailbox at Gmail"),
        Provider::Imap => {
            return sheet.skip("people", "this kind of server sets no limit of its own");
        }
    };
    let people = match agents {
        1 => "1 person works here".to_owned(),
        count => format!("{count} people work here"),
    };
    let what = format!("{people}; {of_what} bears about {most} at once");
    match agents {
        count if most < count => sheet.fail(
            "people",
            what,
            "share the work between two mailboxes, or move to another platform",
        ),
        count if most * 8 / 10 <= count => sheet.warn(
            "people",
            what,
            "plan ahead: beyond it connections fail and mails are doubled",
        ),
        _ => sheet.pass("people", what),
    }
}

/// M36.
fn read_receipts(mailbox: &Mailbox, sheet: &mut Sheet) {
    match mailbox.provider {
        Provider::Microsoft365 => sheet.advise(
            "read-receipts",
            "whether Exchange sends receipts when a program downloads mail cannot be seen over IMAP",
            format!(
                "make sure, in Exchange Online PowerShell: Set-CASMailbox -Identity {} -ImapUseProtocolDefaults $false -ImapSuppressReadReceipt $true",
                mailbox.address
            ),
        ),
        _ => sheet.skip("read-receipts", "only Exchange sends them by itself"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    fn of(used: u64, limit: u64) -> (Outcome, String) {
        let mut sheet = Sheet::new(Theme::Limits);
        quota(Provider::Imap, &[Quota { resource: "STORAGE".into(), used, limit }], &mut sheet);
        let check = sheet.done().remove(0);
        (check.outcome, check.what)
    }

    #[test]
    fn a_quota_is_warned_of_before_it_is_full() {
        assert_eq!(of(10, 15_728_640), (Outcome::Pass, "10 KiB of 15 GiB used (0 %)".into()));
        assert_eq!(of(93, 100).0, Outcome::Warn);
        assert_eq!(of(100, 100).0, Outcome::Fail);
        assert_eq!(of(7, 0).0, Outcome::Skipped, "no limit is no quota");
    }

    #[test]
    fn too_many_people_are_told_before_the_platform_tells_them() {
        let of = |count| {
            let mut sheet = Sheet::new(Theme::Limits);
            users(Provider::Microsoft365, count, &mut sheet);
            sheet.done().remove(0).outcome
        };
        assert_eq!(
            [of(3), of(20), of(25), of(26)],
            [Outcome::Pass, Outcome::Warn, Outcome::Warn, Outcome::Fail]
        );
    }
}
