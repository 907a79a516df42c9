//! `baton check --online`: what the server of a mailbox can do, and which layout that gives.

use super::block_on;
use super::explain::sentence;
use super::print::{Ink, Out, plain};
use crate::config::{Config, Mailbox};
use crate::daemon;
use crate::desk::layout::Layout;
use crate::doctor::server::{DIFFERENCES, Difference};
use crate::imap::checkup::{self, Halt, Visit};
use crate::imap::connect::Access;
use crate::imap::{Role, Server};

/// Connects and tells what was found. Answers whether the mailbox can be used as it is configured.
pub(super) fn visit(mailbox: &Mailbox, config: &Config, out: &mut Out) -> anyhow::Result<bool> {
    let found = block_on(async {
        let key = daemon::Key::new(mailbox, &config.state_dir);
        // Selecting for writing is the only way to learn which keywords the server would keep; nothing is written.
        let settings = daemon::settings(mailbox, &key, Access::ReadWrite);
        let found = checkup::visit(&settings).await.map_err(Halt::into_error);
        found.map_err(|error| key.explained(error).0)
    });
    let found = match found {
        Ok(found) => found,
        Err(error) => {
            out.aside(&format!("{}: {}", mailbox.name, plain(&sentence(&error))));
            return Ok(false);
        }
    };
    out.paragraph(2, &format!("logged in; INBOX holds {} messages", found.inbox_count))?;
    capabilities(&found.server, out)?;
    let decided = daemon::layout(mailbox.layout, &found.server, false, None);
    let labels = matches!(decided, Ok((Layout::Labels, _)));
    folders(&found, labels, out)?;
    match decided {
        Ok(_) if labels && !found.folders.iter().any(|folder| folder.role == Role::All) => {
            out.aside(&format!("{}: {}", mailbox.name, daemon::ALL_MAIL_IS_HIDDEN));
            Ok(false)
        }
        Ok((layout, why)) => {
            let name = out.painted(Ink::Good, name(layout));
            out.line(format_args!("  layout: {name}, {why}"))?;
            Ok(true)
        }
        Err(words) => {
            out.aside(&format!("{}: {words}", mailbox.name));
            Ok(false)
        }
    }
}

fn capabilities(server: &Server, out: &mut Out) -> anyhow::Result<()> {
    let (can, cannot): (Vec<&Difference>, Vec<&Difference>) =
        DIFFERENCES.iter().partition(|difference| difference.is_had_by(server));
    let mut able: Vec<&str> = can.iter().map(|difference| difference.name).collect();
    if server.keywords {
        able.push("keywords in INBOX");
    }
    let able = if able.is_empty() { "plain IMAP".into() } else { able.join(", ") };
    out.paragraph(2, &format!("the server can do: {able}"))?;
    for Difference { name, without, .. } in cannot {
        out.paragraph(2, &format!("it lacks {name}: without it, {without}"))?;
    }
    if !server.keywords {
        out.paragraph(2, "it keeps no keywords in INBOX")?;
    }
    Ok(())
}

fn folders(found: &Visit, labels: bool, out: &mut Out) -> anyhow::Result<()> {
    let gmail = [(Role::All, "all mail"), (Role::Junk, "junk"), (Role::Trash, "trash")];
    let others = [
        (Role::Sent, "sent"),
        (Role::Drafts, "drafts"),
        (Role::Junk, "junk"),
        (Role::Archive, "archive"),
        (Role::Trash, "trash"),
    ];
    let wanted: &[(Role, &str)] = if labels { &gmail } else { &others };
    let mut missing = Vec::new();
    for &(role, key) in wanted {
        let names: Vec<String> = found
            .folders
            .iter()
            .filter(|folder| folder.role == role && folder.selectable)
            .map(|folder| plain(&folder.name))
            .collect();
        match names.is_empty() {
            true => missing.push(key),
            false => out.paragraph(2, &format!("{key}: {}", names.join(", ")))?,
        }
    }
    if !missing.is_empty() && !labels {
        let keys = missing.join(", ");
        let words = format!("not found: {keys}; if there is one, name it in [mailbox.folders]");
        out.paragraph(2, &words)?;
    }
    Ok(())
}

fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Labels => "labels",
        Layout::Folders => "folders",
        Layout::Keywords => "keywords",
    }
}
