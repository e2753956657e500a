//! Asking for bills.

use yuanfen_core::{Fate, RefusalKind};

use super::{Operations, Row, row};

const BILLS: Operations = &[
    "request_trade_bill",
    "request_fund_flow_bill",
    "request_sub_merchant_fund_flow_bill",
    "request_ecommerce_fund_flow_bill",
];

const BILLING: &str = "v3 sheet, section 18.3";

pub(super) const ROWS: &[Row] = &[
    row(
        BILLS,
        "STATEMENT_CREATING",
        Fate::Refused,
        RefusalKind::NotYet,
        "the bill is being made: it is ready at ten o'clock of the next morning in Beijing",
        BILLING,
    ),
    row(
        BILLS,
        "NO_STATEMENT_EXIST",
        Fate::Refused,
        RefusalKind::Nothing,
        "there was nothing to bill on that day",
        BILLING,
    ),
];
