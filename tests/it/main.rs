//! The integration tests, one binary.

mod bad_configs;
mod example_config;
