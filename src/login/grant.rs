//! What is said to the token endpoint, by flow. Reads the secrets at the moment in which they are needed.

use ring::rand::{SecureRandom, SystemRandom};

use super::assertion::{self, ServiceAccount};
use super::certificate::{self, Certificate};
use super::endpoint::Form;
use super::error::Error;
use crate::clock::Timestamp;
use crate::config::{Client, ClientProof, Flow, OAuth2, PasswordSource, Secret};

/// RFC 7523, section 2.1.
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// RFC 7523, section 2.2.
const JWT_CLIENT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Far more than any certificate.
const CERTIFICATE_BYTES_MAX: u64 = 64 * 1024;

/// The form that asks for a token without any person: an application's, or a service account's.
pub(super) fn alone(oauth: &OAuth2, now: Timestamp) -> Result<Form<'static>, Error> {
    match &oauth.flow {
        Flow::ServiceAccount { key } => {
            let text = key.read_document()?;
            let assertion = ServiceAccount::read(text.expose()).and_then(|account| {
                account.assertion(&oauth.user, &oauth.scopes, &oauth.token_url, now)
            });
            let assertion = assertion.map_err(|why| unusable(key, why))?;
            Ok(vec![("grant_type", JWT_BEARER.to_owned()), ("assertion", assertion)])
        }
        Flow::ClientCredentials { client }
        | Flow::DeviceCode { client, .. }
        | Flow::AuthorizationCode { client, .. } => {
            let mut form = vec![("grant_type", "client_credentials".to_owned())];
            add_scopes(oauth, &mut form);
            add_client(oauth, client, now, &mut form)?;
            Ok(form)
        }
    }
}

/// The form that turns a refresh token into an access token (RFC 6749, section 6).
pub(super) fn refresh(
    oauth: &OAuth2,
    token: &Secret,
    now: Timestamp,
) -> Result<Form<'static>, Error> {
    let mut form = vec![
        ("grant_type", "refresh_token".to_owned()),
        ("refresh_token", token.expose().to_owned()),
    ];
    if let Some(client) = oauth.client() {
        add_client(oauth, client, now, &mut form)?;
    }
    Ok(form)
}

/// What is asked for to speak to Graph: everything that was agreed to there (M112). National clouds have a
/// Graph of their own; what stands on this machine speaks for the worldwide one.
pub(super) fn graph_scopes(oauth: &OAuth2) -> Vec<String> {
    let host = oauth.graph_url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    let host = host.unwrap_or("graph.microsoft.com");
    let mut scopes = vec![format!("https://{host}/.default")];
    if oauth.is_delegated() {
        scopes.push("offline_access".to_owned());
    }
    scopes
}

/// Adds what is asked for.
pub(super) fn add_scopes(oauth: &OAuth2, form: &mut Form<'_>) {
    if !oauth.scopes.is_empty() {
        form.push(("scope", oauth.scopes.join(" ")));
    }
}

/// Adds who asks, and what proves it.
pub(super) fn add_client(
    oauth: &OAuth2,
    client: &Client,
    now: Timestamp,
    form: &mut Form<'_>,
) -> Result<(), Error> {
    form.push(("client_id", client.id.clone()));
    match &client.proof {
        ClientProof::None => {}
        ClientProof::Secret(secret) => {
            form.push(("client_secret", secret.read()?.expose().to_owned()));
        }
        ClientProof::Certificate { certificate, key } => {
            let certificate = read_certificate(certificate)?;
            let text = key.read_document()?;
            let assertion = assertion::of_application(
                &client.id,
                &certificate.der,
                text.expose(),
                &oauth.token_url,
                now,
                &random_word()?,
            );
            let assertion = assertion.map_err(|why| unusable(key, why))?;
            form.push(("client_assertion_type", JWT_CLIENT.to_owned()));
            form.push(("client_assertion", assertion));
        }
    }
    Ok(())
}

/// Reads a certificate as it is now.
pub(super) fn read_certificate(path: &std::path::Path) -> Result<Certificate, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    let unusable = |why: String| Error::Key { place: path.display().to_string(), why };
    std::fs::File::open(path)
        .and_then(|file| file.take(CERTIFICATE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| unusable(error.to_string()))?;
    certificate::read(&bytes).map_err(unusable)
}

fn unusable(key: &PasswordSource, why: String) -> Error {
    Error::Key { place: key.place(), why }
}

/// 256 random bits that can stand in an address.
pub(super) fn random_word() -> Result<String, Error> {
    use base64::Engine;
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Broken("the system gives no randomness".to_owned()))?;
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
