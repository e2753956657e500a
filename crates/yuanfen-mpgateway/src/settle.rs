//! How an unknown outcome is walked to its end. The platform has no refund call, so there is nothing to settle there.

use yuanfen_core::SettleRule;

/// For orders: asked about by `orderid`, never sent again under the same number: nothing says what a second submit
/// under one number does. The platform publishes no code for "no such order", so a refused query proves nothing.
pub const ORDER: SettleRule = SettleRule::NEVER_REPEATED;
