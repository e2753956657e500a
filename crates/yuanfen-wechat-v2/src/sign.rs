//! This platform's choices: v2 sheet, section 3.1.

use yuanfen_core::{Fields, SignatureError, Verified};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, NameOrder, PairRules, Render, Tail,
};

use crate::Account;

/// Sorted by bytes, empty values dropped, `name=value` joined with `&`, `&key=` and the key at the end; `sign` itself
/// left out.
pub const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::KeyField,
    left_out: &["sign"],
    blanks: Blanks::Keep,
};

/// How a message is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignType {
    /// `MD5`, the platform's default.
    Md5,
    /// `HMAC-SHA256`.
    HmacSha256,
}

impl SignType {
    /// `sign_type` on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    /// Upper-case hex, compared case-sensitively (section 3.2).
    #[must_use]
    pub const fn scheme(self) -> DigestScheme {
        let digest = match self {
            Self::Md5 => KeyedDigest::Md5,
            Self::HmacSha256 => KeyedDigest::HmacSha256,
        };
        DigestScheme {
            digest,
            spelling: HexSpelling::Upper,
            case: HexCase::Exact,
        }
    }
}

/// Checks a message over all fields that came.
///
/// Without `sign_type` the account's own type counts. A `sign_type` that the account does not accept is refused before
/// anything is computed: an answer may not choose a weaker scheme than the request.
pub(crate) fn verify(
    account: &Account,
    fields: Fields,
    accepted: &[SignType],
) -> Result<Verified<Fields>, SignatureError> {
    let sign_type = match fields.filled("sign_type") {
        None => account.sign_type,
        Some(named) => *accepted
            .iter()
            .find(|accepted| accepted.as_str() == named)
            .ok_or(SignatureError::Malformed { part: "sign_type" })?,
    };
    let signature = fields
        .filled("sign")
        .ok_or(SignatureError::Missing { part: "sign" })?
        .to_owned();
    let signer = account.signer_of(sign_type);
    let text = RULES.text(&fields, signer.key());
    Verified::check(&signer, text.as_bytes(), &signature, fields)
}
