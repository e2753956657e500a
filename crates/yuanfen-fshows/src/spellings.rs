//! One field under several names: the platform mixes snake_case and camelCase (fshows sheet, section 8).

use yuanfen_core::{FieldError, JsonTaker, ValueError, WireText};

/// The value of a field that may go by any of these names. Under two names it must be the same: which of two amounts
/// counts is nothing to guess.
pub(crate) fn one_of<T: WireText + PartialEq>(
    taker: &mut JsonTaker<'_>,
    names: &[&str],
) -> Result<Option<T>, FieldError> {
    one_of_same(taker, names, |one, other| one == other)
}

/// The same with another notion of sameness: decimals may differ in their trailing zeros.
pub(crate) fn one_of_same<T: WireText>(
    taker: &mut JsonTaker<'_>,
    names: &[&str],
    same: impl Fn(&T, &T) -> bool,
) -> Result<Option<T>, FieldError> {
    let mut found = None;
    for name in names {
        let Some(value) = taker.maybe(name)? else { continue };
        match &found {
            None => found = Some(value),
            Some(first) if same(first, &value) => {}
            Some(_) => return Err(FieldError::new(*name, ValueError::Duplicate)),
        }
    }
    Ok(found)
}
