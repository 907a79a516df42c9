//! What the server shows of itself under TLS, read again whenever its files change.
//!
//! The files are looked at for every new connection: a certificate that was renewed on disk is used by the next one. Until
//! both files fit together the last good pair stays, since a renewal writes one after the other.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::TlsFiles;

/// The largest file that is read, bytes.
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Why the server cannot show itself.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; let Baton's user read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{} holds no {what} in PEM", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// What should be there.
        what: &'static str,
    },
    /// They do not belong together, or are of an unknown kind.
    #[error("{} and {} do not fit together: {source}", certificate.display(), key.display())]
    Unfit {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// What TLS says.
        source: rustls::Error,
    },
}

/// Tells two states of a file apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    fn of(path: &Path) -> Option<Stamp> {
        fs::metadata(path).ok().map(|file: Metadata| Stamp {
            inode: file.ino(),
            bytes: file.len(),
            changed: (file.ctime(), file.ctime_nsec()),
        })
    }
}

#[derive(Debug)]
struct Seen {
    stamps: [Option<Stamp>; 2],
    config: Arc<ServerConfig>,
}

/// Certificate and key of a listener.
#[derive(Debug)]
pub(super) struct Certificate {
    files: TlsFiles,
    seen: Mutex<Seen>,
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(super) fn load(files: &TlsFiles) -> Result<Certificate, Error> {
        let stamps = stamps(files);
        let seen = Seen { stamps, config: read(files)? };
        Ok(Certificate { files: files.clone(), seen: Mutex::new(seen) })
    }

    /// What to show the next client.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps != seen.stamps {
            seen.stamps = stamps;
            match read(&self.files) {
                Ok(config) => {
                    seen.config = config;
                    tracing::info!("A new certificate is shown to mail clients");
                }
                Err(error) => {
                    tracing::error!("The certificate changed; the old one stays in use: {error}");
                }
            }
        }
        Arc::clone(&seen.config)
    }
}

fn stamps(files: &TlsFiles) -> [Option<Stamp>; 2] {
    [Stamp::of(&files.certificate), Stamp::of(&files.key)]
}

fn text(path: &Path) -> Result<Vec<u8>, Error> {
    use std::io::Read;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    Ok(bytes)
}

fn read(files: &TlsFiles) -> Result<Arc<ServerConfig>, Error> {
    let empty = |path: &Path, what| Error::Empty { path: path.to_owned(), what };
    let pem = text(&files.certificate)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|_| empty(&files.certificate, "certificate"))?;
    if chain.is_empty() {
        return Err(empty(&files.certificate, "certificate"));
    }
    let mut pem = text(&files.key)?;
    let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| empty(&files.key, "private key"));
    pem.fill(0);
    let key = key?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map(Arc::new)
        .map_err(|source| Error::Unfit {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
            source,
        })
}
