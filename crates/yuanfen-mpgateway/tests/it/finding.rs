//! What each code of a query settles, under the key and with the facts of the notice.

use yuanfen_core::{
    EventKey, Finding, Notice, NotificationSource as _, OperationExt as _, RemoteId, Standing, Transition,
};
use yuanfen_mpgateway::ops::QueryOrder;
use yuanfen_mpgateway::{Account, PaidCodes};
use yuanfen_testkit::{Value, json};

use crate::far_side::{MERCHANT, ORDER_NO, QUERY_ID, account, answer, changed, notice, noticed, now, queried, query};

fn finding(account: &Account, changes: &[(&str, Value)]) -> Finding {
    let answer = query().reply(account, &answer(&changed(queried(), changes)), now());
    account.order_finding(&answer.unwrap())
}

#[test]
fn paid_is_not_the_end_and_settled_is_and_each_has_the_key_and_the_facts_of_its_notice() {
    let account = account();
    for (code, transition, is_over) in [
        ("1002", Transition::OrderPaid, false),
        ("0000", Transition::OrderSettled, true),
        ("1003", Transition::OrderFailed, true),
    ] {
        let told = notice(&changed(noticed(), &[("resultcode", json!(code))]));
        let Ok(Notice::Settles(event)) = account.open_notification(&told, now()) else {
            panic!("a genuine notice")
        };
        let finding = finding(&account, &[("resultcode", json!(code))]);
        assert_eq!(
            finding.settled,
            [(account.key(event.get()), account.facts(event.get()))]
        );
        assert_eq!(
            finding.settled[0].0,
            EventKey::new("mpgateway", MERCHANT, ORDER_NO, transition)
        );
        assert_eq!(finding.is_over, is_over, "{code}");
    }
}

#[test]
fn a_code_that_is_no_end_settles_nothing_and_neither_does_one_that_the_account_does_not_count() {
    for code in ["1001", "1004", "2002"] {
        let finding = finding(&account(), &[("resultcode", json!(code))]);
        assert_eq!(finding, Finding::open(finding.standing), "{code}");
    }
    let strict = account().with_paid_codes(PaidCodes::SettledOnly);
    let held = finding(&strict, &[("resultcode", json!("1002"))]);
    assert_eq!(held, Finding::open(Standing::Pending));
    let settled = finding(&strict, &[]);
    assert_eq!(settled.settled[0].0.transition, Transition::OrderSettled);
}

#[test]
fn an_answer_without_our_number_settles_nothing() {
    let query = QueryOrder::by_query_id(RemoteId::new(QUERY_ID).unwrap());
    let bare = answer(&changed(queried(), &[("orderid", Value::Null)]));
    let queried = query.reply(&account(), &bare, now()).unwrap();
    assert_eq!(account().order_finding(&queried), Finding::open(Standing::Succeeded));
}
