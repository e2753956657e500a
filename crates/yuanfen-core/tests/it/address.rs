//! https everywhere, http to this machine only.

use proptest::prelude::*;
use yuanfen_core::{Address, BaseUrl};

fn problem(text: &str) -> Option<&'static str> {
    let base = BaseUrl::parse(text).is_ok();
    let address = Address::parse("notify_url", text);
    if !text.contains(['?', '#']) {
        assert_eq!(base, address.is_ok(), "{text}");
    }
    address.err().map(|error| {
        assert_eq!(error.field, "notify_url");
        error.problem
    })
}

#[test]
fn takes_https_to_anywhere_and_http_to_this_machine() {
    for text in [
        "https://api.mch.weixin.qq.com",
        "https://api.mch.weixin.qq.com/",
        "https://shop.example:8443/notify/wechat",
        "https://10.0.0.7/notify",
        "https://[2001:db8::1]/notify",
        "https://[2001:db8::1]:8443/notify",
        "http://127.0.0.1",
        "http://127.0.0.1:8080/a",
        "http://127.255.255.254:1/a",
        "http://localhost:65535/a",
        "http://LocalHost/a",
        "http://[::1]:8080/a",
        "http://[::1]/a",
        "https://shop.example/a%20b",
    ] {
        assert_eq!(problem(text), None, "{text}");
        assert_eq!(Address::parse("notify_url", text).unwrap().as_str(), text);
    }
}

#[test]
fn refuses_plain_http_to_another_machine() {
    for text in [
        "http://shop.example/notify",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://evil-localhost",
        "http://xlocalhost",
        "http://localhost.",
        "http://127.0.0.1.",
        "http://10.0.0.1",
        "http://192.168.1.1",
        "http://169.254.169.254",
        "http://0.0.0.0",
        "http://128.0.0.1",
        "http://126.255.255.255",
        "http://127.1",
        "http://2130706433",
        "http://0x7f.0.0.1",
        "http://0177.0.0.1",
        "http://[::]",
        "http://[::2]",
        "http://[::ffff:10.0.0.1]",
        "http://[fe80::1]",
    ] {
        let words = problem(text).unwrap_or("taken");
        assert!(
            words.starts_with("is plain http to another machine") || words == "is not an address",
            "{text}: {words}"
        );
    }
}

#[test]
fn refuses_what_is_no_absolute_http_address() {
    for text in [
        "",
        "/notify",
        "notify",
        "shop.example/notify",
        "//shop.example/notify",
        "https://",
        "https:///notify",
        "https:shop.example",
        "https:/shop.example",
        "https://:443",
        "ftp://shop.example",
        "ws://127.0.0.1",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://[::1",
        "https://a]b",
        "https://shop.example\\@evil.example/",
        "https://shop.example/<b>",
    ] {
        assert!(problem(text).is_some(), "{text}");
    }
}

#[test]
fn refuses_users_and_passwords() {
    for text in [
        "https://user@shop.example/",
        "https://user:word@shop.example/",
        "http://127.0.0.1@evil.example/",
        "https://@shop.example/",
    ] {
        let words = problem(text).unwrap_or("taken");
        assert!(
            words == "holds a user name or password" || words == "is not an address",
            "{text}: {words}"
        );
    }
    assert_eq!(
        problem("https://shop.example/@you"),
        None,
        "an at sign in a path names no user"
    );
}

#[test]
fn refuses_blanks_control_characters_and_what_is_not_ascii() {
    for text in [
        " https://a.example",
        "https://a.example ",
        "https://a.example/a b",
        "https://a.example/\t",
        "https://a.example\r\nHost: b",
        "https://a.example/\0",
        "https://a.example/\u{7f}",
    ] {
        assert_eq!(problem(text), Some("holds blanks or control characters"), "{text:?}");
    }
    for text in [
        "https://店.example/",
        "https://a.example/通知",
        "https://a.example/?q=é",
        "https://a.example/\u{202e}",
    ] {
        assert_eq!(
            problem(text),
            Some("holds characters outside ASCII; percent-encode them"),
            "{text}"
        );
    }
}

#[test]
fn refuses_ports_that_are_none() {
    for text in [
        "https://a.example:0/",
        "https://a.example:65536/",
        "https://a.example:/",
        "https://a.example:https/",
        "https://a.example:-1/",
        "http://[::1]:99999/",
        "http://[::1]evil.example:80/",
        "http://[::1]evil.example/",
        "http://127.0.0.1:80a",
    ] {
        assert!(problem(text).is_some(), "{text}");
    }
}

#[test]
fn a_base_address_has_no_query_fragment_or_slash_at_its_end() {
    for (text, joined, path) in [
        ("https://gw.example", "https://gw.example/pay?x=1", ""),
        ("https://gw.example/", "https://gw.example/pay?x=1", ""),
        ("https://gw.example//", "https://gw.example/pay?x=1", ""),
        (
            "https://gw.example:8443/a/b/",
            "https://gw.example:8443/a/b/pay?x=1",
            "/a/b",
        ),
        ("http://[::1]:80/v3", "http://[::1]:80/v3/pay?x=1", "/v3"),
    ] {
        let base = BaseUrl::parse(text).unwrap();
        assert_eq!(base.join("/pay?x=1"), joined);
        assert_eq!(base.path(), path);
        assert_eq!(
            format!("{}{path}", base.as_str().strip_suffix(path).unwrap()),
            base.as_str()
        );
    }
    for text in [
        "https://gw.example?",
        "https://gw.example/?a=b",
        "https://gw.example/#top",
        "https://gw.example#",
    ] {
        assert_eq!(
            BaseUrl::parse(text).unwrap_err().to_string(),
            "`base address` has a query or fragment"
        );
    }
}

#[test]
fn a_plain_address_has_no_query_or_fragment() {
    for text in [
        "https://a.example/n?x=1",
        "https://a.example/n?",
        "https://a.example/n#x",
        "https://a.example/n#",
    ] {
        let address = Address::parse("notify_url", text).unwrap();
        assert_eq!(address.as_str(), text);
        let refused = address.must_be_plain("notify_url").unwrap_err();
        assert_eq!(
            refused.problem,
            "has a query or fragment, which this platform does not allow"
        );
        assert_eq!(Address::parse_plain("notify_url", text), Err(refused));
    }
    assert!(Address::parse_plain("notify_url", "https://a.example/n").is_ok());
    let address = Address::parse("notify_url", "https://a.example/n").unwrap();
    assert_eq!(serde_json::to_string(&address).unwrap(), "\"https://a.example/n\"");
}

#[test]
fn a_reachable_address_is_on_the_public_network_or_on_this_machine_over_http() {
    let reach = |text: &str| {
        Address::parse("notify_url", text)
            .unwrap()
            .must_be_reachable("notify_url")
    };
    for text in [
        "https://a.example",
        "https://A.Example.:8443/n",
        "https://203.0.113.7",
        "https://[2001:db8::1]/n",
        "http://127.0.0.1:8080/n",
        "http://localhost/n",
    ] {
        assert_eq!(reach(text), Ok(()), "{text}");
    }
    for host in [
        "localhost",
        "a.LOCALHOST",
        "intranet",
        "intranet.",
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1:8443",
        "169.254.1.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:10.1.2.3]",
        "[fc00::1]",
        "[fe80::1]",
    ] {
        let error = reach(&format!("https://{host}/n")).expect_err(host);
        assert_eq!(
            (error.field, error.problem),
            ("notify_url", "is on a host that the platform cannot reach")
        );
    }
}

proptest! {
    #[test]
    fn no_host_but_loopback_is_taken_over_http(host in prop_oneof!["[a-z0-9.-]{1,12}", "(127\\.0\\.0\\.1|localhost)[a-z0-9.:@-]{0,6}", "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}"]) {
        if let Ok(address) = Address::parse("notify_url", &format!("http://{host}/")) {
            let bare = host.split_once(':').map_or(&*host, |(bare, _)| bare);
            let parts: Vec<&str> = bare.split('.').collect();
            let loopback = bare == "localhost"
                || (parts.len() == 4 && parts[0] == "127" && parts.iter().all(|part| part.parse::<u8>().is_ok()));
            prop_assert!(loopback, "{:?}", address);
        }
    }
}
