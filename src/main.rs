//! Reads arguments, runs one command, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some("inspect") {
        return ExitCode::from(2);
    }
    for file in arguments.filter(|argument| argument != "--json") {
        let Ok(raw) = std::fs::read(&file) else { return ExitCode::from(2) };
        match serde_json::to_string(&baton::mail::inspect::inspect(&file, &raw)) {
            Ok(line) => println!("{line}"),
            Err(_) => return ExitCode::FAILURE,
        }
    }
    ExitCode::SUCCESS
}
