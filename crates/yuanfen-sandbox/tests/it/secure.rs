//! TLS from the caller's end: what trusts the sandbox's authority, and raw bytes over it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use yuanfen_sandbox::Sandbox;

/// A certificate and its key, as PEM.
pub struct Identity {
    pub certificate: String,
    pub key: String,
}

/// Trusts the sandbox's authority and nothing else; shows a certificate where there is one.
pub fn config(sandbox: &Sandbox, identity: Option<&Identity>) -> ClientConfig {
    config_of(sandbox, identity, rustls::DEFAULT_VERSIONS)
}

/// The same in those versions of TLS.
pub fn config_of(
    sandbox: &Sandbox,
    identity: Option<&Identity>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    let authority = sandbox.keys().ca_certificate_pem();
    roots
        .add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    match identity {
        None => config.with_no_client_auth(),
        Some(identity) => {
            let chain = CertificateDer::from_pem_slice(identity.certificate.as_bytes()).unwrap();
            let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
            config.with_client_auth_cert(vec![chain], key).unwrap()
        }
    }
}

/// Agrees on TLS with a stream's other end as that name.
pub async fn over<S>(stream: S, name: &str, config: ClientConfig) -> std::io::Result<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let name = ServerName::try_from(name.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// Connects to the sandbox's TLS listener as if it were that host.
pub async fn connect(
    sandbox: &Sandbox,
    name: &str,
    identity: Option<&Identity>,
) -> std::io::Result<TlsStream<TcpStream>> {
    let address: SocketAddr = sandbox.tls_address().unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    over(stream, name, config(sandbox, identity)).await
}

/// Writes bytes and reads until the other end closes.
pub async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, request: &[u8]) -> Vec<u8> {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    let _ended = stream.read_to_end(&mut answer).await;
    answer
}

/// A certificate of an authority that the sandbox has never heard of.
pub fn stranger() -> Identity {
    let made = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    Identity {
        certificate: made.cert.pem(),
        key: made.signing_key.serialize_pem(),
    }
}
