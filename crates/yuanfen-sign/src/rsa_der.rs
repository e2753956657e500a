//! The documents that hold RSA keys, read as far as is needed to say what they are and how large: what a backend is
//! handed is always the PKCS#1 inside.

use x509_cert::der::asn1::{OctetStringRef, UintRef};
use x509_cert::der::{Decode as _, Reader as _, SliceReader};
use x509_cert::spki::{AlgorithmIdentifierRef, ObjectIdentifier, SubjectPublicKeyInfoRef};

use crate::pem::{Armored, unarmor};
use crate::{Certificate, KeyError};

/// The two numbers of an RSA public key, from any document that holds one, as PKCS#1, with the size of the modulus.
pub(crate) struct RsaPublic {
    /// The key as PKCS#1 `RSAPublicKey`.
    pub(crate) pkcs1: Vec<u8>,
    /// Bits of the modulus.
    pub(crate) bits: usize,
}

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
        let modulus: UintRef<'_> = whole(der, |reader| {
            reader.sequence(|inner| {
                let modulus = UintRef::decode(inner)?;
                let _exponent = UintRef::decode(inner)?;
                Ok(modulus)
            })
        })
        .map_err(|_| KeyError::NotDer { expected: "public key" })?;
        Ok(Self {
            pkcs1: der.to_vec(),
            bits: bits_of(&modulus),
        })
    }

    /// Refuses a size outside the limits.
    pub(crate) const fn check_bits(&self, least: usize, most: usize) -> Result<(), KeyError> {
        check_bits(self.bits, least, most)
    }
}

/// The PKCS#1 `RSAPrivateKey` inside a PEM block (`PRIVATE KEY`, `RSA PRIVATE KEY`) or bare base64 of either.
///
/// Kind and size are looked at here, before a backend computes with the key: so both backends say the same of a wrong
/// one, and a huge one costs nothing.
pub(crate) fn private_pkcs1(armored: &Armored, least: usize, most: usize) -> Result<&[u8], KeyError> {
    let der = armored.der.as_slice();
    let pkcs1 = match armored.label.as_deref() {
        Some("PRIVATE KEY") => pkcs8_content(der)?,
        Some("RSA PRIVATE KEY") => der,
        None => match pkcs8_content(der) {
            Err(KeyError::NotDer { .. }) => der,
            other => other?,
        },
        Some(found) => {
            return Err(KeyError::Kind {
                expected: "private key",
                found: found.to_owned(),
            });
        }
    };
    // RFC 8017, appendix A.1.2, without further primes. Whether the numbers fit, only a backend can judge.
    let modulus: UintRef<'_> = whole(pkcs1, |reader| {
        reader.sequence(|inner| {
            let _version = UintRef::decode(inner)?;
            let modulus = UintRef::decode(inner)?;
            // Both exponents, both primes, both remainders of the private exponent, the coefficient.
            for _ in 0..7 {
                UintRef::decode(inner)?;
            }
            Ok(modulus)
        })
    })
    .map_err(|_| NOT_PRIVATE)?;
    check_bits(bits_of(&modulus), least, most)?;
    Ok(pkcs1)
}

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const NOT_PRIVATE: KeyError = KeyError::NotDer {
    expected: "private key",
};

/// The key inside PKCS#8 (RFC 5208 and 5958): version, algorithm, key, and attributes that say nothing here.
fn pkcs8_content(der: &[u8]) -> Result<&[u8], KeyError> {
    let plain = whole(der, |reader| {
        reader.sequence(|inner| {
            let _version = UintRef::decode(inner)?;
            let algorithm = AlgorithmIdentifierRef::decode(inner)?;
            let key = <&OctetStringRef>::decode(inner)?.as_bytes();
            inner.read_slice(inner.remaining_len())?;
            Ok((algorithm.oid, key))
        })
    });
    match plain {
        Ok((RSA_ENCRYPTION, key)) => Ok(key),
        Ok(_) => Err(KeyError::NotRsa),
        Err(_) if is_encrypted_pkcs8(der) => Err(KeyError::Encrypted),
        Err(_) => Err(NOT_PRIVATE),
    }
}

/// Whether it is an `EncryptedPrivateKeyInfo`, which base64 without armor does not announce: an algorithm and the
/// encrypted octets.
fn is_encrypted_pkcs8(der: &[u8]) -> bool {
    let read = whole(der, |reader| {
        reader.sequence(|inner| {
            AlgorithmIdentifierRef::decode(inner)?;
            <&OctetStringRef>::decode(inner).map(|_| ())
        })
    });
    read.is_ok()
}

/// Reads one document and nothing behind it.
fn whole<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> Result<T, x509_cert::der::Error>,
) -> Result<T, x509_cert::der::Error> {
    let mut reader = SliceReader::new(der)?;
    let value = read(&mut reader)?;
    reader.finish()?;
    Ok(value)
}

fn bits_of(number: &UintRef<'_>) -> usize {
    let bytes = number.as_bytes();
    let unused = bytes.first().map_or(0, |first| first.leading_zeros());
    bytes
        .len()
        .saturating_mul(8)
        .saturating_sub(usize::try_from(unused).unwrap_or(0))
}

const fn check_bits(bits: usize, least: usize, most: usize) -> Result<(), KeyError> {
    if bits < least {
        Err(KeyError::TooShort { bits, least })
    } else if bits > most {
        Err(KeyError::TooLong { bits, most })
    } else {
        Ok(())
    }
}
