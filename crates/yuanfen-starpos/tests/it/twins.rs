//! Every small change to a signed answer is refused, changes nothing, or is one of the two things that a signature over
//! values alone cannot notice.

use yuanfen_core::{OperationExt as _, RemoteId};
use yuanfen_starpos::ops::QueryOrder;
use yuanfen_testkit::mutate::{Change, Message, Outcome, Place, Weakness, expect_twins_but};
use yuanfen_testkit::oracle;

use crate::{KEY, MERCHANT, account, body, map, now, word};

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
    let render = |pairs: &[(String, String)]| {
        let members: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("\"{name}\":\"{value}\""))
            .collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    };
    let message = Message::of_fields(fields.iter().copied(), render);
    assert_eq!(message.original().body.len(), body(&fields).len());
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
        &[Weakness {
            why: "values are signed and names are not: a value under a name that sorts to the same place is not missed",
            explains: |mutation| {
                matches!(mutation.place, Place::Body(_))
                    && matches!(
                        mutation.change,
                        Change::LowBit | Change::Deleted | Change::Repeated | Change::Case
                    )
            },
        }],
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
