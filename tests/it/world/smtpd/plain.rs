//! A provider that takes everything from whoever has the password, as a team's own Postfix does.

use super::super::PASSWORD;
use super::{Policy, Sent};

/// Puts a copy of a mail where sent mail lies.
pub(crate) type Files = Box<dyn FnMut(&Sent) + Send>;

/// The provider of a world with a Dovecot.
#[derive(Default)]
pub(crate) struct Plain {
    pub(crate) taken: usize,
    /// What it does with each mail that it takes; nothing, if there is none, as with most servers.
    pub(crate) files: Option<Files>,
}

impl Policy for Plain {
    fn password(&mut self, _user: &str, password: &str) -> Result<String, String> {
        match password == PASSWORD {
            true => Ok("235 2.7.0 Authentication successful".into()),
            false => Err("535 5.7.8 Error: authentication failed".into()),
        }
    }

    fn takes(&mut self, sent: &mut Sent) -> String {
        self.taken += 1;
        if let Some(files) = &mut self.files {
            files(sent);
        }
        format!("250 2.0.0 Ok: queued as {:010X}", self.taken)
    }
}
