//! Values that must not be seen.

use std::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroize;

/// A value that prints as `Secret(..)` and is wiped from memory when it is dropped.
///
/// It has no `Display`, no `Serialize` and no `PartialEq`; [`expose`](Self::expose) is the only way in, and easy to
/// search for.
///
/// ```
/// use yuanfen_core::Secret;
/// let key = Secret::new("192006250b4c09247ec02edce69f6a2d".to_owned());
/// assert_eq!(format!("{key:?}"), "Secret(..)");
/// assert_eq!(key.expose().len(), 32);
/// ```
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value in.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this sees to it that it goes nowhere it can be read.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether both hold the same bytes, in a time that does not depend on where they differ.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        constant_time_eq(self.0.as_ref(), other.0.as_ref())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

/// Compares two byte strings in a time that depends on their lengths only. Every digest comparison goes through here.
#[must_use]
pub fn constant_time_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
