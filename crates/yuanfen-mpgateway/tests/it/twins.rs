//! Negative twins: every byte, field and header of good messages, those of the positive vectors among them, changed
//! once.

use std::fmt;

use yuanfen_core::{Limits, Notice, NotificationSource as _, Operation, OperationExt as _, Verified};
use yuanfen_form::base64_json::{decode, encode};
use yuanfen_mpgateway::ops::{Action, SubmitOrder};
use yuanfen_mpgateway::{Account, SCHEME};
use yuanfen_sign::{KeyedSigner, SharedKey, keyed_text};
use yuanfen_testkit::mutate::{Change, Mutation, Place, Tally};
use yuanfen_testkit::{Message, Mutant, Outcome, Value, expect_twins};

use crate::far_side::{
    account, amount, back_url, form, noticed, now, order, order_no, queried, query, response, signed, submitted, why,
    word,
};
use crate::vectors::{account as account_of, vectors};

fn open(mutant: &Mutant) -> Outcome<String> {
    let account = account();
    let request = mutant.request("https://shop.example/notify").unwrap();
    let opened = account.open_notification(&request, now()).map(|notice| match notice {
        Notice::Settles(event) => {
            let event = event.into_inner();
            let extra: Vec<_> = event.extra.iter().collect();
            format!(
                "{:?} {:?} {:?} {:?} {extra:?} {:?}",
                account.key(&event),
                account.facts(&event),
                event.result_message,
                event.paid_text,
                event.raw
            )
        }
        other => format!("{other:?}"),
    });
    Outcome::of(opened, word)
}

#[test]
fn refuses_every_change_to_a_notice_that_a_reader_could_see() {
    let (resp, sign) = signed(&noticed().to_string());
    let message = Message::of_fields([("resp", &*resp), ("sign", &*sign)], |pairs| {
        form(pairs.iter().map(|(name, value)| (&**name, &**value))).into_bytes()
    });
    let body = String::from_utf8(message.original().body).unwrap();
    let sign_at = body.find("&sign=").unwrap() + "&sign=".len();
    let tally = expect_twins(&message, open);
    tally.expect_reasons(&["mismatch", "missing-signature", "missing resp", "format"]);
    tally.expect_same_only(|Mutation { place, change, .. }| match (place, change) {
        // Hex digits of the signature and of escapes, in the other case: both spellings mean the same.
        (Place::Body(at), Change::Case) => {
            *at >= sign_at || body.get(at - 1..*at) == Some("%") || body.get(at - 2..at - 1) == Some("%")
        }
        // A field that nobody knows beside the two.
        (Place::Field(name), Change::Added) => name == "unheard_of",
        _ => false,
    });
    assert!(tally.refused("mismatch") > 500, "{tally:?}");
    assert!(!tally.same().is_empty(), "{tally:?}");
}

#[test]
fn refuses_every_change_inside_the_payload() {
    // The payload's own bytes, changed before they are put into base64 under the old signature.
    let payload = noticed().to_string();
    let (_, sign) = signed(&payload);
    let tally = expect_twins(&Message::new(payload.clone()), |mutant| {
        let Ok(text) = std::str::from_utf8(&mutant.body) else {
            return Outcome::Refused("no text".to_owned());
        };
        let (resp, _) = signed(text);
        let mut twin = mutant.clone();
        twin.body = form([("resp", &*resp), ("sign", &*sign)]).into_bytes();
        open(&twin)
    });
    tally.expect_reasons(&["mismatch", "no text"]);
    tally.expect_same_only(|_| false);
}

/// The two fields as a form, with a header that the platform sends.
fn posted_form(resp: &str, sign: &str) -> Message {
    Message::of_fields([("resp", resp), ("sign", sign)], |pairs| {
        form(pairs.iter().map(|(name, value)| (&**name, &**value))).into_bytes()
    })
    .header("content-type", "application/x-www-form-urlencoded")
}

/// The two fields as the JSON of an answer. A doubled field stands twice.
fn answered(resp: &str, sign: &str) -> Message {
    Message::of_fields([("resp", resp), ("sign", sign)], |pairs| {
        let members: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}:{}", Value::from(&**name), Value::from(&**value)))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    })
    .header("content-type", "application/json")
}

/// What may change without anybody noticing: headers, a field that nobody knows, the case of hex digits.
fn expect_same_but_for_spelling(message: &Message, tally: &Tally) {
    let body = String::from_utf8(message.original().body).unwrap();
    // Behind the last `sign` stand hex digits.
    let sign_at = body.rfind("sign").unwrap();
    tally.expect_same_only(|Mutation { place, change, .. }| match (place, change) {
        (Place::Header(_) | Place::HeaderOctet(..), _) => true,
        (Place::Field(name), Change::Added) => name == "unheard_of",
        (Place::Body(at), Change::Case) => {
            *at > sign_at || body.get(at - 1..*at) == Some("%") || body.get(at - 2..at - 1) == Some("%")
        }
        _ => false,
    });
    let of_header = |mutation: &Mutation| matches!(mutation.place, Place::Header(_));
    assert!(tally.same().iter().any(of_header));
    // The digits of the signature alone are 32.
    assert!(tally.refused("mismatch") > 3 * 32, "{tally:?}");
}

/// The twins of an answer to that operation, all of which `show` must show.
fn expect_answer_twins<O>(account: &Account, operation: &O, resp: &str, sign: &str, show: impl Fn(O::Reply) -> String)
where
    O: Operation<Provider = Account>,
{
    let message = answered(resp, sign);
    let tally = expect_twins(&message, |mutant| {
        let response = mutant.response(200).unwrap_or_else(|| response(200, ""));
        Outcome::of(operation.reply(account, &response, now()).map(&show), why)
    });
    expect_same_but_for_spelling(&message, &tally);
    tally.expect_reasons(&["field resp", "format", "mismatch", "missing-signature"]);
    // Four letters of either name in four ways, the field removed, and its value emptied.
    assert_eq!(tally.refused("field resp"), 4 * 4 + 2);
    assert_eq!(tally.refused("missing-signature"), 4 * 4 + 2);
}

fn shown(value: &impl fmt::Debug, extra: &yuanfen_core::Extra) -> String {
    format!("{value:?} {:?}", extra.iter().collect::<Vec<_>>())
}

#[test]
fn refuses_every_change_to_the_signed_messages_of_the_vectors() {
    let vectors = vectors();
    let cases = vectors.of("verify");
    let good: Vec<_> = cases.iter().filter(|case| case.refused().is_none()).collect();
    let (mut answers, mut notices) = (0, 0);
    for case in good {
        let account = account_of(case);
        let (resp, sign) = (case.text("base64"), case.text("sign"));
        if case.name().starts_with("v2-submit-reply") {
            let order = SubmitOrder::new(Action::WechatScan, order_no(), amount(), back_url());
            expect_answer_twins(&account, &order, resp, sign, |submitted| {
                shown(&(&submitted.query_id, show_next(&submitted.next)), &submitted.extra)
            });
            answers += 1;
        } else {
            let message = posted_form(resp, sign);
            let tally = expect_twins(&message, open);
            expect_same_but_for_spelling(&message, &tally);
            tally.expect_reasons(&["format", "mismatch", "missing resp", "missing-signature"]);
            notices += 1;
        }
    }
    assert_eq!(
        (answers, notices),
        (2, 2),
        "a vector more: say here what its twins give"
    );
}

fn show_next(next: &yuanfen_mpgateway::ops::NextStep) -> String {
    use yuanfen_mpgateway::ops::NextStep;
    match next {
        NextStep::ShowCode(text) | NextStep::OpenPayPage(text) | NextStep::Open(text) => format!("{next:?} {text}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn refuses_every_change_to_the_answers_of_a_submit_and_a_query() {
    let (resp, sign) = signed(&submitted().to_string());
    expect_answer_twins(&account(), &order(), &resp, &sign, |submitted| {
        shown(&(&submitted.query_id, show_next(&submitted.next)), &submitted.extra)
    });
    let (resp, sign) = signed(&queried().to_string());
    expect_answer_twins(&account(), &query(), &resp, &sign, |queried| {
        shown(&queried, &queried.extra)
    });
}

#[test]
fn a_verifier_refuses_every_change_to_what_the_vectors_send() {
    let vectors = vectors();
    for kind in ["sign", "page"] {
        let cases = vectors.of(kind);
        assert!(!cases.is_empty(), "{kind}");
        for case in cases {
            let key = || SharedKey::new(case.text("key")).unwrap();
            let req = encode(case.text("payload").as_bytes());
            let sent = [("req", &*req), ("sign", case.expected_signature().unwrap())];
            let message = Message::of_fields(sent, |pairs| {
                form(pairs.iter().map(|(name, value)| (&**name, &**value))).into_bytes()
            });
            let tally = expect_twins(&message, |mutant| {
                let Ok(fields) = yuanfen_form::read(&mutant.body, &Limits::DEFAULT) else {
                    return Outcome::Refused("format".to_owned());
                };
                let Some(req) = fields.filled("req") else {
                    return Outcome::Refused("missing req".to_owned());
                };
                let Some(sign) = fields.filled("sign") else {
                    return Outcome::Refused("missing-signature".to_owned());
                };
                let text = keyed_text(req.as_bytes(), &key());
                match Verified::check(&KeyedSigner::new(key(), SCHEME), text.as_bytes(), sign, req) {
                    Ok(req) => Outcome::Opened(decode(req.get(), &Limits::DEFAULT).unwrap().0),
                    Err(_) => Outcome::Refused("mismatch".to_owned()),
                }
            });
            tally.expect_reasons(&["format", "mismatch", "missing req", "missing-signature"]);
            let body = String::from_utf8(message.original().body).unwrap();
            let sign_at = body.rfind("sign").unwrap();
            tally.expect_same_only(|Mutation { place, change, .. }| match (place, change) {
                (Place::Body(at), Change::Case) => *at > sign_at || body.get(at - 2..at - 1) == Some("%"),
                (Place::Field(name), Change::Added) => name == "unheard_of",
                _ => false,
            });
        }
    }
}
