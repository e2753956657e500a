//! What a payer's browser gets: redirects, and pages that say in a few words where things stand.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use yuanfen_core::{Fields, Limits};

/// Sends the browser on.
pub(super) fn redirect(location: &str) -> Response<Bytes> {
    let Ok(location) = HeaderValue::from_str(location) else {
        return page(StatusCode::BAD_REQUEST, "the address to return to cannot be sent");
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// A page for people.
pub(super) fn page(status: StatusCode, words: &str) -> Response<Bytes> {
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let html = format!("<!doctype html>\n<html><body><p>{words}</p></body></html>\n");
    let mut response = Response::new(Bytes::from(html));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    response
}

/// The fields of a query; none where it cannot be read.
pub(super) fn query_fields(query: Option<&str>) -> Option<Fields> {
    yuanfen_form::read(query.unwrap_or_default().as_bytes(), &Limits::DEFAULT).ok()
}

/// Whether an address names a scheme that a browser or a courier follows, and a host.
pub(super) fn is_absolute(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
}

/// An address with more parameters behind those it has, in front of its fragment.
pub(super) fn with_parameters(url: &str, parameters: &[(&str, &str)]) -> String {
    // Names here are constants and never repeat.
    let added = yuanfen_form::write(&Fields::try_from(parameters).unwrap_or_default());
    let (address, fragment) = match url.split_once('#') {
        Some((address, fragment)) => (address, Some(fragment)),
        None => (url, None),
    };
    let joint = match address.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let fragment = fragment.map(|fragment| format!("#{fragment}")).unwrap_or_default();
    format!("{address}{joint}{added}{fragment}")
}
