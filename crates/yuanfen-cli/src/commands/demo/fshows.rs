//! fshows: page payment in an RSA envelope, the cashier page, a signed call-back without a status, and the query that
//! settles it.

use std::net::Ipv4Addr;
use std::sync::Arc;

use yuanfen::core::{Address, Ambient as _, BaseUrl, Hint};
use yuanfen::fshows::Account;
use yuanfen::fshows::ops::{OrderState, PayWechatPage, QueryOrder};
use yuanfen::transport::OsAmbient;

use super::report::Report;
use super::walk::{Failure, Step, Walk};

pub(crate) async fn walk(walk: &Walk<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = walk.sandbox.fshows();
    let base = BaseUrl::parse(&given.base_url).map_err(Failure::setup)?;
    let account = Account::new(
        given.app_id,
        given.merchant_private_key_pem.expose(),
        &given.platform_public_key_pem,
        &base,
    )
    .map_err(Failure::setup)?;
    let account = Arc::new(account);
    walk.receive_with(Arc::clone(&account));
    let client = walk.client(Arc::clone(&account));

    let mut pay = PayWechatPage::official_account(
        given.sub_merchant_id,
        walk.order_no.clone(),
        walk.amount,
        "demo shop - noodles",
        given.openid,
        Ipv4Addr::LOCALHOST,
    );
    pay.notify_url = Some(walk.notify_url()?);
    let prepaid = client.call(&pay).await.map_err(Failure::call(Step::Place))?;
    report.pay_id = Some(prepaid.prepay_id.as_str().to_owned());

    let back = Address::parse("callback_url", "https://shop.example/paid?from=fshows").map_err(Failure::setup)?;
    let page = account
        .cashier_page(&prepaid.prepay_id, &back, OsAmbient.now())
        .map_err(Failure::build(Step::Page))?;
    walk.browse(Step::Page, &page).await?;
    walk.pay()?;
    let lookup = walk.notice(report).await?;

    let query = lookup
        .and_then(|lookup| QueryOrder::of_hint(&Hint::new("fshows", lookup)))
        .unwrap_or_else(|| QueryOrder::by_order_no(walk.order_no.clone()));
    let found = client.call(&query).await.map_err(Failure::call(Step::Query))?;
    let state = match &found.state {
        OrderState::Wechat(state) => state.to_string(),
        other => format!("{other:?}"),
    };
    walk.agrees(report, &state, found.state.is_paid(), found.amount)
}
