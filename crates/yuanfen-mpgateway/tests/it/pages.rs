//! Browser addresses, and what browsers bring back.

use yuanfen_core::{Address, BuildError, Fen, OrderNo};
use yuanfen_mpgateway::OpenidPage;
use yuanfen_testkit::json;

use crate::far_side::{
    KEY, MERCHANT, ORDER_NO, PAY_ID, account, ambient, changed, form, noticed, order_no, payload_of, signed, word,
};

fn query_of(address: &str) -> Vec<(String, String)> {
    let (_, query) = address.split_once('?').unwrap();
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

#[test]
fn sends_a_visitor_to_the_openid_page_and_back() {
    let back = "https://shop.example/back?table=4&name=麻婆";
    assert!(Address::parse("backurl", back).is_err(), "not ASCII");
    let back = "https://shop.example/back?table=4&name=%E9%BA%BB+x#top";
    let mut page = OpenidPage::new(Address::parse("backurl", back).unwrap());
    let address = account().openid_page(&page).unwrap();
    assert!(
        address.starts_with("https://pay.example/wxjsapi/openid.html?"),
        "{address}"
    );
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(query_of(&address), [pair("backurl", back), pair("merid", MERCHANT)]);
    assert!(!address.contains("sign="), "this page is not signed");

    page.channel = Some("12".to_owned());
    let address = account().openid_page(&page).unwrap();
    assert_eq!(
        query_of(&address),
        [pair("backurl", back), pair("payway", "12"), pair("merid", MERCHANT)]
    );
    for (channel, accepted) in [
        ("1".repeat(32), true),
        ("1".repeat(33), false),
        (String::new(), false),
        ("1&merid=2".to_owned(), false),
        // An int in the owner's document.
        ("WX12".to_owned(), false),
        ("-1".to_owned(), false),
    ] {
        page.channel = Some(channel);
        match account().openid_page(&page) {
            Ok(_) => assert!(accepted),
            Err(error) => assert_eq!((error.field(), accepted), (Some("payway"), false)),
        }
    }
}

#[test]
fn signs_the_address_of_the_pay_page() {
    for pay_id in [PAY_ID.to_owned(), "a".repeat(256), "a+b/c=&\"\\ d".to_owned()] {
        let address = account().pay_page(&order_no(), &pay_id, &ambient()).unwrap();
        let query = address.strip_prefix("https://pay.example/wxjsapi/gopay.html?").unwrap();
        let payload: serde_json::Value = serde_json::from_slice(&payload_of(query.as_bytes())).unwrap();
        assert_eq!(
            payload,
            json!({ "merid": MERCHANT, "orderid": ORDER_NO, "code": pay_id })
        );
        assert!(!address.contains(KEY));
    }
}

#[test]
fn refuses_a_pay_page_for_what_is_no_pay_id_or_order() {
    let page = |no: &str, pay_id: &str| account().pay_page(&OrderNo::new(no).unwrap(), pay_id, &ambient());
    for pay_id in ["", "支付", "a\n", &"a".repeat(257)] {
        let error = page(ORDER_NO, pay_id).unwrap_err();
        assert!(matches!(error, BuildError::Rule(_)), "{error:?}");
        assert_eq!(error.field(), Some("code"), "{pay_id}");
    }
    for no in ["1234567", "abcd-1234", &"9".repeat(33)] {
        assert_eq!(page(no, PAY_ID).unwrap_err().field(), Some("orderid"), "{no}");
    }
}

#[test]
fn opens_what_a_browser_brings_back_and_refuses_what_nobody_signed() {
    let (resp, sign) = signed(&noticed().to_string());
    for query in [
        form([("resp", &*resp), ("sign", &*sign)]),
        format!("resp={resp}&sign={sign}"),
        format!("utm=x&{}", form([("resp", &*resp), ("sign", &*sign.to_uppercase())])),
    ] {
        let back = account().open_front_return(&query).unwrap();
        assert_eq!(
            (back.get().amount, back.get().order_no.as_str()),
            (Fen::new(100), ORDER_NO)
        );
    }
    let (foreign, foreign_sign) = signed(&changed(noticed(), &[("merid", json!("00000002"))]).to_string());
    for (query, expected) in [
        (String::new(), "missing resp"),
        (form([("resp", &*resp)]), "missing-signature"),
        (form([("resp", &*resp), ("sign", "")]), "missing-signature"),
        (form([("resp", &*resp), ("sign", &*foreign_sign)]), "mismatch"),
        (form([("resp", &*foreign), ("sign", &*foreign_sign)]), "foreign merid"),
        ("resp".to_owned(), "format"),
    ] {
        assert_eq!(
            word(&account().open_front_return(&query).unwrap_err()),
            expected,
            "{query}"
        );
    }
}
