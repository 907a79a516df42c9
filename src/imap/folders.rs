//! Which folders there are, and what each is for.
//!
//! A role comes from the configuration, else from a special-use attribute (RFC 6154), else from the usual name in one of
//! many languages. Where to start: [`roles`].

use std::collections::{BTreeMap, BTreeSet};

use async_imap::imap_proto::{MailboxDatum, NameAttribute, Response};

use super::connect::{FolderNames, Settings};
use super::error::Error;
use super::session::Session;
use super::usual_names::USUAL;
use super::{Listed, Role, utf7};

/// What LIST said of one folder.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Line {
    name: String,
    delimiter: Option<char>,
    selectable: bool,
    special: Option<Role>,
}

/// Asks for the folders and gives each its role.
pub(super) async fn list(session: &mut Session, settings: &Settings) -> Result<Vec<Listed>, Error> {
    Ok(told(session, settings).await?.0)
}

/// The same, and the names of those folders of which the server itself says what they are for.
pub(super) async fn told(
    session: &mut Session,
    settings: &Settings,
) -> Result<(Vec<Listed>, BTreeSet<String>), Error> {
    let special = session.can("SPECIAL-USE") && session.can("LIST-EXTENDED");
    let command = match special {
        true => "LIST \"\" \"*\" RETURN (SPECIAL-USE)",
        false => "LIST \"\" \"*\"",
    };
    // By name: a server may name a folder twice, and the last time counts.
    let mut lines: BTreeMap<String, Line> = BTreeMap::new();
    let keep = |response: &Response<'_>| {
        if let Some(line) = line(response) {
            lines.insert(line.name.clone(), line);
        }
    };
    session.exec(command, keep).await?;
    let marked = lines.values().filter(|line| line.special.is_some());
    let marked = marked.map(|line| line.name.clone()).collect();
    Ok((roles(lines.into_values().collect(), &settings.folders, &settings.root), marked))
}

/// A folder's name as the parser left it, decoded. INBOX is INBOX in every spelling (RFC 3501, section 5.1).
pub(super) fn name(sent: &str) -> Option<String> {
    let name = utf7::decode(&utf7::unquote(sent))?;
    Some(if name.eq_ignore_ascii_case("INBOX") { "INBOX".to_owned() } else { name })
}

/// A folder's name in a STATUS line. Dovecot 2.3 sends it in plain UTF-8 when it tells by itself (NOTIFY).
pub(super) fn told_name(sent: &str) -> String {
    name(sent).unwrap_or_else(|| utf7::unquote(sent))
}

fn line(response: &Response<'_>) -> Option<Line> {
    let Response::MailboxData(MailboxDatum::List(data)) = response else { return None };
    let mut line = Line {
        name: String::new(),
        delimiter: data.delimiter.as_deref().and_then(|sent| utf7::unquote(sent).chars().next()),
        selectable: true,
        special: None,
    };
    for attribute in &data.name_attributes {
        match attribute {
            NameAttribute::NoSelect => line.selectable = false,
            NameAttribute::Extension(name) if name.eq_ignore_ascii_case("\\NonExistent") => {
                line.selectable = false;
            }
            NameAttribute::Sent => line.special = Some(Role::Sent),
            NameAttribute::Drafts => line.special = Some(Role::Drafts),
            NameAttribute::Junk => line.special = Some(Role::Junk),
            NameAttribute::Archive => line.special = Some(Role::Archive),
            NameAttribute::Trash => line.special = Some(Role::Trash),
            NameAttribute::All => line.special = Some(Role::All),
            // A view of messages that are elsewhere.
            NameAttribute::Flagged => line.special = Some(Role::Other),
            _ => {}
        }
    }
    match name(&data.name) {
        Some(name) => line.name = name,
        None => {
            tracing::debug!("a folder's name is not modified UTF-7 and cannot be opened");
            line.name = data.name.to_string();
            line.selectable = false;
        }
    }
    Some(line)
}

/// Gives each folder its role: configuration, attribute, usual name, in this order.
fn roles(lines: Vec<Line>, names: &FolderNames, root: &str) -> Vec<Listed> {
    let marked = |role| lines.iter().any(|line| line.special == Some(role) && line.selectable);
    // There may be more archives than the one that is marked: clients make their own.
    let by_name: Vec<&(Role, &[&str])> =
        USUAL.iter().filter(|(role, _)| *role == Role::Archive || !marked(*role)).collect();
    let mut listed = Vec::with_capacity(lines.len());
    for line in &lines {
        let role = role(line, &by_name, names, root);
        let Line { name, delimiter, selectable, .. } = line.clone();
        listed.push(Listed { name, delimiter, role, selectable });
    }
    inherit(&mut listed);
    listed
}

/// What lies below an archive is archived: some clients keep a folder for every year there. Likewise below Sent, Junk and
/// Trash.
fn inherit(listed: &mut [Listed]) {
    let parents: Vec<(String, Role)> = listed
        .iter()
        .filter(|one| matches!(one.role, Role::Archive | Role::Sent | Role::Junk | Role::Trash))
        .filter_map(|one| Some((format!("{}{}", one.name, one.delimiter?), one.role)))
        .collect();
    for folder in listed.iter_mut().filter(|folder| folder.role == Role::Other) {
        let parent = parents.iter().find(|(above, _)| folder.name.starts_with(above));
        if let Some((_, role)) = parent {
            folder.role = *role;
        }
    }
}

fn role(line: &Line, by_name: &[&(Role, &[&str])], names: &FolderNames, root: &str) -> Role {
    if line.name == "INBOX" {
        return Role::Inbox;
    }
    if is_below(line, root) {
        return Role::Baton;
    }
    if let Some(role) = configured(&line.name, names) {
        return role;
    }
    let usual = || {
        let base = base_name(line)?.to_lowercase();
        by_name.iter().find(|(_, usual)| usual.contains(&base.as_str())).map(|(role, _)| *role)
    };
    match line.special.or_else(usual) {
        // The configuration has named another folder for it.
        Some(role) if named(role, names).is_some() => Role::Other,
        Some(role) => role,
        None => Role::Other,
    }
}

/// The root itself, or below it; also where everything is below INBOX, as on Courier and some Cyrus servers.
fn is_below(line: &Line, root: &str) -> bool {
    let name = without_inbox(line);
    match name.strip_prefix(root) {
        Some("") => true,
        Some(rest) => line.delimiter.is_some_and(|delimiter| rest.starts_with(delimiter)),
        None => false,
    }
}

fn without_inbox(line: &Line) -> &str {
    let below = |delimiter| line.name.strip_prefix("INBOX")?.strip_prefix(delimiter);
    line.delimiter.and_then(below).unwrap_or(&line.name)
}

/// The name of a top-level folder; others are somebody's own order.
fn base_name(line: &Line) -> Option<&str> {
    let name = without_inbox(line);
    let nested = line.delimiter.is_some_and(|delimiter| name.contains(delimiter));
    (!nested).then_some(name)
}

fn configured(name: &str, names: &FolderNames) -> Option<Role> {
    [Role::Sent, Role::Drafts, Role::Junk, Role::Archive, Role::Trash]
        .into_iter()
        .find(|role| named(*role, names) == Some(name))
}

fn named(role: Role, names: &FolderNames) -> Option<&str> {
    match role {
        Role::Sent => names.sent.as_deref(),
        Role::Drafts => names.drafts.as_deref(),
        Role::Junk => names.junk.as_deref(),
        Role::Archive => names.archive.as_deref(),
        Role::Trash => names.trash.as_deref(),
        Role::Inbox | Role::All | Role::Baton | Role::Other => None,
    }
}

/// The folders to watch, in the order of every look: first those into which people move what they have decided about, so
/// that an older decision is met before the newer mail in INBOX that it cannot have been about; Sent after INBOX, because
/// an answer needs what it answers.
pub(super) fn watched(listed: &[Listed], labels: bool) -> Vec<Listed> {
    // G45: All Mail holds everything but these two, and the other folders are views of it.
    const GMAIL: [Role; 3] = [Role::Junk, Role::Trash, Role::All];
    const ORDER: [Role; 7] = [
        Role::Baton,
        Role::Archive,
        Role::Junk,
        Role::Trash,
        Role::Inbox,
        Role::Sent,
        Role::Drafts,
    ];
    let of = |role| listed.iter().filter(move |folder| folder.role == role && folder.selectable);
    let order: &[Role] = if labels { &GMAIL } else { &ORDER };
    order.iter().flat_map(|role| of(*role)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str], names: &FolderNames) -> Vec<(String, Role, bool)> {
        let lines = lines.iter().map(|sent| {
            let sent = format!("* LIST {sent}\r\n");
            let (_, response) = Response::parse(sent.as_bytes()).unwrap();
            line(&response).unwrap()
        });
        let listed = roles(lines.collect(), names, "Baton");
        listed.into_iter().map(|folder| (folder.name, folder.role, folder.selectable)).collect()
    }

    #[track_caller]
    fn check(line: &str, role: Role) {
        assert_eq!(read(&[line], &FolderNames::default())[0].1, role, "{line}");
    }

    #[test]
    fn usual_names_are_known_in_many_languages() {
        check("() \"/\" inbox", Role::Inbox);
        check("() \"/\" \"Gesendete Elemente\"", Role::Sent);
        check("() \"/\" \"&AMk-l&AOk-ments envoy&AOk-s\"", Role::Sent);
        check("() \".\" INBOX.Papierkorb", Role::Trash);
        check("() \"/\" Entw&APw-rfe", Role::Drafts);
        check("() \"/\" Projects/Sent", Role::Other);
        check("() \"/\" Calendar", Role::Other);
        check("() NIL Junk", Role::Junk);
    }

    #[test]
    fn batons_folders_are_the_root_and_what_is_below() {
        check("() \"/\" Baton", Role::Baton);
        check("() \"/\" Baton/Ana/Waiting", Role::Baton);
        check("() \".\" INBOX.Baton.Ana", Role::Baton);
        check("() \"/\" Batons", Role::Other);
    }

    #[test]
    fn an_attribute_goes_before_a_name_and_the_configuration_before_both() {
        let lines = [
            "(\\Sent) \"/\" Outgoing",
            "() \"/\" Sent",
            "(\\All) \"/\" Archive",
            "(\\Noselect) \"/\" [Gmail]",
            "(\\NonExistent) \"/\" Ghost",
        ];
        let roles = |names: &FolderNames| -> Vec<Role> {
            read(&lines, names).into_iter().map(|(_, role, _)| role).collect()
        };
        let none = FolderNames::default();
        use Role::{All, Other, Sent};
        assert_eq!(roles(&none), [Sent, Other, All, Other, Other]);
        let names = FolderNames { sent: Some("Sent".to_owned()), ..none.clone() };
        assert_eq!(roles(&names), [Other, Sent, All, Other, Other]);
        let selectable: Vec<bool> =
            read(&lines, &none).into_iter().map(|(_, _, selectable)| selectable).collect();
        assert_eq!(selectable, [true, true, true, false, false]);
    }
}
