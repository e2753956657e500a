//! Every field that is sent: at its limit it is accepted and found unchanged in the request, one past it is a typed
//! error that names it. And the conditions between fields.

use yuanfen_core::{
    Address, Advice, BuildError, Effect, Error, ErrorKind, Fate, Fen, MoneyError, Operation, OperationExt as _,
    OrderNo, PayAmount, RemoteId, RuleBroken, UnixTime, ValueError,
};
use yuanfen_wechat_v2::ops::{PlaceOrder, QueryOrder};
use yuanfen_wechat_v2::{Account, TradeType};

use crate::far_side::{NOW, account, ambient, notify_url, order, sent};

/// The build error of a call.
pub(crate) fn refused<O: Operation<Provider = Account>>(operation: &O) -> BuildError {
    let error = operation.request(&account(), &ambient()).expect_err("it was built");
    assert_eq!(error.fate(), Fate::NotSent);
    assert_eq!(error.advice(), Advice::Stop, "the same again cannot help");
    build_error(error)
}

fn build_error(error: Error) -> BuildError {
    // The kind is only borrowed by the error, so what is asked of it is asked through its text and field.
    match error.kind() {
        ErrorKind::Build(BuildError::Rule(broken)) => BuildError::Rule(broken.clone()),
        ErrorKind::Build(BuildError::Missing { field, when }) => BuildError::Missing { field, when },
        ErrorKind::Build(BuildError::Conflict { fields, problem }) => BuildError::Conflict { fields, problem },
        ErrorKind::Build(BuildError::Address(error)) => BuildError::Address(error.clone()),
        ErrorKind::Build(BuildError::Time { field, problem }) => BuildError::Time { field, problem },
        ErrorKind::Build(BuildError::Value { field, problem }) => BuildError::Value {
            field,
            problem: problem.clone(),
        },
        other => panic!("{other:?}"),
    }
}

fn built(order: &PlaceOrder, field: &str) -> Option<String> {
    let request = order.request(&account(), &ambient()).unwrap();
    sent(&request).remove(field)
}

/// One text field of the unified order.
struct Row {
    field: &'static str,
    limit: usize,
    /// A character that it takes, as wide as it can be.
    accepted: char,
    /// A character that it does not take.
    outside: char,
    set: fn(&mut PlaceOrder, String),
}

fn row(field: &'static str, limit: usize, accepted: char, outside: char, set: fn(&mut PlaceOrder, String)) -> Row {
    Row {
        field,
        limit,
        accepted,
        outside,
        set,
    }
}

/// The rows of section 6.1 that are text. `out_trade_no` is there by way of a number that core lets be longer.
fn rows() -> Vec<Row> {
    vec![
        row("device_info", 32, '店', '\n', |order, text| {
            order.device_info = Some(text);
        }),
        row("body", 128, '麻', '\u{7f}', |order, text| {
            order.body = text;
        }),
        row("detail", 6000, '😀', '\0', |order, text| {
            order.detail = Some(text);
        }),
        row("attach", 127, '\n', '\u{1b}', |order, text| {
            order.attach = Some(text);
        }),
        row("out_trade_no", 32, '|', '@', |order, text| {
            order.order_no = OrderNo::new(text).unwrap();
        }),
        row("fee_type", 16, 'Y', '-', |order, text| {
            order.currency = Some(text);
        }),
        row("goods_tag", 32, '券', '\t', |order, text| {
            order.goods_tag = Some(text);
        }),
        row("trade_type", 16, 'X', ' ', |order, text| {
            order.trade_type = TradeType::from(&*text);
        }),
        row("product_id", 32, '货', '\r', |order, text| {
            order.product_id = Some(text);
        }),
        row("limit_pay", 32, '_', '-', |order, text| {
            order.limit_pay = Some(text);
        }),
        row("openid", 128, '-', 'ö', |order, text| {
            order.payer = Some(text.into());
        }),
        row("receipt", 8, 'Y', '收', |order, text| {
            order.receipt = Some(text);
        }),
        row("profit_sharing", 16, 'Y', ' ', |order, text| {
            order.profit_sharing = Some(text);
        }),
        row("scene_info", 256, '景', '\u{0}', |order, text| {
            order.scene_info = Some(text);
        }),
        row("version", 32, '.', '、', |order, text| {
            order.version = Some(text);
        }),
    ]
}

#[test]
fn takes_every_text_at_its_limit_and_sends_it_unchanged() {
    for row in rows() {
        for length in [1, row.limit] {
            let text: String = std::iter::repeat_n(row.accepted, length).collect();
            let mut order = order();
            (row.set)(&mut order, text.clone());
            assert_eq!(built(&order, row.field), Some(text), "{} of {length}", row.field);
        }
    }
}

#[test]
fn refuses_every_text_one_past_its_limit_and_says_which() {
    for row in rows() {
        let mut order = order();
        (row.set)(&mut order, std::iter::repeat_n(row.accepted, row.limit + 1).collect());
        let error = refused(&order);
        assert_eq!(error.field(), Some(row.field));
        let BuildError::Rule(RuleBroken::TooLong { length, max, .. }) = error else {
            panic!("{}: {error:?}", row.field)
        };
        assert_eq!((length, max), (row.limit + 1, row.limit), "{}", row.field);
    }
}

#[test]
fn refuses_an_empty_text_because_it_would_not_be_signed() {
    for row in rows().into_iter().filter(|row| row.field != "out_trade_no") {
        let mut order = order();
        (row.set)(&mut order, String::new());
        let error = refused(&order);
        assert!(
            matches!(&error, BuildError::Rule(RuleBroken::TooShort { field, .. }) if *field == row.field),
            "{}: {error:?}",
            row.field
        );
    }
}

#[test]
fn refuses_a_character_outside_the_alphabet_and_says_where() {
    for row in rows().into_iter().filter(|row| row.field != "out_trade_no") {
        let mut order = order();
        (row.set)(&mut order, format!("{}{}", row.accepted, row.outside));
        let error = refused(&order);
        assert!(
            matches!(&error, BuildError::Rule(RuleBroken::Character { field, position: 1, .. }) if *field == row.field),
            "{}: {error:?}",
            row.field
        );
    }
    for outside in ["no.1", "a@b", "a+b", "a/b"] {
        let mut order = order();
        order.order_no = OrderNo::new(outside).unwrap();
        assert_eq!(refused(&order).field(), Some("out_trade_no"), "{outside}");
    }
}

#[test]
fn names_the_field_that_holds_what_xml_cannot_carry() {
    let rows = rows();
    for field in ["device_info", "body", "goods_tag", "product_id"] {
        let row = rows.iter().find(|row| row.field == field).unwrap();
        for forbidden in ['\u{fffe}', '\u{ffff}'] {
            let mut order = order();
            (row.set)(&mut order, format!("a{forbidden}"));
            let error = refused(&order);
            assert_eq!(error.field(), Some(field), "{error:?}");
            assert!(matches!(
                error,
                BuildError::Value {
                    problem: ValueError::Form { .. },
                    ..
                }
            ));
        }
    }
}

#[test]
fn sends_every_row_of_the_table_and_the_common_ones() {
    let mut order = order();
    for row in rows().into_iter().filter(|row| row.field != "trade_type") {
        (row.set)(&mut order, row.accepted.to_string());
    }
    order.time_start = Some(UnixTime::from_seconds(NOW));
    order.time_expire = Some(UnixTime::from_seconds(NOW + 3600));
    let request = order.request(&account(), &ambient()).unwrap();
    let names: Vec<String> = sent(&request).into_keys().collect();
    assert_eq!(
        names,
        [
            "appid",
            "attach",
            "body",
            "detail",
            "device_info",
            "fee_type",
            "goods_tag",
            "limit_pay",
            "mch_id",
            "nonce_str",
            "notify_url",
            "openid",
            "out_trade_no",
            "product_id",
            "profit_sharing",
            "receipt",
            "scene_info",
            "sign",
            "sign_type",
            "spbill_create_ip",
            "time_expire",
            "time_start",
            "total_fee",
            "trade_type",
            "version",
        ]
    );
}

#[test]
fn sends_the_amount_in_fen_from_one_to_the_maximum() {
    for fen in [1, 100, PayAmount::MAX.get()] {
        let mut order = order();
        order.amount = PayAmount::from_fen(fen).unwrap();
        assert_eq!(built(&order, "total_fee"), Some(fen.to_string()));
    }
    for (yuan, fen) in [("0.0100", "1"), ("43.9", "4390"), ("45.0", "4500"), ("0.01", "1")] {
        let mut order = order();
        order.amount = PayAmount::from_yuan_text(yuan).unwrap();
        assert_eq!(built(&order, "total_fee").as_deref(), Some(fen), "{yuan}");
    }
}

#[test]
fn cannot_be_given_an_amount_that_is_none() {
    assert_eq!(PayAmount::from_fen(0), Err(MoneyError::Zero));
    assert_eq!(PayAmount::from_fen(-1), Err(MoneyError::Negative));
    assert_eq!(PayAmount::from_fen(PayAmount::MAX.get() + 1), Err(MoneyError::TooLarge));
    assert_eq!(PayAmount::new(Fen::ZERO), Err(MoneyError::Zero));
    assert_eq!(PayAmount::from_yuan_text("0.001"), Err(MoneyError::NotWholeFen));
    assert!(matches!(
        PayAmount::from_yuan_text("1e2"),
        Err(MoneyError::NotDecimal { .. })
    ));
}

#[test]
fn sends_addresses_of_both_internet_protocols() {
    for ip in [
        "0.0.0.0",
        "203.0.113.7",
        "255.255.255.255",
        "::1",
        "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
    ] {
        let mut order = order();
        order.payer_ip = ip.parse().unwrap();
        let sent = built(&order, "spbill_create_ip").unwrap();
        assert_eq!(sent, ip);
        assert!(sent.len() <= 64, "the sheet's limit");
    }
}

#[test]
fn takes_a_notify_address_of_256_characters_and_none_longer() {
    let start = "https://shop.example/";
    for (length, accepted) in [(256, true), (257, false)] {
        let text = format!("{start}{}", "a".repeat(length - start.len()));
        let mut order = order();
        order.notify_url = Address::parse("notify_url", &text).unwrap();
        if accepted {
            assert_eq!(built(&order, "notify_url"), Some(text));
        } else {
            let error = refused(&order);
            assert!(
                matches!(
                    error,
                    BuildError::Rule(RuleBroken::TooLong {
                        field: "notify_url",
                        ..
                    })
                ),
                "{error:?}"
            );
        }
    }
}

#[test]
fn refuses_a_notify_address_with_a_query_or_fragment() {
    for text in [
        "https://shop.example/n?",
        "https://shop.example/n?a=1",
        "https://shop.example/n#a",
    ] {
        assert!(Address::parse_plain("notify_url", text).is_err(), "{text}");
        let mut order = order();
        order.notify_url = Address::parse("notify_url", text).unwrap();
        let error = refused(&order);
        assert!(
            matches!(&error, BuildError::Address(inner) if inner.field == "notify_url"),
            "{error:?}"
        );
    }
}

/// Section 4: "reachable from outside".
#[test]
fn refuses_a_notify_address_that_the_platform_cannot_reach() {
    for host in ["localhost", "intranet", "10.1.2.3", "192.168.1.1:8443", "[::1]"] {
        let mut order = order();
        order.notify_url = Address::parse("notify_url", &format!("https://{host}/n")).unwrap();
        let error = refused(&order);
        assert!(
            matches!(&error, BuildError::Address(inner) if inner.field == "notify_url"),
            "{host}: {error:?}"
        );
    }
}

#[test]
fn takes_absolute_https_addresses_and_plain_http_to_this_machine_only() {
    for text in [
        "https://shop.example",
        "https://shop.example:8443/a/b",
        "http://127.0.0.1:8080/n",
        "http://localhost/n",
        "http://[::1]:1/n",
    ] {
        let mut order = order();
        order.notify_url = Address::parse_plain("notify_url", text).unwrap();
        assert_eq!(built(&order, "notify_url").as_deref(), Some(text));
    }
    for text in [
        "",
        "shop.example/n",
        "/n",
        "//shop.example/n",
        "ftp://shop.example/n",
        "http://shop.example/n",
        "http://192.168.0.1/n",
        "https://user@shop.example/n",
        "https://shop.example/n n",
        "https://商店.example/n",
        "“https://shop.example/n\"",
    ] {
        let error = Address::parse_plain("notify_url", text).expect_err(text);
        assert_eq!(error.field, "notify_url");
    }
}

#[test]
fn asks_for_the_openid_the_product_and_the_scene_where_the_kind_needs_them() {
    let missing = |order: PlaceOrder| match refused(&order) {
        BuildError::Missing { field, when } => (field, when),
        other => panic!("{other:?}"),
    };
    let mut jsapi = order();
    jsapi.payer = None;
    assert_eq!(missing(jsapi), ("openid", "for trade type JSAPI"));

    let (no, amount, ip) = (order().order_no, order().amount, order().payer_ip);
    let native = PlaceOrder::native(no.clone(), amount, "b", ip, notify_url(), "P1");
    assert_eq!(built(&native, "product_id").as_deref(), Some("P1"));
    assert_eq!(built(&native, "trade_type").as_deref(), Some("NATIVE"));
    assert_eq!(built(&native, "openid"), None);
    let mut without = native;
    without.product_id = None;
    assert_eq!(missing(without), ("product_id", "for trade type NATIVE"));

    let scene = r#"{"h5_info":{"type":"Wap"}}"#;
    let mweb = PlaceOrder::mweb(no.clone(), amount, "b", ip, notify_url(), scene);
    assert_eq!(built(&mweb, "scene_info").as_deref(), Some(scene));
    assert_eq!(built(&mweb, "trade_type").as_deref(), Some("MWEB"));
    let mut without = mweb;
    without.scene_info = None;
    assert_eq!(missing(without), ("scene_info", "for trade type MWEB"));

    let app = PlaceOrder::app(no, amount, "b", ip, notify_url());
    assert_eq!(built(&app, "trade_type").as_deref(), Some("APP"));
}

#[test]
fn refuses_kinds_that_have_a_call_of_their_own() {
    for kind in [TradeType::Micropay, TradeType::Face] {
        let mut order = order();
        order.trade_type = kind;
        assert_eq!(refused(&order).field(), Some("trade_type"));
    }
}

#[test]
fn writes_times_at_beijing_and_wants_a_minute_ahead() {
    let mut order = order();
    order.time_start = Some(UnixTime::from_seconds(NOW));
    // 1,700,000,000 is 2023-11-14 22:13:20 UTC.
    order.time_expire = Some(UnixTime::from_seconds(NOW + 60));
    assert_eq!(built(&order, "time_start").as_deref(), Some("20231115061320"));
    assert_eq!(built(&order, "time_expire").as_deref(), Some("20231115061420"));

    order.time_expire = Some(UnixTime::from_seconds(NOW + 59));
    let error = refused(&order);
    assert!(
        matches!(
            error,
            BuildError::Time {
                field: "time_expire",
                ..
            }
        ),
        "{error:?}"
    );
    for past in [NOW, NOW - 1, i64::MIN] {
        order.time_expire = Some(UnixTime::from_seconds(past));
        assert_eq!(refused(&order).field(), Some("time_expire"));
    }
}

#[test]
fn refuses_an_end_before_the_start_and_times_that_no_calendar_has() {
    let mut order = order();
    order.time_start = Some(UnixTime::from_seconds(NOW + 90));
    order.time_expire = Some(UnixTime::from_seconds(NOW + 90));
    assert_eq!(refused(&order).field(), Some("time_expire"));
    order.time_start = Some(UnixTime::from_seconds(NOW + 89));
    assert_eq!(built(&order, "time_start").as_deref(), Some("20231115061449"));

    // 9999-12-31 23:59:59 in Beijing, and a second later.
    let last = 253_402_271_999;
    order.time_expire = Some(UnixTime::from_seconds(last));
    assert_eq!(built(&order, "time_expire").as_deref(), Some("99991231235959"));
    for beyond in [last + 1, i64::MAX] {
        order.time_expire = Some(UnixTime::from_seconds(beyond));
        assert!(matches!(
            refused(&order),
            BuildError::Time {
                field: "time_expire",
                ..
            }
        ));
    }
    order.time_expire = None;
    order.time_start = Some(UnixTime::from_seconds(i64::MIN));
    assert!(matches!(
        refused(&order),
        BuildError::Time {
            field: "time_start",
            ..
        }
    ));
}

#[test]
fn queries_by_one_of_two_numbers_of_at_most_32_characters() {
    let asked = |query: &QueryOrder| {
        let mut fields = sent(&query.request(&account(), &ambient()).unwrap());
        (fields.remove("out_trade_no"), fields.remove("transaction_id"))
    };
    // Numbers that are asked for may have `@`, which numbers that are made may not.
    for no in ["@".to_owned(), "a_-|*@Z9".to_owned(), "9".repeat(32)] {
        let query = QueryOrder::by_order_no(OrderNo::new(&no).unwrap());
        assert_eq!(asked(&query), (Some(no), None));
    }
    for id in ["4".to_owned(), "4".repeat(32)] {
        let query = QueryOrder::by_transaction_id(RemoteId::new(&id).unwrap());
        assert_eq!(asked(&query), (None, Some(id)));
    }
    for no in ["9".repeat(33), "a.b".to_owned()] {
        let query = QueryOrder::by_order_no(OrderNo::new(&no).unwrap());
        assert_eq!(refused(&query).field(), Some("out_trade_no"), "{no}");
    }
    for id in ["4".repeat(33), "号".to_owned()] {
        let query = QueryOrder::by_transaction_id(RemoteId::new(&id).unwrap());
        assert_eq!(refused(&query).field(), Some("transaction_id"), "{id}");
    }
    let mut query = QueryOrder::by_order_no(OrderNo::new("A1").unwrap());
    for (length, accepted) in [(32, true), (33, false)] {
        query.version = Some("1".repeat(length));
        match query.request(&account(), &ambient()) {
            Ok(request) => assert!(accepted && sent(&request).contains_key("version")),
            Err(error) => assert_eq!(build_error(error).field(), Some("version"), "{accepted}"),
        }
    }
}

#[test]
fn says_what_repeating_a_call_means() {
    assert_eq!(PlaceOrder::ROUTE.effect, Effect::Repeatable);
    assert_eq!(QueryOrder::ROUTE.effect, Effect::Read);
}
