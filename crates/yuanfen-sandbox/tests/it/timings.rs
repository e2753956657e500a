//! What WeChat Pay keeps for a time only: one second before its end, and at it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use yuanfen_core::{CalendarDate, Fen};
use yuanfen_sandbox::{
    Account, BillKind, BookError, Clock, Coupon, FarSide, PageRefused, Payer, Platform, Reaction, RefundState,
};

use crate::bills::fetch;
use crate::shop::{far_side, json_of, place, query, refund, refusal, v2, v3};
use crate::{admin, v3_combined, v3_orders, v3_till};

const V2: Platform = Platform::WechatV2;
const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";

fn later(far_side: &FarSide, seconds: u64) {
    far_side.clock().advance(Duration::from_secs(seconds)).unwrap();
}

/// Places a v2 order for a code to be scanned or for a browser.
fn place_v2(far_side: &FarSide, trade_type: &str) -> BTreeMap<String, String> {
    let scene = "{\"h5_info\":{\"type\":\"Wap\"}}";
    let fields = [
        ("body", "noodles"),
        ("out_trade_no", "ORDER_1"),
        ("total_fee", "1000"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", URL),
        ("trade_type", trade_type),
        ("product_id", "P1"),
        ("scene_info", scene),
    ];
    v2(far_side, "/pay/unifiedorder", &fields)
}

#[test]
fn a_code_is_scanned_for_two_hours_and_an_address_opened_for_five_minutes() {
    type Issue = fn(&FarSide) -> String;
    let cases: [(Platform, &str, u64, Issue); 4] = [
        (V2, "code_url", 7200, |far_side| {
            place_v2(far_side, "NATIVE")["code_url"].clone()
        }),
        (V2, "mweb_url", 300, |far_side| {
            place_v2(far_side, "MWEB")["mweb_url"].clone()
        }),
        (V3, "code_url", 7200, |far_side| {
            let placed = json_of(&v3_orders::place(far_side, "native", &json!({})));
            placed["code_url"].as_str().unwrap().to_owned()
        }),
        (V3, "h5_url", 300, |far_side| {
            let placed = json_of(&v3_orders::place(far_side, "h5", &json!({})));
            placed["h5_url"].as_str().unwrap().to_owned()
        }),
    ];
    for (platform, name, life, issue) in cases {
        let far_side = far_side();
        let open = |issued: &str| far_side.open_cashier(platform, &[(name, issued)]);
        let issued = issue(&far_side);
        assert_eq!(open(&issued).as_deref(), Ok("ORDER_1"), "{platform} {name}");
        later(&far_side, life - 1);
        assert_eq!(open(&issued).as_deref(), Ok("ORDER_1"), "{platform} {name}");
        later(&far_side, 1);
        assert_eq!(open(&issued), Err(PageRefused::Expired), "{platform} {name}");
        // The identical order gives another, and the first one stays what it is.
        let again = issue(&far_side);
        assert_eq!(open(&again).as_deref(), Ok("ORDER_1"), "{platform} {name}");
        assert_eq!(open(&issued), Err(PageRefused::Expired), "{platform} {name}");
        assert_eq!(open("https://shop.example/"), Err(PageRefused::Parameter(name)));
    }
}

#[test]
fn a_code_and_an_address_are_not_each_others() {
    let far_side = far_side();
    let code = json_of(&v3_orders::place(&far_side, "native", &json!({})))["code_url"].clone();
    let prepay_id = code
        .as_str()
        .unwrap()
        .strip_prefix("weixin://wxpay/bizpayurl?pr=")
        .unwrap();
    let address = format!("https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id={prepay_id}&package=1");
    let opened = far_side.open_cashier(V3, &[("h5_url", &address)]);
    assert_eq!(opened, Err(PageRefused::Expired));
}

#[test]
fn a_payer_who_was_in_the_cashier_may_be_done_after_the_orders_time() {
    let far_side = far_side();
    for number in ["order-1", "order-2", "order-3"] {
        place(&far_side, number, 100, URL);
    }
    let close = "/v3/pay/transactions/out-trade-no/order-2/close";
    assert_eq!(v3(&far_side, "POST", close, "{\"mchid\":\"1900000001\"}").status(), 204);
    // One that is open is paid as ever.
    far_side.pay_late(V3, "order-3").unwrap();
    let notice = far_side.due_notices().remove(0);
    far_side.answered(notice, Ok(&http::Response::new(bytes::Bytes::new())));
    later(&far_side, 7 * 86_400);
    assert_eq!(query(&far_side, "order-1")["trade_state"], "CLOSED");
    assert_eq!(far_side.pay(V3, "order-1").unwrap_err(), BookError::Closed);
    // The payer's phone over HTTP.
    let late = |number: &str| admin::call(&far_side, "POST", &format!("orders/wechat-v3/{number}/pay-late"), "");
    assert_eq!(json_of(&late("order-1"))["state"], "paid");
    assert_eq!(
        (late("order-2").status().as_u16(), late("order-4").status().as_u16()),
        (409, 404)
    );
    let told = query(&far_side, "order-1");
    assert_eq!(
        (&told["trade_state"], &told["success_time"]),
        (&json!("SUCCESS"), &json!("2025-10-16T16:53:20+08:00"))
    );
    assert_eq!(far_side.due_notices().len(), 1);
    assert_eq!(refund(&far_side, "order-1", "R1", 100, 100).status(), 200);
    // What is paid is paid, and what the merchant closed stays closed.
    assert_eq!(far_side.pay_late(V3, "order-1").unwrap_err(), BookError::Paid);
    assert_eq!(far_side.pay_late(V3, "order-2").unwrap_err(), BookError::Closed);
    assert_eq!(far_side.pay_late(V3, "order-4").unwrap_err(), BookError::UnknownOrder);
}

#[test]
fn a_combined_order_is_paid_late_with_its_parts_and_a_charge_never() {
    let far_side = far_side();
    let body = v3_combined::order("native", &json!({})).to_string();
    assert_eq!(
        v3(&far_side, "POST", "/v3/combine-transactions/native", &body).status(),
        200
    );
    let mut payer = Payer::default();
    payer.reaction = Reaction::Types;
    let code = far_side.payment_code(V3, payer);
    let charge = v3_till::body(v3_orders::own_ids(), &code, "TILL_1", 100).to_string();
    assert_eq!(
        v3(&far_side, "POST", "/v3/pay/transactions/codepay", &charge).status(),
        202
    );
    later(&far_side, 7 * 86_400);
    assert_eq!(far_side.pay_late(V3, "PART_0").unwrap_err(), BookError::Part);
    far_side.pay_late(V3, "WHOLE_1").unwrap();
    let target = "/v3/combine-transactions/out-trade-no/WHOLE_1";
    let told = json_of(&v3(&far_side, "GET", target, ""));
    for part in told["sub_orders"].as_array().unwrap() {
        assert_eq!(part["trade_state"], "SUCCESS");
    }
    assert_eq!(far_side.pay_late(V3, "TILL_1").unwrap_err(), BookError::Closed);
}

fn day(text: &str) -> CalendarDate {
    CalendarDate::parse(text).unwrap()
}

#[test]
fn bills_that_are_made_at_once_show_what_the_day_has_so_far() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    place(&far_side, "order-2", 250, URL);
    far_side.pay(V3, "order-1").unwrap();
    place_v2(&far_side, "NATIVE");
    far_side.pay(V2, "ORDER_1").unwrap();
    let trade = || v3(&far_side, "GET", "/v3/bill/tradebill?bill_date=2025-10-09", "");
    let funds = || v3(&far_side, "GET", "/v3/bill/fundflowbill?bill_date=2025-10-09", "");
    let older = || v2(&far_side, "/pay/downloadbill", &[("bill_date", "20251009")]);
    let creating = (400, "STATEMENT_CREATING".to_owned());
    assert_eq!(
        (refusal(&trade()), refusal(&funds())),
        (creating.clone(), creating.clone())
    );
    assert_eq!(older()["return_msg"], "Bill Creating");
    far_side.make_bills(day("2025-10-09"));
    let text = |answer: &http::Response<bytes::Bytes>| {
        String::from_utf8(fetch(&far_side, answer).into_body().to_vec()).unwrap()
    };
    assert!(text(&trade()).ends_with("`1.0,`1.00,`0.00,`0.0,`0.00600,`1.00,`0.00\r\n"));
    assert_eq!(
        Some(text(&trade())),
        far_side.bill(V3, BillKind::Trade, day("2025-10-09"))
    );
    assert_eq!(
        Some(text(&funds())),
        far_side.bill(V3, BillKind::FundFlow, day("2025-10-09"))
    );
    let request = crate::shop::v2_request(&far_side, "/pay/downloadbill", &[("bill_date", "20251009")]);
    let file = far_side.answer(&request).unwrap();
    let shown = far_side.bill(V2, BillKind::Trade, day("2025-10-09")).unwrap();
    assert_eq!(file.body(), shown.as_bytes());
    far_side.pay(V3, "order-2").unwrap();
    assert!(text(&trade()).ends_with("`2.0,`3.50,`0.00,`0.0,`0.02100,`3.50,`0.00\r\n"));
    // Another day's wait for their morning.
    let next = v3(&far_side, "GET", "/v3/bill/tradebill?bill_date=2025-10-10", "");
    assert_eq!(refusal(&next), creating);
    assert_eq!(far_side.bill(V3, BillKind::Trade, day("2025-10-10")), None);
    assert_eq!(
        far_side.bill(Account::provider(V3), BillKind::Trade, day("2025-10-09")),
        None
    );
    assert_eq!(
        far_side.bill(Platform::Fshows, BillKind::Trade, day("2025-10-09")),
        None
    );
}

/// The value of that column in the totals of a bill, in fen.
fn total(bill: &str, name: &str) -> i64 {
    let mut lines = bill.lines().rev();
    let values = lines.next().unwrap().strip_prefix('`').unwrap();
    let at = lines
        .next()
        .unwrap()
        .split(',')
        .position(|column| column == name)
        .unwrap();
    let yuan = values.split(",`").nth(at).unwrap();
    let (whole, part) = yuan.split_once('.').unwrap();
    assert_eq!(part.len(), 2, "{name}: {yuan}");
    format!("{whole}{part}").parse().unwrap()
}

#[test]
fn the_bills_of_a_day_add_up_to_the_book() {
    let far_side = far_side();
    let (mut paid, mut given_up, mut asked) = (0, 0, 0);
    for index in 0..30_i64 {
        let (order_no, amount) = (format!("order-{index:02}"), 101 + 37 * index);
        place(&far_side, &order_no, amount, URL);
        let coupon = index % 7 * 3;
        let mut payer = Payer::default();
        if coupon > 0 {
            payer.coupons.push(Coupon::new("C1", Fen::new(coupon), index % 2 == 0));
        }
        let order = far_side.pay_as(V3, &order_no, payer).unwrap();
        paid += order.amount.get();
        given_up += if index % 2 == 0 { 0 } else { coupon };
        // Three refunds: one succeeds at once, one the next day, one never.
        for (number, part) in [(1, 17), (2, 30), (3, 11)] {
            let refund_no = format!("R{index}-{number}");
            assert_eq!(refund(&far_side, &order_no, &refund_no, part, amount).status(), 200);
        }
        far_side
            .settle_refund(V3, &format!("R{index}-1"), RefundState::Succeeded)
            .unwrap();
        far_side
            .settle_refund(V3, &format!("R{index}-3"), RefundState::Closed)
            .unwrap();
        asked += 17;
    }
    later(&far_side, 86_400);
    for index in 0..30 {
        far_side
            .settle_refund(V3, &format!("R{index}-2"), RefundState::Succeeded)
            .unwrap();
    }
    let first = far_side.bill(V3, BillKind::Trade, day("2025-10-09")).unwrap();
    assert_eq!(total(&first, "订单总金额"), paid);
    assert_eq!(total(&first, "应结订单总金额"), paid - given_up);
    assert_eq!(total(&first, "申请退款总金额"), asked);
    let second = far_side.bill(V3, BillKind::Trade, day("2025-10-10")).unwrap();
    assert_eq!(
        (total(&second, "订单总金额"), total(&second, "申请退款总金额")),
        (0, 30 * 30)
    );
    // What moved on the account is what the trade bill settles.
    for (trade, date) in [(&first, "2025-10-09"), (&second, "2025-10-10")] {
        let funds = far_side.bill(V3, BillKind::FundFlow, day(date)).unwrap();
        assert_eq!(total(&funds, "收入金额"), total(trade, "应结订单总金额"), "{date}");
        assert_eq!(total(&funds, "支出金额"), total(trade, "退款总金额"), "{date}");
    }
}

#[test]
fn no_certificate_ends_however_far_the_clock_is_advanced() {
    let clock = Clock::real();
    let far_side = FarSide::new("https://sandbox.example", clock.clone(), 7).unwrap();
    let list = |far_side: &FarSide| {
        let listed = json_of(&v3(far_side, "GET", "/v3/certificates", ""));
        let [ref only] = listed["data"].as_array().unwrap()[..] else {
            panic!("{listed}")
        };
        (only["serial_no"].clone(), only["expire_time"].clone())
    };
    let before = list(&far_side);
    clock.advance(Duration::from_secs(60 * 366 * 86_400)).unwrap();
    assert_eq!(list(&far_side), before);
}

#[test]
fn certificates_are_listed_by_their_kind() {
    let far_side = far_side();
    let ask = |query: &str| v3(&far_side, "GET", &format!("/v3/certificates{query}"), "");
    for query in ["", "?algorithm_type=RSA", "?algorithm_type=ALL"] {
        assert_eq!(ask(query).status(), 200, "{query}");
    }
    assert_eq!(
        refusal(&ask("?algorithm_type=SM2")),
        (404, "RESOURCE_NOT_EXISTS".to_owned())
    );
    for query in ["?algorithm_type=DSA", "?algorithm=RSA"] {
        assert_eq!(refusal(&ask(query)), (400, "PARAM_ERROR".to_owned()), "{query}");
    }
}
