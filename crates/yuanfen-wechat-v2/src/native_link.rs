//! Native mode 1 (模式一): a static code whose link names a product, and the question that WeChat asks when somebody scans
//! it. v2 sheet, section 3.3.
//!
//! The code that a shop prints once holds [`Account::native_link`]. For each scan WeChat posts to the address that is set
//! in the merchant console; [`Account::open_product_scan`] checks that, the shop places a NATIVE order for the payer, and
//! answers with [`Account::answer_product_scan`]. Mode 2 needs none of this: `code_url` of a NATIVE order is the code's
//! text. Whether mode 1 is still open to new merchants is not known.

use std::fmt::{self, Write as _};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Extra, FieldError, Fields, OpenError, PrepayId, Rule, Sign as _, Taker, Verified,
    nonce_text,
};

use crate::account::Account;
use crate::pay_params::check;
use crate::provider::{must_be_ours, read};
use crate::query::escape;
use crate::sign::{RULES, SignType, verify};
use crate::sub_merchant::Trade;

const PRODUCT_ID: Rule = Rule::new("product_id", 32).source("v2 sheet, sections 3.3 and 6.1");
const WORDS: Rule = Rule::new("err_code_des", 128)
    .alphabet(Alphabet::TEXT)
    .source("v2 sheet, section 6, common answer fields");

/// Somebody scanned a static code, proven by the platform's signature. The question can come again, and an order is placed
/// under the shop's own number: find the open one of this payer and product before placing another.
#[derive(Clone)]
#[non_exhaustive]
pub struct ScannedProduct {
    /// `product_id`: the merchant's own id of the goods, from the link.
    pub product_id: String,
    /// `openid`: who scanned, under the account's app id.
    pub openid: String,
    /// `is_subscribe`: `Y` or `N`.
    pub is_subscribed: Option<String>,
    /// What else came.
    pub extra: Extra,
}

/// Without the payer.
impl fmt::Debug for ScannedProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannedProduct")
            .field("product_id", &self.product_id)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl ScannedProduct {
    fn read(fields: &Fields) -> Result<Self, FieldError> {
        let mut taker = Taker::new(fields);
        for name in ["appid", "mch_id", "nonce_str", "sign", "sign_type"] {
            let _claimed = taker.text(name);
        }
        Ok(Self {
            product_id: taker.need("product_id")?,
            openid: taker.need("openid")?,
            is_subscribed: taker.maybe("is_subscribe")?,
            extra: taker.rest(),
        })
    }
}

/// What the shop says to a scan.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ScanAnswer<'a> {
    /// `prepay_id` of the order that was placed for this payer: the cashier opens.
    Order(&'a PrepayId),
    /// `err_code_des`: what the payer reads instead; at most 128 characters.
    Refused(&'a str),
}

impl Account {
    /// The text of a static code: `weixin://wxpay/bizpayurl?…`. The values are signed as they are and escaped in the link.
    ///
    /// Signed with MD5 whatever the account's own way is: the link does not name the algorithm.
    ///
    /// # Errors
    /// When the product id is empty, longer than 32 characters or holds control characters, and for a service provider's
    /// account: no page says how one makes such a link.
    pub fn native_link(&self, product_id: &str, ambient: &dyn Ambient) -> Result<String, BuildError> {
        PRODUCT_ID.check(product_id)?;
        if self.trade != Trade::Own {
            return Err(BuildError::Setup {
                what: "way to make this link for a sub-merchant: no page describes one",
            });
        }
        let time_stamp = ambient.now().seconds().to_string();
        let nonce = nonce_text(ambient);
        let pairs = [
            ("appid", &*self.app_id),
            ("mch_id", &*self.merchant_id),
            ("product_id", product_id),
            ("time_stamp", &*time_stamp),
            ("nonce_str", &*nonce),
        ];
        let fields = Fields::try_from(&pairs[..]).map_err(BuildError::encode)?;
        let mut link = format!("weixin://wxpay/bizpayurl?sign={}", self.md5_of(&fields, ambient)?);
        for (name, value) in pairs {
            _ = write!(link, "&{name}={}", escape(value));
        }
        Ok(link)
    }

    /// Checks and opens what WeChat posts when somebody scanned a static code.
    ///
    /// # Errors
    /// When it is not signed with this account's key (by MD5, or in the account's own way), is about another account, or
    /// names no product or payer.
    pub fn open_product_scan(&self, request: &Request<Bytes>) -> Result<Verified<ScannedProduct>, OpenError> {
        let fields = read(request.body())?;
        let accepted = [SignType::Md5, self.sign_type];
        verify(self, fields, &accepted)?.try_map(|fields| {
            must_be_ours(&fields, self)?;
            ScannedProduct::read(&fields).map_err(OpenError::from)
        })
    }

    /// The signed answer to a scan.
    ///
    /// # Errors
    /// When the prepay id's two hours are over or it is none, or the words are empty or too long.
    pub fn answer_product_scan(
        &self,
        answer: &ScanAnswer<'_>,
        ambient: &dyn Ambient,
    ) -> Result<Response<Bytes>, BuildError> {
        let nonce = nonce_text(ambient);
        let mut pairs = vec![
            ("return_code", "SUCCESS"),
            ("appid", &*self.app_id),
            ("mch_id", &*self.merchant_id),
            ("nonce_str", &*nonce),
        ];
        match answer {
            ScanAnswer::Order(prepay_id) => {
                check(prepay_id, ambient)?;
                pairs.extend([("prepay_id", prepay_id.as_str()), ("result_code", "SUCCESS")]);
            }
            ScanAnswer::Refused(words) => {
                WORDS.check(words)?;
                pairs.extend([("result_code", "FAIL"), ("err_code_des", *words)]);
            }
        }
        let mut fields = Fields::try_from(&pairs[..]).map_err(BuildError::encode)?;
        let signature = self.md5_of(&fields, ambient)?;
        fields.push("sign", &signature).map_err(BuildError::encode)?;
        let body = yuanfen_xml::write("xml", &fields).map_err(BuildError::encode)?;
        let mut response = Response::new(Bytes::from(body));
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
        Ok(response)
    }

    fn md5_of(&self, fields: &Fields, ambient: &dyn Ambient) -> Result<String, BuildError> {
        let signer = self.signer_of(SignType::Md5);
        Ok(signer.sign(RULES.text(fields, signer.key()).as_bytes(), ambient)?)
    }
}
