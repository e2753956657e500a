//! `POST /tools/authcodetoopenid` (授权码查询 openid): whose code was scanned, before it is charged.
//!
//! Repeatable: the same code is answered with the same payer. It changes one thing: from then on only this merchant can
//! charge that code, until the payer's phone shows another. Contract: v2 sheet, section 6.10.

use std::fmt;

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, OpenError, Operation, Route, Taker, Verified};

use super::AuthCode;
use super::place_order::claim_common;
use crate::message::Writer;
use crate::{Account, Message, Reply};

/// Asks whose code was scanned.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExchangeAuthCode {
    /// `auth_code`.
    pub auth_code: AuthCode,
}

impl ExchangeAuthCode {
    /// Asks about that code.
    pub fn new(auth_code: impl Into<AuthCode>) -> Self {
        Self {
            auth_code: auth_code.into(),
        }
    }
}

impl Operation for ExchangeAuthCode {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = ExchangedAuthCode;

    const ROUTE: Route = Route::new(
        "wechat-v2",
        "exchange_auth_code",
        Method::POST,
        "/tools/authcodetoopenid",
        Effect::Repeatable,
    );

    fn encode(&self, _account: &Account, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        writer.text(&AuthCode::RULE, self.auth_code.expose())?;
        Ok(writer.into_message(Self::ROUTE.path))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<ExchangedAuthCode, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(ExchangedAuthCode {
            openid: taker.need("openid")?,
            sub_openid: taker.maybe("sub_openid")?,
            extra: taker.rest(),
        })
    }
}

/// Whose code it is.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExchangedAuthCode {
    /// `openid`: the payer under the account's app id.
    pub openid: String,
    /// `sub_openid`: the payer under the sub-merchant's app id.
    pub sub_openid: Option<String>,
    /// What else came.
    pub extra: Extra,
}

/// Nothing about the payer.
impl fmt::Debug for ExchangedAuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedAuthCode")
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}
