//! RSA keys of 2048 bits and more: PKCS#1 v1.5 signatures with SHA-256, and OAEP for sensitive fields.

#[cfg(feature = "aws-lc")]
#[path = "rsa/aws_lc.rs"]
mod backend;
#[cfg(all(feature = "pure-rust", not(feature = "aws-lc")))]
#[path = "rsa/pure_rust.rs"]
mod backend;

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::{Ambient, Decrypt, DecryptError, Secret, Sign, SignError, SignatureError, Verify};
use zeroize::Zeroizing;

use crate::pem::unarmor;
use crate::rsa_der::{RsaPublic, private_pkcs1};
use crate::{AeadError, Certificate, KeyError};

const LEAST_BITS: usize = 2048;
const MOST_BITS: usize = 8192;

/// A private RSA key that signs with SHA-256. Cheap to clone; wiped when the last clone is dropped; `Debug` shows
/// nothing.
#[derive(Clone)]
pub struct RsaSigningKey(Arc<backend::PrivateKey>);

impl RsaSigningKey {
    /// Loads a key from PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`) or from base64 without armor (PKCS#8 or PKCS#1).
    ///
    /// # Errors
    /// When the text is no such key, the key is encrypted or inconsistent, or has fewer than 2048 or more than 8192
    /// bits.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let armored = unarmor(text)?;
        let pkcs1 = private_pkcs1(&armored, LEAST_BITS, MOST_BITS)?;
        let key = backend::PrivateKey::from_pkcs1(pkcs1)?;
        Ok(Self(Arc::new(key)))
    }

    /// The public half.
    ///
    /// # Errors
    /// When the backend cannot use it, which does not happen to a key that loaded.
    pub fn verifying_key(&self) -> Result<RsaVerifyingKey, KeyError> {
        RsaVerifyingKey::from_public(&RsaPublic::from_pkcs1(&self.0.public_pkcs1()?)?)
    }

    /// Opens what was encrypted with OAEP (SHA-1, MGF1 with SHA-1, no label), base64: sensitive fields in answers.
    ///
    /// # Errors
    /// When it is not base64 or does not open. Every failure to open looks alike.
    pub fn decrypt_oaep_sha1(&self, ciphertext: &str, ambient: &dyn Ambient) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        let ciphertext = STANDARD.decode(ciphertext).map_err(|_| AeadError::NotBase64)?;
        self.0.decrypt_oaep_sha1(&ciphertext, ambient).map(Zeroizing::new)
    }
}

impl Sign for RsaSigningKey {
    /// PKCS#1 v1.5 with SHA-256, base64.
    fn sign(&self, text: &[u8], ambient: &dyn Ambient) -> Result<String, SignError> {
        self.0
            .sign_sha256(text, ambient)
            .map(|signature| STANDARD.encode(signature))
    }
}

impl Decrypt for RsaSigningKey {
    /// OAEP with SHA-1, base64: as [`decrypt_oaep_sha1`](Self::decrypt_oaep_sha1).
    fn decrypt(&self, ciphertext: &str, ambient: &dyn Ambient) -> Result<Secret<Vec<u8>>, DecryptError> {
        match self.decrypt_oaep_sha1(ciphertext, ambient) {
            Ok(mut plaintext) => Ok(Secret::new(std::mem::take(&mut *plaintext))),
            Err(error) => Err(DecryptError::with_source("it was not encrypted to this key", error)),
        }
    }
}

impl fmt::Debug for RsaSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaSigningKey(..)")
    }
}

/// A public RSA key that checks SHA-256 signatures. Parsed once and kept, because parsing per message costs a sixth of
/// a verification. Cheap to clone.
#[derive(Clone)]
pub struct RsaVerifyingKey(Arc<backend::PublicKey>);

impl RsaVerifyingKey {
    /// Loads a key from PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`) or from base64 without armor.
    ///
    /// # Errors
    /// When the text holds no RSA public key, or one of fewer than 2048 or more than 8192 bits.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        Self::from_public(&RsaPublic::parse(text)?)
    }

    /// The key of a certificate.
    ///
    /// # Errors
    /// When it is not an RSA key, or one of fewer than 2048 or more than 8192 bits.
    pub fn of_certificate(certificate: &Certificate) -> Result<Self, KeyError> {
        Self::from_public(&RsaPublic::from_spki(certificate.public_key_der())?)
    }

    fn from_public(public: &RsaPublic) -> Result<Self, KeyError> {
        public.check_bits(LEAST_BITS, MOST_BITS)?;
        backend::PublicKey::from_pkcs1(&public.pkcs1).map(|key| Self(Arc::new(key)))
    }

    /// Encrypts with OAEP (SHA-1, MGF1 with SHA-1, no label), base64: sensitive fields in requests. At most 214 bytes
    /// under a 2048-bit key.
    ///
    /// # Errors
    /// When the plaintext is too long for the key.
    pub fn encrypt_oaep_sha1(&self, plaintext: &[u8], ambient: &dyn Ambient) -> Result<String, AeadError> {
        self.0
            .encrypt_oaep_sha1(plaintext, ambient)
            .map(|ciphertext| STANDARD.encode(ciphertext))
    }
}

impl Verify for RsaVerifyingKey {
    /// PKCS#1 v1.5 with SHA-256, strict base64. A signature that is not even base64, such as a probe
    /// (`WECHATPAY/SIGNTEST/…`), is a mismatch like any other.
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError> {
        let signature = STANDARD.decode(signature).map_err(|_| SignatureError::Mismatch)?;
        self.0.verify_sha256(text, &signature)
    }
}

impl fmt::Debug for RsaVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaVerifyingKey(..)")
    }
}
