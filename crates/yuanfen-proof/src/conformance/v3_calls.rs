//! Whole calls of WeChat Pay's version 3, as others published them. What each typed call makes of a message is for the
//! crate's own tests, but for the owner's samples.

use bytes::Bytes;
use yuanfen::core::{
    Address, CalendarDate, FixedAmbient, OpenError, Opens as _, Operation as _, OrderNo, PayAmount, Provider as _,
    RemoteId, Sign as _, Verified,
};
use yuanfen::sign::{ApiV3Key, RsaSigningKey};
use yuanfen::wechat_v3::ops::{
    BillType, CloseOrder, PlaceJsapiOrder, QueryOrder, RequestSubMerchantFundFlowBill, RequestTradeBill,
};
use yuanfen::wechat_v3::{
    Account, DownloadedCertificates, MediaFile, Message, OpenId, OrderTerms, Reply, SigningIdentity, sign,
};
use yuanfen_testkit::{Case, Stage, Value, json};

use super::direct::{V3_NOW, must, v3_account, v3_vectors};
use crate::Error;

/// What is sent. Members of JSON have no order, so bodies are compared as JSON.
pub(super) fn request(case: Case<'_>) {
    let run = case.run();
    let ambient = FixedAmbient::at(V3_NOW.seconds());
    let account = must(&run, owners_account());
    let message = run.at(Stage::Request, message(case, &account, &ambient));
    let draft = run.at(Stage::Request, account.draft(message, &ambient));
    // Of an upload, what is signed ends with the part that describes the file.
    let signed = String::from_utf8_lossy(draft.text()).into_owned();
    let signed = signed.splitn(5, '\n').nth(4).unwrap_or_default();
    let published = case.expected_request().and_then(|request| request.body.clone());
    let published = published.unwrap_or_default();
    let json = |body: &[u8]| serde_json::from_slice::<Value>(body).ok();
    assert_eq!(json(signed.as_bytes()), json(&published), "the body as JSON");
    let mut request = run.at(Stage::Request, draft.finish("c2lnbmF0dXJl"));
    *request.body_mut() = Bytes::from(published);
    run.request(&request).done();
}

fn owners_account() -> Result<Account, Error> {
    let identity = SigningIdentity::elsewhere("1900006891", "408B07E79B8269FEC3D5D3E6AB8ED163A6A380DB")?;
    let key = ApiV3Key::new("a7cde1ZJB1kG2e7VfTs3jQzaWizur8Gb")?;
    Ok(Account::direct(identity, "wxdace645e0bc2c424", key)?)
}

fn message(case: Case<'_>, account: &Account, ambient: &FixedAmbient) -> Result<Message, Error> {
    let message = match case.name() {
        "guide-jsapi-order" => {
            let mut terms = OrderTerms::new(
                OrderNo::new("1217752501201407033233388881")?,
                PayAmount::from_fen(100)?,
                "Image形象店-深圳腾大-QQ公仔",
                Address::parse("notify_url", "https://www.weixin.qq.com/wxpay/pay.php")?,
            );
            terms.goods_tag = Some("WXG".to_owned());
            let order = PlaceJsapiOrder::new(terms, OpenId::new("o4GgauE1lgaPsLabrYvqhVg7O8yA"));
            order.encode(account, ambient)?
        }
        "guide-query-by-id" => {
            QueryOrder::by_transaction_id(RemoteId::new("4200000745202011093730578574")?).encode(account, ambient)?
        }
        "guide-close" => CloseOrder::new(OrderNo::new("sdkphp12345678920201028112429")?).encode(account, ambient)?,
        "guide-tradebill" => {
            let mut bill = RequestTradeBill::new(CalendarDate::parse("2020-11-09")?);
            bill.bill_type = Some(BillType::All);
            bill.encode(account, ambient)?
        }
        _ => untyped(case, ambient)?,
    };
    Ok(message)
}

/// The published message as a call that has no type.
fn untyped(case: Case<'_>, ambient: &FixedAmbient) -> Result<Message, Error> {
    let published = case.expected_request().ok_or("no request")?;
    let target = published.target.as_deref().ok_or("no target")?;
    let body = published.body.clone().unwrap_or_default();
    if target.starts_with("https://") {
        return Ok(Message::get_whole(Address::parse("download_url", target)?));
    }
    if body.is_empty() {
        return Ok(Message::get(target));
    }
    if let Some(file) = case.maybe_bytes("file") {
        let file = MediaFile::new("a.png", file);
        return Ok(Message::upload(target, body, &file, ambient)?);
    }
    Ok(Message::post(target, &serde_json::from_slice::<Value>(&body)?)?)
}

/// The answer, signed as the platform signs it: it opens, and is what was signed.
pub(super) fn reply(case: Case<'_>) {
    let run = case.run();
    let vectors = must(&run, v3_vectors());
    if case.has("of") {
        let file = vectors.case(case.text("of")).bytes("gzip");
        run.decoded(&json!({ "bytes": file.len() })).done();
        return;
    }
    let body = case.bytes("body");
    let account = must(&run, v3_account());
    let account = must(&run, account.with_certificate(&vectors.key("go_cert_D7CE").text));
    let platform = must(&run, RsaSigningKey::parse(&vectors.key("go_private").text));
    let (timestamp, nonce) = (V3_NOW.seconds().to_string(), "d824f2e086d3c1df967785d13fcd22ef");
    let text = sign::answer_text(&timestamp, nonce, &body);
    let signature = must(&run, platform.sign(&text, &FixedAmbient::at(V3_NOW.seconds())));
    let answer = http::Response::builder()
        .status(must(&run, u16::try_from(case.number("status"))))
        .header("Wechatpay-Timestamp", timestamp)
        .header("Wechatpay-Nonce", nonce)
        .header("Wechatpay-Serial", "D7CE59D1F522D701")
        .header("Wechatpay-Signature", signature)
        .body(Bytes::from(body.clone()));
    let answer = must(&run, answer);
    if case.text("operation") == "download_certificates" {
        let opened = Verified::<DownloadedCertificates>::open(&account, &answer, V3_NOW);
        let opened = run.at(Stage::Decoded, opened).into_inner();
        let data = opened.certificates.iter().map(|certificate| {
            json!({
                "serial_no": certificate.serial,
                "effective_time": certificate.not_before.seconds(),
                "expire_time": certificate.not_after.seconds(),
            })
        });
        run.decoded(&json!({ "data": data.collect::<Vec<_>>() })).done();
        return;
    }
    let opened = run.at(Stage::Decoded, Verified::<Reply>::open(&account, &answer, V3_NOW));
    if case.refused().is_some() {
        let day = must(&run, CalendarDate::parse("2019-06-11"));
        let read = RequestSubMerchantFundFlowBill::new(day).decode(&account, opened);
        run.refused(read, |error| match error {
            OpenError::Protocol(error) if error.to_string().contains("nonce") => "nonce-length".to_owned(),
            other => format!("something else: {other:?}"),
        });
    } else {
        assert_eq!(opened.get().raw().as_ref(), &*body, "not the body that was signed");
        run.decoded_with(drop).done();
    }
}
