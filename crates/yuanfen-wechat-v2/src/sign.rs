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

    /// How many characters a signature has.
    pub(crate) const fn hex_len(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::HmacSha256 => 64,
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
/// Notices seldom carry `sign_type`. Without it the length of the signature tells which of the accepted types it may
/// be of; none of that length leaves the first, over which it does not hold. A `sign_type` that is not accepted is
/// refused before anything is computed: a message may not choose a weaker scheme than the account allows.
pub(crate) fn verify(
    account: &Account,
    fields: Fields,
    accepted: &[SignType],
) -> Result<Verified<Fields>, SignatureError> {
    let named = match fields.filled("sign_type") {
        None => None,
        Some(named) => Some(
            *accepted
                .iter()
                .find(|accepted| accepted.as_str() == named)
                .ok_or(SignatureError::Malformed { part: "sign_type" })?,
        ),
    };
    let signature = fields.filled("sign").ok_or(SignatureError::Missing { part: "sign" })?;
    let fitting = || accepted.iter().find(|accepted| accepted.hex_len() == signature.len());
    let sign_type = named.or_else(|| fitting().copied()).unwrap_or(account.sign_type);
    let signer = account.signer_of(sign_type);
    let text = RULES.text(&fields, signer.key());
    let proven = Verified::check(&*signer, text.as_bytes(), signature, ())?;
    proven.try_map(|()| Ok(fields))
}
