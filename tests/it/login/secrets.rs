//! Nothing secret leaves Baton but to where it belongs: no token, code, secret or key is in a log, however talkative,
//! in what a command prints, or readable in the state directory.

use std::fs;
use std::path::Path;

use super::flows::{device_at, gmail_of, person_at, user_code};
use super::{Desk, SUPPORT};
use crate::world::exchange::{ANA, SHARED, Tenant};
use crate::world::secrets::{hold_none, of_tokens};
use crate::world::tokens::http::Request;
use crate::world::tokens::microsoft::SECRET;
use crate::world::tokens::{Google, google, jwt};
use crate::world::{Dovecot, Server};

/// The fields of a request that hold something secret.
const FIELDS: [&str; 8] = [
    "client_secret",
    "client_assertion",
    "assertion",
    "refresh_token",
    "code",
    "code_verifier",
    "device_code",
    "token",
];

/// Everything secret that an authority was shown or gave out, as it is and as IMAP shows it.
fn secrets(requests: &[Request], given_out: Vec<String>, users: &[&str]) -> Vec<String> {
    let mut secrets = of_tokens(users, &given_out);
    for request in requests {
        let form = request.form();
        secrets.extend(FIELDS.iter().filter_map(|field| form.get(field)).map(str::to_owned));
    }
    let of_keys = [jwt::APP_KEY, jwt::SERVICE_ACCOUNT_KEY, SECRET, google::CLIENT_SECRET];
    secrets.extend(of_keys.iter().flat_map(|key| key.lines()).map(str::to_owned));
    secrets.retain(|secret| secret.len() > 8 && !secret.starts_with("-----"));
    secrets.sort();
    secrets.dedup();
    secrets
}

/// Every file below a folder, as text.
fn files(folder: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if let Ok(bytes) = fs::read(&path) {
            found.push((path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    found
}

impl Desk {
    /// Asks everything that can be asked, lets the daemon live through the end of a token, and looks everywhere.
    #[track_caller]
    fn keeps_its_secrets(&mut self, tokens_end: impl FnOnce(), secrets: impl Fn() -> Vec<String>) {
        self.baton.set_log_level("trace");
        self.baton.start(&[], None);
        self.is_content();
        let begun = self.baton.log().matches("support is connected").count();
        tokens_end();
        let again =
            || (self.baton.log().matches("support is connected").count() > begun).then_some(());
        crate::world::poll(crate::world::PATIENCE, again)
            .unwrap_or_else(|| panic!("no second connection: {}", self.baton.log_tail(60)));
        self.is_content();
        let mut said = String::new();
        for arguments in [
            &["check", "--online"][..],
            &["login", "--status"],
            &["login", "--status", "--json"],
            &["status"],
            &["status", "--json"],
            &["export", "--json"],
        ] {
            let out = self.baton.command(arguments).output().unwrap();
            assert!(out.status.success(), "{arguments:?}: {out:?}");
            said.push_str(&String::from_utf8_lossy(&out.stdout));
            said.push_str(&String::from_utf8_lossy(&out.stderr));
        }
        self.baton.stop();
        let secrets = secrets();
        assert!(secrets.len() > 4);
        hold_none(&secrets, "the output", &said);
        let log = self.baton.log();
        assert!(log.contains("TRACE"), "it is not talkative");
        hold_none(&secrets, "the log", &log);
        let command_log = fs::read_to_string(self.dir.path().join("command.log"));
        hold_none(&secrets, "the command's log", &command_log.unwrap_or_default());
        for (place, text) in files(&self.dir.path().join("state")) {
            hold_none(&secrets, &place, &text);
        }
    }
}

fn at_microsoft(tenant: &Tenant) -> Vec<String> {
    let microsoft = &tenant.microsoft;
    let given_out = microsoft.ledger.everything_given_out();
    secrets(&microsoft.server.requests(), given_out, &[SHARED, ANA])
}

fn at_google(google: &Google) -> Vec<String> {
    secrets(&google.server.requests(), google.ledger.everything_given_out(), &[SUPPORT])
}

#[test]
fn of_an_application_with_a_secret() {
    let tenant = Tenant::start();
    let login = "flow = \"client-credentials\"\nclient_secret = { file = \"DIR/secret\" }\n";
    let mut desk = Desk::at_microsoft(&tenant, login);
    desk.keeps_its_secrets(|| tenant.forward(5000), || at_microsoft(&tenant));
}

#[test]
fn of_an_application_with_a_certificate() {
    let tenant = Tenant::start();
    let login = "flow = \"client-credentials\"\ncertificate = \"DIR/app.crt\"\nkey = { file = \"DIR/app.key\" }\n";
    let mut desk = Desk::at_microsoft(&tenant, login);
    desk.writes("app.crt", jwt::APP_CERTIFICATE);
    desk.writes("app.key", jwt::APP_KEY);
    desk.keeps_its_secrets(|| tenant.forward(5000), || at_microsoft(&tenant));
}

#[test]
fn of_a_person_with_a_code() {
    let tenant = Tenant::start();
    let mut desk = device_at(&tenant);
    desk.baton.set_log_level("trace");
    let mut talk = desk.begins(&["login", "support"]);
    let code = user_code(&talk.line_with("type the code"));
    assert!(tenant.microsoft.enters(&code, ANA));
    let said = talk.done();
    hold_none(&at_microsoft(&tenant), "the login", &said);
    desk.keeps_its_secrets(|| tenant.forward(5000), || at_microsoft(&tenant));
}

#[test]
fn of_a_person_in_a_browser() {
    let tenant = Tenant::start();
    let mut desk = person_at(&tenant);
    desk.baton.set_log_level("trace");
    let said = desk.logs_in_by_browser();
    hold_none(&at_microsoft(&tenant), "the login", &said);
    desk.keeps_its_secrets(|| tenant.forward(5000), || at_microsoft(&tenant));
}

#[test]
fn of_a_service_account() {
    let google = Google::start();
    let gmail = gmail_of(&google);
    let mut desk = Desk::as_service_account(&google, "", gmail.port());
    let ends = || {
        google.ledger.expire_access();
        gmail.drop_sessions(SUPPORT);
    };
    desk.keeps_its_secrets(ends, || at_google(&google));
}

#[test]
fn of_a_person_at_a_real_server() {
    let google = Google::start();
    let mut dovecot = Dovecot::start(Server::asking(google.introspection_url()));
    let mut desk = Desk::at_google(&google, "layout = \"keywords\"", dovecot.port);
    desk.baton.set_log_level("trace");
    let said = desk.logs_in_by_browser();
    hold_none(&at_google(&google), "the login", &said);
    let ends = || {
        google.ledger.expire_access();
        dovecot.restart_after(|_| {});
    };
    desk.keeps_its_secrets(ends, || at_google(&google));
}
