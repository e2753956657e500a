//! Bills that come encrypted: asked for, their keys opened, the files decrypted, unpacked and held against their digests.

use yuanfen_core::{
    CalendarDate, ErrorKind, Fen, OpenError, Operation, OperationExt as _, ProtocolErrorKind, RefusalKind,
    WireText as _,
};
use yuanfen_sign::{FileKey, RsaSigningKey};
use yuanfen_testkit::{Case, Stage, json};
use yuanfen_wechat_v3::ops::{
    AccountType, DownloadEncryptedBill, RequestEcommerceFundFlowBill, RequestSubMerchantFundFlowBill,
};
use yuanfen_wechat_v3::{
    Account, BILL_CEILING, BillMismatch, BillText, EncryptedBill, EncryptedBillFile, EncryptedBillPart,
    SigningIdentity, SubMerchant,
};

use crate::far_side::{
    PROVIDER, PROVIDER_APP, SERIAL, VECTORS, account, all_sources, ambient, api_v3_key, now, pem, reason, reply,
    response, wrong_field,
};

const GZIP: &str = "encrypted-bill-gzip";
const PLAIN: &str = "encrypted-bill-plain";

fn day() -> CalendarDate {
    CalendarDate::parse("2020-11-09").unwrap()
}

/// A provider whose key is in this process.
fn provider() -> Account {
    let key = RsaSigningKey::parse(pem("doc_merchant_private")).unwrap();
    let identity = SigningIdentity::of_key(PROVIDER, SERIAL, key).unwrap();
    Account::partner(identity, PROVIDER_APP, api_v3_key())
        .unwrap()
        .with_certificate(pem("go_cert_D7CE"))
        .unwrap()
}

fn decoded(case: Case<'_>, member: &str) -> String {
    let decoded = case
        .expected_decoded()
        .and_then(|decoded| decoded.get(member)?.as_str());
    decoded.unwrap_or("0000000000000000000000000000000000000000").to_owned()
}

/// A member of `download_bill_list` about the file of that case.
fn listed(sequence: u32, case: Case<'_>) -> String {
    format!(
        r#"{{"bill_sequence":{sequence},"hash_type":"SHA1","hash_value":"{}","download_url":"https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=sesame{sequence}","encrypt_key":"{}","nonce":"{}"}}"#,
        decoded(case, "sha1").to_ascii_uppercase(),
        case.text("encrypt_key"),
        case.text("nonce"),
    )
}

fn answer(count: i64, parts: &[String]) -> String {
    format!(
        r#"{{"download_bill_count":{count},"download_bill_list":[{}],"new":1}}"#,
        parts.join(",")
    )
}

fn asked(body: &str) -> Result<Option<EncryptedBill>, OpenError> {
    let ask = RequestEcommerceFundFlowBill::new(day());
    let opened = reply(200, body);
    ask.decode(&provider(), yuanfen_core::Opens::open(&provider(), &opened, now())?)
}

fn bill_of(cases: &[&str]) -> EncryptedBill {
    let parts: Vec<_> = (1..)
        .zip(cases)
        .map(|(sequence, name)| listed(sequence, VECTORS.case(name)))
        .collect();
    asked(&answer(i64::try_from(parts.len()).unwrap(), &parts))
        .unwrap()
        .unwrap()
}

fn part(name: &str) -> EncryptedBillPart {
    bill_of(&[name]).parts.remove(0)
}

fn key_of(name: &str) -> FileKey {
    part(name).open_key(&provider(), &ambient()).unwrap()
}

fn file_of(name: &str) -> EncryptedBillFile {
    part(name).file(key_of(name))
}

fn opened(mut file: EncryptedBillFile, bytes: &[u8]) -> Result<bytes::Bytes, OpenError> {
    for chunk in bytes.chunks(7) {
        file.push(chunk)?;
    }
    file.finish()
}

#[test]
fn opens_every_file_that_another_program_encrypted() {
    for case in VECTORS.of("encrypted_bill") {
        let run = case.run();
        let part = part(case.name());
        let key = part.open_key(&provider(), &ambient());
        if case.refused().is_some() {
            run.refused(key, |_| "decrypt".to_owned());
            continue;
        }
        let text = run.at(Stage::Decoded, opened(part.file(key.unwrap()), &case.bytes("file")));
        let text = String::from_utf8(text.to_vec()).unwrap();
        run.decoded(&json!({"sha1": part.sha1, "text": text})).done();
    }
}

#[test]
fn asks_as_a_provider_for_one_merchant_or_for_all() {
    let one = provider()
        .for_sub_merchant(SubMerchant::new("1900000109").unwrap())
        .unwrap();
    let mut ask = RequestSubMerchantFundFlowBill::new(day());
    let target = |account: &Account, ask: &RequestSubMerchantFundFlowBill| {
        let request = ask.request(account, &ambient())?;
        Ok::<_, yuanfen_core::Error>(request.uri().path_and_query().unwrap().to_string())
    };
    assert_eq!(
        target(&one, &ask).unwrap(),
        "/v3/bill/sub-merchant-fundflowbill?sub_mchid=1900000109&bill_date=2020-11-09&account_type=BASIC&algorithm=AEAD_AES_256_GCM"
    );
    ask.account_type = AccountType::Fees;
    ask.gzip = true;
    assert!(
        target(&one, &ask)
            .unwrap()
            .ends_with("&account_type=FEES&algorithm=AEAD_AES_256_GCM&tar_type=GZIP")
    );
    // A provider has to say which merchant, and a merchant has none.
    for account in [provider(), account()] {
        let error = target(&account, &ask).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Build(_)), "{error:?}");
    }
    let all = RequestEcommerceFundFlowBill::new(day());
    let request = all.request(&one, &ambient()).unwrap();
    assert_eq!(
        request.uri().path_and_query().unwrap().as_str(),
        "/v3/ecommerce/bill/fundflowbill?bill_date=2020-11-09&account_type=ALL&algorithm=AEAD_AES_256_GCM"
    );
    let error = all.request(&account(), &ambient()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(error) if error.field() == Some("sub_mchid")));
    let today = RequestEcommerceFundFlowBill::new(now().beijing_date());
    let error = today.request(&one, &ambient()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(error) if error.field() == Some("bill_date")));
}

#[test]
fn says_from_when_on_it_is_there_and_when_there_is_none() {
    let ask = RequestSubMerchantFundFlowBill::new(day());
    let not_yet = reply(400, r#"{"code":"STATEMENT_CREATING","message":"x"}"#);
    let error = ask.reply(&provider(), &not_yet, now()).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(refusal.meaning.kind, RefusalKind::NotYet);
    let ready_at = yuanfen_core::Rfc3339(refusal.ready_at.unwrap()).to_text();
    assert_eq!(ready_at, "2020-11-10T10:00:00+08:00");
    assert_eq!(Some(ask.ready_at()), refusal.ready_at);
    let nothing = reply(400, r#"{"code":"NO_STATEMENT_EXIST","message":"x"}"#);
    assert_eq!(ask.reply(&provider(), &nothing, now()).unwrap(), None);
    assert_eq!(asked(r#"{"download_bill_count":0}"#).unwrap(), None);
}

/// Joined in the order of their numbers, whatever the order of the answer.
#[test]
fn a_bill_in_parts_is_joined_in_their_order() {
    let parts = [listed(2, VECTORS.case(PLAIN)), listed(1, VECTORS.case(GZIP))];
    let bill = asked(&answer(2, &parts)).unwrap().unwrap();
    assert_eq!(bill.extra.get("new"), Some("1"));
    let mut joined = Vec::new();
    for (part, name) in bill.parts.iter().zip([GZIP, PLAIN]) {
        let download = part.download(part.open_key(&provider(), &ambient()).unwrap());
        let file = response(200, &[], &VECTORS.case(name).bytes("file"));
        joined.extend_from_slice(download.reply(&provider(), &file, now()).unwrap().bytes());
    }
    let text = String::from_utf8(joined).unwrap();
    let read = BillText::parse(&text).unwrap();
    let amounts = read.rows().map(|row| row.unwrap().fen("收支金额(元)").unwrap());
    assert_eq!(Fen::try_sum(amounts), Some(read.summary().fen("收入金额").unwrap()));
    assert!(text.starts_with("\u{feff}记账时间,收支金额(元)\r\n`2020-11-09 12:00:00"));
    assert!(text.ends_with("总笔数,收入金额\r\n`2.0,`0.03\r\n"));
}

#[test]
fn a_part_that_is_missing_or_twice_there_is_refused() {
    let part = |sequence| listed(sequence, VECTORS.case(PLAIN));
    for (count, sequences) in [
        (1, vec![]),
        (0, vec![1]),
        (2, vec![1]),
        (1, vec![1, 2]),
        (2, vec![1, 1]),
        (2, vec![1, 3]),
        (2, vec![0, 1]),
        (1, vec![2]),
    ] {
        let parts: Vec<_> = sequences.iter().map(|sequence| part(*sequence)).collect();
        let error = asked(&answer(count, &parts)).unwrap_err();
        assert_eq!(wrong_field(&error), "download_bill_list", "{count} {sequences:?}");
    }
    for (from, to, field) in [
        ("\"SHA1\"", "\"MD5\"", "download_bill_list[0].hash_type"),
        (
            "\"hash_value\":\"",
            "\"hash_value\":\"0",
            "download_bill_list[0].hash_value",
        ),
        ("https:", "ftp:", "download_bill_list[0].download_url"),
        ("\"nonce\":\"", "\"nonce\":\"0", "download_bill_list[0].nonce"),
        ("\"encrypt_key\"", "\"other\"", "download_bill_list[0].encrypt_key"),
        (
            "\"bill_sequence\":1",
            "\"bill_sequence\":-1",
            "download_bill_list[0].bill_sequence",
        ),
        (
            "\"download_bill_count\":1",
            "\"download_bill_count\":-1",
            "download_bill_count",
        ),
    ] {
        let body = answer(1, &[part(1)]);
        assert!(body.contains(from), "{from}");
        let error = asked(&body.replacen(from, to, 1)).unwrap_err();
        assert_eq!(wrong_field(&error), field);
    }
}

/// One bit anywhere, one byte fewer or more: nothing of the file is handed out.
#[test]
fn a_file_that_was_altered_or_cut_off_does_not_open() {
    for name in [GZIP, PLAIN] {
        let file = VECTORS.case(name).bytes("file");
        let fresh = file_of(name);
        opened(fresh.clone(), &file).unwrap();
        for position in 0..file.len() {
            let mut altered = file.clone();
            altered[position] ^= 1;
            assert_eq!(reason(&opened(fresh.clone(), &altered).unwrap_err()), "decrypt");
        }
        for length in 0..file.len() {
            assert_eq!(reason(&opened(fresh.clone(), &file[..length]).unwrap_err()), "decrypt");
        }
        let longer = [&*file, b"\0"].concat();
        assert_eq!(reason(&opened(fresh.clone(), &longer).unwrap_err()), "decrypt");
    }
    // The key of the other file.
    let other = part(GZIP).file(key_of(PLAIN));
    assert_eq!(
        reason(&opened(other, &VECTORS.case(GZIP).bytes("file")).unwrap_err()),
        "decrypt"
    );
}

/// A genuine file of another bill: it opens, and is not the one that was promised.
#[test]
fn a_file_of_another_bill_is_refused_with_both_digests() {
    let bytes = VECTORS.case(GZIP).bytes("file");
    let file = EncryptedBillFile::new(key_of(GZIP), &part(GZIP).nonce, &part(PLAIN).sha1);
    let error = opened(file, &bytes).unwrap_err();
    assert_eq!(reason(&error), "digest");
    let OpenError::Protocol(error) = error else {
        panic!("another error")
    };
    let mismatch = error.source.as_ref().unwrap().downcast_ref::<BillMismatch>().unwrap();
    assert_eq!(
        (&mismatch.promised, &mismatch.uncompressed),
        (&part(PLAIN).sha1, &part(GZIP).sha1)
    );
    assert_ne!(
        mismatch.received, mismatch.uncompressed,
        "that is the digest of the gzip file"
    );
}

#[test]
fn holds_no_more_than_its_ceiling_packed_or_unpacked() {
    assert_eq!(BILL_CEILING, 268_435_456);
    let file = VECTORS.case(PLAIN).bytes("file");
    opened(file_of(PLAIN).with_ceiling(file.len()), &file).unwrap();
    let mut tight = file_of(PLAIN).with_ceiling(file.len() - 1);
    assert_eq!(reason(&tight.push(&file).unwrap_err()), "format");
    assert!(tight.push(b"x").is_err(), "it stays failed");
    // A megabyte of nothing packs to a kilobyte.
    let (key, nonce) = (key_of(GZIP), "0123456789ab");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packed, &[0; 1 << 20]).unwrap();
    let sealed = key.seal(nonce, "", packed.finish().unwrap()).unwrap();
    let sha1 = "3b71f43ff30f4b15b5cd85dd9e95ebc7e84eb5a3"; // head -c 1048576 /dev/zero | sha1sum
    let of = |ceiling| EncryptedBillFile::new(key.clone(), nonce, sha1).with_ceiling(ceiling);
    assert_eq!(opened(of(1 << 20), &sealed).unwrap().len(), 1 << 20);
    assert_eq!(reason(&opened(of((1 << 20) - 1), &sealed).unwrap_err()), "format");
    // What opens and then does not unpack.
    let sealed = key.seal(nonce, "", vec![0x1f, 0x8b, 0xff]).unwrap();
    assert_eq!(reason(&opened(of(1 << 20), &sealed).unwrap_err()), "format");
}

#[test]
fn the_address_is_used_for_five_minutes_and_signed_like_any() {
    let bill = bill_of(&[PLAIN]);
    let download = bill.parts[0].download(key_of(PLAIN));
    let ambient = ambient();
    ambient.advance(299);
    let request = download.request(&provider(), &ambient).unwrap();
    assert_eq!(
        request.uri().to_string(),
        "https://api.mch.weixin.qq.com/v3/bill/downloadurl?token=sesame1"
    );
    assert!(request.headers().contains_key("authorization"));
    assert!(!bill.is_stale(yuanfen_core::Ambient::now(&ambient)));
    ambient.advance(1);
    assert!(bill.is_stale(yuanfen_core::Ambient::now(&ambient)));
    let error = download.request(&provider(), &ambient).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(error) if error.field() == Some("download_url")));
    // The refusal that comes in place of a file.
    let gone = response(400, &[], br#"{"code":"INVALID_REQUEST","message":"token expired"}"#);
    let error = download.reply(&provider(), &gone, now()).unwrap_err();
    assert_eq!(error.refusal().unwrap().code, "INVALID_REQUEST");
    let altered = response(200, &[], b"0123456789abcdef");
    let error = download.reply(&provider(), &altered, now()).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Protocol(error) if error.kind == ProtocolErrorKind::Decrypt));
}

#[test]
fn keys_and_tokens_are_not_shown() {
    let bill = bill_of(&[PLAIN]);
    let key = key_of(PLAIN);
    let download: DownloadEncryptedBill = bill.parts[0].download(key.clone());
    let sealed = bill.parts[0].sealed_key().as_str();
    for shown in [
        format!("{bill:?}"),
        format!("{download:#?}"),
        format!("{:?}", bill.parts[0].file(key.clone())),
        format!("{key:?}"),
    ] {
        assert!(!shown.contains("sesame") && !shown.contains(sealed), "{shown}");
        // The first two bytes of the key, as a list of numbers would show them.
        assert!(!shown.contains("200, 201"), "{shown}");
    }
    let error = opened(part(GZIP).file(key), b"0123456789abcdef").unwrap_err();
    assert!(!all_sources(&error).contains("0123"), "{}", all_sources(&error));
}
