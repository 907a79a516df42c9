//! The people at the mailbox: looks at it and acts in it as their mail clients do.
//!
//! A minimal blocking IMAP client that goes straight to the server, not through the proxy, and shares no code
//! with Baton's own. It never marks a message as read unless a scenario asks for that.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::proxy::literal_size;

/// A connection to the server; every command waits for its tagged answer.
pub(crate) struct Imap {
    stream: BufReader<TcpStream>,
    tags: u32,
}

/// One untagged response: its text, with every literal as `{N}` in place, and the literals apart.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) text: String,
    pub(crate) literals: Vec<Vec<u8>>,
}

impl Imap {
    /// Whether a server greets on this port.
    pub(crate) fn greeting(port: u16) -> io::Result<()> {
        let mut imap = Imap::open(port)?;
        let greeting = imap.read_response()?;
        if greeting.text.starts_with("* OK") {
            Ok(())
        } else {
            Err(io::Error::other(greeting.text))
        }
    }

    /// Connects and reads the greeting.
    pub(crate) fn connect(port: u16) -> io::Result<Imap> {
        let mut imap = Imap::open(port)?;
        imap.read_response()?;
        Ok(imap)
    }

    /// Connects and logs in.
    pub(crate) fn login(port: u16, user: &str, password: &str) -> io::Result<Imap> {
        let mut imap = Imap::connect(port)?;
        imap.run(&format!("LOGIN {} {}", quoted(user), quoted(password)))?;
        Ok(imap)
    }

    fn open(port: u16) -> io::Result<Imap> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        Ok(Imap { stream: BufReader::new(stream), tags: 0 })
    }

    /// Sends one command and collects what comes before its OK; a NO or BAD is an error with the server's words.
    pub(crate) fn run(&mut self, command: &str) -> io::Result<Vec<Response>> {
        self.run_with(command, None)
    }

    fn run_with(&mut self, command: &str, literal: Option<&[u8]>) -> io::Result<Vec<Response>> {
        self.tags += 1;
        let tag = format!("e{}", self.tags);
        let mut bytes = format!("{tag} {command}").into_bytes();
        if let Some(literal) = literal {
            bytes.extend_from_slice(format!(" {{{}+}}\r\n", literal.len()).as_bytes());
            bytes.extend_from_slice(literal);
        }
        bytes.extend_from_slice(b"\r\n");
        self.stream.get_mut().write_all(&bytes)?;
        let mut responses = Vec::new();
        loop {
            let response = self.read_response()?;
            match response.text.strip_prefix(&tag).map(str::trim_start) {
                Some(done) if done.starts_with("OK") => {
                    responses.push(response);
                    return Ok(responses);
                }
                Some(refused) => {
                    return Err(io::Error::other(format!("{command}: {refused}")));
                }
                None => responses.push(response),
            }
        }
    }

    fn read_response(&mut self) -> io::Result<Response> {
        let mut response = Response::default();
        loop {
            let mut line = Vec::new();
            if self.stream.read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let line = String::from_utf8_lossy(&line);
            let line = line.trim_end_matches(['\r', '\n']);
            response.text.push_str(line);
            let Some(size) = literal_size(line) else { return Ok(response) };
            let mut literal = vec![0; size];
            self.stream.read_exact(&mut literal)?;
            response.literals.push(literal);
        }
    }
}

/// Where a message lies, and what is on it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
    pub(crate) folder: String,
    pub(crate) uid: u32,
    /// Flags and keywords, lower case, `\Recent` left out.
    pub(crate) flags: BTreeSet<String>,
}

/// Somebody with a mail client on the shared mailbox.
pub(crate) struct Eyes {
    port: u16,
    user: String,
    password: String,
    imap: Option<Imap>,
}

impl Eyes {
    pub(crate) fn new(port: u16, user: &str, password: &str) -> Eyes {
        Eyes { port, user: user.to_owned(), password: password.to_owned(), imap: None }
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
        let date = date.map(|date| format!(" {}", quoted(date))).unwrap_or_default();
        let command = format!("APPEND {} ({flags}){date}", quoted(folder));
        self.run_with(&command, Some(message)).expect("cannot append");
    }

    /// Every folder there is that can be selected.
    pub(crate) fn folders(&mut self) -> Vec<String> {
        self.list().expect("cannot list")
    }

    fn list(&mut self) -> io::Result<Vec<String>> {
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
            };
            found.push((id, place));
        }
        Ok(found)
    }

    /// The whole mailbox at one look: the places of every Message-ID.
    pub(crate) fn look(&mut self) -> io::Result<BTreeMap<String, Vec<Place>>> {
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
        self.makes_folder(to);
        self.select(from);
        self.act(&format!("UID MOVE 1:* {}", quoted(to)));
    }

    /// Copies the message to another folder.
    pub(crate) fn copies(&mut self, message_id: &str, to: &str) {
        self.makes_folder(to);
        let place = self.the_place(message_id);
        self.select(&place.folder);
        self.act(&format!("UID COPY {} {}", place.uid, quoted(to)));
    }

    /// Puts flags or keywords on the message, `+` or `-` first: `stores(id, "+", "baton-ana")`.
    pub(crate) fn stores(&mut self, message_id: &str, sign: &str, flags: &str) {
        for place in self.find(message_id) {
            self.select(&place.folder);
            self.act(&format!("UID STORE {} {sign}FLAGS ({flags})", place.uid));
        }
    }

    /// Deletes the message for good, everywhere.
    pub(crate) fn expunges(&mut self, message_id: &str) {
        for place in self.find(message_id) {
            self.select(&place.folder);
            self.act(&format!("UID STORE {} +FLAGS (\\Deleted)", place.uid));
            self.act(&format!("UID EXPUNGE {}", place.uid));
        }
    }

    /// Opens the message, as a client does that shows it: it is read from now on.
    pub(crate) fn reads(&mut self, message_id: &str) {
        let place = self.the_place(message_id);
        self.select(&place.folder);
        self.act(&format!("UID FETCH {} (BODY[])", place.uid));
    }

    pub(crate) fn renames_folder(&mut self, from: &str, to: &str) {
        self.leave();
        self.act(&format!("RENAME {} {}", quoted(from), quoted(to)));
    }

    pub(crate) fn deletes_folder(&mut self, folder: &str) {
        self.leave();
        self.act(&format!("DELETE {}", quoted(folder)));
    }

    /// Makes the folder; that it exists already is no matter.
    pub(crate) fn makes_folder(&mut self, folder: &str) {
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

/// An IMAP quoted string.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
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
