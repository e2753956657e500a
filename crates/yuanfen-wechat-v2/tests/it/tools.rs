//! The small calls: whose code was scanned, short links, comments, and reports of how calls went.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
use yuanfen_core::{
    Advice, BuildError, ClientAuth, ClockDashed, Effect, Error, Fate, Operation, OperationExt as _, OrderNo,
    RefusalKind, ReplyTrust, UnixTime, WireText as _,
};
use yuanfen_testkit::{Stage, json, oracle};
use yuanfen_wechat_v2::ops::{
    CallReport, Comments, ExchangeAuthCode, ExchangedAuthCode, QueryComments, Report, Reported, ShortenLink,
    ShortenedLink, routes,
};

use crate::far_side::{
    APP_ID, KEY, MERCHANT, NOW, OPENID, ORDER_NO, account, ambient, answer, changed, hmac_account, now, response, sent,
    signed, why, xml,
};
use crate::fields::refused;
use crate::vectors::vectors;

type Changes<'a> = &'a [(&'a str, Option<&'a str>)];

const ANSWERED: &[(&str, &str)] = &[
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", APP_ID),
    ("mch_id", MERCHANT),
    ("nonce_str", "IITRi8Iabbblz1Jc"),
    ("result_code", "SUCCESS"),
    ("openid", OPENID),
    ("short_url", "weixin://wxpay/s/XxXxXxX"),
];

fn exchanged(changes: Changes<'_>) -> Result<ExchangedAuthCode, Error> {
    ExchangeAuthCode::new("134567890123456789").reply(&account(), &answer(&changed(ANSWERED, changes)), now())
}

fn shortened(changes: Changes<'_>) -> Result<ShortenedLink, Error> {
    ShortenLink::new("weixin://wxpay/bizpayurl?x=1").reply(&account(), &answer(&changed(ANSWERED, changes)), now())
}

#[test]
fn asks_whose_code_was_scanned() {
    let call = ExchangeAuthCode::new("134567890123456789");
    let request = call.request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/tools/authcodetoopenid");
    let fields = sent(&request);
    assert_eq!((&*fields["auth_code"], fields.len()), ("134567890123456789", 6));
    assert!(!format!("{call:?}").contains("1345678"), "{call:?}");
    for bad in [String::new(), "1".repeat(129), "1345\n".to_owned()] {
        assert_eq!(refused(&ExchangeAuthCode::new(&*bad)).field(), Some("auth_code"));
    }
    let limit = ExchangeAuthCode::new(&*"x".repeat(128)).request(&account(), &ambient());
    assert_eq!(sent(&limit.unwrap())["auth_code"].len(), 128);

    let whose = exchanged(&[("sub_openid", Some("oSUB")), ("new_field", Some("x"))]).unwrap();
    assert_eq!((&*whose.openid, whose.sub_openid.as_deref()), (OPENID, Some("oSUB")));
    assert_eq!(whose.extra.get("new_field"), Some("x"));
    let shown = format!("{whose:?}");
    assert!(!shown.contains(OPENID) && !shown.contains("oSUB"), "{shown}");
    assert_eq!(why(&exchanged(&[("openid", None)]).unwrap_err()), "field openid");
    let old = exchanged(&[("result_code", Some("FAIL")), ("err_code", Some("AUTHCODEEXPIRE"))]).unwrap_err();
    assert_eq!((old.fate(), old.advice()), (Fate::Refused, Advice::Stop));
    assert_eq!(old.refusal().unwrap().meaning.kind, RefusalKind::Declined);
}

/// Signed as it is, sent URL-encoded.
#[test]
fn signs_a_link_raw_and_sends_it_escaped() {
    let link = account().native_link("item 1/é", &ambient()).unwrap();
    assert!(
        link.contains("product_id=item%201%2F%C3%A9"),
        "an escape of its own: {link}"
    );
    for (account, link) in [
        (account(), &*link),
        (hmac_account(), "weixin://wxpay/bizpayurl?a=b&c=%2B~d"),
    ] {
        let request = ShortenLink::new(link).request(&account, &ambient()).unwrap();
        assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/tools/shorturl");
        let mut fields = sent(&request);
        assert_eq!(fields.len(), 6);
        let spelled = fields.insert("long_url".to_owned(), link.to_owned()).unwrap();
        assert!(spelled.starts_with("weixin%3A%2F%2Fwxpay%2Fbizpayurl%3F"), "{spelled}");
        assert!(
            spelled
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"%-._~".contains(&byte)),
            "{spelled}"
        );
        let decoded = percent_encoding::percent_decode_str(&spelled).decode_utf8().unwrap();
        assert_eq!(decoded, link, "once, and its own escapes with it");
        let signature = match &*fields["sign_type"] {
            "MD5" => oracle::v2_md5(&fields, KEY),
            _ => oracle::v2_hmac(&fields, KEY),
        };
        assert_eq!(fields["sign"], signature, "over the raw link");
    }
    for bad in [
        String::new(),
        "x".repeat(513),
        "weixin://\n".to_owned(),
        "weixin://é".to_owned(),
    ] {
        assert_eq!(refused(&ShortenLink::new(bad)).field(), Some("long_url"));
    }
    let limit = ShortenLink::new("/".repeat(512))
        .request(&account(), &ambient())
        .unwrap();
    assert_eq!(
        sent(&limit)["long_url"].len(),
        3 * 512,
        "the limit is of the link itself"
    );

    let message = Operation::encode(&ShortenLink::new("weixin://hidden"), &account(), &ambient()).unwrap();
    assert!(!format!("{message:?}").contains("hidden"), "{message:?}");

    let short = shortened(&[("new_field", Some("x"))]).unwrap();
    assert_eq!(short.short_url, "weixin://wxpay/s/XxXxXxX");
    assert_eq!(short.extra.get("new_field"), Some("x"));
    assert_eq!(
        why(&shortened(&[("short_url", Some(""))]).unwrap_err()),
        "field short_url"
    );
}

#[test]
fn believes_no_answer_about_codes_and_links_that_is_not_signed() {
    let other = response(
        200,
        xml(&changed(
            ANSWERED,
            &[("sign", Some("0CB01533B8C1EF103065174F50BCA001"))],
        )),
    );
    let html = response(200, "<html>502</html>");
    for (answer, reason) in [
        (response(200, xml(&changed(ANSWERED, &[]))), "missing-signature"),
        (other, "mismatch"),
        (html, "html"),
        (
            response(
                502,
                xml(&signed(&changed(ANSWERED, &[]), yuanfen_wechat_v2::SignType::Md5)),
            ),
            "status 502",
        ),
        (response(200, ""), "empty"),
    ] {
        let code = ExchangeAuthCode::new("1")
            .reply(&account(), &answer, now())
            .unwrap_err();
        let link = ShortenLink::new("x").reply(&account(), &answer, now()).unwrap_err();
        assert_eq!((&*why(&code), &*why(&link)), (reason, reason));
        assert_eq!((code.advice(), link.advice()), (Advice::Repeat, Advice::Repeat));
    }
    let foreign = exchanged(&[("mch_id", Some("10000101"))]).unwrap_err();
    assert_eq!(why(&foreign), "foreign mch_id");
}

fn day() -> QueryComments {
    QueryComments::between(UnixTime::from_seconds(NOW - 86_400), now())
}

fn comments(body: &str) -> Result<Comments, Error> {
    day().reply(&account(), &response(200, body.to_owned()), now())
}

#[test]
fn asks_for_comments_with_hmac_and_behind_the_client_certificate() {
    for account in [account(), hmac_account(), account().for_every_sub_merchant()] {
        let mut call = day();
        call.offset = 200;
        call.limit = Some(100);
        let request = call.request(&account, &ambient()).unwrap();
        assert_eq!(
            request.uri(),
            "https://api.mch.weixin.qq.com/billcommentsp/batchquerycomment"
        );
        assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
        let fields = sent(&request);
        assert_eq!(
            [
                &*fields["begin_time"],
                &*fields["end_time"],
                &*fields["offset"],
                &*fields["limit"]
            ],
            ["20231114061320", "20231115061320", "200", "100"]
        );
        assert_eq!((&*fields["sign_type"], fields.len()), ("HMAC-SHA256", 9));
        assert_eq!(fields["sign"], oracle::v2_hmac(&fields, KEY));
    }
    let bare = sent(&day().request(&account(), &ambient()).unwrap());
    assert_eq!((bare.get("limit"), &*bare["offset"]), (None, "0"));
    for limit in [0, 201] {
        let mut call = day();
        call.limit = Some(limit);
        assert_eq!(refused(&call).field(), Some("limit"));
    }
    let backwards = QueryComments::between(now(), UnixTime::from_seconds(NOW - 1));
    assert_eq!(refused(&backwards).field(), Some("end_time"));
}

#[test]
fn reads_comments_whatever_payers_write_into_them() {
    let body = "2\r\n`2023-11-14 10:00:05,`4200000000000000000000000001,`5,`great, `really`,`great\r\n\
                `2023-11-14 11:00:05,`4200000000000000000000000002,`1,`two\nlines\r\n\
                `2023-11-14 12:00:05,`4200000000000000000000000003,`3,`\r\n";
    for body in [body.to_owned(), format!("\u{feff}`{body}"), body.trim_end().to_owned()] {
        let page = comments(&body).unwrap();
        assert_eq!(page.next_offset, 2);
        let texts: Vec<_> = page.comments.iter().map(|comment| &*comment.text).collect();
        assert_eq!(texts, ["great, `really`,`great", "two\nlines", ""]);
        let first = page.comments.first().unwrap();
        assert_eq!(first.time, ClockDashed::read("2023-11-14 10:00:05").unwrap().0);
        assert_eq!(
            (first.transaction_id.as_str(), first.stars),
            ("4200000000000000000000000001", 5)
        );
        let shown = format!("{page:?}");
        assert!(
            !shown.contains("great") && shown.contains("4200000000000000000000000001"),
            "{shown}"
        );
    }
    for body in ["0", "0\n", "200\r\n"] {
        assert!(comments(body).unwrap().comments.is_empty(), "{body:?}");
    }
}

#[test]
fn reads_the_published_comments() {
    for case in vectors().of("comments") {
        let run = case.run();
        let page = run.at(Stage::Decoded, comments(case.text("text")));
        let rows: Vec<_> = page
            .comments
            .iter()
            .map(|comment| {
                let (time, stars) = (comment.time.seconds().to_string(), comment.stars.to_string());
                json!([time, comment.transaction_id.as_str(), stars, comment.text])
            })
            .collect();
        run.decoded(&json!({"next_offset": page.next_offset.to_string(), "comments": rows}))
            .done();
    }
}

#[test]
fn pages_by_the_offset_that_the_answer_names() {
    let page = comments("200\n`2023-11-14 10:00:05,`42,`5,`x\n").unwrap();
    let next = day().next_page(&page).unwrap();
    assert_eq!((next.offset, next.begin, next.end), (200, day().begin, day().end));
    assert!(next.next_page(&page).is_none(), "it would stand still");
    assert!(next.next_page(&comments("201\n").unwrap()).is_none(), "nothing came");
}

#[test]
fn what_is_no_page_of_comments_is_an_error_that_says_where() {
    for (body, reason) in [
        ("", "empty"),
        ("x", "field offset"),
        ("-1\n", "field offset"),
        ("1\nx\n", "field comments[0]"),
        ("1\n`2023-11-14,`42,`5,`x\n", "field comments[0].time"),
        (
            "2\n`2023-11-14 10:00:05,`42,`5,`x\n`2023-11-14 10:00:05,`42,`five,`x\n",
            "field comments[1].stars",
        ),
        ("1\n`2023-11-14 10:00:05,`,`5,`x\n", "field comments[0].transaction_id"),
        ("1\n`2023-11-14 10:00:05,`42,`5\n", "field comments[0].comment"),
        ("<html>x</html>", "html"),
        ("<xml><return_code>SUCCESS</return_code></xml>", "format"),
    ] {
        assert_eq!(why(&comments(body).unwrap_err()), reason, "{body}");
    }
    let latin = day()
        .reply(&account(), &response(200, &b"1\n`\xff"[..]), now())
        .unwrap_err();
    assert_eq!(why(&latin), "format");
    let refused = "\u{feff}<xml><return_code><![CDATA[SUCCESS]]></return_code><result_code>FAIL</result_code>\
                   <err_code>PARAM_ERROR</err_code><err_code_des>no such time</err_code_des></xml>";
    let error = comments(refused).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(
        (&*refusal.code, &*refusal.message, refusal.verified),
        ("PARAM_ERROR", "no such time", false)
    );
    assert_eq!(
        (refusal.meaning.kind, error.advice()),
        (RefusalKind::Configuration, Advice::Stop)
    );
}

fn ip() -> IpAddr {
    "198.51.100.9".parse().unwrap()
}

fn call() -> CallReport {
    CallReport::new(
        "https://api.mch.weixin.qq.com/pay/unifiedorder",
        Duration::from_micros(1_234_999),
        "SUCCESS",
        "FAIL",
    )
}

#[test]
fn reports_a_call_or_a_tills_payments() {
    let mut full = call();
    full.return_msg = Some("OK".to_owned());
    full.err_code = Some("SYSTEMERROR".to_owned());
    full.err_code_des = Some("系统错误".to_owned());
    full.order_no = Some(OrderNo::new(ORDER_NO).unwrap());
    full.time = Some(now());
    let request = Report::call(ip(), full).request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/payitil/report");
    let fields = sent(&request);
    for (name, value) in [
        ("interface_url", "https://api.mch.weixin.qq.com/pay/unifiedorder"),
        ("execute_time", "1234"),
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("result_code", "FAIL"),
        ("err_code", "SYSTEMERROR"),
        ("err_code_des", "系统错误"),
        ("out_trade_no", ORDER_NO),
        ("user_ip", "198.51.100.9"),
        ("time", "20231115061320"),
    ] {
        assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!((fields.len(), &fields["sign"]), (15, &oracle::v2_md5(&fields, KEY)));
    assert_eq!(
        sent(&Report::call(ip(), call()).request(&account(), &ambient()).unwrap()).len(),
        10
    );

    let trades = r#"[{"out_trade_no":"1","state":"OK"}]"#;
    let report = Report::payments(ip(), trades);
    let fields = sent(&report.request(&account(), &ambient()).unwrap());
    assert_eq!(fields["trades"], trades);
    assert_eq!(
        (&*fields["interface_url"], fields.len()),
        ("https://api.mch.weixin.qq.com/pay/batchreport/micropay/total", 8)
    );
    assert!(!format!("{report:?}").contains("out_trade_no"), "{report:?}");
}

#[test]
fn refuses_what_a_report_cannot_carry() {
    let set = |change: fn(&mut CallReport)| {
        let mut call = call();
        change(&mut call);
        refused(&Report::call(ip(), call))
    };
    for (field, error) in [
        ("interface_url", set(|call| call.interface_url = "x".repeat(128))),
        (
            "execute_time",
            set(|call| call.duration = Duration::from_secs(u64::MAX)),
        ),
        ("return_code", set(|call| call.return_code.clear())),
        ("return_msg", set(|call| call.return_msg = Some("x".repeat(129)))),
        ("result_code", set(|call| call.result_code = "x".repeat(17))),
        ("err_code", set(|call| call.err_code = Some("x".repeat(33)))),
        ("err_code_des", set(|call| call.err_code_des = Some("x".repeat(129)))),
        ("out_trade_no", set(|call| call.order_no = OrderNo::new("a@b").ok())),
        ("time", set(|call| call.time = Some(UnixTime::from_seconds(i64::MAX)))),
        ("trades", refused(&Report::payments(ip(), "x".repeat(1025)))),
        (
            "user_ip",
            refused(&Report::call("2001:db8:85a3::8a2e:370:7334".parse().unwrap(), call())),
        ),
    ] {
        assert_eq!(error.field(), Some(field), "{error:?}");
        assert!(!matches!(error, BuildError::Encode(_)));
    }
    assert!(
        Report::call("2001:db8::1".parse().unwrap(), call())
            .request(&account(), &ambient())
            .is_ok()
    );
}

fn reported(answer: &Response<Bytes>) -> Result<Reported, Error> {
    Report::call(ip(), call()).reply(&account(), answer, now())
}

#[test]
fn takes_the_unsigned_answer_to_a_report_for_what_it_is() {
    let good = &[
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("result_code", "SUCCESS"),
    ];
    let answer = |changes: Changes<'_>| response(200, xml(&changed(good, changes)));
    assert_eq!(
        reported(&answer(&[("x", Some("1"))])).unwrap().extra.get("x"),
        Some("1")
    );
    let error = |changes: Changes<'_>| reported(&answer(changes)).unwrap_err();
    let fail = error(&[("return_code", Some("FAIL")), ("return_msg", Some("签名错误"))]);
    assert_eq!((&*why(&fail), fail.fate()), ("refused FAIL", Fate::Refused));
    let code = error(&[("result_code", Some("FAIL")), ("err_code", Some("SYSTEMERROR"))]);
    assert_eq!(
        (&*why(&code), code.refusal().unwrap().verified),
        ("refused SYSTEMERROR", false)
    );
    assert_eq!((code.fate(), code.advice()), (Fate::Unknown, Advice::Repeat));
    assert_eq!(why(&error(&[("result_code", None)])), "field result_code");
    assert_eq!(why(&error(&[("return_code", None)])), "field return_code");
    assert_eq!(why(&reported(&response(200, "<html>x</html>")).unwrap_err()), "html");
    assert_eq!(
        why(&reported(&response(502, xml(&changed(good, &[])))).unwrap_err()),
        "status 502"
    );
}

#[test]
fn lists_the_small_calls_with_what_proves_their_answers() {
    for (operation, effect, trust, certificate) in [
        (
            "exchange_auth_code",
            Effect::Repeatable,
            ReplyTrust::Signed,
            ClientAuth::None,
        ),
        ("shorten_link", Effect::Read, ReplyTrust::Signed, ClientAuth::None),
        ("query_comments", Effect::Read, ReplyTrust::File, ClientAuth::Required),
        ("report", Effect::Repeatable, ReplyTrust::Unsigned, ClientAuth::None),
    ] {
        let routes = routes();
        let info = routes.iter().find(|info| info.route.operation == operation).unwrap();
        assert_eq!((info.route.effect, info.reply), (effect, trust), "{operation}");
        assert_eq!(info.route.client_certificate, certificate, "{operation}");
    }
}

proptest! {
    /// Whatever comes in place of comments is read or refused, and never a panic.
    #[test]
    fn reads_any_text_or_says_what_is_wrong(text in "[0-9]{0,3}\\r?\\n?(`[-`,0-9: a茶\\n]{0,60})?") {
        // The offset may have the backtick of the rows in front of it.
        let digits = text.strip_prefix('`').unwrap_or(&text);
        let digits = &digits[..digits.bytes().take_while(u8::is_ascii_digit).count()];
        match comments(&text) {
            Ok(page) => prop_assert_eq!(digits.parse().ok(), Some(page.next_offset)),
            Err(error) => prop_assert!(!why(&error).is_empty()),
        }
    }
}
