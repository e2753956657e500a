//! `POST /v3/merchant/media/video_upload`: uploads a video, for calls that name one by its `media_id`.
//!
//! Repeatable: an upload moves no money and replaces nothing; the same file sent twice is at worst kept twice, under two
//! ids. Published as "视频上传"; v3 sheet, section 21.

use http::Method;
use yuanfen_core::{Ambient, BuildError, Effect, OpenError, Operation, Route, Verified};

use crate::media::{VIDEO, upload};
use crate::{Account, MediaFile, Message, Reply, UploadedMedia};

/// Uploads a video.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadVideo {
    /// `meta` and `file`: a video of at most 5 MB whose name ends in `.avi`, `.wmv`, `.mpeg`, `.mp4`, `.mov`, `.mkv`, `.flv`,
    /// `.f4v`, `.m4v` or `.rmvb`.
    pub file: MediaFile,
}

impl UploadVideo {
    /// Uploads that file.
    #[must_use]
    pub const fn new(file: MediaFile) -> Self {
        Self { file }
    }
}

impl Operation for UploadVideo {
    type Provider = Account;
    type Inbound = Verified<Reply>;
    type Reply = UploadedMedia;

    const ROUTE: Route = Route::new(super::PROVIDER, "upload_video", Method::POST, PATH, Effect::Repeatable);

    fn encode(&self, _: &Account, ambient: &dyn Ambient) -> Result<Message, BuildError> {
        upload(PATH, &self.file, &VIDEO, ambient)
    }

    fn decode(&self, _: &Account, inbound: Verified<Reply>) -> Result<UploadedMedia, OpenError> {
        UploadedMedia::read(inbound.get(), &Self::ROUTE)
    }
}

const PATH: &str = "/v3/merchant/media/video_upload";
