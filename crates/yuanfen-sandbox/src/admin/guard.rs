//! Who is let in: calls for this very address, from no foreign page, with the token where there is one.
//!
//! Any page that a developer has open may send requests to loopback, and a host name of its own may be made to point
//! there (DNS rebinding). So a call must name the sandbox as its host, and a browser must not say that another page
//! sent it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE, WWW_AUTHENTICATE};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use yuanfen_core::{Limits, Secret, constant_time_eq};

use super::answer::Wrong;
use crate::SandboxError;

/// Fewest characters of a token.
const SHORTEST_TOKEN: usize = 16;

/// The rules of one listener. `Debug` shows no token.
pub(crate) struct Guard {
    address: SocketAddr,
    /// Under which other names it is reached.
    names: Vec<Authority>,
    key: Option<Key>,
}

/// What a caller must know where the address is open to others.
struct Key {
    token: Secret<String>,
    /// What a browser gets in place of the token: a cookie that is worth nothing once the sandbox ends.
    session: Secret<String>,
}

impl Guard {
    /// Rules for a listener at that address, which is also reached under those names. A name without a port stands for
    /// every port.
    ///
    /// # Errors
    /// When the address is not loopback and there is no token, the token is too short or holds what a header cannot, or
    /// a name is none.
    pub(crate) fn new(
        address: SocketAddr,
        names: &[String],
        token: Option<Secret<String>>,
    ) -> Result<Self, SandboxError> {
        if token.is_none() && !address.ip().is_loopback() {
            return Err(SandboxError::AdminWithoutToken(address));
        }
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if let Some(token) = &token
            && (token.expose().len() < SHORTEST_TOKEN || !token.expose().bytes().all(is_plain))
        {
            return Err(SandboxError::AdminToken);
        }
        let read = |name: &String| {
            let authority = name.parse().map_err(|_| SandboxError::AdminName(name.clone()))?;
            Ok(authority)
        };
        let mut session = [0_u8; 16];
        getrandom::fill(&mut session).map_err(|_| SandboxError::Seed)?;
        let session = format!("{:032x}", u128::from_ne_bytes(session));
        Ok(Self {
            address,
            names: names.iter().map(read).collect::<Result<_, _>>()?,
            key: token.map(|token| Key {
                token,
                session: Secret::new(session),
            }),
        })
    }

    /// Lets a call in, or gives the answer that it gets instead: a refusal, or the cookie for a browser that came with
    /// the token in its address.
    ///
    /// # Errors
    /// That answer.
    pub(super) fn check(&self, call: &Parts) -> Result<(), Box<Response<Bytes>>> {
        let refused = |wrong: Wrong| Box::new(Response::from(wrong));
        let host = self.host(call).map_err(refused)?;
        check_origin(call, &host).map_err(refused)?;
        let Some(key) = &self.key else { return Ok(()) };
        if key.is_shown(&call.headers, &self.cookie()) {
            return Ok(());
        }
        if let Some(shown) = token_in_address(call)
            && constant_time_eq(shown.as_bytes(), key.token.expose().as_bytes())
        {
            return Err(Box::new(self.admit(key)));
        }
        let mut refusal = Response::from(Wrong::new(
            StatusCode::UNAUTHORIZED,
            "say `Authorization: Bearer` and the token, or open `/?token=` once in a browser",
        ));
        let challenge = HeaderValue::from_static("Bearer");
        refusal.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        Err(Box::new(refusal))
    }

    /// The host that a call names, if it is this one.
    fn host(&self, call: &Parts) -> Result<Authority, Wrong> {
        let mut named = call.headers.get_all(HOST).iter();
        let host: Option<Authority> = named
            .next()
            .and_then(|host| host.to_str().ok())
            .and_then(|host| host.parse().ok())
            .filter(|host| named.next().is_none() && self.is_named(host));
        let in_target = call.uri.authority();
        match host {
            Some(host) if in_target.is_none_or(|target| self.is_named(target)) => Ok(host),
            _ => Err(Wrong::new(
                StatusCode::FORBIDDEN,
                "the `Host` is not this address; a name of its own is told to the sandbox at its start",
            )),
        }
    }

    fn is_named(&self, host: &Authority) -> bool {
        if host.as_str().contains('@') {
            return false;
        }
        let told = |name: &Authority| {
            name.host().eq_ignore_ascii_case(host.host())
                && (name.port().is_none() || name.port_u16() == host.port_u16())
        };
        self.names.iter().any(told) || (host.port_u16().unwrap_or(80) == self.address.port() && self.is_at(host.host()))
    }

    /// Whether a host is where this listens: no name can be made to point there but those of loopback itself.
    fn is_at(&self, host: &str) -> bool {
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let address: Option<IpAddr> = match bracketed {
            Some(address) => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => host.parse().ok(),
        };
        match address {
            None => host.eq_ignore_ascii_case("localhost"),
            Some(address) => {
                let own = self.address.ip();
                address.is_loopback() || address == own || own.is_unspecified()
            }
        }
    }

    /// Cookies know no port, so the name does.
    fn cookie(&self) -> String {
        format!("yuanfen-sandbox-{}", self.address.port())
    }

    fn admit(&self, key: &Key) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(LOCATION, HeaderValue::from_static("/"));
        let (name, session) = (self.cookie(), key.session.expose());
        let cookie = format!("{name}={session}; Path=/; HttpOnly; SameSite=Strict");
        if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
            cookie.set_sensitive(true);
            headers.insert(SET_COOKIE, cookie);
        }
        response
    }
}

impl Key {
    fn is_shown(&self, headers: &HeaderMap, cookie: &str) -> bool {
        let texts = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        let mut bearers = texts(AUTHORIZATION).filter_map(bearer);
        if bearers.any(|token| constant_time_eq(token.as_bytes(), self.token.expose().as_bytes())) {
            return true;
        }
        let mut cookies = texts(COOKIE)
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == cookie);
        cookies.any(|(_, session)| constant_time_eq(session.as_bytes(), self.session.expose().as_bytes()))
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim())
}

/// `?token=` on the console's own page, where a browser comes in.
fn token_in_address(call: &Parts) -> Option<String> {
    if call.method != Method::GET || call.uri.path() != "/" {
        return None;
    }
    let query = yuanfen_form::read(call.uri.query()?.as_bytes(), &Limits::DEFAULT).ok()?;
    query.get("token").map(str::to_owned)
}

/// Refuses what a browser says that another page sent. A page of the same site, such as the shop's on another port of
/// this machine, may link to the console and no more.
fn check_origin(call: &Parts, host: &Authority) -> Result<(), Wrong> {
    let foreign = |problem| Err(Wrong::new(StatusCode::FORBIDDEN, problem));
    let text = |name: &str| call.headers.get(name).and_then(|value| value.to_str().ok());
    let mut origins = call.headers.get_all(ORIGIN).iter();
    if let Some(origin) = origins.next() {
        let origin = origin.to_str().unwrap_or_default();
        // A proxy with a certificate may stand in front.
        let site = origin.strip_prefix("http://").or(origin.strip_prefix("https://"));
        let is_own = site.is_some_and(|site| site.eq_ignore_ascii_case(host.as_str()));
        if !is_own || origins.next().is_some() {
            return foreign("the `Origin` is another page's");
        }
    }
    match text("sec-fetch-site") {
        None | Some("same-origin" | "none") => Ok(()),
        Some("same-site")
            if call.method == Method::GET
                && text("sec-fetch-mode") == Some("navigate")
                && text("sec-fetch-dest") == Some("document") =>
        {
            Ok(())
        }
        Some(_) => foreign("`Sec-Fetch-Site` says that another page sent this"),
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("address", &self.address)
            .field("names", &self.names)
            .field("has_token", &self.key.is_some())
            .finish()
    }
}
