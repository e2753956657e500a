//! Whose ids are in a message, apart from who signs it. v3 sheet, section 1.
//!
//! However a third party builds its shops and whichever way it is paid, there are two shapes: a merchant's own ids
//! (`appid`, `mchid`), and those of a service provider with one of its merchants (`sp_appid`, `sp_mchid`, `sub_appid`,
//! `sub_mchid`).

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, JsonTaker, ProtocolError, Rule};

use crate::account::SetupError;
use crate::transaction::foreign;

/// Whose ids are in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MerchantIds {
    /// An ordinary merchant's own.
    Direct(DirectIds),
    /// A service provider's, and those of the merchant for which it acts.
    Partner(PartnerIds),
}

/// The ids of an ordinary merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectIds {
    /// `appid`: the app under which orders are placed.
    pub app_id: Box<str>,
    /// `mchid`: the merchant.
    pub merchant_id: Box<str>,
    /// Other apps bound to the same merchant whose orders are ours as well; answers and notices about them are not
    /// foreign.
    pub further_app_ids: Vec<Box<str>>,
}

/// The ids of a service provider, and of the merchant for which it acts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartnerIds {
    /// `sp_appid`: the provider's app.
    pub app_id: Box<str>,
    /// `sp_mchid`: the provider. It signs, and takes no payment for itself.
    pub merchant_id: Box<str>,
    /// Other apps bound to the same provider whose orders are ours as well.
    pub further_app_ids: Vec<Box<str>>,
    /// The merchant that messages are about. Without one, only what concerns the provider itself or all of its
    /// merchants can be asked for; notices about each of them are opened.
    pub sub_merchant: Option<SubMerchant>,
}

/// A merchant (特约商户, sub-merchant) for which a service provider acts. The money of its orders is its own at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubMerchant {
    /// `sub_mchid`.
    pub merchant_id: Box<str>,
    /// `sub_appid`: its own app, where the cashier runs in that or the payer is named by an open id of it.
    pub app_id: Option<Box<str>>,
}

pub(crate) const APP_ID: Rule = Rule::new("appid", 32).alphabet(Alphabet::ALPHANUMERIC);
pub(crate) const MERCHANT_ID: Rule = Rule::new("mchid", 32).alphabet(Alphabet::DIGITS);

pub(crate) fn form(setting: &'static str, value: &str, rule: &Rule, expected: &'static str) -> Result<(), SetupError> {
    rule.check(value)
        .map_err(|_: BuildError| SetupError::Form { setting, expected })
}

/// Checks an app id.
pub(crate) fn app_id(setting: &'static str, value: &str) -> Result<Box<str>, SetupError> {
    form(setting, value, &APP_ID, "1 to 32 letters and digits")?;
    Ok(value.into())
}

impl SubMerchant {
    /// The merchant of that number, without an app of its own.
    ///
    /// # Errors
    /// When the number is not 1 to 32 digits.
    pub fn new(merchant_id: &str) -> Result<Self, SetupError> {
        form("sub-merchant number", merchant_id, &MERCHANT_ID, "1 to 32 digits")?;
        Ok(Self {
            merchant_id: merchant_id.into(),
            app_id: None,
        })
    }

    /// The same with its own app.
    ///
    /// # Errors
    /// When the app id is not 1 to 32 letters and digits.
    pub fn with_app(mut self, value: &str) -> Result<Self, SetupError> {
        self.app_id = Some(app_id("sub-merchant app id", value)?);
        Ok(self)
    }
}

/// The ids as members of a body, flattened into it: `appid` and `mchid`, or `sp_appid`, `sp_mchid`, `sub_appid` (where
/// there is one) and `sub_mchid`.
#[derive(Serialize)]
pub(crate) struct BodyIds<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_appid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_appid: Option<&'a str>,
    #[serde(flatten)]
    merchants: BodyMerchants<'a>,
}

/// The merchant numbers as members of a body: `mchid`, or `sp_mchid` and `sub_mchid`.
#[derive(Serialize)]
pub(crate) struct BodyMerchants<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_mchid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_mchid: Option<&'a str>,
}

impl MerchantIds {
    /// The number of the one who signs: `mchid`, or `sp_mchid`.
    #[must_use]
    pub fn merchant_id(&self) -> &str {
        match self {
            Self::Direct(ids) => &ids.merchant_id,
            Self::Partner(ids) => &ids.merchant_id,
        }
    }

    /// The app of the one who signs: `appid`, or `sp_appid`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        match self {
            Self::Direct(ids) => &ids.app_id,
            Self::Partner(ids) => &ids.app_id,
        }
    }

    /// Whether that is the app of the one who signs, or another of its apps.
    pub(crate) fn has_app(&self, app_id: &str) -> bool {
        let further = match self {
            Self::Direct(ids) => &ids.further_app_ids,
            Self::Partner(ids) => &ids.further_app_ids,
        };
        app_id == self.app_id() || further.iter().any(|known| **known == *app_id)
    }

    /// The merchant for which a provider acts.
    #[must_use]
    pub const fn sub_merchant(&self) -> Option<&SubMerchant> {
        match self {
            Self::Direct(_) => None,
            Self::Partner(ids) => ids.sub_merchant.as_ref(),
        }
    }

    /// `sub_mchid` of a message that is about one merchant of a provider; `None` for a merchant's own.
    ///
    /// # Errors
    /// When a provider's account has no sub-merchant.
    pub(crate) fn sub_merchant_id(&self) -> Result<Option<&str>, BuildError> {
        match self {
            Self::Direct(_) => Ok(None),
            Self::Partner(ids) => Ok(Some(&ids.needed()?.merchant_id)),
        }
    }

    /// Apps and merchant numbers, for a body.
    ///
    /// # Errors
    /// When a provider's account has no sub-merchant.
    pub(crate) fn in_body(&self) -> Result<BodyIds<'_>, BuildError> {
        let merchants = self.merchants_in_body()?;
        Ok(match self {
            Self::Direct(ids) => BodyIds {
                appid: Some(&ids.app_id),
                sp_appid: None,
                sub_appid: None,
                merchants,
            },
            Self::Partner(ids) => BodyIds {
                appid: None,
                sp_appid: Some(&ids.app_id),
                sub_appid: ids.sub_merchant.as_ref().and_then(|sub| sub.app_id.as_deref()),
                merchants,
            },
        })
    }

    /// Merchant numbers alone, for a body.
    ///
    /// # Errors
    /// When a provider's account has no sub-merchant.
    pub(crate) fn merchants_in_body(&self) -> Result<BodyMerchants<'_>, BuildError> {
        Ok(match self {
            Self::Direct(ids) => BodyMerchants {
                mchid: Some(&ids.merchant_id),
                sp_mchid: None,
                sub_mchid: None,
            },
            Self::Partner(ids) => BodyMerchants {
                mchid: None,
                sp_mchid: Some(&ids.merchant_id),
                sub_mchid: Some(&ids.needed()?.merchant_id),
            },
        })
    }

    /// Merchant numbers as a query: `mchid=…`, or `sp_mchid=…&sub_mchid=…`. They are digits, so nothing is escaped.
    ///
    /// # Errors
    /// When a provider's account has no sub-merchant.
    pub(crate) fn in_query(&self) -> Result<String, BuildError> {
        Ok(match self {
            Self::Direct(ids) => format!("mchid={}", ids.merchant_id),
            Self::Partner(ids) => format!("sp_mchid={}&sub_mchid={}", ids.merchant_id, ids.needed()?.merchant_id),
        })
    }

    /// The path of an order call for this shape: `/v3/pay/transactions/…`, or `/v3/pay/partner/transactions/…`.
    pub(crate) fn order_path(&self, rest: &str) -> String {
        let partner = match self {
            Self::Direct(_) => "",
            Self::Partner(_) => "partner/",
        };
        format!("/v3/pay/{partner}transactions/{rest}")
    }
}

impl PartnerIds {
    fn needed(&self) -> Result<&SubMerchant, BuildError> {
        self.sub_merchant.as_ref().ok_or(BuildError::Setup {
            what: "sub-merchant, which this call is about; make one with `Account::for_sub_merchant`",
        })
    }
}

/// The ids of a message that came. Its fields are `mchid` and `appid`, or `sp_mchid`, `sp_appid`, `sub_mchid`, `sub_appid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceivedIds {
    pub(crate) merchant_id: String,
    pub(crate) app_id: Option<String>,
    pub(crate) sub_merchant: Option<SubMerchant>,
}

impl MerchantIds {
    /// Reads the ids of a message of this shape. They are ours, or the message is foreign.
    ///
    /// The merchants are always named, the app where a call names it: messages about refunds do not, and for payments by
    /// code the documents promise none.
    pub(crate) fn take(&self, taker: &mut JsonTaker<'_>) -> Result<ReceivedIds, ProtocolError> {
        let (merchant, app) = self.names();
        let merchant_id: String = taker.need(merchant)?;
        if merchant_id != self.merchant_id() {
            return Err(foreign(merchant));
        }
        let app_id = take_named(taker, app, |id| self.has_app(id))?;
        let sub_merchant = match self {
            Self::Direct(_) => None,
            Self::Partner(ids) => Some(take_sub_merchant(taker, ids.sub_merchant.as_ref())?),
        };
        Ok(ReceivedIds {
            merchant_id,
            app_id,
            sub_merchant,
        })
    }

    /// Reads what a message names of its ids, which may be nothing. What it does name is ours, or the message is foreign.
    pub(crate) fn check_what_is_named(&self, taker: &mut JsonTaker<'_>) -> Result<(), ProtocolError> {
        let (merchant, app) = self.names();
        take_named(taker, merchant, |id| id == self.merchant_id())?;
        take_named(taker, app, |id| self.has_app(id))?;
        if let Some(sub) = self.sub_merchant() {
            take_named(taker, "sub_mchid", |id| *id == *sub.merchant_id)?;
            take_named(taker, "sub_appid", |id| sub.has_app(id))?;
        }
        Ok(())
    }

    /// Under which names the one who signs, and its app, come.
    const fn names(&self) -> (&'static str, &'static str) {
        match self {
            Self::Direct(_) => ("mchid", "appid"),
            Self::Partner(_) => ("sp_mchid", "sp_appid"),
        }
    }
}

impl SubMerchant {
    /// A merchant may have further apps, and orders placed without one name none; only a contradiction is foreign.
    fn has_app(&self, app_id: &str) -> bool {
        self.app_id.as_deref().is_none_or(|ours| ours == app_id)
    }
}

/// An id that a message may name; an empty one stands for none.
fn take_named(
    taker: &mut JsonTaker<'_>,
    name: &'static str,
    is_ours: impl Fn(&str) -> bool,
) -> Result<Option<String>, ProtocolError> {
    let id: Option<String> = taker.maybe(name)?;
    match id.filter(|id| !id.is_empty()) {
        Some(id) if !is_ours(&id) => Err(foreign(name)),
        id => Ok(id),
    }
}

fn take_sub_merchant(taker: &mut JsonTaker<'_>, ours: Option<&SubMerchant>) -> Result<SubMerchant, ProtocolError> {
    let merchant_id: String = taker.need("sub_mchid")?;
    if ours.is_some_and(|ours| *merchant_id != *ours.merchant_id) {
        return Err(foreign("sub_mchid"));
    }
    let app_id = take_named(taker, "sub_appid", |id| ours.is_none_or(|ours| ours.has_app(id)))?;
    Ok(SubMerchant {
        merchant_id: merchant_id.into(),
        app_id: app_id.map(Into::into),
    })
}
