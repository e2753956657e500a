//! Accounts: what they are made of and what they refuse.

use std::error::Error as _;

use yuanfen_core::{BaseUrl, OperationExt as _};
use yuanfen_wechat_v2::{Account, DEFAULT_BASE, SetupError, SignType};

use crate::far_side::{APP_ID, KEY, MERCHANT, ambient, order, sent};

fn field_of(result: Result<Account, SetupError>) -> &'static str {
    match result.unwrap_err() {
        SetupError::Number(error) => error.field().unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn takes_numbers_of_32_characters_and_sends_them() {
    let (app_id, merchant) = ("a".repeat(32), "1".repeat(32));
    let account = Account::new(&*app_id, &*merchant, KEY).unwrap();
    assert_eq!((account.app_id(), account.merchant_id()), (&*app_id, &*merchant));
    let fields = sent(&order().request(&account, &ambient()).unwrap());
    assert_eq!((&fields["appid"], &fields["mch_id"]), (&app_id, &merchant));
}

#[test]
fn refuses_numbers_that_are_none_and_says_which() {
    for bad in [
        String::new(),
        "1".repeat(33),
        " 1".to_owned(),
        "1\n".to_owned(),
        "号".to_owned(),
    ] {
        assert_eq!(field_of(Account::new(&*bad, MERCHANT, KEY)), "appid", "{bad:?}");
        assert_eq!(field_of(Account::new(APP_ID, &*bad, KEY)), "mch_id", "{bad:?}");
    }
}

#[test]
fn refuses_an_empty_key() {
    let error = Account::new(APP_ID, MERCHANT, "").unwrap_err();
    assert!(matches!(error, SetupError::Key(_)), "{error:?}");
    let source = error.source().unwrap().to_string();
    assert!(
        !error.to_string().contains(&source),
        "Display does not repeat its source"
    );
}

#[test]
fn talks_to_the_mainland_host_unless_told_otherwise() {
    let account = Account::new(APP_ID, MERCHANT, KEY).unwrap();
    assert_eq!(account.sign_type(), SignType::Md5);
    let uri = |account: &Account| order().request(account, &ambient()).unwrap().uri().to_string();
    assert_eq!(uri(&account), format!("{DEFAULT_BASE}/pay/unifiedorder"));
    let stub = account.with_base(BaseUrl::parse("http://127.0.0.1:8080/v2/").unwrap());
    assert_eq!(uri(&stub), "http://127.0.0.1:8080/v2/pay/unifiedorder");
}

#[test]
fn lists_its_calls() {
    let routes = yuanfen_wechat_v2::ops::routes();
    let listed: Vec<_> = routes
        .iter()
        .map(|info| (info.route.provider, info.route.operation, info.route.path))
        .collect();
    assert_eq!(
        listed,
        [
            ("wechat-v2", "place_order", "/pay/unifiedorder"),
            ("wechat-v2", "query_order", "/pay/orderquery"),
            ("wechat-v2", "close_order", "/pay/closeorder"),
            ("wechat-v2", "refund", "/secapi/pay/refund"),
            ("wechat-v2", "refund_v2", "/secapi/pay/refundv2"),
            ("wechat-v2", "query_refund", "/pay/refundquery"),
            ("wechat-v2", "query_refund_v2", "/pay/refundqueryv2"),
            ("wechat-v2", "micropay", "/pay/micropay"),
            ("wechat-v2", "reverse_order", "/secapi/pay/reverse"),
            ("wechat-v2", "download_trade_bill", "/pay/downloadbill"),
            ("wechat-v2", "download_fund_flow_bill", "/pay/downloadfundflow"),
            ("wechat-v2", "exchange_auth_code", "/tools/authcodetoopenid"),
            ("wechat-v2", "shorten_link", "/tools/shorturl"),
            ("wechat-v2", "query_comments", "/billcommentsp/batchquerycomment"),
            ("wechat-v2", "report", "/payitil/report"),
        ]
    );
}

#[test]
fn settles_by_asking_and_by_repeating_for_the_reply() {
    let rule = yuanfen_wechat_v2::settle::ORDER;
    assert_eq!(rule.repeat, yuanfen_core::Repeat::ForTheReply);
    assert!(
        rule.absences > 1,
        "right after placing, one \"no such order\" proves nothing"
    );
}
