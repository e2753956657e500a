//! Section 11 of the sheet: the sixteen places where the owner's document disagrees with itself or with the wire. One test
//! for each row, on the values that the document itself prints.

use yuanfen_core::{
    Address, BuildError, NotificationSource as _, Operation, OperationExt as _, OrderNo, PayAmount, PrepayId, RefundNo,
    RuleBroken, UnixTime,
};
use yuanfen_sign::SharedKey;
use yuanfen_testkit::{Value, oracle};
use yuanfen_wechat_v2::ops::{CloseOrder, OrderKey, PlaceOrder, QueryOrder, QueryRefund, Refund};
use yuanfen_wechat_v2::{Account, CouponType, PayerApp, RULES, SignType, TradeState};

use crate::far_side::{
    KEY, NOW, OPENID, ORDER_NO, PAID, PLACED, PREPAY_ID, Pairs, QUERIED, account, ambient, answer, changed,
    hmac_account, notify_url, now, order, posted, query, response, sent, signed, why, word, xml,
};
use crate::fields::refused;

/// The document's own example of an order, as far as it gives values.
const SAMPLE: &[(&str, &str)] = &[
    ("nonce_str", "vh8kxwau4cv4vwka5fxac6yo0geh77l9"),
    ("device_info", ""),
    ("sign_type", "MD5"),
    ("body", "麻婆豆腐双拼饭正餐"),
    ("attach", "2306edb2-d336-4087-ab9a-6d81350efe76"),
    ("out_trade_no", "1530759952567148993143"),
    ("fee_type", "CNY"),
    ("total_fee", "1200"),
    ("spbill_create_ip", "49.4.160.199"),
    ("time_start", ""),
    ("time_expire", ""),
    ("trade_type", "JSAPI"),
    ("product_id", "f51c558d-4d80-4661-9b7f-10b7273358d4"),
    ("openid", "oFTYt0l9wQDDhwmx1js_d1T6zZkw"),
];

fn sample(name: &str) -> &'static str {
    SAMPLE.iter().find(|(field, _)| *field == name).unwrap().1
}

fn sent_by<O: Operation<Provider = Account>>(operation: &O) -> std::collections::BTreeMap<String, String> {
    sent(&operation.request(&account(), &ambient()).unwrap())
}

fn page(params: impl serde::Serialize) -> Value {
    serde_json::to_value(params).unwrap()
}

#[test]
fn row_1_a_message_is_xml_although_the_order_is_shown_as_json() {
    let request = order().request(&account(), &ambient()).unwrap();
    assert_eq!(request.headers()["content-type"], "text/xml; charset=utf-8");
    assert!(request.body().starts_with(b"<xml><appid>"));
    let json = r#"{"return_code":"SUCCESS","appid":"wx1"}"#;
    let error = order().reply(&account(), &response(200, json), now()).unwrap_err();
    assert_eq!(why(&error), "format");
    assert_eq!(
        word(&account().open_notification(&posted(json), now()).unwrap_err()),
        "format"
    );
}

#[test]
fn row_2_empty_values_are_not_signed_and_not_sent() {
    let key = SharedKey::new(KEY).unwrap();
    let text = |pairs: &[(&str, &str)]| {
        let fields = yuanfen_core::Fields::try_from(pairs).unwrap();
        RULES.text(&fields, &key).as_bytes().to_vec()
    };
    let filled: Vec<_> = SAMPLE.iter().copied().filter(|(_, value)| !value.is_empty()).collect();
    assert_eq!(filled.len(), SAMPLE.len() - 3);
    assert_eq!(text(SAMPLE), text(&filled));
    assert!(!String::from_utf8(text(SAMPLE)).unwrap().contains("device_info"));
    // Ours are left out or have a value; the empty text is no way to leave a field out.
    assert!(sent_by(&order()).values().all(|value| !value.is_empty()));
    let mut empty = order();
    empty.device_info = Some(String::new());
    assert!(matches!(
        refused(&empty),
        BuildError::Rule(RuleBroken::TooShort {
            field: "device_info",
            ..
        })
    ));
    // What comes empty from the platform was not signed either, and is absent.
    let answered = answer(&changed(PLACED, &[("device_info", Some(""))]));
    assert_eq!(order().reply(&account(), &answered, now()).unwrap().device_info, None);
}

#[test]
fn row_3_the_samples_product_id_is_longer_than_its_table_allows() {
    let mut order = order();
    order.product_id = Some(sample("product_id").to_owned());
    assert!(matches!(
        refused(&order),
        BuildError::Rule(RuleBroken::TooLong {
            field: "product_id",
            length: 36,
            max: 32,
            ..
        })
    ));
    order.product_id = Some(sample("product_id").replace('-', ""));
    assert_eq!(
        sent_by(&order)["product_id"].len(),
        32,
        "the same id without hyphens fits"
    );
}

#[test]
fn row_4_an_order_can_be_paid_for_a_minute_or_longer_not_for_five() {
    let mut order = order();
    for (seconds, fits) in [(59, false), (60, true), (61, true), (299, true), (300, true)] {
        order.time_expire = Some(UnixTime::from_seconds(NOW + seconds));
        let built = order.request(&account(), &ambient());
        assert_eq!(built.is_ok(), fits, "{seconds}");
    }
}

#[test]
fn row_5_the_page_repeats_the_orders_way_of_signing_and_always_says_it() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    for (account, name, length) in [(account(), "MD5", 32), (hmac_account(), "HMAC-SHA256", 64)] {
        let fields = sent(&order().request(&account, &ambient()).unwrap());
        assert_eq!(fields["sign_type"], name);
        for params in [
            page(
                account
                    .bridge_params(&prepay_id, PayerApp::Account, &ambient())
                    .unwrap(),
            ),
            page(
                account
                    .choose_wx_pay_params(&prepay_id, PayerApp::Account, &ambient())
                    .unwrap(),
            ),
            page(
                account
                    .mini_program_params(&prepay_id, PayerApp::Account, &ambient())
                    .unwrap(),
            ),
        ] {
            // The call's own default, SHA1, is no value of the type.
            assert_eq!(params["signType"], name);
            assert_eq!(params["paySign"].as_str().unwrap().len(), length);
        }
    }
}

#[test]
fn row_6_both_spellings_of_the_time_stamp_stand_where_they_belong() {
    let prepay_id = PrepayId::issued(PREPAY_ID, now());
    let choose = page(
        account()
            .choose_wx_pay_params(&prepay_id, PayerApp::Account, &ambient())
            .unwrap(),
    );
    let bridge = page(
        account()
            .bridge_params(&prepay_id, PayerApp::Account, &ambient())
            .unwrap(),
    );
    assert_eq!(choose["timestamp"], NOW.to_string());
    assert!(choose.get("timeStamp").is_none() && bridge.get("timestamp").is_none());
    assert_eq!(bridge["timeStamp"], NOW.to_string());
    // One signature for both, over the spelling with the capital letter.
    assert_eq!(choose["paySign"], bridge["paySign"]);
    let signed: oracle::Map = ["appId", "timeStamp", "nonceStr", "package", "signType"]
        .map(|name| (name.to_owned(), bridge[name].as_str().unwrap().to_owned()))
        .into();
    assert_eq!(choose["paySign"], oracle::v2_md5(&signed, KEY));
}

#[test]
fn row_7_a_number_is_made_of_the_smaller_alphabet_and_asked_for_in_the_larger() {
    let no = || OrderNo::new("A_-|*@1").unwrap();
    let mut order = order();
    order.order_no = no();
    assert!(matches!(
        refused(&order),
        BuildError::Rule(RuleBroken::Character {
            field: "out_trade_no",
            position: 5,
            ..
        })
    ));
    order.order_no = OrderNo::new("A_-|*1").unwrap();
    assert_eq!(sent_by(&order)["out_trade_no"], "A_-|*1");
    let fen = || PayAmount::from_fen(1).unwrap();
    let refund = Refund::new(OrderKey::Merchant(no()), RefundNo::new("R@1").unwrap(), fen(), fen());
    let refunds = QueryRefund::by_order(OrderKey::Merchant(no()));
    for fields in [
        sent_by(&QueryOrder::by_order_no(no())),
        sent_by(&CloseOrder::new(no())),
        sent_by(&refund),
        sent_by(&refunds),
    ] {
        assert_eq!(fields["out_trade_no"], "A_-|*@1");
    }
}

#[test]
fn row_8_what_comes_may_be_longer_than_what_is_sent() {
    let mut order = order();
    for (length, fits) in [(127, true), (128, false)] {
        order.attach = Some("店".repeat(length));
        assert_eq!(
            order.request(&account(), &ambient()).is_ok(),
            fits,
            "attach of {length}"
        );
    }
    let longest = "店".repeat(128);
    let echoed = changed(
        QUERIED,
        &[("attach", Some(&longest)), ("fee_type", Some("CNY-AND-MORE-16C"))],
    );
    let queried = query().reply(&account(), &answer(&echoed), now()).unwrap();
    assert_eq!(queried.attach, Some(longest));
    assert_eq!(queried.currency.as_deref().map(str::len), Some(16));
    // A signature of 64 characters, and an address of more than 16.
    let fields = sent(&query().request(&hmac_account(), &ambient()).unwrap());
    assert_eq!(fields["sign"].len(), 64);
    let mut far = crate::far_side::order();
    far.payer_ip = "2001:db8:1111:2222:3333:4444:5555:6666".parse().unwrap();
    assert_eq!(sent_by(&far)["spbill_create_ip"].len(), 38);
}

#[test]
fn row_9_the_swapped_samples_of_nonce_and_signature_prove_nothing() {
    // What the query's table prints as `sign` is what every other table prints as `nonce_str`.
    for swapped in ["5K8264ILTKCH16CQ2502SI8ZNMTM67VS", "C380BEC2BFD727A4B6845133519F3AD6"] {
        let pairs = changed(QUERIED, &[("sign", Some(swapped))]);
        let error = query()
            .reply(&account(), &response(200, xml(&pairs)), now())
            .unwrap_err();
        assert_eq!(why(&error), "mismatch");
    }
    let fields = sent_by(&query());
    assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY), "each in its place");
    assert!(fields["nonce_str"].len() <= 32 && fields["nonce_str"] != fields["sign"]);
    // Which type is the default need not be known: it is named in every request.
    assert_eq!(fields["sign_type"], "MD5");
}

#[test]
fn row_10_the_state_comes_with_every_state_and_is_never_assumed() {
    let bare: Pairs = changed(QUERIED, &[])
        .into_iter()
        .filter(|(name, _)| {
            !matches!(
                &**name,
                "transaction_id" | "openid" | "trade_type" | "bank_type" | "total_fee" | "cash_fee" | "time_end"
            )
        })
        .collect();
    for state in ["NOTPAY", "CLOSED", "REVOKED", "USERPAYING", "PAYERROR", "ACCEPT"] {
        let mut pairs = bare.clone();
        pairs.iter_mut().find(|(name, _)| name == "trade_state").unwrap().1 = state.to_owned();
        let queried = query().reply(&account(), &answer(&pairs), now()).unwrap();
        assert_eq!(queried.trade_state.as_str(), state);
        assert!(!queried.trade_state.is_paid());
    }
    // Everything that comes of a paid order, but not the state: nobody says that it is paid.
    let error = query().reply(&account(), &answer(&changed(QUERIED, &[("trade_state", None)])), now());
    assert_eq!(why(&error.unwrap_err()), "field trade_state");
    assert_ne!(TradeState::from(""), TradeState::Success);
}

/// Compiles for a type that has no default, and for no other.
trait HasNoDefault<Marker> {
    fn holds() {}
}
impl<T> HasNoDefault<()> for T {}
struct HasOne;
impl<T: Default> HasNoDefault<HasOne> for T {}

#[test]
fn row_11_each_kind_of_order_has_what_it_needs_and_none_is_the_default() {
    <PlaceOrder as HasNoDefault<_>>::holds();
    <yuanfen_wechat_v2::TradeType as HasNoDefault<_>>::holds();
    let fields = sent_by(&order());
    assert_eq!((&*fields["trade_type"], &*fields["openid"]), ("JSAPI", OPENID));
    let mut nobody = order();
    nobody.payer = None;
    let native = PlaceOrder::native(
        order().order_no,
        order().amount,
        "b",
        order().payer_ip,
        notify_url(),
        "P1",
    );
    assert_eq!(sent_by(&native)["trade_type"], "NATIVE");
    let mut nothing = native;
    nothing.product_id = None;
    for (order, missing) in [(nobody, "openid"), (nothing, "product_id")] {
        assert!(matches!(refused(&order), BuildError::Missing { field, .. } if field == missing));
    }
}

#[test]
fn row_12_a_second_coupon_is_signed_and_read_like_the_first() {
    let coupons = [
        ("coupon_count", Some("2")),
        ("coupon_fee", Some("30")),
        ("coupon_type_0", Some("CASH")),
        ("coupon_id_0", Some("10000")),
        ("coupon_fee_0", Some("10")),
        ("coupon_type_1", Some("NO_CASH")),
        ("coupon_id_1", Some("10001")),
        ("coupon_fee_1", Some("20")),
    ];
    let whole = signed(&changed(QUERIED, &coupons), SignType::Md5);
    let queried = query().reply(&account(), &response(200, xml(&whole)), now()).unwrap();
    let kinds: Vec<_> = queried
        .coupons
        .iter()
        .map(|coupon| (coupon.index, coupon.kind.clone()))
        .collect();
    assert_eq!(kinds, [(0, Some(CouponType::Cash)), (1, Some(CouponType::NoCash))]);
    // A class that knows index 0 alone signs over less, and the other way round.
    let mut less = whole;
    less.retain(|(name, _)| name != "coupon_type_1");
    let error = query()
        .reply(&account(), &response(200, xml(&less)), now())
        .unwrap_err();
    assert_eq!(why(&error), "mismatch");
    // The name has no dollar sign; XML would not even carry one at the start of a name.
    assert!(queried.extra.iter().next().is_none());
}

#[test]
fn row_13_what_the_class_forgot_can_be_sent() {
    let mut order = order();
    order.detail = Some(r#"{"goods_detail":[]}"#.to_owned());
    order.goods_tag = Some("WXG".to_owned());
    order.limit_pay = Some("no_credit".to_owned());
    let fields = sent_by(&order);
    assert_eq!((&*fields["goods_tag"], &*fields["limit_pay"]), ("WXG", "no_credit"));
    assert_eq!(fields["detail"], r#"{"goods_detail":[]}"#);
    assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY), "and is signed");
}

#[test]
fn row_14_a_notify_address_is_https_and_has_no_parameters() {
    let read = |text: &str| Address::parse_plain("notify_url", text);
    // As the table has it.
    assert!(read("http://www.weixin.qq.com/wxpay/pay.php").is_err());
    // As the sample has it.
    let address = read("https://pay.weixin.qq.com/api/weixin/payResult").unwrap();
    let mut order = order();
    order.notify_url = address;
    assert_eq!(
        sent_by(&order)["notify_url"],
        "https://pay.weixin.qq.com/api/weixin/payResult"
    );
    order.notify_url = Address::parse("notify_url", "https://pay.weixin.qq.com/payResult?a=1").unwrap();
    assert_eq!(refused(&order).field(), Some("notify_url"));
}

#[test]
fn row_15_a_field_that_is_set_last_is_signed_all_the_same() {
    let mut query = query();
    query.version = Some("1.0".to_owned());
    let fields = sent_by(&query);
    assert_eq!((&*fields["version"], &*fields["out_trade_no"]), ("1.0", ORDER_NO));
    assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY));
    let mut order = order();
    let before = sent_by(&order);
    order.attach = Some("set last".to_owned());
    let after = sent_by(&order);
    assert_eq!(after["sign"], oracle::v2_md5(&after, KEY));
    assert_ne!(before["sign"], after["sign"]);
}

#[test]
fn row_16_a_message_need_not_have_words() {
    for words in [None, Some(""), Some("OK"), Some("签名失败")] {
        let change = [("return_msg", words)];
        assert!(
            query()
                .reply(&account(), &answer(&changed(QUERIED, &change)), now())
                .is_ok()
        );
        assert!(
            order()
                .reply(&account(), &answer(&changed(PLACED, &change)), now())
                .is_ok()
        );
        // A notice need not have them at all.
        let notice = changed(PAID, if words.is_some() { &change } else { &[] });
        let body = xml(&signed(&notice, SignType::Md5));
        assert!(account().open_notification(&posted(body), now()).is_ok());
    }
    let bare = b"<xml><return_code>FAIL</return_code></xml>".to_vec();
    let error = query().reply(&account(), &response(200, bare), now()).unwrap_err();
    assert_eq!(
        (&*why(&error), &*error.refusal().unwrap().message),
        ("refused FAIL", "")
    );
}
