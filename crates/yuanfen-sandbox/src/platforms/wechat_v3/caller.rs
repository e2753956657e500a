//! Who calls, in which of the two shapes, and whose ids the call may hold (section 1 of the sheet).

use serde_json::{Map, Value, json};
use yuanfen_core::Fields;
use yuanfen_sign::{ApiV3Key, Certificate, RsaVerifyingKey};

use super::Refusal;
use super::schema::{Kind, Member, maybe, need};
use crate::book::{Account, Details, Order};
use crate::keys::{self, KeyError, WechatV3Keys};
use crate::platforms::Platform;

/// Under which name an order remembers its sub-merchant: the bills look for it there.
pub(super) const SUB_MERCHANT: &str = "sub_mch_id";

/// A merchant's own ids in a body.
pub(super) const OWN_IDS: &[Member] = &[need("appid", Kind::Text(1, 32)), need("mchid", Kind::Text(1, 32))];
/// A service provider's ids and those of its merchant.
pub(super) const PARTNER_IDS: &[Member] = &[
    need("sp_appid", Kind::Text(1, 32)),
    need("sp_mchid", Kind::Text(1, 32)),
    maybe("sub_appid", Kind::Text(1, 32)),
    need("sub_mchid", Kind::Text(1, 32)),
];
/// The same without apps.
pub(super) const OWN_NUMBER: &[Member] = &[need("mchid", Kind::Text(1, 32))];
pub(super) const PARTNER_NUMBERS: &[Member] = &[
    need("sp_mchid", Kind::Text(1, 32)),
    need("sub_mchid", Kind::Text(1, 32)),
];
/// In bodies that name the sub-merchant alone.
pub(super) const SUB_NUMBER: &[Member] = &[need("sub_mchid", Kind::Text(1, 32))];

/// Who can call: a number, the key of its certificate, and the key that seals what it is told.
pub(super) struct Merchant {
    pub(super) account: Account,
    pub(super) id: &'static str,
    pub(super) app_id: &'static str,
    pub(super) serial: String,
    pub(super) key: RsaVerifyingKey,
    pub(super) api_key: ApiV3Key,
}

impl Merchant {
    /// The direct merchant.
    pub(super) fn own(keys: &WechatV3Keys) -> Result<Self, KeyError> {
        let certificate = Certificate::parse(&keys.merchant.certificate_pem)?;
        Ok(Self {
            account: Platform::WechatV3.into(),
            id: keys::WECHAT_MERCHANT_ID,
            app_id: keys::WECHAT_APP_ID,
            key: RsaVerifyingKey::of_certificate(&certificate)?,
            serial: certificate.serial,
            api_key: ApiV3Key::new(keys.api_key.expose())?,
        })
    }

    /// The service provider.
    pub(super) fn provider(keys: &WechatV3Keys) -> Result<Self, KeyError> {
        let certificate = Certificate::parse(&keys.provider.certificate_pem)?;
        Ok(Self {
            account: Account::provider(Platform::WechatV3),
            id: keys::WECHAT_PROVIDER_ID,
            app_id: keys::WECHAT_PROVIDER_APP_ID,
            key: RsaVerifyingKey::of_certificate(&certificate)?,
            serial: certificate.serial,
            api_key: ApiV3Key::new(keys.provider_api_key.expose())?,
        })
    }

    /// The caller's table of ids, by its shape.
    pub(super) const fn shaped(&self, own: &'static [Member], partner: &'static [Member]) -> &'static [Member] {
        if self.account.is_provider { partner } else { own }
    }

    /// Whose trade a body is about. `apps` is whether it names apps.
    pub(super) fn party_in_body(&self, body: &Value, apps: bool) -> Result<Party, Refusal> {
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        self.party(&text, "body", apps)
    }

    /// Whose trade a query is about.
    pub(super) fn party_in_query(&self, query: &Fields) -> Result<Party, Refusal> {
        let names = if self.account.is_provider {
            &["sp_mchid", "sub_mchid"][..]
        } else {
            &["mchid"]
        };
        super::only(query, names)?;
        self.party(&|name| query.get(name), "query", false)
    }

    fn party<'t>(
        &self,
        text: &dyn Fn(&str) -> Option<&'t str>,
        location: &'static str,
        apps: bool,
    ) -> Result<Party, Refusal> {
        let (merchant, app) = if self.account.is_provider {
            ("sp_mchid", "sp_appid")
        } else {
            ("mchid", "appid")
        };
        if text(merchant) != Some(self.id) {
            return Err(mismatch(merchant, location));
        }
        if apps && text(app) != Some(self.app_id) {
            return Err(unbound());
        }
        if !self.account.is_provider {
            return Ok(Party::default());
        }
        let number = text("sub_mchid").ok_or_else(|| mismatch("sub_mchid", location))?;
        self.party_of(number, text("sub_appid").filter(|_| apps))
    }

    /// The sub-merchant of that number, if this provider has it.
    pub(super) fn party_of(&self, number: &str, app: Option<&str>) -> Result<Party, Refusal> {
        if number == self.id {
            return Err(Refusal::new(400, "PARAM_ERROR", "子商户号与服务商商户号不能相同").numbered(268_443_705));
        }
        let known = keys::WECHAT_SUB_MERCHANTS
            .iter()
            .find(|(merchant, _)| *merchant == number);
        let (merchant, its_app) =
            known.ok_or_else(|| Refusal::new(403, "NO_AUTH", "与该子商户没有受理关系").numbered(268_443_701))?;
        if app.is_some_and(|app| Some(app) != *its_app) {
            return Err(unbound());
        }
        Ok(Party {
            merchant: Some(merchant),
            app: app.and(*its_app),
        })
    }
}

fn unbound() -> Refusal {
    Refusal::new(400, "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配").numbered(268_445_527)
}

fn mismatch(name: &str, location: &str) -> Refusal {
    Refusal::new(400, "PARAM_ERROR", "请求中的商户号与签名的商户号不一致").with_detail(json!({
        "field": if location == "body" { format!("/{name}") } else { name.to_owned() },
        "location": location,
        "issue": format!("{name}与Http头Authorization中的mchid不一致或缺失"),
    }))
}

/// The merchant for which a provider calls, with its app where that was named; empty where a merchant calls for itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Party {
    pub(super) merchant: Option<&'static str>,
    pub(super) app: Option<&'static str>,
}

impl Party {
    /// Lets an order remember it.
    pub(super) fn keep(self, details: &mut Details) {
        for (name, value) in [(SUB_MERCHANT, self.merchant), ("sub_appid", self.app)] {
            if let Some(value) = value {
                details.insert(name, value.to_owned());
            }
        }
    }

    /// Refuses an order of another sub-merchant.
    pub(super) fn must_own(self, order: &Order) -> Result<(), Refusal> {
        if order.detail(SUB_MERCHANT) == self.merchant {
            return Ok(());
        }
        Err(Refusal::new(400, "INVALID_REQUEST", "子商户号与订单不匹配").numbered(268_447_845))
    }
}

/// The ids of an order as members. `apps` is whether they include apps.
pub(super) fn ids_of(order: &Order, apps: bool) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), json!(value));
        }
    };
    if order.account.is_provider {
        put("sp_mchid", Some(keys::WECHAT_PROVIDER_ID));
        put("sub_mchid", order.detail(SUB_MERCHANT));
        if apps {
            put("sp_appid", Some(keys::WECHAT_PROVIDER_APP_ID));
            put("sub_appid", order.detail("sub_appid"));
        }
    } else {
        put("mchid", Some(keys::WECHAT_MERCHANT_ID));
        if apps {
            put("appid", Some(keys::WECHAT_APP_ID));
        }
    }
    members
}
