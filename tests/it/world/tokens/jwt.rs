//! JSON web tokens signed with RS256: read and verified as the providers do, and signed as a client does.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey,
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The private key of the service account that the Google twin knows.
pub(crate) const SERVICE_ACCOUNT_KEY: &str =
    include_str!("../../../data/oauth/google-service-account.pem");
/// The private key of the app that the Microsoft twin knows.
pub(crate) const APP_KEY: &str = include_str!("../../../data/oauth/microsoft-app.pem");
/// The certificate of that app.
pub(crate) const APP_CERTIFICATE: &str = include_str!("../../../data/oauth/microsoft-app.crt");
/// A private key that nobody knows.
pub(crate) const STRANGERS_KEY: &str = include_str!("../../../data/oauth/stranger.pem");

/// A token that was read, and not yet believed.
pub(crate) struct Jwt {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    signed: String,
    signature: Vec<u8>,
}

impl Jwt {
    /// Reads the three parts; none if it is no JWT.
    pub(crate) fn read(text: &str) -> Option<Jwt> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let part = |text: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
        Some(Jwt {
            header: part(header)?,
            claims: part(claims)?,
            signed: signed.to_owned(),
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    /// Whether it says RS256 and whoever holds the private key has signed it.
    pub(crate) fn is_signed_by(&self, private_key: &str) -> bool {
        let public = key_pair(private_key).public_key().as_ref().to_vec();
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        self.header["alg"] == "RS256" && key.verify(self.signed.as_bytes(), &self.signature).is_ok()
    }

    /// A claim that is a text, empty if it is not there.
    pub(crate) fn claim(&self, name: &str) -> &str {
        self.claims[name].as_str().unwrap_or_default()
    }
}

/// Signs claims, as a client would.
pub(crate) fn sign(header: &Value, claims: &Value, private_key: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let key = key_pair(private_key);
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .expect("cannot sign");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The `x5t#S256` of a certificate: the SHA-256 of its DER, base64url (RFC 7515 4.1.8).
pub(crate) fn thumbprint(certificate: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(der(certificate)))
}

/// The `S256` challenge of a PKCE verifier (RFC 7636 4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

fn key_pair(private_key: &str) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(&der(private_key)).expect("a key in PKCS#8")
}

/// What a PEM of one block holds.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    let lines = pem.lines().filter(|line| !line.starts_with('-'));
    STANDARD.decode(lines.collect::<String>()).expect("a PEM")
}
