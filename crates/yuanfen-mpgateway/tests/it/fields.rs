//! Every field that is sent: at its limit it is accepted and found unchanged in the request, one past it is a typed
//! error that names it. And the conditions between fields, for all nine actions.

use yuanfen_core::{
    Address, Advice, BuildError, Effect, ErrorKind, Fate, MoneyError, NumberError, Operation, OperationExt as _,
    OrderNo, PayAmount, RemoteId, RuleBroken,
};
use yuanfen_mpgateway::ops::{Action, CancelOrder, QueryOrder, SubmitOrder};
use yuanfen_mpgateway::{Account, AmountSpelling};
use yuanfen_testkit::{Value, json};

use crate::far_side::{MERCHANT, OPENID, ORDER_NO, account, ambient, amount, back_url, order, order_no, sent};

/// The build error of a call, looked at.
fn refused<O: Operation<Provider = Account>>(operation: &O, look: impl FnOnce(&BuildError)) {
    let error = operation.request(&account(), &ambient()).expect_err("it was built");
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    let ErrorKind::Build(error) = error.kind() else {
        panic!("{error:?}")
    };
    look(error);
}

fn refused_for<O: Operation<Provider = Account>>(operation: &O, field: &str) {
    refused(operation, |error| assert_eq!(error.field(), Some(field), "{error:?}"));
}

fn built<O: Operation<Provider = Account>>(operation: &O) -> Value {
    sent(&operation.request(&account(), &ambient()).unwrap())
}

/// One text field of submit.
struct Row {
    field: &'static str,
    shortest: usize,
    longest: usize,
    accepted: char,
    outside: char,
    set: fn(&mut SubmitOrder, String),
}

const ROWS: &[Row] = &[
    Row {
        field: "orderid",
        shortest: 8,
        longest: 32,
        accepted: 'Z',
        outside: '-',
        set: |order, text| order.order_no = OrderNo::new(text).unwrap(),
    },
    Row {
        field: "action",
        shortest: 1,
        longest: 32,
        accepted: 'A',
        outside: ' ',
        set: |order, text| order.action = Action::from(&*text),
    },
    Row {
        field: "code",
        shortest: 1,
        longest: 256,
        accepted: '"',
        outside: '码',
        set: |order, text| order.code = Some(text),
    },
    Row {
        field: "openid",
        shortest: 1,
        longest: 128,
        accepted: '\\',
        outside: '\u{7f}',
        set: |order, text| order.openid = Some(text),
    },
    Row {
        field: "payway",
        shortest: 1,
        longest: 32,
        accepted: '9',
        // An int in the owner's document: no letters either.
        outside: 'a',
        set: |order, text| order.channel = Some(text),
    },
];

#[test]
fn takes_every_text_at_its_limits_and_sends_it_unchanged() {
    for row in ROWS {
        for length in [row.shortest, row.longest] {
            let text: String = std::iter::repeat_n(row.accepted, length).collect();
            let mut order = order();
            (row.set)(&mut order, text.clone());
            assert_eq!(built(&order)[row.field], json!(text), "{} of {length}", row.field);
        }
    }
}

#[test]
fn refuses_every_text_one_past_its_limits_and_says_which() {
    for row in ROWS {
        let mut order = order();
        (row.set)(&mut order, std::iter::repeat_n(row.accepted, row.longest + 1).collect());
        refused(&order, |error| {
            let BuildError::Rule(RuleBroken::TooLong { field, max, .. }) = error else {
                panic!("{}: {error:?}", row.field)
            };
            assert_eq!((*field, *max), (row.field, row.longest));
        });
        // An order number cannot be made empty at all.
        if row.shortest > 1 || row.field != "orderid" {
            (row.set)(
                &mut order,
                std::iter::repeat_n(row.accepted, row.shortest - 1).collect(),
            );
            refused(&order, |error| {
                let BuildError::Rule(RuleBroken::TooShort { field, min, .. }) = error else {
                    panic!("{}: {error:?}", row.field)
                };
                assert_eq!((*field, *min), (row.field, row.shortest));
            });
        }
    }
    assert_eq!(OrderNo::new(""), Err(NumberError::Empty { what: "order number" }));
}

#[test]
fn refuses_a_character_outside_the_alphabet_and_says_where() {
    for row in ROWS {
        let mut order = order();
        let text: String = std::iter::repeat_n(row.accepted, row.shortest)
            .chain([row.outside])
            .collect();
        (row.set)(&mut order, text);
        refused(&order, |error| {
            let BuildError::Rule(RuleBroken::Character { field, position, .. }) = error else {
                panic!("{}: {error:?}", row.field)
            };
            assert_eq!((*field, *position), (row.field, row.shortest));
        });
    }
    // A UUID needs its hyphens removed.
    let mut order = order();
    order.order_no = OrderNo::new("f51c558d-4d80-4661-9b7f-10b72733").unwrap();
    refused_for(&order, "orderid");
}

#[test]
fn sends_every_row_of_the_table() {
    let mut order = order();
    order.front_url = Some(Address::parse("fronturl", "https://shop.example/done?a=1&b=2#c").unwrap());
    order.code = Some("134567890123456789".to_owned());
    order.ip = Some("2001:db8::1".parse().unwrap());
    order.channel = Some("7".to_owned());
    assert_eq!(
        built(&order),
        json!({
            "action": "WxJsApi",
            "txnamt": 100,
            "merid": MERCHANT,
            "orderid": ORDER_NO,
            "code": "134567890123456789",
            "openid": OPENID,
            "ip": "2001:db8::1",
            "backurl": "https://shop.example/notify",
            "fronturl": "https://shop.example/done?a=1&b=2#c",
            "payway": "7",
        })
    );
}

#[test]
fn leaves_out_what_is_not_set() {
    let order = SubmitOrder::new(Action::UnionPayScan, order_no(), amount(), back_url());
    let sent = built(&order);
    let names: Vec<_> = sent.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names.len(), 5, "{names:?}");
}

#[test]
fn sends_the_amount_in_fen_as_a_number_or_as_a_text() {
    for fen in [1, 100, PayAmount::MAX.get()] {
        let mut order = order();
        order.amount = PayAmount::from_fen(fen).unwrap();
        assert_eq!(built(&order)["txnamt"], json!(fen));
        let text = account().with_amount_spelling(AmountSpelling::Text);
        let sent = sent(&order.request(&text, &ambient()).unwrap());
        assert_eq!(sent["txnamt"], json!(fen.to_string()));
    }
    for (yuan, fen) in [("0.0100", 1), ("43.9", 4390), ("45.0", 4500)] {
        let mut order = order();
        order.amount = PayAmount::from_yuan_text(yuan).unwrap();
        assert_eq!(built(&order)["txnamt"], json!(fen));
    }
    for (yuan, error) in [
        ("0", MoneyError::Zero),
        ("-1", MoneyError::Negative),
        ("0.001", MoneyError::NotWholeFen),
        ("1e2", MoneyError::NotDecimal { position: 1 }),
        ("100000000.01", MoneyError::TooLarge),
    ] {
        assert_eq!(PayAmount::from_yuan_text(yuan), Err(error), "{yuan}");
    }
}

#[test]
fn asks_for_what_each_of_the_nine_actions_needs() {
    let nine = [
        ("WxCode", Action::WechatCode, Some("code")),
        ("WxSao", Action::WechatScan, None),
        ("WxJsApi", Action::WechatOfficialAccount, Some("openid")),
        ("WxH5", Action::WechatH5, Some("ip")),
        ("AliCode", Action::AlipayCode, Some("code")),
        ("AliSao", Action::AlipayScan, None),
        ("QQCode", Action::QqCode, Some("code")),
        ("QQSao", Action::QqScan, None),
        ("USao", Action::UnionPayScan, None),
    ];
    for (wire, action, needs) in nine {
        assert_eq!((action.as_str(), Action::from(wire)), (wire, action.clone()));
        let bare = SubmitOrder::new(action.clone(), order_no(), amount(), back_url());
        let fill = |field: &str| {
            let mut order = bare.clone();
            match field {
                "code" => order.code = Some("134567890123456789".to_owned()),
                "openid" => order.openid = Some(OPENID.to_owned()),
                _ => order.ip = Some("203.0.113.7".parse().unwrap()),
            }
            order
        };
        match needs {
            None => assert_eq!(built(&bare)["action"], json!(wire)),
            Some(needed) => {
                refused(&bare, |error| {
                    let BuildError::Missing { field, when } = error else {
                        panic!("{wire}: {error:?}")
                    };
                    assert_eq!(*field, needed, "{wire}");
                    assert!(when.contains(wire), "{wire}: {when}");
                });
                // The other two do not stand in for it.
                for field in ["code", "openid", "ip"] {
                    if field == needed {
                        assert_eq!(built(&fill(field))["action"], json!(wire));
                    } else {
                        refused_for(&fill(field), needed);
                    }
                }
            }
        }
    }
    // Case matters: another spelling is another action.
    assert!(matches!(Action::from("wxsao"), Action::Unknown(_)));
    let other = SubmitOrder::new(Action::from("AliWap"), order_no(), amount(), back_url());
    assert_eq!(built(&other)["action"], json!("AliWap"));
}

#[test]
fn makes_orders_with_what_they_need() {
    let ip = "203.0.113.7".parse().unwrap();
    assert_eq!(
        built(&SubmitOrder::h5(order_no(), amount(), back_url(), ip))["ip"],
        json!("203.0.113.7")
    );
    let scanned = SubmitOrder::scanned(Action::QqCode, order_no(), amount(), back_url(), "9");
    assert_eq!(built(&scanned)["code"], json!("9"));
    assert_eq!(built(&order())["openid"], json!(OPENID));
}

#[test]
fn takes_a_front_address_for_the_official_account_only() {
    let front = || Some(Address::parse("fronturl", "https://shop.example/done").unwrap());
    let mut good = order();
    good.front_url = front();
    assert_eq!(built(&good)["fronturl"], json!("https://shop.example/done"));
    for action in [
        Action::WechatScan,
        Action::AlipayScan,
        Action::UnionPayScan,
        Action::from("AliWap"),
    ] {
        let mut order = SubmitOrder::new(action, order_no(), amount(), back_url());
        order.front_url = front();
        refused(&order, |error| {
            assert!(
                matches!(
                    error,
                    BuildError::Conflict {
                        fields: "fronturl, action",
                        ..
                    }
                ),
                "{error:?}"
            );
        });
    }
}

#[test]
fn takes_absolute_https_addresses_and_plain_http_to_this_machine_only() {
    for text in [
        "https://shop.example/n?order=1",
        "http://127.0.0.1:8080/n",
        "http://localhost/n",
        "http://[::1]/n",
    ] {
        let mut order = order();
        order.back_url = Address::parse("backurl", text).unwrap();
        order.front_url = Some(Address::parse("fronturl", text).unwrap());
        let sent = built(&order);
        assert_eq!((&sent["backurl"], &sent["fronturl"]), (&json!(text), &json!(text)));
    }
    for text in [
        "",
        "/n",
        "shop.example",
        "http://shop.example/n",
        "ftp://shop.example",
        "https://a b",
    ] {
        for field in ["backurl", "fronturl"] {
            assert_eq!(Address::parse(field, text).expect_err(text).field, field);
        }
    }
}

#[test]
fn queries_and_cancels_by_one_of_two_numbers() {
    for (no, accepted) in [
        ("a".repeat(8), true),
        ("9".repeat(32), true),
        ("a".repeat(7), false),
        ("9".repeat(33), false),
        ("abcd-1234".to_owned(), false),
    ] {
        let no = OrderNo::new(no).unwrap();
        let (query, cancel) = (
            QueryOrder::by_order_no(no.clone()),
            CancelOrder::by_order_no(no.clone()),
        );
        if accepted {
            let expected = json!({ "merid": MERCHANT, "orderid": no.as_str() });
            assert_eq!((built(&query), built(&cancel)), (expected.clone(), expected));
        } else {
            refused_for(&query, "orderid");
            refused_for(&cancel, "orderid");
        }
    }
    for id in ["H".to_owned(), "H".repeat(128)] {
        let id = RemoteId::new(id).unwrap();
        let (query, cancel) = (
            QueryOrder::by_query_id(id.clone()),
            CancelOrder::by_query_id(id.clone()),
        );
        let expected = json!({ "merid": MERCHANT, "queryid": id.as_str() });
        assert_eq!((built(&query), built(&cancel)), (expected.clone(), expected));
    }
    let id = RemoteId::new("号").unwrap();
    refused_for(&QueryOrder::by_query_id(id.clone()), "queryid");
    refused_for(&CancelOrder::by_query_id(id), "queryid");
    assert!(matches!(
        RemoteId::new("H".repeat(129)),
        Err(NumberError::TooLong { max: 128, .. })
    ));
}

#[test]
fn says_what_repeating_a_call_means() {
    assert_eq!(SubmitOrder::ROUTE.effect, Effect::QueryFirst);
    assert_eq!(CancelOrder::ROUTE.effect, Effect::QueryFirst);
    assert_eq!(QueryOrder::ROUTE.effect, Effect::Read);
}
