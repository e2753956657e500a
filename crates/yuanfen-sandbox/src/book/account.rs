//! Whose orders: on WeChat Pay a merchant's own, or a service provider's.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Platform, UnknownPlatform};

/// Behind the platform's name where the account is a service provider's.
const PROVIDER: &str = "-provider";

/// One caller of a platform. Numbers of orders and refunds are unique within an account, not across accounts.
///
/// A [`Platform`] stands for its direct merchant, so that most calls need no more than `Platform::WechatV2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Account {
    /// Where.
    pub platform: Platform,
    /// Whether it is the service provider, who asks for its sub-merchants; else the direct merchant.
    pub is_provider: bool,
}

impl Account {
    /// All of them: every platform's direct merchant, and WeChat Pay's service provider in both versions.
    pub fn all() -> impl Iterator<Item = Self> {
        Platform::ALL
            .iter()
            .flat_map(|platform| match platform {
                Platform::WechatV2 | Platform::WechatV3 => {
                    [Some(Self::from(*platform)), Some(Self::provider(*platform))]
                }
                Platform::Starpos | Platform::Fshows | Platform::Mpgateway => [Some(Self::from(*platform)), None],
            })
            .flatten()
    }

    /// The service provider of WeChat Pay; on a platform without one, an account without orders.
    #[must_use]
    pub const fn provider(platform: Platform) -> Self {
        Self {
            platform,
            is_provider: true,
        }
    }
}

impl From<Platform> for Account {
    fn from(platform: Platform) -> Self {
        Self {
            platform,
            is_provider: false,
        }
    }
}

impl fmt::Display for Account {
    /// As in `wechat-v2` and `wechat-v2-provider`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = if self.is_provider { PROVIDER } else { "" };
        write!(f, "{}{suffix}", self.platform)
    }
}

impl FromStr for Account {
    type Err = UnknownPlatform;

    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        match text.strip_suffix(PROVIDER) {
            None => text.parse().map(Platform::into),
            Some(platform) => match platform.parse()? {
                platform @ (Platform::WechatV2 | Platform::WechatV3) => Ok(Self::provider(platform)),
                Platform::Starpos | Platform::Fshows | Platform::Mpgateway => Err(UnknownPlatform),
            },
        }
    }
}

impl Serialize for Account {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Account {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|UnknownPlatform| D::Error::custom(format!("no such account as `{text}`")))
    }
}
