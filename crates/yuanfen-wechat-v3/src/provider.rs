//! How a message is signed, and how an answer is opened.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue, USER_AGENT};
use yuanfen_core::{
    Ambient, BuildError, Draft, FixedHost, JsonTaker, Object, OpenError, Opens, Operation as _, ProtocolError,
    ProtocolErrorKind, Provider, Readiness, Refusal, ReplyTrust, Route, Sign, SignError, UnixTime, Unsigned, Verified,
    nonce_text,
};

use crate::certificates::{DownloadedCertificates, names_public_key, parse_object};
use crate::codes::InternalNumber;
use crate::incoming::{SERIAL, Signed, check_size, is_signed};
use crate::ops::DownloadCertificates;
use crate::sign::{SCHEME, authorization, request_text};
use crate::{Account, Message, codes, http_date};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("yuanfen/", env!("CARGO_PKG_VERSION")));

impl Provider for Account {
    type Outbound = Message;

    fn draft(&self, message: Message, ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let uri = message.uri(self.base())?;
        let timestamp = ambient.now().seconds().to_string();
        let nonce = nonce_text(ambient);
        // Path and query are read off the address that is sent, so that the two cannot differ.
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let (method, signed) = (message.method.as_str(), message.signed_body());
        let text = request_text(method, target, &timestamp, &nonce, signed);
        let mut request = http::Request::new(message.body().clone());
        *request.method_mut() = message.method.clone();
        *request.uri_mut() = uri;
        if message.is_whole() {
            request.extensions_mut().insert(FixedHost);
        }
        let headers = request.headers_mut();
        headers.insert(ACCEPT, JSON);
        headers.insert(USER_AGENT, AGENT);
        // The key of what is encrypted here; the public key also where nothing is, so that the answer is signed with it.
        if let Some(id) = message.encrypted_under().or(self.public_key_id()) {
            headers.insert(SERIAL, HeaderValue::from_str(id).map_err(BuildError::encode)?);
        }
        if let Some(content_type) = message.content_type() {
            headers.insert(CONTENT_TYPE, content_type);
        }
        let identity = self.identity().clone();
        Ok(Draft::new(text, 0, move |signature| {
            let base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
            if signature.is_empty() || !signature.bytes().all(base64) {
                return Err(SignError::new("the signature is not standard base64").into());
            }
            let (merchant_id, serial) = (identity.merchant_id(), identity.serial());
            let value = authorization(SCHEME, merchant_id, &nonce, &timestamp, serial, signature);
            let mut value = HeaderValue::try_from(value).map_err(BuildError::encode)?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
            Ok(request)
        }))
    }

    fn signer(&self) -> &dyn Sign {
        self.signing_key()
    }

    /// Keys are there when one of the platform's is valid at that moment: a public key always is, a certificate between its
    /// ends. The list of certificates proves itself, so asking for it needs none.
    fn readiness(&self, route: &Route, now: UnixTime) -> Readiness {
        if *route == DownloadCertificates::ROUTE {
            Readiness::Ready
        } else if !self.platform_keys().has_valid(now) {
            Readiness::NoKeys
        } else if self.refresh_due(now) {
            Readiness::RefreshDue
        } else {
            Readiness::Ready
        }
    }

    /// The draft for the platform's certificates: not in public-key mode alone. For a serial, not where it is a public
    /// key's, which only the merchant console hands out, and not within a minute of the last fetch that succeeded.
    fn fetch_keys(&self, serial: Option<&str>, ambient: &dyn Ambient) -> Option<Result<Draft, BuildError>> {
        let in_vain = |serial: &str| names_public_key(serial) || self.refreshed().is_fresh(ambient.now());
        if !self.fetches_certificates() || serial.is_some_and(in_vain) {
            return None;
        }
        let message = DownloadCertificates::new().encode(self, ambient);
        Some(message.and_then(|message| self.draft(message, ambient)))
    }

    fn learn_keys(&self, response: &http::Response<Bytes>, now: UnixTime) -> Result<(), OpenError> {
        let downloaded = Verified::<DownloadedCertificates>::open(self, response, now)?;
        self.adopt(&downloaded, now);
        Ok(())
    }
}

/// An answer whose signature holds, whatever its status. Operations read it through [`object`](Self::object) or
/// [`no_content`](Self::no_content), which turn a refusal into an error; `Debug` shows no body.
#[derive(Clone)]
pub struct Reply {
    answer: Answer,
    answered_at: UnixTime,
    received_at: UnixTime,
}

impl Reply {
    /// The JSON object of a 200.
    ///
    /// # Errors
    /// A refusal with what its code means on this route, another status, or a body that is no JSON object.
    pub fn object(&self, route: &Route) -> Result<Object, OpenError> {
        self.answer.object(route)
    }

    /// What a call answers that may be accepted before it is done: the JSON object of a 200, or what a 202 holds.
    ///
    /// # Errors
    /// A refusal with what its code means on this route, another status, or a body that is no JSON object.
    pub fn progress(&self, route: &Route) -> Result<Progress, OpenError> {
        self.answer.progress(route)
    }

    /// Takes a 204 without a body.
    ///
    /// # Errors
    /// A refusal with what its code means on this route, another status, or a body.
    pub fn no_content(&self, route: &Route) -> Result<(), OpenError> {
        self.answer.no_content(route)
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.answer.status
    }

    /// The body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.answer.body
    }

    /// `Request-ID`: what the platform's support asks for.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.answer.request_id.as_deref()
    }

    /// The internal number behind `Request-ID`, where it says that something was wrong.
    #[must_use]
    pub fn internal_number(&self) -> Option<InternalNumber> {
        self.request_id().and_then(InternalNumber::of)
    }

    /// When the platform answered: the earlier of its own time and ours, so that what has a limited life is never held
    /// longer than it lives.
    #[must_use]
    pub const fn answered_at(&self) -> UnixTime {
        self.answered_at
    }

    /// When it came, by this machine's clock. Where something lives for seconds only, its age is counted from here: two
    /// clocks may differ by more.
    #[must_use]
    pub const fn received_at(&self) -> UnixTime {
        self.received_at
    }
}

/// How far a call has come that may be accepted before it is done.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Progress {
    /// A 200: the object that the contract promises.
    Done(Object),
    /// A 202: accepted, and being decided. It may hold little of what the contract promises, or no body at all.
    Accepted(Option<Object>),
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.answer.status)
            .field("body", &format_args!("{} bytes", self.answer.body.len()))
            .field("request_id", &self.answer.request_id)
            .finish_non_exhaustive()
    }
}

impl Opens<Account> for Verified<Reply> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    /// The status is looked at first: what a gateway says without any signature is a refusal that nothing proves, not a
    /// missing header. A 2xx is always checked, and so is a failure that carries a signature.
    fn open(account: &Account, response: &http::Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        check_size(response.body())?;
        if !response.status().is_success() && !is_signed(response.headers()) {
            return Err(unproven(response, now));
        }
        let signed = Signed::read(response.headers(), now)?;
        let key = signed.key(account, now)?;
        let reply = Reply {
            answer: Answer::of(response),
            answered_at: now.min(signed.signed_at),
            received_at: now,
        };
        Ok(signed.check(&key, response.body(), reply)?)
    }
}

/// A downloaded file. The platform signs none; a bill is held against the digest of the signed answer that named it.
#[derive(Clone)]
pub struct File {
    bytes: Bytes,
}

impl File {
    /// The bytes as they came: of a bill asked for as gzip, the gzip file.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({} bytes)", self.bytes.len())
    }
}

impl Opens<Account> for Unsigned<File> {
    const TRUST: ReplyTrust = ReplyTrust::File;

    fn open(_: &Account, response: &http::Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        if response.status() == StatusCode::OK {
            let bytes = response.body().clone();
            Ok(Self::new(File { bytes }))
        } else {
            check_size(response.body())?;
            Err(unproven(response, now))
        }
    }
}

/// What is kept of a response.
#[derive(Clone)]
pub(crate) struct Answer {
    status: StatusCode,
    body: Bytes,
    request_id: Option<Box<str>>,
}

impl Answer {
    pub(crate) fn of(response: &http::Response<Bytes>) -> Self {
        let request_id = response.headers().get("request-id").and_then(|id| id.to_str().ok());
        Self {
            status: response.status(),
            body: response.body().clone(),
            request_id: request_id.map(Into::into),
        }
    }

    pub(crate) fn object(&self, route: &Route) -> Result<Object, OpenError> {
        if self.status != StatusCode::OK {
            return Err(refusal(Some(route), self, true));
        }
        let object = parse_object(&self.body, Some(200))?;
        // Seen in the field though no contract has it: an error in the body of a 200. No answer of this crate's
        // operations has a member of that name.
        match object.raw("code") {
            None | Some("null" | "\"\"" | "\"SUCCESS\"") => Ok(object),
            Some(_) => Err(refusal(Some(route), self, true)),
        }
    }

    fn progress(&self, route: &Route) -> Result<Progress, OpenError> {
        if self.status != StatusCode::ACCEPTED {
            return self.object(route).map(Progress::Done);
        }
        if self.body.is_empty() {
            return Ok(Progress::Accepted(None));
        }
        let object = parse_object(&self.body, Some(202))?;
        match object.raw("code") {
            // Older tables list the state as a code.
            None | Some("null" | "\"\"" | "\"SUCCESS\"" | "\"USERPAYING\"") => Ok(Progress::Accepted(Some(object))),
            Some(_) => Err(refusal(Some(route), self, true)),
        }
    }

    fn no_content(&self, route: &Route) -> Result<(), OpenError> {
        match (self.status, self.body.is_empty()) {
            (StatusCode::NO_CONTENT, true) => Ok(()),
            (StatusCode::NO_CONTENT, false) => {
                let error = ProtocolError::new(ProtocolErrorKind::Format).with_status(204);
                Err(error.with_source("a 204 with a body").into())
            }
            // Either an error in the body of a 200, or an answer that this call does not have.
            (StatusCode::OK, _) => self.object(route).and_then(|_| Err(unused(StatusCode::OK).into())),
            _ => Err(refusal(Some(route), self, true)),
        }
    }
}

fn unused(status: StatusCode) -> ProtocolError {
    let status = status.as_u16();
    ProtocolError::new(ProtocolErrorKind::Status(status)).with_status(status)
}

/// What an answer says that nothing proves. A 401 may be about the clock, so it is held against ours.
fn unproven(response: &http::Response<Bytes>, now: UnixTime) -> OpenError {
    let mut error = refusal(None, &Answer::of(response), false);
    if let (StatusCode::UNAUTHORIZED, OpenError::Business(refusal)) = (response.status(), &mut error) {
        refusal.skew_seconds = http_date::of(response.headers()).map(|theirs| now.since(theirs));
    }
    error
}

/// What an answer that is no success says: the platform's refusal, or that something else than its API answered.
///
/// The route is not known where nothing proves the answer, because opening comes before the operation; then only what a
/// code means on every call is said.
pub(crate) fn refusal(route: Option<&Route>, answer: &Answer, proven: bool) -> OpenError {
    let status = answer.status.as_u16();
    let fails = answer.status.is_client_error() || answer.status.is_server_error();
    if !fails && !matches!(answer.status, StatusCode::OK | StatusCode::ACCEPTED) {
        return unused(answer.status).into();
    }
    let read = || {
        let object = parse_object(&answer.body, Some(status))?;
        let mut taker = JsonTaker::new(&object);
        let code: String = taker
            .need("code")
            .map_err(|error| ProtocolError::from(error).with_status(status))?;
        // For people only: whatever is wrong with it must not hide the code.
        let message: String = taker.maybe("message").ok().flatten().unwrap_or_default();
        Ok((code, message, taker.raw("detail").map(Into::into)))
    };
    let (code, message, detail) = match read() {
        Ok(parts) => parts,
        // The documents disagree on the code, so the status decides, whatever the body is.
        Err(_) if answer.status == StatusCode::TOO_MANY_REQUESTS => (String::new(), String::new(), None),
        // A 202 that says why is read above; this call has no other.
        Err(_) if answer.status == StatusCode::ACCEPTED => return unused(answer.status).into(),
        Err(error) => return OpenError::Protocol(error),
    };
    let meaning = match route {
        Some(route) => codes::meaning(route, status, &code),
        None => codes::meaning_anywhere(status, &code),
    };
    let mut refusal = Refusal::new(code, message, meaning);
    refusal.verified = proven;
    refusal.status = status;
    refusal.remote_request_id = answer.request_id.as_deref().map(Into::into);
    refusal.detail = detail;
    refusal.into()
}
