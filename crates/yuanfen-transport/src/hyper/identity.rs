//! Client identities: the merchant's certificate and its key.

#[cfg(feature = "pkcs12")]
mod pkcs12;

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

    /// Reads `apiclient_cert.p12`, in DER as it was handed out: the certificate and its key, sealed with a password.
    /// WeChat Pay's is the merchant number until the merchant changes it.
    ///
    /// Old files are read (RC2-40 and 3DES under a MAC with SHA-1) and new ones (AES under PBES2, a MAC with SHA-2). The
    /// key is erased from this value when it is dropped; of the copies that `p12-keystore` makes while it reads, it
    /// erases none, so where memory is shared with others, convert the file once and use [`from_pem`](Self::from_pem).
    ///
    /// # Errors
    /// When the password does not open it, when there is no key, more than one, or no certificate of it inside, and
    /// when it is sealed in a way that is not read here. Where `openssl` can help, the error says how. Neither the
    /// password nor anything from inside is in it.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(file: impl AsRef<[u8]>, password: &yuanfen_core::Secret<String>) -> Result<Self, SetupError> {
        pkcs12::read(file.as_ref(), password)
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
