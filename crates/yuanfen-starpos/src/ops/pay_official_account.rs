//! `POST /pubSigPay.json` (公众号支付). Ask what became of it before it is sent again.
//!
//! Contract: StarPos sheet, section 6.2; the owner's document `000_c0923fb314c782bc.txt`.

use http::Method;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Clock14, Effect, Extra, Fen, FieldError, OpenError, Operation, OrderNo, PayAmount,
    PrepayId, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Taker, UnixTime, Unsigned,
};

use super::query_official_account::{claim_common, version};
use crate::codes::TradeResult;
use crate::message::Writer;
use crate::{Account, Message, PageParams, Reply};

/// Starts a payment in the page that the payer has open.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PayOfficialAccount {
    /// `selOrderNo`: the merchant's order number, which a push hands back as `ChannelId`; letters and digits, at most
    /// 50.
    pub order_no: OrderNo,
    /// `tradeNo`: the number of this call, by which its outcome can be asked for. The published table does not have
    /// it and a 2023 client sends it; without it, a lost answer cannot be followed up. Set to the order number by
    /// [`new`](Self::new).
    pub trade_no: Option<OrderNo>,
    /// `amount`: what is paid, in fen.
    pub amount: PayAmount,
    /// `total_amount`: the order's total, in fen; at least what is paid.
    pub total: PayAmount,
    /// Who pays.
    pub payer: Payer,
    /// `subject`: the order's title, at most 256 characters.
    pub subject: Option<String>,
    /// `goods_tag`: remark on discounts, at most 250 characters.
    pub goods_tag: Option<String>,
    /// `attach`, at most 256 characters; sent with version `V1.0.1`.
    pub attach: Option<String>,
}

/// Who pays: a code or an openid, never both.
#[derive(Clone)]
#[non_exhaustive]
pub enum Payer {
    /// `code`: what WeChat's authorization handed back. It works once and lives five minutes.
    Code(String),
    /// `openid`, and in `txnappid` the app that it belongs to, where that is not the merchant's official account.
    Openid {
        /// `openid`.
        openid: String,
        /// `txnappid`.
        app_id: Option<String>,
    },
}

impl std::fmt::Debug for Payer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Code(_) => "Code(..)",
            Self::Openid { .. } => "Openid(..)",
        })
    }
}

const SHEET: &str = "StarPos sheet, sections 5.1 and 6.2";
const ORDER_NO: Rule = Rule::new("selOrderNo", 50)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source(SHEET);
const TRADE_NO: Rule = Rule::new("tradeNo", 64).alphabet(Alphabet::WORD_HYPHEN).source(SHEET);
// The table's limit of 13 is a misprint: WeChat's codes have 32 characters.
const CODE: Rule = Rule::new("code", 64).alphabet(Alphabet::ASCII).source(SHEET);
const OPENID: Rule = Rule::new("openid", 50).alphabet(Alphabet::ASCII).source(SHEET);
const APP_ID: Rule = Rule::new("txnappid", 32).alphabet(Alphabet::ASCII).source(SHEET);
const SUBJECT: Rule = Rule::new("subject", 256).source(SHEET);
const GOODS_TAG: Rule = Rule::new("goods_tag", 250).source(SHEET);
const ATTACH: Rule = Rule::new("attach", 256).source(SHEET);

impl PayOfficialAccount {
    /// A payment of that amount, which is also the order's total.
    #[must_use]
    pub fn new(order_no: OrderNo, amount: PayAmount, payer: Payer) -> Self {
        Self {
            trade_no: Some(order_no.clone()),
            order_no,
            amount,
            total: amount,
            payer,
            subject: None,
            goods_tag: None,
            attach: None,
        }
    }
}

impl Operation for PayOfficialAccount {
    type Provider = Account;
    type Inbound = Unsigned<Reply>;
    type Reply = StartedPay;

    const ROUTE: Route = Route::new(
        "starpos",
        "pay_official_account",
        Method::POST,
        "/pubSigPay.json",
        Effect::QueryFirst,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        if self.total < self.amount {
            return Err(BuildError::Conflict {
                fields: "amount, total_amount",
                problem: "more would be paid than the order's total",
            });
        }
        let mut writer = Writer::default();
        writer.constant("orgNo", &account.organization)?;
        writer.constant("mercId", &account.merchant)?;
        writer.constant("trmNo", &account.terminal)?;
        writer.put("txnTime", &Clock14(ambient.now()))?;
        writer.constant("version", version(self.attach.as_ref()))?;
        writer.maybe(&TRADE_NO, self.trade_no.as_ref().map(OrderNo::as_str))?;
        match &self.payer {
            Payer::Code(code) => writer.text(&CODE, code)?,
            Payer::Openid { openid, app_id } => {
                writer.text(&OPENID, openid)?;
                writer.maybe(&APP_ID, app_id.as_deref())?;
            }
        }
        writer.put("amount", &self.amount.fen())?;
        writer.put("total_amount", &self.total.fen())?;
        writer.maybe(&SUBJECT, self.subject.as_deref())?;
        writer.text(&ORDER_NO, self.order_no.as_str())?;
        writer.maybe(&GOODS_TAG, self.goods_tag.as_deref())?;
        writer.maybe(&ATTACH, self.attach.as_deref())?;
        Ok(writer.into_message(Self::ROUTE.path, account.pay_mode.signed_as()))
    }

    fn decode(&self, account: &Account, inbound: Unsigned<Reply>) -> Result<StartedPay, OpenError> {
        let reply = inbound
            .into_inner()
            .accepted(account, &Self::ROUTE)?
            .not_failed(&Self::ROUTE)?;
        let started = StartedPay::read(&reply)?;
        let foreign = |field| OpenError::from(ProtocolError::new(ProtocolErrorKind::Foreign { field }));
        if started.amount != self.amount.fen() {
            return Err(foreign("amount"));
        }
        if started.total != self.total.fen() {
            return Err(foreign("total_amount"));
        }
        if started
            .order_no
            .as_deref()
            .is_some_and(|told| told != self.order_no.as_str())
        {
            return Err(foreign("selOrderNo"));
        }
        Ok(started)
    }
}

/// A payment that waits for its payer. It is not paid: a query or a proven push says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StartedPay {
    /// `PrepayId`, good for two hours from when the answer came.
    pub prepay_id: PrepayId,
    page: PageParams,
    /// `logNo`: the platform's serial number, by which the query and the push name the payment.
    pub log_no: RemoteId,
    /// `result`: waiting, or undecided; never success.
    pub result: TradeResult,
    /// `orderNo`: the channel's number. After payment the query tells another one, and that is the one to refund by.
    pub channel_order_no: RemoteId,
    /// `amount`, fen.
    pub amount: Fen,
    /// `total_amount`, fen.
    pub total: Fen,
    /// `selOrderNo`.
    pub order_no: Option<String>,
    /// `subject`.
    pub subject: Option<String>,
    /// `goodsTag`.
    pub goods_tag: Option<String>,
    /// `attach`.
    pub attach: Option<String>,
    /// What else came.
    pub extra: Extra,
}

impl StartedPay {
    /// What the page hands to WeChat, for as long as that opens the payer's cashier.
    ///
    /// # Errors
    /// When the prepay id's two hours are over. The same call cannot be sent again: its number is used up.
    pub fn page(&self, now: UnixTime) -> Result<&PageParams, BuildError> {
        if self.prepay_id.is_expired(now) {
            return Err(BuildError::Time {
                field: "PrepayId",
                problem: "is older than two hours; query the order, then start a new payment under a new number",
            });
        }
        Ok(&self.page)
    }

    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            prepay_id: PrepayId::issued(taker.need::<String>("PrepayId")?, reply.received_at),
            page: PageParams {
                app_id: taker.need("apiAppid")?,
                time_stamp: taker.need("apiTimestamp")?,
                nonce: taker.need("apiNoncestr")?,
                package: taker.need("apiPackage")?,
                sign_type: taker.need("apiSigntype")?,
                pay_sign: taker.need("apiPaysign")?,
            },
            log_no: taker.need("logNo")?,
            result: taker.need("result")?,
            channel_order_no: taker.need("orderNo")?,
            amount: taker.need("amount")?,
            total: taker.need("total_amount")?,
            order_no: taker.maybe("selOrderNo")?,
            subject: taker.maybe("subject")?,
            goods_tag: taker.maybe("goodsTag")?,
            attach: taker.maybe("attach")?,
            extra: taker.rest(),
        })
    }
}
