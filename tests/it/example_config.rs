//! `config.example.toml` is the reference for admins: it loads as it is, names every key, and tells the truth
//! about defaults.

use std::path::Path;

use baton::config::file::KEYS;
use baton::config::{self, Config, DEFAULT_STATE_DIR};

const EXAMPLE: &str = include_str!("../../config.example.toml");

/// Keys whose value in the example shows what could be written; without them something else decides.
const WITHOUT_DEFAULT: [&str; 20] = [
    "de",
    "es",
    "fr",
    "it",
    "nl",
    "pl",
    "pt",
    "flag_escalates",
    "sent",
    "drafts",
    "junk",
    "archive",
    "trash",
    "hostname",
    "implicit_tls",
    "starttls",
    "certificate",
    "key",
    "card_address",
    "card_authserv_id",
];

#[expect(clippy::panic, reason = "a test that cannot load its file has failed")]
fn loaded(text: &str) -> Config {
    match config::from_toml(Path::new("config.example.toml"), text, &|_| None) {
        Ok(config) => config,
        Err(problems) => panic!("{problems}"),
    }
}

/// A first configuration, as the guides show it.
const FIRST: &str = r#"
state_dir = "/var/lib/baton"            # default: $STATE_DIRECTORY

[[mailbox]]
name = "support"
address = "support@example.test"
aliases = ["help@example.test"]
since = "2026-11-01"                    # cut-over: older mail is history, opens nothing, shows nothing
layout = "auto"                         # auto | keywords | folders | labels; auto = what the server can do
[mailbox.imap]
host = "127.0.0.1"
port = 31143
tls = "none"                            # implicit (default) | starttls | none, the last on loopback only
user = "support@example.test"
password = { file = "/etc/baton/support.password" }   # or { env = "…" }, { credential = "…" } (systemd)
[mailbox.smtp]                          # read and checked now, used by later work
host = "127.0.0.1"
port = 31025
tls = "none"

[[agent]]
id = "ana"
name = "Ana Ruiz"
address = "ana@example.test"
mailboxes = ["support"]                 # default: all
"#;

#[test]
fn a_first_configuration_loads() {
    let config = loaded(FIRST);
    assert_eq!(config.mailboxes[0].imap.port, 31143);
    assert_eq!(config.mailboxes[0].smtp.as_ref().map(|smtp| smtp.port), Some(31025));
    assert!(config.agents[0].works_in("support"));
}

/// Each key of a line, commented or not, with its section: `("mailbox.imap", "port")`.
fn keys_shown() -> Vec<(String, String)> {
    let mut section = String::new();
    let mut shown = Vec::new();
    for line in EXAMPLE.lines() {
        let line = line.trim_start_matches("# ").trim();
        if line.starts_with('[') && line.ends_with(']') {
            section = line.trim_matches(['[', ']']).to_owned();
            let (above, key) = section.rsplit_once('.').unwrap_or(("", &section));
            shown.push((above.to_owned(), key.to_owned()));
        } else if let Some((key, value)) = line.split_once(" = ")
            && !key.contains(' ')
        {
            shown.push((section.clone(), key.to_owned()));
            if let Some((inner, _)) = value.trim_start_matches("{ ").split_once(" = ") {
                shown.push((format!("{section}.{key}"), inner.to_owned()));
            }
        }
    }
    shown
}

#[test]
fn the_example_loads_as_it_is() {
    let config = loaded(EXAMPLE);
    assert_eq!(config.mailboxes.len(), 1);
    assert_eq!(config.agents.len(), 1);
    assert_eq!(config.state_dir, Path::new(DEFAULT_STATE_DIR));
}

#[test]
fn every_key_is_in_the_example() {
    let shown = keys_shown();
    for (section, keys) in KEYS {
        // Where a secret may be is explained once, for all of them.
        let secrets = [".password", ".client_secret", ".key"];
        let by_word = secrets.iter().any(|secret| section.ends_with(secret));
        for key in *keys {
            let there = if by_word {
                EXAMPLE.contains(&format!("{{ {key} = "))
            } else {
                shown.contains(&((*section).to_owned(), (*key).to_owned()))
            };
            assert!(there, "config.example.toml lacks `{key}` in [{section}]");
        }
    }
}

#[test]
fn every_default_in_the_example_is_true() {
    let plain = loaded(EXAMPLE);
    let mut tried = 0;
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    for (nth, line) in lines.iter().enumerate() {
        let Some(bare) = line.strip_prefix("# ") else { continue };
        let Some((key, _)) = bare.split_once(" = ") else { continue };
        if key.contains(' ') || WITHOUT_DEFAULT.contains(&key) {
            continue;
        }
        let mut changed = lines.clone();
        changed[nth] = bare;
        let mut with_line = loaded(&changed.join("\n"));
        if key == "mailboxes" {
            with_line.agents[0].mailboxes.clear();
            with_line.mailboxes[0].policy.agents[0].mailboxes.clear();
        }
        assert_eq!(with_line, plain, "line {}: `{bare}` is not the default", nth + 1);
        tried += 1;
    }
    assert!(tried >= 20, "only {tried} defaults were found");
}

#[test]
fn everything_can_be_switched_on_together() {
    let all: Vec<&str> = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(bare) if bare.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => bare,
            _ => line,
        })
        .collect();
    let config = loaded(&all.join("\n"));
    let submission = config.submission.as_ref().unwrap();
    assert_eq!(submission.implicit_tls.map(|address| address.port()), Some(465));
    assert!(submission.tls.is_some() && !submission.login_without_tls);
    let mailbox = &config.mailboxes[0];
    assert_eq!(mailbox.folders.archive.as_deref(), Some("Archive"));
    assert_eq!(mailbox.policy.flag_escalates, Some(true));
}

#[test]
fn each_way_to_log_in_that_the_example_shows_loads() {
    let ways: Vec<String> = EXAMPLE
        .split("# [mailbox.login]\n")
        .skip(1)
        .map(|way| way.lines().map_while(|line| line.strip_prefix("#   ")).collect::<Vec<_>>())
        .map(|lines| lines.join("\n"))
        .collect();
    assert_eq!(ways.len(), 8, "{ways:?}");
    for way in ways {
        let fits = |provider: &&str| {
            let text = format!(
                "[[mailbox]]\nname = \"support\"\naddress = \"support@example.com\"\nsince = \"2026-11-01\"\n\
                 provider = \"{provider}\"\n[mailbox.imap]\nhost = \"imap.example.com\"\n[mailbox.login]\n{way}\n"
            );
            config::from_toml(Path::new("baton.toml"), &text, &|_| None).is_ok()
        };
        assert!(["gmail", "microsoft365", "imap"].iter().any(fits), "{way}");
    }
}
