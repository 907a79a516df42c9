//! Tells in time what of a login will end: secrets, certificates, consents.

use std::sync::Arc;
use std::time::Duration;

use crate::daemon::Shared;
use crate::daemon::credential::Key;

/// How often it is looked whether something ends.
const LOOK_EVERY: Duration = Duration::from_secs(3600);

/// Warns of each end in its time, until it is aborted.
pub(crate) async fn watch(shared: Arc<Shared>, mailbox: String, key: Key) {
    let Some(tokens) = key.tokens() else { return };
    loop {
        match tokens.warnings().await {
            Ok(all) => {
                for words in all {
                    tracing::warn!(mailbox, "{mailbox}: {words}");
                }
            }
            Err(error) => {
                tracing::warn!(mailbox, "Cannot look when the login of {mailbox} ends: {error}")
            }
        }
        shared.clock.sleep_until(shared.clock.now() + LOOK_EVERY).await;
    }
}
