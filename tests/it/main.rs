//! The integration tests, one binary.
//!
//! `world` is a team's office in a box: a private Dovecot, a recording proxy in front of it, the
//! people's mail clients, and the real `baton` binary. `scenarios` are the stories told in it, `faults` what breaks
//! meanwhile: the process, the line, the disk. `emulators` holds the world's own Gmail, Exchange and token endpoints
//! against the facts about the real ones, and against clients that others wrote. `login` is how Baton gets its tokens;
//! `collisions` is several people at one thread; `doctor` what `baton doctor` says of healthy and of broken mailboxes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a broken test world must stop the test that stands in it, and nothing else"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "scenarios run the real daemon against a real server, on the real clock"
)]
#![allow(missing_docs, reason = "the names of tests are sentences")]

mod architecture;
mod bad_configs;
mod collisions;
mod doctor;
mod eml;
mod emulators;
mod example_config;
mod faults;
mod hostile;
mod hygiene;
mod laws;
mod login;
mod migrations;
mod outlook;
mod scenarios;
mod submission;
mod world;
