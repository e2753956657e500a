//! What a shop is told without asking: sealed under its caller's APIv3 key, signed as every answer is (section 11 of the
//! sheet).

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use serde_json::json;
use yuanfen_core::Rfc3339;

use super::{WechatV3, combined, orders, put, refunds, to_bytes};
use crate::book::{Refund, RefundState};
use crate::deliver::{About, Event};
use crate::platforms::Desk;

/// Sheet, section 11.2: seconds to wait after each attempt.
const LADDER: &[u64] = &[
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// How long to wait after so many attempts; `None` gives up.
pub(super) fn wait_after(attempts: usize) -> Option<Duration> {
    LADDER
        .get(attempts.checked_sub(1)?)
        .map(|seconds| Duration::from_secs(*seconds))
}

/// The notice of an event, for this very attempt; `None` where the refund is gone or under way again.
pub(super) fn write(side: &WechatV3, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
    let order = &event.order;
    let (kind, original, summary, plain) = match &event.about {
        About::Payment => (
            "TRANSACTION.SUCCESS",
            "transaction",
            "支付成功",
            if order.parts.is_empty() {
                orders::transaction(order, desk)
            } else {
                combined::whole(order, desk)
            },
        ),
        About::Refund(refund_no) => {
            let refund = order.refund(refund_no)?;
            let (kind, summary) = refund_event(refund)?;
            (kind, "refund", summary, refunds::notice(order, refund)?)
        }
    };
    let nonce = desk.ambient.letters(12);
    let plain = to_bytes(plain, desk);
    let merchant = side
        .merchants
        .iter()
        .find(|merchant| merchant.account == order.account)?;
    let ciphertext = merchant.api_key.seal(&nonce, original, &plain).ok()?;
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
    side.sign(&mut headers, &body, order.detail("asked_serial"), desk);
    let mut request = Request::post(event.url.as_str()).body(body).ok()?;
    *request.headers_mut() = headers;
    Some(request)
}

fn refund_event(refund: &Refund) -> Option<(&'static str, &'static str)> {
    match refund.state {
        RefundState::Succeeded => Some(("REFUND.SUCCESS", "退款成功")),
        RefundState::Abnormal => Some(("REFUND.ABNORMAL", "退款异常")),
        RefundState::Closed => Some(("REFUND.CLOSED", "退款关闭")),
        RefundState::Processing => None,
    }
}
