//! WeChat Pay APIv3: JSAPI order, page parameters, encrypted notice, order query. The account starts without any
//! platform key: the first answer names a serial that is unknown, the client fetches the certificates once and opens
//! the same answer again.

use std::sync::Arc;

use yuanfen::core::{BaseUrl, Standing};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::transport::OsAmbient;
use yuanfen::wechat_v3::ops::{PlaceJsapiOrder, QueryOrder};
use yuanfen::wechat_v3::{Account, OpenId, OrderTerms, SigningIdentity};

use super::report::Report;
use super::walk::{Failure, Step, Walk};

pub(crate) async fn walk(walk: &Walk<'_>, report: &mut Report) -> Result<(), Failure> {
    let given = walk.sandbox.wechat_v3();
    let base = BaseUrl::parse(&given.base_url).map_err(Failure::setup)?;
    let signer = RsaSigningKey::parse(given.merchant_private_key_pem.expose()).map_err(Failure::setup)?;
    let identity =
        SigningIdentity::new(&given.merchant_id, &given.merchant_serial, Arc::new(signer)).map_err(Failure::setup)?;
    let key = ApiV3Key::new(given.apiv3_key.expose()).map_err(Failure::setup)?;
    let account = Account::direct(identity, &given.app_id, key).map_err(Failure::setup)?;
    let account = Arc::new(account.with_base(base));
    walk.receive_with(Arc::clone(&account));
    let client = walk.client(Arc::clone(&account));

    let terms = OrderTerms::new(
        walk.order_no.clone(),
        walk.amount,
        "demo shop - noodles",
        walk.notify_url()?,
    );
    let order = PlaceJsapiOrder::new(terms, OpenId::new(given.openid));
    let placed = client.call(&order).await.map_err(Failure::call(Step::Place))?;
    report.pay_id = Some(placed.prepay_id.as_str().to_owned());

    let page = account
        .jsapi_params(&placed.prepay_id, &OsAmbient)
        .map_err(Failure::build(Step::Page))?;
    walk.open_cashier(&[
        ("appId", &page.app_id),
        ("timeStamp", &page.time_stamp),
        ("nonceStr", &page.nonce_str),
        ("package", &page.package),
        ("signType", page.sign_type),
        ("paySign", &page.pay_sign),
    ])?;
    walk.pay()?;
    walk.notice(report).await?;

    let query = QueryOrder::by_order_no(walk.order_no.clone());
    let found = client.call(&query).await.map_err(Failure::call(Step::Query))?;
    let paid = found.standing() == Standing::Succeeded;
    let transaction = found.transaction;
    walk.agrees(report, transaction.trade_state.as_str(), paid, transaction.total)
}
