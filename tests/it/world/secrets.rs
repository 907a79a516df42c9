//! What nobody may read anywhere: looked for after every story, in the most talkative log there is.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A password as it is, and as it travels (RFC 4616).
pub(super) fn of_password(user: &str, password: &str) -> Vec<String> {
    let plain = STANDARD.encode(format!("\0{user}\0{password}"));
    vec![password.to_owned(), plain]
}

/// Tokens as they are, and as they travel (XOAUTH2).
pub(crate) fn of_tokens(users: &[&str], tokens: &[String]) -> Vec<String> {
    let shown = |token: &String| {
        let shown =
            |user: &&str| STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        users.iter().map(shown).collect::<Vec<String>>()
    };
    tokens.iter().cloned().chain(tokens.iter().flat_map(shown)).collect()
}

/// Fails where a text holds one of the secrets, or the middle of one.
#[track_caller]
pub(crate) fn hold_none(secrets: &[String], place: &str, text: &str) {
    for secret in secrets {
        // The ends may be cut off; the middle may not be there either.
        let middle: String = secret.chars().skip(secret.len() / 4).take(24).collect();
        let line = text.lines().find(|line| line.contains(&middle));
        assert!(line.is_none(), "{place} holds {secret}: {line:?}");
    }
}
