//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: asked about by `out_trade_no`, never sent again by itself (fshows sheet, section 12: "never retry an
/// order-creating or refund call automatically"). The platform has a code for "no such order", so the verdict can be
/// that it is absent.
pub const ORDER: SettleRule = SettleRule::NEVER_REPEATED;
