//! Baton: one owner and one state for every thread of a shared mailbox, shown in the mailbox itself.

pub mod clock;
pub mod desk;
pub mod mail;

pub mod store;

pub mod imap;

pub mod engine;

pub mod config;
pub mod daemon;

pub mod cli;
