//! `GET /v3/refund/domestic/refunds/{out_refund_no}`: asks where a refund stands.
//!
//! Read. Published as "查询单笔退款（通过商户退款单号）"; v3 sheet, section 17.2.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, JsonTaker, OpenError, Operation, RefundNo, Route, Verified};

use super::refund::REFUND_NO;
use crate::transaction::foreign;
use crate::{Account, Message, RefundRecord, Reply, segment};

/// Asks where a refund stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueryRefund {
    /// `out_refund_no`: our number, at most 64 characters.
    pub refund_no: RefundNo,
}

impl QueryRefund {
    /// The refund of that number.
    #[must_use]
    pub const fn new(refund_no: RefundNo) -> Self {
        Self { refund_no }
    }
}

impl Operation for QueryRefund {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = RefundRecord;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "query_refund",
        Method::GET,
        "/v3/refund/domestic/refunds/{out_refund_no}",
        Effect::Read,
    );

    fn encode(&self, account: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
        REFUND_NO.check(self.refund_no.as_str())?;
        let number = segment(self.refund_no.as_str());
        let path = format!("/v3/refund/domestic/refunds/{number}");
        Ok(Message::get(match account.ids().sub_merchant_id()? {
            None => path,
            Some(sub_merchant) => format!("{path}?sub_mchid={sub_merchant}"),
        }))
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<RefundRecord, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let record = RefundRecord::take(&mut JsonTaker::new(&object), reply.raw().clone())?;
        if record.refund_no == self.refund_no {
            Ok(record)
        } else {
            Err(foreign("out_refund_no").into())
        }
    }
}
