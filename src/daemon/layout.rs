//! How marks are shown on a server: what the admin chose, or else what the server can carry.

use crate::config::LayoutChoice;
use crate::desk::layout::{Dialect, Layout};
use crate::desk::policy::Policy;
use crate::imap::{Listed, Role, Server};

/// The capability of Gmail's labels (G4).
const GMAIL: &str = "X-GM-EXT-1";

/// What is wrong where Gmail's labels are the marks and no folder is All Mail (G23).
pub const ALL_MAIL_IS_HIDDEN: &str = "Gmail hides All Mail from IMAP; in Gmail's settings, under Labels, tick \"Show in IMAP\" beside All Mail";

/// The layout that configuration and server give together, and why.
///
/// EXAMINE does not tell whether keywords are kept, so a read-only visit goes by the layout of the visit `before`, or by the
/// kind of server: those without CONDSTORE are those without keywords.
///
/// # Errors
/// When the configured layout cannot work there: what to write instead.
pub fn layout(
    choice: LayoutChoice,
    server: &Server,
    read_only: bool,
    before: Option<Layout>,
) -> Result<(Layout, &'static str), &'static str> {
    let has = |name: &str| server.capabilities.iter().any(|have| have == name);
    match choice {
        LayoutChoice::Labels if !has(GMAIL) => Err(
            "the server has no labels (X-GM-EXT-1), so `layout = \"labels\"` cannot work; write `layout = \"auto\"`",
        ),
        LayoutChoice::Keywords if !server.keywords && !read_only => Err(
            "the server keeps no keywords in INBOX, so `layout = \"keywords\"` cannot work; write `layout = \"folders\"`",
        ),
        LayoutChoice::Labels => Ok((Layout::Labels, "as configured")),
        LayoutChoice::Keywords => Ok((Layout::Keywords, "as configured")),
        LayoutChoice::Folders => Ok((Layout::Folders, "as configured")),
        LayoutChoice::Auto if has(GMAIL) => {
            Ok((Layout::Labels, "since the server has Gmail's labels"))
        }
        LayoutChoice::Auto if read_only => match before {
            Some(layout) => Ok((layout, "as before")),
            None if has("CONDSTORE") => {
                Ok((Layout::Keywords, "since servers of this kind keep keywords"))
            }
            None => Ok((Layout::Folders, "since servers of this kind keep no keywords")),
        },
        LayoutChoice::Auto if server.keywords => {
            Ok((Layout::Keywords, "since INBOX keeps keywords"))
        }
        LayoutChoice::Auto => Ok((Layout::Folders, "since INBOX keeps no keywords")),
    }
}

/// How marks are spelled on a server with these folders.
pub fn dialect(policy: &Policy, layout: Layout, folders: &[Listed]) -> Dialect {
    let delimiter = folders.iter().find_map(|folder| folder.delimiter).unwrap_or('/');
    Dialect::new(policy, layout, &prefix(folders, delimiter), delimiter)
}

/// What stands before the root where the server puts every folder below INBOX (Courier, some Cyrus).
fn prefix(folders: &[Listed], delimiter: char) -> String {
    let prefix = format!("INBOX{delimiter}");
    let mut others = folders.iter().filter(|folder| folder.role != Role::Inbox).peekable();
    let below = others.peek().is_some() && others.all(|folder| folder.name.starts_with(&prefix));
    if below { prefix } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(choice: LayoutChoice, keywords: bool, capability: &str) -> Option<Layout> {
        let server = Server { capabilities: vec![capability.to_owned()], keywords };
        layout(choice, &server, false, None).ok().map(|(layout, _)| layout)
    }

    #[test]
    fn the_server_decides_only_where_the_admin_has_not() {
        use LayoutChoice::{Auto, Folders, Keywords, Labels};
        assert_eq!(given(Auto, true, "IDLE"), Some(Layout::Keywords));
        assert_eq!(given(Auto, false, "IDLE"), Some(Layout::Folders));
        assert_eq!(given(Auto, true, GMAIL), Some(Layout::Labels));
        assert_eq!(given(Folders, true, "IDLE"), Some(Layout::Folders));
        assert_eq!(given(Keywords, true, GMAIL), Some(Layout::Keywords));
        assert_eq!(given(Keywords, false, "IDLE"), None);
        assert_eq!(given(Labels, true, "IDLE"), None);
    }

    #[test]
    fn a_read_only_visit_goes_by_what_was_known() {
        let server = Server { capabilities: vec!["CONDSTORE".to_owned()], keywords: false };
        let seen = |before| layout(LayoutChoice::Auto, &server, true, before).unwrap().0;
        assert_eq!(seen(None), Layout::Keywords);
        assert_eq!(seen(Some(Layout::Folders)), Layout::Folders);
    }
}
