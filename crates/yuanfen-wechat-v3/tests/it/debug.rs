//! What must not be seen is not seen: in `Debug`, in errors, in the causes of errors.

use std::fmt::Debug;

use yuanfen_core::{
    Address, NotificationSource as _, Opens as _, Operation as _, OperationExt as _, Provider as _, Verified,
};
use yuanfen_wechat_v3::ops::{DownloadBill, QueryOrder, UploadImage};
use yuanfen_wechat_v3::{MediaFile, PrepayId, Reply};

use crate::far_side::{
    API_V3_KEY, account, all_sources, ambient, envelope, identity, notice, now, pem, public_key_account, reply,
};
use crate::replies::PAID;
use crate::requests::{order, refund};

const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

#[track_caller]
fn hides(shown: impl Debug, secrets: &[&str]) {
    for text in [format!("{shown:?}"), format!("{shown:#?}")] {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn accounts_show_no_key() {
    let inside = pem("doc_merchant_private").lines().nth(1).unwrap();
    for account in [account(), public_key_account()] {
        hides(&account, &[API_V3_KEY, inside, "PRIVATE"]);
        assert!(format!("{account:?}").contains("1900007291"), "and is not empty");
    }
    hides(identity(), &[inside]);
}

#[test]
fn orders_and_messages_show_neither_payer_nor_body() {
    hides(order(), &[OPENID]);
    assert!(format!("{:?}", order()).contains("1217752501201407033233368018"));
    let message = order().encode(&account(), &ambient()).unwrap();
    hides(&message, &[OPENID, "Image"]);
    hides(refund(), &[OPENID]);
    let query = QueryOrder::by_order_no(yuanfen_core::OrderNo::new("A1").unwrap());
    hides(query.encode(&account(), &ambient()).unwrap(), &["mchid="]);
}

#[test]
fn requests_mark_their_authorization_as_sensitive() {
    let request = order().request(&account(), &ambient()).unwrap();
    let signature = request.headers()["authorization"].to_str().unwrap().to_owned();
    hides(request.headers(), &[&signature, "WECHATPAY2"]);
    let draft = account()
        .draft(order().encode(&account(), &ambient()).unwrap(), &ambient())
        .unwrap();
    hides(draft, &[OPENID]);
}

#[test]
fn replies_and_events_show_neither_payer_nor_body() {
    let opened = Verified::<Reply>::open(&account(), &reply(200, PAID), now()).unwrap();
    hides(&opened, &[OPENID, "自定义"]);
    let query = QueryOrder::by_order_no(yuanfen_core::OrderNo::new("A1").unwrap());
    let order = query.reply(&account(), &reply(200, PAID), now()).unwrap();
    hides(&order, &[OPENID, "0.00030"]);
    assert!(
        format!("{order:?}").contains("new_member"),
        "names of leftovers are shown"
    );
    let event = account()
        .open_notification(&notice(&envelope("TRANSACTION.SUCCESS", "transaction", PAID)), now())
        .unwrap();
    hides(&event, &[OPENID]);
    let other = account()
        .open_notification(&notice(&envelope("BRAND.NEW", "x", PAID)), now())
        .unwrap();
    hides(&other, &[OPENID, "自定义"]);
}

#[test]
fn page_parameters_show_no_signature() {
    let prepay_id = PrepayId::issued("wx201410272009395522657a690389285100", now());
    let page = account().jsapi_params(&prepay_id, &ambient()).unwrap();
    hides(&page, &[&page.pay_sign]);
    let program = account().request_payment_params(&prepay_id, &ambient()).unwrap();
    hides(&program, &[&program.pay_sign]);
}

#[test]
fn bills_show_no_token() {
    let body = r#"{"hash_type":"SHA1","hash_value":"9bb6cd819be348f17a9cbcedddc8eb62fefbd790","download_url":"https://api.mch.weixin.qq.com/v3/f?token=sesame"}"#;
    let ask = yuanfen_wechat_v3::ops::RequestTradeBill::new(yuanfen_core::CalendarDate::parse("2020-11-09").unwrap());
    let bill = ask.reply(&account(), &reply(200, body), now()).unwrap().unwrap();
    hides(&bill, &["sesame"]);
    hides(bill.download(), &["sesame"]);
    hides(bill.download().encode(&account(), &ambient()).unwrap(), &["sesame"]);
    let stranger = Address::parse("download_url", "https://a.example/v3/f?token=sesame").unwrap();
    let error = DownloadBill::new(stranger, "")
        .request(&account(), &ambient())
        .unwrap_err();
    hides(&error, &["sesame", "a.example"]);
    assert!(!all_sources(&error).contains("sesame"));
}

#[test]
fn uploads_show_neither_name_nor_file() {
    let upload = UploadImage::new(MediaFile::new("王小明.png", "sesame"));
    hides(&upload, &["王小明", "sesame"]);
    hides(upload.encode(&account(), &ambient()).unwrap(), &["王小明", "sesame"]);
    let wrong = UploadImage::new(MediaFile::new("王小明.exe", "sesame"));
    hides(
        wrong.request(&account(), &ambient()).unwrap_err(),
        &["王小明", "sesame"],
    );
}

#[test]
fn errors_hold_no_body_and_no_key() {
    let bodies = [
        PAID.replacen("\"total\":100", "\"total\":\"sesame\"", 1),
        PAID.replacen("1900007291", "sesame", 1),
        "sesame".to_owned(),
        format!("{{{}", "\"sesame\":"),
    ];
    let query = QueryOrder::by_order_no(yuanfen_core::OrderNo::new("A1").unwrap());
    for body in bodies {
        let error = query.reply(&account(), &reply(200, &body), now()).unwrap_err();
        hides(&error, &["sesame", OPENID]);
        assert!(!all_sources(&error).contains("sesame"), "{}", all_sources(&error));
        let error = account()
            .open_notification(&notice(&envelope("TRANSACTION.SUCCESS", "transaction", &body)), now())
            .unwrap_err();
        hides(&error, &["sesame", OPENID, API_V3_KEY]);
        assert!(!all_sources(&error).contains("sesame"), "{}", all_sources(&error));
    }
    let detail = r#"{"code":"PARAM_ERROR","message":"x","detail":{"value":"sesame"}}"#;
    let error = query.reply(&account(), &reply(400, detail), now()).unwrap_err();
    hides(&error, &["sesame"]);
}
