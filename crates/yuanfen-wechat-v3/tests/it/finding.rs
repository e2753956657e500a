//! What each state of a query settles, under the keys and with the facts of notices.

use yuanfen_core::{
    EventKey, Facts, Fen, Finding, Notice, NotificationSource as _, OperationExt as _, OrderNo, RefundNo, Standing,
    Transition,
};
use yuanfen_wechat_v3::ops::{QueryCombinedOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, CombinedOrderNo};

use crate::combined::{self, WHOLE};
use crate::far_side::{
    APP, MERCHANT, PROVIDER, PROVIDER_APP, SUB_MERCHANT, account, envelope, notice, now, partner, reply,
};
use crate::partner;
use crate::replies::{PAID, REFUNDED};

fn order(account: &Account, body: &str) -> Finding {
    let query = QueryOrder::by_order_no(OrderNo::new("A1").unwrap());
    account.order_finding(&query.reply(account, &reply(200, body), now()).unwrap())
}

fn combined_order(body: &str) -> Finding {
    let account = account();
    let query = QueryCombinedOrder::new(CombinedOrderNo::new(WHOLE).unwrap());
    account.combined_order_finding(&query.reply(&account, &reply(200, body), now()).unwrap())
}

fn refund(account: &Account, body: &str) -> Finding {
    let query = QueryRefund::new(RefundNo::new("R1").unwrap());
    account.refund_finding(&query.reply(account, &reply(200, body), now()).unwrap())
}

fn told(account: &Account, plaintext: &str) -> (EventKey, Facts) {
    let request = notice(&envelope("TRANSACTION.SUCCESS", "transaction", plaintext));
    let Ok(Notice::Settles(event)) = account.open_notification(&request, now()) else {
        panic!("a genuine notice")
    };
    (account.key(event.get()), account.facts(event.get()))
}

#[test]
fn a_paid_order_has_the_key_and_the_facts_of_its_notice_also_after_a_refund() {
    for (account, body, merchant, paid, app) in [
        (account(), PAID, MERCHANT, MERCHANT, APP),
        (partner(), partner::PAID, PROVIDER, SUB_MERCHANT, PROVIDER_APP),
    ] {
        for state in ["SUCCESS", "REFUND"] {
            let answer = body.replacen(
                "\"trade_state\":\"SUCCESS\"",
                &format!("\"trade_state\":\"{state}\""),
                1,
            );
            let finding = order(&account, &answer);
            assert_eq!(finding.settled, [told(&account, body)], "{state}");
            assert_eq!((finding.standing, finding.is_over), (Standing::Succeeded, true));
            let (key, facts) = &finding.settled[0];
            assert_eq!(*key, EventKey::new("wechat-v3", merchant, "A1", Transition::OrderPaid));
            assert_eq!((facts.amount, &*facts.end_state), (Some(Fen::new(100)), "SUCCESS"));
            assert_eq!(facts.merchant.as_deref(), Some(paid));
            assert_eq!(facts.app.as_deref(), Some(app));
        }
    }
}

#[test]
fn an_order_that_cannot_be_paid_any_more_is_closed_and_every_other_state_settles_nothing() {
    let unpaid = |state: &str| {
        let body = format!(
            r#"{{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A1","trade_state":"{state}"}}"#
        );
        order(&account(), &body)
    };
    for state in ["CLOSED", "REVOKED"] {
        let mut facts = Facts::new(state);
        facts.order_no = Some("A1".to_owned());
        facts.merchant = Some(MERCHANT.to_owned());
        facts.app = Some(APP.to_owned());
        let key = EventKey::new("wechat-v3", MERCHANT, "A1", Transition::OrderClosed);
        assert_eq!(unpaid(state), Finding::open(Standing::Failed).with(key, facts).over());
    }
    for state in ["NOTPAY", "USERPAYING", "ACCEPT", "PAYERROR", "BRAND_NEW"] {
        let finding = unpaid(state);
        assert_eq!(finding, Finding::open(finding.standing), "{state}");
    }
}

#[test]
fn a_combined_order_is_settled_as_a_whole_or_not_at_all() {
    let account = account();
    let states = |first: &str, second: &str| {
        let body = combined::PAID.replacen("\"SUCCESS\"", &format!("\"{first}\""), 1);
        let (head, tail) = body.split_at(body.find("1230000109").unwrap());
        combined_order(&(head.to_owned() + &tail.replacen("\"SUCCESS\"", &format!("\"{second}\""), 1)))
    };
    let told = told(&account, combined::PAID);
    for (first, second) in [("SUCCESS", "SUCCESS"), ("SUCCESS", "REFUND"), ("REFUND", "REFUND")] {
        let finding = states(first, second);
        assert_eq!(finding.settled, std::slice::from_ref(&told), "{first} {second}");
        assert!(finding.is_over);
    }
    let closed = states("CLOSED", "CLOSED");
    let [(key, facts)] = &closed.settled[..] else {
        panic!("{closed:?}")
    };
    assert_eq!(
        *key,
        EventKey::new("wechat-v3", MERCHANT, WHOLE, Transition::OrderClosed)
    );
    assert_eq!((&*facts.end_state, closed.is_over), ("CLOSED", true));
    for (first, second) in [
        ("SUCCESS", "NOTPAY"),
        ("CLOSED", "NOTPAY"),
        ("CLOSED", "SUCCESS"),
        ("NOTPAY", "NOTPAY"),
        ("PAYERROR", "PAYERROR"),
    ] {
        let finding = states(first, second);
        assert_eq!(finding, Finding::open(finding.standing), "{first} {second}");
    }
}

#[test]
fn a_refund_is_settled_under_its_own_number_and_an_abnormal_one_is_not_over() {
    for (account, merchant, paid) in [(account(), MERCHANT, MERCHANT), (partner(), PROVIDER, SUB_MERCHANT)] {
        for (state, expected) in [
            ("SUCCESS", Some((Transition::RefundSucceeded, true))),
            ("CLOSED", Some((Transition::RefundClosed, true))),
            ("ABNORMAL", Some((Transition::RefundAbnormal, false))),
            ("PROCESSING", None),
            ("BRAND_NEW", None),
        ] {
            let body = REFUNDED.replacen("\"status\":\"SUCCESS\"", &format!("\"status\":\"{state}\""), 1);
            let finding = refund(&account, &body);
            let Some((transition, is_over)) = expected else {
                assert_eq!(finding, Finding::open(finding.standing), "{state}");
                continue;
            };
            let mut facts = Facts::new(state);
            facts.amount = Some(Fen::new(60));
            facts.currency = Some("CNY".to_owned());
            facts.order_no = Some("1217752501201407033233368018".to_owned());
            facts.refund_no = Some("R1".to_owned());
            facts.remote_id = Some("50000000382019052709732678859".to_owned());
            facts.merchant = Some(paid.to_owned());
            let key = EventKey::new("wechat-v3", merchant, "R1", transition);
            assert_eq!((finding.settled, finding.is_over), (vec![(key, facts)], is_over));
        }
    }
}
