//! RSA in Rust, for targets without a C compiler. The `rsa` crate carries RUSTSEC-2023-0071 (timing of private-key
//! operations); every private operation here is blinded from the ambient's randomness.

use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPublicKey as _};
use rsa::sha2::{Digest as _, Sha256};
use rsa::{BigUint, Oaep, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey};
use sha1_for_rsa::Sha1;
use yuanfen_core::{Ambient, SignError, SignatureError};

use crate::legacy::AmbientRng;
use crate::{AeadError, KeyError};

pub(crate) struct PrivateKey(RsaPrivateKey);

impl PrivateKey {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = RsaPrivateKey::from_pkcs1_der(der).map_err(|_| KeyError::Inconsistent)?;
        key.validate().map_err(|_| KeyError::Inconsistent)?;
        Ok(Self(key))
    }

    /// The public half as PKCS#1.
    pub(crate) fn public_pkcs1(&self) -> Result<Vec<u8>, KeyError> {
        let der = self
            .0
            .to_public_key()
            .to_pkcs1_der()
            .map_err(|_| KeyError::NotDer { expected: "public key" })?;
        Ok(der.as_bytes().to_vec())
    }

    pub(crate) fn sign_sha256(&self, text: &[u8], ambient: &dyn Ambient) -> Result<Vec<u8>, SignError> {
        self.0
            .sign_with_rng(
                &mut AmbientRng(ambient),
                Pkcs1v15Sign::new::<Sha256>(),
                &Sha256::digest(text),
            )
            .map_err(|_| SignError::new("the RSA backend refused to sign"))
    }

    pub(crate) fn decrypt_oaep_sha1(&self, ciphertext: &[u8], ambient: &dyn Ambient) -> Result<Vec<u8>, AeadError> {
        self.0
            .decrypt_blinded(&mut AmbientRng(ambient), Oaep::new::<Sha1>(), ciphertext)
            .map_err(|_| AeadError::Refused)
    }
}

pub(crate) struct PublicKey(RsaPublicKey);

impl PublicKey {
    pub(crate) fn from_pkcs1(pkcs1: &[u8]) -> Result<Self, KeyError> {
        let wrong = KeyError::NotDer { expected: "public key" };
        let Ok(numbers) = rsa::pkcs1::RsaPublicKey::try_from(pkcs1) else {
            return Err(wrong);
        };
        let number = |digits: rsa::pkcs1::UintRef<'_>| BigUint::from_bytes_be(digits.as_bytes());
        // The crate's own reader stops at 4096 bits.
        RsaPublicKey::new_with_max_size(
            number(numbers.modulus),
            number(numbers.public_exponent),
            super::MOST_BITS,
        )
        .map(Self)
        .map_err(|_| wrong)
    }

    pub(crate) fn verify_sha256(&self, text: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.0
            .verify(Pkcs1v15Sign::new::<Sha256>(), &Sha256::digest(text), signature)
            .map_err(|_| SignatureError::Mismatch)
    }

    pub(crate) fn encrypt_oaep_sha1(&self, plaintext: &[u8], ambient: &dyn Ambient) -> Result<Vec<u8>, AeadError> {
        self.0
            .encrypt(&mut AmbientRng(ambient), Oaep::new::<Sha1>(), plaintext)
            .map_err(|_| AeadError::Length)
    }
}
