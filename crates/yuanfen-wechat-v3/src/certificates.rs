//! Platform certificates: opened, proven, and taken into the account's key ring. v3 sheet, section 6.
//!
//! The first answer is signed by a certificate inside that answer. It is opened with the APIv3 key, which proves that
//! its sender knows a shared secret; the certificate in it must carry the serial it is listed under and be valid; and
//! the answer's signature must then hold under it. Later answers are checked with the keys that are known, and only a
//! new serial leads back to that self-check.

use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use yuanfen_core::{
    FieldError, JsonTaker, Object, ObjectError, OpenError, Opens, Operation as _, ProtocolError, ProtocolErrorKind,
    ReplyTrust, Rfc3339, SignatureError, UnixTime, ValueError, Verified,
};
use yuanfen_sign::{Certificate, KeyRing, PlatformKey, RsaVerifyingKey};

use crate::Account;
use crate::incoming::{LIMITS, Signed, check_size, is_signed};
use crate::ops::DownloadCertificates;
use crate::provider::{Answer, refusal};

/// The one algorithm of this scheme: sheet, section 8.
pub(crate) const ALGORITHM: &str = "AEAD_AES_256_GCM";

/// The certificates of an answer that proved itself, those that are over left out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedCertificates {
    /// `data`: at least one.
    pub certificates: Vec<PlatformCertificate>,
}

/// A certificate of the platform.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlatformCertificate {
    /// `serial_no`: what messages call it.
    pub serial: String,
    /// From when it is valid, by the certificate itself.
    pub not_before: UnixTime,
    /// Until when it is valid, by the certificate itself.
    pub not_after: UnixTime,
    key: PlatformKey,
}

impl PlatformCertificate {
    /// What checks signatures made with it.
    #[must_use]
    pub const fn key(&self) -> &RsaVerifyingKey {
        &self.key.key
    }
}

impl Account {
    /// Takes downloaded certificates in. They show in every clone of this account at once; certificates that are over
    /// are dropped, keys that are known stay.
    pub fn adopt(&self, downloaded: &Verified<DownloadedCertificates>, now: UnixTime) {
        let keys = downloaded
            .get()
            .certificates
            .iter()
            .map(|certificate| certificate.key.clone());
        self.platform_keys().learn(keys, now);
        self.refreshed().note(now);
    }
}

impl Opens<Account> for Verified<DownloadedCertificates> {
    const TRUST: ReplyTrust = ReplyTrust::Signed;

    fn open(account: &Account, response: &http::Response<Bytes>, now: UnixTime) -> Result<Self, OpenError> {
        let body = response.body();
        check_size(body)?;
        if !response.status().is_success() {
            // Whatever it says changes nothing here, so it need not be proven; where it is, that is said.
            let proven = is_signed(response.headers())
                && Signed::read(response.headers(), now)
                    .and_then(|signed| signed.check(&signed.key(account, now)?, body, ()))
                    .is_ok();
            return Err(refusal(
                Some(&DownloadCertificates::ROUTE),
                &Answer::of(response),
                proven,
            ));
        }
        let signed = Signed::read(response.headers(), now)?;
        match signed.key(account, now) {
            Ok(key) => signed
                .check(&key, body, ())?
                .try_map(|()| open_entries(account, &read_entries(response)?, now)),
            Err(unknown) => {
                let entries = read_entries(response)?;
                let (index, entry) = entries
                    .iter()
                    .enumerate()
                    .find(|(_, entry)| entry.serial.eq_ignore_ascii_case(signed.serial))
                    .ok_or(unknown)?;
                let own = entry
                    .open(account, index, now)?
                    .ok_or_else(|| SignatureError::UnknownKey {
                        serial: signed.serial.to_owned(),
                    })?;
                signed
                    .check(own.key(), body, ())?
                    .try_map(|()| open_entries(account, &entries, now))
            }
        }
    }
}

/// One member of `data`, still sealed.
struct Entry {
    serial: String,
    algorithm: String,
    nonce: String,
    associated_data: String,
    ciphertext: String,
}

fn read_entries(response: &http::Response<Bytes>) -> Result<Vec<Entry>, OpenError> {
    let answer = Answer::of(response);
    let object = answer.object(&DownloadCertificates::ROUTE)?;
    let entries = JsonTaker::new(&object).list("data", |entry| {
        // Read for their form; what counts is the validity inside the certificate.
        let _effective: Option<Rfc3339> = entry.maybe("effective_time")?;
        let _expire: Option<Rfc3339> = entry.maybe("expire_time")?;
        let serial = entry.need("serial_no")?;
        entry.nested("encrypt_certificate", |sealed| {
            Ok(Entry {
                serial,
                algorithm: sealed.need("algorithm")?,
                nonce: sealed.need("nonce")?,
                associated_data: sealed.maybe("associated_data")?.unwrap_or_default(),
                ciphertext: sealed.need("ciphertext")?,
            })
        })
    })?;
    if entries.is_empty() {
        return Err(FieldError::new("data", ValueError::Missing).into());
    }
    Ok(entries)
}

fn open_entries(account: &Account, entries: &[Entry], now: UnixTime) -> Result<DownloadedCertificates, OpenError> {
    let mut certificates = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        certificates.extend(entry.open(account, index, now)?);
    }
    if certificates.is_empty() {
        return Err(wrong(0, "", "a certificate that is not over").into());
    }
    Ok(DownloadedCertificates { certificates })
}

impl Entry {
    /// The certificate; `None` where it is over.
    fn open(&self, account: &Account, index: usize, now: UnixTime) -> Result<Option<PlatformCertificate>, OpenError> {
        const SEALED: &str = ".encrypt_certificate";
        const SEALED_FOR: &str = "certificate";
        if self.algorithm != ALGORITHM {
            return Err(wrong(index, ".encrypt_certificate.algorithm", ALGORITHM).into());
        }
        // What was sealed for a notice is no certificate, whatever is in it: the same key seals both.
        if self.associated_data != SEALED_FOR {
            return Err(wrong(index, ".encrypt_certificate.associated_data", SEALED_FOR).into());
        }
        let plaintext = account
            .api_v3_key()
            .open(&self.nonce, &self.associated_data, &self.ciphertext)
            .map_err(|error| ProtocolError::new(ProtocolErrorKind::Decrypt).with_source(error))?;
        let certificate = std::str::from_utf8(&plaintext)
            .ok()
            .and_then(|pem| Certificate::parse(pem).ok())
            .ok_or_else(|| wrong(index, SEALED, "a certificate"))?;
        if !certificate.serial.eq_ignore_ascii_case(&self.serial) {
            return Err(wrong(index, ".serial_no", "the serial of the certificate that it lists").into());
        }
        if certificate.not_after < now {
            return Ok(None);
        }
        let key = PlatformKey::of_certificate(&certificate)
            .map_err(|_| wrong(index, SEALED, "a certificate with an RSA key of 2048 bits or more"))?;
        Ok(Some(PlatformCertificate {
            serial: certificate.serial,
            not_before: certificate.not_before,
            not_after: certificate.not_after,
            key,
        }))
    }
}

fn wrong(index: usize, member: &str, expected: &'static str) -> FieldError {
    FieldError::new(format!("data[{index}]{member}"), ValueError::Form { expected })
}

/// The JSON object of a message that is known to be genuine.
pub(crate) fn parse_object(body: &[u8], status: Option<u16>) -> Result<Object, ProtocolError> {
    Object::parse(body, &LIMITS).map_err(|error| {
        let error = match error {
            ObjectError::Field(field) => ProtocolError::from(field),
            other => ProtocolError::unreadable(body, other),
        };
        match status {
            Some(status) => error.with_status(status),
            None => error,
        }
    })
}

/// What the ids of public keys begin with. Serials of certificates are hex, so none does.
const PUBLIC_KEY: &str = "PUB_KEY_ID_";

/// Whether a serial names a public key of the platform rather than a certificate, whatever comes after that.
pub(crate) fn names_public_key(serial: &str) -> bool {
    serial.starts_with(PUBLIC_KEY)
}

/// Whether it is an id that a public key can have.
pub(crate) fn is_public_key_id(serial: &str) -> bool {
    serial.len() <= 64
        && serial.strip_prefix(PUBLIC_KEY).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
}

/// When certificates were last taken in.
#[derive(Debug)]
pub(crate) struct Refreshed(AtomicI64);

impl Default for Refreshed {
    fn default() -> Self {
        Self(AtomicI64::new(NEVER))
    }
}

const NEVER: i64 = i64::MIN;
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Refreshed {
    pub(crate) fn note(&self, now: UnixTime) {
        self.0.store(now.seconds(), Ordering::Release);
    }

    /// Seconds since certificates were taken in; `None` where that never happened, or lies in the future because the
    /// clock was set back.
    fn age(&self, now: UnixTime) -> Option<i64> {
        match self.0.load(Ordering::Acquire) {
            NEVER => None,
            last => Some(now.since(UnixTime::from_seconds(last))).filter(|age| *age >= 0),
        }
    }

    /// Whether certificates were taken in within the last minute, so that a serial which is still unknown was made up.
    /// Forged notices cannot cause a storm of fetches.
    pub(crate) fn is_fresh(&self, now: UnixTime) -> bool {
        self.age(now).is_some_and(|age| age < MINUTE)
    }

    pub(crate) fn is_due(&self, keys: &KeyRing, now: UnixTime) -> bool {
        let Some(age) = self.age(now) else { return true };
        let end = keys
            .newest_certificate(now)
            .and_then(|newest| newest.validity)
            .map(|(_, until)| until.since(now));
        let interval = match end {
            None => MINUTE,
            Some(left) if left <= 10 * DAY => HOUR,
            Some(_) => 12 * HOUR,
        };
        age >= interval
    }
}
