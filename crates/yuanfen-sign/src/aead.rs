//! AES-256-GCM of APIv3: notices, certificates, and files that come encrypted.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::Secret;

use crate::{AeadError, KeyError};

const NONCE: usize = 12;
const TAG: usize = 16;

/// The APIv3 key: 32 characters whose bytes are an AES-256 key. It opens what WeChat Pay encrypts, and signs nothing.
/// `Debug` shows nothing.
#[derive(Clone)]
pub struct ApiV3Key(Secret<[u8; 32]>);

impl ApiV3Key {
    /// Takes the key as the merchant console shows it.
    ///
    /// # Errors
    /// When it does not have exactly 32 bytes.
    pub fn new(text: &str) -> Result<Self, KeyError> {
        let bytes = text.as_bytes().try_into().map_err(|_| KeyError::Length {
            expected: 32,
            found: text.len(),
        })?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Opens a ciphertext (standard base64 of ciphertext and tag). An absent `associated_data` is the empty one.
    ///
    /// # Errors
    /// When the ciphertext is not base64 or shorter than a tag, the nonce does not have 12 bytes, or it does not open.
    pub fn open(&self, nonce: &str, associated_data: &str, ciphertext: &str) -> Result<Vec<u8>, AeadError> {
        let nonce = read_nonce(nonce)?;
        let sealed = STANDARD.decode(ciphertext).map_err(|_| AeadError::NotBase64)?;
        open(&self.0, nonce, associated_data, sealed)
    }

    /// Seals a plaintext as WeChat Pay does: standard base64 of ciphertext and tag. For far sides and tests; a nonce
    /// must never be used twice under one key.
    ///
    /// # Errors
    /// When the nonce does not have 12 bytes.
    pub fn seal(&self, nonce: &str, associated_data: &str, plaintext: &[u8]) -> Result<String, AeadError> {
        seal(&self.0, nonce, associated_data, plaintext.to_vec()).map(|sealed| STANDARD.encode(sealed))
    }
}

/// The AES-256 key of one file, which came with it, itself encrypted. `Debug` shows nothing.
///
/// A file is opened whole, in the buffer that it is in: nothing of it may be read before the tag at its end has been
/// checked.
#[derive(Clone)]
pub struct FileKey(Secret<[u8; 32]>);

impl FileKey {
    /// Takes the key's bytes.
    ///
    /// # Errors
    /// When there are not exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let found = bytes.len();
        let bytes = bytes.try_into().map_err(|_| KeyError::Length { expected: 32, found })?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Opens a file (ciphertext and tag, as bytes) in its own buffer. An absent `associated_data` is the empty one.
    ///
    /// # Errors
    /// When the file is shorter than a tag, the nonce does not have 12 bytes, or it does not open.
    pub fn open(&self, nonce: &str, associated_data: &str, sealed: Vec<u8>) -> Result<Vec<u8>, AeadError> {
        open(&self.0, read_nonce(nonce)?, associated_data, sealed)
    }

    /// Seals a file in its own buffer, as WeChat Pay does. For far sides and tests; a nonce must never be used twice
    /// under one key.
    ///
    /// # Errors
    /// When the nonce does not have 12 bytes.
    pub fn seal(&self, nonce: &str, associated_data: &str, plaintext: Vec<u8>) -> Result<Vec<u8>, AeadError> {
        seal(&self.0, nonce, associated_data, plaintext)
    }
}

impl fmt::Debug for FileKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileKey(..)")
    }
}

fn read_nonce(nonce: &str) -> Result<[u8; NONCE], AeadError> {
    nonce
        .as_bytes()
        .try_into()
        .map_err(|_| AeadError::NonceLength { found: nonce.len() })
}

fn open(
    key: &Secret<[u8; 32]>,
    nonce: [u8; NONCE],
    associated_data: &str,
    sealed: Vec<u8>,
) -> Result<Vec<u8>, AeadError> {
    if sealed.len() < TAG {
        return Err(AeadError::Length);
    }
    backend::open(key.expose(), nonce, associated_data.as_bytes(), sealed).ok_or(AeadError::Refused)
}

fn seal(key: &Secret<[u8; 32]>, nonce: &str, associated_data: &str, plaintext: Vec<u8>) -> Result<Vec<u8>, AeadError> {
    let nonce = read_nonce(nonce)?;
    backend::seal(key.expose(), nonce, associated_data.as_bytes(), plaintext).ok_or(AeadError::Refused)
}

impl fmt::Debug for ApiV3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiV3Key(..)")
    }
}

#[cfg(feature = "aws-lc")]
mod backend {
    use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

    pub(super) fn open(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let length = key.open_in_place(nonce, Aad::from(aad), &mut sealed).ok()?.len();
        sealed.truncate(length);
        Some(sealed)
    }

    pub(super) fn seal(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], mut plain: Vec<u8>) -> Option<Vec<u8>> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
        let nonce = Nonce::assume_unique_for_key(nonce);
        key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut plain).ok()?;
        Some(plain)
    }
}

#[cfg(all(feature = "pure-rust", not(feature = "aws-lc")))]
mod backend {
    use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
    use aes_gcm::{Aes256Gcm, Nonce};

    pub(super) fn open(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
        let cipher = Aes256Gcm::new(key.into());
        cipher.decrypt_in_place(&Nonce::from(nonce), aad, &mut sealed).ok()?;
        Some(sealed)
    }

    pub(super) fn seal(key: &[u8; 32], nonce: [u8; 12], aad: &[u8], mut plain: Vec<u8>) -> Option<Vec<u8>> {
        let cipher = Aes256Gcm::new(key.into());
        cipher.encrypt_in_place(&Nonce::from(nonce), aad, &mut plain).ok()?;
        Some(plain)
    }
}
