//! StarPos: orders and refunds are queried; it has no call that closes (StarPos sheet, section 6.11).

use yuanfen_core::{Finding, NotificationSource as _, OrderNo, RefundNo};
use yuanfen_inbox::{PendingKind, QueryError, RoutePlan, Schedule, StoredPending};
use yuanfen_starpos::Account;
use yuanfen_starpos::ops::{QueryOrder, QueryRefund};
use yuanfen_transport::{Client, Transport};

/// How orders and refunds of that account are queried.
///
/// An order is expected and queried by the number that it was sent with (`tradeNo`). Send it as the order number
/// (`selOrderNo`) as well, as [`PayOfficialAccount::new`](yuanfen_starpos::ops::PayOfficialAccount::new) does: an answer
/// repeats only that one, and where it is another the query fails. The query of a refund needs to know the payment's serial
/// number, so its order is queried before it.
pub fn starpos<T>(client: &Client<Account, T>) -> RoutePlan
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
        let order_no = OrderNo::new(expected.order_no.unwrap_or_default())?;
        let paid = client.call(&QueryOrder::by_trade_no(&order_no)).await?;
        let query = QueryRefund::by_refund_no(RefundNo::new(expected.number)?, paid.log_no);
        let answer = client.call(&query).await;
        return Ok(Finding::of_query(answer, |answer| account.refund_finding(answer))?);
    }
    let query = QueryOrder::by_trade_no(&OrderNo::new(expected.number)?);
    let answer = client.call(&query).await;
    Ok(Finding::of_query(answer, |answer| account.order_finding(answer))?)
}
