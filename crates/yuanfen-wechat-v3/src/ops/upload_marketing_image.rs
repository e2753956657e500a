//! `POST /v3/marketing/favor/media/image-upload`: uploads an image for coupons, which are shown from its address.
//!
//! Repeatable: an upload moves no money and replaces nothing; the same file sent twice is at worst kept twice, under two
//! addresses. Published as "图片上传(营销专用)"; v3 sheet, section 21.

use bytes::Bytes;
use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, Extra, JsonTaker, OpenError, Operation, Route, Verified};

use crate::media::{IMAGE, not_empty, upload};
use crate::private::Raw;
use crate::{Account, MediaFile, Message, Reply};

/// Uploads an image for coupons.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadMarketingImage {
    /// `meta` and `file`: an image of at most 2 MB whose name ends in `.jpg`, `.bmp` or `.png`.
    pub file: MediaFile,
}

/// The platform keeps the image.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedMarketingImage {
    /// `media_url`: where the image is.
    pub media_url: String,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl UploadedMarketingImage {
    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}

impl UploadMarketingImage {
    /// Uploads that file.
    #[must_use]
    pub const fn new(file: MediaFile) -> Self {
        Self { file }
    }
}

impl Operation for UploadMarketingImage {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = UploadedMarketingImage;

    const ROUTE: Route = Route::new(
        super::PROVIDER,
        "upload_marketing_image",
        Method::POST,
        PATH,
        Effect::Repeatable,
    );

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        upload(PATH, &self.file, &IMAGE, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<UploadedMarketingImage, OpenError> {
        let reply = inbound.get();
        let object = reply.object(&Self::ROUTE)?;
        let mut taker = JsonTaker::new(&object);
        Ok(UploadedMarketingImage {
            media_url: not_empty(&mut taker, "media_url")?,
            extra: taker.rest(),
            raw: Raw(reply.raw().clone()),
        })
    }
}

const PATH: &str = "/v3/marketing/favor/media/image-upload";
