//! `fshows.liquidation.wxpay.mppay` (微信公众号支付预创建), `POST /gateway`. Ask what became of it before it is sent
//! again.
//!
//! Contract: fshows sheet, section 9.1; the owner's document `003_9c7edd0911e5942f.txt`.

use std::fmt;
use std::net::Ipv4Addr;

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Extra, Fen, FieldError, OpenError, Operation, OrderNo, PayAmount,
    ProtocolError, ProtocolErrorKind, Route, Rule, Unsigned, ValueError, Yuan,
};

use crate::spellings::one_of;
use crate::{Account, Fees, Message, PrepayId, Reply};

/// Prepares a payment in a page of the WeChat browser, or in a mini program. `Debug` shows neither the payer's openid
/// nor their address.
#[derive(Clone)]
#[non_exhaustive]
pub struct PayWechatPage {
    /// Where the payer pays.
    pub place: Place,
    /// `sub_merchant_id`: the platform's number for the merchant, at most 20 characters.
    pub sub_merchant_id: String,
    /// `out_trade_no`: letters, digits and underscore, at most 64, unique.
    pub order_no: OrderNo,
    /// `total_fee`: **yuan** with two decimals on the wire.
    pub amount: PayAmount,
    /// `body`: what the payer sees, "account - goods"; at most 128 characters.
    pub body: String,
    /// `sub_openid`: the payer under the sub-merchant's app id.
    pub openid: String,
    /// `spbill_create_ip`: the payer's address.
    pub payer_ip: Ipv4Addr,
    /// `notify_url`; without it the liquidator's own applies.
    pub notify_url: Option<Address>,
    /// `sub_appid`, required for mini programs: an app id that was registered besides.
    pub sub_app_id: Option<String>,
    /// `sub_mch_id`: WeChat's number of the sub-merchant.
    pub wechat_merchant_id: Option<String>,
    /// `goods_tag`: for coupons.
    pub goods_tag: Option<String>,
}

impl fmt::Debug for PayWechatPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PayWechatPage")
            .field("place", &self.place)
            .field("sub_merchant_id", &self.sub_merchant_id)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("body", &self.body)
            .field("notify_url", &self.notify_url)
            .field("sub_app_id", &self.sub_app_id)
            .field("wechat_merchant_id", &self.wechat_merchant_id)
            .field("goods_tag", &self.goods_tag)
            .finish_non_exhaustive()
    }
}

/// Where the payer pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Place {
    /// In a page of the official account, by way of the cashier page.
    OfficialAccount,
    /// In a mini program, which needs `sub_appid`.
    MiniProgram,
}

const SHEET: &str = "fshows sheet, section 9.1";
const SUB_MERCHANT_ID: Rule = Rule::new("sub_merchant_id", 20).alphabet(Alphabet::ASCII).source(SHEET);
pub(crate) const ORDER_NO: Rule = Rule::new("out_trade_no", 64).alphabet(Alphabet::WORD).source(SHEET);
const BODY: Rule = Rule::new("body", 128).source(SHEET);
const OPENID: Rule = Rule::new("sub_openid", 128).alphabet(Alphabet::ASCII).source(SHEET);
const NOTIFY_URL: Rule = Rule::new("notify_url", 255).source("fshows sheet, section 8");
const SUB_APP_ID: Rule = Rule::new("sub_appid", 32).alphabet(Alphabet::ASCII).source(SHEET);
const WECHAT_MERCHANT_ID: Rule = Rule::new("sub_mch_id", 32).alphabet(Alphabet::ASCII).source(SHEET);
const GOODS_TAG: Rule = Rule::new("goods_tag", 32).source(SHEET);

impl PayWechatPage {
    /// A payment in a page of the official account.
    pub fn official_account(
        sub_merchant_id: impl Into<String>,
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        openid: impl Into<String>,
        payer_ip: Ipv4Addr,
    ) -> Self {
        Self {
            place: Place::OfficialAccount,
            sub_merchant_id: sub_merchant_id.into(),
            order_no,
            amount,
            body: body.into(),
            openid: openid.into(),
            payer_ip,
            notify_url: None,
            sub_app_id: None,
            wechat_merchant_id: None,
            goods_tag: None,
        }
    }

    /// A payment in a mini program, whose app id this is.
    pub fn mini_program(
        sub_merchant_id: impl Into<String>,
        order_no: OrderNo,
        amount: PayAmount,
        body: impl Into<String>,
        openid: impl Into<String>,
        payer_ip: Ipv4Addr,
        sub_app_id: impl Into<String>,
    ) -> Self {
        Self {
            place: Place::MiniProgram,
            sub_app_id: Some(sub_app_id.into()),
            ..Self::official_account(sub_merchant_id, order_no, amount, body, openid, payer_ip)
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        if self.place == Place::MiniProgram && self.sub_app_id.is_none() {
            return Err(BuildError::Missing {
                field: "sub_appid",
                when: "for mini programs",
            });
        }
        SUB_MERCHANT_ID.check(&self.sub_merchant_id)?;
        ORDER_NO.check(self.order_no.as_str())?;
        BODY.check(&self.body)?;
        OPENID.check(&self.openid)?;
        NOTIFY_URL.check_maybe(self.notify_url.as_ref().map(Address::as_str))?;
        SUB_APP_ID.check_maybe(self.sub_app_id.as_deref())?;
        WECHAT_MERCHANT_ID.check_maybe(self.wechat_merchant_id.as_deref())?;
        GOODS_TAG.check_maybe(self.goods_tag.as_deref())
    }
}

/// The content on the wire.
#[derive(Serialize)]
struct Content<'a> {
    sub_merchant_id: &'a str,
    body: &'a str,
    out_trade_no: &'a OrderNo,
    total_fee: String,
    sub_openid: &'a str,
    spbill_create_ip: Ipv4Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mch_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
}

const METHOD: &str = "fshows.liquidation.wxpay.mppay";

impl Operation for PayWechatPage {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = PrepaidPage;

    const ROUTE: Route = Route::new(
        "fshows",
        "pay_wechat_page",
        Method::POST,
        "/gateway",
        Effect::QueryFirst,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.check()?;
        let content = Content {
            sub_merchant_id: &self.sub_merchant_id,
            body: &self.body,
            out_trade_no: &self.order_no,
            total_fee: self.amount.fen().yuan().to_string(),
            sub_openid: &self.openid,
            spbill_create_ip: self.payer_ip,
            notify_url: self.notify_url.as_ref(),
            sub_appid: self.sub_app_id.as_deref(),
            sub_mch_id: self.wechat_merchant_id.as_deref(),
            goods_tag: self.goods_tag.as_deref(),
        };
        Message::of(METHOD, &content)
    }

    fn decode(&self, _account: &Account, inbound: Unsigned<Reply>) -> Result<PrepaidPage, OpenError> {
        let (value, received_at) = inbound.into_inner().accepted(&Self::ROUTE)?;
        let prepaid = value.read(|taker| {
            let prepay_id: String = one_of(taker, &["prepay_id", "prepayId"])?
                .ok_or_else(|| FieldError::new("prepay_id", ValueError::Missing))?;
            Ok(PrepaidPage {
                prepay_id: PrepayId::issued(prepay_id, received_at),
                amount: one_of::<Yuan>(taker, &["total_fee", "totalFee"])?.map(|yuan| yuan.0),
                net_amount: one_of::<Yuan>(taker, &["net_receipt_amount", "netReceiptAmount"])?.map(|yuan| yuan.0),
                fees: Fees::take(taker)?,
                notify_url: one_of(taker, &["notify_url", "notifyUrl"])?,
                extra: taker.rest(),
            })
        })?;
        if prepaid.amount.is_some_and(|told| told != self.amount.fen()) {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "total_fee" }).into());
        }
        Ok(prepaid)
    }
}

/// A payment that waits for its payer. It is not paid, and no signature proves this answer: a query or a call-back
/// settles it. There is no platform order number in it; keep your own.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrepaidPage {
    /// `prepay_id`, good for two hours.
    pub prepay_id: PrepayId,
    /// `total_fee`: yuan on the wire.
    pub amount: Option<Fen>,
    /// `net_receipt_amount`: what is left after all fees; yuan on the wire.
    pub net_amount: Option<Fen>,
    /// Rates and fees.
    pub fees: Fees,
    /// `notify_url`.
    pub notify_url: Option<String>,
    /// What else came.
    pub extra: Extra,
}
