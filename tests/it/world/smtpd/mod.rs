//! A server that sends mail, in the test's own process: it takes what is handed to it, and tells what it took.
//!
//! The **engine** speaks RFC 5321 ([`dialogue`]) and may get into trouble at any step ([`trouble`]). A [`Policy`] is the
//! provider: who may log in, what becomes of a mail, what is answered. [`Plain`] takes everything, as a Postfix does that
//! knows its customers; Gmail's is in `world/gmail/smtp.rs`.
//!
//! ```ignore
//! let smtp = world.provider_smtp();
//! smtp.set(|knobs| knobs.answers = Some("452 4.3.1 Insufficient system storage".into()));
//! assert_eq!(smtp.sent()[0].to, ["carla@customer.test"]);
//! ```

mod dialogue;
mod plain;
mod trouble;
mod wire;

use std::collections::VecDeque;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub(crate) use self::plain::Plain;
pub(crate) use self::trouble::{Act, STEPS, Step, Trouble, Troubles, When};

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Who was logged in.
    pub(crate) login: String,
    /// MAIL FROM.
    pub(crate) from: String,
    /// RCPT TO.
    pub(crate) to: Vec<String>,
    /// The lines of MAIL and RCPT as they were said, parameters included.
    pub(crate) envelope: Vec<String>,
    /// As it is delivered, without the dots that were stuffed.
    pub(crate) message: Vec<u8>,
    /// The connection that brought it; they are counted from one.
    pub(crate) connection: usize,
}

impl Sent {
    /// The message as text, whatever its bytes are.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.message).into_owned()
    }
}

/// A provider.
pub(crate) trait Policy: Send {
    /// What stands behind `220 `.
    fn banner(&self) -> String {
        "mail.example.test ESMTP".into()
    }

    /// What stands behind the first `250-` of EHLO.
    fn greets(&self) -> String {
        "mail.example.test".into()
    }

    /// The answer to a password.
    ///
    /// # Errors
    /// The refusal, with its code.
    fn password(&mut self, user: &str, password: &str) -> Result<String, String>;

    /// The answer to a token.
    ///
    /// # Errors
    /// What is said in a further `334`, if anything, and the refusal.
    fn bearer(&mut self, _user: &str, _token: &str) -> Result<String, (Option<String>, String)> {
        Err((None, "504 5.7.4 Unrecognized authentication type".into()))
    }

    /// The answer to one more recipient.
    fn recipient(&mut self, _to: &str, _before: usize) -> String {
        "250 2.1.5 Ok".into()
    }

    /// What is said of a mail, which it may change; what begins with 2 was taken.
    fn takes(&mut self, sent: &mut Sent) -> String;
}

/// What the server offers and does today.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// The lines of EHLO behind the first.
    pub(crate) offers: Vec<String>,
    /// The next mails are answered so, and not taken.
    pub(crate) answers: VecDeque<String>,
}

impl Default for Knobs {
    fn default() -> Knobs {
        let offers = [
            "SIZE 35651584",
            "8BITMIME",
            "SMTPUTF8",
            "PIPELINING",
            "ENHANCEDSTATUSCODES",
            "DSN",
            "AUTH PLAIN LOGIN",
        ];
        Knobs { offers: offers.map(str::to_owned).into(), answers: VecDeque::new() }
    }
}

impl Knobs {
    /// Offers no longer what begins with this word.
    pub(crate) fn hides(&mut self, word: &str) {
        self.offers.retain(|line| line.split(' ').next() != Some(word));
    }
}

/// A running server; it and its connections end when it is dropped.
pub(crate) struct Smtpd {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

/// What all connections share.
struct Shared {
    policy: Mutex<Box<dyn Policy>>,
    knobs: Mutex<Knobs>,
    sent: Mutex<Vec<Sent>>,
    troubles: Mutex<Option<Troubles>>,
    sockets: Mutex<Vec<TcpStream>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    closing: AtomicBool,
}

impl Smtpd {
    /// Listens on a free port of the loopback.
    pub(crate) fn start(policy: impl Policy + 'static) -> Smtpd {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            policy: Mutex::new(Box::new(policy)),
            knobs: Mutex::default(),
            sent: Mutex::default(),
            troubles: Mutex::default(),
            sockets: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accepting.accept(&listener));
        Smtpd { port, shared }
    }

    /// What was taken, in order.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.shared.sent.lock().unwrap().clone()
    }

    /// From now on this is the provider.
    pub(crate) fn serves(&self, policy: impl Policy + 'static) {
        *self.shared.policy.lock().unwrap() = Box::new(policy);
    }

    /// Turns the knobs.
    pub(crate) fn set(&self, turn: impl FnOnce(&mut Knobs)) {
        turn(&mut self.shared.knobs.lock().unwrap());
    }

    /// From now on this says what goes wrong at each step; nothing where there is none.
    pub(crate) fn troubles(&self, troubles: Option<Troubles>) {
        *self.shared.troubles.lock().unwrap() = troubles;
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most connections that were open at a time.
    pub(crate) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// Breaks every connection, without a word.
    pub(crate) fn cut(&self) {
        for socket in self.shared.sockets.lock().unwrap().drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Smtpd {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn accept(self: &Arc<Shared>, listener: &TcpListener) {
        for socket in listener.incoming().flatten() {
            if self.closing.load(Ordering::SeqCst) {
                return;
            }
            let number = 1 + self.connections.fetch_add(1, Ordering::SeqCst);
            let mut sockets = self.sockets.lock().unwrap();
            // Whoever has gone is forgotten.
            sockets.retain(|socket| socket.peer_addr().is_ok());
            sockets.extend(socket.try_clone());
            let shared = Arc::clone(self);
            thread::spawn(move || {
                let open = 1 + shared.open.fetch_add(1, Ordering::SeqCst);
                shared.most_open.fetch_max(open, Ordering::SeqCst);
                let _gone = dialogue::Dialogue::new(&shared, number).holds(&socket);
                shared.open.fetch_sub(1, Ordering::SeqCst);
                let _ = socket.shutdown(Shutdown::Both);
            });
        }
    }

    fn trouble(&self, connection: usize, step: Step) -> Trouble {
        let mut troubles = self.troubles.lock().unwrap();
        troubles.as_mut().map_or(Trouble::None, |troubles| troubles(connection, step))
    }
}
