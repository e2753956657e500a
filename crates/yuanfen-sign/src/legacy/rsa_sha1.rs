//! RSA with SHA-1 and with keys down to 1024 bits, for fshows; PKCS#1 v1.5 decryption, for StarPos' encrypted push.
//!
//! aws-lc-rs refuses to sign this way, so the `rsa` crate does it, blinded from the ambient's randomness.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, DecodeRsaPublicKey as _};
use rsa::sha2::Sha256;
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Encrypt, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1_for_rsa::{Digest as _, Sha1};
use yuanfen_core::{Ambient, Sign, SignError, SignatureError, Verify};
use zeroize::Zeroizing;

use super::AmbientRng;
use crate::pem::unarmor;
use crate::rsa_der::{RsaPublic, private_pkcs1};
use crate::{AeadError, KeyError};

const LEAST_BITS: usize = 1024;
const MOST_BITS: usize = 4096;

/// What is hashed before RSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RsaDigest {
    /// SHA-1, what fshows uses.
    Sha1,
    /// SHA-256 (`RSA2`), for a deployment that takes it.
    Sha256,
}

impl RsaDigest {
    fn scheme(self) -> Pkcs1v15Sign {
        match self {
            Self::Sha1 => Pkcs1v15Sign::new::<Sha1>(),
            Self::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        }
    }

    fn hash(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(text).to_vec(),
            Self::Sha256 => Sha256::digest(text).to_vec(),
        }
    }
}

/// A private RSA key of 1024 to 4096 bits. Cheap to clone; wiped when the last clone is dropped; `Debug` shows
/// nothing.
#[derive(Clone)]
pub struct LegacyRsaSigningKey {
    key: Arc<RsaPrivateKey>,
    digest: RsaDigest,
}

impl LegacyRsaSigningKey {
    /// Loads a key from PEM (`PRIVATE KEY`, `RSA PRIVATE KEY`) or from base64 without armor (PKCS#8 or PKCS#1).
    ///
    /// # Errors
    /// When the text is no such key, the key is encrypted or inconsistent, or has fewer than 1024 or more than 4096
    /// bits.
    pub fn parse(text: &str, digest: RsaDigest) -> Result<Self, KeyError> {
        let armored = unarmor(text)?;
        let pkcs1 = private_pkcs1(&armored, LEAST_BITS, MOST_BITS)?;
        let key = RsaPrivateKey::from_pkcs1_der(pkcs1).map_err(|_| KeyError::Inconsistent)?;
        key.validate().map_err(|_| KeyError::Inconsistent)?;
        Ok(Self {
            key: Arc::new(key),
            digest,
        })
    }

    /// The same key with another digest.
    #[must_use]
    pub fn with_digest(mut self, digest: RsaDigest) -> Self {
        self.digest = digest;
        self
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> LegacyRsaVerifyingKey {
        LegacyRsaVerifyingKey {
            key: Arc::new(self.key.to_public_key()),
            digest: self.digest,
        }
    }

    /// Bytes of one block: the size of the modulus.
    #[must_use]
    pub fn block_len(&self) -> usize {
        self.key.size()
    }

    /// Opens one PKCS#1 v1.5 block. Check what authenticates the message before this, and answer every failure alike.
    ///
    /// # Errors
    /// [`AeadError::Length`] when it is not exactly one block, which anybody can see; [`AeadError::Refused`] for every
    /// other failure.
    pub fn decrypt_pkcs1v15(&self, block: &[u8], ambient: &dyn Ambient) -> Result<Zeroizing<Vec<u8>>, AeadError> {
        if block.len() != self.block_len() {
            return Err(AeadError::Length);
        }
        self.key
            .decrypt_blinded(&mut AmbientRng(ambient), Pkcs1v15Encrypt, block)
            .map(Zeroizing::new)
            .map_err(|_| AeadError::Refused)
    }
}

impl Sign for LegacyRsaSigningKey {
    fn sign(&self, text: &[u8], ambient: &dyn Ambient) -> Result<String, SignError> {
        self.key
            .sign_with_rng(&mut AmbientRng(ambient), self.digest.scheme(), &self.digest.hash(text))
            .map(|signature| STANDARD.encode(signature))
            .map_err(|_| SignError::new("the RSA backend refused to sign"))
    }
}

impl fmt::Debug for LegacyRsaSigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyRsaSigningKey({:?})", self.digest)
    }
}

/// A public RSA key of 1024 to 4096 bits. Cheap to clone.
#[derive(Clone)]
pub struct LegacyRsaVerifyingKey {
    key: Arc<RsaPublicKey>,
    digest: RsaDigest,
}

impl LegacyRsaVerifyingKey {
    /// Loads a key from PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`) or from base64 without armor.
    ///
    /// # Errors
    /// When the text holds no RSA public key, or one of fewer than 1024 or more than 4096 bits.
    pub fn parse(text: &str, digest: RsaDigest) -> Result<Self, KeyError> {
        let public = RsaPublic::parse(text)?;
        public.check_bits(LEAST_BITS, MOST_BITS)?;
        let key =
            RsaPublicKey::from_pkcs1_der(&public.pkcs1).map_err(|_| KeyError::NotDer { expected: "public key" })?;
        Ok(Self {
            key: Arc::new(key),
            digest,
        })
    }

    /// The same key with another digest.
    #[must_use]
    pub fn with_digest(mut self, digest: RsaDigest) -> Self {
        self.digest = digest;
        self
    }

    /// Seals one PKCS#1 v1.5 block. For far sides and tests.
    ///
    /// # Errors
    /// When the plaintext is longer than the modulus less 11 bytes.
    pub fn encrypt_pkcs1v15(&self, plaintext: &[u8], ambient: &dyn Ambient) -> Result<Vec<u8>, AeadError> {
        self.key
            .encrypt(&mut AmbientRng(ambient), Pkcs1v15Encrypt, plaintext)
            .map_err(|_| AeadError::Length)
    }

    /// Bytes of one block: the size of the modulus.
    #[must_use]
    pub fn block_len(&self) -> usize {
        self.key.size()
    }
}

impl Verify for LegacyRsaVerifyingKey {
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError> {
        let signature = STANDARD.decode(signature).map_err(|_| SignatureError::Mismatch)?;
        self.key
            .verify(self.digest.scheme(), &self.digest.hash(text), &signature)
            .map_err(|_| SignatureError::Mismatch)
    }
}

impl fmt::Debug for LegacyRsaVerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LegacyRsaVerifyingKey({:?})", self.digest)
    }
}
