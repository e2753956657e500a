//! The signature covers the values one behind the other, without their names or lengths. So characters can move from
//! the end of a value to the start of the next, or back, and it still holds. What refuses such an answer then is what it
//! says, and this states for every border what that is.

use std::collections::BTreeSet;

use yuanfen_core::{BaseUrl, Fen, OperationExt as _, OrderNo, RemoteId, Standing};
use yuanfen_starpos::codes::TradeResult;
use yuanfen_starpos::ops::{QueriedOrder, QueryOrder};
use yuanfen_testkit::oracle;

use crate::{KEY, MERCHANT, account, decoded, now, unsigned, with, word};

const LOG_NO: &str = "202401020000000002";
const ORDER_NO: &str = "SHOP20240102000001";

/// A paid order, in the order in which its values are signed.
const QUERIED: &[(&str, &str)] = &[
    ("amount", "100"),
    ("logNo", LOG_NO),
    ("mercId", MERCHANT),
    ("message", "OK"),
    ("orderNo", "4200000000202401020000000001"),
    ("payChannel", "WXPAY"),
    ("refAmt", "40"),
    ("result", "S"),
    ("returnCode", "000000"),
    ("selOrderNo", ORDER_NO),
    ("sysTime", "20240102030406"),
    ("total_amount", "120"),
    ("tradeNo", "Q1"),
];

/// Every way to move the border behind that value, under the signature of the answer as it was.
fn shifted(left: usize) -> Vec<Vec<(&'static str, String)>> {
    let both = [QUERIED[left].1, QUERIED[left + 1].1].concat();
    (0..=both.len())
        .filter(|border| *border != QUERIED[left].1.len())
        .map(|border| {
            let mut pairs: Vec<_> = QUERIED
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect();
            both[..border].clone_into(&mut pairs[left].1);
            both[border..].clone_into(&mut pairs[left + 1].1);
            pairs.push(("signValue", oracle::starpos_sign(&decoded(QUERIED), KEY)));
            pairs
        })
        .collect()
}

/// What became of the answers with that border moved: `taken`, or the words for why they were refused.
fn outcomes(query: &QueryOrder, left: usize, check: impl Fn(QueriedOrder)) -> BTreeSet<String> {
    shifted(left)
        .iter()
        .map(|pairs| {
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            match query.reply(&account(), &unsigned(&pairs), now()) {
                Ok(queried) => {
                    check(queried);
                    "taken".to_owned()
                }
                Err(error) => match word(&error) {
                    refusal if refusal.starts_with("refusal") => "refusal".to_owned(),
                    other => other,
                },
            }
        })
        .collect()
}

fn words(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn by_log_no() -> QueryOrder {
    let mut query = QueryOrder::by_log_no(&RemoteId::new(LOG_NO).unwrap());
    query.order_no = Some(OrderNo::new(ORDER_NO).unwrap());
    query
}

#[test]
fn what_moves_between_neighboring_values_is_refused_or_changes_nothing_that_settles() {
    for (left, expected) in [
        ("amount", &["foreign logNo", "field logNo", "field amount"][..]),
        ("logNo", &["foreign logNo", "foreign mercId"]),
        ("mercId", &["foreign mercId", "taken"]),
        ("message", &["taken"]),
        ("orderNo", &["taken"]),
        ("payChannel", &["field refAmt", "taken"]),
        ("refAmt", &["field refAmt", "taken"]),
        ("result", &["refusal", "field returnCode"]),
        ("returnCode", &["refusal", "field returnCode"]),
        ("selOrderNo", &["foreign selOrderNo", "taken"]),
        ("sysTime", &["taken"]),
        ("total_amount", &["field total_amount", "taken"]),
    ] {
        let border = QUERIED.iter().position(|(name, _)| *name == left).unwrap();
        let found = outcomes(&by_log_no(), border, |taken| {
            assert_eq!((taken.log_no.as_str(), taken.amount), (LOG_NO, Some(Fen::new(100))));
            assert!(taken.order_no.as_deref().is_none_or(|told| told == ORDER_NO));
            // A result that took characters in is no other end: the payment is asked for again.
            let untouched = taken.result == Some(TradeResult::Success);
            let standing = if untouched {
                Standing::Succeeded
            } else {
                Standing::Pending
            };
            assert_eq!(taken.standing(), standing);
        });
        assert_eq!(found, words(expected), "behind {left}");
    }
}

#[test]
fn a_query_by_our_number_alone_takes_an_amount_that_is_not_the_orders() {
    // Nothing tells which `logNo` is right then. The order number is still compared, and the shop compares the amount.
    let query = QueryOrder::by_trade_no(&OrderNo::new(ORDER_NO).unwrap());
    let found = outcomes(&query, 0, |taken| {
        assert_ne!(taken.amount, Some(Fen::new(100)));
        assert_ne!(taken.log_no.as_str(), LOG_NO);
        assert_eq!(taken.order_no.as_deref(), Some(ORDER_NO));
    });
    assert_eq!(found, words(&["field amount", "field logNo", "taken"]));
}

#[test]
fn no_name_of_a_forger_makes_an_unpaid_order_look_paid() {
    let open = |pairs: &[(&str, &str)], sign: &str| {
        let pairs = with(pairs, &[("signValue", Some(sign))]);
        by_log_no().reply(&account(), &unsigned(&pairs), now())
    };
    let waiting = with(QUERIED, &[("message", Some("SUCCESS")), ("result", Some("A"))]);
    let sign = oracle::starpos_sign(&decoded(&waiting), KEY);
    assert_eq!(open(&waiting, &sign).unwrap().standing(), Standing::Accepted);
    // The last letter of the message becomes the result, and what stood between goes under a name of the forger's.
    let forged = with(
        &waiting,
        &[
            ("message", Some("SUCCES")),
            ("orderNo", None),
            ("payChannel", None),
            ("refAmt", None),
            ("result", Some("S")),
            ("results", Some("4200000000202401020000000001WXPAY40A")),
        ],
    );
    assert_eq!(
        oracle::starpos_sign(&decoded(&forged), KEY),
        sign,
        "one text, one signature"
    );
    assert_eq!(word(&open(&forged, &sign).unwrap_err()), "field results");
    for name in ["resultA", "Results", "results", "RESULT_", "return", "returnCod"] {
        let renamed: Vec<_> = forged
            .iter()
            .map(|(old, value)| (if *old == "results" { name } else { old }, *value))
            .collect();
        assert_eq!(word(&open(&renamed, &sign).unwrap_err()), format!("field {name}"));
    }
    // A new name elsewhere is the gateway's to invent.
    let extended = with(QUERIED, &[("resul", Some("1")), ("returnCodeText", Some("2"))]);
    let sign = oracle::starpos_sign(&decoded(&extended), KEY);
    assert_eq!(open(&extended, &sign).unwrap().standing(), Standing::Succeeded);
    // What is left is the transport's: the answer comes from an https address, or from this machine.
    assert!(BaseUrl::parse("http://gateway.starpos.com.cn/adpweb/ehpspos3").is_err());
}

#[test]
fn an_order_number_that_reads_as_a_result_and_its_code_is_the_hole_that_is_left() {
    let number = OrderNo::new("S000000123").unwrap();
    let mut query = QueryOrder::by_log_no(&RemoteId::new(LOG_NO).unwrap());
    query.order_no = Some(number.clone());
    let waiting = with(QUERIED, &[("result", Some("A")), ("selOrderNo", Some(number.as_str()))]);
    let sign = oracle::starpos_sign(&decoded(&waiting), KEY);
    let open = |changes| {
        let pairs = with(&with(&waiting, changes), &[("signValue", Some(&sign))]);
        query.reply(&account(), &unsigned(&pairs), now())
    };
    assert_eq!(open(&[]).unwrap().standing(), Standing::Accepted);
    let success = ("result", Some("S"));
    // Under its own name the rest of the number gives the forger away; under another it does not.
    let told = [("refB", Some("A000000")), success, ("selOrderNo", Some("123"))];
    assert_eq!(word(&open(&told).unwrap_err()), "foreign selOrderNo");
    let untold = [
        ("refB", Some("A000000")),
        success,
        ("selOrderNo", None),
        ("selZ", Some("123")),
    ];
    let taken = open(&untold).unwrap();
    assert_eq!((taken.standing(), taken.order_no), (Standing::Succeeded, None));
}
