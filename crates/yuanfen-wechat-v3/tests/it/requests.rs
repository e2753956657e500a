//! What is sent.

use bytes::Bytes;
use http::{Method, Request};
use proptest::prelude::*;
use yuanfen_core::{
    Address, Advice, CalendarDate, Effect, Error, Fate, Fen, Operation, OperationExt as _, OrderNo, PayAmount,
    Provider, RawOperation, RefundLedger, RefundNo, RemoteId, Route, UnixTime, Verified, Verify as _,
};
use yuanfen_sign::{RsaSigningKey, RsaVerifyingKey};
use yuanfen_testkit::oracle;
use yuanfen_wechat_v3::ops::{
    AccountType, BillType, CloseOrder, DownloadCertificates, PlaceJsapiOrder, QueryOrder, QueryRefund, Refund,
    RefundSource, RefundedGoods, RequestFundFlowBill, RequestTradeBill, routes,
};
use yuanfen_wechat_v3::{
    Account, FundsAccount, LimitPay, Message, OpenId, OrderDetail, OrderTerms, OrderedGoods, Reply, Scene, Store, sign,
};

use crate::far_side::{NOW, PUBLIC_KEY_ID, account, ambient, now, pem, public_key_account, reply};

pub(crate) fn order() -> PlaceJsapiOrder {
    PlaceJsapiOrder::new(terms(), OpenId::new("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"))
}

pub(crate) fn terms() -> OrderTerms {
    OrderTerms::new(
        OrderNo::new("1217752501201407033233368018").unwrap(),
        PayAmount::from_fen(100).unwrap(),
        "Image形象店",
        Address::parse("notify_url", "https://www.weixin.qq.com/wxpay/pay.php").unwrap(),
    )
}

pub(crate) fn refund() -> Refund {
    Refund::new(
        OrderNo::new("1217752501201407033233368018").unwrap(),
        RefundNo::new("R1").unwrap(),
        PayAmount::from_fen(60).unwrap(),
        PayAmount::from_fen(100).unwrap(),
    )
}

fn sent(operation: &impl Operation<Provider = Account>) -> Request<Bytes> {
    operation.request(&account(), &ambient()).unwrap()
}

pub(crate) fn target(request: &Request<Bytes>) -> &str {
    request.uri().path_and_query().unwrap().as_str()
}

pub(crate) fn parameter<'a>(header: &'a str, name: &str) -> &'a str {
    let (_, rest) = header.split_once(&format!("{name}=\"")).unwrap();
    rest.split_once('"').unwrap().0
}

/// Takes the header apart by name, builds the text from what is sent, and checks it under the merchant's public key.
pub(crate) fn is_signed_over_what_is_sent(request: &Request<Bytes>) {
    let header = request.headers()["authorization"].to_str().unwrap();
    let text = sign::request_text(
        request.method().as_str(),
        target(request),
        parameter(header, "timestamp"),
        parameter(header, "nonce_str"),
        request.body(),
    );
    let key: RsaVerifyingKey = RsaSigningKey::parse(pem("doc_merchant_private"))
        .unwrap()
        .verifying_key()
        .unwrap();
    key.verify(&text, parameter(header, "signature")).unwrap();
}

#[test]
fn every_call_is_signed_over_what_is_sent() {
    let date = CalendarDate::parse("2023-11-13").unwrap();
    let requests = [
        sent(&order()),
        sent(&QueryOrder::by_order_no(OrderNo::new("AB|12_-*").unwrap())),
        sent(&CloseOrder::new(OrderNo::new("AB|12_-*@").unwrap())),
        sent(&refund()),
        sent(&QueryRefund::new(RefundNo::new("R|*@").unwrap())),
        sent(&RequestTradeBill::new(date)),
        sent(&RequestFundFlowBill::new(date)),
        sent(&DownloadCertificates::new()),
    ];
    for request in &requests {
        is_signed_over_what_is_sent(request);
        let headers = request.headers();
        assert_eq!(headers["accept"], "application/json");
        assert_eq!(headers["user-agent"], concat!("yuanfen/", env!("CARGO_PKG_VERSION")));
        assert_eq!(headers.contains_key("content-type"), !request.body().is_empty());
        assert!(headers["authorization"].is_sensitive());
        assert!(!headers.contains_key("wechatpay-serial"));
        assert_eq!(request.uri().host(), Some("api.mch.weixin.qq.com"));
    }
}

/// Without it the platform answers under a certificate, and every answer fails.
#[test]
fn names_the_public_key_on_every_request_in_public_key_mode() {
    let request = QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
        .request(&public_key_account(), &ambient())
        .unwrap();
    assert_eq!(request.headers()["wechatpay-serial"], PUBLIC_KEY_ID);
}

#[test]
fn writes_the_parameters_of_the_header_in_the_published_order() {
    let request = sent(&DownloadCertificates::new());
    let header = request.headers()["authorization"].to_str().unwrap();
    let names: Vec<_> = header
        .strip_prefix("WECHATPAY2-SHA256-RSA2048 ")
        .unwrap()
        .split(',')
        .map(|parameter| parameter.split_once('=').unwrap().0)
        .collect();
    assert_eq!(names, ["mchid", "nonce_str", "timestamp", "serial_no", "signature"]);
    assert_eq!(parameter(header, "timestamp"), NOW.to_string());
    let nonce = parameter(header, "nonce_str");
    assert!(nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

/// Every attempt has a nonce of its own, and the same body.
#[test]
fn a_repeat_is_signed_anew_over_the_same_body() {
    let (account, ambient) = (account(), ambient());
    let order = order();
    let first = order.request(&account, &ambient).unwrap();
    ambient.advance(90);
    let second = order.request(&account, &ambient).unwrap();
    assert_eq!(first.body(), second.body());
    let nonce = |request: &Request<Bytes>| {
        let header = request.headers()["authorization"].to_str().unwrap();
        (
            parameter(header, "nonce_str").to_owned(),
            parameter(header, "timestamp").to_owned(),
        )
    };
    assert_ne!(nonce(&first).0, nonce(&second).0);
    assert_eq!(nonce(&second).1, (NOW + 90).to_string());
}

#[test]
fn percent_encodes_numbers_in_paths_and_keeps_their_case() {
    let close = sent(&CloseOrder::new(OrderNo::new("aB|12_-*@C").unwrap()));
    assert_eq!(
        target(&close),
        "/v3/pay/transactions/out-trade-no/aB%7C12_-%2A%40C/close"
    );
    let query = sent(&QueryRefund::new(RefundNo::new("R|*@").unwrap()));
    assert_eq!(target(&query), "/v3/refund/domestic/refunds/R%7C%2A%40");
}

/// Query, wait five minutes, never a paid order: a payment may complete while it is being closed.
#[test]
fn closes_what_a_query_found_unpaid_and_not_within_five_minutes() {
    let found = |state: &str, more: &str| {
        let body = format!(
            r#"{{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A12345","trade_state":"{state}"{more}}}"#
        );
        let query = QueryOrder::by_order_no(OrderNo::new("A12345").unwrap());
        let queried = query.reply(&account(), &reply(200, &body), now()).unwrap();
        CloseOrder::after_query(&queried)
    };
    let mut close = found("NOTPAY", "").unwrap();
    assert_eq!(close, CloseOrder::new(OrderNo::new("A12345").unwrap()));
    assert!(
        close.encode(&account(), &ambient()).is_ok(),
        "where it is not known, the platform decides"
    );
    let mut at = |seconds| {
        close.placed_at = Some(UnixTime::from_seconds(NOW - seconds));
        close.encode(&account(), &ambient()).map(drop)
    };
    at(300).unwrap();
    for early in [299, 0, -1] {
        assert_eq!(at(early).unwrap_err().field(), Some("out_trade_no"), "{early}");
    }
    let paid = r#","transaction_id":"4","amount":{"total":1}"#;
    for (state, more, field, says) in [
        ("SUCCESS", paid, "trade_state", "paid"),
        ("REFUND", paid, "trade_state", "paid"),
        ("CLOSED", "", "trade_state", "closed already"),
        ("REVOKED", "", "trade_state", "closed already"),
        ("USERPAYING", "", "trade_state", "reversed"),
        ("PAYERROR", "", "trade_state", "reversed"),
        ("ACCEPT", "", "trade_state", "query it again"),
        ("BRAND_NEW", "", "trade_state", "query it again"),
        ("NOTPAY", r#","trade_type":"MICROPAY""#, "trade_type", "reversed"),
    ] {
        let refused = found(state, more).unwrap_err();
        assert_eq!(refused.field(), Some(field), "{state}");
        assert!(refused.to_string().contains(says), "{refused}");
    }
}

#[test]
fn signs_the_merchant_number_of_a_query() {
    let by_ours = sent(&QueryOrder::by_order_no(OrderNo::new("A1").unwrap()));
    assert_eq!(
        target(&by_ours),
        "/v3/pay/transactions/out-trade-no/A1?mchid=1900007291"
    );
    let by_theirs = sent(&QueryOrder::by_transaction_id(RemoteId::new("4200000745").unwrap()));
    assert_eq!(
        target(&by_theirs),
        "/v3/pay/transactions/id/4200000745?mchid=1900007291"
    );
}

#[test]
fn writes_every_optional_member_of_an_order_and_none_that_is_not_set() {
    let mut order = order();
    order.terms.expires_at = Some(UnixTime::from_seconds(NOW + 60));
    order.terms.attach = Some("自定义数据".to_owned());
    order.terms.goods_tag = Some("WXG".to_owned());
    order.terms.limit_pay = vec![LimitPay::NoCredit, LimitPay::NoBalance];
    order.terms.offers_invoice = Some(true);
    order.terms.profit_sharing = Some(false);
    let mut goods = OrderedGoods::new("1246464644", 1, Fen::new(100));
    goods.platform_goods_id = Some("1001".to_owned());
    goods.name = Some("iPhoneX 256G".to_owned());
    let mut detail = OrderDetail::new();
    detail.cost_price = Some(Fen::new(608_800));
    detail.invoice_id = Some("微信123".to_owned());
    detail.goods = vec![goods];
    order.terms.detail = Some(detail);
    let mut store = Store::new("0001");
    store.name = Some("腾讯大厦分店".to_owned());
    store.area_code = Some("440305".to_owned());
    store.address = Some("广东省深圳市".to_owned());
    let mut scene = Scene::new("14.23.150.211".parse().unwrap());
    scene.device_id = Some("013467007045764".to_owned());
    scene.store = Some(store);
    order.scene = Some(scene);
    let expected = concat!(
        r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店","#,
        r#""out_trade_no":"1217752501201407033233368018","time_expire":"2023-11-15T06:14:20+08:00","#,
        r#""attach":"自定义数据","notify_url":"https://www.weixin.qq.com/wxpay/pay.php","goods_tag":"WXG","#,
        r#""limit_pay":["no_credit","no_balance"],"support_fapiao":true,"amount":{"total":100,"currency":"CNY"},"#,
        r#""payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"detail":{"cost_price":608800,"invoice_id":"微信123","#,
        r#""goods_detail":[{"merchant_goods_id":"1246464644","wechatpay_goods_id":"1001","goods_name":"iPhoneX 256G","#,
        r#""quantity":1,"unit_price":100}]},"scene_info":{"payer_client_ip":"14.23.150.211","device_id":"013467007045764","#,
        r#""store_info":{"id":"0001","name":"腾讯大厦分店","area_code":"440305","address":"广东省深圳市"}},"#,
        r#""settle_info":{"profit_sharing":false}}"#,
    );
    assert_eq!(String::from_utf8(sent(&order).body().to_vec()).unwrap(), expected);
    let mut bare = self::order();
    bare.terms.detail = Some(OrderDetail::new());
    let bare = sent(&bare);
    let bare = std::str::from_utf8(bare.body()).unwrap();
    for empty in ["null", r#""""#, "{}", "[]"] {
        assert!(!bare.contains(empty), "{bare}");
    }
}

#[test]
fn writes_a_refund_with_everything_and_with_nothing() {
    let bare = sent(&refund());
    assert_eq!(
        std::str::from_utf8(bare.body()).unwrap(),
        r#"{"out_trade_no":"1217752501201407033233368018","out_refund_no":"R1","amount":{"refund":60,"total":100,"currency":"CNY"}}"#
    );
    let fen = |fen| PayAmount::from_fen(fen).unwrap();
    let mut full = refund();
    full.order = RemoteId::new("1217752501201407033233368018").unwrap().into();
    full.reason = Some("商品已售完".to_owned());
    full.notify_url = Some(Address::parse("notify_url", "https://weixin.qq.com/").unwrap());
    full.funds_account = Some(FundsAccount::Available);
    full.from = vec![
        RefundSource::new(FundsAccount::Available, fen(20)),
        RefundSource::new(FundsAccount::Unavailable, fen(40)),
    ];
    let mut goods = RefundedGoods::new("1217752501201407033233368018", Fen::new(60), Fen::new(60), 1);
    goods.platform_goods_id = Some("1001".to_owned());
    goods.name = Some("iPhone6s 16G".to_owned());
    full.goods = vec![goods];
    let expected = concat!(
        r#"{"transaction_id":"1217752501201407033233368018","out_refund_no":"R1","reason":"商品已售完","#,
        r#""notify_url":"https://weixin.qq.com/","funds_account":"AVAILABLE","amount":{"refund":60,"#,
        r#""from":[{"account":"AVAILABLE","amount":20},{"account":"UNAVAILABLE","amount":40}],"total":100,"#,
        r#""currency":"CNY"},"goods_detail":[{"merchant_goods_id":"1217752501201407033233368018","#,
        r#""wechatpay_goods_id":"1001","goods_name":"iPhone6s 16G","unit_price":60,"refund_amount":60,"#,
        r#""refund_quantity":1}]}"#,
    );
    assert_eq!(String::from_utf8(sent(&full).body().to_vec()).unwrap(), expected);
}

#[test]
fn asks_for_bills_in_the_published_order_of_members() {
    let date = CalendarDate::parse("2020-11-09").unwrap();
    let mut trade = RequestTradeBill::new(date);
    assert_eq!(target(&sent(&trade)), "/v3/bill/tradebill?bill_date=2020-11-09");
    trade.bill_type = Some(BillType::Refund);
    trade.gzip = true;
    assert_eq!(
        target(&sent(&trade)),
        "/v3/bill/tradebill?bill_date=2020-11-09&bill_type=REFUND&tar_type=GZIP"
    );
    trade.bill_type = Some(BillType::from("NEW&KIND"));
    assert!(target(&sent(&trade)).contains("bill_type=NEW%26KIND&"));
    let mut flow = RequestFundFlowBill::new(date);
    flow.account_type = Some(AccountType::Fees);
    assert_eq!(
        target(&sent(&flow)),
        "/v3/bill/fundflowbill?bill_date=2020-11-09&account_type=FEES"
    );
}

/// The platform's clock is Beijing's: at 16:00 UTC a day is over there.
#[test]
fn asks_for_bills_of_days_that_are_over_in_beijing_only() {
    let midnight = CalendarDate::parse("2023-11-15").unwrap().beijing_midnight();
    let bill = RequestTradeBill::new(CalendarDate::parse("2023-11-14").unwrap());
    let ambient = yuanfen_core::FixedAmbient::at(midnight.seconds());
    assert!(bill.request(&account(), &ambient).is_ok());
    ambient.advance(-1);
    let refused = bill.request(&account(), &ambient).unwrap_err();
    assert!(format!("{:?}", refused.kind()).contains("bill_date"), "{refused:?}");
    assert_eq!((refused.fate(), refused.advice()), (Fate::NotSent, Advice::Stop));
}

#[test]
fn makes_calls_that_have_no_type_here() {
    let route = Route::new(
        "wechat-v3",
        "query_complaints",
        Method::GET,
        "/v3/complaints",
        Effect::Read,
    );
    let message = Message::get("/v3/merchant-service/complaints-v2?limit=5");
    let raw = RawOperation::<Account>::new(route, message);
    let (request, info) = raw.request::<Verified<Reply>>(&account(), &ambient()).unwrap();
    is_signed_over_what_is_sent(&request);
    let opened: Result<Verified<Reply>, Error> =
        RawOperation::<Account>::open(&info, &account(), &reply(200, r#"{"data":[]}"#), now());
    let opened = opened.unwrap();
    let object = opened.get().object(&info.route).unwrap();
    assert_eq!(object.raw("data"), Some("[]"));
    let refused = Verified::<Reply>::into_inner(
        RawOperation::<Account>::open(&info, &account(), &reply(404, r#"{"code":"X"}"#), now()).unwrap(),
    );
    assert!(refused.object(&info.route).is_err());
}

#[test]
fn lists_every_call_with_what_proves_it() {
    let listed: Vec<_> = routes()
        .into_iter()
        .map(|info| {
            assert_eq!(info.route.provider, "wechat-v3");
            (info.route.operation, info.route.effect.as_str(), info.reply.as_str())
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("place_jsapi_order", "repeatable", "signed"),
            ("place_app_order", "repeatable", "signed"),
            ("place_native_order", "repeatable", "signed"),
            ("place_h5_order", "repeatable", "signed"),
            ("query_order", "read", "signed"),
            ("close_order", "repeatable", "signed"),
            ("pay_by_code", "query-first", "signed"),
            ("reverse_order", "query-first", "signed"),
            ("refund", "query-first", "signed"),
            ("query_refund", "read", "signed"),
            ("apply_abnormal_refund", "query-first", "signed"),
            ("request_trade_bill", "read", "signed"),
            ("request_fund_flow_bill", "read", "signed"),
            ("download_bill", "read", "file"),
            ("request_sub_merchant_fund_flow_bill", "read", "signed"),
            ("request_ecommerce_fund_flow_bill", "read", "signed"),
            ("download_encrypted_bill", "read", "file"),
            ("download_certificates", "read", "signed"),
            ("place_combined_jsapi_order", "repeatable", "signed"),
            ("place_combined_app_order", "repeatable", "signed"),
            ("place_combined_native_order", "repeatable", "signed"),
            ("place_combined_h5_order", "repeatable", "signed"),
            ("query_combined_order", "read", "signed"),
            ("close_combined_order", "repeatable", "signed"),
            ("upload_image", "repeatable", "signed"),
            ("upload_video", "repeatable", "signed"),
            ("upload_marketing_image", "repeatable", "signed"),
            ("upload_complaint_image", "repeatable", "signed"),
        ]
    );
}

#[test]
fn refuses_an_address_that_is_none() {
    let account = account();
    let refused = account.draft(Message::get("/v3/has blank"), &ambient()).unwrap_err();
    assert!(matches!(refused, yuanfen_core::BuildError::Encode(_)), "{refused:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Sealed here and opened on the other side: the far side builds its text from what it received, with other people's
    /// libraries, and reads the members back that went in.
    #[test]
    fn what_is_sealed_opens_on_the_other_side(
        description in "[ -~\u{4e00}-\u{4eff}]{1,127}",
        attach in proptest::option::of("[ -~\u{e9}\u{20ac}\u{ffe5}]{1,128}"),
        number in "[0-9A-Za-z_|*-]{6,32}",
        fen in 1_i64..=10_000_000_000,
    ) {
        let mut order = order();
        order.terms.description.clone_from(&description);
        order.terms.attach.clone_from(&attach);
        order.terms.order_no = OrderNo::new(&number).unwrap();
        order.terms.amount = PayAmount::from_fen(fen).unwrap();
        let request = sent(&order);
        is_signed_over_what_is_sent(&request);
        let header = request.headers()["authorization"].to_str().unwrap();
        let (timestamp, nonce) = (parameter(header, "timestamp"), parameter(header, "nonce_str"));
        prop_assert_eq!(
            sign::request_text("POST", target(&request), timestamp, nonce, request.body()),
            oracle::v3_request_text("POST", target(&request), timestamp, nonce, request.body())
        );
        let body: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
        prop_assert_eq!(body["description"].as_str(), Some(&*description));
        prop_assert_eq!(body["attach"].as_str(), attach.as_deref());
        prop_assert_eq!(body["out_trade_no"].as_str(), Some(&*number));
        prop_assert_eq!(body["amount"]["total"].as_i64(), Some(fen));
    }

    /// A number in a path comes back as it went in, and nothing in it ends the segment early.
    #[test]
    fn a_number_in_a_path_comes_back_whole(number in "[0-9A-Za-z_|*@-]{1,32}") {
        let request = sent(&QueryOrder::by_order_no(OrderNo::new(&number).unwrap()));
        let path = request.uri().path();
        let segment = path.strip_prefix("/v3/pay/transactions/out-trade-no/").unwrap();
        prop_assert!(!segment.contains('/'));
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8().unwrap();
        prop_assert_eq!(decoded, number);
    }
}

/// v3 sheet, section 10.4 and section 24, item 19: a changed number after a timeout refunds twice. The ledger hands out the
/// old one, and the refund is made of the grant.
#[test]
fn a_granted_refund_keeps_its_number_after_a_timeout() {
    let mut ledger = RefundLedger::new(PayAmount::from_fen(100).unwrap());
    let amount = PayAmount::from_fen(60).unwrap();
    let first = ledger.grant(RefundNo::new("R1").unwrap(), amount, now()).unwrap();
    let again = ledger.grant(RefundNo::new("R2").unwrap(), amount, now()).unwrap();
    for grant in [first, again] {
        let order_no = OrderNo::new("1217752501201407033233368018").unwrap();
        assert_eq!(Refund::granted(order_no, &grant), refund());
    }
}
