//! Refunds and what became of them: fields at their limits, raw replies, the one number that names both.

use yuanfen_core::{
    Advice, BuildError, Error, ErrorKind, Fate, Fen, FixedAmbient, Observation, OperationExt as _, OrderNo, PayAmount,
    RefundNo, RefusalKind, RemoteId, RuleBroken, Settle, SettleStep, SettleVerdict, Standing, UnixTime,
};
use yuanfen_starpos::codes::TradeResult;
use yuanfen_starpos::ops::{QueriedRefund, QueryRefund, Refund, RefundedPayment};
use yuanfen_starpos::settle;
use yuanfen_testkit::oracle;

use crate::{
    ENCODED, KEY, MERCHANT, NOW, account, ambient, body, now, reply, request, sent, signed, unsigned, with, word,
};

pub(crate) const REFUND_NO: &str = "R-2024_0102-0001";
const CHANNEL_NO: &str = "4200001234202401020000000001";

const REFUNDED: &[(&str, &str)] = &[
    ("tradeNo", REFUND_NO),
    ("returnCode", "000000"),
    ("sysTime", "20240102030406"),
    ("message", ENCODED),
    ("mercId", MERCHANT),
    ("logNo", "202401020000000009"),
    ("result", "S"),
    ("txnAmt", "40"),
    ("amount", "100"),
    ("total_amount", "120"),
    ("selOrderNo", "SHOP20240102000001"),
];

const QUERIED: &[(&str, &str)] = &[
    ("tradeNo", "q1"),
    ("returnCode", "000000"),
    ("sysTime", "20240102030406"),
    ("message", ENCODED),
    ("mercId", MERCHANT),
    ("logNo", "202401020000000009"),
    ("result", "S"),
    ("payChannel", "WXPAY"),
    ("refAmt", "40"),
];

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

fn refund_no() -> RefundNo {
    RefundNo::new(REFUND_NO).unwrap()
}

fn channel_no() -> RemoteId {
    RemoteId::new(CHANNEL_NO).unwrap()
}

fn remote(text: &str) -> RemoteId {
    RemoteId::new(text).unwrap()
}

/// The payment's serial number.
fn payment() -> RemoteId {
    remote("202401020000000002")
}

fn by_refund_no() -> QueryRefund {
    QueryRefund::by_refund_no(refund_no(), payment())
}

fn refund() -> Refund {
    Refund::part(channel_no(), refund_no(), PayAmount::from_fen(40).unwrap())
}

fn refunded(changes: Changes<'_>) -> Result<RefundedPayment, Error> {
    refund().reply(&account(), &signed(&with(REFUNDED, changes)), now())
}

pub(crate) fn queried(changes: Changes<'_>) -> Result<QueriedRefund, Error> {
    answered(&by_refund_no(), changes)
}

pub(crate) fn answered(query: &QueryRefund, changes: Changes<'_>) -> Result<QueriedRefund, Error> {
    query.reply(&account(), &signed(&with(QUERIED, changes)), now())
}

#[test]
fn sends_a_refund_under_its_own_number() {
    let fields = request(&refund()).unwrap();
    for (name, value) in [
        ("opSys", "3"),
        ("characterSet", "00"),
        ("orgNo", "00001"),
        ("mercId", MERCHANT),
        ("trmNo", "00000001"),
        ("tradeNo", REFUND_NO),
        ("txnTime", "20240102030405"),
        ("signType", "MD5"),
        ("version", "V1.0.0"),
        ("orderNo", CHANNEL_NO),
        ("txnAmt", "40"),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
    assert_eq!(fields.len(), 12, "and the signature");
    let map = crate::map(fields.iter());
    assert_eq!(fields.get("signValue"), Some(&*oracle::starpos_sign(&map, KEY)));
    let whole = request(&Refund::whole(channel_no(), refund_no())).unwrap();
    assert_eq!(whole.get("txnAmt"), None, "all of it is said by saying nothing");
    let built = refund().request(&account(), &ambient()).unwrap();
    assert_eq!(built.uri().path(), "/adpweb/ehpspos3/sdkRefundBarcodePay.json");
}

#[test]
fn asks_by_either_number_of_the_refund_under_a_new_number_each_time() {
    let ambient = FixedAmbient::at(NOW);
    let query = by_refund_no();
    let calls = [(); 2].map(|()| query.request(&account(), &ambient).unwrap());
    assert_eq!(calls[0].uri().path(), "/adpweb/ehpspos3/sdkQryBarcodePay.json");
    let fields = calls.map(|call| sent(&call));
    assert_ne!(fields[0].get("tradeNo"), fields[1].get("tradeNo"));
    assert_ne!(fields[0].get("tradeNo"), Some(REFUND_NO));
    assert_eq!(fields[0].get("qryNo"), Some(REFUND_NO));
    assert_eq!(fields[0].get("version"), Some("V1.0.1"), "for `refAmt`");
    let by_log_no = QueryRefund::by_log_no(remote("202401020000000009"), payment());
    assert_eq!(request(&by_log_no).unwrap().get("qryNo"), Some("202401020000000009"));
}

#[test]
fn takes_numbers_at_their_limits_and_refuses_one_past_them_and_other_characters() {
    let broken = |refund: &Refund| match request(refund).unwrap_err() {
        error if error.fate() == Fate::NotSent => match error.kind() {
            ErrorKind::Build(BuildError::Rule(broken)) => broken.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let with_channel = |text: &str| Refund::whole(RemoteId::new(text).unwrap(), refund_no());
    let with_number = |text: &str| Refund::whole(channel_no(), RefundNo::new(text).unwrap());
    for length in [1, 64] {
        let text = "4".repeat(length);
        assert_eq!(request(&with_channel(&text)).unwrap().get("orderNo"), Some(&*text));
        assert_eq!(request(&with_number(&text)).unwrap().get("tradeNo"), Some(&*text));
    }
    assert!(matches!(
        broken(&with_channel(&"4".repeat(65))),
        RuleBroken::TooLong {
            field: "orderNo",
            length: 65,
            max: 64,
            ..
        }
    ));
    assert!(RefundNo::new("4".repeat(65)).is_err(), "core's limit is the same");
    assert!(matches!(
        broken(&with_channel("4号")),
        RuleBroken::Character {
            field: "orderNo",
            position: 1,
            ..
        }
    ));
    for text in ["4|", "4@", "4*", "4."] {
        assert!(
            matches!(
                broken(&with_number(text)),
                RuleBroken::Character {
                    field: "tradeNo",
                    position: 1,
                    ..
                }
            ),
            "{text}"
        );
    }
    for (length, fits) in [(64, true), (65, false)] {
        let query = QueryRefund::by_log_no(remote(&"4".repeat(length)), payment());
        assert_eq!(request(&query).is_ok(), fits, "qryNo of {length}");
    }
    let most = Refund::part(channel_no(), refund_no(), PayAmount::new(PayAmount::MAX).unwrap());
    assert_eq!(request(&most).unwrap().get("txnAmt"), Some("10000000000"));
}

#[test]
fn opens_a_refund_that_succeeded() {
    let refunded = refunded(&[
        ("subject", Some("面")),
        ("goodsTag", Some("g")),
        ("attach", Some("a")),
        ("newField", Some("x")),
    ])
    .unwrap();
    assert_eq!(refunded.log_no.as_str(), "202401020000000009");
    assert_eq!(refunded.refund, Fen::new(40));
    assert_eq!(
        (refunded.amount, refunded.total),
        (Some(Fen::new(100)), Some(Fen::new(120)))
    );
    assert_eq!(refunded.order_no.as_deref(), Some("SHOP20240102000001"));
    assert_eq!(refunded.subject.as_deref(), Some("面"));
    assert_eq!(
        (refunded.goods_tag.as_deref(), refunded.attach.as_deref()),
        (Some("g"), Some("a"))
    );
    assert_eq!(refunded.extra.iter().collect::<Vec<_>>(), [("newField", "x")]);
    // All of it, whatever that was.
    let whole = Refund::whole(channel_no(), refund_no());
    let response = signed(&with(REFUNDED, &[("txnAmt", Some("100"))]));
    assert_eq!(whole.reply(&account(), &response, now()).unwrap().refund, Fen::new(100));
    // Editions differ about capitals.
    let pairs = with(
        REFUNDED,
        &[
            ("txnAmt", None),
            ("TxnAmt", Some("40")),
            ("logNo", None),
            ("LogNo", Some("9")),
        ],
    );
    assert_eq!(
        refund()
            .reply(&account(), &signed(&pairs), now())
            .unwrap()
            .log_no
            .as_str(),
        "9"
    );
}

#[test]
fn only_a_failure_says_that_nothing_was_done() {
    for (letter, fate, advice, kind) in [
        (Some("F"), Fate::Refused, Advice::Stop, RefusalKind::Declined),
        (Some("Z"), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (Some("A"), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (Some("D"), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (Some("X"), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (Some("f"), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (Some(""), Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
        (None, Fate::Unknown, Advice::QueryFirst, RefusalKind::Unclear),
    ] {
        let error = refunded(&[("result", letter)]).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.code, letter.unwrap_or_default());
        assert_eq!(refusal.message, "交易成功");
        assert!(refusal.verified);
        assert_eq!(
            (error.fate(), error.advice(), refusal.meaning.kind),
            (fate, advice, kind),
            "{letter:?}"
        );
    }
    // A code of the gateway, signed: none is published, so nothing is concluded.
    for code in ["900002", "F", "999999"] {
        let error = refunded(&[("returnCode", Some(code)), ("result", None)]).unwrap_err();
        assert_eq!((error.fate(), &*error.refusal().unwrap().code), (Fate::Unknown, code));
    }
    // The same words without a signature are nobody's.
    let pairs = with(REFUNDED, &[("returnCode", Some("900002")), ("result", Some("F"))]);
    let error = refund().reply(&account(), &unsigned(&pairs), now()).unwrap_err();
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    assert!(!error.refusal().unwrap().verified);
    let pairs = with(REFUNDED, &[("result", Some("F"))]);
    let error = refund().reply(&account(), &unsigned(&pairs), now()).unwrap_err();
    assert_eq!((&*word(&error), error.fate()), ("missing-signature", Fate::Unknown));
}

#[test]
fn refuses_an_answer_about_another_refund_amount_order_or_merchant() {
    for (field, value) in [("tradeNo", "R2"), ("txnAmt", "41"), ("mercId", "000000000000002")] {
        let error = refunded(&[(field, Some(value))]).unwrap_err();
        assert_eq!(
            (word(&error), error.fate()),
            (format!("foreign {field}"), Fate::Unknown)
        );
    }
    let mut refund = refund();
    refund.order_no = Some(OrderNo::new("OTHER").unwrap());
    let error = refund.reply(&account(), &signed(REFUNDED), now()).unwrap_err();
    assert_eq!(word(&error), "foreign selOrderNo");
    refund.order_no = Some(OrderNo::new("SHOP20240102000001").unwrap());
    assert!(refund.reply(&account(), &signed(REFUNDED), now()).is_ok());
    for field in ["logNo", "txnAmt"] {
        let error = refunded(&[(field, None)]).unwrap_err();
        assert_eq!((word(&error), error.fate()), (format!("field {field}"), Fate::Unknown));
    }
    assert_eq!(
        word(&refunded(&[("txnAmt", Some("0.40"))]).unwrap_err()),
        "field txnAmt"
    );
    assert_eq!(word(&queried(&[("logNo", None)]).unwrap_err()), "field logNo");
}

#[test]
fn an_answer_without_proof_leaves_a_refund_unknown() {
    let genuine = signed(REFUNDED).into_body();
    let genuine = String::from_utf8(genuine.to_vec()).unwrap();
    let wrong = body(&with(
        REFUNDED,
        &[("signValue", Some("00000000000000000000000000000000"))],
    ));
    let empty = body(&with(REFUNDED, &[("signValue", Some(""))]));
    for (status, text, expected) in [
        (200, body(REFUNDED), "missing-signature"),
        (200, empty, "missing-signature"),
        (200, wrong, "mismatch"),
        (200, genuine.replace("\"40\"", "\"41\""), "mismatch"),
        (200, String::new(), "empty"),
        (200, "<html></html>".to_owned(), "html"),
        (200, "[]".to_owned(), "not-json"),
        (202, genuine.clone(), "status 202"),
        (204, String::new(), "status 204"),
        (301, String::new(), "status 301"),
        (429, String::new(), "status 429"),
        (500, genuine.clone(), "status 500"),
        (502, String::new(), "status 502"),
    ] {
        let error = refund().reply(&account(), &reply(status, text), now()).unwrap_err();
        assert_eq!(word(&error), expected);
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{expected}"
        );
    }
    assert!(refund().reply(&account(), &reply(200, genuine), now()).is_ok());
}

#[test]
fn every_result_of_a_queried_refund_means_what_the_sheet_says() {
    for (letter, result, standing) in [
        (Some("S"), Some(TradeResult::Success), Standing::Succeeded),
        (Some("F"), Some(TradeResult::Failed), Standing::Failed),
        (Some("Z"), Some(TradeResult::Undecided), Standing::Pending),
        (Some("A"), Some(TradeResult::Waiting), Standing::Pending),
        (Some("D"), Some(TradeResult::Revoked), Standing::Pending),
        (Some("Q"), Some(TradeResult::from("Q")), Standing::Pending),
        (Some(""), None, Standing::Pending),
        (None, None, Standing::Pending),
    ] {
        let queried = queried(&[("result", letter)]).unwrap();
        assert_eq!(
            (queried.result.clone(), queried.standing()),
            (result, standing),
            "{letter:?}"
        );
        assert_eq!(queried.refunded, Some(Fen::new(40)));
    }
}

#[test]
fn an_answer_about_the_payment_says_nothing_of_its_refund() {
    let answer = |query: &QueryRefund, log_no: &str, letter: &str| {
        let changes = [("logNo", Some(log_no)), ("result", Some(letter))];
        query.reply(&account(), &signed(&with(QUERIED, &changes)), now())
    };
    let by_log_no = QueryRefund::by_log_no(remote("202401020000000009"), payment());
    for query in [by_refund_no(), by_log_no.clone()] {
        let found = answer(&query, "202401020000000009", "S").unwrap();
        assert_eq!(found.standing(), Standing::Succeeded);
        // Whatever became of the payment: paid is not refunded, and failed is not "refund it again".
        for letter in ["S", "F", "A", "Z", "D"] {
            let error = answer(&query, "202401020000000002", letter).unwrap_err();
            assert_eq!(word(&error), "foreign logNo", "{letter}");
        }
    }
    // Nor does an answer about another refund, where the platform's number was asked for.
    let other = answer(&by_log_no, "202401020000000008", "S").unwrap_err();
    assert_eq!(word(&other), "foreign logNo");
    // One number for both is a mistake in the shop, and no answer can pass.
    let confused = QueryRefund::by_log_no(payment(), payment());
    for log_no in ["202401020000000002", "202401020000000009"] {
        assert_eq!(word(&answer(&confused, log_no, "S").unwrap_err()), "foreign logNo");
    }
}

#[test]
fn a_refund_without_its_reply_is_asked_for_and_never_sent_again() {
    // What the query says each time; `None` is a refusal, which proves nothing here.
    let done = SettleVerdict::Happened(Standing::Succeeded);
    for (answers, verdict, seconds) in [
        (&[Some("S")][..], done, 1),
        (&[Some("F")], SettleVerdict::Failed, 1),
        (&[Some("Z"), Some("S")], done, 6),
        (&[None, Some("Z"), None, Some("F")], SettleVerdict::Failed, 51),
        (&[None; 9], SettleVerdict::StillUnknown, 180),
    ] {
        let mut at = UnixTime::from_seconds(NOW);
        let lost = refund().reply(&account(), &reply(504, ""), at).unwrap_err();
        let mut settle = Settle::new(&settle::REFUND, lost.fate(), at);
        let mut answers = answers.iter();
        let found = loop {
            let observation = match settle.step(at) {
                SettleStep::Done(verdict) => break verdict,
                SettleStep::Wait(time) => {
                    at = UnixTime::from_seconds(at.seconds() + i64::try_from(time.as_secs()).unwrap());
                    Observation::Waited
                }
                SettleStep::Query => match answers.next().expect("one query too many") {
                    Some(letter) => Observation::Stands(queried(&[("result", Some(letter))]).unwrap().standing()),
                    None => {
                        let error = queried(&[("returnCode", Some("900004"))]).unwrap_err();
                        assert_ne!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound);
                        Observation::QueryFailed
                    }
                },
                other => panic!("{other:?}"),
            };
            settle.observe(observation);
        };
        assert_eq!((found, at.seconds() - NOW), (verdict, seconds));
        assert!(answers.next().is_none(), "one query too few");
    }
    // What never left is not sent again by the machine either: the shop decides.
    let mut unsent = Settle::new(&settle::REFUND, Fate::NotSent, now());
    assert_eq!(unsent.step(now()), SettleStep::Done(SettleVerdict::Absent));
}
