//! What codes mean: mpgateway sheet, sections 7.2 and 11. The manual's own table of error codes is empty, so a code
//! after a submit proves a refusal only where the answer is signed, and then only by the manual's one sentence.

use yuanfen_core::{CodeMeaning, Effect, Fate, RefusalKind, Route, Standing, Transition, open_enum};

open_enum! {
    /// `respcode`: whether a call worked.
    pub enum ResponseCode {
        /// It worked. On a query that says nothing about the payment.
        Ok = "00",
        /// A parameter is wrong.
        Parameter = "90",
        /// A limit is exceeded.
        Limit = "45",
    }
}

open_enum! {
    /// `resultcode`: where an order stands.
    pub enum ResultCode {
        /// Paid, and settled to the available account.
        Settled = "0000",
        /// Not paid.
        Unpaid = "1001",
        /// Paid, not settled yet. The manual calls it "processing"; three implementations and the provider itself
        /// take it as money received.
        Paid = "1002",
        /// Failed.
        Failed = "1003",
        /// Under investigation (协查调单): neither paid nor failed, for a person to look at.
        Investigated = "1004",
    }
}

impl ResultCode {
    /// What this says about an order whose outcome was unknown, where these codes count as paid.
    pub(crate) fn standing(&self, paid: bool) -> Standing {
        match self {
            Self::Settled | Self::Paid if paid => Standing::Succeeded,
            Self::Unpaid => Standing::Accepted,
            Self::Failed => Standing::Failed,
            Self::Settled | Self::Paid | Self::Investigated | Self::Unknown(_) => Standing::Pending,
        }
    }

    /// What a notice with this code reports.
    pub(crate) const fn transition(&self) -> Transition {
        match self {
            Self::Paid => Transition::OrderPaid,
            Self::Settled => Transition::OrderSettled,
            Self::Failed => Transition::OrderFailed,
            Self::Unpaid | Self::Investigated | Self::Unknown(_) => Transition::Other,
        }
    }
}

/// An answer with an empty `sign`: the gateway could not even find the caller's key.
pub(crate) const UP_FRONT: CodeMeaning = CodeMeaning::new(
    Fate::Refused,
    RefusalKind::Configuration,
    "the gateway answered without a signature: compare merchant number, key and base address with the operator's",
    "mpgateway sheet, section 4",
);

/// Every row there is: operation, code, meaning.
pub const TABLE: &[(&str, &str, CodeMeaning)] = &[
    (
        "submit_order",
        "90",
        CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Configuration,
            "a parameter is wrong: read the gateway's message",
            "mpgateway sheet, section 11",
        ),
    ),
    (
        "query_order",
        "90",
        CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Configuration,
            "a parameter is wrong: read the gateway's message",
            "mpgateway sheet, section 11",
        ),
    ),
];

/// What a code means on a call. "On submit, only an authenticated non-`00` reply is a definite failure" (section 11);
/// a cancel that is refused leaves open what stands.
#[must_use]
pub fn meaning(route: &Route, code: &str) -> CodeMeaning {
    let row = TABLE
        .iter()
        .find(|(operation, candidate, _)| *operation == route.operation && *candidate == code);
    match (row, route.operation, route.effect) {
        (Some((_, _, meaning)), _, _) => *meaning,
        (None, "submit_order", _) => CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Declined,
            "the gateway refused the order and publishes no list of codes: read its message",
            "mpgateway sheet, section 11",
        ),
        (None, _, Effect::Read) => CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Unclear,
            "the gateway refused the query and publishes no list of codes: read its message",
            "mpgateway sheet, section 11",
        ),
        (None, _, effect) => CodeMeaning::unknown(effect),
    }
}
