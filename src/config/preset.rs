//! What `provider` stands for: where a provider's servers are, and how it wants to be treated.
//!
//! A preset only fills in what the admin leaves out; every value has a key that overrules it. Where to start:
//! [`preset`].

use super::{LayoutChoice, Provider, Tls};
use crate::desk::proof::Authority;

/// Where a server of a provider is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) host: &'static str,
    pub(super) tls: Tls,
}

/// What is known of a provider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    pub(super) imap: Option<Place>,
    pub(super) smtp: Option<Place>,
    pub(super) layout: LayoutChoice,
    pub(super) poll_seconds: u32,
    pub(super) patience_seconds: u32,
    pub(super) leave_moved_seconds: u32,
    /// 0 where there is no bound.
    pub(super) daily_megabytes: u32,
    /// How many connections send at a time.
    pub(super) connections: u32,
    /// How many mails leave in a minute; 0 where there is no bound.
    pub(super) per_minute: u32,
    /// How the server that receives signs what it found out about a mail.
    signs: Signs,
}

#[derive(Clone, Copy, Debug)]
enum Signs {
    Unknown,
    Named(&'static str),
    Exchange,
}

impl Preset {
    /// Whose findings about a mail's sender are believed.
    pub(super) fn authority(&self) -> Option<Authority> {
        match self.signs {
            Signs::Unknown => None,
            Signs::Named(name) => Some(Authority::Named(name.into())),
            Signs::Exchange => Some(Authority::Exchange),
        }
    }
}

/// The preset of a provider.
pub(super) fn preset(provider: Provider) -> Preset {
    match provider {
        // G1; G72: when Gmail throttles, every answer takes ten seconds and more.
        Provider::Gmail => Preset {
            imap: Some(Place { host: "imap.gmail.com", tls: Tls::Implicit }),
            smtp: Some(Place { host: "smtp.gmail.com", tls: Tls::Implicit }),
            layout: LayoutChoice::Labels,
            poll_seconds: 60,
            patience_seconds: 120,
            leave_moved_seconds: 0,
            // G70: 2500, shared with the people's phones and mail clients.
            daily_megabytes: 2000,
            connections: 2,
            per_minute: 0,
            signs: Signs::Named("mx.google.com"),
        },
        // M1: SMTP has no port with TLS from the first byte. M28: no keywords, so folders. M16, M60: few commands. M33: a
        // classic Outlook puts back what is moved sooner.
        Provider::Microsoft365 => Preset {
            imap: Some(Place { host: "outlook.office365.com", tls: Tls::Implicit }),
            smtp: Some(Place { host: "smtp.office365.com", tls: Tls::Starttls }),
            layout: LayoutChoice::Folders,
            poll_seconds: 60,
            patience_seconds: 120,
            leave_moved_seconds: 120,
            daily_megabytes: 0,
            // M92: three, for everything that sends for the mailbox. M93.
            connections: 2,
            per_minute: 30,
            signs: Signs::Exchange,
        },
        Provider::Imap => Preset {
            imap: None,
            smtp: None,
            layout: LayoutChoice::Auto,
            poll_seconds: 60,
            patience_seconds: 60,
            leave_moved_seconds: 0,
            daily_megabytes: 0,
            connections: 8,
            per_minute: 0,
            signs: Signs::Unknown,
        },
    }
}
