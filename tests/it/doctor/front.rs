//! TLS in front of a server of the world that has none, with a certificate of the test's choice.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;

/// The listening front. It ends with the tests.
pub(super) struct Front {
    pub(super) port: u16,
}

impl Front {
    /// With the certificate and the key of these names below `tests/data`.
    pub(super) fn start(certificate: &str, key: &str, upstream: u16) -> Front {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("no free port");
        let port = listener.local_addr().unwrap().port();
        let config = config(certificate, key);
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let acceptor = tokio_rustls::TlsAcceptor::from(config);
                while let Ok((client, _)) = listener.accept().await {
                    let acceptor = acceptor.clone();
                    tokio::spawn(async move {
                        let Ok(mut client) = acceptor.accept(client).await else { return };
                        let server = tokio::net::TcpStream::connect(("127.0.0.1", upstream)).await;
                        let Ok(mut server) = server else { return };
                        let _ = copy_bidirectional(&mut client, &mut server).await;
                    });
                }
            });
        });
        Front { port }
    }
}

fn config(certificate: &str, key: &str) -> Arc<ServerConfig> {
    let certificate =
        CertificateDer::from_pem_file(super::data(certificate)).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(super::data(key)).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![certificate], key));
    Arc::new(config.expect("a certificate that fits its key"))
}
