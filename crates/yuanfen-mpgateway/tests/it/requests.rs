//! What is sent: a form that another parser reads, signed over the base64 before it was escaped.

use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};
use yuanfen_core::{Operation as _, OperationExt as _, Provider as _};
use yuanfen_mpgateway::Message;
use yuanfen_mpgateway::ops::CancelOrder;
use yuanfen_testkit::{json, oracle};

use crate::far_side::{KEY, account, ambient, order, order_no, payload_of, query, sent};

#[test]
fn posts_a_form_of_two_fields() {
    let cancel = CancelOrder::by_order_no(order_no());
    for (request, path) in [
        (order().request(&account(), &ambient()).unwrap(), "/api/mpgateway"),
        (query().request(&account(), &ambient()).unwrap(), "/api/query"),
        (cancel.request(&account(), &ambient()).unwrap(), "/api/cancel"),
    ] {
        assert_eq!(request.method(), http::Method::POST);
        assert_eq!(request.uri().to_string(), format!("https://pay.example{path}"));
        assert_eq!(request.headers()["content-type"], "application/x-www-form-urlencoded");
        let agent = request.headers()["user-agent"].to_str().unwrap();
        assert_eq!(agent, concat!("yuanfen/", env!("CARGO_PKG_VERSION")));
        let body = std::str::from_utf8(request.body()).unwrap();
        let (req, sign) = body.strip_prefix("req=").unwrap().split_once("&sign=").unwrap();
        assert!(!req.contains(['+', '/', '=']), "escaped once: {req}");
        assert!(!req.contains("%25"), "and not twice: {req}");
        assert!(
            sign.len() == 32 && sign.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')),
            "{sign}"
        );
    }
}

#[test]
fn repeats_a_call_with_identical_bytes() {
    let first = order().request(&account(), &ambient()).unwrap();
    let ambient = ambient();
    ambient.advance(3600);
    let second = order().request(&account(), &ambient).unwrap();
    assert_eq!(first.body(), second.body(), "nothing in it is made anew");
}

#[test]
fn carries_hostile_text_unchanged() {
    for text in [
        "]]>",
        "\"},{\"txnamt\":1",
        "\\",
        "a&sign=0",
        "%2B+ /=",
        "<script>",
        " outer blanks ",
    ] {
        let mut order = order();
        order.code = Some(text.to_owned());
        assert_eq!(
            sent(&order.request(&account(), &ambient()).unwrap())["code"],
            json!(text)
        );
    }
}

#[test]
fn signs_elsewhere_in_two_steps() {
    let account = account();
    let message = order().encode(&account, &ambient()).unwrap();
    let json = message.json.clone();
    let draft = account.draft(message, &ambient()).unwrap();
    assert!(draft.wants_signature() && draft.text().ends_with(KEY.as_bytes()));
    assert_eq!(
        draft.redacted_text(),
        format!("{}<key>", oracle::mpgateway_base64(&json))
    );
    let signature = account.signer().sign(draft.text(), &ambient()).unwrap();
    assert_eq!(payload_of(draft.finish(&signature).unwrap().body()), json.as_bytes());
}

fn payload() -> impl Strategy<Value = String> {
    prop::collection::btree_map(any::<String>(), any::<String>(), 0..8).prop_map(|map| json!(map).to_string())
}

proptest! {
    #[test]
    fn signs_any_payload_so_that_an_independent_reader_agrees(payload in payload()) {
        let message = Message::new("/api/new", payload.clone());
        let request = account().seal(message, &ambient()).unwrap();
        // Checks the signature by the oracle as well.
        prop_assert_eq!(payload_of(request.body()), payload.into_bytes());
    }
}
