//! `GET /v3/bill/tradebill`: asks for the trade bill of a day. The answer names the file and its digest.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months. Published as "申请交易账单"; v3 sheet,
//! section 18.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, UnixTime, Verified, open_enum,
};

use crate::bill::{RequestedBill, Tar};
use crate::{Account, Message, Reply, segment};

open_enum! {
    /// `bill_type`: which trades a trade bill lists.
    pub enum BillType {
        /// All; the platform's default.
        All = "ALL",
        /// Payments that succeeded.
        Success = "SUCCESS",
        /// Refunds.
        Refund = "REFUND",
        /// Refunds of top-ups.
        RechargeRefund = "RECHARGE_REFUND",
        /// All, for merchants with special arrangements.
        AllSpecial = "ALL_SPECIAL",
        /// Payments, for merchants with special arrangements.
        SuccessSpecial = "SUC_SPECIAL",
        /// Refunds, for merchants with special arrangements.
        RefundSpecial = "REF_SPECIAL",
    }
}

/// Asks for the trade bill of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestTradeBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `bill_type`.
    pub bill_type: Option<BillType>,
    /// `tar_type`: whether the file comes as gzip.
    pub gzip: bool,
}

impl RequestTradeBill {
    /// The bill of that day, everything on it, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self {
            date,
            bill_type: None,
            gzip: false,
        }
    }
}

impl Operation for RequestTradeBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RequestedBill;

    const ROUTE: Route = Route::new(super::PROVIDER, "request_trade_bill", Method::GET, PATH, Effect::Read);

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let kind = self.bill_type.as_ref().map(|kind| ("bill_type", kind.as_str()));
        bill_query(PATH, self.date, kind, self.gzip, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<RequestedBill, OpenError> {
        RequestedBill::read(inbound.get(), &Self::ROUTE)
    }
}

const PATH: &str = "/v3/bill/tradebill";

/// The query of either bill, its members in the order of the published samples.
pub(super) fn bill_query(
    path: &str,
    date: CalendarDate,
    kind: Option<(&str, &str)>,
    gzip: bool,
    now: UnixTime,
) -> Result<Message, BuildError> {
    if date >= now.beijing_date() {
        return Err(BuildError::Time {
            field: "bill_date",
            problem: "is a day that is not over yet in Beijing",
        });
    }
    let mut target = format!("{path}?bill_date={date}");
    if let Some((name, value)) = kind {
        target.push_str(&format!("&{name}={}", segment(value)));
    }
    if gzip {
        target.push_str("&tar_type=");
        target.push_str(Tar::GZIP);
    }
    Ok(Message::get(target))
}
