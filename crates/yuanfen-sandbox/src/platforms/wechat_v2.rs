//! WeChat Pay v2, the platform's side, from its sheet: XML in, XML out, MD5 or HMAC as the request asks.
//!
//! Two callers have keys here: a merchant that calls for itself, and a service provider that calls for its
//! sub-merchants (section 10). Each has its own orders.

mod checks;
mod message;
mod notices;
mod orders;
mod page;
mod promotions;
mod refund_query;
mod refunds;
mod till;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use yuanfen_core::Ambient as _;
use yuanfen_xml::{MESSAGE_LIMITS, read};

use self::message::{Merchant, put, respond, unsigned};
use self::refunds::Coupons;
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Setting};
use crate::ambient::SeededAmbient;
use crate::book::{Account, Terms};
use crate::deliver::{About, Event};
use crate::keys;

/// Sheet, section 8: seconds to wait after each attempt.
const LADDER: &[u64] = &[
    15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
];

/// The kind of account that payers have.
const BANK: &str = "CMC_DEBIT";

pub(super) struct WechatV2 {
    merchants: Vec<Merchant>,
    agreed: Agreed,
}

/// What a test may switch.
#[derive(Debug, Default)]
struct Agreed {
    /// How many reversals are still answered with "ask again", without effect.
    reversals_to_recall: u32,
    /// An order is not closed within five minutes.
    keeps_five_minutes: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    PlaceOrder,
    QueryOrder,
    CloseOrder,
    Charge,
    Reverse,
    Refund(Coupons),
    QueryRefund(Coupons),
    ExchangeCode,
}

/// Path, the sandbox's word for it, and what it is (section 2 of the sheet).
const OPERATIONS: &[(&str, &str, Operation)] = &[
    ("/pay/unifiedorder", "place-order", Operation::PlaceOrder),
    ("/pay/orderquery", "query-order", Operation::QueryOrder),
    ("/pay/closeorder", "close-order", Operation::CloseOrder),
    ("/pay/micropay", "micropay", Operation::Charge),
    ("/secapi/pay/reverse", "reverse-order", Operation::Reverse),
    ("/secapi/pay/refund", "refund", Operation::Refund(Coupons::Numbered)),
    ("/secapi/pay/refundv2", "refund-v2", Operation::Refund(Coupons::Json)),
    (
        "/pay/refundquery",
        "query-refund",
        Operation::QueryRefund(Coupons::Numbered),
    ),
    (
        "/pay/refundqueryv2",
        "query-refund-v2",
        Operation::QueryRefund(Coupons::Json),
    ),
    ("/tools/authcodetoopenid", "exchange-auth-code", Operation::ExchangeCode),
];

fn operation(path: &str) -> Option<(&'static str, Operation)> {
    let found = OPERATIONS.iter().find(|(candidate, _, _)| *candidate == path);
    found.map(|(_, name, operation)| (*name, *operation))
}

/// What the platform adds to a payment.
fn new_payment(ambient: &SeededAmbient) -> Terms {
    let day = ambient.now().beijing_date().compact();
    Terms {
        transaction_id: format!("4200{}{day}{}", ambient.digits(6), ambient.digits(10)),
        bank: BANK,
    }
}

impl WechatV2 {
    pub(super) fn new() -> Result<Self, keys::KeyError> {
        let direct = Merchant::new(
            Platform::WechatV2.into(),
            keys::WECHAT_APP_ID,
            keys::WECHAT_MERCHANT_ID,
            keys::WECHAT_API_KEY,
        )?;
        let provider = Merchant::new(
            Account::provider(Platform::WechatV2),
            keys::WECHAT_PROVIDER_APP_ID,
            keys::WECHAT_PROVIDER_ID,
            keys::WECHAT_PROVIDER_API_KEY,
        )?;
        Ok(Self {
            merchants: vec![direct, provider],
            agreed: Agreed::default(),
        })
    }

    fn perform(&mut self, operation: Operation, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let Self { merchants, agreed } = self;
        let (fields, caller) = match message::open(merchants, call, desk) {
            Ok(opened) => opened,
            Err(unreadable) => return unsigned(unreadable.words()),
        };
        let mut recall = None;
        let outcome = checks::common(&fields, &caller).and_then(|()| match operation {
            Operation::PlaceOrder => orders::place(&fields, &caller, desk),
            Operation::QueryOrder => orders::query(&fields, &caller, desk),
            Operation::CloseOrder => orders::close(&fields, &caller, agreed, desk),
            Operation::Charge => till::charge(&fields, &caller, desk),
            Operation::Reverse => {
                let reversal = till::reverse(&fields, &caller, agreed, desk);
                recall = Some(if reversal.recall { "Y" } else { "N" });
                reversal.outcome.map(|()| caller.reply(desk))
            }
            Operation::Refund(coupons) => refunds::refund(&fields, &caller, coupons, desk),
            Operation::QueryRefund(coupons) => refund_query::query(&fields, &caller, coupons, desk),
            Operation::ExchangeCode => till::exchange_code(&fields, &caller, desk),
        });
        let mut reply = outcome.unwrap_or_else(|refusal| caller.refuse(&refusal, desk));
        if let Some(recall) = recall {
            put(&mut reply, "recall", recall);
        }
        respond(caller.merchant.seal(reply, caller.sign_type, desk))
    }
}

impl PlatformSide for WechatV2 {
    fn platform(&self) -> Platform {
        Platform::WechatV2
    }

    fn owns(&self, path: &str) -> bool {
        ["/pay/", "/secapi/pay/", "/tools/"]
            .iter()
            .any(|root| path.starts_with(root))
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        operation(call.path).map_or("unknown", |(name, _)| name)
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        match operation(call.path) {
            Some((_, operation)) => self.perform(operation, call, desk),
            None => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }

    fn unsigned_error(&self, _desk: &mut Desk<'_>) -> Response<Bytes> {
        unsigned("SYSTEMERROR")
    }

    fn set(&mut self, setting: &Setting) {
        match setting {
            Setting::WechatV2RecallsReversals(times) => self.agreed.reversals_to_recall = *times,
            Setting::WechatV2KeepsFiveMinutes(keep) => self.agreed.keeps_five_minutes = *keep,
            _ => {}
        }
    }

    fn transaction_id(&self, ambient: &SeededAmbient) -> String {
        new_payment(ambient).transaction_id
    }

    fn default_bank(&self) -> &'static str {
        BANK
    }

    fn notice(&self, event: &Event, desk: &mut Desk<'_>) -> Option<Request<Bytes>> {
        let account = event.order.account;
        let merchant = self.merchants.iter().find(|merchant| merchant.account == account)?;
        match &event.about {
            About::Refund(refund_no) => notices::refund(merchant, event, refund_no, desk),
            About::Payment => notices::payment(merchant, event, desk),
        }
    }

    fn acknowledges(&self, status: StatusCode, body: &[u8]) -> bool {
        status == StatusCode::OK
            && read(body, &MESSAGE_LIMITS).is_ok_and(|answer| answer.fields().get("return_code") == Some("SUCCESS"))
    }

    fn wait_after(&self, attempts: usize) -> Option<Duration> {
        LADDER
            .get(attempts.checked_sub(1)?)
            .map(|seconds| Duration::from_secs(*seconds))
    }

    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        page::open_cashier(&self.merchants, parameters, desk)
    }
}
