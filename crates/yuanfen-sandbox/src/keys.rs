//! The keys that a sandbox is built with, and what a client is told of them.

mod certificates;
mod derivation;
mod fshows;
mod mpgateway;
mod starpos;
#[cfg(test)]
mod tests;
mod wechat_v2;
mod wechat_v3;

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use yuanfen_core::Secret;
pub(crate) use yuanfen_sign::KeyError;

pub use self::certificates::CertifiedKey;
use self::certificates::{Subject, issue};
use self::derivation::{Derivation, Purpose};
pub use self::fshows::FshowsCredentials;
pub(crate) use self::fshows::{FSHOWS_APP_ID, FSHOWS_SUB_MERCHANT, FshowsKeys};
pub use self::mpgateway::MpgatewayCredentials;
pub(crate) use self::mpgateway::{MPGATEWAY_MERCHANT, MPGATEWAY_OPENID, MpgatewayKeys};
pub use self::starpos::StarposCredentials;
pub(crate) use self::starpos::{
    STARPOS_APP_ID, STARPOS_MERCHANT, STARPOS_OPENID, STARPOS_ORGANIZATION, STARPOS_TERMINAL, StarposKeys,
};
pub(crate) use self::wechat_v2::WechatV2Keys;
pub use self::wechat_v2::{WechatV2Credentials, WechatV2ProviderCredentials};
pub(crate) use self::wechat_v3::{WECHAT_PUBLIC_KEY_ID, WechatV3Keys};
pub use self::wechat_v3::{WechatV3Credentials, WechatV3ProviderCredentials};

pub(crate) const WECHAT_MERCHANT_ID: &str = "1900000001";
pub(crate) const WECHAT_APP_ID: &str = "wx5a6d0b0c5a1e4d21";
pub(crate) const WECHAT_OPENID: &str = "oSandbox_Payer-0123456789abc";

pub(crate) const WECHAT_PROVIDER_ID: &str = "1900000101";
pub(crate) const WECHAT_PROVIDER_APP_ID: &str = "wx7c1d2e3f4a5b6c7d";
/// Sub-merchants of the service provider, each with its own app if it has one.
pub(crate) const WECHAT_SUB_MERCHANTS: &[(&str, Option<&str>)] = &[
    (WECHAT_SUB_MERCHANT, Some(WECHAT_SUB_APP_ID)),
    (WECHAT_OTHER_SUB_MERCHANT, None),
];
pub(crate) const WECHAT_SUB_MERCHANT: &str = "1900000111";
pub(crate) const WECHAT_SUB_APP_ID: &str = "wx8d2e3f4a5b6c7d8e";
pub(crate) const WECHAT_OTHER_SUB_MERCHANT: &str = "1900000112";

/// The same payer's openid under a sub-merchant's app.
pub(crate) fn openid_under_sub_app(openid: &str) -> String {
    format!("oSub{}", openid.strip_prefix('o').unwrap_or(openid))
}

/// The keys of a sandbox: those of the platforms, those of the merchants it knows, and those of the authority that
/// signs its certificates. Numbers of merchants, apps and payers are the same in every set.
///
/// Clones share everything. `Debug` shows nothing.
///
/// ```
/// use yuanfen_sandbox::{Clock, FarSide, KeySet};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keys = KeySet::from_seed(7)?;
/// let one = FarSide::with_keys("https://one.example", Clock::real(), 1, keys)?;
/// let other = FarSide::with_keys("https://other.example", Clock::real(), 2, KeySet::from_seed(7)?)?;
/// assert_eq!(one.wechat_v3().merchant_serial, other.wechat_v3().merchant_serial);
/// assert_eq!(format!("{:?}", KeySet::built_in()), "KeySet(..)");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KeySet(Arc<Keys>);

struct Keys {
    authority: CertifiedKey,
    server: Server,
    wechat_v2: WechatV2Keys,
    wechat_v3: WechatV3Keys,
    starpos: StarposKeys,
    fshows: FshowsKeys,
    mpgateway: MpgatewayKeys,
}

/// The key that servers show, made once it is needed.
enum Server {
    BuiltIn,
    Derived {
        derivation: Derivation,
        key: OnceLock<Secret<String>>,
    },
}

/// Why a set of keys could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// The system has no randomness to offer.
    #[error("the system has no random bytes for keys")]
    Randomness,
    /// An RSA key was not made.
    #[error("an RSA key could not be made")]
    Rsa(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A certificate was not issued, or not put into its container.
    #[error("a certificate could not be issued")]
    Certificate(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl KeySetError {
    fn rsa(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Rsa(error.into())
    }

    fn thread() -> Self {
        Self::rsa("the thread that made it ended early")
    }

    fn certificate(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Certificate(error.into())
    }
}

impl KeySet {
    /// The built-in throw-away keys: there at once, and the same everywhere. They are published with the source, protect
    /// nothing, and must never be used outside a sandbox that this machine alone can reach.
    #[must_use]
    pub fn built_in() -> Self {
        Self(Arc::new(Keys {
            authority: CertifiedKey {
                certificate_pem: include_str!("keys/authority-certificate.pem").to_owned(),
                private_key_pem: built_in(include_str!("keys/authority-key.pem")),
            },
            server: Server::BuiltIn,
            wechat_v2: WechatV2Keys::built_in(),
            wechat_v3: WechatV3Keys::built_in(),
            starpos: StarposKeys::built_in(),
            fshows: FshowsKeys::built_in(),
            mpgateway: MpgatewayKeys::built_in(),
        }))
    }

    /// Keys that nobody else has. Making them takes one to two seconds on two cores (release build).
    ///
    /// # Errors
    /// When the system has no randomness to offer, or a key cannot be made.
    pub fn fresh() -> Result<Self, KeySetError> {
        Self::from_secret(Self::new_secret()?)
    }

    /// A secret for [`from_secret`](Self::from_secret) that nobody else has.
    ///
    /// # Errors
    /// When the system has no randomness to offer.
    pub fn new_secret() -> Result<Secret<[u8; 32]>, KeySetError> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|_| KeySetError::Randomness)?;
        Ok(Secret::new(secret))
    }

    /// The keys of that seed: the same bit for bit with every run, on every machine, and for everybody who knows the
    /// seed. Making them takes one to two seconds on two cores (release build).
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn from_seed(seed: u64) -> Result<Self, KeySetError> {
        Self::derived(Derivation::from_seed(seed))
    }

    /// The keys of that secret, which is as good as having them: the same secret gives the same keys. This is how to
    /// keep a fresh set from one run to the next. Making them takes one to two seconds on two cores (release build).
    ///
    /// # Errors
    /// When a key cannot be made.
    pub fn from_secret(secret: Secret<[u8; 32]>) -> Result<Self, KeySetError> {
        Self::derived(Derivation::new(secret))
    }

    fn derived(derivation: Derivation) -> Result<Self, KeySetError> {
        let wanted = [WechatV3Keys::RSA, StarposKeys::RSA, FshowsKeys::RSA].concat();
        let mut made = derivation.rsa_keys(&[&[(Purpose::AUTHORITY, 2048)], wanted.as_slice()].concat())?;
        let key = made.take(Purpose::AUTHORITY)?.private_key_pem;
        let serial = derivation.serial(Purpose::AUTHORITY);
        let certificate = issue(Subject::Authority, &key, &serial, &key).map_err(KeySetError::certificate)?;
        Ok(Self(Arc::new(Keys {
            wechat_v2: WechatV2Keys::derived(&derivation),
            starpos: StarposKeys::derived(&derivation, &mut made)?,
            fshows: FshowsKeys::derived(&mut made)?,
            mpgateway: MpgatewayKeys::derived(&derivation),
            wechat_v3: WechatV3Keys::derived(derivation.clone(), &mut made, &key)?,
            server: Server::Derived {
                derivation,
                key: OnceLock::new(),
            },
            authority: CertifiedKey {
                certificate_pem: certificate,
                private_key_pem: key,
            },
        })))
    }

    /// The certificate of the sandbox's own authority, PEM. It signed every certificate of the set; whoever calls over
    /// TLS has to trust it.
    #[must_use]
    pub fn ca_certificate_pem(&self) -> &str {
        &self.0.authority.certificate_pem
    }

    /// A TLS server's certificate and key for these host names and addresses, signed by the set's authority, good for
    /// thirteen months from now. The key is always the set's own; serial and dates of the certificate are new each time.
    /// Unless the set is built in, the first call takes up to a quarter of a second.
    ///
    /// # Errors
    /// When a name is neither a host name nor an address, or the key cannot be made.
    pub fn server_certificate(&self, names: &[String]) -> Result<CertifiedKey, KeySetError> {
        let key = match &self.0.server {
            Server::BuiltIn => built_in(include_str!("keys/server-key.pem")),
            Server::Derived { derivation, key } => {
                let key = match key.get() {
                    Some(key) => key,
                    None => {
                        let made = derivation.rsa(Purpose::SERVER, 2048)?.private_key_pem;
                        key.get_or_init(|| made)
                    }
                };
                key.clone()
            }
        };
        // Browsers refuse a serial that they have seen on another certificate.
        let serial = Derivation::new(Self::new_secret()?).serial(Purpose::SERVER);
        let authority = &self.0.authority.private_key_pem;
        Ok(CertifiedKey {
            certificate_pem: issue(Subject::Server(names, SystemTime::now()), &key, &serial, authority)
                .map_err(KeySetError::certificate)?,
            private_key_pem: key,
        })
    }

    pub(crate) fn wechat_v2(&self) -> &WechatV2Keys {
        &self.0.wechat_v2
    }

    pub(crate) fn wechat_v3(&self) -> &WechatV3Keys {
        &self.0.wechat_v3
    }

    pub(crate) fn starpos(&self) -> &StarposKeys {
        &self.0.starpos
    }

    pub(crate) fn fshows(&self) -> &FshowsKeys {
        &self.0.fshows
    }

    pub(crate) fn mpgateway(&self) -> &MpgatewayKeys {
        &self.0.mpgateway
    }
}

impl Default for KeySet {
    fn default() -> Self {
        Self::built_in()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySet(..)")
    }
}

/// A key that is published with the source.
fn built_in(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}
