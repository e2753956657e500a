//! Whatever a client writes as its host, nobody but the sandbox is told of.
#![allow(clippy::unwrap_used, reason = "tests")]

use http::{HeaderMap, HeaderValue, Uri};
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

use super::{Hosts, Tenant, bare, is_loopback};
use crate::Platform;
use crate::arrival::Scheme;

/// Pieces that hosts are made of, and that break them.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("api.mch.weixin.qq.com".to_owned()),
        Just("gateway.starpos.com.cn".to_owned()),
        Just("127.0.0.1".to_owned()),
        Just("localhost".to_owned()),
        Just("[::1]".to_owned()),
        Just("evil.example".to_owned()),
        Just(":443".to_owned()),
        Just(":0".to_owned()),
        "[.@:/?#, \\\\%_-]{1,2}",
        "[a-zA-Z0-9]{1,6}",
        any::<String>(),
    ]
}

proptest! {
    #[test]
    fn tells_of_no_strangers_host(pieces in proptest::collection::vec(piece(), 0..5)) {
        let hosts = Hosts::default();
        let text = pieces.concat();
        let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) else { return Ok(()) };
        let headers: HeaderMap = [(http::header::HOST, value)].into_iter().collect();
        let (tenant, origin) = hosts.origin(Scheme::Https, &Uri::from_static("/v3/certificates"), &headers);
        let Some(origin) = origin else {
            assert_eq!(tenant, Tenant::Everybody);
            return Ok(());
        };
        // What comes out is read by another reader than the one that let it in.
        let rest = origin.strip_prefix("https://").unwrap();
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
            _ => (rest, None),
        };
        let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
        assert!(port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok_and(|port| port > 0)), "{origin}");
        assert!(!rest.contains(['@', '/', '?', '#', '\\', ' ']), "{origin}");
        let host = bare(host);
        assert!(is_loopback(&host) || hosts.names().contains(&host), "{origin}");
    }
}

#[test]
fn gives_a_name_to_one_tenant_and_keeps_this_machines_own() {
    let mut hosts = Hosts::default();
    assert_eq!(
        hosts.tenant("mpgateway.test."),
        Some(Tenant::Acquirer(Platform::Mpgateway))
    );
    assert_eq!(hosts.tenant("pay.example"), None);
    hosts.add("Pay.Example", Some(Platform::Fshows)).unwrap();
    hosts.add("pay.example", Some(Platform::Mpgateway)).unwrap();
    hosts.add("192.0.2.7", None).unwrap();
    hosts.add("localhost", Some(Platform::Starpos)).unwrap();
    assert_eq!(hosts.tenant("PAY.EXAMPLE"), Some(Tenant::Acquirer(Platform::Mpgateway)));
    assert_eq!(hosts.tenant("192.0.2.7"), Some(Tenant::Everybody));
    for own in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "LOCALHOST."] {
        assert_eq!(hosts.tenant(own), Some(Tenant::Everybody), "{own}");
    }
    let names = hosts.names();
    assert_eq!(names.iter().filter(|name| *name == "pay.example").count(), 1);
    assert_eq!(names.iter().filter(|name| *name == "localhost").count(), 1);
}
