//! A way to die at the worst moment, for tests: right after a commit, before anybody is answered, or right before one,
//! when what was done outside is not written down yet.
//!
//! Compiled with debug assertions only; a released Baton knows nothing of it. `BATON_CRASH_AFTER_COMMITS=n` and
//! `BATON_CRASH_BEFORE_COMMIT=n`, read once when the database is opened for writing, end the process at the n-th commit
//! that changes something.

/// The variable that says after how many commits.
const AFTER: &str = "BATON_CRASH_AFTER_COMMITS";
/// The variable that says before which one.
const BEFORE: &str = "BATON_CRASH_BEFORE_COMMIT";

/// Counts commits down.
#[derive(Debug)]
pub(super) struct Fuse {
    after: Option<u64>,
    before: Option<u64>,
}

impl Fuse {
    /// As the environment says; without a number it never burns down.
    pub(super) fn from_environment() -> Fuse {
        let number = |name| std::env::var(name).ok().and_then(|number| number.parse().ok());
        Fuse { after: number(AFTER), before: number(BEFORE) }
    }

    /// Something is about to be committed. Does not return before the last one.
    pub(super) fn before_commit(&mut self) {
        burn(&mut self.before, BEFORE);
    }

    /// Something was committed. Does not return from the last one.
    pub(super) fn after_commit(&mut self) {
        burn(&mut self.after, AFTER);
    }
}

fn burn(left: &mut Option<u64>, variable: &str) {
    let Some(left) = left else { return };
    *left = left.saturating_sub(1);
    if *left == 0 {
        tracing::warn!("dying at a commit, as {variable} asks");
        std::process::abort();
    }
}
