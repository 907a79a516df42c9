//! What single values may look like. Each rule takes what the admin wrote and answers the checked value,
//! or says why not and what to write instead.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::problem::{Wrong, nearest, shown};
use crate::clock::Timestamp;

/// The longest mailbox name and agent id. Dovecot takes keywords of up to 50 bytes, and an agent's keyword is
/// the prefix, a hyphen and the id.
const NAME_MAX: usize = 32;
const KEYWORD_PREFIX_MAX: usize = 16;
/// The longest folder name; some servers take no more than 255 bytes, encoded.
const FOLDER_NAME_MAX: usize = 60;

/// Text that is neither empty nor holds control characters.
pub(super) fn words(text: &str) -> Result<String, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(
            "empty",
            "write something between the quotes, or leave the key out",
        ));
    }
    if text.chars().any(char::is_control) {
        let what = format!("{} holds a control character", shown(text));
        return Err(Wrong::new(what, "write it on one line, without tabs"));
    }
    Ok(text.to_owned())
}

/// One of a few words, each with what it stands for.
pub(super) fn one_of<T: Clone>(text: &str, choices: &[(&str, T)]) -> Result<T, Wrong> {
    if let Some((_, choice)) = choices.iter().find(|(word, _)| *word == text) {
        return Ok(choice.clone());
    }
    let all: Vec<String> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    let remedy = match nearest(&text.to_lowercase(), choices.iter().map(|(word, _)| *word)) {
        Some(near) => format!("did you mean \"{near}\"? Write one of {}", all.join(", ")),
        None => format!("write one of {}", all.join(", ")),
    };
    Err(Wrong::new(format!("{} is none of the choices", shown(text)), remedy))
}

/// A number within `range`.
pub(super) fn within<T>(number: i64, range: RangeInclusive<T>) -> Result<T, Wrong>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    match T::try_from(number) {
        Ok(value) if range.contains(&value) => Ok(value),
        _ => {
            let remedy = format!("write a number from {} to {}", range.start(), range.end());
            Err(Wrong::new(format!("{number} is out of range"), remedy))
        }
    }
}

/// A mailbox's name or an agent's id: it becomes part of commands, keywords and file names.
pub(super) fn name(text: &str) -> Result<String, Wrong> {
    let legal = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-');
    let begins_well = text.starts_with(|first: char| legal(first) && first != '-');
    if begins_well && text.chars().all(legal) && text.len() <= NAME_MAX {
        return Ok(text.to_owned());
    }
    let remedy = format!(
        "write lower-case letters, digits and hyphens, at most {NAME_MAX}, with a letter or digit first"
    );
    Err(Wrong::new(format!("{} cannot be a name", shown(text)), remedy))
}

/// One mail address without a display name, in lower case.
pub(super) fn address(text: &str) -> Result<String, Wrong> {
    let wrong = |why: &str| {
        let remedy = "write only the address, as in \"support@example.com\"";
        Err(Wrong::new(format!("{} {why}", shown(text)), remedy))
    };
    if text.contains(|letter: char| {
        letter.is_whitespace() || letter.is_control() || "<>,;:()[]\"\\".contains(letter)
    }) {
        return wrong("holds more than an address");
    }
    match text.split_once('@') {
        None => wrong("is no mail address"),
        Some((local, domain)) if local.is_empty() || domain.is_empty() => {
            wrong("lacks a part before or after the @")
        }
        Some((_, domain))
            if domain.contains('@') || domain.split('.').any(|label| label.is_empty()) =>
        {
            wrong("has no domain after the @")
        }
        Some(_) => Ok(text.to_ascii_lowercase()),
    }
}

/// A day, which begins at midnight UTC, or a moment with its zone.
pub(super) fn moment(text: &str) -> Result<Timestamp, Wrong> {
    let is_day = text.len() == "2026-11-01".len() && !text.contains(['T', 't', ':']);
    let whole = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    Timestamp::parse(&whole).ok_or_else(|| {
        let remedy = "write a day, as in \"2026-11-01\" (from midnight UTC), or a time with its zone, \
                      as in \"2026-11-01T08:00:00+01:00\"";
        Wrong::new(format!("{} is no date", shown(text)), remedy)
    })
}

/// A host name or IP address, and nothing else.
pub(super) fn host(text: &str) -> Result<String, Wrong> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    // Neither is repeated: a URL, and what stands before an @, may hold a password.
    if text.contains('/') || text.contains('@') {
        let remedy = "write only the server's name, as in \"imap.example.com\"; \
                      port, tls and user have their own keys";
        return Err(Wrong::new("holds more than the name of a server", remedy));
    }
    let what = |why: &str| format!("{} {why}", shown(text));
    if text.starts_with('[') {
        return Err(Wrong::new(what("has brackets"), "write the IPv6 address without them"));
    }
    if let Some((name, port)) = text.split_once(':') {
        let remedy = match port.parse::<u16>() {
            Ok(port) => format!("write host = {name:?} and port = {port}"),
            Err(_) => "write the name alone, or a whole IP address".to_owned(),
        };
        return Err(Wrong::new(what("holds a colon"), remedy));
    }
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if text.is_empty() || !text.chars().all(legal) || text.starts_with('.') || text.contains("..") {
        let remedy = "write a name such as \"imap.example.com\", or an IP address; \
                      letters beyond ASCII in their xn-- form";
        return Err(Wrong::new(what("is no host name"), remedy));
    }
    Ok(text.to_owned())
}

/// Whether a connection to this host stays within the machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The address of an endpoint: `https`, or `http` on this machine. Neither secrets nor tokens travel in the clear.
pub(super) fn url(text: &str) -> Result<String, Wrong> {
    let example = "write it as in \"https://login.example.com/oauth2/token\"";
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    // Not repeated, since what stands before an @ may be a password.
    if !matches!(scheme, "https" | "http") || rest.contains('@') {
        return Err(Wrong::new("is no https address", example));
    }
    if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        return Err(Wrong::new(format!("{} holds a space", shown(text)), example));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, _)) => name,
        None => authority.split(':').next().unwrap_or_default(),
    };
    host(name)?;
    if scheme == "http" && !is_loopback(name) {
        let what =
            format!("without TLS, everybody on the way to {} could read the secret", shown(name));
        return Err(Wrong::new(what, "write https:// at its beginning"));
    }
    Ok(text.to_owned())
}

/// A scope (RFC 6749, section 3.3): one word.
pub(super) fn scope(text: &str) -> Result<String, Wrong> {
    let legal = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '"' | '\\');
    if !text.is_empty() && text.chars().all(legal) {
        return Ok(text.to_owned());
    }
    let remedy = "write each scope as a text of its own, as in [\"https://mail.google.com/\"]";
    Err(Wrong::new(format!("{} is no scope", shown(text)), remedy))
}

/// An organisation at Microsoft: its id, or one of its domains. Without a person nobody can tell which one `common` is.
pub(super) fn tenant(text: &str, app_only: bool) -> Result<String, Wrong> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
    let remedy = "write the Directory (tenant) ID, as in \"0f3a…-…\", or a domain, as in \"contoso.onmicrosoft.com\"";
    if text.is_empty() || !text.chars().all(legal) {
        return Err(Wrong::new(format!("{} is no tenant", shown(text)), remedy));
    }
    if app_only && ["common", "organizations", "consumers"].contains(&text) {
        return Err(Wrong::new(format!("{} names no single tenant", shown(text)), remedy));
    }
    Ok(text.to_owned())
}

/// What one of Baton's folders or labels may be called on every kind of server.
pub(super) fn mark(text: &str) -> Result<String, Wrong> {
    let wrong =
        |why: String, remedy: &str| Err(Wrong::new(format!("{} {why}", shown(text)), remedy));
    if text.is_empty() || text.trim() != text {
        return wrong("is empty or has a space at its end".into(), "write a word, as in \"Ana\"");
    }
    if let Some(letter) = text.chars().find(|each| each.is_control() || r#"/\*%"."#.contains(*each))
    {
        let why = format!("holds {}, which folder names may not", shown(&letter.to_string()));
        return wrong(why, "write it without / \\ * % \" and full stops");
    }
    if text.starts_with(['#', '~']) {
        return wrong("begins like a namespace".into(), "begin with a letter or digit");
    }
    if text.chars().count() > FOLDER_NAME_MAX {
        return wrong("is too long".into(), "write at most 60 letters");
    }
    if text.eq_ignore_ascii_case("inbox") {
        return wrong("is the inbox itself".into(), "write another word");
    }
    Ok(text.to_owned())
}

/// What keywords begin with: a part of an IMAP atom, in lower case.
pub(super) fn keyword(text: &str) -> Result<String, Wrong> {
    let legal = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '-' | '_');
    let begins_well = text.starts_with(|first: char| first.is_ascii_lowercase());
    let ends_well = !text.ends_with('-');
    if begins_well && ends_well && text.chars().all(legal) && text.len() <= KEYWORD_PREFIX_MAX {
        return Ok(text.to_owned());
    }
    let remedy = format!(
        "write at most {KEYWORD_PREFIX_MAX} lower-case letters, digits and hyphens, as in \"baton\"; \
         the hyphen after it is added"
    );
    Err(Wrong::new(format!("{} cannot begin a keyword", shown(text)), remedy))
}

/// A folder that the server has already, with its full path.
pub(super) fn folder(text: &str) -> Result<String, Wrong> {
    let text = words(text)?;
    if text.eq_ignore_ascii_case("inbox") {
        let remedy = "write the name of another folder, or leave the key out";
        return Err(Wrong::new("the inbox has a role already", remedy));
    }
    Ok(text)
}

/// A path; one that is not absolute counts from the folder of the configuration file, not from where a
/// command happens to be started.
pub(super) fn path(text: &str, base: &Path) -> Result<PathBuf, Wrong> {
    if text.trim().is_empty() || text.contains('\0') {
        return Err(Wrong::new("no path", "write an absolute path, as in \"/var/lib/baton\""));
    }
    Ok(base.join(text))
}

/// The name of an environment variable. A wrong one is not repeated: it may be a password.
pub(super) fn variable(text: &str) -> Result<String, Wrong> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !text.is_empty()
        && text.chars().all(legal)
        && !text.starts_with(|c: char| c.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    let remedy =
        "write the variable's name, as in { env = \"SUPPORT_PASSWORD\" }, not the password";
    Err(Wrong::new("not the name of an environment variable", remedy))
}

/// The name of a systemd credential. A wrong one is not repeated: it may be a password.
pub(super) fn credential(text: &str) -> Result<String, Wrong> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if !text.is_empty() && text.chars().all(legal) && !text.starts_with('.') {
        return Ok(text.to_owned());
    }
    let remedy = "write the name that LoadCredential= gives it, as in { credential = \"support\" }";
    Err(Wrong::new("not the name of a systemd credential", remedy))
}

/// What the log should hold: a level, and levels for single rooms.
pub(super) fn log_filter(text: &str) -> Result<String, Wrong> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let remedy = "write a level (off, error, warn, info, debug, trace), then maybe levels for single rooms, \
                  as in \"info,baton::imap=debug\"";
    let parts: Vec<&str> = text.split(',').map(str::trim).collect();
    for part in &parts {
        let level = part.rsplit_once('=').map_or(*part, |(_, level)| level);
        // A bare word that is no level would silently mean a room of that name, with everything it says.
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level)) {
            return Err(Wrong::new(format!("{} is no log level", shown(level)), remedy));
        }
    }
    let text = parts.join(",");
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) => Ok(text),
        Err(_) => Err(Wrong::new(format!("{} is no log filter", shown(&text)), remedy)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["imap.example.com", "localhost", "127.0.0.1", "::1", "mail_1", "host."] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        for bad in ["", "imaps://h", "h:993", "[::1]", "münchen.example", "a b", "a..b", ".a"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for near in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"] {
            assert!(is_loopback(near), "{near}");
        }
        for far in ["localhost.example.com", "10.0.0.1", "::2", "128.0.0.1", "127.0.0.1.example"] {
            assert!(!is_loopback(far), "{far}");
        }
    }

    #[test]
    fn secrets_go_to_https_addresses_only() {
        for good in
            ["https://a.example/token", "http://127.0.0.1:9/t", "http://[::1]:9/", "https://h?a=b"]
        {
            assert_eq!(url(good).as_deref(), Ok(good));
        }
        for bad in [
            "",
            "a.example",
            "ftp://a",
            "http://a.example/",
            "https://u:p@h/",
            "https:///x",
            "https://a b",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_application_alone_names_its_tenant() {
        assert!(tenant("contoso.onmicrosoft.com", true).is_ok());
        assert!(tenant("organizations", false).is_ok());
        for bad in ["common", "a/b", "", "{tenant}"] {
            assert!(tenant(bad, true).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_utc() {
        let midnight = Timestamp::parse("2026-11-01T00:00:00Z").unwrap();
        assert_eq!(moment("2026-11-01"), Ok(midnight));
        assert_eq!(moment("2026-11-01T01:00:00+01:00"), Ok(midnight));
        for bad in ["", "1.11.2026", "2026-13-01", "2026-11-01T00:00:00", "today", "2026-11-1"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_bare_and_lower_case() {
        assert_eq!(address("Support+eu@Example.COM").as_deref(), Ok("support+eu@example.com"));
        let bad = ["", "a", "@b", "a@", "a@b@c", "A <a@b>", "a@b,c@d", "a @b", "a@.b", "a@b."];
        for bad in bad {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn marks_are_legal_on_every_server() {
        for good in ["Ana", "Jürgen", "Ana Ruiz", "安娜", "R&D"] {
            assert_eq!(mark(good).as_deref(), Ok(good));
        }
        for bad in ["", " Ana", "A/B", "A\\B", "A*", "A%", "A\"", "A\n", "A.B", "#A", "~a", "Inbox"]
        {
            assert!(mark(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_misspelt_level_does_not_silence_the_log() {
        for good in ["info", "INFO", "warn,baton::imap=debug", "off"] {
            assert_eq!(log_filter(good).as_deref(), Ok(good));
        }
        assert_eq!(log_filter("info, baton=trace").as_deref(), Ok("info,baton=trace"));
        for bad in ["", "inof", "info,", "baton=loud", "baton"] {
            assert!(log_filter(bad).is_err(), "{bad}");
        }
    }
}
