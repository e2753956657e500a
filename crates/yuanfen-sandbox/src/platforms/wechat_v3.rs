//! WeChat Pay APIv3, the platform's side, from its sheet: JSON, RSA over the very bytes, AES-GCM inside notices.

mod authorization;
mod bill_files;
mod orders;
mod refunds;
mod schema;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use yuanfen_core::{Fields, Rfc3339, Sign as _, UnixTime, Verify as _, WireText as _, nonce_text};
use yuanfen_sign::{ApiV3Key, Certificate, RsaSigningKey, RsaVerifyingKey, line_text};

use self::authorization::Merchant;
use self::bill_files::BillFiles;
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Setting};
use crate::ambient::SeededAmbient;
use crate::book::{Refund, RefundState};
use crate::deliver::{About, Event};
use crate::keys;

/// Sheet, section 11.2: seconds to wait after each attempt.
const LADDER: &[u64] = &[
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];
/// A prepay id lives two hours.
const PREPAY_LIFE: i64 = 7200;

pub(super) struct WechatV3 {
    merchant: Merchant,
    api_key: ApiV3Key,
    certificates: Vec<PlatformCertificate>,
    /// Which of them signs.
    active: usize,
    public_key: RsaSigningKey,
    /// Whether the merchant has no platform certificates.
    public_key_only: bool,
    files: BillFiles,
}

struct PlatformCertificate {
    pem: &'static str,
    certificate: Certificate,
    key: RsaSigningKey,
}

/// Which operation a call is, with what its path names.
enum Operation {
    PlaceJsapiOrder,
    QueryById(String),
    QueryOrder(String),
    CloseOrder(String),
    Refund,
    QueryRefund(String),
    TradeBill,
    FundFlowBill,
    DownloadBill,
    Certificates,
}

/// An answer before it is signed.
enum Answer {
    Json(StatusCode, Value),
    /// 204.
    Nothing,
    /// A file, which nobody signs.
    File(Bytes),
}

/// A refusal, in the form of the sheet's section 10.1.
pub(super) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
    detail: Option<Value>,
    signed: bool,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            signed: true,
        }
    }

    fn with_detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// The gateway refuses before anybody signs.
    fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn body(&self) -> Value {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (Some(detail), Some(members)) = (&self.detail, body.as_object_mut()) {
            members.insert("detail".to_owned(), detail.clone());
        }
        body
    }
}

impl WechatV3 {
    pub(super) fn new() -> Result<Self, keys::KeyError> {
        let merchant = Certificate::parse(keys::WECHAT_MERCHANT_CERTIFICATE)?;
        let certificates = keys::WECHAT_PLATFORM.iter().map(|(pem, key)| {
            Ok(PlatformCertificate {
                pem,
                certificate: Certificate::parse(pem)?,
                key: RsaSigningKey::parse(key)?,
            })
        });
        Ok(Self {
            merchant: Merchant {
                id: keys::WECHAT_MERCHANT_ID.to_owned(),
                key: RsaVerifyingKey::of_certificate(&merchant)?,
                serial: merchant.serial,
            },
            api_key: ApiV3Key::new(keys::WECHAT_API_V3_KEY)?,
            certificates: certificates.collect::<Result<_, _>>()?,
            active: 0,
            public_key: RsaSigningKey::parse(keys::WECHAT_PUBLIC_KEY_PRIVATE)?,
            public_key_only: false,
            files: BillFiles::default(),
        })
    }

    fn perform(&mut self, operation: &Operation, call: &Call<'_>, desk: &mut Desk<'_>) -> Result<Answer, Refusal> {
        match operation {
            Operation::PlaceJsapiOrder => orders::place_jsapi(call, desk),
            Operation::QueryById(transaction_id) => orders::query(call, desk, None, Some(transaction_id)),
            Operation::QueryOrder(order_no) => orders::query(call, desk, Some(order_no), None),
            Operation::CloseOrder(order_no) => orders::close(call, desk, order_no),
            Operation::Refund => refunds::create(call, desk),
            Operation::QueryRefund(refund_no) => refunds::query(call, desk, refund_no),
            Operation::TradeBill => self.files.apply_trade(call, desk),
            Operation::FundFlowBill => self.files.apply_fund_flow(call, desk),
            Operation::DownloadBill => self.files.download(call, desk).map(Answer::File),
            Operation::Certificates => self.list_certificates(desk),
        }
    }

    /// The certificate in use and, after a rotation, the one before it: both are live for a while.
    fn list_certificates(&self, desk: &Desk<'_>) -> Result<Answer, Refusal> {
        if self.public_key_only {
            return Err(Refusal::new(
                404,
                "RESOURCE_NOT_EXISTS",
                "无可用的平台证书,请使用微信支付公钥",
            ));
        }
        let from = self.active.saturating_sub(1);
        let live = self.certificates.get(from..=self.active).unwrap_or_default();
        let data = live.iter().map(|platform| {
            const ASSOCIATED: &str = "certificate";
            let nonce = desk.ambient.letters(12);
            let ciphertext = self
                .api_key
                .seal(&nonce, ASSOCIATED, platform.pem.as_bytes())
                .map_err(|_| Refusal::new(500, "SYSTEM_ERROR", "系统错误"))?;
            Ok(json!({
                "serial_no": platform.certificate.serial,
                "effective_time": Rfc3339(platform.certificate.not_before).to_string(),
                "expire_time": Rfc3339(platform.certificate.not_after).to_string(),
                "encrypt_certificate": {
                    "algorithm": "AEAD_AES_256_GCM",
                    "nonce": nonce,
                    "associated_data": ASSOCIATED,
                    "ciphertext": ciphertext,
                },
            }))
        });
        let data = data.collect::<Result<Vec<Value>, Refusal>>()?;
        Ok(Answer::Json(StatusCode::OK, json!({ "data": data })))
    }

    /// The key that signs for someone who asked for this serial.
    fn key_for(&self, asked: Option<&str>) -> (&str, &RsaSigningKey) {
        if self.public_key_only || asked == Some(keys::WECHAT_PUBLIC_KEY_ID) {
            return (keys::WECHAT_PUBLIC_KEY_ID, &self.public_key);
        }
        self.certificates
            .get(self.active)
            .map_or((keys::WECHAT_PUBLIC_KEY_ID, &self.public_key), |platform| {
                (platform.certificate.serial.as_str(), &platform.key)
            })
    }

    /// Puts the five headers of a signature over a body.
    fn sign(&self, headers: &mut HeaderMap, body: &[u8], asked: Option<&str>, desk: &Desk<'_>) {
        let (serial, key) = self.key_for(asked);
        let timestamp = desk.signing_now().to_text();
        let nonce = nonce_text(desk.ambient);
        let text = line_text(&[timestamp.as_bytes(), nonce.as_bytes(), body]);
        // A key that loaded signs.
        let signature = key.sign(&text, desk.ambient).unwrap_or_default();
        let signature = if desk.probes() {
            format!("WECHATPAY/SIGNTEST/{signature}")
        } else {
            desk.outgoing_signature(signature)
        };
        put(headers, "wechatpay-timestamp", &timestamp);
        put(headers, "wechatpay-nonce", &nonce);
        put(headers, "wechatpay-serial", serial);
        put(headers, "wechatpay-signature", &signature);
        put(headers, "wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048");
    }

    fn write(&self, answer: Answer, signed: bool, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
        let (status, body, signed) = match answer {
            Answer::Json(status, body) => (status, to_bytes(body, desk), signed),
            Answer::Nothing => (StatusCode::NO_CONTENT, Bytes::new(), signed),
            Answer::File(body) => (StatusCode::OK, body, false),
        };
        let mut headers = HeaderMap::new();
        if status != StatusCode::NO_CONTENT {
            let kind = if signed || !status.is_success() {
                "application/json; charset=utf-8"
            } else {
                "application/octet-stream"
            };
            put(&mut headers, "content-type", kind);
        }
        let number = if status.is_success() { "0" } else { "268435461" };
        put(
            &mut headers,
            "request-id",
            &format!("{}-{number}", desk.ambient.hex(32).to_uppercase()),
        );
        if signed {
            self.sign(&mut headers, &body, call.header("wechatpay-serial"), desk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}

impl PlatformSide for WechatV3 {
    fn platform(&self) -> Platform {
        Platform::WechatV3
    }

    fn owns(&self, path: &str) -> bool {
        path.starts_with("/v3/")
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        match Operation::of(call) {
            Ok(operation) => operation.name(),
            Err(_) => "unknown",
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let operation = match Operation::of(call) {
            Ok(operation) => operation,
            Err(status) => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = status;
                return response;
            }
        };
        let outcome = check_headers(call)
            .and_then(|()| authorization::check(call, &self.merchant, desk))
            .and_then(|()| self.perform(&operation, call, desk));
        match outcome {
            Ok(answer) => self.write(answer, true, call, desk),
            Err(refusal) => {
                let answer = Answer::Json(refusal.status(), refusal.body());
                self.write(answer, refusal.signed, call, desk)
            }
        }
    }

    fn unsigned_error(&self, desk: &mut Desk<'_>) -> Response<Bytes> {
        let refusal = Refusal::new(500, "SYSTEM_ERROR", "系统错误");
        let mut response = Response::new(to_bytes(refusal.body(), desk));
        *response.status_mut() = refusal.status();
        put(
            response.headers_mut(),
            "content-type",
            "application/json; charset=utf-8",
        );
        response
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
        format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
    }

    fn default_bank(&self) -> &'static str {
        "OTHERS"
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        let order = &event.order;
        let (kind, original, summary, plain) = match &event.about {
            About::Payment => (
                "TRANSACTION.SUCCESS",
                "transaction",
                "支付成功",
                orders::transaction(order, desk),
            ),
            About::Refund(refund_no) => {
                let refund = order.refund(refund_no)?;
                let (kind, summary) = refund_event(refund)?;
                (kind, "refund", summary, refunds::notice(order, refund)?)
            }
        };
        let nonce = desk.ambient.letters(12);
        let plain = to_bytes(plain, desk);
        let ciphertext = self.api_key.seal(&nonce, original, &plain).ok()?;
        let envelope = json!({
            "id": event.id,
            "create_time": Rfc3339(event.created_at).to_string(),
            "resource_type": "encrypt-resource",
            "event_type": kind,
            "summary": summary,
            "resource": {
                "original_type": original,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": ciphertext,
                "associated_data": original,
                "nonce": nonce,
            },
        });
        let body = to_bytes(envelope, desk);
        let mut headers = HeaderMap::new();
        put(&mut headers, "content-type", "application/json");
        put(&mut headers, "user-agent", "Mozilla/4.0");
        // Signed as the call that placed the order asked its answer to be signed: in life the switch of a merchant
        // moves over gradually, and nothing tells which key comes.
        self.sign(&mut headers, &body, order.detail("asked_serial"), desk);
        let mut request = Request::post(event.url.as_str()).body(body).ok()?;
        *request.headers_mut() = headers;
        Some(request)
    }

    /// Any 2xx acknowledges, whatever the body says.
    fn acknowledges(&self, status: StatusCode, _body: &[u8]) -> bool {
        status.is_success()
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        LADDER
            .get(attempts.checked_sub(1)?)
            .map(|seconds| Duration::from_secs(*seconds))
    }

    /// `getBrandWCPayRequest` and `wx.requestPayment`; the latter is not handed the app's id.
    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        let given = |name: &'static str| {
            let found = parameters.iter().find(|(candidate, _)| *candidate == name);
            found.map(|(_, value)| *value).filter(|value| !value.is_empty())
        };
        let need = |name| given(name).ok_or(PageRefused::Parameter(name));
        let app_id = given("appId").unwrap_or(keys::WECHAT_APP_ID);
        if app_id != keys::WECHAT_APP_ID {
            return Err(PageRefused::Parameter("appId"));
        }
        let time = need("timeStamp")?;
        if time.len() != 10 || UnixTime::read(time).is_err() {
            return Err(PageRefused::Parameter("timeStamp"));
        }
        let package = need("package")?;
        let prepay_id = package
            .strip_prefix("prepay_id=")
            .ok_or(PageRefused::Parameter("package"))?;
        if need("signType")? != "RSA" {
            return Err(PageRefused::Parameter("signType"));
        }
        let nonce = need("nonceStr")?;
        let text = page_text(app_id, time, nonce, package);
        self.merchant
            .key
            .verify(&text, need("paySign")?)
            .map_err(|_| PageRefused::Signature)?;
        let now = desk.now();
        let order = desk
            .book
            .by_detail(Platform::WechatV3, "prepay_id", prepay_id, now)
            .ok_or(PageRefused::Expired)?;
        if orders::prepay_lives(order, now) {
            Ok(order.order_no.clone())
        } else {
            Err(PageRefused::Expired)
        }
    }

    fn set(&mut self, setting: &Setting) {
        if let Setting::WechatV3PublicKeyOnly(only) = setting {
            self.public_key_only = *only;
        }
    }

    fn signing_certificate(&self) -> Option<(String, &'static str)> {
        self.certificates
            .get(self.active)
            .map(|platform| (platform.certificate.serial.clone(), platform.pem))
    }

    fn merchant_serial(&self) -> Option<String> {
        Some(self.merchant.serial.clone())
    }

    fn rotate_key(&mut self) -> Option<String> {
        let next = self.active.saturating_add(1);
        let serial = self.certificates.get(next)?.certificate.serial.clone();
        self.active = next;
        Some(serial)
    }
}

impl Operation {
    fn of(call: &Call<'_>) -> Result<Self, StatusCode> {
        let segments: Vec<String> = call
            .path
            .split('/')
            .skip(1)
            .map(|segment| percent_decode_str(segment).decode_utf8().map(|text| text.into_owned()))
            .collect::<Result<_, _>>()
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (method, operation) = match segments.as_slice() {
            ["v3", "pay", "transactions", "jsapi"] => (Method::POST, Self::PlaceJsapiOrder),
            ["v3", "pay", "transactions", "id", id] => (Method::GET, Self::QueryById((*id).to_owned())),
            ["v3", "pay", "transactions", "out-trade-no", number] => {
                (Method::GET, Self::QueryOrder((*number).to_owned()))
            }
            ["v3", "pay", "transactions", "out-trade-no", number, "close"] => {
                (Method::POST, Self::CloseOrder((*number).to_owned()))
            }
            ["v3", "refund", "domestic", "refunds"] => (Method::POST, Self::Refund),
            ["v3", "refund", "domestic", "refunds", number] => (Method::GET, Self::QueryRefund((*number).to_owned())),
            ["v3", "bill", "tradebill"] => (Method::GET, Self::TradeBill),
            ["v3", "bill", "fundflowbill"] => (Method::GET, Self::FundFlowBill),
            ["v3", "billdownload", "file"] => (Method::GET, Self::DownloadBill),
            ["v3", "certificates"] => (Method::GET, Self::Certificates),
            _ => return Err(StatusCode::NOT_FOUND),
        };
        if call.method == method {
            Ok(operation)
        } else {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::PlaceJsapiOrder => "place-jsapi-order",
            Self::QueryById(_) => "query-order-by-id",
            Self::QueryOrder(_) => "query-order",
            Self::CloseOrder(_) => "close-order",
            Self::Refund => "refund",
            Self::QueryRefund(_) => "query-refund",
            Self::TradeBill => "trade-bill",
            Self::FundFlowBill => "fund-flow-bill",
            Self::DownloadBill => "download-bill",
            Self::Certificates => "certificates",
        }
    }
}

/// What a page's signature is over (section 22 of the sheet).
fn page_text(app_id: &str, time: &str, nonce: &str, package: &str) -> Vec<u8> {
    line_text(&[app_id.as_bytes(), time.as_bytes(), nonce.as_bytes(), package.as_bytes()])
}

/// What the gateway looks at before the signature.
fn check_headers(call: &Call<'_>) -> Result<(), Refusal> {
    let refuse = |words: &str| Err(Refusal::new(400, "INVALID_REQUEST", words).unsigned());
    if call.header("user-agent").is_none_or(str::is_empty) {
        return refuse("Http头缺少User-Agent");
    }
    let lists_json = |accept: &str| {
        let mut kinds = accept
            .split(',')
            .map(|kind| kind.split(';').next().unwrap_or_default().trim());
        kinds.any(|kind| matches!(kind, "application/json" | "*/*"))
    };
    if !call.header("accept").is_some_and(lists_json) {
        return refuse("Http头缺少Accept或其值不是application/json");
    }
    if call.method == Method::POST {
        let kind = call.header("content-type").unwrap_or_default();
        if kind.split(';').next().unwrap_or_default().trim() != "application/json" {
            return refuse("Http头Content-Type的值不是application/json");
        }
    }
    Ok(())
}

fn refund_event(refund: &Refund) -> Option<(&'static str, &'static str)> {
    match refund.state {
        RefundState::Succeeded => Some(("REFUND.SUCCESS", "退款成功")),
        RefundState::Abnormal => Some(("REFUND.ABNORMAL", "退款异常")),
        RefundState::Closed => Some(("REFUND.CLOSED", "退款关闭")),
        RefundState::Processing => None,
    }
}

/// The query's pairs, decoded; `None` where they are no form.
fn query_of(call: &Call<'_>) -> Result<Fields, Refusal> {
    yuanfen_form::read(
        call.query.unwrap_or_default().as_bytes(),
        &yuanfen_core::Limits::DEFAULT,
    )
    .map_err(|_| Refusal::new(400, "PARAM_ERROR", "查询参数格式错误"))
}

/// Refuses a merchant that is not the one who signed.
fn same_merchant(merchant: Option<&str>, location: &str) -> Result<(), Refusal> {
    if merchant == Some(keys::WECHAT_MERCHANT_ID) {
        return Ok(());
    }
    Err(
        Refusal::new(400, "PARAM_ERROR", "请求中的商户号与签名的商户号不一致").with_detail(json!({
            "field": if location == "body" { "/mchid" } else { "mchid" },
            "location": location,
            "issue": "mchid与Http头Authorization中的mchid不一致或缺失",
        })),
    )
}

/// Members in the map's order, as one line; with one more where the plan wants it.
fn to_bytes(mut body: Value, desk: &Desk<'_>) -> Bytes {
    if let (true, Some(members)) = (desk.adds_fields(), body.as_object_mut()) {
        members.insert("sandbox_new_field".to_owned(), json!({ "list": [1, "x"] }));
    }
    Bytes::from(body.to_string())
}

/// Names and values here are visible ASCII; anything else would be dropped.
fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
