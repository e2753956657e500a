//! This platform's choices: StarPos sheet, section 4.1.

use yuanfen_core::{FieldError, Fields, SignatureError, Verified};
use yuanfen_sign::{
    Blanks, DigestScheme, Empties, HexCase, HexSpelling, KeyedDigest, NameOrder, PairRules, Render, Tail,
};

use crate::Account;
use crate::charset::percent_decode;

/// Values in the order of their lower-cased names, the key behind them, spaces removed; `signValue` itself left out.
pub const RULES: PairRules = PairRules {
    order: NameOrder::LowerCased,
    empties: Empties::Drop,
    render: Render::ValuesOnly,
    tail: Tail::BareKey,
    left_out: &["signValue"],
    blanks: Blanks::Remove,
};

/// MD5 over UTF-8, lower-case hex; either case is accepted on arrival (section 4.3).
pub const SCHEME: DigestScheme = DigestScheme {
    digest: KeyedDigest::Md5,
    spelling: HexSpelling::Lower,
    case: HexCase::Ignored,
};

/// Which sort orders a reply may have been signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Orders {
    /// The account's own.
    Own,
    /// Either: `PrepayId` with its capital sorts differently, and no captured reply settles which one is meant
    /// (section 4.4).
    Either,
}

/// Checks a reply and hands out its fields with their text decoded, in the reading under which the check holds.
///
/// `message` is percent-encoded on the wire and decoded in the signed text; whether other values are encoded too was
/// never seen, so the second reading decodes them all (section 4.3).
pub(crate) fn verify(account: &Account, fields: &Fields, orders: Orders) -> Result<Verified<Fields>, VerifyError> {
    let signature = fields
        .filled("signValue")
        .ok_or(SignatureError::Missing { part: "signValue" })?;
    let rules: &[PairRules] = match orders {
        Orders::Own => &[account.rules],
        Orders::Either => &[
            PairRules {
                order: NameOrder::LowerCased,
                ..account.rules
            },
            PairRules {
                order: NameOrder::Bytes,
                ..account.rules
            },
        ],
    };
    let readings = [
        decoded(fields, |name| name == "message")?,
        decoded(fields, |name| name != "signValue")?,
    ];
    for reading in readings {
        for rules in rules {
            let text = rules.text(&reading, account.signer.key());
            if let Ok(verified) = Verified::check(&account.signer, text.as_bytes(), signature, reading.clone()) {
                return Ok(verified);
            }
        }
    }
    Err(SignatureError::Mismatch.into())
}

/// A reply whose origin was not proven, or whose text could not even be decoded.
#[derive(Debug)]
pub(crate) enum VerifyError {
    Signature(SignatureError),
    Field(FieldError),
}

impl From<SignatureError> for VerifyError {
    fn from(error: SignatureError) -> Self {
        Self::Signature(error)
    }
}

impl From<FieldError> for VerifyError {
    fn from(error: FieldError) -> Self {
        Self::Field(error)
    }
}

impl From<VerifyError> for yuanfen_core::OpenError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Signature(error) => error.into(),
            VerifyError::Field(error) => error.into(),
        }
    }
}

/// The same fields with the signature under its documented name, whatever case it came in: editions of the manual
/// differ about capitals (section 5.2), and a signature must not be overlooked for that.
///
/// # Errors
/// When it is there in two spellings.
pub(crate) fn with_signature_named(fields: &Fields) -> Result<Fields, FieldError> {
    let mut out = Fields::new();
    for (name, value) in fields.iter() {
        let name = if name.eq_ignore_ascii_case("signValue") {
            "signValue"
        } else {
            name
        };
        out.push(name, value)?;
    }
    Ok(out)
}

/// The same fields with the chosen ones percent-decoded. A value that is no percent-encoding stays as it came.
pub(crate) fn decoded(fields: &Fields, which: impl Fn(&str) -> bool) -> Result<Fields, FieldError> {
    let mut out = Fields::new();
    for (name, value) in fields.iter() {
        if which(name) {
            out.push(name, &percent_decode(value))?;
        } else {
            out.push(name, value)?;
        }
    }
    Ok(out)
}
