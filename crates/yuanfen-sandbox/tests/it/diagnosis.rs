//! Signatures made over a text that is wrong in a known way, and whether the sandbox finds the way. Each text is written
//! out here as a caller's program would have built it; only RSA and MD5 come from libraries.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use bytes::Bytes;
use http::Request;
use yuanfen_core::{FixedAmbient, Sign as _};
use yuanfen_sandbox::{Divergence, FarSide, Mistake, SignatureVerdict};
use yuanfen_sign::RsaSigningKey;
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_testkit::oracle;

use crate::shop::{NOW, far_side};
use crate::wire::escape;
use crate::{fshows, mpgateway};

const NONCE: &str = "593BEC0C930BF1AFEB40B4A08C8FB242";
const BODY: &str = r#"{"mchid":"1900000001","reason":"牛肉面 & tea"}"#;
const CLOSE: &str = "/v3/pay/transactions/out-trade-no/A_1/close";
const QUERY: &str = "/v3/pay/transactions/out-trade-no/A%2A1?mchid=1900000001";

/// The last call was refused for its signature; what the sandbox makes of it.
fn last(far_side: &FarSide) -> Option<Divergence> {
    let exchange = far_side.exchanges().pop().unwrap();
    assert_eq!(exchange.signature, SignatureVerdict::Mismatch);
    exchange.divergence()
}

fn found(far_side: &FarSide, mistake: Mistake) -> Divergence {
    let divergence = last(far_side).unwrap_or_else(|| panic!("{mistake} was not found"));
    assert_eq!(divergence.mistakes, [mistake]);
    divergence
}

fn key(far_side: &FarSide) -> RsaSigningKey {
    RsaSigningKey::parse(far_side.wechat_v3().merchant_private_key_pem.expose()).unwrap()
}

fn rsa(key: &RsaSigningKey, text: &str) -> String {
    key.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap()
}

/// Sends an APIv3 call under that signature.
fn send_v3(far_side: &FarSide, method: &str, target: &str, body: &str, signature: &str) {
    let account = far_side.wechat_v3();
    let authorization = format!(
        "WECHATPAY2-SHA256-RSA2048 mchid=\"{}\",nonce_str=\"{NONCE}\",timestamp=\"{NOW}\",serial_no=\"{}\",signature=\"{signature}\"",
        account.merchant_id, account.merchant_serial
    );
    let request = Request::builder()
        .method(method)
        .uri(format!("https://sandbox.example{target}"))
        .header("host", "sandbox.example")
        .header("authorization", authorization)
        .header("accept", "application/json")
        .header("content-type", "application/json")
        .header("user-agent", "test")
        .body(Bytes::from(body.to_owned()))
        .unwrap();
    assert_eq!(far_side.answer(&request).unwrap().status(), 401);
}

#[test]
fn finds_what_a_caller_of_apiv3_signed_in_place_of_the_address() {
    let far_side = far_side();
    for (signed, mistake) in [
        ("/v3/pay/transactions/out-trade-no/A%2A1", Mistake::QueryLeftOut),
        (
            "/v3/pay/transactions/out-trade-no/A*1?mchid=1900000001",
            Mistake::TargetUnescaped,
        ),
        (
            "https://api.mch.weixin.qq.com/v3/pay/transactions/out-trade-no/A%2A1?mchid=1900000001",
            Mistake::WholeAddress,
        ),
        (
            "https://sandbox.example/v3/pay/transactions/out-trade-no/A%2A1?mchid=1900000001",
            Mistake::WholeAddress,
        ),
        (
            "v3/pay/transactions/out-trade-no/A%2A1?mchid=1900000001",
            Mistake::TargetSlash,
        ),
        (
            "/pay/transactions/out-trade-no/A%2A1?mchid=1900000001",
            Mistake::TargetShortened,
        ),
    ] {
        let signature = rsa(&key(&far_side), &format!("GET\n{signed}\n{NOW}\n{NONCE}\n\n"));
        send_v3(&far_side, "GET", QUERY, "", &signature);
        let divergence = found(&far_side, mistake);
        assert_eq!(divergence.ours, format!("GET\n{QUERY}\n{NOW}\n{NONCE}\n\n"));
        assert_eq!(divergence.theirs, format!("GET\n{signed}\n{NOW}\n{NONCE}\n\n"));
        let common = divergence.ours.bytes().zip(divergence.theirs.bytes());
        let common = common.take_while(|(ours, theirs)| ours == theirs).count();
        assert_eq!(divergence.at, Some(common), "{signed}");
    }
    // An order number with a star, sent bare and signed as some URL builders write it.
    let signature = rsa(
        &key(&far_side),
        &format!("GET\n/v3/pay/transactions/out-trade-no/A%2A1?mchid=1900000001\n{NOW}\n{NONCE}\n\n"),
    );
    let bare = "/v3/pay/transactions/out-trade-no/A*1?mchid=1900000001";
    send_v3(&far_side, "GET", bare, "", &signature);
    found(&far_side, Mistake::TargetEscaped);
}

#[test]
fn finds_what_a_caller_of_apiv3_signed_in_place_of_the_body() {
    let far_side = far_side();
    for (signed, mistake) in [
        ("", Mistake::BodyLeftOut),
        // As Python's json.dumps, PHP's json_encode and Go's encoding/json write the same members.
        (
            "{\"mchid\": \"1900000001\", \"reason\": \"\\u725b\\u8089\\u9762 & tea\"}",
            Mistake::BodyRespelled,
        ),
        (
            "{\"mchid\":\"1900000001\",\"reason\":\"\\u725b\\u8089\\u9762 & tea\"}",
            Mistake::BodyRespelled,
        ),
        (
            "{\"mchid\":\"1900000001\",\"reason\":\"牛肉面 \\u0026 tea\"}",
            Mistake::BodyRespelled,
        ),
        (
            "{\n  \"mchid\": \"1900000001\",\n  \"reason\": \"牛肉面 & tea\"\n}",
            Mistake::BodyRespelled,
        ),
        (
            "{\"mchid\":\"1900000001\",\"reason\":\"牛肉面 & tea\"}\n",
            Mistake::BodyTrimmed,
        ),
    ] {
        let signature = rsa(&key(&far_side), &format!("POST\n{CLOSE}\n{NOW}\n{NONCE}\n{signed}\n"));
        send_v3(&far_side, "POST", CLOSE, BODY, &signature);
        assert!(found(&far_side, mistake).theirs.ends_with(&format!("{signed}\n")));
    }
    let signature = rsa(&key(&far_side), &format!("GET\n{QUERY}\n{NOW}\n{NONCE}\n{{}}\n"));
    send_v3(&far_side, "GET", QUERY, "", &signature);
    found(&far_side, Mistake::BodyInvented);
}

#[test]
fn finds_wrong_frames_keys_and_spellings_on_apiv3() {
    let far_side = far_side();
    let key = key(&far_side);
    for (text, mistake) in [
        (format!("GET\n{QUERY}\n{NOW}\n{NONCE}\n"), Mistake::LastLineBreak),
        (
            format!("GET\r\n{QUERY}\r\n{NOW}\r\n{NONCE}\r\n\r\n"),
            Mistake::LineBreakSpelling,
        ),
        (format!("GET\n{QUERY}\n{NONCE}\n{NOW}\n\n"), Mistake::LinesSwapped),
        (format!("get\n{QUERY}\n{NOW}\n{NONCE}\n\n"), Mistake::MethodSpelling),
    ] {
        send_v3(&far_side, "GET", QUERY, "", &rsa(&key, &text));
        found(&far_side, mistake);
    }

    let right = format!("GET\n{QUERY}\n{NOW}\n{NONCE}\n\n");
    let provider = far_side.wechat_v3_provider();
    let provider = RsaSigningKey::parse(provider.provider_private_key_pem.expose()).unwrap();
    send_v3(&far_side, "GET", QUERY, "", &rsa(&provider, &right));
    assert_eq!(found(&far_side, Mistake::OtherKey).at, None);

    let bytes = STANDARD.decode(rsa(&key, &right)).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let url_safe = URL_SAFE.encode(&bytes);
    assert!(url_safe.contains(['-', '_']));
    for signature in [hex, url_safe] {
        send_v3(&far_side, "GET", QUERY, "", &signature);
        found(&far_side, Mistake::SignatureSpelling);
    }
}

#[test]
fn two_mistakes_at_once_are_both_named_and_chance_is_not_explained() {
    let far_side = far_side();
    let text = format!("POST\nhttps://api.mch.weixin.qq.com{CLOSE}\n{NOW}\n{NONCE}\n\n");
    send_v3(&far_side, "POST", CLOSE, BODY, &rsa(&key(&far_side), &text));
    let mistakes = last(&far_side).unwrap().mistakes;
    assert_eq!(mistakes, [Mistake::WholeAddress, Mistake::BodyLeftOut]);

    let text = format!("POST\n/v3/elsewhere\n{NOW}\n{NONCE}\n{BODY}\n");
    send_v3(&far_side, "POST", CLOSE, BODY, &rsa(&key(&far_side), &text));
    assert_eq!(last(&far_side), None);
    send_v3(&far_side, "POST", CLOSE, BODY, "AAAA");
    assert_eq!(last(&far_side), None);
}

const V2_KEY: &str = "ThrowAwaySandboxApiKeyOfWechatV2";

/// Asks v2 for an order under that signature.
fn send_v2(far_side: &FarSide, extra: &str, signature: &str) {
    let body = format!(
        "<xml><out_trade_no>A 1</out_trade_no><appid>wx5a6d0b0c5a1e4d21</appid><mch_id>1900000001</mch_id>\
         <nonce_str>n1</nonce_str><attach>a&amp;b </attach>{extra}<sign>{signature}</sign></xml>"
    );
    let request = Request::post("https://sandbox.example/pay/orderquery").body(Bytes::from(body));
    far_side.answer(&request.unwrap()).unwrap();
}

fn upper_md5(text: &str) -> String {
    oracle::md5_hex(text.as_bytes()).to_uppercase()
}

#[test]
fn finds_what_a_caller_of_v2_signed() {
    let far_side = far_side();
    let right = "appid=wx5a6d0b0c5a1e4d21&attach=a&b &mch_id=1900000001&nonce_str=n1&out_trade_no=A 1";
    for (text, mistake) in [
        (format!("{right}{V2_KEY}"), Mistake::KeyTail),
        (format!("{right}&key={V2_KEY}\n"), Mistake::KeyLineBreak),
        (
            format!(
                "out_trade_no=A 1&appid=wx5a6d0b0c5a1e4d21&mch_id=1900000001&nonce_str=n1&attach=a&b &key={V2_KEY}"
            ),
            Mistake::FieldOrder,
        ),
        (
            format!(
                "appid=wx5a6d0b0c5a1e4d21&attach=a&amp;b &mch_id=1900000001&nonce_str=n1&out_trade_no=A 1&key={V2_KEY}"
            ),
            Mistake::ValuesInXml,
        ),
        (
            format!(
                "appid=wx5a6d0b0c5a1e4d21&attach=a%26b+&mch_id=1900000001&nonce_str=n1&out_trade_no=A+1&key={V2_KEY}"
            ),
            Mistake::ValuesEscaped,
        ),
        (
            format!("appid=wx5a6d0b0c5a1e4d21&attach=a&b&mch_id=1900000001&nonce_str=n1&out_trade_no=A 1&key={V2_KEY}"),
            Mistake::ValuesTrimmed,
        ),
    ] {
        send_v2(&far_side, "", &upper_md5(&text));
        let divergence = found(&far_side, mistake);
        assert!(!divergence.ours.contains(V2_KEY) && !divergence.theirs.contains(V2_KEY));
        assert!(divergence.ours.ends_with("<key>") && divergence.theirs.ends_with("<key>"));
    }

    let text = format!("appid=wx5a6d0b0c5a1e4d21&mch_id=1900000001&nonce_str=n1&out_trade_no=A 1&key={V2_KEY}");
    send_v2(&far_side, "", &upper_md5(&text));
    assert_eq!(found(&far_side, Mistake::FieldLeftOut).field.as_deref(), Some("attach"));

    let keyed = format!("{right}&key={V2_KEY}");
    send_v2(&far_side, "", &oracle::md5_hex(keyed.as_bytes()));
    found(&far_side, Mistake::SignatureSpelling);

    // The digest says one thing and `sign_type` another.
    let typed = format!("{right}&sign_type=HMAC-SHA256&key={V2_KEY}");
    send_v2(&far_side, "<sign_type>HMAC-SHA256</sign_type>", &upper_md5(&typed));
    found(&far_side, Mistake::OtherDigest);

    let other = format!("{right}&key=ThrowAwaySandboxApiKeyOfProvider");
    send_v2(&far_side, "", &upper_md5(&other));
    found(&far_side, Mistake::OtherKey);
}

#[test]
fn finds_what_a_caller_of_starpos_signed() {
    const KEY: &str = "00112233445566778899AABBCCDDEEFF";
    let far_side = far_side();
    // Sheet, section 4.1: values in the order of lower-cased names, spaces removed, the key behind.
    for (text, mistake) in [
        (
            format!("000000000000001牛肉面 1 00001A-1MD500000001{KEY}"),
            Mistake::Spaces,
        ),
        (
            format!("000000000000001牛肉面100001A-1MD500000001&key={KEY}"),
            Mistake::KeyTail,
        ),
        (
            format!("mercId=000000000000001&message=牛肉面1&orgNo=00001&qryNo=A-1&signType=MD5&trmNo=00000001{KEY}"),
            Mistake::NamesAndValues,
        ),
    ] {
        send_starpos(&far_side, &oracle::md5_hex(text.as_bytes()));
        found(&far_side, mistake);
    }
    let (gbk, ..) = encoding_rs::GBK.encode("000000000000001牛肉面100001A-1MD500000001");
    send_starpos(&far_side, &oracle::md5_hex(&[&gbk[..], KEY.as_bytes()].concat()));
    found(&far_side, Mistake::CharsetGbk);
}

fn send_starpos(far_side: &FarSide, signature: &str) {
    let body = format!(
        "{{\"orgNo\":\"00001\",\"mercId\":\"000000000000001\",\"trmNo\":\"00000001\",\"signType\":\"MD5\",\
         \"qryNo\":\"A-1\",\"message\":\"牛肉面 1 \",\"signValue\":\"{signature}\"}}"
    );
    let request = Request::post("https://sandbox.example/starpos/adpweb/ehpspos3/sdkQryBarcodePay.json")
        .header("content-type", "application/json;charset=utf-8")
        .body(Bytes::from(body));
    far_side.answer(&request.unwrap()).unwrap();
}

#[test]
fn finds_what_a_caller_of_fshows_signed() {
    let far_side = far_side();
    let pem = far_side.fshows().merchant_private_key_pem;
    let send = |content: &str, signature: &str| {
        let content = escape(content);
        let signature = escape(signature);
        let body = format!(
            "app_id=20990101000000001&content={content}&method=fshows.liquidation.order.close&version=1.0&sign={signature}"
        );
        let request = Request::post(format!("https://sandbox.example{}", fshows::GATEWAY)).body(Bytes::from(body));
        far_side.answer(&request.unwrap()).unwrap();
    };
    let sign = |text: &str, digest| {
        let key = LegacyRsaSigningKey::parse(pem.expose(), digest).unwrap();
        key.sign(text.as_bytes(), &FixedAmbient::at(0)).unwrap()
    };
    let content = r#"{"out_trade_no":"面/1"}"#;
    let text = |content: &str| {
        format!("app_id=20990101000000001&content={content}&method=fshows.liquidation.order.close&version=1.0")
    };
    send(content, &sign(&text(content), RsaDigest::Sha256));
    assert_eq!(found(&far_side, Mistake::OtherDigest).at, None);
    send(
        content,
        &sign(&text(r#"{"out_trade_no":"\u9762\/1"}"#), RsaDigest::Sha1),
    );
    assert_eq!(
        found(&far_side, Mistake::BodyRespelled).field.as_deref(),
        Some("content")
    );
    send(
        content,
        &sign(&text("%7B%22out_trade_no%22%3A%22%E9%9D%A2%2F1%22%7D"), RsaDigest::Sha1),
    );
    found(&far_side, Mistake::ValuesEscaped);
}

#[test]
fn finds_what_a_caller_of_mpgateway_signed() {
    const KEY: &str = "testkey-0123456789abcdef";
    let far_side = far_side();
    // Sheet, section 5, V1, whose base64 ends in two signs that a form escapes.
    let request = mpgateway::V1.split_once("req=").unwrap().1.split_once('&').unwrap().0;
    let payload = request.replace("%3D", "=");
    let inside = String::from_utf8(STANDARD.decode(&payload).unwrap()).unwrap();
    for (text, mistake) in [
        (format!("{request}{KEY}"), Mistake::PayloadRespelled),
        (format!("{inside}{KEY}"), Mistake::PayloadDecoded),
        (format!("{payload}&key={KEY}"), Mistake::KeyTail),
        (format!("{payload}{KEY}\n"), Mistake::KeyLineBreak),
    ] {
        let body = format!("req={request}&sign={}", oracle::md5_hex(text.as_bytes()));
        let request = Request::post(format!("https://sandbox.example{}", mpgateway::SUBMIT)).body(Bytes::from(body));
        far_side.answer(&request.unwrap()).unwrap();
        assert!(!found(&far_side, mistake).theirs.contains(KEY));
    }
}
