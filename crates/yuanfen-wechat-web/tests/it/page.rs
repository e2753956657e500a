use std::collections::BTreeSet;

use proptest::prelude::*;
use yuanfen_core::{Ambient as _, FixedAmbient, Secret, UnixTime};
use yuanfen_sign::Sha1Stream;
use yuanfen_testkit::json;
use yuanfen_wechat_web::{PageConfig, page_signature};

use crate::vectors;

const URL: &str = "https://shop.example/pay?order=A1";

fn ticket() -> Secret<String> {
    Secret::new("sM4AOVdWfPE4DxkXGEs8".to_owned())
}

fn at(url: &str) -> Result<String, yuanfen_core::BuildError> {
    page_signature(&ticket(), "N", UnixTime::from_seconds(1), url)
}

#[test]
fn signs_the_page_of_the_documentation_and_nothing_that_differs_in_a_byte() {
    let vectors = vectors();
    for case in vectors.of("page_sign") {
        let (ticket, nonce, url) = (case.text("ticket"), case.text("nonce"), case.text("url"));
        let seconds = case.number("timestamp");
        let sign = |ticket: &str, nonce: &str, seconds, url: &str| {
            page_signature(
                &Secret::new(ticket.to_owned()),
                nonce,
                UnixTime::from_seconds(seconds),
                url,
            )
        };
        let signature = sign(ticket, nonce, seconds, url).unwrap();
        case.run().signature(&signature).done();

        // Every byte of every input changed once: another signature, or refused.
        let mut seen = BTreeSet::from([signature]);
        let mutants = |text: &str| -> Vec<String> {
            (0..text.len())
                .map(|position| {
                    let mut bytes = text.as_bytes().to_vec();
                    bytes[position] ^= 1;
                    String::from_utf8(bytes).unwrap()
                })
                .collect()
        };
        for mutant in mutants(ticket) {
            assert!(seen.insert(sign(&mutant, nonce, seconds, url).unwrap()), "{mutant}");
        }
        for mutant in mutants(nonce) {
            assert!(seen.insert(sign(ticket, &mutant, seconds, url).unwrap()), "{mutant}");
        }
        for mutant in mutants(url) {
            match sign(ticket, nonce, seconds, &mutant) {
                Ok(other) => assert!(seen.insert(other), "{mutant}"),
                Err(error) => assert_eq!(error.field(), Some("url"), "{mutant}"),
            }
        }
        assert!(seen.insert(sign(ticket, nonce, seconds + 1, url).unwrap()));
    }
}

#[test]
fn cuts_the_fragment_off_and_nothing_else() {
    let signature = at(URL).unwrap();
    for same in ["#", "#top", "#top#again", "#/route?x=1"] {
        assert_eq!(at(&format!("{URL}{same}")).unwrap(), signature, "{same}");
    }
    for other in ["&", "?", "/", "%20"] {
        assert_ne!(at(&format!("{URL}{other}")).unwrap(), signature, "{other}");
    }
    assert_ne!(
        at("https://shop.example").unwrap(),
        at("https://shop.example/").unwrap()
    );
}

#[test]
fn refuses_an_address_that_no_browser_shows() {
    for url in [
        "",
        "#top",
        "https://",
        "http://#top",
        "shop.example/pay",
        "//shop.example/pay",
        "ftp://shop.example/",
        "HTTPS://shop.example/",
        "https://shop.example/a b",
        "https://shop.example/支付",
        "https://shop.example/\n",
        " https://shop.example/",
        &format!("https://shop.example/{}", "a".repeat(8192)),
    ] {
        assert_eq!(at(url).expect_err(url).field(), Some("url"), "{url:.40}");
    }
    let longest = format!("https://shop.example/{}", "a".repeat(8192 - 21));
    assert!(at(&longest).is_ok() && at(&format!("{longest}a")).is_err());
}

#[test]
fn takes_ticket_nonce_and_app_id_at_their_limits_and_not_one_past_them() {
    let now = UnixTime::from_seconds(1);
    let with = |ticket: &str, nonce: &str| page_signature(&Secret::new(ticket.to_owned()), nonce, now, URL);
    for (ticket, nonce) in [("t", "n"), (&"t".repeat(512), &"n".repeat(32))] {
        assert!(with(ticket, nonce).is_ok());
    }
    for ticket in ["", &"5ECRE7".repeat(86), "5ECRE7\n", "5ECRE7 ", "票"] {
        let error = with(ticket, "n").expect_err(ticket);
        assert_eq!(error.field(), Some("jsapi_ticket"));
        assert!(!format!("{error} {error:?}").contains("5ECRE7"));
    }
    for nonce in ["", &"n".repeat(33), "a b", "随机"] {
        assert_eq!(with("t", nonce).expect_err(nonce).field(), Some("noncestr"));
    }
    for app_id in ["", &"a".repeat(33), "wx-1"] {
        let error = PageConfig::sign(app_id, &ticket(), URL, &FixedAmbient::at(1)).expect_err(app_id);
        assert_eq!(error.field(), Some("appid"));
    }
}

#[test]
fn makes_what_wx_config_takes() {
    let ambient = FixedAmbient::at(1_414_587_457);
    let config = PageConfig::sign("wx2421b1c4370ec43b", &ticket(), URL, &ambient).unwrap();
    let signature = page_signature(&ticket(), &config.nonce_str, ambient.now(), URL).unwrap();
    assert_eq!(config.nonce_str.len(), 32);
    assert_eq!(
        serde_json::to_value(&config).unwrap(),
        json!({
            "appId": "wx2421b1c4370ec43b",
            "timestamp": 1_414_587_457,
            "nonceStr": config.nonce_str,
            "signature": signature,
        })
    );
    let again = PageConfig::sign("wx2421b1c4370ec43b", &ticket(), URL, &ambient).unwrap();
    assert_ne!(again.nonce_str, config.nonce_str, "a nonce is used once");
    assert!(!format!("{config:?}").contains(ticket().expose().as_str()));
}

proptest! {
    #[test]
    fn digests_the_text_that_the_documentation_describes(
        ticket in "[A-Za-z0-9_-]{1,86}",
        nonce in "[A-Za-z0-9]{1,32}",
        seconds in 0_i64..10_000_000_000,
        rest in "[!-~&&[^#]]{0,60}",
    ) {
        let url = format!("https://s{rest}");
        let text = format!("jsapi_ticket={ticket}&noncestr={nonce}&timestamp={seconds}&url={url}");
        let mut digest = Sha1Stream::new();
        digest.push(text.as_bytes());
        let signature = page_signature(&Secret::new(ticket), &nonce, UnixTime::from_seconds(seconds), &url).unwrap();
        prop_assert_eq!(signature, digest.finish_hex());
    }
}
