//! StarPos, the platform's side, from its sheet: flat JSON, an MD5 over values in the order of lower-cased names.
//!
//! `000000` is the only return code that is published; the others here are the sandbox's own.

mod body;
mod cashier;
mod orders;
mod push;
mod refunds;
mod schema;
#[cfg(test)]
mod vectors;

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use yuanfen_core::{Clock14, Fields, Secret, Sign as _, UnixTime, Verify as _};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, KeyedSigner, NameOrder, PairRules, Render,
    SharedKey, Tail,
};

use self::body::Charset;
use self::push::Push;
pub use self::push::StarposPush;
use super::wechat_web::{self, App, WechatWeb};
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Posting, Setting};
use crate::Settings;
use crate::ambient::SeededAmbient;
use crate::book::{Book, Order};
use crate::deliver::{About, Event};
use crate::diagnosis::{Keyed, Pairs};
use crate::exchange::SignatureVerdict;
use crate::faults::Subject;
use crate::keys::{
    KeyError, KeySet, STARPOS_APP_ID, STARPOS_MERCHANT, STARPOS_OPENID, STARPOS_ORGANIZATION, STARPOS_TERMINAL,
};

const BASE: &str = "/starpos/";
const LOOK_UP: &str = "/starpos/adpweb/ehpspos3/pubSigQry.json";
const PAY: &str = "/starpos/adpweb/ehpspos3/pubSigPay.json";
const QUERY: &str = "/starpos/adpweb/ehpspos3/sdkQryBarcodePay.json";
const REFUND: &str = "/starpos/adpweb/ehpspos3/sdkRefundBarcodePay.json";
const REVOKE: &str = "/starpos/adpweb/ehpspos3/RevokeBarcodepay.json";

/// Sheet, section 4.1.
const RULES: PairRules = PairRules {
    order: NameOrder::LowerCased,
    empties: Empties::Keep,
    render: Render::ValuesOnly,
    tail: Tail::BareKey,
    left_out: &["signValue"],
    blanks: Blanks::Remove,
};

const SCHEME: DigestScheme = DigestScheme {
    digest: KeyedDigest::Md5,
    spelling: HexSpelling::Lower,
    case: HexCase::Ignored,
};

pub(super) struct Starpos {
    signer: KeyedSigner,
    /// WeChat's key behind StarPos.
    wechat: KeyedSigner,
    /// The acquirer's official account in WeChat's web.
    web: WechatWeb,
    /// That account's secret, which the acquirer tells its partners.
    app_secret: Secret<String>,
    push: Push,
    /// Numbers of calls that were made.
    trade_nos: BTreeSet<String>,
    /// Whether what is not paid is `Z` rather than `A`.
    is_unsure: bool,
    /// Whether replies to `pubSigPay` are signed, which their table does not have.
    signs_payments: bool,
}

/// What a call is refused with.
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
        Self::new("900002", format!("参数错误：{name}"))
    }
}

impl Starpos {
    pub(super) fn new(keys: &KeySet) -> Result<Self, KeyError> {
        let keys = keys.starpos();
        let wechat = DigestScheme {
            spelling: HexSpelling::Upper,
            case: HexCase::Exact,
            ..SCHEME
        };
        Ok(Self {
            signer: KeyedSigner::new(SharedKey::new(keys.key.expose())?, SCHEME),
            wechat: KeyedSigner::new(SharedKey::new(keys.wechat_key.expose())?, wechat),
            web: WechatWeb::new(vec![App {
                id: STARPOS_APP_ID,
                secret: keys.app_secret.clone(),
                openid: STARPOS_OPENID.to_owned(),
            }]),
            app_secret: keys.app_secret.clone(),
            push: Push::new(keys)?,
            trade_nos: BTreeSet::new(),
            is_unsure: false,
            signs_payments: false,
        })
    }

    /// Whose call it is, and whether its signature holds. Only `pubSigPay` may come without one.
    fn check(&self, call: &Call<'_>, fields: &Fields, desk: &mut Desk<'_>) -> Result<(), Refusal> {
        let text = RULES.text(fields, self.signer.key());
        let shown = Some(text.redacted());
        let is_known = [
            ("orgNo", STARPOS_ORGANIZATION),
            ("mercId", STARPOS_MERCHANT),
            ("trmNo", STARPOS_TERMINAL),
        ]
        .into_iter()
        .all(|(name, value)| fields.get(name) == Some(value));
        if !is_known {
            desk.checked(SignatureVerdict::UnknownKey, shown);
            return Err(Refusal::new("900003", "商户或终端不存在"));
        }
        let Some(signature) = fields.filled("signValue") else {
            if call.path == PAY && fields.filled("signType").is_none() {
                desk.checked(SignatureVerdict::NotChecked, None);
                return Ok(());
            }
            desk.checked(SignatureVerdict::Missing, shown);
            return Err(Refusal::new("900001", "验签失败"));
        };
        if self.signer.verify(text.as_bytes(), signature).is_err() {
            desk.checked(SignatureVerdict::Mismatch, shown);
            let pairs = Pairs {
                rules: RULES,
                fields: fields.clone(),
                key: Some(self.signer.key().clone()),
                json: None,
            };
            let judge = Keyed::new(self.signer.clone(), signature);
            desk.inquire(move || pairs.explain(&judge));
            return Err(Refusal::new("900001", "验签失败"));
        }
        desk.checked(SignatureVerdict::Holds, shown);
        Ok(())
    }

    fn perform(&mut self, call: &Call<'_>, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        if let Some(row) = desk.refusal(Platform::Starpos) {
            return Err(Refusal::new(row.code, row.words));
        }
        match call.path {
            LOOK_UP => self.look_up(fields, desk),
            PAY => self.pay(fields, desk),
            QUERY => self.query(fields, desk),
            REFUND => self.refund(fields, desk),
            _ => self.revoke(fields, desk),
        }
    }

    /// Sheet, section 6.1.
    fn look_up(&self, fields: &Fields, desk: &Desk<'_>) -> Result<Fields, Refusal> {
        schema::check(fields, schema::PUB_SIG_QRY)?;
        let mut reply = accepted("交易成功", desk);
        put(&mut reply, "appId", STARPOS_APP_ID);
        put(&mut reply, "appIdKey", self.app_secret.expose());
        if let Some(attach) = fields.filled("attach") {
            put(&mut reply, "attach", attach);
        }
        Ok(reply)
    }

    fn call(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if call.method != Method::POST {
            return refuse(&Refusal::new("900002", "请使用POST方法"), None, desk);
        }
        let Some((fields, charset)) = body::read(call.body, call.header("content-type")) else {
            return refuse(&Refusal::new("900002", "报文格式错误"), None, desk);
        };
        if let Err(refusal) = self.check(call, &fields, desk) {
            return refuse(&refusal, Some(&fields), desk);
        }
        let mut reply = match self.perform(call, &fields, desk) {
            Ok(reply) => reply,
            Err(refusal) => {
                let mut reply = begin(refusal.code, &refusal.words, desk);
                if let Some(number) = fields.filled(orders::TRADE_NO) {
                    put(&mut reply, orders::TRADE_NO, number);
                }
                reply
            }
        };
        // What all answers to the `sdk*` and `Revoke*` calls have in common (section 5.2).
        if let (QUERY | REFUND | REVOKE, Some(added)) = (call.path, fields.filled("addField"))
            && schema::is_later(&fields)
        {
            put(&mut reply, "addField", added);
        }
        if desk.adds_fields() {
            put(&mut reply, "sandboxNewField", "新 字段");
        }
        if call.path != PAY || self.signs_payments {
            let text = RULES.text(&reply, self.signer.key());
            // A digest under a key of any length cannot fail.
            let signature = self.signer.sign(text.as_bytes(), desk.ambient).unwrap_or_default();
            put(&mut reply, "signValue", &desk.outgoing_signature(signature));
        }
        respond(&reply, charset)
    }
}

impl PlatformSide for Starpos {
    fn platform(&self) -> Platform {
        Platform::Starpos
    }

    fn owns(&self, call: &Call<'_>) -> bool {
        call.path.starts_with(BASE) || self.web.knows(call)
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        match call.path {
            LOOK_UP => "look-up-account",
            PAY => "place-order",
            QUERY => "query-order",
            REFUND => "refund",
            REVOKE => "cancel-order",
            path => wechat_web::operation(path).unwrap_or("unknown"),
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        match call.path {
            LOOK_UP | PAY | QUERY | REFUND | REVOKE => self.call(call, desk),
            path if wechat_web::operation(path).is_some() => self.web.answer(call, desk),
            _ => super::pages::page(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    fn subject(&self, call: &Call<'_>, book: &mut Book, now: UnixTime) -> Subject {
        let fields = body::read(call.body, call.header("content-type")).map(|(fields, _)| fields);
        let order_no = fields.and_then(|fields| match call.path {
            PAY => {
                let number = fields
                    .filled(orders::TRADE_NO)
                    .or_else(|| fields.filled(orders::SHOP_NO));
                number.map(str::to_owned)
            }
            QUERY | REVOKE => orders::order_of(fields.filled("qryNo")?, book, now),
            REFUND => orders::order_of(fields.filled("orderNo")?, book, now),
            _ => None,
        });
        Subject {
            account: Platform::Starpos.into(),
            order_no,
        }
    }

    fn unsigned_error(&self, desk: &mut Desk<'_>) -> Response<Bytes> {
        refuse(&Refusal::new("999999", "系统异常"), None, desk)
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
        format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
    }

    fn default_bank(&self) -> &'static str {
        "CFT"
    }

    fn failure_is_final(&self) -> bool {
        true
    }

    fn after_payment(&self, _order: &Order) -> Vec<Posting> {
        Posting::to(self.push.url.as_deref(), About::Payment)
            .into_iter()
            .collect()
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        Request::post(event.url.as_str())
            .header(header::CONTENT_TYPE, "application/json;charset=GBK")
            .body(Bytes::from(self.push.body(&event.order, desk)?))
            .ok()
    }

    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool {
        push::acknowledges(status, body)
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        push::wait_after(attempts)
    }

    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        self.order_of_page(parameters, desk)
    }

    fn login_code(&mut self, app_id: &str, ambient: &SeededAmbient) -> Option<String> {
        self.web.login_code(app_id, ambient)
    }

    fn open_page(&self, url: &str, parameters: &[(&str, &str)], desk: &Desk<'_>) -> Result<(), PageRefused> {
        self.web.open_page(url, parameters, desk)
    }

    fn set(&mut self, setting: &Setting) {
        match setting {
            Setting::StarposPushUrl(url) => self.push.url.clone_from(url),
            Setting::StarposPush(variant) => self.push.variant = *variant,
            Setting::StarposIsUnsure(is_unsure) => self.is_unsure = *is_unsure,
            Setting::StarposSignsPayments(signs) => self.signs_payments = *signs,
            _ => {}
        }
    }

    fn tell(&self, settings: &mut Settings) {
        settings.starpos_push_url.clone_from(&self.push.url);
        settings.starpos_push = Some(self.push.variant);
        settings.starpos_unsure = Some(self.is_unsure);
        settings.starpos_signs_payments = Some(self.signs_payments);
    }
}

/// What every reply of a call that worked begins with.
fn accepted(words: &str, desk: &Desk<'_>) -> Fields {
    begin("000000", words, desk)
}

fn begin(code: &str, words: &str, desk: &Desk<'_>) -> Fields {
    let mut fields = Fields::new();
    put(&mut fields, "returnCode", code);
    put(&mut fields, "sysTime", &Clock14(desk.signing_now()).to_string());
    put(&mut fields, "message", words);
    put(&mut fields, "mercId", STARPOS_MERCHANT);
    fields
}

/// A refusal of a caller who is not known: nothing is signed, and of the call only its own numbers are repeated.
fn refuse(refusal: &Refusal, call: Option<&Fields>, desk: &Desk<'_>) -> Response<Bytes> {
    let mut reply = Fields::new();
    put(&mut reply, "returnCode", refusal.code);
    put(&mut reply, "sysTime", &Clock14(desk.signing_now()).to_string());
    put(&mut reply, "message", &refusal.words);
    for name in ["mercId", orders::TRADE_NO] {
        if let Some(value) = call.and_then(|fields| fields.filled(name)) {
            put(&mut reply, name, value);
        }
    }
    respond(&reply, Charset::Ascii)
}

/// `message` is signed as it reads and sent percent-encoded, as a form would have it.
fn respond(reply: &Fields, charset: Charset) -> Response<Bytes> {
    let mut sent = Fields::new();
    for (name, value) in reply.iter() {
        if name == "message" {
            let mut message = Fields::new();
            put(&mut message, name, value);
            let form = yuanfen_form::write(&message);
            put(&mut sent, name, form.strip_prefix("message=").unwrap_or_default());
        } else {
            put(&mut sent, name, value);
        }
    }
    let mut response = Response::new(Bytes::from(body::write(&sent, charset)));
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Names here are constants and never repeat, so there is nothing to refuse.
fn put(fields: &mut Fields, name: &str, value: &str) {
    let pushed = fields.push(name, value);
    debug_assert!(pushed.is_ok(), "a field name was written twice");
}
