//! When an order is queried, when it is given up, and that an error is no end.

use std::time::Duration;

use yuanfen_core::{OrderNo, PayAmount, RefundNo, Standing};
use yuanfen_inbox::{Converged, PendingRefund, PendingState, Schedule};

use super::{Platform, Says, at_each_second, expect, inbox, pending};
use crate::place::{Place, START, on_both_stores};
use crate::toy::{ACCOUNT, ROUTE, order};

const DAY: i64 = 86_400;

async fn an_open_order_is_queried_at_the_steps_of_its_schedule_to_the_second<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Unpaid);
    at_each_second(&convergence, &platform.clock, 1200).await;
    let mut steps: Vec<i64> = platform.calls().iter().map(|(second, _)| *second).collect();
    // And then from one to the next, with a look just before each.
    for _ in 0..4 {
        let next = pending(&inbox, "A1").await.next_query_at.since(START);
        platform.clock.set(next - 1);
        assert_eq!(convergence.drain().await.unwrap(), []);
        platform.clock.set(next);
        assert_eq!(convergence.drain().await.unwrap().len(), 1);
        steps.push(next);
    }
    assert_eq!(steps, [30, 90, 270, 570, 1170, 2970, 6570, 17_370, 38_970]);
}

async fn an_order_whose_end_is_not_found_out_is_given_up_and_seen_in_the_health<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    platform.says("A1", Says::Paying);
    let mut last = Vec::new();
    while pending(&inbox, "A1").await.state == PendingState::Open {
        platform
            .clock
            .set(pending(&inbox, "A1").await.next_query_at.since(START));
        last = convergence.drain().await.unwrap();
    }
    let given_up = pending(&inbox, "A1").await;
    assert_eq!(last, [Converged::GivenUp(given_up.id)]);
    assert_eq!(
        (given_up.state, platform.clock.seconds()),
        (PendingState::GivenUp, 8 * DAY)
    );
    assert_eq!(given_up.standing, Some(Standing::Pending));
    let health = inbox.health().await.unwrap();
    assert_eq!((health.given_up, health.pending), (1, 0));
    let asked = platform.calls().len();
    platform.clock.pass(30 * DAY);
    assert_eq!(convergence.drain().await.unwrap(), []);
    assert_eq!(u32::try_from(asked).unwrap(), given_up.queries);
}

/// A platform that was down for the whole time has not said that it knows nothing.
async fn an_order_is_not_given_up_for_a_query_that_failed_before_twice_that_time<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    expect(&inbox, order("A1", 100)).await;
    expect(&inbox, order("B1", 100)).await;
    platform.says("A1", Says::Error("503"));
    platform.says("B1", Says::Error("503"));
    platform.clock.set(9 * DAY);
    let failed = convergence.drain().await.unwrap();
    assert!(
        matches!(failed[..], [Converged::Failed(_), Converged::Failed(_)]),
        "{failed:?}"
    );
    platform.says("B1", Says::Paying);
    platform.clock.set(16 * DAY);
    let (a, b) = (pending(&inbox, "A1").await.id, pending(&inbox, "B1").await.id);
    let mut given_up = convergence.drain().await.unwrap();
    given_up.sort_by_key(|converged| format!("{converged:?}"));
    assert_eq!(given_up, [Converged::GivenUp(a), Converged::GivenUp(b)]);
    assert_eq!(pending(&inbox, "A1").await.last_error.as_deref(), Some("503"));
}

async fn whatever_goes_wrong_with_a_query_is_kept_and_the_next_one_comes_by_the_schedule<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let plan = platform.closing_plan().with_timeout(Duration::from_millis(50));
    let convergence = inbox.convergence([plan]);
    let troubles = [
        ("A1", Says::Error("the platform is down"), "the platform is down"),
        ("B1", Says::Panic, "the query panicked"),
        ("C1", Says::Silence, "the query took longer than 50 ms"),
    ];
    for (number, says, _) in &troubles {
        expect(&inbox, order(number, 100)).await;
        platform.says(number, says.clone());
    }
    platform.clock.set(30);
    let failed = convergence.drain().await.unwrap();
    assert_eq!(failed.iter().map(Converged::as_str).collect::<Vec<_>>(), ["failed"; 3]);
    for (number, _, error) in &troubles {
        let open = pending(&inbox, number).await;
        assert_eq!((open.state, open.standing), (PendingState::Open, None));
        assert_eq!(open.last_error.as_deref(), Some(*error));
        assert_eq!(open.next_query_at.since(START), 90);
    }
    platform.says("A1", Says::Unpaid);
    platform.clock.set(90);
    convergence.drain().await.unwrap();
    let answered = pending(&inbox, "A1").await;
    assert_eq!(
        (answered.last_error, answered.standing),
        (None, Some(Standing::Accepted))
    );
}

async fn refunds_have_a_schedule_of_their_own<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let refunds = Schedule::new(vec![], Duration::from_secs(3600), Duration::from_secs(7200)).with_spread(0);
    let convergence = inbox.convergence([platform.plan().with_refunds(refunds)]);
    let (number, of) = (RefundNo::new("R1").unwrap(), OrderNo::new("A1").unwrap());
    let refund = PendingRefund::new(ROUTE, ACCOUNT, number, of, PayAmount::from_fen(40).unwrap());
    expect(&inbox, refund).await;
    let mut steps = Vec::new();
    while pending(&inbox, "R1").await.state == PendingState::Open {
        platform
            .clock
            .set(pending(&inbox, "R1").await.next_query_at.since(START));
        convergence.drain().await.unwrap();
        steps.push(platform.clock.seconds());
    }
    assert_eq!(steps, [30, 3630, 7200]);
}

/// What no plan is for is left alone.
async fn an_order_of_another_account_is_not_queried<S: Place>(store: S) {
    let platform = Platform::default();
    let inbox = inbox(store, &platform);
    let convergence = inbox.convergence([platform.plan()]);
    let mut other = order("A1", 100);
    other.account = "M2".to_owned();
    expect(&inbox, other).await;
    platform.clock.set(DAY);
    assert_eq!(convergence.drain().await.unwrap(), []);
    assert_eq!(platform.calls(), []);
    assert_eq!(
        inbox.health().await.unwrap().query_overdue,
        Some(Duration::from_secs(86_370))
    );
}

on_both_stores!(
    an_open_order_is_queried_at_the_steps_of_its_schedule_to_the_second,
    an_order_whose_end_is_not_found_out_is_given_up_and_seen_in_the_health,
    an_order_is_not_given_up_for_a_query_that_failed_before_twice_that_time,
    whatever_goes_wrong_with_a_query_is_kept_and_the_next_one_comes_by_the_schedule,
    refunds_have_a_schedule_of_their_own,
    an_order_of_another_account_is_not_queried,
);
