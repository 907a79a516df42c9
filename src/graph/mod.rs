//! The door to Microsoft Graph: reads and writes the categories of a mailbox's mails, and its list of colours.
//!
//! It knows mailbox, mails and categories as values; what a category means is decided elsewhere. One request at a time for
//! each mailbox, within the budget that Microsoft gives (M113), ids that survive a move (M110), and an [`Error`] that says
//! whether trying again can help. The way to HTTPS and the tokens are [`crate::login`]'s. Where to start: [`Client`].

mod answer;
mod budget;
mod client;
mod error;

pub use answer::{Changed, Copy};
pub use client::{Client, Folders};
pub use error::Error;
