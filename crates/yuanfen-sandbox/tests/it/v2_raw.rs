//! WeChat Pay v2 byte by byte over a socket: calls signed by hashlib (`tests/calls/make.py`), and the bytes of answers.

use std::time::Duration;

use yuanfen_sandbox::{Account, Payer, Platform, Sandbox, SignatureVerdict};
use yuanfen_testkit::oracle;

use crate::raw_http::{Answer, sandbox, send};
use crate::shop::xml_fields;

const V2: Platform = Platform::WechatV2;
const KEY: &str = "ThrowAwaySandboxApiKeyOfWechatV2";
/// In the call `v2-micropay`; the first code that a sandbox with this seed shows.
const CODE: &str = "159051853007042695";

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

/// A sandbox whose payer shows the code of the calls.
async fn till() -> Sandbox {
    let sandbox = sandbox().await;
    assert_eq!(sandbox.payment_code(V2, Payer::default()), CODE);
    sandbox
}

/// That the bytes are those fields in that order, where the three that chance makes may be anything.
fn reads(answer: &Answer, fields: &[(&str, &str)]) {
    let told = xml_fields(&answer.body);
    let mut expected = String::from("<xml>");
    for (name, value) in fields {
        let value = if *value == "?" { told[*name].as_str() } else { value };
        // Letters, digits and a few signs stand bare, everything else is quoted.
        let bare = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
        let value = if value.bytes().all(bare) {
            value.to_owned()
        } else {
            format!("<![CDATA[{value}]]>")
        };
        expected += &format!("<{name}>{value}</{name}>");
    }
    expected += "</xml>";
    assert_eq!(text(answer), expected);
}

const HEAD: [(&str, &str); 6] = [
    ("return_code", "SUCCESS"),
    ("return_msg", "OK"),
    ("appid", "wx5a6d0b0c5a1e4d21"),
    ("mch_id", "1900000001"),
    ("nonce_str", "?"),
    ("result_code", "SUCCESS"),
];

#[tokio::test]
async fn charges_a_code_under_either_digest_and_takes_it_back() {
    for (name, is_md5) in [("v2-micropay", true), ("v2-micropay-hmac", false)] {
        let sandbox = till().await;
        let answer = send(&sandbox, name).await;
        let paid = [
            ("out_trade_no", "T_1"),
            ("attach", "a < b & c"),
            ("openid", "oSandbox_Payer-0123456789abc"),
            ("is_subscribe", "N"),
            ("trade_type", "MICROPAY"),
            ("bank_type", "CMC_DEBIT"),
            ("total_fee", "99"),
            ("fee_type", "CNY"),
            ("cash_fee", "99"),
            ("transaction_id", "?"),
            ("time_end", "20251009165320"),
            ("sign", "?"),
        ];
        // What the request names is named again.
        let named = if is_md5 {
            &[][..]
        } else {
            &[("sign_type", "HMAC-SHA256")]
        };
        reads(&answer, &[&HEAD[..], named, &paid].concat());
        let fields = xml_fields(&answer.body);
        let sign = if is_md5 {
            oracle::v2_md5(&fields, KEY)
        } else {
            oracle::v2_hmac(&fields, KEY)
        };
        assert_eq!(fields["sign"], sign);
        let answer = send(&sandbox, "v2-reverse").await;
        reads(&answer, &[&HEAD[..], &[("recall", "N"), ("sign", "?")]].concat());
        let again = xml_fields(&send(&sandbox, name).await.body);
        assert_eq!(again["err_code"], "ORDERREVERSED");
    }
}

#[tokio::test]
async fn says_who_shows_a_code() {
    let sandbox = till().await;
    let answer = send(&sandbox, "v2-code-to-openid").await;
    let openid = [("openid", "oSandbox_Payer-0123456789abc"), ("sign", "?")];
    reads(&answer, &[&HEAD[..], &openid].concat());
}

#[tokio::test]
async fn refunds_and_tells_of_it_in_both_editions() {
    for (call, asked) in [
        ("v2-refund", "v2-refund-query"),
        ("v2-refund-second-edition", "v2-refund-query-second-edition"),
    ] {
        let sandbox = till().await;
        send(&sandbox, "v2-micropay").await;
        let order = [
            ("transaction_id", "?"),
            ("out_trade_no", "T_1"),
            ("total_fee", "99"),
            ("fee_type", "CNY"),
            ("cash_fee", "99"),
        ];
        let refund = [
            ("out_refund_no", "R@1"),
            ("refund_id", "?"),
            ("refund_fee", "33"),
            ("cash_refund_fee", "33"),
            ("sign", "?"),
        ];
        reads(&send(&sandbox, call).await, &[&HEAD[..], &order, &refund].concat());
        let record = [
            ("refund_count", "1"),
            ("out_refund_no_0", "R@1"),
            ("refund_id_0", "?"),
            ("refund_channel_0", "ORIGINAL"),
            ("refund_fee_0", "33"),
            ("refund_status_0", "PROCESSING"),
            ("refund_account_0", "REFUND_SOURCE_UNSETTLED_FUNDS"),
            ("refund_recv_accout_0", "支付用户零钱"),
            ("sign", "?"),
        ];
        reads(&send(&sandbox, asked).await, &[&HEAD[..], &order, &record].concat());
    }
}

#[tokio::test]
async fn hands_out_bills_and_comments_as_text() {
    let sandbox = till().await;
    send(&sandbox, "v2-micropay").await;
    sandbox.comment(V2, "T_1", 4, "fresh, hot").unwrap();
    let number = sandbox.order(V2, "T_1").unwrap().payment.unwrap().transaction_id;
    let early = send(&sandbox, "v2-bill").await;
    assert_eq!(
        text(&early),
        "<xml><return_code>FAIL</return_code><return_msg><![CDATA[Bill Creating]]></return_msg></xml>"
    );
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();

    let bill = send(&sandbox, "v2-bill").await;
    let mut lines = text(&bill).split("\r\n");
    assert!(
        lines
            .next()
            .unwrap()
            .starts_with("\u{feff}交易时间,公众账号ID,商户号,特约商户号,")
    );
    let row = format!(
        "`2025-10-09 16:53:20,`wx5a6d0b0c5a1e4d21,`1900000001,`0,`,`{number},`T_1,`oSandbox_Payer-0123456789abc,\
         `MICROPAY,`SUCCESS,`CMC_DEBIT,`CNY,`0.99,`0.00,`0,`0,`0.00,`0.00,`,`,`tea, hot,`a < b & c,`0.00594,`0.60%,\
         `0.99,`0.00,`"
    );
    assert_eq!(lines.next(), Some(row.as_str()));
    assert!(lines.next().unwrap().starts_with("总交易单数,"));
    assert_eq!(lines.next(), Some("`1.0,`0.99,`0.00,`0.0,`0.00594,`0.99,`0.00"));
    assert_eq!((lines.next(), lines.next()), (Some(""), None));
    let refused = send(&sandbox, "v2-bill-wrong-signature").await;
    assert_eq!(
        text(&refused),
        "<xml><return_code>FAIL</return_code><return_msg><![CDATA[SIGN ERROR]]></return_msg></xml>"
    );

    let funds = send(&sandbox, "v2-fund-flow").await;
    assert_eq!(
        funds.headers["digest"],
        format!("SHA={}", oracle::sha1_hex(&funds.body))
    );
    let last = text(&funds).trim_end().rsplit("\r\n").next();
    assert_eq!(last, Some("`1.0,`1.0,`0.99,`0.0,`0.00"));
    let comments = send(&sandbox, "v2-comments").await;
    assert_eq!(
        text(&comments),
        format!("1\n`2025-10-09 16:53:20,`{number},`4,`fresh, hot\n")
    );
}

#[tokio::test]
async fn shortens_a_link_and_takes_a_report() {
    let sandbox = sandbox().await;
    let answer = send(&sandbox, "v2-short-link").await;
    reads(&answer, &[&HEAD[..], &[("short_url", "?"), ("sign", "?")]].concat());
    let exchange = sandbox.exchanges().pop().unwrap();
    assert_eq!(exchange.signature, SignatureVerdict::Holds);
    let signed = exchange.canonical_text.unwrap();
    assert!(
        signed.contains("&long_url=weixin://wxpay/bizpayurl?sign=AB12&appid="),
        "{signed}"
    );
    let answer = send(&sandbox, "v2-report").await;
    reads(&answer, &[HEAD[0], HEAD[1], HEAD[5]]);
}

#[tokio::test]
async fn tells_a_service_provider_for_whom_it_speaks() {
    let sandbox = sandbox().await;
    let head = [
        HEAD[0],
        HEAD[1],
        ("appid", "wx7c1d2e3f4a5b6c7d"),
        ("mch_id", "1900000101"),
        ("sub_appid", "wx8d2e3f4a5b6c7d8e"),
        ("sub_mch_id", "1900000111"),
        HEAD[4],
        HEAD[5],
    ];
    let answer = send(&sandbox, "v2-provider-place").await;
    let placed = [("trade_type", "JSAPI"), ("prepay_id", "?"), ("sign", "?")];
    reads(&answer, &[&head[..], &placed].concat());
    let fields = xml_fields(&answer.body);
    assert_eq!(
        fields["sign"],
        oracle::v2_md5(&fields, "ThrowAwaySandboxApiKeyOfProvider")
    );

    sandbox.pay(Account::provider(V2), "20251009_1").unwrap();
    let found = xml_fields(&send(&sandbox, "v2-provider-query").await.body);
    assert_eq!(
        (&*found["trade_state"], &*found["sub_mch_id"]),
        ("SUCCESS", "1900000111")
    );
    let refused = send(&sandbox, "v2-provider-place-under-the-merchants-key").await;
    assert_eq!(
        text(&refused),
        "<xml><return_code>FAIL</return_code><return_msg><![CDATA[签名错误]]></return_msg></xml>"
    );
}
