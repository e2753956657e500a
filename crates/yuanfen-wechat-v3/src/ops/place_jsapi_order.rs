//! `POST /v3/pay/transactions/jsapi`: places an order that is paid in an official account's page or in a mini program.
//!
//! Repeatable: the identical order under the same number is answered again, with a prepay id that is valid again. Other
//! parameters under the same number are refused. Published as "JSAPI下单" and "小程序下单"; v3 sheet, section 13.

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Extra, FieldError, JsonTaker, OpenError, Operation, OrderNo,
    PayAmount, Rfc3339, Route, Rule, UnixTime, ValueError, Verified, WireText as _, open_enum,
};

use crate::ids::BodyIds;
use crate::pay_params::PREPAY_ID;
use crate::payer::BodyPayer;
use crate::private::Raw;
use crate::{Account, Message, OrderDetail, Payer, PrepayId, Reply, Scene};

open_enum! {
    /// `limit_pay`: a means of payment that is not wanted.
    pub enum LimitPay {
        /// Not from the balance.
        NoBalance = "no_balance",
        /// Not by credit card.
        NoCredit = "no_credit",
        /// Not by debit card.
        NoDebit = "no_debit",
        /// From the balance only.
        BalanceOnly = "balance_only",
    }
}

/// An order that is paid in an official account's page or in a mini program.
///
/// Keep the value until the order is paid: repeating it unchanged is how a lost reply and a prepay id past its two hours
/// are recovered. Everything in it, the expiry too, stays the same on a repeat.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlaceJsapiOrder {
    /// `out_trade_no`: 6 to 32 letters, digits and `_-|*`, unique per merchant number.
    pub order_no: OrderNo,
    /// `amount.total`: at least 1 fen. The currency is `CNY`.
    pub amount: PayAmount,
    /// `description`: of what is sold, 1 to 127 characters without emoji.
    pub description: String,
    /// `payer`: an open id of at most 128 characters, and under which app it was obtained.
    pub payer: Payer,
    /// `notify_url`: where the notice goes, https, at most 255 characters, without query or fragment.
    pub notify_url: Address,
    /// `time_expire`: until when it can be paid, at least a minute ahead, also when the order is repeated. The platform's
    /// default is seven days.
    pub expires_at: Option<UnixTime>,
    /// `attach`: comes back in queries and notices, at most 128 characters without emoji.
    pub attach: Option<String>,
    /// `goods_tag`: names coupons, at most 32 characters.
    pub goods_tag: Option<String>,
    /// `limit_pay`: means of payment that are not wanted.
    pub limit_pay: Vec<LimitPay>,
    /// `support_fapiao`: whether the payer is offered an invoice.
    pub offers_invoice: Option<bool>,
    /// `detail`: the goods.
    pub detail: Option<OrderDetail>,
    /// `scene_info`: where it is placed.
    pub scene: Option<Scene>,
    /// `settle_info.profit_sharing`: whether the money is held back to be shared.
    pub profit_sharing: Option<bool>,
}

/// The platform took the order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlacedJsapiOrder {
    /// `prepay_id`: what the payer's page needs, for two hours.
    pub prepay_id: PrepayId,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl PlacedJsapiOrder {
    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl PlaceJsapiOrder {
    /// An order of that amount, paid by that payer, reported to that address.
    pub fn new(
        order_no: OrderNo,
        amount: PayAmount,
        description: impl Into<String>,
        payer: impl Into<Payer>,
        notify_url: Address,
    ) -> Self {
        Self {
            order_no,
            amount,
            description: description.into(),
            payer: payer.into(),
            notify_url,
            expires_at: None,
            attach: None,
            goods_tag: None,
            limit_pay: Vec::new(),
            offers_invoice: None,
            detail: None,
            scene: None,
            profit_sharing: None,
        }
    }

    fn check(&self, now: UnixTime) -> Result<(), BuildError> {
        DESCRIPTION.check(&self.description)?;
        ORDER_NO.check(self.order_no.as_str())?;
        ATTACH.check_maybe(self.attach.as_deref())?;
        GOODS_TAG.check_maybe(self.goods_tag.as_deref())?;
        for means in &self.limit_pay {
            LIMIT_PAY.check(means.as_str())?;
        }
        check_notify_url(&self.notify_url, 255, "v3 sheet, section 13.1")?;
        if let Some(expires_at) = self.expires_at {
            check_expiry(expires_at, now)?;
        }
        if let Some(detail) = &self.detail {
            detail.check(self.amount)?;
        }
        self.scene.as_ref().map_or(Ok(()), Scene::check)
    }
}

impl Operation for PlaceJsapiOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = PlacedJsapiOrder;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "place_jsapi_order",
        Method::POST,
        "/v3/pay/transactions/jsapi",
        Effect::Repeatable,
    )
    .with_partner_path("/v3/pay/partner/transactions/jsapi");

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.check(ambient.now())?;
        let ids = account.ids();
        let body = Body {
            ids: ids.in_body()?,
            description: &self.description,
            out_trade_no: &self.order_no,
            time_expire: self.expires_at.map(|time| Rfc3339(time).to_text()),
            attach: self.attach.as_deref(),
            notify_url: &self.notify_url,
            goods_tag: self.goods_tag.as_deref(),
            limit_pay: &self.limit_pay,
            support_fapiao: self.offers_invoice,
            amount: Amount {
                total: self.amount,
                currency: "CNY",
            },
            payer: self.payer.in_body(ids)?,
            detail: self.detail.as_ref().filter(|detail| !detail.is_empty()),
            scene_info: self.scene.as_ref(),
            settle_info: self.profit_sharing.map(|profit_sharing| SettleInfo { profit_sharing }),
        };
        Message::post(ids.order_path("jsapi"), &body)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<PlacedJsapiOrder, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let mut taker = JsonTaker::new(&object);
        let prepay_id: String = taker.need("prepay_id")?;
        PREPAY_ID.check(&prepay_id).map_err(|_| {
            let expected = "a prepay id: printable ASCII without blanks, at most 128 characters";
            FieldError::new("prepay_id", ValueError::Form { expected })
        })?;
        Ok(PlacedJsapiOrder {
            prepay_id: PrepayId::issued(prepay_id, reply.answered_at()),
            extra: taker.rest(),
            raw: Raw(reply.raw().clone()),
        })
    }
}

const SHEET: &str = "v3 sheet, section 13.1";

const fn text(field: &'static str, max: usize) -> Rule {
    Rule::new(field, max).alphabet(Alphabet::BASIC_PLANE).source(SHEET)
}

const DESCRIPTION: Rule = text("description", 127);
const ATTACH: Rule = text("attach", 128);
const GOODS_TAG: Rule = text("goods_tag", 32);
const LIMIT_PAY: Rule = Rule::new("limit_pay", 32).alphabet(Alphabet::WORD).source(SHEET);
const ORDER_NO: Rule = Rule::new("out_trade_no", 32)
    .min(6)
    .alphabet(Alphabet::WECHAT_ORDER)
    .source(SHEET);
/// An address for notices: https (plain http to this machine), without query or fragment, of at most so many characters.
pub(super) fn check_notify_url(address: &Address, max: usize, source: &'static str) -> Result<(), BuildError> {
    const FIELD: &str = "notify_url";
    address.must_be_plain(FIELD)?;
    Rule::new(FIELD, max).source(source).check(address.as_str())
}

/// At least a minute ahead, and a moment that the calendar can write.
fn check_expiry(expires_at: UnixTime, now: UnixTime) -> Result<(), BuildError> {
    /// 9999-12-31T23:59:59+08:00.
    const END_OF_CALENDAR: UnixTime = UnixTime::from_seconds(253_402_271_999);
    let problem = if expires_at.since(now) < 60 {
        "is less than a minute ahead (v3 sheet, section 13.1)"
    } else if expires_at > END_OF_CALENDAR {
        "is beyond the year 9999"
    } else {
        return Ok(());
    };
    Err(BuildError::Time {
        field: "time_expire",
        problem,
    })
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(flatten)]
    ids: BodyIds<'a>,
    description: &'a str,
    out_trade_no: &'a OrderNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attach: Option<&'a str>,
    notify_url: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "<[LimitPay]>::is_empty")]
    limit_pay: &'a [LimitPay],
    #[serde(skip_serializing_if = "Option::is_none")]
    support_fapiao: Option<bool>,
    amount: Amount,
    payer: BodyPayer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a OrderDetail>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<&'a Scene>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<SettleInfo>,
}

#[derive(Serialize)]
struct Amount {
    total: PayAmount,
    currency: &'static str,
}

#[derive(Serialize)]
struct SettleInfo {
    profit_sharing: bool,
}
