//! What comes back: hand-made answers, good and malformed.

use bytes::Bytes;
use http::Response;
use yuanfen_core::{
    Advice, Effect, Error, ErrorKind, Fate, Fen, OpenError, Opens as _, Operation, OperationExt as _, OrderNo,
    ProtocolErrorKind, Provider as _, RefundNo, RefusalKind, RemoteId, SignatureError, Standing, UnixTime, Verified,
};
use yuanfen_wechat_v3::ops::{CloseOrder, QueryOrder, QueryRefund};
use yuanfen_wechat_v3::{Account, RefundStatus, Reply, TradeState};

use crate::far_side::{
    CERTIFICATE, NONCE, NOW, OTHER_CERTIFICATE, PUBLIC_KEY_ID, account, all_sources, ambient, fresh_account, now, pem,
    platform_signature, public_key_account, reason, reply, response, signed_headers, wrong_field,
};
use crate::requests::{order, refund};

const PREPAID: &str = r#"{"prepay_id":"wx201410272009395522657a690389285100"}"#;
pub(crate) const PAID: &str = concat!(
    r#"{"amount":{"currency":"CNY","payer_currency":"CNY","payer_total":99,"total":100},"appid":"wxd678efh567hg6787","#,
    r#""attach":"自定义数据","bank_type":"CMC_DEBIT","mchid":"1900007291","out_trade_no":"A1","#,
    r#""payer":{"openid":"oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},"promotion_detail":[{"coupon_id":"109519","name":"单品惠-6","#,
    r#""scope":"SINGLE","type":"CASH","amount":1,"stock_id":"931386","wechatpay_contribute":0,"merchant_contribute":1,"#,
    r#""other_contribute":0,"currency":"CNY","goods_detail":[{"goods_id":"M1006","quantity":1,"unit_price":100,"#,
    r#""discount_amount":1,"goods_remark":"商品备注"}]}],"scene_info":{"device_id":"013467007045764"},"#,
    r#""success_time":"2018-06-08T10:34:56+08:00","trade_state":"SUCCESS","trade_state_desc":"支付成功","#,
    r#""trade_type":"JSAPI","transaction_id":"1217752501201407033233368018","new_member":{"a":0.00030}}"#,
);
pub(crate) const REFUNDED: &str = concat!(
    r#"{"refund_id":"50000000382019052709732678859","out_refund_no":"R1","transaction_id":"1217752501201407033233368018","#,
    r#""out_trade_no":"1217752501201407033233368018","channel":"ORIGINAL","user_received_account":"招商银行信用卡0403","#,
    r#""success_time":"2020-12-01T16:18:12+08:00","create_time":"2020-12-01T16:18:12+08:00","status":"SUCCESS","#,
    r#""funds_account":"UNSETTLED","amount":{"total":100,"refund":60,"from":[{"account":"AVAILABLE","amount":60}],"#,
    r#""payer_total":90,"payer_refund":54,"settlement_refund":60,"settlement_total":100,"discount_refund":6,"#,
    r#""currency":"CNY","refund_fee":1},"promotion_detail":[{"promotion_id":"109519","scope":"SINGLE","type":"DISCOUNT","#,
    r#""amount":5,"refund_amount":3,"goods_detail":[{"merchant_goods_id":"1"}]}]}"#,
);

fn query() -> QueryOrder {
    QueryOrder::by_order_no(OrderNo::new("A1").unwrap())
}

fn close() -> CloseOrder {
    CloseOrder::new(OrderNo::new("A1").unwrap())
}

fn ask<O: Operation<Provider = Account>>(operation: &O, response: &Response<Bytes>) -> Result<O::Reply, Error> {
    operation.reply(&account(), response, now())
}

fn fails<O: Operation<Provider = Account>>(operation: &O, response: &Response<Bytes>) -> Error
where
    O::Reply: std::fmt::Debug,
{
    ask(operation, response).expect_err("accepted")
}

fn open(response: &Response<Bytes>) -> Result<Verified<Reply>, OpenError> {
    Verified::<Reply>::open(&account(), response, now())
}

fn unsigned(status: u16, body: &str) -> Response<Bytes> {
    response(status, &[], body.as_bytes())
}

#[test]
fn reads_a_placed_order_and_when_its_prepay_id_was_handed_out() {
    let placed = ask(&order(), &reply(200, PREPAID)).unwrap();
    assert_eq!(placed.prepay_id.as_str(), "wx201410272009395522657a690389285100");
    assert_eq!(placed.prepay_id.issued_at(), now());
    assert_eq!(placed.raw().as_ref(), PREPAID.as_bytes());
    assert!(placed.extra.is_empty());
    // The earlier of the platform's clock and ours.
    let late = order()
        .reply(&account(), &reply(200, PREPAID), UnixTime::from_seconds(NOW + 200))
        .unwrap();
    assert_eq!(late.prepay_id.issued_at(), now());
    let early = UnixTime::from_seconds(NOW - 200);
    let early_reply = order().reply(&account(), &reply(200, PREPAID), early).unwrap();
    assert_eq!(early_reply.prepay_id.issued_at(), early);
}

#[test]
fn reads_a_paid_order_whole() {
    let order = ask(&query(), &reply(200, PAID)).unwrap();
    assert_eq!(order.standing(), Standing::Succeeded);
    let order = order.transaction;
    assert_eq!(order.trade_state, TradeState::Success);
    assert_eq!(order.total, Some(Fen::new(100)));
    assert_eq!(order.payer_total, Some(Fen::new(99)));
    assert_eq!(order.success_time, Some(UnixTime::from_seconds(1_528_425_296)));
    assert_eq!(order.payer.as_ref().unwrap().as_str(), "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
    assert_eq!(
        order.transaction_id,
        Some(RemoteId::new("1217752501201407033233368018").unwrap())
    );
    assert_eq!(order.device_id.as_deref(), Some("013467007045764"));
    let [promotion] = &*order.promotions else {
        panic!("one coupon")
    };
    assert_eq!(promotion.paid_by_merchant, Some(Fen::new(1)));
    assert_eq!(promotion.goods.first().unwrap().remark.as_deref(), Some("商品备注"));
    assert_eq!(order.extra.get("new_member"), Some(r#"{"a":0.00030}"#));
    assert_eq!(order.raw().as_ref(), PAID.as_bytes());
}

/// An unpaid order lacks most members.
#[test]
fn reads_an_order_of_which_little_is_known() {
    for (state, standing) in [
        ("NOTPAY", Standing::Accepted),
        ("CLOSED", Standing::Failed),
        ("REVOKED", Standing::Failed),
        // Nobody promises that it cannot be paid any more.
        ("PAYERROR", Standing::Pending),
        ("USERPAYING", Standing::Pending),
        ("ACCEPT", Standing::Pending),
        ("BRAND_NEW", Standing::Pending),
    ] {
        let body = format!(
            r#"{{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A1","trade_state":"{state}","payer":null,"amount":{{}},"attach":""}}"#
        );
        let order = ask(&query(), &reply(200, &body)).unwrap();
        assert_eq!(order.standing(), standing, "{state}");
        assert_eq!(order.transaction.trade_state.as_str(), state);
        assert_eq!((order.transaction.total, order.transaction.attach), (None, None));
    }
}

/// A paid one without its amount or its number cannot be compared with anything.
#[test]
fn refuses_a_paid_order_that_lacks_its_amount_or_its_number() {
    for state in ["SUCCESS", "REFUND"] {
        let body = |more: &str| {
            format!(
                r#"{{"mchid":"1900007291","appid":"wxd678efh567hg6787","out_trade_no":"A1","trade_state":"{state}"{more}}}"#
            )
        };
        for (more, field) in [
            ("", "amount.total"),
            (r#","transaction_id":"T1""#, "amount.total"),
            (r#","transaction_id":"T1","amount":{}"#, "amount.total"),
            (r#","amount":{"total":1}"#, "transaction_id"),
        ] {
            let error = ask(&query(), &reply(200, &body(more))).unwrap_err();
            assert!(format!("{error:?}").contains(field), "{state} {more}: {error:?}");
        }
        let whole = body(r#","transaction_id":"T1","amount":{"total":1}"#);
        assert_eq!(
            ask(&query(), &reply(200, &whole)).unwrap().standing(),
            Standing::Succeeded
        );
    }
}

#[test]
fn reads_a_refund_whole() {
    let record = ask(&refund(), &reply(200, REFUNDED)).unwrap();
    assert_eq!(record.status, RefundStatus::Success);
    assert_eq!(record.amount.payer_refund, Some(Fen::new(54)));
    assert_eq!(record.amount.returned_fee, Some(Fen::new(1)));
    assert_eq!(record.amount.from.first().unwrap().amount, Fen::new(60));
    assert_eq!(record.received_by.as_ref().unwrap().as_str(), "招商银行信用卡0403");
    assert_eq!(record.promotions.first().unwrap().refund, Some(Fen::new(3)));
    let asked = ask(&QueryRefund::new(RefundNo::new("R1").unwrap()), &reply(200, REFUNDED)).unwrap();
    assert_eq!(asked, record);
    for (status, standing) in [
        ("SUCCESS", Standing::Succeeded),
        ("CLOSED", Standing::Failed),
        ("PROCESSING", Standing::Accepted),
        ("ABNORMAL", Standing::Accepted),
        ("BRAND_NEW", Standing::Pending),
    ] {
        let body = REFUNDED.replacen(r#""status":"SUCCESS""#, &format!(r#""status":"{status}""#), 1);
        assert_eq!(ask(&refund(), &reply(200, &body)).unwrap().standing(), standing);
    }
}

#[test]
fn reads_a_close_that_has_no_body() {
    assert!(ask(&close(), &reply(204, "")).is_ok());
}

/// Every answer must be about what was asked.
#[test]
fn refuses_answers_about_something_else() {
    for (from, to, field) in [
        (r#""mchid":"1900007291""#, r#""mchid":"1900007292""#, "mchid"),
        (r#""appid":"wxd678efh567hg6787""#, r#""appid":"wxother""#, "appid"),
        (r#""out_trade_no":"A1""#, r#""out_trade_no":"A2""#, "out_trade_no"),
    ] {
        let body = PAID.replacen(from, to, 1);
        assert_ne!(body, PAID);
        let error = fails(&query(), &reply(200, &body));
        let ErrorKind::Protocol(error) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(error.kind, ProtocolErrorKind::Foreign { field });
    }
    let other = QueryOrder::by_transaction_id(RemoteId::new("4200000745").unwrap());
    assert_eq!(reason_of(&fails(&other, &reply(200, PAID))), "foreign");
    for (from, to) in [
        (r#""out_refund_no":"R1""#, r#""out_refund_no":"R2""#),
        (r#""refund":60,"#, r#""refund":61,"#),
        (r#""out_trade_no":"1217"#, r#""out_trade_no":"1218"#),
    ] {
        let body = REFUNDED.replacen(from, to, 1);
        assert_ne!(body, REFUNDED);
        assert_eq!(reason_of(&fails(&refund(), &reply(200, &body))), "foreign", "{to}");
    }
    // Another app of the same merchant, once the account knows it.
    let body = PAID.replacen("wxd678efh567hg6787", "wxother", 1);
    let account = account().with_further_app("wxother").unwrap();
    assert!(query().reply(&account, &reply(200, &body), now()).is_ok());
}

fn reason_of(error: &Error) -> String {
    match error.kind() {
        ErrorKind::Protocol(error) => match &error.kind {
            ProtocolErrorKind::Foreign { .. } => "foreign".to_owned(),
            other => other.to_string(),
        },
        other => format!("{other:?}"),
    }
}

/// Each header: absent, empty, twice with another value. Twice with the same value is one value; names have no case.
#[test]
fn wants_every_header_once() {
    let headers = signed_headers(CERTIFICATE, PREPAID.as_bytes());
    for (index, (name, value)) in headers.iter().enumerate() {
        let missing = |headers: &[(&str, String)]| {
            let refused = open(&response(200, headers, PREPAID.as_bytes())).unwrap_err();
            let OpenError::Signature(SignatureError::Missing { part }) = refused else {
                panic!("{name}: {refused:?}")
            };
            assert_eq!(part, *name);
        };
        let mut changed = headers.clone();
        changed.remove(index);
        missing(&changed);
        changed = headers.clone();
        changed[index].1 = String::new();
        missing(&changed);
        for other in [String::new(), format!("{value}0")] {
            changed = headers.clone();
            changed.push((name, other.clone()));
            missing(&changed);
            changed.swap(index, headers.len());
            missing(&changed);
        }
        changed = headers.clone();
        changed.push((name, value.clone()));
        assert!(open(&response(200, &changed, PREPAID.as_bytes())).is_ok(), "{name}");
    }
    let lower: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .collect();
    let lower: Vec<_> = lower.iter().map(|(name, value)| (&**name, value.clone())).collect();
    assert!(open(&response(200, &lower, PREPAID.as_bytes())).is_ok());
}

#[test]
fn refuses_headers_that_are_no_text() {
    for name in [
        "Wechatpay-Timestamp",
        "Wechatpay-Nonce",
        "Wechatpay-Serial",
        "Wechatpay-Signature",
    ] {
        let mut answer = reply(200, PREPAID);
        let value = http::HeaderValue::from_bytes(b"\xff\xfe").unwrap();
        answer.headers_mut().insert(name, value);
        let refused = open(&answer).unwrap_err();
        assert_eq!(reason(&refused), "malformed", "{name}");
    }
}

#[test]
fn wants_a_timestamp_that_is_a_number() {
    for text in [
        "-1700000000",
        "+1700000000",
        "1700000000.0",
        "1e9",
        "0x6553",
        "17000 0",
        "99999999999999999999",
        "一",
    ] {
        let mut headers = signed_headers(CERTIFICATE, b"{}");
        headers[0].1 = text.to_owned();
        headers[3].1 = platform_signature(text, NONCE, b"{}");
        let refused = open(&response(200, &headers, b"{}")).unwrap_err();
        assert_eq!(reason(&refused), "malformed", "{text}");
    }
}

/// 300 seconds either way are inside; clocks at the ends of 64 bits do not overflow.
#[test]
fn holds_the_timestamp_to_its_window_and_says_how_far_it_is_off() {
    let answer = reply(200, PREPAID);
    for (skew, inside) in [
        (0, true),
        (299, true),
        (300, true),
        (-300, true),
        (301, false),
        (-301, false),
    ] {
        let opened = Verified::<Reply>::open(&account(), &answer, UnixTime::from_seconds(NOW + skew));
        match opened {
            Ok(_) => assert!(inside, "{skew}"),
            Err(OpenError::Signature(SignatureError::Stale { skew_seconds })) => {
                assert!(!inside, "{skew}");
                assert_eq!(skew_seconds, skew);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    for end in [i64::MIN, i64::MAX] {
        let refused = Verified::<Reply>::open(&account(), &answer, UnixTime::from_seconds(end)).unwrap_err();
        assert_eq!(reason(&refused), "stale");
    }
    for timestamp in ["0", "9223372036854775807"] {
        let mut headers = signed_headers(CERTIFICATE, b"{}");
        headers[0].1 = timestamp.to_owned();
        for clock in [i64::MIN, NOW, i64::MIN + 1] {
            let at = UnixTime::from_seconds(clock);
            let refused = Verified::<Reply>::open(&account(), &response(200, &headers, b"{}"), at).unwrap_err();
            assert_eq!(reason(&refused), "stale", "{timestamp} at {clock}");
        }
    }
}

#[test]
fn takes_one_signature_type_and_its_absence() {
    for (kind, good) in [
        ("WECHATPAY2-SHA256-RSA2048", true),
        ("WECHATPAY2-SM2-WITH-SM3", false),
        ("wechatpay2-sha256-rsa2048", false),
        ("", false),
    ] {
        let mut headers = signed_headers(CERTIFICATE, PREPAID.as_bytes());
        headers.push(("Wechatpay-Signature-Type", kind.to_owned()));
        let opened = open(&response(200, &headers, PREPAID.as_bytes()));
        match opened {
            Ok(_) => assert!(good, "{kind}"),
            Err(error) => assert_eq!((good, &*reason(&error)), (false, "malformed"), "{kind}"),
        }
    }
}

/// The checks come in the sheet's order: a message that is wrong in two ways is refused for the earlier.
#[test]
fn checks_in_the_order_of_the_sheet() {
    let mut headers = signed_headers("ABCD", PREPAID.as_bytes());
    headers[3].1 = "WECHATPAY/SIGNTEST/AAAA".to_owned();
    headers.push(("Wechatpay-Signature-Type", "WECHATPAY2-SM2-WITH-SM3".to_owned()));
    let old = UnixTime::from_seconds(NOW + 1000);
    let verdict = |headers: &[(&str, String)], now| {
        reason(&Verified::<Reply>::open(&account(), &response(200, headers, b"no json"), now).unwrap_err())
    };
    let mut without_nonce = headers.clone();
    without_nonce.remove(1);
    assert_eq!(verdict(&without_nonce, old), "missing-signature");
    assert_eq!(verdict(&headers, old), "stale");
    assert_eq!(verdict(&headers, now()), "malformed");
    headers.pop();
    assert_eq!(verdict(&headers, now()), "unknown-key");
    headers[2].1 = CERTIFICATE.to_owned();
    assert_eq!(verdict(&headers, now()), "mismatch");
}

/// Such a key is never fetched, so the error says what to set, and where it is found.
#[test]
fn says_what_to_configure_where_a_key_cannot_be_fetched() {
    let remedy = |account: &Account, serial: &str| {
        assert!(account.fetch_keys(Some(serial), &ambient()).is_none());
        let answer = response(200, &signed_headers(serial, b"{}"), b"{}");
        let error = order().reply(account, &answer, now()).unwrap_err();
        assert_eq!(error.fate(), Fate::Unknown);
        let text = all_sources(&error);
        match error.kind() {
            ErrorKind::Signature(SignatureError::KeyNotConfigured { serial: named, .. }) => assert_eq!(named, serial),
            other => panic!("{other:?}"),
        }
        assert!(text.contains(&format!("`{serial}`")), "{text}");
        text
    };
    let other_id = "PUB_KEY_ID_0119000072912024101100000000000001";
    for account in [account(), fresh_account(), public_key_account()] {
        let text = remedy(&account, other_id);
        assert!(text.contains("with_public_key"), "{text}");
        // Whatever comes after the prefix, it is no hex.
        remedy(&account, "PUB_KEY_ID_0g|");
        remedy(&account, "PUB_KEY_ID_");
    }
    let text = remedy(&public_key_account(), CERTIFICATE);
    assert!(
        text.contains("Wechatpay-Serial") && text.contains("with_certificates"),
        "{text}"
    );
}

#[test]
fn names_the_serial_of_a_key_that_it_does_not_know() {
    let unknown = |account: &Account, serial: &str| {
        let answer = response(200, &signed_headers(serial, b"{}"), b"{}");
        let error = order().reply(account, &answer, now()).unwrap_err();
        assert_eq!(error.fate(), Fate::Unknown);
        match error.kind() {
            ErrorKind::Signature(SignatureError::UnknownKey { serial: named }) => assert_eq!(named, serial),
            other => panic!("{other:?}"),
        }
    };
    unknown(&account(), OTHER_CERTIFICATE);
    unknown(&fresh_account(), CERTIFICATE);
    // The id of a public key is compared exactly, a certificate's serial whatever its case.
    let both = public_key_account().with_certificates();
    unknown(&both, CERTIFICATE);
    unknown(&both, &PUBLIC_KEY_ID.to_ascii_lowercase());
    let lower = response(
        200,
        &signed_headers(&CERTIFICATE.to_ascii_lowercase(), PREPAID.as_bytes()),
        PREPAID.as_bytes(),
    );
    assert!(open(&lower).is_ok());
}

#[test]
fn a_certificate_that_is_over_proves_nothing() {
    let at = UnixTime::from_seconds(1_990_000_000);
    let timestamp = at.seconds().to_string();
    let headers = [
        ("Wechatpay-Timestamp", timestamp.clone()),
        ("Wechatpay-Nonce", NONCE.to_owned()),
        ("Wechatpay-Serial", CERTIFICATE.to_owned()),
        ("Wechatpay-Signature", platform_signature(&timestamp, NONCE, b"{}")),
    ];
    let refused = Verified::<Reply>::open(&account(), &response(200, &headers, b"{}"), at).unwrap_err();
    assert_eq!(reason(&refused), "unknown-key");
}

#[test]
fn refuses_probes_and_signatures_that_are_no_base64() {
    let good = platform_signature(&NOW.to_string(), NONCE, PREPAID.as_bytes());
    for signature in [
        format!("WECHATPAY/SIGNTEST/{good}"),
        "WECHATPAY/SIGNTEST/".to_owned(),
        good.trim_end_matches('=').to_owned(),
        format!(" {good}"),
        good.replacen('+', "-", 1).replacen('/', "_", 1),
        "!".to_owned(),
        good[4..].to_owned(),
    ] {
        let mut headers = signed_headers(CERTIFICATE, PREPAID.as_bytes());
        headers[3].1.clone_from(&signature);
        let answer = response(200, &headers, PREPAID.as_bytes());
        let error = fails(&order(), &answer);
        assert!(
            matches!(error.kind(), ErrorKind::Signature(SignatureError::Mismatch)),
            "{signature}: {error:?}"
        );
        // Discard it, take the outcome as unknown, repeat under the same number.
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::Repeat));
    }
}

#[test]
fn a_success_without_signature_is_no_success() {
    let error = fails(&order(), &unsigned(200, PREPAID));
    assert!(matches!(
        error.kind(),
        ErrorKind::Signature(SignatureError::Missing {
            part: "Wechatpay-Timestamp"
        })
    ));
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::Repeat));
    let error = fails(&refund(), &unsigned(200, REFUNDED));
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    assert_eq!(fails(&close(), &unsigned(204, "")).fate(), Fate::Unknown);
}

#[test]
fn reads_a_refusal_with_everything_in_it() {
    let body = r#"{"code":"PARAM_ERROR","message":"参数错误","detail":{"field":"/amount/currency","value":["XYZ",1],"issue":"Currency code is invalid","location":"body"}}"#;
    let error = fails(&order(), &reply(400, body));
    assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop));
    assert_eq!(error.remote_request_id(), Some("08F78BB5AB0610D302-0"));
    let refusal = error.refusal().unwrap();
    assert!(refusal.verified);
    assert_eq!(
        (refusal.status, &*refusal.code, &*refusal.message),
        (400, "PARAM_ERROR", "参数错误")
    );
    assert_eq!(refusal.meaning.kind, RefusalKind::Configuration);
    let detail = refusal.detail.as_deref().unwrap();
    assert!(
        detail.starts_with(r#"{"field":"/amount/currency","value":["XYZ",1]"#),
        "{detail}"
    );
    assert!(
        !error.refusal().unwrap().to_string().contains("XYZ"),
        "the detail may quote the request"
    );
}

/// Absent, null, or of another type than the document says: the code is what counts.
#[test]
fn reads_refusals_with_less_in_them() {
    for body in [
        r#"{"code":"ORDER_CLOSED"}"#,
        r#"{"code":"ORDER_CLOSED","message":null,"detail":null}"#,
        r#"{"code":"ORDER_CLOSED","message":{"zh":"x"}}"#,
        r#"{"code":"ORDERCLOSED","message":"older spelling"}"#,
    ] {
        let error = fails(&order(), &reply(403, body));
        let refusal = error.refusal().unwrap();
        assert_eq!(refusal.meaning.kind, RefusalKind::Declined, "{body}");
        assert_eq!(refusal.detail, None);
    }
    let detail = r#"{"code":"SIGN_ERROR","message":"x","detail":"plain text"}"#;
    let error = fails(&order(), &reply(401, detail));
    assert_eq!(error.refusal().unwrap().detail.as_deref(), Some("\"plain text\""));
}

/// A gateway signs nothing. Nothing that a write could rest on follows from it.
#[test]
fn marks_refusals_that_nothing_proves() {
    let sign_error = unsigned(
        401,
        r#"{"code":"SIGN_ERROR","message":"签名错误","detail":{"sign_information":{}}}"#,
    );
    let error = fails(&order(), &sign_error);
    let refusal = error.refusal().unwrap();
    assert!(!refusal.verified);
    assert_eq!(refusal.meaning.kind, RefusalKind::Configuration);
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::Repeat));
    assert_eq!(fails(&refund(), &sign_error).advice(), Advice::QueryFirst);
    // The true error is not hidden behind a missing header.
    assert!(error.refusal().unwrap().to_string().contains("SIGN_ERROR"));
    // "No such order" without a signature founds nothing: neither a repeat of a refund nor a closed case.
    let absent = unsigned(404, r#"{"code":"RESOURCE_NOT_EXISTS","message":"x"}"#);
    let error = fails(&QueryRefund::new(RefundNo::new("R1").unwrap()), &absent);
    assert_ne!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound);
    let error = fails(&query(), &unsigned(404, r#"{"code":"ORDER_NOT_EXIST"}"#));
    assert_ne!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound);
    assert!(
        error
            .refusal()
            .unwrap()
            .to_string()
            .ends_with("(no signature proves this answer)")
    );
}

#[test]
fn checks_the_signature_of_a_refusal_that_has_one() {
    let body = br#"{"code":"ORDER_NOT_EXIST","message":"x"}"#;
    let signed = response(404, &signed_headers(CERTIFICATE, body), body);
    let error = fails(&query(), &signed);
    assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::NotFound);
    let forged = response(404, &signed_headers(CERTIFICATE, b"{}"), body);
    assert!(matches!(
        fails(&query(), &forged).kind(),
        ErrorKind::Signature(SignatureError::Mismatch)
    ));
    let mut stripped = signed_headers(CERTIFICATE, body);
    stripped.remove(2);
    assert!(matches!(
        fails(&query(), &response(404, &stripped, body)).kind(),
        ErrorKind::Signature(SignatureError::Missing {
            part: "Wechatpay-Serial"
        })
    ));
}

#[test]
fn says_what_a_body_is_that_is_no_json() {
    for (status, body, kind) in [
        (404, "", ProtocolErrorKind::Empty),
        (405, "", ProtocolErrorKind::Empty),
        (
            502,
            "<html><head><title>502 Bad Gateway</title>",
            ProtocolErrorKind::Html,
        ),
        (500, "\r\n<!DOCTYPE html>", ProtocolErrorKind::Html),
        (500, "upstream timeout", ProtocolErrorKind::Format),
        (400, r#"{"code":"A","code":"B"}"#, ProtocolErrorKind::Format),
        (400, "[]", ProtocolErrorKind::Format),
        (400, "{\"code\":\"A\u{0}\"}", ProtocolErrorKind::Format),
    ] {
        for answer in [unsigned(status, body), reply(status, body)] {
            let error = fails(&refund(), &answer);
            let ErrorKind::Protocol(found) = error.kind() else {
                panic!("{body}: {error:?}")
            };
            assert_eq!(found.status, Some(status), "{body}");
            if body.contains("\"B\"") {
                assert!(matches!(&found.kind, ProtocolErrorKind::Field(field) if field.path == "code"));
            } else {
                assert_eq!(found.kind, kind, "{body}");
            }
            assert_eq!(
                (error.fate(), error.advice()),
                (Fate::Unknown, Advice::QueryFirst),
                "{body}"
            );
        }
    }
    for body in ["{}", r#"{"message":"x"}"#, r#"{"code":7}"#, r#"{"code":""}"#] {
        let error = fails(&refund(), &reply(400, body));
        assert!(
            matches!(error.kind(), ErrorKind::Protocol(found)
                if matches!(&found.kind, ProtocolErrorKind::Field(field) if field.path == "code")
                && found.status == Some(400)),
            "{body}: {error:?}"
        );
    }
}

/// Statuses that no contract has here, proven or not.
#[test]
fn refuses_statuses_that_the_protocol_does_not_use() {
    for status in [201, 202, 206, 301, 302, 304, 307] {
        for answer in [reply(status, PREPAID), unsigned(status, "")] {
            if status < 300 && !answer.headers().contains_key("wechatpay-signature") {
                continue;
            }
            let error = fails(&order(), &answer);
            let ErrorKind::Protocol(found) = error.kind() else {
                panic!("{status}: {error:?}")
            };
            assert_eq!(found.kind, ProtocolErrorKind::Status(status));
            assert_eq!(error.fate(), Fate::Unknown);
        }
    }
    let nothing = fails(&order(), &reply(204, ""));
    assert!(matches!(nothing.kind(), ErrorKind::Protocol(found) if found.kind == ProtocolErrorKind::Status(204)));
    let something = fails(&close(), &reply(200, "{}"));
    assert!(matches!(something.kind(), ErrorKind::Protocol(found) if found.kind == ProtocolErrorKind::Status(200)));
    let body = fails(&close(), &reply(204, "{}"));
    assert!(matches!(body.kind(), ErrorKind::Protocol(found) if found.kind == ProtocolErrorKind::Format));
}

#[test]
fn takes_an_error_in_the_body_of_a_200_for_the_error_it_is() {
    let body = r#"{"code":"ORDER_PAID","message":"x"}"#;
    for error in [fails(&order(), &reply(200, body)), fails(&close(), &reply(200, body))] {
        assert_eq!((error.fate(), error.advice()), (Fate::Already, Advice::Query));
        assert_eq!(error.refusal().unwrap().status, 200);
    }
}

#[test]
fn is_throttled_by_the_status_whatever_the_code() {
    for body in [
        r#"{"code":"FREQUENCY_LIMITED","message":"x"}"#,
        r#"{"code":"RATELIMIT_EXCEEDED"}"#,
        r#"{"code":"BRAND_NEW"}"#,
        "",
        "<html>",
    ] {
        for answer in [reply(429, body), unsigned(429, body)] {
            let error = fails(&query(), &answer);
            assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::Throttled, "{body}");
            assert_eq!(error.advice(), Advice::RepeatLater);
            assert_eq!(fails(&order(), &answer).advice(), Advice::RepeatLater);
            assert_eq!(fails(&refund(), &answer).advice(), Advice::QueryFirst);
        }
    }
}

#[test]
fn concludes_nothing_from_codes_that_no_table_has() {
    let answer = reply(403, r#"{"code":"BRAND_NEW","message":"x"}"#);
    assert_eq!(fails(&order(), &answer).fate(), Fate::Unknown);
    assert_eq!(fails(&refund(), &answer).advice(), Advice::QueryFirst);
    assert_eq!(fails(&query(), &answer).fate(), Fate::Refused);
    let failed = reply(503, r#"{"code":"BRAND_NEW","message":"x"}"#);
    assert_eq!(fails(&query(), &failed).fate(), Fate::Unknown);
}

/// JSON that is genuine and not what the contract promises: the path to the field, never a half-decoded value.
#[test]
fn names_the_field_that_a_genuine_answer_gets_wrong() {
    let with = |from: &str, to: &str| {
        let body = PAID.replacen(from, to, 1);
        assert_ne!(body, PAID, "{from}");
        body
    };
    let table = [
        (with(r#""out_trade_no":"A1","#, ""), "out_trade_no"),
        (with(r#""trade_state":"SUCCESS","#, ""), "trade_state"),
        (with(r#""mchid":"1900007291""#, r#""mchid":1900007291"#), "mchid"),
        (with(r#""total":100"#, r#""total":"100""#), "amount.total"),
        (with(r#""total":100"#, r#""total":100.0"#), "amount.total"),
        (with(r#""total":100"#, r#""total":1e2"#), "amount.total"),
        (
            with(r#""amount":{"currency"#, r#""amount":{"total":1,"currency"#),
            "amount.total",
        ),
        (
            with("2018-06-08T10:34:56+08:00", "2018-13-08T10:34:56+08:00"),
            "success_time",
        ),
        (
            with(r#""payer":{"openid""#, r#""payer":[{"openid""#).replacen("NjWeS6o\"}", "NjWeS6o\"}]", 1),
            "payer",
        ),
        (
            with(r#""discount_amount":1"#, r#""discount_amount":true"#),
            "promotion_detail[0].goods_detail[0].discount_amount",
        ),
        (
            with(r#""attach":"自定义数据""#, r#""attach":"x","attach":"y""#),
            "attach",
        ),
    ];
    for (body, path) in table {
        let answer = reply(200, &body);
        let inbound = open(&answer).unwrap();
        let error = query().decode(&account(), inbound).unwrap_err();
        assert_eq!(wrong_field(&error), path, "{body}");
    }
    for (body, kind) in [
        ("", "empty"),
        ("<html>", "html"),
        ("[]", "format"),
        ("null", "format"),
        (r#"{"a":1"#, "format"),
        (r#"{"a":1}x"#, "format"),
    ] {
        let error = query()
            .decode(&account(), open(&reply(200, body)).unwrap())
            .unwrap_err();
        assert_eq!(reason(&error), kind, "{body}");
    }
    for prepaid in [
        r#"{}"#,
        r#"{"prepay_id":""}"#,
        r#"{"prepay_id":7}"#,
        r#"{"prepay_id":"a b"}"#,
        r#"{"prepay_id":"a\nb"}"#,
    ] {
        let error = order()
            .decode(&account(), open(&reply(200, prepaid)).unwrap())
            .unwrap_err();
        assert_eq!(wrong_field(&error), "prepay_id", "{prepaid}");
    }
}

#[test]
fn refuses_bodies_larger_than_any_message_before_checking_them() {
    let large = vec![b' '; 10 * 1024 * 1024];
    let refused = open(&response(200, &signed_headers("ABCD", b""), &large)).unwrap_err();
    assert_eq!(reason(&refused), "format");
    let refused = open(&response(500, &[], &large)).unwrap_err();
    assert_eq!(reason(&refused), "format");
}

/// A key that was not known when the answer came: learning it opens the same answer.
#[test]
fn opens_the_same_answer_once_the_key_is_known() {
    let account = fresh_account();
    let answer = reply(200, PREPAID);
    assert!(order().reply(&account, &answer, now()).is_err());
    let fetch = account.fetch_keys(Some(CERTIFICATE), &ambient()).unwrap().unwrap();
    let fetch = fetch.seal(account.signer(), &ambient()).unwrap();
    assert_eq!(fetch.uri().path(), "/v3/certificates");
    account
        .learn_keys(&crate::certificates::listed(&["go_cert_D7CE"]), now())
        .unwrap();
    assert!(order().reply(&account, &answer, now()).is_ok());
    assert_eq!(<CloseOrder as Operation>::ROUTE.effect, Effect::Repeatable);
    assert!(pem("go_public").starts_with("-----BEGIN PUBLIC KEY"));
}
