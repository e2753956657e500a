//! Who signed what, as types.

use std::fmt;

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::redact::OneLine;
use crate::{Ambient, BuildError, ClientAuth, Secret, masked_text};

/// Holds a signing key, or knows who does.
pub trait Sign: Send + Sync {
    /// The signature over a canonical text, in the spelling of its protocol (hex or base64).
    ///
    /// # Errors
    /// When the key cannot sign: the backend refused it, or a remote signer did not answer.
    fn sign(&self, text: &[u8], ambient: &dyn Ambient) -> Result<String, SignError>;
}

/// Holds what a signature is checked with.
pub trait Verify: Send + Sync {
    /// Checks a signature, in the spelling of its protocol, over a canonical text.
    ///
    /// # Errors
    /// [`SignatureError::Mismatch`] when it does not hold, whatever is wrong with its form.
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError>;
}

/// Holds the private key that opens what the far side encrypted for us, or knows who does.
pub trait Decrypt: Send + Sync {
    /// Opens a ciphertext, in the spelling of its protocol (base64).
    ///
    /// # Errors
    /// When it does not open, or a remote key did not answer.
    fn decrypt(&self, ciphertext: &str, ambient: &dyn Ambient) -> Result<Secret<Vec<u8>>, DecryptError>;
}

/// A ciphertext did not open. Every failure of the key itself looks alike, so that nobody learns from the difference.
#[derive(Debug, thiserror::Error)]
#[error("decrypting failed: {reason}")]
#[non_exhaustive]
pub struct DecryptError {
    /// Why, in words that hold no secret.
    pub reason: &'static str,
    /// What the backend said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DecryptError {
    /// A reason without a cause.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self { reason, source: None }
    }

    /// A reason and its cause.
    #[must_use]
    pub fn with_source(reason: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            reason,
            source: Some(source.into()),
        }
    }
}

/// A signature could not be made.
#[derive(Debug, thiserror::Error)]
#[error("signing failed: {reason}")]
#[non_exhaustive]
pub struct SignError {
    /// Why, in words that hold no secret.
    pub reason: &'static str,
    /// What the backend said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SignError {
    /// A reason without a cause.
    #[must_use]
    pub const fn new(reason: &'static str) -> Self {
        Self { reason, source: None }
    }

    /// A reason and its cause.
    #[must_use]
    pub fn with_source(reason: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            reason,
            source: Some(source.into()),
        }
    }
}

/// Why a message does not count as signed. Each reason has another remedy, so they are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// A part that the check needs is absent, empty, or there twice with different values. On a notice: somebody
    /// other than the platform sent it, or a proxy stripped headers.
    #[error("`{part}` is absent, empty or ambiguous, so nothing proves who sent this")]
    Missing {
        /// Which field or header.
        part: &'static str,
    },
    /// A part that the check needs is there and not of its form: a timestamp that is no number, a signature type that
    /// is not supported.
    #[error("`{part}` is not of its form or not supported")]
    Malformed {
        /// Which field or header.
        part: &'static str,
    },
    /// No key of that serial is known. The transport's client fetches keys once and opens the same message again.
    #[error(
        "no key with serial `{}` is known; fetch the platform's keys, or configure this one",
        OneLine(serial)
    )]
    UnknownKey {
        /// The serial as the message names it.
        serial: String,
    },
    /// No key of that serial is known, and none can be fetched: only the configuration can bring it.
    #[error("no key with serial `{}` is configured: {remedy}", OneLine(serial))]
    KeyNotConfigured {
        /// The serial as the message names it.
        serial: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// Signed too long ago, or in the future: check this machine's clock.
    #[error("signed {skew_seconds} seconds away from this machine's clock; check the clock")]
    Stale {
        /// This machine's time less the message's time; negative where the message is from the future.
        skew_seconds: i64,
    },
    /// The signature does not hold over this text under this key: another key, another text, or a forgery.
    #[error("the signature does not hold over the received text; compare it with `yuanfen verify`")]
    Mismatch,
}

/// A value whose origin a signature proves. Only a check that passed makes one.
///
/// ```
/// use yuanfen_core::{SignatureError, Verified, Verify};
/// # struct Nobody;
/// # impl Verify for Nobody {
/// #     fn verify(&self, _: &[u8], _: &str) -> Result<(), SignatureError> { Err(SignatureError::Mismatch) }
/// # }
/// let refused = Verified::check(&Nobody, b"text", "signature", "value");
/// assert_eq!(refused.unwrap_err(), SignatureError::Mismatch);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// Checks the signature over the text from which the value was split, and lets the value through if it holds.
    ///
    /// The value must be the untyped parts of that same text; type them afterwards, with [`try_map`](Self::try_map).
    ///
    /// # Errors
    /// What the verifier says.
    pub fn check(verifier: &dyn Verify, text: &[u8], signature: &str, value: T) -> Result<Self, SignatureError> {
        verifier.verify(text, signature)?;
        Ok(Self(value))
    }

    /// The same where a protocol leaves open which of several texts was signed: the first that holds decides.
    ///
    /// # Errors
    /// What the verifier says of the last text; [`SignatureError::Mismatch`] where there is none.
    pub fn check_any(
        verifier: &dyn Verify,
        texts: &[&[u8]],
        signature: &str,
        value: T,
    ) -> Result<Self, SignatureError> {
        let mut verdict = Err(SignatureError::Mismatch);
        for text in texts {
            verdict = verifier.verify(text, signature);
            if verdict.is_ok() {
                break;
            }
        }
        verdict.map(|()| Self(value))
    }

    /// Types the value; what proves its origin still does.
    ///
    /// # Errors
    /// What the function says.
    pub fn try_map<U, E>(self, function: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        function(self.0).map(Verified)
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The value, without the proof.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// A value that nothing proves, because its protocol signs nothing there.
///
/// Over TLS from the configured host it tells what the platform answered, so a query's answer can be acted on as far
/// as the provider's documentation says. It never proves that a message which came to us is genuine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned<T>(T);

impl<T> Unsigned<T> {
    /// Marks a value as unproven.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn get(&self) -> &T {
        &self.0
    }

    /// The value, without the reminder.
    pub fn into_inner(self) -> T {
        self.0
    }
}

/// Turns a signature into the finished request.
type Finish = Box<dyn FnOnce(&str) -> Result<http::Request<Bytes>, BuildError> + Send>;

/// A request whose canonical text is fixed and whose signature is still to come.
///
/// This is the middle of the three stages message → canonical text → signature. Sign the text wherever the key lives
/// (a KMS, an HSM, another host), then [`finish`](Self::finish). [`Provider::seal`](crate::Provider::seal) does both
/// in one step.
///
/// The MD5 schemes end their text with the key, so the text is wiped on drop and `Debug` prints its length only.
pub struct Draft {
    text: Zeroizing<Vec<u8>>,
    key_length: usize,
    finish: Finish,
    signed: bool,
    signer: Option<Box<dyn Sign>>,
    client_auth: ClientAuth,
}

impl Draft {
    /// A draft of that text, whose last `key_length` bytes are a key.
    #[must_use]
    pub fn new(
        text: Vec<u8>,
        key_length: usize,
        finish: impl FnOnce(&str) -> Result<http::Request<Bytes>, BuildError> + Send + 'static,
    ) -> Self {
        Self {
            text: Zeroizing::new(text),
            key_length,
            finish: Box::new(finish),
            signed: true,
            signer: None,
            client_auth: ClientAuth::None,
        }
    }

    /// A request that its protocol does not sign; [`finish`](Self::finish) ignores what it is handed.
    #[must_use]
    pub fn unsigned(request: http::Request<Bytes>) -> Self {
        Self {
            text: Zeroizing::default(),
            key_length: 0,
            finish: Box::new(move |_| Ok(request)),
            signed: false,
            signer: None,
            client_auth: ClientAuth::None,
        }
    }

    /// The same, which [`seal`](Self::seal) signs with that, whatever the account signs with: for calls that demand a
    /// scheme of their own.
    #[must_use]
    pub fn signed_with(mut self, signer: impl Sign + 'static) -> Self {
        self.signer = Some(Box::new(signer));
        self
    }

    /// The same, whose finished request says whether it needs the merchant's certificate.
    #[must_use]
    pub const fn with_client_auth(mut self, client_auth: ClientAuth) -> Self {
        self.client_auth = client_auth;
        self
    }

    /// Whether a signature is wanted.
    #[must_use]
    pub const fn wants_signature(&self) -> bool {
        self.signed
    }

    /// Whether the text ends in the key. Then whoever has the text has the key, so it is signed where the key is: here.
    #[must_use]
    pub const fn holds_key(&self) -> bool {
        self.key_length > 0
    }

    /// The canonical text, with the key where the protocol puts it.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The canonical text with the key masked, for support.
    #[must_use]
    pub fn redacted_text(&self) -> String {
        masked_text(&self.text, self.key_length)
    }

    /// Signature and finished request in one step, where the key is at hand: the account's signer, unless the draft
    /// brings [its own](Self::signed_with).
    ///
    /// # Errors
    /// When signing fails, and as [`finish`](Self::finish).
    pub fn seal(self, signer: &dyn Sign, ambient: &dyn Ambient) -> Result<http::Request<Bytes>, BuildError> {
        let signature = if self.wants_signature() {
            self.signer.as_deref().unwrap_or(signer).sign(self.text(), ambient)?
        } else {
            String::new()
        };
        self.finish(&signature)
    }

    /// The finished request.
    ///
    /// # Errors
    /// When the signature does not fit where it belongs.
    pub fn finish(self, signature: &str) -> Result<http::Request<Bytes>, BuildError> {
        let mut request = (self.finish)(signature)?;
        if self.client_auth == ClientAuth::Required {
            request.extensions_mut().insert(ClientAuth::Required);
        }
        Ok(request)
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("text", &format_args!("{} bytes", self.text.len()))
            .field("signed", &self.signed)
            .finish_non_exhaustive()
    }
}
