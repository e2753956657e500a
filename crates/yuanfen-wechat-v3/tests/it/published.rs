//! Whole calls as others published them: what they send is what we send, and of what is answered nothing is lost.
//!
//! The calls as the tables of the sheet have them are in `calls.rs`.

mod replies;
mod requests;
mod typed;
mod written;

use std::collections::BTreeSet;

use yuanfen_core::FixedAmbient;
use yuanfen_testkit::Case;
use yuanfen_testkit::origin::OriginKind;
use yuanfen_wechat_v3::{Account, SigningIdentity, SubMerchant, ops};

use crate::far_side::{NOW, SERIAL, VECTORS, account, api_v3_key, pem, provider};

/// The account whose ids the case names. A case that names none is about a message without ids, which is the same for a
/// merchant and for a provider.
fn accounts(case: &Case<'_>) -> Vec<Account> {
    if !case.has("ids") {
        return vec![account(), provider()];
    }
    let id = |name: &str| case.value("ids").get(name).map(|id| id.as_str().unwrap());
    let identity = |number| SigningIdentity::elsewhere(number, SERIAL).unwrap();
    let account = match id("sp_mchid") {
        None => Account::direct(identity(id("mchid").unwrap()), id("appid").unwrap(), api_v3_key()),
        Some(number) => Account::partner(identity(number), id("sp_appid").unwrap(), api_v3_key()),
    };
    let account = account.unwrap().with_certificate(pem("go_cert_D7CE")).unwrap();
    vec![match id("sub_mchid") {
        None => account,
        Some(number) => {
            let sub_merchant = SubMerchant::new(number).unwrap();
            let sub_merchant = match id("sub_appid") {
                None => sub_merchant,
                Some(app) => sub_merchant.with_app(app).unwrap(),
            };
            account.for_sub_merchant(sub_merchant).unwrap()
        }
    }]
}

/// When the call of the case is made: the samples are of years ago, and an order must not be over when it is placed.
fn clock(case: &Case<'_>) -> FixedAmbient {
    FixedAmbient::at(case.maybe_text("now").map_or(NOW, |text| typed::time(text).seconds()))
}

/// Which forms the cases of a call are in.
fn forms<'c>(cases: impl Iterator<Item = &'c Case<'static>>) -> BTreeSet<&'static str> {
    let of = |case: &Case<'_>| {
        if !case.has("ids") {
            vec!["direct", "partner"]
        } else if case.value("ids").get("sp_mchid").is_some() {
            vec!["partner"]
        } else {
            vec!["direct"]
        }
    };
    cases.flat_map(of).collect()
}

/// Calls that a provider alone makes.
const OF_PROVIDERS: [&str; 2] = [
    "request_sub_merchant_fund_flow_bill",
    "request_ecommerce_fund_flow_bill",
];

/// Where no vendor's or third party's message was found: what of which call in which forms. Those are held by the cases
/// that were made of the sheet's tables.
const UNPUBLISHED: &[(&str, &str, &[&str])] = &[
    ("request", "query_order", &["partner"]),
    ("request", "refund", &["direct"]),
    ("request", "apply_abnormal_refund", &["direct"]),
    ("request", "place_combined_jsapi_order", &["direct"]),
    ("request", "place_combined_app_order", &["direct"]),
    ("request", "place_combined_native_order", &["partner"]),
    ("request", "close_combined_order", &["direct"]),
    // Descriptions of files are published, the files are not: `sign-upload-meta-only`.
    ("request", "upload_image", &["direct", "partner"]),
    ("request", "upload_video", &["direct", "partner"]),
    ("request", "upload_marketing_image", &["direct", "partner"]),
    ("request", "upload_complaint_image", &["direct", "partner"]),
    ("reply", "download_encrypted_bill", &["direct", "partner"]),
    // Published lists are encrypted under keys of 16 bytes.
    ("reply", "download_certificates", &["direct", "partner"]),
];

#[test]
fn every_call_is_held_to_what_others_published_or_is_listed() {
    let names: BTreeSet<_> = ops::routes().into_iter().map(|info| info.route.operation).collect();
    let mut missing = Vec::new();
    for kind in ["request", "reply"] {
        let cases = VECTORS.of(kind);
        for case in &cases {
            assert!(names.contains(case.text("operation")), "{case} is of no call");
        }
        for info in ops::routes() {
            let name = info.route.operation;
            let from_outside = |case: &&Case<'_>| {
                let kind = case.origin().kind;
                let outside = [
                    OriginKind::VendorDocument,
                    OriginKind::VendorSdk,
                    OriginKind::ThirdParty,
                ];
                case.text("operation") == name && outside.contains(&kind)
            };
            let found = forms(cases.iter().filter(from_outside));
            let of_call = ["direct", "partner"].into_iter();
            let of_call = of_call.filter(|form| *form == "partner" || !OF_PROVIDERS.contains(&name));
            let lacks: Vec<_> = of_call.filter(|form| !found.contains(form)).collect();
            if !lacks.is_empty() {
                missing.push((kind, name, lacks));
            }
        }
    }
    let listed: Vec<_> = UNPUBLISHED
        .iter()
        .map(|(kind, name, lacks)| (*kind, *name, lacks.to_vec()))
        .collect();
    assert_eq!(missing, listed);
}
