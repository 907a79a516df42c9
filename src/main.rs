//! Reads arguments, runs one command, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // It answers an error only when one was installed before, which is just as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    baton::cli::run(std::env::args_os())
}
