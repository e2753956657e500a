//! How unknown outcomes are settled on this route.

use yuanfen_core::{CodePaymentRule, SettleRule};

/// Orders: query, and while the order is there unpaid repeat the identical request, which hands out a valid prepay id
/// again (v3 sheet, section 10.4). Placing, closing and querying are safe to repeat under the same number.
pub const ORDER: SettleRule = SettleRule::REPEATABLE_ORDER;

/// Refunds: query, and repeat under the **same** refund number only after the platform said more than once, and signed,
/// that it does not know it (v3 sheet, section 10.4). A new number after an unknown outcome can refund twice.
pub const REFUND: SettleRule = SettleRule::REFUND;

/// Payments by code: queried every five seconds, reversed when 45 seconds have not decided them, and not before 15 (v3
/// sheet, section 16.2). How often it is reversed and when it is given up, the documents leave open.
pub const CODE: CodePaymentRule = CodePaymentRule::WECHAT;
