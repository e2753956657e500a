//! The keys that would check an answer are not there.

use std::fmt;
use std::sync::Arc;

use super::code::RefusalKind;
use super::{BuildError, OpenError, ProtocolErrorKind, Sent, TransportError, TransportErrorKind};
use crate::SignatureError;

/// No key of the platform could check the answer, so the call was not sent: whoever moves money must be able to prove
/// what became of it.
///
/// Cheap to clone, because every call that waited for the same fetch is told why it failed. The
/// [`source`](std::error::Error::source) is what failed, in its own type.
#[derive(Clone, Debug)]
pub struct KeysUnavailable {
    reason: Reason,
    passing: bool,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Nowhere,
    Failed,
    Invalid,
}

impl KeysUnavailable {
    /// None is configured, and none can be fetched.
    #[must_use]
    pub const fn not_configured() -> Self {
        Self {
            reason: Reason::Nowhere,
            passing: false,
            cause: None,
        }
    }

    /// They were fetched and proved themselves, and yet none is valid now.
    #[must_use]
    pub const fn not_valid() -> Self {
        Self {
            reason: Reason::Invalid,
            passing: false,
            cause: None,
        }
    }

    /// The request for them could not be built.
    #[must_use]
    pub fn not_built(cause: BuildError) -> Self {
        Self::not_fetched(false, cause)
    }

    /// The wire failed while they were fetched.
    #[must_use]
    pub fn not_carried(cause: TransportError) -> Self {
        let unsendable = cause.kind == TransportErrorKind::Refused && cause.sent == Sent::No;
        Self::not_fetched(!unsendable, cause)
    }

    /// What came instead of them did not open.
    #[must_use]
    pub fn not_opened(cause: OpenError) -> Self {
        let passing = match &cause {
            OpenError::Business(refusal) => matches!(
                refusal.meaning.kind,
                RefusalKind::Throttled | RefusalKind::NotYet | RefusalKind::Pending | RefusalKind::Unclear
            ),
            OpenError::Protocol(error) => error.kind != ProtocolErrorKind::Decrypt,
            OpenError::Signature(error) => !matches!(
                error,
                SignatureError::Stale { .. } | SignatureError::KeyNotConfigured { .. }
            ),
        };
        Self::not_fetched(passing, cause)
    }

    fn not_fetched(passing: bool, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            reason: Reason::Failed,
            passing,
            cause: Some(Arc::new(cause)),
        }
    }

    /// Whether the same may go well later. Otherwise something on this side must be mended first: the configuration, the
    /// clock.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        self.passing
    }
}

impl fmt::Display for KeysUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.reason {
            Reason::Nowhere => "no key of the platform is configured, and none can be fetched",
            Reason::Failed => "the platform's keys could not be fetched",
            Reason::Invalid => {
                "the platform's keys were fetched, and none is valid by this machine's clock; check the clock"
            }
        })
    }
}

impl std::error::Error for KeysUnavailable {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Some(cause) => Some(&**cause),
            None => None,
        }
    }
}
