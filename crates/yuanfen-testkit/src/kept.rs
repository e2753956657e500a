//! What is kept of a request that is stored: whoever opens it once more must find the same in it.

use std::fmt;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use yuanfen_core::{EventKey, Facts, Hint, Notice, NotificationSource, UnixTime};

/// What opening a notice comes to.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Event(EventKey, Facts),
    Hint(Hint),
}

/// Opens a request as a proxy would hand it on, with headers of its own, then once more with no header but the
/// [kept](NotificationSource::kept_headers) ones, and expects the same key and facts, or the same hint, from both.
///
/// # Panics
/// When either does not open, they differ, or a name is not spelled in lower case.
pub fn expect_kept<S: NotificationSource>(source: &S, request: &Request<Bytes>, now: UnixTime) {
    let mut handed_on = request.clone();
    for (name, value) in [
        ("content-type", "application/octet-stream"),
        ("host", "shop.example"),
        ("x-forwarded-for", "203.0.113.7"),
        ("authorization", "Basic bm9ib2R5Om5vdGhpbmc="),
    ] {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        handed_on.headers_mut().entry(name).or_insert(value);
    }
    let mut kept = HeaderMap::new();
    for name in source.kept_headers() {
        // Panics where the name is not in lower case.
        let name = HeaderName::from_static(name);
        for value in handed_on.headers().get_all(&name) {
            kept.append(name.clone(), value.clone());
        }
    }
    let (parts, body) = handed_on.clone().into_parts();
    let mut stored = Request::new(body);
    *stored.method_mut() = parts.method;
    *stored.uri_mut() = parts.uri;
    *stored.headers_mut() = kept;
    assert_eq!(found(source, &stored, now), found(source, &handed_on, now));
}

fn found<S: NotificationSource>(source: &S, request: &Request<Bytes>, now: UnixTime) -> Found {
    match source.open_notification(request, now) {
        Ok(Notice::Settles(event)) => {
            let key = source.key(event.get());
            assert_eq!((&*key.route, &*key.account), (source.route(), source.account()));
            Found::Event(key, source.facts(event.get()))
        }
        Ok(Notice::Hint(hint)) => {
            assert_eq!(hint.route, source.route());
            Found::Hint(hint)
        }
        Ok(_) => unopened(&"a kind of notice that this version does not know"),
        Err(error) => unopened(&error),
    }
}

fn unopened(why: &dyn fmt::Display) -> ! {
    panic!("it does not open: {why}")
}
