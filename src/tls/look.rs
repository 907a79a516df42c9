//! Looks at the certificate that a server shows, good or bad, without talking to the server.
//!
//! The handshake is the ordinary one, so that a bad certificate ends it; what was shown is noted on the way. Where to
//! start: [`look`].

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;

use super::certificate;
use crate::clock::Timestamp;

/// What a server showed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shown {
    /// The last moment in which its certificate is good; `None` where there was none, or it cannot be read.
    pub ends_at: Option<Timestamp>,
    /// What is to be said of it.
    pub verdict: Verdict,
}

/// What is to be said of a handshake.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All is well.
    Good,
    /// The certificate is past its end.
    Expired,
    /// The certificate is not good yet.
    NotYet,
    /// The certificate is for other names: these, where it says so.
    OtherName(Vec<String>),
    /// Nobody whom this machine trusts has signed it.
    Untrusted,
    /// Something else is wrong with the certificate; what rustls says.
    Bad(String),
    /// There was no handshake; why.
    NoHandshake(String),
}

/// Goes through the handshake as `host`, and notes what was shown. The stream is of no use after it.
pub async fn look<S>(host: &str, stream: S) -> Shown
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let none = |why: String| Shown { ends_at: None, verdict: Verdict::NoHandshake(why) };
    let Ok(name) = ServerName::try_from(host.to_owned()) else {
        return none(format!("`{host}` cannot stand in a certificate"));
    };
    let (config, witness) = match watched() {
        Ok(made) => made,
        Err(error) => return none(error.to_string()),
    };
    let handshake = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let noted = witness.noted.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match (noted, handshake) {
        (None, Ok(_)) => none("it showed no certificate".to_owned()),
        (None, Err(error)) => none(error.to_string()),
        (Some(shown), Ok(_)) => shown,
        (Some(shown), Err(error)) if shown.verdict == Verdict::Good => {
            Shown { verdict: Verdict::NoHandshake(error.to_string()), ..shown }
        }
        (Some(shown), Err(_)) => shown,
    }
}

fn watched() -> Result<(ClientConfig, Arc<Witness>), Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = Verifier::new(Arc::clone(&provider))?;
    let witness = Arc::new(Witness { inner, noted: Mutex::default() });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    Ok((config, witness))
}

/// Checks as always, and notes what there was to check.
#[derive(Debug)]
struct Witness {
    inner: Verifier,
    noted: Mutex<Option<Shown>>,
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged =
            self.inner.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        let verdict = judged.as_ref().err().map_or(Verdict::Good, verdict);
        let shown = Shown { ends_at: certificate::not_after(end_entity), verdict };
        *self.noted.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        judged
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

fn verdict(error: &Error) -> Verdict {
    let Error::InvalidCertificate(wrong) = error else { return Verdict::Bad(error.to_string()) };
    match wrong {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => Verdict::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Verdict::NotYet
        }
        CertificateError::NotValidForName => Verdict::OtherName(Vec::new()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            Verdict::OtherName(presented.iter().map(|name| plain_name(name)).collect())
        }
        CertificateError::UnknownIssuer => Verdict::Untrusted,
        _ => Verdict::Bad(error.to_string()),
    }
}

/// rustls says `DnsName("mail.example.com")`.
fn plain_name(presented: &str) -> String {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_as_people_write_them() {
        assert_eq!(plain_name("DnsName(\"mail.example.com\")"), "mail.example.com");
        assert_eq!(plain_name("mail.example.com"), "mail.example.com");
    }

    #[tokio::test]
    async fn what_is_no_tls_is_told() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let server = async {
            tokio::io::AsyncWriteExt::write_all(&mut theirs, b"220 hello\r\n").await.unwrap();
        };
        let (shown, ()) = tokio::join!(look("localhost", ours), server);
        assert!(matches!(shown.verdict, Verdict::NoHandshake(_)), "{shown:?}");
        assert_eq!(shown.ends_at, None);
    }
}
