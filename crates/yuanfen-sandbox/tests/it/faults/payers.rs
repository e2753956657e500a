//! A payer who pays at the worst moment.

use serde_json::json;
use yuanfen_sandbox::{Account, FaultKind, FaultRule, OrderState, Payer, Platform};

use super::{CLOSE, QUERY, UNIFIED, URL, V3};
use crate::shop::{self, far_side, place, v3, v3_request};
use crate::{fshows, mpgateway, starpos, v3_orders};

const CLOSING: &str = "{\"mchid\":\"1900000001\"}";

#[test]
fn a_payer_who_is_first_makes_the_close_fail() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.set_faults(FaultRule::new(FaultKind::PayBefore).during("close-order"));
    let closed = v3(&far_side, "POST", CLOSE, CLOSING);
    assert_eq!(shop::refusal(&closed), (400, "ORDER_PAID".to_owned()));
    assert_eq!(far_side.order(V3, "order-1").unwrap().state(), OrderState::Paid);
    assert_eq!(far_side.due_notices().len(), 1);
    // A payer who comes too late changes nothing.
    place(&far_side, "order-2", 100, URL);
    far_side.set_faults(FaultRule::new(FaultKind::PayAfter).during("close-order"));
    let target = CLOSE.replace("order-1", "order-2");
    assert_eq!(v3(&far_side, "POST", &target, CLOSING).status(), 204);
    assert_eq!(far_side.order(V3, "order-2").unwrap().state(), OrderState::Closed);
    assert!(far_side.due_notices().is_empty());
}

#[test]
fn a_payer_can_pay_before_the_reply_to_the_order_leaves() {
    let far_side = far_side();
    far_side.set_faults(FaultRule::new(FaultKind::PayAfter).on(V3).during("place-jsapi-order"));
    place(&far_side, "order-1", 100, URL);
    assert_eq!(shop::query(&far_side, "order-1")["trade_state"], "SUCCESS");
    assert_eq!(far_side.due_notices().len(), 1);
}

#[test]
fn the_order_is_known_by_whatever_number_a_call_names_it() {
    let far_side = far_side();
    // By the number of a payment nobody can pay again, but the rule about the order matches.
    let about = || FaultRule::new(FaultKind::Accepted).about("order-1");
    place(&far_side, "order-1", 100, URL);
    let id = far_side.pay(V3, "order-1").unwrap().payment.unwrap().transaction_id;
    shop::refund(&far_side, "order-1", "R1", 10, 100);
    let refund_id = far_side.order(V3, "order-1").unwrap().refunds[0].refund_id.clone();
    far_side.set_faults(about());
    let abnormal = format!("/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund");
    let more = json!({ "transaction_id": id, "out_refund_no": "R2",
                       "amount": { "refund": 10, "total": 100, "currency": "CNY" } });
    for (method, target, body) in [
        ("GET", QUERY.to_owned(), String::new()),
        (
            "GET",
            format!("/v3/pay/transactions/id/{id}?mchid=1900000001"),
            String::new(),
        ),
        ("POST", CLOSE.to_owned(), CLOSING.to_owned()),
        (
            "POST",
            "/v3/pay/transactions/jsapi".to_owned(),
            shop::order("order-1", 100, URL),
        ),
        ("POST", "/v3/refund/domestic/refunds".to_owned(), more.to_string()),
        ("GET", "/v3/refund/domestic/refunds/R1".to_owned(), String::new()),
        ("POST", abnormal, "{}".to_owned()),
    ] {
        let answer = far_side.answer(&v3_request(&far_side, method, &target, &body)).unwrap();
        assert_eq!(answer.status(), 202, "{method} {target}");
    }

    let far_side = shop::far_side();
    shop::v2(&far_side, "/pay/unifiedorder", &UNIFIED);
    let paid = far_side.pay(Platform::WechatV2, "v2-order-1").unwrap();
    let id = paid.payment.unwrap().transaction_id;
    let back = [("out_refund_no", "R1"), ("total_fee", "990"), ("refund_fee", "1")];
    let back: Vec<_> = back.into_iter().chain([("transaction_id", id.as_str())]).collect();
    shop::v2(&far_side, "/secapi/pay/refund", &back);
    let refund_id = far_side.order(Platform::WechatV2, "v2-order-1").unwrap().refunds[0]
        .refund_id
        .clone();
    far_side.set_faults(FaultRule::new(FaultKind::Accepted).about("v2-order-1"));
    for (path, field) in [
        ("/pay/orderquery", ("out_trade_no", "v2-order-1")),
        ("/pay/orderquery", ("transaction_id", id.as_str())),
        ("/pay/refundquery", ("out_refund_no", "R1")),
        ("/pay/refundquery", ("refund_id", refund_id.as_str())),
    ] {
        let answer = far_side.answer(&shop::v2_request(&far_side, path, &[field])).unwrap();
        assert_eq!(answer.status(), 202, "{path} {field:?}");
    }
}

#[test]
fn a_payer_at_the_till_types_in_time_for_the_reversal() {
    let far_side = far_side();
    let mut payer = Payer::default();
    payer.reaction = yuanfen_sandbox::Reaction::Types;
    let code = far_side.payment_code(V3, payer);
    let body = crate::v3_till::body(v3_orders::own_ids(), &code, "TILL_1", 100).to_string();
    assert_eq!(
        v3(&far_side, "POST", "/v3/pay/transactions/codepay", &body).status(),
        202
    );
    far_side.set_faults(FaultRule::new(FaultKind::PayBefore).during("reverse-order"));
    let target = "/v3/pay/transactions/out-trade-no/TILL_1/reverse";
    assert_eq!(
        v3(&far_side, "POST", target, &v3_orders::own_ids().to_string()).status(),
        200
    );
    // What was paid a moment before went back in full.
    let order = far_side.order(V3, "TILL_1").unwrap();
    assert_eq!(order.state(), OrderState::Revoked);
    assert_eq!(order.refunds.len(), 1);
}

#[tokio::test]
async fn payers_of_the_acquirers_and_of_providers_are_as_quick() {
    let sandbox = super::sandbox().await;
    sandbox.set_faults(FaultKind::PayAfter);
    fshows::call(&sandbox, fshows::PLACE, &fshows::order("FS_1")).await;
    mpgateway::call(&sandbox, mpgateway::SUBMIT, &mpgateway::order("WxSao", "MPORDER1", URL)).await;
    starpos::call(&sandbox, "pubSigPay", &starpos::signed(starpos::pay(&[]))).await;
    let v2: Vec<_> = UNIFIED.into_iter().chain([("sub_mch_id", "1900000111")]).collect();
    shop::v2_provider(&sandbox, "/pay/unifiedorder", &v2);
    for (account, order_no) in [
        (Account::from(Platform::Fshows), "FS_1"),
        (Account::from(Platform::Mpgateway), "MPORDER1"),
        (Account::from(Platform::Starpos), "T20251009-0001"),
        (Account::provider(Platform::WechatV2), "v2-order-1"),
    ] {
        let order = sandbox.order(account, order_no).unwrap();
        assert_eq!(order.state(), OrderState::Paid, "{account}");
    }
}
