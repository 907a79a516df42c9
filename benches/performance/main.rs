//! What docs/performance.md promises, measured: each figure next to its floor, in the same run, taking turns.
//!
//! `cargo bench --bench performance -- PART [NUMBER…]`. Each part is a file that prints rows of the table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a measurement that cannot be taken must stop, and nothing depends on it"
)]
#![allow(clippy::disallowed_methods, reason = "a measurement asks for the time")]
#![allow(missing_docs, reason = "nobody links to a program")]

mod arrivals;
mod catch_up;
mod history;
mod idle;
mod letters;
mod lists;
mod reaction;
mod reading;
mod size;
mod submission;
mod world;

/// Measures and prints; the numbers say how large, if not as large as documented.
type Part = fn(&[usize]);

const PARTS: &[(&str, Part)] = &[
    ("catch-up", catch_up::run),
    ("reaction", reaction::run),
    ("idle", idle::run),
    ("arrivals", arrivals::run),
    ("reading", reading::run),
    ("lists", lists::run),
    ("size", size::run),
    ("long-thread", size::long_thread),
    ("folders", size::folders),
    ("neighbours", size::neighbours),
    ("history", history::run),
    ("submission", submission::run),
];

fn main() {
    // Cargo adds `--bench`.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let numbers: Vec<usize> = words.iter().filter_map(|word| word.parse().ok()).collect();
    let wanted = |name: &str| words.iter().any(|word| word == name);
    let names: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
    if !names.iter().any(|name| wanted(name)) {
        eprintln!("name a part: {}", names.join(", "));
        return;
    }
    for (name, run) in PARTS {
        if wanted(name) {
            run(&numbers);
        }
    }
}
