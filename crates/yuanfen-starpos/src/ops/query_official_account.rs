//! `POST /pubSigQry.json` (公众号查询). Changes nothing.
//!
//! Contract: StarPos sheet, section 6.1; the owner's document `000_c0923fb314c782bc.txt`.

use http::Method;
use yuanfen_core::{
    Address, Ambient, BuildError, Clock14, Effect, Extra, FieldError, OpenError, Operation, Route, Rule, Secret, Taker,
    Verified,
};

use yuanfen_wechat_web::{Authorize, State};

use crate::message::{SignedAs, Writer};
use crate::{Account, Message, Reply};

/// Asks for the official account that the merchant is configured with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct QueryOfficialAccount {
    /// `attach`, at most 256 characters; sent with version `V1.0.1`.
    pub attach: Option<String>,
}

const ATTACH: Rule = Rule::new("attach", 256).source("StarPos sheet, section 6.1");

impl QueryOfficialAccount {
    /// The question.
    #[must_use]
    pub const fn new() -> Self {
        Self { attach: None }
    }
}

impl Operation for QueryOfficialAccount {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = OfficialAccount;

    const ROUTE: Route = Route::new(
        "starpos",
        "query_official_account",
        Method::POST,
        "/pubSigQry.json",
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let mut writer = Writer::default();
        writer.constant("orgNo", &account.organization)?;
        writer.constant("mercId", &account.merchant)?;
        writer.constant("trmNo", &account.terminal)?;
        writer.put("txnTime", &Clock14(ambient.now()))?;
        writer.maybe(&ATTACH, self.attach.as_deref())?;
        writer.constant("version", version(self.attach.as_ref()))?;
        Ok(writer.into_message(Self::ROUTE.path, SignedAs::TypeAndValue))
    }

    fn decode(&self, account: &Account, inbound: Verified<Reply>) -> Result<OfficialAccount, OpenError> {
        let reply = inbound.into_inner().accepted(account, &Self::ROUTE)?;
        OfficialAccount::read(&reply).map_err(OpenError::from)
    }
}

/// `attach` needs `V1.0.1`; everything else goes by the default.
pub(crate) const fn version(attach: Option<&String>) -> &'static str {
    if attach.is_some() { "V1.0.1" } else { "V1.0.0" }
}

/// The official account that the merchant is configured with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OfficialAccount {
    /// `appId`.
    pub app_id: String,
    /// `appIdKey`: the account's app secret. It must not leave the backend.
    pub app_secret: Secret<String>,
    /// `attach`.
    pub attach: Option<String>,
    /// What else came.
    pub extra: Extra,
}

impl OfficialAccount {
    fn read(reply: &Reply) -> Result<Self, FieldError> {
        let mut taker = Taker::new(&reply.fields);
        claim_common(&mut taker);
        Ok(Self {
            app_id: taker.need("appId")?,
            app_secret: Secret::new(taker.need("appIdKey")?),
            attach: taker.maybe("attach")?,
            extra: taker.rest(),
        })
    }
}

impl OfficialAccount {
    /// Where the visitor is sent for the code that [`PayOfficialAccount`](crate::ops::PayOfficialAccount) takes:
    /// WeChat's authorization page for this account. The browser comes back to `redirect_uri` with `code` and `state`
    /// (StarPos sheet, section 1.1).
    #[must_use]
    pub fn authorize(&self, redirect_uri: Address, state: State) -> Authorize {
        Authorize::new(self.app_id.as_str(), redirect_uri, state)
    }
}

/// Takes the fields that every answer has and that were looked at before it was let through.
pub(crate) fn claim_common(taker: &mut Taker<'_>) {
    for name in ["returnCode", "message", "mercId", "signValue", "sysTime"] {
        let _claimed = taker.text(name);
    }
}
