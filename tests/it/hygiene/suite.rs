//! The labelled mails of machines in `tests/data/eml`: none of them is ever answered by a machine.
//!
//! `machines.txt` there names each with what it is, its language, and the system that writes so.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use baton::mail::message::Kind;
use baton::mail::parse::parse;

struct Labelled {
    name: String,
    label: String,
    language: String,
    system: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/eml")
}

fn labelled() -> Vec<Labelled> {
    let list = fs::read_to_string(folder().join("machines.txt")).unwrap();
    let lines = list.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let [name, label, language, system] = words.try_into().expect("four words");
            Labelled { name, label, language, system }
        })
        .collect()
}

#[test]
fn there_are_enough_mails_of_machines_in_enough_languages_and_systems() {
    let all = labelled();
    let count = |of: fn(&Labelled) -> &String| all.iter().map(of).collect::<BTreeSet<_>>().len();
    let (mails, languages, systems) =
        (count(|one| &one.name), count(|one| &one.language), count(|one| &one.system));
    assert_eq!(mails, all.len(), "a mail is named twice");
    assert!(200 <= mails && 20 <= languages && 15 <= systems, "{mails} {languages} {systems}");
    for label in ["vacation", "acknowledgement", "bounce", "list", "loop"] {
        let of = all.iter().filter(|one| one.label == label).count();
        assert!(12 <= of, "only {of} of {label}");
    }
}

#[test]
fn no_mail_of_a_machine_is_answered_by_one_or_taken_for_a_persons() {
    let mut wrong = Vec::new();
    for one in labelled() {
        let raw = fs::read(folder().join(format!("{}.eml", one.name)))
            .unwrap_or_else(|error| panic!("{}: {error}", one.name));
        let message = parse(&raw);
        if message.may_answer_automatically {
            wrong.push(format!("{} would be answered: {}", one.name, message.kind_reason));
        }
        let kinds: &[Kind] = match one.label.as_str() {
            "vacation" => &[Kind::AutoReply],
            "acknowledgement" => &[Kind::AutoReply, Kind::Notification, Kind::List],
            "bounce" => &[Kind::Bounce],
            "list" => &[Kind::List, Kind::Notification],
            "receipt" => &[Kind::Receipt],
            "complaint" => &[Kind::Complaint],
            "robot" => &[Kind::Notification, Kind::AutoReply, Kind::List, Kind::Human],
            "loop" => &[
                Kind::AutoReply,
                Kind::Notification,
                Kind::List,
                Kind::Own,
                Kind::Bounce,
                Kind::Human,
            ],
            other => panic!("{}: an unknown label {other}", one.name),
        };
        if !kinds.contains(&message.kind) {
            wrong.push(format!("{} is {:?}: {}", one.name, message.kind, message.kind_reason));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
