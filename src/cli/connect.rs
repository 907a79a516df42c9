//! From the configuration of a mailbox to what the door to it needs.

use anyhow::Context;

use crate::config::{Mailbox, Tls};
use crate::imap::connect::{self, Access, FolderNames, Login, Settings};

/// What the door needs for `mailbox`; the password is read now.
pub(crate) fn settings(mailbox: &Mailbox, access: Access) -> anyhow::Result<Settings> {
    let server = &mailbox.imap;
    let password = server
        .password
        .read()
        .with_context(|| format!("cannot log in to the mailbox {}", mailbox.name))?;
    let folders = mailbox.folders.clone();
    Ok(Settings {
        host: server.host.clone(),
        port: server.port,
        tls: match server.tls {
            Tls::Implicit => connect::Tls::Implicit,
            Tls::Starttls => connect::Tls::Starttls,
            Tls::None => connect::Tls::None,
        },
        login: Login { user: server.user.clone(), password: password.expose().to_owned() },
        access,
        since: mailbox.policy.since,
        poll: mailbox.poll,
        folders: FolderNames {
            sent: folders.sent,
            drafts: folders.drafts,
            junk: folders.junk,
            archive: folders.archive,
            trash: folders.trash,
        },
        root: mailbox.policy.names.root.clone(),
    })
}
