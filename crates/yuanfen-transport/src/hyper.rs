//! The default transport: hyper with rustls.

mod body;
mod connect;
mod identity;
mod timeouts;
mod tls;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use yuanfen_core::{Address, ClientAuth, Secret, Sent, TransportError, TransportErrorKind};

use connect::Connector;
use timeouts::Timeouts;

use crate::{Chunks, Transport};

pub use identity::ClientIdentity;

/// The largest body that [`Transport::send`] collects unless told otherwise: 8 MiB.
const BODY_LIMIT: u64 = 8 * 1024 * 1024;

/// The largest body that [`Transport::stream`] yields unless told otherwise: 16 GiB.
const STREAM_LIMIT: u64 = 16 * 1024 * 1024 * 1024;

/// How long an unused connection is kept. Shorter than the platforms and most firewalls keep theirs, so that a request
/// seldom meets a connection that is being closed.
const IDLE: Duration = Duration::from_secs(30);

type Pool = Client<Connector, Full<Bytes>>;

/// A pooled HTTP client over rustls, HTTP/1.1 and 2. Cheap to clone; clones share their connections.
///
/// It keeps no cookies, follows no redirects and never sends a request twice. Plain http is refused except to this
/// machine. Name lookup, connection, proxy and TLS handshake count as connecting: what fails there was
/// [`Sent::No`]. All that fails later is [`Sent::Maybe`].
///
/// A request marked [`ClientAuth::Required`] goes over connections that present the
/// [identity](HyperTransportBuilder::identity); without one it is refused before anything is sent. To this machine
/// over plain http nothing can be presented, but an identity must be configured there as well, so that a test finds
/// its absence.
///
/// It runs in a tokio runtime with time and I/O enabled, and belongs to the one in which it is first used.
#[derive(Clone)]
pub struct HyperTransport {
    anonymous: Pool,
    identified: Option<Pool>,
    timeouts: Timeouts,
    body_limit: u64,
    stream_limit: u64,
}

impl HyperTransport {
    /// Mozilla's roots, no proxy, no identity, the default limits.
    ///
    /// # Errors
    /// When TLS cannot be set up, which a build with its own cryptography rules out.
    pub fn new() -> Result<Self, SetupError> {
        Self::builder().build()
    }

    /// With other roots, limits, a proxy or a client identity.
    pub const fn builder() -> HyperTransportBuilder {
        HyperTransportBuilder {
            default_roots: true,
            roots: Vec::new(),
            identity: None,
            proxy: None,
            proxy_credentials: None,
            timeouts: Timeouts::DEFAULT,
            body_limit: BODY_LIMIT,
            stream_limit: STREAM_LIMIT,
        }
    }

    /// Starts the exchange. The connection is captured just before the first byte of the request is handed to it: as
    /// long as there is none, certainly nothing was sent.
    fn start(&self, request: http::Request<Bytes>) -> Result<(ResponseFuture, CaptureConnection), TransportError> {
        let pool = self.pool_for(&request)?;
        let mut request = request.map(Full::new);
        let connection = capture_connection(&mut request);
        Ok((pool.request(request), connection))
    }

    fn pool_for(&self, request: &http::Request<Bytes>) -> Result<&Pool, TransportError> {
        Address::parse("request address", &request.uri().to_string()).map_err(refused)?;
        match (request.extensions().get(), &self.identified) {
            (Some(ClientAuth::Required), Some(identified)) => Ok(identified),
            (Some(ClientAuth::Required), None) => Err(refused(
                "this call needs the merchant's client certificate; configure one with `identity`",
            )),
            _ => Ok(&self.anonymous),
        }
    }
}

impl Transport for HyperTransport {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        let (response, connection) = self.start(request)?;
        let exchange = async {
            let (head, body) = self.timeouts.head(response, connection.clone()).await?.into_parts();
            let body = body::collect(body, self.body_limit).await?;
            Ok(http::Response::from_parts(head, body))
        };
        self.timeouts.total(exchange, &connection).await
    }

    async fn stream(&self, request: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        let (response, connection) = self.start(request)?;
        let response = self.timeouts.head(response, connection).await?;
        Ok(response.map(|body| body::chunks(body, self.stream_limit, self.timeouts.stall)))
    }

    fn check(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        self.pool_for(request).map(drop)
    }
}

impl fmt::Debug for HyperTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransport")
            .field("identity", &self.identified.is_some())
            .field("timeouts", &self.timeouts)
            .field("body_limit", &self.body_limit)
            .field("stream_limit", &self.stream_limit)
            .finish_non_exhaustive()
    }
}

/// Puts a [`HyperTransport`] together. What it was given is read by [`build`](Self::build).
#[must_use]
pub struct HyperTransportBuilder {
    default_roots: bool,
    roots: Vec<Box<[u8]>>,
    identity: Option<ClientIdentity>,
    proxy: Option<Box<str>>,
    proxy_credentials: Option<Secret<String>>,
    timeouts: Timeouts,
    body_limit: u64,
    stream_limit: u64,
}

impl HyperTransportBuilder {
    /// Trusts these certificates (PEM, one or more) as roots too.
    pub fn add_root(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.roots.push(pem.as_ref().into());
        self
    }

    /// Trusts only what [`add_root`](Self::add_root) adds.
    pub fn without_default_roots(mut self) -> Self {
        self.default_roots = false;
        self
    }

    /// The certificate that is presented where a call needs one.
    pub fn identity(mut self, identity: ClientIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// Reaches every https host through that proxy (`http://host:port`, HTTP CONNECT), but for this machine itself. TLS
    /// runs inside the tunnel, end to end. Plain http goes to this machine only and never through the proxy.
    ///
    /// What fails on the way to the proxy or in it was [`Sent::No`]: nothing reached the platform.
    pub fn proxy(mut self, address: impl Into<Box<str>>) -> Self {
        self.proxy = Some(address.into());
        self
    }

    /// Authenticates to the proxy (`Basic`).
    pub fn proxy_credentials(mut self, user: &str, password: &Secret<String>) -> Self {
        self.proxy_credentials = Some(Secret::new(format!("{user}:{}", password.expose())));
        self
    }

    /// How long a connection may take to be made: name lookup, TCP, proxy and TLS. 5 seconds unless set.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.connect = limit;
        self
    }

    /// How long the far side may think: from the connection to the head of the response. 20 seconds unless set.
    pub fn first_byte_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.first_byte = limit;
        self
    }

    /// How long [`Transport::send`] may take in all. 30 seconds unless set.
    pub fn total_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.total = limit;
        self
    }

    /// How long a streamed body may be silent between two pieces. 30 seconds unless set.
    pub fn stall_timeout(mut self, limit: Duration) -> Self {
        self.timeouts.stall = limit;
        self
    }

    /// The largest body, in bytes, that [`Transport::send`] collects. 8 MiB unless set.
    pub fn body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = bytes;
        self
    }

    /// The largest body, in bytes, that [`Transport::stream`] yields. 16 GiB unless set.
    pub fn stream_limit(mut self, bytes: u64) -> Self {
        self.stream_limit = bytes;
        self
    }

    /// The transport.
    ///
    /// # Errors
    /// Names the setting that cannot be used.
    pub fn build(self) -> Result<HyperTransport, SetupError> {
        let roots = tls::roots(self.default_roots, &self.roots)?;
        let proxy = self
            .proxy
            .as_deref()
            .map(|address| connect::Proxy::new(address, self.proxy_credentials.as_ref()))
            .transpose()?;
        let pool = |tls| {
            Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(Connector::new(tls, proxy.as_ref(), self.timeouts.connect))
        };
        Ok(HyperTransport {
            anonymous: pool(tls::config(roots.clone(), None)?),
            identified: match &self.identity {
                Some(identity) => Some(pool(tls::config(roots, Some(identity))?)),
                None => None,
            },
            timeouts: self.timeouts,
            body_limit: self.body_limit,
            stream_limit: self.stream_limit,
        })
    }
}

impl fmt::Debug for HyperTransportBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HyperTransportBuilder")
            .field("default_roots", &self.default_roots)
            .field("added_roots", &self.roots.len())
            .field("identity", &self.identity.is_some())
            .field("proxy", &self.proxy.is_some())
            .field("timeouts", &self.timeouts)
            .field("body_limit", &self.body_limit)
            .field("stream_limit", &self.stream_limit)
            .finish_non_exhaustive()
    }
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{setting}`: {problem}")]
#[non_exhaustive]
pub struct SetupError {
    /// Which setting: `root`, `identity`, `proxy`.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
    /// What the TLS library said.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SetupError {
    pub(crate) const fn new(setting: &'static str, problem: &'static str) -> Self {
        Self {
            setting,
            problem,
            source: None,
        }
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// A request that may not be sent this way.
fn refused(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(TransportErrorKind::Refused, Sent::No, Some(reason.into()))
}
