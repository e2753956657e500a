//! APIv3 payment codes: what comes of charging one, and how a charge is taken back.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde_json::{Value, json};
use yuanfen_sandbox::{Account, BookError, FarSide, OrderState, Payer, Platform, Reaction};

use crate::shop::{far_side, json_of, refusal, v3, v3_provider};
use crate::v3_orders::{APP, own_ids, partner_ids, with};

const V3: Platform = Platform::WechatV3;

pub fn body(ids: Value, code: &str, number: &str, total: i64) -> Value {
    let charge = json!({
        "description": "tea",
        "out_trade_no": number,
        "payer": { "auth_code": code },
        "amount": { "total": total, "currency": "CNY" },
        "scene_info": { "device_ip": "203.0.113.8" },
    });
    with(ids, &charge)
}

fn charge(far_side: &FarSide, code: &str, number: &str, total: i64) -> Response<Bytes> {
    let body = body(own_ids(), code, number, total).to_string();
    v3(far_side, "POST", "/v3/pay/transactions/codepay", &body)
}

fn charge_for(far_side: &FarSide, code: &str, number: &str, sub: &str) -> Response<Bytes> {
    let ids = with(partner_ids(), &json!({ "sub_mchid": sub }));
    let body = body(ids, code, number, 100).to_string();
    v3_provider(far_side, "POST", "/v3/pay/partner/transactions/codepay", &body)
}

fn reverse(far_side: &FarSide, number: &str) -> Response<Bytes> {
    let target = format!("/v3/pay/transactions/out-trade-no/{number}/reverse");
    v3(far_side, "POST", &target, &own_ids().to_string())
}

fn code(far_side: &FarSide, reaction: Reaction) -> String {
    let mut payer = Payer::default();
    payer.reaction = reaction;
    far_side.payment_code(V3, payer)
}

fn state(far_side: &FarSide, number: &str) -> String {
    let target = format!("/v3/pay/transactions/out-trade-no/{number}?mchid=1900000001");
    let found = json_of(&v3(far_side, "GET", &target, ""));
    found["trade_state"].as_str().unwrap().to_owned()
}

fn said(response: &Response<Bytes>) -> (u16, String) {
    if response.status().is_success() {
        (response.status().as_u16(), String::new())
    } else {
        refusal(response)
    }
}

fn says(response: &Response<Bytes>, status: u16, code: &str) -> bool {
    said(response) == (status, code.to_owned())
}

#[test]
fn a_payer_who_types_is_202_until_they_paid_gave_up_or_let_the_time_pass() {
    type Step = fn(&FarSide);
    let paid: Step = |far_side| assert!(far_side.pay(V3, "TILL_1").is_ok());
    let gave_up: Step = |far_side| assert!(far_side.cancel(V3, "TILL_1").is_ok());
    let failed: Step = |far_side| assert!(far_side.fail(V3, "TILL_1").is_ok());
    let timed_out: Step = |far_side| {
        far_side.clock().advance(Duration::from_secs(59)).unwrap();
        assert_eq!(state(far_side, "TILL_1"), "USERPAYING");
        far_side.clock().advance(Duration::from_secs(1)).unwrap();
    };
    for (step, total, reaction, expected) in [
        (paid, 100, Reaction::Types, "SUCCESS"),
        // Above 1000 yuan the password is asked for whatever the payer is like.
        (paid, 100_001, Reaction::Pays, "SUCCESS"),
        (gave_up, 100, Reaction::Types, "NOTPAY"),
        (failed, 100, Reaction::Types, "PAYERROR"),
        (timed_out, 100, Reaction::Types, "NOTPAY"),
    ] {
        let far_side = far_side();
        let code = code(&far_side, reaction);
        let answer = charge(&far_side, &code, "TILL_1", total);
        assert_eq!(answer.status(), 202);
        assert_eq!(
            json_of(&answer),
            json!({ "out_trade_no": "TILL_1", "trade_state": "USERPAYING" })
        );
        // The same call again is the same charge.
        assert_eq!(charge(&far_side, &code, "TILL_1", total).status(), 202);
        assert_eq!(state(&far_side, "TILL_1"), "USERPAYING");
        step(&far_side);
        assert_eq!(state(&far_side, "TILL_1"), expected);
        // Code payments are told of by nobody.
        assert!(far_side.due_notices().is_empty());
    }
}

#[test]
fn a_code_lives_a_minute_and_pays_one_order() {
    let far_side = far_side();
    let first = code(&far_side, Reaction::Pays);
    assert_eq!(charge(&far_side, &first, "TILL_1", 100_000).status(), 200);
    assert!(says(&charge(&far_side, &first, "TILL_2", 1), 400, "AUTH_CODE_ERROR"));
    let late = code(&far_side, Reaction::Pays);
    far_side.clock().advance(Duration::from_secs(60)).unwrap();
    assert!(says(&charge(&far_side, &late, "TILL_2", 1), 400, "AUTHCODEEXPIRE"));
    for unknown in ["130000000000000000", "13", "not a code"] {
        assert!(says(&charge(&far_side, unknown, "TILL_2", 1), 400, "AUTH_CODE_INVALID"));
    }
    // None of them used the number up.
    let fresh = code(&far_side, Reaction::Pays);
    assert_eq!(charge(&far_side, &fresh, "TILL_2", 1).status(), 200);
    assert!(says(&charge(&far_side, &fresh, "TILL_2", 1), 400, "ORDER_PAID"));
}

#[test]
fn a_number_that_was_begun_takes_no_other_charge() {
    let far_side = far_side();
    let first = code(&far_side, Reaction::Types);
    assert_eq!(charge(&far_side, &first, "TILL_1", 100).status(), 202);
    let mut other = Payer::default();
    other.openid = Some("oSomebodyElse".to_owned());
    let somebody = far_side.payment_code(V3, other);
    for (code, total) in [(&first, 101), (&somebody, 100)] {
        let answer = charge(&far_side, code, "TILL_1", total);
        assert!(says(&answer, 403, "OUT_TRADE_NO_USED"), "{total}");
    }
    // Nor does an order in a cashier become a charge, or a charge an order.
    let order = |number: &str| {
        let body = crate::shop::order(number, 100, "http://127.0.0.1:9/notify");
        v3(&far_side, "POST", "/v3/pay/transactions/jsapi", &body)
    };
    assert!(says(&order("TILL_1"), 403, "OUT_TRADE_NO_USED"));
    assert_eq!(order("PAGE_1").status(), 200);
    assert!(says(
        &charge(&far_side, &somebody, "PAGE_1", 100),
        403,
        "OUT_TRADE_NO_USED"
    ));
}

#[test]
fn the_payers_bank_speaks_in_the_public_codes() {
    for (reaction, status, code_said, state_after) in [
        (Reaction::BankSilent, 500, "BANK_ERROR", "USERPAYING"),
        (Reaction::LacksMoney, 403, "NOT_ENOUGH", "PAYERROR"),
        (Reaction::CardRefused, 403, "TRADE_ERROR", "PAYERROR"),
        (Reaction::Refused, 403, "RULE_LIMIT", "PAYERROR"),
    ] {
        let far_side = far_side();
        let code = code(&far_side, reaction);
        for _ in 0..2 {
            assert!(
                says(&charge(&far_side, &code, "TILL_1", 100), status, code_said),
                "{reaction:?}"
            );
        }
        assert_eq!(state(&far_side, "TILL_1"), state_after, "{reaction:?}");
        if reaction == Reaction::BankSilent {
            // The bank answers after all.
            far_side.pay(V3, "TILL_1").unwrap();
            assert_eq!(state(&far_side, "TILL_1"), "SUCCESS");
        }
        assert_eq!(reverse(&far_side, "TILL_1").status(), 200, "{reaction:?}");
        assert_eq!(state(&far_side, "TILL_1"), "REVOKED", "{reaction:?}");
    }
}

#[test]
fn a_till_has_members_of_its_own() {
    let far_side = far_side();
    let code = code(&far_side, Reaction::Pays);
    for (changes, field) in [
        (json!({ "notify_url": "http://127.0.0.1:9/notify" }), "/notify_url"),
        (json!({ "time_expire": "2026-01-01T00:00:00+08:00" }), "/time_expire"),
        (json!({ "limit_pay": ["no_credit"] }), "/limit_pay"),
        (json!({ "scene_info": null }), "/scene_info"),
        (
            json!({ "scene_info": { "payer_client_ip": "203.0.113.7" } }),
            "/scene_info/payer_client_ip",
        ),
        (
            json!({ "scene_info": { "store_info": { "name": "x" } } }),
            "/scene_info/store_info/name",
        ),
        (json!({ "payer": { "openid": "o" } }), "/payer/openid"),
        (json!({ "payer": {} }), "/payer/auth_code"),
        (json!({ "amount": { "total": 0 } }), "/amount/total"),
        (
            json!({ "amount": { "total": 1, "currency": "USD" } }),
            "/amount/currency",
        ),
        (
            json!({ "detail": { "goods_detail": [{ "merchant_goods_id": "1", "wechatpay_goods_id": "1", "quantity": 1,
                "unit_price": 1 }] } }),
            "/detail/goods_detail/0/wechatpay_goods_id",
        ),
        (
            json!({ "detail": { "goods_detail": [{ "merchant_goods_id": "1", "quantity": 1, "unit_price": 101 }] } }),
            "/detail/goods_detail",
        ),
        (json!({ "out_trade_no": "a b c d" }), "/out_trade_no"),
    ] {
        let body = with(body(own_ids(), &code, "TILL_1", 100), &changes).to_string();
        let answer = v3(&far_side, "POST", "/v3/pay/transactions/codepay", &body);
        assert!(says(&answer, 400, "PARAM_ERROR"), "{changes}: {answer:?}");
        assert_eq!(json_of(&answer)["detail"]["field"], field, "{changes}");
    }
    assert!(far_side.orders(V3).is_empty());
    // Nothing of that used the code up.
    assert_eq!(charge(&far_side, &code, "TILL_1", 100).status(), 200);
}

#[test]
fn what_is_taken_back_is_revoked_and_what_is_not_at_the_till_cannot_be() {
    let far_side = far_side();
    let place = |number: &str, reaction| {
        let code = code(&far_side, reaction);
        charge(&far_side, &code, number, 100);
    };
    // Paid, and still being typed.
    for (number, reaction) in [("TILL_1", Reaction::Pays), ("TILL_2", Reaction::Types)] {
        place(number, reaction);
        for _ in 0..2 {
            let answer = reverse(&far_side, number);
            assert_eq!(answer.status(), 200);
            assert_eq!(json_of(&answer), with(own_ids(), &json!({ "out_trade_no": number })));
        }
        assert_eq!(state(&far_side, number), "REVOKED");
        assert_eq!(far_side.pay(V3, number).unwrap_err(), BookError::Revoked);
    }
    let refunded = far_side.order(V3, "TILL_1").unwrap();
    assert_eq!(refunded.refunds[0].amount.get(), 100);
    assert!(far_side.order(V3, "TILL_2").unwrap().refunds.is_empty());

    // A close is for orders in a cashier, and taking back for charges.
    place("TILL_3", Reaction::Pays);
    place("TILL_4", Reaction::Types);
    for number in ["TILL_3", "TILL_4"] {
        let close = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        let answer = v3(&far_side, "POST", &close, r#"{"mchid":"1900000001"}"#);
        assert!(says(&answer, 400, "INVALID_REQUEST"), "{number}");
        let id = answer.headers()["request-id"].to_str().unwrap();
        assert!(id.ends_with("-268449641"), "{id}");
    }
    crate::shop::place(&far_side, "PAGE_1", 100, "http://127.0.0.1:9/notify");
    assert!(says(&reverse(&far_side, "PAGE_1"), 400, "INVALID_REQUEST"));
    assert!(says(&reverse(&far_side, "NOBODYS"), 404, "ORDER_NOT_EXIST"));
    // Not what was refunded by hand.
    let refund = crate::shop::refund(&far_side, "TILL_3", "R1", 1, 100);
    assert_eq!(refund.status(), 200);
    assert!(says(&reverse(&far_side, "TILL_3"), 403, "TRADE_ERROR"));
    // Nor what is older than a week.
    place("TILL_5", Reaction::Pays);
    far_side.clock().advance(Duration::from_secs(7 * 86_400)).unwrap();
    place("TILL_6", Reaction::Pays);
    assert_eq!(reverse(&far_side, "TILL_5").status(), 200);
    far_side.clock().advance(Duration::from_secs(7 * 86_400 + 1)).unwrap();
    assert!(says(&reverse(&far_side, "TILL_6"), 400, "INVALID_REQUEST"));
}

#[test]
fn a_provider_charges_and_takes_back_for_its_merchant_and_names_its_app() {
    let provider = Account::provider(V3);
    let far_side = far_side();
    let code = code(&far_side, Reaction::Pays);
    for (sub, status, refused) in [
        ("1900000101", 400, "PARAM_ERROR"),
        ("1900000119", 403, "NO_AUTH"),
        ("1900000001", 403, "NO_AUTH"),
    ] {
        assert!(
            says(&charge_for(&far_side, &code, "TILL_1", sub), status, refused),
            "{sub}"
        );
    }
    let paid = charge_for(&far_side, &code, "TILL_1", "1900000111");
    assert_eq!(paid.status(), 200);
    let paid = json_of(&paid);
    assert_eq!(
        (&paid["sp_mchid"], &paid["sub_mchid"], &paid["payer"]["sp_openid"]),
        (
            &json!("1900000101"),
            &json!("1900000111"),
            &json!("oSandbox_Payer-0123456789abc")
        )
    );
    assert!(paid.get("mchid").is_none() && paid.get("sub_appid").is_none());

    let reverse = |ids: Value| {
        let target = "/v3/pay/partner/transactions/out-trade-no/TILL_1/reverse";
        v3_provider(&far_side, "POST", target, &ids.to_string())
    };
    for (ids, status, refused) in [
        // The page calls it optional.
        (json!({ "sp_appid": null }), 500, "SYSTEM_ERROR"),
        (json!({ "sp_mchid": null }), 400, "PARAM_ERROR"),
        (json!({ "sub_mchid": null }), 400, "PARAM_ERROR"),
        (json!({ "sub_mchid": "1900000112" }), 400, "INVALID_REQUEST"),
        (json!({ "sub_mchid": "1900000119" }), 403, "NO_AUTH"),
        (json!({ "sub_appid": APP }), 400, "APPID_MCHID_NOT_MATCH"),
    ] {
        let answer = reverse(with(partner_ids(), &ids));
        assert!(says(&answer, status, refused), "{ids}: {answer:?}");
    }
    // The direct merchant has no such charge.
    assert!(says(&self::reverse(&far_side, "TILL_1"), 404, "ORDER_NOT_EXIST"));
    assert_eq!(far_side.order(provider, "TILL_1").unwrap().state(), OrderState::Paid);
    assert_eq!(reverse(partner_ids()).status(), 200);
    assert_eq!(far_side.order(provider, "TILL_1").unwrap().state(), OrderState::Revoked);
}
