//! What is sent: every row at its limit and one past it, and what goes between fields.

use yuanfen_core::{
    Address, BaseUrl, BuildError, ErrorKind, OperationExt as _, OrderNo, PayAmount, RemoteId, RuleBroken,
};
use yuanfen_fshows::ops::{OrderKey, PayWechatPage, QueryOrder};
use yuanfen_fshows::{Account, SetupError, TEST_BASE};

use crate::{MERCHANT_KEY, OPENID, PLATFORM_PUBLIC, account, ambient, content, form, pay, query};

fn broken(error: &BuildError) -> (&'static str, &'static str) {
    match error {
        BuildError::Rule(broken) => {
            let way = match broken {
                RuleBroken::TooShort { .. } => "short",
                RuleBroken::TooLong { .. } => "long",
                RuleBroken::Character { .. } => "character",
                other => panic!("{other:?}"),
            };
            (broken.field(), way)
        }
        other => panic!("{other:?}"),
    }
}

fn built(error: &yuanfen_core::Error) -> (&'static str, &'static str) {
    assert_eq!(error.fate(), yuanfen_core::Fate::NotSent);
    match error.kind() {
        ErrorKind::Build(error) => broken(error),
        other => panic!("{other:?}"),
    }
}

type SetPay = fn(&mut PayWechatPage, String);

#[test]
fn every_text_is_taken_at_its_limit_and_refused_one_past_it() {
    let rows: [(&str, usize, &str, &str, SetPay); 6] = [
        // name, most, a character that is allowed, one that is not
        ("sub_merchant_id", 20, "1", "商", |pay, text| {
            pay.sub_merchant_id = text;
        }),
        ("body", 128, "中", "\n", |pay, text| pay.body = text),
        ("sub_openid", 128, "o", "é", |pay, text| pay.openid = text),
        ("sub_appid", 32, "w", "é", |pay, text| pay.sub_app_id = Some(text)),
        ("sub_mch_id", 32, "1", "é", |pay, text| {
            pay.wechat_merchant_id = Some(text);
        }),
        ("goods_tag", 32, "券", "\0", |pay, text| pay.goods_tag = Some(text)),
    ];
    for (name, most, good, bad, set) in rows {
        let with = |text: String| {
            let mut pay = pay();
            set(&mut pay, text);
            pay
        };
        let longest = good.repeat(most);
        assert_eq!(
            content(&with(longest.clone())).unwrap().get(name),
            Some(longest.as_str()),
            "{name}"
        );
        assert_eq!(
            built(&content(&with(good.repeat(most + 1))).unwrap_err()),
            (name, "long")
        );
        assert_eq!(built(&content(&with(String::new())).unwrap_err()), (name, "short"));
        assert_eq!(
            built(&content(&with(format!("{good}{bad}"))).unwrap_err()),
            (name, "character")
        );
    }
}

#[test]
fn an_order_number_has_letters_digits_and_underscores() {
    let with = |text: &str| {
        let mut pay = pay();
        pay.order_no = OrderNo::new(text).unwrap();
        pay
    };
    let longest = "a_Z9".repeat(16);
    assert_eq!(
        content(&with(&longest)).unwrap().get("out_trade_no"),
        Some(longest.as_str())
    );
    assert!(OrderNo::new("a".repeat(65)).is_err());
    for wrong in ["a-1", "a|1", "a.1", "a*1"] {
        assert_eq!(
            built(&content(&with(wrong)).unwrap_err()),
            ("out_trade_no", "character"),
            "{wrong}"
        );
        let query = QueryOrder::by_order_no(OrderNo::new(wrong).unwrap());
        assert_eq!(
            built(&content(&query).unwrap_err()),
            ("out_trade_no", "character"),
            "{wrong}"
        );
    }
}

#[test]
fn amounts_have_two_decimals_from_the_least_to_the_most() {
    for (fen, text) in [
        (1, "0.01"),
        (10, "0.10"),
        (100, "1.00"),
        (4390, "43.90"),
        (10_000_000_000, "100000000.00"),
    ] {
        let mut pay = pay();
        pay.amount = PayAmount::from_fen(fen).unwrap();
        let request = pay.request(&account(), &ambient()).unwrap();
        let wanted = format!("\"total_fee\":\"{text}\"");
        assert!(form(&request).get("content").unwrap().contains(&wanted), "{text}");
    }
    for wrong in [0, -1, 10_000_000_001] {
        assert!(PayAmount::from_fen(wrong).is_err());
    }
    for wrong in ["0", "-1", "0.001", "1e2", "100000000.01"] {
        assert!(PayAmount::from_yuan_text(wrong).is_err(), "{wrong}");
    }
    for (text, fen) in [("0.0100", 1), ("43.9", 4390), ("45.0", 4500)] {
        assert_eq!(
            PayAmount::from_yuan_text(text).unwrap(),
            PayAmount::from_fen(fen).unwrap()
        );
    }
}

#[test]
fn a_notify_address_is_absolute_secure_and_at_most_255_long() {
    let with = |length: usize| {
        let mut text = "https://shop.example/".to_owned();
        text += &"n".repeat(length - text.len());
        let mut pay = pay();
        pay.notify_url = Some(Address::parse("notify_url", &text).unwrap());
        pay
    };
    assert_eq!(content(&with(255)).unwrap().get("notify_url").unwrap().len(), 255);
    assert_eq!(built(&content(&with(256)).unwrap_err()), ("notify_url", "long"));
    for wrong in [
        "/notify",
        "http://shop.example/notify",
        "ftp://shop.example/",
        "https://商店.example/",
    ] {
        assert!(Address::parse("notify_url", wrong).is_err(), "{wrong}");
    }
    assert!(Address::parse("notify_url", "http://127.0.0.1:8080/notify").is_ok());
}

#[test]
fn a_mini_program_needs_its_app_id_and_a_page_does_not() {
    let mut mini = PayWechatPage::mini_program(
        "20990101000000000001",
        crate::order_no(),
        PayAmount::from_fen(1).unwrap(),
        "body",
        OPENID,
        "203.0.113.7".parse().unwrap(),
        "wx0000000000000000",
    );
    assert_eq!(content(&mini).unwrap().get("sub_appid"), Some("wx0000000000000000"));
    mini.sub_app_id = None;
    let error = content(&mini).unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Build(BuildError::Missing { field: "sub_appid", .. })
    ));
    mini.sub_app_id = Some(String::new());
    assert_eq!(built(&content(&mini).unwrap_err()), ("sub_appid", "short"));
    assert_eq!(content(&pay()).unwrap().get("sub_appid"), None);
}

#[test]
fn the_content_has_the_documented_fields_and_no_empty_ones() {
    let fields = content(&pay()).unwrap();
    let found: Vec<_> = fields.iter().collect();
    assert_eq!(
        found,
        [
            ("sub_merchant_id", "20990101000000000001"),
            ("body", "测试店-收款 A&B=1+2"),
            ("out_trade_no", "DEMO_20990101_0001"),
            ("total_fee", "0.01"),
            ("sub_openid", OPENID),
            ("spbill_create_ip", "203.0.113.7"),
        ]
    );
}

#[test]
fn the_envelope_has_five_fields_and_goes_in_the_body() {
    let request = query().request(&account(), &ambient()).unwrap();
    assert_eq!((request.method(), request.uri().query()), (&http::Method::POST, None));
    assert!(
        request.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("application/x-www-form-urlencoded")
    );
    let form = form(&request);
    let names: Vec<_> = form.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["app_id", "content", "method", "sign", "version"]);
    assert_eq!(form.get("method"), Some("fshows.liquidation.alipay.trade.query"));
    assert_eq!(form.get("version"), Some("1.0"));
}

#[test]
fn a_query_names_one_number() {
    let by_ours = content(&query()).unwrap();
    assert_eq!(
        by_ours.iter().collect::<Vec<_>>(),
        [("out_trade_no", "DEMO_20990101_0001")]
    );
    let by = |text: &str| QueryOrder::by_trade_no(RemoteId::new(text).unwrap());
    let longest = "9".repeat(64);
    let by_theirs = content(&by(&longest)).unwrap();
    assert_eq!(by_theirs.iter().collect::<Vec<_>>(), [("trade_no", longest.as_str())]);
    assert_eq!(built(&content(&by(&"9".repeat(65))).unwrap_err()), ("trade_no", "long"));
    assert_eq!(built(&content(&by("号")).unwrap_err()), ("trade_no", "character"));
    assert_eq!(by("1").key, OrderKey::Platform(RemoteId::new("1").unwrap()));
}

#[test]
fn the_app_id_is_taken_at_its_limit_and_refused_one_past_it() {
    let base = BaseUrl::parse(TEST_BASE).unwrap();
    let new = |app_id: &str| Account::new(app_id, MERCHANT_KEY, PLATFORM_PUBLIC, &base);
    assert_eq!(new(&"1".repeat(28)).unwrap().app_id().len(), 28);
    for (app_id, way) in [
        ("1".repeat(29), "long"),
        (String::new(), "short"),
        ("1 2".to_owned(), "character"),
    ] {
        match new(&app_id).unwrap_err() {
            SetupError::Number(error) => assert_eq!(broken(&error), ("app_id", way)),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn keys_in_each_others_place_are_refused() {
    let base = BaseUrl::parse(TEST_BASE).unwrap();
    assert!(matches!(
        Account::new("1", PLATFORM_PUBLIC, PLATFORM_PUBLIC, &base).unwrap_err(),
        SetupError::PrivateKey(_)
    ));
    assert!(matches!(
        Account::new("1", MERCHANT_KEY, MERCHANT_KEY, &base).unwrap_err(),
        SetupError::PlatformKey(_)
    ));
    // As the platform hands it over: one line of base64.
    let bare: String = PLATFORM_PUBLIC
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    assert!(Account::new("1", MERCHANT_KEY, &bare, &base).is_ok());
}
