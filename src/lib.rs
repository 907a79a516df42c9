//! Baton: one owner and one state for every thread of a shared mailbox, shown in the mailbox itself.

pub mod clock;
pub mod config;
pub mod desk;
pub mod imap;
pub mod engine;
pub mod mail;
pub mod store;
