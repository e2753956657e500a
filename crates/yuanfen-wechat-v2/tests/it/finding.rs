//! What each state of a query settles, under the keys and with the facts of notices.

use yuanfen_core::{
    EventKey, Facts, Fen, Finding, Notice, NotificationSource as _, OperationExt as _, Standing, Transition,
};
use yuanfen_wechat_v2::SignType;

use crate::far_side::{
    APP_ID, MERCHANT, ORDER_NO, PAID, Pairs, QUERIED, TRANSACTION_ID, account, answer, changed, now, posted, query,
    signed, xml,
};
use crate::refunds::{self, FOUND, REFUND_ID, REFUND_NO, add, order_key};

fn order(changes: &[(&str, Option<&str>)]) -> Finding {
    let answer = query().reply(&account(), &answer(&changed(QUERIED, changes)), now());
    account().order_finding(&answer.unwrap())
}

fn refund(pairs: &Pairs) -> Finding {
    let answer = refunds::query().reply(&account(), &answer(pairs), now());
    account().refund_finding(&answer.unwrap())
}

fn facts(end_state: &str) -> Facts {
    let mut facts = Facts::new(end_state);
    facts.currency = Some("CNY".to_owned());
    facts.order_no = Some(ORDER_NO.to_owned());
    facts.merchant = Some(MERCHANT.to_owned());
    facts.app = Some(APP_ID.to_owned());
    facts
}

#[test]
fn a_paid_order_has_the_key_and_the_facts_of_its_notice_also_after_a_refund() {
    let account = account();
    let notice = posted(xml(&signed(&changed(PAID, &[]), SignType::Md5)));
    let Ok(Notice::Settles(event)) = account.open_notification(&notice, now()) else {
        panic!("a genuine notice")
    };
    for state in ["SUCCESS", "REFUND"] {
        let finding = order(&[("trade_state", Some(state))]);
        assert_eq!(
            finding.settled,
            [(account.key(event.get()), account.facts(event.get()))],
            "{state}"
        );
        assert!(finding.is_over, "{state}");
    }
    let mut expected = facts("SUCCESS");
    expected.amount = Some(Fen::new(1200));
    expected.remote_id = Some(TRANSACTION_ID.to_owned());
    let key = EventKey::new("wechat-v2", MERCHANT, ORDER_NO, Transition::OrderPaid);
    assert_eq!(order(&[]).settled, [(key, expected)]);
    // Another currency than the usual one is a fact of both.
    let foreign = order(&[("fee_type", Some("USD"))]);
    assert_eq!(
        account.facts(event.get()).contradiction(&foreign.settled[0].1),
        Some("currency")
    );
}

#[test]
fn an_order_that_cannot_be_paid_any_more_is_closed_and_every_other_state_settles_nothing() {
    let unpaid = |state| {
        let mut changes = vec![("trade_state", Some(state))];
        changes.extend(["transaction_id", "total_fee", "time_end"].map(|name| (name, None)));
        order(&changes)
    };
    for state in ["CLOSED", "REVOKED"] {
        let finding = unpaid(state);
        let key = EventKey::new("wechat-v2", MERCHANT, ORDER_NO, Transition::OrderClosed);
        assert_eq!(finding.settled, [(key, facts(state))], "{state}");
        assert!(finding.is_over, "{state}");
    }
    for state in ["NOTPAY", "USERPAYING", "ACCEPT", "BRAND_NEW"] {
        let finding = unpaid(state);
        assert_eq!(finding, Finding::open(finding.standing), "{state}");
    }
    assert_eq!(unpaid("PAYERROR"), Finding::open(Standing::Pending).closable());
}

/// "Final for micropay; for others query again and close" (v2 sheet, section 7). Before it is paid an order need not say how
/// (section 6.2).
#[test]
fn an_order_that_nobody_paid_may_be_closed_unless_it_is_one_of_a_scanned_code() {
    for (state, trade_type, may_be_closed) in [
        ("PAYERROR", Some("JSAPI"), true),
        ("PAYERROR", Some("NATIVE"), true),
        ("PAYERROR", None, true),
        ("PAYERROR", Some("MICROPAY"), false),
        ("NOTPAY", Some("JSAPI"), true),
        ("NOTPAY", None, true),
        ("NOTPAY", Some("MICROPAY"), false),
        ("USERPAYING", None, false),
        ("ACCEPT", None, false),
        ("BRAND_NEW", None, false),
        ("SUCCESS", Some("JSAPI"), false),
        ("REFUND", Some("JSAPI"), false),
        ("CLOSED", None, false),
        ("REVOKED", None, false),
    ] {
        let finding = order(&[("trade_state", Some(state)), ("trade_type", trade_type)]);
        assert_eq!(finding.may_be_closed, may_be_closed, "{state} {trade_type:?}");
    }
}

#[test]
fn a_refund_is_settled_under_its_own_number_and_an_abnormal_one_is_not_over() {
    for (state, expected) in [
        ("SUCCESS", Some((Transition::RefundSucceeded, true))),
        ("REFUNDCLOSE", Some((Transition::RefundClosed, true))),
        ("CHANGE", Some((Transition::RefundAbnormal, false))),
        ("PROCESSING", None),
        ("BRAND_NEW", None),
    ] {
        let finding = refund(&changed(FOUND, &[("refund_status_0", Some(state))]));
        let Some((transition, is_over)) = expected else {
            assert_eq!(finding, Finding::open(finding.standing), "{state}");
            continue;
        };
        let mut facts = facts(state);
        facts.amount = Some(Fen::new(500));
        facts.refund_no = Some(REFUND_NO.to_owned());
        facts.remote_id = Some(REFUND_ID.to_owned());
        let key = EventKey::new("wechat-v2", MERCHANT, REFUND_NO, transition);
        assert_eq!((finding.settled, finding.is_over), (vec![(key, facts)], is_over));
    }
}

/// Neither the list of an order's refunds nor two records of one number say which amount it was.
#[test]
fn an_answer_that_does_not_tell_of_one_refund_settles_nothing() {
    let succeeded = changed(FOUND, &[("refund_status_0", Some("SUCCESS"))]);
    let list = yuanfen_wechat_v2::ops::QueryRefund::by_order(order_key());
    let listed = list.reply(&account(), &answer(&succeeded), now()).unwrap();
    let finding = account().refund_finding(&listed);
    assert_eq!(finding, Finding::open(listed.standing()));

    let mut twice = succeeded.clone();
    add(
        &mut twice,
        &[
            ("out_refund_no_1", REFUND_NO),
            ("refund_id_1", REFUND_ID),
            ("refund_fee_1", "499"),
            ("refund_status_1", "SUCCESS"),
        ],
    );
    assert!(refund(&twice).settled.is_empty());
    assert!(!refund(&twice).is_over);
    assert_eq!(refund(&succeeded).settled.len(), 1);
}
