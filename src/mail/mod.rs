//! What a raw message says. Total: an unreadable mail is a kind of message, not a failure.
//!
//! Start with [`parse::parse`]. Nothing here knows who the team is; `desk` judges with what is found here.

pub mod authentication;
pub mod forward;
pub mod html;
pub mod inspect;
pub mod kind;
pub mod message;
pub mod newtext;
pub mod orders;
pub mod outgoing;
pub mod parse;
pub mod proof;
pub mod shingles;
pub mod subject;
pub mod thanks;
pub mod written;

mod absence;
mod body;
mod bounce;
mod bounce_words;
mod entities;
mod flowed;
mod header;
mod headings;
mod phrases;
mod quoted;
mod signs;
mod submitter;
mod tnef;
mod words;
