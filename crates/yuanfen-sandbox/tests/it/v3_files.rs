//! APIv3 calls about files and secrets: uploads, sealed bills, and refunds sent on to another card.

use std::fmt::Write as _;
use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use serde_json::{Value, json};
use yuanfen_core::FixedAmbient;
use yuanfen_sandbox::{Account, FarSide, Platform, RefundState};
use yuanfen_sign::{Certificate, RsaSigningKey, RsaVerifyingKey};
use yuanfen_testkit::oracle;

use crate::bills::fetch;
use crate::shop::{far_side, json_of, place, refund, refusal, v3, v3_provider, v3_provider_request, v3_request};
use crate::v3_orders::{place_for, with};

const V3: Platform = Platform::WechatV3;
const IMAGE: &str = "/v3/merchant/media/upload";
const VIDEO: &str = "/v3/merchant/media/video_upload";

fn says(response: &Response<Bytes>, status: u16, code: &str) -> bool {
    !response.status().is_success() && refusal(response) == (status, code.to_owned())
}

/// An upload: what is signed, the parts, and the type of the whole.
pub struct Upload {
    path: &'static str,
    meta: String,
    signed: Option<String>,
    kind: &'static str,
    name: &'static str,
    content: Vec<u8>,
    content_type: &'static str,
}

impl Upload {
    pub fn of(path: &'static str, filename: &str, content: &[u8]) -> Self {
        let sha256 = oracle::sha256_hex(content);
        Self {
            path,
            meta: json!({ "filename": filename, "sha256": sha256 }).to_string(),
            signed: None,
            kind: if path == VIDEO { "video/mp4" } else { "image/png" },
            name: "file",
            content: content.to_vec(),
            content_type: "multipart/form-data; boundary=xyz",
        }
    }

    fn send(&self, far_side: &FarSide) -> Response<Bytes> {
        far_side.answer(&self.request(far_side)).unwrap()
    }

    pub fn request(&self, far_side: &FarSide) -> Request<Bytes> {
        let signed = self.signed.as_ref().unwrap_or(&self.meta);
        let mut request = v3_request(far_side, "POST", self.path, signed);
        let mut body = String::new();
        let meta = &self.meta;
        write!(
            body,
            "--xyz\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{meta}\r\n\
             --xyz\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"a\"\r\nContent-Type: {}\r\n\r\n",
            self.name, self.kind
        )
        .unwrap();
        let mut body = body.into_bytes();
        body.extend_from_slice(&self.content);
        body.extend_from_slice(b"\r\n--xyz--\r\n");
        *request.body_mut() = Bytes::from(body);
        let kind = self.content_type.parse().unwrap();
        request.headers_mut().insert("content-type", kind);
        request
    }
}

#[test]
fn an_upload_is_what_its_description_says() {
    let good = || Upload::of(IMAGE, "a.png", b"\r\n--xy and anything\0");
    assert_eq!(good().send(&far_side()).status(), 200);
    for (name, extension) in [(IMAGE, "jpg"), (IMAGE, "BMP"), (VIDEO, "rmvb"), (VIDEO, "f4v")] {
        let upload = Upload::of(name, &format!("a.b.{extension}"), b"x");
        assert_eq!(upload.send(&far_side()).status(), 200, "{extension}");
    }
    let meta = |filename: &str, sha256: &str| json!({ "filename": filename, "sha256": sha256 }).to_string();
    let sum = oracle::sha256_hex(b"x");
    let long = format!("{}.png", "a".repeat(125));
    for (meta, field) in [
        (meta("a.png", &oracle::sha256_hex(b"y")), "/sha256"),
        (meta("a.png", &sum[1..]), "/sha256"),
        (meta("a.gif", &sum), "/filename"),
        (meta("a.mp4", &sum), "/filename"),
        (meta("png", &sum), "/filename"),
        (meta(&long, &sum), "/filename"),
        (json!({ "filename": "a.png" }).to_string(), "/sha256"),
        (
            json!({ "filename": "a.png", "sha256": sum, "size": 1 }).to_string(),
            "/size",
        ),
    ] {
        let upload = Upload {
            meta,
            ..Upload::of(IMAGE, "a.png", b"x")
        };
        let answer = upload.send(&far_side());
        assert!(says(&answer, 400, "PARAM_ERROR"), "{}", upload.meta);
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{}", upload.meta);
    }
    // A video is no image, whatever it is called.
    for kind in ["video/mp4", "application/octet-stream", ""] {
        let answer = Upload { kind, ..good() }.send(&far_side());
        assert!(says(&answer, 400, "PARAM_ERROR"), "{kind}");
    }
}

#[test]
fn an_upload_has_two_parts_between_the_boundary_that_it_names() {
    let good = || Upload::of(IMAGE, "a.png", b"x");
    for (name, content_type) in [
        ("picture", "multipart/form-data; boundary=xyz"),
        ("file", "multipart/form-data; boundary=zyx"),
        ("file", "multipart/form-data"),
        ("file", "multipart/form-data; boundary="),
    ] {
        let far_side = far_side();
        let answer = Upload {
            name,
            content_type,
            ..good()
        }
        .send(&far_side);
        assert!(says(&answer, 400, "PARAM_ERROR"), "{name} {content_type}");
    }
    for content_type in [
        "multipart/form-data; boundary=\"xyz\"",
        "multipart/form-data; charset=utf-8; boundary=xyz",
    ] {
        assert_eq!(
            Upload { content_type, ..good() }.send(&far_side()).status(),
            200,
            "{content_type}"
        );
    }
    let answer = Upload {
        content_type: "application/json",
        ..good()
    }
    .send(&far_side());
    assert!(says(&answer, 400, "INVALID_REQUEST"));
}

#[test]
fn an_upload_is_signed_over_the_bytes_of_its_description() {
    let far_side = far_side();
    let upload = Upload::of(IMAGE, "a.png", b"x");
    let spaced = upload.meta.replace(":", ": ");
    for signed in [String::new(), spaced.clone(), format!("{}\n", upload.meta)] {
        let upload = Upload {
            signed: Some(signed),
            ..Upload::of(IMAGE, "a.png", b"x")
        };
        assert!(says(&upload.send(&far_side), 401, "SIGN_ERROR"));
    }
    // With blanks, if they are in the part as well.
    let upload = Upload { meta: spaced, ..upload };
    assert_eq!(upload.send(&far_side).status(), 200);
}

#[test]
fn images_end_at_two_megabytes_and_videos_at_five() {
    for (path, filename, most) in [(IMAGE, "a.png", 2 << 20), (VIDEO, "a.mp4", 5 << 20)] {
        let mut content = vec![0; most];
        assert_eq!(
            Upload::of(path, filename, &content).send(&far_side()).status(),
            200,
            "{path}"
        );
        content.push(0);
        let answer = Upload::of(path, filename, &content).send(&far_side());
        assert!(says(&answer, 400, "PARAM_ERROR"), "{path}");
        let answer = Upload::of(path, filename, b"").send(&far_side());
        assert!(says(&answer, 400, "PARAM_ERROR"), "{path}");
    }
}

/// A day on which two of the provider's merchants were paid, and which is over.
fn provider_day() -> FarSide {
    let far_side = far_side();
    for (number, sub) in [
        ("ORDER_1", "1900000111"),
        ("ORDER_2", "1900000112"),
        ("ORDER_3", "1900000111"),
    ] {
        let changes = json!({ "out_trade_no": number, "sub_mchid": sub });
        assert!(place_for(&far_side, "native", &changes).status().is_success());
        far_side.pay(Account::provider(V3), number).unwrap();
    }
    far_side.clock().advance(Duration::from_secs(86_400)).unwrap();
    far_side
}

#[test]
fn the_parts_of_a_sealed_bill_open_and_join_to_the_bill_that_was_hashed() {
    let far_side = provider_day();
    let pem = far_side.wechat_v3_provider().provider_private_key_pem.expose().clone();
    let key = RsaSigningKey::parse(&pem).unwrap();
    for (target, inside, outside) in [
        (
            "/v3/bill/sub-merchant-fundflowbill?bill_date=2025-10-09&sub_mchid=1900000111",
            2,
            "1900000112",
        ),
        (
            "/v3/ecommerce/bill/fundflowbill?bill_date=2025-10-09&account_type=BASIC",
            3,
            "none",
        ),
    ] {
        for tar in ["", "&tar_type=GZIP"] {
            let target = format!("{target}&algorithm=AEAD_AES_256_GCM{tar}");
            let list = json_of(&v3_provider(&far_side, "GET", &target, ""));
            let parts = list["download_bill_list"].as_array().unwrap();
            assert_eq!(list["download_bill_count"], 2);
            let mut bill = String::new();
            for part in parts {
                let text = |name: &str| part[name].as_str().unwrap();
                let address = text("download_url").strip_prefix("https://sandbox.example").unwrap();
                let file = v3_provider(&far_side, "GET", address, "");
                assert!(!file.headers().contains_key("wechatpay-signature"));
                let file_key = key
                    .decrypt_oaep_sha1(text("encrypt_key"), &FixedAmbient::at(0))
                    .unwrap();
                let file_key = std::str::from_utf8(&file_key).unwrap();
                let plain = oracle::aes_256_gcm_open(file_key, text("nonce"), "", file.body()).unwrap();
                let plain = if tar.is_empty() {
                    plain
                } else {
                    let mut whole = Vec::new();
                    flate2::read::GzDecoder::new(plain.as_slice())
                        .read_to_end(&mut whole)
                        .unwrap();
                    whole
                };
                // Over what the part is in the end, neither compressed nor sealed.
                assert_eq!(text("hash_type"), "SHA1");
                assert_eq!(text("hash_value"), oracle::sha1_hex(&plain));
                bill += std::str::from_utf8(&plain).unwrap();
            }
            let lines: Vec<&str> = bill.trim_start_matches('\u{feff}').lines().collect();
            // A head, a row for each payment, and two lines of sums.
            assert_eq!(lines.len(), 1 + inside + 2, "{bill}");
            assert!(!bill.contains(outside), "{bill}");
            // Another merchant cannot fetch what it did not ask for.
            let address = parts[0]["download_url"]
                .as_str()
                .unwrap()
                .strip_prefix("https://sandbox.example");
            assert!(says(
                &v3(&far_side, "GET", address.unwrap(), ""),
                400,
                "INVALID_REQUEST"
            ));
        }
    }
}

#[test]
fn sealed_bills_are_for_providers_and_name_their_cipher() {
    let far_side = provider_day();
    let one = "/v3/bill/sub-merchant-fundflowbill?bill_date=2025-10-09";
    let all = "/v3/ecommerce/bill/fundflowbill?bill_date=2025-10-09";
    let cipher = "&algorithm=AEAD_AES_256_GCM";
    for (target, status, code) in [
        (format!("{one}{cipher}"), 400, "PARAM_ERROR"),
        (format!("{one}&sub_mchid=1900000111"), 400, "PARAM_ERROR"),
        (
            format!("{one}&algorithm=SM4_GCM&sub_mchid=1900000111"),
            400,
            "PARAM_ERROR",
        ),
        (format!("{one}{cipher}&sub_mchid=1900000119"), 403, "NO_AUTH"),
        (format!("{one}{cipher}&sub_mchid=1900000101"), 400, "PARAM_ERROR"),
        (format!("{all}{cipher}&sub_mchid=1900000111"), 400, "PARAM_ERROR"),
        (format!("{all}{cipher}&account_type=SAVINGS"), 400, "PARAM_ERROR"),
        (format!("{all}{cipher}&account_type=FEES"), 400, "NO_STATEMENT_EXIST"),
        (format!("{all}{cipher}&tar_type=ZIP"), 400, "PARAM_ERROR"),
        (
            format!("/v3/ecommerce/bill/fundflowbill?bill_date=2025-10-10{cipher}"),
            400,
            "STATEMENT_CREATING",
        ),
        (
            format!("/v3/ecommerce/bill/fundflowbill?bill_date=2025-10-08{cipher}"),
            400,
            "NO_STATEMENT_EXIST",
        ),
    ] {
        let answer = v3_provider(&far_side, "GET", &target, "");
        assert!(says(&answer, status, code), "{target}: {answer:?}");
    }
    for target in [format!("{one}{cipher}&sub_mchid=1900000111"), format!("{all}{cipher}")] {
        assert!(says(&v3(&far_side, "GET", &target, ""), 403, "NO_AUTH"), "{target}");
    }
    // The money is the merchants': on the provider's own account nothing moved.
    let own = v3_provider(&far_side, "GET", "/v3/bill/fundflowbill?bill_date=2025-10-09", "");
    assert!(says(&own, 400, "NO_STATEMENT_EXIST"));
}

#[test]
fn a_bill_is_fetched_by_who_asked_for_it_within_half_a_minute() {
    let far_side = provider_day();
    let target = "/v3/bill/tradebill?bill_date=2025-10-09";
    let asked = v3_provider(&far_side, "GET", target, "");
    // Signed by the merchant, whose file it is not.
    assert!(says(&fetch(&far_side, &asked), 400, "INVALID_REQUEST"));
    let address = json_of(&asked)["download_url"].as_str().unwrap().to_owned();
    let address = address.strip_prefix("https://sandbox.example").unwrap();
    far_side.clock().advance(Duration::from_secs(29)).unwrap();
    let file = v3_provider(&far_side, "GET", address, "");
    assert_eq!(oracle::sha1_hex(file.body()), json_of(&asked)["hash_value"]);
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    assert!(says(
        &v3_provider(&far_side, "GET", address, ""),
        400,
        "INVALID_REQUEST"
    ));
}

#[test]
fn a_sealed_bill_is_fetched_within_five_minutes() {
    let far_side = provider_day();
    let target = "/v3/ecommerce/bill/fundflowbill?bill_date=2025-10-09&algorithm=AEAD_AES_256_GCM";
    let asked = json_of(&v3_provider(&far_side, "GET", target, ""));
    let address = asked["download_bill_list"][0]["download_url"].as_str().unwrap();
    let address = address.strip_prefix("https://sandbox.example").unwrap();
    far_side.clock().advance(Duration::from_secs(299)).unwrap();
    assert_eq!(v3_provider(&far_side, "GET", address, "").status(), 200);
    far_side.clock().advance(Duration::from_secs(1)).unwrap();
    let late = v3_provider(&far_side, "GET", address, "");
    assert!(says(&late, 400, "INVALID_REQUEST"));
}

/// A refund of that order that the payer's bank did not take: its number at the platform.
pub fn abnormal(far_side: &FarSide) -> String {
    place(far_side, "order-1", 100, "http://127.0.0.1:9/notify");
    far_side.pay(V3, "order-1").unwrap();
    let refund_id = json_of(&refund(far_side, "order-1", "R1", 30, 100))["refund_id"].clone();
    far_side.settle_refund(V3, "R1", RefundState::Abnormal).unwrap();
    refund_id.as_str().unwrap().to_owned()
}

fn send_on(far_side: &FarSide, refund_id: &str, body: &Value, serial: Option<&str>) -> Response<Bytes> {
    let target = format!("/v3/refund/domestic/refunds/{refund_id}/apply-abnormal-refund");
    sent(
        far_side,
        v3_request(far_side, "POST", &target, &body.to_string()),
        serial,
    )
}

fn sent(far_side: &FarSide, mut request: Request<Bytes>, serial: Option<&str>) -> Response<Bytes> {
    let headers: &mut HeaderMap = request.headers_mut();
    if let Some(serial) = serial {
        headers.insert("wechatpay-serial", serial.parse().unwrap());
    }
    far_side.answer(&request).unwrap()
}

fn card(key: &RsaVerifyingKey) -> Value {
    let seal = |text: &str| key.encrypt_oaep_sha1(text.as_bytes(), &FixedAmbient::at(0)).unwrap();
    json!({
        "out_refund_no": "R1", "type": "USER_BANK_CARD", "bank_type": "CMB_DEBIT",
        "bank_account": seal("6225880000000000"), "real_name": seal("张三"),
    })
}

fn key_of(certificate: &str) -> RsaVerifyingKey {
    RsaVerifyingKey::of_certificate(&Certificate::parse(certificate).unwrap()).unwrap()
}

#[test]
fn a_card_is_encrypted_under_the_key_that_the_call_names() {
    let far_side = far_side();
    let refund_id = abnormal(&far_side);
    let platform = far_side.wechat_v3();
    let public = RsaVerifyingKey::parse(&platform.platform_public_key_pem).unwrap();
    let certificate = key_of(&platform.platform_certificate_pem);
    let (id, serial) = (
        platform.platform_public_key_id.as_str(),
        platform.platform_serial.as_str(),
    );
    let garbage = STANDARD.encode([7; 256]);
    for (body, named) in [
        (card(&public), None),
        (card(&public), Some(serial)),
        (card(&certificate), Some(id)),
        // The merchant's own certificate is no key of the platform's.
        (
            card(&key_of(&platform.merchant_certificate_pem)),
            Some(platform.merchant_serial.as_str()),
        ),
        (card(&public), Some("PUB_KEY_ID_1")),
        (with(card(&public), &json!({ "bank_account": garbage })), Some(id)),
        (
            with(card(&public), &json!({ "bank_account": "6225880000000000" })),
            Some(id),
        ),
        (with(card(&public), &json!({ "real_name": "!" })), Some(id)),
    ] {
        let answer = send_on(&far_side, &refund_id, &body, named);
        assert!(says(&answer, 400, "PARAM_ERROR"), "{named:?}");
        let text = String::from_utf8(answer.body().to_vec()).unwrap();
        assert!(text.contains("Wechatpay-Serial") && !text.contains("622588"), "{text}");
        assert_eq!(
            far_side.order(V3, "order-1").unwrap().refunds[0].state,
            RefundState::Abnormal
        );
    }
    for (body, named) in [(card(&public), id), (card(&certificate), serial)] {
        let answer = send_on(&far_side, &refund_id, &body, Some(named));
        assert_eq!(json_of(&answer)["status"], "PROCESSING", "{named}");
        far_side.settle_refund(V3, "R1", RefundState::Abnormal).unwrap();
    }
}

#[test]
fn only_an_abnormal_refund_is_sent_on_and_under_both_its_numbers() {
    let far_side = far_side();
    let refund_id = abnormal(&far_side);
    let shop = json!({ "out_refund_no": "R1", "type": "MERCHANT_BANK_CARD" });
    for (changes, id, status, code) in [
        (
            json!({ "out_refund_no": "R2" }),
            refund_id.as_str(),
            404,
            "RESOURCE_NOT_EXISTS",
        ),
        (json!({}), "50300000", 404, "RESOURCE_NOT_EXISTS"),
        (json!({ "out_refund_no": null }), &refund_id, 400, "PARAM_ERROR"),
        (json!({ "type": "CARD" }), &refund_id, 400, "PARAM_ERROR"),
        (json!({ "type": null }), &refund_id, 400, "PARAM_ERROR"),
        (json!({ "type": "USER_BANK_CARD" }), &refund_id, 400, "PARAM_ERROR"),
        (json!({ "sub_mchid": "1900000111" }), &refund_id, 400, "PARAM_ERROR"),
    ] {
        let answer = send_on(&far_side, id, &with(shop.clone(), &changes), None);
        assert!(says(&answer, status, code), "{changes}: {answer:?}");
    }
    // Once it is under way, or over, there is nothing to send.
    assert_eq!(
        json_of(&send_on(&far_side, &refund_id, &shop, None))["status"],
        "PROCESSING"
    );
    assert!(says(
        &send_on(&far_side, &refund_id, &shop, None),
        400,
        "INVALID_REQUEST"
    ));
    far_side.settle_refund(V3, "R1", RefundState::Succeeded).unwrap();
    assert!(says(
        &send_on(&far_side, &refund_id, &shop, None),
        400,
        "INVALID_REQUEST"
    ));
}

#[test]
fn a_provider_sends_on_the_refund_of_the_merchant_it_names() {
    let far_side = far_side();
    place_for(&far_side, "native", &json!({}));
    far_side.pay(Account::provider(V3), "ORDER_1").unwrap();
    let body = json!({
        "sub_mchid": "1900000111", "out_trade_no": "ORDER_1", "out_refund_no": "R1",
        "amount": { "refund": 100, "total": 1000, "currency": "CNY" },
    });
    let refund = json_of(&v3_provider(
        &far_side,
        "POST",
        "/v3/refund/domestic/refunds",
        &body.to_string(),
    ));
    far_side
        .settle_refund(Account::provider(V3), "R1", RefundState::Abnormal)
        .unwrap();
    let id = refund["refund_id"].as_str().unwrap();
    let target = format!("/v3/refund/domestic/refunds/{id}/apply-abnormal-refund");
    let send = |sub: Value| {
        let body = json!({ "out_refund_no": "R1", "type": "MERCHANT_BANK_CARD", "sub_mchid": sub });
        let body = with(body, &json!({ "sub_mchid": sub })).to_string();
        sent(&far_side, v3_provider_request(&far_side, "POST", &target, &body), None)
    };
    assert!(says(&send(json!(null)), 400, "PARAM_ERROR"));
    assert!(says(&send(json!("1900000112")), 400, "INVALID_REQUEST"));
    assert!(says(&send(json!("1900000119")), 403, "NO_AUTH"));
    let own = json!({ "out_refund_no": "R1", "type": "MERCHANT_BANK_CARD" });
    assert!(says(&send_on(&far_side, id, &own, None), 404, "RESOURCE_NOT_EXISTS"));
    assert_eq!(json_of(&send(json!("1900000111")))["status"], "PROCESSING");
}
