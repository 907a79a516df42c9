//! The listening socket, its connections, and what tests may do to them.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::compress::{Incoming, Outgoing};
use super::dialect::{Dialect, Session};
use super::session::Connection;
use super::wire::{Input, Reader};

/// One line of a client, with its literals, and how much was answered.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Counts the connections from one.
    pub(crate) connection: usize,
    pub(crate) account: Option<String>,
    /// Without line end. Bytes that are no UTF-8 are replaced.
    pub(crate) line: String,
    pub(crate) bytes: usize,
    pub(crate) answer_bytes: usize,
}

/// A running server; it and its connections end when it is dropped.
pub(crate) struct Server<D: Dialect> {
    pub(crate) port: u16,
    shared: Arc<Shared<D>>,
    accepting: Option<JoinHandle<()>>,
}

/// What all connections share.
pub(super) struct Shared<D> {
    dialect: Mutex<D>,
    lines: Mutex<Vec<(Arc<Line>, Sender<Input>)>>,
    heard: Mutex<Vec<Heard>>,
    connections: AtomicUsize,
    closing: AtomicBool,
    /// Signalled when the server goes, for those who sleep.
    close: (Mutex<()>, Condvar),
}

/// The wire to one client, for writing.
pub(super) struct Line {
    number: usize,
    socket: TcpStream,
    writing: Mutex<Outgoing>,
    /// Whether the client deflates what it sends.
    deflated: Arc<AtomicBool>,
}

impl Line {
    /// Sends everything, or as much as a client takes that has gone.
    pub(super) fn send(&self, bytes: &[u8]) {
        if !bytes.is_empty() {
            let _ = self.writing.lock().unwrap().send(bytes, &self.socket);
        }
    }

    /// From now on the client may deflate what it sends.
    pub(super) fn inflates(&self) {
        self.deflated.store(true, Ordering::SeqCst);
    }

    /// From now on what is sent is deflated.
    pub(super) fn deflates(&self) {
        self.writing.lock().unwrap().deflates();
    }

    pub(super) fn close(&self) {
        let _ = self.socket.shutdown(Shutdown::Both);
    }
}

impl<D: Dialect> Server<D> {
    /// Listens on a free port of the loopback.
    pub(crate) fn start(dialect: D) -> Server<D> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            dialect: Mutex::new(dialect),
            lines: Mutex::default(),
            heard: Mutex::default(),
            connections: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            close: Default::default(),
        });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Server { port, shared, accepting: Some(accepting) }
    }

    /// Looks at the provider, or changes it; afterwards every session is told what is news to it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut D) -> T) -> T {
        let done = act(&mut self.shared.dialect());
        self.shared.wake(0);
        done
    }

    /// Everything the clients have said, in order.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Cuts every connection, without a word.
    pub(crate) fn cut(&self) {
        self.shared.lines.lock().unwrap().iter().for_each(|(line, _)| line.close());
    }
}

impl<D: Dialect> Drop for Server<D> {
    fn drop(&mut self) {
        self.shared.closing.store(true, Ordering::SeqCst);
        let sleepers = self.shared.close.0.lock();
        self.shared.close.1.notify_all();
        drop(sleepers);
        // Wakes the accepting thread, which then sees that it is over.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl<D: Dialect> Shared<D> {
    pub(super) fn dialect(&self) -> MutexGuard<'_, D> {
        self.dialect.lock().unwrap()
    }

    /// Accepts until the server goes, then waits for its connections to end.
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut threads = Vec::new();
        for socket in listener.incoming().flatten() {
            if self.closing.load(Ordering::SeqCst) {
                break;
            }
            threads.extend(self.serve(socket).into_iter().flatten());
        }
        self.lines.lock().unwrap().iter().for_each(|(line, _)| line.close());
        for thread in threads {
            let _ = thread.join();
        }
    }

    /// Two threads for each connection: one reads, the other thinks and writes.
    fn serve(self: &Arc<Self>, socket: TcpStream) -> Option<[JoinHandle<()>; 2]> {
        let number = self.connections.fetch_add(1, Ordering::SeqCst) + 1;
        let _ = socket.set_nodelay(true);
        let from = socket.try_clone().ok()?;
        let deflated = Arc::new(AtomicBool::new(false));
        let from = Incoming::new(from, Arc::clone(&deflated));
        let line = Arc::new(Line { number, socket, writing: Mutex::default(), deflated });
        let (sender, inputs) = channel();
        self.lines.lock().unwrap().push((Arc::clone(&line), sender.clone()));
        let (limits, go_ahead) = {
            let dialect = self.dialect();
            (dialect.limits(), format!("{}\r\n", dialect.go_ahead()))
        };
        let asked = Arc::clone(&line);
        let reading = thread::spawn(move || {
            let ask = || {
                asked.send(go_ahead.as_bytes());
                Ok(())
            };
            let mut reader = Reader::new(from, limits, ask);
            while let Ok(input) = reader.next() {
                if sender.send(input).is_err() {
                    return;
                }
            }
            let _ = sender.send(Input::Closed);
        });
        let shared = Arc::clone(self);
        let thinking = thread::spawn(move || {
            // Whatever becomes of this thread, the client must not wait for it.
            let _goodbye = Goodbye { shared: Arc::clone(&shared), line: Arc::clone(&line) };
            Connection::new(shared, line, inputs, number).serve();
        });
        Some([reading, thinking])
    }

    /// Lets every session but this one look for news.
    pub(super) fn wake(&self, except: usize) {
        let lines = self.lines.lock().unwrap();
        for (_, sender) in lines.iter().filter(|(line, _)| line.number != except) {
            let _ = sender.send(Input::Wake);
        }
    }

    /// Writes down what a client said; the answer's size is added with [`Shared::answered`].
    pub(super) fn record(&self, session: &Session, bytes: &[u8]) -> usize {
        let mut heard = self.heard.lock().unwrap();
        heard.push(Heard {
            connection: session.number,
            account: session.account.clone(),
            line: String::from_utf8_lossy(bytes).into_owned(),
            bytes: bytes.len() + 2,
            answer_bytes: 0,
        });
        heard.len() - 1
    }

    pub(super) fn answered(&self, record: usize, bytes: usize) {
        self.heard.lock().unwrap()[record].answer_bytes = bytes;
    }

    /// Waits, but not longer than the server lives.
    pub(super) fn pause(&self, pause: Duration) {
        let (lock, closing) = &self.close;
        let guard = lock.lock().unwrap();
        let open = |(): &mut ()| !self.closing.load(Ordering::SeqCst);
        drop(closing.wait_timeout_while(guard, pause, open));
    }
}

/// Ends a connection when its thread ends, however it ends.
struct Goodbye<D> {
    shared: Arc<Shared<D>>,
    line: Arc<Line>,
}

impl<D> Drop for Goodbye<D> {
    fn drop(&mut self) {
        self.line.close();
        if let Ok(mut lines) = self.shared.lines.lock() {
            lines.retain(|(line, _)| line.number != self.line.number);
        }
    }
}
