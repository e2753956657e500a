//! This platform's choices: mpgateway sheet, section 5.

use yuanfen_core::{Object, ProtocolError, SignatureError, Verified};
use yuanfen_form::base64_json::{decode, repair_spaces};
use yuanfen_sign::{DigestScheme, HexCase, HexSpelling, KeyedDigest, keyed_text};

use crate::Account;

/// MD5 over the base64 text and the key behind it, lower-case hex; either case is accepted on arrival.
pub const SCHEME: DigestScheme = DigestScheme {
    digest: KeyedDigest::Md5,
    spelling: HexSpelling::Lower,
    case: HexCase::Ignored,
};

/// What a signed message is, before and after its check.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The JSON inside, as it was sent.
    pub(crate) json: Vec<u8>,
    /// The same, split into members.
    pub(crate) object: Object,
}

/// Checks the base64 text as it came and decodes that same text.
pub(crate) fn open(account: &Account, resp: &str, sign: &str) -> Result<Verified<Opened>, OpenFailure> {
    let resp = repair_spaces(resp);
    if sign.is_empty() {
        return Err(SignatureError::Missing { part: "sign" }.into());
    }
    let text = keyed_text(resp.as_bytes(), account.signer.key());
    let verified = Verified::check(&account.signer, text.as_bytes(), sign, resp)?;
    verified.try_map(|resp| decoded(&resp))
}

/// Decodes without a check, for what the protocol leaves unsigned.
pub(crate) fn decoded(resp: &str) -> Result<Opened, OpenFailure> {
    let (json, object) = decode(resp, &yuanfen_core::Limits::DEFAULT)
        .map_err(|error| OpenFailure::Protocol(ProtocolError::unreadable(resp.as_bytes(), error)))?;
    Ok(Opened { json, object })
}

/// Why a message did not open.
#[derive(Debug)]
pub(crate) enum OpenFailure {
    Signature(SignatureError),
    Protocol(ProtocolError),
}

impl From<SignatureError> for OpenFailure {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<OpenFailure> for yuanfen_core::OpenError {
    fn from(failure: OpenFailure) -> Self {
        match failure {
            OpenFailure::Signature(error) => error.into(),
            OpenFailure::Protocol(error) => error.into(),
        }
    }
}
