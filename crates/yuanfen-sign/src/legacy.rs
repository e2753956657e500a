//! Old cryptography that platforms force on their users. Nobody should start with any of it.
//!
//! | What | Who forces it |
//! | --- | --- |
//! | [`aes_256_ecb_open`] | WeChat v2 encrypts refund notices with AES-256-ECB, which has no integrity |
//! | `LegacyRsaSigningKey`, `LegacyRsaVerifyingKey` (feature `legacy-rsa`) | fshows signs with SHA-1 under 1024-bit keys |
//! | `LegacyRsaSigningKey::decrypt_pkcs1v15` (feature `legacy-rsa`) | StarPos encrypts pushes with PKCS#1 v1.5 |
//! | MD5 signatures | WeChat v2, StarPos and mpgateway; they live in [`KeyedSigner`](crate::KeyedSigner) beside HMAC |
//! | SHA-1 of bill files and page signatures | WeChat; [`Sha1Stream`](crate::Sha1Stream) |

mod ecb;
#[cfg(feature = "legacy-rsa")]
mod rsa_sha1;

pub use ecb::{aes_256_ecb_open, aes_256_ecb_seal, md5_hex};
#[cfg(feature = "legacy-rsa")]
pub use rsa_sha1::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};

/// The ambient's randomness in the shape that the `rsa` crate wants for blinding.
#[cfg(any(feature = "legacy-rsa", feature = "pure-rust"))]
#[cfg_attr(all(feature = "aws-lc", not(feature = "legacy-rsa")), allow(dead_code))]
pub(crate) struct AmbientRng<'a>(pub(crate) &'a dyn yuanfen_core::Ambient);

#[cfg(any(feature = "legacy-rsa", feature = "pure-rust"))]
impl rsa::rand_core::RngCore for AmbientRng<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.0.fill(out);
        Ok(())
    }
}

#[cfg(any(feature = "legacy-rsa", feature = "pure-rust"))]
impl rsa::rand_core::CryptoRng for AmbientRng<'_> {}
