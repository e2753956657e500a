//! What each state of a query settles, under the keys and with the facts of notices.

use yuanfen_core::{
    Error, EventKey, Facts, Fen, Finding, Notice, NotificationSource as _, OperationExt as _, OrderNo, RefundNo,
    Standing, Transition,
};
use yuanfen_wechat_v3::ops::{QueryCombinedOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, CombinedOrderNo};

use crate::combined::{self, WHOLE};
use crate::far_side::{
    APP, MERCHANT, PROVIDER, PROVIDER_APP, SUB_MERCHANT, account, envelope, notice, now, partner, reply, response,
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

/// `PAYERROR` is a state of payments by code alone (v3 sheet, section 14.1), which are reversed.
#[test]
fn an_order_that_nobody_paid_may_be_closed_unless_it_is_one_of_a_payment_by_code() {
    let unpaid = |state: &str, trade_type: &str| {
        let body = format!(
            r#"{{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A1","trade_state":"{state}"{trade_type}}}"#
        );
        order(&account(), &body).may_be_closed
    };
    let (native, by_code) = (r#","trade_type":"NATIVE""#, r#","trade_type":"MICROPAY""#);
    for trade_type in ["", native] {
        assert!(unpaid("NOTPAY", trade_type));
    }
    assert!(!unpaid("NOTPAY", by_code));
    for state in ["PAYERROR", "USERPAYING", "ACCEPT", "CLOSED", "REVOKED", "BRAND_NEW"] {
        for trade_type in ["", native, by_code] {
            assert!(!unpaid(state, trade_type), "{state} {trade_type}");
        }
    }
}

const ORDER_CLOSED: &str = r#"{"code":"ORDER_CLOSED","message":"订单已关闭"}"#;

fn order_refused(account: &Account, answer: &http::Response<bytes::Bytes>) -> (Error, Option<Finding>) {
    let order_no = OrderNo::new("A1").unwrap();
    let refused = QueryOrder::by_order_no(order_no.clone()).reply(account, answer, now());
    let refused = refused.unwrap_err();
    let finding = account.refused_order_finding(&order_no, &refused);
    (refused, finding)
}

/// v3 sheet, section 14: a query has `ORDER_CLOSED` among its errors, under 400 or 403 (section 10.2).
#[test]
fn an_order_that_the_platform_refuses_to_tell_of_because_it_is_closed_is_closed() {
    for (account, merchant, of) in [(account(), MERCHANT, MERCHANT), (partner(), PROVIDER, SUB_MERCHANT)] {
        let mut facts = Facts::new("CLOSED");
        facts.order_no = Some("A1".to_owned());
        facts.merchant = Some(of.to_owned());
        let key = EventKey::new("wechat-v3", merchant, "A1", Transition::OrderClosed);
        let closed = Finding::open(Standing::Failed).with(key, facts).over();
        for (status, body) in [
            (400, ORDER_CLOSED),
            (403, ORDER_CLOSED),
            (400, r#"{"code":"ORDERCLOSED"}"#),
        ] {
            let (_, finding) = order_refused(&account, &reply(status, body));
            assert_eq!(finding.as_ref(), Some(&closed), "{status} {body}");
        }
        // It is the event that an answer tells of.
        let told = order(&account, &answer_of(&account, "CLOSED"));
        assert_eq!(told.settled[0].0, closed.settled[0].0);
        assert_eq!(told.settled[0].1.contradiction(&closed.settled[0].1), None);
    }
}

fn answer_of(account: &Account, state: &str) -> String {
    let ids = match account.ids().sub_merchant() {
        None => format!(r#""mchid":"{MERCHANT}","appid":"{APP}""#),
        Some(_) => format!(r#""sp_mchid":"{PROVIDER}","sp_appid":"{PROVIDER_APP}","sub_mchid":"{SUB_MERCHANT}""#),
    };
    format!(r#"{{{ids},"out_trade_no":"A1","trade_state":"{state}"}}"#)
}

#[test]
fn a_refusal_that_is_not_proven_closes_nothing_and_every_other_says_what_it_says_anyway() {
    let account = account();
    let (refused, finding) = order_refused(&account, &response(400, &[], ORDER_CLOSED.as_bytes()));
    assert_eq!(refused.refusal().map(|refusal| refusal.verified), Some(false));
    assert_eq!(finding, None);
    for (status, body, standing) in [
        (404, r#"{"code":"ORDER_NOT_EXIST"}"#, Some(Standing::NotFound)),
        (400, r#"{"code":"PARAM_ERROR"}"#, None),
        (403, r#"{"code":"NO_AUTH"}"#, None),
        (400, r#"{"code":"ORDER_PAID"}"#, None),
        (429, r#"{"code":"FREQUENCY_LIMITED"}"#, None),
        (500, r#"{"code":"SYSTEM_ERROR"}"#, None),
    ] {
        let (_, finding) = order_refused(&account, &reply(status, body));
        assert_eq!(finding, standing.map(Finding::open), "{body}");
    }
}

#[test]
fn a_combined_order_that_is_refused_as_closed_is_closed_for_who_began_it() {
    let whole = CombinedOrderNo::new(WHOLE).unwrap();
    for (account, merchant) in [(account(), MERCHANT), (partner(), PROVIDER)] {
        let refused = QueryCombinedOrder::new(whole.clone()).reply(&account, &reply(400, ORDER_CLOSED), now());
        let finding = account.refused_combined_order_finding(&whole, &refused.unwrap_err());
        let mut facts = Facts::new("CLOSED");
        facts.order_no = Some(WHOLE.to_owned());
        facts.merchant = Some(merchant.to_owned());
        let key = EventKey::new("wechat-v3", merchant, WHOLE, Transition::OrderClosed);
        assert_eq!(finding, Some(Finding::open(Standing::Failed).with(key, facts).over()));
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
