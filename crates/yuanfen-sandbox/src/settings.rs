//! What is agreed with platforms outside their protocols, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use yuanfen_core::Fen;

use crate::{Account, FarSide, StarposPush};

/// What is agreed with the platforms' staff, over the telephone or in their back offices. Members that are absent stay as
/// they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Where StarPos pushes payments, or an empty text for nowhere; see [`FarSide::set_starpos_push_url`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starpos_push_url: Option<String>,
    /// How StarPos writes its push; see [`FarSide::set_starpos_push`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starpos_push: Option<StarposPush>,
    /// Whether StarPos says `Z` of what is not paid; see [`FarSide::set_starpos_unsure`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starpos_unsure: Option<bool>,
    /// Whether StarPos signs its replies to `pubSigPay`; see [`FarSide::sign_starpos_payments`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starpos_signs_payments: Option<bool>,
    /// Whether mpgateway pays as `1002` first; see [`FarSide::hold_mpgateway_payments`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mpgateway_holds_payments: Option<bool>,
    /// How many reversals WeChat Pay v2 answers with "ask again"; see [`FarSide::recall_wechat_v2_reversals`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_v2_recalls_reversals: Option<u32>,
    /// Whether WeChat Pay v2 closes no order within five minutes; see [`FarSide::keep_wechat_v2_five_minutes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_v2_keeps_five_minutes: Option<bool>,
    /// Whether the merchant of APIv3 has the public key alone; see [`FarSide::use_public_key_only`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_v3_public_key_only: Option<bool>,
    /// Whether APIv3 closes no order within five minutes; see [`FarSide::keep_wechat_v3_five_minutes`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_v3_keeps_five_minutes: Option<bool>,
    /// Whether WeChat Pay wants a minute between two refunds; see [`FarSide::keep_wechat_refund_minute`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_keeps_refund_minute: Option<bool>,
    /// Whether WeChat Pay keeps its published rates; see [`FarSide::keep_wechat_rates`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_keeps_rates: Option<bool>,
    /// Whether payers type after ten payments; see [`FarSide::ask_wechat_passwords_after_ten`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wechat_asks_password_after_ten: Option<bool>,
    /// What merchants hold to refund from, in fen; `null` is without end. See [`FarSide::set_refund_balance`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wechat_refund_balances_fen: BTreeMap<Account, Option<i64>>,
}

impl FarSide {
    /// What is agreed at present: every member is there, but for StarPos' address while it pushes nowhere.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::default();
        self.tell(&mut settings);
        settings
    }

    /// Agrees on all that is said; what is not said stays as it is.
    pub fn apply_settings(&self, settings: &Settings) {
        match settings.starpos_push_url.as_deref() {
            None => {}
            Some("") => self.stop_starpos_push(),
            Some(url) => self.set_starpos_push_url(url),
        }
        if let Some(variant) = settings.starpos_push {
            self.set_starpos_push(variant);
        }
        if let Some(unsure) = settings.starpos_unsure {
            self.set_starpos_unsure(unsure);
        }
        if let Some(sign) = settings.starpos_signs_payments {
            self.sign_starpos_payments(sign);
        }
        if let Some(hold) = settings.mpgateway_holds_payments {
            self.hold_mpgateway_payments(hold);
        }
        if let Some(times) = settings.wechat_v2_recalls_reversals {
            self.recall_wechat_v2_reversals(times);
        }
        if let Some(keep) = settings.wechat_v2_keeps_five_minutes {
            self.keep_wechat_v2_five_minutes(keep);
        }
        if let Some(only) = settings.wechat_v3_public_key_only {
            self.use_public_key_only(only);
        }
        if let Some(keep) = settings.wechat_v3_keeps_five_minutes {
            self.keep_wechat_v3_five_minutes(keep);
        }
        if let Some(keep) = settings.wechat_keeps_refund_minute {
            self.keep_wechat_refund_minute(keep);
        }
        if let Some(keep) = settings.wechat_keeps_rates {
            self.keep_wechat_rates(keep);
        }
        if let Some(ask) = settings.wechat_asks_password_after_ten {
            self.ask_wechat_passwords_after_ten(ask);
        }
        for (account, balance) in &settings.wechat_refund_balances_fen {
            self.set_refund_balance(*account, balance.map(Fen::new));
        }
    }
}
