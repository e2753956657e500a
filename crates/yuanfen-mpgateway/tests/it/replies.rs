//! Raw bytes in, typed out, or a typed error that says what may have happened.

use yuanfen_core::{Advice, Error, Fate, Fen, OperationExt as _, RemoteId, Standing, UnixTime};
use yuanfen_mpgateway::PaidCodes;
use yuanfen_mpgateway::codes::ResultCode;
use yuanfen_mpgateway::ops::{
    Action, CancelOrder, CanceledOrder, NextStep, QueriedOrder, QueryOrder, SubmitOrder, SubmittedOrder,
};
use yuanfen_testkit::{Value, json, oracle};

use crate::far_side::{
    KEY, ORDER_NO, PAY_ID, QUERY_ID, account, amount, answer, back_url, canceled, changed, form, now, order, order_no,
    outer, queried, query, response, signed, submitted, why,
};

type Changes<'a> = &'a [(&'a str, Value)];

fn submit(changes: Changes<'_>) -> Result<SubmittedOrder, Error> {
    order().reply(&account(), &answer(&changed(submitted(), changes)), now())
}

fn ask(changes: Changes<'_>) -> Result<QueriedOrder, Error> {
    query().reply(&account(), &answer(&changed(queried(), changes)), now())
}

fn cancel(changes: Changes<'_>) -> Result<CanceledOrder, Error> {
    CancelOrder::by_order_no(order_no()).reply(&account(), &answer(&changed(canceled(), changes)), now())
}

/// Why an answer to a submit does not open; whatever it is, the order may be there.
fn submit_fails(status: u16, body: impl Into<bytes::Bytes>) -> String {
    let error = order().reply(&account(), &response(status, body), now()).unwrap_err();
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Unknown, Advice::QueryFirst),
        "{error:?}"
    );
    why(&error)
}

#[test]
fn opens_a_submitted_order() {
    let submitted = submit(&[("new_member", json!({ "a": 1 }))]).unwrap();
    assert_eq!(submitted.query_id.as_str(), QUERY_ID);
    assert_eq!(submitted.next, NextStep::OpenPayPage(PAY_ID.to_owned()));
    assert_eq!(submitted.extra.get("new_member"), Some(r#"{"a":1}"#));
    assert_eq!(submitted.extra.len(), 1);
}

#[test]
fn says_what_to_do_next_by_action() {
    let content = || "weixin://wxpay/bizpayurl?pr=x".to_owned();
    let next = |action: &str, form_action: Value| {
        let mut order = SubmitOrder::new(Action::from(action), order_no(), amount(), back_url());
        order.code = Some("1".to_owned());
        let reply = changed(submitted(), &[("formaction", form_action)]);
        order
            .reply(&account(), &answer(&reply), now())
            .map(|submitted| submitted.next)
    };
    for (action, expected) in [
        ("WxSao", NextStep::ShowCode(content())),
        ("AliSao", NextStep::ShowCode(content())),
        ("QQSao", NextStep::ShowCode(content())),
        ("USao", NextStep::ShowCode(content())),
        ("WxJsApi", NextStep::OpenPayPage(content())),
        ("WxH5", NextStep::Open(content())),
        ("AliWap", NextStep::Open(content())),
        ("WxCode", NextStep::Wait),
        ("AliCode", NextStep::Wait),
        ("QQCode", NextStep::Wait),
    ] {
        assert_eq!(next(action, json!(content())).unwrap(), expected, "{action}");
        for absent in [Value::Null, json!("")] {
            match action {
                // The manual promises it for these two.
                "WxSao" | "AliSao" => {
                    assert_eq!(why(&next(action, absent).unwrap_err()), "field formaction", "{action}");
                }
                _ => assert_eq!(next(action, absent).unwrap(), NextStep::Wait, "{action}"),
            }
        }
    }
}

#[test]
fn opens_a_queried_order() {
    let queried = ask(&[("new_member", json!(1.50))]).unwrap();
    assert_eq!((&queried.result, queried.is_paid), (&ResultCode::Settled, true));
    assert_eq!(queried.standing(), Standing::Succeeded);
    assert_eq!(queried.result_message.as_deref(), Some("支付成功！"));
    assert_eq!(queried.query_id.as_str(), QUERY_ID);
    assert_eq!(queried.order_no.unwrap().as_str(), ORDER_NO);
    assert_eq!(queried.amount, Fen::new(100));
    // 2024-01-02 03:05:06 in Beijing.
    assert_eq!(queried.paid_at, Some(UnixTime::from_seconds(1_704_135_906)));
    assert_eq!(queried.paid_text.as_deref(), Some("2024-01-02 03:05:06"));
    assert_eq!((queried.extra.get("new_member"), queried.extra.len()), (Some("1.5"), 1));
}

#[test]
fn tells_paid_from_settled_from_neither() {
    let strict = account().with_paid_codes(PaidCodes::SettledOnly);
    for (code, standing, strictly) in [
        ("0000", Standing::Succeeded, Standing::Succeeded),
        ("1001", Standing::Accepted, Standing::Accepted),
        ("1002", Standing::Succeeded, Standing::Pending),
        ("1003", Standing::Failed, Standing::Failed),
        ("1004", Standing::Pending, Standing::Pending),
        ("2002", Standing::Pending, Standing::Pending),
    ] {
        let reply = answer(&changed(queried(), &[("resultcode", json!(code))]));
        for (account, expected) in [(account(), standing), (strict.clone(), strictly)] {
            let queried = query().reply(&account, &reply, now()).unwrap();
            assert_eq!(queried.standing(), expected, "{code}");
            assert_eq!(queried.is_paid, expected == Standing::Succeeded, "{code}");
            assert_eq!(queried.result.as_str(), code, "unknown codes are kept");
        }
    }
}

#[test]
fn opens_amounts_as_numbers_and_as_texts_and_nothing_else() {
    for amount in [json!(100), json!("100")] {
        assert_eq!(ask(&[("txnamt", amount.clone())]).unwrap().amount, Fen::new(100));
        assert_eq!(cancel(&[("txnamt", amount.clone())]).unwrap().amount, Fen::new(100));
        assert!(submit(&[("txnamt", amount)]).is_ok());
    }
    for amount in [
        json!("1.00"),
        json!(1.5),
        json!("1e2"),
        json!(" 100"),
        json!([100]),
        json!(true),
        json!("x"),
    ] {
        assert_eq!(
            why(&ask(&[("txnamt", amount.clone())]).unwrap_err()),
            "field txnamt",
            "{amount}"
        );
        assert_eq!(
            why(&submit(&[("txnamt", amount.clone())]).unwrap_err()),
            "field txnamt",
            "{amount}"
        );
    }
    // An answer to a submit may leave it out; an order whose amount nobody names cannot be compared.
    assert!(submit(&[("txnamt", Value::Null)]).is_ok());
    assert_eq!(why(&ask(&[("txnamt", Value::Null)]).unwrap_err()), "field txnamt");
    assert_eq!(why(&submit(&[("txnamt", json!(101))]).unwrap_err()), "foreign txnamt");
}

#[test]
fn keeps_a_time_that_it_cannot_read() {
    for (text, kept) in [
        (json!("2024/01/02"), Some("2024/01/02")),
        (json!(""), None),
        (Value::Null, None),
    ] {
        let queried = ask(&[("paytime", text)]).unwrap();
        assert_eq!((queried.paid_at, queried.paid_text.as_deref()), (None, kept));
    }
}

#[test]
fn opens_a_canceled_order() {
    let canceled = cancel(&[]).unwrap();
    assert_eq!(canceled.query_id.as_str(), QUERY_ID);
    assert_eq!(canceled.order_no.unwrap().as_str(), ORDER_NO);
    let by_id = CancelOrder::by_query_id(RemoteId::new(QUERY_ID).unwrap());
    assert!(
        by_id
            .reply(&account(), &answer(&canceled_without("orderid")), now())
            .is_ok()
    );
}

fn canceled_without(name: &str) -> Value {
    changed(canceled(), &[(name, Value::Null)])
}

#[test]
fn refuses_every_fault_of_a_signature_but_its_case() {
    let (resp, sign) = signed(&submitted().to_string());
    let mut wrong = sign.clone();
    wrong.replace_range(0..1, if sign.starts_with('0') { "1" } else { "0" });
    let json_and_key = oracle::md5_hex(format!("{}{KEY}", submitted()).as_bytes());
    for (sign, word) in [
        (&*wrong, "mismatch"),
        (&json_and_key, "mismatch"),
        (sign.get(..31).unwrap(), "mismatch"),
        (&format!(" {sign}"), "mismatch"),
        ("签", "mismatch"),
        ("", "missing-signature"),
    ] {
        assert_eq!(submit_fails(200, outer(&resp, sign)), word, "{sign}");
    }
    assert_eq!(
        submit_fails(200, json!({ "resp": resp }).to_string()),
        "missing-signature"
    );
    assert_eq!(
        submit_fails(200, json!({ "resp": resp, "sign": null }).to_string()),
        "missing-signature"
    );
    for sign in [sign.to_uppercase(), sign.to_lowercase()] {
        assert!(
            order()
                .reply(&account(), &response(200, outer(&resp, &sign)), now())
                .is_ok()
        );
    }
}

#[test]
fn refuses_a_signature_over_other_bytes() {
    let (_, sign) = signed(&submitted().to_string());
    // The same members with a blank: JSON's spelling is free, the bytes are what is signed.
    let (other, _) = signed(&format!("{} ", submitted()));
    assert_eq!(submit_fails(200, outer(&other, &sign)), "mismatch");
    let (other, _) = signed(&changed(submitted(), &[("txnamt", json!(1))]).to_string());
    assert_eq!(submit_fails(200, outer(&other, &sign)), "mismatch");
}

#[test]
fn takes_an_error_without_signature_for_an_error_and_never_for_a_success() {
    let up_front = json!({ "respcode": "90", "respmsg": "参数错误" }).to_string();
    let (resp, _) = signed(&up_front);
    for body in [
        outer(&resp, ""),
        json!({ "resp": resp }).to_string(),
        form([("resp", &*resp), ("sign", "")]),
    ] {
        let error = order()
            .reply(&account(), &response(200, body.clone()), now())
            .unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(
            (&*refusal.code, &*refusal.message, refusal.verified),
            ("90", "参数错误", false)
        );
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "a write"
        );
        assert!(refusal.to_string().contains("no signature proves this answer"));
        let error = query().reply(&account(), &response(200, body), now()).unwrap_err();
        assert_eq!((error.fate(), error.advice()), (Fate::Refused, Advice::Stop), "a read");
    }
    for payload in [
        submitted().to_string(),
        json!({ "respcode": "" }).to_string(),
        json!({ "respmsg": "no code" }).to_string(),
        json!({ "respcode": 90 }).to_string(),
        "not json".to_owned(),
    ] {
        let (resp, _) = signed(&payload);
        assert_eq!(submit_fails(200, outer(&resp, "")), "missing-signature", "{payload}");
    }
    assert_eq!(submit_fails(200, outer("%%%", "")), "missing-signature");
}

#[test]
fn puts_plus_signs_right_that_nobody_escaped() {
    let (resp, sign) = signed(&submitted().to_string());
    assert!(resp.contains('+'), "{resp}");
    let damaged = resp.replace('+', " ");
    for body in [
        outer(&damaged, &sign),
        form([("resp", &*resp), ("sign", &*sign)]),
        format!("resp={resp}&sign={sign}"),
        format!("sign={sign}&resp={resp}"),
        format!("\r\n{}", outer(&resp, &sign)),
        format!("resp={resp}&sign={sign}\r\n"),
    ] {
        let submitted = order().reply(&account(), &response(200, body), now()).unwrap();
        assert_eq!(submitted.query_id.as_str(), QUERY_ID);
    }
}

#[test]
fn refuses_base64_that_is_not_of_the_standard_alphabet_and_padding() {
    // Signed as they are, so that what is refused is the text and not the signature.
    let sign = |resp: &str| outer(resp, &oracle::mpgateway_sign(resp, KEY));
    let (resp, _) = signed(&submitted().to_string());
    let unpadded = resp.trim_end_matches('=');
    for bad in [
        "!!!!",
        "eyJ9\n",
        "e",
        "eyJhIjoxfQ",
        &resp.replace('+', "-").replace('/', "_"),
    ] {
        assert_eq!(submit_fails(200, sign(bad)), "format", "{bad}");
    }
    if unpadded.len() != resp.len() {
        assert_eq!(submit_fails(200, sign(unpadded)), "format");
    }
    // Right base64 of something else.
    for (payload, word) in [
        ("", "field resp"),
        (" ", "format"),
        ("[]", "format"),
        ("\"00\"", "format"),
        ("{\"respcode\":\"00\",\"respcode\":\"00\"}", "format"),
        ("{\"respcode\":\"00\"", "format"),
        ("\u{feff}{}", "format"),
        ("{}", "field respcode"),
    ] {
        let (resp, sign) = signed(payload);
        assert_eq!(submit_fails(200, outer(&resp, &sign)), word, "{payload:?}");
    }
}

#[test]
fn refuses_bodies_that_are_not_a_message() {
    let (resp, sign) = signed(&submitted().to_string());
    let big = outer(&"A".repeat(10 << 20), &sign);
    let twice = format!(r#"{{"resp":"{resp}","resp":"{resp}","sign":"{sign}"}}"#);
    let cut = outer(&resp, &sign);
    for (what, body, word) in [
        ("nothing", String::new(), "empty"),
        ("blanks", " \n".to_owned(), "empty"),
        ("a page", "<!DOCTYPE html><html></html>".to_owned(), "html"),
        (
            "a page of a form",
            " <form action=\"https://x.example\"></form>".to_owned(),
            "html",
        ),
        ("markup of another kind", "<xml></xml>".to_owned(), "html"),
        ("text", "Bad Gateway".to_owned(), "format"),
        ("a list", "[]".to_owned(), "format"),
        ("no resp", r#"{"sign":"0"}"#.to_owned(), "field resp"),
        ("an empty resp", outer("", &sign), "field resp"),
        ("business members outside", submitted().to_string(), "field resp"),
        ("a number for resp", r#"{"resp":1,"sign":"0"}"#.to_owned(), "field resp"),
        (
            "a number for sign",
            format!(r#"{{"resp":"{resp}","sign":1}}"#),
            "field sign",
        ),
        ("resp twice", twice, "format"),
        ("10 MB", big, "format"),
        ("cut off", cut.get(..cut.len() - 2).unwrap().to_owned(), "format"),
        ("NUL", format!("{}\0", outer(&resp, &sign)), "format"),
        ("a form cut off", format!("resp={resp}&sign"), "format"),
        (
            "a form with a field twice",
            format!("resp={resp}&sign={sign}&sign={sign}"),
            "format",
        ),
    ] {
        assert_eq!(submit_fails(200, body), word, "{what}");
    }
    assert_eq!(submit_fails(200, &b"{\"resp\":\"\xff\"}"[..]), "format", "no UTF-8");
}

#[test]
fn refuses_every_status_but_200() {
    let (resp, sign) = signed(&submitted().to_string());
    for status in [201, 202, 204, 301, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504] {
        for body in [outer(&resp, &sign), String::new(), "<html>".to_owned()] {
            assert_eq!(submit_fails(status, body), format!("status {status}"));
        }
    }
    let error = query().reply(&account(), &response(502, ""), now()).unwrap_err();
    assert_eq!(
        (error.fate(), error.advice()),
        (Fate::Unknown, Advice::Repeat),
        "a read is repeated"
    );
}

#[test]
fn refuses_an_answer_about_somebody_else() {
    let other = |name| [(name, json!("00000002X"))];
    for name in ["merid", "orderid"] {
        let changes = other(name);
        assert_eq!(why(&submit(&changes).unwrap_err()), format!("foreign {name}"));
        assert_eq!(why(&ask(&changes).unwrap_err()), format!("foreign {name}"));
        assert_eq!(why(&cancel(&changes).unwrap_err()), format!("foreign {name}"));
    }
    // A refusal of somebody else's order leaves open what became of ours.
    for name in ["merid", "orderid"] {
        let refusal = changed(
            json!({ "respcode": "90", "respmsg": "no" }),
            &[(name, json!("00000002X"))],
        );
        let error = order().reply(&account(), &answer(&refusal), now()).unwrap_err();
        assert_eq!(why(&error), format!("foreign {name}"));
        assert_eq!(error.fate(), Fate::Unknown);
    }
    // Asked by our number, an answer has to name it.
    let unnamed = [("orderid", Value::Null)];
    assert_eq!(why(&submit(&unnamed).unwrap_err()), "field orderid");
    assert_eq!(why(&ask(&unnamed).unwrap_err()), "field orderid");
    assert_eq!(why(&cancel(&unnamed).unwrap_err()), "field orderid");

    let by = |id: &str| {
        let query = QueryOrder::by_query_id(RemoteId::new(id).unwrap());
        query.reply(&account(), &answer(&changed(queried(), &unnamed)), now())
    };
    assert!(by(QUERY_ID).is_ok());
    assert_eq!(why(&by("H0000000000000000000000002").unwrap_err()), "foreign queryid");
}

#[test]
fn misses_what_the_contract_promises() {
    for absent in [Value::Null, json!("")] {
        for name in ["respcode", "queryid"] {
            let changes = [(name, absent.clone())];
            let error = submit(&changes).unwrap_err();
            assert_eq!((why(&error), error.fate()), (format!("field {name}"), Fate::Unknown));
            assert_eq!(why(&cancel(&changes).unwrap_err()), format!("field {name}"));
        }
        for name in ["respcode", "queryid", "resultcode", "txnamt"] {
            assert_eq!(
                why(&ask(&[(name, absent.clone())]).unwrap_err()),
                format!("field {name}")
            );
        }
    }
}

#[test]
fn refuses_values_of_another_type() {
    for (name, value) in [
        ("respcode", json!(0)),
        ("queryid", json!(1)),
        ("resultcode", json!(0)),
        ("resultmsg", json!({})),
        ("orderid", json!(20_240_102_030_405_i64)),
        ("merid", json!(1)),
        ("paytime", json!(1_704_135_906)),
    ] {
        assert_eq!(why(&ask(&[(name, value)]).unwrap_err()), format!("field {name}"));
    }
}

#[test]
fn keeps_the_whole_answer_for_calls_without_a_type() {
    use yuanfen_core::{Opens as _, Verified};
    use yuanfen_mpgateway::Reply;

    let answered = answer(&submitted());
    let reply = Verified::<Reply>::open(&account(), &answered, now())
        .unwrap()
        .into_inner();
    assert_eq!(&reply.raw, answered.body());
    assert_eq!(reply.object.len(), 7);
}

#[test]
fn asks_again_by_what_a_hint_names() {
    use yuanfen_core::{Hint, Lookup, RefundNo};

    let of = |lookup| QueryOrder::of_hint(&Hint::new("mpgateway", lookup)).map(|query| format!("{:?}", query.key));
    let by_no = of(Lookup::Order(order_no()));
    assert_eq!(by_no.as_deref(), Some("Merchant(OrderNo(TEST20240102030405))"));
    let id = RemoteId::new("H1").unwrap();
    assert_eq!(of(Lookup::RemoteOrder(id)).as_deref(), Some("Gateway(RemoteId(H1))"));
    assert_eq!(of(Lookup::Refund(RefundNo::new("R1").unwrap())), None);
}
