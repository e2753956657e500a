//! Refunds of StarPos: taken once under the call's own number, never more than what was paid, asked for by that number.

use std::collections::BTreeMap;

use http::Request;
use yuanfen_sandbox::{FarSide, FaultKind, FaultRule, Platform, RefundState};
use yuanfen_testkit::oracle;

use crate::shop::far_side;
use crate::wire::form;

const REFUND: &str = "sdkRefundBarcodePay";
const QUERY: &str = "sdkQryBarcodePay";

type Map = BTreeMap<String, String>;

/// Makes a signed call and reads its signed answer.
fn call(far_side: &FarSide, endpoint: &str, fields: &[(&str, &str)]) -> Map {
    let given = far_side.starpos();
    let mut map: Map = [
        ("orgNo", &*given.organization),
        ("mercId", &*given.merchant),
        ("trmNo", &*given.terminal),
        ("txnTime", "20251009165320"),
        ("signType", "MD5"),
        ("version", "V1.0.0"),
    ]
    .iter()
    .chain(fields)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .filter(|(_, value)| !value.is_empty())
    .collect();
    let key = given.key.expose();
    map.insert("signValue".to_owned(), oracle::starpos_sign(&map, key));
    let body = serde_json::to_vec(&map).unwrap();
    let request = Request::post(format!(
        "https://sandbox.example/starpos/adpweb/ehpspos3/{endpoint}.json"
    ));
    let response = far_side.answer(&request.body(body.into()).unwrap()).unwrap();
    let mut answer: Map = serde_json::from_slice(response.body()).unwrap();
    let message = form(&format!("message={}", answer["message"]))[0].1.clone();
    answer.insert("message".to_owned(), message);
    assert_eq!(answer["signValue"], oracle::starpos_sign(&answer, key));
    answer
}

fn direct<'a>(trade_no: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![("opSys", "3"), ("characterSet", "00"), ("tradeNo", trade_no)];
    fields.extend(more);
    fields
}

/// A paid order of 100 fen, and the channel's number of its payment.
fn paid() -> (FarSide, String) {
    let far_side = far_side();
    let order = [
        ("openid", "oBuyer"),
        ("amount", "100"),
        ("total_amount", "120"),
        ("tradeNo", "T1"),
        ("selOrderNo", "SO1"),
    ];
    let mut unsigned: Map = order
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let given = far_side.starpos();
    for (name, value) in [
        ("orgNo", &*given.organization),
        ("mercId", &*given.merchant),
        ("trmNo", &*given.terminal),
        ("txnTime", "20251009165320"),
        ("version", "V1.0.0"),
    ] {
        unsigned.insert(name.to_owned(), value.to_owned());
    }
    let body = serde_json::to_vec(&unsigned).unwrap();
    let request = Request::post("https://sandbox.example/starpos/adpweb/ehpspos3/pubSigPay.json");
    far_side.answer(&request.body(body.into()).unwrap()).unwrap();
    far_side.pay(Platform::Starpos, "T1").unwrap();
    let found = call(&far_side, QUERY, &direct("q-paid", &[("qryNo", "T1")]));
    assert_eq!(found["result"], "S");
    let number = found["orderNo"].clone();
    (far_side, number)
}

fn refund(far_side: &FarSide, number: &str, channel_no: &str, amount: &str) -> Map {
    call(
        far_side,
        REFUND,
        &direct(number, &[("orderNo", channel_no), ("txnAmt", amount)]),
    )
}

/// What a query of that number says, under a number of its own.
fn ask(far_side: &FarSide, trade_no: &str, number: &str) -> Map {
    call(
        far_side,
        QUERY,
        &direct(trade_no, &[("qryNo", number), ("version", "V1.0.1")]),
    )
}

fn total(far_side: &FarSide) -> i64 {
    let order = far_side.order(Platform::Starpos, "T1").unwrap();
    order.refunds.iter().map(|refund| refund.amount.get()).sum()
}

#[test]
fn refunds_parts_until_everything_went_back() {
    let (far_side, channel_no) = paid();
    let first = refund(&far_side, "R1", &channel_no, "40");
    for (name, value) in [
        ("returnCode", "000000"),
        ("tradeNo", "R1"),
        ("result", "S"),
        ("txnAmt", "40"),
        ("amount", "100"),
        ("total_amount", "120"),
        ("selOrderNo", "SO1"),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    let found = ask(&far_side, "q1", "R1");
    assert_eq!((&*found["result"], &*found["refAmt"]), ("S", "40"));
    assert_eq!(found["logNo"], first["logNo"]);
    assert_eq!(ask(&far_side, "q2", &first["logNo"])["logNo"], first["logNo"]);
    // The payment's own answer tells the sum, and is another record.
    let payment = ask(&far_side, "q3", "T1");
    assert_eq!((&*payment["result"], &*payment["refAmt"]), ("S", "40"));
    assert_ne!(payment["logNo"], first["logNo"]);

    assert_eq!(refund(&far_side, "R2", &channel_no, "61")["result"], "F");
    assert_eq!(
        refund(&far_side, "R3", &channel_no, "")["result"],
        "F",
        "all of it is too much now"
    );
    assert_eq!(refund(&far_side, "R4", &channel_no, "60")["result"], "S");
    assert_eq!(refund(&far_side, "R5", &channel_no, "1")["result"], "F");
    assert_eq!(total(&far_side), 100);
    assert_eq!(ask(&far_side, "q4", "T1")["message"], "交易已退款");
}

#[test]
fn refunds_all_of_it_where_no_amount_is_given() {
    let (far_side, channel_no) = paid();
    let whole = refund(&far_side, "R1", &channel_no, "");
    assert_eq!((&*whole["result"], &*whole["txnAmt"]), ("S", "100"));
    assert_eq!(total(&far_side), 100);
}

#[test]
fn takes_no_number_twice_and_no_payment_that_is_none() {
    let (far_side, channel_no) = paid();
    assert_eq!(refund(&far_side, "R1", &channel_no, "40")["result"], "S");
    for (number, channel, amount, code) in [
        ("R1", &*channel_no, "40", "900005"),
        ("T1", &*channel_no, "40", "900005"),
        ("R2", "SO1", "40", "900004"),
        ("R3", "T1", "40", "900004"),
        ("R4", "", "40", "900002"),
        ("R 5", &*channel_no, "40", "900002"),
        ("R6", &*channel_no, "0", "900002"),
        ("R7", &*channel_no, "-1", "900002"),
        ("R8", &*channel_no, "0.4", "900002"),
    ] {
        assert_eq!(
            refund(&far_side, number, channel, amount)["returnCode"],
            code,
            "{number}"
        );
    }
    assert_eq!(total(&far_side), 40);
    assert_eq!(ask(&far_side, "q1", "R9")["returnCode"], "900004");
}

#[test]
fn is_unsure_of_a_refund_until_it_is_told_how_it_ended() {
    for (end, result, gone) in [(RefundState::Succeeded, "S", "100"), (RefundState::Closed, "F", "0")] {
        let (far_side, channel_no) = paid();
        far_side.set_starpos_unsure(true);
        assert_eq!(refund(&far_side, "R1", &channel_no, "100")["result"], "Z");
        assert_eq!(ask(&far_side, "q1", "R1")["result"], "Z");
        assert_eq!(ask(&far_side, "q1-order", "T1")["refAmt"], "0", "nothing went back yet");
        // What is undecided is not given out a second time.
        assert_eq!(refund(&far_side, "R2", &channel_no, "100")["result"], "F");
        far_side.settle_refund(Platform::Starpos, "R1", end).unwrap();
        assert_eq!(ask(&far_side, "q2", "R1")["result"], result);
        assert_eq!(ask(&far_side, "q2-order", "T1")["refAmt"], gone);
        let again = refund(&far_side, "R3", &channel_no, "100")["result"].clone();
        assert_eq!(again, if end == RefundState::Closed { "Z" } else { "F" });
    }
}

#[test]
fn repeats_an_added_field_in_every_answer_of_the_later_version() {
    let (far_side, channel_no) = paid();
    for (endpoint, trade_no, name, number, code) in [
        (REFUND, "R1", "orderNo", &*channel_no, "000000"),
        (QUERY, "q1", "qryNo", "R1", "000000"),
        (QUERY, "q2", "qryNo", "T1", "000000"),
        ("RevokeBarcodepay", "v1", "qryNo", "T1", "000000"),
        (QUERY, "q3", "qryNo", "NOBODYS", "900004"),
    ] {
        let later = [(name, number), ("version", "V1.0.1"), ("addField", "table 7")];
        let answer = call(&far_side, endpoint, &direct(trade_no, &later));
        assert_eq!(answer["returnCode"], code, "{trade_no}");
        assert_eq!(answer["tradeNo"], trade_no);
        assert_eq!(answer["addField"], "table 7", "{trade_no}");
    }
    let earlier = call(
        &far_side,
        QUERY,
        &direct("q4", &[("qryNo", "T1"), ("addField", "table 7")]),
    );
    assert_eq!(earlier["returnCode"], "900002");
    assert_eq!(earlier.get("addField"), None);
}

#[test]
fn strikes_a_query_by_each_number_of_an_order_and_of_its_refund() {
    let (far_side, channel_no) = paid();
    let taken = refund(&far_side, "R1", &channel_no, "40");
    let order = far_side.order(Platform::Starpos, "T1").unwrap();
    far_side.set_faults(FaultRule::new(FaultKind::AddFields).about("T1"));
    let numbers = ["T1", order.detail("logNo").unwrap(), &channel_no, "R1", &taken["logNo"]];
    for (index, number) in numbers.into_iter().enumerate() {
        let found = ask(&far_side, &format!("q{index}"), number);
        assert_eq!(found["result"], "S", "{number}");
        assert!(found.contains_key("sandboxNewField"), "{number}");
    }
}
