//! The integration tests, one binary.
//!
//! `world` is a team's office in a box: a private Dovecot, a recording proxy in front of it, the
//! people's mail clients, and the real `baton` binary. `scenarios` are the stories told in it, `faults` what breaks
//! meanwhile: the process, the line, the disk.

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
mod eml;
mod emulators;
mod example_config;
mod exchange;
mod faults;
mod hostile;
mod laws;
mod migrations;
mod scenarios;
mod tokens;
mod world;
