//! The door for agents' mail clients: they use Baton as their outgoing server.
//!
//! `session` is the conversation, without a socket. Nothing here decides whose mail may leave, or where it goes.

pub mod session;
