//! How an operation and a provider make a request and open a reply.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use yuanfen_core::{
    Advice, BuildError, ClientAuth, Effect, ErrorKind, Fate, FixedAmbient, OperationExt, Provider, RawOperation,
    Readiness, ReplyTrust, Route, RouteInfo, SignatureError, UnixTime,
};

use crate::fake::{Call, Fake, Message, QUERY_FIRST, Reply, SIGNED, Signer, UNSIGNED};

const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

fn response(status: u16) -> http::Response<Bytes> {
    let body = Bytes::from_static(b"answer");
    http::Response::builder().status(status).body(body).unwrap()
}

#[test]
fn a_request_is_signed_once_and_says_that_it_needs_a_certificate() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let request = Call::<QUERY_FIRST, SIGNED>.request(&account, &ambient).unwrap();
    assert_eq!(request.body(), "body");
    assert_eq!(request.headers().get("signature").unwrap(), "4");
    assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));
    assert_eq!(account.signatures.made.load(Ordering::SeqCst), 1);
}

#[test]
fn a_draft_is_signed_elsewhere_and_finished_here() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let draft = account.draft(Message::Signed("text"), &ambient).unwrap();
    assert!(draft.wants_signature());
    assert_eq!(draft.text(), b"text");
    let request = draft.finish("from afar").unwrap();
    assert_eq!(request.headers().get("signature").unwrap(), "from afar");
    let draft = account.draft(Message::Signed("text"), &ambient).unwrap();
    assert!(matches!(draft.finish("bad\nheader"), Err(BuildError::Encode(_))));
    assert_eq!(account.signatures.made.load(Ordering::SeqCst), 0);
}

#[test]
fn the_draft_of_an_operation_becomes_the_same_request_as_in_one_step() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let draft = Call::<QUERY_FIRST, SIGNED>.draft(&account, &ambient).unwrap();
    assert_eq!((draft.text(), draft.holds_key()), (b"body".as_slice(), false));
    assert_eq!(account.signatures.made.load(Ordering::SeqCst), 0);
    let request = draft.finish("4").unwrap();
    let in_one_step = Call::<QUERY_FIRST, SIGNED>.request(&account, &ambient).unwrap();
    assert_eq!(request.headers(), in_one_step.headers());
    assert_eq!(request.body(), in_one_step.body());
    // The merchant's certificate is wanted in either case.
    assert_eq!(request.extensions().get::<ClientAuth>(), Some(&ClientAuth::Required));

    let route = Route::new("fake", "new_call", http::Method::POST, "/new", Effect::Read);
    let raw = RawOperation::<Fake>::new(route, Message::Unwritable);
    let error = raw.draft::<Reply<UNSIGNED>>(&account, &ambient).unwrap_err();
    assert_eq!((error.operation(), error.fate()), ("new_call", Fate::NotSent));
}

#[test]
fn a_draft_with_a_signer_of_its_own_is_sealed_with_that() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let broken = Signer {
        broken: true,
        ..Signer::default()
    };
    let draft = account.draft(Message::Signed("text"), &ambient).unwrap();
    let error = draft.signed_with(broken).seal(account.signer(), &ambient).unwrap_err();
    assert!(matches!(error, BuildError::Sign(_)));
    assert_eq!(account.signatures.made.load(Ordering::SeqCst), 0);
}

#[test]
fn a_message_that_its_protocol_does_not_sign_is_sealed_without_the_key() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let request = account.seal(Message::Unsigned("plain"), &ambient).unwrap();
    assert_eq!(request.body(), "plain");
    assert!(request.headers().is_empty());
    assert_eq!(account.signatures.made.load(Ordering::SeqCst), 0);
}

#[test]
fn a_key_that_cannot_sign_stops_the_call_before_it_is_sent() {
    let account = Fake {
        signatures: Signer {
            broken: true,
            ..Signer::default()
        },
    };
    let error = Call::<QUERY_FIRST, SIGNED>
        .request(&account, &FixedAmbient::at(0))
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(BuildError::Sign(_))));
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    assert_eq!((error.provider(), error.operation()), ("fake", "call"));
}

#[test]
fn a_reply_is_opened_before_it_is_decoded() {
    let account = Fake::default();
    assert_eq!(
        Call::<QUERY_FIRST, SIGNED>
            .reply(&account, &response(200), NOW)
            .unwrap(),
        "answer"
    );
    let error = Call::<QUERY_FIRST, SIGNED>
        .reply(&account, &response(500), NOW)
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Signature(SignatureError::Mismatch)));
    assert_eq!((error.fate(), error.advice()), (Fate::Unknown, Advice::QueryFirst));
}

#[test]
fn an_untyped_call_is_signed_and_opened_like_any_other() {
    let (account, ambient) = (Fake::default(), FixedAmbient::at(0));
    let raw = |message| {
        let effect = Effect::QueryFirst;
        let route = Route::new("fake", "new_call", http::Method::POST, "/new", effect);
        RawOperation::<Fake>::new(route, message)
    };
    let (request, info) = raw(Message::Signed("raw"))
        .request::<Reply<UNSIGNED>>(&account, &ambient)
        .unwrap();
    assert_eq!(request.headers().get("signature").unwrap(), "3");
    assert_eq!(request.extensions().get::<ClientAuth>(), None);
    assert_eq!((info.route.operation, info.reply), ("new_call", ReplyTrust::Unsigned));
    let opened: Reply<UNSIGNED> = RawOperation::open(&info, &account, &response(200), NOW).unwrap();
    assert_eq!(opened.0, "answer");
    let error = RawOperation::<Fake>::open::<Reply<UNSIGNED>>(&info, &account, &response(404), NOW).unwrap_err();
    assert_eq!((error.operation(), error.fate()), ("new_call", Fate::Unknown));
    let error = raw(Message::Unwritable)
        .request::<Reply<UNSIGNED>>(&account, &ambient)
        .unwrap_err();
    assert_eq!(error.fate(), Fate::NotSent);
}

/// Where nothing is signed there is nothing to check, and where nothing changes the answer can wait for its key.
#[test]
fn only_signed_writes_need_a_key_before_they_are_sent() {
    for (effect, trust, needs) in [
        (Effect::Read, ReplyTrust::Signed, false),
        (Effect::Repeatable, ReplyTrust::Signed, true),
        (Effect::QueryFirst, ReplyTrust::Signed, true),
        (Effect::QueryFirst, ReplyTrust::Unsigned, false),
        (Effect::Read, ReplyTrust::File, false),
    ] {
        let route = Route::new("fake", "call", http::Method::POST, "/", effect);
        assert_eq!(RouteInfo::new(route, trust).needs_keys(), needs, "{effect:?} {trust:?}");
    }
}

#[test]
fn a_provider_without_a_key_call_has_none() {
    let account = Fake::default();
    let route = Route::new("fake", "call", http::Method::POST, "/", Effect::QueryFirst);
    assert_eq!(account.readiness(&route, NOW), Readiness::Ready);
    for serial in [Some("SERIAL"), None] {
        assert!(account.fetch_keys(serial, &FixedAmbient::at(0)).is_none());
    }
    assert!(account.learn_keys(&response(200), NOW).is_ok());
}
