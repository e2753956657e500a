//! Verifying keys by serial, swapped in place while others read.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use yuanfen_core::UnixTime;

use crate::{Certificate, KeyError, RsaVerifyingKey};

/// A platform's verifying key and the serial its messages name it by.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlatformKey {
    /// A certificate's serial in hex, or the id of a public key, as messages name it.
    pub serial: String,
    /// What checks signatures.
    pub key: RsaVerifyingKey,
    /// From when to when, for a certificate; a bare public key has no end.
    pub validity: Option<(UnixTime, UnixTime)>,
}

impl PlatformKey {
    /// The key of a certificate, under the certificate's own serial.
    ///
    /// # Errors
    /// When its key is not an RSA key of 2048 bits or more.
    pub fn of_certificate(certificate: &Certificate) -> Result<Self, KeyError> {
        Ok(Self {
            serial: certificate.serial.clone(),
            key: RsaVerifyingKey::of_certificate(certificate)?,
            validity: Some((certificate.not_before, certificate.not_after)),
        })
    }

    /// A bare public key under the id that the platform gave it.
    ///
    /// # Errors
    /// When the id is empty.
    pub fn public(id: impl Into<String>, key: RsaVerifyingKey) -> Result<Self, KeyError> {
        let serial = id.into();
        if serial.is_empty() {
            Err(KeyError::NoSerial)
        } else {
            Ok(Self {
                serial,
                key,
                validity: None,
            })
        }
    }

    /// Whether messages call it that: certificates whatever the case of their hex, ids of public keys exactly.
    fn answers_to(&self, serial: &str) -> bool {
        match self.validity {
            Some(_) => self.serial.eq_ignore_ascii_case(serial),
            None => self.serial == serial,
        }
    }

    fn is_valid_at(&self, now: UnixTime) -> bool {
        self.validity.is_none_or(|(from, until)| from <= now && now <= until)
    }
}

/// Verifying keys by serial: certificates and public keys side by side. Clones share one content; learning new keys
/// shows in every clone at once, and readers never wait for a refresh.
#[derive(Clone, Default)]
pub struct KeyRing {
    keys: Arc<RwLock<Arc<Vec<PlatformKey>>>>,
}

impl KeyRing {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The key that messages name so, unless it is a certificate outside its validity.
    #[must_use]
    pub fn get(&self, serial: &str, now: UnixTime) -> Option<RsaVerifyingKey> {
        let keys = self.snapshot();
        keys.iter()
            .find(|key| key.answers_to(serial) && key.is_valid_at(now))
            .map(|key| key.key.clone())
    }

    /// Whether there is a key that could check a message now: a public key, or a certificate inside its validity.
    #[must_use]
    pub fn has_valid(&self, now: UnixTime) -> bool {
        self.snapshot().iter().any(|key| key.is_valid_at(now))
    }

    /// Adds keys, replacing those of the same serial, and drops certificates that are past their end. The last keys
    /// are never dropped: with an expired set it is at least clear what expired.
    pub fn learn(&self, learned: impl IntoIterator<Item = PlatformKey>, now: UnixTime) {
        let mut guard = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let mut keys: Vec<PlatformKey> = (**guard).clone();
        for key in learned {
            keys.retain(|known| !known.answers_to(&key.serial));
            keys.push(key);
        }
        let living = |key: &PlatformKey| key.validity.is_none_or(|(_, until)| now <= until);
        if keys.iter().any(living) {
            keys.retain(living);
        }
        *guard = Arc::new(keys);
    }

    /// The newest certificate that is valid now, by the start of its validity: what encrypts sensitive fields, and
    /// whose end says when to fetch again.
    #[must_use]
    pub fn newest_certificate(&self, now: UnixTime) -> Option<PlatformKey> {
        let keys = self.snapshot();
        keys.iter()
            .filter(|key| key.validity.is_some() && key.is_valid_at(now))
            .max_by_key(|key| key.validity.map(|(from, _)| from))
            .cloned()
    }

    /// The serials of all keys, in the order they were learned.
    #[must_use]
    pub fn serials(&self) -> Vec<String> {
        self.snapshot().iter().map(|key| key.serial.clone()).collect()
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.snapshot().is_empty()
    }

    fn snapshot(&self) -> Arc<Vec<PlatformKey>> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRing").field(&self.serials()).finish()
    }
}
