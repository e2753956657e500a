//! Every small change to a signed message is refused, changes nothing, or is in a name, which a signature over values
//! alone cannot notice.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use yuanfen_core::{OpenError, Opens as _, OperationExt as _, RemoteId, Unsigned, Verified};
use yuanfen_starpos::Reply;
use yuanfen_starpos::ops::QueryOrder;
use yuanfen_testkit::mutate::{Change, Message, Mutation, Outcome, Place, Weakness, expect_twins, expect_twins_but};
use yuanfen_testkit::oracle;

use crate::{KEY, MERCHANT, account, body, map, now, protocol_word, signature_word, vectors, word};

thread_local! {
    /// Where the member names of the message at hand stand. A weakness is a plain function, so this is how it knows.
    static NAMES: RefCell<Vec<Range<usize>>> = const { RefCell::new(Vec::new()) };
}

const NAMES_ARE_NOT_SIGNED: Weakness = Weakness {
    why: "values are signed and names are not: a value under a name that sorts to the same place is not missed",
    explains: in_a_name,
};

const NEED_NOT_BE_SIGNED: Weakness = Weakness {
    why: "an answer that starts a payment may come without a signature, and then says so",
    explains: |mutation| {
        matches!(&mutation.place, Place::Field(name) if name == "signValue")
            && matches!(mutation.change, Change::Removed | Change::Emptied)
    },
};

fn in_a_name(mutation: &Mutation) -> bool {
    let Place::Body(at) = mutation.place else {
        return false;
    };
    NAMES.with_borrow(|names| names.iter().any(|name| name.contains(&at)))
}

/// The fields as a JSON object. Their names are remembered for [`NAMES_ARE_NOT_SIGNED`].
fn message(fields: &[(&str, &str)]) -> Message {
    let mut names = Vec::new();
    let mut length = "{".len();
    for pair in fields {
        let start = length + "\"".len();
        names.push(start..start + pair.0.len());
        length += body(&[*pair]).len() - "{}".len() + ",".len();
    }
    let text = body(fields);
    for (range, (name, _)) in names.iter().zip(fields) {
        assert_eq!(&text[range.clone()], *name, "this is where the name stands");
    }
    NAMES.set(names);
    Message::of_fields(fields.iter().copied(), |pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        body(&pairs).into_bytes()
    })
}

fn reason(error: &OpenError) -> String {
    let word = match error {
        OpenError::Protocol(error) => protocol_word(&error.kind),
        OpenError::Signature(error) => signature_word(error).to_owned(),
        OpenError::Business(_) => "refusal".to_owned(),
        other => panic!("{other:?}"),
    };
    if word.starts_with("field") {
        "field".to_owned()
    } else {
        word
    }
}

/// What a reader sees of an answer: whether it is proven, and what stands under which name. Spaces and empty
/// values are left out of what is signed, so they are left out here.
fn seen(reply: &Reply) -> (bool, BTreeMap<String, String>) {
    let mut fields = map(reply.fields.iter());
    fields.retain(|name, value| {
        *value = value.replace(' ', "");
        !value.is_empty() && name != "signValue"
    });
    (reply.proven, fields)
}

#[test]
fn every_twin_of_a_signed_vector_is_refused_or_the_same_but_for_its_names() {
    let vectors = vectors();
    let signed: Vec<_> = ["sign", "verify"]
        .into_iter()
        .flat_map(|kind| vectors.of(kind))
        .filter(|case| case.refused().is_none())
        .collect();
    let names: Vec<_> = signed.iter().map(|case| case.name()).collect();
    assert_eq!(
        names,
        [
            "v1-pub-sig-qry",
            "v2-sdk-barcode-pos-pay",
            "v3-reply",
            "v3-reply-upper-case",
            "v4-pub-sig-pay-reply-lower-cased-order",
            "v4-pub-sig-pay-reply-raw-order",
        ]
    );
    for case in signed {
        let mut fields = case.pairs("fields");
        if !fields.iter().any(|(name, _)| *name == "signValue") {
            fields.push(("signValue", case.expected_signature().unwrap()));
        }
        let message = message(&fields);
        // A request is read as an answer would be: the rule is one.
        let tally = if case.text("operation") == "pubSigPay" {
            expect_twins_but(
                &message,
                |mutant| {
                    let opened = Unsigned::<Reply>::open(&account(), &mutant.response(200).unwrap(), now());
                    Outcome::of(opened.map(|reply| seen(reply.get())), reason)
                },
                &[NAMES_ARE_NOT_SIGNED, NEED_NOT_BE_SIGNED],
            )
        } else {
            expect_twins_but(
                &message,
                |mutant| {
                    let opened = Verified::<Reply>::open(&account(), &mutant.response(200).unwrap(), now());
                    Outcome::of(opened.map(|reply| seen(reply.get())), reason)
                },
                &[NAMES_ARE_NOT_SIGNED],
            )
        };
        // The case of digests, of percent-encodings and of names; spaces, empty values and their names.
        let text = message.original().body;
        tally.expect_same_only(|mutation| match &mutation.place {
            Place::Field(name) => mutation.change == Change::Removed && fields.contains(&(name, "")),
            Place::Body(at) => mutation.change == Change::Case || in_a_name(mutation) || text[*at] == b' ',
            _ => false,
        });
        // A request has no code of success that could stand there unsigned.
        let proven = case.text("operation") != "pubSigPay" && fields.iter().any(|(name, _)| *name == "returnCode");
        assert_eq!(tally.refused("missing-signature") > 0, proven, "{case}");
        assert!(tally.refused("mismatch") > 200, "{case}");
    }
}

#[cfg(feature = "encrypted-push")]
#[test]
fn no_twin_of_an_encrypted_push_is_taken_for_it() {
    use yuanfen_core::NotificationSource as _;

    let receiver = crate::encrypted::receiver();
    let vectors = vectors();
    let pushes: Vec<_> = vectors
        .of("push_digest")
        .into_iter()
        .filter(|case| case.refused().is_none())
        .collect();
    assert_eq!(pushes.len(), 5);
    for case in pushes {
        let message = message(&[("Datas", case.text("datas")), ("signValue", case.text("signature"))]);
        let tally = expect_twins(&message, |mutant| {
            match receiver.open_notification(&mutant.request("/push").unwrap(), now()) {
                Ok(notice) => Outcome::Opened(format!("{notice:?}")),
                // The digest held, and behind it was nothing that can be read: so with some of the vectors.
                Err(error) if reason(&error) == "decrypt" => Outcome::Opened("decrypt".to_owned()),
                Err(error) => Outcome::Refused(reason(&error)),
            }
        });
        tally.expect_reasons(&["field", "mismatch", "missing-signature", "not-json"]);
        tally.expect_same_only(|mutation| match &mutation.place {
            // Only the two fields are looked at, and the digest is compared whatever its case.
            Place::Field(name) => name == "unheard_of",
            Place::Body(at) => *at > case.text("datas").len() && mutation.change == Change::Case,
            _ => false,
        });
    }
}

#[test]
fn every_twin_of_a_signed_answer_is_refused_or_the_same_but_for_its_names() {
    let mut fields = vec![
        ("returnCode", "000000"),
        ("sysTime", "20240102030406"),
        ("message", "OK"),
        ("mercId", MERCHANT),
        ("logNo", "202401020000000002"),
        ("result", "S"),
        ("payChannel", "WXPAY"),
        ("amount", "100"),
        ("selOrderNo", "SHOP20240102000001"),
    ];
    let sign = oracle::starpos_sign(&map(fields.iter().copied()), KEY);
    fields.push(("signValue", &sign));
    let message = message(&fields);
    let query = QueryOrder::by_log_no(&RemoteId::new("202401020000000002").unwrap());
    let account = account();
    let tally = expect_twins_but(
        &message,
        |mutant| {
            let response = mutant.response(200).unwrap();
            let opened = query.reply(&account, &response, now()).map(|order| {
                (
                    order.log_no,
                    order.result,
                    order.channel_order_no,
                    order.pay_channel,
                    order.amount,
                    order.total,
                    order.refunded,
                    order.order_no,
                )
            });
            Outcome::of(opened, |error| match word(error) {
                field if field.starts_with("field") => "field".to_owned(),
                other => other,
            })
        },
        &[NAMES_ARE_NOT_SIGNED],
    );
    tally.expect_reasons(&["field", "mismatch", "missing-signature", "not-json"]);
    assert!(tally.refused("mismatch") > 100);
}

#[test]
fn no_value_of_a_signed_answer_can_be_changed() {
    // The weakness above is about names. This walks the octets of the values, each changed alone.
    let fields = [
        ("returnCode", "000000"),
        ("mercId", MERCHANT),
        ("logNo", "202401020000000002"),
        ("result", "S"),
        ("amount", "100"),
        ("refAmt", "0"),
        ("selOrderNo", "SHOP20240102000001"),
    ];
    let sign = oracle::starpos_sign(&map(fields), KEY);
    let query = QueryOrder::by_log_no(&RemoteId::new("202401020000000002").unwrap());
    for (index, (name, value)) in fields.iter().enumerate() {
        for at in 0..value.len() {
            for other in ["0", "9", "F", ""] {
                if &value[at..=at] == other {
                    continue;
                }
                let mut changed = (*value).to_owned();
                changed.replace_range(at..=at, other);
                let mut pairs = fields.to_vec();
                pairs[index].1 = &changed;
                pairs.push(("signValue", &sign));
                let error = query.reply(&account(), &crate::unsigned(&pairs), now()).unwrap_err();
                assert_eq!(word(&error), "mismatch", "{name}: {changed}");
            }
        }
    }
}
