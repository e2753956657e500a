//! What orders, queries and notices have in common: states, kinds, coupons.

use yuanfen_core::{Fen, FieldError, Standing, Taker, open_enum};

open_enum! {
    /// `trade_type`: where the payer pays.
    pub enum TradeType {
        /// In a page of the WeChat browser, or in a mini program.
        Jsapi = "JSAPI",
        /// By scanning a code that the shop shows.
        Native = "NATIVE",
        /// In the merchant's own app.
        App = "APP",
        /// In another browser on a phone (H5).
        Mweb = "MWEB",
        /// By showing a code that the shop scans.
        Micropay = "MICROPAY",
        /// By face.
        Face = "FACE",
    }
}

open_enum! {
    /// `trade_state`: where an order stands (v2 sheet, section 7).
    pub enum TradeState {
        /// Unpaid.
        NotPaid = "NOTPAY",
        /// The payer is typing (scanned codes only).
        UserPaying = "USERPAYING",
        /// Accepted, waiting for the deduction.
        Accepted = "ACCEPT",
        /// Paid.
        Success = "SUCCESS",
        /// Paid, and at least one refund was accepted.
        Refund = "REFUND",
        /// Closed.
        Closed = "CLOSED",
        /// Reversed (scanned codes only).
        Revoked = "REVOKED",
        /// A payment failed. Final for scanned codes; elsewhere the payer may try again.
        PayError = "PAYERROR",
    }
}

impl TradeState {
    /// Whether the order was paid, whatever was refunded since.
    #[must_use]
    pub const fn is_paid(&self) -> bool {
        matches!(self, Self::Success | Self::Refund)
    }

    /// What this says about an order whose outcome was unknown. `PAYERROR` and unknown states count as pending: only
    /// `CLOSED` and `REVOKED` promise that nobody can pay any more.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self {
            Self::Success | Self::Refund => Standing::Succeeded,
            Self::NotPaid => Standing::Accepted,
            Self::Closed | Self::Revoked => Standing::Failed,
            Self::UserPaying | Self::Accepted | Self::PayError | Self::Unknown(_) => Standing::Pending,
        }
    }
}

open_enum! {
    /// `coupon_type_$n`: who paid for a coupon.
    pub enum CouponType {
        /// Topped up (充值代金券): it counts as received money.
        Cash = "CASH",
        /// Free (免充值券): it does not.
        NoCash = "NO_CASH",
    }
}

/// A coupon that was used: one index of the families `coupon_id_$n`, `coupon_type_$n`, `coupon_fee_$n`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coupon {
    /// `$n`, from 0. Holes are possible.
    pub index: u32,
    /// `coupon_id_$n`.
    pub id: Option<String>,
    /// `coupon_type_$n`; only merchants with free coupons switched on get it.
    pub kind: Option<CouponType>,
    /// `coupon_fee_$n`, fen.
    pub fee: Option<Fen>,
}

impl Coupon {
    /// All coupons of a message, whatever number it announces.
    pub(crate) fn take_all(taker: &mut Taker<'_>) -> Result<Vec<Self>, FieldError> {
        taker
            .indices(&["coupon_id", "coupon_type", "coupon_fee"])
            .into_iter()
            .map(|index| {
                Ok(Self {
                    index,
                    id: taker.numbered("coupon_id", index)?,
                    kind: taker.numbered("coupon_type", index)?,
                    fee: taker.numbered("coupon_fee", index)?,
                })
            })
            .collect()
    }
}
