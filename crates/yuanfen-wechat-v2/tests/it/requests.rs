//! What is sent: bytes that another parser reads, signed over the raw values, the same again on a repeat.

use std::collections::BTreeMap;

use proptest::prelude::{Strategy, any, prop, prop_assert, prop_assert_eq, proptest};
use yuanfen_core::{Ambient as _, Fields, OperationExt as _, Provider as _, UnixTime};
use yuanfen_testkit::oracle;
use yuanfen_wechat_v2::{Account, Message};

use crate::far_side::{APP_ID, KEY, MERCHANT, account, ambient, hmac_account, order, query, sent};

fn signature_of(fields: &BTreeMap<String, String>) -> String {
    match fields.get("sign_type").map(String::as_str) {
        Some("MD5") => oracle::v2_md5(fields, KEY),
        Some("HMAC-SHA256") => oracle::v2_hmac(fields, KEY),
        other => panic!("{other:?}"),
    }
}

#[test]
fn posts_one_xml_document_with_the_accounts_numbers() {
    for (account, kind) in [(account(), "MD5"), (hmac_account(), "HMAC-SHA256")] {
        for (request, path) in [
            (order().request(&account, &ambient()).unwrap(), "/pay/unifiedorder"),
            (query().request(&account, &ambient()).unwrap(), "/pay/orderquery"),
        ] {
            assert_eq!(request.method(), http::Method::POST);
            assert_eq!(
                request.uri().to_string(),
                format!("https://api.mch.weixin.qq.com{path}")
            );
            assert_eq!(request.headers()["content-type"], "text/xml; charset=utf-8");
            let agent = request.headers()["user-agent"].to_str().unwrap();
            assert_eq!(agent, concat!("yuanfen/", env!("CARGO_PKG_VERSION")));
            let fields = sent(&request);
            assert_eq!((&*fields["appid"], &*fields["mch_id"]), (APP_ID, MERCHANT));
            assert_eq!(fields["sign_type"], kind);
            assert_eq!(fields["sign"], signature_of(&fields));
            assert_eq!(fields["sign"].len(), if kind == "MD5" { 32 } else { 64 });
            let nonce = &fields["nonce_str"];
            assert!(
                nonce.len() <= 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{nonce}"
            );
        }
    }
}

#[test]
fn repeats_an_order_with_identical_business_fields_and_another_nonce() {
    let ambient = ambient();
    let mut order = order();
    order.time_start = Some(ambient.now());
    order.time_expire = Some(UnixTime::from_seconds(ambient.now().seconds() + 7200));
    let mut first = sent(&order.request(&account(), &ambient).unwrap());
    ambient.advance(3600);
    let mut second = sent(&order.request(&account(), &ambient).unwrap());
    for name in ["nonce_str", "sign"] {
        assert_ne!(first.remove(name), second.remove(name), "{name}");
    }
    assert_eq!(first, second);
    assert_eq!(first["time_expire"], "20231115081320", "as it was at first");
}

#[test]
fn carries_hostile_text_unchanged_and_signs_it_raw() {
    for text in [
        "]]>",
        "a]]>b]]>",
        "<xml><total_fee>1</total_fee></xml>",
        "&amp; & &#13; &unknown;",
        "a&key=0&sign=1",
        "<![CDATA[x]]>",
        "'\"",
        "line\r\nline\rline\n\ttab",
        " outer blanks ",
        "😀 麻婆豆腐 é",
        "\u{fffd}\u{e000}\u{10ffff}",
    ] {
        let mut order = order();
        order.attach = Some(text.to_owned());
        let request = order.request(&account(), &ambient()).unwrap();
        let fields = sent(&request);
        assert_eq!(fields["attach"], text);
        assert_eq!(fields["sign"], signature_of(&fields), "{text:?}");
    }
}

#[test]
fn signs_elsewhere_in_two_steps() {
    let account = account();
    let ambient = ambient();
    let message = yuanfen_core::Operation::encode(&order(), &account, &ambient).unwrap();
    let draft = account.draft(message, &ambient).unwrap();
    assert!(draft.wants_signature());
    let shown = draft.redacted_text();
    assert!(shown.ends_with("&key=<key>") && !shown.contains(KEY), "{shown}");
    assert!(draft.text().ends_with(format!("&key={KEY}").as_bytes()));
    let signature = account.signer().sign(draft.text(), &ambient).unwrap();
    let fields = sent(&draft.finish(&signature).unwrap());
    assert_eq!(fields["sign"], signature_of(&fields));
}

fn record() -> impl Strategy<Value = BTreeMap<String, String>> {
    // `business_` keeps the names apart from the account's own.
    let name = "business_[A-Za-z0-9_]{0,12}";
    let value = any::<String>().prop_map(|text| {
        text.chars()
            .filter(|character| {
                matches!(character, '\t' | '\n' | '\r')
                    || !(character.is_control() || matches!(character, '\u{fffe}' | '\u{ffff}'))
            })
            .collect()
    });
    prop::collection::btree_map(name, value, 0..12)
}

proptest! {
    #[test]
    fn signs_any_record_so_that_an_independent_reader_agrees(record in record(), hmac in any::<bool>()) {
        let account: Account = if hmac { hmac_account() } else { account() };
        let mut fields = Fields::new();
        for (name, value) in &record {
            fields.push(name, value).unwrap();
        }
        let request = account.seal(Message::new("/pay/new", fields), &ambient()).unwrap();
        let mut received = sent(&request);
        prop_assert_eq!(&received["sign"], &signature_of(&received));
        for name in ["appid", "mch_id", "nonce_str", "sign_type", "sign"] {
            prop_assert!(received.remove(name).is_some());
        }
        prop_assert_eq!(received, record);
    }
}
