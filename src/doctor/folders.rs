//! What is said of the folders: what each is for, which layout they can carry, and Baton's own among them.

use super::check::{Check, Sheet, Theme};
use crate::config::{Mailbox, Provider};
use crate::daemon;
use crate::desk::layout::{Dialect, Layout, same_folder};
use crate::imap::checkup::Visit;
use crate::imap::{Listed, Role};

const NAMES: [&str; 12] = [
    "layout",
    "keywords",
    "sent",
    "drafts",
    "junk",
    "trash",
    "archive",
    "all-mail",
    "folder-limit",
    "other-folders",
    "baton-folders",
    "folder-names",
];

/// The sizes to which Gmail's settings can cut folders (G24).
const GMAIL_LIMITS: [u32; 4] = [1_000, 2_000, 5_000, 10_000];

/// Folders of Exchange that hold no mail (M20).
const NO_MAIL: [&str; 9] = [
    "calendar",
    "contacts",
    "journal",
    "notes",
    "tasks",
    "outbox",
    "files",
    "conversation history",
    "sync issues",
];

/// The layout that comes of configuration and server, or why there is none.
pub(super) fn layout_of(
    mailbox: &Mailbox,
    visit: &Visit,
) -> Result<(Layout, &'static str), &'static str> {
    daemon::layout(mailbox.layout, &visit.server, false, None)
}

/// What is to be said; nothing was seen before the mailbox was opened.
pub(super) fn checks(mailbox: &Mailbox, visit: Option<&Visit>) -> Vec<Check> {
    let mut sheet = Sheet::new(Theme::Folders);
    let Some(visit) = visit else {
        sheet.skip_all(&NAMES, "the mailbox was not opened");
        return sheet.done();
    };
    let layout = layout_of(mailbox, visit);
    match layout {
        Ok((layout, why)) => sheet.pass("layout", format!("{}, {why}", name(layout))),
        Err(words) => sheet.fail_in_words("layout", words),
    }
    let layout = layout.ok().map(|(layout, _)| layout);
    keywords(visit, layout, &mut sheet);
    for (role, check, without) in ROLES {
        one_role(mailbox, visit, (*role, check, without), layout, &mut sheet);
    }
    all_mail(visit, layout, &mut sheet);
    folder_limit(mailbox, visit, &mut sheet);
    others(visit, &mut sheet);
    match layout {
        Some(layout) => {
            let dialect = daemon::dialect(&mailbox.policy, layout, &visit.folders);
            own(mailbox, visit, &dialect, &mut sheet);
        }
        None => sheet.skip_all(&["baton-folders", "folder-names"], "there is no layout"),
    }
    sheet.done()
}

/// What a layout is called in baton.toml.
fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Labels => "labels",
        Layout::Folders => "folders",
        Layout::Keywords => "keywords",
    }
}

fn keywords(visit: &Visit, layout: Option<Layout>, sheet: &mut Sheet) {
    match (visit.server.keywords, layout) {
        (true, _) => sheet.pass("keywords", "INBOX keeps new keywords (\\* in PERMANENTFLAGS)"),
        (false, Some(Layout::Folders | Layout::Labels)) => {
            sheet.pass("keywords", "INBOX keeps no keywords, and this layout needs none");
        }
        (false, _) => {
            sheet.fail("keywords", "INBOX keeps no keywords", "write layout = \"folders\"")
        }
    }
}

/// What each folder is needed for.
const ROLES: &[(Role, &str, &str)] = &[
    (Role::Sent, "sent", "answers that people send are not seen"),
    (Role::Drafts, "drafts", "nobody is seen to have begun an answer"),
    (Role::Junk, "junk", "mail that people mark as spam is lost from sight"),
    (Role::Trash, "trash", "mail that people delete is lost from sight"),
    (Role::Archive, "archive", "archiving is not seen as resolving"),
];

fn one_role(
    mailbox: &Mailbox,
    visit: &Visit,
    (role, check, without): (Role, &'static str, &str),
    layout: Option<Layout>,
    sheet: &mut Sheet,
) {
    let configured = configured(mailbox, role);
    let found = found(&visit.folders, role);
    if let Some(name) = configured
        && found.is_none_or(|folder| folder.name != name)
    {
        let what = format!("[mailbox.folders] names `{name}`, and there is no such folder");
        return sheet.fail(check, what, "correct the name; LIST tells those that there are");
    }
    let Some(folder) = found else {
        // G45: with labels, All Mail holds what was sent, drafted and archived.
        let in_all_mail = matches!(role, Role::Sent | Role::Drafts | Role::Archive);
        if layout == Some(Layout::Labels) && in_all_mail {
            return sheet.pass(check, "none is shown, and none is needed beside All Mail");
        }
        if role == Role::Archive {
            return sheet.skip(check, format!("there is none, so {without}"));
        }
        let remedy = format!("if there is one, write {check} = \"…\" in [mailbox.folders]");
        return sheet.warn(check, format!("none was found, so {without}"), remedy);
    };
    let how = match () {
        () if configured.is_some() => "as configured",
        () if visit.marked.contains(&folder.name) => "as the server says",
        () => "known by its name",
    };
    sheet.pass(check, format!("`{}`, {how}", folder.name));
}

/// The uppermost folder of a role: others may lie below it.
pub(super) fn found(folders: &[Listed], role: Role) -> Option<&Listed> {
    let all = folders.iter().filter(|folder| folder.role == role && folder.selectable);
    all.min_by_key(|folder| folder.name.chars().count())
}

fn configured(mailbox: &Mailbox, role: Role) -> Option<&str> {
    let folders = &mailbox.folders;
    match role {
        Role::Sent => folders.sent.as_deref(),
        Role::Drafts => folders.drafts.as_deref(),
        Role::Junk => folders.junk.as_deref(),
        Role::Trash => folders.trash.as_deref(),
        Role::Archive => folders.archive.as_deref(),
        Role::Inbox | Role::All | Role::Baton | Role::Other => None,
    }
}

fn all_mail(visit: &Visit, layout: Option<Layout>, sheet: &mut Sheet) {
    match found(&visit.folders, Role::All) {
        Some(folder) => sheet.pass("all-mail", format!("`{}` is shown", folder.name)),
        None if layout == Some(Layout::Labels) => {
            sheet.fail_in_words("all-mail", daemon::ALL_MAIL_IS_HIDDEN);
        }
        None => sheet.skip("all-mail", "this server has no such folder, and none is needed"),
    }
}

/// G24: what is cut off is nowhere to be seen; but a folder with exactly so many mails is no accident.
fn folder_limit(mailbox: &Mailbox, visit: &Visit, sheet: &mut Sheet) {
    if mailbox.provider != Provider::Gmail {
        return sheet.skip("folder-limit", "only Gmail cuts folders");
    }
    let count = visit.all_count.unwrap_or(visit.inbox_count);
    match GMAIL_LIMITS.contains(&count) {
        true => sheet.warn(
            "folder-limit",
            format!("exactly {count} mails are shown, so older ones are probably cut off"),
            "in Gmail under Settings > Forwarding and POP/IMAP > Folder size limits, choose not to limit the number of messages",
        ),
        false => sheet.pass("folder-limit", format!("{count} mails are shown, which is no limit of Gmail's")),
    }
}

fn others(visit: &Visit, sheet: &mut Sheet) {
    let is_no_mail = |folder: &&Listed| {
        let name = folder.name.to_lowercase();
        let top = folder
            .delimiter
            .map_or(name.as_str(), |delimiter| name.split(delimiter).next().unwrap_or_default());
        folder.role == Role::Other && NO_MAIL.contains(&top)
    };
    let skipped: Vec<&str> =
        visit.folders.iter().filter(is_no_mail).map(|folder| folder.name.as_str()).collect();
    let watched = visit.folders.iter().filter(|folder| folder.role != Role::Other).count();
    let mut words = format!("{watched} of {} folders have a use for Baton", visit.folders.len());
    if !skipped.is_empty() {
        words.push_str(&format!("; {} hold no mail and are left alone", skipped.join(", ")));
    }
    sheet.pass("other-folders", words);
}

/// Baton's own folders, or labels.
fn own(mailbox: &Mailbox, visit: &Visit, dialect: &Dialect, sheet: &mut Sheet) {
    let wanted = dialect.folders(&mailbox.policy);
    let what = if dialect.layout == Layout::Labels { "labels" } else { "folders" };
    if wanted.is_empty() {
        let words = "marks are keywords, and without a server that sends there are no folders";
        sheet.skip("baton-folders", words);
    } else {
        let is_there =
            |name: &&String| visit.folders.iter().any(|one| same_folder(&one.name, name));
        let there = wanted.iter().filter(is_there).count();
        let root = dialect.root(&mailbox.policy);
        match there {
            there if there == wanted.len() => {
                sheet.pass("baton-folders", format!("all {there} {what} below `{root}` exist"));
            }
            0 => sheet.skip(
                "baton-folders",
                format!(
                    "none of the {} {what} below `{root}` is there yet; the daemon makes them",
                    wanted.len()
                ),
            ),
            there => sheet.warn(
                "baton-folders",
                format!("{there} of {} {what} below `{root}` exist", wanted.len()),
                "the daemon makes the others when it connects; if it does not, its log says why",
            ),
        }
    }
    let twins = twins(&visit.folders, &wanted);
    match twins.is_empty() {
        true => {
            sheet.pass("folder-names", "no two differ from each other or from Baton's only by case")
        }
        false => sheet.warn(
            "folder-names",
            format!("these differ only by case: {}", twins.join(", ")),
            "rename one of each two, so that people and servers cannot take one for the other",
        ),
    }
}

/// Names that differ only by case, among all folders and those that Baton makes.
fn twins(folders: &[Listed], wanted: &[String]) -> Vec<String> {
    let mut names: Vec<&str> = folders.iter().map(|folder| folder.name.as_str()).collect();
    names.extend(wanted.iter().map(String::as_str));
    names.sort_unstable();
    names.dedup();
    let mut twins = Vec::new();
    for (nth, one) in names.iter().enumerate() {
        let others = names.iter().skip(nth + 1).filter(|other| same_folder(one, other));
        twins.extend(others.map(|other| format!("`{one}` and `{other}`")));
    }
    twins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, role: Role) -> Listed {
        Listed { name: name.into(), delimiter: Some('/'), role, selectable: true }
    }

    #[test]
    fn names_that_differ_only_by_case_are_found() {
        let there = [folder("baton/Ana", Role::Other), folder("Sent", Role::Sent)];
        let wanted = ["Baton".to_owned(), "Baton/Ana".to_owned()];
        assert_eq!(twins(&there, &wanted), ["`Baton/Ana` and `baton/Ana`"]);
        assert_eq!(twins(&[folder("Sent", Role::Sent)], &wanted), Vec::<String>::new());
    }

    #[test]
    fn the_uppermost_folder_of_a_role_is_meant() {
        let there = [folder("Archive/2025", Role::Archive), folder("Archive", Role::Archive)];
        assert_eq!(found(&there, Role::Archive).unwrap().name, "Archive");
        assert!(found(&there, Role::Sent).is_none());
    }
}
