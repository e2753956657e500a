//! How a call came in: what the connection knows and the request does not say.

use bytes::Bytes;

/// What a connection knows of the calls that come over it.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    pub(crate) scheme: Scheme,
    pub(crate) certificate: ClientCertificate,
}

/// How the client wrote its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What a caller showed of itself while the connection was made.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum ClientCertificate {
    /// Nobody asked: plain http, and calls in memory.
    NotAsked,
    /// It was asked for a certificate and has none.
    Absent,
    /// DER of the certificate whose key the caller holds. Who issued it was not looked at.
    Presented(Bytes),
}

impl std::fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NotAsked => "NotAsked",
            Self::Absent => "Absent",
            Self::Presented(_) => "Presented",
        })
    }
}

impl Arrival {
    pub(crate) const fn plain() -> Self {
        Self {
            scheme: Scheme::Http,
            certificate: ClientCertificate::NotAsked,
        }
    }

    pub(crate) const fn tls(certificate: ClientCertificate) -> Self {
        Self {
            scheme: Scheme::Https,
            certificate,
        }
    }

    /// Without a connection the request's own address says how it came.
    pub(crate) fn in_memory<B>(request: &http::Request<B>) -> Self {
        let scheme = match request.uri().scheme_str() {
            Some("https") => Scheme::Https,
            _ => Scheme::Http,
        };
        Self {
            scheme,
            certificate: ClientCertificate::NotAsked,
        }
    }
}
