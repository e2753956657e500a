//! `GET /v3/bill/sub-merchant-fundflowbill`: asks for the fund-flow bill of one of a provider's merchants. It comes encrypted.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months. Published as "申请单个子商户资金账单"; v3 sheet,
//! section 18.

use http::Method;
use yuanfen_core::{Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, UnixTime, Verified};

use crate::bill::{ALGORITHM, ask, bill_ready_at, tar_type};
use crate::ops::AccountType;
use crate::{Account, EncryptedBill, Message, Reply};

/// Asks for the fund-flow bill of a day of the account's sub-merchant.
///
/// The reply is `None` where nothing moved; before it is ready, the refusal has its
/// [`ready_at`](yuanfen_core::Refusal::ready_at).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestSubMerchantFundFlowBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `account_type`: which of the merchant's accounts. Required here.
    pub account_type: AccountType,
    /// `tar_type`: whether the files are gzip before they are encrypted.
    pub gzip: bool,
}

impl RequestSubMerchantFundFlowBill {
    /// The bill of that day, of the basic account, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self {
            date,
            account_type: AccountType::Basic,
            gzip: false,
        }
    }

    /// When it is ready.
    #[must_use]
    pub fn ready_at(&self) -> UnixTime {
        bill_ready_at(self.date)
    }
}

impl Operation for RequestSubMerchantFundFlowBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = Option<EncryptedBill>;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "request_sub_merchant_fund_flow_bill",
        Method::GET,
        PATH,
        Effect::Read,
    );

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let sub_merchant = account.ids().sub_merchant_id()?.ok_or(NO_SUB_MERCHANTS)?;
        let date = self.date.to_string();
        let members = [
            ("sub_mchid", Some(sub_merchant)),
            ("bill_date", Some(&*date)),
            ("account_type", Some(self.account_type.as_str())),
            ALGORITHM,
            tar_type(self.gzip),
        ];
        ask(PATH, self.date, &members, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<Option<EncryptedBill>, OpenError> {
        EncryptedBill::read(inbound.get(), &Self::ROUTE, self.date)
    }
}

const PATH: &str = "/v3/bill/sub-merchant-fundflowbill";

/// An ordinary merchant asks for its own bill.
pub(super) const NO_SUB_MERCHANTS: BuildError = BuildError::Conflict {
    fields: "sub_mchid",
    problem: "an ordinary merchant has no sub-merchants; ask for its own bill",
};
