//! The four ways to place an order: what is sent in both forms, and what is handed out.

use bytes::Bytes;
use http::Request;
use yuanfen_core::{
    Address, BuildError, OpenError, Opens as _, Operation, OperationExt as _, ProtocolErrorKind, UnixTime, Verified,
};
use yuanfen_wechat_v3::ops::{PlaceAppOrder, PlaceH5Order, PlaceNativeOrder};
use yuanfen_wechat_v3::{Account, CodeUrl, H5Info, H5Type, H5Url, Reply, Scene, Store};

use crate::far_side::{NOW, account, ambient, now, partner, partner_without_app, reply, wrong_field};
use crate::requests::{is_signed_over_what_is_sent, order, target, terms};

const CODE_URL: &str = "weixin://wxpay/bizpayurl?pr=p4lpSuKzz";
const H5_URL: &str = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id=wx2016121516420242444321ca0631331346&package=1405458241";

fn scene() -> Scene {
    Scene::new("14.23.150.211".parse().unwrap())
}

fn app() -> PlaceAppOrder {
    PlaceAppOrder::new(terms())
}

fn native() -> PlaceNativeOrder {
    PlaceNativeOrder::new(terms())
}

pub(crate) fn h5() -> PlaceH5Order {
    PlaceH5Order::new(terms(), scene(), H5Info::new(H5Type::Wap))
}

fn sent(account: &Account, operation: &impl Operation<Provider = Account>) -> Request<Bytes> {
    let request = operation.request(account, &ambient()).unwrap();
    is_signed_over_what_is_sent(&request);
    request
}

fn body(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

fn opened<O: Operation<Provider = Account, Inbound = Verified<Reply>>>(
    operation: &O,
    body: &str,
) -> Result<O::Reply, OpenError> {
    let reply = Verified::<Reply>::open(&account(), &reply(200, body), now())?;
    operation.decode(&account(), reply)
}

fn handed_out(member: &str, text: &str) -> String {
    serde_json::json!({ member: text }).to_string()
}

/// Every byte of the least order of each kind.
#[test]
fn sends_an_order_to_each_of_the_calls_in_both_forms() {
    const COMMON: &str = concat!(
        r#""description":"Image形象店","out_trade_no":"1217752501201407033233368018","#,
        r#""notify_url":"https://www.weixin.qq.com/wxpay/pay.php","amount":{"total":100,"currency":"CNY"}"#,
    );
    const DIRECT: &str = r#"{"appid":"wxd678efh567hg6787","mchid":"1900007291","#;
    const PARTNER: &str = concat!(
        r#"{"sp_appid":"wx8888888888888888","sub_appid":"wxd678efh567hg6999","sp_mchid":"1900000100","#,
        r#""sub_mchid":"1900000109","#,
    );
    let h5_scene = r#","scene_info":{"payer_client_ip":"14.23.150.211","h5_info":{"type":"Wap"}}"#;
    for (account, ids, path) in [
        (account(), DIRECT, "/v3/pay/transactions/"),
        (partner(), PARTNER, "/v3/pay/partner/transactions/"),
    ] {
        for (request, name, rest) in [
            (sent(&account, &app()), "app", ""),
            (sent(&account, &native()), "native", ""),
            (sent(&account, &h5()), "h5", h5_scene),
        ] {
            assert_eq!(request.method(), "POST");
            assert_eq!(target(&request), format!("{path}{name}"));
            assert_eq!(body(&request), format!("{ids}{COMMON}{rest}}}"));
        }
    }
    // The sub-merchant's app is named where there is one; none of the three needs it.
    let without_app = sent(&partner_without_app(), &native());
    assert!(!body(&without_app).contains("sub_appid"), "{}", body(&without_app));
}

#[test]
fn places_orders_for_another_app_of_the_same_merchant() {
    let mobile = account().for_app("wx2421b1c4370ec43b").unwrap();
    assert!(body(&sent(&mobile, &app())).starts_with(r#"{"appid":"wx2421b1c4370ec43b","mchid":"1900007291","#));
    let mobile = partner().for_app("wx2421b1c4370ec43b").unwrap();
    assert!(
        body(&sent(&mobile, &app())).starts_with(
            r#"{"sp_appid":"wx2421b1c4370ec43b","sub_appid":"wxd678efh567hg6999","sp_mchid":"1900000100","#
        )
    );
}

#[test]
fn writes_every_member_of_the_scene_of_an_h5_order() {
    let mut order = h5();
    order.scene.device_id = Some("013467007045764".to_owned());
    order.scene.store = Some(Store::new("0001"));
    order.h5 = H5Info::new(H5Type::Ios);
    order.h5.app_name = Some("王者荣耀".to_owned());
    order.h5.app_url = Some("https://pay.qq.com".to_owned());
    order.h5.bundle_id = Some("com.tencent.wzryiOS".to_owned());
    order.h5.package_name = Some("com.tencent.tmgp.sgame".to_owned());
    assert!(body(&sent(&account(), &order)).ends_with(concat!(
        r#","scene_info":{"payer_client_ip":"14.23.150.211","device_id":"013467007045764","store_info":{"id":"0001"},"#,
        r#""h5_info":{"type":"iOS","app_name":"王者荣耀","app_url":"https://pay.qq.com","#,
        r#""bundle_id":"com.tencent.wzryiOS","package_name":"com.tencent.tmgp.sgame"}}}"#,
    )),);
    order.h5 = H5Info::new(H5Type::Android);
    assert!(body(&sent(&account(), &order)).contains(r#""h5_info":{"type":"Android"}"#));
}

#[track_caller]
fn names(refused: Result<impl Sized, BuildError>, field: &str) {
    let error = refused.map(drop).expect_err("accepted");
    assert_eq!(error.field(), Some(field), "{error}");
}

type SetInfo = fn(&mut H5Info, String);

#[test]
fn holds_every_text_of_an_h5_order_to_its_length() {
    let table: &[(&str, usize, SetInfo)] = &[
        ("scene_info.h5_info.type", 32, |info, text| {
            info.kind = H5Type::from(&*text);
        }),
        ("scene_info.h5_info.app_name", 64, |info, text| {
            info.app_name = Some(text);
        }),
        ("scene_info.h5_info.app_url", 128, |info, text| {
            info.app_url = Some(text);
        }),
        ("scene_info.h5_info.bundle_id", 128, |info, text| {
            info.bundle_id = Some(text);
        }),
        ("scene_info.h5_info.package_name", 128, |info, text| {
            info.package_name = Some(text);
        }),
    ];
    for (field, max, set) in table {
        let placed = |text: String| {
            let mut order = h5();
            set(&mut order.h5, text);
            order.encode(&account(), &ambient()).map(drop)
        };
        placed("x".repeat(*max)).unwrap_or_else(|error| panic!("{field} at its limit: {error}"));
        names(placed("x".repeat(max + 1)), field);
        names(placed(String::new()), field);
        names(placed("a\u{1}b".to_owned()), field);
    }
    let mut order = h5();
    order.scene.device_id = Some("x".repeat(33));
    names(order.encode(&account(), &ambient()), "scene_info.device_id");
    order = h5();
    order.terms.description = String::new();
    names(order.encode(&account(), &ambient()), "description");
}

/// The platform compares it with the address of the browser. A server that fills in its own cannot be paid.
#[test]
fn refuses_this_machines_address_for_the_payer_of_an_h5_order() {
    for (ip, good) in [
        ("127.0.0.1", false),
        ("127.8.8.8", false),
        ("0.0.0.0", false),
        ("::1", false),
        ("::", false),
        ("::ffff:127.0.0.1", false),
        ("203.0.113.7", true),
        ("2001:db8::1", true),
    ] {
        let ip = ip.parse().unwrap();
        let order = PlaceH5Order::new(terms(), Scene::new(ip), H5Info::new(H5Type::Wap));
        match order.encode(&account(), &ambient()) {
            Ok(_) => assert!(good, "{ip}"),
            Err(error) => {
                assert!(!good, "{ip}: {error}");
                assert_eq!(error.field(), Some("scene_info.payer_client_ip"));
            }
        }
        // Elsewhere it says where the payer is, and nobody compares it.
        let mut order = order_at(ip);
        assert!(order.encode(&account(), &ambient()).is_ok(), "{ip}");
        order.scene = None;
        assert!(order.encode(&account(), &ambient()).is_ok());
    }
}

fn order_at(ip: std::net::IpAddr) -> yuanfen_wechat_v3::ops::PlaceJsapiOrder {
    let mut order = order();
    order.scene = Some(Scene::new(ip));
    order
}

#[test]
fn reads_what_each_of_them_hands_out_and_when() {
    let placed = opened(&app(), &handed_out("prepay_id", "wx201410272009395522657a690389285100")).unwrap();
    assert_eq!(placed.prepay_id.as_str(), "wx201410272009395522657a690389285100");
    assert_eq!(placed.prepay_id.issued_at(), now());
    let text = format!(r#"{{"code_url":"{CODE_URL}","new_member":1}}"#);
    let placed = opened(&native(), &text).unwrap();
    assert_eq!(placed.code_url.as_str(), CODE_URL);
    assert_eq!(placed.code_url.issued_at(), now());
    assert_eq!(placed.extra.get("new_member"), Some("1"));
    assert_eq!(placed.raw().as_ref(), text.as_bytes());
    let placed = opened(&h5(), &handed_out("h5_url", H5_URL)).unwrap();
    assert_eq!(placed.h5_url.as_str(), H5_URL);
    assert_eq!(placed.h5_url.issued_at(), now());
    assert!(placed.extra.is_empty());
}

#[test]
fn knows_when_a_code_and_an_address_are_over() {
    let code_url = opened(&native(), &handed_out("code_url", CODE_URL)).unwrap().code_url;
    let h5_url = opened(&h5(), &handed_out("h5_url", H5_URL)).unwrap().h5_url;
    let at = |seconds: i64| UnixTime::from_seconds(NOW + seconds);
    assert_eq!((CodeUrl::LIFE, H5Url::LIFE), (7200, 300));
    assert!(!code_url.is_expired(at(7199)) && code_url.is_expired(at(7200)));
    assert!(!h5_url.is_expired(at(299)) && h5_url.is_expired(at(300)));
    assert!(!h5_url.is_expired(at(-60)), "a clock that was set back");
}

#[test]
fn appends_the_page_to_return_to_percent_encoded() {
    let page = Address::parse("redirect_url", "https://shop.example/p?a=1&b=%E9%9D%A2#top").unwrap();
    let encoded = "redirect_url=https%3A%2F%2Fshop.example%2Fp%3Fa%3D1%26b%3D%25E9%259D%25A2%23top";
    for (address, joint) in [(H5_URL, '&'), ("https://wx.tenpay.com/pay", '?')] {
        let placed = opened(&h5(), &handed_out("h5_url", address)).unwrap();
        let link = placed.h5_url.returning_to(&page);
        assert_eq!(link, format!("{address}{joint}{encoded}"));
        assert!(link.parse::<http::Uri>().is_ok(), "{link}");
        assert_eq!(placed.h5_url.as_str(), address);
    }
}

#[test]
fn refuses_what_is_none_of_what_was_promised() {
    for bad in ["", "a b", "a\nb", "二维码", &"x".repeat(1025)] {
        let error = opened(&native(), &handed_out("code_url", bad)).unwrap_err();
        assert_eq!(wrong_field(&error), "code_url", "{bad}");
    }
    opened(&native(), &handed_out("code_url", &"x".repeat(1024))).unwrap();
    for bad in [
        "",
        "weixin://x",
        "http://wx.example/x",
        "javascript:alert(1)",
        "https://a.example/x#y",
    ] {
        let error = opened(&h5(), &handed_out("h5_url", bad)).unwrap_err();
        assert_eq!(wrong_field(&error), "h5_url", "{bad}");
    }
    // A call's answer is not another's.
    for error in [
        opened(&native(), &handed_out("h5_url", H5_URL)).map(drop).unwrap_err(),
        opened(&h5(), &handed_out("prepay_id", "wx1")).map(drop).unwrap_err(),
        opened(&app(), &handed_out("code_url", CODE_URL)).map(drop).unwrap_err(),
    ] {
        assert!(matches!(&error, OpenError::Protocol(error) if matches!(error.kind, ProtocolErrorKind::Field(_))));
    }
}

#[test]
fn shows_nothing_with_which_an_order_could_be_paid() {
    let native = opened(&native(), &handed_out("code_url", CODE_URL)).unwrap();
    let h5 = opened(&h5(), &handed_out("h5_url", H5_URL)).unwrap();
    for shown in [format!("{native:?}"), format!("{h5:#?}")] {
        assert!(!shown.contains("p4lpSuKzz") && !shown.contains("wx2016"), "{shown}");
        assert!(shown.contains("issued_at"));
    }
}
