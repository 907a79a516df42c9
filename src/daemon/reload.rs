//! SIGHUP: a good new configuration is taken over, a bad one changes nothing.

use std::sync::Arc;

use crate::config::{self, Config};
use crate::daemon::{Shared, policies, submission, supervise, tell_systemd};

/// Reads the file again.
pub(crate) async fn reload(
    config: &mut Config,
    shared: &Arc<Shared>,
    lanes: &mut supervise::Lanes,
    door: &mut submission::Door,
) {
    reloading();
    match config::load(&config.file) {
        Ok(new) if new.state_dir != config.state_dir => {
            tracing::error!(
                "`state_dir` cannot change while Baton runs; the old configuration stays"
            );
        }
        Ok(new) => {
            shared.policies.send_replace(Arc::new(policies(&new, shared.mode, &shared.key)));
            lanes.adopt(shared, &new).await;
            door.adopt(&new).await;
            *config = new;
            tracing::info!("The new configuration is in force");
        }
        Err(problems) => {
            tracing::error!("The new configuration is bad, the old one stays:\n{problems}");
        }
    }
    tell_systemd(&[sd_notify::NotifyState::Ready]);
}

/// `Type=notify-reload` wants to hear when a reload begins.
fn reloading() {
    match sd_notify::NotifyState::monotonic_usec_now() {
        Ok(now) => tell_systemd(&[sd_notify::NotifyState::Reloading, now]),
        Err(error) => tracing::warn!("Cannot tell systemd of the reload: {error}"),
    }
}
