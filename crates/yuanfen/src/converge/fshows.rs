//! fshows: orders and refunds are queried.

use yuanfen_core::{Finding, NotificationSource as _, OrderNo, RefundNo};
use yuanfen_fshows::Account;
use yuanfen_fshows::ops::{OrderKey, QueryOrder, QueryRefund};
use yuanfen_inbox::{PendingKind, QueryError, RoutePlan, Schedule, StoredPending};
use yuanfen_transport::{Client, Transport};

/// How orders and refunds of that account are queried. Its call-backs are hints, so on this route only a query settles
/// anything.
pub fn fshows<T>(client: &Client<Account, T>) -> RoutePlan
where
    T: Transport + Clone + Send + Sync + 'static,
{
    let querying = client.clone();
    let account = client.provider();
    RoutePlan::new(
        account.route(),
        account.account(),
        Schedule::UNPUBLISHED,
        move |pending| query(querying.clone(), pending),
    )
}

async fn query<T: Transport>(client: Client<Account, T>, pending: StoredPending) -> Result<Finding, QueryError> {
    let (account, expected) = (client.provider(), pending.expected);
    if expected.kind == PendingKind::Refund {
        let order = OrderKey::Liquidator(OrderNo::new(expected.order_no.unwrap_or_default())?);
        let query = QueryRefund::by_refund_no(order, RefundNo::new(expected.number)?);
        let answer = client.call(&query).await;
        return Ok(Finding::of_query(answer, |answer| account.refund_finding(answer))?);
    }
    let query = QueryOrder::by_order_no(OrderNo::new(expected.number)?);
    let answer = client.call(&query).await;
    Ok(Finding::of_query(answer, |answer| account.order_finding(answer))?)
}
