//! Bills that are downloaded: what is asked, what comes in place of a file, and files that are not whole.

use std::io::Write as _;

use bytes::Bytes;
use http::Response;
use proptest::prelude::{any, prop, prop_assert, proptest};
use yuanfen_core::{
    Advice, CalendarDate, ClientAuth, ClockDashed, Error, ErrorKind, Fate, OpenError, Operation, OperationExt as _,
    ProtocolErrorKind, Provider as _, RefusalKind, ReplyTrust,
};
use yuanfen_testkit::oracle;
use yuanfen_wechat_v2::bill::BillMismatch;
use yuanfen_wechat_v2::ops::{AccountType, BillType, DownloadFundFlowBill, DownloadTradeBill, routes};
use yuanfen_wechat_v2::{Account, BillCheck, BillFile, BillText, SignType, SubMerchant};

use crate::far_side::{APP_ID, KEY, MERCHANT, account, ambient, hmac_account, now, response, sent, why, word};
use crate::fields::refused;
use crate::vectors::vectors;

/// The day before the one on which it is [`now`] in Beijing.
fn yesterday() -> CalendarDate {
    CalendarDate::parse("2023-11-14").unwrap()
}

fn trade() -> DownloadTradeBill {
    DownloadTradeBill::new(yesterday())
}

fn flow() -> DownloadFundFlowBill {
    DownloadFundFlowBill::new(yesterday(), AccountType::Basic)
}

/// A text that is whole in itself: the published case.
fn text() -> Vec<u8> {
    vectors()
        .case("bill-all-bom-crlf-comma")
        .text("text")
        .as_bytes()
        .to_vec()
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn sha1(bytes: &[u8]) -> String {
    let mut digest = yuanfen_sign::Sha1Stream::new();
    digest.push(bytes);
    digest.finish_hex()
}

fn file(body: &[u8], digest: Option<&str>) -> Response<Bytes> {
    let mut response = response(200, body.to_vec());
    if let Some(digest) = digest {
        response.headers_mut().insert("Digest", digest.parse().unwrap());
    }
    response
}

fn came<O: Operation<Provider = Account, Reply = Option<BillFile>>>(
    call: &O,
    response: &Response<Bytes>,
) -> Result<Option<BillFile>, Error> {
    call.reply(&account(), response, now())
}

fn whole(bill: Option<BillFile>) -> Bytes {
    bill.expect("a file").bytes().clone()
}

#[test]
fn asks_for_the_trade_bill_of_a_day() {
    let bare = sent(&trade().request(&account(), &ambient()).unwrap());
    assert_eq!((&*bare["bill_date"], bare.len()), ("20231114", 6));
    let mut full = trade();
    full.bill_type = Some(BillType::RechargeRefund);
    full.gzip = true;
    let request = full.request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/downloadbill");
    assert_eq!(request.extensions().get::<ClientAuth>(), None);
    let fields = sent(&request);
    assert_eq!(
        (&*fields["bill_type"], &*fields["tar_type"]),
        ("RECHARGE_REFUND", "GZIP")
    );
    assert_eq!(fields["sign"], oracle::v2_md5(&fields, KEY));
    full.bill_type = Some(BillType::from("A B"));
    assert_eq!(refused(&full).field(), Some("bill_type"));
}

#[test]
fn a_service_provider_asks_for_the_bill_of_one_merchant_or_of_all() {
    let one = account()
        .for_sub_merchant(SubMerchant::new("1900000109").unwrap())
        .unwrap();
    let fields = sent(&trade().request(&one, &ambient()).unwrap());
    assert_eq!(fields.get("sub_mch_id").map(String::as_str), Some("1900000109"));
    let all = account().for_every_sub_merchant();
    let fields = sent(&trade().request(&all, &ambient()).unwrap());
    assert!(
        !fields.contains_key("sub_mch_id") && !fields.contains_key("sub_appid"),
        "{fields:?}"
    );
    // The flow of money is the provider's own, whoever asks.
    for account in [one, all] {
        let fields = sent(&flow().request(&account, &ambient()).unwrap());
        assert!(!fields.contains_key("sub_mch_id"), "{fields:?}");
        assert_eq!((&*fields["appid"], &*fields["mch_id"]), (APP_ID, MERCHANT));
    }
}

#[test]
fn asks_for_the_fund_flow_bill_with_hmac_and_behind_the_client_certificate() {
    for account in [account(), hmac_account()] {
        let mut call = flow();
        call.account_type = AccountType::Fees;
        call.gzip = true;
        let request = call.request(&account, &ambient()).unwrap();
        assert_eq!(request.uri(), "https://api.mch.weixin.qq.com/pay/downloadfundflow");
        assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
        let fields = sent(&request);
        assert_eq!((&*fields["account_type"], &*fields["tar_type"]), ("Fees", "GZIP"));
        assert_eq!((&*fields["bill_date"], fields.len()), ("20231114", 8));
        assert_eq!(fields["sign_type"], "HMAC-SHA256");
        assert_eq!(fields["sign"], oracle::v2_hmac(&fields, KEY));
    }
    let kinds = [AccountType::Basic, AccountType::Operation, AccountType::Fees];
    assert_eq!(kinds.map(|kind| kind.to_string()), ["Basic", "Operation", "Fees"]);
    let mut call = flow();
    call.account_type = AccountType::from("");
    assert_eq!(refused(&call).field(), Some("account_type"));
}

/// The signer of an account that signs with MD5 does not fit a message that must be signed with HMAC.
#[test]
fn a_message_with_its_own_way_of_signing_takes_no_other_signature() {
    let message = || flow().encode(&account(), &ambient()).unwrap();
    let draft = account().draft(message(), &ambient()).unwrap();
    let signature = account().signer().sign(draft.text(), &ambient()).unwrap();
    assert_eq!(signature.len(), 32);
    let error = draft.finish(&signature).unwrap_err();
    assert!(matches!(error, yuanfen_core::BuildError::Sign(_)), "{error:?}");
    let draft = account().draft(message(), &ambient()).unwrap();
    let signature = account()
        .with_sign_type(SignType::HmacSha256)
        .signer()
        .sign(draft.text(), &ambient())
        .unwrap();
    let fields = sent(&draft.finish(&signature).unwrap());
    assert_eq!(fields["sign"], oracle::v2_hmac(&fields, KEY));
}

#[test]
fn asks_for_days_that_are_over_in_beijing() {
    let ready = ClockDashed(trade().ready_at()).to_string();
    assert_eq!(ready, "2023-11-15 10:00:00");
    assert_eq!(flow().ready_at(), trade().ready_at());
    for day in ["2023-11-15", "2023-11-16"] {
        let day = CalendarDate::parse(day).unwrap();
        assert_eq!(refused(&DownloadTradeBill::new(day)).field(), Some("bill_date"));
        let call = DownloadFundFlowBill::new(day, AccountType::Basic);
        assert_eq!(refused(&call).field(), Some("bill_date"));
    }
}

#[test]
fn lists_them_as_reads_that_bring_a_file() {
    for (operation, certificate) in [
        ("download_trade_bill", ClientAuth::None),
        ("download_fund_flow_bill", ClientAuth::Required),
    ] {
        let routes = routes();
        let info = routes.iter().find(|info| info.route.operation == operation).unwrap();
        assert_eq!((info.route.effect.as_str(), info.reply), ("read", ReplyTrust::File));
        assert_eq!(info.route.client_certificate, certificate);
    }
}

#[test]
fn takes_a_file_as_what_it_is_and_not_as_what_was_asked_for() {
    let text = text();
    for gzip in [false, true] {
        let mut call = trade();
        call.gzip = gzip;
        for body in [
            text.clone(),
            pack(&text),
            [pack(&text[..70]), pack(&text[70..])].concat(),
        ] {
            let bill = came(&call, &file(&body, None)).unwrap();
            let file = bill.as_ref().unwrap();
            assert_eq!(file.is_gzip(), body[0] == 0x1f);
            assert_eq!(file.text().unwrap().as_bytes(), text);
            assert!(BillText::parse(&file.text().unwrap()).is_ok());
            assert!(format!("{bill:?}").len() < 60, "nothing of the file");
            assert_eq!(whole(bill), body);
        }
    }
}

#[test]
fn a_text_that_is_not_utf8_is_a_file_and_no_text() {
    let mut text = text();
    *text.iter_mut().find(|byte| **byte == b't').unwrap() = 0xff;
    for body in [text.clone(), pack(&text)] {
        let bill = came(&trade(), &file(&body, None)).unwrap();
        assert_eq!(word(&bill.as_ref().unwrap().text().unwrap_err()), "format");
    }
}

fn check(call: &DownloadTradeBill, digest: Option<&str>, body: &[u8], size: usize) -> Result<(), OpenError> {
    let mut check: BillCheck = call.check();
    check.headers(file(b"", digest).headers())?;
    for piece in body.chunks(size) {
        check.push(piece)?;
    }
    check.finish()
}

#[test]
fn sees_every_cut_of_a_text_and_of_a_gzip_file_however_it_comes() {
    let text = text();
    let end = text.strip_suffix(b"\r\n").unwrap().len();
    for size in [1, 2, 3, 7, 1 << 20] {
        assert!(check(&trade(), None, &text, size).is_ok(), "{size}");
        assert!(
            check(&trade(), None, &text[..end], size).is_ok(),
            "without its last line break"
        );
        assert!(check(&trade(), None, &pack(&text), size).is_ok(), "{size}");
    }
    for length in 0..end {
        let cut = check(&trade(), None, &text[..length], 1 << 20);
        // Within the last number nothing but its end says where it ends.
        if text[end - 4..length.max(end - 4)].iter().any(u8::is_ascii_digit) && text[length - 1].is_ascii_digit() {
            continue;
        }
        let word = word(&cut.expect_err("a cut file"));
        assert_eq!(word, if length == 0 { "empty" } else { "format" }, "{length}");
    }
    let packed = pack(&text);
    for length in 2..packed.len() {
        let cut = check(&trade(), None, &packed[..length], 100);
        assert_eq!(word(&cut.expect_err("a cut file")), "format", "{length}");
    }
    let longer = [&*packed, b"trailing"].concat();
    assert_eq!(word(&check(&trade(), None, &longer, 100).unwrap_err()), "format");
}

#[test]
fn a_check_that_has_failed_stays_failed() {
    let mut check = flow().check();
    assert!(check.push(&[&[0x1f, 0x8b][..], &[0xff; 20]].concat()).is_err());
    assert!(check.push(&text()).is_err());
    assert_eq!(word(&check.finish().unwrap_err()), "format");
}

#[test]
fn holds_a_fund_flow_bill_against_the_digest_of_either_form() {
    let (text, packed) = (text(), pack(&text()));
    let digests = [
        format!("SHA={}", sha1(&text)),
        format!("sha={}", sha1(&packed).to_uppercase()),
    ];
    for digest in &digests {
        for digest in [
            digest.clone(),
            format!("MD5=xyz, {digest}"),
            format!("{digest},UNIXsum=30637"),
        ] {
            let bill = came(&flow(), &file(&packed, Some(&digest))).unwrap();
            assert_eq!(whole(bill), packed);
        }
    }
    let plain = |digest: &str| came(&flow(), &file(&text, Some(digest)));
    assert!(plain(&digests[0]).is_ok());
    // A text is only what it is: nothing was packed.
    assert_eq!(why(&plain(&digests[1]).unwrap_err()), "digest");
    // None is promised, or none that is known here.
    assert!(came(&flow(), &file(&text, None)).is_ok());
    assert!(plain("MD5=1B2M2Y8AsgTpgAmY7PhCfg==").is_ok());

    let mut other = text.clone();
    *other.iter_mut().find(|byte| **byte == b'3').unwrap() = b'4';
    for body in [other.clone(), pack(&other)] {
        let error = came(&flow(), &file(&body, Some(&digests[0]))).unwrap_err();
        assert_eq!(why(&error), "digest");
        let ErrorKind::Protocol(error) = error.kind() else {
            panic!("{error:?}")
        };
        let mismatch = error.source.as_ref().unwrap().downcast_ref::<BillMismatch>().unwrap();
        assert_eq!(mismatch.promised, sha1(&text));
        assert_eq!(
            (&*mismatch.received, &*mismatch.unpacked),
            (&*sha1(&body), &*sha1(&other))
        );
    }
    // In pieces it is the same.
    assert!(check(&trade(), Some(&digests[1]), &packed, 5).is_ok());
    let error = check(&trade(), Some(&digests[1]), &pack(&other), 5).unwrap_err();
    assert_eq!(word(&error), "digest");
}

/// No octet of a file can be another without being noticed, unless it is one of the gzip wrapping and the text stays.
#[test]
fn no_change_to_a_file_with_a_digest_goes_unnoticed() {
    let (text, packed) = (text(), pack(&text()));
    let digest = format!("SHA={}", sha1(&text));
    let mut same = 0;
    for (body, may_stay) in [(&text, false), (&packed, true)] {
        for at in 0..body.len() {
            for flip in [1, 0x80] {
                let mut altered = body.clone();
                altered[at] ^= flip;
                if let Ok(bill) = came(&flow(), &file(&altered, Some(&digest))) {
                    assert!(may_stay, "{at}");
                    assert_eq!(bill.unwrap().text().unwrap().as_bytes(), text, "{at}");
                    same += 1;
                }
            }
        }
    }
    // The time, the flags and the system of the head.
    assert!(same <= 2 * 10, "{same}");
}

#[test]
fn a_digest_that_cannot_be_read_is_an_error() {
    let text = text();
    for digest in [
        "SHA=",
        "SHA=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        "SHA=00",
        "SHA=zz39a3ee5e6b4b0d3255bfef95601890afd80709",
    ] {
        assert_eq!(
            why(&came(&flow(), &file(&text, Some(digest))).unwrap_err()),
            "format",
            "{digest}"
        );
        assert_eq!(
            word(&check(&trade(), Some(digest), &text, 9).unwrap_err()),
            "format",
            "{digest}"
        );
    }
    let mut twice = file(&text, Some(&format!("SHA={}", sha1(&text))));
    twice
        .headers_mut()
        .append("digest", format!("SHA={}", sha1(b"")).parse().unwrap());
    assert_eq!(why(&came(&flow(), &twice).unwrap_err()), "format");
}

#[test]
fn what_is_larger_than_is_held_becomes_no_text() {
    let text = text();
    for body in [text.clone(), pack(&text)] {
        let bill = came(&trade(), &file(&body, None)).unwrap();
        let bill = bill.as_ref().unwrap();
        assert_eq!(bill.text_at_most(text.len()).unwrap().len(), text.len());
        assert_eq!(word(&bill.text_at_most(text.len() - 1).unwrap_err()), "format");
    }
}

/// Little that unpacks to much: no more of it is unpacked than was allowed.
#[test]
fn a_gzip_file_that_holds_more_than_is_read_is_refused_on_the_way() {
    let bomb = pack(&vec![b'0'; 4 << 20]);
    assert!(bomb.len() < 1 << 13);
    let mut check = trade().check().unpacked_at_most(1 << 20);
    assert_eq!(word(&check.push(&bomb).unwrap_err()), "format");
    let text = text();
    for (limit, holds) in [(text.len(), true), (text.len() - 1, false)] {
        let mut check = trade().check().unpacked_at_most(u64::try_from(limit).unwrap());
        assert_eq!(check.push(&pack(&text)).and_then(|()| check.finish()).is_ok(), holds);
    }
}

/// However long the rows are, what is looked at is the end.
#[test]
fn sees_the_end_of_a_long_bill_in_pieces_of_any_size() {
    let text = text();
    let at = text.windows(2).position(|pair| pair == b"\n`").unwrap() + 1;
    let end = text.windows(2).rposition(|pair| pair == b"\n`").unwrap();
    let row = &text[at..=text[..end].iter().rposition(|byte| *byte == b'\n').unwrap()];
    let long = [&text[..at], &row.repeat(1000), &text[at + row.len()..]].concat();
    for size in [1, 1000, (1 << 14) - 1, 1 << 14, (1 << 14) + 1, 1 << 15, 1 << 20] {
        for body in [&long, &pack(&long)] {
            assert!(check(&trade(), None, body, size).is_ok(), "{size}");
        }
        for cut in [
            at,
            at + row.len(),
            long.len() - row.len(),
            long.len() - 20,
            long.len() - 60,
        ] {
            assert_eq!(
                word(&check(&trade(), None, &long[..cut], size).unwrap_err()),
                "format",
                "{size}"
            );
        }
    }
}

fn failure(fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: String = fields
        .iter()
        .map(|(name, value)| format!("<{name}><![CDATA[{value}]]></{name}>\n"))
        .collect();
    format!("<xml>{fields}</xml>").into_bytes()
}

#[test]
fn reads_the_refusal_that_comes_in_place_of_a_file() {
    let body = failure(&[
        ("return_code", "FAIL"),
        ("return_msg", "data format error"),
        ("error_code", "20001"),
    ]);
    for mark in [&b""[..], b"\xef\xbb\xbf", b"\r\n ", b"\xef\xbb\xbf\n"] {
        let body = [mark, &body].concat();
        // As XML also where gzip was asked for; and should it come packed, it is read all the same.
        for body in [body.clone(), pack(&body)] {
            for size in [1, 2, 4, 1 << 20] {
                let mut call = trade();
                call.gzip = true;
                let OpenError::Business(refusal) = check(&call, None, &body, size).unwrap_err() else {
                    panic!("not the refusal")
                };
                assert_eq!((&*refusal.code, &*refusal.message), ("20001", "data format error"));
                let error = came(
                    &call,
                    &file(&body, Some("SHA=da39a3ee5e6b4b0d3255bfef95601890afd80709")),
                )
                .unwrap_err();
                assert_eq!(error.refusal(), Some(&*refusal));
                assert!(!refusal.verified, "nobody signs it");
                assert_eq!(error.fate(), Fate::Refused);
            }
        }
    }
    let by_result = failure(&[
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "PARAM_ERROR"),
        ("err_code_des", "参数错误"),
    ]);
    let error = came(&flow(), &file(&by_result, None)).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((&*refusal.code, &*refusal.message), ("PARAM_ERROR", "参数错误"));
    let bare = failure(&[("return_code", "FAIL"), ("return_msg", "签名错误")]);
    let error = came(&trade(), &file(&bare, None)).unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "FAIL");
    assert_eq!(error.refusal().unwrap().message, "签名错误");
}

#[test]
fn what_is_neither_a_file_nor_a_refusal_is_an_error() {
    let large = [b"<xml>".as_slice(), &[b' '; 1 << 20]].concat();
    let deep = "<a>".repeat(40).into_bytes();
    for (body, reason) in [
        (&b""[..], "empty"),
        (b"\xef\xbb\xbf", "format"),
        (&[b' '; 100], "format"),
        (b"<html><body>502</body></html>", "html"),
        (b"<!DOCTYPE html><title>404</title>", "html"),
        (b"<xml><return_code>SUCCESS</return_code></xml>", "format"),
        (
            b"<xml><return_code>SUCCESS</return_code><result_code>SUCCESS</result_code></xml>",
            "format",
        ),
        (b"<xml><a>1</a></xml>", "field return_code"),
        (b"<xml><return_code>FAIL", "format"),
        (b"<!DOCTYPE xml [<!ENTITY a \"b\">]><xml/>", "format"),
        (&large, "format"),
        (&deep, "format"),
        (b"{\"code\":\"SYSTEM_ERROR\"}", "format"),
        (b"x", "format"),
        (&[0x1f], "format"),
    ] {
        for error in [
            came(&trade(), &file(body, None)).unwrap_err(),
            came(&flow(), &file(body, None)).unwrap_err(),
        ] {
            assert_eq!(why(&error), reason, "of {} bytes", body.len());
            assert_eq!(
                (error.fate(), error.advice()),
                (Fate::Unknown, Advice::Repeat),
                "a read"
            );
        }
    }
    for status in [204, 301, 404, 502] {
        let error = came(&trade(), &response(status, text())).unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Status(status)),
            "{error:?}"
        );
    }
}

#[test]
fn a_day_without_trade_is_a_value_and_one_that_is_not_there_yet_says_so() {
    let refusal = |words: &str, code: Option<&str>| {
        let mut fields = vec![("return_code", "FAIL"), ("return_msg", words)];
        fields.extend(code.map(|code| ("error_code", code)));
        failure(&fields)
    };
    for body in [
        refusal("No Bill Exist", Some("20002")),
        refusal("NO Bill Exist", Some("20002")),
        refusal("no such day", Some("20002")),
        refusal("No Bill Exist", None),
    ] {
        let bill = came(&trade(), &file(&body, None)).unwrap();
        assert!(bill.is_none(), "{bill:?}");
        // In pieces there is nothing to put anywhere, so it is a refusal of its own kind.
        let OpenError::Business(refusal) = check(&trade(), None, &body, 9).unwrap_err() else {
            panic!("not the refusal")
        };
        assert_eq!(refusal.meaning.kind, RefusalKind::Nothing);
    }
    let none = failure(&[
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "NO_BILL_EXIST"),
    ]);
    assert!(came(&flow(), &file(&none, None)).unwrap().is_none());

    let creating = failure(&[
        ("return_code", "SUCCESS"),
        ("result_code", "FAIL"),
        ("err_code", "BILL_CREATING"),
    ]);
    for error in [
        came(&trade(), &file(&refusal("Bill Creating", Some("20003")), None)).unwrap_err(),
        came(&trade(), &file(&refusal("bill creating", None), None)).unwrap_err(),
        came(&flow(), &file(&creating, None)).unwrap_err(),
    ] {
        assert_eq!(error.refusal().unwrap().meaning.kind, RefusalKind::NotYet);
        assert_eq!(error.refusal().unwrap().ready_at, Some(trade().ready_at()));
        assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::RepeatLater));
    }
    for words in ["SYSTEMERROR", "CompressGZip Error", "UnCompressGZip Error"] {
        let error = came(&trade(), &file(&refusal(words, None), None)).unwrap_err();
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::Repeat),
            "{words}"
        );
    }
    for words in [
        "invalid bill_type",
        "data format error",
        "missing parameter",
        "SIGN ERROR",
    ] {
        let error = came(&trade(), &file(&refusal(words, Some("20001")), None)).unwrap_err();
        let kind = error.refusal().unwrap().meaning.kind;
        assert_eq!(
            (kind, error.advice()),
            (RefusalKind::Configuration, Advice::Stop),
            "{words}"
        );
    }
}

proptest! {
    /// Whatever comes in place of a file: no panic, and never a file unless it ends as one does.
    #[test]
    fn takes_no_octets_for_a_bill(
        start in prop::sample::select(vec![&b""[..], b"\x1f\x8b", b"\xef\xbb\xbf", b"<xml>", b"\xef\xbb\xbf<", b"`1,`2\n"]),
        octets in prop::collection::vec(any::<u8>(), 0..200),
        size in 1..50_usize,
    ) {
        let body = [start, &octets].concat();
        let whole = came(&trade(), &file(&body, None));
        let pieces = check(&trade(), None, &body, size);
        prop_assert!(whole.is_err() && pieces.is_err());
        let text: String = octets.iter().map(|octet| char::from(*octet)).collect();
        prop_assert!(BillText::parse(&text).is_err());
    }
}
