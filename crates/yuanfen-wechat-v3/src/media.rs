//! Files that are uploaded: `multipart/form-data` whose first part is signed and whose second is the file. v3 sheet,
//! section 21.

use std::fmt;

use bytes::Bytes;
use http::header::HeaderValue;
use serde::Serialize;
use yuanfen_core::{
    Alphabet, Ambient, BuildError, Extra, FieldError, JsonTaker, OpenError, Route, Rule, ValueError, nonce_text,
};
use yuanfen_sign::sha256_hex;

use crate::private::Raw;
use crate::{Message, Reply};

/// A file to upload, and the name that goes with it. `Debug` shows how long it is: names of scanned documents tell whose
/// they are.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MediaFile {
    /// `filename`: at most 128 characters of the basic plane, without quotes, backslashes and control characters; its
    /// ending says what the file is.
    pub name: String,
    /// The file.
    pub bytes: Bytes,
}

impl MediaFile {
    /// A file of that name.
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self {
            name: name.into(),
            bytes: bytes.into(),
        }
    }

    /// The file's SHA-256 in lower-case hex, as the signed part of an upload states it.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256_hex(&self.bytes)
    }

    /// What follows the last dot of the name, in lower case.
    fn ending(&self) -> Option<String> {
        self.name
            .rsplit_once('.')
            .map(|(_, ending)| ending.to_ascii_lowercase())
    }
}

impl fmt::Debug for MediaFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaFile({} bytes)", self.bytes.len())
    }
}

/// What an endpoint takes.
pub(crate) struct Accepted {
    /// Endings of names, and the media type of each.
    endings: &'static [(&'static str, &'static str)],
    wrong_ending: &'static str,
    most_bytes: usize,
    too_large: &'static str,
}

/// Images, at each of the endpoints.
pub(crate) const IMAGE: Accepted = Accepted {
    endings: &[("jpg", "image/jpeg"), ("bmp", "image/bmp"), ("png", "image/png")],
    wrong_ending: "does not end in .jpg, .bmp or .png (v3 sheet, section 21)",
    most_bytes: 2 << 20,
    too_large: "has more than 2 MB (v3 sheet, section 21)",
};

/// Videos.
pub(crate) const VIDEO: Accepted = Accepted {
    endings: &[
        ("avi", "video/x-msvideo"),
        ("wmv", "video/x-ms-wmv"),
        ("mpeg", "video/mpeg"),
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("mkv", "video/x-matroska"),
        ("flv", "video/x-flv"),
        ("f4v", "video/x-f4v"),
        ("m4v", "video/x-m4v"),
        ("rmvb", "application/vnd.rn-realmedia-vbr"),
    ],
    wrong_ending: "does not end in .avi, .wmv, .mpeg, .mp4, .mov, .mkv, .flv, .f4v, .m4v or .rmvb (v3 sheet, section 21)",
    most_bytes: 5 << 20,
    too_large: "has more than 5 MB (v3 sheet, section 21)",
};

const FILE_NAME: Rule = Rule::new("filename", 128)
    .alphabet(Alphabet::new(
        "characters of the basic plane but quotes and backslashes",
        |character| Alphabet::BASIC_PLANE.accepts(character) && !matches!(character, '"' | '\\'),
    ))
    .source("v3 sheet, section 21");

/// The signed part of an upload.
#[derive(Serialize)]
struct Meta<'a> {
    filename: &'a str,
    sha256: String,
}

/// The upload of a file to that path.
pub(crate) fn upload(
    path: &str,
    file: &MediaFile,
    accepted: &Accepted,
    ambient: &dyn Ambient,
) -> Result<Message, BuildError> {
    let ending = file.ending();
    if !accepted
        .endings
        .iter()
        .any(|(known, _)| Some(*known) == ending.as_deref())
    {
        return Err(conflict("filename", accepted.wrong_ending));
    }
    if file.bytes.len() > accepted.most_bytes {
        return Err(conflict("file", accepted.too_large));
    }
    let meta = serde_json::to_vec(&Meta {
        filename: &file.name,
        sha256: file.sha256(),
    })
    .map_err(BuildError::encode)?;
    Message::upload(path, meta, file, ambient)
}

const fn conflict(fields: &'static str, problem: &'static str) -> BuildError {
    BuildError::Conflict { fields, problem }
}

/// A form of two parts.
pub(crate) struct Form {
    pub(crate) content_type: HeaderValue,
    /// The first part, which is signed.
    pub(crate) meta: Bytes,
    /// The whole form, which is sent.
    pub(crate) body: Bytes,
}

impl Form {
    /// Writes the form. The boundary is random, and occurs in neither part.
    pub(crate) fn write(meta: Bytes, file: &MediaFile, ambient: &dyn Ambient) -> Result<Self, BuildError> {
        FILE_NAME.check(&file.name)?;
        if file.bytes.is_empty() {
            return Err(conflict("file", "is empty"));
        }
        let ending = file.ending();
        let media_type = [&IMAGE, &VIDEO]
            .iter()
            .flat_map(|accepted| accepted.endings)
            .find(|(known, _)| Some(*known) == ending.as_deref())
            .map_or("application/octet-stream", |(_, media_type)| media_type);
        let boundary = boundary(&[&meta, &file.bytes], ambient)?;
        let mut body = Vec::with_capacity(file.bytes.len().saturating_add(meta.len()).saturating_add(512));
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend_from_slice(&meta);
        body.extend_from_slice(
            format!(
                "\r\n--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: \
                 {media_type}\r\n\r\n",
                file.name
            )
            .as_bytes(),
        );
        body.extend_from_slice(&file.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let content_type = format!("multipart/form-data; boundary={boundary}");
        Ok(Self {
            content_type: HeaderValue::try_from(content_type).map_err(BuildError::encode)?,
            meta,
            body: body.into(),
        })
    }
}

/// A boundary that is in none of the parts.
fn boundary(parts: &[&[u8]], ambient: &dyn Ambient) -> Result<String, BuildError> {
    // Once is enough unless the randomness is broken, or somebody put the boundary there on purpose.
    const ATTEMPTS: u32 = 4;
    for _ in 0..ATTEMPTS {
        let boundary = format!("yuanfen-{}", nonce_text(ambient));
        if !parts.iter().any(|part| contains(part, boundary.as_bytes())) {
            return Ok(boundary);
        }
    }
    Err(BuildError::encode(
        "every boundary that was drawn occurs in the file; the source of randomness is broken",
    ))
}

fn contains(text: &[u8], sought: &[u8]) -> bool {
    text.windows(sought.len()).any(|window| window == sought)
}

/// A text that names something, so that an empty one is none.
pub(crate) fn not_empty(taker: &mut JsonTaker<'_>, field: &'static str) -> Result<String, FieldError> {
    let text: String = taker.need(field)?;
    if text.is_empty() {
        return Err(FieldError::new(field, ValueError::Missing));
    }
    Ok(text)
}

/// The platform keeps the file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UploadedMedia {
    /// `media_id`: what names the file in later calls, at most 512 characters.
    pub media_id: String,
    /// What this version does not know, as raw JSON text.
    pub extra: Extra,
    raw: Raw,
}

impl UploadedMedia {
    pub(crate) fn read(reply: &Reply, route: &Route) -> Result<Self, OpenError> {
        let object = reply.object(route)?;
        let mut taker = JsonTaker::new(&object);
        Ok(Self {
            media_id: not_empty(&mut taker, "media_id")?,
            extra: taker.rest(),
            raw: Raw(reply.raw().clone()),
        })
    }

    /// The answer's body as it came.
    #[must_use]
    pub const fn raw(&self) -> &Bytes {
        &self.raw.0
    }
}
