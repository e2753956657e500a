//! `GET` of a bill's `download_url`: the file itself.
//!
//! Read. The address is used as it came, path and query are signed as in every call, and the answer is a file that nobody
//! signs: it is held against the digest of the signed answer that named it. An address on a host that is neither the
//! platform's nor the account's own is refused: nothing is signed for strangers. Published as "下载账单"; v3 sheet, section
//! 18.2.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Address, Ambient, BuildError, Effect, OpenError, Operation, Route, UnixTime, Unsigned};

use crate::bill::text_of;
use crate::{Account, BillCheck, File, Message};

/// Fetches the file of a bill: [`RequestedBill::download`](crate::RequestedBill::download) makes it. The address lives for
/// as little as 30 seconds; when it is over, ask for the bill again.
#[derive(Clone)]
#[non_exhaustive]
pub struct DownloadBill {
    /// `download_url`, with its token.
    pub address: Address,
    /// `hash_value` of the answer that named the address: the SHA-1 of the uncompressed file, in hex.
    pub sha1: String,
    /// Until when the address is sure to work. From then on the call is not built.
    pub expires_at: Option<UnixTime>,
}

/// The file, held against its digest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedBill {
    file: File,
}

impl DownloadBill {
    /// The file at that address, whose uncompressed content has that SHA-1 (hex of either case).
    #[must_use]
    pub fn new(address: Address, sha1: &str) -> Self {
        Self {
            address,
            sha1: sha1.to_ascii_lowercase(),
            expires_at: None,
        }
    }

    /// The same where the address is sure to work until that moment.
    #[must_use]
    pub const fn until(mut self, expires_at: UnixTime) -> Self {
        self.expires_at = Some(expires_at);
        self
    }
}

impl std::fmt::Debug for DownloadBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadBill")
            .field("sha1", &self.sha1)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl DownloadedBill {
    /// The bytes as they came: of a bill asked for as gzip, the gzip file.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        self.file.bytes()
    }

    /// The text, unpacked where it is gzip: read it with [`BillText::parse`](crate::BillText::parse).
    ///
    /// # Errors
    /// When it has more than [`BILL_CEILING`](crate::BILL_CEILING), or is not UTF-8.
    pub fn text(&self) -> Result<String, OpenError> {
        text_of(self.file.bytes())
    }
}

impl Operation for DownloadBill {
    type Provider = Account;
    type Inbound = Unsigned<File>;
    type Reply = DownloadedBill;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "download_bill",
        Method::GET,
        "/v3/billdownload/file",
        Effect::Read,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        check_fresh(self.expires_at, ambient.now())?;
        Ok(Message::get_whole(self.address.clone()))
    }

    fn decode(&self, _: &Account, inbound: Unsigned<File>) -> Result<DownloadedBill, OpenError> {
        let file = inbound.into_inner();
        let mut check = BillCheck::new(&self.sha1);
        check.push(file.bytes())?;
        check.finish()?;
        Ok(DownloadedBill { file })
    }
}

/// Refuses an address that may have stopped working.
pub(super) fn check_fresh(expires_at: Option<UnixTime>, now: UnixTime) -> Result<(), BuildError> {
    if expires_at.is_some_and(|expires_at| now >= expires_at) {
        return Err(BuildError::Time {
            field: "download_url",
            problem: "is older than it is sure to work; ask for the bill again (v3 sheet, section 18.2)",
        });
    }
    Ok(())
}
