//! Bills: asked for, fetched, held against their digest.

use yuanfen_core::{
    Address, Ambient as _, BaseUrl, CalendarDate, ErrorKind, Fate, Fen, FixedHost, OpenError, Operation as _,
    OperationExt as _, ProtocolErrorKind, Provider as _, RefusalKind, UnixTime,
};
use yuanfen_wechat_v3::ops::{BillScope, BillType, DownloadBill, RequestFundFlowBill, RequestTradeBill};
use yuanfen_wechat_v3::{Account, BillCheck, BillMismatch, BillText, Message, RequestedBill, SubMerchant};

use crate::far_side::{
    APP, VECTORS, account, ambient, api_v3_key, identity, now, reason, reply, response, wrong_field,
};

const URL: &str = "https://api.mch.weixin.qq.com/v3/billdownload/file?token=abc-_%2B%2F%3D&tartype=gzip";
const SHA1: &str = "9bb6cd819be348f17a9cbcedddc8eb62fefbd790";

fn answer(hash_type: &str, hash: &str, url: &str) -> String {
    format!(r#"{{"hash_type":"{hash_type}","hash_value":"{hash}","download_url":"{url}","new":1}}"#)
}

fn ask() -> RequestTradeBill {
    RequestTradeBill::new(CalendarDate::parse("2020-11-09").unwrap())
}

fn requested(sha1: &str) -> RequestedBill {
    requested_at(sha1, URL)
}

fn requested_at(sha1: &str, url: &str) -> RequestedBill {
    ask()
        .reply(&account(), &reply(200, &answer("SHA1", sha1, url)), now())
        .unwrap()
        .unwrap()
}

fn gzip() -> Vec<u8> {
    VECTORS.case("trade-bill-all").bytes("gzip")
}

#[test]
fn reads_where_the_file_is_and_what_it_must_be() {
    let bill = requested(&SHA1.to_ascii_uppercase());
    assert_eq!(bill.sha1, SHA1);
    assert_eq!(bill.download_url().as_str(), URL);
    assert_eq!(bill.extra.get("new"), Some("1"));
    let flow = RequestFundFlowBill::new(CalendarDate::parse("2020-11-09").unwrap());
    let flow = flow.reply(&account(), &reply(200, &answer("SHA1", SHA1, URL)), now());
    assert_eq!(flow.unwrap().unwrap().sha1, SHA1);
}

#[test]
fn refuses_answers_that_promise_nothing_that_can_be_held() {
    let long = format!("https://a.example/{}", "u".repeat(2048));
    for (hash_type, hash, url, field) in [
        ("SHA256", SHA1, URL, "hash_type"),
        ("", SHA1, URL, "hash_type"),
        ("SHA1", "", URL, "hash_value"),
        ("SHA1", &SHA1[1..], URL, "hash_value"),
        ("SHA1", "zbb6cd819be348f17a9cbcedddc8eb62fefbd790", URL, "hash_value"),
        ("SHA1", SHA1, "", "download_url"),
        ("SHA1", SHA1, "/v3/billdownload/file?token=x", "download_url"),
        ("SHA1", SHA1, "http://api.mch.weixin.qq.com/v3/x", "download_url"),
        ("SHA1", SHA1, &long, "download_url"),
    ] {
        let opened = reply(200, &answer(hash_type, hash, url));
        let inbound = yuanfen_core::Opens::open(&account(), &opened, now()).unwrap();
        let error = ask().decode(&account(), inbound).unwrap_err();
        assert_eq!(wrong_field(&error), field);
    }
}

/// Path and query exactly as they came, signed like any call, on whichever host.
#[test]
fn uses_the_address_as_it_came_and_signs_it() {
    let download = requested(SHA1).download();
    let request = download.request(&account(), &ambient()).unwrap();
    assert_eq!(request.uri().to_string(), URL);
    assert!(request.headers().contains_key("authorization"));
    assert_eq!(request.headers()["accept"], "application/json");
    // The address names one host, and no other is asked for it; every other call may go to the backup.
    assert_eq!(request.extensions().get(), Some(&FixedHost));
    assert_eq!(
        ask()
            .request(&account(), &ambient())
            .unwrap()
            .extensions()
            .get::<FixedHost>(),
        None
    );
    let draft = yuanfen_core::Provider::draft(&account(), download.encode(&account(), &ambient()).unwrap(), &ambient())
        .unwrap();
    let line = "GET\n/v3/billdownload/file?token=abc-_%2B%2F%3D&tartype=gzip\n";
    assert!(draft.text().starts_with(line.as_bytes()));
}

/// The answer is the file, and nobody signs it.
#[test]
fn fetches_a_file_that_nobody_signs_and_holds_it_against_its_digest() {
    let download = requested(SHA1).download();
    let file = response(200, &[], &gzip());
    let bill = download.reply(&account(), &file, now()).unwrap();
    assert_eq!(bill.bytes().as_ref(), gzip());
    let mut altered = gzip();
    *altered.last_mut().unwrap() ^= 1;
    let error = download
        .reply(&account(), &response(200, &[], &altered), now())
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Format));
    let other = requested(&SHA1.replacen('9', "8", 1)).download();
    let error = other.reply(&account(), &file, now()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Digest));
}

#[test]
fn reads_the_refusal_that_comes_in_place_of_a_file() {
    let download: DownloadBill = requested(SHA1).download();
    let gone = response(400, &[], br#"{"code":"INVALID_REQUEST","message":"token expired"}"#);
    let error = download.reply(&account(), &gone, now()).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!((&*refusal.code, refusal.verified), ("INVALID_REQUEST", false));
    assert_eq!(error.fate(), Fate::Refused);
    for status in [204, 301, 502] {
        let error = download
            .reply(&account(), &response(status, &[], b""), now())
            .unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.status == Some(status)));
    }
}

/// Ten o'clock of the next morning in Beijing is two in the night in Greenwich.
#[test]
fn says_from_when_on_a_bill_is_there() {
    let answer = reply(400, r#"{"code":"STATEMENT_CREATING","message":"x"}"#);
    let error = ask().reply(&account(), &answer, now()).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.meaning.kind, RefusalKind::NotYet);
    let ready_at = UnixTime::from_seconds(1_604_973_600); // date -u -d 2020-11-10T02:00:00Z +%s
    assert_eq!(refusal.ready_at, Some(ready_at));
    assert_eq!(ask().ready_at(), ready_at);
    let flow = RequestFundFlowBill::new(CalendarDate::parse("2020-11-09").unwrap());
    assert_eq!(flow.ready_at(), ready_at);
    let error = flow.reply(&account(), &answer, now()).unwrap_err();
    assert_eq!(error.refusal().unwrap().ready_at, Some(ready_at));
    // Other refusals know no time.
    let error = ask().reply(
        &account(),
        &reply(400, r#"{"code":"PARAM_ERROR","message":"x"}"#),
        now(),
    );
    assert_eq!(error.unwrap_err().refusal().unwrap().ready_at, None);
}

/// A day without trade is no error; but only a signature proves that it was one.
#[test]
fn an_empty_day_is_an_answer() {
    let body = r#"{"code":"NO_STATEMENT_EXIST","message":"x"}"#;
    assert_eq!(ask().reply(&account(), &reply(400, body), now()).unwrap(), None);
    let flow = RequestFundFlowBill::new(CalendarDate::parse("2020-11-09").unwrap());
    assert_eq!(flow.reply(&account(), &reply(404, body), now()).unwrap(), None);
    let unsigned = response(400, &[], body.as_bytes());
    assert!(ask().reply(&account(), &unsigned, now()).is_err());
}

/// The clock of the platform may be minutes away; what counts is how long this machine has had the address.
#[test]
fn an_address_older_than_half_a_minute_is_not_used() {
    let bill = requested(SHA1);
    assert_eq!(bill.received_at, now());
    let ambient = ambient();
    ambient.advance(29);
    assert!(!bill.is_stale(ambient.now()));
    bill.download().request(&account(), &ambient).unwrap();
    ambient.advance(1);
    assert!(bill.is_stale(ambient.now()));
    let error = bill.download().request(&account(), &ambient).unwrap_err();
    let ErrorKind::Build(error) = error.kind() else {
        panic!("{error:?}")
    };
    assert_eq!(error.field(), Some("download_url"));
    assert!(error.to_string().contains("ask for the bill again"), "{error}");
    // Without a time the platform decides.
    let timeless = DownloadBill::new(bill.download_url().clone(), SHA1);
    timeless.request(&account(), &ambient).unwrap();
}

/// The answer names the address, and whoever gets a signed request learns who the merchant is.
#[test]
fn signs_for_hosts_of_the_platform_and_for_its_own_only() {
    let own = account().with_base(BaseUrl::parse("http://127.0.0.1:8080/wechat-v3").unwrap());
    let named = account().with_base(BaseUrl::parse("https://gateway.example/").unwrap());
    for (account, url) in [
        (account(), "https://api.mch.weixin.qq.com/v3/f?token=a"),
        (account(), "https://API2.MCH.weixin.qq.com/v3/f?token=a"),
        (account(), "https://api.wechatpay.cn/v3/f"),
        (own.clone(), "http://127.0.0.1:8080/elsewhere?token=a"),
        (own.clone(), "https://api.mch.weixin.qq.com/v3/f?token=a"),
        (named.clone(), "https://gateway.example:443/v3/f"),
        (named.clone(), "https://Gateway.example/v3/f"),
    ] {
        let download = requested_at(SHA1, url).download();
        let request = download.request(&account, &ambient()).unwrap();
        assert_eq!(
            request.uri().path_and_query().unwrap().as_str(),
            url.split_at(url[8..].find('/').unwrap() + 8).1
        );
        assert_eq!(request.uri(), url);
    }
    for (account, url) in [
        (account(), "https://stranger.example/v3/f?token=a"),
        (account(), "https://weixin.qq.com.stranger.example/v3/f"),
        (account(), "https://notweixin.qq.com/v3/f"),
        (account(), "http://localhost/v3/f"),
        (own.clone(), "http://127.0.0.1:8081/v3/f"),
        (own, "https://127.0.0.1:8080/v3/f"),
        (named.clone(), "https://gateway.example:8443/v3/f"),
        (named, "https://sub.gateway.example/v3/f"),
    ] {
        let download = requested_at(SHA1, url).download();
        let error = download.request(&account, &ambient()).unwrap_err();
        let ErrorKind::Build(error) = error.kind() else {
            panic!("{error:?}")
        };
        assert_eq!(error.field(), Some("download_url"), "{url}");
        // A message that is written by hand is not signed either.
        let message = Message::get_whole(Address::parse("download_url", url).unwrap());
        assert!(account.draft(message, &ambient()).is_err());
    }
}

#[test]
fn a_provider_says_whose_trades_it_wants() {
    let date = CalendarDate::parse("2020-11-09").unwrap();
    let provider = Account::partner(identity(), APP, api_v3_key()).unwrap();
    let one = provider
        .for_sub_merchant(SubMerchant::new("1900000109").unwrap())
        .unwrap();
    let target = |account: &Account, scope| {
        let mut request = RequestTradeBill::of(scope, date);
        request.bill_type = Some(BillType::Refund);
        request.gzip = true;
        let request = request.request(account, &ambient())?;
        Ok(request.uri().path_and_query().unwrap().to_string())
    };
    let refused = |account: &Account, scope| {
        let error: yuanfen_core::Error = target(account, scope).unwrap_err();
        match error.kind() {
            ErrorKind::Build(error) => error.to_string(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        target(&provider, BillScope::AllMerchants).unwrap(),
        "/v3/bill/tradebill?bill_date=2020-11-09&bill_type=REFUND&tar_type=GZIP"
    );
    // An account that acts for one merchant can still ask for the bill of all.
    assert_eq!(
        target(&one, BillScope::AllMerchants).unwrap(),
        target(&provider, BillScope::AllMerchants).unwrap()
    );
    assert_eq!(
        target(&one, BillScope::OneMerchant).unwrap(),
        "/v3/bill/tradebill?bill_date=2020-11-09&sub_mchid=1900000109&bill_type=REFUND&tar_type=GZIP"
    );
    assert!(refused(&provider, BillScope::OneMerchant).contains("for_sub_merchant"));
    for account in [&provider, &one] {
        assert!(refused(account, BillScope::Own).starts_with("sub_mchid: a provider has no trades of its own"));
    }
    for scope in [BillScope::AllMerchants, BillScope::OneMerchant] {
        assert!(refused(&account(), scope).starts_with("sub_mchid: "));
    }
    // A provider's own funds are its own.
    let flow = RequestFundFlowBill::new(date).request(&one, &ambient()).unwrap();
    assert_eq!(flow.uri().query(), Some("bill_date=2020-11-09"));
}

/// Not by their place: which columns there are depends on the kind of bill and on whose it is. The mark at the beginning,
/// the back-quotes and the summary are no data.
#[test]
fn reads_the_rows_of_a_trade_bill_by_the_names_of_their_columns() {
    let download = requested(SHA1).download();
    let bill = download.reply(&account(), &response(200, &[], &gzip()), now()).unwrap();
    let text = bill.text().unwrap();
    assert!(text.starts_with('\u{feff}'));
    let bill = BillText::parse(&text).unwrap();
    assert_eq!(bill.header().len(), 27);
    let rows: Vec<_> = bill.rows().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 45);
    assert_eq!(rows[0].get("交易时间"), Some("2019-02-19 05:01:46"));
    for (column, total) in [
        ("订单金额", "订单总金额"),
        ("退款金额", "退款总金额"),
        ("申请退款金额", "申请退款总金额"),
    ] {
        let amounts = rows.iter().map(|row| row.fen(column).unwrap());
        let total = bill.summary().fen(total).unwrap();
        assert_eq!(Fen::try_sum(amounts), Some(total), "{column}");
        assert!(total > Fen::ZERO);
    }
    assert_eq!(bill.summary().decimal("总交易单数").unwrap().to_string(), "45.0");
    assert!(rows.iter().all(|row| row.get("费率").unwrap().ends_with('%')));
    // No column of that name is an error that says so, not another column.
    assert_eq!(rows[0].get("订单金额 "), None);
    assert_eq!(rows[0].fen("订单总金额").unwrap_err().path, "订单总金额");
}

#[test]
fn reads_the_rows_of_a_fund_flow_bill_the_same_way() {
    let text = "\u{feff}记账时间,微信支付业务单号,收支类型,收支金额(元),备注\r\n`2020-11-09 12:00:00,`4200,`收入,`0.01,`a, b`c\r\n\
                `2020-11-09 13:00:00,`4201,`支出,`0.02,`\r\n资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额\r\n`2.0,`1.0,`0.01,`1.0,`0.02\r\n";
    let sha1 = {
        let mut digest = yuanfen_sign::Sha1Stream::new();
        digest.push(text.as_bytes());
        digest.finish_hex()
    };
    let download = requested(&sha1).download();
    let bill = download
        .reply(&account(), &response(200, &[], text.as_bytes()), now())
        .unwrap();
    let text = bill.text().unwrap();
    let bill = BillText::parse(&text).unwrap();
    let rows: Vec<_> = bill.rows().map(Result::unwrap).collect();
    assert_eq!(rows[0].get("备注"), Some("a, b`c"));
    assert_eq!((rows[1].get("收支类型"), rows[1].get("备注")), (Some("支出"), Some("")));
    assert_eq!(bill.summary().fen("支出金额").unwrap(), Fen::new(2));
    // A file can be what was promised and no text all the same: printf '\377' | sha1sum
    let other = requested("85e53271e14006f0265921d02d4d736cdc580b0b").download();
    let other = other.reply(&account(), &response(200, &[], b"\xff"), now()).unwrap();
    assert_eq!(reason(&other.text().unwrap_err()), "format");
}

fn check(sha1: &str, pieces: &[&[u8]]) -> Result<(), OpenError> {
    let mut check = BillCheck::new(sha1);
    for piece in pieces {
        check.push(piece)?;
    }
    check.finish()
}

#[test]
fn takes_the_digest_over_the_uncompressed_file_however_it_is_cut() {
    let gzip = gzip();
    for size in [1, 2, 5, 100, 4096] {
        let pieces: Vec<_> = gzip.chunks(size).collect();
        check(SHA1, &pieces).unwrap();
        check(&SHA1.to_ascii_uppercase(), &pieces).unwrap();
    }
    // Something on the way has unpacked it.
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*gzip), &mut plain).unwrap();
    check(SHA1, &[&plain]).unwrap();
    // Two gzip members are one file.
    let (front, back) = plain.split_at(5000);
    let both = [pack(front), pack(back)].concat();
    check(SHA1, &both.chunks(7).collect::<Vec<_>>()).unwrap();
    // Files of no and of one byte.
    check("da39a3ee5e6b4b0d3255bfef95601890afd80709", &[]).unwrap();
    check("86f7e437faa5a7fce15d1ddcb9eaeaea377667b8", &[b"", b"a", b""]).unwrap();
}

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

/// A stream that ends anywhere before its end is refused, and so is one with something behind it.
#[test]
fn refuses_files_that_were_cut_off_or_added_to() {
    let gzip = gzip();
    for length in (0..gzip.len()).step_by(97).chain(gzip.len() - 9..gzip.len()) {
        let error = check(SHA1, &[&gzip[..length]]).expect_err("cut off");
        assert!(["format", "digest"].contains(&&*reason(&error)), "{length}");
        if length >= 2 {
            assert_eq!(reason(&error), "format", "{length}");
        }
    }
    let longer = [&*gzip, b"trailing"].concat();
    assert_eq!(reason(&check(SHA1, &[&longer]).unwrap_err()), "format");
    let mut broken = BillCheck::new(SHA1);
    assert!(broken.push(&[&[0x1f, 0x8b][..], &[0xff; 20]].concat()).is_err());
    assert!(broken.push(&gzip).is_err(), "it stays failed");
    assert!(broken.finish().is_err());
}

#[test]
fn reports_both_digests_when_neither_is_right() {
    let OpenError::Protocol(error) = check(&"0".repeat(40), &[&gzip()]).unwrap_err() else {
        panic!("another error")
    };
    assert_eq!(error.kind, ProtocolErrorKind::Digest);
    let mismatch = error.source.as_ref().unwrap().downcast_ref::<BillMismatch>().unwrap();
    assert_eq!(mismatch.uncompressed, SHA1);
    assert_ne!(mismatch.received, SHA1);
    // The digest of the packed file is not what is promised.
    let packed = mismatch.received.clone();
    assert_eq!(reason(&check(&packed, &[&gzip()]).unwrap_err()), "digest");
}
