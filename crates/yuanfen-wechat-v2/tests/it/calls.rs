//! The vectors of whole calls: what others send is what we send, and what a reader makes of the answers.

use std::collections::BTreeMap;

use yuanfen_core::{Error, Operation, OperationExt as _, OrderNo, PayAmount, RefundNo, RemoteId, WireText as _};
use yuanfen_testkit::{Case, Value, json};
use yuanfen_wechat_v2::Account;
use yuanfen_wechat_v2::ops::{
    AcceptedRefund, CloseOrder, OrderKey, PlaceOrder, QueriedRefunds, QueryOrder, QueryRefund, QueryRefundV2, Refund,
    RefundKey, RefundV2, ShortenLink,
};

use crate::far_side::{ambient, notify_url, now, response, sent, why, xml};
use crate::vectors::{account, sign_type, text_and_signature, vectors};

mod till;

type Map = BTreeMap<String, String>;

fn map(case: &Case<'_>) -> Map {
    let pairs = case.pairs("fields").into_iter();
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// What our call sends, without what is ours alone.
fn business<O: Operation<Provider = Account>>(account: &Account, operation: &O) -> Map {
    let mut fields = sent(&operation.request(account, &ambient()).unwrap());
    for name in ["nonce_str", "sign"] {
        assert!(fields.remove(name).is_some());
    }
    fields
}

fn order_key(fields: &Map) -> Option<OrderKey> {
    let remote = fields
        .get("transaction_id")
        .map(|id| OrderKey::Remote(RemoteId::new(id).unwrap()));
    let own = fields
        .get("out_trade_no")
        .map(|no| OrderKey::Merchant(OrderNo::new(no).unwrap()));
    remote.or(own)
}

fn amount(fields: &Map, name: &str) -> PayAmount {
    PayAmount::from_fen(fields[name].parse().unwrap()).unwrap()
}

fn order(fields: &Map) -> PlaceOrder {
    assert_eq!(fields["trade_type"], "APP");
    let mut order = PlaceOrder::app(
        OrderNo::new(&fields["out_trade_no"]).unwrap(),
        amount(fields, "total_fee"),
        &*fields["body"],
        fields["spbill_create_ip"].parse().unwrap(),
        notify_url(),
    );
    order.currency = fields.get("fee_type").cloned();
    order.attach = fields.get("attach").cloned();
    order
}

fn refund(fields: &Map) -> Refund {
    let no = RefundNo::new(&fields["out_refund_no"]).unwrap();
    let key = order_key(fields).unwrap();
    Refund::new(key, no, amount(fields, "refund_fee"), amount(fields, "total_fee"))
}

fn query_refund(fields: &Map) -> QueryRefund {
    let id = fields
        .get("refund_id")
        .map(|id| RefundKey::Remote(RemoteId::new(id).unwrap()));
    let no = fields
        .get("out_refund_no")
        .map(|no| RefundKey::Merchant(RefundNo::new(no).unwrap()));
    let mut query = QueryRefund::by_order(OrderKey::Merchant(OrderNo::new("1").unwrap()));
    query.key = id
        .or(no)
        .unwrap_or_else(|| RefundKey::Order(order_key(fields).unwrap()));
    query
}

#[test]
fn sends_what_others_send() {
    for case in vectors().of("request") {
        let (run, _) = text_and_signature(&case);
        let account = account(&case).with_sign_type(sign_type(&case));
        let mut theirs = map(&case);
        theirs.remove("nonce_str");
        if let Some(spelling) = case.maybe_text("sent_long_url") {
            theirs.insert("long_url".to_owned(), spelling.to_owned());
        }
        let mut ours = match case.text("operation") {
            "place_order" => {
                // Plain http to another machine is not sent.
                theirs.insert("notify_url".to_owned(), notify_url().as_str().to_owned());
                business(&account, &order(&theirs))
            }
            "query_order" => {
                let mut query = QueryOrder::by_order_no(OrderNo::new("1").unwrap());
                query.key = order_key(&theirs).unwrap();
                business(&account, &query)
            }
            "close_order" => {
                let no = OrderNo::new(&theirs["out_trade_no"]).unwrap();
                business(&account, &CloseOrder::new(no))
            }
            "refund" => business(&account, &refund(&theirs)),
            "query_refund" => business(&account, &query_refund(&theirs)),
            // `sent_long_url` is compared with what we make of the link that is signed.
            "shorten_link" => business(&account, &ShortenLink::new(&*map(&case)["long_url"])),
            other => till::request(other, &account, &theirs).unwrap_or_else(|| panic!("{case}: {other}")),
        };
        // MD5 is what a request means that does not say.
        if !theirs.contains_key("sign_type") {
            assert_eq!(ours.remove("sign_type").as_deref(), Some("MD5"), "{case}");
        }
        assert_eq!(ours, theirs, "{case}");
        run.done();
    }
}

fn accepted(found: &AcceptedRefund) -> Value {
    json!({
        "out_refund_no": found.refund_no.as_str(),
        "refund_id": found.refund_id.as_str(),
        "refund_fee": found.refund.to_text(),
        "total_fee": found.total.to_text(),
        "coupons": found.coupons.len().to_string(),
        "promotion_detail": found.promotion_detail.clone().unwrap_or_default(),
    })
}

fn queried(found: &QueriedRefunds) -> Value {
    let refunds: Vec<_> = found
        .refunds
        .iter()
        .map(|record| {
            let coupons: Vec<_> = record
                .coupons
                .iter()
                .map(|coupon| json!([coupon.id.clone().unwrap(), coupon.fee.unwrap().to_text()]))
                .collect();
            json!({
                "out_refund_no": record.refund_no.as_str(),
                "refund_fee": record.refund.to_text(),
                "refund_status": record.status.as_str(),
                "coupons": coupons,
            })
        })
        .collect();
    json!({
        "out_trade_no": found.order_no.as_str(),
        "total_refund_count": found.total_count.map(|count| count.to_string()).unwrap_or_default(),
        "total_fee": found.total.to_text(),
        "refunds": refunds,
        "promotion_detail": found.promotion_detail.clone().unwrap_or_default(),
    })
}

/// The answer of a case, signed as the case says, opened by the call that it answers.
fn answered(case: &Case<'_>, signature: &str) -> Result<Value, Error> {
    let account = account(case).with_sign_type(sign_type(case));
    let fields = map(case);
    let mut pairs: Vec<_> = case.pairs("fields");
    pairs.push(("sign", signature));
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let response = response(200, xml(&pairs));
    let list = || QueryRefund::by_order(order_key(&fields).unwrap());
    // The old samples leave out what an order's total is.
    let asked = || {
        let mut fields = fields.clone();
        fields.entry("total_fee".to_owned()).or_insert_with(|| "1".to_owned());
        refund(&fields)
    };
    match case.text("operation") {
        "place_order" => {
            let (no, one) = (OrderNo::new("1").unwrap(), PayAmount::from_fen(1).unwrap());
            let order = PlaceOrder::app(no, one, "b", "::1".parse().unwrap(), notify_url());
            order
                .reply(&account, &response, now())
                .map(|placed| json!({"prepay_id": placed.prepay_id.as_str(), "trade_type": placed.trade_type.as_str()}))
        }
        "query_order" => {
            let mut query = QueryOrder::by_order_no(OrderNo::new("1").unwrap());
            query.key = order_key(&fields).unwrap();
            query.reply(&account, &response, now()).map(|found| {
                json!({
                    "trade_state": found.trade_state.as_str(),
                    "out_trade_no": found.order_no.as_str(),
                    "transaction_id": found.transaction_id.unwrap().as_str(),
                    "total_fee": found.total.unwrap().to_text(),
                    "time_end": found.paid_at.unwrap().seconds().to_string(),
                })
            })
        }
        "close_order" => CloseOrder::new(OrderNo::new("1").unwrap())
            .reply(&account, &response, now())
            .map(|closed| json!({"result_msg": closed.words.unwrap()})),
        "refund" => asked().reply(&account, &response, now()).map(|found| accepted(&found)),
        "refund_v2" => {
            let found = RefundV2::from(asked()).reply(&account, &response, now());
            found.map(|found| accepted(&found))
        }
        "query_refund" => list().reply(&account, &response, now()).map(|found| queried(&found)),
        "query_refund_v2" => {
            let found = QueryRefundV2::from(list()).reply(&account, &response, now());
            found.map(|found| queried(&found))
        }
        other => till::answer(other, &account, &fields, &response).unwrap_or_else(|| panic!("{case}: {other}")),
    }
}

#[test]
fn reads_what_is_answered_or_says_what_it_lacks() {
    for case in vectors().of("reply") {
        let (run, signature) = text_and_signature(&case);
        let found = answered(&case, &signature);
        // Old samples lack what every field table requires, and without which nothing can be compared.
        if let Some(lacks) = case.maybe_text("lacks") {
            assert_eq!(why(&found.unwrap_err()), format!("field {lacks}"), "{case}");
            run.done();
        } else {
            run.decoded(&found.unwrap_or_else(|error| panic!("{case}: {error}")))
                .done();
        }
        // The same answer under another signature is none.
        let error = answered(&case, &"0".repeat(signature.len())).unwrap_err();
        assert_eq!(why(&error), "mismatch", "{case}");
    }
}
