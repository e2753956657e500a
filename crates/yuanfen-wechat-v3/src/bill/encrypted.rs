//! Bills that come encrypted: a provider's bills about its merchants. v3 sheet, section 18.1.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use yuanfen_core::{
    Address, Ambient, CalendarDate, DecryptError, Extra, FieldError, JsonTaker, LimitExceeded, OpenError,
    ProtocolError, ProtocolErrorKind, Route, UnixTime, ValueError,
};
use yuanfen_sign::{FileKey, Sha1Stream};

use super::check::{BillMismatch, broken};
use super::text::{is_gzip, unpack};
use super::{BILL_CEILING, PromisedFile, answer};
use crate::ops::DownloadEncryptedBill;
use crate::private::Raw;
use crate::{Account, EncryptedText, Reply};

/// `algorithm`: the only one of the platform's two that is used here; the other is SM4.
pub(crate) const ALGORITHM: (&str, Option<&str>) = ("algorithm", Some("AEAD_AES_256_GCM"));

/// The platform's answer to asking for an encrypted bill: its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedBill {
    /// `download_bill_list`: one part at least, in the order in which they are joined.
    pub parts: Vec<EncryptedBillPart>,
    /// When the answer came, by this machine's clock.
    pub received_at: UnixTime,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

/// One file of an encrypted bill. `Debug` shows neither its address, whose query is a token, nor its key.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EncryptedBillPart {
    /// `bill_sequence`: which part it is, from 1.
    pub sequence: u32,
    /// `hash_value`: the SHA-1 of the file decrypted and unpacked, 40 hex digits in lower case.
    pub sha1: String,
    /// `nonce`: what the file was encrypted with beside the key, 12 bytes.
    pub nonce: String,
    address: Address,
    sealed_key: EncryptedText,
    expires_at: UnixTime,
}

impl EncryptedBill {
    /// How long the addresses work, in seconds.
    pub const LIFE: i64 = 5 * 60;

    pub(crate) fn read(reply: &Reply, route: &Route, date: CalendarDate) -> Result<Option<Self>, OpenError> {
        let Some(object) = answer(reply, route, date)? else {
            return Ok(None);
        };
        let received_at = reply.received_at();
        let expires_at = received_at.after(Duration::from_secs(Self::LIFE.unsigned_abs()));
        let mut taker = JsonTaker::new(&object);
        let count: u32 = taker.need("download_bill_count")?;
        let mut parts = taker.list("download_bill_list", |part| EncryptedBillPart::take(part, expires_at))?;
        parts.sort_by_key(|part| part.sequence);
        // A part that is missing would be missing from the bill, and nothing else would show it.
        let complete = u32::try_from(parts.len()) == Ok(count)
            && parts.iter().zip(1..).all(|(part, expected)| part.sequence == expected);
        if !complete {
            let expected = "parts numbered from 1, as many as `download_bill_count` says";
            return Err(FieldError::new("download_bill_list", ValueError::Form { expected }).into());
        }
        Ok((count > 0).then(|| Self {
            parts,
            received_at,
            extra: taker.rest(),
            raw: Raw(reply.raw().clone()),
        }))
    }

    /// Whether the addresses may have stopped working, so that the bill should be asked for again.
    #[must_use]
    pub const fn is_stale(&self, now: UnixTime) -> bool {
        now.since(self.received_at) >= Self::LIFE
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl EncryptedBillPart {
    fn take(taker: &mut JsonTaker<'_>, expires_at: UnixTime) -> Result<Self, FieldError> {
        let file = PromisedFile::take(taker)?;
        let nonce: String = taker.need("nonce")?;
        if nonce.len() != 12 {
            let expected = "a nonce of 12 bytes";
            return Err(FieldError::new("nonce", ValueError::Form { expected }));
        }
        Ok(Self {
            sequence: taker.need("bill_sequence")?,
            sha1: file.sha1,
            nonce,
            address: file.address,
            sealed_key: taker.need("encrypt_key")?,
            expires_at,
        })
    }

    /// `download_url`: where the file is.
    #[must_use]
    pub const fn download_url(&self) -> &Address {
        &self.address
    }

    /// `encrypt_key`: the file's key, encrypted to the merchant's certificate. Where the private key is out of this
    /// process's reach, have this opened there and make a [`FileKey`] of the 32 bytes.
    #[must_use]
    pub const fn sealed_key(&self) -> &EncryptedText {
        &self.sealed_key
    }

    /// The file's key, opened as [`Account::decrypt_bytes`] does.
    ///
    /// # Errors
    /// When the account's identity cannot decrypt, the key does not open, or what is in it is none: it may be encrypted
    /// to another of the merchant's certificates.
    pub fn open_key(&self, account: &Account, ambient: &dyn Ambient) -> Result<FileKey, DecryptError> {
        let key = account.decrypt_bytes(&self.sealed_key, ambient)?;
        FileKey::from_bytes(key.expose())
            .map_err(|error| DecryptError::with_source("what was encrypted is no key of a file", error))
    }

    /// The call that fetches the file and opens it when it is made in one piece. It is not built once the address is
    /// older than it works.
    #[must_use]
    pub fn download(&self, key: FileKey) -> DownloadEncryptedBill {
        DownloadEncryptedBill::new(self.address.clone(), self.file(key)).until(self.expires_at)
    }

    /// What takes in the file when it is fetched in pieces.
    #[must_use]
    pub fn file(&self, key: FileKey) -> EncryptedBillFile {
        EncryptedBillFile::new(key, &self.nonce, &self.sha1)
    }
}

impl fmt::Debug for EncryptedBillPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedBillPart")
            .field("sequence", &self.sequence)
            .field("sha1", &self.sha1)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Takes in an encrypted file piece by piece, into one buffer, because nothing of it is known to be genuine before its last
/// bytes are. The buffer grows to at most [`BILL_CEILING`](crate::BILL_CEILING), then opens, unpacks
/// and checks it. Nothing of it is handed out before all of that has succeeded.
#[derive(Clone)]
pub struct EncryptedBillFile {
    key: FileKey,
    nonce: String,
    promised: String,
    received: Vec<u8>,
    ceiling: usize,
}

impl EncryptedBillFile {
    /// A file under that key and nonce, whose content, decrypted and unpacked, has that SHA-1 (hex of either case).
    #[must_use]
    pub fn new(key: FileKey, nonce: &str, sha1: &str) -> Self {
        Self {
            key,
            nonce: nonce.to_owned(),
            promised: sha1.to_ascii_lowercase(),
            received: Vec::new(),
            ceiling: BILL_CEILING,
        }
    }

    /// The same with another ceiling, in bytes.
    #[must_use]
    pub const fn with_ceiling(mut self, bytes: usize) -> Self {
        self.ceiling = bytes;
        self
    }

    /// Takes in the next piece.
    ///
    /// # Errors
    /// When the file is larger than the ceiling; what was received is dropped.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), OpenError> {
        let length = self.received.len().saturating_add(chunk.len());
        if let Err(limit) = LimitExceeded::check("bytes", length, self.ceiling) {
            self.received = Vec::new();
            self.ceiling = 0;
            return Err(broken(limit).into());
        }
        self.received.extend_from_slice(chunk);
        Ok(())
    }

    /// Opens the file in its buffer, unpacks it where it is gzip, and holds what came out against the digest.
    ///
    /// # Errors
    /// [`ProtocolErrorKind::Decrypt`] when it does not open: another key, or it was cut off or altered;
    /// [`ProtocolErrorKind::Format`] when what came out cannot be unpacked or is larger than the ceiling;
    /// [`ProtocolErrorKind::Digest`] when it is another bill, with a [`BillMismatch`] as its source.
    pub fn finish(self) -> Result<Bytes, OpenError> {
        let opened = self
            .key
            .open(&self.nonce, "", self.received)
            .map_err(|error| ProtocolError::new(ProtocolErrorKind::Decrypt).with_source(error))?;
        let packed = is_gzip(&opened);
        let received = packed.then(|| sha1(&opened));
        let plain = if packed { unpack(&opened, self.ceiling)? } else { opened };
        let uncompressed = sha1(&plain);
        if uncompressed == self.promised {
            return Ok(plain.into());
        }
        let mismatch = BillMismatch {
            promised: self.promised,
            received: received.unwrap_or_else(|| uncompressed.clone()),
            uncompressed,
        };
        Err(ProtocolError::new(ProtocolErrorKind::Digest)
            .with_source(mismatch)
            .into())
    }
}

impl fmt::Debug for EncryptedBillFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedBillFile")
            .field("promised", &self.promised)
            .field("received", &format_args!("{} bytes", self.received.len()))
            .field("ceiling", &self.ceiling)
            .finish_non_exhaustive()
    }
}

fn sha1(bytes: &[u8]) -> String {
    let mut digest = Sha1Stream::new();
    digest.push(bytes);
    digest.finish_hex()
}
