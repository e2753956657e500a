//! The address that a visitor is sent to, so that they come back with a code.

use std::fmt;

use yuanfen_core::{Address, Alphabet, Ambient, BaseUrl, BuildError, Rule, constant_time_eq, nonce_text};

use crate::app::{APP_ID, escape};

const STATE: Rule = Rule::new("state", 128)
    .alphabet(Alphabet::ALPHANUMERIC)
    .source("starpos sheet, section 1.1");

/// Where a visitor in WeChat's browser is sent for a code: the authorization page of the official account.
///
/// The browser comes back to the redirect address with `code` and `state` added to its query. The code works once and
/// for five minutes; [`ExchangeCode`](crate::ExchangeCode) spends it.
///
/// ```
/// use yuanfen_core::Address;
/// use yuanfen_wechat_web::{Authorize, State};
///
/// let back = Address::parse("redirect_uri", "https://shop.example/pay?order=A1")?;
/// let authorize = Authorize::new("wx2421b1c4370ec43b", back, State::new("b1f6")?);
/// assert_eq!(
///     authorize.address()?,
///     "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx2421b1c4370ec43b\
///      &redirect_uri=https%3A%2F%2Fshop.example%2Fpay%3Forder%3DA1\
///      &response_type=code&scope=snsapi_base&state=b1f6#wechat_redirect"
/// );
/// # Ok::<(), yuanfen_core::BuildError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Authorize {
    /// `appid`: the official account, 1 to 32 letters and digits. An openid belongs to the account it was asked for.
    pub app_id: String,
    /// `redirect_uri`: where the browser comes back to. Its host must be registered with the account.
    pub redirect_uri: Address,
    /// `state`: handed back unchanged, to tell a visitor's own return from one that somebody sent them.
    pub state: State,
    /// `scope`: what is asked for. [`Scope::Base`] unless set otherwise, which is enough for a payment.
    pub scope: Scope,
    /// Where the authorization page is, where it is not WeChat's: a sandbox.
    pub base: Option<BaseUrl>,
}

impl Authorize {
    /// Where the authorization page is unless a base address is set.
    pub const HOST: &str = "https://open.weixin.qq.com";

    /// Asks for an openid without a consent screen.
    pub fn new(app_id: impl Into<String>, redirect_uri: Address, state: State) -> Self {
        Self {
            app_id: app_id.into(),
            redirect_uri,
            state,
            scope: Scope::default(),
            base: None,
        }
    }

    /// The address. The order of its parameters and its fragment are fixed: WeChat matches the link against a pattern.
    ///
    /// # Errors
    /// When the app id is empty, too long, or holds anything but letters and digits.
    pub fn address(&self) -> Result<String, BuildError> {
        APP_ID.check(&self.app_id)?;
        Ok(format!(
            "{}/connect/oauth2/authorize?appid={}&redirect_uri={}&response_type=code&scope={}&state={}#wechat_redirect",
            self.base.as_ref().map_or(Self::HOST, BaseUrl::as_str),
            escape(&self.app_id),
            escape(self.redirect_uri.as_str()),
            self.scope.as_str(),
            self.state.0,
        ))
    }
}

/// What a visitor is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// `snsapi_base`: the openid, without a consent screen.
    #[default]
    Base,
    /// `snsapi_userinfo`: name and picture too, with a consent screen.
    UserInfo,
}

impl Scope {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::UserInfo => "snsapi_userinfo",
        }
    }
}

/// A text that goes out with a visitor and must come back with them: 1 to 128 letters and digits.
///
/// Keep it in the visitor's session and compare it with [`matches`](Self::matches) when they return; otherwise anybody
/// can send them back with somebody else's code. `Debug` does not show it.
#[derive(Clone)]
pub struct State(String);

impl State {
    /// A text of the caller's own, unpredictable for strangers.
    ///
    /// # Errors
    /// When it is empty, longer than 128, or holds anything but letters and digits.
    pub fn new(text: impl Into<String>) -> Result<Self, BuildError> {
        let text = text.into();
        STATE.check(&text)?;
        Ok(Self(text))
    }

    /// An unpredictable text of 32 letters and digits.
    #[must_use]
    pub fn random(ambient: &dyn Ambient) -> Self {
        Self(nonce_text(ambient))
    }

    /// The text, for the session.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is what came back, compared in constant time.
    #[must_use]
    pub fn matches(&self, returned: &str) -> bool {
        constant_time_eq(self.0.as_bytes(), returned.as_bytes())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(..)")
    }
}
