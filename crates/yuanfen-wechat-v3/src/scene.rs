//! Where an order is placed. v3 sheet, section 13.3.

use std::net::IpAddr;

use serde::Serialize;
use yuanfen_core::{Alphabet, BuildError, Rule, open_enum};

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

open_enum! {
    /// `type` of `h5_info`: from what an H5 order is paid.
    pub enum H5Type {
        /// A page in a browser.
        Wap = "Wap",
        /// An app on iOS.
        Ios = "iOS",
        /// An app on Android.
        Android = "Android",
    }
}

/// `h5_info`: from what an H5 order is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct H5Info {
    /// `type`.
    #[serde(rename = "type")]
    pub kind: H5Type,
    /// `app_name`: at most 64 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_name: Option<String>,
    /// `app_url`: of the site, at most 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_url: Option<String>,
    /// `bundle_id`: on iOS, at most 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bundle_id: Option<String>,
    /// `package_name`: on Android, at most 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package_name: Option<String>,
}

/// The member `scene_info`: that of an H5 order holds `h5_info` too.
#[derive(Serialize)]
pub(crate) struct BodyScene<'a> {
    #[serde(flatten)]
    scene: &'a Scene,
    #[serde(skip_serializing_if = "Option::is_none")]
    h5_info: Option<&'a H5Info>,
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

    /// Checked, and as a member of a body.
    ///
    /// # Errors
    /// When a text breaks its rule, or the payer of an H5 order is said to be on this machine.
    pub(crate) fn in_body<'a>(&'a self, h5_info: Option<&'a H5Info>) -> Result<BodyScene<'a>, BuildError> {
        self.check()?;
        if let Some(info) = h5_info {
            check_h5(info, self.payer_ip)?;
        }
        Ok(BodyScene { scene: self, h5_info })
    }

    fn check(&self) -> Result<(), BuildError> {
        DEVICE_ID.check_maybe(self.device_id.as_deref())?;
        let Some(store) = &self.store else { return Ok(()) };
        STORE_ID.check(&store.id)?;
        STORE_NAME.check_maybe(store.name.as_deref())?;
        AREA_CODE.check_maybe(store.area_code.as_deref())?;
        ADDRESS.check_maybe(store.address.as_deref())
    }
}

/// What the scene of an H5 order has to say.
pub(crate) fn check_h5(info: &H5Info, payer_ip: IpAddr) -> Result<(), BuildError> {
    info.check()?;
    check_payers_own(payer_ip)
}

/// The platform compares the address with that of the browser. This machine's, and none at all, are nobody's.
fn check_payers_own(ip: IpAddr) -> Result<(), BuildError> {
    let ip = ip.to_canonical();
    if ip.is_loopback() || ip.is_unspecified() {
        return Err(BuildError::Conflict {
            fields: "scene_info.payer_client_ip",
            problem: "is this machine's address; the payer's own is wanted (v3 sheet, section 13.3)",
        });
    }
    Ok(())
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

impl H5Info {
    /// Paid from that.
    #[must_use]
    pub const fn new(kind: H5Type) -> Self {
        Self {
            kind,
            app_name: None,
            app_url: None,
            bundle_id: None,
            package_name: None,
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        H5_TYPE.check(self.kind.as_str())?;
        APP_NAME.check_maybe(self.app_name.as_deref())?;
        APP_URL.check_maybe(self.app_url.as_deref())?;
        BUNDLE_ID.check_maybe(self.bundle_id.as_deref())?;
        PACKAGE_NAME.check_maybe(self.package_name.as_deref())
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
const H5_TYPE: Rule = Rule::new("scene_info.h5_info.type", 32)
    .alphabet(Alphabet::WORD)
    .source(SHEET);
const APP_NAME: Rule = text("scene_info.h5_info.app_name", 64);
const APP_URL: Rule = text("scene_info.h5_info.app_url", 128);
const BUNDLE_ID: Rule = text("scene_info.h5_info.bundle_id", 128);
const PACKAGE_NAME: Rule = text("scene_info.h5_info.package_name", 128);
