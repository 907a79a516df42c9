//! Encryption, the same for every door: whom we trust, what a server shows, and how it is asked to encrypt.
//!
//! Certificates are checked against those that the system trusts. It knows no protocol beyond the words of STARTTLS
//! ([`starttls()`]), and decides nothing. Where to start: [`client_config`].

pub mod certificate;
mod look;
mod starttls;

use std::sync::Arc;

use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt;

pub use look::{Shown, Verdict, look};
pub use starttls::{Language, starttls};

/// How Baton encrypts towards any server.
///
/// # Errors
/// When the system's certificates cannot be read; in words.
pub fn client_config() -> Result<Arc<ClientConfig>, String> {
    // The provider is named, so that nothing depends on whether a default was installed.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_platform_verifier())
        .map(|builder| Arc::new(builder.with_no_client_auth()))
        .map_err(|error| error.to_string())
}
