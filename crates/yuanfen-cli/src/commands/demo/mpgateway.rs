//! mpgateway: the openid page, submit, the signed pay page, a signed notice, the query.

use std::sync::Arc;

use yuanfen::core::{Address, BaseUrl};
use yuanfen::mpgateway::ops::{NextStep, QueryOrder, SubmitOrder};
use yuanfen::mpgateway::{Account, OpenidPage};
use yuanfen::transport::OsAmbient;

use super::report::Report;
use super::walk::{Failure, Step, Walk};

pub(crate) async fn walk(walk: &Walk<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = walk.sandbox.mpgateway();
    let base = BaseUrl::parse(&given.base_url).map_err(Failure::setup)?;
    let account = Account::new(given.merchant, given.key.expose(), base).map_err(Failure::setup)?;
    let account = Arc::new(account);
    walk.receive_with(Arc::clone(&account));
    let client = walk.client(Arc::clone(&account));

    let openid = visit(walk, &account).await?;
    let order = SubmitOrder::official_account(walk.order_no.clone(), walk.amount, walk.notify_url()?, openid);
    let submitted = client.call(&order).await.map_err(Failure::call(Step::Place))?;
    let NextStep::OpenPayPage(pay_id) = submitted.next else {
        return Err(Failure::words(
            Step::Place,
            "the gateway answered no pay id",
            "query the order",
        ));
    };

    let page = account
        .pay_page(&walk.order_no, &pay_id, &OsAmbient)
        .map_err(Failure::build(Step::Page))?;
    report.pay_id = Some(pay_id);
    walk.browse(Step::Page, &page).await?;
    walk.pay()?;
    walk.notice(report).await?;

    let query = QueryOrder::by_order_no(walk.order_no.clone());
    let found = client.call(&query).await.map_err(Failure::call(Step::Query))?;
    walk.agrees(report, found.result.as_str(), found.is_paid, Some(found.amount))
}

/// Sends the visitor through the operator's openid page and takes the openid that they come back with.
async fn visit(walk: &Walk<'_>, account: &Account) -> Result<String, Failure> {
    let back = Address::parse("backurl", "https://shop.example/pay").map_err(Failure::setup)?;
    let address = account
        .openid_page(&OpenidPage::new(back))
        .map_err(Failure::build(Step::FindPayer))?;
    let response = walk.browse(Step::FindPayer, &address).await?;
    let location = response
        .headers()
        .get(http::header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    location
        .split_once("openid=")
        .map(|(_, rest)| rest.split('&').next().unwrap_or_default().to_owned())
        .filter(|openid| !openid.is_empty())
        .ok_or_else(|| {
            Failure::words(
                Step::FindPayer,
                "the openid page sent the visitor back without an openid",
                "ask the operator under which name it is handed over",
            )
        })
}
