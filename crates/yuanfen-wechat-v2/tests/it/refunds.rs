//! Refunds and their query: fields at their limits, raw replies, numbered families, and what became of a lost reply.

use yuanfen_core::{
    Address, Advice, BuildError, ClientAuth, Error, ErrorKind, Fate, Fen, Hint, Lookup, Notice,
    NotificationSource as _, Observation, OperationExt as _, OrderNo, PayAmount, RefundLedger, RefundNo, RefusalKind,
    RemoteId, RuleBroken, Settle, SettleStep, SettleVerdict, Standing, UnixTime,
};
use yuanfen_wechat_v2::notify::RefundStatus;
use yuanfen_wechat_v2::ops::{
    AcceptedRefund, OrderKey, QueriedRefunds, QueryRefund, Refund, RefundAccount, RefundChannel, RefundKey, routes,
};
use yuanfen_wechat_v2::{CouponType, SignType, settle};

use crate::far_side::{
    APP_ID, MERCHANT, ORDER_NO, Pairs, TRANSACTION_ID, account, ambient, answer, changed, hmac_account, now, response,
    sent, signed, why, xml,
};
use crate::fields::refused;

pub(crate) const REFUND_NO: &str = "R@2023*1115|0001";
pub(crate) const REFUND_ID: &str = "50000007502023111500000000001";

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

pub(crate) const ACCEPTED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "NfsMFbUFpdbEhPXP"),
    ("result_code", "SUCCESS"),
    ("transaction_id", TRANSACTION_ID),
    ("out_trade_no", ORDER_NO),
    ("out_refund_no", REFUND_NO),
    ("refund_id", REFUND_ID),
    ("refund_channel", ""),
    ("refund_fee", "500"),
    ("total_fee", "1200"),
    ("cash_fee", "1200"),
];

pub(crate) const FOUND: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "TeqClE3i0mvn3DrK"),
    ("result_code", "SUCCESS"),
    ("transaction_id", TRANSACTION_ID),
    ("out_trade_no", ORDER_NO),
    ("total_fee", "1200"),
    ("cash_fee", "1200"),
    ("refund_count", "1"),
    ("out_refund_no_0", REFUND_NO),
    ("refund_id_0", REFUND_ID),
    ("refund_channel_0", "ORIGINAL"),
    ("refund_fee_0", "500"),
    ("refund_status_0", "PROCESSING"),
    ("refund_recv_accout_0", "招商银行信用卡0403"),
];

fn refund_no() -> RefundNo {
    RefundNo::new(REFUND_NO).unwrap()
}

pub(crate) fn order_key() -> OrderKey {
    OrderKey::Merchant(OrderNo::new(ORDER_NO).unwrap())
}

fn fen(fen: i64) -> PayAmount {
    PayAmount::from_fen(fen).unwrap()
}

pub(crate) fn refund() -> Refund {
    Refund::new(order_key(), refund_no(), fen(500), fen(1200))
}

pub(crate) fn query() -> QueryRefund {
    QueryRefund::by_refund_no(refund_no())
}

fn accepted(changes: Changes<'_>) -> Result<AcceptedRefund, Error> {
    refund().reply(&account(), &answer(&changed(ACCEPTED, changes)), now())
}

fn found(changes: Changes<'_>) -> Result<QueriedRefunds, Error> {
    query().reply(&account(), &answer(&changed(FOUND, changes)), now())
}

/// Without the fields that names begin with.
pub(crate) fn without(pairs: &[(&str, &str)], starts: &[&str]) -> Pairs {
    let mut pairs = changed(pairs, &[]);
    pairs.retain(|(name, _)| !starts.iter().any(|start| name.starts_with(start)));
    pairs
}

pub(crate) fn add(pairs: &mut Pairs, more: &[(&str, &str)]) {
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    pairs.extend(more);
}

#[test]
fn sends_a_refund_behind_the_client_certificate() {
    let mut full = refund();
    full.currency = Some("CNY".to_owned());
    full.description = Some("商品已售完 & more".to_owned());
    full.account = Some(RefundAccount::Recharge);
    full.notify_url = Some(Address::parse_plain("notify_url", "https://shop.example/refunded").unwrap());
    full.detail = Some("{}".to_owned());
    let request = full.request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/secapi/pay/refund");
    assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
    let fields = sent(&request);
    for (name, value) in [
        ("out_trade_no", ORDER_NO),
        ("out_refund_no", REFUND_NO),
        ("total_fee", "1200"),
        ("refund_fee", "500"),
        ("refund_fee_type", "CNY"),
        ("refund_desc", "商品已售完 & more"),
        ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
        ("notify_url", "https://shop.example/refunded"),
        ("detail", "{}"),
    ] {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
    // Nine, and appid, mch_id, nonce_str, sign_type and sign.
    assert_eq!(fields.len(), 14);
    let bare = refund().request(&account(), &ambient()).unwrap();
    assert_eq!(sent(&bare).len(), 9, "nothing that was not set is sent");

    let by_id = OrderKey::Remote(RemoteId::new(TRANSACTION_ID).unwrap());
    let request = Refund::new(by_id, refund_no(), fen(1200), fen(1200)).request(&account(), &ambient());
    let fields = sent(&request.unwrap());
    assert_eq!(fields.get("transaction_id").map(String::as_str), Some(TRANSACTION_ID));
    assert!(!fields.contains_key("out_trade_no"));
}

#[test]
fn sends_one_of_the_four_numbers_of_a_query_and_needs_no_certificate() {
    let remote = || RemoteId::new(REFUND_ID).unwrap();
    let by_transaction = OrderKey::Remote(RemoteId::new(TRANSACTION_ID).unwrap());
    let mut paged = QueryRefund::by_order(order_key());
    paged.offset = Some(20);
    let numbers = ["refund_id", "out_refund_no", "transaction_id", "out_trade_no"];
    for (query, name, value, offset) in [
        (query(), "out_refund_no", REFUND_NO, None),
        (QueryRefund::by_refund_id(remote()), "refund_id", REFUND_ID, None),
        (
            QueryRefund::by_order(by_transaction),
            "transaction_id",
            TRANSACTION_ID,
            None,
        ),
        (paged, "out_trade_no", ORDER_NO, Some("20")),
    ] {
        let request = query.request(&account(), &ambient()).unwrap();
        assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/refundquery");
        assert_eq!(request.extensions().get::<ClientAuth>(), None);
        let fields = sent(&request);
        assert_eq!(fields.get(name).map(String::as_str), Some(value));
        assert_eq!(fields.get("offset").map(String::as_str), offset);
        let there = numbers.iter().filter(|name| fields.contains_key(**name)).count();
        assert_eq!(there, 1, "{name}");
    }
    for mut query in [query(), QueryRefund::by_refund_id(remote())] {
        query.offset = Some(0);
        assert!(matches!(refused(&query), BuildError::Conflict { fields: "offset", .. }));
    }
}

type Set<T> = fn(&mut T, String);

/// Section 6.4: field, limit, a character that it takes, one that it does not, and where it goes.
fn rows() -> Vec<(&'static str, usize, char, char, Set<Refund>)> {
    vec![
        ("transaction_id", 32, '4', 'ö', |refund, text| {
            refund.order = OrderKey::Remote(RemoteId::new(text).unwrap());
        }),
        ("out_trade_no", 32, '@', '#', |refund, text| {
            refund.order = OrderKey::Merchant(OrderNo::new(text).unwrap());
        }),
        ("out_refund_no", 64, '@', '#', |refund, text| {
            // Core's own limit is the same, so one past it does not even become a number.
            refund.refund_no = RefundNo::new(text).unwrap();
        }),
        ("refund_fee_type", 8, 'Y', '-', |refund, text| {
            refund.currency = Some(text);
        }),
        ("refund_desc", 80, '退', '\n', |refund, text| {
            refund.description = Some(text);
        }),
        ("refund_account", 30, '_', '-', |refund, text| {
            refund.account = Some(RefundAccount::from(&*text));
        }),
        ("detail", 6000, '😀', '\0', |refund, text| refund.detail = Some(text)),
    ]
}

#[test]
fn takes_every_text_at_its_limit_and_refuses_one_past_it_and_outside_it() {
    for (field, limit, inside, outside, set) in rows() {
        let with = |text: String| {
            let mut refund = refund();
            set(&mut refund, text);
            refund
        };
        for length in [1, limit] {
            let text: String = std::iter::repeat_n(inside, length).collect();
            let request = with(text.clone()).request(&account(), &ambient()).unwrap();
            assert_eq!(sent(&request).get(field), Some(&text), "{field} of {length}");
        }
        if field != "out_refund_no" {
            let error = refused(&with(std::iter::repeat_n(inside, limit + 1).collect()));
            let BuildError::Rule(RuleBroken::TooLong { length, max, .. }) = &error else {
                panic!("{field}: {error:?}")
            };
            assert_eq!((error.field(), *length, *max), (Some(field), limit + 1, limit));
        }
        let error = refused(&with(format!("{inside}{outside}")));
        assert!(
            matches!(error, BuildError::Rule(RuleBroken::Character { field: at, position: 1, .. }) if at == field),
            "{field}: {error:?}"
        );
    }
    assert!(RefundNo::new("r".repeat(64)).is_ok() && RefundNo::new("r".repeat(65)).is_err());
    for (length, fits) in [(32, true), (33, false)] {
        let query = QueryRefund::by_refund_id(RemoteId::new("5".repeat(length)).unwrap());
        let built = query.request(&account(), &ambient());
        assert_eq!(built.is_ok(), fits, "refund_id of {length}");
    }
}

#[test]
fn refuses_empty_texts_addresses_with_queries_and_refunds_beyond_the_order() {
    let mut empty = refund();
    empty.description = Some(String::new());
    assert_eq!(refused(&empty).field(), Some("refund_desc"));

    let address = |length: usize| {
        let start = "https://shop.example/";
        let text = format!("{start}{}", "n".repeat(length - start.len()));
        Address::parse("notify_url", &text).unwrap()
    };
    let mut long = refund();
    long.notify_url = Some(address(256));
    assert!(long.request(&account(), &ambient()).is_ok());
    long.notify_url = Some(address(257));
    assert!(matches!(
        refused(&long),
        BuildError::Rule(RuleBroken::TooLong {
            field: "notify_url",
            length: 257,
            max: 256,
            ..
        })
    ));
    for address in [
        "https://shop.example/n?a=1",
        "https://shop.example/n#a",
        "https://10.1.2.3/n",
    ] {
        let mut refund = refund();
        refund.notify_url = Some(Address::parse("notify_url", address).unwrap());
        assert_eq!(refused(&refund).field(), Some("notify_url"), "{address}");
    }

    assert!(
        Refund::new(order_key(), refund_no(), fen(1200), fen(1200))
            .request(&account(), &ambient())
            .is_ok()
    );
    let beyond = refused(&Refund::new(order_key(), refund_no(), fen(1201), fen(1200)));
    assert_eq!(beyond.field(), Some("refund_fee and total_fee"));
}

#[test]
fn opens_an_accepted_refund_with_its_coupons() {
    let accepted = accepted(&[
        ("settlement_refund_fee", Some("450")),
        ("settlement_total_fee", Some("1100")),
        ("fee_type", Some("CNY")),
        ("cash_fee_type", Some("CNY")),
        ("cash_refund_fee", Some("420")),
        ("coupon_refund_fee", Some("80")),
        ("coupon_refund_count", Some("2")),
        ("coupon_type_0", Some("CASH")),
        ("coupon_refund_id_0", Some("C0")),
        ("coupon_refund_fee_0", Some("30")),
        ("coupon_type_1", Some("NO_CASH")),
        ("coupon_refund_id_1", Some("C1")),
        ("coupon_refund_fee_1", Some("50")),
        ("new_field", Some("x")),
    ])
    .unwrap();
    assert_eq!(
        (accepted.refund_no.as_str(), accepted.refund_id.as_str()),
        (REFUND_NO, REFUND_ID)
    );
    assert_eq!(
        (accepted.order_no.as_str(), accepted.transaction_id.as_str()),
        (ORDER_NO, TRANSACTION_ID)
    );
    let some = |fen| Some(Fen::new(fen));
    assert_eq!((accepted.refund, accepted.total), (Fen::new(500), Fen::new(1200)));
    assert_eq!(
        (accepted.settlement_refund, accepted.settlement_total),
        (some(450), some(1100))
    );
    assert_eq!((accepted.cash, accepted.cash_refund), (some(1200), some(420)));
    assert_eq!((accepted.coupon_refund, accepted.coupon_count), (some(80), Some(2)));
    assert_eq!(accepted.currency.as_deref(), Some("CNY"));
    assert_eq!(accepted.cash_currency.as_deref(), Some("CNY"));
    let coupons: Vec<_> = accepted
        .coupons
        .iter()
        .map(|coupon| (coupon.index, coupon.id.as_deref(), coupon.kind.clone(), coupon.fee))
        .collect();
    assert_eq!(
        coupons,
        [
            (0, Some("C0"), Some(CouponType::Cash), some(30)),
            (1, Some("C1"), Some(CouponType::NoCash), some(50)),
        ]
    );
    let rest: Vec<_> = accepted.extra.iter().collect();
    assert_eq!(rest, [("refund_channel", ""), ("new_field", "x")]);
}

#[test]
fn misses_every_field_that_a_refund_cannot_be_compared_without() {
    for field in [
        "refund_id",
        "out_refund_no",
        "transaction_id",
        "out_trade_no",
        "refund_fee",
        "total_fee",
    ] {
        for change in [None, Some("")] {
            let error = accepted(&[(field, change)]).unwrap_err();
            assert_eq!(why(&error), format!("field {field}"));
            assert_eq!(
                (error.fate(), error.advice()),
                (Fate::Unknown, Advice::QueryFirst),
                "{field}"
            );
        }
    }
    for field in [
        "transaction_id",
        "out_trade_no",
        "total_fee",
        "refund_id_0",
        "refund_status_0",
        "refund_fee_0",
    ] {
        assert_eq!(why(&found(&[(field, None)]).unwrap_err()), format!("field {field}"));
    }
    for (field, value) in [
        ("refund_fee_0", "5.00"),
        ("refund_success_time_0", "20231115061500"),
        ("refund_count", "one"),
    ] {
        assert_eq!(
            why(&found(&[(field, Some(value))]).unwrap_err()),
            format!("field {field}")
        );
    }
}

#[test]
fn refuses_an_answer_about_another_refund_order_amount_or_merchant() {
    for (field, value) in [
        ("out_refund_no", "R2"),
        ("refund_fee", "501"),
        ("total_fee", "1201"),
        ("out_trade_no", "OTHER"),
        ("appid", "wx0"),
        ("mch_id", "10000101"),
    ] {
        let error = accepted(&[(field, Some(value))]).unwrap_err();
        assert_eq!(why(&error), format!("foreign {field}"));
        assert_eq!(error.fate(), Fate::Unknown, "{field}");
    }
    let by_id = Refund::new(
        OrderKey::Remote(RemoteId::new("42000").unwrap()),
        refund_no(),
        fen(500),
        fen(1200),
    );
    let error = by_id
        .reply(&account(), &answer(&changed(ACCEPTED, &[])), now())
        .unwrap_err();
    assert_eq!(why(&error), "foreign transaction_id");

    assert_eq!(
        why(&found(&[("out_refund_no_0", Some("R2"))]).unwrap_err()),
        "foreign out_refund_no_$n"
    );
    let reply = |query: QueryRefund| query.reply(&account(), &answer(&changed(FOUND, &[])), now());
    let other = QueryRefund::by_refund_id(RemoteId::new("5").unwrap());
    assert_eq!(why(&reply(other).unwrap_err()), "foreign refund_id_$n");
    let other = QueryRefund::by_order(OrderKey::Merchant(OrderNo::new("OTHER").unwrap()));
    assert_eq!(why(&reply(other).unwrap_err()), "foreign out_trade_no");
    let other = QueryRefund::by_order(OrderKey::Remote(RemoteId::new("42000").unwrap()));
    assert_eq!(why(&reply(other).unwrap_err()), "foreign transaction_id");
}

/// Codes of section 9 on a refund: what may have happened, what to do.
const ON_REFUND: &[(&str, Fate, Advice)] = &[
    ("SYSTEMERROR", Fate::Unknown, Advice::QueryFirst),
    ("BIZERR_NEED_RETRY", Fate::Unknown, Advice::QueryFirst),
    ("FREQUENCY_LIMITED", Fate::Refused, Advice::RepeatLater),
    ("INVALID_REQ_TOO_MUCH", Fate::Refused, Advice::RepeatLater),
    ("NOTENOUGH", Fate::Refused, Advice::Stop),
    ("TRADE_OVERDUE", Fate::Refused, Advice::Stop),
    ("USER_ACCOUNT_ABNORMAL", Fate::Refused, Advice::Stop),
    ("TRADE_STATE_ERROR", Fate::Unknown, Advice::QueryFirst),
    ("ERROR", Fate::Unknown, Advice::QueryFirst),
    ("ORDERNOTEXIST", Fate::Refused, Advice::Stop),
    ("INVALID_TRANSACTIONID", Fate::Refused, Advice::Stop),
    ("PARAM_ERROR", Fate::Refused, Advice::Stop),
    ("SIGNERROR", Fate::Refused, Advice::Stop),
    ("APPID_MCHID_NOT_MATCH", Fate::Refused, Advice::Stop),
    ("BRAND_NEW", Fate::Unknown, Advice::QueryFirst),
    ("REFUNDNOTEXIST", Fate::Unknown, Advice::QueryFirst),
    ("", Fate::Unknown, Advice::QueryFirst),
];

const ON_QUERY: &[(&str, Fate, RefusalKind)] = &[
    ("SYSTEMERROR", Fate::Unknown, RefusalKind::Unclear),
    ("REFUNDNOTEXIST", Fate::Refused, RefusalKind::NotFound),
    ("INVALID_TRANSACTIONID", Fate::Refused, RefusalKind::Configuration),
    ("PARAM_ERROR", Fate::Refused, RefusalKind::Configuration),
    ("ORDERNOTEXIST", Fate::Refused, RefusalKind::Unclear),
    ("BRAND_NEW", Fate::Refused, RefusalKind::Unclear),
];

#[test]
fn tells_of_every_code_what_may_have_happened() {
    fn no(code: &str) -> [(&str, Option<&str>); 2] {
        [("result_code", Some("FAIL")), ("err_code", Some(code))]
    }
    for (code, fate, advice) in ON_REFUND {
        let error = accepted(&no(code)).unwrap_err();
        assert_eq!(why(&error), format!("refused {code}"));
        assert_eq!((error.fate(), error.advice()), (*fate, *advice), "{code}");
    }
    for (code, fate, kind) in ON_QUERY {
        let error = found(&no(code)).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert!(refusal.verified);
        assert_eq!((error.fate(), refusal.meaning.kind), (*fate, *kind), "{code}");
    }
    // The same answers with a signature over other bytes, and with none, are nobody's word.
    for code in ["NOTENOUGH", "USER_ACCOUNT_ABNORMAL"] {
        let refusal = changed(ACCEPTED, &no(code));
        let mut forged = signed(&refusal, SignType::Md5);
        forged.retain(|(name, _)| name != "nonce_str");
        let error = refund()
            .reply(&account(), &response(200, xml(&forged)), now())
            .unwrap_err();
        assert_eq!((&*why(&error), error.fate()), ("mismatch", Fate::Unknown));
        let error = refund()
            .reply(&account(), &response(200, xml(&refusal)), now())
            .unwrap_err();
        assert_eq!((&*why(&error), error.fate()), ("missing-signature", Fate::Unknown));
    }
}

#[test]
fn an_answer_without_proof_leaves_a_refund_unknown() {
    let good = signed(&changed(ACCEPTED, &[]), SignType::Md5);
    let signature = good.last().unwrap().1.clone();
    let with = |text: &str| xml(&changed(ACCEPTED, &[("sign", Some(text))]));
    let not_through = b"<xml><return_code>FAIL</return_code><return_msg>x</return_msg></xml>".to_vec();
    for (status, body, word) in [
        (200, xml(&changed(ACCEPTED, &[])), "missing-signature"),
        (200, with(""), "missing-signature"),
        (200, with(&signature.to_lowercase()), "mismatch"),
        (200, with(&"0".repeat(32)), "mismatch"),
        (
            200,
            xml(&signed(&changed(ACCEPTED, &[]), SignType::HmacSha256)),
            "mismatch",
        ),
        (200, not_through, "refused FAIL"),
        (200, Vec::new(), "empty"),
        (200, b"<html><body>404</body></html>".to_vec(), "html"),
        (200, b"{}".to_vec(), "format"),
        (202, xml(&good), "status 202"),
        (204, Vec::new(), "status 204"),
        (301, Vec::new(), "status 301"),
        (429, Vec::new(), "status 429"),
        (500, xml(&good), "status 500"),
        (502, Vec::new(), "status 502"),
    ] {
        let error = refund().reply(&account(), &response(status, body), now()).unwrap_err();
        assert_eq!(why(&error), word);
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{word}"
        );
    }
    assert!(refund().reply(&account(), &response(200, xml(&good)), now()).is_ok());
    let hmac = response(200, xml(&signed(&changed(ACCEPTED, &[]), SignType::HmacSha256)));
    assert!(refund().reply(&hmac_account(), &hmac, now()).is_ok());
    let twice = String::from_utf8(xml(&good))
        .unwrap()
        .replace("</xml>", "<refund_fee>500</refund_fee></xml>");
    let error = refund().reply(&account(), &response(200, twice), now()).unwrap_err();
    assert_eq!(why(&error), "format");
}

#[test]
fn every_status_of_a_refund_means_what_the_sheet_says() {
    for (status, expected, standing) in [
        ("PROCESSING", RefundStatus::Processing, Standing::Accepted),
        ("SUCCESS", RefundStatus::Success, Standing::Succeeded),
        ("CHANGE", RefundStatus::Change, Standing::Accepted),
        ("REFUNDCLOSE", RefundStatus::Closed, Standing::Failed),
        ("FAIL", RefundStatus::from("FAIL"), Standing::Pending),
        ("success", RefundStatus::from("success"), Standing::Pending),
    ] {
        let queried = found(&[("refund_status_0", Some(status))]).unwrap();
        let record = queried.refund(&refund_no()).unwrap();
        assert_eq!((&record.status, record.standing()), (&expected, standing));
        assert_eq!(queried.standing(), standing, "{status}");
    }
}

/// Two refunds with two coupons each, in an order that nobody would choose, with a hole between them.
fn two_refunds() -> Pairs {
    let mut pairs = without(FOUND, &["refund_count"]);
    add(
        &mut pairs,
        &[
            ("coupon_refund_fee_2_1", "4"),
            ("coupon_type_2_1", "NO_CASH"),
            ("coupon_refund_id_2_1", "C21"),
            ("coupon_refund_fee_2_0", "3"),
            ("coupon_refund_id_2_0", "C20"),
            ("coupon_refund_fee_2", "7"),
            ("coupon_refund_count_2", "2"),
            ("refund_status_2", "SUCCESS"),
            ("refund_success_time_2", "2023-11-15 06:15:00"),
            ("refund_account_2", "REFUND_SOURCE_UNSETTLED_FUNDS"),
            ("settlement_refund_fee_2", "296"),
            ("refund_fee_2", "300"),
            ("refund_channel_2", "OTHER_BANKCARD"),
            ("refund_id_2", "50000000002"),
            ("out_refund_no_2", "R2"),
            ("refund_recv_accout_2", "支付用户零钱"),
            ("coupon_refund_fee_0", "3"),
            ("coupon_refund_count_0", "99"),
            ("coupon_type_0_0", "CASH"),
            ("coupon_refund_id_0_0", "C00"),
            ("coupon_refund_fee_0_0", "1"),
            ("coupon_refund_id_0_11", "C011"),
            ("coupon_refund_fee_0_11", "2"),
            ("refund_fee", "800"),
            ("cash_refund_fee", "790"),
            ("coupon_refund_fee", "10"),
            ("refund_count", "2"),
            ("total_refund_count", "2"),
            ("fee_type", "CNY"),
            ("settlement_total_fee", "1190"),
            ("refund_fee_00", "1"),
        ],
    );
    pairs
}

#[test]
fn tells_two_refunds_with_two_coupons_each_apart() {
    let list = QueryRefund::by_order(order_key());
    let queried = list.reply(&account(), &answer(&two_refunds()), now()).unwrap();
    let some = |fen| Some(Fen::new(fen));
    assert_eq!((queried.count, queried.total_count), (Some(2), Some(2)));
    assert_eq!(
        (queried.refund_sum, queried.cash_refund_sum, queried.coupon_refund_sum),
        (some(800), some(790), some(10)),
        "the sums are no record's"
    );
    assert_eq!((queried.total, queried.cash), (Fen::new(1200), some(1200)));
    assert_eq!(
        (queried.settlement_total, queried.currency.as_deref()),
        (some(1190), Some("CNY"))
    );
    let [first, second] = &*queried.refunds else {
        panic!("{queried:?}")
    };
    assert_eq!(
        (first.index, first.refund_no.as_str(), first.refund),
        (0, REFUND_NO, Fen::new(500))
    );
    assert_eq!((first.coupon_refund, first.coupon_count), (some(3), Some(99)));
    assert_eq!(first.channel, Some(RefundChannel::Original));
    assert_eq!(first.received_by.as_deref(), Some("招商银行信用卡0403"));
    let of = |index: usize| -> Vec<_> {
        let coupons = &queried.refunds[index].coupons;
        coupons
            .iter()
            .map(|coupon| {
                (
                    coupon.index,
                    coupon.id.clone().unwrap(),
                    coupon.kind.clone(),
                    coupon.fee,
                )
            })
            .collect()
    };
    assert_eq!(
        of(0),
        [
            (0, "C00".to_owned(), Some(CouponType::Cash), some(1)),
            (11, "C011".to_owned(), None, some(2)),
        ]
    );
    assert_eq!(
        of(1),
        [
            (0, "C20".to_owned(), None, some(3)),
            (1, "C21".to_owned(), Some(CouponType::NoCash), some(4)),
        ]
    );
    assert_eq!(
        (second.index, second.refund_no.as_str(), second.refund),
        (2, "R2", Fen::new(300))
    );
    assert_eq!(second.account, Some(RefundAccount::Unsettled));
    assert_eq!(second.settlement_refund, some(296));
    // 2023-11-15 06:15:00 in Beijing.
    assert_eq!(second.succeeded_at, Some(UnixTime::from_seconds(1_700_000_100)));
    assert_eq!(first.succeeded_at, None);
    let rest: Vec<_> = queried.extra.iter().collect();
    assert_eq!(rest, [("refund_fee_00", "1")], "a number is written in one way");
}

#[test]
fn the_answer_about_an_order_settles_no_refund() {
    let list = QueryRefund::by_order(order_key());
    let queried = list.reply(&account(), &answer(&two_refunds()), now()).unwrap();
    assert_eq!(queried.standing(), Standing::Pending);
    // Not even where it names a single refund: it may be another one than the shop has in mind.
    let one = list.reply(
        &account(),
        &answer(&changed(FOUND, &[("refund_status_0", Some("SUCCESS"))])),
        now(),
    );
    assert_eq!(one.unwrap().standing(), Standing::Pending);
    let none = without(FOUND, &["out_refund_no", "refund_"]);
    let queried = list.reply(&account(), &answer(&none), now()).unwrap();
    assert!(queried.refunds.is_empty());
    assert_eq!(queried.standing(), Standing::Pending);
    // Each of them can be looked up.
    let record = RefundNo::new("R2").unwrap();
    let queried = list.reply(&account(), &answer(&two_refunds()), now()).unwrap();
    assert_eq!(queried.refund(&record).unwrap().standing(), Standing::Succeeded);
    assert!(queried.refund(&RefundNo::new("R3").unwrap()).is_none());
}

#[test]
fn a_success_without_the_refund_that_was_asked_for_is_no_answer() {
    let none = without(FOUND, &["out_refund_no", "refund_"]);
    let error = query().reply(&account(), &answer(&none), now()).unwrap_err();
    assert_eq!(why(&error), "field out_refund_no_0");
    let by_id = QueryRefund::by_refund_id(RemoteId::new(REFUND_ID).unwrap());
    let error = by_id.reply(&account(), &answer(&none), now()).unwrap_err();
    assert_eq!(why(&error), "field refund_id_0");
    let found = by_id.reply(&account(), &answer(&changed(FOUND, &[])), now()).unwrap();
    assert_eq!(found.standing(), Standing::Accepted);
    // Records of one number that disagree settle nothing.
    let mut twice = changed(FOUND, &[]);
    add(
        &mut twice,
        &[
            ("out_refund_no_1", REFUND_NO),
            ("refund_id_1", "5"),
            ("refund_fee_1", "500"),
            ("refund_status_1", "SUCCESS"),
        ],
    );
    let queried = query().reply(&account(), &answer(&twice), now()).unwrap();
    assert_eq!(queried.standing(), Standing::Pending);
}

/// A page of an order's refunds: so many records, and the number of all if one is told.
fn page(records: u32, all: Option<u32>) -> QueriedRefunds {
    let mut pairs = without(FOUND, &["out_refund_no", "refund_"]);
    for index in 0..records {
        for (family, value) in [("refund_fee", "1"), ("refund_status", "SUCCESS")] {
            pairs.push((format!("{family}_{index}"), value.to_owned()));
        }
        pairs.push((format!("out_refund_no_{index}"), format!("R{index}")));
        pairs.push((format!("refund_id_{index}"), format!("5{index}")));
    }
    if let Some(all) = all {
        pairs.push(("total_refund_count".to_owned(), all.to_string()));
    }
    let list = QueryRefund::by_order(order_key());
    list.reply(&account(), &answer(&pairs), now()).unwrap()
}

#[test]
fn pages_by_what_came_until_all_were_seen() {
    let first = QueryRefund::by_order(order_key());
    let offset =
        |query: &QueryRefund, answer: &QueriedRefunds| query.next_page(answer).map(|next| next.offset.unwrap());
    let second = first.next_page(&page(10, Some(25))).unwrap();
    assert_eq!(second.key, RefundKey::Order(order_key()));
    assert_eq!(second.offset, Some(10));
    let third = second.next_page(&page(10, Some(25))).unwrap();
    assert_eq!(third.offset, Some(20));
    assert_eq!(offset(&third, &page(5, Some(25))), None);
    // A short page in the middle is followed by what comes behind it; an empty one ends it all.
    assert_eq!(offset(&first, &page(9, Some(25))), Some(9));
    assert_eq!(offset(&third, &page(0, Some(25))), None);
    // Without the number of all, a full page has another behind it.
    assert_eq!(offset(&first, &page(10, None)), Some(10));
    assert_eq!(offset(&first, &page(9, None)), None);
    assert!(
        query()
            .next_page(&found(&[("total_refund_count", Some("9"))]).unwrap())
            .is_none()
    );
    let mut last = first;
    last.offset = Some(u32::MAX);
    assert_eq!(offset(&last, &page(10, None)), None);
}

#[test]
fn asks_what_the_refund_notice_hints_at() {
    let hint = Hint::new("wechat-v2", Lookup::Refund(refund_no()));
    let query = QueryRefund::of_hint(&hint).unwrap();
    assert_eq!(query.key, RefundKey::Merchant(refund_no()));
    let order = Hint::new("wechat-v2", Lookup::Order(OrderNo::new(ORDER_NO).unwrap()));
    assert!(QueryRefund::of_hint(&order).is_none());
    let remote = Hint::new("wechat-v2", Lookup::RemoteOrder(RemoteId::new("4").unwrap()));
    assert!(QueryRefund::of_hint(&remote).is_none());
    // A payment notice is no hint of one.
    let notice = account().open_notification(&crate::far_side::posted(Vec::new()), now());
    assert!(!matches!(notice, Ok(Notice::Hint(_))));
}

#[test]
fn shows_neither_the_payers_account_nor_the_shops_words() {
    let mut refund = refund();
    refund.description = Some("for Mrs Wang".to_owned());
    refund.detail = Some("for Mrs Wang".to_owned());
    let queried = found(&[]).unwrap();
    let shown = format!("{refund:?} {queried:?} {:?}", accepted(&[]).unwrap());
    assert!(!shown.contains("Wang") && !shown.contains("招商"), "{shown}");
    assert!(shown.contains(REFUND_NO) && shown.contains(REFUND_ID), "{shown}");
}

#[test]
fn lists_both_calls_with_what_repeating_them_means() {
    let routes = routes();
    let info = |operation: &str| routes.iter().find(|info| info.route.operation == operation).unwrap();
    assert_eq!(info("refund").route.client_certificate, ClientAuth::Required);
    assert_eq!(info("refund").route.effect.as_str(), "query-first");
    assert_eq!(info("query_refund").route.effect.as_str(), "read");
    assert_eq!(info("query_refund").route.client_certificate, ClientAuth::None);
}

/// One answer of the far side while a lost refund is settled.
enum Turn {
    Query(&'static str),
    Repeat(&'static str),
}

/// Settles a refund whose reply was lost on a fake clock, with these turns in this order.
fn settles(turns: &[Turn]) -> (SettleVerdict, i64) {
    let mut now = UnixTime::from_seconds(crate::far_side::NOW);
    let start = now;
    let lost = refund().reply(&account(), &response(504, ""), now).unwrap_err();
    let mut settle = Settle::new(&settle::REFUND, lost.fate(), now);
    let mut turns = turns.iter();
    loop {
        let observation = match settle.step(now) {
            SettleStep::Done(verdict) => {
                assert!(turns.next().is_none(), "something was not asked for");
                return (verdict, now.since(start));
            }
            SettleStep::Wait(time) => {
                now = UnixTime::from_seconds(now.seconds() + i64::try_from(time.as_secs()).unwrap());
                Observation::Waited
            }
            SettleStep::Query => {
                let Some(Turn::Query(code)) = turns.next() else {
                    panic!("no query was expected")
                };
                match found(&[("result_code", Some("FAIL")), ("err_code", Some(code))]) {
                    _ if code.starts_with('=') => {
                        Observation::Stands(found(&[("refund_status_0", Some(&code[1..]))]).unwrap().standing())
                    }
                    Err(error) if error.refusal().unwrap().meaning.kind == RefusalKind::NotFound => {
                        Observation::Stands(Standing::NotFound)
                    }
                    Err(_) => Observation::QueryFailed,
                    Ok(_) => panic!("a refusal was opened"),
                }
            }
            SettleStep::Repeat => {
                let Some(Turn::Repeat(code)) = turns.next() else {
                    panic!("the refund was sent again")
                };
                match accepted(&[("result_code", Some(code)), ("err_code", Some(code))]) {
                    Ok(_) => Observation::Replied,
                    Err(error) => Observation::RepeatFailed(error.fate()),
                }
            }
            other => panic!("{other:?}"),
        };
        settle.observe(observation);
    }
}

#[test]
fn a_refund_without_its_reply_is_settled_by_its_number() {
    use Turn::{Query, Repeat};
    let (done, gone) = (SettleVerdict::Happened, SettleVerdict::Failed);
    for (turns, verdict, seconds) in [
        (&[Query("=PROCESSING")][..], done(Standing::Accepted), 1),
        (&[Query("=SUCCESS")], done(Standing::Succeeded), 1),
        (&[Query("=CHANGE")], done(Standing::Accepted), 1),
        (&[Query("=REFUNDCLOSE")], gone, 1),
        (&[Query("SYSTEMERROR"), Query("=SUCCESS")], done(Standing::Succeeded), 6),
        (&[Query("=NEW"), Query("=SUCCESS")], done(Standing::Succeeded), 6),
        // Not there, said twice and signed: the same refund under the same number.
        (
            &[Query("REFUNDNOTEXIST"), Query("REFUNDNOTEXIST"), Repeat("SUCCESS")],
            SettleVerdict::Replied,
            6,
        ),
        // Said once is not enough.
        (
            &[Query("REFUNDNOTEXIST"), Query("=PROCESSING")],
            done(Standing::Accepted),
            6,
        ),
        // What is refused under the same number may still have been done by the first attempt.
        (
            &[
                Query("REFUNDNOTEXIST"),
                Query("REFUNDNOTEXIST"),
                Repeat("NOTENOUGH"),
                Query("REFUNDNOTEXIST"),
                Query("=SUCCESS"),
            ],
            done(Standing::Succeeded),
            51,
        ),
    ] {
        assert_eq!(settles(turns), (verdict, seconds));
    }
    let silent: Vec<Turn> = (0..9).map(|_| Query("SYSTEMERROR")).collect();
    let (verdict, seconds) = settles(&silent);
    assert_eq!((verdict, seconds), (SettleVerdict::StillUnknown, 180));
}

#[test]
fn an_unsigned_no_such_refund_is_not_believed() {
    let body = xml(&changed(
        FOUND,
        &[("result_code", Some("FAIL")), ("err_code", Some("REFUNDNOTEXIST"))],
    ));
    let error = query().reply(&account(), &response(200, body), now()).unwrap_err();
    assert_eq!(why(&error), "missing-signature");
    assert!(!matches!(error.kind(), ErrorKind::Business(_)));
}

/// A refund keeps its number by construction: the ledger hands out the old one, and the message is made of the grant.
#[test]
fn a_granted_refund_keeps_its_number_after_a_timeout() {
    let mut ledger = RefundLedger::new(fen(1200));
    let now = UnixTime::from_seconds(1_700_000_000);
    let first = ledger.grant(refund_no(), fen(500), now).unwrap();
    let again = ledger.grant(RefundNo::new("ANOTHER").unwrap(), fen(500), now).unwrap();
    let sent = Refund::granted(order_key(), &first)
        .request(&account(), &ambient())
        .unwrap();
    let repeated = Refund::granted(order_key(), &again)
        .request(&account(), &ambient())
        .unwrap();
    let plain = refund().request(&account(), &ambient()).unwrap();
    assert_eq!((repeated.body(), sent.body()), (plain.body(), plain.body()));
}
