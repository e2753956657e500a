//! The log of calls: short in the list, whole one by one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::{Value, json};
use yuanfen_core::Rfc3339;

use super::answer::{Wrong, answer};
use super::ask::{Ask, digits};
use crate::exchange::KeptBody;
use crate::{Exchange, FarSide, ReplyTrust, SignatureVerdict};

/// Newest first.
pub(super) fn list(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let page = ask.page()?;
    let exchanges = match ask.query("about") {
        None => far_side.latest_exchanges(page.before, page.limit),
        Some(text) => far_side.exchanges_about(text, page.before, page.limit),
    };
    Ok(answer(&exchanges.iter().map(|exchange| short(exchange)).collect()))
}

pub(super) fn show(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let number = digits(ask.part("number"));
    let found = number.and_then(|number| far_side.exchange(number));
    let exchange = found.ok_or_else(|| Wrong::missing("no such exchange, or it is forgotten"))?;
    Ok(answer(&whole(&exchange)))
}

fn short(exchange: &Exchange) -> Value {
    json!({
        "number": exchange.number,
        "at": Rfc3339(exchange.at).to_string(),
        "platform": exchange.platform,
        "operation": exchange.operation,
        "method": exchange.method.as_str(),
        "path": exchange.path(),
        "status": exchange.status.map(|status| status.as_u16()),
        "signature": match exchange.signature {
            SignatureVerdict::NotChecked => "not-checked",
            SignatureVerdict::Holds => "holds",
            SignatureVerdict::Missing => "missing",
            SignatureVerdict::UnknownKey => "unknown-key",
            SignatureVerdict::Stale => "stale",
            SignatureVerdict::Mismatch => "mismatch",
        },
        "faults": exchange.faults,
        "trust": exchange.trust.map(|trust| match trust {
            ReplyTrust::Signed => "signed",
            ReplyTrust::Spoiled => "spoiled",
            ReplyTrust::Unsigned => "unsigned",
        }),
    })
}

fn whole(exchange: &Exchange) -> Value {
    let mut value = short(exchange);
    let detail = json!({
        "query": exchange.target.query(),
        "request": message(&exchange.request_headers, &exchange.request_body),
        "response": exchange.status.map(|_| message(&exchange.response_headers, &exchange.response_body)),
        "canonical_text": exchange.canonical_text,
        "divergence": exchange.divergence(),
    });
    if let (Value::Object(value), Value::Object(detail)) = (&mut value, detail) {
        value.extend(detail);
    }
    value
}

/// What went over the wire in one direction, below its first line.
pub(super) fn message(head: &HeaderMap, content: &KeptBody) -> Value {
    json!({ "headers": headers(head), "body": body(content) })
}

/// Name and value, in the order in which they stand. Bytes that are no text show as escapes.
fn headers(headers: &HeaderMap) -> Value {
    let pairs = headers.iter().map(|(name, value)| {
        let value: String = match value.to_str() {
            Ok(text) => text.to_owned(),
            Err(_) => value.as_bytes().escape_ascii().to_string(),
        };
        json!([name.as_str(), value])
    });
    pairs.collect()
}

/// A body as text, or in base64 where it is none.
fn body(body: &KeptBody) -> Value {
    let bytes = body.bytes();
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        // The cut may have fallen into a letter.
        Err(error) if body.is_cut() && error.error_len().is_none() => bytes
            .get(..error.valid_up_to())
            .and_then(|bytes| std::str::from_utf8(bytes).ok()),
        Err(_) => None,
    };
    json!({
        "length": body.whole_length(),
        "is_cut": body.is_cut(),
        "text": text,
        "base64": text.is_none().then(|| STANDARD.encode(bytes)),
    })
}
