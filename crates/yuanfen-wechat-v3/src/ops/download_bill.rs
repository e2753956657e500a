//! `GET` of a bill's `download_url`: the file itself.
//!
//! Read. The address is used as it came, path and query are signed as in every call, and the answer is a file that nobody
//! signs: it is held against the digest of the signed answer that named it. Published as "下载账单"; v3 sheet, section 18.2.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Address, Ambient, BuildError, Effect, OpenError, Operation, Route, Unsigned};

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
        }
    }
}

impl std::fmt::Debug for DownloadBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadBill")
            .field("sha1", &self.sha1)
            .finish_non_exhaustive()
    }
}

impl DownloadedBill {
    /// The bytes as they came: of a bill asked for as gzip, the gzip file.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        self.file.bytes()
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

    fn encode(&self, _: &Account, _: &dyn Ambient) -> Result<Message, BuildError> {
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
