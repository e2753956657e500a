//! The number of a combined order.

use std::fmt;

use serde::Serialize;
use yuanfen_core::{BuildError, NumberError, OrderNo, ValueError, WireText};

use super::number;

/// `combine_out_trade_no`: the number of a combined order, 1 to 32 letters, digits and `_-|*@`.
///
/// It is a type of its own because the ordinary calls know no such number: queried there, an order that is paid is said
/// not to exist. Refunds are made of the sub-orders, by theirs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct CombinedOrderNo(OrderNo);

impl CombinedOrderNo {
    /// Takes the text.
    ///
    /// # Errors
    /// When it is empty, longer than 64 characters, or not printable ASCII. The platform's narrower rule is checked where
    /// the number is sent.
    pub fn new(text: impl AsRef<str>) -> Result<Self, NumberError> {
        OrderNo::new(text).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn check(&self) -> Result<(), BuildError> {
        number("combine_out_trade_no").check(self.as_str())
    }
}

impl fmt::Debug for CombinedOrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CombinedOrderNo({})", self.as_str())
    }
}

impl fmt::Display for CombinedOrderNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl WireText for CombinedOrderNo {
    fn read(text: &str) -> Result<Self, ValueError> {
        OrderNo::read(text).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }
}
