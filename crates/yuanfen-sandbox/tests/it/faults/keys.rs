//! Keys that change in the middle of a run, and times of signing that are old.

use yuanfen_sandbox::{FaultKind, FaultPlan, FaultRule, Sandbox};

use super::{QUERY, URL, V3};
use crate::shop::{self, Listener, far_side, place, v3, v3_holds};

const PUBLIC_KEY_ID: &str = "PUB_KEY_ID_";

fn serial(headers: &http::HeaderMap) -> String {
    headers["wechatpay-serial"].to_str().unwrap().to_owned()
}

#[test]
fn a_certificate_is_rotated_at_the_call_that_the_plan_names_and_stays_so() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    let old = far_side.wechat_v3();
    far_side.set_faults(FaultRule::new(FaultKind::RotateKey).during("query-order").nth(2));
    let answers: Vec<_> = (0..3).map(|_| v3(&far_side, "GET", QUERY, "")).collect();
    let new = far_side.wechat_v3();
    assert_ne!(old.platform_serial, new.platform_serial);
    let serials = [&answers[0], &answers[1], &answers[2]].map(|answer| serial(answer.headers()));
    assert_eq!(
        serials,
        [
            old.platform_serial.clone(),
            new.platform_serial.clone(),
            new.platform_serial
        ]
    );
    for (answer, pem) in answers.iter().zip([
        &old.platform_certificate_pem,
        &new.platform_certificate_pem,
        &new.platform_certificate_pem,
    ]) {
        assert!(v3_holds(answer.headers(), answer.body(), pem));
    }
    // Both are in the list.
    let listed = shop::json_of(&v3(&far_side, "GET", "/v3/certificates", ""));
    assert_eq!(listed["data"].as_array().unwrap().len(), 2);
}

#[test]
fn used_up_certificates_sign_on() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.set_faults(FaultKind::RotateKey);
    for _ in 0..6 {
        let answer = v3(&far_side, "GET", QUERY, "");
        let pem = far_side.wechat_v3().platform_certificate_pem;
        assert!(v3_holds(answer.headers(), answer.body(), &pem));
    }
}

async fn told(sandbox: &Sandbox, listener: &Listener) -> http::Request<bytes::Bytes> {
    place(sandbox, "order-1", 100, &listener.url);
    sandbox.pay(V3, "order-1").unwrap();
    sandbox.delivered().await;
    listener.received().remove(0)
}

#[tokio::test]
async fn a_certificate_is_rotated_between_an_order_and_its_notice() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    let old = sandbox.wechat_v3().platform_serial;
    sandbox.set_faults(FaultRule::new(FaultKind::RotateKey).during("pay-notice").nth(1));
    let notice = told(&sandbox, &listener).await;
    let new = sandbox.wechat_v3();
    assert_ne!(new.platform_serial, old);
    assert_eq!(serial(&notice.headers().clone()), new.platform_serial);
    assert!(v3_holds(notice.headers(), notice.body(), &new.platform_certificate_pem));
}

#[tokio::test]
async fn a_merchant_is_switched_to_the_public_key_between_an_order_and_its_notice() {
    let sandbox = super::sandbox().await;
    let listener = Listener::start(&[(204, "")]).await;
    sandbox.set_faults(FaultRule::new(FaultKind::PublicKeyMode).during("pay-notice").nth(1));
    let notice = told(&sandbox, &listener).await;
    assert!(serial(notice.headers()).starts_with(PUBLIC_KEY_ID));
    let public = sandbox.wechat_v3().platform_public_key_pem;
    assert!(v3_holds(notice.headers(), notice.body(), &public));
    // From now on there are no certificates.
    let refused = v3(&sandbox, "GET", "/v3/certificates", "");
    assert_eq!(shop::refusal(&refused), (404, "RESOURCE_NOT_EXISTS".to_owned()));
}

#[test]
fn a_stale_answer_was_signed_long_ago_while_callers_are_judged_by_the_right_time() {
    let far_side = far_side();
    place(&far_side, "order-1", 100, URL);
    far_side.pay(V3, "order-1").unwrap();
    let plan = FaultPlan::from(FaultKind::StaleSeconds(600));
    far_side.set_faults(plan);
    let pem = far_side.wechat_v3().platform_certificate_pem;
    let answer = v3(&far_side, "GET", QUERY, "");
    let notice = far_side.due_notices().remove(0);
    assert_eq!(answer.status(), 200);
    for (headers, body) in [
        (answer.headers(), answer.body()),
        (notice.request.headers(), notice.request.body()),
    ] {
        assert_eq!(headers["wechatpay-timestamp"], "1759999400");
        assert!(v3_holds(headers, body, &pem));
    }
}
