//! What holds for any bytes and for any order.

use proptest::prelude::*;
use yuanfen_core::{NotificationSource as _, OpenError, Opens as _, OperationExt as _, OrderNo, PayAmount, Unsigned};
use yuanfen_fshows::ops::{OrderKey, PayWechatPage, QueryRefund, Refund};
use yuanfen_fshows::{Account, CallbackBody, CallbackRules, Reply, RsaDigest};
use yuanfen_testkit::oracle;

use crate::{account, ambient, envelope, form, now, open_word, order_no, pay, query, reply};

/// Bytes that are no message, and texts that are nearly one.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![
        1 => Just("null".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => Just("true".to_owned()),
        1 => "-?[0-9]{1,20}(\\.[0-9]{1,6})?",
        1 => "\"[ -~]{0,20}\"",
        4 => "\\{(\"(prepay_id|total_fee|refund_status|status|out_trade_no)\":\"?[0-9]\"?)?\\}",
    ];
    // Mostly successes, or their values would seldom be read.
    let success = prop_oneof![4 => Just("true".to_owned()), 1 => value.clone()];
    let json = (value, success).prop_map(|(value, success)| {
        format!("{{\"return_value\":{value},\"error_code\":{success},\"success\":{success}}}").into_bytes()
    });
    let form = prop::collection::vec(
        (
            prop_oneof![
                Just("sign".to_owned()),
                Just("status".to_owned()),
                Just("out_trade_no".to_owned()),
                Just("total_fee".to_owned()),
                "[a-z_]{1,9}",
            ],
            "[ -~]{0,30}",
        ),
        0..8,
    )
    .prop_map(|pairs| form_of(&pairs).into_bytes());
    prop_oneof![prop::collection::vec(any::<u8>(), 0..300), json, form]
}

/// A form whose values are escaped where they must be.
fn form_of(pairs: &[(String, String)]) -> String {
    let pairs = pairs.iter().map(|(name, value)| {
        let value: String = value.bytes().map(|octet| format!("%{octet:02X}")).collect();
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn orders() -> impl Strategy<Value = PayWechatPage> {
    let texts = (
        "[!-~]{1,20}",
        "[0-9A-Za-z_]{1,64}",
        "[^\\p{C}]{1,24}",
        "[!-~]{1,128}",
        proptest::option::of("[!-~]{1,32}"),
    );
    (texts, 1..=PayAmount::MAX.get(), any::<std::net::Ipv4Addr>()).prop_map(
        |((sub_merchant, order_no, body, openid, goods_tag), fen, ip)| {
            let amount = PayAmount::from_fen(fen).unwrap();
            let order_no = OrderNo::new(order_no).unwrap();
            let mut pay = PayWechatPage::official_account(sub_merchant, order_no, amount, body, openid, ip);
            pay.goods_tag = goods_tag;
            pay
        },
    )
}

fn both_bodies() -> Account {
    let mut rules = CallbackRules::default();
    rules.body = CallbackBody::FormOrJson;
    account().with_callback_rules(rules)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_read_as_a_reply_without_a_panic_and_never_as_a_signed_one(
        body in bodies(),
        status in prop_oneof![Just(200_u16), 100..600_u16],
    ) {
        let response = reply(status, body);
        // The type of what is opened says that nobody signed it; there is no other way to a reply of these operations.
        let opened: Result<Unsigned<Reply>, OpenError> = Unsigned::<Reply>::open(&account(), &response, now());
        prop_assert!(status == 200 || opened.is_err());
        let refund_no = yuanfen_core::RefundNo::new("REFUND_20990101_0001").unwrap();
        let order = || OrderKey::Liquidator(order_no());
        if let Ok(prepaid) = pay().reply(&account(), &response, now()) {
            prop_assert!(prepaid.amount.is_none_or(|amount| amount == pay().amount.fen()));
        }
        let _read = query().reply(&account(), &response, now());
        for record in [
            Refund::new(order(), refund_no.clone()).reply(&account(), &response, now()),
            QueryRefund::by_refund_no(order(), refund_no.clone()).reply(&account(), &response, now()),
        ] {
            let Ok(record) = record else { continue };
            // No body above names the refund, so none settles it.
            prop_assert_eq!(record.standing(), yuanfen_core::Standing::Pending);
        }
    }

    #[test]
    fn no_bytes_but_the_platforms_are_a_call_back(body in bodies()) {
        for (account, reads_json) in [(account(), false), (both_bodies(), true)] {
            let word = open_word(&account.open_callback(&body).unwrap_err());
            prop_assert!(
                ["missing-signature", "mismatch", "format", "html", "empty"].contains(&&*word)
                    // A JSON member that is no text, and so cannot have been signed.
                    || (reads_json && word.starts_with("field ")),
                "{}", word
            );
            let request = http::Request::post("/notify").body(bytes::Bytes::from(body.clone())).unwrap();
            prop_assert!(account.open_notification(&request, now()).is_err());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_is_sealed_into_what_an_independent_verifier_reads_and_holds_true(
        pay in orders(),
        is_sha256 in any::<bool>(),
    ) {
        let (digest, hash) = if is_sha256 {
            (RsaDigest::Sha256, oracle::Hash::Sha256)
        } else {
            (RsaDigest::Sha1, oracle::Hash::Sha1)
        };
        let account = account().with_digest(digest);
        let request = pay.request(&account, &ambient()).unwrap();
        let mut fields: oracle::Map = form(&request).iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let signature = fields.remove("sign").unwrap();
        let text = oracle::fshows_text(&fields);
        let ours = yuanfen_core::Operation::encode(&pay, &account, &ambient())
            .and_then(|message| yuanfen_core::Provider::draft(&account, message, &ambient()))
            .unwrap();
        prop_assert_eq!(ours.text(), text.as_bytes());
        let public = &envelope().key("merchant_1024_pub").text.clone();
        prop_assert!(oracle::rsa_verify(public, hash, text.as_bytes(), &signature));
        // And what is signed is the order.
        let content: serde_json::Value = serde_json::from_str(&fields["content"]).unwrap();
        let fen = pay.amount.fen().get();
        for (name, value) in [
            ("sub_merchant_id", &*pay.sub_merchant_id),
            ("out_trade_no", pay.order_no.as_str()),
            ("total_fee", &*format!("{}.{:02}", fen / 100, fen % 100)),
            ("body", &*pay.body),
            ("sub_openid", &*pay.openid),
            ("spbill_create_ip", &*pay.payer_ip.to_string()),
        ] {
            prop_assert_eq!(content[name].as_str(), Some(value), "{}", name);
        }
        prop_assert_eq!(content.get("goods_tag").and_then(|tag| tag.as_str()), pay.goods_tag.as_deref());
    }
}
