//! The log of notices: every attempt to deliver one, and what the shop said.

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_core::Rfc3339;

use super::answer::{Wrong, answer};
use super::ask::{Ask, digits};
use super::exchanges::message;
use crate::deliver::NoticeOutcome;
use crate::{FarSide, NoticeAttempt};

/// Newest first.
pub(super) fn list(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let page = ask.page()?;
    let attempts = far_side.latest_notices(page.before, page.limit);
    Ok(answer(&attempts.iter().map(|made| attempt(made)).collect()))
}

pub(super) fn show(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let number = digits(ask.part("number"));
    let found = number.and_then(|number| far_side.notice(number));
    let made = found.ok_or_else(|| Wrong::missing("no such attempt, or it is forgotten"))?;
    let mut value = attempt(&made);
    let is_answered = !matches!(made.outcome, NoticeOutcome::NotDelivered { .. });
    if let Value::Object(members) = &mut value {
        members.insert("request".to_owned(), message(&made.request_headers, &made.request_body));
        let response = is_answered.then(|| message(&made.response_headers, &made.response_body));
        members.insert("response".to_owned(), response.unwrap_or_default());
    }
    Ok(answer(&value))
}

fn attempt(attempt: &NoticeAttempt) -> Value {
    let (outcome, status, answer) = match &attempt.outcome {
        NoticeOutcome::Acknowledged { status, answer } => ("acknowledged", Some(status.as_u16()), answer),
        NoticeOutcome::Refused { status, answer } => ("refused", Some(status.as_u16()), answer),
        NoticeOutcome::NotDelivered { reason } => ("not-delivered", None, reason),
    };
    json!({
        "number": attempt.number,
        "at": Rfc3339(attempt.at).to_string(),
        "account": attempt.account.to_string(),
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
