//! A provider small enough to see through: a response names the key it is signed with in `x-serial` and carries in
//! `x-signature` the sum of its bytes plus the key. Where it has an `x-time`, that may be five minutes away.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use http::Method;
use yuanfen_core::{
    Ambient, BuildError, CodeMeaning, Draft, Effect, Fate, OpenError, Opens, Operation, Provider, Readiness, Refusal,
    RefusalKind, ReplyTrust, Route, Sign, SignError, SignatureError, UnixTime, Verified, Verify,
};

pub const ORDER_BODY: &str = "order=A1&payer=oUpF8uMuAJO_secret_openid";

/// An account whose platform signs with the keys of that ring.
#[derive(Debug)]
pub struct Toy {
    base: String,
    keys: Mutex<BTreeMap<String, u64>>,
    can_fetch: bool,
    /// Until when the keys are valid; refreshing them is due from a hundred seconds before.
    ends: Mutex<i64>,
    signer: Signer,
    key_length: usize,
}

impl Toy {
    pub fn at(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            keys: Mutex::new(BTreeMap::from([("k1".to_owned(), 11)])),
            can_fetch: true,
            ends: Mutex::new(i64::MAX),
            signer: Signer::Here,
            key_length: 0,
        }
    }

    /// The same with keys that end then. What is learned ends a thousand seconds after it was learned.
    pub fn until(self, seconds: i64) -> Self {
        *self.ends.lock().unwrap() = seconds;
        self
    }

    fn has_keys(&self, now: UnixTime) -> bool {
        now.seconds() <= *self.ends.lock().unwrap()
    }

    /// The key is not in this process.
    pub fn signed_elsewhere(mut self) -> Self {
        self.signer = Signer::Elsewhere;
        self
    }

    /// As the schemes do whose text ends in the key.
    pub fn with_the_key_in_its_texts(mut self) -> Self {
        self.key_length = 3;
        self
    }

    pub fn without_fetching(mut self) -> Self {
        self.can_fetch = false;
        self
    }
}

impl Default for Toy {
    fn default() -> Self {
        Self::at("https://platform.example")
    }
}

fn sum(key: u64, bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(key, |sum, byte| sum * 31 % 1_000_003 + u64::from(*byte))
        .to_string()
}

struct Key(u64);

impl Verify for Key {
    fn verify(&self, text: &[u8], signature: &str) -> Result<(), SignatureError> {
        (sum(self.0, text) == signature)
            .then_some(())
            .ok_or(SignatureError::Mismatch)
    }
}

#[derive(Debug)]
enum Signer {
    Here,
    Elsewhere,
}

impl Sign for Signer {
    fn sign(&self, text: &[u8], _: &dyn Ambient) -> Result<String, SignError> {
        match self {
            Self::Here => Ok(signature(text)),
            Self::Elsewhere => Err(SignError::new("the key is elsewhere")),
        }
    }
}

/// What the account signs with, wherever that is.
pub fn signature(text: &[u8]) -> String {
    sum(7, text)
}

/// A response as the platform gives it, signed with that key.
pub fn signed(serial: &str, key: u64, status: u16, body: &str) -> http::Response<Bytes> {
    http::Response::builder()
        .status(status)
        .header("x-serial", serial)
        .header("x-signature", sum(key, body.as_bytes()))
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// The same, signed with the key that every account knows.
pub fn ok(body: &str) -> http::Response<Bytes> {
    signed("k1", 11, 200, body)
}

/// A refusal, signed.
pub fn no(code: &str) -> http::Response<Bytes> {
    signed("k1", 11, 400, code)
}

/// Without any signature.
pub fn unsigned(status: u16, body: &str) -> http::Response<Bytes> {
    http::Response::builder()
        .status(status)
        .body(Bytes::from(body.to_owned()))
        .unwrap()
}

/// A key that is over already when it is learned.
pub const USELESS: &str = "k0=10";

/// What the platform answers to a fetch of its keys.
pub fn keys(serial: &str, key: u64) -> http::Response<Bytes> {
    ok(&format!("{serial}={key}"))
}

pub struct Outbound {
    pub method: Method,
    pub path: String,
    pub body: &'static str,
}

impl Provider for Toy {
    type Outbound = Outbound;

    fn draft(&self, message: Outbound, ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let uri = format!("{}{}", self.base, message.path);
        let nonce = yuanfen_core::nonce_text(ambient);
        Ok(Draft::new(
            message.body.as_bytes().to_vec(),
            self.key_length,
            move |signature| {
                http::Request::builder()
                    .method(message.method)
                    .uri(uri)
                    .header("x-nonce", nonce)
                    .header("authorization", format!("toy {signature}"))
                    .body(Bytes::from(message.body))
                    .map_err(BuildError::encode)
            },
        ))
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }

    fn readiness(&self, route: &Route, now: UnixTime) -> Readiness {
        assert_eq!(route.provider, "toy");
        let left = self.ends.lock().unwrap().saturating_sub(now.seconds());
        match left {
            ..0 => Readiness::NoKeys,
            0..100 => Readiness::RefreshDue,
            _ => Readiness::Ready,
        }
    }

    fn fetch_keys(&self, serial: Option<&str>, ambient: &dyn Ambient) -> Option<Result<Draft, BuildError>> {
        let path = match serial {
            Some(serial) => format!("/keys?serial={serial}"),
            None => "/keys".to_owned(),
        };
        let message = Outbound {
            method: Method::GET,
            path,
            body: "",
        };
        self.can_fetch.then(|| self.draft(message, ambient))
    }

    fn learn_keys(&self, response: &http::Response<Bytes>, now: UnixTime) -> Result<(), OpenError> {
        // Like a first list of certificates, it proves itself, whatever keys are over.
        let learned = open(self, response, now, true)?.into_inner().text;
        let (serial, key) = learned.split_once('=').unwrap();
        if learned != USELESS {
            *self.ends.lock().unwrap() = now.seconds() + 1000;
        }
        self.keys
            .lock()
            .unwrap()
            .insert(serial.to_owned(), key.parse().unwrap());
        Ok(())
    }
}

/// A body as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub text: String,
}

fn meaning(code: &str) -> CodeMeaning {
    let (fate, kind) = match code {
        "NOT_FOUND" => (Fate::Refused, RefusalKind::NotFound),
        "PAID" => (Fate::Already, RefusalKind::Already),
        "DECLINED" => (Fate::Refused, RefusalKind::Declined),
        "BUSY" => (Fate::Refused, RefusalKind::Throttled),
        "TYPING" => (Fate::Unknown, RefusalKind::Pending),
        _ => (Fate::Unknown, RefusalKind::Unclear),
    };
    CodeMeaning::new(fate, kind, "a sentence", "the toy's table")
}

impl Opens<Toy> for Verified<Message> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    fn open(provider: &Toy, response: &http::Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        open(provider, response, now, false)
    }
}

fn open(
    provider: &Toy,
    response: &http::Response<Bytes>,
    now: UnixTime,
    with_old_keys: bool,
) -> Result<Verified<Message>, OpenError> {
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap());
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    let Some(serial) = header("x-serial") else {
        if response.status().is_success() {
            return Err(SignatureError::Missing { part: "x-serial" }.into());
        }
        let mut refusal = Refusal::new(text.clone(), "no", meaning(&text));
        refusal.status = response.status().as_u16();
        return Err(refusal.into());
    };
    let usable = with_old_keys || provider.has_keys(now);
    let key = provider.keys.lock().unwrap().get(serial).copied().filter(|_| usable);
    let key = key.ok_or_else(|| SignatureError::UnknownKey {
        serial: serial.to_owned(),
    })?;
    let signature = header("x-signature").unwrap_or_default();
    let time = header("x-time").map_or(now, |time| UnixTime::from_seconds(time.parse().unwrap()));
    let skew_seconds = now.since(time);
    if skew_seconds.abs() > 300 {
        return Err(SignatureError::Stale { skew_seconds }.into());
    }
    let message = Message { text };
    let message = Verified::check(&Key(key), response.body(), signature, message)?;
    if response.status().is_success() {
        return Ok(message);
    }
    let code = message.into_inner().text;
    let mut refusal = Refusal::new(code.clone(), "no", meaning(&code)).verified();
    refusal.status = response.status().as_u16();
    refusal.remote_request_id = Some("remote-1".to_owned());
    Err(refusal.into())
}

/// Places an order: repeatable under its number.
pub struct Place;
/// Pays money back: queried before it is repeated.
pub struct Refund;
/// Asks for an order.
pub struct Query;
/// Cannot be built.
pub struct Impossible;
/// Wants the merchant's certificate.
pub struct Reverse;

macro_rules! operation {
    ($name:ident, $operation:literal, $method:ident, $effect:ident, $body:expr $(, $certificate:ident)?) => {
        impl Operation for $name {
            type Provider = Toy;
            type Inbound = Verified<Message>;
            type Reply = String;
            const ROUTE: Route =
                Route::new("toy", $operation, Method::$method, concat!("/", $operation), Effect::$effect)
                    $(.$certificate())?;

            fn encode(&self, _: &Toy, _: &dyn Ambient) -> Result<Outbound, BuildError> {
                let body: Result<&'static str, BuildError> = $body;
                Ok(Outbound { method: Method::$method, path: Self::ROUTE.path.to_owned(), body: body? })
            }

            fn decode(&self, _: &Toy, inbound: Verified<Message>) -> Result<String, OpenError> {
                Ok(inbound.into_inner().text)
            }
        }
    };
}

operation!(Place, "place", POST, Repeatable, Ok(ORDER_BODY));
operation!(Refund, "refund", POST, QueryFirst, Ok("refund=R1"));
operation!(Query, "query", GET, Read, Ok(""));
operation!(
    Impossible,
    "impossible",
    POST,
    Repeatable,
    Err(BuildError::Setup { what: "key" })
);
operation!(
    Reverse,
    "reverse",
    POST,
    QueryFirst,
    Ok("reverse=A1"),
    with_client_certificate
);
