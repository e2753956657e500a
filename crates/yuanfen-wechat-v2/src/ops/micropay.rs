//! `POST /pay/micropay` (付款码支付): charges the code that a payer shows at the till.
//!
//! Query first: what is not answered, or answered with "the payer is typing", "system error" or "bank error", may have
//! been paid. It is queried, and reversed when it stays unclear: [`settle`](crate::settle) has the times. No notice comes:
//! this answer or a query's is all there is. Contract: v2 sheet, section 6.6.

use std::fmt;
use std::net::IpAddr;

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, OpenError, Operation, OrderNo, PayAmount,
    ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Secret, Taker, UnixTime, Verified,
};

use super::place_order::{check_validity, claim_common, rules};
use crate::message::Writer;
use crate::{Account, Coupon, Message, Reply, TradeType};

/// `auth_code`: the code on a payer's phone. Whoever has it can charge the payer while it is fresh, so it is not shown
/// and wiped when it is dropped.
///
/// Today it is 18 digits that begin with 10 to 15. That may change, so only its length is checked, and that it is
/// printable ASCII: a scanner that sends a line break behind the code is set up wrongly.
#[derive(Clone, Debug)]
pub struct AuthCode(Secret<String>);

impl AuthCode {
    pub(crate) const RULE: Rule = Rule::new("auth_code", 128)
        .alphabet(Alphabet::ASCII)
        .source("v2 sheet, sections 6.6 and 6.10");

    /// What the scanner read. Checked when it is sent: at most 128 characters of printable ASCII.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text.into()))
    }

    /// The code itself, for whoever sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl From<String> for AuthCode {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for AuthCode {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// Charges the code that a payer shows.
///
/// A new code needs a new order number. When the outcome is unknown, do not send it again: query, and reverse.
#[derive(Clone)]
#[non_exhaustive]
pub struct Micropay {
    /// `out_trade_no`: letters, digits and `_-|*`, at most 32.
    pub order_no: OrderNo,
    /// `total_fee`, in fen.
    pub amount: PayAmount,
    /// `body`: what the payer sees, "shop – goods"; at most 128 characters.
    pub body: String,
    /// `spbill_create_ip`: the machine that makes this call.
    pub machine_ip: IpAddr,
    /// `auth_code`.
    pub auth_code: AuthCode,
    /// `device_info`: till or shop; at most 32 characters.
    pub device_info: Option<String>,
    /// `detail`: JSON, for discounts on single items; at most 6000 characters.
    pub detail: Option<String>,
    /// `attach`: handed back in the answer and in queries; at most 127 characters.
    pub attach: Option<String>,
    /// `fee_type`: `CNY` where absent.
    pub currency: Option<String>,
    /// `goods_tag`: for coupons.
    pub goods_tag: Option<String>,
    /// `limit_pay`: `no_credit` keeps credit cards out.
    pub limit_pay: Option<String>,
    /// `time_start`.
    pub time_start: Option<UnixTime>,
    /// `time_expire`: until when it can be paid; at least a minute ahead.
    pub time_expire: Option<UnixTime>,
    /// `receipt`: `Y` shows the entry for an electronic invoice.
    pub receipt: Option<String>,
    /// `scene_info`: JSON with `store_info`; at most 256 characters.
    pub scene_info: Option<String>,
    /// `profit_sharing`: `Y` freezes the money for sharing.
    pub profit_sharing: Option<String>,
    /// `version`: `1.0` where `detail` is used.
    pub version: Option<String>,
}

/// Nothing about the payer, and no text that the shop may have put such things into.
impl fmt::Debug for Micropay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Micropay")
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("auth_code", &self.auth_code)
            .field("time_start", &self.time_start)
            .field("time_expire", &self.time_expire)
            .finish_non_exhaustive()
    }
}

impl Micropay {
    /// Charges that code. `machine_ip` is the machine that makes this call.
    pub fn new(
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        machine_ip: IpAddr,
        auth_code: impl Into<AuthCode>,
    ) -> Self {
        Self {
            order_no,
            amount,
            body: body.into(),
            machine_ip,
            auth_code: auth_code.into(),
            device_info: None,
            detail: None,
            attach: None,
            currency: None,
            goods_tag: None,
            limit_pay: None,
            time_start: None,
            time_expire: None,
            receipt: None,
            scene_info: None,
            profit_sharing: None,
            version: None,
        }
    }
}

impl Operation for Micropay {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PaidOrder;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "micropay",
        Method::POST,
        "/pay/micropay",
        Effect::QueryFirst,
    );

    fn encode(&self, _account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        check_validity(self.time_start, self.time_expire, ambient.now())?;
        let mut writer = Writer::default();
        writer.maybe(&rules::DEVICE_INFO, self.device_info.as_deref())?;
        writer.text(&rules::BODY, &self.body)?;
        writer.maybe(&rules::DETAIL, self.detail.as_deref())?;
        writer.maybe(&rules::ATTACH, self.attach.as_deref())?;
        writer.text(&rules::ORDER_NO, self.order_no.as_str())?;
        writer.put("total_fee", &self.amount.fen())?;
        writer.maybe(&rules::CURRENCY, self.currency.as_deref())?;
        writer.put("spbill_create_ip", &self.machine_ip.to_string())?;
        writer.maybe(&rules::GOODS_TAG, self.goods_tag.as_deref())?;
        writer.maybe(&rules::LIMIT_PAY, self.limit_pay.as_deref())?;
        writer.time("time_start", self.time_start)?;
        writer.time("time_expire", self.time_expire)?;
        writer.maybe(&rules::RECEIPT, self.receipt.as_deref())?;
        writer.text(&AuthCode::RULE, self.auth_code.expose())?;
        writer.maybe(&rules::SCENE_INFO, self.scene_info.as_deref())?;
        writer.maybe(&rules::PROFIT_SHARING, self.profit_sharing.as_deref())?;
        writer.maybe(&rules::VERSION, self.version.as_deref())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<PaidOrder, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let paid = PaidOrder::read(&reply)?;
        let differs = if paid.order_no != self.order_no {
            Some("out_trade_no")
        } else if paid.total != self.amount.fen() {
            Some("total_fee")
        } else {
            None
        };
        match differs {
            Some(field) => Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into()),
            None => Ok(paid),
        }
    }
}

/// An order that was paid at the till.
#[derive(Clone)]
#[non_exhaustive]
pub struct PaidOrder {
    /// `out_trade_no`: the one that was sent.
    pub order_no: OrderNo,
    /// `transaction_id`.
    pub transaction_id: RemoteId,
    /// `total_fee`, fen: the amount that was asked for.
    pub total: Fen,
    /// `settlement_total_fee`, fen: the total less free coupons.
    pub settlement_total: Option<Fen>,
    /// `fee_type`: `CNY` where absent.
    pub currency: Option<String>,
    /// `cash_fee`, fen: what the payer paid after coupons. Required by the field table, absent in the official sample.
    pub cash: Option<Fen>,
    /// `cash_fee_type`.
    pub cash_currency: Option<String>,
    /// `coupon_fee`, fen: all coupons together.
    pub coupon_total: Option<Fen>,
    /// `coupon_count`: what the platform announces; [`coupons`](Self::coupons) has what came.
    pub coupon_count: Option<u32>,
    /// `coupon_id_$n`, `coupon_type_$n`, `coupon_fee_$n`.
    pub coupons: Vec<Coupon>,
    /// `openid`: the payer under this account's app id.
    pub openid: String,
    /// `is_subscribe`: `Y` or `N`, official accounts only.
    pub is_subscribed: Option<String>,
    /// `sub_openid`: the payer under the sub-merchant's app id, in service-provider mode.
    pub sub_openid: Option<String>,
    /// `sub_is_subscribe`: `Y` or `N`, in service-provider mode.
    pub is_sub_subscribed: Option<String>,
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
}

/// Nothing about the payer, and no text that the shop may have put such things into.
impl fmt::Debug for PaidOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PaidOrder")
            .field("order_no", &self.order_no)
            .field("transaction_id", &self.transaction_id)
            .field("total", &self.total)
            .field("trade_type", &self.trade_type)
            .field("paid_at", &self.paid_at)
            .field("coupons", &self.coupons)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl PaidOrder {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
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
            trade_type: taker.need("trade_type")?,
            bank_type: taker.need("bank_type")?,
            paid_at: taker.need::<Clock14>("time_end")?.0,
            attach: taker.maybe("attach")?,
            device_info: taker.maybe("device_info")?,
            promotion_detail: taker.maybe("promotion_detail")?,
            extra: taker.rest(),
        })
    }
}
