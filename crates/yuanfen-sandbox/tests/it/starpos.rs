//! Signatures are the sheet's worked example V1, or the oracle's over fields written here.

use std::collections::BTreeMap;
use std::time::Duration;

use encoding_rs::GBK;
use serde_json::Value;
use yuanfen_core::FixedAmbient;
use yuanfen_sandbox::{FaultKind, NoticeOutcome, PageRefused, Payer, Platform, Sandbox, SignatureVerdict, StarposPush};
use yuanfen_sign::legacy::{LegacyRsaSigningKey, RsaDigest};
use yuanfen_testkit::oracle;

use crate::shop::Listener;
use crate::wire::{Reply, escape, field, form, get, post, sandbox};

const KEY: &str = "00112233445566778899AABBCCDDEEFF";
const JSON: &str = "application/json";
pub const LOOK_UP: &str = "/starpos/adpweb/ehpspos3/pubSigQry.json";

/// Sheet, section 4.5, V1.
pub const V1: &str = r#"{"orgNo":"00001","mercId":"000000000000001","trmNo":"00000001","txnTime":"20240102030405","signType":"MD5","version":"V1.0.0","signValue":"dc9745a8b653c52ebd121fa17003f4c4"}"#;

pub type Map = BTreeMap<String, String>;

fn fields(base: &[(&str, &str)], more: &[(&str, &str)]) -> Map {
    let mut map: Map = [
        ("orgNo", "00001"),
        ("mercId", "000000000000001"),
        ("trmNo", "00000001"),
        ("txnTime", "20251009165320"),
        ("version", "V1.0.0"),
    ]
    .iter()
    .chain(base)
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    for (name, value) in more {
        if *value == "-" {
            map.remove(*name);
        } else {
            map.insert((*name).to_owned(), (*value).to_owned());
        }
    }
    map
}

fn look_up(more: &[(&str, &str)]) -> Map {
    fields(&[("signType", "MD5")], more)
}

pub fn pay(more: &[(&str, &str)]) -> Map {
    let base = [
        ("signType", "MD5"),
        ("openid", "oBuyer"),
        ("amount", "100"),
        ("total_amount", "120"),
        ("tradeNo", "T20251009-0001"),
        ("selOrderNo", "SO-1"),
        ("subject", "面条 & tea"),
    ];
    fields(&base, more)
}

pub fn query(trade_no: &str, number: &str, more: &[(&str, &str)]) -> Map {
    let base = [
        ("signType", "MD5"),
        ("opSys", "3"),
        ("characterSet", "00"),
        ("tradeNo", trade_no),
        ("qryNo", number),
    ];
    fields(&base, more)
}

pub fn signed(mut map: Map) -> Map {
    map.insert("signValue".to_owned(), oracle::starpos_sign(&map, KEY));
    map
}

/// With every character beyond ASCII escaped.
fn ascii(map: &Map) -> Vec<u8> {
    let text = serde_json::to_string(map).unwrap();
    let mut units = [0_u16; 2];
    text.chars().fold(Vec::new(), |mut out, character| {
        if character.is_ascii() {
            out.push(u8::try_from(character).unwrap());
        } else {
            for unit in character.encode_utf16(&mut units) {
                out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
            }
        }
        out
    })
}

pub async fn call(sandbox: &Sandbox, endpoint: &str, map: &Map) -> Reply {
    let target = format!("/starpos/adpweb/ehpspos3/{endpoint}.json");
    post(sandbox.address(), &target, JSON, &ascii(map)).await
}

/// The fields of a reply, `message` decoded.
pub fn opened(reply: &Reply) -> Map {
    assert_eq!(reply.status, 200);
    assert!(reply.body.is_ascii());
    read(reply.text())
}

pub fn read(text: &str) -> Map {
    let mut map: Map = serde_json::from_str(text).unwrap();
    let message = &map["message"];
    assert!(message.is_ascii(), "the message is not encoded");
    let message = form(&format!("message={message}"))[0].1.clone();
    map.insert("message".to_owned(), message);
    map
}

/// The same of a reply whose signature holds.
pub fn proven(reply: &Reply) -> Map {
    let map = opened(reply);
    assert_eq!(map["signValue"], oracle::starpos_sign(&map, KEY));
    map
}

#[tokio::test]
async fn answers_the_sheets_own_lookup() {
    let sandbox = sandbox().await;
    let reply = post(sandbox.address(), LOOK_UP, JSON, V1.as_bytes()).await;
    assert!(
        reply
            .text()
            .contains(r#""message":"%E4%BA%A4%E6%98%93%E6%88%90%E5%8A%9F""#),
        "{}",
        reply.text()
    );
    let account = proven(&reply);
    assert_eq!(account["returnCode"], "000000");
    assert_eq!(account["message"], "交易成功");
    assert_eq!(account["sysTime"], "20251009165320");
    let credentials = sandbox.starpos();
    assert_eq!(account["appId"], credentials.app_id);
    assert_eq!(&account["appIdKey"], credentials.app_secret.expose());
    assert_eq!(account.len(), 7);
    let exchange = sandbox.exchanges().pop().unwrap();
    assert_eq!(exchange.signature, SignatureVerdict::Holds);
    assert_eq!(
        exchange.canonical_text.as_deref(),
        Some("00000000000000100001MD50000000120240102030405V1.0.0<key>")
    );
    // Either case of hex.
    let upper = V1.replace("dc9745a8b653c52ebd121fa17003f4c4", "DC9745A8B653C52EBD121FA17003F4C4");
    proven(&post(sandbox.address(), LOOK_UP, JSON, upper.as_bytes()).await);
}

#[tokio::test]
async fn refuses_callers_who_prove_nothing_without_a_signature() {
    let sandbox = sandbox().await;
    let unsigned = |map: Map| map;
    let by_other_key = |mut map: Map| {
        map.insert("signValue".to_owned(), oracle::starpos_sign(&map, "another"));
        map
    };
    let changed = |map: Map| {
        let mut map = signed(map);
        map.insert("txnTime".to_owned(), "20251009165321".to_owned());
        map
    };
    let cases = [
        ("pubSigQry", unsigned(look_up(&[])), "900001", SignatureVerdict::Missing),
        (
            "pubSigQry",
            by_other_key(look_up(&[])),
            "900001",
            SignatureVerdict::Mismatch,
        ),
        ("pubSigQry", changed(look_up(&[])), "900001", SignatureVerdict::Mismatch),
        (
            "pubSigQry",
            signed(look_up(&[("mercId", "000000000000002")])),
            "900003",
            SignatureVerdict::UnknownKey,
        ),
        (
            "pubSigQry",
            signed(look_up(&[("orgNo", "00002")])),
            "900003",
            SignatureVerdict::UnknownKey,
        ),
        (
            "pubSigQry",
            signed(look_up(&[("trmNo", "00000002")])),
            "900003",
            SignatureVerdict::UnknownKey,
        ),
        (
            "sdkQryBarcodePay",
            unsigned(query("Q1", "T1", &[])),
            "900001",
            SignatureVerdict::Missing,
        ),
        (
            "pubSigPay",
            by_other_key(pay(&[])),
            "900001",
            SignatureVerdict::Mismatch,
        ),
        // A signature type without a signature is not the unsigned mode.
        ("pubSigPay", unsigned(pay(&[])), "900001", SignatureVerdict::Missing),
    ];
    for (endpoint, map, code, verdict) in cases {
        let reply = opened(&call(&sandbox, endpoint, &map).await);
        assert_eq!(reply["returnCode"], code, "{endpoint} {map:?}");
        assert_eq!(reply.get("signValue"), None);
        assert_eq!(reply.get("tradeNo"), map.get("tradeNo"));
        assert_eq!(sandbox.exchanges().last().unwrap().signature, verdict);
    }
    for body in ["", "[]", "{\"orgNo\":1}", "{\"a\":\"1\",\"a\":\"1\"}", "<xml/>"] {
        let target = "/starpos/adpweb/ehpspos3/pubSigQry.json";
        let reply = opened(&post(sandbox.address(), target, JSON, body.as_bytes()).await);
        assert_eq!(reply["returnCode"], "900002", "{body}");
    }
    assert!(sandbox.orders(Platform::Starpos).is_empty());
}

#[tokio::test]
async fn takes_a_payment_signed_value_only_and_unsigned() {
    let sandbox = sandbox().await;
    let modes = [
        ("T1", signed(pay(&[("tradeNo", "T1")])), SignatureVerdict::Holds),
        (
            "T2",
            signed(pay(&[("tradeNo", "T2"), ("signType", "-")])),
            SignatureVerdict::Holds,
        ),
        (
            "T3",
            pay(&[("tradeNo", "T3"), ("signType", "-")]),
            SignatureVerdict::NotChecked,
        ),
        // The vendor asks for the names of empty fields too, which changes nothing (section 3).
        (
            "T0",
            pay(&[("tradeNo", "T0"), ("signType", ""), ("signValue", ""), ("attach", "")]),
            SignatureVerdict::NotChecked,
        ),
    ];
    for (order_no, map, verdict) in modes {
        let reply = opened(&call(&sandbox, "pubSigPay", &map).await);
        assert_eq!(reply["returnCode"], "000000", "{reply:?}");
        assert_eq!(sandbox.exchanges().last().unwrap().signature, verdict);
        assert_eq!(reply.get("signValue"), None);
        assert_eq!(reply["result"], "A");
        assert_eq!(reply["amount"], "100");
        assert_eq!(reply["total_amount"], "120");
        assert_eq!(reply["selOrderNo"], "SO-1");
        assert_eq!(reply["subject"], "面条 & tea");
        assert_eq!(reply["logNo"].len(), 18);
        assert_eq!(reply["orderNo"], reply["logNo"]);
        assert_eq!(reply["apiPackage"], format!("prepay_id={}", reply["PrepayId"]));

        let mut page = vec![
            ("appId", reply["apiAppid"].as_str()),
            ("timeStamp", &reply["apiTimestamp"]),
            ("nonceStr", &reply["apiNoncestr"]),
            ("package", &reply["apiPackage"]),
            ("signType", &reply["apiSigntype"]),
            ("paySign", &reply["apiPaysign"]),
        ];
        assert_eq!(sandbox.open_cashier(Platform::Starpos, &page).as_deref(), Ok(order_no));
        page[2].1 = "another";
        assert_eq!(
            sandbox.open_cashier(Platform::Starpos, &page),
            Err(PageRefused::Signature)
        );
        page.truncate(5);
        assert_eq!(
            sandbox.open_cashier(Platform::Starpos, &page),
            Err(PageRefused::Parameter("paySign"))
        );
    }
    sandbox.sign_starpos_payments(true);
    proven(&call(&sandbox, "pubSigPay", &signed(pay(&[("tradeNo", "T4")]))).await);
}

#[tokio::test]
async fn speaks_the_charset_of_the_call() {
    let sandbox = sandbox().await;
    let target = "/starpos/adpweb/ehpspos3/pubSigPay.json";
    let bodies = |trade_no: &str, charset: &str| {
        let map = signed(pay(&[("tradeNo", trade_no), ("characterSet", charset)]));
        let text = serde_json::to_string(&map).unwrap();
        let gbk = GBK.encode(&text).0.into_owned();
        (text.into_bytes(), gbk)
    };
    let subject = |reply: &str| read(reply).get("subject").cloned();

    let (_, gbk) = bodies("T1", "00");
    let reply = post(sandbox.address(), target, "application/json;charset=GBK", &gbk).await;
    assert_eq!(subject(&GBK.decode(&reply.body).0).as_deref(), Some("面条 & tea"));
    assert!(std::str::from_utf8(&reply.body).is_err(), "the reply is not GBK");

    let (utf8, _) = bodies("T2", "01");
    let reply = post(sandbox.address(), target, JSON, &utf8).await;
    assert_eq!(subject(reply.text()).as_deref(), Some("面条 & tea"));
    assert!(!reply.body.is_ascii());

    let (utf8, _) = bodies("T3", "-");
    let reply = post(sandbox.address(), target, "application/json; charset=UTF-8", &utf8).await;
    assert_eq!(subject(reply.text()).as_deref(), Some("面条 & tea"));

    // UTF-8 that is announced as GBK, and the reverse, are read as what they are not.
    let (utf8, _) = bodies("T4", "00");
    let reply = opened(&post(sandbox.address(), target, JSON, &utf8).await);
    assert_eq!(reply["returnCode"], "900001");
    let (_, gbk) = bodies("T5", "01");
    let reply = opened(&post(sandbox.address(), target, JSON, &gbk).await);
    assert_eq!(reply["returnCode"], "900002");
}

#[tokio::test]
async fn enforces_every_row_of_the_tables() {
    let sandbox = sandbox().await;
    let long = |length: usize| "a".repeat(length);
    let (t64, t65, s256, s257, s50, s51, s250, s251) = (
        long(64),
        long(65),
        long(256),
        long(257),
        long(50),
        long(51),
        long(250),
        long(251),
    );
    let cases: Vec<(&str, &str, bool)> = vec![
        ("txnTime", "-", false),
        ("txnTime", "20251301000000", false),
        ("txnTime", "2025100916532", false),
        ("version", "-", false),
        ("version", "V1.0.2", false),
        ("signType", "SHA", false),
        ("openid", "-", false),
        ("openid", &s50, true),
        ("openid", &s51, false),
        ("code", "071abc", false),
        ("amount", "-", false),
        ("amount", "0", false),
        ("amount", "-1", false),
        ("amount", "1.00", false),
        ("amount", "1e2", false),
        ("amount", "1234567890123", true),
        ("amount", "12345678901234", false),
        ("total_amount", "-", false),
        ("total_amount", "0", false),
        ("subject", &s256, true),
        ("subject", &s257, false),
        ("selOrderNo", &s50, true),
        ("selOrderNo", &s51, false),
        ("goods_tag", &s250, true),
        ("goods_tag", &s251, false),
        ("attach", "needs V1.0.1", false),
        ("tradeNo", &t64, true),
        ("tradeNo", &t65, false),
        ("tradeNo", "T 1", false),
        ("notInTheTable", "x", true),
    ];
    for (index, (name, value, is_taken)) in cases.into_iter().enumerate() {
        let trade_no = format!("T{index}");
        let map = signed(pay(&[("tradeNo", &trade_no), (name, value)]));
        let reply = opened(&call(&sandbox, "pubSigPay", &map).await);
        let code = if is_taken { "000000" } else { "900002" };
        assert_eq!(reply["returnCode"], code, "{name}={value}: {reply:?}");
    }
    for (name, value) in [
        ("opSys", "-"),
        ("opSys", "4"),
        ("characterSet", "-"),
        ("characterSet", "0"),
        ("tradeNo", "-"),
        ("qryNo", "-"),
        ("signType", "-"),
        ("oprId", "operator"),
        ("trmTyp", "PAC"),
        ("addField", "needs V1.0.1"),
        ("latitude", "1234567890.123456"),
    ] {
        let map = signed(query("Q1", "T6", &[(name, value)]));
        let reply = proven(&call(&sandbox, "sdkQryBarcodePay", &map).await);
        assert_eq!(reply["returnCode"], "900002", "{name}={value}");
        assert_eq!(reply["message"], format!("参数错误：{name}"));
    }
    let later = signed(look_up(&[("version", "V1.0.1"), ("attach", "表 7")]));
    assert_eq!(proven(&call(&sandbox, "pubSigQry", &later).await)["attach"], "表 7");
    let earlier = signed(look_up(&[("attach", "表 7")]));
    assert_eq!(
        proven(&call(&sandbox, "pubSigQry", &earlier).await)["returnCode"],
        "900002"
    );
}

#[tokio::test]
async fn wants_a_new_number_for_every_call() {
    let sandbox = sandbox().await;
    let map = signed(pay(&[]));
    assert_eq!(opened(&call(&sandbox, "pubSigPay", &map).await)["returnCode"], "000000");
    assert_eq!(opened(&call(&sandbox, "pubSigPay", &map).await)["returnCode"], "900005");
    let own_number = signed(query("T20251009-0001", "T20251009-0001", &[]));
    assert_eq!(
        proven(&call(&sandbox, "sdkQryBarcodePay", &own_number).await)["returnCode"],
        "900005"
    );
    // The shop's own number is no key: a second order with it is a second order.
    let second = signed(pay(&[("tradeNo", "-")]));
    let third = signed(pay(&[("tradeNo", "-")]));
    let second = opened(&call(&sandbox, "pubSigPay", &second).await);
    let third = opened(&call(&sandbox, "pubSigPay", &third).await);
    assert_ne!(second["logNo"], third["logNo"]);
    assert_eq!(sandbox.orders(Platform::Starpos).len(), 3);
    sandbox.pay(Platform::Starpos, "SO-1").unwrap();
    sandbox.pay(Platform::Starpos, &third["logNo"]).unwrap();
    // Nor does it use a call's number up.
    let fourth = signed(pay(&[("tradeNo", "SO-1"), ("selOrderNo", "-")]));
    let fourth = opened(&call(&sandbox, "pubSigPay", &fourth).await);
    assert_eq!(fourth["returnCode"], "000000");
    let by_trade_no = signed(query("Q1", "SO-1", &[]));
    let found = proven(&call(&sandbox, "sdkQryBarcodePay", &by_trade_no).await);
    assert_eq!((&found["logNo"], &*found["result"]), (&fourth["logNo"], "A"));
}

#[tokio::test]
async fn queries_by_each_of_three_numbers_through_all_results() {
    let sandbox = sandbox().await;
    let placed = opened(&call(&sandbox, "pubSigPay", &signed(pay(&[]))).await);
    let mut calls = 0;
    let mut ask = async |number: &str, more: &[(&str, &str)]| {
        calls += 1;
        let map = signed(query(&format!("Q{calls}"), number, more));
        proven(&call(&sandbox, "sdkQryBarcodePay", &map).await)
    };
    let order_no = "T20251009-0001";
    assert_eq!(ask(order_no, &[]).await["result"], "A");
    sandbox.set_starpos_unsure(true);
    assert_eq!(ask(order_no, &[]).await["result"], "Z");
    sandbox.set_starpos_unsure(false);
    sandbox.cancel(Platform::Starpos, order_no).unwrap();
    let waiting = ask(&placed["logNo"], &[]).await;
    assert_eq!(waiting["result"], "A");
    assert_eq!(waiting["orderNo"], placed["logNo"]);
    assert_eq!(waiting.get("refAmt"), None);

    sandbox.pay(Platform::Starpos, order_no).unwrap();
    let paid = ask(&placed["logNo"], &[("version", "V1.0.1"), ("addField", "x y")]).await;
    assert_eq!(paid["result"], "S");
    assert_eq!(paid["payChannel"], "WXPAY");
    assert_ne!(paid["orderNo"], placed["logNo"]);
    assert_eq!(paid["refAmt"], "0");
    assert_eq!(paid["addField"], "x y");
    assert_eq!(paid["tradeNo"], "Q4");
    let by_order_no = ask(&paid["orderNo"], &[]).await;
    assert_eq!(by_order_no["logNo"], placed["logNo"]);
    assert_eq!(ask("NOBODYS", &[]).await["returnCode"], "900004");

    for order_no in ["FAILED", "REVOKED", "EXPIRED"] {
        call(&sandbox, "pubSigPay", &signed(pay(&[("tradeNo", order_no)]))).await;
    }
    sandbox.fail(Platform::Starpos, "FAILED").unwrap();
    assert_eq!(ask("FAILED", &[]).await["result"], "F");
    assert!(sandbox.pay(Platform::Starpos, "FAILED").is_err());
    let revocation = signed(query("R1", "REVOKED", &[]));
    assert_eq!(
        proven(&call(&sandbox, "RevokeBarcodepay", &revocation).await)["result"],
        "S"
    );
    assert_eq!(ask("REVOKED", &[]).await["result"], "D");
    let too_late = signed(query("R2", order_no, &[]));
    assert_eq!(
        proven(&call(&sandbox, "RevokeBarcodepay", &too_late).await)["result"],
        "F"
    );
    sandbox.advance(Duration::from_secs(7200)).await.unwrap();
    assert_eq!(ask("EXPIRED", &[]).await["result"], "F");
    assert!(sandbox.pay(Platform::Starpos, "EXPIRED").is_err());
    // Both results are final, whoever revokes afterwards.
    for (trade_no, order_no, result) in [("R3", "EXPIRED", "F"), ("R4", "FAILED", "F"), ("R5", "REVOKED", "D")] {
        call(&sandbox, "RevokeBarcodepay", &signed(query(trade_no, order_no, &[]))).await;
        assert_eq!(ask(order_no, &[]).await["result"], result, "{order_no}");
    }
}

#[tokio::test]
async fn leads_a_visitor_to_a_code_that_works_once_for_five_minutes() {
    let sandbox = sandbox().await;
    let account = sandbox.starpos();
    let link = |query: &str| format!("/connect/oauth2/authorize?{query}");
    let back = escape("https://shop.example/wx?table=7");
    let good = format!(
        "appid={}&redirect_uri={back}&response_type=code&scope=snsapi_base&state=abc123",
        account.app_id
    );
    let new_code = async || {
        let reply = get(sandbox.address(), &link(&good)).await;
        assert_eq!(reply.status, 302);
        let location = reply.header("location").unwrap();
        let query = location.strip_prefix("https://shop.example/wx?table=7&").unwrap();
        let query = form(query);
        assert_eq!(field(&query, "state"), "abc123");
        field(&query, "code").to_owned()
    };
    for bad in [
        good.replace("appid=wx7", "appid=wx8"),
        good.replace("scope=snsapi_base&state=abc123", "state=abc123&scope=snsapi_base"),
        good.replace("&state=abc123", ""),
        good.replace("abc123", "a-b"),
        good.replace("abc123", &"a".repeat(129)),
        good.replace("response_type=code", "response_type=token"),
        good.replace("snsapi_base", "snsapi_login"),
        good.replace(&back, "%2Fwx"),
    ] {
        assert_eq!(get(sandbox.address(), &link(&bad)).await.status, 400, "{bad}");
    }

    // Spent on a payment.
    let code = new_code().await;
    let by_code = |trade_no: &str| signed(pay(&[("tradeNo", trade_no), ("openid", "-"), ("code", &code)]));
    assert_eq!(
        opened(&call(&sandbox, "pubSigPay", &by_code("C1")).await)["returnCode"],
        "000000"
    );
    assert_eq!(
        sandbox.order(Platform::Starpos, "C1").unwrap().payer,
        Some(account.openid.clone())
    );
    assert_eq!(
        opened(&call(&sandbox, "pubSigPay", &by_code("C2")).await)["returnCode"],
        "900006"
    );

    // Spent on an exchange.
    let exchange = async |code: &str, secret: &str| {
        let target = format!(
            "/sns/oauth2/access_token?appid={}&secret={secret}&code={code}&grant_type=authorization_code",
            account.app_id
        );
        get(sandbox.address(), &target).await.json()
    };
    let secret = account.app_secret.expose();
    assert_eq!(exchange(&code, secret).await["errcode"], 40163);
    let code = new_code().await;
    assert_eq!(exchange(&code, "wrong").await["errcode"], 40125);
    let granted = exchange(&code, secret).await;
    assert_eq!(granted["openid"], account.openid.as_str());
    assert_eq!(granted["expires_in"], 7200);
    assert_eq!(granted["scope"], "snsapi_base");
    assert_eq!(exchange(&code, secret).await["errcode"], 40163);
    assert_eq!(exchange("nobodys", secret).await["errcode"], 40029);

    let (fresh, stale) = (new_code().await, new_code().await);
    sandbox.advance(Duration::from_secs(299)).await.unwrap();
    assert_eq!(exchange(&fresh, secret).await["openid"], account.openid.as_str());
    sandbox.advance(Duration::from_secs(1)).await.unwrap();
    assert_eq!(exchange(&stale, secret).await["errcode"], 40029);
}

#[tokio::test]
async fn pushes_plainly_until_it_is_acknowledged() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[
        (200, "SUCCESS"),
        (200, r#"{"RspCode":"111111","RspDes":"fail"}"#),
        (500, r#"{"RspCode":"000000","RspDes":"success"}"#),
        (
            200,
            r#"{"RspCode":"000000","RspDes":"success                             "}"#,
        ),
    ])
    .await;
    let map = signed(pay(&[("amount", "4390"), ("version", "V1.0.1"), ("attach", "桌 7")]));
    call(&sandbox, "pubSigPay", &map).await;
    sandbox.set_starpos_push_url(&listener.url);
    let order = sandbox
        .pay_as(Platform::Starpos, "T20251009-0001", Payer::default())
        .unwrap();
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();
    let attempts = sandbox.notices();
    let offsets: Vec<i64> = attempts
        .iter()
        .map(|attempt| attempt.at.since(attempts[0].at))
        .collect();
    assert_eq!(offsets, [0, 15, 45, 105]);
    assert!(matches!(attempts[3].outcome, NoticeOutcome::Acknowledged { .. }));

    let received = listener.received();
    assert_eq!(received[0].headers()["content-type"], "application/json;charset=GBK");
    let body = received[0].body();
    assert!(std::str::from_utf8(body).is_err(), "the push is not GBK");
    let push: Value = serde_json::from_str(&GBK.decode(body).0).unwrap();
    for (name, value) in [
        ("BalDate", "20251009"),
        ("AgentId", "00001"),
        ("TxnLogId", "T20251009-0001"),
        ("BusinessId", "000000000000001"),
        ("SDTermNo", "00000001"),
        ("TxnCode", "N007"),
        ("PayChannel", "2"),
        ("TxnDate", "20251009"),
        ("TxnTime", "165320"),
        ("TxnAmt", "43.9"),
        ("TxnStatus", "1"),
        ("BankType", "CFT"),
        ("OfficeId", &order.payment.as_ref().unwrap().transaction_id),
        ("ChannelId", "SO-1"),
        ("UserId", "oBuyer"),
        ("logNo", order.detail("logNo").unwrap()),
        ("attach", "桌 7"),
        ("CrdFlg", ""),
    ] {
        assert_eq!(push[name], value, "{name}");
    }
    assert_eq!(push.as_object().unwrap().len(), 18);
}

#[tokio::test]
async fn gives_up_a_push_after_eight_attempts() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(404, "")]).await;
    sandbox.set_starpos_push_url(&listener.url);
    for (order_no, amount, yuan) in [
        ("A1", "100", "1"),
        ("A2", "4500", "45"),
        ("A3", "1", "0.01"),
        ("A4", "10000", "100"),
    ] {
        call(
            &sandbox,
            "pubSigPay",
            &signed(pay(&[("tradeNo", order_no), ("amount", amount)])),
        )
        .await;
        sandbox.pay(Platform::Starpos, order_no).unwrap();
        sandbox.delivered().await;
        let push: Value = serde_json::from_slice(listener.received().last().unwrap().body()).unwrap();
        assert_eq!(push["TxnAmt"], yuan);
    }
    sandbox.advance(Duration::from_secs(86_400)).await.unwrap();
    assert_eq!(listener.received().len(), 32);
}

#[tokio::test]
async fn pushes_encrypted_in_both_spellings() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(200, r#"{"RspCode":"000000","RspDes":"success"}"#)]).await;
    sandbox.set_starpos_push_url(&listener.url);
    let account = sandbox.starpos();
    let key = LegacyRsaSigningKey::parse(account.push_private_key_pem.expose(), RsaDigest::Sha1).unwrap();
    for (order_no, variant, name) in [
        ("E1", StarposPush::Encrypted, "signValue"),
        ("E2", StarposPush::EncryptedAsPrinted, "singValue"),
    ] {
        let attach = "桌子七号".repeat(16);
        let map = pay(&[("tradeNo", order_no), ("version", "V1.0.1"), ("attach", &attach)]);
        call(&sandbox, "pubSigPay", &signed(map)).await;
        sandbox.set_starpos_push(variant);
        sandbox.pay(Platform::Starpos, order_no).unwrap();
        sandbox.delivered().await;
        let outer: Map = serde_json::from_slice(listener.received().last().unwrap().body()).unwrap();
        assert_eq!(outer.len(), 2);
        let datas = &outer["Datas"];
        assert_eq!(
            outer[name],
            oracle::starpos_push_sign(datas, account.push_md5_key.expose())
        );
        let octets: Vec<u8> = (0..datas.len())
            .step_by(2)
            .map(|start| u8::from_str_radix(&datas[start..start + 2], 16).unwrap())
            .collect();
        // Several blocks, cut inside characters, so that only their bytes together make text.
        assert!(
            octets.len() > 3 * 128 && octets.len().is_multiple_of(128),
            "{} bytes",
            octets.len()
        );
        let plain: Vec<u8> = octets
            .chunks(128)
            .flat_map(|block| key.decrypt_pkcs1v15(block, &FixedAmbient::at(0)).unwrap().to_vec())
            .collect();
        let push: Value = serde_json::from_str(&GBK.decode(&plain).0).unwrap();
        assert_eq!(push["TxnLogId"], order_no);
        assert_eq!(push["attach"], attach);
        assert_eq!(push["TxnAmt"], "1");
    }
}

#[tokio::test]
async fn makes_every_planned_trouble() {
    let sandbox = sandbox().await;
    let listener = Listener::start(&[(200, r#"{"RspCode":"000000"}"#)]).await;
    sandbox.set_starpos_push_url(&listener.url);
    sandbox.set_starpos_push(StarposPush::Encrypted);
    call(&sandbox, "pubSigPay", &signed(pay(&[]))).await;

    sandbox.set_faults(FaultKind::CorruptSignature);
    for (endpoint, map) in [
        ("pubSigQry", look_up(&[])),
        ("sdkQryBarcodePay", query("Q1", "T20251009-0001", &[])),
    ] {
        let reply = opened(&call(&sandbox, endpoint, &signed(map)).await);
        assert_ne!(reply["signValue"], oracle::starpos_sign(&reply, KEY));
        assert_eq!(reply["signValue"].len(), 32);
    }
    sandbox.pay(Platform::Starpos, "T20251009-0001").unwrap();
    sandbox.delivered().await;
    let outer: Map = serde_json::from_slice(listener.received()[0].body()).unwrap();
    let md5_key = sandbox.starpos().push_md5_key;
    assert_ne!(
        outer["signValue"],
        oracle::starpos_push_sign(&outer["Datas"], md5_key.expose())
    );

    sandbox.set_faults(FaultKind::AddFields);
    let reply = proven(&call(&sandbox, "pubSigQry", &signed(look_up(&[]))).await);
    assert_eq!(reply["sandboxNewField"], "新 字段");
    sandbox.set_faults(FaultKind::UnknownValues);
    let reply = proven(
        &call(
            &sandbox,
            "sdkQryBarcodePay",
            &signed(query("Q2", "T20251009-0001", &[])),
        )
        .await,
    );
    assert_eq!(reply["payChannel"], "SANDBOX_NEW_VALUE");
    sandbox.set_faults(FaultKind::SkewSeconds(-60));
    let reply = proven(&call(&sandbox, "pubSigQry", &signed(look_up(&[]))).await);
    assert_eq!(reply["sysTime"], "20251009165220");
    sandbox.set_faults(FaultKind::UnsignedError);
    let reply = opened(&call(&sandbox, "pubSigQry", &signed(look_up(&[]))).await);
    assert_eq!(reply["returnCode"], "999999");
    assert_eq!(reply.get("signValue"), None);
}

#[test]
fn shows_no_secret() {
    let account = crate::shop::far_side().starpos();
    let shown = format!("{account:?}");
    for secret in [
        account.key.expose(),
        account.app_secret.expose(),
        account.push_md5_key.expose(),
        account.push_private_key_pem.expose(),
    ] {
        assert!(!shown.contains(secret.as_str()));
    }
    assert_eq!(account.base_url, "https://sandbox.example/starpos/adpweb/ehpspos3");
}
