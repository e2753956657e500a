//! Every vector of this crate, stage by stage.

use std::collections::BTreeSet;

use yuanfen_core::{
    BaseUrl, Fen, Notice, NotificationSource as _, Opens as _, Operation as _, OperationExt as _, Provider as _,
    Sign as _, Verified,
};
use yuanfen_form::base64_json::{decode, encode, repair_spaces};
use yuanfen_mpgateway::ops::{Action, NextStep, SubmitOrder};
use yuanfen_mpgateway::{Account, Message, Reply, SCHEME};
use yuanfen_sign::{KeyedSigner, SharedKey, keyed_text};
use yuanfen_testkit::{Case, Run, Stage, Vectors, json};

use crate::far_side::{
    BASE, MERCHANT, PAY_ID, QUERY_ID, ambient, amount, back_url, form, now, order_no, outer, posted, query, response,
    word,
};

pub(crate) fn vectors() -> Vectors {
    Vectors::of_crate(env!("CARGO_MANIFEST_DIR")).unwrap()
}

pub(crate) fn account(case: &Case<'_>) -> Account {
    Account::new(MERCHANT, case.text("key"), BaseUrl::parse(BASE).unwrap()).unwrap()
}

/// Text and signature of a payload by the rule of this crate.
fn text_and_signature<'a>(case: &Case<'a>) -> Run<'a> {
    let run = case.run();
    let key = SharedKey::new(case.text("key")).unwrap();
    let text = keyed_text(encode(case.text("payload").as_bytes()).as_bytes(), &key);
    let signer = KeyedSigner::new(key, SCHEME);
    let signature = run.at(Stage::Signature, signer.sign(text.as_bytes(), &ambient()));
    run.text(text.as_bytes()).signature(&signature)
}

#[test]
fn every_kind_of_vector_is_run() {
    assert_eq!(vectors().kinds(), BTreeSet::from(["page", "sign", "verify"]));
}

#[test]
fn signs_payloads_as_the_sheet_does() {
    for case in vectors().of("sign") {
        let mut run = text_and_signature(&case);
        if case.expected_request().is_some() {
            let message = Message::new("/api/mpgateway", case.text("payload").to_owned());
            let request = run.at(Stage::Request, account(&case).seal(message, &ambient()));
            run = run.request(&request);
        }
        run.done();
    }
}

#[test]
fn writes_the_payloads_of_the_sheet() {
    let vectors = vectors();
    let case = vectors.case("v1-submit");
    let order = SubmitOrder::new(Action::WechatScan, order_no(), amount(), back_url());
    let message = order.encode(&account(&case), &ambient()).unwrap();
    assert_eq!(message.json, case.text("payload"), "{case}");
    let case = vectors.case("v4-query");
    let message = query().encode(&account(&case), &ambient()).unwrap();
    assert_eq!(message.json, case.text("payload"), "{case}");
}

#[test]
fn sends_the_browser_to_the_pay_page_of_the_sheet() {
    for case in vectors().of("page") {
        let run = text_and_signature(&case);
        let page = run.at(Stage::Decoded, account(&case).pay_page(&order_no(), PAY_ID, &ambient()));
        let query = page.strip_prefix("https://pay.example/wxjsapi/gopay.html?").unwrap();
        run.decoded(&json!(query)).done();
    }
}

#[test]
fn opens_what_is_signed_and_refuses_what_is_not() {
    for case in vectors().of("verify") {
        let mut run = case.run();
        let account = account(&case);
        let (base64, sign) = (case.text("base64"), case.text("sign"));
        let opened = Verified::<Reply>::open(&account, &response(200, outer(base64, sign)), now());
        if case.refused().is_some() {
            run.refused(opened, word);
            continue;
        }
        let reply = run.at(Stage::Decoded, opened).into_inner();
        let repaired = repair_spaces(base64);
        let key = SharedKey::new(case.text("key")).unwrap();
        run = run.text(keyed_text(repaired.as_bytes(), &key).as_bytes());
        let (text, _) = run.at(Stage::Decoded, decode(&repaired, &yuanfen_core::Limits::DEFAULT));
        let text = String::from_utf8(text).unwrap();
        // What the provider hands out is what stands in that text.
        let whole: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(reply.object.len(), whole.len(), "{case}");
        for (name, raw) in reply.object.iter() {
            assert_eq!(
                whole[name],
                serde_json::from_str::<serde_json::Value>(raw).unwrap(),
                "{case}"
            );
        }
        run.decoded(&json!(text)).done();
    }
}

#[test]
fn opens_the_answer_of_the_sheet_into_its_order() {
    let vectors = vectors();
    for name in ["v2-submit-reply", "v2-submit-reply-upper-case"] {
        let case = vectors.case(name);
        let order = SubmitOrder::new(Action::WechatScan, order_no(), amount(), back_url());
        let body = outer(case.text("base64"), case.text("sign"));
        let submitted = order.reply(&account(&case), &response(200, body), now()).unwrap();
        assert_eq!(submitted.query_id.as_str(), QUERY_ID);
        let code = "weixin://wxpay/bizpayurl?pr=TESTpr1".to_owned();
        assert_eq!(submitted.next, NextStep::ShowCode(code));
    }
}

#[test]
fn opens_the_notice_of_the_sheet_whatever_became_of_its_plus_signs() {
    let vectors = vectors();
    for name in [
        "v3-notification",
        "v3-notification-plus-as-space",
        "v3-notification-unsigned",
    ] {
        let case = vectors.case(name);
        let (resp, sign) = (case.text("base64"), case.text("sign"));
        // Escaped as it should be, and as a sender does it who escapes nothing; a space that is one on the wire is
        // written `%20`, since a form holds none.
        for body in [
            form([("resp", resp), ("sign", sign)]),
            format!("resp={}&sign={sign}", resp.replace(' ', "%20")),
        ] {
            match account(&case).open_notification(&posted(body), now()) {
                Ok(Notice::Settles(event)) => {
                    assert_eq!(case.refused(), None, "{case}");
                    assert_eq!(event.get().amount, Fen::new(100));
                }
                Ok(other) => panic!("{case}: {other:?}"),
                Err(error) => assert_eq!(case.refused(), Some(&*word(&error)), "{case}"),
            }
        }
    }
}
