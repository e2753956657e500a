//! The platform's end, written by name: it shares the signing primitive with the crate under test and nothing else.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use yuanfen_core::{FixedAmbient, OpenError, ProtocolErrorKind, Sign as _, SignatureError, UnixTime};
use yuanfen_sign::{ApiV3Key, RsaSigningKey};
use yuanfen_testkit::Vectors;
use yuanfen_wechat_v3::{Account, SigningIdentity, SubMerchant};

pub(crate) const NOW: i64 = 1_700_000_000;
pub(crate) const API_V3_KEY: &str = "a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb";
pub(crate) const MERCHANT: &str = "1900007291";
pub(crate) const APP: &str = "wxd678efh567hg6787";
/// A service provider, its app, a merchant for which it acts, and that merchant's own app.
pub(crate) const PROVIDER: &str = "1900000100";
pub(crate) const PROVIDER_APP: &str = "wx8888888888888888";
pub(crate) const SUB_MERCHANT: &str = "1900000109";
pub(crate) const SUB_APP: &str = "wxd678efh567hg6999";
pub(crate) const SERIAL: &str = "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB";
pub(crate) const CERTIFICATE: &str = "D7CE59D1F522D701";
pub(crate) const OTHER_CERTIFICATE: &str = "F5765756002FDD77";
pub(crate) const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000072912024101100000000000000";
pub(crate) const NONCE: &str = "d824f2e086d3c1df967785d13fcd22ef";

pub(crate) static VECTORS: LazyLock<Vectors> = LazyLock::new(|| Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap());
static MERCHANT_KEY: LazyLock<Arc<RsaSigningKey>> =
    LazyLock::new(|| Arc::new(RsaSigningKey::parse(pem("doc_merchant_private")).unwrap()));
static PLATFORM_KEY: LazyLock<RsaSigningKey> = LazyLock::new(|| RsaSigningKey::parse(pem("go_private")).unwrap());

pub(crate) fn pem(name: &str) -> &'static str {
    &VECTORS.key(name).text
}

pub(crate) fn now() -> UnixTime {
    UnixTime::from_seconds(NOW)
}

pub(crate) fn ambient() -> FixedAmbient {
    FixedAmbient::at(NOW)
}

pub(crate) fn api_v3_key() -> ApiV3Key {
    ApiV3Key::new(API_V3_KEY).unwrap()
}

pub(crate) fn identity() -> SigningIdentity {
    SigningIdentity::new(MERCHANT, SERIAL, MERCHANT_KEY.clone()).unwrap()
}

/// Certificate mode, nothing known yet.
pub(crate) fn fresh_account() -> Account {
    Account::direct(identity(), APP, api_v3_key()).unwrap()
}

/// Certificate mode, one certificate known.
pub(crate) fn account() -> Account {
    fresh_account().with_certificate(pem("go_cert_D7CE")).unwrap()
}

/// A service provider that acts for nobody in particular yet; one certificate known.
pub(crate) fn provider() -> Account {
    let identity = SigningIdentity::new(PROVIDER, SERIAL, MERCHANT_KEY.clone()).unwrap();
    Account::partner(identity, PROVIDER_APP, api_v3_key())
        .unwrap()
        .with_certificate(pem("go_cert_D7CE"))
        .unwrap()
}

pub(crate) fn sub_merchant() -> SubMerchant {
    SubMerchant::new(SUB_MERCHANT).unwrap()
}

/// The provider acting for a merchant that has an app of its own.
pub(crate) fn partner() -> Account {
    let sub_merchant = sub_merchant().with_app(SUB_APP).unwrap();
    provider().for_sub_merchant(sub_merchant).unwrap()
}

/// The provider acting for a merchant that has none.
pub(crate) fn partner_without_app() -> Account {
    provider().for_sub_merchant(sub_merchant()).unwrap()
}

/// Public-key mode.
pub(crate) fn public_key_account() -> Account {
    fresh_account()
        .with_public_key(PUBLIC_KEY_ID, pem("go_public"))
        .unwrap()
}

pub(crate) fn platform_signature(timestamp: &str, nonce: &str, body: &[u8]) -> String {
    let text = [timestamp.as_bytes(), b"\n", nonce.as_bytes(), b"\n", body, b"\n"].concat();
    PLATFORM_KEY.sign(&text, &ambient()).unwrap()
}

pub(crate) fn signed_headers(serial: &str, body: &[u8]) -> Vec<(&'static str, String)> {
    vec![
        ("Wechatpay-Timestamp", NOW.to_string()),
        ("Wechatpay-Nonce", NONCE.to_owned()),
        ("Wechatpay-Serial", serial.to_owned()),
        ("Wechatpay-Signature", platform_signature(&NOW.to_string(), NONCE, body)),
    ]
}

pub(crate) fn response(status: u16, headers: &[(&str, String)], body: &[u8]) -> http::Response<Bytes> {
    let mut builder = http::Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, value);
    }
    builder.body(Bytes::copy_from_slice(body)).unwrap()
}

/// An answer signed under the certificate that the account knows.
pub(crate) fn reply(status: u16, body: &str) -> http::Response<Bytes> {
    let mut headers = signed_headers(CERTIFICATE, body.as_bytes());
    headers.push(("Request-ID", "08F78BB5AB0610D302-0".to_owned()));
    response(status, &headers, body.as_bytes())
}

/// A notice signed under the certificate that the account knows.
pub(crate) fn notice(body: &str) -> http::Request<Bytes> {
    let mut builder = http::Request::post("/notify");
    for (name, value) in signed_headers(CERTIFICATE, body.as_bytes()) {
        builder = builder.header(name, value);
    }
    builder.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// The envelope around that plaintext.
pub(crate) fn envelope(event_type: &str, original_type: &str, plaintext: &str) -> String {
    let ciphertext = api_v3_key()
        .seal("fdasflkja484", original_type, plaintext.as_bytes())
        .unwrap();
    format!(
        r#"{{"id":"EV-2018022511223320873","create_time":"2015-05-20T13:29:35+08:00","resource_type":"encrypt-resource","event_type":"{event_type}","summary":"支付成功","resource":{{"original_type":"{original_type}","algorithm":"AEAD_AES_256_GCM","ciphertext":"{ciphertext}","associated_data":"{original_type}","nonce":"fdasflkja484"}}}}"#
    )
}

/// One word for why something did not open.
pub(crate) fn reason(error: &OpenError) -> String {
    match error {
        OpenError::Signature(SignatureError::Missing { .. }) => "missing-signature",
        OpenError::Signature(SignatureError::Malformed { .. }) => "malformed",
        OpenError::Signature(SignatureError::UnknownKey { .. }) => "unknown-key",
        OpenError::Signature(SignatureError::KeyNotConfigured { .. }) => "not-configured",
        OpenError::Signature(SignatureError::Stale { .. }) => "stale",
        OpenError::Signature(SignatureError::Mismatch) => "mismatch",
        OpenError::Protocol(error) => match &error.kind {
            ProtocolErrorKind::Status(_) => "status",
            ProtocolErrorKind::Empty => "empty",
            ProtocolErrorKind::Html => "html",
            ProtocolErrorKind::Format => "format",
            ProtocolErrorKind::Field(_) => "field",
            ProtocolErrorKind::Foreign { .. } => "foreign",
            ProtocolErrorKind::Digest => "digest",
            ProtocolErrorKind::Decrypt => "decrypt",
            other => panic!("{other:?}"),
        },
        OpenError::Business(_) => "refused",
        other => panic!("{other:?}"),
    }
    .to_owned()
}

/// The path of the field that an answer got wrong.
pub(crate) fn wrong_field(error: &OpenError) -> String {
    match error {
        OpenError::Protocol(error) => match &error.kind {
            ProtocolErrorKind::Field(field) => field.path.clone(),
            ProtocolErrorKind::Foreign { field } => (*field).to_owned(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

pub(crate) fn all_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(" | ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
