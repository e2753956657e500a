//! RSA on aws-lc-rs: hardened, constant-time, and what rustls links anyway.

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use aws_lc_rs::signature::{KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use yuanfen_core::{Ambient, SignError, SignatureError};

use crate::{AeadError, KeyError};

pub(crate) struct PrivateKey(KeyPair);

impl PrivateKey {
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        KeyPair::from_der(der).map(Self).map_err(|_| KeyError::Inconsistent)
    }

    /// The public half as PKCS#1.
    pub(crate) fn public_pkcs1(&self) -> Result<Vec<u8>, KeyError> {
        Ok(self.0.public_key().as_ref().to_vec())
    }

    /// The backend blinds from its own generator; the ambient's is not needed.
    pub(crate) fn sign_sha256(&self, text: &[u8], _ambient: &dyn Ambient) -> Result<Vec<u8>, SignError> {
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
            .map_err(|_| SignError::new("the RSA backend refused to sign"))?;
        Ok(signature)
    }

    pub(crate) fn decrypt_oaep_sha1(&self, ciphertext: &[u8], _ambient: &dyn Ambient) -> Result<Vec<u8>, AeadError> {
        let der: Pkcs8V1Der<'_> = self.0.as_der().map_err(|_| AeadError::Refused)?;
        let key = PrivateDecryptingKey::from_pkcs8(der.as_ref()).map_err(|_| AeadError::Refused)?;
        let key = OaepPrivateDecryptingKey::new(key).map_err(|_| AeadError::Refused)?;
        let mut plaintext = vec![0; key.min_output_size()];
        let length = key
            .decrypt(&OAEP_SHA1_MGF1SHA1, ciphertext, &mut plaintext, None)
            .map_err(|_| AeadError::Refused)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

pub(crate) struct PublicKey {
    verify: ParsedPublicKey,
    pkcs1: Vec<u8>,
}

impl PublicKey {
    pub(crate) fn from_pkcs1(pkcs1: &[u8]) -> Result<Self, KeyError> {
        let verify = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pkcs1)
            .map_err(|_| KeyError::NotDer { expected: "public key" })?;
        Ok(Self {
            verify,
            pkcs1: pkcs1.to_vec(),
        })
    }

    pub(crate) fn verify_sha256(&self, text: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.verify
            .verify_sig(text, signature)
            .map_err(|_| SignatureError::Mismatch)
    }

    pub(crate) fn encrypt_oaep_sha1(&self, plaintext: &[u8], _ambient: &dyn Ambient) -> Result<Vec<u8>, AeadError> {
        let public = aws_lc_rs::rsa::PublicKey::from_der(&self.pkcs1).map_err(|_| AeadError::Refused)?;
        let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = public.as_der().map_err(|_| AeadError::Refused)?;
        let key = PublicEncryptingKey::from_der(der.as_ref()).map_err(|_| AeadError::Refused)?;
        let key = OaepPublicEncryptingKey::new(key).map_err(|_| AeadError::Refused)?;
        let mut ciphertext = vec![0; key.ciphertext_size()];
        let length = key
            .encrypt(&OAEP_SHA1_MGF1SHA1, plaintext, &mut ciphertext, None)
            .map_err(|_| AeadError::Length)?
            .len();
        ciphertext.truncate(length);
        Ok(ciphertext)
    }
}
