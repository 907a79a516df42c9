//! Each folder below `tests/data/bad_configs` is one mistake, with the lines that the admin must see.
//!
//! To add one, make a folder with `config.toml` and `expected_error`, one line for each problem.

use std::fs;
use std::path::Path;

use baton::config;

#[test]
fn each_bad_config_is_refused_for_its_own_reason() {
    let mut tried = 0;
    for entry in fs::read_dir("tests/data/bad_configs").unwrap() {
        let folder = entry.unwrap().path();
        let text = fs::read_to_string(folder.join("config.toml")).unwrap();
        let expected = fs::read_to_string(folder.join("expected_error")).unwrap();

        let Err(problems) = config::from_toml(Path::new("baton.toml"), &text, &|_| None) else {
            panic!("{} was accepted", folder.display());
        };
        let told = problems.to_string();
        assert!(!expected.trim().is_empty(), "{}: expects nothing; told\n{told}", folder.display());
        for line in expected.lines() {
            assert!(told.contains(line), "{}: lacks\n{line}\ntold\n{told}", folder.display());
        }
        assert_eq!(problems.len(), expected.lines().count(), "{}: told\n{told}", folder.display());
        tried += 1;
    }
    assert!(tried >= 30, "only {tried} bad configurations were found");
}

#[test]
fn five_mistakes_are_told_together_in_the_order_of_the_file() {
    let text = fs::read_to_string("tests/data/bad_configs/five_at_once/config.toml").unwrap();
    let problems = config::from_toml(Path::new("baton.toml"), &text, &|_| None).unwrap_err();
    let told: Vec<(Option<usize>, &str)> =
        problems.iter().map(|problem| (problem.line, problem.key.as_str())).collect();
    let expected = [
        (Some(6), "mailbox[0].since"),
        (Some(7), "mailbox[0].layuot"),
        (Some(11), "mailbox[0].imap.port"),
        (Some(12), "mailbox[0].imap.tls"),
        (Some(15), "agent[0].name"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_password_in_the_file_is_never_repeated() {
    let folders = [
        "password_inline",
        "password_as_env_name",
        "password_as_credential_name",
        "login_secret_inline",
        "login_key_inline",
        "syntax",
    ];
    for name in folders {
        let folder = Path::new("tests/data/bad_configs").join(name);
        let text = fs::read_to_string(folder.join("config.toml")).unwrap();
        assert!(text.contains("hunter2"), "{name} has no password to repeat");
        let problems = config::from_toml(Path::new("baton.toml"), &text, &|_| None).unwrap_err();
        assert!(!format!("{problems} {problems:?}").contains("hunter2"), "{name}: {problems}");
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let told = config::load(Path::new("/nowhere/baton.toml")).unwrap_err().to_string();
    assert!(told.starts_with("/nowhere/baton.toml: cannot be read: No such file"), "{told}");
    assert!(told.contains("--config FILE"), "{told}");
}

#[test]
fn a_file_that_is_not_utf_8_has_its_line_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("baton.toml");
    fs::write(&file, b"[[mailbox]]\nname = \"b\xfcro\"\n").unwrap();
    let told = config::load(&file).unwrap_err().to_string();
    assert!(
        told.contains("baton.toml:2: this line is not UTF-8; save the file as UTF-8"),
        "{told}"
    );
}
