//! `GET /v3/ecommerce/bill/fundflowbill`: asks for the fund-flow bill of all merchants of an e-commerce platform. It comes
//! encrypted.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months. Published as "申请二级商户资金账单"; v3 sheet,
//! section 18.

use http::Method;
use yuanfen_core::{Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, UnixTime, Verified};

use super::request_sub_merchant_fund_flow_bill::NO_SUB_MERCHANTS;
use crate::bill::{ALGORITHM, ask, bill_ready_at, tar_type};
use crate::{Account, EncryptedBill, MerchantIds, Message, Reply};

/// Asks for the fund-flow bill of a day of all the provider's merchants, of all their accounts.
///
/// The reply is `None` where nothing moved; before it is ready, the refusal has its
/// [`ready_at`](yuanfen_core::Refusal::ready_at).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestEcommerceFundFlowBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `tar_type`: whether the files are gzip before they are encrypted.
    pub gzip: bool,
}

impl RequestEcommerceFundFlowBill {
    /// The bill of that day, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self { date, gzip: false }
    }

    /// When it is ready.
    #[must_use]
    pub fn ready_at(&self) -> UnixTime {
        bill_ready_at(self.date)
    }
}

impl Operation for RequestEcommerceFundFlowBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = Option<EncryptedBill>;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "request_ecommerce_fund_flow_bill",
        Method::GET,
        PATH,
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        if matches!(account.ids(), MerchantIds::Direct(_)) {
            return Err(NO_SUB_MERCHANTS);
        }
        let date = self.date.to_string();
        let members = [
            ("bill_date", Some(&*date)),
            // The page of the interface requires it and knows no other value.
            ("account_type", Some("ALL")),
            tar_type(self.gzip),
            ALGORITHM,
        ];
        ask(PATH, self.date, &members, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<Option<EncryptedBill>, OpenError> {
        EncryptedBill::read(inbound.get(), &Self::ROUTE, self.date)
    }
}

const PATH: &str = "/v3/ecommerce/bill/fundflowbill";
