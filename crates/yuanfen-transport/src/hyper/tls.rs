//! What is trusted, and what cryptography runs.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::{ClientIdentity, SetupError};

/// Mozilla's roots where wanted, and the added ones.
pub(super) fn roots(defaults: bool, added: &[Box<[u8]>]) -> Result<RootCertStore, SetupError> {
    let wrong = |problem| SetupError::new("root", problem);
    let mut roots = RootCertStore::empty();
    if defaults {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    for pem in added {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| wrong("is not PEM").because(error))?;
            roots
                .add(certificate)
                .map_err(|error| wrong("is not a certificate that can be trusted").because(error))?;
        }
        if roots.len() == before {
            return Err(wrong("there is no certificate in the PEM"));
        }
    }
    if roots.is_empty() {
        return Err(wrong("without default roots, at least one must be added"));
    }
    Ok(roots)
}

/// TLS 1.2 and 1.3 over aws-lc-rs, handed over explicitly: nothing process-wide is installed or relied on.
pub(super) fn config(roots: RootCertStore, identity: Option<&ClientIdentity>) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetupError::new("tls", "no protocol version can be used").because(error))?
        .with_root_certificates(roots);
    match identity {
        None => Ok(config.with_no_client_auth()),
        Some(identity) => config
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| {
                SetupError::new("identity", "the certificate and the key cannot be used together").because(error)
            }),
    }
}
