//! One logged-in connection: runs a command and keeps the answer.
//!
//! async-imap's own methods report success when the server says NO, and on a lost connection; [`Session::exec`] goes
//! round all of them. It keeps the tagged status, the response codes and every untagged line, and turns each way a
//! connection can end into an [`Error`]. After `Lost`, drop the session. Nothing here is safe to cancel, except by
//! dropping the session with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use tokio::time::Instant;

use async_imap::imap_proto::{MailboxDatum, RequestId, Response, ResponseCode, Status};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufWriter};

use super::answer::{self, Done, Glimpse, Tagged, tagged};
use super::error::Error;
use super::limit::Limit;
use super::meter::Meter;
use super::pace::Pace;
use super::{Line, Memory, folders, utf7};
use crate::desk::budget::Reading;

/// How much of a literal is sent within the session's patience.
const LITERAL_PIECE_BYTES: usize = 64 * 1024;

/// Anything that bytes can travel on.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Wire for T {}

/// Buffered, because async-imap writes a command in four pieces.
pub(super) type Stream = BufWriter<Box<dyn Wire>>;

/// Host and account, for messages.
#[derive(Clone, Debug)]
pub(super) struct Who {
    pub(super) host: String,
    pub(super) account: String,
}

impl Who {
    /// The connection is of no use any more.
    pub(super) fn lost(&self, how: impl Into<String>) -> Error {
        let Who { host, account } = self.clone();
        Error::Lost { host, account, how: how.into() }
    }

    /// The server asks to be left alone.
    pub(super) fn limited(&self, limit: Limit, answer: &str) -> Error {
        let Who { host, account } = self.clone();
        Error::Limited { host, account, limit, answer: answer.to_owned() }
    }
}

/// Whether the mailbox may be changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Everything that Baton does.
    ReadWrite,
    /// Folders are opened with EXAMINE, and nothing is created or written.
    ReadOnly,
}

/// A folder as SELECT shows it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Selected {
    pub(super) folder: String,
    pub(super) uidvalidity: u32,
    /// `None` where the server does not say (RFC 3501, section 6.3.1, allows it).
    pub(super) uidnext: Option<u32>,
    pub(super) exists: u32,
    /// 0 where the server has none.
    pub(super) modseq: u64,
    /// `\*` in PERMANENTFLAGS: new keywords are kept.
    pub(super) keywords: bool,
}

/// One logged-in connection.
#[derive(Debug)]
pub(super) struct Session {
    inner: async_imap::Session<Stream>,
    pub(super) who: Who,
    /// How long a silent server is waited for while it owes an answer.
    pub(super) patience: Duration,
    /// What has come from the server.
    pub(super) meter: Meter,
    pace: Pace,
    /// When the server was asked last.
    asked_at: Instant,
    /// Upper case.
    pub(super) capabilities: Vec<String>,
    /// ENABLE QRESYNC succeeded.
    pub(super) qresync: bool,
    pub(super) selected: Option<Selected>,
    /// Whether Gmail's labels are asked for with the flags.
    pub(super) labels: bool,
    /// Folders whose mail from before the cut-over waits for another day.
    pub(super) waiting: BTreeSet<String>,
    /// What untagged STATUS lines said of folders since somebody last looked.
    pub(super) heard: BTreeMap<String, Glimpse>,
}

impl Session {
    pub(super) fn new(inner: async_imap::Session<Stream>, who: Who, patience: Duration) -> Session {
        let (capabilities, heard) = (Vec::new(), BTreeMap::new());
        let (meter, pace, asked_at) = (Meter::default(), Pace::default(), Instant::now());
        Session {
            inner,
            who,
            patience,
            meter,
            pace,
            asked_at,
            capabilities,
            qresync: false,
            selected: None,
            labels: false,
            waiting: BTreeSet::new(),
            heard,
        }
    }

    /// Whether the server has a capability, named in upper case.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.iter().any(|have| have == capability)
    }

    /// The FETCH items that tell how a message is marked.
    pub(super) fn marks(&self) -> &'static str {
        if self.labels { "FLAGS X-GM-LABELS" } else { "FLAGS" }
    }

    /// Does without a capability from here on, because the server refused it.
    pub(super) fn forget(&mut self, capability: &str) {
        self.capabilities.retain(|have| have != capability);
    }

    /// Tells the memory how the line is doing. Answers what may be read on; to have to stop is an error.
    pub(super) async fn reading<M: Memory>(&mut self, memory: &mut M) -> Result<Reading, Error> {
        let line = Line {
            received: self.meter.take(),
            slowed: self.pace.is_slowed(),
            history_waits: !self.waiting.is_empty(),
        };
        match memory.line(line).await.map_err(Error::Memory)? {
            Reading::Nothing => Err(Error::Spent { account: self.who.account.clone() }),
            reading => Ok(reading),
        }
    }

    /// How long an answer is waited for.
    fn owed(&self) -> Duration {
        self.owed_within(self.patience)
    }

    /// How long an answer is waited for that usually comes within `usual`: longer where the server throttles.
    pub(super) fn owed_within(&self, usual: Duration) -> Duration {
        self.pace.patience(usual.min(self.patience))
    }

    /// Runs a command to its tagged answer; `on` gets every untagged response.
    pub(super) async fn exec(
        &mut self,
        command: &str,
        mut on: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Done, Error> {
        let tag = self.send(command).await?;
        loop {
            let answer = self.read(self.owed(), |response| {
                let answer = tagged(response, &tag);
                if answer.is_none() {
                    on(response);
                }
                answer
            });
            if let Some(answer) = answer.await? {
                return self.settle(command, answer);
            }
        }
    }

    /// The same where only the outcome matters.
    pub(super) async fn run(&mut self, command: &str) -> Result<Done, Error> {
        self.exec(command, |_| {}).await
    }

    /// Runs a command that ends in a literal (RFC 3501, section 4.3; RFC 7888 saves the wait for `+`).
    pub(super) async fn exec_literal(
        &mut self,
        command: &str,
        literal: &[u8],
    ) -> Result<Done, Error> {
        let at_once = self.can("LITERAL+");
        let plus = if at_once { "+" } else { "" };
        let tag = self.send(&format!("{command} {{{}{plus}}}", literal.len())).await?;
        if !at_once && let Some(answer) = self.invited(&tag).await? {
            return self.settle(command, answer);
        }
        for piece in literal.chunks(LITERAL_PIECE_BYTES) {
            let sent =
                tokio::time::timeout(self.patience, self.inner.as_mut().write_all(piece)).await;
            self.written(sent.map(|sent| sent.map_err(async_imap::error::Error::Io)))?;
        }
        self.send_line("").await?;
        loop {
            if let Some(answer) = self.read(self.owed(), |said| tagged(said, &tag)).await? {
                return self.settle(command, answer);
            }
        }
    }

    /// Waits for the `+`; untagged lines, or a refusal, may come before it.
    async fn invited(&mut self, tag: &RequestId) -> Result<Option<Tagged>, Error> {
        loop {
            let said = |response: &Response<'_>| match response {
                Response::Continue(_) => (true, None),
                response => (false, tagged(response, tag)),
            };
            match self.read(self.owed(), said).await? {
                (false, None) => {}
                (_, answer) => return Ok(answer),
            }
        }
    }

    /// Sends a command and answers its tag; not at once where the server is slowed.
    pub(super) async fn send(&mut self, command: &str) -> Result<RequestId, Error> {
        tokio::time::sleep(self.pace.pause()).await;
        self.asked_at = Instant::now();
        let sent = tokio::time::timeout(self.patience, self.inner.run_command(command)).await;
        self.written(sent)
    }

    /// Sends a line that ends what a command began.
    pub(super) async fn send_line(&mut self, line: &str) -> Result<(), Error> {
        self.asked_at = Instant::now();
        let sent = tokio::time::timeout(self.patience, self.inner.run_command_untagged(line)).await;
        self.written(sent)
    }

    fn written<T>(
        &self,
        sent: Result<async_imap::error::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, Error> {
        match sent {
            Ok(Ok(sent)) => Ok(sent),
            Ok(Err(error)) => Err(self.who.lost(error.to_string())),
            Err(_) => Err(self.who.lost("it takes no more bytes")),
        }
    }

    /// Reads one response, for no longer than `patience`, and gives it to `of`. Safe to cancel.
    pub(super) async fn read<R>(
        &mut self,
        patience: Duration,
        of: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<R, Error> {
        let data = match tokio::time::timeout(patience, self.inner.read_response()).await {
            Err(_) => {
                let how = format!("no answer within {}s", patience.as_secs());
                return Err(self.who.lost(how));
            }
            Ok(Ok(None)) => return Err(self.who.lost("the server closed it")),
            Ok(Ok(Some(data))) => data,
            Ok(Err(error)) => return Err(self.who.lost(answer::read_failure(&error))),
        };
        match data.parsed() {
            Response::Data { status: Status::Bye, outcome } => {
                let said = outcome.information.as_deref().unwrap_or_default();
                return Err(answer::goodbye(&self.who, said));
            }
            Response::MailboxData(MailboxDatum::Status { mailbox, status }) => {
                let name = folders::told_name(mailbox);
                self.heard.entry(name).or_default().learn(status);
            }
            _ => {}
        }
        Ok(of(data.parsed()))
    }

    /// Turns a tagged answer into a result.
    pub(super) fn settle(&mut self, command: &str, answer: Tagged) -> Result<Done, Error> {
        match answer {
            Tagged::Ok(done) => {
                self.pace.answered(&done.text, self.asked_at.elapsed());
                Ok(done)
            }
            Tagged::Refused(done) => Err(answer::refusal(&self.who, command, done)),
        }
    }

    /// Opens a folder and reads its counters anew, also when it is open already.
    ///
    /// An answer without UIDVALIDITY is a failure: without it no UID means anything.
    pub(super) async fn select(&mut self, folder: &str, access: Access) -> Result<Selected, Error> {
        let verb = match access {
            Access::ReadWrite => "SELECT",
            Access::ReadOnly => "EXAMINE",
        };
        // RFC 7162, section 3.1: the parameter enables CONDSTORE; QRESYNC implies it.
        let condstore = self.can("CONDSTORE") && !self.qresync;
        let with = if condstore { " (CONDSTORE)" } else { "" };
        let mut seen = Selected { folder: folder.to_owned(), ..Selected::default() };
        self.selected = None;
        let command = format!("{verb} {}{with}", utf7::quoted(folder));
        self.exec(&command, |response| learn(&mut seen, response)).await?;
        if seen.uidvalidity == 0 {
            return Err(self.who.lost(format!("{verb} told no UIDVALIDITY")));
        }
        self.selected = Some(seen.clone());
        Ok(seen)
    }

    /// Opens INBOX. If that is refused, the login was good for nothing.
    pub(super) async fn inbox(&mut self, access: Access) -> Result<Selected, Error> {
        match self.select("INBOX", access).await {
            Err(Error::Refused { host, account, answer, .. }) => {
                let folder = "INBOX".to_owned();
                Err(Error::NotPermitted { host, account, folder, answer })
            }
            opened => opened,
        }
    }

    /// Says goodbye; does not wait long for the answer.
    pub(super) async fn logout(&mut self) {
        /// The work is done; a server that is slow to say goodbye is not waited for.
        const LOGOUT_WAIT: Duration = Duration::from_secs(2);
        self.pace = Pace::default();
        let _ = tokio::time::timeout(LOGOUT_WAIT, self.run("LOGOUT")).await;
    }
}

fn learn(seen: &mut Selected, response: &Response<'_>) {
    match response {
        Response::MailboxData(MailboxDatum::Exists(count)) => seen.exists = *count,
        Response::Data { status: Status::Ok, outcome } => match &outcome.code {
            Some(ResponseCode::UidValidity(value)) => seen.uidvalidity = *value,
            Some(ResponseCode::UidNext(next)) => seen.uidnext = Some(*next),
            Some(ResponseCode::HighestModSeq(value)) => seen.modseq = *value,
            Some(ResponseCode::PermanentFlags(flags)) => {
                seen.keywords = flags.iter().any(|flag| flag == "\\*");
            }
            _ => {}
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::connect::tests::session;

    #[tokio::test]
    async fn a_goodbye_in_the_middle_of_a_fetch_is_a_loss_and_not_an_end() {
        let (mut session, _script) = session(
            "",
            "C: A0003 UID FETCH 1:9 (UID)\nS: * 1 FETCH (UID 1)\nS: * BYE Connection closed. 14",
        )
        .await;
        let mut rows = 0;
        let ended = session.exec("UID FETCH 1:9 (UID)", |_| rows += 1).await;
        assert!(matches!(ended, Err(Error::Lost { .. })), "{ended:?}");
        assert_eq!(rows, 1);
    }

    #[tokio::test]
    async fn a_connection_that_just_ends_is_a_loss_too() {
        let (mut session, _script) = session("", "C: A0003 NOOP\nS: * 1 EXISTS").await;
        assert!(matches!(session.run("NOOP").await, Err(Error::Lost { .. })));
    }

    #[tokio::test]
    async fn a_login_without_access_to_the_mailbox_needs_a_person() {
        let (mut session, _script) = session(
            "",
            "C: A0003 SELECT \"INBOX\"\nS: A0003 BAD User is authenticated but not connected.",
        )
        .await;
        let opened = session.inbox(Access::ReadWrite).await.unwrap_err();
        assert!(matches!(opened, Error::NotPermitted { .. }), "{opened:?}");
    }

    #[tokio::test]
    async fn a_literal_waits_for_the_plus_where_it_has_to() {
        let (mut with, script) =
            session("LITERAL+", "C: A0003 APPEND x {2+}\nC: hi\nS: A0003 OK").await;
        with.exec_literal("APPEND x", b"hi").await.unwrap();
        script.played().await;
        let (mut without, script) = session(
            "",
            "C: A0003 APPEND x {2}\nS: * 1 EXISTS\nS: + go\nC: hi\nS: A0003 OK\n\
             C: A0004 APPEND x {2}\nS: A0004 NO [OVERQUOTA] full",
        )
        .await;
        without.exec_literal("APPEND x", b"hi").await.unwrap();
        let full = without.exec_literal("APPEND x", b"hi").await.unwrap_err();
        assert!(full.to_string().contains("[OVERQUOTA] full"), "{full}");
        script.played().await;
    }

    #[tokio::test]
    async fn a_folder_without_uidvalidity_is_not_open() {
        let (mut session, _script) =
            session("", "C: A0003 EXAMINE \"INBOX\"\nS: * 1 EXISTS\nS: A0003 OK").await;
        let opened = session.select("INBOX", Access::ReadOnly).await;
        assert!(matches!(opened, Err(Error::Lost { .. })), "{opened:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_not_waited_for_for_ever() {
        let (mut session, _script) = session("", "C: A0003 NOOP\nS: HOLD").await;
        assert!(matches!(session.run("NOOP").await, Err(Error::Lost { .. })));
    }
}
