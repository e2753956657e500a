//! Where an order is placed, as the JSON of `scene_info`: v2 sheet, section 6.1.

use serde::Serialize;
use yuanfen_core::Address;

/// `scene_info` with `h5_info`: from which page or app a payer comes to the payment in another browser. Required for
/// MWEB.
///
/// ```
/// use yuanfen_core::Address;
/// use yuanfen_wechat_v2::H5Scene;
///
/// let page = Address::parse("wap_url", "https://shop.example")?;
/// let scene = String::from(H5Scene::page(page, "Noodle shop"));
/// assert_eq!(
///     scene,
///     r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Noodle shop"}}"#
/// );
/// # Ok::<(), yuanfen_core::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type")]
#[non_exhaustive]
pub enum H5Scene {
    /// A page, under the domain that is registered for H5 payments.
    #[serde(rename = "Wap")]
    Page {
        /// `wap_url`: its address.
        #[serde(rename = "wap_url")]
        address: Address,
        /// `wap_name`: its name.
        #[serde(rename = "wap_name")]
        name: String,
    },
    /// An app on iOS.
    #[serde(rename = "IOS")]
    Ios {
        /// `app_name`.
        #[serde(rename = "app_name")]
        name: String,
        /// `bundle_id`.
        bundle_id: String,
    },
    /// An app on Android.
    Android {
        /// `app_name`.
        #[serde(rename = "app_name")]
        name: String,
        /// `package_name`.
        package_name: String,
    },
}

impl H5Scene {
    /// A page.
    pub fn page(address: Address, name: impl Into<String>) -> Self {
        Self::Page {
            address,
            name: name.into(),
        }
    }

    /// An app on iOS.
    pub fn ios(name: impl Into<String>, bundle_id: impl Into<String>) -> Self {
        Self::Ios {
            name: name.into(),
            bundle_id: bundle_id.into(),
        }
    }

    /// An app on Android.
    pub fn android(name: impl Into<String>, package_name: impl Into<String>) -> Self {
        Self::Android {
            name: name.into(),
            package_name: package_name.into(),
        }
    }
}

/// `scene_info` with `store_info`: the shop in which an order is placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreScene {
    /// `id`: the merchant's own number of the shop.
    pub id: String,
    /// `name`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `area_code`: the administrative area.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// `address`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl StoreScene {
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

/// The text of `scene_info`. Its length is checked where it is sent.
impl From<H5Scene> for String {
    fn from(scene: H5Scene) -> Self {
        SceneInfo::H5(scene).json()
    }
}

/// The text of `scene_info`. Its length is checked where it is sent.
impl From<StoreScene> for String {
    fn from(scene: StoreScene) -> Self {
        SceneInfo::Store(scene).json()
    }
}

/// The whole object.
#[derive(Serialize)]
enum SceneInfo {
    #[serde(rename = "h5_info")]
    H5(H5Scene),
    #[serde(rename = "store_info")]
    Store(StoreScene),
}

impl SceneInfo {
    /// Texts alone cannot fail to be written; an empty text would be refused where it is sent.
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
