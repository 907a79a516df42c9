//! The configuration: one TOML file, checked as a whole.
//!
//! [`load`] answers a [`Config`], which cannot hold a wrong value, or every [`Problem`] at once, each with its
//! line, key, reason and remedy. The form is in [`mod@file`]; `config.example.toml` is the reference for people.
//! Passwords are not read here, but when a connection needs one ([`secret`]).

mod agents;
mod calendar;
mod cards;
mod categories;
mod deadlines;
mod document;
pub mod file;
mod login;
mod mailbox;
pub mod oauth;
mod preset;
mod problem;
mod rules;
pub mod secret;
mod sending;
mod server;
mod submission;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::de::DeTable;

pub use self::oauth::{Client, ClientProof, Flow, OAuth2};
pub use self::problem::{Problem, Problems};
pub use self::secret::{PasswordSource, Secret, SecretError};
pub use self::sending::Pace;
pub use self::submission::{Submission, TlsFiles};

use self::document::{Section, line_at};
use self::file::{Form, LogForm};
use self::problem::{Place, Wrong};
use crate::desk::layout::Layout;
use crate::desk::policy::Policy;
use crate::desk::roster::Agent;

/// Where the database is when neither the file nor systemd says so.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/baton";

/// The largest configuration file that is read.
const FILE_MAX_BYTES: u64 = 4 * 1024 * 1024;

/// Everything that the admin has chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file that it was read from, as the user named it.
    pub file: PathBuf,
    /// Where the database and the control socket are.
    pub state_dir: PathBuf,
    /// What is logged, and how.
    pub log: Log,
    /// Where agents' mail clients hand in mail; nowhere when there is none.
    pub submission: Option<Submission>,
    /// The shared mailboxes; at least one.
    pub mailboxes: Vec<Mailbox>,
    /// The people who answer.
    pub agents: Vec<Agent>,
}

/// What is logged, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Log {
    /// Levels, as `tracing_subscriber::EnvFilter` reads them.
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Log {
        Log { filter: "info".into(), format: LogFormat::Auto }
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogFormat {
    /// With colours on a terminal, plain text elsewhere.
    Auto,
    /// Plain text.
    Text,
    /// One JSON object a line.
    Json,
}

/// One shared address and its account.
#[derive(Clone, Debug, PartialEq)]
pub struct Mailbox {
    /// Names the mailbox in commands and logs.
    pub name: String,
    /// The shared address, lower case.
    pub address: String,
    /// Further addresses whose mail arrives here, lower case.
    pub aliases: Vec<String>,
    /// Whose servers these are.
    pub provider: Provider,
    /// How marks are shown.
    pub layout: LayoutChoice,
    /// The server that holds the mail.
    pub imap: Server,
    /// The server that sends the replies.
    pub smtp: Option<Server>,
    /// How hard that may be pressed.
    pub pace: Pace,
    /// Folders that the server does not announce itself.
    pub folders: Folders,
    /// Whether threads are shown as Outlook's categories too.
    pub categories: bool,
    /// The pause between looks at what the server cannot announce.
    pub poll: Duration,
    /// How long a server that owes an answer may be silent.
    pub patience: Duration,
    /// How many bytes may come from the server in a day (UTC), where that is bounded.
    pub daily_bytes: Option<u64>,
    /// What the desk decides by.
    pub policy: Policy,
}

/// Whose servers hold the mail: says what is usual there, and whose words are to be expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Provider {
    /// Gmail and Google Workspace.
    Gmail,
    /// Microsoft 365 (Exchange Online).
    Microsoft365,
    /// Any other IMAP server.
    Imap,
}

/// How the admin wants marks to be shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LayoutChoice {
    /// As the server can do best.
    Auto,
    /// As IMAP keywords.
    Keywords,
    /// As folders.
    Folders,
    /// As Gmail labels.
    Labels,
}

impl LayoutChoice {
    /// The layout, unless the server is to decide.
    pub fn fixed(self) -> Option<Layout> {
        match self {
            LayoutChoice::Auto => None,
            LayoutChoice::Keywords => Some(Layout::Keywords),
            LayoutChoice::Folders => Some(Layout::Folders),
            LayoutChoice::Labels => Some(Layout::Labels),
        }
    }
}

/// One server of a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// A name or an IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// The login name; with OAuth, the mailbox to open.
    pub user: String,
    /// How Baton proves that it may.
    pub login: Login,
}

/// How Baton proves to a server who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Login {
    /// With a password; it is here.
    Password(PasswordSource),
    /// With an access token.
    OAuth2(Box<OAuth2>),
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Tls {
    /// TLS from the first byte.
    Implicit,
    /// Plain text until STARTTLS, which is compulsory.
    Starttls,
    /// Not at all; on loopback only.
    None,
}

/// Folders named by the admin, with their full path; the others are found by attribute and usual name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Folders {
    /// Sent mail.
    pub sent: Option<String>,
    /// Drafts.
    pub drafts: Option<String>,
    /// Junk.
    pub junk: Option<String>,
    /// The archive.
    pub archive: Option<String>,
    /// Deleted mail.
    pub trash: Option<String>,
}

/// Reads and checks the file at `path`.
pub fn load(path: &Path) -> Result<Config, Problems> {
    let text = read(path)?;
    from_toml(path, &text, &|name| std::env::var(name).ok())
}

fn read(path: &Path) -> Result<String, Problems> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|open| open.take(FILE_MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| {
            let remedy =
                "name the file with --config FILE or BATON_CONFIG, and let Baton's user read it";
            Problems::with_file(path, None, Wrong::new(format!("cannot be read: {error}"), remedy))
        })?;
    if bytes.len() as u64 > FILE_MAX_BYTES {
        let wrong = Wrong::new("far too large", "name Baton's own configuration file");
        return Err(Problems::with_file(path, None, wrong));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count() + 1;
        let wrong = Wrong::new("this line is not UTF-8", "save the file as UTF-8");
        Problems::with_file(path, Some(line), wrong)
    })
}

/// Checks `text` as the content of `file`; `env` answers for environment variables.
pub fn from_toml(
    file: &Path,
    text: &str,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Problems> {
    let document = DeTable::parse(text).map_err(|error| not_toml(file, text, &error))?;
    let mut problems = Problems::none_in(file);
    let top = Section::top(text, document.get_ref(), &mut problems);
    let form = Form::read(&top, &mut problems);
    match check(file, &form, env, &mut problems) {
        Some(config) if problems.is_empty() => Ok(config),
        _ => Err(problems.in_order()),
    }
}

/// The parser's own message repeats no line of the file, which may hold a password.
fn not_toml(file: &Path, text: &str, error: &toml::de::Error) -> Problems {
    let line = error.span().map(|span| line_at(text, span.start));
    let why = error.message().lines().collect::<Vec<_>>().join(", ");
    let wrong = Wrong::new(
        format!("this is not TOML: {why}"),
        "correct this line; see config.example.toml",
    );
    Problems::with_file(file, line, wrong)
}

fn check(
    file: &Path,
    form: &Form,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems,
) -> Option<Config> {
    let base = file.parent().unwrap_or(Path::new(""));
    let state_dir =
        form.state_dir.check_or(usual_state_dir(env), problems, |text| rules::path(text, base));
    let log = if form.log.is_absent() {
        Some(Log::default())
    } else {
        form.log.given().and_then(|form| check_log(form, problems))
    };
    let submission = submission::check(&form.submission, base, problems);
    let forms = form.mailboxes.given().map_or(&[][..], Vec::as_slice);
    if forms.is_empty() && (form.mailboxes.is_absent() || form.mailboxes.given().is_some()) {
        let at = Place { line: form.mailboxes.at.line, key: "mailbox".into() };
        let remedy = "write [[mailbox]] with name, address and since, and below it [mailbox.imap]";
        problems.add(&at, "there is no mailbox", remedy);
    }
    let mailboxes: Vec<Option<Mailbox>> =
        forms.iter().map(|form| mailbox::check(form, base, problems)).collect();
    mailbox::refuse_shared(forms, problems);

    let people = form.agents.given().map_or(&[][..], Vec::as_slice);
    let agents: Vec<Option<Agent>> =
        people.iter().map(|form| agents::check(form, forms, problems)).collect();
    agents::refuse_shared(people, problems);

    let hours = form.calendars.given().map_or(&[][..], Vec::as_slice);
    let calendars: Vec<_> =
        hours.iter().filter_map(|form| calendar::check(form, problems)).collect();
    calendar::refuse_shared(hours, problems);
    // A calendar that is wrong in itself is not missing as well.
    let deadlines: Vec<_> = match calendars.len() == hours.len() {
        true => forms
            .iter()
            .map(|form| deadlines::check(&form.deadlines, &calendars, problems))
            .collect(),
        false => Vec::new(),
    };

    let agents: Vec<Agent> = agents.into_iter().collect::<Option<_>>()?;
    let mut mailboxes: Vec<Mailbox> = mailboxes.into_iter().collect::<Option<_>>()?;
    for (mailbox, deadlines) in mailboxes.iter_mut().zip(deadlines) {
        mailbox.policy.agents.clone_from(&agents);
        mailbox.policy.deadlines = deadlines?;
    }
    Some(Config {
        file: file.to_path_buf(),
        state_dir: state_dir?,
        log: log?,
        submission: submission?,
        mailboxes,
        agents,
    })
}

/// What systemd's `StateDirectory=` gives, which may be a list; else the usual place.
fn usual_state_dir(env: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    env("STATE_DIRECTORY")
        .and_then(|list| list.split(':').next().map(str::to_owned))
        .filter(|first| !first.is_empty())
        .map_or_else(|| PathBuf::from(DEFAULT_STATE_DIR), PathBuf::from)
}

fn check_log(form: &LogForm, problems: &mut Problems) -> Option<Log> {
    let usual = Log::default();
    let filter = form.filter.check_or(usual.filter, problems, |text| rules::log_filter(text));
    let format = form.format.check_or(usual.format, problems, |text| {
        let choices =
            [("auto", LogFormat::Auto), ("text", LogFormat::Text), ("json", LogFormat::Json)];
        rules::one_of(text, &choices)
    });
    Some(Log { filter: filter?, format: format? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::desk::layout::MarkNames;
    use crate::desk::policy::KeepText;

    const SMALL: &str = r#"
[[mailbox]]
name = "support"
address = "Support@Example.test"
aliases = ["Help@example.test"]
since = 2026-11-01
[mailbox.imap]
host = "127.0.0.1"
tls = "none"
password = { file = "support.password" }
[mailbox.smtp]
host = "smtp.example.test"
tls = "starttls"
[[agent]]
id = "ana"
name = "Ana Ruiz"
address = "Ana@example.test"
"#;

    fn small(file: &str, text: &str) -> Config {
        from_toml(Path::new(file), text, &|_| None).unwrap()
    }

    #[test]
    fn what_is_not_written_has_its_default() {
        let config = small("/etc/baton/baton.toml", SMALL);
        assert_eq!(config.state_dir, Path::new("/var/lib/baton"));
        assert_eq!(config.log, Log::default());
        assert_eq!(config.agents[0].mark, "Ana");
        assert_eq!(config.agents[0].address, "ana@example.test");
        let mailbox = &config.mailboxes[0];
        assert_eq!(mailbox.layout, LayoutChoice::Auto);
        assert_eq!(mailbox.poll, Duration::from_secs(60));
        assert_eq!((mailbox.imap.port, mailbox.imap.tls), (143, Tls::None));
        assert_eq!(mailbox.imap.user, "support@example.test");
        let policy = &mailbox.policy;
        assert_eq!(policy.own_addresses, ["support@example.test", "help@example.test"]);
        assert_eq!(policy.since, Timestamp::parse("2026-11-01T00:00:00Z").unwrap());
        assert_eq!(policy.reopen_within, Duration::from_secs(14 * 86_400));
        assert_eq!(policy.join_within, Duration::from_secs(14 * 86_400));
        assert_eq!((policy.burst_moves_per_minute, policy.flag_escalates), (30, None));
        assert_eq!((policy.keep_text, &policy.names), (KeepText::Excerpt, &MarkNames::default()));
        assert_eq!((&policy.mailbox, &policy.agents), (&mailbox.name, &config.agents));
    }

    #[test]
    fn smtp_takes_user_and_password_from_imap() {
        let config = small("/etc/baton/baton.toml", SMALL);
        let smtp = config.mailboxes[0].smtp.as_ref().unwrap();
        assert_eq!((smtp.port, smtp.tls), (587, Tls::Starttls));
        assert_eq!(smtp.user, "support@example.test");
        let password = PasswordSource::File("/etc/baton/support.password".into());
        assert_eq!(smtp.login, Login::Password(password));
    }

    #[test]
    fn systemd_may_say_where_the_state_is_but_the_file_has_the_last_word() {
        let env = |name: &str| (name == "STATE_DIRECTORY").then(|| "/srv/one:/srv/two".to_owned());
        let config = from_toml(Path::new("baton.toml"), SMALL, &env).unwrap();
        assert_eq!(config.state_dir, Path::new("/srv/one"));
        let text = format!("state_dir = \"state\"\n{SMALL}");
        let config = from_toml(Path::new("/etc/baton.toml"), &text, &env).unwrap();
        assert_eq!(config.state_dir, Path::new("/etc/state"));
    }

    #[test]
    fn a_file_from_another_system_reads_the_same() {
        let windows = format!("\u{feff}{}", SMALL.replace('\n', "\r\n"));
        assert_eq!(small("baton.toml", &windows), small("baton.toml", SMALL));
        let broken = windows.replace("id = \"ana\"", "id = 7");
        let problems = from_toml(Path::new("baton.toml"), &broken, &|_| None).unwrap_err();
        assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [Some(15)]);
    }

    #[test]
    fn a_reload_can_tell_what_changed() {
        let before = small("baton.toml", SMALL);
        let after = small("baton.toml", &SMALL.replace("since =", "poll_seconds = 5\nsince ="));
        assert_ne!(before.mailboxes, after.mailboxes);
        assert_eq!(before.agents, after.agents);
        assert_eq!(before.mailboxes[0].imap, after.mailboxes[0].imap);
    }
}
