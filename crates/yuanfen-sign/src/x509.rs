//! Certificates as far as platforms use them: serial, validity, public key. No chain is built; a platform's own
//! protocol proves its certificates.

use std::fmt;

use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode as _, Encode as _, Reader as _, SliceReader};
use x509_cert::spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
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
            serial: hex_upper(inner.serial_number().as_bytes()),
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

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("serial", &self.serial)
            .field("not_before", &self.not_before)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// The two numbers of an RSA public key, from any document that holds one, as PKCS#1, with the size of the modulus.
#[cfg_attr(
    not(any(feature = "aws-lc", feature = "pure-rust", feature = "legacy-rsa")),
    allow(dead_code)
)]
pub(crate) struct RsaPublic {
    /// The key as PKCS#1 `RSAPublicKey`.
    pub(crate) pkcs1: Vec<u8>,
    /// Bits of the modulus.
    pub(crate) bits: usize,
}

#[cfg_attr(
    not(any(feature = "aws-lc", feature = "pure-rust", feature = "legacy-rsa")),
    allow(dead_code)
)]
impl RsaPublic {
    /// From PEM (`PUBLIC KEY`, `RSA PUBLIC KEY`, `CERTIFICATE`) or bare base64 of any of the three.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyError> {
        let armored = unarmor(text)?;
        match armored.label.as_deref() {
            None => Self::from_der(&armored.der),
            Some("PUBLIC KEY") => Self::from_spki(&armored.der),
            Some("RSA PUBLIC KEY") => Self::from_pkcs1(&armored.der),
            Some("CERTIFICATE") => Self::from_spki(Certificate::from_der(&armored.der)?.public_key_der()),
            Some(found) => Err(KeyError::Kind {
                expected: "public key or certificate",
                found: found.to_owned(),
            }),
        }
    }

    /// From bytes of any of the three forms.
    pub(crate) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match Self::from_spki(der) {
            Err(KeyError::NotDer { .. }) => Self::from_pkcs1(der).or_else(|error| {
                Certificate::from_der(der)
                    .map_err(|_| error)
                    .and_then(|certificate| Self::from_spki(certificate.public_key_der()))
            }),
            other => other,
        }
    }

    pub(crate) fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
        let wrong = KeyError::NotDer { expected: "public key" };
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else {
            return Err(wrong);
        };
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Err(KeyError::NotRsa);
        }
        Self::from_pkcs1(info.subject_public_key.as_bytes().ok_or(wrong)?)
    }

    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let wrong = |_| KeyError::NotDer { expected: "public key" };
        let mut reader = SliceReader::new(der).map_err(wrong)?;
        let modulus: UintRef<'_> = reader
            .sequence(|inner| {
                let modulus = UintRef::decode(inner)?;
                let _exponent = UintRef::decode(inner)?;
                Ok::<_, x509_cert::der::Error>(modulus)
            })
            .map_err(wrong)?;
        reader.finish().map_err(wrong)?;
        let bytes = modulus.as_bytes();
        let unused = bytes.first().map_or(0, |first| first.leading_zeros());
        let bits = bytes
            .len()
            .saturating_mul(8)
            .saturating_sub(usize::try_from(unused).unwrap_or(0));
        Ok(Self {
            pkcs1: der.to_vec(),
            bits,
        })
    }

    /// Refuses a size outside the limits.
    pub(crate) const fn check_bits(&self, least: usize, most: usize) -> Result<(), KeyError> {
        if self.bits < least {
            Err(KeyError::TooShort { bits: self.bits, least })
        } else if self.bits > most {
            Err(KeyError::TooLong { bits: self.bits, most })
        } else {
            Ok(())
        }
    }
}
