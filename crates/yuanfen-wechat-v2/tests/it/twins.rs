//! Negative twins: every byte, field and header of good messages, those of the positive vectors among them, changed
//! once.

use yuanfen_core::{Notice, NotificationSource as _, OperationExt as _, SignatureError, Verified};
use yuanfen_sign::{KeyedSigner, SharedKey};
use yuanfen_testkit::mutate::{Change, Place};
use yuanfen_testkit::{Case, Message, Mutant, Outcome, expect_twins};
use yuanfen_wechat_v2::{Account, RULES, SignType};
use yuanfen_xml::MESSAGE_LIMITS;

use crate::far_side::{PAID, PLACED, account, changed, hmac_account, now, order, response, signed, why, word, xml};
use crate::vectors::{account as account_of, sign_type, vectors};

/// All that a reader sees of a notice.
fn open(account: &Account, mutant: &Mutant) -> Outcome<String> {
    let request = mutant.request("https://shop.example/wechat/notify").unwrap();
    let opened = account.open_notification(&request, now()).map(|notice| match notice {
        Notice::Settles(event) => {
            let event = event.into_inner();
            let extra: Vec<_> = event.extra.iter().collect();
            format!(
                "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {extra:?}",
                account.key(&event),
                account.facts(&event),
                event.openid,
                event.cash,
                event.is_subscribed,
                event.bank_type,
                event.paid_at,
                event.attach,
            )
        }
        other => format!("{other:?}"),
    });
    Outcome::of(opened, word)
}

#[test]
fn refuses_every_change_to_a_payment_notice() {
    for (account, by) in [(account(), SignType::Md5), (hmac_account(), SignType::HmacSha256)] {
        let pairs = signed(&changed(PAID, &[("sign_type", Some(by.as_str()))]), by);
        let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
        let message = Message::of_fields(fields, xml);
        let tally = expect_twins(&message, |mutant| open(&account, mutant));
        tally.expect_reasons(&["mismatch", "missing-signature", "format", "malformed sign_type"]);
        // No change at all goes unnoticed: names, values and markup are either signed or hold the message together.
        tally.expect_same_only(|_| false);
        assert!(tally.refused("mismatch") > 500, "{tally:?}");
        assert!(tally.refused("missing-signature") > 3, "{tally:?}");
    }
}

#[test]
fn refuses_every_change_to_an_answer() {
    let pairs = signed(&changed(PLACED, &[]), SignType::Md5);
    let fields: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
    let tally = expect_twins(&Message::of_fields(fields, xml), |mutant| {
        let response = response(200, mutant.body.clone());
        let placed = order().reply(&account(), &response, now()).map(|placed| {
            let extra: Vec<_> = placed.extra.iter().collect();
            format!("{} {:?} {extra:?}", placed.prepay_id.as_str(), placed.trade_type)
        });
        Outcome::of(placed, |error| {
            // A changed `return_code` makes it the refusal that nobody signs; its fate is unknown all the same.
            assert_eq!(error.fate(), yuanfen_core::Fate::Unknown);
            why(error).split_whitespace().next().unwrap().to_owned()
        })
    });
    tally.expect_reasons(&["mismatch", "missing-signature", "format", "refused"]);
    tally.expect_same_only(|_| false);
}

#[test]
fn refuses_every_change_to_the_notices_of_the_vectors() {
    let vectors = vectors();
    let cases = vectors.of("notification");
    let good: Vec<_> = cases.iter().filter(|case| case.refused().is_none()).collect();
    assert!(!good.is_empty());
    for case in good {
        let account = account_of(case).with_sign_type(sign_type(case));
        let body = case.bytes("body");
        let fields = case.expected_fields().unwrap();
        let pairs = || fields.iter().map(|(name, value)| (&**name, &**value));
        // The octets as they were recorded, and the fields in our own markup.
        for message in [Message::new(body), Message::of_fields(pairs(), xml)] {
            let message = message.header("content-type", "text/xml");
            let tally = expect_twins(&message, |mutant| open(&account, mutant));
            // Nobody signs the headers, and nobody reads them.
            tally.expect_same_only(|mutation| matches!(mutation.place, Place::Header(_) | Place::HeaderOctet(..)));
            assert!(!tally.same().is_empty(), "{case}");
            assert!(tally.refused("mismatch") > 500, "{case}: {tally:?}");
            assert!(tally.refused("format") > 500, "{case}: {tally:?}");
        }
        // The fields alone. Twice is no XML of theirs. What does not say `SUCCESS` is a refusal, which nobody signs and
        // which is no notice: `return_code` in three ways, beside `sign` removed and emptied.
        let tally = expect_twins(&Message::of_fields(pairs(), xml).octets_at_most(0), |mutant| {
            open(&account, mutant)
        });
        tally.expect_reasons(&["mismatch", "missing-signature", "format"]);
        tally.expect_same_only(|_| false);
        assert_eq!(tally.refused("missing-signature"), 3 + 2, "{case}");
        assert_eq!(tally.refused("format"), 2 * fields.len(), "{case}");
        // All others with another value, with none, and removed; `sign` with another; and the field more.
        assert_eq!(tally.refused("mismatch"), 3 * (fields.len() - 2) + 1 + 1, "{case}");
    }
}

/// What a verifier of signed fields reads: all that are not empty.
fn read_signed(case: &Case<'_>, mutant: &Mutant) -> Outcome<Vec<(String, String)>> {
    let Ok(document) = yuanfen_xml::read(&mutant.body, &MESSAGE_LIMITS) else {
        return Outcome::Refused("format".to_owned());
    };
    let fields = document.fields();
    let Some(signature) = fields.filled("sign") else {
        return Outcome::Refused("missing-signature".to_owned());
    };
    let key = SharedKey::new(case.text("key")).unwrap();
    let text = RULES.text(fields, &key);
    let signer = KeyedSigner::new(key, sign_type(case).scheme());
    let filled = fields.iter().filter(|(_, value)| !value.is_empty());
    let read = filled
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let checked = Verified::check(&signer, text.as_bytes(), signature, read);
    Outcome::of(checked.map(Verified::into_inner), |error| match error {
        SignatureError::Mismatch => "mismatch".to_owned(),
        other => panic!("{other:?}"),
    })
}

#[test]
fn refuses_every_change_to_the_signed_fields_of_the_vectors() {
    let vectors = vectors();
    for kind in ["sign", "bridge", "app", "native_url"] {
        let cases = vectors.of(kind);
        assert!(!cases.is_empty(), "{kind}");
        for case in cases {
            let signature = case.expected_signature().unwrap();
            let mut pairs = case.pairs("fields");
            pairs.retain(|(name, _)| *name != "sign");
            let empty: Vec<_> = pairs.iter().filter(|(_, value)| value.is_empty()).copied().collect();
            let filled = pairs.len() - empty.len();
            pairs.push(("sign", signature));
            let tally = expect_twins(&Message::of_fields(pairs.clone(), xml), |mutant| {
                read_signed(&case, mutant)
            });
            tally.expect_reasons(&["mismatch", "missing-signature", "format"]);
            // An empty value is not signed and not read: it may go, and nothing else may.
            tally.expect_same_only(|mutation| match &mutation.place {
                Place::Field(name) => {
                    mutation.change == Change::Removed && empty.iter().any(|(empty, _)| empty == name)
                }
                _ => false,
            });
            assert_eq!(tally.same().len(), empty.len(), "{case}");
            assert_eq!(
                tally.refused("missing-signature"),
                2,
                "{case}: `sign` removed and emptied"
            );
            // Each field in three other ways, each empty one in one, `sign` in one, and the field more; all else are
            // octets.
            assert!(
                tally.refused("mismatch") > 3 * filled + empty.len() + 2,
                "{case}: {tally:?}"
            );
        }
    }
}

#[test]
fn refuses_every_change_to_the_refund_notice_of_the_vectors() {
    let vectors = vectors();
    for case in vectors.of("refund_decrypt") {
        if case.refused().is_some() {
            continue;
        }
        let account = account_of(&case);
        let tally = expect_twins(&Message::new(case.text("req_info")), |mutant| {
            let Ok(sealed) = std::str::from_utf8(&mutant.body) else {
                return Outcome::Refused("no text".to_owned());
            };
            Outcome::of(
                account
                    .decrypt_refund_notice(sealed)
                    .map(|notice| format!("{:?}", notice.into_inner())),
                word,
            )
        });
        // Nothing signs the ciphertext, so this is the cipher's and the format's doing: no twin of these octets is a
        // notice, and whatever it fails at, nobody learns it.
        tally.expect_reasons(&["decrypt"]);
        tally.expect_same_only(|_| false);
        assert!(tally.refused("decrypt") > 3 * case.text("req_info").len(), "{case}");
    }
}
