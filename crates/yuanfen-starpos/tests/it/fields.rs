//! What is sent: every row at its limit and one past it, and what goes between fields.

use yuanfen_core::{BuildError, ErrorKind, OperationExt as _, OrderNo, PayAmount, RemoteId, RuleBroken};
use yuanfen_starpos::ops::{PayOfficialAccount, Payer, QueryOfficialAccount, QueryOrder};
use yuanfen_starpos::{Account, PayMode, SetupError};

use crate::{CODE, KEY, MERCHANT, OPENID, account, ambient, pay, request, sent};

/// How a rule was broken: its field, and in which way.
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
    match error.kind() {
        ErrorKind::Build(error) => broken(error),
        other => panic!("{other:?}"),
    }
}

type SetPay = fn(&mut PayOfficialAccount, String);

#[test]
fn every_text_of_pub_sig_pay_is_taken_at_its_limit_and_refused_one_past_it() {
    let number = |text: String| OrderNo::new(text).unwrap();
    let rows: [(&str, usize, &str, &str, SetPay); 8] = [
        // name, most, a character that is allowed, one that is not
        ("selOrderNo", 50, "A", "-", |pay, text| {
            pay.order_no = OrderNo::new(text).unwrap();
        }),
        ("tradeNo", 64, "_", "*", |pay, text| {
            pay.trade_no = Some(OrderNo::new(text).unwrap());
        }),
        ("code", 64, "c", "é", |pay, text| pay.payer = Payer::Code(text)),
        ("openid", 50, "o", "é", |pay, text| {
            pay.payer = Payer::Openid {
                openid: text,
                app_id: None,
            }
        }),
        ("txnappid", 32, "w", "é", |pay, text| {
            pay.payer = Payer::Openid {
                openid: OPENID.to_owned(),
                app_id: Some(text),
            };
        }),
        ("subject", 256, "中", "\n", |pay, text| pay.subject = Some(text)),
        ("goods_tag", 250, "中", "\0", |pay, text| pay.goods_tag = Some(text)),
        ("attach", 256, "中", "\u{7f}", |pay, text| pay.attach = Some(text)),
    ];
    for (name, most, good, bad, set) in rows {
        let with = |text: String| {
            let mut pay = pay();
            set(&mut pay, text);
            pay
        };
        let longest = good.repeat(most);
        assert_eq!(
            request(&with(longest.clone())).unwrap().get(name),
            Some(longest.as_str()),
            "{name}"
        );
        // Core's own order number ends at 64, so one past that cannot even be made.
        if name == "tradeNo" {
            assert!(OrderNo::new(good.repeat(65)).is_err());
        } else {
            assert_eq!(
                built(&request(&with(good.repeat(most + 1))).unwrap_err()),
                (name, "long")
            );
            if name != "selOrderNo" {
                assert_eq!(built(&request(&with(String::new())).unwrap_err()), (name, "short"));
            }
        }
        assert_eq!(
            built(&request(&with(format!("{good}{bad}"))).unwrap_err()),
            (name, "character")
        );
    }
    assert_eq!(number("A".to_owned()).as_str(), "A");
}

#[test]
fn an_absent_text_is_not_sent() {
    let mut pay = pay();
    pay.trade_no = None;
    let fields = request(&pay).unwrap();
    for name in [
        "tradeNo",
        "openid",
        "txnappid",
        "subject",
        "goods_tag",
        "attach",
        "opSys",
        "characterSet",
    ] {
        assert_eq!(fields.get(name), None, "{name}");
    }
}

#[test]
fn pub_sig_pay_has_the_documented_fields() {
    let mut pay = pay();
    pay.subject = Some("测试 商品".to_owned());
    pay.goods_tag = Some("tag".to_owned());
    let request = pay.request(&account(), &ambient()).unwrap();
    assert_eq!(request.method(), http::Method::POST);
    assert_eq!(
        request.uri(),
        "https://gateway.starpos.com.cn/adpweb/ehpspos3/pubSigPay.json"
    );
    assert_eq!(
        request.headers()["user-agent"],
        concat!("yuanfen/", env!("CARGO_PKG_VERSION"))
    );
    let sent = sent(&request);
    let without_signature: Vec<_> = sent.iter().filter(|(name, _)| *name != "signValue").collect();
    assert_eq!(
        without_signature,
        [
            ("orgNo", "00001"),
            ("mercId", MERCHANT),
            ("trmNo", "00000001"),
            ("txnTime", "20240102030405"),
            ("version", "V1.0.0"),
            ("tradeNo", "SHOP20240102000001"),
            ("code", CODE),
            ("amount", "100"),
            ("total_amount", "100"),
            ("subject", "测试 商品"),
            ("selOrderNo", "SHOP20240102000001"),
            ("goods_tag", "tag"),
            ("signType", "MD5"),
        ]
    );
}

#[test]
fn a_payer_is_a_code_or_an_openid() {
    let by_code = request(&pay()).unwrap();
    assert_eq!((by_code.get("code"), by_code.get("openid")), (Some(CODE), None));
    let mut pay = pay();
    pay.payer = Payer::Openid {
        openid: OPENID.to_owned(),
        app_id: Some("wx0000000000000000".to_owned()),
    };
    let by_openid = request(&pay).unwrap();
    assert_eq!((by_openid.get("code"), by_openid.get("openid")), (None, Some(OPENID)));
    assert_eq!(by_openid.get("txnappid"), Some("wx0000000000000000"));
}

#[test]
fn the_total_may_be_more_than_what_is_paid_and_never_less() {
    for (amount, total, allowed) in [
        (100, 100, true),
        (100, 101, true),
        (100, 99, false),
        (10_000_000_000, 10_000_000_000, true),
    ] {
        let mut pay = pay();
        pay.amount = PayAmount::from_fen(amount).unwrap();
        pay.total = PayAmount::from_fen(total).unwrap();
        match request(&pay) {
            Ok(fields) => {
                assert!(allowed);
                assert_eq!(fields.get("amount"), Some(amount.to_string().as_str()));
                assert_eq!(fields.get("total_amount"), Some(total.to_string().as_str()));
            }
            Err(error) => {
                assert!(!allowed);
                assert!(matches!(
                    error.kind(),
                    ErrorKind::Build(BuildError::Conflict {
                        fields: "amount, total_amount",
                        ..
                    })
                ));
            }
        }
    }
    for fen in [0, -1, 10_000_000_001] {
        assert!(PayAmount::from_fen(fen).is_err());
    }
}

#[test]
fn attach_switches_to_the_version_that_has_it() {
    let mut pay = pay();
    pay.attach = Some("a".to_owned());
    let fields = request(&pay).unwrap();
    assert_eq!(
        (fields.get("version"), fields.get("attach")),
        (Some("V1.0.1"), Some("a"))
    );
    let mut query = QueryOfficialAccount::new();
    assert_eq!(request(&query).unwrap().get("version"), Some("V1.0.0"));
    query.attach = Some("中".repeat(256));
    assert_eq!(request(&query).unwrap().get("version"), Some("V1.0.1"));
    query.attach = Some("中".repeat(257));
    assert_eq!(built(&request(&query).unwrap_err()), ("attach", "long"));
    query.attach = Some(String::new());
    assert_eq!(built(&request(&query).unwrap_err()), ("attach", "short"));
}

#[test]
fn pay_mode_chooses_the_signature_fields() {
    for (mode, sign_type, sign_value) in [
        (PayMode::Signed, true, true),
        (PayMode::ValueOnly, false, true),
        (PayMode::Unsigned, false, false),
    ] {
        let account = account().with_pay_mode(mode);
        let fields = sent(&pay().request(&account, &ambient()).unwrap());
        assert_eq!(fields.get("signType").is_some(), sign_type, "{mode:?}");
        assert_eq!(fields.get("signValue").is_some(), sign_value, "{mode:?}");
        if let Some(found) = fields.get("signValue") {
            let expected = yuanfen_testkit::oracle::starpos_sign(&crate::map(fields.iter()), KEY);
            assert_eq!(found, expected, "{mode:?}");
        }
        // The other calls are signed whatever the mode.
        let query = sent(&QueryOfficialAccount::new().request(&account, &ambient()).unwrap());
        assert!(query.get("signType").is_some() && query.get("signValue").is_some());
    }
}

#[test]
fn a_query_has_the_documented_fields_and_a_number_of_its_own_each_time() {
    let query = QueryOrder::by_trade_no(&pay().order_no);
    let ambient = ambient();
    let request = query.request(&account(), &ambient).unwrap();
    assert_eq!(request.uri().path(), "/adpweb/ehpspos3/sdkQryBarcodePay.json");
    let fields = sent(&request);
    let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
    assert_eq!(
        names,
        [
            "opSys",
            "characterSet",
            "orgNo",
            "mercId",
            "trmNo",
            "tradeNo",
            "txnTime",
            "version",
            "qryNo",
            "signType",
            "signValue"
        ]
    );
    assert_eq!(
        (fields.get("opSys"), fields.get("version")),
        (Some("3"), Some("V1.0.1"))
    );
    assert_eq!(fields.get("qryNo"), Some("SHOP20240102000001"));
    let again = sent(&query.request(&account(), &ambient).unwrap());
    let number = fields.get("tradeNo").unwrap();
    assert_ne!(Some(number), again.get("tradeNo"));
    assert!(number.len() <= 64 && number.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[test]
fn the_number_that_is_asked_for_has_64_characters_at_most() {
    let by = |text: &str| QueryOrder::by_log_no(&RemoteId::new(text).unwrap());
    assert_eq!(request(&by(&"9".repeat(64))).unwrap().get("qryNo").unwrap().len(), 64);
    assert_eq!(built(&request(&by(&"9".repeat(65))).unwrap_err()), ("qryNo", "long"));
    assert_eq!(built(&request(&by("号")).unwrap_err()), ("qryNo", "character"));
    assert!(RemoteId::new("").is_err(), "core has no empty number");
}

#[test]
fn every_number_of_an_account_is_taken_at_its_limit_and_refused_one_past_it() {
    let new = |organization: &str, merchant: &str, terminal: &str, key: &str| {
        Account::new(organization, merchant, terminal, key)
    };
    assert!(new(&"a".repeat(15), &"b".repeat(15), "C0000001", "k").is_ok());
    let wrong = |result: Result<Account, SetupError>| match result.unwrap_err() {
        SetupError::Number(error) => broken(&error),
        other => panic!("{other:?}"),
    };
    for (account, expected) in [
        (new(&"1".repeat(16), MERCHANT, "00000001", KEY), ("orgNo", "long")),
        (new("", MERCHANT, "00000001", KEY), ("orgNo", "short")),
        (new("1-2", MERCHANT, "00000001", KEY), ("orgNo", "character")),
        (new("00001", &"1".repeat(16), "00000001", KEY), ("mercId", "long")),
        (new("00001", "", "00000001", KEY), ("mercId", "short")),
        (new("00001", "商户", "00000001", KEY), ("mercId", "character")),
        (new("00001", MERCHANT, "000000001", KEY), ("trmNo", "long")),
        (new("00001", MERCHANT, "0000001", KEY), ("trmNo", "short")),
        (new("00001", MERCHANT, "0000 001", KEY), ("trmNo", "character")),
    ] {
        assert_eq!(wrong(account), expected);
    }
    assert!(matches!(
        new("00001", MERCHANT, "00000001", "").unwrap_err(),
        SetupError::Key(_)
    ));
}

#[test]
fn the_time_is_that_of_china_on_a_24_hour_clock() {
    for (seconds, expected) in [
        (1_704_135_845, "20240102030405"),
        (1_704_117_599, "20240101215959"),
        (1_704_038_400, "20240101000000"),
    ] {
        let ambient = yuanfen_core::FixedAmbient::at(seconds);
        let fields = sent(&pay().request(&account(), &ambient).unwrap());
        assert_eq!(fields.get("txnTime"), Some(expected));
    }
}

#[test]
fn nothing_of_a_refused_request_was_sent() {
    let mut pay = pay();
    pay.subject = Some(String::new());
    let error = request(&pay).unwrap_err();
    assert_eq!(error.fate(), yuanfen_core::Fate::NotSent);
    assert_eq!(error.advice(), yuanfen_core::Advice::Stop);
}

#[test]
fn another_base_address_is_in_front_of_every_call() {
    let base = yuanfen_core::BaseUrl::parse("http://127.0.0.1:8280/adpweb/ehpspos3").unwrap();
    let request = pay().request(&account().with_base(base), &ambient()).unwrap();
    assert_eq!(request.uri(), "http://127.0.0.1:8280/adpweb/ehpspos3/pubSigPay.json");
    assert!(yuanfen_core::BaseUrl::parse("http://gateway.starpos.com.cn/adpweb/ehpspos3").is_err());
}
