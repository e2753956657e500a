//! The names under which the sandbox answers, and who lives behind each.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderMap, Uri};

use crate::Platform;
use crate::arrival::Scheme;
use crate::platforms::is_web_page;

/// Who answers under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// The sandbox under a name of its own: everybody, an acquirer below a path of its name.
    Everybody,
    /// WeChat Pay, v2 and v3.
    WechatPay,
    /// WeChat's web: who a visitor is, and what pages are signed with.
    WechatWeb,
    /// One acquirer, with the paths of life.
    Acquirer(Platform),
}

impl Tenant {
    /// A platform's own host.
    const fn of(platform: Platform) -> Self {
        match platform {
            Platform::WechatV2 | Platform::WechatV3 => Self::WechatPay,
            Platform::Starpos | Platform::Fshows | Platform::Mpgateway => Self::Acquirer(platform),
        }
    }

    /// The path as the platforms' modules know it.
    pub(crate) fn path(self, path: &str) -> Cow<'_, str> {
        match self {
            Self::Everybody | Self::WechatPay | Self::WechatWeb => Cow::Borrowed(path),
            Self::Acquirer(platform) => Cow::Owned(format!("/{}{path}", platform.name())),
        }
    }

    /// Whether this platform's answer to that path is given here.
    pub(crate) fn admits(self, platform: Platform, path: &str) -> bool {
        match self {
            Self::Everybody => true,
            Self::WechatPay => matches!(platform, Platform::WechatV2 | Platform::WechatV3) && !is_web_page(path),
            Self::WechatWeb => is_web_page(path),
            Self::Acquirer(acquirer) => platform == acquirer,
        }
    }
}

/// Names that the platforms have in life, from their sheets. mpgateway's operators each have their own and publish
/// none, so it has a reserved one here.
const PUBLIC: &[(&str, Tenant)] = &[
    ("api.mch.weixin.qq.com", Tenant::WechatPay),
    ("api2.mch.weixin.qq.com", Tenant::WechatPay),
    ("api.wechatpay.cn", Tenant::WechatPay),
    ("api2.wechatpay.cn", Tenant::WechatPay),
    ("api.weixin.qq.com", Tenant::WechatWeb),
    ("open.weixin.qq.com", Tenant::WechatWeb),
    ("gateway.starpos.com.cn", Tenant::Acquirer(Platform::Starpos)),
    ("sandbox.starpos.com.cn", Tenant::Acquirer(Platform::Starpos)),
    ("139.196.77.69", Tenant::Acquirer(Platform::Starpos)),
    ("openapi-liquidation.51fubei.com", Tenant::Acquirer(Platform::Fshows)),
    (
        "openapi-liquidation-test.51fubei.com",
        Tenant::Acquirer(Platform::Fshows),
    ),
    ("ybnsyh-openapi.51fubei.com", Tenant::Acquirer(Platform::Fshows)),
    ("mpgateway.test", Tenant::Acquirer(Platform::Mpgateway)),
];

/// Every name that the sandbox answers to.
#[derive(Clone, Debug)]
pub(crate) struct Hosts(Vec<(String, Tenant)>);

/// Why a name cannot be one of the sandbox's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address and no host's name: letters, digits, hyphens and dots, without scheme, port or path")]
#[non_exhaustive]
pub struct HostNameError(pub(crate) String);

impl Default for Hosts {
    fn default() -> Self {
        let named = |(name, tenant): &(&str, Tenant)| ((*name).to_owned(), *tenant);
        Self(PUBLIC.iter().map(named).collect())
    }
}

impl Hosts {
    /// Adds a name or an address: of the sandbox itself, or of a platform. One that was there changes hands, but for
    /// this machine's own, which stay everybody's.
    pub(crate) fn add(&mut self, name: &str, platform: Option<Platform>) -> Result<(), HostNameError> {
        let name = name.to_ascii_lowercase();
        if !is_host_name(&name) && name.parse::<IpAddr>().is_err() {
            return Err(HostNameError(name));
        }
        if is_loopback(&name) {
            return Ok(());
        }
        let tenant = platform.map_or(Tenant::Everybody, Tenant::of);
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, tenant));
        Ok(())
    }

    /// All of them, this machine's own included.
    pub(crate) fn names(&self) -> Vec<String> {
        let public = self.0.iter().map(|(name, _)| name.clone());
        let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        public.chain(own).collect()
    }

    /// Who lives under a name; `None` where it is not the sandbox's.
    pub(crate) fn tenant(&self, host: &str) -> Option<Tenant> {
        let host = bare(host);
        if is_loopback(&host) {
            return Some(Tenant::Everybody);
        }
        let found = self.0.iter().find(|(name, _)| *name == host);
        found.map(|(_, tenant)| *tenant)
    }

    /// Whom a call is for, and the address by which it came: scheme and host as the client wrote them. A host that is
    /// not the sandbox's is nobody's address and is told to nobody. What proxies say (`X-Forwarded-…`) counts for
    /// nothing.
    pub(crate) fn origin(&self, scheme: Scheme, uri: &Uri, headers: &HeaderMap) -> (Tenant, Option<String>) {
        let known = authority(uri, headers).and_then(|authority| {
            let tenant = self.tenant(authority.host())?;
            Some((tenant, authority))
        });
        match known {
            None => (Tenant::Everybody, None),
            Some((tenant, authority)) => (tenant, Some(format!("{}://{authority}", scheme.name()))),
        }
    }
}

/// The authority that a call names: in its target, or else in its one `Host`.
fn authority(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => {
            let mut hosts = headers.get_all(HOST).iter();
            let host = hosts.next()?;
            if hosts.next().is_some() {
                return None;
            }
            Authority::try_from(host.as_bytes()).ok()?
        }
    };
    let after_host = authority.as_str().strip_prefix(authority.host())?;
    // `Authority` takes `[::1]evil.example:443` for the host `[::1]` with that port.
    let is_plain = after_host.is_empty() || after_host.strip_prefix(':').is_some_and(is_port);
    is_plain.then_some(authority)
}

/// In small letters, without brackets and without the dot that ends a full name.
pub(crate) fn bare(host: &str) -> String {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

/// `localhost`, 127.0.0.0/8 and ::1.
pub(crate) fn is_loopback(bare_host: &str) -> bool {
    bare_host == "localhost" || bare_host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port != 0)
}

fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}
