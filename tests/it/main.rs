//! The integration tests, one binary.
mod eml;
