//! Combined orders (合单): one payment for orders of several merchants, which all succeed or all fail. v3 sheet, section 20.

mod body;
mod order_no;
mod transaction;

pub(crate) use body::CombinedPlacement;
pub use order_no::CombinedOrderNo;
pub use transaction::{CombinedTransaction, SubTransaction};

use std::collections::BTreeSet;
use std::net::IpAddr;

use yuanfen_core::{Address, Alphabet, BuildError, Fen, MoneyError, OrderNo, PayAmount, Rule, UnixTime};

use crate::order_terms::{check_expiry, check_notify_url};
use crate::{MerchantIds, SubMerchant};

const SHEET: &str = "v3 sheet, section 20.1";

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
