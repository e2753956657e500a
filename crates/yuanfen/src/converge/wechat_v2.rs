//! WeChat Pay v2: orders and refunds are queried; orders are closed.

use yuanfen_core::{Finding, NotificationSource as _, OrderNo, RefundNo};
use yuanfen_inbox::{PendingKind, QueryError, RoutePlan, Schedule, StoredPending};
use yuanfen_transport::{Client, Transport};
use yuanfen_wechat_v2::ops::{CloseOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v2::{Account, SubMerchant};

/// How orders and refunds of that account are queried and closed.
///
/// A service provider's account asks for the merchant that each order was expected with
/// ([`PendingOrder::merchant`](yuanfen_inbox::PendingOrder::merchant)), so that one plan is enough for all of them. An order
/// of a scanned code is not closed but reversed: do not give it an expiry.
pub fn wechat_v2<T>(client: &Client<Account, T>) -> RoutePlan
where
    T: Transport + Clone + Send + Sync + 'static,
{
    let (querying, closing) = (client.clone(), client.clone());
    let account = client.provider();
    RoutePlan::new(account.route(), account.account(), Schedule::WECHAT, move |pending| {
        query(querying.clone(), pending)
    })
    .with_close(move |pending| close(closing.clone(), pending))
}

async fn query<T: Transport + Clone>(
    client: Client<Account, T>,
    pending: StoredPending,
) -> Result<Finding, QueryError> {
    let client = acting_for(&client, pending.expected.merchant.as_deref())?;
    let (account, number) = (client.provider(), pending.expected.number);
    if pending.expected.kind == PendingKind::Refund {
        let query = QueryRefund::by_refund_no(RefundNo::new(number)?);
        let answer = client.call(&query).await;
        return Ok(Finding::of_query(answer, |answer| account.refund_finding(answer))?);
    }
    let query = QueryOrder::by_order_no(OrderNo::new(number)?);
    let answer = client.call(&query).await;
    Ok(Finding::of_query(answer, |answer| account.order_finding(answer))?)
}

async fn close<T: Transport + Clone>(client: Client<Account, T>, pending: StoredPending) -> Result<(), QueryError> {
    let client = acting_for(&client, pending.expected.merchant.as_deref())?;
    let mut close = CloseOrder::new(OrderNo::new(pending.expected.number)?);
    close.placed_at = Some(pending.placed_at);
    client.call(&close).await?;
    Ok(())
}

/// The client for one of a provider's merchants; for a merchant's own account the client itself.
fn acting_for<T>(client: &Client<Account, T>, merchant: Option<&str>) -> Result<Client<Account, T>, QueryError>
where
    T: Transport + Clone,
{
    let account = client.provider();
    let acts_for = account
        .sub_merchant()
        .map_or(account.merchant_id(), SubMerchant::merchant_id);
    match merchant {
        Some(merchant) if merchant != acts_for && merchant != account.merchant_id() => {
            let account = account.for_sub_merchant(SubMerchant::new(merchant)?)?;
            Ok(client.acting_as(account))
        }
        _ => Ok(client.clone()),
    }
}
