//! WeChat Pay itself, and its web side.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use rsa::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::sha2::Digest as _;
use yuanfen::core::{
    Address, CalendarDate, FixedAmbient, Limits, NotificationSource as _, Object, OpenError, Opens as _,
    OperationExt as _, ProtocolErrorKind, Secret, Sign as _, SignatureError, UnixTime, Verified,
};
use yuanfen::sign::legacy::{aes_256_ecb_open, md5_hex};
use yuanfen::sign::{AeadError, ApiV3Key, FileKey, KeyError, KeyedSigner, RsaSigningKey, SharedKey};
use yuanfen::wechat_v2::bill::BillLine;
use yuanfen::wechat_v2::ops::{DownloadTradeBill, QueryComments};
use yuanfen::wechat_v3::sign;
use yuanfen::{wechat_v2, wechat_v3, wechat_web, xml};
use yuanfen_testkit::oracle::{self, Hash, Map};
use yuanfen_testkit::{Case, Run, Stage, Value, Vectors, json};

use super::{Kind, Subject, v3_calls};
use crate::Error;

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        provider: "wechat-v2",
        crates: &["yuanfen-wechat-v2"],
        kinds: &[
            kind("sign", v2_signed, Some(v2_oracle)),
            kind("bridge", v2_signed, Some(v2_oracle)),
            kind("app", v2_signed, Some(v2_oracle)),
            kind("native_url", v2_link, Some(v2_oracle)),
            kind("request", v2_signed, Some(v2_oracle)),
            kind("reply", v2_reply, Some(v2_oracle)),
            kind("notification", v2_notice, None),
            kind("refund_key", v2_refund_key, Some(v2_refund_key_oracle)),
            kind("refund_decrypt", v2_refund, None),
            kind("xml", v2_sample, None),
            kind("notify_url", v2_notify_url, None),
            kind("bill", v2_bill, None),
            kind("comments", v2_comments, None),
        ],
    },
    Subject {
        provider: "wechat-v3",
        crates: &["yuanfen-wechat-v3"],
        kinds: &[
            kind("request_sign", v3_request, Some(v3_request_oracle)),
            kind("authorization_format", v3_authorization, None),
            kind("invoke_sign", v3_invoke, Some(v3_invoke_oracle)),
            kind("message_verify", v3_answer, Some(v3_answer_oracle)),
            kind("notification", v3_short_key, None),
            kind("certificates", v3_short_key, None),
            kind("bill_file", v3_bill, None),
            kind("encrypted_bill", v3_encrypted_bill, None),
            kind("request_payment", v3_page_sample, None),
            kind("newest_certificate", v3_newest_certificate, None),
            kind("request", v3_calls::request, None),
            kind("reply", v3_calls::reply, None),
        ],
    },
    Subject {
        provider: "wechat-web",
        crates: &["yuanfen-wechat-web"],
        kinds: &[
            kind("page_sign", web_page, None),
            kind("authorize", web_authorize, None),
        ],
    },
];

pub(super) const fn kind(name: &'static str, vectors: super::Check, oracle: Option<super::Check>) -> Kind {
    Kind { name, vectors, oracle }
}

/// A step that must succeed before the first stage is reached.
pub(super) fn must<T, E: std::fmt::Display>(run: &Run<'_>, result: Result<T, E>) -> T {
    run.at(Stage::Fields, result)
}

pub(super) fn map(case: Case<'_>) -> Map {
    case.pairs("fields")
        .into_iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

pub(super) fn ambient() -> FixedAmbient {
    FixedAmbient::at(0)
}

/// Compares what the second reading has an opinion about: the text and the signature.
pub(super) fn second_reading(case: Case<'_>, text: impl AsRef<[u8]>, signature: &str) {
    let text = text.as_ref();
    assert_eq!(case.expected_text(), Some(text), "the second reading has another text");
    assert_eq!(
        case.expected_signature(),
        Some(signature),
        "the second reading has another signature"
    );
}

/// The word that the vector files have for a refusal.
pub(super) fn word(error: &OpenError) -> String {
    match error {
        OpenError::Signature(SignatureError::Missing { .. }) => "missing-signature".to_owned(),
        OpenError::Signature(SignatureError::Mismatch) => "mismatch".to_owned(),
        other => format!("something else: {other:?}"),
    }
}

// ---- version 2

fn v2_sign_type(case: Case<'_>) -> wechat_v2::SignType {
    if case.text("digest") == "md5" {
        wechat_v2::SignType::Md5
    } else {
        wechat_v2::SignType::HmacSha256
    }
}

fn v2_text_and_signature(case: Case<'_>) -> (Run<'_>, String) {
    let run = case.run();
    let key = must(&run, SharedKey::new(case.text("key")));
    let text = wechat_v2::RULES.text(&case.fields("fields"), &key);
    let signer = KeyedSigner::new(key, v2_sign_type(case).scheme());
    let signature = run.at(Stage::Signature, signer.sign(text.as_bytes(), &ambient()));
    (run.text(text.as_bytes()).signature(&signature), signature)
}

fn v2_signed(case: Case<'_>) {
    v2_text_and_signature(case).0.done();
}

fn v2_oracle(case: Case<'_>) {
    let (fields, key) = (map(case), case.text("key"));
    let signature = match v2_sign_type(case) {
        wechat_v2::SignType::Md5 => oracle::v2_md5(&fields, key),
        _ => oracle::v2_hmac(&fields, key),
    };
    second_reading(case, oracle::v2_text(&fields, key), &signature);
}

/// The file as it would be downloaded, whole by its own check, and split into what is on it.
fn v2_bill(case: Case<'_>) {
    let run = case.run();
    let text = case.text("text");
    let mut check = must(&run, CalendarDate::parse("2019-02-19").map(DownloadTradeBill::new)).check();
    run.at(Stage::Fields, check.push(text.as_bytes()).and_then(|()| check.finish()));
    let bill = run.at(Stage::Fields, wechat_v2::BillText::parse(text));
    let rows = run.at(Stage::Decoded, bill.rows().collect::<Result<Vec<_>, _>>());
    let values = |line: &BillLine<'_>| line.iter().map(|(_, value)| Value::from(value)).collect::<Vec<_>>();
    run.decoded(&json!({
        "header": bill.header(),
        "rows": rows.iter().map(values).collect::<Vec<_>>(),
        "summary_header": bill.summary_header(),
        "summary": values(&bill.summary()),
    }))
    .done();
}

fn v2_comments(case: Case<'_>) {
    let run = case.run();
    let account = must(&run, wechat_v2::Account::new("wx2421b1c4370ec43b", "10000100", "key"));
    let (begin, end) = (UnixTime::from_seconds(0), UnixTime::from_seconds(1));
    let response = http::Response::new(Bytes::from(case.text("text").to_owned()));
    let page = run.at(
        Stage::Decoded,
        QueryComments::between(begin, end).reply(&account, &response, end),
    );
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

fn v2_link(case: Case<'_>) {
    let (run, signature) = v2_text_and_signature(case);
    let query: String = case
        .pairs("fields")
        .into_iter()
        .map(|(name, value)| format!("&{name}={value}"))
        .collect();
    run.decoded(&json!(format!("weixin://wxpay/bizpayurl?sign={signature}{query}")))
        .done();
}

/// An answer that holds under its signature, and whose plain members a reader finds as they came. What else each call
/// makes of its answer is for the crate's own tests.
fn v2_reply(case: Case<'_>) {
    let (run, signature) = v2_text_and_signature(case);
    let mut fields = case.fields("fields");
    must(&run, fields.push("sign", &signature));
    let body = must(&run, xml::write("xml", &fields));
    let account = must(&run, v2_account(case)).with_sign_type(v2_sign_type(case));
    let response = http::Response::new(Bytes::from(body));
    let opened = Verified::<wechat_v2::Reply>::open(&account, &response, UnixTime::from_seconds(0));
    let reply = run.at(Stage::Signature, opened).into_inner();
    assert_eq!(reply.fields, fields, "not the fields that were sent");
    if case
        .maybe_text("lacks")
        .is_some_and(|lacks| reply.fields.get(lacks).is_none())
    {
        run.done();
        return;
    }
    run.decoded_with(|decoded| {
        let members = decoded.as_object().into_iter().flatten();
        // Times are decoded into seconds.
        for (name, value) in members.filter(|(name, _)| *name != "time_end") {
            if let (Some(came), Some(read)) = (reply.fields.get(name), value.as_str()) {
                assert_eq!(came, read, "{name}");
            }
        }
    })
    .done();
}

fn v2_account(case: Case<'_>) -> Result<wechat_v2::Account, wechat_v2::SetupError> {
    wechat_v2::Account::new("wx2421b1c4370ec43b", "10000100", case.text("key"))
}

fn v2_notice(case: Case<'_>) {
    let run = case.run();
    let account = must(&run, v2_account(case)).with_sign_type(v2_sign_type(case));
    let body = case.bytes("body");
    let document = run.at(Stage::Fields, xml::read(&body, &xml::MESSAGE_LIMITS));
    let run = run.fields(document.fields());
    let opened = account.open_notification(&http::Request::new(Bytes::from(body)), UnixTime::from_seconds(0));
    if case.refused().is_some() {
        run.refused(opened, word);
    } else {
        let _event = run.at(Stage::Decoded, opened);
        run.done();
    }
}

fn v2_refund_key(case: Case<'_>) {
    case.run()
        .decoded(&json!(md5_hex(case.text("key").as_bytes()).as_str()))
        .done();
}

fn v2_refund_key_oracle(case: Case<'_>) {
    case.run()
        .decoded(&json!(oracle::v2_refund_key(case.text("key"))))
        .done();
}

fn v2_refund(case: Case<'_>) {
    let run = case.run();
    let account = must(&run, v2_account(case));
    let key: [u8; 32] = must(&run, md5_hex(case.text("key").as_bytes()).as_bytes().try_into());
    let sealed = must(&run, STANDARD.decode(case.text("req_info")));
    let (opened, typed) = (
        aes_256_ecb_open(&key, &sealed),
        account.decrypt_refund_notice(case.text("req_info")),
    );
    if case.refused().is_some() {
        // The account's own error tells nobody why; the primitive below it does.
        let alike = matches!(&typed, Err(OpenError::Protocol(error)) if error.kind == ProtocolErrorKind::Decrypt);
        run.refused(opened, |error| match error {
            AeadError::Length if alike => "ciphertext-length".to_owned(),
            AeadError::Refused if alike => "padding".to_owned(),
            other => format!("something else: {other:?}"),
        });
        return;
    }
    let _notice = run.at(Stage::Decoded, typed);
    let plaintext = run.at(Stage::Decoded, opened);
    let document = run.at(Stage::Fields, xml::read(&plaintext, &xml::MESSAGE_LIMITS));
    let text = run.at(Stage::Decoded, String::from_utf8(plaintext));
    run.fields(document.fields()).decoded(&Value::from(text)).done();
}

fn v2_sample(case: Case<'_>) {
    let run = case.run();
    let read = xml::read(&case.bytes("body"), &xml::MESSAGE_LIMITS);
    if case.refused().is_some() {
        run.refused(read, |_| "not-xml".to_owned());
    } else {
        let document = run.at(Stage::Fields, read);
        run.fields(document.fields()).done();
    }
}

fn v2_notify_url(case: Case<'_>) {
    let run = case.run();
    let address = Address::parse_plain("notify_url", case.text("address"));
    if case.refused().is_some() {
        run.refused(address, |error| match error.field {
            "notify_url" => "address".to_owned(),
            other => format!("another field: {other}"),
        });
    } else {
        let address = run.at(Stage::Decoded, address);
        run.decoded(&json!(address.as_str())).done();
    }
}

// ---- APIv3

fn v3_request(case: Case<'_>) {
    let run = case.run();
    let key = must(&run, RsaSigningKey::parse(case.text("key")));
    let text = sign::request_text(
        case.text("method"),
        case.text("target"),
        case.text("timestamp"),
        case.text("nonce"),
        &case.bytes("body"),
    );
    let signature = run.at(Stage::Signature, key.sign(&text, &ambient()));
    run.text(&text).signature(&signature).done();
}

fn v3_request_oracle(case: Case<'_>) {
    let text = oracle::v3_request_text(
        case.text("method"),
        case.text("target"),
        case.text("timestamp"),
        case.text("nonce"),
        &case.bytes("body"),
    );
    oracle_signed(case, &text);
}

/// The text compared, and the published signature checked over it with another library.
fn oracle_signed(case: Case<'_>, text: &[u8]) {
    let run = case.run().text(text);
    let private = must(&run, rsa::RsaPrivateKey::from_pkcs8_pem(case.text("key")));
    let published = case.expected_signature().unwrap_or_default();
    let octets = run.at(Stage::Signature, STANDARD.decode(published));
    let digest = rsa::sha2::Sha256::digest(text);
    let checked = private
        .to_public_key()
        .verify(Pkcs1v15Sign::new::<rsa::sha2::Sha256>(), &digest, &octets);
    run.at(Stage::Signature, checked);
    run.signature(published).done();
}

fn v3_authorization(case: Case<'_>) {
    let (timestamp, nonce) = (case.text("timestamp"), case.text("nonce"));
    let text = sign::request_text(
        case.text("method"),
        case.text("target"),
        timestamp,
        nonce,
        &case.bytes("body"),
    );
    let header = sign::authorization(
        case.text("scheme"),
        case.text("mchid"),
        nonce,
        timestamp,
        case.text("serial_no"),
        case.text("signature"),
    );
    case.run().text(&text).decoded(&Value::from(header)).done();
}

fn v3_invoke(case: Case<'_>) {
    let run = case.run();
    let key = must(&run, RsaSigningKey::parse(case.text("key")));
    let package = format!("prepay_id={}", case.text("prepay_id"));
    let text = sign::invoke_text(case.text("appid"), case.text("timestamp"), case.text("nonce"), &package);
    let signature = run.at(Stage::Signature, key.sign(&text, &ambient()));
    run.text(&text).signature(&signature).done();
}

fn v3_invoke_oracle(case: Case<'_>) {
    let text = oracle::v3_invoke_text(
        case.text("appid"),
        case.text("timestamp"),
        case.text("nonce"),
        case.text("prepay_id"),
    );
    oracle_signed(case, &text);
}

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_0119000072912024101100000000000000";

pub(super) fn v3_account() -> Result<wechat_v3::Account, Error> {
    let identity = wechat_v3::SigningIdentity::elsewhere("1900007291", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB")?;
    let key = ApiV3Key::new("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb")?;
    Ok(wechat_v3::Account::direct(identity, "wxd678efh567hg6787", key)?)
}

fn v3_answer(case: Case<'_>) {
    let (timestamp, nonce, body) = (case.text("timestamp"), case.text("nonce"), case.bytes("body"));
    let run = case.run().text(sign::answer_text(timestamp, nonce, &body));
    let account = must(&run, v3_account());
    let account = must(&run, account.with_public_key(PUBLIC_KEY_ID, case.text("key")));
    let answer = http::Response::builder()
        .status(if body.is_empty() { 204 } else { 200 })
        .header("Wechatpay-Timestamp", timestamp)
        .header("Wechatpay-Nonce", nonce)
        .header("Wechatpay-Serial", PUBLIC_KEY_ID)
        .header("Wechatpay-Signature", case.text("signature"))
        .body(Bytes::from(body));
    let answer = must(&run, answer);
    let now = UnixTime::from_seconds(case.number("timestamp"));
    let opened = Verified::<wechat_v3::Reply>::open(&account, &answer, now);
    if case.refused().is_some() {
        run.refused(opened, word);
    } else {
        let _reply = run.at(Stage::Decoded, opened);
        run.done();
    }
}

fn v3_answer_oracle(case: Case<'_>) {
    let text = oracle::v3_message_text(case.text("timestamp"), case.text("nonce"), &case.bytes("body"));
    let holds = oracle::rsa_verify(case.text("key"), Hash::Sha256, &text, case.text("signature"));
    assert_eq!(
        case.expected_text(),
        Some(&*text),
        "the second reading has another text"
    );
    assert_eq!(holds, case.refused().is_none(), "whether the second reading accepts it");
}

/// What was published under a key of 16 bytes is refused where the account is set up.
fn v3_short_key(case: Case<'_>) {
    let mut run = case.run();
    if case.expected_text().is_some() {
        run = run.text(sign::answer_text(
            case.text("timestamp"),
            case.text("nonce"),
            &case.bytes("body"),
        ));
    }
    run.refused(ApiV3Key::new(case.text("apiv3_key")), |error| match error {
        KeyError::Length { expected: 32, .. } => "key-length".to_owned(),
        other => format!("something else: {other:?}"),
    });
}

fn v3_bill(case: Case<'_>) {
    let run = case.run();
    let gzip = case.bytes("gzip");
    let expected = case
        .expected_decoded()
        .and_then(|decoded| decoded.get("sha1")?.as_str())
        .unwrap_or_default();
    let mut check = wechat_v3::BillCheck::new(expected);
    for chunk in gzip.chunks(7) {
        run.at(Stage::Decoded, check.push(chunk));
    }
    run.at(Stage::Decoded, check.finish());
    run.decoded_with(drop).done();
}

fn v3_encrypted_bill(case: Case<'_>) {
    let run = case.run();
    let private_key = must(&run, RsaSigningKey::parse(case.text("key")));
    let key = must(
        &run,
        private_key.decrypt_oaep_sha1(case.text("encrypt_key"), &ambient()),
    );
    let key = FileKey::from_bytes(&key);
    if case.refused().is_some() {
        run.refused(key, |_| "decrypt".to_owned());
        return;
    }
    let expected = case
        .expected_decoded()
        .and_then(|decoded| decoded.get("sha1")?.as_str())
        .unwrap_or_default();
    let mut file = wechat_v3::EncryptedBillFile::new(must(&run, key), case.text("nonce"), expected);
    for chunk in case.bytes("file").chunks(7) {
        run.at(Stage::Decoded, file.push(chunk));
    }
    let text = run.at(Stage::Decoded, file.finish());
    run.decoded(&json!({"sha1": expected, "text": String::from_utf8_lossy(&text)}))
        .done();
}

fn v3_page_sample(case: Case<'_>) {
    let run = case.run();
    let read = Object::parse(&case.bytes("body"), &Limits::DEFAULT);
    if case.refused().is_some() {
        run.refused(read, |_| "not-json".to_owned());
    } else {
        let object = run.at(Stage::Fields, read);
        let fields = run.at(Stage::Fields, object.to_fields());
        run.fields(&fields).done();
    }
}

/// The folder of the case, for what it names there.
pub(super) fn v3_vectors() -> Result<Vectors, Error> {
    Ok(Vectors::of_crate(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../yuanfen-wechat-v3"
    ))?)
}

fn v3_newest_certificate(case: Case<'_>) {
    let run = case.run();
    let vectors = must(&run, v3_vectors());
    let mut account = must(&run, v3_account());
    for name in case.texts("certificates") {
        account = must(&run, account.with_certificate(&vectors.key(name).text));
    }
    let newest = account.platform_keys().newest_certificate(V3_NOW);
    let serial = newest.map(|certificate| certificate.serial).unwrap_or_default();
    run.decoded(&Value::from(serial)).done();
}

/// A moment when the published certificates were valid and the published days were over.
pub(super) const V3_NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

// ---- web

fn web_page(case: Case<'_>) {
    let run = case.run();
    let ticket = Secret::new(case.text("ticket").to_owned());
    let at = UnixTime::from_seconds(case.number("timestamp"));
    let signature = wechat_web::page_signature(&ticket, case.text("nonce"), at, case.text("url"));
    let signature = run.at(Stage::Signature, signature);
    run.signature(&signature).done();
}

fn web_authorize(case: Case<'_>) {
    let run = case.run();
    let back = Address::parse("redirect_uri", case.text("redirect_uri"));
    if case.refused().is_some() {
        run.refused(back, |_| "address".to_owned());
        return;
    }
    let back = run.at(Stage::Request, back);
    let state = must(&run, wechat_web::State::new(case.text("state")));
    let mut authorize = wechat_web::Authorize::new(case.text("appid"), back, state);
    if case.text("scope") == "snsapi_userinfo" {
        authorize.scope = wechat_web::Scope::UserInfo;
    }
    let address = run.at(Stage::Decoded, authorize.address());
    run.decoded(&address.into()).done();
}
