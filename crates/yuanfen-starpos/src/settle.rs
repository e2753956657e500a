//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: asked about by `tradeNo`, never sent again under the same number, because a trade number must be new
/// for every call (StarPos sheet, section 5.1). The gateway publishes no code for "no such order", so a query that is
/// refused proves nothing and the verdict may honestly be "still unknown".
pub const ORDER: SettleRule = SettleRule::NEVER_REPEATED;

/// For refunds: asked about by the number that the refund was sent with, never sent again. A trade number must be new
/// for every call, and with a new one the gateway could refund twice. As for orders, a refused query proves nothing.
pub const REFUND: SettleRule = SettleRule::NEVER_REPEATED
    .with_pauses(&[1, 5, 15, 30])
    .with_deadline(180);
