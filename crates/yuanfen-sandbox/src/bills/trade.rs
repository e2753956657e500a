//! The trade bill: a row for each payment and refund (section 6.8 of v2's sheet).

use std::fmt::Write as _;

use yuanfen_core::{CalendarDate, ClockDashed, Fen, UnixTime};

use super::{BOM, Holder, Movement, SUB_MERCHANT, Shares, movements, push_row};
use crate::book::Book;

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
