//! How an envelope becomes the text that is signed.

use yuanfen_sign::{Blanks, Empties, NameOrder, PairRules, Render, Tail};

/// The text of requests and call-backs: byte order of the names, `name=value` joined with `&`, values raw, without
/// `sign` and `sign_type`, empty values dropped (fshows sheet, sections 6.1 and 6.3).
///
/// ```
/// use yuanfen_core::Fields;
/// let fields = Fields::try_from(&[("version", "1.0"), ("app_id", "2099"), ("sign_type", "RSA"), ("note", "")][..])?;
/// assert_eq!(yuanfen_envelope::RULES.keyless_text(&fields).as_bytes(), b"app_id=2099&version=1.0");
/// # Ok::<(), yuanfen_core::FieldError>(())
/// ```
pub const RULES: PairRules = PairRules {
    order: NameOrder::Bytes,
    empties: Empties::Drop,
    render: Render::NameEqualsValue,
    tail: Tail::None,
    left_out: &["sign", "sign_type"],
    blanks: Blanks::Keep,
};

/// The same with empty values kept as `name=`: the second reading of a call-back (fshows sheet, section 6.3, step 5).
pub const RULES_KEEPING_EMPTY: PairRules = PairRules {
    empties: Empties::Keep,
    ..RULES
};

/// With `sign_type` in the text: how the JSON call-backs that one implementation reads would be signed (section 11.1).
pub(crate) const RULES_WITH_SIGN_TYPE: PairRules = PairRules {
    left_out: &["sign"],
    ..RULES
};

/// Both of it.
pub(crate) const RULES_WITH_SIGN_TYPE_KEEPING_EMPTY: PairRules = PairRules {
    left_out: &["sign"],
    ..RULES_KEEPING_EMPTY
};
