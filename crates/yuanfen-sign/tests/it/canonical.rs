//! The texts that are signed: each provider's rule against a text that its platform or sheet prints, and the laws.

use proptest::prelude::*;
use yuanfen_core::Fields;
use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, Tail, keyed_text, line_text};
use yuanfen_testkit::Stage;

use crate::{fields, shared, vectors};

const WECHAT_V2: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};
const STARPOS: PairRules = PairRules {
    order: NameOrder::LowerCased,
    empties: Empties::Keep,
    render: Render::ValuesOnly,
    tail: Tail::BareKey,
    left_out: &["signValue"],
    blanks: Blanks::Remove,
};
const FSHOWS: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Keep,
    render: Render::NameEqualsValue,
    tail: Tail::None,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};
const ALL: [PairRules; 3] = [WECHAT_V2, STARPOS, FSHOWS];

fn text(rules: &PairRules, pairs: &[(&str, &str)], key: &str) -> String {
    String::from_utf8(rules.text(&fields(pairs), &shared(key)).as_bytes().to_vec()).unwrap()
}

#[test]
fn writes_wechats_published_v2_text() {
    let found = text(
        &WECHAT_V2,
        &[
            ("nonce_str", "ibuaiVcKdpRxkhJA"),
            ("appid", "wxd930ea5d5a258f4f"),
            ("mch_id", "10000100"),
            ("device_info", "1000"),
            ("body", "test"),
            ("sign", "9A0A8659F005D6984697E2CA0A9CF3B7"),
        ],
        "192006250b4c09247ec02edce69f6a2d",
    );
    assert_eq!(
        found,
        "appid=wxd930ea5d5a258f4f&body=test&device_info=1000&mch_id=10000100&nonce_str=ibuaiVcKdpRxkhJA\
         &key=192006250b4c09247ec02edce69f6a2d"
    );
}

#[test]
fn writes_the_starpos_text_with_mixed_case_names_blanks_and_chinese() {
    // The StarPos sheet, section 4.5, V2.
    let found = text(
        &STARPOS,
        &[
            ("opSys", "3"),
            ("characterSet", "00"),
            ("orgNo", "00001"),
            ("mercId", "000000000000001"),
            ("trmNo", "00000001"),
            ("oprId", "op01"),
            ("trmTyp", "C"),
            ("tradeNo", "T20240102030405001"),
            ("txnTime", "20240102030405"),
            ("signType", "MD5"),
            ("signValue", "097862858368b8751d56215326c6aaaa"),
            ("version", "V1.0.0"),
            ("amount", "100"),
            ("total_amount", "120"),
            ("payChannel", "WXPAY"),
            ("subject", "测试 商品"),
            ("selOrderNo", "SO-1"),
            ("goods_tag", ""),
            ("attach", "A b"),
        ],
        "00112233445566778899AABBCCDDEEFF",
    );
    assert_eq!(
        found,
        "100Ab00000000000000001op01300001WXPAYSO-1MD5测试商品120T2024010203040500100000001C20240102030405V1.0.0\
         00112233445566778899AABBCCDDEEFF"
    );
}

#[test]
fn writes_the_fshows_request_text_with_empty_values_and_without_a_key() {
    let pairs = [
        ("b", ""),
        ("a_1", "x y"),
        ("aZ", "{\"k\":1}"),
        ("sign", "s"),
        ("a0", "1&2=3"),
    ];
    let expected = r#"a0=1&2=3&aZ={"k":1}&a_1=x y&b="#;
    assert_eq!(FSHOWS.keyless_text(&fields(&pairs)).as_bytes(), expected.as_bytes());
    // A rule without a tail has no use for a key, also where it is handed one.
    assert_eq!(text(&FSHOWS, &pairs, "key"), expected);
}

#[test]
fn writes_the_mpgateway_text_as_base64_and_key() {
    // The mpgateway sheet, section 5, V1.
    let base64 = "eyJhY3Rpb24iOiJXeFNhbyIsInR4bmFtdCI6MTAwLCJtZXJpZCI6IjAwMDAwMDAxIiwib3JkZXJpZCI6IlRFU1QyMDI0MDEwMjAzMDQwNSIsImJhY2t1cmwiOiJodHRwczovL3Nob3AuZXhhbXBsZS9ub3RpZnkifQ==";
    let found = keyed_text(base64.as_bytes(), &shared("testkey-0123456789abcdef"));
    assert_eq!(found.as_bytes(), format!("{base64}testkey-0123456789abcdef").as_bytes());
    assert_eq!(found.redacted(), format!("{base64}<key>"));
}

#[test]
fn joins_lines_as_the_vectors_say() {
    for case in vectors().of("canonical_join") {
        let run = case.run();
        let mut lines: Vec<&[u8]> = case.texts("lines").into_iter().map(str::as_bytes).collect();
        let whole = match case.text("form") {
            "request" => 5,
            "response" => 3,
            other => panic!("{case}: {other}"),
        };
        lines.resize(whole, b"");
        let text = line_text(&lines);
        run.text(&text).done();
    }
}

#[test]
fn every_line_ends_in_a_line_feed_and_none_is_changed() {
    assert_eq!(line_text(&[]), b"");
    assert_eq!(line_text(&[b""]), b"\n");
    assert_eq!(line_text(&[b"a\r\n", b"\xff"]), b"a\r\n\n\xff\n");
}

#[test]
fn an_empty_value_is_dropped_kept_or_without_effect_as_the_rule_says() {
    let with = [("b", "2"), ("a", ""), ("c", "3")];
    let without = [("b", "2"), ("c", "3")];
    assert_eq!(text(&WECHAT_V2, &with, "k"), text(&WECHAT_V2, &without, "k"));
    assert_eq!(text(&STARPOS, &with, "k"), text(&STARPOS, &without, "k"));
    assert_eq!(text(&FSHOWS, &with, "k"), "a=&b=2&c=3");
}

#[test]
fn a_message_without_fields_has_the_tail_alone() {
    assert_eq!(text(&WECHAT_V2, &[], "k"), "key=k");
    assert_eq!(text(&WECHAT_V2, &[("a", ""), ("sign", "x")], "k"), "key=k");
    assert_eq!(text(&STARPOS, &[], "k"), "k");
    assert_eq!(text(&FSHOWS, &[], "k"), "");
}

#[test]
fn only_the_exact_name_of_the_signature_is_left_out() {
    assert_eq!(
        text(&WECHAT_V2, &[("Sign", "1"), ("sign_type", "MD5"), ("sign", "x")], "k"),
        "Sign=1&sign_type=MD5&key=k"
    );
    assert_eq!(text(&STARPOS, &[("signvalue", "1"), ("signValue", "x")], "k"), "1k");
}

#[test]
fn byte_order_puts_digits_before_capitals_before_underscore_before_small_letters() {
    let pairs = [
        ("aa", "5"),
        ("a_", "4"),
        ("aA", "3"),
        ("a1", "2"),
        ("a", "1"),
        ("中", "6"),
    ];
    assert_eq!(text(&WECHAT_V2, &pairs, "k"), "a=1&a1=2&aA=3&a_=4&aa=5&中=6&key=k");
}

#[test]
fn lower_cased_order_ignores_case_until_names_are_equal_without_it() {
    assert_eq!(
        text(&STARPOS, &[("oprId", "2"), ("opSys", "3"), ("OPEN", "1")], "k"),
        "123k"
    );
    // `_` stands before small letters and behind capitals: the lower-cased name decides.
    assert_eq!(text(&STARPOS, &[("aB", "2"), ("a_", "1")], "k"), "12k");
    assert_eq!(text(&STARPOS, &[("logNo", "2"), ("LogNo", "1")], "k"), "12k");
    let raw = PairRules {
        order: NameOrder::Bytes,
        ..STARPOS
    };
    assert_eq!(text(&raw, &[("oprId", "2"), ("opSys", "3")], "k"), "32k");
}

#[test]
fn blanks_go_from_the_whole_text_also_from_the_key() {
    let rules = STARPOS.text(&fields(&[("a", " x y "), ("b", "\t\u{3000}")]), &shared(" k 1 "));
    // Only U+0020: tabs and the wide blank of Chinese text stay.
    assert_eq!(rules.as_bytes(), "xy\t\u{3000}k1".as_bytes());
    assert_eq!(rules.redacted(), "xy\t\u{3000}<key>");
    let kept = PairRules {
        blanks: Blanks::Keep,
        ..STARPOS
    };
    assert_eq!(text(&kept, &[("a", " x y ")], " k "), " x y  k ");
}

#[test]
fn the_masked_text_shows_everything_but_the_key() {
    let found = WECHAT_V2.text(&fields(&[("a", "1"), ("b", "k")]), &shared("k"));
    assert_eq!(found.redacted(), "a=1&b=k&key=<key>");
    let (bytes, key_length) = found.into_parts();
    assert_eq!((bytes.as_slice(), key_length), (b"a=1&b=k&key=k".as_slice(), 1));
    assert_eq!(FSHOWS.keyless_text(&fields(&[("a", "1")])).redacted(), "a=1");
    assert_eq!(keyed_text(b"\xffa", &shared("k")).redacted(), "\\xffa<key>");
}

#[test]
fn a_key_in_many_bytes_is_masked_whole() {
    let found = STARPOS.text(&fields(&[("a", "中")]), &shared("密 钥"));
    assert_eq!(found.as_bytes(), "中密钥".as_bytes());
    assert_eq!(found.redacted(), "中<key>");
}

fn message() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::btree_map("[a-zA-Z_0-9]{1,8}", "[ -~中文]{0,12}", 0..12)
        .prop_map(|map| map.into_iter().collect::<Vec<_>>())
}

fn read(pairs: &[(String, String)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in pairs {
        fields.push(name, value).unwrap();
    }
    fields
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_order_of_the_fields_never_matters(
        (sorted, shuffled) in message().prop_flat_map(|pairs| (Just(pairs.clone()), Just(pairs).prop_shuffle())),
        key in "[ -~]{1,16}",
    ) {
        for rules in ALL {
            let (one, other) = (rules.text(&read(&sorted), &shared(&key)), rules.text(&read(&shuffled), &shared(&key)));
            prop_assert_eq!(one.as_bytes(), other.as_bytes());
        }
    }

    #[test]
    fn the_signatures_own_field_never_matters(pairs in message(), value in "[ -~]{0,40}") {
        for rules in ALL {
            let bare: Vec<_> = pairs.iter().filter(|(name, _)| name != rules.left_out[0]).cloned().collect();
            let mut signed = bare.clone();
            signed.push((rules.left_out[0].to_owned(), value.clone()));
            let (one, other) = (rules.text(&read(&bare), &shared("k")), rules.text(&read(&signed), &shared("k")));
            prop_assert_eq!(one.as_bytes(), other.as_bytes());
        }
    }

    #[test]
    fn the_masked_text_never_ends_in_the_key(pairs in message(), key in "[A-Z]{20}") {
        for rules in ALL {
            let masked = rules.text(&read(&pairs), &shared(&key)).redacted();
            prop_assert!(!masked.contains(&key));
        }
    }
}

#[test]
fn a_stage_is_named_when_it_differs() {
    // The runner of the vectors must be able to fail: an altered text is told from the printed one.
    let vectors = vectors();
    let case = vectors.case("canonical-join-response");
    let failed = std::panic::catch_unwind(|| case.run().text(b"3\n2\n1").done());
    let message = *failed.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains(&Stage::Text.to_string()), "{message}");
}
