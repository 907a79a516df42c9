//! What Gmail says (points 1, 6 and 7; G5, G6, G12 to G16, G46, G51, G60 and G61).

use super::super::imapd::{Command, Folder, Moment, Placed, render};
use super::account::Account;

/// What follows the tag; `id` is the session's.
pub(super) fn words(id: &str, moment: Moment<'_>) -> String {
    match moment {
        Moment::Done("CAPABILITY") => format!("OK Thats all she wrote! {id}"),
        Moment::Done("LOGOUT") => "OK 73 good day (Success)".into(),
        Moment::Done("IDLE") => "OK IDLE terminated (Success)".into(),
        Moment::Done("CLOSE" | "UNSELECT") => {
            "OK Returned to authenticated state. (Success)".into()
        }
        Moment::Done("SEARCH" | "UID SEARCH") => "OK SEARCH completed (Success)".into(),
        Moment::Done(_) => "OK Success".into(),
        Moment::Selected { name, read_only: false } => {
            format!("OK [READ-WRITE] {name} selected. (Success)")
        }
        Moment::Selected { name, read_only: true } => {
            format!("OK [READ-ONLY] {name} selected. (Success)")
        }
        Moment::Appended(Placed { uid_validity, uid }) => {
            format!("OK [APPENDUID {uid_validity} {uid}] (Success)")
        }
        Moment::SomeAreGone => "NO Some messages could not be FETCHed (Failure)".into(),
        Moment::Modified(which) => format!("OK [MODIFIED {which}] Success"),
        Moment::CannotSelect(name) => {
            format!(
                "NO [NONEXISTENT] Unknown Mailbox: {name} (now in authenticated state) (Failure)"
            )
        }
        Moment::NoSuchFolder(name) => format!("NO [NONEXISTENT] Unknown Mailbox: {name} (Failure)"),
        Moment::NoSuchTarget(name) => format!("NO [TRYCREATE] No folder {name} (Failure)"),
        // From here on texts that nobody has written down, but for the first.
        Moment::Unparsable { .. } | Moment::LiteralNotAsked | Moment::LineTooLong => {
            "BAD Could not parse command".into()
        }
        Moment::BadTag => "BAD [CLIENTBUG] Invalid tag".into(),
        Moment::ReadOnly => "NO [READ-ONLY] Folder is read-only (Failure)".into(),
        Moment::WrongState(_) => format!("BAD Unknown command {id}"),
        Moment::LiteralTooLong => "NO [TOOBIG] Message too large (Failure)".into(),
        Moment::Unsupported(what) => format!("BAD Unsupported: {what}"),
    }
}

/// The lines of SELECT in their order (G46); EXAMINE has no permanent flags (G51).
pub(super) fn opened(
    account: &Account,
    folder: &Folder,
    exists: usize,
    read_only: bool,
) -> Vec<String> {
    let system = ["\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "\\Seen"];
    let flags: Vec<&str> =
        system.into_iter().chain(account.keywords.iter().map(String::as_str)).collect();
    let permanent: Vec<&str> =
        if read_only { Vec::new() } else { flags.iter().copied().chain(["\\*"]).collect() };
    vec![
        format!("* FLAGS {}", render::parenthesised(&flags)),
        format!("* OK [PERMANENTFLAGS {}] Flags permitted.", render::parenthesised(&permanent)),
        format!("* OK [UIDVALIDITY {}] UIDs valid.", folder.uid_validity),
        format!("* {exists} EXISTS"),
        "* 0 RECENT".into(),
        format!("* OK [UIDNEXT {}] Predicted next UID.", folder.uid_next),
        format!("* OK [HIGHESTMODSEQ {}]", account.store.modseq),
    ]
}

/// G12, G13.
pub(super) fn about(command: &Command) -> Vec<String> {
    match command {
        Command::Id => vec![
            "* ID (\"name\" \"GImap\" \"vendor\" \"Google, Inc.\" \"support-url\" \
             \"http://mail.google.com/support\" \"remote-host\" \"127.0.0.1\")"
                .into(),
        ],
        Command::Namespace => vec!["* NAMESPACE ((\"\" \"/\")) NIL NIL".into()],
        Command::Quota { root: Some(name) } => {
            vec![format!("* QUOTAROOT {} \"\"", render::quoted(name)), QUOTA.into()]
        }
        _ => vec![QUOTA.into()],
    }
}

const QUOTA: &str = "* QUOTA \"\" (STORAGE 10 15728640)";
