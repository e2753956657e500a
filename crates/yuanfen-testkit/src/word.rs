//! Failures as one word each, so that a test says what it expects in a table.

use yuanfen_core::ProtocolErrorKind;

/// The word for what is wrong with a message, with the field where there is one. A kind that has no word panics: no test
/// expects it.
#[must_use]
pub fn protocol_word(kind: &ProtocolErrorKind) -> String {
    match kind {
        ProtocolErrorKind::Status(status) => format!("status {status}"),
        ProtocolErrorKind::Empty => "empty".to_owned(),
        ProtocolErrorKind::Html => "html".to_owned(),
        ProtocolErrorKind::Format => "format".to_owned(),
        ProtocolErrorKind::Field(error) => format!("field {}", error.path),
        ProtocolErrorKind::Foreign { field } => format!("foreign {field}"),
        ProtocolErrorKind::Digest => "digest".to_owned(),
        ProtocolErrorKind::Decrypt => "decrypt".to_owned(),
        other => panic!("{other:?}"),
    }
}
