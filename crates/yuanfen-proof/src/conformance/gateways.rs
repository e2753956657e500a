//! The acquirers: StarPos, fshows, mpgateway.

use std::sync::Arc;

use bytes::Bytes;
use yuanfen::core::{
    Address, BaseUrl, Decimal, ErrorKind, Fen, Fields, Limits, Notice, NotificationSource as _, Object, OpenError,
    Opens as _, Operation as _, OperationExt as _, OrderNo, PayAmount, ProtocolErrorKind, Provider as _, Sign as _,
    SignatureError, UnixTime, Unsigned, Verified, Verify as _,
};
use yuanfen::envelope::{self, CallbackRules, EmptyValues, Envelope};
use yuanfen::form::base64_json::{decode, encode, repair_spaces};
use yuanfen::fshows::ops::PayWechatPage;
use yuanfen::sign::legacy::{LegacyRsaSigningKey, LegacyRsaVerifyingKey, RsaDigest};
use yuanfen::sign::{
    DigestScheme, HexCase, HexSpelling, KeyError, KeyedDigest, KeyedSigner, NameOrder, PairRules, SharedKey, keyed_text,
};
use yuanfen::{form, fshows, mpgateway, starpos};
use yuanfen_testkit::oracle::{self, Hash};
use yuanfen_testkit::{Case, Run, Stage, Value, Vectors, json};

use super::Subject;
use super::direct::{ambient, kind, map, must, second_reading, word};
use crate::Error;

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        provider: "starpos",
        crates: &["yuanfen-starpos"],
        kinds: &[
            kind("sign", starpos_signed, Some(starpos_oracle)),
            kind("verify", starpos_opened, None),
            kind("push_digest", starpos_push, Some(starpos_push_oracle)),
        ],
    },
    Subject {
        provider: "fshows",
        crates: &["yuanfen-envelope", "yuanfen-fshows"],
        kinds: &[
            kind("request_sign", fshows_request, Some(fshows_request_oracle)),
            kind("callback_sign", fshows_call_back_signed, None),
            kind("callback_verify", fshows_call_back, Some(fshows_call_back_oracle)),
            kind("text_verify", fshows_other_text, Some(fshows_other_text_oracle)),
            kind("reply", fshows_reply, None),
            kind("request", fshows_printed_request, None),
        ],
    },
    Subject {
        provider: "mpgateway",
        crates: &["yuanfen-mpgateway"],
        kinds: &[
            kind("sign", mpgateway_signed, Some(mpgateway_oracle)),
            kind("verify", mpgateway_opened, None),
            kind("page", mpgateway_page, Some(mpgateway_oracle)),
        ],
    },
];

// ---- StarPos

fn starpos_signed(case: Case<'_>) {
    let run = case.run();
    let account = must(
        &run,
        starpos::Account::new("00001", "000000000000001", "00000001", case.text("key")),
    );
    let mut fields = Fields::new();
    // The provider adds these two.
    for (name, value) in case
        .pairs("fields")
        .into_iter()
        .filter(|(name, _)| !matches!(*name, "signType" | "signValue"))
    {
        must(&run, fields.push(name, value));
    }
    let message = starpos::Message::new("/call.json", fields, starpos::SignedAs::TypeAndValue);
    let draft = run.at(Stage::Text, account.draft(message, &ambient()));
    let signature = run.at(Stage::Signature, account.signer().sign(draft.text(), &ambient()));
    run.text(draft.text()).signature(&signature).done();
}

fn starpos_oracle(case: Case<'_>) {
    let (fields, key) = (map(case), case.text("key"));
    second_reading(
        case,
        oracle::starpos_text(&fields, key),
        &oracle::starpos_sign(&fields, key),
    );
}

fn starpos_opened(case: Case<'_>) {
    let mut run = case.run();
    let key = must(&run, SharedKey::new(case.text("key")));
    let account = must(
        &run,
        starpos::Account::new("00001", "000000000000001", "00000001", case.text("key")),
    );
    // In the order of the case, which a map would lose.
    let members: Vec<String> = case
        .pairs("fields")
        .into_iter()
        .map(|(name, value)| format!("{}:{}", json!(name), json!(value)))
        .collect();
    let response = http::Response::new(Bytes::from(format!("{{{}}}", members.join(","))));
    if let Some(expected) = case.expected_text() {
        // Signed over the decoded text, in one of the two orders that answers may have.
        let mut fields = Fields::new();
        for (name, value) in case.pairs("fields") {
            if value.starts_with('%') {
                let decoded = must(&run, form::read(format!("value={value}").as_bytes(), &Limits::DEFAULT));
                must(&run, fields.push(name, decoded.get("value").unwrap_or_default()));
            } else {
                must(&run, fields.push(name, value));
            }
        }
        let by_bytes = PairRules {
            order: NameOrder::Bytes,
            ..starpos::RULES
        };
        let [text, other] = [starpos::RULES, by_bytes].map(|rules| rules.text(&fields, &key));
        run = run.text(if other.as_bytes() == expected { other } else { text }.as_bytes());
    }
    let now = UnixTime::from_seconds(0);
    let opened = if case.text("operation") == "pubSigPay" {
        Unsigned::<starpos::Reply>::open(&account, &response, now).map(Unsigned::into_inner)
    } else {
        Verified::<starpos::Reply>::open(&account, &response, now).map(Verified::into_inner)
    };
    if case.refused().is_some() {
        run.refused(opened, word);
        return;
    }
    let reply = run.at(Stage::Decoded, opened);
    if case.expected_fields().is_some() {
        run = run.fields(&reply.fields);
    }
    run.done();
}

/// The digest of an encrypted push: MD5 of the ciphertext and a key of its own, in upper case.
fn starpos_push(case: Case<'_>) {
    const SCHEME: DigestScheme = DigestScheme {
        digest: KeyedDigest::Md5,
        spelling: HexSpelling::Upper,
        case: HexCase::Ignored,
    };
    let mut run = case.run();
    let key = must(&run, SharedKey::new(case.text("md5_key")));
    let text = keyed_text(case.text("datas").as_bytes(), &key);
    let signer = KeyedSigner::new(key, SCHEME);
    let verdict = signer.verify(text.as_bytes(), case.text("signature"));
    if case.refused().is_some() {
        run.refused(verdict.map_err(OpenError::from), word);
        return;
    }
    run.at(Stage::Signature, verdict);
    let signature = run.at(Stage::Signature, signer.sign(text.as_bytes(), &ambient()));
    run = run.text(text.as_bytes()).signature(&signature);
    if !case.has("private_key") {
        run.done();
        return;
    }
    let opened = starpos_push_opened(&run, case);
    let Some(published) = case.expected_decoded() else {
        // Its digest holds, and what is inside is no push.
        let alike = matches!(&opened, Err(OpenError::Protocol(error)) if error.kind == ProtocolErrorKind::Decrypt);
        assert!(alike, "opened, or refused for another reason: {:?}", opened.err());
        run.done();
        return;
    };
    let push = run.at(Stage::Decoded, opened);
    let amount = push.amount.yuan().to_string();
    let found = [
        ("logNo", Some(push.log_no.as_str())),
        ("TxnCode", Some(push.kind.as_str())),
        ("TxnStatus", Some(&*push.status)),
        ("TxnLogId", push.trade_no.as_deref()),
        ("ChannelId", push.order_no.as_deref()),
        ("OfficeId", push.channel_order_no.as_deref()),
        ("BusinessId", Some(&*push.merchant)),
        ("UserId", push.payer.as_deref()),
        // A border between two blocks goes through a character of this text.
        ("attach", push.extra.get("attach")),
    ];
    for (name, found) in found {
        assert_eq!(published.get(name).and_then(Value::as_str), found, "{name}");
    }
    // The wire writes no zeros at the end.
    assert_eq!(
        published.get("TxnAmt").and_then(Value::as_str),
        Some(amount.trim_end_matches('0').trim_end_matches('.')),
        "TxnAmt"
    );
    run.decoded_with(drop).done();
}

/// The push through an account that has both keys.
fn starpos_push_opened(run: &Run<'_>, case: Case<'_>) -> Result<starpos::notify::Push, OpenError> {
    let keys = starpos::notify::PushKeys::new(case.text("md5_key"), case.text("private_key"), Arc::new(ambient()));
    let account = starpos::Account::new("00001", "000000000000001", "00000001", case.text("md5_key"));
    let account = must(run, account).with_push_keys(must(run, keys));
    let body = json!({ "Datas": case.text("datas"), "signValue": case.text("signature") }).to_string();
    let notice = account.open_notification(&http::Request::new(Bytes::from(body)), UnixTime::from_seconds(0))?;
    match notice {
        Notice::Settles(push) => Ok(push.into_inner()),
        _ => Err(SignatureError::Missing { part: "signValue" }.into()),
    }
}

fn starpos_push_oracle(case: Case<'_>) {
    let (datas, key) = (case.text("datas"), case.text("md5_key"));
    let signature = oracle::starpos_push_sign(datas, key);
    if case.refused().is_some() {
        assert!(
            !signature.eq_ignore_ascii_case(case.text("signature")),
            "the second reading accepts it"
        );
    } else {
        second_reading(case, [datas, key].concat(), &signature);
    }
}

// ---- fshows

fn digest(case: Case<'_>) -> RsaDigest {
    if case.text("digest") == "sha1" {
        RsaDigest::Sha1
    } else {
        RsaDigest::Sha256
    }
}

fn signed_with_case_key(run: Run<'_>, case: Case<'_>, text: &[u8]) {
    let key: Result<LegacyRsaSigningKey, KeyError> = LegacyRsaSigningKey::parse(case.text("key"), digest(case));
    let key = must(&run, key);
    let signature = run.at(Stage::Signature, key.sign(text, &ambient()));
    run.text(text).signature(&signature).done();
}

fn fshows_request(case: Case<'_>) {
    let run = case.run();
    let fields = case.fields("fields");
    let part = |name| fields.get(name).unwrap_or_default();
    let mut sealed = Envelope::new(part("app_id"), part("method"), part("content"));
    part("version").clone_into(&mut sealed.version);
    let gateway = must(&run, Address::parse("gateway", GATEWAY));
    let draft = run.at(Stage::Text, sealed.draft(&gateway));
    let key = must(&run, LegacyRsaSigningKey::parse(case.text("key"), digest(case)));
    let signature = run.at(Stage::Signature, key.sign(draft.text(), &ambient()));
    let mut run = run.text(draft.text()).signature(&signature);
    if case.expected_request().is_some() {
        let request = run.at(Stage::Request, draft.finish(&signature));
        run = run.request(&request);
    }
    run.done();
}

fn fshows_request_oracle(case: Case<'_>) {
    let text = oracle::fshows_text(&map(case));
    let published = case.expected_signature().unwrap_or_default();
    let holds = oracle::rsa_verify(case.text("public_key"), hash(case), text.as_bytes(), published);
    assert!(
        holds,
        "the published signature does not hold over the second reading's text"
    );
    second_reading(case, text, published);
}

fn fshows_call_back_signed(case: Case<'_>) {
    let text = envelope::RULES.keyless_text(&case.fields("fields"));
    signed_with_case_key(case.run(), case, text.as_bytes());
}

fn fshows_call_back(case: Case<'_>) {
    let run = case.run();
    let key = must(&run, LegacyRsaVerifyingKey::parse(case.text("key"), digest(case)));
    let mut rules = CallbackRules::default();
    rules.empty_values = match case.text("empties") {
        "drop" => EmptyValues::Drop,
        "keep" => EmptyValues::Keep,
        _ => EmptyValues::EitherWay,
    };
    let body = case.text("body").as_bytes();
    let fields = run.at(Stage::Fields, form::read(body, &Limits::DEFAULT));
    // The text that the case states is one of those that are tried.
    let [dropped, kept] = [envelope::RULES, envelope::RULES_KEEPING_EMPTY].map(|rules| rules.keyless_text(&fields));
    let keeps = Some(kept.as_bytes()) == case.expected_text();
    let run = run.fields(&fields).text(if keeps { kept } else { dropped }.as_bytes());
    let opened = envelope::open_callback(body, &key, &rules);
    if case.refused().is_some() {
        run.refused(opened.map_err(|error| error.into_open_error(body)), word);
    } else {
        let _fields = run.at(Stage::Decoded, opened);
        run.done();
    }
}

fn fshows_call_back_oracle(case: Case<'_>) {
    let fields = case.expected_fields().unwrap_or_default().iter().cloned().collect();
    let signature = case
        .expected_fields()
        .and_then(|fields| fields.iter().find(|(name, _)| name == "sign"));
    let signature = signature.map_or("", |(_, value)| value);
    let readings: &[bool] = match case.text("empties") {
        "drop" => &[false],
        "keep" => &[true],
        _ => &[false, true],
    };
    let holds = readings.iter().any(|keep_empty| {
        let text = oracle::fshows_callback_text(&fields, *keep_empty);
        oracle::rsa_verify(case.text("key"), hash(case), text.as_bytes(), signature)
    });
    assert_eq!(holds, case.refused().is_none(), "whether the second reading accepts it");
}

fn fshows_other_text(case: Case<'_>) {
    let run = case.run();
    let key = must(&run, LegacyRsaVerifyingKey::parse(case.text("key"), digest(case)));
    let verdict = key.verify(case.text("text").as_bytes(), case.text("signature"));
    run.refused(verdict.map_err(OpenError::from), word);
}

fn hash(case: Case<'_>) -> Hash {
    if case.text("digest") == "sha1" {
        Hash::Sha1
    } else {
        Hash::Sha256
    }
}

fn fshows_other_text_oracle(case: Case<'_>) {
    let holds = oracle::rsa_verify(
        case.text("key"),
        hash(case),
        case.text("text").as_bytes(),
        case.text("signature"),
    );
    assert!(!holds, "the second reading accepts it");
}

fn fshows_account() -> Result<fshows::Account, Error> {
    let keys = Vectors::of_crate(concat!(env!("CARGO_MANIFEST_DIR"), "/../yuanfen-envelope"))?;
    let (ours, theirs) = (keys.key("merchant_1024_pkcs8"), keys.key("platform_1024_pub"));
    let base = BaseUrl::parse(fshows::TEST_BASE)?;
    Ok(fshows::Account::new(
        "20990101000000001",
        &ours.text,
        &theirs.text,
        &base,
    )?)
}

/// An order of one fen, as the sheet's and the printed one are.
fn fshows_order() -> Result<PayWechatPage, Error> {
    Ok(PayWechatPage::official_account(
        "20170720205421027980",
        OrderNo::new("CQL201709061009040181240")?,
        PayAmount::from_fen(1)?,
        "测试服务商",
        "odBg7w0urs07MhHgZT2leFHOfAo1",
        "123.56.171.228".parse()?,
    ))
}

fn fshows_reply(case: Case<'_>) {
    let run = case.run();
    let (account, order) = (must(&run, fshows_account()), must(&run, fshows_order()));
    let response = http::Response::new(Bytes::from(case.bytes("body")));
    let opened = order.reply(&account, &response, UnixTime::from_seconds(0));
    if case.refused().is_some() {
        run.refused(opened, |error| match error.kind() {
            ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Format => "not-json".to_owned(),
            other => format!("something else: {other:?}"),
        });
        return;
    }
    if case.expected_fields().is_none() {
        let refusal = match &opened {
            Err(error) => error.refusal(),
            Ok(_) => None,
        };
        let found = refusal
            .map(|refusal| json!({ "success": false, "error_code": refusal.code, "error_message": refusal.message }));
        run.decoded(&found.unwrap_or_default()).done();
        return;
    }
    let prepaid = run.at(Stage::Fields, opened);
    let yuan = |amount: Option<Fen>| amount.map(|amount| amount.yuan().to_string());
    let decimal = |number: &Option<Decimal>| number.as_ref().map(ToString::to_string);
    let fees = &prepaid.fees;
    let mut fields = Fields::new();
    for (name, value) in [
        ("prepay_id", Some(prepaid.prepay_id.as_str().to_owned())),
        ("total_fee", yuan(prepaid.amount)),
        ("net_receipt_amount", yuan(prepaid.net_amount)),
        ("bank_commission_rate", decimal(&fees.bank_rate)),
        ("bank_commission_fee", decimal(&fees.bank_fee)),
        ("pay_platform_rate", decimal(&fees.wallet_rate)),
        ("pay_platform_fee", decimal(&fees.wallet_fee)),
        ("liquidator_commission_rate", decimal(&fees.liquidator_rate)),
        ("liquidator_commission_fee", decimal(&fees.liquidator_fee)),
        ("gatewayCommissionRate", decimal(&fees.gateway_rate)),
        ("gatewayCommissionFee", decimal(&fees.gateway_fee)),
        ("notify_url", prepaid.notify_url.clone()),
    ] {
        must(&run, fields.push(name, value.as_deref().unwrap_or_default()));
    }
    assert!(prepaid.extra.is_empty(), "members that were not read");
    run.fields(&fields).decoded(&json!({ "success": true })).done();
}

/// The sample of the vendor's document; where it can be read, its content is what the operation writes.
fn fshows_printed_request(case: Case<'_>) {
    let run = case.run();
    let read = Object::parse(&case.bytes("body"), &Limits::DEFAULT)
        .map_err(|_| "not-json")
        .and_then(|object| object.to_fields().map_err(|_| "wrong-type"));
    if case.refused().is_some() {
        run.refused(read, |word| (*word).to_owned());
        return;
    }
    let fields = run.at(Stage::Fields, read);
    let mut order = must(&run, fshows_order());
    order.notify_url = Some(must(&run, Address::parse("notify_url", "https://cc.ngrok.cc/test")));
    let account = must(&run, fshows_account());
    let message = run.at(Stage::Fields, order.encode(&account, &ambient()));
    // The printed notify address is plain http to another machine, which is refused here; the rest is the same.
    assert_eq!(
        Some(&*message.content.replace("https:", "http:")),
        fields.get("content"),
        "content"
    );
    run.fields(&fields).done();
}

// ---- mpgateway

const GATEWAY: &str = "https://pay.example/gateway";

fn mpgateway_account(case: Case<'_>) -> Result<mpgateway::Account, Error> {
    let base = BaseUrl::parse("https://pay.example")?;
    Ok(mpgateway::Account::new("M00000001", case.text("key"), base)?)
}

fn mpgateway_text_and_signature(case: Case<'_>) -> Run<'_> {
    let run = case.run();
    let key = must(&run, SharedKey::new(case.text("key")));
    let text = keyed_text(encode(case.text("payload").as_bytes()).as_bytes(), &key);
    let signature = run.at(
        Stage::Signature,
        KeyedSigner::new(key, mpgateway::SCHEME).sign(text.as_bytes(), &ambient()),
    );
    run.text(text.as_bytes()).signature(&signature)
}

fn mpgateway_signed(case: Case<'_>) {
    let mut run = mpgateway_text_and_signature(case);
    if case.expected_request().is_some() {
        let account = run.at(Stage::Request, mpgateway_account(case));
        let message = mpgateway::Message::new("/api/mpgateway", case.text("payload").to_owned());
        let request = run.at(Stage::Request, account.seal(message, &ambient()));
        run = run.request(&request);
    }
    run.done();
}

fn mpgateway_page(case: Case<'_>) {
    let run = mpgateway_text_and_signature(case);
    let payload: Value = must(&run, serde_json::from_str(case.text("payload")));
    let member = |name| payload.get(name).and_then(Value::as_str).unwrap_or_default();
    // The payload names the merchant of the case.
    let base = must(&run, BaseUrl::parse("https://pay.example"));
    let account = must(&run, mpgateway::Account::new(member("merid"), case.text("key"), base));
    let order_no = must(&run, OrderNo::new(member("orderid")));
    let page = run.at(Stage::Decoded, account.pay_page(&order_no, member("code"), &ambient()));
    let query = page.split_once('?').map_or("", |(_, query)| query);
    run.decoded(&json!(query)).done();
}

fn mpgateway_oracle(case: Case<'_>) {
    let (base64, key) = (oracle::mpgateway_base64(case.text("payload")), case.text("key"));
    second_reading(case, [&*base64, key].concat(), &oracle::mpgateway_sign(&base64, key));
}

fn mpgateway_opened(case: Case<'_>) {
    let mut run = case.run();
    let account = must(&run, mpgateway_account(case));
    let (base64, sign) = (case.text("base64"), case.text("sign"));
    let body = json!({ "resp": base64, "sign": sign }).to_string();
    let response = http::Response::new(Bytes::from(body));
    let opened = Verified::<mpgateway::Reply>::open(&account, &response, UnixTime::from_seconds(0));
    if case.refused().is_some() {
        run.refused(opened, word);
        return;
    }
    let _reply = run.at(Stage::Decoded, opened);
    let repaired = repair_spaces(base64);
    let key = must(&run, SharedKey::new(case.text("key")));
    run = run.text(keyed_text(repaired.as_bytes(), &key).as_bytes());
    let (json, _) = run.at(Stage::Decoded, decode(&repaired, &Limits::DEFAULT));
    let text = run.at(Stage::Decoded, String::from_utf8(json));
    run.decoded(&Value::from(text)).done();
}
