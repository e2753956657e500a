//! What goes wrong with keys. Signatures that do not hold are core's `SignatureError`.

/// A key could not be loaded. No variant holds any of its text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// Nothing there.
    #[error("the key is empty")]
    Empty,
    /// A PEM block of another kind.
    #[error("a {expected} is needed, the PEM block says `{found}`")]
    Kind {
        /// What is needed.
        expected: &'static str,
        /// The label that stood there.
        found: String,
    },
    /// A private key behind a password.
    #[error(
        "the private key is encrypted; decrypt it first, for example with `openssl pkcs8 -in key.pem -out plain.pem`"
    )]
    Encrypted,
    /// Neither PEM nor base64.
    #[error("the text is neither PEM nor base64")]
    NotBase64,
    /// The bytes are not the key or certificate they should be.
    #[error("the bytes are no {expected}")]
    NotDer {
        /// What they should be.
        expected: &'static str,
    },
    /// Not an RSA key.
    #[error("the key is not an RSA key")]
    NotRsa,
    /// Too few bits.
    #[error("the RSA key has {bits} bits, at least {least} are required here")]
    TooShort {
        /// Its bits.
        bits: usize,
        /// The least.
        least: usize,
    },
    /// Too many bits.
    #[error("the RSA key has {bits} bits, at most {most} are read")]
    TooLong {
        /// Its bits.
        bits: usize,
        /// The most.
        most: usize,
    },
    /// A shared key of the wrong length.
    #[error("the key has {found} bytes, {expected} are required")]
    Length {
        /// How many are required.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// The numbers of the key do not fit together.
    #[error("the key is not consistent")]
    Inconsistent,
    /// The serial of a key that a key ring may not hold.
    #[error("the key's serial is empty")]
    NoSerial,
}

/// Something encrypted did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AeadError {
    /// Not standard base64 with padding.
    #[error("the ciphertext is not base64")]
    NotBase64,
    /// A nonce of a length that AES-GCM is not run with here.
    #[error("the nonce has {found} bytes, 12 are required")]
    NonceLength {
        /// Its length.
        found: usize,
    },
    /// Shorter than a tag, or not whole blocks.
    #[error("the ciphertext has an impossible length")]
    Length,
    /// It does not open: another key, other associated data, or it was altered.
    #[error("it does not open with this key and associated data")]
    Refused,
}
