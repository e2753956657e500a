//! WeChat Pay v2 for service providers: one key, one space of numbers, and a sub-merchant in every message.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yuanfen_sandbox::{Account, FarSide, PageRefused, Payer, Platform, Reaction, RefundState, SignatureVerdict};
use yuanfen_sign::legacy::aes_256_ecb_open;
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2, v2_provider, v2_provider_request, xml_fields};

const SUB: (&str, &str) = ("sub_mch_id", "1900000111");
const SUB_APP: (&str, &str) = ("sub_appid", "wx8d2e3f4a5b6c7d8e");
const OTHER: (&str, &str) = ("sub_mch_id", "1900000112");
const OPENID: (&str, &str) = ("openid", "oSandbox_Payer-0123456789abc");
const SUB_OPENID: (&str, &str) = ("sub_openid", "oSubSandbox_Payer-0123456789abc");

type Answer = BTreeMap<String, String>;

fn provider() -> Account {
    Account::provider(Platform::WechatV2)
}

fn order<'a>(order_no: &'a str, others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let fields = [
        ("out_trade_no", order_no),
        ("body", "noodles"),
        ("total_fee", "1000"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://shop.example/notify"),
        ("trade_type", "JSAPI"),
    ];
    [&fields, others].concat()
}

fn place(far_side: &FarSide, order_no: &str, others: &[(&str, &str)]) -> Answer {
    v2_provider(far_side, "/pay/unifiedorder", &order(order_no, others))
}

fn query(far_side: &FarSide, order_no: &str, others: &[(&str, &str)]) -> Answer {
    let asked = [&[("out_trade_no", order_no)], others].concat();
    v2_provider(far_side, "/pay/orderquery", &asked)
}

fn said(answer: &Answer) -> &str {
    assert_eq!(answer["return_code"], "SUCCESS");
    match &*answer["result_code"] {
        "SUCCESS" => "SUCCESS",
        _ => &answer["err_code"],
    }
}

fn holds(far_side: &FarSide, message: &Answer) -> bool {
    message["sign"] == oracle::v2_md5(message, far_side.wechat_v2_provider().api_key.expose())
}

fn ids(message: &Answer) -> [Option<&str>; 4] {
    ["appid", "mch_id", "sub_appid", "sub_mch_id"].map(|name| message.get(name).map(String::as_str))
}

#[test]
fn every_answer_and_notice_names_the_sub_merchant_and_is_signed_by_the_provider() {
    let far_side = far_side();
    let account = far_side.wechat_v2_provider();
    let expected = [
        Some(account.app_id.as_str()),
        Some(account.merchant_id.as_str()),
        Some(SUB_APP.1),
        Some(SUB.1),
    ];
    let told = |message: &Answer| {
        assert_eq!(ids(message), expected, "{message:?}");
        assert!(holds(&far_side, message), "{message:?}");
    };
    told(&place(&far_side, "P1", &[SUB, SUB_APP, OPENID]));
    let open = query(&far_side, "P1", &[SUB, SUB_APP]);
    assert_eq!((said(&open), &*open["trade_state"]), ("SUCCESS", "NOTPAY"));
    told(&open);
    far_side.pay(provider(), "P1").unwrap();
    let paid = query(&far_side, "P1", &[SUB, SUB_APP]);
    told(&paid);
    let notice = xml_fields(far_side.due_notices()[0].request.body());
    told(&notice);
    for message in [&paid, &notice] {
        assert_eq!((&*message["openid"], &*message["is_subscribe"]), (OPENID.1, "N"));
        assert_eq!(
            (&*message["sub_openid"], &*message["sub_is_subscribe"]),
            (SUB_OPENID.1, "N")
        );
    }
    // Who does not name the sub-merchant's app is not told the openid under it.
    let without = query(&far_side, "P1", &[SUB]);
    assert_eq!(ids(&without)[2], None);
    assert!(!without.contains_key("sub_openid"), "{without:?}");
    // A refusal says for whom it is, too.
    let refused = place(&far_side, "P1", &[SUB, SUB_APP, OPENID]);
    assert_eq!(said(&refused), "ORDERPAID");
    told(&refused);
}

#[test]
fn a_call_names_one_of_the_providers_own_sub_merchants() {
    let far_side = far_side();
    for (others, expected) in [
        (&[OPENID][..], "LACK_PARAMS"),
        (&[OPENID, ("sub_mch_id", "")], "PARAM_ERROR"),
        (&[OPENID, SUB, ("sub_appid", "")], "PARAM_ERROR"),
        (&[OPENID, ("sub_mch_id", "1900000119")], "MCHID_NOT_EXIST"),
        // The provider is not its own sub-merchant, and the direct merchant is nobody's.
        (&[OPENID, ("sub_mch_id", "1900000101")], "MCHID_NOT_EXIST"),
        (&[OPENID, ("sub_mch_id", "1900000001")], "MCHID_NOT_EXIST"),
        (
            &[OPENID, SUB, ("sub_appid", "wx0000000000000000")],
            "APPID_MCHID_NOT_MATCH",
        ),
        (&[OPENID, OTHER, SUB_APP], "APPID_MCHID_NOT_MATCH"),
        (&[OPENID, SUB, ("appid", "wx5a6d0b0c5a1e4d21")], "APPID_MCHID_NOT_MATCH"),
    ] {
        assert_eq!(said(&place(&far_side, "P1", others)), expected, "{others:?}");
    }
    assert!(far_side.orders(provider()).is_empty());
    // Every call that is about somebody's money, and the links.
    for path in [
        "/pay/orderquery",
        "/pay/closeorder",
        "/pay/micropay",
        "/secapi/pay/reverse",
        "/secapi/pay/refund",
        "/secapi/pay/refundv2",
        "/pay/refundquery",
        "/pay/refundqueryv2",
        "/tools/authcodetoopenid",
        "/tools/shorturl",
    ] {
        assert_eq!(said(&v2_provider(&far_side, path, &[])), "LACK_PARAMS", "{path}");
        let foreign = v2_provider(&far_side, path, &[("sub_mch_id", "1900000001")]);
        assert_eq!(said(&foreign), "MCHID_NOT_EXIST", "{path}");
    }
}

#[test]
fn a_merchant_that_is_no_provider_has_no_sub_merchants() {
    let far_side = far_side();
    for other in [SUB, SUB_APP, SUB_OPENID] {
        let answer = v2(&far_side, "/pay/unifiedorder", &order("A1", &[OPENID, other]));
        assert_eq!(said(&answer), "NOAUTH", "{other:?}");
    }
    assert!(far_side.orders(Platform::WechatV2).is_empty());
}

#[test]
fn the_payer_is_named_once_under_the_app_that_knows_them() {
    let far_side = far_side();
    for (others, expected) in [
        (&[SUB, SUB_APP][..], "LACK_PARAMS"),
        (&[SUB, SUB_APP, OPENID, SUB_OPENID], "PARAM_ERROR"),
        (&[SUB, SUB_OPENID], "LACK_PARAMS"),
        (&[OTHER, SUB_OPENID], "LACK_PARAMS"),
        (&[SUB, SUB_APP, ("sub_openid", "")], "PARAM_ERROR"),
    ] {
        assert_eq!(said(&place(&far_side, "P1", others)), expected, "{others:?}");
    }
    assert_eq!(
        said(&place(&far_side, "P1", &[SUB, SUB_APP, ("sub_openid", "oSomebody")])),
        "SUCCESS"
    );
    far_side.pay(provider(), "P1").unwrap();
    assert_eq!(query(&far_side, "P1", &[SUB, SUB_APP])["sub_openid"], "oSomebody");
}

#[test]
fn numbers_are_the_providers_and_orders_the_sub_merchants() {
    let far_side = far_side();
    assert_eq!(said(&place(&far_side, "P1", &[SUB, OPENID])), "SUCCESS");
    // One number space, so another sub-merchant cannot use the number, nor see the order.
    assert_eq!(said(&place(&far_side, "P1", &[OTHER, OPENID])), "INVALID_REQUEST");
    assert_eq!(said(&query(&far_side, "P1", &[OTHER])), "ORDERNOTEXIST");
    let close = [("out_trade_no", "P1"), OTHER];
    assert_eq!(
        said(&v2_provider(&far_side, "/pay/closeorder", &close)),
        "ORDERNOTEXIST"
    );
    let paid = far_side.pay(provider(), "P1").unwrap();
    let transaction_id = paid.payment.unwrap().transaction_id;
    let asked = [("transaction_id", transaction_id.as_str()), OTHER];
    assert_eq!(
        said(&v2_provider(&far_side, "/pay/orderquery", &asked)),
        "ORDERNOTEXIST"
    );
    let refund = |sub| {
        let fields = [
            ("out_trade_no", "P1"),
            ("out_refund_no", "R1"),
            ("total_fee", "1000"),
            ("refund_fee", "400"),
            sub,
        ];
        v2_provider(&far_side, "/secapi/pay/refund", &fields)
    };
    assert_eq!(said(&refund(OTHER)), "ORDERNOTEXIST");
    let taken = refund(SUB);
    assert_eq!((said(&taken), ids(&taken)[3]), ("SUCCESS", Some(SUB.1)));
    for (sub, expected) in [(SUB, "SUCCESS"), (OTHER, "REFUNDNOTEXIST")] {
        for asked in [
            ("out_refund_no", "R1"),
            ("refund_id", &taken["refund_id"]),
            ("out_trade_no", "P1"),
        ] {
            let answer = v2_provider(&far_side, "/pay/refundquery", &[asked, sub]);
            assert_eq!(said(&answer), expected, "{asked:?}");
        }
    }
    // The direct merchant has the same number and another order under it.
    assert_eq!(
        said(&v2(&far_side, "/pay/orderquery", &[("out_trade_no", "P1")])),
        "ORDERNOTEXIST"
    );
    let own = order("P1", &[("openid", "oSomebody"), ("total_fee", "7")]);
    let own: Vec<_> = own
        .into_iter()
        .filter(|field| *field != ("total_fee", "1000"))
        .collect();
    assert_eq!(said(&v2(&far_side, "/pay/unifiedorder", &own)), "SUCCESS");
    assert_eq!(far_side.order(Platform::WechatV2, "P1").unwrap().amount.get(), 7);
    assert_eq!(far_side.order(provider(), "P1").unwrap().amount.get(), 1000);
}

#[test]
fn a_refunds_end_is_sealed_under_the_providers_key() {
    let far_side = far_side();
    place(&far_side, "P1", &[SUB, OPENID]);
    far_side.pay(provider(), "P1").unwrap();
    for notice in far_side.due_notices() {
        far_side.answered(notice, Err("the payment's"));
    }
    let refund = [
        ("out_trade_no", "P1"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "400"),
        ("notify_url", "https://shop.example/refunded"),
        SUB,
    ];
    v2_provider(&far_side, "/secapi/pay/refund", &refund);
    far_side
        .settle_refund(provider(), "R1", RefundState::Succeeded)
        .unwrap();
    let outer = xml_fields(far_side.due_notices()[0].request.body());
    assert_eq!(ids(&outer)[3], Some(SUB.1));
    let sealed = STANDARD.decode(&outer["req_info"]).unwrap();
    let open = |key: &str| {
        let hex = oracle::v2_refund_key(key);
        aes_256_ecb_open(hex.as_bytes().try_into().unwrap(), &sealed)
    };
    let plain = open(far_side.wechat_v2_provider().api_key.expose()).unwrap();
    assert!(String::from_utf8(plain).unwrap().contains("R1"));
    assert!(open(far_side.wechat_v2().api_key.expose()).is_err());
}

#[test]
fn the_key_of_one_caller_signs_for_no_other() {
    let far_side = far_side();
    let direct = far_side.wechat_v2();
    // The provider's key under the merchant's number.
    let mut request = v2_provider_request(
        &far_side,
        "/pay/orderquery",
        &[
            ("out_trade_no", "P1"),
            ("mch_id", &direct.merchant_id),
            ("appid", &direct.app_id),
        ],
    );
    let refused = xml_fields(far_side.answer(&request).unwrap().body());
    assert_eq!((&*refused["return_code"], refused.len()), ("FAIL", 2));
    assert_eq!(far_side.exchanges()[0].signature, SignatureVerdict::Mismatch);
    // Under another's sub-merchant the signature holds no more either.
    request = v2_provider_request(&far_side, "/pay/orderquery", &[("out_trade_no", "P1"), SUB]);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace(SUB.1, OTHER.1).into();
    let refused = xml_fields(far_side.answer(&request).unwrap().body());
    assert_eq!(refused["return_code"], "FAIL");
}

#[test]
fn a_code_is_charged_for_the_sub_merchant_that_asked_who_shows_it() {
    let far_side = far_side();
    let charge = |order_no: &str, code: &str, others: &[(&str, &str)]| {
        let fields = [
            ("out_trade_no", order_no),
            ("body", "tea"),
            ("total_fee", "99"),
            ("spbill_create_ip", "203.0.113.7"),
            ("auth_code", code),
        ];
        v2_provider(&far_side, "/pay/micropay", &[&fields, others].concat())
    };
    let code = far_side.payment_code(Platform::WechatV2, Payer::default());
    let asked = [("auth_code", code.as_str()), SUB, SUB_APP];
    let who = v2_provider(&far_side, "/tools/authcodetoopenid", &asked);
    assert_eq!((&*who["openid"], &*who["sub_openid"]), (OPENID.1, SUB_OPENID.1));
    // From now on the code is this sub-merchant's alone.
    assert_eq!(said(&charge("P1", &code, &[OTHER])), "AUTH_CODE_INVALID");
    let own = [("auth_code", code.as_str())];
    assert_eq!(
        said(&v2(&far_side, "/tools/authcodetoopenid", &own)),
        "AUTH_CODE_INVALID"
    );
    let paid = charge("P1", &code, &[SUB, SUB_APP]);
    assert_eq!((said(&paid), &*paid["sub_openid"]), ("SUCCESS", SUB_OPENID.1));
    assert!(holds(&far_side, &paid));

    let mut typing = Payer::default();
    typing.reaction = Reaction::Types;
    let code = far_side.payment_code(Platform::WechatV2, typing);
    assert_eq!(said(&charge("P2", &code, &[SUB])), "USERPAYING");
    let reverse = |sub| v2_provider(&far_side, "/secapi/pay/reverse", &[("out_trade_no", "P2"), sub]);
    assert_eq!(said(&reverse(OTHER)), "TRADE_ERROR");
    assert_eq!(said(&reverse(SUB)), "SUCCESS");
}

#[test]
fn a_bill_is_one_sub_merchants_or_that_of_all() {
    let far_side = far_side();
    for (order_no, sub) in [("P1", SUB), ("P2", OTHER)] {
        place(&far_side, order_no, &[sub, OPENID]);
        far_side.pay(provider(), order_no).unwrap();
    }
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    let bill = |others: &[(&str, &str)]| {
        let asked = [&[("bill_date", "20251009")], others].concat();
        let answer = far_side
            .answer(&v2_provider_request(&far_side, "/pay/downloadbill", &asked))
            .unwrap();
        String::from_utf8(answer.body().to_vec()).unwrap()
    };
    let rows = |bill: &str| -> Vec<(String, String)> {
        let lines = bill.lines().filter(|line| line.starts_with('`'));
        let rows = lines.map(|line| line.split(",`").map(str::to_owned).collect::<Vec<_>>());
        rows.filter(|row| row.len() == 27)
            .map(|row| (row[3].clone(), row[6].clone()))
            .collect()
    };
    let pair = |sub: (&str, &str), order_no: &str| (sub.1.to_owned(), order_no.to_owned());
    assert_eq!(rows(&bill(&[])), [pair(SUB, "P1"), pair(OTHER, "P2")]);
    assert_eq!(rows(&bill(&[OTHER])), [pair(OTHER, "P2")]);
    assert!(bill(&[("sub_mch_id", "1900000001")]).contains("受理关系不存在"));
}

#[test]
fn the_cashier_opens_under_the_app_that_knows_the_payer() {
    let far_side = far_side();
    let account = far_side.wechat_v2_provider();
    let prepay = |order_no: &str, others: &[(&str, &str)]| place(&far_side, order_no, others)["prepay_id"].clone();
    let of_provider = prepay("P1", &[SUB, SUB_APP, OPENID]);
    let of_sub = prepay("P2", &[SUB, SUB_APP, SUB_OPENID]);
    let open = |prepay_id: &str, app_id: &str| {
        let package = format!("prepay_id={prepay_id}");
        let mut page: oracle::Map = [
            ("appId", app_id),
            ("timeStamp", "1760000000"),
            ("nonceStr", "n1"),
            ("package", &package),
            ("signType", "MD5"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let sign = oracle::v2_md5(&page, account.api_key.expose());
        page.insert("paySign".to_owned(), sign);
        let parameters: Vec<(&str, &str)> = page.iter().map(|(name, value)| (&**name, &**value)).collect();
        far_side.open_cashier(Platform::WechatV2, &parameters)
    };
    assert_eq!(open(&of_provider, &account.app_id), Ok("P1".to_owned()));
    assert_eq!(open(&of_sub, SUB_APP.1), Ok("P2".to_owned()));
    assert_eq!(open(&of_provider, SUB_APP.1), Err(PageRefused::Parameter("appId")));
    assert_eq!(open(&of_sub, &account.app_id), Err(PageRefused::Parameter("appId")));
}

#[test]
fn the_payers_phone_finds_the_providers_orders_over_http() {
    let far_side = far_side();
    place(&far_side, "P1", &[SUB, OPENID]);
    let pay = |account: &str| {
        let path = format!("http://127.0.0.1:8601/api/orders/{account}/P1/pay");
        let answer = far_side.administer(&http::Request::post(path).body(bytes::Bytes::new()).unwrap());
        answer.status().as_u16()
    };
    assert_eq!(pay("wechat-v2"), 404);
    assert_eq!(pay("wechat-v2-provider"), 200);
    assert_eq!(query(&far_side, "P1", &[SUB])["trade_state"], "SUCCESS");
}

#[test]
fn accounts_are_read_as_they_are_written_and_show_no_key() {
    for account in [Account::from(Platform::Fshows), Platform::WechatV2.into(), provider()] {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    for wrong in ["", "wechat", "fshows-provider", "wechat-v2-", "-provider"] {
        assert!(wrong.parse::<Account>().is_err(), "{wrong}");
    }
    let printed = format!("{:?}", far_side().wechat_v2_provider());
    assert!(printed.contains("1900000111"), "{printed}");
    for secret in ["ThrowAway", "Payer"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
