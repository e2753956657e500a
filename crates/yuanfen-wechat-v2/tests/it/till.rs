//! The calls of a till: a scanned code is charged, and a payment is reversed.

use yuanfen_core::{
    Advice, BuildError, ClientAuth, Error, ErrorKind, Fate, Fen, OperationExt as _, OrderNo, PayAmount, RemoteId,
    RuleBroken, UnixTime,
};
use yuanfen_testkit::{Message, Outcome, expect_twins};
use yuanfen_wechat_v2::ops::{AuthCode, Micropay, PaidOrder, Recall, ReverseOrder, ReversedOrder, routes};
use yuanfen_wechat_v2::{CouponType, SignType, TradeType};

use crate::far_side::{
    APP_ID, MERCHANT, NOW, OPENID, ORDER_NO, QUERIED, TRANSACTION_ID, account, ambient, answer, changed, hmac_account,
    now, response, sent, signed, why, xml,
};
use crate::fields::refused;

const AUTH_CODE: &str = "134567890123456789";

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

const PAID: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "IITRi8Iabbblz1Jc"),
    ("result_code", "SUCCESS"),
    ("openid", OPENID),
    ("is_subscribe", "Y"),
    ("trade_type", "MICROPAY"),
    ("bank_type", "CCB_DEBIT"),
    ("total_fee", "1200"),
    ("cash_fee", "1150"),
    ("transaction_id", TRANSACTION_ID),
    ("out_trade_no", ORDER_NO),
    ("time_end", "20231115061330"),
];

const REVERSED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "o5bAKF3o2ypC8hwa"),
    ("result_code", "SUCCESS"),
    ("recall", "N"),
];

fn order_no() -> OrderNo {
    OrderNo::new(ORDER_NO).unwrap()
}

fn micropay() -> Micropay {
    Micropay::new(
        order_no(),
        PayAmount::from_fen(1200).unwrap(),
        "shop - noodles",
        "198.51.100.9".parse().unwrap(),
        AUTH_CODE,
    )
}

fn reverse() -> ReverseOrder {
    ReverseOrder::by_order_no(order_no())
}

fn paid(changes: Changes<'_>) -> Result<PaidOrder, Error> {
    micropay().reply(&account(), &answer(&changed(PAID, changes)), now())
}

fn reversed(changes: Changes<'_>) -> Result<ReversedOrder, Error> {
    reverse().reply(&account(), &answer(&changed(REVERSED, changes)), now())
}

/// Every text of the call: its name, its limit, a character that it takes and one that it does not, where it goes.
type Row = (&'static str, usize, char, char, fn(&mut Micropay, String));

const ROWS: &[Row] = &[
    ("device_info", 32, '店', '\n', |call, text| {
        call.device_info = Some(text);
    }),
    ("body", 128, '麻', '\u{7f}', |call, text| call.body = text),
    ("detail", 6000, '😀', '\0', |call, text| call.detail = Some(text)),
    ("attach", 127, '\n', '\u{1b}', |call, text| call.attach = Some(text)),
    ("fee_type", 16, 'Y', '-', |call, text| call.currency = Some(text)),
    ("goods_tag", 32, '券', '\t', |call, text| call.goods_tag = Some(text)),
    ("limit_pay", 32, '_', '-', |call, text| call.limit_pay = Some(text)),
    ("receipt", 8, 'Y', '收', |call, text| call.receipt = Some(text)),
    ("auth_code", 128, 'x', '\n', |call, text| {
        call.auth_code = AuthCode::new(text);
    }),
    ("scene_info", 256, '景', '\0', |call, text| {
        call.scene_info = Some(text);
    }),
    ("profit_sharing", 16, 'Y', ' ', |call, text| {
        call.profit_sharing = Some(text);
    }),
    ("version", 32, '.', '、', |call, text| call.version = Some(text)),
];

fn with(set: fn(&mut Micropay, String), text: String) -> Micropay {
    let mut call = micropay();
    set(&mut call, text);
    call
}

#[test]
fn takes_every_text_at_its_limit_and_names_the_one_that_is_past_it() {
    for (field, limit, accepted, outside, set) in ROWS {
        for length in [1, *limit] {
            let text: String = std::iter::repeat_n(accepted, length).collect();
            let request = with(*set, text.clone()).request(&account(), &ambient()).unwrap();
            assert_eq!(sent(&request).remove(*field), Some(text), "{field} of {length}");
        }
        for (text, past) in [
            (std::iter::repeat_n(accepted, limit + 1).collect(), "long"),
            (String::new(), "short"),
            (format!("{accepted}{outside}"), "character"),
        ] {
            let error = refused(&with(*set, text));
            assert_eq!(error.field(), Some(*field), "{past}");
            let BuildError::Rule(broken) = error else {
                panic!("{field}: {error:?}")
            };
            let word = match broken {
                RuleBroken::TooLong { length, max, .. } => {
                    assert_eq!((length, max), (limit + 1, *limit), "{field}");
                    "long"
                }
                RuleBroken::TooShort { .. } => "short",
                RuleBroken::Character { position: 1, .. } => "character",
                other => panic!("{other:?}"),
            };
            assert_eq!(word, past, "{field}");
        }
    }
    let mut at = micropay();
    at.order_no = OrderNo::new("a@b").unwrap();
    assert_eq!(refused(&at).field(), Some("out_trade_no"), "a number that is made");
}

#[test]
fn sends_the_whole_list_of_a_payment_by_code_and_nothing_of_other_calls() {
    let mut full = micropay();
    for (.., accepted, _, set) in ROWS {
        set(&mut full, accepted.to_string());
    }
    full.time_start = Some(now());
    full.time_expire = Some(UnixTime::from_seconds(NOW + 60));
    let request = full.request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/micropay");
    assert_eq!(request.extensions().get::<ClientAuth>(), None);
    let fields = sent(&request);
    assert_eq!(fields["spbill_create_ip"], "198.51.100.9");
    assert_eq!(fields["total_fee"], "1200");
    assert_eq!(
        (&*fields["time_start"], &*fields["time_expire"]),
        ("20231115061320", "20231115061420")
    );
    let names: Vec<_> = fields.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "appid",
            "attach",
            "auth_code",
            "body",
            "detail",
            "device_info",
            "fee_type",
            "goods_tag",
            "limit_pay",
            "mch_id",
            "nonce_str",
            "out_trade_no",
            "profit_sharing",
            "receipt",
            "scene_info",
            "sign",
            "sign_type",
            "spbill_create_ip",
            "time_expire",
            "time_start",
            "total_fee",
            "version",
        ]
    );
    let bare = sent(&micropay().request(&account(), &ambient()).unwrap());
    assert_eq!(bare.len(), 10, "nothing that was not set is sent: {bare:?}");
    let mut short = micropay();
    short.time_expire = Some(UnixTime::from_seconds(NOW + 59));
    assert_eq!(refused(&short).field(), Some("time_expire"));
    short.time_expire = Some(UnixTime::from_seconds(NOW + 60));
    short.time_start = short.time_expire;
    assert_eq!(refused(&short).field(), Some("time_expire"));
}

#[test]
fn a_code_is_whatever_the_phone_shows_and_is_never_printed() {
    for code in [
        "134567890123456789",
        "28763443825664394",
        "8",
        "https://u.example/x?y=z",
    ] {
        let mut call = micropay();
        call.auth_code = code.into();
        assert_eq!(sent(&call.request(&account(), &ambient()).unwrap())["auth_code"], code);
        let shown = format!("{call:?} {:?} {:?}", call.auth_code, call.auth_code.clone());
        assert!(!shown.contains(code) || code == "8", "{shown}");
    }
    let mut bad = micropay();
    bad.auth_code = AuthCode::new(format!("{AUTH_CODE}\n"));
    let error = bad.request(&account(), &ambient()).unwrap_err();
    let shown = format!("{error:?} {error} {bad:?}");
    assert!(!shown.contains(AUTH_CODE), "{shown}");
    let mut call = micropay();
    for hidden in [&mut call.attach, &mut call.detail, &mut call.scene_info] {
        *hidden = Some("table 4".to_owned());
    }
    call.body = "table 4".to_owned();
    let paid = paid(&[("attach", Some("table 4")), ("sub_openid", Some("oSUB"))]).unwrap();
    let shown = format!("{call:?} {paid:?}");
    for hidden in ["table 4", "198.51", AUTH_CODE, OPENID, "oSUB"] {
        assert!(!shown.contains(hidden), "{hidden}: {shown}");
    }
    assert!(shown.contains(ORDER_NO) && shown.contains(TRANSACTION_ID), "{shown}");
}

#[test]
fn opens_a_payment_with_all_that_the_sheet_lists() {
    let paid = paid(&[
        ("device_info", Some("till 4")),
        ("sub_openid", Some("oSUB")),
        ("sub_is_subscribe", Some("N")),
        ("fee_type", Some("CNY")),
        ("settlement_total_fee", Some("1150")),
        ("coupon_fee", Some("50")),
        ("coupon_count", Some("1")),
        ("coupon_id_0", Some("10000")),
        ("coupon_type_0", Some("NO_CASH")),
        ("coupon_fee_0", Some("50")),
        ("cash_fee_type", Some("CNY")),
        ("attach", Some("table 4")),
        ("promotion_detail", Some("{}")),
        ("new_field", Some("x")),
    ])
    .unwrap();
    assert_eq!(paid.order_no, order_no());
    assert_eq!(paid.transaction_id.as_str(), TRANSACTION_ID);
    assert_eq!((paid.total, paid.cash), (Fen::new(1200), Some(Fen::new(1150))));
    assert_eq!(paid.settlement_total, Some(Fen::new(1150)));
    assert_eq!((paid.coupon_total, paid.coupon_count), (Some(Fen::new(50)), Some(1)));
    assert_eq!(paid.coupons.first().unwrap().kind, Some(CouponType::NoCash));
    assert_eq!((&*paid.openid, paid.is_subscribed.as_deref()), (OPENID, Some("Y")));
    assert_eq!(
        (paid.sub_openid.as_deref(), paid.is_sub_subscribed.as_deref()),
        (Some("oSUB"), Some("N"))
    );
    assert_eq!((paid.trade_type, &*paid.bank_type), (TradeType::Micropay, "CCB_DEBIT"));
    assert_eq!(
        (paid.currency.as_deref(), paid.cash_currency.as_deref()),
        (Some("CNY"), Some("CNY"))
    );
    assert_eq!(
        (paid.attach.as_deref(), paid.device_info.as_deref()),
        (Some("table 4"), Some("till 4"))
    );
    assert_eq!(paid.promotion_detail.as_deref(), Some("{}"));
    // 2023-11-15 06:13:30 in Beijing.
    assert_eq!(paid.paid_at, UnixTime::from_seconds(NOW + 10));
    assert_eq!((paid.extra.get("new_field"), paid.extra.len()), (Some("x"), 1));
}

#[test]
fn half_an_answer_or_one_about_another_payment_leaves_the_outcome_unknown() {
    for name in [
        "openid",
        "trade_type",
        "bank_type",
        "total_fee",
        "transaction_id",
        "out_trade_no",
        "time_end",
    ] {
        let error = paid(&[(name, None)]).unwrap_err();
        assert_eq!(why(&error), format!("field {name}"));
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{name}"
        );
    }
    for (name, value) in [
        ("out_trade_no", "SHOP20231115000002"),
        ("total_fee", "1199"),
        ("appid", "wx0000000000000000"),
        ("mch_id", "10000101"),
    ] {
        let error = paid(&[(name, Some(value))]).unwrap_err();
        assert_eq!(why(&error), format!("foreign {name}"));
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{name}"
        );
    }
    for (name, value) in [
        ("total_fee", "12.00"),
        ("time_end", "2023-11-15 06:13:30"),
        ("cash_fee", "11.50"),
    ] {
        let error = paid(&[(name, Some(value))]).unwrap_err();
        assert_eq!((why(&error), error.fate()), (format!("field {name}"), Fate::Unknown));
    }
}

#[test]
fn what_is_no_signed_answer_proves_nothing_about_a_payment_or_a_reversal() {
    for body in [
        xml(&changed(PAID, &[])),
        xml(&changed(PAID, &[("sign", Some(""))])),
        xml(&changed(PAID, &[("sign", Some("0CB01533B8C1EF103065174F50BCA001"))])),
        xml(&changed(
            PAID,
            &[("result_code", Some("FAIL")), ("err_code", Some("AUTHCODEEXPIRE"))],
        )),
        xml(&changed(REVERSED, &[])),
        b"<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>".to_vec(),
        b"<xml><return_code>SYSTEMERROR</return_code></xml>".to_vec(),
        b"<html><body>502</body></html>".to_vec(),
        b"<!DOCTYPE html><title>404</title>".to_vec(),
        Vec::new(),
        b"<xml>".to_vec(),
    ] {
        for status in [200, 502] {
            let answer = response(status, body.clone());
            let paid = micropay().reply(&account(), &answer, now()).unwrap_err();
            let reversed = reverse().reply(&account(), &answer, now()).unwrap_err();
            for error in [paid, reversed] {
                assert_eq!(
                    (error.fate(), error.advice()),
                    (Fate::Unknown, Advice::QueryFirst),
                    "{error:?}"
                );
            }
        }
    }
    // An answer of the other type than was asked for.
    let error = micropay()
        .reply(&hmac_account(), &answer(&changed(PAID, &[])), now())
        .unwrap_err();
    assert_eq!((&*why(&error), error.fate()), ("mismatch", Fate::Unknown));
    // The signed answer to another call.
    let error = reverse()
        .reply(&account(), &answer(&changed(QUERIED, &[])), now())
        .unwrap_err();
    assert_eq!((&*why(&error), error.fate()), ("field recall", Fate::Unknown));
}

#[test]
fn sends_a_reversal_behind_the_client_certificate() {
    let request = reverse().request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/secapi/pay/reverse");
    assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
    let fields = sent(&request);
    assert_eq!((&*fields["out_trade_no"], fields.len()), (ORDER_NO, 6));
    let by_id = ReverseOrder::by_transaction_id(RemoteId::new(TRANSACTION_ID).unwrap());
    let fields = sent(&by_id.request(&account(), &ambient()).unwrap());
    assert_eq!((&*fields["transaction_id"], fields.len()), (TRANSACTION_ID, 6));
    let long = ReverseOrder::by_order_no(OrderNo::new("1".repeat(33)).unwrap());
    assert_eq!(refused(&long).field(), Some("out_trade_no"));
    let long = ReverseOrder::by_transaction_id(RemoteId::new("1".repeat(33)).unwrap());
    assert_eq!(refused(&long).field(), Some("transaction_id"));
    let routes = routes();
    let info = |operation: &str| routes.iter().find(|info| info.route.operation == operation).unwrap();
    for operation in ["micropay", "reverse_order"] {
        assert_eq!(info(operation).route.effect.as_str(), "query-first");
    }
}

#[test]
fn an_order_is_reversed_only_when_recall_says_no() {
    let over = reversed(&[("new_field", Some("x"))]).unwrap();
    assert_eq!((&over.recall, over.is_done()), (&Recall::Done, true));
    assert_eq!((over.extra.get("new_field"), over.extra.len()), (Some("x"), 1));
    for (value, recall) in [("Y", Recall::Again), ("n", Recall::from("n")), ("X", Recall::from("X"))] {
        let again = reversed(&[("recall", Some(value))]).unwrap();
        assert_eq!((&again.recall, again.is_done()), (&recall, false));
    }
    for absent in [None, Some("")] {
        let error = reversed(&[("recall", absent)]).unwrap_err();
        assert_eq!((&*why(&error), error.fate()), ("field recall", Fate::Unknown));
    }
}

#[test]
fn a_refused_reversal_keeps_what_it_says_of_being_called_again() {
    let refusal = |recall: Option<&str>| {
        let error = reversed(&[
            ("result_code", Some("FAIL")),
            ("err_code", Some("SYSTEMERROR")),
            ("recall", recall),
        ]);
        let error = error.unwrap_err();
        let ErrorKind::Business(refusal) = error.kind() else {
            panic!("{error:?}")
        };
        assert!(refusal.verified);
        Recall::of_refusal(refusal)
    };
    assert_eq!(refusal(Some("Y")), Some(Recall::Again));
    assert_eq!(refusal(Some("N")), Some(Recall::Done));
    assert_eq!(refusal(Some("")), None);
    assert_eq!(refusal(None), None);
}

/// A payment and a reversal move money, so no twin of their answers is taken for one.
#[test]
fn refuses_every_change_to_an_answer_of_the_till() {
    let twins = |pairs: &[(&str, &str)], open: &dyn Fn(&http::Response<bytes::Bytes>) -> Result<String, Error>| {
        let pairs = signed(&changed(pairs, &[]), SignType::Md5);
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let tally = expect_twins(&Message::of_fields(fields, xml), |mutant| {
            let answer = response(200, mutant.body.clone());
            Outcome::of(open(&answer), |error| {
                assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
                why(error).split_whitespace().next().unwrap().to_owned()
            })
        });
        tally.expect_reasons(&["mismatch", "missing-signature", "format", "refused"]);
        tally.expect_same_only(|_| false);
        assert!(tally.refused("mismatch") > 300, "{tally:?}");
    };
    twins(PAID, &|answer| {
        let paid = micropay().reply(&account(), answer, now())?;
        Ok(format!("{paid:?} {} {:?} {}", paid.openid, paid.cash, paid.bank_type))
    });
    twins(REVERSED, &|answer| {
        Ok(format!("{:?}", reverse().reply(&account(), answer, now())?))
    });
}
