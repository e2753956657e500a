//! An official account or mini program, and the calls that its app secret is for.

use bytes::Bytes;
use http::header::{ACCEPT, HeaderValue, USER_AGENT};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use yuanfen_core::{
    Alphabet, Ambient, BaseUrl, BuildError, Draft, Limits, Object, OpenError, Opens, ProtocolError, ProtocolErrorKind,
    Provider, ReplyTrust, Rule, Secret, Sign, SignError, UnixTime, Unsigned,
};

pub(crate) const APP_ID: Rule = Rule::new("appid", 32)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("WeChat's documentation: wx and 16 hexadecimal digits");
const SECRET: Rule = Rule::new("secret", 64)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("WeChat's documentation: 32 hexadecimal digits");
const CODE: Rule = Rule::new("code", 512)
    .alphabet(GRAPHIC)
    .source("WeChat's documentation: at most 512 bytes");

/// What stands in an address or a ticket.
pub(crate) const GRAPHIC: Alphabet = Alphabet::new("printable ASCII without blanks", |character| {
    character.is_ascii_graphic()
});

/// Every byte but letters, digits and `-._~` is escaped in a query.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn escape(text: &str) -> impl std::fmt::Display {
    utf8_percent_encode(text, QUERY)
}

/// An official account or mini program: its id and its app secret.
///
/// Both are WeChat's own, or those that StarPos' `pubSigQry` hands out. `Debug` does not show the secret. Every
/// [`Operation`](yuanfen_core::Operation) of this crate is called under one of these.
#[derive(Clone, Debug)]
pub struct App {
    app_id: String,
    secret: Secret<String>,
    base: BaseUrl,
}

impl App {
    /// Where the calls go unless a base address is set.
    pub const HOST: &str = "https://api.weixin.qq.com";

    /// An app that calls WeChat's own host.
    ///
    /// # Errors
    /// When the id or the secret is empty, too long, or holds anything but letters and digits: a line break at the end
    /// of a key file, for example. The secret is not part of the error.
    pub fn new(app_id: impl Into<String>, secret: Secret<String>) -> Result<Self, BuildError> {
        let app_id = app_id.into();
        APP_ID.check(&app_id)?;
        SECRET.check(secret.expose())?;
        Ok(Self {
            app_id,
            secret,
            base: BaseUrl::parse(Self::HOST)?,
        })
    }

    /// The same at another address: a sandbox.
    #[must_use]
    pub fn with_base(mut self, base: BaseUrl) -> Self {
        self.base = base;
        self
    }

    /// `appid`.
    #[must_use]
    pub fn app_id(&self) -> &str {
        &self.app_id
    }
}

/// A call before the app's credentials are added to it. Only the operations of this crate make one.
#[derive(Clone, Debug)]
pub struct Message {
    path: &'static str,
    code_name: &'static str,
    code: Secret<String>,
}

impl Message {
    /// A call that spends a code.
    pub(crate) fn new(path: &'static str, code_name: &'static str, code: &Secret<String>) -> Result<Self, BuildError> {
        CODE.check(code.expose())?;
        Ok(Self {
            path,
            code_name,
            code: code.clone(),
        })
    }
}

/// WeChat wants the app secret and the code **in the address** of these calls, so the finished request must not be
/// printed: the `Debug` of `http::Request` shows its address. Log the operation's name instead, and keep query strings
/// out of the logs of proxies. No error of this crate holds the address.
impl Provider for App {
    type Outbound = Message;

    fn draft(&self, message: Message, _ambient: &dyn Ambient) -> Result<Draft, BuildError> {
        let target = self.base.join(&format!(
            "{}?appid={}&secret={}&{}={}&grant_type=authorization_code",
            message.path,
            escape(&self.app_id),
            escape(self.secret.expose()),
            message.code_name,
            escape(message.code.expose()),
        ));
        let mut request = http::Request::new(Bytes::new());
        *request.uri_mut() = target.parse().map_err(BuildError::encode)?;
        let headers = request.headers_mut();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("yuanfen/", env!("CARGO_PKG_VERSION"))),
        );
        Ok(Draft::unsigned(request))
    }

    fn signer(&self) -> &dyn Sign {
        &Nothing
    }
}

/// These calls carry the secret itself and are not signed.
struct Nothing;

impl Sign for Nothing {
    fn sign(&self, _text: &[u8], _ambient: &dyn Ambient) -> Result<String, SignError> {
        Err(SignError::new("calls to WeChat's web interface are not signed"))
    }
}

/// How much is read of an answer; real ones have some hundred bytes.
const LIMITS: Limits = Limits::DEFAULT.with_bytes(64 << 10);

impl Opens<App> for Unsigned<Object> {
    const TRUST: ReplyTrust = ReplyTrust::Unsigned;

    fn open(_app: &App, response: &http::Response<Bytes>, _now: UnixTime) -> Result<Self, OpenError> {
        let status = response.status().as_u16();
        if status != 200 {
            return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
                .with_status(status)
                .into());
        }
        let object = Object::parse(response.body(), &LIMITS)
            .map_err(|error| ProtocolError::unreadable(response.body(), error).with_status(status))?;
        Ok(Self::new(object))
    }
}
