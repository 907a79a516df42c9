//! A way to die at the worst moment, for tests: between getting a new refresh token and having it safe on disk.
//!
//! Compiled with debug assertions only; a released Baton knows nothing of it. `BATON_CRASH_IN_LOGIN` names the step
//! after which the process ends: `received`, `written`, `synced` or `renamed`.

/// The step has been done.
#[cfg(debug_assertions)]
pub(super) fn burn(step: &str) {
    const VARIABLE: &str = "BATON_CRASH_IN_LOGIN";
    if std::env::var(VARIABLE).is_ok_and(|wanted| wanted == step) {
        tracing::warn!("dying after `{step}`, as {VARIABLE} asks");
        std::process::abort();
    }
}

/// Nothing, in a released Baton.
#[cfg(not(debug_assertions))]
pub(super) fn burn(_step: &str) {}
