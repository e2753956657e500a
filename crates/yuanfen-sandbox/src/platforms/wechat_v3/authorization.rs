//! The caller's side of a signature: the `Authorization` header, the clock, the text, in this order.

use serde_json::json;
use yuanfen_core::{UnixTime, Verify as _, WireText as _};
use yuanfen_sign::line_text;

use super::Refusal;
use super::caller::Merchant;
use crate::diagnosis::{Lines, Mistake, Rsa};
use crate::exchange::SignatureVerdict;
use crate::platforms::{Call, Desk};

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048 ";
/// Seconds that a caller's clock may be off.
const WINDOW: u64 = 300;
/// Characters of the rebuilt text that an answer shows.
const SHOWN_OF_TEXT: usize = 256;

/// Whose call it is by its own words, before anything is checked.
pub(super) fn claimed<'m>(call: &Call<'_>, merchants: &'m [Merchant]) -> Option<&'m Merchant> {
    let parameters = Parameters::parse(call.header("authorization")?.strip_prefix(SCHEME)?)?;
    merchants.iter().find(|merchant| merchant.id == parameters.mchid)
}

struct Parameters<'a> {
    mchid: &'a str,
    nonce: &'a str,
    timestamp: &'a str,
    serial: &'a str,
    signature: &'a str,
}

/// Checks a call's signature over those bytes of its body, tells the desk what it came to, and says which of the
/// merchants signed.
pub(super) fn check(
    call: &Call<'_>,
    signed: &[u8],
    merchants: &[Merchant],
    desk: &mut Desk<'_>,
) -> Result<usize, Refusal> {
    let Some(header) = call.header("authorization") else {
        desk.checked(SignatureVerdict::Missing, None);
        return Err(refuse("Http头缺少Authorization"));
    };
    let Some(parameters) = header.strip_prefix(SCHEME) else {
        desk.checked(SignatureVerdict::Missing, None);
        return Err(refuse("Http头Authorization认证类型不正确"));
    };
    let Some(parameters) = Parameters::parse(parameters) else {
        desk.checked(SignatureVerdict::Missing, None);
        return Err(refuse("Http头Authorization值格式错误"));
    };
    let text = line_text(&[
        call.method.as_str().as_bytes(),
        call.target.as_bytes(),
        parameters.timestamp.as_bytes(),
        parameters.nonce.as_bytes(),
        signed,
    ]);
    let shown = String::from_utf8_lossy(&text).into_owned();
    let (verdict, words) = match judge(&parameters, merchants, &text, desk.judging_now()) {
        Judgement::Holds(merchant) => {
            desk.checked(SignatureVerdict::Holds, Some(shown));
            return Ok(merchant);
        }
        Judgement::Refused(verdict, words) => (verdict, words),
    };
    let refusal = refuse(words);
    let refusal = if verdict == SignatureVerdict::Mismatch {
        inquire(call, signed, &parameters, merchants, desk);
        refusal.with_detail(json!({
            "field": "signature",
            "location": "authorization",
            "issue": "sign not match",
            "sign_information": {
                "method": call.method.as_str(),
                "url": call.target,
                "truncated_sign_message": shown.chars().take(SHOWN_OF_TEXT).collect::<String>(),
                "sign_message_length": text.len(),
            },
        }))
    } else {
        refusal
    };
    desk.checked(verdict, Some(shown));
    Err(refusal)
}

enum Judgement {
    Holds(usize),
    Refused(SignatureVerdict, &'static str),
}

/// The clock is looked at before the signature.
fn judge(parameters: &Parameters<'_>, merchants: &[Merchant], text: &[u8], now: UnixTime) -> Judgement {
    use Judgement::Refused;

    const FORM: &str = "Http头Authorization值格式错误";
    let Ok(signed_at) = UnixTime::read(parameters.timestamp) else {
        return Refused(SignatureVerdict::Missing, FORM);
    };
    if parameters.nonce.len() > 32 || !parameters.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Refused(SignatureVerdict::Missing, FORM);
    }
    let found = merchants
        .iter()
        .enumerate()
        .find(|(_, merchant)| merchant.id == parameters.mchid);
    let Some((index, merchant)) = found else {
        return Refused(SignatureVerdict::UnknownKey, "商户号不存在");
    };
    if !parameters.serial.eq_ignore_ascii_case(&merchant.serial) {
        return Refused(SignatureVerdict::UnknownKey, "商户证书序列号有误");
    }
    if now.since(signed_at).unsigned_abs() > WINDOW {
        return Refused(SignatureVerdict::Stale, "时间戳与服务器时间相差超过5分钟");
    }
    match merchant.key.verify(text, parameters.signature) {
        Ok(()) => Judgement::Holds(index),
        Err(_) => Refused(SignatureVerdict::Mismatch, "签名错误,验签失败"),
    }
}

/// Keeps what it takes to find out what was signed instead: by the merchant's own key, or by another's.
fn inquire(call: &Call<'_>, signed: &[u8], parameters: &Parameters<'_>, merchants: &[Merchant], desk: &mut Desk<'_>) {
    let (own, others): (Vec<_>, Vec<_>) = merchants.iter().partition(|merchant| merchant.id == parameters.mchid);
    let Some(own) = own.first() else {
        return;
    };
    let judge = others
        .iter()
        .fold(Rsa::new(own.key.clone(), parameters.signature), |judge, other| {
            judge.or(Mistake::OtherKey, other.key.clone())
        });
    let lines = Lines {
        method: call.method.to_string(),
        target: call.target.to_owned(),
        host: call.header("host").map(str::to_owned),
        timestamp: parameters.timestamp.to_owned(),
        nonce: parameters.nonce.to_owned(),
        body: signed.to_vec(),
        sent: call.body.to_vec(),
    };
    desk.inquire(move || lines.explain(&judge));
}

fn refuse(words: &str) -> Refusal {
    Refusal::new(401, "SIGN_ERROR", words).numbered(268_443_699).unsigned()
}

impl<'a> Parameters<'a> {
    /// Five parameters in any order, each once, in double quotes, with bare commas between them.
    fn parse(text: &'a str) -> Option<Self> {
        let (mut mchid, mut nonce, mut timestamp, mut serial, mut signature) = (None, None, None, None, None);
        for parameter in text.split(',') {
            let (name, value) = parameter.split_once('=')?;
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let slot = match name {
                "mchid" => &mut mchid,
                "nonce_str" => &mut nonce,
                "timestamp" => &mut timestamp,
                "serial_no" => &mut serial,
                "signature" => &mut signature,
                _ => return None,
            };
            if value.is_empty() || value.contains('"') || slot.replace(value).is_some() {
                return None;
            }
        }
        Some(Self {
            mchid: mchid?,
            nonce: nonce?,
            timestamp: timestamp?,
            serial: serial?,
            signature: signature?,
        })
    }
}
