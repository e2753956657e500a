//! Negative twins: every small change to a good message is refused, or changes nothing that a reader sees.

use proptest::prelude::*;
use yuanfen_core::{
    CalendarDate, Fate, NotificationSource as _, Opens as _, OperationExt as _, OrderNo, Provider as _, Standing,
    UnixTime, Verified,
};
use yuanfen_testkit::mutate::{Change, Message, Mutation, Outcome, Place, expect_twins};
use yuanfen_wechat_v3::ops::{QueryCombinedOrder, QueryOrder, RequestEcommerceFundFlowBill, ReverseOrder, UploadImage};
use yuanfen_wechat_v3::{Account, CombinedOrderNo, MediaFile, Reply};

use crate::far_side::{
    CERTIFICATE, PUBLIC_KEY_ID, VECTORS, account, envelope, fresh_account, now, public_key_account, reason,
    signed_headers,
};
use crate::replies::PAID;
use crate::till::charge;

fn message(serial: &str, body: &str) -> Message {
    signed_headers(serial, body.as_bytes())
        .into_iter()
        .fold(Message::new(body).octets_at_most(400), |message, (name, value)| {
            message.header(name, value)
        })
}

/// The serial is not signed; a certificate's is compared whatever its case.
fn case_of_the_serial(mutation: &Mutation) -> bool {
    mutation.change == Change::Case
        && matches!(&mutation.place, Place::HeaderOctet(name, _) if name == "Wechatpay-Serial")
}

#[test]
fn every_twin_of_an_answer_is_refused() {
    let opens = |account: &Account, message: &Message| {
        expect_twins(message, |mutant| match mutant.response(200) {
            None => Outcome::Refused("no-header".to_owned()),
            Some(response) => Outcome::of(
                Verified::<Reply>::open(account, &response, now()).map(|reply| reply.get().raw().clone()),
                reason,
            ),
        })
    };
    let tally = opens(&account(), &message(CERTIFICATE, PAID));
    tally.expect_same_only(case_of_the_serial);
    assert!(!tally.same().is_empty());
    tally.expect_reasons(&["mismatch", "missing-signature", "stale", "unknown-key"]);
    // A public key's id is compared exactly.
    let tally = opens(&public_key_account(), &message(PUBLIC_KEY_ID, PAID));
    tally.expect_same_only(|_| false);
    tally.expect_reasons(&["mismatch", "missing-signature", "not-configured", "stale"]);
}

#[test]
fn every_twin_of_a_notice_is_refused() {
    let account = account();
    let body = envelope("TRANSACTION.SUCCESS", "transaction", PAID);
    let tally = expect_twins(&message(CERTIFICATE, &body), |mutant| match mutant.request("/notify") {
        None => Outcome::Refused("no-header".to_owned()),
        Some(request) => Outcome::of(account.open_notification(&request, now()), reason),
    });
    tally.expect_same_only(case_of_the_serial);
    tally.expect_reasons(&["mismatch", "missing-signature", "stale", "unknown-key"]);
}

/// The first list of certificates, of which nothing is known beforehand. Here members are read and opened before the
/// signature is checked, so a twin can be refused for what it says; none is ever taken in.
#[test]
fn every_twin_of_a_first_list_of_certificates_is_refused() {
    let list = crate::certificates::listed(&["go_cert_D7CE", "go_cert_F576"]);
    let body = std::str::from_utf8(list.body()).unwrap();
    // Each twin costs several decryptions and a certificate.
    let message = message(CERTIFICATE, body).octets_at_most(100);
    let tally = expect_twins(&message, |mutant| {
        let account = fresh_account();
        let Some(response) = mutant.response(200) else {
            return Outcome::Refused("no-header".to_owned());
        };
        let learned = account.learn_keys(&response, now());
        assert_eq!(learned.is_err(), account.platform_keys().is_empty());
        Outcome::of(learned.map(|()| account.platform_keys().serials()), reason)
    });
    tally.expect_same_only(case_of_the_serial);
    tally.expect_reasons(&[
        "decrypt",
        "field",
        "format",
        "mismatch",
        "missing-signature",
        "stale",
        "unknown-key",
    ]);
    assert!(tally.refused("mismatch") > 100 && tally.refused("decrypt") > 50);
}

/// The published answers and their signatures.
#[test]
fn every_twin_of_a_published_answer_is_refused() {
    for case in VECTORS.of("message_verify") {
        if case.refused().is_some() {
            continue;
        }
        let account = fresh_account()
            .with_public_key(PUBLIC_KEY_ID, case.text("key"))
            .unwrap();
        let message = Message::new(case.bytes("body"))
            .header("Wechatpay-Timestamp", case.text("timestamp"))
            .header("Wechatpay-Nonce", case.text("nonce"))
            .header("Wechatpay-Serial", PUBLIC_KEY_ID)
            .header("Wechatpay-Signature", case.text("signature"));
        let at = UnixTime::from_seconds(case.number("timestamp"));
        let tally = expect_twins(&message, |mutant| match mutant.response(200) {
            None => Outcome::Refused("no-header".to_owned()),
            Some(response) => Outcome::of(
                Verified::<Reply>::open(&account, &response, at).map(|reply| reply.get().raw().clone()),
                reason,
            ),
        });
        tally.expect_same_only(|_| false);
        assert!(tally.refused("mismatch") > 100, "{case}");
    }
}

/// The published notice: its signature holds until anything changes. It cannot be opened further, its key being of the
/// wrong length, so "opened" is here "its signature holds".
#[test]
fn every_twin_of_the_published_notice_is_refused_for_its_signature() {
    for case in VECTORS.of("notification") {
        let account = fresh_account().with_certificate(case.text("key")).unwrap();
        let message = Message::new(case.bytes("body"))
            .header("Wechatpay-Timestamp", case.text("timestamp"))
            .header("Wechatpay-Nonce", case.text("nonce"))
            .header("Wechatpay-Serial", case.text("serial"))
            .header("Wechatpay-Signature", case.text("signature"));
        let at = UnixTime::from_seconds(case.number("timestamp"));
        let tally = expect_twins(&message, |mutant| {
            let Some(request) = mutant.request("/") else {
                return Outcome::Refused("no-header".to_owned());
            };
            match account.open_notification(&request, at) {
                Err(error) if reason(&error) == "decrypt" => Outcome::Opened("the signature holds"),
                opened => Outcome::of(opened.map(|_| "opened"), reason),
            }
        });
        tally.expect_same_only(case_of_the_serial);
        tally.expect_reasons(&["mismatch", "missing-signature", "stale", "unknown-key"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is posted, under whichever headers, nothing panics and nothing is believed.
    #[test]
    fn no_stranger_is_believed_and_nothing_panics(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        timestamp in "[0-9]{0,12}|1700000000|.{0,8}",
        nonce in "[ -~]{0,40}",
        serial in "[0-9A-F]{0,20}|D7CE59D1F522D701|PUB_KEY_ID_1",
        signature in "[A-Za-z0-9+/=]{0,350}|.{0,20}",
        status in 100_u16..600,
    ) {
        let mut response = http::Response::builder().status(status);
        let mut request = http::Request::post("/");
        for (name, value) in [
            ("Wechatpay-Timestamp", &timestamp),
            ("Wechatpay-Nonce", &nonce),
            ("Wechatpay-Serial", &serial),
            ("Wechatpay-Signature", &signature),
        ] {
            response = response.header(name, value);
            request = request.header(name, value);
        }
        let account = account();
        if let (Ok(response), Ok(request)) = (response.body(body.clone().into()), request.body(body.into())) {
            prop_assert!(Verified::<Reply>::open(&account, &response, now()).is_err());
            prop_assert!(account.learn_keys(&response, now()).is_err());
            prop_assert!(account.open_notification(&request, now()).is_err());
        }
    }

    /// Genuine JSON of any shape: an error or a value, never a panic.
    #[test]
    fn no_genuine_answer_makes_a_reader_panic(body in "[\\[\\]{}:,\"a-z0-9._\\\\ ]{0,120}", status in 200_u16..=204) {
        let headers = signed_headers(CERTIFICATE, body.as_bytes());
        let response = crate::far_side::response(200, &headers, body.as_bytes());
        let query = QueryOrder::by_order_no(OrderNo::new("A1").unwrap());
        prop_assert!(query.reply(&account(), &response, now()).is_err());
        prop_assert!(account().learn_keys(&response, now()).is_err());
        let combined = QueryCombinedOrder::new(CombinedOrderNo::new("A1").unwrap());
        prop_assert!(combined.reply(&account(), &response, now()).is_err());
        let sealed = RequestEcommerceFundFlowBill::new(CalendarDate::parse("2020-11-09").unwrap());
        prop_assert!(sealed.reply(&account(), &response, now()).is_err());
        let upload = UploadImage::new(MediaFile::new("a.png", "a"));
        prop_assert!(upload.reply(&account(), &response, now()).is_err());
        // A code is charged by a 200 that says so, a 202 may hold anything that contradicts nothing, and else there is none.
        let response = crate::far_side::response(status, &headers, body.as_bytes());
        let charged = charge().reply(&account(), &response, now());
        match charged {
            Ok(charged) => prop_assert_eq!((status, charged.standing()), (202, Standing::Pending)),
            Err(error) => prop_assert_eq!(error.fate(), Fate::Unknown),
        }
        let reverse = ReverseOrder::new(OrderNo::new("A1").unwrap());
        prop_assert!(reverse.reply(&account(), &response, now()).is_err());
    }
}
