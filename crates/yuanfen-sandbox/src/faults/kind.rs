//! The things that can go wrong, and how they are written.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use http::StatusCode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use yuanfen_core::PayAmount;

use super::{Moment, RefusalCode, RefusalCodeError};
use crate::Platform;

/// What goes wrong. As text it is its name in kebab case, with `=` and a value where it takes one
/// (`corrupt-signature`, `delay-ms=800`, `status=502`, `skew-seconds=-400`, `refuse=NOTENOUGH`).
///
/// Several may strike one call. Where they contradict each other the one that leaves less of the answer wins: no
/// connection before a gateway's page, that before the platform's error, and that before a spoilt answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The signature of a reply or notice is of the right form and does not hold.
    CorruptSignature,
    /// WeChat APIv3's deliberate probe: the signature stands behind `WECHATPAY/SIGNTEST/`. Elsewhere a corrupt one.
    ProbeSignature,
    /// The platform signs, and judges its callers' timestamps, with a clock that is so many seconds ahead (negative:
    /// behind).
    SkewSeconds(i64),
    /// The reply or notice was signed so many seconds ago, as one that was kept and sent again: its signature holds,
    /// its time of signing is old. Callers are judged by the right time.
    StaleSeconds(u32),
    /// Replies and notices carry a field nobody has documented. It is signed like every other.
    AddFields,
    /// Enumerations hold values nobody has documented: bank types and the like.
    UnknownValues,
    /// The reply or notice is validly signed and tells another amount of the order and of its refunds, in fen. The book
    /// keeps the right one.
    ChangeAmount(#[serde(deserialize_with = "amount")] PayAmount),
    /// The reply or notice is validly signed and about an order of another number.
    ChangeOrder,
    /// APIv3's platform certificate is rotated before the call is answered or the notice written, and stays so. Nothing
    /// happens when the certificates are used up.
    RotateKey,
    /// The merchant of APIv3 has the public key alone from this call or notice on.
    PublicKeyMode,
    /// The reply or the notice comes so many milliseconds late, in real time.
    DelayMs(u64),
    /// The connection is cut before the platform has read the call; nothing happened.
    LoseRequest,
    /// The call takes effect and the connection is cut before a byte of the reply.
    LoseReply,
    /// The call takes effect and the connection is reset before a byte of the reply.
    ResetReply,
    /// The call takes effect and the connection is cut in the middle of the reply's body.
    CutReply,
    /// The reply's body comes a byte at a time, with a pause of so many milliseconds before each, in real time.
    DripMs(u64),
    /// The call takes effect and a gateway answers with this status (200 to 599; 502 for any other number) and an HTML
    /// page.
    Status(#[serde(deserialize_with = "status")] u16),
    /// The call takes effect and the answer is 200 without a body.
    EmptyReply,
    /// The call takes effect and the answer is 202 without a body.
    Accepted,
    /// One digit in the reply's body is another one (or one byte, where there is no digit), after it was signed or
    /// its digest was taken.
    AlterReply,
    /// The reply's body ends in its middle and its announced length with it, after it was signed or its digest was
    /// taken: half a bill that looks whole.
    TruncateReply,
    /// Nothing happens but an answer in the platform's own error form, without signature, that leaves the outcome
    /// open ("system error").
    UnsignedError,
    /// The call takes effect, and the platform says in its own error form that its system failed. WeChat Pay v2 signs
    /// that where it signs errors; elsewhere it is the error of [`UnsignedError`](Self::UnsignedError).
    SystemError,
    /// Nothing happens but that the platform refuses with this code and its words, in its own form and signed where it
    /// signs refusals. Strikes on platforms that have the code; a call with a wrong signature is refused for that.
    Refuse(RefusalCode),
    /// The payer pays the order that the call names, just before the platform reads the call. Without effect where
    /// nobody can pay it.
    PayBefore,
    /// The payer pays the order that the call names as soon as the call took effect, before the reply leaves. Without
    /// effect where nobody can pay it.
    PayAfter,
    /// The notice is sent twice at once.
    DuplicateNotice,
    /// The notice is sent twice at once, the second time under another notice id (APIv3 alone gives notices one).
    RenumberNotice,
    /// The notice is sent again after a second, under the same notice id and validly signed, with another amount of the
    /// order and of its refunds, in fen.
    ContradictNotice(#[serde(deserialize_with = "amount")] PayAmount),
    /// The notice is sent so many seconds late, on the sandbox's clock.
    HoldNoticeSeconds(u32),
    /// The notice is overtaken: it is sent when the next notice of its platform was, or after an hour where none comes.
    OvertakeNotice,
    /// The attempt to deliver the notice is lost on the way; the ladder goes on.
    LoseNotice,
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FaultKindError {
    /// There is no fault of that name, or it takes a value and has none, or takes none and has one.
    #[error("no such fault as `{given}`; known are {}", FaultKind::SPELLINGS.join(", "))]
    Unknown {
        /// What was given.
        given: String,
    },
    /// The value is not of the form or range that this fault takes.
    #[error("`{given}` is out of range, or no number")]
    Value {
        /// What was given.
        given: String,
    },
    /// No platform refuses with this code.
    #[error(transparent)]
    Code(#[from] RefusalCodeError),
}

impl FaultKind {
    /// How faults are written: `N` is a number, `FEN` an amount of at least 1, `CODE` a [`RefusalCode`].
    pub const SPELLINGS: &'static [&'static str] = &[
        "corrupt-signature",
        "probe-signature",
        "skew-seconds=N",
        "stale-seconds=N",
        "add-fields",
        "unknown-values",
        "change-amount=FEN",
        "change-order",
        "rotate-key",
        "public-key-mode",
        "delay-ms=N",
        "lose-request",
        "lose-reply",
        "reset-reply",
        "cut-reply",
        "drip-ms=N",
        "status=N",
        "empty-reply",
        "accepted",
        "alter-reply",
        "truncate-reply",
        "unsigned-error",
        "system-error",
        "refuse=CODE",
        "pay-before",
        "pay-after",
        "duplicate-notice",
        "renumber-notice",
        "contradict-notice=FEN",
        "hold-notice-seconds=N",
        "overtake-notice",
        "lose-notice",
    ];

    /// When it can strike.
    pub(crate) const fn moments(self) -> &'static [Moment] {
        match self {
            Self::CorruptSignature
            | Self::ProbeSignature
            | Self::SkewSeconds(_)
            | Self::StaleSeconds(_)
            | Self::AddFields
            | Self::UnknownValues
            | Self::ChangeAmount(_)
            | Self::ChangeOrder
            | Self::RotateKey
            | Self::PublicKeyMode
            | Self::DelayMs(_) => &[Moment::Call, Moment::Attempt],
            Self::LoseRequest
            | Self::LoseReply
            | Self::ResetReply
            | Self::CutReply
            | Self::DripMs(_)
            | Self::Status(_)
            | Self::EmptyReply
            | Self::Accepted
            | Self::AlterReply
            | Self::TruncateReply
            | Self::UnsignedError
            | Self::SystemError
            | Self::Refuse(_)
            | Self::PayBefore
            | Self::PayAfter => &[Moment::Call],
            Self::DuplicateNotice
            | Self::RenumberNotice
            | Self::ContradictNotice(_)
            | Self::HoldNoticeSeconds(_)
            | Self::OvertakeNotice => &[Moment::Posting],
            Self::LoseNotice => &[Moment::Attempt],
        }
    }

    /// Whether it can strike on that platform.
    pub(crate) fn is_on(self, platform: Platform) -> bool {
        match self {
            Self::RotateKey | Self::PublicKeyMode => platform == Platform::WechatV3,
            Self::Refuse(code) => code.is_of(platform),
            _ => true,
        }
    }

    fn parts(self) -> (&'static str, Option<String>) {
        match self {
            Self::CorruptSignature => ("corrupt-signature", None),
            Self::ProbeSignature => ("probe-signature", None),
            Self::SkewSeconds(seconds) => ("skew-seconds", Some(seconds.to_string())),
            Self::StaleSeconds(seconds) => ("stale-seconds", Some(seconds.to_string())),
            Self::AddFields => ("add-fields", None),
            Self::UnknownValues => ("unknown-values", None),
            Self::ChangeAmount(amount) => ("change-amount", Some(amount.fen().get().to_string())),
            Self::ChangeOrder => ("change-order", None),
            Self::RotateKey => ("rotate-key", None),
            Self::PublicKeyMode => ("public-key-mode", None),
            Self::DelayMs(milliseconds) => ("delay-ms", Some(milliseconds.to_string())),
            Self::LoseRequest => ("lose-request", None),
            Self::LoseReply => ("lose-reply", None),
            Self::ResetReply => ("reset-reply", None),
            Self::CutReply => ("cut-reply", None),
            Self::DripMs(milliseconds) => ("drip-ms", Some(milliseconds.to_string())),
            Self::Status(status) => ("status", Some(status.to_string())),
            Self::EmptyReply => ("empty-reply", None),
            Self::Accepted => ("accepted", None),
            Self::AlterReply => ("alter-reply", None),
            Self::TruncateReply => ("truncate-reply", None),
            Self::UnsignedError => ("unsigned-error", None),
            Self::SystemError => ("system-error", None),
            Self::Refuse(code) => ("refuse", Some(code.to_string())),
            Self::PayBefore => ("pay-before", None),
            Self::PayAfter => ("pay-after", None),
            Self::DuplicateNotice => ("duplicate-notice", None),
            Self::RenumberNotice => ("renumber-notice", None),
            Self::ContradictNotice(amount) => ("contradict-notice", Some(amount.fen().get().to_string())),
            Self::HoldNoticeSeconds(seconds) => ("hold-notice-seconds", Some(seconds.to_string())),
            Self::OvertakeNotice => ("overtake-notice", None),
            Self::LoseNotice => ("lose-notice", None),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parts() {
            (name, None) => f.write_str(name),
            (name, Some(value)) => write!(f, "{name}={value}"),
        }
    }
}

impl FromStr for FaultKind {
    type Err = FaultKindError;

    fn from_str(text: &str) -> Result<Self, FaultKindError> {
        fn number<T: FromStr>(given: &str) -> Result<T, FaultKindError> {
            given.parse().map_err(|_| FaultKindError::Value {
                given: given.to_owned(),
            })
        }
        let amount = |given: &str| {
            PayAmount::from_fen(number(given)?).map_err(|_| FaultKindError::Value {
                given: given.to_owned(),
            })
        };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        Ok(match (name, value) {
            ("corrupt-signature", None) => Self::CorruptSignature,
            ("probe-signature", None) => Self::ProbeSignature,
            ("skew-seconds", Some(value)) => Self::SkewSeconds(number(value)?),
            ("stale-seconds", Some(value)) => Self::StaleSeconds(number(value)?),
            ("add-fields", None) => Self::AddFields,
            ("unknown-values", None) => Self::UnknownValues,
            ("change-amount", Some(value)) => Self::ChangeAmount(amount(value)?),
            ("change-order", None) => Self::ChangeOrder,
            ("rotate-key", None) => Self::RotateKey,
            ("public-key-mode", None) => Self::PublicKeyMode,
            ("delay-ms", Some(value)) => Self::DelayMs(number(value)?),
            ("lose-request", None) => Self::LoseRequest,
            ("lose-reply", None) => Self::LoseReply,
            ("reset-reply", None) => Self::ResetReply,
            ("cut-reply", None) => Self::CutReply,
            ("drip-ms", Some(value)) => Self::DripMs(number(value)?),
            ("status", Some(value)) => {
                let status = Some(number(value)?).filter(|status| STATUSES.contains(status));
                Self::Status(status.ok_or_else(|| FaultKindError::Value {
                    given: value.to_owned(),
                })?)
            }
            ("empty-reply", None) => Self::EmptyReply,
            ("accepted", None) => Self::Accepted,
            ("alter-reply", None) => Self::AlterReply,
            ("truncate-reply", None) => Self::TruncateReply,
            ("unsigned-error", None) => Self::UnsignedError,
            ("system-error", None) => Self::SystemError,
            ("refuse", Some(value)) => Self::Refuse(value.parse()?),
            ("pay-before", None) => Self::PayBefore,
            ("pay-after", None) => Self::PayAfter,
            ("duplicate-notice", None) => Self::DuplicateNotice,
            ("renumber-notice", None) => Self::RenumberNotice,
            ("contradict-notice", Some(value)) => Self::ContradictNotice(amount(value)?),
            ("hold-notice-seconds", Some(value)) => Self::HoldNoticeSeconds(number(value)?),
            ("overtake-notice", None) => Self::OvertakeNotice,
            ("lose-notice", None) => Self::LoseNotice,
            _ => return Err(FaultKindError::Unknown { given: text.to_owned() }),
        })
    }
}

/// Statuses that a gateway answers with.
const STATUSES: RangeInclusive<u16> = 200..=599;

/// The status of a gateway's page.
pub(super) fn gateway_status(status: u16) -> StatusCode {
    let status = Some(status).filter(|status| STATUSES.contains(status));
    status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(StatusCode::BAD_GATEWAY)
}

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if STATUSES.contains(&status) {
        Ok(status)
    } else {
        Err(D::Error::custom("a status is a number from 200 to 599"))
    }
}

/// An amount as an integer of fen.
fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PayAmount, D::Error> {
    PayAmount::from_fen(i64::deserialize(deserializer)?).map_err(D::Error::custom)
}
