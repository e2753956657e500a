//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: asked about by `out_trade_no`, never sent again by itself (fshows sheet, section 12: "never retry an
/// order-creating or refund call automatically"). The platform has a code for "no such order", so the verdict can be
/// that it is absent.
pub const ORDER: SettleRule = SettleRule::NEVER_REPEATED;

/// For refunds: asked about by our refund number, never sent again by itself. What the query answers of a refund that
/// is not there is written down nowhere, so it is never called absent; the verdict may honestly be "still unknown".
pub const REFUND: SettleRule = SettleRule::NEVER_REPEATED
    .with_pauses(&[1, 5, 15, 30])
    .with_deadline(180);
