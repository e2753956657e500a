//! WeChat's web authorization, through which a payer's code comes (section 1.1 of the sheet).
//!
//! The pages are WeChat's own and stand at the root. The visitor is always the payer that the sandbox plays, and
//! always agrees.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use yuanfen_core::{Secret, UnixTime, constant_time_eq};

use crate::keys::{STARPOS_APP_ID, STARPOS_OPENID};
use crate::platforms::flat_json::FlatJson;
use crate::platforms::pages::{is_absolute, page, query_fields, redirect, with_parameters};
use crate::platforms::{Call, Desk};

pub(super) const AUTHORIZE: &str = "/connect/oauth2/authorize";
pub(super) const EXCHANGE: &str = "/sns/oauth2/access_token";

/// A code lives five minutes.
const CODE_LIFE: i64 = 300;
/// The link is matched against a pattern, so its parameters have one order.
const PARAMETERS: [&str; 5] = ["appid", "redirect_uri", "response_type", "scope", "state"];

/// The app's secret, and codes that were given out.
pub(super) struct Authorization {
    app_secret: Secret<String>,
    codes: BTreeMap<String, Grant>,
}

struct Grant {
    scope: &'static str,
    at: UnixTime,
    is_spent: bool,
}

/// Why a code buys nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadCode {
    /// It was never given out, or is older than five minutes.
    Invalid,
    /// It was used before.
    Spent,
}

impl Authorization {
    pub(super) const fn new(app_secret: Secret<String>) -> Self {
        Self {
            app_secret,
            codes: BTreeMap::new(),
        }
    }

    /// The secret of the official account, which the acquirer tells its partners.
    pub(super) fn app_secret(&self) -> &str {
        self.app_secret.expose()
    }

    /// Gives the openid that a code stands for, once.
    pub(super) fn redeem(&mut self, code: &str, now: UnixTime) -> Result<(&'static str, &'static str), BadCode> {
        let grant = self.codes.get_mut(code).ok_or(BadCode::Invalid)?;
        if grant.is_spent {
            return Err(BadCode::Spent);
        }
        if now.since(grant.at) >= CODE_LIFE {
            return Err(BadCode::Invalid);
        }
        grant.is_spent = true;
        Ok((STARPOS_OPENID, grant.scope))
    }

    /// The page that a visitor is led to.
    pub(super) fn authorize(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
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
        if given("appid") != STARPOS_APP_ID {
            return refuse("no such appid");
        }
        if given("response_type") != "code" {
            return refuse("`response_type` is not code");
        }
        if !is_absolute(back) {
            return refuse("`redirect_uri` is no absolute address");
        }
        if !(1..=128).contains(&state.len()) || !state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return refuse("`state` is not 1 to 128 letters and digits");
        }
        let code = desk.ambient.letters(32);
        let grant = Grant {
            scope,
            at: desk.now(),
            is_spent: false,
        };
        self.codes.insert(code.clone(), grant);
        redirect(&with_parameters(back, &[("code", &code), ("state", state)]))
    }

    /// A code for an openid, with the app's secret. Errors are numbered as WeChat numbers them.
    pub(super) fn exchange(&mut self, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
        let fields = query_fields(call.query).unwrap_or_default();
        let given = |name| fields.get(name).unwrap_or_default();
        let secret_holds = constant_time_eq(given("secret").as_bytes(), self.app_secret().as_bytes());
        let mut reply = FlatJson::default();
        let refusal = if call.method != Method::GET {
            Some(("43001", "require GET method"))
        } else if given("appid") != STARPOS_APP_ID {
            Some(("40013", "invalid appid"))
        } else if !secret_holds {
            Some(("40125", "invalid appsecret"))
        } else if given("grant_type") != "authorization_code" {
            Some(("40002", "invalid grant_type"))
        } else {
            match self.redeem(given("code"), desk.now()) {
                Ok((openid, scope)) => {
                    reply.text("access_token", &desk.ambient.letters(64));
                    reply.bare("expires_in", "7200");
                    reply.text("refresh_token", &desk.ambient.letters(64));
                    reply.text("openid", openid);
                    reply.text("scope", scope);
                    None
                }
                Err(BadCode::Invalid) => Some(("40029", "invalid code")),
                Err(BadCode::Spent) => Some(("40163", "code been used")),
            }
        };
        if let Some((code, words)) = refusal {
            reply.bare("errcode", code);
            reply.text("errmsg", words);
        }
        let mut response = Response::new(Bytes::from(reply.finish()));
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        response
    }
}
