//! What comes back, signed by nobody: read leniently where the platform varies, and strictly where money hangs on it.

use yuanfen_core::{Advice, Fate, Fen, RemoteId, Standing};
use yuanfen_fshows::ops::{
    AlipayStatus, BestPayStatus, JdStatus, OrderState, PrepaidPage, QueriedOrder, QueryOrder, WechatState,
};

use crate::{now, open, order_no, pay, query, refused, reply, word};

fn prepaid(members: &str) -> Result<PrepaidPage, String> {
    let body = format!("{{\"return_value\":{{{members}}},\"success\":true}}");
    open(&pay(), body).map_err(|error| word(&error))
}

fn queried(members: &str) -> Result<QueriedOrder, String> {
    let body = format!("{{\"return_value\":{{{members}}},\"success\":true}}");
    open(&query(), body).map_err(|error| word(&error))
}

// ---- wxpay.mppay

#[test]
fn rates_keep_their_digits_as_numbers_and_as_texts() {
    for (wire, text) in [
        ("0.00030", "0.00030"),
        ("\"0.00030\"", "0.00030"),
        ("0.001", "0.001"),
        ("0", "0"),
        ("\"0\"", "0"),
        ("0.00", "0.00"),
        ("-0.01", "-0.01"),
    ] {
        let found = prepaid(&format!("\"prepay_id\":\"wx1\",\"bank_commission_rate\":{wire}")).unwrap();
        assert_eq!(found.fees.bank_rate.unwrap().as_str(), text);
    }
    for wrong in ["1e-3", "\"1e-3\"", "\" 1\"", "true", "{}", "[]", "\"percent\""] {
        let found = prepaid(&format!("\"prepay_id\":\"wx1\",\"bank_commission_rate\":{wrong}"));
        assert_eq!(found.unwrap_err(), "field return_value.bank_commission_rate", "{wrong}");
    }
}

#[test]
fn only_the_prepay_id_must_be_there() {
    let found = prepaid("\"prepay_id\":\"wx1\"").unwrap();
    assert_eq!(found.prepay_id.as_str(), "wx1");
    assert_eq!(found.prepay_id.issued_at(), now());
    assert_eq!((found.amount, found.net_amount, found.notify_url), (None, None, None));
    assert_eq!(found.fees, yuanfen_fshows::Fees::default());
    for wrong in ["", "\"prepay_id\":\"\"", "\"prepay_id\":null"] {
        assert_eq!(prepaid(wrong).unwrap_err(), "field return_value.prepay_id", "{wrong}");
    }
    assert_eq!(prepaid("\"prepay_id\":1").unwrap_err(), "field return_value.prepay_id");
}

#[test]
fn every_field_is_read_in_both_spellings() {
    let snake = "\"prepay_id\":\"wx1\",\"total_fee\":0.01,\"net_receipt_amount\":0.02,\"bank_commission_rate\":1,\
        \"bank_commission_fee\":2,\"gateway_commission_rate\":3,\"gateway_commission_fee\":4,\"pay_platform_rate\":5,\
        \"pay_platform_fee\":6,\"liquidator_commission_rate\":7,\"liquidator_commission_fee\":8,\"notify_url\":\"u\"";
    let camel = "\"prepayId\":\"wx1\",\"totalFee\":0.01,\"netReceiptAmount\":0.02,\"bankCommissionRate\":1,\
        \"bankCommissionFee\":2,\"gatewayCommissionRate\":3,\"gatewayCommissionFee\":4,\"payPlatformRate\":5,\
        \"payPlatformFee\":6,\"liquidatorCommissionRate\":7,\"liquidatorCommissionFee\":8,\"notifyUrl\":\"u\"";
    for members in [snake, camel, &format!("{snake},{camel}")] {
        let found = prepaid(members).unwrap();
        assert_eq!(found.prepay_id.as_str(), "wx1");
        assert_eq!((found.amount, found.net_amount), (Some(Fen::new(1)), Some(Fen::new(2))));
        let fees = &found.fees;
        let values: Vec<_> = [
            &fees.bank_rate,
            &fees.bank_fee,
            &fees.gateway_rate,
            &fees.gateway_fee,
            &fees.wallet_rate,
            &fees.wallet_fee,
            &fees.liquidator_rate,
            &fees.liquidator_fee,
        ]
        .into_iter()
        .map(|decimal| decimal.as_ref().unwrap().as_str())
        .collect();
        assert_eq!(values, ["1", "2", "3", "4", "5", "6", "7", "8"]);
        assert_eq!(found.notify_url.as_deref(), Some("u"));
        assert!(found.extra.is_empty());
    }
}

#[test]
fn two_spellings_that_disagree_are_refused_and_trailing_zeros_are_no_disagreement() {
    for (members, field) in [
        ("\"total_fee\":0.01,\"totalFee\":0.02", "totalFee"),
        (
            "\"net_receipt_amount\":0.01,\"netReceiptAmount\":\"0.02\"",
            "netReceiptAmount",
        ),
        (
            "\"gatewayCommissionFee\":0.01,\"gateway_commission_fee\":0.02",
            "gateway_commission_fee",
        ),
        ("\"prepayId\":\"wx2\"", "prepayId"),
    ] {
        let found = prepaid(&format!("\"prepay_id\":\"wx1\",{members}"));
        assert_eq!(found.unwrap_err(), format!("field return_value.{field}"));
    }
    let found = prepaid(
        "\"prepay_id\":\"wx1\",\"total_fee\":0.01,\"totalFee\":\"0.0100\",\"gatewayCommissionFee\":0.00,\
         \"gateway_commission_fee\":0",
    );
    assert_eq!(found.unwrap().amount, Some(Fen::new(1)));
    let paid = "\"trade_state\":\"SUCCESS\",\"total_fee\":0.01,";
    assert_eq!(
        queried(&format!("{paid}\"total_amount\":1.00")).unwrap_err(),
        "field return_value.total_amount"
    );
    assert_eq!(
        queried(&format!(
            "{paid}\"out_trade_no\":\"DEMO_20990101_0001\",\"outTradeNo\":\"B\""
        ))
        .unwrap_err(),
        "field return_value.outTradeNo"
    );
}

#[test]
fn an_answer_about_another_amount_is_foreign() {
    for wire in ["0.02", "\"0.02\"", "0", "100", "-0.01"] {
        let found = prepaid(&format!("\"prepay_id\":\"wx1\",\"total_fee\":{wire}"));
        assert_eq!(found.unwrap_err(), "foreign total_fee", "{wire}");
    }
    for wire in ["0.01", "\"0.01\"", "0.0100"] {
        prepaid(&format!("\"prepay_id\":\"wx1\",\"total_fee\":{wire}")).unwrap();
    }
    for wire in ["0.001", "1e-2", "\"0,01\"", "true"] {
        let found = prepaid(&format!("\"prepay_id\":\"wx1\",\"total_fee\":{wire}"));
        assert_eq!(found.unwrap_err(), "field return_value.total_fee", "{wire}");
    }
}

#[test]
fn what_this_version_does_not_know_is_kept() {
    let found = prepaid("\"prepay_id\":\"wx1\",\"new\":{\"a\":[1]},\"other\":1.50").unwrap();
    assert_eq!(
        (found.extra.get("new"), found.extra.get("other")),
        (Some("{\"a\":[1]}"), Some("1.50"))
    );
}

// ---- what is around it

#[test]
fn success_may_be_a_text_and_the_code_a_number() {
    for success in ["true", "\"true\""] {
        let body = format!("{{\"success\":{success},\"return_value\":{{\"prepay_id\":\"wx1\"}}}}");
        open(&pay(), body).unwrap();
    }
    for (body, code, message) in [
        (
            "{\"success\":false,\"error_code\":\"-101\",\"error_message\":\"无效参数 >> body\"}",
            "-101",
            "无效参数 >> body",
        ),
        ("{\"success\":\"false\",\"error_code\":-101}", "-101", ""),
        (
            "{\"success\":false,\"error_code\":-101,\"error_message\":null,\"return_value\":{\"prepay_id\":\"x\"}}",
            "-101",
            "",
        ),
        ("{\"success\":false}", "", ""),
    ] {
        let error = open(&pay(), body).unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            (code, message),
            "{body}"
        );
        assert!(!refusal.verified);
    }
    for (body, field) in [
        ("{}", "success"),
        ("{\"success\":null}", "success"),
        ("{\"success\":\"\"}", "success"),
        ("{\"success\":1}", "success"),
        ("{\"success\":\"TRUE\"}", "success"),
        ("{\"success\":[]}", "success"),
        ("{\"success\":false,\"error_code\":{}}", "error_code"),
        ("{\"success\":true}", "return_value"),
        ("{\"success\":true,\"return_value\":null}", "return_value"),
        ("{\"success\":true,\"return_value\":\"configured\"}", "return_value"),
        ("{\"success\":true,\"return_value\":[]}", "return_value"),
        ("{\"success\":true,\"return_value\":1}", "return_value"),
    ] {
        let response = reply(200, body);
        assert_eq!(refused(&pay(), &response), format!("field {field}"), "{body}");
        assert_eq!(refused(&query(), &response), format!("field {field}"), "{body}");
    }
}

#[test]
fn a_text_as_return_value_can_be_read_by_a_call_without_a_type() {
    use yuanfen_core::{Effect, RawOperation, Route, Unsigned};
    use yuanfen_envelope::Outcome;
    use yuanfen_fshows::{Account, Message, Reply};
    const ROUTE: Route = Route::new("fshows", "set_path", http::Method::POST, "/gateway", Effect::QueryFirst);
    let raw = RawOperation::new(
        ROUTE,
        Message::new("fshows.liquidation.wx.submerchant.config", "{}".to_owned()),
    );
    let (_, info) = raw
        .request::<Unsigned<Reply>>(&crate::account(), &crate::ambient())
        .unwrap();
    let response = reply(200, "{\"success\":true,\"return_value\":\"configured\"}");
    let opened: Unsigned<Reply> = RawOperation::<Account>::open(&info, &crate::account(), &response, now()).unwrap();
    match &opened.get().outcome {
        Outcome::Success(value) => assert_eq!(value.text().unwrap(), "configured"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_answer_is_said_to_be_none() {
    let html = "<!DOCTYPE html><html><body>502 Bad Gateway</body></html>";
    let success = "{\"success\":true,\"return_value\":{\"prepay_id\":\"wx1\",\"trade_state\":\"NOTPAY\"}}";
    for (status, text, expected) in [
        (200, "", "empty"),
        (200, " \n", "empty"),
        (200, html, "html"),
        (200, "success", "format"),
        (200, "[]", "format"),
        (200, "null", "format"),
        (200, "{\"success\":true", "format"),
        (200, "{\"success\":true}}", "format"),
        (200, "{\"success\":true,\"success\":true}", "format"),
        (200, "{\u{201c}success\u{201d}:true}", "format"),
        (202, success, "status 202"),
        (204, "", "status 204"),
        (301, "", "status 301"),
        (400, success, "status 400"),
        (429, "", "status 429"),
        (500, success, "status 500"),
        (502, html, "status 502"),
    ] {
        let response = reply(status, text);
        assert_eq!(refused(&pay(), &response), expected, "pay: {status} {text:?}");
        assert_eq!(refused(&query(), &response), expected, "query: {status} {text:?}");
        let error = yuanfen_core::OperationExt::reply(&pay(), &crate::account(), &response, now()).unwrap_err();
        assert_eq!(
            (error.fate(), error.advice()),
            (Fate::Unknown, Advice::QueryFirst),
            "{status} {text:?}"
        );
    }
    assert_eq!(refused(&pay(), &reply(200, &b"{\"success\":\"\xff\"}"[..])), "format");
    let doubled = "\"prepay_id\":\"wx1\",\"prepay_id\":\"wx2\"";
    assert_eq!(prepaid(doubled).unwrap_err(), "field return_value.prepay_id");
}

// ---- the query

/// An answer that names the order which was asked for.
pub(crate) fn ours(members: &str) -> Result<QueriedOrder, String> {
    queried(&format!("{members},\"out_trade_no\":\"DEMO_20990101_0001\""))
}

#[test]
fn which_status_field_came_tells_the_wallet() {
    let wechat = queried(
        "\"trade_state\":\"SUCCESS\",\"trade_state_desc\":\"ok\",\"openid\":\"o1\",\"total_fee\":0.01,\
         \"net_receipt_amount\":\"0.01\",\"time_end\":\"20240102030405\",\"out_trade_no\":\"DEMO_20990101_0001\",\
         \"trade_no\":\"2099010112000100000000000001\",\"status\":\"0\"",
    )
    .unwrap();
    assert_eq!(wechat.state, OrderState::Wechat(WechatState::Success));
    assert_eq!(
        (wechat.amount, wechat.net_amount),
        (Some(Fen::new(1)), Some(Fen::new(1)))
    );
    assert_eq!(wechat.paid_at, Some(now()));
    assert_eq!(wechat.openid.as_deref(), Some("o1"));
    assert_eq!(wechat.order_no, Some(order_no()));
    assert_eq!(wechat.extra.get("trade_state_desc"), Some("\"ok\""));
    let alipay = ours("\"tradeStatus\":\"TRADE_SUCCESS\",\"totalAmount\":\"0.01\"").unwrap();
    assert_eq!(
        (alipay.state, alipay.amount),
        (OrderState::Alipay(AlipayStatus::Success), Some(Fen::new(1)))
    );
    let bestpay = ours("\"trans_status\":\"B\",\"total_fee\":0.01").unwrap();
    assert_eq!(bestpay.state, OrderState::BestPay(BestPayStatus::Paid));
    for wire in ["2", "\"2\""] {
        let jd = ours(&format!(
            "\"status\":{wire},\"total_fee\":\"0.0100\",\"pay_time\":\"2099-01-01\""
        ))
        .unwrap();
        assert_eq!(jd.state, OrderState::Jd(JdStatus::Paid));
    }
    for wrong in ["", "\"trade_state\":\"\"", "\"status\":null", "\"result\":\"SUCCESS\""] {
        assert_eq!(queried(wrong).unwrap_err(), "field return_value.trade_state", "{wrong}");
    }
    assert_eq!(queried("\"status\":{}").unwrap_err(), "field return_value.status");
    assert_eq!(
        queried("\"trade_state\":2").unwrap_err(),
        "field return_value.trade_state"
    );
}

#[test]
fn the_words_of_two_wallets_are_refused() {
    for two in [
        "\"trade_state\":\"SUCCESS\",\"trade_status\":\"TRADE_CLOSED\",\"total_fee\":0.01",
        "\"trade_state\":\"NOTPAY\",\"trans_status\":\"B\",\"total_fee\":0.01",
        "\"trade_status\":\"WAIT_BUYER_PAY\",\"trans_status\":\"A\"",
    ] {
        assert_eq!(queried(two).unwrap_err(), "field return_value.trade_state", "{two}");
    }
}

#[test]
fn every_status_has_its_standing() {
    use Standing::{Accepted, Failed, Pending, Succeeded};
    let rows: &[(&str, &[(&str, Standing)])] = &[
        (
            "trade_state",
            &[
                ("SUCCESS", Succeeded),
                ("REFUND", Succeeded),
                ("NOTPAY", Accepted),
                ("USERPAYING", Pending),
                ("PAYERROR", Pending),
                ("CLOSED", Failed),
                ("REVOKED", Failed),
                ("success", Pending),
                ("NEW", Pending),
            ],
        ),
        (
            "trade_status",
            &[
                ("TRADE_SUCCESS", Succeeded),
                ("TRADE_FINISHED", Succeeded),
                ("WAIT_BUYER_PAY", Accepted),
                ("TRADE_CLOSED", Failed),
                ("SUCCESS", Pending),
            ],
        ),
        (
            "status",
            &[
                // In a call-back 0 is paid; here it is an order that was created.
                ("0", Accepted),
                ("1", Accepted),
                ("2", Succeeded),
                ("3", Failed),
                ("4", Succeeded),
                ("5", Succeeded),
                ("6", Succeeded),
                ("7", Succeeded),
                ("8", Pending),
                ("9", Failed),
                ("02", Pending),
            ],
        ),
        (
            "trans_status",
            &[
                ("A", Accepted),
                ("B", Succeeded),
                ("C", Failed),
                ("G", Failed),
                ("b", Pending),
            ],
        ),
    ];
    for (field, values) in rows {
        for (value, standing) in *values {
            let found = ours(&format!("\"{field}\":\"{value}\",\"total_fee\":0.01")).unwrap();
            assert_eq!(found.standing(), *standing, "{field} {value}");
            assert_eq!(found.state.is_paid(), *standing == Succeeded, "{field} {value}");
        }
    }
}

#[test]
fn a_paid_order_without_its_amount_is_half_an_answer() {
    for state in [
        "\"trade_state\":\"SUCCESS\"",
        "\"trade_status\":\"TRADE_SUCCESS\"",
        "\"status\":2",
        "\"trans_status\":\"B\"",
    ] {
        assert_eq!(queried(state).unwrap_err(), "field return_value.total_fee", "{state}");
        assert_eq!(
            queried(&format!("{state},\"total_fee\":\"\"")).unwrap_err(),
            "field return_value.total_fee"
        );
        ours(&format!("{state},\"total_fee\":0.01")).unwrap();
    }
    assert_eq!(queried("\"trade_state\":\"NOTPAY\"").unwrap().amount, None);
}

#[test]
fn the_end_of_an_order_counts_beside_the_number_that_was_asked_for() {
    let by_theirs = QueryOrder::by_trade_no(RemoteId::new("1").unwrap());
    for end in ["SUCCESS", "REFUND", "CLOSED", "REVOKED"] {
        let state = format!("\"trade_state\":\"{end}\",\"total_fee\":0.01");
        for theirs in ["", ",\"trade_no\":\"1\""] {
            assert_eq!(
                queried(&format!("{state}{theirs}")).unwrap_err(),
                "field return_value.out_trade_no",
                "{end}"
            );
        }
        ours(&state).unwrap();
        let body = |members: &str| format!("{{\"return_value\":{{{state}{members}}},\"success\":true}}");
        for members in ["", ",\"out_trade_no\":\"DEMO_20990101_0001\""] {
            assert_eq!(
                refused(&by_theirs, &reply(200, body(members))),
                "field return_value.trade_no",
                "{end}"
            );
        }
        open(&by_theirs, body(",\"tradeNo\":\"1\"")).unwrap();
    }
}

#[test]
fn an_answer_about_another_order_is_foreign() {
    let state = "\"trade_state\":\"NOTPAY\"";
    assert_eq!(
        queried(&format!("{state},\"out_trade_no\":\"OTHER\"")).unwrap_err(),
        "foreign out_trade_no"
    );
    let by_theirs = QueryOrder::by_trade_no(RemoteId::new("1").unwrap());
    let body = format!("{{\"return_value\":{{{state},\"tradeNo\":\"2\"}},\"success\":true}}");
    assert_eq!(refused(&by_theirs, &reply(200, body)), "foreign trade_no");
    let body =
        format!("{{\"return_value\":{{{state},\"trade_no\":\"1\",\"out_trade_no\":\"OTHER\"}},\"success\":true}}");
    open(&by_theirs, body).unwrap();
}

#[test]
fn a_time_that_is_none_does_not_fail_the_answer() {
    for wire in ["\"2024-01-02 03:04:05\"", "\"soon\"", "\"\"", "null", "20240132030405"] {
        let found = queried(&format!("\"trade_state\":\"NOTPAY\",\"time_end\":{wire}")).unwrap();
        assert_eq!(found.paid_at, None, "{wire}");
    }
    let found = queried("\"trade_state\":\"NOTPAY\",\"time_end\":20240102030405").unwrap();
    assert_eq!(found.paid_at, Some(now()));
}
