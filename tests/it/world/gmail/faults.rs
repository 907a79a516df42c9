//! What may go wrong for an account (points 14 to 16).

use std::time::Duration;

use super::super::imapd::Before;

/// The commands that move mail, which a bandwidth limit stops.
const HEAVY: &[&str] =
    &["FETCH", "SEARCH", "STORE", "SELECT", "EXAMINE", "APPEND", "COPY", "MOVE", "STATUS"];

/// What is wrong with an account now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    /// Every OK says so, and every command takes that long; ten seconds in life (G72).
    pub(crate) throttled: Option<Duration>,
    /// Somebody has to log in with a browser first (G73).
    pub(crate) web_login_required: bool,
    /// How many bytes may be downloaded, and uploaded, until the account is locked; 2500 and 500 MB in life (G70).
    pub(crate) download_limit: Option<usize>,
    pub(crate) upload_limit: Option<usize>,
    /// What went through since the limits were set or lifted.
    pub(crate) downloaded: usize,
    pub(crate) uploaded: usize,
}

impl Faults {
    /// Lifts the bandwidth limits, as 24 hours do.
    pub(crate) fn lift_limits(&mut self) {
        (self.download_limit, self.upload_limit) = (None, None);
        (self.downloaded, self.uploaded) = (0, 0);
    }

    fn is_over_limit(&self) -> bool {
        let over = |used: usize, limit: Option<usize>| limit.is_some_and(|limit| used > limit);
        over(self.downloaded, self.download_limit) || over(self.uploaded, self.upload_limit)
    }

    /// What happens to a command.
    pub(super) fn before(&mut self, verb: &str, bytes: usize) -> Before {
        self.uploaded += bytes;
        if self.is_over_limit() && HEAVY.contains(&verb.trim_start_matches("UID ")) {
            // G71.
            return Before::Answer(vec![format!("{{tag}} {OVER_LIMIT}")]);
        }
        self.throttled.map_or(Before::Go, Before::Slow)
    }

    /// What becomes of the tagged answer.
    pub(super) fn after(&mut self, tagged: String, bytes: usize) -> String {
        self.downloaded += bytes;
        if self.throttled.is_some() && tagged.starts_with("OK") {
            return format!("{tagged} [THROTTLED]");
        }
        tagged
    }
}

const OVER_LIMIT: &str = "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)";
