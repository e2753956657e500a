//! An account whose key is somewhere else: every signature is asked for, and everything a client does still works.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use yuanfen_core::{
    Advice, BuildError, ClientAuth, Effect, ErrorKind, Fate, RawOperation, Route, Sent, SettleRule, SettleVerdict,
    SignError, Standing, TransportErrorKind, Verified,
};
use yuanfen_transport::test_util::{Capture, Fault, Flaky, Replay};
use yuanfen_transport::{Client, RemoteSign, Retry, Transport, TransportError, Unchecked};

use crate::toy::{self, Message, Outbound, Place, Query, Refund, Reverse, Toy, keys, no, ok, signed};

/// A vault that takes its time, keeps what it was asked, and is down for so many errands.
#[derive(Clone, Default)]
struct Vault {
    texts: Arc<Mutex<Vec<Vec<u8>>>>,
    down: Arc<AtomicUsize>,
}

impl Vault {
    fn down_for(errands: usize) -> Self {
        let vault = Self::default();
        vault.down.store(errands, Ordering::SeqCst);
        vault
    }

    fn texts(&self) -> Vec<String> {
        let texts = self.texts.lock().unwrap();
        texts
            .iter()
            .map(|text| String::from_utf8(text.clone()).unwrap())
            .collect()
    }
}

impl RemoteSign for Vault {
    async fn sign(&self, text: Vec<u8>) -> Result<String, SignError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let down = self
            .down
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if down.is_ok() {
            return Err(SignError::new("the vault is closed"));
        }
        let signature = toy::signature(&text);
        self.texts.lock().unwrap().push(text);
        Ok(signature)
    }
}

fn client(transport: impl Transport + 'static, vault: &Vault) -> Client<Toy> {
    Client::new(Toy::default().signed_elsewhere(), transport).with_remote_signer(vault.clone())
}

fn authorization(request: &http::Request<Bytes>) -> &str {
    request.headers()["authorization"].to_str().unwrap()
}

#[tokio::test]
async fn a_call_is_signed_where_the_key_is() {
    let (capture, vault) = (Capture::answering(ok("prepay")), Vault::default());
    assert_eq!(client(capture.clone(), &vault).call(&Place).await.unwrap(), "prepay");
    assert_eq!(vault.texts(), [toy::ORDER_BODY]);
    let expected = format!("toy {}", toy::signature(toy::ORDER_BODY.as_bytes()));
    assert_eq!(authorization(&capture.requests()[0]), expected);
    // A clone asks the same vault.
    client(capture, &vault).clone().call(&Place).await.unwrap();
    assert_eq!(vault.texts().len(), 2);
}

#[tokio::test]
async fn without_a_remote_signer_such_an_account_cannot_call() {
    let capture = Capture::answering(ok("prepay"));
    let error = Client::new(Toy::default().signed_elsewhere(), capture.clone())
        .call(&Place)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(BuildError::Sign(_))));
    assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Stop));
    assert!(capture.requests().is_empty());
}

#[tokio::test]
async fn missing_keys_are_fetched_with_a_signature_from_there_and_the_same_answer_opened_again() {
    let vault = Vault::default();
    let replay = Replay::new([signed("k2", 22, 200, "prepay"), keys("k2", 22)]);
    assert_eq!(client(replay.clone(), &vault).call(&Place).await.unwrap(), "prepay");
    assert_eq!(replay.left(), 0);
    // The order, then the fetch, whose text is empty.
    assert_eq!(vault.texts(), [toy::ORDER_BODY, ""]);
}

#[tokio::test]
async fn a_vault_that_closes_before_the_fetch_leaves_the_outcome_open_and_says_why() {
    let vault = Vault::default();
    let closing = {
        let vault = vault.clone();
        move |_: http::Request<Bytes>| {
            vault.down.store(1, Ordering::SeqCst);
            async { Ok::<_, TransportError>(signed("k2", 22, 200, "prepay")) }
        }
    };
    let error = client(closing, &vault).call(&Place).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Signature(_)), "{error:?}");
    assert_eq!(error.fate(), Fate::Unknown);
    let mut reasons = Vec::new();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reasons.push(cause.to_string());
        source = cause.source();
    }
    assert!(
        reasons.iter().any(|reason| reason.contains("the vault is closed")),
        "{reasons:?}"
    );
}

#[tokio::test]
async fn a_vault_that_does_not_sign_sent_nothing_and_may_be_asked_again() {
    for effect in ["place", "refund"] {
        let capture = Capture::answering(ok("done"));
        let client = client(capture.clone(), &Vault::down_for(1));
        let error = match effect {
            "place" => client.call(&Place).await.unwrap_err(),
            _ => client.call(&Refund).await.unwrap_err(),
        };
        let ErrorKind::Transport(wire) = error.kind() else {
            panic!("{error:?}");
        };
        assert_eq!((wire.kind, wire.sent), (TransportErrorKind::Signer, Sent::No));
        assert_eq!((error.fate(), error.advice()), (Fate::NotSent, Advice::Repeat));
        assert!(capture.requests().is_empty());
    }
    let (capture, vault) = (Capture::answering(ok("done")), Vault::down_for(2));
    let retry = Retry::new(|_: Duration| async {});
    assert_eq!(
        retry.call(&client(capture.clone(), &vault), &Refund).await.unwrap(),
        "done"
    );
    assert_eq!(capture.requests().len(), 1);
}

#[tokio::test]
async fn a_signature_that_does_not_fit_is_not_sent() {
    let capture = Capture::answering(ok("done"));
    let error = Client::new(Toy::default().signed_elsewhere(), capture.clone())
        .with_remote_signer(|_: Vec<u8>| async { Ok("two\nlines".to_owned()) })
        .call(&Place)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Build(_)), "{error:?}");
    assert_eq!(error.fate(), Fate::NotSent);
    assert!(capture.requests().is_empty());
}

#[tokio::test]
async fn settling_outlives_a_vault_that_is_closed_for_a_while() {
    // The refund is cut off; the vault is closed for the first query and open for the next ones.
    let vault = Vault::default();
    let platform = Replay::new([ok("refunded"), ok("refunded")]);
    let flaky = Flaky::new(platform.clone(), [Fault::LoseReply]);
    let client = client(flaky, &vault);
    let error = client.call(&Refund).await.unwrap_err();
    vault.down.store(1, Ordering::SeqCst);
    let settled = client
        .settle(&Refund, &Query, &SettleRule::REFUND.with_pauses(&[0]), |_| {
            Standing::Succeeded
        })
        .after(error.fate(), &|_: Duration| async {})
        .await;
    assert_eq!(settled.verdict, SettleVerdict::Happened(Standing::Succeeded));
    assert_eq!(platform.left(), 0);
    assert!(settled.last_error.is_some_and(|error| error.fate() == Fate::NotSent));
}

#[tokio::test]
async fn downloads_and_untyped_calls_are_signed_there_too() {
    let (capture, vault) = (Capture::answering(ok("one,two")), Vault::default());
    let client = client(capture.clone(), &vault);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bill.csv");
    assert_eq!(client.download(&Query, Unchecked, &path).await.unwrap(), 7);
    let outbound = Outbound {
        method: Method::POST,
        path: "/new".to_owned(),
        body: "new=1",
    };
    let route = Route::new("toy", "new", Method::POST, "/new", Effect::QueryFirst);
    let raw = RawOperation::new(route, outbound);
    let reply: Verified<Message> = client.call_raw(raw).await.unwrap();
    assert_eq!(reply.get().text, "one,two");
    assert_eq!(vault.texts(), ["", "new=1"]);

    let closed = client.with_remote_signer(Vault::down_for(1));
    let error = closed.download(&Query, Unchecked, &path).await.unwrap_err();
    assert_eq!(error.call().unwrap().fate(), Fate::NotSent);
}

#[tokio::test]
async fn a_request_that_needs_the_certificate_still_says_so() {
    let (capture, vault) = (Capture::answering(ok("reversed")), Vault::default());
    client(capture.clone(), &vault).call(&Reverse).await.unwrap();
    let requests = capture.requests();
    assert_eq!(requests[0].extensions().get(), Some(&ClientAuth::Required));
}

#[tokio::test]
async fn a_text_that_ends_in_its_key_is_signed_here() {
    let (capture, vault) = (Capture::answering(ok("prepay")), Vault::default());
    let account = Toy::default().with_the_key_in_its_texts();
    let client = Client::new(account, capture.clone()).with_remote_signer(vault.clone());
    client.call(&Place).await.unwrap();
    assert_eq!(vault.texts(), Vec::<String>::new());
    assert!(authorization(&capture.requests()[0]).starts_with("toy "));
}

#[tokio::test]
async fn a_refusal_is_a_refusal_whoever_signed() {
    let vault = Vault::default();
    let error = client(Replay::new([no("DECLINED")]), &vault)
        .call(&Place)
        .await
        .unwrap_err();
    assert_eq!(error.fate(), Fate::Refused);
}
