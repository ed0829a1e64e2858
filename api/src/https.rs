//! The HTTP client for addresses that the operator's configuration names, or the person at the command line: `http` and `https`, no
//! redirects. How long to wait and how much to read is its user's business.
//!
//! Trusted are the certificate authorities that this machine trusts, or those of the file that `SSL_CERT_FILE` names.

use axum::body::Body;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;

/// Speaks HTTP.
pub(crate) type HttpsClient = Client<HttpsConnector<HttpConnector>, Body>;

/// A client that trusts whom this machine trusts.
pub(crate) fn client() -> Result<HttpsClient, rustls::Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<HttpsClient, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = HttpsConnectorBuilder::new().with_tls_config(tls);
    let connector = connector.https_or_http().enable_http1().build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::trusting;
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::path::Path;
    use std::process::Command;
    use std::sync::Arc;

    /// A key and a certificate for `localhost`, as `openssl` makes them.
    fn identity(at: &Path) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let made = Command::new("openssl")
            .current_dir(at)
            .args(["req", "-x509", "-nodes", "-newkey", "ec", "-days", "2"])
            .args(["-pkeyopt", "ec_paramgen_curve:prime256v1"])
            .args(["-subj", "/CN=localhost", "-keyout", "key.pem"])
            .args(["-addext", "subjectAltName=DNS:localhost"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .args(["-out", "certificate.pem"])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let certificate = CertificateDer::from_pem_file(at.join("certificate.pem")).unwrap();
        (
            certificate,
            PrivateKeyDer::from_pem_file(at.join("key.pem")).unwrap(),
        )
    }

    /// Answers one request after the other under this identity; its port.
    fn serve(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>) -> u16 {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let tls = ServerConnection::new(Arc::clone(&config)).unwrap();
                let mut stream = StreamOwned::new(tls, stream.unwrap());
                // Who does not trust us says so instead of asking.
                if stream.read(&mut [0; 4096]).is_ok() {
                    let answer =
                        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello";
                    let _ = stream.write_all(answer);
                }
            }
        });
        port
    }

    #[tokio::test]
    async fn a_server_is_spoken_to_only_under_a_certificate_that_is_trusted() {
        let place = tempfile::tempdir().unwrap();
        let (certificate, key) = identity(place.path());
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let url = format!("https://localhost:{}/", serve(certificate, key));
        let ask = || Request::get(&url).body(Body::empty()).unwrap();

        let stranger = trusting(RootCertStore::empty()).unwrap();
        assert!(stranger.request(ask()).await.unwrap_err().is_connect());

        let answer = trusting(roots).unwrap().request(ask()).await.unwrap();
        let body = to_bytes(Body::new(answer.into_body()), 100).await.unwrap();
        assert_eq!(&body[..], b"hello");
    }
}
