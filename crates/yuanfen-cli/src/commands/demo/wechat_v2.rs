//! WeChat Pay v2: unified order, `WeixinJSBridge`, XML notice, order query.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use yuanfen::core::BaseUrl;
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v2::ops::{PlaceOrder, QueryOrder};
use yuanfen::wechat_v2::{Account, PayerApp};

use super::report::Report;
use super::walk::{Failure, Step, Walk};

pub(crate) async fn walk(walk: &Walk<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = walk.sandbox.wechat_v2();
    let base = BaseUrl::parse(&given.base_url).map_err(Failure::setup)?;
    let account = Account::new(given.app_id, given.merchant_id, given.api_key.expose()).map_err(Failure::setup)?;
    let account = Arc::new(account.with_base(base));
    walk.receive_with(Arc::clone(&account));
    let client = walk.client(Arc::clone(&account));

    let order = PlaceOrder::jsapi(
        walk.order_no.clone(),
        walk.amount,
        "demo shop - noodles",
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        walk.notify_url()?,
        given.openid,
    );
    let placed = client.call(&order).await.map_err(Failure::call(Step::Place))?;
    report.pay_id = Some(placed.prepay_id.as_str().to_owned());

    let page = account
        .bridge_params(&placed.prepay_id, PayerApp::Account, &OsAmbient)
        .map_err(Failure::build(Step::Page))?;
    walk.open_cashier(&[
        ("appId", &page.app_id),
        ("timeStamp", &page.time_stamp),
        ("nonceStr", &page.nonce),
        ("package", &page.package),
        ("signType", page.sign_type),
        ("paySign", &page.pay_sign),
    ])?;
    walk.pay()?;
    walk.notice(report).await?;

    let query = QueryOrder::by_order_no(walk.order_no.clone());
    let found = client.call(&query).await.map_err(Failure::call(Step::Query))?;
    walk.agrees(
        report,
        found.trade_state.as_str(),
        found.trade_state.is_paid(),
        found.total,
    )
}
