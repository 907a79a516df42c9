//! What the IMAP server can do, and the difference that each makes.

use super::check::{Check, Sheet, Theme};
use crate::desk::layout::Layout;
use crate::imap::Server;

/// A capability that makes a difference.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// The check.
    pub check: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Any of these will do.
    pub capabilities: &'static [&'static str],
    /// What happens without it.
    pub without: &'static str,
    /// Whether Baton works less well without it, so that it is worth a warning.
    pub matters: bool,
}

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    difference("idle", "IDLE", &["IDLE"], "new mail is seen at the next poll", true),
    difference("notify", "NOTIFY", &["NOTIFY"], "other folders than INBOX are polled", false),
    difference(
        "condstore",
        "CONDSTORE/QRESYNC",
        &["QRESYNC", "CONDSTORE"],
        "flags are compared one by one",
        false,
    ),
    difference(
        "list-status",
        "LIST-STATUS",
        &["LIST-STATUS"],
        "folders are asked one by one",
        false,
    ),
    difference("move", "MOVE", &["MOVE"], "mails are copied and the originals removed", true),
    difference(
        "uidplus",
        "UIDPLUS",
        &["UIDPLUS"],
        "moved mails are found again by their content",
        true,
    ),
    difference(
        "special-use",
        "SPECIAL-USE",
        &["SPECIAL-USE"],
        "folders are known by their usual names",
        false,
    ),
];

const fn difference(
    check: &'static str,
    name: &'static str,
    capabilities: &'static [&'static str],
    without: &'static str,
    matters: bool,
) -> Difference {
    Difference { check, name, capabilities, without, matters }
}

impl Difference {
    /// Whether the server has it.
    pub fn is_had_by(&self, server: &Server) -> bool {
        self.capabilities.iter().any(|name| has(server, name))
    }
}

fn has(server: &Server, name: &str) -> bool {
    server.capabilities.iter().any(|have| have == name)
}

/// What is to be said; `None` before the mailbox was opened.
pub(super) fn checks(server: Option<&Server>, layout: Option<Layout>) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Server);
    let Some(server) = server else {
        let names: Vec<&'static str> = DIFFERENCES.iter().map(|one| one.check).collect();
        sheet.skip_all(&names, "the mailbox was not opened");
        sheet.skip_all(&["namespace", "safe-moves"], "the mailbox was not opened");
        return sheet.done();
    };
    for one in DIFFERENCES {
        let Difference { check, name, without, .. } = one;
        match one.is_had_by(server) {
            true => sheet.pass(check, format!("it has {name}")),
            false if one.matters => sheet.warn(
                check,
                format!("it lacks {name}: {without}"),
                "switch it on at the server if it can be; Baton does without",
            ),
            false => sheet.pass(check, format!("it lacks {name}: {without}")),
        }
    }
    match has(server, "NAMESPACE") {
        true => sheet.pass("namespace", "it has NAMESPACE"),
        false => sheet.pass("namespace", "it lacks NAMESPACE: LIST tells what is needed"),
    }
    let can_move = has(server, "MOVE") || has(server, "UIDPLUS");
    match (can_move, layout) {
        (true, _) => sheet.pass("safe-moves", "mails can be moved without touching others"),
        (false, Some(Layout::Keywords | Layout::Labels)) => {
            sheet.pass("safe-moves", "nothing can be moved safely, and this layout moves nothing");
        }
        (false, _) => sheet.fail(
            "safe-moves",
            "it has neither MOVE nor UIDPLUS, so that nothing can be moved safely",
            "write layout = \"keywords\", or use a server that has one of them",
        ),
    }
    sheet.done()
}

#[cfg(test)]
mod tests {
    use super::super::check::Outcome;
    use super::*;

    fn failing(capabilities: &[&str]) -> Vec<(&'static str, Outcome)> {
        let capabilities = capabilities.iter().map(|one| (*one).to_owned()).collect();
        let checks = checks(Some(&Server { capabilities, keywords: true }), Some(Layout::Folders));
        let told = checks.iter().map(|check| (check.name, check.outcome));
        told.filter(|(_, outcome)| *outcome != Outcome::Pass).collect()
    }

    #[test]
    fn only_what_costs_something_is_warned_of() {
        assert_eq!(failing(&["IDLE", "MOVE", "UIDPLUS"]), []);
        assert_eq!(failing(&["IDLE", "UIDPLUS"]), [("move", Outcome::Warn)]);
        let plain = failing(&[]);
        assert!(plain.contains(&("safe-moves", Outcome::Fail)), "{plain:?}");
    }
}
