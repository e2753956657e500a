//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: asked about by `tradeNo`, never sent again under the same number, because a trade number must be new
/// for every call (StarPos sheet, section 5.1). The gateway publishes no code for "no such order", so a query that is
/// refused proves nothing and the verdict may honestly be "still unknown".
pub const ORDER: SettleRule = SettleRule::NEVER_REPEATED;
