//! The file of a bill: what came in its place, whether it is whole, and what is in it. v2 sheet, sections 6.8 and 6.9.

mod check;

use std::fmt;
use std::io::Read as _;
use std::time::Duration;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use http::{HeaderMap, Response, StatusCode};
use yuanfen_core::{
    CalendarDate, FieldError, OpenError, Opens, ProtocolError, ProtocolErrorKind, Refusal, RefusalKind, ReplyTrust,
    Route, UnixTime, Unsigned, ValueError,
};

pub use check::{BillCheck, BillMismatch};
pub use yuanfen_core::{BillError, BillLine, BillText};

use crate::{Account, codes};

/// Values of `tar_type`.
pub(crate) const GZIP: &str = "GZIP";

/// When the bills of a day are ready: at ten o'clock of the next morning in Beijing. They are made from nine o'clock on;
/// asked for before they are there, the platform refuses with the kind [`RefusalKind::NotYet`], and
/// [`Refusal::ready_at`] says this time.
///
/// ```
/// use yuanfen_core::{CalendarDate, Rfc3339, WireText as _};
/// let day = CalendarDate::parse("2026-11-21")?;
/// assert_eq!(Rfc3339(yuanfen_wechat_v2::bill_ready_at(day)).to_text(), "2026-11-22T10:00:00+08:00");
/// # Ok::<(), yuanfen_core::TimeError>(())
/// ```
#[must_use]
pub fn bill_ready_at(date: CalendarDate) -> UnixTime {
    const UNTIL_TEN_THE_NEXT_DAY: Duration = Duration::from_secs(34 * 60 * 60);
    date.beijing_midnight().after(UNTIL_TEN_THE_NEXT_DAY)
}

/// An answer whose body is a file, or a message that says why there is none. Nobody signs either of them.
#[derive(Clone)]
pub struct File {
    bytes: Bytes,
    /// The SHA-1 that the header `Digest` promises, in lower-case hex.
    promised: Option<String>,
}

impl File {
    /// The body as it came.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File")
            .field("bytes", &format_args!("{} bytes", self.bytes.len()))
            .field("promised", &self.promised)
            .finish()
    }
}

impl Opens<Account> for Unsigned<File> {
    const TRUST: ReplyTrust = ReplyTrust::File;

    fn open(_: &Account, response: &Response<Bytes>, _: UnixTime) -> Result<Self, OpenError> {
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            return Err(ProtocolError::new(ProtocolErrorKind::Status(status))
                .with_status(status)
                .into());
        }
        Ok(Self::new(File {
            bytes: response.body().clone(),
            promised: promised(response.headers())?,
        }))
    }
}

/// The SHA-1 of the header `Digest`, whose members are `<algorithm>=<digest>`. A promise that cannot be read is one that
/// cannot be kept, so it is an error; other algorithms are left alone.
fn promised(headers: &HeaderMap) -> Result<Option<String>, ProtocolError> {
    let mut found = None;
    for value in headers.get_all("digest") {
        for member in value.as_bytes().split(|byte| *byte == b',') {
            let Ok(member) = std::str::from_utf8(member) else {
                continue;
            };
            let Some((name, digest)) = member.trim().split_once('=') else {
                continue;
            };
            if !name.eq_ignore_ascii_case("SHA") {
                continue;
            }
            let digest = digest.to_ascii_lowercase();
            let is_sha1 = digest.len() == 40 && digest.bytes().all(|digit| digit.is_ascii_hexdigit());
            if !is_sha1 || found.as_ref().is_some_and(|other| *other != digest) {
                return Err(broken("the header Digest does not hold one SHA-1 of 40 hex digits"));
            }
            found = Some(digest);
        }
    }
    Ok(found)
}

/// The file of a bill, whole: as text, or as gzip where that was asked for.
#[derive(Clone)]
pub struct BillFile {
    bytes: Bytes,
}

/// How long it is. Who paid what is in it.
impl fmt::Debug for BillFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BillFile({} bytes)", self.bytes.len())
    }
}

impl BillFile {
    /// Reads what came in one piece for a day. That there is no bill of it is an answer.
    pub(crate) fn read(file: File, mut check: BillCheck) -> Result<Option<Self>, OpenError> {
        check.promise(file.promised);
        check.push(file.bytes.as_ref())?;
        match check.finish() {
            Ok(()) => Ok(Some(Self { bytes: file.bytes })),
            Err(OpenError::Business(refusal)) if refusal.meaning.kind == RefusalKind::Nothing => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// How many bytes of text [`text`](Self::text) makes of a gzip file at most: 256 MiB. Download what is larger to
    /// the disk.
    pub const TEXT_AT_MOST: usize = 256 << 20;

    /// The bytes as they came.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether it is gzip, by its first two bytes.
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        self.bytes.starts_with(&check::GZIP_START)
    }

    /// The text, unpacked where it is gzip: read it with [`BillText::parse`].
    ///
    /// # Errors
    /// When it is larger than [`TEXT_AT_MOST`](Self::TEXT_AT_MOST), or not UTF-8.
    pub fn text(&self) -> Result<String, OpenError> {
        self.text_at_most(Self::TEXT_AT_MOST)
    }

    /// The same with another limit in bytes.
    ///
    /// # Errors
    /// When it is larger than that, or not UTF-8.
    pub fn text_at_most(&self, limit: usize) -> Result<String, OpenError> {
        // One byte more than may come shows that more came.
        let room = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        let mut bytes = Vec::new();
        if self.is_gzip() {
            let mut unpacked = MultiGzDecoder::new(self.bytes.as_ref()).take(room);
            unpacked.read_to_end(&mut bytes).map_err(broken)?;
        } else {
            self.bytes.as_ref().take(room).read_to_end(&mut bytes).map_err(broken)?;
        }
        if bytes.len() > limit {
            return Err(broken("the text is larger than is held in memory; download the file to the disk").into());
        }
        String::from_utf8(bytes).map_err(|error| broken(error.utf8_error()).into())
    }
}

/// Whether it begins as XML or HTML does, behind a byte order mark and blanks.
pub(crate) fn is_markup(body: &[u8]) -> bool {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    body.trim_ascii_start().first() == Some(&b'<')
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the message in place of a file says. Nobody signs it.
///
/// The bills name their reasons in three ways: by the words in `return_msg`, by `error_code`, by `err_code`. The words are
/// the most exact (several share a code) and stand in the documents in more than one spelling of upper and lower case.
pub(crate) fn refused(body: &[u8], route: &Route) -> OpenError {
    let fields = match crate::provider::read(&Bytes::copy_from_slice(body)) {
        Ok(fields) => fields,
        Err(error) => return error,
    };
    let return_code = match fields.filled("return_code") {
        None => return FieldError::new("return_code", ValueError::Missing).into(),
        Some("SUCCESS") if matches!(fields.filled("result_code"), None | Some("SUCCESS")) => {
            return broken("a message that says of itself that it worked, in place of a file").into();
        }
        Some(return_code) => return_code,
    };
    let named = |name: &&'static str| fields.filled(name);
    let texts = ["return_msg", "error_code", "err_code"].iter().filter_map(named);
    let known = texts.filter_map(|text| Some((text, codes::find(route, text)?))).next();
    let code = ["error_code", "err_code"].iter().find_map(named);
    let words = ["err_code_des", "return_msg"]
        .iter()
        .find_map(named)
        .unwrap_or_default();
    let code = code.or(known.map(|(text, _)| text)).unwrap_or(return_code);
    let meaning = known.map_or_else(|| codes::meaning(route, code), |(_, meaning)| meaning);
    Refusal::new(code, words, meaning).into()
}

fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProtocolError {
    ProtocolError::new(ProtocolErrorKind::Format).with_source(cause)
}
