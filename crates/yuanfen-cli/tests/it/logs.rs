//! What the logs hold, everything switched on: no key, no secret, nobody's id.

use yuanfen_sandbox::{Clock, FarSide};

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
        ("StarPos openid", starpos.openid),
        ("fshows openid", fshows.openid),
        ("mpgateway key", mpgateway.key.expose().clone()),
        ("mpgateway openid", mpgateway.openid),
    ];
    for (name, pem) in [
        ("v3 merchant key", v3.merchant_private_key_pem.expose()),
        ("fshows merchant key", fshows.merchant_private_key_pem.expose()),
    ] {
        // Any line of the armor gives the key away.
        secrets.extend(
            pem.lines()
                .filter(|line| !line.starts_with("-----"))
                .map(|line| (name, line.to_owned())),
        );
    }
    secrets.retain(|(_, value)| value.len() >= 6);
    secrets
}

#[test]
fn trace_logs_of_every_layer_hold_no_secret() {
    let output = run(["demo", "--json", "--log", "trace"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let logs = stderr(&output);
    let reports = stdout(&output);

    // The same search finds what is no secret, in the logs of ours and of the HTTP stack alike.
    let order_no = reports
        .split("\"order_no\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(
        logs.contains("yuanfen.call") && logs.contains("place_order"),
        "our own spans are in the logs"
    );
    assert!(logs.contains("hyper"), "the HTTP stack logs as well");
    assert!(reports.contains(order_no));

    for (name, secret) in secrets() {
        assert!(!logs.contains(&secret), "{name} is in the logs");
        assert!(!reports.contains(&secret), "{name} is in the reports");
    }
    for word in ["paySign", "signature=\"", "<sign>", "sign="] {
        assert!(!logs.contains(word), "`{word}` is in the logs");
    }
}

#[test]
fn errors_of_a_failing_demonstration_hold_no_secret() {
    let output = run(["demo", "--fault", "corrupt-signature", "--log", "trace"]);
    assert_eq!(output.status.code(), Some(1));
    let everything = format!("{}{}", stdout(&output), stderr(&output));
    assert!(
        everything.contains("the signature does not hold"),
        "the same search finds what is no secret"
    );
    for (name, secret) in secrets() {
        assert!(!everything.contains(&secret), "{name} was printed");
    }
}
