//! Every mail of `tests/data/eml` is understood as its `.expected` says.
//!
//! A `.expected` file holds the part of `baton inspect --json` that matters for its mail, written from what
//! the mail means. Objects are compared by the keys that are expected, lists by length and order; texts
//! without regard to blanks and line ends.

use std::fs;
use std::path::{Path, PathBuf};

use baton::mail::inspect::inspect;
use serde_json::Value;

/// The fields whose blanks and line ends carry no meaning.
const TEXTS: [&str; 2] = ["text", "new_text"];

#[test]
fn every_mail_is_understood_as_expected() {
    let mut wrong = Vec::new();
    let mails = mails();
    assert!(mails.len() >= 160, "only {} mails found", mails.len());
    for mail in &mails {
        let name = mail.file_stem().unwrap().to_string_lossy().into_owned();
        let raw = fs::read(mail).unwrap();
        let expected = fs::read(mail.with_extension("expected"))
            .unwrap_or_else(|error| panic!("{name} has no .expected: {error}"));
        let expected: Value = serde_json::from_slice(&expected)
            .unwrap_or_else(|error| panic!("{name}.expected is no JSON: {error}"));
        let found = serde_json::to_value(inspect(&name, &raw)).unwrap();
        compare(&name, &expected, &found, &mut wrong);
    }
    assert!(wrong.is_empty(), "{} of {} mails:\n{}", wrong.len(), mails.len(), wrong.join("\n"));
}

#[test]
fn no_expectation_is_without_its_mail() {
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "expected") {
            assert!(path.with_extension("eml").exists(), "{} has no mail", path.display());
        }
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/eml")
}

fn mails() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut mails: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "eml")).collect();
    mails.sort();
    mails
}

fn compare(at: &str, expected: &Value, found: &Value, wrong: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                let found = found.get(key).unwrap_or(&Value::Null);
                compare(&format!("{at}/{key}"), value, found, wrong);
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{at}/{number}"), expected, found, wrong);
            }
        }
        (Value::String(expected), Value::String(found)) if is_text(at) => {
            if blanks_collapsed(expected) != blanks_collapsed(found) {
                wrong.push(format!("{at}\n    expected {expected:?}\n    found    {found:?}"));
            }
        }
        _ if expected == found => {}
        _ => wrong.push(format!("{at}\n    expected {expected}\n    found    {found}")),
    }
}

fn is_text(at: &str) -> bool {
    TEXTS.iter().any(|text| at.rsplit('/').next() == Some(text))
}

fn blanks_collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
