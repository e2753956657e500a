//! The payer's phone and the logs over HTTP, for shops whose tests are in another language: `/sandbox/…`.
//!
//! Nothing here is any platform's. It is open to every process of this machine, like all of the sandbox.

mod payer;
mod settings;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use yuanfen_core::Rfc3339;

use crate::book::{Account, BookError, Order, OrderState, RefundState};
use crate::deliver::NoticeOutcome;
use crate::{Exchange, FarSide, FaultPlan, NoticeAttempt, Platform, SignatureVerdict};

/// Where these paths begin.
const ROOT: &str = "/sandbox/";

/// What is wrong with a call, with its status.
struct Wrong(StatusCode, String);

/// Answers a call if it is one of these.
pub(crate) fn answer(far_side: &FarSide, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path().strip_prefix(ROOT)?;
    let (status, body) = match perform(far_side, request.method(), path, request.body()) {
        Ok(body) => (StatusCode::OK, body),
        Err(Wrong(status, problem)) => (status, json!({ "error": problem })),
    };
    let mut response = Response::new(Bytes::from(format!("{body}\n")));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

fn perform(far_side: &FarSide, method: &Method, path: &str, body: &[u8]) -> Result<Value, Wrong> {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match (method, segments.as_slice()) {
        (&Method::GET, ["orders", account]) => {
            let orders = far_side.orders(known(account)?);
            Ok(orders.iter().map(order).collect())
        }
        (&Method::GET, ["orders", account, number]) => far_side
            .order(known(account)?, number)
            .map(|found| order(&found))
            .ok_or_else(|| Wrong::from(BookError::UnknownOrder)),
        (&Method::POST, ["orders", account, number, "pay"]) => Ok(order(&far_side.pay(known(account)?, number)?)),
        (&Method::POST, ["orders", account, number, "cancel"]) => Ok(order(&far_side.cancel(known(account)?, number)?)),
        (&Method::POST, ["orders", account, number, "fail"]) => Ok(order(&far_side.fail(known(account)?, number)?)),
        (&Method::POST, ["orders", account, number, "comment"]) => {
            let said = payer::read_comment(body)
                .map_err(|error| Wrong(StatusCode::BAD_REQUEST, format!("not a comment: {error}")))?;
            Ok(order(&far_side.comment(
                known(account)?,
                number,
                said.stars,
                said.text,
            )?))
        }
        (&Method::POST, ["payment-codes", platform]) => {
            let payer =
                payer::read(body).map_err(|error| Wrong(StatusCode::BAD_REQUEST, format!("not a payer: {error}")))?;
            let code = far_side.payment_code(known(platform)?.platform, payer);
            Ok(json!({ "code": code }))
        }
        (&Method::POST, ["refunds", account, number, end]) => {
            let end = match *end {
                "succeed" => RefundState::Succeeded,
                "close" => RefundState::Closed,
                "abnormal" => RefundState::Abnormal,
                _ => return Err(nothing_there()),
            };
            Ok(order(&far_side.settle_refund(known(account)?, number, end)?))
        }
        (&Method::GET, ["exchanges"]) => Ok(far_side.exchanges().iter().map(exchange).collect()),
        (&Method::GET, ["notices"]) => Ok(far_side.notices().iter().map(notice).collect()),
        (&Method::PUT, ["faults"]) => {
            let plan: FaultPlan = serde_json::from_slice(body)
                .map_err(|error| Wrong(StatusCode::BAD_REQUEST, format!("not a fault plan: {error}")))?;
            far_side.set_faults(plan);
            Ok(json!({}))
        }
        (&Method::PUT, ["settings"]) => settings::apply(far_side, body)
            .map(|()| json!({}))
            .map_err(|error| Wrong(StatusCode::BAD_REQUEST, format!("not settings: {error}"))),
        (&Method::POST, ["platform-certificate", "rotate"]) => match far_side.rotate_platform_certificate() {
            Some(serial) => Ok(json!({ "serial": serial })),
            None => Err(Wrong(
                StatusCode::CONFLICT,
                "the platform certificates of this key set are used up".to_owned(),
            )),
        },
        _ => Err(nothing_there()),
    }
}

/// A platform's direct merchant, or the service provider where that is behind the name.
fn known(account: &str) -> Result<Account, Wrong> {
    account.parse().map_err(|_| {
        let names: Vec<&str> = Platform::ALL.iter().map(|platform| platform.name()).collect();
        Wrong(
            StatusCode::NOT_FOUND,
            format!("no such platform; known are {}", names.join(", ")),
        )
    })
}

fn nothing_there() -> Wrong {
    Wrong(
        StatusCode::NOT_FOUND,
        "nothing is done here; the README lists the paths".to_owned(),
    )
}

impl From<BookError> for Wrong {
    fn from(error: BookError) -> Self {
        let status = match error {
            BookError::UnknownOrder | BookError::UnknownRefund => StatusCode::NOT_FOUND,
            _ => StatusCode::CONFLICT,
        };
        Self(status, error.to_string())
    }
}

fn order(order: &Order) -> Value {
    let refunds = order.refunds.iter().map(|refund| {
        json!({
            "refund_no": refund.refund_no,
            "refund_id": refund.refund_id,
            "amount_fen": refund.amount,
            "state": match refund.state {
                RefundState::Processing => "processing",
                RefundState::Succeeded => "succeeded",
                RefundState::Closed => "closed",
                RefundState::Abnormal => "abnormal",
            },
        })
    });
    json!({
        "account": order.account.to_string(),
        "platform": order.account.platform,
        "order_no": order.order_no,
        "amount_fen": order.amount,
        "state": match order.state() {
            OrderState::Unpaid => "unpaid",
            OrderState::Paid => "paid",
            OrderState::Closed => "closed",
            OrderState::Refunding => "refunding",
            OrderState::Refunded => "refunded",
            OrderState::PayerTyping => "payer-typing",
            OrderState::PaymentFailed => "payment-failed",
            OrderState::Revoked => "revoked",
        },
        "transaction_id": order.payment.as_ref().map(|payment| &payment.transaction_id),
        "notify_url": order.notify_url,
        "refunds": Value::Array(refunds.collect()),
    })
}

fn exchange(exchange: &Exchange) -> Value {
    json!({
        "at": Rfc3339(exchange.at).to_string(),
        "platform": exchange.platform,
        "operation": exchange.operation,
        "method": exchange.method,
        "path": exchange.path,
        "headers": exchange.headers,
        "status": exchange.status.map(|status| status.as_u16()),
        "signature": match exchange.signature {
            SignatureVerdict::NotChecked => "not-checked",
            SignatureVerdict::Holds => "holds",
            SignatureVerdict::Missing => "missing",
            SignatureVerdict::UnknownKey => "unknown-key",
            SignatureVerdict::Stale => "stale",
            SignatureVerdict::Mismatch => "mismatch",
        },
        "canonical_text": exchange.canonical_text,
        "faults": exchange.faults,
    })
}

fn notice(attempt: &NoticeAttempt) -> Value {
    let (outcome, status, answer) = match &attempt.outcome {
        NoticeOutcome::Acknowledged { status, answer } => ("acknowledged", Some(status.as_u16()), answer),
        NoticeOutcome::Refused { status, answer } => ("refused", Some(status.as_u16()), answer),
        NoticeOutcome::NotDelivered { reason } => ("not-delivered", None, reason),
    };
    json!({
        "at": Rfc3339(attempt.at).to_string(),
        "platform": attempt.platform,
        "operation": attempt.operation,
        "order_no": attempt.order_no,
        "refund_no": attempt.refund_no,
        "notice_id": attempt.notice_id,
        "attempt": attempt.attempt,
        "url": attempt.url,
        "outcome": outcome,
        "status": status,
        "answer": answer,
        "next_at": attempt.next_at.map(|next| Rfc3339(next).to_string()),
        "faults": attempt.faults,
    })
}
