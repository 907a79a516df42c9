//! Agents hand in mail: real mail clients through TLS, what is kept of it, and what is refused.

mod cards;
mod clients;
mod crowd;
mod delivered;
mod door;
mod folders;
mod judged;
mod leak;
mod once;
mod returned;
mod sent;
mod smuggling;

use door::Door;
