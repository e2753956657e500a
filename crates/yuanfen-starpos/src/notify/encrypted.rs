//! The encrypted push: the digest is checked first, then the blocks are opened. StarPos sheet, section 9.2.

use std::fmt;
use std::sync::Arc;

use encoding_rs::GBK;
use yuanfen_core::{
    Ambient, Fields, Limits, Object, OpenError, ProtocolError, ProtocolErrorKind, SignatureError, Verified,
};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyError, KeyedDigest, KeyedSigner, SharedKey, keyed_text};

use super::Push;
use crate::Account;

/// What opens encrypted pushes: an MD5 key and an RSA private key, both handed out by the vendor for one partner.
#[derive(Clone)]
pub struct PushKeys {
    signer: KeyedSigner,
    private: LegacyRsaSigningKey,
    ambient: Arc<dyn Ambient>,
}

impl PushKeys {
    /// The MD5 key and the private key (PEM or bare base64, 1024 bits and more). The ambient blinds the private
    /// operation.
    ///
    /// # Errors
    /// When either key cannot be used.
    pub fn new(md5_key: impl Into<String>, private_key: &str, ambient: Arc<dyn Ambient>) -> Result<Self, KeyError> {
        const PUSH: DigestScheme = DigestScheme {
            digest: KeyedDigest::Md5,
            spelling: HexSpelling::Upper,
            case: HexCase::Ignored,
        };
        Ok(Self {
            signer: KeyedSigner::new(SharedKey::new(md5_key)?, PUSH),
            private: LegacyRsaSigningKey::parse(private_key, RsaDigest::Sha1)?,
            ambient,
        })
    }

    /// Opens the blocks and joins their bytes: a block may end inside a two-byte character.
    fn decrypt(&self, datas: &str) -> Option<Vec<u8>> {
        let sealed = unhex(datas)?;
        let blocks = sealed.chunks_exact(self.private.block_len());
        if sealed.is_empty() || !blocks.remainder().is_empty() {
            return None;
        }
        let mut plaintext = Vec::new();
        for block in blocks {
            plaintext.extend_from_slice(&self.private.decrypt_pkcs1v15(block, &*self.ambient).ok()?);
        }
        Some(plaintext)
    }
}

impl fmt::Debug for PushKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PushKeys(..)")
    }
}

pub(super) fn open(account: &Account, fields: &Fields) -> Result<Verified<Push>, OpenError> {
    // Whatever fails behind the check looks alike, so that nobody learns from the difference.
    let refused = || OpenError::from(ProtocolError::new(ProtocolErrorKind::Decrypt));
    let keys = account.push_keys.as_ref().ok_or_else(refused)?;
    let datas = fields
        .filled("Datas")
        .ok_or(SignatureError::Missing { part: "Datas" })?;
    // The vendor's table says `signValue`, its printed example `singValue`.
    let signature = match (fields.filled("signValue"), fields.filled("singValue")) {
        (Some(one), Some(other)) if one != other => None,
        (one, other) => one.or(other),
    }
    .ok_or(SignatureError::Missing { part: "signValue" })?;
    let text = keyed_text(datas.as_bytes(), keys.signer.key());
    let verified = Verified::check(&keys.signer, text.as_bytes(), signature, datas)?;
    verified.try_map(|datas| {
        let plaintext = keys.decrypt(datas).ok_or_else(refused)?;
        let text = GBK
            .decode_without_bom_handling_and_without_replacement(&plaintext)
            .ok_or_else(refused)?;
        let object = Object::parse(text.as_bytes(), &Limits::DEFAULT.with_bytes(64 << 10)).map_err(|_| refused())?;
        Push::read(account, &object.to_fields()?)
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect()
}
