//! Where a payment code is charged. Its members have the names of an order's scene with other meanings, so it is another
//! type. v3 sheet, section 16.1.

use std::net::IpAddr;

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Rule};

/// `scene_info` of a payment by code: the till. It says at least its address or its shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Till {
    /// `device_id`: the till's number, at most 32 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// `device_ip`: the till's own address, not the payer's.
    #[serde(rename = "device_ip", skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// `store_info`: the shop it stands in.
    #[serde(rename = "store_info", skip_serializing_if = "Option::is_none")]
    pub store: Option<TillStore>,
}

/// `store_info` of a payment by code, by one of its numbers at least.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TillStore {
    /// `id`: the **platform's** number of the shop, at most 32 characters. In an order's scene it is the merchant's.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    pub platform_id: Option<String>,
    /// `out_id`: the merchant's number of the shop, at most 32 characters.
    #[serde(rename = "out_id", skip_serializing_if = "Option::is_none")]
    pub own_id: Option<String>,
}

impl Till {
    /// The till at that address.
    #[must_use]
    pub const fn at(ip: IpAddr) -> Self {
        Self {
            device_id: None,
            ip: Some(ip),
            store: None,
        }
    }

    /// A till in that shop.
    #[must_use]
    pub const fn within(store: TillStore) -> Self {
        Self {
            device_id: None,
            ip: None,
            store: Some(store),
        }
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        DEVICE_ID.check_maybe(self.device_id.as_deref())?;
        match (&self.store, self.ip) {
            (Some(store), _) => store.check(),
            (None, Some(_)) => Ok(()),
            (None, None) => Err(BuildError::Missing {
                field: "scene_info.device_ip",
                when: "where the scene names no shop (v3 sheet, section 16.1)",
            }),
        }
    }
}

impl TillStore {
    /// The shop of that number of the merchant's.
    pub fn by_own_id(id: impl Into<String>) -> Self {
        Self {
            platform_id: None,
            own_id: Some(id.into()),
        }
    }

    /// The shop of that number of the platform's.
    pub fn by_platform_id(id: impl Into<String>) -> Self {
        Self {
            platform_id: Some(id.into()),
            own_id: None,
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        PLATFORM_ID.check_maybe(self.platform_id.as_deref())?;
        OWN_ID.check_maybe(self.own_id.as_deref())?;
        if self.platform_id.is_none() && self.own_id.is_none() {
            return Err(BuildError::Missing {
                field: "scene_info.store_info.out_id",
                when: "where the shop has no `id` (v3 sheet, section 16.1)",
            });
        }
        Ok(())
    }
}

const fn text(field: &'static str) -> Rule {
    Rule::new(field, 32)
        .alphabet(Alphabet::BASIC_PLANE)
        .source("v3 sheet, section 16.1")
}
const DEVICE_ID: Rule = text("scene_info.device_id");
const PLATFORM_ID: Rule = text("scene_info.store_info.id");
const OWN_ID: Rule = text("scene_info.store_info.out_id");
