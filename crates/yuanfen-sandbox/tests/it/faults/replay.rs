//! The same seed, plan and calls give the same answers and the same notices, byte for byte.

use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderMap;
use serde_json::json;
use yuanfen_core::PayAmount;
use yuanfen_sandbox::{FarSide, FaultKind, FaultPlan, FaultRule, Payer, Platform, RefundState};

use super::{CLOSE, QUERY, UNIFIED, URL, V3};
use crate::shop::{self, clock, v3_request};
use crate::{v3_orders, v3_till};

fn plan() -> FaultPlan {
    let fen = |fen| PayAmount::from_fen(fen).unwrap();
    FaultPlan::none()
        .with(FaultRule::new(FaultKind::LoseReply).permille(150))
        .with(FaultRule::new(FaultKind::Status(502)).permille(150))
        .with(FaultRule::new(FaultKind::CorruptSignature).permille(100))
        .with(FaultRule::new(FaultKind::AddFields).permille(300))
        .with(FaultRule::new(FaultKind::AlterReply).on(V3).permille(50))
        .with(
            FaultRule::new(FaultKind::ChangeAmount(fen(7)))
                .during("query-order")
                .permille(200),
        )
        .with(FaultRule::new(FaultKind::Refuse("SYSTEMERROR".parse().unwrap())).permille(100))
        .with(FaultRule::new(FaultKind::RotateKey).during("query-order").nth(9))
        .with(FaultRule::new(FaultKind::RenumberNotice).permille(300))
        .with(FaultRule::new(FaultKind::ContradictNotice(fen(3))).permille(300))
        .with(FaultRule::new(FaultKind::OvertakeNotice).permille(200))
        .with(FaultRule::new(FaultKind::LoseNotice).permille(200))
}

fn put(script: &mut String, headers: &HeaderMap, body: &[u8]) {
    for (name, value) in headers {
        writeln!(script, "{name}: {}", value.to_str().unwrap()).unwrap();
    }
    writeln!(script, "{}\n", body.escape_ascii()).unwrap();
}

fn note(script: &mut String, far_side: &FarSide, request: &http::Request<bytes::Bytes>) {
    match far_side.answer(request) {
        Ok(answer) => {
            writeln!(script, "{}", answer.status()).unwrap();
            put(script, answer.headers(), answer.body());
        }
        Err(cut) => writeln!(script, "{cut}").unwrap(),
    }
}

/// A day of a shop that asks, repeats, refunds and reverses without looking, and everything it was answered and told.
fn run(seed: u64, plan: FaultPlan) -> (String, usize) {
    let far_side = FarSide::new("https://sandbox.example", clock(), seed).unwrap();
    far_side.set_faults(plan);
    let mut script = String::new();
    for round in 0..6 {
        let order_no = format!("order-{round}");
        let ours = |text: &str| text.replace("order-1", &order_no);
        let v2 = UNIFIED.map(|(name, value)| {
            (
                name,
                if name == "out_trade_no" {
                    order_no.as_str()
                } else {
                    value
                },
            )
        });
        let code = far_side.payment_code(V3, Payer::default());
        let till = v3_till::body(v3_orders::own_ids(), &code, &format!("till-{round}"), 100).to_string();
        let back = json!({
            "out_trade_no": order_no, "out_refund_no": format!("R{round}"), "notify_url": URL,
            "amount": { "refund": 10, "total": 100, "currency": "CNY" },
        });
        note(
            &mut script,
            &far_side,
            &shop::v2_request(&far_side, "/pay/unifiedorder", &v2),
        );
        for (method, target, body) in [
            (
                "POST",
                "/v3/pay/transactions/jsapi".to_owned(),
                shop::order(&order_no, 100, URL),
            ),
            ("GET", ours(QUERY), String::new()),
            ("POST", "/v3/pay/transactions/codepay".to_owned(), till),
        ] {
            note(&mut script, &far_side, &v3_request(&far_side, method, &target, &body));
        }
        let _paid = far_side.pay(V3, &order_no);
        let _paid = far_side.pay(Platform::WechatV2, &order_no);
        for (method, target, body) in [
            ("GET", ours(QUERY), String::new()),
            ("POST", "/v3/refund/domestic/refunds".to_owned(), back.to_string()),
            ("POST", ours(CLOSE), "{\"mchid\":\"1900000001\"}".to_owned()),
            ("GET", "/v3/certificates".to_owned(), String::new()),
        ] {
            note(&mut script, &far_side, &v3_request(&far_side, method, &target, &body));
        }
        let _settled = far_side.settle_refund(V3, &format!("R{round}"), RefundState::Succeeded);
        for notice in far_side.due_notices() {
            writeln!(script, "{}", notice.request.uri()).unwrap();
            put(&mut script, notice.request.headers(), notice.request.body());
            let attempt = far_side.answered(notice, Err("nobody is there"));
            writeln!(script, "{:?} {:?}", attempt.notice_id, attempt.faults).unwrap();
        }
        far_side.clock().advance(Duration::from_secs(20)).unwrap();
    }
    let struck = far_side.faults().iter().filter(|tally| tally.struck > 0).count();
    (script, struck)
}

#[test]
fn the_same_day_twice_is_the_same_byte_for_byte() {
    let (first, struck) = run(11, plan());
    let (second, _) = run(11, plan());
    assert!(first == second, "the second run differs from the first");
    // The day was bad in nearly every way, and long enough to tell.
    assert!(struck >= 10, "{struck}");
    assert!(first.len() > 50_000, "{}", first.len());
    let (other, _) = run(12, plan());
    assert!(other != first);
}

#[test]
fn a_rule_that_never_matches_changes_not_a_byte() {
    let idle = FaultRule::new(FaultKind::LoseReply).about("nobody").permille(500);
    let mut longer = plan();
    longer.rules.insert(0, idle);
    assert!(run(11, plan()).0 == run(11, longer).0);
}
