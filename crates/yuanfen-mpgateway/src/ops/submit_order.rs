//! `POST /api/mpgateway` (交易提交接口). Ask what became of it before it is sent again.
//!
//! Contract: mpgateway sheet, section 6.1; the owner's document `004_82231cfc4fe025b5.txt`.

use std::fmt;
use std::net::IpAddr;

use http::Method;
use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Effect, Extra, Fen, JsonTaker, Loose, OpenError, Operation, OrderNo,
    PayAmount, ProtocolError, ProtocolErrorKind, RemoteId, Route, Rule, Verified, WireText as _, open_enum,
};

use crate::provider::ours;
use crate::{Account, AmountSpelling, Message, Reply};

open_enum! {
    /// `action`: which wallet, and who scans.
    pub enum Action {
        /// The merchant scans a WeChat payer's code.
        WechatCode = "WxCode",
        /// A WeChat payer scans.
        WechatScan = "WxSao",
        /// WeChat official account.
        WechatOfficialAccount = "WxJsApi",
        /// WeChat from another browser on a phone.
        WechatH5 = "WxH5",
        /// The merchant scans an Alipay payer's code.
        AlipayCode = "AliCode",
        /// An Alipay payer scans.
        AlipayScan = "AliSao",
        /// The merchant scans a QQ wallet payer's code.
        QqCode = "QQCode",
        /// A QQ wallet payer scans.
        QqScan = "QQSao",
        /// A UnionPay payer scans.
        UnionPayScan = "USao",
    }
}

/// Submits an order for one payment action.
#[derive(Clone)]
#[non_exhaustive]
pub struct SubmitOrder {
    /// `action`.
    pub action: Action,
    /// `orderid`: 8 to 32 letters and digits, unique.
    pub order_no: OrderNo,
    /// `txnamt`, in fen.
    pub amount: PayAmount,
    /// `backurl`: where the notice goes, by POST.
    pub back_url: Address,
    /// `fronturl`: where the payer's browser goes afterwards; honored for the official account only.
    pub front_url: Option<Address>,
    /// `code`, required where the merchant scans: what the payer showed.
    pub code: Option<String>,
    /// `openid`, required for the official account: under the operator's account, from the openid page.
    pub openid: Option<String>,
    /// `ip`, required for H5: the payer's real address; a wrong one blocks the payment.
    pub ip: Option<IpAddr>,
    /// `payway`: a channel id, digits, for merchants with several channels.
    pub channel: Option<String>,
}

/// Nothing about the payer.
impl fmt::Debug for SubmitOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubmitOrder")
            .field("action", &self.action)
            .field("order_no", &self.order_no)
            .field("amount", &self.amount)
            .field("back_url", &self.back_url)
            .field("front_url", &self.front_url)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

const SHEET: &str = "mpgateway sheet, section 6.1";
pub(crate) const ORDER_NO: Rule = Rule::new("orderid", 32)
    .min(8)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source(SHEET);
// The manual gives no lengths but the order number's; these keep accidents out.
const ACTION: Rule = Rule::new("action", 32)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("no limit is published");
const CODE: Rule = Rule::new("code", 256)
    .alphabet(Alphabet::ASCII)
    .source("no limit is published");
const OPENID: Rule = Rule::new("openid", 128)
    .alphabet(Alphabet::ASCII)
    .source("no limit is published");
/// An int in the owner's document, though programs send it as a text. The length is to keep accidents out.
const CHANNEL: Rule = Rule::new("payway", 32)
    .alphabet(Alphabet::DIGITS)
    .source("mpgateway sheet, sections 6.1 and 6.4");

impl SubmitOrder {
    /// An order for that action; set what the action needs besides.
    #[must_use]
    pub const fn new(action: Action, order_no: OrderNo, amount: PayAmount, back_url: Address) -> Self {
        Self {
            action,
            order_no,
            amount,
            back_url,
            front_url: None,
            code: None,
            openid: None,
            ip: None,
            channel: None,
        }
    }

    /// An order that is paid in the official account.
    pub fn official_account(
        order_no: OrderNo,
        amount: PayAmount,
        back_url: Address,
        openid: impl Into<String>,
    ) -> Self {
        Self {
            openid: Some(openid.into()),
            ..Self::new(Action::WechatOfficialAccount, order_no, amount, back_url)
        }
    }

    /// An order that is paid by the code that the payer showed.
    pub fn scanned(
        action: Action,
        order_no: OrderNo,
        amount: PayAmount,
        back_url: Address,
        code: impl Into<String>,
    ) -> Self {
        Self {
            code: Some(code.into()),
            ..Self::new(action, order_no, amount, back_url)
        }
    }

    /// An order that is paid from another browser on a phone.
    #[must_use]
    pub const fn h5(order_no: OrderNo, amount: PayAmount, back_url: Address, payer_ip: IpAddr) -> Self {
        let mut order = Self::new(Action::WechatH5, order_no, amount, back_url);
        order.ip = Some(payer_ip);
        order
    }

    pub(crate) fn check_order_no(order_no: &OrderNo) -> Result<(), BuildError> {
        ORDER_NO.check(order_no.as_str())
    }

    pub(crate) fn check_channel(channel: &str) -> Result<(), BuildError> {
        CHANNEL.check(channel)
    }

    /// The conditions between fields, and each field's own rule.
    fn check(&self) -> Result<(), BuildError> {
        let missing = |field, when| Err(BuildError::Missing { field, when });
        match self.action {
            Action::WechatCode | Action::AlipayCode | Action::QqCode if self.code.is_none() => {
                return missing("code", "where the merchant scans (WxCode, AliCode, QQCode)");
            }
            Action::WechatOfficialAccount if self.openid.is_none() => return missing("openid", "for action WxJsApi"),
            Action::WechatH5 if self.ip.is_none() => return missing("ip", "for action WxH5"),
            _ => {}
        }
        if self.front_url.is_some() && self.action != Action::WechatOfficialAccount {
            return Err(BuildError::Conflict {
                fields: "fronturl, action",
                problem: "the gateway honors a front address for WxJsApi only",
            });
        }
        ACTION.check(self.action.as_str())?;
        ORDER_NO.check(self.order_no.as_str())?;
        CODE.check_maybe(self.code.as_deref())?;
        OPENID.check_maybe(self.openid.as_deref())?;
        CHANNEL.check_maybe(self.channel.as_deref())
    }
}

/// The request on the wire. Its member order is free, because the bytes themselves are signed.
#[derive(Serialize)]
struct Body<'a> {
    action: &'a Action,
    txnamt: Amount,
    merid: &'a str,
    orderid: &'a OrderNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    backurl: &'a Address,
    #[serde(skip_serializing_if = "Option::is_none")]
    fronturl: Option<&'a Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payway: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Amount {
    Number(Fen),
    Text(String),
}

impl Operation for SubmitOrder {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = SubmittedOrder;

    const ROUTE: Route = Route::new(
        "mpgateway",
        "submit_order",
        Method::POST,
        "/api/mpgateway",
        Effect::QueryFirst,
    );

    fn encode(&self, account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        self.check()?;
        let fen = self.amount.fen();
        let body = Body {
            action: &self.action,
            txnamt: match account.amounts {
                AmountSpelling::Number => Amount::Number(fen),
                AmountSpelling::Text => Amount::Text(fen.to_text()),
            },
            merid: &account.merchant,
            orderid: &self.order_no,
            code: self.code.as_deref(),
            openid: self.openid.as_deref(),
            ip: self.ip.map(|ip| ip.to_string()),
            backurl: &self.back_url,
            fronturl: self.front_url.as_ref(),
            payway: self.channel.as_deref(),
        };
        Message::of(Self::ROUTE.path, &body)
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<SubmittedOrder, OpenError> {
        let reply = inbound
            .into_inner()
            .accepted(account, &Self::ROUTE, Some(&self.order_no))?;
        let mut taker = JsonTaker::new(&reply.object);
        ours(account, &mut taker, Some(&self.order_no))?;
        let amount: Option<Loose<Fen>> = taker.maybe("txnamt")?;
        if amount.is_some_and(|told| told.0 != self.amount.fen()) {
            return Err(ProtocolError::new(ProtocolErrorKind::Foreign { field: "txnamt" }).into());
        }
        let query_id = taker.need("queryid")?;
        let form_action: Option<String> = match self.action {
            // The two actions for which the manual promises it: without the code there is nothing to pay with.
            Action::WechatScan | Action::AlipayScan => Some(taker.need("formaction")?),
            _ => taker.maybe("formaction")?,
        };
        for name in ["respcode", "respmsg"] {
            let _claimed = taker.raw(name);
        }
        Ok(SubmittedOrder {
            query_id,
            next: NextStep::of(&self.action, form_action),
            extra: taker.rest(),
        })
    }
}

/// An order that the gateway accepted. It is not paid: a query or a notice says so.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubmittedOrder {
    /// `queryid`: the gateway's serial number.
    pub query_id: RemoteId,
    /// What to do with the payer.
    pub next: NextStep,
    /// What else came.
    pub extra: Extra,
}

/// `formaction` changes its meaning with the action; this is what it means.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextStep {
    /// Show this text as a QR code.
    ShowCode(String),
    /// Send the payer's browser to the pay page with this pay id.
    OpenPayPage(String),
    /// Send the payer's browser to this address.
    Open(String),
    /// Nothing to show: wait for the notice, or query. For scanned codes the manual does not say whether `00` means
    /// paid, so it does not.
    Wait,
}

/// What to do, without what anyone could pay with.
impl fmt::Debug for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ShowCode(_) => "ShowCode(..)",
            Self::OpenPayPage(_) => "OpenPayPage(..)",
            Self::Open(_) => "Open(..)",
            Self::Wait => "Wait",
        })
    }
}

impl NextStep {
    fn of(action: &Action, form_action: Option<String>) -> Self {
        match (action, form_action) {
            (_, None) | (Action::WechatCode | Action::AlipayCode | Action::QqCode, _) => Self::Wait,
            (Action::WechatOfficialAccount, Some(pay_id)) => Self::OpenPayPage(pay_id),
            (Action::WechatScan | Action::AlipayScan | Action::QqScan | Action::UnionPayScan, Some(code)) => {
                Self::ShowCode(code)
            }
            (Action::WechatH5 | Action::Unknown(_), Some(address)) => Self::Open(address),
        }
    }
}
