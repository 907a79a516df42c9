//! Machines that write to machines, and mail that comes back: everything comes to rest, and people are told once.

mod exchange;
mod machines;
pub(crate) mod returned;
mod suite;

use crate::world::smtpd::Sent;
use crate::world::{Setup, World};

/// A world in which customers are told that their mail has come.
fn setup() -> Setup {
    Setup::keywords().with("acknowledgement = { enabled = true }")
}

/// What machines have written to this address.
fn sent_to(world: &World, address: &str) -> Vec<Sent> {
    let mut sent = world.provider_smtp().sent();
    sent.retain(|one| one.to == [address]);
    sent
}

/// Waits until so many mails have left for this address; answers the last one.
#[track_caller]
fn gets(world: &mut World, address: &str, mails: usize) -> Sent {
    world.eventually(&format!("{mails} mails have left for {address}"), |world| {
        sent_to(world, address).len() == mails
    });
    sent_to(world, address).pop().unwrap()
}

/// A mail comes into INBOX as these bytes.
fn comes(world: &mut World, bytes: &[u8]) {
    world.eyes().append("INBOX", "", None, bytes);
}

/// The Message-ID without its brackets.
fn id_of(text: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    line.trim().trim_matches(['<', '>']).to_owned()
}
