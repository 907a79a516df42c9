//! The checked values of a login with OAuth: which flow, with which client, at which addresses.
//!
//! Nothing secret is in here, only where each secret is. What a provider's usual addresses and scopes are is here
//! too; every one has a key that overrules it.

use std::path::PathBuf;

use super::{PasswordSource, Provider};
use crate::clock::Timestamp;

/// How an access token is got for a mailbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OAuth2 {
    /// Whose words are to be expected.
    pub provider: Provider,
    /// Whose token it is; may be another than the mailbox that it opens (M66).
    pub user: String,
    /// The way to a token.
    pub flow: Flow,
    /// What is asked for; empty asks for nothing in particular.
    pub scopes: Vec<String>,
    /// Where tokens are handed out (RFC 6749, section 3.2).
    pub token_url: String,
    /// Where Microsoft Graph is, with its version; without a meaning at other providers.
    pub graph_url: String,
    /// The organisation at Microsoft, as its id or a domain.
    pub tenant: Option<String>,
    /// The day on which the client secret ends, if the admin has written it down.
    pub secret_expires: Option<Timestamp>,
}

/// The ways to an access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Flow {
    /// The application itself, without any person (M71).
    ClientCredentials {
        /// The application.
        client: Client,
    },
    /// A person types a code on another device (RFC 8628; M76).
    DeviceCode {
        /// The application.
        client: Client,
        /// Where codes are handed out.
        device_url: String,
    },
    /// A person agrees in a browser (RFC 6749, section 4.1, with RFC 7636).
    AuthorizationCode {
        /// The application.
        client: Client,
        /// Where the browser goes.
        authorize_url: String,
        /// The port on which the browser's answer is waited for; any free one without.
        redirect_port: Option<u16>,
    },
    /// A service account with domain-wide delegation (G80).
    ServiceAccount {
        /// The key file in JSON, as Google hands it out.
        key: PasswordSource,
    },
}

/// The application as it is registered with the provider.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Client {
    /// Its public id.
    pub id: String,
    /// How it proves that it is the one.
    pub proof: ClientProof,
}

/// How an application proves that it is the one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ClientProof {
    /// It does not: a public client.
    None,
    /// With a secret.
    Secret(PasswordSource),
    /// With a certificate and its private key (M78).
    Certificate {
        /// The certificate, PEM.
        certificate: PathBuf,
        /// The RSA private key, PEM.
        key: PasswordSource,
    },
}

impl OAuth2 {
    /// The application; a service account is its own.
    pub fn client(&self) -> Option<&Client> {
        match &self.flow {
            Flow::ClientCredentials { client }
            | Flow::DeviceCode { client, .. }
            | Flow::AuthorizationCode { client, .. } => Some(client),
            Flow::ServiceAccount { .. } => None,
        }
    }

    /// Whether a person has to agree once, with `baton login`; a refresh token is kept then.
    pub fn is_delegated(&self) -> bool {
        matches!(self.flow, Flow::DeviceCode { .. } | Flow::AuthorizationCode { .. })
    }
}

/// Which of a provider's addresses is meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Url {
    Token,
    Authorize,
    Device,
}

/// The usual address; `tenant` stands in Microsoft's.
pub(super) fn usual_url(provider: Provider, url: Url, tenant: Option<&str>) -> Option<String> {
    let microsoft = |end: &str| {
        Some(format!("https://login.microsoftonline.com/{}/oauth2/v2.0/{end}", tenant?))
    };
    match (provider, url) {
        // G84
        (Provider::Gmail, Url::Token) => Some("https://oauth2.googleapis.com/token".into()),
        (Provider::Gmail, Url::Authorize) => {
            Some("https://accounts.google.com/o/oauth2/v2/auth".into())
        }
        // G87: Google lets no device code open mail.
        (Provider::Gmail, Url::Device) | (Provider::Imap, _) => None,
        // M71, M76
        (Provider::Microsoft365, Url::Token) => microsoft("token"),
        (Provider::Microsoft365, Url::Authorize) => microsoft("authorize"),
        (Provider::Microsoft365, Url::Device) => microsoft("devicecode"),
    }
}

/// What is usually asked for.
pub(super) fn usual_scopes(provider: Provider, is_delegated: bool) -> Vec<String> {
    let scopes: &[&str] = match (provider, is_delegated) {
        // G81: IMAP and SMTP.
        (Provider::Gmail, _) => &["https://mail.google.com/"],
        // M71
        (Provider::Microsoft365, false) => &["https://outlook.office365.com/.default"],
        // M75; without the last one a person would have to agree every hour.
        (Provider::Microsoft365, true) => &[
            "https://outlook.office.com/IMAP.AccessAsUser.All",
            "https://outlook.office.com/SMTP.Send",
            "offline_access",
        ],
        (Provider::Imap, _) => &[],
    };
    scopes.iter().map(|scope| (*scope).to_owned()).collect()
}
