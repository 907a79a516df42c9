//! The stories that Baton must live through, each told in a world of its own.
//!
//! `states` walks the arrows of the state table, `gestures` what people do in their clients, `commands` what they
//! type, `conversations` what belongs together, `upkeep` what happens to mailboxes, servers and the daemon,
//! `limits` what providers refuse, `gmail_day` what a day costs, `outlook` what a classic Outlook does.
//! Most are told in all layouts: `cargo test --test it states::folders::a_reply` runs one of them.

mod commands;
mod conversations;
mod exchange;
mod gestures;
mod gmail;
mod gmail_day;
mod itself;
mod limits;
mod outlook;
mod servers;
mod states;
mod upkeep;
