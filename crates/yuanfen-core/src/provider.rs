//! The two halves that every provider has: how a message is signed, and how an answer is opened.

use bytes::Bytes;

use crate::{Ambient, BuildError, Draft, OpenError, ReplyTrust, Route, Sign, UnixTime};

/// A merchant's account with one platform: whose numbers go into messages, and which keys sign and check them.
///
/// It knows signing, not fields; [`Operation`](crate::Operation)s know fields, not signing.
pub trait Provider {
    /// A message without signature.
    type Outbound;

    /// Fixes the canonical text of a message. The body is built here, once: the bytes that are signed are the bytes
    /// that are sent.
    ///
    /// # Errors
    /// When the message cannot be written, or the account lacks what its scheme needs.
    fn draft(&self, message: Self::Outbound, ambient: &dyn Ambient) -> Result<Draft, BuildError>;

    /// What signs the text.
    fn signer(&self) -> &dyn Sign;

    /// Draft, signature and finished request in one step.
    ///
    /// # Errors
    /// As [`draft`](Self::draft), and when signing fails.
    fn seal(&self, message: Self::Outbound, ambient: &dyn Ambient) -> Result<http::Request<Bytes>, BuildError> {
        self.draft(message, ambient)?.seal(self.signer(), ambient)
    }

    /// Whether the keys that would check an answer on that route are at hand. A driver asks before every call.
    fn readiness(&self, route: &Route, now: UnixTime) -> Readiness {
        let _ = (route, now);
        Readiness::Ready
    }

    /// The draft of the request that fetches verifying keys, where the platform has such a call: because a message names
    /// that serial, and such a key could come from it, or without a serial because [`readiness`](Self::readiness) says so.
    /// It is signed like any other.
    fn fetch_keys(&self, serial: Option<&str>, ambient: &dyn Ambient) -> Option<Result<Draft, BuildError>> {
        let _ = (serial, ambient);
        None
    }

    /// Takes in the answer to [`fetch_keys`](Self::fetch_keys).
    ///
    /// # Errors
    /// When the answer does not prove its keys. Keys that are known already stay.
    fn learn_keys(&self, response: &http::Response<Bytes>, now: UnixTime) -> Result<(), OpenError> {
        let _ = (response, now);
        Ok(())
    }
}

/// Whether the keys that check a platform's answers are at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Readiness {
    /// They are, or answers need none.
    Ready,
    /// They are, and it is time to fetch them again, before they end.
    RefreshDue,
    /// There is none that could check an answer now. A call that changes something is not sent before one was fetched;
    /// a call that only asks may go on, since its answer can wait for the key.
    NoKeys,
}

/// What a response is opened into: [`Verified`](crate::Verified) where the platform signs,
/// [`Unsigned`](crate::Unsigned) where it does not. An operation picks one, so "forgot to check" does not compile.
pub trait Opens<P: Provider>: Sized {
    /// What proves it.
    const TRUST: ReplyTrust;

    /// Checks a response and hands out its untyped message.
    ///
    /// # Errors
    /// [`OpenError::Signature`] when the check fails, [`OpenError::Business`] when the platform refused,
    /// [`OpenError::Protocol`] when the response is not what the protocol allows.
    fn open(provider: &P, response: &http::Response<Bytes>, now: UnixTime) -> Result<Self, OpenError>;
}
