//! Which bytes go out, which are read, and that the digest is over UTF-8 whatever they are.

use yuanfen_core::{ErrorKind, Opens as _, OperationExt as _, Verified};
use yuanfen_starpos::{BodyEncoding, Reply};
use yuanfen_testkit::oracle;

use crate::{KEY, account, ambient, map, now, pay, reply, sent};

const SUBJECT: &str = "测试 商品 \"引\\号\"";

fn sealed(encoding: BodyEncoding) -> http::Request<bytes::Bytes> {
    let mut pay = pay();
    pay.subject = Some(SUBJECT.to_owned());
    pay.request(&account().with_body_encoding(encoding), &ambient())
        .unwrap()
}

#[test]
fn by_default_the_body_is_ascii_and_reads_the_same_in_both_charsets() {
    let request = sealed(BodyEncoding::AsciiJson);
    assert!(request.body().is_ascii());
    assert_eq!(request.headers()["content-type"], "application/json");
    let text = std::str::from_utf8(request.body()).unwrap();
    assert!(text.contains("\\u6d4b\\u8bd5 \\u5546\\u54c1"), "{text}");
    assert_eq!(sent(&request).get("subject"), Some(SUBJECT));
}

#[test]
fn beyond_the_basic_plane_two_escapes_stand_for_one_character() {
    let mut pay = pay();
    pay.subject = Some("a😀".to_owned());
    let request = pay.request(&account(), &ambient()).unwrap();
    let text = std::str::from_utf8(request.body()).unwrap();
    assert!(text.contains("\"subject\":\"a\\ud83d\\ude00\""), "{text}");
    assert_eq!(sent(&request).get("subject"), Some("a😀"));
}

#[test]
fn the_digest_is_over_utf8_and_without_spaces_in_every_encoding() {
    let ascii = sent(&sealed(BodyEncoding::AsciiJson));
    let expected = oracle::starpos_sign(&map(ascii.iter()), KEY);
    for encoding in [BodyEncoding::AsciiJson, BodyEncoding::Gbk, BodyEncoding::Utf8] {
        let request = sealed(encoding);
        let body = request.body().to_vec();
        let text = match encoding {
            BodyEncoding::Gbk => encoding_rs::GBK.decode(&body).0.into_owned(),
            _ => String::from_utf8(body).unwrap(),
        };
        assert!(text.contains(&expected), "{encoding:?}: {text}");
    }
}

#[test]
fn raw_gbk_has_two_octets_for_a_character_and_says_so() {
    let request = sealed(BodyEncoding::Gbk);
    assert_eq!(request.headers()["content-type"], "application/json;charset=GBK");
    // 测试, as GBK has it.
    let wanted = [0xb2, 0xe2, 0xca, 0xd4];
    assert!(request.body().windows(4).any(|octets| octets == wanted));
}

#[test]
fn raw_utf8_says_so() {
    let request = sealed(BodyEncoding::Utf8);
    assert_eq!(request.headers()["content-type"], "application/json;charset=UTF-8");
    assert!(std::str::from_utf8(request.body()).unwrap().contains("测试 商品"));
}

#[test]
fn the_character_set_of_a_query_goes_with_the_encoding() {
    use yuanfen_starpos::ops::QueryOrder;
    for (encoding, expected) in [
        (BodyEncoding::AsciiJson, "00"),
        (BodyEncoding::Gbk, "00"),
        (BodyEncoding::Utf8, "01"),
    ] {
        let query = QueryOrder::by_trade_no(&pay().order_no);
        let request = query
            .request(&account().with_body_encoding(encoding), &ambient())
            .unwrap();
        assert_eq!(sent(&request).get("characterSet"), Some(expected));
        assert_eq!(encoding.character_set(), expected);
    }
}

#[test]
fn a_character_that_gbk_does_not_have_is_refused_before_anything_is_signed() {
    let mut pay = pay();
    pay.subject = Some("a😀".to_owned());
    let error = pay
        .request(&account().with_body_encoding(BodyEncoding::Gbk), &ambient())
        .unwrap_err();
    match error.kind() {
        ErrorKind::Build(error) => assert_eq!(error.field(), Some("characterSet")),
        other => panic!("{other:?}"),
    }
}

/// `{"returnCode":"000000","message":"交易成功", …}` in the given bytes, with the digest over UTF-8.
fn reply_text(message: &str) -> String {
    let fields = [
        ("returnCode", "000000"),
        ("mercId", "000000000000001"),
        ("subject", "测试 商品"),
    ];
    let mut all = map(fields);
    all.insert("message".to_owned(), "交易 成功".to_owned());
    let sign = oracle::starpos_sign(&all, KEY);
    format!(
        "{{\"returnCode\":\"000000\",\"mercId\":\"000000000000001\",\"subject\":\"测试 商品\",\
         \"message\":\"{message}\",\"signValue\":\"{sign}\"}}"
    )
}

fn open(body: Vec<u8>) -> Verified<Reply> {
    Verified::<Reply>::open(&account(), &reply(200, body), now()).unwrap()
}

#[test]
fn replies_are_read_in_utf8_and_in_gbk() {
    // Form style: a plus sign is a blank.
    let text = reply_text("%E4%BA%A4%E6%98%93+%E6%88%90%E5%8A%9F");
    let (gbk, _, lossy) = encoding_rs::GBK.encode(&text);
    assert!(!lossy && std::str::from_utf8(&gbk).is_err());
    for body in [text.clone().into_bytes(), gbk.into_owned()] {
        let opened = open(body);
        assert_eq!(opened.get().fields.get("subject"), Some("测试 商品"));
        assert_eq!(opened.get().fields.get("message"), Some("交易 成功"));
    }
}

#[test]
fn a_message_that_is_not_encoded_is_taken_as_it_is() {
    assert_eq!(
        open(reply_text("交易 成功").into_bytes()).get().fields.get("message"),
        Some("交易 成功")
    );
}

#[test]
fn all_values_encoded_is_the_second_reading() {
    let all = map([("returnCode", "000000"), ("subject", "测试"), ("message", "成功")]);
    let sign = oracle::starpos_sign(&all, KEY);
    let body = format!(
        "{{\"returnCode\":\"000000\",\"subject\":\"%E6%B5%8B%E8%AF%95\",\"message\":\"%E6%88%90%E5%8A%9F\",\
         \"signValue\":\"{sign}\"}}"
    );
    assert_eq!(open(body.into_bytes()).get().fields.get("subject"), Some("测试"));
    // Signed as it came, it stays as it came.
    let all = map([("returnCode", "000000"), ("subject", "100%25+1")]);
    let sign = oracle::starpos_sign(&all, KEY);
    let body = format!("{{\"returnCode\":\"000000\",\"subject\":\"100%25+1\",\"signValue\":\"{sign}\"}}");
    assert_eq!(open(body.into_bytes()).get().fields.get("subject"), Some("100%25+1"));
}

#[test]
fn what_is_no_percent_encoding_stays_as_it_came() {
    for message in ["100%", "%zz", "%E4%BA", "a%2"] {
        let all = map([("returnCode", "000000"), ("message", message)]);
        let sign = oracle::starpos_sign(&all, KEY);
        let body = format!("{{\"returnCode\":\"000000\",\"message\":\"{message}\",\"signValue\":\"{sign}\"}}");
        assert_eq!(open(body.into_bytes()).get().fields.get("message"), Some(message));
    }
}

#[test]
fn bytes_of_neither_charset_are_no_message() {
    let error = Verified::<Reply>::open(&account(), &reply(200, &b"{\"a\":\"\xff\xff\"}"[..]), now()).unwrap_err();
    match error {
        yuanfen_core::OpenError::Protocol(error) => {
            assert_eq!(error.kind, yuanfen_core::ProtocolErrorKind::Format);
        }
        other => panic!("{other:?}"),
    }
}
