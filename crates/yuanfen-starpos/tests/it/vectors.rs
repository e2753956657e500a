//! The sheet's vectors: through the real provider, request and reply, and the options that its variants name.

use yuanfen_core::{
    Draft, Effect, Fields, Opens as _, OperationExt as _, Provider as _, RawOperation, Route, Unsigned, Verified,
};
use yuanfen_sign::{Blanks, NameOrder, PairRules, SharedKey};
use yuanfen_starpos::{Account, Message, RULES, Reply, SignedAs};
use yuanfen_testkit::{Case, Stage, oracle};

use crate::{account, ambient, body, map, now, reply, sent, signature_word, vectors, with};

fn account_of(case: &Case<'_>) -> Account {
    Account::new("00001", "000000000000001", "00000001", case.text("key")).unwrap()
}

/// The message of a case as a caller would write it: `signType` and `signValue` are the provider's to add.
fn message(case: &Case<'_>) -> Message {
    let mut fields = Fields::new();
    for (name, value) in case.pairs("fields") {
        if name != "signType" && name != "signValue" {
            fields.push(name, value).unwrap();
        }
    }
    Message::new("/call.json", fields, SignedAs::TypeAndValue)
}

#[test]
fn signs_as_the_vectors_say() {
    for case in vectors().of("sign") {
        let run = case.run();
        let account = account_of(&case);
        let draft: Draft = run.at(Stage::Text, account.draft(message(&case), &ambient()));
        let text = draft.text().to_vec();
        let request = run.at(Stage::Signature, account.seal(message(&case), &ambient()));
        let signature = sent(&request).get("signValue").unwrap().to_owned();
        run.text(text).signature(&signature).done();
    }
}

#[test]
fn the_request_of_the_first_vector_is_what_the_operation_makes() {
    let vectors = vectors();
    let case = vectors.case("v1-pub-sig-qry");
    let request = yuanfen_starpos::ops::QueryOfficialAccount::new()
        .request(&account(), &ambient())
        .unwrap();
    let fields = sent(&request);
    assert_eq!(fields.get("signValue"), case.expected_signature());
    let mut theirs = map(case.pairs("fields"));
    theirs.insert("signValue".to_owned(), case.expected_signature().unwrap().to_owned());
    assert_eq!(map(fields.iter()), theirs);
}

#[test]
fn verifies_or_refuses_as_the_vectors_say() {
    for case in vectors().of("verify") {
        let run = case.run();
        let account = account_of(&case);
        let received: Vec<_> = case.pairs("fields");
        // `pubSigPay` opens as unsigned, in either sort order; everything else must be signed.
        let response = reply(200, body(&received));
        let opened = if case.text("operation") == "pubSigPay" {
            Unsigned::<Reply>::open(&account, &response, now()).map(|reply| {
                assert!(reply.get().proven);
                reply.into_inner()
            })
        } else {
            Verified::<Reply>::open(&account, &response, now()).map(Verified::into_inner)
        };
        let run = match case.expected_text() {
            // The right text; the raw order's is another, which only a provider of that order writes.
            Some(_) => {
                let rules = if case.name().ends_with("raw-order") && case.refused().is_none() {
                    PairRules {
                        order: NameOrder::Bytes,
                        ..RULES
                    }
                } else {
                    RULES
                };
                let key = SharedKey::new(case.text("key")).unwrap();
                let mut fields = Fields::new();
                for (name, value) in case.pairs("fields") {
                    let value = if value == crate::ENCODED { "交易成功" } else { value };
                    fields.push(name, value).unwrap();
                }
                run.text(rules.text(&fields, &key).as_bytes())
            }
            None => run,
        };
        if case.refused().is_some() {
            run.refused(opened, |error| match error {
                yuanfen_core::OpenError::Signature(error) => signature_word(error).to_owned(),
                other => panic!("{other:?}"),
            });
        } else {
            let opened = opened.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            match case.expected_fields() {
                Some(_) => run.fields(&opened.fields).done(),
                None => run.done(),
            }
        }
    }
}

#[test]
fn each_option_makes_the_digest_of_the_variant_that_it_is_for() {
    let vectors = vectors();
    let case = vectors.case("v2-sdk-barcode-pos-pay");
    let left_out: &[&str] = &[
        "signValue",
        "oprId",
        "trmTyp",
        "subject",
        "selOrderNo",
        "goods_tag",
        "attach",
    ];
    for (name, rules) in [
        (
            "v2-wrong-raw-order",
            PairRules {
                order: NameOrder::Bytes,
                ..RULES
            },
        ),
        (
            "v2-wrong-spaces-kept",
            PairRules {
                blanks: Blanks::Keep,
                ..RULES
            },
        ),
        (
            "v2-wrong-raw-order-spaces-kept",
            PairRules {
                order: NameOrder::Bytes,
                blanks: Blanks::Keep,
                ..RULES
            },
        ),
        (
            "v2-wrong-mandatory-only",
            PairRules {
                left_out: Box::leak(left_out.into()),
                ..RULES
            },
        ),
    ] {
        let account = account_of(&case).with_rules(rules);
        let request = account.seal(message(&case), &ambient()).unwrap();
        let variant = vectors.case(name);
        let expected = map(variant.pairs("fields"));
        assert_eq!(
            sent(&request).get("signValue"),
            expected.get("signValue").map(String::as_str),
            "{name}"
        );
        // And with that option the variant is the message that holds, which it is not without.
        let response = reply(200, body(&with(&variant.pairs("fields"), &[("returnCode", Some(""))])));
        let word = |account: &Account| match Verified::<Reply>::open(account, &response, now()) {
            Ok(_) => "holds",
            Err(yuanfen_core::OpenError::Signature(error)) => signature_word(&error),
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(
            (word(&account), word(&account_of(&case))),
            ("holds", "mismatch"),
            "{name}"
        );
    }
}

#[test]
fn the_digests_of_pushes_hold_or_not_as_the_vectors_say() {
    for case in vectors().of("push_digest") {
        let (datas, key) = (case.text("datas"), case.text("md5_key"));
        let made = oracle::starpos_push_sign(datas, key);
        assert_eq!(
            made.eq_ignore_ascii_case(case.text("signature")),
            case.refused().is_none(),
            "{case}"
        );
    }
}

#[test]
fn a_call_without_a_type_is_signed_like_any_other() {
    const ROUTE: Route = Route::new(
        "starpos",
        "bar_code_pay",
        http::Method::POST,
        "/sdkBarcodePosPay.json",
        Effect::QueryFirst,
    );
    let vectors = vectors();
    let case = vectors.case("v2-sdk-barcode-pos-pay");
    let raw = RawOperation::new(ROUTE, message(&case));
    let (request, info) = raw.request::<Verified<Reply>>(&account(), &ambient()).unwrap();
    assert_eq!(sent(&request).get("signValue"), case.expected_signature());
    let v3 = vectors.case("v3-reply");
    let response = reply(200, body(&v3.pairs("fields")));
    let opened: Verified<Reply> = RawOperation::<Account>::open(&info, &account(), &response, now()).unwrap();
    assert_eq!(opened.get().fields.get("message"), Some("交易成功"));
}
