//! The bills of WeChat Pay v2: text in the platform's own form, or an error in unsigned XML.

use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use yuanfen_core::Fen;
use yuanfen_sandbox::{Coupon, FarSide, FaultKind, FaultRule, Payer, Platform, RefundState};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2, v2_request, xml_fields};

const V2: Platform = Platform::WechatV2;
const HMAC: (&str, &str) = ("sign_type", "HMAC-SHA256");

fn fetch(far_side: &FarSide, path: &str, asked: &[(&str, &str)]) -> Response<Bytes> {
    far_side.answer(&v2_request(far_side, path, asked)).unwrap()
}

fn trade(far_side: &FarSide, asked: &[(&str, &str)]) -> Response<Bytes> {
    fetch(far_side, "/pay/downloadbill", asked)
}

fn funds(far_side: &FarSide, asked: &[(&str, &str)]) -> Response<Bytes> {
    let asked = [asked, &[HMAC]].concat();
    fetch(far_side, "/pay/downloadfundflow", &asked)
}

/// `return_msg` and `error_code` of an error, which is XML without a signature.
fn error(answer: &Response<Bytes>) -> (String, Option<String>) {
    let fields = xml_fields(answer.body());
    assert_eq!(fields["return_code"], "FAIL");
    assert!(
        !fields.contains_key("sign") && !fields.contains_key("err_code"),
        "{fields:?}"
    );
    (fields["return_msg"].clone(), fields.get("error_code").cloned())
}

/// `err_code` of a fund-flow error.
fn code(answer: &Response<Bytes>) -> String {
    let fields = xml_fields(answer.body());
    assert_eq!((&*fields["result_code"], fields.contains_key("sign")), ("FAIL", false));
    fields["err_code"].clone()
}

/// On 2025-10-09: an order paid with coupons, one refunded in part, one at the till that was taken back. Then a night.
fn day() -> FarSide {
    let far_side = far_side();
    for (order_no, body) in [("A1", "noodles, hot"), ("A2", "soup\nof the day")] {
        let order = [
            ("out_trade_no", order_no),
            ("body", body),
            ("total_fee", "1000"),
            ("attach", "table `7`, 8"),
            ("spbill_create_ip", "203.0.113.7"),
            ("notify_url", "https://shop.example/notify"),
            ("trade_type", "APP"),
            ("device_info", "till-3"),
        ];
        assert_eq!(v2(&far_side, "/pay/unifiedorder", &order)["result_code"], "SUCCESS");
    }
    let mut payer = Payer::default();
    payer.coupons = vec![Coupon::new("C1", Fen::new(30), false)];
    far_side.pay_as(V2, "A1", payer).unwrap();
    far_side.pay(V2, "A2").unwrap();
    let refund = [
        ("out_trade_no", "A2"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "250"),
    ];
    v2(&far_side, "/secapi/pay/refund", &refund);
    far_side.clock().advance(Duration::from_secs(60)).unwrap();
    far_side.settle_refund(V2, "R1", RefundState::Succeeded).unwrap();
    let code = far_side.payment_code(V2, Payer::default());
    let charge = [
        ("out_trade_no", "T1"),
        ("body", "tea"),
        ("total_fee", "99"),
        ("spbill_create_ip", "203.0.113.7"),
        ("auth_code", code.as_str()),
    ];
    v2(&far_side, "/pay/micropay", &charge);
    far_side.clock().advance(Duration::from_secs(60)).unwrap();
    v2(&far_side, "/secapi/pay/reverse", &[("out_trade_no", "T1")]);
    far_side
}

fn night(far_side: &FarSide) {
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
}

/// The lines of a bill: header, rows, totals' header, totals.
fn lines(text: &str) -> Vec<Vec<String>> {
    let text = text.strip_prefix('\u{feff}').unwrap().strip_suffix("\r\n").unwrap();
    let values = |line: &str| match line.strip_prefix('`') {
        Some(line) => line.split(",`").map(str::to_owned).collect(),
        None => line.split(',').map(str::to_owned).collect(),
    };
    text.split("\r\n").map(values).collect()
}

fn text_of(answer: &Response<Bytes>) -> &str {
    std::str::from_utf8(answer.body()).unwrap()
}

#[test]
fn a_trade_bill_is_ready_at_ten_the_next_morning_and_kept_three_months() {
    let far_side = day();
    let ask = |date: &str| trade(&far_side, &[("bill_date", date)]);
    let creating = || ("Bill Creating".to_owned(), None);
    assert_eq!(error(&ask("20251009")), creating());
    assert_eq!(error(&ask("20251010")), creating());
    let nothing = ("No Bill Exist".to_owned(), Some("20002".to_owned()));
    assert_eq!(error(&ask("20251008")), nothing);
    // From 16:55:20 to 09:59:59, and one second more.
    far_side.clock().advance(Duration::from_secs(61_479)).unwrap();
    assert_eq!(error(&ask("20251009")), creating());
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert!(text_of(&ask("20251009")).starts_with('\u{feff}'));
    far_side.clock().advance(Duration::from_secs(93 * 86_400)).unwrap();
    assert_eq!(error(&ask("20251009")).0, "data format error");
}

#[test]
fn a_trade_bill_has_every_payment_refund_and_reversal_of_the_day() {
    let far_side = day();
    night(&far_side);
    let bill = trade(&far_side, &[("bill_date", "20251009")]);
    let lines = lines(text_of(&bill));
    assert_eq!(lines.len(), 8);
    assert!(lines[..6].iter().all(|line| line.len() == 27), "{lines:?}");
    assert_eq!(
        (&*lines[0][0], &*lines[0][3], &*lines[0][26]),
        ("交易时间", "特约商户号", "费率备注")
    );
    let at = |name: &str| lines[0].iter().position(|column| column == name).unwrap();
    let shown = |row: usize| -> Vec<&str> {
        [
            "商户订单号",
            "交易类型",
            "交易状态",
            "应结订单金额",
            "代金券金额",
            "商户退款单号",
            "退款金额",
            "订单金额",
            "申请退款金额",
        ]
        .iter()
        .map(|name| lines[row][at(name)].as_str())
        .collect()
    };
    assert_eq!(
        shown(1),
        ["A1", "APP", "SUCCESS", "9.70", "0.30", "0", "0.00", "10.00", "0.00"]
    );
    assert_eq!(
        shown(2),
        ["A2", "APP", "SUCCESS", "10.00", "0.00", "0", "0.00", "10.00", "0.00"]
    );
    assert_eq!(
        shown(3),
        ["A2", "APP", "REFUND", "0.00", "0.00", "R1", "2.50", "0.00", "2.50"]
    );
    assert_eq!(
        shown(4),
        ["T1", "MICROPAY", "SUCCESS", "0.99", "0.00", "0", "0.00", "0.99", "0.00"]
    );
    let reversed = shown(5);
    assert_eq!((reversed[0], reversed[2], reversed[6]), ("T1", "REVOKED", "0.99"));
    // Free text keeps its commas and back-ticks, and no end of line.
    let free = |row: usize| {
        (
            lines[row][at("商品名称")].as_str(),
            lines[row][at("特约商户号")].as_str(),
        )
    };
    assert_eq!((free(1), free(2)), (("noodles, hot", "0"), ("soup of the day", "0")));
    assert!(text_of(&bill).contains("`table `7`, 8,`"), "{}", text_of(&bill));
    assert_eq!(lines[7][0], "5.0");
    assert_eq!((&*lines[7][1], &*lines[7][2], &*lines[7][6]), ("20.69", "3.49", "3.49"));
}

#[test]
fn a_bill_has_the_rows_and_columns_of_its_kind() {
    let far_side = day();
    night(&far_side);
    let ask = |kind: &str| trade(&far_side, &[("bill_date", "20251009"), ("bill_type", kind)]);
    let all = lines(text_of(&ask("ALL")));
    assert_eq!(all, lines(text_of(&trade(&far_side, &[("bill_date", "20251009")]))));
    let paid = lines(text_of(&ask("SUCCESS")));
    assert_eq!((paid.len(), paid[0].len(), paid[1].len()), (6, 20, 20));
    assert!(!paid[0].iter().any(|name| name.contains("退款")), "{paid:?}");
    let refunded = lines(text_of(&ask("REFUND")));
    assert_eq!((refunded.len(), refunded[0].len(), refunded[1].len()), (5, 29, 29));
    assert_eq!(refunded[0][13..16], ["代金券金额", "退款申请时间", "退款成功时间"]);
    assert_eq!(refunded[1][14..16], ["2025-10-09 16:53:20", "2025-10-09 16:54:20"]);
    assert_eq!(error(&ask("RECHARGE_REFUND")).1.as_deref(), Some("20002"));
}

#[test]
fn gzip_is_what_the_plain_file_is() {
    let far_side = day();
    night(&far_side);
    let plain = trade(&far_side, &[("bill_date", "20251009")]);
    let zipped = trade(&far_side, &[("bill_date", "20251009"), ("tar_type", "GZIP")]);
    assert!(zipped.body().starts_with(&[0x1f, 0x8b]));
    let mut inflated = Vec::new();
    flate2::read::GzDecoder::new(&zipped.body()[..])
        .read_to_end(&mut inflated)
        .unwrap();
    assert_eq!(inflated, plain.body().as_ref());
    // An error is XML, also where GZIP was asked for.
    let empty = trade(&far_side, &[("bill_date", "20251008"), ("tar_type", "GZIP")]);
    assert_eq!(error(&empty).0, "No Bill Exist");
}

#[test]
fn a_trade_bill_is_refused_in_its_own_words() {
    let far_side = day();
    night(&far_side);
    let (good, long) = (("bill_date", "20251009"), "20251009".repeat(2));
    for (asked, words) in [
        (&[][..], "missing parameter"),
        (&[("bill_date", "2025-10-09")], "data format error"),
        (&[("bill_date", "20251309")], "data format error"),
        (&[("bill_date", &long)], "data format error"),
        (&[good, ("bill_type", "NONE")], "invalid bill_type"),
        (&[good, ("tar_type", "ZIP")], "data format error"),
        (&[good, ("appid", "wx0")], "appid和mch_id不匹配"),
        (&[good, ("mch_id", "1900000000")], "mch_id参数格式错误"),
    ] {
        assert_eq!(error(&trade(&far_side, asked)), (words.to_owned(), None), "{asked:?}");
    }
    let mut request = v2_request(&far_side, "/pay/downloadbill", &[good]);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace("20251009", "20251008").into();
    assert_eq!(error(&far_side.answer(&request).unwrap()).0, "SIGN ERROR");
}

#[test]
fn a_fund_flow_bill_comes_with_a_digest_over_the_plain_file() {
    let far_side = day();
    night(&far_side);
    let asked = [("bill_date", "20251009"), ("account_type", "Basic")];
    let plain = funds(&far_side, &asked);
    let digest = |answer: &Response<Bytes>| answer.headers()["digest"].to_str().unwrap().to_owned();
    assert_eq!(digest(&plain), format!("SHA={}", oracle::sha1_hex(plain.body())));
    let zipped = funds(&far_side, &[&asked[..], &[("tar_type", "GZIP")]].concat());
    assert_eq!(digest(&zipped), digest(&plain));
    assert!(zipped.body().starts_with(&[0x1f, 0x8b]));
    let lines = lines(text_of(&plain));
    assert_eq!(lines[0].len(), 11);
    assert_eq!((&*lines[0][0], &*lines[0][10]), ("记账时间", "业务凭证号"));
    // In: 9.70, 10.00 and 0.99; out: 2.50 and 0.99.
    assert_eq!(lines.last().unwrap(), &["5.0", "3.0", "20.69", "2.0", "3.49"]);
    assert_eq!(lines[5][7], "17.20");
    // A corrupt digest is the only way to spoil an answer that nobody signs.
    far_side.set_faults(FaultRule::new(FaultKind::CorruptSignature).during("download-fund-flow-bill"));
    assert_ne!(digest(&funds(&far_side, &asked)), digest(&plain));
}

#[test]
fn a_fund_flow_bill_is_refused_with_codes_that_nobody_signs() {
    let far_side = day();
    let (date, basic) = (("bill_date", "20251009"), ("account_type", "Basic"));
    assert_eq!(code(&funds(&far_side, &[date, basic])), "BILL_CREATING");
    night(&far_side);
    for (asked, expected) in [
        (&[basic][..], "LACK_PARAMS"),
        (&[date], "LACK_PARAMS"),
        (&[date, ("account_type", "BASIC")], "PARAM_ERROR"),
        (&[("bill_date", "2025109"), basic], "PARAM_ERROR"),
        (&[date, basic, ("tar_type", "ZIP")], "PARAM_ERROR"),
        (&[date, ("account_type", "Fees")], "NO_BILL_EXIST"),
        (&[("bill_date", "20251008"), basic], "NO_BILL_EXIST"),
    ] {
        assert_eq!(code(&funds(&far_side, asked)), expected, "{asked:?}");
    }
    // The other digest is right and still not taken.
    let md5 = fetch(&far_side, "/pay/downloadfundflow", &[date, basic]);
    assert_eq!(code(&md5), "PARAM_ERROR");
}
