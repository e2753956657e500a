//! The signature of an answer or notice: five headers and the raw body, checked in the order of the v3 sheet,
//! section 5.3. Nothing of the body is read before all of it passed.

use http::{HeaderMap, HeaderName};
use yuanfen_core::{LimitExceeded, Limits, ProtocolError, ProtocolErrorKind, SignatureError, UnixTime, Verified};
use yuanfen_sign::RsaVerifyingKey;

use crate::Account;
use crate::certificates::names_public_key;
use crate::sign::{SCHEME, WINDOW_SECONDS, answer_text};

const TIMESTAMP: HeaderName = HeaderName::from_static("wechatpay-timestamp");
const NONCE: HeaderName = HeaderName::from_static("wechatpay-nonce");
const SIGNATURE: HeaderName = HeaderName::from_static("wechatpay-signature");
pub(crate) const SERIAL: HeaderName = HeaderName::from_static("wechatpay-serial");
const SIGNATURE_TYPE: HeaderName = HeaderName::from_static("wechatpay-signature-type");

/// All of the headers that is read of a notice.
pub(crate) const KEPT_HEADERS: [&str; 5] = [
    "wechatpay-timestamp",
    "wechatpay-nonce",
    "wechatpay-signature",
    "wechatpay-serial",
    "wechatpay-signature-type",
];

/// What is read of one message. The sheet lets a ciphertext alone have 1 MiB.
pub(crate) const LIMITS: Limits = {
    let mut limits = Limits::DEFAULT;
    limits.bytes = (1 << 20) + (1 << 16);
    limits.value_len = limits.bytes;
    limits
};

/// Refuses a body that is larger than any message, before it is copied into a text.
pub(crate) fn check_size(body: &[u8]) -> Result<(), ProtocolError> {
    LimitExceeded::check("bytes", body.len(), LIMITS.bytes)
        .map_err(|limit| ProtocolError::new(ProtocolErrorKind::Format).with_source(limit))
}

/// Whether there is anything to check. Gateways in front of the platform sign nothing.
pub(crate) fn is_signed(headers: &HeaderMap) -> bool {
    headers.contains_key(SIGNATURE)
}

/// The headers of a message whose timestamp and signature type are acceptable.
pub(crate) struct Signed<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    signature: &'a str,
    pub(crate) serial: &'a str,
    /// When the platform signed it.
    pub(crate) signed_at: UnixTime,
}

impl<'a> Signed<'a> {
    /// Everything that can be checked without a key.
    pub(crate) fn read(headers: &'a HeaderMap, now: UnixTime) -> Result<Self, SignatureError> {
        let timestamp = one(headers, &TIMESTAMP, "Wechatpay-Timestamp")?;
        let nonce = one(headers, &NONCE, "Wechatpay-Nonce")?;
        let signature = one(headers, &SIGNATURE, "Wechatpay-Signature")?;
        let serial = one(headers, &SERIAL, "Wechatpay-Serial")?;
        let signed_at = read_timestamp(timestamp)?;
        let skew_seconds = now.since(signed_at);
        if skew_seconds.unsigned_abs() > WINDOW_SECONDS {
            return Err(SignatureError::Stale { skew_seconds });
        }
        if headers.contains_key(SIGNATURE_TYPE)
            && one(headers, &SIGNATURE_TYPE, "Wechatpay-Signature-Type").ok() != Some(SCHEME)
        {
            return Err(SignatureError::Malformed {
                part: "Wechatpay-Signature-Type",
            });
        }
        Ok(Self {
            timestamp,
            nonce,
            signature,
            serial,
            signed_at,
        })
    }

    /// The key that the message names, where it is known; otherwise whether it could be fetched, or what to configure.
    pub(crate) fn key(&self, account: &Account, now: UnixTime) -> Result<RsaVerifyingKey, SignatureError> {
        account.platform_keys().get(self.serial, now).ok_or_else(|| {
            let serial = self.serial.to_owned();
            if names_public_key(self.serial) {
                let remedy = "it is a public key of the platform, which cannot be fetched; take it from the merchant \
                              console and add it with `Account::with_public_key`";
                SignatureError::KeyNotConfigured { serial, remedy }
            } else if account.fetches_certificates() {
                SignatureError::UnknownKey { serial }
            } else {
                let remedy = "it is a certificate, and this account has a public key only; see that requests arrive with \
                              their `Wechatpay-Serial`, and keep `Account::with_certificates` until the switch to the \
                              public key is finished";
                SignatureError::KeyNotConfigured { serial, remedy }
            }
        })
    }

    /// The signature itself, over the raw texts of the headers and the raw body.
    pub(crate) fn check<T>(&self, key: &RsaVerifyingKey, body: &[u8], value: T) -> Result<Verified<T>, SignatureError> {
        let text = answer_text(self.timestamp, self.nonce, body);
        Verified::check(key, &text, self.signature, value)
    }
}

/// The one value of a header. Twice with the same value is one value; twice with different values proves nothing.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName, part: &'static str) -> Result<&'a str, SignatureError> {
    let missing = SignatureError::Missing { part };
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Err(missing);
    };
    if first.is_empty() || values.any(|other| other != first) {
        return Err(missing);
    }
    first.to_str().map_err(|_| SignatureError::Malformed { part })
}

/// Digits that 64 bits hold. `parse` alone would take a plus sign, and a minus sign is no timestamp.
fn read_timestamp(text: &str) -> Result<UnixTime, SignatureError> {
    let malformed = SignatureError::Malformed {
        part: "Wechatpay-Timestamp",
    };
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed);
    }
    text.parse().map(UnixTime::from_seconds).map_err(|_| malformed)
}
