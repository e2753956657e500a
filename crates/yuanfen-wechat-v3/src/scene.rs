//! Where an order is placed. v3 sheet, section 13.3.

use std::net::IpAddr;

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Rule};

/// `scene_info`: where an order is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Scene {
    /// `payer_client_ip`: the payer's own address, not that of a server in between.
    #[serde(rename = "payer_client_ip")]
    pub payer_ip: IpAddr,
    /// `device_id`: the terminal, at most 32 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// `store_info`: the shop.
    #[serde(rename = "store_info", skip_serializing_if = "Option::is_none")]
    pub store: Option<Store>,
}

/// `store_info`: the shop that an order is placed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Store {
    /// `id`: the merchant's number of the shop, 1 to 32 characters.
    pub id: String,
    /// `name`: at most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `area_code`: administrative area, at most 32 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// `address`: at most 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Scene {
    /// A payer at that address.
    #[must_use]
    pub const fn new(payer_ip: IpAddr) -> Self {
        Self {
            payer_ip,
            device_id: None,
            store: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        DEVICE_ID.check_maybe(self.device_id.as_deref())?;
        let Some(store) = &self.store else { return Ok(()) };
        STORE_ID.check(&store.id)?;
        STORE_NAME.check_maybe(store.name.as_deref())?;
        AREA_CODE.check_maybe(store.area_code.as_deref())?;
        ADDRESS.check_maybe(store.address.as_deref())
    }
}

impl Store {
    /// The shop of that number.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            area_code: None,
            address: None,
        }
    }
}

const SHEET: &str = "v3 sheet, section 13.3";
const fn text(field: &'static str, max: usize) -> Rule {
    Rule::new(field, max).alphabet(Alphabet::BASIC_PLANE).source(SHEET)
}
const DEVICE_ID: Rule = text("scene_info.device_id", 32);
const STORE_ID: Rule = text("scene_info.store_info.id", 32);
const STORE_NAME: Rule = text("scene_info.store_info.name", 256);
const AREA_CODE: Rule = text("scene_info.store_info.area_code", 32);
const ADDRESS: Rule = text("scene_info.store_info.address", 512);
