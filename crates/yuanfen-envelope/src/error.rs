//! Why something that came in did not open.

use yuanfen_core::{FieldError, ObjectError, OpenError, ProtocolError, SignatureError};
use yuanfen_form::FormError;

/// A call-back or a reply did not open. No variant holds any of its contents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// A call-back that is no form body: cut off, broken escapes, a name that stands twice.
    #[error("the call-back is not a form body that is read here")]
    Form(#[from] FormError),
    /// A reply (or a call-back read as JSON) that is no JSON object.
    #[error("the body is not a JSON object that is read here")]
    Json(#[from] ObjectError),
    /// A member that is absent or not of its type.
    #[error("a member of the body is absent or not of its type")]
    Field(#[from] FieldError),
    /// Nothing proves that the call-back comes from the platform.
    #[error("the call-back does not prove where it comes from")]
    Signature(#[from] SignatureError),
}

impl EnvelopeError {
    /// The same in the words of core. The body is looked at to tell an empty one and a page for people from one that
    /// is merely broken; nothing of it is kept.
    #[must_use]
    pub fn into_open_error(self, body: &[u8]) -> OpenError {
        match self {
            Self::Form(error) => ProtocolError::unreadable(body, error).into(),
            Self::Json(error) => ProtocolError::unreadable(body, error).into(),
            Self::Field(error) => error.into(),
            Self::Signature(error) => error.into(),
        }
    }
}
