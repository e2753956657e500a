//! Every converted vector against the oracle, or against a library that our crates do not use for it, so that an error
//! of transcription shows here and not in a provider.

use aes::Aes256;
use aes::cipher::{Block, BlockCipherDecrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{self, LessSafeKey, Nonce, UnboundKey};
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::rand_core::OsRng;
use rsa::{Oaep, Pkcs1v15Encrypt, Pkcs1v15Sign, RsaPrivateKey};
use std::io::Read as _;
use yuanfen_testkit::oracle::{self, Hash, Map};
use yuanfen_testkit::{Case, Value, json};

use crate::files::vectors;

fn map<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn expected_map(case: &Case<'_>) -> Map {
    case.expected_fields().unwrap().iter().cloned().collect()
}

fn text_of(case: &Case<'_>) -> String {
    String::from_utf8(case.expected_text().unwrap().to_vec()).unwrap()
}

fn decoded(case: &Case<'_>) -> &'static str {
    // Leaked so that comparisons read well; there are a few dozen.
    Box::leak(
        case.expected_decoded()
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
            .into_boxed_str(),
    )
}

fn hash(case: &Case<'_>) -> Hash {
    match case.text("digest") {
        "sha1" => Hash::Sha1,
        "sha256" => Hash::Sha256,
        other => panic!("{case}: digest {other}"),
    }
}

/// The fields of a flat XML text, read by nothing but searches: enough for the vectors, which have no references.
fn flat_xml(text: &str) -> Vec<(String, String)> {
    let mut rest = text.split_once('>').unwrap().1;
    let mut fields = Vec::new();
    while let Some((_, after)) = rest.split_once('<') {
        if after.starts_with('/') {
            break;
        }
        let (name, after) = after.split_once('>').unwrap();
        let (value, after) = after.split_once(&format!("</{name}>")).unwrap();
        let value = value
            .strip_prefix("<![CDATA[")
            .and_then(|value| value.strip_suffix("]]>"))
            .unwrap_or(value);
        assert!(!value.contains('&'), "references are not read here");
        fields.push((name.to_owned(), value.to_owned()));
        rest = after;
    }
    fields
}

// ---- WeChat Pay v2

#[test]
fn v2_signatures_are_those_of_the_oracle() {
    let vectors = vectors("wechat-v2");
    let mut count = 0;
    for kind in ["sign", "bridge", "app", "native_url", "request", "reply"] {
        for case in vectors.of(kind) {
            let (fields, key) = (map(case.pairs("fields")), case.text("key"));
            assert_eq!(oracle::v2_text(&fields, key), text_of(&case), "{case}");
            let sign = match case.text("digest") {
                "md5" => oracle::v2_md5(&fields, key),
                "hmac-sha256" => oracle::v2_hmac(&fields, key),
                other => panic!("{case}: digest {other}"),
            };
            assert_eq!(Some(sign.as_str()), case.expected_signature(), "{case}");
            if kind == "native_url" {
                let query: String = case
                    .pairs("fields")
                    .iter()
                    .map(|(name, value)| format!("&{name}={value}"))
                    .collect();
                assert_eq!(
                    decoded(&case),
                    format!("weixin://wxpay/bizpayurl?sign={sign}{query}"),
                    "{case}"
                );
            }
            count += 1;
        }
    }
    assert_eq!(count, 50);
}

#[test]
fn v2_notifications_hold_or_not_as_the_oracle_says() {
    for case in vectors("wechat-v2").of("notification") {
        assert_eq!(flat_xml(case.text("body")), case.expected_fields().unwrap(), "{case}");
        let fields = expected_map(&case);
        let sign = fields.get("sign").unwrap();
        let holds = *sign == oracle::v2_md5(&fields, case.text("key"));
        assert_eq!(holds, case.refused().is_none(), "{case}");
        assert_eq!(sign.is_empty(), case.refused() == Some("missing-signature"), "{case}");
    }
}

fn aes_ecb(key: &str, ciphertext: &[u8]) -> Result<Vec<u8>, &'static str> {
    let cipher = Aes256::new_from_slice(key.as_bytes()).map_err(|_| "key-length")?;
    let (blocks, rest) = ciphertext.as_chunks::<16>();
    if blocks.is_empty() || !rest.is_empty() {
        return Err("ciphertext-length");
    }
    let mut plain = Vec::new();
    for block in blocks {
        let mut block = Block::<Aes256>::from(*block);
        cipher.decrypt_block(&mut block);
        plain.extend_from_slice(&block);
    }
    let pad = plain.last().copied().ok_or("padding")?;
    let body = plain.len().checked_sub(usize::from(pad)).ok_or("padding")?;
    let (text, padding) = plain.split_at(body);
    if pad == 0 || pad > 16 || padding.iter().any(|octet| *octet != pad) {
        return Err("padding");
    }
    Ok(text.to_vec())
}

#[test]
fn v2_refund_notices_decrypt_with_the_derived_key() {
    let vectors = vectors("wechat-v2");
    for case in vectors.of("refund_key") {
        assert_eq!(oracle::v2_refund_key(case.text("key")), decoded(&case), "{case}");
    }
    for case in vectors.of("refund_decrypt") {
        let ciphertext = STANDARD.decode(case.text("req_info")).unwrap();
        match aes_ecb(&oracle::v2_refund_key(case.text("key")), &ciphertext) {
            Ok(plain) => {
                assert_eq!(plain, decoded(&case).as_bytes(), "{case}");
                assert_eq!(flat_xml(decoded(&case)), case.expected_fields().unwrap(), "{case}");
            }
            Err(reason) => assert_eq!(case.refused(), Some(reason), "{case}"),
        }
    }
    for case in crate::files::vectors("sign").of("aes_ecb") {
        assert_eq!(
            aes_ecb(case.text("key"), &case.bytes("ciphertext")).unwrap(),
            decoded(&case).as_bytes()
        );
    }
}

#[test]
fn v2_bill_rows_are_the_cells_of_the_text() {
    for case in vectors("wechat-v2").of("bill") {
        let text = case.text("text").strip_prefix('\u{feff}').unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let cells = |line: &str| -> Vec<Value> {
            let line = line.strip_prefix('`').unwrap_or_else(|| panic!("{case}: {line}"));
            line.split(",`").map(Value::from).collect()
        };
        let names = |line: &str| -> Vec<Value> { line.split(',').map(Value::from).collect() };
        let [header, rows @ .., summary_header, summary] = lines.as_slice() else {
            panic!("{case}: {} lines", lines.len());
        };
        let rows: Vec<_> = rows.iter().map(|row| cells(row)).collect();
        assert!(!rows.is_empty(), "{case}");
        let wanted = json!({
            "header": names(header), "rows": rows,
            "summary_header": names(summary_header), "summary": cells(summary),
        });
        assert_eq!(case.expected_decoded(), Some(&wanted), "{case}");
    }
}

#[test]
fn v2_comments_are_the_cells_of_the_text() {
    for case in vectors("wechat-v2").of("comments") {
        let text = case.text("text").strip_prefix('\u{feff}').unwrap();
        let (offset, rows) = text.split_once('\n').unwrap();
        let rows: Vec<Value> = rows
            .lines()
            .map(|row| {
                let cells: Vec<&str> = row.strip_prefix('`').unwrap().splitn(4, ",`").collect();
                let [time, rest @ ..] = cells.as_slice() else {
                    panic!("{case}: {row}");
                };
                let mut comment = vec![beijing_seconds(time)];
                comment.extend(rest.iter().map(|cell| Value::from(*cell)));
                Value::from(comment)
            })
            .collect();
        let wanted = json!({"next_offset": offset, "comments": rows});
        assert_eq!(case.expected_decoded(), Some(&wanted), "{case}");
    }
}

/// Of a moment of July 2017, which began at 1498838400 in Beijing.
fn beijing_seconds(time: &str) -> Value {
    let rest = time.strip_prefix("2017-07-").unwrap();
    let number = |at: usize| rest.get(at..at + 2).unwrap().parse::<u64>().unwrap();
    let seconds = ((number(0) - 1) * 24 + number(3)) * 3600 + number(6) * 60 + number(9);
    Value::from((1_498_838_400 + seconds).to_string())
}

#[test]
fn v2_samples_are_flat_xml_unless_they_are_refused() {
    for case in vectors("wechat-v2").of("xml") {
        let body = case.text("body");
        assert_eq!(body.starts_with('<'), case.refused().is_none(), "{case}");
        if let Some(fields) = case.expected_fields() {
            assert_eq!(flat_xml(body), fields, "{case}");
        }
    }
}

#[test]
fn v2_addresses_are_addresses_unless_they_are_refused() {
    for case in vectors("wechat-v2").of("notify_url") {
        let address = case.text("address");
        assert_eq!(address.starts_with("https://"), case.refused().is_none(), "{case}");
        if case.refused().is_none() {
            assert_eq!(address, decoded(&case), "{case}");
        }
    }
}

// ---- WeChat Pay v3

#[test]
fn v3_requests_are_signed_over_the_oracles_text() {
    let vectors = vectors("wechat-v3");
    for case in vectors.of("request_sign") {
        let text = oracle::v3_request_text(
            case.text("method"),
            case.text("target"),
            case.text("timestamp"),
            case.text("nonce"),
            &case.bytes("body"),
        );
        assert_eq!(Some(text.as_slice()), case.expected_text(), "{case}");
        assert_eq!(
            sign(case.text("key"), Hash::Sha256, &text),
            case.expected_signature().unwrap(),
            "{case}"
        );
    }
    for case in vectors.of("invoke_sign") {
        let text = oracle::v3_invoke_text(
            case.text("appid"),
            case.text("timestamp"),
            case.text("nonce"),
            case.text("prepay_id"),
        );
        assert_eq!(Some(text.as_slice()), case.expected_text(), "{case}");
        assert_eq!(
            sign(case.text("key"), Hash::Sha256, &text),
            case.expected_signature().unwrap(),
            "{case}"
        );
    }
    for case in vectors.of("authorization_format") {
        let text = text_of(&case);
        assert_eq!(
            text.as_bytes(),
            oracle::v3_request_text(
                case.text("method"),
                case.text("target"),
                case.text("timestamp"),
                case.text("nonce"),
                &case.bytes("body")
            )
        );
        assert_eq!(case.text("signature"), format!("Sign:{text}"));
        let header = format!(
            "{} mchid=\"{}\",nonce_str=\"{}\",timestamp=\"{}\",serial_no=\"{}\",signature=\"{}\"",
            case.text("scheme"),
            case.text("mchid"),
            case.text("nonce"),
            case.text("timestamp"),
            case.text("serial_no"),
            case.text("signature")
        );
        assert_eq!(header, decoded(&case), "{case}");
    }
}

/// A deterministic PKCS#1 v1.5 signature by the `rsa` crate.
fn sign(pem: &str, hash: Hash, text: &[u8]) -> String {
    use rsa::sha2::Digest as _;
    let key = private_key(pem);
    let signature = match hash {
        Hash::Sha1 => key.sign(
            Pkcs1v15Sign::new::<sha1_for_rsa::Sha1>(),
            &sha1_for_rsa::Sha1::digest(text),
        ),
        Hash::Sha256 => key.sign(
            Pkcs1v15Sign::new::<rsa::sha2::Sha256>(),
            &rsa::sha2::Sha256::digest(text),
        ),
    };
    STANDARD.encode(signature.unwrap())
}

fn private_key(pem: &str) -> RsaPrivateKey {
    use rsa::pkcs1::DecodeRsaPrivateKey as _;
    RsaPrivateKey::from_pkcs8_pem(pem)
        .or_else(|_| RsaPrivateKey::from_pkcs1_pem(pem))
        .unwrap()
}

fn message_holds(case: &Case<'_>) -> bool {
    let text = oracle::v3_message_text(case.text("timestamp"), case.text("nonce"), &case.bytes("body"));
    assert_eq!(Some(text.as_slice()), case.expected_text(), "{case}");
    oracle::rsa_verify(case.text("key"), Hash::Sha256, &text, case.text("signature"))
}

#[test]
fn v3_messages_hold_or_not_as_the_oracle_says() {
    let vectors = vectors("wechat-v3");
    for case in vectors.of("message_verify") {
        assert_eq!(message_holds(&case), case.refused().is_none(), "{case}");
    }
}

fn gcm(key: &str, nonce: &str, associated_data: &str, ciphertext: &str) -> Result<Vec<u8>, &'static str> {
    let algorithm = match key.len() {
        16 => &aead::AES_128_GCM,
        32 => &aead::AES_256_GCM,
        _ => return Err("key-length"),
    };
    let key = LessSafeKey::new(UnboundKey::new(algorithm, key.as_bytes()).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(nonce.as_bytes()).map_err(|_| "nonce-length")?;
    let mut octets = STANDARD.decode(ciphertext).map_err(|_| "not-base64")?;
    if octets.len() < 16 {
        return Err("ciphertext-length");
    }
    key.open_in_place(nonce, aead::Aad::from(associated_data), &mut octets)
        .map(|plain| plain.to_vec())
        .map_err(|_| "mismatch")
}

#[test]
fn v3_notifications_verify_and_decrypt_with_the_published_short_key() {
    let vectors = vectors("wechat-v3");
    for case in vectors.of("notification") {
        assert!(message_holds(&case), "{case}");
        assert_eq!(
            oracle::certificate_serial(case.text("key")).as_deref(),
            Some(case.text("serial"))
        );
        assert_eq!(case.key("key").serial.as_deref(), Some(case.text("serial")));
        let body: Value = serde_json::from_slice(&case.bytes("body")).unwrap();
        assert_eq!(body["event_type"], case.text("event_type"));
        let plain = open_resource(case.text("apiv3_key"), &body["resource"]);
        assert_eq!(plain, case.text("plaintext"), "{case}");
        assert_eq!((case.refused(), case.text("apiv3_key").len()), (Some("key-length"), 16));
    }
    for case in vectors.of("certificates") {
        let body: Value = serde_json::from_slice(&case.bytes("body")).unwrap();
        let serials: Vec<_> = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| &entry["serial_no"])
            .collect();
        assert_eq!(serials, case.texts("serials"));
        let plain = open_resource(case.text("apiv3_key"), &body["data"][0]["encrypt_certificate"]);
        assert_eq!(plain.trim_end(), case.text("certificate").trim_end(), "{case}");
        assert_eq!((case.refused(), case.text("apiv3_key").len()), (Some("key-length"), 16));
    }
}

fn open_resource(key: &str, resource: &Value) -> String {
    let member = |name: &str| resource[name].as_str().unwrap();
    let plain = gcm(key, member("nonce"), member("associated_data"), member("ciphertext")).unwrap();
    String::from_utf8(plain).unwrap()
}

#[test]
fn v3_certificates_are_told_apart_by_their_serials() {
    let vectors = vectors("wechat-v3");
    for case in vectors.of("newest_certificate") {
        let serials: Vec<_> = case
            .texts("certificates")
            .into_iter()
            .map(|name| oracle::certificate_serial(&vectors.key(name).text).unwrap())
            .collect();
        assert!(
            serials.iter().any(|serial| serial == decoded(&case)),
            "{case}: {serials:?}"
        );
    }
}

#[test]
fn v3_bill_files_unpack_to_their_digest() {
    for case in vectors("wechat-v3").of("bill_file") {
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(case.bytes("gzip").as_slice())
            .read_to_end(&mut text)
            .unwrap();
        let wanted = case.expected_decoded().unwrap();
        assert_eq!(json!(text.len()), wanted["bytes"]);
        assert_eq!(json!(oracle::sha1_hex(&text)), wanted["sha1"]);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(json!(text.starts_with('\u{feff}')), wanted["bom"]);
        assert_eq!(
            (&json!("CRLF"), text.matches('\n').count()),
            (&wanted["line_ending"], text.matches("\r\n").count())
        );
        let lines: Vec<_> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
        assert_eq!(json!(lines.len() - 3), wanted["data_rows"]);
        assert_eq!(json!(lines[0].split(',').count()), wanted["columns"]);
        let summary: Vec<_> = lines[lines.len() - 1]
            .split(',')
            .map(|cell| cell.trim_start_matches('`'))
            .collect();
        assert_eq!(json!(summary), wanted["summary"]);
        assert_eq!(
            json!(lines[lines.len() - 2].split(',').collect::<Vec<_>>()),
            wanted["summary_header"]
        );
    }
}

#[test]
fn v3_samples_are_json_unless_they_are_refused() {
    let vectors = vectors("wechat-v3");
    for case in vectors.of("request_payment") {
        let parsed: Result<Map, _> = serde_json::from_str(case.text("body"));
        assert_eq!(parsed.is_ok(), case.refused().is_none(), "{case}");
        if let Ok(parsed) = parsed {
            assert_eq!(parsed, expected_map(&case));
        }
    }
    for case in vectors.of("request") {
        let body = case.expected_request().unwrap().body.as_deref().unwrap();
        assert!(
            body.is_empty() || serde_json::from_slice::<Value>(body).is_ok(),
            "{case}"
        );
    }
    for case in vectors.of("reply").into_iter().filter(|case| !case.has("of")) {
        // Closing is answered without a body.
        let body = case.text("body");
        assert_eq!(body.is_empty(), case.number("status") == 204, "{case}");
        assert!(body.is_empty() || serde_json::from_str::<Value>(body).is_ok(), "{case}");
    }
}

// ---- primitives

#[test]
fn gcm_vectors_open_or_not_as_ring_says() {
    let vectors = vectors("sign");
    for case in vectors.of("aead") {
        let (key, nonce) = (case.text("key"), case.text("nonce"));
        let found = gcm(key, nonce, case.text("associated_data"), case.text("ciphertext"));
        match (found, case.refused()) {
            (Ok(plain), None) => assert_eq!(plain, decoded(&case).as_bytes(), "{case}"),
            // Right but for the length of its key, which is the point of the case.
            (Ok(plain), Some("key-length")) if key.len() == 16 => assert_eq!(plain, case.bytes("plaintext"), "{case}"),
            (Err(_), Some("key-length")) => assert_ne!(key.len(), 32, "{case}"),
            (Err(reason), Some(refused)) => assert_eq!(reason, refused, "{case}"),
            (found, refused) => panic!("{case}: {found:?}, {refused:?}"),
        }
    }
}

#[test]
fn rsa_vectors_sign_verify_and_decrypt() {
    let vectors = vectors("sign");
    for case in vectors.of("rsa_sign") {
        assert_eq!(
            sign(case.text("key"), hash(&case), case.expected_text().unwrap()),
            case.expected_signature().unwrap()
        );
    }
    for case in vectors.of("rsa_verify") {
        let text = case.expected_text().map_or_else(|| case.bytes("text"), <[u8]>::to_vec);
        let holds = oracle::rsa_verify(case.text("key"), hash(&case), &text, case.text("signature"));
        assert_eq!(holds, case.refused().is_none(), "{case}");
    }
    for (kind, oaep) in [("oaep", true), ("pkcs1v15_decrypt", false)] {
        for case in vectors.of(kind) {
            let key = private_key(case.text("key"));
            let octets = STANDARD.decode(case.text("ciphertext")).unwrap();
            let found = if oaep {
                key.decrypt_blinded(&mut OsRng, Oaep::new::<sha1_for_rsa::Sha1>(), &octets)
            } else {
                key.decrypt_blinded(&mut OsRng, Pkcs1v15Encrypt, &octets)
            };
            match found {
                Ok(plain) => assert_eq!(plain, decoded(&case).as_bytes(), "{case}"),
                Err(_) => assert_eq!(case.refused(), Some("ciphertext-length"), "{case}"),
            }
        }
    }
}

#[test]
fn serials_digests_and_lines_are_those_of_the_oracle() {
    let vectors = vectors("sign");
    for case in vectors.of("certificate_serial") {
        assert_eq!(
            oracle::certificate_serial(case.text("certificate")).as_deref(),
            Some(decoded(&case)),
            "{case}"
        );
    }
    for case in vectors.of("digest") {
        let octets = case.bytes("octets");
        let found = json!({"sha1": oracle::sha1_hex(&octets), "sha256": oracle::sha256_hex(&octets)});
        assert_eq!(Some(&found), case.expected_decoded());
    }
    for case in vectors.of("canonical_join") {
        let mut parts = case.texts("lines");
        let found = match (case.text("form"), parts.len()) {
            ("request", count) => {
                parts.resize(count.max(5), "");
                let [method, target, time, nonce, body] = parts.try_into().unwrap();
                oracle::v3_request_text(method, target, time, nonce, body.as_bytes())
            }
            ("response", count) => {
                parts.resize(count.max(3), "");
                let [time, nonce, body] = parts.try_into().unwrap();
                oracle::v3_message_text(time, nonce, body.as_bytes())
            }
            (form, _) => panic!("{case}: {form}"),
        };
        assert_eq!(Some(found.as_slice()), case.expected_text(), "{case}");
    }
}

// ---- StarPos

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        rest = after;
        match (octet, after) {
            (b'%', [high, low, after @ ..]) => {
                let pair = [*high, *low];
                octets.push(u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
                rest = after;
            }
            (b'+', _) => octets.push(b' '),
            _ => octets.push(*octet),
        }
    }
    String::from_utf8(octets).unwrap()
}

#[test]
fn starpos_digests_are_those_of_the_oracle() {
    let vectors = vectors("starpos");
    for case in vectors.of("sign") {
        let (fields, key) = (map(case.pairs("fields")), case.text("key"));
        assert_eq!(oracle::starpos_text(&fields, key), text_of(&case), "{case}");
        assert_eq!(
            Some(oracle::starpos_sign(&fields, key).as_str()),
            case.expected_signature(),
            "{case}"
        );
    }
    for case in vectors.of("verify") {
        let key = case.text("key");
        let mut fields = map(case.pairs("fields"));
        if let Some(message) = fields.get_mut("message") {
            *message = percent_decoded(message);
        }
        if case.expected_fields().is_some() {
            assert_eq!(fields, expected_map(&case), "{case}");
        }
        let texts = [
            oracle::starpos_text(&fields, key),
            oracle::starpos_text_by_raw_names(&fields, key),
        ];
        let either = case.text("operation") == "pubSigPay";
        let [lowered, raw] = &texts;
        assert!(text_of(&case) == *lowered || either && text_of(&case) == *raw, "{case}");
        let sign = fields.get("signValue").unwrap().to_lowercase();
        let holds = texts
            .iter()
            .take(if either { 2 } else { 1 })
            .any(|text| oracle::md5_hex(text.as_bytes()) == sign);
        assert_eq!(holds, case.refused().is_none(), "{case}");
    }
    for case in vectors.of("push_digest") {
        let sign = oracle::starpos_push_sign(case.text("datas"), case.text("md5_key"));
        assert_eq!(
            sign == case.text("signature").to_uppercase(),
            case.refused().is_none(),
            "{case}"
        );
        if case.refused().is_none() {
            assert_eq!(Some(sign.as_str()), case.expected_signature());
            assert_eq!(text_of(&case), [case.text("datas"), case.text("md5_key")].concat());
        }
    }
}

#[test]
fn starpos_wrong_digests_are_wrong_in_the_way_that_they_say() {
    let vectors = vectors("starpos");
    let wrong = |name: &str| {
        let case = vectors.case(name);
        let fields = map(case.pairs("fields"));
        let sign = fields.get("signValue").unwrap().clone();
        (fields, sign)
    };
    let key = vectors.case("v2-sdk-barcode-pos-pay").text("key");
    let (fields, sign) = wrong("v2-wrong-raw-order");
    assert_eq!(
        oracle::md5_hex(oracle::starpos_text_by_raw_names(&fields, key).as_bytes()),
        sign
    );
    let (mut fields, sign) = wrong("v2-wrong-mandatory-only");
    for name in ["oprId", "trmTyp", "subject", "selOrderNo", "goods_tag", "attach"] {
        assert!(fields.remove(name).is_some(), "{name}");
    }
    assert_eq!(oracle::starpos_sign(&fields, key), sign);
    // The text of a message whose values have no blanks but those two: they come back where they stood.
    let spaced = |text: String| text.replace("Ab", "A b").replace("测试商品", "测试 商品");
    let (fields, sign) = wrong("v2-wrong-spaces-kept");
    assert_eq!(
        oracle::md5_hex(spaced(oracle::starpos_text(&fields, key)).as_bytes()),
        sign
    );
    let (fields, sign) = wrong("v2-wrong-raw-order-spaces-kept");
    assert_eq!(
        oracle::md5_hex(spaced(oracle::starpos_text_by_raw_names(&fields, key)).as_bytes()),
        sign
    );
    let (fields, sign) = wrong("v3-wrong-message-not-decoded");
    assert_eq!(oracle::starpos_sign(&fields, key), sign);
}

// ---- fshows

#[test]
fn envelope_requests_are_signed_over_the_oracles_text() {
    let vectors = vectors("envelope");
    for case in vectors.of("request_sign") {
        let fields = map(case.pairs("fields"));
        let text = oracle::fshows_text(&fields);
        assert_eq!(text, text_of(&case), "{case}");
        let signature = case.expected_signature().unwrap();
        assert!(
            oracle::rsa_verify(case.text("public_key"), hash(&case), text.as_bytes(), signature),
            "{case}"
        );
        assert_eq!(
            sign(case.text("key"), hash(&case), text.as_bytes()),
            signature,
            "{case}"
        );
        if let Some(request) = case.expected_request() {
            let body = std::str::from_utf8(request.body.as_deref().unwrap()).unwrap();
            let mut sent: Map = form(body).into_iter().collect();
            assert_eq!(sent.remove("sign").as_deref(), Some(signature));
            assert_eq!(sent, fields);
        }
    }
}

fn form(body: &str) -> Vec<(String, String)> {
    body.split('&')
        .map(|pair| pair.split_once('=').unwrap())
        .map(|(name, value)| (percent_decoded(name), percent_decoded(value)))
        .collect()
}

#[test]
fn envelope_call_backs_hold_or_not_as_the_oracle_says() {
    let vectors = vectors("envelope");
    for case in vectors.of("callback_verify") {
        let fields = form(case.text("body"));
        assert_eq!(fields, case.expected_fields().unwrap(), "{case}");
        let fields: Map = fields.into_iter().collect();
        let tries: &[bool] = match case.text("empties") {
            "drop" => &[false],
            "keep" => &[true],
            "drop-then-keep" => &[false, true],
            other => panic!("{case}: empties {other}"),
        };
        let texts: Vec<_> = tries
            .iter()
            .map(|keep| oracle::fshows_callback_text(&fields, *keep))
            .collect();
        assert!(texts.contains(&text_of(&case)), "{case}");
        let holds = texts.iter().any(|text| {
            oracle::rsa_verify(
                case.text("key"),
                hash(&case),
                text.as_bytes(),
                fields.get("sign").unwrap(),
            )
        });
        assert_eq!(holds, case.refused().is_none(), "{case}");
    }
    for case in vectors.of("callback_sign") {
        let text = oracle::fshows_callback_text(&map(case.pairs("fields")), false);
        assert_eq!(text, text_of(&case), "{case}");
        assert_eq!(
            sign(case.text("key"), hash(&case), text.as_bytes()),
            case.expected_signature().unwrap()
        );
    }
    for case in vectors.of("text_verify") {
        let holds = oracle::rsa_verify(
            case.text("key"),
            hash(&case),
            &case.bytes("text"),
            case.text("signature"),
        );
        assert_eq!(holds, case.refused().is_none(), "{case}");
    }
}

#[test]
fn envelope_keys_are_one_key_in_two_containers() {
    let vectors = vectors("envelope");
    for size in ["1024", "2048"] {
        let read = |form: &str| private_key(&vectors.key(&format!("merchant_{size}_{form}")).text);
        assert!(read("pkcs1") == read("pkcs8"), "{size}");
    }
}

#[test]
fn fshows_messages_are_json_unless_they_are_refused() {
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;
    let vectors = vectors("fshows");
    let spelled = |text: &str| -> String {
        text.strip_prefix('"')
            .map_or_else(|| text.to_owned(), |_| serde_json::from_str(text).unwrap())
    };
    for case in vectors.of("reply") {
        let parsed: Result<BTreeMap<String, Box<RawValue>>, _> = serde_json::from_str(case.text("body"));
        assert_eq!(parsed.is_err(), case.refused() == Some("not-json"), "{case}");
        let Ok(mut parsed) = parsed else { continue };
        if let Some(value) = parsed.remove("return_value") {
            let members: BTreeMap<String, Box<RawValue>> = serde_json::from_str(value.get()).unwrap();
            let members: Map = members
                .into_iter()
                .map(|(name, raw)| (name, spelled(raw.get())))
                .collect();
            assert_eq!(members, expected_map(&case), "{case}");
        }
        let beside: Value = serde_json::to_value(&parsed).unwrap();
        assert_eq!(Some(&beside), case.expected_decoded(), "{case}");
    }
    for case in vectors.of("request") {
        let parsed: Result<Value, _> = serde_json::from_str(case.text("body"));
        assert_eq!(parsed.is_err(), case.refused() == Some("not-json"), "{case}");
        let Ok(parsed) = parsed else { continue };
        assert_eq!(
            parsed["content"].is_object(),
            case.refused() == Some("wrong-type"),
            "{case}"
        );
        if case.refused().is_none() {
            let fields: Map = serde_json::from_value(parsed).unwrap();
            assert_eq!(fields, expected_map(&case));
            let content: Map = serde_json::from_str(fields.get("content").unwrap()).unwrap();
            assert_eq!(content.get("total_fee").map(String::as_str), Some("0.01"));
        }
    }
}

// ---- mpgateway

#[test]
fn mpgateway_signatures_are_those_of_the_oracle() {
    let vectors = vectors("mpgateway");
    for case in vectors.of("sign").into_iter().chain(vectors.of("page")) {
        let base64 = oracle::mpgateway_base64(case.text("payload"));
        assert_eq!([base64.as_str(), case.text("key")].concat(), text_of(&case), "{case}");
        let sign = oracle::mpgateway_sign(&base64, case.text("key"));
        assert_eq!(Some(sign.as_str()), case.expected_signature(), "{case}");
        let wanted = vec![("req".to_owned(), base64), ("sign".to_owned(), sign)];
        if let Some(body) = case.expected_request().and_then(|request| request.body.as_deref()) {
            assert_eq!(form(std::str::from_utf8(body).unwrap()), wanted, "{case}");
        }
        if case.kind() == "page" {
            assert_eq!(form(decoded(&case)), wanted, "{case}");
        }
    }
    for case in vectors.of("verify") {
        let base64 = case.text("base64").replace(' ', "+");
        let holds = oracle::mpgateway_sign(&base64, case.text("key")) == case.text("sign").to_lowercase();
        assert_eq!(holds, case.refused().is_none(), "{case}");
        assert_eq!(
            case.text("sign").is_empty(),
            case.refused() == Some("missing-signature"),
            "{case}"
        );
        if holds {
            assert_eq!(STANDARD.decode(&base64).unwrap(), decoded(&case).as_bytes(), "{case}");
            assert_eq!([base64.as_str(), case.text("key")].concat(), text_of(&case), "{case}");
        }
    }
}

#[test]
fn mpgateway_wrong_digests_are_wrong_in_the_way_that_they_say() {
    let vectors = vectors("mpgateway");
    let submit = vectors.case("v1-submit");
    assert_eq!(submit.expected_request().unwrap().method.as_deref(), Some("POST"));
    let (payload, key) = (submit.text("payload"), submit.text("key"));
    let base64 = oracle::mpgateway_base64(payload);
    for (name, text) in [
        ("v1-wrong-json", payload.to_owned()),
        (
            "v1-wrong-escaped",
            base64.replace('=', "%3D").replace('+', "%2B").replace('/', "%2F"),
        ),
    ] {
        let case = vectors.case(name);
        assert_eq!(case.text("base64"), base64, "{case}");
        assert_eq!(oracle::mpgateway_sign(&text, key), case.text("sign"), "{case}");
    }
}

// ---- the oracle itself

#[test]
fn the_oracle_refuses_keys_and_signatures_it_cannot_read() {
    let vectors = vectors("envelope");
    let key = &vectors.key("platform_1024_pub").text;
    for (key, signature) in [
        (key.as_str(), "not base64"),
        (key, ""),
        (key, "AAAA"),
        ("no key", "AAAA"),
        ("", "AAAA"),
    ] {
        assert!(!oracle::rsa_verify(key, Hash::Sha1, b"text", signature));
    }
    for length in 0..key.len() {
        assert!(!oracle::rsa_verify(&key[..length], Hash::Sha1, b"text", "AAAA"));
    }
    assert_eq!(oracle::certificate_serial(key), None);
}

#[test]
fn starpos_orders_differ_where_the_sheet_says_so() {
    for (first, second) in [("oprId", "opSys"), ("openid", "opSys"), ("txnappid", "txnTime")] {
        let fields = map([(first, "1"), (second, "2")]);
        assert_eq!(oracle::starpos_text(&fields, "k"), "12k", "{first} before {second}");
        assert_eq!(
            oracle::starpos_text_by_raw_names(&fields, "k"),
            "21k",
            "{second} before {first}"
        );
    }
}
