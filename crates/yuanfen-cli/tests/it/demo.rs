//! The demonstration: five payments, and what happens to them when signatures are spoiled.

use yuanfen_testkit::Value;

use crate::program::{run, stderr, stdout};

const ROUTES: [&str; 5] = ["wechat-v2", "wechat-v3", "starpos", "fshows", "mpgateway"];

fn reports(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn takes_one_payment_through_each_of_the_five_routes() {
    let output = run(["demo", "--json"]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let reports = reports(&stdout(&output));
    assert_eq!(
        reports
            .iter()
            .map(|report| report["route"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ROUTES
    );
    for report in &reports {
        assert_eq!(report["ok"], true, "{report}");
        assert_eq!(report["amount_fen"], 1230, "{report}");
        assert_eq!(report["acknowledged"], true, "{report}");
        assert_eq!(report["error"], Value::Null, "{report}");
        assert!(report["order_no"].as_str().unwrap().starts_with("DEMO"), "{report}");
        assert!(!report["pay_id"].as_str().unwrap().is_empty(), "{report}");
        assert!(report["calls"].as_u64().unwrap() >= 2, "{report}");
        assert!(report["ms"].is_u64(), "{report}");
        let members: Vec<&str> = report.as_object().unwrap().keys().map(String::as_str).collect();
        let mut promised = [
            "route",
            "ok",
            "order_no",
            "amount_fen",
            "pay_id",
            "notice",
            "acknowledged",
            "state",
            "calls",
            "ms",
            "error",
        ];
        promised.sort_unstable();
        let mut members = members;
        members.sort_unstable();
        assert_eq!(members, promised, "{report}");
    }
    // Where the protocol signs nothing, a notice is a hint and nothing more.
    let notices: Vec<&str> = reports
        .iter()
        .map(|report| report["notice"].as_str().unwrap())
        .collect();
    assert_eq!(notices, ["verified", "verified", "hint", "verified", "verified"]);
}

#[test]
fn prints_a_table_that_names_yuan_and_fen() {
    let output = run(["demo", "--route", "wechat-v2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let table = stdout(&output);
    for words in [
        "route",
        "signature",
        "12.30",
        "1230",
        "verified, acknowledged",
        "SUCCESS",
        "1 of 1 routes",
    ] {
        assert!(table.contains(words), "`{words}` is not in:\n{table}");
    }
}

#[test]
fn finds_spoiled_signatures_on_every_route_and_names_the_step() {
    let output = run(["demo", "--json", "--fault", "corrupt-signature"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let reports = reports(&stdout(&output));
    assert_eq!(reports.len(), 5);
    for report in &reports {
        assert_eq!(report["ok"], false, "{report}");
        let error = report["error"].as_str().unwrap();
        let step = match report["route"].as_str().unwrap() {
            // Its replies are unsigned by protocol, so the call-back is where it shows.
            "fshows" => "open the notice: ",
            "starpos" => "find the payer: ",
            _ => "place the order: ",
        };
        assert!(error.starts_with(step), "{report}");
        assert!(error.contains("the signature does not hold"), "{report}");
    }
}

#[test]
fn says_why_and_what_to_do_when_a_step_fails() {
    let output = run(["demo", "--fault", "corrupt-signature", "--route", "wechat-v3"]);
    assert_eq!(output.status.code(), Some(1));
    let table = stdout(&output);
    for words in [
        "FAILED",
        "failed at the step \"place the order\"",
        "why:",
        "what to do:",
    ] {
        assert!(table.contains(words), "`{words}` is not in:\n{table}");
    }
}
