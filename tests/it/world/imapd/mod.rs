//! An IMAP server in the test's own process, on which the emulators of providers stand.
//!
//! The **engine** is what RFC 3501, 9051 and the extensions say alike for all: reading the wire ([`wire`]), parsing
//! ([`parse`]), numbers and news of the selected folder ([`view`]), and every command ([`turn`], [`fetch`], [`search`],
//! [`change`], [`folders`]). It is strict with clients, and knows no provider.
//!
//! A **dialect** is a provider: an `impl` of [`Dialect`] that owns the mailboxes ([`Store`]) and says
//! - what it is called and can do: `greeting`, `capabilities`, `mechanisms`, `enables`, `about` (ID, NAMESPACE, quota);
//! - which words it finds: `words` for each [`Moment`], `opened` for the lines of SELECT, `copied` for COPYUID;
//! - what clients must keep to: [`Limits`] for the wire, [`Grammar`] for the parser, with items and keys of its own
//!   (`fetch_extra`, `matches_extra`, and `change` for STORE);
//! - what a folder is: `listed`, `find`, `visible`, `create`, `rename`, `delete`;
//! - what commands do to mails: `append`, `copy`, `relocate`, `change`, `expunge`. The defaults ([`plain`]) are those of
//!   a server where a mail lies in one folder;
//! - what goes wrong: `before` (answer, close or delay a command), `after` (the tagged line), `interrupts` (end a
//!   session from outside), `pushes` (go deaf in IDLE), and `Err` from `greeting`.
//!
//! A [`Server`] serves a dialect on a port of its own until it is dropped. [`Server::with`] is how people and tests
//! reach into the provider: it holds the one lock, and afterwards every session looks for news. Nothing in it is timed:
//! what was changed is pushed before the next command is answered. [`tests`] has the smallest dialect there can be.

mod change;
pub(crate) mod client;
mod compress;
mod dialect;
mod fetch;
mod folders;
pub(crate) mod mime;
mod parse;
pub(crate) mod plain;
pub(crate) mod render;
pub(crate) mod search;
mod server;
mod session;
mod store;
mod structure;
#[cfg(test)]
mod tests;
mod turn;
mod utf7;
mod view;
mod wire;

pub(crate) use self::dialect::{
    Before, Copied, Credentials, Dialect, Grammar, Limits, Listed, Moment, Refused, Session,
    Verdict,
};
pub(crate) use self::parse::{Change, Command, How, Key, compact};
pub(crate) use self::plain::{Incoming, Pairs, Placed};
pub(crate) use self::server::{Heard, Server};
pub(crate) use self::store::{Entry, Folder, FolderId, Mail, MailId, Store};
