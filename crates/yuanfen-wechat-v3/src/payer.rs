//! Who pays, under which app. v3 sheet, sections 1.1 and 13.1.

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Rule};

use crate::{MerchantIds, OpenId};

/// Who pays: an open id, and the app under which it was obtained. It is always one of the two. `Debug` shows no open id.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Payer {
    /// `payer.openid`, in partner form `payer.sp_openid`: under the app of the one who signs.
    OpenId(OpenId),
    /// `payer.sub_openid`: under the sub-merchant's app, which must be set. In partner form alone.
    SubOpenId(OpenId),
}

impl From<OpenId> for Payer {
    fn from(open_id: OpenId) -> Self {
        Self::OpenId(open_id)
    }
}

/// The member `payer`.
#[derive(Serialize)]
pub(crate) struct BodyPayer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a OpenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sp_openid: Option<&'a OpenId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_openid: Option<&'a OpenId>,
}

impl Payer {
    /// The payer in the shape of these ids.
    ///
    /// # Errors
    /// When the open id is not of its form, or is of an app that the account does not have.
    pub(crate) fn in_body(&self, ids: &MerchantIds) -> Result<BodyPayer<'_>, BuildError> {
        let mut body = BodyPayer {
            openid: None,
            sp_openid: None,
            sub_openid: None,
        };
        match (self, ids) {
            (Self::OpenId(open_id), MerchantIds::Direct(_)) => {
                check_open_id("payer.openid", open_id)?;
                body.openid = Some(open_id);
            }
            (Self::OpenId(open_id), MerchantIds::Partner(_)) => {
                check_open_id("payer.sp_openid", open_id)?;
                body.sp_openid = Some(open_id);
            }
            (Self::SubOpenId(open_id), MerchantIds::Partner(partner)) => {
                check_open_id("payer.sub_openid", open_id)?;
                if partner.sub_merchant.as_ref().is_none_or(|sub| sub.app_id.is_none()) {
                    return Err(BuildError::Missing {
                        field: "sub_appid",
                        when: "with `payer.sub_openid`, which is of that app (v3 sheet, section 13.1)",
                    });
                }
                body.sub_openid = Some(open_id);
            }
            (Self::SubOpenId(_), MerchantIds::Direct(_)) => {
                return Err(BuildError::Conflict {
                    fields: "payer.sub_openid and mchid",
                    problem: "a merchant's own order names its payer by `payer.openid` (v3 sheet, section 13.1)",
                });
            }
        }
        Ok(body)
    }
}

pub(crate) fn check_open_id(field: &'static str, open_id: &OpenId) -> Result<(), BuildError> {
    const VISIBLE: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
        character.is_ascii_graphic()
    });
    Rule::new(field, 128)
        .alphabet(VISIBLE)
        .source("v3 sheet, section 13.1")
        .check(open_id.as_str())
}
