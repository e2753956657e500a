//! The calls of the admin API that a test harness in any language needs: it fills the texts in braces in, wherever they
//! stand inside `json`, and sends the rest as it is.

use serde_json::{Map, Value, json};
use yuanfen::core::Secret;
use yuanfen_sandbox::Platform;

/// The section `admin`.
pub(super) fn admin(url: &str, token: Option<&Secret<String>>) -> Value {
    let mut section = Map::new();
    section.insert("url".to_owned(), json!(url));
    let mut hook = |name: &str, path: &str, body: Value| {
        section.insert(
            name.to_owned(),
            json!({
                "method": "POST",
                "url": format!("{url}{path}"),
                "headers": headers(token),
                "json": body,
            }),
        );
    };
    for (name, platform) in [("pay_v3", Platform::WechatV3), ("pay_v2", Platform::WechatV2)] {
        // The number tells a merchant's order from a service provider's.
        let body = json!({
            "platform": platform.name(),
            "mchid": "{mchid}",
            "out_trade_no": "{out_trade_no}",
            "total": "{total}",
        });
        hook(name, "/api/pay", body);
    }
    for (name, platform) in [
        ("pay_starpos", Platform::Starpos),
        ("pay_fshows", Platform::Fshows),
        ("pay_mpgateway", Platform::Mpgateway),
    ] {
        let body = json!({ "platform": platform.name(), "out_trade_no": "{out_trade_no}", "total": "{total}" });
        hook(name, "/api/pay", body);
    }
    for (name, platform) in [
        ("settle_refund_v3", Platform::WechatV3),
        ("settle_refund_v2", Platform::WechatV2),
    ] {
        let body = json!({ "platform": platform.name(), "out_refund_no": "{out_refund_no}" });
        hook(name, "/api/settle-refund", body);
    }
    Value::Object(section)
}

fn headers(token: Option<&Secret<String>>) -> Value {
    match token {
        Some(token) => json!({
            "Content-Type": "application/json",
            "Authorization": format!("Bearer {}", token.expose()),
        }),
        None => json!({ "Content-Type": "application/json" }),
    }
}
