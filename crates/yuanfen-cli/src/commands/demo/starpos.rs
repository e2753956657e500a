//! StarPos: the merchant's official account, WeChat's authorization page, `pubSigPay`, a push that nothing proves, and
//! the query that settles it.

use std::sync::Arc;

use yuanfen::core::{Address, Ambient as _, BaseUrl, Hint, Standing};
use yuanfen::starpos::Account;
use yuanfen::starpos::ops::{PayOfficialAccount, Payer, QueryOfficialAccount, QueryOrder};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_web::{Authorize, State};

use super::report::Report;
use super::walk::{Failure, Step, Walk};

pub(crate) async fn walk(walk: &Walk<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = walk.sandbox.starpos();
    let base = BaseUrl::parse(&given.base_url).map_err(Failure::setup)?;
    let account =
        Account::new(given.organization, given.merchant, given.terminal, given.key.expose()).map_err(Failure::setup)?;
    let account = Arc::new(account.with_base(base));
    walk.receive_with(Arc::clone(&account));
    // No request carries a notify address here: the partner's one address is agreed with the acquirer.
    walk.sandbox.set_starpos_push_url(walk.notify_url()?.as_str());
    let client = walk.client(Arc::clone(&account));

    let official = client
        .call(&QueryOfficialAccount::new())
        .await
        .map_err(Failure::call(Step::FindPayer))?;
    let code = visit(walk, official.app_id).await?;

    let pay = PayOfficialAccount::new(walk.order_no.clone(), walk.amount, Payer::Code(code));
    let started = client.call(&pay).await.map_err(Failure::call(Step::Place))?;
    report.pay_id = Some(started.prepay_id.as_str().to_owned());

    let page = started.page(OsAmbient.now()).map_err(Failure::build(Step::Page))?;
    walk.open_cashier(&[
        ("appId", &page.app_id),
        ("timeStamp", &page.time_stamp),
        ("nonceStr", &page.nonce),
        ("package", &page.package),
        ("signType", &page.sign_type),
        ("paySign", &page.pay_sign),
    ])?;
    walk.pay()?;
    let lookup = walk.notice(report).await?;

    let query = lookup
        .and_then(|lookup| QueryOrder::of_hint(&Hint::new("starpos", lookup)))
        .unwrap_or_else(|| QueryOrder::by_trade_no(&walk.order_no));
    let found = client.call(&query).await.map_err(Failure::call(Step::Query))?;
    let state = found
        .result
        .as_ref()
        .map_or_else(|| "none".to_owned(), ToString::to_string);
    walk.agrees(report, &state, found.standing() == Standing::Succeeded, found.amount)
}

/// Sends the visitor through WeChat's authorization page and takes the code that they come back with.
async fn visit(walk: &Walk<'_>, app_id: String) -> Result<String, Failure> {
    let back = Address::parse("redirect_uri", "https://shop.example/pay").map_err(Failure::setup)?;
    let state = State::random(&OsAmbient);
    let mut authorize = Authorize::new(app_id, back, state.clone());
    authorize.base = Some(BaseUrl::parse(walk.sandbox.base_url()).map_err(Failure::setup)?);
    let address = authorize.address().map_err(Failure::build(Step::FindPayer))?;
    let response = walk.browse(Step::FindPayer, &address).await?;
    let location = response
        .headers()
        .get(http::header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let returned = |name: &str| {
        let query = location.split_once('?').map_or("", |(_, query)| query);
        query
            .split('&')
            .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
            .map(|(_, value)| value.to_owned())
    };
    match (returned("code"), returned("state")) {
        (Some(code), Some(back)) if state.matches(&back) => Ok(code),
        _ => Err(Failure::words(
            Step::FindPayer,
            "the authorization page sent the visitor back without a code of this session",
            "compare the address's parameters and their order with WeChat's",
        )),
    }
}
