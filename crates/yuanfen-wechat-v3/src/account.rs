//! Who signs, whose ids go into messages, and with which keys the platform's messages are checked.

use std::fmt;
use std::sync::Arc;

use yuanfen_core::{AddressError, Alphabet, Ambient, BaseUrl, Decrypt, Rule, Sign, SignError, UnixTime};
use yuanfen_sign::{ApiV3Key, Certificate, KeyError, KeyRing, PlatformKey, RsaSigningKey, RsaVerifyingKey};

use crate::certificates::{Refreshed, is_public_key_id};
use crate::ids::{self, DirectIds, MERCHANT_ID, MerchantIds, PartnerIds, SubMerchant, form};

/// The host that answers unless another is set.
pub const DEFAULT_BASE: &str = "https://api.mch.weixin.qq.com";

/// The same platform in another city. Requests may be replayed there while their timestamp is fresh.
pub const BACKUP_BASE: &str = "https://api2.mch.weixin.qq.com";

/// A setting that an account cannot be made of. No variant holds a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A setting is not of its form.
    #[error("`{setting}` is not {expected}")]
    Form {
        /// Which setting.
        setting: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A key or certificate cannot be used.
    #[error("`{setting}` cannot be used")]
    Key {
        /// Which setting.
        setting: &'static str,
        /// Why.
        source: KeyError,
    },
    /// The base address cannot be used.
    #[error("`base address` cannot be used")]
    Address(#[from] AddressError),
    /// The merchant's own certificate serial is also the name of a platform key: one of the two is the wrong file. It is
    /// the usual cause of "certificate not found".
    #[error(
        "`{setting}` is the merchant's own certificate; a certificate or public key of the platform is needed there"
    )]
    OwnSerial {
        /// Which setting.
        setting: &'static str,
    },
}

/// Who signs requests: a merchant number, the serial of one of its API certificates, and that certificate's private
/// key, or whoever holds it. It is apart from [`MerchantIds`] because a service provider signs for others.
#[derive(Clone)]
pub struct SigningIdentity {
    merchant_id: Box<str>,
    serial: Box<str>,
    signer: Arc<dyn Sign>,
    decrypter: Option<Arc<dyn Decrypt>>,
}

impl SigningIdentity {
    /// The merchant number, the serial of its API certificate (hex, not the serial of any platform certificate), and
    /// what signs: a `yuanfen_sign::RsaSigningKey`, or anything else that makes RSA-SHA256 signatures in base64.
    ///
    /// # Errors
    /// When the number is not 1 to 32 digits, or the serial not hex.
    pub fn new(merchant_id: &str, serial: &str, signer: Arc<dyn Sign>) -> Result<Self, SetupError> {
        form("merchant number", merchant_id, &MERCHANT_ID, "1 to 32 digits")?;
        let hex = Rule::new("serial_no", 64).alphabet(Alphabet::new("hex digits", |digit| digit.is_ascii_hexdigit()));
        form("merchant certificate serial", serial, &hex, "1 to 64 hex digits")?;
        Ok(Self {
            merchant_id: merchant_id.into(),
            serial: serial.to_ascii_uppercase().into(),
            signer,
            decrypter: None,
        })
    }

    /// The same with a private key that is in this process: it signs, and opens what is encrypted to the merchant's
    /// certificate.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_key(merchant_id: &str, serial: &str, key: RsaSigningKey) -> Result<Self, SetupError> {
        let key = Arc::new(key);
        Ok(Self::new(merchant_id, serial, Arc::<RsaSigningKey>::clone(&key))?.with_decrypter(key))
    }

    /// Opens with that what the platform encrypts to the merchant's certificate. Where the key cannot be called from here
    /// (see [`elsewhere`](Self::elsewhere)), hand the ciphertext to whoever holds it instead.
    #[must_use]
    pub fn with_decrypter(mut self, decrypter: Arc<dyn Decrypt>) -> Self {
        self.decrypter = Some(decrypter);
        self
    }

    /// The same where the key is out of this process's reach (a KMS, an HSM, another host): hand whoever signs to
    /// `yuanfen_transport::Client::with_remote_signer`, or take a `Draft` from `OperationExt::draft`, have its text signed,
    /// and finish it. Sealing in one step is refused.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn elsewhere(merchant_id: &str, serial: &str) -> Result<Self, SetupError> {
        Self::new(merchant_id, serial, Arc::new(Elsewhere))
    }

    /// `mchid` of the Authorization header.
    #[must_use]
    pub fn merchant_id(&self) -> &str {
        &self.merchant_id
    }

    /// `serial_no` of the Authorization header, upper case.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }
}

impl fmt::Debug for SigningIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningIdentity")
            .field("merchant_id", &self.merchant_id)
            .field("serial", &self.serial)
            .finish_non_exhaustive()
    }
}

/// Stands where the key is somewhere else.
struct Elsewhere;

impl Sign for Elsewhere {
    fn sign(&self, _text: &[u8], _ambient: &dyn Ambient) -> Result<String, SignError> {
        Err(SignError::new(
            "the key is held elsewhere; take a draft and finish it with the signature made there",
        ))
    }
}

/// A merchant's account: who signs, whose ids are sent, the APIv3 key, and the platform's keys.
///
/// Cheap to clone. Clones share the platform's keys: what one learns, all use. Making one sends nothing. The transport's
/// client fetches the platform's keys before the first call that needs one, again before they end, and when a message is
/// signed by one that is not known.
#[derive(Clone)]
pub struct Account {
    config: Arc<Config>,
    keys: KeyRing,
    refreshed: Arc<Refreshed>,
}

#[derive(Clone)]
struct Config {
    identity: SigningIdentity,
    ids: MerchantIds,
    api_v3_key: ApiV3Key,
    base: BaseUrl,
    public_key_id: Option<Box<str>>,
    certificates: bool,
}

impl Account {
    /// An ordinary merchant that signs for itself, in certificate mode, on the platform's main host.
    ///
    /// # Errors
    /// When the app id is not 1 to 32 letters and digits.
    pub fn direct(identity: SigningIdentity, app_id: &str, api_v3_key: ApiV3Key) -> Result<Self, SetupError> {
        let ids = MerchantIds::Direct(DirectIds {
            app_id: ids::app_id("app id", app_id)?,
            merchant_id: identity.merchant_id.clone(),
            further_app_ids: Vec::new(),
        });
        Self::of(identity, ids, api_v3_key)
    }

    /// A service provider, bank or channel (服务商) that signs for the merchants it acts for, in certificate mode, on the
    /// platform's main host. `app_id` is `sp_appid`; the identity's number is `sp_mchid`; the APIv3 key is the
    /// provider's.
    ///
    /// It opens notices about each of its merchants. Calls about one of them are made with
    /// [`for_sub_merchant`](Self::for_sub_merchant).
    ///
    /// # Errors
    /// When the app id is not 1 to 32 letters and digits.
    pub fn partner(identity: SigningIdentity, app_id: &str, api_v3_key: ApiV3Key) -> Result<Self, SetupError> {
        let ids = MerchantIds::Partner(PartnerIds {
            app_id: ids::app_id("provider app id", app_id)?,
            merchant_id: identity.merchant_id.clone(),
            further_app_ids: Vec::new(),
            sub_merchant: None,
        });
        Self::of(identity, ids, api_v3_key)
    }

    /// The same provider, acting for that merchant. It shares the platform's keys with this account, and costs little:
    /// make one per request.
    ///
    /// # Errors
    /// When this account is a merchant's own, or the provider's own number is given: it takes no payment for itself.
    pub fn for_sub_merchant(&self, sub_merchant: SubMerchant) -> Result<Self, SetupError> {
        let mut account = self.clone();
        let config = Arc::make_mut(&mut account.config);
        match &mut config.ids {
            MerchantIds::Partner(ids) if ids.merchant_id != sub_merchant.merchant_id => {
                ids.sub_merchant = Some(sub_merchant);
                Ok(account)
            }
            MerchantIds::Partner(_) => Err(SetupError::Form {
                setting: "sub-merchant number",
                expected: "another number than the provider's own",
            }),
            MerchantIds::Direct(_) => Err(SetupError::Form {
                setting: "sub-merchant",
                expected: "for a merchant's own account; make the account with `Account::partner`",
            }),
        }
    }

    /// The same merchant or provider under another of its apps, which orders are then placed for and the cashier is opened
    /// in: the mobile app beside the mini program. The app so far becomes a further one, so that what comes about its
    /// orders is still ours. It shares the platform's keys with this account, and costs little.
    ///
    /// # Errors
    /// When the app id is not 1 to 32 letters and digits.
    pub fn for_app(&self, app_id: &str) -> Result<Self, SetupError> {
        let app_id = ids::app_id("app id", app_id)?;
        let mut account = self.clone();
        let (current, further) = match &mut Arc::make_mut(&mut account.config).ids {
            MerchantIds::Direct(ids) => (&mut ids.app_id, &mut ids.further_app_ids),
            MerchantIds::Partner(ids) => (&mut ids.app_id, &mut ids.further_app_ids),
        };
        further.retain(|known| *known != app_id);
        if *current != app_id {
            further.push(std::mem::replace(current, app_id));
        }
        Ok(account)
    }

    fn of(identity: SigningIdentity, ids: MerchantIds, api_v3_key: ApiV3Key) -> Result<Self, SetupError> {
        Ok(Self {
            config: Arc::new(Config {
                identity,
                ids,
                api_v3_key,
                base: BaseUrl::parse(DEFAULT_BASE)?,
                public_key_id: None,
                certificates: false,
            }),
            keys: KeyRing::new(),
            refreshed: Arc::default(),
        })
    }

    /// Talks to another address: the backup host, or a sandbox.
    #[must_use]
    pub fn with_base(mut self, base: BaseUrl) -> Self {
        Arc::make_mut(&mut self.config).base = base;
        self
    }

    /// Counts orders of another app of the same merchant as ours: an official account beside a mini program.
    ///
    /// # Errors
    /// When the app id is not 1 to 32 letters and digits.
    pub fn with_further_app(mut self, app_id: &str) -> Result<Self, SetupError> {
        let app_id = ids::app_id("app id", app_id)?;
        match &mut Arc::make_mut(&mut self.config).ids {
            MerchantIds::Direct(ids) => ids.further_app_ids.push(app_id),
            MerchantIds::Partner(ids) => ids.further_app_ids.push(app_id),
        }
        Ok(self)
    }

    /// Public-key mode: the platform's public key (PEM) under its id `PUB_KEY_ID_…`, both from the merchant console.
    /// Every request then names it, so that its answer is signed with it. Merchants opened since 2024 have only this.
    ///
    /// Certificates are no longer fetched, unless [`with_certificates`](Self::with_certificates) says that this
    /// merchant still has some.
    ///
    /// # Errors
    /// When the id has another form or the key cannot be used.
    pub fn with_public_key(mut self, id: &str, pem: &str) -> Result<Self, SetupError> {
        const ID: &str = "platform public key id";
        const KEY: &str = "platform public key";
        let wrong = SetupError::Form {
            setting: ID,
            expected: "`PUB_KEY_ID_` followed by letters and digits, 64 characters at most",
        };
        if !is_public_key_id(id) {
            return Err(wrong);
        }
        let key = RsaVerifyingKey::parse(pem).map_err(|source| SetupError::Key { setting: KEY, source })?;
        let key = PlatformKey::public(id, key).map_err(|source| SetupError::Key { setting: ID, source })?;
        self.keys.learn([key], BEFORE_ALL_TIME);
        Arc::make_mut(&mut self.config).public_key_id = Some(id.into());
        Ok(self)
    }

    /// Keeps fetching certificates beside the public key: while a merchant is switched from the one to the other, notices
    /// come signed by either.
    #[must_use]
    pub fn with_certificates(mut self) -> Self {
        Arc::make_mut(&mut self.config).certificates = true;
        self
    }

    /// Knows a platform certificate (PEM) from the start, so that the first answer needs no fetch.
    ///
    /// # Errors
    /// When it is no certificate with an RSA key of 2048 bits or more, or it is the merchant's own.
    pub fn with_certificate(self, pem: &str) -> Result<Self, SetupError> {
        const SETTING: &str = "platform certificate";
        let wrong = |source| SetupError::Key {
            setting: SETTING,
            source,
        };
        let certificate = Certificate::parse(pem).map_err(wrong)?;
        if certificate.serial.eq_ignore_ascii_case(self.identity().serial()) {
            return Err(SetupError::OwnSerial { setting: SETTING });
        }
        let key = PlatformKey::of_certificate(&certificate).map_err(wrong)?;
        self.keys.learn([key], BEFORE_ALL_TIME);
        Ok(self.with_certificates())
    }

    /// Who signs.
    #[must_use]
    pub fn identity(&self) -> &SigningIdentity {
        &self.config.identity
    }

    /// Whose ids are in the messages.
    #[must_use]
    pub fn ids(&self) -> &MerchantIds {
        &self.config.ids
    }

    /// Where requests go.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.config.base
    }

    /// The platform's keys by serial.
    #[must_use]
    pub const fn platform_keys(&self) -> &KeyRing {
        &self.keys
    }

    /// The id of the platform's public key, in public-key mode.
    #[must_use]
    pub fn public_key_id(&self) -> Option<&str> {
        self.config.public_key_id.as_deref()
    }

    /// Whether the platform's certificates should be fetched now: none was fetched yet, twelve hours have passed, or an
    /// hour where the newest one ends within ten days (its successor appears then). Never in public-key mode alone.
    ///
    /// The transport's client asks, and fetches beside a call. Without it, send
    /// [`DownloadCertificates`](crate::ops::DownloadCertificates) and hand its reply to [`adopt`](Self::adopt). A fetch that
    /// fails changes nothing: the keys that are known stay.
    #[must_use]
    pub fn refresh_due(&self, now: UnixTime) -> bool {
        self.fetches_certificates() && self.refreshed.is_due(&self.keys, now)
    }

    pub(crate) fn fetches_certificates(&self) -> bool {
        self.config.certificates || self.config.public_key_id.is_none()
    }

    pub(crate) fn refreshed(&self) -> &Refreshed {
        &self.refreshed
    }

    pub(crate) fn signing_key(&self) -> &dyn Sign {
        &*self.config.identity.signer
    }

    pub(crate) fn decrypter(&self) -> Option<&dyn Decrypt> {
        self.config.identity.decrypter.as_deref()
    }

    pub(crate) fn api_v3_key(&self) -> &ApiV3Key {
        &self.config.api_v3_key
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("identity", &self.config.identity)
            .field("ids", &self.config.ids)
            .field("base", &self.config.base)
            .field("public_key_id", &self.config.public_key_id)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

/// Learning at this moment drops nothing as expired: whether a configured certificate still holds is judged when it is
/// used.
const BEFORE_ALL_TIME: UnixTime = UnixTime::from_seconds(i64::MIN);
