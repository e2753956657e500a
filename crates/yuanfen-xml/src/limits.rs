//! How large an XML message may be.

use yuanfen_core::Limits;

/// The limits for an XML message: 64 KiB, and otherwise the defaults.
///
/// The longest message of the five platforms, a refund query over many refunds with many coupons, stays well below.
/// Bills are not messages and do not pass through here.
pub const MESSAGE_LIMITS: Limits = Limits::DEFAULT.with_bytes(64 << 10);
