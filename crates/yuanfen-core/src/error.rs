//! Errors that answer one question first: may money have moved?

pub(crate) mod code;
pub(crate) mod fate;
pub(crate) mod keys;

use std::fmt;

use crate::redact::OneLine;
use crate::{
    AddressError, Effect, FieldError, MoneyError, NumberError, RefusalKind, ReplyTrust, RouteInfo, RuleBroken,
    SignError, SignatureError, Standing, UnixTime, ValueError,
};
use code::CodeMeaning;
use fate::{Advice, Again, Fate};
use keys::KeysUnavailable;

/// A boxed cause. Third-party error types are never part of a public signature here.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A request could not be built: bad input, or something missing on our side. Nothing left the process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A field that this call needs is not set.
    #[error("`{field}` is required {when}")]
    Missing {
        /// The name on the wire.
        field: &'static str,
        /// Under which condition.
        when: &'static str,
    },
    /// A field breaks the platform's rule for it.
    #[error(transparent)]
    Rule(RuleBroken),
    /// Fields that do not go together.
    #[error("{fields}: {problem}")]
    Conflict {
        /// The names on the wire.
        fields: &'static str,
        /// What is wrong between them.
        problem: &'static str,
    },
    /// An address that may not be used.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A value that is not of its type.
    #[error("`{field}`: {problem}")]
    Value {
        /// The name on the wire.
        field: &'static str,
        /// What is wrong with it.
        problem: ValueError,
    },
    /// A time that is too near, too far, or past.
    #[error("`{field}` {problem}")]
    Time {
        /// The name on the wire.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The account lacks something that this call needs.
    #[error("the account has no {what}")]
    Setup {
        /// What is missing.
        what: &'static str,
    },
    /// The text could not be signed.
    #[error("the request could not be signed")]
    Sign(#[from] SignError),
    /// The message could not be written.
    #[error("the message could not be written")]
    Encode(#[source] Cause),
}

impl BuildError {
    /// The wire name of the field at fault, where one is.
    #[must_use]
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Missing { field, .. } | Self::Value { field, .. } | Self::Time { field, .. } => Some(field),
            Self::Rule(broken) => Some(broken.field()),
            Self::Conflict { fields, .. } => Some(fields),
            Self::Address(error) => Some(error.field),
            Self::Setup { .. } | Self::Sign(_) | Self::Encode(_) => None,
        }
    }

    /// A message that could not be written, with its cause.
    pub fn encode(cause: impl Into<Cause>) -> Self {
        Self::Encode(cause.into())
    }

    /// An amount that cannot be sent in that field.
    #[must_use]
    pub const fn money(field: &'static str, problem: MoneyError) -> Self {
        Self::Value {
            field,
            problem: ValueError::Money(problem),
        }
    }

    /// A number that cannot be sent in that field.
    #[must_use]
    pub const fn number(field: &'static str, problem: NumberError) -> Self {
        Self::Value {
            field,
            problem: ValueError::Number(problem),
        }
    }
}

/// Whether bytes of the request may have reached the far side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Sent {
    /// Certainly none: the connection was never made.
    No,
    /// Perhaps.
    Maybe,
}

/// The wire failed.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct TransportError {
    /// What failed.
    pub kind: TransportErrorKind,
    /// Whether anything may have been sent.
    pub sent: Sent,
    /// What the HTTP stack said.
    #[source]
    pub source: Option<Cause>,
}

impl TransportError {
    /// A failure, whether anything may have been sent, and its cause.
    #[must_use]
    pub fn new(kind: TransportErrorKind, sent: Sent, source: Option<Cause>) -> Self {
        Self { kind, sent, source }
    }
}

/// What failed on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// The request itself cannot be sent: plain http to another machine, no client identity where one is required.
    Refused,
    /// Whoever holds the key was asked over a wire and did not sign. Nothing was sent to the platform.
    Signer,
    /// No connection.
    Connect,
    /// TLS failed before anything was sent.
    Tls,
    /// Time ran out while connecting.
    ConnectTimeout,
    /// Time ran out after sending began.
    Timeout,
    /// The connection broke after sending began.
    Cut,
    /// The reply is larger than is read.
    TooLarge,
    /// Anything else.
    Other,
}

impl fmt::Display for TransportErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "the request was not sent because it may not be sent this way",
            Self::Signer => "the remote signer did not sign",
            Self::Connect => "no connection",
            Self::Tls => "TLS failed",
            Self::ConnectTimeout => "no connection in time",
            Self::Timeout => "no answer in time",
            Self::Cut => "the connection broke before the answer was complete",
            Self::TooLarge => "the answer is larger than is read",
            Self::Other => "the HTTP stack failed",
        })
    }
}

/// A reply that is not what the protocol allows.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
#[non_exhaustive]
pub struct ProtocolError {
    /// What is wrong.
    pub kind: ProtocolErrorKind,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// What the codec said.
    #[source]
    pub source: Option<Cause>,
}

/// What is wrong with a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolErrorKind {
    /// A status that the protocol does not use for an answer.
    Status(u16),
    /// No body where there must be one.
    Empty,
    /// A page for people, such as a proxy's error page.
    Html,
    /// Not of the wire format.
    Format,
    /// A field is absent, or not of its type.
    Field(FieldError),
    /// The answer is about something else than what was asked: another merchant, another order.
    Foreign {
        /// The name on the wire of the field that differs.
        field: &'static str,
    },
    /// What was received does not have the promised digest.
    Digest,
    /// What was encrypted does not open.
    Decrypt,
}

impl fmt::Display for ProtocolErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "HTTP status {status} where the protocol has none such"),
            Self::Empty => f.write_str("the body is empty"),
            Self::Html => f.write_str("the body is an HTML page, so something other than the platform's API answered"),
            Self::Format => f.write_str("the body is not of the protocol's format"),
            Self::Field(error) => write!(f, "{error}"),
            Self::Foreign { field } => write!(f, "`{field}` in the answer is not the one that was asked for"),
            Self::Digest => f.write_str("what was received does not have the promised digest"),
            Self::Decrypt => f.write_str("what was encrypted does not open with the configured key"),
        }
    }
}

impl ProtocolError {
    /// That kind, without a cause.
    #[must_use]
    pub const fn new(kind: ProtocolErrorKind) -> Self {
        Self {
            kind,
            status: None,
            source: None,
        }
    }

    /// With the HTTP status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// With its cause.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Cause>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What can be said of a body that its codec refused: empty, a page for people, or plainly not the format.
    pub fn unreadable(body: &[u8], source: impl Into<Cause>) -> Self {
        let start = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
        let lower: Vec<u8> = start.iter().take(14).map(u8::to_ascii_lowercase).collect();
        let kind = if start.is_empty() {
            ProtocolErrorKind::Empty
        } else if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") || lower.starts_with(b"<head") {
            ProtocolErrorKind::Html
        } else {
            ProtocolErrorKind::Format
        };
        Self::new(kind).with_source(source)
    }
}

impl From<FieldError> for ProtocolError {
    fn from(error: FieldError) -> Self {
        Self::new(ProtocolErrorKind::Field(error))
    }
}

impl From<FieldError> for OpenError {
    fn from(error: FieldError) -> Self {
        Self::Protocol(error.into())
    }
}

/// The platform answered "no".
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The code as it came; empty where the platform gave none.
    pub code: String,
    /// The platform's own words.
    pub message: String,
    /// What the code means on this call.
    pub meaning: CodeMeaning,
    /// Whether a signature proves the refusal.
    pub verified: bool,
    /// The HTTP status.
    pub status: u16,
    /// From when on the same call can be answered, where that is known: the bill of a day. A moment that has passed says
    /// that it should have been answered by now; ask again in a few minutes.
    pub ready_at: Option<UnixTime>,
    /// How many seconds this machine's clock is ahead of the platform's, where the refusal may be about that and its answer
    /// says what time it was there. Nothing but the answer's own headers says so.
    pub skew_seconds: Option<i64>,
    /// The platform's id of this call, for its support.
    pub remote_request_id: Option<String>,
    /// More of the answer as raw text, where the platform explains itself (v3 `detail`). It may quote the request, so
    /// it is never printed.
    pub detail: Option<Box<str>>,
}

impl Refusal {
    /// A refusal with that code and those words.
    pub fn new(code: impl Into<String>, message: impl Into<String>, meaning: CodeMeaning) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            meaning,
            verified: false,
            status: 200,
            ready_at: None,
            skew_seconds: None,
            remote_request_id: None,
            detail: None,
        }
    }

    /// Marks it as proven by a signature.
    #[must_use]
    pub const fn verified(mut self) -> Self {
        self.verified = true;
        self
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("code", &self.code)
            .field("message", &self.message)
            .field("fate", &self.meaning.fate)
            .field("kind", &self.meaning.kind)
            .field("again", &self.meaning.again)
            .field("verified", &self.verified)
            .field("status", &self.status)
            .field("ready_at", &self.ready_at)
            .field("skew_seconds", &self.skew_seconds)
            .field("remote_request_id", &self.remote_request_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = if self.code.is_empty() { "no code" } else { &self.code };
        write!(
            f,
            "the platform refused with {} ({}): {}",
            OneLine(code),
            OneLine(&self.message),
            self.meaning.sentence
        )?;
        match self.skew_seconds {
            Some(ahead @ 61..) => write!(f, "; this machine's clock is {ahead} seconds ahead of the platform's")?,
            Some(behind @ ..=-61) => write!(
                f,
                "; this machine's clock is {} seconds behind the platform's",
                behind.unsigned_abs()
            )?,
            Some(_) | None => {}
        }
        if self.verified {
            Ok(())
        } else {
            f.write_str(" (no signature proves this answer)")
        }
    }
}

impl std::error::Error for Refusal {}

/// Why a response or a notice did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not what the protocol allows.
    #[error("the message is not what the protocol allows")]
    Protocol(#[from] ProtocolError),
    /// Not provably from the platform.
    #[error("the message does not prove where it comes from")]
    Signature(#[from] SignatureError),
    /// The platform said no.
    #[error("the platform said no")]
    Business(#[from] Box<Refusal>),
}

impl From<Refusal> for OpenError {
    fn from(refusal: Refusal) -> Self {
        Self::Business(Box::new(refusal))
    }
}

impl From<OpenError> for ErrorKind {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Protocol(error) => Self::Protocol(error),
            OpenError::Signature(error) => Self::Signature(error),
            OpenError::Business(refusal) => Self::Business(refusal),
        }
    }
}

/// A call failed: how, on which operation, and what may have happened to the money.
///
/// ```
/// use yuanfen_core::{Advice, BuildError, Effect, Error, ErrorKind, Fate, Route, Sent, TransportError, TransportErrorKind};
/// # use yuanfen_core::{Operation, RouteInfo};
/// # fn example(info: RouteInfo) {
/// let timeout = TransportError::new(TransportErrorKind::Timeout, Sent::Maybe, None);
/// let error = Error::new(info, ErrorKind::Transport(timeout));
/// assert_eq!(error.fate(), Fate::Unknown);
/// # }
/// ```
#[derive(Debug)]
pub struct Error {
    info: Box<RouteInfo>,
    kind: ErrorKind,
    earlier: Fate,
    missing_key: Option<Box<MissingKey>>,
}

/// Why the key that a reply names is still missing: fetching the platform's keys failed as well.
#[derive(Debug, thiserror::Error)]
#[error("{signature}")]
struct MissingKey {
    signature: SignatureError,
    #[source]
    fetch: Cause,
}

/// How a call failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Our side: bad input, a missing key. Nothing left the process.
    Build(BuildError),
    /// No key could have checked the answer, so the call was not sent.
    Keys(KeysUnavailable),
    /// The wire.
    Transport(TransportError),
    /// The reply is not what the protocol allows.
    Protocol(ProtocolError),
    /// The reply does not prove where it comes from.
    Signature(SignatureError),
    /// The platform said no.
    Business(Box<Refusal>),
}

impl Error {
    /// A failure of that call.
    #[must_use]
    pub fn new(info: RouteInfo, kind: ErrorKind) -> Self {
        Self {
            info: Box::new(info),
            kind,
            earlier: Fate::NotSent,
            missing_key: None,
        }
    }

    /// The same with the fate of earlier attempts joined in: a refusal after a timeout does not prove that the first
    /// attempt did nothing.
    #[must_use]
    pub fn after(mut self, earlier: Fate) -> Self {
        self.earlier = self.earlier.join(earlier);
        self
    }

    /// The same with the reason why the unknown key could not be fetched, so that whoever reads the error sees both.
    /// Anything but an unknown key is left as it is.
    #[must_use]
    pub fn without_keys(mut self, fetch: impl Into<Cause>) -> Self {
        if let ErrorKind::Signature(signature @ SignatureError::UnknownKey { .. }) = &self.kind {
            self.missing_key = Some(Box::new(MissingKey {
                signature: signature.clone(),
                fetch: fetch.into(),
            }));
        }
        self
    }

    /// How it failed.
    #[must_use]
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// Which operation: `place_jsapi_order`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.info.route.operation
    }

    /// Which route: `wechat-v3`.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.info.route.provider
    }

    /// What may have happened on the far side.
    #[must_use]
    pub fn fate(&self) -> Fate {
        let own = match &self.kind {
            ErrorKind::Build(_) | ErrorKind::Keys(_) => Fate::NotSent,
            ErrorKind::Transport(error) => match error.sent {
                Sent::No => Fate::NotSent,
                Sent::Maybe => Fate::Unknown,
            },
            ErrorKind::Protocol(_) | ErrorKind::Signature(_) => Fate::Unknown,
            ErrorKind::Business(_) if self.is_unproven_write() => Fate::Unknown,
            ErrorKind::Business(refusal) => refusal.meaning.fate,
        };
        own.join(self.earlier)
    }

    /// Whether the same request may be sent again under its number: what the code's row says of it, corrected by what
    /// is known of this attempt and the earlier ones. Never [`Again::ByEffect`].
    #[must_use]
    pub fn again(&self) -> Again {
        let fate = self.fate();
        let effect = self.info.route.effect;
        let stated = match &self.kind {
            ErrorKind::Build(_) => Again::WhenMended,
            // A fetch that failed is not tried again at once.
            ErrorKind::Keys(keys) if keys.may_pass() => Again::Later,
            ErrorKind::Keys(_) => Again::WhenMended,
            ErrorKind::Transport(_) if self.is_unsendable() => Again::WhenMended,
            ErrorKind::Transport(_) | ErrorKind::Protocol(_) | ErrorKind::Signature(_) => Again::ByEffect,
            // To be asked to wait is believed of anybody; anything else only with a proof.
            ErrorKind::Business(refusal) if self.is_unproven_write() => match refusal.meaning.again {
                Again::Later => Again::Later,
                Again::No | Again::Now | Again::AfterQuery | Again::WhenMended | Again::ByEffect => Again::ByEffect,
            },
            ErrorKind::Business(refusal) => refusal.meaning.again,
        };
        stated.on(fate, effect)
    }

    /// What to do about it: [`Advice::of`] its fate, its route's effect and [`again`](Self::again). A request that
    /// cannot be built, may not be sent this way, or whose answer nobody here could ever check, is never to be
    /// repeated as it is.
    #[must_use]
    pub fn advice(&self) -> Advice {
        Advice::of(self.fate(), self.info.route.effect, self.again())
    }

    /// The transport will not send this, and sent nothing.
    fn is_unsendable(&self) -> bool {
        matches!(&self.kind, ErrorKind::Transport(error)
            if error.kind == TransportErrorKind::Refused && error.sent == Sent::No)
    }

    /// A refusal that no signature proves, of a call that writes, on a route that signs: nothing follows from it.
    fn is_unproven_write(&self) -> bool {
        matches!(&self.kind, ErrorKind::Business(refusal)
            if !refusal.verified && self.info.reply == ReplyTrust::Signed && self.info.route.effect != Effect::Read)
    }

    /// What may have happened and what to do, in one line for people. A call that only asks changes nothing, so there
    /// nothing can have happened.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (self.info.route.effect, self.fate()) {
            (Effect::Read, Fate::Unknown) => format!("nothing was learned, and nothing changed; {}", self.advice()),
            (_, fate) => format!("{fate}; {}", self.advice()),
        }
    }

    /// The refusal, where the platform said no.
    #[must_use]
    pub const fn refusal(&self) -> Option<&Refusal> {
        match &self.kind {
            ErrorKind::Business(refusal) => Some(refusal),
            ErrorKind::Build(_)
            | ErrorKind::Keys(_)
            | ErrorKind::Transport(_)
            | ErrorKind::Protocol(_)
            | ErrorKind::Signature(_) => None,
        }
    }

    /// The refusal as far as it is believed: on a route that signs its replies, only with a proof.
    pub(crate) fn believed_refusal(&self) -> Option<&Refusal> {
        self.refusal()
            .filter(|refusal| refusal.verified || self.info.reply != ReplyTrust::Signed)
    }

    /// What a failed query says about the thing it asked for, where it says anything: that there is no such number, or
    /// that it is being decided. On a route that signs its replies, a refusal that no signature proves says nothing:
    /// believing a forged "no such refund" would send the refund again.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        match self.believed_refusal()?.meaning.kind {
            RefusalKind::NotFound => Some(Standing::NotFound),
            RefusalKind::Pending => Some(Standing::Pending),
            RefusalKind::Declined
            | RefusalKind::Already
            | RefusalKind::Throttled
            | RefusalKind::NotYet
            | RefusalKind::Nothing
            | RefusalKind::Configuration
            | RefusalKind::Unclear => None,
        }
    }

    /// The platform's id of this call, for its support.
    #[must_use]
    pub fn remote_request_id(&self) -> Option<&str> {
        self.refusal()?.remote_request_id.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match &self.kind {
            ErrorKind::Build(_) => "the request could not be built",
            ErrorKind::Keys(_) => "no key could have checked the reply",
            ErrorKind::Transport(_) => "the wire failed",
            ErrorKind::Protocol(_) => "the reply is not what the protocol allows",
            ErrorKind::Signature(_) => "the reply does not prove where it comes from",
            ErrorKind::Business(_) => "the platform said no",
        };
        write!(f, "{}.{}: {how}; {}", self.provider(), self.operation(), self.verdict())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Some(missing) = &self.missing_key {
            return Some(&**missing);
        }
        match &self.kind {
            ErrorKind::Build(error) => Some(error),
            ErrorKind::Keys(error) => Some(error),
            ErrorKind::Transport(error) => Some(error),
            ErrorKind::Protocol(error) => Some(error),
            ErrorKind::Signature(error) => Some(error),
            ErrorKind::Business(refusal) => Some(&**refusal),
        }
    }
}
