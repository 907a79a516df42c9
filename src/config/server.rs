//! Checks one server's section, for IMAP or SMTP, and where a password is.

use std::path::Path;

use super::document::Field;
use super::file::{PasswordForm, ServerForm};
use super::preset;
use super::problem::{Place, Problems, shown};
use super::rules;
use super::{Login, PasswordSource, Server, Tls};

/// What differs between the servers of a mailbox.
#[derive(Debug)]
pub(super) struct Defaults {
    /// The port with TLS from the start, and the port with STARTTLS or nothing.
    pub(super) ports: (u16, u16),
    /// Where the provider has it.
    pub(super) preset: Option<preset::Place>,
    /// As in `imap.example.com`, for the remedy.
    pub(super) example_host: &'static str,
    /// Used when the section names no user; `None` when that value is itself wrong.
    pub(super) user: Option<String>,
    /// Used when the section names no password; `None` makes it compulsory.
    pub(super) login: Option<Login>,
    /// Whether a missing password is worth a word.
    pub(super) ask_for_password: bool,
}

/// The checked server; `None` when something was wrong, which has then been reported.
pub(super) fn check(
    form: &ServerForm,
    defaults: Defaults,
    base: &Path,
    problems: &mut Problems,
) -> Option<Server> {
    let host = match defaults.preset {
        Some(preset) if form.host.is_absent() => Some(preset.host.to_owned()),
        _ => form
            .host
            .required(problems, &format!("write host = \"{}\"", defaults.example_host))
            .check(problems, |text| rules::host(text)),
    };
    let usual_tls = defaults.preset.map_or(Tls::Implicit, |preset| preset.tls);
    let tls = form.tls.check_or(usual_tls, problems, |text| {
        let choices =
            [("implicit", Tls::Implicit), ("starttls", Tls::Starttls), ("none", Tls::None)];
        rules::one_of(text, &choices)
    });
    if let (Some(Tls::None), Some(host)) = (tls, &host)
        && !rules::is_loopback(host)
    {
        problems.add(
            &form.tls.at,
            format!("without TLS, everybody on the way to {} could read the password", shown(host)),
            "write tls = \"implicit\" or \"starttls\"; \"none\" is for 127.0.0.1, ::1 and localhost only",
        );
        return None;
    }
    let (implicit, plain) = defaults.ports;
    let port = tls.map(|tls| if tls == Tls::Implicit { implicit } else { plain });
    let port = if form.port.is_absent() {
        port
    } else {
        form.port.check(problems, |number| rules::within(*number, 1..=u16::MAX))
    };
    let user = if form.user.is_absent() {
        defaults.user
    } else {
        form.user.check(problems, |text| rules::words(text))
    };
    let login = if form.password.is_absent() && !defaults.ask_for_password {
        defaults.login
    } else {
        check_password(&form.password, base, problems).map(Login::Password)
    };
    Some(Server { host: host?, port: port?, tls: tls?, user: user?, login: login? })
}

/// Where a password, a secret or a key is.
pub(super) fn check_password(
    field: &Field<PasswordForm>,
    base: &Path,
    problems: &mut Problems,
) -> Option<PasswordSource> {
    let remedy = password_remedy(&field.at);
    let form = field.required(problems, &remedy).given()?;
    let file = form.file.check(problems, |text| rules::path(text, base));
    let env = form.env.check(problems, |text| rules::variable(text));
    let credential = form.credential.check(problems, |text| rules::credential(text));
    let present =
        [&form.file, &form.env, &form.credential].iter().filter(|field| !field.is_absent()).count();
    if present != 1 {
        refuse_count(&form.at, present, problems);
        return None;
    }
    file.map(PasswordSource::File)
        .or(env.map(PasswordSource::Env))
        .or(credential.map(PasswordSource::Credential))
}

fn refuse_count(at: &Place, present: usize, problems: &mut Problems) {
    let what = if present == 0 { "does not say where it is" } else { "names more than one place" };
    problems.add(at, what, password_remedy(at));
}

fn password_remedy(at: &Place) -> String {
    let key = at.key.rsplit('.').next().unwrap_or("password");
    format!("write {key} = {{ file = \"…\" }}, or {{ env = \"…\" }}, or {{ credential = \"…\" }}")
}
