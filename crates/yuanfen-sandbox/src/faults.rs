//! What goes wrong, as data: the same plan and the same seed make the same trouble.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use http::StatusCode;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::Platform;
use crate::ambient::SeededAmbient;

/// Rules that are tried in their order on every call and every notice; all that match take effect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[non_exhaustive]
pub struct FaultPlan {
    /// The rules.
    pub rules: Vec<FaultRule>,
}

/// One thing that goes wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FaultRule {
    /// What goes wrong.
    pub kind: FaultKind,
    /// On which platform; on all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// In which operation, as [`Exchange::operation`](crate::Exchange::operation) names it (notices are
    /// `pay-notice` and `refund-notice`); in all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// How many matching calls pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How many calls it hits then; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// How many in a thousand of those it hits, drawn from the sandbox's seed; every one where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permille: Option<u16>,
}

/// What goes wrong. As text it is its name in kebab case, with `=` and a number where it takes one
/// (`corrupt-signature`, `delay-ms=800`, `status=502`, `skew-seconds=-400`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultKind {
    /// The signature of a reply or notice is of the right form and does not hold.
    CorruptSignature,
    /// WeChat APIv3's deliberate probe: the signature stands behind `WECHATPAY/SIGNTEST/`. Elsewhere a corrupt one.
    ProbeSignature,
    /// The platform signs with a clock that is so many seconds ahead (negative: behind).
    SkewSeconds(i64),
    /// Replies and notices carry a field nobody has documented. It is signed like every other.
    AddFields,
    /// Enumerations hold values nobody has documented: bank types and the like.
    UnknownValues,
    /// The reply or the notice comes so many milliseconds late.
    DelayMs(u64),
    /// The connection is cut before the platform has read the call; nothing happened.
    LoseRequest,
    /// The call takes effect and the connection is cut before a byte of the reply.
    LoseReply,
    /// The call takes effect and the connection is cut in the middle of the reply's body.
    CutReply,
    /// The call takes effect and a gateway answers with this status (200 to 599; 502 for any other number) and an HTML
    /// page.
    Status(#[serde(deserialize_with = "status")] u16),
    /// The call takes effect and the answer is 200 without a body.
    EmptyReply,
    /// The call takes effect and the answer is 202 without a body.
    Accepted,
    /// Nothing happens but an answer in the platform's own error form, without signature, that leaves the outcome
    /// open ("system error").
    UnsignedError,
    /// The call takes effect, and the platform says in its own error form that its system failed. WeChat Pay v2 signs
    /// that where it signs errors; elsewhere it is the error of [`UnsignedError`](Self::UnsignedError).
    SystemError,
    /// The notice is sent twice at once.
    DuplicateNotice,
    /// The attempt to deliver the notice is lost on the way; the ladder goes on.
    LoseNotice,
}

/// A text that names no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such fault; known are {}", FaultKind::SPELLINGS.join(", "))]
#[non_exhaustive]
pub struct FaultKindError;

impl FaultPlan {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { rules: Vec::new() }
    }

    /// The same with one more rule.
    #[must_use]
    pub fn with(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }
}

impl From<FaultRule> for FaultPlan {
    fn from(rule: FaultRule) -> Self {
        Self { rules: vec![rule] }
    }
}

impl From<FaultKind> for FaultPlan {
    /// That fault everywhere and always.
    fn from(kind: FaultKind) -> Self {
        Self::from(FaultRule::new(kind))
    }
}

impl FaultRule {
    /// That fault everywhere and always.
    #[must_use]
    pub const fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            platform: None,
            operation: None,
            skip: 0,
            times: None,
            permille: None,
        }
    }

    /// Only on that platform.
    #[must_use]
    pub const fn on(mut self, platform: Platform) -> Self {
        self.platform = Some(platform);
        self
    }

    /// Only in that operation.
    #[must_use]
    pub fn during(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Only the nth matching call, counted from 1.
    #[must_use]
    pub const fn nth(mut self, nth: u32) -> Self {
        self.skip = nth.saturating_sub(1);
        self.times = Some(1);
        self
    }

    /// Only the first so many matching calls.
    #[must_use]
    pub const fn first(mut self, times: u32) -> Self {
        self.skip = 0;
        self.times = Some(times);
        self
    }

    /// Only so many in a thousand.
    #[must_use]
    pub const fn permille(mut self, permille: u16) -> Self {
        self.permille = Some(permille);
        self
    }
}

impl FaultKind {
    /// How faults are written.
    pub const SPELLINGS: &'static [&'static str] = &[
        "corrupt-signature",
        "probe-signature",
        "skew-seconds=N",
        "add-fields",
        "unknown-values",
        "delay-ms=N",
        "lose-request",
        "lose-reply",
        "cut-reply",
        "status=N",
        "empty-reply",
        "accepted",
        "unsigned-error",
        "system-error",
        "duplicate-notice",
        "lose-notice",
    ];

    const fn strikes(self, moment: Moment) -> bool {
        match self {
            Self::CorruptSignature
            | Self::ProbeSignature
            | Self::SkewSeconds(_)
            | Self::AddFields
            | Self::UnknownValues
            | Self::DelayMs(_) => matches!(moment, Moment::Call | Moment::Attempt),
            Self::LoseRequest
            | Self::LoseReply
            | Self::CutReply
            | Self::Status(_)
            | Self::EmptyReply
            | Self::Accepted
            | Self::UnsignedError
            | Self::SystemError => matches!(moment, Moment::Call),
            Self::DuplicateNotice => matches!(moment, Moment::Posting),
            Self::LoseNotice => matches!(moment, Moment::Attempt),
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::CorruptSignature => "corrupt-signature",
            Self::ProbeSignature => "probe-signature",
            Self::SkewSeconds(seconds) => return write!(f, "skew-seconds={seconds}"),
            Self::AddFields => "add-fields",
            Self::UnknownValues => "unknown-values",
            Self::DelayMs(milliseconds) => return write!(f, "delay-ms={milliseconds}"),
            Self::LoseRequest => "lose-request",
            Self::LoseReply => "lose-reply",
            Self::CutReply => "cut-reply",
            Self::Status(status) => return write!(f, "status={status}"),
            Self::EmptyReply => "empty-reply",
            Self::Accepted => "accepted",
            Self::UnsignedError => "unsigned-error",
            Self::SystemError => "system-error",
            Self::DuplicateNotice => "duplicate-notice",
            Self::LoseNotice => "lose-notice",
        };
        f.write_str(name)
    }
}

impl FromStr for FaultKind {
    type Err = FaultKindError;

    fn from_str(text: &str) -> Result<Self, FaultKindError> {
        let (name, number) = match text.split_once('=') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        Ok(match (name, number) {
            ("corrupt-signature", None) => Self::CorruptSignature,
            ("probe-signature", None) => Self::ProbeSignature,
            ("skew-seconds", Some(number)) => Self::SkewSeconds(number.parse().map_err(|_| FaultKindError)?),
            ("add-fields", None) => Self::AddFields,
            ("unknown-values", None) => Self::UnknownValues,
            ("delay-ms", Some(number)) => Self::DelayMs(number.parse().map_err(|_| FaultKindError)?),
            ("lose-request", None) => Self::LoseRequest,
            ("lose-reply", None) => Self::LoseReply,
            ("cut-reply", None) => Self::CutReply,
            ("status", Some(number)) => {
                let status = number.parse().ok().filter(|status| STATUSES.contains(status));
                Self::Status(status.ok_or(FaultKindError)?)
            }
            ("empty-reply", None) => Self::EmptyReply,
            ("accepted", None) => Self::Accepted,
            ("unsigned-error", None) => Self::UnsignedError,
            ("system-error", None) => Self::SystemError,
            ("duplicate-notice", None) => Self::DuplicateNotice,
            ("lose-notice", None) => Self::LoseNotice,
            _ => return Err(FaultKindError),
        })
    }
}

/// Statuses that a gateway answers with.
const STATUSES: RangeInclusive<u16> = 200..=599;

fn status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u16, D::Error> {
    let status = u16::deserialize(deserializer)?;
    if STATUSES.contains(&status) {
        Ok(status)
    } else {
        Err(D::Error::custom("a status is a number from 200 to 599"))
    }
}

/// When faults are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A call arrived.
    Call,
    /// A notice is handed to the courier.
    Posting,
    /// The courier is about to deliver it.
    Attempt,
}

/// A plan at work: how often each rule matched and struck.
#[derive(Debug, Default)]
pub(crate) struct FaultState {
    rules: Vec<(FaultRule, u32, u32)>,
}

impl FaultState {
    pub(crate) fn new(plan: FaultPlan) -> Self {
        Self {
            rules: plan.rules.into_iter().map(|rule| (rule, 0, 0)).collect(),
        }
    }

    /// What strikes now.
    pub(crate) fn draw(
        &mut self,
        moment: Moment,
        platform: Platform,
        operation: &str,
        ambient: &SeededAmbient,
    ) -> Strikes {
        let mut struck = Vec::new();
        for (rule, matched, hit) in &mut self.rules {
            let elsewhere = rule.platform.is_some_and(|wanted| wanted != platform)
                || rule.operation.as_deref().is_some_and(|wanted| wanted != operation)
                || !rule.kind.strikes(moment);
            if elsewhere {
                continue;
            }
            *matched = matched.saturating_add(1);
            if *matched <= rule.skip || rule.times.is_some_and(|times| *hit >= times) {
                continue;
            }
            if rule
                .permille
                .is_some_and(|permille| ambient.next() % 1000 >= u64::from(permille))
            {
                continue;
            }
            *hit = hit.saturating_add(1);
            struck.push(rule.kind);
        }
        Strikes(struck)
    }
}

/// What strikes one call or one attempt.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strikes(Vec<FaultKind>);

impl Strikes {
    pub(crate) fn has(&self, kind: FaultKind) -> bool {
        self.0.contains(&kind)
    }

    pub(crate) fn delay_ms(&self) -> u64 {
        self.0
            .iter()
            .map(|kind| match kind {
                FaultKind::DelayMs(milliseconds) => *milliseconds,
                _ => 0,
            })
            .fold(0, u64::saturating_add)
    }

    pub(crate) fn skew_seconds(&self) -> i64 {
        self.0
            .iter()
            .map(|kind| match kind {
                FaultKind::SkewSeconds(seconds) => *seconds,
                _ => 0,
            })
            .fold(0, i64::saturating_add)
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.0.iter().find_map(|kind| match kind {
            FaultKind::Status(status) => {
                let status = Some(*status).filter(|status| STATUSES.contains(status));
                let status = status.and_then(|status| StatusCode::from_u16(status).ok());
                Some(status.unwrap_or(StatusCode::BAD_GATEWAY))
            }
            _ => None,
        })
    }

    /// Whether something else is answered than what the platform wrote.
    pub(crate) fn replace_answer(&self) -> bool {
        self.status().is_some() || self.has(FaultKind::EmptyReply) || self.has(FaultKind::Accepted)
    }

    pub(crate) fn into_kinds(self) -> Vec<FaultKind> {
        self.0
    }
}
