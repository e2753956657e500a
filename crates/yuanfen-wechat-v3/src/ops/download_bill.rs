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
    check: BillCheck,
}

/// The file, held against its digest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DownloadedBill {
    file: File,
}

impl DownloadBill {
    /// The file at that address, held against that check.
    #[must_use]
    pub const fn new(address: Address, check: BillCheck) -> Self {
        Self { address, check }
    }
}

impl std::fmt::Debug for DownloadBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadBill")
            .field("check", &self.check)
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
        let mut check = self.check.clone();
        check.push(file.bytes())?;
        check.finish()?;
        Ok(DownloadedBill { file })
    }
}
