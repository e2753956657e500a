//! Browser addresses, and what browsers bring back: mpgateway sheet, sections 6.4 to 6.6.

use serde::Serialize;
use yuanfen_core::{
    Address, Alphabet, Ambient, BuildError, Fields, Limits, OpenError, OrderNo, ProtocolError, Rule, Sign as _,
    Verified,
};
use yuanfen_form::base64_json;
use yuanfen_sign::keyed_text;

use crate::Account;
use crate::notify::ResultNotice;
use crate::ops::SubmitOrder;
use crate::provider::signed;

/// What submit answered in `formaction`.
const PAY_ID: Rule = Rule::new("code", 256)
    .alphabet(Alphabet::ASCII)
    .source("no limit is published");

/// `GET /wxjsapi/openid.html`: sends a visitor through the operator's official account and back, with an openid. Not
/// signed, and nothing authenticates the openid that comes back: tie it to the visitor's own session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenidPage {
    /// `backurl`: where the visitor comes back to. It may have a query of its own.
    pub back_url: Address,
    /// `payway`: a channel id, digits, where several are open to the merchant.
    pub channel: Option<String>,
}

impl OpenidPage {
    /// The page that comes back to that address.
    #[must_use]
    pub const fn new(back_url: Address) -> Self {
        Self {
            back_url,
            channel: None,
        }
    }
}

/// What a browser brings to `fronturl`. For display only; a query or the notice says whether money moved.
pub type FrontReturn = ResultNotice;

impl Account {
    /// The address of the openid page. It names the merchant, so that the openid fits the channel in use.
    ///
    /// # Errors
    /// When the channel id is not 1 to 32 digits.
    pub fn openid_page(&self, page: &OpenidPage) -> Result<String, BuildError> {
        let mut fields = Fields::new();
        let mut push = |name, value: &str| fields.push(name, value).map_err(BuildError::encode);
        push("backurl", page.back_url.as_str())?;
        if let Some(channel) = &page.channel {
            SubmitOrder::check_channel(channel)?;
            push("payway", channel)?;
        }
        push("merid", &self.merchant)?;
        Ok(format!(
            "{}?{}",
            self.base.join("/wxjsapi/openid.html"),
            yuanfen_form::write_query(&fields)
        ))
    }

    /// The signed address of the pay page, for the pay id of an official-account order. WeChat takes payments from
    /// registered directories only, which is why the operator has this page.
    ///
    /// # Errors
    /// When the order number breaks its rule, or the pay id is empty or no id at all.
    pub fn pay_page(&self, order_no: &OrderNo, pay_id: &str, ambient: &dyn Ambient) -> Result<String, BuildError> {
        #[derive(Serialize)]
        struct Body<'a> {
            merid: &'a str,
            orderid: &'a OrderNo,
            code: &'a str,
        }
        SubmitOrder::check_order_no(order_no)?;
        PAY_ID.check(pay_id)?;
        let body = Body {
            merid: &self.merchant,
            orderid: order_no,
            code: pay_id,
        };
        let req = base64_json::encode(&serde_json::to_vec(&body).map_err(BuildError::encode)?);
        let text = keyed_text(req.as_bytes(), self.signer.key());
        let signature = self.signer.sign(text.as_bytes(), ambient)?;
        let query = yuanfen_form::write(&signed(&req, &signature)?);
        Ok(format!("{}?{query}", self.base.join("/wxjsapi/gopay.html")))
    }

    /// Opens the query with which a browser arrives at `fronturl`.
    ///
    /// # Errors
    /// When it is not `resp` and `sign`, or the signature does not hold.
    pub fn open_front_return(&self, query: &str) -> Result<Verified<FrontReturn>, OpenError> {
        let fields = yuanfen_form::read(query.as_bytes(), &Limits::DEFAULT)
            .map_err(|error| ProtocolError::unreadable(query.as_bytes(), error))?;
        ResultNotice::open(self, &fields)
    }
}
