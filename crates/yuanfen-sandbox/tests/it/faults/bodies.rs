//! Bodies that are not what the platform wrote, byte by byte.

use bytes::Bytes;
use http::Response;
use yuanfen_sandbox::{FarSide, FaultKind, FaultPlan, FaultRule, Platform};
use yuanfen_testkit::oracle;

use super::{QUERY, URL, V3};
use crate::shop::{self, far_side, json_of, place, v3, v3_holds};

fn differing(one: &[u8], two: &[u8]) -> Vec<usize> {
    assert_eq!(one.len(), two.len());
    (0..one.len()).filter(|index| one[*index] != two[*index]).collect()
}

/// A day with one payment, and the bill of it as the next morning hands it out.
fn bill(plan: impl Into<FaultPlan>, kind: &str) -> (String, Bytes) {
    let far_side = far_side();
    place(&far_side, "order-1", 990, URL);
    far_side.pay(V3, "order-1").unwrap();
    far_side
        .clock()
        .advance(std::time::Duration::from_secs(86_400))
        .unwrap();
    far_side.set_faults(plan);
    let asked = v3(
        &far_side,
        "GET",
        &format!("/v3/bill/tradebill?bill_date=2025-10-09{kind}"),
        "",
    );
    let asked = json_of(&asked);
    let address = asked["download_url"].as_str().unwrap();
    let target = address.strip_prefix("https://sandbox.example").unwrap();
    let file = v3(&far_side, "GET", target, "");
    (asked["hash_value"].as_str().unwrap().to_owned(), file.into_body())
}

#[test]
fn an_altered_bill_differs_in_one_digit_and_its_digest_tells() {
    let (hash, right) = bill(FaultPlan::none(), "");
    assert_eq!(oracle::sha1_hex(&right), hash);
    let (same_hash, wrong) = bill(FaultRule::new(FaultKind::AlterReply).during("download-bill"), "");
    assert_eq!(same_hash, hash);
    assert_ne!(oracle::sha1_hex(&wrong), hash);
    let differing = differing(&right, &wrong);
    assert_eq!(differing.len(), 1);
    assert!(right[differing[0]].is_ascii_digit() && wrong[differing[0]].is_ascii_digit());
}

#[test]
fn a_truncated_bill_ends_in_its_middle() {
    for kind in ["", "&tar_type=GZIP"] {
        let (_, right) = bill(FaultPlan::none(), kind);
        let (_, wrong) = bill(FaultRule::new(FaultKind::TruncateReply).during("download-bill"), kind);
        assert_eq!(wrong, right.slice(..right.len() / 2), "{kind}");
    }
}

fn v2_bill(far_side: &FarSide) -> Response<Bytes> {
    let asked = [("bill_date", "20251009"), ("bill_type", "ALL")];
    far_side
        .answer(&shop::v2_request(far_side, "/pay/downloadbill", &asked))
        .unwrap()
}

#[test]
fn v2s_bill_has_nothing_that_tells() {
    let far_side = far_side();
    let fields = super::UNIFIED;
    shop::v2(&far_side, "/pay/unifiedorder", &fields);
    far_side.pay(Platform::WechatV2, "v2-order-1").unwrap();
    far_side
        .clock()
        .advance(std::time::Duration::from_secs(86_400))
        .unwrap();
    let right = v2_bill(&far_side);
    far_side.set_faults(FaultKind::AlterReply);
    let wrong = v2_bill(&far_side);
    assert_eq!(differing(right.body(), wrong.body()).len(), 1);
    far_side.set_faults(FaultKind::TruncateReply);
    let wrong = v2_bill(&far_side);
    assert_eq!(wrong.body(), &right.body().slice(..right.body().len() / 2));
}

#[test]
fn an_altered_answer_does_not_hold_any_more() {
    let far_side = far_side();
    place(&far_side, "order-1", 990, URL);
    let pem = far_side.wechat_v3().platform_certificate_pem;
    for kind in [FaultKind::AlterReply, FaultKind::TruncateReply] {
        far_side.set_faults(kind);
        let answer = v3(&far_side, "GET", QUERY, "");
        assert!(!v3_holds(answer.headers(), answer.body(), &pem), "{kind}");
    }
    // Nothing can be altered about an empty body.
    far_side.set_faults(FaultKind::AlterReply);
    let closed = v3(&far_side, "POST", super::CLOSE, "{\"mchid\":\"1900000001\"}");
    assert_eq!((closed.status().as_u16(), closed.body().len()), (204, 0));
    assert!(v3_holds(closed.headers(), closed.body(), &pem));
}
