//! The door for agents' mail clients: they use Baton as their outgoing server.
//!
//! [`session`] is the conversation, without a socket; [`Listeners`] are the sockets. Nothing here decides whose mail may leave
//! or where it goes: that is the [`Clerk`]'s, who stands behind the door. Nor does anything here know the database:
//! [`password`] hashes and [`attempts`] counts, and what they say is kept elsewhere.

pub mod attempts;
mod certificate;
mod clerk;
mod listen;
pub mod password;
mod room;
pub mod session;

pub use clerk::Clerk;
pub use listen::Listeners;
