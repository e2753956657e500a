//! WeChat Pay v2, the platform's side, from its sheet: XML in, XML out, MD5 or HMAC as the request asks.
//!
//! Two callers have keys here: a merchant that calls for itself, and a service provider that calls for its
//! sub-merchants (section 10). Each has its own orders.

mod certificates;
mod checks;
mod comments;
mod files;
mod message;
mod notices;
mod orders;
mod page;
mod promotions;
mod refund_query;
mod refunds;
mod till;
mod tools;
#[cfg(test)]
mod vectors;

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use yuanfen_core::{Ambient as _, Fields, UnixTime};
use yuanfen_xml::{MESSAGE_LIMITS, read};

use self::certificates::{is_theirs, refuse_at_the_door};
use self::checks::SubMerchant;
use self::files::NoBill;
use self::message::{Caller, Merchant, Refusal, put, unsigned};
use self::refunds::Coupons;
use super::rates::{Rate, Rates};
use super::{Call, Desk, PageRefused, Platform, PlatformSide, Setting};
use crate::Settings;
use crate::ambient::SeededAmbient;
use crate::bills::Holder;
use crate::book::{Account, Book, Terms};
use crate::deliver::{About, Event};
use crate::faults::Subject;
use crate::keys::{self, KeyError, KeySet};

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
    rates: Rates,
}

impl Agreed {
    /// # Errors
    /// When the caller asked for as many refunds in this second as it may, or for as many that failed.
    fn admit(&mut self, operation: Signed, caller: &Caller<'_>, desk: &Desk<'_>) -> Result<(), Refusal> {
        let (account, now) = (caller.account(), desk.now());
        if !matches!(operation, Signed::Refund(_)) {
            return Ok(());
        }
        if self.rates.is_used_up(account, Rate::FailedRefunds, now) {
            return Err(Refusal::new("INVALID_REQ_TOO_MUCH", "无效请求过多"));
        }
        if self.rates.is_used_up(account, Rate::Refunds, now) {
            return Err(Refusal::new("FREQUENCY_LIMITED", "频率限制"));
        }
        self.rates.count(account, Rate::Refunds);
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Signed(Signed),
    Text(Text),
}

impl Operation {
    /// Column C in section 2 of the sheet.
    const fn needs_certificate(self) -> bool {
        matches!(
            self,
            Self::Signed(Signed::Refund(_) | Signed::Reverse) | Self::Text(Text::FundFlow | Text::Comments)
        )
    }
}

/// What is answered with a signed message, whether it is done or refused.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    PlaceOrder,
    QueryOrder,
    CloseOrder,
    Charge,
    Reverse,
    Refund(Coupons),
    QueryRefund(Coupons),
    ExchangeCode,
    ShortenLink,
}

impl Signed {
    /// What the caller signed, from the fields as they came.
    fn signed_form(self) -> fn(Fields) -> Fields {
        match self {
            Self::ShortenLink => |fields| tools::with_raw_link(&fields),
            _ => |fields| fields,
        }
    }
}

/// What is answered without a signature (section 2.1 of the sheet).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    TradeBill,
    FundFlow,
    Comments,
    Report,
}

/// Path, the sandbox's word for it, and what it is (section 2 of the sheet).
const OPERATIONS: &[(&str, &str, Operation)] = {
    use self::Operation::{Signed as S, Text as T};

    &[
        ("/pay/unifiedorder", "place-order", S(Signed::PlaceOrder)),
        ("/pay/orderquery", "query-order", S(Signed::QueryOrder)),
        ("/pay/closeorder", "close-order", S(Signed::CloseOrder)),
        ("/pay/micropay", "micropay", S(Signed::Charge)),
        ("/secapi/pay/reverse", "reverse-order", S(Signed::Reverse)),
        ("/secapi/pay/refund", "refund", S(Signed::Refund(Coupons::Numbered))),
        ("/secapi/pay/refundv2", "refund-v2", S(Signed::Refund(Coupons::Json))),
        (
            "/pay/refundquery",
            "query-refund",
            S(Signed::QueryRefund(Coupons::Numbered)),
        ),
        (
            "/pay/refundqueryv2",
            "query-refund-v2",
            S(Signed::QueryRefund(Coupons::Json)),
        ),
        ("/tools/authcodetoopenid", "exchange-auth-code", S(Signed::ExchangeCode)),
        ("/tools/shorturl", "shorten-link", S(Signed::ShortenLink)),
        ("/pay/downloadbill", "download-trade-bill", T(Text::TradeBill)),
        ("/pay/downloadfundflow", "download-fund-flow-bill", T(Text::FundFlow)),
        ("/billcommentsp/batchquerycomment", "query-comments", T(Text::Comments)),
        ("/payitil/report", "report", T(Text::Report)),
    ]
};

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
    pub(super) fn new(keys: &KeySet) -> Result<Self, KeyError> {
        // A merchant has one certificate for both versions.
        let certificates = keys.wechat_v3();
        let keys = keys.wechat_v2();
        let direct = Merchant::new(
            Platform::WechatV2.into(),
            keys::WECHAT_APP_ID,
            keys::WECHAT_MERCHANT_ID,
            keys.api_key.clone(),
        )?
        .with_certificate(&certificates.merchant.certificate_pem)?;
        let provider = Merchant::new(
            Account::provider(Platform::WechatV2),
            keys::WECHAT_PROVIDER_APP_ID,
            keys::WECHAT_PROVIDER_ID,
            keys.provider_api_key.clone(),
        )?
        .with_certificate(&certificates.provider.certificate_pem)?;
        Ok(Self {
            merchants: vec![direct, provider],
            agreed: Agreed::default(),
        })
    }

    fn perform(&mut self, operation: Signed, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let Self { merchants, agreed } = self;
        let (fields, caller) = match message::open(merchants, call, operation.signed_form(), desk) {
            Ok(opened) => opened,
            Err(unreadable) => return unsigned(unreadable.words()),
        };
        if Operation::Signed(operation).needs_certificate() && !is_theirs(call.certificate, caller.merchant) {
            return unsigned(certificates::NOT_THEIRS);
        }
        let mut recall = None;
        let agreed_on = refused(desk)
            .and_then(|()| agreed.admit(operation, &caller, desk))
            .and_then(|()| checks::common(&fields, &caller, SubMerchant::Needed));
        if let (Err(refusal), Signed::Reverse) = (&agreed_on, operation) {
            recall = Some(if refusal.code == "SYSTEMERROR" { "Y" } else { "N" });
        }
        let outcome = agreed_on.and_then(|()| match operation {
            Signed::PlaceOrder => orders::place(&fields, &caller, desk),
            Signed::QueryOrder => orders::query(&fields, &caller, desk),
            Signed::CloseOrder => orders::close(&fields, &caller, agreed, desk),
            Signed::Charge => till::charge(&fields, &caller, desk),
            Signed::Reverse => {
                let reversal = till::reverse(&fields, &caller, agreed, desk);
                recall = Some(if reversal.recall { "Y" } else { "N" });
                reversal.outcome.map(|()| caller.reply(desk))
            }
            Signed::Refund(coupons) => refunds::refund(&fields, &caller, coupons, desk),
            Signed::QueryRefund(coupons) => refund_query::query(&fields, &caller, coupons, desk),
            Signed::ExchangeCode => till::exchange_code(&fields, &caller, desk),
            Signed::ShortenLink => tools::shorten(&fields, &caller, desk),
        });
        if outcome.is_err() && matches!(operation, Signed::Refund(_)) {
            agreed.rates.count(caller.account(), Rate::FailedRefunds);
        }
        let mut reply = outcome.unwrap_or_else(|refusal| caller.refuse(&refusal, desk));
        if let Some(recall) = recall {
            put(&mut reply, "recall", recall);
        }
        caller.answer(reply, desk)
    }

    fn tell(&self, operation: Text, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let (fields, caller) = match message::open(&self.merchants, call, |fields| fields, desk) {
            Ok(opened) => opened,
            Err(unreadable) if operation == Text::TradeBill => return NoBill::from(unreadable).answer(),
            Err(unreadable) => return unsigned(unreadable.words()),
        };
        if Operation::Text(operation).needs_certificate() && !is_theirs(call.certificate, caller.merchant) {
            return unsigned(certificates::NOT_THEIRS);
        }
        let common = refused(desk).and_then(|()| checks::common(&fields, &caller, SubMerchant::Optional));
        match operation {
            Text::TradeBill => common
                .map_err(NoBill::from)
                .and_then(|()| files::trade(&fields, &caller, desk))
                .unwrap_or_else(|none| none.answer()),
            Text::FundFlow => common
                .and_then(|()| files::fund_flow(&fields, &caller, desk))
                .unwrap_or_else(|refusal| files::unsigned_refusal(&refusal)),
            Text::Comments => common
                .and_then(|()| comments::list(&fields, &caller, desk))
                .unwrap_or_else(|refusal| files::unsigned_refusal(&refusal)),
            Text::Report => common
                .and_then(|()| tools::report(&fields))
                .unwrap_or_else(|refusal| unsigned(&refusal.words)),
        }
    }
}

/// What the plan refuses this call with, if it does.
fn refused(desk: &Desk<'_>) -> Result<(), Refusal> {
    match desk.refusal(Platform::WechatV2) {
        Some(row) => Err(Refusal::new(row.code, row.words)),
        None => Ok(()),
    }
}

impl PlatformSide for WechatV2 {
    fn platform(&self) -> Platform {
        Platform::WechatV2
    }

    fn owns(&self, call: &Call<'_>) -> bool {
        ["/pay/", "/secapi/pay/", "/tools/", "/payitil/", "/billcommentsp/"]
            .iter()
            .any(|root| call.path.starts_with(root))
    }

    fn operation(&self, call: &Call<'_>) -> &'static str {
        operation(call.path).map_or("unknown", |(name, _)| name)
    }

    fn answer(&mut self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let operation = operation(call.path).map(|(_, operation)| operation);
        if operation.is_some_and(Operation::needs_certificate)
            && let Some(refusal) = refuse_at_the_door(call.certificate, &self.merchants)
        {
            return refusal;
        }
        match operation {
            Some(Operation::Signed(operation)) => self.perform(operation, call, desk),
            Some(Operation::Text(operation)) => self.tell(operation, call, desk),
            None => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }

    fn subject(&self, call: &Call<'_>, book: &mut Book, _now: UnixTime) -> Subject {
        message::subject(&self.merchants, call, book)
    }

    fn unsigned_error(&self, _desk: &mut Desk<'_>) -> Response<Bytes> {
        unsigned("SYSTEMERROR")
    }

    fn system_error(&self, call: &Call<'_>, desk: &mut Desk<'_>) -> Response<Bytes> {
        let refusal = Refusal::new("SYSTEMERROR", "系统错误");
        match operation(call.path) {
            Some((_, Operation::Signed(operation))) => {
                let opened = message::open(&self.merchants, call, operation.signed_form(), desk);
                let Ok((_, caller)) = opened else {
                    return self.unsigned_error(desk);
                };
                let mut reply = caller.refuse(&refusal, desk);
                if operation == Signed::Reverse {
                    put(&mut reply, "recall", "Y");
                }
                caller.answer(reply, desk)
            }
            Some((_, Operation::Text(Text::FundFlow | Text::Comments))) => files::unsigned_refusal(&refusal),
            Some((_, Operation::Text(Text::TradeBill | Text::Report))) | None => self.unsigned_error(desk),
        }
    }

    fn set(&mut self, setting: &Setting) {
        match setting {
            Setting::WechatV2RecallsReversals(times) => self.agreed.reversals_to_recall = *times,
            Setting::WechatV2KeepsFiveMinutes(keep) => self.agreed.keeps_five_minutes = *keep,
            Setting::WechatKeepsRates(keep) => self.agreed.rates.keep(*keep),
            _ => {}
        }
    }

    fn tell(&self, settings: &mut Settings) {
        settings.wechat_v2_recalls_reversals = Some(self.agreed.reversals_to_recall);
        settings.wechat_v2_keeps_five_minutes = Some(self.agreed.keeps_five_minutes);
        settings.wechat_keeps_rates = Some(self.agreed.rates.are_kept());
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

    fn holder(&self, account: Account) -> Option<Holder<'_>> {
        let merchant = self.merchants.iter().find(|merchant| merchant.account == account)?;
        Some(files::holder_of(merchant, None))
    }

    fn open_cashier(&self, parameters: &[(&str, &str)], desk: &mut Desk<'_>) -> Result<String, PageRefused> {
        page::open_cashier(&self.merchants, parameters, desk)
    }
}
