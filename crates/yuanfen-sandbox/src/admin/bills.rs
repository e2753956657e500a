//! Bills to look at and to download, ready or not.

use bytes::Bytes;
use http::header::CONTENT_DISPOSITION;
use http::{HeaderValue, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use yuanfen_core::CalendarDate;

use super::answer::{Wrong, answer, file};
use super::ask::Ask;
use crate::{BillKind, FarSide};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Day {
    date: String,
}

/// The days of which there are bills, the latest first.
pub(super) fn list(far_side: &FarSide, _ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    Ok(answer(&listed(far_side, None)))
}

/// Makes the bills of a day at once.
pub(super) fn make(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let Day { date } = ask.json("a day such as {\"date\":\"2026-11-21\"}")?;
    let day = read_day(&date).ok_or_else(|| Wrong::form("`date` is a day such as 2026-11-21"))?;
    far_side.make_bills(day);
    Ok(answer(&listed(far_side, Some(day))))
}

/// A bill as the platform writes it.
pub(super) fn download(far_side: &FarSide, ask: &Ask<'_>) -> Result<Response<Bytes>, Wrong> {
    let account = ask.account()?;
    let kind = match ask.part("kind") {
        "trade" => BillKind::Trade,
        "fund-flow" => BillKind::FundFlow,
        _ => return Err(Wrong::missing("no such bill; known are trade, fund-flow")),
    };
    let day = read_day(ask.part("date")).ok_or_else(|| Wrong::missing("a day is written 2026-11-21"))?;
    let bill = far_side.bill(account, kind, day);
    let bill = bill.ok_or_else(|| Wrong::missing("nothing happened on that day, or this platform makes no bills"))?;
    let mut response = file("text/csv; charset=utf-8", Bytes::from(bill));
    let name = format!("attachment; filename=\"{account}-{}-{day}.csv\"", ask.part("kind"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// With dashes, as everywhere in this API.
fn read_day(text: &str) -> Option<CalendarDate> {
    CalendarDate::parse(text).ok().filter(|day| day.to_string() == text)
}

fn listed(far_side: &FarSide, only: Option<CalendarDate>) -> Value {
    let days = far_side.bill_days();
    let days = days.iter().filter(|listed| only.is_none_or(|only| only == listed.day));
    days.map(|listed| {
        json!({
            "account": listed.account.to_string(),
            "date": listed.day.to_string(),
            "kinds": ["trade", "fund-flow"],
            "is_ready": listed.is_ready,
        })
    })
    .collect()
}
