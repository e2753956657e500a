//! WeChat Pay v2, the platform's side, from its sheet: XML in, XML out, MD5 or HMAC as the request asks.

mod refunds;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use yuanfen_core::{Clock14, Fen, Fields, SignatureError, UnixTime, Verify as _, WireText as _, nonce_text};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, KeyedSigner, NameOrder, PairRules, Render,
    SharedKey, Tail,
};
use yuanfen_xml::{MESSAGE_LIMITS, read, write};

use super::{Call, Desk, PageRefused, Platform, PlatformSide};
use crate::ambient::SeededAmbient;
use crate::book::{BookError, Details, Order, OrderState, Placement};
use crate::deliver::{About, Event};
use crate::exchange::SignatureVerdict;
use crate::keys::{KeyError, WECHAT_API_KEY, WECHAT_APP_ID, WECHAT_MERCHANT_ID};

const UNIFIED_ORDER: &str = "/pay/unifiedorder";
const ORDER_QUERY: &str = "/pay/orderquery";
const CLOSE_ORDER: &str = "/pay/closeorder";
const REFUND: &str = "/secapi/pay/refund";
const REFUND_QUERY: &str = "/pay/refundquery";

/// Sheet, section 3.1.
const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};

/// Sheet, section 8: seconds to wait after each attempt.
const LADDER: &[u64] = &[
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// A prepay id lives two hours.
const PREPAY_LIFE: i64 = 7200;
/// An order without an expiry of its own lives seven days.
const ORDER_LIFE: i64 = 7 * 86_400;

pub(super) struct WechatV2 {
    key: SharedKey,
}

/// What `result_code` `FAIL` goes with; such an answer is signed. What is wrong with the message itself is said in
/// `return_msg` alone, unsigned.
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
        Self::new("PARAM_ERROR", format!("{name}参数格式错误"))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SignType {
    Md5,
    HmacSha256,
}

impl SignType {
    fn parse(text: Option<&str>) -> Option<Self> {
        match text {
            None | Some("" | "MD5") => Some(Self::Md5),
            Some("HMAC-SHA256") => Some(Self::HmacSha256),
            Some(_) => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }
}

impl WechatV2 {
    pub(super) fn new() -> Result<Self, KeyError> {
        Ok(Self {
            key: SharedKey::new(WECHAT_API_KEY)?,
        })
    }

    fn signer(&self, sign_type: SignType) -> KeyedSigner {
        let digest = match sign_type {
            SignType::Md5 => KeyedDigest::Md5,
            SignType::HmacSha256 => KeyedDigest::HmacSha256,
        };
        let scheme = DigestScheme {
            digest,
            spelling: HexSpelling::Upper,
            case: HexCase::Exact,
        };
        KeyedSigner::new(self.key.clone(), scheme)
    }

    /// Adds `sign` to a message and writes it.
    fn seal(&self, mut fields: Fields, sign_type: SignType, desk: &Desk<'_>) -> Bytes {
        use yuanfen_core::Sign as _;

        if desk.adds_fields() {
            put(&mut fields, "sandbox_new_field", "x < y & z");
        }
        let text = RULES.text(&fields, &self.key);
        // A digest under a key of any length cannot fail.
        let signature = self
            .signer(sign_type)
            .sign(text.as_bytes(), desk.ambient)
            .unwrap_or_default();
        put(&mut fields, "sign", &desk.outgoing_signature(signature));
        to_xml(&fields)
    }

    /// Reads a call and checks its signature.
    fn open(&self, call: &Call<'_>, desk: &mut Desk<'_>) -> Result<(Fields, SignType), &'static str> {
        if call.method != Method::POST {
            return Err("请使用post方法");
        }
        if call.body.is_empty() {
            return Err("post数据为空");
        }
        let document = read(call.body, &MESSAGE_LIMITS).map_err(|_| "XML格式错误")?;
        let fields = document.into_fields();
        let sign_type = SignType::parse(fields.get("sign_type")).ok_or("sign_type参数格式错误")?;
        let text = RULES.text(&fields, &self.key);
        let shown = Some(text.redacted());
        let Some(signature) = fields.filled("sign") else {
            desk.checked(SignatureVerdict::Missing, shown);
            return Err("缺少参数sign");
        };
        if fields.get("mch_id") != Some(WECHAT_MERCHANT_ID) {
            desk.checked(SignatureVerdict::UnknownKey, shown);
            return Err("mch_id参数格式错误");
        }
        let verdict = self.signer(sign_type).verify(text.as_bytes(), signature);
        let holds = verdict.is_ok();
        desk.checked(
            if holds {
                SignatureVerdict::Holds
            } else {
                SignatureVerdict::Mismatch
            },
            shown,
        );
        if !holds {
            return Err("签名错误");
        }
        Ok((fields, sign_type))
    }

    fn unified_order(&self, fields: &Fields, sign_type: SignType, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        let now = desk.now();
        let order = Unified::read(fields, now)?;
        let prepay_id = prepay_id(now, desk.ambient);
        let code = desk.ambient.letters(9);
        let mut details = Details::new();
        details.insert("sign_type", sign_type.name().to_owned());
        details.insert("trade_type", order.trade_type.to_owned());
        for name in ["attach", "device_info", "body"] {
            if let Some(value) = fields.filled(name) {
                details.insert(name, value.to_owned());
            }
        }
        let placement = Placement {
            platform: Platform::WechatV2,
            order_no: order.order_no.to_owned(),
            amount: order.amount,
            expires_at: Some(order.expires_at.unwrap_or_else(|| later(now, ORDER_LIFE))),
            notify_url: Some(order.notify_url.to_owned()),
            payer: fields.filled("openid").map(str::to_owned),
            details,
            fingerprint: fingerprint(fields),
        };
        let (order, _) = desk.book.place(placement, now).map_err(|error| match error {
            BookError::Paid => Refusal::new("ORDERPAID", "该订单已支付"),
            BookError::Closed => Refusal::new("ORDERCLOSED", "订单已关闭"),
            _ => Refusal::new("INVALID_REQUEST", "201 商户订单号重复"),
        })?;
        // The same id as long as it lives, then a new one.
        let alive = order
            .detail("prepay_at")
            .and_then(|at| UnixTime::read(at).ok())
            .is_some_and(|at| now.since(at) < PREPAY_LIFE);
        if !alive {
            order.details.insert("prepay_id", prepay_id);
            order.details.insert("prepay_at", now.to_text());
            order.details.insert("code", code);
        }
        let (prepay_id, code) = (
            order.detail("prepay_id").unwrap_or_default().to_owned(),
            order.detail("code").unwrap_or_default().to_owned(),
        );
        let trade_type = order.detail("trade_type").unwrap_or_default().to_owned();
        let mut reply = self.reply(desk);
        if let Some(device) = fields.filled("device_info") {
            put(&mut reply, "device_info", device);
        }
        put(&mut reply, "trade_type", &trade_type);
        put(&mut reply, "prepay_id", &prepay_id);
        match trade_type.as_str() {
            "NATIVE" => put(&mut reply, "code_url", &format!("weixin://wxpay/bizpayurl?pr={code}")),
            "MWEB" => put(
                &mut reply,
                "mweb_url",
                &format!("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package={code}"),
            ),
            _ => {}
        }
        Ok(reply)
    }

    fn order_query(&self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        let now = desk.now();
        let missing = || Refusal::new("ORDERNOTEXIST", "订单不存在");
        let order = match (fields.filled("transaction_id"), fields.filled("out_trade_no")) {
            (Some(transaction_id), _) => desk.book.by_transaction(Platform::WechatV2, transaction_id),
            (None, Some(order_no)) => desk.book.order(Platform::WechatV2, order_no, now),
            (None, None) => return Err(lacks("out_trade_no")),
        };
        let order = order.ok_or_else(missing)?.clone();
        let mut reply = self.reply(desk);
        put(&mut reply, "out_trade_no", &order.order_no);
        let (state, words) = match order.state() {
            OrderState::Unpaid => ("NOTPAY", "订单未支付"),
            OrderState::Paid => ("SUCCESS", "支付成功"),
            OrderState::Closed => ("CLOSED", "订单已关闭"),
            OrderState::Refunding | OrderState::Refunded => ("REFUND", "订单发生过退款"),
        };
        put(&mut reply, "trade_state", state);
        put(&mut reply, "trade_state_desc", words);
        if let Some(attach) = order.detail("attach") {
            put(&mut reply, "attach", attach);
        }
        push_payment(&mut reply, &order, desk);
        Ok(reply)
    }

    fn close_order(&self, fields: &Fields, desk: &mut Desk<'_>) -> Result<Fields, Refusal> {
        let now = desk.now();
        let order_no = fields.filled("out_trade_no").ok_or_else(|| lacks("out_trade_no"))?;
        desk.book
            .close(Platform::WechatV2, order_no, now)
            .map_err(|error| match error {
                BookError::Paid => Refusal::new("ORDERPAID", "该订单已支付"),
                _ => Refusal::new("ORDERNOTEXIST", "订单不存在"),
            })?;
        let mut reply = self.reply(desk);
        put(&mut reply, "result_msg", "OK");
        Ok(reply)
    }

    /// What every signed answer begins with.
    fn reply(&self, desk: &Desk<'_>) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "return_code", "SUCCESS");
        put(&mut fields, "return_msg", "OK");
        put(&mut fields, "appid", WECHAT_APP_ID);
        put(&mut fields, "mch_id", WECHAT_MERCHANT_ID);
        put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
        put(&mut fields, "result_code", "SUCCESS");
        fields
    }

    fn refuse(&self, code: &str, words: &str, desk: &Desk<'_>) -> Fields {
        let mut fields = Fields::new();
        put(&mut fields, "return_code", "SUCCESS");
        put(&mut fields, "return_msg", "OK");
        put(&mut fields, "appid", WECHAT_APP_ID);
        put(&mut fields, "mch_id", WECHAT_MERCHANT_ID);
        put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
        put(&mut fields, "result_code", "FAIL");
        put(&mut fields, "err_code", code);
        put(&mut fields, "err_code_des", words);
        fields
    }
}

impl PlatformSide for WechatV2 {
    fn platform(&self) -> Platform {
        Platform::WechatV2
    }

    fn owns(&self, path: &str) -> bool {
        path.starts_with("/pay/") || path.starts_with("/secapi/pay/")
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        match call.path {
            UNIFIED_ORDER => "place-order",
            ORDER_QUERY => "query-order",
            CLOSE_ORDER => "close-order",
            REFUND => "refund",
            REFUND_QUERY => "query-refund",
            _ => "unknown",
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if !matches!(
            call.path,
            UNIFIED_ORDER | ORDER_QUERY | CLOSE_ORDER | REFUND | REFUND_QUERY
        ) {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NOT_FOUND;
            return response;
        }
        let (fields, sign_type) = match self.open(call, desk) {
            Ok(opened) => opened,
            Err(words) => return unsigned(words),
        };
        let outcome = check_common(&fields).and_then(|()| match call.path {
            UNIFIED_ORDER => self.unified_order(&fields, sign_type, desk),
            ORDER_QUERY => self.order_query(&fields, desk),
            REFUND => self.refund(&fields, desk),
            REFUND_QUERY => self.refund_query(&fields, desk),
            _ => self.close_order(&fields, desk),
        });
        let reply = match outcome {
            Ok(reply) => reply,
            Err(Refusal { code, words }) => self.refuse(code, &words, desk),
        };
        respond(self.seal(reply, sign_type, desk))
    }

    fn unsigned_error(&self, _desk: &mut Desk<'_>) -> Response<Bytes> {
        unsigned("SYSTEMERROR")
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
        format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
    }

    fn default_bank(&self) -> &'static str {
        "CMC_DEBIT"
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        if let About::Refund(refund_no) = &event.about {
            return self.refund_notice(event, refund_no, desk);
        }
        let order = &event.order;
        let sign_type = SignType::parse(order.detail("sign_type"))?;
        let mut fields = Fields::new();
        put(&mut fields, "appid", WECHAT_APP_ID);
        if let Some(attach) = order.detail("attach") {
            put(&mut fields, "attach", attach);
        }
        push_payment(&mut fields, order, desk);
        put(&mut fields, "mch_id", WECHAT_MERCHANT_ID);
        put(&mut fields, "nonce_str", &nonce_text(desk.ambient));
        put(&mut fields, "out_trade_no", &order.order_no);
        put(&mut fields, "result_code", "SUCCESS");
        put(&mut fields, "return_code", "SUCCESS");
        if sign_type == SignType::HmacSha256 {
            put(&mut fields, "sign_type", sign_type.name());
        }
        Request::post(event.url.as_str())
            .header(header::CONTENT_TYPE, "text/xml")
            .header(header::USER_AGENT, "Mozilla/4.0")
            .body(self.seal(fields, sign_type, desk))
            .ok()
    }

    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK
            && read(body, &MESSAGE_LIMITS).is_ok_and(|answer| answer.fields().get("return_code") == Some("SUCCESS"))
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        LADDER
            .get(attempts.checked_sub(1)?)
            .map(|seconds| Duration::from_secs(*seconds))
    }

    /// `WeixinJSBridge`, `wx.chooseWXPay` and `wx.requestPayment` sign the same five names; the second is handed
    /// `timestamp` for `timeStamp`, and the last two are not handed the app's id, which the running page has.
    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        let given = |name: &'static str| {
            let found = parameters.iter().find(|(candidate, _)| *candidate == name);
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        let need = |name| given(name).ok_or(PageRefused::Parameter(name));
        let app_id = given("appId").unwrap_or(WECHAT_APP_ID);
        if app_id != WECHAT_APP_ID {
            return Err(PageRefused::Parameter("appId"));
        }
        let time = given("timeStamp").or_else(|| given("timestamp"));
        let time = time.ok_or(PageRefused::Parameter("timeStamp"))?;
        if time.len() != 10 || UnixTime::read(time).is_err() {
            return Err(PageRefused::Parameter("timeStamp"));
        }
        let package = need("package")?;
        let prepay_id = package
            .strip_prefix("prepay_id=")
            .ok_or(PageRefused::Parameter("package"))?;
        let sign_type = need("signType")?;
        let mut signed = Fields::new();
        put(&mut signed, "appId", app_id);
        put(&mut signed, "timeStamp", time);
        put(&mut signed, "nonceStr", need("nonceStr")?);
        put(&mut signed, "package", package);
        put(&mut signed, "signType", sign_type);
        let scheme = SignType::parse(Some(sign_type)).ok_or(PageRefused::Parameter("signType"))?;
        let text = RULES.text(&signed, &self.key);
        self.signer(scheme)
            .verify(text.as_bytes(), need("paySign")?)
            .map_err(|_: SignatureError| PageRefused::Signature)?;
        let now = desk.now();
        let order = desk
            .book
            .by_detail(Platform::WechatV2, "prepay_id", prepay_id, now)
            .ok_or(PageRefused::Expired)?;
        let made = order.detail("prepay_at").and_then(|at| UnixTime::read(at).ok());
        if made.is_none_or(|at| now.since(at) >= PREPAY_LIFE) {
            return Err(PageRefused::Expired);
        }
        // The page repeats the order's type, or the cashier says the signature fails.
        if order.detail("sign_type") != Some(scheme.name()) {
            return Err(PageRefused::Signature);
        }
        Ok(order.order_no.clone())
    }
}

/// A unified order's fields, checked as section 6.1 of the sheet has them.
struct Unified<'a> {
    order_no: &'a str,
    amount: Fen,
    trade_type: &'static str,
    notify_url: &'a str,
    expires_at: Option<UnixTime>,
}

impl<'a> Unified<'a> {
    fn read(fields: &'a Fields, now: UnixTime) -> Result<Self, Refusal> {
        let need = |name: &str, most: usize| {
            let value = fields.filled(name).ok_or_else(|| lacks(name))?;
            if value.chars().count() > most {
                return Err(Refusal::field(name));
            }
            Ok(value)
        };
        for (name, most) in [
            ("device_info", 32),
            ("detail", 6000),
            ("attach", 127),
            ("fee_type", 16),
            ("goods_tag", 32),
            ("product_id", 32),
            ("limit_pay", 32),
            ("openid", 128),
            ("receipt", 8),
            ("profit_sharing", 16),
            ("scene_info", 256),
        ] {
            if fields.get(name).is_some_and(|value| value.chars().count() > most) {
                return Err(Refusal::field(name));
            }
        }
        need("body", 128)?;
        let order_no = need("out_trade_no", 32)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*".contains(&byte);
        if !order_no.bytes().all(allowed) {
            return Err(Refusal::field("out_trade_no"));
        }
        let amount = Fen::from_fen_text(need("total_fee", 20)?)
            .ok()
            .filter(|amount| *amount > Fen::ZERO)
            .ok_or_else(|| Refusal::field("total_fee"))?;
        if fields.filled("fee_type").is_some_and(|currency| currency != "CNY") {
            return Err(Refusal::field("fee_type"));
        }
        let address = need("spbill_create_ip", 64)?;
        if address.parse::<std::net::IpAddr>().is_err() {
            return Err(Refusal::field("spbill_create_ip"));
        }
        let notify_url = need("notify_url", 256)?;
        let absolute = notify_url.starts_with("https://") || notify_url.starts_with("http://");
        if !absolute || notify_url.contains(['?', '#']) {
            return Err(Refusal::field("notify_url"));
        }
        let trade_type = match need("trade_type", 16)? {
            "JSAPI" => "JSAPI",
            "NATIVE" => "NATIVE",
            "APP" => "APP",
            "MWEB" => "MWEB",
            _ => return Err(Refusal::field("trade_type")),
        };
        match trade_type {
            "JSAPI" => need("openid", 128).map(drop)?,
            "NATIVE" => need("product_id", 32).map(drop)?,
            "MWEB" => need("scene_info", 256).map(drop)?,
            _ => {}
        }
        let moment = |name: &str| match fields.filled(name) {
            None => Ok(None),
            Some(text) => match Clock14::read(text) {
                Ok(Clock14(moment)) => Ok(Some(moment)),
                Err(_) => Err(Refusal::field(name)),
            },
        };
        moment("time_start")?;
        // A shorter life than a minute is raised to one.
        let expires_at = moment("time_expire")?.map(|end| end.max(later(now, 60)));
        Ok(Self {
            order_no,
            amount,
            trade_type,
            notify_url,
            expires_at,
        })
    }
}

fn check_common(fields: &Fields) -> Result<(), Refusal> {
    match fields.filled("appid") {
        None => return Err(lacks("appid")),
        Some(WECHAT_APP_ID) => {}
        Some(_) => {
            return Err(Refusal::new("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"));
        }
    }
    let nonce = fields.filled("nonce_str").ok_or_else(|| lacks("nonce_str"))?;
    if nonce.chars().count() > 32 {
        return Err(Refusal::field("nonce_str"));
    }
    Ok(())
}

fn lacks(name: &str) -> Refusal {
    Refusal::new("LACK_PARAMS", format!("缺少参数{name}"))
}

/// What a paid order adds to its query and its notice.
fn push_payment(fields: &mut Fields, order: &Order, desk: &Desk<'_>) {
    let Some(payment) = &order.payment else { return };
    let total = order.amount;
    let by_coupons = Fen::try_sum(payment.coupons.iter().map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO);
    let given_up = payment.coupons.iter().filter(|coupon| !coupon.prepaid);
    let given_up = Fen::try_sum(given_up.map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO);
    let less = |amount| total.try_sub(amount).unwrap_or(Fen::ZERO);
    if let Some(device) = order.detail("device_info") {
        put(fields, "device_info", device);
    }
    put(fields, "openid", &payment.payer);
    put(fields, "is_subscribe", "N");
    put(
        fields,
        "trade_type",
        desk.open_value(order.detail("trade_type").unwrap_or_default()),
    );
    put(fields, "bank_type", desk.open_value(&payment.bank));
    put(fields, "total_fee", &total.to_text());
    if given_up > Fen::ZERO {
        put(fields, "settlement_total_fee", &less(given_up).to_text());
    }
    put(fields, "fee_type", "CNY");
    put(fields, "cash_fee", &less(by_coupons).to_text());
    if !payment.coupons.is_empty() {
        put(fields, "coupon_fee", &by_coupons.to_text());
        put(fields, "coupon_count", &payment.coupons.len().to_string());
        for (index, coupon) in payment.coupons.iter().enumerate() {
            let kind = if coupon.prepaid { "CASH" } else { "NO_CASH" };
            put(fields, &format!("coupon_type_{index}"), kind);
            put(fields, &format!("coupon_id_{index}"), &coupon.id);
            put(fields, &format!("coupon_fee_{index}"), &coupon.amount.to_text());
        }
    }
    put(fields, "transaction_id", &payment.transaction_id);
    put(fields, "time_end", &Clock14(payment.at).to_string());
}

/// What a repeat must repeat: everything but the nonce, the signature and its type.
fn fingerprint(fields: &Fields) -> String {
    let mut pairs: Vec<(&str, &str)> = fields
        .iter()
        .filter(|(name, value)| !matches!(*name, "nonce_str" | "sign" | "sign_type") && !value.is_empty())
        .collect();
    pairs.sort_unstable();
    pairs.iter().map(|(name, value)| format!("{name}\0{value}\0")).collect()
}

fn prepay_id(now: UnixTime, ambient: &SeededAmbient) -> String {
    format!("wx{}{}", Clock14(now), ambient.hex(20))
}

const fn later(moment: UnixTime, seconds: i64) -> UnixTime {
    UnixTime::from_seconds(moment.seconds().saturating_add(seconds))
}

/// Names here are constants and never repeat, so there is nothing to refuse.
fn put(fields: &mut Fields, name: &str, value: &str) {
    let pushed = fields.push(name, value);
    debug_assert!(pushed.is_ok(), "a field name was written twice");
}

fn to_xml(fields: &Fields) -> Bytes {
    // Every value came through the XML reader or was made here, so XML can carry it.
    Bytes::from(write("xml", fields).unwrap_or_default())
}

fn respond(body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn unsigned(words: &str) -> Response<Bytes> {
    let mut fields = Fields::new();
    put(&mut fields, "return_code", "FAIL");
    put(&mut fields, "return_msg", words);
    respond(to_xml(&fields))
}
