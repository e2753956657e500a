//! The fund-flow bill: a row for each movement on the account (section 6.9 of v2's sheet).

use yuanfen_core::{CalendarDate, ClockDashed, Fen};

use super::{BOM, Holder, Movement, Shares, movements, push_row};
use crate::book::Book;

const FUND_HEADER: &str = "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额(元),账户结余(元),\
资金变更提交申请人,备注,业务凭证号";
const FUND_TOTALS: &str = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额";

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
