//! Combined orders: what is sent, what an answer and a notice say of the whole, and what is refused.

use serde_json::{Value, json};
use yuanfen_core::{
    Address, Advice, BuildError, ErrorKind, Fen, Notice, NotificationSource as _, OpenError, Opens as _, Operation,
    OperationExt as _, OrderNo, PayAmount, Standing, Transition, UnixTime, Verified,
};
use yuanfen_wechat_v3::ops::{
    CloseCombinedOrder, PlaceCombinedAppOrder, PlaceCombinedH5Order, PlaceCombinedJsapiOrder, PlaceCombinedNativeOrder,
    QueryCombinedOrder,
};
use yuanfen_wechat_v3::{
    Account, CombinedOrderNo, CombinedScene, CombinedTerms, CombinedTransaction, Event, H5Info, H5Type, OpenId,
    Participant, Payer, Reply, SubMerchant, SubOrder, TradeState,
};

use crate::far_side::{
    APP, MERCHANT, NOW, PROVIDER, PROVIDER_APP, SUB_APP, SUB_MERCHANT, account, ambient, envelope, notice, now,
    partner, provider, reply, sub_merchant, wrong_field,
};

const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";
const SUB_OPENID: &str = "o4GgauE1lgaPsLabrYvqhVg7O8yA";
pub(crate) const WHOLE: &str = "P20150806125346";

/// The plaintext of a notice and the answer of a query, in the members of the sheet's section 20.2.
pub(crate) const PAID: &str = r#"{"combine_appid":"wxd678efh567hg6787","combine_mchid":"1900007291","combine_out_trade_no":"P20150806125346","scene_info":{"device_id":"POS1:1"},"combine_payer_info":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"new":1,"sub_orders":[{"mchid":"1900007291","trade_type":"JSAPI","trade_state":"SUCCESS","bank_type":"CMC_DEBIT","attach":"深圳分店","amount":{"total_amount":10,"currency":"CNY","payer_amount":9,"payer_currency":"CNY","settlement_rate":100000000},"success_time":"2015-05-20T13:29:35.120+08:00","transaction_id":"1009660380201506130728806387","out_trade_no":"20150806125346","promotion_detail":[{"coupon_id":"109519","amount":1}],"newer":2},{"mchid":"1230000109","trade_type":"JSAPI","trade_state":"SUCCESS","bank_type":"CMC_DEBIT","attach":"深圳分店","amount":{"total_amount":5,"currency":"CNY","payer_amount":5,"payer_currency":"CNY"},"success_time":"2015-05-20T13:29:35.120+08:00","transaction_id":"1009660380201506130728806388","out_trade_no":"20150806125347"}]}"#;

fn part(participant: Participant, number: &str, fen: i64) -> SubOrder {
    let amount = PayAmount::from_fen(fen).unwrap();
    SubOrder::new(
        participant,
        OrderNo::new(number).unwrap(),
        amount,
        "腾讯充值中心",
        "深圳分店",
    )
}

fn number(text: &str) -> CombinedOrderNo {
    CombinedOrderNo::new(text).unwrap()
}

fn terms_of(parts: Vec<SubOrder>) -> CombinedTerms {
    let notify_url = Address::parse("notify_url", "https://yourapp.com/notify").unwrap();
    CombinedTerms::new(number(WHOLE), parts, notify_url)
}

/// Two orders: of the merchant itself, and of another.
fn terms() -> CombinedTerms {
    let other = Participant::Merchant("1230000109".into());
    terms_of(vec![
        part(Participant::Own, "20150806125346", 10),
        part(other, "20150806125347", 5),
    ])
}

/// The bodies of the calls about combined orders, with nothing that can be left out.
pub(crate) fn bodies(account: &Account) -> Vec<Value> {
    let of = if account.ids().sub_merchant().is_some() {
        subs()
    } else {
        Participant::Own
    };
    let terms = many(&of, 2);
    let h5 = PlaceCombinedH5Order::new(terms.clone(), scene(), H5Info::new(H5Type::Wap));
    vec![
        sent(
            account,
            &PlaceCombinedJsapiOrder::new(terms.clone(), OpenId::new(OPENID)),
        )
        .1,
        sent(account, &PlaceCombinedAppOrder::new(terms.clone())).1,
        sent(account, &native(terms.clone())).1,
        sent(account, &h5).1,
        sent(account, &CloseCombinedOrder::from(&terms)).1,
    ]
}

/// So many orders of that participant.
fn many(participant: &Participant, count: usize) -> CombinedTerms {
    let parts = (0..count).map(|index| part(participant.clone(), &format!("PART{index}"), 1));
    terms_of(parts.collect())
}

fn with_app() -> SubMerchant {
    sub_merchant().with_app(SUB_APP).unwrap()
}

fn subs() -> Participant {
    Participant::SubMerchant(with_app())
}

fn scene() -> CombinedScene {
    let mut scene = CombinedScene::new("14.17.22.32".parse().unwrap());
    scene.device_id = Some("POS1:1".to_owned());
    scene
}

fn native(terms: CombinedTerms) -> PlaceCombinedNativeOrder {
    PlaceCombinedNativeOrder::new(terms)
}

fn sent<O: Operation<Provider = Account>>(account: &Account, operation: &O) -> (String, Value) {
    let request = operation.request(account, &ambient()).unwrap();
    let body = serde_json::from_slice(request.body()).unwrap_or(Value::Null);
    (request.uri().path_and_query().unwrap().to_string(), body)
}

fn refused<O: Operation<Provider = Account>>(account: &Account, operation: &O) -> BuildError {
    operation.encode(account, &ambient()).map(drop).expect_err("accepted")
}

fn asked(account: &Account, body: &str) -> Result<CombinedTransaction, OpenError> {
    let reply = Verified::<Reply>::open(account, &reply(200, body), now())?;
    let query = QueryCombinedOrder::new(number(WHOLE));
    query.decode(account, reply).map(|queried| queried.transaction)
}

fn told(account: &Account, plaintext: &str) -> Result<Event, OpenError> {
    let body = envelope("TRANSACTION.SUCCESS", "transaction", plaintext);
    match account.open_notification(&notice(&body), now())? {
        Notice::Settles(event) => Ok(event.into_inner()),
        other => panic!("{other:?}"),
    }
}

fn changed(from: &str, to: &str) -> String {
    let changed = PAID.replacen(from, to, 1);
    assert_ne!(changed, PAID, "{from}");
    changed
}

/// `total_amount` where an ordinary order has `total`; the payer beside the orders, not in them.
#[test]
fn writes_a_merchant_s_combined_order_in_its_own_members() {
    let mut jsapi = PlaceCombinedJsapiOrder::new(terms(), OpenId::new(OPENID));
    jsapi.scene = Some(scene());
    jsapi.terms.expires_at = Some(UnixTime::from_seconds(NOW + 60));
    let first = &mut jsapi.terms.sub_orders[0];
    first.detail = Some("买单费用\n第二行".to_owned());
    first.goods_tag = Some("WXG".to_owned());
    first.profit_sharing = Some(false);
    first.subsidy = Some(Fen::ZERO);
    let (path, body) = sent(&account(), &jsapi);
    assert_eq!(path, "/v3/combine-transactions/jsapi");
    assert_eq!(
        body,
        json!({
            "combine_appid": APP,
            "combine_mchid": MERCHANT,
            "combine_out_trade_no": WHOLE,
            "scene_info": {"payer_client_ip": "14.17.22.32", "device_id": "POS1:1"},
            "sub_orders": [
                {
                    "mchid": MERCHANT,
                    "out_trade_no": "20150806125346",
                    "amount": {"total_amount": 10, "currency": "CNY"},
                    "attach": "深圳分店",
                    "description": "腾讯充值中心",
                    "detail": "买单费用\n第二行",
                    "goods_tag": "WXG",
                    "settle_info": {"profit_sharing": false, "subsidy_amount": 0},
                },
                {
                    "mchid": "1230000109",
                    "out_trade_no": "20150806125347",
                    "amount": {"total_amount": 5, "currency": "CNY"},
                    "attach": "深圳分店",
                    "description": "腾讯充值中心",
                },
            ],
            "combine_payer_info": {"openid": OPENID},
            "time_expire": "2023-11-15T06:14:20+08:00",
            "notify_url": "https://yourapp.com/notify",
        })
    );
    assert_eq!(terms().total().unwrap(), PayAmount::from_fen(15).unwrap());
}

#[test]
fn each_way_of_paying_has_its_path_and_its_answer() {
    let account = account();
    let app = PlaceCombinedAppOrder::new(terms());
    let native = native(terms());
    let h5 = PlaceCombinedH5Order::new(terms(), scene(), H5Info::new(H5Type::Wap));
    assert_eq!(sent(&account, &app).0, "/v3/combine-transactions/app");
    assert_eq!(sent(&account, &native).0, "/v3/combine-transactions/native");
    let (path, body) = sent(&account, &h5);
    assert_eq!(path, "/v3/combine-transactions/h5");
    assert_eq!(
        body["scene_info"],
        json!({"payer_client_ip": "14.17.22.32", "device_id": "POS1:1", "h5_info": {"type": "Wap"}})
    );
    for (_, body) in [sent(&account, &app), sent(&account, &native)] {
        assert_eq!((body.get("scene_info"), body.get("combine_payer_info")), (None, None));
    }
    let prepay = reply(200, r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#);
    let jsapi = PlaceCombinedJsapiOrder::new(terms(), OpenId::new(OPENID));
    let placed = jsapi.reply(&account, &prepay, now()).unwrap();
    // The cashier is opened as for any order.
    assert!(account.request_payment_params(&placed.prepay_id, &ambient()).is_ok());
    assert!(app.reply(&account, &prepay, now()).is_ok());
    let code = reply(
        200,
        r#"{"code_url":"weixin://pay.weixin.qq.com/bizpayurl/up?pr=NwY5Mz9"}"#,
    );
    let placed = native.reply(&account, &code, now()).unwrap();
    assert_eq!(
        placed.code_url.as_str(),
        "weixin://pay.weixin.qq.com/bizpayurl/up?pr=NwY5Mz9"
    );
    let url = reply(200, r#"{"h5_url":"https://wx.tenpay.com/checkmweb?prepay_id=wx1"}"#);
    assert!(h5.reply(&account, &url, now()).is_ok());
    // Each reads its own.
    assert!(native.reply(&account, &prepay, now()).is_err());
}

/// Each part is the provider's by `mchid` and its merchant's by `sub_mchid`.
#[test]
fn writes_a_provider_s_combined_order_with_the_merchant_of_each_part() {
    let bare = Participant::SubMerchant(SubMerchant::new("1900000110").unwrap());
    let parts = vec![part(subs(), "A1", 1), part(bare, "A2", 2)];
    let with = |payer: Payer| PlaceCombinedJsapiOrder::new(terms_of(parts.clone()), payer);
    let (path, body) = sent(&provider(), &with(Payer::SubOpenId(OpenId::new(SUB_OPENID))));
    assert_eq!(path, "/v3/combine-transactions/jsapi");
    assert_eq!(body["combine_appid"], PROVIDER_APP);
    assert_eq!(body["combine_mchid"], PROVIDER);
    assert_eq!(body["combine_payer_info"], json!({"sub_openid": SUB_OPENID}));
    let ids = |index: usize| {
        let part = &body["sub_orders"][index];
        (
            part["mchid"].clone(),
            part["sub_mchid"].clone(),
            part.get("sub_appid").cloned(),
        )
    };
    assert_eq!(ids(0), (json!(PROVIDER), json!(SUB_MERCHANT), Some(json!(SUB_APP))));
    assert_eq!(ids(1), (json!(PROVIDER), json!("1900000110"), None));
    let (_, body) = sent(&partner(), &with(OpenId::new(OPENID).into()));
    assert_eq!(body["combine_payer_info"], json!({"openid": OPENID}));
}

#[test]
fn a_part_is_of_somebody_for_whom_the_account_can_act() {
    let of = |participant: Participant| {
        native(terms_of(vec![
            part(participant.clone(), "A1", 1),
            part(participant, "A2", 1),
        ]))
    };
    let own_number = SubMerchant::new(PROVIDER).unwrap();
    for (account, participant, field) in [
        (account(), subs(), "sub_orders[].sub_mchid"),
        (provider(), Participant::Own, "sub_orders[].sub_mchid"),
        (partner(), Participant::Own, "sub_orders[].sub_mchid"),
        (
            provider(),
            Participant::Merchant("1230000109".into()),
            "sub_orders[].sub_mchid",
        ),
        (
            provider(),
            Participant::SubMerchant(own_number),
            "sub_orders[].sub_mchid",
        ),
        (account(), Participant::Merchant("12x".into()), "sub_orders[].mchid"),
        (account(), Participant::Merchant("".into()), "sub_orders[].mchid"),
        (
            account(),
            Participant::Merchant("1".repeat(33).into()),
            "sub_orders[].mchid",
        ),
    ] {
        assert_eq!(refused(&account, &of(participant)).field(), Some(field));
    }
    let payer = Payer::SubOpenId(OpenId::new(SUB_OPENID));
    let order = PlaceCombinedJsapiOrder::new(terms(), payer);
    assert_eq!(
        refused(&account(), &order).field(),
        Some("combine_payer_info.sub_openid")
    );
}

#[test]
fn combines_two_to_ten_orders_and_a_provider_s_fifty() {
    let own = Participant::Own;
    for (account, participant, most) in [(account(), own, 10), (provider(), subs(), 50)] {
        for count in [2, most] {
            let operation = native(many(&participant, count));
            assert!(operation.encode(&account, &ambient()).is_ok(), "{count}");
        }
        for count in [0, 1, most + 1] {
            let error = refused(&account, &native(many(&participant, count)));
            assert_eq!(error.field(), Some("sub_orders"), "{count}");
        }
    }
}

#[test]
fn no_number_stands_twice_under_one_merchant() {
    let other = || Participant::Merchant("1230000109".into());
    let twice = terms_of(vec![part(other(), "A1", 1), part(other(), "A1", 1)]);
    assert_eq!(
        refused(&account(), &native(twice)).field(),
        Some("sub_orders[].out_trade_no")
    );
    // The same merchant, once as itself.
    let own = terms_of(vec![
        part(Participant::Own, "A1", 1),
        part(Participant::Merchant(MERCHANT.into()), "A1", 1),
    ]);
    assert_eq!(
        refused(&account(), &native(own)).field(),
        Some("sub_orders[].out_trade_no")
    );
    // Each merchant's numbers are its own, a provider's are of all of its merchants.
    let apart = terms_of(vec![part(Participant::Own, "A1", 1), part(other(), "A1", 1)]);
    assert!(native(apart).encode(&account(), &ambient()).is_ok());
    let second = Participant::SubMerchant(SubMerchant::new("1900000110").unwrap());
    let shared = terms_of(vec![part(subs(), "A1", 1), part(second, "A1", 1)]);
    assert_eq!(
        refused(&provider(), &native(shared)).field(),
        Some("sub_orders[].out_trade_no")
    );
}

#[test]
fn a_sum_beyond_what_can_be_paid_is_refused() {
    let most = PayAmount::MAX;
    let mut large = terms();
    large.sub_orders[0].amount = PayAmount::new(most).unwrap();
    assert_eq!(
        refused(&account(), &native(large.clone())).field(),
        Some("sub_orders[].amount.total_amount")
    );
    large.sub_orders[0].amount = PayAmount::from_fen(most.get() - 5).unwrap();
    assert_eq!(large.total().unwrap().fen(), most);
    assert!(native(large).encode(&account(), &ambient()).is_ok());
}

#[test]
fn holds_every_text_of_a_combined_order_to_its_length() {
    type Set = fn(&mut CombinedTerms, String);
    let table: &[(&str, usize, Set)] = &[
        ("combine_out_trade_no", 32, |terms, text| terms.order_no = number(&text)),
        ("sub_orders[].out_trade_no", 32, |terms, text| {
            terms.sub_orders[0].order_no = OrderNo::new(text).unwrap();
        }),
        ("sub_orders[].description", 127, |terms, text| {
            terms.sub_orders[0].description = text;
        }),
        ("sub_orders[].attach", 128, |terms, text| {
            terms.sub_orders[1].attach = text;
        }),
        ("sub_orders[].detail", 6000, |terms, text| {
            terms.sub_orders[0].detail = Some(text);
        }),
        ("sub_orders[].goods_tag", 32, |terms, text| {
            terms.sub_orders[0].goods_tag = Some(text);
        }),
    ];
    for (field, most, set) in table {
        let with = |text: String| {
            let mut terms = terms();
            set(&mut terms, text);
            native(terms)
        };
        assert!(
            with("a".repeat(*most)).encode(&account(), &ambient()).is_ok(),
            "{field}"
        );
        assert_eq!(refused(&account(), &with("a".repeat(most + 1))).field(), Some(*field));
        if field.ends_with("_no") {
            assert!(with("A|_-*@9".to_owned()).encode(&account(), &ambient()).is_ok());
            assert_eq!(refused(&account(), &with("a/b".to_owned())).field(), Some(*field));
        } else {
            for text in ["", "\u{1f600}", "\u{7}"] {
                assert_eq!(
                    refused(&account(), &with(text.to_owned())).field(),
                    Some(*field),
                    "{text:?}"
                );
            }
        }
    }
    let placed = |scene: CombinedScene| PlaceCombinedH5Order::new(terms(), scene, H5Info::new(H5Type::Wap));
    let mut long = scene();
    long.device_id = Some("d".repeat(17));
    assert_eq!(refused(&account(), &placed(long)).field(), Some("scene_info.device_id"));
    let here = CombinedScene::new("127.0.0.1".parse().unwrap());
    assert_eq!(
        refused(&account(), &placed(here)).field(),
        Some("scene_info.payer_client_ip")
    );
    let payer = PlaceCombinedJsapiOrder::new(terms(), OpenId::new("o".repeat(129)));
    assert_eq!(refused(&account(), &payer).field(), Some("combine_payer_info.openid"));
    let mut owed = terms();
    owed.sub_orders[0].subsidy = Some(Fen::new(-1));
    assert_eq!(
        refused(&account(), &native(owed)).field(),
        Some("sub_orders[].settle_info.subsidy_amount")
    );
    let mut late = terms();
    late.expires_at = Some(UnixTime::from_seconds(NOW + 59));
    assert_eq!(refused(&account(), &native(late)).field(), Some("time_expire"));
    let mut query = terms();
    query.notify_url = Address::parse("notify_url", "https://yourapp.com/notify?a=1").unwrap();
    assert_eq!(refused(&account(), &native(query)).field(), Some("notify_url"));
}

/// Who asks is in the signature; the ordinary query names the merchant in its query string.
#[test]
fn asks_for_the_whole_without_a_query_string() {
    let query = QueryCombinedOrder::new(number("P|1*@"));
    let (target, body) = sent(&account(), &query);
    assert_eq!(target, "/v3/combine-transactions/out-trade-no/P%7C1%2A%40");
    assert_eq!(body, Value::Null);
    assert_eq!(sent(&provider(), &query).0, target);
    let bad = QueryCombinedOrder::new(number("a/b"));
    assert_eq!(refused(&account(), &bad).field(), Some("combine_out_trade_no"));
}

#[test]
fn reads_the_whole_and_each_of_its_parts() {
    let order = asked(&account(), PAID).unwrap();
    assert_eq!(
        (&*order.app_id, &*order.merchant_id, order.order_no.as_str()),
        (APP, MERCHANT, WHOLE)
    );
    assert_eq!(order.payer, Some(OpenId::new(OPENID)));
    assert_eq!(order.device_id.as_deref(), Some("POS1:1"));
    assert_eq!(
        (order.standing(), order.total()),
        (Standing::Succeeded, Some(Fen::new(15)))
    );
    assert_eq!(order.extra.get("new"), Some("1"));
    assert_eq!(order.raw().as_ref(), PAID.as_bytes());
    let [first, second] = &*order.sub_orders else {
        panic!("{order:?}")
    };
    assert_eq!(
        (first.order_no.as_str(), &*first.merchant_id),
        ("20150806125346", MERCHANT)
    );
    assert_eq!(
        first.transaction_id.as_ref().unwrap().as_str(),
        "1009660380201506130728806387"
    );
    assert_eq!(
        (first.total, first.payer_total),
        (Some(Fen::new(10)), Some(Fen::new(9)))
    );
    assert_eq!(first.settlement_rate, Some(100_000_000));
    assert_eq!(first.success_time, Some(UnixTime::from_seconds(1_432_099_775)));
    assert_eq!(first.promotions[0].coupon_id.as_deref(), Some("109519"));
    assert_eq!(first.extra.get("newer"), Some("2"));
    assert_eq!(
        (&*second.merchant_id, second.sub_merchant.as_ref()),
        ("1230000109", None)
    );
    // Unpaid, it says little.
    let unpaid = r#"{"combine_appid":"wxd678efh567hg6787","combine_mchid":"1900007291","combine_out_trade_no":"P20150806125346","sub_orders":[{"mchid":"1900007291","out_trade_no":"A1","trade_state":"NOTPAY"}]}"#;
    let order = asked(&account(), unpaid).unwrap();
    assert_eq!((order.standing(), order.total()), (Standing::Accepted, None));
}

#[test]
fn reads_a_provider_s_whole_with_the_merchant_of_each_part() {
    let body = PAID
        .replace("1900007291", PROVIDER)
        .replace("\"mchid\":\"1230000109\"", "\"mchid\":\"1900000100\",\"sub_mchid\":\"1900000110\",\"sub_appid\":\"\"")
        .replacen("\"mchid\":\"1900000100\"", r#""mchid":"1900000100","sub_mchid":"1900000109","sub_appid":"wxd678efh567hg6999","sub_openid":"o4GgauE1lgaPsLabrYvqhVg7O8yA""#, 1)
        .replace(APP, PROVIDER_APP);
    for account in [provider(), partner()] {
        let order = asked(&account, &body).unwrap();
        assert_eq!(order.sub_orders[0].sub_merchant, Some(with_app()));
        assert_eq!(order.sub_orders[0].sub_payer, Some(OpenId::new(SUB_OPENID)));
        assert_eq!(
            order.sub_orders[1].sub_merchant,
            Some(SubMerchant::new("1900000110").unwrap())
        );
    }
    let error = asked(&provider(), &body.replace("\"sub_mchid\":\"1900000110\",", "")).unwrap_err();
    assert_eq!(wrong_field(&error), "sub_orders[1].sub_mchid");
    let error = asked(
        &provider(),
        &body.replace(
            "\"mchid\":\"1900000100\",\"sub_mchid\":\"1900000110\"",
            "\"mchid\":\"1\",\"sub_mchid\":\"1900000110\"",
        ),
    )
    .unwrap_err();
    assert_eq!(wrong_field(&error), "sub_orders[].mchid");
}

/// What is about another order, another merchant, or does not add up.
#[test]
fn refuses_a_whole_that_is_not_ours_or_cannot_be_held_against_the_order() {
    for (from, to, field) in [
        (MERCHANT, "1900007292", "combine_mchid"),
        (APP, "wx0", "combine_appid"),
        (WHOLE, "P2", "combine_out_trade_no"),
        ("\"sub_orders\":[", "\"sub_orders\":[],\"other\":[", "sub_orders"),
        ("\"total_amount\":5", "\"other\":5", "sub_orders[1].amount.total_amount"),
        (
            "\"total_amount\":5",
            "\"total_amount\":9223372036854775807",
            "sub_orders[].amount.total_amount",
        ),
        (
            "\"total_amount\":5",
            "\"total_amount\":5.0",
            "sub_orders[1].amount.total_amount",
        ),
        (
            "\"transaction_id\":\"1009660380201506130728806388\",",
            "",
            "sub_orders[1].transaction_id",
        ),
        ("\"trade_state\":\"SUCCESS\",", "", "sub_orders[0].trade_state"),
        ("\"mchid\":\"1230000109\",", "", "sub_orders[1].mchid"),
    ] {
        let body = changed(from, to);
        assert_eq!(wrong_field(&asked(&account(), &body).unwrap_err()), field);
        if field != "combine_out_trade_no" {
            assert_eq!(wrong_field(&told(&account(), &body).unwrap_err()), field);
        }
    }
    let twice = changed("20150806125347", "20150806125346").replace("1230000109", MERCHANT);
    assert_eq!(
        wrong_field(&asked(&account(), &twice).unwrap_err()),
        "sub_orders[1].out_trade_no"
    );
}

/// All succeed or all fail; while the parts disagree it is being decided.
#[test]
fn the_whole_stands_where_all_of_its_parts_stand() {
    use Standing::{Accepted, Failed, Pending, Succeeded};
    for (first, second, standing) in [
        ("SUCCESS", "SUCCESS", Succeeded),
        ("SUCCESS", "REFUND", Succeeded),
        ("NOTPAY", "NOTPAY", Accepted),
        ("CLOSED", "CLOSED", Failed),
        ("CLOSED", "REVOKED", Failed),
        ("USERPAYING", "USERPAYING", Pending),
        ("BRAND_NEW", "BRAND_NEW", Pending),
        ("SUCCESS", "NOTPAY", Pending),
        ("CLOSED", "SUCCESS", Pending),
        ("NOTPAY", "CLOSED", Pending),
    ] {
        let (front, back) = PAID.split_at(PAID.find("1230000109").unwrap());
        let body = [
            front.replace("\"SUCCESS\"", &format!("\"{first}\"")),
            back.replace("\"SUCCESS\"", &format!("\"{second}\"")),
        ];
        let order = asked(&account(), &body.concat()).unwrap();
        assert_eq!(order.standing(), standing, "{first} {second}");
        assert_eq!(order.sub_orders[0].trade_state, TradeState::from(first));
    }
}

#[test]
fn one_notice_tells_of_the_whole() {
    let account = account();
    let event = told(&account, PAID).unwrap();
    let key = account.key(&event);
    assert_eq!((&*key.subject, key.transition), (WHOLE, Transition::OrderPaid));
    let facts = account.facts(&event);
    assert_eq!(
        (facts.amount, facts.currency.as_deref()),
        (Some(Fen::new(15)), Some("CNY"))
    );
    assert_eq!((facts.order_no.as_deref(), facts.remote_id), (Some(WHOLE), None));
    assert_eq!(
        (facts.merchant.as_deref(), facts.app.as_deref()),
        (Some(MERCHANT), Some(APP))
    );
    assert_eq!(facts.end_state, "SUCCESS");
    let Event::CombinedPayment(order) = event else {
        panic!("{event:?}")
    };
    assert_eq!(order, asked(&account, PAID).unwrap());
    // Delivered again it is the same event; with another amount it contradicts the first.
    let again = told(&account, PAID).unwrap();
    assert_eq!(
        (account.key(&again), account.facts(&again).amount),
        (key.clone(), Some(Fen::new(15)))
    );
    let other = told(&account, &changed("\"total_amount\":5", "\"total_amount\":6")).unwrap();
    assert_eq!(account.key(&other), key);
    assert_eq!(account.facts(&other).amount, Some(Fen::new(16)));
    let partly = told(&account, &changed("\"SUCCESS\"", "\"NOTPAY\"")).unwrap();
    assert_eq!(account.key(&partly).transition, Transition::Other);
    assert_eq!(account.facts(&partly).end_state, "NOTPAY,SUCCESS");
    let mixed = told(&account, &changed("\"currency\":\"CNY\"", "\"currency\":\"HKD\"")).unwrap();
    assert_eq!(account.facts(&mixed).currency, None);
}

#[test]
fn closes_the_whole_and_names_every_part() {
    let close = CloseCombinedOrder::from(&terms());
    let (target, body) = sent(&account(), &close);
    assert_eq!(target, "/v3/combine-transactions/out-trade-no/P20150806125346/close");
    let parts = json!([
        {"mchid": MERCHANT, "out_trade_no": "20150806125346"},
        {"mchid": "1230000109", "out_trade_no": "20150806125347"},
    ]);
    assert_eq!(body, json!({"combine_appid": APP, "sub_orders": parts}));
    // What a query said of it names the same.
    let queried = CloseCombinedOrder::from(&asked(&account(), PAID).unwrap());
    assert_eq!(sent(&account(), &queried).1["sub_orders"], parts);
    let (_, body) = sent(&provider(), &CloseCombinedOrder::from(&many(&subs(), 2)));
    assert_eq!(
        body["sub_orders"][1],
        json!({"mchid": PROVIDER, "sub_mchid": SUB_MERCHANT, "out_trade_no": "PART1"})
    );
    // A 204 without a body; nothing of it is read as JSON.
    close.reply(&account(), &reply(204, ""), now()).unwrap();
    let error = close.reply(&account(), &reply(200, "{}"), now()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.status == Some(200)));
    let paid = reply(400, r#"{"code":"ORDER_PAID","message":"x"}"#);
    assert_eq!(
        close.reply(&account(), &paid, now()).unwrap_err().advice(),
        Advice::Query
    );
    let mut fewer = close;
    fewer.sub_orders.pop();
    assert_eq!(refused(&account(), &fewer).field(), Some("sub_orders"));
}

#[test]
fn payers_of_combined_orders_are_not_shown() {
    let jsapi = PlaceCombinedJsapiOrder::new(terms(), OpenId::new(OPENID));
    let order = asked(&account(), PAID).unwrap();
    for shown in [
        format!("{jsapi:?}"),
        format!("{order:?}"),
        format!("{:?}", told(&account(), PAID).unwrap()),
    ] {
        assert!(!shown.contains(OPENID), "{shown}");
        assert!(shown.contains(WHOLE));
    }
}
