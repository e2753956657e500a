//! Keys from a secret: the same secret gives the same keys, bit for bit, on every machine.

use std::collections::BTreeMap;
use std::thread;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore as _, SeedableRng as _};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey as _, EncodePublicKey as _, LineEnding};
use yuanfen_core::Secret;

use super::KeySetError;

/// What a key is for. Each has a stream of ChaCha20 to itself, so that keys can be made in any order, side by side, or
/// only once they are needed. A number that is taken stays taken: with another one every seed would give other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Purpose(u64);

impl Purpose {
    pub(super) const AUTHORITY: Self = Self(1);
    pub(super) const SERVER: Self = Self(2);
    pub(super) const WECHAT_MERCHANT: Self = Self(3);
    pub(super) const WECHAT_PROVIDER: Self = Self(4);
    pub(super) const WECHAT_PUBLIC_KEY: Self = Self(5);
    pub(super) const WECHAT_V2_API_KEY: Self = Self(6);
    pub(super) const WECHAT_V2_PROVIDER_API_KEY: Self = Self(7);
    pub(super) const WECHAT_V3_API_KEY: Self = Self(8);
    pub(super) const WECHAT_V3_PROVIDER_API_KEY: Self = Self(9);
    pub(super) const STARPOS_KEY: Self = Self(10);
    pub(super) const STARPOS_APP_SECRET: Self = Self(11);
    pub(super) const STARPOS_PUSH_DIGEST: Self = Self(12);
    pub(super) const STARPOS_PUSH_KEY: Self = Self(13);
    pub(super) const STARPOS_WECHAT_KEY: Self = Self(14);
    pub(super) const FSHOWS_MERCHANT: Self = Self(15);
    pub(super) const FSHOWS_PLATFORM: Self = Self(16);
    pub(super) const MPGATEWAY_KEY: Self = Self(17);
    pub(super) const WECHAT_APP_SECRET: Self = Self(18);
    pub(super) const WECHAT_PROVIDER_APP_SECRET: Self = Self(19);
    pub(super) const WECHAT_SUB_APP_SECRET: Self = Self(20);
    pub(super) const WECHAT_PLATFORM: Self = Self(32);
    pub(super) const WECHAT_LATER_PLATFORMS: [Self; 3] = [Self(33), Self(34), Self(35)];
}

/// An RSA key in the spellings that clients are handed.
#[derive(Clone)]
pub(crate) struct RsaPair {
    /// PKCS#8 PEM.
    pub(crate) private_key_pem: Secret<String>,
    /// SubjectPublicKeyInfo PEM.
    pub(crate) public_key_pem: String,
}

/// The secret that a set's keys come from.
#[derive(Clone)]
pub(super) struct Derivation(Secret<[u8; 32]>);

impl Derivation {
    pub(super) const fn new(secret: Secret<[u8; 32]>) -> Self {
        Self(secret)
    }

    pub(super) fn from_seed(seed: u64) -> Self {
        let mut secret = *b"yuanfen-sandbox key set\0........";
        for (place, byte) in secret.iter_mut().rev().zip(seed.to_be_bytes().into_iter().rev()) {
            *place = byte;
        }
        Self(Secret::new(secret))
    }

    fn generator(&self, Purpose(stream): Purpose) -> ChaCha20Rng {
        let mut generator = ChaCha20Rng::from_seed(*self.0.expose());
        generator.set_stream(stream);
        generator
    }

    /// So many characters out of at most 64.
    fn text(&self, purpose: Purpose, alphabet: &[u8], length: usize) -> Secret<String> {
        let mut generator = self.generator(purpose);
        // Six bits choose; what falls behind the alphabet is drawn again, so that no character is favored.
        let drawn = std::iter::repeat_with(|| usize::try_from(generator.next_u32() & 63).unwrap_or_default());
        let characters = drawn.filter_map(|index| alphabet.get(index).copied().map(char::from));
        Secret::new(characters.take(length).collect())
    }

    /// So many letters and digits.
    pub(super) fn letters(&self, purpose: Purpose, length: usize) -> Secret<String> {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        self.text(purpose, LETTERS, length)
    }

    /// So many digits of upper-case hex.
    pub(super) fn hex_upper(&self, purpose: Purpose, length: usize) -> Secret<String> {
        self.text(purpose, b"0123456789ABCDEF", length)
    }

    /// So many digits of lower-case hex.
    pub(super) fn hex_lower(&self, purpose: Purpose, length: usize) -> Secret<String> {
        self.text(purpose, b"0123456789abcdef", length)
    }

    /// A certificate's serial: 40 digits of hex, the first of them neither 0 (which some programs drop) nor above 7
    /// (before which DER puts a byte).
    pub(super) fn serial(&self, Purpose(stream): Purpose) -> [u8; 20] {
        let mut serial = [0; 20];
        self.generator(Purpose(stream | 1 << 32)).fill_bytes(&mut serial);
        if let Some(first) = serial.first_mut() {
            *first = *first & 0x3f | 0x10;
        }
        serial
    }

    pub(super) fn rsa(&self, purpose: Purpose, bits: usize) -> Result<RsaPair, KeySetError> {
        let key = RsaPrivateKey::new(&mut self.generator(purpose), bits).map_err(KeySetError::rsa)?;
        let private = key.to_pkcs8_pem(LineEnding::LF).map_err(KeySetError::rsa)?;
        let public = key
            .to_public_key()
            .to_public_key_pem(LineEnding::LF)
            .map_err(KeySetError::rsa)?;
        Ok(RsaPair {
            private_key_pem: Secret::new(private.as_str().to_owned()),
            public_key_pem: public,
        })
    }

    /// Several RSA keys, each on a thread of its own: one takes up to a quarter of a second.
    pub(super) fn rsa_keys(&self, wanted: &[(Purpose, usize)]) -> Result<Made, KeySetError> {
        thread::scope(|scope| {
            let making = wanted.iter().map(|&(purpose, bits)| {
                let thread = scope.spawn(move || self.rsa(purpose, bits));
                (purpose, thread)
            });
            // All are started before the first is waited for.
            let making: Vec<_> = making.collect();
            let made = making.into_iter().map(|(purpose, thread)| {
                let pair = thread.join().map_err(|_| KeySetError::thread())??;
                Ok((purpose, pair))
            });
            Ok(Made(made.collect::<Result<_, KeySetError>>()?))
        })
    }
}

/// RSA keys that were made.
pub(super) struct Made(BTreeMap<Purpose, RsaPair>);

impl Made {
    pub(super) fn take(&mut self, purpose: Purpose) -> Result<RsaPair, KeySetError> {
        self.0.remove(&purpose).ok_or_else(KeySetError::thread)
    }
}
