//! What a file of a bill says, in memory: for bills that are small enough to be read whole.

use std::io::Read as _;

use flate2::bufread::MultiGzDecoder;
use yuanfen_core::{LimitExceeded, OpenError, ProtocolError};

use super::BILL_CEILING;
use super::check::broken;

/// No bill begins with these two bytes, and every gzip file does.
pub(crate) fn is_gzip(file: &[u8]) -> bool {
    file.starts_with(&[0x1f, 0x8b])
}

/// What a gzip file holds, of at most so many bytes.
pub(crate) fn unpack(packed: &[u8], ceiling: usize) -> Result<Vec<u8>, ProtocolError> {
    // One byte more than may come shows that more came.
    let room = u64::try_from(ceiling).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::new();
    MultiGzDecoder::new(packed)
        .take(room)
        .read_to_end(&mut plain)
        .map_err(broken)?;
    LimitExceeded::check("bytes", plain.len(), ceiling).map_err(broken)?;
    Ok(plain)
}

/// The text of a file, unpacked where it is gzip.
pub(crate) fn text_of(file: &[u8]) -> Result<String, OpenError> {
    let plain = if is_gzip(file) {
        unpack(file, BILL_CEILING)?
    } else {
        LimitExceeded::check("bytes", file.len(), BILL_CEILING).map_err(broken)?;
        file.to_vec()
    };
    String::from_utf8(plain).map_err(|error| broken(error.utf8_error()).into())
}
