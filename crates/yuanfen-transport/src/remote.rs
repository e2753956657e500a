//! Signing where the key is, when that is somewhere else.

use std::future::Future;
use std::pin::Pin;

use yuanfen_core::{BuildError, ErrorKind, KeysUnavailable, Sent, SignError, TransportError, TransportErrorKind};

/// Signs texts somewhere else: a KMS, an HSM, another host. [`Client::with_remote_signer`](crate::Client::with_remote_signer)
/// asks it for every signature that its account's requests need, those that fetch the platform's keys included.
///
/// Any closure from text to future is one:
///
/// ```
/// use yuanfen_core::SignError;
/// use yuanfen_transport::RemoteSign;
///
/// async fn ask_the_kms(text: Vec<u8>) -> Result<String, SignError> {
///     // RSA with SHA-256 over `text`, in base64, from wherever the key is.
/// #   Ok(format!("{} bytes", text.len()))
/// }
/// fn takes_a_signer(_: impl RemoteSign) {}
/// takes_a_signer(ask_the_kms);
/// ```
///
/// What an implementation owes its callers: it bounds the time it takes, and it keeps neither texts nor signatures, since a
/// text holds the request's body. It is never given a text that ends in a key.
pub trait RemoteSign: Send + Sync {
    /// The signature over a canonical text, in the spelling of its protocol (APIv3: RSA with SHA-256, in base64).
    ///
    /// # Errors
    /// When there is no signature. The call then ends with [`TransportErrorKind::Signer`]: nothing was sent, and it may be repeated.
    fn sign(&self, text: Vec<u8>) -> impl Future<Output = Result<String, SignError>> + Send;
}

impl<F, Signing> RemoteSign for F
where
    F: Fn(Vec<u8>) -> Signing + Send + Sync,
    Signing: Future<Output = Result<String, SignError>> + Send,
{
    fn sign(&self, text: Vec<u8>) -> impl Future<Output = Result<String, SignError>> + Send {
        self(text)
    }
}

type Signing<'a> = Pin<Box<dyn Future<Output = Result<String, SignError>> + Send + 'a>>;

/// [`RemoteSign`] in a form that a `dyn` can have.
pub(crate) trait ErasedSign: Send + Sync {
    fn sign_boxed(&self, text: Vec<u8>) -> Signing<'_>;
}

impl<S: RemoteSign> ErasedSign for S {
    fn sign_boxed(&self, text: Vec<u8>) -> Signing<'_> {
        Box::pin(self.sign(text))
    }
}

/// Why there is no signed request. Nothing was sent in either case.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotSigned {
    /// Our side, or a signature that does not fit where it belongs.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The remote signer gave none.
    #[error(transparent)]
    Remote(TransportError),
}

impl NotSigned {
    pub(crate) fn remote(error: SignError) -> Self {
        let kind = TransportErrorKind::Signer;
        Self::Remote(TransportError::new(kind, Sent::No, Some(error.into())))
    }
}

impl From<NotSigned> for ErrorKind {
    fn from(error: NotSigned) -> Self {
        match error {
            NotSigned::Build(error) => Self::Build(error),
            NotSigned::Remote(error) => Self::Transport(error),
        }
    }
}

impl From<NotSigned> for KeysUnavailable {
    fn from(error: NotSigned) -> Self {
        match error {
            NotSigned::Build(error) => Self::not_built(error),
            NotSigned::Remote(error) => Self::not_carried(error),
        }
    }
}
