//! `POST /v3/refund/domestic/refunds`: refunds a paid order, in whole or in part.
//!
//! Query first: one refund number never refunds twice, but a second number would. After an unknown outcome query the
//! refund, and repeat it under the same number only when the platform does not know it. A success says that the refund was
//! accepted; how it ends is told by a notice or a query. Published as "申请退款"; v3 sheet, section 17.

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Fen, JsonTaker, MoneyError, OpenError, Operation, OrderNo,
    PayAmount, RefundGrant, RefundNo, RemoteId, Route, Rule, Verified,
};

use crate::order_detail::{at_least_one, not_negative};
use crate::order_terms::check_notify_url;
use crate::transaction::foreign;
use crate::{Account, FundsAccount, Message, OrderRef, RefundRecord, Reply};

/// Refunds a paid order, in whole or in part: within 365 days, at most 50 times, a minute apart.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refund {
    /// Which order: by our number (`out_trade_no`) or the platform's (`transaction_id`).
    pub order: OrderRef,
    /// `out_refund_no`: 1 to 64 letters, digits and `_-|*@`. One number is one refund.
    pub refund_no: RefundNo,
    /// `amount.refund`: at most what is left of the order. The currency is `CNY`.
    pub amount: PayAmount,
    /// `amount.total`: the order's total.
    pub order_total: PayAmount,
    /// `reason`: shown to the payer, at most 80 characters without emoji.
    pub reason: Option<String>,
    /// `notify_url`: where the notice goes, https, at most 256 characters, without query or fragment. Without it the
    /// notice goes to the address of the merchant console, and comes there as XML of the older API.
    pub notify_url: Option<Address>,
    /// `funds_account`: which account of the merchant pays.
    pub funds_account: Option<FundsAccount>,
    /// `amount.from`: how much of it each account pays; together exactly the refund, each account once.
    pub from: Vec<RefundSource>,
    /// `goods_detail`: the goods that it is for.
    pub goods: Vec<RefundedGoods>,
}

/// How much of a refund one account pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefundSource {
    /// `account`: `AVAILABLE` or `UNAVAILABLE`.
    pub account: FundsAccount,
    /// `amount`: at least 1 fen.
    pub amount: PayAmount,
}

/// Goods that a refund is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RefundedGoods {
    /// `merchant_goods_id`: 1 to 32 letters, digits, `_` and `-`.
    #[serde(rename = "merchant_goods_id")]
    pub goods_id: String,
    /// `wechatpay_goods_id`: the platform's code, at most 32 characters.
    #[serde(rename = "wechatpay_goods_id", skip_serializing_if = "Option::is_none")]
    pub platform_goods_id: Option<String>,
    /// `goods_name`: at most 256 characters.
    #[serde(rename = "goods_name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `unit_price`: in fen, not negative.
    pub unit_price: Fen,
    /// `refund_amount`: in fen, not negative.
    pub refund_amount: Fen,
    /// `refund_quantity`: at least 1.
    pub refund_quantity: u32,
}

impl Refund {
    /// Refunds that much of the order, whose total is stated again.
    pub fn new(order: impl Into<OrderRef>, refund_no: RefundNo, amount: PayAmount, order_total: PayAmount) -> Self {
        Self {
            order: order.into(),
            refund_no,
            amount,
            order_total,
            reason: None,
            notify_url: None,
            funds_account: None,
            from: Vec::new(),
            goods: Vec::new(),
        }
    }

    /// The refund that a ledger granted: its number, its amount, the order's total.
    pub fn granted(order: impl Into<OrderRef>, grant: &RefundGrant) -> Self {
        Self::new(order, grant.refund_no().clone(), grant.amount(), grant.order_total())
    }

    fn check(&self) -> Result<(), BuildError> {
        self.order.check()?;
        REFUND_NO.check(self.refund_no.as_str())?;
        REASON.check_maybe(self.reason.as_deref())?;
        FUNDS_ACCOUNT.check_maybe(self.funds_account.as_ref().map(FundsAccount::as_str))?;
        if let Some(address) = &self.notify_url {
            check_notify_url(address, 256, SHEET)?;
        }
        if self.amount > self.order_total {
            return Err(BuildError::Conflict {
                fields: "amount.refund and amount.total",
                problem: "the refund is larger than the order",
            });
        }
        self.check_sources()?;
        self.goods.iter().try_for_each(RefundedGoods::check)
    }

    fn check_sources(&self) -> Result<(), BuildError> {
        const ACCOUNT: &str = "amount.from[].account";
        if self.from.is_empty() {
            return Ok(());
        }
        for (index, source) in self.from.iter().enumerate() {
            if !matches!(source.account, FundsAccount::Available | FundsAccount::Unavailable) {
                return Err(BuildError::Conflict {
                    fields: ACCOUNT,
                    problem: "is neither AVAILABLE nor UNAVAILABLE (v3 sheet, section 17.1)",
                });
            }
            let earlier = self.from.iter().take(index);
            if earlier.into_iter().any(|other| other.account == source.account) {
                return Err(BuildError::Conflict {
                    fields: ACCOUNT,
                    problem: "names an account twice (v3 sheet, section 17.1)",
                });
            }
        }
        let sum = Fen::try_sum(self.from.iter().map(|source| source.amount.fen()))
            .ok_or(BuildError::money("amount.from[].amount", MoneyError::TooLarge))?;
        if sum == self.amount.fen() {
            Ok(())
        } else {
            Err(BuildError::Conflict {
                fields: "amount.from[].amount and amount.refund",
                problem: "the accounts do not pay exactly the refund (v3 sheet, section 17.1)",
            })
        }
    }
}

impl RefundSource {
    /// That account pays that much.
    #[must_use]
    pub const fn new(account: FundsAccount, amount: PayAmount) -> Self {
        Self { account, amount }
    }
}

impl RefundedGoods {
    /// So many goods of that id and price, of which that much is refunded.
    pub fn new(goods_id: impl Into<String>, unit_price: Fen, refund_amount: Fen, refund_quantity: u32) -> Self {
        Self {
            goods_id: goods_id.into(),
            platform_goods_id: None,
            name: None,
            unit_price,
            refund_amount,
            refund_quantity,
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        GOODS_ID.check(&self.goods_id)?;
        PLATFORM_GOODS_ID.check_maybe(self.platform_goods_id.as_deref())?;
        GOODS_NAME.check_maybe(self.name.as_deref())?;
        not_negative("goods_detail[].unit_price", self.unit_price)?;
        not_negative("goods_detail[].refund_amount", self.refund_amount)?;
        at_least_one("goods_detail[].refund_quantity", self.refund_quantity)
    }
}

impl Operation for Refund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RefundRecord;

    const ROUTE: Route = Route::new(super::PROVIDER, "refund", Method::POST, PATH, Effect::QueryFirst);

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        self.check()?;
        let (transaction_id, out_trade_no) = match &self.order {
            OrderRef::TransactionId(id) => (Some(id), None),
            OrderRef::OrderNo(order_no) => (None, Some(order_no)),
        };
        let body = Body {
            sub_mchid: account.ids().sub_merchant_id()?,
            transaction_id,
            out_trade_no,
            out_refund_no: &self.refund_no,
            reason: self.reason.as_deref(),
            notify_url: self.notify_url.as_ref(),
            funds_account: self.funds_account.as_ref(),
            amount: Amount {
                refund: self.amount,
                total: self.order_total,
                currency: "CNY",
                from: &self.from,
            },
            goods_detail: &self.goods,
        };
        Message::post(PATH, &body)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<RefundRecord, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let record = RefundRecord::take(&mut JsonTaker::new(&object), reply.raw().clone())?;
        let differs = if record.refund_no != self.refund_no {
            Some("out_refund_no")
        } else if record.amount.refund != self.amount.fen() {
            Some("amount.refund")
        } else {
            self.order.differs_from(&record.order_no, Some(&record.transaction_id))
        };
        match differs {
            Some(field) => Err(foreign(field).into()),
            None => Ok(record),
        }
    }
}

const PATH: &str = "/v3/refund/domestic/refunds";
const SHEET: &str = "v3 sheet, section 17.1";
/// A refund number, made or asked for.
pub(super) const REFUND_NO: Rule = Rule::new("out_refund_no", 64)
    .alphabet(Alphabet::WECHAT_NUMBER)
    .source(SHEET);
const REASON: Rule = Rule::new("reason", 80).alphabet(Alphabet::BASIC_PLANE).source(SHEET);
const FUNDS_ACCOUNT: Rule = Rule::new("funds_account", 32).alphabet(Alphabet::WORD).source(SHEET);
const GOODS_ID: Rule = Rule::new("goods_detail[].merchant_goods_id", 32)
    .alphabet(Alphabet::WORD_HYPHEN)
    .source(SHEET);
const PLATFORM_GOODS_ID: Rule = Rule::new("goods_detail[].wechatpay_goods_id", 32)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);
const GOODS_NAME: Rule = Rule::new("goods_detail[].goods_name", 256)
    .alphabet(Alphabet::BASIC_PLANE)
    .source(SHEET);

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction_id: Option<&'a RemoteId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out_trade_no: Option<&'a OrderNo>,
    out_refund_no: &'a RefundNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    notify_url: Option<&'a Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    funds_account: Option<&'a FundsAccount>,
    amount: Amount<'a>,
    #[serde(skip_serializing_if = "<[RefundedGoods]>::is_empty")]
    goods_detail: &'a [RefundedGoods],
}

#[derive(Serialize)]
struct Amount<'a> {
    refund: PayAmount,
    #[serde(skip_serializing_if = "<[RefundSource]>::is_empty")]
    from: &'a [RefundSource],
    total: PayAmount,
    currency: &'static str,
}
