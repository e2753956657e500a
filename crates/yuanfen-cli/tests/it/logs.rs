//! What the logs hold, everything switched on: no key, no secret, nobody's id.

use yuanfen_sandbox::{Clock, FarSide};
use yuanfen_testkit::Value;

use crate::program::{run, stderr, stdout};

/// Every secret and personal value that takes part in the demonstration, by name.
fn secrets() -> Vec<(&'static str, String)> {
    let far_side = FarSide::new("http://127.0.0.1:1", Clock::real(), 1).unwrap();
    let (v2, v3, starpos) = (far_side.wechat_v2(), far_side.wechat_v3(), far_side.starpos());
    let (fshows, mpgateway) = (far_side.fshows(), far_side.mpgateway());
    let mut secrets = vec![
        ("v2 API key", v2.api_key.expose().clone()),
        ("v2 openid", v2.openid),
        ("APIv3 key", v3.apiv3_key.expose().clone()),
        ("v3 openid", v3.openid),
        ("StarPos device key", starpos.key.expose().clone()),
        ("StarPos app secret", starpos.app_secret.expose().clone()),
        ("StarPos push key", starpos.push_md5_key.expose().clone()),
        ("StarPos openid", starpos.openid),
        ("fshows openid", fshows.openid),
        ("mpgateway key", mpgateway.key.expose().clone()),
        ("mpgateway openid", mpgateway.openid),
    ];
    for (name, pem) in [
        ("v3 merchant key", v3.merchant_private_key_pem.expose()),
        ("StarPos push private key", starpos.push_private_key_pem.expose()),
        ("fshows merchant key", fshows.merchant_private_key_pem.expose()),
        ("fshows platform key", fshows.platform_private_key_pem.expose()),
    ] {
        // Any line of the armor gives the key away.
        let lines = pem.lines().filter(|line| !line.starts_with("-----"));
        secrets.extend(lines.map(|line| (name, line.to_owned())));
    }
    // A short last line of an armor may stand anywhere by chance.
    secrets.retain(|(_, value)| value.len() >= 8);
    secrets
}

/// Which of these are in the text. One search for what must not be there and for what must.
fn found<'a>(values: &'a [(&'static str, String)], text: &str) -> Vec<&'a str> {
    values
        .iter()
        .filter(|(_, value)| text.contains(value))
        .map(|(name, _)| *name)
        .collect()
}

#[test]
fn trace_logs_of_every_layer_hold_no_secret() {
    let output = run(["demo", "--json", "--log", "trace"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let (logs, reports) = (stderr(&output), stdout(&output));
    let reported: Vec<Value> = reports
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let member = |name: &'static str| -> Vec<(&'static str, String)> {
        reported
            .iter()
            .map(|report| (name, report[name].as_str().unwrap().to_owned()))
            .collect()
    };

    // The demonstration plants its order numbers, which are no secret: the search finds every one.
    let planted = member("order_no");
    assert_eq!(found(&planted, &logs).len(), 5, "the planted numbers are in the logs");
    for layer in ["yuanfen.call", "hyper"] {
        assert!(logs.contains(layer), "`{layer}` is heard");
    }

    assert_eq!(found(&secrets(), &logs), [""; 0]);
    assert_eq!(found(&secrets(), &reports), [""; 0]);
    // What opens a payer's cashier is reported, because that is what a report is for, and never logged.
    assert_eq!(found(&member("pay_id"), &logs), [""; 0]);
    for word in ["paySign", "signature=\"", "<sign>", "sign=", "Authorization: "] {
        assert!(!logs.contains(word), "`{word}` is in the logs");
    }
}

#[test]
fn errors_of_a_failing_demonstration_hold_no_secret() {
    let output = run(["demo", "--fault", "corrupt-signature", "--log", "trace"]);
    assert_eq!(output.status.code(), Some(1));
    let everything = format!("{}{}", stdout(&output), stderr(&output));
    let planted = [("words", "the signature does not hold".to_owned())];
    assert_eq!(found(&planted, &everything), ["words"]);
    assert_eq!(found(&secrets(), &everything), [""; 0]);
}
