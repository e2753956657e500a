//! Who pays, and under which app id that payer is known: v2 sheet, sections 3.3, 6.1 and 10.

use std::fmt;

use yuanfen_core::{Alphabet, BuildError, Rule};

use crate::Account;
use crate::message::Writer;

/// Who pays in a WeChat page or mini program: an open id and the app under which it was obtained. It is always exactly
/// one of the two. `Debug` shows no open id.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payer {
    /// `openid`: under the account's own app (`appid`).
    OpenId(String),
    /// `sub_openid`: under the sub-merchant's app (`sub_appid`), which the account must have.
    SubOpenId(String),
}

/// Under which of an account's apps a payer is known: that app's id goes into the pay parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PayerApp {
    /// `appid`, the account's own: of a payer with `openid`.
    Account,
    /// `sub_appid`, the sub-merchant's: of a payer with `sub_openid`.
    SubMerchant,
}

const SHEET: &str = "v2 sheet, section 6.1";
const OPENID: Rule = Rule::new("openid", 128).alphabet(Alphabet::ASCII).source(SHEET);
const SUB_OPENID: Rule = Rule::new("sub_openid", 128).alphabet(Alphabet::ASCII).source(SHEET);

impl Payer {
    /// Under which app this payer is known.
    #[must_use]
    pub const fn app(&self) -> PayerApp {
        match self {
            Self::OpenId(_) => PayerApp::Account,
            Self::SubOpenId(_) => PayerApp::SubMerchant,
        }
    }

    /// Writes `openid` or `sub_openid`.
    pub(crate) fn put(&self, writer: &mut Writer, account: &Account) -> Result<(), BuildError> {
        match self {
            Self::OpenId(open_id) => writer.text(&OPENID, open_id),
            Self::SubOpenId(open_id) => {
                if account.sub_merchant().and_then(|sub| sub.app_id()).is_none() {
                    return Err(BuildError::Conflict {
                        fields: "sub_openid and sub_appid",
                        problem: "a sub_openid is known under a sub_appid, and the account has none",
                    });
                }
                writer.text(&SUB_OPENID, open_id)
            }
        }
    }
}

/// `openid`, under the account's own app.
impl From<String> for Payer {
    fn from(open_id: String) -> Self {
        Self::OpenId(open_id)
    }
}

/// `openid`, under the account's own app.
impl From<&str> for Payer {
    fn from(open_id: &str) -> Self {
        Self::OpenId(open_id.to_owned())
    }
}

impl From<&Payer> for PayerApp {
    fn from(payer: &Payer) -> Self {
        payer.app()
    }
}

impl fmt::Debug for Payer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenId(_) => "OpenId(..)",
            Self::SubOpenId(_) => "SubOpenId(..)",
        })
    }
}
