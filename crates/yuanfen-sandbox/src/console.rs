//! The console in the browser: its files, which are compiled in, and the pictures of QR codes.
//!
//! The page is plain HTML, CSS and JavaScript modules, served as they stand in `src/console/`. It knows the sandbox by
//! the admin API alone.

use std::collections::BTreeSet;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use qrcode::QrCode;
use qrcode::render::svg;
use serde_json::json;
use yuanfen_core::Limits;

use crate::{FaultKind, Platform, RefusalCode};

/// Most bytes of a text that is drawn as a QR code.
const MOST_DRAWN: usize = 1024;
/// Side of a drawing in its own units; the page scales it.
const SIDE: u32 = 256;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What happens when a payment code is charged, as [`Reaction`](crate::Reaction) is spelled.
const REACTIONS: [&str; 6] = ["pays", "types", "bank-silent", "lacks-money", "card-refused", "refused"];

/// One file of the page.
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($kind:ident: $($name:literal)+;)+) => {
        &[$($(File { name: $name, kind: $kind, text: include_str!(concat!("console/", $name)) },)+)+]
    };
}

const FILES: &[File] = files! {
    HTML: "index.html";
    SVG: "icon.svg";
    CSS: "base.css" "layout.css" "parts.css" "phone.css";
    SCRIPT: "api.js" "bills.js" "clock.js" "connect.js" "divergence.js" "dom.js" "early.js" "en.js" "exchange.js"
        "exchanges.js" "faults.js" "first_call.js" "format.js" "i18n.js" "main.js" "markdown.js" "message.js" "notices.js" "order.js" "orders.js"
        "parts.js" "payer.js" "phone.js" "shortcuts.js" "store.js" "visible.js" "zh.js";
};

/// Answers a call for the page at `/`, or for what belongs to it below `/console/`.
pub(crate) fn answer(request: &Request<Bytes>) -> Option<Response<Bytes>> {
    if *request.method() != Method::GET {
        return None;
    }
    let name = match request.uri().path() {
        "/" => "index.html",
        path => path.strip_prefix("/console/")?,
    };
    match name {
        "words.json" => Some(words()),
        "qr.svg" => Some(picture(request.uri().query().unwrap_or_default())),
        _ => {
            let file = FILES.iter().find(|file| file.name == name)?;
            Some(written(file.kind, Bytes::from_static(file.text.as_bytes())))
        }
    }
}

fn written(kind: &'static str, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static(kind);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Names that the sandbox takes, so that the page offers no others.
fn words() -> Response<Bytes> {
    let codes: BTreeSet<&str> = Platform::ALL
        .iter()
        .flat_map(|platform| RefusalCode::of(*platform))
        .map(RefusalCode::as_str)
        .collect();
    let words = json!({ "faults": FaultKind::SPELLINGS, "codes": codes, "reactions": REACTIONS });
    written("application/json", Bytes::from(words.to_string()))
}

/// `?text=` as a QR code. A text that does not fit is answered with 400.
fn picture(query: &str) -> Response<Bytes> {
    let drawn = yuanfen_form::read(query.as_bytes(), &Limits::DEFAULT)
        .ok()
        .and_then(|fields| fields.get("text").map(str::to_owned))
        .filter(|text| !text.is_empty() && text.len() <= MOST_DRAWN)
        .and_then(|text| QrCode::new(text).ok());
    match drawn {
        Some(code) => {
            let picture = code.render::<svg::Color<'_>>().min_dimensions(SIDE, SIDE).build();
            written(SVG, Bytes::from(picture))
        }
        None => {
            let mut response = written(
                "application/json",
                Bytes::from_static(b"{\"error\":\"no text that fits\"}\n"),
            );
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mistake, Reaction};

    fn get(path: &str) -> Option<Response<Bytes>> {
        answer(&Request::get(path).body(Bytes::new()).unwrap())
    }

    fn text(name: &str) -> &'static str {
        FILES.iter().find(|file| file.name == name).unwrap().text
    }

    /// The keys of a dictionary: `  "key": "words",` on a line of its own.
    fn keys(name: &str) -> BTreeSet<&'static str> {
        let lines = text(name).lines().filter_map(|line| line.strip_prefix("  \""));
        lines.filter_map(|line| Some(line.split_once("\": ")?.0)).collect()
    }

    #[test]
    fn serves_the_page_and_every_file_that_lies_beside_it_and_nothing_else() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/console");
        let there = std::fs::read_dir(folder).unwrap();
        let there: BTreeSet<String> = there
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let served: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(there, served);
        for name in served {
            assert_eq!(get(&format!("/console/{name}")).unwrap().status(), 200, "{name}");
        }
        let page = get("/").unwrap();
        assert_eq!(page.headers()[header::CONTENT_TYPE], HTML);
        assert!(get("/console/").is_none());
        assert!(get("/console/../console.rs").is_none());
        assert!(get("/api/state").is_none());
        let post = Request::post("/").body(Bytes::new()).unwrap();
        assert!(answer(&post).is_none());
    }

    #[test]
    fn whatever_a_file_asks_for_is_there() {
        for file in FILES {
            let pieces = file.text.split('"');
            for asked in pieces.filter_map(|piece| piece.strip_prefix("/console/").or_else(|| piece.strip_prefix("./")))
            {
                let is_there = asked == "words.json" || FILES.iter().any(|file| file.name == asked);
                assert!(is_there, "{} asks for {asked}", file.name);
            }
        }
    }

    /// What a shop writes into an order must stay text, and the content security policy allows no style in the page.
    #[test]
    fn no_script_makes_markup_or_code_of_text() {
        let makers = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "createContextualFragment",
            "parseFromString",
            "document.write",
            "eval(",
            "Function(",
            "javascript:",
            "style:",
            ".style",
            "setTimeout(\"",
        ];
        for file in FILES.iter().filter(|file| file.kind == SCRIPT) {
            for maker in makers {
                assert!(!file.text.contains(maker), "{} has {maker}", file.name);
            }
        }
        let page = text("index.html");
        for inline in [" style=", " onclick=", "<style", "<script>"] {
            assert!(!page.contains(inline), "the page has {inline}");
        }
    }

    #[test]
    fn both_languages_have_words_for_the_same_things() {
        // The diagnosis itself speaks English.
        let of_zh: BTreeSet<_> = keys("zh.js")
            .into_iter()
            .filter(|key| !key.starts_with("mistake."))
            .collect();
        assert_eq!(keys("en.js"), of_zh);
        assert!(of_zh.len() > 200, "{}", of_zh.len());
    }

    #[test]
    fn there_are_words_for_all_that_the_scripts_and_the_sandbox_name() {
        let (en, zh) = (keys("en.js"), keys("zh.js"));
        for file in FILES.iter().filter(|file| file.kind == SCRIPT) {
            let calls = file.text.split(" t(\"").chain(file.text.split("(t(\"")).skip(1);
            for key in calls.filter_map(|rest| Some(rest.split_once('"')?.0)) {
                let is_key = key
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || b".-".contains(&byte));
                assert!(!is_key || en.contains(key), "{} says {key}", file.name);
            }
        }
        for spelling in FaultKind::SPELLINGS {
            let (name, takes_value) = spelling
                .split_once('=')
                .map_or((*spelling, false), |(name, _)| (name, true));
            assert!(en.contains(format!("fault.{name}").as_str()), "fault.{name}");
            assert!(
                !takes_value || en.contains(format!("fault.{name}.value").as_str()),
                "fault.{name}.value"
            );
        }
        for mistake in Mistake::ALL {
            assert!(zh.contains(format!("mistake.{mistake}").as_str()), "mistake.{mistake}");
        }
        for reaction in REACTIONS {
            assert!(
                serde_json::from_value::<Reaction>(json!(reaction)).is_ok(),
                "{reaction}"
            );
            assert!(
                en.contains(format!("reaction.{reaction}").as_str()),
                "reaction.{reaction}"
            );
        }
    }

    #[test]
    fn draws_a_code_address_and_refuses_what_does_not_fit() {
        let drawn = get("/console/qr.svg?text=weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3DGhB1xYZ").unwrap();
        assert_eq!(
            (drawn.status(), &drawn.headers()[header::CONTENT_TYPE]),
            (StatusCode::OK, &HeaderValue::from_static(SVG))
        );
        let picture = std::str::from_utf8(drawn.body()).unwrap();
        assert!(picture.contains("<svg") && picture.contains("<path"), "{picture}");
        let other = get("/console/qr.svg?text=weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fpr%3DGhB1xYY").unwrap();
        assert_ne!(drawn.body(), other.body());
        for query in [
            String::new(),
            "?text=".to_owned(),
            "?other=1".to_owned(),
            format!("?text={}", "a".repeat(2000)),
        ] {
            let refused = get(&format!("/console/qr.svg{query}")).unwrap();
            assert_eq!(refused.status(), 400, "{query}");
        }
    }
}
