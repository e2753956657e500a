//! Notices: verified, read, decrypted, typed, in this order.

use bytes::Bytes;
use http::{HeaderValue, Request};
use yuanfen_core::{
    EventKey, Fen, Notice, NotificationSource as _, OpenError, ProtocolErrorKind, Provider as _, Transition, UnixTime,
    Verdict,
};
use yuanfen_testkit::expect_kept;
use yuanfen_wechat_v3::notify::Event;
use yuanfen_wechat_v3::{Account, RefundStatus, TradeState};

use crate::far_side::{
    CERTIFICATE, NOW, OTHER_CERTIFICATE, PUBLIC_KEY_ID, account, all_sources, ambient, api_v3_key, envelope,
    fresh_account, notice, now, pem, public_key_account, reason, signed_headers, wrong_field,
};
use crate::replies::PAID;

const REFUNDED: &str = concat!(
    r#"{"mchid":"1900007291","transaction_id":"1008450740201411110005820873","out_trade_no":"A1","#,
    r#""refund_id":"50200207182018070300011301001","out_refund_no":"R1","refund_status":"SUCCESS","#,
    r#""success_time":"2018-06-08T10:34:56+08:00","user_received_account":"招商银行信用卡0403","#,
    r#""amount":{"total":999,"refund":998,"payer_total":990,"payer_refund":989},"new_member":[1]}"#,
);

fn settled(account: &Account, request: &Request<Bytes>) -> Result<Event, OpenError> {
    match account.open_notification(request, now())? {
        Notice::Settles(event) => Ok(event.into_inner()),
        other => panic!("{other:?}"),
    }
}

fn open(event_type: &str, original_type: &str, plaintext: &str) -> Result<Event, OpenError> {
    settled(&account(), &notice(&envelope(event_type, original_type, plaintext)))
}

pub(crate) fn payment(plaintext: &str) -> Result<Event, OpenError> {
    open("TRANSACTION.SUCCESS", "transaction", plaintext)
}

fn refused(request: &Request<Bytes>) -> OpenError {
    settled(&account(), request).expect_err("accepted")
}

#[test]
fn opens_a_payment() {
    let event = payment(PAID).unwrap();
    let account = account();
    assert_eq!(
        account.key(&event),
        EventKey::new("wechat-v3", "1900007291", "A1", Transition::OrderPaid)
    );
    let facts = account.facts(&event);
    assert_eq!(facts.amount, Some(Fen::new(100)));
    assert_eq!(facts.currency.as_deref(), Some("CNY"));
    assert_eq!(facts.order_no.as_deref(), Some("A1"));
    assert_eq!(facts.remote_id.as_deref(), Some("1217752501201407033233368018"));
    assert_eq!(facts.merchant.as_deref(), Some("1900007291"));
    assert_eq!(facts.app.as_deref(), Some("wxd678efh567hg6787"));
    assert_eq!(facts.end_state, "SUCCESS");
    let Event::Payment(order) = event else {
        panic!("{event:?}")
    };
    assert_eq!(order.trade_state, TradeState::Success);
    assert_eq!(order.raw().as_ref(), PAID.as_bytes());
    assert_eq!(order.extra.get("new_member"), Some(r#"{"a":0.00030}"#));
}

/// Only success is notified; anything else in its place is no payment.
#[test]
fn a_payment_notice_of_another_state_is_no_payment() {
    let event = payment(&PAID.replacen("SUCCESS", "CLOSED", 1)).unwrap();
    assert_eq!(account().key(&event).transition, Transition::Other);
    assert_eq!(account().facts(&event).end_state, "CLOSED");
}

/// A notice has `refund_status` where the refund object has `status`.
#[test]
fn opens_refunds_in_each_of_their_ends() {
    for (status, transition) in [
        ("SUCCESS", Transition::RefundSucceeded),
        ("ABNORMAL", Transition::RefundAbnormal),
        ("CLOSED", Transition::RefundClosed),
        ("BRAND_NEW", Transition::Other),
    ] {
        let plaintext = REFUNDED.replacen("SUCCESS", status, 1);
        let event = open(&format!("REFUND.{status}"), "refund", &plaintext).unwrap();
        let account = account();
        assert_eq!(
            account.key(&event),
            EventKey::new("wechat-v3", "1900007291", "R1", transition)
        );
        let facts = account.facts(&event);
        assert_eq!((facts.amount, &*facts.end_state), (Some(Fen::new(998)), status));
        assert_eq!(facts.remote_id.as_deref(), Some("50200207182018070300011301001"));
        assert_eq!(facts.refund_no.as_deref(), Some("R1"));
        let Event::Refund(refund) = event else {
            panic!("{event:?}")
        };
        assert_eq!(refund.status, RefundStatus::from(status));
        assert_eq!(refund.payer_refund, Some(Fen::new(989)));
        assert_eq!(refund.extra.get("new_member"), Some("[1]"));
    }
    let confused = REFUNDED.replacen("refund_status", "status", 1);
    let error = open("REFUND.SUCCESS", "refund", &confused).unwrap_err();
    assert_eq!(wrong_field(&error), "refund_status");
}

/// Other products arrive decrypted and untyped.
#[test]
fn keeps_events_that_it_has_no_type_for() {
    for (event_type, plaintext) in [
        ("PAYSCORE.USER_OPEN_SERVICE", r#"{"mchid":"1234567890"}"#),
        ("BRAND.NEW", "not even json"),
    ] {
        let event = open(event_type, "something", plaintext).unwrap();
        let account = account();
        assert_eq!(
            account.key(&event),
            EventKey::new("wechat-v3", "1900007291", "EV-2018022511223320873", Transition::Other)
        );
        assert_eq!(account.facts(&event).end_state, event_type);
        let Event::Other(other) = event else {
            panic!("{event:?}")
        };
        assert_eq!(other.plaintext().as_ref(), plaintext.as_bytes());
        assert_eq!(other.original_type.as_deref(), Some("something"));
    }
}

#[test]
fn opens_under_a_public_key_and_under_a_certificate_of_one_account() {
    let body = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let both = public_key_account().with_certificate(pem("go_cert_D7CE")).unwrap();
    for serial in [PUBLIC_KEY_ID, CERTIFICATE] {
        let mut request = notice(&body);
        request
            .headers_mut()
            .insert("wechatpay-serial", serial.parse().unwrap());
        assert!(settled(&both, &request).is_ok(), "{serial}");
    }
}

/// A rotation: the notice names a certificate that is not known; it is fetched, and the same notice opens.
#[test]
fn opens_the_same_notice_once_the_certificate_is_known() {
    let account = fresh_account();
    let request = notice(&envelope("TRANSACTION.SUCCESS", "transaction", PAID));
    assert_eq!(reason(&settled(&account, &request).unwrap_err()), "unknown-key");
    assert!(account.fetch_keys(Some(CERTIFICATE), &ambient()).is_some());
    account
        .learn_keys(&crate::certificates::listed(&["go_cert_F576", "go_cert_D7CE"]), now())
        .unwrap();
    assert!(settled(&account, &request).is_ok());
}

/// A delivery that is repeated a day later has a signature of its own, and its own time; when it was created does not
/// matter.
#[test]
fn holds_the_delivery_to_its_window_and_not_the_event() {
    let body = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    assert!(body.contains("2015-05-20"));
    assert!(settled(&account(), &notice(&body)).is_ok());
    let late = account().open_notification(&notice(&body), UnixTime::from_seconds(NOW + 301));
    assert_eq!(reason(&late.unwrap_err()), "stale");
}

#[test]
fn refuses_notices_about_others() {
    for (from, to, field) in [
        (r#""mchid":"1900007291""#, r#""mchid":"1900000001""#, "mchid"),
        (r#""appid":"wxd678efh567hg6787""#, r#""appid":"wx1""#, "appid"),
    ] {
        let error = payment(&PAID.replacen(from, to, 1)).unwrap_err();
        assert_eq!((&*reason(&error), &*wrong_field(&error)), ("foreign", field));
    }
    let error = open(
        "REFUND.SUCCESS",
        "refund",
        &REFUNDED.replacen("1900007291", "1900000001", 1),
    )
    .unwrap_err();
    assert_eq!(reason(&error), "foreign");
    let further = account().with_further_app("wx1").unwrap();
    let body = envelope(
        "TRANSACTION.SUCCESS",
        "transaction",
        &PAID.replacen("wxd678efh567hg6787", "wx1", 1),
    );
    assert!(settled(&further, &notice(&body)).is_ok());
}

#[test]
fn names_the_field_that_a_genuine_notice_gets_wrong() {
    let good = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    for (from, to, field) in [
        (r#""id":"EV-2018022511223320873","#, "", "id"),
        (r#""event_type":"TRANSACTION.SUCCESS","#, "", "event_type"),
        ("AEAD_AES_256_GCM", "AEAD_SM4_GCM", "resource.algorithm"),
        (r#""algorithm":"AEAD_AES_256_GCM","#, "", "resource.algorithm"),
        (r#","nonce":"fdasflkja484""#, "", "resource.nonce"),
        (r#""nonce":"fdasflkja484""#, r#""nonce":484"#, "resource.nonce"),
        (r#""ciphertext":"#, r#""cipher_text":"#, "resource.ciphertext"),
        (r#""resource":{"#, r#""other":{"#, "resource"),
        (
            r#""original_type":"#,
            r#""algorithm":"x","original_type":"#,
            "resource.algorithm",
        ),
    ] {
        let body = good.replacen(from, to, 1);
        assert_ne!(body, good, "{from}");
        assert_eq!(wrong_field(&refused(&notice(&body))), field, "{to}");
    }
    let no_total = PAID.replacen(r#","total":100"#, "", 1);
    assert_eq!(wrong_field(&payment(&no_total).unwrap_err()), "amount.total");
    for (body, kind) in [("", "empty"), ("<html>", "html"), ("[]", "format"), ("{", "format")] {
        assert_eq!(reason(&refused(&notice(body))), kind, "{body}");
    }
    for plaintext in ["", "[]", "hello"] {
        let error = payment(plaintext).unwrap_err();
        assert!(["empty", "format"].contains(&&*reason(&error)), "{plaintext}");
    }
}

/// Nonces and ciphertexts come from the network: errors, never panics.
#[test]
fn refuses_what_cannot_be_opened() {
    let good = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let ciphertext = good
        .split_once(r#""ciphertext":""#)
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    for (from, to) in [
        ("fdasflkja484", "fdasflkja48"),
        ("fdasflkja484", "fdasflkja4845"),
        ("fdasflkja484", "0123456789abcdef"),
        ("fdasflkja484", "1"),
        ("fdasflkja484", "Fdasflkja484"),
        (ciphertext, "AAAA"),
        (ciphertext, "AAAAAAAAAAAAAAAAAAAAAA=="),
        (ciphertext, "not base64!"),
        (ciphertext, "AAA"),
        (r#""associated_data":"transaction""#, r#""associated_data":"refund""#),
        (r#","associated_data":"transaction""#, ""),
    ] {
        let body = good.replacen(from, to, 1);
        assert_ne!(body, good);
        let error = refused(&notice(&body));
        assert_eq!(reason(&error), "decrypt", "{to}: {error:?}");
    }
    // Absent and empty associated data are the same.
    let sealed = api_v3_key().seal("fdasflkja484", "", PAID.as_bytes()).unwrap();
    let empty = good.replacen(ciphertext, &sealed, 1).replacen(
        r#""associated_data":"transaction""#,
        r#""associated_data":"""#,
        1,
    );
    assert!(settled(&account(), &notice(&empty)).is_ok());
    let absent = good
        .replacen(ciphertext, &sealed, 1)
        .replacen(r#","associated_data":"transaction""#, "", 1);
    assert!(settled(&account(), &notice(&absent)).is_ok());
}

/// JSON has several spellings of one text. PHP writes every `/` as `\/`, and some writers escape what is not ASCII.
#[test]
fn reads_members_whatever_their_spelling() {
    let good = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let wanted = settled(&account(), &notice(&good)).unwrap();
    let ciphertext = good
        .split_once(r#""ciphertext":""#)
        .unwrap()
        .1
        .split_once('"')
        .unwrap()
        .0;
    assert!(ciphertext.contains('/'), "a ciphertext with something to escape");
    for (from, to) in [
        (ciphertext, ciphertext.replace('/', "\\/")),
        ("TRANSACTION.SUCCESS", "\\u0054RANSACTION.SUCCESS".to_owned()),
        ("fdasflkja484", "\\u0066dasflkja484".to_owned()),
        (r#""nonce":"#, r#" "\u006eonce" : "#.to_owned()),
        (
            r#""summary":"支付成功""#,
            r#""summary":null,"later":{"added":[1,{}]}"#.to_owned(),
        ),
        (r#""original_type":"transaction""#, r#""original_type":null"#.to_owned()),
    ] {
        let body = good.replacen(from, &to, 1);
        assert_ne!(body, good);
        assert_eq!(settled(&account(), &notice(&body)).unwrap(), wanted, "{to}");
    }
    for (twice, field) in [
        (r#""id":"EV-1","id":"#, "id"),
        (r#""event_type":"A","id":"#, "event_type"),
        (r#""resource":{},"id":"#, "resource"),
    ] {
        let body = good.replacen(r#""id":"#, twice, 1);
        assert_eq!(wrong_field(&refused(&notice(&body))), field);
    }
    let twice = good.replacen(r#""nonce":"#, r#""nonce":"aaaaaaaaaaaa","nonce":"#, 1);
    assert_eq!(wrong_field(&refused(&notice(&twice))), "resource.nonce");
}

/// A body that anybody could have posted is not decrypted, however well it would decrypt.
#[test]
fn decrypts_nothing_that_is_not_signed() {
    let body = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let unsigned = Request::post("/").body(Bytes::from(body.clone())).unwrap();
    assert_eq!(reason(&refused(&unsigned)), "missing-signature");
    let mut probe = notice(&body);
    let signature = probe.headers()["wechatpay-signature"].to_str().unwrap().to_owned();
    let signature = format!("WECHATPAY/SIGNTEST/{signature}");
    probe
        .headers_mut()
        .insert("wechatpay-signature", signature.parse().unwrap());
    assert_eq!(reason(&refused(&probe)), "mismatch");
    let mut re_serialized = notice(&body);
    *re_serialized.body_mut() = Bytes::from(body.replacen(':', ": ", 1));
    assert_eq!(reason(&refused(&re_serialized)), "mismatch");
    let mut unknown = notice(&body);
    unknown
        .headers_mut()
        .insert("wechatpay-serial", OTHER_CERTIFICATE.parse().unwrap());
    assert_eq!(reason(&refused(&unknown)), "unknown-key");
}

/// A refund without `notify_url` is reported to the console's address, as XML.
#[test]
fn says_so_when_a_notice_of_the_older_api_arrives() {
    let xml = "\n<xml><return_code>SUCCESS</return_code><req_info>AAAA</req_info></xml>";
    let request = Request::post("/").body(Bytes::from(xml)).unwrap();
    let error = refused(&request);
    assert_eq!(reason(&error), "format");
    let text = all_sources(&error);
    assert!(text.contains("older API") && text.contains("notify_url"), "{text}");
    // With the headers of this API it is judged as one.
    let mut signed = Request::post("/");
    for (name, value) in signed_headers(CERTIFICATE, b"") {
        signed = signed.header(name, value);
    }
    assert_eq!(reason(&refused(&signed.body(Bytes::from(xml)).unwrap())), "mismatch");
}

#[test]
fn reads_notices_of_a_full_megabyte_and_no_larger_ones() {
    let large = "x".repeat(780_000);
    assert!(open("BRAND.NEW", "x", &large).is_ok());
    let body = vec![b' '; 2 << 20];
    let request = Request::post("/").body(Bytes::from(body)).unwrap();
    let error = refused(&request);
    assert!(matches!(&error, OpenError::Protocol(error) if error.kind == ProtocolErrorKind::Format));
}

#[test]
fn acknowledges_in_this_apis_own_form() {
    let taken = account().acknowledge(Verdict::Accepted);
    assert_eq!((taken.status().as_u16(), taken.body().len()), (200, 0));
    let again = account().acknowledge(Verdict::Rejected);
    assert_eq!(again.status().as_u16(), 500);
    assert_eq!(again.headers()["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_slice(again.body()).unwrap();
    assert_eq!(body["code"], "FAIL");
    assert!(body["message"].is_string());
}

#[test]
fn a_stored_request_opens_to_the_same_with_the_headers_of_its_signature_alone() {
    let account = account();
    let paid = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let refunded = envelope("REFUND.SUCCESS", "refund", REFUNDED);
    for mut request in [notice(&paid), notice(&refunded)] {
        expect_kept(&account, &request, now());
        let scheme = HeaderValue::from_static("WECHATPAY2-SHA256-RSA2048");
        request.headers_mut().insert("wechatpay-signature-type", scheme);
        expect_kept(&account, &request, now());
    }
    // Each of them is read: none could be left out.
    let other = HeaderValue::from_static("other");
    for name in account.kept_headers() {
        let mut changed = notice(&paid);
        changed.headers_mut().insert(*name, other.clone());
        assert!(account.open_notification(&changed, now()).is_err(), "{name}");
    }
}
