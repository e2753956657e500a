//! Bills from the book: what WeChat Pay's files look like, down to byte order mark, back-ticks and line ends.
//!
//! Layout after the sample bill of the vectors (27 columns, `45.0` for a count, `0.01000` for a fee).

mod shares;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use yuanfen_core::{CalendarDate, ClockDashed, Fen, UnixTime};

pub(crate) use self::shares::Shares;
use crate::book::{Account, Book, Order, Payment, Refund, RefundState};

/// A day's bills are made from nine o'clock of the next on, and are ready at ten.
const READY: i64 = 86_400 + 10 * 3600;
/// Bills are kept for three months.
const KEPT: i64 = 93 * 86_400;
/// Under which name an order remembers for which sub-merchant it is.
const SUB_MERCHANT: &str = "sub_mch_id";
const BOM: char = '\u{feff}';
/// Six in a thousand, the usual rate.
const RATE: &str = "0.60%";
/// Of one fen, in hundred-thousandths of a yuan: 0.01 yuan at 0.60 %.
const FEE_OF_A_FEN: i64 = 6;

/// The columns of a trade bill, and in which bills each one stands.
const TRADE_COLUMNS: [(&str, Column); 29] = [
    ("交易时间", Column::Always),
    ("公众账号ID", Column::Always),
    ("商户号", Column::Always),
    ("特约商户号", Column::Always),
    ("设备号", Column::Always),
    ("微信订单号", Column::Always),
    ("商户订单号", Column::Always),
    ("用户标识", Column::Always),
    ("交易类型", Column::Always),
    ("交易状态", Column::Always),
    ("付款银行", Column::Always),
    ("货币种类", Column::Always),
    ("应结订单金额", Column::Always),
    ("代金券金额", Column::Always),
    ("退款申请时间", Column::OfRefunds),
    ("退款成功时间", Column::OfRefunds),
    ("微信退款单号", Column::NotOfPayments),
    ("商户退款单号", Column::NotOfPayments),
    ("退款金额", Column::NotOfPayments),
    ("充值券退款金额", Column::NotOfPayments),
    ("退款类型", Column::NotOfPayments),
    ("退款状态", Column::NotOfPayments),
    ("商品名称", Column::Always),
    ("商户数据包", Column::Always),
    ("手续费", Column::Always),
    ("费率", Column::Always),
    ("订单金额", Column::Always),
    ("申请退款金额", Column::NotOfPayments),
    ("费率备注", Column::Always),
];
const TRADE_TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
const FUND_HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号";
const FUND_TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// In which bills a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Always,
    /// Not where only payments are asked for.
    NotOfPayments,
    /// Only where only refunds are asked for.
    OfRefunds,
}

/// Which rows a trade bill has, and with them which columns: 27, 20 or 29.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TradeBill {
    All,
    Success,
    Refund,
}

impl TradeBill {
    const fn has(self, column: Column) -> bool {
        match column {
            Column::Always => true,
            Column::NotOfPayments => !matches!(self, Self::Success),
            Column::OfRefunds => matches!(self, Self::Refund),
        }
    }
}

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

/// The trade bill of a day; `None` where nothing happened.
pub(crate) fn trade(book: &Book, holder: Holder<'_>, day: CalendarDate, kind: TradeBill) -> Option<String> {
    let mut rows = String::new();
    let mut count = 0_i64;
    let (mut settled, mut refunded, mut asked, mut ordered, mut fees) = (0_i64, 0_i64, 0_i64, 0_i64, 0_i64);
    for movement in movements(book, holder, day) {
        let (order, payment, refund) = match movement {
            Movement::Paid(order, payment) if kind != TradeBill::Refund => (order, payment, None),
            Movement::Refunded(order, payment, refund) if kind != TradeBill::Success => (order, payment, Some(refund)),
            Movement::Paid(..) | Movement::Refunded(..) => continue,
        };
        let shares = Shares::of(order, payment, refund);
        count = count.saturating_add(1);
        let fee = shares.settled.get().saturating_mul(FEE_OF_A_FEN);
        let (sign, at) = match refund {
            None => (1_i64, payment.at),
            Some(refund) => (-1, refund.settled_at.unwrap_or(refund.created_at)),
        };
        fees = fees.saturating_add(fee.saturating_mul(sign));
        let zero = Fen::ZERO.yuan().to_string();
        let (paid_settled, paid_coupons, paid_total) = match refund {
            None => (
                shares.settled.yuan().to_string(),
                shares.given_up.yuan().to_string(),
                order.amount.yuan().to_string(),
            ),
            Some(_) => (zero.clone(), zero.clone(), zero.clone()),
        };
        let (back_settled, back_coupons, back_total) = match refund {
            None => (zero.clone(), zero.clone(), zero),
            Some(refund) => (
                shares.settled.yuan().to_string(),
                shares.given_up.yuan().to_string(),
                refund.amount.yuan().to_string(),
            ),
        };
        match refund {
            None => {
                settled = settled.saturating_add(shares.settled.get());
                ordered = ordered.saturating_add(order.amount.get());
            }
            Some(refund) => {
                refunded = refunded.saturating_add(shares.settled.get());
                asked = asked.saturating_add(refund.amount.get());
            }
        }
        let fee = hundred_thousandths(fee.saturating_mul(sign));
        let dashed = |at: UnixTime| ClockDashed(at).to_string();
        let asked_at = refund.map_or_else(String::new, |refund| dashed(refund.created_at));
        let at = dashed(at);
        let state = match refund {
            None => "SUCCESS",
            Some(_) if order.revoked_at.is_some() => "REVOKED",
            Some(_) => "REFUND",
        };
        let values: [&str; 29] = [
            &at,
            holder.app_id,
            holder.merchant_id,
            order.detail(SUB_MERCHANT).unwrap_or("0"),
            order.detail("device_info").unwrap_or_default(),
            &payment.transaction_id,
            &order.order_no,
            &payment.payer,
            order.detail("trade_type").unwrap_or("JSAPI"),
            state,
            &payment.bank,
            "CNY",
            &paid_settled,
            &paid_coupons,
            &asked_at,
            &at,
            refund.map_or("0", |refund| &refund.refund_id),
            refund.map_or("0", |refund| &refund.refund_no),
            &back_settled,
            &back_coupons,
            if refund.is_some() { "ORIGINAL" } else { "" },
            if refund.is_some() { "SUCCESS" } else { "" },
            order.detail("description").unwrap_or_default(),
            order.detail("attach").unwrap_or_default(),
            &fee,
            RATE,
            &paid_total,
            &back_total,
            "",
        ];
        let shown = TRADE_COLUMNS.iter().zip(values);
        let shown = shown.filter(|((_, column), _)| kind.has(*column));
        push_row(&mut rows, shown.map(|(_, value)| value));
    }
    if count == 0 {
        return None;
    }
    let yuan = |fen: i64| Fen::new(fen).yuan().to_string();
    let mut totals = String::new();
    push_row(
        &mut totals,
        [
            &format!("{count}.0"),
            &yuan(settled),
            &yuan(refunded),
            "0.0",
            &hundred_thousandths(fees),
            &yuan(ordered),
            &yuan(asked),
        ],
    );
    let names = TRADE_COLUMNS.iter().filter(|(_, column)| kind.has(*column));
    let names: Vec<&str> = names.map(|(name, _)| *name).collect();
    Some(format!("{BOM}{}\r\n{rows}{TRADE_TOTALS}\r\n{totals}", names.join(",")))
}

/// The fund-flow bill of a day; `None` where nothing happened. The account begins the day with nothing.
pub(crate) fn fund_flow(book: &Book, holder: Holder<'_>, day: CalendarDate) -> Option<String> {
    let mut rows = String::new();
    let (mut ins, mut in_sum, mut outs, mut out_sum) = (0_i64, 0_i64, 0_i64, 0_i64);
    for (index, movement) in movements(book, holder, day).iter().enumerate() {
        let (name, direction, amount, id, voucher) = match movement {
            Movement::Paid(order, payment) => {
                let amount = Shares::of(order, payment, None).settled;
                ins = ins.saturating_add(1);
                in_sum = in_sum.saturating_add(amount.get());
                ("交易", "收入", amount, &payment.transaction_id, &order.order_no)
            }
            Movement::Refunded(order, payment, refund) => {
                let amount = Shares::of(order, payment, Some(refund)).settled;
                outs = outs.saturating_add(1);
                out_sum = out_sum.saturating_add(amount.get());
                ("退款", "支出", amount, &payment.transaction_id, &refund.refund_no)
            }
        };
        let left = Fen::new(in_sum.saturating_sub(out_sum));
        push_row(
            &mut rows,
            [
                &ClockDashed(movement.at()).to_string(),
                id,
                &format!("{}{:010}", day.compact(), index.saturating_add(1)),
                name,
                name,
                direction,
                &amount.yuan().to_string(),
                &left.yuan().to_string(),
                "system",
                "",
                voucher,
            ],
        );
    }
    if rows.is_empty() {
        return None;
    }
    let mut totals = String::new();
    push_row(
        &mut totals,
        [
            format!("{}.0", ins.saturating_add(outs)).as_str(),
            &format!("{ins}.0"),
            &Fen::new(in_sum).yuan().to_string(),
            &format!("{outs}.0"),
            &Fen::new(out_sum).yuan().to_string(),
        ],
    );
    Some(format!("{BOM}{FUND_HEADER}\r\n{rows}{FUND_TOTALS}\r\n{totals}"))
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

fn hundred_thousandths(amount: i64) -> String {
    let magnitude = amount.unsigned_abs();
    let mut text = String::new();
    if amount < 0 {
        text.push('-');
    }
    // A String takes everything that is written to it.
    _ = write!(
        text,
        "{}.{:05}",
        magnitude.div_euclid(100_000),
        magnitude.rem_euclid(100_000)
    );
    text
}
