//! The form: the configuration file as the admin writes it, before anything in it is checked.
//!
//! The structs mirror the TOML, and [`KEYS`] names every key; any other is refused. A key that is added
//! here must be added to `config.example.toml`, for which a test looks.

use super::document::{Field, Section};
use super::problem::{Place, Problems, Wrong};

/// Every key that the file may hold, by section; any other is refused.
pub const KEYS: &[(&str, &[&str])] = &[
    ("", &["state_dir", "log", "submission", "mailbox", "agent", "calendar"]),
    ("log", &["filter", "format"]),
    (
        "submission",
        &[
            "hostname",
            "implicit_tls",
            "starttls",
            "certificate",
            "key",
            "login_without_tls",
            "message_mb",
            "recipients",
            "connections",
            "connections_per_address",
            "command_seconds",
            "chunk_seconds",
            "session_minutes",
        ],
    ),
    (
        "mailbox",
        &[
            "name",
            "address",
            "aliases",
            "since",
            "provider",
            "layout",
            "keep_text",
            "reopen_days",
            "join_days",
            "burst_moves_per_minute",
            "poll_seconds",
            "patience_seconds",
            "leave_moved_seconds",
            "daily_megabytes",
            "flag_escalates",
            "categories",
            "sending",
            "acknowledgement",
            "deadlines",
            "folders",
            "marks",
            "login",
            "imap",
            "smtp",
        ],
    ),
    (
        "mailbox.sending",
        &[
            "name",
            "hold_seconds",
            "enforce",
            "recipients",
            "confirm_seconds",
            "on_unknown",
            "copy_seconds",
            "automatic_per_hour",
            "automatic_per_day",
            "connections",
            "per_minute",
            "answer_seconds",
            "cards",
            "card_address",
            "card_authserv_id",
        ],
    ),
    (
        "mailbox.acknowledgement",
        &["enabled", "name", "text", "de", "es", "fr", "it", "nl", "pl", "pt"],
    ),
    (
        "mailbox.deadlines",
        &[
            "calendar",
            "triage_minutes",
            "first_response_minutes",
            "next_response_minutes",
            "resolution_minutes",
        ],
    ),
    ("mailbox.folders", &["sent", "drafts", "junk", "archive", "trash"]),
    (
        "mailbox.marks",
        &["root", "waiting", "blocked", "resolved", "ignored", "send", "outbox", "keyword"],
    ),
    (
        "mailbox.login",
        &[
            "method",
            "user",
            "password",
            "flow",
            "tenant",
            "client_id",
            "client_secret",
            "secret_expires",
            "certificate",
            "key",
            "scopes",
            "token_url",
            "authorize_url",
            "device_url",
            "redirect_port",
            "graph_url",
        ],
    ),
    ("mailbox.login.password", PASSWORD_KEYS),
    ("mailbox.login.client_secret", PASSWORD_KEYS),
    ("mailbox.login.key", PASSWORD_KEYS),
    ("mailbox.imap", SERVER_KEYS),
    ("mailbox.imap.password", PASSWORD_KEYS),
    ("mailbox.smtp", SERVER_KEYS),
    ("mailbox.smtp.password", PASSWORD_KEYS),
    ("agent", &["id", "name", "address", "mark", "mailboxes", "cards"]),
    (
        "calendar",
        &[
            "name",
            "time_zone",
            "monday",
            "tuesday",
            "wednesday",
            "thursday",
            "friday",
            "saturday",
            "sunday",
            "breaks",
            "holidays",
        ],
    ),
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
    pub(super) submission: Field<SubmissionForm>,
    pub(super) mailboxes: Field<Vec<MailboxForm>>,
    pub(super) agents: Field<Vec<AgentForm>>,
    pub(super) calendars: Field<Vec<CalendarForm>>,
}

#[derive(Debug)]
pub(super) struct LogForm {
    pub(super) filter: Field<String>,
    pub(super) format: Field<String>,
}

#[derive(Debug)]
pub(super) struct SubmissionForm {
    pub(super) hostname: Field<String>,
    pub(super) implicit_tls: Field<String>,
    pub(super) starttls: Field<String>,
    pub(super) certificate: Field<String>,
    pub(super) key: Field<String>,
    pub(super) login_without_tls: Field<bool>,
    pub(super) message_mb: Field<i64>,
    pub(super) recipients: Field<i64>,
    pub(super) connections: Field<i64>,
    pub(super) connections_per_address: Field<i64>,
    pub(super) command_seconds: Field<i64>,
    pub(super) chunk_seconds: Field<i64>,
    pub(super) session_minutes: Field<i64>,
}

#[derive(Debug)]
pub(super) struct SendingForm {
    pub(super) name: Field<String>,
    pub(super) hold_seconds: Field<i64>,
    pub(super) enforce: Field<String>,
    pub(super) recipients: Field<Vec<Field<String>>>,
    pub(super) confirm_seconds: Field<i64>,
    pub(super) copy_seconds: Field<i64>,
    pub(super) automatic_per_hour: Field<i64>,
    pub(super) automatic_per_day: Field<i64>,
    pub(super) on_unknown: Field<String>,
    pub(super) connections: Field<i64>,
    pub(super) per_minute: Field<i64>,
    pub(super) answer_seconds: Field<i64>,
    pub(super) cards: Field<bool>,
    pub(super) card_address: Field<String>,
    pub(super) card_authserv_id: Field<String>,
}

/// What is written in other languages than the usual one, by the language's code.
pub(super) const LANGUAGES: [&str; 7] = ["de", "es", "fr", "it", "nl", "pl", "pt"];

#[derive(Debug)]
pub(super) struct AcknowledgementForm {
    pub(super) enabled: Field<bool>,
    pub(super) name: Field<String>,
    pub(super) text: Field<String>,
    pub(super) languages: Vec<(&'static str, Field<String>)>,
}

impl AcknowledgementForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> AcknowledgementForm {
        let languages = LANGUAGES.map(|code| (code, section.text(code, problems)));
        AcknowledgementForm {
            enabled: section.truth("enabled", problems),
            name: section.text("name", problems),
            text: section.text("text", problems),
            languages: languages.into(),
        }
    }
}

#[derive(Debug)]
pub(super) struct DeadlinesForm {
    pub(super) calendar: Field<String>,
    pub(super) triage_minutes: Field<i64>,
    pub(super) first_response_minutes: Field<i64>,
    pub(super) next_response_minutes: Field<i64>,
    pub(super) resolution_minutes: Field<i64>,
}

#[derive(Debug)]
pub(super) struct CalendarForm {
    pub(super) name: Field<String>,
    pub(super) time_zone: Field<String>,
    /// Monday first.
    pub(super) week: [Field<Vec<Field<String>>>; 7],
    pub(super) breaks: Field<Vec<Field<String>>>,
    pub(super) holidays: Field<Vec<Field<String>>>,
}

#[derive(Debug)]
pub(super) struct MailboxForm {
    pub(super) name: Field<String>,
    pub(super) address: Field<String>,
    pub(super) aliases: Field<Vec<Field<String>>>,
    pub(super) since: Field<String>,
    pub(super) provider: Field<String>,
    pub(super) layout: Field<String>,
    pub(super) keep_text: Field<String>,
    pub(super) reopen_days: Field<i64>,
    pub(super) join_days: Field<i64>,
    pub(super) burst_moves_per_minute: Field<i64>,
    pub(super) poll_seconds: Field<i64>,
    pub(super) patience_seconds: Field<i64>,
    pub(super) leave_moved_seconds: Field<i64>,
    pub(super) daily_megabytes: Field<i64>,
    pub(super) flag_escalates: Field<bool>,
    pub(super) categories: Field<bool>,
    pub(super) sending: Field<SendingForm>,
    pub(super) acknowledgement: Field<AcknowledgementForm>,
    pub(super) deadlines: Field<DeadlinesForm>,
    pub(super) folders: Field<FoldersForm>,
    pub(super) marks: Field<MarksForm>,
    pub(super) login: Field<LoginForm>,
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
    pub(super) send: Field<String>,
    pub(super) outbox: Field<String>,
    pub(super) keyword: Field<String>,
}

#[derive(Debug)]
pub(super) struct LoginForm {
    pub(super) method: Field<String>,
    pub(super) user: Field<String>,
    pub(super) password: Field<PasswordForm>,
    pub(super) flow: Field<String>,
    pub(super) tenant: Field<String>,
    pub(super) client_id: Field<String>,
    pub(super) client_secret: Field<PasswordForm>,
    pub(super) secret_expires: Field<String>,
    pub(super) certificate: Field<String>,
    pub(super) key: Field<PasswordForm>,
    pub(super) scopes: Field<Vec<Field<String>>>,
    pub(super) token_url: Field<String>,
    pub(super) authorize_url: Field<String>,
    pub(super) device_url: Field<String>,
    pub(super) redirect_port: Field<i64>,
    pub(super) graph_url: Field<String>,
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
    pub(super) cards: Field<bool>,
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
        let calendars = top
            .sections("calendar", "calendar", problems)
            .map(|all| all.iter().map(|each| CalendarForm::read(each, problems)).collect());
        let submission = top.section("submission", "submission", problems);
        let submission = submission.map(|section| SubmissionForm::read(&section, problems));
        let state_dir = top.text("state_dir", problems);
        Form { state_dir, log, submission, mailboxes, agents, calendars }
    }
}

impl SubmissionForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> SubmissionForm {
        SubmissionForm {
            hostname: section.text("hostname", problems),
            implicit_tls: section.text("implicit_tls", problems),
            starttls: section.text("starttls", problems),
            certificate: section.text("certificate", problems),
            key: section.text("key", problems),
            login_without_tls: section.truth("login_without_tls", problems),
            message_mb: section.number("message_mb", problems),
            recipients: section.number("recipients", problems),
            connections: section.number("connections", problems),
            connections_per_address: section.number("connections_per_address", problems),
            command_seconds: section.number("command_seconds", problems),
            chunk_seconds: section.number("chunk_seconds", problems),
            session_minutes: section.number("session_minutes", problems),
        }
    }
}

impl SendingForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> SendingForm {
        SendingForm {
            name: section.text("name", problems),
            hold_seconds: section.number("hold_seconds", problems),
            enforce: section.text("enforce", problems),
            recipients: section.texts("recipients", problems),
            confirm_seconds: section.number("confirm_seconds", problems),
            copy_seconds: section.number("copy_seconds", problems),
            automatic_per_hour: section.number("automatic_per_hour", problems),
            automatic_per_day: section.number("automatic_per_day", problems),
            on_unknown: section.text("on_unknown", problems),
            connections: section.number("connections", problems),
            per_minute: section.number("per_minute", problems),
            answer_seconds: section.number("answer_seconds", problems),
            cards: section.truth("cards", problems),
            card_address: section.text("card_address", problems),
            card_authserv_id: section.text("card_authserv_id", problems),
        }
    }
}

impl DeadlinesForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> DeadlinesForm {
        DeadlinesForm {
            calendar: section.text("calendar", problems),
            triage_minutes: section.number("triage_minutes", problems),
            first_response_minutes: section.number("first_response_minutes", problems),
            next_response_minutes: section.number("next_response_minutes", problems),
            resolution_minutes: section.number("resolution_minutes", problems),
        }
    }
}

impl CalendarForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> CalendarForm {
        let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
        CalendarForm {
            name: section.text("name", problems),
            time_zone: section.text("time_zone", problems),
            week: days.map(|day| section.texts(day, problems)),
            breaks: section.texts("breaks", problems),
            holidays: section.texts("holidays", problems),
        }
    }
}

impl MailboxForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> MailboxForm {
        let sending = section.section("sending", "mailbox.sending", problems);
        let acknowledgement =
            section.section("acknowledgement", "mailbox.acknowledgement", problems);
        let deadlines = section.section("deadlines", "mailbox.deadlines", problems);
        let folders = section.section("folders", "mailbox.folders", problems);
        let marks = section.section("marks", "mailbox.marks", problems);
        let login = section.section("login", "mailbox.login", problems);
        let imap = section.section("imap", "mailbox.imap", problems);
        let smtp = section.section("smtp", "mailbox.smtp", problems);
        MailboxForm {
            name: section.text("name", problems),
            address: section.text("address", problems),
            aliases: section.texts("aliases", problems),
            since: section.moment("since", problems),
            provider: section.text("provider", problems),
            layout: section.text("layout", problems),
            keep_text: section.text("keep_text", problems),
            reopen_days: section.number("reopen_days", problems),
            join_days: section.number("join_days", problems),
            burst_moves_per_minute: section.number("burst_moves_per_minute", problems),
            poll_seconds: section.number("poll_seconds", problems),
            patience_seconds: section.number("patience_seconds", problems),
            leave_moved_seconds: section.number("leave_moved_seconds", problems),
            daily_megabytes: section.number("daily_megabytes", problems),
            flag_escalates: section.truth("flag_escalates", problems),
            categories: section.truth("categories", problems),
            sending: sending.map(|section| SendingForm::read(&section, problems)),
            acknowledgement: acknowledgement
                .map(|section| AcknowledgementForm::read(&section, problems)),
            deadlines: deadlines.map(|section| DeadlinesForm::read(&section, problems)),
            folders: folders.map(|section| FoldersForm::read(&section, problems)),
            marks: marks.map(|section| MarksForm::read(&section, problems)),
            login: login.map(|section| LoginForm::read(&section, problems)),
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
            send: section.text("send", problems),
            outbox: section.text("outbox", problems),
            keyword: section.text("keyword", problems),
        }
    }
}

impl LoginForm {
    fn read(section: &Section<'_>, problems: &mut Problems) -> LoginForm {
        LoginForm {
            method: section.text("method", problems),
            user: section.text("user", problems),
            password: secret(section, "password", "mailbox.login.password", problems),
            flow: section.text("flow", problems),
            tenant: section.text("tenant", problems),
            client_id: section.text("client_id", problems),
            client_secret: secret(
                section,
                "client_secret",
                "mailbox.login.client_secret",
                problems,
            ),
            secret_expires: section.moment("secret_expires", problems),
            certificate: section.text("certificate", problems),
            key: secret(section, "key", "mailbox.login.key", problems),
            scopes: section.texts("scopes", problems),
            token_url: section.text("token_url", problems),
            authorize_url: section.text("authorize_url", problems),
            device_url: section.text("device_url", problems),
            redirect_port: section.number("redirect_port", problems),
            graph_url: section.text("graph_url", problems),
        }
    }
}

impl ServerForm {
    fn read(
        section: &Section<'_>,
        password_section: &'static str,
        problems: &mut Problems,
    ) -> ServerForm {
        ServerForm {
            host: section.text("host", problems),
            port: section.number("port", problems),
            tls: section.text("tls", problems),
            user: section.text("user", problems),
            password: secret(section, "password", password_section, problems),
        }
    }

    /// A section that is not there, where a preset says everything.
    pub(super) fn absent(at: &Place) -> ServerForm {
        let key = |name: &str| Place { line: at.line, key: format!("{}.{name}", at.key) };
        ServerForm {
            host: Field::absent(key("host")),
            port: Field::absent(key("port")),
            tls: Field::absent(key("tls")),
            user: Field::absent(key("user")),
            password: Field::absent(key("password")),
        }
    }
}

/// Where a secret is; the secret itself is refused.
fn secret(
    section: &Section<'_>,
    key: &'static str,
    name: &'static str,
    problems: &mut Problems,
) -> Field<PasswordForm> {
    if section.is_text(key) {
        let what = format!(
            "a {} may not stand in this file, which many people and backups read",
            key.replace('_', " ")
        );
        let remedy = format!(
            "put it into a file of its own and write {key} = {{ file = \"/etc/baton/NAME.{key}\" }}, \
             or {{ env = \"VARIABLE\" }}, or {{ credential = \"NAME\" }}"
        );
        return section.refused(key, Wrong::new(what, remedy), problems);
    }
    section.section(key, name, problems).map(|section| PasswordForm::read(&section, problems))
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
            cards: section.truth("cards", problems),
        }
    }
}
