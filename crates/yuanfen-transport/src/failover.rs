//! From a platform's main host to its backup, with the same signed bytes.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use yuanfen_core::{AddressError, BaseUrl, FixedHost, Sent, TransportError, TransportErrorKind};

use crate::{Chunks, Transport};

/// Sends to a platform's main host, and to its backup where the main host was **not reached**: no connection, no TLS.
///
/// What was perhaps sent is never sent to the backup, whatever the answer: the backup is the same platform, and it would
/// be a second attempt. What goes to the backup is the same request with another scheme and authority in its address. Path,
/// query, headers and body stay as they were signed; a platform that signs the host has no use for this.
///
/// WeChat Pay signs none of its hosts, on neither version (v3 sheet, section 3.1):
///
/// ```
/// use yuanfen_transport::{Failover, Transport};
/// # fn example(transport: impl Transport) -> Result<(), yuanfen_core::AddressError> {
/// let hosts = [("https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com")];
/// let transport = Failover::new(transport, &hosts)?;
/// # drop(transport);
/// # Ok(())
/// # }
/// ```
///
/// A signature is good for minutes, so connecting has to fail within seconds, as [`HyperTransport`](crate::HyperTransport)
/// does. An address that the platform handed out as a whole ([`FixedHost`]), and a request to a host that is not listed,
/// go where they say.
///
/// A failure that both hosts share is the backup's, with the main host's in its source. It says that nothing was sent only
/// when neither was reached. The host that answered is the field `host` of the call's span.
#[derive(Clone)]
pub struct Failover<T> {
    inner: T,
    pairs: Box<[Pair]>,
}

#[derive(Clone)]
struct Pair {
    main: Origin,
    backup: Origin,
}

/// Scheme, host and port.
#[derive(Clone, PartialEq, Eq)]
struct Origin {
    scheme: Scheme,
    authority: Authority,
}

impl<T: Transport> Failover<T> {
    /// Over that transport, with each main host and its backup. Both are bare: scheme and host, perhaps a port.
    ///
    /// # Errors
    /// When one is not an address, is plain http to another machine, or has a path.
    pub fn new(transport: T, hosts: &[(&str, &str)]) -> Result<Self, AddressError> {
        let pairs = hosts.iter().map(|(main, backup)| {
            Ok(Pair {
                main: Origin::parse("main host", main)?,
                backup: Origin::parse("backup host", backup)?,
            })
        });
        Ok(Self {
            inner: transport,
            pairs: pairs.collect::<Result<_, AddressError>>()?,
        })
    }

    /// The same request for the backup host, where there is one.
    fn for_backup(&self, request: &http::Request<Bytes>) -> Option<http::Request<Bytes>> {
        if request.extensions().get::<FixedHost>().is_some() {
            return None;
        }
        let pair = self.pairs.iter().find(|pair| pair.main.is_of(request.uri()))?;
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(pair.backup.scheme.clone());
        parts.authority = Some(pair.backup.authority.clone());
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        let mut request = request.clone();
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        // Whoever sends it writes the host it is sent to.
        request.headers_mut().remove(http::header::HOST);
        Some(request)
    }

    /// Sends to the first, and where that was not reached to the second.
    async fn either<R, Sending>(
        &self,
        request: http::Request<Bytes>,
        send: impl Fn(http::Request<Bytes>) -> Sending + Send,
    ) -> Result<R, TransportError>
    where
        Sending: Future<Output = Result<R, TransportError>> + Send,
    {
        let host = host_of(&request);
        let backup = self.for_backup(&request);
        let error = match send(request).await {
            Ok(response) => {
                record_host(&host);
                return Ok(response);
            }
            Err(error) => error,
        };
        // What may not be sent this way may not be sent to the backup either.
        let reached = error.sent != Sent::No || error.kind == TransportErrorKind::Refused;
        let Some(request) = backup.filter(|_| !reached) else {
            return Err(error);
        };
        let backup = host_of(&request);
        tracing::warn!(main = host, backup, error = %error, "the main host is not reached; sending to the backup host");
        match send(request).await {
            Ok(response) => {
                record_host(&backup);
                Ok(response)
            }
            Err(second) => {
                let (kind, sent) = (second.kind, second.sent);
                let both = BothFailed {
                    main: error,
                    backup: second,
                };
                Err(TransportError::new(kind, sent, Some(Box::new(both))))
            }
        }
    }
}

impl<T: Transport> Transport for Failover<T> {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, TransportError> {
        self.either(request, |request| self.inner.send(request)).await
    }

    async fn stream(&self, request: http::Request<Bytes>) -> Result<http::Response<Chunks>, TransportError> {
        self.either(request, |request| self.inner.stream(request)).await
    }

    fn check(&self, request: &http::Request<Bytes>) -> Result<(), TransportError> {
        self.inner.check(request)
    }
}

impl<T> fmt::Debug for Failover<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hosts = self
            .pairs
            .iter()
            .map(|pair| (pair.main.authority.as_str(), pair.backup.authority.as_str()));
        f.debug_map().entries(hosts).finish()
    }
}

impl Origin {
    fn parse(field: &'static str, text: &str) -> Result<Self, AddressError> {
        let wrong = |problem| AddressError::new(field, problem);
        let base = BaseUrl::parse(text).map_err(|error| wrong(error.problem))?;
        if !base.path().is_empty() {
            return Err(wrong("has a path"));
        }
        let uri: Uri = base.as_str().parse().map_err(|_| wrong("is not an address"))?;
        match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => Ok(Self {
                scheme: scheme.clone(),
                authority: authority.clone(),
            }),
            _ => Err(wrong("is not an address")),
        }
    }

    fn is_of(&self, uri: &Uri) -> bool {
        let host_and_port = |authority: &Authority, scheme: &Scheme| {
            let default = if *scheme == Scheme::HTTPS { 443 } else { 80 };
            (
                authority.host().to_ascii_lowercase(),
                authority.port_u16().unwrap_or(default),
            )
        };
        match (uri.scheme(), uri.authority()) {
            (Some(scheme), Some(authority)) => {
                *scheme == self.scheme
                    && host_and_port(authority, scheme) == host_and_port(&self.authority, &self.scheme)
            }
            _ => false,
        }
    }
}

/// Both hosts failed; the main one for certain before anything was sent.
#[derive(Debug, thiserror::Error)]
#[error("the backup host was tried after the main host failed with: {}", chain(main))]
struct BothFailed {
    main: TransportError,
    #[source]
    backup: TransportError,
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

fn host_of(request: &http::Request<Bytes>) -> String {
    request
        .uri()
        .authority()
        .map_or_else(String::new, |authority| authority.as_str().to_owned())
}

fn record_host(host: &str) {
    tracing::Span::current().record("host", host);
}
