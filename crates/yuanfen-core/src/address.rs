//! Addresses: where a platform is, and where it or a browser comes back to.

use std::fmt;
use std::net::IpAddr;

use http::Uri;

/// Why a text is not an address that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct AddressError {
    /// Which setting or field.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl AddressError {
    /// That setting or field, and what is wrong with it.
    #[must_use]
    pub const fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }
}

/// Takes an absolute http or https address apart and refuses plain http to anywhere but this machine.
fn parse(field: &'static str, text: &str) -> Result<Uri, AddressError> {
    let wrong = |problem| AddressError { field, problem };
    if text
        .bytes()
        .any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
    {
        return Err(wrong("holds blanks or control characters"));
    }
    // `Uri` takes these in a path, and no two parties agree on what they stand for.
    if !text.is_ascii() {
        return Err(wrong("holds characters outside ASCII; percent-encode them"));
    }
    // `Uri` drops a fragment silently, so it is looked at before.
    let without_fragment = text.split_once('#').map_or(text, |(front, _)| front);
    let uri: Uri = without_fragment.parse().map_err(|_| wrong("is not an address"))?;
    let host = uri
        .host()
        .filter(|host| !host.is_empty())
        .ok_or_else(|| wrong("is not absolute: it names no host"))?;
    if uri
        .authority()
        .is_some_and(|authority| authority.as_str().contains('@'))
    {
        return Err(wrong("holds a user name or password"));
    }
    // `Uri` takes any text behind the colon for a port, and any behind a bracket for a part of the host.
    let after_host = uri
        .authority()
        .and_then(|authority| authority.as_str().strip_prefix(host))
        .unwrap_or_default();
    let has_port = after_host.starts_with(':') && uri.port_u16().is_some_and(|port| port != 0);
    if !after_host.is_empty() && !has_port {
        return Err(wrong("has a port that is none"));
    }
    match uri.scheme_str() {
        Some("https") => Ok(uri),
        Some("http") if is_loopback(host) => Ok(uri),
        Some("http") => Err(wrong(
            "is plain http to another machine; use https (http is for loopback only)",
        )),
        _ => Err(wrong("is neither https nor http to loopback")),
    }
}

/// Whether a host names this machine: `localhost`, 127.0.0.0/8 or ::1.
fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the host may be one of the public network: a domain of more than one label, or an address that routers pass on.
fn is_public(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified()),
        Ok(IpAddr::V6(ip)) => {
            !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified())
        }
        Err(_) => host.contains('.') && !host.to_ascii_lowercase().ends_with(".localhost"),
    }
}

/// Where a platform answers: scheme, host, port, and a path in front of every call's own.
///
/// ```
/// use yuanfen_core::BaseUrl;
/// let base = BaseUrl::parse("https://gateway.example/adpweb/ehpspos3/")?;
/// assert_eq!(base.join("/pubSigQry.json"), "https://gateway.example/adpweb/ehpspos3/pubSigQry.json");
/// assert!(BaseUrl::parse("http://gateway.example").is_err());
/// assert!(BaseUrl::parse("http://127.0.0.1:8080").is_ok());
/// # Ok::<(), yuanfen_core::AddressError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BaseUrl {
    text: Box<str>,
    path: usize,
}

impl BaseUrl {
    /// Reads a base address; slashes at its end are dropped.
    ///
    /// # Errors
    /// Refuses what is not absolute, plain http to another machine, and a query or fragment.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        const FIELD: &str = "base address";
        let uri = parse(FIELD, text)?;
        if text.contains(['?', '#']) {
            return Err(AddressError {
                field: FIELD,
                problem: "has a query or fragment",
            });
        }
        let text: Box<str> = text.trim_end_matches('/').into();
        let path = text.len().saturating_sub(uri.path().trim_end_matches('/').len());
        Ok(Self { text, path })
    }

    /// The address of a call: this base with a path (and query) behind it.
    #[must_use]
    pub fn join(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.text)
    }

    /// The path in front of every call's own; empty for a bare host.
    #[must_use]
    pub fn path(&self) -> &str {
        self.text.get(self.path..).unwrap_or_default()
    }

    /// The text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.text)
    }
}

/// An absolute address that a platform or a browser is sent to: notify, back and front addresses.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address {
    text: Box<str>,
}

impl Address {
    /// Reads an absolute https address, or http to loopback.
    ///
    /// # Errors
    /// Refuses what is not absolute, and plain http to another machine. `field` names the setting in the error.
    pub fn parse(field: &'static str, text: &str) -> Result<Self, AddressError> {
        parse(field, text)?;
        Ok(Self { text: text.into() })
    }

    /// The same without a query or fragment, as WeChat's `notify_url` must be.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when there is a `?` or `#`.
    pub fn parse_plain(field: &'static str, text: &str) -> Result<Self, AddressError> {
        let address = Self::parse(field, text)?;
        address.must_be_plain(field)?;
        Ok(address)
    }

    /// Refuses a query or fragment.
    ///
    /// # Errors
    /// When there is a `?` or `#`.
    pub fn must_be_plain(&self, field: &'static str) -> Result<(), AddressError> {
        if self.text.contains(['?', '#']) {
            return Err(AddressError {
                field,
                problem: "has a query or fragment, which this platform does not allow",
            });
        }
        Ok(())
    }

    /// Refuses a host that nobody outside can reach: an address of a local network, a name of one label. Plain http is
    /// let through, because it goes to this machine only, where no platform but a sandbox is.
    ///
    /// # Errors
    /// When the address is https and its host is such a one.
    pub fn must_be_reachable(&self, field: &'static str) -> Result<(), AddressError> {
        let uri = parse(field, &self.text)?;
        if uri.scheme_str() == Some("https") && !uri.host().is_some_and(is_public) {
            return Err(AddressError {
                field,
                problem: "is on a host that the platform cannot reach",
            });
        }
        Ok(())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.text)
    }
}

#[cfg(feature = "json")]
impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}
