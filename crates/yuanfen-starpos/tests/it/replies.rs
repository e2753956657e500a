//! What comes back: proven, unproven, foreign, malformed, and what may have happened to the money.

use yuanfen_core::{
    Address, Advice, BuildError, Fate, Fen, Hint, Lookup, Operation, OperationExt as _, OrderNo, RemoteId, Standing,
    UnixTime,
};
use yuanfen_starpos::codes::TradeResult;
use yuanfen_starpos::ops::{PayOfficialAccount, QueriedOrder, QueryOfficialAccount, QueryOrder};
use yuanfen_starpos::{Account, State};
use yuanfen_testkit::oracle;

use crate::{
    ENCODED, KEY, MERCHANT, NOW, account, body, decoded, map, now, pay, reply, request, signed, unsigned, with, word,
};

const SECRET: &str = "0123456789abcdef0123456789abcdef";

const ACCOUNT: &[(&str, &str)] = &[
    ("returnCode", "000000"),
    ("sysTime", "20240102030406"),
    ("message", ENCODED),
    ("mercId", MERCHANT),
    ("appId", "wx0000000000000000"),
    ("appIdKey", SECRET),
];

const STARTED: &[(&str, &str)] = &[
    ("returnCode", "000000"),
    ("sysTime", "20240102030406"),
    ("message", ENCODED),
    ("mercId", MERCHANT),
    ("logNo", "202401020000000002"),
    ("orderNo", "202401020000000002"),
    ("result", "A"),
    ("amount", "100"),
    ("total_amount", "100"),
    ("PrepayId", "wx02030405000000TESTPREPAY0000"),
    ("apiAppid", "wx0000000000000000"),
    ("apiTimestamp", "1704135845"),
    ("apiNoncestr", "abcdefghijklmnop"),
    ("apiPackage", "prepay_id=wx02030405000000TESTPREPAY0000"),
    ("apiSigntype", "RSA"),
    ("apiPaysign", "c2lnbmF0dXJl+/=="),
    ("selOrderNo", "SHOP20240102000001"),
    ("subject", "title"),
    ("goodsTag", "tag"),
    ("new_field", "1"),
];

pub(crate) const QUERIED: &[(&str, &str)] = &[
    ("returnCode", "000000"),
    ("sysTime", "20240102030406"),
    ("message", ENCODED),
    ("mercId", MERCHANT),
    ("tradeNo", "Q1"),
    ("logNo", "202401020000000002"),
    ("orderNo", "4200000000202401020000000001"),
    ("result", "S"),
    ("payChannel", "WXPAY"),
    ("amount", "100"),
    ("total_amount", "120"),
    ("selOrderNo", "SHOP20240102000001"),
    ("refAmt", "40"),
];

pub(crate) fn query() -> QueryOrder {
    QueryOrder::by_trade_no(&pay().order_no)
}

fn open<O: Operation<Provider = Account>>(
    operation: &O,
    response: &http::Response<bytes::Bytes>,
) -> Result<O::Reply, yuanfen_core::Error> {
    operation.reply(&account(), response, now())
}

fn refused<O: Operation<Provider = Account>>(operation: &O, response: &http::Response<bytes::Bytes>) -> String {
    match open(operation, response) {
        Err(error) => word(&error),
        Ok(_) => panic!("opened"),
    }
}

// ---- pubSigQry

#[test]
fn a_signed_answer_tells_the_official_account() {
    let found = open(&QueryOfficialAccount::new(), &signed(ACCOUNT)).unwrap();
    assert_eq!(found.app_id, "wx0000000000000000");
    assert_eq!(found.app_secret.expose(), SECRET);
    assert_eq!(found.attach, None);
    assert!(found.extra.is_empty());
}

#[test]
fn the_visitor_is_sent_to_wechats_page_with_parameters_in_their_fixed_order() {
    let found = open(&QueryOfficialAccount::new(), &signed(ACCOUNT)).unwrap();
    let back = Address::parse("redirect_uri", "https://shop.example/pay?order=A1&name=%E4%B8%AD#x").unwrap();
    let authorize = found.authorize(back, State::new("b1f6").unwrap());
    // The sheet, section 1.1, with every reserved character of the address escaped.
    assert_eq!(
        authorize.address().unwrap(),
        "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0000000000000000\
         &redirect_uri=https%3A%2F%2Fshop.example%2Fpay%3Forder%3DA1%26name%3D%25E4%25B8%25AD%23x\
         &response_type=code&scope=snsapi_base&state=b1f6#wechat_redirect"
    );
    assert!(State::new("s".repeat(128)).is_ok());
    for state in [String::new(), "s".repeat(129), "a-b".to_owned()] {
        assert!(State::new(state).is_err());
    }
}

#[test]
fn a_success_that_nobody_signed_is_refused() {
    for signature in [None, Some("")] {
        let pairs = with(ACCOUNT, &[("signValue", signature)]);
        assert_eq!(
            refused(&QueryOfficialAccount::new(), &unsigned(&pairs)),
            "missing-signature"
        );
        let pairs = with(QUERIED, &[("signValue", signature)]);
        assert_eq!(refused(&query(), &unsigned(&pairs)), "missing-signature");
    }
    // Also where the code's name has another case.
    let pairs = with(ACCOUNT, &[("returnCode", None), ("ReturnCode", Some("000000"))]);
    assert_eq!(
        refused(&QueryOfficialAccount::new(), &unsigned(&pairs)),
        "missing-signature"
    );
}

#[test]
fn a_wrong_signature_is_refused_on_every_call() {
    for wrong in [
        "00000000000000000000000000000000",
        "short",
        "中",
        &oracle::starpos_sign(&decoded(ACCOUNT), "another key"),
    ] {
        let sign = [("signValue", Some(wrong))];
        assert_eq!(
            refused(&QueryOfficialAccount::new(), &unsigned(&with(ACCOUNT, &sign))),
            "mismatch"
        );
        assert_eq!(refused(&pay(), &unsigned(&with(STARTED, &sign))), "mismatch");
        assert_eq!(refused(&query(), &unsigned(&with(QUERIED, &sign))), "mismatch");
    }
}

#[test]
fn a_signature_over_other_values_is_refused() {
    let sign = oracle::starpos_sign(&decoded(QUERIED), KEY);
    for (name, value) in [
        ("result", "F"),
        ("amount", "101"),
        ("logNo", "202401020000000003"),
        ("message", "OK"),
    ] {
        let pairs = with(QUERIED, &[(name, Some(value)), ("signValue", Some(&sign))]);
        assert_eq!(refused(&query(), &unsigned(&pairs)), "mismatch", "{name}");
    }
}

#[test]
fn the_case_of_the_digits_does_not_count() {
    let sign = oracle::starpos_sign(&decoded(QUERIED), KEY).to_uppercase();
    open(&query(), &unsigned(&with(QUERIED, &[("signValue", Some(&sign))]))).unwrap();
}

#[test]
fn names_may_have_capitals_and_are_signed_as_they_came() {
    let capitals = with(
        QUERIED,
        &[
            ("logNo", None),
            ("result", None),
            ("amount", None),
            ("LogNo", Some("202401020000000002")),
            ("Result", Some("S")),
            ("Amount", Some("100")),
        ],
    );
    let found = open(&query(), &signed(&capitals)).unwrap();
    assert_eq!(
        (found.log_no.as_str(), found.result),
        ("202401020000000002", Some(TradeResult::Success))
    );
    // The signature's own name as well: it is neither overlooked nor part of the text.
    let sign = oracle::starpos_sign(&decoded(QUERIED), KEY);
    open(&query(), &unsigned(&with(QUERIED, &[("SignValue", Some(&sign))]))).unwrap();
    let wrong = with(STARTED, &[("SignValue", Some("00000000000000000000000000000000"))]);
    assert_eq!(refused(&pay(), &unsigned(&wrong)), "mismatch");
}

#[test]
fn two_spellings_of_one_name_are_refused() {
    let twice = with(QUERIED, &[("LogNo", Some("202401020000000003"))]);
    assert_eq!(refused(&query(), &signed(&twice)), "field logNo");
    let sign = oracle::starpos_sign(&decoded(QUERIED), KEY);
    let twice = with(QUERIED, &[("SignValue", Some(&sign)), ("signValue", Some(&sign))]);
    assert_eq!(refused(&query(), &unsigned(&twice)), "field signValue");
}

// ---- pubSigPay

#[test]
fn a_started_payment_is_taken_unsigned() {
    let started = open(&pay(), &unsigned(STARTED)).unwrap();
    assert_eq!(started.prepay_id.as_str(), "wx02030405000000TESTPREPAY0000");
    assert_eq!(started.prepay_id.issued_at(), now());
    assert_eq!(started.result, TradeResult::Waiting);
    assert_eq!((started.amount, started.total), (Fen::new(100), Fen::new(100)));
    assert_eq!(started.log_no.as_str(), "202401020000000002");
    assert_eq!(started.goods_tag.as_deref(), Some("tag"));
    assert_eq!(started.extra.get("new_field"), Some("1"));
    assert_eq!(started.extra.len(), 1);
    assert_eq!(
        serde_json::to_value(started.page(now()).unwrap()).unwrap(),
        serde_json::json!({
            "appId": "wx0000000000000000",
            "timeStamp": "1704135845",
            "nonceStr": "abcdefghijklmnop",
            "package": "prepay_id=wx02030405000000TESTPREPAY0000",
            "signType": "RSA",
            "paySign": "c2lnbmF0dXJl+/==",
        })
    );
}

#[test]
fn page_parameters_are_handed_out_for_two_hours_and_no_second_longer() {
    let started = open(&pay(), &unsigned(STARTED)).unwrap();
    let after = |seconds| started.page(UnixTime::from_seconds(NOW + seconds));
    for seconds in [0, 1, 7199] {
        assert_eq!(after(seconds).unwrap().sign_type, "RSA", "{seconds}");
    }
    for seconds in [7200, 7201, 86400] {
        let expired = after(seconds).unwrap_err();
        assert!(matches!(expired, BuildError::Time { .. }), "{seconds}: {expired:?}");
        assert_eq!(
            expired.to_string(),
            "`PrepayId` is older than two hours; query the order, then start a new payment under a new number"
        );
    }
    // What counts is when the answer came, not when the gateway says that it wrote it.
    let late = UnixTime::from_seconds(NOW + 3600);
    let started = pay().reply(&account(), &unsigned(STARTED), late).unwrap();
    assert!(started.page(UnixTime::from_seconds(NOW + 3600 + 7199)).is_ok());
}

#[test]
fn a_started_payment_may_be_signed_in_either_order_of_names() {
    let fields = decoded(STARTED);
    let lowered = oracle::starpos_sign(&fields, KEY);
    let raw = oracle::md5_hex(oracle::starpos_text_by_raw_names(&fields, KEY).as_bytes());
    assert_ne!(lowered, raw);
    for sign in [&lowered, &raw] {
        let started = open(&pay(), &unsigned(&with(STARTED, &[("signValue", Some(sign))]))).unwrap();
        // What verified is what the page gets: base64 is not taken for a percent-encoding.
        assert_eq!(started.page(now()).unwrap().pay_sign, "c2lnbmF0dXJl+/==");
    }
    // Other calls go by the account's own order alone.
    let capitals = with(QUERIED, &[("logNo", None), ("LogNo", Some("1"))]);
    let raw = oracle::md5_hex(oracle::starpos_text_by_raw_names(&decoded(&capitals), KEY).as_bytes());
    assert_eq!(
        refused(&query(), &unsigned(&with(&capitals, &[("signValue", Some(&raw))]))),
        "mismatch"
    );
}

#[test]
fn every_required_field_of_a_started_payment_is_named_when_it_is_missing() {
    for name in [
        "logNo",
        "orderNo",
        "result",
        "amount",
        "total_amount",
        "PrepayId",
        "apiAppid",
        "apiTimestamp",
        "apiNoncestr",
        "apiPackage",
        "apiSigntype",
        "apiPaysign",
        "returnCode",
    ] {
        for value in [None, Some("")] {
            assert_eq!(
                refused(&pay(), &unsigned(&with(STARTED, &[(name, value)]))),
                format!("field {name}")
            );
        }
    }
    for name in [
        "mercId",
        "sysTime",
        "message",
        "selOrderNo",
        "subject",
        "goodsTag",
        "attach",
    ] {
        open(&pay(), &unsigned(&with(STARTED, &[(name, None)]))).unwrap();
    }
}

#[test]
fn a_payment_that_failed_at_once_is_a_refusal_and_no_started_payment() {
    for letter in ["F", "D"] {
        let failed = with(STARTED, &[("result", Some(letter))]);
        let error = open(&pay(), &unsigned(&failed)).unwrap_err();
        assert_eq!(word(&error), format!("refusal {letter}"));
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
    let undecided = open(&pay(), &unsigned(&with(STARTED, &[("result", Some("Z"))]))).unwrap();
    assert_eq!(undecided.result, TradeResult::Undecided);
}

// ---- about somebody else

#[test]
fn an_answer_about_another_merchant_amount_or_order_is_foreign() {
    let other = |name| (name, Some("000000000000002"));
    assert_eq!(
        refused(
            &QueryOfficialAccount::new(),
            &signed(&with(ACCOUNT, &[other("mercId")]))
        ),
        "foreign mercId"
    );
    assert_eq!(
        refused(&query(), &signed(&with(QUERIED, &[other("mercId")]))),
        "foreign mercId"
    );
    for (name, value) in [
        ("mercId", "000000000000002"),
        ("amount", "101"),
        ("amount", "1"),
        ("total_amount", "99"),
        ("selOrderNo", "SHOP20240102000002"),
    ] {
        let foreign = with(STARTED, &[(name, Some(value))]);
        assert_eq!(refused(&pay(), &unsigned(&foreign)), format!("foreign {name}"));
        let error = open(&pay(), &unsigned(&foreign)).unwrap_err();
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
}

#[test]
fn a_query_by_our_number_refuses_an_answer_about_another_order() {
    let query = query();
    open(&query, &signed(QUERIED)).unwrap();
    open(&query, &signed(&with(QUERIED, &[("selOrderNo", None)]))).unwrap();
    let foreign = with(QUERIED, &[("selOrderNo", Some("SHOP20240102000002"))]);
    assert_eq!(refused(&query, &signed(&foreign)), "foreign selOrderNo");
    // A payment that was sent under two numbers is asked for by one and compared by the other.
    let mut query = query;
    query.order_no = Some(OrderNo::new("SHOP20240102000002").unwrap());
    open(&query, &signed(&foreign)).unwrap();
    assert_eq!(refused(&query, &signed(QUERIED)), "foreign selOrderNo");
    query.order_no = None;
    open(&query, &signed(QUERIED)).unwrap();
}

#[test]
fn a_query_by_the_platforms_number_refuses_the_genuine_answer_about_another_payment() {
    let query = QueryOrder::by_log_no(&RemoteId::new("202401020000000002").unwrap());
    open(&query, &signed(QUERIED)).unwrap();
    // Swapped on the way: signed by the gateway, paid, and not what was asked for.
    let swapped = with(QUERIED, &[("logNo", Some("202401020000000003"))]);
    assert_eq!(refused(&query, &signed(&swapped)), "foreign logNo");
    assert_eq!(
        refused(&query, &signed(&with(QUERIED, &[("logNo", None)]))),
        "field logNo"
    );
    // The order number as well, where it is known.
    let mut query = query;
    query.order_no = Some(OrderNo::new("SHOP20240102000002").unwrap());
    assert_eq!(refused(&query, &signed(QUERIED)), "foreign selOrderNo");
    // So does one that a hint made: it names the platform's number.
    let hint = Hint::new(
        "starpos",
        Lookup::RemoteOrder(RemoteId::new("202401020000000002").unwrap()),
    );
    let query = QueryOrder::of_hint(&hint).unwrap();
    assert_eq!(refused(&query, &signed(&swapped)), "foreign logNo");
    // Also where that is its second name.
    let ours = Lookup::Order(OrderNo::new("SHOP20240102000001").unwrap());
    let both = Hint::new("starpos", ours.clone()).or(hint.lookup);
    assert_eq!(QueryOrder::of_hint(&both).unwrap().key, query.key);
    let query = QueryOrder::of_hint(&Hint::new("starpos", ours)).unwrap();
    open(&query, &signed(QUERIED)).unwrap();
    let other = with(QUERIED, &[("selOrderNo", Some("SHOP20240102000002"))]);
    assert_eq!(refused(&query, &signed(&other)), "foreign selOrderNo");
}

// ---- the query

#[test]
fn a_query_tells_everything_that_came() {
    let found = open(&query(), &signed(QUERIED)).unwrap();
    assert_eq!(
        (found.amount, found.total, found.refunded),
        (Some(Fen::new(100)), Some(Fen::new(120)), Some(Fen::new(40)))
    );
    assert_eq!(found.channel_order_no.unwrap().as_str(), "4200000000202401020000000001");
    assert_eq!(found.pay_channel.as_deref(), Some("WXPAY"));
    assert_eq!(found.order_no.as_deref(), Some("SHOP20240102000001"));
    assert_eq!(found.extra.get("tradeNo"), Some("Q1"));
}

#[test]
fn every_result_has_its_standing() {
    let standing = |result| {
        let found: QueriedOrder = open(&query(), &signed(&with(QUERIED, &[("result", result)]))).unwrap();
        found.standing()
    };
    for (result, expected) in [
        (Some("S"), Standing::Succeeded),
        (Some("A"), Standing::Accepted),
        (Some("Z"), Standing::Pending),
        (Some("F"), Standing::Failed),
        (Some("D"), Standing::Failed),
        (Some("T"), Standing::Pending),
        (Some("s"), Standing::Pending),
        (Some("SS"), Standing::Pending),
        (Some(""), Standing::Pending),
        (None, Standing::Pending),
    ] {
        assert_eq!(standing(result), expected, "{result:?}");
    }
}

#[test]
fn amounts_are_whole_fen() {
    for wrong in [
        "1.00",
        "0.01",
        "1e2",
        "+1",
        " 1",
        "1 ",
        "0x1",
        "９",
        "9223372036854775808",
        "-",
    ] {
        assert_eq!(
            refused(&query(), &signed(&with(QUERIED, &[("amount", Some(wrong))]))),
            "field amount",
            "{wrong}"
        );
        assert_eq!(
            refused(&pay(), &unsigned(&with(STARTED, &[("amount", Some(wrong))]))),
            "field amount",
            "{wrong}"
        );
    }
    let empty = open(&query(), &signed(&with(QUERIED, &[("amount", Some(""))]))).unwrap();
    assert_eq!(empty.amount, None);
}

// ---- refusals

#[test]
fn an_unsigned_error_of_a_read_is_a_refusal_that_says_so() {
    let pairs = [
        ("returnCode", "ABC123"),
        ("message", "%E5%95%86%E6%88%B7%E4%B8%8D%E5%AD%98%E5%9C%A8"),
    ];
    let error = open(&query(), &unsigned(&pairs)).unwrap_err();
    let refusal = error.refusal().unwrap();
    assert_eq!(
        (refusal.code.as_str(), refusal.message.as_str()),
        ("ABC123", "商户不存在")
    );
    assert!(!refusal.verified);
    assert!(refusal.to_string().contains("no signature proves this answer"));
}

#[test]
fn a_signed_error_is_a_proven_refusal() {
    let pairs = with(QUERIED, &[("returnCode", Some("ABC123"))]);
    let error = open(&query(), &signed(&pairs)).unwrap_err();
    assert!(error.refusal().unwrap().verified);
    // A wrong signature on an error proves nothing, not even the error.
    let wrong = with(&pairs, &[("signValue", Some("00000000000000000000000000000000"))]);
    assert_eq!(refused(&query(), &unsigned(&wrong)), "mismatch");
}

#[test]
fn a_refused_payment_leaves_the_outcome_unknown_whoever_signed_it() {
    let pairs = [("returnCode", "ABC123"), ("message", "no")];
    for response in [unsigned(&pairs), signed(&pairs)] {
        let error = open(&pay(), &response).unwrap_err();
        assert_eq!(word(&error), "refusal ABC123");
        assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
    }
}

// ---- what is no answer

#[test]
fn what_is_no_answer_is_said_to_be_none() {
    let html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    for (status, text, expected) in [
        (200, "", "empty"),
        (200, " \n", "empty"),
        (200, html, "html"),
        (200, "<html>", "html"),
        (200, "null", "not-json"),
        (200, "[]", "not-json"),
        (200, "\"SUCCESS\"", "not-json"),
        (200, "SUCCESS", "not-json"),
        (200, "{", "not-json"),
        (200, "{\"returnCode\":\"000000\"", "not-json"),
        (200, "{\"returnCode\":\"000000\"}}", "not-json"),
        (200, "{\u{201c}returnCode\u{201d}:\"000000\"}", "not-json"),
        (200, "{}", "field returnCode"),
        (200, "{\"error\":\"x\"}", "field returnCode"),
        (200, "{\"returnCode\":\"\"}", "field returnCode"),
        (200, "{\"returnCode\":null}", "field returnCode"),
        (200, "{\"\":\"1\"}", "not-json"),
        (200, "{\"returnCode\":{\"a\":1}}", "field returnCode"),
        (200, "{\"returnCode\":[]}", "field returnCode"),
        (202, "{\"returnCode\":\"000000\"}", "status 202"),
        (204, "", "status 204"),
        (301, "", "status 301"),
        (400, "{\"returnCode\":\"000000\"}", "status 400"),
        (404, html, "status 404"),
        (429, "", "status 429"),
        (500, html, "status 500"),
        (502, html, "status 502"),
    ] {
        let response = reply(status, text);
        assert_eq!(refused(&query(), &response), expected, "query: {status} {text:?}");
        assert_eq!(refused(&pay(), &response), expected, "pay: {status} {text:?}");
        assert_eq!(
            refused(&QueryOfficialAccount::new(), &response),
            expected,
            "account: {status} {text:?}"
        );
        let error = open(&pay(), &response).unwrap_err();
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{status} {text:?}"
        );
    }
}

#[test]
fn a_name_that_stands_twice_makes_no_message() {
    let once = body(&with(
        QUERIED,
        &[("signValue", Some(&oracle::starpos_sign(&decoded(QUERIED), KEY)))],
    ));
    for twin in ["\"result\":\"F\",", "\"result\":\"S\",", "\"signValue\":\"x\","] {
        let twice = once.replacen('{', &format!("{{{twin}"), 1);
        assert_eq!(refused(&query(), &reply(200, twice)), "not-json");
    }
}

#[test]
fn numbers_and_booleans_are_taken_by_their_digits() {
    // The sheet has every value as text. A bare number is signed by its own digits, so taking it gives nothing away.
    let mut fields = decoded(QUERIED);
    fields.insert("flag".to_owned(), "true".to_owned());
    let sign = oracle::starpos_sign(&fields, KEY);
    let text = body(&with(QUERIED, &[("signValue", Some(&sign))]))
        .replace("\"amount\":\"100\"", "\"amount\":100")
        .replacen('{', "{\"flag\":true,\"nothing\":null,", 1);
    let found = open(&query(), &reply(200, text.clone())).unwrap();
    assert_eq!(found.amount, Some(Fen::new(100)));
    // The digits count, not the number: another spelling of it was not signed.
    let respelled = text.replace("\"amount\":100", "\"amount\":1e2");
    assert_eq!(refused(&query(), &reply(200, respelled)), "mismatch");
    let code = "{\"returnCode\":0,\"message\":\"no\"}";
    assert_eq!(refused(&query(), &reply(200, code)), "refusal 0");
}

#[test]
fn objects_and_lists_are_no_values() {
    for (name, value) in [("amount", "{\"total\":100}"), ("result", "[\"S\"]")] {
        let found = QUERIED.iter().find(|(candidate, _)| *candidate == name).unwrap().1;
        let text = body(QUERIED).replace(&format!("\"{name}\":\"{found}\""), &format!("\"{name}\":{value}"));
        assert_eq!(refused(&query(), &reply(200, text)), format!("field {name}"));
    }
}

#[test]
fn an_answer_beyond_the_limit_is_not_read() {
    let long = with(STARTED, &[]);
    let padded = body(&long).replacen('{', &format!("{{\"pad\":\"{}\",", "x".repeat(64 << 10)), 1);
    assert_eq!(refused(&pay(), &reply(200, padded)), "not-json");
    let fits = body(&long).replacen('{', &format!("{{\"pad\":\"{}\",", "x".repeat(60 << 10)), 1);
    open(&pay(), &reply(200, fits)).unwrap();
}

#[test]
fn the_second_sort_order_is_for_the_payment_alone_and_the_rules_of_the_account_for_the_rest() {
    use yuanfen_sign::{NameOrder, PairRules};
    let raw_account = account().with_rules(PairRules {
        order: NameOrder::Bytes,
        ..yuanfen_starpos::RULES
    });
    let capitals = with(QUERIED, &[("logNo", None), ("LogNo", Some("1"))]);
    let raw = oracle::md5_hex(oracle::starpos_text_by_raw_names(&decoded(&capitals), KEY).as_bytes());
    let response = unsigned(&with(&capitals, &[("signValue", Some(&raw))]));
    query().reply(&raw_account, &response, now()).unwrap();
    let lowered = oracle::starpos_sign(&decoded(&capitals), KEY);
    let response = unsigned(&with(&capitals, &[("signValue", Some(&lowered))]));
    assert_eq!(
        word(&query().reply(&raw_account, &response, now()).unwrap_err()),
        "mismatch"
    );
    assert_eq!(map([("a", "1")]).len(), 1);
}

#[test]
fn the_number_of_a_call_without_one_can_still_be_asked_for_by_the_platforms() {
    let mut pay: PayOfficialAccount = pay();
    pay.trade_no = None;
    let started = open(&pay, &unsigned(STARTED)).unwrap();
    let query = QueryOrder::by_log_no(&started.log_no);
    assert_eq!(request(&query).unwrap().get("qryNo"), Some("202401020000000002"));
}
