//! Which operations of WeChat Pay have a call in `tests/calls`: bytes written by hand, signed by openssl and hashlib.

use std::collections::BTreeSet;
use std::path::Path;

use yuanfen_core::UnixTime;
use yuanfen_sandbox::{Clock, Platform, Sandbox, SignatureVerdict};

use crate::raw_http::{request_as, sandbox, send};
use crate::shop::NOW;

/// All files of the folder, without their ending.
fn calls() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/calls");
    let names = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".http").map(str::to_owned)
    });
    names.collect()
}

/// When a call says that it was signed, where it says so.
fn signed_at(name: &str) -> UnixTime {
    let call = String::from_utf8_lossy(&request_as(name, "sandbox")).into_owned();
    let stated = call
        .split_once("timestamp=\"")
        .and_then(|(_, rest)| rest.split_once('"'));
    UnixTime::from_seconds(stated.map_or(NOW, |(seconds, _)| seconds.parse().unwrap()))
}

#[tokio::test]
async fn every_operation_of_wechat_pay_is_called_with_bytes_written_by_hand() {
    let mut held = BTreeSet::new();
    for name in calls() {
        let clock = Clock::starting_at(signed_at(&name));
        let sandbox = Sandbox::builder().clock(clock).seed(1).start().await.unwrap();
        send(&sandbox, &name).await;
        let exchange = sandbox.exchanges().pop().unwrap();
        if exchange.signature == SignatureVerdict::Holds {
            held.insert((exchange.platform.unwrap(), exchange.operation));
        }
    }
    for platform in [Platform::WechatV2, Platform::WechatV3] {
        let notices = ["pay-notice", "refund-notice"];
        // These are asked for without a signature; `wechat_web.rs` has their bytes.
        let web = ["authorize-page", "exchange-code", "log-in", "app-token", "page-ticket"];
        for operation in platform.operations() {
            if !notices.contains(operation) && !web.contains(operation) {
                assert!(held.contains(&(platform, operation)), "{platform} {operation}");
            }
        }
    }
}

#[tokio::test]
async fn numbers_and_tokens_that_nobody_has_are_refused_in_the_platforms_words() {
    for name in ["v3-query-by-id", "v3-provider-query-by-id"] {
        let answer = send(&sandbox().await, name).await;
        assert_eq!(answer.refusal(), (404, "ORDER_NOT_EXIST".to_owned()), "{name}");
    }
    let answer = send(&sandbox().await, "v3-download-bill").await;
    assert_eq!(answer.refusal(), (400, "INVALID_REQUEST".to_owned()));
}
