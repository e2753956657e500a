//! Encrypted pushes, with ciphertexts that OpenSSL made: the digest first, then the blocks.

use std::sync::Arc;

use yuanfen_core::{Facts, Fen, FixedAmbient, Notice, NotificationSource as _, Transition, Verdict, Verified};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_starpos::Account;
use yuanfen_starpos::notify::{Push, PushKeys, TxnCode};
use yuanfen_testkit::{Value, expect_kept, json, oracle};

use crate::notify::{PUSH, refused, request};
use crate::{OPENID, account, body, now, vectors, with};

const MD5_KEY: &str = "ffeeddccbbaa99887766554433221100";

fn keys() -> PushKeys {
    let ambient = Arc::new(FixedAmbient::at(0));
    PushKeys::new(MD5_KEY, &vectors().key("push_private").text, ambient).unwrap()
}

pub(crate) fn receiver() -> Account {
    account().with_push_keys(keys())
}

fn open_text(text: String) -> Result<Verified<Push>, String> {
    match receiver().open_notification(&request(text), now()) {
        Ok(Notice::Settles(push)) => Ok(push),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(refused(&error)),
    }
}

fn open(datas: &str, name: &str, signature: &str) -> Result<Verified<Push>, String> {
    open_text(body(&[("Datas", datas), (name, signature)]))
}

/// A plaintext in blocks, with a digest that holds.
fn sealed(plaintext: &[u8]) -> (String, String) {
    let key = LegacyRsaSigningKey::parse(&vectors().key("push_private").text, RsaDigest::Sha1).unwrap();
    let public = key.verifying_key();
    let datas: String = plaintext
        .chunks(public.block_len() - 11)
        .map(|piece| yuanfen_sign::hex_upper(&public.encrypt_pkcs1v15(piece, &FixedAmbient::at(7)).unwrap()))
        .collect();
    let signature = oracle::starpos_push_sign(&datas, MD5_KEY);
    (datas, signature)
}

fn opened(pairs: &[(&str, &str)]) -> Result<Verified<Push>, String> {
    let (datas, signature) = sealed(&encoding_rs::GBK.encode(&body(pairs)).0);
    open(&datas, "signValue", &signature)
}

#[test]
fn opens_or_refuses_openssls_pushes_under_either_name_and_case_of_the_signature() {
    for case in vectors()
        .of("push_digest")
        .into_iter()
        .filter(|case| case.has("private_key"))
    {
        let run = case.run();
        let (datas, signature) = (case.text("datas"), case.text("signature"));
        let run = run
            .text([datas, case.text("md5_key")].concat())
            .signature(&oracle::starpos_push_sign(datas, MD5_KEY));
        for (name, signature) in [
            ("signValue", signature.to_owned()),
            ("singValue", signature.to_owned()),
            ("signValue", signature.to_lowercase()),
        ] {
            match (case.expected_decoded(), open(datas, name, &signature)) {
                (Some(wanted), Ok(push)) => compare(wanted, push.get()),
                // What is no GBK and what is no JSON look alike.
                (None, Err(word)) => assert_eq!(word, "decrypt", "{case}"),
                (wanted, found) => panic!("{case}: {wanted:?}, {found:?}"),
            }
        }
        match case.expected_decoded() {
            Some(_) => run.decoded_with(|_| ()).done(),
            None => run.done(),
        }
    }
}

fn compare(wanted: &Value, push: &Push) {
    let found = json!({
        "logNo": push.log_no.as_str(),
        "TxnCode": push.kind.as_str(),
        "TxnStatus": push.status,
        "TxnLogId": push.trade_no,
        "ChannelId": push.order_no,
        "OfficeId": push.channel_order_no,
        "BusinessId": push.merchant,
        "UserId": push.payer,
        "attach": push.extra.get("attach"),
    });
    for (name, value) in found.as_object().unwrap() {
        assert_eq!(wanted.get(name), Some(value), "{name}");
    }
    // A border between two blocks goes through a character of this text.
    assert!(push.extra.get("attach").unwrap().contains("测试商品门店"));
    assert_eq!(push.amount, Fen::new(4390));
}

#[test]
fn amounts_in_yuan_are_read_exactly() {
    for (text, fen) in [
        ("43.9", 4390),
        ("45.0", 4500),
        ("45", 4500),
        ("0.01", 1),
        ("0.0100", 1),
        ("0.1", 10),
        ("19.99", 1999),
        ("1.15", 115),
        ("4503599627370497.03", 450_359_962_737_049_703),
        ("0", 0),
    ] {
        let push = opened(&with(PUSH, &[("TxnAmt", Some(text))])).unwrap();
        assert_eq!(push.get().amount, Fen::new(fen), "{text}");
    }
    for wrong in ["0.001", "1e2", "+1", "43,9", "99999999999999999999"] {
        assert_eq!(
            opened(&with(PUSH, &[("TxnAmt", Some(wrong))])).unwrap_err(),
            "field TxnAmt",
            "{wrong}"
        );
    }
}

#[test]
fn a_wrong_digest_is_refused_before_anything_is_decrypted() {
    let (datas, signature) = sealed(body(PUSH).as_bytes());
    let other = "0".repeat(32);
    for wrong in [other.as_str(), "x", &signature[1..]] {
        assert_eq!(open(&datas, "signValue", wrong).unwrap_err(), "mismatch");
    }
    assert_eq!(open(&datas, "signValue", "").unwrap_err(), "missing-signature");
    assert_eq!(open_text(body(&[("Datas", &datas)])).unwrap_err(), "missing-signature");
    assert_eq!(
        open_text(body(&[("Datas", ""), ("signValue", &signature)])).unwrap_err(),
        "missing-signature"
    );
    // What could not be decrypted either gets the same answer as long as the digest is wrong.
    for garbage in ["00", "zz", "0", "中"] {
        assert_eq!(open(garbage, "signValue", &other).unwrap_err(), "mismatch");
    }
}

#[test]
fn two_different_signatures_prove_nothing() {
    let (datas, signature) = sealed(body(PUSH).as_bytes());
    let wrong = "0".repeat(32);
    for (sign, sing) in [(&signature, &wrong), (&wrong, &signature)] {
        let text = body(&[("Datas", &datas), ("signValue", sign), ("singValue", sing)]);
        assert_eq!(open_text(text).unwrap_err(), "missing-signature");
    }
    let text = body(&[("Datas", &datas), ("signValue", &signature), ("singValue", &signature)]);
    assert!(open_text(text).is_ok());
}

#[test]
fn every_failure_behind_the_digest_looks_alike() {
    let (good, _) = sealed(body(PUSH).as_bytes());
    let mut altered = good.clone();
    altered.replace_range(10..11, if &good[10..11] == "0" { "1" } else { "0" });
    let zeros = "00".repeat(128);
    let ones = "FF".repeat(128);
    let wrong: Vec<String> = vec![
        "00".to_owned(),
        "0".to_owned(),
        "zz".repeat(128),
        "中".to_owned(),
        good[..good.len() - 2].to_owned(),
        format!("{good}00"),
        altered,
        zeros,
        ones,
        sealed(b"no JSON").0,
        sealed(b"[]").0,
        sealed(b" ").0,
        sealed(b"{\"logNo\":\"1\",\"logNo\":\"1\"}").0,
        sealed(b"{\"a\":\"\xff\xff\"}").0,
    ];
    for datas in wrong {
        let signature = oracle::starpos_push_sign(&datas, MD5_KEY);
        assert_eq!(open(&datas, "signValue", &signature).unwrap_err(), "decrypt", "{datas}");
    }
    // And the sender hears the same of them as of a wrong digest.
    assert_eq!(
        receiver().acknowledge(Verdict::Rejected).body(),
        account().acknowledge(Verdict::Rejected).body()
    );
}

#[test]
fn lower_case_hex_opens_as_well() {
    let (datas, _) = sealed(&encoding_rs::GBK.encode(&body(PUSH)).0);
    let datas = datas.to_lowercase();
    let signature = oracle::starpos_push_sign(&datas, MD5_KEY);
    assert!(open(&datas, "signValue", &signature).is_ok());
}

#[test]
fn an_opened_push_about_somebody_else_is_foreign() {
    let other = with(PUSH, &[("BusinessId", Some("000000000000002"))]);
    assert_eq!(opened(&other).unwrap_err(), "foreign BusinessId");
    assert_eq!(
        opened(&with(PUSH, &[("BusinessId", None)])).unwrap_err(),
        "field BusinessId"
    );
}

#[test]
fn a_plain_push_stays_a_hint_where_encrypted_ones_are_expected() {
    let notice = receiver().open_notification(&request(body(PUSH)), now()).unwrap();
    assert!(matches!(notice, Notice::Hint(_)));
}

#[test]
fn without_keys_an_encrypted_push_does_not_open() {
    let (datas, signature) = sealed(body(PUSH).as_bytes());
    let text = body(&[("Datas", &datas), ("signValue", &signature)]);
    let error = account().open_notification(&request(text), now()).unwrap_err();
    assert_eq!(refused(&error), "decrypt");
}

#[test]
fn keys_that_cannot_be_used_are_refused() {
    let ambient = || Arc::new(FixedAmbient::at(0));
    let private = vectors().key("push_private").text.clone();
    assert!(PushKeys::new("", &private, ambient()).is_err());
    assert!(PushKeys::new(MD5_KEY, "no key", ambient()).is_err());
    let bare: String = private.lines().filter(|line| !line.starts_with("-----")).collect();
    assert!(PushKeys::new(MD5_KEY, &bare, ambient()).is_ok());
}

#[test]
fn a_payment_and_its_refund_have_two_keys_and_each_delivery_the_same() {
    let receiver = receiver();
    let paid = opened(PUSH).unwrap();
    let refund = opened(&with(PUSH, &[("TxnCode", Some("L005"))])).unwrap();
    let failed = opened(&with(PUSH, &[("TxnStatus", Some("0"))])).unwrap();
    let key = receiver.key(paid.get());
    assert_eq!(
        (&*key.route, key.account.as_str(), key.subject.as_str()),
        ("starpos", "000000000000001", "202401020000000002")
    );
    assert_eq!(key.transition, Transition::OrderPaid);
    assert_eq!(key, receiver.key(opened(PUSH).unwrap().get()));
    assert_eq!(receiver.key(refund.get()).transition, Transition::RefundSucceeded);
    assert_eq!(receiver.key(failed.get()).transition, Transition::Other);
    let facts: Facts = receiver.facts(paid.get());
    assert_eq!(facts.amount, Some(Fen::new(4390)));
    assert_eq!(facts.remote_id.as_deref(), Some("202401020000000002"));
    assert_eq!(facts.merchant.as_deref(), Some("000000000000001"));
    // Which kind of payment it was, no query tells; of what no query settles, it is the difference.
    for (push, end_state) in [(paid, "1"), (refund, "1"), (failed, "N007 0")] {
        assert_eq!(receiver.facts(push.get()).end_state, end_state);
    }
}

/// `TxnLogId` is the number of the call (sheet, section 9.1): of a payment ours, of a refund the refund's own, of a void
/// the void's. Where the gateway writes its serial number there, it is none of ours.
#[test]
fn our_numbers_are_those_of_the_call_and_never_the_platforms() {
    const CALL: Option<&str> = Some("T20240102030405001");
    const SHOP: Option<&str> = Some("SHOP20240102000001");
    const LOG_NO: Option<&str> = Some("202401020000000002");
    let receiver = receiver();
    for (kind, call, channel, order_no, refund_no) in [
        ("N007", CALL, SHOP, CALL, None),
        ("N001", CALL, None, CALL, None),
        ("N007", None, SHOP, SHOP, None),
        ("N007", Some(""), SHOP, SHOP, None),
        ("N007", LOG_NO, SHOP, SHOP, None),
        ("N007", LOG_NO, None, None, None),
        ("N007", None, None, None, None),
        ("L005", CALL, SHOP, SHOP, CALL),
        ("L005", CALL, None, None, CALL),
        ("L005", LOG_NO, SHOP, SHOP, None),
        ("L005", None, SHOP, SHOP, None),
        ("L030", CALL, SHOP, SHOP, None),
        ("L030", CALL, None, None, None),
    ] {
        let changes = [("TxnCode", Some(kind)), ("TxnLogId", call), ("ChannelId", channel)];
        let push = opened(&with(PUSH, &changes)).unwrap();
        let facts = receiver.facts(push.get());
        assert_eq!(
            (facts.order_no.as_deref(), facts.refund_no.as_deref()),
            (order_no, refund_no),
            "{changes:?}"
        );
        assert_eq!(facts.remote_id.as_deref(), LOG_NO);
    }
    // A refund that did not succeed is about the same number.
    let push = opened(&with(PUSH, &[("TxnCode", Some("L005")), ("TxnStatus", Some("0"))])).unwrap();
    assert_eq!(receiver.facts(push.get()).refund_no.as_deref(), CALL);
}

#[test]
fn only_a_success_of_a_kind_that_pays_is_paid() {
    for (kind, status, expected) in [
        ("N001", "1", Transition::OrderPaid),
        ("N002", "1", Transition::OrderPaid),
        ("N007", "1", Transition::OrderPaid),
        ("4433040", "1", Transition::OrderPaid),
        ("L005", "1", Transition::RefundSucceeded),
        ("L030", "1", Transition::Other),
        ("L009", "1", Transition::Other),
        ("2010070", "1", Transition::Other),
        ("X999", "1", Transition::Other),
        ("n007", "1", Transition::Other),
        ("N007", "0", Transition::Other),
        ("N007", "11", Transition::Other),
        ("L005", "0", Transition::Other),
    ] {
        let push = opened(&with(PUSH, &[("TxnCode", Some(kind)), ("TxnStatus", Some(status))])).unwrap();
        assert_eq!(push.get().transition(), expected, "{kind} {status}");
    }
    assert_eq!(opened(PUSH).unwrap().get().kind, TxnCode::OfficialAccount);
}

#[test]
fn numbers_and_nulls_of_a_push_are_taken_by_their_text() {
    let text = body(PUSH)
        .replace("\"TxnAmt\":\"43.9\"", "\"TxnAmt\":43.9")
        .replace("\"CrdFlg\":\"\"", "\"CrdFlg\":null");
    let (datas, signature) = sealed(&encoding_rs::GBK.encode(&text).0);
    assert_eq!(
        open(&datas, "signValue", &signature).unwrap().get().amount,
        Fen::new(4390)
    );
}

#[test]
fn nothing_of_keys_or_payer_shows() {
    let push = opened(PUSH).unwrap();
    let shown = format!("{:?} {:#?} {:?} {:?}", push, push, keys(), receiver());
    for secret in [OPENID, MD5_KEY, "ffeeddcc", "MII"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("202401020000000002") && shown.contains("PushKeys(..)"));
}

#[test]
fn a_stored_push_opens_to_the_same_without_any_header() {
    let (datas, signature) = sealed(&encoding_rs::GBK.encode(&body(PUSH)).0);
    let request = request(body(&[("Datas", &datas), ("signValue", &signature)]));
    expect_kept(&receiver(), &request, now());
}
