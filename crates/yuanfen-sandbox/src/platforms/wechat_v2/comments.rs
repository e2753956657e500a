//! What payers say of what they bought (section 6.10 of the sheet): rows of text that nobody signs.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use yuanfen_core::{Clock14, ClockDashed, Fields, UnixTime};

use super::checks::{lengths, need};
use super::files::hmac_only;
use super::message::{Caller, Refusal, respond};
use crate::book::{Comment, Order, Payment};
use crate::platforms::Desk;

/// How many an answer has at most, and where the call names no number.
const MOST: usize = 200;

pub(super) fn list(fields: &Fields, caller: &Caller<'_>, desk: &Desk<'_>) -> Result<Response<Bytes>, Refusal> {
    hmac_only(caller)?;
    lengths(fields, &[("begin_time", 19), ("end_time", 19)])?;
    let (begin, end) = (moment(fields, "begin_time")?, moment(fields, "end_time")?);
    if end < begin {
        return Err(Refusal::field("end_time"));
    }
    let offset: usize = need(fields, "offset")?.parse().map_err(|_| Refusal::field("offset"))?;
    let limit = match fields.filled("limit").map(str::parse) {
        None => MOST,
        Some(Ok(limit @ 1..=MOST)) => limit,
        Some(_) => return Err(Refusal::field("limit")),
    };
    let orders = desk.book.of(caller.account());
    let mut found: Vec<(&Comment, &Payment)> = orders
        .filter(|order| is_of(order, caller))
        .filter_map(|order| Some((order.comment.as_ref()?, order.payment.as_ref()?)))
        .filter(|(comment, _)| begin <= comment.at && comment.at <= end)
        .collect();
    found.sort_by_key(|(comment, _)| comment.at);
    let shown = found.iter().skip(offset).take(limit);
    // The next call's offset, before the rows.
    let mut text = format!("{}\n", offset.saturating_add(shown.len()));
    for (comment, payment) in shown {
        let (at, words) = (ClockDashed(comment.at), comment.text.replace(['\r', '\n'], " "));
        // A String takes everything that is written to it.
        _ = writeln!(text, "`{at},`{},`{},`{words}", payment.transaction_id, comment.stars);
    }
    Ok(respond(Bytes::from(text)))
}

/// A service provider who names no sub-merchant asks for all.
fn is_of(order: &Order, caller: &Caller<'_>) -> bool {
    let named = caller.sub.merchant_id.as_deref();
    named.is_none() || order.detail("sub_mch_id") == named
}

fn moment(fields: &Fields, name: &str) -> Result<UnixTime, Refusal> {
    use yuanfen_core::WireText as _;

    let Clock14(moment) = Clock14::read(need(fields, name)?).map_err(|_| Refusal::field(name))?;
    Ok(moment)
}
