//! The token endpoints of the world, spoken to in raw HTTP: what Baton is tested against must be right itself.

mod dovecot;
mod google;
mod microsoft;
mod network;
