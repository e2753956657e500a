//! `GET` of the `download_url` of a part of an encrypted bill: the file, which is opened.
//!
//! Read. The address is used as it came, like that of any bill. The answer is a file that nobody signs: it is opened with the
//! key of the signed answer that named it, then held against the digest there. Published as "下载账单"; v3 sheet, section 18.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Address, Ambient, BuildError, Effect, OpenError, Operation, Route, UnixTime, Unsigned};

use super::download_bill::check_fresh;
use crate::bill::text_of;
use crate::{Account, EncryptedBillFile, File, Message};

/// Fetches a part of an encrypted bill: [`EncryptedBillPart::download`](crate::EncryptedBillPart::download) makes it. The
/// address lives for five minutes; parts of one bill are best fetched side by side.
///
/// Where the part is large, fetch it in pieces into its [`EncryptedBillFile`]: made in one piece, the call holds the file
/// twice for a moment.
#[derive(Clone)]
#[non_exhaustive]
pub struct DownloadEncryptedBill {
    /// `download_url`, with its token.
    pub address: Address,
    /// What takes in the file.
    pub file: EncryptedBillFile,
    /// Until when the address is sure to work. From then on the call is not built.
    pub expires_at: Option<UnixTime>,
}

/// The bill, or the part of it, decrypted and unpacked and held against its digest. `Debug` shows how long it is.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedBill {
    bytes: Bytes,
}

impl DownloadEncryptedBill {
    /// The file at that address, taken in by that.
    #[must_use]
    pub const fn new(address: Address, file: EncryptedBillFile) -> Self {
        Self {
            address,
            file,
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

impl std::fmt::Debug for DownloadEncryptedBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DownloadEncryptedBill")
            .field("file", &self.file)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl OpenedBill {
    /// The plain text of the file.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The text: read it with [`BillText::parse`](crate::BillText::parse).
    ///
    /// # Errors
    /// When it has more than [`BILL_CEILING`](crate::BILL_CEILING), or is not UTF-8.
    pub fn text(&self) -> Result<String, OpenError> {
        text_of(&self.bytes)
    }
}

impl std::fmt::Debug for OpenedBill {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "OpenedBill({} bytes)", self.bytes.len())
    }
}

impl Operation for DownloadEncryptedBill {
    type Provider = Account;
    type Inbound = Unsigned<File>;
    type Reply = OpenedBill;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "download_encrypted_bill",
        Method::GET,
        "/v3/billdownload/file",
        Effect::Read,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        check_fresh(self.expires_at, ambient.now())?;
        Ok(Message::get_whole(self.address.clone()))
    }

    fn decode(&self, _: &Account, inbound: Unsigned<File>) -> Result<OpenedBill, OpenError> {
        let mut file = self.file.clone();
        file.push(inbound.get().bytes())?;
        file.finish().map(|bytes| OpenedBill { bytes })
    }
}
