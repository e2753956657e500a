//! Certificates as far as platforms use them: serial, validity, public key. No chain is built; a platform's own
//! protocol proves its certificates.

use std::fmt;

use x509_cert::der::{Decode as _, Encode as _};
use yuanfen_core::UnixTime;

use crate::pem::unarmor;
use crate::{KeyError, hex_upper};

/// What is read of an X.509 certificate.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Certificate {
    /// The serial number as the platforms write it: big-endian upper-case hex with an even number of digits, the sign
    /// byte of DER dropped.
    pub serial: String,
    /// From when it is valid.
    pub not_before: UnixTime,
    /// Until when it is valid.
    pub not_after: UnixTime,
    public_key: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate from PEM, or from base64 without armor.
    ///
    /// # Errors
    /// When the text is no certificate.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let armored = unarmor(text)?;
        match armored.label.as_deref() {
            None | Some("CERTIFICATE") => Self::from_der(&armored.der),
            Some(found) => Err(KeyError::Kind {
                expected: "certificate",
                found: found.to_owned(),
            }),
        }
    }

    /// Reads a certificate from its bytes.
    ///
    /// # Errors
    /// When they are no certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let wrong = |_| KeyError::NotDer {
            expected: "certificate",
        };
        let certificate = x509_cert::Certificate::from_der(der).map_err(wrong)?;
        let inner = certificate.tbs_certificate();
        let seconds = |time: x509_cert::time::Time| {
            UnixTime::from_seconds(i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX))
        };
        Ok(Self {
            serial: hex_upper(without_sign_byte(inner.serial_number().as_bytes())),
            not_before: seconds(inner.validity().not_before),
            not_after: seconds(inner.validity().not_after),
            public_key: inner.subject_public_key_info().to_der().map_err(wrong)?,
        })
    }

    /// Whether it is valid at that moment.
    #[must_use]
    pub fn is_valid_at(&self, now: UnixTime) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    /// Its public key as SubjectPublicKeyInfo.
    #[must_use]
    pub fn public_key_der(&self) -> &[u8] {
        &self.public_key
    }
}

/// A serial without the zero byte that DER puts in front of a number whose top bit is set.
fn without_sign_byte(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] if !rest.is_empty() => rest,
        whole => whole,
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}
