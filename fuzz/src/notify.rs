use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use http::{HeaderValue, Request};
use yuanfen_core::{Ambient, Fields, FixedAmbient, Notice, NotificationSource, OpenError, Sign, SignError, UnixTime};
use yuanfen_sign::{ApiV3Key, KeyedSigner, RsaSigningKey, SharedKey};
use yuanfen_wechat_v3::test_util::Forger;
use yuanfen_wechat_v3::{Event, SigningIdentity};
use yuanfen_xml::MESSAGE_LIMITS;

use crate::input;

/// No body panics; none settles anything under a key that signed nothing; once signed it may, and then the event says
/// what its fields say.
pub fn notify_open_v2(data: &[u8]) {
    for sign_type in [
        yuanfen_wechat_v2::SignType::Md5,
        yuanfen_wechat_v2::SignType::HmacSha256,
    ] {
        let account = v2_account("wx2421b1c4370ec43b", "a key that signed nothing").with_sign_type(sign_type);
        settles_nothing(
            &account,
            &Request::new(Bytes::copy_from_slice(data)),
            UnixTime::from_seconds(0),
        );
        v2_signed(data, sign_type);
    }
}

fn v2_account(app_id: &str, key: &str) -> yuanfen_wechat_v2::Account {
    yuanfen_wechat_v2::Account::new(app_id, "10000100", key).expect("an account")
}

/// The same message from a platform that signs it; whether it settled something.
fn v2_signed(data: &[u8], sign_type: yuanfen_wechat_v2::SignType) -> bool {
    const KEY: &str = "the platform's key";
    let Ok(document) = yuanfen_xml::read(data, &MESSAGE_LIMITS) else {
        return false;
    };
    let mut fields = Fields::new();
    for (name, value) in document
        .fields()
        .iter()
        .filter(|(name, _)| !matches!(*name, "sign" | "sign_type"))
    {
        fields.push(name, value).expect("a new name");
    }
    let signer = KeyedSigner::new(SharedKey::new(KEY).expect("a key"), sign_type.scheme());
    let text = yuanfen_wechat_v2::RULES.text(&fields, signer.key());
    let signature = signer.sign(text.as_bytes(), &FixedAmbient::at(0)).expect("a signature");
    fields.push("sign", &signature).expect("a new name");
    let Ok(body) = yuanfen_xml::write("xml", &fields) else {
        return false;
    };
    if body.len() > MESSAGE_LIMITS.bytes {
        return false;
    }
    let request = Request::new(Bytes::from(body));
    let now = UnixTime::from_seconds(0);

    let account = v2_account("wx2421b1c4370ec43b", KEY).with_sign_type(sign_type);
    let opened = account.open_notification(&request, now);
    let settled = matches!(opened, Ok(Notice::Settles(_)));
    match opened {
        Ok(Notice::Settles(event)) => {
            let event = event.get();
            assert_eq!(Some(event.order_no.as_str()), fields.get("out_trade_no"));
            assert_eq!(
                fields.get("total_fee").and_then(|text| text.parse().ok()),
                Some(event.total.get())
            );
            assert_eq!(fields.get("result_code"), Some("SUCCESS"));
            assert_eq!(
                fields.get("mch_id").filter(|id| !id.is_empty()).unwrap_or("10000100"),
                "10000100"
            );
        }
        Ok(other) => panic!("a signed notice became {other:?}"),
        Err(OpenError::Signature(error)) => assert_ne!(
            fields.get("return_code"),
            Some("SUCCESS"),
            "the platform's own signature was refused: {error}"
        ),
        Err(_) => {}
    }
    settles_nothing(
        &v2_account("wx2421b1c4370ec43b", "another key").with_sign_type(sign_type),
        &request,
        now,
    );
    settled
}

/// No request panics; none settles anything under a key that signed nothing; sealed by a platform it may, and then the
/// event says what the plaintext says.
///
/// Between bytes 0xFF stand either an event type and a plaintext, which are sealed, or timestamp, nonce, serial,
/// signature and body, which are taken as they are.
pub fn notify_open_v3(data: &[u8]) {
    let pieces: Vec<&[u8]> = data.split(|byte| *byte == 0xFF).collect();
    match &pieces[..] {
        [timestamp, nonce, serial, signature, body] => v3_raw([timestamp, nonce, serial, signature], body),
        [_, _] => {
            if let Some([event_type, plaintext]) = input::texts(data).as_deref() {
                v3_sealed(event_type, plaintext);
            }
        }
        _ => v3_raw([b"1624523846", b"nonce", SERIAL.as_bytes(), b"c2lnbmF0dXJl"], data),
    }
}

const SERIAL: &str = "PUB_KEY_ID_0119000072912024101100000000000000";
const API_V3_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
const MERCHANT: &str = "1900007291";

fn v3_raw(headers: [&[u8]; 4], body: &[u8]) {
    let mut request = Request::new(Bytes::copy_from_slice(body));
    let names = [
        "wechatpay-timestamp",
        "wechatpay-nonce",
        "wechatpay-serial",
        "wechatpay-signature",
    ];
    for (name, value) in names.into_iter().zip(headers) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().insert(name, value);
        }
    }
    // In the message's own time, so that the clock does not refuse all of them first.
    let seconds = std::str::from_utf8(headers[0]).ok().and_then(|text| text.parse().ok());
    settles_nothing(&*V3_STRANGER, &request, UnixTime::from_seconds(seconds.unwrap_or(0)));
}

/// A notice from a platform that seals it; whether it settled something.
fn v3_sealed(event_type: &str, plaintext: &str) -> bool {
    let now = UnixTime::from_seconds(1_624_523_846);
    let key = ApiV3Key::new(API_V3_KEY).expect("a key");
    let forger = Forger::new(&V3_ACCOUNT, SERIAL, V3_PLATFORM.clone(), key);
    let request = forger
        .notice(event_type, "transaction", plaintext, now)
        .expect("a notice");
    let opened = V3_ACCOUNT.open_notification(&request, now);
    let settled = matches!(opened, Ok(Notice::Settles(_)));
    match opened {
        Ok(Notice::Settles(event)) => {
            let said = |plaintext: serde_json::Value, path| {
                plaintext
                    .pointer(path)
                    .and_then(|value| value.as_str().map(str::to_owned))
            };
            let read = || serde_json::from_str(plaintext).expect("JSON");
            match event.get() {
                Event::Payment(order) => {
                    assert_eq!(said(read(), "/out_trade_no").as_deref(), Some(order.order_no.as_str()));
                    assert_eq!(said(read(), "/mchid").as_deref(), Some(MERCHANT));
                }
                Event::Refund(refund) => {
                    assert_eq!(
                        said(read(), "/out_refund_no").as_deref(),
                        Some(refund.refund_no.as_str())
                    );
                    assert_eq!(said(read(), "/mchid").as_deref(), Some(MERCHANT));
                }
                Event::Other(other) => assert_eq!(other.plaintext(), plaintext),
                _ => {}
            }
        }
        Ok(other) => panic!("a sealed notice became {other:?}"),
        Err(OpenError::Signature(error)) => panic!("the platform's own signature was refused: {error}"),
        Err(_) => {}
    }
    settles_nothing(&*V3_STRANGER, &request, now);
    settled
}

fn settles_nothing<S>(account: &S, request: &Request<Bytes>, now: UnixTime)
where
    S: NotificationSource<Event: std::fmt::Debug>,
{
    if let Ok(Notice::Settles(event)) = account.open_notification(request, now) {
        panic!("verified under a key that signed nothing: {event:?}");
    }
}

/// Nobody signs requests here.
struct Nobody;

impl Sign for Nobody {
    fn sign(&self, _: &[u8], _: &dyn Ambient) -> Result<String, SignError> {
        Err(SignError::new("nobody signs here"))
    }
}

fn v3_account(public: &str) -> yuanfen_wechat_v3::Account {
    let identity = SigningIdentity::new(MERCHANT, "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB", Arc::new(Nobody));
    yuanfen_wechat_v3::Account::direct(
        identity.expect("an identity"),
        "wxd678efh567hg6787",
        ApiV3Key::new(API_V3_KEY).expect("a key"),
    )
    .and_then(|account| account.with_public_key(SERIAL, public))
    .expect("an account")
}

/// Published keys of the vectors.
fn pem(file: &str, name: &str) -> String {
    let file: serde_json::Value = serde_json::from_str(file).expect("a vector file");
    let pem = file.pointer(&format!("/keys/{name}/pem")).and_then(|pem| pem.as_str());
    pem.expect("a key").to_owned()
}

const KEYS: &str = include_str!("../../crates/yuanfen-wechat-v3/tests/vectors/keys.json");
const PRIVATE: &str = include_str!("../../crates/yuanfen-wechat-v3/tests/vectors/platform_private.json");

static V3_PLATFORM: LazyLock<Arc<RsaSigningKey>> =
    LazyLock::new(|| Arc::new(RsaSigningKey::parse(&pem(PRIVATE, "go_private")).expect("a key")));
static V3_ACCOUNT: LazyLock<yuanfen_wechat_v3::Account> = LazyLock::new(|| v3_account(&pem(KEYS, "go_public")));
/// Knows another key under the same serial.
static V3_STRANGER: LazyLock<yuanfen_wechat_v3::Account> =
    LazyLock::new(|| v3_account(&pem(KEYS, "doc_wechatpay_public")));

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the targets would assert nothing about what is behind the check.
    #[test]
    fn seeds_get_behind_the_check() {
        let payment = include_bytes!("../seeds/notify_open_v2/notify-pay-md5");
        assert!(v2_signed(payment, yuanfen_wechat_v2::SignType::Md5));
        assert!(v2_signed(payment, yuanfen_wechat_v2::SignType::HmacSha256));
        for seed in [
            &include_bytes!("../seeds/notify_open_v3/sealed-payment")[..],
            include_bytes!("../seeds/notify_open_v3/sealed-refund"),
            include_bytes!("../seeds/notify_open_v3/sealed-other"),
        ] {
            let Some([event_type, plaintext]) = input::texts(seed).as_deref().map(|texts| [texts[0], texts[1]]) else {
                panic!("two texts expected");
            };
            assert!(v3_sealed(event_type, plaintext), "{event_type}");
        }
    }
}
