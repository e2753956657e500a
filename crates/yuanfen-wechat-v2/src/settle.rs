//! How an unknown outcome is walked to its end.

use yuanfen_core::SettleRule;

/// For orders: queried, and repeated under the same number with identical parameters, which is answered again with a
/// valid `prepay_id` and takes effect once (v2 sheet, section 4, "Reuse of an order number").
pub const ORDER: SettleRule = SettleRule::REPEATABLE_ORDER;

/// For refunds: queried by our refund number, and repeated under the **same** number only after the platform said more
/// than once, and signed, that it does not know it (`REFUNDNOTEXIST`; v2 sheet, section 9). One number pays out once; a
/// new number after an unknown outcome can pay twice.
pub const REFUND: SettleRule = SettleRule::REFUND;
