//! What a raw message says. Total: an unreadable mail is a kind of message, not a failure.
//!
//! Start with [`parse::parse`]. Nothing here knows who the team is; `desk` judges with what is found here.

pub mod bounce;
mod bounce_words;
pub mod kind;
pub mod message;
mod signs;
