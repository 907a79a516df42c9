//! An HTTP/1.1 server for the twins: a thread for each connection, small requests, whole answers.
//!
//! It keeps connections open between requests, records every request, and can be in [`Trouble`]. What is answered is
//! the business of the function it is given.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::form::Form;

/// The largest body that a client may send.
const BODY_BYTES: usize = 1 << 20;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Without the query, percent-encoding left as it came.
    pub(crate) path: String,
    pub(crate) query: Form,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The value of a header, whatever the case of its name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> Form {
        Form::read(&String::from_utf8_lossy(&self.body))
    }

    /// The token of `Authorization: Bearer`.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ").map(str::trim)
    }
}

/// One answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    /// A JSON document, with the headers that token endpoints must send (RFC 6749 5.1).
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Answer {
        let headers = vec![
            ("Content-Type", "application/json; charset=utf-8".to_owned()),
            ("Cache-Control", "no-store".to_owned()),
            ("Pragma", "no-cache".to_owned()),
        ];
        Answer { status, headers, body: format!("{body:#}") }
    }

    /// A page that a person reads.
    pub(crate) fn page(status: u16, text: &str) -> Answer {
        let headers = vec![("Content-Type", "text/html; charset=utf-8".to_owned())];
        Answer { status, headers, body: format!("<!doctype html><p>{text}</p>\n") }
    }

    /// Sends the browser elsewhere.
    pub(crate) fn redirect(to: String) -> Answer {
        Answer { status: 302, headers: vec![("Location", to)], body: String::new() }
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Answer {
        self.headers.push((name, value.into()));
        self
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("Content-Length: {}\r\n\r\n{}", self.body.len(), self.body));
        text.into_bytes()
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        429 => "Too Many Requests",
        503 => "Service Unavailable",
        _ => "Unknown",
    }
}

/// What is wrong with a server.
#[derive(Clone, Debug, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// The network is down: connections close before a word is said.
    Down,
    /// It answers this instead, whatever was asked.
    Says(Answer),
    /// It takes the request and answers when the trouble is over.
    Hangs,
    /// It does what is asked, and answers when the trouble is over.
    Mute,
    /// It says nothing for so long, then answers.
    Slow(Duration),
    /// It sends the first half of the answer and closes.
    Cut,
}

impl Trouble {
    /// The status, with a `Retry-After` in seconds, and a body that is no JSON, as load balancers answer.
    pub(crate) fn status(status: u16, retry_after: Option<u32>) -> Trouble {
        let mut answer = Answer::page(status, reason(status));
        if let Some(seconds) = retry_after {
            answer = answer.with("Retry-After", seconds.to_string());
        }
        Trouble::Says(answer)
    }
}

type Site = Box<dyn Fn(&Request) -> Answer + Send + Sync>;

#[derive(Default)]
struct Troubles {
    next: VecDeque<Trouble>,
    /// Waits for a request of this method.
    of_method: Option<(&'static str, Trouble)>,
    always: Trouble,
}

struct Shared {
    site: Site,
    requests: Mutex<Vec<Request>>,
    troubles: Mutex<Troubles>,
    changed: Condvar,
    closing: AtomicBool,
    sockets: Mutex<Vec<TcpStream>>,
}

/// A listening server; it and its connections end when it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

impl Server {
    /// Listens on a free port of the loopback. `site` is given the server's own URL first.
    pub(crate) fn start<F>(make: impl FnOnce(&str) -> F) -> Server
    where
        F: Fn(&Request) -> Answer + Send + Sync + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            site: Box::new(make(&format!("http://127.0.0.1:{port}"))),
            requests: Mutex::default(),
            troubles: Mutex::default(),
            changed: Condvar::new(),
            closing: AtomicBool::new(false),
            sockets: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                if accepting.closing.load(Ordering::SeqCst) {
                    return;
                }
                accepting.sockets.lock().unwrap().extend(socket.try_clone());
                let shared = Arc::clone(&accepting);
                thread::spawn(move || shared.serve(socket));
            }
        });
        Server { port, shared }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on; [`Trouble::None`] heals it and lets go of what hangs.
    pub(crate) fn set_trouble(&self, trouble: Trouble) {
        self.shared.troubles.lock().unwrap().always = trouble;
        self.shared.changed.notify_all();
    }

    /// The next request that has no trouble of its own yet gets this one, once.
    pub(crate) fn trouble_once(&self, trouble: Trouble) {
        self.shared.troubles.lock().unwrap().next.push_back(trouble);
    }

    /// The next request of this method gets it, once.
    pub(crate) fn trouble_for(&self, method: &'static str, trouble: Trouble) {
        self.shared.troubles.lock().unwrap().of_method = Some((method, trouble));
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }
}

impl Drop for Server {
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
    fn serve(&self, socket: TcpStream) {
        let Ok(mut to) = socket.try_clone() else { return };
        let mut from = BufReader::new(socket);
        while let Some(request) = read_request(&mut from) {
            let ends = request.header("connection").is_some_and(|what| what == "close");
            self.requests.lock().unwrap().push(request.clone());
            let sent = match self.trouble_of(&request) {
                Trouble::None => to.write_all(&(self.site)(&request).to_bytes()).is_ok(),
                Trouble::Down => false,
                Trouble::Says(answer) => to.write_all(&answer.to_bytes()).is_ok(),
                Trouble::Hangs => {
                    self.wait_until_healed();
                    to.write_all(&(self.site)(&request).to_bytes()).is_ok()
                }
                Trouble::Mute => {
                    let bytes = (self.site)(&request).to_bytes();
                    self.wait_until_healed();
                    to.write_all(&bytes).is_ok()
                }
                Trouble::Slow(pause) => {
                    self.pause(pause);
                    to.write_all(&(self.site)(&request).to_bytes()).is_ok()
                }
                Trouble::Cut => {
                    let bytes = (self.site)(&request).to_bytes();
                    let _ = to.write_all(&bytes[..bytes.len() - bytes.len() / 4]);
                    false
                }
            };
            if !sent || ends {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    }

    fn trouble_of(&self, request: &Request) -> Trouble {
        let mut troubles = self.troubles.lock().unwrap();
        if let Some((_, trouble)) = troubles.of_method.take_if(|(of, _)| *of == request.method) {
            if matches!(trouble, Trouble::Mute) {
                troubles.always = Trouble::Mute;
            }
            return trouble;
        }
        let once = troubles.next.pop_front();
        once.unwrap_or_else(|| troubles.always.clone())
    }

    fn wait_until_healed(&self) {
        let troubles = self.troubles.lock().unwrap();
        let closing = || self.closing.load(Ordering::SeqCst);
        let hangs =
            |t: &mut Troubles| matches!(t.always, Trouble::Hangs | Trouble::Mute) && !closing();
        drop(self.changed.wait_while(troubles, hangs).unwrap());
    }

    fn pause(&self, pause: Duration) {
        let troubles = self.troubles.lock().unwrap();
        let closing = |_: &mut Troubles| !self.closing.load(Ordering::SeqCst);
        drop(self.changed.wait_timeout_while(troubles, pause, closing).unwrap());
    }
}

/// Reads a request; none at the end of the connection, or when it is no HTTP.
fn read_request(from: &mut BufReader<TcpStream>) -> Option<Request> {
    let first = read_line(from)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: path.to_owned(),
        query: Form::read(query),
        headers: Vec::new(),
        body: Vec::new(),
    };
    loop {
        let line = read_line(from)?;
        let Some((name, value)) = line.split_once(':') else { break };
        request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|n| n.parse().ok()).unwrap_or(0);
    if length > BODY_BYTES {
        return None;
    }
    request.body.resize(length, 0);
    from.read_exact(&mut request.body).ok()?;
    Some(request)
}

fn read_line(from: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    match from.read_line(&mut line) {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
    }
}
