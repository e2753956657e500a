//! WeChat Pay APIv3, the platform's side, from its sheet: JSON, RSA over the very bytes, AES-GCM inside notices.

mod abnormal;
mod authorization;
mod bill_files;
mod caller;
mod certificates;
mod combined;
mod frequency;
mod media;
mod notices;
mod operation;
mod orders;
mod page;
mod placing;
mod refunds;
mod schema;
mod subject;
mod till;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};
use yuanfen_core::{Fields, Sign as _, UnixTime, WireText as _, nonce_text};
use yuanfen_sign::{RsaSigningKey, line_text};

use self::bill_files::BillFiles;
use self::caller::Merchant;
use self::certificates::PlatformCertificate;
use self::media::Upload;
use self::operation::Operation;
use self::orders::Named;
use super::rates::{Rate, Rates};
use super::wechat_web::{self, App, WechatWeb};
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Setting};
use crate::Settings;
use crate::ambient::SeededAmbient;
use crate::bills::Holder;
use crate::book::{Account, Book};
use crate::deliver::Event;
use crate::faults::Subject;
use crate::keys::{self, CertifiedKey, KeyError, KeySet, WechatV3Keys};

pub(super) struct WechatV3 {
    /// Who can call: a merchant for itself, and a service provider for its merchants.
    merchants: [Merchant; 2],
    /// All that were in use so far; the last of them signs.
    certificates: Vec<PlatformCertificate>,
    /// Where the next one comes from.
    keys: KeySet,
    public_key: RsaSigningKey,
    /// Whether the merchant has no platform certificates.
    public_key_only: bool,
    /// No order is closed within five minutes.
    keeps_five_minutes: bool,
    rates: Rates,
    files: BillFiles,
    /// The apps of both merchants in WeChat's web, and the one that a sub-merchant has.
    web: WechatWeb,
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
    /// What `Request-ID` ends with.
    number: u32,
    signed: bool,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            number: 268_435_461,
            signed: true,
        }
    }

    /// With the platform's internal number of the failure, section 10.3.
    const fn numbered(mut self, number: u32) -> Self {
        self.number = number;
        self
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

/// The apps of the merchants. Official account and mini program are one here.
fn apps(keys: &WechatV3Keys) -> Vec<App> {
    let openid = keys::WECHAT_OPENID.to_owned();
    let rows = [
        (keys::WECHAT_APP_ID, &keys.app_secret, openid.clone()),
        (keys::WECHAT_PROVIDER_APP_ID, &keys.provider_app_secret, openid.clone()),
        (
            keys::WECHAT_SUB_APP_ID,
            &keys.sub_app_secret,
            keys::openid_under_sub_app(&openid),
        ),
    ];
    rows.map(|(id, secret, openid)| App {
        id,
        secret: secret.clone(),
        openid,
    })
    .to_vec()
}

impl WechatV3 {
    pub(super) fn new(set: &KeySet) -> Result<Self, KeyError> {
        let keys = set.wechat_v3();
        Ok(Self {
            merchants: [Merchant::own(keys)?, Merchant::provider(keys)?],
            certificates: vec![PlatformCertificate::load(&keys.platform)?],
            public_key: RsaSigningKey::parse(keys.public_key.private_key_pem.expose())?,
            keys: set.clone(),
            public_key_only: false,
            keeps_five_minutes: false,
            rates: Rates::default(),
            files: BillFiles::default(),
            web: WechatWeb::new(apps(keys)),
        })
    }

    fn perform(
        &mut self,
        operation: &Operation,
        merchant: usize,
        upload: Option<&Upload<'_>>,
        call: &Call<'_>,
        desk: &mut Desk<'_>,
    ) -> Result<Answer, Refusal> {
        let Some(merchant) = self.merchants.get(merchant) else {
            return Err(Refusal::new(500, "SYSTEM_ERROR", "系统错误"));
        };
        if operation
            .partner()
            .is_some_and(|partner| partner != merchant.account.is_provider)
        {
            return Err(Refusal::new(403, "NO_AUTH", "商户无此接口权限"));
        }
        if let Some(row) = desk.refusal(Platform::WechatV3) {
            let refusal = Refusal::new(row.status, row.code, row.words);
            return Err(if row.number == 0 {
                refusal
            } else {
                refusal.numbered(row.number)
            });
        }
        frequency::admit(&mut self.rates, operation, merchant.account, desk)?;
        match operation {
            Operation::Place(product, _) => placing::place(*product, merchant, call, desk),
            Operation::PayByCode(_) => till::charge(merchant, call, desk),
            Operation::QueryById(id, _) => orders::query(Named::Theirs(id), merchant, call, desk),
            Operation::QueryOrder(number, _) => orders::query(Named::Ours(number), merchant, call, desk),
            Operation::CloseOrder(number, _) => orders::close(number, merchant, self.keeps_five_minutes, call, desk),
            Operation::ReverseOrder(number, _) => till::reverse(number, merchant, call, desk),
            Operation::Refund => {
                let refunded = refunds::create(merchant, call, desk);
                if refunded.is_err() {
                    self.rates.count(merchant.account, Rate::FailedRefunds);
                }
                refunded
            }
            Operation::QueryRefund(number) => refunds::query(number, merchant, call, desk),
            Operation::AbnormalRefund(id) => {
                let key = self.encryption_key(call.header("wechatpay-serial"));
                abnormal::send_on(id, merchant, key, call, desk)
            }
            Operation::PlaceCombined(product) => combined::place(*product, merchant, call, desk),
            Operation::QueryCombined(number) => combined::query(number, merchant, call, desk),
            Operation::CloseCombined(number) => combined::close(number, merchant, self.keeps_five_minutes, call, desk),
            Operation::Upload(media) => match upload {
                Some(upload) => media::take(*media, upload, desk),
                None => Err(media::malformed()),
            },
            Operation::TradeBill => self.files.apply_trade(merchant, call, desk),
            Operation::FundFlowBill => self.files.apply_fund_flow(merchant, call, desk),
            Operation::SealedFundFlowBill(scope) => self.files.apply_sealed(*scope, merchant, call, desk),
            Operation::DownloadBill => self.files.download(merchant, call, desk).map(Answer::File),
            Operation::Certificates => {
                let all = &self.certificates;
                // After a rotation the one before it is live for a while too.
                let live = all.get(all.len().saturating_sub(2)..).filter(|_| !self.public_key_only);
                certificates::list(live.unwrap_or_default(), merchant, call, desk)
            }
        }
    }

    /// The platform's key of that serial, to open what a call encrypted under it.
    fn encryption_key(&self, serial: Option<&str>) -> Option<&RsaSigningKey> {
        let serial = serial?;
        if serial == keys::WECHAT_PUBLIC_KEY_ID {
            return Some(&self.public_key);
        }
        let found = self
            .certificates
            .iter()
            .find(|platform| platform.certificate.serial.eq_ignore_ascii_case(serial));
        found.filter(|_| !self.public_key_only).map(|platform| &platform.key)
    }

    /// The key that signs for someone who asked for this serial.
    fn key_for(&self, asked: Option<&str>) -> (&str, &RsaSigningKey) {
        if self.public_key_only || asked == Some(keys::WECHAT_PUBLIC_KEY_ID) {
            return (keys::WECHAT_PUBLIC_KEY_ID, &self.public_key);
        }
        self.certificates
            .last()
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
            desk.outgoing_probe(format!("WECHATPAY/SIGNTEST/{signature}"))
        } else {
            desk.outgoing_signature(signature)
        };
        put(headers, "wechatpay-timestamp", &timestamp);
        put(headers, "wechatpay-nonce", &nonce);
        put(headers, "wechatpay-serial", serial);
        put(headers, "wechatpay-signature", &signature);
        put(headers, "wechatpay-signature-type", "WECHATPAY2-SHA256-RSA2048");
    }

    /// `number` is what `Request-ID` ends with: nothing of an answer that is no failure.
    fn write(&self, answer: Answer, signed: bool, number: u32, call: &Call<'_>, desk: &Desk<'_>) -> Response<Bytes> {
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

    /// WeChat's web too, whoever's app it is asked for: what nobody knows has its answer here.
    fn owns(&self, call: &Call<'_>) -> bool {
        call.path.starts_with("/v3/") || wechat_web::operation(call.path).is_some()
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        if let Some(operation) = wechat_web::operation(call.path) {
            return operation;
        }
        match Operation::of(call) {
            Ok(operation) => operation.name(),
            Err(_) => "unknown",
        }
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        if wechat_web::operation(call.path).is_some() {
            return self.web.answer(call, desk);
        }
        let operation = match Operation::of(call) {
            Ok(operation) => operation,
            Err(status) => return gateway_refusal(status),
        };
        let outcome = check_headers(call, &operation)
            .and_then(|()| Upload::of(&operation, call))
            .and_then(|upload| {
                let signed = upload.as_ref().map_or(call.body, |upload| upload.meta);
                let merchant = authorization::check(call, signed, &self.merchants, desk)?;
                self.perform(&operation, merchant, upload.as_ref(), call, desk)
            });
        match outcome {
            Ok(answer) => self.write(answer, true, 0, call, desk),
            Err(refusal) => {
                let answer = Answer::Json(refusal.status(), refusal.body());
                self.write(answer, refusal.signed, refusal.number, call, desk)
            }
        }
    }

    fn subject(&self, call: &Call<'_>, book: &mut Book, _now: UnixTime) -> Subject {
        subject::of(call, &self.merchants, book)
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
        new_transaction_id(ambient)
    }

    fn default_bank(&self) -> &'static str {
        "OTHERS"
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        notices::write(self, event, desk)
    }

    /// Any 2xx acknowledges, whatever the body says.
    fn acknowledges(&self, status: StatusCode, _body: &[u8]) -> bool {
        status.is_success()
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        notices::wait_after(attempts)
    }

    /// `getBrandWCPayRequest`, `wx.requestPayment`, which is not handed the app's id, and the call of a mobile app.
    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        page::open(parameters, &self.merchants, desk)
    }

    fn login_code(&mut self, app_id: &str, ambient: &SeededAmbient) -> Option<String> {
        self.web.login_code(app_id, ambient)
    }

    fn open_page(&self, url: &str, parameters: &[(&str, &str)], desk: &Desk<'_>) -> Result<(), PageRefused> {
        self.web.open_page(url, parameters, desk)
    }

    fn set(&mut self, setting: &Setting) {
        match setting {
            Setting::WechatV3PublicKeyOnly(only) => self.public_key_only = *only,
            Setting::WechatV3KeepsFiveMinutes(keep) => self.keeps_five_minutes = *keep,
            Setting::WechatKeepsRates(keep) => self.rates.keep(*keep),
            _ => {}
        }
    }

    fn tell(&self, settings: &mut Settings) {
        settings.wechat_v3_public_key_only = Some(self.public_key_only);
        settings.wechat_v3_keeps_five_minutes = Some(self.keeps_five_minutes);
    }

    fn holder(&self, account: Account) -> Option<Holder<'_>> {
        let merchant = self.merchants.iter().find(|merchant| merchant.account == account)?;
        Some(bill_files::holder(merchant, None))
    }

    fn signing_certificate(&self) -> Option<(String, CertifiedKey)> {
        self.certificates
            .last()
            .map(|platform| (platform.certificate.serial.clone(), platform.identity.clone()))
    }

    fn merchant_serial(&self) -> Option<String> {
        self.merchants.first().map(|merchant| merchant.serial.clone())
    }

    fn provider_serial(&self) -> Option<String> {
        self.merchants.last().map(|merchant| merchant.serial.clone())
    }

    fn rotate_key(&mut self) -> Option<String> {
        let rotations = self.certificates.len().checked_sub(1)?;
        let next = match self.keys.wechat_v3().later_platform(rotations) {
            Ok(next) => PlatformCertificate::load(&next?),
            Err(error) => {
                tracing::error!(%error, "the next platform certificate could not be made");
                return None;
            }
        };
        // What the set makes or holds loads; a test goes through all of them.
        let next = next.ok()?;
        let serial = next.certificate.serial.clone();
        self.certificates.push(next);
        Some(serial)
    }
}

/// What the gateway says, unsigned, of a call that it does not let through.
pub(super) fn gateway_refusal(status: StatusCode) -> Response<Bytes> {
    let (code, message) = match status {
        StatusCode::NOT_FOUND => ("RESOURCE_NOT_EXISTS", "请求的接口不存在"),
        StatusCode::METHOD_NOT_ALLOWED => ("INVALID_REQUEST", "请求方法不正确"),
        StatusCode::PAYLOAD_TOO_LARGE => ("INVALID_REQUEST", "请求包体过大"),
        StatusCode::REQUEST_TIMEOUT => ("INVALID_REQUEST", "请求包体接收超时"),
        _ => ("INVALID_REQUEST", "请求格式错误"),
    };
    let body = json!({ "code": code, "message": message }).to_string();
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    put(
        response.headers_mut(),
        "content-type",
        "application/json; charset=utf-8",
    );
    response
}

/// What the gateway looks at before the signature.
fn check_headers(call: &Call<'_>, operation: &Operation) -> Result<(), Refusal> {
    let refuse = |words: &str| Err(Refusal::new(400, "INVALID_REQUEST", words).unsigned());
    if call.header("user-agent").is_none_or(str::is_empty) {
        return refuse("Http头缺少User-Agent");
    }
    // The pages ask for it; SDKs that send none, or send `*/*`, are answered all the same.
    let accepts = call.headers.get_all(header::ACCEPT).iter();
    let mut kinds = accepts
        .flat_map(|accept| accept.to_str().unwrap_or("?").split(','))
        .map(|kind| kind.split(';').next().unwrap_or_default().trim())
        .filter(|kind| !kind.is_empty())
        .peekable();
    let is_json =
        |kind: &str| ["application/json", "application/*", "*/*"].contains(&kind.to_ascii_lowercase().as_str());
    if kinds.peek().is_some() && !kinds.any(is_json) {
        return refuse("Http头Accept的值不是application/json");
    }
    if call.method == Method::POST {
        let kind = call.header("content-type").unwrap_or_default();
        let wanted = match operation {
            Operation::Upload(_) => "multipart/form-data",
            _ => "application/json",
        };
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(wanted) {
            return refuse(&format!("Http头Content-Type的值不是{wanted}"));
        }
    }
    Ok(())
}

/// The query's pairs, decoded; `None` where they are no form.
fn query_of(call: &Call<'_>) -> Result<Fields, Refusal> {
    yuanfen_form::read(
        call.query.unwrap_or_default().as_bytes(),
        &yuanfen_core::Limits::DEFAULT,
    )
    .map_err(|_| Refusal::new(400, "PARAM_ERROR", "查询参数格式错误"))
}

/// Refuses a query with other parameters.
fn only(query: &Fields, names: &[&str]) -> Result<(), Refusal> {
    match query.iter().find(|(name, _)| !names.contains(name)) {
        None => Ok(()),
        Some((name, _)) => Err(wrong_in_query(name)),
    }
}

fn wrong_in_query(name: &str) -> Refusal {
    Refusal::new(400, "PARAM_ERROR", "参数错误")
        .with_detail(json!({ "field": name, "location": "query", "issue": "参数缺失、未知或取值错误" }))
}

fn new_transaction_id(ambient: &SeededAmbient) -> String {
    let day = yuanfen_core::Ambient::now(ambient).beijing_date().compact();
    format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10))
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
