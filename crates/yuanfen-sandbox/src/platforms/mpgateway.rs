//! mpgateway, the platform's side, from its sheet: a form with base64 of JSON and an MD5 over that base64 and the key.
//!
//! The sheet's table of error codes is empty but for `00` and `90`; the others here are the sandbox's own.

mod orders;
mod pages;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use yuanfen_core::{JsonTaker, Limits, Object, Sign as _, UnixTime, Verify as _};
use yuanfen_form::base64_json;
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyedDigest, KeyedSigner, SharedKey, keyed_text};

use super::flat_json::FlatJson;
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Posting, Setting};
use crate::Settings;
use crate::ambient::SeededAmbient;
use crate::book::{Book, Order, OrderState};
use crate::deliver::{About, Event};
use crate::diagnosis::{Keyed, Payload};
use crate::exchange::SignatureVerdict;
use crate::faults::Subject;
use crate::keys::{KeyError, KeySet, MPGATEWAY_MERCHANT};

const SUBMIT: &str = "/mpgateway/api/mpgateway";
const QUERY: &str = "/mpgateway/api/query";
const CANCEL: &str = "/mpgateway/api/cancel";
const OPENID_PAGE: &str = "/mpgateway/wxjsapi/openid.html";
const PAY_PAGE: &str = "/mpgateway/wxjsapi/gopay.html";

/// Sheet, section 5. Two implementations compare ignoring case, so the far end is taken to do so as well.
const SCHEME: DigestScheme = DigestScheme {
    digest: KeyedDigest::Md5,
    spelling: HexSpelling::Lower,
    case: HexCase::Ignored,
};

/// Sheet, section 9: seconds to wait after each attempt; ten calls in all, the first one counted.
const LADDER: &[u64] = &[10, 10, 10, 60, 60, 60, 180, 180, 180];

/// How long after the payment the money becomes available, where a shop is to see 1002 first. The captured notice came
/// nine minutes after its order; a minute is long enough to tell the two apart.
const HOLD: Duration = Duration::from_secs(60);

pub(super) struct Mpgateway {
    signer: KeyedSigner,
    /// Whether orders placed from now on are paid as 1002 first.
    holds: bool,
}

/// What an authenticated call is refused with.
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

    fn field(name: &str) -> Self {
        Self::new("90", format!("请求参数错误：{name}"))
    }
}

impl From<yuanfen_core::FieldError> for Refusal {
    fn from(error: yuanfen_core::FieldError) -> Self {
        Self::field(&error.path)
    }
}

impl Mpgateway {
    pub(super) fn new(keys: &KeySet) -> Result<Self, KeyError> {
        Ok(Self {
            signer: KeyedSigner::new(SharedKey::new(keys.mpgateway().key.expose())?, SCHEME),
            holds: false,
        })
    }

    /// Reads `req` and `sign` and checks them. An error is what an up-front refusal says.
    fn open(&self, form: &[u8], desk: &mut Desk<'_>) -> Result<Object, &'static str> {
        let form = yuanfen_form::read(form, &Limits::DEFAULT).map_err(|_| "请求参数错误")?;
        let request = form.filled("req").ok_or("请求参数错误：req")?;
        let (_, object) = base64_json::decode(request, &Limits::DEFAULT).map_err(|_| "请求参数错误：req")?;
        let text = keyed_text(request.as_bytes(), self.signer.key());
        let shown = Some(text.redacted());
        let Some(signature) = form.filled("sign") else {
            desk.checked(SignatureVerdict::Missing, shown);
            return Err("请求参数错误：sign");
        };
        let merchant = JsonTaker::new(&object).need::<String>("merid");
        if merchant.as_deref() != Ok(MPGATEWAY_MERCHANT) {
            desk.checked(SignatureVerdict::UnknownKey, shown);
            return Err("商户不存在");
        }
        if self.signer.verify(text.as_bytes(), signature).is_err() {
            desk.checked(SignatureVerdict::Mismatch, shown);
            let payload = Payload {
                payload: request.to_owned(),
                key: self.signer.key().clone(),
            };
            let judge = Keyed::new(self.signer.clone(), signature);
            desk.inquire(move || payload.explain(&judge));
            return Err("签名错误");
        }
        desk.checked(SignatureVerdict::Holds, shown);
        Ok(object)
    }

    fn call(&self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if call.method != Method::POST {
            return up_front("90", "请使用POST方法");
        }
        let object = match self.open(call.body, desk) {
            Ok(object) => object,
            Err(words) => return up_front("90", words),
        };
        let outcome = match (desk.refusal(Platform::Mpgateway), call.path) {
            (Some(row), _) => Err(Refusal::new(row.code, row.words)),
            (None, SUBMIT) => orders::submit(&object, self.holds, desk),
            (None, QUERY) => orders::query(&object, desk),
            (None, _) => orders::cancel(&object, desk),
        };
        let mut reply = outcome.unwrap_or_else(|refusal| orders::refused(&refusal, &object));
        if desk.adds_fields() {
            reply.text("sandboxnewfield", "a+b/c=d");
        }
        let (payload, signature) = self.seal(reply, desk);
        reply_with(&payload, &signature)
    }

    /// The base64 and its signature.
    fn seal(&self, payload: FlatJson, desk: &Desk<'_>) -> (String, String) {
        let payload = base64_json::encode(payload.finish().as_bytes());
        let text = keyed_text(payload.as_bytes(), self.signer.key());
        // A digest under a key of any length cannot fail.
        let signature = self.signer.sign(text.as_bytes(), desk.ambient).unwrap_or_default();
        (payload, desk.outgoing_signature(signature))
    }
}

impl PlatformSide for Mpgateway {
    fn platform(&self) -> Platform {
        Platform::Mpgateway
    }

    fn owns(&self, call: &Call<'_>) -> bool {
        call.path.starts_with("/mpgateway/")
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        match call.path {
            SUBMIT => "place-order",
            QUERY => "query-order",
            CANCEL => "cancel-order",
            OPENID_PAGE => "openid-page",
            PAY_PAGE => "cashier-page",
            _ => "unknown",
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        match call.path {
            SUBMIT | QUERY | CANCEL => self.call(call, desk),
            OPENID_PAGE => pages::openid(call),
            PAY_PAGE => self.pay_page(call, desk),
            _ => super::pages::page(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    fn subject(&self, call: &Call<'_>, book: &mut Book, now: UnixTime) -> Subject {
        let mut named = || {
            let form = yuanfen_form::read(call.body, &Limits::DEFAULT).ok()?;
            let (_, object) = base64_json::decode(form.filled("req")?, &Limits::DEFAULT).ok()?;
            let mut taker = JsonTaker::new(&object);
            // Where both are there, `queryid` wins; an order that is placed has none yet.
            let theirs = taker.need::<String>(orders::QUERY_ID).ok();
            let Some(theirs) = theirs.filter(|_| call.path != SUBMIT) else {
                return taker.need::<String>("orderid").ok();
            };
            let order = book.by_detail(Platform::Mpgateway, orders::QUERY_ID, &theirs, now)?;
            Some(order.order_no.clone())
        };
        Subject {
            account: Platform::Mpgateway.into(),
            order_no: named(),
        }
    }

    fn unsigned_error(&self, _desk: &mut Desk<'_>) -> Response<Bytes> {
        up_front("99", "系统异常")
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
        format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
    }

    fn default_bank(&self) -> &'static str {
        "OTHERS"
    }

    fn failure_is_final(&self) -> bool {
        true
    }

    fn after_payment(&self, order: &Order) -> Vec<Posting> {
        let Some(first) = Posting::to(order.notify_url.as_deref(), About::Payment) else {
            return Vec::new();
        };
        if order.detail(orders::HELD).is_none() {
            return vec![first];
        }
        let second = Posting {
            after: HOLD,
            stage: 1,
            about: About::Payment,
            url: first.url.clone(),
        };
        vec![first, second]
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        let available = (event.stage > 0).then(|| (orders::AVAILABLE, String::new()));
        desk.book
            .remember(Platform::Mpgateway, &event.order_no, available)
            .ok()?;
        let held = event.stage == 0 && event.order.detail(orders::HELD).is_some();
        let mut payload = orders::notice(&event.order, held, desk);
        if desk.adds_fields() {
            payload.text("sandboxnewfield", "a+b/c=d");
        }
        let (payload, signature) = self.seal(payload, desk);
        let body = pages::form(&payload, &signature);
        Request::post(event.url.as_str())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded; charset=UTF-8")
            .body(Bytes::from(body))
            .ok()
    }

    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK && body == b"0000"
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        LADDER
            .get(attempts.checked_sub(1)?)
            .map(|seconds| Duration::from_secs(*seconds))
    }

    /// Takes the query of `gopay.html`: `req` and `sign`.
    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        let form = yuanfen_core::Fields::try_from(parameters).map_err(|_| PageRefused::Parameter("req"))?;
        let order = self.cashier_order(&yuanfen_form::write(&form), desk)?;
        if order.state() == OrderState::Closed {
            return Err(PageRefused::Expired);
        }
        Ok(order.order_no)
    }

    fn set(&mut self, setting: &Setting) {
        if let Setting::MpgatewayHoldsPayments(holds) = setting {
            self.holds = *holds;
        }
    }

    fn tell(&self, settings: &mut Settings) {
        settings.mpgateway_holds_payments = Some(self.holds);
    }
}

fn reply_with(payload: &str, signature: &str) -> Response<Bytes> {
    let mut body = FlatJson::default();
    body.text("resp", payload);
    body.text("sign", signature);
    let mut response = Response::new(Bytes::from(body.finish()));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json; charset=UTF-8"),
    );
    response
}

/// An error before the caller is known: two fields, and an empty `sign`.
fn up_front(code: &str, words: &str) -> Response<Bytes> {
    let mut payload = FlatJson::default();
    payload.text("respcode", code);
    payload.text("respmsg", words);
    reply_with(&base64_json::encode(payload.finish().as_bytes()), "")
}
