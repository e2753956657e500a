//! Bills: asked for, fetched, hashed, summed.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use yuanfen_core::Fen;
use yuanfen_sandbox::{Coupon, FarSide, Payer, Platform, RefundState};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, json_of, place, refund, refusal, v3};

const V3: Platform = Platform::WechatV3;
const URL: &str = "http://127.0.0.1:9/notify";

/// Three orders and a refund on 2025-10-09, and a day that is over.
fn day() -> FarSide {
    let far_side = far_side();
    for (order_no, total) in [("order-1", 100), ("order-2", 4390), ("order-3", 1)] {
        place(&far_side, order_no, total, URL);
    }
    far_side.pay(V3, "order-1").unwrap();
    let mut payer = Payer::default();
    payer.coupons.push(Coupon::new("C1", Fen::new(390), false));
    far_side.pay_as(V3, "order-2", payer).unwrap();
    far_side.clock().advance(Duration::from_secs(60)).unwrap();
    assert_eq!(refund(&far_side, "order-1", "R1", 30, 100).status(), 200);
    far_side.settle_refund(V3, "R1", RefundState::Succeeded).unwrap();
    far_side
}

pub fn fetch(far_side: &FarSide, answer: &Response<Bytes>) -> Response<Bytes> {
    let url = json_of(answer)["download_url"].as_str().unwrap().to_owned();
    let target = url.strip_prefix("https://sandbox.example").unwrap().to_owned();
    v3(far_side, "GET", &target, "")
}

#[test]
fn a_bill_is_ready_at_ten_the_next_morning() {
    let far_side = day();
    let ask = |date: &str| v3(&far_side, "GET", &format!("/v3/bill/tradebill?bill_date={date}"), "");
    assert_eq!(refusal(&ask("2025-10-09")), (400, "STATEMENT_CREATING".to_owned()));
    assert_eq!(refusal(&ask("2025-10-08")), (400, "NO_STATEMENT_EXIST".to_owned()));
    assert_eq!(refusal(&ask("2025-06-09")), (400, "PARAM_ERROR".to_owned()));
    assert_eq!(refusal(&ask("20251009")), (400, "PARAM_ERROR".to_owned()));
    // From 16:54:20 to 09:59:59, and one second more.
    far_side.clock().advance(Duration::from_secs(61_539)).unwrap();
    assert_eq!(refusal(&ask("2025-10-09")), (400, "STATEMENT_CREATING".to_owned()));
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(ask("2025-10-09").status(), 200);
}

#[test]
fn a_trade_bill_has_the_layout_of_the_platforms_own() {
    let far_side = day();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    let answer = v3(
        &far_side,
        "GET",
        "/v3/bill/tradebill?bill_date=2025-10-09&bill_type=ALL",
        "",
    );
    let file = fetch(&far_side, &answer);
    assert!(!file.headers().contains_key("wechatpay-signature"));
    assert_eq!(json_of(&answer)["hash_type"], "SHA1");
    assert_eq!(json_of(&answer)["hash_value"], oracle::sha1_hex(file.body()));
    let text = std::str::from_utf8(file.body()).unwrap();
    let lines: Vec<&str> = text.strip_prefix('\u{feff}').unwrap().split("\r\n").collect();
    assert_eq!(lines.len(), 7);
    assert_eq!(lines[6], "");
    assert_eq!(lines[0].split(',').count(), 27);
    assert!(lines[0].starts_with("交易时间,公众账号ID,商户号,特约商户号,"));
    let row = |line: &str| -> Vec<String> { line.strip_prefix('`').unwrap().split(",`").map(str::to_owned).collect() };
    let paid = row(lines[1]);
    assert_eq!(paid.len(), 27);
    assert_eq!(paid[0], "2025-10-09 16:53:20");
    assert_eq!(
        (paid[6].as_str(), paid[9].as_str(), paid[12].as_str()),
        ("order-1", "SUCCESS", "1.00")
    );
    // The goods' name has a comma, and the row still has 27 values.
    assert_eq!(paid[20], "noodles, hot");
    assert_eq!(
        (paid[22].as_str(), paid[23].as_str(), paid[24].as_str()),
        ("0.00600", "0.60%", "1.00")
    );
    let coupon = row(lines[2]);
    assert_eq!(
        (coupon[12].as_str(), coupon[13].as_str(), coupon[24].as_str()),
        ("40.00", "3.90", "43.90")
    );
    assert_eq!(coupon[22], "0.24000");
    let refund = row(lines[3]);
    assert_eq!(refund[0], "2025-10-09 16:54:20");
    assert_eq!(
        (refund[9].as_str(), refund[12].as_str(), refund[24].as_str()),
        ("REFUND", "0.00", "0.00")
    );
    assert_eq!(
        (refund[15].as_str(), refund[16].as_str(), refund[25].as_str()),
        ("R1", "0.30", "0.30")
    );
    assert_eq!(refund[22], "-0.00180");
    assert!(lines[4].starts_with("总交易单数,"));
    assert_eq!(
        row(lines[5]),
        ["3.0", "41.00", "0.30", "0.0", "0.24420", "44.90", "0.30"]
    );
}

#[test]
fn a_bill_holds_the_rows_that_were_asked_for() {
    let far_side = day();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    for (kind, rows) in [("SUCCESS", 2), ("REFUND", 1)] {
        let target = format!("/v3/bill/tradebill?bill_date=2025-10-09&bill_type={kind}");
        let file = fetch(&far_side, &v3(&far_side, "GET", &target, ""));
        let text = String::from_utf8(file.into_body().to_vec()).unwrap();
        assert_eq!(
            text.lines().filter(|line| line.starts_with('`')).count(),
            rows + 1,
            "{kind}"
        );
    }
    let funds = v3(&far_side, "GET", "/v3/bill/fundflowbill?bill_date=2025-10-09", "");
    let file = fetch(&far_side, &funds);
    let text = String::from_utf8(file.into_body().to_vec()).unwrap();
    let last = text.lines().last().unwrap();
    assert_eq!(last, "`3.0,`2.0,`41.00,`1.0,`0.30");
    let none = v3(
        &far_side,
        "GET",
        "/v3/bill/fundflowbill?bill_date=2025-10-09&account_type=FEES",
        "",
    );
    assert_eq!(refusal(&none), (400, "NO_STATEMENT_EXIST".to_owned()));
}

#[test]
fn the_hash_of_a_compressed_bill_is_over_what_it_inflates_to() {
    let far_side = day();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    let answer = v3(
        &far_side,
        "GET",
        "/v3/bill/tradebill?bill_date=2025-10-09&tar_type=GZIP",
        "",
    );
    let file = fetch(&far_side, &answer);
    assert!(file.body().starts_with(&[0x1f, 0x8b]));
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&file.body()[..])
        .read_to_end(&mut inflated)
        .unwrap();
    assert_eq!(json_of(&answer)["hash_value"], oracle::sha1_hex(&inflated));
}

#[test]
fn a_download_address_lives_half_a_minute() {
    let far_side = day();
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    let answer = v3(&far_side, "GET", "/v3/bill/tradebill?bill_date=2025-10-09", "");
    far_side.clock().advance(Duration::from_secs(29)).unwrap();
    assert_eq!(fetch(&far_side, &answer).status(), 200);
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert_eq!(refusal(&fetch(&far_side, &answer)), (400, "INVALID_REQUEST".to_owned()));
}
