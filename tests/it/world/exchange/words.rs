//! The words that Exchange finds.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::super::imapd::{Copied, Folder, Moment, Pairs, Session, Store, compact};
use super::knobs::{Knobs, MoveAnswer};

/// The server that is encoded in the greeting of M2.
const HOST: &str = "MWHPR21CA0060.namprd21.prod.outlook.com";
/// M17.
pub(super) const ARGUMENT_ERROR: &str = "BAD Command Argument Error. 11";
/// M17.
pub(super) const COMMAND_ERROR: &str = "BAD Command Error. 10";
/// M46.
pub(super) const TOO_LARGE: &str = "NO Maximum size of appendable message has been exceeded";
/// M12.
pub(super) const NOT_CONNECTED: &str = "BAD User is authenticated but not connected.";
/// M55.
pub(super) const TOKEN_EXPIRED: &str = "Session invalidated - AccessTokenExpired";
/// All the flags there are (M27, M28); no `\*`.
pub(super) const FLAGS: &[&str] =
    &["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$MDNSent"];

/// Commands that Exchange knows; what it cannot read of them is an argument error (M17, M47).
const VERBS: &[&str] = &[
    "CAPABILITY",
    "NOOP",
    "LOGOUT",
    "ID",
    "NAMESPACE",
    "IDLE",
    "CLOSE",
    "UNSELECT",
    "CHECK",
    "EXPUNGE",
    "LOGIN",
    "AUTHENTICATE",
    "SELECT",
    "EXAMINE",
    "CREATE",
    "DELETE",
    "RENAME",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "LIST",
    "LSUB",
    "STATUS",
    "APPEND",
    "FETCH",
    "STORE",
    "COPY",
    "MOVE",
    "SEARCH",
];

/// M2: no response code, but a host name in UTF-16, in base64.
pub(super) fn greeting() -> String {
    let utf16: Vec<u8> = HOST.encode_utf16().flat_map(u16::to_le_bytes).collect();
    format!(
        "* OK The Microsoft Exchange IMAP4 service is ready. [{}]",
        BASE64_STANDARD.encode(utf16)
    )
}

/// M3, M4, M5: MOVE comes with the login.
pub(super) fn capabilities(session: &Session, knobs: &Knobs) -> String {
    let auth =
        if knobs.login_disabled { "AUTH=XOAUTH2 LOGINDISABLED" } else { "AUTH=PLAIN AUTH=XOAUTH2" };
    match session.account {
        None => format!(
            "IMAP4 IMAP4rev1 {auth} SASL-IR UIDPLUS ID UNSELECT CHILDREN IDLE NAMESPACE LITERAL+"
        ),
        Some(_) => format!(
            "IMAP4 IMAP4rev1 {auth} SASL-IR UIDPLUS MOVE ID UNSELECT CLIENTACCESSRULES \
             CLIENTNETWORKPRESENCELOCATION BACKENDAUTHENTICATE CHILDREN IDLE NAMESPACE LITERAL+"
        ),
    }
}

/// What follows the tag. Words without a fact are from memory.
pub(super) fn words(moment: Moment<'_>) -> String {
    match moment {
        // M11: `UID STORE` is completed as `STORE`.
        Moment::Done(verb) => format!("OK {} completed.", verb.trim_start_matches("UID ")),
        Moment::Selected { read_only: true, .. } => "OK [READ-ONLY] EXAMINE completed.".into(),
        Moment::Selected { .. } => "OK [READ-WRITE] SELECT completed.".into(),
        Moment::Appended(placed) => {
            format!("OK [APPENDUID {} {}] APPEND completed.", placed.uid_validity, placed.uid)
        }
        Moment::SomeAreGone => "OK FETCH completed.".into(),
        Moment::NoSuchFolder(_) | Moment::CannotSelect(_) => "NO Mailbox does not exist.".into(),
        Moment::NoSuchTarget(_) => "NO [TRYCREATE] Mailbox does not exist.".into(),
        // M11.
        Moment::ReadOnly | Moment::WrongState(_) => "BAD Command received in Invalid state.".into(),
        // M7 of section 7: `SELECT INBOX (CONDSTORE)`; M47: `FETCH 1 X-GM-LABELS`.
        Moment::Unparsable { verb } if VERBS.contains(&verb.trim_start_matches("UID ")) => {
            ARGUMENT_ERROR.into()
        }
        Moment::Modified(_) => ARGUMENT_ERROR.into(),
        // M45.
        Moment::Unparsable { .. } | Moment::BadTag | Moment::LineTooLong => COMMAND_ERROR.into(),
        Moment::LiteralNotAsked | Moment::LiteralTooLong => TOO_LARGE.into(),
        // M15.
        Moment::Unsupported(_) => "NO AUTHENTICATE failed.".into(),
    }
}

/// M27.
pub(super) fn opened(store: &Store, folder: &Folder, read_only: bool) -> Vec<String> {
    let flags = FLAGS.join(" ");
    let permanent = if read_only { "" } else { flags.as_str() };
    let unseen = folder.entries.iter().position(|entry| !store.flags(entry).contains(&"\\Seen"));
    let mut lines = vec![
        format!("* {} EXISTS", folder.entries.len()),
        "* 0 RECENT".into(),
        format!("* FLAGS ({flags})"),
        format!("* OK [PERMANENTFLAGS ({permanent})] Permanent flags"),
    ];
    if let Some(first) = unseen {
        lines.push(format!("* OK [UNSEEN {}] Is the first unseen message", first + 1));
    }
    lines.push(format!("* OK [UIDVALIDITY {}] UIDVALIDITY value", folder.uid_validity));
    lines.push(format!("* OK [UIDNEXT {}] The next unique identifier value", folder.uid_next));
    lines
}

/// COPYUID in three shapes, or none (M40, M41).
pub(super) fn copied(shape: MoveAnswer, verb: &str, uid_validity: u32, pairs: &Pairs) -> Copied {
    let verb = verb.trim_start_matches("UID ");
    let (from, to): (Vec<u32>, Vec<u32>) = pairs.iter().copied().unzip();
    let code = format!("[COPYUID {uid_validity} {} {}]", compact(&from), compact(&to));
    let done = format!("OK {verb} completed.");
    if verb == "COPY" {
        let tagged = if pairs.is_empty() { done } else { format!("OK {code} COPY completed.") };
        return Copied { untagged: Vec::new(), tagged };
    }
    let untagged = match shape {
        _ if pairs.is_empty() => Vec::new(),
        MoveAnswer::Proper => vec![format!("* OK {code}")],
        MoveAnswer::Bare => vec![code],
        MoveAnswer::Empty => vec![format!("* OK [COPYUID {uid_validity}  ]")],
        MoveAnswer::Silent => Vec::new(),
    };
    Copied { untagged, tagged: done }
}

/// M23: INBOX and other simple names are not quoted, and neither is a name with a TAB in it, which stands there bare.
pub(super) fn quoted_name(wire: &str) -> String {
    let bare = wire.replace("&AAk-", "\t");
    let simple = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    if bare.contains('\t') || bare.bytes().all(simple) {
        bare
    } else {
        super::super::imapd::render::quoted(wire)
    }
}
