//! What the shop expects, and what is told otherwise.

use serde_json::json;
use yuanfen_core::{OrderNo, PayAmount, RemoteId};
use yuanfen_inbox::store::{Store, Subject};
use yuanfen_inbox::{
    EventState, ExpectError, Expected, Handled, Inbox, ParkReason, PendingKind, PendingState, Unexpected, handler_fn,
};

use crate::place::{Place, START, Shipping, inbox, on_both_stores};
use crate::shop::{Clock, at, deliver, expect, expected, show};
use crate::toy::{ACCOUNT, ROUTE, Toy, order, paid, refund, refunded, signed};

/// Expects in a transaction of the shop's that is committed only if that works.
async fn try_expect<S: Store>(inbox: &Inbox<S>, what: impl Into<Expected> + Send) -> Result<(), ExpectError> {
    let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
    let done = inbox.expect(&mut transaction, what).await;
    inbox.store().commit(transaction).await.unwrap();
    done
}

async fn what_is_told_otherwise_parks_before_the_handler_runs<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let told = [
        (json!({ "amount": 101 }), "`amount` is 101 fen, and 100 fen is expected"),
        (json!({ "amount": 99 }), "`amount` is 99 fen, and 100 fen is expected"),
        (
            json!({ "amount": null }),
            "`amount` is not named, and 100 fen is expected",
        ),
        (json!({ "currency": "USD" }), "`currency` is USD, and CNY is expected"),
        (json!({ "merchant": "M2" }), "`merchant` is M2, and M1 is expected"),
        (json!({ "app": "wx2" }), "`app` is wx2, and wx1 is expected"),
    ];
    for (number, (told, error)) in told.iter().enumerate() {
        let number = format!("A{number}");
        let mut order = order(&number, 100);
        order.app = Some("wx1".to_owned());
        expect(&inbox, order).await;
        let mut event = json!({ "order": number, "amount": 100, "transition": "order-paid" });
        event.as_object_mut().unwrap().extend(told.as_object().unwrap().clone());
        let id = deliver(&receiver, &signed(&event)).await;
        let handled = inbox.workers(Shipping).drain().await.unwrap();
        assert_eq!(handled, [Handled::Parked(id, ParkReason::Mismatch)]);
        let event = show(&inbox, id).await;
        assert_eq!(event.last_error.as_deref(), Some(*error));
        assert_eq!(event.finished_at, Some(START));
        // What did not take effect ends no expectation.
        assert_eq!(expected(&inbox, &number).await.unwrap().state, PendingState::Open);
    }
    assert!(inbox.store().shipped().await.is_empty());
}

async fn what_is_as_expected_is_done_and_expected_no_more<S: Place>(store: S) {
    let inbox = inbox(store);
    let mut order = order("A1", 100);
    order.app = Some("wx1".to_owned());
    expect(&inbox, order).await;
    let event = json!({
        "order": "A1", "amount": 100, "transition": "order-paid", "currency": "CNY", "merchant": "M1", "app": "wx1",
    });
    let id = deliver(&inbox.receiver(Toy), &signed(&event)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    let pending = expected(&inbox, "A1").await.unwrap();
    assert_eq!((pending.state, pending.over_at), (PendingState::Over, Some(START)));
}

async fn an_expectation_ends_with_the_handler_and_not_before<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let failing = handler_fn::<S, _>(|_, _| Box::pin(async { Err(std::fmt::Error.into()) }));
    assert_eq!(inbox.workers(failing).drain().await.unwrap(), [Handled::Failed(id)]);
    assert_eq!(expected(&inbox, "A1").await.unwrap().state, PendingState::Open);
}

async fn a_payment_that_failed_need_not_name_its_amount<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let failed = json!({ "order": "A1", "transition": "order-failed" });
    let id = deliver(&inbox.receiver(Toy), &signed(&failed)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
}

async fn a_payment_that_nobody_asked_for_waits_for_a_person<S: Place>(store: S) {
    let inbox = inbox(store);
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Unexpected)]);
    assert!(inbox.store().shipped().await.is_empty());
    // The shop had forgotten to say so.
    expect(&inbox, order("A1", 100)).await;
    inbox.retry(id).await.unwrap();
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    let event = show(&inbox, id).await;
    assert_eq!(
        (event.state, event.parked_for, event.last_error),
        (EventState::Done, None, None)
    );
}

async fn a_shop_that_compares_amounts_itself_gets_what_it_does_not_expect<S: Place>(store: S) {
    let inbox = inbox(store).with_settings(|settings| settings.unexpected = Unexpected::Handle);
    let id = deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(id)]);
    // What it does expect is compared all the same.
    expect(&inbox, order("A2", 100)).await;
    let id = deliver(&inbox.receiver(Toy), &paid("A2", 1)).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(id, ParkReason::Mismatch)]);
}

async fn a_refund_that_nobody_expects_is_handled_and_one_that_is_expected_is_compared<S: Place>(store: S) {
    let inbox = inbox(store);
    let receiver = inbox.receiver(Toy);
    let by_hand = deliver(&receiver, &refunded("R1", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(by_hand)]);
    expect(&inbox, refund("R2", 100)).await;
    let right = deliver(&receiver, &refunded("R2", 100)).await;
    assert_eq!(inbox.workers(Shipping).drain().await.unwrap(), [Handled::Done(right)]);
    assert_eq!(expected(&inbox, "R2").await.unwrap().state, PendingState::Over);
    expect(&inbox, refund("R3", 100)).await;
    let less = deliver(&receiver, &refunded("R3", 99)).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(less, ParkReason::Mismatch)]);
    // Of another order.
    expect(&inbox, refund("R4", 100)).await;
    let other = json!({ "refund": "R4", "order": "A2", "amount": 100, "transition": "refund-succeeded" });
    let other = deliver(&receiver, &signed(&other)).await;
    let handled = inbox.workers(Shipping).drain().await.unwrap();
    assert_eq!(handled, [Handled::Parked(other, ParkReason::Mismatch)]);
    let error = show(&inbox, other).await.last_error;
    assert_eq!(error.as_deref(), Some("`order_no` is A2, and A1 is expected"));
}

async fn to_expect_the_same_once_more_changes_nothing<S: Place>(store: S) {
    let clock = Clock::new();
    let inbox = clock.inbox(store);
    let mut first = order("A1", 100);
    first.expires_at = Some(at(600));
    try_expect(&inbox, first.clone()).await.unwrap();
    clock.advance(60);
    try_expect(&inbox, first.clone()).await.unwrap();
    // Also when it has expired meanwhile.
    clock.advance(3600);
    try_expect(&inbox, first).await.unwrap();
    let pending = expected(&inbox, "A1").await.unwrap();
    assert_eq!((pending.placed_at, pending.expected.expires_at), (START, Some(at(600))));
    assert_eq!(inbox.health().await.unwrap().pending, 1);
    // An order and a refund may have the same number.
    try_expect(&inbox, refund("A1", 7)).await.unwrap();
    assert_eq!(inbox.health().await.unwrap().pending, 2);
}

async fn another_expectation_under_the_same_number_is_refused_by_its_field<S: Place>(store: S) {
    let inbox = inbox(store);
    try_expect(&inbox, order("A1", 100)).await.unwrap();
    let mut currency = order("A1", 100);
    currency.currency = "HKD".to_owned();
    let mut merchant = order("A1", 100);
    merchant.merchant = Some("M2".to_owned());
    let mut app = order("A1", 100);
    app.app = Some("wx2".to_owned());
    let mut expiry = order("A1", 100);
    expiry.expires_at = Some(at(900));
    for (other, name) in [
        (expiry, "expires_at"),
        (order("A1", 101), "amount"),
        (currency, "currency"),
        (merchant, "merchant"),
        (app, "app"),
    ] {
        let error = try_expect(&inbox, other).await.unwrap_err();
        let ExpectError::Differs { field, ref number } = error else {
            panic!("{error}")
        };
        assert_eq!((field, number.as_str()), (name, "A1"));
        assert!(error.to_string().contains(&format!("`{name}` of A1")), "{error}");
    }
    assert_eq!(expected(&inbox, "A1").await.unwrap().expected.amount.get(), 100);
    try_expect(&inbox, refund("R1", 100)).await.unwrap();
    let mut of_another_order = refund("R1", 100);
    of_another_order.order_no = OrderNo::new("A2").unwrap();
    let error = try_expect(&inbox, of_another_order).await.unwrap_err();
    assert!(
        matches!(error, ExpectError::Differs { field: "order_no", .. }),
        "{error}"
    );
}

async fn what_is_open_no_more_cannot_be_expected_again<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    deliver(&inbox.receiver(Toy), &paid("A1", 100)).await;
    inbox.workers(Shipping).drain().await.unwrap();
    for (number, ended) in [
        (
            "B1",
            "update yuanfen_inbox_pending set state = 'given-up' where number = 'B1'",
        ),
        (
            "C1",
            "update yuanfen_inbox_pending set state = 'lapsed' where number = 'C1'",
        ),
    ] {
        expect(&inbox, order(number, 100)).await;
        let (_turn, mut transaction) = inbox.store().begin().await.unwrap();
        S::run(&mut transaction, ended).await.unwrap();
        inbox.store().commit(transaction).await.unwrap();
    }
    for (number, ended) in [
        ("A1", PendingState::Over),
        ("B1", PendingState::GivenUp),
        ("C1", PendingState::Lapsed),
    ] {
        let error = try_expect(&inbox, order(number, 100)).await.unwrap_err();
        let ExpectError::Over { number: told, state } = &error else {
            panic!("{error}")
        };
        assert_eq!((&**told, *state), (number, ended));
        assert!(error.to_string().ends_with("use a new number"), "{error}");
        assert_eq!(
            expected(&inbox, number).await.unwrap().state,
            ended,
            "nothing is changed"
        );
    }
}

async fn what_expires_before_it_is_placed_is_refused<S: Place>(store: S) {
    let inbox = inbox(store);
    for expires_at in [at(-1), at(0)] {
        let mut late = order("A1", 100);
        late.expires_at = Some(expires_at);
        let error = try_expect(&inbox, late).await.unwrap_err();
        let ExpectError::ExpiresBefore {
            placed_at,
            expires_at: told,
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!((placed_at, told), (START, expires_at));
    }
    assert!(expected(&inbox, "A1").await.is_none());
    let mut in_time = order("A1", 100);
    in_time.expires_at = Some(at(1));
    try_expect(&inbox, in_time).await.unwrap();
}

async fn what_the_shop_rolls_back_is_not_expected<S: Place>(store: S) {
    let inbox = inbox(store);
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    S::ship(&mut transaction, "the shop's own row").await.unwrap();
    inbox.expect(&mut transaction, order("A1", 100)).await.unwrap();
    inbox.store().roll_back(transaction).await;
    drop(turn);
    assert!(expected(&inbox, "A1").await.is_none());
    assert!(inbox.store().shipped().await.is_empty());
    // The number is free.
    expect(&inbox, order("A1", 200)).await;
}

async fn the_platforms_number_is_kept_once_it_is_known<S: Place>(store: S) {
    let inbox = inbox(store);
    expect(&inbox, order("A1", 100)).await;
    let (turn, mut transaction) = inbox.store().begin().await.unwrap();
    let remote_id = RemoteId::new("X1").unwrap();
    for (kind, number, is_expected) in [
        (PendingKind::Order, "A1", true),
        (PendingKind::Refund, "A1", false),
        (PendingKind::Order, "A2", false),
    ] {
        let subject = Subject::new(ROUTE, ACCOUNT, kind, number);
        let kept = inbox
            .keep_remote_id(&mut transaction, subject, &remote_id)
            .await
            .unwrap();
        assert_eq!(kept, is_expected);
    }
    inbox.store().commit(transaction).await.unwrap();
    drop(turn);
    assert_eq!(
        expected(&inbox, "A1").await.unwrap().expected.remote_id.as_deref(),
        Some("X1")
    );
    // An order whose number of theirs is known is still the same order.
    try_expect(&inbox, order("A1", 100)).await.unwrap();
    assert_eq!(
        PayAmount::from_fen(100).unwrap().fen(),
        expected(&inbox, "A1").await.unwrap().expected.amount
    );
}

on_both_stores!(
    what_is_told_otherwise_parks_before_the_handler_runs,
    what_is_as_expected_is_done_and_expected_no_more,
    an_expectation_ends_with_the_handler_and_not_before,
    a_payment_that_failed_need_not_name_its_amount,
    a_payment_that_nobody_asked_for_waits_for_a_person,
    a_shop_that_compares_amounts_itself_gets_what_it_does_not_expect,
    a_refund_that_nobody_expects_is_handled_and_one_that_is_expected_is_compared,
    to_expect_the_same_once_more_changes_nothing,
    another_expectation_under_the_same_number_is_refused_by_its_field,
    what_is_open_no_more_cannot_be_expected_again,
    what_expires_before_it_is_placed_is_refused,
    what_the_shop_rolls_back_is_not_expected,
    the_platforms_number_is_kept_once_it_is_known,
);
