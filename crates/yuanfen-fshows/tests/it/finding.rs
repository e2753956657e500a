//! What each state of a query settles, in the words of the call-backs.

use yuanfen_core::{
    EventKey, Fen, Finding, NotificationSource as _, OperationExt as _, RemoteId, Standing, Transition,
};
use yuanfen_fshows::ops::{QueryOrder, QueryRefund};

use crate::notify::{ALIPAY, BESTPAY, JD, said, with};
use crate::refunds::{self, REFUND_NO, of_ours, success};
use crate::replies::ours;
use crate::{account, now, reply};

fn order(state: &str, amount: &str) -> Finding {
    let members = format!("{state},\"{amount}\":\"0.01\",\"trade_no\":\"2099010112000100000000000001\"");
    account().order_finding(&ours(&members).unwrap())
}

#[test]
fn every_state_of_every_wallet_settles_what_the_sheet_says() {
    use Transition::{OrderClosed, OrderFailed, OrderPaid};
    for (name, state, expected) in [
        ("trade_state", "SUCCESS", Some((OrderPaid, "SUCCESS"))),
        ("trade_state", "REFUND", Some((OrderPaid, "SUCCESS"))),
        ("trade_state", "CLOSED", Some((OrderClosed, "CLOSED"))),
        ("trade_state", "REVOKED", Some((OrderClosed, "REVOKED"))),
        ("trade_state", "NOTPAY", None),
        ("trade_state", "USERPAYING", None),
        ("trade_state", "PAYERROR", None),
        ("trade_state", "BRAND_NEW", None),
        ("trade_status", "TRADE_SUCCESS", Some((OrderPaid, "TRADE_SUCCESS"))),
        ("trade_status", "TRADE_FINISHED", Some((OrderPaid, "TRADE_SUCCESS"))),
        ("trade_status", "TRADE_CLOSED", Some((OrderClosed, "TRADE_CLOSED"))),
        ("trade_status", "WAIT_BUYER_PAY", None),
        ("trade_status", "BRAND_NEW", None),
        // A call-back of JD says 0 where an answer says 2.
        ("status", "2", Some((OrderPaid, "0"))),
        ("status", "4", Some((OrderPaid, "0"))),
        ("status", "5", Some((OrderPaid, "0"))),
        ("status", "6", Some((OrderPaid, "0"))),
        ("status", "7", Some((OrderPaid, "0"))),
        ("status", "3", Some((OrderFailed, "1"))),
        ("status", "9", Some((OrderClosed, "9"))),
        ("status", "0", None),
        ("status", "1", None),
        ("status", "8", None),
        ("trans_status", "B", Some((OrderPaid, "0000"))),
        ("trans_status", "C", Some((OrderFailed, "C"))),
        ("trans_status", "G", Some((OrderClosed, "G"))),
        ("trans_status", "A", None),
        ("trans_status", "Z", None),
    ] {
        let finding = order(&format!("\"{name}\":\"{state}\""), "total_fee");
        let Some((transition, end_state)) = expected else {
            assert_eq!(finding, Finding::open(finding.standing), "{name} {state}");
            continue;
        };
        let [(key, facts)] = &finding.settled[..] else {
            panic!("{name} {state}: {finding:?}")
        };
        assert_eq!(
            *key,
            EventKey::new("fshows", "20990101000000001", "DEMO_20990101_0001", transition),
            "{name} {state}"
        );
        assert_eq!((facts.amount, &*facts.end_state), (Some(Fen::new(1)), end_state));
        assert_eq!(facts.order_no.as_deref(), Some("DEMO_20990101_0001"));
        assert_eq!(facts.refund_no, None);
        assert_eq!(facts.remote_id.as_deref(), Some("2099010112000100000000000001"));
        assert!(finding.is_over, "{name} {state}");
    }
}

/// Whoever does believe a call-back whose signature held finds the same event in it.
#[test]
fn an_order_has_the_key_and_the_facts_of_its_call_back() {
    for (callback, state, amount) in [
        (
            said(&with(ALIPAY, "total_amount", Some("0.01"))),
            "\"trade_status\":\"TRADE_SUCCESS\"",
            "total_amount",
        ),
        (said(JD), "\"status\":2", "total_fee"),
        (said(&with(JD, "status", Some("1"))), "\"status\":3", "total_fee"),
        (said(BESTPAY), "\"trans_status\":\"B\"", "total_fee"),
    ] {
        let told = (account().key(&callback), account().facts(&callback));
        assert_eq!(order(state, amount).settled, [told], "{state}");
    }
}

#[test]
fn an_answer_without_our_number_settles_nothing() {
    let remote = RemoteId::new("2099010112000100000000000001").unwrap();
    let query = QueryOrder::by_trade_no(remote);
    let value = "{\"trade_state\":\"SUCCESS\",\"total_fee\":\"0.01\",\"trade_no\":\"2099010112000100000000000001\"}";
    let answer = query.reply(&account(), &reply(200, success(value)), now()).unwrap();
    assert_eq!(account().order_finding(&answer), Finding::open(Standing::Succeeded));

    let query = QueryRefund::by_platform_refund_no(refunds::by_order_no(), RemoteId::new("77").unwrap());
    let value = success("{\"refund_no\":\"77\",\"refund_status\":\"4\"}");
    let answer = query.reply(&account(), &reply(200, value), now()).unwrap();
    assert_eq!(account().refund_finding(&answer), Finding::open(Standing::Succeeded));
}

#[test]
fn only_a_refund_that_succeeded_is_settled() {
    for (status, is_settled) in [("4", true), ("3", false), ("5", false), ("0", false), ("", false)] {
        let members =
            format!("\"refund_status\":\"{status}\",\"refund_no\":\"77\",\"out_trade_no\":\"DEMO_20990101_0001\"");
        let answer = refunds::queried(&of_ours(&members)).unwrap();
        let finding = account().refund_finding(&answer);
        if !is_settled {
            assert_eq!(finding, Finding::open(answer.standing()), "{status}");
            continue;
        }
        let [(key, facts)] = &finding.settled[..] else {
            panic!("{finding:?}")
        };
        assert_eq!(
            *key,
            EventKey::new("fshows", "20990101000000001", REFUND_NO, Transition::RefundSucceeded)
        );
        assert_eq!((facts.amount, &*facts.end_state), (None, "4"));
        assert_eq!(facts.order_no.as_deref(), Some("DEMO_20990101_0001"));
        assert_eq!(facts.refund_no.as_deref(), Some(REFUND_NO));
        assert_eq!(facts.remote_id.as_deref(), Some("77"));
        assert!(finding.is_over);
    }
    // The status of nobody in particular.
    let answer = refunds::queried("{\"refund_status\":\"4\"}").unwrap();
    assert!(account().refund_finding(&answer).settled.is_empty());
}
