//! `POST /tools/shorturl` (转换短链接): a short form of a static code's link, which makes a smaller code. Changes nothing.
//!
//! The link is signed as it is and sent URL-encoded. Contract: v2 sheet, section 6.10.

use http::Method;
use yuanfen_core::{Alphabet, Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Rule, Taker, Verified};

use super::place_order::claim_common;
use crate::message::Writer;
use crate::query::escape;
use crate::{Account, Message, Reply};

const LONG_URL: Rule = Rule::new("long_url", 512)
    .alphabet(Alphabet::ASCII)
    .source("v2 sheet, section 6.10");

/// Asks for a short form of a link.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShortenLink {
    /// `long_url`: `weixin://wxpay/bizpayurl?…`, as [`Account::native_link`] makes it; at most 512 characters.
    pub long_url: String,
}

impl ShortenLink {
    /// The short form of that link.
    pub fn new(long_url: impl Into<String>) -> Self {
        Self {
            long_url: long_url.into(),
        }
    }
}

impl Operation for ShortenLink {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ShortenedLink;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "shorten_link",
        Method::POST,
        "/tools/shorturl",
        Effect::Read,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        writer.text(&LONG_URL, &self.long_url)?;
        let message = writer.into_message(Self::ROUTE.path);
        Ok(message.sent_as(LONG_URL.field, escape(&self.long_url).to_string()))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ShortenedLink, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(ShortenedLink {
            short_url: taker.need("short_url")?,
            extra: taker.rest(),
        })
    }
}

/// The short form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ShortenedLink {
    /// `short_url`: the text of the QR code.
    pub short_url: String,
    /// What else came.
    pub extra: Extra,
}
