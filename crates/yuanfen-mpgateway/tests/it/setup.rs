//! Accounts: what they are made of and what they refuse.

use std::error::Error as _;

use yuanfen_core::{BaseUrl, OperationExt as _};
use yuanfen_mpgateway::codes::ResultCode;
use yuanfen_mpgateway::{Account, PaidCodes, SetupError};

use crate::far_side::{BASE, KEY, MERCHANT, account, ambient, order, sent};

fn made(merchant: &str, key: &str) -> Result<Account, SetupError> {
    Account::new(merchant, key, BaseUrl::parse(BASE).unwrap())
}

#[test]
fn takes_a_merchant_number_of_32_characters_and_sends_it() {
    for merchant in ["1".to_owned(), "1".repeat(32)] {
        let account = made(&merchant, KEY).unwrap();
        assert_eq!(account.merchant(), merchant);
        assert_eq!(sent(&order().request(&account, &ambient()).unwrap())["merid"], merchant);
    }
}

#[test]
fn refuses_a_merchant_number_that_is_none() {
    for bad in [
        String::new(),
        "1".repeat(33),
        "1 ".to_owned(),
        "1-2".to_owned(),
        "号".to_owned(),
    ] {
        let SetupError::Number(error) = made(&bad, KEY).unwrap_err() else {
            panic!("{bad:?}")
        };
        assert_eq!(error.field(), Some("merid"), "{bad:?}");
    }
}

#[test]
fn refuses_an_empty_key() {
    let error = made(MERCHANT, "").unwrap_err();
    assert!(matches!(error, SetupError::Key(_)), "{error:?}");
    let source = error.source().unwrap().to_string();
    assert!(
        !error.to_string().contains(&source),
        "Display does not repeat its source"
    );
}

#[test]
fn has_no_host_of_its_own_and_takes_none_in_the_clear() {
    assert_eq!(BaseUrl::parse("http://pay.example").unwrap_err().field, "base address");
    let stub = Account::new(MERCHANT, KEY, BaseUrl::parse("http://127.0.0.1:9/x/").unwrap()).unwrap();
    let request = order().request(&stub, &ambient()).unwrap();
    assert_eq!(request.uri(), "http://127.0.0.1:9/x/api/mpgateway");
}

#[test]
fn counts_two_codes_as_paid_unless_told_otherwise() {
    let strict = account().with_paid_codes(PaidCodes::SettledOnly);
    for (code, paid, strictly) in [
        ("0000", true, true),
        ("1001", false, false),
        ("1002", true, false),
        ("1003", false, false),
        ("1004", false, false),
        ("00", false, false),
        ("2002", false, false),
        ("", false, false),
    ] {
        let code = ResultCode::from(code);
        assert_eq!(
            (account().counts_as_paid(&code), strict.counts_as_paid(&code)),
            (paid, strictly),
            "{code}"
        );
    }
}

#[test]
fn lists_its_calls() {
    let routes = yuanfen_mpgateway::ops::routes();
    let listed: Vec<_> = routes
        .iter()
        .map(|info| (info.route.operation, info.route.path))
        .collect();
    assert_eq!(
        listed,
        [
            ("submit_order", "/api/mpgateway"),
            ("query_order", "/api/query"),
            ("cancel_order", "/api/cancel"),
        ]
    );
    assert!(routes.iter().all(|info| info.route.provider == "mpgateway"));
}

#[test]
fn never_settles_by_submitting_again() {
    let rule = yuanfen_mpgateway::settle::ORDER;
    assert_eq!((rule.repeat, rule.repeats), (yuanfen_core::Repeat::Never, 0));
}
