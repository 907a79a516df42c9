//! A real Dovecot full of mail, the real daemon beside it, and what `/proc` says of both.

#![allow(dead_code, reason = "the world of the scenarios can do more than is measured here")]

pub(crate) mod bare;
#[path = "../../../tests/it/world/client.rs"]
pub(crate) mod client;
pub(crate) mod daemon;
pub(crate) mod desk;
#[path = "../../../tests/it/world/dovecot.rs"]
pub(crate) mod dovecot;
#[path = "../../../tests/it/world/fault.rs"]
pub(crate) mod fault;
#[allow(unused_imports, reason = "its tests are run where the scenarios are")]
#[path = "../../../tests/it/world/garbler.rs"]
pub(crate) mod garbler;
pub(crate) mod maildir;
pub(crate) mod postfix;
#[allow(unused_imports, reason = "its tests are run where the scenarios are")]
#[path = "../../../tests/it/world/proxy.rs"]
pub(crate) mod proxy;

use std::time::{Duration, Instant};

/// The password of every user of the server.
pub(crate) const PASSWORD: &str = "correct-horse";

/// A mail arrives.
pub(crate) fn deliver(imap: &mut client::Imap, message: &[u8]) {
    imap.run_with(&client::append_command("INBOX", "", None), Some(message)).unwrap();
}

/// Asks until there is an answer, at most for `patience`.
pub(crate) fn poll<T>(patience: Duration, mut answer: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = answer() {
            return Some(answer);
        }
        if Instant::now() >= end {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The value in the middle.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    percentile(values, 50)
}

/// The value that `percent` of all do not exceed.
pub(crate) fn percentile(values: &mut [f64], percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * percent).div_ceil(100).max(1) - 1;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// Prints one row of the table.
pub(crate) fn row(what: &str, baton: &str, floor: &str, ratio: &str, aim: &str) {
    println!("| {what} | {baton} | {floor} | {ratio} | {aim} |");
}
