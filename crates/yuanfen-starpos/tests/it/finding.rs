//! What each result of a query settles, under the keys and with the facts of pushes.

use yuanfen_core::{EventKey, Facts, Fen, Finding, OperationExt as _, OrderNo, RemoteId, Standing, Transition};
use yuanfen_starpos::ops::{QueryOrder, QueryRefund};

use crate::replies::{QUERIED, query};
use crate::{MERCHANT, account, now, refunds, signed, with};

fn order(query: &QueryOrder, changes: &[(&str, Option<&str>)]) -> Finding {
    let answer = query.reply(&account(), &signed(&with(QUERIED, changes)), now());
    account().order_finding(&answer.unwrap())
}

fn key(log_no: &str, transition: Transition) -> EventKey {
    EventKey::new("starpos", MERCHANT, log_no, transition)
}

fn facts(log_no: &str, amount: Option<i64>, order_no: Option<&str>, end_state: &str) -> Facts {
    let mut facts = Facts::new(end_state);
    facts.amount = amount.map(Fen::new);
    facts.order_no = order_no.map(str::to_owned);
    facts.remote_id = Some(log_no.to_owned());
    facts.merchant = Some(MERCHANT.to_owned());
    facts
}

#[test]
fn every_result_of_an_order_settles_what_the_sheet_says() {
    const LOG_NO: &str = "202401020000000002";
    for (result, expected) in [
        (Some("S"), Some((Transition::OrderPaid, "1"))),
        (Some("F"), Some((Transition::OrderFailed, "F"))),
        (Some("D"), Some((Transition::OrderClosed, "D"))),
        (Some("A"), None),
        (Some("Z"), None),
        (Some("T"), None),
        (Some(""), None),
        (None, None),
    ] {
        let finding = order(&query(), &[("result", result)]);
        let Some((transition, end_state)) = expected else {
            assert_eq!(finding, Finding::open(finding.standing), "{result:?}");
            continue;
        };
        let settled = (
            key(LOG_NO, transition),
            facts(LOG_NO, Some(100), Some("SHOP20240102000001"), end_state),
        );
        assert_eq!((finding.settled, finding.is_over), (vec![settled], true), "{result:?}");
    }
}

/// The number that a payment was sent with, which its push calls `TxnLogId`: no answer repeats it, and the order number
/// that an answer does repeat may be another.
#[test]
fn our_number_of_a_payment_is_the_one_that_it_was_asked_for_by_and_no_other() {
    let order_no = |query: &QueryOrder, told| {
        let finding = order(query, &[("selOrderNo", told)]);
        finding.settled[0].1.order_no.clone()
    };
    let mut of_another_call = QueryOrder::by_trade_no(&OrderNo::new("T20240102030405001").unwrap());
    of_another_call.order_no = query().order_no;
    let by_log_no = QueryOrder::by_log_no(&RemoteId::new("202401020000000002").unwrap());
    for told in [Some("SHOP20240102000001"), None, Some("")] {
        assert_eq!(order_no(&query(), told).as_deref(), Some("SHOP20240102000001"));
        assert_eq!(order_no(&of_another_call, told).as_deref(), Some("T20240102030405001"));
        assert_eq!(order_no(&by_log_no, told), None, "{told:?}");
    }
}

#[test]
fn a_refund_is_settled_under_its_own_serial_number() {
    const LOG_NO: &str = "202401020000000009";
    for (result, expected) in [
        (Some("S"), Some((Transition::RefundSucceeded, "1"))),
        (Some("F"), Some((Transition::RefundClosed, "F"))),
        (Some("D"), None),
        (Some("A"), None),
        (Some("Z"), None),
        (None, None),
    ] {
        let answer = refunds::queried(&[("result", result)]).unwrap();
        let finding = account().refund_finding(&answer);
        let Some((transition, end_state)) = expected else {
            assert_eq!(finding, Finding::open(Standing::Pending), "{result:?}");
            continue;
        };
        let mut facts = facts(LOG_NO, Some(40), None, end_state);
        facts.refund_no = Some(refunds::REFUND_NO.to_owned());
        let settled = (key(LOG_NO, transition), facts);
        assert_eq!((finding.settled, finding.is_over), (vec![settled], true), "{result:?}");
    }
}

/// The `tradeNo` of an answer is the query's own number.
#[test]
fn a_refund_that_was_asked_for_by_its_serial_number_does_not_name_ours() {
    let remote = |number| RemoteId::new(number).unwrap();
    let by_log_no = QueryRefund::by_log_no(remote("202401020000000009"), remote("202401020000000002"));
    let answer = refunds::answered(&by_log_no, &[("selOrderNo", Some("SHOP20240102000001"))]).unwrap();
    let [(_, facts)] = &account().refund_finding(&answer).settled[..] else {
        panic!("{answer:?}")
    };
    assert_eq!(
        (facts.order_no.as_deref(), facts.refund_no.as_deref()),
        (Some("SHOP20240102000001"), None)
    );
}
