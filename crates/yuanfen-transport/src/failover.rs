//! From a platform's main host to its backup, with the same signed bytes.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

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
/// For a minute after the main host was not reached the backup is tried first, so that not every call waits for the main
/// host in vain; see [`with_preference`](Self::with_preference). Clones share that.
///
/// A failure that both hosts share is that of the one tried last, with the other's in its source. It says that nothing was
/// sent only when neither was reached. The host that answered is the field `host` of the call's span.
#[derive(Clone)]
pub struct Failover<T> {
    inner: T,
    pairs: Box<[Pair]>,
    preference: Duration,
}

#[derive(Clone)]
struct Pair {
    main: Origin,
    backup: Origin,
    /// When the main host was last not reached.
    missed: Arc<Mutex<Option<Instant>>>,
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
                missed: Arc::default(),
            })
        });
        Ok(Self {
            inner: transport,
            pairs: pairs.collect::<Result<_, AddressError>>()?,
            preference: Duration::from_secs(60),
        })
    }

    /// The same, with the backup tried first for that long after the main host was not reached. A minute unless set;
    /// with zero the main host is always tried first.
    #[must_use]
    pub fn with_preference(mut self, preference: Duration) -> Self {
        self.preference = preference;
        self
    }

    /// The hosts that a request may go to, where there are two.
    fn pair_of(&self, request: &http::Request<Bytes>) -> Option<&Pair> {
        let fixed = request.extensions().get::<FixedHost>().is_some();
        let of = |pair: &&Pair| !fixed && pair.main.is_of(request.uri());
        self.pairs.iter().find(of)
    }

    /// Sends to the first host, and where that was not reached to the second.
    async fn either<R, Sending>(
        &self,
        request: http::Request<Bytes>,
        send: impl Fn(http::Request<Bytes>) -> Sending + Send,
    ) -> Result<R, TransportError>
    where
        Sending: Future<Output = Result<R, TransportError>> + Send,
    {
        let Some((pair, to_backup)) = self.pair_of(&request).and_then(|pair| {
            let to_backup = pair.backup.with(&request)?;
            Some((pair, to_backup))
        }) else {
            let host = host_of(&request);
            return answered(&host, send(request).await);
        };
        let main_first = !pair.is_avoided(self.preference);
        let (first, second) = if main_first {
            (request, to_backup)
        } else {
            (to_backup, request)
        };
        let (first_host, second_host) = (host_of(&first), host_of(&second));
        let error = match send(first).await {
            // What may not be sent this way may not be sent to the other host either.
            Err(error) if error.sent == Sent::No && error.kind != TransportErrorKind::Refused => error,
            result => return answered(&first_host, result),
        };
        if main_first {
            pair.note(Some(Instant::now()));
        }
        tracing::warn!(host = first_host, other = second_host, error = %error, "not reached; sending to the other host");
        let result = send(second).await;
        if !main_first && result.is_ok() {
            pair.note(None);
        }
        let result = result.map_err(|last| {
            let (kind, sent) = (last.kind, last.sent);
            let both = BothFailed {
                first: chain(&error),
                first_host,
                last,
            };
            TransportError::new(kind, sent, Some(Box::new(both)))
        });
        answered(&second_host, result)
    }
}

impl Pair {
    /// Whether the main host was not reached so recently that the backup is tried first.
    fn is_avoided(&self, preference: Duration) -> bool {
        let missed = *self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.is_some_and(|missed| missed.elapsed() < preference)
    }

    fn note(&self, missed: Option<Instant>) {
        *self.missed.lock().unwrap_or_else(PoisonError::into_inner) = missed;
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

    /// The same request to this host.
    fn with(&self, request: &http::Request<Bytes>) -> Option<http::Request<Bytes>> {
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
        let mut request = request.clone();
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        // Whoever sends it writes the host it is sent to.
        request.headers_mut().remove(http::header::HOST);
        Some(request)
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

/// Both hosts failed; the first one for certain before anything was sent.
#[derive(Debug, thiserror::Error)]
#[error("tried after {first_host}, which failed with: {first}")]
struct BothFailed {
    first_host: String,
    first: String,
    #[source]
    last: TransportError,
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

/// Writes into the call's span which host answered.
fn answered<R>(host: &str, result: Result<R, TransportError>) -> Result<R, TransportError> {
    if result.is_ok() {
        tracing::Span::current().record("host", host);
    }
    result
}
