//! What an operation encodes into.

use std::fmt;

use yuanfen_core::{BuildError, Clock14, Fields, Rule, UnixTime, ValueError, WireText};

use crate::sub_merchant::Trade;
use crate::{Account, SignType};

/// A path and the business fields of a call: no account, no nonce, no signature.
#[derive(Clone)]
#[non_exhaustive]
pub struct Message {
    /// The path, such as `/pay/unifiedorder`.
    pub path: &'static str,
    /// The fields, in the order they are sent.
    pub fields: Fields,
    /// Whether the account's sub-merchant is added.
    pub(crate) names_sub_merchant: bool,
    /// How it is signed, where that is not the account's choice.
    pub(crate) sign_type: Option<SignType>,
    /// A field that is sent in another spelling than the one that is signed.
    pub(crate) sent_as: Option<(&'static str, String)>,
}

/// Names and lengths, no values.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("path", &self.path)
            .field("fields", &self.fields)
            .field("sign_type", &self.sign_type)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// A call of that path with those fields.
    #[must_use]
    pub const fn new(path: &'static str, fields: Fields) -> Self {
        Self {
            path,
            fields,
            names_sub_merchant: true,
            sign_type: None,
            sent_as: None,
        }
    }

    /// Sends a field in another spelling than the one that is signed: `/tools/shorturl` signs a link raw and takes it
    /// URL-encoded.
    #[must_use]
    pub fn sent_as(mut self, field: &'static str, spelling: String) -> Self {
        self.sent_as = Some((field, spelling));
        self
    }

    /// About one sub-merchant where the account is for one, and about every one where it is for all: for calls in which a
    /// missing `sub_mch_id` means all.
    pub(crate) fn of_one_or_all(self, account: &Account) -> Self {
        match account.trade {
            Trade::EverySubMerchant => self.without_sub_merchant(),
            Trade::Own | Trade::SubMerchant(_) => self,
        }
    }

    /// Signs it that way whatever the account's own way is: some calls take nothing but HMAC-SHA256.
    ///
    /// Signed in two steps ([`Draft`](yuanfen_core::Draft)), it takes the signature of an account of that sign type.
    #[must_use]
    pub const fn signed_by(mut self, sign_type: SignType) -> Self {
        self.sign_type = Some(sign_type);
        self
    }

    /// Sends it without the `sub_appid` and `sub_mch_id` of a service provider's account: for calls that are about the
    /// provider itself (the fund-flow bill), or in which a missing `sub_mch_id` means something (the trade bill of all
    /// its merchants). Such a message may have a `sub_mch_id` among its own fields.
    #[must_use]
    pub const fn without_sub_merchant(mut self) -> Self {
        self.names_sub_merchant = false;
        self
    }
}

/// Writes business fields, each checked against its rule on the way.
#[derive(Debug, Default)]
pub(crate) struct Writer(Fields);

impl Writer {
    /// A value whose type is its rule.
    pub(crate) fn put(&mut self, field: &'static str, value: &impl WireText) -> Result<(), BuildError> {
        self.push(field, &value.to_text())
    }

    /// A text under its rule.
    pub(crate) fn text(&mut self, rule: &Rule, value: &str) -> Result<(), BuildError> {
        rule.check(value)?;
        self.push(rule.field, value)
    }

    /// A text under its rule that may be left out.
    pub(crate) fn maybe(&mut self, rule: &Rule, value: Option<&str>) -> Result<(), BuildError> {
        value.map_or(Ok(()), |value| self.text(rule, value))
    }

    /// A moment, if it is one that fourteen digits can name.
    pub(crate) fn time(&mut self, field: &'static str, moment: Option<UnixTime>) -> Result<(), BuildError> {
        let Some(moment) = moment else { return Ok(()) };
        let text = Clock14(moment).to_text();
        if Clock14::read(&text) != Ok(Clock14(moment)) {
            return Err(BuildError::Time {
                field,
                problem: "lies outside the years 1 to 9999",
            });
        }
        self.push(field, &text)
    }

    fn push(&mut self, field: &'static str, value: &str) -> Result<(), BuildError> {
        // The rules keep control characters out. These two are none, and XML cannot carry them either.
        if value.contains(['\u{fffe}', '\u{ffff}']) {
            return Err(BuildError::Value {
                field,
                problem: ValueError::Form {
                    expected: "a text that XML can carry",
                },
            });
        }
        // The only way to fail is a name pushed twice, which is a mistake in this crate, caught by its tests.
        self.0.push(field, value).map_err(|_| BuildError::Value {
            field,
            problem: ValueError::Duplicate,
        })
    }

    pub(crate) fn into_message(self, path: &'static str) -> Message {
        Message::new(path, self.0)
    }
}
