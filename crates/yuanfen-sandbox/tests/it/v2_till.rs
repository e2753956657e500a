//! Payment codes at the till on WeChat Pay v2: a code pays one order within a minute, a payer may have to type, and what
//! was charged can be taken back.

use std::collections::BTreeMap;
use std::time::Duration;

use yuanfen_core::Fen;
use yuanfen_sandbox::{
    BookError, Coupon, FarSide, FaultKind, FaultRule, OrderState, Payer, Platform, Reaction, RefundState, Setback,
};
use yuanfen_testkit::oracle;

use crate::shop::{far_side, v2};

const V2: Platform = Platform::WechatV2;

type Answer = BTreeMap<String, String>;

fn payer(openid: &str, reaction: Reaction) -> Payer {
    let mut payer = Payer::default();
    payer.openid = Some(openid.to_owned());
    payer.reaction = reaction;
    payer
}

fn code(far_side: &FarSide, reaction: Reaction) -> String {
    far_side.payment_code(V2, payer("oPayer-1", reaction))
}

fn charge(far_side: &FarSide, order_no: &str, code: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("out_trade_no", order_no),
        ("body", "noodles"),
        ("total_fee", "1000"),
        ("spbill_create_ip", "203.0.113.7"),
        ("attach", "till 3"),
        ("auth_code", code),
    ];
    for change in changes {
        fields.retain(|(name, _)| *name != change.0);
        fields.push(*change);
    }
    v2(far_side, "/pay/micropay", &fields)
}

fn reverse(far_side: &FarSide, order_no: &str) -> Answer {
    v2(far_side, "/secapi/pay/reverse", &[("out_trade_no", order_no)])
}

/// The code of a refusal, and of what is none `SUCCESS`.
fn said(answer: &Answer) -> &str {
    assert_eq!(answer["return_code"], "SUCCESS");
    match &*answer["result_code"] {
        "SUCCESS" => "SUCCESS",
        _ => &answer["err_code"],
    }
}

fn state(far_side: &FarSide, order_no: &str) -> String {
    let answer = v2(far_side, "/pay/orderquery", &[("out_trade_no", order_no)]);
    assert_eq!(answer["result_code"], "SUCCESS");
    answer["trade_state"].clone()
}

fn later(far_side: &FarSide, seconds: u64) {
    far_side.clock().advance(Duration::from_secs(seconds)).unwrap();
}

#[test]
fn a_code_pays_at_once_and_the_answer_is_the_only_word_of_it() {
    let far_side = far_side();
    let mut holder = payer("oPayer-1", Reaction::Pays);
    holder.bank = Some("ICBC_DEBIT".to_owned());
    holder.coupons = vec![
        Coupon::new("C1", Fen::new(30), false),
        Coupon::new("C2", Fen::new(70), true),
    ];
    let code = far_side.payment_code(V2, holder);
    assert!(
        code.len() == 18 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );
    assert!(("10"..="15").contains(&&code[..2]), "{code}");
    let answer = charge(&far_side, "T1", &code, &[("device_info", "till-3")]);
    assert_eq!(said(&answer), "SUCCESS");
    for (name, value) in [
        ("out_trade_no", "T1"),
        ("openid", "oPayer-1"),
        ("is_subscribe", "N"),
        ("trade_type", "MICROPAY"),
        ("bank_type", "ICBC_DEBIT"),
        ("total_fee", "1000"),
        ("settlement_total_fee", "970"),
        ("cash_fee", "900"),
        ("coupon_fee", "100"),
        ("coupon_count", "2"),
        ("coupon_type_1", "CASH"),
        ("attach", "till 3"),
        ("device_info", "till-3"),
        ("time_end", "20251009165320"),
    ] {
        assert_eq!(answer[name], value, "{name}");
    }
    let key = far_side.wechat_v2().api_key.expose().clone();
    assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key));
    assert_eq!(state(&far_side, "T1"), "SUCCESS");
    assert!(far_side.due_notices().is_empty());
    // The number is paid, and stays so.
    assert_eq!(
        said(&charge(&far_side, "T1", &code, &[("device_info", "till-3")])),
        "ORDERPAID"
    );
    let order = far_side.order(V2, "T1").unwrap();
    assert_eq!(order.payment.unwrap().transaction_id, answer["transaction_id"]);
}

#[test]
fn signs_under_the_digest_of_the_call_also_what_it_refuses() {
    let far_side = far_side();
    let key = far_side.wechat_v2().api_key.expose().clone();
    let hmac = [("sign_type", "HMAC-SHA256")];
    let refused = charge(&far_side, "T1", "130000000000000000", &hmac);
    assert_eq!(said(&refused), "AUTH_CODE_INVALID");
    assert_eq!(refused["sign"], oracle::v2_hmac(&refused, &key));
    let paid = charge(&far_side, "T2", &code(&far_side, Reaction::Pays), &hmac);
    assert_eq!(paid["sign"], oracle::v2_hmac(&paid, &key));
}

#[test]
fn a_code_lives_a_minute_and_pays_one_order() {
    let far_side = far_side();
    let (young, old) = (code(&far_side, Reaction::Pays), code(&far_side, Reaction::Pays));
    later(&far_side, 59);
    assert_eq!(said(&charge(&far_side, "T1", &young, &[])), "SUCCESS");
    assert_eq!(said(&charge(&far_side, "T2", &young, &[])), "AUTH_CODE_ERROR");
    later(&far_side, 1);
    assert_eq!(said(&charge(&far_side, "T3", &old, &[])), "AUTHCODEEXPIRE");
    assert_eq!(
        said(&charge(&far_side, "T4", "289999999999999999", &[])),
        "AUTH_CODE_INVALID"
    );
    // A code that was refused makes no order.
    for order_no in ["T2", "T3", "T4"] {
        assert!(far_side.order(V2, order_no).is_none(), "{order_no}");
    }
}

#[test]
fn the_payer_types_above_a_thousand_yuan_or_when_told_to() {
    let far_side = far_side();
    let most = charge(
        &far_side,
        "T1",
        &code(&far_side, Reaction::Pays),
        &[("total_fee", "100000")],
    );
    assert_eq!(said(&most), "SUCCESS");
    for (order_no, total, reaction) in [("T2", "100001", Reaction::Pays), ("T3", "1", Reaction::Types)] {
        let code = code(&far_side, reaction);
        let answer = charge(&far_side, order_no, &code, &[("total_fee", total)]);
        assert_eq!(said(&answer), "USERPAYING");
        assert!(!answer.contains_key("transaction_id"));
        assert_eq!(state(&far_side, order_no), "USERPAYING");
        // The identical call finds the payer still typing, and charges nothing a second time.
        let again = charge(&far_side, order_no, &code, &[("total_fee", total)]);
        assert_eq!(said(&again), "USERPAYING");
        assert_eq!(far_side.pay(V2, order_no).unwrap().payment.unwrap().payer, "oPayer-1");
        assert_eq!(state(&far_side, order_no), "SUCCESS");
    }
}

#[test]
fn a_payer_who_gives_up_fails_or_lets_a_minute_pass_pays_no_more() {
    for (end, expected, again) in [
        ("cancel", "NOTPAY", "TRADE_ERROR"),
        ("fail", "PAYERROR", "TRADE_ERROR"),
        ("wait", "NOTPAY", "TRADE_ERROR"),
    ] {
        let far_side = far_side();
        let code = code(&far_side, Reaction::Types);
        assert_eq!(said(&charge(&far_side, "T1", &code, &[])), "USERPAYING");
        later(&far_side, 59);
        assert_eq!(state(&far_side, "T1"), "USERPAYING");
        match end {
            "cancel" => assert_eq!(far_side.cancel(V2, "T1").unwrap().setback, Some(Setback::Cancelled)),
            "fail" => assert_eq!(far_side.fail(V2, "T1").unwrap().state(), OrderState::PaymentFailed),
            _ => later(&far_side, 1),
        }
        assert_eq!(state(&far_side, "T1"), expected, "{end}");
        assert_eq!(far_side.pay(V2, "T1").unwrap_err(), BookError::NoPayer, "{end}");
        assert_eq!(far_side.cancel(V2, "T1").unwrap_err(), BookError::NoPayer, "{end}");
        assert_eq!(said(&charge(&far_side, "T1", &code, &[])), again, "{end}");
    }
}

#[test]
fn says_what_keeps_a_payer_from_paying() {
    for (reaction, expected, then) in [
        (Reaction::LacksMoney, "NOTENOUGH", "PAYERROR"),
        (Reaction::CardRefused, "NOTSUPORTCARD", "PAYERROR"),
        (Reaction::Refused, "TRADE_ERROR", "PAYERROR"),
        // Nothing can be concluded from this one.
        (Reaction::BankSilent, "BANKERROR", "USERPAYING"),
    ] {
        let far_side = far_side();
        let code = code(&far_side, reaction);
        for _ in 0..2 {
            assert_eq!(said(&charge(&far_side, "T1", &code, &[])), expected);
        }
        assert_eq!(state(&far_side, "T1"), then);
        if reaction == Reaction::BankSilent {
            far_side.pay(V2, "T1").unwrap();
            assert_eq!(state(&far_side, "T1"), "SUCCESS");
        }
    }
}

#[test]
fn a_number_that_was_begun_belongs_to_its_payer_and_its_request() {
    let far_side = far_side();
    let first = code(&far_side, Reaction::Types);
    assert_eq!(said(&charge(&far_side, "T1", &first, &[])), "USERPAYING");
    let same_payer = code(&far_side, Reaction::Pays);
    let other_payer = far_side.payment_code(V2, payer("oPayer-2", Reaction::Pays));
    for (code, changes, expected) in [
        (&first, &[("total_fee", "999")][..], "OUT_TRADE_NO_USED"),
        (&same_payer, &[], "OUT_TRADE_NO_USED"),
        (&other_payer, &[], "BUYER_MISMATCH"),
    ] {
        assert_eq!(said(&charge(&far_side, "T1", code, changes)), expected);
    }
    // Nor does it become an order of another kind, or the other way round.
    let unified = |order_no| {
        let fields = [
            ("out_trade_no", order_no),
            ("body", "noodles"),
            ("total_fee", "1000"),
            ("spbill_create_ip", "203.0.113.7"),
            ("notify_url", "https://shop.example/notify"),
            ("trade_type", "APP"),
        ];
        v2(&far_side, "/pay/unifiedorder", &fields)
    };
    assert_eq!(said(&unified("T1")), "OUT_TRADE_NO_USED");
    assert_eq!(said(&unified("A1")), "SUCCESS");
    assert_eq!(said(&charge(&far_side, "A1", &same_payer, &[])), "OUT_TRADE_NO_USED");
    v2(&far_side, "/pay/closeorder", &[("out_trade_no", "A1")]);
    assert_eq!(said(&charge(&far_side, "A1", &same_payer, &[])), "ORDERCLOSED");
    // None of this used the codes up.
    assert_eq!(said(&charge(&far_side, "T2", &same_payer, &[])), "SUCCESS");
    assert_eq!(said(&charge(&far_side, "T3", &other_payer, &[])), "SUCCESS");
}

#[test]
fn refuses_what_no_charge_can_be() {
    let long = |length: usize| "9".repeat(length);
    let (n33, n128, n129) = (long(33), long(128), long(129));
    for (changes, expected) in [
        (&[("auth_code", "")][..], "LACK_PARAMS"),
        (&[("auth_code", &n129)], "PARAM_ERROR"),
        (&[("body", "")], "LACK_PARAMS"),
        (&[("body", &n129)], "PARAM_ERROR"),
        (&[("out_trade_no", "")], "LACK_PARAMS"),
        (&[("out_trade_no", &n33)], "PARAM_ERROR"),
        (&[("out_trade_no", "T@1")], "PARAM_ERROR"),
        (&[("total_fee", "0")], "PARAM_ERROR"),
        (&[("total_fee", "10.00")], "PARAM_ERROR"),
        (&[("total_fee", "")], "LACK_PARAMS"),
        (&[("fee_type", "USD")], "PARAM_ERROR"),
        (&[("spbill_create_ip", "")], "LACK_PARAMS"),
        (&[("spbill_create_ip", "till")], "PARAM_ERROR"),
        (&[("attach", &n128)], "PARAM_ERROR"),
        (&[("deposit", "yes")], "PARAM_ERROR"),
        (&[("time_expire", "2025-10-09 17:00:00")], "PARAM_ERROR"),
        (
            &[("time_start", "20251009170000"), ("time_expire", "20251009170000")],
            "PARAM_ERROR",
        ),
        (&[("sub_mch_id", "1900000111")], "NOAUTH"),
    ] {
        let far_side = far_side();
        let code = code(&far_side, Reaction::Pays);
        assert_eq!(said(&charge(&far_side, "T1", &code, changes)), expected, "{changes:?}");
        // What is refused for its form charges nobody.
        assert_eq!(said(&charge(&far_side, "T9", &code, &[])), "SUCCESS", "{changes:?}");
    }
}

#[test]
fn takes_back_what_is_unpaid_typed_failed_or_paid() {
    for (reaction, before) in [
        (Reaction::Pays, "SUCCESS"),
        (Reaction::Types, "USERPAYING"),
        (Reaction::LacksMoney, "PAYERROR"),
    ] {
        let far_side = far_side();
        charge(&far_side, "T1", &code(&far_side, reaction), &[]);
        assert_eq!(state(&far_side, "T1"), before);
        for _ in 0..2 {
            let answer = reverse(&far_side, "T1");
            assert_eq!((said(&answer), &*answer["recall"]), ("SUCCESS", "N"));
        }
        assert_eq!(state(&far_side, "T1"), "REVOKED");
        assert_eq!(far_side.pay(V2, "T1").unwrap_err(), BookError::Revoked);
        let next = code(&far_side, Reaction::Pays);
        assert_eq!(said(&charge(&far_side, "T1", &next, &[])), "ORDERREVERSED");
        // The money of a paid order is back with the payer, all of it, once.
        let order = far_side.order(V2, "T1").unwrap();
        let back: Vec<(i64, RefundState)> = order.refunds.iter().map(|one| (one.amount.get(), one.state)).collect();
        let expected: &[(i64, RefundState)] = match reaction {
            Reaction::Pays => &[(1000, RefundState::Succeeded)],
            _ => &[],
        };
        assert_eq!(back, expected);
        assert_eq!(order.refundable(), Fen::ZERO);
    }
}

#[test]
fn takes_back_by_the_platforms_number_and_for_seven_days() {
    let far_side = far_side();
    let pay = |order_no: &str| charge(&far_side, order_no, &code(&far_side, Reaction::Pays), &[]);
    let first = pay("T1")["transaction_id"].clone();
    pay("T2");
    later(&far_side, 7 * 86_400);
    let answer = v2(&far_side, "/secapi/pay/reverse", &[("transaction_id", &first)]);
    assert_eq!(said(&answer), "SUCCESS");
    later(&far_side, 1);
    let late = reverse(&far_side, "T2");
    assert_eq!((said(&late), &*late["recall"]), ("REVERSE_EXPIRE", "N"));
    assert_eq!(state(&far_side, "T2"), "SUCCESS");
}

#[test]
fn takes_back_nothing_but_charges_that_nothing_was_refunded_of() {
    let far_side = far_side();
    charge(&far_side, "T1", &code(&far_side, Reaction::Pays), &[]);
    let refund = [
        ("out_trade_no", "T1"),
        ("out_refund_no", "R1"),
        ("total_fee", "1000"),
        ("refund_fee", "1"),
    ];
    assert_eq!(said(&v2(&far_side, "/secapi/pay/refund", &refund)), "SUCCESS");
    let unified = [
        ("out_trade_no", "A1"),
        ("body", "noodles"),
        ("total_fee", "1000"),
        ("spbill_create_ip", "203.0.113.7"),
        ("notify_url", "https://shop.example/notify"),
        ("trade_type", "APP"),
    ];
    assert_eq!(said(&v2(&far_side, "/pay/unifiedorder", &unified)), "SUCCESS");
    for (asked, expected) in [
        (("out_trade_no", "T1"), "TRADE_ERROR"),
        (("out_trade_no", "A1"), "INVALID_REQUEST"),
        (("out_trade_no", "T9"), "TRADE_ERROR"),
        (("transaction_id", "4200"), "INVALID_TRANSACTIONID"),
        (("out_trade_no", ""), "LACK_PARAMS"),
    ] {
        let answer = v2(&far_side, "/secapi/pay/reverse", &[asked]);
        assert_eq!((said(&answer), &*answer["recall"]), (expected, "N"), "{asked:?}");
    }
    // And what was taken back is not refunded.
    charge(&far_side, "T2", &code(&far_side, Reaction::Pays), &[]);
    reverse(&far_side, "T2");
    let refund = [
        ("out_trade_no", "T2"),
        ("out_refund_no", "R2"),
        ("total_fee", "1000"),
        ("refund_fee", "1"),
    ];
    assert_eq!(said(&v2(&far_side, "/secapi/pay/refund", &refund)), "TRADE_STATE_ERROR");
}

#[test]
fn wants_to_be_asked_again_as_often_as_agreed() {
    let far_side = far_side();
    charge(&far_side, "T1", &code(&far_side, Reaction::Types), &[]);
    far_side.recall_wechat_v2_reversals(2);
    for _ in 0..2 {
        let answer = reverse(&far_side, "T1");
        assert_eq!((said(&answer), &*answer["recall"]), ("SYSTEMERROR", "Y"));
        let key = far_side.wechat_v2().api_key.expose().clone();
        assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key));
        assert_eq!(state(&far_side, "T1"), "USERPAYING");
    }
    assert_eq!(said(&reverse(&far_side, "T1")), "SUCCESS");
    assert_eq!(state(&far_side, "T1"), "REVOKED");
}

#[test]
fn a_system_error_is_signed_and_says_nothing_of_what_happened() {
    let far_side = far_side();
    far_side.set_faults(FaultRule::new(FaultKind::SystemError).during("micropay"));
    let answer = charge(&far_side, "T1", &code(&far_side, Reaction::Pays), &[]);
    assert_eq!(said(&answer), "SYSTEMERROR");
    let key = far_side.wechat_v2().api_key.expose().clone();
    assert_eq!(answer["sign"], oracle::v2_md5(&answer, &key));
    // It was paid all the same.
    assert_eq!(state(&far_side, "T1"), "SUCCESS");
    far_side.set_faults(FaultRule::new(FaultKind::SystemError).during("reverse-order"));
    let answer = reverse(&far_side, "T1");
    assert_eq!((said(&answer), &*answer["recall"]), ("SYSTEMERROR", "Y"));
    assert_eq!(state(&far_side, "T1"), "REVOKED");
}

#[test]
fn a_charge_is_taken_back_and_not_closed() {
    let far_side = far_side();
    charge(&far_side, "T1", &code(&far_side, Reaction::Types), &[]);
    let closed = v2(&far_side, "/pay/closeorder", &[("out_trade_no", "T1")]);
    assert_eq!(said(&closed), "TRADE_STATE_ERROR");
    assert_eq!(state(&far_side, "T1"), "USERPAYING");
}

#[test]
fn tells_who_shows_a_code_and_does_not_use_it_up() {
    let far_side = far_side();
    let code = code(&far_side, Reaction::Pays);
    let ask = |code: &str| v2(&far_side, "/tools/authcodetoopenid", &[("auth_code", code)]);
    for _ in 0..2 {
        let answer = ask(&code);
        assert_eq!((said(&answer), &*answer["openid"]), ("SUCCESS", "oPayer-1"));
        assert!(!answer.contains_key("sub_openid"));
    }
    assert_eq!(said(&charge(&far_side, "T1", &code, &[])), "SUCCESS");
    assert_eq!(said(&ask(&code)), "AUTH_CODE_ERROR");
    assert_eq!(said(&ask("130000000000000000")), "AUTH_CODE_INVALID");
    assert_eq!(said(&ask("")), "LACK_PARAMS");
    assert_eq!(said(&ask(&"9".repeat(129))), "PARAM_ERROR");
}

#[test]
fn shows_neither_codes_nor_who_showed_them() {
    let far_side = far_side();
    let code = code(&far_side, Reaction::Types);
    charge(&far_side, "T1", &code, &[]);
    let order = far_side.order(V2, "T1").unwrap();
    let printed = format!("{order:?} {:?} {:?}", order.charge, far_side.exchanges());
    assert!(printed.contains("waits_until"), "{printed}");
    for secret in [code.as_str(), "oPayer-1", "till 3"] {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
}

#[test]
fn coupons_that_are_worth_more_than_the_order_stay_in_the_payers_pocket() {
    let far_side = far_side();
    let mut holder = Payer::default();
    holder.coupons = vec![Coupon::new("C1", Fen::new(1001), true)];
    let code = far_side.payment_code(V2, holder);
    let answer = charge(&far_side, "T1", &code, &[]);
    assert_eq!((said(&answer), &*answer["cash_fee"]), ("SUCCESS", "1000"));
    assert!(!answer.contains_key("coupon_fee"));
}
