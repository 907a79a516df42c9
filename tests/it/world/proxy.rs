//! A proxy between Baton and the server that writes down everything both say.
//!
//! The recording is the evidence for promise 3 (see [`super::promise`]). A [`Fault`] makes the line bad: it is asked
//! before every line of either side and at every new connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use super::fault::{Commands, Fault, Verdict};

/// How much of an endless line is sent at a time.
const FLOOD_BYTES: usize = 64 * 1024;

/// Who said a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Side {
    Client,
    Server,
}

/// One line of the conversation; literals are shortened to `‹N bytes›`.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// Counts the connections of this proxy from one.
    pub(crate) connection: usize,
    pub(crate) side: Side,
    pub(crate) text: String,
    /// The folder that was selected when a client's line was sent.
    pub(crate) folder: Option<String>,
    /// When it came by.
    #[allow(dead_code, reason = "only measurements of the reaction time look at it")]
    pub(crate) at: Instant,
}

struct Shared {
    upstream: u16,
    lines: Mutex<Vec<Line>>,
    fault: Mutex<Fault>,
    changed: Condvar,
    closing: AtomicBool,
    connections: AtomicUsize,
    sockets: Mutex<Vec<TcpStream>>,
}

/// A listening proxy; it and its connections end when it is dropped.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `upstream` on the loopback.
    pub(crate) fn start(upstream: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            upstream,
            lines: Mutex::default(),
            fault: Mutex::new(Fault::None),
            changed: Condvar::new(),
            closing: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            sockets: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if accepting.closing.load(Ordering::SeqCst) {
                    return;
                }
                accepting.serve(client);
            }
        });
        Proxy { port, shared }
    }

    /// From now on the line has this fault; [`Fault::None`] heals it, but not connections already cut.
    pub(crate) fn set_fault(&self, fault: Fault) {
        *self.shared.fault.lock().unwrap() = fault;
        self.shared.changed.notify_all();
    }

    /// What is wrong with the line now.
    pub(crate) fn fault(&self) -> Fault {
        self.shared.fault.lock().unwrap().clone()
    }

    /// Everything that was said so far, in order.
    pub(crate) fn recording(&self) -> Vec<Line> {
        self.shared.lines.lock().unwrap().clone()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        for socket in self.shared.sockets.lock().unwrap().iter() {
            let _ = socket.shutdown(Shutdown::Both);
        }
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve(self: &Arc<Shared>, client: TcpStream) {
        let connection = self.connections.fetch_add(1, Ordering::SeqCst) + 1;
        if *self.fault.lock().unwrap() == Fault::Closed {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.upstream)) else { return };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let session = Arc::new(Mutex::new(Session::default()));
        let ends = [client.try_clone(), server.try_clone()].into_iter().flatten();
        self.sockets.lock().unwrap().extend(ends);
        for side in [Side::Client, Side::Server] {
            let (Ok(from), Ok(to)) = (match side {
                Side::Client => (client.try_clone(), server.try_clone()),
                Side::Server => (server.try_clone(), client.try_clone()),
            }) else {
                return;
            };
            let (shared, session) = (Arc::clone(self), Arc::clone(&session));
            thread::spawn(move || shared.pass_on(side, connection, &session, from, to));
        }
    }

    /// Copies one direction until an end closes, line by line.
    fn pass_on(
        &self,
        side: Side,
        connection: usize,
        session: &Mutex<Session>,
        mut from: TcpStream,
        mut to: TcpStream,
    ) {
        let mut lines = LineReader::default();
        let mut chunk = vec![0; 64 * 1024];
        'open: while let Ok(size @ 1..) = from.read(&mut chunk) {
            if session.lock().unwrap().dead {
                continue;
            }
            lines.feed(&chunk[..size]);
            let mut passed = Vec::new();
            while let Some(piece) = lines.next_piece() {
                // Recorded before it is passed on, so that an answer never stands before its command.
                let Some(text) = &piece.line else {
                    passed.extend_from_slice(&piece.bytes);
                    continue;
                };
                let mut behind = Vec::new();
                match self.verdict(side, session, text) {
                    Verdict::Pass | Verdict::Wait | Verdict::Delay(_) => {}
                    Verdict::Drop => continue,
                    Verdict::After(bytes) => passed.extend_from_slice(&bytes),
                    Verdict::Then(bytes) => behind = bytes,
                    Verdict::Flood(bytes) => {
                        if to.write_all(&passed).and_then(|()| flood(&mut to, bytes)).is_err() {
                            break 'open;
                        }
                        passed.clear();
                    }
                    Verdict::Answer(answer) => {
                        self.record(side, connection, session, text);
                        self.record(Side::Server, connection, session, answer.trim_end());
                        let _ = from.write_all(answer.as_bytes());
                        continue;
                    }
                    Verdict::Cut(last_words) => {
                        passed.extend_from_slice(last_words.as_bytes());
                        let _ = to.write_all(&passed);
                        break 'open;
                    }
                    Verdict::Dead => {
                        session.lock().unwrap().dead = true;
                        let _ = to.write_all(&passed);
                        continue 'open;
                    }
                }
                self.record(side, connection, session, text);
                passed.extend_from_slice(&piece.bytes);
                passed.append(&mut behind);
            }
            if side == Side::Server {
                self.fault.lock().unwrap().garbles(&mut passed);
            }
            if side == Side::Server && self.cuts(&mut passed) {
                let _ = to.write_all(&passed);
                break;
            }
            if to.write_all(&passed).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }

    /// What becomes of a line; waits while the line is silent or slow.
    fn verdict(&self, side: Side, session: &Mutex<Session>, text: &str) -> Verdict {
        let mut fault = self.fault.lock().unwrap();
        loop {
            if self.closing.load(Ordering::SeqCst) {
                return Verdict::Cut("");
            }
            let verdict = match side {
                Side::Server => fault.on_server_line(text, &session.lock().unwrap().commands),
                Side::Client => fault.on_client_line(text),
            };
            match verdict {
                Verdict::Wait => fault = self.changed.wait(fault).unwrap(),
                Verdict::Delay(pause) => {
                    drop(fault);
                    thread::sleep(pause);
                    return Verdict::Pass;
                }
                other => return other,
            }
        }
    }

    /// Whether the connection is cut within these bytes; leaves those that still arrive.
    fn cuts(&self, bytes: &mut Vec<u8>) -> bool {
        let cut = self.fault.lock().unwrap().lets_through(bytes.len());
        bytes.truncate(cut.unwrap_or(bytes.len()));
        cut.is_some()
    }

    fn record(&self, side: Side, connection: usize, session: &Mutex<Session>, text: &str) {
        let mut session = session.lock().unwrap();
        let text = match side {
            Side::Client => without_secrets(text),
            Side::Server => text.to_owned(),
        };
        let folder = session.folder.clone();
        session.follow(side, &text);
        match side {
            Side::Client => session.commands.client_says(&text),
            Side::Server => session.commands.server_says(&text),
        }
        let line = Line { connection, side, text, folder, at: Instant::now() };
        self.lines.lock().unwrap().push(line);
    }
}

/// What a connection has selected, and is in the middle of.
#[derive(Default)]
struct Session {
    folder: Option<String>,
    /// The tag of a SELECT or EXAMINE that has not been answered.
    selecting: Option<String>,
    commands: Commands,
    /// Nothing arrives any more, either way.
    dead: bool,
}

fn flood(to: &mut TcpStream, bytes: usize) -> std::io::Result<()> {
    to.write_all(b"* ")?;
    let chunk = vec![b'x'; FLOOD_BYTES];
    for _ in 0..bytes / FLOOD_BYTES {
        to.write_all(&chunk)?;
    }
    to.write_all(b"\r\n")
}

impl Session {
    fn follow(&mut self, side: Side, text: &str) {
        let mut words = text.splitn(3, ' ');
        let (Some(tag), Some(verb)) = (words.next(), words.next()) else { return };
        match (side, verb.to_ascii_uppercase().as_str()) {
            (Side::Client, "SELECT" | "EXAMINE") => {
                self.folder = words.next().map(first_string);
                self.selecting = Some(tag.to_owned());
            }
            (Side::Client, "CLOSE" | "UNSELECT") => self.folder = None,
            (Side::Server, answer) if self.selecting.as_deref() == Some(tag) => {
                self.selecting = None;
                if answer != "OK" {
                    self.folder = None;
                }
            }
            _ => {}
        }
    }
}

/// The first argument of a command, without its quotes.
pub(crate) fn first_string(arguments: &str) -> String {
    match arguments.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut letters = quoted.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => break,
                    '\\' => name.extend(letters.next()),
                    other => name.push(other),
                }
            }
            name
        }
        None => arguments.split(' ').next().unwrap_or_default().to_owned(),
    }
}

fn without_secrets(text: &str) -> String {
    let words: Vec<&str> = text.splitn(3, ' ').collect();
    match words.as_slice() {
        [tag, verb, _] if verb.eq_ignore_ascii_case("LOGIN") => format!("{tag} {verb} ‹secret›"),
        [tag, verb, rest] if verb.eq_ignore_ascii_case("AUTHENTICATE") => {
            format!("{tag} {verb} {}", rest.split(' ').next().unwrap_or_default())
        }
        // A line of its own is an answer to a challenge, or the end of an IDLE.
        [word] if !word.eq_ignore_ascii_case("DONE") => "‹answer›".to_owned(),
        _ => text.to_owned(),
    }
}

/// Cuts a stream into lines, knowing that a literal's bytes are no lines.
#[derive(Default)]
struct LineReader {
    buffer: Vec<u8>,
    /// Bytes of a literal that are still to come.
    literal: usize,
    /// The beginning of the line that the literal stands in.
    line: String,
}

/// Bytes to pass on, and the line that they complete.
struct Piece {
    bytes: Vec<u8>,
    line: Option<String>,
}

impl LineReader {
    fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    fn next_piece(&mut self) -> Option<Piece> {
        if self.buffer.is_empty() {
            return None;
        }
        if self.literal > 0 {
            let size = self.literal.min(self.buffer.len());
            self.literal -= size;
            return Some(Piece { bytes: self.buffer.drain(..size).collect(), line: None });
        }
        let end = self.buffer.iter().position(|byte| *byte == b'\n')? + 1;
        let bytes: Vec<u8> = self.buffer.drain(..end).collect();
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\r', '\n']);
        if let Some(size) = literal_size(text) {
            let before = text.rfind('{').unwrap_or_default();
            self.line.push_str(&text[..before]);
            self.line.push_str(&format!("‹{size} bytes›"));
            self.literal = size;
            return Some(Piece { bytes, line: None });
        }
        self.line.push_str(text);
        Some(Piece { bytes, line: Some(std::mem::take(&mut self.line)) })
    }
}

/// The size of the literal that the line announces at its end, as `{12}` or `{12+}`.
pub(crate) fn literal_size(line: &str) -> Option<usize> {
    let digits = line.strip_suffix('}')?;
    let digits = digits.strip_suffix('+').unwrap_or(digits);
    digits.rsplit_once('{')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_no_line_even_when_it_looks_like_one() {
        let mut reader = LineReader::default();
        reader.feed(b"* 1 FETCH (UID 7 BODY[] {8}\r\na OK\r\n\r\n FLAGS ())\r\na OK done\r\n");
        let mut lines = Vec::new();
        while let Some(piece) = reader.next_piece() {
            lines.extend(piece.line);
        }
        assert_eq!(lines, ["* 1 FETCH (UID 7 BODY[] ‹8 bytes› FLAGS ())", "a OK done"]);
    }

    #[test]
    fn a_password_is_not_recorded() {
        assert_eq!(without_secrets("a LOGIN \"x\" \"secret\""), "a LOGIN ‹secret›");
        assert_eq!(without_secrets("a AUTHENTICATE PLAIN AHgAc2VjcmV0"), "a AUTHENTICATE PLAIN");
    }
}
