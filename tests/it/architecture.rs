//! The rooms import only what they may, and the rules stay pure. A single crate cannot let Cargo hold this, so a test does.

use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms it may import from. Adding a pair here is a decision about the architecture; explain it in
/// src/lib.rs.
const ROOMS: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("mail", &["clock"]),
    ("desk", &["clock", "mail"]),
    ("store", &["clock", "desk", "mail"]),
    ("config", &["clock", "desk"]),
    ("tls", &["clock"]),
    ("imap", &["clock", "config", "desk", "mail", "tls"]),
    ("relay", &["clock", "desk", "tls"]),
    ("login", &["clock", "config", "desk", "tls"]),
    ("graph", &["clock", "desk", "login"]),
    ("submission", &["clock", "config", "desk", "mail"]),
    ("engine", &["clock", "desk", "mail", "store"]),
    (
        "daemon",
        &[
            "clock",
            "config",
            "desk",
            "engine",
            "graph",
            "imap",
            "login",
            "mail",
            "relay",
            "store",
            "submission",
        ],
    ),
    (
        "doctor",
        &["clock", "config", "daemon", "desk", "imap", "login", "mail", "relay", "store", "tls"],
    ),
    (
        "cli",
        &[
            "clock",
            "config",
            "daemon",
            "desk",
            "doctor",
            "engine",
            "imap",
            "login",
            "mail",
            "store",
            "submission",
        ],
    ),
];

/// What the rules must never contain, and who is a rule.
const PURE: &[&str] = &["mail", "desk"];
const IMPURE: &[&str] = &[
    "async fn",
    "tokio",
    "rusqlite",
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "::now()",
    "RandomState",
    "std::thread",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let room = room_of(&path);
                found.push((path, room));
            }
        }
    }
    found.sort();
    found
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_string()
}

/// The lines above the file's tests, with their numbers, without comments.
fn lines_before_tests(path: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .enumerate()
        .take_while(|(_, line)| line.trim() != "#[cfg(test)]")
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number + 1, line.to_string()))
        .collect()
}

#[test]
fn rooms_import_only_what_they_may() {
    let mut problems = Vec::new();
    for (path, room) in sources() {
        if room == "lib" || room == "main" {
            continue;
        }
        let allowed = ROOMS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        let allowed = allowed.unwrap_or_else(|| panic!("`{room}` is not in the list of rooms"));
        for (number, line) in lines_before_tests(&path) {
            for import in line.split("crate::").skip(1) {
                let import: String =
                    import.chars().take_while(|c| *c == '_' || c.is_ascii_lowercase()).collect();
                if import != room && !allowed.contains(&import.as_str()) {
                    problems
                        .push(format!("{}:{number}: {room} may not use {import}", path.display()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_rules_touch_nothing_but_their_arguments() {
    let mut problems = Vec::new();
    for (path, room) in sources() {
        if !PURE.contains(&room.as_str()) {
            continue;
        }
        for (number, line) in lines_before_tests(&path) {
            for word in IMPURE.iter().filter(|word| line.contains(**word)) {
                problems.push(format!("{}:{number}: `{word}` in {room}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn sql_stays_in_the_store() {
    let users: Vec<String> = sources()
        .into_iter()
        .filter(|(_, room)| room != "store")
        .filter(|(path, _)| {
            lines_before_tests(path).iter().any(|(_, line)| line.contains("rusqlite"))
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert_eq!(users, Vec::<String>::new());
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, _) in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}
