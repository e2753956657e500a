//! `POST /v3/merchant/media/upload`: uploads an image, for calls that name one by its `media_id`.
//!
//! Repeatable: an upload moves no money and replaces nothing; the same file sent twice is at worst kept twice, under two
//! ids. Published as "图片上传"; v3 sheet, section 21.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use crate::media::{IMAGE, upload};
use crate::{Account, MediaFile, Message, Reply, UploadedMedia};

/// Uploads an image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadImage {
    /// `meta` and `file`: an image of at most 2 MB whose name ends in `.jpg`, `.bmp` or `.png`.
    pub file: MediaFile,
}

impl UploadImage {
    /// Uploads that file.
    #[must_use]
    pub const fn new(file: MediaFile) -> Self {
        Self { file }
    }
}

impl Operation for UploadImage {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = UploadedMedia;

    const ROUTE: Route = Route::new(super::PROVIDER, "upload_image", Method::POST, PATH, Effect::Repeatable);

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        upload(PATH, &self.file, &IMAGE, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<UploadedMedia, OpenError> {
        UploadedMedia::read(inbound.get(), &Self::ROUTE)
    }
}

const PATH: &str = "/v3/merchant/media/upload";
