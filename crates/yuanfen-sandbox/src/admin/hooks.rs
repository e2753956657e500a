//! One fixed address for a payer and one for a refund's end, as `credentials.json` names them: whoever drives another
//! person's SDK fills numbers in and knows nothing else of this API.
//!
//! A hook may be called twice: what is so already is answered as if it had been done now, and nobody is told again.

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::answer::{Wrong, answer};
use super::ask::{self, Ask};
use super::orders::order;
use crate::book::{BookError, RefundState};
use crate::{Account, FarSide, Platform};

/// Who is meant: an account by its name, or a platform's by its number. Empty texts and gaps that nobody filled in
/// (`{mchid}`) stand for nothing, since a template leaves them where it has no value.
#[derive(Deserialize)]
struct Named {
    #[serde(default, deserialize_with = "filled")]
    account: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    platform: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    mchid: Option<String>,
}

#[derive(Deserialize)]
struct Pay {
    #[serde(flatten)]
    named: Named,
    out_trade_no: String,
    /// In fen.
    #[serde(default, deserialize_with = "filled")]
    total: Option<String>,
}

#[derive(Deserialize)]
struct Settle {
    #[serde(flatten)]
    named: Named,
    out_refund_no: String,
    #[serde(default)]
    result: End,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum End {
    #[default]
    Succeed,
    Close,
    Abnormal,
}

/// The payer pays.
pub(super) fn pay(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let Pay {
        named,
        out_trade_no,
        total,
    } = ask.json("a payment")?;
    let account = named.account(far_side)?;
    let found = far_side.order(account, &out_trade_no).ok_or(BookError::UnknownOrder)?;
    if let Some(total) = total {
        let stated = ask::digits(&total).ok_or_else(|| Wrong::form("`total` is a number of fen"))?;
        if i64::try_from(stated).ok() != Some(found.amount.get()) {
            return Err(Wrong::conflict(format!("the order is over {} fen", found.amount.get())));
        }
    }
    let paid = match far_side.pay(account, &out_trade_no) {
        Err(BookError::Paid) => found,
        paid => paid?,
    };
    Ok(answer(&order(&paid)))
}

/// The refund comes to its end.
pub(super) fn settle_refund(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let Settle {
        named,
        out_refund_no,
        result,
    } = ask.json("the end of a refund")?;
    let account = named.account(far_side)?;
    let end = match result {
        End::Succeed => RefundState::Succeeded,
        End::Close => RefundState::Closed,
        End::Abnormal => RefundState::Abnormal,
    };
    let settled = match far_side.settle_refund(account, &out_refund_no, end) {
        Err(BookError::Settled) => {
            let found = far_side.order_of_refund(account, &out_refund_no);
            let same = found.filter(|order| order.refund(&out_refund_no).is_some_and(|refund| refund.state == end));
            same.ok_or(BookError::Settled)?
        }
        settled => settled?,
    };
    Ok(answer(&order(&settled)))
}

impl Named {
    fn account(&self, far_side: &FarSide) -> Result<Account, Wrong> {
        if let Some(name) = &self.account {
            return ask::account(name).ok_or_else(|| Wrong::missing(ask::no_account()));
        }
        let platform = self.platform.as_deref();
        let platform = platform.ok_or_else(|| Wrong::form("name an `account` or a `platform`"))?;
        let platform: Platform = platform.parse().map_err(|_| Wrong::missing(ask::no_platform()))?;
        match &self.mchid {
            None => Ok(platform.into()),
            Some(number) => {
                let found = far_side.account_of(platform, number);
                found.ok_or_else(|| Wrong::missing(format!("`{number}` is nobody's number on {platform}")))
            }
        }
    }
}

/// A text, a number or nothing; an empty text is nothing, and so is a gap of the template in `credentials.json`.
fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => None,
        Value::String(text) => Some(text).filter(|text| !text.is_empty() && text != "{total}" && text != "{mchid}"),
        other => Some(other.to_string()),
    })
}
