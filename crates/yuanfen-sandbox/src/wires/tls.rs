//! TLS: both ends' settings. Nothing process-wide is installed.

use std::error::Error;
use std::sync::Arc;

use bytes::Bytes;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName as Subject, RootCertStore, ServerConfig, ServerConnection,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use tokio_rustls::TlsAcceptor;

use crate::CertifiedKey;
use crate::arrival::ClientCertificate;

/// What TLS could not be set up with.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
#[non_exhaustive]
pub struct TlsError {
    problem: &'static str,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl TlsError {
    fn because(problem: &'static str) -> impl Fn(Box<dyn Error + Send + Sync>) -> Self {
        move |source| Self {
            problem,
            source: Some(source),
        }
    }
}

/// The listener's end: HTTP/1.1 alone, and a certificate of the caller asked for, not demanded.
pub(super) fn acceptor(identity: &CertifiedKey) -> Result<TlsAcceptor, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = CertificateDer::pem_slice_iter(identity.certificate_pem.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::because("the sandbox's certificate is not PEM")(error.into()))?;
    let key = PrivateKeyDer::from_pem_slice(identity.private_key_pem.expose().as_bytes())
        .map_err(|error| TlsError::because("the sandbox's TLS key is not PEM")(error.into()))?;
    let unusable = |error: rustls::Error| TlsError::because("the sandbox's certificate cannot be used")(error.into());
    let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .with_client_cert_verifier(Arc::new(AnyHolder::of(&provider)))
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The courier's end: Mozilla's roots, the sandbox's own authority, and those that were added.
pub(super) fn courier(authority_pem: &str, added: &[String]) -> Result<ClientConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for pem in std::iter::once(authority_pem).chain(added.iter().map(String::as_str)) {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| TlsError::because("a root is not PEM")(error.into()))?;
            roots
                .add(certificate)
                .map_err(|error| TlsError::because("a root cannot be trusted")(error.into()))?;
        }
        if roots.len() == before {
            return Err(TlsError {
                problem: "a root's PEM holds no certificate",
                source: None,
            });
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::because("no version of TLS can be used")(error.into()))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What the caller showed on this connection.
pub(super) fn presented(connection: &ServerConnection) -> ClientCertificate {
    let chain = connection.peer_certificates();
    match chain.and_then(<[CertificateDer<'_>]>::first) {
        None => ClientCertificate::Absent,
        Some(leaf) => ClientCertificate::Presented(Bytes::copy_from_slice(leaf)),
    }
}

/// Takes any certificate whose key the caller holds. Whose it is only the operation knows, which compares it with the
/// merchant's, byte by byte: no chain says more. A stranger's certificate is refused there, in the platform's words,
/// and not with an alert that tells an SDK's user nothing.
#[derive(Debug)]
struct AnyHolder(WebPkiSupportedAlgorithms);

impl AnyHolder {
    fn of(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ClientCertVerifier for AnyHolder {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: a client that chooses by issuer sends what it has.
    fn root_hint_subjects(&self) -> &[Subject] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
