//! Keys and facts: what makes two deliveries one event, and what makes them a conflict.

use std::collections::BTreeSet;

use yuanfen_core::{
    EventKey, Facts, Fen, Hint, Lookup, Notice, OrderNo, RefundNo, RemoteId, SignatureError, Transition, Verified,
    Verify,
};

struct Yes;

impl Verify for Yes {
    fn verify(&self, _: &[u8], _: &str) -> Result<(), SignatureError> {
        Ok(())
    }
}

const TRANSITIONS: [Transition; 7] = [
    Transition::OrderPaid,
    Transition::OrderSettled,
    Transition::OrderFailed,
    Transition::RefundSucceeded,
    Transition::RefundAbnormal,
    Transition::RefundClosed,
    Transition::Other,
];

#[test]
fn each_transition_of_each_subject_is_its_own_event() {
    let keys: BTreeSet<EventKey> = ["wechat-v2", "wechat-v3"]
        .into_iter()
        .flat_map(|route| ["m1", "m2"].map(|account| (route, account)))
        .flat_map(|(route, account)| ["A1", "A2"].map(|subject| (route, account, subject)))
        .flat_map(|(route, account, subject)| {
            TRANSITIONS.map(|transition| EventKey::new(route, account, subject, transition))
        })
        .collect();
    assert_eq!(keys.len(), 2 * 2 * 2 * TRANSITIONS.len());
    assert!(keys.contains(&EventKey::new(
        "wechat-v3",
        "m1".to_owned(),
        "A1",
        Transition::OrderPaid
    )));
}

#[test]
fn transitions_have_names_of_their_own() {
    let names: BTreeSet<&str> = TRANSITIONS.iter().map(|transition| transition.as_str()).collect();
    assert_eq!(names.len(), TRANSITIONS.len());
    assert_eq!(Transition::OrderSettled.as_str(), "order-settled");
}

#[test]
fn any_settled_fact_that_differs_is_a_conflict() {
    let mut facts = Facts::new("SUCCESS");
    facts.amount = Some(Fen::new(100));
    facts.order_no = Some("A1".to_owned());
    assert_eq!(facts, facts.clone());
    let mut other = facts.clone();
    other.amount = Some(Fen::new(101));
    assert_ne!(facts, other);
    let mut other = facts.clone();
    other.remote_id = Some("42".to_owned());
    assert_ne!(facts, other);
    assert_ne!(Facts::new("SUCCESS"), Facts::new("CLOSED"));
}

#[test]
fn a_hint_names_the_next_query_and_nothing_else() {
    let lookups = [
        Lookup::Order(OrderNo::new("A1").unwrap()),
        Lookup::RemoteOrder(RemoteId::new("A1").unwrap()),
        Lookup::Refund(RefundNo::new("A1").unwrap()),
    ];
    for lookup in lookups {
        let hint = Hint::new("starpos", lookup.clone());
        assert_eq!((hint.route, &hint.lookup), ("starpos", &lookup));
        let notice: Notice<u32> = Notice::Hint(hint);
        assert_ne!(notice, Notice::Settles(Verified::check(&Yes, b"", "", 1).unwrap()));
    }
}
