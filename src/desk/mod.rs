//! The rules of the desk: which threads exist, who owns each one, and what must happen next.
//!
//! This room is pure. It is given facts and the time and answers with values; it never waits,
//! reads a clock, opens a socket or sees the database. Start with [`thread`], then [`command`];
//! [`marks`] says what the mailbox should show and what a person changed in it.

pub mod answer;
pub mod arrival;
pub mod automatic;
pub mod budget;
pub mod calendar;
pub mod card;
pub mod category;
pub mod clocks;
pub mod command;
pub mod draft;
pub mod event;
pub mod joining;
pub mod label;
pub mod layout;
pub mod leave;
pub mod marks;
pub mod notice;
pub mod policy;
pub mod proof;
pub mod retry;
pub mod roster;
#[cfg(test)]
mod sample;
pub mod sending;
pub mod thread;
pub mod verb;
pub mod when;
pub mod wording;
