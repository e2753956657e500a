//! `routes` lists every call, read off the operations.

use std::collections::BTreeSet;

use yuanfen_testkit::Value;

use crate::program::{run, stdout};

#[test]
fn prints_one_object_a_line_with_every_member_that_is_promised() {
    let output = run(["routes", "--json"]);
    assert!(output.status.success());
    let mut seen = BTreeSet::new();
    let text = stdout(&output);
    for line in text.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let row = row.as_object().unwrap();
        let members: BTreeSet<&str> = row.keys().map(String::as_str).collect();
        let promised = [
            "route",
            "operation",
            "method",
            "path",
            "partner_path",
            "effect",
            "client_certificate",
            "reply",
        ];
        assert_eq!(members, BTreeSet::from(promised), "{line}");
        assert!(row["client_certificate"].is_boolean(), "{line}");
        assert!(
            row["partner_path"].is_null() || row["partner_path"].is_string(),
            "{line}"
        );
        assert!(
            ["signed", "unsigned", "file"].contains(&row["reply"].as_str().unwrap()),
            "{line}"
        );
        assert!(
            ["read", "repeatable", "query-first"].contains(&row["effect"].as_str().unwrap()),
            "{line}"
        );
        let name = format!(
            "{}.{}",
            row["route"].as_str().unwrap(),
            row["operation"].as_str().unwrap()
        );
        assert!(seen.insert(name), "twice: {line}");
    }
    for name in [
        "wechat-v2.place_order",
        "wechat-v2.query_order",
        "wechat-v3.place_jsapi_order",
        "wechat-v3.place_app_order",
        "wechat-v3.place_native_order",
        "wechat-v3.place_h5_order",
        "wechat-v3.pay_by_code",
        "wechat-v3.reverse_order",
        "wechat-v3.query_order",
        "wechat-v3.close_order",
        "wechat-v3.refund",
        "wechat-v3.query_refund",
        "wechat-v3.request_trade_bill",
        "wechat-v3.request_fund_flow_bill",
        "wechat-v3.download_bill",
        "wechat-v3.download_certificates",
        "starpos.query_official_account",
        "starpos.pay_official_account",
        "starpos.query_order",
        "fshows.pay_wechat_page",
        "fshows.query_order",
        "mpgateway.submit_order",
        "mpgateway.query_order",
        "mpgateway.cancel_order",
    ] {
        assert!(seen.contains(name), "{name} is not listed");
    }
}

#[test]
fn knows_which_replies_nobody_signs() {
    let text = stdout(&run(["routes", "--json"]));
    let reply_of = |operation: &str, route: &str| {
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .find(|row| row["route"] == route && row["operation"] == operation)
            .unwrap()["reply"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(reply_of("pay_official_account", "starpos"), "unsigned");
    assert_eq!(reply_of("pay_wechat_page", "fshows"), "unsigned");
    assert_eq!(reply_of("query_order", "fshows"), "unsigned");
    assert_eq!(reply_of("download_bill", "wechat-v3"), "file");
    assert_eq!(reply_of("query_official_account", "starpos"), "signed");
    assert_eq!(reply_of("submit_order", "mpgateway"), "signed");
}

#[test]
fn prints_a_table_for_people() {
    let plain = stdout(&run(["routes"]));
    assert!(plain.starts_with("route"));
    let json = stdout(&run(["routes", "--json"]));
    assert_eq!(
        plain.lines().count(),
        json.lines().count() + 2,
        "a header, a rule, and the same rows"
    );
}
