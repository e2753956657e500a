//! mpgateway: orders are queried, and canceled where the shop wants that.

use yuanfen_core::{Finding, NotificationSource as _, OrderNo};
use yuanfen_inbox::{PendingKind, QueryError, RoutePlan, Schedule, StoredPending};
use yuanfen_mpgateway::Account;
use yuanfen_mpgateway::ops::{CancelOrder, QueryOrder};
use yuanfen_transport::{Client, Transport};

/// How orders of that account are queried. Orders that expire are not canceled; [`mpgateway_cancel`] does that.
pub fn mpgateway<T>(client: &Client<Account, T>) -> RoutePlan
where
    T: Transport + Clone + Send + Sync + 'static,
{
    let querying = client.clone();
    let account = client.provider();
    RoutePlan::new(
        account.route(),
        account.account(),
        Schedule::MPGATEWAY,
        move |pending| query(querying.clone(), pending),
    )
}

/// The same, and orders that expire are canceled.
///
/// The gateway does not say what it makes of a cancel that comes in the moment after the payer has paid, and it may give
/// the money back (mpgateway sheet, section 6.3). Ask it before you use this; the query after the cancel says what became of
/// the order in either case.
pub fn mpgateway_cancel<T>(client: &Client<Account, T>) -> RoutePlan
where
    T: Transport + Clone + Send + Sync + 'static,
{
    let canceling = client.clone();
    mpgateway(client).with_close(move |pending| cancel(canceling.clone(), pending))
}

async fn query<T: Transport>(client: Client<Account, T>, pending: StoredPending) -> Result<Finding, QueryError> {
    if pending.expected.kind == PendingKind::Refund {
        return Err(QueryError::new(
            "mpgateway has no call that gives money back, and none that asks about it",
        ));
    }
    let account = client.provider();
    let query = QueryOrder::by_order_no(OrderNo::new(pending.expected.number)?);
    let answer = client.call(&query).await;
    Ok(Finding::of_query(answer, |answer| account.order_finding(answer))?)
}

async fn cancel<T: Transport>(client: Client<Account, T>, pending: StoredPending) -> Result<(), QueryError> {
    let cancel = CancelOrder::by_order_no(OrderNo::new(pending.expected.number)?);
    client.call(&cancel).await?;
    Ok(())
}
