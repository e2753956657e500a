//! WeChat Pay APIv3: orders, combined orders and refunds are queried; orders are closed.

use yuanfen_core::{Error, Finding, NotificationSource as _, OrderNo, RefundNo, Standing};
use yuanfen_inbox::{PendingKind, QueryError, RoutePlan, Schedule, StoredPending};
use yuanfen_transport::{Client, Transport};
use yuanfen_wechat_v3::ops::{CloseCombinedOrder, CloseOrder, QueryCombinedOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, Code, CombinedOrderNo, SubMerchant};

/// How orders and refunds of that account are queried and closed.
///
/// A service provider's account asks for the merchant that each order was expected with
/// ([`PendingOrder::merchant`](yuanfen_inbox::PendingOrder::merchant)), so that one plan is enough for all of them. What is
/// not known as an order is asked for as a combined order, unless the merchant may not have any; both are closed. An order
/// of a payment by code cannot be closed, only reversed: do not give it an expiry.
pub fn wechat_v3<T>(client: &Client<Account, T>) -> RoutePlan
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
        let query = QueryRefund::new(RefundNo::new(number)?);
        let answer = client.call(&query).await;
        return Ok(Finding::of_query(answer, |answer| account.refund_finding(answer))?);
    }
    let order_no = OrderNo::new(&number)?;
    let answer = client.call(&QueryOrder::by_order_no(order_no.clone())).await;
    let finding = match answer {
        Ok(answer) => account.order_finding(&answer),
        Err(refused) => account.refused_order_finding(&order_no, &refused).ok_or(refused)?,
    };
    // An ordinary query does not find combined orders (v3 sheet, section 14).
    if finding.standing != Standing::NotFound {
        return Ok(finding);
    }
    let order_no = CombinedOrderNo::new(&number)?;
    match client.call(&QueryCombinedOrder::new(order_no.clone())).await {
        Ok(answer) => Ok(account.combined_order_finding(&answer)),
        Err(refused) if has_no_combined_orders(&refused) => Ok(finding),
        Err(refused) => Ok(account
            .refused_combined_order_finding(&order_no, &refused)
            .ok_or(refused)?),
    }
}

/// Whether the merchant may not ask for combined orders at all, which are a product of their own: none of its orders is one
/// then. That is believed with a proof alone, like every refusal from which something follows. Any other code says nothing
/// about the order: not a wrong parameter, nor that the platform is busy.
fn has_no_combined_orders(refused: &Error) -> bool {
    let refusal = refused.refusal();
    refusal.is_some_and(|refusal| refusal.verified && Code::of(&refusal.code) == Code::NoAuth)
}

async fn close<T: Transport + Clone>(client: Client<Account, T>, pending: StoredPending) -> Result<(), QueryError> {
    let client = acting_for(&client, pending.expected.merchant.as_deref())?;
    let number = pending.expected.number;
    let mut close = CloseOrder::new(OrderNo::new(&number)?);
    close.placed_at = Some(pending.placed_at);
    let Err(refused) = client.call(&close).await else {
        return Ok(());
    };
    if refused.standing() != Some(Standing::NotFound) {
        return Err(refused.into());
    }
    let queried = client
        .call(&QueryCombinedOrder::new(CombinedOrderNo::new(&number)?))
        .await?;
    client.call(&CloseCombinedOrder::from(&queried.transaction)).await?;
    Ok(())
}

/// The client for one of a provider's merchants; for a merchant's own account the client itself.
fn acting_for<T>(client: &Client<Account, T>, merchant: Option<&str>) -> Result<Client<Account, T>, QueryError>
where
    T: Transport + Clone,
{
    let ids = client.provider().ids();
    let acts_for = ids.sub_merchant().map_or(ids.merchant_id(), |sub| &*sub.merchant_id);
    match merchant {
        Some(merchant) if merchant != acts_for && merchant != ids.merchant_id() => {
            let account = client.provider().for_sub_merchant(SubMerchant::new(merchant)?)?;
            Ok(client.acting_as(account))
        }
        _ => Ok(client.clone()),
    }
}
