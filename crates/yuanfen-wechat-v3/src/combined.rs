//! Combined orders (合单): one payment for orders of several merchants, which all succeed or all fail. v3 sheet, section 20.

mod transaction;

pub use transaction::{CombinedTransaction, SubTransaction};

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Fen, MoneyError, NumberError, OrderNo, PayAmount, Rfc3339, Rule, UnixTime,
    ValueError, WireText,
};

use crate::order_terms::{check_expiry, check_notify_url};
use crate::payer::check_open_id;
use crate::scene::check_h5;
use crate::{Account, H5Info, MerchantIds, Message, OpenId, Payer, SubMerchant};

const SHEET: &str = "v3 sheet, section 20.1";

/// `combine_out_trade_no`: the number of a combined order, 1 to 32 letters, digits and `_-|*@`.
///
/// It is a type of its own because the ordinary calls know no such number: queried there, an order that is paid is said
/// not to exist. Refunds are made of the sub-orders, by theirs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CombinedOrderNo(OrderNo);

impl CombinedOrderNo {
    /// Takes the text.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or not printable ASCII. The platform's narrower rule is checked where
    /// the number is sent.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NumberError> {
        OrderNo::new(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        number("combine_out_trade_no").check(self.as_str())
    }
}

impl fmt::Debug for CombinedOrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CombinedOrderNo({})", self.as_str())
    }
}

impl fmt::Display for CombinedOrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl WireText for CombinedOrderNo {
    fn read(text: &str) -> Result<Self, ValueError> {
        OrderNo::read(text).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}

/// Whose a sub-order is: who gets its money.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Participant {
    /// The merchant that starts the combined order: `mchid` is its own.
    Own,
    /// Another ordinary merchant, by its `mchid`, which has allowed it.
    Merchant(Box<str>),
    /// One of a provider's merchants: `mchid` is the provider's, `sub_mchid` (and `sub_appid`) the merchant's.
    SubMerchant(SubMerchant),
}

/// One of the orders that are paid together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubOrder {
    /// `mchid`, for a provider with `sub_mchid` and `sub_appid`: whose it is.
    pub participant: Participant,
    /// `out_trade_no`: 1 to 32 letters, digits and `_-|*@`, unique per merchant number; for a service provider, over all
    /// of its merchants.
    pub order_no: OrderNo,
    /// `amount.total_amount`: at least 1 fen. The currency is `CNY`.
    pub amount: PayAmount,
    /// `description`: of what is sold, 1 to 127 characters without emoji.
    pub description: String,
    /// `attach`: comes back in queries and notices, 1 to 128 characters without emoji. Required here.
    pub attach: String,
    /// `detail`: the goods as text, at most 6000 characters without emoji.
    pub detail: Option<String>,
    /// `goods_tag`: names coupons, at most 32 characters.
    pub goods_tag: Option<String>,
    /// `settle_info.profit_sharing`: whether the money is held back to be shared.
    pub profit_sharing: Option<bool>,
    /// `settle_info.subsidy_amount`: what an e-commerce platform adds, zero or more.
    pub subsidy: Option<Fen>,
}

/// What every combined order says, wherever its payer pays it.
///
/// Keep the order until it is paid: repeating it unchanged is how a lost reply is recovered. One notice tells of all of
/// it. It is queried and closed as a whole, and refunded by its sub-orders, each by the merchant whose it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CombinedTerms {
    /// `combine_out_trade_no`: unique per merchant that starts combined orders.
    pub order_no: CombinedOrderNo,
    /// `sub_orders`: 2 to 10, for a service provider 2 to 50.
    pub sub_orders: Vec<SubOrder>,
    /// `notify_url`: where the notice goes, https, at most 255 characters, without query or fragment.
    pub notify_url: Address,
    /// `time_expire`: until when it can be paid, at least a minute ahead, also when the order is repeated.
    pub expires_at: Option<UnixTime>,
}

/// `scene_info`: where a combined order is placed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CombinedScene {
    /// `payer_client_ip`: the payer's own address, not that of a server in between.
    pub payer_ip: IpAddr,
    /// `device_id`: the terminal, at most 16 characters.
    pub device_id: Option<String>,
}

impl SubOrder {
    /// An order of that participant, of that amount.
    pub fn new(
        participant: Participant,
        order_no: OrderNo,
        amount: PayAmount,
        description: impl Into<String>,
        attach: impl Into<String>,
    ) -> Self {
        Self {
            participant,
            order_no,
            amount,
            description: description.into(),
            attach: attach.into(),
            detail: None,
            goods_tag: None,
            profit_sharing: None,
            subsidy: None,
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        number("sub_orders[].out_trade_no").check(self.order_no.as_str())?;
        text("sub_orders[].description", 127).check(&self.description)?;
        text("sub_orders[].attach", 128).check(&self.attach)?;
        text("sub_orders[].detail", 6000)
            .alphabet(PARAGRAPHS)
            .check_maybe(self.detail.as_deref())?;
        text("sub_orders[].goods_tag", 32).check_maybe(self.goods_tag.as_deref())?;
        if self.subsidy.is_some_and(|subsidy| subsidy < Fen::ZERO) {
            let field = "sub_orders[].settle_info.subsidy_amount";
            return Err(BuildError::money(field, MoneyError::Negative));
        }
        Ok(())
    }
}

impl CombinedScene {
    /// A payer at that address.
    #[must_use]
    pub const fn new(payer_ip: IpAddr) -> Self {
        Self {
            payer_ip,
            device_id: None,
        }
    }
}

impl CombinedTerms {
    /// Those orders, paid together under that number, reported to that address.
    #[must_use]
    pub const fn new(order_no: CombinedOrderNo, sub_orders: Vec<SubOrder>, notify_url: Address) -> Self {
        Self {
            order_no,
            sub_orders,
            notify_url,
            expires_at: None,
        }
    }

    /// What the payer pays: the sum of the sub-orders.
    ///
    /// # Errors
    /// When it is more than can be paid at once.
    pub fn total(&self) -> Result<PayAmount, BuildError> {
        Fen::try_sum(self.sub_orders.iter().map(|part| part.amount.fen()))
            .ok_or(MoneyError::TooLarge)
            .and_then(PayAmount::new)
            .map_err(|problem| BuildError::money("sub_orders[].amount.total_amount", problem))
    }

    fn check(&self, ids: &MerchantIds, now: UnixTime) -> Result<(), BuildError> {
        self.order_no.check()?;
        check_count(self.sub_orders.len(), ids)?;
        for part in &self.sub_orders {
            part.check()?;
        }
        self.total()?;
        check_notify_url(&self.notify_url, 255, SHEET)?;
        self.expires_at
            .map_or(Ok(()), |expires_at| check_expiry(expires_at, now))
    }

    /// The message that places it.
    ///
    /// # Errors
    /// When a field breaks its rule, or a sub-order is of somebody for whom the account cannot act.
    pub(crate) fn message(
        &self,
        placement: CombinedPlacement<'_>,
        scene: Option<&CombinedScene>,
        account: &Account,
        ambient: &dyn Ambient,
    ) -> Result<Message, BuildError> {
        let ids = account.ids();
        self.check(ids, ambient.now())?;
        let (product, payer, h5_info) = match placement {
            CombinedPlacement::Jsapi { payer } => ("jsapi", Some(payer_in_body(payer, ids)?), None),
            CombinedPlacement::App => ("app", None, None),
            CombinedPlacement::Native => ("native", None, None),
            CombinedPlacement::H5 { info } => ("h5", None, Some(info)),
        };
        let body = Body {
            combine_appid: ids.app_id(),
            combine_mchid: ids.merchant_id(),
            combine_out_trade_no: &self.order_no,
            scene_info: scene.map(|scene| scene_in_body(scene, h5_info)).transpose()?,
            sub_orders: parts_in_body(&self.sub_orders, ids)?,
            combine_payer_info: payer,
            time_expire: self.expires_at.map(|time| Rfc3339(time).to_text()),
            notify_url: &self.notify_url,
        };
        Message::post(format!("/v3/combine-transactions/{product}"), &body)
    }
}

/// Which of the four calls a combined order is for, and what that one alone has.
#[derive(Clone, Copy)]
pub(crate) enum CombinedPlacement<'a> {
    Jsapi { payer: &'a Payer },
    App,
    Native,
    H5 { info: &'a H5Info },
}

const PARAGRAPHS: Alphabet = Alphabet::new(
    "characters of the basic plane (no emoji), line breaks and tabs among them",
    |character| matches!(character, '\n' | '\r' | '\t') || Alphabet::BASIC_PLANE.accepts(character),
);

const fn text(field: &'static str, max: usize) -> Rule {
    Rule::new(field, max).alphabet(Alphabet::BASIC_PLANE).source(SHEET)
}

const fn number(field: &'static str) -> Rule {
    Rule::new(field, 32).alphabet(Alphabet::WECHAT_NUMBER).source(SHEET)
}

pub(crate) fn check_count(count: usize, ids: &MerchantIds) -> Result<(), BuildError> {
    let (most, problem) = match ids {
        MerchantIds::Direct(_) => (10, "a merchant combines 2 to 10 orders (v3 sheet, section 20.1)"),
        MerchantIds::Partner(_) => (50, "a provider combines 2 to 50 orders (v3 sheet, section 20.1)"),
    };
    if (2..=most).contains(&count) {
        return Ok(());
    }
    Err(BuildError::Conflict {
        fields: "sub_orders",
        problem,
    })
}

/// `mchid` and `sub_mchid` of a sub-order, in the account's form.
pub(crate) fn numbers_of<'a>(
    participant: &'a Participant,
    ids: &'a MerchantIds,
) -> Result<(&'a str, Option<&'a SubMerchant>), BuildError> {
    match (participant, ids) {
        (Participant::Own, MerchantIds::Direct(own)) => Ok((&own.merchant_id, None)),
        (Participant::Merchant(number), MerchantIds::Direct(_)) => {
            Rule::new("sub_orders[].mchid", 32)
                .alphabet(Alphabet::DIGITS)
                .source(SHEET)
                .check(number)?;
            Ok((number, None))
        }
        (Participant::SubMerchant(sub), MerchantIds::Partner(own)) => {
            if sub.merchant_id == own.merchant_id {
                return Err(BuildError::Conflict {
                    fields: "sub_orders[].sub_mchid",
                    problem: "is the provider's own number; it takes no payment for itself (v3 sheet, section 1.1)",
                });
            }
            Ok((&own.merchant_id, Some(sub)))
        }
        (Participant::SubMerchant(_), MerchantIds::Direct(_)) => Err(BuildError::Conflict {
            fields: "sub_orders[].sub_mchid",
            problem: "an ordinary merchant has no sub-merchants",
        }),
        (Participant::Own | Participant::Merchant(_), MerchantIds::Partner(_)) => Err(BuildError::Missing {
            field: "sub_orders[].sub_mchid",
            when: "in a provider's combined order: each of its parts is of one of its merchants (v3 sheet, section 20.1)",
        }),
    }
}

/// Refuses two parts of the same number under one merchant number.
pub(crate) fn check_unique<'a>(
    parts: impl IntoIterator<Item = (&'a Participant, &'a OrderNo)>,
    ids: &'a MerchantIds,
) -> Result<(), BuildError> {
    let mut seen = BTreeSet::new();
    for (participant, order_no) in parts {
        // A provider's numbers are unique over all of its merchants, and `mchid` is then the provider's.
        let (merchant_id, _) = numbers_of(participant, ids)?;
        if !seen.insert((merchant_id, order_no)) {
            return Err(BuildError::Conflict {
                fields: "sub_orders[].out_trade_no",
                problem: "the same number stands twice under one merchant number",
            });
        }
    }
    Ok(())
}

fn parts_in_body<'a>(parts: &'a [SubOrder], ids: &'a MerchantIds) -> Result<Vec<BodyPart<'a>>, BuildError> {
    check_unique(parts.iter().map(|part| (&part.participant, &part.order_no)), ids)?;
    parts
        .iter()
        .map(|part| {
            let (mchid, sub_merchant) = numbers_of(&part.participant, ids)?;
            let settles = part.profit_sharing.is_some() || part.subsidy.is_some();
            Ok(BodyPart {
                mchid,
                sub_mchid: sub_merchant.map(|sub| &*sub.merchant_id),
                sub_appid: sub_merchant.and_then(|sub| sub.app_id.as_deref()),
                out_trade_no: &part.order_no,
                amount: BodyPartAmount {
                    total_amount: part.amount,
                    currency: "CNY",
                },
                attach: &part.attach,
                description: &part.description,
                detail: part.detail.as_deref(),
                goods_tag: part.goods_tag.as_deref(),
                settle_info: settles.then_some(BodyPartSettling {
                    profit_sharing: part.profit_sharing,
                    subsidy_amount: part.subsidy,
                }),
            })
        })
        .collect()
}

fn scene_in_body<'a>(scene: &'a CombinedScene, h5_info: Option<&'a H5Info>) -> Result<BodyScene<'a>, BuildError> {
    text("scene_info.device_id", 16).check_maybe(scene.device_id.as_deref())?;
    if let Some(info) = h5_info {
        check_h5(info, scene.payer_ip)?;
    }
    Ok(BodyScene {
        payer_client_ip: scene.payer_ip,
        device_id: scene.device_id.as_deref(),
        h5_info,
    })
}

fn payer_in_body<'a>(payer: &'a Payer, ids: &MerchantIds) -> Result<BodyPayer<'a>, BuildError> {
    match (payer, ids) {
        (Payer::OpenId(open_id), _) => {
            check_open_id("combine_payer_info.openid", open_id)?;
            Ok(BodyPayer {
                openid: Some(open_id),
                sub_openid: None,
            })
        }
        (Payer::SubOpenId(open_id), MerchantIds::Partner(_)) => {
            check_open_id("combine_payer_info.sub_openid", open_id)?;
            Ok(BodyPayer {
                openid: None,
                sub_openid: Some(open_id),
            })
        }
        (Payer::SubOpenId(_), MerchantIds::Direct(_)) => Err(BuildError::Conflict {
            fields: "combine_payer_info.sub_openid",
            problem: "a merchant's own order names its payer by `combine_payer_info.openid` (v3 sheet, section 20.1)",
        }),
    }
}

#[derive(Serialize)]
struct Body<'a> {
    combine_appid: &'a str,
    combine_mchid: &'a str,
    combine_out_trade_no: &'a CombinedOrderNo,
    #[serde(skip_serializing_if = "Option::is_none")]
    scene_info: Option<BodyScene<'a>>,
    sub_orders: Vec<BodyPart<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine_payer_info: Option<BodyPayer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_expire: Option<String>,
    notify_url: &'a Address,
}

#[derive(Serialize)]
struct BodyScene<'a> {
    payer_client_ip: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    h5_info: Option<&'a H5Info>,
}

#[derive(Serialize)]
struct BodyPayer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a OpenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<&'a OpenId>,
}

#[derive(Serialize)]
struct BodyPart<'a> {
    mchid: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    out_trade_no: &'a OrderNo,
    /// Its total is `total_amount`, where an ordinary order's is `total`.
    amount: BodyPartAmount,
    attach: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_tag: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settle_info: Option<BodyPartSettling>,
}

#[derive(Serialize)]
struct BodyPartAmount {
    total_amount: PayAmount,
    currency: &'static str,
}

#[derive(Serialize)]
struct BodyPartSettling {
    #[serde(skip_serializing_if = "Option::is_none")]
    profit_sharing: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subsidy_amount: Option<Fen>,
}
