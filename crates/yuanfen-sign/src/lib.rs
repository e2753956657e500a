#![doc = include_str!("../README.md")]
#![warn(clippy::indexing_slicing, clippy::string_slice)]

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod aead;
mod canonical;
mod digest;
mod error;
#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod keyring;
pub mod legacy;
mod mac;
mod pem;
#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
mod rsa;
#[cfg(any(feature = "aws-lc", feature = "pure-rust", feature = "legacy-rsa"))]
mod rsa_der;
mod x509;

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
pub use aead::{ApiV3Key, FileKey};
pub use canonical::{Blanks, CanonicalText, Empties, NameOrder, PairRules, Render, Tail, keyed_text, line_text};
pub use digest::{Sha1Stream, hex_lower, hex_upper, sha256_hex};
pub use error::{AeadError, KeyError};
#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
pub use keyring::{KeyRing, PlatformKey};
pub use mac::{DigestScheme, HexCase, HexSpelling, KeyedDigest, KeyedSigner, SharedKey};
#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
pub use rsa::{RsaSigningKey, RsaVerifyingKey};
pub use x509::Certificate;
