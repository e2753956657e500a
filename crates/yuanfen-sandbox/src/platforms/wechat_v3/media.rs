//! Uploads: two parts in one body, of which `meta` alone is signed (section 21 of the sheet).

use http::StatusCode;
use serde_json::{Value, json};
use yuanfen_sign::sha256_hex;

use super::operation::Operation;
use super::schema::{Kind, Member, need, read, wrong};
use super::{Answer, Refusal};
use crate::platforms::{Call, Desk};

/// Which upload it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Media {
    Image,
    Video,
    MarketingImage,
    ComplaintImage,
}

const META: &[Member] = &[
    need("filename", Kind::Text(1, 128)),
    need("sha256", Kind::Text(64, 256)),
];
const IMAGES: &[&str] = &["jpg", "bmp", "png"];
const VIDEOS: &[&str] = &["avi", "wmv", "mpeg", "mp4", "mov", "mkv", "flv", "f4v", "m4v", "rmvb"];
const MEGABYTE: usize = 1024 * 1024;

impl Media {
    const fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Video => VIDEOS,
            Self::Image | Self::MarketingImage | Self::ComplaintImage => IMAGES,
        }
    }

    /// What the file's part calls itself.
    const fn kind(self) -> &'static str {
        match self {
            Self::Video => "video/",
            Self::Image | Self::MarketingImage | Self::ComplaintImage => "image/",
        }
    }

    const fn most(self) -> usize {
        match self {
            Self::Video => MEGABYTE.saturating_mul(5),
            Self::Image | Self::MarketingImage | Self::ComplaintImage => MEGABYTE.saturating_mul(2),
        }
    }
}

/// The two parts of an upload.
#[derive(Debug)]
pub(super) struct Upload<'a> {
    /// The text that is signed, byte for byte.
    pub(super) meta: &'a [u8],
    /// The type that the file's part names.
    kind: &'a str,
    content: &'a [u8],
}

/// One part as it lies in the body.
struct Part<'a> {
    disposition: &'a str,
    kind: Option<&'a str>,
    content: &'a [u8],
}

impl<'a> Upload<'a> {
    /// The upload that a call is, if it is one. A body without `meta` has no text over which to check a signature, so it
    /// is refused before.
    pub(super) fn of(operation: &Operation, call: &Call<'a>) -> Result<Option<Self>, Refusal> {
        match operation {
            Operation::Upload(_) => Self::read(call).map(Some).ok_or_else(|| malformed().unsigned()),
            _ => Ok(None),
        }
    }

    /// Takes the body apart: `meta` and `file`, and nothing else. The sheet has `meta` first and with a type; kits that
    /// upload to the platform in life send it second (node-easywechat, its issue 64) or without (wechatpay-axios-plugin,
    /// its pull request 26).
    fn read(call: &Call<'a>) -> Option<Self> {
        let (kind, parameters) = call.header("content-type")?.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
            return None;
        }
        let mut parameters = parameters.split(';').map(str::trim);
        let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="))?;
        let boundary = boundary.trim_matches('"');
        if boundary.is_empty() || boundary.len() > 70 {
            return None;
        }
        let [first, second] = <[Part<'_>; 2]>::try_from(split(call.body, boundary)?).ok()?;
        let (meta, file) = if first.is_named("meta") {
            (first, second)
        } else {
            (second, first)
        };
        let is_json = meta.kind.is_none_or(|kind| kind.starts_with("application/json"));
        let is_file = file.disposition.contains("filename=\"");
        if !meta.is_named("meta") || !file.is_named("file") || !is_json || !is_file {
            return None;
        }
        Some(Self {
            meta: meta.content,
            kind: file.kind?,
            content: file.content,
        })
    }
}

/// The parts between the delimiters, to the closing one.
fn split<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    let delimiter = format!("\r\n--{boundary}");
    let mut rest = body.strip_prefix(format!("--{boundary}\r\n").as_bytes())?;
    let mut parts = Vec::new();
    loop {
        let end = find(rest, delimiter.as_bytes())?;
        let (part, after) = rest.split_at_checked(end)?;
        parts.push(Part::read(part)?);
        let after = after.get(delimiter.len()..)?;
        if after.starts_with(b"--") {
            return Some(parts);
        }
        rest = after.strip_prefix(b"\r\n")?;
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

impl<'a> Part<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let head_end = find(bytes, b"\r\n\r\n")?;
        let head = str::from_utf8(bytes.get(..head_end)?).ok()?;
        let content = bytes.get(head_end.saturating_add(4)..)?;
        let header = |name: &str| {
            head.split("\r\n").find_map(|line| {
                let (candidate, value) = line.split_once(':')?;
                candidate.eq_ignore_ascii_case(name).then_some(value.trim())
            })
        };
        Some(Self {
            disposition: header("content-disposition")?,
            kind: header("content-type"),
            content,
        })
    }

    fn is_named(&self, name: &str) -> bool {
        let mut attributes = self.disposition.split(';').map(str::trim);
        attributes.next() == Some("form-data") && attributes.any(|attribute| attribute == format!("name=\"{name}\""))
    }
}

pub(super) fn malformed() -> Refusal {
    Refusal::new(
        400,
        "PARAM_ERROR",
        "请求体不是规定的multipart/form-data,需有meta和file两部分",
    )
}

pub(super) fn take(media: Media, upload: &Upload<'_>, desk: &Desk<'_>) -> Result<Answer, Refusal> {
    let meta = read(upload.meta, &[META])?;
    let text = |name: &str| meta.get(name).and_then(Value::as_str).unwrap_or_default();
    let extension = text("filename")
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase());
    if !extension.is_some_and(|extension| media.extensions().contains(&extension.as_str())) {
        return Err(wrong("/filename", "文件类型不支持"));
    }
    if !upload.kind.starts_with(media.kind()) {
        return Err(Refusal::new(400, "PARAM_ERROR", "文件的Content-Type与接口不符"));
    }
    if upload.content.is_empty() || upload.content.len() > media.most() {
        return Err(Refusal::new(400, "PARAM_ERROR", "文件大小超过限制"));
    }
    if !text("sha256").eq_ignore_ascii_case(&sha256_hex(upload.content)) {
        return Err(wrong("/sha256", "文件的sha256值与文件内容不符"));
    }
    let id = desk.ambient.letters(64);
    let answer = match media {
        Media::MarketingImage => json!({ "media_url": format!("https://wxpaylogo.qpic.cn/wxpaylogo/{id}/0") }),
        Media::Image | Media::Video | Media::ComplaintImage => json!({ "media_id": id }),
    };
    Ok(Answer::Json(StatusCode::OK, answer))
}
