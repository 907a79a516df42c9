//! Signed assertions (RFC 7523): a service account's or an application's word for who it is, signed with RS256.
//!
//! The times come from the caller. Nothing here is printed: a key, a key file and an assertion are secrets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::clock::Timestamp;

/// How long an assertion is good for, seconds. Google takes up to an hour (G80); it is used at once.
const LIFE_SECONDS: i64 = 300;

/// A key file of Google's, as far as it is needed. Not `Debug`.
#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    /// The service account's address.
    client_email: String,
    /// PEM.
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
}

impl ServiceAccount {
    /// Reads a key file. The error does not repeat it.
    pub(super) fn read(text: &str) -> Result<ServiceAccount, String> {
        serde_json::from_str(text).map_err(|error| {
            format!(
                "it is not a service account's key file in JSON (line {}, column {})",
                error.line(),
                error.column()
            )
        })
    }

    /// The assertion with which the account asks for a token of `user` (G80).
    pub(super) fn assertion(
        &self,
        user: &str,
        scopes: &[String],
        token_url: &str,
        now: Timestamp,
    ) -> Result<String, String> {
        let mut header = json!({ "alg": "RS256", "typ": "JWT" });
        if let (Some(id), Some(header)) = (&self.private_key_id, header.as_object_mut()) {
            header.insert("kid".to_owned(), json!(id));
        }
        let claims = json!({
            "iss": self.client_email,
            "sub": user,
            "scope": scopes.join(" "),
            "aud": token_url,
            "iat": now.0,
            "exp": now.0 + LIFE_SECONDS,
        });
        signed(&header, &claims, &self.private_key)
    }
}

/// The assertion of an application with a certificate (M78). `id` makes it the only one of its kind.
pub(super) fn of_application(
    client_id: &str,
    certificate: &[u8],
    key: &str,
    token_url: &str,
    now: Timestamp,
    id: &str,
) -> Result<String, String> {
    use sha2::Digest;
    let print = URL_SAFE_NO_PAD.encode(sha2::Sha256::digest(certificate));
    let header = json!({ "alg": "RS256", "typ": "JWT", "x5t#S256": print });
    let claims = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": token_url,
        "jti": id,
        "iat": now.0,
        "nbf": now.0,
        "exp": now.0 + LIFE_SECONDS,
    });
    signed(&header, &claims, key)
}

fn signed(header: &impl Serialize, claims: &impl Serialize, key: &str) -> Result<String, String> {
    let part = |value: Result<Vec<u8>, serde_json::Error>| {
        value.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).map_err(|error| error.to_string())
    };
    let head = part(serde_json::to_vec(header))?;
    let body = part(serde_json::to_vec(claims))?;
    let message = format!("{head}.{body}");
    let pair = key_pair(key)?;
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature)
        .map_err(|_| "the private key cannot sign".to_owned())?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// An RSA key in PEM, as PKCS#8 or PKCS#1. Keys under 2048 bits are refused by ring.
fn key_pair(pem: &str) -> Result<RsaKeyPair, String> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "it holds no private key in PEM without a password".to_owned())?;
    let pair = match &der {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err("its key is not an RSA key".to_owned()),
    };
    pair.map_err(|error| format!("its RSA key cannot be used: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::login::samples;
    use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    use serde_json::Value;

    fn opened(assertion: &str) -> (Value, Value) {
        let (message, signature) = assertion.rsplit_once('.').unwrap();
        let public = key_pair(samples::KEY).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.public().as_ref())
            .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
        let (head, body) = message.split_once('.').unwrap();
        let read =
            |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        (read(head), read(body))
    }

    #[test]
    fn a_service_account_speaks_for_the_mailbox() {
        let account = ServiceAccount::read(&samples::key_file()).unwrap();
        let scopes = ["a".to_owned(), "b".to_owned()];
        let assertion = account.assertion("s@x.org", &scopes, "https://t/", Timestamp(1000));
        let (head, body) = opened(&assertion.unwrap());
        assert_eq!(head, json!({ "alg": "RS256", "typ": "JWT", "kid": "k1" }));
        let expected = json!({
            "iss": "baton@project.iam.gserviceaccount.com", "sub": "s@x.org", "scope": "a b",
            "aud": "https://t/", "iat": 1000, "exp": 1300
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_application_shows_the_print_of_its_certificate() {
        let assertion =
            of_application("app", b"cert", samples::KEY, "https://t/", Timestamp(1000), "once");
        let (head, body) = opened(&assertion.unwrap());
        assert_eq!(head["x5t#S256"], "BimEMugGayniIjvMI6qVBLVq5Qj6vzQ1UIhpucMZDiI");
        assert_eq!((body["iss"].as_str(), body["jti"].as_str()), (Some("app"), Some("once")));
        assert_eq!((body["nbf"].as_i64(), body["exp"].as_i64()), (Some(1000), Some(1300)));
    }

    #[test]
    fn what_is_no_key_is_refused_without_repeating_it() {
        let told = ServiceAccount::read("{\"private_key\": hunter2}").err().unwrap();
        assert!(!told.contains("hunter2"), "{told}");
        let told = key_pair("-----BEGIN hunter2").err().unwrap();
        assert!(!told.contains("hunter2"), "{told}");
    }
}
