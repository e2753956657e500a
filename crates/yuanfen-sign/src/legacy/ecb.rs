//! AES-256-ECB with PKCS#7 padding, for v2 refund notices. ECB has no integrity: blocks can be replayed and spliced
//! by anyone who has seen messages. What it opens is a hint, never a fact.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, BlockCipherEncrypt as _, KeyInit as _};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use crate::{AeadError, hex_lower};

const BLOCK: usize = 16;

/// MD5 in lower-case hex: the refund cipher's key is this text of the API key, as 32 ASCII bytes.
#[must_use]
pub fn md5_hex(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(hex_lower(&Md5::digest(bytes)))
}

/// Opens whole blocks and strips their padding.
///
/// # Errors
/// [`AeadError::Length`] when there are no whole blocks; [`AeadError::Refused`] when any padding byte is wrong. Tell a
/// stranger neither apart.
pub fn aes_256_ecb_open(key: &[u8; 32], ciphertext: &[u8]) -> Result<Vec<u8>, AeadError> {
    let (blocks, rest) = ciphertext.as_chunks::<BLOCK>();
    if blocks.is_empty() || !rest.is_empty() {
        return Err(AeadError::Length);
    }
    let cipher = Aes256::new(key.into());
    let mut plaintext = Vec::with_capacity(ciphertext.len());
    for block in blocks {
        let mut block: Block<Aes256> = (*block).into();
        cipher.decrypt_block(&mut block);
        plaintext.extend_from_slice(&block);
    }
    let padding = usize::from(plaintext.last().copied().unwrap_or(0));
    if padding == 0 || padding > BLOCK {
        return Err(AeadError::Refused);
    }
    let length = plaintext.len().saturating_sub(padding);
    let sound = plaintext.iter().skip(length).all(|byte| usize::from(*byte) == padding);
    if !sound {
        return Err(AeadError::Refused);
    }
    plaintext.truncate(length);
    Ok(plaintext)
}

/// Seals as the platform does. For far sides and tests.
#[must_use]
pub fn aes_256_ecb_seal(key: &[u8; 32], plaintext: &[u8]) -> Vec<u8> {
    let cipher = Aes256::new(key.into());
    let padding = BLOCK.saturating_sub(plaintext.len() % BLOCK);
    let mut sealed = plaintext.to_vec();
    sealed.resize(
        plaintext.len().saturating_add(padding),
        u8::try_from(padding).unwrap_or(0),
    );
    for chunk in sealed.as_chunks_mut::<BLOCK>().0 {
        let mut block: Block<Aes256> = (*chunk).into();
        cipher.encrypt_block(&mut block);
        *chunk = block.into();
    }
    sealed
}
