//! Whether the file of a bill is whole, piece by piece and in constant memory.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;
use http::HeaderMap;
use yuanfen_core::{CalendarDate, OpenError, ProtocolError, ProtocolErrorKind, RefusalKind, Route};
use yuanfen_sign::Sha1Stream;
use yuanfen_xml::MESSAGE_LIMITS;

use super::{BYTE_ORDER_MARK, bill_ready_at, broken, is_markup, promised, refused};

pub(super) const GZIP_START: [u8; 2] = [0x1f, 0x8b];

/// How much of a text's end is kept to see whether it is complete: many times the last two lines of a bill.
const TAIL: usize = 1 << 14;

/// How many blanks may stand before the first character.
const BLANKS: usize = 64;

/// Holds the file of a bill against what can be known of it, piece by piece and in constant memory.
///
/// What came is seen from its first bytes: gzip, or a byte order mark and markup, or text; so it does not matter what was
/// asked for. Markup is no file but a refusal, however large the file would have been.
///
/// Of a trade bill the platform promises no digest, so all that can be seen of a file is whether it ends as a bill does:
/// in a header of a summary and a line with as many values, the last of which ends in a digit. A cut shows, except one
/// among the last digits of a file that has no line break at its end; HTTP itself shows most of those. Where the answer
/// has a header `Digest`, as fund-flow bills do, the file is held against it as well. Nobody documents whether the digest
/// is of the file as it came or of what it holds, so either will do.
///
/// For a download to the disk the two ends are joined like this, with the client of `yuanfen-transport`:
///
/// ```text
/// let bill = DownloadTradeBill::new(day);
/// let check = CheckWith::new(bill.check(), BillCheck::push, BillCheck::finish).with_headers(BillCheck::headers);
/// client.download(&bill, check, Path::new("bill.csv")).await?;
/// ```
///
/// A day without trade is there a refusal of the kind [`Nothing`](yuanfen_core::RefusalKind::Nothing), and no file is
/// made.
#[derive(Debug)]
pub struct BillCheck {
    route: Route,
    date: CalendarDate,
    promised: Option<String>,
    /// The digest of what came, compressed or not.
    received: Sha1Stream,
    unpacked_at_most: u64,
    packing: Packing,
}

#[derive(Debug)]
enum Packing {
    /// Fewer than two bytes so far.
    Undecided(Vec<u8>),
    Plain(Content),
    Gzip(Box<MultiGzDecoder<Unpacked>>),
    Broken,
}

/// Where the unpacked bytes go.
#[derive(Debug)]
struct Unpacked {
    digest: Option<Sha1Stream>,
    content: Content,
    /// How many more bytes may come.
    room: u64,
}

impl io::Write for Unpacked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let room = self.room.checked_sub(length);
        self.room = room.ok_or_else(|| io::Error::other("the file holds more than is read"))?;
        if let Some(digest) = &mut self.digest {
            digest.push(bytes);
        }
        self.content.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file is not the one that its header `Digest` promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("promised was sha1 {promised}; what was received has {received}, what it holds has {unpacked}")]
#[non_exhaustive]
pub struct BillMismatch {
    /// What the header promised.
    pub promised: String,
    /// The digest of what was received, compressed or not.
    pub received: String,
    /// The digest of the text in it.
    pub unpacked: String,
}

impl BillCheck {
    /// How much a gzip file may hold unless told otherwise: 16 GiB. Nothing of it is kept, so this bounds the time that
    /// a hostile file can take, not memory.
    pub const UNPACKED_AT_MOST: u64 = 16 << 30;

    /// For the file of that call and that day.
    pub(crate) fn new(route: Route, date: CalendarDate) -> Self {
        Self {
            route,
            date,
            promised: None,
            received: Sha1Stream::new(),
            unpacked_at_most: Self::UNPACKED_AT_MOST,
            packing: Packing::Undecided(Vec::new()),
        }
    }

    /// The same, refusing a gzip file that holds more than so many bytes.
    #[must_use]
    pub const fn unpacked_at_most(mut self, bytes: u64) -> Self {
        self.unpacked_at_most = bytes;
        self
    }

    /// Takes in what the answer's headers promise of the file.
    ///
    /// # Errors
    /// When they promise a digest that cannot be read.
    pub fn headers(&mut self, headers: &HeaderMap) -> Result<(), OpenError> {
        self.promised = promised(headers)?;
        Ok(())
    }

    pub(super) fn promise(&mut self, promised: Option<String>) {
        self.promised = promised;
    }

    /// Takes in the next piece.
    ///
    /// # Errors
    /// When it cannot be unpacked. Whatever is pushed afterwards, the check stays failed.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), OpenError> {
        if self.promised.is_some() {
            self.received.push(chunk);
        }
        let unpacked = match &mut self.packing {
            Packing::Plain(content) => {
                content.push(chunk);
                return Ok(());
            }
            Packing::Gzip(gzip) => gzip.write_all(chunk),
            Packing::Broken => return Err(already_broken()),
            Packing::Undecided(start) => {
                start.extend_from_slice(chunk);
                if start.len() < GZIP_START.len() {
                    return Ok(());
                }
                if !start.starts_with(&GZIP_START) {
                    let mut content = Content::default();
                    content.push(start);
                    self.packing = Packing::Plain(content);
                    return Ok(());
                }
                let mut gzip = Box::new(MultiGzDecoder::new(Unpacked {
                    digest: self.promised.is_some().then(Sha1Stream::new),
                    content: Content::default(),
                    room: self.unpacked_at_most,
                }));
                let unpacked = gzip.write_all(start);
                self.packing = Packing::Gzip(gzip);
                unpacked
            }
        };
        unpacked.map_err(|error| {
            self.packing = Packing::Broken;
            broken(error).into()
        })
    }

    /// Says whether what came is a whole bill.
    ///
    /// # Errors
    /// The platform's refusal, where that is what came; [`ProtocolErrorKind::Digest`] with a [`BillMismatch`] as its source
    /// when it is another file than was promised; [`ProtocolErrorKind::Format`] when it was cut off, cannot be unpacked, or
    /// is no bill.
    pub fn finish(self) -> Result<(), OpenError> {
        let (content, unpacked) = match self.packing {
            Packing::Undecided(start) if start.is_empty() => {
                return Err(ProtocolError::new(ProtocolErrorKind::Empty).into());
            }
            Packing::Undecided(start) => {
                let mut content = Content::default();
                content.push(&start);
                (content, None)
            }
            Packing::Plain(content) => (content, None),
            Packing::Gzip(gzip) => {
                let unpacked = gzip.finish().map_err(broken)?;
                (unpacked.content, unpacked.digest)
            }
            Packing::Broken => return Err(already_broken()),
        };
        let ending = match content {
            Content::Markup(body) => return Err(with_time(refused(&body, &self.route), self.date)),
            Content::Start(_) => return Err(broken("there is nothing but blanks").into()),
            Content::Text(ending) => ending,
        };
        if let Some(promised) = self.promised {
            let received = self.received.finish_hex();
            let unpacked = unpacked.map_or_else(|| received.clone(), Sha1Stream::finish_hex);
            if promised != received && promised != unpacked {
                return Err(ProtocolError::new(ProtocolErrorKind::Digest)
                    .with_source(BillMismatch {
                        promised,
                        received,
                        unpacked,
                    })
                    .into());
            }
        }
        ending.finish().map_err(|problem| broken(problem).into())
    }
}

/// A refusal that says "not yet" knows when.
fn with_time(mut error: OpenError, date: CalendarDate) -> OpenError {
    if let OpenError::Business(refusal) = &mut error
        && refusal.meaning.kind == RefusalKind::NotYet
    {
        refusal.ready_at = Some(bill_ready_at(date));
    }
    error
}

fn already_broken() -> OpenError {
    broken("an earlier piece could not be unpacked").into()
}

/// What the file holds.
#[derive(Debug)]
enum Content {
    /// Perhaps a byte order mark, and blanks.
    Start(Vec<u8>),
    /// A message in place of a file. What is larger than any message is not kept, and is none then.
    Markup(Vec<u8>),
    Text(Ending),
}

impl Default for Content {
    fn default() -> Self {
        Self::Start(Vec::new())
    }
}

impl Content {
    fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Text(ending) => ending.push(bytes),
            Self::Markup(body) => {
                // One more than a message may have, so that the reader of messages refuses it.
                let room = MESSAGE_LIMITS.bytes.saturating_add(1).saturating_sub(body.len());
                body.extend(bytes.iter().take(room));
            }
            Self::Start(start) => {
                start.extend_from_slice(bytes);
                let after_mark = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
                if is_markup(start) {
                    start.truncate(MESSAGE_LIMITS.bytes.saturating_add(1));
                    *self = Self::Markup(std::mem::take(start));
                } else if start.len() > BLANKS
                    || !(after_mark.trim_ascii().is_empty() || BYTE_ORDER_MARK.starts_with(start))
                {
                    let mut ending = Ending::default();
                    ending.push(after_mark);
                    *self = Self::Text(ending);
                }
            }
        }
    }
}

/// The last lines of a text, which tell whether a bill is complete.
#[derive(Debug, Default)]
struct Ending {
    /// The last bytes: `TAIL` of them at least, where there are so many.
    tail: Vec<u8>,
}

impl Ending {
    fn push(&mut self, bytes: &[u8]) {
        let new = bytes.last_chunk::<TAIL>().map_or(bytes, |tail| tail.as_slice());
        let kept = self.tail.len().saturating_add(new.len());
        if kept > TAIL.saturating_mul(2) {
            let superfluous = kept.saturating_sub(TAIL).min(self.tail.len());
            self.tail.drain(..superfluous);
        }
        self.tail.extend_from_slice(new);
    }

    /// A header, any rows, the header of a summary, and the summary itself.
    fn finish(&self) -> Result<(), &'static str> {
        let mut text = self.tail.as_slice();
        while let [rest @ .., b'\r' | b'\n'] = text {
            text = rest;
        }
        // Above the header of the summary stands at least the header of the rows.
        let lines = last_line(text).and_then(|(above, summary)| Some((last_line(above)?.1, summary)));
        let (header, summary) = lines.ok_or("the bill ends before its summary, so it was cut off")?;
        if header.contains(&b'`') || !summary.starts_with(b"`") {
            return Err("the bill does not end in a summary, so it was cut off");
        }
        let named = header.split(|byte| *byte == b',').count();
        let separators = summary.windows(2).filter(|pair| pair == b",`").count();
        let is_whole = text.last().is_some_and(u8::is_ascii_digit);
        if !is_whole || named < 2 || named != separators.saturating_add(1) {
            return Err("the bill ends within its summary, so it was cut off");
        }
        Ok(())
    }
}

/// What stands above the last line, and that line.
fn last_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = text.iter().rposition(|byte| *byte == b'\n')?;
    let (above, line) = text.split_at_checked(at)?;
    Some((above, line.strip_prefix(b"\n").unwrap_or(line)))
}
