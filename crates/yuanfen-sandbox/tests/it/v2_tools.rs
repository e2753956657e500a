//! The small calls of WeChat Pay v2: links, reports and comments.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use yuanfen_sandbox::{BookError, FarSide, FaultKind, FaultRule, Payer, Platform, SignatureVerdict};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2, v2_request, xml_fields};
use crate::wire::escape;

const V2: Platform = Platform::WechatV2;
const LINK: &str = "weixin://wxpay/bizpayurl?sign=AB12&appid=wx5a6d0b0c5a1e4d21&mch_id=1900000001&product_id=P%201&time_stamp=1&nonce_str=n";

/// The call for that link, whose value is exchanged after signing.
fn shorten(far_side: &FarSide, signed: &str, sent: &str) -> Response<Bytes> {
    let mut request = v2_request(far_side, "/tools/shorturl", &[("long_url", signed)]);
    let body = String::from_utf8(request.body().to_vec()).unwrap();
    *request.body_mut() = body.replace(&format!("[{signed}]"), &format!("[{sent}]")).into();
    far_side.answer(&request).unwrap()
}

#[test]
fn shortens_a_link_that_is_signed_raw_and_sent_encoded() {
    let far_side = far_side();
    let answer = xml_fields(shorten(&far_side, LINK, &escape(LINK)).body());
    assert_eq!(answer["result_code"], "SUCCESS");
    let short = &answer["short_url"];
    assert!(short.starts_with("weixin://wxpay/s/") && short.len() <= 64, "{short}");
    let key = far_side.wechat_v2().api_key.expose().clone();
    assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key));
    // Signed as it was sent, it is another link's signature; so it is when it was not encoded.
    let encoded = escape(LINK);
    for (signed, sent) in [(encoded.as_str(), encoded.as_str()), (LINK, LINK)] {
        let refused = xml_fields(shorten(&far_side, signed, sent).body());
        assert_eq!((&*refused["return_code"], refused.len()), ("FAIL", 2), "{sent}");
    }
    // Without escapes of its own a link is the same either way.
    let plain = LINK.replace("%20", "");
    let answer = xml_fields(shorten(&far_side, &plain, &plain).body());
    assert_eq!(answer["result_code"], "SUCCESS");
}

#[test]
fn shortens_payment_links_of_so_many_characters_alone() {
    let far_side = far_side();
    let long = |length: usize| format!("weixin://wxpay/{}", "x".repeat(length - 15));
    for (link, expected) in [
        (long(512), "SUCCESS"),
        (long(513), "PARAM_ERROR"),
        ("https://shop.example/".to_owned(), "PARAM_ERROR"),
        (String::new(), "LACK_PARAMS"),
    ] {
        let answer = xml_fields(shorten(&far_side, &link, &escape(&link)).body());
        let code = answer.get("err_code").unwrap_or(&answer["result_code"]);
        assert_eq!(code, expected, "{}", link.len());
    }
}

#[test]
fn takes_reports_in_both_forms_and_answers_unsigned() {
    let far_side = far_side();
    let (url, ip) = (
        ("interface_url", "https://api.mch.weixin.qq.com/pay/micropay"),
        ("user_ip", "203.0.113.7"),
    );
    let (done, fine) = (("return_code", "SUCCESS"), ("result_code", "SUCCESS"));
    let trades = ("trades", r#"[{"out_trade_no":"T1","begin_time":"20251009165320"}]"#);
    let long = "x".repeat(128);
    for (asked, words) in [
        (&[url, ip, done, fine, ("execute_time", "480")][..], None),
        (&[url, ip, done, fine, ("execute_time_", "480")], None),
        (&[url, ip, trades], None),
        (&[url, ip, done, fine], Some("缺少参数execute_time")),
        (
            &[url, ip, done, fine, ("execute_time", "0.48")],
            Some("execute_time参数格式错误"),
        ),
        (&[ip, trades], Some("缺少参数interface_url")),
        (&[url, trades], Some("缺少参数user_ip")),
        (&[url, ip, ("trades", "{}")], Some("trades参数格式错误")),
        (
            &[("interface_url", &long), ip, trades],
            Some("interface_url参数格式错误"),
        ),
    ] {
        let answer = v2(&far_side, "/payitil/report", asked);
        assert!(!answer.contains_key("sign"), "{answer:?}");
        let refused = (answer["return_code"] == "FAIL").then(|| answer["return_msg"].as_str());
        assert_eq!(refused, words, "{asked:?}");
        assert_eq!(answer.contains_key("result_code"), words.is_none());
    }
}

/// Three paid orders and what was said of two of them, a minute apart.
fn commented() -> FarSide {
    let far_side = far_side();
    for order_no in ["A1", "A2", "A3"] {
        let code = far_side.payment_code(V2, Payer::default());
        let charge = [
            ("out_trade_no", order_no),
            ("body", "tea"),
            ("total_fee", "99"),
            ("spbill_create_ip", "203.0.113.7"),
            ("auth_code", code.as_str()),
        ];
        assert_eq!(v2(&far_side, "/pay/micropay", &charge)["result_code"], "SUCCESS");
    }
    far_side.comment(V2, "A2", 5, "赞, `very`\nfresh").unwrap();
    far_side.clock().advance(Duration::from_secs(60)).unwrap();
    far_side.comment(V2, "A1", 1, "cold").unwrap();
    far_side
}

fn comments(far_side: &FarSide, changes: &[(&str, &str)]) -> Response<Bytes> {
    let mut asked = vec![
        ("begin_time", "20251009000000"),
        ("end_time", "20251010000000"),
        ("offset", "0"),
        ("sign_type", "HMAC-SHA256"),
    ];
    for change in changes {
        asked.retain(|(name, _)| *name != change.0);
        asked.push(*change);
    }
    let request = v2_request(far_side, "/billcommentsp/batchquerycomment", &asked);
    far_side.answer(&request).unwrap()
}

#[test]
fn lists_comments_from_an_offset_and_says_the_next() {
    let far_side = commented();
    let number = |order_no: &str| {
        let payment = far_side.order(V2, order_no).unwrap().payment.unwrap();
        payment.transaction_id
    };
    let first = format!("`2025-10-09 16:53:20,`{},`5,`赞, `very` fresh\n", number("A2"));
    let second = format!("`2025-10-09 16:54:20,`{},`1,`cold\n", number("A1"));
    for (changes, expected) in [
        (&[][..], format!("2\n{first}{second}")),
        (&[("limit", "1")], format!("1\n{first}")),
        (&[("limit", "1"), ("offset", "1")], format!("2\n{second}")),
        (&[("offset", "2")], "2\n".to_owned()),
        (&[("begin_time", "20251009165321")], format!("1\n{second}")),
        (&[("end_time", "20251009165320")], format!("1\n{first}")),
    ] {
        let answer = comments(&far_side, changes);
        assert_eq!(std::str::from_utf8(answer.body()).unwrap(), expected, "{changes:?}");
    }
}

#[test]
fn refuses_to_list_comments_without_a_signature() {
    let far_side = commented();
    for (changes, expected) in [
        (&[("begin_time", "")][..], "LACK_PARAMS"),
        (&[("begin_time", "2025-10-09 00:00:00")], "PARAM_ERROR"),
        (&[("end_time", "20251008235959")], "PARAM_ERROR"),
        (&[("offset", "")], "LACK_PARAMS"),
        (&[("offset", "-1")], "PARAM_ERROR"),
        (&[("limit", "0")], "PARAM_ERROR"),
        (&[("limit", "201")], "PARAM_ERROR"),
        (&[("sign_type", "MD5")], "PARAM_ERROR"),
        (&[("sign_type", "")], "PARAM_ERROR"),
    ] {
        let answer = xml_fields(comments(&far_side, changes).body());
        assert_eq!(
            (&*answer["err_code"], answer.contains_key("sign")),
            (expected, false),
            "{changes:?}"
        );
    }
    assert!(comments(&far_side, &[("limit", "200")]).body().starts_with(b"2\n"));
}

#[test]
fn comments_are_on_paid_orders_and_have_one_to_five_stars() {
    let far_side = commented();
    let say = |order_no: &str, stars| far_side.comment(V2, order_no, stars, "x").map(drop);
    assert_eq!(say("A9", 5), Err(BookError::UnknownOrder));
    assert_eq!(say("A3", 0), Err(BookError::Stars));
    assert_eq!(say("A3", 6), Err(BookError::Stars));
    let order = [
        ("out_trade_no", "A4"),
        ("body", "tea"),
        ("total_fee", "99"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://shop.example/notify"),
        ("trade_type", "APP"),
    ];
    v2(&far_side, "/pay/unifiedorder", &order);
    assert_eq!(say("A4", 5), Err(BookError::Unpaid));
    let request = Request::post("http://127.0.0.1:8601/api/orders/wechat-v2/A3/comment")
        .header("content-type", "application/json")
        .body(Bytes::from_static(b"{\"stars\":4,\"text\":\"fine\"}"))
        .unwrap();
    assert_eq!(far_side.administer(&request).status(), 200);
    let said = far_side.order(V2, "A3").unwrap().comment.unwrap();
    assert_eq!((said.stars, said.text.as_str()), (4, "fine"));
    assert!(!format!("{said:?}").contains("fine"));
}

/// The least that each call needs to get through the door.
const CALLS: &[(&str, &str, bool)] = &[
    ("/pay/unifiedorder", "place-order", true),
    ("/pay/orderquery", "query-order", true),
    ("/pay/closeorder", "close-order", true),
    ("/pay/micropay", "micropay", true),
    ("/secapi/pay/reverse", "reverse-order", true),
    ("/secapi/pay/refund", "refund", true),
    ("/secapi/pay/refundv2", "refund-v2", true),
    ("/pay/refundquery", "query-refund", true),
    ("/pay/refundqueryv2", "query-refund-v2", true),
    ("/tools/authcodetoopenid", "exchange-auth-code", true),
    ("/tools/shorturl", "shorten-link", true),
    ("/pay/downloadbill", "download-trade-bill", false),
    ("/pay/downloadfundflow", "download-fund-flow-bill", false),
    ("/billcommentsp/batchquerycomment", "query-comments", false),
    ("/payitil/report", "report", false),
];

#[test]
fn every_call_has_a_name_and_every_trouble_strikes_it_by_that_name() {
    for (path, name, is_signed) in CALLS {
        let far_side = far_side();
        let ask = || far_side.answer(&v2_request(&far_side, path, &[("out_trade_no", "A1")]));
        let calm = ask().unwrap();
        let exchange = far_side.exchanges().pop().unwrap();
        assert_eq!(
            (exchange.operation, exchange.signature),
            (*name, SignatureVerdict::Holds)
        );
        let key = far_side.wechat_v2().api_key.expose().clone();
        let holds = |answer: &Response<Bytes>| {
            let fields = xml_fields(answer.body());
            fields
                .get("sign")
                .is_some_and(|sign| *sign == oracle::v2_md5(&fields, &key))
        };
        assert_eq!(holds(&calm), *is_signed, "{name}");
        for kind in [FaultKind::LoseRequest, FaultKind::LoseReply, FaultKind::CutReply] {
            far_side.set_faults(FaultRule::new(kind).during(*name));
            assert!(ask().is_err(), "{name} {kind}");
        }
        for (kind, status) in [
            (FaultKind::Status(502), 502),
            (FaultKind::Accepted, 202),
            (FaultKind::EmptyReply, 200),
        ] {
            far_side.set_faults(FaultRule::new(kind).during(*name));
            let answer = ask().unwrap();
            assert_eq!(answer.status(), status, "{name} {kind}");
            assert_eq!(answer.body().is_empty(), status != 502, "{name} {kind}");
        }
        far_side.set_faults(FaultRule::new(FaultKind::UnsignedError).during(*name));
        let fields = xml_fields(ask().unwrap().body());
        assert_eq!(
            (&*fields["return_code"], &*fields["return_msg"]),
            ("FAIL", "SYSTEMERROR")
        );
        far_side.set_faults(FaultRule::new(FaultKind::CorruptSignature).during(*name));
        assert!(!holds(&ask().unwrap()), "{name}");
        far_side.set_faults(FaultRule::new(FaultKind::AddFields).during(*name));
        let answer = ask().unwrap();
        assert_eq!(holds(&answer), *is_signed, "{name}");
        let added = xml_fields(answer.body()).contains_key("sandbox_new_field");
        assert_eq!(added, *is_signed, "{name}");
        far_side.set_faults(FaultRule::new(FaultKind::SystemError).during(*name));
        let answer = ask().unwrap();
        assert_eq!(holds(&answer), *is_signed, "{name}");
        let text = std::str::from_utf8(answer.body()).unwrap();
        assert!(text.contains("SYSTEMERROR"), "{name}: {text}");
        // A rule for another call leaves this one alone.
        far_side.set_faults(FaultRule::new(FaultKind::LoseReply).during("certificates"));
        assert!(ask().is_ok(), "{name}");
    }
}

#[test]
fn paths_that_are_no_calls_are_not_found() {
    let far_side = far_side();
    for path in [
        "/pay/unifiedorders",
        "/tools/",
        "/payitil/reports",
        "/secapi/pay/refundv3",
    ] {
        let answer = far_side.answer(&v2_request(&far_side, path, &[])).unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(far_side.exchanges().pop().unwrap().operation, "unknown");
    }
}
