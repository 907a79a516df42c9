//! Reads arguments, runs one command, sets the exit code.
fn main() {}
