//! The emulators of providers, held against what is written down of the real ones, and against clients that others wrote.

mod clients;
mod gmail;
mod gmail_clients;
mod gmail_faults;
mod gmail_labels;
