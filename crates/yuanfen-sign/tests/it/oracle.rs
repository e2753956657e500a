//! All five texts against a second reading of the sheets that shares no code with this crate, on random messages.

use std::collections::BTreeMap;

use proptest::prelude::*;
use yuanfen_core::{Fields, FixedAmbient, Sign as _, Verify as _};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, KeyedSigner, NameOrder, PairRules, Render, Tail,
    keyed_text, line_text,
};
use yuanfen_testkit::oracle::{self, Map};

use crate::shared;

const fn pairs(order: NameOrder, empties: Empties, tail: Tail, left_out: &'static [&'static str]) -> PairRules {
    PairRules {
        order,
        empties,
        render: Render::NameEqualsValue,
        tail,
        left_out,
        blanks: Blanks::Keep,
    }
}

const V2: PairRules = pairs(NameOrder::Bytes, Empties::Drop, Tail::KeyField, &["sign"]);
const FSHOWS: PairRules = pairs(NameOrder::Bytes, Empties::Keep, Tail::None, &["sign"]);
const CALLBACK_KEPT: PairRules = pairs(NameOrder::Bytes, Empties::Keep, Tail::None, &["sign", "sign_type"]);
const CALLBACK_DROPPED: PairRules = pairs(NameOrder::Bytes, Empties::Drop, Tail::None, &["sign", "sign_type"]);
const STARPOS: PairRules = PairRules {
    order: NameOrder::LowerCased,
    empties: Empties::Keep,
    render: Render::ValuesOnly,
    tail: Tail::BareKey,
    left_out: &["signValue"],
    blanks: Blanks::Remove,
};
const STARPOS_RAW: PairRules = PairRules {
    order: NameOrder::Bytes,
    ..STARPOS
};

fn message() -> impl Strategy<Value = Map> {
    // Names that differ in case only, names that signatures go by, empty values, blanks, Chinese, what forms escape.
    let name = prop_oneof![
        "[a-cA-C_0-1]{1,4}",
        prop_oneof![
            Just("sign"),
            Just("signValue"),
            Just("sign_type"),
            Just("opSys"),
            Just("oprId"),
            Just("PrepayId")
        ]
        .prop_map(str::to_owned),
    ];
    let value = prop_oneof![Just(String::new()), "[ -~]{1,12}", "[ 中文商品\u{3000}é😀&=+%\n]{1,8}"];
    proptest::collection::btree_map(name, value, 0..14)
}

fn read(message: &Map) -> Fields {
    // Backwards, so that an order that only happens to be there already shows.
    let mut fields = Fields::new();
    for (name, value) in message.iter().rev() {
        fields.push(name, value).unwrap();
    }
    fields
}

fn keyed(key: &str, digest: KeyedDigest, spelling: HexSpelling) -> KeyedSigner {
    let case = HexCase::Exact;
    KeyedSigner::new(shared(key), DigestScheme { digest, spelling, case })
}

fn text(rules: &PairRules, message: &Map, key: &str) -> Vec<u8> {
    rules.text(&read(message), &shared(key)).as_bytes().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn wechat_v2_agrees(message in message(), key in "[ -~]{1,40}") {
        let text = text(&V2, &message, &key);
        let ambient = FixedAmbient::at(0);
        prop_assert_eq!(&text, &oracle::v2_text(&message, &key).into_bytes());
        let md5 = keyed(&key, KeyedDigest::Md5, HexSpelling::Upper).sign(&text, &ambient).unwrap();
        prop_assert_eq!(md5, oracle::v2_md5(&message, &key));
        let hmac = keyed(&key, KeyedDigest::HmacSha256, HexSpelling::Upper).sign(&text, &ambient).unwrap();
        prop_assert_eq!(hmac, oracle::v2_hmac(&message, &key));
        prop_assert_eq!(&*yuanfen_sign::legacy::md5_hex(key.as_bytes()), &oracle::v2_refund_key(&key));
    }

    #[test]
    fn starpos_agrees_in_both_orders(message in message(), key in "[ -~]{1,40}") {
        let lowered = text(&STARPOS, &message, &key);
        prop_assert_eq!(&lowered, &oracle::starpos_text(&message, &key).into_bytes());
        let raw = text(&STARPOS_RAW, &message, &key);
        prop_assert_eq!(&raw, &oracle::starpos_text_by_raw_names(&message, &key).into_bytes());
        let signer = keyed(&key, KeyedDigest::Md5, HexSpelling::Lower);
        prop_assert!(signer.verify(&lowered, &oracle::starpos_sign(&message, &key)).is_ok());
    }

    #[test]
    fn the_starpos_push_agrees(datas in "[0-9A-F]{0,64}", key in "[ -~]{1,40}") {
        let text = keyed_text(datas.as_bytes(), &shared(&key));
        let signer = keyed(&key, KeyedDigest::Md5, HexSpelling::Upper);
        prop_assert!(signer.verify(text.as_bytes(), &oracle::starpos_push_sign(&datas, &key)).is_ok());
    }

    #[test]
    fn fshows_agrees_on_requests_and_both_readings_of_call_backs(message in message()) {
        let fields = read(&message);
        let same = |rules: &PairRules, other: String| rules.keyless_text(&fields).as_bytes() == other.as_bytes();
        prop_assert!(same(&FSHOWS, oracle::fshows_text(&message)));
        prop_assert!(same(&CALLBACK_KEPT, oracle::fshows_callback_text(&message, true)));
        prop_assert!(same(&CALLBACK_DROPPED, oracle::fshows_callback_text(&message, false)));
    }

    #[test]
    fn mpgateway_agrees(payload in "[ -~中文]{0,60}", key in "[ -~]{1,40}") {
        let base64 = oracle::mpgateway_base64(&payload);
        let text = keyed_text(base64.as_bytes(), &shared(&key));
        let signer = keyed(&key, KeyedDigest::Md5, HexSpelling::Lower);
        prop_assert!(signer.verify(text.as_bytes(), &oracle::mpgateway_sign(&base64, &key)).is_ok());
    }

    #[test]
    fn wechat_v3_agrees(
        method in "GET|POST", target in "/[ -~]{0,30}", time in "[0-9]{10}", nonce in "[A-Z]{8,32}",
        body in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let request: [&[u8]; 5] = [method.as_bytes(), target.as_bytes(), time.as_bytes(), nonce.as_bytes(), &body];
        prop_assert_eq!(line_text(&request), oracle::v3_request_text(&method, &target, &time, &nonce, &body));
        prop_assert_eq!(line_text(&request[2..]), oracle::v3_message_text(&time, &nonce, &body));
        let package = format!("prepay_id={nonce}");
        let invoke: [&[u8]; 4] = [target.as_bytes(), time.as_bytes(), method.as_bytes(), package.as_bytes()];
        prop_assert_eq!(line_text(&invoke), oracle::v3_invoke_text(&target, &time, &method, &nonce));
    }
}

#[test]
fn the_two_readings_do_differ_where_a_rule_is_another_one() {
    // A comparison that cannot fail proves nothing.
    let message: Map = BTreeMap::from(
        [("opSys", "3"), ("oprId", "1"), ("empty", ""), ("blank", "a b")].map(|(n, v)| (n.to_owned(), v.to_owned())),
    );
    assert_ne!(
        text(&STARPOS_RAW, &message, "k"),
        oracle::starpos_text(&message, "k").as_bytes()
    );
    let kept = PairRules {
        empties: Empties::Keep,
        ..V2
    };
    assert_ne!(text(&kept, &message, "k"), oracle::v2_text(&message, "k").as_bytes());
    let blanks = PairRules {
        blanks: Blanks::Keep,
        ..STARPOS
    };
    assert_ne!(
        text(&blanks, &message, "k"),
        oracle::starpos_text(&message, "k").as_bytes()
    );
}

#[cfg(any(feature = "aws-lc", feature = "pure-rust"))]
#[test]
fn rsa_signatures_hold_for_the_other_side_and_only_over_their_text() {
    use yuanfen_sign::RsaSigningKey;
    use yuanfen_testkit::oracle::Hash;

    let key = RsaSigningKey::parse(&crate::key_text("openssl_2048")).unwrap();
    let public = crate::key_text("openssl_2048_public");
    for text in [b"".as_slice(), b"a", "中文".as_bytes(), &[0xff; 300]] {
        let signature = key.sign(text, &FixedAmbient::at(0)).unwrap();
        assert!(oracle::rsa_verify(&public, Hash::Sha256, text, &signature));
        assert!(!oracle::rsa_verify(&public, Hash::Sha1, text, &signature));
        assert!(!oracle::rsa_verify(&public, Hash::Sha256, b"other", &signature));
    }
}

#[cfg(feature = "legacy-rsa")]
#[test]
fn old_rsa_signatures_hold_for_the_other_side() {
    use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
    use yuanfen_testkit::oracle::Hash;

    let public = crate::key_text("openssl_1024_public");
    for (digest, hash) in [(RsaDigest::Sha1, Hash::Sha1), (RsaDigest::Sha256, Hash::Sha256)] {
        let key = LegacyRsaSigningKey::parse(&crate::key_text("openssl_1024"), digest).unwrap();
        for text in [b"".as_slice(), b"a=1&b=", "中文".as_bytes(), &[0xff; 300]] {
            let signature = key.sign(text, &FixedAmbient::at(0)).unwrap();
            assert!(oracle::rsa_verify(&public, hash, text, &signature));
            assert!(!oracle::rsa_verify(&public, hash, b"other", &signature));
        }
    }
}
