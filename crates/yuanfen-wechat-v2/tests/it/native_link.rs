//! Native mode 1: the link of a static code, the question that a scan asks, and the answer.

use std::collections::BTreeMap;

use yuanfen_core::{BuildError, OpenError, PrepayId, Verified};
use yuanfen_testkit::oracle;
use yuanfen_wechat_v2::{Account, ScanAnswer, ScannedProduct, SignType};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, NOW, OPENID, PREPAY_ID, Pairs, account, ambient, changed, hmac_account, now, posted, signed,
    word, xml,
};
use crate::sub_merchant::shop;

/// The values of a link, decoded by hand.
fn opened(link: &str) -> BTreeMap<String, String> {
    let query = link.strip_prefix("weixin://wxpay/bizpayurl?").unwrap();
    let unescape = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.as_bytes();
        while let [first, behind @ ..] = rest {
            match (first, behind) {
                (b'%', [high, low, behind @ ..]) => {
                    let digits = String::from_utf8(vec![*high, *low]).unwrap();
                    bytes.push(u8::from_str_radix(&digits, 16).unwrap());
                    rest = behind;
                }
                (byte, behind) => {
                    assert!(byte.is_ascii_alphanumeric() || b"-._~".contains(byte), "{text}");
                    bytes.push(*byte);
                    rest = behind;
                }
            }
        }
        String::from_utf8(bytes).unwrap()
    };
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), unescape(value)))
        .collect()
}

#[test]
fn signs_the_raw_values_of_a_link_and_escapes_them_on_the_way() {
    for product in ["88888", "A1 & B=2", "麻婆豆腐/😀", "a+b%20?#"] {
        for account in [account(), hmac_account()] {
            let link = account.native_link(product, &ambient()).unwrap();
            let names: Vec<_> = link
                .split(['?', '&'])
                .skip(1)
                .map(|pair| pair.split('=').next().unwrap())
                .collect();
            assert_eq!(
                names,
                ["sign", "appid", "mch_id", "product_id", "time_stamp", "nonce_str"]
            );
            let mut values = opened(&link);
            let signature = values.remove("sign").unwrap();
            assert_eq!(values["product_id"], product);
            assert_eq!((&*values["appid"], &*values["mch_id"]), (APP_ID, MERCHANT));
            assert_eq!(values["time_stamp"], NOW.to_string(), "seconds");
            // No name of an algorithm: MD5 whatever the account does elsewhere.
            assert_eq!(signature, oracle::v2_md5(&values, KEY));
        }
    }
    let two = [
        account().native_link("1", &ambient()),
        account().native_link("2", &ambient()),
    ]
    .map(Result::unwrap);
    assert_ne!(two.first(), two.last());
}

#[test]
fn refuses_a_product_that_is_none_and_a_link_that_nobody_describes() {
    for (product, fits) in [
        ("1".repeat(32), true),
        ("1".repeat(33), false),
        (String::new(), false),
        ("a\n".to_owned(), false),
    ] {
        match account().native_link(&product, &ambient()) {
            Ok(_) => assert!(fits, "{product:?}"),
            Err(error) => assert_eq!((error.field(), fits), (Some("product_id"), false)),
        }
    }
    for provider in [shop(), account().for_every_sub_merchant()] {
        let error = provider.native_link("1", &ambient()).unwrap_err();
        assert!(matches!(error, BuildError::Setup { .. }), "{error:?}");
    }
}

const SCANNED: &[(&str, &str)] = &[
    ("appid", APP_ID),
    ("openid", OPENID),
    ("mch_id", MERCHANT),
    ("is_subscribe", "Y"),
    ("nonce_str", "kUiRjvXv5lFB6m8J"),
    ("product_id", "麻婆豆腐 & 1"),
];

fn scanned(account: &Account, pairs: &Pairs) -> Result<ScannedProduct, String> {
    let opened: Result<_, OpenError> = account.open_product_scan(&posted(xml(pairs)));
    opened.map(Verified::into_inner).map_err(|error| word(&error))
}

#[test]
fn opens_a_scan_that_is_signed_and_ours() {
    let with = |changes: &[(&str, Option<&str>)]| signed(&changed(SCANNED, changes), SignType::Md5);
    for account in [account(), hmac_account()] {
        let scan = scanned(&account, &with(&[("new_field", Some("x"))])).unwrap();
        assert_eq!((&*scan.product_id, &*scan.openid), ("麻婆豆腐 & 1", OPENID));
        assert_eq!(scan.is_subscribed.as_deref(), Some("Y"));
        assert_eq!((scan.extra.get("new_field"), scan.extra.len()), (Some("x"), 1));
        let shown = format!("{scan:?}");
        assert!(shown.contains("麻婆豆腐") && !shown.contains(OPENID), "{shown}");
    }
    let hmac = signed(&changed(SCANNED, &[]), SignType::HmacSha256);
    assert!(scanned(&hmac_account(), &hmac).is_ok());
    let mut other_product = with(&[]);
    for (name, value) in &mut other_product {
        if name == "product_id" {
            *value = "gold".to_owned();
        }
    }
    for (pairs, expected) in [
        (changed(SCANNED, &[]), "missing-signature"),
        (changed(SCANNED, &[("sign", Some(""))]), "missing-signature"),
        (other_product, "mismatch"),
        (hmac, "mismatch"),
        (with(&[("appid", Some("wx1"))]), "foreign appid"),
        (with(&[("mch_id", Some("1"))]), "foreign mch_id"),
        (with(&[("mch_id", None)]), "field mch_id"),
        (with(&[("product_id", None)]), "field product_id"),
        (with(&[("openid", Some(""))]), "field openid"),
    ] {
        assert_eq!(scanned(&account(), &pairs).unwrap_err(), expected);
    }
    let page = account().open_product_scan(&posted(&b"<html></html>"[..])).unwrap_err();
    assert_eq!(word(&page), "html");
}

fn answered(answer: &ScanAnswer<'_>) -> BTreeMap<String, String> {
    let response = hmac_account().answer_product_scan(answer, &ambient()).unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
    let text = std::str::from_utf8(response.body()).unwrap();
    let document = roxmltree::Document::parse(text).unwrap();
    let mut fields: BTreeMap<_, _> = document
        .root_element()
        .children()
        .map(|field| {
            (
                field.tag_name().name().to_owned(),
                field.text().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let signature = fields.remove("sign").unwrap();
    assert_eq!(signature, oracle::v2_md5(&fields, KEY));
    fields
}

#[test]
fn answers_a_scan_with_an_order_or_with_words() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let mut order = answered(&ScanAnswer::Order(&prepay_id));
    assert!(order.remove("nonce_str").is_some_and(|nonce| nonce.len() == 32));
    let fields: Vec<_> = order.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        fields,
        [
            ("appid", APP_ID),
            ("mch_id", MERCHANT),
            ("prepay_id", PREPAY_ID),
            ("result_code", "SUCCESS"),
            ("return_code", "SUCCESS"),
        ]
    );
    let refused = answered(&ScanAnswer::Refused("已售完 <1>"));
    assert_eq!(
        (&*refused["result_code"], &*refused["err_code_des"]),
        ("FAIL", "已售完 <1>")
    );
    assert!(!refused.contains_key("prepay_id"));

    let account = account();
    let field = |answer: &ScanAnswer<'_>| account.answer_product_scan(answer, &ambient()).unwrap_err();
    assert_eq!(field(&ScanAnswer::Refused("")).field(), Some("err_code_des"));
    assert_eq!(
        field(&ScanAnswer::Refused(&"完".repeat(129))).field(),
        Some("err_code_des")
    );
    let old = PrepayId::issued(PREPAY_ID, yuanfen_core::UnixTime::from_seconds(NOW - 7200));
    assert!(matches!(
        field(&ScanAnswer::Order(&old)),
        BuildError::Time { field: "prepay_id", .. }
    ));
    assert_eq!(
        field(&ScanAnswer::Order(&PrepayId::issued("", now()))).field(),
        Some("prepay_id")
    );
}
