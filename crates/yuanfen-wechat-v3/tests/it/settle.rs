//! The worst day: an outcome is unknown. On a fake clock, with answers of the platform.

use bytes::Bytes;
use http::Response;
use yuanfen_core::{
    Error, Fate, Observation, Operation, OperationExt as _, OrderNo, RefundNo, RefusalKind, Settle, SettleRule,
    SettleStep, SettleVerdict, Standing, UnixTime,
};
use yuanfen_wechat_v3::ops::{QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, RefundRecord, ops::QueriedOrder, settle};

use crate::far_side::{NOW, account, now, reply, response};
use crate::replies::PAID;

/// What a query's answer says, as a driver takes it: "no such number" counts only where it is proven.
fn observed<R>(answer: Result<R, Error>, standing: impl Fn(&R) -> Standing) -> Observation {
    match answer {
        Ok(reply) => Observation::Stands(standing(&reply)),
        Err(error) => match error.refusal() {
            Some(refusal) if refusal.verified && refusal.meaning.kind == RefusalKind::NotFound => {
                Observation::Stands(Standing::NotFound)
            }
            _ => Observation::QueryFailed,
        },
    }
}

/// Runs a settlement over the answers to its queries, in order, the last one again and again. Gives the verdict, how often
/// it was queried, how often the call was repeated, and when it ended.
fn settle<O: Operation<Provider = Account>>(
    rule: &SettleRule,
    query: &O,
    standing: impl Fn(&O::Reply) -> Standing,
    answers: &[Response<Bytes>],
) -> (SettleVerdict, usize, usize, i64) {
    let mut settling = Settle::new(rule, Fate::Unknown, now());
    let (mut clock, mut queries, mut repeats) = (NOW, 0, 0);
    loop {
        let observation = match settling.step(UnixTime::from_seconds(clock)) {
            SettleStep::Done(verdict) => return (verdict, queries, repeats, clock - NOW),
            SettleStep::Wait(duration) => {
                clock += i64::try_from(duration.as_secs()).unwrap();
                Observation::Waited
            }
            SettleStep::Query => {
                let answer = answers.get(queries).or(answers.last()).unwrap();
                queries += 1;
                observed(query.reply(&account(), answer, now()), &standing)
            }
            SettleStep::Repeat => {
                repeats += 1;
                Observation::Replied
            }
            other => panic!("{other:?}"),
        };
        settling.observe(observation);
        assert!(queries < 100, "it comes to an end");
    }
}

fn order(answers: &[Response<Bytes>]) -> (SettleVerdict, usize, usize, i64) {
    let query = QueryOrder::by_order_no(OrderNo::new("A1").unwrap());
    settle(&settle::ORDER, &query, QueriedOrder::standing, answers)
}

fn refund(answers: &[Response<Bytes>]) -> (SettleVerdict, usize, usize, i64) {
    let query = QueryRefund::new(RefundNo::new("R1").unwrap());
    settle(&settle::REFUND, &query, RefundRecord::standing, answers)
}

fn unpaid() -> Response<Bytes> {
    reply(
        200,
        r#"{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A1","trade_state":"NOTPAY"}"#,
    )
}

fn refund_in(status: &str) -> Response<Bytes> {
    reply(
        200,
        &format!(
            r#"{{"refund_id":"5","out_refund_no":"R1","transaction_id":"4","out_trade_no":"A1","status":"{status}","amount":{{"total":100,"refund":60}}}}"#
        ),
    )
}

fn absent(code: &str) -> Response<Bytes> {
    reply(404, &format!(r#"{{"code":"{code}","message":"x"}}"#))
}

fn probe() -> Response<Bytes> {
    let mut answer = unpaid();
    let header = answer.headers_mut().get_mut("wechatpay-signature").unwrap();
    *header = "WECHATPAY/SIGNTEST/AAAA".parse().unwrap();
    answer
}

/// Its reply was lost: the identical order hands the prepay id out again.
#[test]
fn repeats_an_order_that_is_there_unpaid() {
    assert_eq!(order(&[unpaid()]), (SettleVerdict::Replied, 1, 1, 0));
}

#[test]
fn does_not_repeat_an_order_that_is_paid() {
    let (verdict, _, repeats, _) = order(&[reply(200, PAID)]);
    assert_eq!((verdict, repeats), (SettleVerdict::Happened(Standing::Succeeded), 0));
}

#[test]
fn repeats_an_order_only_after_hearing_twice_that_there_is_none() {
    let missing = absent("ORDER_NOT_EXIST");
    let (verdict, queries, repeats, _) = order(&[missing.clone(), missing]);
    assert_eq!((verdict, queries, repeats), (SettleVerdict::Replied, 2, 1));
}

#[test]
fn never_repeats_a_refund_that_is_there() {
    for (status, verdict) in [
        ("SUCCESS", SettleVerdict::Happened(Standing::Succeeded)),
        ("PROCESSING", SettleVerdict::Happened(Standing::Accepted)),
        ("ABNORMAL", SettleVerdict::Happened(Standing::Accepted)),
        ("CLOSED", SettleVerdict::Failed),
    ] {
        let (found, _, repeats, _) = refund(&[refund_in(status)]);
        assert_eq!((found, repeats), (verdict, 0), "{status}");
    }
}

#[test]
fn repeats_a_refund_only_after_hearing_twice_and_signed_that_there_is_none() {
    let missing = absent("RESOURCE_NOT_EXISTS");
    let (verdict, queries, repeats, _) = refund(&[missing.clone(), missing]);
    assert_eq!((verdict, queries, repeats), (SettleVerdict::Replied, 2, 1));
}

/// A gateway's "not found", a probe, a failure: none of them founds a second refund, and in the end it says so.
#[test]
fn repeats_nothing_on_answers_that_prove_nothing() {
    let unsigned = response(404, &[], br#"{"code":"RESOURCE_NOT_EXISTS","message":"x"}"#);
    for answer in [
        unsigned,
        probe(),
        reply(500, r#"{"code":"SYSTEM_ERROR"}"#),
        response(502, &[], b"<html>"),
    ] {
        let (verdict, queries, repeats, seconds) = refund(std::slice::from_ref(&answer));
        assert_eq!((verdict, repeats), (SettleVerdict::StillUnknown, 0));
        assert!(queries > 3 && seconds <= 180, "{queries} queries in {seconds} s");
        let (verdict, _, repeats, seconds) = order(&[answer]);
        assert_eq!((verdict, repeats), (SettleVerdict::StillUnknown, 0));
        assert!(seconds <= 90);
    }
}
