//! A service provider's messages: the same calls, with other ids in them.

use bytes::Bytes;
use http::Request;
use yuanfen_core::{
    BuildError, EventKey, Notice, NotificationSource as _, OpenError, Opens as _, Operation, OperationExt as _,
    OrderNo, Provider as _, RefundNo, RemoteId, Standing, Transition, Verified,
};
use yuanfen_wechat_v3::ops::{CloseOrder, PlaceJsapiOrder, QueriedOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, Event, MerchantIds, OpenId, Payer, Reply, SetupError, SubMerchant};

use crate::far_side::{
    CERTIFICATE, PROVIDER, PROVIDER_APP, SUB_APP, SUB_MERCHANT, account, ambient, envelope, fresh_account, notice, now,
    partner, partner_without_app, provider, reason, reply, sub_merchant, wrong_field,
};
use crate::requests::{is_signed_over_what_is_sent, order, parameter, refund, target};

pub(crate) const PAID: &str = concat!(
    r#"{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":99,"total":100},"sp_appid":"wx8888888888888888","#,
    r#""sp_mchid":"1900000100","sub_appid":"wxd678efh567hg6999","sub_mchid":"1900000109","bank_type":"CMC_DEBIT","#,
    r#""out_trade_no":"A1","payer":{"sp_openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o","sub_openid":"o4GgauE1lgaPsLabrYvqhVg7O8yA"},"#,
    r#""success_time":"2018-06-08T10:34:56+08:00","trade_state":"SUCCESS","trade_state_desc":"支付成功","#,
    r#""trade_type":"JSAPI","transaction_id":"1217752501201407033233368018"}"#,
);
const REFUNDED: &str = concat!(
    r#"{"sp_mchid":"1900000100","sub_mchid":"1900000109","transaction_id":"1008450740201411110005820873","#,
    r#""out_trade_no":"A1","refund_id":"50200207182018070300011301001","out_refund_no":"R1","refund_status":"SUCCESS","#,
    r#""success_time":"2018-06-08T10:34:56+08:00","user_received_account":"招商银行信用卡0403","#,
    r#""amount":{"total":999,"refund":998,"payer_total":990,"payer_refund":989}}"#,
);
const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
const SUB_OPENID: &str = "o4GgauE1lgaPsLabrYvqhVg7O8yA";

fn number() -> OrderNo {
    OrderNo::new("A1").unwrap()
}

fn query() -> QueryOrder {
    QueryOrder::by_order_no(number())
}

fn order_of(payer: Payer) -> PlaceJsapiOrder {
    let mut order = order();
    order.payer = payer;
    order
}

fn sub_payer() -> PlaceJsapiOrder {
    order_of(Payer::SubOpenId(OpenId::new(SUB_OPENID)))
}

fn sent(account: &Account, operation: &impl Operation<Provider = Account>) -> Request<Bytes> {
    operation.request(account, &ambient()).unwrap()
}

fn body(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn refused(account: &Account, operation: &impl Operation<Provider = Account>) -> BuildError {
    operation.encode(account, &ambient()).map(drop).expect_err("accepted")
}

/// What a query says of an answer with that body.
fn asked(account: &Account, body: &str) -> Result<QueriedOrder, OpenError> {
    let reply = Verified::<Reply>::open(account, &reply(200, body), now())?;
    query().decode(account, reply)
}

/// The same with members taken out or put another way.
fn changed(text: &str, from: &str, to: &str) -> String {
    let changed = text.replacen(from, to, 1);
    assert_ne!(changed, text, "{from}");
    changed
}

fn opened(account: &Account, event_type: &str, original_type: &str, plaintext: &str) -> Result<Event, OpenError> {
    let notice = notice(&envelope(event_type, original_type, plaintext));
    match account.open_notification(&notice, now())? {
        Notice::Settles(event) => Ok(event.into_inner()),
        other => panic!("{other:?}"),
    }
}

fn payment(account: &Account, plaintext: &str) -> Result<Event, OpenError> {
    opened(account, "TRANSACTION.SUCCESS", "transaction", plaintext)
}

/// Every byte of an order whose payer is known to the provider's app, and of one whose payer is known to the merchant's.
#[test]
fn places_orders_with_the_ids_of_both() {
    let by_provider = sent(&partner(), &order());
    assert_eq!(target(&by_provider), "/v3/pay/partner/transactions/jsapi");
    assert_eq!(
        body(&by_provider),
        concat!(
            r#"{"sp_appid":"wx8888888888888888","sub_appid":"wxd678efh567hg6999","sp_mchid":"1900000100","#,
            r#""sub_mchid":"1900000109","description":"Image形象店","out_trade_no":"1217752501201407033233368018","#,
            r#""notify_url":"https://www.weixin.qq.com/wxpay/pay.php","amount":{"total":100,"currency":"CNY"},"#,
            r#""payer":{"sp_openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"}}"#,
        )
    );
    let by_merchant = sent(&partner(), &sub_payer());
    assert!(
        body(&by_merchant).ends_with(r#","payer":{"sub_openid":"o4GgauE1lgaPsLabrYvqhVg7O8yA"}}"#),
        "{}",
        body(&by_merchant)
    );
    // Without an app of its own nothing is said of one, and there is no `mchid` in either.
    let without_app = sent(&partner_without_app(), &order());
    assert!(
        body(&without_app).starts_with(
            r#"{"sp_appid":"wx8888888888888888","sp_mchid":"1900000100","sub_mchid":"1900000109","description":"#
        ),
        "{}",
        body(&without_app)
    );
    for request in [&by_provider, &by_merchant, &without_app] {
        is_signed_over_what_is_sent(request);
        let header = request.headers()["authorization"].to_str().unwrap();
        assert_eq!(
            parameter(header, "mchid"),
            PROVIDER,
            "the provider signs, whoever is paid"
        );
        assert!(!body(request).contains(r#""mchid""#) && !body(request).contains(r#""appid""#));
    }
}

/// An open id says nothing without the app under which it was obtained.
#[test]
fn refuses_a_payer_of_an_app_that_is_not_named() {
    let error = refused(&partner_without_app(), &sub_payer());
    assert_eq!(error.field(), Some("sub_appid"), "{error}");
    let error = refused(&account(), &sub_payer());
    assert_eq!(error.field(), Some("payer.sub_openid and mchid"), "{error}");
    for length in [0, 129] {
        let text = "o".repeat(length);
        let error = refused(&partner(), &order_of(Payer::SubOpenId(OpenId::new(text.clone()))));
        assert_eq!(error.field(), Some("payer.sub_openid"), "{error}");
        let error = refused(&partner(), &order_of(OpenId::new(text).into()));
        assert_eq!(error.field(), Some("payer.sp_openid"), "{error}");
    }
}

#[test]
fn signs_both_numbers_in_the_address_of_a_query() {
    let by_ours = sent(&partner(), &query());
    assert_eq!(
        target(&by_ours),
        "/v3/pay/partner/transactions/out-trade-no/A1?sp_mchid=1900000100&sub_mchid=1900000109"
    );
    let id = RemoteId::new("4200000745").unwrap();
    let by_theirs = sent(&partner(), &QueryOrder::by_transaction_id(id));
    assert_eq!(
        target(&by_theirs),
        "/v3/pay/partner/transactions/id/4200000745?sp_mchid=1900000100&sub_mchid=1900000109"
    );
    for request in [&by_ours, &by_theirs] {
        assert!(request.body().is_empty());
        is_signed_over_what_is_sent(request);
    }
    let draft = query().encode(&partner(), &ambient()).unwrap();
    let draft = partner().draft(draft, &ambient()).unwrap();
    let signed = format!("GET\n{}\n", target(&by_ours));
    assert!(draft.text().starts_with(signed.as_bytes()));
}

#[test]
fn closes_with_both_numbers() {
    let request = sent(&partner(), &CloseOrder::new(number()));
    assert_eq!(target(&request), "/v3/pay/partner/transactions/out-trade-no/A1/close");
    assert_eq!(body(&request), r#"{"sp_mchid":"1900000100","sub_mchid":"1900000109"}"#);
    assert!(
        CloseOrder::new(number())
            .reply(&partner(), &reply(204, ""), now())
            .is_ok()
    );
}

/// A provider takes no payment for itself, so each of these must say for whom.
#[test]
fn refuses_calls_about_one_merchant_without_saying_which() {
    let refusals = [
        refused(&provider(), &order()),
        refused(&provider(), &query()),
        refused(&provider(), &CloseOrder::new(number())),
        refused(&provider(), &refund()),
        refused(&provider(), &QueryRefund::new(RefundNo::new("R1").unwrap())),
    ];
    for error in refusals {
        assert!(matches!(error, BuildError::Setup { .. }), "{error:?}");
        assert!(error.to_string().contains("for_sub_merchant"), "{error}");
    }
}

#[test]
fn refuses_a_provider_as_its_own_merchant_and_a_merchant_as_a_provider() {
    let form = |result: Result<Account, SetupError>| match result.expect_err("accepted") {
        SetupError::Form { setting, .. } => setting,
        other => panic!("{other:?}"),
    };
    let itself = SubMerchant::new(PROVIDER).unwrap();
    assert_eq!(form(provider().for_sub_merchant(itself)), "sub-merchant number");
    assert_eq!(form(account().for_sub_merchant(sub_merchant())), "sub-merchant");
    for number in ["", "19000x", &"1".repeat(33)] {
        assert!(SubMerchant::new(number).is_err(), "{number}");
    }
    for app in ["", "wx-1", &"w".repeat(33)] {
        assert!(sub_merchant().with_app(app).is_err(), "{app}");
        let identity = partner().identity().clone();
        let key = crate::far_side::api_v3_key();
        assert_eq!(form(Account::partner(identity, app, key)), "provider app id", "{app}");
    }
}

/// One account per request is cheap: what one learns of the platform's keys, all know.
#[test]
fn accounts_made_for_merchants_share_the_platforms_keys() {
    let identity = partner().identity().clone();
    let provider = Account::partner(identity, PROVIDER_APP, crate::far_side::api_v3_key()).unwrap();
    let first = provider.for_sub_merchant(sub_merchant()).unwrap();
    let second = provider
        .for_sub_merchant(SubMerchant::new("1900000110").unwrap())
        .unwrap();
    let closed = |account: &Account| CloseOrder::new(number()).reply(account, &reply(204, ""), now());
    assert!(closed(&second).is_err(), "no key is known yet");
    assert!(first.refresh_due(now()) && second.refresh_due(now()));
    first
        .learn_keys(&crate::certificates::listed(&["go_cert_D7CE"]), now())
        .unwrap();
    for account in [&provider, &first, &second] {
        assert_eq!(account.platform_keys().serials(), [CERTIFICATE]);
        assert!(!account.refresh_due(now()));
        assert!(
            account.fetch_keys(Some("ABCD"), &ambient()).is_none(),
            "fetched a moment ago"
        );
    }
    assert!(closed(&second).is_ok());
    // Nothing of the one is in the other.
    assert_eq!(
        second.ids().sub_merchant().map(|sub| &*sub.merchant_id),
        Some("1900000110")
    );
    assert_eq!(
        first.ids().sub_merchant().map(|sub| &*sub.merchant_id),
        Some(SUB_MERCHANT)
    );
    assert_eq!(provider.ids().sub_merchant(), None);
    let replaced = first.for_sub_merchant(SubMerchant::new("1900000110").unwrap()).unwrap();
    assert_eq!(replaced.ids(), second.ids());
}

#[test]
fn keeps_who_signs_apart_from_who_is_paid() {
    let account = partner();
    let MerchantIds::Partner(ids) = account.ids() else {
        panic!("another kind")
    };
    assert_eq!((&*ids.merchant_id, &*ids.app_id), (PROVIDER, PROVIDER_APP));
    assert_eq!(account.identity().merchant_id(), PROVIDER);
    let sub = account.ids().sub_merchant().unwrap();
    assert_eq!(
        (&*sub.merchant_id, sub.app_id.as_deref()),
        (SUB_MERCHANT, Some(SUB_APP))
    );
}

#[test]
fn reads_a_paid_order_of_a_merchant() {
    let order = asked(&partner(), PAID).unwrap();
    assert_eq!(order.standing(), Standing::Succeeded);
    let order = order.transaction;
    assert_eq!(
        (&*order.merchant_id, order.app_id.as_deref()),
        (PROVIDER, Some(PROVIDER_APP))
    );
    let sub = order.sub_merchant.as_ref().unwrap();
    assert_eq!(
        (&*sub.merchant_id, sub.app_id.as_deref()),
        (SUB_MERCHANT, Some(SUB_APP))
    );
    assert_eq!(order.payer.as_ref().unwrap().as_str(), OPENID);
    assert_eq!(order.sub_payer.as_ref().unwrap().as_str(), SUB_OPENID);
    assert!(order.extra.is_empty(), "{:?}", order.extra);
    let shown = format!("{order:?}");
    assert!(!shown.contains(OPENID) && !shown.contains(SUB_OPENID), "{shown}");
}

/// `sub_appid` is there if it was given, and one of the two open ids is enough.
#[test]
fn reads_orders_that_name_no_app_of_the_merchant() {
    for (from, to) in [
        (r#""sub_appid":"wxd678efh567hg6999","#, ""),
        (r#""sub_appid":"wxd678efh567hg6999""#, r#""sub_appid":"""#),
        (r#""sub_appid":"wxd678efh567hg6999""#, r#""sub_appid":null"#),
    ] {
        let text = changed(PAID, from, to);
        let text = changed(&text, r#","sub_openid":"o4GgauE1lgaPsLabrYvqhVg7O8yA""#, "");
        for account in [partner(), partner_without_app()] {
            let order = asked(&account, &text).unwrap().transaction;
            assert_eq!(order.sub_merchant.unwrap().app_id, None, "{to}");
            assert_eq!(order.sub_payer, None);
        }
    }
    // The documents promise no app of the provider either, of a payment by code.
    let text = changed(PAID, r#""sp_appid":"wx8888888888888888","#, "");
    assert_eq!(asked(&partner(), &text).unwrap().transaction.app_id, None);
    // An order placed under a further app of a merchant whose own the account does not name.
    let order = asked(&partner_without_app(), PAID).unwrap();
    assert_eq!(order.transaction.sub_merchant.unwrap().app_id.as_deref(), Some(SUB_APP));
}

#[test]
fn refuses_answers_about_another_merchant() {
    let merchants_own = crate::replies::PAID;
    for (text, field) in [
        (changed(PAID, PROVIDER, "1900000101"), "sp_mchid"),
        (changed(PAID, PROVIDER_APP, "wx1"), "sp_appid"),
        (changed(PAID, SUB_MERCHANT, "1900000110"), "sub_mchid"),
        (changed(PAID, SUB_APP, "wx2"), "sub_appid"),
        (changed(PAID, r#""A1""#, r#""A2""#), "out_trade_no"),
        (changed(PAID, r#""sub_mchid":"1900000109","#, ""), "sub_mchid"),
        (merchants_own.to_owned(), "sp_mchid"),
    ] {
        assert_eq!(wrong_field(&asked(&partner(), &text).unwrap_err()), field);
    }
    assert_eq!(wrong_field(&asked(&account(), PAID).unwrap_err()), "mchid");
    let further = partner().with_further_app("wx1").unwrap();
    let text = changed(PAID, PROVIDER_APP, "wx1");
    assert!(asked(&further, &text).is_ok());
}

/// The provider's account opens notices about each of its merchants; an account for one of them takes no other's.
#[test]
fn opens_notices_about_any_merchant_or_about_one() {
    let other = changed(PAID, SUB_MERCHANT, "1900000110");
    for (account, text) in [(provider(), PAID), (provider(), &*other), (partner(), PAID)] {
        let event = payment(&account, text).unwrap();
        assert_eq!(
            account.key(&event),
            EventKey::new("wechat-v3", PROVIDER, "A1", Transition::OrderPaid),
            "an order number is unique over all merchants of a provider"
        );
        let facts = account.facts(&event);
        let paid = if text == PAID { SUB_MERCHANT } else { "1900000110" };
        assert_eq!(facts.merchant.as_deref(), Some(paid), "whose money it is");
        assert_eq!(facts.app.as_deref(), Some(PROVIDER_APP));
    }
    let refused = payment(&partner(), &other).unwrap_err();
    assert_eq!((&*reason(&refused), &*wrong_field(&refused)), ("foreign", "sub_mchid"));
    let refused = payment(&provider(), &changed(PAID, PROVIDER, "1900000101")).unwrap_err();
    assert_eq!((&*reason(&refused), &*wrong_field(&refused)), ("foreign", "sp_mchid"));
    assert!(
        payment(
            &fresh_account()
                .with_certificate(crate::far_side::pem("go_cert_D7CE"))
                .unwrap(),
            PAID
        )
        .is_err()
    );
}

#[test]
fn opens_refund_notices_about_any_merchant_or_about_one() {
    let refund = |account: &Account, plaintext: &str| opened(account, "REFUND.SUCCESS", "refund", plaintext);
    let other = changed(REFUNDED, SUB_MERCHANT, "1900000110");
    for (account, text, paid) in [
        (provider(), REFUNDED, SUB_MERCHANT),
        (provider(), &*other, "1900000110"),
        (partner(), REFUNDED, SUB_MERCHANT),
    ] {
        let event = refund(&account, text).unwrap();
        assert_eq!(account.facts(&event).merchant.as_deref(), Some(paid));
        assert_eq!(account.key(&event).transition, Transition::RefundSucceeded);
        let Event::Refund(refund) = event else {
            panic!("{event:?}")
        };
        assert_eq!((&*refund.merchant_id, refund.received_by.is_some()), (PROVIDER, true));
    }
    assert_eq!(wrong_field(&refund(&partner(), &other).unwrap_err()), "sub_mchid");
    let missing = changed(REFUNDED, r#""sub_mchid":"1900000109","#, "");
    assert_eq!(wrong_field(&refund(&provider(), &missing).unwrap_err()), "sub_mchid");
}
