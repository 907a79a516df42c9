//! What the server's answers mean: outcomes, response codes, refusals, counters.
//!
//! Pure: values of the parser in, our own values out. Where to start: [`refusal`], which decides what kind of no it was.

use std::io;

use async_imap::imap_proto::rfc4315::UidSetMember;
use async_imap::imap_proto::{Outcome, RequestId, Response, ResponseCode, Status, StatusAttribute};

use super::error::Error;
use super::limit::{limit, limit_of};
use super::session::{Selected, Who};

/// What a server told of the new UIDs: the target's UIDVALIDITY, and pairs of old and new UID.
pub(super) type Copied = (u32, Vec<(u32, u32)>);

/// The most pairs that are read from one COPYUID; commands are far shorter.
const COPIED_MAX: usize = 100_000;

/// The outcome of a command.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Done {
    /// The response code's first word, upper case.
    pub(super) code: Option<String>,
    /// COPYUID, if that was the code.
    pub(super) copied: Option<Copied>,
    /// APPENDUID, if that was the code: UIDVALIDITY and UID.
    pub(super) appended: Option<(u32, u32)>,
    /// The rest, for people.
    pub(super) text: String,
}

/// The answer that ends a command.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Tagged {
    /// OK.
    Ok(Done),
    /// NO or BAD.
    Refused(Done),
}

/// The answer to the command with this tag, if it is that.
pub(super) fn tagged(response: &Response<'_>, tag: &RequestId) -> Option<Tagged> {
    match response {
        Response::Done { tag: answered, status, outcome } if answered == tag => match status {
            Status::Ok => Some(Tagged::Ok(done(outcome))),
            _ => Some(Tagged::Refused(done(outcome))),
        },
        _ => None,
    }
}

/// Reads the outcome of a response. Codes that the parser does not know stay inside its text.
pub(super) fn done(outcome: &Outcome<'_>) -> Done {
    let text = outcome.information.as_deref().unwrap_or_default();
    if let Some(code) = &outcome.code {
        let (copied, appended) = (copied(code), appended(code));
        let text = text.to_owned();
        return Done { code: word(code).map(str::to_owned), copied, appended, text };
    }
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((code, rest)) => Done {
            code: code.split(' ').next().map(str::to_ascii_uppercase),
            text: rest.trim_start().to_owned(),
            ..Done::default()
        },
        None => Done { text: text.to_owned(), ..Done::default() },
    }
}

fn word(code: &ResponseCode<'_>) -> Option<&'static str> {
    match code {
        ResponseCode::Alert => Some("ALERT"),
        ResponseCode::TryCreate => Some("TRYCREATE"),
        ResponseCode::ReadOnly => Some("READ-ONLY"),
        ResponseCode::ReadWrite => Some("READ-WRITE"),
        ResponseCode::CopyUid(..) => Some("COPYUID"),
        ResponseCode::AppendUid(..) => Some("APPENDUID"),
        ResponseCode::HighestModSeq(_) => Some("HIGHESTMODSEQ"),
        _ => None,
    }
}

/// COPYUID (RFC 4315, section 3): both sets name the messages in the same order.
pub(super) fn copied(code: &ResponseCode<'_>) -> Option<Copied> {
    let ResponseCode::CopyUid(uidvalidity, from, to) = code else { return None };
    let pairs: Vec<(u32, u32)> = each(from).zip(each(to)).take(COPIED_MAX).collect();
    Some((*uidvalidity, pairs))
}

fn appended(code: &ResponseCode<'_>) -> Option<(u32, u32)> {
    let ResponseCode::AppendUid(uidvalidity, uids) = code else { return None };
    each(uids).next().map(|uid| (*uidvalidity, uid))
}

fn each(set: &[UidSetMember]) -> impl Iterator<Item = u32> {
    set.iter().flat_map(|member| match member {
        UidSetMember::UidRange(range) => range.clone(),
        UidSetMember::Uid(uid) => *uid..=*uid,
    })
}

/// What kind of no it was.
pub(super) fn refusal(who: &Who, command: &str, done: Done) -> Error {
    let Who { host, account } = who.clone();
    let said = done.text.to_ascii_lowercase();
    if let Some(limit) = limit_of(command, done.code.as_deref(), &done.text) {
        return Error::Limited { host, account, limit, answer: worded(done) };
    }
    // Exchange Online accepts the login and then refuses every command about the mailbox.
    if said.contains("authenticated but not connected") {
        let (folder, answer) = ("the mailbox".to_owned(), done.text);
        return Error::NotPermitted { host, account, folder, answer };
    }
    if is_routine_end(&said) {
        return Error::Ended { host, account, how: done.text };
    }
    let code = done.code.clone();
    Error::Refused { host, account, command: name(command), code, answer: worded(done) }
}

/// The server's words, with the code before them.
fn worded(done: Done) -> String {
    match &done.code {
        Some(code) => format!("[{code}] {}", done.text),
        None => done.text,
    }
}

/// What an untagged BYE means.
pub(super) fn goodbye(who: &Who, said: &str) -> Error {
    if is_routine_end(&said.to_ascii_lowercase()) {
        let Who { host, account } = who.clone();
        return Error::Ended { host, account, how: said.to_owned() };
    }
    if let Some(limit) = limit(said) {
        return who.limited(limit, said);
    }
    who.lost(format!("the server said goodbye: {said}"))
}

/// In lower case: whether a session ended because its time was over. Exchange Online: `Session invalidated -
/// AccessTokenExpired` (M55), which also comes as the text of a refusal; Gmail: `Session expired, please login again.` (G64).
fn is_routine_end(said: &str) -> bool {
    said.contains("accesstokenexpired") || said.starts_with("session expired")
}

/// The command's name, without arguments: what follows may be an address.
fn name(command: &str) -> String {
    let words = if command.starts_with("UID ") { 2 } else { 1 };
    command.split(' ').take(words).collect::<Vec<_>>().join(" ")
}

/// Why reading failed. A parser's failure quotes what it could not read, which may be mail.
pub(super) fn read_failure(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once("during parsing of") {
        Some(_) => {
            let beginning: String = text.chars().take(400).collect();
            tracing::debug!(beginning, "the server sent what the parser does not know");
            "the server sent something that cannot be understood".to_owned()
        }
        None => text,
    }
}

/// What a STATUS line said of a folder; what it did not say is `None`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Glimpse {
    uidvalidity: Option<u32>,
    uidnext: Option<u32>,
    messages: Option<u32>,
    modseq: Option<u64>,
}

impl Glimpse {
    /// A folder that has just been opened.
    pub(super) fn of(selected: &Selected) -> Glimpse {
        Glimpse {
            uidvalidity: Some(selected.uidvalidity),
            uidnext: selected.uidnext,
            messages: Some(selected.exists),
            modseq: Some(selected.modseq),
        }
    }

    /// Later lines overrule earlier ones, item by item.
    pub(super) fn learn(&mut self, status: &[StatusAttribute]) {
        for item in status {
            match item {
                StatusAttribute::UidValidity(value) => self.uidvalidity = Some(*value),
                StatusAttribute::UidNext(next) => self.uidnext = Some(*next),
                StatusAttribute::Messages(count) => self.messages = Some(*count),
                StatusAttribute::HighestModSeq(value) => self.modseq = Some(*value),
                _ => {}
            }
        }
    }

    /// Whether anything is other than when the folder was last opened.
    pub(super) fn differs(&self, known: &Selected) -> bool {
        fn other<T: PartialEq>(now: Option<T>, then: T) -> bool {
            now.is_some_and(|now| now != then)
        }
        other(self.uidvalidity, known.uidvalidity)
            || self.uidnext.is_some_and(|now| other(known.uidnext, now))
            || other(self.messages, known.exists)
            || other(self.modseq, known.modseq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imap::limit::Limit;

    fn who() -> Who {
        Who { host: "h:993".into(), account: "a".into() }
    }

    fn answered(line: &str) -> Done {
        let (_, response) = Response::parse(line.as_bytes()).unwrap();
        match response {
            Response::Done { outcome, .. } | Response::Data { outcome, .. } => done(&outcome),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn codes_are_found_whether_the_parser_knows_them_or_not() {
        assert_eq!(answered("A NO [TRYCREATE] No such\r\n").code.as_deref(), Some("TRYCREATE"));
        let gone = answered("A NO [NONEXISTENT] Mailbox doesn't exist\r\n");
        assert_eq!(gone.code.as_deref(), Some("NONEXISTENT"));
        assert_eq!(gone.text, "Mailbox doesn't exist");
        assert_eq!(answered("A OK done\r\n").code, None);
        let moved = answered("* OK [COPYUID 9 3,5:6 20:22] Moved\r\n");
        assert_eq!(moved.copied, Some((9, vec![(3, 20), (5, 21), (6, 22)])));
    }

    #[test]
    fn each_kind_of_no_is_told_apart() {
        let no = |text: &str| {
            let done = answered(&format!("A BAD {text}\r\n"));
            refusal(&who(), "UID STORE 1 +FLAGS (x)", done)
        };
        match no("Request is throttled. Suggested Backoff Time: 92415 milliseconds") {
            Error::Limited { limit: Limit::Backoff(wait), .. } => {
                assert_eq!(wait.as_millis(), 92_415);
            }
            other => panic!("{other:?}"),
        }
        let over = no("[OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)");
        assert!(matches!(over, Error::Limited { limit: Limit::Quota, .. }), "{over:?}");
        assert!(over.to_string().contains("[OVERQUOTA] Account exceeded"), "{over}");
        let bye = goodbye(&who(), "Too many simultaneous connections. (Failure)");
        assert!(matches!(bye, Error::Limited { limit: Limit::Connections, .. }), "{bye:?}");
        assert!(matches!(
            no("User is authenticated but not connected."),
            Error::NotPermitted { .. }
        ));
        match no("[LIMIT] Too many keywords") {
            Error::Refused { command, code, answer, .. } => {
                assert_eq!(command, "UID STORE");
                assert_eq!(code.as_deref(), Some("LIMIT"));
                assert_eq!(answer, "[LIMIT] Too many keywords");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_glimpse_differs_only_in_what_it_says() {
        let known = Selected {
            uidvalidity: 1,
            uidnext: Some(5),
            exists: 3,
            modseq: 9,
            ..Selected::default()
        };
        let mut glimpse = Glimpse::default();
        assert!(!glimpse.differs(&known));
        glimpse.learn(&[StatusAttribute::Messages(3), StatusAttribute::UidNext(5)]);
        assert!(!glimpse.differs(&known));
        glimpse.learn(&[StatusAttribute::HighestModSeq(10)]);
        assert!(glimpse.differs(&known));
    }
}
