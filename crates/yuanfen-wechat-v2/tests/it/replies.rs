//! Raw bytes in, typed out, or a typed error that says what may have happened.

use yuanfen_core::{Advice, Error, ErrorKind, Fate, Fen, OperationExt as _, OrderNo, RemoteId, Standing, UnixTime};
use yuanfen_wechat_v2::ops::{PlaceOrder, PlacedOrder, QueriedOrder, QueryOrder};
use yuanfen_wechat_v2::{CouponType, SignType, TradeState, TradeType};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, ORDER_NO, PLACED, PREPAY_ID, Pairs, QUERIED, TRANSACTION_ID, account, answer, changed,
    hmac_account, notify_url, now, order, query, response, signed, why, xml,
};

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

fn placed(changes: Changes<'_>) -> Result<PlacedOrder, Error> {
    order().reply(&account(), &answer(&changed(PLACED, changes)), now())
}

fn queried(changes: Changes<'_>) -> Result<QueriedOrder, Error> {
    query().reply(&account(), &answer(&changed(QUERIED, changes)), now())
}

/// Why an answer to a new order does not open, and what that says about the order.
fn place_fails(status: u16, body: impl Into<bytes::Bytes>) -> (String, Fate, Advice) {
    let error = order().reply(&account(), &response(status, body), now()).unwrap_err();
    (why(&error), error.fate(), error.advice())
}

fn unknown(word: &str) -> (String, Fate, Advice) {
    (word.to_owned(), Fate::Unknown, Advice::Repeat)
}

fn with_signature(signature: Option<&str>) -> Vec<u8> {
    xml(&changed(
        PLACED,
        &signature.map_or(vec![], |text| vec![("sign", Some(text))]),
    ))
}

fn right_signature() -> String {
    let (_, signature) = signed(&changed(PLACED, &[]), SignType::Md5).pop().unwrap();
    signature
}

#[test]
fn opens_a_placed_order() {
    let placed = placed(&[("device_info", Some("WEB")), ("new_field", Some("a < b"))]).unwrap();
    assert_eq!(placed.prepay_id.as_str(), PREPAY_ID);
    assert_eq!(
        placed.prepay_id.issued_at(),
        now(),
        "its two hours are counted from here"
    );
    assert_eq!(placed.trade_type, TradeType::Jsapi);
    assert_eq!(placed.device_info.as_deref(), Some("WEB"));
    assert_eq!((placed.code_url, placed.mweb_url), (None, None));
    assert_eq!(placed.extra.get("new_field"), Some("a < b"));
    assert_eq!(placed.extra.len(), 1);
}

#[test]
fn opens_the_code_and_the_address_of_the_other_kinds_and_misses_them() {
    let (no, amount, ip) = (order().order_no, order().amount, order().payer_ip);
    let native = PlaceOrder::native(no.clone(), amount, "b", ip, notify_url(), "P1");
    let mweb = PlaceOrder::mweb(no.clone(), amount, "b", ip, notify_url(), "{}");
    let app = PlaceOrder::app(no, amount, "b", ip, notify_url());
    let reply =
        |order: &PlaceOrder, changes: Changes<'_>| order.reply(&account(), &answer(&changed(PLACED, changes)), now());
    let code = "weixin://wxpay/bizpayurl?pr=w0mFlOb";
    let kind = ("trade_type", Some("NATIVE"));
    assert_eq!(
        reply(&native, &[kind, ("code_url", Some(code))])
            .unwrap()
            .code_url
            .as_deref(),
        Some(code)
    );
    for empty in [None, Some("")] {
        let changes: &[_] = if empty.is_some() {
            &[kind, ("code_url", empty)]
        } else {
            &[kind]
        };
        assert_eq!(why(&reply(&native, changes).unwrap_err()), "field code_url");
    }
    let address = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx1&package=2";
    let kind = ("trade_type", Some("MWEB"));
    assert_eq!(
        reply(&mweb, &[kind, ("mweb_url", Some(address))])
            .unwrap()
            .mweb_url
            .as_deref(),
        Some(address)
    );
    assert_eq!(why(&reply(&mweb, &[kind]).unwrap_err()), "field mweb_url");
    assert!(reply(&app, &[("trade_type", Some("APP"))]).is_ok());
}

#[test]
fn opens_a_queried_order() {
    let queried = queried(&[
        ("settlement_total_fee", Some("1100")),
        ("fee_type", Some("CNY")),
        ("cash_fee_type", Some("CNY")),
        ("is_subscribe", Some("Y")),
        ("attach", Some("table 4")),
        ("promotion_detail", Some("{}")),
        ("device_info", Some("")),
        ("new_field", Some("x")),
    ])
    .unwrap();
    assert_eq!(
        (&queried.trade_state, queried.standing()),
        (&TradeState::Success, Standing::Succeeded)
    );
    assert_eq!(queried.trade_state_description.as_deref(), Some("支付成功"));
    assert_eq!(queried.order_no.as_str(), ORDER_NO);
    assert_eq!(
        queried.transaction_id.as_ref().map(RemoteId::as_str),
        Some(TRANSACTION_ID)
    );
    let fen = |fen| Some(Fen::new(fen));
    assert_eq!(
        (queried.total, queried.cash, queried.settlement_total),
        (fen(1200), fen(1200), fen(1100))
    );
    assert_eq!(
        (queried.currency.as_deref(), queried.cash_currency.as_deref()),
        (Some("CNY"), Some("CNY"))
    );
    assert_eq!(queried.is_subscribed.as_deref(), Some("Y"));
    assert_eq!(queried.trade_type, Some(TradeType::Jsapi));
    assert_eq!(queried.bank_type.as_deref(), Some("CMC"));
    // 2023-11-15 06:15:00 in Beijing.
    assert_eq!(queried.paid_at, Some(UnixTime::from_seconds(1_700_000_100)));
    assert_eq!(queried.attach.as_deref(), Some("table 4"));
    assert_eq!(queried.promotion_detail.as_deref(), Some("{}"));
    assert_eq!(queried.device_info, None, "empty is absent");
    assert_eq!((queried.extra.get("new_field"), queried.extra.len()), (Some("x"), 1));
    assert!(queried.coupons.is_empty());
}

#[test]
fn opens_an_unpaid_order_that_names_little_more_than_its_state() {
    for (state, expected, standing) in [
        ("NOTPAY", TradeState::NotPaid, Standing::Accepted),
        ("USERPAYING", TradeState::UserPaying, Standing::Pending),
        ("ACCEPT", TradeState::Accepted, Standing::Pending),
        ("CLOSED", TradeState::Closed, Standing::Failed),
        ("REVOKED", TradeState::Revoked, Standing::Failed),
        ("PAYERROR", TradeState::PayError, Standing::Pending),
        ("FROZEN", TradeState::from("FROZEN"), Standing::Pending),
    ] {
        let bare: Pairs = changed(QUERIED, &[("trade_state", Some(state))])
            .into_iter()
            .filter(|(name, _)| {
                !matches!(
                    &**name,
                    "transaction_id" | "openid" | "trade_type" | "bank_type" | "total_fee" | "cash_fee" | "time_end"
                )
            })
            .collect();
        let queried = query().reply(&account(), &answer(&bare), now()).unwrap();
        assert_eq!(
            (&queried.trade_state, queried.standing()),
            (&expected, standing),
            "{state}"
        );
        assert!(!queried.trade_state.is_paid(), "{state}");
        assert_eq!(
            (queried.total, queried.transaction_id, queried.paid_at),
            (None, None, None)
        );
    }
    let refunded = queried(&[("trade_state", Some("REFUND"))]).unwrap();
    assert!(
        refunded.trade_state.is_paid(),
        "it was paid, whatever was refunded since"
    );
    assert_eq!(refunded.standing(), Standing::Succeeded);
}

#[test]
fn keeps_values_that_this_version_does_not_name() {
    let queried = queried(&[
        ("trade_state", Some("HELD")),
        ("trade_type", Some("PALM")),
        ("coupon_type_0", Some("GIFT")),
    ])
    .unwrap();
    assert_eq!(queried.trade_state.as_str(), "HELD");
    assert_eq!(queried.trade_type.unwrap().as_str(), "PALM");
    assert_eq!(queried.coupons.first().unwrap().kind.as_ref().unwrap().as_str(), "GIFT");
}

#[test]
fn opens_twelve_coupons_with_holes_and_in_any_order() {
    let mut pairs = changed(QUERIED, &[("coupon_count", Some("99")), ("coupon_fee", Some("78"))]);
    for index in (0..14).rev().filter(|index| ![3, 7].contains(index)) {
        pairs.push((format!("coupon_fee_{index}"), (index + 1).to_string()));
        if index != 5 {
            pairs.push((format!("coupon_id_{index}"), format!("{}", 10_000 + index)));
        }
        if index == 0 {
            pairs.push((format!("coupon_type_{index}"), "NO_CASH".to_owned()));
        }
    }
    // Not of the family: a refund's index, a leading zero, no index.
    for name in ["coupon_fee_0_1", "coupon_fee_01", "coupon_id_"] {
        pairs.push((name.to_owned(), "1".to_owned()));
    }
    let queried = query().reply(&account(), &answer(&pairs), now()).unwrap();
    let indices: Vec<u32> = queried.coupons.iter().map(|coupon| coupon.index).collect();
    assert_eq!(indices, [0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13]);
    assert_eq!(queried.coupon_count, Some(99), "what was announced, next to what came");
    assert_eq!(queried.coupon_total, Some(Fen::new(78)));
    let first = queried.coupons.first().unwrap();
    assert_eq!(
        (first.kind.as_ref(), first.fee),
        (Some(&CouponType::NoCash), Some(Fen::new(1)))
    );
    let fifth = queried.coupons.get(4).unwrap();
    assert_eq!(
        (fifth.index, fifth.id.as_deref(), fifth.fee),
        (5, None, Some(Fen::new(6)))
    );
    assert_eq!(queried.extra.len(), 3);
}

#[test]
fn refuses_every_fault_of_a_signature() {
    let right = right_signature();
    let other = format!("{}0", right.strip_suffix(|_: char| true).unwrap());
    let swapped = if other == right { format!("1{other}") } else { other };
    for (signature, word) in [
        (None, "missing-signature"),
        (Some(String::new()), "missing-signature"),
        (Some(swapped), "mismatch"),
        (Some(right.to_lowercase()), "mismatch"),
        (Some(format!(" {right}")), "mismatch"),
        (Some(right.chars().take(31).collect()), "mismatch"),
        (Some("8DD8E79CAE52E3DDB7D7B0DFB575078B".to_owned()), "mismatch"),
        (Some("签".to_owned()), "mismatch"),
    ] {
        assert_eq!(
            place_fails(200, with_signature(signature.as_deref())),
            unknown(word),
            "{signature:?}"
        );
    }
    assert!(
        order()
            .reply(&account(), &response(200, with_signature(Some(&right))), now())
            .is_ok()
    );
}

#[test]
fn refuses_a_signature_over_other_bytes() {
    let right = right_signature();
    for (name, value) in [
        ("prepay_id", Some("wx1")),
        ("nonce_str", None),
        ("return_msg", Some("ok")),
        ("unheard_of", Some("1")),
        ("appid", Some("wx2421b1c4370ec43c")),
    ] {
        let body = xml(&changed(PLACED, &[("sign", Some(&*right)), (name, value)]));
        assert_eq!(place_fails(200, body), unknown("mismatch"), "{name}");
    }
    // Fields that are empty do not take part.
    let body = xml(&changed(PLACED, &[("sign", Some(&*right)), ("unheard_of", Some(""))]));
    assert!(order().reply(&account(), &response(200, body), now()).is_ok());
}

#[test]
fn refuses_an_answer_that_is_signed_in_another_way_than_the_request() {
    let plain = changed(PLACED, &[]);
    let named = |kind| changed(PLACED, &[("sign_type", Some(kind))]);
    for (account, pairs, by, word) in [
        (hmac_account(), plain.clone(), SignType::Md5, "mismatch"),
        (hmac_account(), named("MD5"), SignType::Md5, "malformed sign_type"),
        (account(), plain.clone(), SignType::HmacSha256, "mismatch"),
        (
            account(),
            named("HMAC-SHA256"),
            SignType::HmacSha256,
            "malformed sign_type",
        ),
        (account(), named("md5"), SignType::Md5, "malformed sign_type"),
        // What is accepted of notices is not accepted of answers.
        (
            hmac_account().also_accepting(SignType::Md5),
            plain.clone(),
            SignType::Md5,
            "mismatch",
        ),
    ] {
        let reply = order().reply(&account, &response(200, xml(&signed(&pairs, by))), now());
        assert_eq!(why(&reply.unwrap_err()), word);
    }
    for (account, by, kind) in [
        (account(), SignType::Md5, "MD5"),
        (hmac_account(), SignType::HmacSha256, "HMAC-SHA256"),
    ] {
        for pairs in [plain.clone(), named(kind)] {
            let reply = order().reply(&account, &response(200, xml(&signed(&pairs, by))), now());
            assert!(reply.is_ok(), "{kind}");
        }
    }
}

#[test]
fn takes_an_unsigned_failure_for_what_it_is() {
    let body = "<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[签名错误]]></return_msg></xml>";
    let error = order().reply(&account(), &response(200, body), now()).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(
        (&*refusal.code, &*refusal.message, refusal.verified),
        ("FAIL", "签名错误", false)
    );
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Unknown, Advice::Repeat),
        "a write"
    );
    assert!(refusal.to_string().contains("no signature proves this answer"));

    let error = query().reply(&account(), &response(200, body), now()).unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop), "a read");
}

#[test]
fn concludes_nothing_from_a_return_code_that_no_page_has() {
    let body = "<xml><return_code>SYSTEMERROR</return_code><return_msg>busy</return_msg></xml>";
    let error = query().reply(&account(), &response(200, body), now()).unwrap_err();
    assert_eq!(why(&error), "refused SYSTEMERROR");
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::Repeat));
    assert_eq!(place_fails(200, body), unknown("refused SYSTEMERROR"));
}

#[test]
fn never_takes_a_failure_for_signed_or_a_signed_answer_for_a_failure() {
    // A stripped signature and a claim of failure: the claim is nobody's word.
    let body = xml(&changed(
        PLACED,
        &[("result_code", Some("FAIL")), ("err_code", Some("ORDERPAID"))],
    ));
    assert_eq!(place_fails(200, body), unknown("missing-signature"));
    // A signed answer without `return_code` says nothing at all about the layers below it.
    let body = xml(&signed(&changed(PLACED, &[("result_code", None)]), SignType::Md5));
    assert_eq!(place_fails(200, body), unknown("field result_code"));
}

#[test]
fn refuses_bodies_that_are_not_a_message() {
    let doctype = r#"<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/passwd">]>"#;
    let big = format!("<xml><a>{}</a></xml>", "a".repeat(10 << 20));
    let duplicate = {
        let mut pairs = signed(&changed(PLACED, &[]), SignType::Md5);
        pairs.push(("prepay_id".to_owned(), "wx2".to_owned()));
        xml(&pairs)
    };
    let cut = with_signature(Some(&right_signature()));
    let cut = cut.get(..cut.len() - 3).unwrap().to_vec();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing", vec![], "empty"),
        ("blanks", b" \r\n".to_vec(), "empty"),
        (
            "a page",
            b"<!DOCTYPE html><html><body>502</body></html>".to_vec(),
            "html",
        ),
        ("a page in capitals", b"\n<HTML><p>x</HTML>".to_vec(), "html"),
        ("a small page", b"<html><body>down</body></html>".to_vec(), "html"),
        ("json", br#"{"return_code":"SUCCESS"}"#.to_vec(), "format"),
        ("text", b"Bad Gateway".to_vec(), "format"),
        (
            "a doctype",
            format!("{doctype}<xml><a>&x;</a></xml>").into_bytes(),
            "format",
        ),
        (
            "an entity",
            b"<xml><return_code>&fail;</return_code></xml>".to_vec(),
            "format",
        ),
        ("a nested field", b"<xml><a><b>1</b></a></xml>".to_vec(), "format"),
        ("a field twice", duplicate, "format"),
        ("10 MB", big.into_bytes(), "format"),
        ("NUL", b"<xml><a>\0</a></xml>".to_vec(), "format"),
        ("NUL by reference", b"<xml><a>&#0;</a></xml>".to_vec(), "format"),
        ("no UTF-8", b"<xml><a>\xff</a></xml>".to_vec(), "format"),
        ("a second root", b"<xml></xml><xml></xml>".to_vec(), "format"),
        ("cut off", cut, "format"),
        ("no field", b"<xml></xml>".to_vec(), "missing-signature"),
    ];
    for (what, body, word) in cases {
        assert_eq!(place_fails(200, body), unknown(word), "{what}");
    }
}

#[test]
fn reads_values_exactly_as_they_were_signed() {
    // The raw line ends are what XML makes of them; a CR that was meant comes as a reference.
    let pairs = changed(PLACED, &[("device_info", Some("a\nb"))]);
    let mut body = String::from_utf8(xml(&signed(&pairs, SignType::Md5))).unwrap();
    body = body.replace("a\nb", "a\r\nb");
    let reply = order().reply(&account(), &response(200, body), now()).unwrap();
    assert_eq!(reply.device_info.as_deref(), Some("a\nb"));

    let pairs = changed(PLACED, &[("device_info", Some(" a\rb]]> & 😀 "))]);
    let body = String::from_utf8(xml(&signed(&pairs, SignType::Md5))).unwrap();
    let prolog = "\u{feff}<?xml version=\"1.0\" encoding=\"GBK\"?>\r\n";
    let body = format!("{prolog}{}\r\n", body.replace('\r', "&#13;"));
    let reply = order().reply(&account(), &response(200, body), now()).unwrap();
    assert_eq!(reply.device_info.as_deref(), Some(" a\rb]]> & 😀 "), "not trimmed");
}

#[test]
fn refuses_every_status_but_200() {
    let good = xml(&signed(&changed(PLACED, &[]), SignType::Md5));
    for status in [201, 202, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        for body in [good.clone(), Vec::new(), b"<html>".to_vec()] {
            let found = place_fails(status, body);
            assert_eq!(found, unknown(&format!("status {status}")));
        }
    }
    let error = query().reply(&account(), &response(502, "<html>"), now()).unwrap_err();
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Unknown, Advice::Repeat),
        "a read is repeated"
    );
    let ErrorKind::Protocol(error) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(error.status, Some(502));
}

#[test]
fn refuses_an_answer_about_somebody_else() {
    for (name, value) in [("appid", "wx0000000000000000"), ("mch_id", "10000101")] {
        let error = placed(&[(name, Some(value))]).unwrap_err();
        assert_eq!((why(&error), error.fate()), (format!("foreign {name}"), Fate::Unknown));
        let error = queried(&[(name, Some(value))]).unwrap_err();
        assert_eq!(why(&error), format!("foreign {name}"));
        // A refusal to somebody else is not one to us.
        let refused = [
            (name, Some(value)),
            ("result_code", Some("FAIL")),
            ("err_code", Some("ORDERPAID")),
        ];
        assert_eq!(why(&placed(&refused).unwrap_err()), format!("foreign {name}"));
    }
    assert_eq!(
        why(&placed(&[("trade_type", Some("NATIVE"))]).unwrap_err()),
        "foreign trade_type"
    );
    assert_eq!(
        why(&queried(&[("out_trade_no", Some("SHOP2"))]).unwrap_err()),
        "foreign out_trade_no"
    );

    let by_remote = |id: &str| {
        let query = QueryOrder::by_transaction_id(RemoteId::new(id).unwrap());
        query.reply(&account(), &answer(&changed(QUERIED, &[])), now())
    };
    assert!(by_remote(TRANSACTION_ID).is_ok());
    assert_eq!(
        why(&by_remote("1008450740201411110005820874").unwrap_err()),
        "foreign transaction_id"
    );
}

#[test]
fn misses_what_the_contract_promises() {
    for name in ["appid", "mch_id", "result_code", "prepay_id", "trade_type"] {
        for value in [None, Some("")] {
            let error = placed(&[(name, value)]).unwrap_err();
            assert_eq!((why(&error), error.fate()), (format!("field {name}"), Fate::Unknown));
        }
    }
    for name in [
        "appid",
        "mch_id",
        "result_code",
        "trade_state",
        "out_trade_no",
        "total_fee",
        "transaction_id",
    ] {
        for value in [None, Some("")] {
            assert_eq!(why(&queried(&[(name, value)]).unwrap_err()), format!("field {name}"));
        }
    }
}

#[test]
fn refuses_values_of_another_type() {
    for (name, value) in [
        ("total_fee", "12.00"),
        ("total_fee", "1e2"),
        ("total_fee", "+1200"),
        ("total_fee", " 1200"),
        ("total_fee", "99999999999999999999"),
        ("cash_fee", "x"),
        ("settlement_total_fee", "0x10"),
        ("coupon_fee", "1,0"),
        ("coupon_fee_3", "1.0"),
        ("coupon_count", "-1"),
        ("coupon_count", "4294967296"),
        ("time_end", "2023-11-15 06:15:00"),
        ("time_end", "20231315061500"),
        ("time_end", "20231115246000"),
        ("out_trade_no", "has blank"),
        ("transaction_id", "a\tb"),
    ] {
        assert_eq!(
            why(&queried(&[(name, Some(value))]).unwrap_err()),
            format!("field {name}"),
            "{value}"
        );
    }
}

#[test]
fn counts_earlier_attempts_into_the_fate() {
    let error = placed(&[("result_code", Some("FAIL")), ("err_code", Some("NOAUTH"))]).unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop));
    let error = error.after(Fate::Unknown);
    assert_eq!(error.fate(), Fate::Unknown, "the attempt before may have worked");
}

#[test]
fn keeps_the_whole_answer_for_calls_without_a_type() {
    use yuanfen_core::{Opens as _, Verified};
    use yuanfen_wechat_v2::Reply;

    let answered = answer(&changed(PLACED, &[]));
    let reply = Verified::<Reply>::open(&account(), &answered, now())
        .unwrap()
        .into_inner();
    assert_eq!(&reply.raw, answered.body());
    assert_eq!(reply.received_at, now());
    assert_eq!(reply.fields.get("prepay_id"), Some(PREPAY_ID));
    assert_eq!(
        (reply.fields.get("appid"), reply.fields.get("mch_id")),
        (Some(APP_ID), Some(MERCHANT))
    );
    assert!(!format!("{reply:?}").contains(KEY));
}

#[test]
fn asks_again_by_what_a_hint_names() {
    use yuanfen_core::{Hint, Lookup, RefundNo};

    let of = |lookup| QueryOrder::of_hint(&Hint::new("wechat-v2", lookup)).map(|query| format!("{:?}", query.key));
    let no = OrderNo::new("A1").unwrap();
    assert_eq!(of(Lookup::Order(no)).as_deref(), Some("Merchant(OrderNo(A1))"));
    let id = RemoteId::new("42").unwrap();
    assert_eq!(of(Lookup::RemoteOrder(id)).as_deref(), Some("Remote(RemoteId(42))"));
    assert_eq!(of(Lookup::Refund(RefundNo::new("R1").unwrap())), None);
}
