//! How a message is signed, and how an answer is opened.

use std::fmt;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use yuanfen_core::{
    Ambient, BuildError, Draft, FieldError, Fields, JsonTaker, Limits, Object, OpenError, Opens, OrderNo,
    ProtocolError, ProtocolErrorKind, Provider, Refusal, ReplyTrust, Route, Sign, SignatureError, UnixTime, ValueError,
    Verified,
};
use yuanfen_form::base64_json;
use yuanfen_sign::keyed_text;

use crate::sign::{decoded, open};
use crate::{Account, Message, codes};

impl Provider for Account {
    type Outbound = Message;

    fn draft(&self, message: Message, _ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let req = base64_json::encode(message.json.as_bytes());
        let uri = self.base.join(message.path);
        let (text, key_length) = keyed_text(req.as_bytes(), self.signer.key()).into_parts();
        Ok(Draft::new(text, key_length, move |signature| {
            Request::builder()
                .method(Method::POST)
                .uri(uri)
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .header(USER_AGENT, concat!("yuanfen/", env!("CARGO_PKG_VERSION")))
                .body(Bytes::from(yuanfen_form::write(&signed(&req, signature)?)))
                .map_err(BuildError::encode)
        }))
    }

    fn signer(&self) -> &dyn Sign {
        &self.signer
    }
}

/// The two fields of a request. Escaping comes after signing.
pub(crate) fn signed(req: &str, signature: &str) -> Result<Fields, BuildError> {
    Fields::try_from(&[("req", req), ("sign", signature)][..]).map_err(BuildError::encode)
}

/// A verified, untyped answer.
#[derive(Clone)]
#[non_exhaustive]
pub struct Reply {
    /// The members of the JSON inside `resp`.
    pub object: Object,
    /// The body as it came.
    pub raw: Bytes,
}

/// Names and lengths, no values.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("object", &self.object)
            .field("raw", &format_args!("{} bytes", self.raw.len()))
            .finish()
    }
}

impl Opens<Account> for Verified<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    fn open(account: &Account, response: &Response<Bytes>, _now: UnixTime) -> Result<Self, OpenError> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
                .with_status(status)
                .into());
        }
        let raw = response.body().clone();
        let outer = outer(&raw)?;
        let resp = outer.filled("resp").ok_or_else(|| missing("resp"))?;
        match outer.filled("sign") {
            Some(sign) => open(account, resp, sign)?.try_map(|opened| {
                Ok(Reply {
                    object: opened.object,
                    raw,
                })
            }),
            None => Err(unauthenticated(resp)),
        }
    }
}

/// The two fields of an answer: from JSON, or, as the manual once writes it, from a query-string text.
fn outer(body: &Bytes) -> Result<Fields, OpenError> {
    // Scripts end their output with a line break more often than not.
    let trimmed = body.trim_ascii();
    if trimmed.starts_with(b"resp=") || trimmed.starts_with(b"sign=") {
        return yuanfen_form::read(trimmed, &Limits::DEFAULT)
            .map_err(|error| ProtocolError::unreadable(body, error).into());
    }
    // One implementation gets pages that submit a form by themselves. Nothing signs them.
    if trimmed.starts_with(b"<") {
        return Err(ProtocolError::new(ProtocolErrorKind::Html).into());
    }
    let object = Object::parse(body, &Limits::DEFAULT).map_err(|error| ProtocolError::unreadable(body, error))?;
    let mut taker = JsonTaker::new(&object);
    let mut fields = Fields::new();
    for name in ["resp", "sign"] {
        if let Some(value) = taker.maybe::<String>(name)? {
            fields.push(name, &value)?;
        }
    }
    Ok(fields)
}

/// An answer without a signature: the gateway could not find our key, or somebody stripped it. It may say why it
/// failed; it may not say that anything worked.
fn unauthenticated(resp: &str) -> OpenError {
    let unsigned = || OpenError::from(SignatureError::Missing { part: "sign" });
    let Ok(opened) = decoded(&base64_json::repair_spaces(resp)) else {
        return unsigned();
    };
    let mut taker = JsonTaker::new(&opened.object);
    match taker.maybe::<String>("respcode") {
        Ok(Some(code)) if code != "00" => {
            let words = taker.maybe::<String>("respmsg").ok().flatten().unwrap_or_default();
            Refusal::new(code, words, codes::UP_FRONT).into()
        }
        _ => unsigned(),
    }
}

fn missing(field: &'static str) -> OpenError {
    FieldError::new(field, ValueError::Missing).into()
}

impl Reply {
    /// Lets a reply through that says that the call worked. A refusal need not name the order; one that names another
    /// merchant or order refuses nothing of ours.
    pub(crate) fn accepted(self, account: &Account, route: &Route, asked: Option<&OrderNo>) -> Result<Self, OpenError> {
        let mut taker = JsonTaker::new(&self.object);
        let code: String = taker.need("respcode")?;
        if code == "00" {
            return Ok(self);
        }
        let words = taker.maybe::<String>("respmsg")?.unwrap_or_default();
        told(account, &mut taker, asked)?;
        let meaning = codes::meaning(route, &code);
        Err(Refusal::new(code, words, meaning).verified().into())
    }
}

/// Refuses an answer about another merchant or another order, and gives the order that it names.
fn told(account: &Account, taker: &mut JsonTaker<'_>, asked: Option<&OrderNo>) -> Result<Option<OrderNo>, OpenError> {
    let foreign = |field| OpenError::from(ProtocolError::new(ProtocolErrorKind::Foreign { field }));
    if taker
        .maybe::<String>("merid")?
        .is_some_and(|theirs| *theirs != *account.merchant)
    {
        return Err(foreign("merid"));
    }
    let told: Option<OrderNo> = taker.maybe("orderid")?;
    match (asked, &told) {
        (Some(asked), Some(told)) if asked != told => Err(foreign("orderid")),
        _ => Ok(told),
    }
}

/// The same, for an answer that must name the order it was asked about: without it nothing says that it is about this
/// one, and the manual has it mandatory.
pub(crate) fn ours(
    account: &Account,
    taker: &mut JsonTaker<'_>,
    asked: Option<&OrderNo>,
) -> Result<Option<OrderNo>, OpenError> {
    match told(account, taker, asked)? {
        None if asked.is_some() => Err(missing("orderid")),
        told => Ok(told),
    }
}
