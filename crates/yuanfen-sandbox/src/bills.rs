//! Bills from the book: what WeChat Pay's files look like, down to byte order mark, back-ticks and line ends.
//!
//! Layout after the sample bill of the vectors (27 columns, `45.0` for a count, `0.01000` for a fee).

use std::fmt::Write as _;

use yuanfen_core::{CalendarDate, ClockDashed, Fen, UnixTime};

use crate::Platform;
use crate::book::{Book, Order, Payment, Refund, RefundState};

const BOM: char = '\u{feff}';
/// Six in a thousand, the usual rate.
const RATE: &str = "0.60%";
/// Of one fen, in hundred-thousandths of a yuan: 0.01 yuan at 0.60 %.
const FEE_OF_A_FEN: i64 = 6;

const TRADE_HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,\
付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,\
商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
const TRADE_TOTALS: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
const FUND_HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号";
const FUND_TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

/// Which rows a trade bill has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TradeBill {
    All,
    Success,
    Refund,
}

/// Whose bill it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) platform: Platform,
    pub(crate) app_id: &'static str,
    pub(crate) merchant_id: &'static str,
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

fn movements(book: &Book, platform: Platform, day: CalendarDate) -> Vec<Movement<'_>> {
    let mut found = Vec::new();
    for order in book.of(platform) {
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
pub(crate) fn trade(book: &Book, holder: Holder, day: CalendarDate, kind: TradeBill) -> Option<String> {
    let mut rows = String::new();
    let mut count = 0_i64;
    let (mut settled, mut refunded, mut asked, mut ordered, mut fees) = (0_i64, 0_i64, 0_i64, 0_i64, 0_i64);
    for movement in movements(book, holder.platform, day) {
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
        push_row(
            &mut rows,
            &[
                &ClockDashed(at).to_string(),
                holder.app_id,
                holder.merchant_id,
                "0",
                order.detail("device_info").unwrap_or_default(),
                &payment.transaction_id,
                &order.order_no,
                &payment.payer,
                order.detail("trade_type").unwrap_or("JSAPI"),
                if refund.is_some() { "REFUND" } else { "SUCCESS" },
                &payment.bank,
                "CNY",
                &paid_settled,
                &paid_coupons,
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
            ],
        );
    }
    if count == 0 {
        return None;
    }
    let yuan = |fen: i64| Fen::new(fen).yuan().to_string();
    let mut totals = String::new();
    push_row(
        &mut totals,
        &[
            &format!("{count}.0"),
            &yuan(settled),
            &yuan(refunded),
            "0.0",
            &hundred_thousandths(fees),
            &yuan(ordered),
            &yuan(asked),
        ],
    );
    Some(format!("{BOM}{TRADE_HEADER}\r\n{rows}{TRADE_TOTALS}\r\n{totals}"))
}

/// The fund-flow bill of a day; `None` where nothing happened. The account begins the day with nothing.
pub(crate) fn fund_flow(book: &Book, holder: Holder, day: CalendarDate) -> Option<String> {
    let mut rows = String::new();
    let (mut ins, mut in_sum, mut outs, mut out_sum) = (0_i64, 0_i64, 0_i64, 0_i64);
    for (index, movement) in movements(book, holder.platform, day).iter().enumerate() {
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
            &[
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
        &[
            &format!("{}.0", ins.saturating_add(outs)),
            &format!("{ins}.0"),
            &Fen::new(in_sum).yuan().to_string(),
            &format!("{outs}.0"),
            &Fen::new(out_sum).yuan().to_string(),
        ],
    );
    Some(format!("{BOM}{FUND_HEADER}\r\n{rows}{FUND_TOTALS}\r\n{totals}"))
}

/// How a payment or a refund divides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shares {
    /// What the payer paid, or gets back.
    pub(crate) payer: Fen,
    /// What coupons paid, or take back.
    pub(crate) coupons: Fen,
    /// What discounts that the merchant does not receive paid, or take back.
    pub(crate) given_up: Fen,
    /// What the merchant receives, or gives back.
    pub(crate) settled: Fen,
}

impl Shares {
    /// Of the payment, or of one of its refunds. A refund takes coupons back in its proportion of the order, rounded
    /// so that refunds of the whole order take back exactly the coupons.
    pub(crate) fn of(order: &Order, payment: &Payment, refund: Option<&Refund>) -> Self {
        let sum = |prepaid_too: bool| {
            let coupons = payment.coupons.iter().filter(|coupon| prepaid_too || !coupon.prepaid);
            Fen::try_sum(coupons.map(|coupon| coupon.amount)).unwrap_or(Fen::ZERO)
        };
        let (coupons, given_up) = (sum(true), sum(false));
        match refund {
            None => Self::divide(order.amount, coupons, given_up),
            Some(refund) => {
                let before = order
                    .refunds
                    .iter()
                    .take_while(|earlier| earlier.refund_no != refund.refund_no)
                    .filter(|earlier| earlier.state != RefundState::Closed);
                let before = Fen::try_sum(before.map(|earlier| earlier.amount)).unwrap_or(Fen::ZERO);
                let after = before.try_add(refund.amount).unwrap_or(before);
                let share = |whole: Fen| {
                    let until = |point: Fen| proportion(whole, point, order.amount);
                    until(after).try_sub(until(before)).unwrap_or(Fen::ZERO)
                };
                Self::divide(refund.amount, share(coupons), share(given_up))
            }
        }
    }

    fn divide(total: Fen, coupons: Fen, given_up: Fen) -> Self {
        let less = |part| total.try_sub(part).unwrap_or(Fen::ZERO);
        Self {
            payer: less(coupons),
            coupons,
            given_up,
            settled: less(given_up),
        }
    }
}

/// So much of `whole` as `part` is of `all`, rounded down.
pub(crate) fn proportion(whole: Fen, part: Fen, all: Fen) -> Fen {
    let product = i128::from(whole.get()).saturating_mul(i128::from(part.get()));
    let share = product.checked_div(i128::from(all.get())).unwrap_or(0);
    Fen::new(i64::try_from(share).unwrap_or(0))
}

/// Every value behind a back-tick. A comma inside a value stays, as in the platform's own files.
fn push_row(out: &mut String, values: &[&str]) {
    for (index, value) in values.iter().enumerate() {
        out.push_str(if index == 0 { "`" } else { ",`" });
        out.push_str(value);
    }
    out.push_str("\r\n");
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
