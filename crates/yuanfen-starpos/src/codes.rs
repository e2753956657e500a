//! What a return code means. Only `000000` was ever published (StarPos sheet, section 7.3), so there is little to
//! conclude: a read was refused, a write may have happened.

use yuanfen_core::{CodeMeaning, Effect, Fate, RefusalKind, Route, open_enum};

open_enum! {
    /// `returnCode`.
    pub enum Code {
        /// Accepted and processed; what became of the payment is in `result`.
        Accepted = "000000",
    }
}

open_enum! {
    /// `result`: what became of a payment (sheet, section 7.2).
    pub enum TradeResult {
        /// Success; on a query: paid.
        Success = "S",
        /// Failed.
        Failed = "F",
        /// Waiting for the payer.
        Waiting = "A",
        /// Unknown to the gateway itself.
        Undecided = "Z",
        /// Revoked.
        Revoked = "D",
    }
}

/// What a code means on a call; without a route, on a reply that no signature proves.
#[must_use]
pub fn meaning(route: Option<&Route>, _code: &str) -> CodeMeaning {
    match route.map(|route| route.effect) {
        Some(Effect::Read) | None => CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Unclear,
            "the gateway rejected the call and publishes no list of codes: read its message",
            "StarPos sheet, section 10",
        ),
        Some(_) => CodeMeaning::new(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the gateway rejected the call and publishes no list of codes: query by tradeNo before anything else",
            "StarPos sheet, section 10",
        ),
    }
}

/// What a `result` other than `S` means in the answer to a refund: only `F` is an end. Nothing at all counts as
/// undecided where the return code says that the call was processed (sheet, section 7.2).
#[must_use]
pub fn refund_result(result: Option<&TradeResult>) -> CodeMeaning {
    const SHEET: &str = "StarPos sheet, section 7.2";
    if result == Some(&TradeResult::Failed) {
        CodeMeaning::new(
            Fate::Refused,
            RefusalKind::Declined,
            "the refund failed: read the gateway's message",
            SHEET,
        )
    } else {
        CodeMeaning::new(
            Fate::Unknown,
            RefusalKind::Unclear,
            "the gateway does not say how the refund ended: query it by its number before anything else",
            SHEET,
        )
    }
}
