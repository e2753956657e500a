//! Notices: the payment notice is signed, the refund notice is not. v2 sheet, section 8.

mod refund;

use std::fmt;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use yuanfen_core::{
    Clock14, EventKey, Extra, Facts, Fen, FieldError, Fields, Notice, NotificationSource, OpenError, OrderNo, RemoteId,
    SignatureError, Taker, Transition, UnixTime, ValueError, Verdict,
};

pub use refund::{RefundNotice, RefundStatus};

use crate::ops::claim_common;
use crate::provider::{must_be_ours, read};
use crate::sign::verify;
use crate::{Account, Coupon, TradeState, TradeType};

/// A payment that succeeded, proven by its signature.
#[derive(Clone)]
#[non_exhaustive]
pub struct PaymentNotice {
    /// `out_trade_no`.
    pub order_no: OrderNo,
    /// `transaction_id`.
    pub transaction_id: RemoteId,
    /// `total_fee`, fen: compare this with your order.
    pub total: Fen,
    /// `settlement_total_fee`, fen: the total less free coupons.
    pub settlement_total: Option<Fen>,
    /// `fee_type`: `CNY` where absent.
    pub currency: Option<String>,
    /// `cash_fee`, fen; official samples leave it out.
    pub cash: Option<Fen>,
    /// `cash_fee_type`.
    pub cash_currency: Option<String>,
    /// `coupon_fee`, fen: all coupons together.
    pub coupon_total: Option<Fen>,
    /// `coupon_count`: what the platform announces; [`coupons`](Self::coupons) has what came.
    pub coupon_count: Option<u32>,
    /// `coupon_id_$n`, `coupon_type_$n`, `coupon_fee_$n`.
    pub coupons: Vec<Coupon>,
    /// `openid`.
    pub openid: String,
    /// `is_subscribe`: `Y` or `N`.
    pub is_subscribed: Option<String>,
    /// `sub_openid`: the payer under the sub-merchant's app id.
    pub sub_openid: Option<String>,
    /// `sub_is_subscribe`: `Y` or `N`, whether the payer follows the sub-merchant's official account.
    pub is_sub_subscribed: Option<String>,
    /// `sub_mch_id`: whose money it is, where a service provider acted.
    pub sub_merchant_id: Option<String>,
    /// `sub_appid`: the sub-merchant's app, where the order named it.
    pub sub_app_id: Option<String>,
    /// `trade_type`.
    pub trade_type: TradeType,
    /// `bank_type`.
    pub bank_type: String,
    /// `time_end`.
    pub paid_at: UnixTime,
    /// `attach`.
    pub attach: Option<String>,
    /// `device_info`.
    pub device_info: Option<String>,
    /// `promotion_detail`: JSON.
    pub promotion_detail: Option<String>,
    /// What else came.
    pub extra: Extra,
    /// The body as it came.
    pub raw: Bytes,
}

/// Nothing about the payer, no text that the shop may have put such things into, no bytes of the message.
impl fmt::Debug for PaymentNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaymentNotice")
            .field("order_no", &self.order_no)
            .field("transaction_id", &self.transaction_id)
            .field("total", &self.total)
            .field("sub_merchant_id", &self.sub_merchant_id)
            .field("trade_type", &self.trade_type)
            .field("paid_at", &self.paid_at)
            .field("coupons", &self.coupons)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl NotificationSource for Account {
    type Event = PaymentNotice;

    fn route(&self) -> &'static str {
        "wechat-v2"
    }

    /// The number that signs: a service provider's, where one acts.
    fn account(&self) -> &str {
        &self.merchant_id
    }

    /// None: all that is checked and read is in the body.
    fn kept_headers(&self) -> &'static [&'static str] {
        &[]
    }

    fn open_notification(&self, request: &Request<Bytes>, _now: UnixTime) -> Result<Notice<PaymentNotice>, OpenError> {
        let fields = read(request.body())?;
        // A message that says of itself that it did not get through is not signed and says nothing.
        if fields.filled("return_code") != Some("SUCCESS") {
            return Err(SignatureError::Missing { part: "sign" }.into());
        }
        if fields.get("sign").is_none() && fields.filled("req_info").is_some() {
            must_be_ours(&fields, self)?;
            return self.refund_hint(&fields).map(Notice::Hint);
        }
        let accepted: Vec<_> = std::iter::once(self.sign_type).chain(self.also_accepted).collect();
        let verified = verify(self, fields, &accepted)?;
        let raw = request.body().clone();
        verified
            .try_map(|fields| {
                must_be_ours(&fields, self)?;
                PaymentNotice::read(&fields, raw).map_err(OpenError::from)
            })
            .map(Notice::Settles)
    }

    fn key(&self, event: &PaymentNotice) -> EventKey {
        self.key_of(event.order_no.as_str(), Transition::OrderPaid)
    }

    fn facts(&self, event: &PaymentNotice) -> Facts {
        let paid = TradeState::Success;
        let mut facts = self.facts_of(&event.order_no, paid.as_str(), event.currency.as_deref());
        facts.amount = Some(event.total);
        facts.remote_id = Some(event.transaction_id.to_string());
        // An account for no sub-merchant in particular hears of all of them.
        if let Some(sub_merchant_id) = &event.sub_merchant_id {
            facts.merchant = Some(sub_merchant_id.clone());
        }
        facts
    }

    /// HTTP 200 with `return_code` SUCCESS or FAIL. The words behind FAIL tell a stranger nothing.
    fn acknowledge(&self, verdict: Verdict) -> Response<Bytes> {
        const SUCCESS: &[u8] =
            b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>";
        const FAIL: &[u8] =
            b"<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[not taken]]></return_msg></xml>";
        let body = match verdict {
            Verdict::Accepted => SUCCESS,
            _ => FAIL,
        };
        let mut response = Response::new(Bytes::from_static(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        response
    }
}

impl PaymentNotice {
    fn read(fields: &Fields, raw: Bytes) -> Result<Self, FieldError> {
        let mut taker = Taker::new(fields);
        claim_common(&mut taker);
        // Sent for successful payments only; whatever else comes one day is not taken for one.
        if fields.filled("result_code") != Some("SUCCESS") {
            return Err(FieldError::new(
                "result_code",
                ValueError::Form { expected: "`SUCCESS`" },
            ));
        }
        Ok(Self {
            order_no: taker.need("out_trade_no")?,
            transaction_id: taker.need("transaction_id")?,
            total: taker.need("total_fee")?,
            settlement_total: taker.maybe("settlement_total_fee")?,
            currency: taker.maybe("fee_type")?,
            cash: taker.maybe("cash_fee")?,
            cash_currency: taker.maybe("cash_fee_type")?,
            coupon_total: taker.maybe("coupon_fee")?,
            coupon_count: taker.maybe("coupon_count")?,
            coupons: Coupon::take_all(&mut taker)?,
            openid: taker.need("openid")?,
            is_subscribed: taker.maybe("is_subscribe")?,
            sub_openid: taker.maybe("sub_openid")?,
            is_sub_subscribed: taker.maybe("sub_is_subscribe")?,
            sub_merchant_id: taker.maybe("sub_mch_id")?,
            sub_app_id: taker.maybe("sub_appid")?,
            trade_type: taker.need("trade_type")?,
            bank_type: taker.need("bank_type")?,
            paid_at: taker.need::<Clock14>("time_end")?.0,
            attach: taker.maybe("attach")?,
            device_info: taker.maybe("device_info")?,
            promotion_detail: taker.maybe("promotion_detail")?,
            extra: taker.rest(),
            raw,
        })
    }
}
