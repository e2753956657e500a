//! `POST /v3/merchant-service/images/upload`: uploads an image for the answer to a payer's complaint.
//!
//! Repeatable: an upload moves no money and replaces nothing; the same file sent twice is at worst kept twice, under two
//! ids. Published as "商户上传反馈图片"; v3 sheet, section 21.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use crate::media::{IMAGE, upload};
use crate::{Account, MediaFile, Message, Reply, UploadedMedia};

/// Uploads an image for the answer to a payer's complaint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadComplaintImage {
    /// `meta` and `file`: an image of at most 2 MB whose name ends in `.jpg`, `.bmp` or `.png`.
    pub file: MediaFile,
}

impl UploadComplaintImage {
    /// Uploads that file.
    #[must_use]
    pub const fn new(file: MediaFile) -> Self {
        Self { file }
    }
}

impl Operation for UploadComplaintImage {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = UploadedMedia;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "upload_complaint_image",
        Method::POST,
        PATH,
        Effect::Repeatable,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        upload(PATH, &self.file, &IMAGE, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<UploadedMedia, OpenError> {
        UploadedMedia::read(inbound.get(), &Self::ROUTE)
    }
}

const PATH: &str = "/v3/merchant-service/images/upload";
