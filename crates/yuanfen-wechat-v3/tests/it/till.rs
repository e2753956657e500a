//! The calls of a till: a code is charged, and a payment is reversed.

use bytes::Bytes;
use http::Request;
use yuanfen_core::{
    Advice, BuildError, Error, ErrorKind, Fate, Fen, OpenError, Opens as _, Operation, OperationExt as _, OrderNo,
    PayAmount, ProtocolErrorKind, RefusalKind, Standing, Verified,
};
use yuanfen_wechat_v3::ops::{ChargedCode, PayByCode, ReverseOrder, ReversedOrder};
use yuanfen_wechat_v3::{Account, AuthCode, OrderDetail, OrderedGoods, Reply, Till, TillStore, TradeState, TradeType};

use crate::far_side::{account, ambient, now, partner, partner_without_app, provider, reply, response, wrong_field};
use crate::partner;
use crate::requests::{is_signed_over_what_is_sent, target};

const AUTH_CODE: &str = "134567890123456789";
pub(crate) const PAID: &str = concat!(
    r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","out_trade_no":"1217752501201407033233368018","#,
    r#""transaction_id":"4200000985202103031441826014","trade_type":"MICROPAY","trade_state":"SUCCESS","#,
    r#""trade_state_desc":"支付成功","bank_type":"OTHERS","success_time":"2021-03-03T15:27:14+08:00","#,
    r#""payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"amount":{"total":100,"payer_total":100,"currency":"CNY","#,
    r#""payer_currency":"CNY"}}"#,
);
pub(crate) const REVERSED: &str =
    r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","out_trade_no":"1217752501201407033233368018"}"#;

pub(crate) fn order_no() -> OrderNo {
    OrderNo::new("1217752501201407033233368018").unwrap()
}

pub(crate) fn charge() -> PayByCode {
    PayByCode::new(
        order_no(),
        PayAmount::from_fen(100).unwrap(),
        "Image形象店",
        AUTH_CODE,
        Till::at("14.23.150.211".parse().unwrap()),
    )
}

fn reverse() -> ReverseOrder {
    ReverseOrder::new(order_no())
}

fn sent(account: &Account, operation: &impl Operation<Provider = Account>) -> Request<Bytes> {
    let request = operation.request(account, &ambient()).unwrap();
    is_signed_over_what_is_sent(&request);
    request
}

fn body(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn opened(status: u16, body: &str) -> Result<ChargedCode, OpenError> {
    let reply = Verified::<Reply>::open(&account(), &reply(status, body), now())?;
    charge().decode(&account(), reply)
}

fn reversed(account: &Account, body: &str) -> Result<ReversedOrder, OpenError> {
    let reply = Verified::<Reply>::open(account, &reply(200, body), now())?;
    reverse().decode(account, reply)
}

fn fails(status: u16, body: &str) -> Error {
    charge()
        .reply(&account(), &reply(status, body), now())
        .expect_err("accepted")
}

fn refused(change: impl FnOnce(&mut PayByCode)) -> BuildError {
    let mut charge = charge();
    change(&mut charge);
    charge.encode(&account(), &ambient()).map(drop).expect_err("accepted")
}

/// Every byte of the least charge, in both forms.
#[test]
fn charges_a_code_in_both_forms() {
    const REST: &str = concat!(
        r#""description":"Image形象店","out_trade_no":"1217752501201407033233368018","#,
        r#""payer":{"auth_code":"134567890123456789"},"amount":{"total":100,"currency":"CNY"},"#,
        r#""scene_info":{"device_ip":"14.23.150.211"}}"#,
    );
    for (account, ids, path) in [
        (
            account(),
            r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","#,
            "/v3/pay/transactions/codepay",
        ),
        (
            partner(),
            r#"{"sp_appid":"wx8888888888888888","sub_appid":"wxd678efh567hg6999","sp_mchid":"1900000100","sub_mchid":"1900000109","#,
            "/v3/pay/partner/transactions/codepay",
        ),
        (
            partner_without_app(),
            r#"{"sp_appid":"wx8888888888888888","sp_mchid":"1900000100","sub_mchid":"1900000109","#,
            "/v3/pay/partner/transactions/codepay",
        ),
    ] {
        let request = sent(&account, &charge());
        assert_eq!((request.method().as_str(), target(&request)), ("POST", path));
        assert_eq!(body(&request), format!("{ids}{REST}"));
    }
    let nobodys = charge().encode(&provider(), &ambient()).unwrap_err();
    assert!(matches!(nobodys, BuildError::Setup { .. }), "{nobodys:?}");
}

/// Names that an order's scene and goods do not have; and none of the members that this call does not.
#[test]
fn writes_every_member_of_a_charge_under_the_names_of_this_call() {
    let mut full = charge();
    full.attach = Some("自定义数据".to_owned());
    full.goods_tag = Some("WXG".to_owned());
    full.offers_invoice = Some(true);
    full.profit_sharing = Some(true);
    let mut store = TillStore::by_own_id("0001");
    store.platform_id = Some("125".to_owned());
    full.till.device_id = Some("013467007045764".to_owned());
    full.till.store = Some(store);
    let mut goods = OrderedGoods::new("1246464644", 1, Fen::new(100));
    goods.platform_goods_id = Some("1001".to_owned());
    goods.name = Some("iPhoneX 256G".to_owned());
    let mut detail = OrderDetail::new();
    detail.cost_price = Some(Fen::new(608_800));
    detail.invoice_id = Some("微信123".to_owned());
    detail.goods = vec![goods];
    full.detail = Some(detail);
    assert_eq!(
        body(&sent(&account(), &full)),
        concat!(
            r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","description":"Image形象店","#,
            r#""out_trade_no":"1217752501201407033233368018","attach":"自定义数据","goods_tag":"WXG","support_fapiao":true,"#,
            r#""payer":{"auth_code":"134567890123456789"},"amount":{"total":100,"currency":"CNY"},"#,
            r#""scene_info":{"device_id":"013467007045764","device_ip":"14.23.150.211","store_info":{"id":"125","out_id":"0001"}},"#,
            r#""detail":{"cost_price":608800,"invoice_id":"微信123","goods_detail":[{"merchant_goods_id":"1246464644","#,
            r#""wxpay_goods_id":"1001","goods_name":"iPhoneX 256G","quantity":1,"unit_price":100}]},"#,
            r#""settle_info":{"profit_sharing":true}}"#,
        )
    );
    let mut bare = charge();
    bare.detail = Some(OrderDetail::new());
    bare.till = Till::within(TillStore::by_platform_id("125"));
    assert!(body(&sent(&account(), &bare)).ends_with(r#""scene_info":{"store_info":{"id":"125"}}}"#));
}

#[test]
fn holds_every_text_of_a_charge_to_its_length() {
    type Set = fn(&mut PayByCode, String);
    let table: &[(&str, usize, Set)] = &[
        ("description", 127, |charge, text| charge.description = text),
        ("payer.auth_code", 32, |charge, text| {
            charge.auth_code = AuthCode::new(text);
        }),
        ("attach", 128, |charge, text| charge.attach = Some(text)),
        ("goods_tag", 32, |charge, text| charge.goods_tag = Some(text)),
        ("scene_info.device_id", 32, |charge, text| {
            charge.till.device_id = Some(text);
        }),
        ("scene_info.store_info.id", 32, |charge, text| {
            charge.till.store = Some(TillStore::by_platform_id(text));
        }),
        ("scene_info.store_info.out_id", 32, |charge, text| {
            charge.till.store = Some(TillStore::by_own_id(text));
        }),
        ("detail.goods_detail[].wxpay_goods_id", 32, |charge, text| {
            let mut goods = OrderedGoods::new("g", 1, Fen::new(1));
            goods.platform_goods_id = Some(text);
            let mut detail = OrderDetail::new();
            detail.goods.push(goods);
            charge.detail = Some(detail);
        }),
    ];
    for (field, max, set) in table {
        let mut longest = charge();
        set(&mut longest, "x".repeat(*max));
        assert!(longest.encode(&account(), &ambient()).is_ok(), "{field}");
        for bad in ["x".repeat(max + 1), String::new(), "a\u{1}".to_owned()] {
            assert_eq!(refused(|charge| set(charge, bad)).field(), Some(*field));
        }
    }
    for bad in ["13456789012345678\n", "1345 6789", "１３４"] {
        let error = refused(|charge| charge.auth_code = AuthCode::new(bad));
        assert_eq!(error.field(), Some("payer.auth_code"));
        assert!(!error.to_string().contains("1345"), "{error}");
    }
    for bad in ["12345", "abcdef@", &"a".repeat(33)] {
        let error = refused(|charge| charge.order_no = OrderNo::new(bad).unwrap());
        assert_eq!(error.field(), Some("out_trade_no"));
    }
    let mut detail = OrderDetail::new();
    detail.goods.push(OrderedGoods::new("g", 1, Fen::new(101)));
    assert_eq!(
        refused(|charge| charge.detail = Some(detail)).field(),
        Some("detail.goods_detail[] and amount.total")
    );
}

/// The platform wants to know where the code was scanned.
#[test]
fn refuses_a_till_that_says_nothing_of_itself() {
    assert_eq!(
        refused(|charge| charge.till.ip = None).field(),
        Some("scene_info.device_ip")
    );
    let error = refused(|charge| {
        let mut store = TillStore::by_own_id("1");
        store.own_id = None;
        charge.till.store = Some(store);
    });
    assert_eq!(error.field(), Some("scene_info.store_info.out_id"));
}

#[test]
fn never_shows_a_code() {
    for shown in [
        format!("{:?}", charge()),
        format!("{:?}", charge().encode(&account(), &ambient()).unwrap()),
        format!("{:?}", AuthCode::from(AUTH_CODE)),
    ] {
        assert!(!shown.contains(AUTH_CODE), "{shown}");
    }
    assert_eq!(charge().auth_code.expose(), AUTH_CODE);
}

#[test]
fn reads_a_code_that_was_paid_at_once() {
    let charged = opened(200, PAID).unwrap();
    assert_eq!(charged.standing(), Standing::Succeeded);
    let order = charged.transaction().unwrap();
    assert_eq!(
        (&order.trade_state, order.trade_type.as_ref()),
        (&TradeState::Success, Some(&TradeType::Micropay))
    );
    assert_eq!(order.total, Some(Fen::new(100)));
    assert_eq!(order.raw().as_ref(), PAID.as_bytes());
    // Of the app the documents promise nothing.
    for (from, to) in [(r#""appid":"wxd678efh567hg6787","#, ""), ("wxd678efh567hg6787", "")] {
        let body = PAID.replacen(from, to, 1);
        assert_ne!(body, PAID);
        assert_eq!(opened(200, &body).unwrap().standing(), Standing::Succeeded);
    }
    let in_partner_form = partner::PAID.replace(r#""A1""#, r#""1217752501201407033233368018""#);
    let charged = charge()
        .reply(&partner(), &reply(200, &in_partner_form), now())
        .unwrap();
    assert_eq!(charged.standing(), Standing::Succeeded);
    assert!(charged.transaction().unwrap().sub_merchant.is_some());
}

/// What is no "paid" with its amount and number for this order is no payment.
#[test]
fn believes_no_payment_that_is_not_this_one() {
    for (from, to, field) in [
        (r#""mchid":"1900007291""#, r#""mchid":"1900007292""#, "mchid"),
        (r#""appid":"wxd678efh567hg6787""#, r#""appid":"wxother""#, "appid"),
        (
            "1217752501201407033233368018",
            "1217752501201407033233368019",
            "out_trade_no",
        ),
        (r#""total":100,"#, r#""total":99,"#, "amount.total"),
        (r#""total":100,"#, "", "amount.total"),
        (
            r#""transaction_id":"4200000985202103031441826014","#,
            "",
            "transaction_id",
        ),
        (r#""trade_state":"SUCCESS","#, "", "trade_state"),
    ] {
        let body = PAID.replacen(from, to, 1);
        assert_ne!(body, PAID);
        assert_eq!(wrong_field(&opened(200, &body).unwrap_err()), field, "{to}");
        let error = fails(200, &body);
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
    for (state, standing) in [
        ("USERPAYING", Standing::Pending),
        ("PAYERROR", Standing::Pending),
        ("NOTPAY", Standing::Accepted),
        ("REVOKED", Standing::Failed),
        ("BRAND_NEW", Standing::Pending),
    ] {
        let body = PAID.replacen("SUCCESS", state, 1);
        assert_eq!(opened(200, &body).unwrap().standing(), standing, "{state}");
    }
}

/// The payer types the password. Reported as a crash against another client: the answer is a 202, and holds next to nothing.
#[test]
fn reads_a_202_however_little_it_holds() {
    for body in [
        r#"{"trade_state":"USERPAYING"}"#,
        r#"{"trade_state":"USERPAYING","trade_state_desc":"需要用户输入支付密码","out_trade_no":"1217752501201407033233368018"}"#,
        &PAID.replacen("SUCCESS", "USERPAYING", 1),
        // Whatever it says of itself, a 202 is not done.
        PAID,
        r#"{"code":"USERPAYING","message":"需要用户输入支付密码"}"#,
        r#"{"appid":"","trade_state":"ACCEPT","amount":{}}"#,
        "{}",
        "",
    ] {
        let charged = opened(202, body).unwrap_or_else(|error| panic!("{body}: {error:?}"));
        assert_eq!(charged.standing(), Standing::Pending, "{body}");
        assert_eq!(charged.transaction(), None);
        let ChargedCode::Pending(pending) = charged else {
            panic!("{body}")
        };
        assert_eq!(pending.raw().as_ref(), body.as_bytes());
        assert_eq!(
            pending.trade_state.is_some(),
            body.contains("trade_state\""),
            "{pending:?}"
        );
        assert!(!format!("{pending:?}").contains("oUpF8uMuAJO"), "{pending:?}");
    }
}

#[test]
fn refuses_a_202_about_something_else() {
    for (body, field) in [
        (r#"{"trade_state":"USERPAYING","out_trade_no":"A1"}"#, "out_trade_no"),
        (r#"{"trade_state":"USERPAYING","mchid":"1"}"#, "mchid"),
        (r#"{"trade_state":"USERPAYING","appid":"wx1"}"#, "appid"),
        (r#"{"trade_state":1}"#, "trade_state"),
    ] {
        assert_eq!(wrong_field(&opened(202, body).unwrap_err()), field);
    }
    for body in ["[]", "<html>", "x"] {
        assert!(matches!(opened(202, body), Err(OpenError::Protocol(_))), "{body}");
    }
    let refused = fails(202, r#"{"code":"NO_AUTH","message":"x"}"#);
    assert_eq!(refused.refusal().unwrap().meaning.kind, RefusalKind::Configuration);
    let in_partner_form = |body: &str| {
        let reply = Verified::<Reply>::open(&partner(), &reply(202, body), now()).unwrap();
        charge().decode(&partner(), reply)
    };
    for (body, field) in [
        (r#"{"sp_mchid":"1"}"#, "sp_mchid"),
        (r#"{"sp_appid":"wx1"}"#, "sp_appid"),
        (r#"{"sub_mchid":"1900000110"}"#, "sub_mchid"),
        (r#"{"sub_appid":"wx1"}"#, "sub_appid"),
    ] {
        assert_eq!(wrong_field(&in_partner_form(body).unwrap_err()), field);
    }
    assert!(in_partner_form(r#"{"sp_mchid":"1900000100","sub_mchid":"1900000109"}"#).is_ok());
}

/// A 202 is a success like another: without a signature that holds it says nothing.
#[test]
fn takes_no_202_without_its_signature() {
    let body = r#"{"trade_state":"USERPAYING"}"#;
    let mut changed = reply(202, body);
    *changed.body_mut() = Bytes::from_static(br#"{"trade_state":"USERPAYING" }"#);
    for answer in [response(202, &[], body.as_bytes()), changed] {
        let error = charge().reply(&account(), &answer, now()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Signature(_)), "{error:?}");
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
}

/// The calls that are never "accepted" stay strict about a 202, and read it where it says why.
#[test]
fn other_calls_take_no_202() {
    let order = crate::requests::order();
    let odd = order
        .reply(&account(), &reply(202, r#"{"prepay_id":"wx1"}"#), now())
        .unwrap_err();
    assert!(matches!(odd.kind(), ErrorKind::Protocol(found) if found.kind == ProtocolErrorKind::Status(202)));
    assert_eq!((odd.fate(), odd.advice()), (Fate::Unknown, Advice::Repeat));
    let said = order
        .reply(&account(), &reply(202, r#"{"code":"USERPAYING"}"#), now())
        .unwrap_err();
    assert_eq!(said.refusal().unwrap().meaning.kind, RefusalKind::Pending);
    assert_eq!((said.fate(), said.advice()), (Fate::Unknown, Advice::Repeat));
}

#[test]
fn is_told_what_refuses_a_code_and_what_leaves_it_open() {
    for (status, code, fate, advice) in [
        (400, "AUTH_CODE_INVALID", Fate::Refused, Advice::Stop),
        (400, "AUTHCODEEXPIRE", Fate::Refused, Advice::Stop),
        (400, "AUTH_CODE_EXPIRE", Fate::Refused, Advice::Stop),
        (403, "NOT_ENOUGH", Fate::Refused, Advice::Stop),
        (403, "OUT_TRADE_NO_USED", Fate::Already, Advice::Query),
        (400, "ORDER_PAID", Fate::Already, Advice::Query),
        (500, "SYSTEM_ERROR", Fate::Unknown, Advice::QueryFirst),
        (500, "BANK_ERROR", Fate::Unknown, Advice::QueryFirst),
        (429, "FREQUENCY_LIMITED", Fate::Unknown, Advice::QueryFirst),
        (403, "BRAND_NEW", Fate::Unknown, Advice::QueryFirst),
    ] {
        let error = fails(status, &format!(r#"{{"code":"{code}","message":"x"}}"#));
        assert_eq!((error.fate(), error.advice()), (fate, advice), "{code}");
        // What nobody signed proves none of it.
        let unsigned = response(status, &[], format!(r#"{{"code":"{code}"}}"#).as_bytes());
        let error = charge().reply(&account(), &unsigned, now()).unwrap_err();
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{code}"
        );
    }
}

/// The app is always named: without `sp_appid` users report a system error.
#[test]
fn reverses_with_apps_and_merchants_in_both_forms() {
    for (account, path, expected) in [
        (
            account(),
            "/v3/pay/transactions/out-trade-no/aB%7C12_-%2A%40C/reverse",
            r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291"}"#,
        ),
        (
            partner(),
            "/v3/pay/partner/transactions/out-trade-no/aB%7C12_-%2A%40C/reverse",
            r#"{"sp_appid":"wx8888888888888888","sub_appid":"wxd678efh567hg6999","sp_mchid":"1900000100","sub_mchid":"1900000109"}"#,
        ),
        (
            partner_without_app(),
            "/v3/pay/partner/transactions/out-trade-no/aB%7C12_-%2A%40C/reverse",
            r#"{"sp_appid":"wx8888888888888888","sp_mchid":"1900000100","sub_mchid":"1900000109"}"#,
        ),
    ] {
        let request = sent(&account, &ReverseOrder::new(OrderNo::new("aB|12_-*@C").unwrap()));
        assert_eq!((request.method().as_str(), target(&request)), ("POST", path));
        assert_eq!(body(&request), expected);
    }
    let refused = ReverseOrder::new(OrderNo::new("a.b").unwrap()).encode(&account(), &ambient());
    assert_eq!(refused.unwrap_err().field(), Some("out_trade_no"));
    let nobodys = reverse().encode(&provider(), &ambient()).unwrap_err();
    assert!(matches!(nobodys, BuildError::Setup { .. }), "{nobodys:?}");
}

/// A 200 with the ids again; the app may be missing as it may be from the request.
#[test]
fn reads_a_reversal_that_answers_with_its_number() {
    let done = reversed(&account(), REVERSED).unwrap();
    assert_eq!(done.order_no, order_no());
    assert_eq!(done.raw().as_ref(), REVERSED.as_bytes());
    assert!(done.extra.is_empty(), "{:?}", done.extra);
    let in_partner_form = concat!(
        r#"{"sp_mchid":"1900000100","sub_mchid":"1900000109","sub_appid":"wxd678efh567hg6999","#,
        r#""out_trade_no":"1217752501201407033233368018"}"#,
    );
    assert!(reversed(&partner(), in_partner_form).is_ok());
    assert!(reversed(&partner_without_app(), in_partner_form).is_ok());
    for (from, to, field) in [
        ("1217752501201407033233368018", "A1", "out_trade_no"),
        ("1900007291", "1900007292", "mchid"),
        ("wxd678efh567hg6787", "wx1", "appid"),
        (r#","out_trade_no":"1217752501201407033233368018""#, "", "out_trade_no"),
    ] {
        let body = REVERSED.replacen(from, to, 1);
        assert_ne!(body, REVERSED);
        assert_eq!(wrong_field(&reversed(&account(), &body).unwrap_err()), field);
    }
    // It is no 204, and a 202 is no end.
    for (status, body) in [(204, ""), (202, REVERSED)] {
        let error = reverse().reply(&account(), &reply(status, body), now()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Protocol(found) if found.kind == ProtocolErrorKind::Status(status)));
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
}
