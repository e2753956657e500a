//! Making a connection: directly or through a proxy, with TLS, within a time, with errors that say which part failed.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderValue, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tower_service::Service;
use yuanfen_core::{Secret, TransportErrorKind};

use super::SetupError;

type Cause = Box<dyn StdError + Send + Sync>;
type Stream = TokioIo<TcpStream>;
type Connecting<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// An HTTP CONNECT proxy.
#[derive(Clone)]
pub(super) struct Proxy {
    address: Uri,
    credentials: Option<HeaderValue>,
}

impl Proxy {
    /// Reads `http://host:port`.
    pub(super) fn new(address: &str, credentials: Option<&Secret<String>>) -> Result<Self, SetupError> {
        let wrong = |problem| SetupError::new("proxy", problem);
        let uri: Uri = address
            .parse()
            .map_err(|error| wrong("is not an address").because(error))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong(
                "is not an http:// address; TLS runs inside the tunnel, not to the proxy",
            ));
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("holds a user name or password; hand them to `proxy_credentials`"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("has a path or query"));
        }
        let credentials = credentials.map(|pair| {
            let text = Secret::new(format!("Basic {}", BASE64.encode(pair.expose())));
            let mut value = HeaderValue::from_str(text.expose())?;
            value.set_sensitive(true);
            Ok(value)
        });
        Ok(Self {
            address: uri,
            credentials: credentials
                .transpose()
                .map_err(|error: http::header::InvalidHeaderValue| wrong("has unusable credentials").because(error))?,
        })
    }
}

/// TCP, or TCP through the proxy: everything below TLS.
#[derive(Clone)]
struct Dial {
    direct: HttpConnector,
    tunnel: Option<Tunnel<HttpConnector>>,
}

impl Service<Uri> for Dial {
    type Response = Stream;
    type Error = DialFailed;
    type Future = Connecting<Stream, DialFailed>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), DialFailed>> {
        self.direct
            .poll_ready(context)
            .map_err(|error| DialFailed(error.into()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        match &mut self.tunnel {
            // What is on this machine no proxy reaches, and plain http goes nowhere else.
            Some(tunnel) if to.scheme() == Some(&http::uri::Scheme::HTTPS) && !is_here(&to) => {
                let connecting = tunnel.call(to);
                Box::pin(async { connecting.await.map_err(|error| DialFailed(error.into())) })
            }
            _ => {
                let plain = to.scheme() != Some(&http::uri::Scheme::HTTPS);
                let connecting = self.direct.call(to);
                Box::pin(async move {
                    let stream = connecting.await.map_err(|error| DialFailed(error.into()))?;
                    if plain {
                        must_be_here(stream.inner().peer_addr())?;
                    }
                    Ok(stream)
                })
            }
        }
    }
}

/// Whether an address names this machine.
fn is_here(to: &Uri) -> bool {
    let host = to.host().unwrap_or_default();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = bare.unwrap_or(host).parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// Plain http stays on this machine: `localhost` is a name, and a resolver may say that it is somewhere else.
fn must_be_here(peer: io::Result<SocketAddr>) -> Result<(), DialFailed> {
    let peer = peer.map_err(|error| DialFailed(error.into()))?;
    if peer.ip().to_canonical().is_loopback() {
        Ok(())
    } else {
        Err(DialFailed(
            "plain http to a name that turned out to be another machine".into(),
        ))
    }
}

/// What failed was below TLS.
#[derive(Debug)]
struct DialFailed(Cause);

impl fmt::Display for DialFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection could not be made")
    }
}

impl StdError for DialFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// Why there is no connection. It names the phase; nothing of the request was sent in any of them.
#[derive(Debug)]
pub(super) struct ConnectFailed {
    kind: TransportErrorKind,
    source: Option<Cause>,
}

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl StdError for ConnectFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| {
            let source: &(dyn StdError + 'static) = source;
            source
        })
    }
}

/// Dials and shakes hands, within a time.
#[derive(Clone)]
pub(super) struct Connector {
    https: HttpsConnector<Dial>,
    limit: Duration,
}

impl Connector {
    pub(super) fn new(tls: ClientConfig, proxy: Option<&Proxy>, limit: Duration) -> Self {
        let mut direct = HttpConnector::new();
        // The scheme was looked at before; https is the layer above.
        direct.enforce_http(false);
        direct.set_nodelay(true);
        // Divided among a host's addresses, so that one dead address does not use up all the time.
        direct.set_connect_timeout(Some(limit));
        let tunnel = proxy.map(|proxy| {
            let tunnel = Tunnel::new(proxy.address.clone(), direct.clone());
            match &proxy.credentials {
                Some(credentials) => tunnel.with_auth(credentials.clone()),
                None => tunnel,
            }
        });
        Self {
            https: HttpsConnectorBuilder::new()
                .with_tls_config(tls)
                .https_or_http()
                .enable_all_versions()
                .wrap_connector(Dial { direct, tunnel }),
            limit,
        }
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Stream>;
    type Error = ConnectFailed;
    type Future = Connecting<Self::Response, ConnectFailed>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ConnectFailed>> {
        self.https.poll_ready(context).map_err(connect_failed)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.https.call(to);
        let limit = self.limit;
        Box::pin(async move {
            match tokio::time::timeout(limit, connecting).await {
                Ok(connected) => connected.map_err(connect_failed),
                Err(elapsed) => Err(ConnectFailed {
                    kind: TransportErrorKind::ConnectTimeout,
                    source: Some(elapsed.into()),
                }),
            }
        })
    }
}

fn connect_failed(error: Cause) -> ConnectFailed {
    let kind = match error.downcast_ref::<DialFailed>() {
        Some(dial) if is_timeout(&*dial.0) => TransportErrorKind::ConnectTimeout,
        Some(_) => TransportErrorKind::Connect,
        None => TransportErrorKind::Tls,
    };
    ConnectFailed {
        kind,
        source: Some(error),
    }
}

fn is_timeout(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::TimedOut)
    })
}

/// The phase in which connecting failed, where it was connecting that failed.
pub(super) fn phase(error: &(dyn StdError + 'static)) -> Option<TransportErrorKind> {
    chain(error).find_map(|cause| cause.downcast_ref::<ConnectFailed>().map(|failed| failed.kind))
}

/// Whether TLS is what failed, as when the far side turns a client certificate down after the handshake.
pub(super) fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.is::<rustls::Error>())
}

/// Whether what came back is not HTTP.
pub(super) fn is_malformed(error: &(dyn StdError + 'static)) -> bool {
    chain(error).any(|cause| cause.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse))
}

/// An error and its causes. An `io::Error` hides the error it wraps from `source`, so it is asked as well.
fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        match wrapped {
            Some(inner) => Some(inner),
            None => error.source(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{is_here, must_be_here};

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (address, here) in [
            ("https://localhost:8443/v3", true),
            ("https://LOCALHOST", true),
            ("https://127.0.0.1", true),
            ("https://127.9.9.9:8443", true),
            ("https://[::1]:8443", true),
            ("https://[::ffff:127.0.0.1]", true),
            ("https://localhost.example", false),
            ("https://192.0.2.1", false),
            ("https://[2001:db8::1]", false),
            ("https://api.mch.weixin.qq.com", false),
        ] {
            assert_eq!(is_here(&address.parse().unwrap()), here, "{address}");
        }
    }

    #[test]
    fn plain_http_stays_here_whatever_a_name_resolves_to() {
        for (address, here) in [
            ("127.0.0.1:80", true),
            ("127.9.9.9:80", true),
            ("[::1]:80", true),
            ("[::ffff:127.0.0.1]:80", true),
            ("192.0.2.1:80", false),
            ("0.0.0.0:80", false),
            ("[2001:db8::1]:80", false),
        ] {
            assert_eq!(must_be_here(Ok(address.parse().unwrap())).is_ok(), here, "{address}");
        }
    }
}
