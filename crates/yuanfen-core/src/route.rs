//! What is known of a call before it is made.

use http::Method;

use crate::{Opens, Operation};

/// A call of a platform: where it goes and what repeating it means.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The route's name: `wechat-v2`, `wechat-v3`, `starpos`, `fshows`, `mpgateway`.
    pub provider: &'static str,
    /// The operation's name: `place_jsapi_order`.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: Method,
    /// The path, with `{braces}` where a number stands.
    pub path: &'static str,
    /// The path in partner form (a service provider acting for a merchant), where it is another.
    pub partner_path: Option<&'static str>,
    /// Whether repeating is safe.
    pub effect: Effect,
    /// Whether the connection must present the merchant's certificate.
    pub client_certificate: ClientAuth,
}

impl Route {
    /// A route without a client certificate.
    #[must_use]
    pub const fn new(
        provider: &'static str,
        operation: &'static str,
        method: Method,
        path: &'static str,
        effect: Effect,
    ) -> Self {
        Self {
            provider,
            operation,
            method,
            path,
            partner_path: None,
            effect,
            client_certificate: ClientAuth::None,
        }
    }

    /// The same with another path in partner form.
    #[must_use]
    pub const fn with_partner_path(mut self, path: &'static str) -> Self {
        self.partner_path = Some(path);
        self
    }

    /// The same behind a client certificate.
    #[must_use]
    pub const fn with_client_certificate(mut self) -> Self {
        self.client_certificate = ClientAuth::Required;
        self
    }
}

/// What repeating a call means. It is a property of the call, not of a retry policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Effect {
    /// Changes nothing.
    Read,
    /// The identical request under the same number is answered again and takes effect once: v2 and v3 orders.
    Repeatable,
    /// Ask what became of it before it is sent again: refunds, scanned codes, every acquirer's creating call.
    QueryFirst,
}

impl Effect {
    /// The name in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Repeatable => "repeatable",
            Self::QueryFirst => "query-first",
        }
    }
}

/// Whether a connection must present the merchant's certificate. A request that needs one carries this in its
/// extensions; the transport finds the identity or refuses before anything is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ClientAuth {
    /// None is asked for.
    None,
    /// The platform answers only to the merchant's certificate.
    Required,
}

/// A request carries this in its extensions when its whole address was handed out by the platform: the file of a bill.
/// It goes to the host it names, and a transport that knows of a backup host leaves it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "it says one thing and is written as a value")]
pub struct FixedHost;

/// What proves a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReplyTrust {
    /// A signature over the reply.
    Signed,
    /// Nothing but TLS.
    Unsigned,
    /// A file, held against a hash from a signed reply, or against nothing.
    File,
}

impl ReplyTrust {
    /// The name in tables and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Unsigned => "unsigned",
            Self::File => "file",
        }
    }
}

/// A route together with what proves its replies: one line of `yuanfen routes`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteInfo {
    /// The route.
    pub route: Route,
    /// What proves its replies.
    pub reply: ReplyTrust,
}

impl RouteInfo {
    /// Of a call that has no type.
    #[must_use]
    pub const fn new(route: Route, reply: ReplyTrust) -> Self {
        Self { route, reply }
    }

    /// Whether the call must not be sent while no key could check its answer: it changes something, and its answers are
    /// signed.
    #[must_use]
    pub const fn needs_keys(&self) -> bool {
        !matches!(self.route.effect, Effect::Read) && matches!(self.reply, ReplyTrust::Signed)
    }

    /// Read off an operation.
    #[must_use]
    pub const fn of<O: Operation>() -> Self {
        Self {
            route: O::ROUTE,
            reply: <O::Inbound as Opens<O::Provider>>::TRUST,
        }
    }
}
