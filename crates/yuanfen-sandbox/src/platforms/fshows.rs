//! fshows, the platform's side, from its sheet: a form whose `content` is JSON, RSA with SHA-1, replies that nobody
//! signs, call-backs that the platform signs.

mod orders;
mod refunds;
mod shares;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use yuanfen_core::{FieldError, Fields, JsonTaker, Limits, Object, Sign as _, UnixTime, Verify as _};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, Tail};

use super::flat_json::FlatJson;
use super::pages::{is_absolute, page, query_fields, redirect};
use super::{Call, Desk, PageRefused, Platform, PlatformSide};
use crate::ambient::SeededAmbient;
use crate::book::{Book, Order, OrderState};
use crate::deliver::Event;
use crate::diagnosis::{Mistake, Pairs, Rsa};
use crate::exchange::SignatureVerdict;
use crate::faults::Subject;
use crate::keys::{FSHOWS_APP_ID, KeyError, KeySet};

const GATEWAY: &str = "/fshows/gateway";
const PAY_PAGE: &str = "/fshows/payPage/";

const PLACE: &str = "fshows.liquidation.wxpay.mppay";
const QUERY: &str = "fshows.liquidation.alipay.trade.query";
const CLOSE: &str = "fshows.liquidation.order.close";
const REFUND: &str = "fshows.liquidation.pay.refund";
const REFUND_QUERY: &str = "fshows.liquidation.pay.refund.query";

/// Sheet, sections 6.1 and 6.3.
const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::None,
    left_out: &["sign", "sign_type"],
    blanks: Blanks::Keep,
};

/// No schedule could be found (sheet, section 11.3). This one is the sandbox's own: seconds to wait after each
/// attempt, eight attempts within two hours.
const LADDER: &[u64] = &[15, 30, 60, 300, 900, 1800, 3600];

pub(super) struct Fshows {
    merchant: LegacyRsaVerifyingKey,
    platform: LegacyRsaSigningKey,
}

/// What a call is refused with; the codes are the sheet's (section 12).
struct Refusal {
    code: &'static str,
    words: String,
}

impl Refusal {
    fn new(code: &'static str, words: impl Into<String>) -> Self {
        Self {
            code,
            words: words.into(),
        }
    }

    fn parameter(name: &str) -> Self {
        Self::new("-101", format!("无效参数 >> {name}"))
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::parameter(&error.path)
    }
}

impl Fshows {
    pub(super) fn new(keys: &KeySet) -> Result<Self, KeyError> {
        let keys = keys.fshows();
        Ok(Self {
            merchant: LegacyRsaVerifyingKey::parse(&keys.merchant.public_key_pem, RsaDigest::Sha1)?,
            platform: LegacyRsaSigningKey::parse(keys.platform.private_key_pem.expose(), RsaDigest::Sha1)?,
        })
    }

    fn call(&self, call: &Call<'_>, desk: &mut Desk<'_>) -> Result<FlatJson, Refusal> {
        if call.method != Method::POST {
            return Err(Refusal::new("-101", "无效参数 >> POST"));
        }
        let form = read_form(call)?;
        let need = |name| form.filled(name).ok_or_else(|| Refusal::parameter(name));
        let (app_id, method, content) = (need("app_id")?, need("method")?, need("content")?);
        let text = RULES.keyless_text(&form);
        let shown = Some(text.redacted());
        let Some(signature) = form.filled("sign") else {
            desk.checked(SignatureVerdict::Missing, shown);
            return Err(Refusal::new("-100", "无效签名"));
        };
        if app_id != FSHOWS_APP_ID {
            desk.checked(SignatureVerdict::UnknownKey, shown);
            return Err(Refusal::new("-201", "清算方无效"));
        }
        if self.merchant.verify(text.as_bytes(), signature).is_err() {
            desk.checked(SignatureVerdict::Mismatch, shown);
            let pairs = Pairs {
                rules: RULES,
                fields: form.clone(),
                key: None,
                json: Some("content"),
            };
            let sha256 = self.merchant.clone().with_digest(RsaDigest::Sha256);
            let judge = Rsa::new(self.merchant.clone(), signature).or(Mistake::OtherDigest, sha256);
            desk.inquire(move || pairs.explain(&judge));
            return Err(Refusal::new("-100", "无效签名"));
        }
        desk.checked(SignatureVerdict::Holds, shown);
        if need("version")? != "1.0" {
            return Err(Refusal::parameter("version"));
        }
        if let Some(row) = desk.refusal(Platform::Fshows) {
            return Err(Refusal::new(row.code, row.words));
        }
        let perform = match method {
            PLACE => orders::place,
            QUERY => orders::query,
            CLOSE => orders::close,
            REFUND => refunds::create,
            REFUND_QUERY => refunds::query,
            _ => return Err(Refusal::new("-102", "权限不足")),
        };
        let content =
            Object::parse(content.as_bytes(), &Limits::DEFAULT).map_err(|_| Refusal::new("-223", "解析错误"))?;
        let mut value = perform(&content, desk)?;
        if desk.adds_fields() {
            value.text("sandbox_new_field", "新 a&b=c");
        }
        Ok(value)
    }

    /// The order that a cashier page is opened for.
    fn cashier_order(prepay_id: Option<&str>, desk: &mut Desk<'_>) -> Result<Order, PageRefused> {
        let prepay_id = prepay_id.ok_or(PageRefused::Parameter("prepay_id"))?;
        let now = desk.now();
        let order = desk
            .book
            .by_detail(Platform::Fshows, orders::PREPAY_ID, prepay_id, now)
            // Who paid in time may still come back to the page.
            .filter(|order| order.state() != OrderState::Closed)
            .cloned();
        order.ok_or(PageRefused::Expired)
    }

    /// Until the order is paid the page says so; then it sends the browser on.
    fn pay_page(call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if call.method != Method::GET {
            return page(StatusCode::METHOD_NOT_ALLOWED, "the page is opened with GET");
        }
        let fields = query_fields(call.query).unwrap_or_default();
        let back = fields.filled("callback_url");
        if back.is_some_and(|url| !is_absolute(url)) {
            return page(StatusCode::BAD_REQUEST, "`callback_url` is no absolute address");
        }
        match Self::cashier_order(fields.filled("prepay_id"), desk) {
            Err(refused) => page(StatusCode::BAD_REQUEST, &refused.to_string()),
            Ok(order) => match (order.state(), back) {
                (OrderState::Unpaid, _) => page(StatusCode::OK, "the order waits for its payer"),
                (_, Some(back)) => redirect(back),
                (_, None) => page(StatusCode::OK, "the order is paid"),
            },
        }
    }
}

impl PlatformSide for Fshows {
    fn platform(&self) -> Platform {
        Platform::Fshows
    }

    fn owns(&self, call: &Call<'_>) -> bool {
        call.path.starts_with("/fshows/")
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        match call.path {
            PAY_PAGE => "cashier-page",
            GATEWAY => match read_form(call).as_ref().map(|form| form.get("method")) {
                Ok(Some(PLACE)) => "place-order",
                Ok(Some(QUERY)) => "query-order",
                Ok(Some(CLOSE)) => "close-order",
                Ok(Some(REFUND)) => "refund",
                Ok(Some(REFUND_QUERY)) => "query-refund",
                _ => "unknown",
            },
            _ => "unknown",
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        match call.path {
            GATEWAY => match self.call(call, desk) {
                Ok(value) => succeed(value),
                Err(refusal) => refuse(&refusal),
            },
            PAY_PAGE => Self::pay_page(call, desk),
            _ => page(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    fn subject(&self, call: &Call<'_>, book: &mut Book, now: UnixTime) -> Subject {
        let mut named = || {
            let form = read_form(call).ok()?;
            let content = Object::parse(form.get("content")?.as_bytes(), &Limits::DEFAULT).ok()?;
            let mut taker = JsonTaker::new(&content);
            // Where both are there, `trade_no` wins; an order that is placed has none yet.
            let theirs = taker.need::<String>(orders::TRADE_NO).ok();
            let Some(theirs) = theirs.filter(|_| form.get("method") != Some(PLACE)) else {
                return taker.need::<String>("out_trade_no").ok();
            };
            let order = book.by_detail(Platform::Fshows, orders::TRADE_NO, &theirs, now)?;
            Some(order.order_no.clone())
        };
        Subject {
            account: Platform::Fshows.into(),
            order_no: named(),
        }
    }

    fn unsigned_error(&self, _desk: &mut Desk<'_>) -> Response<Bytes> {
        refuse(&Refusal::new("-200", "服务器异常"))
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
        format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
    }

    fn default_bank(&self) -> &'static str {
        "CFT"
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        let mut fields = orders::callback(&event.order, desk)?;
        // A key that loaded signs.
        let signature = self
            .platform
            .sign(RULES.keyless_text(&fields).as_bytes(), desk.ambient)
            .unwrap_or_default();
        put(&mut fields, "sign", &desk.outgoing_signature(signature));
        put(&mut fields, "sign_type", "RSA");
        Request::post(event.url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .body(Bytes::from(yuanfen_form::write(&fields)))
            .ok()
    }

    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK && body == b"success"
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        LADDER
            .get(attempts.checked_sub(1)?)
            .map(|seconds| Duration::from_secs(*seconds))
    }

    /// Takes the query of the cashier page: `prepay_id` and `callback_url`.
    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        let given = |name| {
            let found = parameters.iter().find(|(candidate, _)| *candidate == name);
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        if given("callback_url").is_some_and(|url| !is_absolute(url)) {
            return Err(PageRefused::Parameter("callback_url"));
        }
        Self::cashier_order(given("prepay_id"), desk).map(|order| order.order_no)
    }
}

/// The parameters come in the body, or in the query of a call without one: the server reads what its container calls
/// request parameters (sheet, section 3).
fn read_form(call: &Call<'_>) -> Result<Fields, Refusal> {
    let form = match call.query {
        Some(query) if call.body.is_empty() => query.as_bytes(),
        _ => call.body,
    };
    yuanfen_form::read(form, &Limits::DEFAULT).map_err(|_| Refusal::new("-223", "解析错误"))
}

fn succeed(value: FlatJson) -> Response<Bytes> {
    let mut body = FlatJson::default();
    body.bare("return_value", &value.finish());
    body.bare("success", "true");
    respond(body)
}

fn refuse(refusal: &Refusal) -> Response<Bytes> {
    let mut body = FlatJson::default();
    body.text("error_code", refusal.code);
    body.text("error_message", &refusal.words);
    body.bare("success", "false");
    respond(body)
}

fn respond(body: FlatJson) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.finish()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=UTF-8"),
    );
    response
}

/// Names here are constants and never repeat, so there is nothing to refuse.
fn put(fields: &mut Fields, name: &str, value: &str) {
    let pushed = fields.push(name, value);
    debug_assert!(pushed.is_ok(), "a field name was written twice");
}
