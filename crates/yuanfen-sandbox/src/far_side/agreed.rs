//! What a shop is told when it signs up, and what is agreed with platforms outside their protocols.

use yuanfen_core::Fen;

use super::{FarSide, side};
use crate::admin::Topic;
use crate::book::Account;
use crate::keys::{
    FSHOWS_APP_ID, FSHOWS_SUB_MERCHANT, FshowsCredentials, KeySet, MPGATEWAY_MERCHANT, MpgatewayCredentials,
    STARPOS_MERCHANT, STARPOS_ORGANIZATION, StarposCredentials, WECHAT_MERCHANT_ID, WECHAT_PROVIDER_ID,
    WECHAT_SUB_MERCHANTS, WechatV2Credentials, WechatV2ProviderCredentials, WechatV3Credentials,
    WechatV3ProviderCredentials,
};
use crate::platforms::{Platform, Setting};
use crate::{Settings, StarposPush};

impl FarSide {
    /// The keys that it was built with.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.0.keys
    }

    /// What a client of WeChat Pay v2 needs.
    #[must_use]
    pub fn wechat_v2(&self) -> WechatV2Credentials {
        WechatV2Credentials::at(&self.0.base_url, &self.0.keys)
    }

    /// What a service provider's client of WeChat Pay v2 needs. Its orders are those of
    /// [`Account::provider`].
    #[must_use]
    pub fn wechat_v2_provider(&self) -> WechatV2ProviderCredentials {
        WechatV2ProviderCredentials::at(&self.0.base_url, &self.0.keys)
    }

    /// Whose number that is on a platform: a merchant's own, or one of a service provider or its sub-merchants.
    pub(crate) fn account_of(&self, platform: Platform, number: &str) -> Option<Account> {
        let is_own = match platform {
            Platform::WechatV2 | Platform::WechatV3 => {
                let mut subs = WECHAT_SUB_MERCHANTS.iter();
                if number == WECHAT_PROVIDER_ID || subs.any(|(sub, _)| *sub == number) {
                    return Some(Account::provider(platform));
                }
                number == WECHAT_MERCHANT_ID
            }
            Platform::Starpos => [STARPOS_MERCHANT, STARPOS_ORGANIZATION].contains(&number),
            Platform::Fshows => [FSHOWS_SUB_MERCHANT, FSHOWS_APP_ID].contains(&number),
            Platform::Mpgateway => number == MPGATEWAY_MERCHANT,
        };
        is_own.then(|| platform.into())
    }

    /// WeChat Pay v2 answers the next so many reversals with `recall=Y` and `SYSTEMERROR`, and does nothing.
    pub fn recall_wechat_v2_reversals(&self, times: u32) {
        self.agree(&Setting::WechatV2RecallsReversals(times));
    }

    /// Whether WeChat Pay v2 refuses to close an order within five minutes, as its page says. It does not at first:
    /// tests have no time.
    pub fn keep_wechat_v2_five_minutes(&self, keep: bool) {
        self.agree(&Setting::WechatV2KeepsFiveMinutes(keep));
    }

    /// Whether WeChat Pay APIv3 refuses to close an order within five minutes. It does not at first: tests have no time.
    pub fn keep_wechat_v3_five_minutes(&self, keep: bool) {
        self.agree(&Setting::WechatV3KeepsFiveMinutes(keep));
    }

    /// Whether WeChat Pay of either version wants a minute between two refunds of one order; one that comes sooner is
    /// refused as too frequent. It does not at first.
    pub fn keep_wechat_refund_minute(&self, keep: bool) {
        self.state().book.rules.spaces_refunds = keep;
        self.touch(&[Topic::Settings]);
    }

    /// Whether WeChat Pay keeps the rates that it publishes, in calls of one merchant in one second of the sandbox's
    /// clock: 150 refunds, 6 that fail, and on APIv3 300 queries of refunds, 3 fund-flow bills, 1000 lists of
    /// certificates and 33 payment codes. It does not at first.
    pub fn keep_wechat_rates(&self, keep: bool) {
        self.agree(&Setting::WechatKeepsRates(keep));
    }

    /// Whether a payer types a password at the till after ten payments without one on a day. Nobody does at first.
    pub fn ask_wechat_passwords_after_ten(&self, ask: bool) {
        self.state().book.rules.counts_passwords = ask;
        self.touch(&[Topic::Settings]);
    }

    /// How much a merchant of WeChat Pay holds to refund from: less with every refund, more where one is given up. A
    /// refund that it does not cover is `NOTENOUGH` on v2 and `NOT_ENOUGH` on APIv3, and is taken under the same number
    /// once there is enough. `None`, as at first, is without end.
    pub fn set_refund_balance(&self, account: impl Into<Account>, balance: Option<Fen>) {
        self.state().book.rules.set_balance(account.into(), balance);
        self.touch(&[Topic::Settings]);
    }

    /// What is left to refund from; `None` is without end.
    #[must_use]
    pub fn refund_balance(&self, account: impl Into<Account>) -> Option<Fen> {
        self.state().book.rules.balance(account.into())
    }

    /// What a client of WeChat Pay APIv3 needs. After a rotation the platform certificate is the new one.
    #[must_use]
    pub fn wechat_v3(&self) -> WechatV3Credentials {
        let mut state = self.state();
        let side = side(&mut state.sides, Platform::WechatV3);
        let (merchant, platform) = side
            .map(|side| (side.merchant_serial(), side.signing_certificate()))
            .unwrap_or_default();
        WechatV3Credentials::at(
            &self.0.base_url,
            &self.0.keys,
            merchant.unwrap_or_default(),
            platform.unwrap_or_else(|| (String::new(), self.0.keys.wechat_v3().platform.clone())),
        )
    }

    /// What a service provider of WeChat Pay APIv3 needs.
    #[must_use]
    pub fn wechat_v3_provider(&self) -> WechatV3ProviderCredentials {
        let mut state = self.state();
        let serial = side(&mut state.sides, Platform::WechatV3).and_then(|side| side.provider_serial());
        WechatV3ProviderCredentials::at(&self.0.base_url, &self.0.keys, serial.unwrap_or_default())
    }

    /// WeChat Pay signs with its next platform certificate from now on; the one before stays in the list of
    /// certificates. Gives the new serial, or `None` where the certificates of the set are used up (there are four).
    #[must_use = "without a new serial nothing was rotated"]
    pub fn rotate_platform_certificate(&self) -> Option<String> {
        let serial = side(&mut self.state().sides, Platform::WechatV3)?.rotate_key();
        self.touch(&[Topic::Settings]);
        serial
    }

    /// What a client of StarPos needs.
    #[must_use]
    pub fn starpos(&self) -> StarposCredentials {
        StarposCredentials::at(&self.0.base_url, &self.0.keys)
    }

    /// Where StarPos pushes payments from now on; nowhere at first. In life its staff set this up for each partner.
    pub fn set_starpos_push_url(&self, url: impl Into<String>) {
        self.agree(&Setting::StarposPushUrl(Some(url.into())));
    }

    /// StarPos pushes nowhere from now on.
    pub fn stop_starpos_push(&self) {
        self.agree(&Setting::StarposPushUrl(None));
    }

    /// How StarPos writes its push from now on; plain at first.
    pub fn set_starpos_push(&self, variant: StarposPush) {
        self.agree(&Setting::StarposPush(variant));
    }

    /// Whether StarPos says `Z` (unknown) of orders that are not paid, rather than `A` (waiting for the payer).
    pub fn set_starpos_unsure(&self, unsure: bool) {
        self.agree(&Setting::StarposIsUnsure(unsure));
    }

    /// Whether StarPos signs its replies to `pubSigPay`; not at first, since their table has no signature.
    pub fn sign_starpos_payments(&self, sign: bool) {
        self.agree(&Setting::StarposSignsPayments(sign));
    }

    /// What a client of fshows needs.
    #[must_use]
    pub fn fshows(&self) -> FshowsCredentials {
        FshowsCredentials::at(&self.0.base_url, &self.0.keys)
    }

    /// What a client of mpgateway needs.
    #[must_use]
    pub fn mpgateway(&self) -> MpgatewayCredentials {
        MpgatewayCredentials::at(&self.0.base_url, &self.0.keys)
    }

    /// Whether mpgateway pays orders that are placed from now on as `1002` first (paid, not available yet) and tells
    /// them again as `0000` a minute later. It does not at first.
    pub fn hold_mpgateway_payments(&self, hold: bool) {
        self.agree(&Setting::MpgatewayHoldsPayments(hold));
    }

    fn agree(&self, setting: &Setting) {
        for side in &mut self.state().sides {
            side.set(setting);
        }
        self.touch(&[Topic::Settings]);
    }

    pub(crate) fn tell(&self, settings: &mut Settings) {
        let state = self.state();
        for side in &state.sides {
            side.tell(settings);
        }
        settings.wechat_keeps_refund_minute = Some(state.book.rules.spaces_refunds);
        settings.wechat_asks_password_after_ten = Some(state.book.rules.counts_passwords);
        let of_wechat = |account: &Account| matches!(account.platform, Platform::WechatV2 | Platform::WechatV3);
        settings.wechat_refund_balances_fen = Account::all()
            .filter(of_wechat)
            .map(|account| (account, state.book.rules.balance(account).map(Fen::get)))
            .collect();
    }

    /// Whether this merchant of WeChat Pay APIv3 has the public key alone, as those opened since 2024: everything is
    /// signed with it, and there are no certificates to download. At first it has both.
    pub fn use_public_key_only(&self, only: bool) {
        self.agree(&Setting::WechatV3PublicKeyOnly(only));
    }
}
