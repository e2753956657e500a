//! Bills from the book: what WeChat Pay's files look like, down to byte order mark, back-ticks and line ends.
//!
//! Layout after the sample bill of the vectors (`45.0` for a count, `0.01000` for a fee).

mod fund_flow;
mod shares;
mod trade;

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use yuanfen_core::{CalendarDate, UnixTime};

pub(crate) use self::fund_flow::fund_flow;
pub(crate) use self::shares::Shares;
pub(crate) use self::trade::{TradeBill, trade};
use crate::book::{Account, Book, Order, Payment, Refund, RefundState};

/// A day's bills are made from nine o'clock of the next on, and are ready at ten.
const READY: i64 = 86_400 + 10 * 3600;
/// Bills are kept for three months.
const KEPT: i64 = 93 * 86_400;
/// Under which name an order remembers for which sub-merchant it is.
const SUB_MERCHANT: &str = "sub_mch_id";
const BOM: char = '\u{feff}';
/// Whose bill it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder<'a> {
    pub(crate) account: Account,
    pub(crate) app_id: &'static str,
    pub(crate) merchant_id: &'static str,
    /// Only this sub-merchant's orders, where one is named. An order remembers its own under `sub_mch_id`.
    pub(crate) sub_merchant: Option<&'a str>,
}

/// Why there is no bill of a day, whatever happened on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Untimely {
    /// It is ready at ten o'clock of the next, and nobody had it made before.
    NotYet,
    /// Bills are kept for three months.
    NoMore,
}

/// One of the bills that WeChat Pay makes of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BillKind {
    /// What was paid and what went back.
    Trade,
    /// What moved on the merchant's account; for a service provider, on those of its sub-merchants.
    FundFlow,
}

/// Whether a day's bills can be had now.
///
/// # Errors
/// Where they cannot, whatever happened on that day.
pub(crate) fn check_day(book: &Book, day: CalendarDate, now: UnixTime) -> Result<(), Untimely> {
    let age = now.since(day.beijing_midnight());
    if age > KEPT {
        return Err(Untimely::NoMore);
    }
    if age < READY && !book.has_bills_of(day) {
        return Err(Untimely::NotYet);
    }
    Ok(())
}

/// A day of which an account has bills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BillDay {
    pub(crate) account: Account,
    pub(crate) day: CalendarDate,
    /// Whether the shop can ask for them now.
    pub(crate) is_ready: bool,
}

/// The days on which money of an account moved.
pub(crate) fn days(book: &Book, account: Account, now: UnixTime) -> Vec<BillDay> {
    let mut days = BTreeSet::new();
    for order in book.of(account).filter(|order| order.parts.is_empty()) {
        let settled = order
            .refunds
            .iter()
            .filter(|refund| refund.state == RefundState::Succeeded);
        let moments = order.payment.iter().map(|payment| payment.at);
        let moments = moments.chain(settled.filter_map(|refund| refund.settled_at));
        days.extend(moments.map(UnixTime::beijing_date));
    }
    let days = days.into_iter().map(|day| BillDay {
        account,
        day,
        is_ready: check_day(book, day, now).is_ok(),
    });
    days.collect()
}

/// Something that moved money on the day.
enum Movement<'a> {
    Paid(&'a Order, &'a Payment),
    Refunded(&'a Order, &'a Payment, &'a Refund),
}

impl Movement<'_> {
    fn at(&self) -> UnixTime {
        match self {
            Self::Paid(_, payment) => payment.at,
            Self::Refunded(_, _, refund) => refund.settled_at.unwrap_or(refund.created_at),
        }
    }
}

fn movements<'b>(book: &'b Book, holder: Holder<'_>, day: CalendarDate) -> Vec<Movement<'b>> {
    let mut found = Vec::new();
    for order in book.of(holder.account) {
        // A combined order is its parts.
        if !order.parts.is_empty() {
            continue;
        }
        if holder
            .sub_merchant
            .is_some_and(|named| order.detail(SUB_MERCHANT) != Some(named))
        {
            continue;
        }
        let Some(payment) = &order.payment else { continue };
        if payment.at.beijing_date() == day {
            found.push(Movement::Paid(order, payment));
        }
        for refund in &order.refunds {
            let settled = refund.settled_at.is_some_and(|settled| settled.beijing_date() == day);
            if settled && refund.state == RefundState::Succeeded {
                found.push(Movement::Refunded(order, payment, refund));
            }
        }
    }
    found.sort_by_key(Movement::at);
    found
}

/// Every value behind a back-tick. A comma inside a value stays, as in the platform's own files; the end of a line
/// would end the row.
fn push_row<'v>(out: &mut String, values: impl IntoIterator<Item = &'v str>) {
    for (index, value) in values.into_iter().enumerate() {
        out.push_str(if index == 0 { "`" } else { ",`" });
        out.extend(value.chars().map(|character| match character {
            '\r' | '\n' => ' ',
            other => other,
        }));
    }
    out.push_str("\r\n");
}

/// A file as it is sent where `GZIP` was asked for.
pub(crate) fn gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}
