//! How an unknown outcome is walked to its end.

use yuanfen_core::{CodePaymentRule, SettleRule};

/// For orders: queried, and repeated under the same number with identical parameters, which is answered again with a
/// valid `prepay_id` and takes effect once (v2 sheet, section 4, "Reuse of an order number").
pub const ORDER: SettleRule = SettleRule::REPEATABLE_ORDER;

/// For refunds: queried by our refund number, and repeated under the **same** number only after the platform said more
/// than once, and signed, that it does not know it (`REFUNDNOTEXIST`; v2 sheet, section 9). One number pays out once; a
/// new number after an unknown outcome can pay twice.
pub const REFUND: SettleRule = SettleRule::REFUND;

/// For payments by scanned code ([`Micropay`](crate::ops::Micropay)): asked about 5 seconds after an answer that says
/// nothing, and every 10 seconds while the payer types, for 45 seconds; then reversed, and never within 15 seconds of the
/// payment call; reversed again every 5 seconds while the platform says so or does not answer, five times at most (v2 sheet,
/// section 6.6). The documents leave open how often and with which pause it is reversed, and when it is given up.
pub const CODE_PAYMENT: CodePaymentRule = CodePaymentRule::WECHAT.with_typing_pause(10);
