//! The plaintext of a refund notice: it has `refund_status` where the refund object has `status`. v3 sheet, section 11.5.

use bytes::Bytes;
use yuanfen_core::{
    Extra, Fen, FieldError, JsonTaker, Object, OrderNo, ProtocolError, RefundNo, RemoteId, Rfc3339, UnixTime,
};

use crate::ids::{MerchantIds, ReceivedIds};
use crate::private::Raw;
use crate::{PayerText, RefundStatus, SubMerchant};

/// A refund came to an end, or to a stop.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundNotice {
    /// `mchid`, in partner form `sp_mchid`.
    pub merchant_id: String,
    /// `sub_mchid`: the merchant for which a provider acted; in partner form alone.
    pub sub_merchant: Option<SubMerchant>,
    /// `transaction_id`: the platform's number of the order.
    pub transaction_id: RemoteId,
    /// `out_trade_no`: our number of the order.
    pub order_no: OrderNo,
    /// `refund_id`: the platform's number of the refund.
    pub refund_id: RemoteId,
    /// `out_refund_no`: our number of the refund.
    pub refund_no: RefundNo,
    /// `refund_status`.
    pub status: RefundStatus,
    /// `success_time`: where it succeeded.
    pub success_time: Option<UnixTime>,
    /// `user_received_account`: which account of the payer it went to, in words.
    pub received_by: Option<PayerText>,
    /// `amount.total`: the order's total.
    pub total: Fen,
    /// `amount.refund`: what is refunded.
    pub refund: Fen,
    /// `amount.payer_total`: what the payer had paid.
    pub payer_total: Option<Fen>,
    /// `amount.payer_refund`: what the payer gets back.
    pub payer_refund: Option<Fen>,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl RefundNotice {
    pub(super) fn read(object: &Object, ids: &MerchantIds, raw: Bytes) -> Result<Self, ProtocolError> {
        let mut taker = JsonTaker::new(object);
        let received = ids.take(&mut taker)?;
        Ok(Self::take(&mut taker, received, raw)?)
    }

    fn take(taker: &mut JsonTaker<'_>, ids: ReceivedIds, raw: Bytes) -> Result<Self, FieldError> {
        let (total, refund, payer_total, payer_refund) = taker.nested("amount", |amount| {
            Ok((
                amount.need("total")?,
                amount.need("refund")?,
                amount.maybe("payer_total")?,
                amount.maybe("payer_refund")?,
            ))
        })?;
        Ok(Self {
            merchant_id: ids.merchant_id,
            sub_merchant: ids.sub_merchant,
            transaction_id: taker.need("transaction_id")?,
            order_no: taker.need("out_trade_no")?,
            refund_id: taker.need("refund_id")?,
            refund_no: taker.need("out_refund_no")?,
            status: taker.need("refund_status")?,
            success_time: taker.maybe("success_time")?.map(|Rfc3339(time)| time),
            received_by: taker.maybe("user_received_account")?,
            total,
            refund,
            payer_total,
            payer_refund,
            extra: taker.rest(),
            raw: Raw(raw),
        })
    }

    /// The decrypted text.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}
