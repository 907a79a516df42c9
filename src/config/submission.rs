//! Checks `[submission]`: where agents' mail clients hand in mail, and how much one of them may take.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::document::Field;
use super::file::SubmissionForm;
use super::problem::{Problems, Wrong, shown};
use super::rules;

/// The listeners for agents' mail clients.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Submission {
    /// The name that mail clients connect to.
    pub hostname: String,
    /// Where TLS is spoken from the first byte.
    pub implicit_tls: Option<SocketAddr>,
    /// Where TLS begins with STARTTLS.
    pub starttls: Option<SocketAddr>,
    /// Certificate and key; `None` where no TLS is spoken, on this machine only.
    pub tls: Option<TlsFiles>,
    /// Whether clients on this machine may log in without TLS.
    pub login_without_tls: bool,
    /// The largest message, bytes.
    pub message_bytes: usize,
    /// The most recipients of a message.
    pub recipients: usize,
    /// The most connections in all.
    pub connections: usize,
    /// The most connections from one address.
    pub connections_per_address: usize,
    /// How long a client may take for a command.
    pub command: Duration,
    /// How long it may take for each 64 KiB of a message.
    pub chunk: Duration,
    /// How long it may stay.
    pub session: Duration,
}

/// What the server shows, as PEM files. They are read again when they change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TlsFiles {
    /// The certificate, and those between it and a known one.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

const MESSAGE_MB: u32 = 35;
const RECIPIENTS: u32 = 100;
const CONNECTIONS: u32 = 500;
const CONNECTIONS_PER_ADDRESS: u32 = 50;
/// RFC 5321, section 4.5.3.2: five minutes for a command, three for a block of data.
const COMMAND_SECONDS: u32 = 300;
const CHUNK_SECONDS: u32 = 180;
const SESSION_MINUTES: u32 = 60;

/// The checked section; `Some(None)` where nobody is listened to, `None` when something was wrong, which has been reported.
pub(super) fn check(
    field: &Field<SubmissionForm>,
    base: &Path,
    problems: &mut Problems,
) -> Option<Option<Submission>> {
    if field.is_absent() {
        return Some(None);
    }
    let form = field.given()?;
    let mut address = |field: &Field<String>, port: u16| {
        field.check_or(None, problems, |text| listens_at(text, port).map(Some))
    };
    let (implicit_tls, starttls) = (address(&form.implicit_tls, 465), address(&form.starttls, 587));
    let open = form.login_without_tls.check_or(false, problems, |truth| Ok(*truth));
    let mut number = |field: &Field<i64>, usual: u32, max: u32| {
        field.check_or(usual, problems, |number| rules::within(*number, 1..=max))
    };
    let (message_mb, recipients) =
        (number(&form.message_mb, MESSAGE_MB, 500), number(&form.recipients, RECIPIENTS, 1000));
    let connections = number(&form.connections, CONNECTIONS, 10_000);
    let per_address = number(&form.connections_per_address, CONNECTIONS_PER_ADDRESS, 10_000);
    let command = number(&form.command_seconds, COMMAND_SECONDS, 3600);
    let chunk = number(&form.chunk_seconds, CHUNK_SECONDS, 3600);
    let session = number(&form.session_minutes, SESSION_MINUTES, 24 * 60);
    let tls = check_files(form, base, problems);
    let hostname = form.hostname.check_or(String::new(), problems, |text| rules::host(text));

    let (implicit_tls, starttls, login_without_tls, tls) = (implicit_tls?, starttls?, open?, tls?);
    let hostname = hostname?;
    if implicit_tls.is_none() && starttls.is_none() {
        return Some(None);
    }
    if hostname.is_empty() {
        let remedy = "write hostname = \"mail.example.com\", the name that mail clients connect to";
        form.hostname.required(problems, remedy);
    }
    let near = starttls.is_none_or(|address| address.ip().is_loopback());
    if tls.is_none() && (implicit_tls.is_some() || !login_without_tls || !near) {
        let remedy = "write certificate = \"…\" and key = \"…\" with the paths of two PEM files";
        form.certificate.required(problems, remedy);
    }
    let seconds = |number: u32| Duration::from_secs(number.into());
    Some(Some(Submission {
        hostname,
        implicit_tls,
        starttls,
        tls,
        login_without_tls,
        message_bytes: size(message_mb?).saturating_mul(1_000_000),
        recipients: size(recipients?),
        connections: size(connections?),
        connections_per_address: size(per_address?),
        command: seconds(command?),
        chunk: seconds(chunk?),
        session: seconds(session?.saturating_mul(60)),
    }))
}

fn size(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// An address of this machine, with its port.
fn listens_at(text: &str, port: u16) -> Result<SocketAddr, Wrong> {
    text.parse().map_err(|_| {
        let remedy = format!("write address and port, as in \"0.0.0.0:{port}\" or \"[::]:{port}\"");
        Wrong::new(format!("{} is no address to listen at", shown(text)), remedy)
    })
}

/// Both files, or none.
fn check_files(
    form: &SubmissionForm,
    base: &Path,
    problems: &mut Problems,
) -> Option<Option<TlsFiles>> {
    if form.certificate.is_absent() && form.key.is_absent() {
        return Some(None);
    }
    let mut path = |field: &Field<String>, remedy: &str| {
        field.required(problems, remedy).check(problems, |text| rules::path(text, base))
    };
    let certificate =
        path(&form.certificate, "write certificate = \"/etc/baton/mail.crt\", a PEM file");
    let key = path(&form.key, "write key = \"/etc/baton/mail.key\", a PEM file");
    Some(Some(TlsFiles { certificate: certificate?, key: key? }))
}
