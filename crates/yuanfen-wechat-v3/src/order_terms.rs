//! What the orders that a payer pays later have in common, and the body of all four. v3 sheet, section 13.1.

use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, OrderNo, PayAmount, Rfc3339, Rule, UnixTime, WireText as _, open_enum,
};

use crate::ids::BodyIds;
use crate::order_detail::{BodyDetail, GoodsCode};
use crate::payer::BodyPayer;
use crate::scene::BodyScene;
use crate::{Account, H5Info, Message, OrderDetail, Payer, Scene};

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

/// What every order says that is placed before it is paid, wherever its payer pays it.
///
/// Keep the order until it is paid: repeating it unchanged is how a lost reply is recovered, and how what was handed out
/// is renewed. Everything in it, the expiry too, stays the same on a repeat, and so does the call: the same number under
/// another one is refused.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OrderTerms {
    /// `out_trade_no`: 6 to 32 letters, digits and `_-|*`, unique per merchant number; for a service provider, over all
    /// of its merchants.
    pub order_no: OrderNo,
    /// `amount.total`: at least 1 fen. The currency is `CNY`.
    pub amount: PayAmount,
    /// `description`: of what is sold, 1 to 127 characters without emoji.
    pub description: String,
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
    /// `settle_info.profit_sharing`: whether the money is held back to be shared.
    pub profit_sharing: Option<bool>,
}

/// Which of the four calls an order is for, and what that one alone has.
#[derive(Clone, Copy)]
pub(crate) enum Placement<'a> {
    Jsapi { payer: &'a Payer },
    App,
    Native,
    H5 { info: &'a H5Info },
}

impl OrderTerms {
    /// An order of that amount, reported to that address.
    pub fn new(order_no: OrderNo, amount: PayAmount, description: impl Into<String>, notify_url: Address) -> Self {
        Self {
            order_no,
            amount,
            description: description.into(),
            notify_url,
            expires_at: None,
            attach: None,
            goods_tag: None,
            limit_pay: Vec::new(),
            offers_invoice: None,
            detail: None,
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
        check_notify_url(&self.notify_url, 255, SHEET)?;
        self.expires_at
            .map_or(Ok(()), |expires_at| check_expiry(expires_at, now))
    }

    /// The message of that call, in the account's form.
    ///
    /// # Errors
    /// When a field breaks its rule, or the account has not the ids that the call needs.
    pub(crate) fn message(
        &self,
        placement: Placement<'_>,
        scene: Option<&Scene>,
        account: &Account,
        ambient: &dyn Ambient,
    ) -> Result<Message, BuildError> {
        self.check(ambient.now())?;
        let ids = account.ids();
        let (product, payer, h5_info) = match placement {
            Placement::Jsapi { payer } => ("jsapi", Some(payer.in_body(ids)?), None),
            Placement::App => ("app", None, None),
            Placement::Native => ("native", None, None),
            Placement::H5 { info } => ("h5", None, Some(info)),
        };
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
            amount: BodyAmount::new(self.amount),
            payer,
            detail: OrderDetail::in_body(self.detail.as_ref(), self.amount, GoodsCode::Order)?,
            scene_info: scene.map(|scene| scene.in_body(h5_info)).transpose()?,
            settle_info: self.profit_sharing.map(BodySettleInfo::new),
        };
        Message::post(ids.order_path(product), &body)
    }
}

const SHEET: &str = "v3 sheet, section 13.1";

const fn text(field: &'static str, max: usize) -> Rule {
    Rule::new(field, max).alphabet(Alphabet::BASIC_PLANE).source(SHEET)
}

pub(crate) const DESCRIPTION: Rule = text("description", 127);
pub(crate) const ATTACH: Rule = text("attach", 128);
pub(crate) const GOODS_TAG: Rule = text("goods_tag", 32);
const LIMIT_PAY: Rule = Rule::new("limit_pay", 32).alphabet(Alphabet::WORD).source(SHEET);
/// An order number that is made.
pub(crate) const ORDER_NO: Rule = Rule::new("out_trade_no", 32)
    .min(6)
    .alphabet(Alphabet::WECHAT_ORDER)
    .source(SHEET);

/// An address for notices: https on a public host (plain http to this machine), without query or fragment, of at most so
/// many characters.
pub(crate) fn check_notify_url(address: &Address, max: usize, source: &'static str) -> Result<(), BuildError> {
    const FIELD: &str = "notify_url";
    address.must_be_plain(FIELD)?;
    Rule::new(FIELD, max).source(source).check(address.as_str())?;
    // v3 sheet, section 11.6.
    Ok(address.must_be_reachable(FIELD)?)
}

/// At least a minute ahead, and a moment that the calendar can write.
pub(crate) fn check_expiry(expires_at: UnixTime, now: UnixTime) -> Result<(), BuildError> {
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
    amount: BodyAmount,
    #[serde(skip_serializing_if = "Option::is_none")]
    payer: Option<BodyPayer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<BodyDetail<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<BodyScene<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<BodySettleInfo>,
}

/// The member `amount` of an order.
#[derive(Serialize)]
pub(crate) struct BodyAmount {
    total: PayAmount,
    currency: &'static str,
}

impl BodyAmount {
    pub(crate) const fn new(total: PayAmount) -> Self {
        Self { total, currency: "CNY" }
    }
}

/// The member `settle_info` of an order.
#[derive(Serialize)]
pub(crate) struct BodySettleInfo {
    profit_sharing: bool,
}

impl BodySettleInfo {
    pub(crate) const fn new(profit_sharing: bool) -> Self {
        Self { profit_sharing }
    }
}
