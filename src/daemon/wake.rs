//! The timer: wakes blocked threads when their time comes, by an index and not by looking at all of them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::daemon::Shared;
use crate::engine;

/// The longest sleep, so that a clock that was set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// The shortest, so that a thread that cannot be woken does not keep us busy.
const SLEEP_MIN: Duration = Duration::from_secs(1);

/// Runs until the daemon stops.
pub(crate) async fn wake(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    loop {
        let now = shared.clock.now();
        let policies = shared.policies();
        let next = shared.store.write(move |tx| engine::tick(tx, &policies, now)).await;
        let next = next.unwrap_or_else(|error| {
            tracing::error!("Cannot wake blocked threads: {error:#}");
            None
        });
        if let Err(error) = shared.ring().await {
            tracing::error!("Cannot look for what is to be written: {error:#}");
        }
        let until =
            next.map_or(now + SLEEP_MAX, |next| next.clamp(now + SLEEP_MIN, now + SLEEP_MAX));
        tokio::select! {
            () = shared.clock.sleep_until(until) => (),
            () = shared.alarm.notified() => (),
            _ = stopped.changed() => return,
        }
    }
}
