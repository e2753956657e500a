//! Notices: the payment notice settles, the refund notice hints, everything else is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_core::{
    Fen, Hint, Lookup, Notice, NotificationSource as _, OpenError, RefundNo, Transition, UnixTime, Verdict, Verified,
};
use yuanfen_sign::legacy::aes_256_ecb_seal;
use yuanfen_testkit::{expect_kept, oracle};
use yuanfen_wechat_v2::notify::{PaymentNotice, RefundStatus};
use yuanfen_wechat_v2::{Account, SignType, TradeType, test_util};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, OPENID, ORDER_NO, PAID, Pairs, TRANSACTION_ID, account, ambient, changed, hmac_account, now,
    posted, signed, word, xml,
};

fn open(account: &Account, body: Vec<u8>) -> Result<Notice<PaymentNotice>, OpenError> {
    account.open_notification(&posted(body), now())
}

fn paid(changes: &[(&str, Option<&str>)]) -> Result<Notice<PaymentNotice>, OpenError> {
    open(&account(), xml(&signed(&changed(PAID, changes), SignType::Md5)))
}

fn settles(notice: Result<Notice<PaymentNotice>, OpenError>) -> Verified<PaymentNotice> {
    match notice.unwrap() {
        Notice::Settles(event) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn opens_a_payment_notice() {
    let body = xml(&signed(
        &changed(
            PAID,
            &[
                ("coupon_fee_0", Some("4")),
                ("new_field", Some("x")),
                ("fee_type", Some("")),
            ],
        ),
        SignType::Md5,
    ));
    let event = settles(open(&account(), body.clone())).into_inner();
    assert_eq!(event.order_no.as_str(), ORDER_NO);
    assert_eq!(event.transaction_id.as_str(), TRANSACTION_ID);
    assert_eq!((event.total, event.cash), (Fen::new(1200), Some(Fen::new(1200))));
    assert_eq!((&*event.openid, &*event.bank_type), (OPENID, "CFT"));
    assert_eq!(event.trade_type, TradeType::Jsapi);
    assert_eq!(event.attach.as_deref(), Some("table & 4"));
    // 2023-11-15 06:15:00 in Beijing.
    assert_eq!(event.paid_at, UnixTime::from_seconds(1_700_000_100));
    assert_eq!(event.coupons.len(), 1);
    assert_eq!((event.extra.get("new_field"), event.extra.len()), (Some("x"), 1));
    assert_eq!(event.raw, body);
}

#[test]
fn says_what_the_event_is_and_what_it_settles() {
    let account = account();
    let event = settles(paid(&[])).into_inner();
    let key = account.key(&event);
    assert_eq!(
        (&*key.route, &*key.account, &*key.subject, key.transition),
        ("wechat-v2", MERCHANT, ORDER_NO, Transition::OrderPaid)
    );
    let facts = account.facts(&event);
    assert_eq!(
        (facts.amount, facts.currency.as_deref()),
        (Some(Fen::new(1200)), Some("CNY"))
    );
    assert_eq!(
        (facts.order_no.as_deref(), facts.remote_id.as_deref()),
        (Some(ORDER_NO), Some(TRANSACTION_ID))
    );
    assert_eq!(
        (facts.merchant.as_deref(), facts.app.as_deref()),
        (Some(MERCHANT), Some(APP_ID))
    );
    assert_eq!(facts.end_state, "SUCCESS");

    // Another delivery of it is signed anew and says the same.
    let again = settles(paid(&[("nonce_str", Some("anotherNonce"))])).into_inner();
    assert_eq!((account.key(&again), account.facts(&again)), (key, facts.clone()));
    // Another amount under the same key is a conflict, which the facts show.
    let other = settles(paid(&[("total_fee", Some("1"))])).into_inner();
    assert_ne!(account.facts(&other), facts);
    let foreign = settles(paid(&[("fee_type", Some("HKD"))])).into_inner();
    assert_eq!(account.facts(&foreign).currency.as_deref(), Some("HKD"));
}

#[test]
fn refuses_what_nobody_signed() {
    let mut wrong = signed(&changed(PAID, &[]), SignType::Md5);
    wrong.last_mut().unwrap().1 = "8DD8E79CAE52E3DDB7D7B0DFB575078B".to_owned();
    let lower = {
        let mut pairs = signed(&changed(PAID, &[]), SignType::Md5);
        let last = pairs.last_mut().unwrap();
        last.1 = last.1.to_lowercase();
        pairs
    };
    let bare = changed(PAID, &[]);
    let empty = changed(PAID, &[("sign", Some(""))]);
    let failed: Pairs = changed(&[("return_code", "FAIL"), ("return_msg", "x")], &[]);
    for (pairs, expected) in [
        (wrong, "mismatch"),
        (lower, "mismatch"),
        (bare, "missing-signature"),
        (empty, "missing-signature"),
        (failed, "missing-signature"),
        (changed(PAID, &[("return_code", None)]), "missing-signature"),
    ] {
        assert_eq!(word(&open(&account(), xml(&pairs)).unwrap_err()), expected);
    }
    for (body, expected) in [
        (&b""[..], "empty"),
        (b"<html></html>", "html"),
        (br#"{"return_code":"SUCCESS"}"#, "format"),
        (b"<!DOCTYPE xml []><xml/>", "format"),
    ] {
        assert_eq!(word(&open(&account(), body.to_vec()).unwrap_err()), expected);
    }
}

#[test]
fn refuses_a_notice_of_another_account_or_without_one() {
    for (name, value) in [("appid", "wx0000000000000000"), ("mch_id", "10000101")] {
        assert_eq!(
            word(&paid(&[(name, Some(value))]).unwrap_err()),
            format!("foreign {name}")
        );
        assert_eq!(word(&paid(&[(name, None)]).unwrap_err()), format!("field {name}"));
    }
    let stranger = Account::new(APP_ID, MERCHANT, "another key").unwrap();
    let body = xml(&signed(&changed(PAID, &[]), SignType::Md5));
    assert_eq!(word(&open(&stranger, body).unwrap_err()), "mismatch");
}

#[test]
fn refuses_a_signed_notice_that_lacks_what_it_must_have() {
    for name in [
        "result_code",
        "openid",
        "trade_type",
        "bank_type",
        "total_fee",
        "transaction_id",
        "out_trade_no",
        "time_end",
    ] {
        assert_eq!(word(&paid(&[(name, None)]).unwrap_err()), format!("field {name}"));
    }
    for (name, value) in [
        ("result_code", "FAIL"),
        ("total_fee", "12.00"),
        ("time_end", "soon"),
        ("coupon_fee_0", "x"),
    ] {
        assert_eq!(
            word(&paid(&[(name, Some(value))]).unwrap_err()),
            format!("field {name}")
        );
    }
    // Official samples leave it out.
    assert!(paid(&[("cash_fee", None)]).is_ok());
}

#[test]
fn takes_the_types_of_signature_that_the_account_takes() {
    let md5 = account();
    let hmac = hmac_account();
    let switched = hmac_account().also_accepting(SignType::Md5);
    let plain = changed(PAID, &[]);
    let named = |kind| changed(PAID, &[("sign_type", Some(kind))]);
    for (account, pairs, by, expected) in [
        (&md5, plain.clone(), SignType::Md5, None),
        (&md5, named("MD5"), SignType::Md5, None),
        (&md5, plain.clone(), SignType::HmacSha256, Some("mismatch")),
        (
            &md5,
            named("HMAC-SHA256"),
            SignType::HmacSha256,
            Some("malformed sign_type"),
        ),
        (&hmac, plain.clone(), SignType::HmacSha256, None),
        (&hmac, named("HMAC-SHA256"), SignType::HmacSha256, None),
        (&hmac, plain.clone(), SignType::Md5, Some("mismatch")),
        (&hmac, named("MD5"), SignType::Md5, Some("malformed sign_type")),
        // After a switch, notices of older orders come without saying so.
        (&switched, plain.clone(), SignType::Md5, None),
        (&switched, named("MD5"), SignType::Md5, None),
        (&switched, plain.clone(), SignType::HmacSha256, None),
        (&switched, named("HMAC-SHA256"), SignType::HmacSha256, None),
        // What is named is what counts.
        (&switched, named("HMAC-SHA256"), SignType::Md5, Some("mismatch")),
        (&switched, named("RSA"), SignType::Md5, Some("malformed sign_type")),
    ] {
        let found = open(account, xml(&signed(&pairs, by)));
        assert_eq!(found.err().map(|error| word(&error)).as_deref(), expected, "{by:?}");
    }
}

const REFUND: &[(&str, &str)] = &[
    ("out_refund_no", "R20231115"),
    ("out_trade_no", ORDER_NO),
    ("refund_account", "REFUND_SOURCE_RECHARGE_FUNDS"),
    ("refund_fee", "700"),
    ("refund_id", "50000408942018111907145868882"),
    ("refund_recv_accout", "工商银行借记卡0322"),
    ("refund_request_source", "API"),
    ("refund_status", "SUCCESS"),
    ("settlement_refund_fee", "700"),
    ("total_fee", "1200"),
    ("transaction_id", TRANSACTION_ID),
];

fn sealed(plaintext: &str) -> String {
    let key: [u8; 32] = oracle::v2_refund_key(KEY).into_bytes().try_into().unwrap();
    STANDARD.encode(aes_256_ecb_seal(&key, plaintext.as_bytes()))
}

fn refund_plaintext(changes: &[(&str, Option<&str>)]) -> String {
    let inner = String::from_utf8(xml(&changed(REFUND, changes))).unwrap();
    inner.replace("<xml>", "<root>").replace("</xml>", "</root>")
}

fn refund_notice(req_info: &str, changes: &[(&str, Option<&str>)]) -> Vec<u8> {
    let outer = [
        ("return_code", "SUCCESS"),
        ("appid", APP_ID),
        ("mch_id", MERCHANT),
        ("nonce_str", "TeqClE3i0mvn3DrK"),
        ("req_info", req_info),
    ];
    xml(&changed(&outer, changes))
}

#[test]
fn takes_a_refund_notice_for_a_hint() {
    let notice = open(&account(), refund_notice(&sealed(&refund_plaintext(&[])), &[])).unwrap();
    let expected = Hint::new("wechat-v2", Lookup::Refund(RefundNo::new("R20231115").unwrap()));
    let Notice::Hint(hint) = notice else {
        panic!("it settles")
    };
    assert_eq!(hint, expected, "whatever it says about the money");
}

#[test]
fn opens_what_a_refund_notice_says_without_believing_it() {
    for (status, expected) in [
        ("SUCCESS", RefundStatus::Success),
        ("CHANGE", RefundStatus::Change),
        ("REFUNDCLOSE", RefundStatus::Closed),
        ("NEW", RefundStatus::from("NEW")),
    ] {
        let plaintext = refund_plaintext(&[
            ("refund_status", Some(status)),
            ("success_time", Some("2023-11-15 06:15:00")),
        ]);
        let notice = account()
            .decrypt_refund_notice(&sealed(&plaintext))
            .unwrap()
            .into_inner();
        assert_eq!(notice.status, expected);
        assert_eq!((notice.refund, notice.total), (Fen::new(700), Fen::new(1200)));
        assert_eq!(notice.settlement_refund, Some(Fen::new(700)));
        assert_eq!(notice.succeeded_at, Some(UnixTime::from_seconds(1_700_000_100)));
        assert_eq!(
            (notice.order_no.as_str(), notice.transaction_id.as_str()),
            (ORDER_NO, TRANSACTION_ID)
        );
    }
    for (name, value) in [
        ("out_refund_no", None),
        ("refund_fee", Some("7.00")),
        ("refund_status", None),
        ("success_time", Some("20231115061500")),
    ] {
        let plaintext = refund_plaintext(&[(name, value)]);
        let error = account().decrypt_refund_notice(&sealed(&plaintext)).unwrap_err();
        assert_eq!(word(&error), format!("field {name}"));
    }
}

#[test]
fn refuses_every_refund_notice_that_does_not_open_in_one_way() {
    let good = sealed(&refund_plaintext(&[]));
    let stranger: [u8; 32] = oracle::v2_refund_key("another key").into_bytes().try_into().unwrap();
    let foreign_key = STANDARD.encode(aes_256_ecb_seal(&stranger, refund_plaintext(&[]).as_bytes()));
    for req_info in [
        "not base64!".to_owned(),
        good.trim_end_matches('=').chars().take(21).collect(),
        good.chars().take(20).collect(),
        STANDARD.encode([0_u8; 32]),
        foreign_key,
        sealed("<xml><out_refund_no>R1</out_refund_no></xml>"),
        sealed("no xml"),
        sealed(""),
        sealed("<!DOCTYPE root [<!ENTITY a \"b\">]><root><out_refund_no>&a;</out_refund_no></root>"),
    ] {
        let error = open(&account(), refund_notice(&req_info, &[])).unwrap_err();
        assert_eq!(word(&error), "decrypt", "{req_info}");
        assert_eq!(error.to_string(), "the message is not what the protocol allows");
    }
    // Nothing to decrypt and nothing signed.
    assert_eq!(
        word(&open(&account(), refund_notice("", &[])).unwrap_err()),
        "missing-signature"
    );
}

#[test]
fn refuses_a_refund_notice_of_another_account_or_without_one() {
    let good = sealed(&refund_plaintext(&[]));
    for (name, value) in [("appid", "wx0000000000000000"), ("mch_id", "10000101")] {
        let error = open(&account(), refund_notice(&good, &[(name, Some(value))])).unwrap_err();
        assert_eq!(word(&error), format!("foreign {name}"));
        let error = open(&account(), refund_notice(&good, &[(name, None)])).unwrap_err();
        assert_eq!(word(&error), format!("field {name}"));
    }
    // A signature of any kind makes it a message that must hold.
    for signature in ["", "8DD8E79CAE52E3DDB7D7B0DFB575078B"] {
        let error = open(&account(), refund_notice(&good, &[("sign", Some(signature))])).unwrap_err();
        let expected = if signature.is_empty() {
            "missing-signature"
        } else {
            "mismatch"
        };
        assert_eq!(word(&error), expected);
    }
}

#[test]
fn acknowledges_in_the_platforms_own_form() {
    let accepted = account().acknowledge(Verdict::Accepted);
    assert_eq!(accepted.status(), 200);
    assert_eq!(accepted.headers()["content-type"], "text/xml; charset=utf-8");
    assert_eq!(
        &accepted.body()[..],
        &b"<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>"[..]
    );
    let rejected = account().acknowledge(Verdict::Rejected);
    assert_eq!(rejected.status(), 200);
    assert_eq!(
        &rejected.body()[..],
        &b"<xml><return_code><![CDATA[FAIL]]></return_code><return_msg><![CDATA[not taken]]></return_msg></xml>"[..]
    );
}

#[test]
fn forges_notices_that_the_account_accepts() {
    let business: Vec<(&str, &str)> = PAID
        .iter()
        .copied()
        .filter(|(name, _)| !matches!(*name, "return_code" | "appid" | "mch_id" | "nonce_str" | "result_code"))
        .collect();
    for account in [account(), hmac_account()] {
        let request = test_util::forge_notice(&account, &business, &ambient()).unwrap();
        let event = settles(account.open_notification(&request, now())).into_inner();
        assert_eq!((event.order_no.as_str(), event.total), (ORDER_NO, Fen::new(1200)));
    }
    assert!(
        test_util::forge_notice(&account(), &[("appid", "x")], &ambient()).is_err(),
        "a field twice"
    );
}

#[test]
fn a_stored_request_opens_to_the_same_without_any_header() {
    let account = account();
    assert!(account.kept_headers().is_empty());
    expect_kept(
        &account,
        &posted(xml(&signed(&changed(PAID, &[]), SignType::Md5))),
        now(),
    );
    expect_kept(
        &account,
        &posted(refund_notice(&sealed(&refund_plaintext(&[])), &[])),
        now(),
    );
}
