//! The form: the configuration file as the admin writes it, before anything in it is checked.
//!
//! The structs mirror the TOML, and [`KEYS`] names every key; any other is refused. A key that is added
//! here must be added to `config.example.toml`, for which a test looks.

use super::document::{Field, Section};
use super::problem::{Place, Problems, Wrong};

/// Every key that the file may hold, by section; any other is refused.
pub const KEYS: &[(&str, &[&str])] = &[
    ("", &["state_dir", "log", "mailbox", "agent"]),
    ("log", &["filter", "format"]),
    (
        "mailbox",
        &[
            "name",
            "address",
            "aliases",
            "since",
            "layout",
            "keep_text",
            "reopen_days",
            "join_days",
            "burst_moves_per_minute",
            "poll_seconds",
            "patience_seconds",
            "flag_escalates",
            "folders",
            "marks",
            "imap",
            "smtp",
        ],
    ),
    ("mailbox.folders", &["sent", "drafts", "junk", "archive", "trash"]),
    ("mailbox.marks", &["root", "waiting", "blocked", "resolved", "ignored", "keyword"]),
    ("mailbox.imap", SERVER_KEYS),
    ("mailbox.imap.password", PASSWORD_KEYS),
    ("mailbox.smtp", SERVER_KEYS),
    ("mailbox.smtp.password", PASSWORD_KEYS),
    ("agent", &["id", "name", "address", "mark", "mailboxes"]),
];
const SERVER_KEYS: &[&str] = &["host", "port", "tls", "user", "password"];
const PASSWORD_KEYS: &[&str] = &["file", "env", "credential"];

/// The keys of one section.
pub(super) fn keys_of(section: &str) -> &'static [&'static str] {
    KEYS.iter().find(|(name, _)| *name == section).map_or(&[], |(_, keys)| *keys)
}

#[derive(Debug)]
pub(super) struct Form {
    pub(super) state_dir: Field<String>,
    pub(super) log: Field<LogForm>,
    pub(super) mailboxes: Field<Vec<MailboxForm>>,
    pub(super) agents: Field<Vec<AgentForm>>,
}

#[derive(Debug)]
pub(super) struct LogForm {
    pub(super) filter: Field<String>,
    pub(super) format: Field<String>,
}

#[derive(Debug)]
pub(super) struct MailboxForm {
    pub(super) name: Field<String>,
    pub(super) address: Field<String>,
    pub(super) aliases: Field<Vec<Field<String>>>,
    pub(super) since: Field<String>,
    pub(super) layout: Field<String>,
    pub(super) keep_text: Field<String>,
    pub(super) reopen_days: Field<i64>,
    pub(super) join_days: Field<i64>,
    pub(super) burst_moves_per_minute: Field<i64>,
    pub(super) poll_seconds: Field<i64>,
    pub(super) patience_seconds: Field<i64>,
    pub(super) flag_escalates: Field<bool>,
    pub(super) folders: Field<FoldersForm>,
    pub(super) marks: Field<MarksForm>,
    pub(super) imap: Field<ServerForm>,
    pub(super) smtp: Field<ServerForm>,
}

#[derive(Debug)]
pub(super) struct FoldersForm {
    pub(super) sent: Field<String>,
    pub(super) drafts: Field<String>,
    pub(super) junk: Field<String>,
    pub(super) archive: Field<String>,
    pub(super) trash: Field<String>,
}

#[derive(Debug)]
pub(super) struct MarksForm {
    pub(super) root: Field<String>,
    pub(super) waiting: Field<String>,
    pub(super) blocked: Field<String>,
    pub(super) resolved: Field<String>,
    pub(super) ignored: Field<String>,
    pub(super) keyword: Field<String>,
}

#[derive(Debug)]
pub(super) struct ServerForm {
    pub(super) host: Field<String>,
    pub(super) port: Field<i64>,
    pub(super) tls: Field<String>,
    pub(super) user: Field<String>,
    pub(super) password: Field<PasswordForm>,
}

#[derive(Debug)]
pub(super) struct PasswordForm {
    pub(super) at: Place,
    pub(super) file: Field<String>,
    pub(super) env: Field<String>,
    pub(super) credential: Field<String>,
}

#[derive(Debug)]
pub(super) struct AgentForm {
    pub(super) id: Field<String>,
    pub(super) name: Field<String>,
    pub(super) address: Field<String>,
    pub(super) mark: Field<String>,
    pub(super) mailboxes: Field<Vec<Field<String>>>,
}

impl Form {
    pub(super) fn read(top: &Section<'_>, problems: &mut Problems) -> Form {
        let log = top.section("log", "log", problems).map(|section| LogForm {
            filter: section.text("filter", problems),
            format: section.text("format", problems),
        });
        let mailboxes = top.sections("mailbox", "mailbox", problems);
        let mailboxes =
            mailboxes.map(|all| all.iter().map(|each| MailboxForm::read(each, problems)).collect());
        let agents = top.sections("agent", "agent", problems);
        let agents =
            agents.map(|all| all.iter().map(|each| AgentForm::read(each, problems)).collect());
        Form { state_dir: top.text("state_dir", problems), log, mailboxes, agents }
    }
}

impl MailboxForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> MailboxForm {
        let folders = section.section("folders", "mailbox.folders", problems);
        let marks = section.section("marks", "mailbox.marks", problems);
        let imap = section.section("imap", "mailbox.imap", problems);
        let smtp = section.section("smtp", "mailbox.smtp", problems);
        MailboxForm {
            name: section.text("name", problems),
            address: section.text("address", problems),
            aliases: section.texts("aliases", problems),
            since: section.moment("since", problems),
            layout: section.text("layout", problems),
            keep_text: section.text("keep_text", problems),
            reopen_days: section.number("reopen_days", problems),
            join_days: section.number("join_days", problems),
            burst_moves_per_minute: section.number("burst_moves_per_minute", problems),
            poll_seconds: section.number("poll_seconds", problems),
            patience_seconds: section.number("patience_seconds", problems),
            flag_escalates: section.truth("flag_escalates", problems),
            folders: folders.map(|section| FoldersForm::read(&section, problems)),
            marks: marks.map(|section| MarksForm::read(&section, problems)),
            imap: imap.map(|section| ServerForm::read(&section, "mailbox.imap.password", problems)),
            smtp: smtp.map(|section| ServerForm::read(&section, "mailbox.smtp.password", problems)),
        }
    }
}

impl FoldersForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> FoldersForm {
        FoldersForm {
            sent: section.text("sent", problems),
            drafts: section.text("drafts", problems),
            junk: section.text("junk", problems),
            archive: section.text("archive", problems),
            trash: section.text("trash", problems),
        }
    }
}

impl MarksForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> MarksForm {
        MarksForm {
            root: section.text("root", problems),
            waiting: section.text("waiting", problems),
            blocked: section.text("blocked", problems),
            resolved: section.text("resolved", problems),
            ignored: section.text("ignored", problems),
            keyword: section.text("keyword", problems),
        }
    }
}

impl ServerForm {
    fn read(
        section: &Section<'_>,
        password_section: &'static str,
        problems: &mut Problems,
    ) -> ServerForm {
        let password = if section.is_text("password") {
            let wrong = Wrong::new(
                "a password may not stand in this file, which many people and backups read",
                "put it into a file of its own and write password = { file = \"/etc/baton/NAME.password\" }, \
                 or { env = \"VARIABLE\" }, or { credential = \"NAME\" }",
            );
            section.refused("password", wrong, problems)
        } else {
            section
                .section("password", password_section, problems)
                .map(|section| PasswordForm::read(&section, problems))
        };
        ServerForm {
            host: section.text("host", problems),
            port: section.number("port", problems),
            tls: section.text("tls", problems),
            user: section.text("user", problems),
            password,
        }
    }
}

impl PasswordForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> PasswordForm {
        PasswordForm {
            at: section.at.clone(),
            file: section.text("file", problems),
            env: section.text("env", problems),
            credential: section.text("credential", problems),
        }
    }
}

impl AgentForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> AgentForm {
        AgentForm {
            id: section.text("id", problems),
            name: section.text("name", problems),
            address: section.text("address", problems),
            mark: section.text("mark", problems),
            mailboxes: section.texts("mailboxes", problems),
        }
    }
}
