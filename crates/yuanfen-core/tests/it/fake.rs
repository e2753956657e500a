//! A provider whose calls have every effect and every trust, for tests of what is common to all providers.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::Method;
use yuanfen_core::{
    Ambient, BuildError, ClientAuth, Draft, Effect, OpenError, Opens, Operation, Provider, ReplyTrust, Route,
    RouteInfo, Sign, SignError, UnixTime,
};

#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) signatures: Signer,
}

/// Signs with the length of the text, and counts.
#[derive(Debug, Default)]
pub(crate) struct Signer {
    pub(crate) made: AtomicU32,
    pub(crate) broken: bool,
}

impl Sign for Signer {
    fn sign(&self, text: &[u8], _: &dyn Ambient) -> Result<String, SignError> {
        self.made.fetch_add(1, Ordering::SeqCst);
        if self.broken {
            return Err(SignError::new("the key is gone"));
        }
        Ok(text.len().to_string())
    }
}

pub(crate) enum Message {
    Signed(&'static str),
    Unsigned(&'static str),
    Unwritable,
}

impl Provider for Fake {
    type Outbound = Message;

    fn draft(&self, message: Message, _: &dyn Ambient) -> Result<Draft, BuildError> {
        let request = |body: &'static str| http::Request::new(Bytes::from_static(body.as_bytes()));
        match message {
            Message::Signed(body) => Ok(Draft::new(body.as_bytes().to_vec(), 0, move |signature| {
                let mut request = request(body);
                let value = signature.parse().map_err(BuildError::encode)?;
                request.headers_mut().insert("signature", value);
                Ok(request)
            })),
            Message::Unsigned(body) => Ok(Draft::unsigned(request(body))),
            Message::Unwritable => Err(BuildError::Setup { what: "key" }),
        }
    }

    fn signer(&self) -> &dyn Sign {
        &self.signatures
    }
}

pub(crate) const SIGNED: u8 = 0;
pub(crate) const UNSIGNED: u8 = 1;
pub(crate) const FILE: u8 = 2;
pub(crate) const READ: u8 = 0;
pub(crate) const REPEATABLE: u8 = 1;
pub(crate) const QUERY_FIRST: u8 = 2;

#[derive(Debug)]
pub(crate) struct Reply<const TRUST: u8>(pub(crate) Bytes);

impl<const TRUST: u8> Opens<Fake> for Reply<TRUST> {
    const TRUST: ReplyTrust = match TRUST {
        SIGNED => ReplyTrust::Signed,
        UNSIGNED => ReplyTrust::Unsigned,
        _ => ReplyTrust::File,
    };

    fn open(_: &Fake, response: &http::Response<Bytes>, _: UnixTime) -> Result<Self, OpenError> {
        if response.status() == http::StatusCode::OK {
            Ok(Self(response.body().clone()))
        } else {
            Err(yuanfen_core::SignatureError::Mismatch.into())
        }
    }
}

#[derive(Debug)]
pub(crate) struct Call<const EFFECT: u8, const TRUST: u8>;

pub(crate) const fn effect(effect: u8) -> Effect {
    match effect {
        READ => Effect::Read,
        REPEATABLE => Effect::Repeatable,
        _ => Effect::QueryFirst,
    }
}

impl<const EFFECT: u8, const TRUST: u8> Operation for Call<EFFECT, TRUST> {
    type Provider = Fake;
    type Inbound = Reply<TRUST>;
    type Reply = Bytes;

    const ROUTE: Route = Route::new("fake", "call", Method::POST, "/call", effect(EFFECT)).with_client_certificate();

    fn encode(&self, _: &Fake, _: &dyn Ambient) -> Result<Message, BuildError> {
        Ok(Message::Signed("body"))
    }

    fn decode(&self, _: &Fake, inbound: Reply<TRUST>) -> Result<Bytes, OpenError> {
        Ok(inbound.0)
    }
}

/// The route of a call with that effect whose replies are proven that way.
pub(crate) fn info(effect: Effect, trust: ReplyTrust) -> RouteInfo {
    let all = [
        RouteInfo::of::<Call<READ, SIGNED>>(),
        RouteInfo::of::<Call<READ, UNSIGNED>>(),
        RouteInfo::of::<Call<READ, FILE>>(),
        RouteInfo::of::<Call<REPEATABLE, SIGNED>>(),
        RouteInfo::of::<Call<REPEATABLE, UNSIGNED>>(),
        RouteInfo::of::<Call<REPEATABLE, FILE>>(),
        RouteInfo::of::<Call<QUERY_FIRST, SIGNED>>(),
        RouteInfo::of::<Call<QUERY_FIRST, UNSIGNED>>(),
        RouteInfo::of::<Call<QUERY_FIRST, FILE>>(),
    ];
    let found = all
        .into_iter()
        .find(|info| info.route.effect == effect && info.reply == trust);
    let found = found.expect("every pair is in the list");
    assert_eq!(found.route.client_certificate, ClientAuth::Required);
    found
}
