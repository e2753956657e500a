//! Legal and illegal transitions of orders and refunds, driven through the wire and the payer.

use std::time::Duration;

use yuanfen_core::Fen;
use yuanfen_sandbox::{BookError, Coupon, OrderState, Payer, Platform, RefundState, Setback};

use crate::shop::{self, far_side, json_of, place, query, refund, refusal, v3};

const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";

#[test]
fn an_order_is_paid_once() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    assert_eq!(far_side.order(V3, "order-1").unwrap().state(), OrderState::Unpaid);
    assert_eq!(far_side.pay(V3, "order-1").unwrap().state(), OrderState::Paid);
    assert_eq!(far_side.pay(V3, "order-1").unwrap_err(), BookError::Paid);
    assert_eq!(far_side.cancel(V3, "order-1").unwrap_err(), BookError::Paid);
    let closed = v3(
        &far_side,
        "POST",
        "/v3/pay/transactions/out-trade-no/order-1/close",
        "{\"mchid\":\"1900000001\"}",
    );
    assert_eq!(refusal(&closed), (400, "ORDER_PAID".to_owned()));
    let again = v3(
        &far_side,
        "POST",
        "/v3/pay/transactions/jsapi",
        &shop::order("order-1", 100, URL),
    );
    assert_eq!(refusal(&again), (400, "ORDER_PAID".to_owned()));
}

#[test]
fn a_payer_who_gives_up_leaves_the_order_open() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let cancelled = far_side.cancel(V3, "order-1").unwrap();
    assert_eq!(
        (cancelled.state(), cancelled.setback),
        (OrderState::Unpaid, Some(Setback::Cancelled))
    );
    assert_eq!(far_side.fail(V3, "order-1").unwrap().setback, Some(Setback::Failed));
    assert_eq!(query(&far_side, "order-1")["trade_state"], "NOTPAY");
    assert!(far_side.due_notices().is_empty());
    assert_eq!(far_side.pay(V3, "order-1").unwrap().setback, None);
}

#[test]
fn a_closed_order_takes_no_payment() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    v3(
        &far_side,
        "POST",
        "/v3/pay/transactions/out-trade-no/order-1/close",
        "{\"mchid\":\"1900000001\"}",
    );
    assert_eq!(far_side.pay(V3, "order-1").unwrap_err(), BookError::Closed);
    assert_eq!(far_side.fail(V3, "order-1").unwrap_err(), BookError::Closed);
    assert_eq!(far_side.pay(V3, "order-2").unwrap_err(), BookError::UnknownOrder);
}

#[test]
fn an_order_closes_at_its_expiry_and_not_a_second_before() {
    let far_side = far_side();
    let body = |expiry: &str| {
        let mut body: serde_json::Value = serde_json::from_str(&shop::order("order-1", 100, URL)).unwrap();
        body["time_expire"] = expiry.into();
        body.to_string()
    };
    // 59 seconds ahead is too near, 60 is not.
    let near = v3(
        &far_side,
        "POST",
        "/v3/pay/transactions/jsapi",
        &body("2025-10-09T16:54:19+08:00"),
    );
    assert_eq!(refusal(&near), (400, "PARAM_ERROR".to_owned()));
    assert_eq!(json_of(&near)["detail"]["field"], "/time_expire");
    let placed = body("2025-10-09T16:54:20+08:00");
    assert_eq!(
        v3(&far_side, "POST", "/v3/pay/transactions/jsapi", &placed).status(),
        200
    );
    far_side.clock().advance(Duration::from_secs(59)).unwrap();
    assert_eq!(query(&far_side, "order-1")["trade_state"], "NOTPAY");
    // A repeat is the identical call, however little is left.
    assert_eq!(
        v3(&far_side, "POST", "/v3/pay/transactions/jsapi", &placed).status(),
        200
    );
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(far_side.orders(V3)[0].state(), OrderState::Closed);
    assert_eq!(query(&far_side, "order-1")["trade_state"], "CLOSED");
    assert_eq!(far_side.pay(V3, "order-1").unwrap_err(), BookError::Closed);
}

#[test]
fn a_prepay_id_is_renewed_after_two_hours_by_the_identical_order() {
    let far_side = far_side();
    let body = shop::order("order-1", 100, URL);
    let prepay_id = || {
        let response = v3(&far_side, "POST", "/v3/pay/transactions/jsapi", &body);
        json_of(&response)["prepay_id"].as_str().unwrap().to_owned()
    };
    let first = prepay_id();
    far_side.clock().advance(Duration::from_secs(7199)).unwrap();
    assert_eq!(prepay_id(), first);
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_ne!(prepay_id(), first);
}

#[test]
fn refunds_never_exceed_the_order() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R1", 1, 100)),
        (400, "INVALID_REQUEST".to_owned())
    );
    far_side.pay(V3, "order-1").unwrap();
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R1", 30, 99)),
        (400, "REFUND_FEE_MISMATCH".to_owned())
    );
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R1", 101, 100)),
        (400, "INVALID_REQUEST".to_owned())
    );
    assert_eq!(refund(&far_side, "order-1", "R1", 60, 100).status(), 200);
    assert_eq!(far_side.order(V3, "order-1").unwrap().state(), OrderState::Refunding);
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R2", 41, 100)),
        (400, "INVALID_REQUEST".to_owned())
    );
    assert_eq!(refund(&far_side, "order-1", "R2", 40, 100).status(), 200);
    assert_eq!(far_side.order(V3, "order-1").unwrap().refundable(), Fen::ZERO);
    // A refund that was given up frees its amount.
    far_side.settle_refund(V3, "R2", RefundState::Closed).unwrap();
    assert_eq!(far_side.order(V3, "order-1").unwrap().refundable(), Fen::new(40));
    assert_eq!(refund(&far_side, "order-1", "R3", 40, 100).status(), 200);
    far_side.settle_refund(V3, "R1", RefundState::Succeeded).unwrap();
    assert_eq!(far_side.order(V3, "order-1").unwrap().state(), OrderState::Refunding);
    let done = far_side.settle_refund(V3, "R3", RefundState::Succeeded).unwrap();
    assert_eq!(done.state(), OrderState::Refunded);
}

#[test]
fn a_refund_number_refunds_once() {
    let far_side = far_side();
    for order_no in ["order-1", "order-2"] {
        place(&far_side, order_no, 100, URL);
        far_side.pay(V3, order_no).unwrap();
    }
    let first = refund(&far_side, "order-1", "R1", 30, 100);
    let again = refund(&far_side, "order-1", "R1", 30, 100);
    assert_eq!(json_of(&first)["refund_id"], json_of(&again)["refund_id"]);
    assert_eq!(far_side.order(V3, "order-1").unwrap().refunds.len(), 1);
    for response in [
        refund(&far_side, "order-1", "R1", 31, 100),
        refund(&far_side, "order-2", "R1", 30, 100),
    ] {
        assert_eq!(refusal(&response), (400, "PARAM_ERROR".to_owned()));
    }
    let missing = v3(&far_side, "GET", "/v3/refund/domestic/refunds/R9", "");
    assert_eq!(refusal(&missing), (404, "RESOURCE_NOT_EXISTS".to_owned()));
    assert_eq!(
        refusal(&refund(&far_side, "order-9", "R2", 30, 100)),
        (404, "RESOURCE_NOT_EXISTS".to_owned())
    );
}

#[test]
fn an_order_is_refunded_at_most_fifty_times() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
    for index in 0..50 {
        assert_eq!(refund(&far_side, "order-1", &format!("R{index}"), 1, 100).status(), 200);
    }
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R50", 1, 100)),
        (400, "INVALID_REQUEST".to_owned())
    );
    // What was accepted is still answered.
    assert_eq!(refund(&far_side, "order-1", "R49", 1, 100).status(), 200);
}

#[test]
fn an_order_is_refundable_for_a_year() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
    far_side.clock().advance(Duration::from_secs(365 * 86_400)).unwrap();
    assert_eq!(refund(&far_side, "order-1", "R1", 1, 100).status(), 200);
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(
        refusal(&refund(&far_side, "order-1", "R2", 1, 100)),
        (400, "TRADE_OVERDUE".to_owned())
    );
}

#[test]
fn a_refund_ends_once_and_an_abnormal_one_can_still_be_handled() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
    for number in ["R1", "R2"] {
        refund(&far_side, "order-1", number, 10, 100);
    }
    let settle = |number: &str, end| far_side.settle_refund(V3, number, end).map(|_| ());
    assert_eq!(settle("R1", RefundState::Processing), Err(BookError::Settled));
    assert_eq!(settle("R1", RefundState::Succeeded), Ok(()));
    for end in [RefundState::Succeeded, RefundState::Closed, RefundState::Abnormal] {
        assert_eq!(settle("R1", end), Err(BookError::Settled));
    }
    assert_eq!(settle("R2", RefundState::Abnormal), Ok(()));
    assert_eq!(settle("R2", RefundState::Abnormal), Err(BookError::Settled));
    assert_eq!(settle("R2", RefundState::Succeeded), Ok(()));
    assert_eq!(settle("R9", RefundState::Succeeded), Err(BookError::UnknownRefund));
}

#[test]
fn partial_refunds_take_the_coupons_back_to_the_last_fen() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let mut payer = Payer::default();
    payer.coupons.push(Coupon::new("C1", Fen::new(10), true));
    payer.coupons.push(Coupon::new("C2", Fen::new(7), false));
    far_side.pay_as(V3, "order-1", payer).unwrap();
    let (mut payer_refund, mut discount, mut settled) = (0, 0, 0);
    for (number, amount) in [("R1", 33), ("R2", 33), ("R3", 34)] {
        let object = json_of(&refund(&far_side, "order-1", number, amount, 100));
        let amount_of = |name: &str| object["amount"][name].as_i64().unwrap();
        assert_eq!(amount_of("payer_total"), 83);
        assert_eq!(amount_of("settlement_total"), 93);
        assert_eq!(amount_of("payer_refund") + amount_of("discount_refund"), amount);
        payer_refund += amount_of("payer_refund");
        discount += amount_of("discount_refund");
        settled += amount_of("settlement_refund");
    }
    assert_eq!((payer_refund, discount, settled), (83, 17, 93));
}

#[test]
fn coupons_are_worth_something_and_no_more_than_the_order() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    for (worth, refused) in [
        (101, BookError::Exceeds),
        (0, BookError::Amount),
        (-1, BookError::Amount),
    ] {
        let mut payer = Payer::default();
        payer.coupons.push(Coupon::new("C1", Fen::new(worth), true));
        assert_eq!(far_side.pay_as(V3, "order-1", payer).unwrap_err(), refused);
    }
    assert_eq!(far_side.order(V3, "order-1").unwrap().state(), OrderState::Unpaid);
}

#[test]
fn prints_neither_payers_nor_what_orders_hold() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
    refund(&far_side, "order-1", "R1", 10, 100);
    let mut payer = Payer::default();
    payer.openid = Some("oSandbox_Payer-other".to_owned());
    let order = far_side.order(V3, "order-1").unwrap();
    let printed = format!(
        "{order:?} {payer:?} {:?} {:?} {:?} {:?} {:?} {:?} {far_side:?}",
        order.payment,
        order.refunds,
        far_side.exchanges(),
        far_side.wechat_v3(),
        far_side.wechat_v2(),
        far_side.due_notices(),
    );
    assert!(printed.contains("DueNotice"), "{printed}");
    assert!(printed.contains("order-1"), "{printed}");
    for secret in [
        "oSandbox_Payer",
        "table 7",
        "noodles",
        "ThrowAway",
        "PRIVATE",
        "WECHATPAY2",
    ] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}
