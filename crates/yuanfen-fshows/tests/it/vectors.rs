//! The sheet's T1 to T6 and the printed samples, through the real provider.

use yuanfen_core::{
    Address, Draft, ErrorKind, Limits, Notice, Object, OperationExt as _, PayAmount, ProtocolErrorKind, Provider as _,
};
use yuanfen_fshows::ops::PayWechatPage;
use yuanfen_fshows::{Account, Message, RsaDigest};
use yuanfen_testkit::{Case, Stage, json, oracle};

use crate::{PLATFORM_PUBLIC, account, ambient, envelope, form, now, order_no, reply, vectors};

fn digest(case: &Case<'_>) -> RsaDigest {
    match case.text("digest") {
        "sha1" => RsaDigest::Sha1,
        "sha256" => RsaDigest::Sha256,
        other => panic!("{case}: {other}"),
    }
}

fn sender(case: &Case<'_>) -> Account {
    let base = yuanfen_core::BaseUrl::parse(yuanfen_fshows::TEST_BASE).unwrap();
    Account::new("20990101000000001", case.text("key"), PLATFORM_PUBLIC, &base)
        .unwrap()
        .with_digest(digest(case))
}

fn receiver(key: &str) -> Account {
    let base = yuanfen_core::BaseUrl::parse(yuanfen_fshows::TEST_BASE).unwrap();
    Account::new("20990101000000001", crate::MERCHANT_KEY, key, &base).unwrap()
}

/// The request that T1 describes, as a shop would ask for it.
fn t1() -> PayWechatPage {
    let mut pay = PayWechatPage::official_account(
        "20990101000000000001",
        order_no(),
        PayAmount::from_yuan_text("0.01").unwrap(),
        "测试店-收款 A&B=1+2",
        "oTEST0000000000000000000000001",
        "203.0.113.7".parse().unwrap(),
    );
    pay.notify_url = Some(Address::parse("notify_url", "https://merchant.example/notify?src=fshows&v=1").unwrap());
    pay
}

#[test]
fn the_operation_makes_the_text_signature_and_body_of_t1() {
    let envelope = envelope();
    for name in [
        "t1a-request-1024-sha1",
        "t1b-request-2048-sha1",
        "t1c-request-2048-sha256",
    ] {
        let case = envelope.case(name);
        let run = case.run();
        let account = sender(&case);
        let message = yuanfen_core::Operation::encode(&t1(), &account, &ambient()).unwrap();
        let draft: Draft = run.at(Stage::Text, account.draft(message, &ambient()));
        let text = draft.text().to_vec();
        let request = run.at(Stage::Request, t1().request(&account, &ambient()));
        assert_eq!(request.uri(), "https://openapi-liquidation-test.51fubei.com/gateway");
        let signature = form(&request).get("sign").unwrap().to_owned();
        let run = run.text(text).signature(&signature);
        match case.expected_request() {
            Some(_) => run.request(&request).done(),
            None => run.done(),
        }
    }
}

#[test]
fn the_other_spelling_of_the_same_content_has_the_signature_of_t2() {
    let envelope = envelope();
    let case = envelope.case("t2-request-ascii-escaped");
    let fields = case.fields("fields");
    let account = sender(&case);
    let message = Message::new(
        "fshows.liquidation.wxpay.mppay",
        fields.get("content").unwrap().to_owned(),
    );
    let request = account.seal(message, &ambient()).unwrap();
    assert_eq!(form(&request).get("sign"), case.expected_signature());
}

#[test]
fn what_is_sent_holds_for_an_independent_verifier() {
    let public = &envelope().key("merchant_1024_pub").text.clone();
    let request = t1().request(&account(), &ambient()).unwrap();
    let mut map: oracle::Map = form(&request)
        .iter()
        .map(|(n, v)| (n.to_owned(), v.to_owned()))
        .collect();
    let sign = map.remove("sign").unwrap();
    let text = oracle::fshows_text(&map);
    assert!(oracle::rsa_verify(public, oracle::Hash::Sha1, text.as_bytes(), &sign));
    assert!(!oracle::rsa_verify(
        public,
        oracle::Hash::Sha256,
        text.as_bytes(),
        &sign
    ));
    let request = t1()
        .request(&account().with_digest(RsaDigest::Sha256), &ambient())
        .unwrap();
    let sign = form(&request).get("sign").unwrap().to_owned();
    assert!(oracle::rsa_verify(public, oracle::Hash::Sha256, text.as_bytes(), &sign));
}

/// The account that a call-back is for.
pub(crate) fn callback_account(case: &Case<'_>) -> Account {
    let mut rules = yuanfen_fshows::CallbackRules::default();
    rules.empty_values = match case.text("empties") {
        "drop-then-keep" => yuanfen_fshows::EmptyValues::EitherWay,
        "drop" => yuanfen_fshows::EmptyValues::Drop,
        "keep" => yuanfen_fshows::EmptyValues::Keep,
        other => panic!("{case}: {other}"),
    };
    receiver(case.text("key"))
        .with_digest(digest(case))
        .with_callback_rules(rules)
}

#[test]
fn call_backs_open_or_not_as_the_vectors_say() {
    for case in envelope().of("callback_verify") {
        let opened = callback_account(&case).open_callback(&case.bytes("body"));
        match (case.refused(), opened) {
            (None, Ok(_)) => {}
            (Some(reason), Err(error)) => assert_eq!(reason, crate::open_word(&error), "{case}"),
            (wanted, found) => panic!("{case}: {wanted:?}, {found:?}"),
        }
    }
}

#[test]
fn the_sheets_call_backs_open_into_what_they_say_and_settle_nothing() {
    use yuanfen_core::{Fen, Lookup, NotificationSource as _, Transition};
    use yuanfen_fshows::notify::{BestPayReturn, CallbackState, JdCallbackStatus};
    let envelope = envelope();
    let open = |name: &str| {
        let body = bytes::Bytes::from(envelope.case(name).bytes("body"));
        let event = account().open_callback(&body).unwrap().into_inner();
        let request = http::Request::post("/notify").body(body).unwrap();
        match account().open_notification(&request, now()).unwrap() {
            Notice::Hint(hint) => {
                assert_eq!(hint.route, "fshows", "{name}");
                assert_eq!(hint.lookup, Lookup::Order(event.order_no.clone()), "{name}");
                assert!(hint.is_signed, "{name}");
            }
            other => panic!("{name} names no account, and settles nothing: {other:?}"),
        }
        event
    };
    let event = open("t3-call-back");
    assert_eq!((event.state, event.order_no), (CallbackState::Wechat, order_no()));
    let event = open("t4-call-back-doubly-encoded");
    assert_eq!(event.state, CallbackState::Jd(JdCallbackStatus::Paid));
    assert_eq!(event.amount, Fen::new(1));
    assert_eq!(event.order_no.as_str(), "DEMO_20990101_0002");
    // Decoded once: the percent signs of what was encoded before stay.
    assert_eq!(event.extra.get("open_id"), Some("AbC%2FdEf%2B123%3D%3D"));
    assert_eq!(event.extra.get("desc"), Some("支付成功"));
    assert_eq!(account().key(&event).transition, Transition::OrderPaid);
    for name in ["t5a-dropped-under-drop-then-keep", "t5b-kept-under-drop-then-keep"] {
        let event = open(name);
        assert_eq!(event.state, CallbackState::BestPay(BestPayReturn::Paid), "{name}");
        assert_eq!(event.extra.get("retn_info"), None, "{name}");
    }
}

#[test]
fn replies_are_read_or_refused_as_the_vectors_say() {
    for case in vectors().of("reply") {
        let run = case.run();
        let response = reply(200, case.bytes("body"));
        let opened = {
            let mut pay = t1();
            pay.amount = PayAmount::from_fen(1).unwrap();
            pay.reply(&account(), &response, now())
        };
        if case.refused().is_some() {
            run.refused(opened, |error| match error.kind() {
                ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Format => "not-json".to_owned(),
                other => panic!("{other:?}"),
            });
            continue;
        }
        let (run, found) = match opened {
            Ok(prepaid) => {
                let fees = &prepaid.fees;
                let text = |decimal: &Option<yuanfen_core::Decimal>| decimal.as_ref().unwrap().to_string();
                let mut fields = yuanfen_core::Fields::new();
                for (name, value) in [
                    ("prepay_id", prepaid.prepay_id.as_str().to_owned()),
                    ("total_fee", prepaid.amount.unwrap().yuan().to_string()),
                    ("net_receipt_amount", prepaid.net_amount.unwrap().yuan().to_string()),
                    ("bank_commission_rate", text(&fees.bank_rate)),
                    ("bank_commission_fee", text(&fees.bank_fee)),
                    ("pay_platform_rate", text(&fees.wallet_rate)),
                    ("pay_platform_fee", text(&fees.wallet_fee)),
                    ("liquidator_commission_rate", text(&fees.liquidator_rate)),
                    ("liquidator_commission_fee", text(&fees.liquidator_fee)),
                    ("gatewayCommissionRate", text(&fees.gateway_rate)),
                    ("gatewayCommissionFee", text(&fees.gateway_fee)),
                    ("notify_url", prepaid.notify_url.clone().unwrap()),
                ] {
                    fields.push(name, &value).unwrap();
                }
                assert!(prepaid.extra.is_empty(), "{case}");
                (run.fields(&fields), json!({"success": true}))
            }
            Err(error) => {
                let refusal = error.refusal().unwrap_or_else(|| panic!("{case}: {error:?}"));
                let found = json!({
                    "success": false, "error_code": refusal.code, "error_message": refusal.message,
                });
                (run, found)
            }
        };
        run.decoded(&found).done();
    }
}

#[test]
fn printed_requests_are_read_or_refused_as_the_vectors_say() {
    for case in vectors().of("request") {
        let run = case.run();
        let read = Object::parse(&case.bytes("body"), &Limits::DEFAULT)
            .map_err(|_| "not-json")
            .and_then(|object| object.to_fields().map_err(|_| "wrong-type"));
        if case.refused().is_some() {
            run.refused(read, |word| (*word).to_owned());
            continue;
        }
        let fields = read.unwrap();
        // The content of the printed sample is what the operation writes for it.
        let mut pay = PayWechatPage::official_account(
            "20170720205421027980",
            yuanfen_core::OrderNo::new("CQL201709061009040181240").unwrap(),
            PayAmount::from_fen(1).unwrap(),
            "测试服务商",
            "odBg7w0urs07MhHgZT2leFHOfAo1",
            "123.56.171.228".parse().unwrap(),
        );
        pay.notify_url = Some(Address::parse("notify_url", "https://cc.ngrok.cc/test").unwrap());
        let message = yuanfen_core::Operation::encode(&pay, &account(), &ambient()).unwrap();
        // Its notify address is plain http to another machine, which is refused here; the rest is the same.
        assert_eq!(
            Some(message.content.replace("https:", "http:").as_str()),
            fields.get("content")
        );
        assert!(Address::parse("notify_url", "http://cc.ngrok.cc/test").is_err());
        run.fields(&fields).done();
    }
}
