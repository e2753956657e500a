use proptest::prelude::*;
use yuanfen_core::{Fields, LimitExceeded, Limits};
use yuanfen_form::{FormErrorKind, read, write, write_query};

fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().collect()
}

fn limits(change: impl FnOnce(&mut Limits)) -> Limits {
    let mut limits = Limits::DEFAULT;
    change(&mut limits);
    limits
}

/// fshows sheet, section 7, T1a: the whole body as the sheet prints it, SHA-256
/// `6f73443862e6f2e3a97b3f5696fa9f7ed3d2713debec0f43931cb2cee79a4c33`.
const T1_BODY: &str = "app_id=20990101000000001&content=%7B%22sub_merchant_id%22%3A%2220990101000000000001%22%2C%22body%22%3A%22%E6%B5%8B%E8%AF%95%E5%BA%97-%E6%94%B6%E6%AC%BE+A%26B%3D1%2B2%22%2C%22out_trade_no%22%3A%22DEMO_20990101_0001%22%2C%22total_fee%22%3A%220.01%22%2C%22sub_openid%22%3A%22oTEST0000000000000000000000001%22%2C%22spbill_create_ip%22%3A%22203.0.113.7%22%2C%22notify_url%22%3A%22https%3A%2F%2Fmerchant.example%2Fnotify%3Fsrc%3Dfshows%26v%3D1%22%7D&method=fshows.liquidation.wxpay.mppay&sign=IUOxFCgdpr0cT%2FGRXJCP%2FNL%2FzXT83IuxPsIfj%2Bhwpzd98nsDfhixOxrf15GbdJpN91sofiACop2fToJnR1GJXSijXgj%2BF9jn2S1iAtxIuumAWAV9V4we8FKktFwU8TwTRvmOI0dCDzrs0WgANSlIwwF6H4NbNl8XUmL8FUs%2BeyI%3D&version=1.0";
const T1_CONTENT: &str = r#"{"sub_merchant_id":"20990101000000000001","body":"测试店-收款 A&B=1+2","out_trade_no":"DEMO_20990101_0001","total_fee":"0.01","sub_openid":"oTEST0000000000000000000000001","spbill_create_ip":"203.0.113.7","notify_url":"https://merchant.example/notify?src=fshows&v=1"}"#;
const T1_SIGN: &str = "IUOxFCgdpr0cT/GRXJCP/NL/zXT83IuxPsIfj+hwpzd98nsDfhixOxrf15GbdJpN91sofiACop2fToJnR1GJXSijXgj+F9jn2S1iAtxIuumAWAV9V4we8FKktFwU8TwTRvmOI0dCDzrs0WgANSlIwwF6H4NbNl8XUmL8FUs+eyI=";

#[test]
fn writes_and_reads_the_request_body_of_the_fshows_sheet() {
    let expected = [
        ("app_id", "20990101000000001"),
        ("content", T1_CONTENT),
        ("method", "fshows.liquidation.wxpay.mppay"),
        ("sign", T1_SIGN),
        ("version", "1.0"),
    ];
    let fields = Fields::try_from(&expected[..]).unwrap();
    assert_eq!(T1_BODY.len(), 685);
    assert_eq!(write(&fields), T1_BODY);
    assert_eq!(pairs(&read(T1_BODY.as_bytes(), &Limits::DEFAULT).unwrap()), expected);
}

#[test]
fn decodes_each_value_exactly_once() {
    // fshows sheet, section 7, T4: the JD call-back whose `open_id` was encoded twice, up to its signature.
    let body = "trade_no=2099010112000200000000000002&out_trade_no=DEMO_20990101_0002&open_id=AbC%252FdEf%252B123%253D%253D&desc=%E6%94%AF%E4%BB%98%E6%88%90%E5%8A%9F&status=0&pay_time=2099-01-01+12%3A00%3A02&total_fee=0.0100&promotion_amount=0";
    let fields = read(body.as_bytes(), &Limits::DEFAULT).unwrap();
    assert_eq!(
        pairs(&fields),
        [
            ("trade_no", "2099010112000200000000000002"),
            ("out_trade_no", "DEMO_20990101_0002"),
            ("open_id", "AbC%2FdEf%2B123%3D%3D"),
            ("desc", "支付成功"),
            ("status", "0"),
            ("pay_time", "2099-01-01 12:00:02"),
            ("total_fee", "0.0100"),
            ("promotion_amount", "0"),
        ]
    );
    assert_eq!(write(&fields), body);
}

#[test]
fn writes_the_bodies_of_the_mpgateway_sheet() {
    // mpgateway sheet, section 5, V1 and V5.
    for (request, sign, body) in [
        (
            "eyJhY3Rpb24iOiJXeFNhbyIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImJhY2t1cmwiOiJodHRwczovL3Nob3AuZXhhbXBsZS9ub3RpZnkifQ==",
            "0ecf66aae8f63d9e7ce1742fb1df6424",
            "req=eyJhY3Rpb24iOiJXeFNhbyIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImJhY2t1cmwiOiJodHRwczovL3Nob3AuZXhhbXBsZS9ub3RpZnkifQ%3D%3D&sign=0ecf66aae8f63d9e7ce1742fb1df6424",
        ),
        (
            "eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImNvZGUiOiJQQVlJRC1URVNULTAwMDEifQ==",
            "d044a273eba61a8e78a0525e695d7b42",
            "req=eyJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImNvZGUiOiJQQVlJRC1URVNULTAwMDEifQ%3D%3D&sign=d044a273eba61a8e78a0525e695d7b42",
        ),
    ] {
        let fields = Fields::try_from(&[("req", request), ("sign", sign)][..]).unwrap();
        assert_eq!(write(&fields), body);
        assert_eq!(write_query(&fields), body, "base64 has no byte on which the two differ");
        assert_eq!(read(body.as_bytes(), &Limits::DEFAULT).unwrap(), fields);
    }
}

#[test]
fn reads_every_spelling_that_has_one_meaning() {
    for (text, expected) in [
        ("", &[][..]),
        ("a=", &[("a", "")]),
        ("a=1", &[("a", "1")]),
        ("a=1&b=2", &[("a", "1"), ("b", "2")]),
        ("b=2&a=1", &[("b", "2"), ("a", "1")]),
        ("a=b=c", &[("a", "b=c")]),
        ("sign=YWI=", &[("sign", "YWI=")]),
        ("a==", &[("a", "=")]),
        ("a=+", &[("a", " ")]),
        ("a=%20", &[("a", " ")]),
        ("a=%2B", &[("a", "+")]),
        ("a=%2b", &[("a", "+")]),
        ("a=%252B", &[("a", "%2B")]),
        ("a=%26%3D%25", &[("a", "&=%")]),
        ("a=%00%0D%0A", &[("a", "\0\r\n")]),
        ("%61=1", &[("a", "1")]),
        ("a+b=1", &[("a b", "1")]),
        ("a%3Db=1", &[("a=b", "1")]),
        ("%00=1", &[("\0", "1")]),
        ("a=%E6%94%AF", &[("a", "支")]),
        ("a=%e6%94%af", &[("a", "支")]),
        ("a=支", &[("a", "支")]),
        ("a=*-._~!'();:@/?#[]{}\"", &[("a", "*-._~!'();:@/?#[]{}\"")]),
        ("a=%F0%9F%8D%9C", &[("a", "🍜")]),
        ("A=1&a=2", &[("A", "1"), ("a", "2")]),
    ] {
        let fields = read(text.as_bytes(), &Limits::DEFAULT).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(pairs(&fields), expected, "{text}");
    }
}

#[test]
fn refuses_what_could_be_read_in_two_ways_and_says_where() {
    use FormErrorKind::{Duplicate, Escape, NoEquals, NoName, NotUtf8, Unescaped};
    for (text, kind, position) in [
        (&b"a"[..], NoEquals, 0),
        (b"a=1&b", NoEquals, 4),
        (b"{\"a\":1}", NoEquals, 0),
        (b"<xml></xml>", NoEquals, 0),
        (b"=1", NoName, 0),
        (b"=", NoName, 0),
        (b"&", NoName, 0),
        (b"&a=1", NoName, 0),
        (b"a=1&", NoName, 4),
        (b"a=1&&b=2", NoName, 4),
        (b"a=1&=2", NoName, 4),
        (b"a=1&a=1", Duplicate, 4),
        (b"a=1&b=2&a=3", Duplicate, 8),
        (b"a=1&%61=2", Duplicate, 4),
        (b"a=1&a=", Duplicate, 4),
        (b"%E6%94%AF=1&\xE6\x94\xAF=2", Duplicate, 12),
        (b"a=%", Escape, 2),
        (b"a=%2", Escape, 2),
        (b"a=%&b=1", Escape, 2),
        (b"a=1%2&0=1", Escape, 3),
        (b"a=%zz", Escape, 2),
        (b"a=%2g", Escape, 2),
        (b"a=%g2", Escape, 2),
        (b"a=%+1", Escape, 2),
        (b"a=%-1", Escape, 2),
        (b"a=100%", Escape, 5),
        (b"a=%u6d4b", Escape, 2),
        (b"%=1", Escape, 0),
        (b"a=%\xE6\x94\xAF", Escape, 2),
        (b"a b=1", Unescaped, 1),
        (b"a=1 2", Unescaped, 3),
        (b"a=1\r\n", Unescaped, 3),
        (b"a=1\n&b=2", Unescaped, 3),
        (b"a=\0", Unescaped, 2),
        (b"a=\t", Unescaped, 2),
        (b"a=\x7f", Unescaped, 2),
        (b"a=%FF", NotUtf8, 2),
        (b"a=1%FF", NotUtf8, 3),
        (b"a=+%E6%94%AF%C0%80", NotUtf8, 12),
        (b"a=%E6%94", NotUtf8, 2),
        (b"a=%E6%94&b=%AF", NotUtf8, 2),
        (b"a=\xB2\xE2", NotUtf8, 2),
        (b"x=1&a=%ED%A0%80", NotUtf8, 6),
        (b"%FF=1", NotUtf8, 0),
    ] {
        let error = read(text, &Limits::DEFAULT).expect_err(&format!("{}", text.escape_ascii()));
        assert_eq!(
            (error.kind, error.position),
            (kind, position),
            "{}",
            text.escape_ascii()
        );
    }
}

#[test]
fn reads_up_to_each_limit_and_not_one_past_it() {
    let exceeded = |text: &str, limits: &Limits| match read(text.as_bytes(), limits).map_err(|error| error.kind) {
        Ok(_) => None,
        Err(FormErrorKind::Limit(LimitExceeded { what, limit, .. })) => Some((what, limit)),
        Err(other) => panic!("{text}: {other}"),
    };
    let bytes = limits(|limits| limits.bytes = 7);
    assert_eq!(exceeded("a=1&b=2", &bytes), None);
    assert_eq!(exceeded("a=1&b=23", &bytes), Some(("bytes", 7)));
    let fields = limits(|limits| limits.fields = 2);
    assert_eq!(exceeded("a=1&b=2", &fields), None);
    assert_eq!(exceeded("a=1&b=2&c=3", &fields), Some(("fields", 2)));
    let none = limits(|limits| limits.fields = 0);
    assert_eq!(exceeded("", &none), None);
    assert_eq!(exceeded("a=1", &none), Some(("fields", 0)));
    let name = limits(|limits| limits.name_len = 3);
    assert_eq!(exceeded("abc=1", &name), None);
    assert_eq!(exceeded("%E6%94%AF=1", &name), None, "measured decoded");
    assert_eq!(exceeded("abcd=1", &name), Some(("name length", 3)));
    let value = limits(|limits| limits.value_len = 3);
    assert_eq!(exceeded("a=123", &value), None);
    assert_eq!(exceeded("a=%E6%94%AF", &value), None, "measured decoded");
    assert_eq!(exceeded("a=1234", &value), Some(("value length", 3)));
}

#[test]
fn refuses_ten_megabytes_before_looking_at_them() {
    let text = vec![b'&'; 10 << 20];
    let error = read(&text, &Limits::DEFAULT).unwrap_err();
    assert_eq!(error.to_string(), "bytes beyond the limit of 1048576 (byte 1048576)");
}

#[test]
fn shows_nothing_of_the_text_in_an_error() {
    for text in [
        "openid=oSECRET1234&openid=oSECRET5678",
        "oSECRET1234",
        "openid=oSECRET%",
        "a=oSECRET%FF",
        "a=oSECRET ",
    ] {
        let error = read(text.as_bytes(), &Limits::DEFAULT).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error:?}");
    }
}

#[test]
fn spells_every_byte_in_one_way() {
    for byte in 0..=0x7f_u8 {
        let character = char::from(byte);
        let fields = Fields::try_from(&[("n", character.to_string().as_str())][..]).unwrap();
        let form = match character {
            ' ' => "n=+".to_owned(),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '*' | '-' | '.' | '_' => format!("n={character}"),
            _ => format!("n=%{byte:02X}"),
        };
        let query = match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '~' | '-' | '.' | '_' => format!("n={character}"),
            _ => format!("n=%{byte:02X}"),
        };
        assert_eq!((write(&fields), write_query(&fields)), (form, query));
    }
}

#[test]
fn writes_an_address_inside_an_address() {
    let back = "https://shop.example/back?order=1&x=a b";
    let fields = Fields::try_from(&[("callback_url", back)][..]).unwrap();
    assert_eq!(
        write_query(&fields),
        "callback_url=https%3A%2F%2Fshop.example%2Fback%3Forder%3D1%26x%3Da%20b"
    );
}

/// Any fields: names not empty and each there once.
fn any_fields() -> impl Strategy<Value = Fields> {
    let text = prop_oneof![any::<String>(), "[a-c%+&= ~*]{0,6}", "[支付成功！🍜\0\r\n]{0,4}"];
    proptest::collection::vec((text.clone(), text), 0..8).prop_map(|pairs| {
        let mut fields = Fields::new();
        for (name, value) in pairs {
            drop(fields.push(&name, &value));
        }
        fields
    })
}

/// Bytes that are often nearly a form.
fn nearly_a_form() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        6 => "[a-d0-9]{1,3}".prop_map(String::into_bytes),
        4 => Just(b"=".to_vec()),
        3 => Just(b"&".to_vec()),
        2 => "%[0-9a-fA-F]{2}".prop_map(String::into_bytes),
        1 => Just(b"%E6%94%AF".to_vec()),
        1 => Just(b"+".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 1..3),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn reads_back_what_it_wrote(fields in any_fields()) {
        for text in [write(&fields), write_query(&fields)] {
            prop_assert_eq!(&read(text.as_bytes(), &Limits::DEFAULT).unwrap(), &fields);
        }
    }

    #[test]
    fn writes_what_an_independent_writer_writes(fields in any_fields()) {
        let other = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.iter()).finish();
        prop_assert_eq!(write(&fields), other);
    }

    #[test]
    fn agrees_with_an_independent_parser_on_what_it_accepts(text in nearly_a_form()) {
        if let Ok(fields) = read(&text, &Limits::DEFAULT) {
            let other: Vec<_> = form_urlencoded::parse(&text).collect();
            let ours: Vec<_> = fields.iter().map(|(name, value)| (name.into(), value.into())).collect();
            prop_assert_eq!(ours, other);
        }
    }

    #[test]
    fn points_into_the_text_when_it_refuses(text in nearly_a_form()) {
        if let Err(error) = read(&text, &Limits::DEFAULT) {
            prop_assert!(error.position <= text.len());
            let at = text.get(error.position).copied();
            match error.kind {
                FormErrorKind::Escape => prop_assert_eq!(at, Some(b'%')),
                FormErrorKind::Unescaped => prop_assert!(at.is_some_and(|byte| byte <= b' ' || byte == 0x7f)),
                FormErrorKind::NotUtf8 => prop_assert!(at.is_some_and(|byte| byte == b'%' || byte >= 0x80)),
                FormErrorKind::NoName => prop_assert!(matches!(at, None | Some(b'&' | b'='))),
                FormErrorKind::NoEquals | FormErrorKind::Duplicate => {
                    prop_assert!(error.position == 0 || text[error.position - 1] == b'&');
                }
                other => prop_assert!(false, "{other}"),
            }
        }
    }

    #[test]
    fn never_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(read(&text, &Limits::DEFAULT));
    }
}
