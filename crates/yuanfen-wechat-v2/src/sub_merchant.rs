//! For whom a service provider acts: v2 sheet, sections 6 and 10.

use yuanfen_core::{BuildError, Fields, OpenError, ProtocolError, ProtocolErrorKind, Rule};

use crate::account::{SHEET, SetupError, VISIBLE};

/// A merchant (特约商户, sub-merchant) for which a service provider acts. The app id, merchant number, API key and client
/// certificate of the account stay the provider's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubMerchant {
    merchant_id: Box<str>,
    app_id: Option<Box<str>>,
}

const MERCHANT_ID: Rule = Rule::new("sub_mch_id", 32).alphabet(VISIBLE).source(SHEET);
const APP_ID: Rule = Rule::new("sub_appid", 32).alphabet(VISIBLE).source(SHEET);

impl SubMerchant {
    /// The merchant of that number (`sub_mch_id`), without an app of its own.
    ///
    /// # Errors
    /// When the number is empty, longer than 32 characters or not of printable ASCII without blanks.
    pub fn new(merchant_id: impl Into<String>) -> Result<Self, SetupError> {
        let merchant_id = merchant_id.into();
        MERCHANT_ID.check(&merchant_id)?;
        Ok(Self {
            merchant_id: merchant_id.into(),
            app_id: None,
        })
    }

    /// The same with its own app (`sub_appid`), under which payers may be known. Without it no answer has a
    /// `sub_openid`.
    ///
    /// # Errors
    /// When the app id is empty (leave it out instead: empty elements have made orders fail), longer than 32 characters
    /// or not of printable ASCII without blanks.
    pub fn with_app(mut self, app_id: impl Into<String>) -> Result<Self, SetupError> {
        let app_id = app_id.into();
        APP_ID.check(&app_id)?;
        self.app_id = Some(app_id.into());
        Ok(self)
    }

    /// `sub_mch_id`.
    #[must_use]
    pub fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    /// `sub_appid`.
    #[must_use]
    pub fn app_id(&self) -> Option<&str> {
        self.app_id.as_deref()
    }
}

/// Whose trade an account is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trade {
    /// The merchant's own.
    Own,
    /// That of one sub-merchant.
    SubMerchant(SubMerchant),
    /// That of every sub-merchant: notices and bills, but no call about one of them.
    EverySubMerchant,
}

impl Trade {
    /// What a call about one merchant is refused with where the account is about none in particular.
    pub(crate) const fn needs_one() -> BuildError {
        BuildError::Setup {
            what: "sub-merchant, which this call is about; make one with `Account::for_sub_merchant`",
        }
    }

    /// Refuses a message about another merchant's trade. `whole` is whether the message must say whose it is.
    pub(crate) fn must_be_of(&self, fields: &Fields, merchant_id: &str, whole: bool) -> Result<(), OpenError> {
        let foreign = |field| Err(ProtocolError::new(ProtocolErrorKind::Foreign { field }).into());
        let (number, app) = (fields.filled("sub_mch_id"), fields.filled("sub_appid"));
        match (self, number) {
            // Official samples of a merchant's own notice repeat its number here.
            (Self::Own, Some(number)) if number != merchant_id => foreign("sub_mch_id"),
            (Self::SubMerchant(ours), Some(number)) if number != ours.merchant_id() => foreign("sub_mch_id"),
            // A message that names none is about nobody's trade that this account knows.
            (Self::SubMerchant(_) | Self::EverySubMerchant, None) if whole => foreign("sub_mch_id"),
            // An order that was placed without an app names none, and a merchant may have further ones.
            (Self::SubMerchant(ours), _) if ours.app_id().zip(app).is_some_and(|(ours, app)| ours != app) => {
                foreign("sub_appid")
            }
            _ => Ok(()),
        }
    }
}
