//! The texts that are signed, and where the signature goes: v3 sheet, sections 4, 5.2 and 22.
//!
//! Pure functions over what stands on the wire, for remote signers, for support, and for the vectors. They take the
//! timestamp and the nonce as text because that is how they are signed.

use yuanfen_sign::line_text;

/// The scheme of the `Authorization` header, and the signature type that answers and notices name: RSA PKCS#1 v1.5 with
/// SHA-256, base64. Sheet, sections 4.2 and 5.1.
pub const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// How far a message's timestamp may be from this machine's clock, in seconds, either way. Sheet, section 5.3: refused
/// when strictly farther.
pub const WINDOW_SECONDS: u64 = 300;

/// The five-line text of a request: method, path with query, timestamp, nonce, body, each ended by LF. Sheet,
/// section 4.1. `target` is the path and query exactly as sent; a request without a body has an empty last line.
#[must_use]
pub fn request_text(method: &str, target: &str, timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    line_text(&[
        method.as_bytes(),
        target.as_bytes(),
        timestamp.as_bytes(),
        nonce.as_bytes(),
        body,
    ])
}

/// The three-line text of an answer or notice: timestamp, nonce, raw body. Sheet, section 5.2.
#[must_use]
pub fn answer_text(timestamp: &str, nonce: &str, body: &[u8]) -> Vec<u8> {
    line_text(&[timestamp.as_bytes(), nonce.as_bytes(), body])
}

/// The four-line text of the parameters with which the cashier is invoked. Sheet, section 22. `order` is `prepay_id=…` for
/// an official account's page or a mini program, and the bare prepay id for a mobile app.
#[must_use]
pub fn invoke_text(app_id: &str, timestamp: &str, nonce: &str, order: &str) -> Vec<u8> {
    line_text(&[
        app_id.as_bytes(),
        timestamp.as_bytes(),
        nonce.as_bytes(),
        order.as_bytes(),
    ])
}

/// The value of the `Authorization` header, its parameters in the order of the published samples. Sheet, section 4.2.
#[must_use]
pub fn authorization(
    scheme: &str,
    merchant_id: &str,
    nonce: &str,
    timestamp: &str,
    serial: &str,
    signature: &str,
) -> String {
    format!(
        "{scheme} mchid=\"{merchant_id}\",nonce_str=\"{nonce}\",timestamp=\"{timestamp}\",serial_no=\"{serial}\",\
         signature=\"{signature}\""
    )
}
