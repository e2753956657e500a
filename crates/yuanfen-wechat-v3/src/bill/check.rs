//! The digest of a bill's file, taken as the file comes. v3 sheet, section 18.2.

use std::io::{self, Write as _};

use flate2::write::MultiGzDecoder;
use yuanfen_core::{OpenError, ProtocolError, ProtocolErrorKind};
use yuanfen_sign::Sha1Stream;

/// Holds the file of a bill against its digest, piece by piece and in constant memory.
///
/// The digest is of the uncompressed file. Whether the file is gzip is seen from its first two bytes, which no bill
/// begins with, so it does not matter whether something on the way has unpacked it.
///
/// ```
/// use yuanfen_wechat_v3::BillCheck;
/// let mut check = BillCheck::new("6f9b9af3cd6e8b8a73c2cdced37fe9f59226e27d");
/// check.push(b"mess")?;
/// check.push(b"age")?;
/// check.finish()?;
/// # Ok::<(), yuanfen_core::OpenError>(())
/// ```
#[derive(Debug)]
pub struct BillCheck {
    promised: String,
    /// The digest of what came, compressed or not: it is reported beside the other one when neither is right.
    received: Sha1Stream,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// Fewer than two bytes so far.
    Undecided(Vec<u8>),
    Plain,
    Gzip(Box<MultiGzDecoder<Sink>>),
    Broken,
}

/// Where the uncompressed bytes go.
#[derive(Debug, Default)]
struct Sink(Sha1Stream);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file of a bill is not the one that was promised.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("promised was sha1 {promised}; the uncompressed file has {uncompressed}, what was received has {received}")]
#[non_exhaustive]
pub struct BillMismatch {
    /// What the platform's signed answer promised.
    pub promised: String,
    /// The digest of the uncompressed file.
    pub uncompressed: String,
    /// The digest of what was received, compressed or not.
    pub received: String,
}

impl BillCheck {
    /// Against that SHA-1, in hex of either case.
    #[must_use]
    pub fn new(sha1: &str) -> Self {
        Self {
            promised: sha1.to_ascii_lowercase(),
            received: Sha1Stream::new(),
            content: Content::Undecided(Vec::new()),
        }
    }

    /// Takes in the next piece.
    ///
    /// # Errors
    /// When it cannot be unpacked. Whatever is pushed afterwards, the check stays failed.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), OpenError> {
        self.received.push(chunk);
        let unpacked = match &mut self.content {
            Content::Plain => return Ok(()),
            Content::Gzip(gzip) => gzip.write_all(chunk),
            Content::Broken => return Err(broken("an earlier piece could not be unpacked").into()),
            Content::Undecided(start) => {
                start.extend_from_slice(chunk);
                match start.as_slice() {
                    [] | [_] => return Ok(()),
                    [0x1f, 0x8b, ..] => {
                        let mut gzip = Box::new(MultiGzDecoder::new(Sink::default()));
                        let unpacked = gzip.write_all(start);
                        self.content = Content::Gzip(gzip);
                        unpacked
                    }
                    _ => {
                        self.content = Content::Plain;
                        return Ok(());
                    }
                }
            }
        };
        unpacked.map_err(|error| {
            self.content = Content::Broken;
            broken(error).into()
        })
    }

    /// Says whether the whole file is the one that was promised.
    ///
    /// # Errors
    /// [`ProtocolErrorKind::Digest`] when it is another one, with a [`BillMismatch`] as its source;
    /// [`ProtocolErrorKind::Format`] when it was cut off or cannot be unpacked.
    pub fn finish(self) -> Result<(), OpenError> {
        let received = self.received.finish_hex();
        let uncompressed = match self.content {
            Content::Undecided(_) | Content::Plain => received.clone(),
            Content::Gzip(gzip) => gzip.finish().map_err(broken)?.0.finish_hex(),
            Content::Broken => return Err(broken("an earlier piece could not be unpacked").into()),
        };
        if uncompressed == self.promised {
            return Ok(());
        }
        let mismatch = BillMismatch {
            promised: self.promised,
            uncompressed,
            received,
        };
        Err(ProtocolError::new(ProtocolErrorKind::Digest)
            .with_source(mismatch)
            .into())
    }
}

pub(super) fn broken(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ProtocolError {
    ProtocolError::new(ProtocolErrorKind::Format).with_source(cause)
}
