//! Signatures from a key that both ends share: MD5 over a text that holds the key, and HMAC-SHA256.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use sha2::Sha256;
use yuanfen_core::{Ambient, Secret, Sign, SignError, SignatureError, Verify, constant_time_eq};

use crate::{KeyError, hex_lower, hex_upper};

/// A key that both ends share. It never comes out except inside a canonical text; `Debug` shows nothing.
#[derive(Clone)]
pub struct SharedKey(Secret<String>);

impl SharedKey {
    /// Takes a key of any length: platforms hand out 32 characters, tests use fewer.
    ///
    /// # Errors
    /// Refuses an empty key.
    pub fn new(key: impl Into<String>) -> Result<Self, KeyError> {
        let key = Secret::new(key.into());
        if key.expose().is_empty() {
            Err(KeyError::Empty)
        } else {
            Ok(Self(key))
        }
    }

    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    pub(crate) const fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedKey(..)")
    }
}

/// What a platform does with the text and how it spells the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "providers write it as a literal")]
pub struct DigestScheme {
    /// The digest.
    pub digest: KeyedDigest,
    /// How it is spelled when sent.
    pub spelling: HexSpelling,
    /// Which case is accepted on arrival.
    pub case: HexCase,
}

/// A digest over a text that holds the key, or that takes it besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyedDigest {
    /// MD5 of the text. The key is in the text; MD5 is what these platforms offer, not what anybody would choose.
    Md5,
    /// HMAC-SHA256 of the text (which holds the key as well) under the key.
    HmacSha256,
}

/// How a digest is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HexSpelling {
    /// Upper-case hex.
    Upper,
    /// Lower-case hex.
    Lower,
}

/// Which case of hex is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HexCase {
    /// Only the spelling that is sent.
    Exact,
    /// Either.
    Ignored,
}

/// A shared key with its scheme: signs and verifies.
///
/// The text that it is handed must hold the key already; [`PairRules::text`](crate::PairRules::text) and
/// [`keyed_text`](crate::keyed_text) put it there, given [`key`](Self::key).
#[derive(Clone, Debug)]
pub struct KeyedSigner {
    key: SharedKey,
    scheme: DigestScheme,
}

impl KeyedSigner {
    /// That key under that scheme.
    #[must_use]
    pub const fn new(key: SharedKey, scheme: DigestScheme) -> Self {
        Self { key, scheme }
    }

    /// The key, to build texts with.
    #[must_use]
    pub const fn key(&self) -> &SharedKey {
        &self.key
    }

    /// The scheme.
    #[must_use]
    pub const fn scheme(&self) -> DigestScheme {
        self.scheme
    }

    fn digest(&self, text: &[u8]) -> Result<String, SignError> {
        let spell = match self.scheme.spelling {
            HexSpelling::Upper => hex_upper,
            HexSpelling::Lower => hex_lower,
        };
        match self.scheme.digest {
            KeyedDigest::Md5 => Ok(spell(&Md5::digest(text))),
            KeyedDigest::HmacSha256 => {
                let mut mac = Hmac::<Sha256>::new_from_slice(self.key.expose().as_bytes())
                    .map_err(|_| SignError::new("the key cannot be used for HMAC"))?;
                mac.update(text);
                Ok(spell(&mac.finalize().into_bytes()))
            }
        }
    }
}

impl Sign for KeyedSigner {
    fn sign(&self, text: &[u8], _ambient: &dyn Ambient) -> Result<String, SignError> {
        self.digest(text)
    }
}

impl Verify for KeyedSigner {
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError> {
        let expected = self.digest(text).map_err(|_| SignatureError::Mismatch)?;
        let holds = match self.scheme.case {
            HexCase::Exact => constant_time_eq(expected.as_bytes(), signature.as_bytes()),
            HexCase::Ignored => {
                let (expected, found) = (expected.to_ascii_lowercase(), signature.to_ascii_lowercase());
                constant_time_eq(expected.as_bytes(), found.as_bytes())
            }
        };
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}
