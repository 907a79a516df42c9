//! A way to die at the worst moment, for tests: right after a commit, before anybody is answered.
//!
//! Compiled with debug assertions only; a released Baton knows nothing of it. `BATON_CRASH_AFTER_COMMITS=n`, read once
//! when the database is opened for writing, ends the process after the n-th commit that changed something.

/// The variable that says after how many commits.
const VARIABLE: &str = "BATON_CRASH_AFTER_COMMITS";

/// Counts commits down.
#[derive(Debug)]
pub(super) struct Fuse {
    left: Option<u64>,
}

impl Fuse {
    /// As the environment says; without a number it never burns down.
    pub(super) fn from_environment() -> Fuse {
        let left = std::env::var(VARIABLE).ok().and_then(|number| number.parse().ok());
        Fuse { left }
    }

    /// Something was committed. Does not return from the last one.
    pub(super) fn burn(&mut self) {
        let Some(left) = &mut self.left else { return };
        *left = left.saturating_sub(1);
        if *left == 0 {
            tracing::warn!("dying after a commit, as {VARIABLE} asks");
            std::process::abort();
        }
    }
}
