//! A key and certificates for tests; nobody trusts them.

/// An RSA key in PEM.
pub(crate) const KEY: &str = include_str!("../../tests/data/login/key.pem");
/// Its certificate, with a far end.
pub(crate) const CERTIFICATE: &str = include_str!("../../tests/data/login/cert.pem");
/// Another, with a near end.
pub(crate) const SHORT: &str = include_str!("../../tests/data/login/short.pem");

/// A key file as Google hands it out.
pub(crate) fn key_file() -> String {
    serde_json::json!({
        "type": "service_account",
        "private_key_id": "k1",
        "private_key": KEY,
        "client_email": "baton@project.iam.gserviceaccount.com",
        "client_id": "100000000000000000001",
    })
    .to_string()
}
