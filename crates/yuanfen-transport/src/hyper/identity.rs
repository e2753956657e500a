//! Client identities: the merchant's certificate and its key.

use std::fmt;

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::SetupError;

/// A certificate chain and its private key, to be presented where a platform answers only to the merchant's
/// certificate: WeChat v2 refunds, reversals and fund-flow bills.
///
/// Its `Debug` shows nothing.
pub struct ClientIdentity {
    pub(super) chain: Vec<CertificateDer<'static>>,
    pub(super) key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    /// Reads `apiclient_cert.pem` and `apiclient_key.pem`. Where both are in one file, hand it over twice.
    ///
    /// # Errors
    /// When there is no certificate or no unencrypted key in them. Whether they belong together shows when the
    /// transport is built.
    pub fn from_pem(certificates: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Result<Self, SetupError> {
        let wrong = |problem| SetupError::new("identity", problem);
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates.as_ref())
            .collect::<Result<_, _>>()
            .map_err(|error| wrong("the certificate is not PEM").because(error))?;
        if chain.is_empty() {
            return Err(wrong("there is no certificate in the PEM"));
        }
        // The reader's own error is left out: it may quote a line of the key.
        let key = PrivateKeyDer::from_pem_slice(key.as_ref())
            .map_err(|_| wrong("there is no unencrypted private key (PKCS#1, PKCS#8 or SEC1) in the PEM"))?;
        Ok(Self { chain, key })
    }
}

impl Drop for ClientIdentity {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.key);
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientIdentity(..)")
    }
}
