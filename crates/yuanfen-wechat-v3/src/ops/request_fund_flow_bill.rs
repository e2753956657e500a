//! `GET /v3/bill/fundflowbill`: asks for the fund-flow bill of a day. The answer names the file and its digest.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months, about three calls a second. Published as
//! "申请资金账单"; v3 sheet, section 18.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, UnixTime, Verified, open_enum,
};

use crate::bill::{RequestedBill, ask, bill_ready_at, tar_type};
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

/// Asks for the fund-flow bill of a day: of the account's own funds, also where it is a provider's. The reply is `None`
/// where nothing moved; before it is ready, the refusal has its [`ready_at`](yuanfen_core::Refusal::ready_at).
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

    /// When it is ready.
    #[must_use]
    pub fn ready_at(&self) -> UnixTime {
        bill_ready_at(self.date)
    }
}

impl Operation for RequestFundFlowBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = Option<RequestedBill>;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "request_fund_flow_bill",
        Method::GET,
        PATH,
        Effect::Read,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let date = self.date.to_string();
        let members = [
            ("bill_date", Some(&*date)),
            ("account_type", self.account_type.as_ref().map(AccountType::as_str)),
            tar_type(self.gzip),
        ];
        ask(PATH, self.date, &members, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<Option<RequestedBill>, OpenError> {
        RequestedBill::read(inbound.get(), &Self::ROUTE, self.date)
    }
}

const PATH: &str = "/v3/bill/fundflowbill";
