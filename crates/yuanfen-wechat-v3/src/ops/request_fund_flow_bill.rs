//! `GET /v3/bill/fundflowbill`: asks for the fund-flow bill of a day. The answer names the file and its digest.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months, about three calls a second. Published as
//! "申请资金账单"; v3 sheet, section 18.

use http::Method;
use yuanfen_core::{Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, Verified, open_enum};

use super::request_trade_bill::bill_query;
use crate::bill::RequestedBill;
use crate::{Account, Message, Reply};

open_enum! {
    /// `account_type`: which of the merchant's accounts.
    pub enum AccountType {
        /// The basic account; the platform's default.
        Basic = "BASIC",
        /// The operating account.
        Operation = "OPERATION",
        /// The fee account.
        Fees = "FEES",
    }
}

/// Asks for the fund-flow bill of a day.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestFundFlowBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `account_type`.
    pub account_type: Option<AccountType>,
    /// `tar_type`: whether the file comes as gzip.
    pub gzip: bool,
}

impl RequestFundFlowBill {
    /// The bill of that day, of the basic account, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self {
            date,
            account_type: None,
            gzip: false,
        }
    }
}

impl Operation for RequestFundFlowBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RequestedBill;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "request_fund_flow_bill",
        Method::GET,
        PATH,
        Effect::Read,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let kind = self.account_type.as_ref().map(|kind| ("account_type", kind.as_str()));
        bill_query(PATH, self.date, kind, self.gzip, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<RequestedBill, OpenError> {
        RequestedBill::read(inbound.get(), &Self::ROUTE)
    }
}

const PATH: &str = "/v3/bill/fundflowbill";
