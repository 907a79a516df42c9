//! Looks at a mailbox, its servers and this machine from all sides, and says what is wrong and what to do about it.
//!
//! What was found out stands in plain facts; what to say of them are pure functions, one file for each theme. Nothing is
//! changed unless [`Depth::Probe`] is asked for: then a message of Baton's own goes through what others' will go through,
//! and is removed again. Where to start: [`examine()`].
//!
//! In reading order: `check` (what is said), `examine` (who asks what, and when), the themes `machine`, `reach`, `login`,
//! `server`, `folders`, `limits`, `probe`, `sending`; `letter` and `submit` (the probes), `secrets` (where each lies).

mod check;
mod examine;
mod folders;
mod letter;
mod limits;
mod login;
mod machine;
mod probe;
mod reach;
pub mod secrets;
mod sending;
pub mod server;
mod submit;

pub use check::{Check, Outcome, Theme};
pub use examine::{Depth, examine};
