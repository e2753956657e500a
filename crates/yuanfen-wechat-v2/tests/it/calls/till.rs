//! The calls of a till, of bills, and the small ones.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use yuanfen_core::{CalendarDate, Clock14, Error, OperationExt as _, OrderNo, RemoteId, UnixTime, WireText as _};
use yuanfen_testkit::{Value, json};
use yuanfen_wechat_v2::Account;
use yuanfen_wechat_v2::ops::{
    AccountType, BillType, CallReport, DownloadFundFlowBill, DownloadTradeBill, ExchangeAuthCode, Micropay, OrderKey,
    QueryComments, Report, ReverseOrder, ShortenLink,
};

use super::{Map, amount, business, order_key};
use crate::far_side::now;

fn micropay(fields: &Map) -> Micropay {
    let text = |name: &str| fields.get(name).cloned();
    let mut call = Micropay::new(
        OrderNo::new(&fields["out_trade_no"]).unwrap(),
        amount(fields, "total_fee"),
        text("body").unwrap_or_default(),
        fields.get("spbill_create_ip").map_or("::1", |ip| ip).parse().unwrap(),
        text("auth_code").unwrap_or_default(),
    );
    call.device_info = text("device_info");
    call.attach = text("attach");
    call.currency = text("fee_type");
    call
}

fn reversal(fields: &Map) -> ReverseOrder {
    // The answer names no order.
    match order_key(fields) {
        Some(OrderKey::Remote(id)) => ReverseOrder::by_transaction_id(id),
        Some(OrderKey::Merchant(no)) => ReverseOrder::by_order_no(no),
        _ => ReverseOrder::by_transaction_id(RemoteId::new("1").unwrap()),
    }
}

fn report(fields: &Map) -> Report {
    let ip = fields["user_ip"].parse().unwrap();
    let Some(trades) = fields.get("trades") else {
        let milliseconds = Duration::from_millis(fields["execute_time"].parse().unwrap());
        let [url, return_code, result_code] =
            ["interface_url", "return_code", "result_code"].map(|name| fields[name].as_str());
        return Report::call(ip, CallReport::new(url, milliseconds, return_code, result_code));
    };
    Report::payments(ip, trades.as_str())
}

/// What our call of that name sends for those fields.
pub(super) fn request(operation: &str, account: &Account, fields: &Map) -> Option<Map> {
    let day = || CalendarDate::parse_compact(&fields["bill_date"]).unwrap();
    let moment = |name: &str| -> UnixTime { Clock14::read(&fields[name]).unwrap().0 };
    let gzip = fields.get("tar_type").is_some_and(|tar| tar == "GZIP");
    Some(match operation {
        "micropay" => business(account, &micropay(fields)),
        "reverse_order" => business(account, &reversal(fields)),
        "exchange_auth_code" => business(account, &ExchangeAuthCode::new(&*fields["auth_code"])),
        "download_trade_bill" => {
            let mut call = DownloadTradeBill::new(day());
            call.bill_type = fields.get("bill_type").map(|kind| BillType::from(&**kind));
            call.gzip = gzip;
            business(account, &call)
        }
        "download_fund_flow_bill" => {
            let mut call = DownloadFundFlowBill::new(day(), AccountType::from(&*fields["account_type"]));
            call.gzip = gzip;
            business(account, &call)
        }
        "query_comments" => {
            let mut call = QueryComments::between(moment("begin_time"), moment("end_time"));
            call.offset = fields["offset"].parse().unwrap();
            call.limit = fields.get("limit").map(|limit| limit.parse().unwrap());
            business(account, &call)
        }
        "report" => business(account, &report(fields)),
        _ => return None,
    })
}

/// What our call of that name makes of that answer.
pub(super) fn answer(
    operation: &str,
    account: &Account,
    fields: &Map,
    response: &Response<Bytes>,
) -> Option<Result<Value, Error>> {
    Some(match operation {
        "micropay" => micropay(fields).reply(account, response, now()).map(|paid| {
            json!({
                "out_trade_no": paid.order_no.as_str(),
                "transaction_id": paid.transaction_id.as_str(),
                "openid": paid.openid,
                "trade_type": paid.trade_type.as_str(),
                "total_fee": paid.total.to_text(),
                "attach": paid.attach.unwrap_or_default(),
                "time_end": paid.paid_at.seconds().to_string(),
            })
        }),
        "reverse_order" => reversal(fields)
            .reply(account, response, now())
            .map(|reversed| json!({"recall": reversed.recall.as_str()})),
        "exchange_auth_code" => ExchangeAuthCode::new("1")
            .reply(account, response, now())
            .map(|whose| json!({"openid": whose.openid})),
        "shorten_link" => ShortenLink::new("1")
            .reply(account, response, now())
            .map(|short| json!({"short_url": short.short_url})),
        _ => return None,
    })
}
