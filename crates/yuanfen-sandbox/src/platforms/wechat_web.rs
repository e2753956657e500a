//! WeChat's own web, in between shop and payment: the page that asks a visitor, the openid behind a code, an app's token
//! and the ticket that its pages are signed with.
//!
//! None of it belongs to one platform: each has apps, and an app has visitors. The visitor is always the payer that the
//! sandbox plays, and always agrees. The pages stand at the root, as on `open.weixin.qq.com` and `api.weixin.qq.com`.

mod codes;
mod tokens;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::Value;
use yuanfen_core::{Fields, Limits, Secret, constant_time_eq};
use yuanfen_sign::Sha1Stream;

pub(super) use self::codes::BadCode;
use self::codes::{Codes, Purpose};
use self::tokens::{BadToken, Tokens};
use super::flat_json::FlatJson;
use super::pages::{is_absolute, page, query_fields, redirect, with_parameters};
use super::{Call, Desk, PageRefused};
use crate::ambient::SeededAmbient;

const AUTHORIZE: &str = "/connect/oauth2/authorize";
const EXCHANGE: &str = "/sns/oauth2/access_token";
const LOG_IN: &str = "/sns/jscode2session";
const TOKEN: &str = "/cgi-bin/token";
const STABLE_TOKEN: &str = "/cgi-bin/stable_token";
const TICKET: &str = "/cgi-bin/ticket/getticket";

/// The link is matched against a pattern, so its parameters have one order.
const PARAMETERS: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];

/// The operation of a page, in the sandbox's words.
pub(super) fn operation(path: &str) -> Option<&'static str> {
    Some(match path {
        AUTHORIZE => "authorize-page",
        EXCHANGE => "exchange-code",
        LOG_IN => "log-in",
        TOKEN | STABLE_TOKEN => "app-token",
        TICKET => "page-ticket",
        _ => return None,
    })
}

/// An app: an official account or a mini program, which here is the same.
#[derive(Clone)]
pub(super) struct App {
    pub(super) id: &'static str,
    pub(super) secret: Secret<String>,
    /// The visitor under this app.
    pub(super) openid: String,
}

/// The apps of one platform and what they were given.
pub(super) struct WechatWeb {
    apps: Vec<App>,
    codes: Codes,
    tokens: Tokens,
}

/// An error as WeChat numbers it.
struct Refusal(&'static str, &'static str);

const BAD_APP: Refusal = Refusal("40013", "invalid appid");
const BAD_SECRET: Refusal = Refusal("40125", "invalid appsecret");
const BAD_GRANT: Refusal = Refusal("40002", "invalid grant_type");
const NOT_GET: Refusal = Refusal("43001", "require GET method");

impl From<BadCode> for Refusal {
    fn from(bad: BadCode) -> Self {
        match bad {
            BadCode::Invalid => Self("40029", "invalid code"),
            BadCode::Spent => Self("40163", "code been used"),
        }
    }
}

impl From<BadToken> for Refusal {
    fn from(bad: BadToken) -> Self {
        match bad {
            BadToken::Unknown => Self("40001", "invalid credential, access_token is invalid or not latest"),
            BadToken::Expired => Self("42001", "access_token expired"),
        }
    }
}

impl WechatWeb {
    pub(super) fn new(apps: Vec<App>) -> Self {
        Self {
            apps,
            codes: Codes::default(),
            tokens: Tokens::default(),
        }
    }

    /// Whether a call is about one of these apps.
    pub(super) fn knows(&self, call: &Call<'_>) -> bool {
        if operation(call.path).is_none() {
            return false;
        }
        let given = given(call);
        match given.get("access_token") {
            Some(token) => self.tokens.knows(token),
            None => given.get("appid").is_some_and(|id| self.app(id).is_some()),
        }
    }

    fn app(&self, id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// Answers a call that [`operation`] knows.
    pub(super) fn answer(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
        let outcome = match call.path {
            AUTHORIZE => return self.authorize(call, desk),
            EXCHANGE => self.exchange(call, desk),
            LOG_IN => self.log_in(call, desk),
            TICKET => self.ticket(call, desk),
            _ => self.token(call, desk),
        };
        tell(outcome)
    }

    /// The page that a visitor is led to.
    fn authorize(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
        if call.method != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "the page is opened with GET");
        }
        let refuse = |words| page(StatusCode::BAD_REQUEST, words);
        let Some(fields) = query_fields(call.query) else {
            return refuse("the parameters cannot be read");
        };
        if !fields.iter().map(|(name, _)| name).eq(PARAMETERS) {
            return refuse("the parameters are not appid, redirect_uri, response_type, scope, state in this order");
        }
        let given = |name| fields.get(name).unwrap_or_default();
        let scope = match given("scope") {
            "snsapi_base" => "snsapi_base",
            "snsapi_userinfo" => "snsapi_userinfo",
            _ => return refuse("`scope` is neither snsapi_base nor snsapi_userinfo"),
        };
        let (back, state) = (given("redirect_uri"), given("state"));
        let Some(app) = self.app(given("appid")) else {
            return refuse("no such appid");
        };
        if given("response_type") != "code" {
            return refuse("`response_type` is not code");
        }
        if !is_absolute(back) {
            return refuse("`redirect_uri` is no absolute address");
        }
        if !(1..=128).contains(&state.len()) || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return refuse("`state` is not 1 to 128 letters and digits");
        }
        let app = app.id;
        let code = self.codes.give(app, Purpose::Page { scope }, desk.ambient, desk.now());
        redirect(&with_parameters(back, &[("code", &code), ("state", state)]))
    }

    /// A code such as `wx.login` gives a mini program; `None` where the app is not known.
    pub(super) fn login_code(&mut self, app_id: &str, ambient: &SeededAmbient) -> Option<String> {
        let app = self.app(app_id)?.id;
        let now = yuanfen_core::Ambient::now(ambient);
        Some(self.codes.give(app, Purpose::LogIn, ambient, now))
    }

    /// Gives the openid that a page's code stands for, once.
    pub(super) fn redeem(&mut self, code: &str, desk: &Desk<'_>) -> Result<String, BadCode> {
        let (app, ..) = self.codes.redeem_of_page(code, None, desk.now())?;
        Ok(self.openid(app))
    }

    fn openid(&self, app: &str) -> String {
        self.app(app).map(|app| app.openid.clone()).unwrap_or_default()
    }

    /// The app that a call names, if it gives its secret.
    fn caller(&self, given: &Fields) -> Result<&App, Refusal> {
        let app = self.app(given.get("appid").unwrap_or_default()).ok_or(BAD_APP)?;
        let secret = given.get("secret").unwrap_or_default();
        if constant_time_eq(secret.as_bytes(), app.secret.expose().as_bytes()) {
            Ok(app)
        } else {
            Err(BAD_SECRET)
        }
    }

    /// A page's code for an openid.
    fn exchange(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<FlatJson, Refusal> {
        let given = read_get(call)?;
        let app = self.caller(&given)?.id;
        need_grant(&given, "authorization_code")?;
        let code = given.get("code").unwrap_or_default();
        let (app, scope) = self.codes.redeem_of_page(code, Some(app), desk.now())?;
        let mut reply = FlatJson::default();
        reply.text("access_token", &desk.ambient.letters(64));
        reply.bare("expires_in", "7200");
        reply.text("refresh_token", &desk.ambient.letters(64));
        reply.text("openid", &self.openid(app));
        reply.text("scope", scope);
        Ok(reply)
    }

    /// A mini program's code for an openid and the key of its session.
    fn log_in(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<FlatJson, Refusal> {
        let given = read_get(call)?;
        let app = self.caller(&given)?.id;
        need_grant(&given, "authorization_code")?;
        let code = given.get("js_code").unwrap_or_default();
        self.codes.redeem_of_login(code, app, desk.now())?;
        let mut reply = FlatJson::default();
        // Sixteen bytes in base64.
        reply.text("session_key", &format!("{}==", desk.ambient.letters(22)));
        reply.text("openid", &self.openid(app));
        Ok(reply)
    }

    /// The app's own token: a new one with each call, or the same for as long as it lives.
    fn token(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<FlatJson, Refusal> {
        let is_stable = call.path == STABLE_TOKEN;
        let (given, renew) = if is_stable {
            if call.method != Method::POST {
                return Err(Refusal("43002", "require POST method"));
            }
            read_json(call.body)?
        } else {
            (read_get(call)?, true)
        };
        need_grant(&given, "client_credential")?;
        let app = self.caller(&given)?.id;
        let (token, seconds) = self.tokens.give(app, renew, desk.ambient, desk.now());
        let mut reply = FlatJson::default();
        reply.text("access_token", &token);
        reply.bare("expires_in", &seconds.to_string());
        Ok(reply)
    }

    /// What pages are signed with.
    fn ticket(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Result<FlatJson, Refusal> {
        let given = read_get(call)?;
        let app = self
            .tokens
            .app_of(given.get("access_token").unwrap_or_default(), desk.now())?;
        if given.get("type") != Some("jsapi") {
            return Err(Refusal("40097", "invalid args"));
        }
        let (ticket, seconds) = self.tokens.ticket(app, desk.ambient, desk.now());
        let mut reply = FlatJson::default();
        reply.bare("errcode", "0");
        reply.text("errmsg", "ok");
        reply.text("ticket", &ticket);
        reply.bare("expires_in", &seconds.to_string());
        Ok(reply)
    }

    /// Does what WeChat's app does when a page calls `wx.config`: checks the signature over the ticket, the nonce, the
    /// timestamp and the page's own address without its fragment.
    pub(super) fn open_page(&self, url: &str, parameters: &[(&str, &str)], desk: &Desk<'_>) -> Result<(), PageRefused> {
        let need = |name: &'static str| {
            let found = parameters.iter().find(|(candidate, _)| *candidate == name);
            found
                .map(|(_, value)| *value)
                .filter(|value| !value.is_empty())
                .ok_or(PageRefused::Parameter(name))
        };
        let app = self.app(need("appId")?).ok_or(PageRefused::Parameter("appId"))?;
        let (timestamp, nonce, signature) = (need("timestamp")?, need("nonceStr")?, need("signature")?);
        let ticket = self
            .tokens
            .live_ticket(app.id, desk.now())
            .ok_or(PageRefused::Expired)?;
        let (page, _) = url.split_once('#').unwrap_or((url, ""));
        let mut digest = Sha1Stream::new();
        digest.push(format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={page}").as_bytes());
        if constant_time_eq(digest.finish_hex().as_bytes(), signature.as_bytes()) {
            Ok(())
        } else {
            Err(PageRefused::Signature)
        }
    }

    /// "System error", as WeChat words it.
    pub(super) fn busy() -> Response<Bytes> {
        tell(Err(Refusal("-1", "system error")))
    }
}

/// What a call says, wherever it says it; nothing is checked.
fn given(call: &Call<'_>) -> Fields {
    if call.path == STABLE_TOKEN {
        read_json(call.body).map(|(fields, _)| fields).unwrap_or_default()
    } else {
        query_fields(call.query).unwrap_or_default()
    }
}

fn read_get(call: &Call<'_>) -> Result<Fields, Refusal> {
    if call.method == Method::GET {
        Ok(query_fields(call.query).unwrap_or_default())
    } else {
        Err(NOT_GET)
    }
}

/// The texts of a flat object, and whether it forces a new token.
fn read_json(body: &[u8]) -> Result<(Fields, bool), Refusal> {
    let refuse = || Refusal("47001", "data format error");
    if body.len() > Limits::DEFAULT.bytes {
        return Err(refuse());
    }
    let Ok(Value::Object(members)) = serde_json::from_slice(body) else {
        return Err(refuse());
    };
    let mut fields = Fields::new();
    for (name, value) in &members {
        if let Value::String(text) = value {
            fields.push(name, text).map_err(|_| refuse())?;
        }
    }
    Ok((fields, members.get("force_refresh") == Some(&Value::Bool(true))))
}

fn need_grant(given: &Fields, grant: &str) -> Result<(), Refusal> {
    if given.get("grant_type") == Some(grant) {
        Ok(())
    } else {
        Err(BAD_GRANT)
    }
}

fn tell(outcome: Result<FlatJson, Refusal>) -> Response<Bytes> {
    let reply = outcome.unwrap_or_else(|Refusal(code, words)| {
        let mut reply = FlatJson::default();
        reply.bare("errcode", code);
        reply.text("errmsg", words);
        reply
    });
    let mut response = Response::new(Bytes::from(reply.finish()));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
