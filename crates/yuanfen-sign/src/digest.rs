//! Plain digests and hexadecimal.

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

/// SHA-256 in lower-case hex: what an APIv3 upload states about its file.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex_lower(&Sha256::digest(bytes))
}

/// SHA-1 over a stream of chunks: bill files and page signatures. Integrity only; SHA-1 proves nothing about origin.
///
/// ```
/// let mut digest = yuanfen_sign::Sha1Stream::new();
/// digest.push(b"mess");
/// digest.push(b"age");
/// assert_eq!(digest.finish_hex(), "6f9b9af3cd6e8b8a73c2cdced37fe9f59226e27d");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Sha1Stream(Sha1);

impl Sha1Stream {
    /// Nothing pushed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn push(&mut self, chunk: &[u8]) {
        self.0.update(chunk);
    }

    /// The digest in lower-case hex.
    #[must_use]
    pub fn finish_hex(self) -> String {
        hex_lower(&self.0.finalize())
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex_lower(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789abcdef")
}

/// Upper-case hex.
#[must_use]
pub fn hex_upper(bytes: &[u8]) -> String {
    hex(bytes, b"0123456789ABCDEF")
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> String {
    let digit = |nibble: u8| digits.get(usize::from(nibble)).map_or('0', |digit| char::from(*digit));
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
