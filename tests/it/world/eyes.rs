//! The people at the mailbox: looks at it and acts in it as their mail clients do.
//!
//! They go straight to the server, not through the proxy, and never mark a message as read unless a scenario asks for that.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::at_exchange::AtExchange;
use super::at_gmail::{self, AtGmail};
use super::client::{Imap, Response, append_command, quoted};
use super::host::Host;

/// Where a message lies, and what is on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) folder: String,
    pub(crate) uid: u32,
    /// Flags and keywords, lower case, `\Recent` left out.
    pub(crate) flags: BTreeSet<String>,
    /// Baton's labels and the star, where the message is seen in Gmail's All Mail.
    pub(crate) labels: Option<BTreeSet<String>>,
    /// Whether it is a draft or lies in Spam or Trash, at Gmail and at Exchange.
    pub(crate) away: bool,
}

/// Somebody with a mail client on the shared mailbox.
pub(crate) struct Eyes {
    port: u16,
    user: String,
    password: String,
    imap: Option<Imap>,
    gmail: Option<AtGmail>,
    exchange: Option<AtExchange>,
}

impl Eyes {
    pub(crate) fn new(port: u16, user: &str, password: &str) -> Eyes {
        let (user, password) = (user.to_owned(), password.to_owned());
        Eyes { port, user, password, imap: None, gmail: None, exchange: None }
    }

    /// On a mailbox of this host.
    pub(super) fn at(host: &Host, address: &str) -> Eyes {
        let eyes = Eyes::new(host.port(), address, host.password());
        let address = address.to_owned();
        match host {
            Host::Dovecot(_) => eyes,
            Host::Gmail(gmail) => {
                Eyes { gmail: Some(AtGmail { gmail: Arc::clone(gmail), address }), ..eyes }
            }
            Host::Exchange(tenant) => {
                Eyes { exchange: Some(AtExchange { tenant: Arc::clone(tenant), address }), ..eyes }
            }
        }
    }

    /// Runs a command, once more on a new connection when the old one has died.
    fn run(&mut self, command: &str) -> io::Result<Vec<Response>> {
        self.run_with(command, None)
    }

    fn run_with(&mut self, command: &str, literal: Option<&[u8]>) -> io::Result<Vec<Response>> {
        if let Some(imap) = &mut self.imap {
            match imap.run_with(command, literal) {
                Err(error) if error.kind() != io::ErrorKind::Other => self.imap = None,
                done => return done,
            }
        }
        let mut imap = Imap::login(self.port, &self.user, &self.password)?;
        let done = imap.run_with(command, literal);
        self.imap = Some(imap);
        done
    }

    /// Puts a message into a folder, as a delivery (`date` is the internal date) or a client does.
    pub(crate) fn append(&mut self, folder: &str, flags: &str, date: Option<&str>, message: &[u8]) {
        if let Some(exchange) = &self.exchange {
            return exchange.puts(folder, flags, date, message);
        }
        let folder = if self.gmail.is_some() { at_gmail::folder(folder) } else { folder };
        let command = append_command(folder, flags, date);
        self.run_with(&command, Some(message)).expect("cannot append");
    }

    /// Every folder there is that can be selected.
    pub(crate) fn folders(&mut self) -> Vec<String> {
        self.list().expect("cannot list")
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
        if let Some(exchange) = &self.exchange {
            return Ok(exchange.folders());
        }
        let responses = self.run("LIST \"\" *")?;
        let mut folders = Vec::new();
        for response in &responses {
            let Some(rest) = response.text.strip_prefix("* LIST (") else { continue };
            let Some((attributes, rest)) = rest.split_once(") ") else { continue };
            if attributes.to_ascii_lowercase().contains("\\noselect")
                || attributes.to_ascii_lowercase().contains("\\nonexistent")
            {
                continue;
            }
            let name = rest.split_once(' ').map_or("", |(_, name)| name);
            folders.push(match response.literals.first() {
                Some(literal) => String::from_utf8_lossy(literal).into_owned(),
                None => super::proxy::first_string(name),
            });
        }
        Ok(folders)
    }

    /// Everything in a folder: where it lies, by Message-ID (without brackets, empty when there is none).
    pub(crate) fn look_into(&mut self, folder: &str) -> io::Result<Vec<(String, Place)>> {
        if let Some(exchange) = &self.exchange {
            return Ok(exchange.look_into(folder));
        }
        self.run(&format!("EXAMINE {}", quoted(folder)))?;
        let what = "UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])";
        let mut found = Vec::new();
        for response in self.run(what)? {
            let Some(header) = response.literals.first() else { continue };
            let header = String::from_utf8_lossy(header).replace("\r\n ", " ");
            let id = header.split_once('<').and_then(|(_, id)| id.split_once('>'));
            let id = id.map_or(String::new(), |(id, _)| id.to_owned());
            let place = Place {
                folder: folder.to_owned(),
                uid: after(&response.text, "UID ").parse().unwrap_or_default(),
                flags: flags_of(&response.text),
                labels: None,
                away: false,
            };
            found.push((id, place));
        }
        Ok(found)
    }

    /// The whole mailbox at one look: the places of every Message-ID.
    pub(crate) fn look(&mut self) -> io::Result<BTreeMap<String, Vec<Place>>> {
        if let Some(gmail) = &self.gmail {
            return Ok(gmail.look());
        }
        if let Some(exchange) = &self.exchange {
            return Ok(exchange.look());
        }
        let mut all: BTreeMap<String, Vec<Place>> = BTreeMap::new();
        for folder in self.list()? {
            // A folder may be renamed between the list and the look.
            for (id, place) in self.look_into(&folder).unwrap_or_default() {
                all.entry(id).or_default().push(place);
            }
        }
        Ok(all)
    }

    /// Where this message lies; usually one place.
    pub(crate) fn find(&mut self, message_id: &str) -> Vec<Place> {
        self.look().expect("cannot look").remove(message_id).unwrap_or_default()
    }

    /// Moves the message to another folder, making the folder as clients do when there is none.
    pub(crate) fn moves(&mut self, message_id: &str, to: &str) {
        if let Some(gmail) = &self.gmail {
            return gmail.moves(message_id, to);
        }
        if let Some(exchange) = &self.exchange {
            return exchange.moves(message_id, to);
        }
        self.makes_folder(to);
        for place in self.find(message_id) {
            if place.folder != to && !place.folder.ends_with("Sent") {
                self.select(&place.folder);
                self.act(&format!("UID MOVE {} {}", place.uid, quoted(to)));
            }
        }
    }

    /// Moves many messages of one folder with one command.
    pub(crate) fn moves_all(&mut self, from: &str, to: &str) {
        if let Some(exchange) = &self.exchange {
            return exchange.moves_all(from, to);
        }
        self.makes_folder(to);
        self.select(from);
        self.act(&format!("UID MOVE 1:* {}", quoted(to)));
    }

    /// Copies the message to another folder.
    pub(crate) fn copies(&mut self, message_id: &str, to: &str) {
        if let Some(exchange) = &self.exchange {
            return exchange.copies(message_id, to);
        }
        self.makes_folder(to);
        let place = self.the_place(message_id);
        self.select(&place.folder);
        self.act(&format!("UID COPY {} {}", place.uid, quoted(to)));
    }

    /// Puts flags or keywords on the message, `+` or `-` first: `stores(id, "+", "baton-ana")`.
    pub(crate) fn stores(&mut self, message_id: &str, sign: &str, flags: &str) {
        if let Some(gmail) = &self.gmail {
            return gmail.stores(message_id, sign, flags);
        }
        if let Some(exchange) = &self.exchange {
            return exchange.stores(message_id, sign, flags);
        }
        for place in self.find(message_id) {
            self.select(&place.folder);
            self.act(&format!("UID STORE {} {sign}FLAGS ({flags})", place.uid));
        }
    }

    /// Deletes the message for good, everywhere.
    pub(crate) fn expunges(&mut self, message_id: &str) {
        if let Some(gmail) = &self.gmail {
            return gmail.expunges(message_id);
        }
        if let Some(exchange) = &self.exchange {
            return exchange.expunges(message_id);
        }
        for place in self.find(message_id) {
            self.select(&place.folder);
            self.act(&format!("UID STORE {} +FLAGS (\\Deleted)", place.uid));
            self.act(&format!("UID EXPUNGE {}", place.uid));
        }
    }

    /// Opens the message, as a client does that shows it: it is read from now on.
    pub(crate) fn reads(&mut self, message_id: &str) {
        if let Some(gmail) = &self.gmail {
            return gmail.reads(message_id);
        }
        if let Some(exchange) = &self.exchange {
            return exchange.reads(message_id);
        }
        let place = self.the_place(message_id);
        self.select(&place.folder);
        self.act(&format!("UID FETCH {} (BODY[])", place.uid));
    }

    pub(crate) fn renames_folder(&mut self, from: &str, to: &str) {
        if let Some(exchange) = &self.exchange {
            return exchange.renames_folder(from, to);
        }
        self.leave();
        self.act(&format!("RENAME {} {}", quoted(from), quoted(to)));
    }

    pub(crate) fn deletes_folder(&mut self, folder: &str) {
        if let Some(exchange) = &self.exchange {
            return exchange.deletes_folder(folder);
        }
        self.leave();
        self.act(&format!("DELETE {}", quoted(folder)));
    }

    /// Makes the folder; that it exists already is no matter.
    pub(crate) fn makes_folder(&mut self, folder: &str) {
        if let Some(exchange) = &self.exchange {
            return exchange.makes_folder(folder);
        }
        if !self.folders().iter().any(|name| name == folder) {
            let _ = self.run(&format!("CREATE {}", quoted(folder)));
        }
    }

    fn the_place(&mut self, message_id: &str) -> Place {
        let places = self.find(message_id);
        places.into_iter().next().unwrap_or_else(|| panic!("no message <{message_id}> anywhere"))
    }

    fn select(&mut self, folder: &str) {
        self.act(&format!("SELECT {}", quoted(folder)));
    }

    fn leave(&mut self) {
        // Not selected is as good.
        let _ = self.run("UNSELECT");
    }

    fn act(&mut self, command: &str) {
        if let Err(error) = self.run(command) {
            panic!("the mail client was refused: {error}");
        }
    }
}

/// The number or atom that follows `key`.
fn after<'a>(text: &'a str, key: &str) -> &'a str {
    let rest = text.split_once(key).map_or("", |(_, rest)| rest);
    rest.split([' ', ')']).next().unwrap_or_default()
}

fn flags_of(text: &str) -> BTreeSet<String> {
    let rest = text.split_once("FLAGS (").map_or("", |(_, rest)| rest);
    let flags = rest.split_once(')').map_or("", |(flags, _)| flags);
    let flags = flags.split_whitespace().map(str::to_ascii_lowercase);
    flags.filter(|flag| flag != "\\recent").collect()
}
