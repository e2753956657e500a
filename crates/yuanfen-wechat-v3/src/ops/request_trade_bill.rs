//! `GET /v3/bill/tradebill`: asks for the trade bill of a day. The answer names the file and its digest.
//!
//! Read. Ready from ten o'clock of the next morning in Beijing, for three months. Published as "申请交易账单"; v3 sheet,
//! section 18.

use http::Method;
use yuanfen_core::{
    Ambient, BuildError, CalendarDate, Effect, OpenError, Operation, Route, UnixTime, Verified, open_enum,
};

use crate::bill::{RequestedBill, ask, bill_ready_at, tar_type};
use crate::{Account, MerchantIds, Message, Reply};

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

/// Whose trades a trade bill lists. A provider has to say it: `sub_mchid` left out by oversight would be the bill of all its
/// merchants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BillScope {
    /// The merchant's own, as an ordinary merchant asks. A provider has none.
    #[default]
    Own,
    /// Of every merchant for which the provider acts: `sub_mchid` is absent.
    AllMerchants,
    /// Of the account's sub-merchant: `sub_mchid` names it.
    OneMerchant,
}

/// Asks for the trade bill of a day. The reply is `None` where there was nothing to bill; before it is ready, the refusal
/// has its [`ready_at`](yuanfen_core::Refusal::ready_at).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestTradeBill {
    /// `bill_date`: a day that is over in Beijing.
    pub date: CalendarDate,
    /// `sub_mchid`: whose trades.
    pub scope: BillScope,
    /// `bill_type`.
    pub bill_type: Option<BillType>,
    /// `tar_type`: whether the file comes as gzip.
    pub gzip: bool,
}

impl RequestTradeBill {
    /// The merchant's own bill of that day, everything on it, not compressed.
    #[must_use]
    pub const fn new(date: CalendarDate) -> Self {
        Self::of(BillScope::Own, date)
    }

    /// The bill of those merchants of that day, everything on it, not compressed.
    #[must_use]
    pub const fn of(scope: BillScope, date: CalendarDate) -> Self {
        Self {
            date,
            scope,
            bill_type: None,
            gzip: false,
        }
    }

    /// When it is ready.
    #[must_use]
    pub fn ready_at(&self) -> UnixTime {
        bill_ready_at(self.date)
    }

    fn sub_merchant<'a>(&self, ids: &'a MerchantIds) -> Result<Option<&'a str>, BuildError> {
        let problem = match (self.scope, ids) {
            (BillScope::Own, MerchantIds::Direct(_)) | (BillScope::AllMerchants, MerchantIds::Partner(_)) => {
                return Ok(None);
            }
            (BillScope::OneMerchant, MerchantIds::Partner(_)) => return ids.sub_merchant_id(),
            (BillScope::Own, MerchantIds::Partner(_)) => {
                "a provider has no trades of its own; say whether the bill is of all its merchants or of one"
            }
            (BillScope::AllMerchants | BillScope::OneMerchant, MerchantIds::Direct(_)) => {
                "an ordinary merchant has no sub-merchants"
            }
        };
        Err(BuildError::Conflict {
            fields: "sub_mchid",
            problem,
        })
    }
}

impl Operation for RequestTradeBill {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = Option<RequestedBill>;

    const ROUTE: Route = Route::new(super::PROVIDER, "request_trade_bill", Method::GET, PATH, Effect::Read);

    fn encode(&self, account: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        let date = self.date.to_string();
        let members = [
            ("bill_date", Some(&*date)),
            ("sub_mchid", self.sub_merchant(account.ids())?),
            ("bill_type", self.bill_type.as_ref().map(BillType::as_str)),
            tar_type(self.gzip),
        ];
        ask(PATH, self.date, &members, ambient.now())
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<Option<RequestedBill>, OpenError> {
        RequestedBill::read(inbound.get(), &Self::ROUTE, self.date)
    }
}

const PATH: &str = "/v3/bill/tradebill";
