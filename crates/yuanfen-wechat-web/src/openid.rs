//! Code to openid: web authorization of official accounts, log-in of mini programs.

use std::fmt;
use std::time::Duration;

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, Effect, Extra, JsonTaker, Loose, Object, OpenError, Operation, Refusal, Route, Secret,
    Unsigned,
};

use crate::codes::meaning;
use crate::{App, Message};

/// Exchanges the code of a visitor who came back from the authorization page of an official account:
/// `GET /sns/oauth2/access_token`.
///
/// The call changes nothing that money hangs on, so it counts as a read; but a code works once, and one that was spent
/// on an answer that got lost is refused when it is sent again (`40163`).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExchangeCode {
    /// `code`: what the browser brought back, 1 to 512 bytes.
    pub code: Secret<String>,
}

impl ExchangeCode {
    /// Spends that code.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: Secret::new(code.into()),
        }
    }
}

/// Who the visitor of an official account is. `Debug` shows neither numbers nor tokens.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExchangedCode {
    /// `openid`: the visitor under this account.
    pub openid: String,
    /// `is_snapshotuser` is 1: the visitor looks at a snapshot of the page under a virtual openid, **which cannot pay**.
    /// The page has to ask them to open it in full.
    pub snapshot: bool,
    /// `unionid`: the visitor under all accounts of one owner, where the account is bound to an open platform.
    pub union_id: Option<String>,
    /// `access_token`: for reading the visitor's profile, not for other calls.
    pub access_token: Option<Secret<String>>,
    /// `expires_in`: how long the token works.
    pub expires_in: Option<Duration>,
    /// `refresh_token`: gets another token.
    pub refresh_token: Option<Secret<String>>,
    /// `scope`: what the visitor agreed to.
    pub scope: Option<String>,
    /// Members that this version does not know.
    pub extra: Extra,
}

impl Operation for ExchangeCode {
    type Provider = App;
    type Inbound = Unsigned<Object>;
    type Reply = ExchangedCode;

    const ROUTE: Route = Route::new(
        "wechat-web",
        "exchange_code",
        Method::GET,
        "/sns/oauth2/access_token",
        Effect::Read,
    );

    fn encode(&self, _app: &App, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        Message::new(Self::ROUTE.path, "code", &self.code)
    }

    fn decode(&self, _app: &App, inbound: Unsigned<Object>) -> Result<ExchangedCode, OpenError> {
        let mut taker = JsonTaker::new(inbound.get());
        refuse_errors(&mut taker)?;
        Ok(ExchangedCode {
            openid: taker.need("openid")?,
            snapshot: taker.maybe("is_snapshotuser")? == Some(Loose(1_i64)),
            union_id: taker.maybe("unionid")?,
            access_token: taker.maybe("access_token")?.map(Secret::new),
            expires_in: taker.maybe("expires_in")?.map(seconds),
            refresh_token: taker.maybe("refresh_token")?.map(Secret::new),
            scope: taker.maybe("scope")?,
            extra: taker.rest(),
        })
    }
}

/// Logs in a visitor of a mini program with the code of `wx.login`: `GET /sns/jscode2session`.
///
/// The call changes nothing that money hangs on, so it counts as a read; but a code works once, and one that was spent
/// on an answer that got lost is refused when it is sent again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LogIn {
    /// `js_code`: what `wx.login` gave the mini program, 1 to 512 bytes.
    pub code: Secret<String>,
}

impl LogIn {
    /// Spends that code.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: Secret::new(code.into()),
        }
    }
}

/// Who the visitor of a mini program is. `Debug` shows neither numbers nor keys.
#[derive(Clone)]
#[non_exhaustive]
pub struct LoggedIn {
    /// `openid`: the visitor under this mini program.
    pub openid: String,
    /// `session_key`: opens what the mini program encrypts for its backend. It must never reach the mini program.
    pub session_key: Secret<String>,
    /// `unionid`: the visitor under all accounts of one owner, where the mini program is bound to an open platform.
    pub union_id: Option<String>,
    /// Members that this version does not know.
    pub extra: Extra,
}

impl Operation for LogIn {
    type Provider = App;
    type Inbound = Unsigned<Object>;
    type Reply = LoggedIn;

    const ROUTE: Route = Route::new("wechat-web", "log_in", Method::GET, "/sns/jscode2session", Effect::Read);

    fn encode(&self, _app: &App, _ambient: &dyn Ambient) -> Result<Message, BuildError> {
        Message::new(Self::ROUTE.path, "js_code", &self.code)
    }

    fn decode(&self, _app: &App, inbound: Unsigned<Object>) -> Result<LoggedIn, OpenError> {
        let mut taker = JsonTaker::new(inbound.get());
        refuse_errors(&mut taker)?;
        Ok(LoggedIn {
            openid: taker.need("openid")?,
            session_key: Secret::new(taker.need("session_key")?),
            union_id: taker.maybe("unionid")?,
            extra: taker.rest(),
        })
    }
}

/// An `errcode` other than 0 is a refusal, whatever else the answer holds. The documentation shows it as a number and
/// as a text.
fn refuse_errors(taker: &mut JsonTaker<'_>) -> Result<(), OpenError> {
    let code: Option<Loose<i64>> = taker.maybe("errcode")?;
    let message: Option<String> = taker.maybe("errmsg")?;
    let Some(Loose(code)) = code.filter(|Loose(code)| *code != 0) else {
        return Ok(());
    };
    let message = message.unwrap_or_default();
    let mut refusal = Refusal::new(code.to_string(), message.as_str(), meaning(code));
    // "invalid code, rid: 6583f22d-35b1b023-4a6d02b6"
    refusal.remote_request_id = message
        .split_once("rid: ")
        .map(|(_, rest)| rest.split([' ', ',']).next().unwrap_or(rest).to_owned());
    Err(refusal.into())
}

fn seconds(Loose(seconds): Loose<u32>) -> Duration {
    Duration::from_secs(seconds.into())
}

impl fmt::Debug for ExchangedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangedCode")
            .field("snapshot", &self.snapshot)
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for LoggedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoggedIn")
            .field("extra", &self.extra)
            .finish_non_exhaustive()
    }
}
