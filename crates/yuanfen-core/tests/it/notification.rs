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

#[test]
fn each_transition_of_each_subject_is_its_own_event() {
    let keys: BTreeSet<EventKey> = ["wechat-v2", "wechat-v3"]
        .into_iter()
        .flat_map(|route| ["m1", "m2"].map(|account| (route, account)))
        .flat_map(|(route, account)| ["A1", "A2"].map(|subject| (route, account, subject)))
        .flat_map(|(route, account, subject)| {
            let key = move |transition: &Transition| EventKey::new(route, account, subject, *transition);
            Transition::ALL.iter().map(key)
        })
        .collect();
    assert_eq!(keys.len(), 2 * 2 * 2 * Transition::ALL.len());
    assert!(keys.contains(&EventKey::new(
        "wechat-v3",
        "m1".to_owned(),
        "A1",
        Transition::OrderPaid
    )));
}

/// The names stand in databases: none may ever change.
#[test]
fn transitions_have_names_of_their_own_and_are_found_by_them() {
    let named: Vec<(&str, Transition)> = Transition::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect();
    assert_eq!(
        named,
        [
            ("order-paid", Transition::OrderPaid),
            ("order-settled", Transition::OrderSettled),
            ("order-failed", Transition::OrderFailed),
            ("order-closed", Transition::OrderClosed),
            ("refund-succeeded", Transition::RefundSucceeded),
            ("refund-abnormal", Transition::RefundAbnormal),
            ("refund-closed", Transition::RefundClosed),
            ("other", Transition::Other),
        ]
    );
    for (name, transition) in named {
        assert_eq!(Transition::from_name(name), Some(transition));
    }
    for unknown in ["", "Order-paid", "order_paid", " order-paid", "order-reversed"] {
        assert_eq!(Transition::from_name(unknown), None, "{unknown:?}");
    }
}

#[test]
fn a_key_read_from_a_database_is_the_key_of_the_notice() {
    let stored = ["starpos", "order-paid"].map(str::to_owned);
    let [route, transition] = stored;
    let transition = Transition::from_name(&transition).unwrap();
    let read = EventKey::new(route, "m1", "A1", transition);
    let made = EventKey::new("starpos", "m1", "A1", Transition::OrderPaid);
    assert_eq!(read, made);
    assert!(BTreeSet::from([made]).contains(&read));
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
fn only_a_fact_that_both_name_can_contradict_and_it_is_named() {
    let text = |text: &str| Some(text.to_owned());
    let mut full = Facts::new("SUCCESS");
    full.amount = Some(Fen::new(100));
    full.currency = text("CNY");
    full.order_no = text("A1");
    full.remote_id = text("42");
    full.merchant = text("m1");
    full.app = text("a1");
    for other in [full.clone(), Facts::new("SUCCESS")] {
        assert_eq!(full.contradiction(&other), None);
        assert_eq!(other.contradiction(&full), None);
    }
    let change = |change: fn(&mut Facts)| {
        let mut changed = full.clone();
        change(&mut changed);
        assert_eq!(full.contradiction(&changed), changed.contradiction(&full));
        full.contradiction(&changed).unwrap()
    };
    assert_eq!(change(|facts| facts.amount = Some(Fen::new(101))), "amount");
    assert_eq!(change(|facts| facts.currency = Some("USD".to_owned())), "currency");
    assert_eq!(change(|facts| facts.order_no = Some("A2".to_owned())), "order_no");
    assert_eq!(change(|facts| facts.remote_id = Some("43".to_owned())), "remote_id");
    assert_eq!(change(|facts| facts.merchant = Some("m2".to_owned())), "merchant");
    assert_eq!(change(|facts| facts.app = Some(String::new())), "app");
    assert_eq!(change(|facts| "CLOSED".clone_into(&mut facts.end_state)), "end_state");
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
