//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: queried, and repeated under the same number with identical parameters, which is answered again with a
/// valid `prepay_id` and takes effect once (v2 sheet, section 4, "Reuse of an order number").
pub const ORDER: SettleRule = SettleRule::REPEATABLE_ORDER;
