//! Bills: files that nobody signs, and refusals that nobody signs either (sections 6.8 and 6.9 of the sheet).

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};
use yuanfen_core::{CalendarDate, Fields};
use yuanfen_sign::Sha1Stream;

use super::checks::{lengths, need, one_of};
use super::message::{Caller, Merchant, Refusal, SignType, Unreadable, put, respond, to_xml};
use crate::bills::{self, Holder, TradeBill, Untimely, gzip};
use crate::platforms::Desk;

/// Why there is no trade bill: words in `return_msg`, and sometimes a number in a field of its own.
#[derive(Debug)]
pub(super) struct NoBill {
    words: String,
    error_code: Option<&'static str>,
}

impl NoBill {
    fn new(words: &str) -> Self {
        Self {
            words: words.to_owned(),
            error_code: None,
        }
    }

    /// Nothing happened that day.
    fn none() -> Self {
        Self {
            words: "No Bill Exist".to_owned(),
            error_code: Some("20002"),
        }
    }

    pub(super) fn answer(&self) -> Response<Bytes> {
        let mut fields = Fields::new();
        put(&mut fields, "return_code", "FAIL");
        put(&mut fields, "return_msg", &self.words);
        if let Some(code) = self.error_code {
            put(&mut fields, "error_code", code);
        }
        respond(to_xml(&fields))
    }
}

impl From<Unreadable> for NoBill {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Signature | Unreadable::Unsigned => Self::new("SIGN ERROR"),
            other => Self::new(other.words()),
        }
    }
}

impl From<Refusal> for NoBill {
    fn from(refusal: Refusal) -> Self {
        match refusal.code {
            "LACK_PARAMS" => Self::new("missing parameter"),
            "PARAM_ERROR" => Self::new("data format error"),
            "BILL_CREATING" => Self::new("Bill Creating"),
            "NO_BILL_EXIST" => Self::none(),
            _ => Self::new(&refusal.words),
        }
    }
}

pub(super) fn trade(fields: &Fields, caller: &Caller<'_>, desk: &Desk<'_>) -> Result<Response<Bytes>, NoBill> {
    let day = day(fields)?;
    one_of(fields, "tar_type", &["GZIP"])?;
    let kind = match fields.filled("bill_type") {
        None | Some("ALL") => Some(TradeBill::All),
        Some("SUCCESS") => Some(TradeBill::Success),
        Some("REFUND") => Some(TradeBill::Refund),
        // Nobody recharges anything here.
        Some("RECHARGE_REFUND") => None,
        Some(_) => return Err(NoBill::new("invalid bill_type")),
    };
    bills::check_day(desk.book, day, desk.now()).map_err(|untimely| match untimely {
        Untimely::NotYet => NoBill::new("Bill Creating"),
        Untimely::NoMore => NoBill::new("data format error"),
    })?;
    let bill = kind.and_then(|kind| bills::trade(desk.book, holder(caller), day, kind));
    let bill = bill.ok_or_else(NoBill::none)?;
    file(&bill, fields).ok_or_else(|| NoBill::new("CompressGZip Error"))
}

/// The `Digest` is over the bill before it is compressed, as APIv3 has it; the sheet leaves it open.
pub(super) fn fund_flow(fields: &Fields, caller: &Caller<'_>, desk: &Desk<'_>) -> Result<Response<Bytes>, Refusal> {
    hmac_only(caller)?;
    let day = day(fields)?;
    one_of(fields, "tar_type", &["GZIP"])?;
    let account = need(fields, "account_type")?;
    one_of(fields, "account_type", &["Basic", "Operation", "Fees"])?;
    bills::check_day(desk.book, day, desk.now()).map_err(|untimely| match untimely {
        Untimely::NotYet => Refusal::new("BILL_CREATING", "账单生成中"),
        Untimely::NoMore => Refusal::field("bill_date"),
    })?;
    // Nothing moves on the other accounts here.
    let bill = (account == "Basic").then(|| bills::fund_flow(desk.book, holder(caller), day));
    let bill = bill
        .flatten()
        .ok_or_else(|| Refusal::new("NO_BILL_EXIST", "账单不存在"))?;
    let mut response = file(&bill, fields).ok_or_else(|| Refusal::new("SYSTEMERROR", "系统错误"))?;
    let mut digest = Sha1Stream::new();
    digest.push(bill.as_bytes());
    let digest = format!("SHA={}", desk.outgoing_digest(digest.finish_hex()));
    if let Ok(digest) = HeaderValue::try_from(digest) {
        response.headers_mut().insert(HeaderName::from_static("digest"), digest);
    }
    Ok(response)
}

/// Calls that take no MD5.
///
/// # Errors
/// When the caller signs with it.
pub(super) fn hmac_only(caller: &Caller<'_>) -> Result<(), Refusal> {
    match caller.sign_type {
        SignType::HmacSha256 => Ok(()),
        SignType::Md5 => Err(Refusal::new("PARAM_ERROR", "sign_type参数错误，仅支持HMAC-SHA256")),
    }
}

/// A refusal with a code that nobody signs.
pub(super) fn unsigned_refusal(refusal: &Refusal) -> Response<Bytes> {
    let mut fields = Fields::new();
    put(&mut fields, "return_code", "SUCCESS");
    put(&mut fields, "return_msg", "OK");
    put(&mut fields, "result_code", "FAIL");
    put(&mut fields, "err_code", refusal.code);
    put(&mut fields, "err_code_des", &refusal.words);
    respond(to_xml(&fields))
}

fn day(fields: &Fields) -> Result<CalendarDate, Refusal> {
    lengths(fields, &[("bill_date", 8)])?;
    let text = need(fields, "bill_date")?;
    CalendarDate::parse_compact(text).map_err(|_| Refusal::field("bill_date"))
}

fn holder<'a>(caller: &'a Caller<'_>) -> Holder<'a> {
    holder_of(caller.merchant, caller.sub.merchant_id.as_deref())
}

pub(super) const fn holder_of<'a>(merchant: &'a Merchant, sub_merchant: Option<&'a str>) -> Holder<'a> {
    Holder {
        account: merchant.account,
        app_id: merchant.app_id,
        merchant_id: merchant.merchant_id,
        sub_merchant,
    }
}

fn file(text: &str, fields: &Fields) -> Option<Response<Bytes>> {
    let (content, kind) = match fields.filled("tar_type") {
        Some(_) => (Bytes::from(gzip(text.as_bytes())?), "application/x-gzip"),
        None => (Bytes::from(text.to_owned()), "text/plain"),
    };
    let mut response = Response::new(content);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Some(response)
}
